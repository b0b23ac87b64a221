/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench env`: settings of this machine that disturb a measurement. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/lib/error.h"
#include "host/cli/cli.h"
#include "host/env/env.h"
#include "host/cli/options.h"

struct env_args {
	struct options_common common;
	const char *verb;
	const char *root;
	bool dry, force, json;
};

enum key {
	OPTION_DRY = 0x100,
	OPTION_FORCE,
	OPTION_ROOT,
	OPTION_JSON,
};

/* The tables of the settings and, of this machine, of the confinement. As
 * env_table_settings(). */
static char *print_settings(const struct env_args *args)
{
	char *grave = env_table_settings(stdout, args->root);
	struct env_confined kinds[ENV_KINDS];

	if (!*args->root) {
		env_confined(kinds);
		env_confined_table(stdout, kinds);
	}
	return grave;
}

static int check(const struct env_args *args)
{
	char *grave;
	int code = CLI_OK;

	if (args->json)
		return env_json(stdout, args->root, NULL) ? CLI_UNTRUSTED : CLI_OK;
	grave = print_settings(args);

	if (*grave) {
		message_warn("figures of this machine are not trustworthy: %s", grave);
		code = CLI_UNTRUSTED;
	}
	free(grave);
	return code;
}

static int show(const struct env_args *args)
{
	struct error err;
	struct env_state state;

	if (!args->json && !*args->root)
		env_table_machine(stdout);
	if (!args->json)
		free(print_settings(args));
	if (env_state_open(&state, args->root, 0, &err)) {
		message_error("%s", err.text);
		return CLI_USAGE;
	}
	if (args->json)
		env_json(stdout, args->root, &state);
	else
		env_table_state(stdout, args->root, &state);
	env_state_close(&state);
	return CLI_OK;
}

static int change(const struct env_args *args,
		  int (*work)(const struct env_tune *t, struct error *err))
{
	struct env_steps steps = { .dry = args->dry };
	struct env_tune tune = {
		.root = args->root,
		.dry = args->dry,
		.force = args->force,
		.step = env_steps_add,
		.context = &steps,
	};
	struct error err = { "" };
	int ret = work(&tune, &err);

	env_steps_print(stdout, &steps);
	if (!ret)
		return CLI_OK;
	message_error("%s", err.text);
	return ret == -EINVAL ? CLI_USAGE : ret == -EEXIST ? CLI_UNTRUSTED : CLI_FAILED;
}

static int tune(const struct env_args *args)
{
	return change(args, env_tune);
}

static int restore(const struct env_args *args)
{
	return change(args, env_restore);
}

static const struct {
	const char *name;
	int (*run)(const struct env_args *args);
	bool dry, force, json; /* accepted options */
} verbs[] = {
	{ "check", check, false, false, true },
	{ "tune", tune, true, false, false },
	{ "restore", restore, true, true, false },
	{ "show", show, false, false, true },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static size_t find_verb(const char *name)
{
	size_t i = 0;

	while (i < VERBS && strcmp(verbs[i].name, name))
		i++;
	return i;
}

static error_t check_verb(const struct env_args *args, const struct argp_state *state)
{
	const char *names[VERBS], *nearest;
	size_t verb;

	if (!args->verb)
		return options_error(state, "no command: check, tune, restore or show");
	verb = find_verb(args->verb);
	if (verb < VERBS && args->dry && !verbs[verb].dry)
		return options_error(state, "'%s' has no option --dry-run", args->verb);
	if (verb < VERBS && args->force && !verbs[verb].force)
		return options_error(state, "'%s' has no option --force", args->verb);
	if (verb < VERBS && args->json && !verbs[verb].json)
		return options_error(state, "'%s' has no option --json", args->verb);
	if (verb < VERBS)
		return 0;
	for (size_t i = 0; i < VERBS; i++)
		names[i] = verbs[i].name;
	nearest = names_nearest(args->verb, names, VERBS);
	if (nearest)
		return options_error(state, "no command '%s': did you mean '%s'?",
				     args->verb, nearest);
	return options_error(state, "no command '%s': check, tune, restore or show",
			     args->verb);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct env_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		return 0;
	case OPTION_DRY:
		args->dry = true;
		return 0;
	case OPTION_FORCE:
		args->force = true;
		return 0;
	case OPTION_JSON:
		args->json = true;
		return 0;
	case OPTION_ROOT:
		args->root = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (args->verb)
			return ARGP_ERR_UNKNOWN;
		args->verb = arg;
		return 0;
	case ARGP_KEY_END:
		return check_verb(args, state);
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "dry-run", OPTION_DRY, NULL, 0,
	  "Print what would be changed, and change nothing", 0 },
	{ "force", OPTION_FORCE, NULL, 0,
	  "Restore also settings that were changed after tune", 0 },
	{ "json", OPTION_JSON, NULL, 0, "Print JSON (check, show)", 0 },
	{ "root", OPTION_ROOT, "DIR", 0, "Use the files below DIR instead of /", 0 },
	{ 0 },
};

static const struct argp_child children[] = { { &options_common, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "check|tune|restore|show",
	.doc = "Settings of this machine that disturb a measurement.\v"
	       "check    print the settings, the expected values and their effects, and\n"
	       "         how guests of each kind of target are confined here; the exit\n"
	       "         code is 3 if figures are not trustworthy\n"
	       "tune     change the settings that can be changed at run time; the old\n"
	       "         values are saved on disk first\n"
	       "restore  restore the saved values\n"
	       "show     print the machine, its settings, and the tuned settings",
	.children = children,
};

int cmd_env(int argc, char **argv)
{
	enum cli_exit code;
	struct env_args args = { .root = "" };
	struct stat st;
	int rc;

	if (!options_go(&argp, "wsbench env", argc, argv, &args, &code))
		return code;
	if (*args.root) {
		rc = stat(args.root, &st) ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
		if (rc) {
			message_error("--root %s: %s", args.root, strerror(rc));
			return CLI_USAGE;
		}
	}
	return verbs[find_verb(args.verb)].run(&args);
}
