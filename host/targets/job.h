/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A job: what is to be run, how often, and under which limits. The command line is parsed
 * into a job; measure/ plans its boots; a lab encodes the job of one row and decodes it
 * inside the emulated machine. Strings and lists belong to the creator of the job.
 */
#ifndef WS_TARGETS_JOB_H
#define WS_TARGETS_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/abi.h"

enum job_kind {
	JOB_BOOTS = 1, /* boots of payloads */
	JOB_DESCRIBE,  /* the machine */
	JOB_SELFTEST,  /* tests of the VMM */
	JOB_MATRIX,    /* every row under every config, as tests */
	JOB_TIMING,    /* a line: the members of struct timing_boot */
	JOB_KINDS,
};

/* Whether a kernel that the cache lacks, or has damaged, is downloaded. */
enum job_fetch {
	JOB_FETCH_NEVER,
	JOB_FETCH_QUIETLY,
	JOB_FETCH, /* with progress on stderr */
};

/*
 * How many payloads run at the same time: on as many vCPUs of one VM, or in as many VMs
 * of one vCPU. Both 0: one payload, without a scale.
 */
#define BOOT_SCALE_MAX 16u
struct boot_scale {
	uint32_t vcpus, vms;
};

static inline uint32_t boot_scale_n(const struct boot_scale *s)
{
	return s->vcpus ? s->vcpus : s->vms;
}

#define JOB_SCALES_MAX (2 * BOOT_SCALE_MAX)

struct job {
	enum job_kind kind;
	const char *const *benches; /* ids of bench/catalogue.def */
	const char *const *configs; /* names; none: each row's own configs */
	const char *const *tests;   /* names; none: all tests */
	size_t n_benches, n_configs, n_tests;

	uint32_t boots, events; /* 0: the target's default */
	bool pairs;		/* two boots instead of each one, for A/A */
	bool seed_given;
	uint64_t seed;	    /* of the order of the boots, and of the bootstrap */
	uint32_t placement; /* of the first boot: struct boot_request */
	struct boot_scale
		scales[JOB_SCALES_MAX]; /* each row runs at each; none: without */
	size_t n_scales;		/* of a job in a lab: at most 1 */
	struct abi_params params;	/* of one boot: struct boot_request */

	/* Limits. */
	int cpu;		    /* pin the vCPU thread to this CPU; -1: do not */
	uint64_t timeout_ns;	    /* of one boot; 0: the target's default */
	unsigned int lab_timeout_s; /* of a run in a lab; 0: lab.c's. Not encoded */

	/* Options. */
	bool host_counters; /* count on the vCPU thread; adds to entries and exits */
	bool trace_states;  /* print the run loop's transitions to stderr */
	bool symbols;	    /* labs: return the functions of the kernel */
	bool takes_turns;   /* labs: struct target */
	bool ends;	    /* labs: the machine ends with the answer */
	/* Without `configs`: of a row's own configs only the one that the row is about.
	 * Not encoded: a lab receives rows with their configs. */
	bool one_config;
	const char *payload; /* ELF file that replaces every payload; NULL */

	/* The machine of a lab. Not encoded: the machine has booted when it receives a
	 * job. */
	const char *kernel; /* image, release or series; NULL: the default of the cache */
	bool kernel_is_name; /* from a file: `kernel` is never a path */
	enum job_fetch fetch;
	const char *modules;  /* folder with kvm*.ko; NULL: beside the kernel */
	const char *append;   /* added to the kernel's command line; NULL */
	const char *emulator; /* lab_qemu_select(); NULL: the lab's own */
};

/* How many events a vCPU makes at most, at each scale: those of all fill one series. */
static inline uint32_t job_scaled_events(const struct job *job)
{
	uint32_t most = 1;

	for (size_t i = 0; i < job->n_scales; i++)
		if (boot_scale_n(&job->scales[i]) > most)
			most = boot_scale_n(&job->scales[i]);
	return ABI_SERIES_MAX / most;
}

/*
 * An encoded job has a fixed size, so that a machine executes the same instructions to
 * receive any job. Both ends are built from one source, and x86_64 and aarch64 have the
 * same data layout (LP64, little-endian): numbers are stored as in memory.
 */
#define JOB_BYTES     3072u
#define JOB_NAMES_MAX 128u

/* Encodes every member except the machine of a lab. 0, or -E2BIG if the names and strings
 * do not fit. */
int job_encode(const struct job *job, uint8_t block[JOB_BYTES]);

/* A decoded job: its lists and strings point into this struct. */
struct job_decoded {
	struct job job;
	const char *names[JOB_NAMES_MAX];
	uint8_t block[JOB_BYTES];
};

/* Decodes a block that is not trusted. 0 or -EBADMSG. */
int job_decode(const uint8_t block[JOB_BYTES], struct job_decoded *out);

#endif
