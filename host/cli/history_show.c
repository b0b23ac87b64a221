/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench history show`: series with their stretches. */
#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/history.h"
#include "host/lib/message.h"
#include "host/lib/table.h"
#include "host/result/json_list.h"
#include "host/lib/number.h"

#define SPARK_COLUMNS 72
#define SPARK_LEVELS  8

/* From a change point to the next: points [start, end). */
struct stretch {
	size_t start, end;
	double mean;
	double lo, hi; /* of an exact series: the range over all boots; NAN */
};

static struct stretch stretch(const struct history_series *s, size_t k)
{
	struct stretch out = {
		.start = k ? s->changes[k - 1].index : 0,
		.end = k < s->n_changes ? s->changes[k].index : s->n_points,
		.lo = NAN,
		.hi = NAN,
	};

	for (size_t i = out.start; i < out.end; i++) {
		const struct history_point *p = &s->points[i];

		out.mean += p->value;
		if (s->method != HISTORY_STEPS)
			continue;
		out.lo = fmin(out.lo, isnan(p->lo) ? p->value : p->lo);
		out.hi = fmax(out.hi, isnan(p->hi) ? p->value : p->hi);
	}
	out.mean /= (double)(out.end - out.start);
	return out;
}

static void range(const struct history_series *s, double *min, double *max)
{
	*min = INFINITY;
	*max = -INFINITY;
	for (size_t i = 0; i < s->n_points; i++) {
		*min = fmin(*min, s->points[i].value);
		*max = fmax(*max, s->points[i].value);
	}
}

/* A bar per point, or per so many points that all fit in. */
static void print_spark(const struct history_series *s)
{
	static const char *const bars[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const plain[] = { "_", ".", ":", "-", "=", "+", "*", "#" };
	bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	size_t columns = s->n_points < SPARK_COLUMNS ? s->n_points : SPARK_COLUMNS;
	double min, max;

	range(s, &min, &max);
	fputs("  ", stdout);
	for (size_t c = 0; c < columns; c++) {
		size_t from = c * s->n_points / columns;
		size_t to = (c + 1) * s->n_points / columns, level = 0;
		double mean = 0;

		for (size_t i = from; i < to; i++)
			mean += s->points[i].value / (double)(to - from);
		if (max > min)
			level = (size_t)lround((mean - min) / (max - min) *
					       (SPARK_LEVELS - 1));
		fputs(utf8 ? bars[level] : plain[level], stdout);
	}
	putchar('\n');
}

static void add_stretch(struct table *t, const struct history *h,
			const struct history_series *s, size_t k)
{
	struct stretch now = stretch(s, k);
	char name[HISTORY_NAME_BYTES], until[HISTORY_NAME_BYTES];
	char lo[NUMBER_BYTES], hi[NUMBER_BYTES];

	history_name(&h->runs[s->points[now.start].run], name);
	history_name(&h->runs[s->points[now.end - 1].run], until);
	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "  %s", name);
	table_cell(t, 1, "%s", until);
	table_cell(t, 2, "%zu", now.end - now.start);
	if (now.lo < now.hi) {
		number_format(lo, now.lo, true);
		number_format(hi, now.hi, true);
		table_cell(t, 3, "%s to %s", lo, hi);
	} else {
		table_number(t, 3, now.mean, s->method == HISTORY_STEPS, false);
	}
	if (k) {
		double relative = history_relative(&s->changes[k - 1]);

		if (!isnan(relative))
			table_cell(t, 4, "%+.2f %%", 100 * relative);
		table_cell(t, 5, "%s", history_kind_name(history_kind(s, k - 1)));
	}
}

static void print_series(const struct history *h, const struct history_series *s,
			 const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "  from", TABLE_KEY, 0, NULL },   { "to", 0, 0, NULL },
		{ "runs", TABLE_RIGHT, 0, NULL },   { "value", TABLE_RIGHT, 0, NULL },
		{ "change", TABLE_RIGHT, 0, NULL }, { "verdict", 0, 0, NULL },
	};
	char label[HISTORY_NAME_BYTES], where[HISTORY_NAME_BYTES];
	struct table t;

	history_label(s, label);
	history_where(&h->places[s->place], where);
	printf("%s: %s, in %s%s\n", where, label, s->unit,
	       s->method == HISTORY_TOO_FEW ? "; too short to judge" : "");
	print_spark(s);
	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t k = 0; k <= s->n_changes; k++)
		add_stretch(&t, h, s, k);
	table_print(stdout, &t, o);
	table_free(&t);
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

/* Flat rows: `series` numbers the rows of the array of that name. */
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
		json_list_string(l, "handled_by", s->points[i].class.handled_by);
		json_list_number(l, "exits", s->points[i].class.exits);
	}
	for (size_t k = 0; k <= s->n_changes; k++) {
		struct stretch now = stretch(s, k);

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

static void print_json(const struct history_args *args, const struct history *h)
{
	struct json_list *l = json_list_new();
	size_t n = 0;
	char *text;

	for (size_t i = 0; i < h->n_series; i++)
		if (history_wanted(args, h, &h->series[i]))
			json_series(l, h, &h->series[i]);
	for (size_t i = 0; i < h->n_series; i++)
		if (history_wanted(args, h, &h->series[i]))
			json_rows(l, h, &h->series[i], n++);
	text = json_list_dump(l);
	fputs(text, stdout);
	free(text);
	json_list_free(l);
}

enum cli_exit history_show(const struct history_args *args, struct history *h)
{
	struct table_options o;
	size_t n = 0;

	for (size_t i = 0; i < h->n_series; i++)
		n += history_wanted(args, h, &h->series[i]);
	if (!n) {
		message_error("%s has no such series", args->db);
		return CLI_USAGE;
	}
	if (args->json) {
		print_json(args, h);
		return CLI_OK;
	}
	table_options_for(&o, stdout);
	n = 0;
	for (size_t i = 0; i < h->n_series; i++) {
		if (!history_wanted(args, h, &h->series[i]))
			continue;
		if (n++)
			putchar('\n');
		print_series(h, &h->series[i], &o);
	}
	return CLI_OK;
}
