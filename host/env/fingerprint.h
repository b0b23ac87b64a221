/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which machine this is, and a digest of what makes two machines comparable. */
#ifndef WS_ENV_FINGERPRINT_H
#define WS_ENV_FINGERPRINT_H

struct result;

/*
 * Fills in r->machine (all but `pinned`) for the machine this runs on. The
 * fingerprint is 16 hex digits of FNV-1a 64 over architecture, CPU model,
 * microcode, number of CPUs, and whether this is a guest. The kernel is not in it: it
 * is what gets compared.
 */
void env_machine(struct result *r);

/* Makes `what`, such as an emulator's version, part of the fingerprint. */
void env_fingerprint_mix(struct result *r, const char *what);

#endif
