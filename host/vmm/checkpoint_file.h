/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of a checkpoint: a header and a body of sections. */
#ifndef WS_VMM_CHECKPOINT_FILE_H
#define WS_VMM_CHECKPOINT_FILE_H

#include "host/vmm/vmm.h"

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

/* Writes header and body to a temporary file, syncs and renames it. 0 or -errno. */
int checkpoint_file_write(struct vm *vm, const char *path, const void *body,
			  size_t bytes);

/* Reads a file and checks it against `vm`. The caller frees `body`. */
int checkpoint_file_read(struct vm *vm, const char *path, uint8_t **body, size_t *bytes);

#endif
