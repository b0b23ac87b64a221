/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The formats of viewers: their table, and what several of them need. */
#include "host/explain/formats.h"

#include <stdlib.h>
#include <string.h>

#include "host/explain/explain_text.h"

static int format_folded(FILE *f, const struct explanation *e)
{
	explain_print_folded(f, e);
	return 0;
}

static int format_document(FILE *f, const struct explanation *e)
{
	char *text = explanation_dump(e);

	fputs(text, f);
	free(text);
	return 0;
}

const struct explain_format explain_formats[] = {
	{ "folded", "a stack per line: flamegraph.pl, inferno, speedscope", false, false,
	  format_folded },
	{ "callgrind", "KCachegrind and callgrind_annotate", false, false,
	  format_callgrind },
	{ "pprof", "pprof, gzipped: -top, -diff_base, -http", true, false, format_pprof },
	{ "speedscope", "https://www.speedscope.app", false, false, format_speedscope },
	{ "timeline", "calls in their order: Perfetto, chrome://tracing", false, true,
	  format_timeline },
	{ "json", "the explanation, as -o writes it", false, false, format_document },
	{ 0 }
};

const struct explain_format *explain_format_find(const char *name)
{
	for (const struct explain_format *f = explain_formats; f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

const struct format_cost format_costs[FORMAT_COSTS] = {
	{ "Ir", "instructions" },
	{ "Sr", "system register reads" },
	{ "Sw", "system register writes" },
	{ "Bar", "barriers" },
	{ "Vm", "virtualization instructions" },
	{ "Ld", "instructions that load" },
	{ "St", "instructions that store" },
	{ "Bt", "taken branches" },
};

static bool has_costs(const struct explanation_kinds *k)
{
	return k->sysreg_reads >= 0 && k->sysreg_writes >= 0 && k->barriers >= 0 &&
	       k->vm_insns >= 0 && k->loads >= 0 && k->stores >= 0 &&
	       k->branches_taken >= 0;
}

size_t format_costs_of(const struct explanation *e)
{
	const bool lines = explanation_has_lines(e);

	for (size_t i = 0; i < e->n_stacks; i++) {
		const struct explanation_stack *s = &e->stacks[i];

		if (!has_costs(&s->kinds))
			return 1;
		for (size_t k = 0; lines && k < s->n_instructions; k++)
			if (!has_costs(&s->instructions[k].kinds))
				return 1;
	}
	return FORMAT_COSTS;
}

void format_costs_get(uint64_t insns, const struct explanation_kinds *k, size_t n,
		      uint64_t costs[FORMAT_COSTS])
{
	const int64_t all[FORMAT_COSTS] = {
		(int64_t)insns, k->sysreg_reads, k->sysreg_writes, k->barriers,
		k->vm_insns,	k->loads,	 k->stores,	   k->branches_taken,
	};

	for (size_t i = 0; i < n; i++)
		costs[i] = (uint64_t)all[i];
}

char *format_title(const struct explanation *e)
{
	char *text;

	if (asprintf(&text, "%s [%s] on %s, Linux %s", e->benchmark, e->config,
		     e->target.name, e->subject.kernel ? e->subject.kernel : "?") < 0)
		abort();
	return text;
}

const char *format_object(const struct explanation_frame *f)
{
	if (*f->module)
		return f->module;
	return f->space ? f->space : "unknown";
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

size_t format_place_number(struct format_places *places, const struct format_place *place)
{
	size_t i = 0;

	while (i < places->n && (strcmp(places->list[i].function, place->function) != 0 ||
				 !is_same(places->list[i].file, place->file) ||
				 strcmp(places->list[i].object, place->object) != 0))
		i++;
	if (i < places->n)
		return i;
	if (places->n == places->room) {
		places->room = 2 * places->room + 64;
		places->list = realloc(places->list, places->room * sizeof(*place));
		if (!places->list)
			abort();
	}
	places->list[places->n] = *place;
	return places->n++;
}

static size_t number_of(struct format_functions *fs, const struct explanation_frame *f)
{
	size_t i = 0;

	while (i < fs->n && !explanation_frame_is(&fs->list[i], f))
		i++;
	if (i == fs->n)
		fs->list[fs->n++] = *f;
	return i;
}

static void *allocate(size_t n, size_t bytes)
{
	void *array = calloc(n + 1, bytes);

	if (!array)
		abort();
	return array;
}

void format_functions(struct format_functions *fs, const struct explanation *e)
{
	size_t most = 0;

	for (size_t i = 0; i < e->n_stacks; i++)
		most += e->stacks[i].n_frames;
	fs->n = 0;
	fs->list = allocate(most, sizeof(*fs->list));
	fs->of = allocate(e->n_stacks, sizeof(*fs->of));
	for (size_t i = 0; i < e->n_stacks; i++) {
		const struct explanation_stack *s = &e->stacks[i];

		fs->of[i] = allocate(s->n_frames, sizeof(**fs->of));
		for (size_t k = 0; k < s->n_frames; k++) {
			const struct explanation_frame f = explanation_frame(s, k);

			fs->of[i][k] = number_of(fs, &f);
		}
	}
}

void format_functions_free(struct format_functions *fs, const struct explanation *e)
{
	for (size_t i = 0; i < e->n_stacks; i++)
		free(fs->of[i]);
	free(fs->of);
	free(fs->list);
}
