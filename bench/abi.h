/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract between a payload and the program that runs it: one page of parameters
 * and results, the sample series after the page, and the doorbell.
 *
 * Guest and host compile this file, which needs nothing but <stdint.h>. The host treats
 * every value that the guest writes as hostile: check, copy, then use.
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
 *      `report.fault`), rings ABI_DOORBELL_STOP if ABI_FLAG_DOORBELL is set, and turns
 * the machine off.
 */
#ifndef WS_BENCH_ABI_H
#define WS_BENCH_ABI_H

#include <stdint.h>

#define ABI_MAGIC   0x3169626177737721ull /* "!wswabi1" in memory order */
#define ABI_VERSION 5

/* Guest memory: one contiguous range of RAM. */
#define ABI_X86_64_RAM_GPA  0x0ull
#define ABI_AARCH64_RAM_GPA 0x40000000ull
#define ABI_RAM_BYTES	    0x1000000ull /* 16 MiB */

/*
 * Offsets from the start of RAM. Images are linked from 2 MiB to 4 MiB: the PC's first
 * megabyte and, on QEMU's arm64 machine, the device tree are below.
 */
#define ABI_IMAGE_OFFSET 0x200000ull
#define ABI_PAGE_OFFSET	 0x400000ull
#define ABI_PAGE_BYTES	 0x1000ull

/* The series follow the page: ABI_PHASES series of ABI_SERIES_MAX uint64_t each. */
#define ABI_SERIES_OFFSET (ABI_PAGE_OFFSET + ABI_PAGE_BYTES)
#define ABI_SERIES_MAX	  65536u

/* Guest-physical addresses that no memory slot covers. */
#define ABI_X86_64_MMIO_GPA	      0xd0000000ull
#define ABI_AARCH64_MMIO_GPA	      0x0d000000ull
#define ABI_X86_64_PIO_PORT	      0x510u
#define ABI_X86_64_DOORBELL_PORT      0x514u
#define ABI_X86_64_PIO_EVENTFD_PORT   0x518u /* in rows with an ioeventfd */
#define ABI_X86_64_PIO_COALESCED_PORT 0x51cu
#define ABI_X86_64_PIO_MATCH_PORT     0x51du
#define ABI_X86_64_PIO_ANY_PORT	      0x520u
#define ABI_AARCH64_DOORBELL_GPA      0x0d010000ull
#define ABI_AARCH64_GICD_GPA	      0x08000000ull
#define ABI_AARCH64_GITS_GPA	      0x08080000ull
#define ABI_AARCH64_GICR_GPA	      0x080a0000ull

/* The line of the PIC that the VMM raises before each event of hlt_kernel. */
#define ABI_X86_64_HLT_LINE 5u

/* Offsets from MMIO_GPA: ioeventfds and the coalesced zone of the rows that use them. */
#define ABI_MMIO_EVENTFD_OFFSET	  0x100ull
#define ABI_MMIO_COALESCED_OFFSET 0x200ull
#define ABI_MMIO_MATCH_OFFSET	  0x300ull
#define ABI_MMIO_ANY_OFFSET	  0x400ull

/* The value that signals an ioeventfd with datamatch. One byte. */
#define ABI_MATCH_VALUE 0x5au

/* The memory slot of rows about stage-2 faults: above all devices of both machines. */
#define ABI_SLOT_GPA 0x100000000ull

/* A hypercall of the vendor range, number "WS", that KVM's filter forwards to the VMM. */
#define ABI_AARCH64_HVC_USER 0x86005753u

/* Turns QEMU's PC off when no VMM handles the doorbell: isa-debug-exit. */
#define ABI_X86_64_OFF_PORT	  0xf4u
/* Turns Bochs off: this word, a byte at a time. */
#define ABI_X86_64_BOCHS_OFF_PORT 0x8900u
#define ABI_X86_64_BOCHS_OFF_WORD "Shutdown"

/* The line that the host raises for the payload `host_timed`: an IOAPIC pin; an SPI. */
#define ABI_X86_64_IRQ_LINE  20
#define ABI_AARCH64_IRQ_LINE 32

/*
 * The messages that the host sends to the payload `host_timed_msi`: the vector of the
 * only one; events 0 to `operand` - 1 of device 0, at most ABI_AARCH64_MSI_EVENTS.
 */
#define ABI_X86_64_MSI_GPA     0xfee00000ull
#define ABI_X86_64_MSI_VECTOR  0x51u
#define ABI_AARCH64_MSI_GPA    (ABI_AARCH64_GITS_GPA + 0x10040) /* GITS_TRANSLATER */
#define ABI_AARCH64_MSI_EVENTS 16u

/*
 * The other vCPUs start at the same entry in the same state. EBP (x86_64) or X4 (aarch64)
 * holds this number in the upper bits, and the vCPU's index (1, 2, ...) in the lower.
 */
#define ABI_SECONDARY	   0x57530000u
#define ABI_SECONDARY_MASK 0xffff0000u

/*
 * Windows: several vCPUs of one VM that run a copy of the payload each, for
 * `run --vcpus`. The RAM of vCPU n is the nth ABI_RAM_BYTES from the start of RAM, with
 * an image, a page and series of its own, and the VMM's translation tables at
 * ABI_TABLES_OFFSET map it to the addresses of the first window, and the vCPU's share of
 * the memory slot to ABI_SLOT_GPA. EBP or X4 holds this number in the upper bits, and the
 * vCPU's index (1, 2, ...) in the lower: the tables of the image are not used. The boot
 * CPU's window is the first; its state is that of the only CPU.
 */
#define ABI_WINDOW	  0x57540000u
#define ABI_TABLES_OFFSET 0xc00000ull

/* A doorbell is one 32-bit write: its kind in bits 7:0, the phase in bits 15:8. */
#define ABI_DOORBELL(doorbell, phase) ((uint32_t)(doorbell) | (uint32_t)(phase) << 8)
#define ABI_DOORBELL_KIND(value)      ((value)&0xffu)
#define ABI_DOORBELL_PHASE(value)     (((value) >> 8) & 0xffu)

enum abi_doorbell {
	ABI_DOORBELL_BEGIN = 1,
	ABI_DOORBELL_END,
	ABI_DOORBELL_STOP,
	ABI_DOORBELL_AGAIN, /* rows with NEEDS_RELOAD: prepare the next event */
};

/*
 * The phases, in the order in which a boot runs them, and the series of the
 * same number. Every sample is a difference of two clock reads, in ticks.
 */
enum abi_phase {
	ABI_PHASE_WARMUP,     /* untimed bodies; no series */
	ABI_PHASE_NULL,	      /* empty timed region: the cost of the clock */
	ABI_PHASE_EVENT,      /* one body per sample */
	ABI_PHASE_TWIN,	      /* the body with a NOP as its exiting instruction */
	ABI_PHASE_BATCH,      /* (2n bodies) - (n bodies), one sample per pair */
	ABI_PHASE_BATCH_NULL, /* the same loops without a body */
	/* If the guest has a PMC: its counts, and the clock in the same events. */
	ABI_PHASE_PMC_NULL, /* empty timed region between two reads of the PMC */
	ABI_PHASE_PMC,	    /* one body per sample, between two reads of the PMC */
	/* Series only: they belong to the phases above. */
	ABI_PHASE_PMC_NULL_CLOCK,
	ABI_PHASE_PMC_CLOCK,
	ABI_PHASE_SPIN, /* PMC over loops that do not exit: half before PMC, half after */
	ABI_PHASE_SPIN_CLOCK,
	ABI_PHASES,
};

/* The parameters of a boot; read-only to the guest. */
struct abi_params {
	uint64_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t warmup;  /* bodies */
	uint32_t events;  /* samples of each of NULL, EVENT, TWIN, at most */
	uint32_t batch;	  /* bodies n of a batch; 0: no batch phase */
	uint32_t batches; /* samples of BATCH, at most */
	/* Payload host_timed: enum abi_command; pmu_map: PMU_COMMAND() of bench/pmu.h. */
	uint32_t command;
	uint32_t pmc_events; /* samples of each of PMC_NULL, PMC; 0: no PMC phases */
	uint32_t spins;	     /* samples of SPIN; even */
	/*
	 * pmu_map: the register; pmu_accuracy: the subject; host_timed_msi: events;
	 * host_timed_memory: pages
	 */
	uint32_t operand;
	uint32_t pace; /* longest loop that times the CPU, in multiplications; 0: none */
	/*
	 * NULL, EVENT and TWIN end early, after a block of `repeat` samples that equals
	 * the block before it, value by value; the batches end after two equal ones. So
	 * do the series of rows that the host times. 0: every phase has all its samples.
	 */
	uint32_t repeat;
	uint32_t
		clock_reads; /* most pairs that find the clock's step; 0: for any clock */
	uint32_t clock_khz;  /* the rate of the guest's clock; 0: unknown to the host */
};

/* The largest number of bodies of a boot, twins not counted: a batch's sample is n, then
 * 2n. */
static inline uint64_t abi_bodies(const struct abi_params *p)
{
	return p->warmup + p->events + 3ull * p->batch * p->batches + p->pmc_events;
}

/*
 * Whether the last block of the `n` samples so far repeats the block before it: more
 * samples would show nothing new. A pattern repeats if its period divides the block.
 */
static inline int abi_repeats(const uint64_t *series, uint32_t n, uint32_t block)
{
	uint32_t i;

	if (!block || !n || n % block || n < 2 * block)
		return 0;
	for (i = n - block; i < n; i++)
		if (series[i] != series[i - block])
			return 0;
	return 1;
}

/*
 * Ticks in `ns` nanoseconds (at most a second) of the guest's clock: by `hz`, the rate
 * that a register reports, or by the host's, or, if both are 0, at 3 GHz.
 */
static inline uint64_t abi_ticks(const struct abi_params *p, uint64_t hz, uint64_t ns)
{
	const uint64_t khz = hz ? hz / 1000 : p->clock_khz ? p->clock_khz : 3000000;

	return khz * ns / 1000000;
}

/* What the payload host_timed (guest/host_timed.c) does while the host times. */
enum abi_command {
	ABI_COMMAND_SPIN = 1, /* rings BEGIN once, then loops */
	ABI_COMMAND_DOORBELL, /* rings BEGIN forever */
	ABI_COMMAND_STAMP, /* rings END `events` times, and reads the clock around each */
	/* Rings END `events` times, and reads the clock in the interrupt after each. */
	ABI_COMMAND_INTERRUPT,
	ABI_COMMAND_WAIT, /* SPIN, but yields the CPU where an emulator runs CPUs in turns
			   */
	/* Payload host_timed_memory: stores to pages of the slot at ABI_SLOT_GPA. */
	ABI_COMMAND_TOUCH,	 /* to `operand` pages, then rings END; forever */
	ABI_COMMAND_TOUCH_STAMP, /* to `events` pages, and reads the clock around each */
	ABI_COMMAND_STOP,	 /* done at once: rings STOP forever */
};

/* When the guest times the loop that shows the CPU's frequency. */
enum abi_pace {
	ABI_PACE_BEGIN,
	ABI_PACE_MIDDLE,
	ABI_PACE_END,
	ABI_PACES,
};

#define ABI_FLAG_DOORBELL (1u << 0) /* the VMM handles the doorbell */
#define ABI_FLAG_PMU	  (1u << 1) /* the VM has a PMU: the guest may set it up */

enum abi_state {
	ABI_STATE_RESET, /* zeroed memory: the guest never ran */
	ABI_STATE_RUNNING,
	ABI_STATE_DONE,
	ABI_STATE_FAULT,   /* an unexpected exception: see `fault` */
	ABI_STATE_REFUSED, /* magic or version did not match */
	ABI_STATE_ABSENT,  /* the machine lacks what the row needs */
	/* The body sleeps until the host's next interrupt, or the probe for this runs. */
	ABI_STATE_SLEEPS,
	ABI_STATE_TOO_MANY, /* more bodies than the row's memory has room for */
	ABI_STATE_STILL,    /* a counter that the guest has enabled does not count */
	/* What the row times changed nothing: the CPU, or KVM, did not execute it. */
	ABI_STATE_NO_EFFECT,
};

/*
 * An exception that the payload did not expect; with ABI_FAULT_OF_L2 in `vector`, an exit
 * of its guest: the rest is the reason, then qualification or information; with
 * ABI_FAULT_OF_ENTRY, VMLAUNCH or VMRESUME failed: the rest is the VM-instruction error.
 */
#define ABI_FAULT_OF_L2	   (1ull << 63)
#define ABI_FAULT_OF_ENTRY (1ull << 62)
struct abi_fault {
	uint64_t vector;   /* x86_64: vector; aarch64: offset into VBAR_EL1 */
	uint64_t syndrome; /* x86_64: error code; aarch64: ESR_EL1 */
	uint64_t pc;
	uint64_t address; /* CR2; FAR_EL1 */
};

/* Not all exits to L1 had the cause of the first one. */
#define ABI_L1_EXITS_DIFFER (~0ull)

/* The results of a boot. */
struct abi_report {
	uint64_t magic; /* written first: shows that the guest ran */
	uint32_t state;
	uint32_t phase;		      /* the last phase that began */
	uint64_t clock_hz;	      /* from the guest's registers; 0: unknown */
	uint64_t clock_step;	      /* greatest common divisor of differences, ticks */
	uint64_t clock_least;	      /* smallest non-zero difference, ticks */
	uint64_t pace[ABI_PACES];     /* ticks of the loop; 0: not timed */
	uint64_t samples[ABI_PHASES]; /* stored, per series */
	uint64_t faults[ABI_PHASES];  /* expected exceptions, per phase */
	/*
	 * Payloads with a guest of their own: its exits that they handled, per phase, or
	 * ABI_L1_EXITS_DIFFER.
	 */
	uint64_t l1_exits[ABI_PHASES];
	/* Rows with COUNTS_DELIVERIES: interrupts that their handler ended, per phase. */
	uint64_t deliveries[ABI_PHASES];
	struct abi_fault fault;
};

struct abi_page {
	struct abi_params params;
	struct abi_report report;
};

_Static_assert(sizeof(struct abi_params) == 64, "abi_params has a fixed layout");
_Static_assert(sizeof(struct abi_report) == 480, "abi_report has a fixed layout");
_Static_assert(sizeof(struct abi_page) <= ABI_PAGE_BYTES, "abi_page fits its page");
_Static_assert(ABI_SERIES_OFFSET + ABI_PHASES * ABI_SERIES_MAX * 8ull <= ABI_RAM_BYTES,
	       "the series fit into RAM");
_Static_assert(ABI_SERIES_OFFSET + ABI_PHASES * ABI_SERIES_MAX * 8ull <=
		       ABI_TABLES_OFFSET,
	       "a window's tables are behind the series");

#endif
