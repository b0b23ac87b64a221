/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an emulator records and what a lab's kernel says its functions are, through to the
 * explanation document.
 *
 * Input: struct head, kallsyms, then the records: as words, or as a program of two bytes
 * per record, which the harness translates.
 */
#include <elf.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/abi.h"
#include "bench/mark.h"
#include "host/explain/explain.h"
#include "host/explain/formats.h"
#include "host/explain/record.h"
#include "host/explain/symbols.h"
#include "host/targets/target.h"
#include "host/explain/trace.h"
#include "host/explain/symbols.h"
#include "host/tests/fuzz/fuzz.h"

struct head {
	uint8_t flags, bench, figure;
	uint16_t kallsyms_bytes;
} __attribute__((packed));

enum {
	FLAG_AARCH64 = 1,
	FLAG_COUNTS = 2,
	FLAG_KINDS = 4,
	FLAG_TOUCH = 8,
	FLAG_WORDS = 16, /* the records are in the input */
	FLAG_LINES = 32,
	FLAG_OTHER_LAB = 64, /* with L1 where the text is of one kernel, and reversed */
};

#define GUEST	0x40200000ull
#define KERNEL	0xffff800008000000ull
#define VECTORS 0xffff800008010800ull
#define USER	0x400000ull
#define HYP	0x00008000c0000000ull

/* ---- a payload with marks and two functions -------------------------------------- */

static const struct {
	uint64_t vaddr, kind;
} marks[] = {
	{ GUEST + 0x10, MARK_PHASE_BEGIN(ABI_PHASE_NULL) },
	{ GUEST + 0x20, MARK_CLOCK_START },
	{ GUEST + 0x30, MARK_CLOCK_STOP },
	{ GUEST + 0x40, MARK_PHASE_BEGIN(ABI_PHASE_EVENT) },
	{ GUEST + 0x50, MARK_PHASE_END(ABI_PHASE_EVENT) },
	{ GUEST + 0x60, MARK_CLOCK_SHARED },
	{ USER + 0x60, MARK_CLOCK_SHARED },
};

static struct payload {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	Elf64_Shdr sections[5];
	Elf64_Sym symbols[3];
	char names[64], functions[32];
	uint8_t marks[sizeof(marks)];
	uint8_t code[0x100];
} payload = {
	.header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				 ELFDATA2LSB, EV_CURRENT },
		    .e_machine = EM_X86_64,
		    .e_phoff = offsetof(struct payload, segment),
		    .e_phentsize = sizeof(Elf64_Phdr),
		    .e_phnum = 1,
		    .e_shoff = offsetof(struct payload, sections),
		    .e_shentsize = sizeof(Elf64_Shdr),
		    .e_shnum = 5,
		    .e_shstrndx = 1 },
	.segment = { .p_type = PT_LOAD,
		     .p_vaddr = GUEST,
		     .p_paddr = GUEST,
		     .p_offset = offsetof(struct payload, code),
		     .p_filesz = 0x100,
		     .p_memsz = 0x1000 },
	.sections = { [1] = { .sh_name = 1,
			      .sh_offset = offsetof(struct payload, names),
			      .sh_size = 64 },
		      [2] = { .sh_name = 11,
			      .sh_offset = offsetof(struct payload, marks),
			      .sh_size = sizeof(marks) },
		      [3] = { .sh_name = 28,
			      .sh_link = 4,
			      .sh_offset = offsetof(struct payload, symbols),
			      .sh_size = 3 * sizeof(Elf64_Sym) },
		      [4] = { .sh_name = 36,
			      .sh_offset = offsetof(struct payload, functions),
			      .sh_size = 32 } },
	.symbols = { [1] = { .st_name = 1,
			     .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
			     .st_shndx = 1,
			     .st_value = GUEST,
			     .st_size = 0x40 },
		     [2] = { .st_name = 6,
			     .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
			     .st_shndx = 1,
			     .st_value = GUEST + 0x40 } },
	.names = "\0.shstrtab\0" MARK_SECTION "\0\0.symtab\0.strtab",
	.functions = "\0main\0body",
};

/* ---- records ---------------------------------------------------------------------- */

#define WORDS_MAX 16384u

static uint32_t words[RECORD_PAGE_BYTES / 4 + WORDS_MAX];

static const uint8_t code_x86_64[][RECORD_INSN_BYTES] = {
	{ 1, 0x90 },
	{ 5, 0xe8, 0x00, 0x01, 0, 0 }, /* CALL +0x100 */
	{ 1, 0xc3 },
	{ 2, 0xeb, 0x10 },
	{ 2, 0x74, 0x10 },
	{ 3, 0x48, 0x8b, 0x07 },
	{ 2, 0x0f, 0x01, 0xc1 },
	{ 3, 0x0f, 0x01, 0xd8 }, /* VMRUN */
	{ 2, 0x48, 0xcf },	 /* IRETQ */
	{ 2, 0xff, 0xe0 },	 /* JMP *RAX */
	{ 2, 0x0f, 0x30 },	 /* WRMSR */
	{ 2, 0xf3, 0xa4 },	 /* REP MOVSB */
	{ 3, 0x0f, 0x01, 0xc2 }, /* VMLAUNCH */
	{ 3, 0x0f, 0xae, 0xf0 }, /* MFENCE */
	{ 2, 0x0f, 0x07 },	 /* SYSRET */
	{ 3, 0x0f, 0x78, 0xd0 }, /* VMREAD */
};

static const uint32_t code_aarch64[] = {
	0xd503201f, 0x94000010, 0xd65f03c0, 0x14000002, 0x54000040, 0xf9400020,
	0xd4000002, 0xd69f03e0, 0xd53b9d00, 0xd503309f, 0xd61f0000, 0xd51c1100,
	0xd50c871f, 0xd5033fdf, 0xf9000020, 0xd4000001,
};

/* A record of two bytes: what, and where or which. */
static size_t translate(struct fuzz_input *in, bool aarch64, uint32_t *to)
{
	static const uint64_t bases[8] = { GUEST,   GUEST + 0x10,   KERNEL,
					   VECTORS, KERNEL + 0x100, USER,
					   HYP,	    KERNEL - 8 };
	uint32_t insns = 0;
	size_t n = 0;

	while (in->left && n + 2 * RECORD_INSN_WORDS < WORDS_MAX) {
		uint8_t what = fuzz_byte(in), which = fuzz_byte(in);
		uint64_t vaddr = bases[what & 7] + (which & 0xfu) * 0x10;
		uint8_t code[RECORD_INSN_BYTES] = { 0 };
		uint32_t bytes = 4;

		switch (what >> 4) {
		case 0: /* an earlier instruction again */
		case 1:
			if (insns)
				to[n++] = RECORD_WORD(RECORD_EXEC, which % insns);
			break;
		case 2:
		case 3:
			to[n++] = RECORD_WORD(what & 0x10 ? RECORD_LOAD : RECORD_STORE,
					      what & 8 ? which : which & 3);
			to[n++] = (uint32_t)vaddr;
			to[n++] = (uint32_t)(vaddr >> 32);
			break;
		case 4:
			to[n++] = RECORD_WORD(which & 1 ? RECORD_ON : RECORD_OFF, 0);
			break;
		case 5:
			to[n++] = RECORD_WORD(RECORD_COUNT, which);
			break;
		default:
			if (aarch64) {
				memcpy(code, &code_aarch64[which >> 4], 4);
			} else {
				bytes = code_x86_64[which >> 4][0];
				memcpy(code, code_x86_64[which >> 4] + 1, bytes);
			}
			to[n++] = RECORD_WORD(RECORD_INSN,
					      RECORD_INSN_VALUE(bytes, what >> 6));
			to[n++] = (uint32_t)vaddr;
			to[n++] = (uint32_t)(vaddr >> 32);
			memcpy(to + n, code, sizeof(code));
			n += RECORD_INSN_BYTES / 4;
			to[n++] = RECORD_WORD(RECORD_EXEC, insns++);
		}
	}
	return n;
}

/* The length of the first event; 1 without one. */
static double first_event(const struct explain_input *in, const uint32_t *records,
			  size_t n, bool counts)
{
	struct region_marks list = { .n = 0 };
	struct image_mark *found;
	struct regions regions = { .n = 0 };
	const char *why;
	double figure = 1;
	struct trace t;

	list.n = (size_t)image_marks(&in->payload, &found);
	list.list = found;
	if (!trace_open(&t, in->arch, image_range(&in->payload), records, n, counts)) {
		if (!regions_find(&t, &list, in->benchmark, &regions, &why))
			for (size_t i = 0; i < regions.n; i++)
				if (!regions.list[i].empty) {
					figure = (double)regions.list[i].count;
					break;
				}
		regions_free(&regions);
	}
	trace_close(&t);
	free(found);
	return figure;
}

static void check(struct explanation *e, enum arch arch)
{
	uint64_t functions = 0, stacks = 0, lines = 0;
	struct error err = { "" };
	struct explanation *back;
	char *text, *again;

	for (size_t i = 0; i < e->n_functions; i++)
		functions += e->functions[i].insns;
	for (size_t i = 0; i < e->n_stacks; i++) {
		stacks += e->stacks[i].insns;
		for (size_t k = 0; k < e->stacks[i].n_instructions; k++)
			lines += e->stacks[i].instructions[k].insns;
	}
	FUZZ_CHECK(functions == e->total + e->clock_insns,
		   "functions have %llu instructions, the event %llu and the clock %llu",
		   (unsigned long long)functions, (unsigned long long)e->total,
		   (unsigned long long)e->clock_insns);
	FUZZ_CHECK(stacks == functions, "stacks have %llu instructions, functions %llu",
		   (unsigned long long)stacks, (unsigned long long)functions);
	FUZZ_CHECK(!lines || lines == stacks, "%llu instructions, in stacks %llu",
		   (unsigned long long)lines, (unsigned long long)stacks);
	e->run.id = "1";
	e->run.started = "2026-09-01T00:00:00Z";
	e->run.tool_version = "0";
	e->target.name = e->target.kind = "lab";
	e->machine.fingerprint = "0";
	e->machine.arch = arch == ARCH_X86_64 ? "x86_64" : "aarch64";
	e->config = "default";
	text = explanation_dump(e);
	FUZZ_CHECK(!explanation_parse(text, strlen(text), &back, &err), "%s: %s",
		   err.text, text);
	again = explanation_dump(back);
	FUZZ_CHECK(!strcmp(text, again), "%s\n%s", text, again);
	explanation_free(back);
	free(again);
	free(text);
	for (const struct explain_format *f = explain_formats; f->name; f++)
		if (!f->needs_timeline || e->n_timeline)
			f->write(fuzz_sink(), e);
}

static size_t code_lines(const char *text, size_t bytes)
{
	size_t n = 0;

	for (const char *line = text, *end; (end = memchr(line, '\n', bytes));
	     line = end + 1) {
		const char *blank = memchr(line, ' ', (size_t)(end - line));

		n += blank && end - blank > 2 && blank[2] == ' ' && blank[1] &&
		     strchr("tTwW", blank[1]);
		bytes -= (size_t)(end + 1 - line);
	}
	return n;
}

/* The text as the file that the agent of a lab reads: the lines about code, and no
 * others. */
static void read_kernel(const char *kallsyms, size_t bytes)
{
	char *text, *again;
	size_t n, n_again;

	FUZZ_CHECK(!symbols_read_kernel(fuzz_file(kallsyms, bytes), &text, &n) &&
			   n <= bytes,
		   "kallsyms cannot be read");
	FUZZ_CHECK(code_lines(text, n) == code_lines(kallsyms, bytes),
		   "%zu lines about code, and %zu are kept", code_lines(kallsyms, bytes),
		   code_lines(text, n));
	FUZZ_CHECK(!symbols_read_kernel(fuzz_file(text, n), &again, &n_again) &&
			   n_again == n && !memcmp(text, again, n),
		   "lines about code are left out");
	free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record_page *page = (struct record_page *)(void *)words;
	uint32_t *records = words + RECORD_PAGE_BYTES / 4;
	const struct touch_caches caches = { { 256, 2, 64 },
					     { 256, 2, 64 },
					     { 1024, 4, 64 } };
	struct fuzz_input in = { data, size };
	struct capture capture = { .fd = -1, .page = page, .bytes = sizeof(words) };
	struct explain_input what = { .timeline = true };
	struct explanation *e = explanation_new();
	struct error err = { "" };
	struct head h;
	size_t rows = 0, n;
	char *kallsyms;
	bool counts;

	fuzz_get(&in, &h, sizeof(h));
	counts = h.flags & FLAG_COUNTS;
	while (bench_table[rows].id)
		rows++;
	n = h.kallsyms_bytes < in.left ? h.kallsyms_bytes : in.left;
	kallsyms = malloc(n + 1);
	if (!kallsyms || !rows)
		abort();
	fuzz_get(&in, kallsyms, n);
	read_kernel(kallsyms, n);
	memcpy(payload.marks, marks, sizeof(marks));
	what.arch = h.flags & FLAG_AARCH64 ? ARCH_AARCH64 : ARCH_X86_64;
	what.benchmark = bench_table[h.bench % rows].id;
	what.kallsyms = kallsyms;
	what.kallsyms_bytes = n;
	what.l1 = !!memmem(kallsyms, n, "\n" TARGET_SYMBOLS_OF_L0 "\n",
			   sizeof("\n" TARGET_SYMBOLS_OF_L0 "\n") - 1) !=
		  !!(h.flags & FLAG_OTHER_LAB);
	what.kinds = h.flags & (FLAG_KINDS | FLAG_TOUCH);
	what.touch = h.flags & FLAG_TOUCH ? &caches : NULL;
	if (image_open(&what.payload, &payload, sizeof(payload)) ||
	    image_open(&what.vmm, &payload, sizeof(payload)))
		abort();
	what.vmm.bytes = sizeof(Elf64_Ehdr); /* without marks and symbols */
	if (h.flags & FLAG_LINES)
		what.debuginfo = debuginfo_new(what.arch);
	if (h.flags & FLAG_WORDS) {
		n = in.left / 4 < WORDS_MAX ? in.left / 4 : WORDS_MAX;
		fuzz_get(&in, records, n * 4);
	} else {
		n = translate(&in, what.arch == ARCH_AARCH64, records);
	}
	*page = (struct record_page){ .magic = RECORD_MAGIC,
				      .version = RECORD_VERSION,
				      .room = sizeof(words),
				      .written = n * 4,
				      .installed = 1,
				      .counts = counts };
	what.round_trip = first_event(&what, records, n, counts) - h.figure;
	if (!explain_build(&capture, &what, e, &err))
		check(e, what.arch);
	else
		FUZZ_CHECK(*err.text, "no message");
	explanation_free(e);
	if (what.debuginfo)
		debuginfo_free(what.debuginfo);
	free(kallsyms);
	return 0;
}
