/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of self-tests, and their report. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/selftest/selftest.h"
#include "host/selftest/selftest_vm.h"
#include "host/vmm/arch.h"

static const struct {
	const char *name;
	unsigned int archs;
	enum selftest_verdict (*run)(struct selftest *t);
} table[] = {
	{ "regs-drain", ARCHS_ALL, selftest_regs_drain },
	{ "regs-lazy", ARCHS_ALL, selftest_regs_lazy },
	{ "regs-always", ARCHS_ALL, selftest_regs_always },
	{ "regs-run", ARCHS_ALL, selftest_regs_run },
	{ "regs-flags", ARCHS_ALL, selftest_regs_flags },
	{ "regs-dump", ARCHS_ALL, selftest_regs_dump },
	{ "regs-reset", ARCHS_ALL, selftest_regs_reset },
	{ "kick-mask", ARCHS_ALL, selftest_kick_mask },
	{ "kick-immediate", ARCHS_ALL, selftest_kick_immediate },
	{ "access-widths", ARCHS_ALL, selftest_access_widths },
	{ "access-later", ARCHS_ALL, selftest_access_later },
	{ "coalesced", ARCHS_ALL, selftest_coalesced },
	{ "coalesced-kick", ARCHS_ALL, selftest_coalesced_kick },
	{ "ioeventfd", ARCHS_ALL, selftest_ioeventfd },
	{ "kvm-stats", ARCHS_ALL, selftest_kvm_stats },
	{ "slots", ARCHS_ALL, selftest_slots },
	{ "irq-line", ARCHS_ALL, selftest_irq_line },
	{ "irqfd", ARCHS_ALL, selftest_irqfd },
	{ "msi", ARCHS_X86_64, selftest_msi },
	{ "msi-split", ARCHS_X86_64, selftest_msi_split },
	{ "inject", ARCHS_X86_64, selftest_inject },
	{ "inject-window", ARCHS_X86_64, selftest_inject_window },
	{ "inject-halt", ARCHS_X86_64, selftest_inject_halt },
	{ "nmi", ARCHS_X86_64, selftest_nmi },
	{ "halt-kernel", ARCHS_ALL, selftest_halt_kernel },
	{ "breakpoints", ARCHS_ALL, selftest_breakpoints },
	{ "hypercall-user", ARCHS_ALL, selftest_hypercall_user },
	{ "dirty-ring", ARCHS_ALL, selftest_dirty_ring },
	{ "eoi-split", ARCHS_X86_64, selftest_eoi_split },
	{ "bus-locks", ARCHS_X86_64, selftest_bus_locks },
	{ "pmu-msrs", ARCHS_X86_64, selftest_pmu_msrs },
	{ "vcpus-2", ARCHS_ALL, selftest_vcpus_2 },
	{ "vcpus-2-break", ARCHS_ALL, selftest_vcpus_2_break },
	{ "checkpoint", ARCHS_ALL, selftest_checkpoint },
	{ "checkpoint-user-irqchip", ARCHS_ALL, selftest_checkpoint_user_irqchip },
	{ "checkpoint-twice", ARCHS_ALL, selftest_checkpoint_twice },
	{ "checkpoint-vcpus-2", ARCHS_ALL, selftest_checkpoint_vcpus },
	{ "checkpoint-its", ARCHS_AARCH64, selftest_checkpoint_its },
	{ "checkpoint-slots", ARCHS_ALL, selftest_checkpoint_slots },
	{ "checkpoint-pending", ARCHS_X86_64, selftest_checkpoint_pending },
	{ "checkpoint-damaged", ARCHS_ALL, selftest_checkpoint_damaged },
	{ "host-counters", ARCHS_ALL, selftest_perf },
	{ "passthrough", ARCHS_AARCH64, selftest_passthrough },
	{ "passthrough-counters", ARCHS_AARCH64, selftest_passthrough_counters },
	{ "passthrough-hotplug", ARCHS_AARCH64, selftest_passthrough_hotplug },
	{ "passthrough-refusals", ARCHS_AARCH64, selftest_passthrough_refusals },
};

#define TESTS (sizeof(table) / sizeof(table[0]))

const char *selftest_name(size_t i)
{
	return i < TESTS ? table[i].name : NULL;
}

static bool wanted(size_t i, const char *const *names, size_t n)
{
	size_t k;

	if (!n)
		return table[i].archs >> vmm_arch & 1;
	for (k = 0; k < n; k++)
		if (!strcmp(names[k], table[i].name))
			return true;
	return false;
}

static bool exists(const char *name)
{
	size_t i;

	for (i = 0; i < TESTS; i++)
		if (!strcmp(table[i].name, name))
			return true;
	return false;
}

/* A reason is one line: TAP would read the next line as another test. */
static bool report(const struct selftest_watch *watch, size_t number, size_t i,
		   enum selftest_verdict verdict, struct selftest *t)
{
	char line[sizeof(t->reason) + 128];
	char *p;

	for (p = t->reason; *p; p++)
		if (*p == '\n' || *p == '#')
			*p = ' ';
	if (verdict == SELFTEST_SKIP)
		snprintf(line, sizeof(line), "ok %zu %s # SKIP %s", number, table[i].name,
			 t->reason);
	else
		snprintf(line, sizeof(line), "%s %zu %s",
			 verdict == SELFTEST_PASS ? "ok" : "not ok", number,
			 table[i].name);
	watch->line(watch->ctx, line);
	if (verdict != SELFTEST_FAIL)
		return false;
	snprintf(line, sizeof(line), "# %s", t->reason);
	watch->line(watch->ctx, line);
	return true;
}

int selftest_run(const char *const *names, size_t n, const struct selftest_watch *watch,
		 char *why, size_t why_bytes)
{
	size_t i, count = 0, number = 0;
	struct error error;
	struct selftest t;
	char line[64];
	int failed = 0;

	for (i = 0; i < n; i++) {
		if (exists(names[i]))
			continue;
		snprintf(why, why_bytes, "no self-test '%s'", names[i]);
		return -ENOENT;
	}
	t.kvm_fd = kvm_open(&error);
	if (t.kvm_fd < 0) {
		snprintf(why, why_bytes, "%s", error.text);
		return t.kvm_fd;
	}
	for (i = 0; i < TESTS; i++)
		count += wanted(i, names, n);
	watch->line(watch->ctx, "TAP version 13");
	snprintf(line, sizeof(line), "1..%zu", count);
	watch->line(watch->ctx, line);
	for (i = 0; i < TESTS; i++) {
		enum selftest_verdict verdict;

		if (!wanted(i, names, n))
			continue;
		t.reason[0] = '\0';
		if (table[i].archs >> vmm_arch & 1)
			verdict = table[i].run(&t);
		else
			verdict = selftest_skip(&t, "not a test of this architecture");
		failed += report(watch, ++number, i, verdict, &t);
	}
	close(t.kvm_fd);
	return failed;
}
