/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search paths of the lab, the emulators that exist on this machine, and which QEMU a
 * name means.
 */
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/lib/process.h"
#include "host/lib/text.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/emulator.h"

/* `name` in $WORLDSWITCH_LIBEXEC, beside this program, or in ../libexec/worldswitch. */
static int find_own(const char *name, const char *what, char path[PATH_MAX],
		    struct error *err)
{
	const char *env = getenv("WORLDSWITCH_LIBEXEC");
	char dir[PATH_MAX];

	if (env && *env) {
		if (lab_path(path, "%s/%s", env, name) && !access(path, R_OK))
			return 0;
		return error_set(err, -ENOENT, "%s: no %s in WORLDSWITCH_LIBEXEC=%s",
				 what, name, env);
	}
	process_own_folder(dir);
	if ((lab_path(path, "%s/%s", dir, name) && !access(path, R_OK)) ||
	    (lab_path(path, "%s/../libexec/worldswitch/%s", dir, name) &&
	     !access(path, R_OK)))
		return 0;
	return error_set(err, -ENOENT, "%s is not built: no %s/%s", what, dir, name);
}

int lab_find_program(enum arch arch, char path[PATH_MAX], struct error *err)
{
	char name[40];

	snprintf(name, sizeof(name), "%s/init", lab_arch_name(arch));
	return find_own(name, "the program that runs inside the lab", path, err);
}

int lab_find_clone_library(char path[PATH_MAX], struct error *err)
{
	return find_own("libwsbench-clone.so", "the library that clones Bochs", path,
			err);
}

/* The user's folder in /etc/passwd, for a service without $HOME; "": there is none. */
static void home_of_user(char path[PATH_MAX])
{
	FILE *users = fopen("/etc/passwd", "re");
	const struct passwd *user;

	path[0] = '\0';
	while (users && (user = fgetpwent(users)))
		if (user->pw_uid == geteuid()) {
			lab_path(path, "%s", user->pw_dir);
			break;
		}
	if (users)
		fclose(users);
}

/* `name` in the cache. */
static void cache_path(const char *name, char path[PATH_MAX])
{
	const char *cache = getenv("WORLDSWITCH_CACHE"), *home;
	char own[PATH_MAX];

	if (cache && *cache) {
		lab_path(path, "%s/%s", cache, name);
		return;
	}
	cache = getenv("XDG_CACHE_HOME");
	home = getenv("HOME");
	if (cache && *cache) {
		lab_path(path, "%s/worldswitch/%s", cache, name);
		return;
	}
	if (!home || !*home) {
		home_of_user(own);
		home = own;
	}
	lab_path(path, "%s/.cache/worldswitch/%s", home, name);
}

void lab_kernel_cache(enum arch arch, char path[PATH_MAX])
{
	char name[40];

	snprintf(name, sizeof(name), "kernels/%s", lab_arch_name(arch));
	cache_path(name, path);
}

void lab_baselines_folder(char path[PATH_MAX])
{
	cache_path("baselines", path);
}

void lab_emulators_folder(char path[PATH_MAX])
{
	const char *env = getenv("WORLDSWITCH_EMULATORS");

	if (env && *env)
		lab_path(path, "%s", env);
	else
		cache_path("emulators", path);
}

bool lab_find_emulator(const char *file, char path[PATH_MAX])
{
	char dir[PATH_MAX];

	lab_emulators_folder(dir);
	return lab_path(path, "%s/%s", dir, file) && !access(path, X_OK);
}

#define QEMU_PREFIX "qemu-" /* of the folders that emulator.sh makes */
#define SYSTEM	    "system"
#define NAMES_BYTES 400

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Whether `name` is the version `full`, or its beginning: "10.0" of "10.0.2+ds-2". */
static bool is_version(const char *name, const char *full)
{
	size_t n = strlen(name);

	return n && is_digit(*name) && !strncmp(name, full, n) && !is_digit(full[n]) &&
	       name[n - 1] != '.';
}

/* The number in "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)". */
static const char *version_number(const char *text)
{
	static const char word[] = "version ";
	const char *at = strstr(text, word);

	return at && is_digit(at[sizeof(word) - 1]) ? at + sizeof(word) - 1 : NULL;
}

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

/* `program` in `dir` or in its bin/. */
static bool find_in(const char *dir, const char *program, char path[PATH_MAX])
{
	return (lab_path(path, "%s/%s", dir, program) && is_program(path)) ||
	       (lab_path(path, "%s/bin/%s", dir, program) && is_program(path));
}

/* The fetched QEMU after `last` ("": the first) in the order of versions. */
static bool next_fetched(const char *dir_path, char last[NAME_MAX + 1])
{
	char found[NAME_MAX + 1] = "";
	DIR *dir = opendir(dir_path);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		const char *version = e->d_name + strlen(QEMU_PREFIX);

		if (strncmp(e->d_name, QEMU_PREFIX, strlen(QEMU_PREFIX)) != 0 ||
		    !is_digit(*version) || (*last && version_compare(version, last) <= 0))
			continue;
		if (!*found || version_compare(version, found) < 0)
			snprintf(found, sizeof(found), "%s", version);
	}
	if (dir)
		closedir(dir);
	strcpy(last, found);
	return *found;
}

/* The newest that has `program`, of the version `name`, or NULL: of `major` or newer. */
static bool find_fetched(const char *name, unsigned int major, const char *program,
			 char path[PATH_MAX])
{
	char dir[PATH_MAX], version[NAME_MAX + 1] = "", folder[PATH_MAX], one[PATH_MAX];
	bool found = false;

	lab_emulators_folder(dir);
	/* The last one that matches is the newest. */
	while (next_fetched(dir, version))
		if ((name ? is_version(name, version)
			  : strtoul(version, NULL, 10) >= major) &&
		    lab_path(folder, "%s/" QEMU_PREFIX "%s", dir, version) &&
		    find_in(folder, program, one)) {
			strcpy(path, one);
			found = true;
		}
	return found;
}

unsigned int lab_qemu_major(const char *path)
{
	char text[192];
	const char *number;

	process_version(path, "--version", text, sizeof(text));
	number = version_number(text);
	return number ? (unsigned int)strtoul(number, NULL, 10) : 0;
}

int lab_qemu_newer(unsigned int major, const char *program, char path[PATH_MAX])
{
	if (!process_find(program, path) && lab_qemu_major(path) >= major)
		return 0;
	return find_fetched(NULL, major, program, path) ? 0 : -ENOENT;
}

static bool find_system(const char *name, const char *program, char path[PATH_MAX])
{
	char text[192];
	const char *number;

	if (process_find(program, path))
		return false;
	if (!strcmp(name, SYSTEM))
		return true;
	process_version(path, "--version", text, sizeof(text));
	number = version_number(text);
	return number && is_version(name, number);
}

/* `name` as a path; false: it is not one, or `program` is not there. */
static bool find_path(const char *name, const char *program, char path[PATH_MAX])
{
	const char *slash = strrchr(name, '/');
	char found[PATH_MAX];

	if (is_program(name)) {
		/* The emulator of another architecture would start, and fail later. */
		if (!strncmp(slash ? slash + 1 : name, "qemu-system-", 12) &&
		    strcmp(slash ? slash + 1 : name, program) != 0)
			return false;
		return realpath(name, path);
	}
	return *name && find_in(name, program, found) && realpath(found, path);
}

static void add_name(void *ctx, const struct lab_emulator_entry *e)
{
	char *names = ctx;
	size_t n = strlen(names);

	if (strncmp(e->name, "bochs", 5) != 0)
		snprintf(names + n, NAMES_BYTES - n, "%s%s", n ? ", " : "", e->name);
}

int lab_qemu_select(const char *name, const char *program, char path[PATH_MAX],
		    struct error *err)
{
	char names[NAMES_BYTES] = "", script[PATH_MAX];

	if (find_fetched(name, 0, program, path) || find_system(name, program, path) ||
	    find_path(name, program, path))
		return 0;
	lab_emulators(add_name, names);
	process_own_script("emulator.sh", script);
	return error_set(
		err, -ENOEXEC,
		"--emulator %s: no %s of this name (here: %s; %s fetch qemu --suite SUITE gets others)",
		name, program, *names ? names : "none", script);
}

/* The machine of a target on `emulator`; NULL: it has none. */
static const struct lab_machine *machine_on(const struct lab_emulator *emulator,
					    const struct target *t)
{
	const struct lab_machine *m = t->ops == &target_lab_ops
					      ? lab_machine_find(strchr(t->name, ':') + 1)
					      : NULL;

	return m && m->emulator == emulator ? m : NULL;
}

/* Adds the labs on QEMU whose program is in `folder`; NULL: in PATH. */
static void add_qemu_labs(struct lab_emulator_entry *e, const char *folder)
{
	char path[PATH_MAX];

	for (const struct target *t = target_table; t->name; t++) {
		const struct lab_machine *m = machine_on(&lab_qemu, t);

		if (!m || e->n_labs == LAB_EMULATOR_LABS_MAX)
			continue;
		if (folder ? !find_in(folder, m->program, path)
			   : process_find(m->program, path) != 0)
			continue;
		if (m->least_qemu && lab_qemu_major(path) < m->least_qemu)
			continue;
		if (!e->n_labs) {
			process_version(path, "--version", e->version,
					sizeof(e->version));
			*strrchr(path, '/') = '\0';
			strcpy(e->path, path);
		}
		e->labs[e->n_labs++] = t->name;
	}
}

/* Adds the labs on a Bochs of the project's: all, or those that have a fallback. */
static void add_bochs_labs(struct lab_emulator_entry *e,
			   const struct lab_emulator *emulator, bool fallback)
{
	for (const struct target *t = target_table; t->name; t++) {
		const struct lab_machine *m = machine_on(emulator, t);

		if (m && (m->fallback || !fallback) && e->n_labs < LAB_EMULATOR_LABS_MAX)
			e->labs[e->n_labs++] = t->name;
	}
}

/* A Bochs of the project's, if it is built. */
static bool add_bochs(const char *name, const struct lab_emulator *emulator,
		      void (*row)(void *ctx, const struct lab_emulator_entry *e),
		      void *ctx)
{
	struct lab_emulator_entry e = { .is_default = true };

	if (!lab_find_emulator(emulator->built, e.path))
		return false;
	snprintf(e.name, sizeof(e.name), "%s", name);
	snprintf(e.version, sizeof(e.version), "%s %s", name, emulator->version);
	add_bochs_labs(&e, emulator, false);
	row(ctx, &e);
	return true;
}

void lab_emulators(void (*row)(void *ctx, const struct lab_emulator_entry *e), void *ctx)
{
	char dir[PATH_MAX], folder[PATH_MAX], version[NAME_MAX + 1] = "";
	struct lab_emulator_entry e = { .name = SYSTEM, .is_default = true };
	char text[4096]; /* the line is far down */
	bool built;

	add_qemu_labs(&e, NULL);
	if (e.n_labs)
		row(ctx, &e);
	lab_emulators_folder(dir);
	while (next_fetched(dir, version)) {
		e = (struct lab_emulator_entry){ .name = "" };
		snprintf(e.name, sizeof(e.name), "%s", version);
		if (lab_path(folder, "%s/" QEMU_PREFIX "%s", dir, version))
			add_qemu_labs(&e, folder);
		if (e.n_labs)
			row(ctx, &e);
	}
	built = add_bochs("bochs", &lab_bochs, row, ctx);
	add_bochs("bochs-smp", &lab_bochs_smp, row, ctx);
	e = (struct lab_emulator_entry){ .name = "bochs-" SYSTEM, .is_default = !built };
	add_bochs_labs(&e, &lab_bochs, true);
	if (process_find("bochs", e.path))
		return;
	process_version(e.path, lab_bochs_plain.version_option, text, sizeof(text));
	snprintf(e.version, sizeof(e.version), "%.*s", (int)sizeof(e.version) - 1, text);
	row(ctx, &e);
}

unsigned int lab_qemu_plugin_api(const char *version)
{
	/* From this version on: include/qemu/qemu-plugin.h, plugins/plugin.h. */
	static const struct {
		unsigned int major, minor, api;
	} apis[] = { { 11, 1, 7 }, { 9, 1, 3 }, { 9, 0, 2 }, { 6, 0, 1 } };
	const char *number = version_number(version);
	unsigned int major, minor;

	if (!number || sscanf(number, "%u.%u", &major, &minor) != 2)
		return 0;
	for (size_t i = 0; i < sizeof(apis) / sizeof(apis[0]); i++)
		if (major > apis[i].major ||
		    (major == apis[i].major && minor >= apis[i].minor))
			return apis[i].api;
	return 0;
}
