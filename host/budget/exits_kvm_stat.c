/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kvm_stat prints: once, and as a log. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/budget/exits.h"

#define WORDS_MAX (EXITS_NAMES_MAX + 2)

/* Tracepoints, unless it ran with -d. */
static enum exits_kind stat_kind(const struct exits *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (!strcmp(e->events[i].name, "kvm_exit"))
			return EXITS_TRACEPOINTS;
	return EXITS_COUNTERS;
}

/* A VM that ends while kvm_stat -d counts takes its counts along. */
static int stat_count(struct exits_lines *l, const char *word, double *count)
{
	if (*word == '-' && exits_is_count(word + 1, count))
		return exits_bad(l, "a counter fell: a VM ended while kvm_stat counted");
	return exits_is_count(word, count) ? 0 : exits_bad(l, "not a number below 10^15");
}

/*
 * The tracepoint kvm_userspace_exit says how many exits of a reason reach the VMM, which
 * costs more than an exit that KVM handles.
 */
static const struct {
	const char *reason;
	const char *user[2]; /* kvm_userspace_exit(...) */
} splits[] = {
	{ "IO_INSTRUCTION", { "IO" } },
	{ "IOIO", { "IO" } },
	{ "EPT_MISCONFIG", { "MMIO" } },
	{ "NPF", { "MMIO" } },
	{ "DABT_LOW", { "MMIO" } },
	{ "MSR_READ", { "X86_RDMSR" } },
	{ "MSR_WRITE", { "X86_WRMSR" } },
	{ "MSR", { "X86_RDMSR", "X86_WRMSR" } },
	{ "HLT", { "HLT" } },
};

static struct exits_event *find_tracepoint(struct exits *e, const char *name,
					   const char *argument)
{
	char full[EXITS_NAME_MAX + 1];

	snprintf(full, sizeof(full), "%s(%s)", name, argument);
	for (size_t i = 0; i < e->n; i++)
		if (!strcmp(e->events[i].name, full))
			return &e->events[i];
	return NULL;
}

void exits_split_reasons(struct exits_lines *l, struct exits *e)
{
	for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
		const char *reason = splits[i].reason;
		struct exits_event *event = find_tracepoint(e, "kvm_exit", reason);
		char name[EXITS_NAME_MAX + 1];
		double user = 0, all;
		bool known = false;

		for (size_t k = 0; k < 2 && splits[i].user[k]; k++) {
			const struct exits_event *u = find_tracepoint(
				e, "kvm_userspace_exit", splits[i].user[k]);

			known |= u != NULL;
			user += u ? u->count : 0;
		}
		if (!event || !known)
			continue;
		all = event->count;
		event->count = fmin(user, all);
		snprintf(event->name, sizeof(event->name), "kvm_exit(%s to VMM)", reason);
		snprintf(name, sizeof(name), "kvm_exit(%s in KVM)", reason);
		exits_add(l, e, name, all - fmin(user, all), NAN);
	}
}

/* kvm_stat -1: name, count since the start, count in the last second. */
int exits_parse_once(struct exits_lines *l, struct exits *out)
{
	double total, count;

	while (exits_line(l)) {
		char *last, *word;

		if (!*l->line)
			continue;
		last = exits_cut_word(l->line);
		word = exits_cut_word(l->line);
		exits_trim(l->line);
		if (*word == '-' && exits_is_count(word + 1, &total))
			stat_count(l, word, &total);
		else if (!exits_is_count(word, &total) || strchr(l->line, ' '))
			exits_bad(l, "not a line of kvm_stat -1");
		if (l->failed || stat_count(l, last, &count) ||
		    exits_add(l, out, l->line, count, NAN))
			break;
	}
	out->seconds = 1;
	out->kind = stat_kind(out);
	return l->failed;
}

/* Splits at blanks or commas in place. The number of words, at most WORDS_MAX. */
static size_t split(char *line, const char *separators, char **words)
{
	size_t n = 0;
	char *rest = line, *word;

	while (n < WORDS_MAX && (word = strsep(&rest, separators)))
		if (*word || *separators == ',')
			words[n++] = word;
	return n;
}

double exits_log_time(const char *text)
{
	struct tm t = { 0 };

	if (sscanf(text, "%4d-%2d-%2d %2d:%2d:%2d", &t.tm_year, &t.tm_mon, &t.tm_mday,
		   &t.tm_hour, &t.tm_min, &t.tm_sec) != 6)
		return NAN;
	t.tm_year -= 1900;
	t.tm_mon--;
	return (double)timegm(&t);
}

/* The counts of a line, added to `sums`. */
static int log_row(struct exits_lines *l, char **words, size_t n_words, size_t n_names,
		   double *sums)
{
	double count;

	if (n_words != n_names)
		return exits_bad(
			l, "the line has not as many numbers as the head has names");
	for (size_t i = 0; i < n_names && !stat_count(l, words[i], &count); i++)
		sums[i] += count;
	return l->failed;
}

/*
 * kvm_stat -l, with -c or without: a head, then lines of a time and the counts of the
 * interval that ends then. The interval of the first line begins at an unknown time, so
 * that the others are counted if there are any.
 */
int exits_parse_log(struct exits_lines *l, struct exits *out, bool csv)
{
	char **names = calloc(WORDS_MAX, sizeof(*names)), *head;
	char **words = calloc(WORDS_MAX, sizeof(*words));
	double *sums = calloc(2 * WORDS_MAX, sizeof(*sums)); /* first line, others */
	const char *separators = csv ? "," : " ";
	const size_t time_bytes = strlen("2026-11-27 04:07:01");
	double first = NAN, last = NAN;
	size_t n_names, n_words, n = 0;

	if (!names || !words || !sums)
		abort();
	/* Empty lines may come before the head. */
	while (exits_line(l) && csv && strncmp(l->line, "timestamp,", 10) != 0)
		;
	head = strdup(l->line);
	if (!head)
		abort();
	n_names = split(csv ? head + strlen("timestamp,") : head, separators, names);
	if (!names[0])
		exits_bad(l, "no names");
	while (names[0] && exits_line(l)) {
		double now = exits_log_time(l->line);

		if (isnan(now) && (!*l->line || !strncmp(l->line, "timestamp,", 10) ||
				   !strncmp(l->line, names[0], strlen(names[0]))))
			continue; /* the head again */
		if (isnan(now) || strlen(l->line) <= time_bytes) {
			exits_bad(l, "not a line of kvm_stat -l");
			break;
		}
		n_words = split(l->line + time_bytes + csv, separators, words);
		if (log_row(l, words, n_words, n_names, sums + (n ? WORDS_MAX : 0)))
			break;
		first = n++ ? first : now;
		last = now;
	}
	if (!l->failed && !n)
		l->failed = error_set(l->err, -EINVAL, "kvm_stat logged no counts");
	for (size_t i = 0; !l->failed && i < n_names; i++)
		exits_add(l, out, names[i], sums[i + (n > 1 ? WORDS_MAX : 0)], NAN);
	if (n > 1 && last > first)
		out->seconds = last - first;
	out->kind = stat_kind(out);
	free(head);
	free(names);
	free(words);
	free(sums);
	return l->failed;
}
