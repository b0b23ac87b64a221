/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU: its command line, and machines that are saved and loaded over QMP. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/lib/process.h"
#include "host/lib/error.h"
#include "host/targets/bare.h"
#include "host/targets/lab/fork_protocol.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/initramfs.h"
#include "host/targets/lab/qemu.h"
#include "host/targets/lab/session.h"

/*
 * The console ends in a descriptor that the emulator inherits, as the initramfs and
 * the wire begin in one: no files, no ports, nothing that two runs could share.
 * (append: without it the emulator truncates, which a pipe refuses.)
 */
static const char *const fixed_args[] = {
	"-add-fd",  "fd=5,set=1",
	"-chardev", "file,id=console,path=/dev/fdset/1,append=on",
	"-serial",  "chardev:console",
	"-initrd",  "/proc/self/fd/3",
	"-chardev", "socket,id=control,fd=11",
	"-mon",	    "chardev=control,mode=control",
};

/*
 * A snapshot is a file: the machine's memory, then its migration stream, which has the
 * rest of its state. The machine that is saved maps the memory shared, and clones map it
 * privately: a clone copies only the pages that it writes.
 */
#define MEMORY_FORMAT                                                                    \
	"memory-backend-file,id=ram,size=%sM,mem-path=/proc/self/fd/7,share=%s"
#define MEMORY_ROOM (sizeof(MEMORY_FORMAT) + 8)

/* A clone waits for its state, and then for its job. */
static const char *const clone_args[] = { "-S", "-incoming", "defer" };

_Static_assert(LAB_FD_INITRD == 3 && LAB_FD_WIRE == 4 && LAB_FD_CONSOLE == 5 &&
		       LAB_FD_PLUGIN == 6 && LAB_FD_MEMORY == 7 && LAB_FD_CONTROL == 11,
	       "the descriptors are spelled out here");

#define FIXED_ARGS   (sizeof(fixed_args) / sizeof(fixed_args[0]))
#define CLONE_ARGS   (sizeof(clone_args) / sizeof(clone_args[0]))
#define SANDBOX_ARGS 2
/* BARE_QEMU_SANDBOX, with forks. Programs are executed only once in any case: confine.h.
 */
#define SERVER_SANDBOX                                                                   \
	"-sandbox", "on,obsolete=deny,elevateprivileges=deny,resourcecontrol=deny"
/* With program, memory, kernel, append, plugin and the end. */
#define ALL_ARGS (FIXED_ARGS + CLONE_ARGS + SANDBOX_ARGS + 10)

uint64_t qemu_memory_bytes(const struct lab_machine *m)
{
	return (uint64_t)atoi(lab_machine_memory_mib(m)) << 20;
}

char **lab_machine_argv(const struct lab_machine *m, const char *emulator,
			const char *kernel, const char *append, const char *plugin,
			unsigned int how)
{
	static const char *const sandbox_args[][SANDBOX_ARGS] = { { BARE_QEMU_SANDBOX },
								  { SERVER_SANDBOX } };
	const bool clone = how & LAB_ARGV_CLONE, forks = how & LAB_ARGV_FORKS;
	size_t flags = 0, n = 0, text_bytes, plugin_bytes;
	char **argv, *text, *memory;

	while (m->flags[flags])
		flags++;
	text_bytes = strlen(m->append) + strlen(lab_append_begin(m, append)) +
		     (append ? strlen(append) : 0) + 1;
	plugin_bytes = plugin ? strlen(plugin) + sizeof(",fd=6") : 0;
	argv = malloc((flags + ALL_ARGS) * sizeof(*argv) + text_bytes + plugin_bytes +
		      MEMORY_ROOM);
	if (!argv)
		return NULL;
	text = (char *)(argv + flags + ALL_ARGS);
	snprintf(text, text_bytes, "%s%s%s", m->append, lab_append_begin(m, append),
		 append ? append : "");
	lab_keep_initcalls(text);
	memory = text + text_bytes + plugin_bytes;
	snprintf(memory, MEMORY_ROOM, MEMORY_FORMAT, lab_machine_memory_mib(m),
		 clone && !(how & LAB_ARGV_KEEP) ? "off" : "on");

	argv[n++] = (char *)emulator;
	for (size_t i = 0; i < FIXED_ARGS; i++)
		argv[n++] = (char *)fixed_args[i];
	for (size_t i = 0; i < flags; i++)
		argv[n++] = (char *)m->flags[i];
	for (size_t i = 0; how & LAB_ARGV_SANDBOX && i < SANDBOX_ARGS; i++)
		argv[n++] = (char *)sandbox_args[forks][i];
	argv[n++] = (char *)"-object";
	argv[n++] = memory;
	for (size_t i = 0; clone && i < CLONE_ARGS; i++)
		argv[n++] = (char *)clone_args[i];
	argv[n++] = (char *)"-kernel";
	argv[n++] = (char *)kernel;
	argv[n++] = (char *)"-append";
	argv[n++] = text;
	if (plugin) {
		argv[n++] = (char *)"-plugin";
		argv[n++] = text + text_bytes;
		snprintf(text + text_bytes, plugin_bytes, "%s,fd=6", plugin);
	}
	argv[n] = NULL;
	return argv;
}

static int prepare_server(const struct lab_boot *boot, struct lab_command *cmd)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	cmd->server = ends[0];
	cmd->fds[LAB_FD_SERVER] = ends[1];
	cmd->fds[LAB_FD_LIBRARY] = open(boot->library, O_RDONLY | O_CLOEXEC);
	cmd->environment[0] = "LD_PRELOAD=" LAB_LIBRARY_PATH;
	cmd->environment[1] = CLONE_SERVER_VARIABLE "=1";
	return cmd->fds[LAB_FD_LIBRARY] < 0 ? -errno : 0;
}

static int qemu_command(const struct lab_machine *m, const struct lab_boot *boot,
			struct lab_command *cmd, struct error *err)
{
	/* The kernel of a clone is in its memory. On arm64 any file starts a machine. */
	static const uint8_t nothing[4096];
	const bool stub = boot->clone && m->arch == ARCH_AARCH64;

	lab_command_init(cmd);
	if (!boot->clone && ftruncate(boot->snapshot, (off_t)qemu_memory_bytes(m)))
		return error_set(err, -errno, "cannot make the memory of %s: %m",
				 m->program);
	cmd->argv = lab_machine_argv(m, boot->program,
				     stub ? "/proc/self/fd/3" : LAB_KERNEL_PATH,
				     boot->append, boot->plugin ? LAB_TRACER_PATH : NULL,
				     (boot->sandbox ? LAB_ARGV_SANDBOX : 0) |
					     (boot->clone ? LAB_ARGV_CLONE : 0) |
					     (boot->serve ? LAB_ARGV_FORKS : 0) |
					     (boot->keep ? LAB_ARGV_KEEP : 0));
	cmd->confine = boot->confine;
	cmd->answer_s = boot->silence_s ? boot->silence_s : LAB_SILENCE_S;
	cmd->deadline_s = boot->deadline_s;
	cmd->fds[LAB_FD_KERNEL] = open(boot->kernel, O_RDONLY | O_CLOEXEC);
	if (cmd->fds[LAB_FD_KERNEL] < 0)
		return error_set(err, -errno, "cannot read kernel %s: %m", boot->kernel);
	if (!boot->clone && m->arch == ARCH_AARCH64) {
		const int image = qemu_image_load(
			cmd->fds[LAB_FD_KERNEL], boot->snapshot, qemu_memory_bytes(m),
			boot->traces || (boot->append && lab_is_whole(boot->append)));

		if (image < 0)
			return error_set(err, image, "cannot load kernel %s: %s",
					 boot->kernel, strerror(-image));
		close(cmd->fds[LAB_FD_KERNEL]);
		cmd->fds[LAB_FD_KERNEL] = image;
	}
	cmd->fds[LAB_FD_INITRD] =
		stub ? lab_memory_file("worldswitch-stub", nothing, sizeof(nothing))
		     : fcntl(boot->initramfs, F_DUPFD_CLOEXEC, 0);
	cmd->fds[LAB_FD_MEMORY] = fcntl(boot->snapshot, F_DUPFD_CLOEXEC, 0);
	if (boot->plugin) {
		cmd->fds[LAB_FD_PLUGIN] = fcntl(boot->trace_fd, F_DUPFD_CLOEXEC, 0);
		cmd->fds[LAB_FD_TRACER] = open(boot->plugin, O_RDONLY | O_CLOEXEC);
		if (cmd->fds[LAB_FD_TRACER] < 0)
			return error_set(err, -errno, "cannot read plugin %s: %m",
					 boot->plugin);
	}
	if (boot->serve) {
		const int ret = prepare_server(boot, cmd);

		if (ret)
			return error_set(err, ret, "cannot start a fork server: %s",
					 strerror(-ret));
	}
	if (!cmd->argv || cmd->fds[LAB_FD_INITRD] < 0 || cmd->fds[LAB_FD_MEMORY] < 0 ||
	    (boot->plugin && cmd->fds[LAB_FD_PLUGIN] < 0))
		return error_set(err, -ENOMEM, "cannot start %s: out of memory",
				 m->program);
	return 0;
}

/*
 * Makes the main thread faster than the CPU's: a machine that stops itself is then
 * stopped before its CPU counts as idle (see lab_shared_wait()). Both threads share a
 * processor, where the main thread preempts the CPU's as soon as it wakes up (sched(7)):
 * by a real-time priority, or, without the right to one, because the CPU's thread is idle
 * priority. Idle priority makes a boot slow on a busy host.
 */
void qemu_prefer_main(pid_t main_thread, pid_t cpu_thread)
{
	const struct sched_param fifo = { .sched_priority = 1 }, idle = { 0 };
	int cpu = sched_getcpu();
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu < 0 ? 0 : cpu, &one);
	(void)sched_setaffinity(main_thread, sizeof(one), &one);
	(void)sched_setaffinity(cpu_thread, sizeof(one), &one);
	if (sched_setscheduler(main_thread, SCHED_FIFO | SCHED_RESET_ON_FORK, &fifo))
		(void)sched_setscheduler(cpu_thread, SCHED_IDLE, &idle);
}

void qemu_prefer_none(pid_t thread, const cpu_set_t *cpus)
{
	const struct sched_param none = { 0 };

	(void)sched_setaffinity(thread, sizeof(*cpus), cpus);
	(void)sched_setscheduler(thread, SCHED_OTHER, &none);
}

/* QEMU could name a thread of any process, which root may change. */
static bool is_thread_of(pid_t process, pid_t thread)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)process, (int)thread);
	return thread > 0 && !access(path, F_OK);
}

pid_t qemu_cpu_thread(const struct lab_child *child)
{
	static const char key[] = "\"thread-id\": ";
	char line[QMP_LINE_BYTES];
	const char *id = qmp_command(child, "{\"execute\":\"query-cpus-fast\"}", -1, line)
				 ? NULL
				 : strstr(line, key);
	const pid_t thread = id ? atoi(id + strlen(key)) : 0;

	return is_thread_of(child->process.pid, thread) ? thread : 0;
}

static int qemu_begin(struct lab_child *child)
{
	int ret = qmp_begin(child);
	pid_t thread = ret ? 0 : qemu_cpu_thread(child);

	if (thread)
		qemu_prefer_main(child->process.pid, thread);
	return ret;
}

static int qemu_is_ready(const struct lab_child *child)
{
	const struct lab_limit limit = lab_limit_begin(child);
	char line[QMP_LINE_BYTES];
	int ret = qmp_line(child, &limit, line);

	return ret ? ret : strstr(line, "\"STOP\"") != NULL;
}

/* The main thread answers, between two turns of the CPU's. */
static int qemu_ask(int control)
{
	static const char command[] = "{\"execute\":\"query-status\"}";

	return send(control, command, sizeof(command) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) ==
			       sizeof(command) - 1
		       ? 0
		       : -EPIPE;
}

/* Events before the answer, and a part of a line, are not the answer. */
static bool qemu_has_answered(int control)
{
	char text[QMP_LINE_BYTES];
	ssize_t n = recv(control, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return strstr(text, "\"return\"") != NULL;
}

static const struct timespec moment = { .tv_nsec = 2000000 };

/* Completes the snapshot, which does not change any more, by what follows its memory. */
static int append_stream(int snapshot, off_t at, int stream)
{
	struct stat st;
	size_t bytes, done = 0;
	uint8_t *p;
	int ret;

	if (fstat(stream, &st))
		return -errno;
	bytes = (size_t)st.st_size;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, stream, 0);
	if (p == MAP_FAILED)
		return -errno;
	ret = qemu_stream_trim(p, &bytes);
	while (!ret && done < bytes) {
		ssize_t n = pwrite(snapshot, p + done, bytes - done, at + (off_t)done);

		if (n >= 0)
			done += n;
		else if (errno != EINTR)
			ret = -errno;
	}
	munmap(p, (size_t)st.st_size);
	return ret ? ret : lab_seal(snapshot);
}

int qemu_freeze_machine(struct lab_child *child, const struct lab_machine *m,
			int snapshot)
{
	const struct lab_limit limit = lab_limit_begin(child);
	int ret;
	int stream = memfd_create("worldswitch-stream", MFD_CLOEXEC);
	char line[QMP_LINE_BYTES];

	ret = stream < 0 ? -errno : qmp_ignore_shared(child);
	if (!ret)
		ret = qmp_command(child,
				  "{\"execute\":\"migrate-set-parameters\","
				  "\"arguments\":{\"max-bandwidth\":1099511627776}}",
				  -1, line);
	if (!ret)
		ret = qmp_migrate(child, false, stream, 0);
	while (!ret && !(ret = lab_limit_check(&limit))) {
		nanosleep(&moment, NULL);
		ret = qmp_command(child, "{\"execute\":\"query-migrate\"}", -1, line);
		if (!ret && strstr(line, "\"status\": \"failed\""))
			ret = -EIO;
		if (strstr(line, "\"status\": \"completed\""))
			break;
	}
	lab_child_stop(child);
	if (!ret)
		ret = append_stream(snapshot, (off_t)qemu_memory_bytes(m), stream);
	if (stream >= 0)
		close(stream);
	return ret;
}

static int qemu_freeze(struct lab_base *base)
{
	return qemu_freeze_machine(&base->child, base->machine, base->snapshot);
}

int qemu_load(const struct lab_machine *m, const struct lab_boot *boot, int snapshot,
	      int wire, struct lab_child *child, struct error *err)
{
	char line[QMP_LINE_BYTES];
	struct lab_command cmd;
	struct lab_limit limit;
	int ret = qemu_command(m, boot, &cmd, err);

	if (!ret)
		ret = lab_child_start(child, &cmd, wire, lab_qemu.control_type, err);
	lab_command_free(&cmd);
	if (ret)
		return ret;
	limit = lab_limit_begin(child);
	ret = qmp_begin(child);
	if (!ret)
		ret = qmp_ignore_shared(child);
	if (!ret)
		ret = qmp_migrate(child, true, snapshot, (off_t)qemu_memory_bytes(m));
	do {
		nanosleep(&moment, NULL);
		ret = ret ? ret
			  : qmp_command(child, "{\"execute\":\"query-status\"}", -1,
					line);
	} while (!ret && strstr(line, "\"inmigrate\"") &&
		 !(ret = lab_limit_check(&limit)));
	return ret;
}

/* "qemu: fatal: " comes before a dump of all registers, and "qemu-system-ARCH: " before
 * warnings, too: those that matter come last. */
static const char *const error_marks[] = { "qemu: fatal: ", "qemu-system-x86_64: ",
					   "qemu-system-aarch64: ", NULL };

const struct lab_emulator lab_qemu = {
	.version_option = "--version",
	.error_marks = error_marks,
	.wire = LAB_SHARED_MEMORY,
	.control_type = SOCK_STREAM,
	.can_save = true,
	.tracer = LAB_TRACER_PLUGIN,
	.command = qemu_command,
	.begin = qemu_begin,
	.is_ready = qemu_is_ready,
	.ask = qemu_ask,
	.has_answered = qemu_has_answered,
	.where = qmp_where,
	.freeze = qemu_freeze,
	.clone = qemu_clone,
};
