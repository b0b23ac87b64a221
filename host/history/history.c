/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A history's file, read into series. */
#include "host/lib/error.h"
#include "host/history/history.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/history/history_index.h"
#include "host/history/row_file.h"

struct reading {
	struct history *h;
	struct history_index places, runs, series, subjects;
	size_t *first;		       /* run of each subject */
	const char *emulator, *family; /* of the last row: most rows share it */
};

static void *more(void *array, size_t n, size_t bytes)
{
	if (n & (n - 1)) /* full at powers of two only */
		return array;
	array = realloc(array, (n ? 2 * n : 1) * bytes);
	if (!array)
		abort();
	return array;
}

/* "QEMU emulator version 7.2.22 (Debian ...)" up to and with "7.2". */
static const char *emulator_family(struct reading *rd, const char *emulator)
{
	const char *end = emulator;

	if (!emulator || emulator == rd->emulator)
		return emulator ? rd->family : NULL;
	while (*end && !(isdigit((unsigned char)end[0]) &&
			 end[1 + strspn(end + 1, "0123456789")] == '.'))
		end++;
	end += strspn(end, "0123456789");
	if (*end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	rd->emulator = emulator;
	rd->family = row_names_get(rd->h->names, emulator, (size_t)(end - emulator));
	return rd->family;
}

static size_t place_of(struct reading *rd, const struct row *row)
{
	const char *what = row->exact ? emulator_family(rd, row->emulator) : row->machine;
	struct history_key key = { { (uintptr_t)row->target, (uintptr_t)what,
				     row->exact } };
	size_t number = history_index_get(&rd->places, &key);
	struct history *h = rd->h;

	if (number < h->n_places)
		return number;
	h->places = more(h->places, h->n_places, sizeof(*h->places));
	h->places[h->n_places++] = (struct history_place){
		.target = row->target,
		.what = what,
		.exact = row->exact,
	};
	return number;
}

/* The first run of what run `number` measured, with what it was measured by. */
static size_t first_run(struct reading *rd, const struct row *row, size_t place,
			size_t number)
{
	struct history_key key = { { place, (uintptr_t)row->kernel, (uintptr_t)row->label,
				     (uintptr_t)row->commit, (uintptr_t)row->tool,
				     (uintptr_t)row->emulator } };
	size_t known = rd->subjects.n, subject;

	if (!row->exact)
		return number;
	subject = history_index_get(&rd->subjects, &key);
	if (subject == known) {
		rd->first = more(rd->first, known, sizeof(*rd->first));
		rd->first[subject] = number;
	}
	return rd->first[subject];
}

static size_t run_of(struct reading *rd, const struct row *row)
{
	size_t place = place_of(rd, row), number;
	struct history_key key = { { (uintptr_t)row->run, place } };
	struct history *h = rd->h;

	number = history_index_get(&rd->runs, &key);
	if (number < h->n_runs)
		return number;
	h->runs = more(h->runs, h->n_runs, sizeof(*h->runs));
	h->runs[h->n_runs++] = (struct history_run){
		.id = row->run,
		.time = row->time,
		.kernel = row->kernel,
		.label = row->label,
		.commit = row->commit,
		.emulator = row->emulator,
		.tool = row->tool,
		.place = place,
		.subject = first_run(rd, row, place, number),
		.at_place = h->places[place].n_runs++,
	};
	return number;
}

static struct history_series *series_of(struct reading *rd, const struct row *row,
					size_t place)
{
	struct history_key key = { { place, (uintptr_t)row->benchmark,
				     (uintptr_t)row->config, (uintptr_t)row->metric,
				     (uintptr_t)row->unit } };
	size_t number = history_index_get(&rd->series, &key);
	struct history *h = rd->h;

	if (number == h->n_series) {
		h->series = more(h->series, h->n_series, sizeof(*h->series));
		h->series[h->n_series++] = (struct history_series){
			.place = place,
			.benchmark = row->benchmark,
			.config = row->config,
			.metric = row->metric,
			.unit = row->unit,
			.lower_is_better = strcmp(row->better, "higher") != 0,
		};
	}
	return &h->series[number];
}

static int take(void *ctx, const struct row *row)
{
	struct reading *rd = ctx;
	size_t run = run_of(rd, row);
	struct history_series *s = series_of(rd, row, rd->h->runs[run].place);

	s->points = more(s->points, s->n_points, sizeof(*s->points));
	s->points[s->n_points++] = (struct history_point){
		.run = run,
		.value = row->value,
		.lo = row->lo,
		.hi = row->hi,
		.boots = row->boots,
		.class = { row->handled_by, row->exits },
	};
	s->quantum = fmax(s->quantum, (double)row->quantum);
	return 0;
}

static int by_run(const void *a, const void *b, void *ctx)
{
	const struct history *h = ctx;
	const struct history_point *x = a, *y = b;
	size_t p = h->runs[x->run].subject, q = h->runs[y->run].subject;

	if (p != q)
		return p < q ? -1 : 1;
	return (x->run > y->run) - (x->run < y->run);
}

/*
 * The rest of a run may have been added after other runs, two histories that were
 * joined may share some, and repetitions stand with what they repeat: each run has one
 * figure, at its place.
 */
static size_t settle(struct history *h, struct history_series *s)
{
	size_t kept = 0, n = s->n_points;
	bool sorted = true;

	for (size_t i = 1; i < n && sorted; i++)
		sorted = s->points[i - 1].run < s->points[i].run &&
			 h->runs[s->points[i].run].subject == s->points[i].run;
	if (sorted)
		return 0;
	qsort_r(s->points, n, sizeof(*s->points), by_run, h);
	for (size_t i = 0; i < n; i++)
		if (!kept || s->points[kept - 1].run != s->points[i].run)
			s->points[kept++] = s->points[i];
	s->n_points = kept;
	return n - kept;
}

int history_read(const char *path, struct history *h, struct error *err)
{
	struct reading rd = { .h = h };
	struct row_file *f;
	int rc = row_file_open(path, false, &f, err);

	*h = (struct history){ 0 };
	if (rc)
		return rc;
	h->names = row_names_new();
	h->torn = row_file_torn(f);
	rc = row_file_read(f, h->names, take, &rd, err);
	row_file_close(f);
	history_index_free(&rd.places);
	history_index_free(&rd.runs);
	history_index_free(&rd.series);
	history_index_free(&rd.subjects);
	free(rd.first);
	for (size_t i = 0; i < h->n_series; i++)
		h->duplicates += settle(h, &h->series[i]);
	if (rc)
		history_free(h);
	return rc;
}

void history_free(struct history *h)
{
	for (size_t i = 0; i < h->n_series; i++) {
		free(h->series[i].points);
		free(h->series[i].changes);
	}
	free(h->series);
	free(h->runs);
	free(h->places);
	row_names_free(h->names);
	*h = (struct history){ 0 };
}
