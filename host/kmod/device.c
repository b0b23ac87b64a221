/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/worldswitch-pmu: lets chosen VMs reach the PMU's registers without a trap.
 *
 * FOR MEASUREMENT MACHINES. Such a guest has the machine's counters, which count its own
 * instructions and, if it likes, the host's and other guests': it sees into them.
 * Meanwhile neither perf nor another guest's vPMU has counters. Off unless asked for, per
 * VM, by root alone.
 */
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/kvm_arm.h>
#include <asm/virt.h>

#include "counters.h"
#include "hook.h"
#include "worldswitch_pmu.h"

/* What an open file has. */
struct holder {
	struct mutex lock;
	struct kvm *kvm; /* with a reference; NULL: none yet */
	bool passthrough;
};

/* A reference to the VM behind a descriptor, or NULL. */
static struct kvm *vm_get(int fd)
{
	struct file *file = fget(fd);
	struct kvm *kvm = NULL;

	if (file && hook_is_vm(file)) {
		kvm = file->private_data;
		kvm_get_kvm(kvm);
	}
	if (file)
		fput(file);
	return kvm;
}

static int attach(struct holder *h, const struct ws_pmu_attach *request)
{
	bool passthrough = request->flags & WS_PMU_PASSTHROUGH;
	struct kvm *kvm;
	int err;

	if (h->kvm)
		return -EBUSY;
	kvm = vm_get(request->vm_fd);
	if (!kvm)
		return -EINVAL;
	err = passthrough ? counters_reserve() : 0;
	if (err)
		goto put;
	err = hook_attach(kvm, passthrough ? MDCR_EL2_TPM | MDCR_EL2_TPMCR : 0);
	if (err)
		goto release;
	h->kvm = kvm;
	h->passthrough = passthrough;
	return 0;
release:
	if (passthrough)
		counters_release();
put:
	kvm_put_kvm(kvm);
	return err;
}

static long device_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct holder *h = file->private_data;
	struct ws_pmu_attach request;
	int err;

	if (command != WS_PMU_ATTACH)
		return -ENOTTY;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&request, (void __user *)argument, sizeof(request)))
		return -EFAULT;
	if (request.abi != WS_PMU_ABI || request.flags & ~WS_PMU_FLAGS ||
	    request.reserved)
		return -EINVAL;
	mutex_lock(&h->lock);
	err = attach(h, &request);
	mutex_unlock(&h->lock);
	return err;
}

static int device_open(struct inode *inode, struct file *file)
{
	struct holder *h;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	h = kzalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		return -ENOMEM;
	mutex_init(&h->lock);
	file->private_data = h;
	return 0;
}

/* Also when its process dies: whatever else happens, this does. */
static int device_release(struct inode *inode, struct file *file)
{
	struct holder *h = file->private_data;

	if (h->kvm) {
		hook_detach(h->kvm);
		if (h->passthrough)
			counters_release();
		kvm_put_kvm(h->kvm);
	}
	kfree(h);
	return 0;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE, /* no unloading while a file is open */
	.open = device_open,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = WS_PMU_DEVICE,
	.fops = &device_fops,
	.mode = 0600,
};

static int __init device_init(void)
{
	int err;

	if (is_protected_kvm_enabled()) {
		pr_err(WS_PMU_MODULE
		       ": KVM is protected: EL2 keeps MDCR_EL2 to itself\n");
		return -EOPNOTSUPP;
	}
	if (!counters_present()) {
		pr_err(WS_PMU_MODULE ": this machine has no PMU of version 3\n");
		return -EOPNOTSUPP;
	}
	err = hook_init();
	if (err)
		return err;
	err = counters_init();
	if (err) {
		pr_err(WS_PMU_MODULE ": cannot watch CPU hotplug: %d\n", err);
		return err;
	}
	err = misc_register(&device);
	if (err) {
		pr_err(WS_PMU_MODULE ": cannot make /dev/" WS_PMU_DEVICE ": %d\n", err);
		counters_exit();
	}
	return err;
}

static void __exit device_exit(void)
{
	misc_deregister(&device);
	counters_exit();
}

module_init(device_init);
module_exit(device_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KVM/arm64: PMU registers pass through for chosen VMs");
