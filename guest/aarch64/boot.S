/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From reset to C at EL1: translation tables, caches, vectors, stack. Also at EL2 with
 * HCR_EL2.E2H, where the names of EL1's registers mean those of EL2 (el2.S).
 *
 * The tables are constants of the image: written with the MMU off, they could be
 * hidden by stale cache lines when the MMU is enabled (Arm ARM, D7.5; Linux's
 * Documentation/arm64/booting.rst asks loaders to clean the image for the same
 * reason).
 */

/* Two attributes: 0 Device-nGnRnE, 1 Normal write-back (Arm ARM, MAIR_EL1). */
#define MAIR 0xff00

/* Level 1 block descriptors of 1 GiB (Arm ARM, D8.3.1). */
#define BLOCK	     0x1
#define BLOCK_AF     (1 << 10)
#define BLOCK_SH     (3 << 8) /* inner shareable */
#define BLOCK_ATTR1  (1 << 2)
#define BLOCK_XN     (3 << 53) /* UXN, PXN */
#define BLOCK_DEVICE (BLOCK | BLOCK_AF | BLOCK_XN)
#define BLOCK_RAM    (BLOCK | BLOCK_AF | BLOCK_SH | BLOCK_ATTR1)

/*
 * TCR_EL1: T0SZ 25 (39 bits: the walk starts at level 1), write-back walks, inner
 * shareable, 4 KiB granule, no TTBR1 walks, 36-bit physical addresses.
 */
#define TCR (25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 1 << 32)

/* The memory slots beside RAM (ABI_SLOT_GPA), in blocks of 1 GiB. */
#define SLOT_FIRST_BLOCK 4
#define SLOT_BLOCKS	 8

/* The upper half of X4 on the other CPUs (bench/abi.h, ABI_SECONDARY, ABI_WINDOW). */
#define SECONDARY_MARK 0x5753
#define WINDOW_MARK    0x5754

/* bench/abi.h: the VMM's translation tables of a window, from its begin */
#define ABI_RAM_BYTES	  0x1000000
#define ABI_TABLES_OFFSET 0xc00000

#define BOOT_STACK_BYTES      16384
#define SECONDARY_STACK_BYTES 4096 /* of each of SECONDARIES */
#define SECONDARIES	      3

#define SCTLR_M (1 << 0)
#define SCTLR_C (1 << 2)
#define SCTLR_I (1 << 12)

	.section .boot, "ax"
	.weak entry /* el2.S has another */
	.globl boot
entry:
boot:
	msr daifset, #0xf
	ldr x0, =MAIR
	msr mair_el1, x0
	ldr x0, =TCR
	msr tcr_el1, x0
	adrp x0, level1
	/* The MMU is off: ADR returns the address in the window. */
	lsr x1, x4, #16
	mov x2, #WINDOW_MARK
	cmp x1, x2
	b.ne 1f
	adr x0, boot
	and x0, x0, #~(ABI_RAM_BYTES - 1)
	add x0, x0, #ABI_TABLES_OFFSET
1:	msr ttbr0_el1, x0
	dsb ish
	tlbi vmalle1
	ic iallu
	dsb ish
	isb
	mrs x0, sctlr_el1
	mov x1, #SCTLR_M | SCTLR_C
	orr x1, x1, #SCTLR_I
	orr x0, x0, x1
	msr sctlr_el1, x0
	isb
	/* Where the image is linked; in a window, another address of this code. */
	ldr x0, =linked
	br x0
linked:
	adrp x0, vectors
	add x0, x0, :lo12:vectors
	msr vbar_el1, x0
	msr spsel, #1
	adrp x0, stack_top
	add x0, x0, :lo12:stack_top
	mov sp, x0
	isb
	lsr x1, x4, #16
	mov x2, #SECONDARY_MARK
	cmp x1, x2
	b.eq secondary
	bl runtime_main

	/* X4: the mark, and below it this CPU's index, from 1. */
secondary:
	and x0, x4, #0xffff
	cmp x0, #SECONDARIES
	b.hi park /* no stack for this CPU */
	mov x1, #SECONDARY_STACK_BYTES
	mov x2, sp
	madd x1, x0, x1, x2
	mov sp, x1
	bl runtime_secondary
park:
	wfi
	b park

	/* The frame of machine_vector(): x0-x30, a hole, ELR, SPSR. */
#define FRAME_BYTES 272
#define FRAME_ELR   256

	.macro save_and_enter offset
	sub sp, sp, #FRAME_BYTES
	stp x0, x1, [sp]
	mov x0, #\offset
	b vector_common
	.endm

	.macro vector offset
	.balign 0x80
	save_and_enter \offset
	.endm

	/*
	 * An interrupt that a body waits for jumps to the body's handler, with X16 and
	 * X17 on the stack and X16 overwritten: gic_handler() in guest/aarch64/gic.h.
	 */
	.macro irq_vector
	.balign 0x80
	stp x16, x17, [sp, #-16]!
	adrp x16, irq_path
	ldr x16, [x16, :lo12:irq_path]
	br x16
	.endm

	.balign 0x800
vectors:
	.irp offset, 0x000, 0x080, 0x100, 0x180, 0x200
	vector \offset
	.endr
	irq_vector
	.irp offset, 0x300, 0x380, 0x400, 0x480, 0x500, 0x580, 0x600, 0x680, \
		0x700, 0x780
	vector \offset
	.endr

	/* Interrupts without a handler are reported as faults. */
irq_unexpected:
	ldp x16, x17, [sp], #16
	save_and_enter 0x280

vector_common:
	stp x2, x3, [sp, #16]
	stp x4, x5, [sp, #32]
	stp x6, x7, [sp, #48]
	stp x8, x9, [sp, #64]
	stp x10, x11, [sp, #80]
	stp x12, x13, [sp, #96]
	stp x14, x15, [sp, #112]
	stp x16, x17, [sp, #128]
	stp x18, x19, [sp, #144]
	stp x20, x21, [sp, #160]
	stp x22, x23, [sp, #176]
	stp x24, x25, [sp, #192]
	stp x26, x27, [sp, #208]
	stp x28, x29, [sp, #224]
	str x30, [sp, #240]
	mrs x2, elr_el1
	mrs x3, spsr_el1
	stp x2, x3, [sp, #FRAME_ELR]
	mov x1, sp
	bl machine_vector
	ldp x2, x3, [sp, #FRAME_ELR]
	msr elr_el1, x2
	msr spsr_el1, x3
	ldp x2, x3, [sp, #16]
	ldp x4, x5, [sp, #32]
	ldp x6, x7, [sp, #48]
	ldp x8, x9, [sp, #64]
	ldp x10, x11, [sp, #80]
	ldp x12, x13, [sp, #96]
	ldp x14, x15, [sp, #112]
	ldp x16, x17, [sp, #128]
	ldp x18, x19, [sp, #144]
	ldp x20, x21, [sp, #160]
	ldp x22, x23, [sp, #176]
	ldp x24, x25, [sp, #192]
	ldp x26, x27, [sp, #208]
	ldp x28, x29, [sp, #224]
	ldr x30, [sp, #240]
	ldp x0, x1, [sp]
	add sp, sp, #FRAME_BYTES
	eret

	.section .data
	.balign 4096
level1:
	.quad BLOCK_DEVICE
	.quad 0x40000000 | BLOCK_RAM
	.fill SLOT_FIRST_BLOCK - 2, 8, 0
	.set block, SLOT_FIRST_BLOCK
	.rept SLOT_BLOCKS
	.quad block << 30 | BLOCK_RAM
	.set block, block + 1
	.endr
	.fill 512 - SLOT_FIRST_BLOCK - SLOT_BLOCKS, 8, 0
	.globl irq_path
irq_path:
	.quad irq_unexpected

	.bss
	.balign 16
	.skip BOOT_STACK_BYTES
stack_top:
	.skip SECONDARIES * SECONDARY_STACK_BYTES

	.section .note.GNU-stack, "", @progbits
