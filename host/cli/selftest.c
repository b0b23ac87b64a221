/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench selftest`: the VMM's own tests, here or in a lab; TAP on stdout. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cmd.h"
#include "host/cli/message.h"
#include "host/cli/names.h"
#include "host/lab/wire.h"
#include "host/target/selftest.h"
#include "host/target/target.h"

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

static int run_here(const struct asked *a)
{
	int failed = 0, ret;
	const struct selftest_watch watch = { &failed, print_line };
	char why[256] = "";

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

static int no_document(void *ctx, const char *json, size_t bytes)
{
	(void)ctx;
	(void)json;
	(void)bytes;
	return -EBADMSG;
}

static int run_in_lab(const struct target *row, const struct asked *a)
{
	int failed = 0, rc;
	const struct target_sink sink = {
		.ctx = &failed,
		.header = no_document,
		.benchmark = no_document,
		.line = print_line,
	};
	const struct target_job job = {
		.command = "selftest",
		.benches = a->names,
		.n_benches = a->n,
	};
	struct target_error err = { "" };
	struct target t = *row;

	rc = t.ops->open(&t, &a->options, &err);
	if (!rc)
		rc = t.ops->delegate(&t, &job, &sink, &err);
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
	if (!row || (!row->ops->delegate && strcmp(row->name, "kvm"))) {
		message_usage("wsbench selftest", "'%s' is not kvm or a lab", a.on);
		return CLI_USAGE;
	}
	return row->ops->delegate ? run_in_lab(row, &a) : run_here(&a);
}

static void send_line(void *ctx, const char *text)
{
	(void)lab_wire_line(ctx, text);
}

int cmd_selftest_in_lab(int argc, char **argv, struct lab_wire *wire)
{
	const struct selftest_watch watch = { wire, send_line };
	struct asked a = { .on = NULL };
	bool help = false;
	char why[256] = "";
	int ret;

	if (parse(argc, argv, &a, &help) != CLI_OK || help) {
		lab_wire_failure(wire, "the job's command line does not parse");
		return CLI_USAGE;
	}
	ret = selftest_run(a.names, a.n, &watch, why, sizeof(why));
	if (ret < 0)
		lab_wire_failure(wire, why);
	return ret < 0 ? CLI_FAILED : ret ? CLI_WORSE : CLI_OK;
}
