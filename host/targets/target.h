/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where payloads run. One file per kind of target implements `struct target_ops`; the
 * table of targets is in target.c.
 *
 * A target boots one payload at a time and returns its samples. A lab boots the payload
 * inside a clone of an emulated machine, whose only process is this program.
 *
 * Functions return 0 or a negative errno with `err`. -ENOEXEC: a file that the user named
 * is not usable, which is bad input and not a failed target. -ESHUTDOWN: the target
 * cannot run any other row either.
 */
#ifndef WS_TARGETS_TARGET_H
#define WS_TARGETS_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/abi.h"
#include "bench/catalogue.h"
#include "host/lib/confine.h"
#include "host/lib/error.h"
#include "host/result/result.h"
#include "host/targets/job.h"

struct target;

struct boot_request;

/*
 * A line of the functions of a lab whose KVM is in a guest: those that follow are of L0's
 * kernel, whose guest the kernel of the lines before is.
 */
#define TARGET_SYMBOLS_OF_L0 "L0"

/*
 * Records the instructions of a lab's boots (host/explain/record.h). The functions are
 * called by the threads that call boots().
 */
struct target_trace {
	void *ctx;
	const char *plugin; /* path of QEMU's plugin, which records; NULL: needs none */
	int server_file;    /* of an emulator that is forked: for no records; -1 */
	/* The file for the records of these boots; -1: do not record them. */
	int (*file)(void *ctx, const struct boot_request *rq);
	/*
	 * Receives the functions of their kernel: lines of kallsyms. From a lab whose KVM
	 * is in a guest, then TARGET_SYMBOLS_OF_L0 and those of L0's. 0 or -errno.
	 */
	int (*symbols)(void *ctx, const struct boot_request *rq, const char *text,
		       size_t bytes);
};

/*
 * What becomes of the VM that a boot ends with. One that is kept ends with the process or
 * its machine: that of the last boot of a clone; where KVM destroys a VM slowly, that of
 * each boot, and later boots of the clone run while the VMs of earlier ones exist. A PMC
 * of a guest is an event of perf, which is not left to count then.
 */
enum boot_vm_end { VM_DESTROYED, VM_KEPT_WITHOUT_PMU, VM_KEPT };

/* One boot: one VM, from creation to destruction, unless it is kept. */
struct boot_request {
	const struct bench *bench;
	const struct config *config;
	struct abi_params params; /* magic, version, flags are the target's to set */
	int cpu;
	uint64_t timeout_ns;
	uint32_t slowdown; /* the clock runs so many times slower than a user's; 0: 1 */
	/* Of a KVM that is itself in a guest: exits of that guest so far; NULL: none. */
	uint32_t (*l0_exits)(const void *l0);
	const void *l0;
	/*
	 * The place of the VM in the memory of an exact target's host. 0: the place that
	 * the kernel chooses; every other number is another place.
	 */
	uint32_t placement;
	enum boot_vm_end vm_end;
	struct boot_scale scale;
	const void *image; /* the payload's ELF image */
	size_t image_bytes;
};

/* Counted on the host between the two doorbells of a phase; -1: not counted. */
struct boot_counts {
	int64_t exits; /* KVM's own count, the closing doorbell's not among them */
	int64_t user;  /* returns of KVM_RUN because of the guest, without the doorbell */
	int64_t interrupts; /* exits because of an interrupt, or an upper limit of them */
	bool interrupts_exact; /* `interrupts` is the exact number */
	int64_t involuntary_switches, migrations;
	int64_t l0_exits;  /* by boot_request.l0_exits, with those of both doorbells */
	int64_t statistic; /* of the row (bench/statistics.def), with the closing doorbell
			    */
};

enum boot_outcome {
	BOOT_DONE,
	BOOT_SKIP,  /* the row cannot run here; `reason` */
	BOOT_CRASH, /* the guest crashed, hung, lied or was lost; `reason` */
};

/*
 * Waiting in the timed parts of `events` events of a host-timed row: voluntary context
 * switches of its thread, and the time on and off the CPU (0 on exact targets). No
 * events: not measured.
 */
struct boot_waits {
	int64_t switches, cpu_ns, wall_ns;
	uint64_t events;
};

/*
 * Of a boot with a scale: what each of its vCPUs did in the EVENT phase. The series of
 * the report holds the events that were made while all vCPUs were in that phase, first
 * those of lane 0, then those of lane 1, ...; where vCPUs take turns (BOOT_SHARE_CPUS,
 * takes_turns) all events. The series NULL and TWIN hold those of all lanes.
 */
struct boot_lane {
	uint64_t events;       /* of the phase */
	uint64_t counted;      /* of them in the series */
	uint64_t milli_events; /* in span_ns, in thousandths: two are in it in part */
	uint64_t faults;
	uint64_t l1_exits;   /* of rows of NEEDS_NESTED */
	uint64_t deliveries; /* of rows with COUNTS_DELIVERIES */
	struct boot_counts counts;
};
/* What the threads of the vCPUs share. */
enum boot_share {
	BOOT_SHARE_NOTHING, /* each is pinned to a core of its own */
	BOOT_SHARE_CORES,   /* ... to a CPU of its own, a thread of a core */
	BOOT_SHARE_CPUS,    /* fewer CPUs than vCPUs: not pinned */
	BOOT_SHARES,
};
struct boot_lanes {
	uint32_t n;
	uint32_t share;	 /* enum boot_share */
	int64_t span_ns; /* in which the events were made; -1: takes_turns */
	struct boot_lane lane[BOOT_SCALE_MAX];
};

/* The answer, checked and copied out of guest memory. boot_report_free(). */
struct boot_report {
	enum boot_outcome outcome;
	char reason[512];
	struct abi_report guest;
	uint64_t *series[ABI_PHASES]; /* guest.samples[phase] values each */
	const char *unit;	      /* of the samples; NULL: the clock's */
	struct boot_counts counts[ABI_PHASES];
	struct result_statistics statistics;
	struct result_host_counters
		host_counters; /* strings: static, or `counters_why` */
	char counters_why[160];
	struct boot_waits waits;
	struct boot_lanes *lanes; /* NULL: no scale */
};
void boot_report_free(struct boot_report *rep);

struct target_ops {
	const char *kind; /* "kvm", "bare", "lab" */
	bool parallel;	  /* boots() may be called by several threads at a time */
	/* Whether the target can run here. */
	int (*probe)(const struct target *t, const struct job *job, struct error *err);
	int (*open)(struct target *t, const struct job *job, struct error *err);
	/*
	 * Fills in subject, target, machine.pinned, clock.name/hz/unit and warnings of a
	 * document. A lab replaces `*r` by a document that also has the machine, its
	 * environment and its PMU. Called once, before the first boot.
	 */
	int (*describe)(struct target *t, struct result **r, struct error *err);
	/*
	 * Makes ready for boots under a config. Called before boots() from other threads;
	 * boots() reports an error. NULL: nothing to do.
	 */
	void (*prepare)(struct target *t, const struct config *config);
	/* boot_settle() decides whether an error fails the row or the target. */
	int (*boot)(struct target *t, const struct boot_request *rq,
		    struct boot_report *rep, struct error *err);
	/*
	 * boot() `n` times at placements from rq->placement on. Stops after the first
	 * report that is not BOOT_DONE. NULL: the caller repeats boot().
	 */
	int (*boots)(struct target *t, const struct boot_request *rq, size_t n,
		     struct boot_report *reps, struct error *err);
	/* After the boots: why no further boot is possible, or 0. NULL: always 0. */
	int (*ended)(const struct target *t, struct error *err);
	/* Labs: runs a JOB_SELFTEST or JOB_MATRIX, a line per test. NULL: not supported.
	 */
	int (*selftest)(struct target *t, const struct job *job,
			void (*line)(void *ctx, const char *text), void *ctx,
			struct error *err);
	/*
	 * Labs: whether the emulator can record instructions. `*plugin_api`: needs QEMU's
	 * plugin of this version of the interface; 0: none. `*l1`: the KVM that is
	 * measured is in a guest. 0 or -ENOTSUP.
	 */
	int (*tracer)(const struct target *t, unsigned int *plugin_api, bool *l1,
		      struct error *err);
	/* The ELF image of the VMM inside a lab; NULL: it cannot be read. */
	const void *(*program)(const struct target *t, size_t *bytes, struct error *err);
	void (*close)(struct target *t); /* also after a failed open */
};

/* A row of the table. A copy of the row becomes the opened target. */
struct target {
	const char *name; /* "lab:aarch64-vhe" */
	const char *summary;
	enum arch arch;		/* of the guest; for `kvm`, of this machine */
	const char *hypervisor; /* as in documents; NULL: only the machine knows */
	bool exact;		/* counts instructions: no noise */
	bool takes_turns;	/* its CPUs never execute at the same time */
	bool in_runs;		/* events come in runs of one value: plan.c */
	bool named_only;	/* `--on all` and patterns do not select it */
	unsigned int only; /* rows with one of these needs; 0: all (bench/catalogue.h) */
	uint32_t default_boots, default_events, default_warmup;
	const struct target_ops *ops;
	const void *config;	       /* the ops' own row, e.g. a struct lab_machine */
	void *state;		       /* the ops' own, from open to close */
	struct confine_state confined; /* set by open(): of an emulator */
	/* Set before open(); NULL: not wanted. */
	const struct target_trace *trace;
	struct timing *timing;
};

/* Ends with a row whose name is NULL. */
extern const struct target target_table[];

extern const struct target_ops target_kvm_ops, target_bare_ops, target_lab_ops;

/* The architecture of this program. */
#ifdef __aarch64__
#define TARGET_ARCH ARCH_AARCH64
#else
#define TARGET_ARCH ARCH_X86_64
#endif

/* The row of target kvm, also in a lab's machine, which has no table of targets. */
#define TARGET_KVM                                                                       \
	{                                                                                \
		.name = "kvm", .summary = "this machine's KVM", .arch = TARGET_ARCH,     \
		.exact = false, .default_boots = 10, .default_events = 10000,            \
		.default_warmup = 1000, .ops = &target_kvm_ops                           \
	}

/* The machines of bare:x86_64-bochs and bare:x86_64-bochs-svm; without, target_bare_ops
 * uses the QEMU of `arch`. */
extern const struct bare_machine bare_bochs, bare_bochs_svm;

/* interrupt_catch(); a signal also kicks the vCPU that runs in this thread. */
void target_catch_signals(void);

/* ------------------------------ boots ------------------------------ */

/* What targets share: the check of a payload's report, and errors of boots. */

/*
 * Copies the payload's report and samples from `ram` (ABI_RAM_BYTES of guest memory, not
 * trusted) into `rep`. rep->outcome becomes BOOT_DONE if the report is complete and has
 * exactly the requested samples, otherwise BOOT_CRASH or BOOT_SKIP with the reason. The
 * guest must have stopped.
 */
void boot_harvest(const uint8_t *ram, const struct boot_request *rq,
		  struct boot_report *rep);

/* Whether the VM that a boot ends with is not destroyed. `pmu`: its guest has a vPMU. */
bool boot_keeps_vm(const struct boot_request *rq, bool pmu);

/* Whether a guest that reached the time limit sleeps: boot_harvest() gives the reason. */
bool boot_sleeps(const uint8_t *ram);

/*
 * boot_harvest() without the samples: copies the report to `guest` and returns whether
 * the guest is done. If not, sets rep's outcome and reason.
 */
bool boot_is_done(const uint8_t *ram, struct abi_report *guest, struct boot_report *rep);

/* "event"; of any number that a guest can name. */
const char *boot_phase_name(uint32_t phase);

/* Sets the outcome and its reason. */
void boot_end(struct boot_report *rep, enum boot_outcome outcome, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Prints all registers of a VM that failed, which are too long for a reason; NULL: none.
 * Not in a lab, whose stderr is an emulated serial port: a line takes millions of
 * instructions there, or for ever if nothing ends the wait for the port.
 */
void boot_dump(const struct boot_request *rq, const char *registers);

/*
 * Converts an error of ops->boot to an outcome. A system call or an ioctl that the
 * kernel, the machine or the user does not permit skips the row; any other error fails
 * the row. Both return 0: the run continues. Returns `rc` for errors that end the run:
 * out of memory, interrupted, a bad payload, or a lost target. Frees `rep` after an
 * error.
 */
int boot_settle(struct boot_report *rep, int rc, const struct error *err);

/* The limit of a boot, by the clock of the machine that runs it. */
static inline uint64_t boot_limit_ns(const struct boot_request *rq)
{
	return rq->timeout_ns / (rq->slowdown ? rq->slowdown : 1);
}

/* An empty report without counts. */
void boot_report_init(struct boot_report *rep);

/* The report of a boot as one block of bytes, in memory that the caller frees. 0 or
 * -ENOMEM. */
int boot_report_encode(const struct boot_report *rep, uint8_t **bytes, size_t *n);

/*
 * Decodes a block which is not trusted: every count is checked against
 * the size of the block. boot_report_free() it. 0, -EBADMSG, -ENOMEM.
 */
int boot_report_decode(const uint8_t *bytes, size_t n, struct boot_report *rep);

/* ------------------------------ timing ------------------------------ */

/* Where the time of a run on a target goes: wsbench run --timing. */

/* In the order of a run. */
enum timing_part {
	TIMING_OPEN,	 /* labs: kernel, modules, program, initramfs */
	TIMING_START,	 /* labs: the emulator of a machine, until it answers */
	TIMING_BOOT,	 /* labs: a machine, until it is ready for jobs */
	TIMING_SNAPSHOT, /* labs: the state of a machine, taken and saved */
	TIMING_LOAD,	 /* labs: a saved machine in place of a boot */
	TIMING_DESCRIBE, /* labs: the job that describes the machine, with its clone */
	TIMING_CLONE,	 /* labs: the start and the end of the clones */
	TIMING_ROWS,	 /* the boots of payloads */
	TIMING_ANALYSIS, /* samples to estimates */
	TIMING_WRITE,	 /* the document */
	TIMING_PARTS,
};

/*
 * The boot of a lab's first machine by its own clock, which counts instructions, from the
 * reset to each of these moments. `known`: the machine has reported.
 */
struct timing_boot {
	bool known;
	uint64_t kernel_clock; /* the kernel's clock begins */
	uint64_t init;	       /* the kernel starts the first process */
	uint64_t kvm;	       /* the modules' /dev/kvm appears; 0: KVM is built in */
	uint64_t ready;	       /* the first job begins */
};

/* Zeroed memory to begin with. Several threads may add at a time. */
struct timing {
	struct timing_sum {
		uint64_t n, wall_ns, cpu_ns;
	} sums[TIMING_PARTS];
	struct timing_boot boot;
};

/* The beginning of a part: of the wall clock, and of the calling thread's CPU time. */
struct timing_mark {
	uint64_t wall_ns, cpu_ns;
};

struct timing_mark timing_mark(void);

/*
 * Adds what passed since `from`, in the same thread, and `process_ns` of the CPU time of
 * other processes. Nothing if `t` is NULL.
 */
void timing_add(struct timing *t, enum timing_part part, const struct timing_mark *from,
		uint64_t process_ns);

/* The CPU time of a running process; 0: none such. */
uint64_t timing_process_ns(pid_t pid);

#endif
