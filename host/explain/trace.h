/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recorded run, instruction by instruction, as the emulator's instruction counter
 * sees it: the instruction, its address space, how control left it, and whether it is
 * counted.
 */
#ifndef WS_EXPLAIN_TRACE_H
#define WS_EXPLAIN_TRACE_H

#include "host/explain/decode.h"
#include "host/explain/image.h"

/* The owner of an address. */
enum trace_space {
	SPACE_GUEST,
	SPACE_USER,   /* the VMM and the vDSO */
	SPACE_KERNEL, /* the host's */
	SPACE_HYP,    /* EL2 of a host whose kernel runs at EL1 */
	SPACES,
};

struct trace_insn {
	uint64_t vaddr;
	uint16_t after; /* instructions after it in the translation block */
	uint8_t bytes;
	const uint8_t *code; /* these bytes, in the records */
	enum trace_space space;
	struct decode decode;
};

#define TRACE_ENTRIES_MAX 256

struct trace {
	enum arch arch;
	const uint32_t *words; /* not owned */
	size_t n_words;
	bool counts; /* records say what the emulator counted */
	struct trace_insn *insns;
	size_t n_insns;
	uint64_t hyp_top; /* the upper half of all addresses in SPACE_HYP; 0: none */
	/* addresses of exception entries */
	uint64_t entries[TRACE_ENTRIES_MAX];
	size_t n_entries;
};

/*
 * `guest` is the address range of the payload; `counts` is of the control page. 0;
 * -EBADMSG: malformed records; -ENOMEM. trace_close() in any case.
 */
int trace_open(struct trace *t, enum arch arch, struct image_range guest,
	       const uint32_t *words, size_t n, bool counts);
void trace_close(struct trace *t);

/* How control left an instruction. */
enum trace_leave {
	LEAVE_DONE,	 /* completed, also jumps and traps */
	LEAVE_FAULT,	 /* raised an exception or an exit */
	LEAVE_INTERRUPT, /* the last before an interrupt */
	LEAVE_END,	 /* the recording ends */
};

struct trace_step {
	const struct trace_insn *insn;
	const struct trace_insn *next; /* NULL: LEAVE_END */
	enum trace_leave leave;
	/*
	 * The number of instructions that the emulator counts. QEMU: 1; 0 if the
	 * instruction faulted; more if the rest of the translation block was counted in
	 * advance. Bochs: 1; more if the CPU took an interrupt or an exit afterwards.
	 */
	unsigned int count;
	size_t first_access, end; /* the records between are its accesses */
	bool begins;		  /* the first of its recording */
};

/* The position in a trace; start with zeroed memory. */
struct trace_cursor {
	size_t at;
	bool resumed; /* not at the start */
};

/* The next step. False: the end. */
bool trace_next(const struct trace *t, struct trace_cursor *c, struct trace_step *s);

/* An access of the step; `*at` starts at first_access. False: no more. */
struct trace_access {
	uint64_t vaddr;
	unsigned int bytes;
	bool store;
};
bool trace_access(const struct trace *t, const struct trace_step *s, size_t *at,
		  struct trace_access *a);

/*
 * The call stacks: follows calls and returns, exceptions and their returns, and world
 * switches, step by step.
 *
 * The guest has a stack of its own. The host's stack is kept while the guest runs, so
 * that an exit is found below the call that entered the guest. Calls from before the
 * recording are not known: such a stack begins with the function that the first return
 * leads to. A stack also begins anew after a switch to another thread.
 */
#define WALK_DEPTH_MAX 256u

struct walk_frame {
	uint32_t function; /* a number of the caller's */
	uint64_t back;	   /* the return address; 0: unknown */
	/* The caller's instruction that called or was interrupted; NULL: unknown. */
	const struct trace_insn *site;
	bool trap;	       /* entered by an exception */
	enum trace_space from; /* the space of the interrupted code */
	uint32_t node;	       /* for the caller; 0 in a new frame */
	uint32_t call;	       /* for the caller, if `node` is not 0 */
};

struct walk_stack {
	struct walk_frame frames[WALK_DEPTH_MAX];
	unsigned int depth;
	unsigned int feints;	  /* calls that only push an address */
	unsigned int feint_depth; /* the depth at the last one */
};

struct walk { /* start with zeroed memory */
	struct walk_stack guest, host;
	uint32_t switcher; /* the function that switches threads; 0: not seen */
};

/*
 * The stack during this step, whose function is `function`; the last frame is that
 * function. Call for each step in turn, then walk_leave().
 */
struct walk_stack *walk_enter(struct walk *w, const struct trace_step *s,
			      uint32_t function);
void walk_leave(struct walk *w, const struct trace_step *s);

#endif
