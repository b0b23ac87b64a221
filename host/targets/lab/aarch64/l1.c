/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine of L1: a serial port, the wire of L0's machine, registers of this program,
 * and memory as a boot loader leaves it (Documentation/arch/arm64/booting.rst).
 */
#include <errno.h>
#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/abi.h"
#include "host/targets/lab/l1.h"
#include "host/targets/lab/wire.h"
#include "host/vmm/memory.h"

/*
 * The seed by which L1's kernel moves its image (arch/arm64/kernel/pi/kaslr_early.c): to
 * other addresses than L0's, which `explain` distinguishes, and always to the same ones.
 * The lower 16 bits are those of the linear map, which stays where it is.
 */
#define KASLR_SEED 0x40000000u, 0u

/* A payload of L2 is a hypervisor in few rows; the mode would be a cost of the others. */
static const char *const omitted[] = { " nokaslr", " kvm-arm.mode=nested", NULL };

const struct lab_l1_words lab_l1_words = { .add = "", .trim = "", .omit = omitted };

#define PAGE_BYTES 0x1000u

/* The UART of Arm's Server Base System Architecture: a PL011 that needs no set-up. */
#define UART	   0x09000000u
#define UART_BYTES 0x1000u
#define UART_DATA  0x00
#define UART_FLAGS 0x18
#define FLAGS_IDLE 0x90 /* nothing received, all sent */

#define REGISTER(n) (LAB_L1_REGISTERS_GPA + sizeof(uint32_t) * (n))

static uint32_t read_device(const struct lab_l1 *l1, struct vcpu *vcpu, uint64_t address)
{
	switch (address) {
	case REGISTER(LAB_L1_EXITS):
		return (uint32_t)vcpu_kvm_stat(vcpu, STATISTIC_exits);
	case REGISTER(LAB_L1_PAUSE):
		return l1->in_time;
	case UART + UART_FLAGS:
		return FLAGS_IDLE;
	default:
		return 0;
	}
}

static void write_device(struct lab_l1 *l1, uint64_t address, const uint8_t *data)
{
	struct lab_wire wire = { .shared = l1->wire };
	uint8_t job[JOB_BYTES]; /* L1 reads it from the wire */

	switch (address) {
	case REGISTER(LAB_L1_PAUSE):
		l1->in_time = lab_shared_wait(l1->wire, job);
		break;
	case REGISTER(LAB_L1_SYMBOLS):
		l1->symbols(&wire, true);
		break;
	case UART + UART_DATA:
		lab_l1_print(l1, (char)*data);
		break;
	}
}

enum vm_answer lab_l1_access(void *ctx, struct vcpu *vcpu, const struct vm_access *access)
{
	struct lab_l1 *l1 = ctx;
	uint64_t value;

	if (access->is_write) {
		write_device(l1, access->address, access->data);
	} else {
		value = read_device(l1, vcpu, access->address);
		memcpy(access->data, &value, access->bytes);
	}
	return VM_ANSWERED;
}

/*
 * Writes to all memory. A page of zeros that L1 has only read is replaced when L1 writes
 * to it, and L0's KVM then unmaps all that L1's guests have, in steps of 1 GiB of 2^48
 * bytes of addresses (kvm_nested_s2_unmap()): more than 10^9 instructions.
 */
static int populate(struct vm *vm)
{
	static const uint8_t zero;
	int ret = 0;

	for (uint64_t at = 0; !ret && at < vm->ram_bytes; at += PAGE_BYTES)
		ret = vm_write(vm, vm->ram_gpa + at, &zero, sizeof(zero));
	return ret;
}

int lab_l1_attach(struct lab_l1 *l1)
{
	int ret = populate(&l1->vm);

	return ret ? ret
		   : slot_add_mapped(&l1->vm, LAB_L1_WIRE_GPA, l1->wire->memory,
				     l1->wire->bytes);
}

/* The header of an Image: numbers of 64 bits, little-endian. */
#define IMAGE_TEXT_OFFSET 8
#define IMAGE_BYTES	  16
#define IMAGE_HEADER	  64

/* What booting.rst wants the kernel and the tree to be aligned to. */
#define IMAGE_ALIGN 0x200000ull
#define TREE_BYTES  0x4000u

static uint64_t get_le64(const uint8_t *p)
{
	return lab_get_le32(p) | (uint64_t)lab_get_le32(p + 4) << 32;
}

/* A tree that libfdt writes from its first node to the last; `ret` is its first error. */
struct tree {
	void *fdt;
	int ret;
};

static void begin(struct tree *t, const char *node)
{
	t->ret = t->ret ? t->ret : fdt_begin_node(t->fdt, node);
}

static void end(struct tree *t)
{
	t->ret = t->ret ? t->ret : fdt_end_node(t->fdt);
}

static void text(struct tree *t, const char *name, const char *value)
{
	t->ret = t->ret ? t->ret : fdt_property_string(t->fdt, name, value);
}

/* `n` cells of 32 bits. */
static void cells(struct tree *t, const char *name, unsigned int n, ...)
{
	void *value;
	va_list ap;

	if (!t->ret)
		t->ret = fdt_property_placeholder(t->fdt, name,
						  (int)(n * sizeof(fdt32_t)), &value);
	va_start(ap, n);
	for (unsigned int i = 0; !t->ret && i < n; i++)
		fdt32_st((fdt32_t *)value + i, va_arg(ap, uint32_t));
	va_end(ap);
}

/* The interrupt controller, which all others refer to. */
#define GIC	   1u
#define GICD_BYTES 0x10000u
#define GICR_BYTES (VM_VCPUS_MAX * 0x20000u)

/* A private interrupt, by level: cells of "interrupts". */
#define PPI(n) 1u, (uint32_t)(n), 4u

/* As KVM numbers the interrupts of timers, counters, and of the GIC for a hypervisor. */
#define PPI_PMU	   7
#define PPI_GIC	   9
#define PPI_HYP	   10
#define PPI_VIRT   11
#define PPI_HYP_V  12
#define PPI_SECURE 13
#define PPI_PHYS   14

/* Addresses and sizes are two cells, as those of `chosen` are numbers of 64 bits. */
static void describe_machine(struct tree *t, const struct lab_preload *what,
			     uint64_t initramfs)
{
	const uint64_t initramfs_end = initramfs + what->initramfs_bytes;

	begin(t, "");
	text(t, "compatible", "linux,dummy-virt");
	cells(t, "#address-cells", 1, 2u);
	cells(t, "#size-cells", 1, 2u);
	cells(t, "interrupt-parent", 1, GIC);

	begin(t, "chosen");
	text(t, "bootargs", what->command_line);
	cells(t, "linux,initrd-start", 2, (uint32_t)(initramfs >> 32),
	      (uint32_t)initramfs);
	cells(t, "linux,initrd-end", 2, (uint32_t)(initramfs_end >> 32),
	      (uint32_t)initramfs_end);
	cells(t, "kaslr-seed", 2, KASLR_SEED);
	end(t);

	begin(t, "memory@40000000");
	text(t, "device_type", "memory");
	cells(t, "reg", 4, 0u, (uint32_t)ABI_AARCH64_RAM_GPA, 0u, what->memory_bytes);
	end(t);

	begin(t, "cpus");
	cells(t, "#address-cells", 1, 1u);
	cells(t, "#size-cells", 1, 0u);
	begin(t, "cpu@0");
	text(t, "device_type", "cpu");
	text(t, "compatible", "arm,armv8");
	text(t, "enable-method", "psci");
	cells(t, "reg", 1, 0u);
	end(t);
	end(t);

	/* HVC of a kernel at EL2 would be a call to itself. */
	begin(t, "psci");
	text(t, "compatible", "arm,psci-1.0");
	text(t, "method", "smc");
	end(t);

	begin(t, "timer");
	text(t, "compatible", "arm,armv8-timer");
	cells(t, "interrupts", 15, PPI(PPI_SECURE), PPI(PPI_PHYS), PPI(PPI_VIRT),
	      PPI(PPI_HYP), PPI(PPI_HYP_V));
	end(t);

	begin(t, "pmu");
	text(t, "compatible", "arm,armv8-pmuv3");
	cells(t, "interrupts", 3, PPI(PPI_PMU));
	end(t);

	begin(t, "interrupt-controller@8000000");
	text(t, "compatible", "arm,gic-v3");
	cells(t, "#interrupt-cells", 1, 3u);
	cells(t, "interrupt-controller", 0);
	cells(t, "phandle", 1, GIC);
	cells(t, "reg", 8, 0u, (uint32_t)ABI_AARCH64_GICD_GPA, 0u, GICD_BYTES, 0u,
	      (uint32_t)ABI_AARCH64_GICR_GPA, 0u, GICR_BYTES);
	cells(t, "interrupts", 3, PPI(PPI_GIC));
	end(t);

	begin(t, "uart@9000000");
	text(t, "compatible", "arm,sbsa-uart");
	cells(t, "reg", 4, 0u, UART, 0u, UART_BYTES);
	cells(t, "interrupts", 3, 0u, 0u, 4u);
	cells(t, "current-speed", 1, 115200u);
	end(t);

	end(t);
}

static int write_tree(void *fdt, const struct lab_preload *what, uint64_t initramfs)
{
	struct tree t = { .fdt = fdt, .ret = fdt_create(fdt, TREE_BYTES) };

	t.ret = t.ret ? t.ret : fdt_finish_reservemap(fdt);
	describe_machine(&t, what, initramfs);
	return t.ret ? t.ret : fdt_finish(fdt);
}

/* From the beginning of RAM: the kernel and what it uses before it looks, tree,
 * initramfs.
 */
int lab_l1_load(struct lab_l1 *l1, const struct lab_preload *what,
		struct linux_entry *entry)
{
	struct vm *vm = &l1->vm;
	uint64_t kernel = vm->ram_gpa, tree, initramfs;
	uint8_t fdt[TREE_BYTES] __attribute__((aligned(8)));
	int ret;

	if (what->kernel_bytes < IMAGE_HEADER || memcmp(what->kernel + 56, "ARM\x64", 4))
		return error_set(&vm->error, -ENOEXEC,
				 "the kernel of L1 is not an Image: unpack it");
	kernel += get_le64(what->kernel + IMAGE_TEXT_OFFSET);
	tree = kernel + get_le64(what->kernel + IMAGE_BYTES);
	tree += -tree % IMAGE_ALIGN;
	initramfs = tree + IMAGE_ALIGN;
	ret = write_tree(fdt, what, initramfs);
	if (ret)
		return error_set(&vm->error, -EFBIG, "the device tree of L1: %s",
				 fdt_strerror(ret));
	if (vm_write(vm, kernel, what->kernel, what->kernel_bytes) ||
	    vm_write(vm, tree, fdt, fdt_totalsize(fdt)) ||
	    vm_write(vm, initramfs, what->initramfs, what->initramfs_bytes))
		return error_set(&vm->error, -EFBIG,
				 "kernel and initramfs of L1 are too large");
	*entry = (struct linux_entry){ .entry = kernel, .params = tree };
	return 0;
}
