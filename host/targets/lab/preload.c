/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Laying out a PC's memory as the kernel wants to find it. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/preload.h"
#include "host/targets/lab/wire.h"

#define PAGE 4096u

/* Pages from PRELOAD_BASE on. */
enum {
	PAGE_HEAD,
	PAGE_PARAMS,
	PAGE_COMMAND,
	PAGE_PML4,
	PAGE_PDPT,
	PAGE_PD, /* one for each GiB */
	PAGES = PAGE_PD + 4,
};

/* Offsets in the kernel's image, which are also those in boot_params. */
enum {
	SETUP_SECTS = 0x1f1, /* 8 bits; the setup header begins here */
	SETUP_JUMP = 0x201,  /* 8 bits: the header's bytes after 0x202 */
	SETUP_MAGIC = 0x202, /* "HdrS" */
	SETUP_VERSION = 0x206,
	SETUP_LOADER = 0x210, /* 8 bits */
	SETUP_INITRD = 0x218,
	SETUP_INITRD_BYTES = 0x21c,
	SETUP_COMMAND = 0x228,
	SETUP_XLOADFLAGS = 0x236,
	SETUP_PAYLOAD = 0x248,
	SETUP_PAYLOAD_BYTES = 0x24c,
	SETUP_DATA = 0x250,	 /* 64 bits */
	SETUP_PREFERRED = 0x258, /* 64 bits */
	SETUP_INIT_BYTES = 0x260,
	SETUP_END = 0x264,
};

/*
 * An entry of the list setup_data: a seed for the kernel's random numbers, always the
 * same. Without one, and without RDRAND, it would gather them from its own timing for
 * a second.
 */
enum { SEED_AT = 0xe00, SEED_TYPE = 8, SEED_LENGTH = 12, SEED_DATA = 16 };
#define SETUP_RNG_SEED 9u
#define SEED_BYTES     64u

/* Offsets in boot_params alone (arch/x86/include/uapi/asm/bootparam.h). */
enum { PARAMS_E820_ENTRIES = 0x1e8, PARAMS_SETUP_END = 0x290, PARAMS_E820 = 0x2d0 };

#define SETUP_VERSION_MIN 0x20c /* xloadflags; Linux 3.8 */
#define XLF_KERNEL_64	  1u
#define LOADER_UNKNOWN	  0xff
#define SECTOR		  512u
#define ENTRY_64	  0x200u /* behind the setup sectors */

/* The firmware is at their end, and with it the GDT that the kernel begins with. */
#define MAPPED_BYTES (1ull << 32)
#define ENTRY_FLAGS  3u		  /* present, writable */
#define LARGE_FLAGS  (3u | 0x80u) /* of 2 MiB */

struct layout {
	uint32_t kernel, kernel_end, initramfs, end; /* guest-physical addresses */
	uint32_t setup_bytes;
	uint32_t entry;
	uint8_t *vmlinux; /* NULL: the kernel decompresses itself */
	size_t vmlinux_bytes;
};

static uint32_t page_at(unsigned int page)
{
	return PRELOAD_BASE + page * PAGE;
}

static void put_le64(uint8_t *p, uint64_t value)
{
	lab_put_le32(p, value);
	lab_put_le32(p + 4, value >> 32);
}

/* Where everything goes, and whether it can. */
static int lay_out(const struct lab_preload *w, struct layout *l, struct error *err)
{
	const uint8_t *k = w->kernel;
	uint64_t at;

	if (w->kernel_bytes < SETUP_END || memcmp(k + SETUP_MAGIC, "HdrS", 4) ||
	    (k[SETUP_VERSION] | k[SETUP_VERSION + 1] << 8) < SETUP_VERSION_MIN ||
	    !(k[SETUP_XLOADFLAGS] & XLF_KERNEL_64))
		return error_set(
			err, -ENOEXEC,
			"the kernel has no 64-bit entry (Linux 3.8 or newer, CONFIG_EFI_STUB or CONFIG_X86_64, has)");
	/* 0 means 4 (Documentation/arch/x86/boot.rst). */
	l->setup_bytes = ((k[SETUP_SECTS] ? k[SETUP_SECTS] : 4u) + 1u) * SECTOR;
	if (w->kernel_bytes <= l->setup_bytes + ENTRY_64)
		return error_set(err, -ENOEXEC, "the kernel's image is truncated");
	if (strlen(w->command_line) >= PAGE)
		return error_set(err, -EINVAL, "the kernel's command line is too long");

	at = lab_get_le32(k + SETUP_PREFERRED) |
	     (uint64_t)lab_get_le32(k + SETUP_PREFERRED + 4) << 32;
	if (at < page_at(PAGES) || at >= w->memory_bytes)
		return error_set(
			err, -ENOEXEC,
			"the kernel's preferred address 0x%llx is not in the machine's memory",
			(unsigned long long)at);
	l->kernel = at;
	/* What it decompresses into ends there; the image itself is smaller. */
	at += lab_get_le32(k + SETUP_INIT_BYTES);
	if (at < l->kernel + (w->kernel_bytes - l->setup_bytes))
		at = l->kernel + (w->kernel_bytes - l->setup_bytes);
	at = (at + PAGE - 1) / PAGE * PAGE;
	l->initramfs = l->kernel_end = at;
	/* With room for the last word. */
	at = (at + w->initramfs_bytes + PAGE) / PAGE * PAGE;
	if (at > w->memory_bytes)
		return error_set(err, -EFBIG,
				 "kernel and initramfs need %llu of the machine's %u MiB",
				 (unsigned long long)(at >> 20), w->memory_bytes >> 20);
	l->end = at;
	return 0;
}

/*
 * Decompresses the kernel, which takes 95 million instructions inside the machine (LZ4;
 * Zstandard: 880 million), and enters it where the decompressor would: at its preferred
 * address without KASLR. The decompressor also switches to five levels of page tables on
 * a CPU that has them; the labs' have not.
 */
static void unpack(const struct lab_preload *w, struct layout *l)
{
	const uint64_t at =
		(uint64_t)l->setup_bytes + lab_get_le32(w->kernel + SETUP_PAYLOAD);
	const uint32_t bytes = lab_get_le32(w->kernel + SETUP_PAYLOAD_BYTES);
	uint32_t entry;

	l->entry = l->kernel + ENTRY_64;
	if (!w->unpack || at > w->kernel_bytes || bytes > w->kernel_bytes - at)
		return;
	l->vmlinux = lab_vmlinux_unpack(w->kernel + at, bytes, w->memory_bytes,
					&l->vmlinux_bytes);
	entry = l->vmlinux ? lab_vmlinux_load(l->vmlinux, l->vmlinux_bytes, l->kernel,
					      l->kernel_end, NULL)
			   : 0;
	if (entry) {
		l->entry = entry;
		return;
	}
	free(l->vmlinux);
	l->vmlinux = NULL;
}

/* A row of the memory map: usable memory. */
static void put_memory(uint8_t *params, unsigned int row, uint64_t begin, uint64_t end)
{
	uint8_t *e = params + PARAMS_E820 + 20 * row;

	put_le64(e, begin);
	put_le64(e + 8, end - begin);
	lab_put_le32(e + 16, 1);
	params[PARAMS_E820_ENTRIES] = row + 1;
}

static void fill_params(const struct lab_preload *w, const struct layout *l,
			uint8_t *params)
{
	size_t header_end = SETUP_MAGIC + w->kernel[SETUP_JUMP];

	if (header_end > PARAMS_SETUP_END)
		header_end = PARAMS_SETUP_END;
	memcpy(params + SETUP_SECTS, w->kernel + SETUP_SECTS, header_end - SETUP_SECTS);
	params[SETUP_LOADER] = LOADER_UNKNOWN;
	lab_put_le32(params + SETUP_COMMAND, page_at(PAGE_COMMAND));
	lab_put_le32(params + SETUP_INITRD, l->initramfs);
	lab_put_le32(params + SETUP_INITRD_BYTES, w->initramfs_bytes);
	/* Without the holes of a PC: video memory, ROMs. */
	put_memory(params, 0, 0, 0x9f000);
	put_memory(params, 1, 0x100000, w->memory_bytes);
}

static void fill_seed(uint8_t *image, uint8_t *params)
{
	uint8_t *seed = image + SEED_AT;

	lab_put_le32(seed + SEED_TYPE, SETUP_RNG_SEED);
	lab_put_le32(seed + SEED_LENGTH, SEED_BYTES);
	for (unsigned int i = 0; i < SEED_BYTES; i++)
		seed[SEED_DATA + i] = i * 37 + 1;
	put_le64(params + SETUP_DATA, PRELOAD_BASE + SEED_AT);
}

/* Addresses are themselves, in pages of 2 MiB. */
static void fill_tables(uint8_t *pages)
{
	put_le64(pages + PAGE_PML4 * PAGE, page_at(PAGE_PDPT) | ENTRY_FLAGS);
	for (uint32_t i = 0; i < MAPPED_BYTES >> 30; i++)
		put_le64(pages + PAGE_PDPT * PAGE + 8u * i,
			 page_at(PAGE_PD + i) | ENTRY_FLAGS);
	for (uint64_t i = 0; i < MAPPED_BYTES >> 21; i++)
		put_le64(pages + PAGE_PD * PAGE + 8u * i, i << 21 | LARGE_FLAGS);
}

static void fill(const struct lab_preload *w, const struct layout *l, uint8_t *image)
{
	lab_put_le32(image + PRELOAD_AT_MAGIC, PRELOAD_MAGIC);
	lab_put_le32(image + PRELOAD_AT_BYTES, l->end - PRELOAD_BASE);
	lab_put_le32(image + PRELOAD_AT_TABLES, page_at(PAGE_PML4));
	lab_put_le32(image + PRELOAD_AT_PARAMS, page_at(PAGE_PARAMS));
	lab_put_le32(image + PRELOAD_AT_ENTRY, l->entry);
	lab_put_le32(image + (l->end - PRELOAD_BASE) - 4, PRELOAD_MAGIC);
	fill_params(w, l, image + PAGE_PARAMS * PAGE);
	fill_seed(image, image + PAGE_PARAMS * PAGE);
	strcpy((char *)image + PAGE_COMMAND * PAGE, w->command_line);
	fill_tables(image);
	if (l->vmlinux)
		(void)lab_vmlinux_load(l->vmlinux, l->vmlinux_bytes, l->kernel,
				       l->kernel_end, image + (l->kernel - PRELOAD_BASE));
	else
		memcpy(image + (l->kernel - PRELOAD_BASE), w->kernel + l->setup_bytes,
		       w->kernel_bytes - l->setup_bytes);
	memcpy(image + (l->initramfs - PRELOAD_BASE), w->initramfs, w->initramfs_bytes);
}

int lab_preload(const struct lab_preload *what, struct error *err)
{
	struct layout l = { .end = 0 };
	int ret = lay_out(what, &l, err), fd;
	size_t bytes = l.end - PRELOAD_BASE;
	void *image;

	if (ret)
		return ret;
	fd = memfd_create("worldswitch-memory", MFD_CLOEXEC);
	if (fd < 0)
		return error_set(err, -errno, "cannot make the machine's memory: %s",
				 strerror(errno));
	/* Populated: most of it is written, and a fault costs more than a page. */
	if (ftruncate(fd, bytes) ||
	    (image = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			  fd, 0)) == MAP_FAILED) {
		ret = error_set(err, -errno, "cannot fill the machine's memory: %s",
				strerror(errno));
		close(fd);
		return ret;
	}
	unpack(what, &l);
	fill(what, &l, image);
	free(l.vmlinux);
	munmap(image, bytes);
	return fd;
}

/*
 * What kernels read of ACPI (6.5, chapter 5.2) to learn of more than one CPU: a pointer
 * in memory below 1 MiB, the root table, and the table of local APICs. There is no table
 * of fixed hardware and no code: kernels then do without the rest of ACPI, as in a
 * machine without these tables. (Debian's have no code for MP tables.)
 */
enum {
	ACPI_POINTER_BYTES = 36,
	ACPI_ROOT_AT = 0x40,
	ACPI_ROOT_BYTES = 44, /* one entry */
	ACPI_LAPICS_AT = 0x80,
	ACPI_HEADER_BYTES = 36,
	ACPI_LAPIC_BYTES = 8,
};

#define ACPI_LAPIC_BASE	   0xfee00000u
#define ACPI_PIC_TOO	   1u
#define ACPI_LAPIC_ENABLED 1u

/* The byte that makes the sum of all of them 0. */
static uint8_t checksum(const uint8_t *p, size_t bytes)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < bytes; i++)
		sum += p[i];
	return -sum;
}

static void put_header(uint8_t *table, const char *name, uint32_t bytes)
{
	memcpy(table, name, 4);
	lab_put_le32(table + 4, bytes);
	table[8] = 1; /* revision */
	memcpy(table + 10, "WRLDSWLAB     ", 14);
	table[9] = checksum(table, bytes);
}

void lab_preload_cpus(uint8_t firmware[PRELOAD_ROM_BYTES], unsigned int cpus)
{
	const uint32_t at = PRELOAD_ROM_BELOW_1_MIB + PRELOAD_ROM_TABLES;
	uint8_t *pointer = firmware + PRELOAD_ROM_TABLES;
	uint8_t *root = pointer + ACPI_ROOT_AT, *lapics = pointer + ACPI_LAPICS_AT;
	uint8_t *lapic = lapics + ACPI_HEADER_BYTES + 8;

	lab_put_le32(lapics + ACPI_HEADER_BYTES, ACPI_LAPIC_BASE);
	lab_put_le32(lapics + ACPI_HEADER_BYTES + 4, ACPI_PIC_TOO);
	for (unsigned int i = 0; i < cpus; i++, lapic += ACPI_LAPIC_BYTES) {
		lapic[1] = ACPI_LAPIC_BYTES; /* type 0: a CPU, and its APIC's id */
		lapic[2] = lapic[3] = i;
		lapic[4] = ACPI_LAPIC_ENABLED;
	}
	put_header(lapics, "APIC", lapic - lapics);

	put_le64(root + ACPI_HEADER_BYTES, at + ACPI_LAPICS_AT);
	put_header(root, "XSDT", ACPI_ROOT_BYTES);

	memcpy(pointer, "RSD PTR ", 8);
	pointer[15] = 2; /* revision */
	lab_put_le32(pointer + 20, ACPI_POINTER_BYTES);
	put_le64(pointer + 24, at + ACPI_ROOT_AT);
	pointer[8] = checksum(pointer, 20);
	pointer[32] = checksum(pointer, ACPI_POINTER_BYTES);
}
