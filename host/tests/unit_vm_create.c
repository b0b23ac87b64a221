/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Creating a VM whose vCPU KVM refuses, and what a setting enables. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/targets/host_timed.h"
#include "host/vmm/arch.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/memory.h"
#include "host/vmm/regs.h"
#include "host/vmm/vmm.h"

static struct kvm_enable_cap enabled;
static unsigned int created; /* VMs */
static int vm_types = 1;     /* a bit each: the default type only */
static struct compat_memory_attributes converted;
static bool has_vcpus;	    /* else they are refused */
static unsigned int opened; /* statistics */
static uint64_t value_of_exits = 7;

/* Statistics of a vCPU: a histogram, "exits", another one, and "invlpg". */
static int statistics(void)
{
	struct {
		struct kvm_stats_header header;
		struct {
			struct kvm_stats_desc desc;
			char name[8];
		} descs[3];
		uint64_t data[5];
	} file = {
		.header = { .name_size = 8,
			    .num_desc = 3,
			    .desc_offset = sizeof(file.header),
			    .data_offset = sizeof(file.header) + sizeof(file.descs) },
		.descs = { { .desc = { .size = 2 }, .name = "exits" },
			   { .desc = { .size = 1, .offset = 16 }, .name = "exits" },
			   { .desc = { .size = 1, .offset = 32 }, .name = "invlpg" } },
		.data = { 1, 2, value_of_exits, 8, 9 },
	};
	int fd = memfd_create("statistics", 0);

	cr_assert_eq(write(fd, &file, sizeof(file)), sizeof(file));
	opened++;
	return fd;
}

static int new_vcpu(void)
{
	int fd = memfd_create("vcpu", 0);

	cr_assert_eq(ftruncate(fd, 3 * 4096), 0);
	return fd;
}

/*
 * KVM with a mediated vPMU on a host whose NMI watchdog has a counter. Capabilities
 * have the value 1.
 */
int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	int value;

	(void)fd;
	switch (request) {
	case KVM_CHECK_EXTENSION:
		va_start(args, request);
		value = va_arg(args, unsigned long) == KVM_CAP_VM_TYPES ? vm_types : 1;
		va_end(args);
		return value;
	case KVM_ENABLE_CAP:
		va_start(args, request);
		enabled = *va_arg(args, const struct kvm_enable_cap *);
		va_end(args);
		return 0;
	case COMPAT_SET_MEMORY_ATTRIBUTES:
		va_start(args, request);
		converted = *va_arg(args, const struct compat_memory_attributes *);
		va_end(args);
		return 0;
	case KVM_CREATE_VM:
		created++;
		return dup(STDERR_FILENO);
	case KVM_GET_STATS_FD:
		return statistics();
	case KVM_GET_VCPU_MMAP_SIZE:
		return 3 * 4096;
	case KVM_CREATE_VCPU:
		if (has_vcpus)
			return new_vcpu();
		errno = EBUSY;
		return -1;
	default:
		return 0;
	}
}

Test(vm_create, counters_in_use_are_unsupported_and_name_the_watchdog)
{
	const struct vm_config config = { .vcpus = 1 };
	const struct vm_listener listener = { 0 };
	static struct vm vm;

	cr_expect_eq(vm_create(&vm, STDERR_FILENO, &config, &listener), -ENOTSUP);
	cr_expect_not_null(strstr(vm.error.text, "nmi_watchdog=0"));
	cr_expect_not_null(strstr(vm.error.text, "KVM_CREATE_VCPU"));
	vm_destroy(&vm);
}

/* A row times the creation. */
Test(vm_create, statistics_are_opened_by_their_first_use)
{
	const struct vm_config config = { .vcpus = 1 };
	const struct vm_listener listener = { 0 };
	static struct vm vm;

	has_vcpus = true;
	(void)vm_create(&vm, STDERR_FILENO, &config, &listener);
	cr_assert_geq(vm.vcpus[0].fd, 0);
	cr_assert_not_null(vm.vcpus[0].run);
	cr_expect_eq(opened, 0);
	cr_expect_eq(vcpu_kvm_stat(&vm.vcpus[0], STATISTIC_exits), 7);
	cr_expect_eq(vcpu_kvm_stat(&vm.vcpus[0], STATISTIC_irq_exits), -1);
	cr_expect_eq(vcpu_kvm_stat(&vm.vcpus[0], STATISTIC_exits), 7);
	cr_expect_eq(opened, 1);
	vm_destroy(&vm);
}

/* In any order; one that this KVM lacks does not hide the others. */
Test(vm_create, statistics_of_one_moment)
{
	const enum bench_statistic_id stats[] = { STATISTIC_invlpg, STATISTIC_irq_exits,
						  STATISTICS, STATISTIC_exits };
	const struct vm_config config = { .vcpus = 1 };
	const struct vm_listener listener = { 0 };
	static struct vm vm;
	int64_t values[4];

	has_vcpus = true;
	(void)vm_create(&vm, STDERR_FILENO, &config, &listener);
	vcpu_kvm_stats(&vm.vcpus[0], stats, 4, values);
	cr_expect(values[0] == 9 && values[1] == -1 && values[2] == -1 && values[3] == 7);
	vcpu_kvm_stats(&vm.vcpus[0], stats + 1, 2, values);
	cr_expect(values[0] == -1 && values[1] == -1);
	vm_destroy(&vm);
}

static void create_and_destroy(bool sw_protected)
{
	const struct vm_config config = { .vcpus = 1, .sw_protected = sw_protected };
	const struct vm_listener listener = { 0 };
	static struct vm vm;

	(void)vm_create(&vm, STDERR_FILENO, &config, &listener);
	vm_destroy(&vm);
}

Test(vm_create, spare_vms_are_used_first)
{
	kvm_spare_vms_create(STDERR_FILENO);
	cr_expect_eq(created, KVM_SPARE_VMS);
	for (int i = 0; i < KVM_SPARE_VMS; i++)
		create_and_destroy(false);
	cr_expect_eq(created, KVM_SPARE_VMS);
	create_and_destroy(false);
	cr_expect_eq(created, KVM_SPARE_VMS + 1, "none is left");
}

Test(vm_create, what_is_timed_or_of_another_type_is_not_a_spare_vm)
{
	vm_types = 1 | 1 << COMPAT_X86_SW_PROTECTED_VM;
	kvm_spare_vms_create(STDERR_FILENO);
	create_and_destroy(true);
	cr_expect_eq(created, KVM_SPARE_VMS + 1, "of another type");
	kvm_spare_vms_destroy();
	create_and_destroy(false);
	cr_expect_eq(created, KVM_SPARE_VMS + 2, "they were destroyed");
}

static unsigned int open_descriptors(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* The first creation fails; had it used a spare VM, it would not be counted. */
Test(vm_create, rows_that_time_whole_vms_use_no_spare_vm_and_keep_none)
{
	static int (*const rows[])(struct host_timed * h) = {
		host_timed_vm_create,
		host_timed_first_exit,
		host_timed_checkpoint_save,
		host_timed_checkpoint_restore,
	};
	/* Of another row, a boot that keeps its VM. */
	const struct boot_request rq = { .params.events = 10, .vm_end = VM_KEPT };
	const struct vm_config config = { .vcpus = 1 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static struct boot_report rep;
		struct error err = { "" };
		struct host_timed h = { .kvm_fd = STDERR_FILENO,
					.config = &config,
					.rq = &rq,
					.rep = &rep,
					.err = &err };
		const unsigned int open = open_descriptors();
		unsigned int before;

		boot_report_init(&rep);
		kvm_spare_vms_create(STDERR_FILENO);
		before = created;
		cr_expect_neq(rows[i](&h), 0);
		cr_expect_eq(created, before + 1, "row %zu", i);
		cr_expect_eq(open_descriptors(), open, "row %zu keeps its VM", i);
		boot_report_free(&rep);
	}
}

/* Whatever else is in the heap. */
Test(regs, what_ioctls_copy_begins_a_page)
{
	static const size_t before[] = { 1, 24, 300, 2500, 5000 };

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		void *unrelated = malloc(before[i]);
		uint8_t *at = regs_alloc(5000);

		cr_assert_not_null(at);
		cr_expect_eq((uintptr_t)at % 4096, 0);
		for (size_t k = 0; k < 5000; k++)
			cr_assert_eq(at[k], 0);
		memset(at, 0xff, 5000);
		regs_release(at);
		free(unrelated);
	}
	regs_release(NULL);
}

Test(regs, names)
{
	cr_expect(regs_is_name("rip", "rip") && regs_is_name("", ""));
	cr_expect(!regs_is_name("rip", "rip2") && !regs_is_name("rip2", "rip"));
	cr_expect(!regs_is_name("", "r") && !regs_is_name("rax", "rbx"));
}

/* QEMU (target/i386/kvm/kvm.c) sets both bits: a notify exit ends KVM_RUN. */
Test(vm_create, notify_exits_go_to_user_space)
{
	static struct vm vm = { .config.settings = 1u << SETTING_notify_vmexit };
	struct error err;

	if (!vm_settings[SETTING_notify_vmexit].cap)
		cr_skip_test("not a setting of this architecture");
	cr_expect_eq(setting_check(SETTING_notify_vmexit, STDERR_FILENO, &err), 0);
	cr_assert_eq(settings_early(&vm), 0);
	cr_expect_eq(enabled.cap, KVM_CAP_X86_NOTIFY_VMEXIT);
	cr_expect_eq(enabled.args[0],
		     KVM_X86_NOTIFY_VMEXIT_ENABLED | KVM_X86_NOTIFY_VMEXIT_USER);
}

/* The value 1 is a bit per type: only ordinary VMs. */
Test(vm_create, a_kernel_without_protected_vms_is_named)
{
	const struct vm_config config = { .vcpus = 1, .sw_protected = true };
	const struct vm_listener listener = { 0 };
	static struct vm vm;

	cr_expect_eq(vm_create(&vm, STDERR_FILENO, &config, &listener), -ENOTSUP);
	cr_expect_not_null(strstr(vm.error.text, "CONFIG_KVM_SW_PROTECTED_VM"));
	vm_destroy(&vm);
}

/* The guest chooses address and length. */
Test(memory, only_whole_pages_of_a_slot_are_converted)
{
	static struct vm vm = { .slots = 2 };
	const uint64_t gpa = SLOT_GPA, bytes = 0x4000;
	static const struct {
		uint64_t gpa, bytes;
	} wrong[] = {
		{ 0, 0x1000 },			   /* RAM */
		{ SLOT_GPA - 0x1000, 0x2000 },	   /* begins before the slot */
		{ SLOT_GPA + 0x3000, 0x2000 },	   /* ends behind it */
		{ SLOT_GPA, 0 },		   /* nothing */
		{ SLOT_GPA + 0x1000, UINT64_MAX }, /* wraps around */
		{ SLOT_GPA, UINT64_MAX & ~0xfffull },
		{ SLOT_GPA + 0x800, 0x1000 },
		{ SLOT_GPA, 0x1800 },
	};

	vm.slot[0] = (struct vm_slot){ .gpa = 2 * SLOT_GPA, .bytes = bytes };
	vm.slot[1] = (struct vm_slot){ .gpa = gpa, .bytes = bytes };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_eq(memory_convert(&vm, wrong[i].gpa, wrong[i].bytes, true),
			     -EINVAL, "%zu", i);
	cr_expect_eq(converted.size, 0);
	cr_expect_eq(memory_convert(&vm, gpa + 0x1000, 0x3000, true), 0);
	cr_expect_eq(converted.address, gpa + 0x1000);
	cr_expect_eq(converted.size, 0x3000);
	cr_expect_eq(converted.attributes, COMPAT_MEMORY_PRIVATE);
	cr_expect_eq(memory_convert(&vm, gpa, bytes, false), 0);
	cr_expect_eq(converted.attributes, 0);
}
