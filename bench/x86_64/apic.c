/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local APIC: task priority, end of interrupt, and self-IPIs by xAPIC and x2APIC. */
#include "bench/body.h"
#include "guest/x86_64/apic.h"
#include "guest/x86_64/ioapic.h"

BODY bool xapic_setup(const struct abi_params *params)
{
	(void)params;
	apic_enable();
	return true;
}

/*
 * The task priority in the xAPIC's page written with 0. SVM without AVIC emulates the
 * store; VMX with a TPR shadow and virtual APIC accesses executes it without an exit.
 */
BODY_PAIR(apic_tpr,
	  "mov %0, %%edx\n\t"
	  "xor %%eax, %%eax",
	  "mov %%eax, (%%rdx)", ::"i"(APIC_GPA + APIC_TPR)
	  : "eax", "edx", "cc", "memory")

BODY bool apic_tpr_setup(const struct abi_params *params)
{
	xapic_setup(params);
	apic_write(APIC_TPR, 0xf0); /* not the value of the events */
	return true;
}

BODY void apic_tpr_end(void)
{
	must(!apic_read(APIC_TPR));
}

BODY_ROW(apic_tpr, .setup = apic_tpr_setup, .end = apic_tpr_end);

/*
 * End of interrupt in the xAPIC's page with no interrupt in service: only the write.
 * AVIC executes the write without an exit, and so does APICv, unless the EOI-exit bitmap
 * has the vector in service, which is 0 if there is none (SDM 3C, 30.1.4). KVM enters the
 * vectors of some of the IOAPIC's pins into the bitmap, as of the RTC's: after a reset 0.
 */
BODY bool eoi_setup(const struct abi_params *params)
{
	ioapic_set_vectors(APIC_VECTOR);
	return xapic_setup(params);
}

BODY_PAIR(eoi,
	  "mov %0, %%edx\n\t"
	  "xor %%eax, %%eax",
	  "mov %%eax, (%%rdx)", ::"i"(APIC_GPA + APIC_EOI)
	  : "eax", "edx", "cc", "memory")

/*
 * With an interrupt in service: its handler does not end it, the event does. Where the
 * interrupt is lost, as in a software KVM, self_ipi fails.
 */
static MACHINE_INTERRUPT void on_unended(struct machine_frame *frame)
{
	(void)frame;
}

BODY bool in_service(void)
{
	return apic_read(APIC_ISR + APIC_VECTOR / 32 * 0x10) & 1u << APIC_VECTOR % 32;
}

BODY void eoi_end(void)
{
	machine_handler(APIC_VECTOR, on_unended);
	apic_write(APIC_ICR, APIC_ICR_SELF | APIC_ICR_FIXED | APIC_VECTOR);
	for (unsigned int tries = 1000; tries && !in_service(); tries--)
		apic_take_interrupts();
	/* A software KVM. */
	if (!in_service())
		return;
	eoi_event();
	must(!in_service());
}

BODY_ROW(eoi, .setup = eoi_setup, .end = eoi_end);

/*
 * Self-IPIs: the interrupt command register of the xAPIC or SELF_IPI of the x2APIC, the
 * delivery of the interrupt, and the end of interrupt in the handler. The rows differ in
 * what keeps the interrupt out, and what lets it in. Each sequence begins and ends with
 * interrupts disabled.
 */
static MACHINE_INTERRUPT void on_ipi(struct machine_frame *frame)
{
	(void)frame;
	MACHINE_DELIVERED();
	apic_write(APIC_EOI, 0);
}

BODY bool self_ipi_setup(const struct abi_params *params)
{
	(void)params;
	machine_handler(APIC_VECTOR, on_ipi);
	apic_enable();
	return true;
}

static MACHINE_INTERRUPT void on_x2apic_ipi(struct machine_frame *frame)
{
	(void)frame;
	MACHINE_DELIVERED();
	apic_wrmsr(X2APIC_EOI, 0);
}

BODY bool x2apic_self_ipi_setup(const struct abi_params *params)
{
	(void)params;
	machine_handler(APIC_VECTOR, on_x2apic_ipi);
	return apic_enable_x2();
}

#define SELF_IPI_PAIR(id, before, after)                                                 \
	BODY_PAIR(id,                                                                    \
		  before "mov %0, %%edx\n\t"                                             \
			 "mov %1, %%eax",                                                \
		  "mov %%eax, (%%rdx)\n\t" after, ::"i"(APIC_GPA + APIC_ICR),            \
		  "i"(APIC_ICR_SELF | APIC_ICR_FIXED | APIC_VECTOR)                      \
		  : "rax", "edx", "cc", "memory")

#define X2APIC_SELF_IPI_PAIR(id, before, after)                                          \
	BODY_PAIR(id,                                                                    \
		  before "mov %0, %%ecx\n\t"                                             \
			 "mov %1, %%eax\n\t"                                             \
			 "xor %%edx, %%edx",                                             \
		  "wrmsr\n\t" after, ::"i"(X2APIC_SELF_IPI), "i"(APIC_VECTOR)            \
		  : "rax", "ecx", "edx", "cc", "memory")

/* STI opens the interrupt window only after the next instruction. */
#define STI_NOP                                                                          \
	"sti\n\t"                                                                        \
	"nop\n\t"                                                                        \
	"cli"
#define STI_HLT                                                                          \
	"sti\n\t"                                                                        \
	"hlt\n\t"                                                                        \
	"cli"
#define RAISE_TPR                                                                        \
	"mov $15, %%eax\n\t"                                                             \
	"mov %%rax, %%cr8\n\t"
#define LOWER_TPR                                                                        \
	"xor %%eax, %%eax\n\t"                                                           \
	"mov %%rax, %%cr8\n\t"

/* STI lets the interrupt in. */
SELF_IPI_PAIR(self_ipi, "", STI_NOP)
BODY_ROW(self_ipi, .setup = self_ipi_setup);

X2APIC_SELF_IPI_PAIR(x2apic_self_ipi, "", STI_NOP)
BODY_ROW(x2apic_self_ipi, .setup = x2apic_self_ipi_setup);

/* By the CPU's own number: WRMSR of ICR as for another CPU, a fastpath of KVM. */
static uint32_t own_id;

BODY bool x2apic_icr_setup(const struct abi_params *params)
{
	if (!x2apic_self_ipi_setup(params))
		return false;
	own_id = apic_x2_id();
	return true;
}

BODY_PAIR(x2apic_icr,
	  "mov %0, %%ecx\n\t"
	  "mov %1, %%eax\n\t"
	  "mov %2, %%edx",
	  "wrmsr\n\t" STI_NOP, ::"i"(X2APIC_ICR), "i"(APIC_ICR_FIXED | APIC_VECTOR),
	  "m"(own_id)
	  : "rax", "ecx", "edx", "cc", "memory")
BODY_ROW(x2apic_icr, .setup = x2apic_icr_setup);

/* The interrupt is pending when HLT halts. */
SELF_IPI_PAIR(self_ipi_hlt, "", STI_HLT)
BODY_ROW(self_ipi_hlt, .setup = self_ipi_setup, .halts = true);

X2APIC_SELF_IPI_PAIR(x2apic_self_ipi_hlt, "", STI_HLT)
BODY_ROW(x2apic_self_ipi_hlt, .setup = x2apic_self_ipi_setup, .halts = true);

/* Interrupts are enabled; the task priority masks the interrupt until CR8 is lowered. */
#define SELF_IPI_TPR_BEFORE RAISE_TPR "sti\n\t"
#define SELF_IPI_TPR_AFTER                                                               \
	LOWER_TPR                                                                        \
	"nop\n\t"                                                                        \
	"cli"

SELF_IPI_PAIR(self_ipi_tpr, SELF_IPI_TPR_BEFORE, SELF_IPI_TPR_AFTER)
BODY_ROW(self_ipi_tpr, .setup = self_ipi_setup);

X2APIC_SELF_IPI_PAIR(x2apic_self_ipi_tpr, SELF_IPI_TPR_BEFORE, SELF_IPI_TPR_AFTER)
BODY_ROW(x2apic_self_ipi_tpr, .setup = x2apic_self_ipi_setup);

/* Masked by the task priority and the interrupt flag: CR8 is lowered first, then STI. */
SELF_IPI_PAIR(self_ipi_tpr_sti, RAISE_TPR, LOWER_TPR STI_NOP)
BODY_ROW(self_ipi_tpr_sti, .setup = self_ipi_setup);

X2APIC_SELF_IPI_PAIR(x2apic_self_ipi_tpr_sti, RAISE_TPR, LOWER_TPR STI_NOP)
BODY_ROW(x2apic_self_ipi_tpr_sti, .setup = x2apic_self_ipi_setup);

/* Masked by both; pending when HLT halts. */
SELF_IPI_PAIR(self_ipi_tpr_hlt, RAISE_TPR, LOWER_TPR STI_HLT)
BODY_ROW(self_ipi_tpr_hlt, .setup = self_ipi_setup, .halts = true);

X2APIC_SELF_IPI_PAIR(x2apic_self_ipi_tpr_hlt, RAISE_TPR, LOWER_TPR STI_HLT)
BODY_ROW(x2apic_self_ipi_tpr_hlt, .setup = x2apic_self_ipi_setup, .halts = true);
