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

/* After #GP, a value that no register of these has. */
static uint64_t rdmsr(uint32_t msr)
{
	uint64_t value;

	return try_rdmsr(msr, &value) ? value : 0;
}

static uint32_t vmxon_region[1024] __attribute__((aligned(4096)));
static uint32_t vmcs[1024] __attribute__((aligned(4096)));
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

void vmcs_write(uint64_t field, uint64_t value)
{
	__asm__ volatile("vmwrite %1, %0" ::"r"(field), "rm"(value) : "cc");
}

uint64_t vmcs_read(uint64_t field)
{
	uint64_t value;

	__asm__ volatile("vmread %1, %0" : "=rm"(value) : "r"(field) : "cc");
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
		try_wrmsr(MSR_FEATURE_CONTROL,
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
	const uint64_t current = (uint64_t)vmcs;

	__asm__ volatile("vmclear %0" ::"m"(current) : "cc", "memory");
	__asm__ volatile("vmptrld %0" ::"m"(current) : "cc", "memory");
}

void vmcs_pair(uint64_t pair[2])
{
	static uint32_t second[1024] __attribute__((aligned(4096)));
	const uint64_t cleared = (uint64_t)second;

	second[0] = vmcs[0];
	__asm__ volatile("vmclear %0" ::"m"(cleared) : "cc", "memory");
	pair[0] = (uint64_t)vmcs;
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
	vmxon_region[0] = vmcs[0] = revision;
	__asm__ volatile("vmxon %0" ::"m"(region) : "cc", "memory");
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
