/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Distributions: the quantiles of the events, which a history keeps per run, and changes
 * of a series that its figures do not tell.
 */
#include <errno.h>
#include <float.h>
#include <gsl/gsl_sort_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/history/history.h"
#include "host/history/row.h"
#include "host/lib/text.h"
#include "host/result/result.h"
#include "host/stats/changepoint.h"
#include "host/stats/summary.h"

/* ------------------------------ quantiles of a run ------------------------------ */

static const double shares[ROW_MEAN] = {
	[ROW_P5] = 0.05,  [ROW_P25] = 0.25, [ROW_P75] = 0.75,
	[ROW_P90] = 0.90, [ROW_P99] = 0.99,
};

const char *row_quantile_name(enum row_quantile q)
{
	static const char *const names[ROW_QUANTILES] = {
		[ROW_P5] = "p5",   [ROW_P25] = "p25", [ROW_P75] = "p75",
		[ROW_P90] = "p90", [ROW_P99] = "p99", [ROW_MEAN] = "mean",
	};

	return names[q];
}

/* The `low` of the bin is the value nearest to zero. */
static double in_bin(const struct histogram_bin *bin, unsigned int bits, double share)
{
	double width = (double)histogram_width(bin->low, bits);

	if (bin->low < 0)
		return (double)bin->low - (1 - share) * (width - 1);
	return (double)bin->low + share * (width - 1);
}

/* A whole number, which is as exact as a bin. */
static double quantile(const struct histogram *h, double total, double share)
{
	double rank = share * (total - 1), before = 0;

	for (size_t i = 0; i < h->n_bins; i++) {
		double count = (double)h->bins[i].count;

		if (rank < before + count || i + 1 == h->n_bins)
			return round(in_bin(&h->bins[i], h->bits,
					    fmin((rank - before + 0.5) / count, 1)));
		before += count;
	}
	return NAN;
}

/*
 * The mean of the events between the first and the last hundredth, in eighths. `value`:
 * the events in its bin are of this value; NAN: they are in the middle of their bin.
 */
static double trimmed_mean(const struct histogram *h, double total, double value)
{
	double from = 0.01 * total, to = 0.99 * total, before = 0, sum = 0;

	for (size_t i = 0; i < h->n_bins; i++) {
		double after = before + (double)h->bins[i].count;
		double n = fmin(after, to) - fmax(before, from);

		if (n > 0 && !isnan(value) &&
		    histogram_low((int64_t)value, h->bits) == h->bins[i].low)
			sum += n * value;
		else if (n > 0)
			sum += n * in_bin(&h->bins[i], h->bits, 0.5);
		before = after;
	}
	return round(8 * sum / (to - from)) / 8;
}

/* All events of the valid boots; of an exact target, of the first one. */
static bool merge_boots(const struct result_metric *m, bool exact, struct histogram *all)
{
	*all = (struct histogram){ 0 };
	for (size_t i = 0; i < m->n_boots; i++) {
		const struct histogram *h = &m->boots[i].histogram;
		struct histogram before = *all;
		int rc;

		if (!m->boots[i].valid || !h->n_bins)
			continue;
		if (!before.n_bins)
			before.bits = h->bits;
		rc = histogram_merge(&before, h, all);
		free(before.bins);
		if (rc == -ENOMEM)
			store_check(NULL);
		if (rc) /* boots of different precision */
			return false;
		if (exact)
			break;
	}
	return all->n_bins > 0;
}

/* A quantile with fewer events beyond it is omitted. */
#define BEYOND 5

static double known_quantile(const struct stats_summary *s, enum row_quantile q)
{
	const double known[ROW_MEAN] = {
		[ROW_P5] = s->p5,   [ROW_P25] = s->p25, [ROW_P75] = s->p75,
		[ROW_P90] = s->p90, [ROW_P99] = s->p99,
	};

	return known[q];
}

static const struct stats_summary *first_boot(const struct result_metric *m)
{
	for (size_t i = 0; i < m->n_boots; i++)
		if (m->boots[i].valid && m->boots[i].histogram.n_bins)
			return &m->boots[i].summary;
	return NULL;
}

/*
 * On an exact target, the summary of the boot has the quantile, or its bin: a quantile in
 * the bin of the figure is the figure.
 */
static double exact_quantile(const struct stats_summary *s, const struct histogram *h,
			     double value, enum row_quantile q)
{
	double known = known_quantile(s, q), by_bin;

	if (isfinite(known))
		return known;
	by_bin = quantile(h, (double)histogram_total(h), shares[q]);
	return histogram_low((int64_t)by_bin, h->bits) ==
			       histogram_low((int64_t)value, h->bits)
		       ? value
		       : by_bin;
}

void row_distribution(const struct result_metric *m, bool exact,
		      double out[ROW_QUANTILES])
{
	const struct stats_summary *s = first_boot(m);
	struct histogram all;
	double total;

	for (size_t q = 0; q < ROW_QUANTILES; q++)
		out[q] = NAN;
	if (!s || !merge_boots(m, exact, &all))
		return;
	total = (double)histogram_total(&all);
	for (enum row_quantile q = 0; q < ROW_MEAN; q++) {
		if (total * fmin(shares[q], 1 - shares[q]) < BEYOND)
			continue;
		out[q] = exact ? exact_quantile(s, &all, m->value, q)
			       : quantile(&all, total, shares[q]);
		if (out[q] == m->value)
			out[q] = NAN;
	}
	out[ROW_MEAN] = exact && s->min == s->max
				? s->min
				: trimmed_mean(&all, total, exact ? m->value : NAN);
	free(all.bins);
}

/* ------------------------------ changes of a series ------------------------------ */

/* The least change of a quantile, in parts of the figure. */
#define LEAST 0.05

/* Fewer runs cannot be significant. */
#define RUNS_LEAST 18

/* The runs of a stretch that are compared. */
struct stretch {
	double *vectors; /* ROW_QUANTILES per run with quantiles */
	size_t *index;	 /* of these, in the series */
	size_t n;
	double *values; /* of all runs that are not set aside */
	size_t *index_of_value;
	size_t n_values;
	double quantum; /* the largest of a run */
	struct distribution_change *found;
};

static void stretch_free(struct stretch *r)
{
	free(r->vectors);
	free(r->index);
	free(r->found);
}

static int runs_new(struct stretch *r, const struct history_series *s, size_t start,
		    size_t end)
{
	size_t n = end - start, vectors = 0;

	for (size_t i = start; i < end; i++)
		vectors += s->points[i].quantiles != NULL;
	*r = (struct stretch){
		.vectors = malloc((n + vectors * ROW_QUANTILES) * sizeof(*r->vectors)),
		.index = malloc(2 * n * sizeof(*r->index)),
		.found = malloc(n * sizeof(*r->found)),
	};
	if (!r->vectors || !r->index || !r->found) {
		stretch_free(r);
		return -ENOMEM;
	}
	r->values = r->vectors + vectors * ROW_QUANTILES;
	r->index_of_value = r->index + n;
	for (size_t i = start; i < end; i++) {
		const struct history_point *p = &s->points[i];
		double *vector = r->vectors + r->n * ROW_QUANTILES;

		if (p->outlier)
			continue;
		r->quantum = fmax(r->quantum, p->quantum);
		r->values[r->n_values] = p->value;
		r->index_of_value[r->n_values++] = i;
		if (!p->quantiles)
			continue;
		for (enum row_quantile q = 0; q < ROW_QUANTILES; q++)
			vector[q] = isnan(p->quantiles[q]) ? p->value : p->quantiles[q];
		r->index[r->n++] = i;
	}
	return 0;
}

static size_t take(const struct stretch *r, const size_t *index, size_t found,
		   enum changepoint_of of, struct changepoint *out)
{
	for (size_t k = 0; k < found; k++)
		out[k] = (struct changepoint){
			.index = index[r->found[k].index],
			.pvalue = r->found[k].pvalue,
			.of = of,
		};
	return found;
}

static int judge_noise(const struct history_series *s,
		       const struct changepoint_rules *rules, size_t start, size_t end,
		       struct changepoint *out, size_t *n_out)
{
	struct distribution_rules own = { .window = rules->window,
					  .pvalue = rules->pvalue };
	struct stretch r;
	size_t found = 0;
	double sum = 0;
	int err;

	if (end - start < RUNS_LEAST)
		return 0;
	err = runs_new(&r, s, start, end);
	if (err)
		return err;
	for (size_t i = 0; i < r.n_values; i++)
		sum += r.values[i];
	own.least = fmax(LEAST * fabs(sum) / (double)(r.n_values ? r.n_values : 1),
			 fmax(rules->quanta * rules->quantum, DBL_MIN));
	if (r.n >= RUNS_LEAST)
		err = distribution_find(r.vectors, r.n, ROW_QUANTILES, &own, r.found,
					&found);
	*n_out = take(&r, r.index, found, CHANGEPOINT_OF_EVENTS, out);
	if (!err && !found && r.n_values >= RUNS_LEAST) {
		own.least = fmax(own.least, rules->quanta * r.quantum);
		err = distribution_of_runs(r.values, r.n_values, &own, r.found, &found);
		*n_out = take(&r, r.index_of_value, found, CHANGEPOINT_OF_VALUES, out);
	}
	stretch_free(&r);
	return err;
}

/*
 * On an exact target any difference of a quantile is a change, as of the figure: between
 * the ranges over the runs of a subject. Where boots differ, the first boot, which the
 * quantiles are of, does not stand for the others.
 */
static int judge_exact(const struct history *h, const struct history_series *s,
		       size_t start, size_t end, struct changepoint *out, size_t *n_out)
{
	size_t n = end - start, *index = malloc(n * sizeof(*index)), m = 0;
	double *lo = malloc(2 * n * sizeof(*lo)), *hi = lo ? lo + n : NULL;
	struct changepoint *found = malloc(n * sizeof(*found));
	bool *changes = calloc(n, sizeof(*changes));
	int err = index && lo && found && changes ? 0 : -ENOMEM;

	for (size_t i = start; i < end && !err; i++)
		if (s->points[i].quantiles && !(s->points[i].lo < s->points[i].hi))
			index[m++] = i;
	for (enum row_quantile q = 0; q < ROW_MEAN && m > 1; q++) {
		size_t n_found;

		for (size_t i = 0, to; i < m; i = to) {
			size_t subject = h->runs[s->points[index[i]].run].subject;
			double least = INFINITY, most = -INFINITY;

			for (to = i; to < m &&
				     h->runs[s->points[index[to]].run].subject == subject;
			     to++) {
				double v = history_quantile(&s->points[index[to]], q);

				least = fmin(least, v);
				most = fmax(most, v);
			}
			for (size_t j = i; j < to; j++) {
				lo[j] = least;
				hi[j] = most;
			}
		}
		n_found = changepoint_ranges(lo, hi, m, found);
		for (size_t k = 0; k < n_found; k++)
			changes[index[found[k].index] - start] = true;
	}
	for (size_t i = 0; i < n && !err; i++)
		if (changes[i])
			out[(*n_out)++] =
				(struct changepoint){ .index = start + i,
						      .of = CHANGEPOINT_OF_EVENTS };
	free(index);
	free(lo);
	free(found);
	free(changes);
	return err;
}

/* Most series of exact targets have events that are equal. */
static bool all_plain(const struct history_series *s, size_t start, size_t end)
{
	for (size_t i = start; i < end; i++)
		for (enum row_quantile q = 0; q < ROW_MEAN; q++)
			if (s->points[i].quantiles && !isnan(s->points[i].quantiles[q]))
				return false;
	return true;
}

int history_judge_distribution(const struct history *h, const struct history_series *s,
			       const struct changepoint_rules *rules, size_t start,
			       size_t end, struct changepoint *out, size_t *n_out)
{
	*n_out = 0;
	if (end - start < 2)
		return 0;
	if (s->method == HISTORY_NOISE)
		return judge_noise(s, rules, start, end, out, n_out);
	return all_plain(s, start, end) ? 0 : judge_exact(h, s, start, end, out, n_out);
}

/*
 * The values of the runs before or after change k, up to the next change, at most NEAR of
 * them: of a quantile, or (ROW_QUANTILES) the figures. Returns their number.
 */
#define NEAR 200

static size_t collect(const struct history_series *s, size_t k, bool after,
		      enum row_quantile q, double *out)
{
	size_t at = s->changes[k].index, from = k ? s->changes[k - 1].index : 0, n = 0;
	size_t to = k + 1 < s->n_changes ? s->changes[k + 1].index : s->n_points;

	if (after)
		from = at;
	else
		to = at;
	if (to - from > NEAR && after)
		to = from + NEAR;
	else if (to - from > NEAR)
		from = to - NEAR;
	for (size_t i = from; i < to; i++) {
		const struct history_point *p = &s->points[i];
		double v = q == ROW_QUANTILES ? p->value : history_quantile(p, q);

		if (!p->outlier && !isnan(v))
			out[n++] = v;
	}
	return n;
}

/* Without noise, the nearest run; else the median. */
static double level_of(const struct history_series *s, size_t k, bool after,
		       enum row_quantile q, double *work)
{
	size_t n = collect(s, k, after, q, work);

	if (!n)
		return NAN;
	if (s->method == HISTORY_STEPS)
		return after ? work[0] : work[n - 1];
	return stats_median(work, n);
}

void history_quantiles_of(const struct history_series *s, size_t k, enum row_quantile q,
			  double *before, double *after)
{
	double work[NEAR];

	*before = level_of(s, k, false, q, work);
	*after = level_of(s, k, true, q, work);
}

static void print_levels(FILE *f, const char *name, double before, double after,
			 bool exact)
{
	char from[NUMBER_BYTES], to[NUMBER_BYTES];

	number_format(from, before, exact);
	number_format(to, after, exact);
	fprintf(f, "%s%s %s -> %s", ftell(f) ? ", " : "", name, from, to);
}

/*
 * The quantiles that move otherwise than the figure, which changes, too. In noise, three
 * quarters of the runs are on the new side of three quarters of the old ones.
 */
static void print_beside(FILE *f, const struct history_series *s, size_t k)
{
	const struct changepoint *c = &s->changes[k];
	double ratio = c->before > 0 ? c->after / c->before : 1;
	double old[NEAR], new[NEAR];
	bool exact = s->method == HISTORY_STEPS;

	for (enum row_quantile q = 0; q < ROW_MEAN; q++) {
		size_t n = collect(s, k, false, q, old);
		size_t m = collect(s, k, true, q, new);
		double before, after, was, is;

		if (!n || !m)
			continue;
		before = exact ? old[n - 1] : stats_median(old, n);
		after = exact ? new[0] : stats_median(new, m);
		/* Longer by a factor, or by as much as the figure. */
		if (fabs(after - before * ratio) < LEAST * fabs(c->after) ||
		    fabs(after - before - (c->after - c->before)) <
			    LEAST * fabs(c->after))
			continue;
		if (!exact) {
			bool up = after > before * ratio;

			was = stats_quantile_sorted(old, n, up ? 0.75 : 0.25);
			is = stats_quantile_sorted(new, m, up ? 0.25 : 0.75);
			if (up ? is <= was * ratio : is >= was * ratio)
				continue;
		}
		print_levels(f, row_quantile_name(q), before, after, exact);
	}
}

/* The quantiles that move (if the others do not, the mean), and the figure. */
static void print_events(FILE *f, const struct history_series *s, size_t k)
{
	bool exact = s->method == HISTORY_STEPS;
	const struct changepoint *c = &s->changes[k];
	double least = exact ? 0 : LEAST * fabs(c->before), before, after;

	for (enum row_quantile q = 0; q < ROW_QUANTILES; q++) {
		if (q == ROW_MEAN && ftell(f))
			break;
		history_quantiles_of(s, k, q, &before, &after);
		if (fabs(after - before) > least || q == ROW_MEAN)
			print_levels(f, row_quantile_name(q), before, after, exact);
	}
	print_levels(f, "figure", c->before, c->after, exact);
}

static void print_runs(FILE *f, const struct history_series *s, size_t k)
{
	static const struct {
		const char *name;
		double share;
	} quantiles[] = { { "p10", 0.1 },
			  { "p25", 0.25 },
			  { "median", 0.5 },
			  { "p75", 0.75 },
			  { "p90", 0.9 } };
	double old[NEAR], new[NEAR];
	size_t n = collect(s, k, false, ROW_QUANTILES, old);
	size_t m = collect(s, k, true, ROW_QUANTILES, new);

	gsl_sort(old, 1, n);
	gsl_sort(new, 1, m);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(*quantiles) && n && m; i++) {
		double before = stats_quantile_sorted(old, n, quantiles[i].share);
		double after = stats_quantile_sorted(new, m, quantiles[i].share);

		if (fabs(after - before) >= LEAST * fabs(before))
			print_levels(f, quantiles[i].name, before, after, false);
	}
	fputs(" (of the runs)", f);
}

enum row_quantile history_largest_quantile(const struct history_series *s, size_t k,
					   double *before, double *after)
{
	enum row_quantile largest = ROW_MEAN;
	double old, new;

	history_quantiles_of(s, k, ROW_MEAN, before, after);
	for (enum row_quantile q = 0; q < ROW_MEAN; q++) {
		history_quantiles_of(s, k, q, &old, &new);
		if (!(fabs(new - old) > fabs(*after - *before)))
			continue;
		largest = q;
		*before = old;
		*after = new;
	}
	return largest;
}

void history_distribution_change(const struct history_series *s, size_t k, char *text,
				 size_t bytes)
{
	enum changepoint_of of = s->changes[k].of;
	FILE *f;

	*text = '\0';
	if (history_kind(s, k) == HISTORY_CHANGED && of == CHANGEPOINT_OF_MEAN)
		return;
	f = fmemopen(text, bytes, "w");
	if (!f)
		abort();
	if (of == CHANGEPOINT_OF_EVENTS)
		print_events(f, s, k);
	else if (of == CHANGEPOINT_OF_MEAN)
		print_beside(f, s, k);
	else
		print_runs(f, s, k);
	fclose(f);
	text[bytes - 1] = '\0';
}
