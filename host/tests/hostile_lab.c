/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stand-in for QEMU, for hostile_lab.bats: speaks QMP on descriptor 11, and answers
 * jobs on the wire as a machine would, with reports of 1,000 instructions per event. For
 * the rows of $HOSTILE ("ROW=MODE ...") it does what a broken or hostile machine can do.
 * The row "boot" is the machine before its first job.
 *
 * As "bochs-KEY", it is a stand-in for the Bochs of lab:x86_64-svm: a fork server that
 * appends a line to the file $BOOTS, and at a job of a row ends ("ROW=dies") or does not
 * answer ("ROW=deaf").
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "host/lib/error.h"
#include "host/result/result.h"
#include "host/targets/target.h"
#include "host/targets/job.h"
#include "host/targets/lab/fork_protocol.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/wire.h"

static struct lab_shared shared = { .kind = LAB_SHARED_MEMORY, .fd = LAB_FD_WIRE };
static struct lab_wire wire = { .shared = &shared };

static void reply(const char *text)
{
	if (write(LAB_FD_CONTROL, text, strlen(text)) < 0)
		exit(0);
}

/* After its job, the emulator answers what it is asked: recv() with these flags. */
static void answer(int flags)
{
	char line[4096];
	ssize_t n = recv(LAB_FD_CONTROL, line, sizeof(line), flags);

	if (!n)
		exit(0);
	if (n > 0)
		reply("{\"return\": {}}\n");
}

static void forever(void) __attribute__((noreturn));
static void forever(void)
{
	for (;;)
		answer(0);
}

/* What $HOSTILE says of a row; "": nothing. */
static const char *mode_of(const char *row)
{
	static char mode[64];
	const char *list = getenv("HOSTILE");
	const size_t n = strlen(row);

	mode[0] = '\0';
	for (; list && *list; list += strspn(list, " ")) {
		if (!strncmp(list, row, n) && list[n] == '=')
			snprintf(mode, sizeof(mode), "%.*s",
				 (int)strcspn(list + n + 1, " "), list + n + 1);
		list += strcspn(list, " ");
	}
	return mode;
}

/* A frame with valid checksums, whatever its payload is. */
static void forge(enum lab_frame_type type, const void *stored, uint32_t bytes,
		  uint32_t raw, uint32_t crc)
{
	uint8_t f[LAB_FRAME_HEADER_BYTES];

	lab_put_le32(f, LAB_FRAME_MAGIC);
	lab_put_le32(f + 4, type);
	lab_put_le32(f + 8, bytes);
	lab_put_le32(f + 12, raw);
	lab_put_le32(f + 16, crc);
	lab_put_le32(f + 20, (uint32_t)crc32(0, f, 20));
	if (lab_shared_append(&shared, f, sizeof(f)) ||
	    (stored && lab_shared_append(&shared, stored, bytes)))
		forever();
}

/* 64 MiB of zeros in 64 KiB, ten times. */
static void send_bombs(enum lab_frame_type type)
{
	const uLong raw = LAB_FRAME_RAW_MAX;
	uLongf stored = compressBound(raw);
	uint8_t *zeros = calloc(1, raw), *f = malloc(stored);

	if (!zeros || !f || compress2(f, &stored, zeros, raw, 9) != Z_OK)
		abort();
	for (int i = 0; i < 10; i++)
		forge(type, f, (uint32_t)stored, (uint32_t)raw,
		      (uint32_t)crc32(0, f, (uInt)stored));
	free(zeros);
	free(f);
}

static void send_garbage(void) __attribute__((noreturn));
static void send_garbage(void)
{
	static uint8_t block[65536];

	memset(block, 0x57, sizeof(block)); /* each byte could begin a frame */
	for (;;) {
		const struct timespec moment = { .tv_nsec = 1000000 };

		(void)lab_shared_append(&shared, block, sizeof(block));
		if (write(LAB_FD_CONSOLE, block, sizeof(block)) < 0)
			forever();
		nanosleep(&moment, NULL);
		answer(MSG_DONTWAIT);
	}
}

static void misbehave(const char *mode)
{
	if (!strcmp(mode, "noise")) /* before HELLO: a firmware's output */
		send_garbage();
	lab_wire_number(&wire, LAB_FRAME_HELLO, LAB_WIRE_VERSION);
	if (!strcmp(mode, "silence"))
		forever();
	while (!strcmp(mode, "stuck"))
		pause();
	if (!strcmp(mode, "garbage"))
		send_garbage();
	if (!strcmp(mode, "bombs"))
		send_bombs(LAB_FRAME_REPORT);
	if (!strcmp(mode, "header-bombs"))
		send_bombs(LAB_FRAME_HEADER);
	/* Headers that are good, one inside the payload of the other. */
	for (int i = 0; !strcmp(mode, "damage") && i < 1000000; i++)
		forge(LAB_FRAME_REPORT, NULL, LAB_FRAME_STORED_MAX, 1000, 0);
	for (int i = 0; !strcmp(mode, "empty") && i < 1000000; i++)
		lab_wire_text(&wire, LAB_FRAME_LINE, "");
	if (!strcmp(mode, "truncate") && ftruncate(LAB_FD_WIRE, 0))
		lab_wire_text(&wire, LAB_FRAME_FAILURE, "the wire cannot be truncated");
	if (!strcmp(mode, "endless-end"))
		forge(LAB_FRAME_END, NULL, LAB_FRAME_STORED_MAX, LAB_NUMBER_BYTES, 0);
	forever();
}

static void describe(void)
{
	struct result *r = result_new();
	char *json;

	r->target.name = "kvm";
	r->target.kind = "kvm";
	r->target.exact = true;
	r->target.hypervisor = "VHE";
	r->subject.kernel = "6.1.0-stand-in";
	r->machine.fingerprint = "0123456789abcdef";
	r->machine.arch = "aarch64";
	r->clock.name = "CNTVCT_EL0";
	r->clock.unit = "insns";
	r->clock.hz = 1000000000;
	json = result_dump(r);
	lab_wire_text(&wire, LAB_FRAME_HEADER, json);
	free(json);
	result_free(r);
}

static void send_reports(const struct job *job)
{
	const uint32_t events = job->params.events;

	for (uint32_t boot = 0; boot < job->boots; boot++) {
		struct boot_report rep;
		uint8_t *block;
		size_t bytes;

		boot_report_init(&rep);
		rep.outcome = BOOT_DONE;
		for (int phase = 0; phase < ABI_PHASES; phase++) {
			if (phase != ABI_PHASE_EVENT && phase != ABI_PHASE_NULL)
				continue;
			rep.guest.samples[phase] = events;
			rep.series[phase] = calloc(events, sizeof(uint64_t));
			for (uint32_t i = 0; i < events; i++)
				rep.series[phase][i] =
					phase == ABI_PHASE_EVENT ? 1010 : 10;
		}
		if (boot_report_encode(&rep, &block, &bytes))
			abort();
		lab_wire_send(&wire, LAB_FRAME_REPORT, block, bytes);
		free(block);
		boot_report_free(&rep);
	}
}

static const struct job *read_job(const uint8_t block[JOB_BYTES])
{
	static struct job_decoded decoded;

	if (job_decode(block, &decoded))
		abort();
	return &decoded.job;
}

static const char *mode_of_job(const struct job *job)
{
	return mode_of(job->kind == JOB_DESCRIBE ? "describe"
		       : job->n_benches		 ? job->benches[0]
						 : "none");
}

static void answer_job(void)
{
	static uint8_t block[JOB_BYTES];
	const struct job *job;
	const char *mode;

	// NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): it has been mapped
	memcpy(block, shared.memory + LAB_SHARED_JOB, sizeof(block));
	job = read_job(block);
	mode = mode_of_job(job);
	wire.ended = false;
	if (*mode && strcmp(mode, "no-end") != 0)
		misbehave(mode);
	lab_wire_number(&wire, LAB_FRAME_HELLO, LAB_WIRE_VERSION);
	if (job->kind == JOB_DESCRIBE)
		describe();
	else
		send_reports(job);
	if (!strcmp(mode, "no-end"))
		forever();
	lab_wire_number(&wire, LAB_FRAME_END, 0);
	/* It waits for the next job, which is the first one after the warm-up. */
	reply("{\"event\": \"STOP\"}\n");
}

/* One command of QMP, and the descriptor with it (-1: none). */
static void receive(char *line, size_t room, int *fd)
{
	char rights[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { line, room - 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = rights,
		.msg_controllen = sizeof(rights),
	};
	ssize_t n = recvmsg(LAB_FD_CONTROL, &msg, 0);
	const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (n <= 0)
		exit(0);
	line[n] = '\0';
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
}

/* A list of memory blocks with the wire, and nothing else. */
static void save_machine(int fd)
{
	static const char stream[4096] = "QEVM\5/wire\0\0\0\0\4";

	if (write(fd, stream, sizeof(stream)) != sizeof(stream))
		abort();
}

/* A clone of the Bochs: its wire is a file that grows. */
static void run_clone(const struct job *job, int wire_fd) __attribute__((noreturn));
static void run_clone(const struct job *job, int wire_fd)
{
	size_t bytes;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	lab_wire_number(&wire, LAB_FRAME_HELLO, LAB_WIRE_VERSION);
	if (job->kind == JOB_DESCRIBE)
		describe();
	else
		send_reports(job);
	lab_wire_number(&wire, LAB_FRAME_END, 0);
	bytes = (size_t)lab_shared_written(&shared);
	if (write(wire_fd, lab_shared_data(&shared), bytes) != (ssize_t)bytes)
		abort();
	for (;;)
		pause();
}

static int32_t serve(const struct clone_request *request, const int fds[CLONE_FDS])
{
	const struct job *job;
	int status = 0;
	pid_t pid;

	if (request->op == CLONE_SAVE)
		return -EOPNOTSUPP;
	if (request->op == CLONE_END) {
		kill(request->pid, SIGKILL);
		waitpid(request->pid, &status, 0);
		return status;
	}
	job = read_job(request->job);
	if (!strcmp(mode_of_job(job), "dies"))
		exit(1);
	while (!strcmp(mode_of_job(job), "deaf"))
		pause();
	pid = fork();
	if (!pid)
		run_clone(job, fds[CLONE_FD_WIRE]);
	return pid;
}

static int be_bochs(void)
{
	const char *boots = getenv("BOOTS");
	struct clone_request request;
	struct clone_reply reply = { 0 };
	FILE *list = boots ? fopen(boots, "a") : NULL;

	if (!list || fputs("a boot\n", list) < 0 || fclose(list))
		return 1;
	shared.memory = calloc(1, LAB_SHARED_BYTES);
	shared.bytes = LAB_SHARED_BYTES;
	while (shared.memory &&
	       send(LAB_FD_CONTROL, &reply, sizeof(reply), MSG_NOSIGNAL) > 0) {
		char rights[CMSG_SPACE(sizeof(int) * CLONE_FDS)];
		int fds[CLONE_FDS];
		struct iovec iov = { &request, sizeof(request) };
		struct msghdr msg = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = rights,
			.msg_controllen = sizeof(rights),
		};

		if (recvmsg(LAB_FD_CONTROL, &msg, 0) != sizeof(request) ||
		    !clone_take_fds(&request, &msg, fds))
			break;
		reply.value = serve(&request, fds);
		/* The clone's: their ends are the end of the clone. */
		for (int i = 0; i < CLONE_FDS; i++)
			if (fds[i] >= 0)
				close(fds[i]);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static char line[4096];
	const char *name = strrchr(argv[0], '/');
	bool clone = false;
	int fd = -1;

	if (!strncmp(name ? name + 1 : argv[0], "bochs", 5))
		return be_bochs();
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--version")) {
			puts("QEMU emulator version 7.2.22 (a stand-in)");
			return 0;
		}
		clone |= !strcmp(argv[i], "-incoming");
	}
	signal(SIGPIPE, SIG_DFL);
	shared.memory = mmap(NULL, LAB_SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			     LAB_FD_WIRE, 0);
	shared.bytes = LAB_SHARED_BYTES;
	if (shared.memory == MAP_FAILED)
		return 1;
	for (;;) {
		receive(line, sizeof(line), &fd);
		if (!strcmp(mode_of(clone ? "clone" : "boot"), "deaf"))
			forever();
		/* An event without an end, and one line after the other. */
		while (!strcmp(mode_of(clone ? "clone" : "boot"), "talk"))
			reply("{\"event\": \"NICE\"}\n");
		if (strstr(line, "query-version"))
			reply("{\"return\": {\"qemu\": {\"major\": 7, \"minor\": 2}}}\n");
		else if (strstr(line, "query-status"))
			reply("{\"return\": {\"status\": \"paused\"}}\n");
		else if (strstr(line, "query-migrate"))
			reply("{\"return\": {\"status\": \"completed\"}}\n");
		else
			reply("{\"return\": {}}\n");
		if (strstr(line, "query-cpus-fast"))
			reply("{\"event\": \"STOP\"}\n");
		if (strstr(line, "\"migrate\""))
			save_machine(fd);
		if (strstr(line, "\"cont\""))
			answer_job();
	}
}
