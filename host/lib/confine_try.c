/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a confined process has, tried in a child: see confine.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/lib/confine.h"

/* The parts of enum confine_part, in the order of confine_lacks(). */
static const struct {
	enum confine_part part;
	const char *name;
} parts[] = {
	{ CONFINE_NO_NEW_PRIVS, "no new privileges" },
	{ CONFINE_CAPABILITIES, "no capabilities" },
	{ CONFINE_USER, "not root" },
	{ CONFINE_FILES, "files" },
	{ CONFINE_SIGNALS, "signals" },
	{ CONFINE_CALLS, "system calls" },
	{ CONFINE_NETWORK, "network" },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

/* In a child: confines it, says so, and waits for the end. */
static void be_confined(const struct confine *c, const struct confine_file *files,
			size_t n, int socket)
{
	int folder = c->by_folder
			     ? fcntl(c->folder, F_DUPFD_CLOEXEC, CONFINE_FD_FOLDER + 1)
			     : -1;
	unsigned int done;

	for (size_t i = 0; i < n; i++) {
		int fd = files[i].path ? open(files[i].path, O_RDONLY | O_CLOEXEC) : -1;

		if (fd >= 0 && dup2(fd, files[i].number) < 0)
			_exit(1);
	}
	confine_place_folder(c, folder);
	done = confine_enter(c, NULL, 0);
	if (write(socket, &done, sizeof(done)) == sizeof(done))
		(void)!read(socket, &done, 1);
	_exit(0);
}

/* Calls `parse` with each line of a file of /proc/PID. 0 or a negative errno. */
static int read_lines(pid_t pid, const char *name, struct confine_state *s,
		      void (*parse)(const char *line, struct confine_state *s))
{
	char path[32], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		parse(line, s);
	fclose(f);
	return 0;
}

static void parse_status(const char *line, struct confine_state *s)
{
	unsigned long value;

	if (sscanf(line, "Uid: %*u %lu", &value) == 1)
		s->uid = (uid_t)value;
	else if (sscanf(line, "CapEff: %lx", &value) == 1)
		s->capabilities = value;
	else if (sscanf(line, "Seccomp: %lu", &value) == 1)
		s->seccomp = (unsigned int)value;
}

/* Not prlimit(), which some containers deny to root. */
static void parse_limit(const char *line, struct confine_state *s)
{
	unsigned long value;

	if (sscanf(line, "Max core file size %lu", &value) == 1)
		s->core_bytes = value;
	else if (sscanf(line, "Max address space %lu", &value) == 1)
		s->memory_bytes = value;
	else if (sscanf(line, "Max file size %lu", &value) == 1)
		s->file_bytes = value;
}

static int read_state(pid_t pid, struct confine_state *s)
{
	int ret = read_lines(pid, "status", s, parse_status);

	s->core_bytes = s->memory_bytes = s->file_bytes = UINT64_MAX;
	if (!ret)
		ret = read_lines(pid, "limits", s, parse_limit);
	if (s->parts & CONFINE_FILES)
		s->landlock = confine_landlock();
	return ret;
}

int confine_try(const struct confine *c, const struct confine_file *files, size_t n,
		struct confine_state *state)
{
	int sockets[2], ret = -ECHILD;
	pid_t pid;

	*state = (struct confine_state){ .parts = 0 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	pid = fork();
	if (!pid) {
		/* Beyond the numbers of the files. */
		int socket = fcntl(sockets[1], F_DUPFD_CLOEXEC, CONFINE_FD_FOLDER + 32);

		close(sockets[0]);
		close(sockets[1]);
		be_confined(c, files, n, socket);
	}
	close(sockets[1]);
	if (pid > 0 && recv(sockets[0], &state->parts, sizeof(state->parts),
			    MSG_WAITALL) == sizeof(state->parts))
		ret = read_state(pid, state);
	close(sockets[0]);
	/* Another process that was forked meanwhile may have the socket. */
	if (pid > 0)
		kill(pid, SIGKILL);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return ret;
}

bool confine_stays_root(const struct confine_state *state)
{
	return state->parts && !(state->parts & CONFINE_USER);
}

void confine_lacking(unsigned int done, char *text, size_t bytes)
{
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < PARTS; i++) {
		if (done & parts[i].part)
			continue;
		used += (size_t)snprintf(text + used, bytes - used, "%s%s",
					 used ? ", " : "", parts[i].name);
		if (used >= bytes)
			used = bytes - 1;
	}
}

void confine_lacks(char *text, size_t bytes)
{
	struct confine_state vmm = { .parts = 0 }, emulator = { .parts = 0 };
	struct confine c;

	if (!confine_vmm(&c, false)) {
		confine_try(&c, NULL, 0, &vmm);
		confine_free(&c);
	}
	if (!confine_emulator(&c, "/proc/self/exe", false, NULL)) {
		confine_try(&c, NULL, 0, &emulator);
		confine_free(&c);
	}
	confine_lacking(vmm.parts & emulator.parts, text, bytes);
}
