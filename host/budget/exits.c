/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which tool printed the exits; the lines and names of all of them. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/budget/exits.h"

#define LINE_MAX_BYTES 65536

int exits_bad(struct exits_lines *l, const char *what)
{
	const int most = 60;

	l->failed = error_set(l->err, -EINVAL, "line %zu: %s: '%.*s%s'", l->number, what,
			      most, l->line, strlen(l->line) > (size_t)most ? "..." : "");
	return l->failed;
}

bool exits_line(struct exits_lines *l)
{
	const char *end;
	size_t n;

	if (l->failed || l->next == l->end)
		return false;
	end = memchr(l->next, '\n', (size_t)(l->end - l->next));
	n = (size_t)((end ? end : l->end) - l->next);
	l->number++;
	if (n >= LINE_MAX_BYTES) {
		l->failed = error_set(l->err, -EINVAL, "line %zu is longer than %d bytes",
				      l->number, LINE_MAX_BYTES);
		return false;
	}
	memcpy(l->line, l->next, n);
	while (n && (l->line[n - 1] == '\r' || l->line[n - 1] == ' '))
		n--;
	l->line[n] = '\0';
	l->next = end ? end + 1 : l->end;
	return true;
}

void exits_rewind(struct exits_lines *l, const char *text)
{
	l->next = text;
	l->number = 0;
}

bool exits_is_count(const char *word, double *count)
{
	size_t digits = strspn(word, "0123456789");

	*count = strtod(word, NULL);
	return digits && !word[digits] && *count <= EXITS_COUNT_MAX;
}

int exits_add(struct exits_lines *l, struct exits *e, const char *name, double count,
	      double handled_us)
{
	struct exits_event *event = NULL;

	for (size_t i = 0; i < e->n && !event; i++)
		if (!strcmp(e->events[i].name, name))
			event = &e->events[i];
	if (!event) {
		if (!*name || strlen(name) > EXITS_NAME_MAX)
			return exits_bad(l, "the name is empty or too long");
		for (const char *c = name; *c; c++)
			if (*c < ' ' || *c > '~')
				return exits_bad(
					l,
					"the name has bytes that are not printable ASCII");
		if (e->n == EXITS_NAMES_MAX)
			return exits_bad(l, "too many names");
		e->events = realloc(e->events, (e->n + 1) * sizeof(*e->events));
		if (!e->events)
			abort();
		event = &e->events[e->n++];
		*event = (struct exits_event){ .handled_us = 0 };
		strcpy(event->name, name);
	}
	event->count += count;
	event->handled_us += handled_us;
	return 0;
}

size_t exits_trim(char *line)
{
	size_t n = strlen(line);

	while (n && line[n - 1] == ' ')
		n--;
	line[n] = '\0';
	return n;
}

char *exits_cut_word(char *line)
{
	size_t n = exits_trim(line);

	while (n && line[n - 1] != ' ')
		n--;
	if (!n)
		return line + strlen(line);
	line[n - 1] = '\0';
	return line + n;
}

/* Amounts of the moment, which may fall; all others are counts since their VMs began. */
static bool is_gauge(const char *name)
{
	static const char *const gauges[] = {
		"pages_",   "max_",	  "nx_lpage_splits",	"guest_mode",
		"blocking", "mmu_unsync", "preemption_reported"
	};

	for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		if (!strncmp(name, gauges[i], strlen(gauges[i])))
			return true;
	return false;
}

int exits_subtract(struct exits *e, const struct exits *earlier, struct error *err)
{
	if (e->kind != EXITS_COUNTERS || earlier->kind != EXITS_COUNTERS ||
	    !e->since_start || !earlier->since_start)
		return error_set(
			err, -EINVAL,
			"only snapshots of the counters of debugfs can be subtracted");
	for (size_t i = 0; i < earlier->n; i++)
		for (size_t k = 0; k < e->n; k++) {
			struct exits_event *event = &e->events[k];

			if (strcmp(event->name, earlier->events[i].name) != 0)
				continue;
			if (!is_gauge(event->name) &&
			    event->count < earlier->events[i].count)
				return error_set(
					err, -EINVAL,
					"the counter %s fell from %.0f to %.0f: a VM ended between the snapshots",
					event->name, earlier->events[i].count,
					event->count);
			event->count = fmax(0, event->count - earlier->events[i].count);
		}
	e->since_start = false;
	return 0;
}

/* By the first lines: a table of perf has a head, a log names and then times. */
static int parse_any(struct exits_lines *l, const char *text, struct exits *out)
{
	enum exits_kind kind;
	const char *last;

	while (exits_line(l))
		if (exits_perf_head(l->line, &kind)) {
			exits_rewind(l, text);
			return exits_parse_perf(l, out);
		}
	exits_rewind(l, text);
	while (exits_line(l) && !*l->line)
		;
	if (l->failed)
		return l->failed;
	if (!*l->line)
		return error_set(l->err, -EINVAL, "the file is empty");
	if (!strncmp(l->line, "timestamp,", 10)) {
		exits_rewind(l, text);
		return exits_parse_log(l, out, true);
	}
	if (strchr(l->line, ':') && strcspn(l->line, ":") < strcspn(l->line, " "))
		return exits_parse_debugfs(l, text, out);
	last = strrchr(l->line, ' ');
	if (last && strspn(last + 1, "-0123456789") == strlen(last + 1)) {
		exits_rewind(l, text);
		return exits_parse_once(l, out);
	}
	if (strspn(l->line, "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789() ") == strlen(l->line) &&
	    exits_line(l) && !isnan(exits_log_time(l->line))) {
		exits_rewind(l, text);
		return exits_parse_log(l, out, false);
	}
	return l->failed
		       ? l->failed
		       : error_set(
				 l->err, -EINVAL,
				 "not the output of perf kvm stat report or live, of kvm_stat -1 or -l, or counters of /sys/kernel/debug/kvm (grep . *)");
}

int exits_parse(const char *text, size_t bytes, struct exits *out, struct error *err)
{
	struct exits_lines l = { .next = text, .end = text + bytes, .err = err };
	int rc;

	*out = (struct exits){ .seconds = NAN };
	if (memchr(text, '\0', bytes))
		return error_set(err, -EINVAL, "the file is not text");
	l.line = calloc(1, LINE_MAX_BYTES);
	if (!l.line)
		abort();
	rc = parse_any(&l, text, out);
	if (!rc && out->kind == EXITS_TRACEPOINTS) {
		exits_split_reasons(&l, out);
		rc = l.failed;
	}
	for (size_t i = 0; !rc && i < out->n; i++)
		if (out->events[i].count > EXITS_COUNT_MAX)
			rc = error_set(err, -EINVAL, "more than 10^15 events of %s",
				       out->events[i].name);
	if (rc)
		exits_free(out);
	free(l.line);
	return rc;
}

void exits_free(struct exits *e)
{
	free(e->events);
	*e = (struct exits){ .seconds = NAN };
}

const char *exits_kind_name(enum exits_kind kind)
{
	static const char *const names[] = {
		[EXITS_VMEXIT] = "exit reasons of perf kvm stat",
		[EXITS_MMIO] = "MMIO accesses of perf kvm stat",
		[EXITS_IOPORT] = "port accesses of perf kvm stat",
		[EXITS_MSR] = "MSR accesses of perf kvm stat",
		[EXITS_TRACEPOINTS] = "tracepoints of kvm_stat",
		[EXITS_COUNTERS] = "counters of debugfs",
	};

	return names[kind];
}
