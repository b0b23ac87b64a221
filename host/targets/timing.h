/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the time of a run on a target goes: wsbench run --timing. */
#ifndef WS_TARGETS_TIMING_H
#define WS_TARGETS_TIMING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* In the order of a run. */
enum timing_part {
	TIMING_OPEN,	 /* labs: kernel, modules, program, initramfs */
	TIMING_START,	 /* labs: the emulator of a machine, until it answers */
	TIMING_BOOT,	 /* labs: a machine, until it is ready for jobs */
	TIMING_SNAPSHOT, /* labs: the state of a machine, taken and saved */
	TIMING_LOAD,	 /* labs: a saved machine in place of a boot */
	TIMING_DESCRIBE, /* labs: the job that describes the machine, with its clone */
	TIMING_CLONE,	 /* labs: the start and the end of the clones */
	TIMING_ROWS,	 /* the boots of payloads */
	TIMING_ANALYSIS, /* samples to estimates */
	TIMING_WRITE,	 /* the document */
	TIMING_PARTS,
};

/*
 * The boot of a lab's first machine by its own clock, which counts instructions, from the
 * reset to each of these moments. `known`: the machine has reported.
 */
struct timing_boot {
	bool known;
	uint64_t kernel_clock; /* the kernel's clock begins */
	uint64_t init;	       /* the kernel starts the first process */
	uint64_t kvm;	       /* the modules' /dev/kvm appears; 0: KVM is built in */
	uint64_t ready;	       /* the first job begins */
};

/* Zeroed memory to begin with. Several threads may add at a time. */
struct timing {
	struct timing_sum {
		uint64_t n, wall_ns, cpu_ns;
	} sums[TIMING_PARTS];
	struct timing_boot boot;
};

/* The beginning of a part: of the wall clock, and of the calling thread's CPU time. */
struct timing_mark {
	uint64_t wall_ns, cpu_ns;
};

struct timing_mark timing_mark(void);

/*
 * Adds what passed since `from`, in the same thread, and `process_ns` of the CPU time of
 * other processes. Nothing if `t` is NULL.
 */
void timing_add(struct timing *t, enum timing_part part, const struct timing_mark *from,
		uint64_t process_ns);

/* The CPU time of a running process; 0: none such. */
uint64_t timing_process_ns(pid_t pid);

#endif
