/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aarch64: what KVM needs to be told before and after a vCPU exists. */
#include <elf.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bench/abi.h"
#include "host/vmm/aarch64/device.h"
#include "host/vmm/aarch64/gic.h"
#include "host/vmm/arch.h"
#include "host/vmm/newer.h"

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

/* The guest-physical space: 40 bits unless the machine has fewer. */
unsigned long arch_vm_type(int kvm_fd)
{
	int bits = kvm_extension(kvm_fd, KVM_CAP_ARM_VM_IPA_SIZE);

	return bits && bits < 40 ? KVM_VM_TYPE_ARM_IPA_SIZE((unsigned long)bits) : 0;
}

int arch_vm_init(struct vm *vm)
{
	if (vm->config.irqchip == VM_IRQCHIP_SPLIT)
		return vm_fail(vm, -ENOTSUP, "a split irqchip is x86_64's alone");
	if (vm->config.counter_offset) {
		struct newer_counter_offset offset = {
			.counter_offset = vm->config.counter_offset,
		};

		if (ioctl(vm->fd, NEWER_ARM_SET_COUNTER_OFFSET, &offset))
			return vm_fail(vm, -errno, "KVM_ARM_SET_COUNTER_OFFSET: %m");
	}
	return 0;
}

static int pmu_init(struct vcpu *vcpu)
{
	int intid = PMU_INTID, err = 0;

	/* Only an in-kernel GIC can take the overflow interrupt. */
	if (vcpu->vm->config.irqchip != VM_IRQCHIP_USER)
		err = device_set_attr(vcpu->fd, KVM_ARM_VCPU_PMU_V3_CTRL,
				      KVM_ARM_VCPU_PMU_V3_IRQ, &intid);
	if (!err)
		err = device_set_attr(vcpu->fd, KVM_ARM_VCPU_PMU_V3_CTRL,
				      KVM_ARM_VCPU_PMU_V3_INIT, NULL);
	if (err)
		return vcpu_fail(vcpu, err, "KVM_ARM_VCPU_PMU_V3_CTRL: %s",
				 strerror(-err));
	return 0;
}

static int vcpu_init(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct kvm_vcpu_init init;

	if (ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init))
		return vm_fail(vm, -errno, "KVM_ARM_PREFERRED_TARGET: %m");
	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (vm->config.pmu)
		init.features[0] |= 1u << KVM_ARM_VCPU_PMU_V3;
	if (ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init))
		return vm_fail(vm, -errno, "KVM_ARM_VCPU_INIT: %m");
	return 0;
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

	if (ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg))
		return vcpu_fail(vcpu, -errno, "KVM_SET_ONE_REG 0x%llx: %m",
				 (unsigned long long)id);
	return 0;
}

static uint64_t get_reg(const struct vcpu *vcpu, uint64_t id)
{
	uint64_t value = 0;
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	/* Only for dumps: a register that cannot be read shows as all ones. */
	return ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg) ? ~0ull : value;
}

int arch_vcpu_reset(struct vcpu *vcpu, uint64_t entry)
{
	int err = set_reg(vcpu, CORE_REG(regs.pstate), PSTATE_EL1H_DAIF);

	if (!err && vcpu->index)
		err = set_reg(vcpu, CORE_REG(regs.regs[4]), ABI_SECONDARY | vcpu->index);
	return err ? err : set_reg(vcpu, CORE_REG(regs.pc), entry);
}

void arch_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

void arch_vcpu_dump(const struct vcpu *vcpu, char *text, size_t bytes)
{
	snprintf(text, bytes,
		 "pc 0x%llx sp_el1 0x%llx pstate 0x%llx x0 0x%llx x1 0x%llx x2 0x%llx "
		 "x30 0x%llx elr_el1 0x%llx",
		 (unsigned long long)get_reg(vcpu, CORE_REG(regs.pc)),
		 (unsigned long long)get_reg(vcpu, CORE_REG(sp_el1)),
		 (unsigned long long)get_reg(vcpu, CORE_REG(regs.pstate)),
		 (unsigned long long)get_reg(vcpu, CORE_REG(regs.regs[0])),
		 (unsigned long long)get_reg(vcpu, CORE_REG(regs.regs[1])),
		 (unsigned long long)get_reg(vcpu, CORE_REG(regs.regs[2])),
		 (unsigned long long)get_reg(vcpu, CORE_REG(regs.regs[30])),
		 (unsigned long long)get_reg(vcpu, CORE_REG(elr_el1)));
}
