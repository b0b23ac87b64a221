/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aarch64: the self-tests' payload: registers, memory, interrupts. */
#include "guest/selftest.h"

#include "guest/aarch64/gic.h"

#define VECTORS	 32
#define SPECIALS 64

struct vector {
	uint64_t low, high;
};

/* Used by the assembly below. SP points here while all other registers are patterns. */
struct area {
	uint64_t general[32]; /* [31]: SP */
	struct vector vector[VECTORS];
	uint64_t flags, pc;
};
extern struct area selftest_area;
extern struct vector selftest_fill[VECTORS];
extern uint64_t selftest_sp;
struct area selftest_area __attribute__((aligned(16)));
struct vector selftest_fill[VECTORS] __attribute__((aligned(16)));
uint64_t selftest_sp;
void selftest_round(uint64_t doorbell, uint64_t gpa);

#define AREA_VECTOR "256"
#define AREA_FLAGS  "768"

#define NZCV 0x90000000ull /* N and V */

/* Fills the registers, rings the doorbell by STR, and stores the registers. */
__asm__(".pushsection .text\n"
	"selftest_round:\n\t"
	"stp x19, x20, [sp, #-96]!\n\t"
	"stp x21, x22, [sp, #16]\n\t"
	"stp x23, x24, [sp, #32]\n\t"
	"stp x25, x26, [sp, #48]\n\t"
	"stp x27, x28, [sp, #64]\n\t"
	"stp x29, x30, [sp, #80]\n\t"
	"ldr x2, =selftest_sp\n\t"
	"mov x3, sp\n\t"
	"str x3, [x2]\n\t"
	"ldr x2, =selftest_fill\n\t"
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, "
	"20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
	"ldr q\\n, [x2, #16 * \\n]\n\t"
	".endr\n\t"
	"mov x2, #0x90000000\n\t"
	"msr nzcv, x2\n\t"
	"ldr x2, =selftest_area\n\t"
	"mov sp, x2\n\t"
	".irp n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, "
	"22, 23, 24, 25, 26, 27, 28, 29, 30\n\t"
	"ldr x\\n, =0x5e1f7e5700000000 + 0x01010101 * (\\n + 1)\n\t"
	".endr\n\t"
	"dsb sy\n\t"
	"str w0, [x1]\n"
	"1:\n\t"
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, "
	"20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30\n\t"
	"str x\\n, [sp, #8 * \\n]\n\t"
	".endr\n\t"
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, "
	"20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
	"str q\\n, [sp, #" AREA_VECTOR " + 16 * \\n]\n\t"
	".endr\n\t"
	"mov x0, sp\n\t"
	"str x0, [sp, #8 * 31]\n\t"
	"mrs x0, nzcv\n\t"
	"adr x1, 1b\n\t"
	"add x2, sp, #" AREA_FLAGS "\n\t"
	"stp x0, x1, [x2]\n\t"
	"ldr x2, =selftest_sp\n\t"
	"ldr x3, [x2]\n\t"
	"mov sp, x3\n\t"
	"ldp x21, x22, [sp, #16]\n\t"
	"ldp x23, x24, [sp, #32]\n\t"
	"ldp x25, x26, [sp, #48]\n\t"
	"ldp x27, x28, [sp, #64]\n\t"
	"ldp x29, x30, [sp, #80]\n\t"
	"ldp x19, x20, [sp], #96\n\t"
	"ret\n\t"
	".ltorg\n"
	".popsection");

/* Special registers by number. Registers that only exceptions use are free here. */
#define SPECIAL_REGS(R)                                                                  \
	R(0, "tpidr_el0", SELFTEST_SPECIAL(0))                                           \
	R(1, "tpidr_el1", SELFTEST_SPECIAL(1))                                           \
	R(2, "tpidrro_el0", SELFTEST_SPECIAL(2))                                         \
	R(3, "contextidr_el1", 0x12345678ull)                                            \
	R(4, "far_el1", SELFTEST_SPECIAL(4))                                             \
	R(5, "elr_el1", SELFTEST_SPECIAL(5))                                             \
	R(6, "spsr_el1", 0x600003c5ull)                                                  \
	R(7, "esr_el1", 0x56000123ull)                                                   \
	R(8, "sp_el0", SELFTEST_SPECIAL(8))                                              \
	R(9, "cntv_cval_el0", SELFTEST_SPECIAL(9))                                       \
	R(10, "cntkctl_el1", 0x3ull)                                                     \
	R(11, "fpcr", 0x00c00000ull)                                                     \
	R(12, "fpsr", 0x0000001full)                                                     \
	R(13, "par_el1", 0x0000000012345080ull)                                          \
	R(14, "dbgbvr0_el1", SELFTEST_SPECIAL(14))                                       \
	R(15, "dbgwvr0_el1", SELFTEST_SPECIAL(15))

enum { AT_TIME = 16, AT_PMR, AT_ENABLED, AT_PRIORITY };

struct specials {
	uint64_t expected[SPECIALS];
	uint64_t known; /* a bit for each in use */
};

static void know(struct specials *s, uint32_t n, uint64_t value)
{
	s->expected[n] = value;
	s->known |= 1ull << n;
}

static uint64_t now(void)
{
	uint64_t ticks;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks)::"memory");
	return ticks;
}

#define GICD_ISENABLER 0x100
#define GICD_IPRIORITY 0x400
#define GICD_ICFGR     0xc00
#define GICD_IGROUPR   0x080
#define GICD_IROUTER   0x6000
#define PMR	       0xf0ull
#define PRIORITY       0x40u

static uint32_t gicd_read(uint64_t offset)
{
	uint32_t value;

	__asm__ volatile("ldr %w0, [%1]"
			 : "=r"(value)
			 : "r"(ABI_AARCH64_GICD_GPA + offset)
			 : "memory");
	return value;
}

static void gicd_write(uint64_t offset, uint32_t value)
{
	__asm__ volatile("str %w0, [%1]" ::"r"(value), "r"(ABI_AARCH64_GICD_GPA + offset)
			 : "memory");
}

/* The shared interrupt of the tests: edge, group 1, to the boot CPU. */
static void enable_spi(void)
{
	const uint32_t word = SELFTEST_INTID / 32, bit = 1u << SELFTEST_INTID % 32;
	const uint32_t at = SELFTEST_INTID / 4 * 4;

	gicd_write(GICD_IGROUPR + 4 * word, ~0u);
	gicd_write(GICD_ICFGR + SELFTEST_INTID / 16 * 4, 2u << 2 * (SELFTEST_INTID % 16));
	gicd_write(GICD_IPRIORITY + at, PRIORITY << 8 * (SELFTEST_INTID % 4));
	gicd_write(GICD_IROUTER + 8 * SELFTEST_INTID, 0);
	gicd_write(GICD_IROUTER + 8 * SELFTEST_INTID + 4, 0);
	gicd_write(GICD_ISENABLER + 4 * word, bit);
}

static void fill_specials(struct specials *s)
{
#define SET(n, name, value)                                                              \
	__asm__ volatile("msr " name ", %0" ::"r"((uint64_t)(value)));                   \
	know(s, n, value);
	SPECIAL_REGS(SET)
	__asm__ volatile("isb");
	know(s, AT_TIME, 1);
	if (!gic_init())
		return;
	enable_spi();
	__asm__ volatile("msr " ICC_PMR ", %0; isb" ::"r"(PMR));
	know(s, AT_PMR, PMR);
	know(s, AT_ENABLED, 1u << SELFTEST_INTID % 32);
	know(s, AT_PRIORITY, PRIORITY << 8 * (SELFTEST_INTID % 4));
}

static void see_specials(const struct specials *s, uint64_t before, uint64_t *seen)
{
#define GET(n, name, value) __asm__ volatile("mrs %0, " name : "=r"(seen[n]));
	SPECIAL_REGS(GET)
	seen[AT_TIME] = now() > before;
	if (!(s->known >> AT_PMR & 1))
		return;
	__asm__ volatile("mrs %0, " ICC_PMR : "=r"(seen[AT_PMR]));
	seen[AT_ENABLED] = gicd_read(GICD_ISENABLER + SELFTEST_INTID / 32 * 4);
	seen[AT_PRIORITY] = gicd_read(GICD_IPRIORITY + SELFTEST_INTID / 4 * 4);
}

static uint64_t expected_general(uint32_t n, uint64_t doorbell)
{
	if (n == 31)
		return (uint64_t)&selftest_area;
	return n == 0	? doorbell
	       : n == 1 ? ABI_AARCH64_DOORBELL_GPA
			: SELFTEST_GENERAL(n);
}

static void judge(const struct specials *s, const uint64_t *seen, uint64_t doorbell)
{
	uint32_t n;

	for (n = 0; n < 32; n++)
		selftest_expect(n, seen[n], expected_general(n, doorbell));
	selftest_expect(SELFTEST_AT_FLAGS, seen[SELFTEST_AT_FLAGS], NZCV);
	for (n = 0; n < VECTORS; n++) {
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

/* CPACR_EL1.FPEN: nothing traps. */
static void enable_vectors(void)
{
	__asm__ volatile("msr cpacr_el1, %0; isb" ::"r"(3ull << 20));
}

void selftest_regs(const struct abi_params *params, uint64_t *seen)
{
	const uint64_t doorbell = ABI_DOORBELL(ABI_DOORBELL_STOP, 0);
	static struct specials s;
	uint64_t before;
	uint32_t n;

	enable_vectors();
	for (n = 0; n < VECTORS; n++)
		selftest_fill[n] = (struct vector){ SELFTEST_LOW(n), SELFTEST_HIGH(n) };
	fill_specials(&s);
	before = now();
	selftest_round(doorbell, ABI_AARCH64_DOORBELL_GPA);
	see_specials(&s, before, seen + SELFTEST_AT_SPECIAL);
	for (n = 0; n < 32; n++)
		seen[n] = selftest_area.general[n];
	seen[SELFTEST_AT_FLAGS] = selftest_area.flags;
	seen[SELFTEST_AT_PC] = selftest_area.pc;
	for (n = 0; n < VECTORS; n++) {
		seen[SELFTEST_AT_VECTOR + 2 * n] = selftest_area.vector[n].low;
		seen[SELFTEST_AT_VECTOR + 2 * n + 1] = selftest_area.vector[n].high;
	}
	if (!(params->batches & SELFTEST_REPORT_ONLY))
		judge(&s, seen, doorbell);
}

static uint64_t pattern(uint32_t bytes, bool read)
{
	uint64_t value = 0;
	uint32_t n;

	for (n = 0; n < bytes; n++)
		value |= (uint64_t)(read ? SELFTEST_READ(n) : SELFTEST_WRITTEN(n))
			 << (8 * n);
	return value;
}

#define PLACE (ABI_AARCH64_MMIO_GPA + SELFTEST_MMIO_OFFSET)

/*
 * KVM completes a load from its syndrome. Sign-extending loads are left out: QEMU 7.2
 * does not report the sign extension in the syndrome.
 */
#define ACCESS(bytes, store, load, width)                                                \
	do {                                                                             \
		uint64_t got = ~0ull;                                                    \
		__asm__ volatile(store " %" width                                        \
				       "0, [%1]" ::"r"(pattern(bytes, false)),           \
				 "r"(PLACE)                                              \
				 : "memory");                                            \
		__asm__ volatile(load " %" width "0, [%1]"                               \
				 : "=r"(got)                                             \
				 : "r"(PLACE)                                            \
				 : "memory");                                            \
		selftest_expect(0x300 + (bytes), got, pattern(bytes, true));             \
	} while (0)

void selftest_access(void)
{
	ACCESS(1, "strb", "ldrb", "w");
	ACCESS(2, "strh", "ldrh", "w");
	ACCESS(4, "str", "ldr", "w");
	ACCESS(8, "str", "ldr", "x");
}

void selftest_write(unsigned int kind, uint32_t value)
{
	if (kind)
		return; /* no ports on Arm */
	__asm__ volatile("str %w0, [%1]" ::"r"(value), "r"(PLACE) : "memory");
}

extern uint64_t selftest_taken;
uint64_t selftest_taken;

GIC_HANDLER(selftest_on_irq, "mrs x16, " ICC_IAR1 "\n\t"
			     "msr " ICC_EOIR1 ", x16\n\t"
			     "ldr x17, =selftest_taken\n\t"
			     "ldr x16, [x17]\n\t"
			     "add x16, x16, #1\n\t"
			     "str x16, [x17]\n\t");

void selftest_irq_init(void)
{
	if (!gic_init())
		return;
	enable_spi();
	gic_handler(selftest_on_irq);
}

void selftest_irq_mask(bool masked)
{
	if (masked)
		__asm__ volatile("msr daifset, #2; isb" ::: "memory");
	else
		gic_unmask();
}

uint64_t selftest_irqs(unsigned int which)
{
	return which ? 0 : *(volatile uint64_t *)&selftest_taken;
}

void selftest_breakpoint(void)
{
	__asm__ volatile("brk #0x57");
}

uint64_t selftest_hypercall(void)
{
	register uint64_t x0 __asm__("x0") = ABI_AARCH64_HVC_USER;

	__asm__ volatile("hvc #0" : "+r"(x0)::"x1", "x2", "x3", "memory");
	return x0;
}

/* Not in the translation tables. */
#define NOWHERE 0x4000000000ull

/* The exit: a load without a valid syndrome, as in the row mmio_read_nisv. */
void selftest_break(enum selftest_break how)
{
	if (how == SELFTEST_BREAK_EXCEPTION)
		*(volatile uint32_t *)NOWHERE = 0;
	else if (how == SELFTEST_BREAK_EXIT)
		__asm__ volatile("mov x1, %0\n\t"
				 "ldr w0, [x1], #4" ::"r"(PLACE)
				 : "x0", "x1", "memory");
	else
		machine_off();
}

static uint32_t cwriter;

/* gic_handler() unmasks interrupts; the test masks them again. */
void selftest_lpi_init(void)
{
	if (!gic_init() || !its_init(1, &cwriter))
		runtime_stop(ABI_STATE_REFUSED);
	gic_handler(selftest_on_irq);
	selftest_irq_mask(true);
}

void selftest_lpi(void)
{
	cwriter = (cwriter + ITS_COMMAND_BYTES) % ITS_QUEUE_BYTES;
	gic_store(ITS_CWRITER_GPA, cwriter);
}

/* No bus locks on Arm. */
void selftest_bus_lock(void)
{
	runtime_stop(ABI_STATE_REFUSED);
}

/* A masked interrupt ends WFI, too: no interrupt is missed. */
void selftest_halt(void)
{
	selftest_irq_mask(true);
	__asm__ volatile("wfi" ::: "memory");
	selftest_irq_mask(false);
	selftest_irq_mask(true);
}

void selftest_counter(void)
{
	__asm__ volatile("mrs x0, pmccntr_el0" ::: "x0", "memory");
}

void selftest_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

void selftest_pmu_msrs(void)
{
	runtime_stop(ABI_STATE_REFUSED);
}
