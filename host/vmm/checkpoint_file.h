/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of a checkpoint: a header and sections, whole or refused. */
#ifndef WS_VMM_CHECKPOINT_FILE_H
#define WS_VMM_CHECKPOINT_FILE_H

#include "host/vmm/vmm.h"

#define CHECKPOINT_MAGIC   "WSCHECK"
#define CHECKPOINT_VERSION 1u

struct checkpoint_header {
	char magic[8];
	uint32_t version, arch;
	/* The make of VM that the rest fits. */
	uint32_t vcpus, irqchip, pmu, pmu_off;
	uint64_t ram_gpa, ram_bytes;
	uint64_t body_bytes;
	uint32_t body_crc;   /* CRC-32 of what follows the header */
	uint32_t header_crc; /* of the header up to here */
};

/* Sections follow each other in the body, in the order in which they are restored. */
enum checkpoint_type {
	CHECKPOINT_MEMORY = 1, /* index: 0 RAM, 1 + n slot n; pages that are not zero */
	CHECKPOINT_VCPU,       /* index: the vCPU's; struct vcpu_irqs, registers */
	CHECKPOINT_MACHINE,    /* interrupt controller and clock */
	CHECKPOINT_TYPES,
};

struct checkpoint_section {
	uint32_t type, index;
	uint64_t bytes;
};

/* Writes header and body beside `path`, syncs, renames. 0 or -errno with vm->error. */
int checkpoint_file_write(struct vm *vm, const char *path, const void *body,
			  size_t bytes);

/* Reads and checks a file against `vm`. The body is the caller's to free. */
int checkpoint_file_read(struct vm *vm, const char *path, uint8_t **body, size_t *bytes);

#endif
