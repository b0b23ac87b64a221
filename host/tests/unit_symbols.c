/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of functions by address: kallsyms, images, layers. */
#include "host/tests/trace_fixture.h"

static const char kallsyms[] = "ffff800008000000 T _stext\n"
			       "ffff800008000000 T first\n"
			       "ffff800008000000 t __pi_first\n"
			       "ffff800008000100 T __softirqentry_text_end\n"
			       "ffff800008000100 T __x86_indirect_thunk_array\n"
			       "ffff800008000100 t second\n"
			       "ffff800008000200 t __kvm_nvhe_enter\n"
			       "ffff800008000280 t __kvm_nvhe_leave\n"
			       "ffff800000100000 t of_module\t[kvm_amd]\n";

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
 * Behind the last function of a module, and its pages, is code of others: thunks that
 * Linux allocates. A kernel's last function has no such end.
 */
Test(symbols, between_modules)
{
	static const char lines[] = "ffff800008000000 T in_the_kernel\n"
				    "ffff800008100000 t first\t[kvm_intel]\n"
				    "ffff8000081a0010 t cleanup_module\t[kvm_intel]\n"
				    "ffff800008300000 t large\t[kvm]\n"
				    "ffff800008303000 t small\t[kvm]\n";
	const uint64_t kvm_intel = KERNEL + 0x100000, cleanup = KERNEL + 0x1a0010;
	const uint64_t thunk = cleanup + 0xae653, kvm = KERNEL + 0x300000;
	struct tape tape = { .n = 0 };
	struct symbols s = { .n = 0 };
	const struct symbol *found;
	struct trace t;

	put(&tape, RECORD_WORD(RECORD_ON, 0));
	run(&tape, thunk, 0xd61f0000); /* br x0 */
	cr_assert_eq(trace_open(&t, ARCH_AARCH64, guest_range, tape.words, tape.n, false),
		     0);
	cr_assert_eq(symbols_add_kernel(&s, lines, strlen(lines), false), 0);
	symbols_sort(&s);
	expect_symbol(&s, SPACE_KERNEL, KERNEL + 0xff000, "in_the_kernel");
	expect_symbol(&s, SPACE_KERNEL, kvm_intel + 0x9fff0, "first");
	expect_symbol(&s, SPACE_KERNEL, cleanup + 0x1000, "cleanup_module");
	cr_expect_null(symbols_find(&s, SPACE_KERNEL, thunk));
	expect_symbol(&s, SPACE_KERNEL, kvm + 0x2fff, "large");
	expect_symbol(&s, SPACE_KERNEL, kvm + 0x4fff, "small");
	cr_expect_null(symbols_find(&s, SPACE_KERNEL, kvm + 0x5000));
	cr_assert_eq(symbols_add_thunks(&s, &t), 0);
	found = symbols_find(&s, SPACE_KERNEL, thunk);
	cr_assert_not_null(found);
	cr_expect_str_eq(found->name, "[indirect thunk]");
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

/* As in host/targets/rows.c. */
struct payload {
	const char *name, *start, *end;
};
extern const struct payload payload_table[];

/* A search for a name does not touch the images: in a lab, each page is a page fault. */
Test(image, has_its_name_beside_the_other_names)
{
	const char *first = payload_table[0].name, *last = first;
	size_t bytes = 0;

	for (const struct payload *p = payload_table; p->name; p++) {
		first = p->name < first ? p->name : first;
		last = p->name > last ? p->name : last;
		bytes += strlen(p->name) + 1;
	}
	// NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): the table is not empty
	cr_expect_eq((size_t)(last - first) + strlen(last) + 1, bytes);
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
