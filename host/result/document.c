/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of the result document, object by object. */
#include "host/result/codec.h"
#include "host/result/result.h"

/* A member whose key is its name; an integer of that kind, which -1 makes null. */
#define SAME(kind, flags, type, member) FIELD(kind, #member, flags, type, member)
#define COUNTER(type, member)		KNOWN(#member, NULLABLE, type, member, -1)

#define LAYOUT(name, fields, type)                                                       \
	const struct layout name = { fields, sizeof(struct type) }

static const char *const arch_words[] = { "x86_64", "aarch64", NULL };
static const char *const kind_words[] = { "kvm", "bare", "lab", NULL };
static const char *const check_words[] = { "ok", "warn", "unknown", NULL };
static const char *const better_words[] = { "lower", "higher", NULL };

const char *const layout_status_words[] = {
	[RESULT_OK] = "ok",
	[RESULT_SKIP] = "skip",
	[RESULT_FAIL] = "fail",
	NULL,
};

const char *const layout_handler_words[] = {
	[HANDLED_NONE] = "none",       [HANDLED_HARDWARE] = "hardware",
	[HANDLED_KERNEL] = "kernel",   [HANDLED_USER] = "user",
	[HANDLED_UNKNOWN] = "unknown", NULL,
};

/* run */

static const struct field tool_fields[] = {
	FIELD(STRING, "version", REQUIRED, result_run, tool_version),
	FIELD(STRING, "commit", NULLABLE, result_run, tool_commit),
	FIELD(BOOL, "dirty", REQUIRED, result_run, tool_dirty),
	END,
};
static LAYOUT(tool, tool_fields, result_run);

static const struct field pair_fields[] = {
	SAME(STRING, BOTH, result_pair, id),
	SAME(STRING, BOTH, result_pair, side),
	SAME(STRING, NULLABLE, result_pair, config),
	END,
};
static LAYOUT(pair_layout, pair_fields, result_pair);

static const struct field run_fields[] = {
	SAME(STRING, REQUIRED, result_run, id),
	SAME(STRING, REQUIRED, result_run, started),
	SAME(STRING, BOTH, result_run, finished),
	SAME(BOOL, 0, result_run, partial),
	SAME(COUNT, REQUIRED, result_run, seed),
	ARRAY(STRINGS, "argv", result_run, argv, NULL),
	GROUP("tool", REQUIRED, &tool),
	OBJECT("pair", NULLABLE, result_run, pair, &pair_layout),
	END,
};
LAYOUT(layout_run, run_fields, result_run);

/* subject, target, machine */

static const struct field subject_fields[] = {
	SAME(STRING, NULLABLE, result_subject, kernel),
	SAME(STRING, LEFT_OUT, result_subject, kernel_below),
	SAME(STRING, LEFT_OUT, result_subject, compiler),
	SAME(STRING, LEFT_OUT, result_subject, package_version),
	SAME(STRING, LEFT_OUT, result_subject, suite),
	SAME(STRING, NULLABLE, result_subject, label),
	SAME(STRING, NULLABLE, result_subject, commit),
	END,
};
LAYOUT(layout_subject, subject_fields, result_subject);

static const struct field target_fields[] = {
	SAME(STRING, REQUIRED, result_target, name),
	WORD(STRING, "kind", result_target, kind, kind_words),
	SAME(STRING, NULLABLE, result_target, emulator),
	SAME(STRING, NULLABLE, result_target, hypervisor),
	SAME(BOOL, REQUIRED, result_target, exact),
	END,
};
LAYOUT(layout_target, target_fields, result_target);

static const struct field machine_fields[] = {
	SAME(STRING, REQUIRED, result_machine, fingerprint),
	WORD(STRING, "arch", result_machine, arch, arch_words),
	SAME(STRING, NULLABLE, result_machine, cpu_model),
	SAME(STRING, NULLABLE, result_machine, microcode),
	SAME(COUNT, REQUIRED, result_machine, cpus),
	COUNTER(result_machine, pinned),
	END,
};
LAYOUT(layout_machine, machine_fields, result_machine);

/* environment, clock */

static const struct field check_fields[] = {
	SAME(STRING, REQUIRED, result_check, id),
	SAME(STRING, NULLABLE, result_check, value),
	SAME(STRING, NULLABLE, result_check, expected),
	WORD(STRING, "status", result_check, status, check_words),
	END,
};
static LAYOUT(check, check_fields, result_check);

static const struct field environment_fields[] = {
	ARRAY(ARRAY, "checks", result, checks, &check),
	SAME(BOOL, REQUIRED, result, tuned),
	END,
};
static LAYOUT(environment, environment_fields, result);

static const struct field overhead_fields[] = {
	FIELD(REAL, "min", BOTH, result_clock, overhead_min),
	FIELD(REAL, "median", BOTH, result_clock, overhead_median),
	END,
};
static LAYOUT(overhead, overhead_fields, result_clock);

static const struct field clock_fields[] = {
	SAME(STRING, REQUIRED, result_clock, name),
	KNOWN("hz", BOTH, result_clock, hz, 0),
	SAME(STRING, REQUIRED, result_clock, unit),
	SAME(COUNT, REQUIRED, result_clock, resolution),
	KNOWN("steps_hz", NULLABLE, result_clock, steps_hz, 0),
	KNOWN("least_difference", NULLABLE, result_clock, least_difference, 0),
	GROUP("overhead", REQUIRED, &overhead),
	END,
};
static LAYOUT(clock_layout, clock_fields, result_clock);

/* benchmarks */

static const struct field summary_fields[] = {
	SAME(COUNT, 0, stats_summary, n),
	SAME(REAL, BOTH, stats_summary, min),
	SAME(REAL, NULLABLE, stats_summary, p1),
	SAME(REAL, NULLABLE, stats_summary, p5),
	SAME(REAL, NULLABLE, stats_summary, p25),
	SAME(REAL, BOTH, stats_summary, p50),
	SAME(REAL, NULLABLE, stats_summary, p75),
	SAME(REAL, BOTH, stats_summary, p90),
	SAME(REAL, NULLABLE, stats_summary, p95),
	SAME(REAL, BOTH, stats_summary, p99),
	SAME(REAL, NULLABLE, stats_summary, p99_9),
	SAME(REAL, BOTH, stats_summary, max),
	SAME(REAL, BOTH, stats_summary, mean),
	SAME(REAL, BOTH, stats_summary, sd),
	SAME(REAL, BOTH, stats_summary, mad),
	END,
};
static LAYOUT(summary, summary_fields, stats_summary);

static const struct field histogram_fields[] = {
	{ ROW(KNOWN, "bits", REQUIRED), MEMBER(histogram, bits), .none = 0, .min = 1,
	  .max = HISTOGRAM_BITS_MAX },
	ARRAY(BINS, "bins", histogram, bins, NULL),
	END,
};
static LAYOUT(histogram, histogram_fields, histogram);

static const struct field interference_fields[] = {
	COUNTER(result_boot, interrupts),
	COUNTER(result_boot, involuntary_switches),
	COUNTER(result_boot, migrations),
	SAME(REAL, NULLABLE, result_boot, pace_spread),
	END,
};
static LAYOUT(interference, interference_fields, result_boot);

static const struct field mode_fields[] = {
	SAME(REAL, BOTH, result_mode, value),
	SAME(REAL, BOTH, result_mode, share),
	END,
};
static LAYOUT(mode, mode_fields, result_mode);

static const struct field steady_fields[] = {
	SAME(REAL, NULLABLE, result_steady, autocorrelation),
	SAME(REAL, NULLABLE, result_steady, first_half),
	SAME(REAL, NULLABLE, result_steady, second_half),
	SAME(REAL, NULLABLE, result_steady, p),
	ARRAY(ARRAY, "modes", result_steady, modes, &mode),
	END,
};
static LAYOUT(steady, steady_fields, result_steady);

static const struct field boot_fields[] = {
	SAME(COUNT, REQUIRED, result_boot, index),
	SAME(BOOL, REQUIRED, result_boot, valid),
	SAME(STRING, NULLABLE, result_boot, reject_reason),
	FIELD(COUNT, "events", REQUIRED, result_boot, summary.n),
	OBJECT("summary", REQUIRED, result_boot, summary, &summary),
	OBJECT("histogram", BOTH, result_boot, histogram, &histogram),
	GROUP("interference", 0, &interference),
	OBJECT("steady", NULLABLE, result_boot, steady, &steady),
	END,
};
LAYOUT(layout_boot, boot_fields, result_boot);

static const struct field ci_fields[] = {
	SAME(REAL, BOTH, result_ci, level),
	SAME(REAL, BOTH, result_ci, lo),
	SAME(REAL, BOTH, result_ci, hi),
	SAME(STRING, BOTH, result_ci, method),
	END,
};
static LAYOUT(ci, ci_fields, result_ci);

static const struct field estimate_fields[] = {
	SAME(REAL, BOTH, result_metric, value),
	SAME(STRING, NULLABLE, result_metric, stat),
	OBJECT("ci", BOTH, result_metric, ci, &ci),
	OBJECT("bootstrap", NULLABLE, result_metric, bootstrap, &ci),
	END,
};
static LAYOUT(estimate, estimate_fields, result_metric);

static const struct field metric_fields[] = {
	SAME(STRING, REQUIRED, result_metric, name),
	SAME(STRING, REQUIRED, result_metric, unit),
	WORD(STRING, "better", result_metric, better, better_words),
	GROUP("estimate", REQUIRED, &estimate),
	SAME(STRING, NULLABLE, result_metric, reason),
	ARRAY(ARRAY, "boots", result_metric, boots, &layout_boot),
	END,
};
LAYOUT(layout_metric, metric_fields, result_metric);

static const struct field statistic_fields[] = {
	SAME(STRING, BOTH, result_statistic, name),
	KNOWN("expected", BOTH, result_statistic, expected, -1),
	KNOWN("counted", BOTH, result_statistic, counted, -1),
	END,
};
static LAYOUT(statistic, statistic_fields, result_statistic);

static const struct field exits_fields[] = {
	KNOWN("expected", BOTH, result_exits, expected, -1),
	KNOWN("observed", BOTH, result_exits, observed, -1),
	COUNTER(result_exits, user),
	COUNTER(result_exits, interrupts),
	COUNTER(result_exits, faults),
	KNOWN("l1", LEFT_OUT, result_exits, l1, -1),
	OBJECT("statistic", LEFT_OUT, result_exits, statistic, &statistic),
	END,
};
static LAYOUT(exits, exits_fields, result_exits);

static const struct field statistics_fields[] = {
	COUNTER(result_statistics, insts),
	COUNTER(result_statistics, vm_exits),
	COUNTER(result_statistics, vm_half_entries),
	COUNTER(result_statistics, exit_signal),
	COUNTER(result_statistics, mmio),
	COUNTER(result_statistics, coalesced_mmio),
	COUNTER(result_statistics, io),
	COUNTER(result_statistics, halt),
	COUNTER(result_statistics, interrupts),
	COUNTER(result_statistics, hypercalls),
	END,
};
static LAYOUT(statistics, statistics_fields, result_statistics);

static const struct field host_counters_fields[] = {
	SAME(STRING, NULLABLE, result_host_counters, source),
	SAME(STRING, NULLABLE, result_host_counters, reason),
	COUNTER(result_host_counters, guest_cycles),
	COUNTER(result_host_counters, guest_insns),
	COUNTER(result_host_counters, host_cycles),
	COUNTER(result_host_counters, host_insns),
	COUNTER(result_host_counters, task_clock_ns),
	COUNTER(result_host_counters, context_switches),
	END,
};
static LAYOUT(host_counters, host_counters_fields, result_host_counters);

static const struct field benchmark_fields[] = {
	SAME(STRING, REQUIRED, result_benchmark, name),
	SAME(STRING, REQUIRED, result_benchmark, config),
	{ ROW(KNOWN, "vcpus", LEFT_OUT), MEMBER(result_benchmark, vcpus), .none = 0,
	  .min = 1, .max = RESULT_SCALE_MAX },
	{ ROW(KNOWN, "vms", LEFT_OUT), MEMBER(result_benchmark, vms), .none = 0, .min = 1,
	  .max = RESULT_SCALE_MAX },
	SAME(BOOL, FIELD_LEFT_OUT, result_benchmark, oversubscribed),
	SAME(STRING, REQUIRED, result_benchmark, group),
	WORD(CHOICE, "handled_by", result_benchmark, handled_by, layout_handler_words),
	WORD(CHOICE, "status", result_benchmark, status, layout_status_words),
	SAME(STRING, NULLABLE, result_benchmark, reason),
	OBJECT("exits", REQUIRED, result_benchmark, exits, &exits),
	OBJECT("statistics", 0, result_benchmark, statistics, &statistics),
	OBJECT("host_counters", 0, result_benchmark, host_counters, &host_counters),
	ARRAY(ARRAY, "metrics", result_benchmark, metrics, &layout_metric),
	END,
};
LAYOUT(layout_benchmark, benchmark_fields, result_benchmark);

/* pmu */

static const char *const who_words[] = { "host", "kvm", "guest", NULL };

static const struct field pmu_register_fields[] = {
	SAME(STRING, REQUIRED, result_pmu_register, name),
	SAME(STRING, BOTH, result_pmu_register, value),
	SAME(STRING, NULLABLE, result_pmu_register, note),
	END,
};
static LAYOUT(pmu_register, pmu_register_fields, result_pmu_register);

static const struct field pmu_source_fields[] = {
	WORD(STRING, "who", result_pmu_source, who, who_words),
	SAME(STRING, NULLABLE, result_pmu_source, config),
	ARRAY(ARRAY, "registers", result_pmu_source, registers, &pmu_register),
	END,
};
static LAYOUT(pmu_source, pmu_source_fields, result_pmu_source);

static const struct field pmu_fields[] = {
	ARRAY(ARRAY, "sources", result_pmu, sources, &pmu_source),
	END,
};
static LAYOUT(pmu, pmu_fields, result_pmu);

/* the document */

static const struct field warning_fields[] = {
	SAME(STRING, REQUIRED, result_warning, code),
	SAME(STRING, REQUIRED, result_warning, message),
	END,
};
LAYOUT(layout_warning, warning_fields, result_warning);

static const char *const schema_words[] = { RESULT_SCHEMA, NULL };

static const struct field result_fields[] = {
	NAMED(schema_words),
	VERSIONED(RESULT_SCHEMA_VERSION),
	OBJECT("run", REQUIRED, result, run, &layout_run),
	OBJECT("subject", REQUIRED, result, subject, &layout_subject),
	OBJECT("target", REQUIRED, result, target, &layout_target),
	OBJECT("machine", REQUIRED, result, machine, &layout_machine),
	GROUP("environment", REQUIRED, &environment),
	OBJECT("clock", REQUIRED, result, clock, &clock_layout),
	ARRAY(ARRAY, "benchmarks", result, benchmarks, &layout_benchmark),
	OBJECT("pmu", NULLABLE, result, pmu, &pmu),
	ARRAY(ARRAY, "warnings", result, warnings, &layout_warning),
	END,
};
LAYOUT(layout_result, result_fields, result);
