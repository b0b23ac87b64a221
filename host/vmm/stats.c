/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM's binary statistics, found by name and read by pread(), against the run loop's. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/stats.h"

static const char *const names[KVM_STATS] = {
	[KVM_STAT_EXITS] = "exits",
	[KVM_STAT_IRQ_EXITS] = "irq_exits",
	[KVM_STAT_SIGNAL_EXITS] = "signal_exits",
};

static void find(struct kvm_stats_fd *stats, const struct kvm_stats_header *header,
		 const struct kvm_stats_desc *desc)
{
	int i;

	if (desc->size != 1)
		return;
	for (i = 0; i < KVM_STATS; i++)
		if (!strncmp(desc->name, names[i], header->name_size))
			stats->offset[i] = (int64_t)header->data_offset + desc->offset;
}

void stats_fd_open(int vcpu_fd, struct kvm_stats_fd *stats)
{
	struct kvm_stats_header header;
	struct kvm_stats_desc *desc;
	size_t bytes;
	uint32_t i;

	for (i = 0; i < KVM_STATS; i++)
		stats->offset[i] = -1;
	stats->fd = __kvm_ioctl_value(vcpu_fd, KVM_GET_STATS_FD, KVM_NONE);
	if (stats->fd < 0)
		return;
	if (pread(stats->fd, &header, sizeof(header), 0) != sizeof(header))
		return;
	bytes = sizeof(*desc) + header.name_size;
	desc = malloc(bytes);
	if (!desc)
		return;
	for (i = 0; i < header.num_desc; i++) {
		if (pread(stats->fd, desc, bytes, header.desc_offset + i * bytes) !=
		    (ssize_t)bytes)
			break;
		find(stats, &header, desc);
	}
	free(desc);
}

void stats_fd_close(struct kvm_stats_fd *stats)
{
	if (stats->fd >= 0)
		close(stats->fd);
}

int64_t vcpu_kvm_stat(const struct vcpu *vcpu, enum kvm_stat stat)
{
	const struct kvm_stats_fd *stats = &vcpu->kvm_stats;
	uint64_t value;

	if (stats->fd < 0 || stats->offset[stat] < 0)
		return -1;
	if (pread(stats->fd, &value, sizeof(value), stats->offset[stat]) != sizeof(value))
		return -1;
	return (int64_t)value;
}

/* A counter by KVM's name; -1: this KVM lacks it. */
static int64_t read_named(const struct kvm_stats_fd *stats, const char *name)
{
	struct kvm_stats_header header;
	struct kvm_stats_desc *desc;
	uint64_t value;
	int64_t found = -1;
	size_t bytes;
	uint32_t i;

	if (stats->fd < 0 ||
	    pread(stats->fd, &header, sizeof(header), 0) != sizeof(header))
		return -1;
	bytes = sizeof(*desc) + header.name_size;
	desc = malloc(bytes);
	for (i = 0; desc && i < header.num_desc && found < 0; i++) {
		if (pread(stats->fd, desc, bytes, header.desc_offset + i * bytes) !=
		    (ssize_t)bytes)
			break;
		if (desc->size != 1 || strncmp(desc->name, name, header.name_size))
			continue;
		if (pread(stats->fd, &value, sizeof(value),
			  (off_t)header.data_offset + desc->offset) == sizeof(value))
			found = (int64_t)value;
	}
	free(desc);
	return found;
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

int stats_cross_check(const struct vcpu *vcpu, struct error *err)
{
	int compared = 0;
	size_t i;

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
