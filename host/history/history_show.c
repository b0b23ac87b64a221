/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `history show` as text: a series, stretch by stretch. */
#include "host/history/history.h"

#include <langinfo.h>
#include <math.h>
#include <string.h>

#include "host/lib/number.h"
#include "host/lib/text.h"

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

static void print_stretch(const struct history *h, const struct history_series *s,
			  size_t k, size_t width)
{
	struct history_stretch now = history_stretch(s, k);
	char name[HISTORY_NAME_BYTES], until[HISTORY_NAME_BYTES];
	char number[NUMBER_BYTES], range[2 * NUMBER_BYTES + 8];

	history_name(&h->runs[s->points[now.start].run], name);
	history_name(&h->runs[s->points[now.end - 1].run], until);
	if (now.lo < now.hi) {
		number_format(number, now.lo, true);
		snprintf(range, sizeof(range), "%s to ", number);
		number_format(number, now.hi, true);
		strcat(range, number);
	} else {
		number_format(range, now.mean, s->method == HISTORY_STEPS);
	}
	fputs("  ", stdout);
	text_left(stdout, name, width);
	fputs("  ", stdout);
	text_left(stdout, until, width);
	printf("  %5zu  %12s", now.end - now.start, range);
	if (k) {
		double relative = history_relative(&s->changes[k - 1]);

		if (!isnan(relative))
			printf("  %+7.2f %%", 100 * relative);
		printf("  %s", history_kind_name(history_kind(s, k - 1)));
	}
	putchar('\n');
}

static void print_series(const struct history *h, const struct history_series *s)
{
	char label[HISTORY_NAME_BYTES], where[HISTORY_NAME_BYTES];
	char name[HISTORY_NAME_BYTES];
	size_t width = 4;

	for (size_t i = 0; i < s->n_points; i++) {
		history_name(&h->runs[s->points[i].run], name);
		if (text_width(name) > width)
			width = text_width(name);
	}
	history_label(s, label);
	history_where(&h->places[s->place], where);
	printf("%s: %s, in %s%s\n", where, label, s->unit,
	       s->method == HISTORY_TOO_FEW ? "; too short to judge" : "");
	print_spark(s);
	fputs("  ", stdout);
	text_left(stdout, "from", width);
	fputs("  ", stdout);
	text_left(stdout, "to", width);
	printf("  %5s  %12s\n", "runs", "value");
	for (size_t k = 0; k <= s->n_changes; k++)
		print_stretch(h, s, k, width);
}

void history_print_series(const struct history_query *q, const struct history *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n_series; i++) {
		if (!history_selects(q, h, &h->series[i]))
			continue;
		if (n++)
			putchar('\n');
		print_series(h, &h->series[i]);
	}
}
