/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machines of the bare targets. */
#ifndef WS_TARGET_BARE_H
#define WS_TARGET_BARE_H

#include <stdint.h>

struct bare_machine {
	const char *emulator;
	const char *const *args; /* ends with NULL */
	uint64_t ram_gpa;
	const char *clock;
};

extern const struct bare_machine bare_x86_64, bare_aarch64;

#endif
