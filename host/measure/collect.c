/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The document of a target that runs a whole job by itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/measure/collect.h"
#include "host/target/boot.h"

/*
 * The header comes twice: first to be there if all else is lost, last with the
 * figures that only the whole run knows. The benchmarks wait in `pieces` until
 * it is clear which header is the last.
 */
struct collection {
	struct target *target;
	const struct measure_watch *watch;
	struct result *header, *pieces;
	struct target_error *err;
};

static int reject(struct collection *c, const char *what, const struct result_error *why)
{
	return target_fail(c->err, -EPROTO, "%s sent a broken %s: %s", c->target->name,
			   what, why->text);
}

static int on_header(void *ctx, const char *json, size_t bytes)
{
	struct collection *c = ctx;
	struct result *header;
	struct result_error why;

	if (result_parse(json, bytes, &header, &why))
		return reject(c, "header", &why);
	result_free(c->header);
	c->header = header;
	return 0;
}

static int on_benchmark(void *ctx, const char *json, size_t bytes)
{
	struct collection *c = ctx;
	struct result_error why;

	if (result_benchmark_parse(c->pieces, json, bytes, &why))
		return reject(c, "benchmark", &why);
	if (!c->watch->benchmark)
		return 0;
	return c->watch->benchmark(c->watch->ctx, c->pieces,
				   &c->pieces->benchmarks[c->pieces->n_benchmarks - 1]);
}

static void on_progress(void *ctx, const char *text)
{
	struct collection *c = ctx;

	if (c->watch->progress)
		c->watch->progress(c->watch->ctx, text);
}

static int on_symbols(void *ctx, const char *text, size_t bytes)
{
	struct collection *c = ctx;

	return c->watch->symbols(c->watch->ctx, text, bytes);
}

/* Moves the benchmarks under the last header. */
static int join(struct collection *c)
{
	struct result_error why;
	size_t i;

	for (i = 0; i < c->pieces->n_benchmarks; i++) {
		char *json = result_benchmark_dump(&c->pieces->benchmarks[i]);
		int rc = result_benchmark_parse(c->header, json, strlen(json), &why);

		free(json);
		if (rc)
			return reject(c, "benchmark", &why);
	}
	return 0;
}

/* Of one row: there is nobody on the other side to tell of pairs. */
static uint32_t boots_of(const struct target *t, const struct measure_request *request)
{
	if (!request->pairs)
		return request->boots;
	return 2 * (request->boots ? request->boots : t->default_boots);
}

int collect_delegated(struct target *t, const struct measure_request *request,
		      const struct measure_watch *watch, struct result **out,
		      struct target_error *err)
{
	const struct target_job job = {
		.benches = request->benches,
		.n_benches = request->n_benches,
		.configs = request->configs,
		.n_configs = request->n_configs,
		.boots = boots_of(t, request),
		.events = request->events,
		.seed = request->seed,
		.timeout_ns = request->options.timeout_ns,
		.host_counters = request->options.host_counters,
	};
	struct collection c = {
		.target = t,
		.watch = watch,
		.pieces = result_new(),
		.err = err,
	};
	const struct target_sink sink = {
		.ctx = &c,
		.header = on_header,
		.benchmark = on_benchmark,
		.progress = on_progress,
		.symbols = watch->symbols ? on_symbols : NULL,
	};
	int rc, joined;

	rc = t->ops->delegate(t, &job, &sink, err);
	if (!rc && !c.header)
		rc = target_fail(err, -EPROTO, "%s sent no header", t->name);
	if (c.header) {
		joined = join(&c);
		rc = rc ? rc : joined;
		result_free(*out);
		*out = c.header;
		t->ops->describe(t, *out);
	}
	result_free(c.pieces);
	return rc;
}
