/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The emulator's plugin behind `wsbench explain`: records every instruction that the
 * machine executes between two switches, which are instructions.
 *
 * All translated code has callbacks, which record while recording is on. To discard the
 * translations at a switch, and to translate again what runs between the switches and
 * behind them, took twice as long as a row: a translation block costs 10 microseconds, a
 * callback that records nothing 2 nanoseconds.
 *
 * The file is the only state outside of the emulator: in a fork of it, another file with
 * switches of its own is mapped in place of this one (host/targets/lab/qemu/). Code that
 * was translated before has the switches of the first file. An instruction is described
 * in a file when it is executed first, so that a file has all that it refers to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host/explain/plugin/qemu.h"
#include "host/explain/record.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_API;

static struct {
	qemu_plugin_id_t id;
	struct record_page *page;
	uint32_t n_insns; /* described in this file */
	uint32_t file; /* the number of this file, from 1; 0: nothing is recorded yet */
	bool on;       /* recording, according to the last switch */
} state;

/* An instruction of a translation block. Freed with the emulator: see record(). */
struct insn {
	uint64_t vaddr;
	uint32_t file;	 /* in which it has the number; 0: in none */
	uint32_t number; /* of its description */
	uint16_t after;
	uint8_t bytes;
	uint8_t code[RECORD_INSN_BYTES];
};

/*
 * The callbacks of version 7 have a context in place of the plugin's id, which is in
 * `state` in any case.
 */
#if QEMU_PLUGIN_API >= 7
#define TB_CALLBACK(name) static void name(struct qemu_plugin_tb *tb, void *unused)
#define ON_TB(callback)	  qemu_plugin_register_vcpu_tb_trans_cb(state.id, callback, NULL)
#else
#define TB_CALLBACK(name)                                                                \
	static void name(qemu_plugin_id_t unused, struct qemu_plugin_tb *tb)
#define ON_TB(callback) qemu_plugin_register_vcpu_tb_trans_cb(state.id, callback)
#endif

/* Copies the bytes of the instruction, `room` at most. */
static void insn_copy(const struct qemu_plugin_insn *insn, void *to, size_t room)
{
#if QEMU_PLUGIN_API >= 3
	(void)qemu_plugin_insn_data(insn, to, room);
#else
	size_t bytes = qemu_plugin_insn_size(insn);

	memcpy(to, qemu_plugin_insn_data(insn), bytes < room ? bytes : room);
#endif
}

/* Allocates a record of `words`; NULL, and sets `overflowed`, if the file is full. */
static uint32_t *room(size_t words)
{
	struct record_page *page = state.page;
	const uint64_t end = RECORD_PAGE_BYTES + page->written;

	if (page->overflowed || (page->room - end) / sizeof(uint32_t) < words) {
		page->overflowed = 1;
		return NULL;
	}
	page->written += words * sizeof(uint32_t);
	return (uint32_t *)((char *)page + end);
}

static void put(enum record_kind kind, uint32_t value)
{
	uint32_t *at = room(1);

	if (at)
		*at = RECORD_WORD(kind, value);
}

static void describe(struct insn *insn)
{
	uint32_t *at = room(RECORD_INSN_WORDS);

	insn->file = state.file;
	insn->number = state.n_insns++;
	if (!at)
		return;
	at[0] = RECORD_WORD(RECORD_INSN, RECORD_INSN_VALUE(insn->bytes, insn->after));
	memcpy(at + 1, &insn->vaddr, sizeof(insn->vaddr));
	memcpy(at + 3, insn->code, RECORD_INSN_BYTES);
}

static void on_insn(unsigned int vcpu, void *ctx)
{
	struct insn *insn = ctx;

	(void)vcpu;
	if (!state.on)
		return;
	if (insn->file != state.file)
		describe(insn);
	put(RECORD_EXEC, insn->number);
}

static void on_access(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t vaddr,
		      void *ctx)
{
	uint32_t *at = state.on ? room(RECORD_ACCESS_WORDS) : NULL;

	(void)vcpu;
	(void)ctx;
	if (!at)
		return;
	at[0] = RECORD_WORD(qemu_plugin_mem_is_store(info) ? RECORD_STORE : RECORD_LOAD,
			    qemu_plugin_mem_size_shift(info));
	memcpy(at + 1, &vaddr, sizeof(vaddr));
}

/* The switch at this instruction, or NULL. */
static const struct record_switch *switch_at(const struct qemu_plugin_insn *insn, bool on)
{
	uint64_t vaddr = qemu_plugin_insn_vaddr(insn);
	size_t bytes = qemu_plugin_insn_size(insn);
	uint8_t code[sizeof(state.page->switches[0].bytes)];
	uint32_t i;

	if (bytes > sizeof(code))
		bytes = sizeof(code);
	insn_copy(insn, code, bytes);
	for (i = 0; i < state.page->n_switches; i++) {
		const struct record_switch *s = &state.page->switches[i];

		if (s->vaddr == vaddr && s->on == on && !memcmp(s->bytes, code, bytes))
			return s;
	}
	return NULL;
}

static void on_begin(unsigned int vcpu, void *ctx)
{
	(void)vcpu;
	(void)ctx;
	if (state.on)
		return;
	state.on = true;
	if (!state.page->written) {
		state.file++;
		state.n_insns = 0;
	}
	state.page->installed = 1;
	put(RECORD_ON, 0);
}

static void on_end(unsigned int vcpu, void *ctx)
{
	(void)vcpu;
	(void)ctx;
	if (!state.on)
		return;
	state.on = false;
	put(RECORD_OFF, 0);
}

static void add_switches(struct qemu_plugin_insn *insn)
{
	if (switch_at(insn, true))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_begin,
						       QEMU_PLUGIN_CB_NO_REGS, NULL);
	if (switch_at(insn, false))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_end,
						       QEMU_PLUGIN_CB_NO_REGS, NULL);
}

static void fill(struct insn *to, const struct qemu_plugin_insn *from, size_t after)
{
	size_t bytes = qemu_plugin_insn_size(from);

	if (bytes > RECORD_INSN_BYTES)
		bytes = RECORD_INSN_BYTES;
	to->vaddr = qemu_plugin_insn_vaddr(from);
	to->after = (uint16_t)after;
	to->bytes = (uint8_t)bytes;
	insn_copy(from, to->code, bytes);
}

/*
 * The emulator does not say when it discards a translation: what its callbacks refer to
 * stays. A machine translates some 100,000 instructions, of 40 bytes here.
 */
TB_CALLBACK(record)
{
	size_t n = qemu_plugin_tb_n_insns(tb), i;
	struct insn *insns = calloc(n, sizeof(*insns));

	(void)unused;
	state.page->installed = 1;
	if (!insns) {
		state.page->overflowed = 1;
		return;
	}
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		fill(&insns[i], insn, n - 1 - i);
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_insn,
						       QEMU_PLUGIN_CB_NO_REGS, &insns[i]);
		if (state.page->memory)
			qemu_plugin_register_vcpu_mem_cb(insn, on_access,
							 QEMU_PLUGIN_CB_NO_REGS,
							 QEMU_PLUGIN_MEM_RW, NULL);
		add_switches(insn);
	}
}

static void refuse(const char *why) __attribute__((noreturn));

static void refuse(const char *why)
{
	fprintf(stderr, "wsbench's plugin: %s\n", why);
	/* The emulator only reports that a plugin failed. */
	exit(EXIT_FAILURE);
}

/* The argument: fd=N, the file. */
static struct record_page *map(int argc, char **argv)
{
	struct record_page *page;
	uint64_t bytes;
	int fd;

	if (argc != 1 || strncmp(argv[0], "fd=", 3))
		return NULL;
	fd = atoi(argv[0] + 3);
	page = mmap(NULL, RECORD_PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return NULL;
	bytes = page->magic == RECORD_MAGIC && page->version == RECORD_VERSION
			? page->room
			: 0;
	munmap(page, RECORD_PAGE_BYTES);
	if (bytes <= RECORD_PAGE_BYTES)
		return NULL;
	page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return page == MAP_FAILED ? NULL : page;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
			char **argv)
{
	if (info->version.min > QEMU_PLUGIN_API || info->version.cur < QEMU_PLUGIN_API)
		refuse("the emulator has another version of the plugin interface");
	if (!info->system_emulation)
		refuse("only system emulation is supported");
	if (info->system.max_vcpus > 1)
		refuse("only machines with one CPU are supported");
	state.id = id;
	state.page = map(argc, argv);
	if (!state.page)
		refuse("no valid fd=N");
	ON_TB(record);
	return 0;
}
