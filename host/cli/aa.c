/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A/A: tables of `compare --aa` and `run --aa`. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_sort_double.h>

#include "host/cli/compare.h"
#include "host/cli/run.h"
#include "host/compare/compare.h"
#include "host/lib/error.h"
#include "host/lib/table.h"
#include "host/lib/text.h"
#include "host/result/result.h"
#include "host/stats/summary.h"
#include "host/targets/target.h"

/* ------------------------------ compare --aa ------------------------------ */

/* Runs of one kernel against each other, in turns. */

/* Two runs of each half have a variance. */
#define RUNS_MIN 4

static int by_start(const void *a, const void *b)
{
	const struct result *x = *(const struct result *const *)a,
			    *y = *(const struct result *const *)b;

	return strcmp(x->run.started ? x->run.started : "",
		      y->run.started ? y->run.started : "");
}

/* The runs of a target by time, every second one in the other half. */
static size_t split(const struct result *const *docs, size_t n, const char *target,
		    const struct result **halves[2])
{
	const struct result **runs = calloc(n + 1, sizeof(*runs));
	size_t found = 0;

	if (!runs)
		abort();
	for (size_t i = 0; i < n; i++)
		if (!strcmp(docs[i]->target.name, target))
			runs[found++] = docs[i];
	qsort(runs, found, sizeof(*runs), by_start);
	for (size_t i = 0; i < found; i++)
		halves[i % 2][i / 2] = runs[i];
	free(runs);
	return found;
}

/* "A change of 2 % is seen in the best of 11 rows, of 4 % in half, of 9 % in all." */
static void print_visible(const struct compare *c)
{
	double *seen = calloc(c->n_rows + 1, sizeof(*seen));
	size_t n = 0;

	if (!seen)
		abort();
	for (size_t i = 0; i < c->n_rows; i++) {
		const struct compare_row *row = &c->rows[i];

		if (row->level < 1 && row->base.value > row->hi - row->lo)
			seen[n++] = compare_least_seen(c, row) / row->base.value;
	}
	gsl_sort(seen, 1, n);
	if (n)
		printf("A change of %.2g %% is seen in the best of %zu rows, of %.2g %% in half, of %.2g %% in all of them.\n",
		       100 * seen[0], n, 100 * stats_quantile_sorted(seen, n, 0.5),
		       100 * seen[n - 1]);
	free(seen);
}

static enum cli_exit compare_halves(const struct result **halves[2], size_t n,
				    const struct compare_options *o)
{
	const struct compare_names names = { "runs 1, 3, 5, ...", "runs 2, 4, 6, ..." };
	struct compare c;
	struct error err;
	size_t compared, wrong;

	if (compare_sides(halves[0], n - n / 2, halves[1], n / 2, o, &c, &err)) {
		message_error("%s", err.text);
		return CLI_USAGE;
	}
	compare_print(stdout, &c, &names, true);
	compared = c.n_rows - c.count[COMPARE_NONE];
	wrong = c.count[COMPARE_WORSE] + c.count[COMPARE_BETTER] +
		c.count[COMPARE_CHANGED];
	printf("\nA/A, %zu runs: %zu of %zu differences found where there is none.\n", n,
	       wrong, compared);
	print_visible(&c);
	compare_free(&c);
	return wrong || !compared ? CLI_UNTRUSTED : CLI_OK;
}

enum cli_exit compare_aa(const struct result *const *docs, size_t n,
			 const struct compare_options *o)
{
	const struct result **halves[2];
	enum cli_exit code = CLI_OK;
	size_t targets = 0;

	for (int i = 0; i < 2; i++) {
		halves[i] = calloc(n / 2 + 1, sizeof(**halves));
		if (!halves[i])
			abort();
	}
	for (size_t t = 0; target_table[t].name; t++) {
		size_t runs = split(docs, n, target_table[t].name, halves);
		enum cli_exit one;

		if (!runs)
			continue;
		if (runs < RUNS_MIN) {
			message_usage("wsbench compare",
				      "--aa: %zu runs of %s: at least %d", runs,
				      target_table[t].name, RUNS_MIN);
			code = CLI_USAGE;
			break;
		}
		if (targets++)
			putchar('\n');
		one = compare_halves(halves, runs, o);
		code = one == CLI_USAGE || code == CLI_OK ? one : code;
	}
	free(halves[0]);
	free(halves[1]);
	return code;
}

/* ------------------------------ run --aa ------------------------------ */

/* The least difference that a machine shows. */

enum column {
	COLUMN_BENCHMARK,
	COLUMN_VALUE,
	COLUMN_UNIT,
	COLUMN_DIFFERENCE,
	COLUMN_INTERVAL,
	COLUMN_PAIRS,
	COLUMN_RUNS,
	COLUMN_WRONG,
	COLUMNS,
};

static const struct table_column columns[COLUMNS] = {
	[COLUMN_BENCHMARK] = { "benchmark", TABLE_KEY, 0, NULL },
	[COLUMN_VALUE] = { "value", TABLE_RIGHT, 0, NULL },
	[COLUMN_UNIT] = { "unit", 0, 0, NULL },
	[COLUMN_DIFFERENCE] = { "A to A", TABLE_RIGHT, 1, NULL },
	[COLUMN_INTERVAL] = { "interval", TABLE_RIGHT, 2, NULL },
	[COLUMN_PAIRS] = { "seen, pairs", TABLE_RIGHT, 0, NULL },
	[COLUMN_RUNS] = { "seen, runs", TABLE_RIGHT, 0, NULL },
	[COLUMN_WRONG] = { "", 0, 0, NULL },
};

/* Of the figure, in percent; of a figure near nothing, in its unit. */
static void fill_visible(struct table *t, enum column column, const struct aa_row *row,
			 double visible)
{
	char text[NUMBER_BYTES];

	if (isnan(visible)) {
		table_cell(t, column, "nothing");
	} else if (row->value > visible) {
		table_cell(t, column, "%.*f %%", visible < row->value / 100 ? 2 : 1,
			   100 * visible / row->value);
	} else {
		number_format(text, visible, false);
		table_cell(t, column, "%s", text);
	}
}

static void fill_row(struct table *t, const struct aa_row *row)
{
	bool plain = !strcmp(row->config, "default");
	char text[NUMBER_BYTES], hi[NUMBER_BYTES];

	table_row(t, row->wrong_pairs || row->wrong_runs ? TABLE_RED : TABLE_PLAIN);
	table_cell(t, COLUMN_BENCHMARK, plain ? "%s" : "%s [%s]", row->name, row->config);
	number_format(text, row->value, false);
	table_cell(t, COLUMN_VALUE, "%s", text);
	table_cell(t, COLUMN_UNIT, "%s", row->unit);
	number_format(text, row->difference, false);
	table_cell(t, COLUMN_DIFFERENCE, "%s%s", row->difference > 0 ? "+" : "", text);
	if (!isnan(row->lo) && row->hi > row->lo) {
		number_format(text, row->lo, false);
		number_format(hi, row->hi, false);
		table_cell(t, COLUMN_INTERVAL, "%s%s to %s%s", row->lo > 0 ? "+" : "",
			   text, row->hi > 0 ? "+" : "", hi);
	}
	fill_visible(t, COLUMN_PAIRS, row, row->visible_pairs);
	fill_visible(t, COLUMN_RUNS, row, row->visible_runs);
	if (row->wrong_pairs || row->wrong_runs)
		table_cell(t, COLUMN_WRONG, "found in %s%s%s",
			   row->wrong_pairs ? "pairs" : "",
			   row->wrong_pairs && row->wrong_runs ? ", " : "",
			   row->wrong_runs ? "runs" : "");
}

/* The visible difference of the best, the median and the worst benchmark. */
static void print_way(FILE *f, const struct aa *aa, bool exact, const char *what,
		      const struct aa_way *way, size_t offset)
{
	double *shares = calloc(aa->n_rows + 1, sizeof(*shares));
	size_t n = 0;

	if (!shares)
		abort();
	for (size_t i = 0; i < aa->n_rows; i++) {
		double visible;

		memcpy(&visible, (const char *)&aa->rows[i] + offset, sizeof(visible));
		if (!isnan(visible) && aa->rows[i].value > visible)
			shares[n++] = visible / aa->rows[i].value;
	}
	fprintf(f, "%s: %zu of %zu differences found where there is none", what,
		way->wrong, way->compared);
	if (!isnan(way->limit))
		fprintf(f, " (%.1f %%; below %.1f %% with 95 %% confidence)",
			100 * (double)way->wrong / (double)way->compared,
			100 * way->limit);
	if (n && !exact) {
		gsl_sort(shares, 1, n);
		fprintf(f,
			".\n  A change of %.2g %% is seen in the best of %zu benchmarks, of %.2g %% in half, of %.2g %% in all of them.\n",
			100 * shares[0], n, 100 * stats_quantile_sorted(shares, n, 0.5),
			100 * shares[n - 1]);
	} else {
		fputs(".\n", f);
	}
	free(shares);
}

static enum cli_exit print_one(const struct result *r)
{
	struct table_options o;
	struct table t;
	struct aa aa;
	bool wrong;

	if (aa_judge(r, &aa)) {
		message_warn("%s: no benchmark has boots in pairs", r->target.name);
		return CLI_UNTRUSTED;
	}
	table_options_for(&o, stdout);
	table_init(&t, columns, COLUMNS);
	for (size_t i = 0; i < aa.n_rows; i++)
		fill_row(&t, &aa.rows[i]);
	printf("\nA/A, %s: %zu pairs of boots, nothing different between the two of a pair\n\n",
	       r->target.name, aa.boots);
	table_print(stdout, &t, &o);
	fputc('\n', stdout);
	text_wrap(
		stdout,
		"seen: the least difference that a comparison finds in 90 of 100 cases: by pairs of boots of one run (two configs), or by two runs",
		0, 2, table_text_columns(&o));
	if (!r->target.exact && aa.boots < aa.boots_needed)
		printf("%zu pairs are too few for any difference to be significant among %zu benchmarks: --boots %zu\n",
		       aa.boots, aa.n_rows, aa.boots_needed);
	print_way(stdout, &aa, r->target.exact, "pairs", &aa.pairs,
		  offsetof(struct aa_row, visible_pairs));
	print_way(stdout, &aa, r->target.exact, "runs", &aa.runs,
		  offsetof(struct aa_row, visible_runs));
	wrong = aa.pairs.wrong || aa.runs.wrong;
	table_free(&t);
	aa_free(&aa);
	return wrong ? CLI_UNTRUSTED : CLI_OK;
}

enum cli_exit run_print_aa(const struct result *const *docs, size_t n)
{
	enum cli_exit code = CLI_OK;

	for (size_t i = 0; i < n; i++) {
		enum cli_exit one = print_one(docs[i]);

		code = one > code ? one : code;
	}
	return code;
}
