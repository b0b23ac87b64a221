/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls, maintenance, WFE, WFI and FP: instructions without a device behind them;
 * and system registers of identification and debug. The PMU's registers are in pmu.c.
 */
#include "bench/body.h"
#include "guest/aarch64/gic.h"
#include "guest/aarch64/remap.h"

#define CALL_CLOBBERS "x0", "x1", "x2", "x3", "memory"

/*
 * HVC #0 with a function of the vendor range that is unknown to KVM, which returns
 * SMCCC_RET_NOT_SUPPORTED. kvm-unit-tests makes the same call.
 */
BODY_PAIR(hypercall, "mov w0, #0x4b000000", "hvc #0", ::: CALL_CLOBBERS)
BODY_ROW(hypercall);

/* PSCI_VERSION (Arm DEN 0022, 5.3): the shortest call with a useful result. */
BODY_PAIR(hvc_psci_version, "mov w0, #0x84000000", "hvc #0", ::: CALL_CLOBBERS)
BODY_ROW(hvc_psci_version);

/*
 * SMCCC_VERSION (Arm DEN 0028, 7.2): a constant as PSCI_VERSION, from another branch of
 * KVM's dispatcher.
 */
BODY_PAIR(hvc_smccc_version, "mov w0, #0x80000000", "hvc #0", ::: CALL_CLOBBERS)
BODY_ROW(hvc_smccc_version);

/* HVC with a function that KVM's SMCCC filter forwards to the VMM, which returns. */
#define FUNCTION_LOW  (ABI_AARCH64_HVC_USER & 0xffff)
#define FUNCTION_HIGH (ABI_AARCH64_HVC_USER >> 16)

BODY_PAIR(hvc_user,
	  "mov w0, %0\n\t"
	  "movk w0, %1, lsl #16",
	  "hvc #0", ::"i"(FUNCTION_LOW), "i"(FUNCTION_HIGH)
	  : CALL_CLOBBERS)
BODY_ROW(hvc_user);

/*
 * PSCI_VERSION by SMC. HCR_EL2.TSC traps SMC, and KVM returns NOT_SUPPORTED, or executes
 * the call where the VM's conduit may be SMC. On a machine without EL3, SMC may be
 * UNDEFINED, which precedes the trap.
 */
BODY_PAIR(smc, "mov w0, #0x84000000",
	  "1: smc #0\n\t"
	  "2:\n\t" RUNTIME_FIXUP("1b", "2b"),
	  ::
		  : CALL_CLOBBERS)

/* A call that was skipped returns its function; one that is UNDEFINED, here, 0. */
BODY void smc_end(void)
{
	register uint64_t x0 __asm__("x0") = 0x84000000;

	__asm__ volatile("1: smc #0\n\t"
			 "b 3f\n\t"
			 "2: mov x0, #0\n\t"
			 "3:\n\t" RUNTIME_FIXUP("1b", "2b")
			 : "+r"(x0)
			 :
			 : "x1", "x2", "x3", "memory");
	must(x0 != 0x84000000);
}

BODY_ROW(smc, .end = smc_end);

/*
 * Clean and invalidate by set/way: set 0, way 0, level 1. Trapped by HCR_EL2.TSW. The
 * first time, in the warm-up, KVM flushes the VM's memory; later KVM only checks whether
 * a flush is needed.
 */
BODY_PAIR(dc_cisw, "", "dc cisw, xzr", ::: "memory")
BODY_ROW(dc_cisw);

/* TLBI VMALLE1IS with the barriers that complete it: broadcast, without an exit. */
BODY void tlbi_event(void)
{
	__asm__ volatile("dsb ishst\n\t"
			 "tlbi vmalle1is\n\t"
			 "dsb ish\n\t"
			 "isb" ::
				 : "memory");
}

BODY void tlbi_twin(void)
{
	__asm__ volatile("dsb ishst\n\t"
			 "nop\n\t"
			 "dsb ish\n\t"
			 "isb" ::
				 : "memory");
}

BODY void tlbi_end(void)
{
	must(remap_is_seen(tlbi_event));
}

BODY_ROW(tlbi, .end = tlbi_end);

/*
 * WFE with an event pending: SEVL sets the event register, so that WFE does not wait. KVM
 * requests the trap of WFE (HCR_EL2.TWE) while other threads want the CPU, but a WFE that
 * does not wait need not trap.
 */
BODY_PAIR(wfe, "sevl", "wfe", ::: "memory")
BODY_ROW(wfe);

/*
 * WFI, which traps (HCR_EL2.TWI), with an interrupt pending: KVM checks for pending
 * interrupts before the thread sleeps, and resumes the guest at once.
 *
 * The CPU must not see the interrupt: WFI would then have nothing to wait for and need
 * not trap. The set-up therefore disables the interrupt's group at the CPU interface.
 * KVM does not look there: an interrupt that is pending, enabled and not masked by
 * priority is enough (kvm_vgic_vcpu_pending_irq()).
 */
#define WFI_INTID 1

BODY bool wfi_setup(const struct abi_params *params)
{
	(void)params;
	if (!gic_init())
		return false;
	gic_let_through(false);
	gic_enable(WFI_INTID);
	__asm__ volatile("msr " ICC_SGI1R ", %0\n\t"
			 "isb" ::"r"(GIC_SGI(WFI_INTID, 0)));
	return true;
}

BODY_PAIR(wfi, "", "wfi", ::: "memory")
BODY_ROW(wfi, .setup = wfi_setup, .halts = true);

/*
 * The first FP instruction after the vCPU was loaded. KVM switches FP/SIMD state lazily:
 * the instruction traps (CPTR_EL2), and EL2 exchanges the registers of host and guest
 * before KVM counts an exit. The state stays loaded until the vCPU is put, which the exit
 * to user space before each event causes.
 */
#define CPACR_FPEN (3ull << 20)

BODY bool fp_first_use_setup(const struct abi_params *params)
{
	(void)params;
	__asm__ volatile("msr cpacr_el1, %0\n\t"
			 "isb" ::"r"(CPACR_FPEN));
	return true;
}

/* D0 is free: the payload is compiled for general registers only. */
BODY void fp_first_use_event(void)
{
	__asm__ volatile("fmov d0, xzr" ::: "memory");
}

/* The twin is the second FP instruction, which does not trap: MORE_THAN_TWIN. */
BODY uint64_t fp_first_use_measure_twin(void)
{
	uint64_t start;

	doorbell_write(ABI_DOORBELL(ABI_DOORBELL_AGAIN, 0));
	fp_first_use_event();
	start = measure_start();
	fp_first_use_event();
	return measure_stop() - start;
}

BODY_ROW_OF(fp_first_use, .setup = fp_first_use_setup, .event = fp_first_use_event,
	    .measure_twin = fp_first_use_measure_twin, .reload = true);

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
 * The first write of DBGBVR0_EL1 after an exit. KVM loads the debug registers on demand:
 * the first access traps (MDCR_EL2.TDA), later accesses pass until KVM takes the
 * registers back: at the next exit, from Linux 6.14 on when the vCPU is put. The exit to
 * user space before each event is both.
 */
BODY_PAIR(debug_register_first, "", "msr dbgbvr0_el1, xzr", ::: "memory")
BODY_ROW(debug_register_first, .reload = true);
