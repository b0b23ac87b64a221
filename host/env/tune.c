/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings that are changed for the time of a measurement, and changed back. */
#include "host/lib/error.h"
#include "host/env/tune.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/env/settings.h"

static void tell(const struct env_tune *t, const struct env_setting *s, const char *path,
		 enum env_action action, const char *from, const char *to, int err)
{
	const struct env_step step = { s,    path, action,
				       from, to,   err ? strerror(err) : NULL };

	t->step(&step, t->context);
}

/* In one write, as files of /sys want it. 0 or an errno. */
static int write_value(const char *path, const char *value)
{
	size_t len = strlen(value);
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), err = 0;
	ssize_t n;

	if (fd < 0)
		return errno;
	n = write(fd, value, len);
	if (n != (ssize_t)len)
		err = n < 0 ? errno : EIO;
	if (close(fd) && !err)
		err = errno;
	return err;
}

/* Written, and taken: some files take a value and keep their own. */
static int change(const struct env_setting *s, const char *path, const char *value)
{
	char now[ENV_VALUE_MAX];
	int err = write_value(path, value);

	if (err)
		return err;
	if (!env_read_value(s, path, now))
		return EIO;
	return strcmp(now, value) ? EINVAL : 0;
}

/* What somebody has set since we wrote to the file, if it is not what was there. */
static bool is_foreign(const struct env_entry *e, const char *now)
{
	return strcmp(now, e->written) != 0 && strcmp(now, e->original) != 0;
}

/* 0, EPERM where it could not be written, or a negative errno of the notes. */
static int tune_file(const struct env_tune *t, struct env_state *state,
		     const struct env_setting *s, const char *path, struct error *err)
{
	const char *inner = path + strlen(t->root);
	const struct env_entry *e = env_state_find(state, inner);
	char now[ENV_VALUE_MAX];
	int ret;

	if (!env_read_value(s, path, now))
		return 0;
	if (e && is_foreign(e, now)) {
		tell(t, s, path, ENV_FOREIGN, now, e->written, 0);
		return 0;
	}
	if (env_is_good(s, now)) {
		tell(t, s, path, ENV_AS_WANTED, now, now, 0);
		return 0;
	}
	if (!t->dry && !e) {
		ret = env_state_add(state, inner, now, s->tuned, err);
		if (ret)
			return ret;
	}
	ret = t->dry ? 0 : change(s, path, s->tuned);
	tell(t, s, path, ret ? ENV_DENIED : ENV_CHANGED, now, s->tuned, ret);
	if (!ret)
		return 0;
	/* What was not changed has no original to go back to. */
	e = env_state_find(state, inner);
	if (env_read_value(s, path, now) && !strcmp(now, e->original)) {
		ret = env_state_remove(state, e, err);
		if (ret)
			return ret;
	}
	return EPERM;
}

static int tune_setting(const struct env_tune *t, struct env_state *state,
			const struct env_setting *s, struct error *err)
{
	char pattern[PATH_MAX];
	int ret = 0, denied = 0;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s%s", t->root, s->path);
	if (glob(pattern, 0, NULL, &found))
		return 0;
	for (size_t i = 0; i < found.gl_pathc && ret >= 0; i++) {
		ret = tune_file(t, state, s, found.gl_pathv[i], err);
		denied |= ret > 0;
	}
	globfree(&found);
	return ret < 0 ? ret : denied;
}

int env_tune(const struct env_tune *t, struct error *err)
{
	struct env_state state;
	int ret = env_state_open(&state, t->root, !t->dry, err), denied = 0;

	if (ret)
		return ret;
	for (const struct env_setting *s = env_settings; s->id && ret >= 0; s++) {
		if (!s->tuned)
			continue;
		ret = tune_setting(t, &state, s, err);
		denied |= ret > 0;
	}
	env_state_close(&state);
	if (ret < 0 || !denied)
		return ret < 0 ? ret : 0;
	snprintf(err->text, sizeof(err->text), "not everything could be tuned");
	return -EPERM;
}

enum restored {
	RESTORED,
	RESTORED_NOT, /* denied */
	RESTORED_FOREIGN,
};

/* One of enum restored, or a negative errno of the notes. */
static int restore_entry(const struct env_tune *t, struct env_state *state,
			 const struct env_entry *e, struct error *err)
{
	char path[PATH_MAX], now[ENV_VALUE_MAX];
	int ret;

	snprintf(path, sizeof(path), "%s%s", t->root, e->path);
	if (!env_read_value(e->setting, path, now)) {
		/* A CPU that has gone, or a module: nothing to go back to. */
		tell(t, e->setting, path, ENV_DENIED, e->written, e->original, ENOENT);
		return t->dry ? RESTORED : env_state_remove(state, e, err);
	}
	if (is_foreign(e, now) && !t->force) {
		tell(t, e->setting, path, ENV_FOREIGN, now, e->original, 0);
		return RESTORED_FOREIGN;
	}
	if (strcmp(now, e->original) != 0) {
		ret = t->dry ? 0 : change(e->setting, path, e->original);
		tell(t, e->setting, path, ret ? ENV_DENIED : ENV_CHANGED, now,
		     e->original, ret);
		if (ret)
			return RESTORED_NOT;
	} else {
		tell(t, e->setting, path, ENV_AS_WANTED, now, now, 0);
	}
	return t->dry ? RESTORED : env_state_remove(state, e, err);
}

int env_restore(const struct env_tune *t, struct error *err)
{
	bool denied = false, foreign = false;
	struct env_state state;
	int ret = env_state_open(&state, t->root, !t->dry, err);

	if (ret)
		return ret;
	/* The last change first. */
	for (size_t i = state.n; i-- > 0 && ret >= 0;) {
		ret = restore_entry(t, &state, &state.entries[i], err);
		denied |= ret == RESTORED_NOT;
		foreign |= ret == RESTORED_FOREIGN;
	}
	env_state_close(&state);
	if (ret < 0)
		return ret;
	if (denied)
		snprintf(err->text, sizeof(err->text),
			 "not everything could be restored; what is left is still noted");
	else if (foreign)
		snprintf(err->text, sizeof(err->text),
			 "what somebody else has changed since was left alone; --force "
			 "writes the old values all the same");
	return denied ? -EPERM : foreign ? -EEXIST : 0;
}

bool env_is_tuned(const char *root)
{
	char path[PATH_MAX], now[ENV_VALUE_MAX];
	struct error err;
	struct env_state state;
	bool tuned;

	if (env_state_open(&state, root, 0, &err))
		return false;
	tuned = state.n;
	for (size_t i = 0; i < state.n && tuned; i++) {
		const struct env_entry *e = &state.entries[i];

		snprintf(path, sizeof(path), "%s%s", root, e->path);
		tuned = env_read_value(e->setting, path, now) && !strcmp(now, e->written);
	}
	env_state_close(&state);
	return tuned;
}
