/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flat table of an explanation, and its stacks. */
#include "host/explain/explain_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"
#include "host/explain/explain_layers.h"
#include "host/lib/number.h"

/* Wider names are shown whole, and push their row's numbers to the right. */
#define NAME_WIDTH 36

static void rule(const struct explain_text *t, unsigned int width)
{
	while (width--)
		fputs(t->utf8 ? "\u2500" : "-", t->f);
	fputc('\n', t->f);
}

static double percent(const struct explanation *e, double insns)
{
	return e->total ? 100 * insns / (double)e->total : 0;
}

static void heading(const struct explain_text *t, const struct explanation *e)
{
	char total[NUMBER_BYTES];

	number_format(total, (double)e->total, true);
	fprintf(t->f, "%s", e->benchmark);
	if (strcmp(e->config, "default"))
		fprintf(t->f, " [%s]", e->config);
	fprintf(t->f, " on %s: %s instructions, from before the operation to after it\n",
		e->target.name, total);
	fprintf(t->f, "Linux %s, %s\n\n", e->subject.kernel ? e->subject.kernel : "?",
		e->target.hypervisor ? e->target.hypervisor : "?");
}

static void row(const struct explain_text *t, const char *name, double insns,
		double share)
{
	char number[NUMBER_BYTES];

	number_format(number, insns, true);
	fprintf(t->f, "%-*s %9s %6.1f %%", NAME_WIDTH, name, number, share);
}

static void print_layers(const struct explain_text *t, const struct explanation *e)
{
	struct explain_layer *layers;
	size_t n = explain_layers(e, &layers), i;

	fprintf(t->f, "%-*s %9s %8s\n", NAME_WIDTH, "layer", "insns", "share");
	rule(t, NAME_WIDTH + 19);
	for (i = 0; i < n; i++) {
		row(t, layers[i].name, (double)layers[i].insns,
		    percent(e, (double)layers[i].insns));
		fputc('\n', t->f);
	}
	fputc('\n', t->f);
	free(layers);
}

void explain_text_table(const struct explain_text *t, const struct explanation *e)
{
	double sum = 0;
	size_t i;

	heading(t, e);
	print_layers(t, e);
	fprintf(t->f, "%-*s %9s %8s %8s  %s\n", NAME_WIDTH, "function", "insns", "share",
		"running", "layer");
	rule(t, NAME_WIDTH + 50);
	for (i = 0; i < e->n_functions; i++) {
		const struct explanation_function *f = &e->functions[i];

		sum += (double)f->insns;
		row(t, f->name, (double)f->insns, percent(e, (double)f->insns));
		fprintf(t->f, " %6.1f %%  %s\n", percent(e, sum), f->layer);
	}
	if (e->clock_insns) {
		sum -= (double)e->clock_insns;
		row(t, "less what reading the clock costs", -(double)e->clock_insns,
		    -percent(e, (double)e->clock_insns));
		fprintf(t->f, " %6.1f %%\n", percent(e, sum));
	}
	for (i = 0; i < e->n_warnings; i++)
		fprintf(t->f, "\nnote: %s\n", e->warnings[i].message);
}

void explain_text_folded(FILE *f, const struct explanation *e)
{
	size_t i, k;

	for (i = 0; i < e->n_stacks; i++) {
		const struct explanation_stack *s = &e->stacks[i];

		for (k = 0; k < s->n_frames; k++)
			fprintf(f, "%s%s", k ? ";" : "", s->frames[k]);
		fprintf(f, " %llu\n", (unsigned long long)s->insns);
	}
}
