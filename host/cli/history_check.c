/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench history check`: what changed, by whom, how much; and the verdict. */
#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/history.h"
#include "host/cli/message.h"
#include "host/cli/text.h"
#include "host/result/json_list.h"
#include "host/view/number.h"

#define BOLD  "\033[1m"
#define RED   "\033[31m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

static const struct changepoint *change_of(const struct history_alarm *a)
{
	return &a->series->changes[a->k];
}

static size_t new_run(const struct history_alarm *a)
{
	return a->series->points[change_of(a)->index].run;
}

/* NAN where it came from nothing. */
static double relative(const struct changepoint *c)
{
	return c->before == 0 ? NAN : (c->after - c->before) / fabs(c->before);
}

/* By place, then in the order of the history, the worst first. */
static int by_weight(const void *x, const void *y)
{
	const struct history_alarm *a = x, *b = y;
	double r, s;

	if (a->series->place != b->series->place)
		return a->series->place < b->series->place ? -1 : 1;
	if (new_run(a) != new_run(b))
		return new_run(a) < new_run(b) ? -1 : 1;
	if (a->worse != b->worse)
		return a->worse ? -1 : 1;
	r = changepoint_magnitude(change_of(a));
	s = changepoint_magnitude(change_of(b));
	if (r != s)
		return r > s ? -1 : 1;
	return a->series < b->series ? -1 : a->series > b->series;
}

struct history_alarm *history_alarms(const struct history_args *args,
				     const struct history *h, size_t *n)
{
	struct history_alarm *alarms;
	size_t room = 1;

	for (size_t i = 0; i < h->n_series; i++)
		room += h->series[i].n_changes;
	alarms = calloc(room, sizeof(*alarms));
	if (!alarms)
		abort();
	*n = 0;
	for (size_t i = 0; i < h->n_series; i++) {
		const struct history_series *s = &h->series[i];

		if (!history_wanted(args, h, s))
			continue;
		for (size_t k = 0; k < s->n_changes; k++)
			alarms[(*n)++] = (struct history_alarm){
				.series = s,
				.k = k,
				.worse = history_worse(s, k),
				.recent = history_is_recent(h, history_new_run(h, s, k),
							    args->last),
			};
	}
	qsort(alarms, *n, sizeof(*alarms), by_weight);
	return alarms;
}

static const char *confirmed_text(const struct history_alarm *a)
{
	static const char *const texts[] = {
		[HISTORY_UNTRIED] = "",
		[HISTORY_CONFIRMED] = ", confirmed: ",
		[HISTORY_REFUTED] = ", not confirmed: ",
		[HISTORY_UNDECIDED] = ", could not be confirmed: ",
	};

	return texts[a->confirmed];
}

static void print_change(const struct history_alarm *a, size_t width)
{
	const struct changepoint *c = change_of(a);
	bool color = message_color(stdout);
	char label[HISTORY_NAME_BYTES], from[NUMBER_BYTES], to[NUMBER_BYTES];
	bool steps = a->series->method == HISTORY_STEPS;
	double percent = 100 * relative(c);

	history_label(a->series, label);
	number_format(from, c->before, steps);
	number_format(to, c->after, steps);
	fputs("    ", stdout);
	text_left(stdout, label, width);
	printf("  %10s  %10s  ", from, to);
	if (isnan(percent))
		printf("%9s", "");
	else if (fabs(percent) < 0.05)
		printf("%+7.2f %%", percent);
	else
		printf("%+7.1f %%", percent);
	printf("  %s%s%s%s%s",
	       !color	  ? ""
	       : a->worse ? RED
			  : GREEN,
	       a->worse ? "worse" : "better", color ? PLAIN : "", confirmed_text(a),
	       a->reason);
	if (!steps)
		printf("  p %.1g", c->pvalue);
	putchar('\n');
}

/* What else changed with the run, and may be the reason. */
static void print_suspects(const struct history_run *old, const struct history_run *new)
{
	if (strcmp(old->tool, new->tool) != 0)
		printf("    (measured by wsbench %s, before by %s)\n", new->tool,
		       old->tool);
	if (old->emulator && new->emulator && strcmp(old->emulator, new->emulator) != 0)
		printf("    (measured on %s, before on %s)\n", new->emulator,
		       old->emulator);
}

static void print_heading(const struct history *h, const struct history_alarm *a)
{
	const struct history_run *new = history_new_run(h, a->series, a->k);
	const struct history_run *old = history_old_run(h, a->series, a->k);
	char name[HISTORY_NAME_BYTES], before[HISTORY_NAME_BYTES];

	history_name(new, name);
	history_name(old, before);
	printf("  %s, after %s", name, before);
	/* Two runs of one kernel: which of them, then. */
	if (!strcmp(name, before))
		printf(" (run %s)", new->id);
	puts(":");
	print_suspects(old, new);
}

static bool same_change(const struct history *h, const struct history_alarm *a,
			const struct history_alarm *b)
{
	return history_new_run(h, a->series, a->k) ==
		       history_new_run(h, b->series, b->k) &&
	       history_old_run(h, a->series, a->k) == history_old_run(h, b->series, b->k);
}

static size_t label_width(const struct history_alarm *alarms, size_t n)
{
	char label[HISTORY_NAME_BYTES];
	size_t width = 0;

	for (size_t i = 0; i < n; i++) {
		history_label(alarms[i].series, label);
		if (text_width(label) > width)
			width = text_width(label);
	}
	return width;
}

struct tally {
	size_t series, unjudged, gone, worse, better, old;
};

static struct tally tally(const struct history_args *args, const struct history *h,
			  const struct history_alarm *alarms, size_t n)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < h->n_series; i++) {
		if (!history_wanted(args, h, &h->series[i]))
			continue;
		t.series++;
		t.unjudged += h->series[i].method == HISTORY_TOO_FEW;
		t.gone += !history_is_current(h, &h->series[i]);
	}
	for (size_t i = 0; i < n; i++) {
		t.old += !alarms[i].recent;
		t.worse += alarms[i].recent && alarms[i].worse;
		t.better += alarms[i].recent && !alarms[i].worse;
	}
	return t;
}

static void print_gone(const struct history_args *args, const struct history *h)
{
	char label[HISTORY_NAME_BYTES], where[HISTORY_NAME_BYTES];

	for (size_t i = 0; i < h->n_series; i++) {
		const struct history_series *s = &h->series[i];

		if (!history_wanted(args, h, s) || history_is_current(h, s))
			continue;
		history_label(s, label);
		history_where(&h->places[s->place], where);
		message_info(&args->common, "%s: the newest run has no figure of %s",
			     where, label);
	}
}

void history_check_print(const struct history_args *args, const struct history *h,
			 const struct history_alarm *alarms, size_t n)
{
	struct tally t = tally(args, h, alarms, n);
	const struct history_alarm *last = NULL;
	size_t width = label_width(alarms, n);
	char where[HISTORY_NAME_BYTES];

	for (size_t i = 0; i < n; i++) {
		const struct history_alarm *a = &alarms[i];

		if (!a->recent)
			continue;
		if (!last || last->series->place != a->series->place) {
			history_where(&h->places[a->series->place], where);
			printf("%s%s\n", last ? "\n" : "", where);
		}
		if (!last || !same_change(h, last, a))
			print_heading(h, a);
		print_change(a, width);
		last = a;
	}
	if (last)
		putchar('\n');
	print_gone(args, h);
	printf("%zu series: %zu changes for worse, %zu for better", t.series, t.worse,
	       t.better);
	if (args->last)
		printf(" in the newest %llu runs (%zu before)",
		       (unsigned long long)args->last, t.old);
	if (t.unjudged)
		printf("; %zu too short to judge", t.unjudged);
	putchar('\n');
}

static void json_run(struct json_list *l, const char *prefix,
		     const struct history_run *run)
{
	char key[32];

	snprintf(key, sizeof(key), "%s_run", prefix);
	json_list_string(l, key, run->id);
	snprintf(key, sizeof(key), "%s_kernel", prefix);
	json_list_string(l, key, run->kernel);
	snprintf(key, sizeof(key), "%s_label", prefix);
	json_list_string(l, key, run->label);
	snprintf(key, sizeof(key), "%s_commit", prefix);
	json_list_string(l, key, run->commit);
}

void history_check_json(const struct history_args *args, const struct history *h,
			const struct history_alarm *alarms, size_t n)
{
	static const char *const words[] = {
		[HISTORY_CONFIRMED] = "confirmed",
		[HISTORY_REFUTED] = "refuted",
		[HISTORY_UNDECIDED] = "undecided",
	};
	struct json_list *l = json_list_new();
	struct tally t = tally(args, h, alarms, n);
	char *text;

	json_list_array(l, "changes");
	for (size_t i = 0; i < n; i++) {
		const struct history_alarm *a = &alarms[i];
		const struct history_series *s = a->series;

		if (!a->recent)
			continue;
		json_list_row(l, "changes");
		json_list_string(l, "target", h->places[s->place].target);
		json_list_string(l, "place", h->places[s->place].what);
		json_list_string(l, "benchmark", s->benchmark);
		json_list_string(l, "config", s->config);
		json_list_string(l, "metric", s->metric);
		json_list_string(l, "unit", s->unit);
		json_list_string(l, "verdict", a->worse ? "worse" : "better");
		json_list_number(l, "before", change_of(a)->before);
		json_list_number(l, "after", change_of(a)->after);
		json_list_number(l, "relative", relative(change_of(a)));
		json_list_number(l, "p", change_of(a)->pvalue);
		json_list_number(l, "index", (double)change_of(a)->index);
		json_list_string(l, "confirmed", words[a->confirmed]);
		json_list_string(l, "reason", *a->reason ? a->reason : NULL);
		json_run(l, "old", history_old_run(h, s, a->k));
		json_run(l, "new", history_new_run(h, s, a->k));
	}
	json_list_row(l, "summary");
	json_list_number(l, "series", (double)t.series);
	json_list_number(l, "worse", (double)t.worse);
	json_list_number(l, "better", (double)t.better);
	json_list_number(l, "too_short", (double)t.unjudged);
	json_list_number(l, "not_in_newest_run", (double)t.gone);
	text = json_list_dump(l);
	fputs(text, stdout);
	free(text);
	json_list_free(l);
}

static enum cli_exit verdict(const struct history_alarm *alarms, size_t n,
			     const struct tally *t)
{
	bool unsure = false;

	for (size_t i = 0; i < n; i++) {
		const struct history_alarm *a = &alarms[i];

		if (!a->worse || !a->recent)
			continue;
		if (a->confirmed == HISTORY_UNTRIED || a->confirmed == HISTORY_CONFIRMED)
			return CLI_WORSE;
		unsure = true;
	}
	return unsure || t->unjudged == t->series ? CLI_UNTRUSTED : CLI_OK;
}

enum cli_exit history_check(const struct history_args *args, struct history *h)
{
	enum cli_exit code;
	struct tally t;
	size_t n;
	struct history_alarm *alarms = history_alarms(args, h, &n);

	t = tally(args, h, alarms, n);
	if (!t.series) {
		free(alarms);
		message_error("%s has no such series", args->db);
		return CLI_USAGE;
	}
	if (args->confirm)
		history_confirm(args, h, alarms, n);
	if (args->json)
		history_check_json(args, h, alarms, n);
	else
		history_check_print(args, h, alarms, n);
	code = verdict(alarms, n, &t);
	free(alarms);
	return code;
}
