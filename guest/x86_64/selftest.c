/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86_64: the self-tests' payload: ports, memory, interrupts, and the PMU's MSRs, which
 * the VMM emulates (host/vmm/pmu.c).
 */
#include "guest/selftest.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/ioapic.h"
#include "guest/x86_64/machine.h"
#include "guest/x86_64/pmu_code.h"

#define PIC_DATA  0x21
#define PIC2_DATA 0xa1

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "d"(port));
}

static uint8_t string_out[4 * SELFTEST_STRING], string_in[4 * SELFTEST_STRING];

static uint64_t pattern(uint32_t bytes, bool read)
{
	uint64_t value = 0;
	uint32_t n;

	for (n = 0; n < bytes; n++)
		value |= (uint64_t)(read ? SELFTEST_READ(n) : SELFTEST_WRITTEN(n))
			 << (8 * n);
	return value;
}

#define STRING(insn, bytes)                                                              \
	do {                                                                             \
		const void *from = string_out;                                           \
		void *to = string_in;                                                    \
		uint64_t count = SELFTEST_STRING;                                        \
		uint32_t at;                                                             \
		for (at = 0; at < (bytes)*SELFTEST_STRING; at++)                         \
			string_in[at] = 0;                                               \
		__asm__ volatile("rep outs" insn                                         \
				 : "+S"(from), "+c"(count)                               \
				 : "d"((uint16_t)SELFTEST_PORT)                          \
				 : "memory");                                            \
		selftest_expect(0x100 + (bytes), count, 0);                              \
		count = SELFTEST_STRING;                                                 \
		__asm__ volatile("rep ins" insn                                          \
				 : "+D"(to), "+c"(count)                                 \
				 : "d"((uint16_t)SELFTEST_PORT)                          \
				 : "memory");                                            \
		selftest_expect(0x110 + (bytes), count, 0);                              \
		for (at = 0; at < (bytes)*SELFTEST_STRING; at++)                         \
			selftest_expect(0x120 + (bytes), string_in[at],                  \
					SELFTEST_READ(at % (bytes)));                    \
	} while (0)

static void access_ports(void)
{
	const uint16_t port = SELFTEST_PORT;
	uint64_t rax;

	__asm__ volatile("outb %%al, %1" ::"a"(pattern(1, false)), "d"(port));
	__asm__ volatile("outw %%ax, %1" ::"a"(pattern(2, false)), "d"(port));
	__asm__ volatile("outl %%eax, %1" ::"a"(pattern(4, false)), "d"(port));
	/* 8- and 16-bit reads keep the rest of RAX, a 32-bit read clears it. */
	rax = ~0ull;
	__asm__ volatile("inb %1, %%al" : "+a"(rax) : "d"(port));
	selftest_expect(0x201, rax, ~0xffull | pattern(1, true));
	rax = ~0ull;
	__asm__ volatile("inw %1, %%ax" : "+a"(rax) : "d"(port));
	selftest_expect(0x202, rax, ~0xffffull | pattern(2, true));
	rax = ~0ull;
	__asm__ volatile("inl %1, %%eax" : "+a"(rax) : "d"(port));
	selftest_expect(0x204, rax, pattern(4, true));
	STRING("b", 1);
	STRING("w", 2);
	STRING("l", 4);
}

#define MEMORY(type)                                                                     \
	do {                                                                             \
		*(volatile type *)at = (type)pattern(sizeof(type), false);               \
		selftest_expect(0x300 + sizeof(type), *(volatile type *)at,              \
				pattern(sizeof(type), true));                            \
	} while (0)

void selftest_access(void)
{
	const uint64_t at = ABI_X86_64_MMIO_GPA + SELFTEST_MMIO_OFFSET;
	uint32_t n;

	MEMORY(uint8_t);
	MEMORY(uint16_t);
	MEMORY(uint32_t);
	MEMORY(uint64_t);
	for (n = 0; n < sizeof(string_out); n++)
		string_out[n] = SELFTEST_WRITTEN(n);
	access_ports();
}

void selftest_write(unsigned int kind, uint32_t value)
{
	if (kind)
		__asm__ volatile("outl %0, %1" ::"a"(value),
				 "d"((uint16_t)SELFTEST_PORT));
	else
		*(volatile uint32_t *)(ABI_X86_64_MMIO_GPA + SELFTEST_MMIO_OFFSET) =
			value;
}

static volatile uint64_t taken[2];
static volatile uint32_t has_apic;

static MACHINE_INTERRUPT void on_irq(struct machine_frame *frame)
{
	(void)frame;
	taken[0]++;
	if (has_apic)
		apic_write(APIC_EOI, 0);
}

/* A vector of a higher priority class. */
static MACHINE_INTERRUPT void on_high(struct machine_frame *frame)
{
	(void)frame;
	taken[1]++;
	if (has_apic)
		apic_write(APIC_EOI, 0);
}

static MACHINE_INTERRUPT void on_nmi(struct machine_frame *frame)
{
	(void)frame;
	taken[0]++;
}

#define NMI 2

void selftest_irq_init(void)
{
	const volatile struct abi_page *page =
		(const volatile struct abi_page *)ABI_PAGE_OFFSET;

	machine_handler(NMI, on_nmi);
	machine_handler(SELFTEST_VECTOR, on_irq);
	machine_handler(SELFTEST_VECTOR_HIGH, on_high);
	has_apic = page->params.batch;
	if (!has_apic)
		return;
	/* The PIC shares the IOAPIC's lines, and has no vectors. */
	out8(PIC_DATA, 0xff);
	out8(PIC2_DATA, 0xff);
	apic_enable();
	/* Edge, fixed, to APIC 0. */
	ioapic_write(IOAPIC_REDIRECTION(SELFTEST_GSI) + 1, 0);
	ioapic_write(IOAPIC_REDIRECTION(SELFTEST_GSI), SELFTEST_VECTOR);
}

void selftest_irq_mask(bool masked)
{
	if (masked)
		__asm__ volatile("cli" ::: "memory");
	else
		__asm__ volatile("sti" ::: "memory");
}

uint64_t selftest_irqs(unsigned int which)
{
	return taken[which];
}

void selftest_breakpoint(void)
{
	__asm__ volatile("int3");
}

/* KVM_HC_MAP_GPA_RANGE, which KVM forwards to the VMM; Intel's or AMD's opcode. */
uint64_t selftest_hypercall(void)
{
	const bool amd = cpuid(0, 0).ecx == 0x444d4163; /* "...cAMD" */
	uint64_t rax = 12;

	if (amd)
		__asm__ volatile("vmmcall"
				 : "+a"(rax)
				 : "b"(0x1000ull), "c"(1ull), "d"(0ull)
				 : "memory");
	else
		__asm__ volatile("vmcall"
				 : "+a"(rax)
				 : "b"(0x1000ull), "c"(1ull), "d"(0ull)
				 : "memory");
	return rax;
}

/* A locked addition to the last four bytes of a line and the first four of the next. */
void selftest_bus_lock(void)
{
	static uint8_t lines[192] __attribute__((aligned(64)));

	__asm__ volatile("lock incq %0" : "+m"(*(uint64_t *)(lines + 60))::"cc");
}

/* Not in the page tables. */
#define NOWHERE 0x4000000000ull

/* The exit: HLT, which exits to the VMM without an in-kernel interrupt controller. */
void selftest_break(enum selftest_break how)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_idt = { 0, 0 };

	if (how == SELFTEST_BREAK_EXCEPTION)
		*(volatile uint32_t *)NOWHERE = 0;
	else if (how == SELFTEST_BREAK_EXIT)
		__asm__ volatile("cli; hlt" ::: "memory");
	else
		__asm__ volatile("lidt %0\n\t"
				 "ud2" ::"m"(no_idt));
}

/* No LPIs on x86. */
void selftest_lpi_init(void)
{
	runtime_stop(ABI_STATE_REFUSED);
}

void selftest_lpi(void)
{
}

/* STI opens the interrupt window only after HLT: no interrupt is missed. */
void selftest_halt(void)
{
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}

void selftest_counter(void)
{
}

void selftest_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

#define ALL_48 0xffffffffffffull

/* The written MSR and value, the MSR read afterwards, and the expected value. */
static const struct {
	uint32_t written;
	uint64_t value;
	uint32_t read;
	uint64_t expected;
} kept[] = {
	/* Two names of a counter; the old one's 32 bits are signed. */
	{ 0xc1, 0x12345678, 0x4c1, 0x12345678 },
	{ 0xc8, 0x1fedcba98, 0xc8, 0xfffffedcba98 },
	{ 0x4c1, 0x123456789abc, 0xc1, 0x123456789abc },
	{ 0x4c8, ALL_48, 0x4c8, ALL_48 },
	{ 0x186, 0x4300c0, 0x186, 0x4300c0 },
	{ 0x18d, 0x43003c, 0x18d, 0x43003c },
	{ 0x309, 0xabcdef012345, 0x309, 0xabcdef012345 },
	{ 0x30c, 1, 0x30c, 1 },
	{ 0x38d, 0x33, 0x38d, 0x33 },
	{ 0x38f, 0xf000000ff, 0x38f, 0xf000000ff },
	/* Overflows are set, read, cleared. */
	{ 0x391, 0x300000081, 0x38e, 0x300000081 },
	{ 0x390, 0x200000001, 0x38e, 0x100000080 },
	{ 0x391, 1, 0x391, 0 },
	/* Counters 0 and 7, fixed 0 and 1 have got events above. */
	{ 0x38f, 0, 0x392, 0x300000081 },
	{ 0x3f1, 0x1, 0x3f1, 0x1 },
	{ 0x3f2, 0xf, 0x3f2, 0xf },
	{ 0x600, 0x7fff00001000, 0x600, 0x7fff00001000 },
	{ 0xc0010003, 0x430076, 0xc0010206, 0x430076 },
	{ 0xc001020a, 0x4300c1, 0xc001020a, 0x4300c1 },
	{ 0xc0010204, 0x123, 0xc0010002, 0x123 },
	{ 0xc0010004, ~0ull, 0xc0010201, ALL_48 },
	{ 0xc001020b, 0x55, 0xc001020b, 0x55 },
	{ 0xc0000301, 0x3f, 0xc0000301, 0x3f },
	{ 0xc0000303, 0x21, 0xc0000300, 0x21 },
	{ 0xc0000302, 0x20, 0xc0000300, 0x01 },
};

/* Writes that must raise #GP: read-only registers, reserved bits. */
static const struct {
	uint32_t msr;
	uint64_t value;
} refused[] = {
	{ 0x345, 0 },	       { 0x38e, 0 },	      { 0x392, 0 },
	{ 0x186, 1ull << 32 }, { 0x4c1, ALL_48 + 1 }, { 0x38f, 1ull << 63 },
	{ 0xc0000300, 0x3f },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A fault ends the payload. */
static uint64_t read_msr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return low | (uint64_t)high << 32;
}

void selftest_pmu_msrs(void)
{
	uint32_t i;

	for (i = 0; i < COUNT(kept); i++) {
		selftest_expect(0x1000 + i, try_wrmsr(kept[i].written, kept[i].value), 1);
		selftest_expect(0x2000 + i, read_msr(kept[i].read), kept[i].expected);
	}
	for (i = 0; i < COUNT(refused); i++)
		selftest_expect(0x3000 + i, try_wrmsr(refused[i].msr, refused[i].value),
				0);
	/* Full-width writes are reported; the refused write changed nothing. */
	selftest_expect(0x4000, read_msr(0x345), 1ull << 13);
	selftest_expect(0x4001, read_msr(0x186), 0x4300c0);
}
