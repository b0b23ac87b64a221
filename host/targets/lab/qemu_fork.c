/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clones of a machine of QEMU, which start behind its warm-up. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/lab/fork_protocol.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/qemu.h"
#include "host/targets/lab/session.h"
#include "host/targets/lab/wire.h"

/* Continues a machine that waits, with a job. */
static int resume(const struct lab_child *child, struct lab_shared *wire,
		  const uint8_t job[JOB_BYTES])
{
	char line[QMP_LINE_BYTES];

	lab_shared_give(wire, job);
	return qmp_command(child, "{\"execute\":\"cont\"}", -1, line);
}

/* Runs the warm-up on a machine that waits, which waits again then. */
static int run_warm_up(const struct lab_child *child, struct lab_shared *wire,
		       const struct lab_boot *boot)
{
	const struct lab_limit limit = lab_limit_begin(child);
	const pid_t thread = qemu_cpu_thread(child);
	char line[QMP_LINE_BYTES] = "";
	cpu_set_t cpus;
	int ret;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		return -errno;
	if (thread)
		qemu_prefer_main(child->process.pid, thread);
	ret = resume(child, wire, boot->warm_up);
	while (!ret && !strstr(line, "\"STOP\""))
		ret = qmp_line(child, &limit, line);
	qemu_prefer_none(child->process.pid, &cpus);
	if (thread)
		qemu_prefer_none(thread, &cpus);
	return ret;
}

/* Whether the library is in the process, and QEMU's main loop calls it. */
static int check_server(const struct lab_child *child)
{
	struct lab_child server = *child;
	int32_t value = -EPIPE;
	int ret;

	server.answer_s = 0;
	ret = lab_clone_reply(&server, &value);
	return ret ? ret : value;
}

/* 0; -ENOTSUP: without a process; or an error, whose reason `child` has. */
static int start_server(struct lab_base *base, const struct lab_boot *boot,
			struct lab_child *child, struct error *err)
{
	struct lab_boot own = *boot;
	struct lab_shared wire;
	int ret = boot->library ? lab_shared_create(&wire, LAB_SHARED_MEMORY) : -ENOTSUP;

	if (ret)
		return ret;
	own.snapshot = base->snapshot;
	own.clone = own.serve = true;
	own.plugin = boot->server_plugin;
	own.trace_fd = boot->server_trace_fd;
	ret = qemu_load(base->machine, &own, base->snapshot, wire.fd, child, err);
	if (!ret) {
		ret = run_warm_up(child, &wire, boot);
		/* The end of the machine, as with a kernel that crashes. */
		if (ret == -EPIPE || (!ret && check_server(child))) {
			lab_child_stop(child);
			ret = -ENOTSUP;
		}
	}
	lab_shared_free(&wire);
	if (!ret) {
		base->child = *child;
		lab_child_init(child);
	}
	return ret;
}

/* Copies what a file has, and not its holes. */
static int copy_memory(int to, int from, off_t bytes)
{
	off_t at = 0, end = 0;

	while ((at = lseek(from, end, SEEK_DATA)) >= 0 && at < bytes) {
		end = lseek(from, at, SEEK_HOLE);
		if (end < 0 || lseek(to, at, SEEK_SET) < 0)
			return -errno;
		end = end < bytes ? end : bytes;
		while (at < end)
			if (sendfile(to, from, &at, (size_t)(end - at)) <= 0)
				return -EIO;
	}
	return 0;
}

/*
 * For clones that are processes of their own: another snapshot, behind the warm-up. 0, or
 * an error, whose reason `child` has. A kernel that crashes in the warm-up crashes in
 * that of each run: then there is no other snapshot.
 */
static int make_warm_snapshot(struct lab_base *base, const struct lab_boot *boot,
			      struct lab_child *child, struct error *err)
{
	const off_t bytes = (off_t)qemu_memory_bytes(base->machine);
	const int file =
		memfd_create("worldswitch-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct lab_shared wire = { .fd = -1 };
	struct lab_boot own = *boot;
	int ret = file < 0 || ftruncate(file, bytes) ? -errno : 0;

	own.snapshot = file;
	own.clone = own.keep = true;
	own.plugin = NULL;
	if (!ret)
		ret = copy_memory(file, base->snapshot, bytes);
	if (!ret)
		ret = lab_shared_create(&wire, LAB_SHARED_MEMORY);
	if (!ret)
		ret = qemu_load(base->machine, &own, base->snapshot, wire.fd, child, err);
	if (!ret) {
		ret = run_warm_up(child, &wire, boot);
		base->warmth = ret == -EPIPE ? LAB_WARM_NOT : LAB_WARM_SNAPSHOT;
		if (!ret)
			ret = qemu_freeze_machine(child, base->machine, file);
		if (base->warmth == LAB_WARM_NOT) {
			lab_child_stop(child);
			ret = 0;
		}
	}
	lab_shared_free(&wire);
	if (!ret && base->warmth == LAB_WARM_SNAPSHOT)
		base->warm = file;
	else if (file >= 0)
		close(file);
	return ret;
}

static int fork_clone(struct lab_base *base, const struct lab_boot *boot,
		      struct lab_shared *wire, const uint8_t job[JOB_BYTES],
		      struct lab_child *child, struct error *err)
{
	const time_t answer_s = boot->silence_s ? boot->silence_s : LAB_SILENCE_S;
	struct clone_request request = { .op = CLONE_FORK };
	int fds[CLONE_FDS] = { wire->fd, -1, -1, -1, -1, -1 }, ends[2], ret;

	if (socketpair(AF_UNIX, lab_qemu.control_type | SOCK_CLOEXEC, 0, ends))
		return error_set(err, -errno, "%s: cannot clone the machine: %m",
				 base->label);
	fds[CLONE_FD_QMP] = ends[1];
	fds[CLONE_FD_TRACE] = boot->trace_fd;
	ret = lab_clone_fork(base, &request, fds, answer_s, child, err);
	close(ends[1]);
	child->control = ends[0];
	child->answer_s = answer_s;
	child->deadline_s = boot->deadline_s;
	return ret ? ret : resume(child, wire, job);
}

/*
 * The first clone is a fork of a server, if that is possible. Otherwise, this and all
 * other clones are processes that start from the same state.
 */
static int first_clone(struct lab_base *base, const struct lab_boot *boot,
		       struct lab_shared *wire, const uint8_t job[JOB_BYTES],
		       struct lab_child *child, struct error *err)
{
	int ret = start_server(base, boot, child, err);

	if (!ret) {
		base->warmth = LAB_WARM_SERVER;
		ret = fork_clone(base, boot, wire, job, child, err);
		if (!ret || ret == -EINTR || ret == -ETIME)
			return ret;
		lab_child_stop(child);
		lab_child_stop(&base->child);
		base->lost = false;
		err->text[0] = '\0';
		ret = -ENOTSUP;
	}
	return ret == -ENOTSUP ? make_warm_snapshot(base, boot, child, err) : ret;
}

int qemu_clone(struct lab_base *base, const struct lab_boot *boot,
	       struct lab_shared *wire, const uint8_t job[JOB_BYTES],
	       struct lab_child *child, struct error *err)
{
	struct lab_boot own = *boot;
	int ret = 0;

	lab_child_init(child);
	if (base->warmth == LAB_WARM_SERVER)
		return fork_clone(base, boot, wire, job, child, err);
	if (boot->warm_up && base->warmth == LAB_WARM_UNKNOWN) {
		ret = first_clone(base, boot, wire, job, child, err);
		if (ret || base->warmth == LAB_WARM_SERVER)
			return ret;
	}
	own.snapshot = base->warm >= 0 ? base->warm : base->snapshot;
	own.clone = true;
	ret = qemu_load(base->machine, &own, own.snapshot, wire->fd, child, err);
	return ret ? ret : resume(child, wire, job);
}
