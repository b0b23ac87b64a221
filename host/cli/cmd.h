/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subcommands of wsbench and what their exit codes mean.
 *
 * argv[0] of a command is its name. A command prints results to stdout and everything
 * else to stderr, and returns an enum cli_exit. main() flushes stdout and turns a failed
 * write into CLI_FAILED; commands need not check.
 */
#ifndef WS_CLI_CMD_H
#define WS_CLI_CMD_H

enum cli_exit {
	CLI_OK = 0,	   /* done; comparisons: no figure became worse */
	CLI_WORSE = 1,	   /* a regression was found */
	CLI_USAGE = 2,	   /* bad usage or bad input; one line says what and where */
	CLI_UNTRUSTED = 3, /* not trustworthy, no verdict */
	CLI_FAILED = 4,	   /* a target, a kernel or the output failed */
};

int cmd_budget(int argc, char **argv);
int cmd_calibrate(int argc, char **argv);
int cmd_power(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_env(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_kernel(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_history(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_pmu(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_selftest(int argc, char **argv);
int cmd_validate(int argc, char **argv);

/* Runs a job inside a lab's machine, for lab_init_main(). */
struct job;
struct lab_wire;
int agent_run(const struct job *job, struct lab_wire *wire);

#endif
