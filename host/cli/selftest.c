/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench selftest`: the VMM's own tests, here or in a lab; TAP on stdout. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/lib/confine.h"
#include "host/lib/error.h"
#include "host/cli/cli.h"
#include "host/cli/options.h"
#include "host/cli/run.h"
#include "host/measure/measure.h"
#include "host/selftest/selftest.h"
#include "host/targets/kvm.h"
#include "host/targets/target.h"
#include "host/vmm/vmm.h"
#include "host/lib/process.h"

#define TESTS_MAX 64

enum key {
	OPTION_ON = 0x100,
	OPTION_CONFIG,
};

struct selftest_args {
	struct options_common common;
	const char *on, *config;
	struct job job;
	const char *tests[TESTS_MAX]; /* of `job` */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct selftest_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->job;
		state->child_inputs[1] = &args->common;
		return 0;
	case OPTION_ON:
		args->on = arg;
		return 0;
	case OPTION_CONFIG:
		args->config = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (args->job.n_tests == TESTS_MAX)
			return options_error(state, "too many tests");
		args->tests[args->job.n_tests++] = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* The names of the tests, after the options. */
static char *help_filter(int key, const char *text, void *input)
{
	char *help = NULL;
	size_t bytes;
	FILE *f;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	f = open_memstream(&help, &bytes);
	if (!f)
		abort();
	fputs("Tests (default: all but " SELFTEST_MATRIX " and " SELFTEST_PMU "):\n", f);
	for (size_t i = 0; selftest_name(i); i++)
		fprintf(f, "  %s\n", selftest_name(i));
	fputs("  " SELFTEST_MATRIX
	      "  every benchmark under every config, 20 events each; "
	      "alone\n"
	      "  " SELFTEST_PMU "  the PMU of an x86_64 guest against the manual; alone",
	      f);
	if (fclose(f))
		abort();
	return help;
}

static const struct argp_option options[] = {
	{ "on", OPTION_ON, "TARGET", 0, "Run the tests on kvm or in a lab (default: kvm)",
	  0 },
	{ "config", OPTION_CONFIG, "NAME", 0,
	  "For " SELFTEST_PMU ": the counter config of the guest (default: pmu-emulated)",
	  0 },
	{ 0 },
};

static const struct argp_child children[] = { { &options_lab, 0, OPTIONS_LAB, 0 },
					      { &options_common, 0, NULL, 0 },
					      { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[TEST...]",
	.doc = "Boots guests that test the VMM. Prints TAP; ends with 1 if a test "
	       "failed.\v",
	.children = children,
	.help_filter = help_filter,
};

static void print_line(void *ctx, const char *text)
{
	int *failed = ctx;

	puts(text);
	fflush(stdout);
	*failed += !strncmp(text, "not ok ", 7);
}

static int matrix_here(const struct selftest_args *a, const struct selftest_watch *watch)
{
	struct target t = *names_target("kvm");
	struct error err = { "" };
	int ret = t.ops->open(&t, &a->job, &err);

	if (!ret)
		ret = measure_matrix(&t, watch, &err);
	t.ops->close(&t);
	if (ret < 0)
		message_error("%s", err.text);
	return ret < 0 ? CLI_FAILED : ret ? CLI_WORSE : CLI_OK;
}

static void run_tests(const void *what, int kvm_fd,
		      void (*line)(void *ctx, const char *text), void *ctx)
{
	const struct selftest_args *a = what;
	const struct selftest_watch watch = { ctx, line };

	selftest_run(kvm_fd, a->tests, a->job.n_tests, &watch);
}

static int run_here(const struct selftest_args *a)
{
	int failed = 0, kvm_fd, ret = 0;
	const struct selftest_watch watch = { &failed, print_line };
	struct error err = { "" };

	if (a->job.kind == JOB_MATRIX)
		return matrix_here(a, &watch);
	kvm_fd = kvm_open(&err);
	if (kvm_fd >= 0 && confine_is_off())
		run_tests(a, kvm_fd, print_line, &failed);
	else if (kvm_fd >= 0)
		ret = kvm_apart_tests(run_tests, a, kvm_fd, print_line, &failed, &err);
	if (kvm_fd >= 0)
		close(kvm_fd);
	if (kvm_fd < 0 || ret) {
		message_error("%s", err.text);
		return CLI_FAILED;
	}
	return failed ? CLI_WORSE : CLI_OK;
}

static int run_in_lab(const struct target *row, const struct selftest_args *a)
{
	struct error err = { "" };
	struct target t = *row;
	int failed = 0, rc;

	target_catch_signals();
	rc = t.ops->open(&t, &a->job, &err);
	if (!rc)
		rc = t.ops->selftest(&t, &a->job, print_line, &failed, &err);
	t.ops->close(&t);
	if (rc) {
		message_error("%s", err.text);
		return rc == -ENOEXEC ? CLI_USAGE : CLI_FAILED;
	}
	return failed ? CLI_WORSE : CLI_OK;
}

/* The tests of the PMU are a guest, on whatever target of x86_64. */
static int run_pmu(const struct target *row, const struct selftest_args *a)
{
	const bool has_vm = strcmp(row->ops->kind, "bare");
	const char *name = a->config ? a->config : has_vm ? "pmu-emulated" : "default";
	const struct config *config = result_find_config(name);
	int failed = 0, rc;
	const struct selftest_watch watch = { &failed, print_line };
	struct error err = { "" };
	struct target t = *row;

	if (!config) {
		message_usage("wsbench selftest", "no config '%s'", name);
		return CLI_USAGE;
	}
	if (row->arch != ARCH_X86_64) {
		message_usage("wsbench selftest",
			      "'%s' is not x86_64, as the test " SELFTEST_PMU " is",
			      row->name);
		return CLI_USAGE;
	}
	if (!(config->archs & 1u << row->arch)) {
		message_usage("wsbench selftest", "the config '%s' is not for x86_64",
			      name);
		return CLI_USAGE;
	}
	target_catch_signals();
	rc = t.ops->probe(&t, &a->job, &err);
	if (rc) {
		message_error("%s: %s", row->name, err.text);
		return rc == -ENOEXEC ? CLI_USAGE : CLI_FAILED;
	}
	rc = t.ops->open(&t, &a->job, &err);
	if (!rc)
		rc = measure_pmu_tests(&t, config, &watch, &err);
	t.ops->close(&t);
	if (rc < 0)
		message_error("%s", err.text);
	return rc < 0 ? CLI_FAILED : rc ? CLI_WORSE : CLI_OK;
}

int cmd_selftest(int argc, char **argv)
{
	struct selftest_args a = { .on = "kvm", .job.cpu = -1 };
	const char *unknown;
	const struct target *row;
	bool pmu;
	enum cli_exit code;

	if (!options_go(&argp, "wsbench selftest", argc, argv, &a, &code))
		return code;
	a.job.tests = a.tests;
	a.job.kind = a.job.n_tests == 1 && !strcmp(a.tests[0], SELFTEST_MATRIX)
			     ? JOB_MATRIX
			     : JOB_SELFTEST;
	a.job.fetch = a.common.quiet ? JOB_FETCH_QUIETLY : JOB_FETCH;
	pmu = a.job.n_tests == 1 && !strcmp(a.tests[0], SELFTEST_PMU);
	if (a.config && !pmu) {
		message_usage("wsbench selftest",
			      "--config is for the test " SELFTEST_PMU);
		return CLI_USAGE;
	}
	row = names_target(a.on);
	if (!row || (!pmu && !row->ops->selftest && strcmp(row->name, "kvm"))) {
		message_usage("wsbench selftest", "'%s' is not kvm or a lab", a.on);
		return CLI_USAGE;
	}
	/* Before a lab boots. */
	unknown = pmu || a.job.kind == JOB_MATRIX
			  ? NULL
			  : selftest_unknown(a.tests, a.job.n_tests);
	if (unknown) {
		message_usage("wsbench selftest",
			      "no self-test '%s': 'wsbench selftest --help' lists them",
			      unknown);
		return CLI_USAGE;
	}
	if (run_check_options("wsbench selftest", &a.job, row) != CLI_OK)
		return CLI_USAGE;
	if (pmu)
		code = run_pmu(row, &a);
	else
		code = row->ops->selftest ? run_in_lab(row, &a) : run_here(&a);
	interrupt_pass_on();
	return code;
}
