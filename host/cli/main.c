/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wsbench: which command runs, and how the process ends. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/cmd.h"
#include "host/lib/message.h"
#include "host/cli/names.h"
#include "host/cli/options.h"
#include "host/cli/version.h"
#include "host/targets/lab/init.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
};

static const struct command commands[] = {
	{ "list", cmd_list, "show the benchmarks, configs and targets there are" },
	{ "run", cmd_run, "measure; write result documents and print a table" },
	{ "compare", cmd_compare, "two runs, or two configs: what got better or worse" },
	{ "explain", cmd_explain, "which functions a benchmark's instructions are in" },
	{ "history", cmd_history, "keep figures of many runs; say what changed when" },
	{ "export", cmd_export, "print figures in another tool's format" },
	{ "plot", cmd_plot, "draw pictures of result documents, SVG and PNG" },
	{ "pmu", cmd_pmu, "the vPMU map: who answers each PMU access, at what cost" },
	{ "env", cmd_env, "what disturbs measurements on this machine; tune it" },
	{ "report", cmd_report, "write one HTML page of result documents" },
	{ "selftest", cmd_selftest, "boot guests that notice what the VMM gets wrong" },
	{ "validate", cmd_validate, "check result documents against the schema" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *f)
{
	fputs("Usage: wsbench [--version] [--help] COMMAND [OPTION...]\n"
	      "Measures what it costs a virtual machine to leave and re-enter the "
	      "guest.\n"
	      "\nCommands:\n",
	      f);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fputs("\n'wsbench COMMAND --help' lists a command's options.\n"
	      "Exit codes: 0 done, 1 a regression was found, 2 bad usage or input,\n"
	      "3 not trustworthy, 4 a target, a kernel or the output failed.\n",
	      f);
}

static void print_version(void)
{
	printf("wsbench %s", version_text());
	if (*version_commit())
		printf(" (%s%s)", version_commit(), version_dirty() ? ", modified" : "");
	putchar('\n');
}

static int unknown_command(const char *name)
{
	const char *names[COMMANDS], *nearest;

	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i].name;
	nearest = names_nearest(name, names, COMMANDS);
	if (nearest)
		message_usage("wsbench", "unknown command '%s': did you mean '%s'?", name,
			      nearest);
	else
		message_usage("wsbench",
			      "unknown command '%s': 'wsbench --help' lists them", name);
	return CLI_USAGE;
}

static int unknown_option(const char *word)
{
	static const char *const options[] = { "--version", "--help" };
	const char *nearest = names_nearest(word, options, 2);

	if (nearest)
		message_usage("wsbench", "unknown option '%s': did you mean '%s'?", word,
			      nearest);
	else
		message_usage("wsbench",
			      "unknown option '%s': options follow the command", word);
	return CLI_USAGE;
}

static int dispatch(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--help")) {
		print_help(stdout);
		return CLI_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		print_version();
		return CLI_OK;
	}
	if (argv[1][0] == '-')
		return unknown_option(argv[1]);
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return unknown_command(argv[1]);
}

/*
 * Whoever starts us with a standard stream closed must not have the next file we
 * open take its place and be written over with messages. Opened the wrong way
 * round, such a stream still fails as a closed one does.
 */
static void fill_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null",
				    fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Results that did not arrive are a failure, however well the command went. */
static int finish_stdout(int code)
{
	bool failed = ferror(stdout);

	errno = 0;
	if (fflush(stdout))
		failed = true;
	if (!failed)
		return code;
	if (errno)
		message_error("cannot write to standard output: %s", strerror(errno));
	else
		message_error("cannot write to standard output");
	return CLI_FAILED;
}

int main(int argc, char **argv)
{
	/*
	 * The first process of a lab's machine, started by its kernel. The number
	 * alone would not do: a container's first process is 1 as well.
	 */
	if (getpid() == 1 && argc > 0 && !strcmp(argv[0], "/init"))
		return lab_init_main(cmd_job_in_lab);

	fill_standard_streams();
	setlocale(LC_CTYPE, ""); /* not LC_NUMERIC: JSON and gnuplot need a point */
	return finish_stdout(dispatch(argc, argv));
}
