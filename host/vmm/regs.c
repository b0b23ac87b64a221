/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When registers move between KVM and the copy: the flags and policies of regs.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmm/arch.h"
#include "host/vmm/regs.h"

static uint32_t all_groups(void)
{
	return (1u << regs_groups) - 1;
}

#define PAGE_BYTES 4096u

/* calloc() clears no fresh memory; aligned_alloc() and memset() would. */
void *regs_alloc(size_t bytes)
{
	// cppcheck-suppress pointerSize // room for the pointer
	void *block = calloc(1, sizeof(block) + PAGE_BYTES + bytes);
	// cppcheck-suppress nullPointerArithmeticRedundantCheck
	uint8_t *at = (uint8_t *)block + sizeof(block);

	if (!block)
		return NULL;
	at += -(uintptr_t)at & (PAGE_BYTES - 1);
	memcpy(at - sizeof(block), &block, sizeof(block));
	return at;
}

void regs_release(void *at)
{
	void *block = NULL;

	if (at)
		memcpy(&block, (uint8_t *)at - sizeof(block), sizeof(block));
	free(block);
}

int regs_init(struct vcpu *vcpu)
{
	int err = regs_arch_init(vcpu);

	vcpu->regs.policy = vcpu->vm->config.sync;
	regs_forget(vcpu);
	if (!err && vcpu->regs.policy == REGS_SYNC_RUN)
		err = regs_arch_sync_run_init(vcpu);
	return err;
}

void regs_free(struct vcpu *vcpu)
{
	if (vcpu->regs.copy)
		regs_arch_free(vcpu);
	vcpu->regs.copy = NULL;
}

void regs_forget(struct vcpu *vcpu)
{
	vcpu->regs.stale = ~0u;
	vcpu->regs.dirty = 0;
	vcpu->regs.in_page = 0;
}

void regs_invalidate(struct vcpu *vcpu, uint32_t groups)
{
	vcpu->regs.stale |= groups & ~vcpu->regs.dirty;
	vcpu->regs.in_page &= ~groups;
}

static int pull_groups(struct vcpu *vcpu, uint32_t groups)
{
	unsigned int group;
	int err = 0;

	/* A dirty group is never stale: it was read before it was changed. */
	groups &= vcpu->regs.stale & all_groups();
	for (group = 0; !err && groups; group++, groups >>= 1) {
		if (!(groups & 1))
			continue;
		err = regs_arch_pull(vcpu, group);
		if (!err)
			vcpu->regs.stale &= ~(1u << group);
	}
	return err;
}

int regs_pull(struct vcpu *vcpu)
{
	return pull_groups(vcpu, all_groups());
}

int regs_prove(struct vcpu *vcpu)
{
	char unread[64];
	int err = regs_pull(vcpu); /* KVM's lists of registers, too */

	if (err)
		return err;
	regs_forget(vcpu);
	regs_arch_poison(vcpu);
	err = regs_pull(vcpu);
	if (err || !regs_arch_unread(vcpu, unread, sizeof(unread)))
		return err;
	return error_set(vcpu->error, -EIO, "KVM returned 0 and did not read %s", unread);
}

int regs_push(struct vcpu *vcpu)
{
	uint32_t groups = vcpu->regs.dirty & all_groups();
	unsigned int group;
	int err = 0;

	for (group = 0; !err && groups; group++, groups >>= 1) {
		if (!(groups & 1))
			continue;
		err = regs_arch_push(vcpu, group);
		if (!err)
			vcpu->regs.dirty &= ~(1u << group);
	}
	return err;
}

int regs_after_run_sync(struct vcpu *vcpu)
{
	int err;

	if (vcpu->regs.policy != REGS_SYNC_ALWAYS) {
		vcpu->regs.in_page = ~0u; /* KVM has just written them there */
		return 0;
	}
	err = regs_pull(vcpu);
	if (!err)
		vcpu->regs.dirty |= regs_groups_synced;
	return err;
}

static int find(struct vcpu *vcpu, const char *name, struct regs_place *place)
{
	int err;

	if (!regs_arch_find(vcpu, name, place))
		return error_set(vcpu->error, -ENOENT, "this vCPU has no register '%s'",
				 name);
	if (!(vcpu->regs.stale >> place->group & 1))
		return 0;
	/* Also before a write: the rest of the group may move to KVM with it. */
	err = regs_arch_pull_one(vcpu, place);
	return err == -EOPNOTSUPP ? pull_groups(vcpu, 1u << place->group) : err;
}

int regs_get(struct vcpu *vcpu, const char *name, struct regs_value *value)
{
	struct regs_place place;
	int err = find(vcpu, name, &place);

	*value = (struct regs_value){ 0 };
	if (!err)
		memcpy(value, place.at, place.bytes); /* little-endian machines */
	return err;
}

int regs_set(struct vcpu *vcpu, const char *name, const struct regs_value *value)
{
	struct regs_place place;
	int err = find(vcpu, name, &place);

	if (err)
		return err;
	memcpy(place.at, value, place.bytes);
	regs_arch_touch(vcpu, &place);
	vcpu->regs.dirty |= 1u << place.group;
	return 0;
}

int regs_dump(struct vcpu *vcpu, FILE *out)
{
	int err = regs_pull(vcpu);

	if (err)
		fprintf(out, "registers cannot be read: %s\n", vcpu->error->text);
	else
		regs_arch_print(vcpu, out);
	return err;
}

int regs_save(struct vcpu *vcpu, void **state, size_t *bytes)
{
	char *text = NULL;
	FILE *out;
	int err = regs_push(vcpu);

	*state = NULL;
	if (err)
		return err;
	/* Read everything again: an interrupt may have arrived since the last exit. */
	regs_forget(vcpu);
	err = regs_pull(vcpu);
	if (err)
		return err;
	out = open_memstream(&text, bytes);
	if (!out)
		return error_set(vcpu->error, -ENOMEM, "out of memory");
	err = regs_arch_save(vcpu, out);
	if (fclose(out) && !err)
		err = error_set(vcpu->error, -ENOMEM, "out of memory");
	if (err)
		free(text);
	else
		*state = text;
	return err;
}

int regs_check(struct vcpu *vcpu, const void *state, size_t bytes)
{
	return regs_arch_restore(vcpu, state, bytes, false);
}

int regs_restore(struct vcpu *vcpu, const void *state, size_t bytes)
{
	int err = regs_arch_restore(vcpu, state, bytes, false);

	if (!err)
		err = regs_arch_restore(vcpu, state, bytes, true);
	regs_forget(vcpu);
	return err;
}
