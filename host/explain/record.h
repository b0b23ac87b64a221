/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the emulator's plugin (host/explain/plugin/) writes and the rest of this folder
 * reads: one file, mapped by both, that begins with a page of orders and goes on with
 * records. Both ends run on the same machine and come from the same build.
 */
#ifndef WS_TRACE_RECORD_H
#define WS_TRACE_RECORD_H

#include <stdint.h>

#define RECORD_MAGIC   0x31454341525453ull /* "STRACE1" */
#define RECORD_VERSION 1

/* An instruction at which recording begins or ends, before it is executed. */
struct record_switch {
	uint64_t vaddr;
	uint8_t bytes[4]; /* its first ones: other code may live at that address, too */
	uint32_t on;	  /* 1: begin, 0: end */
};

#define RECORD_SWITCHES_MAX 64

/* The orders. `written` is the plugin's answer. */
struct record_page {
	uint64_t magic;
	uint32_t version;
	uint64_t room;	     /* of the file, in bytes, this page included */
	uint64_t written;    /* bytes of records behind this page */
	uint32_t installed;  /* 1: the plugin is there */
	uint32_t overflowed; /* 1: not all records fitted */
	uint32_t n_switches;
	uint32_t memory; /* 1: accesses to memory, too */
	struct record_switch switches[RECORD_SWITCHES_MAX];
};

#define RECORD_PAGE_BYTES 4096u
_Static_assert(sizeof(struct record_page) <= RECORD_PAGE_BYTES, "the orders fit");

/* Records are words of 32 bits: the kind above, a value below, then what is said. */
#define RECORD_KIND(word)	 ((word) >> 28)
#define RECORD_VALUE(word)	 ((word)&0x0fffffffu)
#define RECORD_WORD(kind, value) ((uint32_t)(kind) << 28 | ((value)&0x0fffffffu))

enum record_kind {
	RECORD_EXEC = 1, /* value: which instruction, by the order of their INSNs */
	RECORD_INSN, /* value: RECORD_INSN_VALUE(); address (2 words), bytes (4 words) */
	RECORD_LOAD, /* value: log2 of the bytes; address (2 words) */
	RECORD_STORE,
	RECORD_ON,  /* recording has begun: what came before is not here */
	RECORD_OFF, /* and ended */
};

/*
 * How many bytes it has, and how many instructions follow it in the piece of code that
 * the emulator runs in one go.
 */
#define RECORD_INSN_VALUE(bytes, after) ((uint32_t)(bytes) | (uint32_t)(after) << 8)
#define RECORD_INSN_LENGTH(value)	((value)&0xffu)
#define RECORD_INSN_AFTER(value)	((value) >> 8)

#define RECORD_INSN_WORDS   7
#define RECORD_ACCESS_WORDS 3
#define RECORD_INSN_BYTES   16 /* the longest of x86_64 has 15 */

#endif
