/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of lab_qemu share: qemu.c, qemu_*.c, qmp.c. */
#ifndef WS_TARGETS_LAB_QEMU_H
#define WS_TARGETS_LAB_QEMU_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/targets/lab/emulator.h"
#include "host/targets/lab/session.h"

/*
 * QMP, as much of it as is needed (docs/interop/qmp-spec.txt): one JSON object per line
 * in each direction. Only a few words of the answers matter, and QEMU writes them in one
 * way: a JSON parser is not needed.
 */
#define QMP_LINE_BYTES 4096

/* One line, cut to its room. 0, -EPIPE, or as lab_limit_check(). */
int qmp_line(const struct lab_child *child, const struct lab_limit *limit,
	     char line[QMP_LINE_BYTES]);

/* Sends a command, with a descriptor unless it is -1; the answer, events ignored. 0,
 * -EPROTO (an error), or as qmp_line(). */
int qmp_command(const struct lab_child *child, const char *command, int fd,
		char answer[QMP_LINE_BYTES]);

/* struct lab_emulator, where(): registers as QEMU prints them. */
bool qmp_where(const struct lab_child *child, char *text, size_t room);

/* Receives the greeting, which has the version, and begins. */
int qmp_begin(struct lab_child *child);

/* Memory that is shared with a file is not part of the migration stream. */
int qmp_ignore_shared(const struct lab_child *child);

/* Starts a migration to an empty file, or from a snapshot, whose stream begins at `at`.
 */
int qmp_migrate(const struct lab_child *child, bool incoming, int file, off_t at);

/*
 * Makes a migration stream that of a snapshot: without the address of the wire, and
 * without the pages of empty flash. 0 or -EPROTO.
 */
int qemu_stream_trim(uint8_t *stream, size_t *bytes);

/* Of the memory at the beginning of a snapshot. */
uint64_t qemu_memory_bytes(const struct lab_machine *m);

/*
 * Where in the memory QEMU places an arm64 Image that begins with `head`; 0: that is not
 * known, or there is no room for it.
 */
uint64_t qemu_image_place(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
			  uint64_t memory_bytes);

/*
 * Writes an arm64 Image to the memory of a machine that is to boot it. A descriptor of
 * what QEMU is to start, the caller's: the first page of the Image, which QEMU writes
 * again, or a file that cannot be written so, such as a compressed one. Or a negative
 * errno. `whole`: as it is, also what only tracers use.
 */
int qemu_image_load(int kernel, int memory, uint64_t memory_bytes, bool whole);

/*
 * Changes with what qemu_image_load() writes for a kernel: a machine that was saved
 * before is not used.
 */
#define QEMU_IMAGE_VERSION 1

/*
 * Does in an arm64 Image what the kernel would do for ftrace, which is disabled then. The
 * number of functions that can be traced; 0: the Image has not changed.
 */
size_t qemu_image_trace(uint8_t *at, size_t bytes);

/* Starts a process that has loaded the machine in `snapshot`, which waits. 0 or a
 * negative errno; lab_child_stop() in any case. */
int qemu_load(const struct lab_machine *m, const struct lab_boot *boot, int snapshot,
	      int wire, struct lab_child *child, struct error *err);

/* Completes a snapshot, whose memory is that of the emulator, which ends. */
int qemu_freeze_machine(struct lab_child *child, const struct lab_machine *m,
			int snapshot);

/* The thread of the CPUs; 0: unknown. */
pid_t qemu_cpu_thread(const struct lab_child *child);

/*
 * Makes the main thread faster than the CPU's: a machine that stops itself is then
 * stopped before its CPU counts as idle (see lab_shared_wait()).
 */
void qemu_prefer_main(pid_t main_thread, pid_t cpu_thread);

/* Undoes it: clones would inherit it. `cpus`: of this process. */
void qemu_prefer_none(pid_t thread, const cpu_set_t *cpus);

/* As in struct lab_emulator. */
int qemu_clone(struct lab_base *base, const struct lab_boot *boot,
	       struct lab_shared *wire, const uint8_t job[JOB_BYTES],
	       struct lab_child *child, struct error *err);

#endif
