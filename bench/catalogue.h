/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of the catalogue's and the configs' rows, and the rows as values.
 */
#ifndef WS_BENCH_CATALOGUE_H
#define WS_BENCH_CATALOGUE_H

#include <stddef.h>
#include <stdint.h>

enum arch {
	ARCH_X86_64,
	ARCH_AARCH64,
	ARCHS,
};

#define ARCHS_X86_64  (1u << ARCH_X86_64)
#define ARCHS_AARCH64 (1u << ARCH_AARCH64)
#define ARCHS_ALL     (ARCHS_X86_64 | ARCHS_AARCH64)

/* Who handles the exit that a body causes. */
enum bench_handler {
	HANDLED_NONE,	  /* no exit */
	HANDLED_HARDWARE, /* the CPU, on the guest's behalf (APICv, AVIC, GICv4) */
	HANDLED_KERNEL,	  /* KVM, without leaving the kernel */
	HANDLED_USER,	  /* the VMM: KVM_RUN returns */
	HANDLED_UNKNOWN,  /* what was observed fits none of the above */
	HANDLED_VARIES,	  /* rows only: none or kernel, as the hardware has it */
	HANDLED_AT_MOST,  /* rows only: kernel, up to so often, or none */
	HANDLED_OBSERVED, /* rows only: any of them, or a fault; the same every time */
};

/* What a row needs to make sense, and how its samples come about. */
#define NEEDS_HYPERVISOR (1u << 0) /* means nothing on `bare` */
#define NEEDS_PMU	 (1u << 1) /* its subject is the vPMU: run under pmu configs */
#define NEEDS_HARDWARE	 (1u << 2) /* no software KVM gets it right */
#define NEEDS_IRQCHIP	 (1u << 3) /* its subject is the in-kernel interrupt controller */
#define NEEDS_VCPUS_2	 (1u << 4) /* a second vCPU, on a CPU of its own */
#define OPT_IN		 (1u << 5) /* harmful to the host: only if named in full */
#define NEEDS_DRIVER	 (1u << 6) /* timed by the host: host/targets/rows.def */
#define NEEDS_RELOAD	 (1u << 7) /* an untimed exit to user space before each event */
#define NEEDS_INTERRUPT	 (1u << 8) /* its exits are interrupts of the host's */
#define NEEDS_SLACK                                                                      \
	(1u << 9) /* REP: emulators exit once more per event, with no count left */
#define NEEDS_OPERAND                                                                    \
	(1u << 10) /* one body, named as the group, serves the group: bench/pmu.h */

#define NEEDS_COUNTS (1u << 11) /* its samples are a PMC's counts: bench/accuracy.def */
#define NEEDS_PMU_ON                                                                     \
	(1u << 12) /* with NEEDS_PMU: without one there is nothing to see                \
		    */

/* Not a need: one of the few that `--bench core` means. */
#define BENCH_CORE (1u << 31)

struct bench {
	const char *id;
	const char *group;
	unsigned int archs;
	enum bench_handler handled_by;
	unsigned int exits; /* per event, under the default config; RELOAD's aside */
	unsigned int needs;
	const char *summary;
};

struct config {
	const char *name;
	unsigned int archs;
	const char *cmdline; /* words for the kernel's command line; NULL: none */
	const char *summary;
};

/* What a config changes about rows: effects.def. */
struct config_effect {
	const char *config;
	const char *rows; /* an id, or a pattern of ids */
	enum bench_handler handled_by;
	unsigned int exits;
	const char *skip; /* why not to run them; NULL: run them */
};

/* All tables end with a row whose name is NULL. Defined in catalogue.c. */
extern const struct bench bench_table[];
extern const struct config config_table[];
extern const struct config_effect config_effect_table[];

#endif
