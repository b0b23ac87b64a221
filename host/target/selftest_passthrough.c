/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-tests: the module of host/kmod does what it is told, undoes it, and refuses. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/kmod/worldswitch_pmu.h"
#include "host/target/selftest_vm.h"
#include "host/vmm/passthrough.h"

#define EVENTS 100u
#define BELLS  3u
#define DEVICE "/dev/" WS_PMU_DEVICE

static struct vm_config config_of(enum vm_pmu_access access)
{
	struct vm_config config = selftest_config();

	config.pmu = true;
	config.pmu_access = access;
	return config;
}

/* KVM's exits at each bell; at the second one passthrough ends, amid the guest's life. */
struct bells {
	struct vm vm;
	unsigned int rung;
	int64_t exits[BELLS];
};

static void on_bell(void *ctx, uint32_t value)
{
	struct bells *b = ctx;

	if (ABI_BELL_KIND(value) != ABI_BELL_BEGIN || b->rung == BELLS)
		return;
	b->exits[b->rung++] = vcpu_kvm_stat(&b->vm.vcpus[0], KVM_STAT_EXITS);
	if (b->rung == 2) {
		close(b->vm.passthrough_fd);
		b->vm.passthrough_fd = -1;
	}
}

/* Beside the bell itself, a host interrupt may exit now and then. */
static enum selftest_verdict judge(struct selftest *t, const struct bells *b)
{
	int64_t with = b->exits[1] - b->exits[0], without = b->exits[2] - b->exits[1];

	if (b->rung != BELLS || b->exits[0] < 0)
		return selftest_skip(t, "this KVM does not count exits");
	if (with >= EVENTS)
		return selftest_fail(t, "%u reads, passed through: %lld exits", EVENTS,
				     (long long)with);
	if (without < EVENTS)
		return selftest_fail(t, "%u reads after the end of it: %lld exits",
				     EVENTS, (long long)without);
	return SELFTEST_PASS;
}

enum selftest_verdict selftest_passthrough(struct selftest *t)
{
	struct bells bells = { .rung = 0 };
	const struct vm_config config = config_of(VM_PMU_PASSTHROUGH);
	const struct vm_listener listener = { .ctx = &bells, .bell = on_bell };
	const struct abi_params params = { .command = SELFTEST_COUNTER,
					   .events = EVENTS };
	enum selftest_verdict verdict;
	int err;

	if (passthrough_available(t->kvm_fd, t->reason, sizeof(t->reason)))
		return SELFTEST_SKIP;
	err = selftest_open(t, &bells.vm, &config, &listener, &params);
	if (!err)
		err = selftest_go(&bells.vm);
	verdict = err ? selftest_error(t, &bells.vm, err) : selftest_done(t, &bells.vm);
	if (verdict == SELFTEST_PASS)
		verdict = judge(t, &bells);
	vm_destroy(&bells.vm);
	return verdict;
}

/* What a file of its own answers; it is closed again. */
static int attach(const struct ws_pmu_attach *request)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC), err;

	if (fd < 0)
		return errno;
	err = ioctl(fd, WS_PMU_ATTACH, request) ? errno : 0;
	close(fd);
	return err;
}

static enum selftest_verdict refusals(struct selftest *t, const struct vm *vm)
{
	const struct {
		const char *what;
		struct ws_pmu_attach request;
		int err;
	} cases[] = {
		{ "a VM that has its file", { WS_PMU_ABI, 0, vm->fd, 0 }, EBUSY },
		{ "another ABI", { WS_PMU_ABI + 1, 0, vm->fd, 0 }, EINVAL },
		{ "unknown flags", { WS_PMU_ABI, ~WS_PMU_FLAGS, vm->fd, 0 }, EINVAL },
		{ "a vCPU's fd", { WS_PMU_ABI, 0, vm->vcpus[0].fd, 0 }, EINVAL },
		{ "no fd", { WS_PMU_ABI, 0, -1, 0 }, EINVAL },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int err = attach(&cases[i].request);

		if (err != cases[i].err)
			return selftest_fail(t, "%s: %s instead of %s", cases[i].what,
					     strerror(err), strerror(cases[i].err));
	}
	if (!syscall(SYS_delete_module, WS_PMU_MODULE, O_NONBLOCK) || errno != EAGAIN)
		return selftest_fail(t, "unloading it while a VM is attached: %m");
	return SELFTEST_PASS;
}

enum selftest_verdict selftest_passthrough_refusals(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_COUNTER };
	const struct vm_config config = config_of(VM_PMU_HOOKED);
	enum selftest_verdict verdict;
	struct vm vm;
	int err;

	if (passthrough_available(t->kvm_fd, t->reason, sizeof(t->reason)))
		return SELFTEST_SKIP;
	err = selftest_open(t, &vm, &config, NULL, &params);
	verdict = err ? selftest_error(t, &vm, err) : refusals(t, &vm);
	vm_destroy(&vm);
	/* Nobody holds it any more; but what others have loaded is not ours to unload. */
	if (verdict == SELFTEST_PASS && getenv(PASSTHROUGH_MODULE_VARIABLE) &&
	    syscall(SYS_delete_module, WS_PMU_MODULE, O_NONBLOCK))
		verdict = selftest_fail(t, "unloading it afterwards: %m");
	return verdict;
}
