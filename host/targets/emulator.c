/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about an installed emulator. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/lib/child.h"
#include "host/targets/emulator.h"

#define VERSION_TIMEOUT_NS 10000000000ull

int emulator_find(const char *program)
{
	const char *path = getenv("PATH");
	char *copy = strdup(path ? path : "/usr/local/bin:/usr/bin:/bin");
	char *save = NULL, *dir, file[4096];
	int err = -ENOENT;

	if (!copy)
		return -ENOMEM;
	for (dir = strtok_r(copy, ":", &save); dir && err;
	     dir = strtok_r(NULL, ":", &save)) {
		snprintf(file, sizeof(file), "%s/%s", dir, program);
		if (!access(file, X_OK))
			err = 0;
	}
	free(copy);
	return err;
}

/* Keeps the line that names it: others may be about its files, or rulers. */
static void keep_name(char *text)
{
	char *begin = strcasestr(text, "emulator");

	if (!begin)
		begin = text;
	while (begin > text && begin[-1] != '\n')
		begin--;
	begin += strspn(begin, " \t");
	begin[strcspn(begin, "\n")] = '\0';
	memmove(text, begin, strlen(begin) + 1);
}

void emulator_version(const char *program, const char *option, char *text, size_t bytes)
{
	const char *argv[] = { program, option, NULL };
	struct child child;
	int out[2], status;
	ssize_t got;

	text[0] = '\0';
	if (pipe(out))
		return;
	if (!child_start(&child, argv, out[1])) {
		/* Far less than a pipe holds: it can end before we read. */
		if (!child_wait(&child, VERSION_TIMEOUT_NS, &status)) {
			got = read(out[0], text, bytes - 1);
			text[got > 0 ? got : 0] = '\0';
			keep_name(text);
		}
		child_end(&child);
	}
	close(out[0]);
	close(out[1]);
}
