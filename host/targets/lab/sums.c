/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether files of the cache are intact: see file.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/lib/process.h"
#include "host/targets/lab/file.h"

/* Of the comparison of all checksums of a QEMU. */
#define COMPARE_TIMEOUT_NS 300000000000ull

/* A line of a record: checksum, bytes, time, path. */
static enum lab_files check_file(const char *folder, const char *line)
{
	unsigned long long bytes;
	char path[PATH_MAX];
	struct stat st;
	int at = 0;
	long long s;
	long ns;

	/* Records of older programs can have the decimal comma of a locale. */
	if (sscanf(line, "%*s %llu %lld%*[.,]%9ld %n", &bytes, &s, &ns, &at) != 3 ||
	    !at || !lab_path(path, "%s/%s", folder, line + at) || stat(path, &st) ||
	    (unsigned long long)st.st_size != bytes)
		return LAB_FILES_DAMAGED;
	return st.st_mtim.tv_sec == s && st.st_mtim.tv_nsec == ns ? LAB_FILES_RECORDED
								  : LAB_FILES_TOUCHED;
}

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* Whether the checksums have been compared since this machine was started. */
static bool is_checked(const char *folder, const char *name)
{
	char path[PATH_MAX], boot[64] = "", checked[64] = "";
	FILE *f = fopen(BOOT_ID, "re");

	if (!f)
		return true;
	if (!fgets(boot, sizeof(boot), f))
		boot[0] = '\0';
	fclose(f);
	f = lab_path(path, "%s/%s", folder, name) ? fopen(path, "re") : NULL;
	if (!f)
		return false;
	if (!fgets(checked, sizeof(checked), f))
		checked[0] = '\0';
	fclose(f);
	return !strcmp(boot, checked);
}

enum lab_files lab_files_check(const char *folder, const char *record,
			       const char *checked)
{
	enum lab_files files = LAB_FILES_RECORDED;
	char path[PATH_MAX], *line = NULL;
	bool complete = false, any = false;
	size_t room = 0;
	FILE *f = lab_path(path, "%s/%s", folder, record) ? fopen(path, "re") : NULL;

	while (f && !complete && files != LAB_FILES_DAMAGED &&
	       getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		complete = !strcmp(line, "end");
		if (!complete) {
			enum lab_files file = check_file(folder, line);

			files = file > files ? file : files;
			any = true;
		}
	}
	free(line);
	if (f)
		fclose(f);
	if (!complete || !any)
		return LAB_FILES_DAMAGED;
	return files == LAB_FILES_RECORDED && !is_checked(folder, checked)
		       ? LAB_FILES_TOUCHED
		       : files;
}

/* An emulator of emulator.sh. */
struct entry {
	char name[NAME_MAX + 1]; /* "bochs-KEY" or "qemu-VERSION" */
	char folder[PATH_MAX];	 /* of its record */
	char record[NAME_MAX + 8], checked[NAME_MAX + 9];
	char elf[PATH_MAX]; /* what the program starts, or the program */
	char get[200];	    /* arguments of emulator.sh that replace it */
};

/* The last suite in the file `package`. */
static void read_suite(const char *folder, char suite[64])
{
	char path[PATH_MAX], line[256];
	FILE *f = lab_path(path, "%s/package", folder) ? fopen(path, "re") : NULL;

	strcpy(suite, "SUITE");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "%*s %*s %63s", suite);
	if (f)
		fclose(f);
}

static bool find_entry(const char *program, struct entry *e)
{
	char name[PATH_MAX], emulators[PATH_MAX], path[PATH_MAX], suite[64], *slash;
	size_t bytes;

	lab_emulators_folder(name);
	if (!realpath(name, emulators) || !realpath(program, path))
		return false;
	bytes = strlen(emulators);
	if (strncmp(path, emulators, bytes) != 0 || path[bytes] != '/')
		return false;
	snprintf(e->name, sizeof(e->name), "%s", path + bytes + 1);
	slash = strchr(e->name, '/');
	if (!slash) {
		strcpy(e->folder, emulators);
		snprintf(e->record, sizeof(e->record), "%s.sums", e->name);
		snprintf(e->checked, sizeof(e->checked), "%s.checked", e->name);
		strcpy(e->elf, path);
		strcpy(e->get, strncmp(e->name, "bochs-smp-", 10) ? "build bochs"
								  : "build bochs-smp");
		return true;
	}
	if (strncmp(slash, "/bin/", 5) != 0 ||
	    !lab_path(e->elf, "%s/%.*s/root/usr/bin/%s", emulators,
		      (int)(slash - e->name), e->name, slash + 5))
		return false;
	*slash = '\0';
	strcpy(e->record, "sums");
	strcpy(e->checked, "checked");
	if (!lab_path(e->folder, "%s/%s", emulators, e->name))
		return false;
	read_suite(e->folder, suite);
	snprintf(e->get, sizeof(e->get), "fetch qemu --suite %s", suite);
	return true;
}

/* Compares the checksums. 0 or -EINTR. */
static int compare_sums(const char *name, bool *damaged)
{
	char script[PATH_MAX];
	const char *const argv[] = { script, "check", name, NULL };
	struct process process;
	int status = 0, ret;

	/* Without the script, the sizes decide. */
	if (process_find_script("emulator.sh", script) ||
	    process_start(&process, &(struct process_start){
					    .argv = argv,
					    .fds = (int[]){ -1, -1, -1 },
					    .n_fds = 3,
				    }))
		return 0;
	ret = process_wait(&process, COMPARE_TIMEOUT_NS, &status);
	process_stop(&process);
	*damaged = !ret && WIFEXITED(status) && WEXITSTATUS(status) == 1;
	return ret == -EINTR ? ret : 0;
}

int lab_emulator_verify(const char *program, bool compare, struct error *err)
{
	char script[PATH_MAX], path[PATH_MAX];
	struct entry e = { .name = "" };
	enum lab_files files = LAB_FILES_RECORDED;
	bool cached = find_entry(program, &e), damaged;

	if (!process_is_whole(cached ? e.elf : program))
		damaged = true;
	else if (cached && lab_path(path, "%s/%s", e.folder, e.record) &&
		 !access(path, F_OK))
		damaged = (files = lab_files_check(e.folder, e.record, e.checked)) ==
			  LAB_FILES_DAMAGED;
	else
		return 0;
	if (!damaged && (compare || files == LAB_FILES_TOUCHED) &&
	    compare_sums(e.name, &damaged))
		return error_set(err, -EINTR, "interrupted");
	if (!damaged)
		return 0;
	if (!cached)
		return error_set(err, -EBADMSG, PROCESS_TRUNCATED, program);
	process_own_script("emulator.sh", script);
	return error_set(err, -EBADMSG, "%s in the cache is damaged (%s %s)", e.name,
			 script, e.get);
}
