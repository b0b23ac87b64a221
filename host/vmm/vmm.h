/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual machine monitor: one VM, its memory, its vCPU and the run loop.
 *
 * Who owns what: `struct vm` owns the KVM file descriptors, guest memory and
 * the vCPU; kvm.c asks the kernel what it can do; vm.c builds and destroys;
 * memory.c is the only way into guest memory; vcpu.c runs; exits.c serves what
 * the guest asks for; stats.c counts; x86_64/ and aarch64/ hold what differs by
 * architecture, chosen by the linker. <linux/kvm.h> stays behind this header.
 *
 * All functions that can fail return 0 or a negative errno and leave one line
 * in vm->error that says what failed.
 */
#ifndef WS_VMM_VMM_H
#define WS_VMM_VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/catalogue.h"

struct kvm_run;

#define VM_VCPUS_MAX 4

/* Where the interrupt controller is. */
enum vm_irqchip {
	VM_IRQCHIP_USER,   /* nowhere: interrupts go in by vcpu_interrupt() */
	VM_IRQCHIP_SPLIT,  /* x86_64: LAPIC in the kernel, PIC and IOAPIC outside */
	VM_IRQCHIP_KERNEL, /* PIC, IOAPIC and LAPIC; GIC */
};

/* What a VM is made of. Counter configs change it before it is built. */
struct vm_config {
	unsigned int vcpus; /* 1 to VM_VCPUS_MAX */
	enum vm_irqchip irqchip;
	bool pmu;     /* the guest gets a virtual PMU */
	bool pmu_off; /* x86_64: take the PMU away that KVM gives unasked */
};

/*
 * Applies a row of bench/configs.def. 0, or -ENOTSUP with the reason in `why`
 * if the kernel does not offer it.
 */
int config_apply(const struct config *row, int kvm_fd, struct vm_config *config,
		 char *why, size_t why_bytes);

/* What /dev/kvm turned out to be. */
enum kvm_flavour {
	KVM_FLAVOUR_VMX,
	KVM_FLAVOUR_SVM,
	KVM_FLAVOUR_ARM64, /* which of the three cannot be told */
	KVM_FLAVOUR_ARM64_VHE,
	KVM_FLAVOUR_ARM64_NVHE,
	KVM_FLAVOUR_ARM64_PROTECTED,
	KVM_FLAVOUR_SOFTWARE, /* x86_64 KVM without VMX or SVM behind it */
	KVM_FLAVOUR_UNKNOWN,
};

/* Opens /dev/kvm and checks the API version. The fd, or -errno and `why`. */
int kvm_open(char *why, size_t why_bytes);
enum kvm_flavour kvm_flavour(int kvm_fd);
const char *kvm_flavour_name(enum kvm_flavour flavour);

/* Whether the flavour's figures are about hardware. */
bool kvm_flavour_is_hardware(enum kvm_flavour flavour);

/* The guest's TSC frequency unless a VM changes it; 0: not x86_64, or unknown. */
uint64_t kvm_tsc_hz(int kvm_fd);

/* KVM_CHECK_EXTENSION: 0 where the kernel does not know `cap`. */
int kvm_extension(int fd, long cap);

/* Counted by the run loop itself; the names are DESIGN section 5's. */
struct vcpu_stats {
	uint64_t vm_exits;	  /* returns of KVM_RUN */
	uint64_t vm_half_entries; /* KVM_RUN only to complete an access */
	uint64_t exit_signal;	  /* ended by a signal */
	uint64_t mmio, io, halt, interrupts, hypercalls;
};

/* KVM's own counters (KVM_GET_STATS_FD) that every architecture has or lacks. */
enum kvm_stat {
	KVM_STAT_EXITS,
	KVM_STAT_IRQ_EXITS, /* x86_64: exits for a host interrupt */
	KVM_STAT_SIGNAL_EXITS,
	KVM_STATS,
};
struct kvm_stats_fd {
	int fd;
	int64_t offset[KVM_STATS]; /* -1: this kernel does not count it */
};

/* The states of gem5's BaseKvmCPU, whose run loop this one follows. */
enum vcpu_state {
	VCPU_IDLE,			 /* not to be run: the guest is done or halted */
	VCPU_RUNNING,			 /* enter the guest */
	VCPU_RUNNING_SERVICE,		 /* KVM_RUN returned: serve the exit */
	VCPU_RUNNING_MMIO_PENDING,	 /* an access waits for its device's answer */
	VCPU_RUNNING_SERVICE_COMPLETION, /* answered; the next entry completes it */
};

/* Why vcpu_run() came back. */
enum vcpu_stop {
	VCPU_STOP_NONE,
	VCPU_STOP_BELL,	    /* the payload said that it has finished */
	VCPU_STOP_SHUTDOWN, /* triple fault, or the guest turned itself off */
	VCPU_STOP_TIMEOUT,  /* its time budget is used up */
	VCPU_STOP_KICK,	    /* somebody kicked it: see target_interrupted */
	VCPU_STOP_ERROR,    /* an exit nobody can serve; vm->error says which */
};

struct vcpu {
	struct vm *vm;
	unsigned int index; /* 0: the boot CPU */
	int fd;
	struct kvm_run *run;
	size_t run_bytes;
	enum vcpu_state state;
	enum vcpu_stop stop;
	struct vcpu_stats stats;
	struct kvm_stats_fd kvm_stats;
};

/* What the VMM tells its owner while the guest runs. */
struct vm_listener {
	void *ctx;
	/* The guest rang: `value` as ABI_BELL() packs it. */
	void (*bell)(void *ctx, uint32_t value);
};

struct vm {
	int kvm_fd, fd;
	int irqchip_fd; /* aarch64's GIC device; -1 */
	struct vm_config config;
	uint8_t *ram; /* ram_bytes at guest-physical ram_gpa */
	uint64_t ram_gpa, ram_bytes;
	struct vcpu vcpus[VM_VCPUS_MAX]; /* config.vcpus of them */
	struct vm_listener listener;
	char error[512];
};

/*
 * Builds a VM with memory, interrupt controller and vCPUs. `vm` need not be
 * initialised; vm_destroy() it also after a failure.
 */
int vm_create(struct vm *vm, int kvm_fd, const struct vm_config *config,
	      const struct vm_listener *listener);
void vm_destroy(struct vm *vm);

/* Sets vm->error to one line and returns `err`, so that callers can return it. */
int vm_fail(struct vm *vm, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Bounds-checked copies; -EFAULT outside of RAM. */
int vm_read(const struct vm *vm, uint64_t gpa, void *to, size_t bytes);
int vm_write(struct vm *vm, uint64_t gpa, const void *from, size_t bytes);

/*
 * Loads the segments of an ELF64 image of this machine's architecture, zeroes
 * the rest, sets `entry`. -ENOEXEC with vm->error for anything that is not one
 * or does not lie wholly in guest RAM.
 */
int vm_load(struct vm *vm, const void *image, size_t bytes, uint64_t *entry);

/* Puts the vCPU into the state that bench/abi.h promises, at `entry`. */
int vcpu_reset(struct vcpu *vcpu, uint64_t entry);

/*
 * Runs until the guest stops, `timeout_ns` of wall time are over (0: no limit),
 * or vcpu_kick_self() was called in a signal handler. Says which in vcpu->stop.
 */
int vcpu_run(struct vcpu *vcpu, uint64_t timeout_ns);

/*
 * Async-signal-safe: makes the KVM_RUN of the calling thread return, also one
 * that is about to be entered.
 */
void vcpu_kick_self(void);

/* KVM's counter, or -1. */
int64_t vcpu_kvm_stat(const struct vcpu *vcpu, enum kvm_stat stat);

/* A few lines with the registers, for messages; ends in NUL, cut if need be. */
void vcpu_dump(const struct vcpu *vcpu, char *text, size_t bytes);

#endif
