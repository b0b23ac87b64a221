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
 *
 * Threads: a VM belongs to the thread that builds it, which also runs the boot CPU. The
 * other vCPUs run in threads of their own while vm_run() lasts; then each has an error
 * and a dump of its own, and vm_run() puts those of the first that stopped into the
 * VM's. What is done to a vCPU is done by the thread that runs it; only vcpu_kick() and
 * vcpu_answer() are for any thread.
 */
#ifndef WS_VMM_VMM_H
#define WS_VMM_VMM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/catalogue.h"
#include "host/vmm/state.h"

struct kvm_run;
struct kvm_coalesced_mmio_ring;

#define VM_VCPUS_MAX	4
#define VM_ERROR_BYTES	512
#define VM_EVENTFDS_MAX 16
#define VM_SLOTS_MAX	8
#define VCPU_IRQS_MAX	16

/* Exit reasons that are told apart; exits_name() names them. */
#define VCPU_EXIT_REASONS 64

/* How a kick reaches a vCPU thread. */
enum vm_kick {
	/* A handler sets kvm_run.immediate_exit; costs nothing per entry. */
	VM_KICK_IMMEDIATE_EXIT,
	/*
	 * The signal is blocked but in KVM_RUN (KVM_SET_SIGNAL_MASK), and a pending
	 * one is discarded afterwards; each entry changes the mask twice.
	 */
	VM_KICK_SIGNAL_MASK,
};

/* When registers go from KVM to our copies and back: host/vmm/regs.h. */
enum regs_policy {
	REGS_SYNC_LAZY,	  /* when somebody looks, when somebody has changed one */
	REGS_SYNC_ALWAYS, /* everything, in both directions, around every entry */
	REGS_SYNC_RUN,	  /* KVM_CAP_SYNC_REGS where there is one (x86_64) */
};

/* Where the interrupt controller is. */
enum vm_irqchip {
	VM_IRQCHIP_USER,   /* nowhere: interrupts go in by irq_inject() */
	VM_IRQCHIP_SPLIT,  /* x86_64: LAPIC in the kernel, PIC and IOAPIC outside */
	VM_IRQCHIP_KERNEL, /* PIC, IOAPIC and LAPIC; GIC */
};

/* What becomes of a guest's accesses to PMU registers on arm64: host/vmm/passthrough.h.
 */
enum vm_pmu_access {
	VM_PMU_EMULATED,    /* KVM traps them all */
	VM_PMU_HOOKED,	    /* the same, and every entry goes through our module's hook */
	VM_PMU_PASSTHROUGH, /* our module lets them through to the hardware */
};

/* What a VM is made of. Counter configs change it before it is built. */
struct vm_config {
	unsigned int vcpus; /* 1 to VM_VCPUS_MAX */
	enum vm_irqchip irqchip;
	enum vm_kick kick;
	enum regs_policy sync;
	bool bare_loop;	     /* vcpu_run_bare() instead of vcpu_run() */
	uint32_t dirty_ring; /* entries, a power of 2; 0: none (host/vmm/dirty_ring.h) */
	bool pmu;	     /* the guest gets a virtual PMU */
	bool pmu_off;	     /* x86_64: take the PMU away that KVM gives unasked */
	bool pmc_msr_user;   /* x86_64: the PMU's MSRs exit: host/vmm/pmu_msrs.h */
	enum vm_pmu_access pmu_access;
	uint32_t pmu_hidden_counters; /* x86_64: so many fewer than KVM would give */
	uint32_t disabled_exits;      /* x86_64: KVM_X86_DISABLE_EXITS_* */
	uint64_t counter_offset;      /* aarch64: of CNTVCT and CNTPCT; 0: KVM's own */
};

/*
 * Applies a row of bench/configs.def. 0, or -ENOTSUP with the reason in `why`
 * if the kernel does not offer it.
 */
int config_apply(const struct config *row, int kvm_fd, struct vm_config *config,
		 char *why, size_t why_bytes);

/* Whether the guest may find a virtual PMU: on x86_64 KVM gives it what the host has. */
bool config_has_pmu(const struct vm_config *config);

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

/* Creates a VM and destroys it: 0, or a negative errno that is also in errno. */
int kvm_try_vm(int kvm_fd);

/* Counted by the run loop itself. */
struct vcpu_stats {
	uint64_t vm_exits;	  /* returns of KVM_RUN */
	uint64_t vm_half_entries; /* KVM_RUN only to complete an access */
	uint64_t exit_signal;	  /* ended by a signal */
	uint64_t mmio, io, halt, interrupts, hypercalls;
	uint64_t coalesced_mmio; /* writes taken out of the rings: host/vmm/io.h */
	uint64_t insts; /* guest instructions; 0: nobody counts (host/vmm/perf.h) */
	uint64_t other[VCPU_EXIT_REASONS]; /* by exit reason: those not above */
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

/* Vectors that wait for the guest to take interrupts: host/vmm/irq.h. */
struct vcpu_irqs {
	uint8_t vector[VCPU_IRQS_MAX];
	unsigned int first, queued;
};

struct kvm_dirty_gfn;
struct regs_copy; /* host/vmm/ARCH/regs.c */
struct vcpu_regs {
	enum regs_policy policy;
	uint32_t kvm_newer;  /* groups that the guest may have changed since we read */
	uint32_t ours_newer; /* groups that we changed since we wrote */
	uint32_t in_page; /* REGS_SYNC_RUN: groups that kvm_run holds as KVM has them */
	struct regs_copy *copy;
};

/* Why vcpu_run() came back. */
enum vcpu_stop {
	VCPU_STOP_NONE,
	VCPU_STOP_DOORBELL, /* the payload said that it has finished */
	VCPU_STOP_SHUTDOWN, /* triple fault, power off, ...; vm->error says which */
	VCPU_STOP_BUDGET,   /* its run timer went off */
	VCPU_STOP_TIMEOUT,  /* its thread's deadline passed: watchdog_start() */
	VCPU_STOP_KICK,	    /* somebody kicked it */
	VCPU_STOP_DRAINED,  /* vcpu_drain(): nothing is pending any more */
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
	/* Where a run that was stopped amid an access goes on: not IDLE then. */
	enum vcpu_state resume;
	struct state_trace trace;
	int tid;       /* of the thread that runs it, 0: none; atomic, as is the next */
	bool kicked;   /* asked to leave, and has not yet */
	int answer_fd; /* an eventfd: vcpu_answer() was called */
	/* vm->error and vm->dump, or those of the thread that vm_run() started for it. */
	char *error;
	char **dump;
	struct vcpu_stats stats;
	struct kvm_stats_fd kvm_stats;
	struct vcpu_irqs irqs;
	struct vcpu_regs regs;
	struct pmu_msrs *pmu_msrs;	  /* config.pmc_msr_user; or NULL */
	struct kvm_dirty_gfn *dirty_ring; /* NULL: none */
	uint32_t dirty_next; /* entry to look at; its index modulo the ring's */
};

/* A guest's access to a port or address that no kernel device owns. */
struct vm_access {
	uint64_t address; /* port or gpa */
	uint32_t bytes;	  /* 1 to 8 */
	uint8_t *data;	  /* `bytes` of them: written, or to be filled in */
	bool is_pio, is_write, is_coalesced;
};

enum vm_answer {
	VM_ANSWERED,
	VM_ANSWER_LATER, /* by vcpu_answer(); MMIO that is not coalesced only */
};

/* What the VMM tells its owner while the guest runs. */
struct vm_listener {
	void *ctx;
	/*
	 * Every access but the doorbell's, in the guest's order; may be NULL. Reads
	 * are all ones unless it fills in something else.
	 */
	enum vm_answer (*access)(void *ctx, struct vcpu *vcpu,
				 const struct vm_access *access);
	/*
	 * HLT without an in-kernel controller, and nothing is queued: true if there is
	 * something to run for now. NULL: it is a guest that hangs.
	 */
	bool (*halted)(void *ctx, struct vcpu *vcpu);
	/*
	 * The boot CPU rang: `value` as ABI_DOORBELL() packs it. Doorbells of other vCPUs
	 * are not passed on; ABI_DOORBELL_STOP stops the VM whichever vCPU rings it.
	 */
	void (*doorbell)(void *ctx, uint32_t value);
};

/* Memory beside RAM: host/vmm/slot.h. */
struct vm_slot {
	uint8_t *hva;
	uint64_t gpa, bytes;
};

struct vm {
	int kvm_fd, fd;
	int irqchip_fd;	    /* aarch64's GIC device; -1 */
	int its_fd;	    /* the ITS beside it: irq_its(); -1 */
	int passthrough_fd; /* host/vmm/passthrough.h; -1 */
	struct vm_config config;
	uint8_t *ram; /* ram_bytes at guest-physical ram_gpa */
	uint64_t ram_gpa, ram_bytes;
	struct vcpu vcpus[VM_VCPUS_MAX]; /* config.vcpus of them */
	struct vm_listener listener;
	int eventfd[VM_EVENTFDS_MAX]; /* of ioeventfds and irqfds: `eventfds` of them */
	unsigned int eventfds;
	struct vm_slot slot[VM_SLOTS_MAX]; /* `slots` of them */
	unsigned int slots;
	uint64_t dirty_pages;  /* taken out of the dirty rings so far */
	bool dirty_log_manual; /* KVM_CLEAR_DIRTY_LOG, not reading, clears it */
	/* Writes that KVM collected: host/vmm/io.h. NULL: nobody asked for any. */
	struct kvm_coalesced_mmio_ring *ring;
	uint32_t ring_entries;
	pthread_mutex_t ring_lock;  /* emptying `ring` */
	pthread_mutex_t dirty_lock; /* emptying the dirty rings; dirty_pages */
	/* Why the last vm_run() ended, and by which vCPU. */
	enum vcpu_stop stop;
	unsigned int stopped_by;
	char error[VM_ERROR_BYTES];
	char *dump; /* malloc()ed: all registers after an unhandled exit; or NULL */
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

/* The same for what the vCPU's thread does: sets vcpu->error. */
int vcpu_fail(struct vcpu *vcpu, int err, const char *fmt, ...)
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

/* Puts all vCPUs into the state that bench/abi.h promises, at `entry`. */
int vm_reset(struct vm *vm, uint64_t entry);

/*
 * Runs until the guest stops, `budget` (host/vmm/timer.h; NULL: none) goes off, or
 * somebody kicks; says which in vcpu->stop. Can be called again after BUDGET and
 * KICK, and goes on where it was. -EIO with vm->error after VCPU_STOP_ERROR.
 */
struct run_timer;
int vcpu_run(struct vcpu *vcpu, struct run_timer *budget);

/*
 * Completes accesses that are answered but not yet in the guest's registers, by
 * half entries: KVM_RUN that returns before the first guest instruction. After
 * it the vCPU's registers can be read and written.
 */
int vcpu_drain(struct vcpu *vcpu);

/* KVM_RUN that returns before the guest runs. 0 or -errno with vm->error. */
int vcpu_enter_immediate(struct vcpu *vcpu);

/* The least loop that can do the job, to compare against: for config loop-bare. */
int vcpu_run_bare(struct vcpu *vcpu, struct run_timer *budget);

/* A device that had answered EXITS_PENDING now has its data: from any thread. */
void vcpu_answer(struct vcpu *vcpu, const void *data, size_t bytes);

/*
 * From any thread: makes KVM_RUN of this vCPU return, also one that is about to be
 * entered, and vcpu_run() stop with VCPU_STOP_KICK. No kick is lost; kicks of a
 * vCPU that has not yet noticed the last one are one kick.
 */
void vcpu_kick(struct vcpu *vcpu);

/* The same for the vCPU of the calling thread, if any; for signal handlers. */
void vcpu_kick_self(void);

/*
 * Runs all vCPUs, the boot CPU in the calling thread, the others in one thread
 * each, until one of them stops: vm->stop says why, vm->stopped_by which. -errno with
 * vm->error if it stopped by an error; vm->error begins with "vCPU N: " if it was not
 * the boot CPU. vCPU N's thread is pinned to CPU cpus[N], but for the calling thread;
 * NULL: to none. -errno and VCPU_STOP_NONE if a thread cannot be started or pinned.
 */
int vm_run(struct vm *vm, struct run_timer *budget, const int *cpus);

/* Starts a thread, pinned to `cpu` unless that is -1. 0 or -errno. */
int vm_thread(pthread_t *thread, int cpu, void *(*work)(void *ctx), void *ctx);

/* KVM's counter, or -1. */
int64_t vcpu_kvm_stat(const struct vcpu *vcpu, enum kvm_stat stat);

/* A few lines with the registers, for messages; ends in NUL, cut if need be. */
void vcpu_dump(const struct vcpu *vcpu, char *text, size_t bytes);

#endif
