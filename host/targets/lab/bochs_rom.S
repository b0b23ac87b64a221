/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of the Bochs lab: from the CPU's reset straight into the kernel; and of
 * target bare:x86_64-bochs: into the payload.
 *
 * Bochs loads the memory of preload.h, where kernel, initramfs and page tables lie
 * ready, and this page at the end of the first 4 GiB. There is nothing to find, to
 * read or to ask: a PC's firmware and a boot loader would take longer than the kernel.
 *
 * No stack, and no memory but what preload.h lays out.
 */
#include "host/targets/lab/preload.h"

#define MSR_APIC_BASE	  0x1b
#define MSR_MTRR_BASE0	  0x200
#define MSR_MTRR_MASK0	  0x201
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MSR_EFER	  0xc0000080

#define SELECTOR_CODE32 8
#define SELECTOR_DATA	16
#define SELECTOR_CODE64 24

	.code16
	.globl start
/* SDM vol. 3A, 10.1.4: real mode, and CS has the base 0xffff0000. */
start:	cli
	cld
	lgdtl	%cs:(gdt_pointer - 0xffff0000)
	movl	%cr0, %eax
	orb	$1, %al			/* PE */
	movl	%eax, %cr0
	ljmpl	$SELECTOR_CODE32, $protected

	.code32
protected:
	movw	$SELECTOR_DATA, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	%ax, %fs
	movw	%ax, %gs
	movl	$PRELOAD_BASE, %ebx
	cmpl	$PRELOAD_MAGIC, PRELOAD_AT_MAGIC(%ebx)
	jne	payload

	/*
	 * Bochs gives a block of its memory to the guest when the guest first looks at
	 * it, block after block, but has loaded the whole image behind the first one.
	 * So look at them in order, before anything else: each gets what was loaded
	 * for it. The last word of the image tells whether that worked.
	 */
	movl	PRELOAD_AT_BYTES(%ebx), %ecx
	movl	%ebx, %edx
	addl	%ebx, %ecx
touch:	movl	(%edx), %eax
	addl	$4096, %edx
	cmpl	%ecx, %edx
	jb	touch
	cmpl	$PRELOAD_MAGIC, -4(%ecx)
	jne	off

	/* From now on a reset is an end: the kernel has panicked, or the job is done. */
	movl	$0, PRELOAD_AT_MAGIC(%ebx)

	/*
	 * What kernels expect of firmware. APIC base: enabled, bootstrap processor
	 * (SDM vol. 3A, 11.4.4). MTRRs: memory is write-back, all above 3 GiB is
	 * uncached, enabled (12.11.2): without them, Linux does without the PAT.
	 */
	xorl	%edx, %edx
	movl	$0xfee00900, %eax
	movl	$MSR_APIC_BASE, %ecx
	wrmsr
	movl	$0xc0000000, %eax
	movl	$MSR_MTRR_BASE0, %ecx
	wrmsr
	movl	$0xc0000800, %eax
	movl	$0xff, %edx
	movl	$MSR_MTRR_MASK0, %ecx
	wrmsr
	xorl	%edx, %edx
	movl	$0xc06, %eax
	movl	$MSR_MTRR_DEF_TYPE, %ecx
	wrmsr

	/* Long mode (10.8.5): PAE, the prepared tables, LME, paging. */
	movl	$0x20, %eax		/* CR4.PAE */
	movl	%eax, %cr4
	movl	PRELOAD_AT_TABLES(%ebx), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$0x100, %eax		/* LME */
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000000, %eax	/* PG */
	movl	%eax, %cr0
	ljmpl	$SELECTOR_CODE64, $long_mode

	/* The kernel's 64-bit entry: RSI is boot_params (Documentation/x86/boot.rst). */
	.code64
long_mode:
	movl	PRELOAD_AT_PARAMS(%rbx), %esi
	movl	PRELOAD_AT_ENTRY(%rbx), %eax
	jmp	*%rax

	/* A payload: its entry is in 32-bit protected mode. Not a second time. */
	.code32
payload:
	cmpl	$PRELOAD_PAYLOAD, PRELOAD_PAYLOAD_AT
	jne	off
	movl	$0, PRELOAD_PAYLOAD_AT
	jmp	*PRELOAD_PAYLOAD_AT + 4

	/* A word that ends Bochs, written to a port that it watches for it. */
off:	movl	$off_word, %esi
	movl	$off_end - off_word, %ecx
	movw	$0x8900, %dx
	rep outsb
hang:	hlt
	jmp	hang
off_word:
	.ascii	"Shutdown"
off_end:

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff	/* code, 32 bits, flat */
	.quad	0x00cf93000000ffff	/* data, flat */
	.quad	0x00af9b000000ffff	/* code, 64 bits */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.org	PRELOAD_ROM_TABLES	/* lab_preload_cpus() */
	.org	0xff0			/* the reset vector, 16 bytes before 4 GiB */
	.code16
	jmp	start
	.org	PRELOAD_ROM_BYTES
