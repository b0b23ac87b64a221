/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench validate`: checks result documents against the schema's rules. */
#include <stdio.h>
#include <stdlib.h>

#include "host/lib/error.h"
#include "host/cli/cmd.h"
#include "host/cli/options.h"
#include "host/explain/explanation.h"

struct validate {
	struct options_common common;
	char **files; /* room for all of argv */
	size_t n_files;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct validate *v = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &v->common;
		return 0;
	case ARGP_KEY_ARG:
		v->files[v->n_files++] = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		return options_error(state, "no file: 'wsbench validate FILE.json...'");
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = { { &options_common, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.parser = parse,
	.args_doc = "FILE.json...",
	.doc = "Checks results and explanations against the rules of results/schema.json "
	       "and results/explanation.schema.json.\v"
	       "Prints 'FILE: ok' for each valid file, and the position of the first "
	       "error "
	       "for each invalid file. The exit code is 2 if a file is invalid.",
	.children = children,
};

static bool validate_file(const char *path)
{
	struct error err;

	if (explanation_or_result_check(path, &err)) {
		message_usage("wsbench validate", "%s", err.text);
		return false;
	}
	printf("%s: ok\n", path);
	return true;
}

int cmd_validate(int argc, char **argv)
{
	struct validate v = { .files = calloc((size_t)argc + 1, sizeof(char *)) };
	enum cli_exit code = CLI_OK;
	enum options_next next;

	if (!v.files)
		abort();
	next = options_parse(&argp, "wsbench validate", argc, argv, &v);
	if (next == OPTIONS_BAD)
		code = CLI_USAGE;
	else if (next == OPTIONS_RUN)
		for (size_t i = 0; i < v.n_files; i++)
			if (!validate_file(v.files[i]))
				code = CLI_USAGE;
	free(v.files);
	return code;
}
