/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `history check` and `history show` as text. */
#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/history/history.h"
#include "host/lib/error.h"
#include "host/lib/table.h"
#include "host/lib/text.h"

enum column {
	COLUMN_LABEL,
	COLUMN_BEFORE,
	COLUMN_AFTER,
	COLUMN_RELATIVE,
	COLUMN_VERDICT,
	COLUMN_DETAIL,
	COLUMNS,
};

static const struct table_column change_columns[COLUMNS] = {
	[COLUMN_LABEL] = { "benchmark", TABLE_KEY, 0, NULL },
	[COLUMN_BEFORE] = { "before", TABLE_RIGHT, 0, NULL },
	[COLUMN_AFTER] = { "after", TABLE_RIGHT, 0, NULL },
	[COLUMN_RELATIVE] = { "change", TABLE_RIGHT, 0, NULL },
	[COLUMN_VERDICT] = { "verdict", 0, 0, NULL },
	[COLUMN_DETAIL] = { "", TABLE_JOIN | TABLE_WRAP, 0, NULL },
};

void history_name(const struct history_run *run, char name[HISTORY_NAME_BYTES])
{
	const char *kernel = run->kernel ? run->kernel : "";
	size_t n = 0;

	if (run->label)
		n = (size_t)snprintf(name, HISTORY_NAME_BYTES, "%.60s ", run->label);
	if (run->commit)
		n += (size_t)snprintf(name + n, HISTORY_NAME_BYTES - n, "%.12s ",
				      run->commit);
	if (!n)
		snprintf(name, HISTORY_NAME_BYTES, "%.80s", *kernel ? kernel : run->id);
	else if (*kernel)
		snprintf(name + n, HISTORY_NAME_BYTES - n, "(%.70s)", kernel);
	else
		name[n - 1] = '\0';
	text_clean(name, HISTORY_NAME_BYTES);
}

void history_label(const struct history_series *s, char label[HISTORY_NAME_BYTES])
{
	bool plain = !strcmp(s->config, "default");
	size_t n;

	n = (size_t)snprintf(label, HISTORY_NAME_BYTES, "%.60s%s%.40s%s", s->benchmark,
			     plain ? "" : " [", plain ? "" : s->config, plain ? "" : "]");
	if (strcmp(s->metric, "round_trip") != 0)
		snprintf(label + n, HISTORY_NAME_BYTES - n, " %.40s", s->metric);
	text_clean(label, HISTORY_NAME_BYTES);
}

void history_where(const struct history_place *place, char text[HISTORY_NAME_BYTES])
{
	snprintf(text, HISTORY_NAME_BYTES, "%.60s%s%.80s", place->target,
		 !place->what	? ""
		 : place->exact ? ", "
				: ", machine ",
		 place->what ? place->what : "");
	text_clean(text, HISTORY_NAME_BYTES);
}

static const char *confirmed_text(const struct history_alarm *a)
{
	static const char *const texts[] = {
		[HISTORY_UNTRIED] = "",
		[HISTORY_CONFIRMED] = ", confirmed:",
		[HISTORY_REFUTED] = ", not confirmed:",
		[HISTORY_UNDECIDED] = ", could not be confirmed:",
	};

	return texts[a->confirmed];
}

static double difference(const struct history_alarm *a)
{
	return history_change(a)->after - history_change(a)->before;
}

/* `others`: as many more changes equal to this one are not printed. */
static void add_change(struct table *t, const struct history_alarm *a, size_t others,
		       const char *indent)
{
	static const enum table_color colors[] = {
		[HISTORY_WORSE] = TABLE_RED,
		[HISTORY_BETTER] = TABLE_GREEN,
		[HISTORY_CHANGED] = TABLE_YELLOW,
	};
	const struct changepoint *c = history_change(a);
	char label[HISTORY_NAME_BYTES], number[NUMBER_BYTES];
	bool steps = a->series->method == HISTORY_STEPS;
	double percent = 100 * history_relative(c);
	char *detail = NULL, change[HISTORY_NAME_BYTES];
	uint32_t boots;
	size_t bytes;
	FILE *f;

	table_row(t, TABLE_PLAIN);
	history_label(a->series, label);
	if (others) {
		size_t used = strlen(label);

		snprintf(label + used, sizeof(label) - used, " and %zu more", others);
	}
	table_cell(t, COLUMN_LABEL, "%s%s", indent, label);
	number_format(number, c->before, steps);
	table_cell(t, COLUMN_BEFORE, "%s", number);
	table_cell_value(t, COLUMN_BEFORE, c->before);
	number_format(number, c->after, steps);
	table_cell(t, COLUMN_AFTER, "%s", number);
	table_cell_value(t, COLUMN_AFTER, c->after);
	table_cell_value(t, COLUMN_RELATIVE, percent);
	if (percent >= 1000) /* `before` is close to 0 */
		table_cell(t, COLUMN_RELATIVE, "%.0f x", c->after / c->before);
	else if (!isnan(percent)) {
		percent_format(number, percent, 1);
		table_cell(t, COLUMN_RELATIVE, "%s", number);
	}
	f = open_memstream(&detail, &bytes);
	if (!f)
		abort();
	fputs(a->reason, f);
	history_distribution_change(a->series, a->k, change, sizeof(change));
	if (c->of != CHANGEPOINT_OF_MEAN) {
		fputs(change, f);
		if (!steps)
			fprintf(f, ", p %.1g", c->pvalue);
	} else if (a->kind == HISTORY_CHANGED) {
		char class[HISTORY_NAME_BYTES];

		history_class_change(a->series, a->k, class, sizeof(class));
		fprintf(f, "%s%s", *a->reason ? ": " : "", class);
	} else if (!steps) {
		fprintf(f, "%sp %.1g%s", *a->reason ? ", " : "", c->pvalue,
			c->single ? ", of the newest run alone" : "");
		if (c->trend != 0 && c->before > 0)
			fprintf(f, ", a trend of %+.2g %% per run",
				100 * c->trend / c->before);
	} else if (history_is_of_ranges(a->series, a->k, &boots)) {
		fprintf(f, "%s(ranges over %u boots)", *a->reason ? " " : "", boots);
	}
	if (c->of == CHANGEPOINT_OF_MEAN && *change)
		fprintf(f, "%s%s", ftell(f) ? "; " : "", change);
	if (others)
		fprintf(f, "%seach by %g", ftell(f) ? ", " : "", fabs(difference(a)));
	if (fclose(f))
		abort();
	table_cell(t, COLUMN_VERDICT, "%s%s%s%s%s%s",
		   c->of == CHANGEPOINT_OF_MEAN ? "" : "distribution ",
		   history_kind_name(a->kind), history_is_open(a) ? "?" : "",
		   a->let_pass ? ", within threshold" : "", confirmed_text(a),
		   a->kind == HISTORY_CHANGED && !*confirmed_text(a) ? ":" : "");
	table_cell_color(t, COLUMN_VERDICT, colors[a->kind]);
	table_cell(t, COLUMN_DETAIL, "%s", detail);
	free(detail);
}

/* Other changes of the run that may be the reason. */
static void print_suspects(const struct history_run *old, const struct history_run *new)
{
	if (strcmp(old->tool, new->tool) != 0) {
		text_print(stdout, "    (measured by wsbench %s, before by %s)",
			   new->tool, old->tool);
		putchar('\n');
	}
	if (old->emulator && new->emulator && strcmp(old->emulator, new->emulator) != 0) {
		text_print(stdout, "    (measured on %s, before on %s)", new->emulator,
			   old->emulator);
		putchar('\n');
	}
}

void history_step_title(FILE *f, const struct history *h,
			const struct history_alarm *alarms, size_t n)
{
	const struct history_alarm *a = alarms;
	const struct history_run *new = history_new_run(h, a->series, a->k);
	const struct history_run *old = history_old_run(h, a->series, a->k);
	char name[HISTORY_NAME_BYTES], before[HISTORY_NAME_BYTES];
	size_t of[3] = { 0 }, open = 0, distribution = 0;

	history_name(new, name);
	history_name(old, before);
	fprintf(f, "%s, after %s", name, before);
	/* Two runs of one kernel: print the id of the run. */
	if (!strcmp(name, before))
		text_print(f, " (run %s)", new->id);
	for (size_t i = 0; i < n; i++) {
		if (history_change(&alarms[i])->of != CHANGEPOINT_OF_MEAN)
			distribution++;
		else
			*(history_is_open(&alarms[i]) ? &open : &of[alarms[i].kind]) += 1;
	}
	fprintf(f, ": %zu worse, %zu better", of[HISTORY_WORSE], of[HISTORY_BETTER]);
	if (open)
		fprintf(f, ", %zu open", open);
	if (of[HISTORY_CHANGED])
		fprintf(f, ", %zu changed", of[HISTORY_CHANGED]);
	if (distribution)
		fprintf(f, ", %zu changed their distribution", distribution);
}

static bool same_change(const struct history *h, const struct history_alarm *a,
			const struct history_alarm *b)
{
	return a->recent == b->recent &&
	       history_new_run(h, a->series, a->k) ==
		       history_new_run(h, b->series, b->k) &&
	       history_old_run(h, a->series, a->k) == history_old_run(h, b->series, b->k);
}

/*
 * A change of a path that all exits share changes a hundred benchmarks by an instruction
 * or two. Small changes that are equal are printed as one line.
 */
#define SMALL	   0.01
#define ALIKE_MANY 4

static bool alike(const struct history_alarm *a, const struct history_alarm *b)
{
	return a->series->method == HISTORY_STEPS && b->series->method == HISTORY_STEPS &&
	       a->kind == b->kind && a->kind != HISTORY_CHANGED &&
	       !a->let_pass == !b->let_pass && a->confirmed == HISTORY_UNTRIED &&
	       b->confirmed == HISTORY_UNTRIED &&
	       fabs(history_relative(history_change(a))) < SMALL &&
	       fabs(history_relative(history_change(b))) < SMALL &&
	       difference(a) == difference(b);
}

static void fill_step(struct table *t, const struct history_query *q,
		      const struct history_alarm *alarms, size_t n, const char *indent)
{
	for (size_t i = 0; i < n; i++) {
		size_t before = 0, after = 0;

		for (size_t j = 0; j < n; j++)
			if (j != i && alike(&alarms[i], &alarms[j]))
				*(j < i ? &before : &after) += 1;
		if (q->all || before + after + 1 < ALIKE_MANY)
			add_change(t, &alarms[i], 0, indent);
		else if (!before)
			add_change(t, &alarms[i], after, indent);
	}
}

void history_step_table(struct table *t, const struct history_query *q,
			const struct history_alarm *alarms, size_t n)
{
	table_init(t, change_columns, COLUMNS);
	fill_step(t, q, alarms, n, "");
}

size_t history_step_end(const struct history *h, const struct history_alarm *alarms,
			size_t n, size_t i)
{
	size_t end = i + 1;

	while (end < n && same_change(h, &alarms[i], &alarms[end]))
		end++;
	return end;
}

void history_print_step(const struct history_query *q, const struct history *h,
			const struct history_alarm *alarms, size_t n)
{
	struct table_column plain[COLUMNS];
	struct table_options o;
	struct table t;

	/* Without heads: a heading names the two runs, and the order is that of time. */
	memcpy(plain, change_columns, sizeof(plain));
	for (size_t c = 0; c < COLUMNS; c++)
		plain[c].head = "";
	fputs("  ", stdout);
	history_step_title(stdout, h, alarms, n);
	putchar('\n');
	print_suspects(history_old_run(h, alarms->series, alarms->k),
		       history_new_run(h, alarms->series, alarms->k));
	table_options_for(&o, stdout);
	table_init(&t, plain, COLUMNS);
	fill_step(&t, q, alarms, n, "    ");
	table_print(stdout, &t, &o);
	table_free(&t);
}

/* Whether the newest run has this row in another unit: another series. */
static bool has_other_unit(const struct history *h, const struct history_series *s)
{
	for (size_t i = 0; i < h->n_series; i++) {
		const struct history_series *other = &h->series[i];

		if (other->place == s->place && other != s &&
		    !strcmp(other->benchmark, s->benchmark) &&
		    !strcmp(other->config, s->config) &&
		    !strcmp(other->metric, s->metric) && history_is_current(h, other))
			return true;
	}
	return false;
}

/* Series of a place that are named; a run of a few benchmarks lacks hundreds. */
#define GONE_NAMES 4

static void print_gone_of(const struct history_query *q, const struct history *h,
			  size_t place)
{
	char label[HISTORY_NAME_BYTES], where[HISTORY_NAME_BYTES], more[32] = "";
	char text[GONE_NAMES * (HISTORY_NAME_BYTES + 32)] = "";
	size_t n = 0, used = 0;

	for (size_t i = 0; i < h->n_series; i++) {
		const struct history_series *s = &h->series[i];
		bool unit;

		if (s->place != place || !history_selects(q, h, s) ||
		    history_is_current(h, s) || n++ >= GONE_NAMES)
			continue;
		history_label(s, label);
		unit = has_other_unit(h, s);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s%.20s",
					 n > 1 ? ", " : "", label, unit ? " in " : "",
					 unit ? s->unit : "");
	}
	if (!n)
		return;
	if (n > GONE_NAMES)
		snprintf(more, sizeof(more), " and %zu more", n - GONE_NAMES);
	history_where(&h->places[place], where);
	message_info(q->quiet, "%s: the newest run has no figure of %s%s", where, text,
		     more);
}

static void print_gone(const struct history_query *q, const struct history *h)
{
	for (size_t place = 0; place < h->n_places; place++)
		print_gone_of(q, h, place);
}

/* "2 worse within --threshold: hypercall +1 insns (+0.1 %), ..." */
static void print_let_pass(const struct history_alarm *alarms, size_t n, size_t many)
{
	bool first = true;

	printf("%zu worse within --threshold:", many);
	for (size_t i = 0; i < n; i++) {
		const struct history_alarm *a = &alarms[i];
		char label[HISTORY_NAME_BYTES], number[NUMBER_BYTES];

		if (!a->recent || !a->let_pass)
			continue;
		history_label(a->series, label);
		number_format(number, difference(a), a->series->method == HISTORY_STEPS);
		text_print(stdout, "%s %s %s%s %s", first ? "" : ",", label,
			   difference(a) > 0 ? "+" : "", number, a->series->unit);
		if (history_change(a)->before > 0)
			printf(" (%+.2g %%)", 100 * history_relative(history_change(a)));
		first = false;
	}
	putchar('\n');
}

/*
 * "2 moved within 2 steps of the clock, which does not show by how much: hypercall 10 ->
 * 11 ticks from 6.12.117, ..."
 */
static void print_hidden(const struct history_query *q, const struct history *h)
{
	size_t n, resolved = 0;
	struct history_hidden *hidden = history_hidden(q, h, &n);

	printf("%zu moved within %g steps of the clock, which does not show by how much:",
	       n, h->rules.quanta);
	for (size_t i = 0; i < n; i++) {
		const struct history_series *s = hidden[i].series;
		const struct changepoint *c = hidden[i].change;
		char label[HISTORY_NAME_BYTES], name[HISTORY_NAME_BYTES];
		char from[NUMBER_BYTES], to[NUMBER_BYTES];

		history_label(s, label);
		history_name(&h->runs[s->points[c->index].run], name);
		number_format(from, c->before, false);
		number_format(to, c->after, false);
		text_print(stdout, "%s %s %s -> %s %s from %s", i ? "," : "", label, from,
			   to, s->unit, name);
		resolved += hidden[i].has_batch || strcmp(s->metric, "round_trip") != 0;
	}
	if (resolved < n)
		fputs("; a history of " RESULT_BATCH
		      " (history add --metric " RESULT_BATCH ") resolves more",
		      stdout);
	putchar('\n');
	free(hidden);
}

void history_print_check(const struct history_query *q, const struct history *h,
			 const struct history_alarm *alarms, size_t n)
{
	struct history_tally t = history_tally(q, h, alarms, n);
	const struct history_alarm *last = NULL;
	char where[HISTORY_NAME_BYTES];

	for (size_t i = 0, end; i < n; i = end) {
		const struct history_alarm *a = &alarms[i];

		end = history_step_end(h, alarms, n, i);
		if (!a->recent)
			continue;
		if (!last || last->series->place != a->series->place) {
			history_where(&h->places[a->series->place], where);
			printf("%s%s\n", last ? "\n" : "", where);
		}
		history_print_step(q, h, a, end - i);
		last = a;
	}
	if (last)
		putchar('\n');
	print_gone(q, h);
	printf("%zu series: %zu became worse, %zu better", t.series, t.worse, t.better);
	if (q->last == 1)
		printf(" in the newest run (%zu before)", t.old);
	else if (q->last)
		printf(" in the newest %llu runs (%zu before)",
		       (unsigned long long)q->last, t.old);
	if (t.changed)
		printf("; %zu changed their class", t.changed);
	if (t.distribution)
		printf("; %zu changed their distribution", t.distribution);
	if (t.unjudged)
		printf("; %zu too short to judge", t.unjudged);
	if (t.outliers)
		printf("; %zu outlier%s set aside", t.outliers,
		       t.outliers == 1 ? "" : "s");
	putchar('\n');
	if (t.single)
		printf("%zu moved in the newest run alone: outliers, or changes that the next run or --confirm will show\n",
		       t.single);
	if (t.hidden)
		print_hidden(q, h);
	if (t.let_pass)
		print_let_pass(alarms, n, t.let_pass);
}

#define SPARK_COLUMNS 72
#define SPARK_LEVELS  8

static void range(const struct history_series *s, double *min, double *max)
{
	*min = INFINITY;
	*max = -INFINITY;
	for (size_t i = 0; i < s->n_points; i++) {
		*min = fmin(*min, s->points[i].value);
		*max = fmax(*max, s->points[i].value);
	}
}

/* A bar per point; in a long series, per group of points. */
static void print_spark(const struct history_series *s)
{
	static const char *const bars[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const plain[] = { "_", ".", ":", "-", "=", "+", "*", "#" };
	bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	size_t columns = s->n_points < SPARK_COLUMNS ? s->n_points : SPARK_COLUMNS;
	double min, max;

	range(s, &min, &max);
	fputs("  ", stdout);
	for (size_t c = 0; c < columns; c++) {
		size_t from = c * s->n_points / columns;
		size_t to = (c + 1) * s->n_points / columns, level = 0;
		double mean = 0;

		for (size_t i = from; i < to; i++)
			mean += s->points[i].value / (double)(to - from);
		if (max > min)
			level = (size_t)lround((mean - min) / (max - min) *
					       (SPARK_LEVELS - 1));
		fputs(utf8 ? bars[level] : plain[level], stdout);
	}
	putchar('\n');
}

static void add_stretch(struct table *t, const struct history *h,
			const struct history_series *s, size_t k)
{
	struct history_stretch now = history_stretch(s, k);
	char name[HISTORY_NAME_BYTES], until[HISTORY_NAME_BYTES];
	char lo[NUMBER_BYTES], hi[NUMBER_BYTES];

	history_name(&h->runs[s->points[now.start].run], name);
	history_name(&h->runs[s->points[now.end - 1].run], until);
	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "  %s", name);
	table_cell(t, 1, "%s", until);
	table_cell(t, 2, "%zu", now.end - now.start);
	if (now.outliers)
		table_cell(t, 6, "%zu outlier%s set aside", now.outliers,
			   now.outliers == 1 ? "" : "s");
	if (now.lo < now.hi) {
		number_format(lo, now.lo, true);
		number_format(hi, now.hi, true);
		table_cell(t, 3, "%s to %s", lo, hi);
	} else {
		table_number(t, 3, now.mean, s->method == HISTORY_STEPS, false);
	}
	if (k) {
		double relative = history_relative(&s->changes[k - 1]);

		if (!isnan(relative)) {
			char number[NUMBER_BYTES];

			percent_format(number, 100 * relative, 2);
			table_cell(t, 4, "%s", number);
		}
		table_cell(t, 5, "%s%s%s",
			   s->changes[k - 1].of == CHANGEPOINT_OF_MEAN ? ""
								       : "distribution ",
			   history_kind_name(history_kind(s, k - 1)),
			   s->changes[k - 1].single ? "?" : "");
	}
}

static void print_series(const struct history *h, const struct history_series *s,
			 const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "  from", TABLE_KEY, 0, NULL },
		{ "to", 0, 0, NULL },
		{ "runs", TABLE_RIGHT, 0, NULL },
		{ "value", TABLE_RIGHT, 0, NULL },
		{ "change", TABLE_RIGHT, 0, NULL },
		{ "verdict", 0, 0, NULL },
		{ "", 0, 0, NULL },
	};
	char label[HISTORY_NAME_BYTES], where[HISTORY_NAME_BYTES];
	struct table t;

	history_label(s, label);
	history_where(&h->places[s->place], where);
	text_print(stdout, "%s: %s, in %s%s", where, label, s->unit,
		   s->method == HISTORY_TOO_FEW ? "; too short to judge" : "");
	putchar('\n');
	print_spark(s);
	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t k = 0; k <= s->n_changes; k++)
		add_stretch(&t, h, s, k);
	table_print(stdout, &t, o);
	table_free(&t);
}

void history_print_series(const struct history_query *q, const struct history *h)
{
	struct table_options o;
	size_t n = 0;

	table_options_for(&o, stdout);
	for (size_t i = 0; i < h->n_series; i++) {
		if (!history_selects(q, h, &h->series[i]))
			continue;
		if (n++)
			putchar('\n');
		print_series(h, &h->series[i], &o);
	}
}
