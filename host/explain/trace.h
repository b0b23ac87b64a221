/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recorded run: ELF images, decoded instructions, the file of the records, the steps of
 * the recording with their call stacks, and the timed events.
 */
#ifndef WS_EXPLAIN_TRACE_H
#define WS_EXPLAIN_TRACE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/catalogue.h"
#include "host/explain/record.h"
#include "host/lib/error.h"

/* ------------------------------ ELF images ------------------------------ */

/*
 * Functions, marks (bench/mark.h), and bytes at an address. Images are 64-bit and
 * little-endian; nothing in them is trusted.
 */

struct image {
	const uint8_t *data; /* not owned */
	size_t bytes;
};

/* `end` is exclusive. */
struct image_range {
	uint64_t begin, end;
};

struct image_mark {
	uint64_t vaddr;
	uint64_t kind; /* MARK_* */
};

/* 0, or -ENOEXEC: not such an image. */
int image_open(struct image *image, const void *data, size_t bytes);

/*
 * All marks except those of code that the linker dropped. The caller frees them.
 * Returns the number, or -ENOMEM.
 */
long image_marks(const struct image *image, struct image_mark **marks);

/*
 * Calls `each` for every function in the order of the file. Stops when `each` returns
 * non-zero, and returns that value.
 */
int image_functions(const struct image *image,
		    int (*each)(void *ctx, uint64_t vaddr, uint64_t bytes,
				const char *name, size_t name_bytes),
		    void *ctx);

/* The range of all loaded segments; empty if there are none. */
struct image_range image_range(const struct image *image);

/* Copies loaded bytes at `vaddr`. 0, or -EFAULT: not all of them are loaded. */
int image_read(const struct image *image, uint64_t vaddr, void *to, size_t bytes);

/* ------------------------------ instructions ------------------------------ */

/*
 * Control flow and kind of an instruction, decoded from its bytes: only as far as call
 * stacks and the kinds of `explain --kinds` need it.
 */

enum decode_flow {
	FLOW_NEXT,   /* the next instruction, unless it traps */
	FLOW_BRANCH, /* conditional, to `target` */
	FLOW_JUMP,   /* unconditional */
	FLOW_CALL,
	FLOW_RETURN,
	FLOW_TRAP, /* raises an exception on purpose */
	FLOW_ERET, /* returns from an exception */
	FLOW_ENTER_GUEST,
};

enum decode_kind {
	KIND_OTHER,
	KIND_SYSREG_READ,
	KIND_SYSREG_WRITE,
	KIND_BARRIER,
	KIND_TLB,
	KIND_CACHE,
	KIND_VM, /* instructions of the virtualization extension, except: */
	KIND_VMCS_READ,
	KIND_VMCS_WRITE,
	KINDS,
};

struct decode {
	enum decode_flow flow;
	enum decode_kind kind;
	uint64_t target;   /* of direct branches, jumps and calls; 0: unknown */
	uint32_t reg;	   /* of KIND_SYSREG_*, KIND_VMCS_*: for decode_register() */
	const char *named; /* mnemonic: of KIND_TLB, KIND_CACHE, KIND_VM, KIND_BARRIER;
			      and of x86_64 instructions that exit */
	bool memory;	   /* may access memory, and fault */
	bool system;	   /* aarch64: MRS, MSR, SYS */
	bool ends;	   /* x86_64: the emulator ends a translation block with it */
};

/*
 * Decodes `bytes` of the instruction at `vaddr`; unknown instructions are FLOW_NEXT,
 * KIND_OTHER.
 */
void decode_aarch64(const uint8_t *insn, size_t bytes, uint64_t vaddr, struct decode *d);
void decode_x86_64(const uint8_t *insn, size_t bytes, uint64_t vaddr, struct decode *d);
void decode_insn(enum arch arch, const uint8_t *insn, size_t bytes, uint64_t vaddr,
		 struct decode *d);

/*
 * The name of a system register: "hcr_el2", "cr8", "msr" (its number is in a register);
 * if the register has no name, its encoding ("s3_0_c15_c2_0"). `text` is a buffer for
 * composed names.
 */
#define DECODE_REGISTER_BYTES 24
const char *decode_register(enum arch arch, uint32_t reg,
			    char text[DECODE_REGISTER_BYTES]);
const char *decode_register_aarch64(uint32_t reg, char text[DECODE_REGISTER_BYTES]);
const char *decode_register_x86_64(uint32_t reg);

/* ------------------------ the file of the records ------------------------ */

/* The emulator writes it: a control page, then records. */

struct capture {
	int fd; /* -1: none */
	struct record_page *page;
	uint64_t bytes;	       /* of the file, with the page */
	char plugin[PATH_MAX]; /* empty: not needed */
};

/*
 * Creates the file, unnamed, with room for `bytes`. Memory is allocated as records are
 * written. `plugin_api`: finds QEMU's plugin for this version of the interface; 0: no
 * plugin ($WORLDSWITCH_LIBEXEC/, beside this
 * program, or in ../libexec/worldswitch/). 0, or a negative errno with `err`;
 * capture_close() in any case.
 */
int capture_open(struct capture *c, uint64_t bytes, bool memory, unsigned int plugin_api,
		 struct error *err);
void capture_close(struct capture *c);

/*
 * Starts (`on`) or stops recording at this instruction of `image`. 0; -EFAULT (not
 * loaded); -ENOSPC.
 */
int capture_switch(struct capture *c, const struct image *image, uint64_t vaddr, bool on);

/* The records, *n words, which are not trusted, valid until capture_close(). */
const uint32_t *capture_records(const struct capture *c, size_t *n);

/* ------------------------------ steps ------------------------------ */

/*
 * A recorded run, instruction by instruction, as the emulator's instruction counter
 * sees it: the instruction, its address space, how control left it, and whether it is
 * counted.
 */

/* The owner of an address. */
enum trace_space {
	SPACE_GUEST,
	SPACE_USER,   /* the VMM and the vDSO */
	SPACE_KERNEL, /* the host's */
	SPACE_HYP,    /* EL2 of a host whose kernel runs at EL1 */
	SPACE_L0,     /* what runs below a host that is a guest: L0's kernel and VMM */
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
#define TRACE_BELOW_MAX	  8

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
	/* addresses: of the ERETs by which L0 enters its guest; or of the ends of exits
	 */
	uint64_t below[TRACE_BELOW_MAX];
	size_t n_below;
	size_t guests; /* x86_64: the first instructions, of which L0 has copies; 0: no L0
			*/
};

/*
 * `guest` is the address range of the payload; `counts` is of the control page. 0;
 * -EBADMSG: malformed records; -ENOMEM. trace_close() in any case.
 */
int trace_open(struct trace *t, enum arch arch, struct image_range guest,
	       const uint32_t *words, size_t n, bool counts);
void trace_close(struct trace *t);

/*
 * In a lab with L1, distinguishes what L0 executes. aarch64: `kernel` is where L0's
 * kernel is. Of the VMMs, which are the same program, that of L0 is what the kernel
 * returns to by another ERET than the one that enters its guest.
 *
 * x86_64, where both kernels are at the same addresses: from VMRUN or VMRESUME of L0 on,
 * all is its guest, L1 or L2, up to an exit, after which L0 continues behind its VMRUN,
 * or at one of `n` addresses `exits` (VMX). The guest cannot get there without L0.
 *
 * 0; -E2BIG: more than TRACE_BELOW_MAX places at which L0 begins or ends; -ENOMEM.
 */
int trace_below(struct trace *t, struct image_range kernel);
int trace_below_x86(struct trace *t, const uint64_t *exits, size_t n);

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
	bool below;   /* L0 executes: trace_below_x86() */
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

/* ------------------------------ call stacks ------------------------------ */

/*
 * Follows calls and returns, exceptions and their returns, and world
 * switches, step by step.
 *
 * The guest has a stack of its own. The host's stack is kept while the guest runs, so
 * that an exit is found below the call that entered the guest. Calls from before the
 * recording are not known: such a stack begins with the function that the first return
 * leads to. A stack also begins anew after a switch to another thread.
 *
 * What L0 does from a trap to its ERET is below the function that trapped.
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
	struct walk_stack *below; /* the one that trapped to L0; NULL: none */
	unsigned int below_depth; /* when it did */
	uint32_t switcher;	  /* the function that switches threads; 0: not seen */
};

/*
 * The stack during this step, whose function is `function`; the last frame is that
 * function. Call for each step in turn, then walk_leave().
 */
struct walk_stack *walk_enter(struct walk *w, const struct trace_step *s,
			      uint32_t function);
void walk_leave(struct walk *w, const struct trace_step *s);

/* ------------------------------ timed events ------------------------------ */

/*
 * The timed events in a trace: from one read of the clock to the next, as the benchmark
 * computes its figure.
 */

/* The marks of the payload and of the VMM. */
struct region_marks {
	struct image_mark *list;
	size_t n;
};

struct region {
	size_t begin, end; /* steps: [begin, end) */
	size_t recording;  /* the first step of its recording */
	uint64_t count;	   /* instructions, as the clock counts them */
	uint64_t path;	   /* a hash of the instructions: equal hashes are equal paths */
	unsigned int boot; /* from 0 */
	bool shared;	   /* timed by the clock that host and guest share */
	bool empty;	   /* of the series NULL, the cost of reading the clock */
};

struct regions {
	struct region *list;
	size_t n;
};

/* Why a benchmark's figure is not the length of one part of a trace; NULL: it is. */
const char *regions_refusal(const char *id);

/*
 * Finds the timed events of benchmark `id`: host-timed rows have their own order of reads
 * (host/targets/rows.h). 0; -ENOTSUP with `*why`: the figure is not the length of one
 * part of a trace; -ENOMEM. regions_free() in any case.
 */
int regions_find(const struct trace *t, const struct region_marks *marks, const char *id,
		 struct regions *out, const char **why);
void regions_free(struct regions *r);

#endif
