/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cache of kernels, which scripts/kernel.sh fills. */
#ifndef WS_TARGETS_LAB_KERNEL_CACHE_H
#define WS_TARGETS_LAB_KERNEL_CACHE_H

#include <limits.h>

#include "bench/catalogue.h"
#include "host/lib/error.h"
#include "host/targets/job.h"

/* The package that a cached kernel is from; "": unknown. */
struct lab_package {
	char version[64]; /* "6.1.192-2" */
	char suite[64];	  /* "bookworm-security" */
};

/*
 * Sets `image` to the image of a cached kernel, downloading the kernel if it is missing
 * and `fetch` allows that.
 *
 *   name  a release, such as 6.12.113+deb12-cloud-amd64; the beginning of one, such as
 *         6.12.113; or a series, such as 7.3: the newest cloud kernel of Debian. NULL:
 *         the kernel that the link `default` names, else the newest in the cache
 *
 * 0, -ENOENT if no kernel has this name, or if `fetch` forbids the download, or
 * -ENETUNREACH if the kernel cannot be downloaded.
 */
int lab_cache_find(enum arch arch, const char *name, enum job_fetch fetch,
		   char image[PATH_MAX], struct error *err);

/*
 * If `image` is the image of a cached kernel: compares size and time of the files of the
 * kernel with those that were recorded after the download, and sets `package`. Where they
 * differ, kernel.sh compares the checksums, and downloads a damaged kernel again if
 * `fetch` allows that. Kernels without a record pass. 0, -EINTR, -EBADMSG if the kernel
 * is damaged and `fetch` forbids the repair, or -ENETUNREACH if the repair failed.
 */
int lab_cache_verify(enum arch arch, const char *image, enum job_fetch fetch,
		     struct lab_package *package, struct error *err);

/* The name of the newest kernel unpacked in `cache`, or -ENOENT. */
int lab_kernel_newest(const char *cache, char release[NAME_MAX + 1]);

#endif
