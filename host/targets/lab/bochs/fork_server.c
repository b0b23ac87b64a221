/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fork server inside Bochs, loaded with LD_PRELOAD.
 *
 * Bochs has one thread and keeps its machine in its own memory: a fork of the process is
 * an exact copy of the machine, whatever state it is in. When the machine writes
 * LAB_PORT_READY to its parallel port, which Bochs forwards with fputc(), the process
 * stops inside that call and forks once per request. A fork gets descriptors of its own
 * in place of those that all forks have inherited, and the job in the page that the
 * machine has prepared for it; then fputc() returns, and the machine goes on until it
 * writes LAB_PORT_END.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/targets/lab/bochs/image.h"
#include "host/targets/lab/fork_protocol.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/wire.h"

/* Open descriptors are below this. */
#define FDS_MAX 1024

static void reply(int32_t value)
{
	const struct clone_reply r = { value };

	if (send(LAB_FD_CONTROL, &r, sizeof(r), MSG_NOSIGNAL) != sizeof(r))
		_exit(EXIT_FAILURE); /* wsbench is gone */
}

/* Whether `page` is filled with LAB_PORT_PAGE_MARK, as lab_port_wait() does it. */
static bool is_job_page(const uint8_t *page)
{
	static const char mark[] = LAB_PORT_PAGE_MARK;

	for (size_t i = 0; i < LAB_PORT_PAGE_BYTES; i++)
		if (page[i] != (uint8_t)mark[i % sizeof(mark)])
			return false;
	return true;
}

/* The page in the machine's memory, which is part of this process'; NULL: none. */
static uint8_t *find_job_page(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uint8_t *found = NULL;
	char line[512];

	while (maps && !found && fgets(line, sizeof(line), maps)) {
		unsigned long begin, end;
		char access[5];

		if (sscanf(line, "%lx-%lx %4s", &begin, &end, access) != 3 ||
		    strncmp(access, "rw", 2))
			continue;
		for (; begin + LAB_PORT_PAGE_BYTES <= end && !found;
		     begin += LAB_PORT_PAGE_BYTES)
			if (is_job_page((const uint8_t *)begin))
				found = (uint8_t *)begin;
	}
	if (maps)
		fclose(maps);
	return found;
}

/* Puts `fresh` in place of every descriptor of the file that `old` is one of. */
static void replace_file(int old, int fresh)
{
	struct stat wanted, st;

	if (fstat(old, &wanted))
		return;
	for (int fd = 0; fd < FDS_MAX; fd++)
		if (fd != fresh && !fstat(fd, &st) && st.st_dev == wanted.st_dev &&
		    st.st_ino == wanted.st_ino)
			dup2(fresh, fd);
	close(fresh);
}

/* Only a Bochs of emulator.sh has the function, and wsbench asks no other to record. */
static void trace(int fd)
{
	int (*start)(int fd) = (int (*)(int))dlsym(RTLD_DEFAULT, CLONE_TRACE_FUNCTION);
	int ret = start ? start(fd) : -ENOSYS;

	if (ret) {
		fprintf(stderr, "cannot record instructions: %s\n", strerror(-ret));
		_exit(EXIT_FAILURE);
	}
	close(fd);
}

static void become_clone(uint8_t *page, const struct clone_request *request,
			 const int fds[CLONE_FDS], pid_t parent)
{
	if (!page || prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(EXIT_FAILURE);
	close(LAB_FD_CONTROL);
	replace_file(LAB_FD_WIRE, fds[CLONE_FD_WIRE]);
	replace_file(LAB_FD_CONSOLE, fds[CLONE_FD_CONSOLE]);
	replace_file(STDERR_FILENO, fds[CLONE_FD_MESSAGES]);
	memcpy(page, request->job, sizeof(request->job));
	if (fds[CLONE_FD_TRACE] >= 0)
		trace(fds[CLONE_FD_TRACE]);
}

/* 0, or -1 once wsbench has closed its end. */
static int receive(struct clone_request *request, int fds[CLONE_FDS])
{
	char control[CMSG_SPACE(sizeof(int) * CLONE_FDS)];
	struct iovec iov = { request, sizeof(*request) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	do
		n = recvmsg(LAB_FD_CONTROL, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	return n == sizeof(*request) && clone_take_fds(request, &msg, fds) ? 0 : -1;
}

/* Returns in each clone; the server itself ends with wsbench. */
static void serve(void)
{
	/* Static: a server that continues from an image has them, too. */
	static struct clone_request request;
	static uint8_t *page;
	static pid_t parent;
	static int fds[CLONE_FDS], ret;
	pid_t pid;

	page = find_job_page();
	parent = getpid();
	reply(page ? 0 : -ENXIO);
	while (!receive(&request, fds)) {
		if (request.op == CLONE_SAVE) {
			ret = clone_image_save(fds[CLONE_FD_IMAGE]);
			if (ret > 0)
				parent = getpid();
			else
				close(fds[CLONE_FD_IMAGE]);
			reply(ret > 0 ? 0 : ret);
			continue;
		}
		if (request.op == CLONE_END) {
			reply(clone_end(request.pid));
			continue;
		}
		fflush(NULL);
		pid = fork();
		if (!pid) {
			become_clone(page, &request, fds, parent);
			return;
		}
		for (int i = 0; i < CLONE_FDS; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		reply(pid < 0 ? -errno : pid);
	}
	_exit(EXIT_SUCCESS);
}

/* Before Bochs begins: this library's constructor is called first. */
static void __attribute__((constructor)) begin(void)
{
	clone_image_restore();
}

/* Whether `c` is the last byte of `text`, of which `*matched` bytes came before it. */
static bool completes(const char *text, int c, size_t *matched)
{
	*matched = (uint8_t)c == (uint8_t)text[*matched] ? *matched + 1
		   : (uint8_t)c == (uint8_t)text[0]	 ? 1
							 : 0;
	if (text[*matched])
		return false;
	*matched = 0;
	return true;
}

/*
 * Bochs opens the console's file at its first character, perhaps in a clone, and by a
 * name: of a pipe whose reader is another user, it may not.
 */
FILE *fopen64(const char *path, const char *mode)
{
	static FILE *(*next)(const char *path, const char *mode);
	int fd;

	if (!strcmp(path, LAB_CONSOLE_PATH)) {
		fd = fcntl(LAB_FD_CONSOLE, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? NULL : fdopen(fd, mode);
	}
	if (!next)
		next = (FILE * (*)(const char *, const char *))
			dlsym(RTLD_NEXT, "fopen64");
	return next(path, mode);
}

int fputc(int c, FILE *f)
{
	static int (*next)(int c, FILE *f);
	static size_t ready, end;
	static bool is_clone;
	int ret;

	if (!next)
		next = (int (*)(int, FILE *))dlsym(RTLD_NEXT, "fputc");
	ret = next(c, f);
	if (completes(LAB_PORT_READY, c, &ready)) {
		fflush(f);
		serve();
		is_clone = true;
	} else if (completes(LAB_PORT_END, c, &end) && is_clone) {
		fflush(NULL);
		_exit(EXIT_SUCCESS);
	}
	return ret;
}
