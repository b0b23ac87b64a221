/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions behind the rows of stage.c that have files of their own. */
#ifndef WS_TARGET_STAGE_ROWS_H
#define WS_TARGET_STAGE_ROWS_H

#include "host/targets/stage.h"

/* stage_slot.c: memory slots at ABI_SLOT_GPA. */
int stage_first_touch_4k(struct vm *vm, struct abi_params *params);
void stage_first_touch_4k_doorbell(struct vm *vm, enum abi_doorbell doorbell,
				   enum abi_phase phase);
int stage_first_touch_2m(struct vm *vm, struct abi_params *params);
void stage_first_touch_2m_doorbell(struct vm *vm, enum abi_doorbell doorbell,
				   enum abi_phase phase);
int stage_dirty_log(struct vm *vm, struct abi_params *params);
void stage_dirty_log_doorbell(struct vm *vm, enum abi_doorbell doorbell,
			      enum abi_phase phase);
int stage_readonly(struct vm *vm, struct abi_params *params);

/* stage_aarch64.c */
int stage_hvc_user(struct vm *vm, struct abi_params *params);
int stage_mmio_nisv(struct vm *vm, struct abi_params *params);
int stage_its(struct vm *vm, struct abi_params *params);

/* stage_x86_64.c */
int stage_msr_user(struct vm *vm, struct abi_params *params);
int stage_int3_user(struct vm *vm, struct abi_params *params);
void stage_hlt_user(struct vm_config *config, struct abi_params *params);
void stage_hlt_kernel_doorbell(struct vm *vm, enum abi_doorbell doorbell,
			       enum abi_phase phase);
int stage_pio_eventfd(struct vm *vm, struct abi_params *params);
int stage_pio_eventfd_match(struct vm *vm, struct abi_params *params);
int stage_pio_coalesced(struct vm *vm, struct abi_params *params);

#endif
