/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QMP: commands to QEMU, and their answers. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/targets/lab/emulator.h"
#include "host/targets/lab/qemu.h"

int qmp_line(const struct lab_child *child, const struct lab_limit *limit,
	     char line[QMP_LINE_BYTES])
{
	struct pollfd fd = { .fd = child->control, .events = POLLIN };
	size_t n = 0;
	char c;

	for (;;) {
		ssize_t got = recv(child->control, &c, 1, MSG_DONTWAIT);
		int ret = lab_limit_check(limit);

		if (!got || (got < 0 && errno != EAGAIN && errno != EINTR))
			return -EPIPE;
		if (ret)
			return ret;
		if (got < 0) {
			poll(&fd, 1, 100);
			continue;
		}
		if (c == '\n')
			break;
		if (n < QMP_LINE_BYTES - 1)
			line[n++] = c;
	}
	line[n] = '\0';
	return 0;
}

/* The number behind `key`; -1: none. */
static int qmp_number(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? atoi(at + strlen(key)) : -1;
}

/* "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)", as QEMU --version prints it. */
static void read_version(const char *greeting, char version[LAB_VERSION_BYTES])
{
	static const char key[] = "\"package\": \"";
	const int major = qmp_number(greeting, "\"major\": ");
	const int minor = qmp_number(greeting, "\"minor\": ");
	const int micro = qmp_number(greeting, "\"micro\": ");
	const char *package = strstr(greeting, key);
	int n;

	version[0] = '\0';
	if (major < 0 || minor < 0 || micro < 0 || !package)
		return;
	package += strlen(key);
	n = (int)strcspn(package, "\"\\");
	snprintf(version, LAB_VERSION_BYTES, "QEMU emulator version %d.%d.%d%s%.*s%s",
		 major, minor, micro, n ? " (" : "", n, package, n ? ")" : "");
}

/* The line that answers a command. `version`: that of a greeting before it; NULL. */
static int receive_answer(const struct lab_child *child, char answer[QMP_LINE_BYTES],
			  char *version)
{
	const struct lab_limit limit = lab_limit_begin(child);
	int ret;

	do {
		ret = qmp_line(child, &limit, answer);
		ret = ret ? ret : lab_limit_check(&limit);
		if (!ret && version && strstr(answer, "\"QMP\""))
			read_version(answer, version);
	} while (!ret && !strstr(answer, "\"return\"") && !strstr(answer, "\"error\""));
	return ret ? ret : strstr(answer, "\"error\"") ? -EPROTO : 0;
}

int qmp_command(const struct lab_child *child, const char *command, int fd,
		char answer[QMP_LINE_BYTES])
{
	char rights[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { (char *)command, strlen(command) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = rights;
		msg.msg_controllen = sizeof(rights);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	if (sendmsg(child->control, &msg, MSG_NOSIGNAL) != (ssize_t)iov.iov_len)
		return -EPIPE;
	return receive_answer(child, answer, NULL);
}

/* Appends `label` and the value of the register `name`, NAME=VALUE, if `line` has it. */
static bool add_register(char *text, size_t room, const char *line, const char *name,
			 const char *label)
{
	const char *at = strstr(line, name);
	const size_t used = strlen(text);

	if (!at)
		return false;
	at += strlen(name);
	snprintf(text + used, room - used, "%s%s 0x%.*s", used ? ", " : "", label,
		 (int)strspn(at, "0123456789abcdef"), at);
	return true;
}

/* A sign of life that was asked for can be answered first. */
#define WHERE_LINES 4
#define WHERE_S	    5

bool qmp_where(const struct lab_child *child, char *text, size_t room)
{
	static const char command[] =
		"{\"execute\":\"human-monitor-command\","
		"\"arguments\":{\"command-line\":\"info registers\"}}";
	static const struct {
		const char *name, *label;
	} registers[] = { { "PC=", "pc" },
			  { "RIP=", "rip" },
			  { "X30=", "lr" },
			  { "PSTATE=", "pstate" },
			  { "RFL=", "rflags" } };
	struct lab_child own = *child;
	char line[QMP_LINE_BYTES] = "";
	struct lab_limit limit;
	bool known = false;

	own.answer_s = WHERE_S;
	limit = lab_limit_begin(&own);
	if (send(own.control, command, sizeof(command) - 1, MSG_NOSIGNAL) < 0)
		return false;
	*text = '\0';
	for (int n = 0; n < WHERE_LINES && !known; n++) {
		if (qmp_line(&own, &limit, line))
			return false;
		known = strstr(line, registers[0].name) ||
			strstr(line, registers[1].name);
	}
	for (size_t i = 0; known && i < sizeof(registers) / sizeof(registers[0]); i++)
		(void)add_register(text, room, line, registers[i].name,
				   registers[i].label);
	return known;
}

int qmp_begin(struct lab_child *child)
{
	static const char command[] = "{\"execute\":\"qmp_capabilities\"}";
	char line[QMP_LINE_BYTES];

	if (send(child->control, command, sizeof(command) - 1, MSG_NOSIGNAL) !=
	    sizeof(command) - 1)
		return -EPIPE;
	return receive_answer(child, line, child->version);
}

int qmp_ignore_shared(const struct lab_child *child)
{
	char line[QMP_LINE_BYTES];

	return qmp_command(child,
			   "{\"execute\":\"migrate-set-capabilities\","
			   "\"arguments\":{\"capabilities\":[{\"capability\":"
			   "\"x-ignore-shared\",\"state\":true}]}}",
			   -1, line);
}

/* The first release in which a URI names a file. */
#define QEMU_FILE_MAJOR 9

/*
 * Since QEMU 9 a URI names a file by a set of descriptors, whose access mode must be that
 * of the use; QEMU 11.1 refuses a file as a mere descriptor, which is all that older
 * releases have.
 */
int qmp_migrate(const struct lab_child *child, bool incoming, int file, off_t at)
{
	char line[QMP_LINE_BYTES] = "", command[128], path[40];
	int fd, ret;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	fd = open(path, (incoming ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* QEMU reads from where the descriptor is. */
	if (incoming && lseek(fd, at, SEEK_SET) < 0)
		ret = -errno;
	else
		ret = qmp_command(child, "{\"execute\":\"query-version\"}", -1, line);
	if (!ret && qmp_number(line, "\"major\": ") >= QEMU_FILE_MAJOR) {
		ret = qmp_command(child,
				  "{\"execute\":\"add-fd\","
				  "\"arguments\":{\"fdset-id\":2}}",
				  fd, line);
		snprintf(path, sizeof(path), "file:/dev/fdset/2");
	} else if (!ret) {
		ret = qmp_command(child,
				  "{\"execute\":\"getfd\","
				  "\"arguments\":{\"fdname\":\"snapshot\"}}",
				  fd, line);
		snprintf(path, sizeof(path), "fd:snapshot");
	}
	close(fd);
	snprintf(command, sizeof(command),
		 "{\"execute\":\"%s\",\"arguments\":{\"uri\":\"%s\"}}",
		 incoming ? "migrate-incoming" : "migrate", path);
	return ret ? ret : qmp_command(child, command, -1, line);
}
