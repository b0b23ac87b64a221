/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the command line: names, options, the text of tables. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/catalogue.h"
#include "host/lib/error.h"
#include "host/cli/options.h"
#include "host/cli/run.h"
#include "host/lib/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

Test(names, distance_counts_each_kind_of_edit_once)
{
	cr_expect_eq(names_distance("run", "run"), 0);
	cr_expect_eq(names_distance("rnu", "run"), 1); /* swap */
	cr_expect_eq(names_distance("ru", "run"), 1);
	cr_expect_eq(names_distance("runs", "run"), 1);
	cr_expect_eq(names_distance("ran", "run"), 1);
	cr_expect_eq(names_distance("", "run"), 3);
	cr_expect_eq(names_distance("kitten", "sitting"), 3);
	cr_expect_eq(names_distance("pio_in_user", "pio_out_user"), 3);
}

Test(names, distance_of_words_longer_than_the_matrix)
{
	char word[300];

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	cr_expect_eq(names_distance(word, word), 0);
	cr_expect_gt(names_distance(word, "run"), 3);
}

Test(names, only_a_near_name_is_suggested)
{
	static const char *const names[] = { "list", "run", "plot", "validate" };

	cr_expect_str_eq(names_nearest("rnu", names, 4), "run");
	cr_expect_str_eq(names_nearest("lst", names, 4), "list");
	cr_expect_str_eq(names_nearest("valdiat", names, 4), "validate");
	cr_expect_null(names_nearest("xyzzy", names, 4));
	cr_expect_null(names_nearest("", names, 4));
	/* The beginning of a name, before another name that is one edit away. */
	cr_expect_str_eq(names_nearest("val", names, 4), "validate");
	cr_expect_str_eq(
		names_nearest("hist", (const char *const[]){ "list", "history" }, 2),
		"history");
	/* Two letters allow one edit; of equally near names the first is suggested. */
	cr_expect_null(names_nearest("ab", names, 4));
}

Test(names, near_names_begin_with_the_word_or_contain_it)
{
	static const char *const names[] = { "svm_vcpu_run", "vcpu_run", "vcpu_run_vhe",
					     "vcpu_put", "memset" };
	char near[NAMES_NEAR_BYTES];

	names_near("vcpu_run", names, 5, near);
	cr_expect_str_eq(near, "'vcpu_run', 'vcpu_run_vhe'");
	names_near("pu_r", names, 5, near);
	cr_expect_str_eq(near, "'svm_vcpu_run', 'vcpu_run', 'vcpu_run_vhe'");
	names_near("memste", names, 5, near);
	cr_expect_str_eq(near, "'memset'");
	names_near("xyzzy", names, 5, near);
	cr_expect_str_eq(near, "");
}

static void expect_list(const struct names_list *list, const char *const *want, size_t n)
{
	cr_assert_eq(list->n, n, "%zu names instead of %zu", list->n, n);
	for (size_t i = 0; i < n; i++)
		cr_expect_str_eq(list->names[i], want[i]);
}

Test(names, lists_keep_their_order_and_name_each_once)
{
	static const char *const want[] = { "cpuid", "cr8_read", "cr8_write" };
	struct names_list list;
	struct error err;

	cr_assert_eq(names_match_benches("cpuid,cr8_*,cr8_write,cpuid", &list, &err), 0);
	expect_list(&list, want, COUNT(want));
	names_free(&list);
	cr_expect_eq(list.n, 0);
}

Test(names, a_star_selects_the_whole_catalogue)
{
	struct names_list list;
	struct error err;
	size_t n = 0;

	for (const struct bench *b = bench_table; b->id; b++)
		n += !(b->needs & OPT_IN);
	cr_assert_eq(names_match_benches("*", &list, &err), 0);
	cr_expect_eq(list.n, n);
	names_free(&list);
}

Test(names, core_combines_with_globs)
{
	struct names_list core, list;
	struct error err;

	cr_assert_eq(names_match_benches("core", &core, &err), 0);
	cr_assert_gt(core.n, 5);
	for (size_t i = 0; i < core.n; i++)
		cr_expect(result_find_bench(core.names[i])->needs & BENCH_CORE, "%s",
			  core.names[i]);

	cr_assert_eq(names_match_benches("core,cr8_*,hypercall", &list, &err), 0, "%s",
		     err.text);
	cr_assert_eq(list.n, core.n + 2);
	expect_list(&(struct names_list){ list.names, core.n }, core.names, core.n);
	cr_expect_str_eq(list.names[core.n], "cr8_read");
	cr_expect_str_eq(list.names[core.n + 1], "cr8_write");
	names_free(&list);

	cr_assert_eq(names_match_benches("cr8_*,core", &list, &err), 0);
	cr_assert_eq(list.n, core.n + 2);
	cr_expect_str_eq(list.names[0], "cr8_read");
	expect_list(&(struct names_list){ list.names + 2, core.n }, core.names, core.n);
	names_free(&list);
	names_free(&core);
	/* Only the word `core`, not a pattern that matches it. */
	cr_expect_lt(names_match_benches("cor*", &list, &err), 0);
}

/* WBINVD flushes the caches of the whole machine: a pattern does not select it. */
Test(names, harmful_rows_need_the_full_name)
{
	struct names_list list;
	struct error err;

	cr_assert_lt(names_match_benches("wbinv*", &list, &err), 0);
	cr_expect(strstr(err.text, "named in full"), "%s", err.text);
	cr_assert_eq(names_match_benches("cpuid,wbinvd", &list, &err), 0);
	cr_expect_eq(list.n, 2);
	names_free(&list);
	cr_assert_eq(names_match_benches("cpuid,wb*", &list, &err), 0);
	cr_expect_eq(list.n, 1);
	names_free(&list);
}

/* Single settings and mitigations are not in the way of patterns for other configs. */
Test(names, settings_and_mitigations_are_selected_by_their_own_patterns)
{
	struct names_list list;
	struct error err;
	size_t i;

	cr_assert_eq(names_match_configs("*", &list, &err), 0);
	for (i = 0; i < list.n; i++) {
		cr_expect(strncmp(list.names[i], "set-", 4), "%s", list.names[i]);
		cr_expect_str_neq(list.names[i], "mitigations-off");
	}
	names_free(&list);
	cr_assert_lt(names_match_configs("*-v2-off", &list, &err), 0);
	cr_assert_eq(names_match_configs("mitig*,spectre-v2-off", &list, &err), 0);
	cr_expect_eq(list.n, 2);
	names_free(&list);
	cr_assert_eq(names_match_configs("default,set-its", &list, &err), 0);
	cr_expect_eq(list.n, 2);
	names_free(&list);
	cr_assert_eq(names_match_configs("set-*", &list, &err), 0);
	cr_expect_eq(list.n, SETTINGS);
	names_free(&list);
}

Test(names, no_match_is_an_error_with_a_suggestion)
{
	struct names_list list;
	struct error err;

	cr_assert_lt(names_match_benches("cpuid,pio_ot_user", &list, &err), 0);
	cr_expect_str_eq(err.text, "no benchmark matches 'pio_ot_user': did you mean "
				   "'pio_out_user'?");
	cr_assert_lt(names_match_configs("pmu-of", &list, &err), 0);
	cr_expect_str_eq(err.text, "no config matches 'pmu-of': did you mean 'pmu-off'?");
	cr_assert_lt(names_match_benches("zzz*", &list, &err), 0);
	cr_expect(strstr(err.text, "wsbench list benchmarks"), "%s", err.text);
}

Test(names, empty_entries_are_errors)
{
	struct names_list list;
	struct error err;

	cr_expect_lt(names_match_benches("", &list, &err), 0);
	cr_expect_lt(names_match_benches("cpuid,,null", &list, &err), 0);
	cr_expect_lt(names_match_benches("cpuid,", &list, &err), 0);
}

static bool has(const struct names_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->names[i], name))
			return true;
	return false;
}

Test(names, all_selects_the_targets_of_the_suite_and_is_only_for_targets)
{
	struct names_list list;
	struct error err;

	cr_assert_eq(names_match_targets("all", &list, &err), 0);
	cr_expect(has(&list, "kvm"));
	cr_expect(has(&list, "lab:x86_64-svm"));
	cr_expect(!has(&list, "lab:x86_64-svm-qemu"));
	names_free(&list);
	cr_assert_eq(names_match_targets("lab:*,lab:x86_64-svm-qemu", &list, &err), 0);
	cr_expect(has(&list, "lab:x86_64-svm-qemu"));
	cr_expect(!has(&list, "lab:x86_64-vmx-skylake"));
	names_free(&list);
	cr_assert_eq(names_match_targets("all,bare:x86_64-bochs", &list, &err), 0);
	cr_expect(has(&list, "kvm"));
	cr_expect(has(&list, "bare:x86_64-bochs"));
	names_free(&list);
	cr_expect_lt(names_match_targets("bare:*-bochs", &list, &err), 0);
	cr_expect_str_eq(err.text, "target 'bare:x86_64-bochs' must be named in full");
	cr_assert_eq(names_match_targets("bare:*", &list, &err), 0);
	cr_expect_eq(list.n, 2);
	names_free(&list);
	cr_expect_lt(names_match_benches("all", &list, &err), 0);
}

Test(names, rows_are_found_by_exact_name)
{
	cr_expect_str_eq(result_find_bench("cpuid")->id, "cpuid");
	cr_expect_null(result_find_bench("cpui"));
	cr_expect_not_null(names_target("kvm"));
	cr_expect_null(names_target("lab"));
}

/* A command with one number and one file. */
struct sample {
	struct options_common common;
	uint64_t boots;
	const char *file;
	const char *args[4];
	size_t n_args;
};

static error_t parse_sample(int key, char *arg, struct argp_state *state)
{
	struct sample *s = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &s->common;
		return 0;
	case 'b':
		return options_number(state, "--boots", arg, 1, 1000, &s->boots);
	case 'o':
		s->file = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (s->n_args == 2)
			return ARGP_ERR_UNKNOWN;
		s->args[s->n_args++] = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static enum options_next parse_words(struct sample *s, const char *const *words, size_t n)
{
	static const struct argp_option options[] = {
		{ "boots", 'b', "N", 0, "How many", 0 },
		{ "output", 'o', "FILE", 0, "Where to", 0 },
		{ 0 },
	};
	static const struct argp_child children[] = { { &options_common, 0, NULL, 0 },
						      { 0 } };
	static const struct argp argp = { .options = options,
					  .parser = parse_sample,
					  .children = children };
	char *argv[16] = { NULL };

	*s = (struct sample){ .boots = 0 };
	for (size_t i = 0; i < n; i++)
		argv[i] = (char *)words[i];
	return options_parse(&argp, "wsbench try", (int)n, argv, s);
}

#define PARSE(s, ...)                                                                    \
	parse_words(s, (const char *const[]){ "try", __VA_ARGS__ },                      \
		    COUNT(((const char *const[]){ "try", __VA_ARGS__ })))

Test(options, values_and_arguments_in_any_order)
{
	struct sample s;

	cr_assert_eq(PARSE(&s, "a", "--boots", "12", "-ofile", "--quiet", "b"),
		     OPTIONS_RUN);
	cr_expect_eq(s.boots, 12);
	cr_expect_str_eq(s.file, "file");
	cr_expect(s.common.quiet);
	cr_expect_eq(s.n_args, 2);
	cr_expect_str_eq(s.args[0], "a");
	cr_expect_str_eq(s.args[1], "b");
}

Test(options, a_value_may_look_like_an_option)
{
	struct sample s;

	cr_assert_eq(PARSE(&s, "-o", "--nonsense", "--boots=0x10"), OPTIONS_RUN);
	cr_expect_str_eq(s.file, "--nonsense");
	cr_expect_eq(s.boots, 16);
}

Test(options, two_dashes_end_the_options)
{
	struct sample s;

	cr_assert_eq(PARSE(&s, "--", "--boots"), OPTIONS_RUN);
	cr_expect_eq(s.n_args, 1);
	cr_expect_str_eq(s.args[0], "--boots");
}

Test(options, posixly_correct_changes_nothing)
{
	struct sample s;

	setenv("POSIXLY_CORRECT", "1", 1);
	cr_assert_eq(PARSE(&s, "a", "--boots", "3"), OPTIONS_RUN);
	cr_expect_eq(s.boots, 3);
	cr_expect_eq(s.n_args, 1);
}

Test(options, misspelt_options_name_the_nearest, .init = cr_redirect_stderr)
{
	struct sample s;

	cr_expect_eq(PARSE(&s, "--boot", "3"), OPTIONS_BAD); /* no abbreviations */
	fflush(stderr);
	cr_expect_stderr_eq_str(
		"wsbench try: unknown option '--boot': did you mean '--boots'?\n");
}

Test(options, bad_numbers_are_one_line, .init = cr_redirect_stderr)
{
	struct sample s;

	cr_expect_eq(PARSE(&s, "--boots", "many"), OPTIONS_BAD);
	cr_expect_eq(PARSE(&s, "--boots", "0"), OPTIONS_BAD);
	cr_expect_eq(PARSE(&s, "--boots", "-1"), OPTIONS_BAD);
	cr_expect_eq(PARSE(&s, "--boots", "99999999999999999999"), OPTIONS_BAD);
	fflush(stderr);
	cr_expect_stderr_eq_str("wsbench try: --boots: 'many' is not a whole number\n"
				"wsbench try: --boots: 0 is out of range: 1 to 1000\n"
				"wsbench try: --boots: '-1' is not a whole number\n"
				"wsbench try: --boots: 99999999999999999999 is out of "
				"range: 1 to 1000\n");
}

Test(options, every_other_mistake_is_one_line, .init = cr_redirect_stderr)
{
	struct sample s;

	cr_expect_eq(PARSE(&s, "--boots"), OPTIONS_BAD);
	cr_expect_eq(PARSE(&s, "--quiet=1"), OPTIONS_BAD);
	cr_expect_eq(PARSE(&s, "-z"), OPTIONS_BAD);
	cr_expect_eq(PARSE(&s, "a", "b", "c"), OPTIONS_BAD);
	fflush(stderr);
	cr_expect_stderr_eq_str(
		"wsbench try: option '--boots' needs a value\n"
		"wsbench try: option '--quiet' takes no value\n"
		"wsbench try: unknown option '-z': 'wsbench try --help' lists the "
		"options\n"
		"wsbench try: unexpected argument 'c'\n");
}

Test(options, no_color_reaches_the_environment)
{
	struct sample s;

	unsetenv("NO_COLOR");
	cr_assert_eq(PARSE(&s, "--no-color"), OPTIONS_RUN);
	cr_expect_str_eq(getenv("NO_COLOR"), "1");
}

Test(message, control_characters_cannot_reach_the_terminal, .init = cr_redirect_stderr)
{
	message_error("a\033[2Jb\nc\rd\177\n");
	cr_expect_stderr_eq_str("wsbench: error: a\\x1b[2Jb c\\x0dd\\x7f\n");
}

static void expect_clean(const char *text, const char *clean)
{
	char *got = text_cleaned(text);

	cr_expect_str_eq(got, clean, "%s", got);
	free(got);
}

Test(text, c1_and_bidirectional_controls_are_escaped)
{
	expect_clean("a\u202eb\u2066\u200f\u061c", "a\\u202eb\\u2066\\u200f\\u061c");
	expect_clean("\xc2\x9b"
		     "[m",
		     "\\x9b[m");
	expect_clean("\xc2\x80 \xc2\x9f \xc2\xa0", "\\x80 \\x9f \xc2\xa0");
	/* Not UTF-8: a Latin-1 terminal would interpret the byte. */
	expect_clean("\x9b"
		     "31m \xe9t\xe9 \xc0\x9b",
		     "\\x9b31m \\xe9t\\xe9 \\xc0\\x9b");
	expect_clean("\u00b5\u20ac\U0001f600", "\u00b5\u20ac\U0001f600");
	/* Cut within a character. */
	expect_clean("a\xe2\x82", "a");
}

Test(text, cleaning_in_place_ends_within_the_room_at_a_character)
{
	char text[10] = "\u20ac\x1b\x1b";

	text_clean(text, 6);
	cr_expect_str_eq(text, "\u20ac\\x");
	strcpy(text, "a\u20ac");
	text_clean(text, 4);
	cr_expect_str_eq(text, "a");
}

Test(message, percent_m_is_the_callers_errno, .init = cr_redirect_stderr)
{
	errno = ENOSPC;
	message_error("a: %m");
	cr_expect_stderr_eq_str("wsbench: error: a: No space left on device\n");
}

Test(text, wraps_between_words)
{
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	text_wrap(f, "one two  three averyverylongword x", 4, 2, 14);
	fclose(f);
	cr_expect_str_eq(text, "one two\n  three\n  averyverylongword\n  x\n", "%s",
			 text);
	free(text);
}
