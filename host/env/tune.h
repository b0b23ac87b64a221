/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings that are changed for the time of a measurement, and changed back. */
#ifndef WS_ENV_TUNE_H
#define WS_ENV_TUNE_H

#include <stdbool.h>

#include "host/lib/error.h"
#include "host/env/state.h"

enum env_action {
	ENV_CHANGED,   /* or, on a dry run, would be */
	ENV_AS_WANTED, /* nothing to do */
	ENV_FOREIGN,   /* somebody else has changed it since: left alone */
	ENV_DENIED,    /* could not be written; `why` */
};

/* One file. */
struct env_step {
	const struct env_setting *setting;
	const char *path; /* root and all */
	enum env_action action;
	const char *from, *to; /* `to`: what it is, or should be, afterwards */
	const char *why;       /* ENV_DENIED: the reason */
};

struct env_tune {
	const char *root;
	bool dry;   /* look only */
	bool force; /* restore over what somebody else has set */
	void (*step)(const struct env_step *step, void *context);
	void *context;
};

/*
 * Changes what can be changed on a running machine, each file after it was noted on
 * disk; what was tuned before keeps its original value in the notes. 0; -EPERM where
 * a file could not be written; or the negative errno of the notes, with `err`: then
 * nothing more was changed.
 */
int env_tune(const struct env_tune *t, struct error *err);

/*
 * Changes back what is noted, and forgets it. 0; -EPERM as above; -EEXIST where
 * somebody else's change was left alone, and is still noted; or as above.
 */
int env_restore(const struct env_tune *t, struct error *err);

/* Whether something is tuned, and all of it still as it was left. */
bool env_is_tuned(const char *root);

#endif
