/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What preload.c writes and bochs_rom.S reads: where the image is, and its first words.
 */
#ifndef WS_LAB_PRELOAD_LAYOUT_H
#define WS_LAB_PRELOAD_LAYOUT_H

/* Above the legacy holes, and below all kernels. */
#define PRELOAD_BASE 0x200000

/* 32-bit words, as offsets from PRELOAD_BASE; addresses are guest-physical. */
#define PRELOAD_AT_MAGIC  0  /* PRELOAD_MAGIC, as is the image's last word */
#define PRELOAD_AT_BYTES  4  /* of the image, a multiple of 4096 */
#define PRELOAD_AT_TABLES 8  /* for CR3 */
#define PRELOAD_AT_PARAMS 12 /* boot_params */
#define PRELOAD_AT_ENTRY  16 /* 64-bit code */

#define PRELOAD_MAGIC 0x4c505357 /* "WSPL" */

#endif
