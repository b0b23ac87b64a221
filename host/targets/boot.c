/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload's report in guest memory: copied, then checked. */
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/targets/rows.h"
#include "host/targets/target.h"

void boot_end(struct boot_report *rep, enum boot_outcome outcome, const char *fmt, ...)
{
	va_list args;

	rep->outcome = outcome;
	va_start(args, fmt);
	vsnprintf(rep->reason, sizeof(rep->reason), fmt, args);
	va_end(args);
}

void boot_dump(const struct boot_request *rq, const char *registers)
{
	if (registers && !rq->slowdown)
		fputs(registers, stderr);
}

/* Errnos of calls that this kernel, machine or user does not permit. */
static bool says_unavailable(int errnum)
{
	switch (errnum) {
	case ENOSYS:
	case EINVAL:
	case ENODEV:
	case ENXIO:
	case ENOTTY:
	case EOPNOTSUPP:
	case EBUSY:
	case EPERM:
	case EACCES:
		return true;
	default:
		return false;
	}
}

int boot_settle(struct boot_report *rep, int rc, const struct error *err)
{
	const char *text = err->text;

	if (!rc)
		return 0;
	boot_report_free(rep);
	switch (-rc) {
	case ENOMEM:
	case EINTR:
	case ENOEXEC:
	case ESHUTDOWN:
		return rc;
	case ENOTSUP:
		/* A message of the VMM, such as "this KVM has no irqfd". */
		boot_end(rep, BOOT_SKIP, "%s", text);
		return 0;
	}
	/*
	 * The message of a failed call ends with the errno's text (%m). Other messages,
	 * such as that of a damaged checkpoint, are errors of wsbench.
	 */
	if (says_unavailable(-rc) && strstr(text, strerror(-rc)))
		boot_end(rep, BOOT_SKIP, "%s (%s)", text, strerrorname_np(-rc));
	else
		boot_end(rep, BOOT_CRASH, "%s", text);
	return 0;
}

void boot_report_init(struct boot_report *rep)
{
	const struct boot_counts none = { -1, -1, -1, false, -1, -1, -1, -1 };
	int phase;

	memset(rep, 0, sizeof(*rep));
	rep->statistics = RESULT_STATISTICS_NONE;
	rep->host_counters = RESULT_HOST_COUNTERS_NONE;
	for (phase = 0; phase < ABI_PHASES; phase++)
		rep->counts[phase] = none;
}

void boot_report_free(struct boot_report *rep)
{
	int phase;

	for (phase = 0; phase < ABI_PHASES; phase++) {
		free(rep->series[phase]);
		rep->series[phase] = NULL;
	}
	free(rep->lanes);
	rep->lanes = NULL;
}

/* The length of a series: at most, where the parameters let a phase end early. */
static uint64_t samples_asked(const struct abi_params *params, int phase)
{
	switch (phase) {
	case ABI_PHASE_NULL:
	case ABI_PHASE_EVENT:
	case ABI_PHASE_TWIN:
		return params->events;
	case ABI_PHASE_BATCH:
	case ABI_PHASE_BATCH_NULL:
		return params->batch ? params->batches : 0;
	case ABI_PHASE_PMC_NULL:
	case ABI_PHASE_PMC_NULL_CLOCK:
	case ABI_PHASE_PMC:
	case ABI_PHASE_PMC_CLOCK:
		return params->pmc_events;
	case ABI_PHASE_SPIN:
	case ABI_PHASE_SPIN_CLOCK:
		return params->spins;
	default:
		return 0;
	}
}

static const char *const phase_names[ABI_PHASES] = {
	[ABI_PHASE_WARMUP] = "warm-up",
	[ABI_PHASE_NULL] = "null",
	[ABI_PHASE_EVENT] = "event",
	[ABI_PHASE_TWIN] = "twin",
	[ABI_PHASE_BATCH] = "batch",
	[ABI_PHASE_BATCH_NULL] = "empty batch",
	[ABI_PHASE_PMC_NULL] = "empty PMC",
	[ABI_PHASE_PMC_NULL_CLOCK] = "empty PMC",
	[ABI_PHASE_PMC] = "PMC",
	[ABI_PHASE_PMC_CLOCK] = "PMC",
	[ABI_PHASE_SPIN] = "spin",
	[ABI_PHASE_SPIN_CLOCK] = "spin",
};

const char *boot_phase_name(uint32_t phase)
{
	return phase < ABI_PHASES ? phase_names[phase] : "unknown";
}

static void end_unfinished(const struct abi_report *guest, struct boot_report *rep)
{
	const char *phase = boot_phase_name(guest->phase);

	switch (guest->state) {
	case ABI_STATE_RESET:
	case ABI_STATE_RUNNING:
		boot_end(
			rep, BOOT_CRASH,
			"the guest stopped in the %s phase before it finished: a crash or a power-off",
			phase);
		break;
	case ABI_STATE_FAULT:
		if (guest->fault.vector & ABI_FAULT_OF_ENTRY) {
			const unsigned long long error =
				guest->fault.vector & ~ABI_FAULT_OF_ENTRY;

			boot_end(
				rep, BOOT_CRASH,
				"VMLAUNCH or VMRESUME of L1 failed in the %s phase: VM-instruction error %llu%s",
				phase, error, error ? "" : " (no current VMCS)");
			break;
		}
		if (guest->fault.vector & ABI_FAULT_OF_L2) {
			boot_end(
				rep, BOOT_CRASH,
				"L2 exited to L1 for another reason than the row's in the %s phase: 0x%llx, 0x%llx pc 0x%llx address 0x%llx",
				phase,
				(unsigned long long)guest->fault.vector &
					~ABI_FAULT_OF_L2,
				(unsigned long long)guest->fault.syndrome,
				(unsigned long long)guest->fault.pc,
				(unsigned long long)guest->fault.address);
			break;
		}
		boot_end(
			rep, BOOT_CRASH,
			"the guest took exception 0x%llx in the %s phase: syndrome 0x%llx pc 0x%llx address 0x%llx",
			(unsigned long long)guest->fault.vector, phase,
			(unsigned long long)guest->fault.syndrome,
			(unsigned long long)guest->fault.pc,
			(unsigned long long)guest->fault.address);
		break;
	case ABI_STATE_REFUSED:
		boot_end(
			rep, BOOT_CRASH,
			"the payload refused its parameters: built for another ABI version");
		break;
	case ABI_STATE_ABSENT:
		boot_end(rep, BOOT_SKIP, "the feature is not available on this machine");
		break;
	case ABI_STATE_TOO_MANY:
		boot_end(rep, BOOT_SKIP,
			 "too many events for the memory of the row (--events)");
		break;
	case ABI_STATE_STILL:
		boot_end(
			rep, BOOT_SKIP,
			"the virtual PMU of this KVM does not count what the guest executes");
		break;
	case ABI_STATE_NO_EFFECT:
		boot_end(
			rep, BOOT_CRASH,
			"the timed instruction changed nothing in the guest: it failed, or was skipped");
		break;
	case ABI_STATE_SLEEPS:
		boot_end(
			rep, BOOT_SKIP,
			"the CPU sleeps in it until the host's next interrupt, as some emulated CPUs do: each sample would be the time to the host's timer tick");
		break;
	default:
		boot_end(rep, BOOT_CRASH, "the guest reports an invalid state: %u",
			 guest->state);
	}
}

static int copy_series(const uint8_t *ram, int phase, struct boot_report *rep)
{
	size_t bytes = rep->guest.samples[phase] * sizeof(uint64_t);

	rep->series[phase] = malloc(bytes ? bytes : 1);
	if (!rep->series[phase])
		return -1;
	memcpy(rep->series[phase],
	       ram + ABI_SERIES_OFFSET +
		       (uint64_t)phase * ABI_SERIES_MAX * sizeof(uint64_t),
	       bytes);
	return 0;
}

bool boot_sleeps(const uint8_t *ram)
{
	struct abi_report guest;

	memcpy(&guest, ram + ABI_PAGE_OFFSET + offsetof(struct abi_page, report),
	       sizeof(guest));
	return guest.magic == ABI_MAGIC && guest.state == ABI_STATE_SLEEPS;
}

bool boot_is_done(const uint8_t *ram, struct abi_report *guest, struct boot_report *rep)
{
	memcpy(guest, ram + ABI_PAGE_OFFSET + offsetof(struct abi_page, report),
	       sizeof(*guest));
	if (!guest->magic)
		boot_end(rep, BOOT_CRASH, "the guest never reached the payload's C code");
	else if (guest->magic != ABI_MAGIC)
		boot_end(rep, BOOT_CRASH,
			 "the guest overwrote its report: it begins with 0x%llx",
			 (unsigned long long)guest->magic);
	else if (guest->state != ABI_STATE_DONE)
		end_unfinished(guest, rep);
	else
		return true;
	return false;
}

static bool is_length(const struct abi_params *params, int phase, uint64_t samples,
		      uint64_t asked)
{
	/* The guest may have no PMC, or one that does not count. */
	if (!samples && phase >= ABI_PHASE_PMC_NULL)
		return true;
	return samples == asked || (params->repeat && samples && samples < asked);
}

/* The size of the block that repeats at the end of a phase; 0: the phase has all samples.
 */
static uint32_t block_of(const struct abi_params *params, int phase)
{
	switch (phase) {
	case ABI_PHASE_NULL:
	case ABI_PHASE_EVENT:
	case ABI_PHASE_TWIN:
		return params->repeat;
	case ABI_PHASE_BATCH:
	case ABI_PHASE_BATCH_NULL:
		return !!params->repeat;
	default:
		return 0;
	}
}

/* What a row of NEEDS_NESTED needs of the CPU of its payload. */
static const char *virtualization(const struct boot_request *rq)
{
	const bool paging = rq->bench->needs & NEEDS_NESTED_PAGING;
	Elf64_Ehdr header = { .e_machine = EM_NONE };

	if (rq->image_bytes >= sizeof(header))
		memcpy(&header, rq->image, sizeof(header));
	if (header.e_machine == EM_AARCH64)
		return "EL2";
	if (rq->bench->needs & NEEDS_SVM)
		return "SVM";
	if (rq->bench->needs & NEEDS_VMX)
		return paging ? "VMX with nested paging" : "VMX";
	return paging ? "SVM or VMX with nested paging" : "SVM or VMX";
}

bool boot_keeps_vm(const struct boot_request *rq, bool pmu)
{
	return rq->vm_end == VM_KEPT || (rq->vm_end == VM_KEPT_WITHOUT_PMU && !pmu);
}

void boot_harvest(const uint8_t *ram, const struct boot_request *rq,
		  struct boot_report *rep)
{
	const struct host_row *row = host_row_find(rq->bench->id);
	int phase;

	if (!boot_is_done(ram, &rep->guest, rep)) {
		if (rep->guest.state != ABI_STATE_ABSENT)
			return;
		if (rq->bench->needs & NEEDS_NESTED)
			boot_end(rep, BOOT_SKIP, "needs a CPU that offers the payload %s",
				 virtualization(rq));
		else if (row && row->absent)
			boot_end(rep, BOOT_SKIP, "%s", row->absent);
		return;
	}
	for (phase = 0; phase < ABI_PHASES; phase++) {
		uint64_t asked = samples_asked(&rq->params, phase);

		/* The check also bounds the copy. */
		if (!is_length(&rq->params, phase, rep->guest.samples[phase], asked)) {
			boot_end(
				rep, BOOT_CRASH,
				"the guest reports %llu samples in the %s phase, expected %llu",
				(unsigned long long)rep->guest.samples[phase],
				phase_names[phase], (unsigned long long)asked);
			return;
		}
		if (copy_series(ram, phase, rep)) {
			boot_end(rep, BOOT_CRASH, "out of memory for %llu samples",
				 (unsigned long long)asked);
			return;
		}
		if (rep->guest.samples[phase] && rep->guest.samples[phase] < asked &&
		    !abi_repeats(rep->series[phase], (uint32_t)rep->guest.samples[phase],
				 block_of(&rq->params, phase))) {
			boot_end(
				rep, BOOT_CRASH,
				"the guest ended the %s phase after %llu of %llu samples, which do not repeat",
				phase_names[phase],
				(unsigned long long)rep->guest.samples[phase],
				(unsigned long long)asked);
			return;
		}
	}
	rep->outcome = BOOT_DONE;
}
