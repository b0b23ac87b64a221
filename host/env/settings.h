/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of a machine that disturb a measurement: the table from which settings are
 * checked, tuned and restored. `root` as in machine.h.
 */
#ifndef WS_ENV_SETTINGS_H
#define WS_ENV_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#define ENV_VALUE_MAX 512

enum env_form {
	ENV_LINE,     /* the first line of the file */
	ENV_CHOSEN,   /* a list of values, the current one in [brackets] */
	ENV_PRESENT,  /* good if not empty */
	ENV_AT_LEAST, /* a number; `good` ends with the least good number */
};

enum env_status {
	ENV_OK,
	ENV_WARN,
	ENV_UNKNOWN, /* cannot be read on this machine */
};

/* Rows with one id are adjacent: the first row that can be read is used. */
struct env_setting {
	const char *id;
	const char *path; /* a glob, all files must be good; NULL: see `probe` */
	enum env_form form;
	const char *good; /* good values, separated by '|' */
	const char
		*tuned; /* written by `wsbench env tune`; NULL: not tunable at run time */
	bool grave;	/* a value that is not good invalidates all figures */
	const char *effect; /* effect on the figures */
	enum env_status (*probe)(const char *root, char value[ENV_VALUE_MAX]);
};

/* Ends with a row with id NULL. */
extern const struct env_setting env_settings[];

/* The status of an id: of the row that was used, or of the first row if none was. */
struct env_finding {
	const struct env_setting *setting;
	char value[ENV_VALUE_MAX]; /* "" if unknown */
	enum env_status status;
};

/*
 * Reads the setting whose rows begin at `s`. *next: the rows of the next id. If several
 * files match the path, the first value that is not good counts.
 */
void env_find(const struct env_setting *s, const char *root, struct env_finding *found,
	      const struct env_setting **next);

/* Whether a value is good. */
bool env_is_good(const struct env_setting *s, const char *value);

/* The value of a file; `path` includes the root. False: cannot be read. */
bool env_read_value(const struct env_setting *s, const char *path,
		    char value[ENV_VALUE_MAX]);

/* "ok", "warn", "unknown" */
const char *env_status_name(enum env_status status);

#endif
