/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The output of `wsbench compare`: the table for a terminal and as Markdown, and JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/compare/compare.h"
#include "host/compare/compare_rules.h"
#include "host/lib/error.h"
#include "host/lib/table.h"
#include "host/lib/text.h"
#include "host/result/export.h"

enum column {
	COLUMN_BENCHMARK,
	COLUMN_BASE,
	COLUMN_NEW,
	COLUMN_DIFFERENCE,
	COLUMN_RATIO,
	COLUMN_SHIFT,
	COLUMN_UNIT,
	COLUMN_VERDICT,
	COLUMN_NOTE,
	COLUMNS,
};

/* Narrow terminals: the interval of a noisy row is kept longest, base and new are dropped
 * first. On exact targets a unit that all rows share is dropped before them. */
static const struct table_column columns[COLUMNS] = {
	[COLUMN_BENCHMARK] = { "benchmark", TABLE_KEY, 0, NULL },
	[COLUMN_BASE] = { "base", TABLE_RIGHT, 4, NULL },
	[COLUMN_NEW] = { "new", TABLE_RIGHT, 5, NULL },
	[COLUMN_DIFFERENCE] = { "difference", TABLE_RIGHT, 3, NULL },
	[COLUMN_RATIO] = { "ratio", TABLE_RIGHT, 2, NULL },
	[COLUMN_SHIFT] = { "shift (95 %)", TABLE_RIGHT, 0, NULL },
	[COLUMN_UNIT] = { "unit", 0, 0, NULL },
	[COLUMN_VERDICT] = { "verdict", 0, 0, NULL },
	[COLUMN_NOTE] = { "", 0, 0, NULL },
};

/* NULL: the default config, or two configs are compared and the head names them. */
static const char *config_shown(const struct compare *c, const struct compare_row *row)
{
	return c->config[0] || !strcmp(row->base.config, "default") ? NULL
								    : row->base.config;
}

static void fill_label(struct table *t, const struct compare *c,
		       const struct compare_row *row)
{
	bool plain = !strcmp(row->metric, "round_trip");
	const char *config = config_shown(c, row);

	table_cell(t, COLUMN_BENCHMARK, "%s%s%s%s%s%s", row->name, config ? " [" : "",
		   config ? config : "", config ? "]" : "", plain ? "" : " ",
		   plain ? "" : row->metric);
}

static void fill_ratio(struct table *t, double ratio)
{
	if (!isnan(ratio))
		table_cell(t, COLUMN_RATIO, "%.*f",
			   ratio >= 10	? 1
			   : ratio >= 2 ? 2
					: 4,
			   ratio);
}

/* The shift of a noisy row with its interval: in percent if there is a ratio, else in its
 * unit. */
static void fill_shift(struct table *t, const struct compare_row *row)
{
	char shift[NUMBER_BYTES], lo[NUMBER_BYTES], hi[NUMBER_BYTES];
	bool interval = !isnan(row->lo) && !isnan(row->hi);

	if (row->level == 1 || isnan(row->shift))
		return;
	if (!isnan(row->shift_ratio)) {
		double percent = 100 * (row->shift_ratio - 1);

		if (interval)
			table_cell(t, COLUMN_SHIFT, "%+.1f (%+.1f to %+.1f) %%", percent,
				   100 * (row->ratio_lo - 1), 100 * (row->ratio_hi - 1));
		else
			table_cell(t, COLUMN_SHIFT, "%+.1f %%", percent);
		return;
	}
	number_format(shift, row->shift, false);
	number_format(lo, row->lo, false);
	number_format(hi, row->hi, false);
	if (interval)
		table_cell(t, COLUMN_SHIFT, "%s%s (%s%s to %s%s)",
			   row->shift > 0 ? "+" : "", shift, row->lo > 0 ? "+" : "", lo,
			   row->hi > 0 ? "+" : "", hi);
	else
		table_cell(t, COLUMN_SHIFT, "%s%s", row->shift > 0 ? "+" : "", shift);
}

static void fill_value(struct table *t, enum column column, const struct compare_row *row,
		       const struct compare_side *s, bool exact)
{
	char lo[NUMBER_BYTES], hi[NUMBER_BYTES];

	if (s->metric && row->level == 1 && s->min < s->max) {
		number_format(lo, s->min, true);
		number_format(hi, s->max, true);
		table_cell(t, column, "%s to %s", lo, hi);
	} else if (s->metric) {
		table_number(t, column, s->value, exact, false);
	} else if (s->benchmark && s->benchmark->status != RESULT_OK) {
		table_cell(t, column, "%s", result_status_name(s->benchmark->status));
	} else {
		table_cell(t, column, "-");
	}
}

const char *compare_verdict_sign(enum compare_verdict v, const struct table_options *o)
{
	if (!o || o->color)
		return "";
	if (v == COMPARE_WORSE || v == COMPARE_WORSE_MAYBE)
		return o->utf8 ? "\u25b2 " : "+ ";
	if (v == COMPARE_BETTER || v == COMPARE_BETTER_MAYBE)
		return o->utf8 ? "\u25bc " : "- ";
	return "  ";
}

static void fill_row(struct table *t, const struct compare *c,
		     const struct compare_row *row, const struct table_options *o)
{
	static const enum table_color colors[COMPARE_VERDICTS] = {
		[COMPARE_WORSE] = TABLE_RED,
		[COMPARE_BETTER] = TABLE_GREEN,
		[COMPARE_CHANGED] = TABLE_YELLOW,
		[COMPARE_INCONCLUSIVE] = TABLE_YELLOW,
		[COMPARE_WORSE_MAYBE] = TABLE_YELLOW,
		[COMPARE_BETTER_MAYBE] = TABLE_YELLOW,
		[COMPARE_NONE] = TABLE_DIM,
	};
	bool exact = c->base->target.exact && c->new->target.exact;
	const char *sign = compare_verdict_sign(row->verdict, o);

	table_row(t, row->let_pass ? TABLE_PLAIN : colors[row->verdict]);
	fill_label(t, c, row);
	fill_value(t, COLUMN_BASE, row, &row->base, exact);
	fill_value(t, COLUMN_NEW, row, &row->new, exact);
	table_number(t, COLUMN_DIFFERENCE, row->difference, exact, true);
	fill_ratio(t, row->ratio);
	fill_shift(t, row);
	if (row->unit)
		table_cell(t, COLUMN_UNIT, "%s", row->unit);
	if (row->verdict == COMPARE_NONE)
		table_cell(t, COLUMN_VERDICT, "%snot compared", sign);
	else
		table_cell(t, COLUMN_VERDICT, "%s%s%s", sign,
			   compare_verdict_name(row->verdict),
			   row->let_pass ? ", within threshold" : "");
	if (*row->reason)
		table_cell(t, COLUMN_NOTE, "[%zu]", table_note(t, row->reason));
}

/* Adds the rows by verdict, changes first, up to and including `last`. Returns their
 * number. */
static size_t fill(struct table *t, const struct compare *c, enum compare_verdict last,
		   const struct table_options *o)
{
	for (enum compare_verdict v = 0; v <= last; v++)
		for (size_t i = 0; i < c->n_rows; i++)
			if (c->rows[i].verdict == v)
				fill_row(t, c, &c->rows[i], o);
	return t->n_rows;
}

/* The rows of a verdict within their threshold: "hypercall +1 insns (+0.1 %), ...". */
static void list_let_pass(FILE *f, const struct compare *c, enum compare_verdict v)
{
	bool first = true;

	for (size_t i = 0; i < c->n_rows; i++) {
		const struct compare_row *row = &c->rows[i];
		const char *config = config_shown(c, row);
		char number[NUMBER_BYTES];

		if (!row->let_pass || row->verdict != v)
			continue;
		number_format(number, row->worst, row->level == 1);
		fprintf(f, "%s%s%s%s%s%s %s%s %s", first ? "" : ", ", row->name,
			config ? " [" : "", config ? config : "", config ? "]" : "",
			v == COMPARE_INCONCLUSIVE ? " at most" : "",
			row->worst > 0 ? "+" : "", number, row->unit);
		if (row->base.value > 0)
			fprintf(f, " (%+.2g %%)", 100 * row->worst / row->base.value);
		first = false;
	}
}

/* "3 worse within --threshold: ...", or "". free() it. */
static char *let_pass_text(const struct compare *c)
{
	static const enum compare_verdict verdicts[] = { COMPARE_WORSE,
							 COMPARE_WORSE_MAYBE,
							 COMPARE_INCONCLUSIVE };
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);
	bool first = true;

	if (!f)
		abort();
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		enum compare_verdict v = verdicts[i];

		if (!c->let_pass[v])
			continue;
		fprintf(f, "%s%zu %s within --threshold: ", first ? "" : "; ",
			c->let_pass[v], compare_verdict_name(v));
		list_let_pass(f, c, v);
		first = false;
	}
	if (fclose(f))
		abort();
	return text_cleaned_own(text);
}

void compare_print_summary(FILE *f, const struct compare *c)
{
	static const struct {
		enum compare_verdict verdict;
		const char *words;
		bool rare; /* not printed if the count is 0 */
	} parts[] = {
		{ COMPARE_WORSE, "worse", false },
		{ COMPARE_BETTER, "better", false },
		{ COMPARE_WORSE_MAYBE, "worse?", true },
		{ COMPARE_BETTER_MAYBE, "better?", true },
		{ COMPARE_CHANGED, "changed", true },
		{ COMPARE_SAME, "same", false },
		{ COMPARE_SAME_PLACEMENT, "same (placement)", true },
		{ COMPARE_INCONCLUSIVE, "inconclusive", true },
		{ COMPARE_NONE, "not compared", true },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		enum compare_verdict v = parts[i].verdict;
		size_t n = c->count[v] - c->let_pass[v];

		if (n || !parts[i].rare)
			fprintf(f, "%s%zu %s", i ? ", " : "", n, parts[i].words);
	}
	if (c->n_lost)
		fprintf(f, " (%zu of them measured in base)", c->n_lost);
}

static bool any(const struct compare *c, const char *method)
{
	for (size_t i = 0; i < c->n_rows; i++)
		if (c->rows[i].method && !strcmp(c->rows[i].method, method))
			return true;
	return false;
}

/* Explains the rules that judged at least one row. */
#define BAND                                                                             \
	"band: 1 % of base, or two steps of the clock, on both sides of 0; same: the "   \
	"whole interval is within it, and no significant difference beyond 1 %"

static void print_legend(FILE *f, const struct compare *c, size_t columns_max)
{
	static const struct {
		const char *method, *text;
	} rules[] = {
		{ "exact", "exact target: any difference counts" },
		{ "range",
		  "boots of an exact target that differ (the path in the kernel depends on "
		  "the addresses of its data): base and new are ranges over the boots, "
		  "difference and ratio are those of the nearest ends; overlapping ranges "
		  "are the same (placement)" },
		{ "signed rank",
		  "base, new: median over the paired boots; difference, ratio: of these "
		  "medians. shift: Hodges-Lehmann estimate of the pairs' ratios, with its "
		  "95 % interval; better, worse: significant by Wilcoxon's signed-rank test "
		  "(0.01 after Holm), and the whole interval is beyond the band. " BAND },
		{ "Mann-Whitney",
		  "base, new: median over the boots; difference, ratio: of these medians. "
		  "shift: Hodges-Lehmann estimate between the boots, with its 95 % "
		  "interval; better?, worse?: significant by the Mann-Whitney test (0.01 "
		  "after Holm), and the whole interval is beyond the band. " BAND },
		{ "moderated t",
		  "base, new: mean of the runs' medians. shift: of the runs, with its 95 % "
		  "interval; better, worse: significant by the t-test of the runs (0.01 "
		  "after Holm), and the whole interval is beyond the band. " BAND },
	};
	bool said = false;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!any(c, rules[i].method))
			continue;
		text_wrap(f, rules[i].text, 0, 2, columns_max);
		said = true;
	}
	if (said)
		fputc('\n', f);
}

/* `width` 0: on one line. */
static void print_side(FILE *f, const char *word, const char *name,
		       const struct result *r, size_t runs, size_t width)
{
	char *line, many[32] = "";

	if (runs > 1)
		snprintf(many, sizeof(many), ": %zu runs", runs);
	if (asprintf(&line, "%s%s  %s%s%s%s%s  %s", name, many, r->target.name,
		     r->subject.kernel ? "  Linux " : "",
		     r->subject.kernel ? r->subject.kernel : "",
		     r->subject.label ? "  " : "",
		     r->subject.label ? r->subject.label : "", r->run.started) < 0)
		abort();
	line = text_cleaned_own(line);
	fputs(word, f);
	if (width && strlen(word) + text_width(line) > width)
		text_wrap(f, line, strlen(word), strlen(word), width);
	else
		fprintf(f, "%s\n", line);
	free(line);
}

/* Rows without a figure, such as those that both documents skip, have no unit. */
static bool is_one_unit(const struct compare *c)
{
	const char *unit = NULL;

	for (size_t i = 0; i < c->n_rows; i++) {
		if (!c->rows[i].unit)
			continue;
		if (unit && strcmp(c->rows[i].unit, unit) != 0)
			return false;
		unit = c->rows[i].unit;
	}
	return true;
}

void compare_print(FILE *f, const struct compare *c, const struct compare_names *names,
		   bool all)
{
	char *let_pass = let_pass_text(c), *text = NULL;
	FILE *summary;
	size_t bytes;
	bool same = c->count[COMPARE_SAME] || c->count[COMPARE_SAME_PLACEMENT];
	struct table_options o;
	struct table t;

	table_options_for(&o, f);
	table_init(&t, columns, COLUMNS);
	fill(&t, c, all ? COMPARE_SAME : COMPARE_NONE, &o);
	if (c->base->target.exact && c->new->target.exact) {
		t.columns[COLUMN_DIFFERENCE].drop = 0;
		if (is_one_unit(c))
			t.columns[COLUMN_UNIT].drop = 1;
	}
	print_side(f, "base: ", names->base, c->base, c->runs.n[0], o.columns);
	print_side(f, "new:  ", names->new, c->new, c->runs.n[1], o.columns);
	fputc('\n', f);
	table_print(f, &t, &o);
	if (t.n_rows)
		fputc('\n', f);
	table_print_notes(f, &t, &o);
	if (t.n_notes)
		fputc('\n', f);
	print_legend(f, c, table_text_columns(&o));
	for (size_t i = 0; i < c->n_notes; i++)
		text_wrap(f, c->notes[i], 0, 2, table_text_columns(&o));
	if (c->n_notes)
		fputc('\n', f);
	summary = open_memstream(&text, &bytes);
	if (!summary)
		abort();
	compare_print_summary(summary, c);
	if (!all && same)
		fputs("; --all shows the same", summary);
	if (fclose(summary))
		abort();
	text_wrap(f, text, 0, 2, o.columns);
	free(text);
	if (*let_pass)
		text_wrap(f, let_pass, 0, 2, table_text_columns(&o));
	free(let_pass);
	table_free(&t);
}

void compare_print_markdown(FILE *f, const struct compare *c,
			    const struct compare_names *names)
{
	static const char *const marks[COMPARE_VERDICTS] = {
		[COMPARE_WORSE] = ":x: worse",
		[COMPARE_BETTER] = ":white_check_mark: better",
		[COMPARE_CHANGED] = ":large_orange_diamond: changed",
		[COMPARE_WORSE_MAYBE] = ":grey_question: worse?",
		[COMPARE_INCONCLUSIVE] = ":grey_question: inconclusive",
		[COMPARE_SAME] = ":white_check_mark: same",
	};
	char *let_pass = let_pass_text(c);
	size_t changed;
	struct table t;

	table_init(&t, columns, COLUMNS);
	changed = fill(&t, c, COMPARE_BETTER_MAYBE, NULL);
	for (enum compare_verdict v = COMPARE_INCONCLUSIVE; v < COMPARE_VERDICTS; v++)
		for (size_t i = 0; i < c->n_rows; i++)
			if (c->rows[i].verdict == v)
				fill_row(&t, c, &c->rows[i], NULL);
	fprintf(f, "### wsbench: %s\n\n", marks[compare_outcome(c)]);
	compare_print_summary(f, c);
	if (*let_pass) {
		fputs("\n\n", f);
		table_markdown_text(f, let_pass);
	}
	free(let_pass);
	fputs("\n\n```\n", f);
	print_side(f, "base: ", names->base, c->base, c->runs.n[0], 0);
	print_side(f, "new:  ", names->new, c->new, c->runs.n[1], 0);
	fputs("```\n", f);
	if (changed) {
		fputc('\n', f);
		table_markdown(f, &t, 0, changed);
	}
	if (changed < t.n_rows) {
		fprintf(f, "\n<details><summary>%zu more</summary>\n\n",
			t.n_rows - changed);
		table_markdown(f, &t, changed, t.n_rows);
		fputs("\n</details>\n", f);
	}
	if (t.n_notes)
		fputc('\n', f);
	table_markdown_notes(f, &t);
	for (size_t i = 0; i < c->n_notes; i++) {
		fputs("\n> ", f);
		table_markdown_text(f, c->notes[i]);
		fputc('\n', f);
	}
	table_free(&t);
}

/* ------------------------------ JSON ------------------------------ */

static void side(struct json_list *l, const char *key, const char *name,
		 const struct result *r, const char *config)
{
	json_list_object(l, key);
	json_list_string(l, "name", name);
	json_list_string(l, "run", r->run.id);
	json_list_string(l, "target", r->target.name);
	json_list_string(l, "kernel", r->subject.kernel);
	json_list_string(l, "label", r->subject.label);
	json_list_string(l, "fingerprint", r->machine.fingerprint);
	json_list_string(l, "config", config);
}

static void summary(struct json_list *l, const struct compare *c)
{
	json_list_object(l, "summary");
	for (enum compare_verdict v = 0; v < COMPARE_VERDICTS; v++)
		json_list_count(l, compare_verdict_name(v), c->count[v]);
	json_list_count(l, "lost", c->n_lost);
	json_list_count(l, "worse_let_pass", c->let_pass[COMPARE_WORSE]);
	json_list_count(l, "inconclusive_let_pass", c->let_pass[COMPARE_INCONCLUSIVE]);
}

/* By method: what `difference` and `shift` are. */
static const struct {
	const char *method, *difference, *shift;
} kinds[] = {
	{ "exact", "figures", NULL },
	{ "range", "nearest ends of the ranges over boots", NULL },
	{ "signed rank", "medians of boot medians, of boots in pairs",
	  "Hodges-Lehmann shift of pairs of boots" },
	{ "Mann-Whitney", "medians of boot medians",
	  "Hodges-Lehmann shift of boot medians" },
	{ "moderated t", "means of the runs' medians", "mean of the runs" },
};

static void figures(struct json_list *l, const struct compare_row *row)
{
	const char *difference = isnan(row->difference) ? NULL : "figures", *shift = NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!row->method || strcmp(row->method, kinds[i].method) != 0)
			continue;
		difference = kinds[i].difference;
		shift = kinds[i].shift;
	}
	json_list_real(l, "base", row->base.value);
	json_list_real(l, "base_min", row->base.min);
	json_list_real(l, "base_max", row->base.max);
	json_list_real(l, "new", row->new.value);
	json_list_real(l, "new_min", row->new.min);
	json_list_real(l, "new_max", row->new.max);
	json_list_real(l, "difference", row->difference);
	json_list_real(l, "ratio", row->ratio);
	json_list_string(l, "difference_of", difference);
	json_list_real(l, "shift", shift ? row->shift : NAN);
	json_list_real(l, "shift_lo", shift ? row->lo : NAN);
	json_list_real(l, "shift_hi", shift ? row->hi : NAN);
	json_list_real(l, "shift_ratio", shift ? row->shift_ratio : NAN);
	json_list_real(l, "shift_ratio_lo", shift ? row->ratio_lo : NAN);
	json_list_real(l, "shift_ratio_hi", shift ? row->ratio_hi : NAN);
	json_list_string(l, "shift_of", shift);
	json_list_real(l, "level", row->level);
	json_list_real(l, "band", row->band);
	json_list_string(l, "method", row->method);
	json_list_real(l, "p", row->p);
	json_list_real(l, "p_holm", row->p_holm);
	json_list_real(l, "cliff", row->cliff);
}

static void class(struct json_list *l, const char *side, const struct result_class *class)
{
	char key[32];

	snprintf(key, sizeof(key), "%s_handled_by", side);
	json_list_string(l, key, class->handled_by);
	snprintf(key, sizeof(key), "%s_exits", side);
	json_list_real(l, key, class->handled_by ? class->exits : NAN);
}

static void row(struct json_list *l, const struct compare_row *r)
{
	json_list_row(l, "rows");
	json_list_string(l, "name", r->name);
	json_list_string(l, "metric", r->metric);
	json_list_string(l, "base_config", r->base.config);
	json_list_string(l, "new_config", r->new.config);
	json_list_string(l, "unit", r->unit);
	json_list_string(l, "verdict", compare_verdict_name(r->verdict));
	json_list_bool(l, "exact", r->exact);
	json_list_string(l, "let_pass", r->let_pass ? r->let_pass->text : NULL);
	class(l, "base", &r->base.class);
	class(l, "new", &r->new.class);
	json_list_count(l, "base_boots", r->base.boots);
	json_list_count(l, "new_boots", r->new.boots);
	json_list_count(l, "base_runs", r->base.runs);
	json_list_count(l, "new_runs", r->new.runs);
	json_list_count(l, "pairs", r->pairs);
	figures(l, r);
	json_list_real(l, "boots_needed", r->boots_needed);
	json_list_real(l, "runs_needed", r->runs_needed);
	json_list_string(l, "reason", *r->reason ? r->reason : NULL);
}

struct json_list *compare_json(const struct compare *c, const struct compare_names *names)
{
	struct json_list *l = json_list_new();

	json_list_string(l, "schema", "worldswitch.compare");
	json_list_count(l, "schema_version", 2);
	json_list_string(l, "outcome", compare_verdict_name(compare_outcome(c)));
	json_list_bool(l, "paired", c->paired);
	json_list_real(l, "drift", c->drift.sd);
	json_list_count(l, "base_runs", c->runs.n[0]);
	json_list_count(l, "new_runs", c->runs.n[1]);
	json_list_real(l, "run_sd", compare_has_runs(c) ? sqrt(c->runs.variance) : NAN);
	json_list_real(l, "run_row_sd",
		       c->runs.own.df > 0 ? sqrt(c->runs.own.variance) : NAN);
	side(l, "base", names->base, c->base, c->config[0]);
	side(l, "new", names->new, c->new, c->config[1]);
	summary(l, c);
	for (size_t i = 0; i < c->n_rows; i++)
		row(l, &c->rows[i]);
	json_list_top(l);
	json_list_strings(l, "notes", (const char *const *)c->notes, c->n_notes);
	return l;
}
