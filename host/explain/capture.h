/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that the emulator writes: a control page, then records. */
#ifndef WS_EXPLAIN_CAPTURE_H
#define WS_EXPLAIN_CAPTURE_H

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
	uint64_t bytes;	       /* of the file, with the page */
	char plugin[PATH_MAX]; /* empty: not needed */
};

/*
 * Creates the file, unnamed, with room for `bytes`. Memory is allocated as records are
 * written. `plugin_api`: finds QEMU's plugin for this version of the interface; 0: no
 * plugin ($WORLDSWITCH_LIBEXEC/, beside this
 * program, or in ../libexec/worldswitch/). 0, or a negative errno with `err`;
 * capture_close() in any case.
 */
int capture_open(struct capture *c, uint64_t bytes, bool memory, unsigned int plugin_api,
		 struct error *err);
void capture_close(struct capture *c);

/*
 * Starts (`on`) or stops recording at this instruction of `image`. 0; -EFAULT (not
 * loaded); -ENOSPC.
 */
int capture_switch(struct capture *c, const struct image *image, uint64_t vaddr, bool on);

/* The records, *n words, which are not trusted, valid until capture_close(). */
const uint32_t *capture_records(const struct capture *c, size_t *n);

#endif
