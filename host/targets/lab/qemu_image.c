/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel in the memory of a machine of QEMU that is booted. QEMU reads an arm64
 * Image, copies it twice, and faults in each page of the copies: 0.03 s. The memory is a
 * file, so wsbench writes the Image where QEMU would, and QEMU starts the first page of
 * it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/targets/lab/file.h"
#include "host/targets/lab/qemu.h"
#include "host/targets/lab/wire.h"

/* QEMU's load_aarch64_image() in hw/arm/boot.c: its own code is in the first page. */
#define BOOTLOADER_BYTES 4096u
#define IMAGE_ALIGNMENT	 (2u << 20)
#define HEAD_BYTES	 4096u

/* Documentation/arch/arm64/booting.rst: all numbers are little-endian. */
#define TEXT_OFFSET 8
#define IMAGE_SIZE  16
#define MAGIC	    56

static uint64_t get_le64(const uint8_t *p)
{
	return lab_get_le32(p) | (uint64_t)lab_get_le32(p + 4) << 32;
}

uint64_t qemu_image_place(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
			  uint64_t memory_bytes)
{
	uint64_t at, size;

	if (head_bytes < HEAD_BYTES || memcmp(head + MAGIC, "ARM\x64", 4))
		return 0;
	at = get_le64(head + TEXT_OFFSET);
	size = get_le64(head + IMAGE_SIZE);
	if (at < BOOTLOADER_BYTES)
		at += IMAGE_ALIGNMENT;
	/* Of size 0: before Linux 3.17. Where there is no room, QEMU says so. */
	if (size < file_bytes || size > memory_bytes || at > memory_bytes - size)
		return 0;
	return at;
}

/* Without it, the kernel does all itself. */
static void prepare(int memory, uint64_t place, size_t bytes)
{
	uint8_t *image = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory,
			      (off_t)place);

	if (image == MAP_FAILED)
		return;
	(void)qemu_image_trace(image, bytes);
	munmap(image, bytes);
}

int qemu_image_load(int kernel, int memory, uint64_t memory_bytes, bool whole)
{
	uint8_t head[HEAD_BYTES];
	const ssize_t n = pread(kernel, head, sizeof(head), 0);
	struct stat st;
	uint64_t place;
	off_t from = 0;

	if (n < 0 || fstat(kernel, &st))
		return -errno;
	place = qemu_image_place(head, (size_t)n, (uint64_t)st.st_size, memory_bytes);
	if (!place)
		return fcntl(kernel, F_DUPFD_CLOEXEC, 0);
	if (lseek(memory, (off_t)place, SEEK_SET) < 0)
		return -errno;
	while (from < st.st_size) {
		const ssize_t sent =
			sendfile(memory, kernel, &from, (size_t)(st.st_size - from));

		if (sent <= 0)
			return sent ? -errno : -EIO;
	}
	if (!whole)
		prepare(memory, place, (size_t)st.st_size);
	return lab_memory_file("worldswitch-kernel", head, sizeof(head));
}
