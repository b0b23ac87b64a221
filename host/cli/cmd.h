/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subcommands of wsbench and what their exit codes mean.
 *
 * Every command gets argv with its own name first, prints results to stdout
 * and all else to stderr, and returns an enum cli_exit. main() flushes stdout
 * and turns a failed write into CLI_FAILED: commands need not look.
 */
#ifndef WS_CLI_CMD_H
#define WS_CLI_CMD_H

enum cli_exit {
	CLI_OK = 0,	   /* done; comparisons: nothing got worse */
	CLI_WORSE = 1,	   /* a regression was found */
	CLI_USAGE = 2,	   /* bad usage or bad input; one line said what and where */
	CLI_UNTRUSTED = 3, /* not trustworthy, no verdict */
	CLI_FAILED = 4,	   /* a target, a kernel or the output failed */
};

int cmd_compare(int argc, char **argv);
int cmd_env(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_history(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_pmu(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_selftest(int argc, char **argv);
int cmd_validate(int argc, char **argv);

/*
 * `wsbench run` as the first process of a lab's machine: the same job, with the
 * document going to `wire` piece by piece. For lab_init_main().
 */
struct lab_wire;
int cmd_run_in_lab(int argc, char **argv, struct lab_wire *wire);

/* `wsbench selftest` there: its lines go to `wire`. argv[0] is its name. */
int cmd_selftest_in_lab(int argc, char **argv, struct lab_wire *wire);

#endif
