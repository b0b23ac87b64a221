/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Least squares with coefficients that are not negative. */
#include "host/stats/summary.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_multifit.h>

/* A gradient below this share of |b| is zero. */
#define TOLERANCE 1e-10

struct nnls {
	size_t rows, columns;
	const double *b;
	double *a;	/* scaled columns */
	double *length; /* of the columns before */
	double *x, *s;	/* the solution so far; the unconstrained one */
	bool *passive;	/* columns that are not held at zero */
	bool *useless;	/* tried since the last step, without a positive coefficient */
};

static double norm(const double *v, size_t n, size_t step)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i * step] * v[i * step];
	return sqrt(sum);
}

static void scale(struct nnls *w, const double *a)
{
	for (size_t c = 0; c < w->columns; c++) {
		w->length[c] = norm(a + c, w->rows, w->columns);
		for (size_t r = 0; r < w->rows; r++)
			w->a[r * w->columns + c] =
				w->length[c] > 0 ? a[r * w->columns + c] / w->length[c]
						 : 0;
	}
}

/* w->s of the passive columns by plain least squares; zero elsewhere. 0; -ERANGE. */
static int solve_passive(struct nnls *w)
{
	size_t n = 0, at = 0;
	gsl_multifit_linear_workspace *work;
	gsl_matrix *m, *covariance;
	gsl_vector *y, *c;
	double residual;
	int status;

	for (size_t i = 0; i < w->columns; i++)
		n += w->passive[i];
	memset(w->s, 0, w->columns * sizeof(*w->s));
	m = gsl_matrix_alloc(w->rows, n);
	covariance = gsl_matrix_alloc(n, n);
	y = gsl_vector_alloc(w->rows);
	c = gsl_vector_alloc(n);
	work = gsl_multifit_linear_alloc(w->rows, n);
	for (size_t r = 0; r < w->rows; r++) {
		gsl_vector_set(y, r, w->b[r]);
		at = 0;
		for (size_t i = 0; i < w->columns; i++)
			if (w->passive[i])
				gsl_matrix_set(m, r, at++, w->a[r * w->columns + i]);
	}
	status = gsl_multifit_linear(m, y, c, covariance, &residual, work);
	at = 0;
	for (size_t i = 0; i < w->columns; i++)
		if (w->passive[i])
			w->s[i] = gsl_vector_get(c, at++);
	gsl_multifit_linear_free(work);
	gsl_vector_free(c);
	gsl_vector_free(y);
	gsl_matrix_free(covariance);
	gsl_matrix_free(m);
	return status ? -ERANGE : 0;
}

/* The column at zero that would reduce the residual most; w->columns: none. */
static size_t next_column(const struct nnls *w)
{
	double best = TOLERANCE * norm(w->b, w->rows, 1);
	size_t found = w->columns, n_passive = 0;

	for (size_t c = 0; c < w->columns; c++)
		n_passive += w->passive[c];
	/* With as many columns as rows, the fit is exact. */
	for (size_t c = 0; n_passive < w->rows && c < w->columns; c++) {
		double gradient = 0;

		if (w->passive[c] || w->useless[c])
			continue;
		for (size_t r = 0; r < w->rows; r++) {
			const double *row = w->a + r * w->columns;
			double rest = w->b[r];

			for (size_t i = 0; i < w->columns; i++)
				rest -= row[i] * w->x[i];
			gradient += row[c] * rest;
		}
		if (gradient > best) {
			best = gradient;
			found = c;
		}
	}
	return found;
}

/* Moves from x towards s as far as all coefficients stay above zero. True: reached s. */
static bool move(struct nnls *w)
{
	double step = 1;

	for (size_t i = 0; i < w->columns; i++)
		if (w->passive[i] && w->s[i] <= 0)
			step = fmin(step, w->x[i] / (w->x[i] - w->s[i]));
	for (size_t i = 0; i < w->columns; i++) {
		bool falls = w->passive[i] && w->s[i] <= 0;

		w->x[i] += step * (w->s[i] - w->x[i]);
		if (falls && w->x[i] <= TOLERANCE) {
			w->x[i] = 0;
			w->passive[i] = false;
		}
	}
	return step >= 1;
}

static int iterate(struct nnls *w)
{
	size_t steps = 0, column;

	while ((column = next_column(w)) < w->columns) {
		int err = 0;

		w->passive[column] = true;
		do {
			if (++steps > 10 * w->columns)
				return -ERANGE;
			err = solve_passive(w);
			if (err)
				return err;
			/* A column that rounding brought in, and that does not help. */
			if (w->s[column] <= 0 && w->x[column] == 0) {
				w->passive[column] = false;
				w->useless[column] = true;
				break;
			}
			memset(w->useless, 0, w->columns * sizeof(*w->useless));
		} while (!move(w));
	}
	return 0;
}

int stats_nnls(const double *a, const double *b, size_t rows, size_t columns, double *x)
{
	struct nnls w = { .rows = rows, .columns = columns, .b = b };
	int err = -ENOMEM;

	w.a = calloc(rows * columns + 1, sizeof(*w.a));
	w.length = calloc(columns + 1, sizeof(*w.length));
	w.x = calloc(columns + 1, sizeof(*w.x));
	w.s = calloc(columns + 1, sizeof(*w.s));
	w.passive = calloc(columns + 1, sizeof(*w.passive));
	w.useless = calloc(columns + 1, sizeof(*w.useless));
	if (w.a && w.length && w.x && w.s && w.passive && w.useless) {
		scale(&w, a);
		err = iterate(&w);
	}
	for (size_t i = 0; !err && i < columns; i++)
		x[i] = w.length[i] > 0 ? w.x[i] / w.length[i] : 0;
	free(w.a);
	free(w.length);
	free(w.x);
	free(w.s);
	free(w.passive);
	free(w.useless);
	return err;
}
