/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `history check` and `history show` as JSON. */
#include "host/history/history.h"

#include <math.h>
#include <stdlib.h>

#include "host/result/export.h"

static void print(struct json_list *l)
{
	char *text = json_list_dump(l);

	fputs(text, stdout);
	free(text);
	json_list_free(l);
}

static void json_run(struct json_list *l, const char *prefix,
		     const struct history_run *run)
{
	char key[32];

	snprintf(key, sizeof(key), "%s_run", prefix);
	json_list_string(l, key, run->id);
	snprintf(key, sizeof(key), "%s_kernel", prefix);
	json_list_string(l, key, run->kernel);
	snprintf(key, sizeof(key), "%s_label", prefix);
	json_list_string(l, key, run->label);
	snprintf(key, sizeof(key), "%s_commit", prefix);
	json_list_string(l, key, run->commit);
}

/* "p90_before", "p90_after", ...; null: the rows have none. */
static void json_quantiles(struct json_list *l, const struct history_series *s, size_t k)
{
	for (enum row_quantile q = 0; q < ROW_QUANTILES; q++) {
		double before, after;
		char key[32];

		history_quantiles_of(s, k, q, &before, &after);
		snprintf(key, sizeof(key), "%s_before", row_quantile_name(q));
		json_list_number(l, key, before);
		snprintf(key, sizeof(key), "%s_after", row_quantile_name(q));
		json_list_number(l, key, after);
	}
}

/* Changes that the clock hides: no verdict. */
static void json_hidden(struct json_list *l, const struct history_query *q,
			const struct history *h)
{
	size_t n;
	struct history_hidden *hidden = history_hidden(q, h, &n);

	json_list_array(l, "within_clock_steps");
	for (size_t i = 0; i < n; i++) {
		const struct history_series *s = hidden[i].series;
		const struct changepoint *c = hidden[i].change;

		json_list_row(l, "within_clock_steps");
		json_list_string(l, "target", h->places[s->place].target);
		json_list_string(l, "place", h->places[s->place].what);
		json_list_string(l, "benchmark", s->benchmark);
		json_list_string(l, "config", s->config);
		json_list_string(l, "metric", s->metric);
		json_list_string(l, "unit", s->unit);
		json_list_bool(l, "worse", hidden[i].worse);
		json_list_string(l, "let_pass",
				 hidden[i].let_pass ? hidden[i].let_pass->text : NULL);
		json_list_number(l, "before", c->before);
		json_list_number(l, "after", c->after);
		json_list_number(l, "step", s->quantum);
		json_list_number(l, "p", c->pvalue);
		json_list_number(l, "index", (double)c->index);
		json_run(l, "new", &h->runs[s->points[c->index].run]);
	}
	free(hidden);
}

void history_json_check(const struct history_query *q, const struct history *h,
			const struct history_alarm *alarms, size_t n)
{
	static const char *const words[] = {
		[HISTORY_CONFIRMED] = "confirmed",
		[HISTORY_REFUTED] = "refuted",
		[HISTORY_UNDECIDED] = "undecided",
	};
	struct json_list *l = json_list_new();
	struct history_tally t = history_tally(q, h, alarms, n);

	json_list_array(l, "changes");
	for (size_t i = 0; i < n; i++) {
		const struct history_alarm *a = &alarms[i];
		const struct history_series *s = a->series;
		char class[HISTORY_NAME_BYTES], distribution[HISTORY_NAME_BYTES];
		uint32_t boots;

		if (!a->recent)
			continue;
		json_list_row(l, "changes");
		json_list_string(l, "target", h->places[s->place].target);
		json_list_string(l, "place", h->places[s->place].what);
		json_list_string(l, "benchmark", s->benchmark);
		json_list_string(l, "config", s->config);
		json_list_string(l, "metric", s->metric);
		json_list_string(l, "unit", s->unit);
		json_list_string(l, "verdict", history_kind_name(a->kind));
		json_list_string(l, "let_pass", a->let_pass ? a->let_pass->text : NULL);
		history_class_change(s, a->k, class, sizeof(class));
		json_list_string(l, "class", *class ? class : NULL);
		history_distribution_change(s, a->k, distribution, sizeof(distribution));
		json_list_string(l, "distribution", *distribution ? distribution : NULL);
		json_quantiles(l, s, a->k);
		json_list_bool(l, "ranges", history_is_of_ranges(s, a->k, &boots));
		json_list_number(l, "boots", boots);
		json_list_number(l, "before", history_change(a)->before);
		json_list_number(l, "after", history_change(a)->after);
		json_list_number(l, "relative", history_relative(history_change(a)));
		json_list_number(l, "p", history_change(a)->pvalue);
		json_list_number(l, "index", (double)history_change(a)->index);
		json_list_bool(l, "single", history_change(a)->single);
		json_list_real(l, "trend_per_run",
			       history_change(a)->trend != 0 ? history_change(a)->trend
							     : NAN);
		json_list_string(l, "confirmed", words[a->confirmed]);
		json_list_string(l, "reason", *a->reason ? a->reason : NULL);
		json_run(l, "old", history_old_run(h, s, a->k));
		json_run(l, "new", history_new_run(h, s, a->k));
	}
	json_hidden(l, q, h);
	json_list_row(l, "summary");
	json_list_number(l, "series", (double)t.series);
	json_list_number(l, "worse", (double)t.worse);
	json_list_number(l, "better", (double)t.better);
	json_list_number(l, "changed", (double)t.changed);
	json_list_number(l, "distribution_changed", (double)t.distribution);
	json_list_number(l, "worse_let_pass", (double)t.let_pass);
	json_list_number(l, "newest_run_alone", (double)t.single);
	json_list_number(l, "within_clock_steps", (double)t.hidden);
	json_list_number(l, "outliers", (double)t.outliers);
	json_list_number(l, "too_short", (double)t.unjudged);
	json_list_number(l, "not_in_newest_run", (double)t.gone);
	print(l);
}

static void json_series(struct json_list *l, const struct history *h,
			const struct history_series *s)
{
	static const char *const methods[] = {
		[HISTORY_TOO_FEW] = "too-few",
		[HISTORY_STEPS] = "steps",
		[HISTORY_NOISE] = "noise",
	};

	json_list_row(l, "series");
	json_list_string(l, "target", h->places[s->place].target);
	json_list_string(l, "place", h->places[s->place].what);
	json_list_string(l, "benchmark", s->benchmark);
	json_list_string(l, "config", s->config);
	json_list_string(l, "metric", s->metric);
	json_list_string(l, "unit", s->unit);
	json_list_string(l, "method", methods[s->method]);
}

/* Flat rows; member `series` is the index in the array `series`. */
static void json_rows(struct json_list *l, const struct history *h,
		      const struct history_series *s, size_t number)
{
	for (size_t i = 0; i < s->n_points; i++) {
		const struct history_run *run = &h->runs[s->points[i].run];

		json_list_row(l, "points");
		json_list_number(l, "series", (double)number);
		json_list_number(l, "value", s->points[i].value);
		json_list_number(l, "lo", s->points[i].lo);
		json_list_number(l, "hi", s->points[i].hi);
		json_list_string(l, "run", run->id);
		json_list_string(l, "time", run->time);
		json_list_string(l, "kernel", run->kernel);
		json_list_string(l, "label", run->label);
		json_list_string(l, "commit", run->commit);
		for (enum row_quantile q = 0; q < ROW_QUANTILES; q++)
			json_list_number(l, row_quantile_name(q),
					 history_quantile(&s->points[i], q));
		json_list_bool(l, "outlier", s->points[i].outlier);
		json_list_string(l, "handled_by", s->points[i].class.handled_by);
		json_list_number(l, "exits", s->points[i].class.exits);
	}
	for (size_t k = 0; k <= s->n_changes; k++) {
		struct history_stretch now = history_stretch(s, k);

		json_list_row(l, "stretches");
		json_list_number(l, "series", (double)number);
		json_list_number(l, "start", (double)now.start);
		json_list_number(l, "end", (double)now.end);
		json_list_number(l, "mean", now.mean);
		json_list_number(l, "lo", now.lo);
		json_list_number(l, "hi", now.hi);
		json_list_string(l, "verdict",
				 k ? history_kind_name(history_kind(s, k - 1)) : NULL);
		json_list_number(l, "p", k ? s->changes[k - 1].pvalue : NAN);
	}
}

void history_json_series(const struct history_query *q, const struct history *h)
{
	struct json_list *l = json_list_new();
	size_t n = 0;

	for (size_t i = 0; i < h->n_series; i++)
		if (history_selects(q, h, &h->series[i]))
			json_series(l, h, &h->series[i]);
	for (size_t i = 0; i < h->n_series; i++)
		if (history_selects(q, h, &h->series[i]))
			json_rows(l, h, &h->series[i], n++);
	print(l);
}
