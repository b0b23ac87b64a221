/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of records of two kernels: L0, and L1 in its guest. */
#include "host/tests/trace_fixture.h"

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
