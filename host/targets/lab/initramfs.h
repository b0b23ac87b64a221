/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The initramfs of a lab's machine, and its first process. */
#ifndef WS_TARGETS_LAB_INITRAMFS_H
#define WS_TARGETS_LAB_INITRAMFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/targets/lab/kernel.h"

/* Paths below the root, for both sides of the lab. */
#define LAB_PAYLOAD_PATH   "payload.elf" /* from --payload */
#define LAB_MODULES_PATH   "modules"	 /* NAME.ko */
#define LAB_OPTIONAL_PATH  "optional.ko" /* a module for later; zeros: none */
#define LAB_ORDER_PATH	   "load-order"	 /* names of the modules, a line each */
#define LAB_L1_KERNEL_PATH "kernel"	 /* of a machine with an L1: its kernel */

/*
 * Before /init waits for a job, it and the kernel have the SVE vector length that a
 * machine probes last, 16 bytes: QEMU translates code again for each length, and 8,000
 * blocks of a boot are translated for a second one that no boot of a payload depends on.
 * Jobs have the length that Linux gives to processes (Documentation/arch/arm64/sve.rst).
 */
#define LAB_SVE_WORD  "sysctl.abi.sve_default_vector_length=16"
#define LAB_SVE_BYTES 64

/*
 * A cpio archive in the format "newc", which the kernel unpacks as its first file system
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Equal calls give equal
 * bytes: inode numbers count up from 1, and times and owners are 0.
 */
struct lab_cpio {      /* zeroed memory to begin with */
	uint8_t *data; /* free() it in the end */
	size_t bytes, room;
	size_t program_at, program_end; /* where the program and its zeros are */
	uint32_t inode;
	int error; /* -ENOMEM once anything failed; the rest does nothing then */
};

/* Paths have no leading slash; parents come before what is in them. */
void lab_cpio_dir(struct lab_cpio *c, const char *path);
void lab_cpio_file(struct lab_cpio *c, const char *path, unsigned int permissions,
		   const void *data, size_t bytes);
int lab_cpio_end(struct lab_cpio *c); /* the trailer; returns c->error */

struct lab_initramfs {
	const uint8_t *program; /* the static program that becomes /init; NULL: zeros */
	size_t program_bytes;
	const struct lab_modules *modules;
	const uint8_t *payload; /* NULL: none */
	size_t payload_bytes;
	const uint8_t *kernel; /* of L1 (l1.h); NULL: none */
	size_t kernel_bytes;
};

/* The archive; the same to the byte for the same content. 0 or -ENOMEM. */
int lab_initramfs_build(const struct lab_initramfs *what, struct lab_cpio *out);

struct job;	 /* host/targets/job.h */
struct lab_wire; /* wire.h */

/* Executes a job and sends its answer without END. Returns an exit code. */
typedef int lab_job_runner(const struct job *job, struct lab_wire *wire);

/* Sends the functions of the running kernel, as a frame of L0 or of L1, or FAILURE. */
typedef void lab_symbols_sender(struct lab_wire *wire, bool l0);

/*
 * The main function of /init in a lab's machine: mounts file systems, loads modules,
 * opens the wire, and waits for a job. A clone then sends HELLO and calls `run` in a
 * child process. The END frame has the return value of `run`, unless `run` has sent
 * FAILURE; a crash of the child is a FAILURE. Powers the machine off and does not return.
 * `symbols` is for L0, at the request of L1 (l1.h).
 */
int lab_init_main(lab_job_runner *run, lab_symbols_sender *symbols);

/*
 * Takes what only tracers use out of a module for x86_64: the table of BTF, and the table
 * of ftrace with the calls of __fentry__, which become the NOPs that the kernel would
 * make of them. Unless the kernel traces functions, the module executes what it executes
 * untrimmed. A module whose table of ftrace has another number of entries than the module
 * has calls stays as it is (the addresses in the table are not compared), and so does any
 * other image.
 */
void lab_module_trim(uint8_t *data, size_t bytes);

/*
 * Whether a kernel command line keeps modules whole, and all initcalls: with
 * LAB_WHOLE_WORD, or with a parameter that traces from the boot on, such as
 * ftrace=function.
 */
#define LAB_WHOLE_WORD "wsbench.whole=1"
bool lab_is_whole(const char *cmdline);

/*
 * The parameters for module `name` from a kernel command line, as modprobe would
 * take them: "kvm-amd.npt=0" becomes "npt=0". Cut to `room`.
 */
void lab_module_parameters(const char *cmdline, const char *name, char *out, size_t room);

#endif
