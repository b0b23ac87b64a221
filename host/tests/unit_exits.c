/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exits that the test payloads cannot cause on every machine, served from a run page that
 * the test fills in, without a VM.
 */
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "host/vmm/exits.h"
#include "host/vmm/regs.h"

struct fake {
	struct vm vm;
	struct kvm_run run;
};

static struct vcpu *fake(struct fake *f, uint32_t exit_reason)
{
	struct vcpu *vcpu = &f->vm.own[0];

	memset(f, 0, sizeof(*f));
	f->vm.vcpus = f->vm.own;
	*vcpu = (struct vcpu){ .vm = &f->vm,
			       .fd = -1,
			       .run = &f->run,
			       .error = &f->vm.error,
			       .dump = &f->vm.dump };
	f->run.exit_reason = exit_reason;
	f->vm.fd = -1;
	cr_assert_eq(regs_init(vcpu), 0, "%s", f->vm.error.text);
	return vcpu;
}

static void release(struct fake *f)
{
	regs_free(&f->vm.vcpus[0]);
	free(f->vm.dump);
}

/* A notify exit continues the guest unless its context is invalid. */
Test(exits, notify)
{
	static struct fake f;
	struct vcpu *vcpu = fake(&f, KVM_EXIT_NOTIFY);

	cr_expect_eq(exits_serve(vcpu), EXITS_HANDLED);
	cr_expect_eq(vcpu->stats.other[KVM_EXIT_NOTIFY], 1);
	release(&f);

	vcpu = fake(&f, KVM_EXIT_NOTIFY);
	f.run.notify.flags = KVM_NOTIFY_CONTEXT_INVALID;
	cr_expect_eq(exits_serve(vcpu), EXITS_UNHANDLED);
	cr_expect(strstr(f.vm.error.text,
			 "KVM_EXIT_NOTIFY: the guest's context is invalid") != NULL,
		  "%s", f.vm.error.text);
	release(&f);
}

Test(exits, exits_without_work_are_counted_and_continue)
{
	static const uint32_t reasons[] = { KVM_EXIT_X86_BUS_LOCK, KVM_EXIT_IOAPIC_EOI,
					    KVM_EXIT_IRQ_WINDOW_OPEN, KVM_EXIT_SET_TPR };
	static struct fake f;
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		struct vcpu *vcpu = fake(&f, reasons[i]);

		cr_expect_eq(exits_serve(vcpu), EXITS_HANDLED, "%s",
			     exits_name(reasons[i]));
		cr_expect_eq(vcpu->stats.other[reasons[i]], 1);
		release(&f);
	}
}

Test(exits, a_triple_fault_stops)
{
	static struct fake f;

	cr_expect_eq(exits_serve(fake(&f, KVM_EXIT_SHUTDOWN)), EXITS_STOP_SHUTDOWN);
	cr_expect(strstr(f.vm.error.text, "triple fault") != NULL, "%s", f.vm.error.text);
	release(&f);
}

/* A reason that the program does not know is an error that names its number. */
Test(exits, an_unknown_reason_is_unhandled)
{
	static struct fake f;

	cr_expect_eq(exits_serve(fake(&f, VCPU_EXIT_REASONS + 1)), EXITS_UNHANDLED);
	cr_expect(strstr(f.vm.error.text, "65") != NULL, "%s", f.vm.error.text);
	release(&f);
}

/* Reasons that are newer than the headers of Debian 12 have their names in messages. */
Test(exits, a_reason_newer_than_the_headers_is_named)
{
	static const struct {
		uint32_t reason;
		const char *name;
	} newer[] = { { 39, "KVM_EXIT_MEMORY_FAULT" },
		      { 41, "KVM_EXIT_ARM_SEA" },
		      { 42, "KVM_EXIT_ARM_LDST64B" },
		      { 43, "KVM_EXIT_SNP_REQ_CERTS" } };
	static struct fake f;
	size_t i;

	for (i = 0; i < sizeof(newer) / sizeof(newer[0]); i++) {
		cr_expect_eq(exits_serve(fake(&f, newer[i].reason)), EXITS_UNHANDLED);
		cr_expect(strstr(f.vm.error.text, newer[i].name) != NULL, "%u: %s",
			  newer[i].reason, f.vm.error.text);
		release(&f);
	}
}
