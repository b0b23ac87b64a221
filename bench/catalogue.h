/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of catalogue.def, statistics.def, configs.def, shapes.def and effects.def,
 * and the rows as values.
 */
#ifndef WS_BENCH_CATALOGUE_H
#define WS_BENCH_CATALOGUE_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

enum arch {
	ARCH_X86_64,
	ARCH_AARCH64,
	ARCHS,
};

#define ARCHS_X86_64  (1u << ARCH_X86_64)
#define ARCHS_AARCH64 (1u << ARCH_AARCH64)
#define ARCHS_ALL     (ARCHS_X86_64 | ARCHS_AARCH64)

/* The component that handles the exit of a body. */
enum bench_handler {
	HANDLED_NONE,	  /* no exit */
	HANDLED_HARDWARE, /* the CPU, on the guest's behalf (APICv, AVIC, GICv4) */
	HANDLED_KERNEL,	  /* KVM, without leaving the kernel */
	HANDLED_USER,	  /* the VMM: KVM_RUN returns */
	HANDLED_UNKNOWN,  /* the observation fits none of the above */
	HANDLED_VARIES,	  /* rows only: none or kernel, depending on the hardware */
	HANDLED_AT_MOST,  /* rows only: kernel, up to `exits` times, or none */
	HANDLED_OBSERVED, /* rows only: any of them, or a fault; constant in a boot */
};

/* What a row needs of the machine, and how its samples are taken. */
#define NEEDS_HYPERVISOR (1u << 0) /* meaningless on `bare` */
#define NEEDS_PMU	 (1u << 1) /* measures the vPMU: runs under the pmu configs */
#define NEEDS_HARDWARE	 (1u << 2) /* a software KVM does not implement it correctly */
#define NEEDS_IRQCHIP	 (1u << 3) /* measures the in-kernel PIC, IOAPIC or GIC */
#define NEEDS_VCPUS_2	 (1u << 4) /* a second vCPU, on a CPU of its own */
#define OPT_IN		 (1u << 5) /* harmful to the host: runs only if named in full */
#define TIMED_BY_HOST	 (1u << 6) /* timed by the host: host/targets/rows.def */
#define NEEDS_RELOAD	 (1u << 7) /* an untimed exit to user space before each event */
#define NEEDS_INTERRUPT	 (1u << 8) /* its exits are interrupts of the host */
#define NEEDS_SLACK                                                                      \
	(1u << 9) /* REP: emulators exit once more per event, with no count left */
#define NEEDS_OPERAND                                                                    \
	(1u << 10) /* one body, named as the group, serves the group: bench/pmu.h */

#define NEEDS_COUNTS (1u << 11) /* samples are counts of a PMC: bench/accuracy.def */
#define NEEDS_PMU_ON                                                                     \
	(1u << 12) /* with NEEDS_PMU: without one there is nothing to see                \
		    */
/*
 * The payload is a hypervisor itself (L1): the CPU, or KVM (L0), offers it
 * virtualization. `exits` is the least number of exits to L0 per event; see
 * bench/README.md.
 */
#define NEEDS_NESTED (1u << 13)
#define EXITS_TO_L1                                                                      \
	(1u << 14) /* with NEEDS_NESTED: the payload's guest (L2) exits once per event   \
		    */
/* With NEEDS_NESTED, of x86_64: instructions of one vendor, nested paging. */
#define NEEDS_SVM	    (1u << 15)
#define NEEDS_VMX	    (1u << 16)
#define NEEDS_NESTED_PAGING (1u << 17)

#define NEEDS_LAPIC (1u << 18) /* measures the in-kernel local APIC or GIC */

/* An event is what takes as long as an exit: a host interrupt ends one, too. */
#define NEEDS_LENGTH (1u << 19)

/*
 * A sample begins at a deadline, not at a read of the clock: it has no read's cost in it,
 * and need not be a multiple of the clock's step.
 */
#define FROM_DEADLINE (1u << 20)

/*
 * Each body, and no twin, delivers one interrupt to the guest without waiting for it: the
 * handler counts. A body that waits for its handler proves the delivery by its end.
 */
#define COUNTS_DELIVERIES (1u << 21)

/*
 * Handled where KVM does not count an exit: below a KVM, a row whose events do not cost
 * more than its twins is disproved.
 */
#define MORE_THAN_TWIN (1u << 22)

/*
 * Each exit ends as an exception in the guest, or each event if the row claims no exit:
 * the payload's vectors count.
 */
#define RAISES (1u << 23)

/*
 * With HANDLED_AT_MOST: all exits but two, the reads of the PMC, are of the sequence that
 * is counted, and none of these is missing.
 */
#define SEQUENCE_EXITS (1u << 25)

/* Not a need: the row belongs to `--bench core`. */
#define BENCH_CORE (1u << 31)

_Static_assert((NEEDS_NESTED ^ EXITS_TO_L1 ^ NEEDS_SVM ^ NEEDS_VMX ^ NEEDS_NESTED_PAGING ^
		NEEDS_LAPIC ^ NEEDS_LENGTH ^ FROM_DEADLINE ^ COUNTS_DELIVERIES ^
		MORE_THAN_TWIN ^ RAISES ^ SEQUENCE_EXITS ^ BENCH_CORE) ==
		       (NEEDS_NESTED | EXITS_TO_L1 | NEEDS_SVM | NEEDS_VMX |
			NEEDS_NESTED_PAGING | NEEDS_LAPIC | NEEDS_LENGTH | FROM_DEADLINE |
			COUNTS_DELIVERIES | MORE_THAN_TWIN | RAISES | SEQUENCE_EXITS |
			BENCH_CORE),
	       "each need has a bit of its own");

struct bench {
	const char *id;
	const char *group;
	unsigned int archs;
	enum bench_handler handled_by;
	unsigned int exits; /* per event, under the default config, without the reload */
	unsigned int needs;
	const char *summary;
};

/* Whether a doorbell increments a statistic. */
enum bench_doorbell {
	DOORBELL_NEVER,
	DOORBELL_PERHAPS, /* depending on the machine */
	DOORBELL_ALWAYS,
};

enum bench_statistic_id {
#define STATISTIC(id, ...) STATISTIC_##id,
#include "bench/statistics.def"
	STATISTICS,
};

/* A statistic of KVM: statistics.def. */
struct bench_statistic {
	const char *name; /* KVM's */
	unsigned int archs;
	enum bench_doorbell doorbell;
	const char *what; /* it counts: plural */
};

/* What an event of a row increments, and how many times; 0: the row names no statistic.
 */
struct bench_claim {
	enum bench_statistic_id statistic;
	unsigned int times;
};

/* The VMs of shapes.def. */
#define VM_LEAST	    (1u << 0)
#define VM_QEMU		    (1u << 1) /* machine q35 on x86_64, virt on aarch64 */
#define VM_QEMU_MICROVM	    (1u << 2)
#define VM_FIRECRACKER	    (1u << 3)
#define VM_CROSVM	    (1u << 4)
#define VM_CLOUD_HYPERVISOR (1u << 5)

enum setting_id {
#define SETTING(id, ...) SETTING_##id,
#include "bench/shapes.def"
#undef SETTING
	SETTINGS,
};

struct setting {
	const char *name;
	unsigned int archs;
	unsigned int vms;
	const char *source, *summary;
};

struct config {
	const char *name;
	unsigned int archs;
	const char *cmdline; /* for the kernel's command line; NULL: none */
	bool modules_only; /* `cmdline` is parameters of modules: a lab's way to set them
			    */
	bool mitigation;   /* `cmdline` sets mitigations of the CPU's vulnerabilities */
	unsigned int vm;   /* VM_*: the VM that the config builds; 0: the least one */
	uint32_t settings; /* bit n: setting_table[n], beside those of the VM */
	const char *summary;
};

/* How a config changes rows: effects.def. */
struct config_effect {
	const char *config;
	const char *rows; /* an id, or a pattern of ids */
	enum bench_handler handled_by;
	unsigned int exits;
	const char *skip; /* the reason not to run them; NULL: run them */
};

/*
 * Bodies of a batch of a row: a sample of round_trip_batch is their mean. 0: the row has
 * no batches. `b` NULL, a row of another catalogue: the fewest.
 */
unsigned int bench_batch(const struct bench *b, bool exact);

/* One per bench_statistic_id. Defined in catalogue.c. */
extern const struct bench_statistic bench_statistic_table[STATISTICS];

/*
 * NULL: the row names no statistic on this architecture, or is not of bench_table (a
 * copy).
 */
const struct bench_claim *bench_claim(const struct bench *row, enum arch arch);

/* All tables end with a row whose name is NULL. Defined in catalogue.c. */
extern const struct bench bench_table[];
extern const struct config config_table[];
extern const struct setting setting_table[];
extern const struct config_effect config_effect_table[];

/* The settings of a config on an architecture: bit n is setting_table[n]. */
uint32_t config_settings(const struct config *config, enum arch arch);

#endif
