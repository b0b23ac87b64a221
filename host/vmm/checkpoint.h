/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VM in a file: memory, the registers of every vCPU, the interrupt controller, the
 * clock. No vCPU may run meanwhile. A file is bound to its format version, architecture
 * and VM configuration; a VM that differs refuses it.
 */
#ifndef WS_VMM_CHECKPOINT_H
#define WS_VMM_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "host/vmm/vmm.h"

/*
 * A file without a name, which ends with the process, for checkpoints. A descriptor for
 * close(), or -errno.
 */
int checkpoint_create(void);

/*
 * Completes pending accesses (vcpu_drain()), then replaces the contents of the file. 0 or
 * -errno.
 */
int checkpoint_save(struct vm *vm, int fd);

/*
 * checkpoint_save() in two parts: the search of all memory for pages that are not zero,
 * and the rest. The pages stay valid while the guest does not run. Initialized with 0;
 * checkpoint_pages_free() in any case.
 */
struct checkpoint_pages {
	uint64_t *number[1 + VM_SLOTS_MAX], count[1 + VM_SLOTS_MAX]; /* RAM, slots */
};
int checkpoint_find_pages(struct vm *vm, struct checkpoint_pages *pages);
int checkpoint_save_pages(struct vm *vm, int fd, const struct checkpoint_pages *pages);
void checkpoint_pages_free(struct checkpoint_pages *pages);

/*
 * Restores into a VM from vm_create() with the same config (and slots) that has not run;
 * it continues where the saved VM was. -EINVAL, and nothing changed, if the file is
 * damaged, truncated, or another VM's.
 */
int checkpoint_restore(struct vm *vm, int fd);

/* The file: a header and a body of sections. */
#define CHECKPOINT_MAGIC   "WSCHECK"
#define CHECKPOINT_VERSION 1u

struct checkpoint_header {
	char magic[8];
	uint32_t version, arch;
	/* The VM's configuration. */
	uint32_t vcpus, irqchip, pmu, pmu_off;
	uint64_t ram_gpa, ram_bytes;
	uint64_t body_bytes;
	uint32_t body_crc;   /* CRC-32 of what follows the header */
	uint32_t header_crc; /* of the header up to here */
};

/* The sections of the body, in restore order. */
enum checkpoint_type {
	CHECKPOINT_MEMORY =
		1,	    /* index 0: RAM, 1 + n: slot n; its pages that are not zero */
	CHECKPOINT_VCPU,    /* index: the vCPU; struct vcpu_irqs, then registers */
	CHECKPOINT_MACHINE, /* interrupt controller and clock */
	CHECKPOINT_TYPES,
};

struct checkpoint_section {
	uint32_t type, index;
	uint64_t bytes;
};

/* How the state of a vCPU and of the machine is stored: a record per item, whose
 * `bytes` of data follow. */
struct record {
	uint64_t id;
	uint32_t bytes, zero;
};

/*
 * Reads the record at *state and moves *state behind it. Returns the record's data; NULL
 * at the end, and, with *bytes not 0, where the rest is not a record.
 */
const uint8_t *record_next(const uint8_t **state, size_t *bytes, struct record *record);

/* 0 or -ENOMEM. */
int record_write(FILE *out, uint64_t id, const void *data, size_t bytes);

#endif
