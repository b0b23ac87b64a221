/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of `wsbench run --metrics` and `--stats`. */
#include "host/report/run_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/text.h"
#include "host/result/result.h"

#define METRICS_MAX 128

static bool has_metrics(const struct result_benchmark *b)
{
	return b->status == RESULT_OK && b->n_metrics;
}

/* The names of the metrics that at least one benchmark has, in the order of the document.
 */
static size_t metric_names(const struct result *r, const char *names[METRICS_MAX])
{
	size_t n = 0, at;

	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];

		for (size_t k = 0; has_metrics(b) && k < b->n_metrics; k++) {
			for (at = 0;
			     at < n && strcmp(names[at], b->metrics[k].name) != 0;)
				at++;
			if (at == n && n < METRICS_MAX)
				names[n++] = b->metrics[k].name;
		}
	}
	return n;
}

/* All columns are in the clock's unit, which the heading gives; other units follow the
 * number. */
static void fill_metric(struct table *t, size_t column, const struct result *r,
			const struct result_metric *m)
{
	if (!m) {
		table_cell(t, column, "-");
	} else if (isnan(m->value)) {
		table_cell(t, column, "?");
	} else {
		table_number(t, column, m->value, r->target.exact, false);
		if (strcmp(m->unit, r->clock.unit) != 0)
			table_cell(t, column + 1, "%.20s", m->unit);
	}
}

void run_metrics_print(FILE *f, const struct result *r, const struct table_options *o)
{
	static const struct table_column benchmark = { "benchmark", TABLE_KEY, 0, NULL };
	const char *names[METRICS_MAX];
	size_t n = metric_names(r, names);
	struct table t;

	table_init(&t, &benchmark, 1);
	for (size_t k = 0; k < n; k++) {
		table_column(&t,
			     &(struct table_column){ names[k], TABLE_RIGHT, 0, NULL });
		table_column(&t, &(struct table_column){ "", TABLE_JOIN, 0, NULL });
	}
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];

		if (!has_metrics(b))
			continue;
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%s [%s]", b->name, b->config);
		for (size_t k = 0; k < n; k++)
			fill_metric(&t, 1 + 2 * k, r, result_find_metric(b, names[k]));
	}
	fputc('\n', f);
	text_print(f, "Metrics, %s, %s", r->target.name, r->clock.unit);
	fputs("\n\n", f);
	table_print(f, &t, o);
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];

		for (size_t k = 0; has_metrics(b) && k < b->n_metrics; k++) {
			char *text;

			if (!b->metrics[k].reason || !isnan(b->metrics[k].value))
				continue;
			if (asprintf(&text, "?: %s of %s [%s]: %s", b->metrics[k].name,
				     b->name, b->config, b->metrics[k].reason) < 0)
				abort();
			text_wrap(f, text, 0, 2, table_text_columns(o));
			free(text);
		}
	}
	table_free(&t);
}

void run_statistics_print(FILE *f, const struct result *r, const struct table_options *o)
{
	static const char *const names[] = {
		"insts",     "vm_exits", "half_entry", "signal",     "mmio",
		"coalesced", "io",	 "halt",       "interrupts", "hypercalls",
	};
	static const struct table_column keys[] = { { "benchmark", TABLE_KEY, 0, NULL },
						    { "config", TABLE_KEY, 0, NULL } };
	struct table t;

	table_init(&t, keys, 2);
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
		table_column(&t,
			     &(struct table_column){ names[k], TABLE_RIGHT, 0, NULL });
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];
		const struct result_statistics *s = &b->statistics;
		const int64_t counts[] = {
			s->insts,	s->vm_exits, s->vm_half_entries,
			s->exit_signal, s->mmio,     s->coalesced_mmio,
			s->io,		s->halt,     s->interrupts,
			s->hypercalls,
		};

		if (b->status != RESULT_OK)
			continue;
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%s", b->name);
		table_cell(&t, 1, "%s", b->config);
		for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++)
			if (counts[k] < 0)
				table_cell(&t, 2 + k, "-");
			else
				table_cell(&t, 2 + k, "%" PRId64, counts[k]);
	}
	fputc('\n', f);
	text_print(f, "Run loop, %s", r->target.name);
	fputs("\n\n", f);
	table_print(f, &t, o);
	table_free(&t);
}
