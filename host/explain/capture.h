/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that the emulator's plugin works on: its orders, and then its records. */
#ifndef WS_TRACE_CAPTURE_H
#define WS_TRACE_CAPTURE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/lib/error.h"
#include "host/explain/image.h"
#include "host/explain/record.h"

struct capture {
	int fd; /* -1: none */
	struct record_page *page;
	char plugin[PATH_MAX];
};

/*
 * Finds the plugin ($WORLDSWITCH_LIBEXEC/, beside this program, or below
 * ../libexec/worldswitch/) and makes the file, unnamed and empty, with room for `bytes`.
 * Memory is taken as records come. 0, or a negative errno with `err`; capture_close() in
 * any case.
 */
int capture_open(struct capture *c, uint64_t bytes, bool memory, struct error *err);
void capture_close(struct capture *c);

/*
 * Recording begins (`on`) or ends at this instruction of `image`. 0; -EFAULT (nothing is
 * there); -ENOSPC.
 */
int capture_switch(struct capture *c, const struct image *image, uint64_t vaddr, bool on);

/* The records, *n words of them, as long as the capture is open. */
const uint32_t *capture_records(const struct capture *c, size_t *n);

#endif
