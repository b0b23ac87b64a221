/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of estimated cycles: NNLS by its conditions of optimality, weights of
 * synthetic machines, the table and files of weights.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/explain/touch.h"
#include "host/stats/summary.h"

#define ROWS_MAX 60

/* Deterministic numbers in [0, 1). */
static double next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (double)(*seed >> 11) / 9007199254740992.0;
}

/*
 * x is the minimum if and only if the gradient is zero where x is positive, and not
 * negative where x is zero (Karush, Kuhn, Tucker): the problem is convex.
 */
static void expect_optimal(const double *a, const double *b, size_t rows, size_t columns,
			   const double *x)
{
	for (size_t c = 0; c < columns; c++) {
		double gradient = 0, length = 0;

		for (size_t r = 0; r < rows; r++) {
			double rest = -b[r];

			for (size_t i = 0; i < columns; i++)
				rest += a[r * columns + i] * x[i];
			gradient += a[r * columns + c] * rest;
			length += a[r * columns + c] * a[r * columns + c];
		}
		gradient /= sqrt(length);
		cr_expect_geq(x[c], 0);
		cr_expect_gt(gradient, -1e-7);
		if (x[c] > 0)
			cr_expect_lt(fabs(gradient), 1e-7, "column %zu: %g", c, gradient);
	}
}

Test(nnls, finds_the_minimum)
{
	uint64_t seed = 1;

	for (int trial = 0; trial < 200; trial++) {
		size_t rows = 5 + (size_t)(20 * next(&seed));
		size_t columns = 1 + (size_t)(8 * next(&seed));
		double a[25 * 9] = { 0 }, b[25] = { 0 }, x[9] = { 0 };

		for (size_t i = 0; i < rows * columns; i++)
			a[i] = next(&seed) - 0.3;
		for (size_t i = 0; i < rows; i++)
			b[i] = next(&seed) - 0.4;
		cr_assert_eq(stats_nnls(a, b, rows, columns, x), 0);
		expect_optimal(a, b, rows, columns, x);
	}
}

/* Plain least squares would be x = (3, -1). */
Test(nnls, holds_a_negative_coefficient_at_zero)
{
	const double a[] = { 1, 0, 1, 1, 1, 2 }, b[] = { 3, 2, 1 };
	double x[2];

	cr_assert_eq(stats_nnls(a, b, 3, 2, x), 0);
	cr_expect_float_eq(x[0], 2, 1e-12);
	cr_expect_eq(x[1], 0);
}

/* Equal columns, a column of zeros, and fewer rows than columns. */
Test(nnls, survives_what_is_not_determined)
{
	const double a[] = { 1, 1, 0, 2, 2, 0 }, b[] = { 4, 8 };
	double x[3];

	cr_assert_eq(stats_nnls(a, b, 2, 3, x), 0);
	cr_expect_float_eq(x[0] + x[1], 4, 1e-9);
	cr_expect_eq(x[2], 0);
}

/* A machine: some counts cost nothing. */
static const double machine[ESTIMATE_TERMS] = { 0.3, 0, 0.2, 8, 7,   0,	 15, 20, 30,
						45,  9, 120, 0, 150, 60, 40, 300 };

/* Rows as of a catalogue: short and long paths, and kinds of exits with their own mix. */
static size_t make_rows(struct estimate_row *rows, double noise)
{
	uint64_t seed = 42;

	for (size_t i = 0; i < ROWS_MAX; i++) {
		double *c = rows[i].counts, insns = 300 + 6000 * next(&seed);

		c[0] = floor(insns);
		c[1] = floor(insns * (0.1 + 0.2 * next(&seed)));
		c[2] = floor(insns * (0.05 + 0.15 * next(&seed)));
		for (size_t k = 3; k < ESTIMATE_TERMS; k++)
			c[k] = floor(insns * 0.02 * next(&seed) * next(&seed));
		c[16] = 1 + floor(3 * next(&seed));
		rows[i].name = "row";
		rows[i].measured = 0;
		for (size_t k = 0; k < ESTIMATE_TERMS; k++)
			rows[i].measured += machine[k] * c[k];
		rows[i].measured *= 1 + noise * (2 * next(&seed) - 1);
	}
	return ROWS_MAX;
}

Test(estimate, recovers_the_weights_of_a_machine)
{
	struct estimate_row rows[ROWS_MAX];
	struct estimate_weights w;
	double median, largest;
	size_t n = make_rows(rows, 0);

	cr_assert_eq(estimate_fit(rows, n, &w), 0);
	for (size_t k = 0; k < ESTIMATE_TERMS; k++)
		cr_expect_float_eq(w.weight[k], machine[k], 1e-6, "%s: %g",
				   estimate_term(k), w.weight[k]);
	estimate_errors(rows, n, &median, &largest);
	cr_expect_lt(largest, 1e-9);
	cr_expect_leq(median, largest);
}

/* With noise of 2 %, predictions are within some times the noise, weights near. */
Test(estimate, bears_noise)
{
	struct estimate_row rows[ROWS_MAX];
	struct estimate_weights w;
	double median, largest, fitted = 0;
	size_t n = make_rows(rows, 0.02);

	cr_assert_eq(estimate_fit(rows, n, &w), 0);
	estimate_errors(rows, n, &median, &largest);
	cr_expect_gt(median, 0.001);
	cr_expect_lt(median, 0.03);
	cr_expect_lt(largest, 0.15);
	for (size_t i = 0; i < n; i++)
		fitted = fmax(fitted, fabs(rows[i].fitted / rows[i].measured - 1));
	/* A row that is left out is predicted worse than a row that is fitted. */
	cr_expect_lt(fitted, largest);
	cr_expect_float_eq(w.weight[13], machine[13], 0.25 * machine[13]);
	cr_expect_float_eq(w.weight[9], machine[9], 0.5 * machine[9]);
}

/* Leaving out shows what fitting hides: a row that no weights explain. */
Test(estimate, names_a_row_that_does_not_fit)
{
	struct estimate_row rows[ROWS_MAX];
	struct estimate_weights w;
	double median, largest;
	size_t n = make_rows(rows, 0);

	rows[7].measured *= 3;
	cr_assert_eq(estimate_fit(rows, n, &w), 0);
	estimate_errors(rows, n, &median, &largest);
	cr_expect_float_eq(rows[7].left_out / rows[7].measured, 1.0 / 3, 1e-6);
	cr_expect_geq(largest, 2.0 / 3 - 1e-6);
}

Test(estimate, refuses_few_rows)
{
	struct estimate_row rows[ROWS_MAX];
	struct estimate_weights w;

	make_rows(rows, 0);
	cr_expect_eq(estimate_fit(rows, ESTIMATE_ROWS_MIN - 1, &w), -ERANGE);
	cr_expect_eq(estimate_fit(rows, ESTIMATE_ROWS_MIN, &w), 0);
}

/* Every row of the table names a family and a term, each family has a source. */
Test(estimate, table_is_sound)
{
	static const char *const families[] = {
#define FAMILY(name, source) name,
#define WEIGHT(family, metric, cycles)
#include "host/explain/weights.def"
#undef FAMILY
#undef WEIGHT
	};
	static const struct {
		const char *family, *metric;
		double cycles;
	} weights[] = {
#define FAMILY(name, source)
#define WEIGHT(family, metric, cycles) { family, metric, cycles },
#include "host/explain/weights.def"
#undef FAMILY
#undef WEIGHT
	};
	struct estimate_weights w;
	struct error err;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		cr_assert_eq(estimate_weights(families[i], &w, &err), 0);
		cr_expect_gt(strlen(w.source), 10);
		cr_expect_str_eq(w.unit, "cycles");
	}
	for (size_t i = 0; i < sizeof(weights) / sizeof(weights[0]); i++) {
		bool known = false;

		cr_assert_eq(estimate_weights(weights[i].family, &w, &err), 0);
		for (size_t k = 0; k < ESTIMATE_TERMS; k++)
			known |= !strcmp(estimate_term(k), weights[i].metric) &&
				 w.weight[k] == weights[i].cycles;
		cr_expect(known, "%s %s", weights[i].family, weights[i].metric);
	}
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

Test(estimate, reads_its_own_file)
{
	char path[] = "/tmp/unit_estimate-XXXXXX", text[64];
	struct estimate_weights w = { .unit = "ticks" }, back;
	struct error err;
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	cr_assert_not_null(f);
	memcpy(w.weight, machine, sizeof(machine));
	w.weight[3] = 1.0 / 3;
	estimate_write(f, &w, "a test");
	fclose(f);
	cr_assert_eq(estimate_weights(path, &back, &err), 0, "%s", err.text);
	for (size_t i = 0; i < ESTIMATE_TERMS; i++)
		cr_expect_eq(back.weight[i], w.weight[i]);
	cr_expect_str_eq(back.unit, "ticks");
	for (const char *const *bad =
		     (const char *const[]){ "insns", "insns -1", "insns x", "insns nan",
					    "wrong 1", "unit", "insns 1 2", NULL };
	     *bad; bad++) {
		snprintf(text, sizeof(text), "# good\nloads 1\n%s\n", *bad);
		write_file(path, text);
		cr_expect_eq(estimate_weights(path, &back, &err), -EINVAL, "%s", *bad);
		cr_expect_not_null(strstr(err.text, "line 3"));
	}
	unlink(path);
	cr_expect_eq(estimate_weights("/nonexistent", &back, &err), -ENOENT);
}
