/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Creates the file of the records and its control page. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/explain/capture.h"

/* Built for some versions of QEMU's plugin interface: PLUGIN_APIS of the Makefile. */
#define PLUGIN_NAME "libwsbench-trace-qemu%u.so"

/* Whether the plugin is in `dir`; sets c->plugin. */
static bool is_at(struct capture *c, const char *dir, const char *below, unsigned int api)
{
	int n = snprintf(c->plugin, sizeof(c->plugin), "%s%s/" PLUGIN_NAME, dir, below,
			 api);

	return n > 0 && (size_t)n < sizeof(c->plugin) && !access(c->plugin, R_OK);
}

static int find_plugin(struct capture *c, unsigned int api, struct error *err)
{
	const char *env = getenv("WORLDSWITCH_LIBEXEC");
	char dir[PATH_MAX], *slash;
	ssize_t n;

	if (env && *env) {
		if (is_at(c, env, "", api))
			return 0;
		return error_set(err, -ENOENT,
				 "no " PLUGIN_NAME " in WORLDSWITCH_LIBEXEC=%s", api,
				 env);
	}
	n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	dir[n > 0 ? n : 0] = '\0';
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	if (is_at(c, dir, "", api) || is_at(c, dir, "/../libexec/worldswitch", api))
		return 0;
	return error_set(err, -ENOENT,
			 "the emulator's plugin is not built: no %s/" PLUGIN_NAME, dir,
			 api);
}

int capture_open(struct capture *c, uint64_t bytes, bool memory, unsigned int plugin_api,
		 struct error *err)
{
	int ret;

	memset(c, 0, sizeof(*c));
	c->fd = -1;
	ret = plugin_api ? find_plugin(c, plugin_api, err) : 0;
	if (ret)
		return ret;
	c->fd = memfd_create("worldswitch-trace", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	/* An emulator that truncates the file would end this process by SIGBUS. */
	if (c->fd < 0 || ftruncate(c->fd, (off_t)bytes) ||
	    fcntl(c->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
		return error_set(err, -errno, "cannot make a file for the trace: %s",
				 strerror(errno));
	c->page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
		       c->fd, 0);
	if (c->page == MAP_FAILED) {
		c->page = NULL;
		return error_set(err, -errno, "cannot map the trace: %s",
				 strerror(errno));
	}
	c->bytes = bytes;
	c->page->magic = RECORD_MAGIC;
	c->page->version = RECORD_VERSION;
	c->page->memory = memory;
	c->page->room = bytes;
	return 0;
}

void capture_close(struct capture *c)
{
	if (c->page)
		munmap(c->page, c->bytes);
	if (c->fd >= 0)
		close(c->fd);
	c->page = NULL;
	c->fd = -1;
}

int capture_switch(struct capture *c, const struct image *image, uint64_t vaddr, bool on)
{
	struct record_page *page = c->page;
	struct record_switch *s = &page->switches[page->n_switches];

	if (page->n_switches == RECORD_SWITCHES_MAX)
		return -ENOSPC;
	s->vaddr = vaddr;
	s->on = on;
	if (image_read(image, vaddr, s->bytes, sizeof(s->bytes)))
		return -EFAULT;
	page->n_switches++;
	return 0;
}

const uint32_t *capture_records(const struct capture *c, size_t *n)
{
	uint64_t written = c->page->written, most = c->bytes - RECORD_PAGE_BYTES;

	/* The emulator writes the page, and is not trusted. */
	*n = (written < most ? written : most) / sizeof(uint32_t);
	return (const uint32_t *)(const void *)((const char *)c->page +
						RECORD_PAGE_BYTES);
}
