/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When registers go where: the flags and policies of regs.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmm/regs.h"
#include "host/vmm/regs_arch.h"

static uint32_t all_groups(void)
{
	return (1u << regs_groups) - 1;
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
	vcpu->regs.kvm_newer = ~0u;
	vcpu->regs.ours_newer = 0;
	vcpu->regs.in_page = 0;
}

void regs_stale(struct vcpu *vcpu, uint32_t groups)
{
	vcpu->regs.kvm_newer |= groups & ~vcpu->regs.ours_newer;
	vcpu->regs.in_page &= ~groups;
}

static int pull_groups(struct vcpu *vcpu, uint32_t groups)
{
	unsigned int group;
	int err = 0;

	/* What we changed and did not write cannot be stale: we looked at it first. */
	groups &= vcpu->regs.kvm_newer & all_groups();
	for (group = 0; !err && groups; group++, groups >>= 1) {
		if (!(groups & 1))
			continue;
		err = regs_arch_pull(vcpu, group);
		if (!err)
			vcpu->regs.kvm_newer &= ~(1u << group);
	}
	return err;
}

int regs_pull_group(struct vcpu *vcpu, unsigned int group)
{
	return pull_groups(vcpu, 1u << group);
}

int regs_pull(struct vcpu *vcpu)
{
	return pull_groups(vcpu, all_groups());
}

int regs_push(struct vcpu *vcpu)
{
	uint32_t groups = vcpu->regs.ours_newer & all_groups();
	unsigned int group;
	int err = 0;

	for (group = 0; !err && groups; group++, groups >>= 1) {
		if (!(groups & 1))
			continue;
		err = regs_arch_push(vcpu, group);
		if (!err)
			vcpu->regs.ours_newer &= ~(1u << group);
	}
	return err;
}

int regs_after_run_eager(struct vcpu *vcpu)
{
	int err;

	if (vcpu->regs.policy != REGS_SYNC_ALWAYS) {
		vcpu->regs.in_page = ~0u; /* KVM left its copy there */
		return 0;
	}
	err = regs_pull(vcpu);
	if (!err)
		vcpu->regs.ours_newer |= regs_groups_synced;
	return err;
}

static int find(struct vcpu *vcpu, const char *name, struct regs_place *place)
{
	if (!regs_arch_find(vcpu, name, place))
		return vcpu_fail(vcpu, -ENOENT, "this vCPU has no register '%s'", name);
	if (!(vcpu->regs.kvm_newer >> place->group & 1))
		return 0;
	/* Also before a write: the rest of the group may go back to KVM with it. */
	return regs_arch_pull_one(vcpu, place);
}

int regs_get(struct vcpu *vcpu, const char *name, struct regs_value *value)
{
	struct regs_place place;
	int err = find(vcpu, name, &place);

	*value = (struct regs_value){ 0 };
	if (!err)
		memcpy(value, place.at, place.bytes); /* both are little-endian */
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
	vcpu->regs.ours_newer |= 1u << place.group;
	return 0;
}

int regs_dump(struct vcpu *vcpu, FILE *out)
{
	int err = regs_pull(vcpu);

	if (err)
		fprintf(out, "registers cannot be read: %s\n", vcpu->error);
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
	/* Also what was read after the last exit: an interrupt may have come since. */
	regs_forget(vcpu);
	err = regs_pull(vcpu);
	if (err)
		return err;
	out = open_memstream(&text, bytes);
	if (!out)
		return vcpu_fail(vcpu, -ENOMEM, "out of memory");
	err = regs_arch_save(vcpu, out);
	if (fclose(out) && !err)
		err = vcpu_fail(vcpu, -ENOMEM, "out of memory");
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

const uint8_t *regs_record_next(const uint8_t **state, size_t *bytes,
				struct regs_record *record)
{
	const uint8_t *data;

	if (*bytes < sizeof(*record))
		return NULL;
	memcpy(record, *state, sizeof(*record));
	if (record->bytes > *bytes - sizeof(*record) || record->zero)
		return NULL;
	data = *state + sizeof(*record);
	*state = data + record->bytes;
	*bytes -= sizeof(*record) + record->bytes;
	return data;
}

int regs_record_write(FILE *out, uint64_t id, const void *data, size_t bytes)
{
	const struct regs_record record = { .id = id, .bytes = (uint32_t)bytes };

	fwrite(&record, sizeof(record), 1, out);
	fwrite(data, 1, bytes, out);
	return ferror(out) ? -ENOMEM : 0;
}
