/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which guest operations trap, and to whom, where the VMM can choose. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/lib/process.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/traps.h"

/* Function 12 is KVM_HC_MAP_GPA_RANGE of <linux/kvm_para.h>. */
#define MAP_GPA_RANGE (1u << 12)

#define DEVICE PASSTHROUGH_DEVICE

int traps_smccc_to_user(struct vm *vm, uint32_t function, uint32_t functions)
{
	const struct compat_smccc_filter filter = {
		.base = function,
		.nr_functions = functions,
		.action = COMPAT_SMCCC_FILTER_FWD_TO_USER,
	};
	int err;

	if (kvm_device_attr_has(vm->fd, COMPAT_ARM_VM_SMCCC_CTRL,
				COMPAT_ARM_VM_SMCCC_FILTER))
		return error_set(&vm->error, -ENOTSUP,
				 "this KVM has no KVM_ARM_VM_SMCCC_FILTER (Linux 6.4)");
	err = kvm_device_attr_set(vm->fd, COMPAT_ARM_VM_SMCCC_CTRL,
				  COMPAT_ARM_VM_SMCCC_FILTER, &filter);
	if (err)
		return error_set(&vm->error, err, "KVM_ARM_VM_SMCCC_FILTER 0x%x: %s",
				 function, strerror(-err));
	return 0;
}

int traps_nisv_to_user(struct vm *vm)
{
	if (!kvm_check_cap(vm->fd, KVM_CAP_ARM_NISV_TO_USER))
		return error_set(&vm->error, -ENOTSUP,
				 "this KVM has no KVM_CAP_ARM_NISV_TO_USER (Linux 5.5)");
	return vm_enable_cap(vm, KVM_CAP_ARM_NISV_TO_USER, 0);
}

int traps_msrs_to_user(struct vm *vm, const struct traps_msrs *ranges, size_t n)
{
	/* KVM reads whole longs of the bitmap. */
	static const uint64_t deny_all;
	struct compat_msr_filter filter = { .flags = 0 };
	size_t i;
	int err;

	if (!kvm_check_cap(vm->fd, KVM_CAP_X86_USER_SPACE_MSR) ||
	    !kvm_check_cap(vm->fd, KVM_CAP_X86_MSR_FILTER))
		return error_set(&vm->error, -ENOTSUP,
				 "this KVM has no MSR filters (Linux 5.10)");
	for (i = 0; i < n && i < COMPAT_MSR_FILTER_RANGES; i++) {
		filter.ranges[i].flags = COMPAT_MSR_FILTER_READ | COMPAT_MSR_FILTER_WRITE;
		filter.ranges[i].nmsrs = ranges[i].count;
		filter.ranges[i].base = ranges[i].first;
		filter.ranges[i].bitmap = (const uint8_t *)&deny_all;
	}
	err = vm_enable_cap(vm, KVM_CAP_X86_USER_SPACE_MSR, KVM_MSR_EXIT_REASON_FILTER);
	if (err)
		return err;
	err = __vm_ioctl(vm, COMPAT_X86_SET_MSR_FILTER, &filter);
	if (err)
		return error_set(&vm->error, err, "KVM_X86_SET_MSR_FILTER 0x%x: %s",
				 ranges[0].first, strerror(-err));
	return 0;
}

int traps_hypercalls_to_user(struct vm *vm)
{
	if (!((unsigned int)kvm_check_cap(vm->fd, KVM_CAP_EXIT_HYPERCALL) &
	      MAP_GPA_RANGE))
		return error_set(&vm->error, -ENOTSUP,
				 "this KVM has no KVM_CAP_EXIT_HYPERCALL (Linux 5.14)");
	return vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, MAP_GPA_RANGE);
}

int traps_bus_locks_to_user(struct vm *vm)
{
	if (!(kvm_check_cap(vm->fd, KVM_CAP_X86_BUS_LOCK_EXIT) &
	      KVM_BUS_LOCK_DETECTION_EXIT))
		return error_set(&vm->error, -ENOTSUP,
				 "this KVM or its CPU does not detect bus locks");
	return vm_enable_cap(vm, KVM_CAP_X86_BUS_LOCK_EXIT, KVM_BUS_LOCK_DETECTION_EXIT);
}

int traps_breakpoints_to_user(struct vm *vm)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP,
	};
	unsigned int i;
	int err = 0;

	if (!kvm_check_cap(vm->fd, KVM_CAP_SET_GUEST_DEBUG))
		return error_set(&vm->error, -ENOTSUP,
				 "this KVM has no KVM_SET_GUEST_DEBUG");
	for (i = 0; !err && i < vm->config.vcpus; i++)
		err = vcpu_ioctl(&vm->vcpus[i], KVM_SET_GUEST_DEBUG, &debug);
	return err;
}

static int module_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "", 0))
		err = -errno;
	close(fd);
	return err;
}

/* A module fits one kernel only, so the hint names the kernel's release. */
static int device_open(struct error *err)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	char script[PATH_MAX];
	struct utsname uts;

	if (fd >= 0)
		return fd;
	switch (errno) {
	case ENOENT:
		uname(&uts);
		process_own_script("kmod.sh", script);
		return error_set(
			err, -ENOENT,
			"no " DEVICE
			": the module of host/kmod is not loaded (build it: %s --release %s for a kernel of Debian, --tree DIR --output DIR for another)",
			script, uts.release);
	case EPERM:
	case EACCES:
		return error_set(err, -errno, DEVICE " needs root (CAP_SYS_ADMIN)");
	default:
		return error_set(err, -errno, "cannot open " DEVICE ": %m");
	}
}

int passthrough_available(int kvm_fd, struct error *err)
{
	const char *path = getenv(PASSTHROUGH_MODULE_VARIABLE);
	int fd;

	if (kvm_flavour(kvm_fd) == KVM_FLAVOUR_ARM64_PROTECTED)
		return error_set(
			err, -ENOTSUP,
			"protected KVM: EL2 decides what traps, and no module of the host's kernel can change it");
	if (path && access(DEVICE, F_OK)) {
		int load = module_load(path);

		if (load)
			return error_set(
				err, -ENOTSUP,
				"the kernel refuses the module of host/kmod: %s (the kernel's log has the reason)",
				strerror(-load));
	}
	fd = device_open(err);
	if (fd < 0)
		return -ENOTSUP;
	close(fd);
	return 0;
}

int passthrough_attach(struct vm *vm)
{
	const bool passthrough = vm->config.pmu_access == VM_PMU_PASSTHROUGH;
	struct ws_pmu_attach request = {
		.abi = WS_PMU_ABI,
		.flags = passthrough ? WS_PMU_PASSTHROUGH : 0,
		.vm_fd = vm->fd,
	};
	int err;

	if (vm->config.pmu_access == VM_PMU_EMULATED)
		return 0;
	vm->passthrough_fd = device_open(&vm->error);
	if (vm->passthrough_fd < 0)
		return vm->passthrough_fd;
	err = __kvm_ioctl(vm->passthrough_fd, WS_PMU_ATTACH, &request);
	if (err == -EBUSY && passthrough)
		return error_set(
			&vm->error, err,
			DEVICE
			": the counters are in use (by perf, the NMI watchdog or another VM: see the kernel's log)");
	if (err)
		return error_set(&vm->error, err, DEVICE ": WS_PMU_ATTACH: %s",
				 strerror(-err));
	return 0;
}
