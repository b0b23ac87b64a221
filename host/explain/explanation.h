/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The explanation document: the functions that the instructions of one benchmark's
 * event are in. Its public form is results/explanation.schema.json.
 */
#ifndef WS_EXPLAIN_EXPLANATION_H
#define WS_EXPLAIN_EXPLANATION_H

#include "host/lib/error.h"
#include "host/result/result.h"

#define EXPLANATION_SCHEMA	   "worldswitch.explanation"
#define EXPLANATION_SCHEMA_VERSION 1

/* Accesses of a function to one system register. */
struct explanation_register {
	const char *name;
	uint64_t reads, writes;
};

/* Counts of the kinds of instructions; all -1 if kinds were not recorded. */
struct explanation_kinds {
	int64_t sysreg_reads, sysreg_writes, barriers;
	int64_t tlb_maintenance, cache_maintenance;
	int64_t vm_insns; /* of the CPU's virtualization: VMRUN, AT, ... */
	int64_t loads, stores, branches_taken;
	int64_t code_lines, data_lines; /* distinct lines of 64 bytes */
};

struct explanation_function {
	const char *name;   /* the symbol; "[...]" if there is none */
	const char *module; /* NULL: not a module */
	const char *space;  /* "guest", "user", "kernel", "hyp", "l0" */
	const char *layer;  /* "KVM, arm64", "timers", ... */
	uint64_t insns;	    /* its own, without those of functions it calls */
	struct explanation_kinds kinds;
	struct explanation_register *registers;
	size_t n_registers;
};

/* A function of a chain of inlined functions, and a place in it. */
struct explanation_source {
	const char *function;
	const char *file; /* NULL: unknown */
	uint64_t line;	  /* 0: none */
};

/*
 * The address of an instruction, and its source: the function itself, then the functions
 * that were inlined, to the one that holds the instruction. The others hold the place
 * where the next one was inlined. Without debug information, no source.
 */
struct explanation_location {
	const char *name, *space; /* of the function */
	const char *module;	  /* NULL: not a module */
	uint64_t offset;	  /* in the function, in bytes */
	struct explanation_source *sources;
	size_t n_sources;
};

/* The executions of an instruction in a stack. */
struct explanation_insn {
	uint64_t location; /* its number in the explanation */
	uint64_t insns;
	struct explanation_kinds kinds; /* as in a stack */
};

/* The instruction with which a frame calls the next frame, at the first call. */
struct explanation_site {
	int64_t location; /* -1: unknown */
};

/*
 * A call stack, outermost function first, and the instructions of the last function.
 * `spaces` and `modules` ("": none) are those of the frames; empty in documents of older
 * programs, and ignored if they are not as long as `frames`.
 */
struct explanation_stack {
	const char **frames;
	size_t n_frames;
	const char **spaces;
	size_t n_spaces;
	const char **modules;
	size_t n_modules;
	uint64_t insns;
	uint64_t calls; /* jumps from another function included; 0: unknown */
	struct explanation_kinds kinds;	       /* as in a function, without lines */
	struct explanation_insn *instructions; /* empty: not recorded */
	size_t n_instructions;
	struct explanation_site *sites; /* of each frame but the last; or empty */
	size_t n_sites;
};

/* Traps of one kind to L0, in a lab with L1. */
struct explanation_trap {
	const char *by;		  /* "hvc", "eret", "read midr_el1", "interrupt", ... */
	const char *name, *space; /* of the function that trapped */
	const char *module;	  /* NULL: not a module */
	uint64_t times;
	uint64_t insns; /* that L0 executed until it returned */
};

/* A call of a function. */
struct explanation_call {
	const char *name, *space;
	const char *module; /* NULL: not a module */
	uint64_t begin;	    /* instructions since the event began */
	uint64_t insns;	    /* until it returned, with everything that ran meanwhile */
};

/* A geometry of a simulated cache. Line and number of sets are powers of two. */
struct touch_cache {
	int64_t bytes, ways, line_bytes;
};

struct touch_caches {
	struct touch_cache i1, d1, ll;
};

/* Misses of caches and branch predictors. */
struct touch_counts {
	int64_t l1i_misses, l1d_misses, ll_misses;
	int64_t mispredicts, indirect_mispredicts;
};

/* Distinct pages of 4 KiB that an event touches. */
struct explanation_pages {
	const char *space; /* as of a function */
	uint64_t code, data;
};

/* An event after a guest that touched a working set. */
struct explanation_work {
	uint64_t guest_kib; /* half of it code, half of it data */
	uint64_t l1i_misses, l1d_misses, ll_misses;
	uint64_t l1i_evicted, l1d_evicted, ll_evicted; /* lines of the working set */
};

/* What an event touches (touch.h); all -1 or empty without `explain --touch`. */
struct explanation_touch {
	struct touch_caches caches;
	struct touch_counts cold, warm;
	int64_t events_before; /* recorded before the event of `warm`, in its boot */
	int64_t branches;      /* conditional */
	int64_t indirect_branches, returns;
	int64_t exceptions; /* also interrupts and exits from the guest */
	int64_t exception_returns, guest_entries;
	struct explanation_pages *pages;
	size_t n_pages;
	struct explanation_work *curve; /* by guest_kib */
	size_t n_curve;
};

/* Identifies the function of a frame. `space` NULL: unknown. `module` "": none. */
struct explanation_frame {
	const char *name, *space, *module;
};

struct explanation {
	struct result_run run;
	struct result_subject subject;
	struct result_target target;
	struct result_machine machine;
	const char *benchmark, *config;
	const char *unit;      /* "insns" */
	double round_trip;     /* the explained figure, of the same run */
	uint64_t total;	       /* instructions of the event: functions less clock_insns */
	uint64_t clock_insns;  /* the cost of reading the clock that is still in the
				  functions */
	uint64_t events;       /* recorded events */
	uint64_t events_alike; /* events with the path of the explained event */
	struct explanation_kinds kinds; /* of all functions together */
	struct explanation_touch touch;
	struct explanation_function *functions; /* most instructions first */
	size_t n_functions;
	struct explanation_stack *stacks; /* by their frames */
	size_t n_stacks;
	struct explanation_location *locations; /* see explanation_has_lines() */
	size_t n_locations;
	struct explanation_trap *traps; /* in the order of the first of each kind */
	size_t n_traps;
	struct explanation_call *timeline; /* in their order; empty: not recorded */
	size_t n_timeline;
	struct result_warning *warnings;
	size_t n_warnings;
	struct result_store *store; /* owns the memory */
};

/* Like result_new() etc. */
struct explanation *explanation_new(void);
void explanation_free(struct explanation *e);
const char *explanation_string(struct explanation *e, const char *s);
struct explanation_function *explanation_add_function(struct explanation *e);
struct explanation_register *explanation_add_register(struct explanation *e,
						      struct explanation_function *f);
/* The caller fills in the frames. */
struct explanation_stack *explanation_add_stack(struct explanation *e, size_t n_frames);
/* Space for `spaces` and `modules` of all frames, which the caller fills in, too. */
void explanation_add_spaces(struct explanation *e, struct explanation_stack *s);
struct explanation_call *explanation_add_call(struct explanation *e);
struct explanation_trap *explanation_add_trap(struct explanation *e);
struct explanation_pages *explanation_add_pages(struct explanation *e);
struct explanation_work *explanation_add_work(struct explanation *e);
/* The caller fills these in, too. The number of a location is its place in the list. */
struct explanation_location *explanation_add_location(struct explanation *e);
struct explanation_source *explanation_add_source(struct explanation *e,
						  struct explanation_location *l);
struct explanation_insn *explanation_add_insn(struct explanation *e,
					      struct explanation_stack *s);
/* Sites of all frames but the last, unknown so far. */
void explanation_add_sites(struct explanation *e, struct explanation_stack *s);
void explanation_warn(struct explanation *e, const char *code, const char *message);

/* Copies run, subject, target and machine. */
void explanation_describe(struct explanation *e, const struct result *r);

/* The frame `i` of a stack; the frame that a function has in stacks. */
struct explanation_frame explanation_frame(const struct explanation_stack *s, size_t i);
struct explanation_frame explanation_frame_of(const struct explanation_function *f);
/* Whether two frames can be of one function: an unknown space matches every function. */
bool explanation_frame_is(const struct explanation_frame *a,
			  const struct explanation_frame *b);

/*
 * Whether instructions were recorded by their addresses: each stack's sum up to the
 * instructions of the stack, and have locations. Otherwise they are to be ignored.
 */
bool explanation_has_lines(const struct explanation *e);

/* Functions by their instructions, stacks by their frames. */
void explanation_sort(struct explanation *e);

/*
 * Like result_dump(), result_parse(), result_read() and result_write(). The layers of the
 * kernel's functions are those of layers.def as it is now, whatever the text says.
 */
char *explanation_dump(const struct explanation *e);
int explanation_parse(const char *text, size_t bytes, struct explanation **out,
		      struct error *err);
int explanation_read(const char *path, struct explanation **out, struct error *err);
int explanation_write(const char *path, const struct explanation *e, struct error *err);

/* Whether a file claims to be an explanation; it may still be malformed. */
bool explanation_is_in(const char *path);

/*
 * Checks a file against the schema that it names, explanation or result. Like
 * result_read().
 */
int explanation_or_result_check(const char *path, struct error *err);

#endif
