/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of the records: created, and parsed into instructions and steps. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/explain/trace.h"

/* ------------------------------ the file ------------------------------ */

/* Built for some versions of QEMU's plugin interface: PLUGIN_APIS of the Makefile. */
#define PLUGIN_NAME "libwsbench-trace-qemu%u.so"

/* Whether the plugin is in `dir`; sets c->plugin. */
static bool is_at(struct capture *c, const char *dir, const char *below, unsigned int api)
{
	int n = snprintf(c->plugin, sizeof(c->plugin), "%s%s/" PLUGIN_NAME, dir, below,
			 api);

	return n > 0 && (size_t)n < sizeof(c->plugin) && !access(c->plugin, R_OK);
}

static int find_plugin(struct capture *c, unsigned int api, struct error *err)
{
	const char *env = getenv("WORLDSWITCH_LIBEXEC");
	char dir[PATH_MAX], *slash;
	ssize_t n;

	if (env && *env) {
		if (is_at(c, env, "", api))
			return 0;
		return error_set(err, -ENOENT,
				 "no " PLUGIN_NAME " in WORLDSWITCH_LIBEXEC=%s", api,
				 env);
	}
	n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	dir[n > 0 ? n : 0] = '\0';
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	if (is_at(c, dir, "", api) || is_at(c, dir, "/../libexec/worldswitch", api))
		return 0;
	return error_set(err, -ENOENT,
			 "the emulator's plugin is not built: no %s/" PLUGIN_NAME, dir,
			 api);
}

int capture_open(struct capture *c, uint64_t bytes, bool memory, unsigned int plugin_api,
		 struct error *err)
{
	int ret;

	memset(c, 0, sizeof(*c));
	c->fd = -1;
	ret = plugin_api ? find_plugin(c, plugin_api, err) : 0;
	if (ret)
		return ret;
	c->fd = memfd_create("worldswitch-trace", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	/* An emulator that truncates the file would end this process by SIGBUS. */
	if (c->fd < 0 || ftruncate(c->fd, (off_t)bytes) ||
	    fcntl(c->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
		return error_set(err, -errno, "cannot make a file for the trace: %s",
				 strerror(errno));
	c->page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
		       c->fd, 0);
	if (c->page == MAP_FAILED) {
		c->page = NULL;
		return error_set(err, -errno, "cannot map the trace: %s",
				 strerror(errno));
	}
	c->bytes = bytes;
	c->page->magic = RECORD_MAGIC;
	c->page->version = RECORD_VERSION;
	c->page->memory = memory;
	c->page->room = bytes;
	return 0;
}

void capture_close(struct capture *c)
{
	if (c->page)
		munmap(c->page, c->bytes);
	if (c->fd >= 0)
		close(c->fd);
	c->page = NULL;
	c->fd = -1;
}

int capture_switch(struct capture *c, const struct image *image, uint64_t vaddr, bool on)
{
	struct record_page *page = c->page;
	struct record_switch *s = &page->switches[page->n_switches];

	if (page->n_switches == RECORD_SWITCHES_MAX)
		return -ENOSPC;
	s->vaddr = vaddr;
	s->on = on;
	if (image_read(image, vaddr, s->bytes, sizeof(s->bytes)))
		return -EFAULT;
	page->n_switches++;
	return 0;
}

const uint32_t *capture_records(const struct capture *c, size_t *n)
{
	uint64_t written = c->page->written, most = c->bytes - RECORD_PAGE_BYTES;

	/* The emulator writes the page, and is not trusted. */
	*n = (written < most ? written : most) / sizeof(uint32_t);
	return (const uint32_t *)(const void *)((const char *)c->page +
						RECORD_PAGE_BYTES);
}

/* ------------------------------ instructions ------------------------------ */

void decode_insn(enum arch arch, const uint8_t *insn, size_t bytes, uint64_t vaddr,
		 struct decode *d)
{
	if (arch == ARCH_X86_64)
		decode_x86_64(insn, bytes, vaddr, d);
	else
		decode_aarch64(insn, bytes, vaddr, d);
}

const char *decode_register(enum arch arch, uint32_t reg,
			    char text[DECODE_REGISTER_BYTES])
{
	return arch == ARCH_AARCH64 ? decode_register_aarch64(reg, text)
				    : decode_register_x86_64(reg);
}

/* ------------------------------ steps ------------------------------ */

static uint64_t wide(const uint32_t *words)
{
	return words[0] | (uint64_t)words[1] << 32;
}

/* The words of a record, by kind; 0: no such kind. */
static const uint8_t sizes[16] = {
	[RECORD_EXEC] = 1,  [RECORD_INSN] = RECORD_INSN_WORDS,
	[RECORD_ON] = 1,    [RECORD_LOAD] = RECORD_ACCESS_WORDS,
	[RECORD_OFF] = 1,   [RECORD_STORE] = RECORD_ACCESS_WORDS,
	[RECORD_COUNT] = 1,
};

/* Of a record that check() has seen. */
static size_t record_words(const struct trace *t, size_t at)
{
	return sizes[RECORD_KIND(t->words[at])];
}

static enum record_kind kind_at(const struct trace *t, size_t at)
{
	return (enum record_kind)RECORD_KIND(t->words[at]);
}

/* Validates the records, and counts their instructions. */
static int check(struct trace *t)
{
	size_t at, words;

	for (at = 0; at < t->n_words; at += words) {
		uint32_t word = t->words[at];

		words = record_words(t, at);
		if (!words || words > t->n_words - at ||
		    (RECORD_KIND(word) == RECORD_EXEC &&
		     RECORD_VALUE(word) >= t->n_insns))
			return -EBADMSG;
		if (RECORD_KIND(word) == RECORD_INSN) {
			if (RECORD_INSN_LENGTH(word) > RECORD_INSN_BYTES)
				return -EBADMSG;
			t->n_insns++;
		}
	}
	return 0;
}

static enum trace_space space_of(uint64_t vaddr, struct image_range guest)
{
	if (vaddr >= guest.begin && vaddr < guest.end)
		return SPACE_GUEST;
	return vaddr >> 63 ? SPACE_KERNEL : SPACE_USER;
}

static void describe(struct trace *t, struct image_range guest)
{
	struct trace_insn *insn = t->insns;
	size_t at;

	for (at = 0; at < t->n_words; at += record_words(t, at)) {
		const uint32_t *p = t->words + at;

		if (RECORD_KIND(*p) != RECORD_INSN)
			continue;
		insn->vaddr = wide(p + 1);
		insn->bytes = RECORD_INSN_LENGTH(RECORD_VALUE(*p));
		insn->after = RECORD_INSN_AFTER(RECORD_VALUE(*p));
		insn->space = space_of(insn->vaddr, guest);
		insn->code = (const uint8_t *)(p + 3);
		decode_insn(t->arch, insn->code, insn->bytes, insn->vaddr, &insn->decode);
		insn++;
	}
}

static bool is_entry(const struct trace *t, uint64_t vaddr)
{
	size_t i;

	for (i = 0; i < t->n_entries; i++)
		if (t->entries[i] == vaddr)
			return true;
	return false;
}

static bool is_behind(const struct trace_insn *i, const struct trace_insn *next)
{
	return next->vaddr == i->vaddr + i->bytes;
}

/*
 * Whether `next` is not a successor of `i`. A repeated string instruction is its own
 * successor. Indirect jumps can have any target: only known exception entries are not
 * successors.
 */
static bool is_elsewhere(const struct trace *t, const struct trace_insn *i,
			 const struct trace_insn *next)
{
	switch (i->decode.flow) {
	case FLOW_NEXT:
		return !is_behind(i, next) && next->vaddr != i->vaddr;
	case FLOW_BRANCH:
		return !is_behind(i, next) && next->vaddr != i->decode.target;
	case FLOW_JUMP:
	case FLOW_CALL:
		if (i->decode.target)
			return next->vaddr != i->decode.target;
		return is_entry(t, next->vaddr);
	case FLOW_RETURN:
	case FLOW_ERET:
		return is_entry(t, next->vaddr);
	case FLOW_TRAP:
	case FLOW_ENTER_GUEST:
		break;
	}
	return false;
}

/* VBAR_ELx holds four groups of four vectors, the first of each synchronous (D1.13). */
static bool is_fault_aarch64(const struct trace_insn *next)
{
	return !(next->vaddr & 0x180);
}

/*
 * The emulator takes interrupts between translation blocks. At the end of a block, an
 * instruction that accessed memory is complete; of the others, only instructions that
 * end a block can fault.
 */
static bool is_fault_x86_64(const struct trace_insn *i, bool accessed)
{
	if (i->decode.flow != FLOW_NEXT)
		return false;
	return i->after || (!accessed && (i->decode.ends || i->decode.memory));
}

static enum trace_leave leave_of(const struct trace *t, const struct trace_step *s)
{
	bool fault;

	if (!s->next)
		return LEAVE_END;
	if (!is_elsewhere(t, s->insn, s->next))
		return LEAVE_DONE;
	if (t->arch == ARCH_AARCH64)
		fault = is_fault_aarch64(s->next);
	else
		fault = is_fault_x86_64(s->insn, s->first_access < s->end);
	return fault ? LEAVE_FAULT : LEAVE_INTERRUPT;
}

/*
 * Unless the emulator says it: an instruction that faults is not counted. A trapped
 * access to a system register on arm64: the emulator has counted the whole translation
 * block, and counts the instructions after the access again.
 */
static unsigned int count_of(const struct trace *t, const struct trace_step *s, size_t at)
{
	const struct decode *d = &s->insn->decode;

	/* The records between the instruction and the next one begin at `at`. */
	for (; t->counts && at < s->end; at += record_words(t, at))
		if (kind_at(t, at) == RECORD_COUNT)
			return RECORD_VALUE(t->words[at]);
	if (t->counts || s->leave != LEAVE_FAULT)
		return 1;
	if (t->arch == ARCH_X86_64)
		return 0;
	if (d->memory)
		return 0;
	return d->system ? 1u + s->insn->after : 1;
}

/*
 * Advances `at` to the next EXEC, ON or OFF. Returns the index of the instruction, or
 * -1.
 */
static long seek(const struct trace *t, size_t *at, size_t *first_access)
{
	*first_access = t->n_words;
	for (; *at < t->n_words; *at += record_words(t, *at)) {
		enum record_kind kind = kind_at(t, *at);

		if ((kind == RECORD_LOAD || kind == RECORD_STORE) && *at < *first_access)
			*first_access = *at;
		if (kind == RECORD_EXEC)
			return (long)RECORD_VALUE(t->words[*at]);
		if (kind == RECORD_ON || kind == RECORD_OFF)
			return -1;
	}
	return -1;
}

/* The next instruction from `*at` on; NULL: none before the recording ends. */
static const struct trace_insn *peek(const struct trace *t, size_t *at)
{
	size_t unused;
	long next = seek(t, at, &unused);

	*at += next >= 0;
	return next < 0 ? NULL : &t->insns[next];
}

static bool is_entry_to_guest(const struct trace_insn *insn)
{
	return insn->decode.flow == FLOW_ENTER_GUEST;
}

static bool is_in_below(const struct trace *t, uint64_t vaddr)
{
	for (size_t i = 0; i < t->n_below; i++)
		if (t->below[i] == vaddr)
			return true;
	return false;
}

/* Each address once. 0 or -E2BIG. */
static int add_below(struct trace *t, uint64_t vaddr)
{
	if (is_in_below(t, vaddr))
		return 0;
	if (t->n_below == TRACE_BELOW_MAX)
		return -E2BIG;
	t->below[t->n_below++] = vaddr;
	return 0;
}

/* Whether a kernel, of L0 or of L1, continues with `next` after an exit. */
static bool is_after_exit(const struct trace *t, const struct trace_insn *next)
{
	return is_in_below(t, next->vaddr);
}

/*
 * From behind a VMRUN of L0 on: L0, if an interrupt was pending, or L1, whose VMRUN is at
 * the same address. L0 intercepts the next instruction of SVM if it is L1's, unless an
 * exit was before it.
 */
static bool continues_in_l0(const struct trace *t, size_t at)
{
	const struct trace_insn *insn = peek(t, &at), *next;

	for (; insn; insn = next) {
		next = peek(t, &at);
		if (next && is_after_exit(t, next))
			return false;
		if (insn->decode.kind == KIND_VM)
			return true;
	}
	return false;
}

/* Whether L0 executes `next`, whose record is before `at`. */
static bool is_next_below(const struct trace *t, bool below,
			  const struct trace_insn *insn, const struct trace_insn *next,
			  size_t at)
{
	if (!below)
		return is_after_exit(t, next);
	return !is_entry_to_guest(insn) ||
	       (is_after_exit(t, next) && continues_in_l0(t, at));
}

bool trace_next(const struct trace *t, struct trace_cursor *c, struct trace_step *s)
{
	size_t unused, at;
	long insn, next;

	s->begins = !c->resumed;
	c->resumed = true;
	while ((insn = seek(t, &c->at, &unused)) < 0) {
		if (c->at >= t->n_words)
			return false;
		s->begins = true;
		c->at++;
	}
	/* What begins a recording is of L1 or L2. */
	c->below &= !s->begins;
	s->insn = &t->insns[insn + (c->below ? (long)t->guests : 0)];
	at = c->at + 1;
	next = seek(t, &at, &s->first_access);
	s->next = next < 0 ? NULL : &t->insns[next];
	if (t->guests && s->next)
		c->below = is_next_below(t, c->below, s->insn, s->next, at + 1);
	if (c->below && s->next)
		s->next += t->guests;
	s->end = at;
	if (s->first_access > at)
		s->first_access = at;
	s->leave = leave_of(t, s);
	s->count = count_of(t, s, c->at + 1);
	c->at = at;
	return true;
}

bool trace_access(const struct trace *t, const struct trace_step *s, size_t *at,
		  struct trace_access *a)
{
	for (; *at < s->end; *at += record_words(t, *at)) {
		enum record_kind kind = kind_at(t, *at);

		if (kind != RECORD_LOAD && kind != RECORD_STORE)
			continue;
		a->vaddr = wide(t->words + *at + 1);
		a->bytes = 1u << (RECORD_VALUE(t->words[*at]) & 15);
		a->store = kind == RECORD_STORE;
		*at += RECORD_ACCESS_WORDS;
		return true;
	}
	return false;
}

/* An entry: of an exception, or of EL2. */
static void learn(struct trace *t, const struct trace_insn *i,
		  const struct trace_insn *next)
{
	const bool direct = i->decode.flow == FLOW_NEXT || i->decode.flow == FLOW_BRANCH;

	if (direct && next->space != SPACE_GUEST && is_elsewhere(t, i, next) &&
	    t->n_entries < TRACE_ENTRIES_MAX && !is_entry(t, next->vaddr))
		t->entries[t->n_entries++] = next->vaddr;
	if (i->decode.flow == FLOW_TRAP && next->space == SPACE_USER &&
	    i->space == SPACE_KERNEL)
		t->hyp_top = next->vaddr >> 32;
}

/*
 * Learns from the run: the addresses of exception entries, and the address range of
 * EL2, which HVC of the kernel enters.
 */
static void look_around(struct trace *t)
{
	const struct trace_insn *before = NULL;

	for (size_t at = 0; at < t->n_words; at += record_words(t, at)) {
		const enum record_kind kind = kind_at(t, at);
		const struct trace_insn *insn;

		if (kind == RECORD_ON || kind == RECORD_OFF)
			before = NULL;
		if (kind != RECORD_EXEC)
			continue;
		insn = &t->insns[RECORD_VALUE(t->words[at])];
		if (before)
			learn(t, before, insn);
		before = insn;
	}
	for (size_t i = 0; t->hyp_top && i < t->n_insns; i++)
		if (t->insns[i].vaddr >> 32 == t->hyp_top)
			t->insns[i].space = SPACE_HYP;
}

int trace_open(struct trace *t, enum arch arch, struct image_range guest,
	       const uint32_t *words, size_t n, bool counts)
{
	int err;

	memset(t, 0, sizeof(*t));
	t->arch = arch;
	t->words = words;
	t->n_words = n;
	t->counts = counts;
	err = check(t);
	if (err)
		return err;
	t->insns = calloc(t->n_insns + 1, sizeof(*t->insns));
	if (!t->insns)
		return -ENOMEM;
	describe(t, guest);
	look_around(t);
	return 0;
}

static bool is_eret_to_guest(const struct trace_step *s)
{
	return s->insn->space == SPACE_L0 && s->insn->decode.flow == FLOW_ERET &&
	       s->next &&
	       (s->next->space == SPACE_KERNEL || s->next->space == SPACE_GUEST);
}

int trace_below(struct trace *t, struct image_range kernel)
{
	struct trace_cursor c = { 0 };
	struct trace_step s;
	bool in_vmm = false;
	int err = 0;

	for (size_t i = 0; i < t->n_insns; i++)
		if (t->insns[i].vaddr >= kernel.begin && t->insns[i].vaddr < kernel.end)
			t->insns[i].space = SPACE_L0;
	while (!err && trace_next(t, &c, &s))
		if (is_eret_to_guest(&s))
			err = add_below(t, s.insn->vaddr);
	if (err)
		return err;
	/* The emulator translates the code of each VMM for itself: they share no INSN. */
	c = (struct trace_cursor){ 0 };
	while (trace_next(t, &c, &s)) {
		if (in_vmm && s.insn->space == SPACE_USER)
			t->insns[s.insn - t->insns].space = SPACE_L0;
		in_vmm = s.next && s.next->space == SPACE_USER &&
			 s.insn->space == SPACE_L0 &&
			 (!(s.insn->vaddr >> 63) || (s.insn->decode.flow == FLOW_ERET &&
						     !is_in_below(t, s.insn->vaddr)));
	}
	return 0;
}

int trace_below_x86(struct trace *t, const uint64_t *exits, size_t n)
{
	struct trace_insn *both;
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = add_below(t, exits[i]);
	for (size_t i = 0; i < t->n_insns && !err; i++) {
		const struct trace_insn *insn = &t->insns[i];

		if (is_entry_to_guest(insn) && insn->space == SPACE_KERNEL)
			err = add_below(t, insn->vaddr + insn->bytes);
	}
	if (err)
		return err;
	both = calloc(2 * t->n_insns + 1, sizeof(*both));
	if (!both)
		return -ENOMEM;
	memcpy(both, t->insns, t->n_insns * sizeof(*both));
	memcpy(both + t->n_insns, t->insns, t->n_insns * sizeof(*both));
	for (size_t i = 0; i < t->n_insns; i++)
		both[t->n_insns + i].space = SPACE_L0;
	free(t->insns);
	t->insns = both;
	t->guests = t->n_insns;
	t->n_insns *= 2;
	return 0;
}

void trace_close(struct trace *t)
{
	free(t->insns);
	memset(t, 0, sizeof(*t));
}
