/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * aarch64: setting up a VM and its vCPUs, the clock, which KVM this is, and the PMU as
 * far as user space can read it.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/klog.h>

#include "bench/abi.h"
#include "bench/mark.h"
#include "host/vmm/aarch64/gic.h"
#include "host/vmm/arch.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/pmu.h"
#include "host/vmm/timer.h"

const enum arch vmm_arch = ARCH_AARCH64;
const uint16_t vmm_elf_machine = EM_AARCH64;
const uint64_t vmm_ram_gpa = ABI_AARCH64_RAM_GPA;
const struct arch_doorbell arch_doorbell = { .address = ABI_AARCH64_DOORBELL_GPA };

/* PPI 7, where Arm's Base System Architecture puts the PMU. */
#define PMU_INTID 23

#define CORE_REG(field)                                                                  \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |                           \
	 (offsetof(struct kvm_regs, field) / sizeof(uint32_t)))

#define PSTATE_EL1H_DAIF 0x3c5ull
#define PSTATE_EL2H_DAIF 0x3c9ull

/* The size of guest-physical addresses: 40 bits unless the machine has fewer. */
unsigned long arch_vm_type(int kvm_fd)
{
	int bits = kvm_check_cap(kvm_fd, KVM_CAP_ARM_VM_IPA_SIZE);

	return bits && bits < 40 ? KVM_VM_TYPE_ARM_IPA_SIZE((unsigned long)bits) : 0;
}

int vm_nested_available(int kvm_fd, struct error *why)
{
	if (kvm_check_cap(kvm_fd, KVM_CAP_ARM_EL2))
		return 0;
	return error_set(
		why, -ENOTSUP,
		"this KVM offers its guests no EL2 (kvm-arm.mode=nested, Linux 6.16, FEAT_NV2)");
}

int arch_vm_init(struct vm *vm)
{
	if (vm->config.irqchip == VM_IRQCHIP_SPLIT)
		return error_set(&vm->error, -ENOTSUP,
				 "a split irqchip exists on x86_64 only");
	if (vm->config.counter_offset) {
		struct compat_counter_offset offset = {
			.counter_offset = vm->config.counter_offset,
		};
		int err = __vm_ioctl(vm, COMPAT_ARM_SET_COUNTER_OFFSET, &offset);

		if (err)
			return error_set(&vm->error, err,
					 "KVM_ARM_SET_COUNTER_OFFSET: %s",
					 strerror(-err));
	}
	return 0;
}

static int pmu_init(struct vcpu *vcpu)
{
	int intid = PMU_INTID, err = 0;

	/* The overflow interrupt needs the in-kernel GIC. */
	if (vcpu->vm->config.irqchip != VM_IRQCHIP_USER)
		err = kvm_device_attr_set(vcpu->fd, KVM_ARM_VCPU_PMU_V3_CTRL,
					  KVM_ARM_VCPU_PMU_V3_IRQ, &intid);
	if (!err)
		err = kvm_device_attr_set(vcpu->fd, KVM_ARM_VCPU_PMU_V3_CTRL,
					  KVM_ARM_VCPU_PMU_V3_INIT, NULL);
	if (err)
		return error_set(vcpu->error, err, "KVM_ARM_VCPU_PMU_V3_CTRL: %s",
				 strerror(-err));
	return 0;
}

static int vcpu_init(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct kvm_vcpu_init init;
	int err;

	err = vm_ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init);
	if (err)
		return err;
	init.features[0] |= settings_features(&vm->config);
	if (vm->config.pmu)
		init.features[0] |= 1u << KVM_ARM_VCPU_PMU_V3;
	if (vm->config.nested)
		init.features[0] |= 1u << KVM_ARM_VCPU_HAS_EL2;
	if (vm->config.secondaries_off && vcpu->index)
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	return vcpu_ioctl(vcpu, KVM_ARM_VCPU_INIT, &init);
}

/* All vCPUs, then the GIC, then what needs the GIC's interrupts. */
int arch_vm_finish(struct vm *vm)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < vm->config.vcpus; i++)
		err = vcpu_init(&vm->vcpus[i]);
	if (!err && vm->config.irqchip != VM_IRQCHIP_USER)
		err = gic_create(vm);
	for (i = 0; !err && vm->config.pmu && i < vm->config.vcpus; i++)
		err = pmu_init(&vm->vcpus[i]);
	return err;
}

static int set_reg(struct vcpu *vcpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return vcpu_ioctl_on(vcpu, KVM_SET_ONE_REG, &reg, "0x%llx",
			     (unsigned long long)id);
}

/* All ones if the register cannot be read: for dumps. */
static uint64_t get_reg(const struct vcpu *vcpu, uint64_t id)
{
	uint64_t value = 0;
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return __vcpu_ioctl(vcpu, KVM_GET_ONE_REG, &reg) ? ~0ull : value;
}

/* Arm ARM, D8.3.1: tables; blocks as in guest/aarch64/boot.S. */
#define TABLE	     0x3ull
#define BLOCK	     (0x1ull | 1ull << 10)
#define BLOCK_DEVICE (BLOCK | 3ull << 53)
#define BLOCK_RAM    (BLOCK | 3ull << 8 | 1ull << 2)

/*
 * Level 1, and level 2 of RAM and slot. RAM is at the addresses of the first window, and
 * also at its own, where the MMU is switched on.
 */
void arch_window_tables(const struct vm *vm, unsigned int index, uint64_t slot_bytes,
			uint64_t *tables)
{
	const uint32_t blocks = ABI_RAM_BYTES / ARCH_BLOCK_BYTES;
	const uint64_t ram = vm->ram_gpa + index * ABI_RAM_BYTES;
	const uint64_t gpa = ram + ABI_TABLES_OFFSET;
	uint64_t *level1 = tables, *level2 = tables + ARCH_TABLE_ENTRIES;
	uint64_t *slot = level2 + ARCH_TABLE_ENTRIES;

	level1[0] = BLOCK_DEVICE;
	level1[vm->ram_gpa >> 30] = (gpa + 0x1000) | TABLE;
	level1[ABI_SLOT_GPA >> 30] = (gpa + 0x2000) | TABLE;
	for (uint32_t i = 0; i < blocks; i++)
		level2[i] = level2[index * blocks + i] =
			(ram + i * ARCH_BLOCK_BYTES) | BLOCK_RAM;
	for (uint32_t i = 0; i < ARCH_TABLE_ENTRIES && i < slot_bytes / ARCH_BLOCK_BYTES;
	     i++)
		slot[i] = (ABI_SLOT_GPA + index * slot_bytes + i * ARCH_BLOCK_BYTES) |
			  BLOCK_RAM;
}

int arch_vcpu_reset(struct vcpu *vcpu, uint64_t entry)
{
	int err = set_reg(vcpu, CORE_REG(regs.pstate),
			  vcpu->vm->config.nested ? PSTATE_EL2H_DAIF : PSTATE_EL1H_DAIF);

	if (!err && vcpu->index)
		err = set_reg(vcpu, CORE_REG(regs.regs[4]), arch_mark(vcpu));
	if (vcpu->vm->config.windows)
		entry += vcpu->index * ABI_RAM_BYTES;
	return err ? err : set_reg(vcpu, CORE_REG(regs.pc), entry);
}

void arch_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

void vcpu_dump(const struct vcpu *vcpu, char *text, size_t bytes)
{
	snprintf(
		text, bytes,
		"pc 0x%llx sp_el1 0x%llx pstate 0x%llx x0 0x%llx x1 0x%llx x2 0x%llx x30 0x%llx elr_el1 0x%llx",
		(unsigned long long)get_reg(vcpu, CORE_REG(regs.pc)),
		(unsigned long long)get_reg(vcpu, CORE_REG(sp_el1)),
		(unsigned long long)get_reg(vcpu, CORE_REG(regs.pstate)),
		(unsigned long long)get_reg(vcpu, CORE_REG(regs.regs[0])),
		(unsigned long long)get_reg(vcpu, CORE_REG(regs.regs[1])),
		(unsigned long long)get_reg(vcpu, CORE_REG(regs.regs[2])),
		(unsigned long long)get_reg(vcpu, CORE_REG(regs.regs[30])),
		(unsigned long long)get_reg(vcpu, CORE_REG(elr_el1)));
}

/*
 * EL0 may always read CNTVCT_EL0, and Linux runs hosts with CNTVOFF_EL2 = 0 (with VHE
 * the offset does not apply to EL2 and its EL0 at all).
 */
#define CLOCK_READER(name, mark)                                                         \
	uint64_t name(void)                                                              \
	{                                                                                \
		uint64_t ticks;                                                          \
                                                                                         \
		__asm__ volatile("isb\n\t" mark "mrs %0, cntvct_el0\n\t"                 \
				 "isb"                                                   \
				 : "=r"(ticks)                                           \
				 :                                                       \
				 : "memory");                                            \
		return ticks;                                                            \
	}
CLOCK_READER(clock_now, MARK_SHARED)
CLOCK_READER(clock_run, MARK_RUN)
CLOCK_READER(clock_ran, MARK_RAN)
CLOCK_READER(clock_glance, "")

int clock_guest_offset(const struct vcpu *vcpu, uint64_t *offset)
{
	(void)vcpu;
	*offset = 0;
	return 0;
}

/*
 * Which of arm64's four KVMs this is. No interface reports it; the kernel logs it when
 * KVM is initialized (arch/arm64/kvm/arm.c).
 */

/* linux/syslog.h is not a UAPI header. */
#define SYSLOG_ACTION_READ_ALL	  3
#define SYSLOG_ACTION_SIZE_BUFFER 10

static const struct {
	const char *line;
	enum kvm_flavour flavour;
} lines[] = {
	{ "Protected nVHE mode initialized", KVM_FLAVOUR_ARM64_PROTECTED },
	{ "Protected hVHE mode initialized", KVM_FLAVOUR_ARM64_PROTECTED },
	{ "Hyp mode initialized", KVM_FLAVOUR_ARM64_NVHE },
	{ "Hyp nVHE mode initialized", KVM_FLAVOUR_ARM64_NVHE },
	{ "hVHE mode initialized", KVM_FLAVOUR_ARM64_NVHE },
	{ "VHE+NV2 mode initialized", KVM_FLAVOUR_ARM64_NESTED },
	/* Last: the others contain it. */
	{ "VHE mode initialized", KVM_FLAVOUR_ARM64_VHE },
};

static enum kvm_flavour logged_flavour(void)
{
	enum kvm_flavour flavour = KVM_FLAVOUR_ARM64;
	int size = klogctl(SYSLOG_ACTION_SIZE_BUFFER, NULL, 0), got;
	char *log;
	size_t i;

	if (size <= 0)
		return flavour;
	log = calloc(1, (size_t)size + 1);
	if (!log)
		return flavour;
	got = klogctl(SYSLOG_ACTION_READ_ALL, log, size);
	for (i = 0; got > 0 && i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (strstr(log, lines[i].line)) {
			flavour = lines[i].flavour;
			break;
		}
	}
	free(log);
	return flavour;
}

/* Read once: a log takes half a million instructions. */
enum kvm_flavour kvm_flavour(int kvm_fd)
{
	static _Atomic enum kvm_flavour known = KVM_FLAVOUR_UNKNOWN;

	(void)kvm_fd;
	if (known == KVM_FLAVOUR_UNKNOWN)
		known = logged_flavour();
	return known;
}

void pmu_readings_host(struct pmu_reading *r)
{
	r[PMU_ID_AA64DFR0] = (struct pmu_reading){
		/* Documentation/arm64/cpu-feature-registers.rst */
		.note = "the kernel hides PMUVer from user space",
	};
	r[PMU_PMCR] = (struct pmu_reading){ .note = "user space cannot read it" };
	r[PMU_KVM_ARM_PMU_V3] = (struct pmu_reading){ .known = false };
	pmu_readings_sysfs("", r);
}

void pmu_readings_kvm(int kvm_fd, struct pmu_reading *r)
{
	unsigned int i;

	for (i = 0; i < PMU_READINGS_ON_AARCH64; i++)
		r[i] = (struct pmu_reading){
			.note = "KVM reports it to its guests only"
		};
	r[PMU_KVM_ARM_PMU_V3] = (struct pmu_reading){
		.known = true,
		.value = (uint64_t)kvm_check_cap(kvm_fd, KVM_CAP_ARM_PMU_V3),
	};
}
