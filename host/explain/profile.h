/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The instructions of one event, by function and by call stack. */
#ifndef WS_EXPLAIN_PROFILE_H
#define WS_EXPLAIN_PROFILE_H

#include "host/explain/trace.h"
#include "host/explain/symbols.h"

struct profile_register {
	uint32_t function;
	uint32_t reg; /* for decode_register() */
	uint64_t reads, writes;
};

/* Of a function itself, without those of functions it calls. */
struct profile_counts {
	uint64_t insns;
	uint64_t kinds[KINDS];
	uint64_t loads, stores, branches_taken;
};

struct profile_function {
	const struct symbol *symbol; /* NULL: not covered by a symbol of this space */
	enum trace_space space;
	struct profile_counts own;
	uint64_t code_lines, data_lines; /* distinct lines of 64 bytes */
};

/* A function, reached by one stack of callers. */
struct profile_node {
	uint32_t function;
	uint32_t parent; /* 0: it is a root */
	/* The caller's instruction of the first call; NULL: unknown. */
	const struct trace_insn *site;
	uint64_t calls; /* jumps from another function included */
	struct profile_counts own;
};

/* An instruction of a function that was reached by one stack. */
struct profile_insn {
	const struct trace_insn *insn;
	uint32_t node;
	uint32_t next; /* of the same instruction, in another stack; 0: none */
	struct profile_counts own;
};

/* A call of a function, in instructions since the event began. */
struct profile_call {
	uint32_t function;
	uint64_t begin, end;
};

/* A line of memory that a function ran or touched. */
struct profile_line {
	uint32_t function;
	uint64_t line;
	bool code;
};

/* An instruction that trapped to L0 (in a lab with L1), or was interrupted. */
struct profile_trap {
	const struct trace_insn *insn;
	uint32_t function;
	enum trace_leave leave;
	uint64_t times;
	uint64_t insns; /* that L0 executed until its ERET */
};

struct profile {
	struct profile_function *functions; /* number 0 is not used */
	size_t n_functions, room_functions;
	struct profile_node *nodes; /* number 0 is not used */
	size_t n_nodes, room_nodes;
	struct profile_register *registers;
	size_t n_registers, room_registers;
	struct profile_line *lines;
	size_t n_lines, room_lines;
	struct profile_insn *insns; /* as they were first executed; 0 is not used */
	size_t n_insns, room_insns;
	struct profile_call *calls; /* in their order */
	size_t n_calls, room_calls;
	struct profile_trap *traps; /* in their order */
	size_t n_traps, room_traps;
	uint64_t code_lines, data_lines; /* of all functions together */
	uint32_t first, first_node;	 /* the function in which the event begins */
};

/*
 * Walks from the start of the recording to the end of the region, and counts within the
 * region; `insns`: each instruction, too. 0 or -ENOMEM; profile_free() in any case.
 */
int profile_build(const struct trace *t, const struct symbols *symbols,
		  const struct region *region, bool insns, struct profile *p);
/*
 * Subtracts an empty event from the function in which the event begins: both contain
 * the loop that reads the clock. Lines of memory are not subtracted. Of the instructions
 * of that function, those are subtracted that the empty event begins and ends with: the
 * operation is between them. False: the function is not in the profile.
 */
bool profile_subtract(struct profile *p, const struct profile *empty);

void profile_free(struct profile *p);

#endif
