/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps explanations beside a history: the names of their files. */
#include "host/explain/keep.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/file.h"

#define NAME_MAX_BYTES 128

/* One name of a path: no separator, and no leading dot. */
static void clean_name(const char *text, char name[NAME_MAX_BYTES])
{
	snprintf(name, NAME_MAX_BYTES, "%s", text && *text ? text : "unknown");
	for (char *c = name; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789._+@-",
			    *c) ||
		    (c == name && *c == '.'))
			*c = '-';
}

/* Folders of the target and of the kernel, and the file. */
struct place {
	char folder[PATH_MAX], target[PATH_MAX], kernel[PATH_MAX], file[PATH_MAX];
};

static int place_of(const char *db, const struct keep_name *n, struct place *p)
{
	char target[NAME_MAX_BYTES], kernel[NAME_MAX_BYTES], commit[NAME_MAX_BYTES];
	char benchmark[NAME_MAX_BYTES], config[NAME_MAX_BYTES];
	size_t room = PATH_MAX;

	clean_name(n->target, target);
	clean_name(n->kernel, kernel);
	clean_name(n->commit, commit);
	clean_name(n->benchmark, benchmark);
	clean_name(n->config, config);
	if ((size_t)snprintf(p->folder, room, "%s.explanations", db) >= room ||
	    (size_t)snprintf(p->target, room, "%s/%s", p->folder, target) >= room ||
	    (size_t)snprintf(p->kernel, room, "%s/%s%s%s", p->target, kernel,
			     n->commit ? "@" : "", n->commit ? commit : "") >= room ||
	    (size_t)snprintf(p->file, room, "%s/%s.%s.json.gz", p->kernel, benchmark,
			     config) >= room)
		return -ENAMETOOLONG;
	return 0;
}

static int make_folder(const char *path)
{
	int rc = file_make_folder(path);

	return rc == -EEXIST ? 0 : rc;
}

int keep_add(const char *db, const struct explanation *e, struct error *err)
{
	const struct keep_name name = {
		.target = e->target.name,
		.kernel = e->subject.kernel,
		.commit = e->subject.commit,
		.benchmark = e->benchmark,
		.config = e->config,
	};
	unsigned char *packed = NULL;
	size_t bytes = 0;
	struct place p = { .file = "" };
	char *text;
	int rc = place_of(db, &name, &p);

	if (rc)
		return file_error(err, "keep an explanation beside", db, rc);
	rc = make_folder(p.folder);
	if (!rc)
		rc = make_folder(p.target);
	if (!rc)
		rc = make_folder(p.kernel);
	if (rc)
		return file_error(err, "create", p.kernel, rc);
	text = explanation_dump(e);
	rc = gzip_pack(text, strlen(text), &packed, &bytes);
	if (!rc)
		rc = file_replace(p.file, packed, bytes);
	free(text);
	free(packed);
	return rc ? file_error(err, "write", p.file, rc) : 0;
}

int keep_find(const char *db, const struct keep_name *name, struct explanation **out,
	      struct error *err)
{
	char *packed = NULL, *text = NULL;
	struct error inner;
	struct place p = { .file = "" };
	size_t size = 0;
	long bytes;
	int rc = place_of(db, name, &p);

	*out = NULL;
	if (rc)
		return file_error(err, "read explanations beside", db, rc);
	bytes = file_read(p.file, RESULT_FILE_MAX, &packed);
	rc = bytes < 0
		     ? (int)bytes
		     : gzip_unpack(packed, (size_t)bytes, RESULT_FILE_MAX, &text, &size);
	if (rc) {
		file_error(err, "read", p.file, rc);
	} else {
		rc = explanation_parse(text, size, out, &inner);
		if (rc)
			error_set(err, rc, "%s: %s", file_tail(p.file), inner.text);
	}
	free(packed);
	free(text);
	return rc;
}
