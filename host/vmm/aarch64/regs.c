/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aarch64: moving single registers between KVM (KVM_GET/SET_ONE_REG) and the copy. */
#include <stdio.h>
#include <stdlib.h>

#include "host/vmm/aarch64/regs_copy.h"
#include "host/vmm/arch.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/checkpoint.h"

const unsigned int regs_groups = REGS_GROUPS;
const uint32_t regs_groups_synced = 1u << REGS_CORE | 1u << REGS_SYSTEM;

#define CORE_ID(field, size)                                                             \
	(KVM_REG_ARM64 | (size) | KVM_REG_ARM_CORE |                                     \
	 (offsetof(struct kvm_regs, field) / sizeof(uint32_t)))

int regs_arch_init(struct vcpu *vcpu)
{
	vcpu->regs.copy = calloc(1, sizeof(*vcpu->regs.copy));
	if (!vcpu->regs.copy)
		return error_set(vcpu->error, -ENOMEM, "out of memory");
	vcpu->regs.copy->has_events = kvm_check_cap(vcpu->vm->fd, KVM_CAP_VCPU_EVENTS);
	return 0;
}

void regs_arch_free(struct vcpu *vcpu)
{
	free(vcpu->regs.copy->regs);
	free(vcpu->regs.copy->values);
	free(vcpu->regs.copy);
}

int regs_arch_sync_run_init(struct vcpu *vcpu)
{
	return error_set(vcpu->error, -ENOTSUP, "KVM/arm64 has no KVM_CAP_SYNC_REGS");
}

static enum regs_group group_of(uint64_t id)
{
	switch (id & KVM_REG_ARM_COPROC_MASK) {
	case KVM_REG_ARM_CORE:
		return REGS_CORE;
	case KVM_REG_ARM64_SYSREG:
		return REGS_SYSTEM;
	default:
		return REGS_OTHER;
	}
}

static int fill_list(struct vcpu *vcpu, const struct kvm_reg_list *list)
{
	struct regs_copy *copy = vcpu->regs.copy;
	size_t bytes = 0;
	uint64_t i;

	for (i = 0; i < list->n; i++)
		bytes += regs_reg_bytes(list->reg[i]);
	/* + 1: calloc(0) may return NULL. */
	copy->regs = calloc(list->n + 1, sizeof(copy->regs[0]));
	copy->values = calloc(1, bytes + 1);
	if (!copy->regs || !copy->values)
		return error_set(vcpu->error, -ENOMEM, "out of memory");
	copy->n_regs = (unsigned int)list->n;
	for (i = 0, bytes = 0; i < list->n; i++) {
		copy->regs[i] = (struct regs_reg){
			.id = list->reg[i],
			.at = copy->values + bytes,
			.group = group_of(list->reg[i]),
		};
		bytes += regs_reg_bytes(list->reg[i]);
	}
	return 0;
}

/* Reads the list of registers, once. */
static int list_regs(struct vcpu *vcpu)
{
	struct kvm_reg_list none = { .n = 0 }, *list;
	int err;

	if (vcpu->regs.copy->regs)
		return 0;
	/* Too small a list: the ioctl fails and sets the number of registers. */
	err = __vcpu_ioctl(vcpu, KVM_GET_REG_LIST, &none);
	if (err != -E2BIG)
		return error_set(vcpu->error, err ? err : -EIO, "KVM_GET_REG_LIST: %s",
				 strerror(-err));
	list = calloc(1, sizeof(*list) + none.n * sizeof(list->reg[0]));
	if (!list)
		return error_set(vcpu->error, -ENOMEM, "out of memory");
	list->n = none.n;
	err = vcpu_ioctl(vcpu, KVM_GET_REG_LIST, list);
	if (!err)
		err = fill_list(vcpu, list);
	free(list);
	return err;
}

static struct regs_reg *find_reg(const struct regs_copy *copy, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < copy->n_regs; i++)
		if (copy->regs[i].id == id)
			return &copy->regs[i];
	return NULL;
}

bool regs_arch_find(struct vcpu *vcpu, const char *name, struct regs_place *place)
{
	uint64_t id = regs_id(name);
	struct regs_reg *reg;

	if (!id || list_regs(vcpu))
		return false;
	reg = find_reg(vcpu->regs.copy, id);
	if (!reg || regs_reg_bytes(id) > sizeof(struct regs_value))
		return false;
	*place = (struct regs_place){ reg->group, regs_reg_bytes(id), reg->at };
	return true;
}

void regs_arch_touch(struct vcpu *vcpu, const struct regs_place *place)
{
	struct regs_copy *copy = vcpu->regs.copy;
	unsigned int i;

	for (i = 0; i < copy->n_regs; i++)
		if (copy->regs[i].at == place->at)
			copy->regs[i].touched = true;
}

static int get_reg(struct vcpu *vcpu, uint64_t id, void *at)
{
	struct kvm_one_reg one = { .id = id, .addr = (uintptr_t)at };

	return __vcpu_ioctl(vcpu, KVM_GET_ONE_REG, &one);
}

static int set_reg(struct vcpu *vcpu, uint64_t id, const void *at)
{
	struct kvm_one_reg one = { .id = id, .addr = (uintptr_t)at };

	return __vcpu_ioctl(vcpu, KVM_SET_ONE_REG, &one);
}

static int fail(struct vcpu *vcpu, int err, const char *what, uint64_t id)
{
	char name[64];

	regs_name(id, name, sizeof(name));
	return error_set(vcpu->error, err, "KVM_%s_ONE_REG %s (0x%llx): %s", what, name,
			 (unsigned long long)id, strerror(-err));
}

static int pull_reg(struct vcpu *vcpu, struct regs_reg *reg)
{
	int err;

	if (reg->touched)
		return 0; /* not yet written to KVM */
	err = get_reg(vcpu, reg->id, reg->at);
	return err ? fail(vcpu, err, "GET", reg->id) : 0;
}

static int pull_other(struct vcpu *vcpu, unsigned int group)
{
	struct regs_copy *copy = vcpu->regs.copy;

	if (group == REGS_MP)
		return vcpu_ioctl(vcpu, KVM_GET_MP_STATE, &copy->mp);
	if (copy->has_events)
		return vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &copy->events);
	return 0;
}

int regs_arch_pull(struct vcpu *vcpu, unsigned int group)
{
	struct regs_copy *copy = vcpu->regs.copy;
	unsigned int i;
	int err;

	if (group == REGS_MP || group == REGS_EVENTS)
		return pull_other(vcpu, group);
	err = list_regs(vcpu);
	for (i = 0; !err && i < copy->n_regs; i++)
		if (copy->regs[i].group == group)
			err = pull_reg(vcpu, &copy->regs[i]);
	return err;
}

/* KVM's interface moves single registers. */
int regs_arch_pull_one(struct vcpu *vcpu, const struct regs_place *place)
{
	struct regs_copy *copy = vcpu->regs.copy;
	unsigned int i;

	for (i = 0; i < copy->n_regs; i++)
		if (copy->regs[i].at == place->at)
			return pull_reg(vcpu, &copy->regs[i]);
	return -EOPNOTSUPP; /* not a single register: MP state, events */
}

/* Clocks advance while the VMM has a copy: writing it would turn the clock back. */
static bool is_time(uint64_t id)
{
	return id == KVM_REG_ARM_TIMER_CNT || id == KVM_REG_ARM_PTIMER_CNT;
}

static int push_reg(struct vcpu *vcpu, struct regs_reg *reg)
{
	bool always = vcpu->regs.policy == REGS_SYNC_ALWAYS;
	int err;

	if (!reg->touched && (!always || reg->readonly || is_time(reg->id)))
		return 0;
	err = set_reg(vcpu, reg->id, reg->at);
	if (err && !reg->touched) {
		reg->readonly = true;
		return 0;
	}
	reg->touched = false;
	return err ? fail(vcpu, err, "SET", reg->id) : 0;
}

static int push_other(struct vcpu *vcpu, unsigned int group)
{
	struct regs_copy *copy = vcpu->regs.copy;

	if (group == REGS_MP)
		return vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &copy->mp);
	if (copy->has_events)
		return vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, &copy->events);
	return 0;
}

int regs_arch_push(struct vcpu *vcpu, unsigned int group)
{
	struct regs_copy *copy = vcpu->regs.copy;
	unsigned int i;
	int err = 0;

	if (group == REGS_MP || group == REGS_EVENTS)
		return push_other(vcpu, group);
	for (i = 0; !err && i < copy->n_regs; i++)
		if (copy->regs[i].group == group)
			err = push_reg(vcpu, &copy->regs[i]);
	return err;
}

void regs_arch_poison(struct vcpu *vcpu)
{
	struct regs_copy *copy = vcpu->regs.copy;
	unsigned int i;

	for (i = 0; i < copy->n_regs; i++)
		memset(copy->regs[i].at, REGS_POISON, regs_reg_bytes(copy->regs[i].id));
	memset(&copy->mp, REGS_POISON, sizeof(copy->mp));
	memset(&copy->events, REGS_POISON, sizeof(copy->events));
}

bool regs_arch_unread(const struct vcpu *vcpu, char *name, size_t bytes)
{
	const struct regs_copy *copy = vcpu->regs.copy;
	unsigned int i;

	for (i = 0; i < copy->n_regs; i++) {
		const uint64_t id = copy->regs[i].id;

		if (!regs_is_poison(copy->regs[i].at, regs_reg_bytes(id)))
			continue;
		regs_name(id, name, bytes);
		return true;
	}
	if (regs_is_poison(&copy->mp, sizeof(copy->mp)))
		snprintf(name, bytes, "KVM_GET_MP_STATE");
	else if (copy->has_events && regs_is_poison(&copy->events, sizeof(copy->events)))
		snprintf(name, bytes, "KVM_GET_VCPU_EVENTS");
	else
		return false;
	return true;
}

/* Saved state: a record per register under KVM's id, and these two. */
#define RECORD_MP     1u
#define RECORD_EVENTS 2u

int regs_arch_save(struct vcpu *vcpu, FILE *out)
{
	const struct regs_copy *copy = vcpu->regs.copy;
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < copy->n_regs; i++)
		err = record_write(out, copy->regs[i].id, copy->regs[i].at,
				   regs_reg_bytes(copy->regs[i].id));
	if (!err)
		err = record_write(out, RECORD_MP, &copy->mp, sizeof(copy->mp));
	if (!err && copy->has_events)
		err = record_write(out, RECORD_EVENTS, &copy->events,
				   sizeof(copy->events));
	return err ? error_set(vcpu->error, err, "out of memory") : 0;
}

static int refuse(struct vcpu *vcpu, const char *what, uint64_t id)
{
	return error_set(vcpu->error, -EINVAL,
			 "the saved registers do not fit: %s (0x%llx)", what,
			 (unsigned long long)id);
}

static int restore_other(struct vcpu *vcpu, const struct record *record,
			 const uint8_t *data, bool put)
{
	struct regs_copy *copy = vcpu->regs.copy;
	bool mp = record->id == RECORD_MP;
	size_t expected = mp ? sizeof(copy->mp) : sizeof(copy->events);

	if (record->bytes != expected || (!mp && !copy->has_events))
		return refuse(vcpu, "state of another size", record->id);
	if (!put)
		return 0;
	memcpy(mp ? (void *)&copy->mp : (void *)&copy->events, data, expected);
	return push_other(vcpu, mp ? REGS_MP : REGS_EVENTS);
}

/* Some registers accept only the value that they have: those are not written. */
static int restore_reg(struct vcpu *vcpu, const struct record *record,
		       const uint8_t *data, bool put)
{
	struct regs_reg *reg = find_reg(vcpu->regs.copy, record->id);
	int err;

	if (!reg || !reg->at || record->bytes != regs_reg_bytes(reg->id))
		return refuse(vcpu, "this vCPU has no such register", record->id);
	if (!put)
		return 0;
	err = get_reg(vcpu, reg->id, reg->at);
	if (!err && !memcmp(reg->at, data, record->bytes))
		return 0;
	memcpy(reg->at, data, record->bytes);
	err = set_reg(vcpu, reg->id, reg->at);
	return err ? fail(vcpu, err, "SET", reg->id) : 0;
}

int regs_arch_restore(struct vcpu *vcpu, const uint8_t *state, size_t bytes, bool put)
{
	struct record record;
	const uint8_t *data;
	int err = list_regs(vcpu);

	while (!err && (data = record_next(&state, &bytes, &record)))
		err = record.id == RECORD_MP || record.id == RECORD_EVENTS
			      ? restore_other(vcpu, &record, data, put)
			      : restore_reg(vcpu, &record, data, put);
	if (!err && bytes)
		err = refuse(vcpu, "they are truncated", bytes);
	return err;
}

/*
 * One 64-bit register without its group: regs_get() and regs_set() would read the list of
 * registers, and the next entry would search it. A read prefers a value in the copy that
 * is not yet written; a write goes to KVM and to the copy, if there is one.
 */
static inline struct regs_reg *copied(const struct vcpu *vcpu, uint64_t id)
{
	const struct regs_copy *copy = vcpu->regs.copy;

	return copy->regs ? find_reg(copy, id) : NULL;
}

static int read_one(struct vcpu *vcpu, uint64_t id, uint64_t *value)
{
	struct regs_reg *reg = copied(vcpu, id);
	int err;

	if (reg && reg->touched) {
		memcpy(value, reg->at, sizeof(*value));
		return 0;
	}
	err = get_reg(vcpu, id, value);
	return err ? fail(vcpu, err, "GET", id) : 0;
}

static int write_one(struct vcpu *vcpu, uint64_t id, uint64_t value)
{
	struct regs_reg *reg = copied(vcpu, id);
	int err = set_reg(vcpu, id, &value);

	if (err)
		return fail(vcpu, err, "SET", id);
	if (reg) {
		memcpy(reg->at, &value, sizeof(value));
		reg->touched = false;
	}
	return 0;
}

/* SMCCC_RET_NOT_SUPPORTED (Arm DEN 0028). */
int arch_hypercall(struct vcpu *vcpu)
{
	return write_one(vcpu, CORE_ID(regs.regs[0], KVM_REG_SIZE_U64), ~0ull);
}

int arch_skip_insn(struct vcpu *vcpu)
{
	const uint64_t id = CORE_ID(regs.pc, KVM_REG_SIZE_U64);
	uint64_t pc;
	int err = read_one(vcpu, id, &pc);

	return err ? err : write_one(vcpu, id, pc + 4);
}

/* ESR_EL2.EC 0x3c: BRK in AArch64 state; PC is left on it (Arm ARM, D17.2.37). */
int arch_debug_exit(struct vcpu *vcpu)
{
	return vcpu->run->debug.arch.hsr >> 26 == 0x3c ? arch_skip_insn(vcpu) : 0;
}
