/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The explanation document as a file: its layout; reading, writing and checking it. */
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
