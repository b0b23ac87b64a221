/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file that the emulator writes and `explain` reads, mapped by both: a control page,
 * then records. QEMU has a plugin for it (host/explain/plugin/), Bochs a module
 * (host/targets/lab/bochs/). Both programs run on one machine and come from one build.
 * C and C++ include this file.
 */
#ifndef WS_EXPLAIN_RECORD_H
#define WS_EXPLAIN_RECORD_H

#include <assert.h>
#include <stdint.h>

#define RECORD_MAGIC   0x31454341525453ull /* "STRACE1" */
#define RECORD_VERSION 2

/* An instruction at which recording begins or ends, before it is executed. */
struct record_switch {
	uint64_t vaddr;
	uint8_t bytes[4]; /* the first bytes: other code may have the same address */
	uint32_t on;	  /* 1: begin, 0: end */
};

#define RECORD_SWITCHES_MAX 64

/* The control page. The emulator writes the members from `written` to `counts`. */
struct record_page {
	uint64_t magic;
	uint32_t version;
	uint64_t room;	     /* size of the file in bytes, including this page */
	uint64_t written;    /* bytes of records after this page */
	uint32_t installed;  /* 1: the plugin or the module is active */
	uint32_t overflowed; /* 1: records were lost */
	uint32_t counts;     /* 1: writes RECORD_COUNT */
	uint32_t n_switches;
	uint32_t memory; /* 1: also record memory accesses */
	struct record_switch switches[RECORD_SWITCHES_MAX];
};

#define RECORD_PAGE_BYTES 4096u
static_assert(sizeof(struct record_page) <= RECORD_PAGE_BYTES, "the control page fits");

/*
 * Records are 32-bit words: kind in the upper bits, value in the lower bits, then data.
 */
#define RECORD_KIND(word)	 ((word) >> 28)
#define RECORD_VALUE(word)	 ((word)&0x0fffffffu)
#define RECORD_WORD(kind, value) ((uint32_t)(kind) << 28 | ((value)&0x0fffffffu))

enum record_kind {
	RECORD_EXEC = 1, /* value: index of the INSN record */
	RECORD_INSN, /* value: RECORD_INSN_VALUE(); address (2 words), bytes (4 words) */
	RECORD_LOAD, /* value: log2 of the bytes; address (2 words) */
	RECORD_STORE,
	RECORD_ON,  /* recording has begun */
	RECORD_OFF, /* and ended */
	/*
	 * How many instructions the clock of the emulator counted for the last EXEC, if
	 * not 1. Without `counts` the reader knows the rules of the emulator.
	 */
	RECORD_COUNT,
};

/*
 * The length of the instruction, and the number of instructions after it in the
 * translation block.
 */
#define RECORD_INSN_VALUE(bytes, after) ((uint32_t)(bytes) | (uint32_t)(after) << 8)
#define RECORD_INSN_LENGTH(value)	((value)&0xffu)
#define RECORD_INSN_AFTER(value)	((value) >> 8)

#define RECORD_INSN_WORDS   7
#define RECORD_ACCESS_WORDS 3
#define RECORD_INSN_BYTES   16 /* x86_64: at most 15 */

#endif
