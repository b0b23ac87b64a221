/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tuning: settings that are changed for a measurement and restored afterwards.
 *
 * The state file has a line per changed file, which is synced before the change. After a
 * crash, the last line can be of a change that was not made, which is harmless.
 */
#ifndef WS_ENV_TUNE_H
#define WS_ENV_TUNE_H

#include <stdbool.h>
#include <stddef.h>

#include "host/lib/error.h"

struct env_setting;
struct result;

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

#endif
