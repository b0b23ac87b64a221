/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building and destroying a VM. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/abi.h"
#include "host/vmm/arch.h"
#include "host/vmm/dirty_ring.h"
#include "host/vmm/kick.h"
#include "host/vmm/passthrough.h"
#include "host/vmm/pmu_msrs.h"
#include "host/vmm/regs.h"
#include "host/vmm/stats.h"

int vm_fail(struct vm *vm, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(vm->error, sizeof(vm->error), fmt, args);
	va_end(args);
	return err;
}

int vcpu_fail(struct vcpu *vcpu, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(vcpu->error, VM_ERROR_BYTES, fmt, args);
	va_end(args);
	return err;
}

static int add_memory(struct vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = vm->ram_gpa,
		.memory_size = vm->ram_bytes,
	};

	vm->ram = mmap(NULL, vm->ram_bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->ram == MAP_FAILED) {
		vm->ram = NULL;
		return vm_fail(vm, -errno, "cannot map %llu bytes of guest memory: %m",
			       (unsigned long long)vm->ram_bytes);
	}
	region.userspace_addr = (uintptr_t)vm->ram;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		return vm_fail(vm, -errno, "KVM_SET_USER_MEMORY_REGION: %m");
	return 0;
}

static int create_vcpu(struct vm *vm, unsigned int index)
{
	struct vcpu *vcpu = &vm->vcpus[index];
	int bytes, err;

	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0)
		return vm_fail(vm, -errno, "KVM_CREATE_VCPU: %m");
	bytes = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (bytes < (int)sizeof(struct kvm_run))
		return vm_fail(vm, -EINVAL, "KVM_GET_VCPU_MMAP_SIZE answers %d", bytes);
	vcpu->run = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		return vm_fail(vm, -errno, "cannot map the vCPU's run page: %m");
	}
	vcpu->run_bytes = bytes;
	stats_fd_open(vcpu->fd, &vcpu->kvm_stats);
	err = dirty_ring_map(vcpu);
	return err ? err : kick_init(vcpu);
}

int vm_create(struct vm *vm, int kvm_fd, const struct vm_config *config,
	      const struct vm_listener *listener)
{
	unsigned int i;
	int err;

	*vm = (struct vm){
		.kvm_fd = kvm_fd,
		.irqchip_fd = -1,
		.its_fd = -1,
		.passthrough_fd = -1,
		.config = *config,
		.ram_gpa = vmm_ram_gpa,
		.ram_bytes = ABI_RAM_BYTES,
		.listener = *listener,
		.ring_lock = PTHREAD_MUTEX_INITIALIZER,
		.dirty_lock = PTHREAD_MUTEX_INITIALIZER,
	};
	for (i = 0; i < VM_VCPUS_MAX; i++)
		vm->vcpus[i] = (struct vcpu){
			.vm = vm,
			.index = i,
			.fd = -1,
			.kvm_stats.fd = -1,
			.answer_fd = -1,
			.error = vm->error,
			.dump = &vm->dump,
		};
	vm->fd = ioctl(kvm_fd, KVM_CREATE_VM, arch_vm_type(kvm_fd));
	if (vm->fd < 0)
		return vm_fail(vm, -errno, "KVM_CREATE_VM: %m");
	err = add_memory(vm);
	if (!err)
		err = arch_vm_init(vm);
	if (!err)
		err = dirty_ring_enable(vm);
	for (i = 0; !err && i < config->vcpus; i++)
		err = create_vcpu(vm, i);
	/* Apart, because a GIC wants to know of all vCPUs before any is set up. */
	if (!err)
		err = arch_vm_finish(vm);
	if (!err)
		err = passthrough_attach(vm);
	for (i = 0; !err && i < config->vcpus; i++)
		err = regs_init(&vm->vcpus[i]);
	if (!err && config->pmc_msr_user)
		err = pmu_msrs_take(vm);
	return err;
}

static void destroy_vcpu(struct vcpu *vcpu)
{
	regs_free(vcpu);
	free(vcpu->pmu_msrs);
	stats_fd_close(&vcpu->kvm_stats);
	dirty_ring_unmap(vcpu);
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_bytes);
	if (vcpu->answer_fd >= 0)
		close(vcpu->answer_fd);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
}

void vm_destroy(struct vm *vm)
{
	unsigned int i;

	vm->ring = NULL; /* in the boot CPU's run mapping */
	for (i = 0; i < VM_VCPUS_MAX; i++)
		destroy_vcpu(&vm->vcpus[i]);
	if (vm->its_fd >= 0)
		close(vm->its_fd);
	if (vm->irqchip_fd >= 0)
		close(vm->irqchip_fd);
	if (vm->passthrough_fd >= 0)
		close(vm->passthrough_fd);
	if (vm->fd >= 0)
		close(vm->fd);
	for (i = 0; i < vm->eventfds; i++)
		close(vm->eventfd[i]);
	for (i = 0; i < vm->slots; i++)
		munmap(vm->slot[i].hva, vm->slot[i].bytes);
	vm->eventfds = vm->slots = 0;
	free(vm->dump);
	vm->dump = NULL;
	if (vm->ram)
		munmap(vm->ram, vm->ram_bytes);
}
