/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The explanation document in memory: its parts, their order, and what frames are. */
#include "host/explain/explanation.h"

#include <stdlib.h>
#include <string.h>

#include "host/result/result.h"

void explanation_free(struct explanation *e)
{
	if (!e)
		return;
	store_free(e->store);
	free(e);
}

const char *explanation_string(struct explanation *e, const char *s)
{
	size_t bytes = s ? strlen(s) + 1 : 0;

	return s ? memcpy(store_alloc(e->store, bytes), s, bytes) : NULL;
}

struct explanation_function *explanation_add_function(struct explanation *e)
{
	struct explanation_function *f;

	e->functions =
		store_grow(e->store, e->functions, e->n_functions, sizeof(*e->functions));
	f = &e->functions[e->n_functions++];
	memset(f, 0, sizeof(*f));
	memset(&f->kinds, -1, sizeof(f->kinds)); /* until they are counted */
	return f;
}

struct explanation_register *explanation_add_register(struct explanation *e,
						      struct explanation_function *f)
{
	struct explanation_register *r;

	f->registers =
		store_grow(e->store, f->registers, f->n_registers, sizeof(*f->registers));
	r = &f->registers[f->n_registers++];
	memset(r, 0, sizeof(*r));
	return r;
}

struct explanation_stack *explanation_add_stack(struct explanation *e, size_t n_frames)
{
	struct explanation_stack *s;

	e->stacks = store_grow(e->store, e->stacks, e->n_stacks, sizeof(*e->stacks));
	s = &e->stacks[e->n_stacks++];
	*s = (struct explanation_stack){
		.frames = store_array(e->store, n_frames, sizeof(*s->frames)),
		.n_frames = n_frames,
	};
	memset(&s->kinds, -1, sizeof(s->kinds));
	return s;
}

void explanation_add_spaces(struct explanation *e, struct explanation_stack *s)
{
	s->spaces = store_array(e->store, s->n_frames, sizeof(*s->spaces));
	s->modules = store_array(e->store, s->n_frames, sizeof(*s->modules));
	s->n_spaces = s->n_modules = s->n_frames;
}

struct explanation_call *explanation_add_call(struct explanation *e)
{
	e->timeline =
		store_grow(e->store, e->timeline, e->n_timeline, sizeof(*e->timeline));
	return &e->timeline[e->n_timeline++];
}

struct explanation_trap *explanation_add_trap(struct explanation *e)
{
	e->traps = store_grow(e->store, e->traps, e->n_traps, sizeof(*e->traps));
	return &e->traps[e->n_traps++];
}

struct explanation_pages *explanation_add_pages(struct explanation *e)
{
	e->touch.pages = store_grow(e->store, e->touch.pages, e->touch.n_pages,
				    sizeof(*e->touch.pages));
	return &e->touch.pages[e->touch.n_pages++];
}

struct explanation_work *explanation_add_work(struct explanation *e)
{
	e->touch.curve = store_grow(e->store, e->touch.curve, e->touch.n_curve,
				    sizeof(*e->touch.curve));
	return &e->touch.curve[e->touch.n_curve++];
}

struct explanation_location *explanation_add_location(struct explanation *e)
{
	struct explanation_location *l;

	e->locations =
		store_grow(e->store, e->locations, e->n_locations, sizeof(*e->locations));
	l = &e->locations[e->n_locations++];
	memset(l, 0, sizeof(*l));
	return l;
}

struct explanation_source *explanation_add_source(struct explanation *e,
						  struct explanation_location *l)
{
	l->sources = store_grow(e->store, l->sources, l->n_sources, sizeof(*l->sources));
	return &l->sources[l->n_sources++];
}

struct explanation_insn *explanation_add_insn(struct explanation *e,
					      struct explanation_stack *s)
{
	struct explanation_insn *i;

	s->instructions = store_grow(e->store, s->instructions, s->n_instructions,
				     sizeof(*s->instructions));
	i = &s->instructions[s->n_instructions++];
	memset(&i->kinds, -1, sizeof(i->kinds));
	return i;
}

void explanation_add_sites(struct explanation *e, struct explanation_stack *s)
{
	s->n_sites = s->n_frames - 1;
	s->sites = store_array(e->store, s->n_sites, sizeof(*s->sites));
	for (size_t i = 0; i < s->n_sites; i++)
		s->sites[i].location = -1;
}

bool explanation_has_lines(const struct explanation *e)
{
	for (size_t i = 0; i < e->n_stacks; i++) {
		const struct explanation_stack *s = &e->stacks[i];
		uint64_t sum = 0;

		for (size_t k = 0; k < s->n_instructions; k++) {
			if (s->instructions[k].location >= e->n_locations)
				return false;
			sum += s->instructions[k].insns;
		}
		for (size_t k = 0; k < s->n_sites; k++)
			if (s->sites[k].location >= (int64_t)e->n_locations)
				return false;
		if (sum != s->insns || (s->n_sites && s->n_sites + 1 != s->n_frames))
			return false;
	}
	return e->n_locations > 0;
}

void explanation_warn(struct explanation *e, const char *code, const char *message)
{
	struct result_warning *w;

	e->warnings =
		store_grow(e->store, e->warnings, e->n_warnings, sizeof(*e->warnings));
	w = &e->warnings[e->n_warnings++];
	w->code = explanation_string(e, code);
	w->message = explanation_string(e, message);
}

static void copy_run(struct explanation *e, const struct result_run *run)
{
	e->run = *run;
	e->run.pair = (struct result_pair){ NULL };
	e->run.id = explanation_string(e, run->id);
	e->run.started = explanation_string(e, run->started);
	e->run.finished = explanation_string(e, run->finished);
	e->run.tool_version = explanation_string(e, run->tool_version);
	e->run.tool_commit = explanation_string(e, run->tool_commit);
	e->run.argv = store_array(e->store, run->n_argv, sizeof(*e->run.argv));
	for (size_t i = 0; i < run->n_argv; i++)
		e->run.argv[i] = explanation_string(e, run->argv[i]);
}

void explanation_describe(struct explanation *e, const struct result *r)
{
	copy_run(e, &r->run);
	e->subject.kernel = explanation_string(e, r->subject.kernel);
	e->subject.compiler = explanation_string(e, r->subject.compiler);
	e->subject.package_version = explanation_string(e, r->subject.package_version);
	e->subject.suite = explanation_string(e, r->subject.suite);
	e->subject.label = explanation_string(e, r->subject.label);
	e->subject.commit = explanation_string(e, r->subject.commit);
	e->target = r->target;
	e->target.name = explanation_string(e, r->target.name);
	e->target.kind = explanation_string(e, r->target.kind);
	e->target.emulator = explanation_string(e, r->target.emulator);
	e->target.hypervisor = explanation_string(e, r->target.hypervisor);
	e->machine = r->machine;
	e->machine.fingerprint = explanation_string(e, r->machine.fingerprint);
	e->machine.arch = explanation_string(e, r->machine.arch);
	e->machine.cpu_model = explanation_string(e, r->machine.cpu_model);
	e->machine.microcode = explanation_string(e, r->machine.microcode);
}

struct explanation_frame explanation_frame(const struct explanation_stack *s, size_t i)
{
	bool known = s->n_spaces == s->n_frames && s->n_modules == s->n_frames;

	return (struct explanation_frame){
		.name = s->frames[i],
		.space = known ? s->spaces[i] : NULL,
		.module = known ? s->modules[i] : "",
	};
}

struct explanation_frame explanation_frame_of(const struct explanation_function *f)
{
	return (struct explanation_frame){
		.name = f->name,
		.space = f->space,
		.module = f->module ? f->module : "",
	};
}

bool explanation_frame_is(const struct explanation_frame *a,
			  const struct explanation_frame *b)
{
	return !strcmp(a->name, b->name) &&
	       (!a->space || !b->space ||
		(!strcmp(a->space, b->space) && !strcmp(a->module, b->module)));
}

static int by_insns(const void *a, const void *b)
{
	const struct explanation_function *x = a, *y = b;

	if (x->insns != y->insns)
		return (x->insns < y->insns) - (x->insns > y->insns);
	if (strcmp(x->name, y->name))
		return strcmp(x->name, y->name);
	return strcmp(x->space, y->space);
}

static int by_frames(const void *a, const void *b)
{
	const struct explanation_stack *x = a, *y = b;

	for (size_t i = 0; i < x->n_frames && i < y->n_frames; i++) {
		struct explanation_frame f = explanation_frame(x, i);
		struct explanation_frame g = explanation_frame(y, i);
		int order = strcmp(f.name, g.name);

		if (!order)
			order = strcmp(f.space ? f.space : "", g.space ? g.space : "");
		if (!order)
			order = strcmp(f.module, g.module);
		if (order)
			return order;
	}
	return (x->n_frames > y->n_frames) - (x->n_frames < y->n_frames);
}

void explanation_sort(struct explanation *e)
{
	if (e->n_functions)
		qsort(e->functions, e->n_functions, sizeof(*e->functions), by_insns);
	if (e->n_stacks)
		qsort(e->stacks, e->n_stacks, sizeof(*e->stacks), by_frames);
}
