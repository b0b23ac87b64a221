/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named baselines: documents in the cache, a folder per name and a document per target.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/cli/documents.h"
#include "host/cli/names.h"
#include "host/lib/error.h"
#include "host/result/result.h"
#include "host/targets/lab/file.h"

#define NAME_CHARACTERS                                                                  \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-"

bool baseline_is_name(const char *name)
{
	return *name && *name != '.' && *name != '-' &&
	       strspn(name, NAME_CHARACTERS) == strlen(name) && strlen(name) < 100;
}

static int is_shown(const struct dirent *entry)
{
	return baseline_is_name(entry->d_name);
}

void baseline_list(void (*each)(void *ctx, const char *name, const char *folder),
		   void *ctx)
{
	char root[PATH_MAX], folder[PATH_MAX];
	struct dirent **entries;
	struct stat st;
	int n;

	lab_baselines_folder(root);
	n = scandir(root, &entries, is_shown, alphasort);
	for (int i = 0; i < n; i++) {
		if (lab_path(folder, "%s/%s", root, entries[i]->d_name) &&
		    !stat(folder, &st) && S_ISDIR(st.st_mode))
			each(ctx, entries[i]->d_name, folder);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

/* The names, for the suggestion. */
struct known {
	char *names[64];
	size_t n;
};

static void add_known(void *ctx, const char *name, const char *folder)
{
	struct known *known = ctx;

	(void)folder;
	if (known->n == sizeof(known->names) / sizeof(known->names[0]))
		return;
	known->names[known->n] = strdup(name);
	if (!known->names[known->n++])
		abort();
}

bool baseline_find(const char *name, char path[PATH_MAX])
{
	char root[PATH_MAX];
	struct stat st;

	lab_baselines_folder(root);
	return baseline_is_name(name) && lab_path(path, "%s/%s", root, name) &&
	       !stat(path, &st) && S_ISDIR(st.st_mode);
}

void baseline_unknown(const char *command, const char *name)
{
	struct known known = { .n = 0 };
	const char *nearest;

	baseline_list(add_known, &known);
	nearest = names_nearest(name, (const char *const *)known.names, known.n);
	if (nearest)
		message_usage(command, "no baseline and no file '%s': did you mean '%s'?",
			      name, nearest);
	else
		message_usage(
			command,
			"no baseline and no file '%s': 'wsbench list baselines' lists them",
			name);
	while (known.n)
		free(known.names[--known.n]);
}

int baseline_save(const char *name, const struct result *r, struct error *err)
{
	char root[PATH_MAX], folder[PATH_MAX], *path;
	int rc;

	lab_baselines_folder(root);
	if (!lab_path(folder, "%s/%s", root, name))
		return error_set(err, -ENAMETOOLONG,
				 "the path of the baseline is too long");
	rc = documents_make_folder(folder, err);
	if (rc)
		return rc;
	path = documents_path(folder, r);
	rc = result_write(path, r, err);
	free(path);
	return rc;
}
