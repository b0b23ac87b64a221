/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PMU's self-test: AMD's counters and a guest that VMRUN enters (APM vol. 2, chapter
 * 15 and appendix B). The guest shares memory, page tables and IDT, and runs a function.
 */
#include "guest/x86_64/pmu_code.h"
#include "guest/x86_64/pmu_test.h"

#define MSR_EFER     0xc0000080
#define MSR_HSAVE_PA 0xc0010117
#define EFER_SVME    (1ull << 12)

#define CTL_GUEST_ONLY (1ull << 40)
#define CTL_HOST_ONLY  (1ull << 41)

/* Intercepts: offset 0xc, and 0x10. */
#define INTERCEPT_RDPMC	  (1u << 15)
#define INTERCEPT_VMRUN	  (1u << 0)
#define INTERCEPT_VMMCALL (1u << 1)

#define EXIT_RDPMC   0x6f
#define EXIT_VMMCALL 0x81

#define STACK_BYTES 4096

struct segment {
	uint16_t selector, attributes;
	uint32_t limit;
	uint64_t base;
};

/* Not named: what stays zero. */
struct vmcb {
	uint32_t cr_dr_exceptions[3], intercepts[2];
	uint8_t to_asid[0x58 - 0x14];
	uint32_t asid;
	uint8_t to_exit[0x70 - 0x5c];
	uint64_t exit_code;
	uint8_t to_state[0x400 - 0x78];
	struct segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t to_efer[0x4d0 - 0x4a0];
	uint64_t efer;
	uint8_t to_cr4[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t to_rsp[0x5d8 - 0x580];
	uint64_t rsp;
	uint8_t to_rax[0x5f8 - 0x5e0];
	uint64_t rax;
	uint8_t to_pat[0x668 - 0x600];
	uint64_t pat;
	uint8_t to_end[0x1000 - 0x670];
};
_Static_assert(sizeof(struct vmcb) == 0x1000, "a VMCB is a page");

static struct vmcb vmcb __attribute__((aligned(4096)));
static uint8_t host_state[4096] __attribute__((aligned(4096)));
static uint8_t stack[STACK_BYTES] __attribute__((aligned(16)));

/*
 * svm_enter(VMCB, function): VMRUN saves RAX and RSP only. The guest begins at svm_begin
 * and calls the function; VMMCALL is its end.
 */
void svm_enter(struct vmcb *vmcb, void (*function)(void));
extern const char svm_begin[];
__asm__(".pushsection .text\n"
	".globl svm_enter, svm_begin\n"
	"svm_enter:\n\t"
	"push %rbx\n\t"
	"push %rbp\n\t"
	"push %r12\n\t"
	"push %r13\n\t"
	"push %r14\n\t"
	"push %r15\n\t"
	"mov %rdi, %rax\n\t"
	"mov %rsi, %rbx\n\t"
	"clgi\n\t"
	"vmrun %rax\n\t"
	"stgi\n\t"
	"pop %r15\n\t"
	"pop %r14\n\t"
	"pop %r13\n\t"
	"pop %r12\n\t"
	"pop %rbp\n\t"
	"pop %rbx\n\t"
	"ret\n"
	"svm_begin:\n\t"
	"call *%rbx\n\t"
	"vmmcall\n\t"
	"ud2\n"
	".popsection\n");

struct pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static void set_svme(bool on)
{
	const uint64_t efer = pmu_rdmsr(MSR_EFER);

	verdict_writes(MSR_EFER, on ? efer | EFER_SVME : efer & ~EFER_SVME, true);
}

/* Freestanding code provides it: clang clears the structure in prepare() by a call. */
void *memset(void *to, int byte, size_t bytes);
void *memset(void *to, int byte, size_t bytes)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(byte) : "memory");
	return to;
}

/* The guest has the state of the CPU here, its own stack, and no interrupts. */
static void prepare(void)
{
	struct pointer gdtr, idtr;
	uint64_t cr0, cr3, cr4;

	set_svme(true);
	verdict_writes(MSR_HSAVE_PA, (uint64_t)host_state, true);
	__asm__ volatile("sgdt %0" : "=m"(gdtr));
	__asm__ volatile("sidt %0" : "=m"(idtr));
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	vmcb = (struct vmcb){
		.intercepts = { 0, INTERCEPT_VMRUN | INTERCEPT_VMMCALL },
		.asid = 1,
		.cs = { .selector = 8, .attributes = 0xa9b, .limit = ~0u },
		.ss = { .selector = 16, .attributes = 0xc93, .limit = ~0u },
		.ds = { .selector = 16, .attributes = 0xc93, .limit = ~0u },
		.es = { .selector = 16, .attributes = 0xc93, .limit = ~0u },
		.gdtr = { .limit = gdtr.limit, .base = gdtr.base },
		.idtr = { .limit = idtr.limit, .base = idtr.base },
		.efer = pmu_rdmsr(MSR_EFER),
		.cr0 = cr0,
		.cr3 = cr3,
		.cr4 = cr4,
		.dr6 = 0xffff0ff0,
		.dr7 = 0x400,
		.rflags = 2,
		.pat = 0x0007040600070406,
	};
}

static void (*of_guest)(void);

static void guest(void)
{
	vmcb.rip = (uint64_t)svm_begin;
	vmcb.rsp = (uint64_t)stack + STACK_BYTES;
	svm_enter(&vmcb, of_guest);
}

static void exited(uint64_t code)
{
	verdict_equal(PMU_ABOUT(PMU_EXIT, 0, 0), vmcb.exit_code, code);
}

/* Counter 0 host-only, 1 guest-only, 2 with both bits, 3 with neither. */
static void select_each(void)
{
	uint32_t n;

	pmu_select(0, pmu.instructions | BOTH | CTL_HOST_ONLY);
	pmu_select(1, pmu.instructions | BOTH | CTL_GUEST_ONLY);
	pmu_select(2, pmu.instructions | BOTH | CTL_HOST_ONLY | CTL_GUEST_ONLY);
	pmu_select(3, pmu.instructions | BOTH);
	for (n = 0; n < 4; n++)
		pmu_write(n, 0);
}

void pmu_test_svm_off(void)
{
	uint32_t n;

	if (pmu_has_svm())
		set_svme(false);
	select_each();
	pmu_run(0xf, code_loop);
	for (n = 0; n < 3; n++)
		verdict_equal(about_counter(n), pmu_read(n), 0);
	verdict_at_least(about_counter(3), pmu_read(3), LOOP_INSTRUCTIONS);
}

/* The counters go by EFER.SVME at the moment, which changes while they are enabled. */
void pmu_test_svm_host(void)
{
	uint64_t counted[3];
	uint32_t n;

	if (verdict_absent(!pmu_has_svm()))
		return;
	select_each();
	pmu_start(0xf);
	set_svme(true);
	code_loop();
	set_svme(false);
	for (n = 0; n < 3; n++)
		counted[n] = pmu_read(n);
	code_loop();
	pmu_stop();
	for (n = 0; n < 3; n++)
		verdict_equal(about_counter(n), pmu_read(n), counted[n]);
	verdict_at_least(about_counter(0), counted[0], LOOP_INSTRUCTIONS);
	verdict_equal(about_counter(1), counted[1], 0);
	/* Without pmu.control the counters do not begin at the same instruction. */
	if (pmu.control)
		verdict_equal(about_counter(2), counted[2], counted[0]);
	else
		verdict_at_least(about_counter(2), counted[2], LOOP_INSTRUCTIONS);
	verdict_at_least(about_counter(3), pmu_read(3), 2 * LOOP_INSTRUCTIONS);
}

/* The loop's count is that of the guest with the loop without that of an empty guest. */
void pmu_test_svm_guest(void)
{
	uint64_t empty[4];
	uint32_t n;

	if (verdict_absent(!pmu_has_svm()))
		return;
	prepare();
	of_guest = code_nothing;
	guest();
	exited(EXIT_VMMCALL);
	select_each();
	pmu_run(0xf, guest);
	for (n = 0; n < 4; n++)
		empty[n] = pmu_read(n);
	of_guest = code_loop;
	select_each();
	pmu_run(0xf, guest);
	for (n = 0; n < 4; n++)
		verdict_equal(PMU_ABOUT(PMU_IN_GUEST, n, 0), pmu_read(n) - empty[n],
			      n ? LOOP_INSTRUCTIONS : 0);
	/* CALL and RET; and VMRUN, if the CPU counts it in the guest, as Zen does. */
	verdict_between(about_counter(1), empty[1], 2, 3);
	if (pmu.control) {
		verdict_equal(PMU_ABOUT(PMU_SUM, 0, 1), empty[0] + empty[1], empty[2]);
		verdict_equal(about_counter(3), empty[3], empty[2]);
	}
	set_svme(false);
}

static volatile uint64_t rdpmc_value;

static void rdpmc_1(void)
{
	uint64_t value;

	rdpmc_value = try_rdpmc(1, &value) ? value : ~0ull;
}

void pmu_test_svm_rdpmc(void)
{
	if (verdict_absent(!pmu_has_svm()))
		return;
	prepare();
	pmu_write(1, 0x123456789a);
	of_guest = rdpmc_1;
	guest();
	exited(EXIT_VMMCALL);
	verdict_equal(PMU_ABOUT(PMU_RDPMC_VALUE, 1, 0), rdpmc_value, 0x123456789a);
	vmcb.intercepts[0] = INTERCEPT_RDPMC;
	guest();
	exited(EXIT_RDPMC);
	set_svme(false);
}
