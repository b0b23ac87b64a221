/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64: moving register groups between KVM's ioctls, its run page and the copy. */
#include <stdio.h>
#include <stdlib.h>

#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/checkpoint.h"
#include "host/vmm/x86_64/regs_copy.h"

const unsigned int regs_groups = REGS_GROUPS;
const uint32_t regs_groups_synced = 1u << REGS_GENERAL | 1u << REGS_SPECIAL |
				    1u << REGS_XCRS | 1u << REGS_FPU | 1u << REGS_DEBUG |
				    1u << REGS_MSRS;

/* Groups that KVM moves as one struct: the ioctls, whose argument is at `offset`. */
static const struct {
	const char *name;
	unsigned long get, set;
	size_t offset, bytes;
	long cap; /* 0: always present */
} groups[REGS_GROUPS] = {
#define GROUP(what, member, cap)                                                         \
	{                                                                                \
#what, KVM_GET_##what, KVM_SET_##what,                                   \
			offsetof(struct regs_copy, member),                              \
			sizeof(((struct regs_copy *)0)->member), cap                     \
	}
	[REGS_GENERAL] = GROUP(REGS, regs, 0),
	[REGS_SPECIAL] = GROUP(SREGS, sregs, 0),
	[REGS_XCRS] = GROUP(XCRS, xcrs, KVM_CAP_XCRS),
	[REGS_FPU] = GROUP(FPU, fpu, 0),
	[REGS_DEBUG] = GROUP(DEBUGREGS, debugregs, KVM_CAP_DEBUGREGS),
	[REGS_LAPIC] = GROUP(LAPIC, lapic, 0),
	[REGS_MP] = GROUP(MP_STATE, mp, KVM_CAP_MP_STATE),
	[REGS_EVENTS] = GROUP(VCPU_EVENTS, events, KVM_CAP_VCPU_EVENTS),
};

static bool present(const struct vcpu *vcpu, unsigned int group)
{
	return vcpu->regs.copy->present >> group & 1;
}

static bool is_present(const struct vcpu *vcpu, unsigned int group)
{
	if (group == REGS_LAPIC)
		return vcpu->vm->config.irqchip != VM_IRQCHIP_USER;
	if (group == REGS_MSRS)
		return true;
	return !groups[group].cap || kvm_check_cap(vcpu->vm->fd, groups[group].cap);
}

int regs_arch_init(struct vcpu *vcpu)
{
	const int fd = vcpu->vm->fd;
	struct regs_copy *copy = regs_alloc(sizeof(*copy));
	int bytes = kvm_check_cap(fd, KVM_CAP_XSAVE2);
	unsigned int group;

	if (!copy)
		return error_set(vcpu->error, -ENOMEM, "out of memory");
	vcpu->regs.copy = copy;
	for (group = 0; group < REGS_GROUPS; group++)
		if (is_present(vcpu, group))
			copy->present |= 1u << group;
	copy->xsave2 = bytes > 0;
	if (!copy->xsave2 && !kvm_check_cap(fd, KVM_CAP_XSAVE))
		return 0;
	copy->xsave_bytes = copy->xsave2 ? (size_t)bytes : XSAVE_BYTES;
	copy->xsave = regs_alloc(copy->xsave_bytes);
	return copy->xsave ? 0 : error_set(vcpu->error, -ENOMEM, "out of memory");
}

void regs_arch_free(struct vcpu *vcpu)
{
	regs_release(vcpu->regs.copy->xsave);
	free(vcpu->regs.copy->msrs);
	regs_release(vcpu->regs.copy->msrs_io);
	regs_release(vcpu->regs.copy);
}

int regs_arch_sync_run_init(struct vcpu *vcpu)
{
	const uint64_t wanted =
		KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS;

	if (((uint64_t)kvm_check_cap(vcpu->vm->fd, KVM_CAP_SYNC_REGS) & wanted) != wanted)
		return error_set(vcpu->error, -ENOTSUP,
				 "this KVM has no KVM_CAP_SYNC_REGS");
	vcpu->run->kvm_valid_regs = wanted;
	return 0;
}

/* Where the run page has a group; NULL: it does not. */
static void *in_run_page(struct vcpu *vcpu, unsigned int group, uint64_t *bit)
{
	switch (group) {
	case REGS_GENERAL:
		*bit = KVM_SYNC_X86_REGS;
		return &vcpu->run->s.regs.regs;
	case REGS_SPECIAL:
		*bit = KVM_SYNC_X86_SREGS;
		return &vcpu->run->s.regs.sregs;
	case REGS_EVENTS:
		*bit = KVM_SYNC_X86_EVENTS;
		return &vcpu->run->s.regs.events;
	default:
		return NULL;
	}
}

static int group_io(struct vcpu *vcpu, unsigned int group, bool set)
{
	struct regs_copy *copy = vcpu->regs.copy;
	unsigned long request = set ? groups[group].set : groups[group].get;
	void *at = (uint8_t *)copy + groups[group].offset;

	if (group == REGS_FPU && copy->xsave) {
		at = copy->xsave;
		request = set ? KVM_SET_XSAVE : KVM_GET_XSAVE;
		if (!set && copy->xsave2)
			request = KVM_GET_XSAVE2;
	}
	if (ioctl(vcpu->fd, request, at))
		return error_set(vcpu->error, -errno, "KVM_%s_%s: %m",
				 set ? "SET" : "GET", groups[group].name);
	return 0;
}

int regs_arch_pull(struct vcpu *vcpu, unsigned int group)
{
	void *page;
	uint64_t bit;

	if (!present(vcpu, group))
		return 0;
	if (group == REGS_MSRS)
		return msrs_pull(vcpu);
	page = in_run_page(vcpu, group, &bit);
	if (!page || !(vcpu->regs.in_page >> group & 1))
		return group_io(vcpu, group, false);
	memcpy((uint8_t *)vcpu->regs.copy + groups[group].offset, page,
	       groups[group].bytes);
	return 0;
}

int regs_arch_pull_one(struct vcpu *vcpu, const struct regs_place *place)
{
	(void)vcpu;
	(void)place;
	return -EOPNOTSUPP;
}

int regs_arch_push(struct vcpu *vcpu, unsigned int group)
{
	void *page;
	uint64_t bit;

	if (!present(vcpu, group))
		return 0;
	if (group == REGS_MSRS)
		return msrs_push(vcpu);
	/* Without an in-kernel LAPIC, KVM sets CR8 from the run page at each entry. */
	if (group == REGS_SPECIAL)
		vcpu->run->cr8 = vcpu->regs.copy->sregs.cr8;
	page = in_run_page(vcpu, group, &bit);
	if (!page || vcpu->regs.policy != REGS_SYNC_RUN)
		return group_io(vcpu, group, true);
	memcpy(page, (uint8_t *)vcpu->regs.copy + groups[group].offset,
	       groups[group].bytes);
	vcpu->run->kvm_dirty_regs |= bit;
	return 0;
}

/* Where the copy has a group that KVM moves as one struct. */
static void *copied_group(const struct vcpu *vcpu, unsigned int group, size_t *bytes)
{
	struct regs_copy *copy = vcpu->regs.copy;

	if (group == REGS_FPU && copy->xsave) {
		*bytes = copy->xsave_bytes;
		return copy->xsave;
	}
	*bytes = groups[group].bytes;
	return (uint8_t *)copy + groups[group].offset;
}

void regs_arch_poison(struct vcpu *vcpu)
{
	unsigned int group;
	size_t bytes;
	void *at;

	for (group = 0; group < REGS_GROUPS; group++) {
		if (!present(vcpu, group) || group == REGS_MSRS)
			continue;
		at = copied_group(vcpu, group, &bytes);
		memset(at, REGS_POISON, bytes);
	}
	msrs_poison(vcpu->regs.copy);
}

bool regs_arch_unread(const struct vcpu *vcpu, char *name, size_t bytes)
{
	const struct regs_msr *msr = msrs_unread(vcpu->regs.copy);
	unsigned int group;
	const void *at;
	size_t size;

	for (group = 0; group < REGS_GROUPS; group++) {
		if (!present(vcpu, group) || group == REGS_MSRS)
			continue;
		at = copied_group(vcpu, group, &size);
		if (!regs_is_poison(at, size))
			continue;
		snprintf(name, bytes, "a group of registers (KVM_GET_%s)",
			 groups[group].name);
		return true;
	}
	if (msr)
		snprintf(name, bytes, "MSR 0x%x (KVM_GET_MSRS)", msr->entry.index);
	return msr;
}

/* Saved state: a record per group, and one per MSR. */
#define RECORD_MSR 0x100000000ull

int regs_arch_save(struct vcpu *vcpu, FILE *out)
{
	const struct regs_copy *copy = vcpu->regs.copy;
	unsigned int group, i;
	size_t bytes;
	int err = 0;

	for (group = 0; !err && group < REGS_GROUPS; group++) {
		const void *from;

		if (!present(vcpu, group) || group == REGS_MSRS)
			continue;
		from = copied_group(vcpu, group, &bytes);
		err = record_write(out, group, from, bytes);
	}
	for (i = 0; !err && i < copy->n_msrs; i++)
		err = record_write(out, RECORD_MSR | copy->msrs[i].entry.index,
				   &copy->msrs[i].entry.data,
				   sizeof(copy->msrs[i].entry.data));
	return err ? error_set(vcpu->error, err, "out of memory") : 0;
}

static int refuse(struct vcpu *vcpu, const char *what, uint64_t id)
{
	return error_set(vcpu->error, -EINVAL,
			 "the saved registers do not fit: %s (0x%llx)", what,
			 (unsigned long long)id);
}

static int restore_group(struct vcpu *vcpu, uint64_t id, const uint8_t *data,
			 size_t bytes, bool put)
{
	size_t expected;
	void *to;

	if (id >= REGS_GROUPS || id == REGS_MSRS || !present(vcpu, (unsigned int)id))
		return refuse(vcpu, "this vCPU has no such group", id);
	to = copied_group(vcpu, (unsigned int)id, &expected);
	if (bytes != expected)
		return refuse(vcpu, "a group of another size", id);
	if (!put)
		return 0;
	memcpy(to, data, bytes);
	if (id == REGS_SPECIAL)
		vcpu->run->cr8 = vcpu->regs.copy->sregs.cr8;
	return group_io(vcpu, (unsigned int)id, true);
}

/*
 * In the order of the groups, which KVM needs: modes first, the LAPIC before the TSC
 * deadline, pending events last.
 */
static int restore_msrs(struct vcpu *vcpu, const uint8_t *state, size_t bytes, bool put)
{
	struct record record;
	const uint8_t *data;
	int err = 0;

	while (!err && (data = record_next(&state, &bytes, &record))) {
		struct kvm_msr_entry entry = { .index = (uint32_t)record.id };

		if (!(record.id & RECORD_MSR))
			continue;
		if (record.bytes != sizeof(entry.data) ||
		    record.id >> 32 != RECORD_MSR >> 32)
			return refuse(vcpu, "an MSR of another size", record.id);
		if (!msrs_find(vcpu->regs.copy, entry.index))
			return refuse(vcpu, "this vCPU has no such MSR", entry.index);
		memcpy(&entry.data, data, sizeof(entry.data));
		if (put)
			err = msrs_restore(vcpu, &entry);
	}
	return err;
}

int regs_arch_restore(struct vcpu *vcpu, const uint8_t *state, size_t bytes, bool put)
{
	const uint8_t *at = state;
	struct record record;
	bool msrs_done = false;
	const uint8_t *data;
	size_t left = bytes;
	int err = msrs_list(vcpu);

	while (!err && (data = record_next(&at, &left, &record))) {
		if (record.id >> 32)
			continue;
		if (record.id > REGS_MSRS && !msrs_done) {
			err = restore_msrs(vcpu, state, bytes, put);
			msrs_done = true;
		}
		if (!err)
			err = restore_group(vcpu, record.id, data, record.bytes, put);
	}
	if (!err && !msrs_done)
		err = restore_msrs(vcpu, state, bytes, put);
	if (!err && left)
		err = refuse(vcpu, "they are truncated", bytes - left);
	return err;
}
