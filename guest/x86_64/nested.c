/* SPDX-License-Identifier: GPL-2.0-or-later */
/* L1, the least hypervisor: SVM or VMX, as the CPU has, with nested paging if it can. */
#include "guest/x86_64/nested.h"

#include "guest/runtime.h"
#include "guest/x86_64/machine.h"
#include "guest/x86_64/svm.h"
#include "guest/x86_64/vmx.h"

#define STACK_BYTES 4096

/* Tables of nested paging, the same for SVM and VMX but for the bits of their entries. */
#define TABLE_ENTRIES 512
#define GIBIBYTES     5 /* boot.S maps the first, the fourth and the fifth */
#define BIT_PAGE_2M   0x80ull
#define BITS_NPT      0x7ull  /* present, writable, user */
#define BITS_EPT      0x7ull  /* read, write, execute */
#define BITS_EPT_WB   0x30ull /* of a page: write-back */
#define EPT_POINTER   0x1eull /* write-back, four levels */

static uint64_t level_4[TABLE_ENTRIES] __attribute__((aligned(4096)));
static uint64_t level_3[TABLE_ENTRIES] __attribute__((aligned(4096)));
static uint64_t level_2[GIBIBYTES * TABLE_ENTRIES] __attribute__((aligned(4096)));

/* For the loops below. */
uint8_t nested_stack[STACK_BYTES] __attribute__((aligned(16)));
uint64_t nested_code, nested_length;

void nested_unexpected(void) __attribute__((noreturn));

/*
 * nested_svm(): 0 in L2. VMRUN and #VMEXIT switch RAX, RSP and RIP of the general
 * registers: L1 has RAX for itself, everything else is L2's.
 *
 * L1: compare the exit code, advance RIP, count, VMRUN.
 */
uint32_t nested_svm(void);
__asm__(".pushsection .text\n"
	".globl nested_svm\n"
	"nested_svm:\n\t"
	"pop %rax\n\t"
	"mov %rax, svm_vmcb + 0x578\n\t" /* RIP, RSP, RAX */
	"mov %rsp, svm_vmcb + 0x5d8\n\t"
	"movq $0, svm_vmcb + 0x5f8\n\t"
	"mov $nested_stack + 4096, %rsp\n"
	"1:\n\t"
	"mov $svm_vmcb, %eax\n\t"
	"vmrun %rax\n\t"
	"mov nested_code, %rax\n\t"
	"cmp %rax, svm_vmcb + 0x70\n\t"
	"jne 2f\n\t"
	"mov nested_length, %rax\n\t"
	"add %rax, svm_vmcb + 0x578\n\t"
	"incq runtime_l1_exits\n\t"
	"jmp 1b\n"
	"2:\n\t"
	"call nested_unexpected\n"
	".popsection\n");

/*
 * nested_vmx(): 0 in L2, 1 in L1 if VMLAUNCH failed. VMX switches RSP and RIP: L1 saves
 * what it uses. nested_vmx_exit is the host's RIP.
 */
uint32_t nested_vmx(void);
extern const char nested_vmx_exit[];
__asm__(".pushsection .text\n"
	".globl nested_vmx, nested_vmx_exit\n"
	"nested_vmx:\n\t"
	"pop %rcx\n\t"
	"mov $0x681e, %eax\n\t" /* RIP, RSP */
	"vmwrite %rcx, %rax\n\t"
	"mov $0x681c, %eax\n\t"
	"vmwrite %rsp, %rax\n\t"
	"xor %eax, %eax\n\t"
	"vmlaunch\n\t"
	"mov $1, %eax\n\t"
	"jmp *%rcx\n"
	"nested_vmx_exit:\n\t"
	"push %rax\n\t"
	"push %rdx\n\t"
	"mov $0x4402, %eax\n\t"
	"vmread %rax, %rdx\n\t"
	"cmp nested_code, %rdx\n\t"
	"jne 1f\n\t"
	"mov $0x681e, %eax\n\t"
	"vmread %rax, %rdx\n\t"
	"add nested_length, %rdx\n\t"
	"vmwrite %rdx, %rax\n\t"
	"incq runtime_l1_exits\n\t"
	"pop %rdx\n\t"
	"pop %rax\n\t"
	"vmresume\n"
	"1:\n\t"
	"call nested_unexpected\n"
	".popsection\n");

static bool is_svm;

/* Ends the boot: an exit of L2 that the row is not about, or a failed entry. */
void nested_unexpected(void)
{
	struct abi_fault fault;

	if (is_svm)
		fault = (struct abi_fault){
			.vector = svm_vmcb.exit_code,
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

/* Identity, in pages of 2 MiB. */
static void map_all(uint64_t table, uint64_t page)
{
	uint64_t i;

	level_4[0] = (uint64_t)level_3 | table;
	for (i = 0; i < GIBIBYTES; i++)
		level_3[i] = (uint64_t)&level_2[i * TABLE_ENTRIES] | table;
	for (i = 0; i < GIBIBYTES * TABLE_ENTRIES; i++)
		level_2[i] = i << 21 | page | BIT_PAGE_2M;
}

static bool begin_svm(void)
{
	if (!svm_enable())
		return false;
	svm_prepare();
	svm_vmcb.intercepts[0] |= INTERCEPT_CPUID;
	if (svm_has_nested_paging()) {
		map_all(BITS_NPT, BITS_NPT);
		svm_vmcb.nested_paging = 1;
		svm_vmcb.nested_cr3 = (uint64_t)level_4;
	}
	return !nested_svm();
}

static bool begin_vmx(void)
{
	vmcs_open();
	vmcs_set_controls(0, 0, 0);
	if (vmcs_add_processor(0, SECONDARY_EPT)) {
		map_all(BITS_EPT, BITS_EPT | BITS_EPT_WB);
		vmcs_write(FIELD_EPT, (uint64_t)level_4 | EPT_POINTER);
	}
	vmcs_write(FIELD_RFLAGS, 2);
	vmcs_write(FIELD_HOST_RSP, (uint64_t)nested_stack + STACK_BYTES);
	vmcs_write(FIELD_HOST_RIP, (uint64_t)nested_vmx_exit);
	if (!nested_vmx())
		return true;
	vmcs_close();
	return false;
}

bool nested_begin(const struct abi_params *params, const struct nested_exit *exit)
{
	is_svm = svm_is_present();
	if (!is_svm && vmcs_is_missing())
		return false;
	nested_code = is_svm ? exit->svm : exit->vmx;
	nested_length = exit->length;
	if (!(is_svm ? begin_svm() : begin_vmx()))
		return false;
	runtime_touch(params);
	return true;
}
