/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `history check` as text. */
#include "host/history/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/message.h"
#include "host/lib/text.h"
#include "host/lib/number.h"

#define RED    "\033[31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN  "\033[0m"

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
	message_clean(name);
}

void history_label(const struct history_series *s, char label[HISTORY_NAME_BYTES])
{
	bool plain = !strcmp(s->config, "default");
	size_t n;

	n = (size_t)snprintf(label, HISTORY_NAME_BYTES, "%.60s%s%.40s%s", s->benchmark,
			     plain ? "" : " [", plain ? "" : s->config, plain ? "" : "]");
	if (strcmp(s->metric, "round_trip") != 0)
		snprintf(label + n, HISTORY_NAME_BYTES - n, " %.40s", s->metric);
	message_clean(label);
}

void history_where(const struct history_place *place, char text[HISTORY_NAME_BYTES])
{
	snprintf(text, HISTORY_NAME_BYTES, "%.60s%s%.80s", place->target,
		 !place->what	? ""
		 : place->exact ? ", "
				: ", machine ",
		 place->what ? place->what : "");
	message_clean(text);
}

static const char *confirmed_text(const struct history_alarm *a)
{
	static const char *const texts[] = {
		[HISTORY_UNTRIED] = "",
		[HISTORY_CONFIRMED] = ", confirmed: ",
		[HISTORY_REFUTED] = ", not confirmed: ",
		[HISTORY_UNDECIDED] = ", could not be confirmed: ",
	};

	return texts[a->confirmed];
}

/* The alarms of one run, and the width of the labels. */
struct group {
	const struct history *h;
	const struct history_alarm *alarms;
	size_t n, width;
};

static const char *kind_color(enum history_kind kind)
{
	static const char *const colors[] = {
		[HISTORY_WORSE] = RED,
		[HISTORY_BETTER] = GREEN,
		[HISTORY_CHANGED] = YELLOW,
	};

	return colors[kind];
}

static double difference(const struct history_alarm *a)
{
	return history_change(a)->after - history_change(a)->before;
}

/* `others`: number of equal changes that are not printed. */
static void print_change(const struct history_alarm *a, size_t width, size_t others)
{
	const struct changepoint *c = history_change(a);
	bool color = message_color(stdout);
	char label[HISTORY_NAME_BYTES], from[NUMBER_BYTES], to[NUMBER_BYTES];
	bool steps = a->series->method == HISTORY_STEPS;
	double percent = 100 * history_relative(c);
	uint32_t boots;

	history_label(a->series, label);
	if (others) {
		size_t used = strlen(label);

		snprintf(label + used, sizeof(label) - used, " and %zu more", others);
	}
	number_format(from, c->before, steps);
	number_format(to, c->after, steps);
	fputs("    ", stdout);
	text_left(stdout, label, width);
	printf("  %10s  %10s  ", from, to);
	if (isnan(percent))
		printf("%9s", "");
	else if (percent >= 1000) /* `before` is close to 0 */
		printf("%7.0f x", c->after / c->before);
	else if (fabs(percent) < 0.05)
		printf("%+7.2f %%", percent);
	else
		printf("%+7.1f %%", percent);
	printf("  %s%s%s%s%s%s", color ? kind_color(a->kind) : "",
	       history_kind_name(a->kind), color ? PLAIN : "",
	       a->let_pass ? ", let pass" : "", confirmed_text(a), a->reason);
	if (a->kind == HISTORY_CHANGED) {
		char class[HISTORY_NAME_BYTES];

		history_class_change(a->series, a->k, class, sizeof(class));
		printf(": %s", class);
	} else if (!steps) {
		printf("  p %.1g", c->pvalue);
	} else if (history_is_of_ranges(a->series, a->k, &boots)) {
		printf(" (nearest ends of ranges over %u boots)", boots);
	}
	if (others)
		printf(", each by %g", fabs(difference(a)));
	putchar('\n');
}

/* Other differences between the runs that can be the cause. */
static void print_suspects(const struct history_run *old, const struct history_run *new)
{
	if (strcmp(old->tool, new->tool) != 0)
		printf("    (measured by wsbench %s, before by %s)\n", new->tool,
		       old->tool);
	if (old->emulator && new->emulator && strcmp(old->emulator, new->emulator) != 0)
		printf("    (measured on %s, before on %s)\n", new->emulator,
		       old->emulator);
}

static void print_heading(const struct group *g)
{
	const struct history_alarm *a = g->alarms;
	const struct history_run *new = history_new_run(g->h, a->series, a->k);
	const struct history_run *old = history_old_run(g->h, a->series, a->k);
	char name[HISTORY_NAME_BYTES], before[HISTORY_NAME_BYTES];
	size_t of[3] = { 0 };

	history_name(new, name);
	history_name(old, before);
	printf("  %s, after %s", name, before);
	/* Two runs of one kernel: name the run. */
	if (!strcmp(name, before))
		printf(" (run %s)", new->id);
	for (size_t i = 0; i < g->n; i++)
		of[g->alarms[i].kind]++;
	printf(": %zu worse, %zu better", of[HISTORY_WORSE], of[HISTORY_BETTER]);
	if (of[HISTORY_CHANGED])
		printf(", %zu changed", of[HISTORY_CHANGED]);
	putchar('\n');
	print_suspects(old, new);
}

static bool same_change(const struct history *h, const struct history_alarm *a,
			const struct history_alarm *b)
{
	return history_new_run(h, a->series, a->k) ==
		       history_new_run(h, b->series, b->k) &&
	       history_old_run(h, a->series, a->k) == history_old_run(h, b->series, b->k);
}

/*
 * A change of one or two instructions in a path that all exits share changes a hundred
 * benchmarks. Small changes that are equal get one line.
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

static void print_group(const struct history_query *q, const struct group *g)
{
	print_heading(g);
	for (size_t i = 0; i < g->n; i++) {
		size_t before = 0, after = 0;

		for (size_t j = 0; j < g->n; j++)
			if (j != i && alike(&g->alarms[i], &g->alarms[j]))
				*(j < i ? &before : &after) += 1;
		if (q->all || before + after + 1 < ALIKE_MANY)
			print_change(&g->alarms[i], g->width, 0);
		else if (!before)
			print_change(&g->alarms[i], g->width, after);
	}
}

static size_t label_width(const struct history_alarm *alarms, size_t n)
{
	char label[HISTORY_NAME_BYTES];
	size_t width = 0;

	for (size_t i = 0; i < n; i++) {
		history_label(alarms[i].series, label);
		if (text_width(label) > width)
			width = text_width(label);
	}
	return width;
}

static void print_gone(const struct history_query *q, const struct history *h)
{
	char label[HISTORY_NAME_BYTES], where[HISTORY_NAME_BYTES];

	for (size_t i = 0; i < h->n_series; i++) {
		const struct history_series *s = &h->series[i];

		if (!history_selects(q, h, s) || history_is_current(h, s))
			continue;
		history_label(s, label);
		history_where(&h->places[s->place], where);
		message_info(q->quiet, "%s: the newest run has no figure of %s", where,
			     label);
	}
}

/* "2 worse within --threshold, let pass: hypercall +1 insns (+0.1 %), ..." */
static void print_let_pass(const struct history_alarm *alarms, size_t n, size_t many)
{
	bool first = true;

	printf("%zu worse within --threshold, let pass:", many);
	for (size_t i = 0; i < n; i++) {
		const struct history_alarm *a = &alarms[i];
		char label[HISTORY_NAME_BYTES], number[NUMBER_BYTES];

		if (!a->recent || !a->let_pass)
			continue;
		history_label(a->series, label);
		number_format(number, difference(a), a->series->method == HISTORY_STEPS);
		printf("%s %s %s%s %s", first ? "" : ",", label,
		       difference(a) > 0 ? "+" : "", number, a->series->unit);
		if (history_change(a)->before > 0)
			printf(" (%+.2g %%)", 100 * history_relative(history_change(a)));
		first = false;
	}
	putchar('\n');
}

void history_print_check(const struct history_query *q, const struct history *h,
			 const struct history_alarm *alarms, size_t n)
{
	struct history_tally t = history_tally(q, h, alarms, n);
	const struct history_alarm *last = NULL;
	size_t width = label_width(alarms, n);
	char where[HISTORY_NAME_BYTES];

	for (size_t i = 0, end; i < n; i = end) {
		const struct history_alarm *a = &alarms[i];
		struct group g = { .h = h, .alarms = a, .width = width };

		for (end = i + 1; end < n && same_change(h, a, &alarms[end]);)
			end++;
		if (!a->recent)
			continue;
		g.n = end - i;
		if (!last || last->series->place != a->series->place) {
			history_where(&h->places[a->series->place], where);
			printf("%s%s\n", last ? "\n" : "", where);
		}
		print_group(q, &g);
		last = a;
	}
	if (last)
		putchar('\n');
	print_gone(q, h);
	printf("%zu series: %zu changes for worse, %zu for better", t.series, t.worse,
	       t.better);
	if (q->last)
		printf(" in the newest %llu runs (%zu before)",
		       (unsigned long long)q->last, t.old);
	if (t.changed)
		printf("; %zu changed their class", t.changed);
	if (t.unjudged)
		printf("; %zu too short to judge", t.unjudged);
	putchar('\n');
	if (t.let_pass)
		print_let_pass(alarms, n, t.let_pass);
}
