/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wsbench history why`: the steps of a history, and the functions behind each, by the
 * explanations that `history add --explanation` has kept. Nothing is measured.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/history.h"
#include "host/explain/explanation.h"
#include "host/explain/keep.h"
#include "host/explain/step.h"
#include "host/lib/message.h"
#include "host/lib/table.h"
#include "host/lib/text.h"

/* Functions of a step that are shown. */
#define TOP 20

enum cli_exit history_keep(const struct history_args *args)
{
	for (size_t i = 0; i < args->n_explanations; i++) {
		struct explanation *e;
		struct error err;
		int rc;

		if (explanation_read(args->explanations[i], &e, &err)) {
			message_error("%s", err.text);
			return CLI_USAGE;
		}
		rc = keep_add(args->db, e, &err);
		explanation_free(e);
		if (rc) {
			message_error("%s", err.text);
			return CLI_FAILED;
		}
	}
	message_info(args->common.quiet, "kept %zu explanations in %s.explanations",
		     args->n_explanations, args->db);
	return CLI_OK;
}

/* A step: changes from one run to another, with the explanations of both. */
struct step_list {
	const struct history_args *args;
	const struct history *h;
	struct explanation **owned;
	struct step_row *rows;
	char (*labels)[HISTORY_NAME_BYTES];
	size_t n_rows;
	size_t stale; /* explained figures that are not those of the history */
	bool broken;
};

/* Whether an explained figure is that of the point, or within its range over boots. */
static bool is_figure(const struct explanation *e, const struct history_point *p)
{
	return e->round_trip == p->value ||
	       (e->round_trip >= p->lo && e->round_trip <= p->hi);
}

/* NULL: none of this figure. */
static struct explanation *find(struct step_list *l, const struct history_series *s,
				const struct history_point *point)
{
	const struct history_run *run = &l->h->runs[point->run];
	struct keep_name name = {
		.target = l->h->places[s->place].target,
		.kernel = run->kernel,
		.commit = run->commit,
		.benchmark = s->benchmark,
		.config = s->config,
	};
	struct explanation *e;
	struct error err;
	int rc = keep_find(l->args->db, &name, &e, &err);

	/* Made without --commit: the figure tells whether it is of this commit. */
	if (rc == -ENOENT && name.commit) {
		name.commit = NULL;
		rc = keep_find(l->args->db, &name, &e, &err);
	}
	if (rc && rc != -ENOENT) {
		message_warn("%s", err.text);
		l->broken = true;
	}
	if (rc || is_figure(e, point))
		return e;
	l->stale++;
	explanation_free(e);
	return NULL;
}

static void add_row(struct step_list *l, const struct history_alarm *a)
{
	const struct history_series *s = a->series;
	size_t at = history_change(a)->index;
	struct explanation *now, *base = NULL;

	if (strcmp(s->metric, "round_trip") != 0 || at == 0)
		return;
	now = find(l, s, &s->points[at]);
	if (now)
		base = find(l, s, &s->points[at - 1]);
	if (!base) {
		explanation_free(now);
		return;
	}
	history_label(s, l->labels[l->n_rows]);
	l->owned[2 * l->n_rows] = base;
	l->owned[2 * l->n_rows + 1] = now;
	l->rows[l->n_rows] = (struct step_row){ l->labels[l->n_rows], base, now };
	l->n_rows++;
}

static void print_functions(const struct step_list *l)
{
	struct table_options o;
	struct step step;
	struct table t;

	table_options_for(&o, stdout);
	step_sum(l->rows, l->n_rows, &step);
	fputs("    explained: ", stdout);
	for (size_t i = 0; i < l->n_rows; i++)
		printf("%s%s", i ? ", " : "", l->rows[i].name);
	fputs("\n\n", stdout);
	step_table(&t, &step, l->n_rows, TOP);
	table_print(stdout, &t, &o);
	table_free(&t);
	step_free(&step);
}

static void print_step(const struct history_args *args, const struct history *h,
		       const struct history_alarm *alarms, size_t n, bool *broken)
{
	struct step_list l = {
		.args = args,
		.h = h,
		.owned = calloc(2 * n, sizeof(*l.owned)),
		.rows = calloc(n, sizeof(*l.rows)),
		.labels = calloc(n, sizeof(*l.labels)),
	};

	if (!l.owned || !l.rows || !l.labels)
		abort();
	history_print_step(&args->query, h, alarms, n);
	for (size_t i = 0; i < n; i++)
		add_row(&l, &alarms[i]);
	putchar('\n');
	if (l.n_rows)
		print_functions(&l);
	else
		puts("    not explained: no explanations of both runs are kept");
	if (l.stale)
		printf("    %zu kept explanations are of other figures, and are ignored\n",
		       l.stale);
	*broken |= l.broken;
	for (size_t i = 0; i < 2 * l.n_rows; i++)
		explanation_free(l.owned[i]);
	free(l.owned);
	free(l.rows);
	free(l.labels);
}

/* ------------------------------ --since ------------------------------ */

static bool is_run(const struct history_run *run, const char *name)
{
	size_t bytes = strlen(name);

	return !strcmp(run->id, name) || (run->kernel && !strcmp(run->kernel, name)) ||
	       (run->label && !strcmp(run->label, name)) ||
	       (run->commit && bytes >= 7 && !strncmp(run->commit, name, bytes));
}

/* The last run of this name at a place; h->n_runs: none. */
static size_t find_run(const struct history *h, size_t place, const char *name)
{
	size_t found = h->n_runs;

	for (size_t i = 0; i < h->n_runs; i++)
		if (h->runs[i].place == place && is_run(&h->runs[i], name))
			found = i;
	return found;
}

static bool is_since(const struct history_args *args, const struct history *h,
		     const struct history_alarm *a)
{
	size_t run;

	if (!args->since)
		return true;
	run = find_run(h, a->series->place, args->since);
	return run < h->n_runs &&
	       (size_t)(history_new_run(h, a->series, a->k) - h->runs) > run;
}

static bool knows_run(const struct history *h, const char *name)
{
	for (size_t place = 0; place < h->n_places; place++)
		if (find_run(h, place, name) < h->n_runs)
			return true;
	return false;
}

enum cli_exit history_why(const struct history_args *args, const struct history *h)
{
	struct history_alarm *alarms;
	size_t n, last = h->n_places, steps = 0;
	char where[HISTORY_NAME_BYTES];
	bool broken = false;

	if (args->since && !knows_run(h, args->since)) {
		message_error("%s: no run '%s'", args->db, args->since);
		return CLI_USAGE;
	}
	alarms = history_alarms(&args->query, h, &n);
	for (size_t i = 0, end; i < n; i = end) {
		size_t place = alarms[i].series->place;

		end = history_step_end(h, alarms, n, i);
		if (!alarms[i].recent || !is_since(args, h, &alarms[i]))
			continue;
		if (steps++)
			putchar('\n');
		if (place != last) {
			history_where(&h->places[place], where);
			puts(where);
		}
		last = place;
		print_step(args, h, &alarms[i], end - i, &broken);
	}
	if (!steps)
		puts("no step");
	free(alarms);
	return broken ? CLI_FAILED : CLI_OK;
}
