/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PMU's self-test: AMD's counters and a guest that VMRUN enters (svm.c). */
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/pmu_test.h"
#include "guest/x86_64/svm.h"

#define CTL_GUEST_ONLY (1ull << 40)
#define CTL_HOST_ONLY  (1ull << 41)

static void set_svme(bool on)
{
	const uint64_t efer = pmu_rdmsr(MSR_EFER);

	verdict_writes(MSR_EFER, on ? efer | EFER_SVME : efer & ~EFER_SVME, true);
}

static void prepare(void)
{
	set_svme(true);
	verdict_writes(MSR_HSAVE_PA, (uint64_t)svm_host_state, true);
	svm_prepare();
}

static void (*of_guest)(void);

static void guest(void)
{
	svm_enter(of_guest);
}

static void exited(uint64_t code)
{
	verdict_equal(PMU_ABOUT(PMU_EXIT, 0, 0), svm_vmcb.exit_code, code);
}

/* Counter 0 host-only, 1 guest-only, 2 with both bits, 3 with neither. */
static void select_each(void)
{
	uint32_t n;

	pmu_select(0, pmu.instructions | BOTH | CTL_HOST_ONLY);
	pmu_select(1, pmu.instructions | BOTH | CTL_GUEST_ONLY);
	pmu_select(2, pmu.instructions | BOTH | CTL_HOST_ONLY | CTL_GUEST_ONLY);
	pmu_select(3, pmu.instructions | BOTH);
	for (n = 0; n < 4; n++)
		pmu_write(n, 0);
}

void pmu_test_svm_off(void)
{
	uint32_t n;

	if (svm_is_present())
		set_svme(false);
	select_each();
	pmu_run(0xf, code_loop);
	for (n = 0; n < 3; n++)
		verdict_equal(about_counter(n), pmu_read(n), 0);
	verdict_at_least(about_counter(3), pmu_read(3), LOOP_INSTRUCTIONS);
}

/* The counters go by EFER.SVME at the moment, which changes while they are enabled. */
void pmu_test_svm_host(void)
{
	uint64_t counted[3];
	uint32_t n;

	if (verdict_absent(!svm_is_present()))
		return;
	select_each();
	pmu_start(0xf);
	set_svme(true);
	code_loop();
	set_svme(false);
	for (n = 0; n < 3; n++)
		counted[n] = pmu_read(n);
	code_loop();
	pmu_stop();
	for (n = 0; n < 3; n++)
		verdict_equal(about_counter(n), pmu_read(n), counted[n]);
	verdict_at_least(about_counter(0), counted[0], LOOP_INSTRUCTIONS);
	verdict_equal(about_counter(1), counted[1], 0);
	/* Without pmu.control the counters do not begin at the same instruction. */
	if (pmu.control)
		verdict_equal(about_counter(2), counted[2], counted[0]);
	else
		verdict_at_least(about_counter(2), counted[2], LOOP_INSTRUCTIONS);
	verdict_at_least(about_counter(3), pmu_read(3), 2 * LOOP_INSTRUCTIONS);
}

/* The loop's count is that of the guest with the loop without that of an empty guest. */
void pmu_test_svm_guest(void)
{
	uint64_t empty[4];
	uint32_t n;

	if (verdict_absent(!svm_is_present()))
		return;
	prepare();
	of_guest = code_nothing;
	guest();
	exited(EXIT_VMMCALL);
	select_each();
	pmu_run(0xf, guest);
	for (n = 0; n < 4; n++)
		empty[n] = pmu_read(n);
	of_guest = code_loop;
	select_each();
	pmu_run(0xf, guest);
	for (n = 0; n < 4; n++)
		verdict_equal(PMU_ABOUT(PMU_IN_GUEST, n, 0), pmu_read(n) - empty[n],
			      n ? LOOP_INSTRUCTIONS : 0);
	/* CALL and RET; and VMRUN, if the CPU counts it in the guest, as Zen does. */
	verdict_between(about_counter(1), empty[1], 2, 3);
	if (pmu.control) {
		verdict_equal(PMU_ABOUT(PMU_SUM, 0, 1), empty[0] + empty[1], empty[2]);
		verdict_equal(about_counter(3), empty[3], empty[2]);
	}
	set_svme(false);
}

static volatile uint64_t rdpmc_value;

static void rdpmc_1(void)
{
	uint64_t value;

	rdpmc_value = try_rdpmc(1, &value) ? value : ~0ull;
}

void pmu_test_svm_rdpmc(void)
{
	if (verdict_absent(!svm_is_present()))
		return;
	prepare();
	pmu_write(1, 0x123456789a);
	of_guest = rdpmc_1;
	guest();
	exited(EXIT_VMMCALL);
	verdict_equal(PMU_ABOUT(PMU_RDPMC_VALUE, 1, 0), rdpmc_value, 0x123456789a);
	svm_vmcb.intercepts[0] = INTERCEPT_RDPMC;
	guest();
	exited(EXIT_RDPMC);
	set_svme(false);
}
