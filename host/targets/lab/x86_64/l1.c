/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PC of L1: a serial port, the relay, and its memory as a boot loader leaves it. */
#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/targets/lab/l1.h"
#include "host/targets/lab/preload.h"
#include "host/targets/lab/wire.h"
#include "host/vmm/io.h"

static const char *const omitted[] = { NULL };

/*
 * The kernel resets by a triple fault: it would wait for a keyboard controller. It would
 * also wait a second for an RTC, in a loop that is a third of the instructions of the
 * boot.
 */
const struct lab_l1_words lab_l1_words = {
	.add = " reboot=t",
	.trim = " initcall_blacklist=add_rtc_cmos",
	.omit = omitted,
};

#define UART	 0x3f8
#define UART_IRQ 4

/* Registers of a 16450: without FIFOs, always ready to send, nothing to receive. */
enum { UART_DATA, UART_IER, UART_IIR, UART_LCR, UART_MCR, UART_LSR, UART_MSR };
#define IER_THRI      0x02
#define IIR_NONE      0x01
#define IIR_THRI      0x02
#define LCR_DLAB      0x80
#define LSR_EMPTY     0x60
#define MSR_CONNECTED 0xb0

static uint8_t uart_read(const struct lab_l1 *l1, unsigned int reg)
{
	switch (reg) {
	case UART_IIR:
		return l1->uart[UART_IER] & IER_THRI ? IIR_THRI : IIR_NONE;
	case UART_LSR:
		return LSR_EMPTY;
	case UART_MSR:
		return MSR_CONNECTED;
	default:
		return l1->uart[reg];
	}
}

/* The register for received bytes reads as 0. */
static void uart_write(struct lab_l1 *l1, unsigned int reg, uint8_t value)
{
	const bool divisor = l1->uart[UART_LCR] & LCR_DLAB;

	if (reg == UART_DATA && !divisor)
		lab_l1_print(l1, (char)value);
	else if (reg > UART_IER || !divisor)
		l1->uart[reg] = value;
	if (reg <= UART_IER && !divisor && l1->uart[UART_IER] & IER_THRI) {
		(void)irq_set_line(&l1->vm, UART_IRQ, true);
		(void)irq_set_line(&l1->vm, UART_IRQ, false);
	}
}

static void relay(struct lab_l1 *l1, uint32_t word)
{
	struct lab_wire wire = { .shared = l1->wire };

	if (word == LAB_L1_READY)
		(void)lab_port_write((const uint8_t *)LAB_PORT_READY,
				     LAB_PORT_READY_BYTES);
	else if (word == LAB_L1_SEND_SYMBOLS)
		l1->symbols(&wire, true);
	else if (word <= sizeof(l1->buffer) &&
		 !vm_read(&l1->vm, LAB_L1_BUFFER_GPA, l1->buffer, word))
		(void)lab_port_write(l1->buffer, word);
}

enum vm_answer lab_l1_access(void *ctx, struct vcpu *vcpu, const struct vm_access *access)
{
	struct lab_l1 *l1 = ctx;
	uint32_t word;

	if (!access->is_pio)
		return VM_ANSWERED;
	if (access->address >= UART && access->address < UART + 8 && access->bytes == 1) {
		if (access->is_write)
			uart_write(l1, access->address - UART, *access->data);
		else
			*access->data = uart_read(l1, access->address - UART);
	} else if (access->address == LAB_L1_PORT && access->bytes == 4) {
		memcpy(&word, access->data, sizeof(word));
		if (access->is_write)
			relay(l1, word);
		else
			word = (uint32_t)vcpu_kvm_stat(vcpu, STATISTIC_exits);
		memcpy(access->data, &word, sizeof(word));
	}
	return VM_ANSWERED;
}

/* The ports need no set-up. */
int lab_l1_attach(struct lab_l1 *l1)
{
	(void)l1;
	return 0;
}

#define CPUID_1_ECX_VMX (1u << 5)

/*
 * A table of L1's CPU, with which its timer is that of the local APIC. Without, it is the
 * PIT, whose interrupts KVM on VMX loses where they arrive while it emulates an entry of
 * L1 (Linux 7.3: vmx_check_nested_events() acknowledges them, and returns -EBUSY). SVM
 * needs none.
 */
static int write_tables(struct lab_l1 *l1)
{
	uint8_t page[PRELOAD_ROM_BYTES] = { 0 };
	unsigned int eax, ebx, ecx = 0, edx;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & CPUID_1_ECX_VMX))
		return 0;
	lab_preload_cpus(page, 1);
	return vm_write(&l1->vm, PRELOAD_ROM_BELOW_1_MIB, page, sizeof(page));
}

/* Kernel, initramfs and command line, as preload.c lays out a machine's memory. */
int lab_l1_load(struct lab_l1 *l1, const struct lab_preload *what,
		struct linux_entry *entry)
{
	struct error *err = &l1->vm.error;
	const uint8_t *image = MAP_FAILED;
	int fd = lab_preload(what, err), ret = 0;
	struct stat st;

	if (fd < 0)
		return fd;
	if (!fstat(fd, &st))
		image = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (image == MAP_FAILED)
		ret = error_set(err, -errno, "cannot map the memory of L1: %m");
	close(fd);
	if (ret)
		return ret;
	*entry = (struct linux_entry){
		.entry = lab_get_le32(image + PRELOAD_AT_ENTRY),
		.params = lab_get_le32(image + PRELOAD_AT_PARAMS),
		.tables = lab_get_le32(image + PRELOAD_AT_TABLES),
	};
	if (write_tables(l1) || vm_write(&l1->vm, PRELOAD_BASE, image, st.st_size))
		ret = error_set(err, -EFBIG, "kernel and initramfs of L1 are too large");
	munmap((void *)(uintptr_t)image, st.st_size);
	return ret;
}
