/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recorded run, instruction by instruction, as the machine's count of instructions sees
 * it: what was executed, in whose memory, how control came to the next one, and whether
 * the instruction counts.
 */
#ifndef WS_TRACE_TRACE_H
#define WS_TRACE_TRACE_H

#include "host/explain/decode.h"
#include "host/explain/image.h"

/* Whose code it is, by its address. */
enum trace_space {
	SPACE_GUEST,
	SPACE_USER,   /* the VMM, and what the kernel maps into it */
	SPACE_KERNEL, /* the host's */
	SPACE_HYP,    /* EL2 of a host whose kernel runs at EL1 */
	SPACES,
};

struct trace_insn {
	uint64_t vaddr;
	uint16_t after; /* instructions behind it that the emulator runs in one go */
	uint8_t bytes;
	enum trace_space space;
	struct decode decode;
};

#define TRACE_ENTRIES_MAX 256

struct trace {
	enum arch arch;
	const uint32_t *words; /* not owned */
	size_t n_words;
	struct trace_insn *insns;
	size_t n_insns;
	uint64_t hyp_top; /* the upper half of all addresses in SPACE_HYP; 0: none */
	/* Where exceptions are seen to arrive. */
	uint64_t entries[TRACE_ENTRIES_MAX];
	size_t n_entries;
};

/*
 * `guest` is where the payload's code is. 0; -EBADMSG, the records make no sense;
 * -ENOMEM. trace_close() in any case.
 */
int trace_open(struct trace *t, enum arch arch, struct image_range guest,
	       const uint32_t *words, size_t n);
void trace_close(struct trace *t);

/* How control left an instruction. */
enum trace_leave {
	LEAVE_DONE,	 /* it did what it says, be it a jump or a trap */
	LEAVE_FAULT,	 /* it raised an exception or an exit instead */
	LEAVE_INTERRUPT, /* it was the last before an interrupt */
	LEAVE_END,	 /* the recording ends with it */
};

struct trace_step {
	const struct trace_insn *insn;
	const struct trace_insn *next; /* NULL: LEAVE_END */
	enum trace_leave leave;
	/*
	 * What the machine's count of instructions takes it for: 1; 0 if it faulted and
	 * was given up; more if it ended what the emulator had counted in advance.
	 */
	unsigned int count;
	size_t first_access, end; /* records between are its accesses */
	bool begins;		  /* nothing is recorded before it */
};

/* Where a walk over the trace stands; zeroed memory to begin with. */
struct trace_cursor {
	size_t at;
	bool resumed; /* it is not at the beginning */
};

/* The next step. False: there are no more. */
bool trace_next(const struct trace *t, struct trace_cursor *c, struct trace_step *s);

/* An access of the step; `*at` is first_access to begin with. False: no more. */
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
	uint32_t function;     /* as the caller numbers them */
	uint64_t back;	       /* the address to which it returns; 0: not known */
	bool trap;	       /* entered by an exception, and ... */
	enum trace_space from; /* ... whose code that came from */
	uint32_t node;	       /* the caller's own; 0 whenever the frame is new */
};

struct walk_stack {
	struct walk_frame frames[WALK_DEPTH_MAX];
	unsigned int depth;
	unsigned int feints; /* calls that only put an address on the stack */
};

struct walk { /* zeroed memory to begin with */
	struct walk_stack guest, host;
	uint32_t switcher; /* the function that changes threads; 0: not seen yet */
};

/*
 * The stack as it is while this step is executed, whose function is `function`; its last
 * frame is that function's. For each step in turn, then walk_leave().
 */
struct walk_stack *walk_enter(struct walk *w, const struct trace_step *s,
			      uint32_t function);
void walk_leave(struct walk *w, const struct trace_step *s);

#endif
