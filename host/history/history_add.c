/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding the figures of documents to a history's file. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/history/history.h"
#include "host/history/row_file.h"

/* What is to be added: the rows of all documents, in order. */
struct addition {
	struct row *rows;
	bool *known;
	size_t n;
	/* The run of the last line read, and whether it is one of these rows'. */
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

	/* Names are kept once each: nearly every line ends here. */
	if (a->run != row->run) {
		a->run = row->run;
		a->ours = false;
		for (size_t i = 0; i < a->n && !a->ours; i++)
			a->ours = !strcmp(a->rows[i].run, row->run);
	}
	for (size_t i = 0; a->ours && i < a->n; i++)
		a->known[i] = a->known[i] || same(&a->rows[i], row);
	return 0;
}

static void add_row(struct addition *a, const struct row *row)
{
	a->rows = realloc(a->rows, (a->n + 1) * sizeof(*a->rows));
	a->known = realloc(a->known, (a->n + 1) * sizeof(*a->known));
	if (!a->rows || !a->known)
		abort();
	a->known[a->n] = false;
	for (size_t i = 0; i < a->n && !a->known[a->n]; i++)
		a->known[a->n] = same(&a->rows[i], row);
	a->rows[a->n++] = *row;
}

/* -> the rows that the document has. */
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

int history_add(const char *path, struct result *const *docs, size_t n_docs,
		const char *const *metrics, struct history_added *out, struct error *err)
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
	return rc;
}
