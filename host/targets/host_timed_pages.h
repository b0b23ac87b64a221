/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host-timed VM whose guest stores to the pages of a memory slot. */
#ifndef WS_TARGETS_HOST_TIMED_PAGES_H
#define WS_TARGETS_HOST_TIMED_PAGES_H

#include "host/targets/host_timed.h"
#include "host/vmm/counters.h"
#include "host/vmm/memory.h"

#define PAGE_BYTES 4096ull
#define PAGES	   512u /* of the slot: a huge page */
#define SLOT_BYTES (PAGES * PAGE_BYTES)

struct pages {
	struct host_timed *timed;
	struct vm vm;
	uint32_t slot;	    /* number of the slot: configs may add slots before it */
	uint32_t touched;   /* pages that the guest stores to before a sample */
	uint32_t strays;    /* accesses of the guest that no memory slot answered */
	bool timed_one;	    /* of two requests in turn: time the first; else the second */
	bool counts_faults; /* KVM counts an exit for each fault: not a software KVM */
	struct vm_stat huge; /* huge pages that map the guest's memory: x86_64 */
	uint64_t log[PAGES / 64];
};

/*
 * A VM whose guest executes `command`, with a slot of `bytes` at SLOT_GPA. 0, or a
 * negative errno with the error of p->timed; -ENOTSUP: not on this host.
 */
int pages_open(struct pages *p, enum abi_command command, uint64_t bytes,
	       const struct slot_options *options);

#endif
