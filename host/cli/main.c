/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wsbench: which command runs, and how the process ends. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/cli.h"
#include "host/lib/error.h"
#include "host/cli/options.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
	const char *codes; /* the exit codes that the command can return */
};

/* In the order of use. */
static const struct command commands[] = {
	{ "list", cmd_list, "list benchmarks, configurations, targets and emulators",
	  "024" },
	{ "run", cmd_run, "measure; write result documents and print a table", "01234" },
	{ "show", cmd_show, "print the table of result documents again", "024" },
	{ "compare", cmd_compare, "compare two runs, or two configurations of a run",
	  "01234" },
	{ "explain", cmd_explain, "attribute a benchmark's instructions to functions",
	  "0234" },
	{ "diff", cmd_diff, "measure two kernels, compare and explain, as text to mail",
	  "01234" },
	{ "budget", cmd_budget,
	  "multiply a workload's exits by the figures of a document", "0234" },
	{ "calibrate", cmd_calibrate, "fit the weights of estimated cycles to a machine",
	  "0234" },
	{ "history", cmd_history, "keep the figures of many runs and find changes",
	  "01234" },
	{ "power", cmd_power, "print what a change must be to be found", "024" },
	{ "kernel", cmd_kernel, "list, fetch and take kernels for the labs", "024" },
	{ "pmu", cmd_pmu, "print the vPMU map: what handles each PMU access", "024" },
	{ "plot", cmd_plot, "draw pictures of result documents, SVG and PNG", "024" },
	{ "report", cmd_report, "write one HTML page of result documents", "024" },
	{ "export", cmd_export, "print figures in the format of another tool", "024" },
	{ "validate", cmd_validate, "check result documents against the schema", "024" },
	{ "env", cmd_env, "check and tune this machine for measurements", "0234" },
	{ "selftest", cmd_selftest, "boot guests that test the VMM", "0124" },
};

static const struct {
	enum cli_exit code;
	const char *meaning;
} exit_codes[] = {
	{ CLI_OK, "done; compare and history check: no figure became worse" },
	{ CLI_WORSE, "a regression was found; selftest: a test failed" },
	{ CLI_USAGE, "bad usage or bad input; one line says what and where" },
	{ CLI_UNTRUSTED, "the measurement is not trustworthy, no verdict is given" },
	{ CLI_FAILED, "a target, a kernel, a guest or the output failed" },
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static void print_help(FILE *f)
{
	fputs("Usage: wsbench COMMAND [OPTION...]\n"
	      "       wsbench help [COMMAND] | -h | --help\n"
	      "       wsbench version | -V | --version\n"
	      "Measures the cost of a VM exit: from the guest to KVM or the VMM, and "
	      "back.\n"
	      "\nCommands:\n",
	      f);
	for (size_t i = 0; i < ROWS(commands); i++)
		fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fputs("\nExit codes:\n", f);
	for (size_t i = 0; i < ROWS(exit_codes); i++)
		fprintf(f, "  %d  %s\n", exit_codes[i].code, exit_codes[i].meaning);
	fputs("\n'wsbench help COMMAND' lists the options of a command.\n", f);
}

/* The tables above for the manual page and the completions, like help_dump(). */
static void dump_tables(void)
{
	for (size_t i = 0; i < ROWS(commands); i++)
		printf("command\t%s\t%s\t%s\n", commands[i].name, commands[i].summary,
		       commands[i].codes);
	for (size_t i = 0; i < ROWS(exit_codes); i++)
		printf("exit\t%d\t%s\n", exit_codes[i].code, exit_codes[i].meaning);
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
	const char *names[ROWS(commands) + 2], *nearest;
	size_t n = 0;

	for (; n < ROWS(commands); n++)
		names[n] = commands[n].name;
	names[n++] = "help";
	names[n++] = "version";
	nearest = names_nearest(name, names, n);
	if (nearest)
		message_usage("wsbench", "unknown command '%s': did you mean '%s'?", name,
			      nearest);
	else
		message_usage("wsbench",
			      "unknown command '%s': 'wsbench --help' lists the commands",
			      name);
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

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ROWS(commands); i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

/* wsbench help [COMMAND] */
static int help(int argc, char **argv)
{
	char option[] = "--help", *words[] = { NULL, option, NULL };
	const struct command *command;

	if (!argc || !argv) {
		print_help(stdout);
		return CLI_OK;
	}
	command = find_command(argv[0]);
	if (!command)
		return unknown_command(argv[0]);
	words[0] = argv[0];
	return command->run(2, words);
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_help(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "help"))
		return help(argc - 2, argv + 2);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return help(0, NULL);
	if (!strcmp(argv[1], "version") || !strcmp(argv[1], "--version") ||
	    !strcmp(argv[1], "-V")) {
		print_version();
		return CLI_OK;
	}
	if (!strcmp(argv[1], "--dump-options")) {
		dump_tables();
		return CLI_OK;
	}
	if (argv[1][0] == '-')
		return unknown_option(argv[1]);
	command = find_command(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	return command->run(argc - 1, argv + 1);
}

/*
 * Opens a standard stream that the caller closed, so that the next file that the program
 * opens does not become the stream and receive messages. The stream is opened in the
 * wrong direction: to use it still fails, as with a closed stream.
 */
static void fill_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null",
				    fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* The reader has closed the pipe: as in a program that never ignored SIGPIPE. */
static void end_by_pipe(void)
{
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
}

/*
 * A failed write of the results replaces the exit code of the command. Commands that
 * start processes ignore SIGPIPE; `pipes_end` is whether the caller of the program did
 * not.
 */
static int finish_stdout(int code, bool pipes_end)
{
	bool failed = ferror(stdout);

	errno = 0;
	if (fflush(stdout))
		failed = true;
	if (!failed)
		return code;
	/* The write that failed may be long past: another one has the same cause. */
	if (!errno)
		fputc('\n', stdout);
	if (!errno && !fflush(stdout))
		errno = 0;
	if (errno == EPIPE && pipes_end)
		end_by_pipe();
	if (errno)
		message_error("cannot write to standard output: %s", strerror(errno));
	else
		message_error("cannot write to standard output");
	return CLI_FAILED;
}

/*
 * Whether a command's exit code or documents count, whatever becomes of what it prints: a
 * closed pipe is exit code 4.
 */
static bool has_verdict(const char *command)
{
	static const char *const names[] = { "run",	"diff",	    "compare",
					     "history", "selftest", "calibrate",
					     "validate" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(command, names[i]))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct sigaction pipe_action;
	bool pipes_end = !sigaction(SIGPIPE, NULL, &pipe_action) &&
			 pipe_action.sa_handler == SIG_DFL && argc > 1 &&
			 !has_verdict(argv[1]);

	fill_standard_streams();
	/* A file size limit is reported as EFBIG instead of ending the process. */
	signal(SIGXFSZ, SIG_IGN);
	setlocale(LC_CTYPE,
		  ""); /* not LC_NUMERIC: JSON and gnuplot need a decimal point */
	return finish_stdout(dispatch(argc, argv), pipes_end);
}
