/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory slots beside RAM: their pages, their dirty logs. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/vmm/slot.h"

#define HUGE_BYTES 0x200000ull

/* Slot 0 is RAM. */
#define SLOT_FIRST 1u

/* KB of the mapping at `hva` that are huge pages, by /proc/self/smaps. */
static uint64_t huge_kb_at(const uint8_t *hva)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long long from, to, kb = 0;
	bool inside = false;
	char line[512];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx-%llx ", &from, &to) == 2)
			inside = (uintptr_t)hva >= from && (uintptr_t)hva < to;
		else if (inside && sscanf(line, "AnonHugePages: %llu kB", &kb) == 1)
			break;
	}
	fclose(f);
	return kb;
}

/* A writing touch of every page: what MADV_POPULATE_WRITE does since Linux 5.14. */
static void touch(uint8_t *hva, uint64_t bytes)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t at;

	for (at = 0; at < bytes; at += page)
		*(volatile uint8_t *)(hva + at) = 0;
}

/*
 * Whether these pages really come as huge ones is only known once they are there.
 * khugepaged would make them so later: that does not count.
 */
static int make_huge(struct vm *vm, struct vm_slot *slot)
{
	if (madvise(slot->hva, slot->bytes, MADV_HUGEPAGE))
		return vm_fail(vm, -ENOTSUP,
			       "no transparent huge pages in this kernel: %m");
	touch(slot->hva, slot->bytes);
	if (huge_kb_at(slot->hva) * 1024 < slot->bytes)
		return vm_fail(vm, -ENOTSUP,
			       "no transparent huge pages to be had: turned off, or "
			       "memory is too fragmented");
	return 0;
}

/* Room for the alignment is mapped and given back. */
static int map_aligned(struct vm *vm, struct vm_slot *slot)
{
	const uint64_t room = slot->bytes + HUGE_BYTES;
	uint8_t *whole = mmap(NULL, room, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t before;

	if (whole == MAP_FAILED)
		return vm_fail(vm, -errno, "cannot map %llu bytes of guest memory: %m",
			       (unsigned long long)slot->bytes);
	before = -(uintptr_t)whole & (HUGE_BYTES - 1);
	slot->hva = whole + before;
	if (before)
		munmap(whole, before);
	munmap(slot->hva + slot->bytes, HUGE_BYTES - before);
	return 0;
}

static int map_pages(struct vm *vm, struct vm_slot *slot, const struct slot_options *o)
{
	int err = map_aligned(vm, slot);

	if (err)
		return err;
	if (o->huge) {
		err = make_huge(vm, slot);
		if (!err && !o->populate)
			err = madvise(slot->hva, slot->bytes, MADV_DONTNEED) ? -errno : 0;
		return err;
	}
	/* -EINVAL: a kernel that has no huge pages to refrain from. */
	if (madvise(slot->hva, slot->bytes, MADV_NOHUGEPAGE) && errno != EINVAL)
		return vm_fail(vm, -errno, "MADV_NOHUGEPAGE: %m");
	if (o->populate)
		touch(slot->hva, slot->bytes);
	return 0;
}

/*
 * With manual protection a page is protected again when the log is cleared and not
 * already when it is read: what VMMs that migrate guests use.
 */
static void ask_for_manual_protection(struct vm *vm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args[0] = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE,
	};

	if (vm->dirty_log_manual ||
	    !(kvm_extension(vm->fd, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) &
	      KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE))
		return;
	vm->dirty_log_manual = !ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

static int register_slot(struct vm *vm, const struct vm_slot *slot, uint32_t id,
			 const struct slot_options *o)
{
	struct kvm_userspace_memory_region region = {
		.slot = id,
		.guest_phys_addr = slot->gpa,
		.memory_size = slot->bytes,
		.userspace_addr = (uintptr_t)slot->hva,
	};

	if (o->readonly)
		region.flags |= KVM_MEM_READONLY;
	if (o->dirty_log)
		region.flags |= KVM_MEM_LOG_DIRTY_PAGES;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		return vm_fail(vm, -errno, "KVM_SET_USER_MEMORY_REGION at 0x%llx: %m",
			       (unsigned long long)slot->gpa);
	return 0;
}

int slot_add(struct vm *vm, uint64_t gpa, uint64_t bytes, const struct slot_options *o)
{
	const uint64_t align = o->huge ? HUGE_BYTES : (uint64_t)sysconf(_SC_PAGESIZE);
	struct vm_slot *slot = &vm->slot[vm->slots];
	int err;

	if (vm->slots == VM_SLOTS_MAX)
		return vm_fail(vm, -ENOSPC, "no room for another memory slot");
	if (!bytes || (gpa | bytes) & (align - 1))
		return vm_fail(vm, -EINVAL,
			       "a memory slot of %llu bytes at 0x%llx is not of whole "
			       "pages",
			       (unsigned long long)bytes, (unsigned long long)gpa);
	if (o->readonly && !kvm_extension(vm->fd, KVM_CAP_READONLY_MEM))
		return vm_fail(vm, -ENOTSUP, "this KVM has no read-only memory slots");
	*slot = (struct vm_slot){ .gpa = gpa, .bytes = bytes };
	if (o->dirty_log)
		ask_for_manual_protection(vm);
	err = map_pages(vm, slot, o);
	if (!err)
		err = register_slot(vm, slot, SLOT_FIRST + vm->slots, o);
	if (!err)
		vm->slots++;
	else if (slot->hva)
		munmap(slot->hva, slot->bytes);
	return err;
}

static int clear_log(struct vm *vm, const struct vm_slot *slot, uint32_t id,
		     uint64_t pages, void *bitmap)
{
	struct kvm_clear_dirty_log clear = {
		.slot = id,
		.num_pages = (uint32_t)pages,
		.dirty_bitmap = bitmap,
	};

	if (ioctl(vm->fd, KVM_CLEAR_DIRTY_LOG, &clear))
		return vm_fail(vm, -errno, "KVM_CLEAR_DIRTY_LOG at 0x%llx: %m",
			       (unsigned long long)slot->gpa);
	return 0;
}

static int read_log(struct vm *vm, uint32_t index, uint64_t *dirty_pages)
{
	const struct vm_slot *slot = &vm->slot[index];
	const uint64_t pages = slot->bytes / (uint64_t)sysconf(_SC_PAGESIZE);
	const size_t words = (size_t)(pages + 63) / 64;
	uint64_t *bitmap = calloc(words, sizeof(*bitmap));
	struct kvm_dirty_log log = { .slot = SLOT_FIRST + index, .dirty_bitmap = bitmap };
	size_t i;
	int err = 0;

	if (!bitmap)
		return vm_fail(vm, -ENOMEM, "out of memory");
	if (ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log))
		err = vm_fail(vm, -errno, "KVM_GET_DIRTY_LOG at 0x%llx: %m",
			      (unsigned long long)slot->gpa);
	else if (vm->dirty_log_manual)
		err = clear_log(vm, slot, SLOT_FIRST + index, pages, bitmap);
	*dirty_pages = 0;
	for (i = 0; !err && i < words; i++)
		*dirty_pages += (uint64_t)__builtin_popcountll(bitmap[i]);
	free(bitmap);
	return err;
}

static int find(struct vm *vm, uint64_t gpa, uint32_t *index)
{
	for (*index = 0; *index < vm->slots; (*index)++)
		if (vm->slot[*index].gpa == gpa)
			return 0;
	return vm_fail(vm, -ENOENT, "there is no memory slot at 0x%llx",
		       (unsigned long long)gpa);
}

int slot_clear_dirty(struct vm *vm, uint64_t gpa, uint64_t *dirty_pages)
{
	uint32_t index;
	int err = find(vm, gpa, &index);

	return err ? err : read_log(vm, index, dirty_pages);
}

/*
 * KVM has to forget pages whose protection changes, here and back. Then the host
 * writes to them, or the guest's fault would have to make them writable for it first.
 */
int slot_unmap(struct vm *vm, uint64_t gpa)
{
	uint32_t index;
	int err = find(vm, gpa, &index);
	const struct vm_slot *slot = &vm->slot[index];

	if (err)
		return err;
	if (mprotect(slot->hva, slot->bytes, PROT_READ) ||
	    mprotect(slot->hva, slot->bytes, PROT_READ | PROT_WRITE))
		return vm_fail(vm, -errno, "mprotect: %m");
	touch(slot->hva, slot->bytes);
	return 0;
}
