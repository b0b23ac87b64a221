/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads changelogs of Debian's kernel, and keeps their commits beside a history. */
#include "host/explain/step.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/file.h"
#include "host/lib/text.h"

#define LOG_MAX_BYTES (64u << 20)
#define VERSION_BYTES 64
#define OLDEST	      "6.0"

/* ------------------------------ versions ------------------------------ */

size_t changelog_linux_bytes(const char *package)
{
	size_t bytes = strcspn(package, "-~+");

	return strncmp(package + bytes, "~rc", 3) ? bytes : strcspn(package, "-+");
}

/* The version of Linux that a package is of: "6.12.115-1~bpo12+1" is of "6.12.115". */
static void linux_version(const char *package, char version[VERSION_BYTES])
{
	snprintf(version, VERSION_BYTES, "%.*s", (int)changelog_linux_bytes(package),
		 package);
}

/* A release of Linux: "6.12.115" is an update of "6.12". */
struct release {
	unsigned long major, minor;
	bool known;
};

static struct release release_of(const char *version)
{
	struct release r = { .known = false };
	char *end;

	r.major = strtoul(version, &end, 10);
	if (end == version || *end != '.')
		return r;
	version = end + 1;
	r.minor = strtoul(version, &end, 10);
	r.known = end != version;
	return r;
}

static bool same_release(struct release a, struct release b)
{
	return a.known && b.known && a.major == b.major && a.minor == b.minor;
}

/* ------------------------------ the changelog ------------------------------ */

struct lines {
	char *text;
	size_t bytes, room;
};

static void append(struct lines *l, const char *text, size_t bytes)
{
	if (l->bytes + bytes + 1 > l->room) {
		l->room = 2 * l->room + bytes + 4096;
		l->text = realloc(l->text, l->room);
		if (!l->text)
			abort();
	}
	memcpy(l->text + l->bytes, text, bytes);
	l->bytes += bytes;
	l->text[l->bytes] = '\0';
}

/* The position in a Debian changelog. */
struct reader {
	struct lines *out;
	char package[VERSION_BYTES], update[VERSION_BYTES];
	bool in_title;
};

/* "linux (6.12.115-1) trixie-security; urgency=high" */
static void begin_package(struct reader *r, const char *line)
{
	const char *open = strchr(line, '(');

	*r->package = *r->update = '\0';
	r->in_title = false;
	if (open)
		snprintf(r->package, sizeof(r->package), "%.*s",
			 (int)strcspn(open + 1, ")"), open + 1);
	if (version_compare(r->package, OLDEST) < 0)
		*r->package = '\0';
}

static void begin_title(struct reader *r, const char *text)
{
	char head[2 * VERSION_BYTES + 4];
	int n = snprintf(head, sizeof(head), "\n%s\t%s\t", r->package,
			 *r->update ? r->update : "-");

	append(r->out, head, (size_t)n);
	append(r->out, text, strlen(text));
	r->in_title = true;
}

/*
 *	  * New upstream stable update:
 *	    https://www.kernel.org/pub/linux/kernel/v6.x/ChangeLog-6.12.114
 *	    - [x86] KVM: SVM: the title of a commit that is
 *	      two lines long
 *	  * A change of Debian's
 */
static void read_line(struct reader *r, const char *line)
{
	const char *update = strstr(line, "/ChangeLog-");
	size_t indent = strspn(line, " ");
	const char *text = line + indent;

	if (!indent && *line) {
		begin_package(r, line);
	} else if (!*r->package || !*text || !strncmp(line, " --", 3) || *text == '[') {
		/* "  [ Name ]" has no title; "    - [x86] ..." begins with "-". */
		r->in_title = false;
	} else if (update) {
		snprintf(r->update, sizeof(r->update), "%s", update + 11);
		r->in_title = false;
	} else if (!strncmp(text, "* New upstream ", 15)) {
		*r->update = '\0';
		r->in_title = false;
	} else if (indent == 2 && !strncmp(text, "* ", 2)) {
		*r->update = '\0';
		begin_title(r, text + 2);
	} else if (indent == 4 && !strncmp(text, "- ", 2)) {
		begin_title(r, text + 2);
	} else if (r->in_title) {
		append(r->out, " ", 1);
		append(r->out, text, strlen(text));
	}
}

static void read_changelog(char *text, struct lines *out)
{
	struct reader r = { .out = out };
	char *next;

	for (char *line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		/* The separator of the kept lines. */
		for (char *c = line; (c = strchr(c, '\t'));)
			*c = ' ';
		read_line(&r, line);
	}
}

/* A file, decompressed if it is gzip; *text: free() it, also after an error. */
static int read_text(const char *path, char **text)
{
	char *raw = NULL;
	size_t bytes;
	long n = file_read(path, LOG_MAX_BYTES, &raw);
	int rc;

	*text = NULL;
	if (n < 2 || (unsigned char)raw[0] != 0x1f || (unsigned char)raw[1] != 0x8b) {
		*text = raw;
		return n < 0 ? (int)n : 0;
	}
	rc = gzip_unpack(raw, (size_t)n, LOG_MAX_BYTES, text, &bytes);
	free(raw);
	if (rc)
		return rc;
	*text = realloc(*text, bytes + 1);
	if (!*text)
		return -ENOMEM;
	(*text)[bytes] = '\0';
	return 0;
}

/* ------------------------------ kept lines ------------------------------ */

static int path_of(const char *db, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s.explanations", db);
	int rc = n < PATH_MAX ? file_make_folder(path) : 0;

	if (rc && rc != -EEXIST)
		return rc;
	n = snprintf(path, PATH_MAX, "%s.explanations/changelog.gz", db);
	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int damaged(const char *path, struct error *err)
{
	return error_set(err, -EBADMSG,
			 "%s is damaged: delete it, and add the changelogs again",
			 file_tail(path));
}

static int by_version_and_title(const void *a, const void *b)
{
	const struct change *x = *(const struct change *const *)a;
	const struct change *y = *(const struct change *const *)b;
	int by = version_compare(y->package, x->package);

	if (!by)
		by = strcmp(x->update ? x->update : "", y->update ? y->update : "");
	if (!by)
		by = strcmp(x->title, y->title);
	/* Titles that occur in several files: the first. */
	return by ? by : (x > y) - (x < y);
}

static bool is_same(const struct change *a, const struct change *b)
{
	return !strcmp(a->title, b->title) && !strcmp(a->package, b->package) &&
	       !strcmp(a->update ? a->update : "", b->update ? b->update : "");
}

/* Points into the text, which changes. */
static void split(char *text, struct changelog *out)
{
	size_t room = 0;
	char *next;

	*out = (struct changelog){ .text = text };
	for (char *line = text; line; line = next) {
		char *update, *title;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		update = strchr(line, '\t');
		title = update ? strchr(update + 1, '\t') : NULL;
		if (!title)
			continue;
		*update++ = *title++ = '\0';
		if (out->n == room) {
			room = 2 * room + 1024;
			out->changes =
				reallocarray(out->changes, room, sizeof(*out->changes));
			if (!out->changes)
				abort();
		}
		out->changes[out->n++] = (struct change){
			.package = line,
			.update = strcmp(update, "-") ? update : NULL,
			.title = title,
		};
	}
}

/* The lines in the order of versions, newest first, each once. */
static void write_sorted(const struct changelog *log, struct lines *out)
{
	const struct change **list = calloc(log->n + 1, sizeof(*list));

	if (!list)
		abort();
	for (size_t i = 0; i < log->n; i++)
		list[i] = &log->changes[i];
	qsort(list, log->n, sizeof(*list), by_version_and_title);
	for (size_t i = 0; i < log->n; i++) {
		const char *update = list[i]->update ? list[i]->update : "-";

		if (i && is_same(list[i], list[i - 1]))
			continue;
		append(out, list[i]->package, strlen(list[i]->package));
		append(out, "\t", 1);
		append(out, update, strlen(update));
		append(out, "\t", 1);
		append(out, list[i]->title, strlen(list[i]->title));
		append(out, "\n", 1);
	}
	free(list);
}

static int keep_lines(const char *path, struct lines *in, struct error *err)
{
	unsigned char *packed = NULL;
	struct lines out = { NULL, 0, 0 };
	struct changelog log;
	size_t bytes = 0;
	int rc;

	split(in->text, &log);
	write_sorted(&log, &out);
	free(log.changes);
	rc = gzip_pack(out.text, out.bytes, &packed, &bytes);
	if (!rc)
		rc = file_replace(path, packed, bytes);
	free(packed);
	free(out.text);
	return rc ? file_error(err, "write", path, rc) : 0;
}

int changelog_keep(const char *db, const char *const *files, size_t n, bool *unusable,
		   struct error *err)
{
	struct lines in = { NULL, 0, 0 };
	char path[PATH_MAX], *text;
	int rc = path_of(db, path);

	*unusable = false;
	if (rc)
		return file_error(err, "keep a changelog beside", db, rc);
	rc = read_text(path, &text);
	if (!rc)
		append(&in, text, strlen(text));
	free(text);
	if (rc && rc != -ENOENT)
		return rc == -EBADMSG ? damaged(path, err)
				      : file_error(err, "read", path, rc);
	rc = 0;
	for (size_t i = 0; i < n && !rc; i++) {
		size_t before = in.bytes;

		rc = read_text(files[i], &text);
		if (rc)
			file_error(err, "read", files[i], rc);
		else
			read_changelog(text, &in);
		free(text);
		if (!rc && in.bytes == before)
			rc = error_set(err, -EBADMSG,
				       "%s: not a changelog of Linux " OLDEST " or newer",
				       file_tail(files[i]));
		*unusable = rc;
	}
	if (!rc && in.bytes)
		rc = keep_lines(path, &in, err);
	free(in.text);
	return rc;
}

int changelog_find(const char *db, struct changelog *out, struct error *err)
{
	char path[PATH_MAX], *text;
	int rc;

	*out = (struct changelog){ .n = 0 };
	snprintf(path, sizeof(path), "%s.explanations/changelog.gz", db);
	rc = read_text(path, &text);
	if (rc) {
		free(text);
		return rc == -ENOENT	? rc
		       : rc == -EBADMSG ? damaged(path, err)
					: file_error(err, "read", path, rc);
	}
	split(text, out);
	return 0;
}

void changelog_free(struct changelog *log)
{
	free(log->changes);
	free(log->text);
	*log = (struct changelog){ .n = 0 };
}

/* Two packages, and the versions of Linux that they are of. */
struct interval {
	char from[VERSION_BYTES], to[VERSION_BYTES];
	char from_linux[VERSION_BYTES], to_linux[VERSION_BYTES];
	struct release release; /* of `to` */
};

static struct interval interval_of(const char *from, const char *to)
{
	struct interval v;

	/* A backport has all changes of the package that it is of: "6.12.115-1~bpo12+1".
	 */
	snprintf(v.from, sizeof(v.from), "%.*s", (int)strcspn(from, "~"), from);
	snprintf(v.to, sizeof(v.to), "%.*s", (int)strcspn(to, "~"), to);
	linux_version(from, v.from_linux);
	linux_version(to, v.to_linux);
	v.release = release_of(v.to_linux);
	return v;
}

/* Whether a commit is in the package `to` and not in the package `from`. */
static bool is_between(const struct change *c, const struct interval *v)
{
	if (!c->update)
		return version_compare(c->package, v->from) > 0 &&
		       version_compare(c->package, v->to) <= 0;
	return same_release(release_of(c->update), v->release) &&
	       version_compare(c->update, v->from_linux) > 0 &&
	       version_compare(c->update, v->to_linux) <= 0;
}

size_t changelog_between(const struct changelog *log, const char *from, const char *to,
			 const struct change ***out, bool *whole)
{
	const struct interval v = interval_of(from, to);
	size_t n = 0;

	*whole = same_release(release_of(from), release_of(to));
	*out = calloc(log->n + 1, sizeof(**out));
	if (!*out)
		abort();
	for (size_t i = 0; i < log->n; i++)
		if (is_between(&log->changes[i], &v))
			(*out)[n++] = &log->changes[i];
	return n;
}
