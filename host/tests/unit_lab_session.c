/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of the session with a lab's machine. A shell script replaces the emulator,
 * with the descriptors of the emulator (wire 4, console 5), and may send anything.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/lib/process.h"
#include "host/lib/error.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/session.h"
#include "host/targets/lab/wire.h"

struct heard {
	char text[256];
	int refuse; /* the return value of report() */
};

static int hear_header(void *ctx, const char *json, size_t bytes)
{
	struct heard *h = ctx;
	size_t used = strlen(h->text);

	snprintf(h->text + used, sizeof(h->text) - used, "H:%.*s ", (int)bytes, json);
	return 0;
}

static int hear_report(void *ctx, const uint8_t *report, size_t bytes)
{
	struct heard *h = ctx;
	size_t used = strlen(h->text);

	snprintf(h->text + used, sizeof(h->text) - used, "R:%.*s ", (int)bytes,
		 (const char *)report);
	return h->refuse;
}

static int hear_symbols(void *ctx, const char *text, size_t bytes)
{
	struct heard *h = ctx;
	size_t used = strlen(h->text);

	cr_expect_eq(strlen(text), bytes);
	snprintf(h->text + used, sizeof(h->text) - used, "S:%s", text);
	return 0;
}

static void hear_line(void *ctx, const char *text)
{
	struct heard *h = ctx;
	size_t used = strlen(h->text);

	snprintf(h->text + used, sizeof(h->text) - used, "L:%s ", text);
}

/* The emulator of these tests: runs `boot.program` with `boot.append` as script. */
static int script_command(const struct lab_machine *m, const struct lab_boot *boot,
			  struct lab_command *cmd, struct error *err)
{
	char **argv = calloc(4, sizeof(*argv));

	(void)m;
	(void)err;
	lab_command_init(cmd);
	cr_assert_not_null(argv);
	argv[0] = (char *)(uintptr_t)boot->program;
	argv[1] = (char *)"-c";
	argv[2] = (char *)(uintptr_t)boot->append;
	cmd->argv = argv;
	return 0;
}

static int script_clone(struct lab_base *base, const struct lab_boot *boot,
			struct lab_shared *w, const uint8_t job[JOB_BYTES],
			struct lab_child *child, struct error *err)
{
	struct lab_command cmd;
	int ret = script_command(base->machine, boot, &cmd, err);

	(void)job;
	if (!ret)
		ret = lab_child_start(child, &cmd, w->fd, SOCK_STREAM, err);
	lab_command_free(&cmd);
	return ret;
}

/* Ready when the script has written a byte to descriptor 11; `X` means never ready. */
static int script_is_ready(const struct lab_child *child)
{
	char c;

	return read(child->control, &c, 1) == 1 ? c != 'X' : -EPIPE;
}

static int script_begin(struct lab_child *child)
{
	return child->control < 0 ? -EBADF : 0;
}

static int script_freeze(struct lab_base *base)
{
	lab_child_stop(&base->child);
	return 0;
}

/* The error_marks are those of the emulator that the script replaces. */
static struct lab_emulator script_emulator = {
	.wire = LAB_SHARED_MEMORY,
	.control_type = SOCK_STREAM,
	.command = script_command,
	.begin = script_begin,
	.is_ready = script_is_ready,
	.freeze = script_freeze,
	.clone = script_clone,
};

static bool wants_symbols;

static struct lab_machine script_machine = {
	.name = "test",
	.emulator = &script_emulator,
	.program = "sh",
};

static unsigned int silence_s, total_s;
static time_t deadline_s;

/* Of an empty line on the wire. */
static int64_t line_bytes(void)
{
	uint8_t *frame;
	size_t bytes;

	cr_assert_eq(lab_frame_encode(LAB_FRAME_LINE, "", 0, true, &frame, &bytes), 0);
	free(frame);
	return (int64_t)bytes;
}

static int run_program(const char *program, const char *script, struct heard *h,
		       struct error *err)
{
	const struct lab_sink sink = {
		.ctx = h,
		.header = hear_header,
		.report = hear_report,
		.line = hear_line,
		.symbols = wants_symbols ? hear_symbols : NULL,
	};
	const struct lab_boot boot = {
		.program = program,
		.append = script,
		.silence_s = silence_s,
		.total_s = total_s,
		.deadline_s = deadline_s,
	};
	static const uint8_t job[JOB_BYTES];
	struct lab_base base = {
		.label = "lab:test",
		.machine = &script_machine,
		.snapshot = -1,
	};

	lab_child_init(&base.child);
	err->text[0] = '\0';
	return lab_base_run(&base, &boot, job, &sink, err);
}

static const char *before_frames = ""; /* a script */

/* Runs `script` after it has copied the frames of `s` to the wire. */
static int converse(const struct lab_shared *s, const char *script, struct heard *h,
		    struct error *err)
{
	/* The memory of the wire as the machine writes it, for the script to copy. */
	char image[] = "/tmp/unit_lab_wire.XXXXXX", command[1024];
	int fd = mkstemp(image), ret;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, s->memory, 65536), 65536);
	close(fd);
	/* The count comes last, as in the machine. */
	snprintf(command, sizeof(command),
		 "%s w=/proc/self/fd/4; exec 2>/dev/null 9>&2;"
		 "dd if=%s of=$w bs=4096 skip=1 seek=1 conv=notrunc;"
		 "dd if=%s of=$w bs=8 count=1 conv=notrunc; exec 2>&1; %s",
		 before_frames, image, image, script);
	ret = run_program("/bin/sh", command, h, err);
	unlink(image);
	return ret;
}

static struct lab_shared shared;
static struct lab_wire wire;
static struct heard heard;
static struct error err;

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
	cr_assert_eq(lab_wire_number(&wire, LAB_FRAME_HELLO, LAB_WIRE_VERSION), 0);
	cr_assert_eq(lab_wire_text(&wire, LAB_FRAME_HEADER, "{}"), 0);
}

Test(session, a_complete_job_is_reported_and_the_machine_stopped)
{
	say_hello_and_header();
	lab_wire_text(&wire, LAB_FRAME_LINE, "a\x1b[2J\nb");
	lab_wire_text(&wire, LAB_FRAME_REPORT, "[1]");
	lab_wire_number(&wire, LAB_FRAME_END, 0);
	/* END ends the job, without a wait for the script. */
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), 0, "%s", err.text);
	cr_expect_str_eq(heard.text, "H:{} L:a\\x1b[2J b R:[1] ");
}

Test(session, a_job_without_a_machine_has_a_reason)
{
	cr_expect_eq(run_program("/nonexistent/emulator", "", &heard, &err), -EIO);
	cr_expect_not_null(
		strstr(err.text, "cannot start /nonexistent/emulator: No such file"),
		"%s", err.text);
}

Test(session, a_machine_boots_until_it_is_ready)
{
	/* dash does not support descriptors of two digits. */
	struct lab_boot boot = { .program = "/bin/bash",
				 .append = "echo >&11; sleep 100" };
	struct lab_base base;

	cr_expect_eq(lab_base_boot(&base, "lab:test", &script_machine, &boot, &err), 0,
		     "%s", err.text);
	cr_expect_eq(base.child.process.pid, 0, "script_freeze() has ended it");
	lab_base_free(&base);

	boot.append = "echo no disk; exit 3";
	cr_expect_eq(lab_base_boot(&base, "lab:test", &script_machine, &boot, &err),
		     -EIO);
	cr_expect_not_null(strstr(err.text, "bash failed: no disk"), "%s", err.text);
	lab_base_free(&base);
}

/* The clock of QEMU's machine may advance while the machine stops: see wire.h. */
Test(session, a_machine_that_needs_a_reboot_has_its_own_code)
{
	lab_wire_number(&wire, LAB_FRAME_HELLO, LAB_WIRE_VERSION);
	lab_wire_send(&wire, LAB_FRAME_AGAIN, NULL, 0);
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -EAGAIN);
}

Test(session, the_last_output_of_the_emulator_is_quoted)
{
	cr_expect_eq(converse(&shared, "echo first; echo no such option; exit 1", &heard,
			      &err),
		     -EIO);
	cr_expect_not_null(strstr(err.text, "sh failed: no such option"), "%s", err.text);
	cr_expect_eq(converse(&shared, "kill -9 $$", &heard, &err), -EIO);
	cr_expect_not_null(strstr(err.text, "killed by signal 9"), "%s", err.text);
}

/* The output of Bochs without a VGA BIOS. */
#define BOCHS_OUTPUT                                                                     \
	"echo 'ALSA lib pcm.c:2666:(snd_pcm_open_noupdate) Unknown PCM default';"        \
	"echo '00000000000p[MEM0  ] >>PANIC<< ROM: no ROM image file';"                  \
	"echo ========; echo 'Bochs is exiting with the following message:';"            \
	"echo '[MEM0  ] ROM: no ROM image file'; echo ========;"                         \
	"echo '(0).[0] [0x000000000000] 0000:0000 (unk. ctxt): add byte ptr "            \
	"ds:[bx+si], al';"

Test(session, the_error_of_the_emulator_is_quoted_not_later_output)
{
	static const char *const bochs[] = { ">>PANIC<< ", NULL };
	static const char *const qemu[] = { "qemu: fatal: ", "qemu-system-x86_64: ",
					    NULL };

	script_emulator.error_marks = bochs;
	cr_expect_eq(converse(&shared, BOCHS_OUTPUT "exit 1", &heard, &err), -EIO);
	cr_expect_str_eq(err.text, "lab:test: sh failed: ROM: no ROM image file");

	script_emulator.error_marks = qemu;
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

Test(session, a_kernel_panic_is_quoted)
{
	cr_expect_eq(converse(&shared,
			      "echo 'Kernel panic - not syncing: no root' >&5;"
			      "echo '---[ end ]---' >&5",
			      &heard, &err),
		     -EIO);
	cr_expect_str_eq(err.text,
			 "lab:test: the lab's kernel crashed: Kernel panic - not "
			 "syncing: no root");
	/* What it warned of. */
	cr_expect_eq(
		converse(
			&shared,
			"echo 'WARNING: CPU: 0 PID: 1 at a/b.c:1 f+0x1/0x2' >&5;"
			"echo 'Kernel panic - not syncing: kernel: panic_on_warn set ...' "
			">&5",
			&heard, &err),
		-EIO);
	cr_expect_str_eq(
		err.text,
		"lab:test: the lab's kernel crashed: Kernel panic - not "
		"syncing: kernel: panic_on_warn set ... WARNING: CPU: 0 PID: 1 at "
		"a/b.c:1 f+0x1/0x2");
}

/* A lab with an L1 has two kernels on its console. */
Test(session, a_crash_is_of_l0_or_l1)
{
	script_machine.l1 = true;
	cr_expect_eq(converse(&shared, "echo 'L1: Kernel panic - not syncing: why' >&5",
			      &heard, &err),
		     -EIO);
	cr_expect_str_eq(
		err.text,
		"lab:test: L1's kernel crashed: Kernel panic - not syncing: why");
	cr_expect_eq(converse(&shared, "echo 'Kernel panic - not syncing: why' >&5",
			      &heard, &err),
		     -EIO);
	cr_expect_str_eq(
		err.text,
		"lab:test: L0's kernel crashed: Kernel panic - not syncing: why");
	cr_expect_eq(converse(&shared,
			      "echo 'L1: Oops: 0002 [#1] SMP' >&5;"
			      "echo 'L1: RIP: 0010:f+0x1/0x2' >&5;"
			      "echo 'L1:  </TASK>' >&5; sleep 60",
			      &heard, &err),
		     -EIO);
	cr_expect_str_eq(
		err.text,
		"lab:test: L1's kernel crashed: Oops: 0002 [#1] SMP, at f+0x1/0x2");
	script_machine.l1 = false;
}

/* The machine goes on, and says nothing more. */
Test(session, an_oops_of_the_kernel_ends_the_job)
{
	static const char oops[] = "echo 'Oops: 0002 [#1] SMP' >&5;"
				   "echo 'RIP: 0010:f+0x1/0x2' >&5; echo ' </TASK>' >&5;";
	static const char expected[] =
		"lab:test: the lab's kernel crashed: Oops: 0002 [#1] SMP, at f+0x1/0x2";
	char script[200];

	snprintf(script, sizeof(script), "%ssleep 1000", oops);
	cr_expect_eq(converse(&shared, script, &heard, &err), -EIO);
	cr_expect_str_eq(err.text, expected);
	/* Or it ends, with or without a whole oops. */
	cr_expect_eq(converse(&shared, oops, &heard, &err), -EIO);
	cr_expect_str_eq(err.text, expected);
	cr_expect_eq(converse(&shared, "echo 'Oops: 0002 [#1] SMP' >&5", &heard, &err),
		     -EIO);
	cr_expect_str_eq(err.text,
			 "lab:test: the lab's kernel crashed: Oops: 0002 [#1] SMP");
}

/* The job's process is killed, which the machine's first process reports. */
Test(session, an_oops_says_more_than_its_consequence)
{
	lab_wire_text(&wire, LAB_FRAME_FAILURE, "killed by signal 11");
	before_frames = "echo 'Oops: 0002 [#1] SMP' >&5;";
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -EIO);
	cr_expect_str_eq(err.text,
			 "lab:test: the lab's kernel crashed: Oops: 0002 [#1] SMP");
	before_frames = "";
}

/* Of another thread; the job ends, and its last frame is read before the console. */
Test(session, an_oops_fails_a_job_that_ends)
{
	say_hello_and_header();
	lab_wire_text(&wire, LAB_FRAME_REPORT, "[1]");
	lab_wire_number(&wire, LAB_FRAME_END, 0);
	before_frames = "head -c 9000 /dev/zero | tr '\\0' '\\n' >&5;"
			"echo 'Oops: 0002 [#1] SMP' >&5; echo ' </TASK>' >&5;";
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -EIO);
	cr_expect_str_eq(err.text,
			 "lab:test: the lab's kernel crashed: Oops: 0002 [#1] SMP");
	before_frames = "";
}

/* What happened at EL2 is in the line before. */
Test(session, the_cause_of_a_panic_is_quoted)
{
	cr_expect_eq(
		converse(
			&shared,
			"echo 'kvm [80]: nVHE hyp BUG at: a/b.c:12!' >&5;"
			"echo 'Kernel panic - not syncing: HYP panic:' >&5; echo PS:0 >&5",
			&heard, &err),
		-EIO);
	cr_expect_str_eq(err.text,
			 "lab:test: the lab's kernel crashed: Kernel panic - not "
			 "syncing: HYP panic: hyp BUG at: a/b.c:12!");
}

Test(session, a_machine_that_powers_off_early_fails)
{
	say_hello_and_header();
	lab_wire_text(&wire, LAB_FRAME_REPORT, "[1]");
	cr_expect_eq(converse(&shared, "echo last words >&5", &heard, &err), -EIO);
	cr_expect_not_null(strstr(err.text, "powered off before the job completed"), "%s",
			   err.text);
	cr_expect_not_null(strstr(err.text, "console: last words"), "%s", err.text);
	cr_expect_str_eq(heard.text, "H:{} R:[1] ", "what came is kept");
}

Test(session, a_failure_frame_is_reported_at_any_time)
{
	lab_wire_text(&wire, LAB_FRAME_FAILURE, "the kernel refuses module kvm");
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -EIO);
	cr_expect_str_eq(err.text, "lab:test: the kernel refuses module kvm");
}

Test(session, a_damaged_frame_is_an_error)
{
	wire = (struct lab_wire){ .shared = &shared };
	say_hello_and_header();
	cr_assert_eq(lab_shared_append(&shared, (const uint8_t *)"dmesg", 5), 0);
	lab_wire_number(&wire, LAB_FRAME_END, 0);
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -EBADMSG);
	cr_expect_not_null(strstr(err.text, "5 damaged bytes"), "%s", err.text);
}

Test(session, frames_out_of_order_are_errors)
{
	lab_wire_text(&wire, LAB_FRAME_HEADER, "{}");
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -EBADMSG);
	end();
	begin();
	lab_wire_number(&wire, LAB_FRAME_HELLO, LAB_WIRE_VERSION);
	lab_wire_text(&wire, LAB_FRAME_SYMBOLS, "not asked for");
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -EBADMSG);
	cr_expect_str_eq(heard.text, "");
}

#define L0_TEXT "ff T below\n"
#define L1_TEXT "ff T a\n"

/* In a lab with L1 the functions of L0 come first, and in no other; each once. */
Test(session, functions_are_those_of_the_kernels_that_the_lab_has)
{
	enum { L0 = LAB_FRAME_SYMBOLS_L0, L1 = LAB_FRAME_SYMBOLS };
	static const struct {
		bool l1;
		int frames[3];
		const char *text; /* NULL: refused */
	} rows[] = {
		{ false, { L1 }, "S:" L1_TEXT },
		{ true, { L0, L1 }, "S:" L1_TEXT TARGET_SYMBOLS_OF_L0 "\n" L0_TEXT },
		{ false, { L0, L1 }, NULL },
		{ false, { L1, L1 }, NULL },
		{ true, { L1 }, NULL },
		{ true, { L1, L0 }, NULL },
		{ true, { L0, L0, L1 }, NULL },
		{ true, { L0, L1, L0 }, NULL },
		{ true, { L0, L1, L1 }, NULL },
	};

	wants_symbols = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int ret;

		end();
		begin();
		wire.ended = false;
		heard.text[0] = '\0';
		script_machine.l1 = rows[i].l1;
		lab_wire_number(&wire, LAB_FRAME_HELLO, LAB_WIRE_VERSION);
		for (int k = 0; k < 3 && rows[i].frames[k]; k++)
			lab_wire_text(&wire, (enum lab_frame_type)rows[i].frames[k],
				      rows[i].frames[k] == L0 ? L0_TEXT : L1_TEXT);
		lab_wire_number(&wire, LAB_FRAME_END, 0);
		ret = converse(&shared, "sleep 1000", &heard, &err);
		cr_expect_eq(ret, rows[i].text ? 0 : -EBADMSG, "%zu: %s", i, err.text);
		if (rows[i].text)
			cr_expect_str_eq(heard.text, rows[i].text);
	}
}

Test(session, functions_with_a_nul_are_refused)
{
	static const char text[] = "ff T a\n\0ff T b\n";

	wants_symbols = true;
	for (int i = 0; i < 3; i++) {
		end();
		begin();
		wire.ended = false;
		heard.text[0] = '\0';
		script_machine.l1 = i > 0;
		lab_wire_number(&wire, LAB_FRAME_HELLO, LAB_WIRE_VERSION);
		if (i == 1)
			lab_wire_send(&wire, LAB_FRAME_SYMBOLS_L0, text, sizeof(text));
		else if (i == 2)
			lab_wire_text(&wire, LAB_FRAME_SYMBOLS_L0, L0_TEXT);
		if (i == 1)
			lab_wire_text(&wire, LAB_FRAME_SYMBOLS, L1_TEXT);
		else
			lab_wire_send(&wire, LAB_FRAME_SYMBOLS, text, sizeof(text));
		lab_wire_number(&wire, LAB_FRAME_END, 0);
		cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -EBADMSG);
		cr_expect_str_eq(heard.text, "");
	}
}

Test(session, a_callbacks_error_ends_the_job)
{
	heard.refuse = -EINVAL;
	say_hello_and_header();
	lab_wire_text(&wire, LAB_FRAME_REPORT, "[1]");
	lab_wire_text(&wire, LAB_FRAME_REPORT, "[2]");
	lab_wire_number(&wire, LAB_FRAME_END, 0);
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -EINVAL);
	cr_expect_str_eq(heard.text, "H:{} R:[1] ");
}

Test(session, a_silent_machine_is_given_up)
{
	say_hello_and_header();
	silence_s = 1;
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -ETIMEDOUT);
	cr_expect_str_eq(err.text, "lab:test: no output from the job for 1 s");
}

static bool is_somewhere(const struct lab_child *child, char *text, size_t room)
{
	return child->control >= 0 && snprintf(text, room, "pc 0x10") == 7;
}

static bool is_nowhere(const struct lab_child *child, char *text, size_t room)
{
	(void)child;
	snprintf(text, room, "pc");
	return false;
}

Test(session, the_place_of_a_silent_machine_is_quoted)
{
	say_hello_and_header();
	silence_s = 1;
	script_emulator.where = is_somewhere;
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -ETIMEDOUT);
	cr_expect_str_eq(err.text,
			 "lab:test: no output from the job for 1 s; CPU 0 is at pc 0x10");
	script_emulator.where = is_nowhere;
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -ETIMEDOUT);
	cr_expect_str_eq(err.text, "lab:test: no output from the job for 1 s");
}

/* A line per second is not silence; the job ends in time all the same. */
Test(session, lines_do_not_renew_the_time_of_the_job)
{
	char script[512];

	say_hello_and_header();
	for (int i = 0; i < 9; i++)
		lab_wire_text(&wire, LAB_FRAME_LINE, "");
	silence_s = 3;
	total_s = 4;
	/* Moves the count on, as if a line of 32 bytes came each second. */
	snprintf(
		script, sizeof(script),
		"n=%lld; while :; do sleep 1;"
		"printf \"\\\\$(printf %%o $((n %% 256)))\\\\$(printf %%o $((n / 256)))\" |"
		"dd of=/proc/self/fd/4 bs=2 conv=notrunc 2>/dev/null; n=$((n + %lld));"
		"done",
		(long long)lab_shared_written(&shared) - 8 * line_bytes(),
		(long long)line_bytes());
	lab_put_le32(shared.memory,
		     (uint32_t)(lab_shared_written(&shared) - 9 * line_bytes()));
	cr_expect_eq(converse(&shared, script, &heard, &err), -ETIMEDOUT);
	cr_expect_not_null(strstr(err.text, "the job has not ended for 4 s"), "%s",
			   err.text);
	cr_expect_not_null(strstr(heard.text, "L: L: "), "%s", heard.text);
}

Test(session, the_deadline_is_that_of_the_run)
{
	struct timespec now;

	say_hello_and_header();
	clock_gettime(CLOCK_MONOTONIC, &now);
	deadline_s = now.tv_sec + 2;
	cr_expect_eq(converse(&shared, "sleep 1000", &heard, &err), -ETIME);
}

/* The emulator has the file, and the runner has it mapped. */
Test(session, the_wire_cannot_be_truncated)
{
	say_hello_and_header();
	cr_expect_eq(
		converse(&shared, "truncate -s 0 /proc/self/fd/4; exit 3", &heard, &err),
		-EIO);
	cr_expect_not_null(strstr(err.text, "not permitted"), "%s", err.text);
}

/* Keeps a processor busy for 5 s. */
static void keep_busy(int cpu)
{
	const pid_t pid = fork();
	cpu_set_t one;

	cr_assert_geq(pid, 0);
	if (pid)
		return;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	(void)sched_setaffinity(0, sizeof(one), &one);
	alarm(5);
	for (;;)
		__asm__ volatile("");
}

/*
 * The machine is silent for longer than the limit only because others have its
 * processor for 5 s. Then it goes off. One process: it would not wait for a processor
 * while another one of it does.
 */
Test(session, a_machine_that_waits_for_a_processor_is_not_silent)
{
	const int cpu = sched_getcpu();
	char script[256];

	say_hello_and_header();
	silence_s = 2;
	snprintf(script, sizeof(script),
		 "exec taskset -c %d nice -n 10 "
		 "sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i + 1)); done'",
		 cpu);
	for (int i = 0; i < 3; i++)
		keep_busy(cpu);
	cr_expect_eq(converse(&shared, script, &heard, &err), -EIO);
	cr_expect_not_null(strstr(err.text, "powered off before the job completed"), "%s",
			   err.text);
}

/* A wait that is in progress is in no sum. */
Test(session, a_wait_in_progress_is_one)
{
	const struct process_waits waits = { .runnable = true, .run_ns = 1000 };
	const struct process_waits ran = { .runnable = true, .run_ns = 1001 };
	const struct process_waits sleeps = { .runnable = false, .run_ns = 1000 };

	cr_expect(lab_waits_for_cpu(&waits, &waits));
	cr_expect_not(lab_waits_for_cpu(&waits, &ran));
	cr_expect_not(lab_waits_for_cpu(&waits, &sleeps));
	cr_expect_not(lab_waits_for_cpu(&sleeps, &waits));
}

Test(session, an_interrupt_leaves_no_process)
{
	char path[] = "/tmp/unit_lab_pid.XXXXXX", script[128];
	int fd = mkstemp(path), pid = 0;
	FILE *f;

	say_hello_and_header();
	lab_wire_text(&wire, LAB_FRAME_REPORT, "[1]");
	cr_assert_geq(fd, 0);
	close(fd);
	/* The script interrupts the runner, which then checks the flag. */
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
