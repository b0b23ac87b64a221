/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64: the model-specific registers of a vCPU, all that KVM lists. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

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
		if (strcmp(names[i].name, name))
			continue;
		*index = names[i].index;
		return true;
	}
	if (strncmp(name, "msr_0x", 6))
		return false;
	*index = (uint32_t)strtoul(name + 4, &end, 16);
	return !*end;
}

/* Time goes on while we hold a copy: writing it back would turn the clock back. */
static bool is_time(uint32_t index)
{
	return index == MSR_TSC || index == MSR_TSC_ADJUST || index == MSR_TSC_DEADLINE ||
	       (index >= MSR_KVM_FIRST && index <= MSR_KVM_LAST) || index == 0x11 ||
	       index == 0x12;
}

/* Our guests are not told of Hyper-V's interface, so it has no state. */
static bool is_listed(uint32_t index)
{
	return index < MSR_HYPERV_FIRST || index > MSR_HYPERV_LAST;
}

static int msr_io(struct vcpu *vcpu, unsigned long request, struct kvm_msr_entry *entry)
{
	union {
		struct kvm_msrs head;
		uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
	} one = { .head.nmsrs = 1 };
	int done;

	memcpy(one.head.entries, entry, sizeof(*entry));
	done = ioctl(vcpu->fd, request, &one);
	memcpy(entry, one.head.entries, sizeof(*entry));
	return done < 0 ? -errno : done == 1 ? 0 : -EINVAL;
}

int msrs_list(struct vcpu *vcpu)
{
	struct regs_copy *copy = vcpu->regs.copy;
	struct kvm_msr_list none = { .nmsrs = 0 }, *list;
	unsigned int i;

	if (copy->msrs)
		return 0;
	/* Too small on purpose: it answers with the number. */
	if (!ioctl(vcpu->vm->kvm_fd, KVM_GET_MSR_INDEX_LIST, &none) || errno != E2BIG)
		return vcpu_fail(vcpu, -errno, "KVM_GET_MSR_INDEX_LIST: %m");
	list = calloc(1, sizeof(*list) + none.nmsrs * sizeof(list->indices[0]));
	copy->msrs = calloc(none.nmsrs, sizeof(copy->msrs[0]));
	if (!list || !copy->msrs) {
		free(list);
		return vcpu_fail(vcpu, -ENOMEM, "out of memory");
	}
	list->nmsrs = none.nmsrs;
	if (ioctl(vcpu->vm->kvm_fd, KVM_GET_MSR_INDEX_LIST, list)) {
		free(list);
		return vcpu_fail(vcpu, -errno, "KVM_GET_MSR_INDEX_LIST: %m");
	}
	/* KVM lists what some CPU has; which of them this vCPU has, reading tells. */
	for (i = 0; i < list->nmsrs; i++) {
		struct regs_msr msr = { .entry.index = list->indices[i] };

		if (is_listed(msr.entry.index) && !msr_io(vcpu, KVM_GET_MSRS, &msr.entry))
			copy->msrs[copy->n_msrs++] = msr;
	}
	free(list);
	return 0;
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
	all = calloc(1, sizeof(*all) + copy->n_msrs * sizeof(all->entries[0]));
	if (!all)
		return vcpu_fail(vcpu, -ENOMEM, "out of memory");
	all->nmsrs = copy->n_msrs;
	for (i = 0; i < copy->n_msrs; i++)
		all->entries[i].index = copy->msrs[i].entry.index;
	got = ioctl(vcpu->fd, KVM_GET_MSRS, all);
	if (got < 0)
		err = vcpu_fail(vcpu, -errno, "KVM_GET_MSRS: %m");
	else if ((unsigned int)got < copy->n_msrs)
		err = vcpu_fail(vcpu, -EIO, "MSR 0x%x could be read, and now it cannot",
				copy->msrs[got].entry.index);
	for (i = 0; !err && i < copy->n_msrs; i++)
		copy->msrs[i].entry = all->entries[i];
	free(all);
	return err;
}

static int push_all(struct vcpu *vcpu)
{
	struct regs_copy *copy = vcpu->regs.copy;
	struct kvm_msrs *all;
	unsigned int i, first_bad;
	int done;

	all = calloc(1, sizeof(*all) + copy->n_msrs * sizeof(all->entries[0]));
	if (!all)
		return vcpu_fail(vcpu, -ENOMEM, "out of memory");
again:
	all->nmsrs = 0;
	for (i = 0; i < copy->n_msrs; i++)
		if (!copy->msrs[i].readonly && !is_time(copy->msrs[i].entry.index))
			all->entries[all->nmsrs++] = copy->msrs[i].entry;
	done = ioctl(vcpu->fd, KVM_SET_MSRS, all);
	if (done >= 0 && (unsigned int)done < all->nmsrs) {
		/* KVM stops at the first that it refuses: leave that out from now on. */
		first_bad = all->entries[done].index;
		msrs_find(copy, first_bad)->readonly = true;
		goto again;
	}
	free(all);
	return done < 0 ? vcpu_fail(vcpu, -errno, "KVM_SET_MSRS: %m") : 0;
}

int msrs_push(struct vcpu *vcpu)
{
	struct regs_copy *copy = vcpu->regs.copy;
	unsigned int i;
	int err;

	for (i = 0; i < copy->n_msrs; i++) {
		if (!copy->msrs[i].touched)
			continue;
		err = msr_io(vcpu, KVM_SET_MSRS, &copy->msrs[i].entry);
		if (err)
			return vcpu_fail(vcpu, err, "KVM refuses 0x%llx in MSR 0x%x",
					 (unsigned long long)copy->msrs[i].entry.data,
					 copy->msrs[i].entry.index);
		copy->msrs[i].touched = false;
	}
	return vcpu->regs.policy == REGS_SYNC_ALWAYS ? push_all(vcpu) : 0;
}

/*
 * KVM takes a TSC that is near the host's for an attempt to synchronise, and does not
 * set it. Its offset is exact (Linux 5.16; devices/vcpu.rst, KVM_VCPU_TSC_CTRL).
 */
static int restore_tsc(struct vcpu *vcpu, uint64_t saved, uint64_t now)
{
	uint64_t offset = 0;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};

	if (ioctl(vcpu->fd, KVM_GET_DEVICE_ATTR, &attr))
		return -errno;
	offset += saved - now;
	return ioctl(vcpu->fd, KVM_SET_DEVICE_ATTR, &attr) ? -errno : 0;
}

int msrs_restore(struct vcpu *vcpu, const struct kvm_msr_entry *saved)
{
	struct kvm_msr_entry now = { .index = saved->index };
	struct kvm_msr_entry entry = *saved;
	int err = msr_io(vcpu, KVM_GET_MSRS, &now);

	if (!err && now.data == saved->data)
		return 0;
	if (!err && saved->index == MSR_TSC && !restore_tsc(vcpu, saved->data, now.data))
		return 0;
	if (!err)
		err = msr_io(vcpu, KVM_SET_MSRS, &entry);
	if (err)
		return vcpu_fail(vcpu, err, "KVM refuses 0x%llx in MSR 0x%x",
				 (unsigned long long)saved->data, saved->index);
	return 0;
}
