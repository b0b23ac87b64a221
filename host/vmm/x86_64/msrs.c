/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64: the model-specific registers of a vCPU, all that KVM lists. */
#include <stdio.h>
#include <stdlib.h>

#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/x86_64/regs_copy.h"

#define MSR_TSC		 0x10u
#define MSR_TSC_ADJUST	 0x3bu
#define MSR_TSC_DEADLINE 0x6e0u
#define MSR_HYPERV_FIRST 0x40000000u
#define MSR_HYPERV_LAST	 0x400001ffu
#define MSR_KVM_FIRST	 0x4b564d00u
#define MSR_KVM_LAST	 0x4b564dffu

static const struct {
	const char *name;
	uint32_t index;
} names[] = {
	{ "tsc", MSR_TSC },
	{ "apic_base_msr", 0x1b },
	{ "tsc_adjust", MSR_TSC_ADJUST },
	{ "spec_ctrl", 0x48 },
	{ "sysenter_cs", 0x174 },
	{ "sysenter_esp", 0x175 },
	{ "sysenter_eip", 0x176 },
	{ "mcg_status", 0x17a },
	{ "misc_enable", 0x1a0 },
	{ "debugctl", 0x1d9 },
	{ "pat", 0x277 },
	{ "fixed_ctr_ctrl", 0x38d },
	{ "perf_global_status", 0x38e },
	{ "perf_global_ctrl", 0x38f },
	{ "tsc_deadline", MSR_TSC_DEADLINE },
	{ "xss", 0xda0 },
	{ "star", 0xc0000081 },
	{ "lstar", 0xc0000082 },
	{ "cstar", 0xc0000083 },
	{ "sfmask", 0xc0000084 },
	{ "kernel_gs_base", 0xc0000102 },
	{ "tsc_aux", 0xc0000103 },
};

const char *msrs_name(uint32_t index)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].index == index)
			return names[i].name;
	return NULL;
}

bool msrs_number(const char *name, uint32_t *index)
{
	size_t i;
	char *end;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!regs_is_name(names[i].name, name))
			continue;
		*index = names[i].index;
		return true;
	}
	if (strncmp(name, "msr_0x", 6))
		return false;
	*index = (uint32_t)strtoul(name + 4, &end, 16);
	return !*end;
}

/* Clocks advance while the VMM has a copy: writing it would turn the clock back. */
static bool is_time(uint32_t index)
{
	return index == MSR_TSC || index == MSR_TSC_ADJUST || index == MSR_TSC_DEADLINE ||
	       (index >= MSR_KVM_FIRST && index <= MSR_KVM_LAST) || index == 0x11 ||
	       index == 0x12;
}

/* Hyper-V's interface is not in the guest's CPUID and has no state. */
static bool is_listed(uint32_t index)
{
	return index < MSR_HYPERV_FIRST || index > MSR_HYPERV_LAST;
}

/* Moves one MSR. */
struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

static int get_msr(struct vcpu *vcpu, struct kvm_msr_entry *entry)
{
	struct one_msr one = { .head.nmsrs = 1, .entry = *entry };
	int done = __kvm_ioctl_value(vcpu->fd, KVM_GET_MSRS, &one.head);

	*entry = one.entry;
	return done < 0 ? done : done == 1 ? 0 : -EINVAL;
}

static int set_msr(struct vcpu *vcpu, const struct kvm_msr_entry *entry)
{
	struct one_msr one = { .head.nmsrs = 1, .entry = *entry };
	int done = __kvm_ioctl_value(vcpu->fd, KVM_SET_MSRS, &one.head);

	return done < 0 ? done : done == 1 ? 0 : -EINVAL;
}

static int list_failed(struct vcpu *vcpu, int err)
{
	return error_set(vcpu->error, err ? err : -EIO, "KVM_GET_MSR_INDEX_LIST: %s",
			 strerror(-err));
}

int msrs_list(struct vcpu *vcpu)
{
	struct regs_copy *copy = vcpu->regs.copy;
	struct kvm_msr_list none = { .nmsrs = 0 }, *list;
	struct regs_msr *msrs;
	struct kvm_msrs *io;
	unsigned int i;
	int err;

	if (copy->msrs)
		return 0;
	/* Too small a list: the ioctl fails and sets the number of MSRs. */
	err = __kvm_ioctl(vcpu->vm->kvm_fd, KVM_GET_MSR_INDEX_LIST, &none);
	if (err != -E2BIG)
		return list_failed(vcpu, err);
	list = calloc(1, sizeof(*list) + none.nmsrs * sizeof(list->indices[0]));
	msrs = calloc(none.nmsrs, sizeof(msrs[0]));
	io = regs_alloc(sizeof(*io) + none.nmsrs * sizeof(io->entries[0]));
	if (!list || !msrs || !io) {
		err = error_set(vcpu->error, -ENOMEM, "out of memory");
		goto out;
	}
	list->nmsrs = none.nmsrs;
	err = __kvm_ioctl(vcpu->vm->kvm_fd, KVM_GET_MSR_INDEX_LIST, list);
	if (err) {
		err = list_failed(vcpu, err);
		goto out;
	}
	/* KVM lists MSRs that this vCPU may lack: only those that can be read count. */
	for (i = 0; i < list->nmsrs; i++) {
		struct regs_msr msr = { .entry.index = list->indices[i] };

		if (is_listed(msr.entry.index) && !get_msr(vcpu, &msr.entry))
			msrs[copy->n_msrs++] = msr;
	}
	copy->msrs = msrs;
	copy->msrs_io = io;
	msrs = NULL;
	io = NULL;
out:
	free(list);
	free(msrs);
	regs_release(io);
	return err;
}

struct regs_msr *msrs_find(const struct regs_copy *copy, uint32_t index)
{
	unsigned int i;

	for (i = 0; i < copy->n_msrs; i++)
		if (copy->msrs[i].entry.index == index)
			return &copy->msrs[i];
	return NULL;
}

/* All in one call. */
int msrs_pull(struct vcpu *vcpu)
{
	struct regs_copy *copy = vcpu->regs.copy;
	struct kvm_msrs *all;
	unsigned int i;
	int err = msrs_list(vcpu), got;

	if (err)
		return err;
	all = copy->msrs_io;
	all->nmsrs = copy->n_msrs;
	for (i = 0; i < copy->n_msrs; i++)
		all->entries[i].index = copy->msrs[i].entry.index;
	got = vcpu_ioctl_value(vcpu, KVM_GET_MSRS, all);
	if (got < 0)
		err = got;
	else if ((unsigned int)got < copy->n_msrs)
		err = error_set(vcpu->error, -EIO,
				"KVM_GET_MSRS: MSR 0x%x can no longer be read",
				copy->msrs[got].entry.index);
	for (i = 0; !err && i < copy->n_msrs; i++)
		copy->msrs[i].entry = all->entries[i];
	return err;
}

void msrs_poison(struct regs_copy *copy)
{
	unsigned int i;

	for (i = 0; i < copy->n_msrs; i++)
		memset(&copy->msrs_io->entries[i].data, REGS_POISON,
		       sizeof(copy->msrs_io->entries[i].data));
}

const struct regs_msr *msrs_unread(const struct regs_copy *copy)
{
	unsigned int i;

	for (i = 0; i < copy->n_msrs; i++)
		if (regs_is_poison(&copy->msrs[i].entry.data,
				   sizeof(copy->msrs[i].entry.data)))
			return &copy->msrs[i];
	return NULL;
}

static int push_all(struct vcpu *vcpu)
{
	struct regs_copy *copy = vcpu->regs.copy;
	struct kvm_msrs *all = copy->msrs_io;
	unsigned int i, first_bad;
	int done;

again:
	all->nmsrs = 0;
	for (i = 0; i < copy->n_msrs; i++)
		if (!copy->msrs[i].readonly && !is_time(copy->msrs[i].entry.index))
			all->entries[all->nmsrs++] = copy->msrs[i].entry;
	done = vcpu_ioctl_value(vcpu, KVM_SET_MSRS, all);
	if (done >= 0 && (unsigned int)done < all->nmsrs) {
		/* KVM stops at the first MSR that it refuses: omit that from now on. */
		first_bad = all->entries[done].index;
		msrs_find(copy, first_bad)->readonly = true;
		goto again;
	}
	return done < 0 ? done : 0;
}

int msrs_push(struct vcpu *vcpu)
{
	struct regs_copy *copy = vcpu->regs.copy;
	unsigned int i;
	int err;

	for (i = 0; i < copy->n_msrs; i++) {
		if (!copy->msrs[i].touched)
			continue;
		err = set_msr(vcpu, &copy->msrs[i].entry);
		if (err)
			return error_set(vcpu->error, err,
					 "KVM_SET_MSRS: KVM refuses 0x%llx in MSR 0x%x",
					 (unsigned long long)copy->msrs[i].entry.data,
					 copy->msrs[i].entry.index);
		copy->msrs[i].touched = false;
	}
	return vcpu->regs.policy == REGS_SYNC_ALWAYS && copy->msrs_io ? push_all(vcpu)
								      : 0;
}

/*
 * KVM treats a TSC write near the host's TSC as an attempt to synchronise and does not
 * set the value. The TSC's offset is exact (Linux 5.16;
 * Documentation/virt/kvm/devices/vcpu.rst, KVM_VCPU_TSC_CTRL).
 */
static int restore_tsc(struct vcpu *vcpu, uint64_t saved, uint64_t now)
{
	uint64_t offset = 0;
	int err = kvm_device_attr_get(vcpu->fd, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET,
				      &offset);

	offset += saved - now;
	return err ? err
		   : kvm_device_attr_set(vcpu->fd, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET,
					 &offset);
}

int msrs_restore(struct vcpu *vcpu, const struct kvm_msr_entry *saved)
{
	struct kvm_msr_entry now = { .index = saved->index };
	struct kvm_msr_entry entry = *saved;
	int err = get_msr(vcpu, &now);

	if (!err && now.data == saved->data)
		return 0;
	if (!err && saved->index == MSR_TSC && !restore_tsc(vcpu, saved->data, now.data))
		return 0;
	if (!err)
		err = set_msr(vcpu, &entry);
	if (err)
		return error_set(vcpu->error, err,
				 "KVM_SET_MSRS: KVM refuses 0x%llx in MSR 0x%x",
				 (unsigned long long)saved->data, saved->index);
	return 0;
}
