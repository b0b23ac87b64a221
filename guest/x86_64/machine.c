/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PC of a payload: exceptions, the doorbell, the power-off. */
#include <stdbool.h>

#include "guest/runtime.h"
#include "guest/x86_64/machine.h"

#define VECTORS	   256
#define EXCEPTIONS 32

/* The registers that boot.S pushes before it calls machine_vector(). */
struct frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error_code;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* Interrupt gate descriptor (Intel SDM 3A, 6.14.1). */
struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

/* The boot CPU fills the IDT; the other CPUs wait. */
static struct gate idt[VECTORS];
static bool idt_ready;

/* boot.S: stubs of VECTOR_STUB_BYTES each, and its code segment. */
extern const char vector_stubs[];
#define VECTOR_STUB_BYTES 16
#define CODE_SELECTOR	  8
#define INTERRUPT_GATE	  0x8e

void machine_vector(struct frame *frame);
void machine_secondary(uint32_t index) __attribute__((noreturn));

static void set_gate(uint8_t vector, uint64_t entry)
{
	idt[vector] = (struct gate){
		.offset_low = (uint16_t)entry,
		.offset_middle = (uint16_t)(entry >> 16),
		.offset_high = (uint32_t)(entry >> 32),
		.selector = CODE_SELECTOR,
		.type = INTERRUPT_GATE,
	};
}

static void load_idt(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (uint64_t)idt };

	__asm__ volatile("lidt %0" ::"m"(idtr));
}

void machine_handler(uint8_t vector, machine_interrupt *handler)
{
	set_gate(vector, (uint64_t)handler);
}

void machine_init(const struct abi_params *params)
{
	uint32_t i;

	(void)params;
	for (i = 0; i < EXCEPTIONS; i++)
		set_gate((uint8_t)i, (uint64_t)vector_stubs + i * VECTOR_STUB_BYTES);
	load_idt();
	__atomic_store_n(&idt_ready, true, __ATOMIC_RELEASE);
}

/* Called by boot.S on the other CPUs. */
void machine_secondary(uint32_t index)
{
	while (!__atomic_load_n(&idt_ready, __ATOMIC_ACQUIRE))
		__asm__ volatile("pause");
	load_idt();
	runtime_secondary(index);
}

void machine_vector(struct frame *frame)
{
	struct abi_fault fault = {
		.vector = frame->vector,
		.syndrome = frame->error_code,
		.pc = frame->rip,
	};

	__asm__ volatile("mov %%cr2, %0" : "=r"(fault.address));
	frame->rip = runtime_fault(&fault);
}

void machine_doorbell(uint32_t value)
{
	doorbell_write(value);
}

/* On a bare machine: QEMU's isa-debug-exit device; Bochs' port. */
void machine_off(void)
{
	static const char word[] = ABI_X86_64_BOCHS_OFF_WORD;
	const char *from = word;
	uint64_t bytes = sizeof(word) - 1;

	__asm__ volatile("outl %0, %1" ::"a"(0), "d"((uint16_t)ABI_X86_64_OFF_PORT));
	__asm__ volatile("rep outsb"
			 : "+S"(from), "+c"(bytes)
			 : "d"((uint16_t)ABI_X86_64_BOCHS_OFF_PORT)
			 : "memory");
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* Not PAUSE: pause-loop exiting would exit. */
void machine_relax(void)
{
	__asm__ volatile("" ::: "memory");
}

/* Here, on the page of the code of the boot: first_exit needs no further one. */
void interrupt_allow(void)
{
	__asm__ volatile("sti" ::: "memory");
}

void machine_park(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}
