/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The benchmarks of one document that were measured under more than one config. */
#include "host/report/configs.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bench/catalogue.h"
#include "host/result/result.h"
#include "host/report/rows.h"

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

/* One benchmark's cells, in the order of `c->names`; how many there are. */
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

/* A config that no row with two of them has is none of ours. */
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

/* In the catalogue's order, then in the document's; one named twice counts once. */
static void collect_names(struct configs *c, const struct rows *rows,
			  const char *const only[2])
{
	c->names = grow(NULL, rows->n, sizeof(*c->names));
	for (const struct config *known = config_table; known->name; known++)
		for (size_t i = 0; i < rows->n; i++)
			if (!strcmp(rows->rows[i].config, known->name) &&
			    is_wanted(only, known->name) &&
			    find(c->names, c->n, known->name) == c->n)
				c->names[c->n++] = rows->rows[i].config;
	for (size_t i = 0; i < rows->n; i++)
		if (is_wanted(only, rows->rows[i].config) &&
		    find(c->names, c->n, rows->rows[i].config) == c->n)
			c->names[c->n++] = rows->rows[i].config;
}

void configs_collect(struct configs *c, const struct result *r, const char *const only[2])
{
	struct rows rows;

	*c = (struct configs){ 0 };
	rows_collect(&rows, &r, 1);
	collect_names(c, &rows, only);
	for (size_t i = 0; i < rows.n; i++)
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
