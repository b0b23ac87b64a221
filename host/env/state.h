/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `wsbench env tune` has changed, on disk until it is undone: a line per file,
 * written and synced before the change it speaks of. After a crash it names at worst
 * a change that was not made, which does no harm.
 */
#ifndef WS_ENV_STATE_H
#define WS_ENV_STATE_H

#include <stddef.h>

#include "host/lib/error.h"

struct env_setting;

struct env_entry {
	char *path;		  /* without the root */
	char *original, *written; /* values before and after */
	const struct env_setting *setting;
};

struct env_state {
	char *file; /* its path, root and all */
	int lock;   /* held while changes are made; -1: none */
	struct env_entry *entries;
	size_t n;
};

/*
 * Reads the state below `root`; no file is an empty state. `lock`: nobody else may
 * change it meanwhile; makes its folder. 0; -EINVAL: not a file of ours, or of paths
 * that are none of our settings; -EBUSY: somebody else holds it; or what reading
 * said. `err` is filled in. Free it after success.
 *
 * Root keeps it in /var/lib/worldswitch; others in $XDG_STATE_HOME/worldswitch or
 * ~/.local/state/worldswitch. With a root other than "" it is below that.
 */
int env_state_open(struct env_state *s, const char *root, int lock, struct error *err);
void env_state_close(struct env_state *s);

/* NULL where `path` was not changed. */
struct env_entry *env_state_find(const struct env_state *s, const char *path);

/* These reach the disk before they return. 0, or a negative errno with `err`. */
int env_state_add(struct env_state *s, const char *path, const char *original,
		  const char *written, struct error *err);
int env_state_remove(struct env_state *s, const struct env_entry *entry,
		     struct error *err);

#endif
