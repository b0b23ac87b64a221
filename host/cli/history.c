/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench history`: the command line, adding, and what its views share. */
#include "host/lib/error.h"
#include "host/cli/history.h"

#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/message.h"
#include "host/cli/names.h"

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
	OPTION_MODULES,
	OPTION_OTAVA,
	OPTION_WINDOW,
	OPTION_PVALUE,
	OPTION_MAGNITUDE,
	OPTION_JSON,
	OPTION_ALL,
};

static const struct argp_option options[] = {
	{ "db", OPTION_DB, "FILE.jsonl", 0, "the history", 0 },
	{ "on", OPTION_ON, "GLOB,...", 0, "check, show: only these targets", 0 },
	{ "bench", OPTION_BENCH, "GLOB,...", 0,
	  "check, show: only these benchmarks; 'core' for the few that say most", 0 },
	{ "config", OPTION_CONFIG, "GLOB,...", 0, "check, show: only these configs", 0 },
	{ "metric", OPTION_METRIC, "GLOB,...", 0,
	  "only these metrics (add: round_trip if not given)", 0 },
	{ "last", OPTION_LAST, "N", 0,
	  "check: only what the newest N runs of each target brought", 0 },
	{ "confirm", OPTION_CONFIRM, NULL, 0,
	  "check: measure again, in fresh boots, what got worse; both kernels if they "
	  "are "
	  "here",
	  0 },
	{ "boots", OPTION_BOOTS, "N", 0, "boots to confirm by (default: 5)", 0 },
	{ "kernel", OPTION_KERNEL, "IMAGE", 0,
	  "to confirm by: the newest run's kernel (default: the cached one of its name)",
	  0 },
	{ "modules", OPTION_MODULES, "DIR", 0, "its KVM modules", 0 },
	{ "otava-exact", OPTION_OTAVA, NULL, 0,
	  "find what Apache Otava would find, by its defaults (window 50, p 0.001, any "
	  "magnitude)",
	  0 },
	{ "window", OPTION_WINDOW, "N", 0, "runs looked at together (default: 50)", 0 },
	{ "pvalue", OPTION_PVALUE, "P", 0, "significance (default: 0.0001)", 0 },
	{ "magnitude", OPTION_MAGNITUDE, "X", 0,
	  "least relative change in noise (default: 0.01)", 0 },
	{ "all", OPTION_ALL, NULL, 0,
	  "check: a line for every change, also where many are small and alike", 0 },
	{ "json", OPTION_JSON, NULL, 0, "check, show: print JSON", 0 },
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
	static const char *const commands[] = { "add", "check", "show" };
	const char *nearest;

	if (args->command) {
		args->files[args->n_files++] = arg;
		return 0;
	}
	args->command = arg;
	for (size_t i = 0; i < 3; i++)
		if (!strcmp(arg, commands[i]))
			return 0;
	nearest = names_nearest(arg, commands, 3);
	if (nearest)
		return options_error(state, "no command '%s': did you mean '%s'?", arg,
				     nearest);
	return options_error(state, "no command '%s': add, check or show", arg);
}

static error_t parse_end(const struct history_args *args, const struct argp_state *state)
{
	bool add = args->command && !strcmp(args->command, "add");

	if (!args->command)
		return options_error(state, "add, check or show?");
	if (!args->db)
		return options_error(state, "--db FILE.jsonl says which history");
	if (add && !args->n_files)
		return options_error(state, "which documents? 'wsbench history add --db "
					    "FILE.jsonl FILE.json...'");
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
		return options_number(state, "--last", arg, 1, UINT32_MAX, &args->last);
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
		args->targets = arg;
		return 0;
	case OPTION_BENCH:
		args->benches = arg;
		return 0;
	case OPTION_CONFIG:
		args->configs = arg;
		return 0;
	case OPTION_METRIC:
		args->metrics = arg;
		return 0;
	case OPTION_CONFIRM:
		args->confirm = true;
		return 0;
	case OPTION_KERNEL:
		args->kernel = arg;
		return 0;
	case OPTION_MODULES:
		args->modules = arg;
		return 0;
	case OPTION_ALL:
		args->all = true;
		return 0;
	case OPTION_JSON:
		args->json = true;
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
	.args_doc = "add|check|show --db FILE.jsonl [FILE.json...]",
	.doc = "Keeps the figures of many runs, and says where they changed.\v"
	       "add    puts the figures of result documents into the history, one line "
	       "each\n"
	       "check  says which run, kernel or commit changed which figure, and how\n"
	       "       much; ends with 1 if any got worse, with 3 if nothing could be\n"
	       "       judged or a regression could not be confirmed\n"
	       "show   prints the series, stretch by stretch\n\n"
	       "A history's order is that of its lines. On exact targets every change is "
	       "one; elsewhere a change must be significant, at least 1 % and two steps "
	       "of the clock.",
	.children = children,
};

const char **history_split(char *list)
{
	size_t n = 1;
	const char **parts;

	for (const char *c = list; *c; c++)
		n += *c == ',';
	parts = calloc(n + 1, sizeof(*parts));
	if (!parts)
		abort();
	for (n = 0; list;)
		parts[n++] = strsep(&list, ",");
	return parts;
}

static bool glob_matches(const char *pattern, const char *name)
{
	return !fnmatch(pattern, name, 0);
}

static bool fits(const char *patterns, const char *name,
		 bool (*matches)(const char *word, const char *name))
{
	const char **parts;
	char *copy;
	bool found = false;

	if (!patterns)
		return true;
	copy = strdup(patterns);
	if (!copy)
		abort();
	parts = history_split(copy);
	for (size_t i = 0; parts[i] && !found; i++)
		found = matches(parts[i], name);
	free(parts);
	free(copy);
	return found;
}

bool history_wanted(const struct history_args *args, const struct history *h,
		    const struct history_series *s)
{
	return fits(args->targets, h->places[s->place].target, glob_matches) &&
	       fits(args->benches, s->benchmark, result_bench_matches) &&
	       fits(args->configs, s->config, glob_matches) &&
	       fits(args->metrics, s->metric, glob_matches);
}

void history_name(const struct history_run *run, char name[HISTORY_NAME_BYTES])
{
	const char *kernel = run->kernel ? run->kernel : "";
	size_t n = 0;

	if (run->label)
		n = (size_t)snprintf(name, HISTORY_NAME_BYTES, "%.60s ", run->label);
	if (run->commit)
		n += (size_t)snprintf(name + n, HISTORY_NAME_BYTES - n, "%.12s ",
				      run->commit);
	if (!n)
		snprintf(name, HISTORY_NAME_BYTES, "%.80s", *kernel ? kernel : run->id);
	else if (*kernel)
		snprintf(name + n, HISTORY_NAME_BYTES - n, "(%.70s)", kernel);
	else
		name[n - 1] = '\0';
	message_clean(name);
}

void history_label(const struct history_series *s, char label[HISTORY_NAME_BYTES])
{
	bool plain = !strcmp(s->config, "default");
	size_t n;

	n = (size_t)snprintf(label, HISTORY_NAME_BYTES, "%.60s%s%.40s%s", s->benchmark,
			     plain ? "" : " [", plain ? "" : s->config, plain ? "" : "]");
	if (strcmp(s->metric, "round_trip") != 0)
		snprintf(label + n, HISTORY_NAME_BYTES - n, " %.40s", s->metric);
	message_clean(label);
}

void history_where(const struct history_place *place, char text[HISTORY_NAME_BYTES])
{
	snprintf(text, HISTORY_NAME_BYTES, "%.60s%s%.80s", place->target,
		 !place->what	? ""
		 : place->exact ? ", "
				: ", machine ",
		 place->what ? place->what : "");
	message_clean(text);
}

static enum cli_exit look(const struct history_args *args)
{
	struct error err;
	struct history h;
	enum cli_exit code;

	if (history_read(args->db, &h, &err)) {
		message_error("%s", err.text);
		return CLI_USAGE;
	}
	history_tell_torn(args, h.torn, false);
	if (h.duplicates)
		message_warn("%zu figures stand in %s twice, and count once",
			     h.duplicates, args->db);
	if (!h.n_series) {
		message_error("%s holds no figures", args->db);
		code = CLI_USAGE;
	} else {
		if (history_judge(&h, &args->rules))
			abort(); /* out of memory */
		code = strcmp(args->command, "show") ? history_check(args, &h)
						     : history_show(args, &h);
	}
	history_free(&h);
	return code;
}

/* What was not given: Apache Otava's own, or ours. Nothing given is negative. */
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
		.boots = 5,
		.rules = { .window = history_rules.window,
			   .pvalue = -1,
			   .magnitude = -1 },
	};
	enum cli_exit code = CLI_OK;
	enum options_next next;

	if (!args.files)
		abort();
	/* A limit on file sizes is an error to report, not a way to die halfway. */
	signal(SIGXFSZ, SIG_IGN);
	next = options_parse(&argp, "wsbench history", argc, argv, &args);
	set_defaults(&args.rules);
	if (next == OPTIONS_BAD)
		code = CLI_USAGE;
	else if (next == OPTIONS_RUN)
		code = strcmp(args.command, "add") ? look(&args)
						   : history_add_files(&args);
	free(args.files);
	gate_free(&args.gate);
	return code;
}
