/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which PMU there is: the host's, KVM's, and each guest's, into the document. */
#include "host/lib/error.h"
#include "host/measure/pmu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/measure/pmu_tests.h"
#include "host/targets/boot.h"
#include "host/targets/payload.h"
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
