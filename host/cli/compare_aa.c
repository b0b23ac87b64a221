/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench compare --aa`: runs of one kernel against each other, in turns. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_sort_double.h>

#include "host/cli/compare_cmd.h"
#include "host/lib/error.h"
#include "host/stats/summary.h"
#include "host/targets/target.h"

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
