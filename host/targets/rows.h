/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a benchmark needs on the host: the set-up of its VM, the function that times the
 * benchmark in place of the guest, where `explain` finds the timed events; and the image
 * of its payload.
 */
#ifndef WS_TARGETS_ROWS_H
#define WS_TARGETS_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/abi.h"
#include "bench/catalogue.h"
#include "host/lib/error.h"
#include "host/targets/target.h"

struct host_timed; /* host_timed.h */
struct vm;	   /* host/vmm/vmm.h */
struct vm_config;

struct host_row {
	const char *id; /* of the benchmark */

	/* Times the benchmark on the host (host_timed.h). NULL: the guest does. */
	int (*host_timed)(struct host_timed *h);
	const char *payload[ARCHS]; /* of a host-timed row; NULL: "host_timed" */

	/* Before the VM is created. NULL: nothing. */
	void (*configure)(struct vm_config *config, struct abi_params *params);
	/*
	 * After the VM is created, before the guest runs. -ENOTSUP with vm->error: the
	 * row is skipped; another negative errno fails the boot.
	 */
	int (*vm_setup)(struct vm *vm, struct abi_params *params);
	/*
	 * At a doorbell: at BEGIN before exits are counted, and while no vCPU runs; at
	 * END after, but not of boots with a scale. 0, or a negative errno with
	 * vm->error: the boot fails with this reason.
	 */
	int (*doorbell)(struct vm *vm, enum abi_doorbell kind, enum abi_phase phase);
	bool long_events; /* of 10^5 instructions: a boot takes longer than others */
	/* Why it does not run on several vCPUs of a VM, unless its needs say so; NULL: it
	 * does. */
	const char *one_vcpu;
	/* What the payload lacks if its set-up fails, for the reason of the skip; NULL: a
	 * feature. */
	const char *absent;
	bool resumes_halt; /* the benchmark is HLT: the VMM resumes the vCPU at once */

	/*
	 * Of a host-timed row: the order in which one event reads the shared clock, 'h'
	 * by the host, 'g' by the guest, 'b' and 'e' as a vCPU's run begins and ends. The
	 * timed part begins at read `from` and ends at read `to`.
	 */
	const char *reads;
	unsigned int from, to;
	const char *not_explained; /* why `explain` refuses the row; NULL: it does not */
};

/* NULL: the benchmark needs nothing. */
const struct host_row *host_row_find(const char *id);

/* The name of the built-in image that a row runs on `arch`. */
const char *payload_of(const struct bench *row, enum arch arch);

/* The ELF image of a row's payload, or NULL if the row has none for `arch`. */
const void *payload_find(enum arch arch, const char *id, size_t *bytes);

/*
 * Reads an ELF image for `arch` from a file; the caller frees it. -ENOEXEC with `err` if
 * the file is not usable, or -ENOMEM.
 */
int payload_read(const char *path, enum arch arch, void **image, size_t *bytes,
		 struct error *err);

#endif
