/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether an instruction invalidates a translation that the CPU has cached. */
#ifndef WS_GUEST_AARCH64_REMAP_H
#define WS_GUEST_AARCH64_REMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/abi.h"

#define REMAPPED	 0x80000000ull /* level 1 has nothing there */
#define LEVEL1_SHIFT	 30
#define DESCRIPTOR_TABLE 0x3
#define BLOCK_RAM	 0x705 /* as in boot.S */

static inline uint64_t remap_first_word(uint64_t gva)
{
	uint64_t word;

	__asm__ volatile("dsb ishst\n\t"
			 "isb\n\t"
			 "ldr %0, [%1]"
			 : "=r"(word)
			 : "r"(gva)
			 : "memory");
	return word;
}

/*
 * An address whose translation changes from the block of the image to that of the
 * parameters. It is invalid in between: no two translations are valid at a time, and the
 * CPU reads the second only if `invalidate` invalidates the first, which it has cached
 * (Arm ARM, D8.16, break-before-make). The table is in this CPU's RAM, whichever window
 * that is (bench/abi.h).
 */
static inline bool remap_is_seen(void (*invalidate)(void))
{
	static uint64_t level2[512] __attribute__((aligned(4096)));
	const uint64_t in_ram = ABI_RAM_BYTES - 1;
	uint64_t root, ram;
	uint64_t *level1;
	bool cached;

	__asm__ volatile("mrs %0, ttbr0_el1" : "=r"(root));
	ram = root & ~in_ram;
	level1 = (uint64_t *)(ABI_AARCH64_RAM_GPA + (root & in_ram));
	level2[0] = (ram + ABI_IMAGE_OFFSET) | BLOCK_RAM;
	level1[REMAPPED >> LEVEL1_SHIFT] =
		(ram + ((uint64_t)level2 & in_ram)) | DESCRIPTOR_TABLE;
	cached = remap_first_word(REMAPPED) ==
		 remap_first_word(ABI_AARCH64_RAM_GPA + ABI_IMAGE_OFFSET);
	level2[0] = 0;
	invalidate();
	level2[0] = (ram + ABI_PAGE_OFFSET) | BLOCK_RAM;
	return cached && remap_first_word(REMAPPED) == ABI_MAGIC;
}

#endif
