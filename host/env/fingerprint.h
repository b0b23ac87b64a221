/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which machine this is, and a digest of what makes two machines comparable. */
#ifndef WS_ENV_FINGERPRINT_H
#define WS_ENV_FINGERPRINT_H

struct result;

/*
 * Fills in r->machine (all but `pinned`) for the machine this runs on. The
 * fingerprint is 16 hex digits of FNV-1a 64 over architecture, CPU model,
 * microcode, number of CPUs, kernel release, and whether this is a guest.
 */
void env_machine(struct result *r);

#endif
