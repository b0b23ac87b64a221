/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM's binary statistics: found once by name, then one pread() each. */
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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
	stats->fd = ioctl(vcpu_fd, KVM_GET_STATS_FD, NULL);
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
