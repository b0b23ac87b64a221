/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of records, steps, stacks and regions, on programs of a few instructions. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/mark.h"
#include "host/explain/explain.h"
#include "host/explain/profile.h"
#include "host/explain/record.h"
#include "host/explain/trace.h"
#include "host/explain/symbols.h"
#include "host/targets/rows.h"
#include "host/targets/target.h"

#define KERNEL	0xffff800008000000ull
#define VECTORS 0xffff800008010800ull
#define GUEST	0x40200000ull

#define NOP	0xd503201fu
#define LDR	0xf9400020u
#define BL_40	0x94000010u /* bl .+0x40 */
#define RET	0xd65f03c0u
#define B_8	0x14000002u
#define HVC	0xd4000002u
#define ERET	0xd69f03e0u
#define MRS_PMC 0xd53b9d00u

static const struct image_range guest_range = { GUEST, GUEST + 0x10000 };

struct tape {
	uint32_t words[4096];
	size_t n;
	uint32_t n_insns;
};

static void put(struct tape *t, uint32_t word)
{
	cr_assert_lt(t->n, sizeof(t->words) / sizeof(t->words[0]));
	t->words[t->n++] = word;
}

static void put_wide(struct tape *t, uint64_t value)
{
	put(t, (uint32_t)value);
	put(t, (uint32_t)(value >> 32));
}

/* Describes and executes an instruction; `after` instructions follow in its block. */
static void run_after(struct tape *t, uint64_t vaddr, uint32_t insn, unsigned int after)
{
	put(t, RECORD_WORD(RECORD_INSN, RECORD_INSN_VALUE(4, after)));
	put_wide(t, vaddr);
	put(t, insn);
	put(t, 0);
	put(t, 0);
	put(t, 0);
	put(t, RECORD_WORD(RECORD_EXEC, t->n_insns++));
}

static void run(struct tape *t, uint64_t vaddr, uint32_t insn)
{
	run_after(t, vaddr, insn, 0);
}

static void access_memory(struct tape *t, enum record_kind kind, uint64_t vaddr)
{
	put(t, RECORD_WORD(kind, 3));
	put_wide(t, vaddr);
}

/* All steps of a tape. */
static size_t steps_of(struct trace *t, const struct tape *tape, struct trace_step *steps,
		       size_t most)
{
	struct trace_cursor c = { 0 };
	size_t n = 0;

	cr_assert_eq(
		trace_open(t, ARCH_AARCH64, guest_range, tape->words, tape->n, false), 0);
	while (n < most && trace_next(t, &c, &steps[n]))
		n++;
	return n;
}

/* A faulting instruction does not count; interrupted and trapping instructions do. */
Test(trace, counts_as_the_emulator_does)
{
	struct tape tape = { .n = 0 };
	struct trace_step s[16];
	struct trace t;
	size_t n;

	put(&tape, RECORD_WORD(RECORD_ON, 0));
	run_after(&tape, GUEST, LDR, 3);
	run(&tape, VECTORS + 0x400, NOP); /* synchronous, from a lower level */
	run(&tape, VECTORS + 0x404, ERET);
	run(&tape, GUEST + 4, NOP);
	run(&tape, VECTORS + 0x480, NOP); /* an interrupt */
	run(&tape, VECTORS + 0x484, ERET);
	run_after(&tape, GUEST + 8, MRS_PMC, 2);
	run(&tape, VECTORS + 0x400, NOP);
	run(&tape, VECTORS + 0x404, ERET);
	run(&tape, GUEST + 12, HVC);
	run(&tape, VECTORS + 0x400, NOP);
	n = steps_of(&t, &tape, s, 16);
	cr_assert_eq(n, 11);
	cr_expect_eq(s[0].leave, LEAVE_FAULT);
	cr_expect_eq(s[0].count, 0);
	cr_expect_eq(s[0].insn->space, SPACE_GUEST);
	cr_expect(s[0].begins);
	cr_expect_eq(s[1].insn->space, SPACE_KERNEL);
	cr_expect_eq(s[3].leave, LEAVE_INTERRUPT);
	cr_expect_eq(s[3].count, 1);
	cr_expect_eq(s[6].leave, LEAVE_FAULT);
	cr_expect_eq(s[6].count, 3);
	cr_expect_eq(s[9].leave, LEAVE_DONE);
	cr_expect_eq(s[9].count, 1);
	cr_expect_eq(s[10].leave, LEAVE_END);
	trace_close(&t);
}

/* An emulator that says what it counted is believed: a fault, iterations, an exit. */
Test(trace, counts_what_the_emulator_says)
{
	struct tape tape = { .n = 0 };
	struct trace_step s[8];
	struct trace_cursor c = { 0 };
	struct trace t;
	size_t n = 0;

	put(&tape, RECORD_WORD(RECORD_ON, 0));
	run(&tape, GUEST, LDR);
	run(&tape, VECTORS + 0x400, NOP); /* the load has faulted */
	access_memory(&tape, RECORD_LOAD, 0x1000);
	put(&tape, RECORD_WORD(RECORD_COUNT, 5));
	run(&tape, VECTORS + 0x404, ERET);
	put(&tape, RECORD_WORD(RECORD_COUNT, 2));
	run(&tape, GUEST, LDR);
	put(&tape, RECORD_WORD(RECORD_OFF, 0));
	cr_assert_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape.words, tape.n, true),
		     0);
	while (n < 8 && trace_next(&t, &c, &s[n]))
		n++;
	cr_assert_eq(n, 4);
	cr_expect_eq(s[0].leave, LEAVE_FAULT);
	cr_expect_eq(s[0].count, 1);
	cr_expect_eq(s[1].count, 5);
	cr_expect_eq(s[2].count, 2);
	cr_expect_eq(s[3].count, 1);
	trace_close(&t);
}

Test(trace, finds_accesses)
{
	struct tape tape = { .n = 0 };
	struct trace_access a;
	struct trace_step s[4];
	struct trace t;
	size_t at;

	put(&tape, RECORD_WORD(RECORD_ON, 0));
	run(&tape, KERNEL, LDR);
	access_memory(&tape, RECORD_LOAD, 0x1000);
	access_memory(&tape, RECORD_STORE, 0x2000);
	run(&tape, KERNEL + 4, NOP);
	put(&tape, RECORD_WORD(RECORD_OFF, 0));
	cr_assert_eq(steps_of(&t, &tape, s, 4), 2);
	at = s[0].first_access;
	cr_assert(trace_access(&t, &s[0], &at, &a));
	cr_expect(a.vaddr == 0x1000 && a.bytes == 8 && !a.store);
	cr_assert(trace_access(&t, &s[0], &at, &a));
	cr_expect(a.vaddr == 0x2000 && a.store);
	cr_expect_not(trace_access(&t, &s[0], &at, &a));
	at = s[1].first_access;
	cr_expect_not(trace_access(&t, &s[1], &at, &a));
	trace_close(&t);
}

/* Truncated and invalid records are refused. */
Test(trace, refuses_damage)
{
	struct tape tape = { .n = 0 };
	struct trace t;
	size_t n;

	put(&tape, RECORD_WORD(RECORD_ON, 0));
	run(&tape, KERNEL, LDR);
	access_memory(&tape, RECORD_LOAD, 0x1000);
	for (n = 0; n < tape.n; n++) {
		int err = trace_open(&t, ARCH_AARCH64, guest_range, tape.words, n, false);
		bool whole = n <= 1 || n == 1 + RECORD_INSN_WORDS ||
			     n == 2 + RECORD_INSN_WORDS;

		cr_expect_eq(err, whole ? 0 : -EBADMSG, "%zu words: %d", n, err);
		trace_close(&t);
	}
	tape.words[1 + RECORD_INSN_WORDS] = RECORD_WORD(RECORD_EXEC, 7);
	cr_expect_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape.words, tape.n, false),
		     -EBADMSG);
	trace_close(&t);
	tape.words[0] = RECORD_WORD(15, 0);
	cr_expect_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape.words, tape.n, false),
		     -EBADMSG);
	trace_close(&t);
}

/* Functions by the page of their code, for walks. */
static uint32_t function_of(const struct trace_insn *insn)
{
	return (uint32_t)(insn->vaddr >> 8 & 0xffff) + 1;
}

/* "100>110>..." for each step: the stack as page numbers of its functions. */
static void walk_all(struct trace *t, char lines[][80])
{
	struct trace_cursor c = { 0 };
	struct walk w = { .switcher = 0 };
	struct trace_step s;
	size_t n = 0;

	while (trace_next(t, &c, &s)) {
		struct walk_stack *k = walk_enter(&w, &s, function_of(s.insn));
		char *line = lines[n++];

		line[0] = '\0';
		for (unsigned int i = 0; i < k->depth; i++)
			sprintf(line + strlen(line), "%s%x", i ? ">" : "",
				k->frames[i].function - 1);
		walk_leave(&w, &s);
	}
}

Test(walk, follows_calls_jumps_and_exceptions)
{
	struct tape tape = { .n = 0 };
	char lines[16][80];
	struct trace t;
	static const char *const wanted[] = {
		"0",	 "0>0", /* a call within a page */
		"0>1",		/* a jump replaces the function */
		"0",		/* returned after the call */
		"0>10a",	/* an exception is called by the interrupted function */
		"0>10a", "0",
	};

	put(&tape, RECORD_WORD(RECORD_ON, 0));
	run(&tape, KERNEL, BL_40);
	run(&tape, KERNEL + 0x40, 0xd61f0200); /* br x16 */
	run(&tape, KERNEL + 0x100, RET);
	run(&tape, KERNEL + 4, NOP);
	run(&tape, VECTORS + 0x280, NOP);
	run(&tape, VECTORS + 0x284, ERET);
	run(&tape, KERNEL + 8, NOP);
	cr_assert_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape.words, tape.n, false),
		     0);
	walk_all(&t, lines);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		cr_expect_str_eq(lines[i], wanted[i], "step %zu: %s, not %s", i, lines[i],
				 wanted[i]);
	trace_close(&t);
}

/* A retpoline whose return is made by a function that drops its own return address. */
Test(walk, follows_a_jump_written_as_call_and_return)
{
	struct tape tape = { .n = 0 };
	char lines[16][80];
	struct trace t;
	static const char *const wanted[] = {
		"0",	 "0>1", "0>1", /* the thunk calls the next instruction but one */
		"0>1>2",	       /* srso_safe_ret() */
		"0>3",		       /* the target replaces the thunk */
		"0",
	};

	put(&tape, RECORD_WORD(RECORD_ON, 0));
	run(&tape, KERNEL, 0x94000040);		/* bl .+0x100 */
	run(&tape, KERNEL + 0x100, 0x94000002); /* bl .+8 */
	run(&tape, KERNEL + 0x108, 0x9400003e); /* bl .+0xf8 */
	run(&tape, KERNEL + 0x200, RET);
	run(&tape, KERNEL + 0x300, RET);
	run(&tape, KERNEL + 4, NOP);
	cr_assert_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape.words, tape.n, false),
		     0);
	walk_all(&t, lines);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		cr_expect_str_eq(lines[i], wanted[i], "step %zu: %s, not %s", i, lines[i],
				 wanted[i]);
	trace_close(&t);
}

/* After an exit the host resumes on the stack of the guest entry. */
Test(walk, keeps_the_stack_of_the_host_while_the_guest_runs)
{
	struct tape tape = { .n = 0 };
	char lines[16][80];
	struct trace t;
	static const char *const wanted[] = { "0", "0>0", "2000", "0>10c", "0" };

	put(&tape, RECORD_WORD(RECORD_ON, 0));
	run(&tape, KERNEL, BL_40);
	run(&tape, KERNEL + 0x40, ERET);
	run(&tape, GUEST, HVC);
	run(&tape, VECTORS + 0x400, RET);
	run(&tape, KERNEL + 4, NOP);
	cr_assert_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape.words, tape.n, false),
		     0);
	walk_all(&t, lines);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		cr_expect_str_eq(lines[i], wanted[i], "step %zu: %s, not %s", i, lines[i],
				 wanted[i]);
	trace_close(&t);
}

/*
 * Each instruction counts where it is; a call has its site. The clock is read by other
 * instructions in the empty event: those at the beginning and at the end are subtracted.
 */
Test(profile, counts_instructions_by_address_and_stack)
{
	const struct region event = { .begin = 0, .end = 7, .count = 7 };
	const struct region null = { .begin = 7, .end = 9, .count = 2 };
	const struct symbols none = { .n = 0 };
	struct tape tape = { .n = 0 };
	struct profile p, empty;
	struct trace t;

	put(&tape, RECORD_WORD(RECORD_ON, 0));
	run(&tape, GUEST, MRS_PMC);
	run(&tape, GUEST + 4, NOP);
	run(&tape, GUEST + 8, BL_40);
	run(&tape, GUEST + 0x48, RET);
	put(&tape, RECORD_WORD(RECORD_EXEC, 2)); /* the call again, from a loop */
	put(&tape, RECORD_WORD(RECORD_EXEC, 3));
	run(&tape, GUEST + 12, MRS_PMC);
	run(&tape, GUEST + 0x100, MRS_PMC);
	run(&tape, GUEST + 0x104, MRS_PMC);
	cr_assert_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape.words, tape.n, false),
		     0);
	cr_assert_eq(profile_build(&t, &none, &event, true, &p), 0);
	cr_assert_eq(profile_build(&t, &none, &null, true, &empty), 0);
	cr_assert_eq(p.n_insns, 6);
	cr_expect(p.insns[3].insn == &t.insns[2] && p.insns[3].own.insns == 2);
	cr_expect(p.insns[4].insn == &t.insns[3] && p.insns[4].own.insns == 2);
	cr_expect_eq(p.insns[4].own.branches_taken, 2);
	cr_expect_neq(p.insns[4].node, p.insns[3].node);
	cr_expect_eq(p.nodes[p.insns[4].node].site, &t.insns[2]);
	cr_expect_eq(p.nodes[p.insns[3].node].site, NULL);
	cr_expect(profile_subtract(&p, &empty));
	cr_expect_eq(p.insns[1].own.insns, 0, "the first read of the clock");
	cr_expect_eq(p.insns[1].own.kinds[KIND_SYSREG_READ], 0);
	cr_expect_eq(p.insns[2].own.insns, 1);
	cr_expect_eq(p.insns[3].own.insns, 2);
	cr_expect_eq(p.insns[5].own.insns, 0, "the last one");
	profile_free(&p);
	profile_free(&empty);
	/* Not wanted: not counted. */
	cr_assert_eq(profile_build(&t, &none, &event, false, &p), 0);
	cr_expect_eq(p.n_insns, 0);
	profile_free(&p);
	trace_close(&t);
}

Test(region, is_between_the_reads_of_the_clock)
{
	struct image_mark marks[] = {
		{ GUEST, MARK_CLOCK_START },
		{ GUEST + 12, MARK_CLOCK_STOP },
		{ GUEST + 16, MARK_PHASE_BEGIN(2) },
	};
	struct region_marks all = { marks, 3 };
	struct tape tape = { .n = 0 };
	struct regions r;
	const char *why;
	struct trace t;

	put(&tape, RECORD_WORD(RECORD_ON, 0));
	for (int round = 0; round < 2; round++) {
		run(&tape, GUEST, NOP);
		run(&tape, GUEST + 4, NOP);
		if (round)
			run(&tape, GUEST + 8, NOP);
		else
			run(&tape, GUEST + 4, B_8);
		run(&tape, GUEST + 12, NOP);
		run(&tape, GUEST + 16, NOP);
	}
	cr_assert_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape.words, tape.n, false),
		     0);
	cr_assert_eq(regions_find(&t, &all, "hypercall", &r, &why), 0);
	cr_assert_eq(r.n, 2);
	cr_expect(r.list[0].empty && !r.list[1].empty);
	cr_expect_eq(r.list[0].count, 3);
	cr_expect_eq(r.list[1].count, 3);
	cr_expect_neq(r.list[0].path, r.list[1].path);
	regions_free(&r);
	cr_expect_eq(regions_find(&t, &all, "vmm_overhead", &r, &why), -ENOTSUP);
	cr_expect(strstr(why, "difference"));
	regions_free(&r);
	trace_close(&t);
}

/* pause_exit: all PAUSEs are timed, and one is the event. */
Test(region, that_the_body_tries_again_is_not_an_event)
{
	struct image_mark marks[] = {
		{ GUEST, MARK_CLOCK_START },
		{ GUEST + 8, MARK_CLOCK_STOP },
		{ GUEST + 12, MARK_CLOCK_AGAIN },
	};
	struct region_marks all = { marks, 3 };
	struct tape tape = { .n = 0 };
	struct regions r;
	const char *why;
	struct trace t;

	put(&tape, RECORD_WORD(RECORD_ON, 0));
	for (int round = 0; round < 5; round++) {
		run(&tape, GUEST, NOP);
		run(&tape, GUEST + 4, NOP);
		run(&tape, GUEST + 8, NOP);
		if (round % 3)
			run(&tape, GUEST + 12, NOP);
	}
	cr_assert_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape.words, tape.n, false),
		     0);
	cr_assert_eq(regions_find(&t, &all, "pause_exit", &r, &why), 0);
	cr_assert_eq(r.n, 2);
	cr_expect(r.list[0].begin < r.list[1].begin);
	cr_expect_eq(r.list[1].count, 2);
	regions_free(&r);
	trace_close(&t);
}

static const char kallsyms[] = "ffff800008000000 T _stext\n"
			       "ffff800008000000 T first\n"
			       "ffff800008000000 t __pi_first\n"
			       "ffff800008000100 T __softirqentry_text_end\n"
			       "ffff800008000100 T __x86_indirect_thunk_array\n"
			       "ffff800008000100 t second\n"
			       "ffff800008000200 t __kvm_nvhe_enter\n"
			       "ffff800008000280 t __kvm_nvhe_leave\n"
			       "ffff800000100000 t of_module\t[kvm_amd]\n";

static void expect_symbol(const struct symbols *s, enum trace_space space, uint64_t vaddr,
			  const char *name)
{
	const struct symbol *found = symbols_find(s, space, vaddr);

	if (name)
		cr_expect(found && !strcmp(found->name, name), "%lx: %s, not %s", vaddr,
			  found ? found->name : "nothing", name);
	else
		cr_expect_null(found, "%lx: %s", vaddr, found->name);
}

Test(symbols, of_the_kernel)
{
	struct symbols s = { .n = 0 };

	cr_assert_eq(symbols_add_kernel(&s, kallsyms, strlen(kallsyms), false), 0);
	symbols_sort(&s);
	expect_symbol(&s, SPACE_KERNEL, KERNEL + 4, "first");
	expect_symbol(&s, SPACE_KERNEL, KERNEL + 0x100, "second");
	expect_symbol(&s, SPACE_KERNEL, KERNEL + 0x1ff, "second");
	expect_symbol(&s, SPACE_KERNEL, 0xffff800000100004ull, "of_module");
	cr_expect_str_eq(symbols_find(&s, SPACE_KERNEL, 0xffff800000100004ull)->module,
			 "kvm_amd");
	expect_symbol(&s, SPACE_KERNEL, 0xffff7fffffffffffull, NULL);
	expect_symbol(&s, SPACE_KERNEL, KERNEL + (64u << 20), NULL);
	expect_symbol(&s, SPACE_USER, KERNEL + 4, NULL);
	symbols_free(&s);
}

/* Lines about data are left out; a line is whole although reads split the file anywhere.
 */
Test(symbols, only_code_is_read)
{
	char path[] = "/tmp/ws-kallsyms-XXXXXX", line[80];
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	size_t bytes, want_bytes, i;
	char *text, *want;
	FILE *expected = open_memstream(&want, &want_bytes);

	cr_assert_not_null(f);
	for (i = 0; i < 60000; i++) {
		char type = "tTdwWDbr"[i % 8];

		snprintf(line, sizeof(line), "%016zx %c function_number_%zu\n", i, type,
			 i);
		fputs(line, f);
		if (strchr("tTwW", type))
			fputs(line, expected);
	}
	/* No newline ends the last line: the file is cut. */
	fputs("ffff T cut", f);
	fclose(f);
	fclose(expected);
	cr_assert_gt(want_bytes, 1u << 20, "more than one read");
	cr_assert_eq(symbols_read_kernel(path, &text, &bytes), 0);
	cr_assert_eq(bytes, want_bytes);
	cr_expect_arr_eq(text, want, bytes);
	free(text);
	free(want);
	unlink(path);
	cr_expect_eq(symbols_read_kernel(path, &text, &bytes), -ENOENT);
	cr_expect_null(text);
}

Test(symbols, invalid_lines_are_refused)
{
	static const char *const bad[] = { "hello\n", "ffff T\n", "ffffT x\n",
					   "ffff T \n", "12 TT x\n" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct symbols s = { .n = 0 };

		cr_expect_eq(symbols_add_kernel(&s, bad[i], strlen(bad[i]), false),
			     -EBADMSG, "%s", bad[i]);
		symbols_free(&s);
	}
}

/* Two kernels are in the text of a lab with L1, and of no other, and each once. */
Test(symbols, of_two_kernels_are_wanted_or_refused)
{
	static const char one[] = "ffff800008000000 T a\n";
	static const char two[] =
		"ffff800008000000 T a\n" TARGET_SYMBOLS_OF_L0 "\nffff800009000000 T b\n";
	static const char joined[] =
		"ffff800008000000 T a" TARGET_SYMBOLS_OF_L0 "\nffff800009000000 T b\n";
	static const char three[] = "ffff800008000000 T a\n" TARGET_SYMBOLS_OF_L0
				    "\nffff800009000000 T b\n" TARGET_SYMBOLS_OF_L0 "\n";
	static const char with_nul[] = "ffff800008000000 T a\n" TARGET_SYMBOLS_OF_L0
				       "\nffff800009000000 T b\n\0ffff8 T c\n";
	static const struct {
		const char *text;
		size_t bytes;
		int one, two;
	} rows[] = {
		{ one, sizeof(one) - 1, 0, -EBADMSG },
		{ two, sizeof(two) - 1, -EBADMSG, 0 },
		{ joined, sizeof(joined) - 1, 0, -EBADMSG },
		{ three, sizeof(three) - 1, -EBADMSG, -EBADMSG },
		{ with_nul, sizeof(with_nul) - 1, -EBADMSG, -EBADMSG },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int l1 = 0; l1 < 2; l1++) {
			struct symbols s = { .n = 0 };

			cr_expect_eq(
				symbols_add_kernel(&s, rows[i].text, rows[i].bytes, l1),
				l1 ? rows[i].two : rows[i].one, "%zu, %d", i, l1);
			symbols_free(&s);
		}
}

/* The end of the last function does not wrap around. */
Test(symbols, range_ends_with_the_addresses)
{
	static const char lines[] = "fffffffffff00000 T a\nffffffffffffff00 T b\n";
	struct symbols s = { .n = 0 };
	struct image_range r;

	cr_assert_eq(symbols_add_kernel(&s, lines, strlen(lines), false), 0);
	r = symbols_range(&s, SPACE_KERNEL);
	cr_expect_eq(r.begin, 0xfffffffffff00000ull);
	cr_expect_eq(r.end, UINT64_MAX);
	symbols_free(&s);
}

/* The text of EL2 is mapped elsewhere: the targets of calls give the offset. */
/* Only jumps that no symbol covers, and only in the kernel. */
Test(symbols, of_indirect_thunks)
{
	static const char lines[] = "ffff800008000000 T outer\n"
				    "ffff800009000000 T other\n";
	const uint32_t br = 0xd61f0000; /* br x0 */
	const uint64_t thunk = KERNEL + 0x800000;
	struct tape tape = { .n = 0 };
	struct symbols s = { .n = 0 };
	const struct symbol *found;
	struct trace t;

	put(&tape, RECORD_WORD(RECORD_ON, 0));
	run(&tape, KERNEL + 4, br);
	run(&tape, thunk, br);
	run(&tape, thunk + 0x40, NOP);
	run(&tape, GUEST, br);
	cr_assert_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape.words, tape.n, false),
		     0);
	cr_assert_eq(symbols_add_kernel(&s, lines, strlen(lines), false), 0);
	cr_assert_eq(symbols_add_thunks(&s, &t), 0);
	cr_assert_eq(s.n, 3);
	found = symbols_find(&s, SPACE_KERNEL, thunk);
	cr_assert_not_null(found);
	cr_expect_str_eq(found->name, "[indirect thunk]");
	cr_expect_null(symbols_find(&s, SPACE_KERNEL, thunk + 0x40));
	cr_expect_str_eq(symbols_find(&s, SPACE_KERNEL, KERNEL + 4)->name, "outer");
	symbols_free(&s);
	trace_close(&t);
}

/*
 * What a lab sends must not take the square of its size: with a search of all functions
 * for each one, these tests take an hour and six minutes.
 */
enum { MANY = 400000 };

Test(symbols, of_el2_when_there_are_very_many, .timeout = 120)
{
	const uint64_t hyp = 0xb596c0dc0000ull;
	char *lines = malloc((size_t)MANY * 64);
	struct symbols s = { .n = 0 };
	struct tape tape = { .n = 0 };
	size_t bytes = 0;
	struct trace t;

	put(&tape, RECORD_WORD(RECORD_ON, 0));
	run(&tape, KERNEL, HVC);
	for (uint32_t i = 0; i < 60; i++) { /* each from an address before the next one */
		run(&tape, hyp + 0x3000 * i + 8, 0x94000bfe); /* bl .+0x2ff8 */
		run(&tape, hyp + 0x3000 * (i + 1), RET);
	}
	cr_assert_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape.words, tape.n, false),
		     0);
	for (uint64_t i = 0; i < MANY; i++)
		bytes += (size_t)sprintf(lines + bytes, "%llx t __kvm_nvhe_f%llu\n",
					 (unsigned long long)(KERNEL + 0x1000 * i * 3),
					 (unsigned long long)i);
	cr_assert_eq(symbols_add_kernel(&s, lines, bytes, false), 0);
	cr_assert_eq(symbols_add_hyp(&s, &t), 0);
	cr_assert_eq(s.n, 2 * MANY);
	symbols_sort(&s);
	/* 60 functions in a row fit anywhere: the first that do. */
	expect_symbol(&s, SPACE_HYP, hyp + 0x3000, "__kvm_nvhe_f0");
	expect_symbol(&s, SPACE_HYP, hyp + 0x3000 * 60, "__kvm_nvhe_f59");
	symbols_free(&s);
	trace_close(&t);
	free(lines);
}

Test(profile, of_very_many_functions, .timeout = 120)
{
	const size_t words = (size_t)MANY * 8 + 1;
	uint32_t *tape = calloc(words, sizeof(*tape)), *w = tape;
	char *lines = malloc((size_t)MANY * 32);
	struct region region = { .end = MANY };
	struct symbols s = { .n = 0 };
	size_t bytes = 0;
	struct profile p;
	struct trace t;

	*w++ = RECORD_WORD(RECORD_ON, 0);
	for (uint64_t i = 0; i < MANY; i++, w += 8) {
		uint64_t vaddr = KERNEL + 0x40 * i;

		w[0] = RECORD_WORD(RECORD_INSN, RECORD_INSN_VALUE(4, 0));
		w[1] = (uint32_t)vaddr;
		w[2] = (uint32_t)(vaddr >> 32);
		w[3] = 0x14000010; /* b .+0x40 */
		w[7] = RECORD_WORD(RECORD_EXEC, i);
		bytes +=
			(size_t)sprintf(lines + bytes, "%llx t f%llu\n",
					(unsigned long long)vaddr, (unsigned long long)i);
	}
	cr_assert_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape, words, false), 0);
	cr_assert_eq(symbols_add_kernel(&s, lines, bytes, false), 0);
	symbols_sort(&s);
	cr_assert_eq(profile_build(&t, &s, &region, true, &p), 0);
	cr_expect_eq(p.n_functions, MANY + 1);
	cr_expect_eq(p.n_nodes, MANY + 1, "%zu", p.n_nodes);
	cr_expect_eq(p.functions[MANY].own.insns, 1);
	cr_expect_str_eq(p.functions[MANY].symbol->name, "f399999");
	profile_free(&p);
	symbols_free(&s);
	trace_close(&t);
	free(lines);
	free(tape);
}

Test(symbols, of_el2)
{
	const uint64_t hyp = 0xb596c0dc0200ull;
	struct symbols s = { .n = 0 };
	struct tape tape = { .n = 0 };
	struct trace t;

	put(&tape, RECORD_WORD(RECORD_ON, 0));
	run(&tape, KERNEL, HVC);
	run(&tape, hyp - 0x100, 0x94000040); /* to hyp */
	run(&tape, hyp, 0x94000020);	     /* bl .+0x80 */
	run(&tape, hyp + 0x80, RET);
	cr_assert_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape.words, tape.n, false),
		     0);
	cr_expect_eq(t.insns[1].space, SPACE_HYP);
	cr_assert_eq(symbols_add_kernel(&s, kallsyms, strlen(kallsyms), false), 0);
	cr_assert_eq(symbols_add_hyp(&s, &t), 0);
	symbols_sort(&s);
	expect_symbol(&s, SPACE_HYP, hyp + 4, "__kvm_nvhe_enter");
	expect_symbol(&s, SPACE_HYP, hyp + 0x84, "__kvm_nvhe_leave");
	symbols_free(&s);
	trace_close(&t);
}

#define L1	   0xffffc00008000000ull
#define VMM	   0x400000ull
#define SVC	   0xd4000001u
#define BR	   0xd61f0200u
#define TO_VMM	   (KERNEL + 0x800)
#define L0_TRAP	   (VECTORS + 0x400)
#define L0_HANDLER (VECTORS + 0x444)
#define L0_ENTRY   (VECTORS + 0x408)

static const char both_kernels[] =
	"ffffc00008000000 T outer\n"
	"ffffc00008000040 t trapping\n" TARGET_SYMBOLS_OF_L0 "\n"
	"ffff800008000800 T ret_to_user\n"
	"ffff800008010800 T vectors\n"
	"ffff800008010c44 t handler\t[kvm]\n";

/* L1's kernel traps at a register, a call, and an interrupt of its VMM. */
static void run_two_levels(struct tape *t)
{
	put(t, RECORD_WORD(RECORD_ON, 0));
	run(t, L1, BL_40);
	run(t, L1 + 0x40, MRS_PMC);
	run(t, L0_TRAP, NOP);
	run(t, L0_TRAP + 4, BL_40);
	run(t, L0_HANDLER, RET);
	run(t, L0_ENTRY, ERET);
	run(t, L1 + 0x44, RET);
	run(t, L1 + 4, HVC);
	run(t, L0_TRAP, BR);
	run(t, TO_VMM, ERET);
	run(t, VMM, NOP); /* step 10: L0's */
	run(t, VMM + 4, SVC);
	run(t, L0_TRAP, BR);
	run(t, L0_ENTRY, ERET);
	run(t, L1 + 8, ERET);
	run(t, VMM, NOP); /* step 15: L1's */
	run(t, VECTORS + 0x480, BR);
	run(t, L0_ENTRY, ERET);
	run(t, VMM + 4, NOP);
}

static const char *name_of(const struct profile *p, uint32_t node)
{
	const struct symbol *s = p->functions[p->nodes[node].function].symbol;

	return s ? s->name : "none";
}

/* L0 is known by its addresses, and its VMM by the ERET; it runs below what trapped. */
Test(profile, of_two_levels)
{
	static const struct {
		uint64_t vaddr, times, insns;
	} traps[] = { { L1 + 0x40, 1, 4 }, { L1 + 4, 1, 6 }, { VMM, 1, 2 } };
	struct tape tape = { .n = 0 };
	struct symbols s = { .n = 0 };
	struct trace_step steps[32];
	struct region region = { .end = 19 };
	struct image_range l0;
	struct profile p;
	struct trace t;
	uint32_t node = 0;

	run_two_levels(&tape);
	cr_assert_eq(steps_of(&t, &tape, steps, 32), 19);
	cr_assert_eq(symbols_add_kernel(&s, both_kernels, strlen(both_kernels), true), 0);
	symbols_sort(&s);
	l0 = symbols_range(&s, SPACE_L0);
	cr_assert_eq(l0.begin, TO_VMM);
	cr_assert_lt(l0.end, L1);
	cr_assert_eq(trace_below(&t, l0), 0);
	cr_expect_eq(t.insns[10].space, SPACE_L0);
	cr_expect_eq(t.insns[11].space, SPACE_L0);
	cr_expect_eq(t.insns[15].space, SPACE_USER);
	cr_expect_eq(t.insns[18].space, SPACE_USER);
	expect_symbol(&s, SPACE_L0, L0_HANDLER, "L0:handler");
	expect_symbol(&s, SPACE_KERNEL, L1 + 0x44, "trapping");
	expect_symbol(&s, SPACE_KERNEL, L0_HANDLER, NULL);
	cr_expect_str_eq(symbols_find(&s, SPACE_L0, L0_HANDLER)->module, "kvm");
	cr_expect_str_eq(layer_of(ARCH_AARCH64, SPACE_L0, NULL, "L0:vgic_v3_load"),
			 "L0: GIC");
	cr_expect_str_eq(layer_of(ARCH_AARCH64, SPACE_L0, NULL, "x"), "L0: no symbol");

	cr_assert_eq(profile_build(&t, &s, &region, false, &p), 0);
	cr_assert_eq(p.n_traps, 3);
	for (size_t i = 0; i < 3; i++) {
		cr_expect_eq(p.traps[i].insn->vaddr, traps[i].vaddr);
		cr_expect_eq(p.traps[i].times, traps[i].times);
		cr_expect_eq(p.traps[i].insns, traps[i].insns, "%zu: %lu", i,
			     p.traps[i].insns);
	}
	for (uint32_t i = 1; !node && i < p.n_nodes; i++)
		if (!strcmp(name_of(&p, i), "L0:handler"))
			node = i;
	cr_assert(node);
	cr_expect_str_eq(name_of(&p, p.nodes[node].parent), "L0:vectors");
	node = p.nodes[p.nodes[node].parent].parent;
	cr_expect_str_eq(name_of(&p, node), "trapping");
	cr_expect_str_eq(name_of(&p, p.nodes[node].parent), "outer");
	profile_free(&p);
	symbols_free(&s);
	trace_close(&t);
}

/* Of the places at which L0 enters its guest, none is left out. */
Test(trace, has_room_for_the_erets_of_l0_or_refuses)
{
	const struct image_range l0 = { KERNEL, KERNEL + 0x100000 };

	for (unsigned int n = TRACE_BELOW_MAX; n <= TRACE_BELOW_MAX + 1; n++) {
		struct tape tape = { .n = 0 };
		struct trace t;

		put(&tape, RECORD_WORD(RECORD_ON, 0));
		for (unsigned int i = 0; i < 2 * n; i++) {
			run(&tape, KERNEL + 0x1000 + 4 * (i % n), ERET);
			run(&tape, L1 + 4 * (i % n), NOP);
		}
		cr_assert_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape.words, tape.n,
					false),
			     0);
		cr_expect_eq(trace_below(&t, l0), n > TRACE_BELOW_MAX ? -E2BIG : 0);
		cr_expect_eq(t.n_below, TRACE_BELOW_MAX);
		trace_close(&t);
	}
}

#define VMRUN	 0xd8010f
#define VMRESUME 0xc3010f
#define VMMCALL	 0xd9010f
#define VMLOAD	 0xda010f
#define X86_NOP	 0x90

static void describe_x86(struct tape *t, uint64_t vaddr, uint32_t insn)
{
	put(t, RECORD_WORD(RECORD_INSN, RECORD_INSN_VALUE(insn == X86_NOP ? 1 : 3, 0)));
	put_wide(t, vaddr);
	put(t, insn);
	put(t, 0);
	put(t, 0);
	put(t, 0);
	t->n_insns++;
}

/* L0 and L1 are one kernel at one address, and Bochs describes its code once. */
static void expect_two_levels(uint32_t entry, uint64_t behind, const uint64_t *exits,
			      size_t n_exits)
{
	enum { CALL, BEHIND, RUN, LOAD, NEXT, RESUMED };
	static const struct {
		unsigned int insn;
		enum trace_space space;
	} steps[] = {
		{ CALL, SPACE_GUEST }, /* L2 exits */
		{ BEHIND, SPACE_L0 },	  { RUN, SPACE_L0 },
		{ BEHIND, SPACE_KERNEL }, /* an exit of L2 to L1 */
		{ LOAD, SPACE_KERNEL },	  /* exits */
		{ BEHIND, SPACE_L0 },	  { LOAD, SPACE_L0 },
		{ NEXT, SPACE_L0 },	  { RUN, SPACE_L0 },
		{ BEHIND, SPACE_L0 }, /* an interrupt was pending */
		{ LOAD, SPACE_L0 },	  { NEXT, SPACE_L0 },
		{ RUN, SPACE_L0 },	  { NEXT, SPACE_KERNEL },
		{ RUN, SPACE_KERNEL }, /* exits */
		{ BEHIND, SPACE_L0 },	  { RUN, SPACE_L0 },
		{ RESUMED, SPACE_GUEST },
	};
	const size_t n = sizeof(steps) / sizeof(steps[0]);
	struct tape tape = { .n = 0 };
	struct trace_cursor c = { 0 };
	struct trace_step s;
	struct trace t;

	describe_x86(&tape, GUEST, VMMCALL);
	describe_x86(&tape, behind, X86_NOP);
	describe_x86(&tape, KERNEL, entry);
	describe_x86(&tape, behind + 1, VMLOAD);
	describe_x86(&tape, behind + 4, X86_NOP);
	describe_x86(&tape, GUEST + 3, X86_NOP);
	put(&tape, RECORD_WORD(RECORD_ON, 0));
	for (size_t i = 0; i < n; i++)
		put(&tape, RECORD_WORD(RECORD_EXEC, steps[i].insn));
	cr_assert_eq(trace_open(&t, ARCH_X86_64, guest_range, tape.words, tape.n, true),
		     0);
	cr_assert_eq(trace_below_x86(&t, exits, n_exits), 0);
	for (size_t i = 0; i < n; i++) {
		cr_assert(trace_next(&t, &c, &s));
		cr_expect_eq(s.insn->space, steps[i].space, "step %zu: %s", i,
			     symbols_space_name(s.insn->space));
		cr_expect(i == n - 1 ? !s.next : s.next->space == steps[i + 1].space);
	}
	trace_close(&t);
}

Test(trace, of_two_levels_on_x86)
{
	const uint64_t vmexit = KERNEL + 0x40;

	expect_two_levels(VMRUN, KERNEL + 3, NULL, 0);
	expect_two_levels(VMRESUME, vmexit, &vmexit, 1);
}

Test(trace, has_room_for_the_exits_of_x86_or_refuses)
{
	for (unsigned int n = TRACE_BELOW_MAX; n <= TRACE_BELOW_MAX + 1; n++) {
		struct tape tape = { .n = 0 };
		uint64_t exits[TRACE_BELOW_MAX + 1];
		struct trace t;

		for (unsigned int i = 0; i < n; i++)
			exits[i] = KERNEL + 0x40 * (uint64_t)i;
		/* Behind it is one of them. */
		describe_x86(&tape, KERNEL - 3, VMRUN);
		cr_assert_eq(trace_open(&t, ARCH_X86_64, guest_range, tape.words, tape.n,
					true),
			     0);
		cr_expect_eq(trace_below_x86(&t, exits, n),
			     n > TRACE_BELOW_MAX ? -E2BIG : 0);
		trace_close(&t);
	}
}

#define REP_OUTS 0x6e48f3

/* Each iteration is a step of one instruction; the clock has an interrupt as another. */
Test(profile, of_a_repeated_instruction_that_traps)
{
	const uint64_t vmexit = KERNEL + 0x40;

	for (int interrupted = 0; interrupted < 2; interrupted++) {
		struct tape tape = { .n = 0 };
		struct symbols s = { .n = 0 };
		struct region region = { .end = 5 };
		struct profile p;
		struct trace t;

		describe_x86(&tape, GUEST, REP_OUTS);
		describe_x86(&tape, vmexit, X86_NOP);
		put(&tape, RECORD_WORD(RECORD_ON, 0));
		for (int i = 0; i < 4; i++)
			put(&tape, RECORD_WORD(RECORD_EXEC, 0));
		if (interrupted)
			put(&tape, RECORD_WORD(RECORD_COUNT, 2));
		put(&tape, RECORD_WORD(RECORD_EXEC, 1));
		cr_assert_eq(trace_open(&t, ARCH_X86_64, guest_range, tape.words, tape.n,
					true),
			     0);
		cr_assert_eq(trace_below_x86(&t, &vmexit, 1), 0);
		cr_assert_eq(profile_build(&t, &s, &region, false, &p), 0);
		cr_assert_eq(p.n_traps, 1);
		cr_expect_eq(p.traps[0].times, 1);
		cr_expect_eq(p.traps[0].leave,
			     interrupted ? LEAVE_INTERRUPT : LEAVE_FAULT);
		cr_expect_str_eq(p.traps[0].insn->decode.named, "outs");
		profile_free(&p);
		trace_close(&t);
	}
}

static int count_one(void *ctx, uint64_t vaddr, uint64_t bytes, const char *name,
		     size_t name_bytes)
{
	int *n = ctx;

	(void)vaddr;
	(void)bytes;
	*n += name_bytes == 10 && !memcmp(name, "sample_all", 10);
	return 0;
}

/* Every built-in image has marks of its timed phases. */
Test(image, has_marks_and_functions)
{
	for (int arch = 0; arch < ARCHS; arch++) {
		int begins = 0, functions = 0;
		struct image_mark *marks;
		struct image image;
		uint8_t word[4];
		const void *data;
		size_t bytes;
		long n;

		data = payload_find((enum arch)arch, "hypercall", &bytes);
		cr_assert_not_null(data);
		cr_assert_eq(image_open(&image, data, bytes), 0);
		n = image_marks(&image, &marks);
		cr_assert_gt(n, 8);
		for (long i = 0; i < n; i++) {
			begins += marks[i].kind == MARK_PHASE_BEGIN(ABI_PHASE_EVENT);
			cr_expect_eq(image_read(&image, marks[i].vaddr, word, 4), 0);
		}
		cr_expect_eq(begins, 1);
		image_functions(&image, count_one, &functions);
		cr_expect_eq(functions, 1);
		free(marks);
	}
}

/* Without the functions of both kernels, at other addresses, nothing is attributed. */
Test(explain, of_two_levels_needs_the_functions_of_both)
{
	static const struct {
		const char *kallsyms;
		bool l1;
		int ret;
		const char *message;
	} rows[] = {
		{ "ffff800008000000 T a\n", true, -EBADMSG, "cannot parse" },
		{ "ffff800008000000 T a\n" TARGET_SYMBOLS_OF_L0 "\n", true, -EBADMSG,
		  "no functions of L0's kernel" },
		{ TARGET_SYMBOLS_OF_L0 "\nffff800008000000 T a\n", true, -EBADMSG,
		  "no functions of L1's kernel" },
		{ "fffffffffff00000 T a\n" TARGET_SYMBOLS_OF_L0
		  "\nfffffffffff10000 T b\n",
		  true, -ENOTSUP, "at the same addresses" },
		{ "ffff800008000000 T a\n" TARGET_SYMBOLS_OF_L0
		  "\nffff900008000000 T b\n",
		  false, -EBADMSG, "cannot parse" },
		{ "ffff800008000000 T a\n" TARGET_SYMBOLS_OF_L0
		  "\nffff900008000000 T b\n",
		  true, -ENODATA, "no timed event" },
		{ "ffff800008000000 T a\n", false, -ENODATA, "no timed event" },
	};
	const size_t room = RECORD_PAGE_BYTES + 4096;
	struct record_page *page =
		aligned_alloc(RECORD_PAGE_BYTES, 2 * RECORD_PAGE_BYTES);
	struct capture capture = { .fd = -1, .page = page, .bytes = room };
	struct tape tape = { .n = 0 };
	const void *data;
	size_t bytes;

	cr_assert_not_null(page);
	put(&tape, RECORD_WORD(RECORD_ON, 0));
	run(&tape, KERNEL, NOP);
	*page = (struct record_page){ .installed = 1, .written = tape.n * 4 };
	memcpy((char *)page + RECORD_PAGE_BYTES, tape.words, tape.n * 4);
	data = payload_find(ARCH_AARCH64, "hypercall", &bytes);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct explain_input in = {
			.arch = ARCH_AARCH64,
			.benchmark = "hypercall",
			.kallsyms = rows[i].kallsyms,
			.kallsyms_bytes = strlen(rows[i].kallsyms),
			.l1 = rows[i].l1,
		};
		struct explanation *e = explanation_new();
		struct error err;

		cr_assert_eq(image_open(&in.payload, data, bytes), 0);
		in.vmm = in.payload;
		cr_expect_eq(explain_build(&capture, &in, e, &err), rows[i].ret, "%zu",
			     i);
		cr_expect_not_null(strstr(err.text, rows[i].message), "%zu: %s", i,
				   err.text);
		explanation_free(e);
	}
	free(page);
}

/* Parsing a truncated image does not read beyond its end. */
Test(image, may_be_truncated)
{
	size_t bytes, n;
	const void *data = payload_find(ARCH_X86_64, "null", &bytes);

	for (n = 0; n < bytes; n += n < 128 ? 1 : 97) {
		uint8_t *cut = malloc(n + !n), word[4];
		struct image_mark *marks;
		struct image image;
		int functions = 0;

		memcpy(cut, data, n);
		if (!image_open(&image, cut, n)) {
			cr_expect_geq(image_marks(&image, &marks), 0);
			free(marks);
			image_functions(&image, count_one, &functions);
			image_read(&image, image_range(&image).begin, word, 4);
		}
		free(cut);
	}
}

Test(layer, of_a_function)
{
	static const struct {
		enum arch arch;
		enum trace_space space;
		const char *module, *name, *layer;
	} rows[] = {
		{ ARCH_AARCH64, SPACE_GUEST, NULL, "vectors", "guest" },
		{ ARCH_AARCH64, SPACE_USER, NULL, "ioctl", "VMM" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, NULL, "no symbol" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "__guest_enter",
		  "world-switch assembly" },
		{ ARCH_AARCH64, SPACE_HYP, NULL, "__kvm_nvhe___guest_enter",
		  "world-switch assembly" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "vgic_v3_load", "GIC" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "kvm_timer_vcpu_load", "timers" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "kvm_pmu_update_state", "PMU" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "perf_event_read_value", "perf" },
		{ ARCH_X86_64, SPACE_KERNEL, "kvm", "x86_decode_insn", "KVM, emulator" },
		{ ARCH_X86_64, SPACE_KERNEL, "kvm_amd", "svm_handle_exit", "KVM, AMD" },
		{ ARCH_X86_64, SPACE_KERNEL, NULL, "rcu_qs", "scheduler, RCU" },
		{ ARCH_X86_64, SPACE_KERNEL, NULL, "brand_new", "kernel, other" },
		/* Of Linux 6.12 and later. */
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "__pi_memset", "kernel library" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "gup_fast_fallback",
		  "kernel memory" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "__activate_cptr_traps",
		  "KVM, world switch" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "get_el2_to_el1_mapping.constprop.0",
		  "KVM, arm64" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "read_id_reg.isra.0", "KVM, arm64" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "reset_dbg_wb_reg", "KVM, arm64" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "demux_wb_reg", "KVM, arm64" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "read_wb_reg", "kernel, other" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "write_wb_reg.isra.0",
		  "kernel, other" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "search_cmp_ftr_reg",
		  "CPU features" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "read_sanitised_ftr_reg",
		  "CPU features" },
		{ ARCH_AARCH64, SPACE_HYP, NULL, "__kvm_nvhe_enter_vmid_context",
		  "KVM, world switch" },
		{ ARCH_AARCH64, SPACE_KERNEL, NULL, "__handle_mm_fault",
		  "kernel memory" },
		{ ARCH_X86_64, SPACE_KERNEL, NULL, "retbleed_return_thunk",
		  "mitigations" },
		{ ARCH_X86_64, SPACE_KERNEL, NULL, "__pi___x86_indirect_thunk_rax",
		  "mitigations" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *layer = layer_of(rows[i].arch, rows[i].space, rows[i].module,
					     rows[i].name);

		cr_expect_str_eq(layer, rows[i].layer, "%s: %s, not %s", rows[i].name,
				 layer, rows[i].layer);
	}
}
