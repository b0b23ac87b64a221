/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System registers: identification and debug. The PMU's registers are in pmu.c. */
#include "bench/body.h"

/* ID_AA64PFR0_EL1: HCR_EL2.TID3 traps all feature registers; KVM returns the VM's value.
 */
BODY_PAIR(id_register, "", "mrs x0, id_aa64pfr0_el1", ::: "x0", "memory")
BODY_ROW(id_register);

/*
 * CTR_EL0, the cache type: trapped (HCR_EL2.TID2) only where KVM hides the machine's
 * caches or lacks a finer trap for the cache registers.
 */
BODY_PAIR(ctr_el0, "", "mrs x0, ctr_el0", ::: "x0", "memory")
BODY_ROW(ctr_el0);

/*
 * APIAKEYLO_EL1, a pointer authentication key, in a VM without pointer authentication:
 * traps (HCR_EL2.APK), and KVM injects an UNDEFINED exception. Includes the exit, the
 * injection and the payload's vectors. A machine without the register raises the
 * exception without a trap.
 */
BODY_PAIR(unknown_sysreg, "",
	  "1: mrs x0, s3_0_c2_c1_0\n\t"
	  "2:\n\t" RUNTIME_FIXUP("1b", "2b"),
	  ::
		  : "x0", "memory")
BODY_ROW(unknown_sysreg);

/* OSLSR_EL1, the status of the OS lock: MDCR_EL2.TDOSA always traps the read. */
BODY_PAIR(debug_register, "", "mrs x0, oslsr_el1", ::: "x0", "memory")
BODY_ROW(debug_register);

/*
 * The first write of DBGBVR0_EL1 after the vCPU was loaded. KVM loads the debug registers
 * on demand: the first access traps (MDCR_EL2.TDA), later accesses pass until KVM takes
 * the registers back, which the exit to user space before each event causes.
 */
BODY_PAIR(debug_register_first, "", "msr dbgbvr0_el1, xzr", ::: "memory")
BODY_ROW(debug_register_first, .reload = true);
