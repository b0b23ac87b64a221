/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of what an event touches: the model by hand-made references and against
 * cachegrind, the replay of recorded events, the document.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/explain/explanation.h"
#include "host/explain/record.h"
#include "host/explain/touch.h"
#include "host/lib/file.h"

static const struct touch_caches tiny = {
	{ 128, 2, 32 }, /* 2 sets of 2 ways */
	{ 128, 2, 32 },
	{ 512, 4, 32 }, /* 4 sets of 4 ways */
};

Test(touch, parses_a_cache)
{
	struct touch_cache c;
	const char *why;

	cr_assert_eq(touch_cache_parse("65536,4,64", &c, &why), 0);
	cr_expect_eq(c.bytes, 65536);
	cr_expect_eq(c.ways, 4);
	cr_expect_eq(c.line_bytes, 64);
	/* 12 ways in 64 sets: Golden Cove's L1D. */
	cr_expect_eq(touch_cache_parse("49152,12,64", &c, &why), 0);
	for (const char *const *bad =
		     (const char *const[]){ "", "1024", "1024,2", "1024,2,64,", "1k,2,64",
					    "-1024,2,64", "1024,0,64", "1024,2,48",
					    "1536,2,64", "1024,65,64", "1024,2,8",
					    "99999999999999999999,2,64", NULL };
	     *bad; bad++) {
		cr_expect_neq(touch_cache_parse(*bad, &c, &why), 0, "%s", *bad);
		cr_expect_not_null(why);
	}
}

/* Of a set of two ways, the line that was used longest ago is replaced. */
Test(touch, replaces_the_least_recently_used)
{
	struct touch_model *m = touch_model_new(&tiny, ARCH_X86_64);
	const struct touch_counts *c = touch_model_counts(m);

	touch_data(m, TOUCH_HOST, 0, 8);   /* miss: set 0 */
	touch_data(m, TOUCH_HOST, 64, 8);  /* miss: set 0 */
	touch_data(m, TOUCH_HOST, 0, 8);   /* hit */
	touch_data(m, TOUCH_HOST, 128, 8); /* miss: replaces 64 */
	touch_data(m, TOUCH_HOST, 0, 8);   /* hit */
	touch_data(m, TOUCH_HOST, 64, 8);  /* miss, but LL has the line */
	cr_expect_eq(c->l1d_misses, 4);
	cr_expect_eq(c->ll_misses, 3);
	cr_expect_eq(c->l1i_misses, 0);
	touch_fetch(m, TOUCH_HOST, 0, 4); /* another L1, the same LL */
	cr_expect_eq(c->l1i_misses, 1);
	cr_expect_eq(c->ll_misses, 3);
	touch_data(m, TOUCH_GUEST, 64, 8); /* another line with this address */
	cr_expect_eq(c->l1d_misses, 5);
	cr_expect_eq(c->ll_misses, 4);
	touch_model_free(m);
}

/* A reference over two lines is one miss, and both lines are there afterwards. */
Test(touch, straddles_two_lines)
{
	struct touch_model *m = touch_model_new(&tiny, ARCH_X86_64);
	const struct touch_counts *c = touch_model_counts(m);

	touch_data(m, TOUCH_HOST, 28, 8);
	cr_expect_eq(c->l1d_misses, 1);
	cr_expect_eq(c->ll_misses, 1);
	touch_data(m, TOUCH_HOST, 0, 8);
	touch_data(m, TOUCH_HOST, 32, 8);
	cr_expect_eq(c->l1d_misses, 1);
	touch_data(m, TOUCH_HOST, 60, 8); /* the first line hits */
	cr_expect_eq(c->l1d_misses, 2);
	touch_model_free(m);
}

Test(touch, predicts_branches)
{
	struct touch_model *m = touch_model_new(&tiny, ARCH_AARCH64);
	const struct touch_counts *c = touch_model_counts(m);

	/* A counter of two bits per history of 7: 2 to learn after each of 7 + 1. */
	for (int i = 0; i < 100; i++)
		touch_branch(m, 0x1000, true);
	cr_expect_eq(c->mispredicts, 9);
	for (int i = 0; i < 10; i++)
		touch_indirect(m, 0x2000, 0x3000);
	cr_expect_eq(c->indirect_mispredicts, 1);
	touch_indirect(m, 0x2000, 0x4000);
	/* 2^9 instructions further: the same entry. */
	touch_indirect(m, 0x2000 + 4 * 512, 0x3000);
	touch_indirect(m, 0x2000, 0x4000);
	cr_expect_eq(c->indirect_mispredicts, 4);
	touch_model_free(m);
}

/* A working set evicts lines that are older, and is evicted. */
Test(touch, runs_a_working_set)
{
	struct touch_model *m = touch_model_new(&tiny, ARCH_X86_64);
	struct touch_lines lines;

	touch_data(m, TOUCH_HOST, 0, 8);
	touch_work(m, 192); /* 3 lines of each */
	lines = touch_work_lines(m);
	cr_expect_eq(lines.l1i, 3);
	cr_expect_eq(lines.l1d, 3);
	cr_expect_eq(lines.ll, 6);
	touch_work(m, 512);
	lines = touch_work_lines(m);
	cr_expect_eq(lines.l1i, 4);
	cr_expect_eq(lines.l1d, 4);
	cr_expect_eq(lines.ll, 16);
	touch_data(m, TOUCH_HOST, 0, 8);
	lines = touch_work_lines(m);
	cr_expect_eq(lines.l1d, 3);
	cr_expect_eq(lines.ll, 15);
	touch_model_free(m);
}

/* Recorded words that grow. */
struct tape {
	uint32_t *words;
	size_t n, room;
	uint32_t n_insns;
};

static void put(struct tape *t, uint32_t word)
{
	if (t->n == t->room) {
		t->room = 2 * t->room + 4096;
		t->words = realloc(t->words, t->room * sizeof(*t->words));
		cr_assert_not_null(t->words);
	}
	t->words[t->n++] = word;
}

static void put_wide(struct tape *t, uint64_t value)
{
	put(t, (uint32_t)value);
	put(t, (uint32_t)(value >> 32));
}

static void put_insn(struct tape *t, uint64_t vaddr, const void *bytes, unsigned int n)
{
	uint32_t words[RECORD_INSN_BYTES / 4] = { 0 };

	memcpy(words, bytes, n);
	put(t, RECORD_WORD(RECORD_INSN, RECORD_INSN_VALUE(n, 0)));
	put_wide(t, vaddr);
	for (int i = 0; i < RECORD_INSN_BYTES / 4; i++)
		put(t, words[i]);
	put(t, RECORD_WORD(RECORD_EXEC, t->n_insns++));
}

static void put_access(struct tape *t, enum record_kind kind, uint64_t vaddr,
		       unsigned int bytes)
{
	unsigned int shift = 0;

	while (1u << shift < bytes)
		shift++;
	cr_assert_eq(1u << shift, bytes);
	put(t, RECORD_WORD(kind, shift));
	put_wide(t, vaddr);
}

#define KERNEL 0xffff800008000000ull
#define GUEST  0x40200000ull
#define NOP    0xd503201fu
#define LDR    0xf9400020u
#define ERET   0xd69f03e0u
#define HVC    0xd4000002u
#define BLR    0xd63f0000u
#define CBZ_8  0xb4000040u /* to .+8 */

/* An exit of four lines of code and three of data; GUEST + 16 follows it. */
static size_t put_event(struct tape *t)
{
	static const struct {
		uint64_t vaddr;
		uint32_t insn;
		uint64_t data;
	} insns[] = {
		{ GUEST, HVC, 0 },
		{ KERNEL + 0x400, NOP, 0 },
		{ KERNEL + 0x404, BLR, 0 },
		{ KERNEL + 0x2000, LDR, KERNEL + 0x10003c }, /* two lines */
		{ KERNEL + 0x2004, CBZ_8, 0 },
		{ KERNEL + 0x200c, LDR, 0x7000 },
		{ KERNEL + 0x2010, ERET, 0 },
		{ GUEST + 4, NOP, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(insns) / sizeof(insns[0]); i++) {
		put_insn(t, insns[i].vaddr, &insns[i].insn, 4);
		if (insns[i].data)
			put_access(t, RECORD_LOAD, insns[i].data, 8);
	}
	return i;
}

Test(touch, replays_the_last_event_of_a_path)
{
	static const struct image_range guest = { GUEST, GUEST + 0x1000 };
	const struct touch_caches caches = TOUCH_CACHES_DEFAULT;
	struct explanation *e = explanation_new(), *back;
	struct touch_metric list[TOUCH_METRICS_MAX];
	struct region regions[2] = { { .path = 1, .count = 8 } };
	struct tape tape = { NULL, 0, 0, 0 };
	struct error err;
	struct trace t;
	size_t steps, n;
	char *text;

	cr_expect_not(touch_is_in(e));
	put(&tape, RECORD_WORD(RECORD_ON, 0));
	steps = put_event(&tape);
	put_event(&tape);
	regions[0].end = steps;
	regions[1] = regions[0];
	regions[1].begin = steps;
	regions[1].end = 2 * steps;
	cr_assert_eq(trace_open(&t, ARCH_AARCH64, guest, tape.words, tape.n, false), 0);
	cr_assert_eq(
		touch_build(&t, &(struct regions){ regions, 2 }, &regions[0], &caches, e),
		0);
	cr_expect(touch_is_in(e));
	/* GUEST, KERNEL + 0x400, KERNEL + 0x2000 */
	cr_expect_eq(e->touch.cold.l1i_misses, 3);
	cr_expect_eq(e->touch.cold.l1d_misses, 2);
	/* A straddling access is one miss. */
	cr_expect_eq(e->touch.cold.ll_misses, 5);
	cr_expect_eq(e->touch.cold.mispredicts, 1);
	cr_expect_eq(e->touch.cold.indirect_mispredicts, 1);
	cr_expect_eq(e->touch.warm.l1i_misses, 0);
	cr_expect_eq(e->touch.warm.l1d_misses, 0);
	cr_expect_eq(e->touch.warm.ll_misses, 0);
	cr_expect_eq(e->touch.warm.indirect_mispredicts, 0);
	cr_expect_eq(e->touch.events_before, 1);
	cr_expect_eq(e->touch.branches, 1);
	cr_expect_eq(e->touch.indirect_branches, 1);
	cr_expect_eq(e->touch.exceptions, 1);
	cr_expect_eq(e->touch.exception_returns, 1);
	cr_expect_eq(e->touch.guest_entries, 1);
	cr_assert_eq(e->touch.n_pages, 3);
	cr_expect_str_eq(e->touch.pages[0].space, "guest");
	cr_expect_eq(e->touch.pages[0].code, 1);
	cr_expect_str_eq(e->touch.pages[1].space, "user");
	cr_expect_eq(e->touch.pages[1].data, 1);
	cr_expect_str_eq(e->touch.pages[2].space, "kernel");
	cr_expect_eq(e->touch.pages[2].code, 2);
	cr_expect_eq(e->touch.pages[2].data, 1);
	/* A small guest keeps its lines and those of the exit; a large one loses both. */
	cr_expect_eq(e->touch.curve[0].guest_kib, 8);
	cr_expect_eq(e->touch.curve[0].l1i_misses, 0);
	cr_expect_eq(e->touch.curve[0].ll_evicted, 0);
	n = e->touch.n_curve - 1;
	cr_expect_eq(e->touch.curve[n].guest_kib, 2048);
	cr_expect_eq(e->touch.curve[n].l1i_misses, 3);
	cr_expect_eq(e->touch.curve[n].l1d_misses, 2);
	cr_expect_eq(e->touch.curve[n].ll_misses, 5);
	/* The straddling access evicts two lines. */
	cr_expect_eq(e->touch.curve[n].l1d_evicted, 3);
	cr_expect_eq(e->touch.curve[n].ll_evicted, 6);

	e->run.id = e->run.started = "now";
	e->run.tool_version = "1";
	e->target.name = "lab:test";
	e->target.kind = "lab";
	e->machine.fingerprint = "0";
	e->machine.arch = "aarch64";
	e->benchmark = "hypercall";
	e->config = "default";
	e->unit = "insns";
	text = explanation_dump(e);
	cr_assert_eq(explanation_parse(text, strlen(text), &back, &err), 0, "%s",
		     err.text);
	cr_expect_eq(touch_metrics(back, list), touch_metrics(e, list));
	cr_expect_eq(back->touch.caches.ll.bytes, 1048576);
	cr_expect_str_eq(list[0].name, "l1i_misses");
	free(text);
	explanation_free(back);
	explanation_free(e);
	trace_close(&t);
	free(tape.words);
}

/*
 * Code for cachegrind: rows and columns of a matrix, accesses that straddle lines,
 * branches that depend on data, calls through a table. The stack is in the image, because
 * the tools of valgrind start a program with different stacks.
 */
static const char program[] =
	"typedef unsigned long u64;\n"
	"static unsigned char memory[40000];\n"
	"static u64 a(u64 x) { return x * 3; }\n"
	"static u64 b(u64 x) { return x & 1 ? x + 7 : x / 2; }\n"
	"static u64 c(u64 x) { return x % 5 > 2 ? ~x : x - 1; }\n"
	"static u64 (*volatile const calls[])(u64) = { a, b, c, b };\n"
	"static volatile u64 sink;\n"
	"void body(void)\n"
	"{\n"
	"	u64 x = 12345;\n"
	"	for (int i = 0; i < 2000; i++) {\n"
	"		x = x * 6364136223846793005ul + 1442695040888963407ul;\n"
	"		if (x >> 40 & 1)\n"
	"			*(volatile u64 *)(memory + (x >> 33) % 39000) += x;\n"
	"		else if (x >> 41 & 1)\n"
	"			sink = *(volatile u64 *)(memory + (x >> 35) % 5000);\n"
	"		sink += calls[x >> 60 & 3](x);\n"
	"	}\n"
	"	for (int i = 0; i < 200; i++)\n"
	"		for (int k = 0; k < 200; k += 3)\n"
	"			sink += *(volatile unsigned *)(memory + 190 * k + i);\n"
	"}\n"
	"__asm__(\".bss\\n.balign 64\\n.skip 4096\\ntop:\\n\"\n"
	"	\".text\\n.globl _start\\n_start: lea top(%rip), %rsp\\n\"\n"
	"	\"call body\\nmov $60, %eax\\nxor %edi, %edi\\nsyscall\\n\");\n";

/* The records of lackey's trace. */
static void read_lackey(const char *path, const struct image *image, struct tape *t)
{
	FILE *f = fopen(path, "r");
	char line[256];

	cr_assert_not_null(f);
	put(t, RECORD_WORD(RECORD_ON, 0));
	while (fgets(line, sizeof(line), f)) {
		unsigned long long vaddr;
		uint8_t code[RECORD_INSN_BYTES];
		unsigned int bytes;
		char kind;

		if (sscanf(line, " %c %llx,%u", &kind, &vaddr, &bytes) != 3)
			continue;
		if (kind == 'I') {
			cr_assert_eq(image_read(image, vaddr, code, bytes), 0);
			put_insn(t, vaddr, code, bytes);
		}
		if (kind == 'L' || kind == 'M')
			put_access(t, RECORD_LOAD, vaddr, bytes);
		if (kind == 'S' || kind == 'M')
			put_access(t, RECORD_STORE, vaddr, bytes);
	}
	fclose(f);
}

static void command(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void command(const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	cr_assert_eq(system(text), 0, "%s", text);
}

/* The sums of cachegrind's events: Ir I1mr ILmr Dr D1mr DLmr Dw D1mw DLmw Bc Bcm Bi Bim
 */
static void read_cachegrind(const char *path, unsigned long long sums[13])
{
	FILE *f = fopen(path, "r");
	char line[512];
	bool found = false;

	cr_assert_not_null(f);
	while (fgets(line, sizeof(line), f)) {
		char *at = line + strlen("summary:");

		if (!strncmp(line, "events:", 7))
			cr_assert_str_eq(line, "events: Ir I1mr ILmr Dr D1mr DLmr Dw "
					       "D1mw DLmw Bc Bcm Bi Bim\n");
		if (strncmp(line, "summary:", 8) != 0)
			continue;
		for (int i = 0; i < 13; i++)
			sums[i] = strtoull(at, &at, 10);
		found = true;
	}
	cr_assert(found);
	fclose(f);
}

static void compare(const struct trace *t, const char *dir, const char *i1,
		    const char *d1, const char *ll)
{
	struct trace_cursor c = { 0 };
	struct touch_caches caches;
	unsigned long long sums[13], insns = 0, branches = 0, indirect = 0;
	const struct touch_counts *counts;
	struct touch_model *m;
	struct trace_step s;
	const char *why;
	char path[256];

	command("cd %s && valgrind -q --tool=cachegrind --cache-sim=yes --branch-sim=yes --I1=%s --D1=%s --LL=%s --cachegrind-out-file=out ./program 2>/dev/null",
		dir, i1, d1, ll);
	snprintf(path, sizeof(path), "%s/out", dir);
	read_cachegrind(path, sums);
	cr_assert_eq(touch_cache_parse(i1, &caches.i1, &why), 0);
	cr_assert_eq(touch_cache_parse(d1, &caches.d1, &why), 0);
	cr_assert_eq(touch_cache_parse(ll, &caches.ll, &why), 0);
	m = touch_model_new(&caches, ARCH_X86_64);
	counts = touch_model_counts(m);
	while (trace_next(t, &c, &s)) {
		const struct decode *d = &s.insn->decode;

		touch_step(m, t, &s);
		insns++;
		branches += d->flow == FLOW_BRANCH;
		indirect += (d->flow == FLOW_JUMP || d->flow == FLOW_CALL) && !d->target;
	}
	cr_expect_eq(insns, sums[0]);
	cr_expect_eq(counts->l1i_misses, sums[1]);
	cr_expect_eq(counts->l1d_misses, sums[4] + sums[7]);
	cr_expect_eq(counts->ll_misses, sums[2] + sums[5] + sums[8], "%lld %llu",
		     (long long)counts->ll_misses, sums[2] + sums[5] + sums[8]);
	cr_expect_eq(branches, sums[9]);
	cr_expect_eq(counts->mispredicts, sums[10]);
	cr_expect_eq(indirect, sums[11]);
	cr_expect_eq(counts->indirect_mispredicts, sums[12]);
	/* The program is worth the comparison. */
	cr_expect_gt(sums[4] + sums[7], 100);
	cr_expect_gt(sums[10], 100);
	cr_expect_gt(sums[12], 100);
	touch_model_free(m);
}

/* A program's trace, replayed: exactly the counts of cachegrind. */
Test(touch, counts_as_cachegrind_does)
{
	const char *tmp = getenv("TMPDIR");
	struct tape tape = { NULL, 0, 0, 0 };
	struct utsname machine;
	struct image image;
	struct trace t;
	char dir[128], path[160], *elf;
	long bytes;
	FILE *f;

	uname(&machine);
	if (strcmp(machine.machine, "x86_64") != 0)
		cr_skip_test("the program is for x86_64");
	if (system("command -v valgrind cc >/dev/null") != 0)
		cr_skip_test("no valgrind, or no cc");
	snprintf(dir, sizeof(dir), "%s/touch-XXXXXX", tmp ? tmp : "/tmp");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/program.c", dir);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	fputs(program, f);
	fclose(f);
	command("cd %s && cc -O1 -w -static -nostdlib -no-pie -fno-stack-protector -ffreestanding -fcf-protection=none program.c -o program",
		dir);
	command("cd %s && valgrind --tool=lackey --trace-mem=yes --log-file=trace ./program",
		dir);
	snprintf(path, sizeof(path), "%s/program", dir);
	bytes = file_read(path, 1 << 20, &elf);
	cr_assert_gt(bytes, 0);
	cr_assert_eq(image_open(&image, elf, (size_t)bytes), 0);
	snprintf(path, sizeof(path), "%s/trace", dir);
	read_lackey(path, &image, &tape);
	cr_assert_eq(trace_open(&t, ARCH_X86_64, (struct image_range){ 0, 0 }, tape.words,
				tape.n, false),
		     0);
	compare(&t, dir, "512,2,32", "1024,2,32", "4096,4,32");
	compare(&t, dir, "1024,1,64", "2048,4,64", "16384,8,64");
	compare(&t, dir, "32768,8,64", "32768,8,64", "1048576,16,64");
	trace_close(&t);
	free(tape.words);
	free(elf);
	command("rm -r %s", dir);
}
