/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract between the self-tests' payload (guest/selftest.c) and the tests of the
 * VMM that run it (host/selftest/selftest*.c). Needs nothing but bench/abi.h.
 *
 * A payload that finds something wrong stops with ABI_STATE_FAULT and a fault of its
 * own: vector SELFTEST_WRONG + what, syndrome what it got, address what it expected.
 */
#ifndef WS_BENCH_SELFTEST_H
#define WS_BENCH_SELFTEST_H

#include "bench/abi.h"

/* In abi_params.command. */
enum selftest_command {
	SELFTEST_REGS = 100, /* fills all registers, rings STOP, and checks them */
	SELFTEST_ACCESS,     /* accesses of all widths, both directions, strings */
	SELFTEST_WRITES, /* `events` 4-byte writes of 0, 1, ... to memory and to a port */
	SELFTEST_IRQ,	 /* rings STOP, then waits for `events` interrupts */
	SELFTEST_WINDOW, /* SELFTEST_IRQ with interrupts masked for a while */
	SELFTEST_NMI,	 /* x86_64: rings STOP, then waits for `events` NMIs */
	SELFTEST_VCPUS,	 /* the other CPUs answer the boot CPU, `events` times */
	SELFTEST_DEBUG,	 /* `events` software breakpoints */
	SELFTEST_HYPERCALL, /* a hypercall to the VMM; its result is in the series */
	SELFTEST_SPIN,	    /* forever: loops, rings BEGIN, loops longer */
	SELFTEST_PMU_MSRS,  /* x86_64: the rules of each PMU register of the VMM */
	SELFTEST_HALT,	    /* `events` times: rings BEGIN, halts until an interrupt */
	SELFTEST_TOUCH,	    /* writes to `events` pages from ABI_SLOT_GPA on */
	SELFTEST_LPI, /* aarch64: an LPI pending, rings STOP, handles it and a second LPI
		       */
	SELFTEST_BUS_LOCK, /* x86_64: `events` locked additions across two lines */
	/* The vCPUs in the mask `operand` break, as `events` says; the others wait. */
	SELFTEST_BREAK,
	SELFTEST_COUNTER, /* aarch64: rings BEGIN, then reads PMCCNTR `events` times; */
			  /* and again; and rings BEGIN */
};

/* In abi_params.events of SELFTEST_BREAK. */
enum selftest_break {
	SELFTEST_BREAK_EXCEPTION, /* an unexpected exception */
	SELFTEST_BREAK_EXIT,	  /* an exit that the VMM does not handle */
	SELFTEST_BREAK_OFF,	  /* x86_64: a triple fault; aarch64: PSCI SYSTEM_OFF */
	SELFTEST_BREAKS,
};

/* abi_params.batch is not 0 if the VM has an in-kernel interrupt controller. */

/* In abi_params.warmup: a software KVM, which emulates neither SSE nor the x87. */
#define SELFTEST_NO_VECTORS 1u

/* In abi_params.batches: SELFTEST_REGS does not check the registers. */
#define SELFTEST_REPORT_ONLY 1u

#define SELFTEST_WRONG 0x57530000ull

/* Register contents: general, low and high half of vector, special registers. */
#define SELFTEST_GENERAL(n) (0x5e1f7e5700000000ull + 0x01010101ull * ((n) + 1))
#define SELFTEST_LOW(n)	    (0x0f0e0d0c0b0a0900ull + (n))
#define SELFTEST_HIGH(n)    (0xf0e0d0c0b0a09000ull + (n))
#define SELFTEST_SPECIAL(n) (0x0000123400000000ull + 0x1000ull * ((n) + 1))

/*
 * The registers that SELFTEST_REGS read after the doorbell, in series EVENT: general
 * registers by the encoding's number (31: SP of aarch64), then at these indices the
 * others.
 */
#define SELFTEST_AT_FLAGS   32u /* RFLAGS; NZCV */
#define SELFTEST_AT_PC	    33u /* after the doorbell's instruction */
#define SELFTEST_AT_VECTOR  64u /* low and high half of each */
#define SELFTEST_AT_SPECIAL 128u
#define SELFTEST_SEEN	    192u

/* x86_64: unclaimed ports and addresses for the test of widths and strings. */
#define SELFTEST_PORT	     0x600u
#define SELFTEST_STRING	     13u /* items of a string instruction */
#define SELFTEST_MMIO_OFFSET 0x800ull

/* The nth byte that an access writes, and that it reads. */
#define SELFTEST_WRITTEN(n) ((uint8_t)(0x31 + 7 * (n)))
#define SELFTEST_READ(n)    ((uint8_t)(0xc1 - 5 * (n)))

/* Interrupts: x86_64's vectors, in this order; aarch64's SPI. */
#define SELFTEST_VECTOR	     0x61u
#define SELFTEST_VECTOR_HIGH 0x91u
#define SELFTEST_INTID	     40u
#define SELFTEST_GSI	     5u /* of the IOAPIC */

#endif
