/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a checkpoint stores the state of a vCPU and of the machine: a record per item. */
#ifndef WS_VMM_RECORDS_H
#define WS_VMM_RECORDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* `bytes` of data follow. */
struct record {
	uint64_t id;
	uint32_t bytes, zero;
};

/*
 * Reads the record at *state and moves *state behind it. Returns the record's data; NULL
 * at the end, and, with *bytes not 0, where the rest is not a record.
 */
const uint8_t *record_next(const uint8_t **state, size_t *bytes, struct record *record);

/* 0 or -ENOMEM. */
int record_write(FILE *out, uint64_t id, const void *data, size_t bytes);

#endif
