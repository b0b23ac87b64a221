/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of document files: a reader sees the old document or the new one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "host/lib/error.h"
#include "host/tests/result_fixture.h"

/* Each test is a separate process, with its own working directory. */
static char folder[] = "/tmp/unit_result.XXXXXX";

static void enter_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static void remove_folder(void)
{
	DIR *d = opendir(".");

	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.')
			unlink(e->d_name);
	if (d)
		closedir(d);
	rmdir(folder);
}

TestSuite(result_file, .init = enter_folder, .fini = remove_folder);

static size_t files(void)
{
	DIR *d = opendir(".");
	size_t n = 0;

	for (struct dirent *e; (e = readdir(d));)
		n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
	closedir(d);
	return n;
}

/* Writes the fixture with `label`. Returns the code. */
static int write_labelled(const char *path, const char *label, struct error *err)
{
	struct result *r = fixture();
	int rc;

	r->subject.label = label;
	rc = result_write(path, r, err);
	result_free(r);
	return rc;
}

static void expect_label(const char *path, const char *label)
{
	struct error err = { "" };
	struct result *r;

	cr_assert_eq(result_read(path, &r, &err), 0, "%s", err.text);
	cr_expect_str_eq(r->subject.label, label);
	result_free(r);
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	cr_assert_geq(fputs(text, f), 0);
	cr_assert_eq(fclose(f), 0);
}

Test(result_file, replaces_the_old_document)
{
	struct error err;

	cr_assert_eq(write_labelled("a.json", "old", &err), 0);
	expect_label("a.json", "old");
	cr_assert_eq(write_labelled("a.json", "new", &err), 0);
	expect_label("a.json", "new");
	cr_expect_eq(files(), 1, "nothing is left beside it");
}

/* An open file descriptor keeps reading the old document. */
Test(result_file, a_reader_keeps_what_it_opened)
{
	struct error err;
	struct stat before, after;
	int fd;

	cr_assert_eq(write_labelled("a.json", "old", &err), 0);
	fd = open("a.json", O_RDONLY);
	cr_assert_eq(fstat(fd, &before), 0);
	cr_assert_eq(write_labelled("a.json", "a new label, longer", &err), 0);
	cr_assert_eq(fstat(fd, &after), 0);
	cr_expect_eq(before.st_size, after.st_size);
	cr_expect_eq(after.st_nlink, 0);
	close(fd);
}

Test(result_file, follows_the_umask)
{
	struct error err;
	struct stat st;

	umask(027);
	cr_assert_eq(write_labelled("a.json", "x", &err), 0);
	cr_assert_eq(stat("a.json", &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0640);
}

Test(result_file, follows_a_link)
{
	struct error err;
	struct stat st;

	cr_assert_eq(write_labelled("real.json", "old", &err), 0);
	cr_assert_eq(symlink("real.json", "link.json"), 0);
	cr_assert_eq(write_labelled("link.json", "new", &err), 0);
	expect_label("real.json", "new");
	cr_assert_eq(lstat("link.json", &st), 0);
	cr_expect(S_ISLNK(st.st_mode));
}

/* Each file size limit below the size fails, and leaves no file. */
Test(result_file, a_failed_write_leaves_the_old_document)
{
	struct error err;
	struct stat st;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(write_labelled("a.json", "old", &err), 0);
	cr_assert_eq(stat("a.json", &st), 0);
	for (int thirds = 0; thirds <= 3; thirds++) {
		off_t room = (st.st_size - 1) * thirds / 3;
		struct rlimit limit = { (rlim_t)room, RLIM_INFINITY };

		cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
		cr_expect_eq(write_labelled("a.json", "new", &err), -EFBIG);
		limit.rlim_cur = RLIM_INFINITY;
		cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
		cr_expect_str_eq(err.text, "cannot write a.json: File too large");
		expect_label("a.json", "old");
		cr_expect_eq(files(), 1, "the temporary file is gone");
	}
}

static void put(const char *fmt, ...)
{
	char name[64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	close(open(name, O_WRONLY | O_CREAT, 0600));
}

Test(result_file, temporary_files_of_dead_processes_are_removed)
{
	pid_t dead = fork();
	char live[64];
	struct error err;
	int fd;

	if (!dead)
		_exit(0);
	waitpid(dead, NULL, 0);
	put("a.json.%d-0.tmp", dead);
	put("a.json.%d-17.tmp", dead);
	/* Not ours to remove: of a living process, locked, of another file, other names.
	 */
	put("a.json.%d-99.tmp", getpid());
	put("a.json.1-0.tmp");
	put("b.json.%d-0.tmp", dead);
	put("a.json.%d.tmp", dead);
	put("a.json.%d-0.tmp.old", dead);
	put("a.json.0%d-0.tmp", dead);
	put("a.json.-%d-0.tmp", dead);
	snprintf(live, sizeof(live), "a.json.%d-1.tmp", dead);
	put("%s", live);
	fd = open(live, O_RDONLY);
	flock(fd, LOCK_EX);
	cr_assert_eq(write_labelled("a.json", "new", &err), 0);
	cr_expect_eq(files(), 9);
	cr_expect_eq(access(live, F_OK), 0);
	close(fd);
	cr_assert_eq(write_labelled("a.json", "new", &err), 0);
	cr_expect_eq(files(), 8);
}

/* What a process of another container does between open() and flock(). */
static enum { SWEEP_NOTHING, SWEEP_REMOVES, SWEEP_LOCKS } sweeper;
static int sweeper_fd = -1;

/* Instead of libc's. */
int flock(int fd, int operation)
{
	char path[64], name[PATH_MAX] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (sweeper == SWEEP_REMOVES)
		cr_assert(readlink(path, name, sizeof(name) - 1) > 0 && !unlink(name));
	if (sweeper == SWEEP_LOCKS) {
		sweeper_fd = open(path, O_RDONLY | O_CLOEXEC);
		cr_assert_eq(syscall(SYS_flock, sweeper_fd, LOCK_EX | LOCK_NB), 0);
	}
	sweeper = SWEEP_NOTHING;
	return (int)syscall(SYS_flock, fd, operation);
}

Test(result_file, a_temporary_file_that_another_process_sweeps_is_replaced)
{
	struct stat locked, written;
	struct error err;

	sweeper = SWEEP_REMOVES;
	cr_assert_eq(write_labelled("a.json", "x", &err), 0);
	expect_label("a.json", "x");
	sweeper = SWEEP_LOCKS;
	cr_assert_eq(write_labelled("a.json", "y", &err), 0);
	expect_label("a.json", "y");
	cr_expect_eq(sweeper, SWEEP_NOTHING);
	cr_expect_eq(files(), 1);
	/* What the other process has locked, it removes. */
	cr_assert_eq(fstat(sweeper_fd, &locked), 0);
	cr_assert_eq(stat("a.json", &written), 0);
	cr_expect_neq(locked.st_ino, written.st_ino);
	close(sweeper_fd);
}

/* A name that root's file loses while it is written. */
static bool exchange;

/* Instead of libc's. */
int fsync(int fd)
{
	char path[64], name[PATH_MAX] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (exchange)
		cr_assert(readlink(path, name, sizeof(name) - 1) > 0 && !unlink(name) &&
			  !link("roots", name));
	exchange = false;
	return (int)syscall(SYS_fsync, fd);
}

Test(result_file, only_the_file_that_was_written_is_given_to_the_user_of_sudo)
{
	struct error err;
	struct stat st;

	if (geteuid())
		cr_skip("not root");
	cr_assert_eq(chown(".", 12345, 12346), 0);
	setenv("SUDO_UID", "12345", 1);
	setenv("SUDO_GID", "12346", 1);
	write_text("roots", "of root's");
	exchange = true;
	cr_assert_eq(write_labelled("a.json", "x", &err), 0);
	cr_expect_not(exchange);
	cr_assert_eq(stat("roots", &st), 0);
	cr_expect_eq(st.st_uid, 0);
	cr_assert_eq(write_labelled("a.json", "x", &err), 0);
	cr_assert_eq(stat("a.json", &st), 0);
	cr_expect_eq(st.st_uid, 12345);
	cr_expect_eq(st.st_gid, 12346);
}

/* Neither opened for ever nor removed. */
Test(result_file, a_pipe_with_the_name_of_a_temporary_file, .timeout = 10)
{
	struct error err;

	cr_assert_eq(mkfifo("a.json.999999999-0.tmp", 0600), 0);
	cr_assert_eq(write_labelled("a.json", "x", &err), 0);
	expect_label("a.json", "x");
	cr_expect_eq(files(), 2);
}

/* The path is a folder: only the rename fails. */
Test(result_file, a_failed_rename_leaves_nothing)
{
	struct error err;
	int rc;

	cr_assert_eq(mkdir("a.json", 0700), 0);
	rc = write_labelled("a.json", "new", &err);
	cr_expect_eq(files(), 1);
	rmdir("a.json");
	cr_expect_eq(rc, -EISDIR);
	cr_expect_str_eq(err.text, "cannot write a.json: Is a directory");
}

Test(result_file, a_full_disk_is_one_line)
{
	struct error err;

	cr_expect_eq(write_labelled("/dev/full", "x", &err), -ENOSPC);
	cr_expect_str_eq(err.text, "cannot write /dev/full: No space left on device");
}

Test(result_file, a_device_stays_a_device)
{
	struct error err;
	struct stat st;

	cr_assert_eq(symlink("/dev/null", "null"), 0);
	cr_expect_eq(write_labelled("null", "x", &err), 0);
	cr_assert_eq(stat("null", &st), 0);
	cr_expect(S_ISCHR(st.st_mode));
}

Test(result_file, no_folder)
{
	struct error err;

	cr_expect_eq(write_labelled("none/a.json", "x", &err), -ENOENT);
	cr_expect_str_eq(err.text, "cannot write none/a.json: No such file or directory");
}

Test(result_file, an_old_temporary_file_does_not_matter)
{
	struct error err;
	char name[64];

	snprintf(name, sizeof(name), "a.json.%ld-0.tmp", (long)getpid());
	write_text(name, "another file");
	cr_expect_eq(write_labelled("a.json", "x", &err), 0);
	expect_label("a.json", "x");
	cr_expect_eq(access(name, F_OK), 0);
}

Test(result_file, reading_names_the_file)
{
	struct error err;
	struct result *r;

	cr_expect_eq(result_read("none.json", &r, &err), -ENOENT);
	cr_expect_str_eq(err.text, "cannot read none.json: No such file or directory");
	cr_expect_eq(result_read(".", &r, &err), -EISDIR);
	cr_expect_str_eq(err.text, "cannot read .: Is a directory");
	write_text("broken.json", "{\n  \"schema\": tru }\n");
	cr_expect_eq(result_read("broken.json", &r, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "broken.json: not JSON: line 2 column "),
			   "%s", err.text);
	write_text("other.json", "{}\n");
	cr_expect_eq(result_read("other.json", &r, &err), -EINVAL);
	cr_expect_str_eq(err.text, "other.json: /schema: missing");
	cr_expect_null(r);
}

Test(result_file, too_large_is_refused)
{
	struct error err;
	struct result *r;

	write_text("big.json", "");
	cr_assert_eq(truncate("big.json", (off_t)RESULT_FILE_MAX + 1), 0);
	cr_expect_eq(result_read("big.json", &r, &err), -EFBIG);
	cr_expect_str_eq(err.text, "cannot read big.json: File too large");
}

/* The reason is at the end of the line, which is not truncated. */
Test(result_file, a_long_path_does_not_hide_the_reason)
{
	struct error err;
	struct result *r;
	char path[2000];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	cr_expect_eq(result_read(path, &r, &err), -ENAMETOOLONG);
	cr_expect_not_null(strstr(err.text, ": File name too long"));
}
