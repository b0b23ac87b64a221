/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of records, steps, stacks and regions, on programs of a few instructions. */
#include "host/tests/trace_fixture.h"

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

#define USER 0x401000ull

/* dirty_log_stop_2m reads the clock three times; the run loop and the series read it,
 * too. */
Test(region, of_a_row_that_the_host_times_has_the_reads_of_the_row)
{
	struct image_mark marks[] = {
		{ USER, MARK_PHASE_BEGIN(ABI_PHASE_EVENT) },
		{ USER + 4, MARK_CLOCK_SHARED },
		{ USER + 8, MARK_CLOCK_RUN },
		{ USER + 12, MARK_CLOCK_RAN },
		{ GUEST, MARK_CLOCK_SHARED },
	};
	struct region_marks all = { marks, 5 };
	struct tape tape = { .n = 0 };
	struct regions r;
	const char *why;
	struct trace t;

	put(&tape, RECORD_WORD(RECORD_ON, 0));
	run(&tape, USER, NOP);
	for (int event = 0; event < 3; event++) {
		run(&tape, USER + 4, NOP);
		run(&tape, USER + 8, NOP);
		run(&tape, GUEST, NOP);
		run(&tape, USER + 12, NOP);
		/* The timed part: two instructions more in each event. */
		run(&tape, USER + 4, NOP);
		for (int i = 0; i < 10 + 2 * event; i++)
			run(&tape, USER + 16, NOP);
		run(&tape, USER + 4, NOP);
		run(&tape, USER + 20, NOP);
	}
	cr_assert_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape.words, tape.n, false),
		     0);
	cr_assert_eq(regions_find(&t, &all, "dirty_log_stop_2m", &r, &why), 0);
	cr_assert_eq(r.n, 3);
	for (size_t event = 0; event < r.n; event++)
		cr_expect_eq(r.list[event].count, 11 + 2 * event, "%zu: %llu", event,
			     (unsigned long long)r.list[event].count);
	regions_free(&r);
	/* Of a row that times the runs of its vCPU, only these are events. */
	cr_assert_eq(regions_find(&t, &all, "vm_stay", &r, &why), 0);
	cr_assert_eq(r.n, 3);
	cr_expect_eq(r.list[2].count, 2);
	regions_free(&r);
	trace_close(&t);
}
