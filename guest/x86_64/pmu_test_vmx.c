/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PMU's self-test: Intel's counters, DEBUGCTL and the preemption timer across VM
 * entry and VM exit (SDM vol. 3C, chapters 26 to 28).
 */
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/pmu_test.h"
#include "guest/x86_64/vmx.h"

#define DEBUGCTL_BTF	 2
#define DEBUGCTL_DEFINED 0xffc7ull

static void field(uint32_t number, uint64_t expected)
{
	verdict_equal(PMU_ABOUT(PMU_VMCS, number, 0), vmcs_read(number), expected);
}

/* The guest ran to its end. */
static void run(void (*function)(void))
{
	if (vmcs_enter(function))
		field(FIELD_REASON, REASON_VMCALL);
	else
		field(FIELD_ERROR, 0);
}

/* VM entry fails with this exit reason. */
static void fails(uint32_t reason)
{
	if (vmcs_enter(code_nothing))
		field(FIELD_REASON, reason);
	else
		field(FIELD_ERROR, 0);
}

/* ---- DEBUGCTL --------------------------------------------------------------------- */

static volatile uint64_t read_by_guest;

static void guest_debugctl(void)
{
	read_by_guest = pmu_rdmsr(MSR_DEBUGCTL);
	try_wrmsr(MSR_DEBUGCTL, 0);
}

void pmu_test_vmx_debugctl(void)
{
	uint64_t value = DEBUGCTL_FREEZE;

	/* Skipped where KVM ignores a write of BTF or raises #GP. */
	if (!try_wrmsr(MSR_DEBUGCTL, value)) {
		value = DEBUGCTL_BTF;
		try_wrmsr(MSR_DEBUGCTL, value);
	}
	if (verdict_absent(vmcs_is_missing() || pmu_rdmsr(MSR_DEBUGCTL) != value))
		return;
	vmcs_open();
	vmcs_set_controls(0, EXIT_SAVE_DEBUG, ENTRY_LOAD_DEBUG);
	try_wrmsr(MSR_DEBUGCTL, 0);
	vmcs_write(FIELD_DEBUGCTL, value);
	run(guest_debugctl);
	verdict_equal(PMU_ABOUT(PMU_MSR, MSR_DEBUGCTL, 0), read_by_guest, value);
	field(FIELD_DEBUGCTL, 0);
	try_wrmsr(MSR_DEBUGCTL, value);
	vmcs_write(FIELD_DEBUGCTL, value);
	run(code_nothing);
	field(FIELD_DEBUGCTL, value);
	verdict_msr(MSR_DEBUGCTL, 0);
	vmcs_close();
}

void pmu_test_vmx_debugctl_reserved(void)
{
	uint32_t bit;

	if (verdict_absent(vmcs_is_missing()))
		return;
	vmcs_open();
	vmcs_set_controls(0, 0, ENTRY_LOAD_DEBUG);
	for (bit = 0; bit < 64; bit++) {
		if (DEBUGCTL_DEFINED >> bit & 1)
			continue;
		vmcs_write(FIELD_DEBUGCTL, 1ull << bit);
		fails(REASON_GUEST_STATE);
	}
	vmcs_write(FIELD_DEBUGCTL, 0);
	run(code_nothing);
	vmcs_close();
}

/* ---- PERF_GLOBAL_CTRL ------------------------------------------------------------- */

static void guest_global_ctrl(void)
{
	read_by_guest = pmu_rdmsr(pmu.control);
	try_wrmsr(pmu.control, 1);
}

static bool lacks_global_ctrl(void)
{
	return vmcs_is_missing() || pmu.n_gp < 2 ||
	       !vmcs_may_set(ENTRY, ENTRY_LOAD_GLOBAL_CTRL) ||
	       !vmcs_may_set(EXIT, EXIT_LOAD_GLOBAL_CTRL);
}

void pmu_test_vmx_global_ctrl(void)
{
	uint32_t save;

	if (verdict_absent(lacks_global_ctrl()))
		return;
	save = vmcs_may_set(EXIT, EXIT_SAVE_GLOBAL_CTRL) ? EXIT_SAVE_GLOBAL_CTRL : 0;
	vmcs_open();
	vmcs_set_controls(0, EXIT_LOAD_GLOBAL_CTRL | save, ENTRY_LOAD_GLOBAL_CTRL);
	vmcs_write(FIELD_GLOBAL_CTRL, 3);
	vmcs_write(FIELD_HOST_GLOBAL_CTRL, 2);
	run(guest_global_ctrl);
	verdict_equal(PMU_ABOUT(PMU_MSR, pmu.control, 0), read_by_guest, 3);
	verdict_msr(pmu.control, 2);
	field(FIELD_GLOBAL_CTRL, save ? 1 : 3);
	vmcs_close();
}

void pmu_test_vmx_global_ctrl_reserved(void)
{
	const uint64_t valid = pmu_valid_bits().global;
	uint32_t bit;

	if (verdict_absent(lacks_global_ctrl()))
		return;
	vmcs_open();
	vmcs_set_controls(0, EXIT_LOAD_GLOBAL_CTRL, ENTRY_LOAD_GLOBAL_CTRL);
	for (bit = 0; bit < 64; bit++) {
		if (valid >> bit & 1)
			continue;
		vmcs_write(FIELD_GLOBAL_CTRL, 1ull << bit);
		vmcs_write(FIELD_HOST_GLOBAL_CTRL, 0);
		fails(REASON_GUEST_STATE);
		vmcs_write(FIELD_GLOBAL_CTRL, 0);
		vmcs_write(FIELD_HOST_GLOBAL_CTRL, 1ull << bit);
		verdict_equal(PMU_ABOUT(PMU_VMCS, FIELD_ERROR, 0),
			      vmcs_enter(code_nothing) ? 0 : vmcs_read(FIELD_ERROR),
			      ERROR_HOST_STATE);
	}
	vmcs_close();
}

static struct msr_entry entry_load[2], exit_store, exit_load;

/* The areas of MSRs, and how many are in each. */
static void set_areas(uint32_t on_entry, uint32_t stored, uint32_t on_exit)
{
	vmcs_write(FIELD_ENTRY_LOAD, (uint64_t)entry_load);
	vmcs_write(FIELD_EXIT_STORE, (uint64_t)&exit_store);
	vmcs_write(FIELD_EXIT_LOAD, (uint64_t)&exit_load);
	vmcs_write(FIELD_ENTRY_LOAD_COUNT, on_entry);
	vmcs_write(FIELD_EXIT_STORE_COUNT, stored);
	vmcs_write(FIELD_EXIT_LOAD_COUNT, on_exit);
}

void pmu_test_vmx_msr_areas(void)
{
	if (verdict_absent(vmcs_is_missing() || pmu.n_gp < 2))
		return;
	vmcs_open();
	vmcs_set_controls(0, 0, 0);
	entry_load[0] = (struct msr_entry){ .msr = pmu.control, .value = 3 };
	exit_store = (struct msr_entry){ .msr = pmu.control };
	exit_load = (struct msr_entry){ .msr = pmu.control, .value = 2 };
	set_areas(1, 1, 1);
	run(guest_global_ctrl);
	verdict_equal(PMU_ABOUT(PMU_MSR, pmu.control, 0), read_by_guest, 3);
	verdict_equal(PMU_ABOUT(PMU_MSR, pmu.control, 0), exit_store.value, 1);
	verdict_msr(pmu.control, 2);
	vmcs_close();
}

void pmu_test_vmx_msr_areas_reserved(void)
{
	const uint64_t valid = pmu_valid_bits().global;
	uint32_t bit;

	if (verdict_absent(vmcs_is_missing()))
		return;
	vmcs_open();
	vmcs_set_controls(0, 0, 0);
	set_areas(2, 0, 0);
	entry_load[0] = (struct msr_entry){ .msr = pmu.control, .value = 1 };
	for (bit = 0; bit < 64; bit++) {
		if (valid >> bit & 1)
			continue;
		entry_load[1] =
			(struct msr_entry){ .msr = pmu.control, .value = 1ull << bit };
		fails(REASON_MSR_LOAD);
		field(FIELD_QUALIFICATION, 2);
	}
	vmcs_close();
}

/* What counter 0 counts of a guest: enabled by the entry, disabled by the exit. */
static uint64_t count_guest(void (*function)(void))
{
	pmu_select(0, pmu.instructions | BOTH);
	pmu_write(0, 0);
	run(function);
	return pmu_read(0);
}

void pmu_test_vmx_counts(void)
{
	uint64_t by_control[2], by_area[2];

	if (verdict_absent(lacks_global_ctrl()))
		return;
	vmcs_open();
	vmcs_set_controls(0, EXIT_LOAD_GLOBAL_CTRL, ENTRY_LOAD_GLOBAL_CTRL);
	vmcs_write(FIELD_GLOBAL_CTRL, 1);
	vmcs_write(FIELD_HOST_GLOBAL_CTRL, 0);
	by_control[0] = count_guest(code_nothing);
	by_control[1] = count_guest(code_loop);
	vmcs_set_controls(0, 0, 0);
	entry_load[0] = (struct msr_entry){ .msr = pmu.control, .value = 1 };
	exit_load = (struct msr_entry){ .msr = pmu.control, .value = 0 };
	set_areas(1, 0, 1);
	by_area[0] = count_guest(code_nothing);
	by_area[1] = count_guest(code_loop);
	verdict_equal(PMU_ABOUT(PMU_IN_GUEST, 0, 0), by_control[1] - by_control[0],
		      LOOP_INSTRUCTIONS);
	verdict_equal(PMU_ABOUT(PMU_IN_GUEST, 0, 0), by_area[1] - by_area[0],
		      LOOP_INSTRUCTIONS);
	/* CALL and RET. */
	verdict_between(about_counter(0), by_control[0], 2, 4);
	verdict_equal(about_counter(0), by_area[0], by_control[0]);
	vmcs_close();
}

/* ---- the preemption timer --------------------------------------------------------- */

static volatile uint64_t guest_first, guest_last, guest_turn, guest_turns;

static uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
	return low | (uint64_t)high << 32;
}

/* Each turn is at least a tick of the TSC. */
static void guest_count_turns(void)
{
	const uint64_t turns = guest_turns;
	uint64_t i;

	guest_first = rdtsc();
	for (i = 0; i < turns; i++)
		guest_last = rdtsc();
}

/* By the TSC; without the cost of a reading. */
static uint64_t time_nops(void)
{
	uint64_t begin = rdtsc(), middle, end;

	middle = rdtsc();
	__asm__ volatile(NOPS);
	end = rdtsc();
	begin = middle - begin;
	return end - middle < begin ? 0 : end - middle - begin;
}

static void guest_spin(void)
{
	guest_first = guest_last = rdtsc();
	for (;;) {
		const uint64_t now = rdtsc();

		guest_turn = now - guest_last;
		guest_last = now;
	}
}

static bool lacks_timer(void)
{
	return vmcs_is_missing() || !vmcs_may_set(PIN, PIN_TIMER) ||
	       !vmcs_may_set(EXIT, EXIT_SAVE_TIMER);
}

/* A tick each time that a bit of the TSC changes; the NOPs before the entry do not count,
 * the turns of the guest do. They are 64 ticks or more, whatever the rate: a timer that
 * does not move fails. */
void pmu_test_vmx_timer(void)
{
	const uint32_t rate = pmu_rdmsr(MSR_VMX_MISC) & 0x1f;
	uint64_t nops, least, most;

	if (verdict_absent(lacks_timer()))
		return;
	vmcs_open();
	vmcs_set_controls(PIN_TIMER, EXIT_SAVE_TIMER, 0);
	vmcs_write(FIELD_TIMER, ~0u);
	guest_turns = 64ull << rate;
	run(guest_count_turns);
	nops = time_nops();
	least = guest_last - guest_first;
	most = vmx_exited - vmx_entered - nops;
	verdict_between(PMU_ABOUT(PMU_TIMER, 0, 0), ~0u - vmcs_read(FIELD_TIMER),
			least >> rate, (most >> rate) + 1);
	vmcs_close();
}

void pmu_test_vmx_timer_expires(void)
{
	const uint32_t rate = pmu_rdmsr(MSR_VMX_MISC) & 0x1f;
	const uint64_t ticks = (100000 >> rate) + 2;

	if (verdict_absent(lacks_timer()))
		return;
	vmcs_open();
	vmcs_set_controls(PIN_TIMER, EXIT_SAVE_TIMER, 0);
	vmcs_write(FIELD_TIMER, ticks);
	if (vmcs_enter(guest_spin))
		field(FIELD_REASON, REASON_TIMER);
	else
		field(FIELD_ERROR, 0);
	field(FIELD_TIMER, 0);
	/* The exit is at most two turns of the guest's loop after what it stored last. */
	verdict_between(PMU_ABOUT(PMU_TIMER, 0, 0),
			(guest_last + 2 * guest_turn - vmx_entered) >> rate, ticks - 1,
			2 * ticks);
	/* A timer of 0 expires before the first instruction. */
	vmcs_write(FIELD_TIMER, 0);
	guest_first = 0;
	if (vmcs_enter(guest_spin))
		field(FIELD_REASON, REASON_TIMER);
	else
		field(FIELD_ERROR, 0);
	verdict_equal(PMU_ABOUT(PMU_TIMER, 0, 0), guest_first, 0);
	vmcs_close();
}
