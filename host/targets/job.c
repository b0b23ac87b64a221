/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The codec of jobs. */
#include <errno.h>
#include <string.h>

#include "host/targets/job.h"

#define MAGIC 0x346f6a7377ull /* "wsjo4" */

/* The numbers of a job. The path of the payload and the three lists of names follow. */
struct head {
	uint64_t magic, seed, timeout_ns;
	uint32_t kind, n_benches, n_configs, n_tests;
	uint32_t boots, events, placement;
	int32_t cpu;
	uint8_t pairs, seed_given, host_counters, trace_states, symbols; /* 0 or 1 */
	uint8_t has_payload, takes_turns;				 /* 0 or 1 */
	uint8_t vcpus, vms; /* struct boot_scale */
	uint8_t ends;	    /* 0 or 1 */
	uint8_t none[6];    /* no padding, which would be random */
	struct abi_params params;
};
_Static_assert(sizeof(struct head) == 3 * sizeof(uint64_t) + 8 * sizeof(uint32_t) +
					      16 * sizeof(uint8_t) +
					      sizeof(struct abi_params),
	       "the head has no padding");

static int put(uint8_t block[JOB_BYTES], size_t *used, const char *text)
{
	size_t bytes = strlen(text) + 1;

	if (bytes > JOB_BYTES - *used)
		return -E2BIG;
	memcpy(block + *used, text, bytes);
	*used += bytes;
	return 0;
}

int job_encode(const struct job *job, uint8_t block[JOB_BYTES])
{
	const struct {
		const char *const *names;
		size_t n;
	} lists[] = {
		{ job->benches, job->n_benches },
		{ job->configs, job->n_configs },
		{ job->tests, job->n_tests },
	};
	struct head head = {
		.magic = MAGIC,
		.seed = job->seed,
		.timeout_ns = job->timeout_ns,
		.kind = job->kind,
		.n_benches = (uint32_t)job->n_benches,
		.n_configs = (uint32_t)job->n_configs,
		.n_tests = (uint32_t)job->n_tests,
		.boots = job->boots,
		.events = job->events,
		.placement = job->placement,
		.cpu = job->cpu,
		.pairs = job->pairs,
		.seed_given = job->seed_given,
		.host_counters = job->host_counters,
		.trace_states = job->trace_states,
		.symbols = job->symbols,
		.takes_turns = job->takes_turns,
		.ends = job->ends,
		.has_payload = job->payload != NULL,
		.params = job->params,
		.vcpus = job->n_scales ? (uint8_t)job->scales[0].vcpus : 0,
		.vms = job->n_scales ? (uint8_t)job->scales[0].vms : 0,
	};
	size_t used = sizeof(head);
	int err = 0;

	if (job->n_benches > JOB_NAMES_MAX || job->n_configs > JOB_NAMES_MAX ||
	    job->n_tests > JOB_NAMES_MAX ||
	    job->n_benches + job->n_configs + job->n_tests > JOB_NAMES_MAX ||
	    job->n_scales > 1)
		return -E2BIG;
	memset(block, 0, JOB_BYTES);
	memcpy(block, &head, sizeof(head));
	if (job->payload)
		err = put(block, &used, job->payload);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (size_t k = 0; !err && k < lists[i].n; k++)
			err = put(block, &used, lists[i].names[k]);
	return err;
}

/* The next text in the block, or NULL if no NUL ends it. */
static const char *get(const uint8_t block[JOB_BYTES], size_t *used)
{
	const char *text = (const char *)block + *used;
	const void *end = memchr(text, '\0', JOB_BYTES - *used);

	if (end)
		*used = (size_t)((const uint8_t *)end - block) + 1;
	return end ? text : NULL;
}

int job_decode(const uint8_t block[JOB_BYTES], struct job_decoded *out)
{
	const char *payload = NULL;
	struct head head;
	size_t used = sizeof(head), n;

	memcpy(out->block, block, JOB_BYTES);
	memcpy(&head, out->block, sizeof(head));
	if (head.magic != MAGIC || head.kind < JOB_BOOTS || head.kind >= JOB_KINDS ||
	    (head.pairs | head.seed_given | head.host_counters | head.trace_states |
	     head.symbols | head.takes_turns | head.ends | head.has_payload) > 1 ||
	    head.n_benches > JOB_NAMES_MAX || head.n_configs > JOB_NAMES_MAX ||
	    head.n_tests > JOB_NAMES_MAX ||
	    head.n_benches + head.n_configs + head.n_tests > JOB_NAMES_MAX ||
	    head.vcpus > BOOT_SCALE_MAX || head.vms > BOOT_SCALE_MAX ||
	    (head.vcpus && head.vms))
		return -EBADMSG;
	if (head.has_payload) {
		payload = get(out->block, &used);
		if (!payload)
			return -EBADMSG;
	}
	n = head.n_benches + head.n_configs + head.n_tests;
	for (size_t i = 0; i < n; i++) {
		out->names[i] = get(out->block, &used);
		if (!out->names[i])
			return -EBADMSG;
	}
	out->job = (struct job){
		.kind = (enum job_kind)head.kind,
		.benches = out->names,
		.configs = out->names + head.n_benches,
		.tests = out->names + head.n_benches + head.n_configs,
		.n_benches = head.n_benches,
		.n_configs = head.n_configs,
		.n_tests = head.n_tests,
		.boots = head.boots,
		.events = head.events,
		.pairs = head.pairs,
		.seed_given = head.seed_given,
		.seed = head.seed,
		.placement = head.placement,
		.params = head.params,
		.cpu = head.cpu,
		.timeout_ns = head.timeout_ns,
		.host_counters = head.host_counters,
		.trace_states = head.trace_states,
		.symbols = head.symbols,
		.takes_turns = head.takes_turns,
		.ends = head.ends,
		.payload = payload,
		.scales = { { head.vcpus, head.vms } },
		.n_scales = head.vcpus || head.vms,
	};
	return 0;
}
