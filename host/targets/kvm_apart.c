/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VMM of target `kvm` as a process of its own: see kvm.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/lib/confine.h"
#include "host/lib/process.h"
#include "host/lib/text.h"
#include "host/targets/target.h"
#include "host/targets/kvm.h"
#include "host/vmm/timer.h"
#include "host/vmm/traps.h"

/* A VMM that does not answer has this long beyond the time after which its own watchdog
 * ends any boot. */
#define GRACE_S 60

/*
 * The interval at which the time and `interrupted` are checked while a guest runs. A
 * signal interrupts poll() at once, unless it arrives just before; more checks would
 * disturb a vCPU on the same CPU.
 */
#define CHECK_MS 1000

/*
 * Both ends are one program at one address, so that pointers to the tables are valid in
 * both. The image follows.
 */
struct request {
	struct boot_request rq;
	size_t image_bytes;
};

struct answer {
	int rc;
	struct error err;
	size_t report_bytes; /* which follow; 0 after an error */
};

#define REPORT_BYTES_MAX                                                                 \
	((size_t)ABI_PHASES * (ABI_SERIES_MAX + 1) * sizeof(uint64_t) + 65536)

static bool put(int fd, const void *data, size_t bytes)
{
	const uint8_t *at = data;

	while (bytes) {
		ssize_t n = send(fd, at, bytes, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		bytes -= (size_t)n;
	}
	return true;
}

static bool get(int fd, void *data, size_t bytes)
{
	uint8_t *at = data;

	while (bytes) {
		ssize_t n = recv(fd, at, bytes, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		bytes -= (size_t)n;
	}
	return true;
}

/* One boot in the VMM. False: wsbench is gone. */
static bool serve(int fd, kvm_apart_boot *boot, struct target *t)
{
	struct boot_report rep = { .outcome = BOOT_SKIP };
	struct answer answer = { .rc = 0 };
	struct request request;
	uint8_t *block = NULL;
	void *image;
	bool ok;

	if (!get(fd, &request, sizeof(request)))
		return false;
	image = malloc(request.image_bytes + 1);
	if (!image)
		return false;
	ok = get(fd, image, request.image_bytes);
	if (ok) {
		request.rq.image = image;
		request.rq.image_bytes = request.image_bytes;
		interrupted = 0;
		answer.rc = boot(t, &request.rq, &rep, &answer.err);
		if (!answer.rc)
			answer.rc =
				boot_report_encode(&rep, &block, &answer.report_bytes);
		ok = put(fd, &answer, sizeof(answer)) &&
		     (!block || put(fd, block, answer.report_bytes));
	}
	boot_report_free(&rep);
	free(block);
	free(image);
	return ok;
}

/* Only stderr, the socket and KVM stay open. */
static bool keep_descriptors(int *socket, int kvm_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int high_socket = fcntl(*socket, F_DUPFD_CLOEXEC, 10);

	if (null < 0 || high_socket < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0)
		return false;
	/* kvm_fd keeps its number, which the target has stored. */
	*socket = kvm_fd == 3 ? 4 : 3;
	if (dup3(high_socket, *socket, O_CLOEXEC) < 0)
		return false;
	for (int fd = 3; fd < kvm_fd; fd++)
		if (fd != *socket)
			close(fd);
	process_close(kvm_fd > *socket ? kvm_fd + 1 : *socket + 1, UINT_MAX, false);
	return true;
}

/* 0 or -ENOMEM. */
static int prepare_vmm(struct confine *c)
{
	/* The device of host/kmod is root's, and needs CAP_SYS_ADMIN. */
	const bool device = !access(PASSTHROUGH_DEVICE, F_OK);
	int ret = confine_vmm(c, device);

	if (!ret && device)
		c->needs[0] = PASSTHROUGH_DEVICE;
	return ret;
}

int kvm_apart_try(struct confine_state *state)
{
	struct confine c;
	int ret = prepare_vmm(&c);

	if (ret)
		return ret;
	ret = confine_try(&c, NULL, 0, state);
	confine_free(&c);
	return ret;
}

/* In the child: returns the number of the socket. */
static int become_vmm(int socket, int kvm_fd, pid_t parent)
{
	struct confine c;

	if (!keep_descriptors(&socket, kvm_fd) || prepare_vmm(&c))
		_exit(EXIT_FAILURE);
	confine_enter(&c, NULL, 0);
	confine_free(&c);
	/* After the change of the user, which clears the request. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(EXIT_FAILURE);
	return socket;
}

void kvm_apart_init(struct kvm_apart *a)
{
	*a = (struct kvm_apart){ .socket = -1 };
}

/* As fork(): in the child, which is confined, 0 and *socket is its end; else a->socket is
 * the other one. A negative errno. */
static int start(struct kvm_apart *a, int kvm_fd, time_t silence_s, int *socket)
{
	const struct timeval limit = { .tv_sec = silence_s };
	pid_t parent = getpid();
	int sockets[2], ret;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	fflush(NULL);
	a->pid = fork();
	ret = a->pid < 0 ? -errno : a->pid;
	if (!ret) {
		*socket = become_vmm(sockets[1], kvm_fd, parent);
		return 0;
	}
	close(sockets[1]);
	a->socket = sockets[0];
	setsockopt(a->socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(a->socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (ret > 0)
		return ret;
	close(a->socket);
	kvm_apart_init(a);
	return ret;
}

static int start_boots(struct kvm_apart *a, kvm_apart_boot *boot, int kvm_fd,
		       struct target *t)
{
	int socket = -1, ret = start(a, kvm_fd, GRACE_S, &socket);

	if (ret)
		return ret < 0 ? ret : 0;
	while (serve(socket, boot, t))
		;
	_exit(EXIT_SUCCESS);
}

void kvm_apart_stop(struct kvm_apart *a)
{
	if (a->pid > 0) {
		kill(a->pid, SIGKILL);
		while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (a->socket >= 0)
		close(a->socket);
	kvm_apart_init(a);
}

static time_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

time_t kvm_apart_limit_s(const struct boot_request *rq)
{
	return (time_t)(PROCESS_WALL * (boot_limit_ns(rq) / 1e9)) + GRACE_S;
}

/* Until the VMM answers or ends. A signal to this process alone is passed on. 0 or
 * -errno. */
static int wait_for_answer(struct kvm_apart *a, const struct boot_request *rq)
{
	struct pollfd fd = { .fd = a->socket, .events = POLLIN };
	const time_t limit = kvm_apart_limit_s(rq);
	time_t begin = now_s();
	bool passed_on = false;

	while (poll(&fd, 1, CHECK_MS) <= 0) {
		if (interrupted && !passed_on) {
			passed_on = true;
			kill(a->pid, interrupted);
			begin = now_s();
		}
		if (passed_on && now_s() - begin > GRACE_S)
			return -EINTR;
		if (rq->timeout_ns && now_s() - begin > limit)
			return -ETIMEDOUT;
	}
	return 0;
}

/* Ends the process, with the reason in `err`: rc, or how it has ended, which is not an
 * error if it `may_end`. */
static int end(struct kvm_apart *a, int rc, bool may_end, struct error *err)
{
	int status = 0;

	if (rc == -EINTR || interrupted) {
		kvm_apart_stop(a);
		return error_set(err, -EINTR, "interrupted");
	}
	/* The status of a process that has ended stays. */
	kill(a->pid, SIGKILL);
	if (rc == -ETIMEDOUT || rc == -EBADMSG || waitpid(a->pid, &status, 0) != a->pid) {
		kvm_apart_stop(a);
		return error_set(err, -EIO, "the VMM %s",
				 rc == -EBADMSG ? "sent a damaged report"
						: "does not answer");
	}
	a->pid = 0;
	kvm_apart_stop(a);
	if (!status && may_end)
		return 0;
	if (WIFSIGNALED(status))
		return error_set(err, -EIO, "the VMM was killed by signal %d (%s)",
				 WTERMSIG(status), strsignal(WTERMSIG(status)));
	return error_set(err, -EIO, "the VMM ended with status %d", WEXITSTATUS(status));
}

static int lost(struct kvm_apart *a, int rc, struct error *err)
{
	return end(a, rc, false, err);
}

int kvm_apart_run(struct kvm_apart *a, kvm_apart_boot *boot, int kvm_fd, struct target *t,
		  const struct boot_request *rq, struct boot_report *rep,
		  struct error *err)
{
	const struct request request = { .rq = *rq, .image_bytes = rq->image_bytes };
	struct answer answer;
	uint8_t *block;
	int rc;

	boot_report_init(rep);
	rc = a->pid ? 0 : start_boots(a, boot, kvm_fd, t);
	if (rc)
		return error_set(err, rc, "cannot start the VMM: %s", strerror(-rc));
	if (!put(a->socket, &request, sizeof(request)) ||
	    !put(a->socket, rq->image, rq->image_bytes))
		return lost(a, -EPIPE, err);
	rc = wait_for_answer(a, rq);
	if (rc || !get(a->socket, &answer, sizeof(answer)))
		return lost(a, rc, err);
	if (answer.report_bytes > REPORT_BYTES_MAX || answer.rc > 0)
		return lost(a, -EBADMSG, err);
	if (answer.rc) {
		answer.err.text[sizeof(answer.err.text) - 1] = '\0';
		return error_set(err, answer.rc, "%s", answer.err.text);
	}
	block = malloc(answer.report_bytes + 1);
	if (!block)
		return error_set(err, -ENOMEM, "out of memory");
	if (get(a->socket, block, answer.report_bytes))
		rc = boot_report_decode(block, answer.report_bytes, rep);
	else
		rc = -EPIPE;
	free(block);
	return rc ? lost(a, rc, err) : 0;
}

/* The guest of a test has 30 s (selftest_budget()), and a test has up to ten guests. */
#define LINE_SILENCE_S 600
#define LINE_BYTES     1024
#define LINES_MAX      10000

static void send_text(void *ctx, const char *text)
{
	const int *socket = ctx;

	if (!put(*socket, text, strlen(text)) || !put(*socket, "\n", 1))
		_exit(EXIT_FAILURE);
}

int kvm_apart_tests(kvm_apart_lines *run, const void *what, int kvm_fd,
		    void (*line)(void *ctx, const char *text), void *ctx,
		    struct error *err)
{
	char text[LINE_BYTES];
	struct kvm_apart a;
	unsigned int n = 0;
	int socket = -1, ret;
	FILE *f;

	kvm_apart_init(&a);
	ret = start(&a, kvm_fd, LINE_SILENCE_S, &socket);
	if (!ret) {
		run(what, kvm_fd, send_text, &socket);
		_exit(EXIT_SUCCESS);
	}
	if (ret < 0)
		return error_set(err, ret, "cannot start the VMM: %s", strerror(-ret));
	f = fdopen(a.socket, "r");
	while (f && fgets(text, sizeof(text), f) && n++ < LINES_MAX) {
		text[strcspn(text, "\n")] = '\0';
		text_clean(text, sizeof(text));
		line(ctx, text);
	}
	ret = f && feof(f) ? 0 : f && ferror(f) ? -ETIMEDOUT : -EBADMSG;
	if (f) {
		a.socket = -1;
		fclose(f);
	}
	return end(&a, ret, true, err);
}
