/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The run loop's statistics, held against KVM's own. */
#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/vmm/stats.h"

int64_t stats_fd_named(const struct kvm_stats_fd *stats, const char *name)
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
 * The same thing under two names. KVM's x86_64 counts accesses that it emulates, and
 * so a string instruction once; arm64 counts returns to user space.
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

int stats_cross_check(const struct vcpu *vcpu, char *wrong, size_t bytes)
{
	int compared = 0;
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		int64_t theirs = stats_fd_named(&vcpu->kvm_stats, pairs[i].kvm);
		uint64_t ours;

		if (theirs < 0)
			continue;
		memcpy(&ours, (const uint8_t *)&vcpu->stats + pairs[i].offset,
		       sizeof(ours));
		if (ours != (uint64_t)theirs) {
			snprintf(wrong, bytes,
				 "%s is %" PRIu64 ", and KVM's %s is %" PRId64,
				 pairs[i].ours, ours, pairs[i].kvm, theirs);
			return -EINVAL;
		}
		compared++;
	}
	return compared;
}
