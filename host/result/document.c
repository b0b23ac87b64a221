/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of the result document, object by object. */
#include "host/result/codec.h"
#include "host/result/result.h"

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
static const struct layout tool = { tool_fields, sizeof(struct result_run) };

static const struct field run_fields[] = {
	FIELD(STRING, "id", REQUIRED, result_run, id),
	FIELD(STRING, "started", REQUIRED, result_run, started),
	FIELD(STRING, "finished", BOTH, result_run, finished),
	FIELD(BOOL, "partial", 0, result_run, partial),
	FIELD(COUNT, "seed", REQUIRED, result_run, seed),
	ARRAY(STRINGS, "argv", result_run, argv, NULL),
	GROUP("tool", REQUIRED, &tool),
	END,
};
const struct layout layout_run = { run_fields, sizeof(struct result_run) };

/* subject, target, machine */

static const struct field subject_fields[] = {
	FIELD(STRING, "kernel", NULLABLE, result_subject, kernel),
	FIELD(STRING, "label", NULLABLE, result_subject, label),
	FIELD(STRING, "commit", NULLABLE, result_subject, commit),
	END,
};
const struct layout layout_subject = { subject_fields, sizeof(struct result_subject) };

static const struct field target_fields[] = {
	FIELD(STRING, "name", REQUIRED, result_target, name),
	WORD(STRING, "kind", result_target, kind, kind_words),
	FIELD(STRING, "emulator", NULLABLE, result_target, emulator),
	FIELD(STRING, "hypervisor", NULLABLE, result_target, hypervisor),
	FIELD(BOOL, "exact", REQUIRED, result_target, exact),
	END,
};
const struct layout layout_target = { target_fields, sizeof(struct result_target) };

static const struct field machine_fields[] = {
	FIELD(STRING, "fingerprint", REQUIRED, result_machine, fingerprint),
	WORD(STRING, "arch", result_machine, arch, arch_words),
	FIELD(STRING, "cpu_model", NULLABLE, result_machine, cpu_model),
	FIELD(STRING, "microcode", NULLABLE, result_machine, microcode),
	FIELD(COUNT, "cpus", REQUIRED, result_machine, cpus),
	KNOWN("pinned", NULLABLE, result_machine, pinned, -1),
	END,
};
const struct layout layout_machine = { machine_fields, sizeof(struct result_machine) };

/* environment, clock */

static const struct field check_fields[] = {
	FIELD(STRING, "id", REQUIRED, result_check, id),
	FIELD(STRING, "value", NULLABLE, result_check, value),
	FIELD(STRING, "expected", NULLABLE, result_check, expected),
	WORD(STRING, "status", result_check, status, check_words),
	END,
};
static const struct layout check = { check_fields, sizeof(struct result_check) };

static const struct field environment_fields[] = {
	ARRAY(ARRAY, "checks", result, checks, &check),
	FIELD(BOOL, "tuned", REQUIRED, result, tuned),
	END,
};
static const struct layout environment = { environment_fields, sizeof(struct result) };

static const struct field overhead_fields[] = {
	FIELD(REAL, "min", BOTH, result_clock, overhead_min),
	FIELD(REAL, "median", BOTH, result_clock, overhead_median),
	END,
};
static const struct layout overhead = { overhead_fields, sizeof(struct result_clock) };

static const struct field clock_fields[] = {
	FIELD(STRING, "name", REQUIRED, result_clock, name),
	KNOWN("hz", BOTH, result_clock, hz, 0),
	FIELD(STRING, "unit", REQUIRED, result_clock, unit),
	FIELD(COUNT, "resolution", REQUIRED, result_clock, resolution),
	KNOWN("steps_hz", NULLABLE, result_clock, steps_hz, 0),
	KNOWN("least_difference", NULLABLE, result_clock, least_difference, 0),
	GROUP("overhead", REQUIRED, &overhead),
	END,
};
static const struct layout clock_layout = { clock_fields, sizeof(struct result_clock) };

/* benchmarks */

static const struct field summary_fields[] = {
	FIELD(COUNT, "n", 0, stats_summary, n),
	FIELD(REAL, "min", BOTH, stats_summary, min),
	FIELD(REAL, "p1", NULLABLE, stats_summary, p1),
	FIELD(REAL, "p5", NULLABLE, stats_summary, p5),
	FIELD(REAL, "p25", NULLABLE, stats_summary, p25),
	FIELD(REAL, "p50", BOTH, stats_summary, p50),
	FIELD(REAL, "p75", NULLABLE, stats_summary, p75),
	FIELD(REAL, "p90", BOTH, stats_summary, p90),
	FIELD(REAL, "p95", NULLABLE, stats_summary, p95),
	FIELD(REAL, "p99", BOTH, stats_summary, p99),
	FIELD(REAL, "p99_9", NULLABLE, stats_summary, p99_9),
	FIELD(REAL, "max", BOTH, stats_summary, max),
	FIELD(REAL, "mean", BOTH, stats_summary, mean),
	FIELD(REAL, "sd", BOTH, stats_summary, sd),
	FIELD(REAL, "mad", BOTH, stats_summary, mad),
	END,
};
static const struct layout summary = { summary_fields, sizeof(struct stats_summary) };

static const struct field histogram_fields[] = {
	{ ROW(KNOWN, "bits", REQUIRED), MEMBER(histogram, bits), .none = 0, .min = 1,
	  .max = HISTOGRAM_BITS_MAX },
	ARRAY(BINS, "bins", histogram, bins, NULL),
	END,
};
static const struct layout histogram = { histogram_fields, sizeof(struct histogram) };

static const struct field interference_fields[] = {
	KNOWN("interrupts", NULLABLE, result_boot, interrupts, -1),
	KNOWN("involuntary_switches", NULLABLE, result_boot, involuntary_switches, -1),
	KNOWN("migrations", NULLABLE, result_boot, migrations, -1),
	FIELD(REAL, "pace_spread", NULLABLE, result_boot, pace_spread),
	END,
};
static const struct layout interference = { interference_fields,
					    sizeof(struct result_boot) };

static const struct field mode_fields[] = {
	FIELD(REAL, "value", BOTH, result_mode, value),
	FIELD(REAL, "share", BOTH, result_mode, share),
	END,
};
static const struct layout mode = { mode_fields, sizeof(struct result_mode) };

static const struct field steady_fields[] = {
	FIELD(REAL, "autocorrelation", NULLABLE, result_steady, autocorrelation),
	FIELD(REAL, "first_half", NULLABLE, result_steady, first_half),
	FIELD(REAL, "second_half", NULLABLE, result_steady, second_half),
	FIELD(REAL, "p", NULLABLE, result_steady, p),
	ARRAY(ARRAY, "modes", result_steady, modes, &mode),
	END,
};
static const struct layout steady = { steady_fields, sizeof(struct result_steady) };

static const struct field boot_fields[] = {
	FIELD(COUNT, "index", REQUIRED, result_boot, index),
	FIELD(BOOL, "valid", REQUIRED, result_boot, valid),
	FIELD(STRING, "reject_reason", NULLABLE, result_boot, reject_reason),
	FIELD(COUNT, "events", REQUIRED, result_boot, summary.n),
	OBJECT("summary", REQUIRED, result_boot, summary, &summary),
	OBJECT("histogram", BOTH, result_boot, histogram, &histogram),
	GROUP("interference", 0, &interference),
	OBJECT("steady", NULLABLE, result_boot, steady, &steady),
	END,
};
const struct layout layout_boot = { boot_fields, sizeof(struct result_boot) };

static const struct field ci_fields[] = {
	FIELD(REAL, "level", BOTH, result_ci, level),
	FIELD(REAL, "lo", BOTH, result_ci, lo),
	FIELD(REAL, "hi", BOTH, result_ci, hi),
	FIELD(STRING, "method", BOTH, result_ci, method),
	END,
};
static const struct layout ci = { ci_fields, sizeof(struct result_ci) };

static const struct field estimate_fields[] = {
	FIELD(REAL, "value", BOTH, result_metric, value),
	FIELD(STRING, "stat", NULLABLE, result_metric, stat),
	OBJECT("ci", BOTH, result_metric, ci, &ci),
	OBJECT("bootstrap", NULLABLE, result_metric, bootstrap, &ci),
	END,
};
static const struct layout estimate = { estimate_fields, sizeof(struct result_metric) };

static const struct field metric_fields[] = {
	FIELD(STRING, "name", REQUIRED, result_metric, name),
	FIELD(STRING, "unit", REQUIRED, result_metric, unit),
	WORD(STRING, "better", result_metric, better, better_words),
	GROUP("estimate", REQUIRED, &estimate),
	FIELD(STRING, "reason", NULLABLE, result_metric, reason),
	ARRAY(ARRAY, "boots", result_metric, boots, &layout_boot),
	END,
};
const struct layout layout_metric = { metric_fields, sizeof(struct result_metric) };

static const struct field exits_fields[] = {
	KNOWN("expected", BOTH, result_exits, expected, -1),
	KNOWN("observed", BOTH, result_exits, observed, -1),
	KNOWN("user", NULLABLE, result_exits, user, -1),
	KNOWN("interrupts", NULLABLE, result_exits, interrupts, -1),
	KNOWN("faults", NULLABLE, result_exits, faults, -1),
	END,
};
static const struct layout exits = { exits_fields, sizeof(struct result_exits) };

static const struct field statistics_fields[] = {
	KNOWN("insts", NULLABLE, result_statistics, insts, -1),
	KNOWN("vm_exits", NULLABLE, result_statistics, vm_exits, -1),
	KNOWN("vm_half_entries", NULLABLE, result_statistics, vm_half_entries, -1),
	KNOWN("exit_signal", NULLABLE, result_statistics, exit_signal, -1),
	KNOWN("mmio", NULLABLE, result_statistics, mmio, -1),
	KNOWN("coalesced_mmio", NULLABLE, result_statistics, coalesced_mmio, -1),
	KNOWN("io", NULLABLE, result_statistics, io, -1),
	KNOWN("halt", NULLABLE, result_statistics, halt, -1),
	KNOWN("interrupts", NULLABLE, result_statistics, interrupts, -1),
	KNOWN("hypercalls", NULLABLE, result_statistics, hypercalls, -1),
	END,
};
static const struct layout statistics = { statistics_fields,
					  sizeof(struct result_statistics) };

static const struct field host_counters_fields[] = {
	FIELD(STRING, "source", NULLABLE, result_host_counters, source),
	FIELD(STRING, "reason", NULLABLE, result_host_counters, reason),
	KNOWN("guest_cycles", NULLABLE, result_host_counters, guest_cycles, -1),
	KNOWN("guest_insns", NULLABLE, result_host_counters, guest_insns, -1),
	KNOWN("host_cycles", NULLABLE, result_host_counters, host_cycles, -1),
	KNOWN("host_insns", NULLABLE, result_host_counters, host_insns, -1),
	KNOWN("task_clock_ns", NULLABLE, result_host_counters, task_clock_ns, -1),
	KNOWN("context_switches", NULLABLE, result_host_counters, context_switches, -1),
	END,
};
static const struct layout host_counters = { host_counters_fields,
					     sizeof(struct result_host_counters) };

static const struct field benchmark_fields[] = {
	FIELD(STRING, "name", REQUIRED, result_benchmark, name),
	FIELD(STRING, "config", REQUIRED, result_benchmark, config),
	FIELD(STRING, "group", REQUIRED, result_benchmark, group),
	WORD(CHOICE, "handled_by", result_benchmark, handled_by, layout_handler_words),
	WORD(CHOICE, "status", result_benchmark, status, layout_status_words),
	FIELD(STRING, "reason", NULLABLE, result_benchmark, reason),
	OBJECT("exits", REQUIRED, result_benchmark, exits, &exits),
	OBJECT("statistics", 0, result_benchmark, statistics, &statistics),
	OBJECT("host_counters", 0, result_benchmark, host_counters, &host_counters),
	ARRAY(ARRAY, "metrics", result_benchmark, metrics, &layout_metric),
	END,
};
const struct layout layout_benchmark = { benchmark_fields,
					 sizeof(struct result_benchmark) };

/* pmu */

static const char *const who_words[] = { "host", "kvm", "guest", NULL };

static const struct field pmu_register_fields[] = {
	FIELD(STRING, "name", REQUIRED, result_pmu_register, name),
	FIELD(STRING, "value", BOTH, result_pmu_register, value),
	FIELD(STRING, "note", NULLABLE, result_pmu_register, note),
	END,
};
static const struct layout pmu_register = { pmu_register_fields,
					    sizeof(struct result_pmu_register) };

static const struct field pmu_source_fields[] = {
	WORD(STRING, "who", result_pmu_source, who, who_words),
	FIELD(STRING, "config", NULLABLE, result_pmu_source, config),
	ARRAY(ARRAY, "registers", result_pmu_source, registers, &pmu_register),
	END,
};
static const struct layout pmu_source = { pmu_source_fields,
					  sizeof(struct result_pmu_source) };

static const struct field pmu_fields[] = {
	ARRAY(ARRAY, "sources", result_pmu, sources, &pmu_source),
	END,
};
static const struct layout pmu = { pmu_fields, sizeof(struct result_pmu) };

/* the document */

static const struct field warning_fields[] = {
	FIELD(STRING, "code", REQUIRED, result_warning, code),
	FIELD(STRING, "message", REQUIRED, result_warning, message),
	END,
};
const struct layout layout_warning = { warning_fields, sizeof(struct result_warning) };

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
const struct layout layout_result = { result_fields, sizeof(struct result) };
