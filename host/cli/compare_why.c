/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wsbench compare --explain`: measures again what differs, and records it.
 *
 * The kernel of a document is the image that its run was given by --kernel, if this file
 * is here, else the cached kernel of the release; --base-kernel names that of BASE. The
 * figures of the explanations must be those of the documents: a CI job builds every
 * kernel at one path, and the image of BASE is gone.
 */
#include "host/cli/compare.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/abi.h"
#include "host/cli/documents.h"
#include "host/cli/run.h"
#include "host/cli/options.h"
#include "host/lib/process.h"
#include "host/lib/error.h"
#include "host/lib/text.h"
#include "host/targets/target.h"

/* More events take longer to record, and do not move the figure of an exact target. */
#define EVENTS_MAX 1000u

static bool is_lab(const struct result *r)
{
	return !strncmp(r->target.name, "lab:", 4);
}

int compare_why_check(const struct result *base, const struct result *new,
		      struct error *err)
{
	const struct result *other = is_lab(base) ? new : base;

	if (!is_lab(other))
		return error_set(
			err, -EINVAL,
			"--explain: %s is not a lab: only labs can record every instruction",
			other->target.name);
	if (strcmp(base->target.name, new->target.name) != 0)
		return error_set(err, -EINVAL,
				 "--explain: %s and %s: the documents are of two labs",
				 base->target.name, new->target.name);
	return 0;
}

static const char *option_of(const struct result *r, const char *option)
{
	return documents_option(r->run.argv, r->run.n_argv, option);
}

/* `image`: --base-kernel; NULL. */
static void choose_kernel(struct job *job, const struct result *doc, const char *image,
			  const struct why_boots *boots)
{
	const struct result_pair *pair = &doc->run.pair;
	bool second =
		pair->id && !pair->config && pair->side && !strcmp(pair->side, "new");
	const char *given = option_of(doc, second ? "--against" : "--kernel");

	job->append = option_of(doc, "--append");
	job->emulator = boots->emulator ? boots->emulator : option_of(doc, "--emulator");
	if (image) {
		job->kernel = image;
	} else if (given && strchr(given, '/') && !access(given, R_OK)) {
		job->kernel = given;
		job->modules = option_of(doc, "--modules");
	} else {
		job->kernel = doc->subject.kernel;
		job->kernel_is_name = true;
	}
}

/* Why the kernel of a document cannot boot here; 0: it can. */
static int find_kernel(const char *word, const struct result *doc, const char *image,
		       const struct why_boots *boots, struct error *err)
{
	const struct target *t = names_target(doc->target.name);
	struct error why = { "" };
	struct run run;
	int rc;

	if (!t)
		return error_set(err, -ENOENT, "not explained: this program has no %s",
				 doc->target.name);
	if (touch_refusal(t))
		return error_set(err, -ENOTSUP, "not explained: %s: %s", t->name,
				 touch_refusal(t));
	if (!doc->subject.kernel)
		return error_set(err, -ENOENT, "not explained: %s: its kernel is unknown",
				 word);
	run_init(&run);
	choose_kernel(&run.job, doc, image, boots);
	if (!boots->emulator && run.job.emulator && strchr(run.job.emulator, '/')) {
		error_set(
			err, -EPERM,
			"not explained: %s names a program to start, %s (--emulator starts it)",
			word, run.job.emulator);
		run_free(&run);
		return -EPERM;
	}
	rc = t->ops->probe(t, &run.job, &why);
	run_free(&run);
	if (rc)
		return error_set(err, rc, "not explained: %s: %s", word, why.text);
	return 0;
}

static uint32_t events_of(const struct compare_side *side)
{
	uint64_t n = side->metric->n_boots ? side->metric->boots[0].summary.n : 0;

	return n < 2 ? 2 : n > EVENTS_MAX ? EVENTS_MAX : (uint32_t)n;
}

static bool is_of_document(const struct explanation *e, const struct result *doc,
			   const struct compare_side *side, char *reason, size_t bytes)
{
	char is[NUMBER_BYTES], was[NUMBER_BYTES];

	if (e->subject.kernel && strcmp(e->subject.kernel, doc->subject.kernel) != 0) {
		snprintf(reason, bytes,
			 "not explained: the image is now Linux %s, and was Linux %s",
			 e->subject.kernel, doc->subject.kernel);
		return false;
	}
	if (why_is_figure(e, side))
		return true;
	number_format(is, e->round_trip, true);
	number_format(was, side->value, true);
	snprintf(
		reason, bytes,
		"not explained: Linux %s takes %s insns now, the document has %s: another build of the kernel (--base-kernel names that of BASE), another emulator, or other options of the run",
		doc->subject.kernel, is, was);
	return false;
}

/* One side of a row. NULL: `reason` is set. `*failed`: no other row will do better. */
static struct explanation *explain_side(const struct result *doc, const char *image,
					const struct why_boots *boots,
					const struct compare_row *row,
					const struct compare_side *side, char *reason,
					size_t bytes, bool *failed)
{
	const struct bench *bench = result_find_bench(row->name);
	const struct config *config = result_find_config(side->config);
	const char *refusal = row_refusal(bench);
	struct explanation *e = NULL;
	struct explain x = { .kinds = false };
	enum cli_exit code;
	struct error why;

	if (refusal || !config) {
		snprintf(reason, bytes, "not explained: %s",
			 refusal ? refusal : "this program does not have the config");
		return NULL;
	}
	run_init(&x.run);
	x.run.common.quiet = true;
	choose_kernel(&x.run.job, doc, image, boots);
	x.run.job.events = events_of(side);
	if (names_match_targets(doc->target.name, &x.run.targets, &why) ||
	    names_match_benches(bench->id, &x.run.benches, &why) ||
	    names_match_configs(config->name, &x.run.configs, &why)) {
		snprintf(reason, bytes, "not explained: %s", why.text);
	} else {
		code = explain_record(&x, &e);
		*failed = code == CLI_FAILED || code == CLI_USAGE;
		snprintf(
			reason, bytes,
			"not explained: the lab or the benchmark failed (messages on stderr)");
	}
	explain_free(&x);
	if (e && !is_of_document(e, doc, side, reason, bytes)) {
		*failed = true;
		explanation_free(e);
		e = NULL;
	}
	return e;
}

static void explain_row(const struct compare *c, const struct why_boots *boots,
			struct why_row *r, bool *failed)
{
	const struct compare_row *row = r->row;

	r->base = explain_side(c->base, boots->base_kernel, boots, row, &row->base,
			       r->reason, sizeof(r->reason), failed);
	if (!r->base || interrupted)
		return;
	r->new = explain_side(c->new, NULL, boots, row, &row->new, r->reason,
			      sizeof(r->reason), failed);
	if (r->new)
		return;
	explanation_free(r->base);
	r->base = NULL;
}

/* Comparisons that are explained beside each other, and passed on in their order. */
struct beside {
	const struct why_work *each;
	const struct why_boots *boots;
	void (*explained)(void *ctx, size_t i);
	void *ctx;
	pthread_mutex_t lock; /* of what follows */
	bool *ended;
	size_t next; /* the first that was not passed on */
	struct progress_beside progress;
};

static void explain_rows(struct beside *b, size_t i)
{
	const struct compare *c = b->each[i].c;
	struct why *w = b->each[i].w;
	struct error err = { "" };
	const char *failure = NULL;
	bool failed = false;

	progress_beside_begin(&b->progress, i, c->base->target.name);
	if (find_kernel("base", c->base, b->boots->base_kernel, b->boots, &err) ||
	    find_kernel("new", c->new, NULL, b->boots, &err)) {
		snprintf(w->refusal, sizeof(w->refusal), "%s", err.text);
		return;
	}
	for (size_t k = 0; k < w->n_rows && !interrupted; k++) {
		struct why_row *r = &w->rows[k];

		if (failed) {
			snprintf(r->reason, sizeof(r->reason), "%s", failure);
			continue;
		}
		progress_beside_boots(&b->progress, i, k, w->n_rows);
		explain_row(c, b->boots, r, &failed);
		failure = r->reason;
	}
}

static void explain_one(void *ctx, size_t i)
{
	struct beside *b = ctx;
	bool any = b->each[i].w->n_rows != 0;

	if (any)
		explain_rows(b, i);
	progress_beside_end(&b->progress, i, any);
	if (interrupted)
		return;
	pthread_mutex_lock(&b->lock);
	b->ended[i] = true;
	progress_beside_hold(&b->progress);
	for (; b->ended[b->next]; b->next++)
		b->explained(b->ctx, b->next);
	progress_beside_release(&b->progress);
	pthread_mutex_unlock(&b->lock);
}

void compare_why(const struct why_work *each, size_t n, const struct why_boots *boots,
		 bool quiet, void (*explained)(void *ctx, size_t i), void *ctx)
{
	const struct options_common common = { .quiet = quiet };
	const size_t at_once = pool_processors() < n ? pool_processors() : n;
	struct beside b = {
		.each = each,
		.boots = boots,
		.explained = explained,
		.ctx = ctx,
		.ended = calloc(n + 1, sizeof(*b.ended)),
		.progress = { .parts = calloc(n + 1, sizeof(*b.progress.parts)),
			      .n = n,
			      .at_once = at_once },
	};

	if (!b.ended || !b.progress.parts)
		abort();
	for (size_t i = 0; i < n; i++)
		b.progress.targets += each[i].w->n_rows != 0;
	target_catch_signals();
	pthread_mutex_init(&b.lock, NULL);
	pthread_mutex_init(&b.progress.lock, NULL);
	progress_init(&b.progress.line, &common);
	run_beside(n, at_once, explain_one, &b);
	pthread_mutex_destroy(&b.progress.lock);
	pthread_mutex_destroy(&b.lock);
	free(b.progress.parts);
	free(b.ended);
	interrupt_pass_on();
}
