/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The job that a lab's machine is given once it is up, and the report of a boot that
 * comes back over the wire.
 *
 * A job has a fixed size, whatever it asks for: the machine executes the same
 * instructions to read one job as to read another. Both ends are built from one source,
 * and x86_64 and aarch64 lay out these structs alike (LP64, little-endian), so that a
 * job crosses as it is in memory.
 */
#ifndef WS_LAB_JOB_H
#define WS_LAB_JOB_H

#include "host/targets/target.h"

#define LAB_JOB_MAGIC 0x626f6a7377ull /* "wsjob" */

enum lab_job_kind {
	LAB_JOB_DESCRIBE = 1, /* the machine: answered by a HEADER */
	LAB_JOB_BOOT,	      /* boots of a payload: answered by a REPORT each */
	LAB_JOB_SELFTEST,     /* answered by a LINE per test */
	LAB_JOB_MATRIX,	      /* every row under every config: LINEs, too */
};

#define LAB_JOB_NAME_BYTES  64u
#define LAB_JOB_TESTS_BYTES 2048u

struct lab_job {
	uint64_t magic;
	uint32_t kind; /* enum lab_job_kind */
	/* Flags: 0 or 1. */
	uint8_t host_counters;
	uint8_t own_payload; /* boot LAB_PAYLOAD_PATH, not the benchmark's image */
	uint8_t symbols;     /* send the kernel's functions after the job */
	uint8_t reserved;
	uint32_t placement; /* of the first boot: struct boot_request's */
	uint32_t boots;	    /* each in the next place; the first that fails is the last */
	uint64_t timeout_ns; /* of one boot */
	struct abi_params params;
	char bench[LAB_JOB_NAME_BYTES];
	char config[LAB_JOB_NAME_BYTES];
	char tests[LAB_JOB_TESTS_BYTES]; /* names, each with its NUL; none: all tests */
};

_Static_assert(sizeof(struct lab_job) <= 3072, "a job fits where shared.h puts it");

/* Whether a job that came from outside makes sense: known kind, names with their NUL. */
bool lab_job_is_valid(const struct lab_job *job);

/*
 * The report as one block of bytes, in memory that the caller frees. 0 or -ENOMEM.
 */
int lab_report_encode(const struct boot_report *rep, uint8_t **bytes, size_t *n);

/*
 * The report in a block that came from the machine, every count checked against the
 * block's size; boot_report_free() it. 0, -EBADMSG, -ENOMEM.
 */
int lab_report_decode(const uint8_t *bytes, size_t n, struct boot_report *rep);

#endif
