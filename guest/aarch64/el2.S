/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A payload that is a hypervisor (L1): it begins at EL2, and can go on at EL1 as its own
 * guest (L2). On a bare machine EL2 is the CPU's; under KVM (L0) it is the virtual EL2 of
 * FEAT_NV2.
 *
 * At EL2 with HCR_EL2.E2H the names of EL1's registers mean those of EL2, and the EL2&0
 * translation regime has the format of EL1's (Arm ARM, D5.6 "VHE"): boot.S and the whole
 * runtime run at EL2 as they are.
 */
#include "guest/aarch64/nested.h"

#define EL2 (2 << 2)

#define EL1H_DAIF 0x3c5

/* Registers of EL1, as EL2 names them with E2H; older assemblers do not know the names. */
#define SCTLR_EL12 s3_5_c1_c0_0
#define TTBR0_EL12 s3_5_c2_c0_0
#define TCR_EL12   s3_5_c2_c0_2
#define MAIR_EL12  s3_5_c10_c2_0
#define VBAR_EL12  s3_5_c12_c0_0

/*
 * VTCR_EL2: T0SZ 25 (39 bits: the walk starts at level 1, SL0 1), write-back walks, inner
 * shareable, 4 KiB granule, 40-bit physical addresses, bit 31 RES1.
 */
#define VTCR (25 | 1 << 6 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16 | 1 << 31)
#define VMID (1 << 48)

/* Level 1 block descriptors of stage 2, 1 GiB, readable and writable (Arm ARM, D8.3.1). */
#define BLOCK	     (0x1 | 3 << 6 | 1 << 10)
#define BLOCK_DEVICE (BLOCK | 1 << 2 | 1 << 54)
#define BLOCK_RAM    (BLOCK | 0xf << 2 | 3 << 8)

#define FAULT_OF_L2 63 /* the bit of ABI_FAULT_OF_L2 */
#define LOWER_EL    0x400

#define STACK_BYTES 4096

	.section .boot, "ax"
	.globl entry
entry:
	mrs x0, CurrentEL
	cmp x0, #EL2
	b.ne boot
	ldr x0, =EL2_HCR_HOST
	msr hcr_el2, x0
	msr cntvoff_el2, xzr
	isb
	b boot

	/*
	 * el2_enter(hcr, vectors, sp): the caller continues at EL1, with its stack and the
	 * same translation. EL2 keeps `vectors` for what L2 exits with, and `sp`.
	 */
	.text
	.globl el2_enter
el2_enter:
	mrs x3, sctlr_el1
	msr SCTLR_EL12, x3
	mrs x3, tcr_el1
	msr TCR_EL12, x3
	mrs x3, ttbr0_el1
	msr TTBR0_EL12, x3
	mrs x3, mair_el1
	msr MAIR_EL12, x3
	mrs x3, vbar_el1
	msr VBAR_EL12, x3
	ldr x3, =VTCR
	msr vtcr_el2, x3
	adrp x3, stage2
	mov x4, #VMID
	orr x3, x3, x4
	msr vttbr_el2, x3
	dsb ish
	tlbi vmalls12e1
	dsb ish
	msr tpidr_el2, x0 /* for vectors that change HCR_EL2 */
	msr hcr_el2, x0
	msr vbar_el2, x1
	mov x3, sp
	msr sp_el1, x3
	mov sp, x2
	msr elr_el2, x30
	mov x3, #EL1H_DAIF
	msr spsr_el2, x3
	isb
	eret

	/* PSCI by SMC, which EL2 makes as well as EL1 (unless EL2 traps it). */
	.globl machine_psci
machine_psci:
	smc #0
	ret

	/* X16: the offset of the vector. Reports the exception and stops. */
	.globl el2_unexpected
el2_unexpected:
	adrp x0, stack_top
	add x0, x0, :lo12:stack_top
	mov sp, x0
	mrs x1, esr_el2
	mrs x2, elr_el2
	mrs x3, far_el2
	mov x0, x16
	cmp x16, #LOWER_EL
	b.lo 1f
	orr x0, x0, #1 << FAULT_OF_L2
1:	stp x2, x3, [sp, #-16]!
	stp x0, x1, [sp, #-16]!
	mov x0, sp
	bl runtime_fault

	/*
	 * L2's physical memory is L1's, except for the slots from ABI_SLOT_GPA on: an access
	 * there exits to L1. A constant of the image, as level1 of boot.S.
	 */
	.section .data
	.balign 4096
stage2:
	.quad BLOCK_DEVICE
	.quad 0x40000000 | BLOCK_RAM
	.fill 510, 8, 0

	.bss
	.balign 16
	.skip STACK_BYTES
stack_top:

	.section .note.GNU-stack, "", @progbits
