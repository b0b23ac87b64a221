/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The counters of debugfs: one snapshot, or two in one file. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "host/budget/exits.h"

/* Folders between kvm/ and the counter: 0 all VMs, 1 a VM (PID-FD), 2 a vCPU. */
static unsigned int depth_of(char *path, char **name)
{
	char *kvm = strstr(path, "kvm/");
	unsigned int n = 0;

	*name = kvm ? kvm + 4 : path;
	for (char *slash; (slash = strchr(*name, '/')); n++)
		*name = slash + 1;
	return n;
}

/*
 * The next counter, a line "PATH:VALUE". Other files beside the counters have lines of
 * other forms (histograms, vgic-state): these are skipped. False at the end.
 */
static bool next_counter(struct exits_lines *l, char **name, unsigned int *depth,
			 double *count)
{
	while (exits_line(l)) {
		char *value = strchr(l->line, ':');

		if (!*l->line)
			continue;
		if (!value) {
			exits_bad(l, "not a counter of debugfs (PATH:VALUE)");
			return false;
		}
		*value++ = '\0';
		*depth = depth_of(l->line, name);
		if (exits_is_count(value, count))
			return true;
		if (strstr(*name, "exits") ||
		    (*value && !value[strspn(value, "0123456789")])) {
			exits_bad(l, "the counter is not a number below 10^15");
			return false;
		}
	}
	return false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Adds a path to the set. False: it is in the set. */
static bool add_path(void **set, const char *path)
{
	char *own = strdup(path), **found;

	found = own ? tsearch(own, set, by_text) : NULL;
	if (!found)
		abort();
	if (*found == own)
		return true;
	free(own);
	return false;
}

/*
 * The counters of a depth. A path of this depth that comes again begins a second, later
 * snapshot: then *again is the beginning of its line.
 */
static int debugfs_snapshot(struct exits_lines *l, unsigned int depth, struct exits *out,
			    const char **again)
{
	const char *line = l->next;
	void *paths = NULL;
	unsigned int at;
	double count;
	char *name;

	*again = NULL;
	for (; next_counter(l, &name, &at, &count); line = l->next) {
		if (at != depth)
			continue;
		if (!add_path(&paths, l->line)) {
			*again = line;
			break;
		}
		if (exits_add(l, out, name, count, NAN))
			break;
	}
	tdestroy(paths, free);
	return l->failed;
}

/* Counters of all VMs, if the file has them, else of its VMs, else of vCPUs. */
int exits_parse_debugfs(struct exits_lines *l, const char *text, struct exits *out)
{
	struct exits earlier;
	unsigned int depth = UINT_MAX, at;
	const char *again;
	double count;
	char *name;

	exits_rewind(l, text);
	while (next_counter(l, &name, &at, &count))
		if (at < depth)
			depth = at;
	exits_rewind(l, text);
	out->kind = EXITS_COUNTERS;
	out->since_start = true;
	if (l->failed || debugfs_snapshot(l, depth, out, &again) || !again)
		return l->failed;
	earlier = *out;
	*out = (struct exits){ .kind = EXITS_COUNTERS,
			       .seconds = NAN,
			       .since_start = true };
	l->next = again;
	l->number--;
	debugfs_snapshot(l, depth, out, &again);
	if (!l->failed && again)
		exits_bad(l, "a third snapshot of the counters begins here");
	if (!l->failed)
		l->failed = exits_subtract(out, &earlier, l->err);
	exits_free(&earlier);
	return l->failed;
}
