/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a PC that has been booted up to the kernel's 64-bit entry, for an
 * emulator that has no loader of its own (Documentation/x86/boot.rst, "64-bit Boot
 * Protocol").
 */
#ifndef WS_TARGETS_LAB_PRELOAD_H
#define WS_TARGETS_LAB_PRELOAD_H

/* The image's first words, which preload.c writes and bochs_rom.S reads. */

/* Above the legacy holes, and below all kernels. */
#define PRELOAD_BASE 0x200000

/* 32-bit words, as offsets from PRELOAD_BASE; addresses are guest-physical. */
#define PRELOAD_AT_MAGIC  0  /* PRELOAD_MAGIC, as is the image's last word */
#define PRELOAD_AT_BYTES  4  /* of the image, a multiple of 4096 */
#define PRELOAD_AT_TABLES 8  /* for CR3 */
#define PRELOAD_AT_PARAMS 12 /* boot_params */
#define PRELOAD_AT_ENTRY  16 /* 64-bit code */

#define PRELOAD_MAGIC 0x4c505357 /* "WSPL" */

/*
 * Of target bare:x86_64-bochs, at a fixed address: PRELOAD_PAYLOAD, and the payload's
 * entry (bench/abi.h). Not within an image of PRELOAD_BASE, which comes first.
 */
#define PRELOAD_PAYLOAD_AT 0x1000
#define PRELOAD_PAYLOAD	   0x59505357 /* "WSPY" */

/* The firmware's page, and the part of it that is not code. */
#define PRELOAD_ROM_BYTES  0x1000
#define PRELOAD_ROM_TABLES 0x800

#define PRELOAD_ROM_BELOW_1_MIB (0x100000u - PRELOAD_ROM_BYTES)

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/lib/error.h"

struct lab_preload {
	const uint8_t *kernel; /* a bzImage */
	size_t kernel_bytes;
	const uint8_t *initramfs;
	size_t initramfs_bytes;
	const char *command_line;
	uint32_t memory_bytes; /* of the machine */
	/*
	 * Enter the kernel decompressed, if that is possible: for a command line with
	 * nokaslr. False for an L1, whose kernel decompresses itself.
	 */
	bool unpack;
};

/*
 * The image that belongs at PRELOAD_BASE, as an unnamed file: its descriptor, or a
 * negative errno. -ENOEXEC: not a kernel that can be entered so.
 */
int lab_preload(const struct lab_preload *what, struct error *err);

/*
 * Decompresses the payload of a bzImage, of which the last word is its size unpacked: the
 * image to free(). NULL: larger than `max`, damaged, or not in a format that this program
 * reads (gzip; with their libraries LZ4 and Zstandard).
 */
uint8_t *lab_vmlinux_unpack(const uint8_t *payload, size_t bytes, size_t max,
			    size_t *out_bytes);

/*
 * Of vmlinux_formats.c, for vmlinux.c: decompresses `in`, all of it, into exactly
 * `out_bytes`. False: damaged, of another size, or a program without the library. `in`
 * has 4 bytes at least.
 */
bool lab_vmlinux_lz4(const uint8_t *in, size_t bytes, uint8_t *out, size_t out_bytes);
bool lab_vmlinux_zstd(const uint8_t *in, size_t bytes, uint8_t *out, size_t out_bytes);

/*
 * Copies the segments of an ELF kernel to `memory` (NULL: checks only), which is that
 * from guest-physical address `begin` to `end`. The physical address of its entry; 0: not
 * an image that fits there.
 */
uint32_t lab_vmlinux_load(const uint8_t *image, size_t bytes, uint32_t begin,
			  uint32_t end, uint8_t *memory);

/*
 * Adds tables of `cpus` CPUs to the firmware of a machine (bochs_rom.S), where kernels
 * look for them: the last page below 1 MiB is the firmware's (PRELOAD_ROM_BELOW_1_MIB).
 */
void lab_preload_cpus(uint8_t firmware[PRELOAD_ROM_BYTES], unsigned int cpus);

#endif /* __ASSEMBLER__ */

#endif
