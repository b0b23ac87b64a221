/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report of a boot as bytes, for the wire. */
#ifndef WS_TARGETS_LAB_REPORT_H
#define WS_TARGETS_LAB_REPORT_H

#include "host/targets/target.h"

/*
 * The report as one block of bytes, in memory that the caller frees. 0 or -ENOMEM.
 */
int lab_report_encode(const struct boot_report *rep, uint8_t **bytes, size_t *n);

/*
 * Decodes a block from the machine, which is not trusted: every count is checked against
 * the size of the block. boot_report_free() it. 0, -EBADMSG, -ENOMEM.
 */
int lab_report_decode(const uint8_t *bytes, size_t n, struct boot_report *rep);

#endif
