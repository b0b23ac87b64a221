/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload that does something else with every seed: instructions, accesses, interrupts.
 */
#include "guest/x86_64/machine.h"
#include "host/tests/payloads/chaos.h"

#define ROUNDS	   200
#define CODE_BYTES 2048
#define LAPIC	   0xfee00000ull

/* The CPU jumps here after every exception; the stack of before is forgotten. */
void chaos_again(void) __attribute__((noreturn, used));
extern const char chaos_exception[], chaos_interrupt[];
__asm__(".globl chaos_exception, chaos_interrupt\n"
	"chaos_exception:\n\t"
	"cld\n\t"
	"movl $chaos_stack + 8192, %esp\n\t"
	"jmp chaos_again\n"
	"chaos_interrupt:\n\t"
	"pushq %rax\n\t"
	"movl $0xfee000b0, %eax\n\t"
	"movl $0, (%rax)\n\t"
	"popq %rax\n\t"
	"iretq\n");

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

uint8_t chaos_stack[8192 + 64] __attribute__((aligned(16), used));
static struct gate chaos_idt[256];
static uint8_t code[CODE_BYTES + 64];
static uint64_t random_state;
static uint32_t rounds;

static void load_idt(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = { sizeof(chaos_idt) - 1, (uint64_t)chaos_idt };

	for (uint32_t i = 0; i < 256; i++) {
		uint64_t entry = (uint64_t)(i < 32 ? chaos_exception : chaos_interrupt);

		chaos_idt[i] = (struct gate){
			.offset_low = (uint16_t)entry,
			.selector = 8,
			.type = 0x8e,
			.offset_middle = (uint16_t)(entry >> 16),
			.offset_high = (uint32_t)(entry >> 32),
		};
	}
	__asm__ volatile("lidt %0" ::"m"(idtr));
}

static uint32_t below(uint32_t n)
{
	return chaos_below(&random_state, n);
}

static uint64_t next(void)
{
	return chaos_next(&random_state);
}

static uint16_t random_port(void)
{
	static const uint16_t ports[] = { 0x20,	 0x21,	0x40,  0x43,  0x60,  0x64,
					  0x70,	 0x80,	0xa0,  0xcf8, 0xcfc, 0x3f8,
					  0x402, 0x510, 0x514, 0x518, 0x51c, 0x520 };

	return below(2) ? (uint16_t)next() : ports[below(sizeof(ports) / 2)];
}

static uint64_t random_address(void)
{
	static const uint64_t places[] = {
		0,	    0xa0000,	0xfffff,    0x400000,	0xfffff8,   0x1000000,
		0xc0000000, 0xd0000000, 0xfec00000, 0xfee00000, 0xfffffff8, 0x100000000
	};

	switch (below(4)) {
	case 0:
		return next();
	case 1:
		return (uint64_t)chaos_shared(&random_state);
	default:
		return places[below(sizeof(places) / 8)] + (next() & 0x7ff);
	}
}

static uint32_t random_msr(void)
{
	static const uint32_t places[] = { 0x10,       0x1b,	   0x3a,       0x174,
					   0x186,      0x1a0,	   0x1d9,      0x200,
					   0x277,      0x345,	   0x38d,      0x480,
					   0x570,      0x6e0,	   0x800,      0xd90,
					   0x40000000, 0x4b564d00, 0xc0000080, 0xc0000100,
					   0xc0010000, 0xc0010200 };

	return below(8) ? places[below(sizeof(places) / 4)] + below(32)
			: (uint32_t)next();
}

/* ---- instructions ------------------------------------------------------------------ */

static uint8_t *put(uint8_t *p, uint64_t bytes, uint32_t n)
{
	for (; n; n--, bytes >>= 8)
		*p++ = (uint8_t)bytes;
	return p;
}

/* mov $value, %REGISTER (0 RAX, 1 RCX, 2 RDX, 6 RSI, 7 RDI) */
static uint8_t *put_set(uint8_t *p, uint32_t reg, uint64_t value)
{
	return put(put(p, 0xb848u + (reg << 8), 2), value, 8);
}

static uint8_t *put_instruction(uint8_t *p)
{
	static const uint8_t single[] = {
		0xf4, 0xfa, 0xfb, 0xcc, 0xcf, 0xf1, 0x9d, 0x90
	};
	static const uint16_t moves[] = {
		0x008a, 0x008b, 0x0088, 0x0089, 0x07ff, 0x0787
	};

	switch (below(12)) {
	case 0: /* IN, OUT, INS, OUTS, with and without REP */
		p = put_set(p, 2, random_port());
		p = put_set(p, 1, below(64));
		p = put_set(p, below(2) ? 6 : 7, random_address());
		p = below(2) ? put(p, 0xf3, 1) : p;
		return put(p, (below(2) ? 0xec : 0x6c) + below(4), 1);
	case 1: /* RDMSR, WRMSR */
		p = put_set(put_set(p, 1, random_msr()), 0, chaos_lie(&random_state));
		return put(p, below(2) ? 0x320f : 0x300f, 2);
	case 2: /* a load or a store through RDI, RSI or RAX */
		p = put_set(put_set(p, 0, random_address()), 7, random_address());
		return put(p, (moves[below(6)] & 0xff) | below(256) << 8, 2);
	case 3: /* VMCALL, LGDT, XSETBV, INVLPG, MONITOR, ... */
		return put(p, 0x010f | below(256) << 16, 3);
	case 4: /* MOV to and from CRn, DRn */
		return put(p, 0x200f | below(4) << 8 | (0xc0 | below(64)) << 16, 3);
	case 5:
		return put(p, single[below(sizeof(single))], 1);
	case 6: /* INT n */
		return put(p, 0xcd | below(256) << 8, 2);
	case 7: /* CPUID */
		return put(put_set(p, 0, chaos_lie(&random_state)), 0xa20f, 2);
	case 8: /* opcodes of two and three bytes */
		return put(p, 0x0f | next() << 8, 2 + below(6));
	case 9: /* VEX, EVEX */
		return put(put(p, below(2) ? 0xc5 : 0x62, 1), next(), 4 + below(4));
	default:
		return put(p, next(), 1 + below(8));
	}
}

static void run(const uint8_t *from)
{
	__asm__ volatile("jmp *%0" ::"r"(from) : "memory");
	__builtin_unreachable();
}

/* A jump to chaos_again() ends the code. */
static void put_end(uint8_t *p)
{
	put(put_set(p, 0, (uint64_t)chaos_again), 0xe0ff, 2);
}

static void stream(void)
{
	uint8_t *p = code;

	while (p < code + CODE_BYTES - 64)
		p = put_instruction(p);
	put_end(p);
	run(code);
}

/* Each store changes an instruction that follows. */
static void rewrite(void)
{
	uint8_t *p = code;

	while (p < code + CODE_BYTES - 64) {
		/* movb $value, address */
		uint64_t to = (uint64_t)p + below(64);

		p = put(p, 0x2504c6, 3);
		p = put(p, to, 4);
		p = put(p, below(2) ? 0x90 : next(), 1);
		p = put(p, 0x9090909090909090ull, below(8));
		p = below(8) ? p : put_instruction(p);
	}
	put_end(p);
	run(code);
}

/* ---- accesses and interrupts ---------------------------------------------------------
 */

static void access(void)
{
	uint32_t i;

	for (i = 0; i < 32; i++) {
		volatile uint64_t *p = (volatile uint64_t *)random_address();
		uint16_t port = random_port();
		uint32_t low = (uint32_t)next();

		switch (below(6)) {
		case 0:
			*p = chaos_lie(&random_state);
			break;
		case 1:
			(void)(*(volatile uint8_t *)p + *(volatile uint16_t *)p);
			break;
		case 2:
			__asm__ volatile("lock xaddl %0, %1"
					 : "+r"(low), "+m"(*(volatile uint32_t *)p));
			break;
		case 3:
			__asm__ volatile("outl %0, %1" ::"a"(low), "Nd"(port));
			break;
		case 4:
			__asm__ volatile("inw %1, %w0" : "+a"(low) : "Nd"(port));
			break;
		default:
			if (below(2))
				__asm__ volatile("wrmsr" ::"a"(low),
						 "d"((uint32_t)next()),
						 "c"(random_msr()));
			else
				__asm__ volatile("rdmsr"
						 : "=a"(low)
						 : "c"(random_msr())
						 : "edx");
		}
	}
}

static void storm(void)
{
	volatile uint32_t *apic = (volatile uint32_t *)LAPIC;
	uint32_t i;

	apic[0xf0 / 4] = 0x100 | below(256);
	apic[0x320 / 4] = (uint32_t)next() & 0x600ff; /* LVT: timer */
	apic[0x3e0 / 4] = below(16);
	apic[0x380 / 4] = below(2000);
	__asm__ volatile("sti");
	for (i = 0; i < 32; i++)
		switch (below(4)) {
		case 0:
			apic[0x310 / 4] = below(4) << 24;
			apic[0x300 / 4] = (uint32_t)next() & 0xccfff;
			break;
		case 1: /* to itself, by a fixed vector */
			apic[0x300 / 4] = 0x44000 | (32 + below(224));
			break;
		case 2:
			apic[below(0x400) & ~3u] = (uint32_t)chaos_lie(&random_state);
			break;
		default:
			__asm__ volatile(
				"outb %b0, %1" ::"a"(below(256)),
				"Nd"((uint16_t)(below(2) ? 0x20 : 0x40 + below(4))));
		}
	__asm__ volatile("cli");
}

void chaos_again(void)
{
	uint32_t kind = (uint32_t)chaos_order.kind;

	for (;;) {
		if (rounds++ >= ROUNDS)
			chaos_end(&random_state);
		switch (kind) {
		case CHAOS_STREAM:
			stream();
			break;
		case CHAOS_ACCESS:
			access();
			break;
		case CHAOS_REWRITE:
			rewrite();
			break;
		case CHAOS_STORM:
			storm();
			break;
		default:
			chaos_end(&random_state);
		}
	}
}

void sample_all(const struct abi_params *params)
{
	(void)params;
	random_state = chaos_order.seed;
	load_idt();
	chaos_again();
}
