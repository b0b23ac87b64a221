/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Labs whose wsbench runs in a guest: Linux (L1) is a guest of KVM in the lab's machine
 * (L0), and payloads (L2) are guests of L1's KVM.
 *
 *   L0  init.c loads KVM. Where the initramfs has a kernel (LAB_L1_KERNEL_PATH), l1.c
 *       builds a VM with that kernel and with an initramfs of the same files without the
 *       kernel, and runs the VM. ARCH/l1.c loads the kernel and has the VM's devices;
 *       vmm/ARCH/linux.c has the rest of its hardware, and the kernel's entry.
 *   L1  init.c as in every lab; ARCH/port.c has L1's end of the wire. On x86_64 that is
 *       the relay: what L1 sends, L0 writes to the wire of its machine. On aarch64 L1
 *       maps the wire of L0's machine. The machine is saved when L1 waits for a job:
 * jobs, clones and limits are those of every lab, and only L1 sees them.
 *
 * L1's command line is that of L0, and what follows "--" there: kernel parameters of
 * configs and of the user are those of the kernel that is measured.
 */
#ifndef WS_TARGETS_LAB_L1_H
#define WS_TARGETS_LAB_L1_H

#include "host/lib/error.h"
#include "host/targets/lab/initramfs.h"
#include "host/targets/lab/preload.h"
#include "host/targets/lab/wire.h"
#include "host/vmm/linux.h"

/* Separates L0's part of the machine's command line, for the kernel and for init.c. */
#define LAB_L1_SEPARATOR " -- "

/* On L1's command line, followed by the release of L0's kernel. */
#define LAB_L1_WORD "worldswitch.l0="

/* In front of each line of L1's console, which is on that of L0's machine. */
#define LAB_L1_MARK "L1: "

/* Memory of L1: as much as the other labs have. */
#define LAB_L1_RAM_BYTES (256ull << 20)

/*
 * x86_64, the relay: a port, and a buffer in memory that no table of memory has, where a
 * PC has the ROMs of adapters. A write of 32 bits is a number of bytes in the buffer;
 * LAB_L1_READY: L1 is ready to be cloned. A read returns the exits of L0's KVM so far,
 * modulo 2^32.
 */
#define LAB_L1_PORT	    0x5e0
#define LAB_L1_READY	    0xffffffffu
#define LAB_L1_BUFFER_GPA   0xd0000u
#define LAB_L1_BUFFER_BYTES 0x10000u

/* Has L0 send the functions of its kernel: LAB_FRAME_SYMBOLS_L0. */
#define LAB_L1_SEND_SYMBOLS 0xfffffffeu

/*
 * aarch64: gpas of the registers that l1.c emulates, and of the wire (wire.h). Not in
 * the device tree: L1's kernel has no drivers for them.
 */
#define LAB_L1_REGISTERS_GPA 0x0e000000u
#define LAB_L1_WIRE_GPA	     0x10000000u

/* Registers of 32 bits, by number. */
enum lab_l1_register {
	LAB_L1_EXITS, /* of L0's KVM so far, modulo 2^32 */
	/* A write stops the machine, as lab_shared_wait() in L0, whose result is read. */
	LAB_L1_PAUSE,
	/* A write sends the functions of L0's kernel: LAB_FRAME_SYMBOLS_L0. */
	LAB_L1_SYMBOLS,
};

/* In L0: the VM of L1 and its devices. */
struct lab_l1 {
	struct vm vm;
	struct lab_shared *wire; /* of L0's machine */
	lab_symbols_sender *symbols;
	bool in_time;	 /* aarch64: LAB_L1_PAUSE */
	uint8_t uart[8]; /* x86_64: registers */
	bool in_line;	 /* of the console */
	uint8_t buffer[LAB_L1_BUFFER_BYTES];
};

/*
 * In L0: runs L1, from the files below `/`, until L1 ends: 0, and its console has said
 * why; or a negative errno, with the reason in `err`. `cmdline` is L0's.
 */
int lab_l1_run(const char *cmdline, struct lab_shared *wire, lab_symbols_sender *symbols,
	       struct error *err);

/* How L1's kernel parameters differ from L0's; each begins with a blank. */
struct lab_l1_words {
	const char *add;
	const char *trim;	 /* added unless lab_is_whole() */
	const char *const *omit; /* up to NULL */
};

/*
 * L1's command line: that of L0 up to LAB_L1_SEPARATOR with these differences, the
 * release of L0's kernel, and L0's words after the separator. The caller frees it; NULL:
 * out of memory.
 */
char *lab_l1_command_line(const char *l0, const char *release,
			  const struct lab_l1_words *words);

/*
 * What ARCH/l1.c defines for l1.c: kernel parameters; devices, after vm_create(), and
 * accesses to them (vm_listener, `ctx` is a struct lab_l1); and placing kernel, initramfs
 * and command line in the VM's memory. 0 or a negative errno with vm.error.
 */
extern const struct lab_l1_words lab_l1_words;
int lab_l1_attach(struct lab_l1 *l1);
enum vm_answer lab_l1_access(void *ctx, struct vcpu *vcpu,
			     const struct vm_access *access);
int lab_l1_load(struct lab_l1 *l1, const struct lab_preload *what,
		struct linux_entry *entry);

/* For lab_l1_access(): a character of L1's console. */
void lab_l1_print(struct lab_l1 *l1, char c);

/* In L1: the release of L0's kernel; "": this is not L1. */
#define LAB_L1_RELEASE_BYTES 65u
void lab_l1_host_release(char release[LAB_L1_RELEASE_BYTES]);

#endif
