/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/kvm, its capabilities and its implementation; creating, resetting and destroying a
 * VM; spacer VMs.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/abi.h"
#include "host/vmm/arch.h"
#include "host/vmm/counters.h"
#include "host/vmm/exits.h"
#include "host/vmm/traps.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/memory.h"
#include "host/vmm/pmu.h"
#include "host/vmm/regs.h"

int kvm_open(struct error *err)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), version;

	if (fd < 0) {
		switch (errno) {
		case ENOENT:
			return error_set(
				err, -ENOENT,
				"no /dev/kvm: KVM is not loaded or not available");
		case EACCES:
			return error_set(
				err, -EACCES,
				"no permission for /dev/kvm: run as root or join its group");
		default:
			return error_set(err, -errno, "cannot open /dev/kvm: %m");
		}
	}
	version = __kvm_ioctl_value(fd, KVM_GET_API_VERSION, KVM_NONE);
	if (version == KVM_API_VERSION)
		return fd;
	close(fd);
	return error_set(err, -ENOTSUP, "/dev/kvm has API version %d, not %d", version,
			 KVM_API_VERSION);
}

int kvm_try_vm(int kvm_fd)
{
	int vm =
		__kvm_ioctl_value(kvm_fd, KVM_CREATE_VM, KVM_VALUE(arch_vm_type(kvm_fd)));

	if (vm < 0)
		return vm;
	close(vm);
	return 0;
}

static int spare[KVM_SPARE_VMS];
static unsigned int n_spare;

void kvm_spare_vms_create(int kvm_fd)
{
	while (n_spare < KVM_SPARE_VMS) {
		const int vm = __kvm_ioctl_value(kvm_fd, KVM_CREATE_VM,
						 KVM_VALUE(arch_vm_type(kvm_fd)));

		if (vm < 0)
			break;
		spare[n_spare++] = vm;
	}
}

void kvm_spare_vms_destroy(void)
{
	while (n_spare)
		close(spare[--n_spare]);
}

static int new_vm(int kvm_fd, bool sw_protected)
{
	if (sw_protected)
		return __kvm_ioctl_value(kvm_fd, KVM_CREATE_VM,
					 KVM_VALUE(COMPAT_X86_SW_PROTECTED_VM));
	if (n_spare)
		return spare[--n_spare];
	return __kvm_ioctl_value(kvm_fd, KVM_CREATE_VM, KVM_VALUE(arch_vm_type(kvm_fd)));
}

/* Without the capability: api.rst, KVM_CREATE_VCPU. */
unsigned int kvm_vcpus_max(int kvm_fd)
{
	int n = kvm_check_cap(kvm_fd, KVM_CAP_MAX_VCPUS);

	if (n <= 0)
		n = kvm_check_cap(kvm_fd, KVM_CAP_NR_VCPUS);
	return n > 0 ? (unsigned int)n : VM_VCPUS_OWN;
}

/* KVM_GET_TSC_KHZ is an ioctl of a vCPU. */
uint64_t kvm_tsc_hz(int kvm_fd)
{
	int vm, vcpu, khz = 0;

	if (!kvm_check_cap(kvm_fd, KVM_CAP_GET_TSC_KHZ))
		return 0;
	vm = __kvm_ioctl_value(kvm_fd, KVM_CREATE_VM, KVM_VALUE(arch_vm_type(kvm_fd)));
	if (vm < 0)
		return 0;
	vcpu = __kvm_ioctl_value(vm, KVM_CREATE_VCPU, KVM_VALUE(0));
	if (vcpu >= 0) {
		khz = __kvm_ioctl_value(vcpu, KVM_GET_TSC_KHZ, KVM_NONE);
		close(vcpu);
	}
	close(vm);
	return khz > 0 ? (uint64_t)khz * 1000 : 0;
}

const char *kvm_flavour_name(enum kvm_flavour flavour)
{
	static const char *const names[] = {
		[KVM_FLAVOUR_VMX] = "VMX",
		[KVM_FLAVOUR_SVM] = "SVM",
		[KVM_FLAVOUR_ARM64] = "arm64",
		[KVM_FLAVOUR_ARM64_VHE] = "arm64 VHE",
		[KVM_FLAVOUR_ARM64_NESTED] = "arm64 VHE, nested",
		[KVM_FLAVOUR_ARM64_NVHE] = "arm64 nVHE",
		[KVM_FLAVOUR_ARM64_PROTECTED] = "arm64 protected",
		[KVM_FLAVOUR_SOFTWARE] = "software",
		[KVM_FLAVOUR_UNKNOWN] = "unknown",
	};

	return names[flavour];
}

bool kvm_flavour_is_hardware(enum kvm_flavour flavour)
{
	return flavour != KVM_FLAVOUR_SOFTWARE && flavour != KVM_FLAVOUR_UNKNOWN;
}

void spacer_open(struct spacer *s, uint32_t n)
{
	int kvm = n ? open("/dev/kvm", O_RDWR | O_CLOEXEC) : -1;

	for (uint32_t i = 0; i < SPACERS_MAX; i++) {
		int vm = i < n && kvm >= 0
				 ? __kvm_ioctl_value(kvm, KVM_CREATE_VM, KVM_VALUE(0))
				 : -1;

		/*
		 * A vCPU without an in-kernel APIC would enable more code in every exit
		 * of all VMs (kvm_has_noapic_vcpu). On arm64 the request fails.
		 */
		if (vm >= 0)
			(void)__kvm_ioctl(vm, KVM_CREATE_IRQCHIP, KVM_NONE);
		s->fds[2 * i] = vm;
		s->fds[2 * i + 1] =
			vm >= 0 ? __kvm_ioctl_value(vm, KVM_CREATE_VCPU, KVM_VALUE(0))
				: -1;
	}
	if (kvm >= 0)
		close(kvm);
}

void spacer_close(struct spacer *s)
{
	for (uint32_t i = 0; i < 2 * SPACERS_MAX; i++)
		if (s->fds[2 * SPACERS_MAX - 1 - i] >= 0)
			close(s->fds[2 * SPACERS_MAX - 1 - i]);
}

/* Aligned to huge pages, which KVM then maps as such: memory of a VM for Linux. */
static uint8_t *map_huge(uint64_t bytes)
{
	const uint64_t unit = 2u << 20;
	uint8_t *all = mmap(NULL, bytes + unit, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t before;

	if (all == MAP_FAILED)
		return MAP_FAILED;
	before = -(uintptr_t)all % unit;
	if (before)
		munmap(all, before);
	munmap(all + before + bytes, unit - before);
	/* A kernel without huge pages refuses. */
	(void)madvise(all + before, bytes, MADV_HUGEPAGE);
	return all + before;
}

static int add_memory(struct vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = vm->ram_gpa,
		.memory_size = vm->ram_bytes,
	};

	vm->ram = vm->config.ram_bytes && !vm->config.windows
			  ? map_huge(vm->ram_bytes)
			  : mmap(NULL, vm->ram_bytes, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->ram == MAP_FAILED) {
		vm->ram = NULL;
		return error_set(&vm->error, -errno,
				 "cannot map %llu bytes of guest memory: %m",
				 (unsigned long long)vm->ram_bytes);
	}
	region.userspace_addr = (uintptr_t)vm->ram;
	return vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

static int create_vcpu(struct vm *vm, unsigned int index)
{
	struct vcpu *vcpu = &vm->vcpus[index];
	int bytes, err;

	vcpu->fd = vm_ioctl_value_on(vm, KVM_CREATE_VCPU, KVM_VALUE(index), "%u", index);
	/* KVM reserves the host's counters for a mediated vPMU (Linux 7.0). */
	if (vcpu->fd == -EBUSY && vmm_arch == ARCH_X86_64 && !vm->config.pmu_off)
		return error_set(
			&vm->error, -ENOTSUP,
			"KVM_CREATE_VCPU: the host's counters are in use, such as by the NMI watchdog (nmi_watchdog=0 on the host)");
	if (vcpu->fd < 0)
		return vcpu->fd;
	bytes = __kvm_ioctl_value(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, KVM_NONE);
	if (bytes < (int)sizeof(struct kvm_run))
		return error_set(&vm->error, -EINVAL,
				 "KVM_GET_VCPU_MMAP_SIZE returned %d", bytes);
	vcpu->run = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		return error_set(&vm->error, -errno,
				 "cannot map the vCPU's run page: %m");
	}
	vcpu->run_bytes = bytes;
	err = dirty_ring_map(vcpu);
	return err ? err : kick_init(vcpu);
}

/* More vCPUs than `own`. */
static int add_vcpus(struct vm *vm)
{
	vm->vcpus = calloc(vm->config.vcpus, sizeof(*vm->vcpus));
	if (!vm->vcpus) {
		vm->vcpus = vm->own;
		vm->config.vcpus = 0;
		return error_set(&vm->error, -ENOMEM, "out of memory");
	}
	for (unsigned int i = 0; i < vm->config.vcpus; i++) {
		vm->vcpus[i] = vm->own[0];
		vm->vcpus[i].index = i;
	}
	return 0;
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
		.ram_bytes = config->ram_bytes ? config->ram_bytes : ABI_RAM_BYTES,
		.listener = *listener,
		.ring_lock = PTHREAD_MUTEX_INITIALIZER,
		.dirty_lock = PTHREAD_MUTEX_INITIALIZER,
	};
	vm->vcpus = vm->own;
	for (i = 0; i < VM_VCPUS_OWN; i++)
		vm->own[i] = (struct vcpu){
			.vm = vm,
			.index = i,
			.fd = -1,
			.answer_fd = -1,
			.error = &vm->error,
			.dump = &vm->dump,
		};
	if (config->sw_protected &&
	    !(kvm_check_cap(kvm_fd, KVM_CAP_VM_TYPES) & 1 << COMPAT_X86_SW_PROTECTED_VM))
		return error_set(
			&vm->error, -ENOTSUP,
			"this KVM has no VMs of type KVM_X86_SW_PROTECTED_VM (Linux 6.8 with CONFIG_KVM_SW_PROTECTED_VM)");
	vm->fd = new_vm(kvm_fd, config->sw_protected);
	if (vm->fd < 0)
		return error_set(&vm->error, vm->fd, "KVM_CREATE_VM: %s",
				 strerror(-vm->fd));
	err = add_memory(vm);
	if (!err && config->vcpus > VM_VCPUS_OWN)
		err = add_vcpus(vm);
	if (!err)
		err = settings_early(vm);
	if (!err)
		err = arch_vm_init(vm);
	if (!err)
		err = dirty_ring_enable(vm);
	for (i = 0; !err && i < config->vcpus; i++)
		err = create_vcpu(vm, i);
	/* A GIC is created after all vCPUs. */
	if (!err)
		err = arch_vm_finish(vm);
	if (!err)
		err = settings_late(vm);
	if (!err)
		err = passthrough_attach(vm);
	for (i = 0; !err && i < config->vcpus; i++)
		err = regs_init(&vm->vcpus[i]);
	if (!err && config->pmc_msr_user)
		err = pmu_msrs_init(vm);
	return err;
}

int vm_reset(struct vm *vm, uint64_t entry)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < vm->config.vcpus; i++) {
		err = regs_push(&vm->vcpus[i]);
		if (!err)
			err = arch_vcpu_reset(&vm->vcpus[i], entry);
		regs_forget(&vm->vcpus[i]);
	}
	return err;
}

static void destroy_vcpu(struct vcpu *vcpu)
{
	regs_free(vcpu);
	free(vcpu->pmu_msrs);
	vcpu_kvm_stats_close(vcpu);
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
	const unsigned int n = vm->vcpus == vm->own ? VM_VCPUS_OWN : vm->config.vcpus;
	unsigned int i;

	vm->ring = NULL; /* part of the boot CPU's run pages */
	for (i = 0; i < n; i++)
		destroy_vcpu(&vm->vcpus[i]);
	if (vm->vcpus != vm->own)
		free(vm->vcpus);
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
	for (i = 0; i < vm->slots; i++) {
		munmap(vm->slot[i].hva, vm->slot[i].bytes);
		if (vm->guest_memfd[i])
			close(vm->guest_memfd[i]);
	}
	vm->eventfds = vm->slots = 0;
	free(vm->dump);
	vm->dump = NULL;
	if (vm->ram)
		munmap(vm->ram, vm->ram_bytes);
}
