/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of `env tune`, which decides what root writes to /sys. The input is the state
 * file. Below a root of its own there are two settings and a file that is not one: that
 * file, and every file that the state does not name, stays as it is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/env/env.h"
#include "host/tests/fuzz/fuzz.h"

#define STATE "/var/lib/worldswitch/tuned"

static const struct {
	const char *path, *value;
} files[] = {
	{ "/sys/kernel/mm/ksm/run", "1\n" },
	{ "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n" },
	{ "/etc/passwd", "root:x\n" },
};
#define N_FILES	 3
#define IS_OTHER 2

/* In memory: the state is synced. */
static char root[] = "/dev/shm/fuzz_tune.XXXXXX";

static void put(const char *inner, const void *data, size_t bytes)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s%s", root, inner);
	for (char *slash = path + sizeof(root); (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0777);
		*slash = '/';
	}
	f = fopen(path, "we");
	if (!f || fwrite(data, 1, bytes, f) != bytes || fclose(f))
		abort();
}

static void get(const char *inner, char text[64])
{
	char path[256];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s%s", root, inner);
	f = fopen(path, "re");
	if (f) {
		n = fread(text, 1, 63, f);
		fclose(f);
	}
	text[n] = '\0';
}

static void remove_root(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	if (system(command))
		fprintf(stderr, "cannot remove %s\n", root);
}

static void step(const struct env_step *s, void *context)
{
	(void)context;
	FUZZ_CHECK(!strncmp(s->path, root, strlen(root)) && !strstr(s->path, ".."), "%s",
		   s->path);
	FUZZ_CHECK(s->setting && s->setting->tuned, "%s is not a setting", s->path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool made;
	const struct env_tune job = { .root = root, .force = size % 2, .step = step };
	struct env_state state;
	struct error err = { "" };
	char now[64];
	int rc;

	if (!made) {
		if (!mkdtemp(root))
			abort();
		atexit(remove_root);
		made = true;
	}
	for (size_t i = 0; i < N_FILES; i++)
		put(files[i].path, files[i].value, strlen(files[i].value));
	put(STATE, data, size);
	rc = env_state_open(&state, root, 0, &err);
	if (rc) {
		FUZZ_CHECK(*err.text, "no message");
		FUZZ_CHECK(env_restore(&job, &err) == rc, "a refused state was used");
	} else {
		bool named[N_FILES] = { false };

		for (size_t i = 0; i < state.n; i++)
			for (size_t k = 0; k < N_FILES; k++)
				named[k] |= !strcmp(state.entries[i].path, files[k].path);
		FUZZ_CHECK(!named[IS_OTHER], "a file that is not a setting is accepted");
		env_table_state(fuzz_sink(), root, &state);
		env_json(fuzz_sink(), root, &state);
		env_state_close(&state);
		env_is_tuned(root);
		env_restore(&job, &err);
		for (size_t k = 0; k < N_FILES; k++) {
			get(files[k].path, now);
			FUZZ_CHECK(named[k] || !strcmp(now, files[k].value),
				   "%s is not in the state and became %s", files[k].path,
				   now);
		}
	}
	get(files[IS_OTHER].path, now);
	FUZZ_CHECK(!strcmp(now, files[IS_OTHER].value), "%s became %s",
		   files[IS_OTHER].path, now);
	return 0;
}
