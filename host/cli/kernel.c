/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench kernel`: scripts/kernel.sh, which lists, fetches, configures and takes
 * kernels. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/cli.h"
#include "host/cli/options.h"
#include "host/lib/error.h"
#include "host/lib/process.h"

enum key {
	OPTION_ARCH = 0x100,
	OPTION_SERIES,
	OPTION_FLAVOUR,
	OPTION_SUITE,
	OPTION_RELEASE,
	OPTION_REFRESH,
	OPTION_TREE,
	OPTION_TO,
};

static const struct argp_option options[] = {
	{ "arch", OPTION_ARCH, "ARCH", 0,
	  "Kernels for x86_64 or aarch64 (default: this machine's)", 0 },
	{ "series", OPTION_SERIES, "X.Y,...", 0,
	  "Kernels of these series (default: list all, fetch 6.1); fetch prints a folder "
	  "for each",
	  0 },
	{ "flavour", OPTION_FLAVOUR, "FLAVOUR", 0,
	  "Kernels of this flavour: cloud, plain or rt (default: list all, fetch cloud)",
	  0 },
	{ "suite", OPTION_SUITE, "SUITE,...", 0,
	  "Look in these suites of Debian, such as trixie-backports,sid, or in all "
	  "(default: those of this system; fetch looks in all if they do not have the "
	  "kernel)",
	  0 },
	{ "release", OPTION_RELEASE, "RELEASE", 0,
	  "Fetch exactly this kernel, such as 6.1.0-44-cloud-amd64, or without what "
	  "follows the version: 6.1.0-44, 6.12.113; or a stable version that a kernel was "
	  "built from: 6.1.192",
	  0 },
	{ "refresh", OPTION_REFRESH, NULL, 0,
	  "Look for newer kernels even if one is cached", 0 },
	{ "tree", OPTION_TREE, "DIR", 0,
	  "config: the source tree of a kernel; take: the folder of its build", 0 },
	{ "to", OPTION_TO, "DIR", 0,
	  "take: the folder for image, config and KVM's modules; config: the folder of the "
	  "build, for make O=DIR (default: the tree)",
	  0 },
	{ 0 },
};

/* More than the longest command line that parse() makes. */
#define WORDS_MAX 32

struct kernel_args {
	struct options_common common;
	const char *command;
	const char *kernel;	      /* RELEASE or SERIES; NULL */
	const char *words[WORDS_MAX]; /* of kernel.sh; the first is its path */
	size_t n;
};

static error_t add(struct kernel_args *args, const char *option, char *value,
		   const struct argp_state *state)
{
	/* Room for the value, the command, --quiet and the end. */
	if (args->n + 5 > WORDS_MAX)
		return options_error(state, "too many options");
	args->words[args->n++] = option;
	if (value)
		args->words[args->n++] = value;
	return 0;
}

/* What --kernel of other commands takes: a series, or a release. */
static error_t parse_kernel(char *arg, struct kernel_args *args,
			    const struct argp_state *state)
{
	size_t digits = strspn(arg, "0123456789");
	bool fetches =
		!strcmp(args->command, "fetch") || !strcmp(args->command, "changelog");
	const char *minor = arg + digits + 1;

	if (!fetches)
		return ARGP_ERR_UNKNOWN;
	if (args->kernel)
		return options_error(
			state,
			"only one kernel, not also '%s' (--series 6.1,7.3: several)",
			arg);
	args->kernel = arg;
	if (!digits || arg[digits] != '.')
		return options_error(
			state,
			"'%s' is not a release (6.12.113) or a series (7.3): 'wsbench kernel list' prints them",
			arg);
	return add(args, minor[strspn(minor, "0123456789")] ? "--release" : "--series",
		   arg, state);
}

static error_t parse_command(char *arg, struct kernel_args *args,
			     const struct argp_state *state)
{
	static const char *const commands[] = { "list", "fetch", "config", "take",
						"changelog" };
	const size_t n = sizeof(commands) / sizeof(commands[0]);
	const char *nearest;

	if (args->command)
		return parse_kernel(arg, args, state);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(arg, commands[i]))
			args->command = commands[i];
	if (args->command)
		return 0;
	nearest = names_nearest(arg, commands, n);
	if (nearest)
		return options_error(state, "unknown command '%s': did you mean '%s'?",
				     arg, nearest);
	return options_error(
		state, "unknown command '%s': list, fetch, config, take or changelog",
		arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct kernel_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		return 0;
	case OPTION_ARCH:
		return add(args, "--arch", arg, state);
	case OPTION_SERIES:
		return add(args, "--series", arg, state);
	case OPTION_FLAVOUR:
		return add(args, "--flavour", arg, state);
	case OPTION_SUITE:
		return add(args, "--suite", arg, state);
	case OPTION_RELEASE:
		return add(args, "--release", arg, state);
	case OPTION_REFRESH:
		return add(args, "--refresh", NULL, state);
	case OPTION_TREE:
		return add(args, "--tree", arg, state);
	case OPTION_TO:
		return add(args, "--to", arg, state);
	case ARGP_KEY_ARG:
		return parse_command(arg, args, state);
	case ARGP_KEY_END:
		if (!args->command)
			return options_error(state,
					     "list, fetch, config, take or changelog?");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = { { &options_common, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "list|fetch|config|take|changelog [RELEASE|SERIES]",
	.doc = "The kernels that the labs boot. list prints the kernels that Debian offers "
	       "and the cached kernels: release, package version, suite and state. fetch "
	       "makes sure that kernels are cached and undamaged, and prints their folders; "
	       "fetch 6.12.113 and fetch 7.3 are short for --release and --series. "
	       "config writes a small configuration for the labs to a kernel tree, and prints "
	       "the commands to go on with. "
	       "take copies a built kernel tree to a folder, for --kernel. changelog "
	       "downloads the changelog of a kernel's package and prints its path, for "
	       "history add --changelog.",
	.children = children,
};

int cmd_kernel(int argc, char **argv)
{
	enum cli_exit code;
	char script[PATH_MAX];
	struct kernel_args args = { .n = 1, .words = { script } };

	if (!options_go(&argp, "wsbench kernel", argc, argv, &args, &code))
		return code;
	if (process_find_script("kernel.sh", script)) {
		message_error("kernel.sh is not installed with this program");
		return CLI_FAILED;
	}
	args.words[args.n++] = args.command;
	if (args.common.quiet)
		args.words[args.n++] = "--quiet";
	args.words[args.n] = NULL;
	/* kernel.sh prints commands to go on with. */
	if (setenv("WORLDSWITCH_PROGRAM", program_invocation_name, 1)) {
		message_error("out of memory");
		return CLI_FAILED;
	}
	/* In place of this program: the script has the same exit codes. */
	execv(script, (char *const *)args.words);
	message_error("cannot start %s: %s", script, strerror(errno));
	return CLI_FAILED;
}
