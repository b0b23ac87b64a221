/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Labs whose wsbench runs in a guest: Linux (L1) is a guest of KVM in the lab's machine
 * (L0), and payloads (L2) are guests of L1's KVM.
 *
 *   L0  init.c loads KVM. Where the initramfs has a kernel (LAB_L1_KERNEL_PATH),
 *       x86_64/l1.c builds a VM with that kernel and with an initramfs of the same files
 *       without the kernel, runs the VM, and emulates its console and the relay.
 *       vmm/x86_64/linux.c has the VM's hardware and the kernel's entry.
 *   L1  init.c as in every lab. Its wire is the relay: what L1 sends, l1.c writes to
 *       the wire of L0's machine (x86_64/port.c has L1's end). The machine is saved when
 *       L1 waits for a job: jobs, clones and limits are those of every lab, and only L1
 *       sees them.
 *
 * L1's command line is that of L0, and what follows "--" there: kernel parameters of
 * configs and of the user are those of the kernel that is measured.
 */
#ifndef WS_TARGETS_LAB_L1_H
#define WS_TARGETS_LAB_L1_H

#include "host/lib/error.h"

#define LAB_L1_KERNEL_PATH "kernel"

/* Separates L0's part of the machine's command line, for the kernel and for init.c. */
#define LAB_L1_SEPARATOR " -- "

/* On L1's command line, followed by the release of L0's kernel. */
#define LAB_L1_WORD "worldswitch.l0="

/*
 * The relay: a port. A write of 32 bits is a number of bytes, which follow in
 * writes of four; LAB_L1_READY: L1 is ready to be cloned. A read returns the exits of
 * L0's KVM so far, modulo 2^32.
 */
#define LAB_L1_PORT  0x5e0
#define LAB_L1_READY 0xffffffffu

/* Memory of L1: as much as the other labs have. */
#define LAB_L1_RAM_BYTES (256ull << 20)

/* Bytes of one transfer by the relay. */
#define LAB_L1_TRANSFER_MAX 65536u

/*
 * In L0: runs L1, from the files below `/`, until L1 ends: 0, and its console has said
 * why; or a negative errno, with the reason in `err`. `cmdline` is L0's.
 */
int lab_l1_run(const char *cmdline, struct error *err);

/* Why explain does not follow such a lab. */
#define LAB_L1_NO_RECORD                                                                 \
	"the kernels of L0 and L1 are at the same addresses, which the record does not distinguish"

/* In L1: the release of L0's kernel; "": this is not L1. */
#define LAB_L1_RELEASE_BYTES 65u
void lab_l1_host_release(char release[LAB_L1_RELEASE_BYTES]);

#endif
