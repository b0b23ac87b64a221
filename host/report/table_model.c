/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a table of documents says: its rows, its cells, its notes. */
#include "host/report/table_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/result/result.h"

#define METRIC "round_trip"
/* The number of a note; the same words are said once. */
static size_t note(struct table_model *m, const char *text)
{
	for (size_t i = 0; i < m->n_notes; i++)
		if (!strcmp(m->notes[i], text))
			return i + 1;
	m->notes = reallocarray(m->notes, m->n_notes + 1, sizeof(*m->notes));
	if (!m->notes)
		abort();
	m->notes[m->n_notes] = strdup(text);
	if (!m->notes[m->n_notes])
		abort();
	return ++m->n_notes;
}

static const char *handled_word(const struct result_benchmark *b)
{
	return b->exits.faults > 0 ? "fault" : result_handler_name(b->handled_by);
}

static void fill_reason(struct table_model *m, struct table_cell *cell, const char *word,
			const char *reason)
{
	snprintf(cell->number, sizeof(cell->number), "%s", word);
	snprintf(cell->tail, sizeof(cell->tail), "[%zu]",
		 note(m, reason ? reason : "the document gives no reason"));
}

static void fill_value(struct table_model *m, struct table_cell *cell,
		       const struct result_benchmark *b, const struct result *doc,
		       const char *plus_minus)
{
	bool exact = doc->target.exact;
	const struct result_metric *metric = result_find_metric(b, METRIC);
	char half[NUMBER_BYTES];

	/* Rows that do not time anything have other metrics, the first of them first. */
	if (!metric && b->n_metrics)
		metric = &b->metrics[0];
	if (!metric || isnan(metric->value)) {
		fill_reason(m, cell, "?", "there is no estimate of " METRIC);
		return;
	}
	cell->value = metric->value;
	number_format(cell->number, metric->value, exact);
	/* The column's unit stands in its head. */
	if (metric->unit && doc->clock.unit && strcmp(metric->unit, doc->clock.unit))
		snprintf(cell->mark, sizeof(cell->mark), "%s", metric->unit);
	if (!metric->ci.method || isnan(metric->ci.lo) || isnan(metric->ci.hi) ||
	    !(metric->ci.hi > metric->ci.lo))
		return;
	number_format(half, (metric->ci.hi - metric->ci.lo) / 2, exact);
	/* Rounded away, it would claim that there is no noise at all. */
	snprintf(cell->tail, sizeof(cell->tail), "%s%s", plus_minus,
		 strcmp(half, "0") ? half : "0.1");
	cell->interval = true;
}

static void fill_cell(struct table_model *m, size_t i, size_t d, const char *plus_minus)
{
	const struct result_benchmark *b = rows_find(m->docs[d], &m->rows.rows[i]);
	struct table_cell *cell = &m->lines[i].cells[d];

	cell->value = NAN;
	if (!b) {
		snprintf(cell->number, sizeof(cell->number), "-");
		return;
	}
	cell->skipped = b->status == RESULT_SKIP;
	cell->failed = b->status == RESULT_FAIL;
	if (cell->skipped)
		fill_reason(m, cell, "skip", b->reason);
	else if (cell->failed)
		fill_reason(m, cell, "FAIL", b->reason);
	else
		fill_value(m, cell, b, m->docs[d], plus_minus);
}

/*
 * A hypervisor that tells outweighs any number of those that do not, and of machines
 * without one, where nothing is handled by anybody.
 */
static size_t weight(const struct result *doc, const struct result_benchmark *b)
{
	return doc->target.hypervisor && b->handled_by != HANDLED_UNKNOWN ? 1000 : 1;
}

/* How much the cells of a row with this status that say the same word weigh. */
static size_t votes(const struct table_model *m, const struct rows_row *row,
		    const char *word, enum result_status status)
{
	size_t n = 0;

	for (size_t d = 0; d < m->n_docs; d++) {
		const struct result_benchmark *b = rows_find(m->docs[d], row);

		if (b && b->status == status && !strcmp(handled_word(b), word))
			n += weight(m->docs[d], b);
	}
	return n;
}

/* The row's word: of the cells that ran; where none did, of those that should. */
static const char *common_word(const struct table_model *m, const struct rows_row *row)
{
	static const enum result_status order[] = { RESULT_OK, RESULT_SKIP, RESULT_FAIL };
	const char *word = NULL;
	size_t best = 0;

	for (size_t s = 0; s < 3 && !best; s++) {
		for (size_t d = 0; d < m->n_docs; d++) {
			const struct result_benchmark *b = rows_find(m->docs[d], row);
			size_t n;

			if (!b || b->status != order[s])
				continue;
			n = votes(m, row, handled_word(b), order[s]);
			if (n > best) {
				best = n;
				word = handled_word(b);
			}
		}
	}
	return word;
}

static void fill_line(struct table_model *m, size_t i)
{
	const struct rows_row *row = &m->rows.rows[i];
	struct table_line *line = &m->lines[i];

	line->label = strdup(row->label);
	line->cells = calloc(m->n_docs, sizeof(*line->cells));
	if (!line->label || !line->cells)
		abort();
	line->handled = common_word(m, row);
	for (size_t d = 0; d < m->n_docs; d++) {
		const struct result_benchmark *b = rows_find(m->docs[d], row);

		if (b && b->status == RESULT_OK && strcmp(handled_word(b), line->handled))
			snprintf(line->cells[d].mark, sizeof(line->cells[d].mark), "%s",
				 handled_word(b));
	}
}

/* The row of the same benchmark's first config: `i` itself, or one above it. */
static size_t base_of(const struct table_model *m, size_t i)
{
	size_t base = i;

	while (base && !strcmp(m->rows.rows[base - 1].name, m->rows.rows[i].name))
		base--;
	return base;
}

static void fill_against(struct table_model *m, size_t i, size_t d)
{
	const struct table_cell *base = &m->lines[base_of(m, i)].cells[d];
	struct table_cell *cell = &m->lines[i].cells[d];
	bool exact = m->docs[d]->target.exact;
	double apart = cell->value - base->value, ratio = cell->value / base->value;
	char difference[NUMBER_BYTES], times[NUMBER_BYTES];

	if (base == cell || isnan(apart))
		return;
	number_format(difference, apart, exact);
	if (ratio >= 100)
		number_format(times, ratio, false);
	else
		snprintf(times, sizeof(times), "%.3g", ratio);
	if (isfinite(ratio) && ratio > 0)
		snprintf(cell->against, sizeof(cell->against), "%s%s (%sx)",
			 apart > 0 ? "+" : "", difference, times);
	else
		snprintf(cell->against, sizeof(cell->against), "%s%s",
			 apart > 0 ? "+" : "", difference);
}

/* Where every benchmark has at least two configs; not where one or two rows have. */
static void compare_configs(struct table_model *m)
{
	size_t others = 0;

	for (size_t i = 0; i < m->rows.n; i++)
		others += base_of(m, i) != i;
	m->compares = others && 2 * others >= m->rows.n;
	for (size_t d = 0; m->compares && d < m->n_docs; d++)
		for (size_t i = 0; i < m->rows.n; i++)
			fill_against(m, i, d);
}

void table_model_build(struct table_model *m, const struct result *const *docs, size_t n,
		       const char *plus_minus)
{
	*m = (struct table_model){ .docs = docs, .n_docs = n };
	rows_collect(&m->rows, docs, n);
	m->lines = calloc(m->rows.n ? m->rows.n : 1, sizeof(*m->lines));
	if (!m->lines)
		abort();
	for (size_t i = 0; i < m->rows.n; i++)
		fill_line(m, i);
	/* Column by column, so that notes are numbered as they are met. */
	for (size_t d = 0; d < n; d++)
		for (size_t i = 0; i < m->rows.n; i++)
			fill_cell(m, i, d, plus_minus);
	compare_configs(m);
}

void table_model_free(struct table_model *m)
{
	for (size_t i = 0; i < m->rows.n; i++) {
		free(m->lines[i].label);
		free(m->lines[i].cells);
	}
	for (size_t i = 0; i < m->n_notes; i++)
		free(m->notes[i]);
	free(m->lines);
	free(m->notes);
	rows_free(&m->rows);
	*m = (struct table_model){ 0 };
}

bool table_model_shared(const struct table_model *m, size_t d)
{
	for (size_t i = 0; i < m->n_docs; i++)
		if (i != d && !strcmp(m->docs[i]->target.name, m->docs[d]->target.name))
			return true;
	return false;
}

const char *table_model_unit(const struct table_model *m, size_t d)
{
	return m->docs[d]->clock.unit ? m->docs[d]->clock.unit : "no unit";
}
