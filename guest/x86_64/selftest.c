/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64: the self-tests' payload: ports, memory, interrupts. */
#include "guest/selftest.h"

#include "guest/x86_64/cpuid.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/machine.h"

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

#define NMI		2
#define IOAPIC_GPA	0xfec00000ull
#define IOAPIC_REDIRECT 0x10

static void ioapic_write(uint32_t index, uint32_t value)
{
	*(volatile uint32_t *)IOAPIC_GPA = index;
	*(volatile uint32_t *)(IOAPIC_GPA + 0x10) = value;
}

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
	ioapic_write(IOAPIC_REDIRECT + 2 * SELFTEST_GSI + 1, 0);
	ioapic_write(IOAPIC_REDIRECT + 2 * SELFTEST_GSI, SELFTEST_VECTOR);
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
