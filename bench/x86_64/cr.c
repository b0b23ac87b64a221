/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control and debug registers, XCR0, INVLPG. */
#include "bench/body.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/machine.h"

/*
 * CR0.WP toggled, as guests do around writes to read-only pages. SVM intercepts such
 * writes selectively; VMX owns the bit, or passes it through since Linux 6.4 with EPT.
 * The read of CR0 does not exit with nested paging.
 */
BODY_PAIR(cr0_wp,
	  "mov %%cr0, %%rax\n\t"
	  "xor $0x10000, %%eax",
	  "mov %%rax, %%cr0", ::
		  : "rax", "cc", "memory")

#define CR0_WP 0x10000ull

BODY uint64_t read_cr0(void)
{
	uint64_t cr0;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	return cr0;
}

BODY void cr0_wp_end(void)
{
	const uint64_t before = read_cr0();

	cr0_wp_event();
	must((read_cr0() ^ before) == CR0_WP);
}

BODY_ROW(cr0_wp, .end = cr0_wp_end);

/*
 * CR4.PGE toggled, the old way to flush the whole TLB. VMX with EPT passes the bit
 * through; SVM intercepts every write of CR4 and every read, so the payload keeps the
 * value in memory.
 */
#define CR4_PGE 0x80

static uint64_t cr4, cr4_of_twin;

BODY uint64_t read_cr4(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

BODY bool cr4_pge_setup(const struct abi_params *params)
{
	(void)params;
	cr4 = cr4_of_twin = read_cr4();
	return true;
}

#define CR4_TOGGLE                                                                       \
	"mov %0, %%rax\n\t"                                                              \
	"xor %1, %%rax\n\t"                                                              \
	"mov %%rax, %0\n\t"

BODY void cr4_pge_event(void)
{
	__asm__ volatile(CR4_TOGGLE "mov %%rax, %%cr4"
			 : "+m"(cr4)
			 : "i"(CR4_PGE)
			 : "rax", "cc", "memory");
}

BODY void cr4_pge_twin(void)
{
	__asm__ volatile(CR4_TOGGLE "nop"
			 : "+m"(cr4_of_twin)
			 : "i"(CR4_PGE)
			 : "rax", "cc", "memory");
}

/* Two events: if writes are skipped, CR4 is wrong after one of them. */
BODY void cr4_pge_end(void)
{
	must(read_cr4() == cr4);
	cr4_pge_event();
	must(read_cr4() == cr4);
}

BODY_ROW(cr4_pge, .setup = cr4_pge_setup, .end = cr4_pge_end);

/*
 * A page whose entry in a page table changes from one frame to another. The CPU has
 * cached the first, and reads the second only if the event invalidates the entry; so has
 * KVM in a shadow page table, which may differ from a table of 4 KiB pages until then.
 * The frames are those of the image and of the parameters, whose first words differ.
 */
#define REMAPPED       ABI_RAM_BYTES /* the first address behind RAM: not mapped */
#define LARGE_PAGE     0x200000ull
#define TABLE_INDEX(a) ((a) / LARGE_PAGE)
#define IN_RAM(a)      ((a) & (ABI_RAM_BYTES - 0x1000))
#define PTE_PAGE       0x3ull /* present, writable */

static uint64_t remapped_table[512] __attribute__((aligned(4096)));

/* An entry's table is in this CPU's RAM, whichever window that is (bench/abi.h). */
BODY uint64_t *next_table(uint64_t entry)
{
	return (uint64_t *)(uintptr_t)IN_RAM(entry);
}

BODY uint64_t first_word(uint64_t gva)
{
	uint64_t word;

	__asm__ volatile("mov (%1), %0" : "=r"(word) : "r"(gva) : "memory");
	return word;
}

BODY void must_invalidate(void (*event)(void))
{
	uint64_t root, *directory, ram;

	__asm__ volatile("mov %%cr3, %0" : "=r"(root));
	ram = (root & ~0xfffull) - IN_RAM(root);
	directory = next_table(*next_table(*next_table(root)));
	remapped_table[0] = (ram + ABI_IMAGE_OFFSET) | PTE_PAGE;
	directory[TABLE_INDEX(REMAPPED)] =
		(ram + IN_RAM((uint64_t)(uintptr_t)remapped_table)) | PTE_PAGE;
	must(first_word(REMAPPED) == first_word(ABI_IMAGE_OFFSET));
	remapped_table[0] = (ram + ABI_PAGE_OFFSET) | PTE_PAGE;
	event();
	must(first_word(REMAPPED) == ABI_MAGIC);
}

/*
 * CR3 written with its own value: flushes the non-global TLB entries. Exits only under
 * shadow paging.
 */
static uint64_t cr3;

BODY bool cr3_setup(const struct abi_params *params)
{
	(void)params;
	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	return true;
}

BODY_PAIR(cr3, "mov %0, %%rax", "mov %%rax, %%cr3", ::"m"(cr3) : "rax", "memory")

BODY void cr3_end(void)
{
	must_invalidate(cr3_event);
}

BODY_ROW(cr3, .setup = cr3_setup, .end = cr3_end);

/* CR8, the task priority: from the TPR shadow (VMX) or V_TPR (SVM) where present. */
BODY_PAIR(cr8_read, "", "mov %%cr8, %%rax", ::: "rax", "memory")

BODY void cr8_read_end(void)
{
	uint64_t priority = 15;

	__asm__ volatile("mov %0, %%cr8\n\t"
			 "xor %k0, %k0\n\t"
			 "mov %%cr8, %0"
			 : "+r"(priority)
			 :
			 : "cc", "memory");
	must(priority == 15);
}

BODY_ROW(cr8_read, .end = cr8_read_end);

/* CR8 written with 0: no interrupt waits below that priority. */
BODY_PAIR(cr8_write, "xor %%eax, %%eax", "mov %%rax, %%cr8", ::: "rax", "cc", "memory")

/* An APIC outside of KVM makes a write that lowers CR8 exit to the VMM. */
BODY void cr8_write_end(void)
{
	uint64_t priority = 15;

	if (apic_read(APIC_VERSION) == ~0u)
		return;
	__asm__ volatile("mov %0, %%cr8" ::"r"(priority) : "memory");
	cr8_write_event();
	__asm__ volatile("mov %%cr8, %0" : "=r"(priority)::"memory");
	must(!priority);
}

BODY_ROW(cr8_write, .end = cr8_write_end);

/*
 * DR7. KVM intercepts the first access to a debug register after any other exit, loads
 * all debug registers, and passes further accesses through until the next exit: hence the
 * exit to user space before each event.
 */
BODY_PAIR(dr7, "mov $0x400, %%eax", "mov %%rax, %%dr7", ::: "rax", "memory")
BODY_ROW(dr7, .reload = true);

/* XSETBV of the smallest XCR0, x87 alone: always exits on VMX, and under KVM on SVM. */
#define CPUID_XSAVE  (1u << 26)
#define CR4_OSXSAVE  (1u << 18)
#define CPUID_STATE  0xd
#define XCR0_X87     1u
#define XCR0_SSE_AVX 6u

static uint32_t xsetbv_bytes; /* that XSAVE needs with AVX; 0: without AVX */

BODY void set_xcr0(uint32_t value)
{
	__asm__ volatile("xsetbv" ::"a"(value), "d"(0), "c"(0) : "memory");
}

BODY bool xsetbv_setup(const struct abi_params *params)
{
	uint32_t states;

	(void)params;
	if (!(cpuid(1, 0).ecx & CPUID_XSAVE))
		return false;
	__asm__ volatile("mov %%cr4, %%rax\n\t"
			 "or %0, %%rax\n\t"
			 "mov %%rax, %%cr4" ::"i"(CR4_OSXSAVE)
			 : "rax", "cc", "memory");
	/* Not the value of the events. */
	states = cpuid_has_leaf(CPUID_STATE) ? cpuid(CPUID_STATE, 0).eax & XCR0_SSE_AVX
					     : 0;
	if (states)
		set_xcr0(XCR0_X87 | states);
	if (states == XCR0_SSE_AVX)
		xsetbv_bytes = cpuid(CPUID_STATE, 0).ebx;
	return true;
}

/*
 * XGETBV never exits, and reads the register also where XSETBV does not exit (SVM of
 * QEMU), so that KVM's CPUID does not change. A software KVM may lack XGETBV: after #UD,
 * which leaves 0, XSAVE needs less with fewer registers; without AVX it needs as much,
 * and nothing is proven.
 */
BODY void xsetbv_end(void)
{
	uint32_t xcr0 = 0;

	__asm__ volatile("1: xgetbv\n\t"
			 "2:\n\t" RUNTIME_FIXUP("1b", "2b")
			 : "+a"(xcr0)
			 : "c"(0)
			 : "edx", "memory");
	if (xcr0)
		must(xcr0 == XCR0_X87);
	else if (xsetbv_bytes)
		must(cpuid(CPUID_STATE, 0).ebx < xsetbv_bytes);
}

BODY_PAIR(xsetbv,
	  "xor %%ecx, %%ecx\n\t"
	  "xor %%edx, %%edx\n\t"
	  "mov $1, %%eax",
	  "xsetbv", ::
		  : "eax", "ecx", "edx", "cc", "memory")
BODY_ROW(xsetbv, .setup = xsetbv_setup, .end = xsetbv_end);

/* INVLPG of a mapped page: exits only under shadow paging. */
BODY_PAIR(invlpg, "mov %0, %%eax", "invlpg (%%rax)", ::"i"(ABI_IMAGE_OFFSET)
	  : "rax", "memory")
/* As invlpg, of the page that is remapped. */
BODY_PAIR(invlpg_remapped, "mov %0, %%eax", "invlpg (%%rax)", ::"i"(REMAPPED)
	  : "rax", "memory")

BODY void invlpg_end(void)
{
	must_invalidate(invlpg_remapped_event);
}

BODY_ROW(invlpg, .end = invlpg_end);
