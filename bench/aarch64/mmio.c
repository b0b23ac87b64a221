/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory-mapped I/O. No memory slot covers ABI_AARCH64_MMIO_GPA: exits to user space. All
 * rows but mmio_read_nisv access it in a form with a valid syndrome (ESR_EL2.ISS.ISV =
 * 1), so that KVM need not decode the instruction.
 */
#include "bench/body.h"

#define MMIO_LOAD(id, insn, gpa)                                                         \
	BODY_PAIR(id, "mov x1, %0", insn, ::"i"(gpa) : "x0", "x1", "memory")

#define MMIO_STORE(id, insn, gpa, offset)                                                \
	BODY_PAIR(id, "mov x1, %0", insn, ::"i"(gpa), "i"(offset) : "x1", "memory")

/* Loads of 4, 1, 2 and 8 bytes. */
MMIO_LOAD(mmio_read_user, "ldr w0, [x1]", ABI_AARCH64_MMIO_GPA)
BODY_ROW(mmio_read_user);

MMIO_LOAD(mmio_read_user_1, "ldrb w0, [x1]", ABI_AARCH64_MMIO_GPA)
BODY_ROW(mmio_read_user_1);

MMIO_LOAD(mmio_read_user_2, "ldrh w0, [x1]", ABI_AARCH64_MMIO_GPA)
BODY_ROW(mmio_read_user_2);

MMIO_LOAD(mmio_read_user_8, "ldr x0, [x1]", ABI_AARCH64_MMIO_GPA)
BODY_ROW(mmio_read_user_8);

/*
 * Load with write-back: the syndrome does not report the register (ISV = 0). KVM passes
 * the access to the VMM without decoding it; the VMM skips the instruction.
 */
MMIO_LOAD(mmio_read_nisv, "ldr w0, [x1], #4", ABI_AARCH64_MMIO_GPA)
BODY_ROW(mmio_read_nisv);

/* Stores of 4, 1, 2 and 8 bytes. */
MMIO_STORE(mmio_write_user, "str wzr, [x1]", ABI_AARCH64_MMIO_GPA, 0)
BODY_ROW(mmio_write_user);

MMIO_STORE(mmio_write_user_1, "strb wzr, [x1]", ABI_AARCH64_MMIO_GPA, 0)
BODY_ROW(mmio_write_user_1);

MMIO_STORE(mmio_write_user_2, "strh wzr, [x1]", ABI_AARCH64_MMIO_GPA, 0)
BODY_ROW(mmio_write_user_2);

MMIO_STORE(mmio_write_user_8, "str xzr, [x1]", ABI_AARCH64_MMIO_GPA, 0)
BODY_ROW(mmio_write_user_8);

/*
 * Load of GICD_IIDR, a distributor register for which the in-kernel GIC returns a
 * constant. GICv2 has the register at the same offset.
 */
MMIO_LOAD(mmio_read_kernel, "ldr w0, [x1, #8]", ABI_AARCH64_GICD_GPA)
BODY_ROW(mmio_read_kernel);

/* Store to a gpa that signals an eventfd: handled in the kernel. */
MMIO_STORE(mmio_write_ioeventfd, "str wzr, [x1, %1]", ABI_AARCH64_MMIO_GPA,
	   ABI_MMIO_EVENTFD_OFFSET)
BODY_ROW(mmio_write_ioeventfd);

/* Store of the one value that signals an eventfd: KVM compares the value. */
BODY_PAIR(mmio_write_ioeventfd_match,
	  "mov x1, %0\n\t"
	  "mov w2, %2",
	  "str w2, [x1, %1]", ::"i"(ABI_AARCH64_MMIO_GPA), "i"(ABI_MMIO_MATCH_OFFSET),
	  "i"(ABI_MATCH_VALUE)
	  : "x1", "x2", "memory")
BODY_ROW(mmio_write_ioeventfd_match);

/* Store to a gpa whose eventfd has no length, as the doorbells of virtio have. */
MMIO_STORE(mmio_write_ioeventfd_any, "str wzr, [x1, %1]", ABI_AARCH64_MMIO_GPA,
	   ABI_MMIO_ANY_OFFSET)
BODY_ROW(mmio_write_ioeventfd_any);

/*
 * mmio_read_user while a second vCPU does the same: what both exits share in KVM and in
 * the VMM is contended.
 */
static volatile uint32_t reads_by_other;

BODY bool mmio_read_concurrent_setup(const struct abi_params *params)
{
	(void)params;
	while (!reads_by_other)
		__asm__ volatile("yield");
	return true;
}

BODY void mmio_read_concurrent_secondary(uint32_t index)
{
	(void)index;
	for (;;) {
		__asm__ volatile("ldr w0, [%0]" ::"r"(ABI_AARCH64_MMIO_GPA)
				 : "x0", "memory");
		reads_by_other++;
	}
}

MMIO_LOAD(mmio_read_concurrent, "ldr w0, [x1]", ABI_AARCH64_MMIO_GPA)
BODY_ROW(mmio_read_concurrent, .setup = mmio_read_concurrent_setup,
	 .secondary = mmio_read_concurrent_secondary);

/*
 * Store to a gpa whose writes KVM collects in the coalesced ring. The ring has 169
 * entries: the exit to user space before each event drains the ring.
 */
MMIO_STORE(mmio_write_coalesced, "str wzr, [x1, %1]", ABI_AARCH64_MMIO_GPA,
	   ABI_MMIO_COALESCED_OFFSET)
BODY_ROW(mmio_write_coalesced, .reload = true);
