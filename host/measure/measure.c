/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a job and a target to a result document. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/process.h"
#include "host/lib/error.h"
#include "host/measure/figures.h"
#include "host/measure/measure.h"
#include "host/targets/target.h"
#include "host/targets/rows.h"

struct session {
	struct target *target;
	const struct job *job;
	const struct measure_watch *watch;
	struct plan plan;
	size_t boots_done, boots_total; /* of the plan */
	struct result *result;
	struct error *err;
	/* --payload replaces the body of every row. */
	void *payload;
	size_t payload_bytes;
};

static enum judge_trust trust_of(const struct session *s, const struct bench *row)
{
	const char *hypervisor = s->result->target.hypervisor;

	if (row->needs & TIMED_BY_HOST)
		return JUDGE_HOST_TIMED;
	if (!hypervisor)
		return JUDGE_NO_HYPERVISOR;
	return strcmp(hypervisor, "software") ? JUDGE_ALL : JUDGE_USER_ONLY;
}

/* The request of one boot. -ENOENT: no payload. */
static int request_of(struct session *s, const struct plan_row *row,
		      const struct config *config, uint32_t index,
		      struct boot_request *rq)
{
	*rq = (struct boot_request){
		.bench = row->bench,
		.config = config,
		.params = plan_params(&s->plan, row),
		.scale = row->scale,
		.cpu = s->job->cpu,
		.timeout_ns = s->plan.timeout_ns,
		.placement = index,
		.image = s->payload,
		.image_bytes = s->payload_bytes,
	};
	if (!rq->image)
		rq->image = payload_find(s->target->arch,
					 payload_of(row->bench, s->target->arch),
					 &rq->image_bytes);
	if (!rq->image)
		return error_set(s->err, -ENOENT, "no payload is built in for %s",
				 row->bench->id);
	return 0;
}

/* `done`: boots of the row so far. */
static void report_place(const struct session *s, const struct plan_row *row,
			 const struct config *config, uint32_t done)
{
	uint32_t boots = s->plan.boots * (s->job->pairs ? 2 : 1);
	char name[PLAN_CONFIG_BYTES];
	const struct measure_place place = {
		.bench = row->bench->id,
		.config = name,
		.boot = done < boots ? done + 1 : boots,
		.boots = boots,
		.done = s->boots_done,
		.total = s->boots_total,
	};

	plan_config_name(&row->scale, config, name);
	if (s->watch->progress)
		s->watch->progress(s->watch->ctx, &place);
}

/* Adds a report to its row, and frees it. */
static int take_report(struct session *s, const struct plan_row *row, uint32_t index,
		       struct boot_report *rep, struct assembly *a)
{
	struct timing_mark mark = timing_mark();
	int rc = 0;

	/* Of a boot that is done: what its VM lacks. */
	if (rep->outcome == BOOT_DONE && *rep->reason)
		result_warn(s->result, "vm-settings", "%s: %s",
			    s->result->benchmarks[a->index].config, rep->reason);
	if (rep->outcome == BOOT_DONE)
		rc = assemble_boot(a, index, rep);
	else
		assemble_stop(a, rep->outcome == BOOT_SKIP ? RESULT_SKIP : RESULT_FAIL,
			      rep->reason);
	boot_report_free(rep);
	timing_add(s->target->timing, TIMING_ANALYSIS, &mark, 0);
	return rc ? error_set(s->err, rc, "%s: %s", row->bench->id, strerror(-rc)) : 0;
}

static int boot_once(struct session *s, const struct plan_row *row,
		     const struct config *config, uint32_t index, struct assembly *a)
{
	struct boot_request rq;
	struct boot_report rep;
	struct timing_mark mark;
	int rc = request_of(s, row, config, index, &rq);

	report_place(s, row, config, index);
	if (rc)
		return rc;
	boot_report_init(&rep);
	mark = timing_mark();
	rc = s->target->ops->boot(s->target, &rq, &rep, s->err);
	timing_add(s->target->timing, TIMING_ROWS, &mark, 0);
	rc = boot_settle(&rep, rc, s->err);
	return rc ? rc : take_report(s, row, index, &rep, a);
}

static bool stopped(const struct session *s, const struct assembly *a)
{
	return s->result->benchmarks[a->index].status != RESULT_OK;
}

/* A row while it runs, with an assembly per config. */
struct row_run {
	const struct plan_row *row;
	struct abi_params params;
	struct assembly *a; /* one per config */
	bool repeat;	    /* in the next round: repeat_rejected() */
};

static int row_begin(struct session *s, const struct plan_row *row, struct row_run *run)
{
	run->row = row;
	run->params = plan_params(&s->plan, row);
	run->a = calloc(row->n_configs, sizeof(*run->a));
	if (!run->a)
		return error_set(s->err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < row->n_configs; i++) {
		run->a[i] = (struct assembly){
			.result = s->result,
			.params = &run->params,
			.claim = bench_claim(row->bench, s->target->arch),
			.trust = trust_of(s, row->bench),
			.exact = s->target->exact,
			.unit = s->result->clock.unit,
			.seed = s->job->seed,
			.scale = row->scale,
		};
		assemble_begin(&run->a[i], row->bench, row->configs[i]);
	}
	return 0;
}

/*
 * One boot of each config of a row, in the order ABBA... over the rounds, so that a drift
 * of the machine affects all configs equally. The seed selects the first config. Under
 * --aa two boots of each config follow each other.
 */
static int row_round(struct session *s, struct row_run *run, uint32_t round)
{
	bool backward = (round ^ s->job->seed) & 1;
	uint32_t times = s->job->pairs ? 2 : 1;
	size_t n = run->row->n_configs;

	for (size_t i = 0; i < n * times; i++) {
		size_t which = backward ? n - 1 - i / times : i / times;
		uint32_t boot = round * times + (uint32_t)(i % times);
		int rc;

		rc = stopped(s, &run->a[which])
			     ? 0
			     : boot_once(s, run->row, run->row->configs[which], boot,
					 &run->a[which]);
		s->boots_done++;
		if (rc)
			return rc;
		if (interrupted)
			return error_set(s->err, -EINTR, "interrupted");
	}
	return 0;
}

/* The reason for the document: one line, without the target's name. */
static const char *reason_of(const struct target *t, const struct error *err,
			     struct result *r)
{
	size_t name = strlen(t->name);
	const char *p = err->text;
	char text[sizeof(err->text)];
	size_t n = 0;

	if (!strncmp(p, t->name, name) && !strncmp(p + name, ": ", 2))
		p += name + 2;
	while (*p) {
		text[n++] = *p == '\n' ? ';' : *p;
		/* One blank replaces the indentation of a console's line. */
		if (*p++ == '\n')
			while (p[0] == ' ' && p[1] == ' ')
				p++;
	}
	text[n] = '\0';
	return result_string(r, text);
}

/* `rc`: the error that ended the run before this row had a figure. */
static void stop_unmeasured(const struct session *s, struct assembly *a, int rc)
{
	if (rc == -EINTR)
		assemble_stop(a, RESULT_SKIP, "the run ended before its turn");
	else
		assemble_stop(a, RESULT_FAIL, reason_of(s->target, s->err, s->result));
}

/* `rc`: the error that ended the run, or 0. */
static int row_end(struct session *s, struct row_run *run, int rc)
{
	struct timing_mark mark = timing_mark();

	for (size_t i = 0; run->a && i < run->row->n_configs; i++) {
		struct assembly *a = &run->a[i];
		struct result_benchmark *b = &s->result->benchmarks[a->index];

		if (rc && b->status == RESULT_OK && !b->n_metrics)
			stop_unmeasured(s, a, rc);
		assemble_end(a);
		if (s->watch->benchmark && !rc)
			rc = s->watch->benchmark(s->watch->ctx, s->result,
						 &s->result->benchmarks[a->index]);
	}
	free(run->a);
	timing_add(s->target->timing, TIMING_ANALYSIS, &mark, 0);
	return rc;
}

/*
 * The boots of an exact target: an entry per row and config, in the document's order. A
 * row that its config excludes has an entry without a boot: its guest could hang.
 */
struct batch {
	struct pool_boot *boots;
	struct boot_report *reports; /* of all entries */
	size_t *row_of, *config_of;  /* per entry */
	size_t n;
};

static int batch_fill(struct session *s, struct batch *b)
{
	size_t times = s->plan.boots * (s->job->pairs ? 2u : 1u), n = 0;
	int rc = 0;

	for (size_t i = 0; i < s->plan.n_rows; i++)
		n += s->plan.rows[i].n_configs;
	b->boots = calloc(n + 1, sizeof(*b->boots));
	b->reports = calloc(n * times + 1, sizeof(*b->reports));
	b->row_of = calloc(n + 1, sizeof(*b->row_of));
	b->config_of = calloc(n + 1, sizeof(*b->config_of));
	if (!b->boots || !b->reports || !b->row_of || !b->config_of)
		return error_set(s->err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < s->plan.n_rows && !rc; i++) {
		const struct plan_row *row = &s->plan.rows[i];

		for (size_t c = 0; c < row->n_configs && !rc; c++, b->n++) {
			const char *skip;

			judge_row(row->bench, row->configs[c], s->result, &skip);
			rc = request_of(s, row, row->configs[c], 0,
					&b->boots[b->n].request);
			b->boots[b->n].n = skip ? 0 : times;
			s->boots_total += b->boots[b->n].n;
			b->boots[b->n].reports = &b->reports[b->n * times];
			b->row_of[b->n] = i;
			b->config_of[b->n] = c;
		}
	}
	return rc;
}

static void batch_free(struct batch *b)
{
	free(b->boots);
	free(b->reports);
	free(b->row_of);
	free(b->config_of);
}

/* The entry that run_rows() waits for. */
struct place {
	struct session *s;
	const struct plan_row *row;
	const struct config *config;
	size_t boots, before; /* of this entry, and of those before it */
};

static void still_waiting(void *ctx, size_t done)
{
	const struct place *at = ctx;

	at->s->boots_done = at->before + done;
	if (at->boots)
		report_place(at->s, at->row, at->config, (uint32_t)done);
}

/*
 * Exact targets. Boots run in parallel, since no other process changes the figures of an
 * exact boot. Reports are processed in the order of the document, and each row is
 * reported as soon as it is complete.
 */
static int run_rows(struct session *s)
{
	struct batch b = { .n = 0 };
	struct row_run run = { 0 };
	struct pool *pool = NULL;
	struct place at;
	const struct pool_watch watch = { still_waiting, &at };
	size_t before = 0;
	int rc = batch_fill(s, &b);

	if (!rc) {
		pool = pool_start(s->target, b.boots, b.n, s->watch->slots);
		rc = pool ? 0 : error_set(s->err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < b.n && !rc; i++) {
		const struct plan_row *row = &s->plan.rows[b.row_of[i]];
		struct assembly *a;

		if (!i || b.row_of[i] != b.row_of[i - 1])
			rc = row_begin(s, row, &run);
		if (rc)
			break;
		a = &run.a[b.config_of[i]];
		at = (struct place){ s, row, row->configs[b.config_of[i]], b.boots[i].n,
				     before };
		rc = pool_wait(pool, i, &watch, s->err);
		before += b.boots[i].n;
		for (size_t k = 0; !rc && k < b.boots[i].n; k++)
			if (stopped(s, a))
				boot_report_free(&b.boots[i].reports[k]);
			else
				rc = take_report(s, row, (uint32_t)k,
						 &b.boots[i].reports[k], a);
		if (i + 1 == b.n || b.row_of[i + 1] != b.row_of[i] || rc)
			rc = row_end(s, &run, rc);
	}
	pool_stop(pool);
	batch_free(&b);
	return rc;
}

/* Limit of --boots. */
#define ROUNDS_MAX 10000

/* One more round, if the caller wants it. */
static bool add_round(struct session *s)
{
	if (!s->watch->more || s->plan.boots >= ROUNDS_MAX ||
	    !s->watch->more(s->watch->ctx, s->result))
		return false;
	s->plan.boots++;
	for (size_t i = 0; i < s->plan.n_rows; i++)
		s->boots_total += s->plan.rows[i].n_configs * (s->job->pairs ? 2 : 1);
	return true;
}

/*
 * Whether the row has fewer valid boots than wanted. A row without any valid boot does
 * not do what is expected, however often it boots; a single boot does not show that.
 */
static bool row_lacks_boots(const struct session *s, const struct row_run *run)
{
	const size_t wanted = s->plan.boots * (s->job->pairs ? 2u : 1u);

	for (size_t i = 0; i < run->row->n_configs; i++) {
		const struct result_benchmark *b =
			&s->result->benchmarks[run->a[i].index];
		size_t valid = 0;

		if (b->status != RESULT_OK || !b->n_metrics)
			continue;
		for (size_t k = 0; k < b->metrics[0].n_boots; k++)
			valid += b->metrics[0].boots[k].valid;
		if (valid < wanted && (valid || wanted == 1))
			return true;
	}
	return false;
}

/*
 * Selects the rows of the next round before any of them boots: a boot is compared with
 * those of the same round, so all configs and all scales of a benchmark are repeated, if
 * one lacks a boot. Returns whether there are any.
 */
static bool find_repeats(const struct session *s, struct row_run *runs, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		runs[i].repeat = false;
		for (size_t k = 0; k < n && !runs[i].repeat; k++)
			runs[i].repeat = runs[k].row->bench == runs[i].row->bench &&
					 row_lacks_boots(s, &runs[k]);
		any |= runs[i].repeat;
	}
	return any;
}

/* Repeats rejected boots, in at most as many rounds as there were. */
static int repeat_rejected(struct session *s, struct row_run *runs, size_t n)
{
	const uint32_t end = 2 * s->plan.boots;
	int rc = 0;

	for (uint32_t round = s->plan.boots; !rc && round < end; round++) {
		if (!find_repeats(s, runs, n))
			break;
		for (size_t i = 0; i < n && !rc; i++) {
			if (!runs[i].repeat)
				continue;
			s->boots_total +=
				runs[i].row->n_configs * (s->job->pairs ? 2 : 1);
			rc = row_round(s, &runs[i], round);
		}
	}
	return rc;
}

/*
 * Noisy targets: one boot of every row per round. A disturbance of a few seconds then
 * affects one boot of several rows, and not all boots of one row.
 */
static int run_rounds(struct session *s)
{
	struct row_run *runs = calloc(s->plan.n_rows, sizeof(*runs));
	size_t n = 0;
	int rc = 0, ended;

	if (!runs)
		return error_set(s->err, -ENOMEM, "out of memory");
	for (; n < s->plan.n_rows && !rc; n++) {
		rc = row_begin(s, &s->plan.rows[n], &runs[n]);
		s->boots_total += s->plan.rows[n].n_configs * s->plan.boots *
				  (s->job->pairs ? 2 : 1);
	}
	for (uint32_t round = 0; !rc && (round < s->plan.boots || add_round(s)); round++)
		for (size_t i = 0; i < n && !rc; i++)
			rc = row_round(s, &runs[i], round);
	if (!rc && !s->watch->more)
		rc = repeat_rejected(s, runs, n);
	for (size_t i = 0; i < n; i++) {
		ended = row_end(s, &runs[i], rc);
		rc = rc ? rc : ended;
	}
	estimate_clock(s->result);
	free(runs);
	return rc;
}

/* The rate that the target knows before the first boot: bodies wait by it. */
static void set_clock(struct plan *plan, uint64_t hz)
{
	const uint32_t khz = hz / 1000 <= UINT32_MAX ? (uint32_t)(hz / 1000) : 0;

	plan->params.clock_khz = plan->map_params.clock_khz = khz;
}

static int run_all(struct session *s)
{
	int rc = s->target->ops->describe(s->target, &s->result, s->err);

	if (rc)
		return rc;
	set_clock(&s->plan, s->result->clock.hz);
	s->result->clock.overhead_min = s->result->clock.overhead_median = NAN;
	/* Readings of this machine apply only to its own KVM; a lab describes its own. */
	if (!strcmp(s->target->ops->kind, "kvm"))
		pmu_readings_add_host(s->target->arch, s->result);
	rc = s->target->exact ? run_rows(s) : run_rounds(s);
	if (!rc && s->target->ops->ended)
		rc = s->target->ops->ended(s->target, s->err);
	/* A boot for each config, which records of other boots do not need. */
	if (rc || s->target->trace)
		return rc;
	return pmu_readings_add(s->target, &s->plan, s->result, s->err);
}

int measure_run(struct target *t, const struct job *job,
		const struct measure_watch *watch, struct result **out, struct error *err)
{
	struct session s = {
		.target = t,
		.job = job,
		.watch = watch,
		.result = result_new(),
		.err = err,
	};
	int rc;

	*out = s.result;
	rc = plan_make(job, t, &s.plan, err);
	if (rc)
		return rc;
	if (job->payload)
		rc = payload_read(job->payload, t->arch, &s.payload, &s.payload_bytes,
				  err);
	if (!rc)
		rc = run_all(&s);
	*out = s.result;
	(*out)->run.partial = rc != 0;
	plan_free(&s.plan);
	free(s.payload);
	return rc;
}

/* Describes a target that was not opened. */
static void describe_unopened(const struct target *t, struct result *r)
{
	r->target.name = result_string(r, t->name);
	r->target.kind = t->ops->kind;
	r->target.exact = t->exact;
	r->clock.name = t->arch == ARCH_X86_64 ? "TSC" : "CNTVCT_EL0";
	r->clock.unit = t->exact ? "insns" : "ticks";
	r->clock.overhead_min = r->clock.overhead_median = NAN;
}

void measure_fail(const struct target *t, const struct job *job, const struct error *err,
		  struct result *r)
{
	const char *why = reason_of(t, err, r);
	struct error none;
	struct plan plan;

	if (!r->target.name)
		describe_unopened(t, r);
	result_warn(r, RESULT_TARGET_FAILED, "%s", why);
	r->run.partial = true;
	if (plan_make(job, t, &plan, &none))
		return;
	for (size_t i = 0; i < plan.n_rows; i++) {
		const struct plan_row *row = &plan.rows[i];

		for (size_t k = 0; k < row->n_configs; k++) {
			struct assembly a = { .result = r, .scale = row->scale };
			char name[PLAN_CONFIG_BYTES];

			plan_config_name(&row->scale, row->configs[k], name);
			if (result_find(r, row->bench->id, name))
				continue;
			assemble_begin(&a, row->bench, row->configs[k]);
			if (r->benchmarks[a.index].status == RESULT_OK)
				assemble_stop(&a, RESULT_FAIL, why);
		}
	}
	plan_free(&plan);
}
