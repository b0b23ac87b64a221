/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the PVH entry to C: 32-bit protected mode without paging, flat segments
 * (Xen's PVH boot protocol), on to long mode with an identity map, caches on.
 *
 * QEMU enters a bare ELF image by the PVH entry, and the VMM sets its state with one
 * KVM_SET_SREGS: one image serves all targets.
 */
/* bench/abi.h */
#define ABI_SECONDARY	   0x57530000
#define ABI_WINDOW	   0x57540000
#define ABI_SECONDARY_MASK 0xffff0000
#define ABI_RAM_SHIFT	   24
#define ABI_TABLES_OFFSET  0xc00000
#define SECONDARIES	   3
#define STACK_BYTES	   16384

/* Page table bits (Intel SDM 3A, 4.5). */
#define PTE_TABLE  0x003 /* present, writable */
#define PTE_RAM    0x083 /* present, writable, 2 MiB page */
#define PTE_DEVICE 0x09b /* PTE_RAM, write-through, cache disabled */

#define CR0_PE 0x00000001
#define CR0_MP 0x00000002
#define CR0_ET 0x00000010
#define CR0_NE 0x00000020
#define CR0_WP 0x00010000
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define EFER	 0xc0000080
#define EFER_LME 0x100

	/* Tells QEMU the entry point (XEN_ELFNOTE_PHYS32_ENTRY). */
	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 4, 18
	.asciz "Xen"
	.long entry32

	.section .boot, "ax"
	.code32
	.globl entry32
entry32:
	cld
	cli
	/*
	 * PML4[0] -> PDPT; PDPT[0] -> first GiB, [3] -> fourth, [4] -> fifth. All
	 * CPUs do this at the same time: each entry is written once, by each CPU
	 * with the same value.
	 */
	movl $pdpt + PTE_TABLE, pml4
	movl $pd_ram + PTE_TABLE, pdpt
	movl $pd_device + PTE_TABLE, pdpt + 3 * 8
	movl $pd_slot + PTE_TABLE, pdpt + 4 * 8
	/* RAM: 8 pages of 2 MiB. */
	xorl %ecx, %ecx
1:	movl %ecx, %eax
	shll $21, %eax
	orl $PTE_RAM, %eax
	movl %eax, pd_ram(, %ecx, 8)
	incl %ecx
	cmpl $8, %ecx
	jne 1b
	/* The MMIO window and the APICs: whole fourth GiB, uncached. */
	xorl %ecx, %ecx
1:	movl %ecx, %eax
	shll $21, %eax
	addl $0xc0000000 + PTE_DEVICE, %eax
	movl %eax, pd_device(, %ecx, 8)
	incl %ecx
	cmpl $512, %ecx
	jne 1b
	/* The slot of rows about stage-2 faults: the GiB from ABI_SLOT_GPA, cached. */
	xorl %ecx, %ecx
1:	movl %ecx, %eax
	shll $21, %eax
	orl $PTE_RAM, %eax
	movl %eax, pd_slot(, %ecx, 8)
	movl $1, pd_slot + 4(, %ecx, 8)
	incl %ecx
	cmpl $512, %ecx
	jne 1b

	/*
	 * In a window: the VMM's tables, after which the same addresses are those of
	 * this CPU's copy of the image.
	 */
	movl $pml4, %eax
	movl %ebp, %ecx
	andl $ABI_SECONDARY_MASK, %ecx
	cmpl $ABI_WINDOW, %ecx
	jne 1f
	movzwl %bp, %eax
	shll $ABI_RAM_SHIFT, %eax
	addl $ABI_TABLES_OFFSET, %eax
1:	movl %eax, %cr3
	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $EFER, %ecx
	rdmsr
	orl $EFER_LME, %eax
	wrmsr
	movl $CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE, %eax
	movl %eax, %cr0
	lgdt gdtr
	ljmp $8, $entry64

	.code64
entry64:
	movl $16, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movl %ebp, %eax
	andl $ABI_SECONDARY_MASK, %eax
	cmpl $ABI_SECONDARY, %eax
	je secondary
	movq $stack_top, %rsp
	call runtime_main

	/* The stack of secondary n (from 1) ends n stacks above the boot CPU's. */
secondary:
	movzwl %bp, %edi
	imull $STACK_BYTES, %edi, %eax
	leaq stack_top(%rax), %rsp
	call machine_secondary

	/*
	 * One stub per vector, all of 16 bytes: machine.c computes their
	 * addresses. Vectors 8, 10-14, 17, 21, 29 and 30 push an error code
	 * (Intel SDM 3A, table 6-1; AMD APM 2, 8.2); the others get a zero.
	 */
	.globl vector_stubs
	.balign 16
vector_stubs:
	.set vector, 0
	.rept 32
	.balign 16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	pushq $0
	.endif
	pushq $vector
	jmp vector_common
	.set vector, vector + 1
	.endr

vector_common:
	push %rax
	push %rbx
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %rbp
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	cld
	movq %rsp, %rdi
	movq %rsp, %rbp
	andq $-16, %rsp
	call machine_vector
	movq %rbp, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rbp
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
	addq $16, %rsp /* vector, error code */
	iretq

	.section .rodata
	.balign 8
gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* 64-bit code, accessed */
	.quad 0x00cf93000000ffff /* data, accessed */
gdtr:
	.word . - gdt - 1
	.long gdt

	.bss
	.balign 4096
pml4:	.skip 4096
pdpt:	.skip 4096
pd_ram:	.skip 4096
pd_device:
	.skip 4096
pd_slot:
	.skip 4096
	.skip STACK_BYTES
stack_top:
	.skip STACK_BYTES * SECONDARIES

	.section .note.GNU-stack, "", @progbits
