/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The emulator's plugin behind `wsbench explain`: records every instruction that the
 * machine executes between two switches, which are instructions.
 * While nothing is recorded, the overhead must be small: before the first switch,
 * translated code has callbacks only at switches. At a switch all translations are
 * discarded, and new translations record, or do not.
 *
 * The file is the only state outside of the emulator: in a fork of it, another file with
 * switches of its own is mapped in place of this one (host/targets/lab/qemu/). Code that
 * was translated before has the switches of the first file.
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
	uint32_t n_insns; /* described instructions */
	bool wanted;	  /* recording, according to the last switch */
	bool installed;	  /* recording, according to the current translations */
} state;

/*
 * The callbacks of version 7 have a context in place of the plugin's id, which is in
 * `state` in any case.
 */
#if QEMU_PLUGIN_API >= 7
#define TB_CALLBACK(name)    static void name(struct qemu_plugin_tb *tb, void *unused)
#define RESET_CALLBACK(name) static void name(void *unused)
#define ON_RESET(callback)   qemu_plugin_reset(state.id, callback, NULL)
#define ON_TB(callback)	     qemu_plugin_register_vcpu_tb_trans_cb(state.id, callback, NULL)
#else
#define TB_CALLBACK(name)                                                                \
	static void name(qemu_plugin_id_t unused, struct qemu_plugin_tb *tb)
#define RESET_CALLBACK(name) static void name(qemu_plugin_id_t unused)
#define ON_RESET(callback)   qemu_plugin_reset(state.id, callback)
#define ON_TB(callback)	     qemu_plugin_register_vcpu_tb_trans_cb(state.id, callback)
#endif

RESET_CALLBACK(install);

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

static void on_insn(unsigned int vcpu, void *ctx)
{
	(void)vcpu;
	if (state.wanted)
		put(RECORD_EXEC, (uint32_t)(uintptr_t)ctx);
}

static void on_access(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t vaddr,
		      void *ctx)
{
	uint32_t *at = state.wanted ? room(RECORD_ACCESS_WORDS) : NULL;

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

/*
 * The emulator discards the translations later, mostly at the end of the translation
 * block; until then the old ones run.
 */
static void on_begin(unsigned int vcpu, void *ctx)
{
	(void)vcpu;
	(void)ctx;
	if (state.wanted)
		return;
	state.wanted = true;
	if (state.installed)
		put(RECORD_ON, 0);
	else
		ON_RESET(install);
}

static void on_end(unsigned int vcpu, void *ctx)
{
	(void)vcpu;
	(void)ctx;
	if (!state.wanted)
		return;
	state.wanted = false;
	put(RECORD_OFF, 0);
	ON_RESET(install);
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

TB_CALLBACK(watch)
{
	size_t n = qemu_plugin_tb_n_insns(tb), i;

	(void)unused;
	state.page->installed = 1;
	for (i = 0; i < n; i++)
		add_switches(qemu_plugin_tb_get_insn(tb, i));
}

/* Records the instruction and assigns its index. */
static void describe(const struct qemu_plugin_insn *insn, size_t after)
{
	uint32_t *at = room(RECORD_INSN_WORDS);
	uint64_t vaddr = qemu_plugin_insn_vaddr(insn);
	size_t bytes = qemu_plugin_insn_size(insn);

	if (!at)
		return;
	if (bytes > RECORD_INSN_BYTES)
		bytes = RECORD_INSN_BYTES;
	at[0] = RECORD_WORD(RECORD_INSN, RECORD_INSN_VALUE(bytes, after));
	memcpy(at + 1, &vaddr, sizeof(vaddr));
	memset(at + 3, 0, RECORD_INSN_BYTES);
	insn_copy(insn, at + 3, bytes);
}

TB_CALLBACK(record)
{
	size_t n = qemu_plugin_tb_n_insns(tb), i;

	(void)unused;
	state.page->installed = 1;
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		void *number = (void *)(uintptr_t)state.n_insns++;

		describe(insn, n - 1 - i);
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_insn,
						       QEMU_PLUGIN_CB_NO_REGS, number);
		if (state.page->memory)
			qemu_plugin_register_vcpu_mem_cb(insn, on_access,
							 QEMU_PLUGIN_CB_NO_REGS,
							 QEMU_PLUGIN_MEM_RW, NULL);
		add_switches(insn);
	}
}

RESET_CALLBACK(install)
{
	(void)unused;
	if (state.wanted && !state.installed)
		put(RECORD_ON, 0);
	state.installed = state.wanted;
	ON_TB(state.wanted ? record : watch);
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
	ON_TB(watch);
	return 0;
}
