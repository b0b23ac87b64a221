/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pictures that are grouped bars: round trips of every benchmark, by target, a
 * picture per unit and architecture; and benchmarks under several counter configs, a bar
 * per config, with the guest's own counter beside the guest's clock where it was
 * measured.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/catalogue.h"
#include "host/result/result.h"
#include "host/report/charts.h"
#include "host/report/plots.h"
#include "host/report/run_table.h"

/* The documents whose figures share an axis. */
struct shared {
	const struct result **docs;
	size_t n;
};

static bool has_figure(const struct bars_panel *panel, const struct plot_input *in,
		       const struct result *r)
{
	for (size_t i = 0; i < r->n_benchmarks; i++)
		if (plot_wants(in, r->benchmarks[i].name) &&
		    bars_metric(panel, &r->benchmarks[i]))
			return true;
	return false;
}

/* A machine without a hypervisor has no exits to draw beside those of others. */
static void leave_bare_out(struct shared *shared)
{
	size_t kept = 0;

	for (size_t d = 0; d < shared->n; d++)
		if (shared->docs[d]->target.hypervisor)
			shared->docs[kept++] = shared->docs[d];
	if (kept)
		shared->n = kept;
}

static void select_docs(struct shared *shared, const struct bars_panel *panel,
			const char *arch, const struct plot_input *in)
{
	shared->docs = calloc(in->n_docs ? in->n_docs : 1, sizeof(struct result *));
	if (!shared->docs)
		abort();
	for (size_t d = 0; d < in->n_docs; d++)
		if (!strcmp(plot_arch(in->docs[d]), arch) &&
		    has_figure(panel, in, in->docs[d]))
			shared->docs[shared->n++] = in->docs[d];
	leave_bare_out(shared);
	/* A target that failed is in the legend, without a bar. */
	for (size_t d = 0; shared->n && d < in->n_docs; d++)
		if (!strcmp(plot_arch(in->docs[d]), arch) &&
		    result_failure(in->docs[d]) &&
		    !result_count(in->docs[d], RESULT_OK) &&
		    !strcmp(in->docs[d]->clock.unit, panel->unit))
			shared->docs[shared->n++] = in->docs[d];
}

static void print_head(struct bars_model *m, const char *arch)
{
	const char *unit = m->panels[0].unit;

	if (asprintf(&m->title, "What leaving the guest and coming back %s, %s",
		     strcmp(unit, "insns") ? "takes" : "costs", arch) < 0 ||
	    asprintf(&m->subtitle, "Round trips in %s: %s. Shorter is better.",
		     plot_unit_words(unit), plot_unit_caution(unit)) < 0)
		abort();
}

static char *copy(const char *text)
{
	char *new = strdup(text);

	if (!new)
		abort();
	return new;
}

/* Of a hypervisor that does not say what handled the exit. */
static bool exits_by_catalogue(const char *name)
{
	const struct bench *b = result_find_bench(name);

	return !b || b->handled_by != HANDLED_NONE;
}

bool plot_exits(const struct result_benchmark *b)
{
	return b->handled_by == HANDLED_UNKNOWN ? exits_by_catalogue(b->name)
						: b->handled_by != HANDLED_NONE;
}

/* Whether a row is skipped on every target that has it. */
static bool row_skipped(const struct shared *shared, const struct rows_row *row)
{
	size_t skipped = 0;

	for (size_t d = 0; d < shared->n; d++) {
		const struct result_benchmark *b = rows_find(shared->docs[d], row);

		if (b && b->status != RESULT_SKIP)
			return false;
		skipped += b != NULL;
	}
	return skipped > 0;
}

/* Whether a row exits on any target. */
static bool row_exits(const struct shared *shared, const struct rows_row *row)
{
	for (size_t d = 0; d < shared->n; d++) {
		const struct result_benchmark *b = rows_find(shared->docs[d], row);

		if (b && b->status == RESULT_FAIL)
			return true;
		if (b && b->status == RESULT_OK && shared->docs[d]->target.hypervisor &&
		    plot_exits(b))
			return true;
	}
	return false;
}

bool plot_is_base(const struct result *r, const char *name)
{
	const char *kernel = r->subject.kernel ? r->subject.kernel : "";
	size_t n = strlen(name);

	return !strcmp(r->target.name, name) ||
	       (r->subject.label && !strcmp(r->subject.label, name)) ||
	       (!strncmp(kernel, name, n) && !(kernel[n] >= '0' && kernel[n] <= '9'));
}

/* The base of each document: of its own target, or the first; NULL: none. */
static size_t *find_base(const struct shared *shared, const char *name)
{
	size_t *base = calloc(shared->n + 1, sizeof(*base)), first = shared->n;

	if (!base)
		abort();
	for (size_t d = shared->n; d-- > 0;)
		if (plot_is_base(shared->docs[d], name))
			first = d;
	for (size_t d = 0; d < shared->n; d++) {
		base[d] = first;
		for (size_t k = shared->n; k-- > 0;)
			if (plot_is_base(shared->docs[k], name) &&
			    !strcmp(shared->docs[k]->target.name,
				    shared->docs[d]->target.name))
				base[d] = k;
	}
	if (first < shared->n)
		return base;
	free(base);
	return NULL;
}

/* What the axis is in percent of. */
static char *base_name(const struct plot_input *in, const struct shared *shared,
		       const size_t *base)
{
	for (size_t d = 1; d < shared->n; d++)
		if (base[d] != base[0])
			return copy(in->base);
	return plot_label(in, shared->docs[base[0]]);
}

/* Whether every base has a figure of a row that is more than 0. */
static bool has_base(const struct bars_model *m,
		     const struct result_benchmark *const *found, const size_t *base,
		     size_t n)
{
	for (size_t s = 0; s < n; s++) {
		const struct result_benchmark *b = found[base[s]];
		const struct result_metric *metric =
			b ? bars_metric(&m->panels[0], b) : NULL;

		if (found[s] && bars_metric(&m->panels[0], found[s]) &&
		    !(metric && metric->value > 0))
			return false;
	}
	return true;
}

/* Whether a row before row `i` is of the same benchmark, and was left out, too. */
static bool is_counted(const struct shared *shared, const struct rows *rows, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(rows->rows[k].name, rows->rows[i].name) &&
		    !row_exits(shared, &rows->rows[k]) &&
		    !row_skipped(shared, &rows->rows[k]))
			return true;
	return false;
}

/* Rows that do not exit are left out, unless they were asked for or there are no others.
 */
static void add_groups(struct bars_model *m, const struct shared *shared,
		       const struct plot_input *in, const size_t *base)
{
	const struct result_benchmark **found = calloc(shared->n, sizeof(*found));
	size_t exits = 0;
	struct rows rows;

	if (!found)
		abort();
	rows_collect(&rows, shared->docs, shared->n);
	for (size_t i = 0; i < rows.n; i++)
		exits += row_exits(shared, &rows.rows[i]);
	for (size_t i = 0; i < rows.n; i++) {
		if (!plot_wants(in, rows.rows[i].name))
			continue;
		if (exits && !in->n_benches && !row_exits(shared, &rows.rows[i])) {
			if (row_skipped(shared, &rows.rows[i]))
				m->n_skipped++;
			else
				m->n_no_exit += !is_counted(shared, &rows, i);
			continue;
		}
		for (size_t d = 0; d < shared->n; d++)
			found[d] = result_count(shared->docs[d], RESULT_OK)
					   ? rows_find(shared->docs[d], &rows.rows[i])
					   : NULL;
		if (base && !has_base(m, found, base, shared->n))
			m->n_no_base++;
		else
			bars_add_group(m, copy(rows.rows[i].label), found,
				       shared->docs[0]->target.exact);
	}
	rows_free(&rows);
	free(found);
}

static bool draw(struct bars_model *m, const struct shared *shared, const char *arch,
		 const struct plot_input *in, struct picture_list *list)
{
	size_t *base = in->base ? find_base(shared, in->base) : NULL;
	struct picture *p;

	if (in->base && !base)
		return false;
	print_head(m, arch);
	for (size_t d = 0; d < shared->n; d++)
		bars_add_series(m, plot_subject(in, shared->docs[d]));
	add_groups(m, shared, in, base);
	if (base)
		bars_relate(m, base, base_name(in, shared, base));
	free(base);
	bars_settle(m);
	p = picture_add(list);
	picture_name(list, "round_trip-%s-%s", m->panels[0].unit, arch);
	if (asprintf(&p->caption, "Bar chart of round trips in %s on %s, by target",
		     plot_unit_words(m->panels[0].unit), arch) < 0)
		abort();
	bars_draw(m, p);
	return true;
}

void plot_bars(const struct plot_input *in, struct picture_list *list,
	       struct plot_reason *why)
{
	/* These are part of file names: other units have no picture. */
	static const char *const units[] = { "insns", "ticks", "cycles", "ns" };
	static const char *const archs[] = { "x86_64", "aarch64" };
	bool drawn = false, any = false;

	for (size_t i = 0; i < 8; i++) {
		struct bars_model m = {
			.panels = { { .unit = units[i / 2], .metric = "round_trip" } },
			.n_panels = 1,
			.axis = in->log ? BARS_LOG : BARS_LINEAR,
		};
		struct shared shared = { 0 };

		select_docs(&shared, &m.panels[0], archs[i % 2], in);
		any |= shared.n;
		if (shared.n)
			drawn = draw(&m, &shared, archs[i % 2], in, list) || drawn;
		bars_free(&m);
		free(shared.docs);
	}
	if (!any)
		snprintf(why->text, sizeof(why->text), "no round trip was measured");
	else if (!drawn)
		snprintf(why->text, sizeof(why->text),
			 "no document is of the target, label or kernel of --base %.60s",
			 in->base);
}

/* ------------------------------ by config ------------------------------ */

/* Of one picture; --bench chooses others. */
#define ROWS_MAX 12

#define VISIBLE "pmc_visible"

struct contrast {
	size_t row;
	double spread; /* of the round trips under the configs: ln(largest / smallest) */
};

static int by_spread(const void *a, const void *b)
{
	const struct contrast *x = a, *y = b;

	if (x->spread != y->spread)
		return x->spread < y->spread ? 1 : -1;
	return x->row < y->row ? -1 : 1;
}

static int by_row(const void *a, const void *b)
{
	const struct contrast *x = a, *y = b;

	return (x->row > y->row) - (x->row < y->row);
}

static double spread_of(const struct bars_panel *panel, const struct configs *c,
			size_t row)
{
	double least = INFINITY, most = 0;

	for (size_t s = 0; s < c->n; s++) {
		const struct result_benchmark *b = configs_at(c, row, s);
		const struct result_metric *metric = b ? bars_metric(panel, b) : NULL;

		if (!metric || metric->value <= 0)
			continue;
		least = fmin(least, metric->value);
		most = fmax(most, metric->value);
	}
	return most > 0 ? log(most / least) : 0;
}

/* Whether the last panel has a figure of a row. */
static bool fills(const struct bars_model *m, const struct configs *c, size_t row)
{
	for (size_t s = 0; s < c->n; s++) {
		const struct result_benchmark *b = configs_at(c, row, s);

		if (b && bars_metric(&m->panels[m->n_panels - 1], b))
			return true;
	}
	return false;
}

/* Whether a row exits under any config: a few instructions are not an exit. */
static bool exits(const struct bars_panel *panel, const struct configs *c, size_t row)
{
	for (size_t s = 0; s < c->n; s++) {
		const struct result_benchmark *b = configs_at(c, row, s);

		if (b && bars_metric(panel, b) && bars_metric(panel, b)->value > 10)
			return true;
	}
	return false;
}

/* The default choice of rows. */
static bool is_telling(const struct bars_model *m, const struct configs *c, size_t row)
{
	const struct bench *b = result_find_bench(c->rows[row]);

	return b && b->needs & (BENCH_CORE | NEEDS_PMU) && exits(&m->panels[0], c, row) &&
	       fills(m, c, row);
}

static size_t collect(const struct plot_input *in, const struct bars_model *m,
		      const struct configs *c, bool telling, struct contrast *chosen)
{
	size_t n = 0;

	for (size_t row = 0; row < c->n_rows; row++)
		if (plot_wants(in, c->rows[row]) && (!telling || is_telling(m, c, row)))
			chosen[n++] = (struct contrast){ row, spread_of(&m->panels[0], c,
									row) };
	return n;
}

/* Chooses the rows that differ most, in the catalogue's order. Returns their number. */
static size_t choose(const struct plot_input *in, const struct bars_model *m,
		     const struct configs *c, struct contrast *chosen)
{
	size_t n = collect(in, m, c, !in->n_benches, chosen);

	if (!n)
		n = collect(in, m, c, false, chosen);
	if (n <= ROWS_MAX || in->n_benches)
		return n;
	qsort(chosen, n, sizeof(*chosen), by_spread);
	qsort(chosen, ROWS_MAX, sizeof(*chosen), by_row);
	return ROWS_MAX;
}

static bool has_visible(const struct configs *c, struct bars_panel *panel)
{
	for (size_t row = 0; row < c->n_rows; row++)
		for (size_t s = 0; s < c->n; s++) {
			const struct result_benchmark *b = configs_at(c, row, s);
			const struct result_metric *m =
				b ? result_find_metric(b, VISIBLE) : NULL;

			if (!m || isnan(m->value))
				continue;
			*panel =
				(struct bars_panel){ .unit = m->unit, .metric = VISIBLE };
			return true;
		}
	return false;
}

static char *legend(const char *config)
{
	const char *summary = configs_summary(config);
	char *text;

	if (asprintf(&text, "%.60s%s%s", config, *summary ? ": " : "", summary) < 0)
		abort();
	return text;
}

static void print_configs_head(struct bars_model *m, const struct plot_input *in,
			       const struct result *r, const struct configs *c)
{
	char *subject = plot_subject(in, r);
	int ret;

	if (c->n == 2)
		ret = asprintf(&m->title, "%.60s against %.60s", c->names[0],
			       c->names[1]);
	else
		ret = asprintf(&m->title, "The same exits under %zu counter configs",
			       c->n);
	if (ret < 0 || asprintf(&m->subtitle, "%s. Round trips in %s: %s.", subject,
				plot_unit_words(r->clock.unit),
				plot_unit_caution(r->clock.unit)) < 0)
		abort();
	free(subject);
}

static void remark(struct bars_model *m, size_t drawn, size_t all)
{
	if (drawn < all &&
	    asprintf(&m->remark, "%zu of %zu benchmarks; --bench chooses others.", drawn,
		     all) < 0)
		abort();
}

static void fill(struct bars_model *m, const struct plot_input *in,
		 const struct configs *c, bool exact)
{
	struct contrast *chosen = calloc(c->n_rows + 1, sizeof(*chosen));
	const struct result_benchmark **found = calloc(c->n + 1, sizeof(*found));
	size_t n, all = 0;

	if (!chosen || !found)
		abort();
	for (size_t s = 0; s < c->n; s++)
		bars_add_series(m, legend(c->names[s]));
	n = choose(in, m, c, chosen);
	for (size_t i = 0; i < n; i++) {
		for (size_t s = 0; s < c->n; s++)
			found[s] = configs_at(c, chosen[i].row, s);
		bars_add_group(m, copy(c->rows[chosen[i].row]), found, exact);
	}
	for (size_t row = 0; row < c->n_rows; row++)
		all += plot_wants(in, c->rows[row]);
	remark(m, n, all);
	free(chosen);
	free(found);
}

static bool draw_configs(const struct plot_input *in, const struct result *r,
			 const struct configs *c, struct picture_list *list)
{
	struct bars_model m = {
		.panels = { { .unit = r->clock.unit, .metric = "round_trip" } },
		.n_panels = 1,
		.axis = in->log ? BARS_LOG : BARS_AUTO,
	};
	struct picture *p;
	bool any;

	if (has_visible(c, &m.panels[1])) {
		m.n_panels = 2;
		m.one_axis = !strcmp(m.panels[0].unit, m.panels[1].unit);
		m.panels[0].title = "By the guest's clock: all of the round trip";
		m.panels[1].title = "By the guest's own cycle counter";
	}
	print_configs_head(&m, in, r, c);
	fill(&m, in, c, r->target.exact);
	bars_settle(&m);
	any = m.n_bars;
	if (any) {
		p = picture_add(list);
		picture_name(list, "configs-%s", r->target.name);
		if (asprintf(&p->caption,
			     "Bar chart of round trips on %s, by counter configuration",
			     r->target.name) < 0)
			abort();
		bars_draw(&m, p);
	}
	bars_free(&m);
	return any;
}

void plot_configs(const struct plot_input *in, struct picture_list *list,
		  struct plot_reason *why)
{
	bool any = false, few = false;

	for (size_t d = 0; d < in->n_docs; d++) {
		struct configs c;

		configs_collect(&c, in->docs[d], in->config);
		few |= c.n > 1 && !in->asked && c.n_rows < PLOT_ROWS_LEAST;
		if (c.n > 1 && (in->asked || c.n_rows >= PLOT_ROWS_LEAST) &&
		    draw_configs(in, in->docs[d], &c, list))
			any = true;
		configs_free(&c);
	}
	if (!any && few)
		snprintf(why->text, sizeof(why->text),
			 "fewer than %d benchmarks have two configs", PLOT_ROWS_LEAST);
	else if (!any)
		snprintf(why->text, sizeof(why->text),
			 in->config[0] ? "no document has benchmarks under both %s and %s"
				       : "no document has a benchmark under two configs",
			 in->config[0], in->config[1]);
}
