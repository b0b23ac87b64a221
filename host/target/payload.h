/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The payload images that are built into this program. */
#ifndef WS_TARGET_PAYLOAD_H
#define WS_TARGET_PAYLOAD_H

#include <stddef.h>

#include "bench/catalogue.h"

/* The ELF image of a row's payload, or NULL if the row has none for `arch`. */
const void *payload_find(enum arch arch, const char *id, size_t *bytes);

#endif
