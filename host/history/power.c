/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The noise of rows, from documents and from a history, and what is found in it. */
#include "host/history/history.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "host/compare/compare_rules.h"
#include "host/lib/table.h"
#include "host/lib/text.h"
#include "host/result/export.h"
#include "host/stats/two_sample.h"
#include "host/stats/summary.h"

#define METRIC "round_trip"

const double power_changes[POWER_CHANGES] = { 0.01, 0.02, 0.05 };

/* As the rules of compare. */
#define LEVEL	      0.95
#define BAND_SHARE    0.01
#define BAND_QUANTA   2
/* The share of changes that are found. */
#define POWER	      0.9
/* Fewer documents hardly show what differs from run to run. */
#define DOCUMENTS_FEW 5
/* Runs after a step, unless given. */
#define STEP_RUNS     5
/* Least runs of a stretch of a history for a standard deviation. */
#define STRETCH_MIN   5

static struct power_row *add_row(struct power_page *page)
{
	page->rows = reallocarray(page->rows, page->n_rows + 1, sizeof(*page->rows));
	if (!page->rows)
		abort();
	page->rows[page->n_rows] = (struct power_row){
		.value = NAN,
		.event = NAN,
		.boot = NAN,
		.run = NAN,
		.seen = NAN,
	};
	return &page->rows[page->n_rows++];
}

static double *room(size_t n)
{
	double *values = calloc(n + 1, sizeof(*values));

	if (!values)
		abort();
	return values;
}

/* The boots of a metric: ln of the medians. Returns their number; 0: one is not > 0. */
static size_t logs_of(const struct result_metric *m, double *logs, double *events)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_boots; i++) {
		const struct stats_summary *s = &m->boots[i].summary;

		if (!m->boots[i].valid || isnan(s->p50))
			continue;
		if (!(s->p50 > 0))
			return 0;
		events[n] = s->mad / s->p50;
		logs[n++] = log(s->p50);
	}
	return n;
}

/*
 * Boots nested in runs: the variance within the runs, and that of their means without the
 * share of the boots (Kalibera and Jones, Rigorous Benchmarking in Reasonable Time,
 * 2013).
 */
static void split_noise(struct power_row *row, struct result *const *docs, size_t n_docs)
{
	double *means = room(n_docs), *values = room(n_docs), *counts = room(n_docs);
	double within = 0, spread = 0, freedom = 0, per_run = 0;
	size_t runs = 0, known = 0;

	for (size_t k = 0; k < n_docs; k++) {
		const struct result_benchmark *b =
			result_find(docs[k], row->name, row->config);
		const struct result_metric *m = b && b->status == RESULT_OK
							? result_find_metric(b, METRIC)
							: NULL;
		struct student_sample sample;
		double *logs, *events, event;
		size_t n;

		if (!m)
			continue;
		logs = room(m->n_boots);
		events = room(m->n_boots);
		n = logs_of(m, logs, events);
		if (n) {
			sample = student_sample(logs, n, n > 1);
			within += sample.variance * (double)(n - 1);
			freedom += (double)(n - 1);
			per_run += 1 / (double)n;
			means[runs] = sample.mean;
			values[runs] = m->value;
			counts[runs++] = (double)n;
			event = stats_median(events, n);
			if (!isnan(event)) {
				spread += event;
				known++;
			}
		}
		free(logs);
		free(events);
	}
	row->runs = runs;
	if (runs) {
		row->value = stats_median(values, runs);
		row->boots = (size_t)stats_median(counts, runs);
	}
	if (known)
		row->event = spread / (double)known;
	if (freedom > 0)
		row->boot = sqrt(within / freedom);
	if (runs > 1 && freedom > 0) {
		struct student_sample between = student_sample(means, runs, 1);

		row->run = sqrt(fmax(0, between.variance - within / freedom * per_run /
								   (double)runs));
	}
	free(means);
	free(values);
	free(counts);
}

static double relative(double log_change)
{
	return isfinite(log_change) ? exp(log_change) - 1 : NAN;
}

/* What compare finds; Holm's correction begins with the number of all rows. */
static void plan_compare(struct power_page *page, struct result *const *docs, size_t n,
			 const struct power_query *q)
{
	struct compare_plan *plan =
		compare_plan_new((const struct result *const *)docs, n);
	double changes[POWER_CHANGES];
	size_t rows = page->n_rows;

	for (size_t k = 0; k < POWER_CHANGES; k++)
		changes[k] = log1p(power_changes[k]);
	page->n_rows = 0;
	for (size_t i = 0; i < rows; i++) {
		struct power_row row = page->rows[i];
		struct compare_wish wish = {
			.runs = page->runs,
			.boots = q->boots ? q->boots : row.boots,
			.boots_now = (double)row.boots,
			.boot = row.boot,
			.band = log1p(row.band),
			.share = POWER,
			.changes = changes,
			.n_changes = POWER_CHANGES,
		};
		struct compare_found found;

		if (!compare_plan_row(plan, row.name, row.config, &wish, rows, &found)) {
			page->few++;
			continue;
		}
		row.seen = relative(found.least);
		memcpy(row.need, found.need, sizeof(row.need));
		page->rows[page->n_rows++] = row;
	}
	compare_plan_free(plan);
}

static bool share_a_row(const struct result *a, const struct result *b)
{
	for (size_t i = 0; i < a->n_benchmarks; i++)
		if (result_find(b, a->benchmarks[i].name, a->benchmarks[i].config))
			return true;
	return false;
}

static int check_documents(struct result *const *docs, size_t n, struct error *err)
{
	for (size_t i = 1; i < n; i++) {
		if (strcmp(docs[i]->target.name, docs[0]->target.name) != 0)
			return error_set(err, -EINVAL,
					 "%s and %s: runs of one target are needed",
					 docs[0]->target.name, docs[i]->target.name);
		if (strcmp(docs[i]->machine.fingerprint, docs[0]->machine.fingerprint) !=
		    0)
			return error_set(err, -EINVAL,
					 "the documents are of different machines");
		if (!strcmp(docs[i]->run.id, docs[0]->run.id))
			return error_set(err, -EINVAL, "run %s is there twice",
					 docs[0]->run.id);
		if (result_is_pair(docs[0], docs[i]))
			return error_set(
				err, -EINVAL,
				"the documents are the two sides of one run --against: runs of one side are needed");
		if (!share_a_row(docs[0], docs[i]))
			return error_set(
				err, -EINVAL,
				"%s and %s have no benchmark with one config in common",
				docs[0]->run.id, docs[i]->run.id);
	}
	return 0;
}

int power_of_documents(struct result *const *docs, size_t n, const struct power_query *q,
		       struct power_page *page, struct error *err)
{
	int rc = check_documents(docs, n, err);
	size_t figures = 0;

	*page = (struct power_page){ .by_runs = n > 1, .shown = n };
	if (rc)
		return rc;
	for (size_t i = 0; i < docs[0]->n_benchmarks; i++) {
		const struct result_benchmark *b = &docs[0]->benchmarks[i];
		const struct result_metric *m = result_find_metric(b, METRIC);
		struct power_row *row;
		double step = 0;

		if (b->status != RESULT_OK || !m)
			continue;
		figures++;
		if (!history_selects_row(q->select, docs[0]->target.name, b->name,
					 b->config))
			continue;
		if (docs[0]->target.exact) {
			page->exact++;
			continue;
		}
		row = add_row(page);
		row->target = docs[0]->target.name;
		row->name = b->name;
		row->config = b->config;
		row->metric = METRIC;
		row->unit = m->unit;
		split_noise(row, docs, n);
		if (!(row->boot > 0) || (page->by_runs && isnan(row->run))) {
			page->few++;
			page->n_rows--;
			continue;
		}
		for (size_t k = 0; k < n; k++)
			step = fmax(step, result_step(docs[k], b, m));
		row->band = fmax(BAND_SHARE, BAND_QUANTA * step / row->value);
		page->boots = row->boots > page->boots ? row->boots : page->boots;
	}
	if (!page->n_rows && !page->exact && !page->few)
		return error_set(err, -ENODATA,
				 figures ? "the documents have no such row"
					 : "no row has a figure");
	page->runs = !page->by_runs ? 1 : q->runs ? q->runs : n;
	page->boots = q->boots ? q->boots : page->boots;
	plan_compare(page, docs, n, q);
	return 0;
}

/* The last stretch that is long enough; false: there is none. */
static bool last_stretch(const struct history_series *s, struct history_stretch *out)
{
	for (size_t k = s->n_changes + 1; k-- > 0;) {
		*out = history_stretch(s, k);
		if (out->end - out->start - out->outliers >= STRETCH_MIN)
			return true;
	}
	return false;
}

/*
 * The standard deviation of a boot, of ln: the interval of a figure lies between two
 * order statistics of its boots, at normal quantiles (Blom, Statistical Estimates, 1958).
 */
static double boot_of(const struct history_point *p)
{
	double n = p->boots, rank = 1;

	while (2 * rank + 1 < n &&
	       2 * gsl_cdf_binomial_P((unsigned int)rank, 0.5, p->boots) <= 1 - LEVEL)
		rank++;
	return (p->hi - p->lo) / p->value /
	       (2 * gsl_cdf_ugaussian_Pinv((n - rank + 0.625) / (n + 0.25)));
}

static void fill_history_row(struct power_row *row, const struct history_series *s,
			     const struct history_stretch *stretch)
{
	size_t most = stretch->end - stretch->start, n = 0, known = 0;
	double *logs = room(most), *values = room(most), *boots = room(most);
	double *counts = room(most), error;
	struct student_sample sample;

	for (size_t i = stretch->start; i < stretch->end; i++) {
		const struct history_point *p = &s->points[i];

		if (p->outlier || !(p->value > 0))
			continue;
		if (p->hi > p->lo && p->boots)
			boots[known++] = boot_of(p);
		counts[n] = p->boots;
		values[n] = p->value;
		logs[n++] = log(p->value);
	}
	row->runs = n;
	if (n >= STRETCH_MIN) {
		sample = student_sample(logs, n, 1);
		row->value = stats_median(values, n);
		row->boots = (size_t)stats_median(counts, n);
		row->boot = known ? stats_median(boots, known) : NAN;
		error = known ? row->boot * sqrt(M_PI / 2 / (double)row->boots) : 0;
		row->run = sqrt(fmax(0, sample.variance - error * error));
		row->figure = sqrt(sample.variance);
		row->band = fmax(history_rules.magnitude,
				 history_rules.quanta * s->quantum / row->value);
	}
	free(logs);
	free(values);
	free(boots);
	free(counts);
}

static void plan_gate(struct power_row *row, size_t after)
{
	struct power_gate gate = {
		.sd = row->figure,
		.known = (double)row->runs - 1,
		.before = row->runs < history_rules.window ? row->runs
							   : history_rules.window,
		.alpha = history_rules.pvalue,
		.least = log1p(row->band),
	};
	struct power_test test = power_of_gate(&gate, after);

	row->seen = relative(power_least(&test, POWER));
	for (size_t k = 0; k < POWER_CHANGES; k++)
		row->need[k] = power_count(power_of_gate, &gate, 2,
					   log1p(power_changes[k]), POWER);
}

int power_of_history(const struct history *h, const struct power_query *q,
		     struct power_page *page, struct error *err)
{
	*page = (struct power_page){
		.by_runs = true,
		.of_history = true,
		.runs = q->runs ? q->runs : STEP_RUNS,
	};
	for (size_t i = 0; i < h->n_series; i++) {
		const struct history_series *s = &h->series[i];
		struct history_stretch stretch;
		struct power_row *row;

		if (!history_selects(q->select, h, s))
			continue;
		if (h->places[s->place].exact) {
			page->exact++;
			continue;
		}
		row = add_row(page);
		row->target = h->places[s->place].target;
		row->name = s->benchmark;
		row->config = s->config;
		row->metric = s->metric;
		row->unit = s->unit;
		if (s->method == HISTORY_NOISE && last_stretch(s, &stretch))
			fill_history_row(row, s, &stretch);
		if (row->runs < STRETCH_MIN) {
			page->few++;
			page->n_rows--;
			continue;
		}
		plan_gate(row, page->runs);
	}
	if (!page->n_rows && !page->exact && !page->few)
		return error_set(err, -ENODATA, "the history has no such series");
	return 0;
}

void power_free(struct power_page *page)
{
	free(page->rows);
	*page = (struct power_page){ 0 };
}

enum column {
	COLUMN_ROW,
	COLUMN_VALUE,
	COLUMN_EVENT,
	COLUMN_BOOT,
	COLUMN_RUN,
	COLUMN_SEEN,
	COLUMN_NEED,
	COLUMNS = COLUMN_NEED + POWER_CHANGES,
};

static void percent_cell(struct table *t, size_t column, double value)
{
	if (value >= 10)
		table_cell(t, column, "> 1000 %%");
	else if (!isnan(value))
		table_cell(t, column, "%.*f %%", value < 0.1 ? 2 : 1, 100 * value);
}

static void print_rows(const struct power_page *page, const struct table_options *o)
{
	const char *unit = page->by_runs ? "runs" : "boots";
	struct table_column columns[COLUMNS] = {
		[COLUMN_ROW] = { "benchmark", TABLE_KEY, 0, NULL },
		[COLUMN_VALUE] = { "value", TABLE_RIGHT, 0, NULL },
		[COLUMN_EVENT] = { "noise:\nevent", TABLE_RIGHT, 0, NULL },
		[COLUMN_BOOT] = { "\nboot", TABLE_RIGHT, 0, NULL },
		[COLUMN_RUN] = { "\nrun", TABLE_RIGHT, 0, NULL },
		[COLUMN_SEEN] = { "\nseen", TABLE_RIGHT, 0, NULL },
	};
	char heads[POWER_CHANGES][32];
	struct table t;

	for (size_t k = 0; k < POWER_CHANGES; k++) {
		snprintf(heads[k], sizeof(heads[k]), "%s for\n%g %%", unit,
			 100 * power_changes[k]);
		columns[COLUMN_NEED + k] =
			(struct table_column){ heads[k], TABLE_RIGHT, 0, NULL };
	}
	table_init(&t, columns, COLUMNS);
	for (size_t i = 0; i < page->n_rows; i++) {
		const struct power_row *row = &page->rows[i];
		bool plain = !strcmp(row->config, "default");

		table_row(&t, TABLE_PLAIN);
		table_cell(&t, COLUMN_ROW, "%.60s%s%.40s%s", row->name, plain ? "" : " [",
			   plain ? "" : row->config, plain ? "" : "]");
		table_number(&t, COLUMN_VALUE, row->value, false, false);
		percent_cell(&t, COLUMN_EVENT, row->event);
		percent_cell(&t, COLUMN_BOOT, row->boot);
		percent_cell(&t, COLUMN_RUN, row->run);
		percent_cell(&t, COLUMN_SEEN, row->seen);
		for (size_t k = 0; k < POWER_CHANGES; k++) {
			if (power_changes[k] <= row->band)
				table_cell(&t, COLUMN_NEED + k, "in band");
			else if (isnan(row->need[k]))
				table_cell(&t, COLUMN_NEED + k, "> %d", POWER_MOST);
			else
				table_cell(&t, COLUMN_NEED + k, "%.0f", row->need[k]);
		}
	}
	table_print(stdout, &t, o);
	table_free(&t);
}

void power_print(const struct power_page *page)
{
	struct table_options o;
	char text[640];

	table_options_for(&o, stdout);
	if (page->n_rows)
		print_rows(page, &o);
	if (page->n_rows && page->of_history)
		snprintf(
			text, sizeof(text),
			"\nseen: the least step that 'history check' finds in 90 of 100 cases, %zu runs after it, if not always at the right run. Steps in the band are too small for a change, whatever the number of runs.",
			page->runs);
	else if (page->n_rows && page->by_runs)
		snprintf(
			text, sizeof(text),
			"\nseen: the least change that 'compare' of %zu and %zu runs of %zu boots finds in 90 of 100 cases, among %zu row%s. Changes in the band (1 %%, or two steps of the clock) are never better or worse.%s",
			page->runs, page->runs, page->boots, page->n_rows,
			page->n_rows == 1 ? "" : "s",
			page->shown < DOCUMENTS_FEW
				? " So few documents hardly show how much runs differ: the figures allow for that, and more documents make them smaller."
				: "");
	else if (page->n_rows)
		snprintf(
			text, sizeof(text),
			"\nseen: the least change that 'compare' of two runs of %zu boots finds in 90 of 100 cases, among %zu row%s, if nothing differs from run to run: one run does not show that; give several. Changes in the band (1 %%, or two steps of the clock) are never better or worse.",
			page->boots, page->n_rows, page->n_rows == 1 ? "" : "s");
	if (page->n_rows)
		text_wrap(stdout, text + 1, 0, 0, table_text_columns(&o));
	if (page->exact)
		printf("%zu row%s of exact targets: any change is seen, in one run\n",
		       page->exact, page->exact == 1 ? "" : "s");
	if (page->few)
		printf("%zu row%s with too few %s to know the noise, or near 0\n",
		       page->few, page->few == 1 ? "" : "s",
		       page->by_runs ? "runs" : "boots");
}

void power_json(const struct power_page *page)
{
	struct json_list *l = json_list_new();
	char *text;

	json_list_string(l, "from", page->of_history ? "history" : "documents");
	json_list_string(l, "needs", page->by_runs ? "runs" : "boots");
	json_list_count(l, "runs", page->runs);
	if (!page->of_history)
		json_list_count(l, "boots", page->boots);
	json_list_real(l, "power", POWER);
	json_list_count(l, "exact", page->exact);
	json_list_count(l, "too_few", page->few);
	json_list_array(l, "rows");
	for (size_t i = 0; i < page->n_rows; i++) {
		const struct power_row *row = &page->rows[i];

		json_list_row(l, "rows");
		json_list_string(l, "target", row->target);
		json_list_string(l, "benchmark", row->name);
		json_list_string(l, "config", row->config);
		json_list_string(l, "metric", row->metric);
		json_list_string(l, "unit", row->unit);
		json_list_number(l, "value", row->value);
		json_list_real(l, "event_noise", row->event);
		json_list_real(l, "boot_noise", row->boot);
		json_list_real(l, "run_noise", row->run);
		json_list_count(l, "runs", row->runs);
		json_list_count(l, "boots", row->boots);
		json_list_real(l, "band", row->band);
		json_list_real(l, "seen", row->seen);
		json_list_number(l, "needs_1_percent", row->need[0]);
		json_list_number(l, "needs_2_percent", row->need[1]);
		json_list_number(l, "needs_5_percent", row->need[2]);
	}
	text = json_list_dump(l);
	fputs(text, stdout);
	free(text);
	json_list_free(l);
}
