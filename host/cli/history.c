/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench history`: the command line, and calls into host/history. */
#include "host/cli/compare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/documents.h"
#include "host/cli/options.h"
#include "host/lib/error.h"

enum key {
	OPTION_DB = 0x100,
	OPTION_ON,
	OPTION_BENCH,
	OPTION_CONFIG,
	OPTION_METRIC,
	OPTION_LAST,
	OPTION_CONFIRM,
	OPTION_BOOTS,
	OPTION_KERNEL,
	OPTION_EMULATOR,
	OPTION_MODULES,
	OPTION_OTAVA,
	OPTION_WINDOW,
	OPTION_PVALUE,
	OPTION_MAGNITUDE,
	OPTION_JSON,
	OPTION_ALL,
	OPTION_EXPLANATION,
	OPTION_SINCE,
	OPTION_CHANGELOG,
	OPTION_TREE,
	OPTION_MISSING,
	OPTION_DUPLICATES,
};

static const struct argp_option options[] = {
	{ "db", OPTION_DB, "FILE.jsonl", 0, "Use this history", 0 },
	{ "on", OPTION_ON, "GLOB,...", 0, "Select these targets (check, show, why)", 0 },
	{ "bench", OPTION_BENCH, "GLOB,...", 0,
	  "Select these benchmarks (check, show, why); 'core' selects the core "
	  "benchmarks",
	  0 },
	{ "config", OPTION_CONFIG, "GLOB,...", 0,
	  "Select these configs (check, show, why)", 0 },
	{ "metric", OPTION_METRIC, "GLOB,...", 0,
	  "Select these metrics (add: default round_trip)", 0 },
	{ "explanation", OPTION_EXPLANATION, "FILE", 0,
	  "Keep this explanation beside the history, in FILE.jsonl.explanations; can be "
	  "repeated (add)",
	  0 },
	{ "changelog", OPTION_CHANGELOG, "FILE", 0,
	  "Keep the commits of this changelog of Debian's kernel (plain or gzip) beside the "
	  "history, for 'why'; can be repeated (add)",
	  0 },
	{ "last", OPTION_LAST, "N", 0,
	  "Report only changes that are not found without the newest N runs of each "
	  "target (check, why)",
	  0 },
	{ "since", OPTION_SINCE, "RUN", 0,
	  "Print only steps after this run: its id, kernel, label or commit (why)", 0 },
	{ "tree", OPTION_TREE, "DIR", 0,
	  "Search the commits that changed the functions in this git tree (why)", 0 },
	{ "missing", OPTION_MISSING, NULL, 0,
	  "Print the explanations that would explain the steps and are not kept, of the "
	  "largest changes of each step: target, kernel, benchmark, config (why)",
	  0 },
	{ "confirm", OPTION_CONFIRM, NULL, 0,
	  "Measure again, in fresh boots, what became worse; with both kernels if "
	  "both are cached (check)",
	  0 },
	{ "boots", OPTION_BOOTS, "N", 0, "Confirm by N boots (default: 5)", 0 },
	{ "kernel", OPTION_KERNEL, "KERNEL", 0,
	  "Confirm with this kernel as that of the newest run (default: the cached "
	  "kernel of the same release)",
	  0 },
	{ "modules", OPTION_MODULES, "DIR", 0,
	  "Load KVM's modules from DIR (default: the folder 'modules' beside the "
	  "kernel)",
	  0 },
	{ "emulator", OPTION_EMULATOR, "NAME|DIR", 0,
	  "Confirm on this QEMU, as for 'wsbench run' (default: the system's)", 0 },
	{ "duplicates", OPTION_DUPLICATES, "first|last", 0,
	  "Use the first or the last figure of a run that has two different figures of "
	  "one series (default: an error)",
	  0 },
	{ "otava-exact", OPTION_OTAVA, NULL, 0,
	  "Find what Apache Otava finds with its defaults (window 50, p 0.001, any "
	  "magnitude)",
	  0 },
	{ "window", OPTION_WINDOW, "N", 0, "Judge N runs together (default: 50)", 0 },
	{ "pvalue", OPTION_PVALUE, "P", 0, "Set the significance level (default: 0.0001)",
	  0 },
	{ "magnitude", OPTION_MAGNITUDE, "X", 0,
	  "Ignore smaller relative changes of noisy figures (default: 0.01)", 0 },
	{ "all", OPTION_ALL, NULL, 0,
	  "Print a line for every change, also for groups of many small changes "
	  "(check, why)",
	  0 },
	{ "json", OPTION_JSON, NULL, 0, "Print JSON (check, show)", 0 },
	{ 0 }
};

static error_t parse_real(const struct argp_state *state, const char *name,
			  const char *arg, double max, double *out)
{
	char *end;

	*out = strtod(arg, &end);
	if (end == arg || *end || !(*out >= 0 && *out <= max))
		return options_error(state, "%s: '%s' is not a number from 0 to %g", name,
				     arg, max);
	return 0;
}

static error_t parse_file(struct history_args *args, char *arg,
			  const struct argp_state *state)
{
	static const char *const commands[] = { "add", "check", "show", "why" };
	const size_t n = sizeof(commands) / sizeof(commands[0]);
	const char *nearest;

	if (args->command) {
		args->files[args->n_files++] = arg;
		return 0;
	}
	args->command = arg;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(arg, commands[i]))
			return 0;
	nearest = names_nearest(arg, commands, n);
	if (nearest)
		return options_error(state, "no command '%s': did you mean '%s'?", arg,
				     nearest);
	return options_error(state, "no command '%s': add, check, show or why", arg);
}

/* An option that the command would ignore is refused. */
static error_t refuse_ignored(const struct history_args *args,
			      const struct argp_state *state)
{
	const struct {
		bool given;
		const char *option;
		const char *commands[2]; /* that use it */
	} rules[] = {
		{ args->n_explanations, "--explanation", { "add" } },
		{ args->n_changelogs, "--changelog", { "add" } },
		{ args->since, "--since", { "why" } },
		{ args->tree, "--tree", { "why" } },
		{ args->missing, "--missing", { "why" } },
		{ args->json, "--json", { "check", "show" } },
		{ args->query.last, "--last", { "check", "why" } },
		{ args->query.all, "--all", { "check", "why" } },
		{ args->gate.n_thresholds, "--threshold", { "check", "why" } },
		{ args->gate.fail_on_changed || args->gate.fail_on_distribution,
		  "--fail-on",
		  { "check" } },
		{ args->confirm, "--confirm", { "check" } },
		{ args->boots, "--boots", { "check" } },
		{ args->kernel, "--kernel", { "check" } },
		{ args->modules, "--modules", { "check" } },
		{ args->emulator, "--emulator", { "check" } },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const char *const *commands = rules[i].commands;

		if (!rules[i].given || !strcmp(args->command, commands[0]) ||
		    (commands[1] && !strcmp(args->command, commands[1])))
			continue;
		return options_error(
			state, "%s: only for 'history %s'%s%s%s", rules[i].option,
			commands[0], commands[1] ? " and 'history " : "",
			commands[1] ? commands[1] : "", commands[1] ? "'" : "");
	}
	return 0;
}

static error_t parse_end(const struct history_args *args, const struct argp_state *state)
{
	bool add = args->command && !strcmp(args->command, "add");
	error_t err;

	if (!args->command)
		return options_error(state, "no command: add, check, show or why");
	if (!args->db)
		return options_error(state, "no history file: give --db FILE.jsonl");
	err = refuse_ignored(args, state);
	if (err)
		return err;
	if (add && !args->n_files && !args->n_explanations && !args->n_changelogs)
		return options_error(
			state,
			"no documents: 'wsbench history add --db FILE.jsonl FILE.json...'");
	if (!add && args->n_files)
		return options_error(state, "unexpected argument '%s'", args->files[0]);
	return 0;
}

static error_t parse_rule(int key, char *arg, struct history_args *args,
			  struct argp_state *state)
{
	struct changepoint_rules *rules = &args->rules;
	uint64_t n;
	error_t err;

	switch (key) {
	case OPTION_LAST:
		return options_number(state, "--last", arg, 1, UINT32_MAX,
				      &args->query.last);
	case OPTION_BOOTS:
		return options_number(state, "--boots", arg, 2, 1000, &args->boots);
	case OPTION_OTAVA:
		rules->otava = true;
		return 0;
	case OPTION_WINDOW:
		err = options_number(state, "--window", arg, 4, 1000, &n);
		if (!err)
			rules->window = n;
		return err;
	case OPTION_PVALUE:
		return parse_real(state, "--pvalue", arg, 1, &rules->pvalue);
	case OPTION_MAGNITUDE:
		return parse_real(state, "--magnitude", arg, 1e9, &rules->magnitude);
	}
	return ARGP_ERR_UNKNOWN;
}

static error_t parse_twice(struct history_args *args, const char *arg,
			   const struct argp_state *state)
{
	if (!strcmp(arg, "first"))
		args->twice = HISTORY_FIRST;
	else if (!strcmp(arg, "last"))
		args->twice = HISTORY_LAST;
	else
		return options_error(state, "--duplicates: '%s' is not first or last",
				     arg);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct history_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->gate;
		return 0;
	case OPTION_DB:
		args->db = arg;
		return 0;
	case OPTION_ON:
		args->query.targets = arg;
		return 0;
	case OPTION_BENCH:
		args->query.benches = arg;
		return 0;
	case OPTION_CONFIG:
		args->query.configs = arg;
		return 0;
	case OPTION_METRIC:
		args->query.metrics = arg;
		return 0;
	case OPTION_CONFIRM:
		args->confirm = true;
		return 0;
	case OPTION_KERNEL:
		args->kernel = arg;
		return 0;
	case OPTION_EMULATOR:
		args->emulator = arg;
		return 0;
	case OPTION_MODULES:
		args->modules = arg;
		return 0;
	case OPTION_ALL:
		args->query.all = true;
		return 0;
	case OPTION_JSON:
		args->json = true;
		return 0;
	case OPTION_EXPLANATION:
		args->explanations[args->n_explanations++] = arg;
		return 0;
	case OPTION_CHANGELOG:
		args->changelogs[args->n_changelogs++] = arg;
		return 0;
	case OPTION_MISSING:
		args->missing = true;
		return 0;
	case OPTION_TREE:
		args->tree = arg;
		return 0;
	case OPTION_DUPLICATES:
		return parse_twice(args, arg, state);
	case OPTION_SINCE:
		args->since = arg;
		return 0;
	case ARGP_KEY_ARG:
		return parse_file(args, arg, state);
	case ARGP_KEY_END:
		return parse_end(args, state);
	}
	return parse_rule(key, arg, args, state);
}

static const struct argp_child children[] = { { &options_common, 0, NULL, 0 },
					      { &gate_options, 0, "check:", 0 },
					      { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "add|check|show|why --db FILE.jsonl [FILE.json...]",
	.doc = "Stores the figures of many runs, and reports their changes.\v"
	       "add    append the figures of result documents to the history file\n"
	       "check  report which run, kernel or commit changed which figure, and by\n"
	       "       how much; the exit code is 1 if a figure got worse, 3 if no\n"
	       "       series can be judged, a regression is not confirmed, or steps\n"
	       "       of the clock hide one\n"
	       "show   print the series, stretch by stretch\n"
	       "why    print each step from run to run, the functions behind it, and\n"
	       "       the commits that fit them, by the explanations and changelogs\n"
	       "       that 'add' has kept\n\n"
	       "Runs are in the order of the file. On exact targets each difference is a "
	       "change; on other targets a change must be significant, at least 1 % and "
	       "two steps of the clock; 'check' lists what the steps hide. 'distribution changed' means that quantiles of "
	       "the events moved and no change of the figure was found: a mode "
	       "appeared, or its share changed. It does not make the exit code 1 without "
	       "--fail-on distribution.",
	.children = children,
};

/* A torn last line is reported; `moved`: its bytes are in FILE.torn. */
static void warn_torn(const struct history_args *args, size_t bytes, bool moved)
{
	if (bytes && moved)
		message_warn("%s: the last line was torn (%zu bytes, moved to %s.torn)",
			     args->db, bytes, args->db);
	else if (bytes)
		message_warn(
			"%s: the last line is torn and ignored (%zu bytes; 'history add' moves it to %s.torn)",
			args->db, bytes, args->db);
}

static void report_added(const struct history_args *args,
			 const struct history_added *added, size_t n_docs)
{
	warn_torn(args, added->torn, true);
	if (added->empty == n_docs)
		message_error("the documents have no figure of %s",
			      args->query.metrics ? args->query.metrics : "round_trip");
	else if (added->empty)
		message_warn("%zu of %zu documents have no such figure", added->empty,
			     n_docs);
	if (added->known && !added->rows)
		message_warn("nothing was added: %s has the runs already", args->db);
	else if (added->known)
		message_warn("%zu figures were not added: %s has them already",
			     added->known, args->db);
	if (added->other && args->twice == HISTORY_LAST)
		message_warn(
			"%s now has two values of %zu figure%s: check, show and why need --duplicates last",
			args->db, added->other, added->other == 1 ? "" : "s");
	if (added->rows)
		message_info(args->common.quiet, "added %zu figure%s to %s", added->rows,
			     added->rows == 1 ? "" : "s", args->db);
}

static const char *twice_hint(int rc)
{
	return rc == -EEXIST ? " (--duplicates first or last uses one of them)" : "";
}

static enum cli_exit add(const struct history_args *args)
{
	const char *list = args->query.metrics ? args->query.metrics : "round_trip";
	char *copy = strdup(list);
	const char **metrics;
	struct history_added added;
	struct documents d;
	struct error err;
	int rc;

	if (!copy)
		abort();
	if (args->n_explanations || args->n_changelogs) {
		enum cli_exit code = history_keep(args);

		if (code != CLI_OK || !args->n_files) {
			free(copy);
			return code;
		}
	}
	if (!documents_read(&d, (const char *const *)args->files, args->n_files)) {
		free(copy);
		return CLI_USAGE;
	}
	metrics = history_split(copy);
	rc = history_add(args->db, args->twice, d.docs, d.n, metrics, &added, &err);
	if (rc)
		message_error("%s%s", err.text, twice_hint(rc));
	else
		report_added(args, &added, d.n);
	if (!rc && added.empty == d.n)
		rc = -ENODATA;
	documents_free(&d);
	free(metrics);
	free(copy);
	if (rc == -ENOSPC || rc == -EDQUOT || rc == -EFBIG || rc == -EIO)
		return CLI_FAILED;
	return rc ? CLI_USAGE : CLI_OK;
}

static enum cli_exit check(const struct history_args *args, const struct history *h)
{
	const struct history_query *q = &args->query;
	enum cli_exit code = CLI_OK;
	struct history_alarm *alarms;
	struct history_tally t;
	size_t n;

	alarms = history_alarms(q, h, &n);
	t = history_tally(q, h, alarms, n);
	if (args->confirm)
		history_confirm(args, h, alarms, n);
	if (args->json)
		history_json_check(q, h, alarms, n);
	else
		history_print_check(q, h, alarms, n);
	switch (history_outcome(alarms, n, &t)) {
	case HISTORY_PASS:
		break;
	case HISTORY_REGRESSION:
		code = CLI_WORSE;
		break;
	case HISTORY_UNSURE:
		code = CLI_UNTRUSTED;
		break;
	}
	if ((args->gate.fail_on_changed && t.changed) ||
	    (args->gate.fail_on_distribution && t.distribution))
		code = CLI_WORSE;
	free(alarms);
	return code;
}

static enum cli_exit show(const struct history_args *args, const struct history *h)
{
	if (args->json)
		history_json_series(&args->query, h);
	else
		history_print_series(&args->query, h);
	return CLI_OK;
}

static enum cli_exit judged(const struct history_args *args, const struct history *h)
{
	struct error err;

	if (history_check_thresholds(&args->query, h, &err)) {
		message_error("%s: %s", args->db, err.text);
		return CLI_USAGE;
	}
	if (!strcmp(args->command, "show"))
		return show(args, h);
	return strcmp(args->command, "why") ? check(args, h) : history_why(args, h);
}

/* Whether a series of the history has such a metric. */
static bool has_metric(const struct history *h, const char *metrics)
{
	const struct history_query q = { .metrics = metrics };

	for (size_t i = 0; i < h->n_series; i++)
		if (history_selects(&q, h, &h->series[i]))
			return true;
	return false;
}

/* A history can name what the tables lack: they are only searched for the cause. */
static void report_no_series(const struct history_args *args, const struct history *h)
{
	const struct history_query *q = &args->query;
	struct error err;
	bool known = documents_know_names(q, &err);

	if (known && q->metrics && !has_metric(h, q->metrics))
		message_error("%s has no such series: no metric matches '%s'", args->db,
			      q->metrics);
	else if (known)
		message_error("%s has no such series", args->db);
	else
		message_error("%s has no such series: %s", args->db, err.text);
}

static enum cli_exit check_or_show(const struct history_args *args)
{
	enum cli_exit code = CLI_USAGE;
	bool selected = false;
	struct history h;
	struct error err;
	int rc;

	rc = history_read(args->db, args->twice, &h, &err);
	if (rc) {
		message_error("%s%s", err.text, twice_hint(rc));
		return CLI_USAGE;
	}
	if (h.invalid)
		message_warn(
			"%s: %zu figures are not used: the clock of run %s has steps of more than 2^40",
			args->db, h.invalid, h.invalid_run);
	warn_torn(args, h.torn, false);
	if (h.duplicates)
		message_warn("%s has %zu figures twice (each counts once)", args->db,
			     h.duplicates);
	for (size_t i = 0; i < h.n_series && !selected; i++)
		selected = history_selects(&args->query, &h, &h.series[i]);
	if (!h.n_series) {
		message_error("%s has no figures", args->db);
	} else if (!selected) {
		report_no_series(args, &h);
	} else {
		if (history_judge(&h, &args->rules))
			abort(); /* out of memory */
		code = judged(args, &h);
	}
	history_free(&h);
	return code;
}

/* Fills in options that are not given (negative): defaults of Apache Otava, or ours. */
static void set_defaults(struct changepoint_rules *rules)
{
	if (rules->pvalue < 0)
		rules->pvalue = rules->otava ? 1e-3 : history_rules.pvalue;
	if (rules->magnitude < 0)
		rules->magnitude = rules->otava ? 0 : history_rules.magnitude;
	rules->quanta = rules->otava ? 0 : history_rules.quanta;
}

int cmd_history(int argc, char **argv)
{
	struct history_args args = {
		.files = calloc((size_t)argc + 1, sizeof(char *)),
		.explanations = calloc((size_t)argc + 1, sizeof(char *)),
		.changelogs = calloc((size_t)argc + 1, sizeof(char *)),
		.gate.of_history = true,
		.rules = { .window = history_rules.window,
			   .pvalue = -1,
			   .magnitude = -1 },
	};
	enum cli_exit code = CLI_OK;
	enum options_next next;

	if (!args.files || !args.explanations || !args.changelogs)
		abort();
	next = options_parse(&argp, "wsbench history", argc, argv, &args);
	set_defaults(&args.rules);
	if (!args.boots)
		args.boots = 5;
	args.query.thresholds = args.gate.thresholds;
	args.query.n_thresholds = args.gate.n_thresholds;
	args.query.quiet = args.common.quiet;
	if (next == OPTIONS_BAD)
		code = CLI_USAGE;
	else if (next == OPTIONS_RUN)
		code = strcmp(args.command, "add") ? check_or_show(&args) : add(&args);
	free(args.files);
	free(args.explanations);
	free(args.changelogs);
	gate_free(&args.gate);
	return code;
}
