/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock: an empty region, and the instructions that read the TSC; and the APIC's
 * timer in TSC-deadline mode.
 */
#include "bench/body.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/machine.h"
#include "guest/x86_64/pmu_code.h"

/*
 * Nothing. The null phase measures the cost of the clock; this row proves that zero
 * remains when that cost is subtracted.
 */
BODY void null_event(void)
{
	__asm__ volatile("" ::: "memory");
}

BODY void null_twin(void)
{
	__asm__ volatile("" ::: "memory");
}

BODY_ROW(null);

/*
 * RDTSC. KVM passes RDTSC through on hardware; an exit means TSC scaling or a software
 * KVM.
 */
BODY_PAIR(rdtsc, "", "rdtsc", ::: "eax", "edx", "memory")
BODY_ROW(rdtsc);

/* RDTSCP also waits for earlier instructions and reads TSC_AUX. */
BODY bool rdtscp_setup(const struct abi_params *params)
{
	(void)params;
	return cpuid(0x80000001, 0).edx & 1u << 27;
}

BODY_PAIR(rdtscp, "", "rdtscp", ::: "eax", "ecx", "edx", "memory")
BODY_ROW(rdtscp, .setup = rdtscp_setup);

#define MSR_TSC_DEADLINE 0x6e0

/*
 * From the deadline to the handler's first read of the clock. KVM arms a host timer at
 * the WRMSR, and the host timer's interrupt exits; the EOI may exit, too. The twin waits
 * for the same deadline by reading the clock.
 */
#define DELAY_TICKS 20000 /* longer than the return from the WRMSR to the body */

static volatile uint64_t fired;

static MACHINE_INTERRUPT void on_expiry(struct machine_frame *frame)
{
	(void)frame;
	fired = clock_start();
	apic_write(APIC_EOI, 0);
}

BODY bool timer_expiry_setup(const struct abi_params *params)
{
	(void)params;
	machine_handler(APIC_VECTOR, on_expiry);
	return apic_enable_tsc_deadline(APIC_VECTOR);
}

BODY uint64_t timer_expiry_measure(void)
{
	uint64_t deadline = clock_start() + DELAY_TICKS;

	fired = 0;
	__asm__ volatile("sti" ::: "memory");
	apic_wrmsr(MSR_TSC_DEADLINE, deadline);
	while (!fired)
		;
	__asm__ volatile("cli" ::: "memory");
	return fired - deadline;
}

BODY uint64_t timer_expiry_measure_twin(void)
{
	uint64_t deadline = clock_start() + DELAY_TICKS, now;

	do
		now = clock_stop();
	while (now < deadline);
	return now - deadline;
}

BODY_ROW_OF(timer_expiry, .setup = timer_expiry_setup, .measure = timer_expiry_measure,
	    .measure_twin = timer_expiry_measure_twin);

/*
 * WRMSR of TSC_DEADLINE: KVM rearms a host timer, or the VMX preemption timer, each time.
 * The deadline is renewed before each event, seconds ahead, so that the timer never
 * fires. It is within the reach of the preemption timer: of a later deadline KVM tries
 * the timer in vain, and arms a host timer after all.
 */
#define AHEAD_TICKS	      (1ull << 34)
/* 32 bits, which count every 32 ticks (IA32_VMX_MISC, bits 4:0) on Intel's CPUs. */
#define PREEMPTION_TIMER_BITS 37
_Static_assert(AHEAD_TICKS >> PREEMPTION_TIMER_BITS == 0,
	       "a deadline is within the reach of the VMX preemption timer");

static uint64_t deadline;

/* Not by clock_start(): explain would see the read. */
BODY void renew_deadline(void)
{
	deadline = __builtin_ia32_rdtsc() + AHEAD_TICKS;
}

BODY bool tsc_deadline_setup(const struct abi_params *params)
{
	(void)params;
	return apic_enable_tsc_deadline(APIC_VECTOR);
}

BODY_PAIR(tsc_deadline,
	  "mov %0, %%ecx\n\t"
	  "mov %1, %%eax\n\t"
	  "mov 4+%1, %%edx",
	  "wrmsr", ::"i"(MSR_TSC_DEADLINE), "m"(deadline)
	  : "eax", "ecx", "edx", "memory")

#define DEADLINE_MEASURE(name, op)                                                       \
	BODY uint64_t name(void)                                                         \
	{                                                                                \
		uint64_t start;                                                          \
                                                                                         \
		renew_deadline();                                                        \
		start = measure_start();                                                 \
		op();                                                                    \
		return measure_stop() - start;                                           \
	}

DEADLINE_MEASURE(tsc_deadline_measure, tsc_deadline_event)
DEADLINE_MEASURE(tsc_deadline_measure_twin, tsc_deadline_twin)

/* MSR_TSC_DEADLINE is 0 while the timer is off. */
BODY void tsc_deadline_end(void)
{
	uint64_t armed;

	renew_deadline();
	tsc_deadline_event();
	must(try_rdmsr(MSR_TSC_DEADLINE, &armed) && armed == deadline);
}

BODY_ROW_OF(tsc_deadline, .setup = tsc_deadline_setup, .measure = tsc_deadline_measure,
	    .measure_twin = tsc_deadline_measure_twin, .end = tsc_deadline_end);

/*
 * The same by WRMSRNS with an immediate operand. From Linux 6.18 on KVM handles both in
 * its fastpath. The MSR, which is 0 while the timer is off, proves the write.
 */
BODY bool wrmsr_imm_tsc_deadline_setup(const struct abi_params *params)
{
	uint64_t written;

	(void)params;
	renew_deadline();
	if (!cpuid_has_msr_imm() || !apic_enable_tsc_deadline(APIC_VECTOR))
		return false;
	__asm__ volatile(MACHINE_WRMSRNS_IMM("%c0")::"i"(MSR_TSC_DEADLINE), "d"(deadline)
			 : "memory");
	__asm__ volatile(MACHINE_RDMSR_IMM("%c1")
			 : "=d"(written)
			 : "i"(MSR_TSC_DEADLINE)
			 : "memory");
	if (written != deadline)
		__builtin_trap();
	return true;
}

BODY_PAIR(wrmsr_imm_tsc_deadline, "mov %1, %%rdx", MACHINE_WRMSRNS_IMM("%c0"),
	  ::"i"(MSR_TSC_DEADLINE), "m"(deadline)
	  : "rdx", "memory")
DEADLINE_MEASURE(wrmsr_imm_measure, wrmsr_imm_tsc_deadline_event)
DEADLINE_MEASURE(wrmsr_imm_measure_twin, wrmsr_imm_tsc_deadline_twin)
BODY_ROW_OF(wrmsr_imm_tsc_deadline, .setup = wrmsr_imm_tsc_deadline_setup,
	    .measure = wrmsr_imm_measure, .measure_twin = wrmsr_imm_measure_twin);

/*
 * WRMSR of TSC_DEADLINE with a deadline in the past: the timer's interrupt is pending at
 * once, and the handler ends the interrupt before the next instruction. The deadline is 1
 * because 0 disarms the timer.
 */
static MACHINE_INTERRUPT void on_past_deadline(struct machine_frame *frame)
{
	(void)frame;
	MACHINE_DELIVERED();
	apic_write(APIC_EOI, 0);
}

BODY bool tsc_deadline_now_setup(const struct abi_params *params)
{
	(void)params;
	machine_handler(APIC_VECTOR, on_past_deadline);
	return apic_enable_tsc_deadline(APIC_VECTOR);
}

BODY_PAIR(tsc_deadline_now,
	  "mov %0, %%ecx\n\t"
	  "mov $1, %%eax\n\t"
	  "xor %%edx, %%edx\n\t"
	  "sti",
	  "wrmsr\n\t"
	  "nop\n\t"
	  "cli",
	  ::"i"(MSR_TSC_DEADLINE)
	  : "eax", "ecx", "edx", "cc", "memory")
BODY_ROW(tsc_deadline_now, .setup = tsc_deadline_now_setup);
