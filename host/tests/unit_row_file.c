/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the history file: additions, torn lines, other writers. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "host/lib/error.h"
#include "host/history/row.h"

static const struct row example = {
	.schema = ROW_SCHEMA,
	.version = ROW_VERSION,
	.run = "2026-11-21T09:05:17Z-33c1d0d7",
	.time = "2026-11-21T09:05:17Z",
	.kernel = "6.1.0-56-cloud-amd64",
	.target = "lab:x86_64-svm",
	.emulator = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)",
	.machine = "a3055cde0ef5ac3d",
	.exact = true,
	.tool = "0.1.0-16a25284615e",
	.benchmark = "hypercall",
	.config = "default",
	.metric = "round_trip",
	.unit = "insns",
	.better = "lower",
	.value = 3066,
	.lo = 3066,
	.hi = 3066.5,
	.quantum = 1,
	.boots = 2,
	.handled_by = "kernel",
	.exits = 1,
	.quantiles = { NAN, 3060, 3066.5, 6100, NAN, 3500.125 },
};

static struct row_names *names;

static char folder[] = "/tmp/unit_row_file.XXXXXX";

static void enter_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
	names = row_names_new();
}

static void remove_folder(void)
{
	row_names_free(names);
	unlink("db");
	unlink("db.torn");
	rmdir(folder);
}

TestSuite(row_file, .init = enter_folder, .fini = remove_folder);

static int add_lines(int writer, int n, struct error *err)
{
	char run[32], *text = NULL;
	struct row row = example;
	struct row_file *f;
	size_t bytes = 0;
	int rc = row_file_open("db", true, &f, err);

	if (rc)
		return rc;
	snprintf(run, sizeof(run), "writer %d", writer);
	row.run = run;
	for (int i = 0; i < n; i++) {
		char *line;

		row.value = i;
		line = row_dump(&row);
		text = realloc(text, bytes + strlen(line));
		memcpy(text + bytes, line, strlen(line));
		bytes += strlen(line);
		free(line);
	}
	rc = row_file_add(f, text, bytes, err);
	free(text);
	row_file_close(f);
	return rc;
}

static void add(int writer, int n)
{
	struct error err;

	cr_assert_eq(add_lines(writer, n, &err), 0, "%s", err.text);
}

static int count_row(void *ctx, const struct row *row)
{
	(void)row;
	++*(size_t *)ctx;
	return 0;
}

static size_t rows(size_t *torn)
{
	struct error err;
	struct row_file *f;
	size_t n = 0;

	cr_assert_eq(row_file_open("db", false, &f, &err), 0, "%s", err.text);
	cr_assert_eq(row_file_read(f, names, count_row, &n, &err), 0, "%s", err.text);
	*torn = row_file_torn(f);
	row_file_close(f);
	return n;
}

static void expect_rows(size_t want, size_t want_torn)
{
	size_t torn, n = rows(&torn);

	cr_assert_eq(n, want, "%zu rows, not %zu", n, want);
	cr_assert_eq(torn, want_torn, "%zu bytes torn, not %zu", torn, want_torn);
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

Test(row_file, grows)
{
	add(1, 3);
	add(2, 2);
	expect_rows(5, 0);
	cr_expect_eq(size_of("db.torn"), -1);
}

/* A crash can end a file at any byte of an addition. */
Test(row_file, torn_anywhere)
{
	off_t whole, cut;

	add(1, 2);
	whole = size_of("db");
	for (cut = 1; cut < whole / 2; cut++) {
		size_t torn = (size_t)(whole / 2 - cut);

		unlink("db.torn");
		cr_assert_eq(truncate("db", whole - cut), 0);
		if (cut == 1) { /* only the newline is missing: nothing is torn */
			expect_rows(2, 0);
			add(2, 1);
			expect_rows(3, 0);
		} else {
			expect_rows(1, torn);
			expect_rows(1, torn); /* reading does not change the file */
			add(2, 1);
			expect_rows(2, 0);
			cr_assert_eq(size_of("db.torn"), (off_t)torn + 1);
		}
		unlink("db");
		add(1, 2);
	}
}

/* After a crash, some file systems leave zeros. */
Test(row_file, zeros_at_the_end)
{
	off_t whole;

	add(1, 1);
	whole = size_of("db");
	cr_assert_eq(truncate("db", whole + 100), 0);
	expect_rows(1, 100);
	add(2, 1);
	expect_rows(2, 0);
	cr_expect_eq(size_of("db.torn"), 101);
}

static void put(const char *text)
{
	FILE *f = fopen("db", "w");

	cr_assert(f);
	fputs(text, f);
	fclose(f);
}

/* Other files are not truncated, also if their end looks torn. */
Test(row_file, foreign_files_are_left_alone)
{
	static const char *const texts[] = {
		"text",
		"text\n",
		"{\"a\": 1}",
		"{\"a\": 1}\n",
		"{\n}\n",
		"\n",
		"{\"schema\":\"worldswitch.result\"}\n{",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct error err;

		put(texts[i]);
		cr_expect_eq(add_lines(1, 1, &err), -EINVAL, "%s", texts[i]);
		cr_expect_eq(size_of("db"), (off_t)strlen(texts[i]));
		cr_expect_eq(size_of("db.torn"), -1);
	}
	put("");
	add(1, 1);
	expect_rows(1, 0);
}

Test(row_file, bad_line_is_named)
{
	struct error err;
	struct row_file *f;
	size_t n = 0;
	FILE *out;

	add(1, 2);
	out = fopen("db", "a");
	fputs("\nno line\n", out);
	fclose(out);
	add(2, 1);
	cr_assert_eq(row_file_open("db", false, &f, &err), 0);
	cr_expect_eq(row_file_read(f, names, count_row, &n, &err), -EINVAL);
	cr_expect(strstr(err.text, "db: line 4: "), "%s", err.text);
	row_file_close(f);
}

/* As on a full disk: an addition that does not fit is removed. */
Test(row_file, addition_that_does_not_fit)
{
	struct rlimit limit, old;
	struct error err;
	off_t before;

	add(1, 2);
	before = size_of("db");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = (struct rlimit){ (rlim_t)before + 1000, old.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_expect_eq(add_lines(2, 10, &err), -EFBIG);
	cr_expect(strstr(err.text, "cannot write db: "), "%s", err.text);
	cr_expect_eq(size_of("db"), before);
	/* A file that would be new is not left without a line; one that was there stays.
	 */
	cr_assert_eq(rename("db", "db.torn"), 0);
	limit.rlim_cur = 100;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_expect_eq(add_lines(2, 10, &err), -EFBIG);
	cr_expect_eq(size_of("db"), -1);
	put("");
	cr_expect_eq(add_lines(2, 10, &err), -EFBIG);
	cr_expect_eq(size_of("db"), 0);
	setrlimit(RLIMIT_FSIZE, &old);
	cr_assert_eq(rename("db.torn", "db"), 0);
	add(2, 10);
	expect_rows(12, 0);
}

/*
 * Who waits for the lock of a file that is removed adds to a new one. The other process
 * is there before the file is open: it would share the lock.
 */
Test(row_file, removed_while_another_waits)
{
	struct row_file *f;
	struct error err;
	int begin[2], status;
	pid_t pid;
	char c;

	cr_assert_eq(pipe(begin), 0);
	pid = fork();
	if (!pid)
		_exit(read(begin[0], &c, 1) != 1 || add_lines(1, 3, &err));
	cr_assert_eq(row_file_open("db", true, &f, &err), 0, "%s", err.text);
	cr_assert_eq(write(begin[1], "x", 1), 1);
	usleep(50000);
	row_file_close(f);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	expect_rows(3, 0);
}

/* Four concurrent writers; a reader never sees a part of an addition. */
Test(row_file, many_writers)
{
	enum { WRITERS = 4, TIMES = 20, LINES = 25 };
	struct error err;

	add(0, LINES);
	for (int w = 1; w <= WRITERS; w++)
		if (!fork()) {
			int rc = 0;

			for (int i = 0; i < TIMES && !rc; i++)
				rc = add_lines(w, LINES, &err);
			_exit(rc != 0);
		}
	for (int left = WRITERS; left;) {
		int status;
		size_t torn, n = rows(&torn);

		cr_assert(n % LINES == 0 && !torn, "%zu rows, %zu bytes torn", n, torn);
		if (waitpid(-1, &status, WNOHANG) > 0) {
			cr_assert_eq(status, 0);
			left--;
		}
	}
	expect_rows(LINES + WRITERS * TIMES * LINES, 0);
}

/* A process that ignores the lock truncates the file while it is read. */
Test(row_file, becomes_shorter)
{
	enum { LINES = 4000 }; /* more than is read at once */
	struct row_names *known = row_names_new();
	struct row_file *f;
	struct error err;
	size_t n = 0;
	off_t size;

	add(0, LINES);
	size = size_of("db");
	cr_assert_eq(row_file_open("db", false, &f, &err), 0, "%s", err.text);
	cr_assert_eq(truncate("db", size / 2), 0);
	cr_expect_eq(row_file_read(f, known, count_row, &n, &err), -EIO);
	cr_expect(n < LINES, "%zu rows", n);
	cr_expect_str_eq(err.text,
			 "cannot read db: the file became shorter while it was read");
	row_file_close(f);
	row_names_free(known);
	/* A file that became longer ends where it ended when it was opened. */
	cr_assert_eq(truncate("db", 0), 0);
	add(0, 1);
	known = row_names_new();
	cr_assert_eq(row_file_open("db", false, &f, &err), 0, "%s", err.text);
	cr_assert_eq(truncate("db", size), 0);
	n = 0;
	cr_expect_eq(row_file_read(f, known, count_row, &n, &err), 0, "%s", err.text);
	cr_expect_eq(n, 1);
	row_file_close(f);
	row_names_free(known);
}

/* Lines that are longer than what is read at once, and empty lines. */
Test(row_file, long_lines)
{
	size_t torn, longest = (size_t)1 << 20;
	FILE *f;

	add(0, 2);
	f = fopen("db", "a");
	cr_assert_not_null(f);
	for (int i = 0; i < 3; i++)
		fprintf(f, "\n%*s%s\n", (int)longest << i, "", row_dump(&example));
	fclose(f);
	cr_expect_eq(rows(&torn), 5);
	cr_expect_eq(torn, 0);
	f = fopen("db", "a");
	cr_assert_not_null(f);
	fprintf(f, "%*s", (int)longest, "{");
	fclose(f);
	cr_expect_eq(rows(&torn), 5);
	cr_expect_eq(torn, longest);
}

Test(row_file, no_file)
{
	struct error err;
	struct row_file *f;

	cr_expect_eq(row_file_open("db", false, &f, &err), -ENOENT);
	cr_expect_eq(row_file_open("nowhere/db", true, &f, &err), -ENOENT);
	cr_expect_eq(row_file_open(".", false, &f, &err), -EINVAL);
	cr_assert_eq(mkfifo("db", 0600), 0);
	cr_expect_eq(row_file_open("db", false, &f, &err), -EINVAL);
	cr_expect_eq(row_file_open("db", true, &f, &err), -EINVAL);
}
