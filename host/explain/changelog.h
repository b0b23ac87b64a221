/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commits in the changelog of Debian's kernel, which lists the commits of each stable
 * update of Linux by title. They are kept beside a history, compressed, one per line:
 *
 *	FILE.jsonl.explanations/changelog.gz: PACKAGE <tab> UPDATE <tab> TITLE
 *
 * PACKAGE is the version of the package that has the commit first, UPDATE the update of
 * Linux that has it ("-": a change of Debian's).
 */
#ifndef WS_EXPLAIN_CHANGELOG_H
#define WS_EXPLAIN_CHANGELOG_H

#include <stdbool.h>
#include <stddef.h>

#include "host/lib/error.h"

struct change {
	const char *package; /* "6.12.115-1" */
	const char *update;  /* "6.12.114"; NULL: a change of Debian's */
	const char *title;   /* "[x86] KVM: SVM: ..." */
};

struct changelog {
	struct change *changes;
	size_t n;
	char *text; /* owns the strings */
};

/*
 * Adds the commits of Debian changelogs (plain or gzip), from Linux 6.0 on, to those that
 * are kept beside the history `db`. 0, or a negative errno with `err`; *unusable: the
 * cause is one of the files.
 */
int changelog_keep(const char *db, const char *const *files, size_t n, bool *unusable,
		   struct error *err);

/*
 * The commits beside `db`; changelog_free() them. 0; -ENOENT: there are none; or another
 * negative errno, with `err`.
 */
int changelog_find(const char *db, struct changelog *out, struct error *err);
void changelog_free(struct changelog *log);

/*
 * Selects the commits between two versions of a package: what `to` has and `from` has
 * not. The number of commits in *out, for free(). *whole is false if the versions are of
 * two releases of Linux (6.12, 6.16): the changelog does not list the commits of a
 * release, but only those of the updates to it.
 */
size_t changelog_between(const struct changelog *log, const char *from, const char *to,
			 const struct change ***out, bool *whole);

/* The length of the version of Linux in that of a package: "6.18~rc4-1~exp1": 8. */
size_t changelog_linux_bytes(const char *package);

#endif
