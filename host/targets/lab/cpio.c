/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing cpio archives into memory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/targets/lab/cpio.h"

struct entry {
	const char *path;
	uint32_t inode, mode, links, major, minor;
	const void *data;
	size_t bytes;
};

#define HEADER_BYTES 110

static void append(struct lab_cpio *c, const void *data, size_t bytes)
{
	if (c->error)
		return;
	if (c->bytes + bytes > c->room) {
		size_t room = 2 * (c->bytes + bytes);
		uint8_t *grown = realloc(c->data, room);

		if (!grown) {
			c->error = -ENOMEM;
			return;
		}
		c->data = grown;
		c->room = room;
	}
	if (bytes)
		memcpy(c->data + c->bytes, data, bytes);
	c->bytes += bytes;
}

static void pad(struct lab_cpio *c)
{
	static const char zeros[4];

	append(c, zeros, -c->bytes & 3);
}

/* Fields: magic ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor
 * rdevminor namesize check. */
static void add(struct lab_cpio *c, const struct entry *e)
{
	char header[HEADER_BYTES + 1];
	size_t name_bytes = strlen(e->path) + 1;

	snprintf(header, sizeof(header),
		 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", e->inode,
		 e->mode, 0u, 0u, e->links, 0u, (uint32_t)e->bytes, 0u, 0u, e->major,
		 e->minor, (uint32_t)name_bytes, 0u);
	append(c, header, HEADER_BYTES);
	append(c, e->path, name_bytes);
	pad(c);
	append(c, e->data, e->bytes);
	pad(c);
}

void lab_cpio_dir(struct lab_cpio *c, const char *path)
{
	struct entry e = {
		.path = path, .inode = ++c->inode, .mode = S_IFDIR | 0755, .links = 2
	};

	add(c, &e);
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
	};

	add(c, &e);
}

void lab_cpio_chardev(struct lab_cpio *c, const char *path, unsigned int permissions,
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

	add(c, &e);
}

int lab_cpio_end(struct lab_cpio *c)
{
	struct entry e = { .path = "TRAILER!!!", .links = 1 };

	add(c, &e);
	return c->error;
}
