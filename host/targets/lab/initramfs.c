/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The initramfs of a lab's machine: its content, and the archive's format. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/targets/lab/initramfs.h"

struct entry {
	const char *path;
	uint32_t inode, mode, links, major, minor;
	const void *data;
	size_t bytes, room; /* of the file; zeros follow its data */
};

#define HEADER_BYTES 110

/* Room for `bytes` in all. Behind the archive it is zeros, which nothing has touched. */
static void reserve(struct lab_cpio *c, size_t bytes)
{
	uint8_t *grown;

	if (c->error || bytes <= c->room)
		return;
	grown = calloc(1, bytes);
	if (!grown) {
		c->error = -ENOMEM;
		return;
	}
	if (c->bytes)
		memcpy(grown, c->data, c->bytes);
	free(c->data);
	c->data = grown;
	c->room = bytes;
}

/* `data`: NULL: zeros. */
static void append(struct lab_cpio *c, const void *data, size_t bytes)
{
	if (c->bytes + bytes > c->room)
		reserve(c, 2 * (c->bytes + bytes));
	if (c->error)
		return;
	if (bytes && data)
		memcpy(c->data + c->bytes, data, bytes);
	c->bytes += bytes;
}

static void pad(struct lab_cpio *c)
{
	append(c, NULL, -c->bytes & 3);
}

/* Fields: magic ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor
 * rdevminor namesize check. Returns where the data is. */
static size_t add_entry(struct lab_cpio *c, const struct entry *e)
{
	char header[HEADER_BYTES + 1];
	size_t name_bytes = strlen(e->path) + 1, at;

	snprintf(header, sizeof(header),
		 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", e->inode,
		 e->mode, 0u, 0u, e->links, 0u, (uint32_t)e->room, 0u, 0u, e->major,
		 e->minor, (uint32_t)name_bytes, 0u);
	append(c, header, HEADER_BYTES);
	append(c, e->path, name_bytes);
	pad(c);
	at = c->bytes;
	append(c, e->data, e->bytes);
	append(c, NULL, e->room - e->bytes);
	pad(c);
	return at;
}

void lab_cpio_dir(struct lab_cpio *c, const char *path)
{
	struct entry e = {
		.path = path, .inode = ++c->inode, .mode = S_IFDIR | 0755, .links = 2
	};

	add_entry(c, &e);
}

void lab_cpio_file(struct lab_cpio *c, const char *path, unsigned int permissions,
		   const void *data, size_t bytes)
{
	struct entry e = {
		.path = path,
		.inode = ++c->inode,
		.mode = S_IFREG | permissions,
		.links = 1,
		.data = data,
		.bytes = bytes,
		.room = bytes,
	};

	add_entry(c, &e);
}

static void add_chardev(struct lab_cpio *c, const char *path, unsigned int permissions,
			unsigned int major, unsigned int minor)
{
	struct entry e = {
		.path = path,
		.inode = ++c->inode,
		.mode = S_IFCHR | permissions,
		.links = 1,
		.major = major,
		.minor = minor,
	};

	add_entry(c, &e);
}

int lab_cpio_end(struct lab_cpio *c)
{
	struct entry e = { .path = "TRAILER!!!", .links = 1 };

	add_entry(c, &e);
	return c->error;
}

/*
 * Files that differ between builds, or that are optional, have a fixed size: the kernel's
 * allocations for them, and those that follow, do not move.
 */
#define PROGRAM_UNIT  (16u << 20)
#define OPTIONAL_UNIT (256u << 10)

static size_t padded(size_t bytes, size_t unit)
{
	return (bytes ? bytes + unit - 1 : unit) / unit * unit;
}

/* A file of a multiple of `unit` bytes: zeros follow its data. Returns where the data is.
 */
static size_t add_padded(struct lab_cpio *out, const char *path, unsigned int permissions,
			 const uint8_t *data, size_t bytes, size_t unit)
{
	struct entry e = {
		.path = path,
		.inode = ++out->inode,
		.mode = S_IFREG | permissions,
		.links = 1,
		.data = data,
		.bytes = bytes,
		.room = padded(bytes, unit),
	};

	return add_entry(out, &e);
}

/* Headers, names, and small files. */
#define SMALL_BYTES 65536u

/* About as much as the archive has: it is not moved while it grows. */
static size_t estimate(const struct lab_initramfs *what)
{
	size_t bytes = SMALL_BYTES + padded(what->program_bytes, PROGRAM_UNIT) +
		       OPTIONAL_UNIT + what->payload_bytes + what->kernel_bytes;

	for (size_t i = 0; i < what->modules->n; i++)
		bytes += what->modules->list[i].bytes;
	return bytes;
}

int lab_initramfs_build(const struct lab_initramfs *what, struct lab_cpio *out)
{
	char order[LAB_MODULES_MAX * (sizeof(what->modules->list[0].name) + 1) + 1] = "";
	const struct lab_module *optional = NULL;

	reserve(out, estimate(what));
	lab_cpio_dir(out, "dev");
	add_chardev(out, "dev/console", 0600, 5, 1);
	lab_cpio_dir(out, "proc");
	lab_cpio_dir(out, "sys");
	lab_cpio_dir(out, "tmp");
	lab_cpio_dir(out, LAB_MODULES_PATH);
	for (size_t i = 0; i < what->modules->n; i++) {
		const struct lab_module *m = &what->modules->list[i];
		char path[sizeof(LAB_MODULES_PATH) + sizeof(m->name) + 4];

		if (m->optional) {
			optional = m;
			continue;
		}
		snprintf(path, sizeof(path), "%s/%s.ko", LAB_MODULES_PATH, m->name);
		lab_cpio_file(out, path, 0644, m->data, m->bytes);
		strcat(order, m->name);
		strcat(order, "\n");
	}
	add_padded(out, LAB_OPTIONAL_PATH, 0644, optional ? optional->data : NULL,
		   optional ? optional->bytes : 0, OPTIONAL_UNIT);
	lab_cpio_file(out, LAB_ORDER_PATH, 0644, order, strlen(order));
	if (what->payload)
		lab_cpio_file(out, LAB_PAYLOAD_PATH, 0644, what->payload,
			      what->payload_bytes);
	if (what->kernel)
		lab_cpio_file(out, LAB_L1_KERNEL_PATH, 0644, what->kernel,
			      what->kernel_bytes);
	out->program_at = add_padded(out, "init", 0755, what->program,
				     what->program_bytes, PROGRAM_UNIT);
	out->program_end = out->program_at + padded(what->program_bytes, PROGRAM_UNIT);
	return lab_cpio_end(out);
}

void lab_modules_free(struct lab_modules *mods)
{
	for (size_t i = 0; i < mods->n; i++)
		free(mods->list[i].data);
	mods->n = 0;
}
