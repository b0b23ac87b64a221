/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of arm64's three KVMs this is. No interface tells; the kernel says it
 * once, in its log, when KVM comes up (arch/arm64/kvm/arm.c).
 */
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>

#include "host/vmm/arch.h"

/* linux/syslog.h is not a UAPI header. */
#define SYSLOG_ACTION_READ_ALL	  3
#define SYSLOG_ACTION_SIZE_BUFFER 10

static const struct {
	const char *line;
	enum kvm_flavour flavour;
} lines[] = {
	{ "Protected nVHE mode initialized", KVM_FLAVOUR_ARM64_PROTECTED },
	{ "Protected hVHE mode initialized", KVM_FLAVOUR_ARM64_PROTECTED },
	{ "Hyp mode initialized", KVM_FLAVOUR_ARM64_NVHE },
	{ "Hyp nVHE mode initialized", KVM_FLAVOUR_ARM64_NVHE },
	{ "hVHE mode initialized", KVM_FLAVOUR_ARM64_NVHE },
	/* Last, as it is a part of all the others. */
	{ "VHE mode initialized", KVM_FLAVOUR_ARM64_VHE },
};

enum kvm_flavour arch_flavour(int kvm_fd)
{
	enum kvm_flavour flavour = KVM_FLAVOUR_ARM64;
	int size = klogctl(SYSLOG_ACTION_SIZE_BUFFER, NULL, 0), got;
	char *log;
	size_t i;

	(void)kvm_fd;
	if (size <= 0)
		return flavour;
	log = calloc(1, (size_t)size + 1);
	if (!log)
		return flavour;
	got = klogctl(SYSLOG_ACTION_READ_ALL, log, size);
	for (i = 0; got > 0 && i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (strstr(log, lines[i].line)) {
			flavour = lines[i].flavour;
			break;
		}
	}
	free(log);
	return flavour;
}
