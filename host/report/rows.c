/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The union of the rows of several documents, and the configs of one document. */
#include "host/report/run_table.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/catalogue.h"
#include "host/lib/text.h"
#include "host/result/result.h"

#define DEFAULT_CONFIG "default"

static const char *config_of(const struct result_benchmark *b)
{
	return b->config ? b->config : DEFAULT_CONFIG;
}

static bool is_row(const struct result_benchmark *b, const struct rows_row *row)
{
	return !strcmp(b->name, row->name) && !strcmp(config_of(b), row->config);
}

/* "7.3.4" of "7.3.4+deb13-cloud-amd64". */
static void short_kernel(const char *kernel, char mark[ROWS_MARK_BYTES])
{
	static const char *const tails[] = { "+deb", "-cloud", "-amd64", "-arm64",
					     "-rt" };

	snprintf(mark, ROWS_MARK_BYTES, "%s", kernel);
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		char *tail = strstr(mark, tails[i]);

		if (tail && tail > mark)
			*tail = '\0';
	}
}

static bool mark_by_label(const struct result *r, char mark[ROWS_MARK_BYTES])
{
	const char *label = r->subject.label ? r->subject.label : "";

	snprintf(mark, ROWS_MARK_BYTES, "%.*s", text_prefix(label, ROWS_MARK_BYTES - 1),
		 label);
	return *mark;
}

static bool mark_by_short_kernel(const struct result *r, char mark[ROWS_MARK_BYTES])
{
	short_kernel(r->subject.kernel ? r->subject.kernel : "", mark);
	return *mark;
}

static bool mark_by_kernel(const struct result *r, char mark[ROWS_MARK_BYTES])
{
	snprintf(mark, ROWS_MARK_BYTES, "%s", r->subject.kernel ? r->subject.kernel : "");
	return *mark;
}

typedef bool marker(const struct result *r, char mark[ROWS_MARK_BYTES]);

/* Whether all documents of the target have marks of this kind, and no two the same. */
static bool tells_apart(const struct result *const *docs, size_t n, const char *target,
			marker *by)
{
	char a[ROWS_MARK_BYTES], b[ROWS_MARK_BYTES];

	for (size_t i = 0; i < n; i++) {
		if (strcmp(docs[i]->target.name, target) != 0)
			continue;
		if (!by(docs[i], a))
			return false;
		for (size_t k = 0; k < i; k++)
			if (!strcmp(docs[k]->target.name, target) && by(docs[k], b) &&
			    !strcmp(a, b))
				return false;
	}
	return true;
}

void rows_mark(const struct result *const *docs, size_t n, size_t d,
	       char mark[ROWS_MARK_BYTES])
{
	static marker *const kinds[] = { mark_by_label, mark_by_short_kernel,
					 mark_by_kernel };
	const char *target = docs[d]->target.name;
	size_t same = 0, number = 0;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(docs[i]->target.name, target) && ++same && i == d)
			number = same;
	*mark = '\0';
	if (same < 2)
		return;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (tells_apart(docs, n, target, kinds[i])) {
			kinds[i](docs[d], mark);
			return;
		}
	snprintf(mark, ROWS_MARK_BYTES, "#%zu", number);
}

const struct result_benchmark *rows_find(const struct result *r,
					 const struct rows_row *row)
{
	for (size_t i = 0; i < r->n_benchmarks; i++)
		if (is_row(&r->benchmarks[i], row))
			return &r->benchmarks[i];
	return NULL;
}

/* The place in the catalogue; benchmarks that the catalogue does not have are last. */
static size_t bench_rank(const char *name)
{
	size_t b = 0;

	while (bench_table[b].id && strcmp(bench_table[b].id, name))
		b++;
	return b;
}

static size_t config_rank(const char *name)
{
	size_t c = 0;

	while (config_table[c].name && strcmp(config_table[c].name, name))
		c++;
	return c;
}

static bool precedes(const struct rows_row *a, const struct rows_row *b)
{
	if (a->rank != b->rank || strcmp(a->name, b->name) != 0)
		return a->rank <= b->rank;
	return config_rank(a->config) <= config_rank(b->config);
}

/* Where the row of the document's benchmark `i` is. */
static bool find_row(const struct rows *rows, const struct result *doc, size_t i,
		     size_t *at)
{
	for (size_t k = 0; k < rows->n; k++)
		if (is_row(&doc->benchmarks[i], &rows->rows[k])) {
			*at = k;
			return true;
		}
	return false;
}

/*
 * Rows of one benchmark are in the document's order: that of --config, whose first config
 * is the base of the others. The catalogue decides between configs of several documents.
 */
static void add_once(struct rows *rows, const struct result *doc, size_t i)
{
	const struct result_benchmark *b = &doc->benchmarks[i];
	struct rows_row row = { .name = b->name, .config = config_of(b) };
	size_t at = 0, before = i;

	if (find_row(rows, doc, i, &at))
		return;
	row.rank = bench_rank(row.name);
	while (before && strcmp(doc->benchmarks[before - 1].name, b->name) != 0)
		before--;
	if (before && find_row(rows, doc, before - 1, &at))
		at++;
	else
		for (at = 0; at < rows->n && precedes(&rows->rows[at], &row);)
			at++;
	rows->rows = reallocarray(rows->rows, rows->n + 1, sizeof(*rows->rows));
	if (!rows->rows)
		abort();
	for (size_t k = rows->n; k > at; k--)
		rows->rows[k] = rows->rows[k - 1];
	rows->rows[at] = row;
	rows->n++;
}

/* The label names the config if it is not the default, or if the benchmark has several.
 */
static void add_label(struct rows *rows, size_t i)
{
	struct rows_row *row = &rows->rows[i];
	bool plain = !strcmp(row->config, DEFAULT_CONFIG);

	for (size_t k = 0; k < rows->n && plain; k++)
		plain = k == i || strcmp(rows->rows[k].name, row->name);
	if (asprintf(&row->label, plain ? "%s" : "%s [%s]", row->name, row->config) < 0)
		abort();
}

void rows_collect(struct rows *rows, const struct result *const *docs, size_t n)
{
	*rows = (struct rows){ 0 };
	for (size_t d = 0; d < n; d++)
		for (size_t i = 0; i < docs[d]->n_benchmarks; i++)
			add_once(rows, docs[d], i);
	for (size_t i = 0; i < rows->n; i++)
		add_label(rows, i);
}

void rows_free(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		free(rows->rows[i].label);
	free(rows->rows);
	*rows = (struct rows){ 0 };
}

/* ------------------------------ configs ------------------------------ */

static void *grow(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n ? n : 1, size);
	if (!p)
		abort();
	return p;
}

static size_t find(const char *const *names, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(names[i], name))
		i++;
	return i;
}

static bool has_figure(const struct result_benchmark *b)
{
	const struct result_metric *m = result_find_metric(b, "round_trip");

	return b->status == RESULT_OK && m && !isnan(m->value);
}

static bool is_wanted(const char *const only[2], const char *config)
{
	return !only[0] || !strcmp(only[0], config) || !strcmp(only[1], config);
}

/* Finds a benchmark's cells, in the order of `c->names`. Returns their number. */
static size_t find_cells(const struct configs *c, const struct result *r,
			 const char *bench, const struct result_benchmark **cells)
{
	size_t n = 0;

	for (size_t s = 0; s < c->n; s++) {
		cells[s] = result_find(r, bench, c->names[s]);
		if (cells[s] && !has_figure(cells[s]))
			cells[s] = NULL;
		n += cells[s] != NULL;
	}
	return n;
}

static void add_row(struct configs *c, const struct result *r, const char *bench)
{
	if (find(c->rows, c->n_rows, bench) < c->n_rows)
		return;
	c->rows = grow(c->rows, c->n_rows + 1, sizeof(*c->rows));
	c->cells = grow(c->cells, (c->n_rows + 1) * c->n, sizeof(*c->cells));
	if (find_cells(c, r, bench, &c->cells[c->n_rows * c->n]) > 1)
		c->rows[c->n_rows++] = bench;
}

/* Removes configs that no row has. */
static void drop_unused(struct configs *c)
{
	size_t n = 0;

	for (size_t s = 0; s < c->n; s++) {
		bool used = false;

		for (size_t row = 0; row < c->n_rows && !used; row++)
			used = configs_at(c, row, s) != NULL;
		if (!used)
			continue;
		c->names[n] = c->names[s];
		for (size_t row = 0; row < c->n_rows; row++)
			c->cells[row * c->n + n] = c->cells[row * c->n + s];
		n++;
	}
	for (size_t row = 0; row < c->n_rows && n < c->n; row++)
		memmove(&c->cells[row * n], &c->cells[row * c->n], n * sizeof(*c->cells));
	c->n = n;
}

/* Numbers of vCPUs are not counter configs: only if they are named. */
static bool is_counter_config(const char *config, const char *const only[2])
{
	return is_wanted(only, config) && (only[0] || !strchr(config, '@'));
}

/* The first row of the benchmark that has the most configs; rows of one are adjacent. */
static size_t most_configs(const struct rows *rows, const char *const only[2])
{
	size_t most = 0, at = 0;

	for (size_t i = 0, n = 0, first = 0; i < rows->n; i++) {
		if (strcmp(rows->rows[i].name, rows->rows[first].name) != 0) {
			first = i;
			n = 0;
		}
		n += is_counter_config(rows->rows[i].config, only);
		if (n > most) {
			most = n;
			at = first;
		}
	}
	return at;
}

/* The order is that of `only`, or of the benchmark that has most of them; then that of
 * the rows. */
static void collect_names(struct configs *c, const struct rows *rows,
			  const char *const only[2])
{
	const size_t first = only[0] ? 0 : most_configs(rows, only);

	c->names = grow(NULL, rows->n, sizeof(*c->names));
	for (size_t i = 0; only[0] && i < rows->n; i++)
		if (!strcmp(rows->rows[i].config, only[0]) && !c->n)
			c->names[c->n++] = rows->rows[i].config;
	for (size_t k = 0; k < rows->n; k++) {
		const char *config = rows->rows[(first + k) % rows->n].config;

		if (is_counter_config(config, only) &&
		    find(c->names, c->n, config) == c->n)
			c->names[c->n++] = config;
	}
}

void configs_collect(struct configs *c, const struct result *r, const char *const only[2])
{
	struct rows rows;

	*c = (struct configs){ 0 };
	rows_collect(&rows, &r, 1);
	collect_names(c, &rows, only);
	for (size_t i = 0; i < rows.n; i++)
		if (only[0] || !strchr(rows.rows[i].config, '@'))
			add_row(c, r, rows.rows[i].name);
	rows_free(&rows);
	drop_unused(c);
}

void configs_free(struct configs *c)
{
	free(c->names);
	free(c->rows);
	free(c->cells);
	*c = (struct configs){ 0 };
}

const struct result_benchmark *configs_at(const struct configs *c, size_t row,
					  size_t config)
{
	return c->cells[row * c->n + config];
}

const char *configs_summary(const char *name)
{
	for (const struct config *known = config_table; known->name; known++)
		if (!strcmp(known->name, name))
			return known->summary;
	return "";
}
