/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The explanation document: its layout; building, reading, writing and checking it. */
#include "host/explain/explanation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/symbols.h"
#include "host/result/codec.h"
#include "host/lib/error.h"
#include "host/lib/file.h"
#include "host/result/result.h"

static const char *const schema_words[] = { EXPLANATION_SCHEMA, NULL };
static const char *const space_words[] = { "guest", "user", "kernel", "hyp", "l0", NULL };

/* Counts of an event: sums over all functions of a document fit into 64 bits. */
#define AMOUNT_MAX (1ll << 40)
#define AMOUNT(key, flags, type, member)                                                 \
	{                                                                                \
		ROW(COUNT, key, flags), MEMBER(type, member), .max = AMOUNT_MAX          \
	}
#define KNOWN_AMOUNT(type, member_)                                                      \
	{                                                                                \
		ROW(KNOWN, #member_, NULLABLE), MEMBER(type, member_), .none = -1,       \
								       .max = AMOUNT_MAX \
	}

#define COUNTED(member) KNOWN_AMOUNT(explanation_kinds, member)

static const struct field kinds_fields[] = {
	COUNTED(sysreg_reads),
	COUNTED(sysreg_writes),
	COUNTED(barriers),
	COUNTED(tlb_maintenance),
	COUNTED(cache_maintenance),
	COUNTED(vm_insns),
	COUNTED(loads),
	COUNTED(stores),
	COUNTED(branches_taken),
	COUNTED(code_lines),
	COUNTED(data_lines),
	END,
};
static const struct layout kinds_layout = { kinds_fields,
					    sizeof(struct explanation_kinds) };

#define CACHE(member) KNOWN_AMOUNT(touch_cache, member)
static const struct field cache_fields[] = {
	CACHE(bytes),
	CACHE(ways),
	CACHE(line_bytes),
	END,
};
static const struct layout cache_layout = { cache_fields, sizeof(struct touch_cache) };

static const struct field caches_fields[] = {
	OBJECT("l1i", NULLABLE, touch_caches, i1, &cache_layout),
	OBJECT("l1d", NULLABLE, touch_caches, d1, &cache_layout),
	OBJECT("ll", NULLABLE, touch_caches, ll, &cache_layout),
	END,
};
static const struct layout caches_layout = { caches_fields, sizeof(struct touch_caches) };

#define MISSES(member) KNOWN_AMOUNT(touch_counts, member)
static const struct field misses_fields[] = {
	MISSES(l1i_misses),  MISSES(l1d_misses),	   MISSES(ll_misses),
	MISSES(mispredicts), MISSES(indirect_mispredicts), END,
};
static const struct layout misses_layout = { misses_fields, sizeof(struct touch_counts) };

static const struct field pages_fields[] = {
	WORD(STRING, "space", explanation_pages, space, space_words),
	AMOUNT("code", REQUIRED, explanation_pages, code),
	AMOUNT("data", REQUIRED, explanation_pages, data),
	END,
};
static const struct layout pages_layout = { pages_fields,
					    sizeof(struct explanation_pages) };

#define WORK(member) AMOUNT(#member, REQUIRED, explanation_work, member)
static const struct field work_fields[] = {
	WORK(guest_kib),   WORK(l1i_misses),  WORK(l1d_misses), WORK(ll_misses),
	WORK(l1i_evicted), WORK(l1d_evicted), WORK(ll_evicted), END,
};
static const struct layout work_layout = { work_fields, sizeof(struct explanation_work) };

#define TOUCHED(member) KNOWN_AMOUNT(explanation_touch, member)
static const struct field touch_fields[] = {
	OBJECT("caches", NULLABLE, explanation_touch, caches, &caches_layout),
	OBJECT("cold", NULLABLE, explanation_touch, cold, &misses_layout),
	OBJECT("warm", NULLABLE, explanation_touch, warm, &misses_layout),
	TOUCHED(events_before),
	TOUCHED(branches),
	TOUCHED(indirect_branches),
	TOUCHED(returns),
	TOUCHED(exceptions),
	TOUCHED(exception_returns),
	TOUCHED(guest_entries),
	OPTIONAL_ARRAY("pages", explanation_touch, pages, &pages_layout),
	OPTIONAL_ARRAY("curve", explanation_touch, curve, &work_layout),
	END,
};
static const struct layout touch_layout = { touch_fields,
					    sizeof(struct explanation_touch) };

static const struct field register_fields[] = {
	FIELD(STRING, "name", REQUIRED, explanation_register, name),
	AMOUNT("reads", REQUIRED, explanation_register, reads),
	AMOUNT("writes", REQUIRED, explanation_register, writes),
	END,
};
static const struct layout register_layout = { register_fields,
					       sizeof(struct explanation_register) };

static const struct field function_fields[] = {
	FIELD(STRING, "name", REQUIRED, explanation_function, name),
	FIELD(STRING, "module", NULLABLE, explanation_function, module),
	WORD(STRING, "space", explanation_function, space, space_words),
	FIELD(STRING, "layer", REQUIRED, explanation_function, layer),
	AMOUNT("insns", REQUIRED, explanation_function, insns),
	OBJECT("kinds", NULLABLE, explanation_function, kinds, &kinds_layout),
	ARRAY(ARRAY, "registers", explanation_function, registers, &register_layout),
	END,
};
static const struct layout function_layout = { function_fields,
					       sizeof(struct explanation_function) };

static const struct field source_fields[] = {
	FIELD(STRING, "function", REQUIRED, explanation_source, function),
	FIELD(STRING, "file", LEFT_OUT, explanation_source, file),
	FIELD(COUNT, "line", 0, explanation_source, line),
	END,
};
static const struct layout source_layout = { source_fields,
					     sizeof(struct explanation_source) };

static const struct field location_fields[] = {
	FIELD(STRING, "name", REQUIRED, explanation_location, name),
	WORD(STRING, "space", explanation_location, space, space_words),
	FIELD(STRING, "module", LEFT_OUT, explanation_location, module),
	FIELD(COUNT, "offset", REQUIRED, explanation_location, offset),
	RARE_ARRAY("sources", explanation_location, sources, &source_layout),
	END,
};
static const struct layout location_layout = { location_fields,
					       sizeof(struct explanation_location) };

static const struct field insn_fields[] = {
	FIELD(COUNT, "location", REQUIRED, explanation_insn, location),
	AMOUNT("insns", REQUIRED, explanation_insn, insns),
	OBJECT("kinds", NULLABLE, explanation_insn, kinds, &kinds_layout),
	END,
};
static const struct layout insn_layout = { insn_fields, sizeof(struct explanation_insn) };

static const struct field site_fields[] = {
	KNOWN("location", LEFT_OUT, explanation_site, location, -1),
	END,
};
static const struct layout site_layout = { site_fields, sizeof(struct explanation_site) };

static const struct field stack_fields[] = {
	ARRAY(STRINGS, "frames", explanation_stack, frames, NULL),
	OPTIONAL_STRINGS("spaces", explanation_stack, spaces),
	OPTIONAL_STRINGS("modules", explanation_stack, modules),
	AMOUNT("insns", REQUIRED, explanation_stack, insns),
	AMOUNT("calls", 0, explanation_stack, calls),
	OBJECT("kinds", NULLABLE, explanation_stack, kinds, &kinds_layout),
	RARE_ARRAY("instructions", explanation_stack, instructions, &insn_layout),
	RARE_ARRAY("sites", explanation_stack, sites, &site_layout),
	END,
};
static const struct layout stack_layout = { stack_fields,
					    sizeof(struct explanation_stack) };

static const struct field trap_fields[] = {
	FIELD(STRING, "by", REQUIRED, explanation_trap, by),
	FIELD(STRING, "name", REQUIRED, explanation_trap, name),
	WORD(STRING, "space", explanation_trap, space, space_words),
	FIELD(STRING, "module", LEFT_OUT, explanation_trap, module),
	AMOUNT("times", REQUIRED, explanation_trap, times),
	AMOUNT("insns", REQUIRED, explanation_trap, insns),
	END,
};
static const struct layout trap_layout = { trap_fields, sizeof(struct explanation_trap) };

static const struct field call_fields[] = {
	FIELD(STRING, "name", REQUIRED, explanation_call, name),
	WORD(STRING, "space", explanation_call, space, space_words),
	FIELD(STRING, "module", LEFT_OUT, explanation_call, module),
	AMOUNT("begin", REQUIRED, explanation_call, begin),
	AMOUNT("insns", REQUIRED, explanation_call, insns),
	END,
};
static const struct layout call_layout = { call_fields, sizeof(struct explanation_call) };

static const struct field explanation_fields[] = {
	NAMED(schema_words),
	VERSIONED(EXPLANATION_SCHEMA_VERSION),
	OBJECT("run", REQUIRED, explanation, run, &layout_run),
	OBJECT("subject", REQUIRED, explanation, subject, &layout_subject),
	OBJECT("target", REQUIRED, explanation, target, &layout_target),
	OBJECT("machine", REQUIRED, explanation, machine, &layout_machine),
	FIELD(STRING, "benchmark", REQUIRED, explanation, benchmark),
	FIELD(STRING, "config", REQUIRED, explanation, config),
	FIELD(STRING, "unit", REQUIRED, explanation, unit),
	FIELD(REAL, "round_trip", BOTH, explanation, round_trip),
	AMOUNT("total", REQUIRED, explanation, total),
	AMOUNT("clock_insns", REQUIRED, explanation, clock_insns),
	AMOUNT("events", REQUIRED, explanation, events),
	AMOUNT("events_alike", REQUIRED, explanation, events_alike),
	OBJECT("kinds", NULLABLE, explanation, kinds, &kinds_layout),
	OBJECT("touch", NULLABLE, explanation, touch, &touch_layout),
	ARRAY(ARRAY, "functions", explanation, functions, &function_layout),
	ARRAY(ARRAY, "stacks", explanation, stacks, &stack_layout),
	RARE_ARRAY("locations", explanation, locations, &location_layout),
	RARE_ARRAY("traps", explanation, traps, &trap_layout),
	OPTIONAL_ARRAY("timeline", explanation, timeline, &call_layout),
	ARRAY(ARRAY, "warnings", explanation, warnings, &layout_warning),
	END,
};
static const struct layout layout_explanation = { explanation_fields,
						  sizeof(struct explanation) };

struct explanation *explanation_new(void)
{
	struct explanation *e = store_check(malloc(sizeof(*e)));

	codec_clear(&layout_explanation, e);
	e->store = store_new();
	return e;
}

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

char *explanation_dump(const struct explanation *e)
{
	return codec_dump(&layout_explanation, e);
}

/* Functions of the kernel, by today's table: the explanation may be older than its rows.
 */
static void renew_layers(struct explanation *e)
{
	const bool is_x86 = e->machine.arch && !strcmp(e->machine.arch, "x86_64");

	if (!e->machine.arch)
		return;
	for (size_t i = 0; i < e->n_functions; i++) {
		struct explanation_function *f = &e->functions[i];
		const enum trace_space space = symbols_space(f->space);

		/* "[...]": not a symbol. */
		if (*f->name != '[' && space != SPACE_GUEST && space != SPACE_USER)
			f->layer = layer_of(is_x86 ? ARCH_X86_64 : ARCH_AARCH64, space,
					    f->module, f->name);
	}
}

int explanation_parse(const char *text, size_t bytes, struct explanation **out,
		      struct error *err)
{
	struct explanation *e = explanation_new();
	int rc = codec_load(e->store, &layout_explanation, text, bytes, e, err);

	*out = rc ? NULL : e;
	if (rc)
		explanation_free(e);
	else
		renew_layers(e);
	return rc;
}

int explanation_read(const char *path, struct explanation **out, struct error *err)
{
	struct error inner;
	char *text;
	long bytes = file_read(path, RESULT_FILE_MAX, &text);
	int rc;

	*out = NULL;
	if (bytes < 0) {
		rc = file_error(err, "read", path, (int)bytes);
	} else {
		rc = explanation_parse(text, (size_t)bytes, out, &inner);
		if (rc)
			error_set(err, rc, "%s: %s", file_tail(path), inner.text);
	}
	free(text);
	return rc;
}

int explanation_write(const char *path, const struct explanation *e, struct error *err)
{
	char *text = explanation_dump(e);
	int rc = file_replace(path, text, strlen(text));

	free(text);
	return rc ? file_error(err, "write", path, rc) : 0;
}

bool explanation_is_in(const char *path)
{
	char *text;
	long bytes = file_read(path, RESULT_FILE_MAX, &text);
	bool is = bytes > 0 && codec_is_schema(text, (size_t)bytes, EXPLANATION_SCHEMA);

	free(text);
	return is;
}

static int check_text(const char *text, size_t bytes, struct error *err)
{
	struct explanation *e = NULL;
	struct result *r = NULL;
	int rc;

	if (codec_is_schema(text, bytes, EXPLANATION_SCHEMA))
		rc = explanation_parse(text, bytes, &e, err);
	else
		rc = result_parse(text, bytes, &r, err);
	explanation_free(e);
	result_free(r);
	return rc;
}

int explanation_or_result_check(const char *path, struct error *err)
{
	struct error inner;
	char *text;
	long bytes = file_read(path, RESULT_FILE_MAX, &text);
	int rc;

	if (bytes < 0) {
		rc = file_error(err, "read", path, (int)bytes);
	} else {
		rc = check_text(text, (size_t)bytes, &inner);
		if (rc)
			error_set(err, rc, "%s: %s", file_tail(path), inner.text);
	}
	free(text);
	return rc;
}
