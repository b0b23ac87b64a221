/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of `wsbench env`. */
#ifndef WS_ENV_ENV_TABLE_H
#define WS_ENV_ENV_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct env_state;
struct env_step;

/* Prints all settings. Returns the ids of grave settings that are not good, for free().
 */
char *env_table_settings(FILE *f, const char *root);

/* CPU, microcode, fingerprint. */
void env_table_machine(FILE *f);

/* The entries of the state file, and whether the files still have the tuned values. */
void env_table_state(FILE *f, const char *root, const struct env_state *state);

/* Outcomes of tuning and restoring: a line per setting and outcome, not per file. */
struct env_steps {
	struct env_steps_line *lines;
	size_t n;
	bool dry;
};

/* For struct env_tune; `context` is a struct env_steps. */
void env_steps_add(const struct env_step *step, void *context);
/* Prints and frees the lines. */
void env_steps_print(FILE *f, struct env_steps *steps);

#endif
