/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exits that nobody can serve: what they say, and the registers. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmm/exits_bad.h"
#include "host/vmm/newer.h"
#include "host/vmm/regs.h"

#define TEXT_BYTES 320

static void dump(struct vcpu *vcpu)
{
	char error[VM_ERROR_BYTES];
	size_t bytes;
	FILE *out;

	free(*vcpu->dump);
	*vcpu->dump = NULL;
	out = open_memstream(vcpu->dump, &bytes);
	if (!out)
		return;
	fprintf(out, "vCPU %u, %s\n", vcpu->index, vcpu->error);
	/* Registers that cannot be read are not what went wrong first. */
	memcpy(error, vcpu->error, sizeof(error));
	(void)regs_dump(vcpu, out);
	memcpy(vcpu->error, error, sizeof(error));
	fclose(out);
}

static enum exits_answer give_up(struct vcpu *vcpu, const char *what)
{
	char registers[TEXT_BYTES];

	vcpu_dump(vcpu, registers, sizeof(registers));
	vcpu_fail(vcpu, -EIO, "%s; %s", what, registers);
	dump(vcpu);
	return EXITS_UNHANDLED;
}

enum exits_answer exits_bad(struct vcpu *vcpu, const char *fmt, ...)
{
	const char *name = exits_name(vcpu->run->exit_reason);
	char why[TEXT_BYTES], what[TEXT_BYTES + 64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	snprintf(what, sizeof(what), "%s: %s", name ? name : "an exit", why);
	return give_up(vcpu, what);
}

/* KVM's own bug, an instruction it cannot emulate, or guest state it does not take. */
static enum exits_answer bad_internal(struct vcpu *vcpu)
{
	static const char *const names[] = {
		[KVM_INTERNAL_ERROR_EMULATION] = "cannot emulate an instruction",
		[KVM_INTERNAL_ERROR_SIMUL_EX] = "simultaneous exceptions",
		[KVM_INTERNAL_ERROR_DELIVERY_EV] = "exit while delivering an event",
		[KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON] = "unexpected exit",
	};
	const struct kvm_run *run = vcpu->run;
	const uint32_t suberror = run->internal.suberror;
	uint32_t n = run->internal.ndata, i;
	const char *name = NULL;
	char data[TEXT_BYTES] = "";
	size_t used = 0;

	if (n > sizeof(run->internal.data) / sizeof(run->internal.data[0]))
		n = sizeof(run->internal.data) / sizeof(run->internal.data[0]);
	for (i = 0; i < n && used < sizeof(data); i++)
		used += (size_t)snprintf(data + used, sizeof(data) - used, " 0x%llx",
					 (unsigned long long)run->internal.data[i]);
	if (suberror < sizeof(names) / sizeof(names[0]))
		name = names[suberror];
	return exits_bad(vcpu, "KVM could not go on: suberror %u (%s), data:%s", suberror,
			 name ? name : "unknown", n ? data : " none");
}

enum exits_answer exits_bad_reason(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	struct newer_memory_fault fault;

	switch (run->exit_reason) {
	case KVM_EXIT_UNKNOWN:
		return exits_bad(vcpu, "hardware exit reason 0x%llx",
				 (unsigned long long)run->hw.hardware_exit_reason);
	case KVM_EXIT_EXCEPTION:
		return exits_bad(vcpu, "exception %u, error code 0x%x", run->ex.exception,
				 run->ex.error_code);
	case KVM_EXIT_FAIL_ENTRY:
		return exits_bad(
			vcpu,
			"the CPU refused to enter the guest: reason 0x%llx on "
			"CPU %u",
			(unsigned long long)run->fail_entry.hardware_entry_failure_reason,
			run->fail_entry.cpu);
	case KVM_EXIT_INTERNAL_ERROR:
		return bad_internal(vcpu);
	case KVM_EXIT_MEMORY_FAULT:
		memcpy(&fault, (const uint8_t *)run + offsetof(struct kvm_run, hw),
		       sizeof(fault));
		return exits_bad(
			vcpu, "no memory behind 0x%llx (%llu bytes, flags 0x%llx)",
			(unsigned long long)fault.gpa, (unsigned long long)fault.size,
			(unsigned long long)fault.flags);
	default:
		return exits_bad(vcpu, "exit reason %u, which nobody serves",
				 run->exit_reason);
	}
}

void exits_failed(struct vcpu *vcpu, int err)
{
	char what[TEXT_BYTES];

	/* EFAULT and a filled-in exit belong together (api.rst, KVM_EXIT_MEMORY_FAULT).
	 */
	if (err == EFAULT && vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT) {
		exits_bad_reason(vcpu);
		return;
	}
	snprintf(what, sizeof(what), "KVM_RUN: %s", strerror(err));
	give_up(vcpu, what);
}
