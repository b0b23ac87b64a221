/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SVM: a guest of the payload, and its VMCB (AMD APM vol. 2, chapter 15, appendix B). */
#ifndef WS_GUEST_X86_64_SVM_H
#define WS_GUEST_X86_64_SVM_H

#include <stdbool.h>
#include <stdint.h>

#define MSR_EFER     0xc0000080
#define MSR_HSAVE_PA 0xc0010117
#define EFER_SVME    (1ull << 12)

/* Intercepts: offset 0xc, and 0x10. */
#define INTERCEPT_INTR	  (1u << 0)
#define INTERCEPT_RDPMC	  (1u << 15)
#define INTERCEPT_CPUID	  (1u << 18)
#define INTERCEPT_IO	  (1u << 27)
#define INTERCEPT_MSR	  (1u << 28)
#define INTERCEPT_VMRUN	  (1u << 0)
#define INTERCEPT_VMMCALL (1u << 1)

#define TLB_FLUSH_ALL 1

#define EXIT_PF	     0x4e
#define EXIT_INTR    0x60
#define EXIT_RDPMC   0x6f
#define EXIT_CPUID   0x72
#define EXIT_IO	     0x7b
#define EXIT_MSR     0x7c
#define EXIT_VMMCALL 0x81
#define EXIT_NPF     0x400

struct svm_segment {
	uint16_t selector, attributes;
	uint32_t limit;
	uint64_t base;
};

/* Not named: what stays zero. */
struct svm_vmcb {
	uint32_t cr_dr_exceptions[3], intercepts[2];
	uint8_t to_io_bitmap[0x40 - 0x14];
	uint64_t io_bitmap, msr_bitmap;
	uint8_t to_asid[0x58 - 0x50];
	uint32_t asid, tlb_control;
	uint8_t to_exit[0x70 - 0x60];
	uint64_t exit_code, exit_info_1, exit_info_2;
	uint8_t to_nested_paging[0x90 - 0x88];
	uint64_t nested_paging;
	uint8_t to_nested_cr3[0xb0 - 0x98];
	uint64_t nested_cr3;
	uint8_t to_state[0x400 - 0xb8];
	struct svm_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t to_efer[0x4d0 - 0x4a0];
	uint64_t efer;
	uint8_t to_cr4[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t to_rsp[0x5d8 - 0x580];
	uint64_t rsp;
	uint8_t to_rax[0x5f8 - 0x5e0];
	uint64_t rax;
	uint8_t to_kernel_gs_base[0x620 - 0x600];
	uint64_t kernel_gs_base;
	uint8_t to_pat[0x668 - 0x628];
	uint64_t pat;
	uint8_t to_end[0x1000 - 0x670];
};
_Static_assert(sizeof(struct svm_vmcb) == 0x1000, "a VMCB is a page");

extern struct svm_vmcb svm_vmcb;
extern uint8_t svm_host_state[4096]; /* for MSR_HSAVE_PA */

/* CPUID reports SVM; it reports nested paging. */
bool svm_is_present(void);
bool svm_has_nested_paging(void);

/* EFER.SVME and MSR_HSAVE_PA. false: #GP, the firmware has disabled SVM. */
bool svm_enable(void);

/*
 * Fills in svm_vmcb: the guest has the state of the CPU here and no interrupts; VMRUN and
 * VMMCALL exit. SVM is enabled.
 */
void svm_prepare(void);

/* The guest runs `function` on a stack of its own, then VMMCALL. */
void svm_enter(void (*function)(void));

#endif
