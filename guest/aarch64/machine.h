/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The doorbell on arm64: a store to ABI_AARCH64_DOORBELL_GPA. */
#ifndef WS_GUEST_AARCH64_MACHINE_H
#define WS_GUEST_AARCH64_MACHINE_H

#include <stdint.h>

#include "bench/abi.h"

/* A form of STR that leaves KVM a valid syndrome. `value` is made by ABI_DOORBELL(). */
static inline __attribute__((always_inline)) void doorbell_write(uint32_t value)
{
	__asm__ volatile("dsb sy\n\t"
			 "str %w0, [%1]" ::"r"(value),
			 "r"(ABI_AARCH64_DOORBELL_GPA)
			 : "memory");
}

#endif
