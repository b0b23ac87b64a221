/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The explanation document: which functions the instructions of one benchmark's event are
 * in. Built by host/explain/, read by whoever draws, compares or names them.
 *
 * results/explanation.schema.json says the same to the rest of the world.
 */
#ifndef WS_RESULT_EXPLANATION_H
#define WS_RESULT_EXPLANATION_H

#include "host/lib/error.h"
#include "host/result/result.h"

#define EXPLANATION_SCHEMA	   "worldswitch.explanation"
#define EXPLANATION_SCHEMA_VERSION 1

/* How often a function read and wrote one register of the system's. */
struct explanation_register {
	const char *name;
	uint64_t reads, writes;
};

/* Of each kind of instruction, how many; all -1 where nobody asked for kinds. */
struct explanation_kinds {
	int64_t sysreg_reads, sysreg_writes, barriers;
	int64_t tlb_maintenance, cache_maintenance;
	int64_t vm_insns; /* of the CPU's virtualization: VMRUN, AT, ... */
	int64_t loads, stores, branches_taken;
	int64_t code_lines, data_lines; /* of 64 bytes, different ones */
};

struct explanation_function {
	const char *name;   /* as its symbol; "[...]" where there is none */
	const char *module; /* of the kernel's; NULL: not of a module */
	const char *space;  /* "guest", "user", "kernel", "hyp" */
	const char *layer;  /* what it is part of: "KVM, arm64", "timers", ... */
	uint64_t insns;	    /* its own, without those of functions it calls */
	struct explanation_kinds kinds;
	struct explanation_register *registers;
	size_t n_registers;
};

/* A chain of calls, outermost first, and the instructions of the last of them. */
struct explanation_stack {
	const char **frames;
	size_t n_frames;
	uint64_t insns;
};

struct explanation {
	struct result_run run;
	struct result_subject subject;
	struct result_target target;
	struct result_machine machine;
	const char *benchmark, *config;
	const char *unit;      /* "insns" */
	double round_trip;     /* the figure that is explained, of the same run */
	uint64_t total;	       /* instructions of the event: functions less clock_insns */
	uint64_t clock_insns;  /* the clock's own cost that no function was relieved of */
	uint64_t events;       /* recorded ... */
	uint64_t events_alike; /* ... and of these, how many took this very path */
	struct explanation_kinds kinds;		/* of all functions together */
	struct explanation_function *functions; /* most instructions first */
	size_t n_functions;
	struct explanation_stack *stacks; /* by their frames */
	size_t n_stacks;
	struct result_warning *warnings;
	size_t n_warnings;
	struct result_store *store; /* what owns the memory */
};

/* As result_new() and its kin. */
struct explanation *explanation_new(void);
void explanation_free(struct explanation *e);
const char *explanation_string(struct explanation *e, const char *s);
struct explanation_function *explanation_add_function(struct explanation *e);
struct explanation_register *explanation_add_register(struct explanation *e,
						      struct explanation_function *f);
/* Its frames are to be filled in. */
struct explanation_stack *explanation_add_stack(struct explanation *e, size_t n_frames);
void explanation_warn(struct explanation *e, const char *code, const char *message);

/* Copies run, subject, target and machine. */
void explanation_describe(struct explanation *e, const struct result *r);

/* Functions by their instructions, stacks by their frames. */
void explanation_sort(struct explanation *e);

/* As result_dump(), result_parse(), result_read() and result_write(). */
char *explanation_dump(const struct explanation *e);
int explanation_parse(const char *text, size_t bytes, struct explanation **out,
		      struct error *err);
int explanation_read(const char *path, struct explanation **out, struct error *err);
int explanation_write(const char *path, const struct explanation *e, struct error *err);

/* Whether a file says that it is an explanation; it may still be a broken one. */
bool explanation_is_in(const char *path);

/*
 * Checks a file against the rules of the document that it says it is, an explanation or
 * else a result. As result_read().
 */
int explanation_or_result_check(const char *path, struct error *err);

#endif
