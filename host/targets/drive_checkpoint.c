/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drivers: a VM into a file, and out of it into a fresh VM. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/drive.h"
#include "host/vmm/checkpoint.h"
#include "host/vmm/clock.h"

/* Megabytes each. */
#define CHECKPOINT_EVENTS 5

static int once(struct drive *d, struct vm *vm, const char *path, bool restore,
		uint64_t *ticks)
{
	struct vm fresh;
	uint64_t start = clock_now();
	int err = checkpoint_save(vm, path);

	*ticks = clock_now() - start;
	if (err)
		return error_set(d->err, err, "%s", vm->error.text);
	if (!restore)
		return 0;
	err = vm_create(&fresh, d->kvm_fd, d->config, &vm->listener);
	if (!err) {
		start = clock_now();
		err = checkpoint_restore(&fresh, path);
		*ticks = clock_now() - start;
	}
	if (err)
		error_set(d->err, err, "%s", fresh.error.text);
	vm_destroy(&fresh);
	return err;
}

static int run(struct drive *d, struct vm *vm, const char *path, bool restore,
	       uint64_t *series, uint32_t n)
{
	uint32_t i;
	int err = 0;

	/* The guest has booted: there is something to save. */
	if (vcpu_drain(&vm->vcpus[0]))
		err = error_set(d->err, -EIO, "%s", vm->error.text);
	for (i = 0; !err && i < n; i++)
		err = drive_late(d) ? -ECANCELED : once(d, vm, path, restore, &series[i]);
	return err;
}

/* A folder of our own, also where there is no /tmp, as in a lab. */
static int make_folder(char *folder, size_t bytes)
{
	const char *base = getenv("TMPDIR");

	if (!base)
		base = access("/tmp", W_OK) ? "" : "/tmp";
	snprintf(folder, bytes, "%s/worldswitch-XXXXXX", base);
	return mkdtemp(folder) ? 0 : -errno;
}

static int drive_checkpoint(struct drive *d, bool restore)
{
	struct vm vm;
	char folder[256], path[300];
	uint64_t *series;
	uint32_t n;
	int err;

	series = drive_series(d, CHECKPOINT_EVENTS, &n);
	if (!series)
		return -ENOMEM;
	err = make_folder(folder, sizeof(folder));
	if (err)
		return error_set(d->err, err, "cannot make folder %s: %m", folder);
	snprintf(path, sizeof(path), "%s/checkpoint", folder);
	err = drive_boot(d, &vm, ABI_COMMAND_SPIN);
	if (!err)
		err = run(d, &vm, path, restore, series, n);
	drive_close(&vm);
	unlink(path);
	rmdir(folder);
	if (err)
		return err == -ECANCELED ? 0 : err;
	return drive_done(d);
}

int drive_checkpoint_save(struct drive *d)
{
	return drive_checkpoint(d, false);
}

int drive_checkpoint_restore(struct drive *d)
{
	return drive_checkpoint(d, true);
}
