/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was changed, on disk until it is undone. */
#include "host/lib/error.h"
#include "host/env/state.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/env/settings.h"
#include "host/lib/file.h"

#define HEAD	  "worldswitch env 1"
#define ENTRY_MAX 4096

static char *folder_of(const char *root)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path;
	int ret;

	/* Root believes no variable: what is in there, it will write to /sys. */
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

/* With all that lead to it. */
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

/* Whoever can write the file must not choose what root writes, or where. */
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

	if (!setting || strstr(path, ".."))
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
				"%s: line %zu is not of wsbench env: mend or remove it",
				s->file, n);
	}
	if (!n)
		return error_set(err, -EINVAL,
				 "%s is empty: nobody knows what was tuned; remove it",
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

struct env_entry *env_state_find(const struct env_state *s, const char *path)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->entries[i].path, path))
			return &s->entries[i];
	return NULL;
}

/* Nothing changed is no file. */
static int save(const struct env_state *s, struct error *err)
{
	char *text = NULL;
	size_t bytes;
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
	ret = file_replace(s->file, text, bytes);
	free(text);
	return ret ? error_set(err, ret, "cannot write %s: %s", s->file, strerror(-ret))
		   : 0;
}

int env_state_add(struct env_state *s, const char *path, const char *original,
		  const char *written, struct error *err)
{
	int ret = -EINVAL;

	/* What parts the columns of the file can be in none of them. */
	if (!strpbrk(path, "\t\n") && !strpbrk(original, "\t\n"))
		ret = append(s, path, original, written);
	if (ret)
		return error_set(err, ret, "%s is none of our settings", path);
	ret = save(s, err);
	if (ret)
		discard(&s->entries[--s->n]);
	return ret;
}

int env_state_remove(struct env_state *s, const struct env_entry *entry,
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
	/* It is still on the disk, and so it is here. */
	memmove(&s->entries[at + 1], &s->entries[at], (s->n++ - at) * sizeof(gone));
	s->entries[at] = gone;
	return ret;
}
