/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lab's conversation, with a shell script in the emulator's place: it finds the
 * same descriptors (wire 4, console 5) and may say anything.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/lab/session.h"
#include "host/lab/shared.h"
#include "host/lab/wire.h"

struct heard {
	char text[256];
	int refuse; /* what benchmark() returns */
};

static int hear_header(void *ctx, const char *json, size_t bytes)
{
	struct heard *h = ctx;
	size_t used = strlen(h->text);

	snprintf(h->text + used, sizeof(h->text) - used, "H:%.*s ", (int)bytes, json);
	return 0;
}

static int hear_benchmark(void *ctx, const char *json, size_t bytes)
{
	struct heard *h = ctx;
	size_t used = strlen(h->text);

	snprintf(h->text + used, sizeof(h->text) - used, "B:%.*s ", (int)bytes, json);
	return h->refuse;
}

static void hear_progress(void *ctx, const char *text)
{
	struct heard *h = ctx;
	size_t used = strlen(h->text);

	snprintf(h->text + used, sizeof(h->text) - used, "P:%s ", text);
}

/* Of the emulator that the script stands for. */
static const char *const *error_marks;

/* Runs `script` after it has put what is in `s` onto the wire. */
static int converse(const struct lab_shared *s, const char *script, struct heard *h,
		    struct target_error *err)
{
	const struct target_sink sink = {
		.ctx = h,
		.header = hear_header,
		.benchmark = hear_benchmark,
		.progress = hear_progress,
	};
	/* The wire's memory as the machine would leave it, for the script to copy. */
	char image[] = "/tmp/unit_lab_wire.XXXXXX", command[1024];
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", command, NULL };
	struct lab_command cmd;
	int fd = mkstemp(image), ret;

	cr_assert_geq(fd, 0);
	lab_command_init(&cmd);
	cmd.argv = argv;
	cmd.error_marks = error_marks;
	cr_assert_eq(write(fd, s->memory, 65536), 65536);
	close(fd);
	/* The count last, as the machine does it. */
	snprintf(command, sizeof(command),
		 "w=/proc/self/fd/4; exec 2>/dev/null 9>&2;"
		 "dd if=%s of=$w bs=4096 skip=1 seek=1 conv=notrunc;"
		 "dd if=%s of=$w bs=8 count=1 conv=notrunc; exec 2>&1; %s",
		 image, image, script);
	err->text[0] = '\0';
	ret = lab_session_run("lab:test", &cmd, &sink, err);
	unlink(image);
	return ret;
}

static struct lab_shared shared;
static struct lab_wire wire;
static struct heard heard;
static struct target_error err;

static void begin(void)
{
	cr_assert_eq(lab_shared_create(&shared, LAB_SHARED_MEMORY), 0);
	wire.shared = &shared;
}

static void end(void)
{
	lab_shared_free(&shared);
}

TestSuite(session, .init = begin, .fini = end, .timeout = 60);

static void say_hello_and_header(void)
{
	cr_assert_eq(lab_wire_hello(&wire), 0);
	cr_assert_eq(lab_wire_header(&wire, "{}", 2), 0);
}

Test(session, a_whole_job_is_handed_on_and_the_machine_stopped)
{
	say_hello_and_header();
	lab_wire_progress(&wire, "a\x1b[2J\nb");
	lab_wire_benchmark(&wire, "[1]", 3);
	lab_wire_benchmark(&wire, "[2]", 3);
	lab_wire_end(&wire, 0);
	/* Not waited for: END is the end. */
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), 0, "%s", err.text);
	cr_expect_str_eq(heard.text, "H:{} P:a [2J b B:[1] B:[2] ");
}

Test(session, a_job_without_a_machine_says_why)
{
	char *argv[] = { (char *)"/nonexistent/emulator", NULL };
	struct lab_command cmd;
	const struct target_sink sink = {
		.ctx = &heard,
		.header = hear_header,
		.benchmark = hear_benchmark,
		.progress = NULL,
	};

	lab_command_init(&cmd);
	cmd.argv = argv;
	cr_expect_eq(lab_session_run("lab:test", &cmd, &sink, &err), -EIO);
	cr_expect_not_null(strstr(err.text, "emulator failed: cannot run it"), "%s",
			   err.text);
}

Test(session, the_emulators_last_words_are_told)
{
	cr_expect_eq(converse(&shared, "echo first; echo no such option; exit 1", &heard,
			      &err),
		     -EIO);
	cr_expect_not_null(strstr(err.text, "sh failed: no such option"), "%s", err.text);
	cr_expect_eq(converse(&shared, "kill -9 $$", &heard, &err), -EIO);
	cr_expect_not_null(strstr(err.text, "killed by signal 9"), "%s", err.text);
}

/* What Bochs prints without its VGA BIOS, in its order. */
#define BOCHS_OUTPUT                                                                     \
	"echo 'ALSA lib pcm.c:2666:(snd_pcm_open_noupdate) Unknown PCM default';"        \
	"echo '00000000000p[MEM0  ] >>PANIC<< ROM: no ROM image file';"                  \
	"echo ========; echo 'Bochs is exiting with the following message:';"            \
	"echo '[MEM0  ] ROM: no ROM image file'; echo ========;"                         \
	"echo '(0).[0] [0x000000000000] 0000:0000 (unk. ctxt): add byte ptr "            \
	"ds:[bx+si], al';"

Test(session, the_emulators_error_is_told_not_what_it_printed_after_it)
{
	static const char *const bochs[] = { ">>PANIC<< ", NULL };
	static const char *const qemu[] = { "qemu: fatal: ", "qemu-system-x86_64: ",
					    NULL };

	error_marks = bochs;
	cr_expect_eq(converse(&shared, BOCHS_OUTPUT "exit 1", &heard, &err), -EIO);
	cr_expect_str_eq(err.text, "lab:test: sh failed: ROM: no ROM image file");

	error_marks = qemu;
	cr_expect_eq(converse(&shared,
			      "echo 'qemu-system-x86_64: -M x: unsupported machine';"
			      "echo 'Use -machine help to list machines'; exit 1",
			      &heard, &err),
		     -EIO);
	cr_expect_str_eq(err.text, "lab:test: sh failed: -M x: unsupported machine");
	cr_expect_eq(converse(&shared,
			      "echo 'qemu: fatal: code outside RAM'; echo 'RAX=0';"
			      "kill -ABRT $$",
			      &heard, &err),
		     -EIO);
	cr_expect_not_null(strstr(err.text, "killed by signal 6 (Aborted): code outside "
					    "RAM"),
			   "%s", err.text);
	cr_expect_eq(converse(&shared,
			      "echo 'qemu-system-x86_64: warning: old'; echo the reason;"
			      "exit 1",
			      &heard, &err),
		     -EIO);
	cr_expect_str_eq(err.text, "lab:test: sh failed: the reason");
}

Test(session, a_panic_is_told_in_the_kernels_words)
{
	cr_expect_eq(converse(&shared,
			      "echo 'Kernel panic - not syncing: no root' >&5;"
			      "echo '---[ end ]---' >&5",
			      &heard, &err),
		     -EIO);
	cr_expect_str_eq(err.text, "lab:test: its kernel died: Kernel panic - not "
				   "syncing: no root");
}

Test(session, a_machine_that_goes_off_early_is_no_success)
{
	say_hello_and_header();
	lab_wire_benchmark(&wire, "[1]", 3);
	cr_expect_eq(converse(&shared, "echo last words >&5", &heard, &err), -EIO);
	cr_expect_not_null(strstr(err.text, "went off before the job was done"), "%s",
			   err.text);
	cr_expect_not_null(strstr(err.text, "console: last words"), "%s", err.text);
	cr_expect_str_eq(heard.text, "H:{} B:[1] ", "what came is kept");
}

Test(session, a_failure_frame_is_told_whenever_it_comes)
{
	lab_wire_failure(&wire, "the kernel refuses module kvm");
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -EIO);
	cr_expect_str_eq(err.text, "lab:test: the kernel refuses module kvm");
}

Test(session, an_end_without_a_document_is_explained_by_the_console)
{
	lab_wire_hello(&wire);
	lab_wire_end(&wire, 4);
	cr_expect_eq(converse(&shared, "sleep 0.2; echo no /dev/kvm >&5", &heard, &err),
		     -EIO);
	cr_expect_not_null(strstr(err.text, "exit code 4\n  console: no /dev/kvm"), "%s",
			   err.text);
}

Test(session, lost_benchmarks_and_damage_are_errors)
{
	say_hello_and_header();
	wire.benchmarks = 1; /* one that never was on the wire */
	lab_wire_end(&wire, 0);
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -EBADMSG);
	cr_expect_not_null(strstr(err.text, "0 of 1 benchmarks"), "%s", err.text);

	end();
	begin();
	wire = (struct lab_wire){ .shared = &shared };
	say_hello_and_header();
	cr_assert_eq(lab_shared_append(&shared, (const uint8_t *)"dmesg", 5), 0);
	lab_wire_end(&wire, 0);
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -EBADMSG);
	cr_expect_not_null(strstr(err.text, "5 bytes of damage"), "%s", err.text);
}

Test(session, frames_out_of_order_are_errors)
{
	lab_wire_header(&wire, "{}", 2);
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -EBADMSG);
	end();
	begin();
	lab_wire_hello(&wire);
	lab_wire_benchmark(&wire, "[]", 2);
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -EBADMSG);
	cr_expect_str_eq(heard.text, "");
}

Test(session, a_callbacks_error_ends_the_job)
{
	heard.refuse = -EINVAL;
	say_hello_and_header();
	lab_wire_benchmark(&wire, "[1]", 3);
	lab_wire_benchmark(&wire, "[2]", 3);
	lab_wire_end(&wire, 0);
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -EINVAL);
	cr_expect_str_eq(heard.text, "H:{} B:[1] ");
}

Test(session, an_interrupt_leaves_no_process)
{
	char path[] = "/tmp/unit_lab_pid.XXXXXX", script[128];
	int fd = mkstemp(path), pid = 0;
	FILE *f;

	say_hello_and_header();
	lab_wire_benchmark(&wire, "[1]", 3);
	cr_assert_geq(fd, 0);
	close(fd);
	/* The script interrupts its own runner, which only then looks. */
	snprintf(script, sizeof(script), "echo $$ >%s; kill -TERM $PPID; exec sleep 1000",
		 path);
	target_catch_signals();
	cr_expect_eq(converse(&shared, script, &heard, &err), -EINTR);
	f = fopen(path, "r");
	cr_assert_not_null(f);
	cr_expect_eq(fscanf(f, "%d", &pid), 1);
	fclose(f);
	unlink(path);
	cr_assert_gt(pid, 0);
	cr_expect(kill(pid, 0) < 0 && errno == ESRCH, "%d is still there", pid);
}
