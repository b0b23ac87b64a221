/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * History files: the fast reader of rows against the JSON library, and what judges and
 * prints a history. The input is the file.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/history/history.h"
#include "host/tests/fuzz/fuzz.h"

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Equal, or both unknown. */
static bool same_number(double a, double b)
{
	return (isnan(a) && isnan(b)) || a == b;
}

static bool same(const struct row *a, const struct row *b)
{
	for (size_t q = 0; q < ROW_QUANTILES; q++)
		if (!same_number(a->quantiles[q], b->quantiles[q]))
			return false;
	return same_text(a->schema, b->schema) && a->version == b->version &&
	       same_text(a->run, b->run) && same_text(a->time, b->time) &&
	       same_text(a->kernel, b->kernel) && same_text(a->label, b->label) &&
	       same_text(a->commit, b->commit) && same_text(a->target, b->target) &&
	       same_text(a->emulator, b->emulator) && same_text(a->machine, b->machine) &&
	       a->exact == b->exact && same_text(a->tool, b->tool) &&
	       same_text(a->benchmark, b->benchmark) && same_text(a->config, b->config) &&
	       same_text(a->metric, b->metric) && same_text(a->unit, b->unit) &&
	       same_text(a->better, b->better) && same_number(a->value, b->value) &&
	       same_number(a->lo, b->lo) && same_number(a->hi, b->hi) &&
	       a->quantum == b->quantum && a->boots == b->boots &&
	       same_text(a->handled_by, b->handled_by) && same_number(a->exits, b->exits);
}

static void one_line(struct row_names *names, struct row_scan *scan, const char *line,
		     size_t bytes)
{
	struct error fast_err = { "" }, slow_err = { "" };
	struct row fast, slow, again;
	int fast_rc = row_scan_line(scan, line, bytes, &fast, &fast_err);
	int slow_rc = row_parse(names, line, bytes, &slow, &slow_err);
	char *text;

	FUZZ_CHECK(fast_rc == slow_rc, "%.*s: %d %s, by the JSON library %d %s",
		   (int)bytes, line, fast_rc, fast_err.text, slow_rc, slow_err.text);
	if (fast_rc)
		return;
	FUZZ_CHECK(same(&fast, &slow), "%.*s", (int)bytes, line);
	text = row_dump(&fast);
	FUZZ_CHECK(!row_scan_line(scan, text, strlen(text) - 1, &again, &fast_err),
		   "%s: %s", text, fast_err.text);
	FUZZ_CHECK(same(&fast, &again), "%.*s became %s", (int)bytes, line, text);
	free(text);
}

static void lines(const char *text, size_t size)
{
	struct row_names *names = row_names_new();
	struct row_scan *scan = row_scan_new(names);

	while (size) {
		const char *end = memchr(text, '\n', size);
		size_t n = end ? (size_t)(end - text) : size;

		one_line(names, scan, text, n);
		n += end != NULL;
		text += n;
		size -= n;
	}
	row_scan_free(scan);
	row_names_free(names);
}

static void judge(struct history *h)
{
	struct history_query q = { .quiet = true };
	FILE *const out = stdout;
	struct history_alarm *alarms;
	size_t n;

	if (history_judge(h, &history_rules))
		abort();
	alarms = history_alarms(&q, h, &n);
	for (size_t i = 0; i < n; i++) {
		const struct history_series *s = alarms[i].series;

		FUZZ_CHECK(alarms[i].k < s->n_changes, "change %zu of %zu", alarms[i].k,
			   s->n_changes);
		FUZZ_CHECK(!i || !s->n_changes ||
				   s->changes[alarms[i].k].index < s->n_points,
			   "a change behind the series");
	}
	stdout = fuzz_sink();
	history_print_check(&q, h, alarms, n);
	history_print_series(&q, h);
	history_json_check(&q, h, alarms, n);
	history_json_series(&q, h);
	stdout = out;
	free(alarms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { "" };
	struct history h;

	lines((const char *)data, size);
	if (!history_read(fuzz_file(data, size), HISTORY_LAST, &h, &err)) {
		judge(&h);
		history_free(&h);
	} else {
		FUZZ_CHECK(*err.text, "no message");
	}
	return 0;
}

/* One line is mutated as JSON; or lines are copied and dropped, as bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int seed)
{
	uint32_t state = seed * 2654435761u + 1;
	size_t from = size ? fuzz_random(&state) % size : 0, to = from, n;
	uint8_t line[4096];

	while (from && data[from - 1] != '\n')
		from--;
	while (to < size && data[to] != '\n')
		to++;
	n = to - from;
	if (fuzz_random(&state) % 4 == 0 || n > sizeof(line) / 2)
		return LLVMFuzzerMutate(data, size, room);
	memcpy(line, data + from, n);
	if (fuzz_random(&state) % 4)
		n = fuzz_mutate_json(line, n, sizeof(line), fuzz_random(&state));
	else if (n < room - size) {
		/* The line twice, the second to be changed by a later mutation. */
		memmove(data + to + n, data + to, size - to);
		memcpy(data + to, line, n);
		if (n)
			data[to] = '\n';
		return size + n;
	}
	if (n > room - (size - (to - from)))
		return LLVMFuzzerMutate(data, size, room);
	memmove(data + from + n, data + to, size - to);
	memcpy(data + from, line, n);
	return size - (to - from) + n;
}
