/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a request and a target to a result document. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/measure/assemble.h"
#include "host/measure/collect.h"
#include "host/measure/measure.h"
#include "host/measure/pmu.h"
#include "host/target/boot.h"
#include "host/target/payload.h"

struct session {
	struct target *target;
	const struct measure_request *request;
	const struct measure_watch *watch;
	struct plan plan;
	struct result *result;
	struct target_error *err;
	/* --payload replaces the body of every row. */
	void *payload;
	size_t payload_bytes;
};

static void say(const struct session *s, const char *text)
{
	if (s->watch->progress)
		s->watch->progress(s->watch->ctx, text);
}

static int tell_header(const struct session *s)
{
	return s->watch->header ? s->watch->header(s->watch->ctx, s->result) : 0;
}

static enum judge_trust trust_of(const struct session *s, const struct bench *row)
{
	const char *hypervisor = s->result->target.hypervisor;

	if (row->needs & NEEDS_DRIVER)
		return JUDGE_DRIVER;
	if (!hypervisor)
		return JUDGE_NO_HYPERVISOR;
	return strcmp(hypervisor, "software") ? JUDGE_ALL : JUDGE_USER_ONLY;
}

static const char *payload_of(const struct bench *row)
{
	if (row->needs & NEEDS_DRIVER)
		return "driven";
	return row->needs & NEEDS_OPERAND ? row->group : row->id;
}

static int boot_once(struct session *s, const struct plan_row *row,
		     const struct config *config, uint32_t index, struct assembly *a)
{
	struct boot_request rq = {
		.bench = row->bench,
		.config = config,
		.params = plan_params(&s->plan, row->bench),
		.cpu = s->request->options.cpu,
		.timeout_ns = s->plan.timeout_ns,
		.image = s->payload,
		.image_bytes = s->payload_bytes,
	};
	struct boot_report rep;
	char text[160];
	int rc;

	snprintf(text, sizeof(text), "%s: %s, %s, boot %u of %u", s->target->name,
		 row->bench->id, config->name, index + 1, s->plan.boots);
	say(s, text);
	if (!rq.image)
		rq.image = payload_find(s->target->arch, payload_of(row->bench),
					&rq.image_bytes);
	if (!rq.image)
		return target_fail(s->err, -ENOENT, "no payload is built in for %s",
				   row->bench->id);
	rc = s->target->ops->boot(s->target, &rq, &rep, s->err);
	if (rc)
		return rc;
	if (rep.outcome == BOOT_DONE)
		rc = assemble_boot(a, index, &rep);
	else
		assemble_stop(a, rep.outcome == BOOT_SKIP ? RESULT_SKIP : RESULT_FAIL,
			      rep.reason);
	boot_report_free(&rep);
	return rc ? target_fail(s->err, rc, "%s: %s", row->bench->id, strerror(-rc)) : 0;
}

static bool stopped(const struct session *s, const struct assembly *a)
{
	return s->result->benchmarks[a->index].status != RESULT_OK;
}

/*
 * The boots of all configs of a row, interleaved ABBA..., so that what drifts
 * on the machine drifts over all of them alike. The seed says who begins.
 */
static int run_boots(struct session *s, const struct plan_row *row, struct assembly *a)
{
	uint64_t seed = s->request->seed;
	uint32_t boot;
	size_t i;
	int rc;

	for (boot = 0; boot < s->plan.boots; boot++) {
		bool backward = (boot ^ seed) & 1;

		for (i = 0; i < row->n_configs; i++) {
			size_t which = backward ? row->n_configs - 1 - i : i;

			if (stopped(s, &a[which]))
				continue;
			rc = boot_once(s, row, row->configs[which], boot, &a[which]);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static int run_row(struct session *s, const struct plan_row *row)
{
	struct assembly *a = calloc(row->n_configs, sizeof(*a));
	const struct abi_params params = plan_params(&s->plan, row->bench);
	size_t i;
	int rc;

	if (!a)
		return target_fail(s->err, -ENOMEM, "out of memory");
	for (i = 0; i < row->n_configs; i++) {
		a[i] = (struct assembly){
			.result = s->result,
			.params = &params,
			.trust = trust_of(s, row->bench),
			.exact = s->target->exact,
			.unit = s->result->clock.unit,
		};
		assemble_begin(&a[i], row->bench, row->configs[i]);
	}
	rc = run_boots(s, row, a);
	for (i = 0; i < row->n_configs; i++) {
		struct result_benchmark *b = &s->result->benchmarks[a[i].index];

		if (rc && b->status == RESULT_OK && !b->n_metrics)
			assemble_stop(&a[i], RESULT_SKIP,
				      "the run ended before its turn");
		assemble_end(&a[i]);
		if (s->watch->benchmark && !rc)
			rc = s->watch->benchmark(s->watch->ctx, s->result,
						 &s->result->benchmarks[a[i].index]);
	}
	free(a);
	return rc;
}

static int run_here(struct session *s)
{
	size_t i;
	int rc;

	s->target->ops->describe(s->target, s->result);
	s->result->clock.overhead_min = s->result->clock.overhead_median = NAN;
	rc = tell_header(s);
	for (i = 0; i < s->plan.n_rows && !rc; i++) {
		rc = run_row(s, &s->plan.rows[i]);
		if (target_interrupted && !rc)
			rc = target_fail(s->err, -EINTR, "interrupted");
	}
	if (!rc)
		rc = pmu_readings_add(s->target, &s->plan, s->result, s->err);
	return rc ? rc : tell_header(s);
}

int measure_run(struct target *t, const struct measure_request *request,
		const struct measure_watch *watch, struct result **out,
		struct target_error *err)
{
	struct session s = {
		.target = t,
		.request = request,
		.watch = watch,
		.result = result_new(),
		.err = err,
	};
	int rc;

	*out = s.result;
	rc = plan_make(request, t, &s.plan, err);
	if (rc)
		return rc;
	if (request->options.payload)
		rc = payload_read(request->options.payload, t->arch, &s.payload,
				  &s.payload_bytes, err);
	if (!rc && t->ops->delegate)
		rc = collect_delegated(t, request, watch, out, err);
	else if (!rc)
		rc = run_here(&s);
	(*out)->run.partial = rc != 0;
	plan_free(&s.plan);
	free(s.payload);
	return rc;
}
