/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract between a payload and whatever runs it: one page of parameters
 * and results, the sample series behind it, and the doorbell.
 *
 * Both sides compile this file; it needs nothing but <stdint.h> (<stddef.h>
 * and the size checks at the end are part of the language). The host must
 * treat every value the guest writes as hostile: check, copy, then use.
 *
 * Life of a boot:
 *   1. The host loads the payload's ELF image, fills in `struct abi_params`
 *      at ABI_GPA of the guest's architecture, and starts the boot CPU at the
 *      ELF entry point (x86_64: the PVH entry, 32-bit protected mode, paging
 *      off; aarch64: EL1, MMU off).
 *   2. The guest checks magic and version, runs the phases, and stores every
 *      sample into its series. If ABI_FLAG_DOORBELL is set it rings
 *      ABI_DOORBELL_BEGIN before and ABI_DOORBELL_END after each phase, so that the
 *      host can count the exits between the two doorbells.
 *   3. The guest sets `report.state` (and, from an exception vector, fills in
 *      `report.fault`), rings ABI_DOORBELL_STOP if anybody listens, and turns the
 *      machine off.
 */
#ifndef WS_BENCH_ABI_H
#define WS_BENCH_ABI_H

#include <stdint.h>

#define ABI_MAGIC   0x3169626177737721ull /* "!wswabi1" in memory order */
#define ABI_VERSION 2

/* Guest memory, one flat range of RAM. */
#define ABI_X86_64_RAM_GPA  0x0ull
#define ABI_AARCH64_RAM_GPA 0x40000000ull
#define ABI_RAM_BYTES	    0x1000000ull /* 16 MiB */

/*
 * Where the page is, from the start of RAM. Images are linked from 2 MiB to
 * 4 MiB: below lie the PC's first megabyte and, on QEMU's arm64 machine, the
 * device tree.
 */
#define ABI_IMAGE_OFFSET 0x200000ull
#define ABI_PAGE_OFFSET	 0x400000ull
#define ABI_PAGE_BYTES	 0x1000ull

/* The series follow the page: ABI_SERIES of ABI_SERIES_MAX uint64_t each. */
#define ABI_SERIES_OFFSET (ABI_PAGE_OFFSET + ABI_PAGE_BYTES)
#define ABI_SERIES_MAX	  65536u

/* Guest-physical addresses that no memory slot covers. */
#define ABI_X86_64_MMIO_GPA	      0xd0000000ull
#define ABI_AARCH64_MMIO_GPA	      0x0d000000ull
#define ABI_X86_64_PIO_PORT	      0x510u
#define ABI_X86_64_DOORBELL_PORT      0x514u
#define ABI_X86_64_PIO_EVENTFD_PORT   0x518u /* where rows ask for one */
#define ABI_X86_64_PIO_COALESCED_PORT 0x51cu
#define ABI_X86_64_PIO_MATCH_PORT     0x51du
#define ABI_AARCH64_DOORBELL_GPA      0x0d010000ull
#define ABI_AARCH64_GICD_GPA	      0x08000000ull
#define ABI_AARCH64_GITS_GPA	      0x08080000ull
#define ABI_AARCH64_GICR_GPA	      0x080a0000ull

/* The line of the PIC that the VMM raises before each event of hlt_kernel. */
#define ABI_X86_64_HLT_LINE 5u

/* From MMIO_GPA: what the VMM asks KVM to take, for the rows that want it. */
#define ABI_MMIO_EVENTFD_OFFSET	  0x100ull
#define ABI_MMIO_COALESCED_OFFSET 0x200ull
#define ABI_MMIO_MATCH_OFFSET	  0x300ull

/* What must be written for an eventfd that asks for a value. One byte. */
#define ABI_MATCH_VALUE 0x5au

/* Memory slots of rows that fault on purpose: above all devices of either machine. */
#define ABI_SLOT_GPA 0x100000000ull

/* A hypercall that is the VMM's, where KVM can pass them on: vendor's own, number "WS".
 */
#define ABI_AARCH64_HVC_USER 0x86005753u

/* Where an x86_64 payload says goodbye if nobody listens: isa-debug-exit. */
#define ABI_X86_64_OFF_PORT 0xf4u

/* The line that the host raises for the driven payload: an IOAPIC pin; an SPI. */
#define ABI_X86_64_IRQ_LINE  20
#define ABI_AARCH64_IRQ_LINE 32

/*
 * The other vCPUs start at the same entry in the same state, with this number and
 * their own (1, 2, ...) below it in EBP (x86_64) or X4 (aarch64).
 */
#define ABI_SECONDARY	   0x57530000u
#define ABI_SECONDARY_MASK 0xffff0000u

/* A doorbell is one 32-bit write: its kind in bits 7:0, the phase in bits 15:8. */
#define ABI_DOORBELL(doorbell, phase) ((uint32_t)(doorbell) | (uint32_t)(phase) << 8)
#define ABI_DOORBELL_KIND(value)      ((value)&0xffu)
#define ABI_DOORBELL_PHASE(value)     (((value) >> 8) & 0xffu)

enum abi_doorbell {
	ABI_DOORBELL_BEGIN = 1,
	ABI_DOORBELL_END,
	ABI_DOORBELL_STOP,
	ABI_DOORBELL_AGAIN, /* from a body: prepare what the next event needs */
};

/*
 * The phases, in the order in which a boot runs them, and the series of the
 * same number. Every sample is a difference of two clock reads, in ticks.
 */
enum abi_phase {
	ABI_PHASE_WARMUP,     /* untimed bodies; no series */
	ABI_PHASE_NULL,	      /* empty timed region: the cost of looking */
	ABI_PHASE_EVENT,      /* one body per sample */
	ABI_PHASE_TWIN,	      /* the body with its exiting instruction replaced */
	ABI_PHASE_BATCH,      /* (2n bodies) - (n bodies), one sample per pair */
	ABI_PHASE_BATCH_NULL, /* the same loops without a body */
	/* Where the guest has a PMC: what it counted, and the clock in the same events.
	 */
	ABI_PHASE_PMC_NULL, /* empty timed region between two reads of the PMC */
	ABI_PHASE_PMC,	    /* one body per sample, likewise */
	/* Series only: they belong to the phases above, and ring no doorbell. */
	ABI_PHASE_PMC_NULL_CLOCK,
	ABI_PHASE_PMC_CLOCK,
	ABI_PHASE_SPIN, /* PMC over loops that do not exit: half before PMC, half after */
	ABI_PHASE_SPIN_CLOCK,
	ABI_PHASES,
};

/* What the host asks for; read-only to the guest. */
struct abi_params {
	uint64_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t warmup;  /* bodies */
	uint32_t events;  /* samples of each of NULL, EVENT, TWIN */
	uint32_t batch;	  /* bodies n of a batch; 0: no batch phase */
	uint32_t batches; /* samples of BATCH */
	/* Of the driven payload: enum abi_command; of the vPMU map's: bench/pmu.h. */
	uint32_t command;
	uint32_t
		pmc_events; /* samples of each of PMC_NULL, PMC; 0: leave the PMC alone */
	uint32_t spins;	    /* samples of SPIN; even */
	uint32_t operand;   /* of the vPMU map's: which register */
	uint32_t pace;	    /* longest loop that times the CPU, in steps; 0: none */
	uint32_t reserved32;
	uint64_t reserved;
};

/* How many bodies run in a boot, if none is a twin: a batch's sample is n, then 2n. */
static inline uint64_t abi_bodies(const struct abi_params *p)
{
	return p->warmup + p->events + 3ull * p->batch * p->batches + p->pmc_events;
}

/* What the driven payload (guest/driven.c) does for the host that times it. */
enum abi_command {
	ABI_COMMAND_SPIN = 1, /* rings BEGIN once, then spins */
	ABI_COMMAND_DOORBELL, /* rings BEGIN for ever */
	ABI_COMMAND_STAMP,    /* rings END `events` times, the clock read around each */
	/* Rings END `events` times, takes an interrupt after each, and stamps it. */
	ABI_COMMAND_INTERRUPT,
	ABI_COMMAND_WAIT, /* SPIN, but where CPUs take turns, it is another's */
};

/* When the guest takes the CPU's pace: the same loop, again and again. */
enum abi_pace {
	ABI_PACE_BEGIN,
	ABI_PACE_MIDDLE,
	ABI_PACE_END,
	ABI_PACES,
};

#define ABI_FLAG_DOORBELL (1u << 0) /* somebody listens to the doorbell */
#define ABI_FLAG_PMU	  (1u << 1) /* the VM has a PMU: the guest may set it up */

enum abi_state {
	ABI_STATE_RESET, /* what zeroed memory says: the guest never ran */
	ABI_STATE_RUNNING,
	ABI_STATE_DONE,
	ABI_STATE_FAULT,   /* an exception nobody expected: see `fault` */
	ABI_STATE_REFUSED, /* magic or version did not match */
	ABI_STATE_ABSENT,  /* the body found that its subject does not exist */
	/* The body lasts until the host's next interrupt, or is being probed for it. */
	ABI_STATE_SLEEPS,
};

/* An exception the payload did not expect. */
struct abi_fault {
	uint64_t vector;   /* x86_64: vector; aarch64: offset into VBAR_EL1 */
	uint64_t syndrome; /* x86_64: error code; aarch64: ESR_EL1 */
	uint64_t pc;
	uint64_t address; /* CR2; FAR_EL1 */
};

/* What the guest answers. */
struct abi_report {
	uint64_t magic; /* written first: proves that the guest ran */
	uint32_t state;
	uint32_t phase;		      /* where it was last */
	uint64_t clock_hz;	      /* as the guest's registers say; 0: they do not */
	uint64_t clock_step;	      /* greatest common divisor of differences, ticks */
	uint64_t clock_least;	      /* smallest non-zero difference, ticks */
	uint64_t pace[ABI_PACES];     /* ticks of the loop; 0: not taken */
	uint64_t samples[ABI_PHASES]; /* stored, per series */
	uint64_t faults[ABI_PHASES];  /* expected exceptions, per phase */
	struct abi_fault fault;
};

struct abi_page {
	struct abi_params params;
	struct abi_report report;
};

_Static_assert(sizeof(struct abi_params) == 64, "abi_params is laid out by hand");
_Static_assert(sizeof(struct abi_report) == 288, "abi_report is laid out by hand");
_Static_assert(sizeof(struct abi_page) <= ABI_PAGE_BYTES, "abi_page fits its page");
_Static_assert(ABI_SERIES_OFFSET + ABI_PHASES * ABI_SERIES_MAX * 8ull <= ABI_RAM_BYTES,
	       "the series fit into RAM");

#endif
