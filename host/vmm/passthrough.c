/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PMU registers without a trap on KVM/arm64, by the module in host/kmod. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/kmod/worldswitch_pmu.h"
#include "host/vmm/passthrough.h"

#define DEVICE "/dev/" WS_PMU_DEVICE

static int device_open(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
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

/* 0, or -errno with `why` if the kernel refuses it. */
static int module_want(char *why, size_t why_bytes)
{
	const char *path = getenv(PASSTHROUGH_MODULE_VARIABLE);
	int err;

	if (!path || !access(DEVICE, F_OK))
		return 0;
	err = module_load(path);
	if (err)
		snprintf(why, why_bytes,
			 "the kernel refuses the module of host/kmod: %s (its log says "
			 "why)",
			 strerror(-err));
	return err;
}

/* The module is one kernel's alone, so the way to it names that kernel. */
static void explain(int err, char *why, size_t why_bytes)
{
	struct utsname uts;

	uname(&uts);
	if (err == -ENOENT)
		snprintf(why, why_bytes,
			 "there is no " DEVICE ": the module of host/kmod is not loaded; "
			 "build it for this kernel: scripts/kmod.sh --release %s",
			 uts.release);
	else if (err == -EPERM || err == -EACCES)
		snprintf(why, why_bytes, DEVICE " is for root (CAP_SYS_ADMIN) alone");
	else
		snprintf(why, why_bytes, "cannot open " DEVICE ": %s", strerror(-err));
}

int passthrough_available(int kvm_fd, char *why, size_t why_bytes)
{
	int fd;

	if (kvm_flavour(kvm_fd) == KVM_FLAVOUR_ARM64_PROTECTED) {
		snprintf(why, why_bytes,
			 "protected KVM: what traps is decided at EL2, where no module "
			 "of the host's kernel reaches");
		return -ENOTSUP;
	}
	if (module_want(why, why_bytes))
		return -ENOTSUP;
	fd = device_open();
	if (fd < 0) {
		explain(fd, why, why_bytes);
		return -ENOTSUP;
	}
	close(fd);
	return 0;
}

int passthrough_attach(struct vm *vm)
{
	struct ws_pmu_attach request = {
		.abi = WS_PMU_ABI,
		.flags = vm->config.pmu_access == VM_PMU_PASSTHROUGH ? WS_PMU_PASSTHROUGH
								     : 0,
		.vm_fd = vm->fd,
	};

	if (vm->config.pmu_access == VM_PMU_EMULATED)
		return 0;
	vm->passthrough_fd = device_open();
	if (vm->passthrough_fd < 0) {
		explain(vm->passthrough_fd, vm->error, sizeof(vm->error));
		return vm->passthrough_fd;
	}
	if (!ioctl(vm->passthrough_fd, WS_PMU_ATTACH, &request))
		return 0;
	if (errno == EBUSY && request.flags & WS_PMU_PASSTHROUGH)
		return vm_fail(vm, -EBUSY,
			       DEVICE ": the counters are in use (by perf, the NMI "
				      "watchdog or another VM: see the kernel's log)");
	return vm_fail(vm, -errno, DEVICE ": WS_PMU_ATTACH: %m");
}
