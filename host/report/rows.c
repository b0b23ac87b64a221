/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows that several documents have between them. */
#include "host/report/rows.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/catalogue.h"
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

const struct result_benchmark *rows_find(const struct result *r,
					 const struct rows_row *row)
{
	for (size_t i = 0; i < r->n_benchmarks; i++)
		if (is_row(&r->benchmarks[i], row))
			return &r->benchmarks[i];
	return NULL;
}

/* The catalogue's order, whatever the order of the documents; newcomers last. */
static size_t rank_of(const char *name, const char *config)
{
	size_t b = 0, c = 0, configs = 0;

	while (bench_table[b].id && strcmp(bench_table[b].id, name))
		b++;
	while (config_table[configs].name)
		configs++;
	while (config_table[c].name && strcmp(config_table[c].name, config))
		c++;
	return b * (configs + 1) + c;
}

/* By insertion, so that rows of equal rank keep the documents' order. */
static void add_once(struct rows *rows, const struct result_benchmark *b)
{
	struct rows_row row = { .name = b->name, .config = config_of(b) };
	size_t at = rows->n;

	for (size_t i = 0; i < rows->n; i++)
		if (is_row(b, &rows->rows[i]))
			return;
	row.rank = rank_of(row.name, row.config);
	rows->rows = reallocarray(rows->rows, rows->n + 1, sizeof(*rows->rows));
	if (!rows->rows)
		abort();
	for (; at && rows->rows[at - 1].rank > row.rank; at--)
		rows->rows[at] = rows->rows[at - 1];
	rows->rows[at] = row;
	rows->n++;
}

/* The config is said where it is not the default one, or one of several. */
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
			add_once(rows, &docs[d]->benchmarks[i]);
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
