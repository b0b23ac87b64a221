/* SPDX-License-Identifier: GPL-2.0-or-later */
/* L1, the least hypervisor: SVM or VMX, as the CPU has, with nested paging if it can. */
#include "guest/x86_64/nested.h"

#include "guest/runtime.h"
#include "guest/x86_64/machine.h"
#include "guest/x86_64/svm.h"
#include "guest/x86_64/vmx.h"

#define STACK_BYTES 4096

#define RFLAGS_FIXED 0x2
#define RFLAGS_IF    0x200

/* Tables of nested paging, the same for SVM and VMX but for the bits of their entries. */
#define TABLE_ENTRIES 512
#define GIBIBYTES     5 /* boot.S maps the first, the fourth and the fifth */
#define BIT_PAGE_2M   0x80ull
#define BIT_WRITABLE  0x2ull
#define BITS_PRESENT  0x7ull  /* present, writable, user; read, write, execute */
#define BITS_EPT_WB   0x30ull /* of a page: write-back */
#define EPT_POINTER   0x1eull /* write-back, four levels */

static uint64_t level_4[TABLE_ENTRIES] __attribute__((aligned(4096)));
static uint64_t level_3[TABLE_ENTRIES] __attribute__((aligned(4096)));
static uint64_t level_2[GIBIBYTES * TABLE_ENTRIES] __attribute__((aligned(4096)));

/* For the loops below. */
uint8_t nested_stack[STACK_BYTES] __attribute__((aligned(16)));
uint64_t nested_code, nested_length;
uint64_t *nested_next; /* NESTED_MAP: the entry of the missing page */
const char *nested_loop;
uint64_t nested_vmcs[2], nested_ept[2];
uint8_t nested_host_area[4096] __attribute__((aligned(4096)));

void nested_unexpected(void) __attribute__((noreturn));
void nested_failed(void) __attribute__((noreturn));

/*
 * NESTED_MAP: the three bits are presence and permissions in all kinds of tables. The
 * entries of the two pages differ in bit 7 of their addresses.
 */
#define MAP_MISSING                                                                      \
	"mov nested_next, %rax\n\t"                                                      \
	"orq $7, (%rax)\n\t"                                                             \
	"xor $0x80, %rax\n\t"                                                            \
	"andq $-8, (%rax)\n\t"                                                           \
	"mov %rax, nested_next\n\t"

/* NESTED_IRQ: the handler saves what it uses. */
#define TAKE_IRQ                                                                         \
	"sti\n\t"                                                                        \
	"nop\n\t"                                                                        \
	"cli\n\t"

/*
 * nested_svm(): in L2. VMRUN and #VMEXIT switch RAX, RSP and RIP of the general
 * registers: L1 has RAX for itself, everything else is L2's. The parts of a loop: VMRUN
 * with what is around it, the exit code compared, the action, the count.
 */
#define SVM_RIP "svm_vmcb + 0x578"
#define SVM_LOOP(name, before, after, action)                                            \
#name ":\n\t" before "mov $svm_vmcb, %eax\n\t"                                   \
	      "vmrun %rax\n\t" after "mov nested_code, %rax\n\t"                         \
	      "cmp %rax, svm_vmcb + 0x70\n\t"                                            \
	      "jne nested_svm_unexpected\n\t" action "incq runtime_l1_exits\n\t"         \
	      "jmp " #name "\n"
#define SVM_SKIP                                                                         \
	"mov nested_length, %rax\n\t"                                                    \
	"add %rax, " SVM_RIP "\n\t"

void nested_svm(void);
extern const char nested_svm_skip[], nested_svm_skip_as_kvm[], nested_svm_map[],
	nested_svm_irq[];
__asm__(".pushsection .text\n"
	".globl nested_svm, nested_svm_skip, nested_svm_skip_as_kvm\n"
	".globl nested_svm_map, nested_svm_irq\n"
	"nested_svm:\n\t"
	"pop %rax\n\t"
	"mov %rax, " SVM_RIP "\n\t"
	"mov %rsp, svm_vmcb + 0x5d8\n\t"
	"mov $nested_stack + 4096, %rsp\n\t"
	"jmp *nested_loop\n" SVM_LOOP(nested_svm_skip, "", "", SVM_SKIP)
	/* svm_vcpu_enter_exit() and __svm_vcpu_run() of Linux. */
	SVM_LOOP(nested_svm_skip_as_kvm,
		 "clgi\n\t"
		 "mov $svm_vmcb, %eax\n\t"
		 "vmload %rax\n\t",
		 "vmsave %rax\n\t"
		 "mov $nested_host_area, %eax\n\t"
		 "vmload %rax\n\t"
		 "stgi\n\t",
		 SVM_SKIP)
	/* The VMCB says that VMRUN flushes the TLB. */
	SVM_LOOP(nested_svm_map, "", "", MAP_MISSING)
	/* Interrupts wait for GIF, too. */
	SVM_LOOP(nested_svm_irq, "", "", "stgi\n\t" TAKE_IRQ) "nested_svm_unexpected:\n\t"
							      "call nested_unexpected\n"
							      ".popsection\n");

/*
 * nested_vmx(), nested_evmcs(): 0 in L2, 1 in L1 if VMLAUNCH failed. VMX switches RSP and
 * RIP: L1 saves what it uses. A loop begins at the host's RIP.
 */
#define VMX_LOOP(name, reason, look, action)                                             \
#name ":\n\t"                                                                    \
	      "push %rax\n\t"                                                            \
	      "push %rdx\n\t" reason look "cmp nested_code, %rdx\n\t"                    \
	      "jne nested_vmx_unexpected\n\t" action "incq runtime_l1_exits\n\t"         \
	      "pop %rdx\n\t"                                                             \
	      "pop %rax\n\t"                                                             \
	      "vmresume\n\t"                                                             \
	      "jmp nested_vmx_failed\n"
#define VMX_REASON                                                                       \
	"mov $0x4402, %eax\n\t"                                                          \
	"vmread %rax, %rdx\n\t"
#define VMX_SKIP                                                                         \
	"mov $0x681e, %eax\n\t"                                                          \
	"vmread %rax, %rdx\n\t"                                                          \
	"add nested_length, %rdx\n\t"                                                    \
	"vmwrite %rdx, %rax\n\t"
#define VMX_LOOK_AT(field)                                                               \
	"mov $" field ", %eax\n\t"                                                       \
	"vmread %rax, %rax\n\t"
/*
 * vmx_vcpu_run() and skip_emulated_instruction() of Linux: IDT vectoring before the
 * cause is compared; instruction length, RFLAGS, interruptibility.
 */
#define VMX_LOOK_MORE VMX_LOOK_AT("0x440c") VMX_LOOK_AT("0x6820") VMX_LOOK_AT("0x4824")
#define VMX_MAP                                                                          \
	MAP_MISSING "mov $1, %eax\n\t"                                                   \
		    "invept nested_ept, %rax\n\t"
/* The same with the enlightened VMCS. No clean field covers RIP. */
#define EVMCS_REASON_OF "mov vmcs_region + " EVMCS_REASON ", %edx\n\t"
#define EVMCS_SKIP                                                                       \
	"mov nested_length, %rdx\n\t"                                                    \
	"add %rdx, vmcs_region + " EVMCS_RIP "\n\t"
#define EVMCS_LOOK_AT(offset) "mov vmcs_region + " offset ", %rax\n\t"
#define EVMCS_LOOK_MORE                                                                  \
	EVMCS_LOOK_AT(EVMCS_LENGTH)                                                      \
	EVMCS_LOOK_AT(EVMCS_RFLAGS) EVMCS_LOOK_AT(EVMCS_INTERRUPTIBILITY)

/* L1's part of the loops, in the order of enum nested_action; then without EPT. */
#define VMX_LOOPS(of, reason, look, look_more, skip)                                     \
	VMX_LOOP(nested_##of##_skip, reason, "", skip)                                   \
	VMX_LOOP(nested_##of##_skip_as_kvm, reason, look, look_more skip)                \
	VMX_LOOP(nested_##of##_map, reason, "", VMX_MAP)                                 \
	VMX_LOOP(nested_##of##_irq, reason, "", TAKE_IRQ)                                \
	/* Without VPIDs VM entry flushes the TLB. */                                    \
	VMX_LOOP(nested_##of##_map_shadow, reason, "", MAP_MISSING)

uint32_t nested_vmx(void);
uint32_t nested_evmcs(void);
extern const char nested_vmx_skip[], nested_vmx_skip_as_kvm[], nested_vmx_map[],
	nested_vmx_map_shadow[], nested_vmx_irq[], nested_vmx_return[];
extern const char nested_evmcs_skip[], nested_evmcs_skip_as_kvm[], nested_evmcs_map[],
	nested_evmcs_map_shadow[], nested_evmcs_irq[];
__asm__(".pushsection .text\n"
	".globl nested_vmx, nested_vmx_skip, nested_vmx_skip_as_kvm\n"
	".globl nested_vmx_map, nested_vmx_map_shadow, nested_vmx_irq, nested_vmx_return\n"
	".globl nested_evmcs, nested_evmcs_skip, nested_evmcs_skip_as_kvm\n"
	".globl nested_evmcs_map, nested_evmcs_map_shadow, nested_evmcs_irq\n"
	"nested_vmx:\n\t"
	"pop %rcx\n\t"
	"mov $0x681e, %eax\n\t" /* RIP, RSP */
	"vmwrite %rcx, %rax\n\t"
	"mov $0x681c, %eax\n\t"
	"vmwrite %rsp, %rax\n"
	"nested_launch:\n\t"
	"xor %eax, %eax\n\t"
	"vmlaunch\n\t"
	"mov $1, %eax\n\t"
	"jmp *%rcx\n"
	"nested_evmcs:\n\t"
	"pop %rcx\n\t"
	"mov %rcx, vmcs_region + " EVMCS_RIP "\n\t"
	"mov %rsp, vmcs_region + " EVMCS_RSP "\n\t"
	"jmp nested_launch\n"
	/**/
	VMX_LOOPS(vmx, VMX_REASON, VMX_LOOK_AT("0x4408"), VMX_LOOK_MORE, VMX_SKIP)
		VMX_LOOPS(evmcs, EVMCS_REASON_OF, EVMCS_LOOK_AT(EVMCS_VECTORING),
			  EVMCS_LOOK_MORE, EVMCS_SKIP) "nested_vmx_unexpected:\n\t"
						       "call nested_unexpected\n"
						       ".globl nested_vmx_failed\n"
						       "nested_vmx_failed:\n\t"
						       "call nested_failed\n"
						       "nested_vmx_return:\n\t"
						       "incq runtime_l1_exits\n\t"
						       "mov %rdx, %rsp\n\t"
						       "jmp *%rcx\n"
						       ".popsection\n");

/* The first instruction of the guest of nested_l1_svm() and nested_l1_vmx(). */
__asm__(".pushsection .text\n"
	".globl nested_vmmcall, nested_vmcall\n"
	"nested_vmmcall: vmmcall\n"
	"nested_vmcall: vmcall\n"
	".popsection\n");

static bool is_svm;

/* Ends the boot: VMLAUNCH or VMRESUME failed without an exit. Without a VMCS the error is
 * not readable, which is 0. */
void nested_failed(void)
{
	const struct abi_fault fault = {
		.vector = (uint32_t)vmcs_read(FIELD_ERROR) | ABI_FAULT_OF_ENTRY,
	};

	runtime_fault(&fault);
	machine_off();
}

/* Ends the boot: an exit of L2 that the row is not about, or an entry that failed as one.
 */
void nested_unexpected(void)
{
	struct abi_fault fault;

	if (is_svm)
		fault = (struct abi_fault){
			.vector = (uint32_t)svm_vmcb.exit_code,
			.syndrome = svm_vmcb.exit_info_1,
			.pc = svm_vmcb.rip,
			.address = svm_vmcb.exit_info_2,
		};
	else
		fault = (struct abi_fault){
			.vector = vmcs_read(FIELD_REASON),
			.syndrome = vmcs_read(FIELD_QUALIFICATION),
			.pc = vmcs_read(FIELD_RIP),
			.address = vmcs_read(FIELD_PHYSICAL_ADDRESS),
		};
	fault.vector |= ABI_FAULT_OF_L2;
	runtime_fault(&fault);
	machine_off();
}

/* ---- memory ----------------------------------------------------------------------- */

/*
 * The tables of the window and the RAM that it shows: behind the series. KVM unmaps a
 * page that a thousand entries map (RMAP_RECYCLE_THRESHOLD).
 */
#define WINDOW_TABLES ((uint64_t *)0xb00000)
#define WINDOW_PAGES  262144ull /* entries of the tables up to the page */
#define WINDOW_STEP   (NESTED_WINDOW_STEP / 4096)
#define WINDOW_RAM    0xd00000ull
#define RAM_PAGES     768
/*
 * The last two tables are pages of 2 MiB instead, another name of the RAM. L2 writes to
 * the RAM by its own address and reads it by the other name before the events: the first
 * and second entry that map a page cost KVM less and more (a list of entries begins) than
 * the next twelve, which all events then make. The second name is not writable, or KVM
 * would have one table for both.
 */
#define ALIAS_TABLE   510
#define ALIAS_RAM     0xc00000ull

_Static_assert(ABI_SERIES_OFFSET + ABI_PHASES * ABI_SERIES_MAX * 8ull <= 0xb00000,
	       "the window's tables are behind the series");
_Static_assert(WINDOW_RAM + RAM_PAGES * 4096 <= ABI_RAM_BYTES, "the RAM of the window");
_Static_assert(ALIAS_RAM <= WINDOW_RAM && ALIAS_RAM + 0x400000 >= ABI_RAM_BYTES,
	       "the other name has all of the window's RAM");

static uint64_t *window_directory;

/* `present`: the bits of an entry. The window's directory is that of the fifth GiB. */
static void map_window(enum nested_window window, uint64_t present)
{
	uint64_t i;

	for (i = 0; i < WINDOW_PAGES; i++)
		WINDOW_TABLES[i] = 0;
	for (i = 0; i < WINDOW_PAGES; i += WINDOW_STEP)
		WINDOW_TABLES[i] =
			(WINDOW_RAM + i / WINDOW_STEP % RAM_PAGES * 4096) | present;
	for (i = NESTED_TOUCHED_PAGE / 4096; i < WINDOW_PAGES; i += TABLE_ENTRIES)
		WINDOW_TABLES[i] = WINDOW_RAM | present;
	if (window != NESTED_WINDOW_PRESENT)
		WINDOW_TABLES[0] = WINDOW_TABLES[NESTED_OTHER_PAGE / 4096] =
			WINDOW_RAM | (present & ~BITS_PRESENT);
	for (i = 0; i < WINDOW_PAGES / TABLE_ENTRIES; i++)
		window_directory[i] =
			(uint64_t)&WINDOW_TABLES[i * TABLE_ENTRIES] | BITS_PRESENT;
	for (i = ALIAS_TABLE; window == NESTED_WINDOW_PRESENT && i < TABLE_ENTRIES; i++)
		window_directory[i] = (ALIAS_RAM + ((i - ALIAS_TABLE) << 21)) |
				      (present & ~BIT_WRITABLE) | BIT_PAGE_2M;
	for (i = 0; i < RAM_PAGES; i++)
		*(volatile uint64_t *)(WINDOW_RAM + i * 4096) = 0;
	nested_next = WINDOW_TABLES;
}

/* The RAM by its other names, and a page of each table that the bodies need. */
static void touch_window(uint64_t bodies)
{
	const uint64_t alias =
		ABI_SLOT_GPA + ((uint64_t)ALIAS_TABLE << 21) + WINDOW_RAM - ALIAS_RAM;
	uint64_t i;

	for (i = 0; i < RAM_PAGES; i++) {
		*(volatile uint64_t *)(WINDOW_RAM + i * 4096) = 0;
		(void)*(volatile uint64_t *)(alias + i * 4096);
	}

	for (i = 0; i <= bodies * WINDOW_STEP / TABLE_ENTRIES; i++)
		(void)*(volatile uint64_t *)(ABI_SLOT_GPA + (i << 21) +
					     NESTED_TOUCHED_PAGE);
}

/* Identity, in pages of 2 MiB, and the window. `bits`: of a page beside presence. */
static void map_all(const struct nested_exit *exit, uint64_t bits)
{
	uint64_t i;

	level_4[0] = (uint64_t)level_3 | BITS_PRESENT;
	for (i = 0; i < GIBIBYTES; i++)
		level_3[i] = (uint64_t)&level_2[i * TABLE_ENTRIES] | BITS_PRESENT;
	for (i = 0; i < GIBIBYTES * TABLE_ENTRIES; i++)
		level_2[i] = i << 21 | bits | BITS_PRESENT | BIT_PAGE_2M;
	/* Emulated by L1. */
	if (exit->svm == EXIT_NPF && !exit->window)
		level_2[ABI_X86_64_MMIO_GPA >> 21] = 0;
	window_directory = &level_2[(ABI_SLOT_GPA >> 21)];
	if (exit->window)
		map_window(exit->window, bits | BITS_PRESENT);
}

/* NESTED_WINDOW_SHADOW: absent in the page tables that L1 and L2 share. */
static void unmap_slot(void)
{
	const uint64_t *table;
	uint64_t cr3;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	table = (const uint64_t *)(cr3 & ~0xfffull);
	table = (const uint64_t *)(table[0] & ~0xfffull);
	window_directory = (uint64_t *)(table[ABI_SLOT_GPA >> 30] & ~0xfffull);
	map_window(NESTED_WINDOW_SHADOW, BITS_PRESENT);
	__asm__ volatile("mov %0, %%cr3" ::"r"(cr3) : "memory");
}

/* ---- entry ------------------------------------------------------------------------ */

#define MSR_KERNEL_GS_BASE  0xc0000102u
#define FIRST_MSR_OF_SECOND 0xc0000000u
#define SVM_SECOND_RANGE    0x800 /* bytes into the bitmap, two bits each MSR */
#define VMX_READ_HIGH	    1024  /* bytes into the bitmap, a bit each MSR */
#define VECTOR_PF	    14

/* Bitmaps of ports and MSRs; SVM's are longer. */
static uint8_t io_bitmap[3 * 4096] __attribute__((aligned(4096)));
static uint8_t msr_bitmap[2 * 4096] __attribute__((aligned(4096)));

static void set_bit(uint8_t *bitmap, uint32_t bit)
{
	bitmap[bit / 8] |= (uint8_t)(1u << bit % 8);
}

static void intercept_svm(const struct nested_exit *exit)
{
	set_bit(io_bitmap, ABI_X86_64_PIO_PORT);
	set_bit(msr_bitmap + SVM_SECOND_RANGE,
		2 * (MSR_KERNEL_GS_BASE - FIRST_MSR_OF_SECOND));
	svm_vmcb.io_bitmap = (uint64_t)io_bitmap;
	svm_vmcb.msr_bitmap = (uint64_t)msr_bitmap;
	switch (exit->svm) {
	case EXIT_INTR:
		svm_vmcb.intercepts[0] |= INTERCEPT_INTR;
		svm_vmcb.rflags |= RFLAGS_IF;
		break;
	case EXIT_CPUID:
		svm_vmcb.intercepts[0] |= INTERCEPT_CPUID;
		break;
	case EXIT_IO:
		svm_vmcb.intercepts[0] |= INTERCEPT_IO;
		break;
	case EXIT_MSR:
		svm_vmcb.intercepts[0] |= INTERCEPT_MSR;
		break;
	case EXIT_PF:
		svm_vmcb.cr_dr_exceptions[2] |= 1u << VECTOR_PF;
		break;
	}
}

static bool begin_svm(const struct nested_exit *exit)
{
	static const char *const loops[NESTED_ACTIONS] = {
		[NESTED_SKIP] = nested_svm_skip,
		[NESTED_SKIP_AS_KVM] = nested_svm_skip_as_kvm,
		[NESTED_MAP] = nested_svm_map,
		[NESTED_IRQ] = nested_svm_irq,
	};
	const bool shadow = exit->window == NESTED_WINDOW_SHADOW;
	const bool paging = svm_has_nested_paging() && !shadow;

	if (!svm_enable() || (!paging && exit->svm == EXIT_NPF))
		return false;
	svm_prepare();
	intercept_svm(exit);
	if (shadow)
		unmap_slot();
	if (exit->action == NESTED_MAP)
		svm_vmcb.tlb_control = TLB_FLUSH_ALL;
	if (paging) {
		map_all(exit, 0);
		svm_vmcb.nested_paging = 1;
		svm_vmcb.nested_cr3 = (uint64_t)level_4;
	}
	__asm__ volatile("vmsave %0" ::"a"(&svm_vmcb) : "memory");
	__asm__ volatile("vmsave %0" ::"a"(nested_host_area) : "memory");
	nested_loop = loops[exit->action];
	nested_svm();
	return true;
}

static bool intercept_vmx(const struct nested_exit *exit)
{
	set_bit(io_bitmap, ABI_X86_64_PIO_PORT);
	set_bit(msr_bitmap + VMX_READ_HIGH, MSR_KERNEL_GS_BASE - FIRST_MSR_OF_SECOND);
	switch (exit->vmx) {
	case REASON_INTERRUPT:
		vmcs_set_controls(PIN_INTERRUPT, 0, 0);
		break;
	case REASON_IO:
		vmcs_write(FIELD_IO_BITMAP_A, (uint64_t)io_bitmap);
		vmcs_write(FIELD_IO_BITMAP_B, (uint64_t)io_bitmap + 4096);
		return vmcs_add_processor(PROCESSOR_IO_BITMAPS, 0);
	case REASON_RDMSR:
		vmcs_write(FIELD_MSR_BITMAPS, (uint64_t)msr_bitmap);
		break;
	case REASON_EXCEPTION:
		vmcs_write(FIELD_EXCEPTIONS, 1u << VECTOR_PF);
		break;
	}
	return true;
}

static bool begin_vmx(const struct nested_exit *exit)
{
	static const char *const loops[2][NESTED_ACTIONS] = {
		{ nested_vmx_skip, nested_vmx_skip_as_kvm, nested_vmx_map,
		  nested_vmx_irq },
		{ nested_evmcs_skip, nested_evmcs_skip_as_kvm, nested_evmcs_map,
		  nested_evmcs_irq },
	};
	static const char *const shadow_loops[2] = { nested_vmx_map_shadow,
						     nested_evmcs_map_shadow };
	const bool enlightened = vmcs_enlighten();
	const bool shadow = exit->window == NESTED_WINDOW_SHADOW;
	bool paging = false, ready;

	vmcs_open();
	vmcs_set_controls(0, 0, 0);
	ready = intercept_vmx(exit);
	if (shadow)
		unmap_slot();
	else
		paging = vmcs_add_processor(0, SECONDARY_EPT);
	/* Without it KVM (L0) checks the segments of L2 at each entry; as L1 it sets it.
	 */
	if (paging && exit->action == NESTED_SKIP_AS_KVM)
		vmcs_add_processor(0, SECONDARY_EPT | SECONDARY_UNRESTRICTED);
	if (paging) {
		map_all(exit, BITS_EPT_WB);
		nested_ept[0] = (uint64_t)level_4 | EPT_POINTER;
		vmcs_write(FIELD_EPT, nested_ept[0]);
	}
	if (!paging && exit->svm == EXIT_NPF)
		ready = false;
	vmcs_write(FIELD_RFLAGS, RFLAGS_FIXED);
	vmcs_write(FIELD_HOST_RSP, (uint64_t)nested_stack + STACK_BYTES);
	vmcs_write(FIELD_HOST_RIP, (uint64_t)(shadow ? shadow_loops[enlightened]
						     : loops[enlightened][exit->action]));
	if (!ready) {
		vmcs_close();
		return false;
	}
	if (enlightened ? nested_evmcs() : nested_vmx())
		nested_failed();
	return true;
}

bool nested_begin(const struct abi_params *params, const struct nested_exit *exit)
{
	if (exit->window == NESTED_WINDOW_PRESENT &&
	    abi_bodies(params) >= ALIAS_TABLE * TABLE_ENTRIES / WINDOW_STEP)
		runtime_stop(ABI_STATE_TOO_MANY);
	is_svm = svm_is_present();
	if (!is_svm && vmcs_is_missing())
		return false;
	nested_code = is_svm ? exit->svm : exit->vmx;
	nested_length = exit->length;
	if (!(is_svm ? begin_svm(exit) : begin_vmx(exit)))
		return false;
	runtime_touch(params);
	if (exit->window == NESTED_WINDOW_PRESENT)
		touch_window(abi_bodies(params));
	return true;
}

/* ---- rows of L1 ------------------------------------------------------------------- */

static const struct nested_exit of_l1 = { .svm = EXIT_VMMCALL, .vmx = REASON_VMCALL };

bool nested_l1_svm(void)
{
	is_svm = svm_is_present();
	if (!is_svm || !svm_enable())
		return false;
	svm_prepare();
	if (svm_has_nested_paging()) {
		map_all(&of_l1, 0);
		svm_vmcb.nested_paging = 1;
		svm_vmcb.nested_cr3 = (uint64_t)level_4;
	}
	svm_vmcb.rip = (uint64_t)nested_vmmcall;
	svm_vmcb.rsp = (uint64_t)nested_stack + STACK_BYTES;
	__asm__ volatile("vmsave %0" ::"a"(&svm_vmcb) : "memory");
	return true;
}

bool nested_l1_vmx(void)
{
	if (svm_is_present() || vmcs_is_missing())
		return false;
	vmcs_enlighten();
	vmcs_open();
	vmcs_set_controls(0, 0, 0);
	if (vmcs_add_processor(0, SECONDARY_EPT)) {
		map_all(&of_l1, BITS_EPT_WB);
		nested_ept[0] = (uint64_t)level_4 | EPT_POINTER;
		vmcs_write(FIELD_EPT, nested_ept[0]);
	}
	vmcs_write(FIELD_RFLAGS, RFLAGS_FIXED);
	vmcs_write(FIELD_RSP, (uint64_t)nested_stack + STACK_BYTES);
	vmcs_write(FIELD_RIP, (uint64_t)nested_vmcall);
	vmcs_write(FIELD_HOST_RSP, (uint64_t)nested_stack + STACK_BYTES);
	vmcs_write(FIELD_HOST_RIP, (uint64_t)nested_vmx_return);
	vmcs_pair(nested_vmcs);
	return true;
}

void nested_l1_check(void)
{
	if (is_svm ? svm_vmcb.exit_code != of_l1.svm
		   : vmcs_read(FIELD_REASON) != of_l1.vmx)
		nested_unexpected();
}
