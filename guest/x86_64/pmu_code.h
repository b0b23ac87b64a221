/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sequences of instructions whose counts are known, and accesses that may fault. */
#ifndef WS_GUEST_X86_64_PMU_CODE_H
#define WS_GUEST_X86_64_PMU_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/runtime.h"

/*
 * 1000 dependent additions of registers: a cycle each on all CPUs, and in an emulator
 * that counts a cycle per instruction. (CPUs eliminate moves, and additions of a
 * constant.) Changes EAX.
 */
#define CHAIN_CYCLES 1000
#define CHAIN_CODE                                                                       \
	".rept 1000\n\t"                                                                 \
	"add %%eax, %%eax\n\t"                                                           \
	".endr"

/* 1 + 1000 x 2 instructions (a fused pair retires as two); half of the 2000 branch.
 * Changes EAX. */
#define LOOP_INSTRUCTIONS 2001
#define LOOP_BRANCHES	  1000
#define LOOP_CODE                                                                        \
	"mov $1000, %%eax\n\t"                                                           \
	"1: dec %%eax\n\t"                                                               \
	"jnz 1b"

/* false: #GP. */
static inline bool try_wrmsr(uint32_t msr, uint64_t value)
{
	uint32_t done;

	__asm__ volatile("xor %0, %0\n\t"
			 "1: wrmsr\n\t"
			 "mov $1, %0\n\t"
			 "2:\n\t" RUNTIME_FIXUP("1b", "2b")
			 : "=&r"(done)
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "cc", "memory");
	return done;
}

/* After #GP the value is 0. */
static inline bool try_rdmsr(uint32_t msr, uint64_t *value)
{
	uint32_t low = 0, high = 0, done;

	__asm__ volatile("xor %0, %0\n\t"
			 "1: rdmsr\n\t"
			 "mov $1, %0\n\t"
			 "2:\n\t" RUNTIME_FIXUP("1b", "2b")
			 : "=&r"(done), "+a"(low), "+d"(high)
			 : "c"(msr)
			 : "cc", "memory");
	*value = low | (uint64_t)high << 32;
	return done;
}

static inline bool try_rdpmc(uint32_t index, uint64_t *value)
{
	uint32_t low = 0, high = 0, done;

	__asm__ volatile("xor %0, %0\n\t"
			 "1: rdpmc\n\t"
			 "mov $1, %0\n\t"
			 "2:\n\t" RUNTIME_FIXUP("1b", "2b")
			 : "=&r"(done), "+a"(low), "+d"(high)
			 : "c"(index)
			 : "cc", "memory");
	*value = low | (uint64_t)high << 32;
	return done;
}

#endif
