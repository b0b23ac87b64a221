/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which kernel a lab boots, and whether it is one. */
#ifndef WS_LAB_KERNEL_H
#define WS_LAB_KERNEL_H

#include <limits.h>

#include "bench/catalogue.h"
#include "host/lib/error.h"
#include "host/targets/target.h"

struct lab_kernel {
	char image[PATH_MAX];
	char modules[PATH_MAX]; /* the folder; "": there is none */
};

/*
 * The kernel the user asked for, or the cached one: what the link `default` in
 * the cache names, else the newest release there is.
 *
 *   kernel   an image; or the release of a cached kernel; NULL: the cached one
 *   modules  a folder; NULL: `modules` beside the image, if it is there
 *
 * The image is looked at, not only for being there. 0 or a negative errno.
 */
int lab_kernel_find(enum arch arch, const char *kernel, const char *modules,
		    struct lab_kernel *out, struct error *err);

/* The name of the newest kernel unpacked in `cache`, or -ENOENT. */
int lab_kernel_newest(const char *cache, char release[NAME_MAX + 1]);

/* 0 if `head`, the first bytes of an image, begins a kernel for `arch`; else
 * -EINVAL and `what` says what it seems to be. */
#define LAB_KERNEL_HEAD_BYTES 0x210u
int lab_kernel_check(enum arch arch, const unsigned char *head, size_t bytes,
		     const char **what);

#endif
