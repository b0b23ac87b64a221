/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wsbench history why`: the steps of a history, the functions behind each, by the
 * explanations that `history add` has kept, and the commits that fit the functions, by
 * the kept changelog or a git tree. Nothing is measured.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/compare.h"
#include "host/explain/step.h"
#include "host/explain/explanation.h"
#include "host/lib/error.h"
#include "host/lib/text.h"
#include "host/lib/table.h"

/* Functions of a step that are shown. */
#define TOP	      20
/* Functions of a commit that are shown. */
#define TOP_OF_COMMIT 3

enum cli_exit history_keep(const struct history_args *args)
{
	bool unusable;
	struct error err;

	/* Without documents, a history that does not exist is a wrong name. */
	if (!args->n_files && access(args->db, F_OK)) {
		message_error("cannot read %s: %s", args->db, strerror(errno));
		return CLI_USAGE;
	}

	for (size_t i = 0; i < args->n_explanations; i++) {
		struct explanation *e;
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
	if (args->n_explanations)
		message_info(args->common.quiet,
			     "kept %zu explanation%s in %s.explanations",
			     args->n_explanations, args->n_explanations == 1 ? "" : "s",
			     args->db);
	if (!args->n_changelogs)
		return CLI_OK;
	if (changelog_keep(args->db, (const char *const *)args->changelogs,
			   args->n_changelogs, &unusable, &err)) {
		message_error("%s", err.text);
		return unusable ? CLI_USAGE : CLI_FAILED;
	}
	message_info(args->common.quiet,
		     "kept the commits of %zu changelog%s in %s.explanations",
		     args->n_changelogs, args->n_changelogs == 1 ? "" : "s", args->db);
	return CLI_OK;
}

/* An explanation that the next step needs again: its base is the end of this step. */
struct kept {
	const struct history_series *series;
	size_t point;
	struct explanation *e;
};

struct kept_list {
	struct kept *list;
	size_t n;
};

static void free_kept(struct kept_list *k)
{
	for (size_t i = 0; i < k->n; i++)
		explanation_free(k->list[i].e);
	free(k->list);
	*k = (struct kept_list){ .n = 0 };
}

/* Moves an explanation out of the list; NULL: it is not there. */
static struct explanation *take_kept(struct kept_list *k, const struct history_series *s,
				     size_t point)
{
	for (size_t i = 0; i < k->n; i++) {
		struct explanation *e = k->list[i].e;

		if (!e || k->list[i].series != s || k->list[i].point != point)
			continue;
		k->list[i].e = NULL;
		return e;
	}
	return NULL;
}

/* A step: changes from one run to another, with the explanations of both. */
struct step_list {
	const struct history_args *args;
	const struct history *h;
	const struct changelog *log; /* empty: none is kept */
	struct kept_list *before;    /* of the last step */
	struct explanation **bases;  /* of the rows */
	struct kept_list ends;
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
		base = take_kept(l->before, s, at - 1);
	if (now && !base)
		base = find(l, s, &s->points[at - 1]);
	if (!base) {
		explanation_free(now);
		return;
	}
	history_label(s, l->labels[l->n_rows]);
	l->bases[l->n_rows] = base;
	l->ends.list[l->ends.n++] = (struct kept){ s, at, now };
	l->rows[l->n_rows] = (struct step_row){ l->labels[l->n_rows], base, now };
	l->n_rows++;
}

/* ------------------------------ commits ------------------------------ */

static void cause_functions(const struct cause *c, char *text, size_t bytes)
{
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < c->n_functions && i < TOP_OF_COMMIT && used < bytes; i++) {
		const struct step_function *f = c->functions[i];
		char change[NUMBER_BYTES];

		number_format(change, (double)(f->most > -f->least ? f->most : f->least),
			      true);
		used += (size_t)snprintf(text + used, bytes - used, "%s%s %s%s",
					 i ? ", " : "", f->name,
					 *change == '-' ? "" : "+", change);
	}
	if (c->n_functions > TOP_OF_COMMIT && used < bytes)
		snprintf(text + used, bytes - used, ", %zu more",
			 c->n_functions - TOP_OF_COMMIT);
}

#define CAUSE_INDENT 8

/* "    likely  6.12.114  KVM: x86: ...", and below it the functions. */
static void print_causes(const struct causes *c)
{
	struct table_options o;
	size_t version = 0;

	table_options_for(&o, stdout);
	for (size_t i = 0; i < c->n; i++)
		version = strlen(c->list[i].version) > version
				  ? strlen(c->list[i].version)
				  : version;
	putchar('\n');
	for (size_t i = 0; i < c->n; i++) {
		const struct cause *one = &c->list[i];
		char functions[512];
		int at = text_print(stdout, "    %-9s  %-*s  ",
				    cause_strength_name(one->strength), (int)version,
				    one->version);

		text_wrap(stdout, one->title, (size_t)at, CAUSE_INDENT,
			  table_text_columns(&o));
		cause_functions(one, functions, sizeof(functions));
		printf("%*s", CAUSE_INDENT, "");
		text_wrap(stdout, functions, CAUSE_INDENT, CAUSE_INDENT,
			  table_text_columns(&o));
	}
}

/*
 * The revision of a run in a git tree: its commit, else the tag of its release, candidate
 * ("6.18~rc4-1~exp1": v6.18-rc4) or stable update.
 */
static void revision_of(const struct explanation *e, char *revision, size_t bytes)
{
	const char *version = e->subject.package_version;

	if (!version)
		version = e->subject.kernel ? e->subject.kernel : "";
	if (e->subject.commit)
		snprintf(revision, bytes, "%s", e->subject.commit);
	else
		snprintf(revision, bytes, "v%.*s", (int)changelog_linux_bytes(version),
			 version);
	if (strstr(revision, "~rc"))
		*strstr(revision, "~rc") = '-';
}

static void print_tree(struct step_list *l, const struct step *step)
{
	char from[128], to[128];
	struct causes causes;
	struct error err;

	revision_of(l->rows[0].base, from, sizeof(from));
	revision_of(l->rows[0].now, to, sizeof(to));
	if (causes_of_tree(step, l->rows[0].now->machine.arch, l->args->tree, from, to,
			   &causes, &err)) {
		message_warn("%s", err.text);
		l->broken = true;
		return;
	}
	if (causes.n) {
		print_causes(&causes);
	} else if (causes.n_searched > causes.n_lost) {
		fputs("\n    ", stdout);
		text_print(stdout, "no commit from %s to %s changed these functions",
			   from, to);
		putchar('\n');
	}
	if (causes.n_lost || causes.n_searched < step->n)
		printf("\n    of %zu functions, the %zu largest changes were searched; %zu are not in the tree\n",
		       step->n, causes.n_searched, causes.n_lost);
	causes_free(&causes);
}

static void print_titles(const struct step_list *l, const struct step *step)
{
	const struct explanation *base = l->rows[0].base, *now = l->rows[0].now;
	const char *from = base->subject.package_version;
	const char *to = now->subject.package_version;
	const struct change **changes;
	struct causes causes;
	bool whole;
	size_t n;

	if (!from || !to)
		return;
	n = changelog_between(l->log, from, to, &changes, &whole);
	causes_of_titles(step, now->machine.arch, l->log, changes, n, &causes);
	/* Of two releases, most commits are not listed: only what fits clearly counts. */
	while (!whole && causes.n &&
	       causes.list[causes.n - 1].strength == CAUSE_CANDIDATE)
		causes_drop_last(&causes);
	fputs("\n    ", stdout);
	text_print(stdout, "%zu commits from %s to %s%s", n, from, to,
		   causes.n ? "; by their titles these fit:"
			    : "; the title of none fits");
	putchar('\n');
	if (!whole)
		puts("    (two releases of Linux: the changelog lists only the updates after a release)");
	if (causes.n)
		print_causes(&causes);
	causes_free(&causes);
	free(changes);
}

static void print_functions(struct step_list *l)
{
	struct table_options o;
	struct step step;
	struct table t;

	table_options_for(&o, stdout);
	step_sum(l->rows, l->n_rows, &step);
	fputs("    explained: ", stdout);
	for (size_t i = 0; i < l->n_rows; i++)
		text_print(stdout, "%s%s", i ? ", " : "", l->rows[i].name);
	fputs("\n\n", stdout);
	step_table(&t, &step, l->n_rows, TOP);
	table_print(stdout, &t, &o);
	table_free(&t);
	if (l->args->tree)
		print_tree(l, &step);
	else if (l->log->n)
		print_titles(l, &step);
	step_free(&step);
}

static void print_step(const struct history_args *args, const struct history *h,
		       const struct changelog *log, const struct history_alarm *alarms,
		       size_t n, struct kept_list *before, bool *broken)
{
	struct step_list l = {
		.args = args,
		.h = h,
		.log = log,
		.before = before,
		.bases = calloc(n, sizeof(*l.bases)),
		.ends.list = calloc(n, sizeof(*l.ends.list)),
		.rows = calloc(n, sizeof(*l.rows)),
		.labels = calloc(n, sizeof(*l.labels)),
	};

	if (!l.bases || !l.ends.list || !l.rows || !l.labels)
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
	for (size_t i = 0; i < l.n_rows; i++)
		explanation_free(l.bases[i]);
	free(l.bases);
	free_kept(before);
	*before = l.ends;
	free(l.rows);
	free(l.labels);
}

/* ------------------------------ --missing ------------------------------ */

/* Rows of a step that --missing wants explained. */
#define MISSING_ROWS 4

static void print_missing(struct step_list *l, const struct history_series *s,
			  const struct history_point *p)
{
	struct explanation *e = find(l, s, p);

	if (!e)
		printf("%s %s %s %s\n", l->h->places[s->place].target,
		       l->h->runs[p->run].kernel ? l->h->runs[p->run].kernel : "-",
		       s->benchmark, s->config);
	explanation_free(e);
}

/* Whether `wsbench explain` explains the row: the sweep that reads these lines calls it.
 */
static bool can_explain(const struct history *h, const struct history_series *s)
{
	const struct target *t = names_target(h->places[s->place].target);

	return t && !touch_refusal(t) && !row_refusal(result_find_bench(s->benchmark)) &&
	       result_find_config(s->config);
}

static void print_missing_of(const struct history_args *args, const struct history *h,
			     const struct history_alarm *alarms, size_t n, bool *broken)
{
	struct step_list l = { .args = args, .h = h };
	size_t rows = 0;

	/* The largest changes first, of those that can be explained. */
	for (size_t i = 0; i < n && rows < MISSING_ROWS; i++) {
		const struct history_series *s = alarms[i].series;
		size_t at = history_change(&alarms[i])->index;

		if (strcmp(s->metric, "round_trip") || strcmp(s->unit, "insns") || !at ||
		    !can_explain(h, s))
			continue;
		print_missing(&l, s, &s->points[at - 1]);
		print_missing(&l, s, &s->points[at]);
		rows++;
	}
	*broken |= l.broken;
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
	struct kept_list kept = { .n = 0 };
	struct changelog log;
	bool broken = false;
	struct error err;
	int rc;

	if (args->since && !knows_run(h, args->since)) {
		message_error("%s: no run '%s'", args->db, args->since);
		return CLI_USAGE;
	}
	if (args->tree && !causes_is_tree(args->tree)) {
		message_error("--tree %s: not a git tree", args->tree);
		return CLI_USAGE;
	}
	rc = changelog_find(args->db, &log, &err);
	if (rc && rc != -ENOENT) {
		message_warn("%s", err.text);
		broken = true;
	}
	alarms = history_alarms(&args->query, h, &n);
	for (size_t i = 0, end; i < n; i = end) {
		size_t place = alarms[i].series->place;

		end = history_step_end(h, alarms, n, i);
		if (!alarms[i].recent || !is_since(args, h, &alarms[i]))
			continue;
		if (args->missing) {
			print_missing_of(args, h, &alarms[i], end - i, &broken);
			steps++;
			continue;
		}
		if (steps++)
			putchar('\n');
		if (place != last) {
			history_where(&h->places[place], where);
			puts(where);
		}
		last = place;
		print_step(args, h, &log, &alarms[i], end - i, &kept, &broken);
	}
	if (!steps && !args->missing)
		puts("no step");
	free_kept(&kept);
	free(alarms);
	changelog_free(&log);
	return broken ? CLI_FAILED : CLI_OK;
}
