/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What benchmarks need from their VM: an ioeventfd, a memory slot, an MSR filter. */
#ifndef WS_TARGETS_VM_SETUP_H
#define WS_TARGETS_VM_SETUP_H

#include "bench/abi.h"

struct vm; /* host/vmm/vmm.h */
struct vm_config;

/* For rows.def: configure(), vm_setup() and doorbell() of struct host_row. */
int setup_mmio_eventfd(struct vm *vm, struct abi_params *params);
int setup_mmio_eventfd_match(struct vm *vm, struct abi_params *params);
int setup_mmio_coalesced(struct vm *vm, struct abi_params *params);
int setup_mmio_nisv(struct vm *vm, struct abi_params *params);
int setup_pio_eventfd(struct vm *vm, struct abi_params *params);
int setup_pio_eventfd_match(struct vm *vm, struct abi_params *params);
int setup_pio_coalesced(struct vm *vm, struct abi_params *params);
int setup_first_touch_4k(struct vm *vm, struct abi_params *params);
int setup_first_touch_2m(struct vm *vm, struct abi_params *params);
int setup_dirty_log(struct vm *vm, struct abi_params *params);
int setup_readonly(struct vm *vm, struct abi_params *params);
int setup_hvc_user(struct vm *vm, struct abi_params *params);
int setup_msr_user(struct vm *vm, struct abi_params *params);
int setup_int3_user(struct vm *vm, struct abi_params *params);
int setup_its(struct vm *vm, struct abi_params *params);

void configure_hlt_user(struct vm_config *config, struct abi_params *params);

void doorbell_first_touch_4k(struct vm *vm, enum abi_doorbell kind, enum abi_phase phase);
void doorbell_first_touch_2m(struct vm *vm, enum abi_doorbell kind, enum abi_phase phase);
void doorbell_dirty_log(struct vm *vm, enum abi_doorbell kind, enum abi_phase phase);
void doorbell_hlt_kernel(struct vm *vm, enum abi_doorbell kind, enum abi_phase phase);

#endif
