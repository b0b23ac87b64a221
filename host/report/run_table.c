/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of result documents: figures, metrics, and statistics of the run loop. */
#include "host/report/run_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/lib/text.h"
#include "host/result/result.h"

#define METRIC "round_trip"

/* The columns of a document: its figure and what follows the figure. */
enum part {
	PART_NUMBER, /* "1,495", "-", "skip", "FAIL" */
	PART_TAIL,   /* "+-12", "[1]" */
	PART_MARK,  /* the handler if it is not the row's; a unit if it is not the clock's
		     */
	PART_TRAPS, /* "2 traps", of a guest that is a hypervisor */
	PART_AGAINST, /* "+57 (1.06x)": compared with the first config of the benchmark */
	PARTS,
};

#define KEYS 2 /* benchmark, handled by */

static size_t column(size_t d, enum part part)
{
	return KEYS + PARTS * d + part;
}

/* "lab:aarch64-vhe" on three lines, above the unit. */
static void target_head(char *head, size_t bytes, const struct run_table *m, size_t d,
			const char *unit)
{
	char mark[ROWS_MARK_BYTES];
	size_t breaks = 0, n;

	n = (size_t)snprintf(head, bytes, "%.40s", m->docs[d]->target.name);
	for (size_t i = 0; i < n && breaks < 2; i++)
		if (head[i] == ':' || head[i] == '-') {
			head[i] = '\n';
			breaks++;
		}
	rows_mark(m->docs, m->n_docs, d, mark);
	snprintf(head + n, bytes - n, "\n%.40s%s%s", mark,
		 *mark == '#' ? " "
		 : *mark      ? "\n"
			      : "",
		 unit);
}

static void add_columns(struct run_table *m, const char *const *heads)
{
	static const struct table_column keys[KEYS] = {
		{ "benchmark", TABLE_KEY, 0, NULL },
		{ "handled by", TABLE_KEY, 0, NULL },
	};

	table_init(&m->table, keys, KEYS);
	for (size_t d = 0; d < m->n_docs; d++) {
		const char *unit = m->docs[d]->clock.unit;
		char head[128];

		unit = unit ? unit : "no unit";
		if (heads)
			snprintf(head, sizeof(head), "%.100s\n%.20s", heads[d], unit);
		else
			target_head(head, sizeof(head), m, d, unit);
		table_column(&m->table,
			     &(struct table_column){ head, TABLE_RIGHT, 0, unit });
		for (size_t part = PART_TAIL; part <= PART_TRAPS; part++)
			table_column(&m->table,
				     &(struct table_column){ "", TABLE_JOIN, 0, unit });
		table_column(&m->table,
			     &(struct table_column){ "to the first\nconfig",
						     TABLE_RIGHT | TABLE_KEEP, 0, unit });
	}
}

static const char *handler_word(const struct result_benchmark *b)
{
	return b->exits.faults > 0 ? "fault" : result_handler_name(b->handled_by);
}

/*
 * The handler that most cells of a row with this status have. A hypervisor whose KVM
 * reports the handler outweighs any number of those that do not, and of machines without
 * a hypervisor.
 */
static const char *most_common_handler(const struct run_table *m,
				       const struct rows_row *row,
				       enum result_status status)
{
	const char *best = NULL;
	size_t most = 0;

	for (size_t d = 0; d < m->n_docs; d++) {
		const struct result_benchmark *b = rows_find(m->docs[d], row);
		size_t weight = 0;

		if (!b || b->status != status)
			continue;
		for (size_t k = 0; k < m->n_docs; k++) {
			const struct result_benchmark *other = rows_find(m->docs[k], row);

			if (!other || other->status != status ||
			    strcmp(handler_word(other), handler_word(b)) != 0)
				continue;
			weight += m->docs[k]->target.hypervisor &&
						  other->handled_by != HANDLED_UNKNOWN
					  ? 1000
					  : 1;
		}
		if (weight > most) {
			most = weight;
			best = handler_word(b);
		}
	}
	return best;
}

static const char *reason_of(const struct result_benchmark *b)
{
	return b->reason ? b->reason : "the document gives no reason";
}

/* Whether an interval reaches much further to one side of the figure. */
static bool is_lopsided(const struct result_metric *metric)
{
	double below = metric->value - metric->ci.lo,
	       above = metric->ci.hi - metric->value;

	return below > 2 * above || above > 2 * below;
}

/* Boots of an exact target that differ are a range; a noisy figure has an interval. */
static void fill_interval(struct run_table *m, size_t d,
			  const struct result_metric *metric, const char *plus_minus)
{
	const bool exact = m->docs[d]->target.exact;
	char lo[NUMBER_BYTES], hi[NUMBER_BYTES], half[NUMBER_BYTES];
	size_t tail = column(d, PART_TAIL);

	if (!metric->ci.method || !(metric->ci.hi > metric->ci.lo))
		return;
	number_format(lo, metric->ci.lo, exact);
	number_format(hi, metric->ci.hi, exact);
	number_format(half, (metric->ci.hi - metric->ci.lo) / 2, exact);
	if (exact) {
		table_cell(&m->table, column(d, PART_NUMBER), "%s to %s", lo, hi);
		table_cell_value(&m->table, column(d, PART_NUMBER), metric->value);
		m->ranges = true;
	} else if (is_lopsided(metric)) {
		table_cell(&m->table, tail, "(%s to %s)", lo, hi);
		m->intervals = true;
	} else {
		/* "0" would claim that there is no noise. */
		table_cell(&m->table, tail, "%s%s", plus_minus,
			   strcmp(half, "0") != 0 ? half : "0.1");
		m->intervals = true;
	}
}

static void fill_traps(struct run_table *m, size_t d, const struct result_benchmark *b)
{
	const struct result_metric *traps = result_find_metric(b, "traps_per_op");

	if (!traps || isnan(traps->value))
		return;
	table_cell(&m->table, column(d, PART_TRAPS), "%.4g trap%s", traps->value,
		   traps->value == 1 ? "" : "s");
	m->traps = true;
}

/*
 * Of an exact target, whose clock may advance while the CPU is idle: how often the timed
 * part of an event waited; 0 if the figure is a path length.
 */
static double waits_of(const struct result *doc, const struct result_benchmark *b)
{
	const struct result_metric *waits =
		doc->target.exact ? result_find_metric(b, "waits") : NULL;

	return waits && waits->value > 0 ? waits->value : 0;
}

static void fill_waits(struct run_table *m, size_t d, const struct result_benchmark *b)
{
	double waits = waits_of(m->docs[d], b);
	char text[160];

	if (waits == 0)
		return;
	snprintf(
		text, sizeof(text),
		"includes %.3g wait%s of an event, in which the clock may advance: not a path length",
		waits, waits == 1 ? "" : "s");
	table_cell(&m->table, column(d, PART_TAIL), "[%zu]", table_note(&m->table, text));
}

/*
 * The estimate with its interval. Rows that time nothing have other metrics: the first
 * one. Returns the metric, or NULL without an estimate.
 */
static const struct result_metric *fill_value(struct run_table *m, size_t d,
					      const struct result_benchmark *b,
					      const char *plus_minus)
{
	const struct result_metric *metric = result_find_metric(b, METRIC);
	const struct result *doc = m->docs[d];

	if (!metric && b->n_metrics)
		metric = &b->metrics[0];
	if (!metric || isnan(metric->value)) {
		table_cell(&m->table, column(d, PART_NUMBER), "?");
		table_cell(&m->table, column(d, PART_TAIL), "[%zu]",
			   table_note(&m->table, "there is no estimate of " METRIC));
		return NULL;
	}
	table_number(&m->table, column(d, PART_NUMBER), metric->value, doc->target.exact,
		     false);
	if (metric->unit && doc->clock.unit &&
	    strcmp(metric->unit, doc->clock.unit) != 0) {
		table_cell(&m->table, column(d, PART_MARK), "%.11s", metric->unit);
		m->marks = true;
	}
	fill_interval(m, d, metric, plus_minus);
	fill_traps(m, d, b);
	fill_waits(m, d, b);
	return metric;
}

/* Fills in a document's cells of the last row. Returns its figure, or NULL. */
static const struct result_metric *fill_cells(struct run_table *m, size_t d,
					      const struct rows_row *row,
					      const char *handler, const char *plus_minus)
{
	const struct result_benchmark *b = rows_find(m->docs[d], row);
	size_t number = column(d, PART_NUMBER), tail = column(d, PART_TAIL);
	bool failed = b && b->status == RESULT_FAIL;

	if (!b || b->status != RESULT_OK) {
		table_cell(&m->table, number, "%s", !b ? "-" : failed ? "FAIL" : "skip");
		table_cell_color(&m->table, number, failed ? TABLE_RED : TABLE_DIM);
		table_cell_color(&m->table, tail, failed ? TABLE_RED : TABLE_DIM);
		m->absent |= !b;
		if (b)
			table_cell(&m->table, tail, "[%zu]",
				   table_note(&m->table, reason_of(b)));
		return NULL;
	}
	if (strcmp(handler_word(b), handler) != 0) {
		table_cell(&m->table, column(d, PART_MARK), "%.11s", handler_word(b));
		m->marks = true;
	}
	return fill_value(m, d, b, plus_minus);
}

/* The row of the same benchmark's first config: `i` itself, or one above it. */
static size_t first_config(const struct rows *rows, size_t i)
{
	while (i && !strcmp(rows->rows[i - 1].name, rows->rows[i].name))
		i--;
	return i;
}

/* As compare does: of ranges over the boots, the difference of the nearest ends. */
static void fill_against(struct run_table *m, size_t d, const struct result_metric *first,
			 const struct result_metric *metric)
{
	char difference[NUMBER_BYTES], times[NUMBER_BYTES];
	double base, value, ratio;

	if (!first || !metric)
		return;
	base = first->value;
	value = metric->value;
	if (m->docs[d]->target.exact && first->ci.method && metric->ci.method) {
		bool up = metric->ci.lo > first->ci.hi,
		     down = metric->ci.hi < first->ci.lo;

		base = up ? first->ci.hi : first->ci.lo;
		value = up ? metric->ci.lo : down ? metric->ci.hi : base;
	}
	ratio = value / base;
	number_format(difference, value - base, m->docs[d]->target.exact);
	if (ratio >= 100)
		number_format(times, ratio, false);
	else
		snprintf(times, sizeof(times), "%.*g",
			 value != base && fabs(ratio - 1) < 0.005 ? 4 : 3, ratio);
	table_cell(&m->table, column(d, PART_AGAINST),
		   isfinite(ratio) && ratio > 0 ? "%s%s (%sx)" : "%s%s",
		   value > base ? "+" : "", difference, times);
}

static bool waits(const struct run_table *m, size_t d, const struct rows_row *row)
{
	const struct result_benchmark *b = rows_find(m->docs[d], row);

	return b && waits_of(m->docs[d], b) > 0;
}

/* Whether configs are what the table is about: most rows are of a further config. */
static bool compares_configs(const struct rows *rows)
{
	size_t further = 0;

	for (size_t i = 0; i < rows->n; i++)
		further += first_config(rows, i) != i;
	return further && 2 * further >= rows->n;
}

void run_table_build(struct run_table *m, const struct result *const *docs, size_t n,
		     const char *const *heads, const char *plus_minus)
{
	/* Of a row that was skipped everywhere, no handler was observed. */
	static const enum result_status order[] = { RESULT_OK, RESULT_FAIL };
	struct rows rows;
	const struct result_metric **figures;

	*m = (struct run_table){ .docs = docs, .n_docs = n };
	rows_collect(&rows, docs, n);
	figures = calloc(rows.n * n + 1, sizeof(*figures));
	if (!figures)
		abort();
	add_columns(m, heads);
	m->compares = !heads && compares_configs(&rows);
	/* Notes are numbered document by document: so are the parts of a split table. */
	for (size_t d = 0; d < n; d++)
		for (size_t i = 0; i < rows.n; i++) {
			const struct result_benchmark *b =
				rows_find(docs[d], &rows.rows[i]);

			if (b && b->status != RESULT_OK)
				table_note(&m->table, reason_of(b));
		}
	for (size_t i = 0; i < rows.n; i++) {
		size_t base = first_config(&rows, i);
		const char *handler = NULL;

		for (size_t s = 0; s < 2 && !handler; s++)
			handler = most_common_handler(m, &rows.rows[i], order[s]);
		m->unobserved |= !handler;
		handler = handler ? handler : "-";
		table_row(&m->table, TABLE_PLAIN);
		table_cell(&m->table, 0, "%s", rows.rows[i].label);
		table_cell(&m->table, 1, "%s", handler);
		for (size_t d = 0; d < n; d++) {
			figures[i * n + d] =
				fill_cells(m, d, &rows.rows[i], handler, plus_minus);
			if (m->compares && base != i && !waits(m, d, &rows.rows[base]) &&
			    !waits(m, d, &rows.rows[i]))
				fill_against(m, d, figures[base * n + d],
					     figures[i * n + d]);
		}
	}
	free(figures);
	rows_free(&rows);
}

/* Whether two documents have different figures. */
static bool differs(const struct run_table *m, const struct table_row *row)
{
	double first = NAN;

	for (size_t d = 0; d < m->n_docs; d++) {
		double value = row->cells[column(d, PART_NUMBER)].value;

		if (!isnan(first) && !isnan(value) && value != first)
			return true;
		if (isnan(first))
			first = value;
	}
	return false;
}

size_t run_table_differing_first(struct run_table *m)
{
	struct table_row *rows = m->table.rows;
	size_t n = 0;

	for (size_t i = 0; i < m->table.n_rows; i++) {
		struct table_row row = rows[i];

		if (!differs(m, &row))
			continue;
		memmove(&rows[n + 1], &rows[n], (i - n) * sizeof(*rows));
		rows[n++] = row;
	}
	return n;
}

void run_table_free(struct run_table *m)
{
	table_free(&m->table);
}

void run_table_print(FILE *f, const struct result *const *docs, size_t n,
		     const struct table_options *o, bool legend)
{
	struct run_table m;

	if (!n)
		return;
	run_table_build(&m, docs, n, NULL, o->utf8 ? "\u00b1" : "+-");
	if (legend)
		fputs("Round trips: from the guest to the handler of the exit, and back\n\n",
		      f);
	table_print(f, &m.table, o);
	run_table_print_foot(f, &m, o, legend);
	run_table_free(&m);
}

/* ------------------------------ metrics and statistics ------------------------------ */

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
