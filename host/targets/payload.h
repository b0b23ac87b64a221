/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The images of payloads: built into this program, or from a file. */
#ifndef WS_TARGETS_PAYLOAD_H
#define WS_TARGETS_PAYLOAD_H

#include <stddef.h>

#include "bench/catalogue.h"
#include "host/lib/error.h"
#include "host/targets/target.h"

/* The name of the built-in image that a row runs on `arch`. */
const char *payload_of(const struct bench *row, enum arch arch);

/* The ELF image of a row's payload, or NULL if the row has none for `arch`. */
const void *payload_find(enum arch arch, const char *id, size_t *bytes);

/*
 * Reads an ELF image for `arch` from a file; the caller frees it. -ENOEXEC with `err` if
 * the file is not usable, or -ENOMEM.
 */
int payload_read(const char *path, enum arch arch, void **image, size_t *bytes,
		 struct error *err);

#endif
