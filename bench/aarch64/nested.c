/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The payload is a hypervisor (L1), at EL2 of a bare machine or at the virtual EL2 that
 * KVM (L0) gives its guest. Exits of its own guest (L2), which times them at EL1, and
 * what a hypervisor does at EL2, timed there.
 *
 * L1 is the least hypervisor: it counts the exit (SP_EL2 is the address of the counter),
 * does what the row says, and returns. It compares the cause of the first exit with that
 * of the row, and the runtime that of all others with the first: the count is the sum of
 * ESR_EL2. It saves no register (the bodies declare X16 and X17 as changed), and switches
 * no state. Stage 2 is on. What
 * a row costs on a bare machine is therefore the least that the architecture allows.
 */
#include "bench/body.h"
#include "guest/aarch64/nested.h"
#include "guest/aarch64/remap.h"

#define COUNT                                                                            \
	"mrs x16, esr_el2\n\t"                                                           \
	"stadd x16, [sp]\n\t"

#define RESUME "eret\n\t"

/* Classes of ESR_EL2 (Arm ARM, ESR_EL2.EC). */
#define CLASS_HVC   "0x16"
#define CLASS_SMC   "0x17"
#define CLASS_MSR   "0x18"
#define CLASS_ABORT "0x24" /* a data abort of L2 */

/* Resumes after the instruction that trapped, which gets 0. */
#define EMULATE_AND_RESUME                                                               \
	"mrs x17, elr_el2\n\t"                                                           \
	"add x17, x17, #4\n\t"                                                           \
	"msr elr_el2, x17\n\t"                                                           \
	"mov x0, xzr\n\t" RESUME

#define HCR_LEAST (HCR_E2H | HCR_RW | HCR_VM)

#define L2_SETUP(id, hcr, vectors)                                                       \
	BODY bool id##_setup(const struct abi_params *params)                            \
	{                                                                                \
		return nested_begin(params, hcr, vectors);                               \
	}

/* HVC in L2: L1 resumes L2. */
NESTED_VECTORS(hvc_vectors, NESTED_CLASS(CLASS_HVC), COUNT RESUME);
L2_SETUP(nested_hvc, HCR_LEAST, hvc_vectors)
BODY_PAIR(nested_hvc, "", "hvc #0", ::: "x16", "memory")
BODY_ROW(nested_hvc, .setup = nested_hvc_setup);

/*
 * The same, as KVM does it: HCR_EL2 as KVM sets it for its guests (HCR_GUEST_FLAGS in
 * arch/arm64/include/asm/kvm_arm.h); on an exit the cause is read, and HCR_EL2 is that of
 * the host until the guest's and VTTBR_EL2 are restored. KVM saves and restores more:
 * general registers, timers, the GIC. SMC traps, and L1 makes the call.
 */
#define HCR_KVM                                                                          \
	(HCR_LEAST | HCR_SWIO | HCR_PTW | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB |         \
	 HCR_BSUIS | HCR_TWI | HCR_TWE | HCR_TID1 | HCR_TID3 | HCR_TSC | HCR_TIDCP |     \
	 HCR_TACR | HCR_TSW | HCR_TLOR)

NESTED_VECTORS(kvm_vectors, NESTED_CLASSES(CLASS_HVC, CLASS_SMC),
	       COUNT "mrs x16, esr_el2\n\t"
		     "lsr x16, x16, #26\n\t"
		     "cmp x16, #0x17\n\t" /* SMC */
		     "b.eq 1f\n\t"
		     "mov x17, #0x88000000\n\t" /* EL2_HCR_HOST */
		     "movk x17, #0x4, lsl #32\n\t"
		     "msr hcr_el2, x17\n\t"
		     "isb\n\t"
		     "mrs x17, tpidr_el2\n\t"
		     "msr hcr_el2, x17\n\t"
		     "mrs x17, vttbr_el2\n\t"
		     "msr vttbr_el2, x17\n\t"
		     "isb\n\t" RESUME "1: smc #0\n\t" EMULATE_AND_RESUME);
L2_SETUP(nested_hvc_as_kvm, HCR_KVM, kvm_vectors)
BODY_PAIR(nested_hvc_as_kvm, "", "hvc #0", ::: "x16", "x17", "memory")
BODY_ROW(nested_hvc_as_kvm, .setup = nested_hvc_as_kvm_setup);

/* ID_AA64PFR0_EL1 in L2: L1 traps all feature registers (HCR_EL2.TID3). */
NESTED_VECTORS(skip_vectors, NESTED_CLASS(CLASS_MSR), COUNT EMULATE_AND_RESUME);
L2_SETUP(nested_trap_sysreg, HCR_LEAST | HCR_TID3, skip_vectors)
BODY_PAIR(nested_trap_sysreg, "", "mrs x0, id_aa64pfr0_el1", ::
		  : "x0", "x16", "x17", "memory")
BODY_ROW(nested_trap_sysreg, .setup = nested_trap_sysreg_setup);

/* Load of a gpa that L1's stage 2 does not map. */
NESTED_VECTORS(mmio_vectors, NESTED_CLASS(CLASS_ABORT), COUNT EMULATE_AND_RESUME);
L2_SETUP(nested_mmio, HCR_LEAST, mmio_vectors)
BODY_PAIR(nested_mmio, "mov x1, %0", "ldr w0, [x1]", ::"i"(ABI_SLOT_GPA)
	  : "x0", "x1", "x16", "x17", "memory")
BODY_ROW(nested_mmio, .setup = nested_mmio_setup);

/*
 * PSCI_VERSION by SMC. Each timed call must return a version: a call that is skipped
 * leaves its function in W0, and one that L0 does not know returns NOT_SUPPORTED, both
 * negative.
 */
#define PSCI_VERSION(insn, x0)                                                           \
	__asm__ volatile("mov w0, #0x84000000\n\t" insn                                  \
			 : "+r"(x0)                                                      \
			 :                                                               \
			 : "x1", "x2", "x3", "x16", "memory")

BODY uint64_t psci_version_read(uint64_t value)
{
	register uint64_t x0 __asm__("x0") = value;

	PSCI_VERSION("smc #0", x0);
	return x0;
}

BODY void psci_version_twin(void)
{
	register uint64_t x0 __asm__("x0");

	__asm__ volatile("" : "=r"(x0));
	PSCI_VERSION("nop", x0);
}

BODY void psci_version_seen(uint64_t value)
{
	must((int32_t)value > 0);
}

/* In L2, which L1 does not trap: L0 answers, and L1 sees nothing. */
L2_SETUP(nested_smc_l0, HCR_LEAST, hvc_vectors)
BODY_ROW_OF(nested_smc_l0, .read = psci_version_read, .seen = psci_version_seen,
	    .twin = psci_version_twin, .setup = nested_smc_l0_setup);

/* TLBI VMALLE1IS in L2, with its barriers: no exit, as in a guest that is not nested. */
L2_SETUP(nested_tlbi, HCR_LEAST, hvc_vectors)
BODY_PAIR(nested_tlbi, "dsb ishst\n\t", "tlbi vmalle1is\n\tdsb ish\n\tisb", ::
		  : "x16", "memory")

BODY void nested_tlbi_end(void)
{
	must(remap_is_seen(nested_tlbi_event));
}

BODY_ROW(nested_tlbi, .setup = nested_tlbi_setup, .end = nested_tlbi_end);

/* The rest stays at EL2: what L1 itself does. */
BODY bool l1_setup(const struct abi_params *params)
{
	(void)params;
	return nested_is_el2();
}

/* SMC is the conduit of a hypervisor: a call of L1 to L0. */
BODY_ROW_OF(nested_l1_smc, .read = psci_version_read, .seen = psci_version_seen,
	    .twin = psci_version_twin, .setup = l1_setup);

/* ERET from EL2 to EL2, to the next instruction: the flags are those of SPSR_EL2. */
BODY_PAIR(nested_l1_eret_self,
	  "adr x0, 1f\n\t"
	  "msr elr_el2, x0\n\t"
	  "mov x0, #0x3c9\n\t" /* EL2h, DAIF */
	  "msr spsr_el2, x0",
	  "eret\n\t1:", ::
		  : "x0", "cc", "memory")
BODY_ROW(nested_l1_eret_self, .setup = l1_setup);

/*
 * TLBI VMALLS12E1IS with its barriers: L1 invalidates what it has mapped for L2, here
 * before L2 runs. KVM (L0) then has no tables of L2 to unmap.
 */
#define TLBI_L2                                                                          \
	"tlbi vmalls12e1is\n\t"                                                          \
	"dsb ish\n\t"                                                                    \
	"isb"

BODY_PAIR(nested_l1_tlbi, "dsb ishst", TLBI_L2, ::: "memory")

/*
 * Under KVM the exits prove the instruction. On a bare machine L2 runs behind the events,
 * and HVC asks L1 to invalidate what the CPU has cached. KVM would unmap all of L2's
 * stage 2 for that, up to the last address of the CPU, longer than a boot may take.
 */
NESTED_VECTORS(tlbi_vectors, NESTED_CLASS(CLASS_HVC), COUNT TLBI_L2 "\n\t" RESUME);
static bool is_bare;

BODY bool nested_l1_tlbi_setup(const struct abi_params *params)
{
	is_bare = !(params->flags & ABI_FLAG_DOORBELL);
	return l1_setup(params);
}

BODY void ask_l1(void)
{
	__asm__ volatile("dsb ishst\n\t"
			 "hvc #0" ::
				 : "x16", "memory");
}

BODY void nested_l1_tlbi_end(void)
{
	if (!is_bare)
		return;
	el2_enter(HCR_LEAST, tlbi_vectors, &runtime_l1_exits.sum);
	must(remap_is_seen(ask_l1));
}

BODY_ROW(nested_l1_tlbi, .setup = nested_l1_tlbi_setup, .end = nested_l1_tlbi_end);

/*
 * Writes of HCR_EL2 and VTTBR_EL2, of fields without effect while no guest runs
 * (HCR_EL2.TGE). The value comes from TPIDR_EL2, whose read is a load from memory with
 * FEAT_NV2, as that of either register would be.
 */
#define L1_REGISTER(id, name, before, value)                                             \
	BODY bool id##_setup(const struct abi_params *params)                            \
	{                                                                                \
		if (!l1_setup(params))                                                   \
			return false;                                                    \
		__asm__ volatile("msr " name ", %0\n\t"                                  \
				 "msr tpidr_el2, %1\n\t"                                 \
				 "isb" ::"r"((uint64_t)(before)),                        \
				 "r"((uint64_t)(value))                                  \
				 : "memory");                                            \
		return true;                                                             \
	}                                                                                \
                                                                                         \
	BODY void id##_end(void)                                                         \
	{                                                                                \
		uint64_t now;                                                            \
                                                                                         \
		__asm__ volatile("mrs %0, " name : "=r"(now)::"memory");                 \
		must(now == (uint64_t)(value));                                          \
	}

L1_REGISTER(nested_l1_hcr_el2, "hcr_el2", EL2_HCR_HOST, EL2_HCR_HOST | HCR_TWE)
BODY_PAIR(nested_l1_hcr_el2, "mrs x0, tpidr_el2", "msr hcr_el2, x0", ::: "x0", "memory")
BODY_ROW(nested_l1_hcr_el2, .setup = nested_l1_hcr_el2_setup,
	 .end = nested_l1_hcr_el2_end);

#define VMID (1ull << 48)
L1_REGISTER(nested_l1_vttbr_el2, "vttbr_el2", 0, VMID)
BODY_PAIR(nested_l1_vttbr_el2, "mrs x0, tpidr_el2", "msr vttbr_el2, x0", ::
		  : "x0", "memory")
BODY_ROW(nested_l1_vttbr_el2, .setup = nested_l1_vttbr_el2_setup,
	 .end = nested_l1_vttbr_el2_end);
