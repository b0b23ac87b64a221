/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who called whom: follows calls and returns, exceptions and their ends, and the world
 * switch itself, step by step.
 *
 * The guest has a stack of its own. The host's stays as it is while the guest runs, so
 * that an exit is found below the call that entered the guest. What was called before
 * the recording began is not known: such a stack begins with the function to which it
 * first returned. Likewise after a switch to another thread.
 */
#ifndef WS_TRACE_WALK_H
#define WS_TRACE_WALK_H

#include "host/explain/trace.h"

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
