/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory between a lab's machine and us. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lab/port.h"
#include "host/lab/shared.h"

#define PCI_DEVICES "/sys/bus/pci/devices"
#define IVSHMEM_IDS "0x1af4\n0x1110\n" /* vendor, device */

static int map(struct lab_shared *s, int fd, size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	s->memory = memory;
	s->bytes = bytes;
	return 0;
}

int lab_shared_create(struct lab_shared *s, enum lab_shared_kind kind)
{
	int ret = 0;

	*s = (struct lab_shared){
		.kind = kind,
		.fd = memfd_create("worldswitch-wire", MFD_CLOEXEC),
	};
	/* Behind a port the file grows by what is written, and is mapped beforehand. */
	if (s->fd < 0 ||
	    ftruncate(s->fd, kind == LAB_SHARED_MEMORY ? LAB_SHARED_BYTES : 0))
		ret = -errno;
	if (!ret)
		ret = map(s, s->fd, LAB_SHARED_BYTES);
	if (ret)
		lab_shared_free(s);
	return ret;
}

void lab_shared_free(struct lab_shared *s)
{
	if (s->memory)
		munmap(s->memory, s->bytes);
	if (s->fd >= 0)
		close(s->fd);
	*s = (struct lab_shared){ .fd = -1 };
}

/* Appends what a file in the folder `dir` of a PCI device says to `text`. */
static void read_into(int dir, const char *name, char *text, size_t room)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t used = strlen(text);
	ssize_t n = fd < 0 ? -1 : read(fd, text + used, room - used - 1);

	text[used + (n > 0 ? n : 0)] = '\0';
	if (fd >= 0)
		close(fd);
}

static bool is_ivshmem(int dir)
{
	char ids[32] = "";

	read_into(dir, "vendor", ids, sizeof(ids));
	read_into(dir, "device", ids, sizeof(ids));
	return !strcmp(ids, IVSHMEM_IDS);
}

/* The folder of the device, open, or -ENODEV. */
static int find_device(void)
{
	DIR *list = opendir(PCI_DEVICES);
	struct dirent *e;
	int dir = -ENODEV;

	while (list && dir < 0 && (e = readdir(list))) {
		if (e->d_name[0] == '.')
			continue;
		dir = openat(dirfd(list), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir >= 0 && !is_ivshmem(dir)) {
			close(dir);
			dir = -ENODEV;
		}
	}
	if (list)
		closedir(list);
	return dir;
}

static int attach(struct lab_shared *s, int dir, const char **what)
{
	struct stat st;
	int fd, ret;

	/* No driver does it: let the device answer at its addresses. */
	*what = "enable";
	fd = openat(dir, *what, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write(fd, "1", 1) == 1 ? 0 : -errno;
	close(fd);
	if (ret)
		return ret;

	*what = "resource2"; /* the memory is the device's BAR 2 */
	fd = openat(dir, *what, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		ret = -errno;
	else
		ret = st.st_size > LAB_SHARED_DATA ? map(s, fd, st.st_size) : -ENXIO;
	close(fd);
	return ret;
}

int lab_shared_attach(struct lab_shared *s, const char **what)
{
	int dir = find_device(), ret;

	*s = (struct lab_shared){ .fd = -1 };
	*what = "neither a PCI device nor a parallel port";
	if (dir < 0) {
		s->kind = LAB_SHARED_PORT;
		return lab_port_probe();
	}
	ret = attach(s, dir, what);
	close(dir);
	return ret;
}

int lab_shared_append(struct lab_shared *s, const uint8_t *data, size_t bytes)
{
	int64_t written;
	volatile uint8_t *to;

	if (s->kind == LAB_SHARED_PORT)
		return lab_port_write(data, bytes);
	written = lab_shared_written(s);
	if (written < 0)
		return written;
	if (bytes > s->bytes - LAB_SHARED_DATA - written)
		return -ENOSPC;
	/* Byte by byte: to the CPU this is a device, which memcpy() may not touch
	 * (Arm ARM, B2.7.2: unaligned accesses to Device memory fault). */
	to = s->memory + LAB_SHARED_DATA + written;
	for (size_t i = 0; i < bytes; i++)
		to[i] = data[i];
	__atomic_store_n((uint64_t *)(void *)s->memory, written + bytes,
			 __ATOMIC_RELEASE);
	return 0;
}

void lab_shared_wish(struct lab_shared *s, uint32_t wish)
{
	if (s->kind == LAB_SHARED_MEMORY)
		memcpy(s->memory + LAB_SHARED_WISH, &wish, sizeof(wish));
}

uint32_t lab_shared_wished(const struct lab_shared *s)
{
	if (s->kind != LAB_SHARED_MEMORY)
		return 0;
	return *(volatile uint32_t *)(void *)(s->memory + LAB_SHARED_WISH);
}

const uint8_t *lab_shared_data(const struct lab_shared *s)
{
	return s->memory + (s->kind == LAB_SHARED_MEMORY ? LAB_SHARED_DATA : 0);
}

/* By the file's length, which only the emulator, not its machine, can change. */
static int64_t written_to_file(const struct lab_shared *s)
{
	struct stat st;

	if (fstat(s->fd, &st))
		return -errno;
	return st.st_size <= (int64_t)s->bytes ? st.st_size : -EBADMSG;
}

int64_t lab_shared_written(const struct lab_shared *s)
{
	uint64_t n;

	if (s->kind == LAB_SHARED_PORT)
		return written_to_file(s);
	n = __atomic_load_n((uint64_t *)(void *)s->memory, __ATOMIC_ACQUIRE);
	return n <= s->bytes - LAB_SHARED_DATA ? (int64_t)n : -EBADMSG;
}
