/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents and history files of the command line. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/cli/documents.h"
#include "host/cli/options.h"
#include "host/explain/explanation.h"
#include "host/history/history.h"
#include "host/lib/error.h"
#include "host/lib/file.h"
#include "host/result/result.h"
#include "host/targets/lab/file.h"
#include "host/targets/target.h"

static bool is_json(const char *name)
{
	size_t n = strlen(name);

	return *name != '.' && n > strlen(".json") && !strcmp(name + n - 5, ".json");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The paths of a folder's files *.json, sorted. 0 or a negative errno. */
static int list_folder(const char *path, char ***files, size_t *n)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	int rc;

	*files = NULL;
	*n = 0;
	if (!dir)
		return -errno;
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		if (!is_json(entry->d_name))
			continue;
		*files = realloc(*files, (*n + 1) * sizeof(**files));
		if (!*files ||
		    asprintf(&(*files)[(*n)++], "%s%s%s", path,
			     path[strlen(path) - 1] == '/' ? "" : "/", entry->d_name) < 0)
			abort();
	}
	rc = -errno;
	closedir(dir);
	if (*n)
		qsort(*files, *n, sizeof(**files), by_name);
	return rc;
}

static void free_list(char **files, size_t n)
{
	while (n)
		free(files[--n]);
	free(files);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static bool read_file(struct documents *d, const char *path)
{
	struct error err;

	d->docs = realloc(d->docs, (d->n + 1) * sizeof(*d->docs));
	if (!d->docs)
		abort();
	if (!result_read(path, &d->docs[d->n], &err)) {
		d->n++;
		return true;
	}
	message_error("%s", err.text);
	return false;
}

/* A folder may also hold other files in JSON, such as explanations. */
static bool read_folder(struct documents *d, const char *path)
{
	const size_t before = d->n;
	char **files;
	size_t n;
	int rc = list_folder(path, &files, &n);
	bool ok = !rc;

	for (size_t i = 0; ok && i < n; i++)
		ok = result_is_not_in(files[i]) || read_file(d, files[i]);
	if (rc)
		message_error("cannot read %s: %s", path, strerror(-rc));
	else if (ok && d->n == before)
		message_error("%s: no result documents in this folder", path);
	free_list(files, n);
	return ok && d->n > before;
}

bool documents_read(struct documents *d, const char *const *paths, size_t n)
{
	bool ok = true;

	*d = (struct documents){ 0 };
	for (size_t i = 0; ok && i < n; i++)
		ok = is_folder(paths[i]) ? read_folder(d, paths[i])
					 : read_file(d, paths[i]);
	if (!ok)
		documents_free(d);
	return ok;
}

static size_t rank_of(const struct result *r)
{
	size_t i = 0;

	while (target_table[i].name && strcmp(target_table[i].name, r->target.name) != 0)
		i++;
	return i;
}

void documents_order(struct documents *d)
{
	for (size_t i = 1; i < d->n; i++)
		for (size_t k = i; k && rank_of(d->docs[k]) < rank_of(d->docs[k - 1]);
		     k--) {
			struct result *r = d->docs[k];

			d->docs[k] = d->docs[k - 1];
			d->docs[k - 1] = r;
		}
}

void documents_free(struct documents *d)
{
	while (d->n)
		result_free(d->docs[--d->n]);
	free(d->docs);
	d->docs = NULL;
}

static bool read_explanation(struct explanations *e, const char *path)
{
	struct error err;

	e->docs = realloc(e->docs, (e->n + 1) * sizeof(*e->docs));
	if (!e->docs)
		abort();
	if (!explanation_read(path, &e->docs[e->n], &err)) {
		e->n++;
		return true;
	}
	message_error("%s", err.text);
	return false;
}

static bool read_explanations(struct explanations *e, const char *folder)
{
	char **files;
	size_t n;
	/* documents_read() reports a folder that cannot be read. */
	bool ok = true, readable = !list_folder(folder, &files, &n);

	for (size_t i = 0; readable && ok && i < n; i++)
		ok = !explanation_is_in(files[i]) || read_explanation(e, files[i]);
	free_list(files, n);
	return ok;
}

/* A folder with explanations alone has been read. */
static bool has_results(const char *folder)
{
	char **files;
	size_t n;
	bool has = list_folder(folder, &files, &n) != 0;

	for (size_t i = 0; !has && i < n; i++)
		has = !result_is_not_in(files[i]);
	free_list(files, n);
	return has;
}

bool documents_explanations(struct explanations *e, const char **paths, size_t *n)
{
	size_t kept = 0;
	bool ok = true;

	*e = (struct explanations){ 0 };
	for (size_t i = 0; ok && i < *n; i++) {
		const size_t before = e->n;

		if (is_folder(paths[i])) {
			ok = read_explanations(e, paths[i]);
			if (e->n == before || has_results(paths[i]))
				paths[kept++] = paths[i];
		} else if (explanation_is_in(paths[i])) {
			ok = read_explanation(e, paths[i]);
		} else {
			paths[kept++] = paths[i];
		}
	}
	*n = kept;
	if (!ok)
		documents_explanations_free(e);
	return ok;
}

void documents_explanations_free(struct explanations *e)
{
	while (e->n)
		explanation_free(e->docs[--e->n]);
	free(e->docs);
	e->docs = NULL;
}

bool documents_history(struct history *h, const char *path)
{
	struct error err;

	if (history_read(path, HISTORY_REFUSE, h, &err)) {
		message_error("%s", err.text);
		return false;
	}
	if (!h->n_series) {
		message_error("%s has no figures", path);
		history_free(h);
		return false;
	}
	if (history_judge(h, &history_rules))
		abort(); /* out of memory */
	return true;
}

bool documents_know_names(const struct history_query *q, struct error *err)
{
	struct names_list list = { 0 };
	bool known = true;

	if (q->benches)
		known = !names_match_benches(q->benches, &list, err);
	names_free(&list);
	if (known && q->targets)
		known = !names_match_targets(q->targets, &list, err);
	names_free(&list);
	if (known && q->configs)
		known = !names_match_configs(q->configs, &list, err);
	names_free(&list);
	return known;
}

char *documents_path(const char *folder, const struct result *r)
{
	size_t length = strlen(folder);
	char *path;

	while (length > 1 && folder[length - 1] == '/')
		length--;
	if (asprintf(&path, "%.*s/%s.json", (int)length, folder, r->target.name) < 0)
		abort();
	for (char *c = path + length; *c; c++)
		if (*c == ':')
			*c = '-';
	return path;
}

const char *documents_option(const char *const *argv, size_t n, const char *option)
{
	size_t length = strlen(option);

	for (size_t i = 0; i < n; i++) {
		if (!strncmp(argv[i], option, length) && argv[i][length] == '=')
			return argv[i] + length + 1;
		if (!strcmp(argv[i], option) && i + 1 < n)
			return argv[i + 1];
	}
	return NULL;
}

int documents_make_folder(const char *path, struct error *err)
{
	int rc = file_make_folders(path);

	if (rc)
		error_set(err, rc, "cannot make folder %s: %s", path, strerror(-rc));
	return rc;
}

bool documents_folder_is_writable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return false;
	}
	return !access(path, W_OK | X_OK);
}

int documents_check_output(const char *path, struct error *err)
{
	char *file, *slash;
	const char *folder = ".";
	struct stat st;
	int rc = 0;
	bool exists = !stat(path, &st);

	if (exists && S_ISDIR(st.st_mode))
		return error_set(err, -EISDIR, "cannot write %s: %s", path,
				 strerror(EISDIR));
	/* A device or a pipe is written in place; of a link, its file is replaced. */
	if (exists && !S_ISREG(st.st_mode))
		return 0;
	file = exists ? realpath(path, NULL) : strdup(path);
	slash = file ? strrchr(file, '/') : NULL;
	if (slash) {
		slash[slash == file] = '\0';
		folder = file;
	}
	if (!file)
		rc = error_set(err, -errno, "cannot write %s: %s", path, strerror(errno));
	else if (!documents_folder_is_writable(folder))
		rc = error_set(err, -errno, "cannot write to folder %s: %s%s%s%s", folder,
			       strerror(errno), errno == ENOENT ? " (mkdir -p " : "",
			       errno == ENOENT ? folder : "", errno == ENOENT ? ")" : "");
	free(file);
	return rc;
}

const char **documents_words(char *list, size_t *n)
{
	const char **words = calloc(strlen(list) / 2 + 2, sizeof(*words));
	char *save = NULL;

	if (!words)
		abort();
	*n = 0;
	for (char *w = strtok_r(list, ",", &save); w; w = strtok_r(NULL, ",", &save))
		words[(*n)++] = w;
	return words;
}

/* ------------------------------ named baselines ------------------------------ */

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
