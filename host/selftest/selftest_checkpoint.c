/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-tests: checkpoints of a running VM, restored into another VM. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/selftest/selftest_vm.h"
#include "host/vmm/arch.h"
#include "host/vmm/checkpoint.h"
#include "host/vmm/io.h"
#include "host/vmm/regs.h"
#include "host/vmm/memory.h"

#define SLOT_BYTES 0x10000ull

/* Adds a device to both VMs: an ITS, or NULL. */
typedef int add_device(struct vm *vm);

/* Runs a VM to its doorbell, and saves it to `fd`. */
static int save_one(struct selftest *t, const struct vm_config *config, add_device *add,
		    const struct abi_params *params, int fd, struct vm *vm)
{
	int err = selftest_open(t, vm, config, NULL, params);

	if (!err && add)
		err = add(vm);
	if (!err)
		err = selftest_go(vm);
	if (!err)
		err = selftest_alive(vm);
	return err ? err : checkpoint_save(vm, fd);
}

static int restore_one(struct selftest *t, const struct vm_config *config,
		       add_device *add, int fd, struct vm *vm)
{
	const struct vm_listener no_listener = { .ctx = NULL };
	int err = vm_create(vm, t->kvm_fd, config, &no_listener);

	if (!err && add)
		err = add(vm);
	return err ? err : checkpoint_restore(vm, fd);
}

/* `times` VMs, each restored from the previous one; the last VM runs to its end. */
static enum selftest_verdict generations(struct selftest *t,
					 const struct vm_config *config, add_device *add,
					 const struct abi_params *params, int times)
{
	enum selftest_verdict verdict;
	struct vm vm;
	int err, fd, n;

	fd = checkpoint_create();
	if (fd < 0)
		return selftest_fail(t, "no file in memory: %s", strerror(-fd));
	err = save_one(t, config, add, params, fd, &vm);
	for (n = 1; !err && n <= times; n++) {
		vm_destroy(&vm);
		err = restore_one(t, config, add, fd, &vm);
		if (!err && n < times)
			err = checkpoint_save(&vm, fd);
	}
	if (!err)
		err = selftest_go(&vm);
	verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	vm_destroy(&vm);
	close(fd);
	return verdict;
}

enum selftest_verdict selftest_checkpoint(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_REGS };
	const struct vm_config config = selftest_config();

	return generations(t, &config, NULL, &params, 1);
}

enum selftest_verdict selftest_checkpoint_user_irqchip(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_REGS };
	struct vm_config config = selftest_config();

	config.irqchip = VM_IRQCHIP_USER;
	return generations(t, &config, NULL, &params, 1);
}

enum selftest_verdict selftest_checkpoint_twice(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_REGS };
	const struct vm_config config = selftest_config();

	return generations(t, &config, NULL, &params, 3);
}

/* A pending LPI, and an LPI whose translation is in the tables of the ITS. */
enum selftest_verdict selftest_checkpoint_its(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_LPI };
	const struct vm_config config = selftest_config();

	return generations(t, &config, irq_its, &params, 2);
}

enum selftest_verdict selftest_checkpoint_vcpus(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_REGS };
	struct vm_config config = selftest_config();

	config.vcpus = 2;
	return generations(t, &config, NULL, &params, 1);
}

/* An interrupt that was injected after the last exit is in the checkpoint. */
static enum selftest_verdict pending(struct selftest *t, enum regs_policy policy)
{
	const struct abi_params params = { .command = SELFTEST_IRQ, .events = 1 };
	struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	struct vm vm;
	int err, fd;

	config.irqchip = VM_IRQCHIP_USER;
	config.sync = policy;
	fd = checkpoint_create();
	if (fd < 0)
		return selftest_fail(t, "no file in memory: %s", strerror(-fd));
	err = selftest_open(t, &vm, &config, NULL, &params);
	if (!err)
		err = selftest_go(&vm);
	if (!err)
		err = vcpu_drain(&vm.vcpus[0]);
	if (!err)
		err = irq_inject(&vm.vcpus[0], SELFTEST_VECTOR);
	if (!err && vm.vcpus[0].irqs.queued)
		err = error_set(&vm.error, -EIO,
				"the guest takes no interrupts at its doorbell");
	if (!err)
		err = checkpoint_save(&vm, fd);
	if (!err) {
		vm_destroy(&vm);
		err = restore_one(t, &config, NULL, fd, &vm);
	}
	if (!err)
		err = selftest_go(&vm);
	verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	if (verdict == SELFTEST_PASS && selftest_seen(&vm, 0) != 1)
		verdict = selftest_fail(t, "%llu interrupts came, 1 was sent",
					(unsigned long long)selftest_seen(&vm, 0));
	vm_destroy(&vm);
	close(fd);
	return verdict;
}

enum selftest_verdict selftest_checkpoint_pending(struct selftest *t)
{
	enum selftest_verdict verdict = pending(t, REGS_SYNC_LAZY);

	if (verdict == SELFTEST_PASS)
		verdict = pending(t, REGS_SYNC_ALWAYS);
	return verdict == SELFTEST_PASS ? pending(t, REGS_SYNC_RUN) : verdict;
}

/* The maximum number of slots, with different contents. */
static int add_all_slots(struct vm *vm)
{
	const struct slot_options options = { .populate = true };
	int err = 0;

	while (!err && vm->slots < VM_SLOTS_MAX)
		err = slot_add(vm, SLOT_GPA + vm->slots * SLOT_BYTES, SLOT_BYTES,
			       &options);
	return err;
}

enum selftest_verdict selftest_checkpoint_slots(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_REGS };
	const struct vm_config config = selftest_config();
	enum selftest_verdict verdict = SELFTEST_PASS;
	struct vm vm;
	unsigned int i;
	int err, fd;

	fd = checkpoint_create();
	if (fd < 0)
		return selftest_fail(t, "no file in memory: %s", strerror(-fd));
	err = selftest_open(t, &vm, &config, NULL, &params);
	if (!err)
		err = add_all_slots(&vm);
	for (i = 0; !err && i < VM_SLOTS_MAX; i++)
		memset(vm.slot[i].hva + SLOT_BYTES / 2, (int)i + 1, 100);
	if (!err)
		err = selftest_go(&vm);
	if (!err)
		err = selftest_alive(&vm);
	if (!err)
		err = checkpoint_save(&vm, fd);
	if (!err) {
		vm_destroy(&vm);
		err = restore_one(t, &config, add_all_slots, fd, &vm);
	}
	for (i = 0; !err && i < VM_SLOTS_MAX; i++)
		if (vm.slot[i].hva[SLOT_BYTES / 2 + 99] != i + 1)
			verdict = selftest_fail(t, "slot %u was not restored", i);
	if (verdict == SELFTEST_PASS) {
		if (!err)
			err = selftest_go(&vm);
		verdict = err ? selftest_error(t, &vm, err) : selftest_done(t, &vm);
	}
	vm_destroy(&vm);
	close(fd);
	return verdict;
}

struct file {
	uint8_t *data;
	size_t bytes;
};

static int load(int fd, struct file *f)
{
	struct stat st;

	f->data = NULL;
	if (fstat(fd, &st))
		return -EIO;
	f->bytes = (size_t)st.st_size;
	f->data = malloc(f->bytes + 1);
	if (f->data && pread(fd, f->data, f->bytes, 0) != st.st_size) {
		free(f->data);
		f->data = NULL;
	}
	return f->data ? 0 : -EIO;
}

static int store(int fd, const uint8_t *data, size_t bytes)
{
	return ftruncate(fd, 0) || pwrite(fd, data, bytes, 0) != (ssize_t)bytes ? -EIO
										: 0;
}

/* All registers as text, without those that count time. */
static char *text_of(struct vm *vm)
{
	char *text = NULL, *at;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	regs_forget(&vm->vcpus[0]);
	(void)regs_dump(&vm->vcpus[0], out);
	fclose(out);
	while (text &&
	       ((at = strstr(text, "\ntsc ")) || (at = strstr(text, "\ncntvct")) ||
		(at = strstr(text, "\ncntpct")) || (at = strstr(text, "\nlapic_"))))
		memmove(at, at + 1 + strcspn(at + 1, "\n"),
			strlen(at + 1 + strcspn(at + 1, "\n")) + 1);
	return text;
}

static bool memory_is_empty(const struct vm *vm)
{
	return !vm->ram[0] && !memcmp(vm->ram, vm->ram + 1, vm->ram_bytes - 1);
}

/* The file is rejected with a message, and the VM is unchanged. */
static enum selftest_verdict refused(struct selftest *t, struct vm *vm, int fd,
				     const char *before, const char *what)
{
	int err = checkpoint_restore(vm, fd);
	enum selftest_verdict verdict = SELFTEST_PASS;
	char *after;

	if (err != -EINVAL)
		return selftest_fail(t, "%s: restoring says %d: %s", what, err,
				     vm->error.text);
	if (!vm->error.text[0] || strchr(vm->error.text, '\n'))
		return selftest_fail(t, "%s: no clear line: '%s'", what, vm->error.text);
	after = text_of(vm);
	if (!before || !after || strcmp(before, after) || !memory_is_empty(vm))
		verdict =
			selftest_fail(t, "%s: it was refused, and the VM changed", what);
	free(after);
	return verdict;
}

struct damage {
	const char *what;
	long at;     /* from the start; negative: from the end */
	long cut;    /* bytes to leave out of the end */
	long append; /* bytes to add */
};

/* One flipped bit, a truncated file, trailing bytes. */
static const struct damage damages[] = {
	{ "its magic", 0, 0, 0 },
	{ "its version", 8, 0, 0 },
	{ "its architecture", 12, 0, 0 },
	{ "its number of vCPUs", 16, 0, 0 },
	{ "its length", 48, 0, 0 },
	{ "its checksum", 56, 0, 0 },
	{ "its header's checksum", 60, 0, 0 },
	{ "the first section", 64, 0, 0 },
	{ "a page", 3000, 0, 0 },
	{ "the last byte", -1, 0, 0 },
	{ "a register", -3000, 0, 0 },
	{ "a byte cut off", 0, 1, 0 },
	{ "a page cut off", 0, 4096, 0 },
	{ "a byte more", 0, 0, 1 },
};

static enum selftest_verdict damage_all(struct selftest *t, struct vm *vm,
					const struct file *f, int fd, const char *before)
{
	enum selftest_verdict verdict = SELFTEST_PASS;
	size_t i;

	if (!f->data)
		return selftest_fail(t, "there is no checkpoint to damage");
	for (i = 0; verdict == SELFTEST_PASS && i < sizeof(damages) / sizeof(damages[0]);
	     i++) {
		const struct damage *d = &damages[i];
		size_t at = d->at < 0 ? f->bytes - (size_t)-d->at : (size_t)d->at;
		bool flip = !d->cut && !d->append;

		if (flip)
			f->data[at] ^= 0x10;
		f->data[f->bytes] = 0;
		if (store(fd, f->data, f->bytes - (size_t)d->cut + (size_t)d->append))
			return selftest_fail(t, "the checkpoint cannot be written");
		if (flip)
			f->data[at] ^= 0x10;
		verdict = refused(t, vm, fd, before, d->what);
	}
	for (i = 0; verdict == SELFTEST_PASS && i < 64; i += 7) {
		if (store(fd, f->data, i))
			return selftest_fail(t, "the checkpoint cannot be written");
		verdict = refused(t, vm, fd, before, "cut off within its header");
	}
	return verdict;
}

enum selftest_verdict selftest_checkpoint_damaged(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_REGS };
	const struct vm_listener no_listener = { .ctx = NULL };
	struct vm_config config = selftest_config();
	enum selftest_verdict verdict;
	struct file f = { .data = NULL };
	char *before = NULL;
	struct vm vm;
	int err, fd;

	fd = checkpoint_create();
	if (fd < 0)
		return selftest_fail(t, "no file in memory: %s", strerror(-fd));
	err = save_one(t, &config, NULL, &params, fd, &vm);
	if (!err && load(fd, &f))
		err = error_set(&vm.error, -EIO, "the checkpoint cannot be read back");
	if (!err) {
		vm_destroy(&vm);
		err = vm_create(&vm, t->kvm_fd, &config, &no_listener);
	}
	before = err ? NULL : text_of(&vm);
	if (err)
		verdict = selftest_error(t, &vm, err);
	else if (!before)
		verdict = selftest_fail(t, "out of memory");
	else
		verdict = damage_all(t, &vm, &f, fd, before);
	vm_destroy(&vm);
	/* Whole, and yet of another make of VM. */
	if (verdict == SELFTEST_PASS && !store(fd, f.data, f.bytes)) {
		config.vcpus = 2;
		err = vm_create(&vm, t->kvm_fd, &config, &no_listener);
		verdict = err ? selftest_error(t, &vm, err)
			      : refused(t, &vm, fd, before, "a VM of two vCPUs");
		vm_destroy(&vm);
	}
	free(before);
	free(f.data);
	close(fd);
	return verdict;
}
