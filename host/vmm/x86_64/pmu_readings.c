/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64: the host's PMU by CPUID and the msr driver; KVM's by what it supports. */
#include <cpuid.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/pmu.h"

#define MSR_PERF_CAPABILITIES 0x345
#define MSR_FILE	      "/dev/cpu/0/msr"
#define CPUID_ENTRIES	      256
#define MSR_ENTRIES	      512

/* Where each reading is: a leaf and its register, EAX to EDX. */
static const struct {
	uint32_t leaf;
	unsigned int reg;
} leaves[] = {
	[PMU_CPUID_0_EBX] = { 0, 1 },
	[PMU_CPUID_1_ECX] = { 1, 2 },
	[PMU_CPUID_A_EAX] = { 0xa, 0 },
	[PMU_CPUID_A_EBX] = { 0xa, 1 },
	[PMU_CPUID_A_ECX] = { 0xa, 2 },
	[PMU_CPUID_A_EDX] = { 0xa, 3 },
	[PMU_CPUID_80000001_ECX] = { 0x80000001, 2 },
	[PMU_CPUID_80000022_EAX] = { 0x80000022, 0 },
	[PMU_CPUID_80000022_EBX] = { 0x80000022, 1 },
};

#define LEAVES (sizeof(leaves) / sizeof(leaves[0]))

static struct pmu_reading known(uint64_t value)
{
	return (struct pmu_reading){ .known = true, .value = value };
}

static struct pmu_reading unknown(const char *note)
{
	return (struct pmu_reading){ .note = note };
}

static struct pmu_reading read_msr(uint32_t msr)
{
	int fd = open(MSR_FILE, O_RDONLY | O_CLOEXEC);
	uint64_t value;
	ssize_t got;

	if (fd < 0)
		return unknown(errno == EACCES || errno == EPERM
				       ? "not for this user: " MSR_FILE
				       : "no " MSR_FILE ": driver msr is not loaded");
	got = pread(fd, &value, sizeof(value), msr);
	close(fd);
	return got == sizeof(value)
		       ? known(value)
		       : unknown("the CPU has no such MSR, or the kernel denies reading it");
}

void pmu_readings_host(struct pmu_reading *r)
{
	size_t i;

	for (i = 0; i < LEAVES; i++) {
		uint32_t regs[4] = { 0 };

		/* It checks the highest leaf first: leaves above that stay zero. */
		(void)!__get_cpuid_count(leaves[i].leaf, 0, &regs[0], &regs[1], &regs[2],
					 &regs[3]);
		r[i] = known(regs[leaves[i].reg]);
	}
	r[PMU_PERF_CAPABILITIES] = read_msr(MSR_PERF_CAPABILITIES);
	r[PMU_KVM_CAPABILITY] = unknown(NULL);
}

/* A leaf that KVM does not list reads as zero in the guest. */
static uint32_t leaf_of(const struct kvm_cpuid2 *cpuid, uint32_t leaf, unsigned int reg)
{
	uint32_t i;

	for (i = 0; i < cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &cpuid->entries[i];
		const uint32_t regs[4] = { e->eax, e->ebx, e->ecx, e->edx };

		if (e->function == leaf && !e->index)
			return regs[reg];
	}
	return 0;
}

static void read_supported(int kvm_fd, struct pmu_reading *r)
{
	struct kvm_cpuid2 *cpuid =
		calloc(1, sizeof(*cpuid) + CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	bool got;
	size_t i;

	if (cpuid)
		cpuid->nent = CPUID_ENTRIES;
	got = cpuid && !__kvm_ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid);
	for (i = 0; i < LEAVES; i++)
		r[i] = got ? known(leaf_of(cpuid, leaves[i].leaf, leaves[i].reg))
			   : unknown("KVM_GET_SUPPORTED_CPUID failed");
	free(cpuid);
}

static bool is_feature_msr(int kvm_fd, uint32_t msr)
{
	struct kvm_msr_list *list =
		calloc(1, sizeof(*list) + MSR_ENTRIES * sizeof(list->indices[0]));
	bool found = false;
	uint32_t i;

	if (!list)
		return false;
	list->nmsrs = MSR_ENTRIES;
	if (!__kvm_ioctl(kvm_fd, KVM_GET_MSR_FEATURE_INDEX_LIST, list))
		for (i = 0; i < list->nmsrs; i++)
			found |= list->indices[i] == msr;
	free(list);
	return found;
}

static struct pmu_reading read_feature_msr(int kvm_fd, uint32_t msr)
{
	struct {
		struct kvm_msrs msrs;
		struct kvm_msr_entry entry;
	} one = { .msrs.nmsrs = 1, .entry.index = msr };

	if (!is_feature_msr(kvm_fd, msr))
		return unknown("not among KVM's feature MSRs");
	if (__kvm_ioctl_value(kvm_fd, KVM_GET_MSRS, &one.msrs) != 1)
		return unknown("KVM_GET_MSRS failed");
	return known(one.entry.data);
}

void pmu_readings_kvm(int kvm_fd, struct pmu_reading *r)
{
	read_supported(kvm_fd, r);
	r[PMU_PERF_CAPABILITIES] = read_feature_msr(kvm_fd, MSR_PERF_CAPABILITIES);
	r[PMU_KVM_CAPABILITY] =
		known((uint64_t)kvm_check_cap(kvm_fd, KVM_CAP_PMU_CAPABILITY));
}
