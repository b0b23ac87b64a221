/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions that exit, halt or raise an exception, without a device behind them. */
#include "bench/body.h"
#include "guest/x86_64/apic.h"

/*
 * CPUID leaf 0. VMX and SVM exit on every CPUID (Intel SDM 3C, 26.1.2; AMD APM 2, 15.9):
 * the cheapest exit of an x86 guest.
 */
BODY_PAIR(cpuid, "xor %%eax, %%eax", "cpuid", ::
		  : "eax", "ebx", "ecx", "edx", "cc", "memory")
BODY_ROW(cpuid);

/* CPUID leaf 0xA, the vPMU: KVM searches further down its table than for leaf 0. */
BODY_PAIR(cpuid_pmu,
	  "mov $0xa, %%eax\n\t"
	  "xor %%ecx, %%ecx",
	  "cpuid", ::
		  : "eax", "ebx", "ecx", "edx", "cc", "memory")
BODY_ROW(cpuid_pmu);

/* Hypercall number 0, unknown to KVM, which returns -KVM_ENOSYS. */
BODY bool hypercall_setup(const struct abi_params *params)
{
	(void)params;
	machine_patch_vmcalls();
	return true;
}

BODY_PAIR(hypercall, "xor %%eax, %%eax", MACHINE_VMCALL, ::: "rax", "cc", "memory")
BODY_ROW(hypercall, .setup = hypercall_setup);

/*
 * PAUSE. Where the CPU filters spinning guests (pause-loop exiting, PAUSE filter), one in
 * thousands exits; without a filter none.
 */
BODY_PAIR(pause, "", "pause", ::: "memory")
BODY_ROW(pause);

/*
 * The PAUSE that exits. VMX: a PAUSE that follows the first of a loop by more than
 * ple_window ticks, each less than ple_gap after the one before (SDM 3C, 26.1.3). SVM:
 * the PAUSE after pause_filter_count others since the entry (APM 2, 15.14.4). Each PAUSE
 * is timed, and the first one that takes as long as an exit is the event.
 */
#define PAUSES_MAX 200000
/* Shorter than any exit, and longer than what a PAUSE varies by. */
#define EXIT_NS	   200

static uint64_t pause_ticks = UINT64_MAX; /* the shortest, with the reads of the clock */
static uint64_t exit_ticks;		  /* of a PAUSE that exits, at least */

BODY uint64_t pause_exit_measure(void)
{
	uint64_t start, ticks;
	uint32_t left = PAUSES_MAX;

	for (;;) {
		start = clock_start();
		__asm__ volatile("pause" ::: "memory");
		ticks = clock_stop() - start;
		if (ticks >= exit_ticks || !left--)
			return ticks;
		__asm__ volatile(MARK_AGAIN "nop" ::: "memory");
	}
}

BODY uint64_t pause_exit_measure_twin(void)
{
	uint64_t start = clock_start();

	__asm__ volatile("nop" ::: "memory");
	return clock_stop() - start;
}

BODY bool pause_exit_setup(const struct abi_params *params)
{
	uint64_t start, ticks;
	uint32_t i;

	for (i = 0; i < 100; i++) {
		start = clock_start();
		__asm__ volatile("pause" ::: "memory");
		ticks = clock_stop() - start;
		if (ticks < pause_ticks)
			pause_ticks = ticks;
	}
	exit_ticks = pause_ticks + abi_ticks(params, clock_hz(), EXIT_NS);
	return pause_exit_measure() >= exit_ticks;
}

BODY_ROW_OF(pause_exit, .setup = pause_exit_setup, .measure = pause_exit_measure,
	    .measure_twin = pause_exit_measure_twin);

/*
 * Two vCPUs pass a turn to each other, each waiting with PAUSE. Pause-loop exiting exits
 * when the other vCPU does not run.
 */
static volatile struct {
	uint32_t turn; /* 0: the boot CPU's */
} round __attribute__((aligned(64)));

BODY void pause_round_robin_secondary(uint32_t index)
{
	(void)index;
	for (;;) {
		while (!round.turn)
			__asm__ volatile("pause");
		round.turn = 0;
	}
}

BODY void pause_round_robin_event(void)
{
	round.turn = 1;
	while (round.turn)
		__asm__ volatile("pause");
}

BODY void pause_round_robin_twin(void)
{
	round.turn = 0;
	while (round.turn)
		__asm__ volatile("pause");
}

BODY_ROW(pause_round_robin, .secondary = pause_round_robin_secondary);

/*
 * MWAIT without an armed monitor, which ends at once where it is passed through. KVM
 * exits and does nothing, also where CPUID does not report MWAIT.
 */
BODY_PAIR(mwait,
	  "xor %%eax, %%eax\n\t"
	  "xor %%ecx, %%ecx",
	  "mwait", ::
		  : "eax", "ecx", "cc", "memory")
BODY_ROW(mwait, .halts = true);

/*
 * WBINVD. KVM exits, and executes WBINVD only for guests with devices that do not snoop.
 * Passed through, WBINVD empties the caches of the machine.
 */
BODY_PAIR(wbinvd, "", "wbinvd", ::: "memory")
BODY_ROW(wbinvd);

/* INVD: KVM skips the instruction, in a fastpath since Linux 6.18. */
BODY_PAIR(invd, "", "invd", ::: "memory")
BODY_ROW(invd);

/* HLT in a VM without an in-kernel interrupt controller: the VMM resumes the guest. */
BODY_PAIR(hlt_user, "", "hlt", ::: "memory")
BODY_ROW(hlt_user);

/*
 * HLT with an interrupt pending: HLT exits, KVM finds no reason to sleep and injects the
 * interrupt.
 *
 * The interrupt must not cost exits of its own. The VMM raises a line of the PIC before
 * each event, and with automatic EOI the handler has nothing to write. STI opens the
 * interrupt window only after the following instruction, the HLT (Intel SDM 2B, STI); the
 * handler returns with interrupts disabled. KVM may request an interrupt window before it
 * injects, a second exit. The twin leaves the interrupt pending for the next event.
 */
#define PIC_COMMAND 0x20
#define PIC_DATA    0x21
#define PIC_BASE    0x40 /* the vector of line 0 */
#define RFLAGS_IF   0x200ull

BODY void pic_write(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "d"(port));
}

static MACHINE_INTERRUPT void on_line(struct machine_frame *frame)
{
	MACHINE_DELIVERED();
	*(volatile uint64_t *)&frame->rflags &= ~RFLAGS_IF;
}

BODY bool hlt_kernel_setup(const struct abi_params *params)
{
	(void)params;
	machine_handler(PIC_BASE + ABI_X86_64_HLT_LINE, on_line);
	apic_enable();
	pic_write(PIC_COMMAND, 0x11); /* initialise; ICW4 follows */
	pic_write(PIC_DATA, PIC_BASE);
	pic_write(PIC_DATA, 0x04); /* the other PIC is at line 2 */
	pic_write(PIC_DATA, 0x03); /* 8086 mode, automatic EOI */
	pic_write(PIC_DATA, (uint8_t) ~(1u << ABI_X86_64_HLT_LINE));
	return true;
}

BODY_PAIR(hlt_kernel, "", "sti\n\thlt", ::: "cc", "memory")
BODY_ROW(hlt_kernel, .setup = hlt_kernel_setup, .halts = true, .reload = true);

/*
 * UD2. KVM intercepts #UD to look for instructions that KVM emulates, finds none and
 * injects #UD. Includes the payload's vectors.
 */
BODY_PAIR(ud2, "",
	  "1: ud2\n\t"
	  "2:\n\t" RUNTIME_FIXUP("1b", "2b"),
	  ::
		  : "memory")
BODY_ROW(ud2);

/*
 * INT3: #BP goes to the guest's vector unless the host debugs the guest. #BP is a trap:
 * the saved RIP is that of the next instruction.
 */
BODY_PAIR(int3, "",
	  "int3\n\t"
	  "1:\n\t" RUNTIME_FIXUP("1b", "1b"),
	  ::
		  : "memory")
BODY_ROW(int3);

/*
 * INT3 in a guest that is debugged with software breakpoints (KVM_SET_GUEST_DEBUG): exits
 * to the VMM, which skips the instruction. QEMU's emulated SVM does not intercept INT3;
 * the set-up's own INT3 then reaches the guest, and the row is absent.
 */
#define BREAKPOINT 3

static volatile uint32_t not_trapped;

static MACHINE_INTERRUPT void on_breakpoint(struct machine_frame *frame)
{
	(void)frame;
	not_trapped = 1;
}

BODY bool int3_user_setup(const struct abi_params *params)
{
	(void)params;
	machine_handler(BREAKPOINT, on_breakpoint);
	__asm__ volatile("int3" ::: "memory");
	return !not_trapped;
}

BODY_PAIR(int3_user, "", "int3", ::: "memory")
BODY_ROW(int3_user, .setup = int3_user_setup);
