/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMs that are not run, only there: what the kernel then allocates for the next VM comes
 * to lie in another place of its slabs and page lists. Some paths depend on the place
 * (__check_object_size() branches on the page that an object is in).
 */
#ifndef WS_VMM_SPACER_H
#define WS_VMM_SPACER_H

#include <stdint.h>

#define SPACERS_MAX 16

struct spacer {
	int fds[2 * SPACERS_MAX]; /* a VM's and its vCPU's, by turns; -1: none */
};

/* `n` VMs with a vCPU each; as many as the kernel allows, at most SPACERS_MAX. */
void spacer_open(struct spacer *s, uint32_t n);
void spacer_close(struct spacer *s);

#endif
