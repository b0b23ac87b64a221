/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parses what perf kvm stat, kvm_stat and the counters of debugfs print. Every line,
 * name and number is bounded; what does not have the form of the tool is an error.
 */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/budget/budget.h"

#define LINE_MAX_BYTES 65536
#define WORDS_MAX      (EXITS_NAMES_MAX + 2)

struct lines {
	const char *next, *end;
	size_t number;
	char *line; /* the current one, NUL-terminated */
	struct error *err;
	int failed;
};

static int bad(struct lines *l, const char *what)
{
	const int most = 60;

	l->failed = error_set(l->err, -EINVAL, "line %zu: %s: '%.*s%s'", l->number, what,
			      most, l->line, strlen(l->line) > (size_t)most ? "..." : "");
	return l->failed;
}

/* The next line without its end; false at the end, or after an error. */
static bool next_line(struct lines *l)
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

static void rewind_to(struct lines *l, const char *text)
{
	l->next = text;
	l->number = 0;
}

static bool is_count(const char *word, double *count)
{
	size_t digits = strspn(word, "0123456789");

	*count = strtod(word, NULL);
	return digits && !word[digits] && *count <= EXITS_COUNT_MAX;
}

/* Adds to the event of that name, which is created if needed. */
static int add(struct lines *l, struct exits *e, const char *name, double count,
	       double handled_us)
{
	struct exits_event *event = NULL;

	for (size_t i = 0; i < e->n && !event; i++)
		if (!strcmp(e->events[i].name, name))
			event = &e->events[i];
	if (!event) {
		if (!*name || strlen(name) > EXITS_NAME_MAX)
			return bad(l, "the name is empty or too long");
		for (const char *c = name; *c; c++)
			if (*c < ' ' || *c > '~')
				return bad(
					l,
					"the name has bytes that are not printable ASCII");
		if (e->n == EXITS_NAMES_MAX)
			return bad(l, "too many names");
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

/* Cuts blanks at the end off. The length that is left. */
static size_t trim(char *line)
{
	size_t n = strlen(line);

	while (n && line[n - 1] == ' ')
		n--;
	line[n] = '\0';
	return n;
}

/* Cuts the last word off. "" if there is none. */
static char *cut_word(char *line)
{
	size_t n = trim(line);

	while (n && line[n - 1] != ' ')
		n--;
	if (!n)
		return line + strlen(line);
	line[n - 1] = '\0';
	return line + n;
}

/* ------------------------------ perf kvm stat ------------------------------ */

static const struct {
	const char *head;
	enum exits_kind kind;
} perf_heads[] = {
	{ "VM-EXIT", EXITS_VMEXIT },
	{ "MMIO Access", EXITS_MMIO },
	{ "IO Port Access", EXITS_IOPORT },
	{ "MSR Access", EXITS_MSR },
};

/* The line that begins a table: "VM-EXIT  Samples  Samples% ...". */
static bool perf_head(const char *line, enum exits_kind *kind)
{
	size_t n;

	line += strspn(line, " ");
	for (size_t i = 0; i < sizeof(perf_heads) / sizeof(perf_heads[0]); i++) {
		n = strlen(perf_heads[i].head);
		if (strncmp(line, perf_heads[i].head, n) != 0)
			continue;
		n += strspn(line + n, " ");
		*kind = perf_heads[i].kind;
		return !strncmp(line + n, "Samples ", 8);
	}
	return false;
}

/* "04:02:08.254819" at the head of a table of `perf kvm stat live`, after an escape
 * sequence that clears the screen. */
static bool perf_time(const char *line, double *seconds)
{
	unsigned int h, m, s, us;
	const char *at = strrchr(line, 'J');
	int end = 0;

	if (*line == '\033' && at)
		line = at + 1;
	if (sscanf(line, "%2u:%2u:%2u.%6u%n", &h, &m, &s, &us, &end) != 4 || line[end])
		return false;
	*seconds = h * 3600.0 + m * 60.0 + s + us * 1e-6;
	return true;
}

/*
 * The name may have blanks ("UD excp"), so the columns are found from the right: count,
 * two shares, least, greatest and mean time, deviation.
 */
static int perf_row(struct lines *l, struct exits *e)
{
	static const char *const ends[] = { "us", "us", "us", "%", "%" };
	char *deviation = strrchr(l->line, '('), *word, *name = l->line;
	double count, mean = NAN;

	if (!deviation)
		return bad(l, "not a row of perf kvm stat");
	*deviation = '\0';
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		char *rest;

		word = cut_word(l->line);
		count = strtod(word, &rest);
		if (rest == word || strcmp(rest, ends[i]) != 0)
			return bad(l, "not a row of perf kvm stat");
		if (i == 0)
			mean = count;
	}
	word = cut_word(l->line);
	if (!is_count(word, &count))
		return bad(l, "the count of samples is not a number below 10^15");
	name += strspn(name, " ");
	trim(name);
	if (!isfinite(mean) || mean < 0 || mean > EXITS_COUNT_MAX)
		mean = NAN;
	return add(l, e, name, count, mean * count);
}

/* From the head to "Total Samples:". Incomplete at the end of the text: 1. */
static int perf_table(struct lines *l, struct exits *e)
{
	double sum = 0, total;
	const char *at;
	int rc;

	while (next_line(l)) {
		if (!l->line[strspn(l->line, " ")])
			continue;
		if (strncmp(l->line, "Total Samples:", 14) != 0) {
			rc = perf_row(l, e);
			if (rc)
				return rc;
			continue;
		}
		at = l->line + 14;
		total = strtod(at, NULL);
		for (size_t i = 0; i < e->n; i++)
			sum += e->events[i].count;
		if (!strspn(at, "0123456789") || total != sum)
			return bad(l, "the rows do not add up to the total");
		return 0;
	}
	return l->failed ? l->failed : 1;
}

static void merge(struct lines *l, struct exits *into, const struct exits *from)
{
	for (size_t i = 0; i < from->n && !l->failed; i++)
		add(l, into, from->events[i].name, from->events[i].count,
		    from->events[i].handled_us);
}

/*
 * A report is one table. `live` prints a table after each interval: the first one ends at
 * a known time and begins at an unknown one, so that the others are the interval, and the
 * last may be cut off by the end of perf.
 */
static int parse_perf(struct lines *l, struct exits *out)
{
	double first = NAN, last = NAN, now = NAN, lost;
	struct exits head = { 0 }, table;
	size_t n = 0;

	while (next_line(l)) {
		enum exits_kind kind;
		int rc;

		perf_time(l->line, &now);
		if (sscanf(l->line, "Lost events: %lf", &lost) == 1 && lost > 0 &&
		    lost <= EXITS_COUNT_MAX)
			out->lost += lost;
		if (!perf_head(l->line, &kind))
			continue;
		if (n && (kind != out->kind || isnan(now)))
			return bad(l, "a second report begins here");
		out->kind = kind;
		table = (struct exits){ 0 };
		rc = perf_table(l, &table);
		if (rc == 1 && n && !isnan(now)) {
			exits_free(&table);
			break;
		}
		if (rc == 1)
			bad(l, "the report is cut off");
		if (rc >= 0)
			merge(l, n || isnan(now) ? out : &head, &table);
		exits_free(&table);
		if (l->failed)
			break;
		first = n++ ? first : now;
		last = now;
	}
	if (n == 1)
		merge(l, out, &head);
	exits_free(&head);
	if (n > 1) {
		out->seconds = last - first;
		out->seconds += out->seconds < 0 ? 86400 : 0; /* midnight */
	}
	return l->failed;
}

/* ------------------------------ kvm_stat ------------------------------ */

/* Tracepoints, unless it ran with -d. */
static enum exits_kind stat_kind(const struct exits *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (!strcmp(e->events[i].name, "kvm_exit"))
			return EXITS_TRACEPOINTS;
	return EXITS_COUNTERS;
}

/* A VM that ends while kvm_stat -d counts takes its counts along. */
static int stat_count(struct lines *l, const char *word, double *count)
{
	if (*word == '-' && is_count(word + 1, count))
		return bad(l, "a counter fell: a VM ended while kvm_stat counted");
	return is_count(word, count) ? 0 : bad(l, "not a number below 10^15");
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

/* "kvm_exit(NPF)" becomes "kvm_exit(NPF to VMM)" and "kvm_exit(NPF in KVM)". */
static void split_reasons(struct lines *l, struct exits *e)
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
		add(l, e, name, all - fmin(user, all), NAN);
	}
}

/* kvm_stat -1: name, count since the start, count in the last second. */
static int parse_once(struct lines *l, struct exits *out)
{
	double total, count;

	while (next_line(l)) {
		char *last, *word;

		if (!*l->line)
			continue;
		last = cut_word(l->line);
		word = cut_word(l->line);
		trim(l->line);
		if (*word == '-' && is_count(word + 1, &total))
			stat_count(l, word, &total);
		else if (!is_count(word, &total) || strchr(l->line, ' '))
			bad(l, "not a line of kvm_stat -1");
		if (l->failed || stat_count(l, last, &count) ||
		    add(l, out, l->line, count, NAN))
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

/* "2026-11-27 04:07:01" -> seconds; NAN: not a time. */
static double log_time(const char *text)
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
static int log_row(struct lines *l, char **words, size_t n_words, size_t n_names,
		   double *sums)
{
	double count;

	if (n_words != n_names)
		return bad(l, "the line has not as many numbers as the head has names");
	for (size_t i = 0; i < n_names && !stat_count(l, words[i], &count); i++)
		sums[i] += count;
	return l->failed;
}

/*
 * kvm_stat -l, with -c or without: a head, then lines of a time and the counts of the
 * interval that ends then. The interval of the first line begins at an unknown time, so
 * that the others are counted if there are any.
 */
static int parse_log(struct lines *l, struct exits *out, bool csv)
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
	while (next_line(l) && csv && strncmp(l->line, "timestamp,", 10) != 0)
		;
	head = strdup(l->line);
	if (!head)
		abort();
	n_names = split(csv ? head + strlen("timestamp,") : head, separators, names);
	if (!names[0])
		bad(l, "no names");
	while (names[0] && next_line(l)) {
		double now = log_time(l->line);

		if (isnan(now) && (!*l->line || !strncmp(l->line, "timestamp,", 10) ||
				   !strncmp(l->line, names[0], strlen(names[0]))))
			continue; /* the head again */
		if (isnan(now) || strlen(l->line) <= time_bytes) {
			bad(l, "not a line of kvm_stat -l");
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
		add(l, out, names[i], sums[i + (n > 1 ? WORDS_MAX : 0)], NAN);
	if (n > 1 && last > first)
		out->seconds = last - first;
	out->kind = stat_kind(out);
	free(head);
	free(names);
	free(words);
	free(sums);
	return l->failed;
}

/* ------------------------------ debugfs ------------------------------ */

/* Folders between kvm/ and the counter: 0 all VMs, 1 a VM (PID-FD), 2 a vCPU. */
static unsigned int depth_of(char *path, char **name)
{
	char *kvm = strstr(path, "kvm/");
	unsigned int n = 0;

	*name = kvm ? kvm + 4 : path;
	for (char *slash; (slash = strchr(*name, '/')); n++)
		*name = slash + 1;
	return n;
}

/*
 * The next counter, a line "PATH:VALUE". Other files beside the counters have lines of
 * other forms (histograms, vgic-state): these are skipped. False at the end.
 */
static bool next_counter(struct lines *l, char **name, unsigned int *depth, double *count)
{
	while (next_line(l)) {
		char *value = strchr(l->line, ':');

		if (!*l->line)
			continue;
		if (!value) {
			bad(l, "not a counter of debugfs (PATH:VALUE)");
			return false;
		}
		*value++ = '\0';
		*depth = depth_of(l->line, name);
		if (is_count(value, count))
			return true;
		if (strstr(*name, "exits") ||
		    (*value && !value[strspn(value, "0123456789")])) {
			bad(l, "the counter is not a number below 10^15");
			return false;
		}
	}
	return false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Adds a path to the set. False: it is in the set. */
static bool add_path(void **set, const char *path)
{
	char *own = strdup(path), **found;

	found = own ? tsearch(own, set, by_text) : NULL;
	if (!found)
		abort();
	if (*found == own)
		return true;
	free(own);
	return false;
}

/*
 * The counters of a depth. A path of this depth that comes again begins a second, later
 * snapshot: then *again is the beginning of its line.
 */
static int debugfs_snapshot(struct lines *l, unsigned int depth, struct exits *out,
			    const char **again)
{
	const char *line = l->next;
	void *paths = NULL;
	unsigned int at;
	double count;
	char *name;

	*again = NULL;
	for (; next_counter(l, &name, &at, &count); line = l->next) {
		if (at != depth)
			continue;
		if (!add_path(&paths, l->line)) {
			*again = line;
			break;
		}
		if (add(l, out, name, count, NAN))
			break;
	}
	tdestroy(paths, free);
	return l->failed;
}

/* Counters of all VMs, if the file has them, else of its VMs, else of vCPUs. */
static int parse_debugfs(struct lines *l, const char *text, struct exits *out)
{
	struct exits earlier;
	unsigned int depth = UINT_MAX, at;
	const char *again;
	double count;
	char *name;

	rewind_to(l, text);
	while (next_counter(l, &name, &at, &count))
		if (at < depth)
			depth = at;
	rewind_to(l, text);
	out->kind = EXITS_COUNTERS;
	out->since_start = true;
	if (l->failed || debugfs_snapshot(l, depth, out, &again) || !again)
		return l->failed;
	earlier = *out;
	*out = (struct exits){ .kind = EXITS_COUNTERS,
			       .seconds = NAN,
			       .since_start = true };
	l->next = again;
	l->number--;
	debugfs_snapshot(l, depth, out, &again);
	if (!l->failed && again)
		bad(l, "a third snapshot of the counters begins here");
	if (!l->failed)
		l->failed = exits_subtract(out, &earlier, l->err);
	exits_free(&earlier);
	return l->failed;
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

/* ------------------------------ which tool ------------------------------ */

/* By the first lines: a table of perf has a head, a log names and then times. */
static int parse_any(struct lines *l, const char *text, struct exits *out)
{
	enum exits_kind kind;
	const char *last;

	while (next_line(l))
		if (perf_head(l->line, &kind)) {
			rewind_to(l, text);
			return parse_perf(l, out);
		}
	rewind_to(l, text);
	while (next_line(l) && !*l->line)
		;
	if (l->failed)
		return l->failed;
	if (!*l->line)
		return error_set(l->err, -EINVAL, "the file is empty");
	if (!strncmp(l->line, "timestamp,", 10)) {
		rewind_to(l, text);
		return parse_log(l, out, true);
	}
	if (strchr(l->line, ':') && strcspn(l->line, ":") < strcspn(l->line, " "))
		return parse_debugfs(l, text, out);
	last = strrchr(l->line, ' ');
	if (last && strspn(last + 1, "-0123456789") == strlen(last + 1)) {
		rewind_to(l, text);
		return parse_once(l, out);
	}
	if (strspn(l->line, "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789() ") == strlen(l->line) &&
	    next_line(l) && !isnan(log_time(l->line))) {
		rewind_to(l, text);
		return parse_log(l, out, false);
	}
	return l->failed
		       ? l->failed
		       : error_set(
				 l->err, -EINVAL,
				 "not the output of perf kvm stat report or live, of kvm_stat -1 or -l, or counters of /sys/kernel/debug/kvm (grep . *)");
}

int exits_parse(const char *text, size_t bytes, struct exits *out, struct error *err)
{
	struct lines l = { .next = text, .end = text + bytes, .err = err };
	int rc;

	*out = (struct exits){ .seconds = NAN };
	if (memchr(text, '\0', bytes))
		return error_set(err, -EINVAL, "the file is not text");
	l.line = calloc(1, LINE_MAX_BYTES);
	if (!l.line)
		abort();
	rc = parse_any(&l, text, out);
	if (!rc && out->kind == EXITS_TRACEPOINTS) {
		split_reasons(&l, out);
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
