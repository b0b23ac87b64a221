/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the VMM as a process of its own: what wsbench makes of one that fails. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "host/lib/confine.h"
#include "host/targets/target.h"
#include "host/lib/process.h"
#include "host/targets/kvm.h"
#include "host/vmm/timer.h"

static struct kvm_apart apart;

static void begin(void)
{
	kvm_apart_init(&apart);
}

static void end(void)
{
	kvm_apart_stop(&apart);
}

TestSuite(kvm_apart, .init = begin, .fini = end, .timeout = 30);

static int skips(struct target *t, const struct boot_request *rq, struct boot_report *rep,
		 struct error *err)
{
	(void)t;
	(void)rq;
	(void)err;
	boot_report_init(rep);
	boot_end(rep, BOOT_SKIP, "of the test");
	return 0;
}

static int fails(struct target *t, const struct boot_request *rq, struct boot_report *rep,
		 struct error *err)
{
	(void)t;
	(void)rq;
	(void)rep;
	return error_set(err, -ENXIO, "the reason");
}

static int is_killed(struct target *t, const struct boot_request *rq,
		     struct boot_report *rep, struct error *err)
{
	(void)t;
	(void)rq;
	(void)rep;
	(void)err;
	raise(SIGKILL);
	return 0;
}

static int ends(struct target *t, const struct boot_request *rq, struct boot_report *rep,
		struct error *err)
{
	(void)t;
	(void)rq;
	(void)rep;
	(void)err;
	_exit(7);
}

/* A guest that has taken the process over sends what it likes on the socket. */
static int lies(struct target *t, const struct boot_request *rq, struct boot_report *rep,
		struct error *err)
{
	char garbage[4096];

	(void)t;
	(void)rq;
	(void)rep;
	(void)err;
	memset(garbage, 0xff, sizeof(garbage));
	for (int fd = 3; fd <= 4; fd++)
		(void)!send(fd, garbage, sizeof(garbage), MSG_NOSIGNAL);
	pause();
	return 0;
}

/* One boot by `boot`; its error, or "" with the report of skips(). */
static const char *run(kvm_apart_boot *boot, int code)
{
	static const char image[] = "an image";
	const struct boot_request rq = { .image = image, .image_bytes = sizeof(image) };
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	static struct error err;
	struct boot_report rep;
	struct target t = { .name = "kvm" };

	err.text[0] = '\0';
	cr_expect_eq(kvm_apart_run(&apart, boot, fd, &t, &rq, &rep, &err), code, "%s",
		     err.text);
	if (!code) {
		cr_expect_eq(rep.outcome, BOOT_SKIP);
		cr_expect_str_eq(rep.reason, "of the test");
	}
	boot_report_free(&rep);
	close(fd);
	return err.text;
}

/* After each failure the next boot has a new process. */
Test(kvm_apart, each_failure_has_its_reason_and_ends_no_other_boot)
{
	static const struct {
		kvm_apart_boot *boot;
		const char *reason;
	} failures[] = {
		{ is_killed, "the VMM was killed by signal 9 (Killed)" },
		{ ends, "the VMM ended with status 7" },
		{ lies, "the VMM sent a damaged report" },
	};

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		cr_expect_str_eq(run(failures[i].boot, -EIO), failures[i].reason);
		cr_expect_eq(apart.pid, 0);
		cr_expect_str_eq(run(skips, 0), "");
		kvm_apart_stop(&apart);
	}
}

Test(kvm_apart, an_error_of_a_boot_does_not_end_the_process)
{
	pid_t pid;

	cr_expect_str_eq(run(fails, -ENXIO), "the reason");
	pid = apart.pid;
	cr_expect_neq(pid, 0);
	cr_expect_str_eq(run(fails, -ENXIO), "the reason");
	cr_expect_eq(apart.pid, pid);
}

/* What the tests of a process printed, and how it ended. */
static struct {
	char text[256];
	size_t lines;
} printed;

static void print(void *ctx, const char *text)
{
	(void)ctx;
	if (!printed.lines++)
		snprintf(printed.text, sizeof(printed.text), "%s", text);
}

static const char *run_tests(kvm_apart_lines *tests, int code)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	static struct error err;

	memset(&printed, 0, sizeof(printed));
	err.text[0] = '\0';
	cr_expect_eq(kvm_apart_tests(tests, "a test", fd, print, NULL, &err), code, "%s",
		     err.text);
	close(fd);
	return err.text;
}

static void pass(const void *what, int kvm_fd, void (*line)(void *ctx, const char *text),
		 void *ctx)
{
	line(ctx, fcntl(kvm_fd, F_GETFD) >= 0 ? what : "no KVM");
	/* As root, only because it is confined. */
	if (open("/", O_RDONLY) < 0)
		line(ctx, "confined");
}

static void die(const void *what, int kvm_fd, void (*line)(void *ctx, const char *text),
		void *ctx)
{
	(void)kvm_fd;
	line(ctx, what);
	raise(SIGKILL);
}

static void talk(const void *what, int kvm_fd, void (*line)(void *ctx, const char *text),
		 void *ctx)
{
	(void)kvm_fd;
	(void)what;
	for (;;)
		line(ctx, "\033[2J without end");
}

Test(kvm_apart, tests_are_confined_and_each_line_arrives)
{
	char lacks[256];

	cr_expect_str_eq(run_tests(pass, 0), "");
	cr_expect_str_eq(printed.text, "a test");
	confine_lacks(lacks, sizeof(lacks));
	if (confine_is_off() || strstr(lacks, "files"))
		cr_skip_test("files are not confined here");
	cr_expect_eq(printed.lines, 2);
}

Test(kvm_apart, tests_that_do_not_end_by_themselves_are_an_error)
{
	cr_expect_str_eq(run_tests(die, -EIO), "the VMM was killed by signal 9 (Killed)");
	cr_expect_eq(printed.lines, 1);
	cr_expect_str_eq(run_tests(talk, -EIO), "the VMM sent a damaged report");
	cr_expect_str_eq(printed.text, "\\x1b[2J without end");
}

/* On a busy machine, the watchdog in the VMM ends the boot first. */
Test(kvm_apart, the_limit_is_beyond_that_of_the_watchdog)
{
	const uint64_t timeouts_s[] = { 1, 2, 40, 3600 };

	for (size_t i = 0; i < sizeof(timeouts_s) / sizeof(timeouts_s[0]); i++) {
		const struct boot_request rq = {
			.timeout_ns = timeouts_s[i] * 1000000000u,
		};

		cr_expect_gt(kvm_apart_limit_s(&rq),
			     (time_t)(PROCESS_WALL * timeouts_s[i]));
	}
}
