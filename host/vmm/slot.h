/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory slots beside RAM, for payloads that fault on purpose. */
#ifndef WS_VMM_SLOT_H
#define WS_VMM_SLOT_H

#include "host/vmm/vmm.h"

/* Where they go: above RAM and all devices of either architecture. */
#define SLOT_GPA 0x100000000ull

struct slot_options {
	bool readonly;	/* guest writes exit as MMIO */
	bool dirty_log; /* the first write to each page faults */
	bool huge;	/* 2 MiB pages, or -ENOTSUP */
	bool populate;	/* host pages are there already; the guest's mapping is not */
};

/* Adds `bytes` of memory at `gpa`; vm_destroy() frees it. 0 or -errno, vm->error. */
int slot_add(struct vm *vm, uint64_t gpa, uint64_t bytes, const struct slot_options *o);

/* Reads and clears the dirty log of the slot at `gpa`: every page faults again. */
int slot_clear_dirty(struct vm *vm, uint64_t gpa, uint64_t *dirty_pages);

/* Takes the guest's mapping of the slot at `gpa` away; the host's pages stay. */
int slot_unmap(struct vm *vm, uint64_t gpa);

#endif
