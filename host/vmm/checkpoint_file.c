/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of a checkpoint, verified before use; and the records in its sections.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "host/vmm/arch.h"
#include "host/vmm/checkpoint.h"

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

int checkpoint_file_write(struct vm *vm, int fd, const void *body, size_t bytes)
{
	struct checkpoint_header header = header_for(vm);
	int err = 0;

	seal(&header, body, bytes);
	if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET))
		err = -errno;
	if (!err)
		err = write_all(fd, &header, sizeof(header));
	if (!err)
		err = write_all(fd, body, bytes);
	if (!err && fsync(fd))
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

int checkpoint_file_read(struct vm *vm, int fd, uint8_t **body, size_t *bytes)
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
	memmove(data, data + sizeof(struct checkpoint_header), *bytes);
	*body = data;
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
