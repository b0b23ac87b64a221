/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PMU's self-test: accesses that raise #GP, and RDPMC; code at CPL 1 to 3 (Intel SDM
 * 3A, chapters 3 to 6 and 8).
 */
#include <stdint.h>

#include "guest/x86_64/machine.h"
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/pmu_test.h"

#define CR4_PCE (1ull << 8)

static void each_reserved(uint32_t number, uint64_t allowed)
{
	uint32_t bit;

	for (bit = 0; bit < 64; bit++)
		if (!(allowed >> bit & 1))
			verdict_equal(PMU_ABOUT(PMU_WRMSR_BIT, number, bit),
				      try_wrmsr(number, 1ull << bit), false);
}

void pmu_test_reserved_select(void)
{
	const struct pmu_bits valid = pmu_valid_bits();
	uint32_t n;

	for (n = 0; n < pmu.n_gp; n++)
		each_reserved(MSR_PERFEVTSEL0 + n,
			      valid.select | (n == 2 ? valid.select_2 : 0));
}

void pmu_test_reserved_fixed(void)
{
	const struct pmu_bits valid = pmu_valid_bits();

	if (!verdict_absent(!valid.fixed_counters))
		each_reserved(MSR_FIXED_CTR_CTRL, valid.fixed);
}

void pmu_test_reserved_global(void)
{
	each_reserved(MSR_PERF_GLOBAL_CTRL, pmu_valid_bits().global);
}

void pmu_test_reserved_status(void)
{
	each_reserved(MSR_PERF_GLOBAL_OVF_CTRL, pmu_valid_bits().status);
}

void pmu_test_reserved_debugctl(void)
{
	each_reserved(MSR_DEBUGCTL, 0xffc7);
}

void pmu_test_read_only(void)
{
	verdict_writes(MSR_GLOBAL_STATUS, 0, false);
	verdict_writes(MSR_PERF_CAPABILITIES, pmu.capabilities, false);
	if (pmu.version >= 4)
		verdict_writes(MSR_GLOBAL_INUSE, 0, false);
}

void pmu_test_absent_msrs(void)
{
	uint64_t value;

	if (pmu.n_gp < 8) {
		verdict_equal(PMU_ABOUT(PMU_RDMSR, MSR_PMC0 + pmu.n_gp, 0),
			      try_rdmsr(MSR_PMC0 + pmu.n_gp, &value), false);
		verdict_equal(PMU_ABOUT(PMU_RDMSR, MSR_PERFEVTSEL0 + pmu.n_gp, 0),
			      try_rdmsr(MSR_PERFEVTSEL0 + pmu.n_gp, &value), false);
		verdict_equal(PMU_ABOUT(PMU_RDMSR, MSR_A_PMC0 + pmu.n_gp, 0),
			      try_rdmsr(MSR_A_PMC0 + pmu.n_gp, &value), false);
	}
	if (pmu.n_fixed < 7 && !(pmu_valid_bits().fixed_counters >> pmu.n_fixed & 1))
		verdict_equal(PMU_ABOUT(PMU_RDMSR, MSR_FIXED_CTR0 + pmu.n_fixed, 0),
			      try_rdmsr(MSR_FIXED_CTR0 + pmu.n_fixed, &value), false);
}

void pmu_test_rdpmc(void)
{
	uint64_t value;
	uint32_t n;

	for (n = 0; n < pmu.n_gp + pmu.n_fixed; n++) {
		const uint32_t index = pmu_is_fixed(n) ? RDPMC_FIXED(n - pmu.n_gp) : n;

		pmu_write(n, ~0x123ull << n);
		verdict_equal(PMU_ABOUT(PMU_RDPMC, index, 0), try_rdpmc(index, &value),
			      true);
		verdict_equal(PMU_ABOUT(PMU_RDPMC_VALUE, index, 0), value, pmu_read(n));
	}
}

void pmu_test_rdpmc_index(void)
{
	uint64_t value;

	verdict_equal(PMU_ABOUT(PMU_RDPMC, pmu.n_gp, 0), try_rdpmc(pmu.n_gp, &value),
		      false);
	if (!(pmu_valid_bits().fixed_counters >> pmu.n_fixed & 1))
		verdict_equal(PMU_ABOUT(PMU_RDPMC, RDPMC_FIXED(pmu.n_fixed), 0),
			      try_rdpmc(RDPMC_FIXED(pmu.n_fixed), &value), false);
}

static volatile bool rdpmc_done;

static void rdpmc_0(void)
{
	uint64_t value;

	rdpmc_done = try_rdpmc(0, &value);
}

void pmu_test_rdpmc_user(void)
{
	uint64_t cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	ring_call(3, rdpmc_0);
	verdict_equal(PMU_ABOUT(PMU_RDPMC_AT_CPL3, 0, 0), rdpmc_done, false);
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4 | CR4_PCE) : "memory");
	ring_call(3, rdpmc_0);
	verdict_equal(PMU_ABOUT(PMU_RDPMC_AT_CPL3, 0, 1), rdpmc_done, true);
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4) : "memory");
}

#define VECTOR	     0x81
#define STACK_BYTES  4096
#define PTE_USER     4ull
#define RAM_TABLES   8 /* pages of 2 MiB: boot.S */
#define TSS_SELECTOR 72
#define GATE_DPL_3   0x60

struct pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* Null; code and data of each CPL, from boot.S' selectors on; the TSS. */
static uint64_t gdt[11];

static struct {
	uint32_t reserved;
	uint64_t rsp[3];
	uint64_t others[9];
	uint32_t io_map;
} __attribute__((packed, aligned(8))) tss;

static uint8_t stack_0[STACK_BYTES] __attribute__((aligned(16)));
uint8_t ring_stack[STACK_BYTES] __attribute__((aligned(16)));
uint64_t ring_saved;

/* ring_enter(CS, SS, function): the way back is INT, whose gate leads to ring_leave. */
void ring_enter(uint64_t cs, uint64_t ss, void (*function)(void));
void ring_leave(struct machine_frame *frame);
__asm__(".pushsection .text\n"
	".globl ring_enter, ring_leave\n"
	"ring_enter:\n\t"
	"push %rbx\n\t"
	"push %rbp\n\t"
	"push %r12\n\t"
	"push %r13\n\t"
	"push %r14\n\t"
	"push %r15\n\t"
	"mov %rsp, ring_saved\n\t"
	"push %rsi\n\t"
	"push $ring_stack + 4096\n\t"
	"push $2\n\t" /* RFLAGS: interrupts off */
	"push %rdi\n\t"
	"push $1f\n\t"
	"iretq\n"
	"1:\n\t"
	"call *%rdx\n\t"
	"int $0x81\n"
	"ring_leave:\n\t"
	"mov ring_saved, %rsp\n\t"
	"mov $16, %eax\n\t"
	"mov %eax, %ss\n\t"
	"pop %r15\n\t"
	"pop %r14\n\t"
	"pop %r13\n\t"
	"pop %r12\n\t"
	"pop %rbp\n\t"
	"pop %rbx\n\t"
	"ret\n"
	".popsection\n");

void rings_init(void)
{
	const struct pointer gdtr = { sizeof(gdt) - 1, (uint64_t)gdt };
	const uint64_t base = (uint64_t)&tss;
	struct pointer idtr;
	uint64_t cr3, *table;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		gdt[1 + 2 * i] = 0x00af9b000000ffffull | (uint64_t)i << 45;
		gdt[2 + 2 * i] = 0x00cf93000000ffffull | (uint64_t)i << 45;
	}
	/* 64-bit TSS, available. */
	gdt[9] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
		 (base >> 24 & 0xff) << 56;
	gdt[10] = base >> 32;
	tss.rsp[0] = (uint64_t)stack_0 + STACK_BYTES;
	tss.io_map = sizeof(tss) << 16;
	__asm__ volatile("lgdt %0" ::"m"(gdtr));
	__asm__ volatile("ltr %w0" ::"r"(TSS_SELECTOR));

	machine_handler(VECTOR, ring_leave);
	__asm__ volatile("sidt %0" : "=m"(idtr));
	((uint8_t *)idtr.base)[16 * VECTOR + 5] |= GATE_DPL_3;

	/* CPL 3 may use RAM; 1 and 2 are supervisor for paging. */
	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	table = (uint64_t *)(cr3 & ~0xfffull);
	for (i = 0; i < 2; i++) {
		table[0] |= PTE_USER;
		table = (uint64_t *)(table[0] & ~0xfffull);
	}
	for (i = 0; i < RAM_TABLES; i++)
		table[i] |= PTE_USER;
	__asm__ volatile("mov %0, %%cr3" ::"r"(cr3) : "memory");
}

void ring_call(unsigned int cpl, void (*function)(void))
{
	ring_enter((8 + 16 * cpl) | cpl, (16 + 16 * cpl) | cpl, function);
}
