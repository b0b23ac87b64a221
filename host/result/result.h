/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The result document as C values, and its JSON text.
 *
 * A `struct result` is one document: one run on one target. The document owns its
 * memory: result_string() copies strings, which live until result_free(). Arrays grow
 * by the result_add_*() calls, which return an empty element; the element is valid
 * until the next element is added to the same array. Members of an empty element are
 * zero, or "unknown" where the type has such a value: NAN (JSON null) for a `double`,
 * -1, NULL.
 */
#ifndef WS_RESULT_RESULT_H
#define WS_RESULT_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/catalogue.h"
#include "host/lib/error.h"
#include "host/stats/summary.h"

#define RESULT_SCHEMA	      "worldswitch.result"
#define RESULT_SCHEMA_VERSION 1

/*
 * JSON libraries store integers as int64_t, so a seed has 63 bits. The command line
 * rejects larger seeds; the codec masks them.
 */
#define RESULT_SEED_MAX ((uint64_t)INT64_MAX)

/*
 * A clock with larger steps than this (in its unit) is not a clock: such a document or
 * figure is invalid.
 */
#define RESULT_RESOLUTION_MAX (UINT64_C(1) << 40)

enum result_status {
	RESULT_OK,
	RESULT_SKIP, /* cannot run on this target; see `reason` */
	RESULT_FAIL, /* crashed, timed out, or did not measure its operation */
};

/*
 * Of `run --against`: the two documents of one run. Boots of one index and two configs
 * were made in turns.
 */
struct result_pair {
	const char *id;	    /* of the run of the base; NULL: not such a document */
	const char *side;   /* "base", "new" */
	const char *config; /* of each row of this document; NULL: two kernels */
};

struct result_run {
	const char *id;	     /* unique: start time and random digits */
	const char *started; /* RFC 3339, UTC */
	const char *finished;
	uint64_t seed; /* at most RESULT_SEED_MAX */
	bool partial; /* interrupted or failed: the boots that are present are complete */
	const char **argv;
	size_t n_argv;
	const char *tool_version, *tool_commit;
	bool tool_dirty;
	struct result_pair pair;
};

struct result_subject {	    /* the measured kernel */
	const char *kernel; /* uname -r; NULL: no kernel below the guest */
	/* uname -r of the kernel whose KVM runs that one in a guest; NULL: none. */
	const char *kernel_below;
	const char *compiler; /* of the kernel, by /proc/version */
	/* Of the distribution's package, if the lab's kernel is one of the cache. */
	const char *package_version, *suite;
	const char *label;
	const char *commit;
};

struct result_target {
	const char *name, *kind;
	const char *emulator; /* name and version; NULL: none */
	/* "VMX", "SVM", "arm64 VHE", "software", ...; NULL: none */
	const char *hypervisor;
	bool exact;
};

struct result_machine {
	const char *fingerprint; /* hex digest of the properties that make figures
				    comparable */
	const char *arch, *cpu_model, *microcode;
	uint32_t cpus;
	int32_t pinned; /* the CPU the vCPU thread was pinned to; -1: not pinned */
};

struct result_check {
	const char *id, *value, *expected;
	const char *status; /* "ok", "warn", "unknown" */
};

struct result_clock {
	const char *name;    /* "TSC", "CNTVCT_EL0" */
	uint64_t hz;	     /* 0: unknown */
	const char *unit;    /* of metrics timed by this clock: "ticks" or "insns" */
	uint64_t resolution; /* observed step, in units */
	uint64_t steps_hz;   /* steps per second; 0: unknown */
	uint64_t least_difference; /* between consecutive reads, not zero; 0: unknown */
	double overhead_min, overhead_median; /* of an empty timed region, in units */
};

/* One mode of the distribution of a boot's events. */
struct result_mode {
	double value; /* median of the events of the mode */
	double share; /* of all events, 0 to 1 */
};

/* Whether the events of a boot have one distribution from first to last. */
struct result_steady {
	double autocorrelation;		/* of each event with the next; NAN */
	double first_half, second_half; /* medians; NAN */
	double p;			/* of equal halves, Mann-Whitney; NAN */
	struct result_mode *modes;	/* ascending by value; one: unimodal */
	size_t n_modes;
};

struct result_boot {
	uint32_t index;
	bool valid;
	const char *reject_reason; /* NULL where valid */
	struct stats_summary summary;
	struct histogram histogram;  /* the document frees the bins */
	struct result_steady steady; /* of round_trip; unknown for other metrics */
	/* Host-side events during the timed phase; -1: not counted. */
	int64_t interrupts, involuntary_switches, migrations;
	double pace_spread; /* of the CPU clock against the timing clock; NAN: not
			       measured */
};

struct result_ci {
	double level; /* 0.95; 1 on an exact target */
	double lo, hi;
	const char *method; /* "order-statistic", "exact"; NULL: no interval */
};

struct result_metric {
	const char *name, *unit;
	const char *better; /* "lower" */
	double value;	    /* the estimate; NAN: none */
	const char *reason; /* why there is no estimate; NULL */
	const char *stat;   /* "median-of-boot-medians" */
	struct result_ci ci;
	struct result_ci bootstrap; /* BCa interval of the estimate, seeded by run.seed */
	struct result_boot *boots;
	size_t n_boots;
};

/* Counts of the timed EVENT phase over all boots; -1: not counted. */
struct result_exits {
	int64_t expected;
	int64_t observed;   /* counted by KVM, without exits for host interrupts */
	int64_t user;	    /* exits to user space, counted by the VMM */
	int64_t interrupts; /* host interrupts; each can add one exit */
	int64_t faults;	    /* exceptions that the body raises by design */
	int64_t l1; /* exits of the payload's own guest to the payload; -1: it has none */
	/* The statistic of KVM that the row names (bench/statistics.def); name NULL:
	 * none. */
	struct result_statistic {
		const char *name;
		int64_t expected, counted; /* without the doorbells */
	} statistic;
};

/* Statistics of the run loop, named after gem5's BaseKvmCPU. -1: not counted. */
struct result_statistics {
	int64_t insts;		 /* guest instructions */
	int64_t vm_exits;	 /* returns of KVM_RUN with an exit */
	int64_t vm_half_entries; /* KVM_RUN only to complete an access */
	int64_t exit_signal;	 /* KVM_RUN ended by a signal */
	int64_t mmio, coalesced_mmio, io;
	int64_t halt, interrupts, hypercalls;
};
#define RESULT_STATISTICS_NONE                                                           \
	((struct result_statistics){ -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 })

/* Adds a count; -1, in both, is an unknown one, which adds nothing. */
void result_add_count(int64_t *total, int64_t n);

/* The same of all counts of `n`. */
void result_statistics_add(struct result_statistics *total,
			   const struct result_statistics *n);

/*
 * Host counters on the vCPU thread during the timed events, split into guest and host.
 * -1: not counted.
 */
struct result_host_counters {
	const char *source; /* "hardware", "software"; NULL: not requested */
	const char *reason; /* why hardware counters are missing; NULL */
	int64_t guest_cycles;
	int64_t guest_insns;
	int64_t host_cycles;
	int64_t host_insns;
	int64_t task_clock_ns;
	int64_t context_switches;
};
#define RESULT_HOST_COUNTERS_NONE                                                        \
	((struct result_host_counters){ NULL, NULL, -1, -1, -1, -1, -1, -1 })

/* Adds a count; -1, in both, is an unknown one, which adds nothing. */
void result_add_count(int64_t *total, int64_t n);

/* The same of all counts of `n`. */
void result_host_counters_add(struct result_host_counters *total,
			      const struct result_host_counters *n);

#define RESULT_SCALE_MAX 65536

struct result_benchmark {
	const char *name, *config, *group;
	/*
	 * How many vCPUs of one VM, or VMs, ran it at the same time; 0: no scale.
	 * `config` then ends with "@vcpus=N" or "@vms=N": each N has figures of its own.
	 */
	uint32_t vcpus, vms;
	bool oversubscribed;	       /* on fewer CPUs */
	enum bench_handler handled_by; /* observed; if skipped: expected */
	enum result_status status;
	const char *reason; /* NULL if ok */
	struct result_exits exits;
	struct result_statistics statistics;	   /* all boots, from reset to the end */
	struct result_host_counters host_counters; /* all boots, timed events only */
	struct result_metric *metrics;
	size_t n_metrics;
};

/* A register that describes the PMU: bench/pmu.h, PMU_READINGS_*. */
struct result_pmu_register {
	const char *name;
	const char *value; /* "0x..."; NULL: unknown */
	const char *note;  /* why the value is unknown or limited; NULL */
};

struct result_pmu_source {
	const char *who;    /* "host", "kvm" (as offered to a VM), "guest" */
	const char *config; /* of the guest; NULL: none */
	struct result_pmu_register *registers;
	size_t n_registers;
};

struct result_pmu {
	struct result_pmu_source *sources;
	size_t n_sources;
};

struct result_warning {
	const char *code, *message;
};

struct result {
	struct result_run run;
	struct result_subject subject;
	struct result_target target;
	struct result_machine machine;
	struct result_check *checks;
	size_t n_checks;
	bool tuned;
	struct result_clock clock;
	struct result_benchmark *benchmarks;
	size_t n_benchmarks;
	struct result_pmu pmu; /* only in documents of `wsbench pmu` */
	struct result_warning *warnings;
	size_t n_warnings;
	struct result_store *store; /* owns the memory */
};

/* All functions that allocate abort if out of memory. */
struct result *result_new(void);
void result_free(struct result *r);

/* A copy of `s` (NULL stays NULL) that lives as long as `r`. */
const char *result_string(struct result *r, const char *s);
const char *result_format(struct result *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

struct result_benchmark *result_add_benchmark(struct result *r);
struct result_metric *result_add_metric(struct result *r, struct result_benchmark *b);
struct result_boot *result_add_boot(struct result *r, struct result_metric *m);
struct result_mode *result_add_mode(struct result *r, struct result_boot *boot);
struct result_check *result_add_check(struct result *r);
struct result_pmu_source *result_add_pmu_source(struct result *r);
struct result_pmu_register *result_add_pmu_register(struct result *r,
						    struct result_pmu_source *s);
/* Adds a warning unless the document has one of that code and message. */
void result_warn(struct result *r, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void result_add_argv(struct result *r, const char *arg);

/*
 * Code of the warning that the target failed. The message is the cause, and the reason
 * of the rows that were therefore not measured.
 */
#define RESULT_TARGET_FAILED "target-failed"
/* The message of that warning; NULL: the target did not fail. */
const char *result_failure(const struct result *r);
/* Number of benchmarks with a status. */
size_t result_count(const struct result *r, enum result_status status);

/* Whether two documents are the two sides of one `run --against`. */
bool result_is_pair(const struct result *a, const struct result *b);

/* NULL if not found. `config` NULL: the first benchmark of that name. */
const struct result_benchmark *result_find(const struct result *r, const char *name,
					   const char *config);
const struct result_metric *result_find_metric(const struct result_benchmark *b,
					       const char *name);

/*
 * The bodies whose mean a sample of a metric is, on a noisy target: those of a batch, or
 * 1. The step of a figure is the clock's divided by this number.
 */
#define RESULT_BATCH "round_trip_batch"
double result_bodies(const char *benchmark, const char *metric);

/*
 * The static name of a unit whose figures are medians of whole numbers: counts, and times
 * by any clock. NULL: means, shares and rates, which can have any value.
 */
const char *result_whole_unit(const char *unit);

/*
 * The step of a figure of a noisy target, in its unit. 1 of a clock whose step is not
 * known, and of whole numbers that the clock does not time; of "switches", one switch
 * in the events of a boot. 0: the figures have no step (shares, rates).
 */
double result_step(const struct result *r, const struct result_benchmark *b,
		   const struct result_metric *m);

/* The row of the catalogue of a name; NULL: there is none. */
const struct bench *result_find_bench(const char *id);
const struct config *result_find_config(const char *name);

/*
 * Whether a word of a --bench list selects a benchmark: an fnmatch(3) pattern, or "core"
 * (BENCH_CORE in bench/catalogue.def).
 */
bool result_bench_matches(const char *word, const char *name);

const char *result_status_name(enum result_status s);  /* "ok", "skip", "fail" */
const char *result_handler_name(enum bench_handler h); /* "none", ..., "unknown" */

/*
 * The class of a figure: which component handles the exit, and how many exits an event
 * causes, as observed. Figures of different classes measure different operations: their
 * difference is a change of behaviour, not of cost.
 */
struct result_class {
	/* "none", "hardware", "kernel", "user", "fault"; NULL or "unknown": unknown */
	const char *handled_by;
	double exits; /* per event; NAN: not counted */
};

struct result_class result_class_of(const struct result_benchmark *b);
bool result_class_is_known(const struct result_class *c);

/*
 * Whether two known classes differ. Exits per event differ by at least half an exit:
 * where KVM exits occasionally (HANDLED_AT_MOST), the count varies. Below that, "none"
 * and "kernel" are one class.
 */
bool result_class_differs(const struct result_class *a, const struct result_class *b);

/* For two classes that differ: "handled by kernel, now by user", "exits per event: 1, now
 * 3". */
void result_class_change(const struct result_class *was, const struct result_class *now,
			 char *text, size_t bytes);

/*
 * JSON text of a document: 2 spaces, keys in the order of results/schema.json, newline at
 * the end. The caller frees the text. Doubles read back equal.
 */
char *result_dump(const struct result *r);

/*
 * Parses `text` (`bytes` long, without a NUL) by the rules of results/schema.json. 0, or
 * -EINVAL with `err`: "line 3 column 7: ..." for invalid JSON, and
 * "/benchmarks/2/metrics/0/unit: expected a string" for an invalid document.
 */
int result_parse(const char *text, size_t bytes, struct result **out, struct error *err);

/*
 * Reads a document from a file. 0; -EINVAL: not a valid document; -EFBIG: more than
 * RESULT_FILE_MAX bytes; or the negative errno of open() or read(). `err` names the path.
 */
#define RESULT_FILE_MAX (256u << 20)
int result_read(const char *path, struct result **out, struct error *err);

/* Whether a file is JSON of another kind; a damaged or unreadable file is not. */
bool result_is_not_in(const char *path);

/* Writes a document by file_replace(). 0, or a negative errno with `err`. */
int result_write(const char *path, const struct result *r, struct error *err);

/* ------------------------------ memory ------------------------------ */

/* The memory of one document: allocated piece by piece, freed all at once. */
struct result_store;

/* These functions abort if out of memory. */
struct result_store *store_new(void);
void store_free(struct result_store *store);
void *store_alloc(struct result_store *store, size_t bytes);

/*
 * store_array(): an uninitialised array of `n` elements of `bytes`. store_grow(): such an
 * array, or NULL and 0, with room for one more element. The old memory of an array that
 * moves stays allocated.
 */
void *store_array(struct result_store *store, size_t n, size_t bytes);
void *store_grow(struct result_store *store, void *array, size_t n, size_t bytes);

/* Returns `allocated`; aborts if NULL. */
void *store_check(void *allocated);

#endif
