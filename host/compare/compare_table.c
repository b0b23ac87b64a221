/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench compare` for readers: a table for the terminal, and one of Markdown. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/compare/compare.h"
#include "host/lib/grid.h"
#include "host/lib/message.h"
#include "host/lib/text.h"
#include "host/lib/number.h"

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

static const struct grid_column columns[COLUMNS] = {
	[COLUMN_BENCHMARK] = { "benchmark", false },
	[COLUMN_BASE] = { "base", true },
	[COLUMN_NEW] = { "new", true },
	[COLUMN_DIFFERENCE] = { "difference", true },
	[COLUMN_RATIO] = { "ratio", true },
	[COLUMN_SHIFT] = { "shift (95 %)", true },
	[COLUMN_UNIT] = { "unit", false },
	[COLUMN_VERDICT] = { "verdict", false },
	[COLUMN_NOTE] = { "", false },
};

/* Where two configs are compared, the head says which; else NULL for the default. */
static const char *config_shown(const struct compare *c, const struct compare_row *row)
{
	return c->config[0] || !strcmp(row->base.config, "default") ? NULL
								    : row->base.config;
}

static void fill_label(struct grid *g, const struct compare *c,
		       const struct compare_row *row)
{
	bool plain = !strcmp(row->metric, "round_trip");
	const char *config = config_shown(c, row);

	grid_cell(g, COLUMN_BENCHMARK, "%s%s%s%s%s%s", row->name, config ? " [" : "",
		  config ? config : "", config ? "]" : "", plain ? "" : " ",
		  plain ? "" : row->metric);
}

static void fill_number(struct grid *g, enum column column, double value, bool exact,
			bool sign)
{
	char text[NUMBER_BYTES];

	if (isnan(value))
		return;
	number_format(text, value, exact);
	grid_cell(g, column, "%s%s", sign && value > 0 ? "+" : "", text);
}

/* Few digits where there is much to see, more where there is little. */
static void fill_ratio(struct grid *g, double ratio)
{
	if (!isnan(ratio))
		grid_cell(g, COLUMN_RATIO, "%.*f",
			  ratio >= 10  ? 1
			  : ratio >= 2 ? 2
				       : 4,
			  ratio);
}

/*
 * Of noisy rows: by how much the boots moved, and its interval. In percent where there
 * is a ratio, else in the row's unit.
 */
static void fill_shift(struct grid *g, const struct compare_row *row)
{
	char shift[NUMBER_BYTES], lo[NUMBER_BYTES], hi[NUMBER_BYTES];
	bool interval = !isnan(row->lo) && !isnan(row->hi);

	if (row->level == 1 || isnan(row->shift))
		return;
	if (!isnan(row->shift_ratio)) {
		double percent = 100 * (row->shift_ratio - 1);

		if (interval)
			grid_cell(g, COLUMN_SHIFT, "%+.1f (%+.1f to %+.1f) %%", percent,
				  100 * (row->ratio_lo - 1), 100 * (row->ratio_hi - 1));
		else
			grid_cell(g, COLUMN_SHIFT, "%+.1f %%", percent);
		return;
	}
	number_format(shift, row->shift, false);
	number_format(lo, row->lo, false);
	number_format(hi, row->hi, false);
	if (interval)
		grid_cell(g, COLUMN_SHIFT, "%s%s (%s%s to %s%s)",
			  row->shift > 0 ? "+" : "", shift, row->lo > 0 ? "+" : "", lo,
			  row->hi > 0 ? "+" : "", hi);
	else
		grid_cell(g, COLUMN_SHIFT, "%s%s", row->shift > 0 ? "+" : "", shift);
}

/* A range over boots, where its ends are what is compared. */
static void fill_range(struct grid *g, enum column column, const struct compare_side *s)
{
	char lo[NUMBER_BYTES], hi[NUMBER_BYTES];

	number_format(lo, s->min, true);
	number_format(hi, s->max, true);
	grid_cell(g, column, "%s to %s", lo, hi);
}

static void fill_value(struct grid *g, enum column column, const struct compare_row *row,
		       const struct compare_side *s, bool exact)
{
	if (s->metric && row->level == 1 && s->min < s->max)
		fill_range(g, column, s);
	else if (s->metric)
		fill_number(g, column, s->value, exact, false);
	else if (s->benchmark && s->benchmark->status != RESULT_OK)
		grid_cell(g, column, "%s", result_status_name(s->benchmark->status));
	else
		grid_cell(g, column, "-");
}

static void fill_row(struct grid *g, const struct compare *c,
		     const struct compare_row *row)
{
	static const enum grid_color colors[COMPARE_VERDICTS] = {
		[COMPARE_WORSE] = GRID_RED,	 [COMPARE_BETTER] = GRID_GREEN,
		[COMPARE_CHANGED] = GRID_YELLOW, [COMPARE_INCONCLUSIVE] = GRID_YELLOW,
		[COMPARE_NONE] = GRID_DIM,
	};
	bool exact = c->base->target.exact && c->new->target.exact;

	grid_row(g, row->let_pass ? GRID_PLAIN : colors[row->verdict]);
	fill_label(g, c, row);
	fill_value(g, COLUMN_BASE, row, &row->base, exact);
	fill_value(g, COLUMN_NEW, row, &row->new, exact);
	fill_number(g, COLUMN_DIFFERENCE, row->difference, exact, true);
	fill_ratio(g, row->ratio);
	fill_shift(g, row);
	if (row->unit)
		grid_cell(g, COLUMN_UNIT, "%s", row->unit);
	if (row->verdict == COMPARE_NONE)
		grid_cell(g, COLUMN_VERDICT, "not compared");
	else
		grid_cell(g, COLUMN_VERDICT, "%s%s", compare_verdict_name(row->verdict),
			  row->let_pass ? ", let pass" : "");
	if (*row->reason)
		grid_cell(g, COLUMN_NOTE, "[%zu]", grid_note(g, row->reason));
}

/* What changed comes first; the number of rows filled in up to and with `last`. */
static size_t fill(struct grid *g, const struct compare *c, enum compare_verdict last)
{
	for (enum compare_verdict v = 0; v <= last; v++)
		for (size_t i = 0; i < c->n_rows; i++)
			if (c->rows[i].verdict == v)
				fill_row(g, c, &c->rows[i]);
	return g->n_rows;
}

/* The rows of a verdict that are let pass: "hypercall +1 insns (+0.1 %), ...". */
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

/* "3 worse within --threshold, let pass: ...", or "". free() it. */
static char *let_pass_text(const struct compare *c)
{
	static const enum compare_verdict verdicts[] = { COMPARE_WORSE,
							 COMPARE_INCONCLUSIVE };
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);
	bool first = true;

	if (!f)
		abort();
	for (size_t i = 0; i < 2; i++) {
		enum compare_verdict v = verdicts[i];

		if (!c->let_pass[v])
			continue;
		fprintf(f, "%s%zu %s within --threshold, let pass: ", first ? "" : "; ",
			c->let_pass[v], compare_verdict_name(v));
		list_let_pass(f, c, v);
		first = false;
	}
	if (fclose(f))
		abort();
	message_clean(text);
	return text;
}

/* "1 worse, 2 better, 30 same, 3 not compared", without what is let pass. */
static void print_summary(FILE *f, const struct compare *c)
{
	static const struct {
		enum compare_verdict verdict;
		const char *words;
		bool rare; /* nothing is said of none */
	} parts[] = {
		{ COMPARE_WORSE, "worse", false },
		{ COMPARE_BETTER, "better", false },
		{ COMPARE_CHANGED, "changed", true },
		{ COMPARE_SAME, "same", false },
		{ COMPARE_SAME_PLACEMENT, "same (placement)", true },
		{ COMPARE_INCONCLUSIVE, "inconclusive", false },
		{ COMPARE_NONE, "not compared", false },
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

/* By what rule a row was judged: only of the rules that were used. */
static void print_legend(FILE *f, const struct compare *c, size_t columns_max)
{
	static const struct {
		const char *method, *text;
	} rules[] = {
		{ "exact", "exact target: any difference counts" },
		{ "range",
		  "boots of an exact target that differ (the kernel decides by where its "
		  "data lie): base and new are ranges over the boots, difference and "
		  "ratio of their nearest ends; ranges that meet are the same "
		  "(placement)" },
		{ "sign test",
		  "base, new: median over the boots that make pairs; difference, ratio: "
		  "of these. shift: median ratio of the pairs, and its 95 % interval; "
		  "better or worse: significant by the sign test (0.01 after Holm), and "
		  "all of the interval matters" },
		{ "Mann-Whitney",
		  "base, new: median over the boots; difference, ratio: of these. shift: "
		  "by how much the boots moved (Hodges-Lehmann), and its 95 % interval; "
		  "better or worse: significant by Mann-Whitney's test (0.01 after "
		  "Holm), and all of the interval matters" },
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

static void print_side(FILE *f, const char *word, const char *name,
		       const struct result *r)
{
	char *line;

	if (asprintf(&line, "%s%s  %s%s%s%s%s  %s", word, name, r->target.name,
		     r->subject.kernel ? "  Linux " : "",
		     r->subject.kernel ? r->subject.kernel : "",
		     r->subject.label ? "  " : "",
		     r->subject.label ? r->subject.label : "", r->run.started) < 0)
		abort();
	message_clean(line);
	fprintf(f, "%s\n", line);
	free(line);
}

static void print_let_pass_line(FILE *f, const struct compare *c, size_t columns_max)
{
	char *text = let_pass_text(c);

	if (*text)
		text_wrap(f, text, 0, 2, columns_max);
	free(text);
}

void compare_print(FILE *f, const struct compare *c, const struct compare_names *names,
		   bool all)
{
	bool same = c->count[COMPARE_SAME] || c->count[COMPARE_SAME_PLACEMENT];
	struct table_options o;
	struct grid g;

	table_defaults(&o, f);
	grid_init(&g, columns, COLUMNS);
	fill(&g, c, all ? COMPARE_SAME : COMPARE_NONE);
	print_side(f, "base: ", names->base, c->base);
	print_side(f, "new:  ", names->new, c->new);
	fputc('\n', f);
	grid_print(f, &g, &o);
	if (g.n_rows)
		fputc('\n', f);
	grid_print_notes(f, &g, &o);
	if (g.n_notes)
		fputc('\n', f);
	print_legend(f, c, o.columns);
	for (size_t i = 0; i < c->n_notes; i++)
		text_wrap(f, c->notes[i], 0, 2, o.columns);
	if (c->n_notes)
		fputc('\n', f);
	print_summary(f, c);
	fputs(!all && same ? " (--all shows what is the same)\n" : "\n", f);
	print_let_pass_line(f, c, o.columns);
	grid_free(&g);
}

static void print_folded(FILE *f, const struct grid *g, size_t from)
{
	if (from == g->n_rows)
		return;
	fprintf(f, "\n<details><summary>%zu more</summary>\n\n", g->n_rows - from);
	grid_print_markdown(f, g, from, g->n_rows);
	fputs("\n</details>\n", f);
}

void compare_print_markdown(FILE *f, const struct compare *c,
			    const struct compare_names *names)
{
	static const char *const marks[COMPARE_VERDICTS] = {
		[COMPARE_WORSE] = ":x: worse",
		[COMPARE_BETTER] = ":white_check_mark: better",
		[COMPARE_CHANGED] = ":large_orange_diamond: changed",
		[COMPARE_INCONCLUSIVE] = ":grey_question: inconclusive",
		[COMPARE_SAME] = ":white_check_mark: same",
	};
	char *let_pass = let_pass_text(c);
	size_t changed;
	struct grid g;

	grid_init(&g, columns, COLUMNS);
	changed = fill(&g, c, COMPARE_CHANGED);
	for (enum compare_verdict v = COMPARE_INCONCLUSIVE; v < COMPARE_VERDICTS; v++)
		for (size_t i = 0; i < c->n_rows; i++)
			if (c->rows[i].verdict == v)
				fill_row(&g, c, &c->rows[i]);
	fprintf(f, "### wsbench: %s\n\n", marks[compare_outcome(c)]);
	print_summary(f, c);
	if (*let_pass) {
		fputs("\n\n", f);
		grid_print_escaped(f, let_pass);
	}
	free(let_pass);
	fputs("\n\n```\n", f);
	print_side(f, "base: ", names->base, c->base);
	print_side(f, "new:  ", names->new, c->new);
	fputs("```\n", f);
	if (changed) {
		fputc('\n', f);
		grid_print_markdown(f, &g, 0, changed);
	}
	print_folded(f, &g, changed);
	if (g.n_notes)
		fputc('\n', f);
	grid_print_markdown_notes(f, &g);
	for (size_t i = 0; i < c->n_notes; i++) {
		fputs("\n> ", f);
		grid_print_escaped(f, c->notes[i]);
		fputc('\n', f);
	}
	grid_free(&g);
}
