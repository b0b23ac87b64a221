/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What /dev/worldswitch-pmu understands; for the kernel and for programs.
 *
 * An open file belongs to one VM at most. WS_PMU_ATTACH gives it one; closing the
 * file takes it away again, and with the VM all that was changed for it.
 */
#ifndef WS_KMOD_WORLDSWITCH_PMU_H
#define WS_KMOD_WORLDSWITCH_PMU_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define WS_PMU_DEVICE "worldswitch-pmu"
#define WS_PMU_MODULE "worldswitch_pmu"
#define WS_PMU_ABI    1

/*
 * PMU registers pass through. From the first VM with this flag to the last one's end all
 * counters of all CPUs are taken from perf: its events wait, those of other guests' vPMUs
 * do not count. Without this flag the VM goes through the module's hook at every entry
 * and nothing else changes: what the hook costs, for comparison.
 */
#define WS_PMU_PASSTHROUGH (1u << 0)
#define WS_PMU_FLAGS	   WS_PMU_PASSTHROUGH

struct ws_pmu_attach {
	__u32 abi;   /* WS_PMU_ABI */
	__u32 flags; /* WS_PMU_* */
	__s32 vm_fd; /* as KVM_CREATE_VM answered it */
	__u32 reserved;
};

/*
 * EPERM: without CAP_SYS_ADMIN. EINVAL: another ABI, unknown flags, no VM's fd. EBUSY:
 * the file has its VM, the VM its file, WS_PMU_VMS_MAX VMs are attached, or, for
 * WS_PMU_PASSTHROUGH, perf holds a counter of some CPU by a pinned event: the kernel's
 * log names it.
 */
#define WS_PMU_ATTACH  _IOW('W', 0x50, struct ws_pmu_attach)
#define WS_PMU_VMS_MAX 8

#endif
