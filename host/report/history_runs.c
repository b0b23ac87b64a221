/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runs along the axis of a history's picture, and what they are called there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/report/figure.h"
#include "host/report/history_sheet.h"

#define NAMES_MAX  14 /* along the axis */
#define NAME_BYTES 48

double history_at(const struct history_sheet *sheet, const struct history_point *p)
{
	return (double)sheet->h->runs[p->run].at_place;
}

/* Whether the kernel tells the runs of a place apart. */
static bool kernels_differ(const struct history_sheet *sheet)
{
	const char *first = NULL;

	for (size_t i = 0; i < sheet->h->n_runs; i++) {
		const struct history_run *run = &sheet->h->runs[i];

		if (run->place != sheet->place || !run->kernel)
			continue;
		if (first && strcmp(first, run->kernel) != 0)
			return true;
		first = run->kernel;
	}
	return false;
}

/* What tells a run from its neighbours: its kernel, or else its label or its time. */
static void run_name(const struct history_sheet *sheet, const struct history_run *run,
		     char text[NAME_BYTES])
{
	const char *name = run->label ? run->label : run->commit;

	if (run->kernel && kernels_differ(sheet))
		name = run->kernel;
	if (name)
		snprintf(text, NAME_BYTES, "%s", name);
	else /* "2026-11-21T09:59:12Z", to the minute */
		snprintf(text, NAME_BYTES, "%.10s %.5s", run->time,
			 strlen(run->time) > 16 ? run->time + 11 : "");
}

static bool begins_change(const struct history_sheet *sheet, size_t at_place)
{
	for (size_t row = 0; row < sheet->n_rows; row++) {
		const struct history_series *s = sheet->rows[row];

		for (size_t k = 0; k < s->n_changes; k++)
			if (sheet->h->runs[s->points[s->changes[k].index].run].at_place ==
			    at_place)
				return true;
	}
	return false;
}

/*
 * All runs are named where there is room; else those that brought a change, the first
 * and the last; and where these are too many as well, every so manieth.
 */
static void choose_names(const struct history_sheet *sheet, bool *named)
{
	size_t n = sheet->h->places[sheet->place].n_runs, count = 0;

	for (size_t i = 0; i < n; i++) {
		named[i] = n <= NAMES_MAX || !i || i + 1 == n || begins_change(sheet, i);
		count += named[i];
	}
	for (size_t i = 0; i < n && count > NAMES_MAX; i++)
		named[i] = i % (n / NAMES_MAX + 1) == 0;
}

void history_print_runs(const struct figure *g, const struct history_sheet *sheet,
			bool named)
{
	size_t n = sheet->h->places[sheet->place].n_runs, count = 0;
	bool *chosen = calloc(n + 1, sizeof(*chosen));
	struct figure_name names[NAMES_MAX + 2];
	char texts[NAMES_MAX + 2][NAME_BYTES];

	if (!chosen)
		abort();
	choose_names(sheet, chosen);
	for (size_t i = 0; i < sheet->h->n_runs && named; i++) {
		const struct history_run *run = &sheet->h->runs[i];

		if (run->place != sheet->place || run->at_place >= n ||
		    !chosen[run->at_place] || count == NAMES_MAX + 2)
			continue;
		run_name(sheet, run, texts[count]);
		names[count] =
			(struct figure_name){ (double)run->at_place, texts[count] };
		count++;
	}
	figure_name_axis(g, "x", -0.7, (double)n - 0.3, names, count);
	free(chosen);
}
