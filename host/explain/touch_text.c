/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an event touches, as tables and as metrics. */
#include "host/explain/touch.h"

#include <stdlib.h>
#include <string.h>

#include "host/lib/table.h"
#include "host/lib/text.h"

/* Adds metrics to a list that has room for TOUCH_METRICS_MAX. */
struct metrics {
	struct touch_metric *list;
	size_t n;
};

static void add(struct metrics *m, const char *name, const char *unit, const char *words,
		int64_t value)
{
	struct touch_metric *t = &m->list[m->n];

	/* Documents of other programs may have more points. */
	if (value < 0 || m->n == TOUCH_METRICS_MAX)
		return;
	*t = (struct touch_metric){ .unit = unit,
				    .words = words,
				    .value = (double)value };
	snprintf(t->name, sizeof(t->name), "%s", name);
	m->n++;
}

static void add_misses(struct metrics *m, const struct explanation_touch *t)
{
	const struct touch_counts *c = &t->cold, *w = &t->warm;

	add(m, "l1i_misses", "misses", "L1I misses, warm", w->l1i_misses);
	add(m, "l1d_misses", "misses", "L1D misses, warm", w->l1d_misses);
	add(m, "ll_misses", "misses", "LL misses, warm", w->ll_misses);
	add(m, "mispredicts", "branches", "mispredicted branches, warm", w->mispredicts);
	add(m, "indirect_mispredicts", "branches", "mispredicted indirect branches, warm",
	    w->indirect_mispredicts);
	add(m, "l1i_misses_cold", "misses", "L1I misses, cold", c->l1i_misses);
	add(m, "l1d_misses_cold", "misses", "L1D misses, cold", c->l1d_misses);
	add(m, "ll_misses_cold", "misses", "LL misses, cold", c->ll_misses);
	add(m, "mispredicts_cold", "branches", "mispredicted branches, cold",
	    c->mispredicts);
	add(m, "indirect_mispredicts_cold", "branches",
	    "mispredicted indirect branches, cold", c->indirect_mispredicts);
}

static void add_counts(struct metrics *m, const struct explanation_touch *t)
{
	int64_t code = 0, data = 0;

	for (size_t i = 0; i < t->n_pages; i++) {
		code += (int64_t)t->pages[i].code;
		data += (int64_t)t->pages[i].data;
	}
	add(m, "code_pages", "pages", "pages of code", code);
	add(m, "data_pages", "pages", "pages of data", data);
	add(m, "branches", "branches", "conditional branches", t->branches);
	add(m, "indirect_branches", "branches", "indirect branches",
	    t->indirect_branches);
	add(m, "returns", "branches", "returns", t->returns);
	add(m, "exceptions", "events", "exceptions, interrupts and exits", t->exceptions);
	add(m, "exception_returns", "events", "returns from exceptions",
	    t->exception_returns);
	add(m, "guest_entries", "events", "entries of the guest", t->guest_entries);
}

static void add_kinds(struct metrics *m, const struct explanation_kinds *k)
{
	add(m, "sysreg_reads", "accesses", "system registers read", k->sysreg_reads);
	add(m, "sysreg_writes", "accesses", "system registers written", k->sysreg_writes);
	add(m, "barriers", "insns", "barriers", k->barriers);
	add(m, "tlb_maintenance", "insns", "TLB maintenance", k->tlb_maintenance);
	add(m, "cache_maintenance", "insns", "cache maintenance", k->cache_maintenance);
	add(m, "vm_insns", "insns", "virtualization instructions", k->vm_insns);
	add(m, "loads", "insns", "instructions that load", k->loads);
	add(m, "stores", "insns", "instructions that store", k->stores);
	add(m, "code_lines", "lines", "64-byte lines of code", k->code_lines);
	add(m, "data_lines", "lines", "64-byte lines of data", k->data_lines);
}

/* Powers of four, from 64 KiB on. */
static bool is_metric(uint64_t kib)
{
	return kib >= 64 && !(kib & (kib - 1)) && kib & 0x5555555555555555;
}

static void add_curve(struct metrics *m, const struct explanation_touch *t)
{
	for (size_t i = 0; i < t->n_curve; i++) {
		const struct explanation_work *w = &t->curve[i];
		const struct {
			const char *name, *unit;
			uint64_t value;
		} all[] = {
			{ "l1i_misses", "misses", w->l1i_misses },
			{ "l1d_misses", "misses", w->l1d_misses },
			{ "ll_misses", "misses", w->ll_misses },
			{ "l1i_evicted", "lines", w->l1i_evicted },
			{ "l1d_evicted", "lines", w->l1d_evicted },
			{ "ll_evicted", "lines", w->ll_evicted },
		};

		for (size_t k = 0;
		     is_metric(w->guest_kib) && k < sizeof(all) / sizeof(all[0]); k++) {
			char name[40];

			snprintf(name, sizeof(name), "%s_after_%lluk", all[k].name,
				 (unsigned long long)w->guest_kib);
			add(m, name, all[k].unit, NULL, (int64_t)all[k].value);
		}
	}
}

size_t touch_metrics(const struct explanation *e, struct touch_metric *list)
{
	struct metrics m = { list, 0 };

	if (!touch_is_in(e))
		return 0;
	add_misses(&m, &e->touch);
	add_counts(&m, &e->touch);
	add_kinds(&m, &e->kinds);
	add_curve(&m, &e->touch);
	return m.n;
}

/* "32 KiB, 8 ways, lines of 64 bytes" */
static void cache_text(char *to, size_t room, const struct touch_cache *c)
{
	bool kib = c->bytes % 1024 == 0;

	snprintf(to, room, "%lld %s, %lld ways, lines of %lld bytes",
		 (long long)(kib ? c->bytes / 1024 : c->bytes), kib ? "KiB" : "bytes",
		 (long long)c->ways, (long long)c->line_bytes);
}

char *touch_heading(const struct explanation *e)
{
	const struct explanation_touch *t = &e->touch;
	char *text, i1[80], d1[80], ll[80];

	cache_text(i1, sizeof(i1), &t->caches.i1);
	cache_text(d1, sizeof(d1), &t->caches.d1);
	cache_text(ll, sizeof(ll), &t->caches.ll);
	if (asprintf(
		    &text,
		    "What the event touches, by simulated caches: L1I %s; L1D %s; LL %s; LRU, virtual addresses. Cold: from empty caches and predictors. Warm: after %lld such events of the boot.",
		    i1, d1, ll, (long long)t->events_before) < 0)
		abort();
	return text;
}

static void fill_misses(struct table *table, const struct explanation_touch *t)
{
	static const struct table_column columns[] = {
		{ "misses", TABLE_KEY, 0, NULL },
		{ "of", TABLE_RIGHT, 0, NULL },
		{ "cold", TABLE_RIGHT, 0, NULL },
		{ "warm", TABLE_RIGHT, 0, NULL },
	};
	const struct {
		const char *name;
		int64_t of, cold, warm;
	} rows[] = {
		{ "L1I", -1, t->cold.l1i_misses, t->warm.l1i_misses },
		{ "L1D", -1, t->cold.l1d_misses, t->warm.l1d_misses },
		{ "LL", -1, t->cold.ll_misses, t->warm.ll_misses },
		{ "conditional branches", t->branches, t->cold.mispredicts,
		  t->warm.mispredicts },
		{ "indirect branches", t->indirect_branches, t->cold.indirect_mispredicts,
		  t->warm.indirect_mispredicts },
	};

	table_init(table, columns, 4);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		table_row(table, TABLE_PLAIN);
		table_cell(table, 0, "%s", rows[i].name);
		if (rows[i].of >= 0)
			table_cell(table, 1, "%lld", (long long)rows[i].of);
		table_cell(table, 2, "%lld", (long long)rows[i].cold);
		table_cell(table, 3, "%lld", (long long)rows[i].warm);
	}
}

static void fill_pages(struct table *table, const struct explanation_touch *t)
{
	static const struct table_column columns[] = {
		{ "4 KiB pages", TABLE_KEY, 0, NULL },
		{ "code", TABLE_RIGHT, 0, NULL },
		{ "data", TABLE_RIGHT, 0, NULL },
	};
	unsigned long long code = 0, data = 0;

	table_init(table, columns, 3);
	for (size_t i = 0; i < t->n_pages; i++) {
		table_row(table, TABLE_PLAIN);
		table_cell(table, 0, "%s", t->pages[i].space);
		table_cell(table, 1, "%llu", (unsigned long long)t->pages[i].code);
		table_cell(table, 2, "%llu", (unsigned long long)t->pages[i].data);
		code += t->pages[i].code;
		data += t->pages[i].data;
	}
	table_row(table, TABLE_PLAIN);
	table_cell(table, 0, "all");
	table_cell(table, 1, "%llu", code);
	table_cell(table, 2, "%llu", data);
}

static void fill_serialising(struct table *table, const struct explanation *e)
{
	static const struct table_column columns[] = {
		{ "serialising work", TABLE_KEY, 0, NULL },
		{ "count", TABLE_RIGHT, 0, NULL },
	};
	const struct explanation_kinds *k = &e->kinds;
	const struct {
		const char *name;
		int64_t count;
	} rows[] = {
		{ "system registers read", k->sysreg_reads },
		{ "system registers written", k->sysreg_writes },
		{ "barriers", k->barriers },
		{ "TLB maintenance", k->tlb_maintenance },
		{ "cache maintenance", k->cache_maintenance },
		{ "virtualization instructions", k->vm_insns },
		{ "exceptions, interrupts and exits", e->touch.exceptions },
		{ "returns from exceptions", e->touch.exception_returns },
		{ "entries of the guest", e->touch.guest_entries },
	};

	table_init(table, columns, 2);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		table_row(table, TABLE_PLAIN);
		table_cell(table, 0, "%s", rows[i].name);
		table_cell(table, 1, "%lld", (long long)rows[i].count);
	}
}

static bool is_equal(const struct explanation_work *a, const struct explanation_work *b)
{
	return a->l1i_misses == b->l1i_misses && a->l1d_misses == b->l1d_misses &&
	       a->ll_misses == b->ll_misses && a->l1i_evicted == b->l1i_evicted &&
	       a->l1d_evicted == b->l1d_evicted && a->ll_evicted == b->ll_evicted;
}

static void fill_curve(struct table *table, const struct explanation_touch *t)
{
	static const struct table_column columns[] = {
		{ "guest's\nKiB", TABLE_KEY | TABLE_RIGHT, 0, NULL },
		{ "misses\nL1I", TABLE_RIGHT, 0, NULL },
		{ "\nL1D", TABLE_RIGHT, 0, NULL },
		{ "\nLL", TABLE_RIGHT, 0, NULL },
		{ "evicts\nL1I", TABLE_RIGHT, 0, NULL },
		{ "\nL1D", TABLE_RIGHT, 0, NULL },
		{ "\nLL", TABLE_RIGHT, 0, NULL },
	};

	table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0, to; i < t->n_curve; i = to) {
		const struct explanation_work *w = &t->curve[i];
		const uint64_t cells[] = {
			w->l1i_misses,	w->l1d_misses,	w->ll_misses,
			w->l1i_evicted, w->l1d_evicted, w->ll_evicted
		};

		/* Equal points are one row: "96-512". */
		for (to = i + 1; to < t->n_curve && is_equal(w, &t->curve[to]);)
			to++;
		table_row(table, TABLE_PLAIN);
		table_cell(table, 0, to > i + 1 ? "%llu-%llu" : "%llu",
			   (unsigned long long)w->guest_kib,
			   (unsigned long long)t->curve[to - 1].guest_kib);
		for (size_t k = 0; k < sizeof(cells) / sizeof(cells[0]); k++)
			table_cell(table, k + 1, "%llu", (unsigned long long)cells[k]);
	}
}

size_t touch_tables(const struct explanation *e, struct table tables[TOUCH_TABLES])
{
	fill_misses(&tables[0], &e->touch);
	fill_pages(&tables[1], &e->touch);
	fill_serialising(&tables[2], e);
	if (!e->touch.n_curve)
		return 3;
	fill_curve(&tables[3], &e->touch);
	return 4;
}

const char touch_curve_note[] =
	"misses: of the event, if the guest touches this working set before each event, half of it code and half of it data; evicts: lines of the working set that were cached before the event, and are not after it.";

void touch_print(FILE *f, const struct explanation *e, const struct table_options *o)
{
	struct table tables[TOUCH_TABLES];
	size_t n = touch_tables(e, tables);
	char *heading = touch_heading(e);

	fputc('\n', f);
	text_wrap(f, heading, 0, 2, table_text_columns(o));
	free(heading);
	for (size_t i = 0; i < n; i++) {
		fputc('\n', f);
		table_print(f, &tables[i], o);
		table_free(&tables[i]);
	}
	if (e->touch.n_curve)
		text_wrap(f, touch_curve_note, 0, 2, table_text_columns(o));
}

static const struct touch_metric *find(const struct touch_metric *list, size_t n,
				       const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].name, name))
			return &list[i];
	return NULL;
}

void touch_print_diff(FILE *f, const struct explanation *base,
		      const struct explanation *e, const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "touched", TABLE_KEY, 0, NULL },
		{ "base", TABLE_RIGHT, 0, NULL },
		{ "now", TABLE_RIGHT, 0, NULL },
		{ "change", TABLE_RIGHT, 0, NULL },
	};
	struct touch_metric was[TOUCH_METRICS_MAX], now[TOUCH_METRICS_MAX];
	size_t n_was = touch_metrics(base, was), n_now = touch_metrics(e, now);
	struct table table;

	table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < n_now; i++) {
		const struct touch_metric *before = find(was, n_was, now[i].name);

		if (!before || !now[i].words)
			continue;
		table_row(&table, TABLE_PLAIN);
		table_cell(&table, 0, "%s", now[i].words);
		table_cell(&table, 1, "%.0f", before->value);
		table_cell(&table, 2, "%.0f", now[i].value);
		table_cell(&table, 3, "%+.0f", now[i].value - before->value);
	}
	fputc('\n', f);
	table_print(f, &table, o);
	table_free(&table);
}
