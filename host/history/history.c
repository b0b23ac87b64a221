/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A history: the file read into series, and documents added to the file. */
#include "host/history/history.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/stats/summary.h"

/* A tuple of interned strings and numbers, which is numbered by a table of its bytes. */
#define KEY_PARTS 6

struct key {
	uintptr_t part[KEY_PARTS];
};

struct reading {
	struct history *h;
	struct row_names *places, *runs, *series, *subjects; /* of struct key */
	size_t n_subjects;
	size_t *first;	/* run of each subject */
	struct row row; /* the last one, of run `run` */
	size_t run;
	size_t next; /* the series that the next row is likely of */
	uint32_t rows;
	const char *path;
	struct error *err;
};

static size_t number_of(struct row_names *keys, const struct key *key)
{
	return row_names_number(keys, (const char *)key, sizeof(*key));
}

static void *more(void *array, size_t n, size_t bytes)
{
	if (n & (n - 1)) /* an array is full if n is a power of two */
		return array;
	array = realloc(array, (n ? 2 * n : 1) * bytes);
	if (!array)
		abort();
	return array;
}

/* The bytes up to the minor version: "QEMU emulator version 7.2" of "QEMU emulator
 * version 7.2.22 (Debian ...)". */
static size_t family_bytes(const char *emulator)
{
	const char *end = emulator;

	while (*end && !(isdigit((unsigned char)end[0]) &&
			 end[1 + strspn(end + 1, "0123456789")] == '.'))
		end++;
	end += strspn(end, "0123456789");
	if (*end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	return (size_t)(end - emulator);
}

static const char *emulator_family(struct reading *rd, const char *emulator)
{
	return emulator ? row_names_get(rd->h->names, emulator, family_bytes(emulator))
			: NULL;
}

bool history_on_emulator(const struct history_place *place, const char *emulator)
{
	size_t n;

	if (!place->exact || !place->what || !emulator)
		return !place->exact || place->what == emulator;
	n = family_bytes(emulator);
	return strlen(place->what) == n && !strncmp(place->what, emulator, n);
}

static size_t place_of(struct reading *rd, const struct row *row)
{
	const char *what = row->exact ? emulator_family(rd, row->emulator) : row->machine;
	struct key key = { .part = { (uintptr_t)row->target, (uintptr_t)what,
				     row->exact } };
	size_t number = number_of(rd->places, &key);
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

/* The first run of the subject of run `number`, by the same emulator and program. */
static size_t first_run(struct reading *rd, const struct row *row, size_t place,
			size_t number)
{
	struct key key = { .part = { place, (uintptr_t)row->kernel, (uintptr_t)row->label,
				     (uintptr_t)row->commit, (uintptr_t)row->tool,
				     (uintptr_t)row->emulator } };
	size_t subject;

	if (!row->exact)
		return number;
	subject = number_of(rd->subjects, &key);
	if (subject == rd->n_subjects) {
		rd->first = more(rd->first, subject, sizeof(*rd->first));
		rd->first[rd->n_subjects++] = number;
	}
	return rd->first[subject];
}

static size_t run_of(struct reading *rd, const struct row *row)
{
	size_t place = place_of(rd, row), number;
	struct key key = { .part = { (uintptr_t)row->run, place } };
	struct history *h = rd->h;

	number = number_of(rd->runs, &key);
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

/* Quantiles of points, in blocks that do not move. */
#define BLOCK_ROWS 1024

struct history_quantiles {
	struct history_quantiles *next;
	size_t n;
	double rows[BLOCK_ROWS][ROW_QUANTILES];
};

static const double plain[ROW_QUANTILES] = { NAN, NAN, NAN, NAN, NAN, NAN };

/* Most rows of exact targets have equal events, and share their quantiles. */
static const double *keep_quantiles(struct history *h, const struct row *row)
{
	struct history_quantiles *block = h->quantiles;
	bool equal = row->quantiles[ROW_MEAN] == row->value;

	if (isnan(row->quantiles[ROW_MEAN]))
		return NULL;
	for (size_t q = 0; q < ROW_MEAN && equal; q++)
		equal = isnan(row->quantiles[q]);
	if (equal)
		return plain;
	if (!block || block->n == BLOCK_ROWS) {
		block = malloc(sizeof(*block));
		if (!block)
			abort();
		block->next = h->quantiles;
		block->n = 0;
		h->quantiles = block;
	}
	memcpy(block->rows[block->n], row->quantiles, sizeof(row->quantiles));
	return block->rows[block->n++];
}

double history_quantile(const struct history_point *p, enum row_quantile q)
{
	if (!p->quantiles)
		return NAN;
	return isnan(p->quantiles[q]) ? p->value : p->quantiles[q];
}

static bool is_lower_better(const struct row *row)
{
	return strcmp(row->better, "higher") != 0;
}

static bool is_of_series(const struct history_series *s, const struct row *row,
			 size_t place)
{
	return s->place == place && s->benchmark == row->benchmark &&
	       s->config == row->config && s->metric == row->metric &&
	       s->unit == row->unit;
}

static struct history_series *series_of(struct reading *rd, const struct row *row,
					size_t place)
{
	struct key key = { .part = { place, (uintptr_t)row->benchmark,
				     (uintptr_t)row->config, (uintptr_t)row->metric,
				     (uintptr_t)row->unit } };
	struct history *h = rd->h;
	size_t number;

	/* Runs have their rows in one order. */
	if (rd->next < h->n_series && is_of_series(&h->series[rd->next], row, place))
		return &h->series[rd->next++];
	number = number_of(rd->series, &key);
	rd->next = number + 1;
	if (number == h->n_series) {
		h->series = more(h->series, h->n_series, sizeof(*h->series));
		h->series[h->n_series++] = (struct history_series){
			.place = place,
			.benchmark = row->benchmark,
			.config = row->config,
			.metric = row->metric,
			.unit = row->unit,
			.lower_is_better = is_lower_better(row),
			.bodies = row->exact ? 1
					     : result_bodies(row->benchmark, row->metric),
		};
	}
	return &h->series[number];
}

static int add_point(void *ctx, const struct row *row)
{
	struct reading *rd = ctx;
	struct history_series *s;

	/* Strings are interned. Most rows are of the run of the row before. */
	if (row->run != rd->row.run || row->target != rd->row.target ||
	    row->machine != rd->row.machine || row->emulator != rd->row.emulator ||
	    row->exact != rd->row.exact)
		rd->run = run_of(rd, row);
	if (row->run != rd->row.run)
		rd->next = 0;
	rd->row = *row;
	if (row->quantum > RESULT_RESOLUTION_MAX) {
		rd->h->invalid_run = rd->h->invalid++ ? rd->h->invalid_run : row->run;
		return 0;
	}
	s = series_of(rd, row, rd->h->runs[rd->run].place);
	if (s->lower_is_better != is_lower_better(row))
		return error_set(
			rd->err, -EINVAL,
			"%s: run %s: %s [%s] %s: better: '%s', unlike the runs before",
			rd->path, row->run, row->benchmark, row->config, row->metric,
			row->better);
	s->points = more(s->points, s->n_points, sizeof(*s->points));
	s->points[s->n_points++] = (struct history_point){
		.run = rd->run,
		.value = row->value,
		.lo = row->lo,
		.hi = row->hi,
		.boots = row->boots,
		.order = rd->rows++,
		/* Older rows have the clock's step, whatever their unit. */
		.quantum = result_whole_unit(row->unit) ? (double)row->quantum / s->bodies
							: 0,
		.class = { row->handled_by, row->exits },
		.quantiles = keep_quantiles(rd->h, row),
	};
	return 0;
}

static int by_run(const void *a, const void *b, void *ctx)
{
	const struct history *h = ctx;
	const struct history_point *x = a, *y = b;
	size_t p = h->runs[x->run].subject, q = h->runs[y->run].subject;

	if (p != q)
		return p < q ? -1 : 1;
	if (x->run != y->run)
		return x->run < y->run ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* -EEXIST: a run has two values of a series. */
static int report_twice(const struct history *h, const struct history_series *s,
			const struct history_point *one, const struct history_point *two,
			const char *path, struct error *err)
{
	return error_set(err, -EEXIST,
			 "%s: run %s has two figures of %s [%s] %s: %g and %g", path,
			 h->runs[one->run].id, s->benchmark, s->config, s->metric,
			 one->value, two->value);
}

/*
 * Sorts the points by run and removes duplicates: parts of a run can be added after other
 * runs, joined files can share runs, and repetitions move to their subject.
 */
static int sort_points(const char *path, enum history_twice twice, struct history *h,
		       struct history_series *s, struct error *err)
{
	size_t kept = 0, n = s->n_points;
	bool sorted = true;

	for (size_t i = 1; i < n && sorted; i++)
		sorted = s->points[i - 1].run < s->points[i].run &&
			 h->runs[s->points[i].run].subject == s->points[i].run;
	if (sorted)
		return 0;
	qsort_r(s->points, n, sizeof(*s->points), by_run, h);
	for (size_t i = 0; i < n; i++) {
		struct history_point *last = kept ? &s->points[kept - 1] : NULL;

		if (!last || last->run != s->points[i].run)
			s->points[kept++] = s->points[i];
		else if (last->value != s->points[i].value && twice == HISTORY_REFUSE)
			return report_twice(h, s, last, &s->points[i], path, err);
		else if (twice == HISTORY_LAST)
			*last = s->points[i];
	}
	s->n_points = kept;
	h->duplicates += n - kept;
	return 0;
}

/* The median: a run with a coarser clock does not decide for the others. */
static double median_quantum(const struct history_series *s)
{
	bool equal = true;
	double *quanta, out;

	for (size_t i = 1; i < s->n_points && equal; i++)
		equal = s->points[i].quantum == s->points[0].quantum;
	if (equal)
		return s->n_points ? s->points[0].quantum : 0;
	quanta = calloc(s->n_points, sizeof(*quanta));
	if (!quanta)
		abort();
	for (size_t i = 0; i < s->n_points; i++)
		quanta[i] = s->points[i].quantum;
	out = stats_median(quanta, s->n_points);
	free(quanta);
	return out;
}

int history_read(const char *path, enum history_twice twice, struct history *h,
		 struct error *err)
{
	struct reading rd = { .h = h, .path = path, .err = err };
	struct row_file *f;
	int rc = row_file_open(path, false, &f, err);

	*h = (struct history){ 0 };
	if (rc)
		return rc;
	h->names = row_names_new();
	rd.places = row_names_new();
	rd.runs = row_names_new();
	rd.series = row_names_new();
	rd.subjects = row_names_new();
	h->torn = row_file_torn(f);
	rc = row_file_read(f, h->names, add_point, &rd, err);
	row_file_close(f);
	row_names_free(rd.places);
	row_names_free(rd.runs);
	row_names_free(rd.series);
	row_names_free(rd.subjects);
	free(rd.first);
	for (size_t i = 0; i < h->n_series && !rc; i++) {
		rc = sort_points(path, twice, h, &h->series[i], err);
		h->series[i].quantum = median_quantum(&h->series[i]);
	}
	if (rc)
		history_free(h);
	return rc;
}

void history_free(struct history *h)
{
	for (size_t i = 0; i < h->n_series; i++) {
		free(h->series[i].points);
		free(h->series[i].changes);
		free(h->series[i].hidden);
	}
	while (h->quantiles) {
		struct history_quantiles *next = h->quantiles->next;

		free(h->quantiles);
		h->quantiles = next;
	}
	free(h->series);
	free(h->runs);
	free(h->places);
	row_names_free(h->names);
	*h = (struct history){ 0 };
}

/* The rows of all documents, in order. */
struct addition {
	struct row *rows;
	bool *known;   /* the file has the row already */
	double *value; /* the last one in the file, of a known row */
	size_t n;
	/* The run of the last line of the file, and whether `rows` has rows of the run.
	 */
	const char *run;
	bool ours;
};

static bool wanted(const char *const *metrics, const char *name)
{
	for (; *metrics; metrics++)
		if (!fnmatch(*metrics, name, 0))
			return true;
	return false;
}

static bool same(const struct row *a, const struct row *b)
{
	return !strcmp(a->run, b->run) && !strcmp(a->target, b->target) &&
	       !strcmp(a->benchmark, b->benchmark) && !strcmp(a->config, b->config) &&
	       !strcmp(a->metric, b->metric);
}

static int mark_known(void *ctx, const struct row *row)
{
	struct addition *a = ctx;

	/* Interned: the comparison of pointers is enough for most lines. */
	if (a->run != row->run) {
		a->run = row->run;
		a->ours = false;
		for (size_t i = 0; i < a->n && !a->ours; i++)
			a->ours = !strcmp(a->rows[i].run, row->run);
	}
	for (size_t i = 0; a->ours && i < a->n; i++) {
		if (!same(&a->rows[i], row))
			continue;
		a->known[i] = true;
		a->value[i] = row->value;
	}
	return 0;
}

static void add_row(struct addition *a, const struct row *row)
{
	a->rows = realloc(a->rows, (a->n + 1) * sizeof(*a->rows));
	a->known = realloc(a->known, (a->n + 1) * sizeof(*a->known));
	a->value = realloc(a->value, (a->n + 1) * sizeof(*a->value));
	if (!a->rows || !a->known || !a->value)
		abort();
	a->known[a->n] = false;
	for (size_t i = 0; i < a->n; i++) {
		if (!same(&a->rows[i], row))
			continue;
		a->known[a->n] = true;
		a->value[a->n] = a->rows[i].value;
	}
	a->rows[a->n++] = *row;
}

/* Returns the number of rows of the document. */
static size_t add_document(struct addition *a, struct result *r,
			   const char *const *metrics)
{
	size_t before = a->n;
	struct row row;

	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];

		for (size_t j = 0; j < b->n_metrics; j++)
			if (wanted(metrics, b->metrics[j].name) &&
			    row_of(r, b, &b->metrics[j], &row))
				add_row(a, &row);
	}
	return a->n - before;
}

/* The known rows with another value: refused, or added as the last. */
static int settle(const char *path, enum history_twice twice, struct addition *a,
		  struct history_added *out, struct error *err)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct row *row = &a->rows[i];

		if (!a->known[i] || a->value[i] == row->value)
			continue;
		if (twice == HISTORY_REFUSE)
			return error_set(
				err, -EEXIST,
				"%s has another figure of run %s, %s [%s] %s: %g, now %g",
				path, row->run, row->benchmark, row->config, row->metric,
				a->value[i], row->value);
		out->other++;
		a->known[i] = twice == HISTORY_FIRST;
	}
	return 0;
}

static char *lines(const struct addition *a, struct history_added *out, size_t *bytes)
{
	char *text = NULL;

	*bytes = 0;
	for (size_t i = 0; i < a->n; i++) {
		char *line;
		size_t n;

		if (a->known[i]) {
			out->known++;
			continue;
		}
		line = row_dump(&a->rows[i]);
		n = strlen(line);
		text = realloc(text, *bytes + n);
		if (!text)
			abort();
		memcpy(text + *bytes, line, n);
		*bytes += n;
		free(line);
		out->rows++;
	}
	return text;
}

int history_add(const char *path, enum history_twice twice, struct result *const *docs,
		size_t n_docs, const char *const *metrics, struct history_added *out,
		struct error *err)
{
	struct addition a = { 0 };
	struct row_names *names;
	struct row_file *f;
	size_t bytes;
	char *text;
	int rc = row_file_open(path, true, &f, err);

	*out = (struct history_added){ 0 };
	if (rc)
		return rc;
	for (size_t i = 0; i < n_docs; i++)
		out->empty += !add_document(&a, docs[i], metrics);
	names = row_names_new();
	rc = row_file_read(f, names, mark_known, &a, err);
	out->torn = row_file_torn(f);
	if (!rc)
		rc = settle(path, twice, &a, out, err);
	if (!rc) {
		text = lines(&a, out, &bytes);
		if (bytes)
			rc = row_file_add(f, text, bytes, err);
		free(text);
	}
	row_file_close(f);
	row_names_free(names);
	free(a.rows);
	free(a.known);
	free(a.value);
	return rc;
}
