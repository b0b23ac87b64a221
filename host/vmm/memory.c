/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only way into guest memory: every address and length is checked. */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "host/vmm/arch.h"

/* Where [gpa, gpa + bytes) is, or NULL if any of it is not RAM. */
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
		return vm_fail(
			vm, -ENOEXEC,
			"the payload's segment at 0x%llx does not lie in guest memory",
			(unsigned long long)segment->p_paddr);
	if (segment->p_filesz > segment->p_memsz || segment->p_offset > bytes ||
	    segment->p_filesz > bytes - segment->p_offset)
		return vm_fail(vm, -ENOEXEC, "the payload's image is cut short");
	/* New memory is zero, but images may overlap: clear what is not in the file. */
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
		return vm_fail(vm, -ENOEXEC, "the payload is no ELF image: too short");
	memcpy(&header, image, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) ||
	    header.e_ident[EI_CLASS] != ELFCLASS64)
		return vm_fail(vm, -ENOEXEC, "the payload is no 64-bit ELF image");
	if (header.e_machine != vmm_elf_machine)
		return vm_fail(vm, -ENOEXEC,
			       "the payload is for another architecture (ELF machine %u)",
			       header.e_machine);
	if (header.e_phentsize != sizeof(segment) || header.e_phoff > bytes ||
	    header.e_phnum > (bytes - header.e_phoff) / sizeof(segment))
		return vm_fail(vm, -ENOEXEC,
			       "the payload's program headers are cut short");
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
