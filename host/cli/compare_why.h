/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench compare --explain`: measures again what differs, and records it. */
#ifndef WS_CLI_COMPARE_WHY_H
#define WS_CLI_COMPARE_WHY_H

#include <stdbool.h>

#include "host/explain/why.h"

/*
 * Whether rows of these documents can be explained at all: both are of labs of one name.
 * -EINVAL with `err`: not.
 */
int compare_why_check(const struct result *base, const struct result *new,
		      struct error *err);

/* What the command line says about the boots; NULL: by the documents. */
struct why_boots {
	const char *base_kernel; /* image or release of the base */
	/* A program or folder on a document's word is not started: it may be foreign. */
	const char *emulator;
};

/*
 * Boots the kernels of both documents, which must be of one lab, and explains the
 * selected rows. A row that cannot be explained has a reason; if no row can, because a
 * kernel is not here, w->refusal says so.
 */
void compare_why(const struct compare *c, const struct why_boots *boots, bool quiet,
		 struct why *w);

#endif
