/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the tests of the exit budget: real outputs of each tool. */
#ifndef WS_TESTS_BUDGET_FIXTURE_H
#define WS_TESTS_BUDGET_FIXTURE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "host/budget/budget.h"
#include "host/lib/file.h"

#define DATA "host/tests/data/budget/"

static inline char *read_data(const char *name)
{
	char path[256], *text, *copy;
	long bytes;

	snprintf(path, sizeof(path), DATA "%s", name);
	bytes = file_read(path, EXITS_FILE_MAX, &text);
	cr_assert(bytes > 0, "%s: %ld", path, bytes);
	copy = strndup(text, (size_t)bytes);
	free(text);
	return copy;
}

static inline struct exits parsed(const char *name)
{
	struct error err = { "" };
	char *text = read_data(name);
	struct exits e;

	cr_assert_eq(exits_parse(text, strlen(text), &e, &err), 0, "%s: %s", name,
		     err.text);
	free(text);
	return e;
}

/* The counts are those of the files, read by eye. */
static const struct {
	const char *file;
	enum exits_kind kind;
	double seconds; /* NAN: unknown */
	size_t n;
	const char *name;
	double count;
} outputs[] = {
	{ "perf-6.1-svm.txt", EXITS_VMEXIT, NAN, 15, "UD excp", 4200 },
	{ "perf-6.12-svm.txt", EXITS_VMEXIT, NAN, 15, "npf", 38355 },
	{ "perf-6.1-vmx.txt", EXITS_VMEXIT, NAN, 18, "EPT_MISCONFIG", 12362 },
	{ "perf-6.1-arm64.txt", EXITS_VMEXIT, NAN, 7, "SYS64", 34656 },
	{ "perf-6.12-arm64.txt", EXITS_VMEXIT, NAN, 7, "WFx", 4204 },
	{ "perf-6.1-svm-mmio.txt", EXITS_MMIO, NAN, 12, "0xfec00010:W", 2 },
	{ "perf-6.1-svm-ioport.txt", EXITS_IOPORT, NAN, 7, "0x21:PIN", 4200 },
	{ "perf-6.12-svm-msr.txt", EXITS_MSR, NAN, 9, "0x6e0:W", 8400 },
	{ "kvm_stat-6.1-svm.txt", EXITS_TRACEPOINTS, 1, 230, "kvm_exit(MSR in KVM)",
	  4322 },
	{ "kvm_stat-6.1-vmx.txt", EXITS_TRACEPOINTS, 1, 196, "kvm_exit(RDPMC)", 34599 },
	{ "kvm_stat-6.12-arm64.txt", EXITS_TRACEPOINTS, 1, 123, "kvm_exit(SYS64)", 6722 },
	{ "debugfs-6.1-svm-2.txt", EXITS_COUNTERS, NAN, 60, "io_exits", 10383 },
	{ "debugfs-6.12-arm64-1.txt", EXITS_COUNTERS, NAN, 20, "hvc_exit_stat", 425 },
	/* grep -r: the counters of all VMs, beside those of a VM and other files. */
	{ "debugfs-6.12-arm64-r.txt", EXITS_COUNTERS, NAN, 20, "mmio_exit_user", 9 },
};

#endif
