/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checkpoints: the file, verified before use, and what is saved in it and restored. */
#include "host/vmm/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "host/vmm/arch.h"
#include "host/vmm/regs.h"

/* ------------------------------ the file and its records ------------------------------
 */

/* The state other than memory: more than any machine has. */
#define STATE_BYTES_MAX 0x4000000ull

static uint32_t crc_of(const void *data, size_t bytes)
{
	return (uint32_t)crc32_z(crc32_z(0, NULL, 0), data, bytes);
}

static struct checkpoint_header header_for(const struct vm *vm)
{
	struct checkpoint_header header = {
		.magic = CHECKPOINT_MAGIC,
		.version = CHECKPOINT_VERSION,
		.arch = vmm_arch,
		.vcpus = vm->config.vcpus,
		.irqchip = vm->config.irqchip,
		.pmu = vm->config.pmu,
		.pmu_off = vm->config.pmu_off,
		.ram_gpa = vm->ram_gpa,
		.ram_bytes = vm->ram_bytes,
	};

	return header;
}

static void seal(struct checkpoint_header *header, const void *body, size_t bytes)
{
	header->body_bytes = bytes;
	header->body_crc = crc_of(body, bytes);
	header->header_crc =
		crc_of(header, offsetof(struct checkpoint_header, header_crc));
}

static int write_all(int fd, const void *data, size_t bytes)
{
	const uint8_t *at = data;

	while (bytes) {
		ssize_t n = write(fd, at, bytes);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			at += n;
			bytes -= (size_t)n;
		}
	}
	return 0;
}

int checkpoint_create(void)
{
	int fd = memfd_create("worldswitch-checkpoint", MFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * Replaces the contents by header and body, synced. Pages that the file has are kept. 0
 * or -errno.
 */
static int write_file(struct vm *vm, int fd, const void *body, size_t bytes)
{
	struct checkpoint_header header = header_for(vm);
	int err = 0;

	seal(&header, body, bytes);
	if (lseek(fd, 0, SEEK_SET))
		err = -errno;
	if (!err)
		err = write_all(fd, &header, sizeof(header));
	if (!err)
		err = write_all(fd, body, bytes);
	if (!err && (ftruncate(fd, (off_t)(sizeof(header) + bytes)) || fsync(fd)))
		err = -errno;
	return err ? error_set(&vm->error, err, "cannot write the checkpoint: %s",
			       strerror(-err))
		   : 0;
}

static int refuse(struct vm *vm, const char *why)
{
	return error_set(&vm->error, -EINVAL, "checkpoint: %s", why);
}

/* In the order in which a user can correct it. */
static int check(struct vm *vm, const struct checkpoint_header *h, uint64_t file_bytes)
{
	const struct checkpoint_header ours = header_for(vm);

	if (memcmp(h->magic, ours.magic, sizeof(h->magic)))
		return refuse(vm, "not a checkpoint");
	if (h->header_crc != crc_of(h, offsetof(struct checkpoint_header, header_crc)))
		return refuse(vm, "its header is damaged");
	if (h->version != ours.version)
		return refuse(vm, "another version of the format");
	if (h->arch != ours.arch)
		return refuse(vm, "of another architecture");
	if (h->vcpus != ours.vcpus || h->irqchip != ours.irqchip || h->pmu != ours.pmu ||
	    h->pmu_off != ours.pmu_off || h->ram_gpa != ours.ram_gpa ||
	    h->ram_bytes != ours.ram_bytes)
		return refuse(vm, "of a VM with another configuration");
	if (h->body_bytes != file_bytes - sizeof(*h))
		return refuse(vm, h->body_bytes > file_bytes - sizeof(*h)
					  ? "truncated"
					  : "data after its end");
	return 0;
}

/* Reads a file of at most `max` bytes. */
static int read_all(struct vm *vm, int fd, size_t max, uint8_t **data, size_t *bytes)
{
	struct stat st;
	size_t done = 0;

	if (fstat(fd, &st))
		return error_set(&vm->error, -errno, "checkpoint: %m");
	if (!S_ISREG(st.st_mode))
		return refuse(vm, "not a file");
	if (st.st_size < (off_t)sizeof(struct checkpoint_header))
		return refuse(vm, "too short");
	if ((uint64_t)st.st_size > max)
		return refuse(vm, "too long for this VM");
	*bytes = (size_t)st.st_size;
	*data = malloc(*bytes);
	if (!*data)
		return error_set(&vm->error, -ENOMEM, "out of memory");
	while (done < *bytes) {
		ssize_t n = pread(fd, *data + done, *bytes - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(&vm->error, -errno, "checkpoint: %m");
		if (!n)
			return refuse(vm, "truncated while it was read");
		done += (size_t)n;
	}
	return 0;
}

/* Checks that the file is an undamaged checkpoint of such a VM. */
static int check_all(struct vm *vm, const uint8_t *data, size_t whole)
{
	struct checkpoint_header header;
	int err;

	if (!data || whole < sizeof(header))
		return refuse(vm, "too short");
	memcpy(&header, data, sizeof(header));
	err = check(vm, &header, whole);
	if (err)
		return err;
	if (crc_of(data + sizeof(header), whole - sizeof(header)) != header.body_crc)
		return refuse(vm, "its contents are damaged");
	return 0;
}

/*
 * Reads a file and checks it against `vm`. `*file`: all of it, which the caller frees;
 * the body of `*bytes` is behind the header.
 */
static int read_file(struct vm *vm, int fd, uint8_t **file, size_t *bytes)
{
	uint64_t max = 2 * vm->ram_bytes + STATE_BYTES_MAX;
	uint8_t *data = NULL;
	unsigned int i;
	size_t whole = 0;
	int err;

	for (i = 0; i < vm->slots; i++)
		max += 2 * vm->slot[i].bytes;
	err = read_all(vm, fd, max, &data, &whole);
	if (!err)
		err = check_all(vm, data, whole);
	if (err || !data) {
		free(data);
		return err;
	}
	*bytes = whole - sizeof(struct checkpoint_header);
	*file = data;
	return 0;
}

const uint8_t *record_next(const uint8_t **state, size_t *bytes, struct record *record)
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

int record_write(FILE *out, uint64_t id, const void *data, size_t bytes)
{
	const struct record record = { .id = id, .bytes = (uint32_t)bytes };

	fwrite(&record, sizeof(record), 1, out);
	fwrite(data, 1, bytes, out);
	return ferror(out) ? -ENOMEM : 0;
}

/* ------------------------------ the contents ------------------------------ */

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

static int find_pages(struct vm *vm, struct checkpoint_pages *pages)
{
	unsigned int i;
	uint64_t n;

	for (i = 0; i < regions(vm); i++) {
		const struct region r = region_of(vm, i);

		pages->number[i] = malloc(r.bytes / PAGE_BYTES * sizeof(n));
		if (!pages->number[i])
			return error_set(&vm->error, -ENOMEM, "out of memory");
		for (n = 0; n < r.bytes / PAGE_BYTES; n++)
			if (!is_zero(r.hva + n * PAGE_BYTES))
				pages->number[i][pages->count[i]++] = n;
	}
	return 0;
}

void checkpoint_pages_free(struct checkpoint_pages *pages)
{
	size_t i;

	for (i = 0; i < sizeof(pages->number) / sizeof(pages->number[0]); i++)
		free(pages->number[i]);
	*pages = (struct checkpoint_pages){ .count = { 0 } };
}

static void write_memory(FILE *out, uint32_t index, const struct region *r,
			 const uint64_t *number, uint64_t count)
{
	const struct memory_head head = { r->gpa, r->bytes, count };
	const struct checkpoint_section section = {
		CHECKPOINT_MEMORY, index,
		sizeof(head) + count * (sizeof(*number) + PAGE_BYTES)
	};
	uint64_t i;

	fwrite(&section, sizeof(section), 1, out);
	fwrite(&head, sizeof(head), 1, out);
	for (i = 0; i < count; i++) {
		fwrite(&number[i], sizeof(number[i]), 1, out);
		fwrite(r->hva + number[i] * PAGE_BYTES, PAGE_BYTES, 1, out);
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

/* Completes pending accesses, and writes to guest memory what KVM keeps there. */
static int settle(struct vm *vm)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < vm->config.vcpus; i++)
		err = vcpu_drain(&vm->vcpus[i]);
	return err ? err : arch_machine_flush(vm);
}

static int write_body(FILE *out, struct vm *vm, const struct checkpoint_pages *pages)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < regions(vm); i++) {
		const struct region r = region_of(vm, i);

		write_memory(out, i, &r, pages->number[i], pages->count[i]);
	}
	for (i = 0; !err && i < vm->config.vcpus; i++)
		err = write_vcpu(out, &vm->vcpus[i]);
	return err ? err : write_machine(out, vm);
}

static int save_settled(struct vm *vm, int fd, const struct checkpoint_pages *pages)
{
	char *body = NULL;
	size_t bytes;
	FILE *out = open_memstream(&body, &bytes);
	int err;

	if (!out)
		return error_set(&vm->error, -ENOMEM, "out of memory");
	err = write_body(out, vm, pages);
	if (ferror(out) && !err)
		err = error_set(&vm->error, -ENOMEM, "out of memory");
	if (fclose(out) && !err)
		err = error_set(&vm->error, -ENOMEM, "out of memory");
	if (!err)
		err = write_file(vm, fd, body, bytes);
	free(body);
	return err;
}

int checkpoint_find_pages(struct vm *vm, struct checkpoint_pages *pages)
{
	int err = settle(vm);

	checkpoint_pages_free(pages);
	return err ? err : find_pages(vm, pages);
}

int checkpoint_save_pages(struct vm *vm, int fd, const struct checkpoint_pages *pages)
{
	int err = settle(vm);

	return err ? err : save_settled(vm, fd, pages);
}

int checkpoint_save(struct vm *vm, int fd)
{
	struct checkpoint_pages pages = { .count = { 0 } };
	int err = checkpoint_find_pages(vm, &pages);

	if (!err)
		err = save_settled(vm, fd, &pages);
	checkpoint_pages_free(&pages);
	return err;
}

static int does_not_fit(struct vm *vm, const char *why)
{
	return error_set(&vm->error, -EINVAL, "the checkpoint does not fit this VM: %s",
			 why);
}

static void clear_pages(const struct region *r, uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		if (!is_zero(r->hva + from * PAGE_BYTES))
			memset(r->hva + from * PAGE_BYTES, 0, PAGE_BYTES);
}

/*
 * RAM is private memory, whose discarded pages are zero, without a search for pages that
 * are not. A slot can be a mapping of a file.
 */
static bool discard(const struct region *r, uint32_t index)
{
	return !index && !madvise(r->hva, r->bytes, MADV_DONTNEED);
}

static int restore_memory(struct vm *vm, uint32_t index, const uint8_t *data,
			  uint64_t bytes, bool put)
{
	bool is_clear = false;
	struct memory_head head;
	struct region r;
	uint64_t n, next = 0, i;

	if (index >= regions(vm) || bytes < sizeof(head))
		return does_not_fit(vm, "memory that the VM does not have");
	memcpy(&head, data, sizeof(head));
	r = region_of(vm, index);
	if (head.gpa != r.gpa || head.bytes != r.bytes ||
	    head.pages > r.bytes / PAGE_BYTES ||
	    bytes != sizeof(head) + head.pages * (sizeof(n) + PAGE_BYTES))
		return does_not_fit(vm, "memory of another size or address");
	data += sizeof(head);
	if (put)
		is_clear = discard(&r, index);
	for (i = 0; i < head.pages; i++, data += sizeof(n) + PAGE_BYTES) {
		memcpy(&n, data, sizeof(n));
		if (n < next || n >= r.bytes / PAGE_BYTES)
			return does_not_fit(vm, "pages out of order");
		/* Pages that are not in the checkpoint are zero. */
		if (put && !is_clear)
			clear_pages(&r, next, n);
		if (put)
			memcpy(r.hva + n * PAGE_BYTES, data + sizeof(n), PAGE_BYTES);
		next = n + 1;
	}
	if (put && !is_clear)
		clear_pages(&r, next, r.bytes / PAGE_BYTES);
	return 0;
}

static int restore_vcpu(struct vm *vm, uint32_t index, const uint8_t *data,
			uint64_t bytes, bool put)
{
	struct vcpu_irqs irqs;
	struct vcpu *vcpu;

	if (index >= vm->config.vcpus || bytes < sizeof(irqs))
		return does_not_fit(vm, "a vCPU that the VM does not have");
	vcpu = &vm->vcpus[index];
	memcpy(&irqs, data, sizeof(irqs));
	if (irqs.first >= VCPU_IRQS_MAX || irqs.queued > VCPU_IRQS_MAX)
		return does_not_fit(vm, "an invalid queue of interrupts");
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
		return does_not_fit(vm, "an unknown type of section");
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
			return does_not_fit(vm, "truncated sections");
		memcpy(&section, body, sizeof(section));
		body += sizeof(section);
		bytes -= sizeof(section);
		if (section.bytes > bytes || !section.type ||
		    section.type >= CHECKPOINT_TYPES)
			return does_not_fit(vm, "damaged sections");
		if (!see(&seen, &section))
			return does_not_fit(vm, "missing or repeated sections");
		err = restore_section(vm, &section, body, put);
		body += section.bytes;
		bytes -= section.bytes;
	}
	if (!err && !complete(&seen, vm))
		err = does_not_fit(vm, "missing or repeated sections");
	return err;
}

int checkpoint_restore(struct vm *vm, int fd)
{
	uint8_t *file = NULL;
	const uint8_t *body;
	size_t bytes = 0;
	int err = read_file(vm, fd, &file, &bytes);

	if (err)
		return err;
	body = file + sizeof(struct checkpoint_header);
	/* Checks everything before it changes anything. */
	err = restore_body(vm, body, bytes, false);
	if (!err)
		err = restore_body(vm, body, bytes, true);
	free(file);
	return err;
}
