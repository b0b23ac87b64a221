/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a row needs on the host's side of its VM: an ioeventfd, a memory slot, an
 * MSR filter. One row in stage.c per benchmark that needs any.
 */
#ifndef WS_TARGET_STAGE_H
#define WS_TARGET_STAGE_H

#include "bench/abi.h"
#include "bench/catalogue.h"
#include "host/vmm/vmm.h"

struct stage {
	const char *id; /* of the benchmark */
	unsigned int archs;
	bool halts; /* HLT is what the row is about: the VMM goes on at once */
	/* Before the VM is built. NULL: nothing. */
	void (*configure)(struct vm_config *config, struct abi_params *params);
	/*
	 * Between building and running. -ENOTSUP with vm->error: the row is skipped
	 * for that reason; any other error fails the boot.
	 */
	int (*prepare)(struct vm *vm, struct abi_params *params);
	/* At each doorbell, before exits are counted at BEGIN and after at END. */
	void (*doorbell)(struct vm *vm, enum abi_doorbell doorbell, enum abi_phase phase);
};

/* NULL where the row needs nothing. */
const struct stage *stage_find(const char *id, enum arch arch);

#endif
