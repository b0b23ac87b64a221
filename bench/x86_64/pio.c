/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Port I/O. No device of KVM or the VMM claims ABI_X86_64_PIO_PORT. */
#include "bench/body.h"

#define PIO_OUT(id, insn, port)                                                          \
	BODY_PAIR(id,                                                                    \
		  "mov %0, %%edx\n\t"                                                    \
		  "xor %%eax, %%eax",                                                    \
		  insn, ::"i"(port)                                                      \
		  : "eax", "edx", "cc", "memory")

#define PIO_IN(id, insn, port)                                                           \
	BODY_PAIR(id, "mov %0, %%edx", insn, ::"i"(port) : "eax", "edx", "memory")

/* OUT of 8, 16 and 32 bits to the unclaimed port: exits to user space. */
PIO_OUT(pio_out_user, "outb %%al, %%dx", ABI_X86_64_PIO_PORT)
BODY_ROW(pio_out_user);

PIO_OUT(pio_out_user_16, "outw %%ax, %%dx", ABI_X86_64_PIO_PORT)
BODY_ROW(pio_out_user_16);

PIO_OUT(pio_out_user_32, "outl %%eax, %%dx", ABI_X86_64_PIO_PORT)
BODY_ROW(pio_out_user_32);

/* IN of 8, 16 and 32 bits from the unclaimed port: exits to user space. */
PIO_IN(pio_in_user, "inb %%dx, %%al", ABI_X86_64_PIO_PORT)
BODY_ROW(pio_in_user);

PIO_IN(pio_in_user_16, "inw %%dx, %%ax", ABI_X86_64_PIO_PORT)
BODY_ROW(pio_in_user_16);

PIO_IN(pio_in_user_32, "inl %%dx, %%eax", ABI_X86_64_PIO_PORT)
BODY_ROW(pio_in_user_32);

/*
 * REP OUTSB of 4 bytes to the unclaimed port. KVM does not read ahead in the source: one
 * exit per byte.
 */
static const uint8_t bytes_out[4];

BODY_PAIR(pio_string_user,
	  "mov %0, %%edx\n\t"
	  "mov %1, %%rsi\n\t"
	  "mov %2, %%ecx",
	  "rep outsb", ::"i"(ABI_X86_64_PIO_PORT), "i"(bytes_out), "i"(sizeof(bytes_out))
	  : "rcx", "edx", "rsi", "memory")
BODY_ROW(pio_string_user);

/*
 * REP INSB of 16 bytes from the unclaimed port. KVM requests all bytes from the VMM in
 * one exit and then supplies them itself.
 */
static uint8_t bytes_in[16];

BODY_PAIR(pio_string_in_user,
	  "mov %0, %%edx\n\t"
	  "mov %1, %%rdi\n\t"
	  "mov %2, %%ecx",
	  "rep insb", ::"i"(ABI_X86_64_PIO_PORT), "i"(bytes_in), "i"(sizeof(bytes_in))
	  : "rcx", "edx", "rdi", "memory")
BODY_ROW(pio_string_in_user);

/* IN and OUT of the interrupt mask of the in-kernel PIC: all lines stay masked. */
#define PIC_MASK_PORT 0x21

PIO_IN(pio_in_kernel, "inb %%dx, %%al", PIC_MASK_PORT)
BODY_ROW(pio_in_kernel);

BODY_PAIR(pio_out_kernel,
	  "mov %0, %%edx\n\t"
	  "mov $0xff, %%eax",
	  "outb %%al, %%dx", ::"i"(PIC_MASK_PORT)
	  : "eax", "edx", "memory")
BODY_ROW(pio_out_kernel);

/* OUT to a port that signals an eventfd: handled in the kernel. */
PIO_OUT(pio_ioeventfd, "outb %%al, %%dx", ABI_X86_64_PIO_EVENTFD_PORT)
BODY_ROW(pio_ioeventfd);

/* OUT of the one value that signals an eventfd: KVM compares the value. */
BODY_PAIR(pio_ioeventfd_match,
	  "mov %0, %%edx\n\t"
	  "mov %1, %%eax",
	  "outb %%al, %%dx", ::"i"(ABI_X86_64_PIO_MATCH_PORT), "i"(ABI_MATCH_VALUE)
	  : "eax", "edx", "cc", "memory")
BODY_ROW(pio_ioeventfd_match);

/* OUT to a port whose eventfd has no length: KVM compares the port alone. */
PIO_OUT(pio_ioeventfd_any, "outb %%al, %%dx", ABI_X86_64_PIO_ANY_PORT)
BODY_ROW(pio_ioeventfd_any);

/*
 * OUT to a port whose writes KVM collects in the coalesced ring. The ring has 169
 * entries: the exit to user space before each event drains the ring.
 */
PIO_OUT(pio_coalesced, "outb %%al, %%dx", ABI_X86_64_PIO_COALESCED_PORT)
BODY_ROW(pio_coalesced, .reload = true);
