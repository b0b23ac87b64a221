/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved VMs. Input: a byte of flags, then the body of the file, to which the harness adds
 * a header with right checksums; or, as the flags say, the whole file.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "host/tests/fake_kvm.h"
#include "host/tests/fuzz/fuzz.h"
#include "host/vmm/arch.h"
#include "host/vmm/checkpoint.h"

enum { FLAG_WHOLE = 1, FLAG_VCPUS_2 = 2 };

#define RAM_BYTES 0x4000u
#define GUARD	  64u

static uint8_t memory[GUARD + RAM_BYTES + GUARD], before[RAM_BYTES];
static struct fake_kvm fake;

int fake_kvm_run(struct kvm_run *run, unsigned int vcpu)
{
	(void)vcpu;
	run->exit_reason = KVM_EXIT_HLT;
	return 0;
}

static struct checkpoint_header header_of(const struct vm *vm, const uint8_t *body,
					  size_t bytes)
{
	struct checkpoint_header h = {
		.magic = CHECKPOINT_MAGIC,
		.version = CHECKPOINT_VERSION,
		.arch = (uint32_t)vmm_arch,
		.vcpus = vm->config.vcpus,
		.irqchip = vm->config.irqchip,
		.ram_gpa = vm->ram_gpa,
		.ram_bytes = vm->ram_bytes,
		.body_bytes = bytes,
		.body_crc = (uint32_t)crc32_z(0, body, bytes),
	};

	h.header_crc = (uint32_t)crc32_z(0, (const void *)&h,
					 offsetof(struct checkpoint_header, header_crc));
	return h;
}

/* The restored VM is saved, and that file is restored. */
static void again(struct vm *vm)
{
	int fd = checkpoint_create();

	if (fd < 0)
		abort();
	memcpy(before, vm->ram, RAM_BYTES);
	FUZZ_CHECK(!checkpoint_save(vm, fd), "%s", vm->error.text);
	memset(vm->ram, 0x3c, RAM_BYTES);
	FUZZ_CHECK(!checkpoint_restore(vm, fd), "%s", vm->error.text);
	FUZZ_CHECK(!memcmp(before, vm->ram, RAM_BYTES), "memory changed");
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct checkpoint_header header;
	struct vm *vm = &fake.vm;
	uint8_t flags, *file;
	size_t bytes = 0;
	int fd;

	flags = fuzz_byte(&in);
	fake_kvm_open(&fake, flags & FLAG_VCPUS_2 ? 2 : 1);
	memset(memory, 0xa5, sizeof(memory));
	vm->ram = memory + GUARD;
	vm->ram_gpa = 0;
	vm->ram_bytes = RAM_BYTES;
	file = malloc(sizeof(header) + in.left);
	if (!file)
		abort();
	if (!(flags & FLAG_WHOLE)) {
		header = header_of(vm, in.at, in.left);
		memcpy(file, &header, sizeof(header));
		bytes = sizeof(header);
	}
	memcpy(file + bytes, in.at, in.left);
	bytes += in.left;
	memcpy(before, vm->ram, RAM_BYTES);
	fd = checkpoint_create();
	if (fd < 0 || write(fd, file, bytes) != (ssize_t)bytes)
		abort();
	if (checkpoint_restore(vm, fd)) {
		FUZZ_CHECK(*vm->error.text, "no message");
		FUZZ_CHECK(!memcmp(before, vm->ram, RAM_BYTES),
			   "a refused checkpoint changed the memory");
	} else {
		again(vm);
	}
	for (size_t i = 0; i < GUARD; i++)
		FUZZ_CHECK(memory[i] == 0xa5 && memory[GUARD + RAM_BYTES + i] == 0xa5,
			   "memory beside the guest's was written");
	close(fd);
	free(file);
	vm->ram = NULL;
	fake_kvm_close(&fake);
	return 0;
}
