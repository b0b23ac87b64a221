/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload that does something else with every seed: instructions, accesses, interrupts.
 */
#include "guest/aarch64/machine.h"
#include "host/tests/payloads/chaos.h"

#define ROUNDS	   200
#define CODE_WORDS 512

/* The CPU jumps here after every exception; the stack of before is forgotten. */
void chaos_again(void) __attribute__((noreturn, used));
extern const char chaos_vectors[];
__asm__("	.balign 0x800\n"
	"chaos_vectors:\n\t"
	".rept 16\n\t"
	".balign 0x80\n\t"
	"b chaos_vector\n\t"
	".endr\n"
	"chaos_vector:\n\t"
	"msr spsel, #1\n\t"
	"adrp x0, chaos_stack\n\t"
	"add x0, x0, :lo12:chaos_stack\n\t"
	"add x0, x0, #4095\n\t"
	"and sp, x0, #~0xf\n\t"
	"b chaos_again\n");

uint8_t chaos_stack[4096] __attribute__((aligned(16), used));
static uint32_t code[CODE_WORDS + 16] __attribute__((aligned(64)));
static uint64_t random_state;
static uint32_t rounds;

static uint32_t below(uint32_t n)
{
	return chaos_below(&random_state, n);
}

static uint64_t next(void)
{
	return chaos_next(&random_state);
}

static uint64_t random_address(void)
{
	static const uint64_t places[] = {
		0,
		0x08000000,
		ABI_AARCH64_GITS_GPA,
		ABI_AARCH64_GICR_GPA,
		0x09000000,
		ABI_AARCH64_MMIO_GPA,
		ABI_AARCH64_RAM_GPA,
		0x40fffff8,
		0x41000000,
		0x7ffffff8,
		0x100000000,
		ABI_AARCH64_DOORBELL_GPA + 4,
	};

	switch (below(4)) {
	case 0:
		return next();
	case 1:
		return (uint64_t)chaos_shared(&random_state);
	default:
		return places[below(sizeof(places) / 8)] + (next() & 0xfff8);
	}
}

/* ---- instructions ------------------------------------------------------------------ */

/* MOVZ, MOVK: sets a register. */
static uint32_t *put_set(uint32_t *p, uint32_t reg, uint64_t value)
{
	for (uint32_t i = 0; i < 4; i++)
		*p++ = (i ? 0xf2800000u : 0xd2800000u) | i << 21 |
		       (uint32_t)(value >> 16 * i & 0xffff) << 5 | reg;
	return p;
}

static uint32_t *put_instruction(uint32_t *p)
{
	uint32_t any = (uint32_t)next(), from = below(8);

	switch (below(8)) {
	case 0: /* MSR, MRS, SYS, hints, barriers */
		*p++ = 0xd5000000u | (any & 0x3fffff);
		break;
	case 1: /* MSR, MRS of EL1 and EL0 */
		*p++ = 0xd5180000u | (any & 0x27ffff);
		break;
	case 2: /* SVC, HVC, SMC */
		p = put_set(p, 0, below(2) ? 0x84000000u | below(32) : next());
		*p++ = 0xd4000000u | (any & 0x1fffe0) | (1 + below(3));
		break;
	case 3:
	case 4: /* loads and stores of all sizes, also of vectors and pairs */
		p = put_set(p, from, random_address());
		*p++ = (any & 0xfffff01fu & ~0x1d000000u) | 0x28000000u |
		       (any & 0x11000000u) | from << 5;
		break;
	case 5: /* WFI, WFE, YIELD, SEV, ISB */
		*p++ = below(4) ? 0xd503203fu | below(6) << 5 : 0xd5033fdfu;
		break;
	default:
		*p++ = any;
	}
	return p;
}

/* Makes the code visible to the instruction side, but for one round in four. */
static void clean_code(void)
{
	uint64_t line;

	if (!below(4))
		return;
	for (line = (uint64_t)code; line < (uint64_t)(code + CODE_WORDS + 16); line += 16)
		__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0" ::"r"(line)
				 : "memory");
	__asm__ volatile("dsb ish\n\tisb" ::: "memory");
}

/* A branch to chaos_again() ends the code. */
static void put_end(uint32_t *p)
{
	p = put_set(p, 16, (uint64_t)chaos_again);
	*p = 0xd61f0200u; /* BR X16 */
	clean_code();
	__asm__ volatile("br %0" ::"r"(code) : "memory");
	__builtin_unreachable();
}

static void stream(void)
{
	uint32_t *p = code;

	while (p < code + CODE_WORDS - 8)
		p = put_instruction(p);
	put_end(p);
}

/* Each store changes an instruction that follows. */
static void rewrite(void)
{
	uint32_t *p = code;

	while (p < code + CODE_WORDS - 32) {
		p = put_set(p, 0, (uint64_t)(p + 12 + below(16)));
		p = put_set(p, 1, below(2) ? 0xd503201fu : next());
		*p++ = 0xb9000001u; /* STR W1, [X0] */
		if (below(2))
			*p++ = 0xd50b7b20u; /* DC CVAU, X0 */
		if (below(2))
			*p++ = 0xd50b7520u; /* IC IVAU, X0 */
		if (below(2))
			*p++ = 0xd5033fdfu; /* ISB */
		p = below(8) ? p : put_instruction(p);
	}
	put_end(p);
}

/* ---- accesses and interrupts ---------------------------------------------------------
 */

static void access(void)
{
	uint32_t i;

	for (i = 0; i < 32; i++) {
		uint64_t address = random_address();
		volatile uint64_t *p = (volatile uint64_t *)address;

		switch (below(4)) {
		case 0:
			*p = chaos_lie(&random_state);
			break;
		case 1:
			*(volatile uint32_t *)p = (uint32_t)*p;
			break;
		case 2:
			(void)*(volatile uint8_t *)(address + below(8));
			break;
		default:
			(void)*(volatile uint16_t *)p;
		}
	}
}

#define WRITE(name, value) __asm__ volatile("msr " name ", %0" ::"r"((uint64_t)(value)))

static void storm(void)
{
	uint32_t i;

	WRITE("S3_0_C12_C12_5", 7);  /* ICC_SRE_EL1 */
	WRITE("S3_0_C4_C6_0", 0xff); /* ICC_PMR_EL1 */
	WRITE("S3_0_C12_C12_7", 1);  /* ICC_IGRPEN1_EL1 */
	WRITE("cntv_tval_el0", below(1000));
	WRITE("cntv_ctl_el0", 1);
	__asm__ volatile("msr daifclr, #3");
	for (i = 0; i < 32; i++) {
		volatile uint32_t *gic =
			(volatile uint32_t *)(below(2) ? ABI_AARCH64_GICD_GPA
						       : ABI_AARCH64_GICR_GPA + 0x10000);

		switch (below(4)) {
		case 0: /* ICC_SGI1R_EL1 */
			WRITE("S3_0_C12_C11_5", (uint64_t)below(16) << 24 | below(4));
			break;
		case 1:
			gic[below(0x1000) / 4] = (uint32_t)chaos_lie(&random_state);
			break;
		case 2: /* enabled, pending */
			gic[0x100 / 4] = gic[0x200 / 4] = (uint32_t)next();
			break;
		default:
			WRITE("cntv_tval_el0", chaos_lie(&random_state));
		}
	}
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
	__asm__ volatile("msr vbar_el1, %0\n\tisb" ::"r"(chaos_vectors));
	chaos_again();
}
