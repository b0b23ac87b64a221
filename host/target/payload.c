/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The payload images that are built into this program. */
#include <string.h>

#include "host/target/payload.h"

/* One per image; the Makefile writes the table (build/payloads.S) by .incbin. */
struct payload {
	const char *name; /* "x86_64/cpuid" */
	const char *start, *end;
};
extern const struct payload payload_table[];

static const char *const arch_names[ARCHS] = {
	[ARCH_X86_64] = "x86_64/",
	[ARCH_AARCH64] = "aarch64/",
};

const void *payload_find(enum arch arch, const char *id, size_t *bytes)
{
	size_t prefix = strlen(arch_names[arch]);
	const struct payload *p;

	for (p = payload_table; p->name; p++) {
		if (strncmp(p->name, arch_names[arch], prefix) ||
		    strcmp(p->name + prefix, id))
			continue;
		*bytes = (size_t)(p->end - p->start);
		return p->start;
	}
	return NULL;
}
