/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The result document as C values.
 *
 * A `struct result` is one document: one run on one target. It owns all that
 * hangs from it: strings are copied in by result_string() and live until
 * result_free(); arrays grow through the result_add_*() calls, which return an
 * empty element that stays valid until the next element is added to the same
 * array. Empty means zero, and "unknown" where a member has a word for it: NAN
 * (any `double` that JSON would have to call null), -1, NULL.
 *
 * <jansson.h> is used behind this header and nowhere else (but the lab's wire
 * carries the same text).
 */
#ifndef WS_RESULT_RESULT_H
#define WS_RESULT_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/catalogue.h"
#include "host/lib/error.h"
#include "host/result/statistics.h"
#include "host/stats/histogram.h"
#include "host/stats/summary.h"

#define RESULT_SCHEMA	      "worldswitch.result"
#define RESULT_SCHEMA_VERSION 1

/*
 * JSON libraries hold integers in 64 bits with a sign, so a seed has 63 bits.
 * Whoever takes one from the user refuses more; what is written is masked.
 */
#define RESULT_SEED_MAX ((uint64_t)INT64_MAX)

enum result_status {
	RESULT_OK,
	RESULT_SKIP, /* could not run here; `reason` says why */
	RESULT_FAIL, /* ran and broke, or did not measure what it says */
};

struct result_run {
	const char *id;	     /* unique: start time and a random tail */
	const char *started; /* RFC 3339, UTC */
	const char *finished;
	uint64_t seed; /* at most RESULT_SEED_MAX */
	bool partial;  /* interrupted or failed: what is here is complete, but not all */
	const char **argv;
	size_t n_argv;
	const char *tool_version, *tool_commit;
	bool tool_dirty;
};

struct result_subject {	    /* what is being measured */
	const char *kernel; /* uname -r of the kernel whose KVM it is; NULL: none */
	const char *label;
	const char *commit;
};

struct result_target {
	const char *name, *kind;
	const char *emulator; /* and its version; NULL: none */
	/* "VMX", "SVM", "arm64 VHE", "software", ...; NULL: none */
	const char *hypervisor;
	bool exact;
};

struct result_machine {
	const char *fingerprint; /* hex digest over what makes figures comparable */
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
	const char *unit;    /* of every metric timed on it: "ticks" or "insns" */
	uint64_t resolution; /* the step it advances by, as far as seen, in units */
	uint64_t steps_hz;   /* so many of these it can take in a second; 0: unknown */
	uint64_t least_difference; /* of two reads in a row, not zero; 0: unknown */
	double overhead_min, overhead_median; /* of an empty timed region, in units */
};

/* One of several kinds of events that a boot has. */
struct result_mode {
	double value; /* their median */
	double share; /* of all events, to 1 */
};

/* Whether a boot's events are all of one kind, from first to last. */
struct result_steady {
	double autocorrelation;		/* of each event with the next; NAN */
	double first_half, second_half; /* medians; NAN */
	double p;			/* that these differ by chance alone; NAN */
	struct result_mode *modes;	/* ascending; one: unimodal */
	size_t n_modes;
};

struct result_boot {
	uint32_t index;
	bool valid;
	const char *reject_reason; /* NULL where valid */
	struct stats_summary summary;
	struct histogram histogram;  /* its bins, by malloc(), go with the document */
	struct result_steady steady; /* of round_trip; elsewhere unknown */
	/* Host-side events during the timed phase; -1: not known here. */
	int64_t interrupts, involuntary_switches, migrations;
	double pace_spread; /* of the CPU against the clock; NAN: not taken */
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
	const char *reason; /* why there is none; NULL */
	const char *stat;   /* "median-of-boot-medians" */
	struct result_ci ci;
	struct result_ci bootstrap; /* a second opinion on it, from run.seed */
	struct result_boot *boots;
	size_t n_boots;
};

/* Of the timed EVENT phase, over all boots; -1: nobody counted. */
struct result_exits {
	int64_t expected;
	int64_t observed;   /* by KVM, interrupts subtracted where it counts them */
	int64_t user;	    /* of these, returns of KVM_RUN, counted by the runner */
	int64_t interrupts; /* host interrupts meanwhile, each may add one exit */
	int64_t faults;	    /* exceptions the guest took on purpose */
};

struct result_benchmark {
	const char *name, *config, *group;
	enum bench_handler handled_by; /* as observed; as expected where skipped */
	enum result_status status;
	const char *reason; /* NULL where ok */
	struct result_exits exits;
	struct result_statistics statistics;	   /* of all boots, from reset to end */
	struct result_host_counters host_counters; /* of all boots' timed events */
	struct result_metric *metrics;
	size_t n_metrics;
};

/* A register that says which PMU there is: bench/pmu.h, PMU_READINGS_*. */
struct result_pmu_register {
	const char *name;
	const char *value; /* "0x..."; NULL: not known */
	const char *note;  /* why, or how far it is; NULL: nothing to say */
};

struct result_pmu_source {
	const char *who;    /* "host", "kvm" (what it would give a VM), "guest" */
	const char *config; /* the guest's; NULL: none */
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
	struct result_pmu pmu; /* where the vPMU map was asked for */
	struct result_warning *warnings;
	size_t n_warnings;
	struct result_store *store; /* what owns the memory */
};

/* Both abort on lack of memory, as everything that grows here does. */
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
/* Adds a warning unless one of the same code and message is there. */
void result_warn(struct result *r, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void result_add_argv(struct result *r, const char *arg);

/*
 * The code of the warning that a target failed: its message says why, and rows that
 * were not measured because of it have that message as their reason.
 */
#define RESULT_TARGET_FAILED "target-failed"
/* That message; NULL: the target did not fail. */
const char *result_failure(const struct result *r);
/* How many benchmarks have that status. */
size_t result_count(const struct result *r, enum result_status status);

/* NULL where there is none. `config` NULL: the first of that name. */
const struct result_benchmark *result_find(const struct result *r, const char *name,
					   const char *config);
const struct result_metric *result_find_metric(const struct result_benchmark *b,
					       const char *name);

/*
 * Whether a benchmark of that name is among those that one word of a --bench list
 * selects: an fnmatch(3) pattern, or "core" (BENCH_CORE in bench/catalogue.def).
 */
bool result_bench_matches(const char *word, const char *name);

const char *result_status_name(enum result_status s);  /* "ok", "skip", "fail" */
const char *result_handler_name(enum bench_handler h); /* "none", ..., "unknown" */

/*
 * JSON text of a whole document (pretty, 2 spaces, keys in the order of
 * results/schema.json, newline at the end) and of one benchmark (compact).
 * The caller frees it. Doubles are written so that they read back equal.
 */
char *result_dump(const struct result *r);
char *result_benchmark_dump(const struct result_benchmark *b);

/*
 * What was wrong with a text, in one line: "line 3 column 7: ..." for broken
 * JSON, "/benchmarks/2/metrics/0/unit: expected a string" for a broken
 * document.
 */
/*
 * Checks `text` (`bytes` long, need not end in NUL) against the document's
 * rules, which are those of results/schema.json, and reads it.
 * 0, or -EINVAL with `err` filled in.
 */
int result_parse(const char *text, size_t bytes, struct result **out, struct error *err);
/* The same for one benchmark, appended to `r`. */
int result_benchmark_parse(struct result *r, const char *text, size_t bytes,
			   struct error *err);

/*
 * Reads a document from a file. 0; -EINVAL (not a valid document); or the
 * negative errno of opening and reading it. `err` names the path. Files over
 * RESULT_FILE_MAX bytes are refused (-EFBIG).
 */
#define RESULT_FILE_MAX (256u << 20)
int result_read(const char *path, struct result **out, struct error *err);

/*
 * Writes a document: temporary file beside `path`, fsync, rename, fsync of
 * the folder. A reader sees the old document or the new one, whole. On failure
 * the temporary file is removed, the old document is untouched, `err` says
 * what failed and where, and the negative errno is returned. A symbolic link is
 * followed; a pipe or a device is written straight.
 */
int result_write(const char *path, const struct result *r, struct error *err);

#endif
