/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wsbench env`: the fingerprint of this machine, the settings that affect figures, their
 * tuning, and the tables of all of them.
 */
#ifndef WS_ENV_ENV_H
#define WS_ENV_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "host/lib/confine.h"
#include "host/lib/error.h"

struct json_list;
struct result;

/*
 * The machine: files of /proc and /sys, and the fingerprint of what makes figures
 * comparable. `root` is a prefix of all paths: "", or in tests a folder with files like
 * those of /proc and /sys.
 */

/* The first line of a file without its newline. False: cannot be read. */
bool env_read_line(const char *root, const char *path, char *buf, size_t bytes);

/* The value of the first "key : value" line, as in /proc/cpuinfo. False: not found. */
bool env_read_key(const char *root, const char *path, const char *key, char *buf,
		  size_t bytes);

/*
 * Fills in r->machine (except `pinned`) for this machine. The fingerprint is 16 hex
 * digits of FNV-1a 64 over the architecture, the CPU model, the microcode, the number of
 * CPUs, and whether this is a guest. The kernel is not part of it: kernels are compared.
 */
void env_machine(struct result *r);

/* Adds a text, such as the version of an emulator, to the fingerprint. */
void env_fingerprint_mix(struct result *r, const char *what);

/*
 * Settings of a machine that disturb a measurement: the table from which settings are
 * checked, tuned and restored.
 */
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
	/*
	 * Of a setting that is tuned: the values that it can have, separated by '|'; "#":
	 * a number. Others are neither tuned nor restored.
	 */
	const char *known;
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

/* Whether a setting that is tuned can have the value. */
bool env_is_known(const struct env_setting *s, const char *value);

/* Whether a value is good. */
bool env_is_good(const struct env_setting *s, const char *value);

/* The value of a file; `path` includes the root. False: cannot be read. */
bool env_read_value(const struct env_setting *s, const char *path,
		    char value[ENV_VALUE_MAX]);

/* "ok", "warn", "unknown" */
const char *env_status_name(enum env_status status);

/*
 * Tuning: settings that are changed for a measurement and restored afterwards.
 *
 * The state file has a line per changed file, which is synced before the change. After a
 * crash, the last line can be of a change that was not made, which is harmless.
 */
struct env_entry {
	char *path;		  /* without the root */
	char *original, *written; /* values before and after the change */
	const struct env_setting *setting;
};

struct env_state {
	char *file; /* path of the state file, with the root */
	int lock;   /* lock of the folder; -1: not locked */
	struct env_entry *entries;
	size_t n;
};

/*
 * Reads the state file below `root`; without a file, the state is empty. `lock`: creates
 * and locks the folder. 0, or with `err`: -EINVAL: not a state file, or with a path that
 * is not a setting; -EBUSY: another process holds the lock; or the negative errno of
 * reading. Close the state after success.
 *
 * For root, the folder is /var/lib/worldswitch; for other users,
 * $XDG_STATE_HOME/worldswitch or ~/.local/state/worldswitch.
 */
int env_state_open(struct env_state *s, const char *root, int lock, struct error *err);
void env_state_close(struct env_state *s);

enum env_action {
	ENV_CHANGED,   /* changed; dry run: would be changed */
	ENV_AS_WANTED, /* has the value already */
	ENV_FOREIGN,   /* changed by another program since; not written */
	ENV_DENIED,    /* cannot be written; see `why` */
};

/* The outcome for a file. */
struct env_step {
	const struct env_setting *setting;
	const char *path; /* with the root */
	enum env_action action;
	const char *from,
		*to;	 /* `to`: the value afterwards, or the one that was not written */
	const char *why; /* ENV_DENIED: the reason */
};

struct env_tune {
	const char *root;
	bool dry;   /* report only */
	bool force; /* restore also files that another program has changed since */
	void (*step)(const struct env_step *step, void *context);
	void *context;
};

/*
 * Changes the tunable settings, each file after its entry is on disk. A file that was
 * tuned before keeps its original value. 0; -EPERM: a file cannot be written; or the
 * negative errno of the state file, which ends the tuning. `err` is set.
 */
int env_tune(const struct env_tune *t, struct error *err);

/*
 * Restores the files of the state, and removes their entries. 0; -EEXIST: a file that
 * another program has changed was not written, and keeps its entry; or as env_tune().
 */
int env_restore(const struct env_tune *t, struct error *err);

/* Whether there are entries, and all files still have the written values. */
bool env_is_tuned(const char *root);

/*
 * Adds a check per setting to `r`, and whether `wsbench env tune` is in effect. A setting
 * that cannot be read is "unknown".
 */
void env_checks(struct result *r);
void env_checks_below(struct result *r, const char *root);

/*
 * The check of confinement on this machine: in place of that of the machine in a lab,
 * which the document is about, or of an emulator that stays root's.
 */
void env_check_confinement(struct result *r, bool stays_root);

/*
 * The confinement of each kind of target on this machine: the first target of the kind
 * that can run is opened on trial.
 */
struct env_confined {
	const char *kind;   /* "lab, by QEMU" */
	const char *target; /* the target that was tried */
	char why[512];	    /* why it cannot run here; "": it can */
	struct confine_state state;
};
#define ENV_KINDS 5
void env_confined(struct env_confined kinds[ENV_KINDS]);
void env_confined_table(FILE *f, const struct env_confined kinds[ENV_KINDS]);
void env_confined_json(struct json_list *l, const struct env_confined kinds[ENV_KINDS]);

/* The tables. */

/* Prints all settings. Returns the ids of grave settings that are not good, for free().
 */
char *env_table_settings(FILE *f, const char *root);

/* CPU, microcode, fingerprint. */
void env_table_machine(FILE *f);

/* The entries of the state file, and whether the files still have the tuned values. */
void env_table_state(FILE *f, const char *root, const struct env_state *state);

/*
 * All of it as JSON: the settings, without a root the machine and its confinement, and
 * the entries of `state` (or NULL). Whether a grave setting is not good.
 */
bool env_json(FILE *f, const char *root, const struct env_state *state);

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
