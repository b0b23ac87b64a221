/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every metric of a document, for `wsbench run --metrics`. */
#include "host/cli/metrics_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/message.h"
#include "host/lib/text.h"
#include "host/result/result.h"
#include "host/lib/number.h"

#define METRICS_MAX 32
#define GAP	    2

/* A metric's name is as wide as any number that one reads without counting digits. */
#define COLUMN_WIDTH 16

struct names {
	const char *name[METRICS_MAX];
	size_t n;
};

static bool has_metrics(const struct result_benchmark *b)
{
	return b->status == RESULT_OK && b->n_metrics;
}

static void note_name(struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (!strcmp(names->name[i], name))
			return;
	if (names->n < METRICS_MAX)
		names->name[names->n++] = name;
}

static struct names collect(const struct result *r)
{
	struct names names = { .n = 0 };

	for (size_t i = 0; i < r->n_benchmarks; i++)
		for (size_t k = 0;
		     has_metrics(&r->benchmarks[i]) && k < r->benchmarks[i].n_metrics;
		     k++)
			note_name(&names, r->benchmarks[i].metrics[k].name);
	return names;
}

/* "hypercall [pmu-emulated]", for free(). */
static char *label_of(const struct result_benchmark *b)
{
	char *label;

	if (asprintf(&label, "%s [%s]", b->name, b->config) < 0)
		abort();
	message_clean(label);
	return label;
}

static size_t label_width(const struct result *r)
{
	size_t width = strlen("benchmark");

	for (size_t i = 0; i < r->n_benchmarks; i++) {
		char *label = label_of(&r->benchmarks[i]);

		if (has_metrics(&r->benchmarks[i]) && text_width(label) > width)
			width = text_width(label);
		free(label);
	}
	return width;
}

static void print_cell(FILE *f, const struct result *r, const struct result_metric *m)
{
	char text[NUMBER_BYTES + 24] = "-", number[NUMBER_BYTES];

	if (m && isnan(m->value)) {
		snprintf(text, sizeof(text), "?");
	} else if (m) {
		number_format(number, m->value, r->target.exact);
		snprintf(text, sizeof(text), "%s", number);
		/* All other columns are in the clock's unit, which the head says. */
		if (strcmp(m->unit, r->clock.unit))
			snprintf(text, sizeof(text), "%s %.20s", number, m->unit);
		message_clean(text);
	}
	text_right(f, text, GAP + COLUMN_WIDTH);
}

static void print_reasons(FILE *f, const struct result *r, size_t columns)
{
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];

		for (size_t k = 0; has_metrics(b) && k < b->n_metrics; k++) {
			char *text;

			if (!b->metrics[k].reason || !isnan(b->metrics[k].value))
				continue;
			if (asprintf(&text, "?: %s of %s [%s]: %s", b->metrics[k].name,
				     b->name, b->config, b->metrics[k].reason) < 0)
				abort();
			text_wrap(f, text, 0, GAP, columns);
			free(text);
		}
	}
}

void metrics_print(FILE *f, const struct result *r, size_t columns)
{
	const struct names names = collect(r);
	size_t width = label_width(r);

	fprintf(f, "\nMetrics, %s, %s\n", r->target.name, r->clock.unit);
	text_left(f, "benchmark", width);
	for (size_t k = 0; k < names.n; k++)
		text_right(f, names.name[k], GAP + COLUMN_WIDTH);
	fputc('\n', f);
	for (size_t i = 0; i < r->n_benchmarks; i++) {
		const struct result_benchmark *b = &r->benchmarks[i];
		char *label;

		if (!has_metrics(b))
			continue;
		label = label_of(b);
		text_left(f, label, width);
		for (size_t k = 0; k < names.n; k++)
			print_cell(f, r, result_find_metric(b, names.name[k]));
		fputc('\n', f);
		free(label);
	}
	print_reasons(f, r, columns);
}
