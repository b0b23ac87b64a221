/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tuning: the state file, and changing and restoring settings. */
#include "host/env/env.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/file.h"
#include "host/result/result.h"

#define HEAD	  "worldswitch env 1"
#define ENTRY_MAX 4096

static char *folder_of(const char *root)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path;
	int ret;

	/* Root ignores the environment: the file decides what root writes to /sys. */
	if (*root || !geteuid())
		ret = asprintf(&path, "%s/var/lib/worldswitch", root);
	else if (xdg && *xdg == '/')
		ret = asprintf(&path, "%s/worldswitch", xdg);
	else
		ret = asprintf(&path, "%s/.local/state/worldswitch", home ? home : "");
	if (ret < 0)
		abort();
	return path;
}

/* Creates a folder and its parents. */
static int make_folder(const char *path, struct error *err)
{
	char *copy = strdup(path);
	int ret = 0;

	if (!copy)
		abort();
	for (char *at = copy + 1; !ret; at++) {
		char was = *at;

		if (was && was != '/')
			continue;
		*at = '\0';
		if (mkdir(copy, 0755) && errno != EEXIST)
			ret = error_set(err, -errno, "cannot make folder %s: %s", copy,
					strerror(errno));
		*at = was;
		if (!was)
			break;
	}
	free(copy);
	return ret;
}

static int take_lock(struct env_state *s, const char *folder, struct error *err)
{
	int ret = make_folder(folder, err);

	if (ret)
		return ret;
	s->lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->lock < 0)
		return error_set(err, -errno, "%s: %s", folder, strerror(errno));
	if (!flock(s->lock, LOCK_EX | LOCK_NB))
		return 0;
	return error_set(err, -EBUSY, "%s: another wsbench is tuning this machine",
			 folder);
}

static char *copy(const char *text)
{
	char *new = strdup(text);

	if (!new)
		abort();
	return new;
}

/* The state file can be forged: only paths and values of settings are accepted. */
static const struct env_setting *setting_of(const char *path)
{
	for (const struct env_setting *s = env_settings; s->id; s++)
		if (s->tuned && s->path && !fnmatch(s->path, path, FNM_PATHNAME))
			return s;
	return NULL;
}

static int append(struct env_state *s, const char *path, const char *original,
		  const char *written)
{
	const struct env_setting *setting = setting_of(path);

	if (!setting || strstr(path, "..") || !env_is_known(setting, original) ||
	    strcmp(written, setting->tuned) != 0)
		return -EINVAL;
	s->entries = reallocarray(s->entries, s->n + 1, sizeof(*s->entries));
	if (!s->entries)
		abort();
	s->entries[s->n++] =
		(struct env_entry){ copy(path), copy(original), copy(written), setting };
	return 0;
}

/* "path<tab>original<tab>written" */
static int parse_line(struct env_state *s, char *line)
{
	char *original = strchr(line, '\t');
	char *written = original ? strchr(original + 1, '\t') : NULL;

	if (!written || strchr(written + 1, '\t'))
		return -EINVAL;
	*original++ = *written++ = '\0';
	return append(s, line, original, written);
}

static int parse(struct env_state *s, FILE *f, struct error *err)
{
	char line[ENTRY_MAX];
	size_t n = 0;

	while (fgets(line, sizeof(line), f)) {
		size_t len = strlen(line);
		bool whole = len && line[len - 1] == '\n';

		n++;
		line[len - whole] = '\0';
		if (!whole || (n == 1 ? strcmp(line, HEAD) != 0 : parse_line(s, line)))
			return error_set(
				err, -EINVAL,
				"%s: line %zu: not written by wsbench env (repair or remove the file)",
				s->file, n);
	}
	if (!n)
		return error_set(
			err, -EINVAL,
			"%s: empty: the original settings are unknown (remove the file)",
			s->file);
	return 0;
}

static int load(struct env_state *s, struct error *err)
{
	FILE *f = fopen(s->file, "re");
	int ret;

	if (!f && errno == ENOENT)
		return 0;
	if (!f)
		return error_set(err, -errno, "cannot read %s: %s", s->file,
				 strerror(errno));
	ret = parse(s, f, err);
	fclose(f);
	return ret;
}

int env_state_open(struct env_state *s, const char *root, int lock, struct error *err)
{
	char *folder = folder_of(root);
	int ret = 0;

	*s = (struct env_state){ .lock = -1 };
	if (asprintf(&s->file, "%s/tuned", folder) < 0)
		abort();
	if (lock)
		ret = take_lock(s, folder, err);
	if (!ret)
		ret = load(s, err);
	free(folder);
	if (ret)
		env_state_close(s);
	return ret;
}

static void discard(struct env_entry *e)
{
	free(e->path);
	free(e->original);
	free(e->written);
}

void env_state_close(struct env_state *s)
{
	for (size_t i = 0; i < s->n; i++)
		discard(&s->entries[i]);
	free(s->entries);
	free(s->file);
	if (s->lock >= 0)
		close(s->lock);
	*s = (struct env_state){ .lock = -1 };
}

/* NULL: the file was not changed. */
static struct env_entry *find_entry(const struct env_state *s, const char *path)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->entries[i].path, path))
			return &s->entries[i];
	return NULL;
}

/* Without entries, the file is removed. */
static int save(const struct env_state *s, struct error *err)
{
	char *text = NULL;
	size_t bytes;
	mode_t mask;
	FILE *f;
	int ret;

	if (!s->n) {
		if (!unlink(s->file) || errno == ENOENT)
			return 0;
		return error_set(err, -errno, "cannot remove %s: %s", s->file,
				 strerror(errno));
	}
	f = open_memstream(&text, &bytes);
	if (!f)
		abort();
	fputs(HEAD "\n", f);
	for (size_t i = 0; i < s->n; i++)
		fprintf(f, "%s\t%s\t%s\n", s->entries[i].path, s->entries[i].original,
			s->entries[i].written);
	if (fclose(f))
		abort();
	/* All can read the file, and only its owner can write it, by any umask. */
	mask = umask(022);
	ret = file_replace(s->file, text, bytes);
	umask(mask);
	free(text);
	return ret ? error_set(err, ret, "cannot write %s: %s", s->file, strerror(-ret))
		   : 0;
}

/* Adds an entry, on disk before the return. 0, or a negative errno with `err`. */
static int add_entry(struct env_state *s, const char *path, const char *original,
		     const char *written, struct error *err)
{
	int ret = -EINVAL;

	/* Tab and newline separate the columns of the file. */
	if (!strpbrk(path, "\t\n") && !strpbrk(original, "\t\n"))
		ret = append(s, path, original, written);
	if (ret)
		return error_set(err, ret, "%s: not a setting of wsbench env", path);
	ret = save(s, err);
	if (ret)
		discard(&s->entries[--s->n]);
	return ret;
}

/* Removes an entry, on disk before the return. 0, or a negative errno with `err`. */
static int remove_entry(struct env_state *s, const struct env_entry *entry,
			struct error *err)
{
	size_t at = (size_t)(entry - s->entries);
	struct env_entry gone = s->entries[at];
	int ret;

	memmove(&s->entries[at], &s->entries[at + 1], (--s->n - at) * sizeof(gone));
	ret = save(s, err);
	if (!ret) {
		discard(&gone);
		return 0;
	}
	/* The entry is still on disk: keep it in memory, too. */
	memmove(&s->entries[at + 1], &s->entries[at], (s->n++ - at) * sizeof(gone));
	s->entries[at] = gone;
	return ret;
}

static void report(const struct env_tune *t, const struct env_setting *s,
		   const char *path, enum env_action action, const char *from,
		   const char *to, int err)
{
	const struct env_step step = { s,    path, action,
				       from, to,   err ? strerror(err) : NULL };

	t->step(&step, t->context);
}

/* One write(), as files of /sys require. 0 or an errno. */
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

/* Writes and reads back: some files accept a value and ignore it. */
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

/* Whether another program has changed the file since it was tuned. */
static bool is_foreign(const struct env_entry *e, const char *now)
{
	return strcmp(now, e->written) != 0 && strcmp(now, e->original) != 0;
}

/* 0; EPERM: cannot be written; or the negative errno of the state file. */
static int tune_file(const struct env_tune *t, struct env_state *state,
		     const struct env_setting *s, const char *path, struct error *err)
{
	const char *inner = path + strlen(t->root);
	const struct env_entry *e = find_entry(state, inner);
	char now[ENV_VALUE_MAX];
	int ret;

	if (!env_read_value(s, path, now))
		return 0;
	if (e && is_foreign(e, now)) {
		report(t, s, path, ENV_FOREIGN, now, e->written, 0);
		return 0;
	}
	if (env_is_good(s, now)) {
		report(t, s, path, ENV_AS_WANTED, now, now, 0);
		return 0;
	}
	if (!env_is_known(s, now)) {
		/* It could not be restored. */
		report(t, s, path, ENV_DENIED, now, s->tuned, EINVAL);
		return EPERM;
	}
	if (!t->dry && !e) {
		ret = add_entry(state, inner, now, s->tuned, err);
		if (ret)
			return ret;
	}
	ret = t->dry ? 0 : change(s, path, s->tuned);
	report(t, s, path, ret ? ENV_DENIED : ENV_CHANGED, now, s->tuned, ret);
	if (!ret)
		return 0;
	/* The file was not changed: remove the entry. */
	e = find_entry(state, inner);
	if (env_read_value(s, path, now) && !strcmp(now, e->original)) {
		ret = remove_entry(state, e, err);
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
	snprintf(err->text, sizeof(err->text), "some settings cannot be tuned");
	return -EPERM;
}

enum restored {
	RESTORED,
	RESTORED_NOT, /* denied */
	RESTORED_FOREIGN,
};

/* One of enum restored, or the negative errno of the state file. */
static int restore_entry(const struct env_tune *t, struct env_state *state,
			 const struct env_entry *e, struct error *err)
{
	char path[PATH_MAX], now[ENV_VALUE_MAX];
	int ret;

	snprintf(path, sizeof(path), "%s%s", t->root, e->path);
	if (!env_read_value(e->setting, path, now)) {
		/* The CPU is offline, or the module was removed. */
		report(t, e->setting, path, ENV_DENIED, e->written, e->original, ENOENT);
		return t->dry ? RESTORED : remove_entry(state, e, err);
	}
	if (is_foreign(e, now) && !t->force) {
		report(t, e->setting, path, ENV_FOREIGN, now, e->original, 0);
		return RESTORED_FOREIGN;
	}
	if (strcmp(now, e->original) != 0) {
		ret = t->dry ? 0 : change(e->setting, path, e->original);
		report(t, e->setting, path, ret ? ENV_DENIED : ENV_CHANGED, now,
		       e->original, ret);
		if (ret)
			return RESTORED_NOT;
	} else {
		report(t, e->setting, path, ENV_AS_WANTED, now, now, 0);
	}
	return t->dry ? RESTORED : remove_entry(state, e, err);
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
			 "some settings cannot be restored; the state file keeps them");
	else if (foreign)
		snprintf(
			err->text, sizeof(err->text),
			"settings that another program has changed since were not restored (--force restores them)");
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

static void fill_check(struct result *r, struct result_check *c,
		       const struct env_finding *found)
{
	c->id = result_string(r, found->setting->id);
	c->value = result_string(r, found->status == ENV_UNKNOWN ? NULL : found->value);
	c->expected = result_string(r, found->setting->good);
	c->status = result_string(r, env_status_name(found->status));
}

void env_check_confinement(struct result *r, bool stays_root)
{
	const char *id = "confinement";
	const struct env_setting *s = env_settings, *next;
	struct env_finding found;
	struct result_check *c = NULL;

	for (size_t i = 0; i < r->n_checks && !c; i++)
		if (!strcmp(r->checks[i].id, id))
			c = &r->checks[i];
	while (s->id && strcmp(s->id, id))
		s++;
	if (!s->id)
		return;
	env_find(s, "", &found, &next);
	if (stays_root && found.status != ENV_UNKNOWN &&
	    !strstr(found.value, "not root")) {
		size_t used = strlen(found.value);

		snprintf(found.value + used, sizeof(found.value) - used, "%s not root",
			 found.status == ENV_OK ? " but:" : ",");
		found.status = ENV_WARN;
	}
	fill_check(r, c ? c : result_add_check(r), &found);
}

void env_checks_below(struct result *r, const char *root)
{
	const struct env_setting *s = env_settings;

	while (s->id) {
		struct env_finding found;

		env_find(s, root, &found, &s);
		fill_check(r, result_add_check(r), &found);
	}
	r->tuned = env_is_tuned(root);
}

void env_checks(struct result *r)
{
	env_checks_below(r, "");
}
