/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64: the self-tests' payload: registers. */
#include "guest/selftest.h"

#include "guest/x86_64/machine.h"

#define VECTORS	    16
#define SPECIALS    64
#define CR4_OSFXSR  (1ull << 9)
#define CR4_OSXMM   (1ull << 10)
#define CR4_OSXSAVE (1ull << 18)
#define CPUID_XSAVE (1u << 26)
#define CPUID_AVX   (1u << 28)

/* CF PF AF ZF SF DF OF, AC, ID, and the bit that is always set. */
#define FLAGS 0x240cd7ull
#define MXCSR 0x7f80u /* round to zero, all exceptions masked */
#define FCW   0x0f7fu /* round to zero, all exceptions masked, extended precision */

struct vector {
	uint64_t low, high;
};

/* Used by the assembly below, with absolute addresses. */
extern uint64_t selftest_general[16], selftest_flags, selftest_pc, selftest_rsp;
extern uint32_t selftest_vectors; /* not 0: test the vector registers */
extern struct vector selftest_fill[VECTORS], selftest_vector[VECTORS];
uint64_t selftest_general[16], selftest_flags, selftest_pc, selftest_rsp;
uint32_t selftest_vectors;
struct vector selftest_fill[VECTORS], selftest_vector[VECTORS];
void selftest_round(uint64_t doorbell, uint64_t port);

/*
 * Fills the registers, rings the doorbell by OUT, and stores the registers. EAX and EDX
 * are operands of OUT; every other register is a pattern, RSP too: nothing is pushed
 * meanwhile.
 */
__asm__(".pushsection .text\n"
	"selftest_round:\n\t"
	"push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n\t"
	"mov %rsp, selftest_rsp\n\t"
	"cmpl $0, selftest_vectors\n\t"
	"je 2f\n\t"
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
	"movups selftest_fill + 16 * \\n, %xmm\\n\n\t"
	".endr\n\t"
	"2: mov %rdi, %rax\n\t"
	"mov %rsi, %rdx\n\t"
	"pushq $0x240cd7\n\t"
	"popfq\n\t"
	"movabs $0x5e1f7e5702020202, %rcx\n\t"
	"movabs $0x5e1f7e5704040404, %rbx\n\t"
	"movabs $0x5e1f7e5705050505, %rsp\n\t"
	"movabs $0x5e1f7e5706060606, %rbp\n\t"
	"movabs $0x5e1f7e5707070707, %rsi\n\t"
	"movabs $0x5e1f7e5708080808, %rdi\n\t"
	"movabs $0x5e1f7e5709090909, %r8\n\t"
	"movabs $0x5e1f7e570a0a0a0a, %r9\n\t"
	"movabs $0x5e1f7e570b0b0b0b, %r10\n\t"
	"movabs $0x5e1f7e570c0c0c0c, %r11\n\t"
	"movabs $0x5e1f7e570d0d0d0d, %r12\n\t"
	"movabs $0x5e1f7e570e0e0e0e, %r13\n\t"
	"movabs $0x5e1f7e570f0f0f0f, %r14\n\t"
	"movabs $0x5e1f7e5710101010, %r15\n\t"
	"outl %eax, %dx\n"
	"1:\n\t"
	"mov %rax, selftest_general\n\t"
	"mov %rcx, selftest_general + 8\n\t"
	"mov %rdx, selftest_general + 16\n\t"
	"mov %rbx, selftest_general + 24\n\t"
	"mov %rsp, selftest_general + 32\n\t"
	"mov %rbp, selftest_general + 40\n\t"
	"mov %rsi, selftest_general + 48\n\t"
	"mov %rdi, selftest_general + 56\n\t"
	".irp n, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
	"mov %r\\n, selftest_general + 8 * \\n\n\t"
	".endr\n\t"
	"mov selftest_rsp, %rsp\n\t"
	"pushfq\n\t"
	"popq selftest_flags\n\t"
	"pushq $2\n\t"
	"popfq\n\t"
	"cmpl $0, selftest_vectors\n\t"
	"je 3f\n\t"
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
	"movups %xmm\\n, selftest_vector + 16 * \\n\n\t"
	".endr\n\t"
	"3: lea 1b, %rax\n\t"
	"mov %rax, selftest_pc\n\t"
	"pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n\t"
	"ret\n"
	".popsection");

static uint64_t expected_general(uint32_t n, uint64_t doorbell, uint64_t port)
{
	return n == 0 ? doorbell : n == 2 ? port : SELFTEST_GENERAL(n);
}

/* false: the CPU lacks the MSR. */
static bool try_wrmsr(uint32_t msr, uint64_t value)
{
	uint32_t failed = 1;

	__asm__ volatile("1: wrmsr\n\t"
			 "movl $0, %0\n\t"
			 "2:\n\t"
			 ".pushsection .fixup, \"a\"\n\t.quad 1b, 2b\n\t.popsection"
			 : "+m"(failed)
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
	return !failed;
}

static uint64_t read_msr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static const struct {
	uint32_t msr;
	uint64_t value;
} msrs[] = {
	{ 0xc0000081, 0x0023001000000000ull }, /* STAR */
	{ 0xc0000082, SELFTEST_SPECIAL(1) },   /* LSTAR */
	{ 0xc0000083, SELFTEST_SPECIAL(2) },   /* CSTAR */
	{ 0xc0000084, 0x47700 },	       /* SFMASK */
	{ 0xc0000100, SELFTEST_SPECIAL(3) },   /* FS.base */
	{ 0xc0000101, SELFTEST_SPECIAL(4) },   /* GS.base */
	{ 0xc0000102, SELFTEST_SPECIAL(5) },   /* KERNEL_GS_BASE */
	{ 0x174, 0x10 },		       /* SYSENTER_CS */
	{ 0x175, 0x12347000 },		       /* SYSENTER_ESP: 32 bits on AMD */
	{ 0x176, 0x12348000 },		       /* SYSENTER_EIP: 32 bits on AMD */
	{ 0x277, 0x0007010600070106ull },      /* PAT: a permutation of the default */
};

#define MSRS (sizeof(msrs) / sizeof(msrs[0]))

/* Special registers by number: CR2, DR0-DR3, MXCSR, FCW, CR8, time; MSRs from 16. */
enum {
	AT_CR2,
	AT_DR,
	AT_MXCSR = 5,
	AT_FCW,
	AT_CR8,
	AT_TIME,
	AT_PIC,
	AT_MSR = 16,
	AT_YMM = 32
};

struct specials {
	uint64_t expected[SPECIALS];
	uint64_t known; /* a bit for each in use */
};

static void know(struct specials *s, uint32_t n, uint64_t value)
{
	s->expected[n] = value;
	s->known |= 1ull << n;
}

#define SET_DR(n)     __asm__ volatile("mov %0, %%dr" #n ::"r"(SELFTEST_SPECIAL(8 + (n))))
#define GET_DR(n, to) __asm__ volatile("mov %%dr" #n ", %0" : "=r"(to))

static uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "d"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "d"(port));
	return value;
}

#define PIC_DATA 0x21
#define PIC_MASK 0x5a

static void fill_specials(const struct abi_params *params, struct specials *s)
{
	const uint32_t mxcsr = MXCSR;
	const uint16_t fcw = FCW;
	uint32_t i;

	__asm__ volatile("mov %0, %%cr2" ::"r"(SELFTEST_SPECIAL(0)));
	know(s, AT_CR2, SELFTEST_SPECIAL(0));
	SET_DR(0);
	SET_DR(1);
	SET_DR(2);
	SET_DR(3);
	for (i = 0; i < 4; i++)
		know(s, AT_DR + i, SELFTEST_SPECIAL(8 + i));
	if (selftest_vectors) {
		__asm__ volatile("fninit; ldmxcsr %0; fldcw %1" ::"m"(mxcsr), "m"(fcw));
		know(s, AT_MXCSR, MXCSR);
		know(s, AT_FCW, FCW);
	}
	__asm__ volatile("mov %0, %%cr8" ::"r"(3ull));
	know(s, AT_CR8, 3);
	know(s, AT_TIME, 1);
	if (params->batch) {
		out8(PIC_DATA, PIC_MASK);
		know(s, AT_PIC, PIC_MASK);
	}
	for (i = 0; i < MSRS; i++)
		if (try_wrmsr(msrs[i].msr, msrs[i].value))
			know(s, AT_MSR + i, msrs[i].value);
}

static void see_specials(const struct abi_params *params, const struct specials *s,
			 uint64_t before, uint64_t *seen)
{
	uint32_t mxcsr, i;
	uint16_t fcw;

	__asm__ volatile("mov %%cr2, %0" : "=r"(seen[AT_CR2]));
	GET_DR(0, seen[AT_DR]);
	GET_DR(1, seen[AT_DR + 1]);
	GET_DR(2, seen[AT_DR + 2]);
	GET_DR(3, seen[AT_DR + 3]);
	if (selftest_vectors) {
		__asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr), "=m"(fcw));
		seen[AT_MXCSR] = mxcsr;
		seen[AT_FCW] = fcw;
	}
	__asm__ volatile("mov %%cr8, %0" : "=r"(seen[AT_CR8]));
	seen[AT_TIME] = tsc() > before;
	if (params->batch)
		seen[AT_PIC] = in8(PIC_DATA);
	for (i = 0; i < MSRS; i++)
		if (s->known >> (AT_MSR + i) & 1)
			seen[AT_MSR + i] = read_msr(msrs[i].msr);
}

/* Enables SSE, and AVX if present: the result. */
static bool enable_vectors(void)
{
	uint64_t cr4;
	uint32_t ecx = cpuid(1, 0).ecx;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	cr4 |= CR4_OSFXSR | CR4_OSXMM;
	if (ecx & CPUID_XSAVE)
		cr4 |= CR4_OSXSAVE;
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4));
	if (!(ecx & CPUID_XSAVE) || !(ecx & CPUID_AVX))
		return false;
	__asm__ volatile("xsetbv" ::"c"(0), "a"(7), "d"(0));
	return true;
}

/*
 * Fills four upper halves, which the loads of the lower halves keep. false: CPUID reports
 * AVX, but the instructions fault (QEMU 7.2 under nested SVM).
 */
static bool fill_upper(struct specials *s)
{
	uint32_t i, failed = 1;

	__asm__ volatile("1: vinsertf128 $1, %1, %%ymm0, %%ymm0\n\t"
			 "vinsertf128 $1, %2, %%ymm5, %%ymm5\n\t"
			 "vinsertf128 $1, %3, %%ymm10, %%ymm10\n\t"
			 "vinsertf128 $1, %4, %%ymm15, %%ymm15\n\t"
			 "movl $0, %0\n\t"
			 "2:\n\t"
			 ".pushsection .fixup, \"a\"\n\t.quad 1b, 2b\n\t.popsection"
			 : "+m"(failed)
			 : "m"(selftest_fill[15]), "m"(selftest_fill[14]),
			   "m"(selftest_fill[13]), "m"(selftest_fill[12]));
	for (i = 0; !failed && i < 4; i++) {
		know(s, AT_YMM + 2 * i, SELFTEST_LOW(15 - i));
		know(s, AT_YMM + 2 * i + 1, SELFTEST_HIGH(15 - i));
	}
	return !failed;
}

static void see_upper(uint64_t *seen)
{
	struct vector upper[4];
	uint32_t i;

	__asm__ volatile("vextractf128 $1, %%ymm0, %0\n\t"
			 "vextractf128 $1, %%ymm5, %1\n\t"
			 "vextractf128 $1, %%ymm10, %2\n\t"
			 "vextractf128 $1, %%ymm15, %3"
			 : "=m"(upper[0]), "=m"(upper[1]), "=m"(upper[2]),
			   "=m"(upper[3]));
	for (i = 0; i < 4; i++) {
		seen[AT_YMM + 2 * i] = upper[i].low;
		seen[AT_YMM + 2 * i + 1] = upper[i].high;
	}
}

static void judge(const struct specials *s, const uint64_t *seen, uint64_t doorbell)
{
	uint32_t n;

	for (n = 0; n < 16; n++)
		selftest_expect(n, seen[n],
				expected_general(n, doorbell, ABI_X86_64_DOORBELL_PORT));
	selftest_expect(SELFTEST_AT_FLAGS, seen[SELFTEST_AT_FLAGS], FLAGS);
	for (n = 0; selftest_vectors && n < VECTORS; n++) {
		selftest_expect(SELFTEST_AT_VECTOR + 2 * n,
				seen[SELFTEST_AT_VECTOR + 2 * n], SELFTEST_LOW(n));
		selftest_expect(SELFTEST_AT_VECTOR + 2 * n + 1,
				seen[SELFTEST_AT_VECTOR + 2 * n + 1], SELFTEST_HIGH(n));
	}
	for (n = 0; n < SPECIALS; n++)
		if (s->known >> n & 1)
			selftest_expect(SELFTEST_AT_SPECIAL + n,
					seen[SELFTEST_AT_SPECIAL + n], s->expected[n]);
}

void selftest_regs(const struct abi_params *params, uint64_t *seen)
{
	const uint64_t doorbell = ABI_DOORBELL(ABI_DOORBELL_STOP, 0);
	static struct specials s;
	uint64_t before;
	uint32_t n;
	bool avx;

	selftest_vectors = !(params->warmup & SELFTEST_NO_VECTORS);
	avx = selftest_vectors && enable_vectors();
	for (n = 0; n < VECTORS; n++)
		selftest_fill[n] = (struct vector){ SELFTEST_LOW(n), SELFTEST_HIGH(n) };
	fill_specials(params, &s);
	avx = avx && fill_upper(&s);
	before = tsc();
	selftest_round(doorbell, ABI_X86_64_DOORBELL_PORT);
	if (avx)
		see_upper(seen + SELFTEST_AT_SPECIAL);
	see_specials(params, &s, before, seen + SELFTEST_AT_SPECIAL);
	for (n = 0; n < 16; n++)
		seen[n] = selftest_general[n];
	seen[SELFTEST_AT_FLAGS] = selftest_flags;
	seen[SELFTEST_AT_PC] = selftest_pc;
	for (n = 0; n < VECTORS; n++) {
		seen[SELFTEST_AT_VECTOR + 2 * n] = selftest_vector[n].low;
		seen[SELFTEST_AT_VECTOR + 2 * n + 1] = selftest_vector[n].high;
	}
	if (!(params->batches & SELFTEST_REPORT_ONLY))
		judge(&s, seen, doorbell);
}
