/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory: bounds-checked access to RAM, loading a payload, and the memory slots
 * other than RAM. Only this file and checkpoint.c dereference guest memory.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/abi.h"
#include "host/vmm/arch.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/memory.h"

/* The host address of [gpa, gpa + bytes); NULL if any of it is not RAM. */
static uint8_t *hva_of(const struct vm *vm, uint64_t gpa, uint64_t bytes)
{
	if (gpa < vm->ram_gpa || bytes > vm->ram_bytes ||
	    gpa - vm->ram_gpa > vm->ram_bytes - bytes)
		return NULL;
	return vm->ram + (gpa - vm->ram_gpa);
}

int vm_read(const struct vm *vm, uint64_t gpa, void *to, size_t bytes)
{
	const uint8_t *hva = hva_of(vm, gpa, bytes);

	if (!hva)
		return -EFAULT;
	memcpy(to, hva, bytes);
	return 0;
}

int vm_write(struct vm *vm, uint64_t gpa, const void *from, size_t bytes)
{
	uint8_t *hva = hva_of(vm, gpa, bytes);

	if (!hva)
		return -EFAULT;
	memcpy(hva, from, bytes);
	return 0;
}

static int load_segment(struct vm *vm, const uint8_t *image, size_t bytes,
			const Elf64_Phdr *segment)
{
	uint8_t *hva = hva_of(vm, segment->p_paddr, segment->p_memsz);

	if (!hva)
		return error_set(&vm->error, -ENOEXEC,
				 "the payload's segment at 0x%llx is not in guest memory",
				 (unsigned long long)segment->p_paddr);
	if (segment->p_filesz > segment->p_memsz || segment->p_offset > bytes ||
	    segment->p_filesz > bytes - segment->p_offset)
		return error_set(&vm->error, -ENOEXEC,
				 "the payload's image is truncated");
	/* Memory is zero at first, but not after another image. */
	memcpy(hva, image + segment->p_offset, segment->p_filesz);
	memset(hva + segment->p_filesz, 0, segment->p_memsz - segment->p_filesz);
	return 0;
}

int vm_load(struct vm *vm, const void *image, size_t bytes, uint64_t *entry)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	size_t i;
	int err;

	if (bytes < sizeof(header))
		return error_set(&vm->error, -ENOEXEC,
				 "the payload is not an ELF image: too short");
	memcpy(&header, image, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) ||
	    header.e_ident[EI_CLASS] != ELFCLASS64)
		return error_set(&vm->error, -ENOEXEC,
				 "the payload is not a 64-bit ELF image");
	if (header.e_machine != vmm_elf_machine)
		return error_set(
			&vm->error, -ENOEXEC,
			"the payload is for another architecture (ELF machine %u)",
			header.e_machine);
	if (header.e_phentsize != sizeof(segment) || header.e_phoff > bytes ||
	    header.e_phnum > (bytes - header.e_phoff) / sizeof(segment))
		return error_set(&vm->error, -ENOEXEC,
				 "the payload's program headers are truncated");
	for (i = 0; i < header.e_phnum; i++) {
		memcpy(&segment,
		       (const uint8_t *)image + header.e_phoff + i * sizeof(segment),
		       sizeof(segment));
		if (segment.p_type != PT_LOAD)
			continue;
		err = load_segment(vm, image, bytes, &segment);
		if (err)
			return err;
	}
	*entry = header.e_entry;
	return 0;
}

#define HUGE_BYTES 0x200000ull

void vm_load_windows(struct vm *vm)
{
	const size_t from = ABI_IMAGE_OFFSET,
		     bytes = ABI_PAGE_OFFSET + ABI_PAGE_BYTES - ABI_IMAGE_OFFSET;
	const uint64_t slot = vm->slots ? vm->slot[0].bytes / vm->config.vcpus : 0;

	for (unsigned int i = 1; i < vm->config.vcpus; i++) {
		uint8_t *window = vm->ram + i * ABI_RAM_BYTES;

		memcpy(window + from, vm->ram + from, bytes);
		arch_window_tables(vm, i, slot,
				   (uint64_t *)(void *)(window + ABI_TABLES_OFFSET));
	}
}

/* The guest's tables have blocks of 2 MiB. */
uint64_t vm_slot_bytes(const struct vm *vm, uint64_t bytes)
{
	if (!vm->config.windows)
		return bytes;
	return (bytes + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES * vm->config.vcpus;
}

const uint8_t *vm_window(const struct vcpu *vcpu)
{
	const struct vm *vm = vcpu->vm;

	return vm->ram + (vm->config.windows ? vcpu->index * ABI_RAM_BYTES : 0);
}

/* KB of huge pages in the mapping at `hva`, from /proc/self/smaps. */
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

/* Writes to every page, as MADV_POPULATE_WRITE does (Linux 5.14). */
static void touch(uint8_t *hva, uint64_t bytes)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t at;

	for (at = 0; at < bytes; at += page)
		*(volatile uint8_t *)(hva + at) = 0;
}

/*
 * Only a fault shows whether the kernel allocates huge pages here. Pages that khugepaged
 * would collapse later do not count.
 */
static int make_huge(struct vm *vm, struct vm_slot *slot)
{
	if (madvise(slot->hva, slot->bytes, MADV_HUGEPAGE))
		return error_set(&vm->error, -ENOTSUP,
				 "no transparent huge pages in this kernel: %m");
	touch(slot->hva, slot->bytes);
	if (huge_kb_at(slot->hva) * 1024 < slot->bytes)
		return error_set(
			&vm->error, -ENOTSUP,
			"no transparent huge pages: disabled, or memory is too fragmented");
	return 0;
}

/* Maps more than needed, then unmaps what the alignment leaves over. */
static int map_aligned(struct vm *vm, struct vm_slot *slot)
{
	const uint64_t room = slot->bytes + HUGE_BYTES;
	uint8_t *whole = mmap(NULL, room, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t before;

	if (whole == MAP_FAILED)
		return error_set(&vm->error, -errno,
				 "cannot map %llu bytes of guest memory: %m",
				 (unsigned long long)slot->bytes);
	before = -(uintptr_t)whole & (HUGE_BYTES - 1);
	slot->hva = whole + before;
	if (before)
		munmap(whole, before);
	munmap(slot->hva + slot->bytes, HUGE_BYTES - before);
	return 0;
}

/*
 * The pages of a new guest_memfd in place of the mapping of `slot`. Returns the
 * descriptor: the mapping keeps the file when it is closed. -errno.
 */
static int map_guest_memfd(struct vm *vm, const struct vm_slot *slot)
{
	struct compat_guest_memfd request = {
		.size = slot->bytes,
		.flags = COMPAT_GUEST_MEMFD_MMAP | COMPAT_GUEST_MEMFD_INIT_SHARED,
	};
	int fd, err;

	if (~(unsigned int)kvm_check_cap(vm->fd, KVM_CAP_GUEST_MEMFD_FLAGS) &
	    request.flags)
		return error_set(
			&vm->error, -ENOTSUP,
			"this KVM has no guest_memfd that the host may map (Linux 6.18)");
	fd = __kvm_ioctl_value(vm->fd, COMPAT_CREATE_GUEST_MEMFD, &request);
	if (fd < 0)
		return error_set(&vm->error, fd, "KVM_CREATE_GUEST_MEMFD: %s",
				 strerror(-fd));
	if (mmap(slot->hva, slot->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 fd, 0) == MAP_FAILED) {
		err = error_set(&vm->error, -errno, "cannot map the guest_memfd: %m");
		close(fd);
		return err;
	}
	return fd;
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
	/* EINVAL: a kernel without transparent huge pages. */
	if (madvise(slot->hva, slot->bytes, MADV_NOHUGEPAGE) && errno != EINVAL)
		return error_set(&vm->error, -errno, "MADV_NOHUGEPAGE: %m");
	if (o->populate)
		touch(slot->hva, slot->bytes);
	return 0;
}

static int register_guest_memfd(struct vm *vm, const struct vm_slot *slot, uint32_t id,
				int fd)
{
	const struct compat_memory_region2 request = {
		.region = { .slot = id,
			    .flags = KVM_MEM_GUEST_MEMFD,
			    .guest_phys_addr = slot->gpa,
			    .memory_size = slot->bytes,
			    .userspace_addr = (uintptr_t)slot->hva },
		.guest_memfd = (uint32_t)fd,
	};

	return kvm_ioctl_checked(vm->fd, &vm->error, COMPAT_SET_USER_MEMORY_REGION2,
				 &request, "KVM_SET_USER_MEMORY_REGION2 at 0x%llx",
				 (unsigned long long)slot->gpa);
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
	return vm_ioctl_on(vm, KVM_SET_USER_MEMORY_REGION, &region, "at 0x%llx",
			   (unsigned long long)slot->gpa);
}

static int add_guest_memfd(struct vm *vm, struct vm_slot *slot, uint32_t id)
{
	int err = map_aligned(vm, slot), fd;

	if (err)
		return err;
	fd = map_guest_memfd(vm, slot);
	if (fd < 0)
		return fd;
	touch(slot->hva, slot->bytes);
	err = register_guest_memfd(vm, slot, id, fd);
	close(fd);
	return err;
}

static int add_private(struct vm *vm, struct vm_slot *slot, uint32_t id)
{
	const struct slot_options populated = { .populate = true };
	struct compat_guest_memfd request = { .size = slot->bytes };
	int err = map_pages(vm, slot, &populated), fd;

	if (err)
		return err;
	fd = __kvm_ioctl_value(vm->fd, COMPAT_CREATE_GUEST_MEMFD, &request);
	if (fd < 0)
		return error_set(&vm->error, fd, "KVM_CREATE_GUEST_MEMFD: %s",
				 strerror(-fd));
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)slot->bytes))
		err = error_set(&vm->error, -errno,
				"cannot allocate the pages of a guest_memfd: %m");
	else
		err = register_guest_memfd(vm, slot, id, fd);
	/* KVM forgets the pages when the file is closed. */
	if (err)
		close(fd);
	else
		vm->guest_memfd[vm->slots] = fd;
	return err;
}

int memory_convert(struct vm *vm, uint64_t gpa, uint64_t bytes, bool private)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const struct compat_memory_attributes request = {
		.address = gpa,
		.size = bytes,
		.attributes = private ? COMPAT_MEMORY_PRIVATE : 0,
	};
	uint32_t i;

	for (i = 0; i < vm->slots; i++) {
		const struct vm_slot *slot = &vm->slot[i];

		if (gpa >= slot->gpa && bytes && bytes <= slot->bytes &&
		    gpa - slot->gpa <= slot->bytes - bytes && !((gpa | bytes) % page))
			return kvm_ioctl_checked(vm->fd, &vm->error,
						 COMPAT_SET_MEMORY_ATTRIBUTES, &request,
						 "KVM_SET_MEMORY_ATTRIBUTES at 0x%llx",
						 (unsigned long long)gpa);
	}
	return -EINVAL;
}

int slot_add(struct vm *vm, uint64_t gpa, uint64_t bytes, const struct slot_options *o)
{
	const uint64_t align = o->huge ? HUGE_BYTES : (uint64_t)sysconf(_SC_PAGESIZE);
	struct vm_slot *slot = &vm->slot[vm->slots];
	int err;

	if (vm->slots == VM_SLOTS_MAX)
		return error_set(&vm->error, -ENOSPC, "too many memory slots");
	if (!bytes || (gpa | bytes) & (align - 1))
		return error_set(
			&vm->error, -EINVAL,
			"a memory slot of %llu bytes at 0x%llx is not whole pages",
			(unsigned long long)bytes, (unsigned long long)gpa);
	if (o->readonly && !kvm_check_cap(vm->fd, KVM_CAP_READONLY_MEM))
		return error_set(&vm->error, -ENOTSUP,
				 "this KVM has no read-only memory slots");
	*slot = (struct vm_slot){ .gpa = gpa, .bytes = bytes };
	if (o->dirty_log)
		dirty_log_init(vm);
	if (o->guest_memfd)
		err = add_guest_memfd(vm, slot, SLOT_ID(vm->slots));
	else if (o->private)
		err = add_private(vm, slot, SLOT_ID(vm->slots));
	else
		err = map_pages(vm, slot, o);
	if (!err && !o->guest_memfd && !o->private)
		err = register_slot(vm, slot, SLOT_ID(vm->slots), o);
	if (!err)
		vm->slots++;
	else if (slot->hva)
		munmap(slot->hva, slot->bytes);
	return err;
}

int slot_add_mapped(struct vm *vm, uint64_t gpa, void *hva, uint64_t bytes)
{
	const struct vm_slot slot = { .hva = hva, .gpa = gpa, .bytes = bytes };
	const struct slot_options options = { false };
	int err;

	if (vm->slots == VM_SLOTS_MAX)
		return error_set(&vm->error, -ENOSPC, "too many memory slots");
	err = register_slot(vm, &slot, SLOT_ID(vm->slots), &options);
	if (!err)
		vm->slot[vm->slots++] = slot;
	return err;
}

int slot_register(struct vm *vm, uint32_t index, uint64_t gpa,
		  const struct slot_options *o)
{
	vm->slot[index].gpa = gpa;
	return register_slot(vm, &vm->slot[index], SLOT_ID(index), o);
}

int slot_delete(struct vm *vm, uint32_t index)
{
	const struct vm_slot none = { .gpa = vm->slot[index].gpa };
	const struct slot_options options = { false };

	return register_slot(vm, &none, SLOT_ID(index), &options);
}

int slot_pre_fault(struct vm *vm, uint32_t index)
{
	struct compat_pre_fault_memory range = {
		.gpa = vm->slot[index].gpa,
		.size = vm->slot[index].bytes,
	};
	int err = 0;

	if (!kvm_check_cap(vm->fd, KVM_CAP_PRE_FAULT_MEMORY))
		return error_set(&vm->error, -ENOTSUP,
				 "this KVM has no KVM_PRE_FAULT_MEMORY (Linux 6.11)");
	/* A call maps a part of the range, and the range becomes the rest. */
	while (!err && range.size)
		err = kvm_ioctl_checked(
			vm->vcpus[0].fd, &vm->error, COMPAT_PRE_FAULT_MEMORY, &range,
			"KVM_PRE_FAULT_MEMORY at 0x%llx", (unsigned long long)range.gpa);
	return err;
}

static int find_slot(struct vm *vm, uint64_t gpa, uint32_t *index)
{
	for (*index = 0; *index < vm->slots; (*index)++)
		if (vm->slot[*index].gpa == gpa)
			return 0;
	return error_set(&vm->error, -ENOENT, "no memory slot at 0x%llx",
			 (unsigned long long)gpa);
}

int slot_clear_dirty(struct vm *vm, uint64_t gpa, uint64_t *dirty_pages)
{
	uint32_t index;
	int err = find_slot(vm, gpa, &index);

	return err ? err : dirty_log_read(vm, index, dirty_pages);
}

/*
 * Changing the host's protection makes KVM drop its mapping (MMU notifier). The host then
 * writes to the pages, so that the guest's fault finds them writable.
 */
int slot_unmap(struct vm *vm, uint64_t gpa)
{
	uint32_t index;
	int err = find_slot(vm, gpa, &index);
	const struct vm_slot *slot = &vm->slot[index];

	if (err)
		return err;
	if (mprotect(slot->hva, slot->bytes, PROT_READ) ||
	    mprotect(slot->hva, slot->bytes, PROT_READ | PROT_WRITE))
		return error_set(&vm->error, -errno, "mprotect: %m");
	touch(slot->hva, slot->bytes);
	return 0;
}

int memory_shadow_tables(struct vm *vm, unsigned int tables)
{
	return vm_ioctl(vm, KVM_SET_NR_MMU_PAGES, KVM_VALUE(tables));
}
