/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What perf kvm stat prints. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/budget/exits.h"

static const struct {
	const char *head;
	enum exits_kind kind;
} perf_heads[] = {
	{ "VM-EXIT", EXITS_VMEXIT },
	{ "MMIO Access", EXITS_MMIO },
	{ "IO Port Access", EXITS_IOPORT },
	{ "MSR Access", EXITS_MSR },
};

bool exits_perf_head(const char *line, enum exits_kind *kind)
{
	size_t n;

	line += strspn(line, " ");
	for (size_t i = 0; i < sizeof(perf_heads) / sizeof(perf_heads[0]); i++) {
		n = strlen(perf_heads[i].head);
		if (strncmp(line, perf_heads[i].head, n) != 0)
			continue;
		n += strspn(line + n, " ");
		*kind = perf_heads[i].kind;
		return !strncmp(line + n, "Samples ", 8);
	}
	return false;
}

/* "04:02:08.254819" at the head of a table of `perf kvm stat live`, after an escape
 * sequence that clears the screen. */
static bool perf_time(const char *line, double *seconds)
{
	unsigned int h, m, s, us;
	const char *at = strrchr(line, 'J');
	int end = 0;

	if (*line == '\033' && at)
		line = at + 1;
	if (sscanf(line, "%2u:%2u:%2u.%6u%n", &h, &m, &s, &us, &end) != 4 || line[end])
		return false;
	*seconds = h * 3600.0 + m * 60.0 + s + us * 1e-6;
	return true;
}

/*
 * The name may have blanks ("UD excp"), so the columns are found from the right: count,
 * two shares, least, greatest and mean time, deviation.
 */
static int perf_row(struct exits_lines *l, struct exits *e)
{
	static const char *const ends[] = { "us", "us", "us", "%", "%" };
	char *deviation = strrchr(l->line, '('), *word, *name = l->line;
	double count, mean = NAN;

	if (!deviation)
		return exits_bad(l, "not a row of perf kvm stat");
	*deviation = '\0';
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		char *rest;

		word = exits_cut_word(l->line);
		count = strtod(word, &rest);
		if (rest == word || strcmp(rest, ends[i]) != 0)
			return exits_bad(l, "not a row of perf kvm stat");
		if (i == 0)
			mean = count;
	}
	word = exits_cut_word(l->line);
	if (!exits_is_count(word, &count))
		return exits_bad(l, "the count of samples is not a number below 10^15");
	name += strspn(name, " ");
	exits_trim(name);
	if (!isfinite(mean) || mean < 0 || mean > EXITS_COUNT_MAX)
		mean = NAN;
	return exits_add(l, e, name, count, mean * count);
}

/* From the head to "Total Samples:". Incomplete at the end of the text: 1. */
static int perf_table(struct exits_lines *l, struct exits *e)
{
	double sum = 0, total;
	const char *at;
	int rc;

	while (exits_line(l)) {
		if (!l->line[strspn(l->line, " ")])
			continue;
		if (strncmp(l->line, "Total Samples:", 14) != 0) {
			rc = perf_row(l, e);
			if (rc)
				return rc;
			continue;
		}
		at = l->line + 14;
		total = strtod(at, NULL);
		for (size_t i = 0; i < e->n; i++)
			sum += e->events[i].count;
		if (!strspn(at, "0123456789") || total != sum)
			return exits_bad(l, "the rows do not add up to the total");
		return 0;
	}
	return l->failed ? l->failed : 1;
}

static void merge(struct exits_lines *l, struct exits *into, const struct exits *from)
{
	for (size_t i = 0; i < from->n && !l->failed; i++)
		exits_add(l, into, from->events[i].name, from->events[i].count,
			  from->events[i].handled_us);
}

/*
 * A report is one table. `live` prints a table after each interval: the first one ends at
 * a known time and begins at an unknown one, so that the others are the interval, and the
 * last may be cut off by the end of perf.
 */
int exits_parse_perf(struct exits_lines *l, struct exits *out)
{
	double first = NAN, last = NAN, now = NAN, lost;
	struct exits head = { 0 }, table;
	size_t n = 0;

	while (exits_line(l)) {
		enum exits_kind kind;
		int rc;

		perf_time(l->line, &now);
		if (sscanf(l->line, "Lost events: %lf", &lost) == 1 && lost > 0 &&
		    lost <= EXITS_COUNT_MAX)
			out->lost += lost;
		if (!exits_perf_head(l->line, &kind))
			continue;
		if (n && (kind != out->kind || isnan(now)))
			return exits_bad(l, "a second report begins here");
		out->kind = kind;
		table = (struct exits){ 0 };
		rc = perf_table(l, &table);
		if (rc == 1 && n && !isnan(now)) {
			exits_free(&table);
			break;
		}
		if (rc == 1)
			exits_bad(l, "the report is cut off");
		if (rc >= 0)
			merge(l, n || isnan(now) ? out : &head, &table);
		exits_free(&table);
		if (l->failed)
			break;
		first = n++ ? first : now;
		last = now;
	}
	if (n == 1)
		merge(l, out, &head);
	exits_free(&head);
	if (n > 1) {
		out->seconds = last - first;
		out->seconds += out->seconds < 0 ? 86400 : 0; /* midnight */
	}
	return l->failed;
}
