/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs without libdw: those that run in the labs, and builds without the library. */
#include <errno.h>
#include <stdlib.h>

#include "host/explain/symbols.h"
#include "host/result/result.h"

struct debuginfo {
	enum arch arch;
};

struct debuginfo *debuginfo_new(enum arch arch)
{
	struct debuginfo *d = store_check(malloc(sizeof(*d)));

	d->arch = arch;
	return d;
}

void debuginfo_free(struct debuginfo *d)
{
	free(d);
}

int debuginfo_add(struct debuginfo *d, const char *path, struct error *err)
{
	(void)d;
	return error_set(err, -ENOSYS,
			 "%s: this wsbench was built without libdw (Debian: libdw-dev)",
			 path);
}

void debuginfo_add_image(struct debuginfo *d, const struct image *image,
			 enum trace_space space)
{
	(void)d;
	(void)image;
	(void)space;
}

int debuginfo_bind(struct debuginfo *d, const char *release,
		   const struct debuginfo_code *code, size_t n, struct error *err)
{
	(void)d;
	(void)release;
	(void)code;
	(void)n;
	(void)err;
	return 0;
}

size_t debuginfo_find(struct debuginfo *d, const struct debuginfo_code *code,
		      struct debuginfo_frame frames[DEBUGINFO_DEPTH_MAX])
{
	(void)d;
	(void)code;
	(void)frames;
	return 0;
}
