/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The contents of a checkpoint: saving and restoring them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmm/arch.h"
#include "host/vmm/checkpoint.h"
#include "host/vmm/regs.h"

/* Page size of the file, independent of the host's. */
#define PAGE_BYTES 4096u

/* A stretch of guest memory: RAM, or a slot. */
struct region {
	uint8_t *hva;
	uint64_t gpa, bytes;
};

/* The head of a memory section; pairs of page number and page follow. */
struct memory_head {
	uint64_t gpa, bytes, pages;
};

static unsigned int regions(const struct vm *vm)
{
	return 1 + vm->slots;
}

static struct region region_of(const struct vm *vm, unsigned int index)
{
	const struct vm_slot *slot;

	if (!index)
		return (struct region){ vm->ram, vm->ram_gpa, vm->ram_bytes };
	slot = &vm->slot[index - 1];
	return (struct region){ slot->hva, slot->gpa, slot->bytes };
}

static bool is_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, PAGE_BYTES - 1);
}

static void write_section(FILE *out, enum checkpoint_type type, uint32_t index,
			  const void *data, size_t bytes)
{
	const struct checkpoint_section section = { type, index, bytes };

	fwrite(&section, sizeof(section), 1, out);
	fwrite(data, 1, bytes, out);
}

static void write_memory(FILE *out, uint32_t index, const struct region *r)
{
	const uint64_t all = r->bytes / PAGE_BYTES;
	struct memory_head head = { r->gpa, r->bytes, 0 };
	struct checkpoint_section section = { CHECKPOINT_MEMORY, index, sizeof(head) };
	uint64_t n;

	for (n = 0; n < all; n++)
		head.pages += !is_zero(r->hva + n * PAGE_BYTES);
	section.bytes += head.pages * (sizeof(n) + PAGE_BYTES);
	fwrite(&section, sizeof(section), 1, out);
	fwrite(&head, sizeof(head), 1, out);
	for (n = 0; n < all; n++) {
		if (is_zero(r->hva + n * PAGE_BYTES))
			continue;
		fwrite(&n, sizeof(n), 1, out);
		fwrite(r->hva + n * PAGE_BYTES, PAGE_BYTES, 1, out);
	}
}

static int write_vcpu(FILE *out, struct vcpu *vcpu)
{
	struct checkpoint_section section = { CHECKPOINT_VCPU, vcpu->index, 0 };
	size_t bytes;
	void *state;
	int err = regs_save(vcpu, &state, &bytes);

	if (err)
		return err;
	section.bytes = sizeof(vcpu->irqs) + bytes;
	fwrite(&section, sizeof(section), 1, out);
	fwrite(&vcpu->irqs, sizeof(vcpu->irqs), 1, out);
	fwrite(state, 1, bytes, out);
	free(state);
	return 0;
}

static int write_machine(FILE *out, struct vm *vm)
{
	char *state = NULL;
	size_t bytes;
	FILE *machine = open_memstream(&state, &bytes);
	int err;

	if (!machine)
		return error_set(&vm->error, -ENOMEM, "out of memory");
	err = arch_machine_save(vm, machine);
	if (fclose(machine) && !err)
		err = error_set(&vm->error, -ENOMEM, "out of memory");
	if (!err)
		write_section(out, CHECKPOINT_MACHINE, 0, state, bytes);
	free(state);
	return err;
}

static int write_body(FILE *out, struct vm *vm)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < vm->config.vcpus; i++)
		err = vcpu_drain(&vm->vcpus[i]);
	if (!err)
		err = arch_machine_flush(vm);
	for (i = 0; !err && i < regions(vm); i++) {
		const struct region r = region_of(vm, i);

		write_memory(out, i, &r);
	}
	for (i = 0; !err && i < vm->config.vcpus; i++)
		err = write_vcpu(out, &vm->vcpus[i]);
	return err ? err : write_machine(out, vm);
}

int checkpoint_save(struct vm *vm, int fd)
{
	char *body = NULL;
	size_t bytes;
	FILE *out = open_memstream(&body, &bytes);
	int err;

	if (!out)
		return error_set(&vm->error, -ENOMEM, "out of memory");
	err = write_body(out, vm);
	if (ferror(out) && !err)
		err = error_set(&vm->error, -ENOMEM, "out of memory");
	if (fclose(out) && !err)
		err = error_set(&vm->error, -ENOMEM, "out of memory");
	if (!err)
		err = checkpoint_file_write(vm, fd, body, bytes);
	free(body);
	return err;
}

static int refuse(struct vm *vm, const char *why)
{
	return error_set(&vm->error, -EINVAL, "the checkpoint does not fit this VM: %s",
			 why);
}

static int restore_memory(struct vm *vm, uint32_t index, const uint8_t *data,
			  uint64_t bytes, bool put)
{
	struct memory_head head;
	struct region r;
	uint64_t n, next = 0, i;

	if (index >= regions(vm) || bytes < sizeof(head))
		return refuse(vm, "memory that the VM does not have");
	memcpy(&head, data, sizeof(head));
	r = region_of(vm, index);
	if (head.gpa != r.gpa || head.bytes != r.bytes ||
	    head.pages > r.bytes / PAGE_BYTES ||
	    bytes != sizeof(head) + head.pages * (sizeof(n) + PAGE_BYTES))
		return refuse(vm, "memory of another size or address");
	data += sizeof(head);
	for (i = 0; i < head.pages; i++, data += sizeof(n) + PAGE_BYTES) {
		memcpy(&n, data, sizeof(n));
		if (n < next || n >= r.bytes / PAGE_BYTES)
			return refuse(vm, "pages out of order");
		/* Pages that are not in the checkpoint are zero. */
		for (; put && next < n; next++)
			if (!is_zero(r.hva + next * PAGE_BYTES))
				memset(r.hva + next * PAGE_BYTES, 0, PAGE_BYTES);
		if (put)
			memcpy(r.hva + n * PAGE_BYTES, data + sizeof(n), PAGE_BYTES);
		next = n + 1;
	}
	for (; put && next < r.bytes / PAGE_BYTES; next++)
		if (!is_zero(r.hva + next * PAGE_BYTES))
			memset(r.hva + next * PAGE_BYTES, 0, PAGE_BYTES);
	return 0;
}

static int restore_vcpu(struct vm *vm, uint32_t index, const uint8_t *data,
			uint64_t bytes, bool put)
{
	struct vcpu_irqs irqs;
	struct vcpu *vcpu;

	if (index >= vm->config.vcpus || bytes < sizeof(irqs))
		return refuse(vm, "a vCPU that the VM does not have");
	vcpu = &vm->vcpus[index];
	memcpy(&irqs, data, sizeof(irqs));
	if (irqs.first >= VCPU_IRQS_MAX || irqs.queued > VCPU_IRQS_MAX)
		return refuse(vm, "an invalid queue of interrupts");
	data += sizeof(irqs);
	bytes -= sizeof(irqs);
	if (!put)
		return regs_check(vcpu, data, bytes);
	vcpu->irqs = irqs;
	vcpu->resume = VCPU_IDLE;
	return regs_restore(vcpu, data, bytes);
}

static int restore_section(struct vm *vm, const struct checkpoint_section *section,
			   const uint8_t *data, bool put)
{
	switch (section->type) {
	case CHECKPOINT_MEMORY:
		return restore_memory(vm, section->index, data, section->bytes, put);
	case CHECKPOINT_VCPU:
		return restore_vcpu(vm, section->index, data, section->bytes, put);
	case CHECKPOINT_MACHINE:
		return arch_machine_restore(vm, data, section->bytes, put);
	default:
		return refuse(vm, "an unknown type of section");
	}
}

/* The sections read so far: for each type a bit per index. */
struct seen {
	uint32_t of[CHECKPOINT_TYPES];
};
_Static_assert(1 + VM_SLOTS_MAX < 32 && VM_VCPUS_MAX < 32, "an index is a bit of 32");

/* False: a repeated section. */
static bool see(struct seen *seen, const struct checkpoint_section *section)
{
	uint32_t bit = section->index < 32 ? 1u << section->index : 0;

	if (!bit || seen->of[section->type] & bit)
		return false;
	seen->of[section->type] |= bit;
	return true;
}

/* Each region, each vCPU and the machine. */
static bool complete(const struct seen *seen, const struct vm *vm)
{
	return seen->of[CHECKPOINT_MEMORY] == (1u << regions(vm)) - 1 &&
	       seen->of[CHECKPOINT_VCPU] == (1u << vm->config.vcpus) - 1 &&
	       seen->of[CHECKPOINT_MACHINE] == 1;
}

static int restore_body(struct vm *vm, const uint8_t *body, size_t bytes, bool put)
{
	struct checkpoint_section section;
	struct seen seen = { { 0 } };
	int err = 0;

	while (!err && bytes) {
		if (bytes < sizeof(section))
			return refuse(vm, "truncated sections");
		memcpy(&section, body, sizeof(section));
		body += sizeof(section);
		bytes -= sizeof(section);
		if (section.bytes > bytes || !section.type ||
		    section.type >= CHECKPOINT_TYPES)
			return refuse(vm, "damaged sections");
		if (!see(&seen, &section))
			return refuse(vm, "missing or repeated sections");
		err = restore_section(vm, &section, body, put);
		body += section.bytes;
		bytes -= section.bytes;
	}
	if (!err && !complete(&seen, vm))
		err = refuse(vm, "missing or repeated sections");
	return err;
}

int checkpoint_restore(struct vm *vm, int fd)
{
	uint8_t *body;
	size_t bytes;
	int err = checkpoint_file_read(vm, fd, &body, &bytes);

	if (err)
		return err;
	/* Checks everything before it changes anything. */
	err = restore_body(vm, body, bytes, false);
	if (!err)
		err = restore_body(vm, body, bytes, true);
	free(body);
	return err;
}
