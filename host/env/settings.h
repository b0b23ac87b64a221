/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What about a machine disturbs a measurement: one table, from which settings are
 * checked, tuned and restored. `root` goes before every path, as in read.h.
 */
#ifndef WS_ENV_SETTINGS_H
#define WS_ENV_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#define ENV_VALUE_MAX 512

enum env_form {
	ENV_LINE,     /* the value is the file's first line */
	ENV_CHOSEN,   /* the value stands in [brackets] among the others */
	ENV_PRESENT,  /* good where it is not empty, whatever it says */
	ENV_AT_LEAST, /* a number; `good` ends with the least one that is */
};

enum env_status {
	ENV_OK,
	ENV_WARN,
	ENV_UNKNOWN, /* cannot be read here; that is not good, nor bad */
};

/* Rows of one id follow each other: the first that can be read speaks. */
struct env_setting {
	const char *id;
	const char *path; /* a glob: all files must agree; NULL: `look` knows */
	enum env_form form;
	const char *good;   /* the value hoped for; alternatives parted by '|' */
	const char *tuned;  /* what `wsbench env tune` writes; NULL: not while it runs */
	bool grave;	    /* where it is not good, no figure can be trusted */
	const char *effect; /* what it does to the numbers, in a few words */
	enum env_status (*look)(const char *root, char value[ENV_VALUE_MAX]);
};

/* Ends with a row whose id is NULL. */
extern const struct env_setting env_settings[];

/* What one id comes to: the row that spoke, or the first where none did. */
struct env_finding {
	const struct env_setting *setting;
	char value[ENV_VALUE_MAX]; /* "" where unknown */
	enum env_status status;
};

/*
 * The finding of the id whose rows begin at `s`; *next is where the following id's
 * begin. Of several files the first whose value is not good speaks.
 */
void env_find(const struct env_setting *s, const char *root, struct env_finding *found,
	      const struct env_setting **next);

/* Whether a value is the one hoped for. */
bool env_is_good(const struct env_setting *s, const char *value);

/* The value of one file, of which `path` is the whole name. False: unreadable. */
bool env_read_value(const struct env_setting *s, const char *path,
		    char value[ENV_VALUE_MAX]);

/* "ok", "warn", "unknown" */
const char *env_status_name(enum env_status status);

enum env_status env_look_guest(const char *root, char value[ENV_VALUE_MAX]);
enum env_status env_look_kvm(const char *root, char value[ENV_VALUE_MAX]);
enum env_status env_look_parameters(const char *root, char value[ENV_VALUE_MAX]);
enum env_status env_look_mitigations(const char *root, char value[ENV_VALUE_MAX]);
enum env_status env_look_load(const char *root, char value[ENV_VALUE_MAX]);

#endif
