/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that VMLAUNCH enters (Intel SDM vol. 3C, chapters 25 to 28, appendices A and
 * B). The guest shares memory, page tables and descriptor tables.
 */
#include "guest/x86_64/vmx.h"

#include "guest/x86_64/machine.h"
#include "guest/x86_64/pmu_code.h"

#define CPUID_VMX (1u << 5) /* leaf 1 ECX */
#define CR4_VMXE  (1ull << 13)

#define MSR_FEATURE_CONTROL   0x3a
#define FEATURE_CONTROL_LOCK  (1u << 0)
#define FEATURE_CONTROL_VMXON (1u << 2)

#define MSR_VMX_BASIC	   0x480
#define VMX_BASIC_TRUE	   (1ull << 55)
#define MSR_VMX_PINBASED   0x481 /* then processor-based, exit, entry */
#define MSR_VMX_SECONDARY  0x48b
#define MSR_VMX_TRUE	   0x48d /* the four again */
#define MSR_VMX_CR0_FIXED0 0x486
#define MSR_VMX_CR4_FIXED0 0x488

#define STACK_BYTES 4096
#define TSS_LIMIT   0x67

struct pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* Ignored where the MSR is absent. Not inlined: one fixup (runtime_fault()). */
static void __attribute__((noinline)) wrmsr(uint32_t msr, uint64_t value)
{
	(void)try_wrmsr(msr, value);
}

/* After #GP, a value that no register of these has. */
static uint64_t rdmsr(uint32_t msr)
{
	uint64_t value;

	return try_rdmsr(msr, &value) ? value : 0;
}

static uint32_t vmxon_region[1024] __attribute__((aligned(4096)));
uint32_t vmcs_region[1024] __attribute__((aligned(4096)));
static uint8_t msr_bitmaps[4096] __attribute__((aligned(4096)));
static uint8_t stack[STACK_BYTES] __attribute__((aligned(16)));

/*
 * vmx_enter(function): 0 after a VM exit, else VMfail. The guest begins at vmx_begin and
 * calls the function; VMCALL is its end. The TSC is read before the NOPs and after the
 * exit.
 */
uint64_t vmx_entered, vmx_exited;
uint32_t vmx_enter(void (*function)(void));
extern const char vmx_begin[];
__asm__(".pushsection .text\n"
	".globl vmx_enter, vmx_begin\n"
	"vmx_enter:\n\t"
	"push %rbx\n\t"
	"push %rbp\n\t"
	"push %r12\n\t"
	"push %r13\n\t"
	"push %r14\n\t"
	"push %r15\n\t"
	"mov %rdi, %rbx\n\t"
	"mov $0x6c14, %edx\n\t" /* the host's RSP, RIP */
	"vmwrite %rsp, %rdx\n\t"
	"mov $0x6c16, %edx\n\t"
	"mov $1f, %eax\n\t"
	"vmwrite %rax, %rdx\n\t"
	"rdtsc\n\t"
	"shl $32, %rdx\n\t"
	"or %rdx, %rax\n\t"
	"mov %rax, vmx_entered\n\t" NOPS "vmlaunch\n\t"
	"mov $1, %eax\n\t"
	"jmp 2f\n"
	"1:\n\t"
	"rdtsc\n\t"
	"shl $32, %rdx\n\t"
	"or %rdx, %rax\n\t"
	"mov %rax, vmx_exited\n\t"
	"xor %eax, %eax\n"
	"2:\n\t"
	"pop %r15\n\t"
	"pop %r14\n\t"
	"pop %r13\n\t"
	"pop %r12\n\t"
	"pop %rbp\n\t"
	"pop %rbx\n\t"
	"ret\n"
	"vmx_begin:\n\t"
	"call *%rbx\n\t"
	"vmcall\n\t"
	"ud2\n"
	".popsection\n");

/* ---- the enlightened VMCS ---------------------------------------------------------- */

#define HYPERV_INTERFACE     0x40000001u
#define HYPERV_SIGNATURE     0x31237648u /* EAX: "Hv#1" */
#define HYPERV_NESTED	     0x4000000au /* EAX: lowest and highest version, 8 bits each */
#define MSR_VP_ASSIST_PAGE   0x40000073u
#define VP_ASSIST_ENABLE     1
#define EVMCS_VERSION	     1
#define EVMCS_FIRST	     8 /* behind the version and the abort indicator */
#define EVMCS_CLEAN	     824
#define ASSIST_ENLIGHTEN     40 /* bytes into the VP assist page */
#define ASSIST_CURRENT_EVMCS 48

/*
 * The fields in the order of the page, without gaps; the number of a field has its width.
 * GAP(n): n bytes that are reserved, or of no field that is used here.
 */
#define GAP(n) (0x8000 | (n))
static const uint16_t evmcs_order[] = {
	0xc00,
	0xc02,
	0xc04,
	0xc06,
	0xc08,
	0xc0a,
	0xc0c,
	GAP(2), /* the host's selectors */
	0x2c00,
	0x2c02,
	0x6c00,
	0x6c02,
	0x6c04, /* PAT, EFER, CR0, 3, 4 */
	0x6c10,
	0x6c12,
	FIELD_HOST_RIP,
	0x4c00, /* SYSENTER */
	0x4000,
	0x400c,
	FIELD_SECONDARY, /* pin, exit */
	FIELD_IO_BITMAP_A,
	FIELD_IO_BITMAP_B,
	FIELD_MSR_BITMAPS,
	0x800,
	0x802,
	0x804,
	0x806,
	0x808,
	0x80a,
	0x80c,
	0x80e, /* guest: selectors, */
	0x4800,
	0x4802,
	0x4804,
	0x4806,
	0x4808,
	0x480a,
	0x480c, /* limits, */
	0x480e,
	0x4810,
	0x4812,
	0x4814,
	0x4816,
	0x4818,
	0x481a,
	0x481c,
	0x481e,
	0x4820,
	0x4822, /* rights, */
	0x6806,
	0x6808,
	0x680a,
	0x680c,
	0x680e,
	0x6810,
	0x6812, /* bases */
	0x6814,
	0x6816,
	0x6818,
	GAP(24),
	FIELD_EXIT_STORE,
	FIELD_EXIT_LOAD,
	FIELD_ENTRY_LOAD,
	GAP(32), /* CR3 targets */
	0x4006,
	0x4008,
	0x400a, /* masks of #PF */
	FIELD_EXIT_STORE_COUNT,
	FIELD_EXIT_LOAD_COUNT,
	FIELD_ENTRY_LOAD_COUNT,
	0x2010,
	0x2012,
	FIELD_LINK,
	FIELD_DEBUGCTL,
	0x2804,
	0x2806,
	GAP(32), /* PDPTEs */
	0x6822,
	0x6824,
	0x6826,
	0x4826,
	0x482a,
	0x6000,
	0x6002,
	0x6004,
	0x6006,
	0x6800,
	0x6802,
	0x6804,
	0x681a, /* CRs, DR7 */
	0x6c06,
	0x6c08,
	0x6c0a,
	0x6c0c,
	0x6c0e,
	FIELD_HOST_RSP, /* the host's bases */
	FIELD_EPT,
	GAP(8 + 40),
	FIELD_PHYSICAL_ADDRESS,
	FIELD_ERROR,
	FIELD_REASON,
	0x4404,
	0x4406,
	0x4408,
	0x440a,
	0x440c,
	0x440e,
	FIELD_QUALIFICATION,
	GAP(32),
	0x640a,
	FIELD_RSP,
	FIELD_RFLAGS,
	0x4824,
	FIELD_PROCESSOR,
	FIELD_EXCEPTIONS,
	0x4012,
	0x4016,
	0x4018,
	0x401a,
	0x401c,
	FIELD_RIP,
};

static bool enlightened;

/* SDM vol. 3D, appendix B: bits 14:13 of a field's number. */
static uint32_t field_bytes(uint64_t field)
{
	static const uint8_t bytes[] = { 2, 8, 4, 8 };

	return bytes[field >> 13 & 3];
}

/* NULL: the page has no such field. A write of it is lost, and it reads as zero. */
static volatile uint8_t *evmcs_field(uint64_t field)
{
	uint32_t i, offset = EVMCS_FIRST;

	for (i = 0; i < sizeof(evmcs_order) / sizeof(evmcs_order[0]); i++) {
		if (evmcs_order[i] == field)
			return (volatile uint8_t *)vmcs_region + offset;
		offset += evmcs_order[i] & GAP(0) ? evmcs_order[i] & 0xff
						  : field_bytes(evmcs_order[i]);
	}
	return 0;
}

bool vmcs_enlighten(void)
{
	enlightened = cpuid(HYPERV_INTERFACE, 0).eax == HYPERV_SIGNATURE &&
		      (cpuid(HYPERV_NESTED, 0).eax & 0xff) == EVMCS_VERSION;
	return enlightened;
}

/* What VMPTRLD does for a VMCS. The clean fields are zero: KVM reads all of the page. */
static void evmcs_load(void)
{
	static uint8_t assist[4096] __attribute__((aligned(4096)));

	vmcs_region[0] = EVMCS_VERSION;
	*(volatile uint32_t *)((uint8_t *)vmcs_region + EVMCS_CLEAN) = 0;
	*(volatile uint64_t *)(assist + ASSIST_CURRENT_EVMCS) = (uint64_t)vmcs_region;
	*(volatile uint8_t *)(assist + ASSIST_ENLIGHTEN) = 1;
	wrmsr(MSR_VP_ASSIST_PAGE, (uint64_t)assist | VP_ASSIST_ENABLE);
}

/* ---- fields ------------------------------------------------------------------------ */

void vmcs_write(uint64_t field, uint64_t value)
{
	volatile uint8_t *at = enlightened ? evmcs_field(field) : 0;
	uint32_t i;

	for (i = 0; at && i < field_bytes(field); i++)
		at[i] = (uint8_t)(value >> 8 * i);
	if (!enlightened)
		__asm__ volatile("vmwrite %1, %0" ::"r"(field), "rm"(value) : "cc");
}

uint64_t vmcs_read(uint64_t field)
{
	const volatile uint8_t *at = enlightened ? evmcs_field(field) : 0;
	uint64_t value = 0;
	uint32_t i;

	for (i = 0; at && i < field_bytes(field); i++)
		value |= (uint64_t)at[i] << 8 * i;
	if (!enlightened)
		__asm__ volatile("vmread %1, %0" : "+rm"(value) : "r"(field) : "cc");
	return value;
}

/* The bits of a control that must be set, and those that may be. */
static uint64_t allowed(enum control c)
{
	const bool has_true = rdmsr(MSR_VMX_BASIC) & VMX_BASIC_TRUE;

	return rdmsr((has_true ? MSR_VMX_TRUE : MSR_VMX_PINBASED) + c);
}

bool vmcs_may_set(enum control c, uint32_t bits)
{
	return (allowed(c) >> 32 & bits) == bits;
}

bool vmcs_add_processor(uint32_t primary, uint32_t secondary)
{
	const uint64_t may = secondary ? rdmsr(MSR_VMX_SECONDARY) : 0;

	if (secondary)
		primary |= PROCESSOR_SECONDARY;
	if (!vmcs_may_set(PROCESSOR, primary) || (may >> 32 & secondary) != secondary)
		return false;
	vmcs_write(FIELD_PROCESSOR, vmcs_read(FIELD_PROCESSOR) | primary);
	if (secondary)
		vmcs_write(FIELD_SECONDARY, (uint32_t)may | secondary);
	return true;
}

bool vmcs_is_missing(void)
{
	uint64_t control;

	if (!(cpuid(1, 0).ecx & CPUID_VMX))
		return true;
	control = rdmsr(MSR_FEATURE_CONTROL);
	if (!(control & FEATURE_CONTROL_LOCK))
		wrmsr(MSR_FEATURE_CONTROL,
		      control | FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMXON);
	return !(rdmsr(MSR_FEATURE_CONTROL) & FEATURE_CONTROL_VMXON) ||
	       !vmcs_may_set(PROCESSOR, PROCESSOR_MSR_BITMAPS);
}

void vmcs_set_controls(uint32_t pin, uint32_t exit, uint32_t entry)
{
	static const uint32_t fields[CONTROLS] = { 0x4000, 0x4002, 0x400c, 0x4012 };
	const uint32_t values[CONTROLS] = {
		pin,
		PROCESSOR_MSR_BITMAPS,
		exit | EXIT_HOST_64_BITS,
		entry | ENTRY_GUEST_64_BITS,
	};
	uint32_t c;

	for (c = 0; c < CONTROLS; c++)
		vmcs_write(fields[c], (uint32_t)allowed(c) | values[c]);
}

/* VM entry requires a TSS (SDM vol. 3C, 27.2.3); boot.S loads none. */
#define TSS_SELECTOR 24

static void load_tss(void)
{
	static uint64_t gdt[5], tss[(TSS_LIMIT + 8) / 8];
	const struct pointer gdtr = { sizeof(gdt) - 1, (uint64_t)gdt };
	const uint64_t base = (uint64_t)tss;
	uint16_t tr;

	__asm__ volatile("str %0" : "=m"(tr));
	if (tr)
		return;
	gdt[1] = 0x00af9b000000ffff;
	gdt[2] = 0x00cf93000000ffff;
	gdt[3] = TSS_LIMIT | (base & 0xffffff) << 16 | 0x89ull << 40 |
		 (base >> 24 & 0xff) << 56;
	gdt[4] = base >> 32;
	__asm__ volatile("lgdt %0" ::"m"(gdtr));
	__asm__ volatile("ltr %w0" ::"r"(TSS_SELECTOR));
}

/* Guest and host have the state of the CPU here, the guest its own stack. */
static void set_state(void)
{
	static const struct {
		uint16_t guest, host; /* fields */
		uint16_t selector;
		uint32_t rights;
	} segments[] = {
		{ 0x800, 0xc00, 16, 0xc093 }, { 0x802, 0xc02, 8, 0xa09b },
		{ 0x804, 0xc04, 16, 0xc093 }, { 0x806, 0xc06, 16, 0xc093 },
		{ 0x808, 0xc08, 0, 0x10000 }, { 0x80a, 0xc0a, 0, 0x10000 },
		{ 0x80c, 0, 0, 0x10000 },     { 0x80e, 0xc0c, 0, 0x8b },
	};
	struct pointer gdtr, idtr;
	uint64_t cr0, cr3, cr4, base;
	const uint32_t *descriptor;
	uint16_t tr;
	uint32_t i;

	__asm__ volatile("sgdt %0" : "=m"(gdtr));
	__asm__ volatile("sidt %0" : "=m"(idtr));
	__asm__ volatile("str %0" : "=m"(tr));
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	descriptor = (const uint32_t *)(gdtr.base + tr);
	base = descriptor[0] >> 16 | (descriptor[1] & 0xff) << 16 |
	       (descriptor[1] & 0xff000000) | (uint64_t)descriptor[2] << 32;

	for (i = 0; i < 8; i++) {
		const bool is_tr = i == 7;
		const uint16_t selector = is_tr ? tr : segments[i].selector;

		vmcs_write(segments[i].guest, selector);
		if (segments[i].host)
			vmcs_write(segments[i].host, selector);
		vmcs_write(0x4800 + 2 * i, is_tr ? TSS_LIMIT : ~0u);
		vmcs_write(0x4814 + 2 * i, segments[i].rights);
		vmcs_write(0x6806 + 2 * i, is_tr ? base : 0);
	}
	vmcs_write(0x4810, gdtr.limit);
	vmcs_write(0x4812, idtr.limit);
	vmcs_write(0x6816, gdtr.base);
	vmcs_write(0x6818, idtr.base);
	vmcs_write(0x6c0a, base);
	vmcs_write(0x6c0c, gdtr.base);
	vmcs_write(0x6c0e, idtr.base);
	for (i = 0; i < 2; i++) {
		const uint64_t cr = i ? 0x6c00 : 0x6800;

		vmcs_write(cr, cr0);
		vmcs_write(cr + 2, cr3);
		vmcs_write(cr + 4, cr4);
	}
	/* Host: the bases of FS and GS. SYSENTER of both. */
	for (i = 0x6c06; i <= 0x6c08; i += 2)
		vmcs_write(i, 0);
	vmcs_write(0x482a, 0);
	vmcs_write(0x4c00, 0);
	vmcs_write(0x6824, 0);
	vmcs_write(0x6826, 0);
	vmcs_write(0x6c10, 0);
	vmcs_write(0x6c12, 0);
	vmcs_write(0x681a, 0x400); /* DR7 */
	vmcs_write(FIELD_LINK, ~0ull);
}

/* Everything that is neither state nor a control of vmcs_set_controls(): zero. */
static void set_zero(void)
{
	static const uint16_t fields[] = {
		0x2802,				/* DEBUGCTL */
		0x4004, 0x4006, 0x4008,		/* exceptions */
		0x400a, 0x400e, 0x4010, 0x4014, /* counts: CR3, MSRs */
		0x4016,				/* injection */
		0x4824, 0x4826, 0x4828,		/* interruptibility, activity, SMBASE */
		0x6000, 0x6002, 0x6004, 0x6006, /* masks of CR0, CR4 */
		0x6822,				/* pending debug exceptions */
	};
	uint32_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		vmcs_write(fields[i], 0);
	vmcs_write(FIELD_MSR_BITMAPS, (uint64_t)msr_bitmaps);
}

void vmcs_clear(void)
{
	const uint64_t current = (uint64_t)vmcs_region;

	__asm__ volatile("vmclear %0" ::"m"(current) : "cc", "memory");
	__asm__ volatile("vmptrld %0" ::"m"(current) : "cc", "memory");
}

void vmcs_pair(uint64_t pair[2])
{
	static uint32_t second[1024] __attribute__((aligned(4096)));
	const uint64_t cleared = (uint64_t)second;

	second[0] = vmcs_region[0];
	__asm__ volatile("vmclear %0" ::"m"(cleared) : "cc", "memory");
	pair[0] = (uint64_t)vmcs_region;
	pair[1] = cleared;
}

static uint64_t cr4_before;

void vmcs_open(void)
{
	const uint64_t region = (uint64_t)vmxon_region;
	const uint32_t revision = rdmsr(MSR_VMX_BASIC) & 0x7fffffff;
	uint64_t cr0;

	load_tss();
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4_before));
	__asm__ volatile("mov %0, %%cr0" ::"r"(cr0 | rdmsr(MSR_VMX_CR0_FIXED0)));
	__asm__ volatile(
		"mov %0, %%cr4" ::"r"(cr4_before | CR4_VMXE | rdmsr(MSR_VMX_CR4_FIXED0)));
	vmxon_region[0] = vmcs_region[0] = revision;
	__asm__ volatile("vmxon %0" ::"m"(region) : "cc", "memory");
	if (enlightened)
		evmcs_load();
	else
		vmcs_clear();
	set_state();
	set_zero();
}

void vmcs_close(void)
{
	__asm__ volatile("vmxoff" ::: "cc", "memory");
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4_before));
}

/* A VMCS that was launched must be cleared before the next VMLAUNCH. */
bool vmcs_enter(void (*function)(void))
{
	vmcs_clear();
	vmcs_write(FIELD_RSP, (uint64_t)stack + STACK_BYTES);
	vmcs_write(FIELD_RIP, (uint64_t)vmx_begin);
	vmcs_write(FIELD_RFLAGS, 2); /* interrupts off */
	return !vmx_enter(function);
}
