/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of lines of source: reading DWARF of this very program and of a module that
 * the compiler makes, and the views.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/explain/symbols.h"
#include "host/explain/explain_text.h"
#include "host/explain/explanation.h"
#include "host/lib/file.h"
#include "host/lib/table.h"

/* ------------------------------ DWARF ------------------------------ */

/* This program says that it is a kernel: debuginfo_bind() searches for the banner. */
#define RELEASE "9.9.9-unit"
static const char *volatile banner = "Linux version " RELEASE " (unit test)";

/* The lines that the functions below are on; each sets its own. */
static volatile int line_inlined, line_first, line_second;

static inline __attribute__((always_inline)) int inlined(volatile int *p)
{
	return (line_inlined = __LINE__) + p[0] * 7 + p[1];
}

static __attribute__((noinline)) int lines_first(volatile int *p)
{
	return (line_first = __LINE__) + inlined(p) + 1;
}

static __attribute__((noinline)) int lines_second(volatile int *p)
{
	p[0] = 3;
	return (line_second = __LINE__) + inlined(p) - 1;
}

/* Where the kernel of these tests has this program. */
#define OFFSET 0xffffffff00000000ull

static struct debuginfo_code code_at(const void *function, const char *name,
				     size_t offset)
{
	const uint8_t *bytes = (const uint8_t *)function + offset;

	return (struct debuginfo_code){
		.vaddr = (uint64_t)(uintptr_t)bytes + OFFSET,
		.bytes = bytes,
		.n_bytes = 4,
		.space = SPACE_KERNEL,
		.function_vaddr = (uint64_t)(uintptr_t)function + OFFSET,
		.function = name,
	};
}

/* Opens a file; ends the test where this program has no libdw. */
static struct debuginfo *open_debuginfo(const char *path)
{
	struct debuginfo *d = debuginfo_new(ARCH_X86_64);
	struct error err = { "" };
	int rc = debuginfo_add(d, path, &err);

	if (rc == -ENOSYS)
		cr_skip_test("no libdw: %s", err.text);
	cr_assert_eq(rc, 0, "%s", err.text);
	return d;
}

static bool ends_with(const char *text, const char *end)
{
	return text && strlen(text) >= strlen(end) &&
	       !strcmp(text + strlen(text) - strlen(end), end);
}

/* Whether the inlined function is in `function` at `line`. */
static bool has_inlined(struct debuginfo *d, const void *function, const char *name,
			int line)
{
	struct debuginfo_frame frames[DEBUGINFO_DEPTH_MAX];

	for (size_t i = 0; i < 1024; i++) {
		struct debuginfo_code c = code_at(function, name, i);

		if (debuginfo_find(d, &c, frames) == 2 &&
		    !strcmp(frames[1].function, "inlined") &&
		    ends_with(frames[1].file, "host/tests/unit_lines.c") &&
		    frames[1].line == (uint64_t)line_inlined &&
		    frames[0].line == (uint64_t)line)
			return true;
	}
	return false;
}

Test(debuginfo, has_the_lines_of_inlined_functions_and_of_their_calls)
{
	struct debuginfo *d = open_debuginfo("/proc/self/exe");
	const struct debuginfo_code code[] = {
		code_at((void *)lines_first, "lines_first", 0),
		code_at((void *)lines_second, "lines_second", 0),
	};
	struct debuginfo_frame frames[DEBUGINFO_DEPTH_MAX];
	struct error err = { "" };
	volatile int numbers[2] = { 1, 2 };

	cr_assert_eq(debuginfo_bind(d, RELEASE, code, 2, &err), 0, "%s", err.text);
	cr_expect_gt(lines_first(numbers) + lines_second(numbers), 0);
	cr_expect_gt(debuginfo_find(d, &code[0], frames), 0);
	cr_expect(ends_with(frames[0].file, "host/tests/unit_lines.c"), "%s",
		  frames[0].file);
	cr_expect(has_inlined(d, (void *)lines_first, "lines_first", line_first));
	cr_expect(has_inlined(d, (void *)lines_second, "lines_second", line_second));
	cr_expect_not(has_inlined(d, (void *)lines_second, "lines_second", 1));
	debuginfo_free(d);
}

Test(debuginfo, refuses_another_kernel)
{
	struct debuginfo *d = open_debuginfo("/proc/self/exe");
	const struct debuginfo_code code = code_at((void *)lines_first, "lines_first", 0);
	struct error err = { "" };

	cr_expect_not_null(strstr(banner, RELEASE));
	cr_expect_eq(debuginfo_bind(d, "6.1.0-1", &code, 1, &err), -ENOEXEC);
	cr_expect_str_eq(err.text, "/proc/self/exe: is of Linux " RELEASE
				   ", but Linux 6.1.0-1 ran");
	debuginfo_free(d);
}

/* The functions of another build are elsewhere, have other code, or do not exist. */
Test(debuginfo, refuses_another_build)
{
	static const uint8_t other[4] = { 0x06, 0x06, 0x06, 0x06 };
	const struct debuginfo_code right[] = {
		code_at((void *)lines_first, "lines_first", 0),
		code_at((void *)lines_second, "lines_second", 0),
	};
	struct debuginfo *d = open_debuginfo("/proc/self/exe");
	struct debuginfo_code wrong[2];
	struct error err = { "" };

	memcpy(wrong, right, sizeof(wrong));
	wrong[1].function_vaddr += 64;
	cr_expect_eq(debuginfo_bind(d, RELEASE, wrong, 2, &err), -ENOEXEC);
	cr_expect_str_eq(
		err.text,
		"/proc/self/exe: is of another build of Linux " RELEASE
		": of the 2 functions that ran, 2 are in the file, and 1 of them "
		"where they ran");
	memcpy(wrong, right, sizeof(wrong));
	wrong[0].bytes = wrong[1].bytes = other;
	cr_expect_eq(debuginfo_bind(d, RELEASE, wrong, 2, &err), -ENOEXEC);
	memcpy(wrong, right, sizeof(wrong));
	wrong[0].function = "no_such_function";
	wrong[1].function = "nor_this";
	cr_expect_eq(debuginfo_bind(d, RELEASE, wrong, 2, &err), -ENOEXEC);
	cr_expect_eq(debuginfo_bind(d, RELEASE, right, 2, &err), 0, "%s", err.text);
	debuginfo_free(d);
}

Test(debuginfo, refuses_files_without_debug_information)
{
	struct debuginfo *d = open_debuginfo("/proc/self/exe");
	char folder[] = "/tmp/unit_lines.XXXXXX", path[64];
	struct error err;

	cr_expect_eq(debuginfo_add(d, "/nonexistent/vmlinux", &err), -ENOENT);
	cr_expect_eq(debuginfo_add(d, "/dev/null", &err), -ENOEXEC);
	cr_assert_not_null(mkdtemp(folder));
	cr_expect_eq(debuginfo_add(d, folder, &err), -ENOENT);
	cr_expect(strstr(err.text, "has no vmlinux and no kernel modules"), "%s",
		  err.text);
	/* A folder's files are not opened before something of them ran. */
	snprintf(path, sizeof(path), "%s/kvm.ko", folder);
	cr_assert_eq(file_replace(path, "text", 4), 0);
	cr_expect_eq(debuginfo_add(d, folder, &err), 0);
	cr_expect_eq(debuginfo_add(d, path, &err), -ENOEXEC);
	unlink(path);
	rmdir(folder);
	debuginfo_free(d);
}

static const char module_source[] =
	"static const char release[] __attribute__((section(\".modinfo\"), used)) =\n"
	"\t\"vermagic=" RELEASE " SMP\";\n"
	"int module_one(int a) { return a + 1; }\n"
	"__attribute__((section(\".noinstr.text\"))) int module_two(int a)\n"
	"{\n"
	"\treturn a * 3;\n"
	"}\n";

/* Linux loads each section of a module where it likes. */
Test(debuginfo, finds_the_sections_of_a_module)
{
	char folder[] = "/tmp/unit_lines.XXXXXX", source[64], module[64], command[256];
	const struct debuginfo_code code[] = {
		{ .vaddr = 0xffffffffc0001000,
		  .space = SPACE_KERNEL,
		  .function_vaddr = 0xffffffffc0001000,
		  .function = "module_one",
		  .module = "two_words" },
		{ .vaddr = 0xffffffffc0457000,
		  .space = SPACE_KERNEL,
		  .function_vaddr = 0xffffffffc0457000,
		  .function = "module_two",
		  .module = "two_words" },
		{ .vaddr = 0xffffffffc0001000,
		  .space = SPACE_KERNEL,
		  .function_vaddr = 0xffffffffc0001000,
		  .function = "module_one",
		  .module = "other" },
	};
	struct debuginfo_frame frames[DEBUGINFO_DEPTH_MAX];
	struct error err = { "" };
	struct debuginfo *d;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(source, sizeof(source), "%s/source.c", folder);
	snprintf(module, sizeof(module), "%s/two-words.ko", folder);
	/*
	 * The name of the source in DWARF is then without "..", and relative to the
	 * folder of the compilation.
	 */
	snprintf(command, sizeof(command),
		 "cd / && CCACHE_DISABLE=1 cc -O1 -g -c %s/../%s/source.c -o %s", folder,
		 strrchr(folder, '/') + 1, module);
	cr_assert_eq(file_replace(source, module_source, strlen(module_source)), 0);
	if (system(command)) // NOLINT(cert-env33-c): a fixed command
		cr_skip_test("no compiler");
	d = open_debuginfo(folder);
	cr_assert_eq(debuginfo_bind(d, RELEASE, code, 3, &err), 0, "%s", err.text);
	cr_expect_eq(debuginfo_find(d, &code[0], frames), 1);
	cr_expect_eq(frames[0].line, 3);
	cr_expect_str_eq(frames[0].file, source);
	cr_expect_eq(debuginfo_find(d, &code[1], frames), 1);
	cr_expect(frames[0].line == 5 || frames[0].line == 6);
	cr_expect_eq(debuginfo_find(d, &code[2], frames), 0, "of another module");
	/* The release of another kernel: a folder without anything that fits. */
	cr_expect_eq(debuginfo_bind(d, "6.1", code, 1, &err), -ENOEXEC);
	cr_expect(ends_with(err.text,
			    "two-words.ko: is of Linux " RELEASE ", but Linux 6.1 ran"),
		  "%s", err.text);
	debuginfo_free(d);
	unlink(source);
	unlink(module);
	rmdir(folder);
}

/* A file that could not be opened is not taken for an open one the next time. */
Test(debuginfo, a_module_without_debug_information_is_refused_twice)
{
	char folder[] = "/tmp/unit_lines.XXXXXX", source[64], module[64], command[256];
	const struct debuginfo_code code = { .vaddr = 0xffffffffc0001000,
					     .space = SPACE_KERNEL,
					     .function_vaddr = 0xffffffffc0001000,
					     .function = "module_one",
					     .module = "plain" };
	struct error err = { "" };
	struct debuginfo *d;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(source, sizeof(source), "%s/source.c", folder);
	snprintf(module, sizeof(module), "%s/plain.ko", folder);
	snprintf(command, sizeof(command), "cc -O1 -g0 -c %s -o %s", source, module);
	cr_assert_eq(file_replace(source, module_source, strlen(module_source)), 0);
	if (system(command)) // NOLINT(cert-env33-c): a fixed command
		cr_skip_test("no compiler");
	d = open_debuginfo(folder);
	for (int i = 0; i < 2; i++) {
		*err.text = '\0';
		cr_expect_eq(debuginfo_bind(d, RELEASE, &code, 1, &err), -ENOEXEC, "%d",
			     i);
		cr_expect(strstr(err.text, "plain.ko: has no debug information (DWARF)"),
			  "%d: %s", i, err.text);
	}
	debuginfo_free(d);
	unlink(source);
	unlink(module);
	rmdir(folder);
}

Test(debuginfo, a_folder_that_cannot_be_read_is_not_an_empty_one)
{
	struct debuginfo *d = open_debuginfo("/proc/self/exe");
	char folder[] = "/tmp/unit_lines.XXXXXX", below[64];
	struct error err;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(below, sizeof(below), "%s/below", folder);
	cr_assert_eq(mkdir(below, 0), 0);
	cr_assert_eq(chmod(folder, 0755), 0);
	/* The administrator can read everything. */
	if (!geteuid() && seteuid(65534))
		cr_skip_test("the user cannot be changed");
	cr_expect_eq(debuginfo_add(d, folder, &err), -EACCES);
	cr_expect(strstr(err.text, "cannot read all of"), "%s", err.text);
	if (!getuid())
		cr_expect_eq(seteuid(0), 0);
	rmdir(below);
	rmdir(folder);
	debuginfo_free(d);
}

/* ------------------------------ views ------------------------------ */

static void add_location(struct explanation *e, const char *name, uint64_t offset,
			 uint64_t line, const char *inlined_name, uint64_t inlined_line)
{
	struct explanation_location *l = explanation_add_location(e);
	struct explanation_source *s;

	l->name = name;
	l->space = "kernel";
	l->offset = offset;
	if (!line)
		return;
	s = explanation_add_source(e, l);
	*s = (struct explanation_source){ name, "kvm/run.c", line };
	if (!inlined_name)
		return;
	s = explanation_add_source(e, l);
	*s = (struct explanation_source){ inlined_name, "include/inner.h", inlined_line };
}

static void add_insn(struct explanation *e, struct explanation_stack *s,
		     uint64_t location, uint64_t insns)
{
	struct explanation_insn *i = explanation_add_insn(e, s);

	i->location = location;
	i->insns = insns;
	s->insns += insns;
	e->total += insns;
}

/* run() calls leaf(), and inlines inner(); asm_entry() has no debug information. */
static struct explanation *example(void)
{
	struct explanation *e = explanation_new();
	struct explanation_stack *s;

	e->run.id = e->run.started = e->run.tool_version = "1";
	e->target.name = "lab:test";
	e->target.kind = "lab";
	e->machine.fingerprint = "0";
	e->machine.arch = "x86_64";
	e->benchmark = "hypercall";
	e->config = "default";
	e->unit = "insns";
	add_location(e, "run", 0, 3, NULL, 0);
	add_location(e, "run", 4, 4, "inner", 2);
	add_location(e, "run", 8, 4, "inner", 2);
	add_location(e, "leaf", 0, 20, NULL, 0);
	add_location(e, "leaf", 2, 20, NULL, 0);
	add_location(e, "asm_entry", 0x10, 0, NULL, 0);
	s = explanation_add_stack(e, 1);
	s->frames[0] = "run";
	add_insn(e, s, 0, 10);
	add_insn(e, s, 1, 5);
	add_insn(e, s, 2, 6);
	s = explanation_add_stack(e, 2);
	s->frames[0] = "run";
	s->frames[1] = "leaf";
	add_insn(e, s, 3, 2);
	add_insn(e, s, 4, 1);
	explanation_add_sites(e, s);
	s->sites[0].location = 2;
	s = explanation_add_stack(e, 1);
	s->frames[0] = "asm_entry";
	add_insn(e, s, 5, 4);
	return e;
}

Test(lines, read_back_equal)
{
	struct explanation *e = example(), *back;
	struct error err;
	char *text, *again;

	text = explanation_dump(e);
	cr_assert_eq(explanation_parse(text, strlen(text), &back, &err), 0, "%s",
		     err.text);
	again = explanation_dump(back);
	cr_expect_str_eq(text, again);
	cr_expect(explanation_has_lines(back));
	cr_expect_eq(back->stacks[1].sites[0].location, 2);
	cr_expect_str_eq(back->locations[1].sources[1].function, "inner");
	cr_expect_eq(back->locations[5].n_sources, 0);
	free(text);
	free(again);
	explanation_free(e);
	explanation_free(back);
}

Test(lines, are_ignored_unless_they_sum_up)
{
	struct explanation *e = example();
	char *text;

	cr_expect(explanation_has_lines(e));
	e->stacks[0].instructions[0].insns++;
	cr_expect_not(explanation_has_lines(e));
	e->stacks[0].instructions[0].insns--;
	e->stacks[0].instructions[1].location = 6;
	cr_expect_not(explanation_has_lines(e));
	e->stacks[0].instructions[1].location = 1;
	e->stacks[1].sites[0].location = 6;
	cr_expect_not(explanation_has_lines(e));
	e->stacks[1].sites[0].location = -1;
	cr_expect(explanation_has_lines(e));
	e->stacks[1].n_sites = 0;
	cr_expect(explanation_has_lines(e));
	e->stacks[2].n_sites = 1;
	e->stacks[2].sites = e->stacks[1].sites;
	cr_expect_not(explanation_has_lines(e));
	explanation_free(e);
	/* Documents without lines have no members for them. */
	e = example();
	e->n_locations = e->stacks[0].n_instructions = e->stacks[1].n_instructions = 0;
	e->stacks[1].n_sites = e->stacks[2].n_instructions = 0;
	cr_expect_not(explanation_has_lines(e));
	text = explanation_dump(e);
	cr_expect_null(strstr(text, "locations"));
	cr_expect_null(strstr(text, "instructions"));
	cr_expect_null(strstr(text, "sites"));
	free(text);
	explanation_free(e);
}

/* The text with runs of blanks replaced by one blank; caller frees. */
static char *squeezed(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++)
		if (*from != ' ' || (from[1] != ' ' && from[1] != '\n'))
			*to++ = *from;
	*to = '\0';
	return text;
}

static char *lines_text(const struct explanation *e, uint64_t most, const char *source)
{
	const struct table_options o = { .columns = 100 };
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	explain_print_lines(f, e, most, source, &o);
	fclose(f);
	return squeezed(text);
}

static char *annotated_text(const struct explanation *e, const char *function,
			    const char *source)
{
	const struct table_options o = { .columns = 100 };
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);
	bool found = explain_print_annotated(f, e, function, source, &o);

	fclose(f);
	if (found)
		return squeezed(text);
	free(text);
	return NULL;
}

static void expect_has(const char *text, const char *part)
{
	cr_expect(text && strstr(text, part), "\"%s\" is not in:\n%s", part, text);
}

Test(lines, are_sorted_and_sum_up)
{
	struct explanation *e = example();
	char *text = lines_text(e, 10, NULL);

	expect_has(text, "\ninclude/inner.h:2 11 39.3 % 39.3 % inner in run\n"
			 "kvm/run.c:3 10 35.7 % 75.0 % run\n"
			 "no line 4 14.3 % 89.3 % asm_entry\n"
			 "kvm/run.c:20 3 10.7 % 100.0 % leaf\n");
	free(text);
	text = lines_text(e, 1, NULL);
	expect_has(text, "\n3 more 17 60.7 % 100.0 %\n");
	free(text);
	/* The cost of the clock, if not part of a function, is a line of its own. */
	e->clock_insns = 3;
	e->total -= 3;
	text = lines_text(e, 1, NULL);
	expect_has(text, "clock -3 -12.0 % 100.0 %\n");
	free(text);
	explanation_free(e);
}

Test(lines, of_a_function_are_listed_by_address)
{
	struct explanation *e = example();
	char *text = annotated_text(e, "run", NULL);

	expect_has(text, "run (kernel): 21 instructions at 3 addresses\n");
	expect_has(text, "10 +0x0 kvm/run.c:3\n"
			 " 5 +0x4 include/inner.h:2 inner at line 4\n"
			 " 6 +0x8\n"
			 " 21 total\n");
	free(text);
	text = annotated_text(e, "inner", NULL);
	expect_has(text,
		   "inner, inlined in run (kernel): 11 instructions at 2 addresses\n");
	free(text);
	text = annotated_text(e, "asm_entry", NULL);
	expect_has(text, "4 +0x10 no line\n");
	free(text);
	cr_expect_null(annotated_text(e, "other", NULL));
	explanation_free(e);
}

Test(lines, are_printed_with_the_source)
{
	static const char source[] = "int run(void)\n{\n\tstart();\n\tinner();\n}\n";
	char folder[] = "/tmp/unit_lines.XXXXXX", path[80], below[60];
	struct explanation *e = example();
	char *text;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(below, sizeof(below), "%s/kvm", folder);
	snprintf(path, sizeof(path), "%s/run.c", below);
	cr_assert_eq(mkdir(below, 0777), 0);
	cr_assert_eq(file_replace(path, source, strlen(source)), 0);
	text = annotated_text(e, "run", folder);
	expect_has(text, "10 3 start();\n 11 4 inner();\n 21 total\n");
	expect_has(text, "10 +0x0 kvm/run.c:3 start();\n");
	free(text);
	/* The source is that of most instructions, not that of the first address. */
	e->locations[0].sources[0].file = "include/macro.h";
	text = annotated_text(e, "run", folder);
	expect_has(text, "11 4 inner();\n");
	expect_has(text, "10 in other files, or without a line\n 21 total\n");
	free(text);
	e->locations[0].sources[0].file = "kvm/run.c";
	/* The file has no line 20: the sum holds. */
	text = annotated_text(e, "leaf", folder);
	expect_has(text, "3 in other files, or without a line\n 3 total\n");
	free(text);
	text = lines_text(e, 10, folder);
	expect_has(text, "kvm/run.c:3 10 35.7 % 75.0 % run: start();\n");
	free(text);
	/* Documents are from anywhere: no file outside of the folder is read. */
	e->locations[0].sources[0].file = "../../../../../../etc/passwd";
	text = annotated_text(e, "run", below);
	cr_expect_null(strstr(text, "root"));
	free(text);
	unlink(path);
	rmdir(below);
	rmdir(folder);
	explanation_free(e);
}
