/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows about the registers of a vCPU on a KVM that returns 0 and does nothing. The KVM is
 * this file's own ioctl(), by numbers and offsets of x86_64: it has the general
 * registers, two MSRs, and zeros for all other state.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/targets/host_timed.h"
#include "host/vmm/arch.h"
#include "host/vmm/exits.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/regs.h"

#define EVENTS	3
#define FAKE_FD 100000 /* of KVM, the VM and the vCPU */

/* The requests that return 0 without an effect: a number, or the sync of KVM_RUN. */
enum {
	NR_MSR_LIST = 0x02,
	NR_CHECK_EXTENSION = 0x03,
	NR_RUN = 0x80,
	NR_GET_REGS = 0x81,
	NR_SET_REGS = 0x82,
	NR_GET_SREGS = 0x83,
	NR_GET_MSRS = 0x88,
	NR_SET_MSRS = 0x89,
	NR_GET_LAPIC = 0x8e,
	NR_GET_MP_STATE = 0x98,
	NR_GET_EVENTS = 0x9f,
	NR_GET_DEBUGREGS = 0xa1,
	NR_GET_XSAVE = 0xa4,
	NR_GET_XCRS = 0xa6,
	NO_SYNC_GET = 0x100,
	NO_SYNC_SET = 0x200,
};
static unsigned int without;

/* struct kvm_regs of x86_64. */
enum { RIP = 16, RFLAGS = 17, REGS = 18 };
#define SYNC_REGS 1u
static uint64_t guest[REGS];

static struct kvm_run *run_page; /* which vm_destroy() unmaps */

static void *synced(void)
{
	return (uint8_t *)run_page + offsetof(struct kvm_run, s);
}

static int run_guest(void)
{
	if (run_page->kvm_dirty_regs & SYNC_REGS && !(without & NO_SYNC_SET))
		memcpy(guest, synced(), sizeof(guest));
	run_page->kvm_dirty_regs = 0;
	guest[RIP] = ABI_IMAGE_OFFSET + 0x10;
	if (run_page->kvm_valid_regs & SYNC_REGS && !(without & NO_SYNC_GET))
		memcpy(synced(), guest, sizeof(guest));
	return 0;
}

static int list_msrs(uint32_t *words)
{
	const bool fits = words[0] >= 2;

	words[0] = 2;
	if (!fits) {
		errno = E2BIG;
		return -1;
	}
	words[1] = 0xc0000081;
	words[2] = 0xc0000082;
	return 0;
}

static int get_msrs(struct kvm_msrs *msrs)
{
	for (uint32_t i = 0; i < msrs->nmsrs && without != NR_GET_MSRS; i++)
		msrs->entries[i].data = 0;
	return (int)msrs->nmsrs;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *argument;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (fd != FAKE_FD)
		return (int)syscall(SYS_ioctl, fd, request, argument);
	switch (_IOC_NR(request)) {
	case NR_MSR_LIST:
		return list_msrs(argument);
	case NR_CHECK_EXTENSION:
		/* KVM_CAP_SYNC_REGS: three groups */
		return (uintptr_t)argument == KVM_CAP_XSAVE2 ? 0 : 7;
	case NR_RUN:
		return run_guest();
	case NR_GET_MSRS:
		return get_msrs(argument);
	case NR_SET_MSRS:
		return (int)*(uint32_t *)argument;
	}
	if (_IOC_NR(request) == without)
		return 0;
	if (_IOC_NR(request) == NR_GET_REGS)
		memcpy(argument, guest, sizeof(guest));
	else if (_IOC_NR(request) == NR_SET_REGS)
		memcpy(guest, argument, sizeof(guest));
	else if (_IOC_DIR(request) == _IOC_READ)
		memset(argument, 0, _IOC_SIZE(request));
	return 0;
}

int host_timed_open(struct host_timed *h, struct vm *vm, enum abi_command command,
		    const struct vm_listener *listener)
{
	struct vcpu *vcpu = &vm->own[0];

	(void)command;
	memset(vm, 0, sizeof(*vm));
	memset(guest, 0, sizeof(guest));
	guest[RFLAGS] = 2;
	run_page = mmap(NULL, sizeof(*run_page), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(run_page, MAP_FAILED);
	vm->fd = vm->kvm_fd = FAKE_FD;
	vm->irqchip_fd = vm->its_fd = vm->passthrough_fd = -1;
	vm->config = *h->config;
	vm->listener = *listener;
	vm->vcpus = vm->own;
	for (unsigned int i = 0; i < VM_VCPUS_OWN; i++)
		vm->own[i].fd = vm->own[i].answer_fd = -1;
	vcpu->vm = vm;
	vcpu->fd = FAKE_FD;
	vcpu->run = run_page;
	vcpu->run_bytes = sizeof(*run_page);
	vcpu->error = &vm->error;
	return regs_init(vcpu);
}

/* The guest rings the doorbell until it is kicked. */
int host_timed_run(struct host_timed *h, struct vm *vm, struct run_timer *budget,
		   enum vcpu_stop why)
{
	struct vcpu *vcpu = &vm->own[0];

	(void)h;
	(void)budget;
	(void)why;
	do {
		if (regs_before_run(vcpu) || vcpu_kvm_run(vcpu) || regs_after_run(vcpu))
			return -EIO;
		vm->listener.doorbell(vm->listener.ctx, 0);
	} while (!kick_consume(vcpu));
	/* The access to the doorbell completes. */
	return regs_before_run(vcpu) || vcpu_kvm_run(vcpu) || regs_after_run(vcpu) ? -EIO
										   : 0;
}

uint64_t *host_timed_series(struct host_timed *h, uint32_t most, uint32_t *n)
{
	static uint64_t series[2][EVENTS];

	(void)most;
	h->rep->series[ABI_PHASE_NULL] = series[0];
	h->rep->series[ABI_PHASE_EVENT] = series[1];
	*n = EVENTS;
	return series[1];
}

bool host_timed_suffice(struct host_timed *h, const uint64_t *series, uint32_t n)
{
	(void)h;
	(void)series;
	(void)n;
	return false;
}

void host_timed_shorten(struct host_timed *h, enum abi_phase phase, uint32_t n)
{
	h->rep->guest.samples[phase] = n;
}

int host_timed_done(struct host_timed *h)
{
	h->rep->outcome = BOOT_DONE;
	return 0;
}

static int stop(struct host_timed *h, enum boot_outcome outcome, const char *fmt,
		va_list args)
{
	h->rep->outcome = outcome;
	vsnprintf(h->rep->reason, sizeof(h->rep->reason), fmt, args);
	return 0;
}

int host_timed_skip(struct host_timed *h, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	stop(h, BOOT_SKIP, fmt, args);
	va_end(args);
	return 0;
}

int host_timed_crash(struct host_timed *h, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	stop(h, BOOT_CRASH, fmt, args);
	va_end(args);
	return 0;
}

/* Of host_timed_exits.c's other rows. */
const struct vm_listener host_timed_ignore = { .ctx = NULL };

void host_timed_close(const struct host_timed *h, struct vm *vm)
{
	(void)h;
	vm_destroy(vm);
}

bool host_timed_late(struct host_timed *h)
{
	(void)h;
	return false;
}

uint64_t *host_timed_array(struct host_timed *h, uint32_t n)
{
	(void)h;
	(void)n;
	return NULL;
}

uint64_t host_timed_stamp(const struct vm *vm, enum abi_phase phase, uint32_t i)
{
	(void)vm;
	(void)phase;
	return i;
}

uint32_t host_timed_stamped(const struct host_timed *h, const struct vm *vm)
{
	(void)h;
	(void)vm;
	return 0;
}

static struct boot_report measured(int (*row)(struct host_timed *))
{
	static struct boot_report rep;
	const struct vm_config config = { .vcpus = 1, .irqchip = VM_IRQCHIP_KERNEL };
	struct boot_request rq = { .params.repeat = 0 };
	struct error err = { 0 };
	struct host_timed h = { .config = &config, .rq = &rq, .rep = &rep, .err = &err };

	memset(&rep, 0, sizeof(rep));
	rep.outcome = BOOT_CRASH;
	cr_expect_eq(row(&h), 0, "%s", err.text);
	return rep;
}

#define NOT_READ    "did not read"
#define NOT_WRITTEN "did not write"

Test(state_rows, a_request_without_an_effect_fails_its_row)
{
	static const struct {
		int (*row)(struct host_timed *);
		unsigned int without;
		const char *why;
	} cases[] = {
		{ host_timed_state_get_all, NR_GET_REGS, NOT_READ },
		{ host_timed_state_get_all, NR_GET_SREGS, NOT_READ },
		{ host_timed_state_get_all, NR_GET_MSRS, NOT_READ },
		{ host_timed_state_get_all, NR_GET_LAPIC, NOT_READ },
		{ host_timed_state_get_all, NR_GET_MP_STATE, NOT_READ },
		{ host_timed_state_get_all, NR_GET_EVENTS, NOT_READ },
		{ host_timed_state_get_all, NR_GET_DEBUGREGS, NOT_READ },
		{ host_timed_state_get_all, NR_GET_XSAVE, NOT_READ },
		{ host_timed_state_get_all, NR_GET_XCRS, NOT_READ },
		{ host_timed_state_sync_lazy, NR_GET_REGS, NOT_READ },
		{ host_timed_state_sync_lazy, NR_SET_REGS, NOT_WRITTEN },
		{ host_timed_state_sync_always, NR_GET_REGS, NOT_READ },
		{ host_timed_state_sync_always, NR_SET_REGS, NOT_WRITTEN },
		{ host_timed_state_sync_regs, NO_SYNC_GET, NOT_READ },
		{ host_timed_state_sync_regs, NO_SYNC_SET, NOT_WRITTEN },
		{ host_timed_state_sync_regs, NO_SYNC_GET | NO_SYNC_SET, NOT_READ },
	};

	if (vmm_arch != ARCH_X86_64)
		cr_skip_test("its KVM is that of x86_64");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct boot_report rep;

		without = 0;
		rep = measured(cases[i].row);
		cr_expect_eq(rep.outcome, BOOT_DONE, "case %zu: %s", i, rep.reason);
		cr_expect_eq(rep.guest.samples[ABI_PHASE_EVENT], EVENTS, "case %zu", i);
		without = cases[i].without;
		rep = measured(cases[i].row);
		cr_expect_eq(rep.outcome, BOOT_CRASH, "case %zu", i);
		cr_expect_not_null(strstr(rep.reason, cases[i].why), "case %zu: %s", i,
				   rep.reason);
	}
}
