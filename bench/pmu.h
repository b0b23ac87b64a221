/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vPMU map: the words of bench/pmu.def, its rows as values for the host, and what
 * the map's payload (bench/ARCH/pmu_map.c) is told about its register.
 */
#ifndef WS_BENCH_PMU_H
#define WS_BENCH_PMU_H

#include <stddef.h>
#include <stdint.h>

/* abi_params.operand: an MSR's number; the fields of an MRS or MSR instruction. */
#define PMU_MSR(number) (number)
#define PMU_SYSREG(op1, crn, crm, op2)                                                   \
	((uint32_t)(op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)

/* Which of a row of registers `operand` is the first of. */
enum pmu_index {
	PMU_ONE,
	/*
	 * The last general counter that the guest sees. Where it sees none: the 8th
	 * on x86_64, which is the last that KVM has; the first on aarch64, as the
	 * machine itself may not have any other.
	 */
	PMU_LAST_GENERAL,
	PMU_LAST_FIXED, /* likewise; the third where it sees none */
};

enum pmu_write {
	PMU_KEEP, /* what was read before */
	PMU_ZERO,
};

/* abi_params.command. */
#define PMU_COMMAND(is_write, index, write)                                              \
	((uint32_t)(is_write) | (uint32_t)(index) << 8 | (uint32_t)(write) << 16)
#define PMU_COMMAND_IS_WRITE(command) ((command)&0xffu)
#define PMU_COMMAND_INDEX(command)    ((enum pmu_index)((command) >> 8 & 0xffu))
#define PMU_COMMAND_WRITE(command)    ((enum pmu_write)((command) >> 16 & 0xffu))

struct pmu_register {
	const char *name, *what;
	unsigned int archs;
	uint32_t operand;
	enum pmu_index index;
	enum pmu_write write;
	/* Its rows of the catalogue; NULL where it cannot be read or written. */
	const char *read_row, *write_row;
};

/* Ends with a row whose name is NULL. Defined in pmu.c. */
extern const struct pmu_register pmu_table[];

#endif
