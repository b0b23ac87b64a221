/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `history show` as text: a series, stretch by stretch. */
#include "host/history/history.h"

#include <langinfo.h>
#include <math.h>
#include <string.h>

#include "host/lib/text.h"
#include "host/lib/table.h"

#define SPARK_COLUMNS 72
#define SPARK_LEVELS  8

static void range(const struct history_series *s, double *min, double *max)
{
	*min = INFINITY;
	*max = -INFINITY;
	for (size_t i = 0; i < s->n_points; i++) {
		*min = fmin(*min, s->points[i].value);
		*max = fmax(*max, s->points[i].value);
	}
}

/* A bar per point; in a long series, per group of points. */
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
	struct history_stretch now = history_stretch(s, k);
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

void history_print_series(const struct history_query *q, const struct history *h)
{
	struct table_options o;
	size_t n = 0;

	table_options_for(&o, stdout);
	for (size_t i = 0; i < h->n_series; i++) {
		if (!history_selects(q, h, &h->series[i]))
			continue;
		if (n++)
			putchar('\n');
		print_series(h, &h->series[i], &o);
	}
}
