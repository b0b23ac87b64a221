/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison as points on an axis. */
#include "host/report/forest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/result/result.h"
#include "host/report/differences.h"

#define LINEAR_MOST 60 /* percent that a linear axis still shows well */

static bool is_exact(const struct compare *c)
{
	return c->base->target.exact && c->new->target.exact;
}

/* What has an interval is drawn with it; what changed its class has none. */
double forest_difference(const struct compare_row *row)
{
	return isnan(row->shift) ? row->difference : row->shift;
}

double forest_ratio(const struct compare_row *row)
{
	return isnan(row->shift) ? row->ratio : row->shift_ratio;
}

static bool has_point(const struct compare *c, const struct compare_row *row)
{
	if (row->verdict == COMPARE_NONE || isnan(forest_difference(row)))
		return false;
	return is_exact(c) || !isnan(forest_ratio(row));
}

static bool is_equal(const struct compare_row *row)
{
	return row->verdict == COMPARE_SAME_PLACEMENT ||
	       (row->exact && row->verdict == COMPARE_SAME && row->difference == 0);
}

size_t differences_count(const struct compare *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_rows; i++)
		n += has_point(c, &c->rows[i]) && !is_equal(&c->rows[i]);
	return n;
}

static int by_value(const void *a, const void *b)
{
	const struct forest_point *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return (x->row > y->row) - (x->row < y->row);
}

double forest_percent(double ratio)
{
	return 100 * (ratio - 1);
}

static const char *handled(const struct result_benchmark *b)
{
	return result_class_of(b).handled_by;
}

/*
 * The config is said where one benchmark has several rows, and who handled the exit
 * where that is what has changed.
 */
static void label(const struct compare *c, const struct compare_row *row,
		  struct forest_point *point)
{
	const struct result_benchmark *was = row->base.benchmark;
	const struct result_benchmark *is = row->new.benchmark;
	bool several = false;
	int at;

	for (size_t i = 0; i < c->n_rows && !several; i++)
		several = &c->rows[i] != row && !strcmp(c->rows[i].name, row->name);
	at = snprintf(point->label, sizeof(point->label),
		      several ? "%.60s [%.40s]" : "%.90s", row->name,
		      several ? row->new.config : "");
	if (was && is && strcmp(handled(was), handled(is)) != 0)
		snprintf(point->label + at, sizeof(point->label) - (size_t)at,
			 " (%s \u2192 %s)", handled(was), handled(is));
}

static struct forest_point point_of(const struct forest *f, const struct compare_row *row)
{
	struct forest_point p = { .row = row };

	p.value = f->percent ? forest_percent(forest_ratio(row)) : forest_difference(row);
	p.lo = f->percent ? forest_percent(row->ratio_lo) : row->lo;
	p.hi = f->percent ? forest_percent(row->ratio_hi) : row->hi;
	label(f->compare, row, &p);
	return p;
}

static void collect(struct forest *f)
{
	const struct compare *c = f->compare;
	size_t bytes;
	FILE *names = open_memstream(&f->equal, &bytes);

	f->points = calloc(c->n_rows + 1, sizeof(*f->points));
	if (!f->points || !names)
		abort();
	f->percent = !is_exact(c);
	for (size_t i = 0; i < c->n_rows; i++) {
		const struct compare_row *row = &c->rows[i];

		if (!has_point(c, row))
			f->n_without++;
		else if (is_equal(row))
			fprintf(names, "%s%s", f->n_equal++ ? ", " : "", row->name);
		else
			f->points[f->n++] = point_of(f, row);
	}
	if (fclose(names))
		abort();
	qsort(f->points, f->n, sizeof(*f->points), by_value);
}

/* Linear about zero and logarithmic far from it, where a linear axis shows nothing. */
double forest_bend(const struct forest *f, double value)
{
	return f->bent ? asinh(value) : value;
}

static void settle(struct forest *f)
{
	double margin;

	f->least = f->most = 0;
	for (size_t i = 0; i < f->n; i++) {
		const struct forest_point *p = &f->points[i];

		f->least = fmin(f->least, isnan(p->lo) ? p->value : p->lo);
		f->most = fmax(f->most, isnan(p->hi) ? p->value : p->hi);
	}
	f->bent = !f->percent || fmax(-f->least, f->most) > LINEAR_MOST;
	f->least = forest_bend(f, f->least);
	f->most = forest_bend(f, f->most);
	margin = fmax((f->most - f->least) * 0.04, 0.1);
	f->least -= margin;
	f->most += margin;
}

double forest_band(const struct forest *f, const struct compare_row *row)
{
	if (!(row->band > 0) || (f->percent && !(row->base.value > 0)))
		return 0;
	return f->percent ? 100 * row->band / row->base.value : row->band;
}

size_t forest_count(const struct forest *f, enum compare_verdict v)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->points[i].row->verdict == v;
	return n;
}

void forest_build(struct forest *f, const struct compare *c)
{
	*f = (struct forest){ .compare = c };
	collect(f);
	settle(f);
}

void forest_free(struct forest *f)
{
	free(f->points);
	free(f->equal);
}
