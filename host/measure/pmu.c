/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which PMU there is: the host's, KVM's, and each guest's, into the document; and the
 * guest's against the manual: one boot of the payload pmu_test, and its verdicts.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/pmu.h"
#include "host/lib/error.h"
#include "host/measure/measure.h"
#include "host/targets/target.h"
#include "host/targets/rows.h"
#include "host/vmm/pmu.h"
#include "host/vmm/vmm.h"

/* A row outside of the catalogue, whose payload returns readings as samples. */
static const struct bench readings_row = { .id = "pmu_readings", .group = "pmu_map" };

static void add(struct result *r, enum arch arch, const char *who, const char *config,
		const struct pmu_reading *readings)
{
	struct result_pmu_source *source = result_add_pmu_source(r);
	size_t i;

	source->who = who;
	source->config = config;
	for (i = 0; pmu_reading_names[arch][i]; i++) {
		struct result_pmu_register *reg = result_add_pmu_register(r, source);

		reg->name = pmu_reading_names[arch][i];
		reg->value = readings[i].known
				     ? result_format(r, "0x%" PRIx64, readings[i].value)
				     : NULL;
		reg->note = result_string(r, readings[i].note);
	}
}

/* All readings except the last, which a guest cannot read: bench/pmu.h. */
static void readings_of(const struct boot_report *rep, size_t n,
			struct pmu_reading *readings)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (rep->outcome != BOOT_DONE)
			readings[i] = (struct pmu_reading){ .note = rep->reason };
		else if (i == n - 1)
			readings[i] = (struct pmu_reading){ .known = false };
		else if (rep->series[ABI_PHASE_TWIN][i])
			readings[i] = (struct pmu_reading){
				.note = "the read raised an exception",
			};
		else
			readings[i] = (struct pmu_reading){
				.known = true,
				.value = rep->series[ABI_PHASE_EVENT][i],
			};
	}
}

static int add_guest(struct target *t, const struct plan *plan,
		     const struct config *config, struct result *r, struct error *err)
{
	struct boot_request rq = {
		.bench = &readings_row,
		.config = config,
		.cpu = -1,
		.timeout_ns = plan->timeout_ns,
	};
	struct pmu_reading readings[PMU_READINGS_MAX] = { { .known = false } };
	struct boot_report rep;
	size_t n = 0;
	int rc;

	while (pmu_reading_names[t->arch][n])
		n++;
	rq.params.events = (uint32_t)n;
	rq.image = payload_find(t->arch, readings_row.id, &rq.image_bytes);
	if (!rq.image)
		return error_set(err, -ENOENT, "no payload is built in for %s",
				 readings_row.id);
	boot_report_init(&rep);
	rc = t->ops->boot(t, &rq, &rep, err);
	rc = boot_settle(&rep, rc, err);
	if (rc)
		return rc;
	/* A config that is skipped has no guest; its rows have the reason. */
	if (rep.outcome != BOOT_SKIP) {
		readings_of(&rep, n, readings);
		add(r, t->arch, "guest", config->name, readings);
	}
	boot_report_free(&rep);
	return 0;
}

const struct bench *pmu_row(const char *id)
{
	if (!strcmp(id, pmu_tests_row.id))
		return &pmu_tests_row;
	return strcmp(id, readings_row.id) ? NULL : &readings_row;
}

void pmu_readings_add_host(enum arch arch, struct result *r)
{
	struct pmu_reading readings[PMU_READINGS_MAX] = { { .known = false } };
	struct error err;
	int kvm_fd;

	pmu_readings_host(readings);
	add(r, arch, "host", NULL, readings);
	kvm_fd = kvm_open(&err);
	if (kvm_fd < 0)
		return;
	pmu_readings_kvm(kvm_fd, readings);
	add(r, arch, "kvm", NULL, readings);
	close(kvm_fd);
}

/* A register of the PMU of `who`; false: not known. */
static bool read_source(const struct result *r, const char *who,
			enum pmu_reading_x86_64 reading, uint64_t *value)
{
	const char *name = pmu_reading_names[ARCH_X86_64][reading];

	for (size_t i = 0; i < r->pmu.n_sources; i++) {
		const struct result_pmu_source *s = &r->pmu.sources[i];

		for (size_t k = 0; !strcmp(s->who, who) && k < s->n_registers; k++) {
			if (strcmp(s->registers[k].name, name) || !s->registers[k].value)
				continue;
			*value = strtoull(s->registers[k].value, NULL, 16);
			return true;
		}
	}
	return false;
}

void pmu_expect(struct bench *row, const struct config *config, const struct result *r)
{
	/* Number and width of the counters: Intel SDM 2A, leaf 0AH; AMD APM 3, E.4.25. */
	static const struct {
		enum pmu_reading_x86_64 reading;
		uint64_t mask;
	} numbers[] = {
		{ PMU_CPUID_A_EAX, 0xffff00 },
		{ PMU_CPUID_A_EDX, 0x1fff },
		{ PMU_CPUID_80000022_EBX, 0xf },
	};
	bool same = true;

	if (row->handled_by != HANDLED_VARIES || strcmp(config->name, "pmu-mediated") ||
	    strncmp(row->id, "rdpmc_", strlen("rdpmc_")))
		return;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint64_t host, guest;

		if (!read_source(r, "host", numbers[i].reading, &host) ||
		    !read_source(r, "kvm", numbers[i].reading, &guest))
			return;
		same = same && !((host ^ guest) & numbers[i].mask);
	}
	row->handled_by = same ? HANDLED_NONE : HANDLED_KERNEL;
	row->exits = same ? 0 : 1;
}

int pmu_readings_add(struct target *t, const struct plan *plan, struct result *r,
		     struct error *err)
{
	const struct plan_row *row = plan->rows;
	size_t i;
	int rc = 0;

	while (row < plan->rows + plan->n_rows && !(row->bench->needs & NEEDS_OPERAND))
		row++;
	/* Host and KVM are in every document at first, for pmu_expect(). */
	if (row == plan->rows + plan->n_rows) {
		r->pmu.n_sources = 0;
		return 0;
	}
	for (i = 0; i < row->n_configs && !rc; i++)
		rc = add_guest(t, plan, row->configs[i], r, err);
	return rc;
}

const struct bench pmu_tests_row = { .id = "pmu_test", .group = "pmu_map" };

static void say(const struct selftest_watch *watch, const char *text)
{
	watch->line(watch->ctx, text);
}

/* The found value; `hex` is how values of it are read. */
static void name_subject(uint64_t result, bool *hex, char *text, size_t bytes)
{
	const unsigned int number = PMU_RESULT_NUMBER(result);
	const unsigned int detail = PMU_RESULT_DETAIL(result);

	*hex = false;
	switch (PMU_RESULT_SUBJECT(result)) {
	case PMU_GENERAL:
		snprintf(text, bytes, "general counter %u", number);
		return;
	case PMU_FIXED:
		snprintf(text, bytes, "fixed counter %u", number);
		return;
	case PMU_AT_CPL:
		snprintf(text, bytes, "general counter %u at CPL %u", number, detail);
		return;
	case PMU_SUM:
		snprintf(text, bytes, "general counters %u and %u together", number,
			 detail);
		return;
	case PMU_MSR:
		*hex = true;
		snprintf(text, bytes, "MSR 0x%x", number);
		return;
	case PMU_MSR_IN_PMI:
		*hex = true;
		snprintf(text, bytes, "MSR 0x%x in the interrupt's handler", number);
		return;
	case PMU_APIC_IN_PMI:
		*hex = true;
		snprintf(text, bytes, "APIC register 0x%x in the interrupt's handler",
			 number);
		return;
	case PMU_INTERRUPTS:
		snprintf(text, bytes, "interrupts");
		return;
	case PMU_RDPMC_VALUE:
		*hex = true;
		snprintf(text, bytes, "RDPMC of 0x%x", number);
		return;
	case PMU_WRMSR:
		snprintf(text, bytes, "WRMSR of 0x%x (1: done, 0: #GP)", number);
		return;
	case PMU_WRMSR_BIT:
		snprintf(text, bytes, "WRMSR of 0x%x with bit %u (1: done, 0: #GP)",
			 number, detail);
		return;
	case PMU_RDMSR:
		snprintf(text, bytes, "RDMSR of 0x%x (1: done, 0: #GP)", number);
		return;
	case PMU_RDPMC:
		snprintf(text, bytes, "RDPMC of 0x%x (1: done, 0: #GP)", number);
		return;
	case PMU_IN_GUEST:
		snprintf(text, bytes, "general counter %u in a nested guest", number);
		return;
	case PMU_EXIT:
		*hex = true;
		snprintf(text, bytes, "exit of a nested guest");
		return;
	case PMU_VMCS:
		*hex = true;
		snprintf(text, bytes, "VMCS field 0x%x", number);
		return;
	case PMU_TIMER:
		snprintf(text, bytes, "ticks of the preemption timer");
		return;
	case PMU_RDPMC_AT_CPL3:
		snprintf(text, bytes, "RDPMC at CPL 3 with CR4.PCE %u (1: done, 0: #GP)",
			 detail);
		return;
	}
	snprintf(text, bytes, "unknown subject 0x%" PRIx64, result);
}

void measure_pmu_reason(uint64_t result, uint64_t found, uint64_t other, char *text,
			size_t bytes)
{
	static const char *const relations[] = {
		[PMU_EQUAL] = "=",
		[PMU_AT_LEAST] = ">=",
		[PMU_AT_MOST] = "<=",
	};
	const unsigned int relation = PMU_RESULT_RELATION(result);
	const char *sign = relation <= PMU_AT_MOST ? relations[relation] : "?";
	char subject[96];
	bool hex;

	name_subject(result, &hex, subject, sizeof(subject));
	if (hex)
		snprintf(text, bytes, "%s: found 0x%" PRIx64 ", expected %s 0x%" PRIx64,
			 subject, found, sign, other);
	else
		snprintf(text, bytes, "%s: found %" PRIu64 ", expected %s %" PRIu64,
			 subject, found, sign, other);
}

static bool is_of_guest(const struct boot_report *rep, unsigned int i)
{
	return PMU_RESULT_VERDICT(rep->series[ABI_PHASE_EVENT][i]) != PMU_OTHER;
}

/* A line of test `i`, and the reason of a failure. Returns whether the test failed. */
static bool report(const struct selftest_watch *watch, const struct boot_report *rep,
		   unsigned int i, unsigned int number)
{
	const uint64_t result = rep->series[ABI_PHASE_EVENT][i];
	const enum pmu_verdict verdict = PMU_RESULT_VERDICT(result);
	char line[256], reason[200];

	snprintf(line, sizeof(line), "%sok %u - %s%s",
		 verdict == PMU_PASS || verdict == PMU_ABSENT ? "" : "not ", number,
		 pmu_test_texts[i],
		 verdict == PMU_ABSENT ? " # SKIP CPUID does not report it" : "");
	say(watch, line);
	if (verdict == PMU_PASS || verdict == PMU_ABSENT)
		return false;
	measure_pmu_reason(result, rep->series[ABI_PHASE_TWIN][i],
			   rep->series[ABI_PHASE_NULL][i], reason, sizeof(reason));
	snprintf(line, sizeof(line), "# %s", reason);
	say(watch, line);
	return true;
}

int measure_pmu_tests(struct target *t, const struct config *config,
		      const struct selftest_watch *watch, struct error *err)
{
	struct boot_request rq = {
		.bench = &pmu_tests_row,
		.config = config,
		.params.events = PMU_TESTS,
		.cpu = -1,
	};
	struct result *r = result_new();
	struct boot_report rep;
	unsigned int n_tests = 0, number = 0, i;
	char line[640];
	int failed = 0, rc;

	rq.image = payload_find(t->arch, pmu_tests_row.id, &rq.image_bytes);
	if (!rq.image) {
		result_free(r);
		return error_set(err, -ENOENT,
				 "this wsbench has no payload of the tests for %s",
				 t->name);
	}
	boot_report_init(&rep);
	rc = t->ops->describe(t, &r, err);
	if (!rc)
		rc = boot_settle(&rep, t->ops->boot(t, &rq, &rep, err), err);
	if (!rc && rep.outcome == BOOT_CRASH)
		rc = error_set(err, -EIO, "%s: %s", t->name, rep.reason);
	if (!rc && rep.outcome == BOOT_SKIP && rep.guest.state == ABI_STATE_ABSENT)
		boot_end(
			&rep, BOOT_SKIP,
			"the guest has neither Intel's architectural PMU, version 2 or later, nor AMD's core counters (PerfCtrExtCore)");
	for (i = 0; !rc && rep.outcome == BOOT_DONE && i < PMU_TESTS; i++)
		n_tests += is_of_guest(&rep, i);
	if (!rc && rep.outcome == BOOT_DONE && !n_tests)
		rc = error_set(err, -EIO, "%s: the guest ran no test", t->name);
	if (!rc) {
		say(watch, "TAP version 13");
		snprintf(line, sizeof(line), "1..%u%s%s", n_tests,
			 rep.outcome == BOOT_DONE ? "" : " # SKIP ",
			 rep.outcome == BOOT_DONE ? "" : rep.reason);
		say(watch, line);
	}
	for (i = 0; !rc && rep.outcome == BOOT_DONE && i < PMU_TESTS; i++)
		if (is_of_guest(&rep, i))
			failed += report(watch, &rep, i, ++number);
	boot_report_free(&rep);
	result_free(r);
	return rc ? rc : failed;
}
