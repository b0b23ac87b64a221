/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel that a lab boots: the cache, the image, and the modules that the lab loads.
 */
#ifndef WS_TARGETS_LAB_KERNEL_H
#define WS_TARGETS_LAB_KERNEL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* Calls `each` for the cached kernels, oldest first; `package`: NULL: unknown. */
void lab_kernels(enum arch arch,
		 void (*each)(void *ctx, enum arch arch, const char *release,
			      const char *package),
		 void *ctx);

/* The name of the newest kernel unpacked in `cache`, or -ENOENT. */
int lab_kernel_newest(const char *cache, char release[NAME_MAX + 1]);

struct lab_kernel {
	char image[PATH_MAX];
	char modules[PATH_MAX]; /* the folder; "": there is none */
	struct lab_package package;
};

/*
 * The kernel that the user asked for.
 *
 *   kernel   an image, or a name for lab_cache_find(); NULL: the default of the cache
 *   is_name  `kernel` is a name and never an image: it is not the user's own word
 *   modules  a folder; NULL: `modules` beside the image, if it is there
 *
 * Checks the format of the image, and of a cached kernel that its files are those that
 * were downloaded. 0 or a negative errno; -ENETUNREACH: the kernel cannot be downloaded.
 */
int lab_kernel_find(enum arch arch, const char *kernel, bool is_name, const char *modules,
		    enum job_fetch fetch, struct lab_kernel *out, struct error *err);

/* 0 if `head`, the first bytes of an image, begins a kernel for `arch`; else
 * -EINVAL and `what` says what it seems to be. */
#define LAB_KERNEL_HEAD_BYTES 0x210u
int lab_kernel_check(enum arch arch, const unsigned char *head, size_t bytes,
		     const char **what);

#define LAB_MODULES_MAX	       16
#define LAB_PASSTHROUGH_MODULE "worldswitch-pmu" /* of host/kmod */

struct lab_module {
	char name[64]; /* "kvm-amd", always with hyphens */
	uint8_t *data; /* the .ko file */
	size_t bytes;
	bool optional; /* not loaded at boot; a config may load it */
};

struct lab_modules {
	struct lab_module list[LAB_MODULES_MAX]; /* each after all it depends on */
	size_t n;
};

/*
 * Reads NAME.ko (hyphens or underscores) from `dir`, and before it whatever it
 * depends on by its own word (`depends=` in its .modinfo). Nothing, if modules.builtin in
 * `dir` lists the module: the kernel has it built in. `mods` is zeroed; call
 * lab_modules_free() in any case. 0 or a negative errno.
 */
int lab_modules_read(const char *dir, const char *name, struct lab_modules *mods,
		     struct error *err);

/*
 * lab_modules_read() for a module of this project, which is not loaded at the start and
 * depends only on modules that are. Reads the module that scripts/kmod.sh built from the
 * sources of this program (NAME-SOURCE.ko), else NAME.ko. A missing module is not an
 * error.
 */
int lab_modules_read_optional(const char *dir, const char *name, struct lab_modules *mods,
			      struct error *err);
void lab_modules_free(struct lab_modules *mods);

/*
 * The value of the first `key=value` string in a module's image, or NULL. Both ends
 * of it are NUL bytes within the image. `key` includes the equals sign.
 */
const char *lab_module_info(const uint8_t *data, size_t bytes, const char *key);

#endif
