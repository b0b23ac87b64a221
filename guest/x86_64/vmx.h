/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VMX: a guest of the payload, its controls and fields (Intel SDM vol. 3C). */
#ifndef WS_GUEST_X86_64_VMX_H
#define WS_GUEST_X86_64_VMX_H

#include <stdbool.h>
#include <stdint.h>

#define MSR_VMX_MISC 0x485 /* bits 4:0: the preemption timer counts a bit of the TSC */

enum control {
	PIN,
	PROCESSOR,
	EXIT,
	ENTRY,
	CONTROLS,
};

#define PIN_INTERRUPT	       (1u << 0)
#define PIN_TIMER	       (1u << 6)
#define PROCESSOR_IO_BITMAPS   (1u << 25)
#define PROCESSOR_MSR_BITMAPS  (1u << 28)
#define PROCESSOR_SECONDARY    (1u << 31)
#define SECONDARY_EPT	       (1u << 1)
#define SECONDARY_UNRESTRICTED (1u << 7)
#define EXIT_SAVE_DEBUG	       (1u << 2)
#define EXIT_HOST_64_BITS      (1u << 9)
#define EXIT_LOAD_GLOBAL_CTRL  (1u << 12)
#define EXIT_SAVE_TIMER	       (1u << 22)
#define EXIT_SAVE_GLOBAL_CTRL  (1u << 30)
#define ENTRY_LOAD_DEBUG       (1u << 2)
#define ENTRY_GUEST_64_BITS    (1u << 9)
#define ENTRY_LOAD_GLOBAL_CTRL (1u << 13)

#define FIELD_IO_BITMAP_A      0x2000
#define FIELD_IO_BITMAP_B      0x2002
#define FIELD_MSR_BITMAPS      0x2004
#define FIELD_EXIT_STORE       0x2006
#define FIELD_EXIT_LOAD	       0x2008
#define FIELD_ENTRY_LOAD       0x200a
#define FIELD_EPT	       0x201a
#define FIELD_LINK	       0x2800
#define FIELD_DEBUGCTL	       0x2802
#define FIELD_GLOBAL_CTRL      0x2808
#define FIELD_HOST_GLOBAL_CTRL 0x2c04
#define FIELD_PROCESSOR	       0x4002
#define FIELD_EXCEPTIONS       0x4004
#define FIELD_EXIT_STORE_COUNT 0x400e
#define FIELD_EXIT_LOAD_COUNT  0x4010
#define FIELD_ENTRY_LOAD_COUNT 0x4014
#define FIELD_ERROR	       0x4400
#define FIELD_PHYSICAL_ADDRESS 0x2400
#define FIELD_REASON	       0x4402
#define FIELD_SECONDARY	       0x401e
#define FIELD_TIMER	       0x482e
#define FIELD_QUALIFICATION    0x6400
#define FIELD_RSP	       0x681c
#define FIELD_RIP	       0x681e
#define FIELD_RFLAGS	       0x6820
#define FIELD_HOST_RSP	       0x6c14
#define FIELD_HOST_RIP	       0x6c16

#define REASON_EXCEPTION   0
#define REASON_INTERRUPT   1
#define REASON_CPUID	   10
#define REASON_VMCALL	   18
#define REASON_IO	   30
#define REASON_RDMSR	   31
#define REASON_EPT	   48
#define REASON_GUEST_STATE 0x80000021
#define REASON_MSR_LOAD	   0x80000022
#define REASON_TIMER	   52
#define ERROR_HOST_STATE   8

/* An entry of the areas of MSRs. */
struct msr_entry {
	uint32_t msr, reserved;
	uint64_t value;
} __attribute__((aligned(16)));

/* A basic block of its own between a reading of the TSC and VM entry: see vmx_enter(). */
#define NOPS                                                                             \
	".rept 25\n\t"                                                                   \
	"nop\n\t"                                                                        \
	".endr\n\t"

/* The TSC before the NOPs that precede VM entry, and after VM exit. */
extern uint64_t vmx_entered, vmx_exited;

/* No VMX, or the firmware has disabled it. */
bool vmcs_is_missing(void);
bool vmcs_may_set(enum control c, uint32_t bits);

/*
 * Hyper-V's enlightened VMCS, version 1 (Microsoft, Hypervisor Top Level Functional
 * Specification, "Nested Virtualization"): the fields are in a page, the first of
 * vmcs_region, which L1 reads and writes instead of VMREAD and VMWRITE, and which the
 * hypervisor below finds through the VP assist page instead of VMPTRLD. EVMCS_*: offsets
 * for code that does not call vmcs_read().
 */
#define EVMCS_REASON	       "692"
#define EVMCS_VECTORING	       "704"
#define EVMCS_LENGTH	       "712"
#define EVMCS_RSP	       "768"
#define EVMCS_RFLAGS	       "776"
#define EVMCS_INTERRUPTIBILITY "784"
#define EVMCS_RIP	       "816"

extern uint32_t vmcs_region[1024];

/* From now on, if the hypervisor below offers it; call it before vmcs_open(). */
bool vmcs_enlighten(void);

/* VMX on, with a VMCS for a guest with the state of the CPU here; and off. */
void vmcs_open(void);
void vmcs_close(void);

/* Beside the bits that are needed for the guest. */
void vmcs_set_controls(uint32_t pin, uint32_t exit, uint32_t entry);

/* After vmcs_set_controls(): more controls of the processor. false: not offered. */
bool vmcs_add_processor(uint32_t primary, uint32_t secondary);

/* The CPU is in VMX operation, with a VMCS: vmcs_clear() before the next VMLAUNCH. */
void vmcs_clear(void);

/* The address of the VMCS, and of a second one that is cleared and not filled in. */
void vmcs_pair(uint64_t pair[2]);

void vmcs_write(uint64_t field, uint64_t value);
uint64_t vmcs_read(uint64_t field);

/* The guest runs `function`, then VMCALL. false: VMfail, else see FIELD_REASON. */
bool vmcs_enter(void (*function)(void));

#endif
