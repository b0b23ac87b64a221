/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of bench/accuracy.def, and its rows as values for the host. */
#ifndef WS_BENCH_ACCURACY_H
#define WS_BENCH_ACCURACY_H

#include <stdint.h>

/* abi_params.operand of the rows' payload: what is counted, and of which sequence. */
enum accuracy_subject {
	ACCURACY_CYCLES,
	ACCURACY_CYCLES_EVENT, /* aarch64 */
	ACCURACY_CYCLES_FIXED, /* x86_64 */
	ACCURACY_INSNS,
	ACCURACY_INSNS_FIXED, /* x86_64 */
	ACCURACY_INSNS_EXITS,
	ACCURACY_INSNS_EMULATED, /* aarch64 */
	ACCURACY_BRANCHES,
	ACCURACY_LOADS, /* aarch64, and those below */
	ACCURACY_STORES,
	ACCURACY_EXCEPTIONS,
	ACCURACY_SW_INCR,
};

struct accuracy_row {
	const char *id; /* of the catalogue */
	enum accuracy_subject subject;
};

/* Ends with a row whose id is NULL. Defined in accuracy.c. */
extern const struct accuracy_row accuracy_table[];

#endif
