/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench selftest`: the VMM's own tests, here or in a lab; TAP on stdout. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/cli/cmd.h"
#include "host/lib/message.h"
#include "host/cli/names.h"
#include "host/measure/matrix.h"
#include "host/selftest/selftest.h"
#include "host/targets/target.h"

#define TESTS_MAX 64

struct asked {
	const char *on;
	struct target_options options;
	const char *names[TESTS_MAX];
	size_t n;
};

static void print_help(void)
{
	fputs("Usage: wsbench selftest [--on kvm|lab:...] [--kernel IMAGE] "
	      "[--modules DIR] [TEST...]\n"
	      "Boots guests that notice what a VMM can get wrong. Prints TAP; exit code "
	      "1 if\na test failed.\n\nTests:\n",
	      stdout);
	for (size_t i = 0; selftest_name(i); i++)
		printf("  %s\n", selftest_name(i));
	fputs("\nOr alone: " SELFTEST_MATRIX ", every benchmark under every config, 20 "
	      "events each.\n",
	      stdout);
}

/* 0, or an enum cli_exit that is not CLI_OK; `help`: there is nothing to do. */
static int parse(int argc, char **argv, struct asked *a, bool *help)
{
	struct {
		const char *name;
		const char **value;
	} options[] = {
		{ "--on", &a->on },
		{ "--kernel", &a->options.kernel },
		{ "--modules", &a->options.modules },
		{ "--append", &a->options.append },
	};

	for (int i = 1; i < argc; i++) {
		size_t k = 0;

		*help = !strcmp(argv[i], "--help");
		if (*help)
			return CLI_OK;
		if (argv[i][0] != '-') {
			if (a->n == TESTS_MAX) {
				message_usage("wsbench selftest", "too many tests");
				return CLI_USAGE;
			}
			a->names[a->n++] = argv[i];
			continue;
		}
		while (k < sizeof(options) / sizeof(options[0]) &&
		       strcmp(options[k].name, argv[i]))
			k++;
		if (k == sizeof(options) / sizeof(options[0]) || ++i == argc) {
			message_usage("wsbench selftest", "%s",
				      i == argc ? "an option lacks its value"
						: "unknown option; see --help");
			return CLI_USAGE;
		}
		*options[k].value = argv[i];
	}
	return CLI_OK;
}

static void print_line(void *ctx, const char *text)
{
	int *failed = ctx;

	puts(text);
	fflush(stdout);
	*failed += !strncmp(text, "not ok ", 7);
}

static int matrix_here(const struct asked *a, const struct selftest_watch *watch)
{
	struct target t = *names_target("kvm");
	struct error err = { "" };
	int ret = t.ops->open(&t, &a->options, &err);

	if (!ret)
		ret = measure_matrix(&t, watch, &err);
	t.ops->close(&t);
	if (ret < 0)
		message_error("%s", err.text);
	return ret < 0 ? CLI_FAILED : ret ? CLI_WORSE : CLI_OK;
}

static int run_here(const struct asked *a)
{
	int failed = 0, ret;
	const struct selftest_watch watch = { &failed, print_line };
	char why[256] = "";

	if (a->n == 1 && !strcmp(a->names[0], SELFTEST_MATRIX))
		return matrix_here(a, &watch);
	ret = selftest_run(a->names, a->n, &watch, why, sizeof(why));
	if (ret == -ENOENT && strstr(why, "self-test")) {
		message_usage("wsbench selftest", "%s", why);
		return CLI_USAGE;
	}
	if (ret < 0) {
		message_error("%s", why);
		return CLI_FAILED;
	}
	return failed ? CLI_WORSE : CLI_OK;
}

static int run_in_lab(const struct target *row, const struct asked *a)
{
	struct error err = { "" };
	struct target t = *row;
	int failed = 0, rc;

	rc = t.ops->open(&t, &a->options, &err);
	if (!rc)
		rc = t.ops->selftest(&t, a->names, a->n, print_line, &failed, &err);
	t.ops->close(&t);
	if (rc) {
		message_error("%s", err.text);
		return CLI_FAILED;
	}
	return failed ? CLI_WORSE : CLI_OK;
}

int cmd_selftest(int argc, char **argv)
{
	struct asked a = { .on = "kvm", .options.cpu = -1 };
	const struct target *row;
	bool help = false;
	int code = parse(argc, argv, &a, &help);

	if (code != CLI_OK)
		return code;
	if (help) {
		print_help();
		return CLI_OK;
	}
	row = names_target(a.on);
	if (!row || (!row->ops->selftest && strcmp(row->name, "kvm"))) {
		message_usage("wsbench selftest", "'%s' is not kvm or a lab", a.on);
		return CLI_USAGE;
	}
	return row->ops->selftest ? run_in_lab(row, &a) : run_here(&a);
}
