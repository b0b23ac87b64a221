/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual machine monitor (VMM): one VM, its memory, its vCPUs and the run loop.
 *
 * `struct vm` owns the KVM file descriptors, guest memory and the vCPUs. vm.c opens
 * /dev/kvm, creates and destroys a VM; memory.c is the way into guest memory;
 * vcpu_run.c is the run loop of one vCPU, exits.c serves its rarer exits, vm_run.c runs
 * the threads of several vCPUs; x86_64/ and aarch64/ hold what differs by architecture,
 * chosen by the linker. Users of this header do not need <linux/kvm.h>.
 *
 * A function that can fail returns 0 or a negative errno and sets vm->error (a function
 * on a vCPU: *vcpu->error).
 *
 * Threads: a VM belongs to the thread that creates it, which also runs the boot CPU
 * (vCPU 0). While vm_run() lasts each other vCPU has a thread, an error and a dump of its
 * own; vm_run() moves those of the first vCPU that stopped to the VM. Only the thread
 * that runs a vCPU calls functions on it, except vcpu_kick() and vcpu_answer(), which any
 * thread may call.
 */
#ifndef WS_VMM_VMM_H
#define WS_VMM_VMM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/catalogue.h"
#include "host/lib/error.h"
#include "host/vmm/state.h"

struct kvm_run;
struct kvm_coalesced_mmio_ring;
struct kvm_dirty_gfn;
struct run_timer;

#define VM_VCPUS_MAX	16
#define VM_VCPUS_OWN	4 /* without memory of their own */
#define VM_EVENTFDS_MAX 16
#define VM_SLOTS_MAX	8
#define VCPU_IRQS_MAX	16

/* Exit reasons with a counter and a name of their own: exits_name(). */
#define VCPU_EXIT_REASONS 64

/* How a kick reaches a vCPU thread. */
enum vm_kick {
	/* A signal handler sets kvm_run.immediate_exit: no cost per entry. */
	VM_KICK_IMMEDIATE_EXIT,
	/*
	 * The signal is unblocked in KVM_RUN only (KVM_SET_SIGNAL_MASK) and a pending one
	 * is discarded afterwards: each entry changes the signal mask twice.
	 */
	VM_KICK_SIGNAL_MASK,
};

/* When registers move between KVM and the VMM's copy: host/vmm/regs.h. */
enum regs_policy {
	REGS_SYNC_LAZY,	  /* when the VMM reads or changes one */
	REGS_SYNC_ALWAYS, /* all, in both directions, around every entry */
	REGS_SYNC_RUN,	  /* through kvm_run: KVM_CAP_SYNC_REGS (x86_64) */
};

/* Where the interrupt controller is. */
enum vm_irqchip {
	VM_IRQCHIP_USER,   /* none: the VMM injects interrupts by irq_inject() */
	VM_IRQCHIP_SPLIT,  /* x86_64: LAPIC in the kernel, PIC and IOAPIC in the VMM */
	VM_IRQCHIP_KERNEL, /* PIC, IOAPIC and LAPIC; GIC: all in the kernel */
};

/* How arm64 handles a guest's accesses to PMU registers: host/vmm/traps.h. */
enum vm_pmu_access {
	VM_PMU_EMULATED,    /* KVM traps and emulates all of them */
	VM_PMU_HOOKED,	    /* as EMULATED, with the module's hook at every entry */
	VM_PMU_PASSTHROUGH, /* the module of host/kmod disables the traps */
};

/* How a VM is built. A counter config fills it in: config_apply(). */
struct vm_config {
	unsigned int vcpus; /* 1 to VM_VCPUS_MAX */
	bool windows;	    /* each vCPU runs a copy of the payload: bench/abi.h */
	enum vm_irqchip irqchip;
	enum vm_kick kick;
	enum regs_policy sync;
	bool bare_loop;	     /* vcpu_run_bare() instead of vcpu_run() */
	uint32_t dirty_ring; /* entries, a power of 2; 0: none (host/vmm/memory.h) */
	bool pmu;	     /* aarch64: the guest gets a virtual PMU */
	bool pmu_off;	     /* x86_64: disable the virtual PMU, which is on by default */
	bool pmc_msr_user;   /* x86_64: the PMU's MSRs exit: host/vmm/pmu.h */
	enum vm_pmu_access pmu_access;
	uint32_t pmu_hidden_counters; /* x86_64: how many CPUID hides of KVM's counters */
	uint32_t disabled_exits;      /* x86_64: KVM_X86_DISABLE_EXITS_* */
	uint64_t counter_offset;      /* aarch64: of CNTVCT and CNTPCT; 0: KVM's own */
	bool secondaries_off; /* aarch64: all but the boot CPU wait for PSCI CPU_ON */
	bool nested; /* the guest is a hypervisor; x86_64: it may be, whatever this is */
	bool pmu_idle;	   /* only rows that measure the PMU may use it */
	bool cpuid_no_pmu; /* x86_64: CPUID leaf 0xa is empty */
	bool sw_protected; /* x86_64: KVM_X86_SW_PROTECTED_VM, whose memory can be private
			    */
	bool evmcs;	   /* x86_64: Hyper-V's leaves and enlightened VMCS */
	uint32_t settings; /* of bench/shapes.def, by bit: config_settings() */
	uint64_t ram_bytes; /* of a VM for Linux (linux.h); 0: ABI_RAM_BYTES */
	char lacks[160];    /* settings that this KVM does not offer, by name */
};

/* 0, or -ENOTSUP with the reason if a guest of this KVM cannot be a hypervisor. */
int vm_nested_available(int kvm_fd, struct error *err);

/*
 * Fills in `config` for a row of bench/configs.def. 0, or -ENOTSUP with the reason if
 * this kernel or machine does not offer the config.
 */
int config_apply(const struct config *row, int kvm_fd, struct vm_config *config,
		 struct error *err);

/* Whether the guest may have a virtual PMU: on x86_64, unless it is disabled. */
bool config_has_pmu(const struct vm_config *config);

/* The implementation behind /dev/kvm. */
enum kvm_flavour {
	KVM_FLAVOUR_VMX,
	KVM_FLAVOUR_SVM,
	KVM_FLAVOUR_ARM64, /* one of the following four, unknown which */
	KVM_FLAVOUR_ARM64_VHE,
	KVM_FLAVOUR_ARM64_NESTED, /* VHE, and guests may have an EL2 */
	KVM_FLAVOUR_ARM64_NVHE,
	KVM_FLAVOUR_ARM64_PROTECTED,
	KVM_FLAVOUR_SOFTWARE, /* x86_64 KVM without VMX and SVM */
	KVM_FLAVOUR_UNKNOWN,
};

/* By the release of the kernel. */
bool kernel_is_at_least(unsigned int major, unsigned int minor);

/* Opens /dev/kvm and checks the API version. The file descriptor or -errno. */
int kvm_open(struct error *err);
enum kvm_flavour kvm_flavour(int kvm_fd);
const char *kvm_flavour_name(enum kvm_flavour flavour);

/* Whether KVM uses the CPU's virtualization extensions. */
bool kvm_flavour_is_hardware(enum kvm_flavour flavour);

/* The default TSC frequency of guests; 0: unknown, or not x86_64. */
uint64_t kvm_tsc_hz(int kvm_fd);

/* How many vCPUs a VM may have. */
unsigned int kvm_vcpus_max(int kvm_fd);

/*
 * Whether KVM of x86_64 maps up to eight pages at one stage-2 fault:
 * direct_pte_prefetch(), unless EPT has no accessed bits, and FNAME(pte_prefetch)(). The
 * TDP MMU, the default from Linux 5.15 on, has neither; it needs nested paging.
 */
bool kvm_maps_neighbours(int kvm_fd);

/* Creates a VM and destroys it: 0, or a negative errno that is also in errno. */
int kvm_try_vm(int kvm_fd);

/*
 * VMs that the next calls of vm_create() use: each clone of a lab's machine would create
 * its own. A VM belongs to the process that created it.
 */
#define KVM_SPARE_VMS 2 /* for two boots */
void kvm_spare_vms_create(int kvm_fd);

/* Those that are left: before a row that times the creation of VMs. */
void kvm_spare_vms_destroy(void);

/*
 * VMs that are created but never run. They shift what the kernel allocates for the next
 * VM to other places of its slabs and page lists: the instruction count of some paths
 * depends on the place (__check_object_size() branches on the page of an object).
 */
#define SPACERS_MAX 16
struct spacer {
	int fds[2 * SPACERS_MAX]; /* of VM 0, its vCPU, VM 1, its vCPU, ...; -1: none */
};

/* `n` VMs with a vCPU each; as many as the kernel allows, at most SPACERS_MAX. */
void spacer_open(struct spacer *s, uint32_t n);
void spacer_close(struct spacer *s);

/* Counted by the run loop. */
struct vcpu_stats {
	uint64_t vm_exits;	  /* returns of KVM_RUN */
	uint64_t vm_half_entries; /* KVM_RUN that only completes an access */
	uint64_t exit_signal;	  /* KVM_RUN ended without an exit: EINTR */
	uint64_t mmio, io, halt, interrupts, hypercalls;
	uint64_t coalesced_mmio; /* writes read from the coalesced ring: host/vmm/io.h */
	uint64_t insts; /* guest instructions; 0: not counted (host/vmm/counters.h) */
	uint64_t other[VCPU_EXIT_REASONS]; /* by exit reason: all without a field above */
};

/*
 * KVM's statistics (KVM_GET_STATS_FD) of bench/statistics.def: host/vmm/counters.h.
 * Small, because rows time the creation of a VM, which clears it.
 */
#define KVM_STATS_LACKED UINT8_MAX
struct kvm_stats_fd {
	bool is_known; /* whether this kernel has statistics; else the rest is unset */
	int fd;	       /* negative: none (before Linux 5.14) */
	int64_t from;  /* the offset of the first of them in the file */
	uint8_t at[STATISTICS]; /* values behind `from`; KVM_STATS_LACKED: none */
};

/* Vectors queued until the guest accepts interrupts: host/vmm/io.h. */
struct vcpu_irqs {
	uint8_t vector[VCPU_IRQS_MAX];
	unsigned int first, queued;
};

struct regs_copy; /* host/vmm/ARCH/regs_copy.h */
struct vcpu_regs {
	enum regs_policy policy;
	uint32_t stale;	  /* groups that the guest may have changed since the last read */
	uint32_t dirty;	  /* groups that the VMM changed since the last write */
	uint32_t in_page; /* REGS_SYNC_RUN: groups of which kvm_run has KVM's values */
	struct regs_copy *copy;
};

/* Why vcpu_run() returned. */
enum vcpu_stop {
	VCPU_STOP_NONE,
	VCPU_STOP_DOORBELL, /* the payload rang the doorbell with ABI_DOORBELL_STOP */
	VCPU_STOP_SHUTDOWN, /* triple fault, power off, reset, crash: see the error */
	VCPU_STOP_BUDGET,   /* its run timer expired */
	VCPU_STOP_TIMEOUT,  /* its thread's deadline passed: watchdog_start() */
	VCPU_STOP_KICK,	    /* vcpu_kick() */
	VCPU_STOP_DRAINED,  /* vcpu_drain(): no access is pending */
	VCPU_STOP_ERROR,    /* an unhandled exit or a failed ioctl: see the error */
};

struct vcpu {
	struct vm *vm;
	unsigned int index; /* 0: the boot CPU */
	int fd;
	struct kvm_run *run;
	size_t run_bytes;
	enum vcpu_state state;
	enum vcpu_stop stop;
	/* The state to continue in after a stop; IDLE: VCPU_RUNNING. */
	enum vcpu_state resume;
	struct state_trace trace;
	int tid;     /* thread that runs it, 0: none; atomic */
	bool kicked; /* vcpu_kick() was called and not yet noticed; atomic */
	/*
	 * the shared clock of the last run: before the run timer is armed, at KVM_RUN's
	 * last return for a signal (0: it did not return for one), and after the last
	 * exit.
	 */
	uint64_t began, left, ended;
	int answer_fd; /* eventfd that vcpu_answer() signals */
	/* vm->error and vm->dump, or those of the thread that vm_run() started for it. */
	struct error *error;
	char **dump;
	struct vcpu_stats stats;
	struct kvm_stats_fd kvm_stats;
	struct vcpu_irqs irqs;
	struct vcpu_regs regs;
	struct pmu_msrs *pmu_msrs;	  /* config.pmc_msr_user; or NULL */
	struct kvm_dirty_gfn *dirty_ring; /* NULL: none */
	uint32_t
		dirty_next; /* number of the next entry to read; modulo the ring's size */
};

/* A guest's PIO or MMIO access that exits to user space. */
struct vm_access {
	uint64_t address; /* port or gpa */
	uint32_t bytes;	  /* 1 to 8 */
	uint8_t *data; /* `bytes` bytes: written by the guest, or the result of a read */
	bool is_pio, is_write, is_coalesced;
};

enum vm_answer {
	VM_ANSWERED,
	VM_ANSWER_LATER, /* by vcpu_answer(); only MMIO that is not coalesced */
};

/* Callbacks of the VM's owner, called by the vCPU threads. */
struct vm_listener {
	void *ctx;
	/*
	 * Every access except doorbell writes, in the guest's order; may be NULL. A read
	 * returns all ones unless the callback changes access->data.
	 */
	enum vm_answer (*access)(void *ctx, struct vcpu *vcpu,
				 const struct vm_access *access);
	/*
	 * HLT without an in-kernel controller and without a queued interrupt. True: the
	 * vCPU can continue, because the callback queued one. NULL: HLT is an error.
	 */
	bool (*halted)(void *ctx, struct vcpu *vcpu);
	/*
	 * The boot CPU wrote `value`, packed by ABI_DOORBELL(), to the doorbell. Other
	 * vCPUs' doorbell writes are not reported; ABI_DOORBELL_STOP of any vCPU stops
	 * the VM.
	 */
	void (*doorbell)(void *ctx, uint32_t value);
	/* Instead: any vCPU did, in whose thread this is called. */
	void (*any_doorbell)(void *ctx, struct vcpu *vcpu, uint32_t value);
};

/*
 * A memory slot other than RAM: host/vmm/memory.h. Timed rows copy it: what few slots
 * have is in struct vm.
 */
struct vm_slot {
	uint8_t *hva;
	uint64_t gpa, bytes;
};

struct vm {
	int kvm_fd, fd;
	int irqchip_fd;	    /* aarch64: the GIC; -1: none */
	int its_fd;	    /* aarch64: the ITS (irq_its()); -1: none */
	int passthrough_fd; /* device of host/kmod's module; -1: not open */
	struct vm_config config;
	uint8_t *ram; /* ram_bytes at guest-physical ram_gpa */
	uint64_t ram_gpa, ram_bytes;
	struct vcpu *vcpus; /* config.vcpus of them: `own`, or more */
	struct vcpu own[VM_VCPUS_OWN];
	struct vm_listener listener;
	int eventfd[VM_EVENTFDS_MAX]; /* ioeventfds and irqfds: `eventfds` of them */
	unsigned int eventfds;
	struct vm_slot slot[VM_SLOTS_MAX]; /* `slots` of them */
	unsigned int slots;
	uint64_t dirty_pages;  /* read from the dirty rings so far */
	bool dirty_log_manual; /* KVM_CLEAR_DIRTY_LOG clears the log, not reading it */
	/* The coalesced ring: host/vmm/io.h. NULL: no range is coalesced. */
	struct kvm_coalesced_mmio_ring *ring;
	uint32_t ring_entries;
	pthread_mutex_t ring_lock;  /* protects the reading end of `ring` */
	pthread_mutex_t dirty_lock; /* protects the dirty rings and dirty_pages */
	/* Why the last vm_run() ended, and by which vCPU. */
	enum vcpu_stop stop;
	unsigned int stopped_by;
	struct error error;
	char *dump; /* malloc()ed: all registers after an unhandled exit; or NULL */
	int guest_memfd[VM_SLOTS_MAX]; /* of a slot with private pages; 0: none */
};

/*
 * Creates a VM with memory, interrupt controller and vCPUs. `vm` need not be
 * initialised; the caller calls vm_destroy() even after a failure.
 */
int vm_create(struct vm *vm, int kvm_fd, const struct vm_config *config,
	      const struct vm_listener *listener);
void vm_destroy(struct vm *vm);

/* Bounds-checked copies; -EFAULT outside of RAM. No error text. */
int vm_read(const struct vm *vm, uint64_t gpa, void *to, size_t bytes);
int vm_write(struct vm *vm, uint64_t gpa, const void *from, size_t bytes);

/*
 * Loads the segments of an ELF64 image of this machine's architecture, zeroes
 * the rest, sets `entry`. -ENOEXEC for anything that is not such an image or does not
 * lie wholly in guest RAM.
 */
int vm_load(struct vm *vm, const void *image, size_t bytes, uint64_t *entry);

/*
 * With config.windows, after vm_load() and the page of parameters: copies both into the
 * windows of the other vCPUs, with their translation tables. The first memory slot, if
 * any, is divided among the vCPUs: vm_slot_bytes().
 */
void vm_load_windows(struct vm *vm);

/* The bytes of a slot of which each vCPU needs `bytes`: more only with config.windows. */
uint64_t vm_slot_bytes(const struct vm *vm, uint64_t bytes);

/* The window of a vCPU: ABI_RAM_BYTES of guest memory, not trusted. */
const uint8_t *vm_window(const struct vcpu *vcpu);

/* Resets all vCPUs to the state that bench/abi.h promises, at `entry`. */
int vm_reset(struct vm *vm, uint64_t entry);

/*
 * Runs until the guest stops, the run timer `budget` (host/vmm/timer.h; NULL: none)
 * expires, or a kick; vcpu->stop says which. After BUDGET and KICK another call
 * continues the guest. -EIO after VCPU_STOP_ERROR.
 */
int vcpu_run(struct vcpu *vcpu, struct run_timer *budget);

/* The smallest loop that can run a payload, for comparison: config loop-bare. */
int vcpu_run_bare(struct vcpu *vcpu, struct run_timer *budget);

/*
 * Completes accesses that the VMM has answered and KVM has not yet completed, by half
 * entries: a KVM_RUN that returns before the first guest instruction. Afterwards the
 * vCPU's registers can be read and written.
 */
int vcpu_drain(struct vcpu *vcpu);

/* KVM_RUN that returns before the first guest instruction. */
int vcpu_enter_immediate(struct vcpu *vcpu);

/* Any thread: the data of an access for which the listener returned VM_ANSWER_LATER. */
void vcpu_answer(struct vcpu *vcpu, const void *data, size_t bytes);

/*
 * Any thread: makes KVM_RUN of this vCPU return, also a KVM_RUN that is about to start,
 * and vcpu_run() stop with VCPU_STOP_KICK. No kick is lost; kicks before the vCPU has
 * noticed the first count as one.
 */
void vcpu_kick(struct vcpu *vcpu);

/*
 * After the last run: whether KVM_RUN ends by a pending signal that only KVM_RUN
 * unblocks. 0 also without VM_KICK_SIGNAL_MASK; -EIO: KVM_SET_SIGNAL_MASK had no effect,
 * and the guest has run on; or another error. No watchdog of the caller's runs.
 */
int vcpu_kick_prove(struct vcpu *vcpu);

/* Kicks the vCPU of the calling thread, if any. Async-signal-safe. */
void vcpu_kick_self(void);

/*
 * Runs all vCPUs, the boot CPU in the calling thread, the others in one thread each,
 * until the first of them stops: vm->stop says why, vm->stopped_by which. -errno if it
 * stopped by an error; the error begins with "vCPU N: " unless it is the boot CPU's.
 * vCPU N's thread is pinned to CPU cpus[N], except the calling thread; NULL: not pinned.
 * -errno and VCPU_STOP_NONE if a thread cannot be started or pinned.
 */
int vm_run(struct vm *vm, struct run_timer *budget, const int *cpus);

/*
 * vCPUs of one VM with windows, or of several VMs, that run a payload each at the same
 * time, the first in the calling thread.
 */
struct vm_crew {
	unsigned int n;
	struct vcpu *vcpus[VM_VCPUS_MAX];
	const int *cpus; /* as for vm_run() */
	void *ctx;
	/* The vCPU rang ABI_DOORBELL_STOP. Whether it did so at the end of its work. */
	bool (*finished)(void *ctx, unsigned int index);
	/* A vCPU has stopped before that: the others must not wait for it any more. */
	void (*broken)(void *ctx);
	/* Afterwards: the first that did, and why; VCPU_STOP_NONE: none. */
	unsigned int stopped_by;
	enum vcpu_stop stop;
	struct error error;
	char *dump; /* free() it */
};

/*
 * Runs until all vCPUs have finished, or one of them stops before, or the calling
 * thread's watchdog expires. With one vCPU, a second thread sleeps meanwhile. 0, or
 * -errno and VCPU_STOP_NONE if a thread cannot be started.
 */
int vm_run_crew(struct vm_crew *crew);

/* Starts a thread, pinned to `cpu` unless that is -1. 0 or -errno. */
int vm_thread(pthread_t *thread, int cpu, void *(*work)(void *ctx), void *ctx);

/* A statistic of KVM, or -1. The first call opens the vCPU's statistics. */
int64_t vcpu_kvm_stat(struct vcpu *vcpu, enum bench_statistic_id stat);

/*
 * `n` of them by one pread(). The value of STATISTICS, which is none, is -1.
 */
void vcpu_kvm_stats(struct vcpu *vcpu, const enum bench_statistic_id *which, size_t n,
		    int64_t *values);

/* The most important registers in one line, for messages; truncated to `bytes`. */
void vcpu_dump(const struct vcpu *vcpu, char *text, size_t bytes);

#endif
