/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A payload that is a hypervisor (L1) and its own guest (L2): el2.S, and bodies
 * (bench/aarch64/nested.c).
 */
#ifndef WS_GUEST_AARCH64_NESTED_H
#define WS_GUEST_AARCH64_NESTED_H

/* HCR_EL2 (Arm ARM, D19.2): the fields that are used here. */
#define HCR_VM	  (1 << 0)
#define HCR_SWIO  (1 << 1)
#define HCR_PTW	  (1 << 2)
#define HCR_FMO	  (1 << 3)
#define HCR_IMO	  (1 << 4)
#define HCR_AMO	  (1 << 5)
#define HCR_FB	  (1 << 9)
#define HCR_BSUIS (1 << 10)
#define HCR_TWI	  (1 << 13)
#define HCR_TWE	  (1 << 14)
#define HCR_TID1  (1 << 16)
#define HCR_TID3  (1 << 18)
#define HCR_TSC	  (1 << 19)
#define HCR_TIDCP (1 << 20)
#define HCR_TACR  (1 << 21)
#define HCR_TSW	  (1 << 22)
/* Beyond 32 bits, and bit 31: for the preprocessor of C and of the assembler. */
#define HCR_TGE	  0x08000000
#define HCR_RW	  0x80000000
#define HCR_E2H	  0x400000000
#define HCR_TLOR  0x800000000

/* While EL2 itself runs: no guest. */
#define EL2_HCR_HOST (HCR_E2H | HCR_RW | HCR_TGE)

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "guest/runtime.h"

static inline bool nested_is_el2(void)
{
	uint64_t el;

	__asm__ volatile("mrs %0, CurrentEL" : "=r"(el));
	return el == 2 << 2;
}

/*
 * At EL2: the caller continues at EL1. `vectors` and `sp` are VBAR_EL2 and SP_EL2 from
 * then on. VTTBR_EL2 has a stage 2, which HCR_VM enables.
 */
void el2_enter(uint64_t hcr, const char *vectors, volatile uint64_t *sp);

/*
 * The rest of the payload is a guest (L2), and what remains of L1 are `vectors`, with the
 * address of runtime_l1_exits in SP_EL2. false: there is no EL2.
 */
static inline bool nested_begin(const struct abi_params *params, uint64_t hcr,
				const char *vectors)
{
	if (!nested_is_el2())
		return false;
	el2_enter(hcr, vectors, &runtime_l1_exits.sum);
	runtime_touch(params);
	(void)clock_start();
	(void)clock_stop();
	return true;
}

/* The classes of ESR_EL2 that an exit of L2 may have: sets Z. */
#define NESTED_CLASS(class) "cmp x16, #" class "\n\t"
#define NESTED_CLASSES(class, other)                                                     \
	NESTED_CLASS(class) "ccmp x16, #" other ", #4, ne\n\t"

#define NESTED_TABLE(name, sync)                                                         \
	".balign 2048\n" #name ":\n\t"                                                   \
	".set offset, 0\n\t"                                                             \
	".rept 16\n\t"                                                                   \
	".balign 128\n\t"                                                                \
	".if offset == 0x400\n\t" sync ".else\n\t"                                       \
	"mov x16, #offset\n\t"                                                           \
	"b el2_unexpected\n\t"                                                           \
	".endif\n\t"                                                                     \
	".set offset, offset + 0x80\n\t"                                                 \
	".endr\n\t"                                                                      \
	".org " #name " + 2048\n\t"

/*
 * Defines vectors of EL2. `sync` handles the synchronous exceptions of L2; every other
 * exception stops the payload, and so does the first exit if its class is not among
 * `classes`. The first exit stores its ESR_EL2, and changes VBAR_EL2 to the vectors that
 * the row times: they do not check the cause, but add it to a sum. `sync` and the check
 * are at most 32 instructions, or the assembler stops at .org. The vectors are in a
 * section of their own, so that the linker drops those of other rows of a page.
 */
#define NESTED_VECTORS(name, classes, sync)                                              \
	extern const char name[];                                                        \
	__asm__(".pushsection .text." #name ", \"ax\"\n\t"                               \
		".arch_extension lse\n\t" NESTED_TABLE(                                  \
			name,                                                            \
			"mrs x16, esr_el2\n\t"                                           \
			"str x16, [sp, #8]\n\t" /* runtime_l1_exits.each */              \
			"lsr x16, x16, #26\n\t" classes "b.ne " #name "_unexpected\n\t"  \
			"adr x16, " #name "_unchecked\n\t"                               \
			"msr vbar_el2, x16\n\t" sync)                                    \
			NESTED_TABLE(name##_unchecked, sync) #name                       \
		"_unexpected:\n\t"                                                       \
		"mov x16, #0x400\n\t"                                                    \
		"b el2_unexpected\n\t"                                                   \
		".popsection")

#endif
#endif
