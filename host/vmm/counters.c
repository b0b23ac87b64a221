/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM's binary statistics, found by name and read by pread(), against the run loop's;
 * the host's counters, named by libpfm4 and opened by perf_event_open(2).
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <perfmon/pfmlib_perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/vmm/counters.h"
#include "host/vmm/kvm_ioctl.h"

/*
 * The header and all descriptors, by one pread() each. The caller frees the descriptors;
 * NULL: no statistics.
 */
static uint8_t *read_descriptors(int fd, struct kvm_stats_header *header)
{
	uint8_t *all;
	size_t bytes;

	if (fd < 0 || pread(fd, header, sizeof(*header), 0) != sizeof(*header))
		return NULL;
	bytes = header->num_desc * (sizeof(struct kvm_stats_desc) + header->name_size);
	all = malloc(bytes ? bytes : 1);
	if (all && pread(fd, all, bytes, header->desc_offset) == (ssize_t)bytes)
		return all;
	free(all);
	return NULL;
}

/* The offset of a counter of one value; -1: this KVM lacks it. */
static int64_t offset_of(const struct kvm_stats_header *header,
			 const uint8_t *descriptors, const char *name)
{
	const size_t bytes = sizeof(struct kvm_stats_desc) + header->name_size;
	uint32_t i;

	for (i = 0; i < header->num_desc; i++, descriptors += bytes) {
		struct kvm_stats_desc desc;

		memcpy(&desc, descriptors, sizeof(desc));
		if (desc.size == 1 && !strncmp((const char *)descriptors + sizeof(desc),
					       name, header->name_size))
			return (int64_t)header->data_offset + desc.offset;
	}
	return -1;
}

/* Finds the statistics of bench/statistics.def, which lie near each other. */
static void find_stats(struct kvm_stats_fd *stats, const struct kvm_stats_header *header,
		       const uint8_t *descriptors)
{
	int64_t offset[STATISTICS], from = INT64_MAX;
	int i;

	for (i = 0; i < STATISTICS; i++) {
		offset[i] = offset_of(header, descriptors, bench_statistic_table[i].name);
		if (offset[i] >= 0 && offset[i] < from)
			from = offset[i];
	}
	stats->from = from;
	for (i = 0; i < STATISTICS; i++)
		if (offset[i] >= 0 &&
		    (offset[i] - from) / (int64_t)sizeof(uint64_t) < KVM_STATS_LACKED)
			stats->at[i] = (uint8_t)((offset[i] - from) / sizeof(uint64_t));
}

/* At the first use, because a row times the creation of VMs that need no statistics. */
static void open_stats(struct vcpu *vcpu)
{
	struct kvm_stats_fd *stats = &vcpu->kvm_stats;
	struct kvm_stats_header header;
	uint8_t *descriptors;

	if (stats->is_known)
		return;
	stats->is_known = true;
	stats->fd = __kvm_ioctl_value(vcpu->fd, KVM_GET_STATS_FD, KVM_NONE);
	memset(stats->at, KVM_STATS_LACKED, sizeof(stats->at));
	descriptors = read_descriptors(stats->fd, &header);
	if (descriptors)
		find_stats(stats, &header, descriptors);
	free(descriptors);
}

void vcpu_kvm_stats_close(struct vcpu *vcpu)
{
	if (vcpu->kvm_stats.is_known && vcpu->kvm_stats.fd >= 0)
		close(vcpu->kvm_stats.fd);
	vcpu->kvm_stats.is_known = false;
}

int64_t vcpu_kvm_stat(struct vcpu *vcpu, enum bench_statistic_id stat)
{
	int64_t value;

	vcpu_kvm_stats(vcpu, &stat, 1, &value);
	return value;
}

void vcpu_kvm_stats(struct vcpu *vcpu, const enum bench_statistic_id *which, size_t n,
		    int64_t *values)
{
	const struct kvm_stats_fd *stats = &vcpu->kvm_stats;
	uint64_t block[KVM_STATS_LACKED];
	size_t i, end = 0;

	open_stats(vcpu);
	for (i = 0; i < n; i++) {
		values[i] = -1;
		if (which[i] != STATISTICS && stats->at[which[i]] != KVM_STATS_LACKED &&
		    stats->at[which[i]] >= end)
			end = stats->at[which[i]] + 1;
	}
	end *= sizeof(*block);
	if (!end || pread(stats->fd, block, end, stats->from) != (ssize_t)end)
		return;
	for (i = 0; i < n; i++)
		if (which[i] != STATISTICS && stats->at[which[i]] != KVM_STATS_LACKED)
			values[i] = (int64_t)block[stats->at[which[i]]];
}

void vm_stat_open(struct vm_stat *stat, const struct vm *vm, const char *name)
{
	struct kvm_stats_header header;
	uint8_t *descriptors;

	stat->is_open = true;
	stat->fd = __kvm_ioctl_value(vm->fd, KVM_GET_STATS_FD, KVM_NONE);
	descriptors = read_descriptors(stat->fd, &header);
	stat->offset = descriptors ? offset_of(&header, descriptors, name) : -1;
	free(descriptors);
}

int64_t vm_stat_read(const struct vm_stat *stat)
{
	uint64_t value;

	if (!stat->is_open || stat->offset < 0 ||
	    pread(stat->fd, &value, sizeof(value), stat->offset) != sizeof(value))
		return -1;
	return (int64_t)value;
}

void vm_stat_close(struct vm_stat *stat)
{
	if (stat->is_open && stat->fd >= 0)
		close(stat->fd);
	stat->is_open = false;
}

/* A counter by KVM's name; -1: this KVM lacks it. */
static int64_t read_named(const struct kvm_stats_fd *stats, const char *name)
{
	struct kvm_stats_header header;
	uint8_t *descriptors = read_descriptors(stats->fd, &header);
	int64_t offset = descriptors ? offset_of(&header, descriptors, name) : -1;
	uint64_t value;

	free(descriptors);
	if (offset < 0 ||
	    pread(stats->fd, &value, sizeof(value), offset) != sizeof(value))
		return -1;
	return (int64_t)value;
}

/*
 * KVM's and the run loop's counter of one event. KVM on x86_64 counts the instructions
 * that it emulates, a string instruction once; on arm64 it counts exits to user space.
 */
static const struct {
	const char *kvm, *ours;
	size_t offset;
} pairs[] = {
	{ "mmio_exit_user", "mmio", offsetof(struct vcpu_stats, mmio) },
	{ "mmio_exits", "mmio", offsetof(struct vcpu_stats, mmio) },
	{ "halt_exits", "halt", offsetof(struct vcpu_stats, halt) },
	{ "hypercalls", "hypercalls", offsetof(struct vcpu_stats, hypercalls) },
	{ "signal_exits", "exit_signal", offsetof(struct vcpu_stats, exit_signal) },
};

int stats_cross_check(struct vcpu *vcpu, struct error *err)
{
	int compared = 0;
	size_t i;

	open_stats(vcpu);
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		int64_t theirs = read_named(&vcpu->kvm_stats, pairs[i].kvm);
		uint64_t ours;

		if (theirs < 0)
			continue;
		memcpy(&ours, (const uint8_t *)&vcpu->stats + pairs[i].offset,
		       sizeof(ours));
		if (ours != (uint64_t)theirs)
			return error_set(err, -EINVAL,
					 "%s is %" PRIu64 ", and KVM's %s is %" PRId64,
					 pairs[i].ours, ours, pairs[i].kvm, theirs);
		compared++;
	}
	return compared;
}

static const struct {
	const char *name;
	const char *event; /* libpfm4's */
	enum perf_event leader;
	bool exclude_host, exclude_guest;
} table[PERF_EVENTS] = {
	[PERF_GUEST_CYCLES] = { "guest_cycles", "perf::CYCLES", PERF_GUEST_CYCLES, true,
				false },
	[PERF_GUEST_INSNS] = { "guest_insns", "perf::INSTRUCTIONS", PERF_GUEST_CYCLES,
			       true, false },
	[PERF_HOST_CYCLES] = { "host_cycles", "perf::CYCLES", PERF_HOST_CYCLES, false,
			       true },
	[PERF_HOST_INSNS] = { "host_insns", "perf::INSTRUCTIONS", PERF_HOST_CYCLES, false,
			      true },
	[PERF_TASK_CLOCK_NS] = { "task_clock_ns", "perf::TASK-CLOCK", PERF_TASK_CLOCK_NS,
				 false, false },
	[PERF_CONTEXT_SWITCHES] = { "context_switches", "perf::CONTEXT-SWITCHES",
				    PERF_TASK_CLOCK_NS, false, false },
};

const char *perf_name(enum perf_event event)
{
	return table[event].name;
}

static int encode(enum perf_event event, struct perf_event_attr *attr)
{
	pfm_perf_encode_arg_t arg = { .attr = attr, .size = sizeof(arg) };
	int ret;

	memset(attr, 0, sizeof(*attr));
	attr->size = sizeof(*attr);
	/* Kernel and user: an exit is the kernel's. */
	ret = pfm_get_os_event_encoding(table[event].event, PFM_PLM0 | PFM_PLM3,
					PFM_OS_PERF_EVENT, &arg);
	if (ret != PFM_SUCCESS)
		return -ENOENT;
	attr->exclude_host = table[event].exclude_host;
	attr->exclude_guest = table[event].exclude_guest;
	attr->read_format =
		PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
	return 0;
}

static int open_one(struct perf_counters *p, enum perf_event event)
{
	enum perf_event leader = table[event].leader;
	struct perf_event_attr attr;
	int err = encode(event, &attr), fd;

	if (err)
		return err;
	if (leader != event && p->fd[leader] < 0)
		return -ENOENT; /* its group is not open */
	fd = perf_event_open(&attr, 0, -1, leader == event ? -1 : p->fd[leader],
			     PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	p->fd[event] = fd;
	return 0;
}

static void explain(struct perf_counters *p, int err)
{
	switch (err) {
	case -ENOENT:
	case -EOPNOTSUPP:
	case -ENODEV:
		snprintf(p->why, sizeof(p->why),
			 "this machine has no PMU that counts cycles and instructions");
		break;
	case -EACCES:
	case -EPERM:
		snprintf(p->why, sizeof(p->why),
			 "no permission to count: see kernel.perf_event_paranoid");
		break;
	case -EINVAL:
		snprintf(p->why, sizeof(p->why),
			 "this machine's PMU cannot count guest and host separately");
		break;
	default:
		snprintf(p->why, sizeof(p->why), "perf_event_open: %s", strerror(-err));
	}
}

int perf_open(struct perf_counters *p)
{
	int event, err = 0, ret;

	*p = (struct perf_counters){ .why = "" };
	for (event = 0; event < PERF_EVENTS; event++)
		p->fd[event] = -1;
	ret = pfm_initialize();
	if (ret != PFM_SUCCESS) {
		snprintf(p->why, sizeof(p->why), "libpfm4: %s", pfm_strerror(ret));
		return -ENOENT;
	}
	for (event = 0; event < PERF_TASK_CLOCK_NS && !err; event++)
		err = open_one(p, event);
	if (err) {
		perf_close(p);
		explain(p, err);
	}
	for (event = PERF_TASK_CLOCK_NS; event < PERF_EVENTS; event++) {
		err = open_one(p, event);
		if (err)
			explain(p, err);
	}
	return p->fd[PERF_TASK_CLOCK_NS] < 0 ? err : 0;
}

void perf_close(struct perf_counters *p)
{
	int event;

	for (event = 0; event < PERF_EVENTS; event++) {
		if (p->fd[event] >= 0)
			close(p->fd[event]);
		p->fd[event] = -1;
	}
}

int perf_read(const struct perf_counters *p, struct perf_values *values)
{
	struct {
		uint64_t value, enabled, running;
	} now;
	int event;

	*values = (struct perf_values){ .value = { 0 } };
	for (event = 0; event < PERF_EVENTS; event++) {
		if (p->fd[event] < 0)
			continue;
		if (read(p->fd[event], &now, sizeof(now)) != sizeof(now))
			return -EIO;
		values->value[event] = now.value;
		/* A multiplexed event would have to be extrapolated. */
		values->counted[event] = now.running && now.running == now.enabled;
	}
	return 0;
}
