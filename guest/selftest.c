/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The payload of the VMM's self-tests (wsbench selftest): executes params.command (enum
 * selftest_command), and checks what the VMM did. Replaces sample.c.
 */
#include "guest/selftest.h"

#include "clock.h" /* of the guest's architecture */

static volatile struct abi_page *const page =
	(volatile struct abi_page *)(GUEST_RAM_GPA + ABI_PAGE_OFFSET);

/* SELFTEST_VCPUS: the boot CPU's request, and the answer of each other CPU. */
static volatile uint32_t asked, answered[8];

void selftest_expect(uint64_t what, uint64_t got, uint64_t expected)
{
	if (got == expected)
		return;
	page->report.fault.vector = SELFTEST_WRONG + what;
	page->report.fault.syndrome = got;
	page->report.fault.pc = 0;
	page->report.fault.address = expected;
	runtime_stop(ABI_STATE_FAULT);
}

/* The VM stops here; the test acts on it and resumes it. */
static void pause_for_host(void)
{
	runtime_doorbell(ABI_DOORBELL_STOP);
}

static void writes(const struct abi_params *params)
{
	volatile uint64_t *series = runtime_series(ABI_PHASE_EVENT);
	uint32_t i;

	for (i = 0; i < params->events; i++) {
		selftest_write(0, i);
		selftest_write(1, i);
		series[2] = i + 1;
	}
}

/* All injected interrupts arrive, no others, and none while masked. */
static void irqs(const struct abi_params *params, bool window)
{
	uint64_t *series = runtime_series(ABI_PHASE_EVENT);
	uint32_t i;

	selftest_irq_init();
	selftest_irq_mask(window);
	pause_for_host();
	for (i = 0; window && i < 1000; i++)
		runtime_doorbell(ABI_DOORBELL_BEGIN);
	selftest_expect(0, window ? selftest_irqs(0) : 0, 0);
	selftest_irq_mask(false);
	/* The host reads the count, and sends the next interrupt after this one. */
	while ((*(volatile uint64_t *)&series[2] = selftest_irqs(0)) < params->events)
		selftest_relax();
	/* Time for one too many. */
	for (i = 0; i < 1000; i++)
		runtime_doorbell(ABI_DOORBELL_END);
	series[0] = selftest_irqs(0);
	series[1] = selftest_irqs(1);
}

static void vcpus(const struct abi_params *params)
{
	uint32_t i, n;

	for (i = 1; i <= params->events; i++) {
		asked = i;
		for (n = 1; n < params->batches; n++)
			while (answered[n] != i)
				selftest_relax();
	}
	asked = ~0u;
}

/* One vCPU breaks after all are running. */
static void break_or_wait(uint32_t index)
{
	const uint32_t all = page->params.batches;
	static volatile uint32_t up[8];
	uint32_t n;

	up[index & 7] = 1;
	for (n = 0; n < all; n++)
		while (!up[n & 7])
			selftest_relax();
	if (page->params.operand >> index & 1)
		selftest_break((enum selftest_break)page->params.events);
	for (;;)
		selftest_relax();
}

void sample_secondary(uint32_t index)
{
	if (page->params.command == SELFTEST_BREAK)
		break_or_wait(index);
	if (page->params.command != SELFTEST_VCPUS)
		return;
	while (asked != ~0u) {
		answered[index & 7] = asked;
		selftest_relax();
	}
}

static void halts(const struct abi_params *params)
{
	uint32_t i;

	selftest_irq_init();
	selftest_irq_mask(true);
	for (i = 1; i <= params->events; i++) {
		runtime_doorbell(ABI_DOORBELL_BEGIN);
		selftest_halt();
		selftest_expect(i, selftest_irqs(0), i);
	}
}

/* Between the doorbells, the host counts exits. */
static void counter(const struct abi_params *params)
{
	uint32_t round, i;

	for (round = 0; round < 2; round++) {
		runtime_doorbell(ABI_DOORBELL_BEGIN);
		for (i = 0; i < params->events; i++)
			selftest_counter();
	}
	runtime_doorbell(ABI_DOORBELL_BEGIN);
}

/* Varies the time in the guest, so that a kick can hit any place. */
static void spin(void)
{
	uint32_t spins, i;

	for (spins = 0;; spins = (spins + 37) % 1000) {
		for (i = 0; i < spins; i++)
			__asm__ volatile("" ::: "memory");
		runtime_doorbell(ABI_DOORBELL_BEGIN);
	}
}

/* One LPI is pending while the VM is stopped, a second follows. */
static void lpis(void)
{
	selftest_irq_mask(true);
	selftest_lpi_init();
	selftest_lpi();
	pause_for_host();
	selftest_irq_mask(false);
	while (selftest_irqs(0) < 1)
		selftest_relax();
	selftest_lpi();
	while (selftest_irqs(0) < 2)
		selftest_relax();
}

static void touch(const struct abi_params *params)
{
	uint32_t i;

	for (i = 0; i < params->events; i++)
		*(volatile uint64_t *)(ABI_SLOT_GPA + i * 0x1000ull) = i + 1;
}

void sample_all(const struct abi_params *params)
{
	uint32_t i;

	switch (params->command) {
	case SELFTEST_REGS:
		selftest_regs(params, runtime_series(ABI_PHASE_EVENT));
		break;
	case SELFTEST_ACCESS:
		selftest_access();
		break;
	case SELFTEST_WRITES:
		writes(params);
		break;
	case SELFTEST_IRQ:
	case SELFTEST_NMI:
		irqs(params, false);
		break;
	case SELFTEST_WINDOW:
		irqs(params, true);
		break;
	case SELFTEST_VCPUS:
		vcpus(params);
		break;
	case SELFTEST_DEBUG:
		for (i = 0; i < params->events; i++)
			selftest_breakpoint();
		break;
	case SELFTEST_HYPERCALL:
		runtime_series(ABI_PHASE_EVENT)[0] = selftest_hypercall();
		break;
	case SELFTEST_PMU_MSRS:
		selftest_pmu_msrs();
		break;
	case SELFTEST_COUNTER:
		counter(params);
		break;
	case SELFTEST_SPIN:
		spin();
		break;
	case SELFTEST_HALT:
		halts(params);
		break;
	case SELFTEST_TOUCH:
		touch(params);
		break;
	case SELFTEST_LPI:
		lpis();
		break;
	case SELFTEST_BREAK:
		break_or_wait(0);
		break;
	case SELFTEST_BUS_LOCK:
		for (i = 0; i < params->events; i++)
			selftest_bus_lock();
		break;
	default:
		runtime_stop(ABI_STATE_REFUSED);
	}
}
