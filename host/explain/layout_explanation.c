/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables that say what an explanation is made of. */
#include "host/explain/explanation.h"
#include "host/result/codec.h"

static const char *const schema_words[] = { EXPLANATION_SCHEMA, NULL };
static const char *const space_words[] = { "guest", "user", "kernel", "hyp", NULL };

#define COUNTED(member) KNOWN(#member, NULLABLE, explanation_kinds, member, -1)

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
static const struct layout kinds = { kinds_fields, sizeof(struct explanation_kinds) };

static const struct field register_fields[] = {
	FIELD(STRING, "name", REQUIRED, explanation_register, name),
	FIELD(COUNT, "reads", REQUIRED, explanation_register, reads),
	FIELD(COUNT, "writes", REQUIRED, explanation_register, writes),
	END,
};
static const struct layout register_layout = { register_fields,
					       sizeof(struct explanation_register) };

static const struct field function_fields[] = {
	FIELD(STRING, "name", REQUIRED, explanation_function, name),
	FIELD(STRING, "module", NULLABLE, explanation_function, module),
	WORD(STRING, "space", explanation_function, space, space_words),
	FIELD(STRING, "layer", REQUIRED, explanation_function, layer),
	FIELD(COUNT, "insns", REQUIRED, explanation_function, insns),
	OBJECT("kinds", NULLABLE, explanation_function, kinds, &kinds),
	ARRAY(ARRAY, "registers", explanation_function, registers, &register_layout),
	END,
};
static const struct layout function = { function_fields,
					sizeof(struct explanation_function) };

static const struct field stack_fields[] = {
	ARRAY(STRINGS, "frames", explanation_stack, frames, NULL),
	FIELD(COUNT, "insns", REQUIRED, explanation_stack, insns),
	END,
};
static const struct layout stack = { stack_fields, sizeof(struct explanation_stack) };

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
	FIELD(COUNT, "total", REQUIRED, explanation, total),
	FIELD(COUNT, "clock_insns", REQUIRED, explanation, clock_insns),
	FIELD(COUNT, "events", REQUIRED, explanation, events),
	FIELD(COUNT, "events_alike", REQUIRED, explanation, events_alike),
	OBJECT("kinds", NULLABLE, explanation, kinds, &kinds),
	ARRAY(ARRAY, "functions", explanation, functions, &function),
	ARRAY(ARRAY, "stacks", explanation, stacks, &stack),
	ARRAY(ARRAY, "warnings", explanation, warnings, &layout_warning),
	END,
};
const struct layout layout_explanation = { explanation_fields,
					   sizeof(struct explanation) };
