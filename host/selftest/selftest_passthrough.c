/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-tests: the module of host/kmod attaches, detaches, and rejects bad requests. */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/kmod/worldswitch_pmu.h"
#include "host/selftest/selftest_vm.h"
#include "host/vmm/traps.h"

#define EVENTS	  100u
#define DOORBELLS 3u
#define DEVICE	  "/dev/" WS_PMU_DEVICE

static struct vm_config config_of(enum vm_pmu_access access)
{
	struct vm_config config = selftest_config();

	config.pmu = true;
	config.pmu_access = access;
	return config;
}

static bool lacks_module(struct selftest *t)
{
	struct error why;

	if (!passthrough_available(t->kvm_fd, &why))
		return false;
	selftest_skip(t, "%s", why.text);
	return true;
}

/* KVM's exits at each doorbell; at the second one passthrough ends, amid the guest's
 * life. */
struct doorbells {
	struct vm vm;
	unsigned int rung;
	int64_t exits[DOORBELLS];
};

static void on_doorbell(void *ctx, uint32_t value)
{
	struct doorbells *b = ctx;

	if (ABI_DOORBELL_KIND(value) != ABI_DOORBELL_BEGIN || b->rung == DOORBELLS)
		return;
	b->exits[b->rung++] = vcpu_kvm_stat(&b->vm.vcpus[0], STATISTIC_exits);
	if (b->rung == 2) {
		close(b->vm.passthrough_fd);
		b->vm.passthrough_fd = -1;
	}
}

/* Exits of host interrupts, in addition to the doorbell. */
static enum selftest_verdict judge(struct selftest *t, const struct doorbells *b)
{
	int64_t with = b->exits[1] - b->exits[0], without = b->exits[2] - b->exits[1];

	if (b->rung != DOORBELLS || b->exits[0] < 0)
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
	struct doorbells doorbells = { .rung = 0 };
	const struct vm_config config = config_of(VM_PMU_PASSTHROUGH);
	const struct vm_listener listener = { .ctx = &doorbells,
					      .doorbell = on_doorbell };
	const struct abi_params params = { .command = SELFTEST_COUNTER,
					   .events = EVENTS };
	enum selftest_verdict verdict;
	int err;

	if (lacks_module(t))
		return SELFTEST_SKIP;
	err = selftest_open(t, &doorbells.vm, &config, &listener, &params);
	if (!err)
		err = selftest_go(&doorbells.vm);
	verdict = err ? selftest_error(t, &doorbells.vm, err)
		      : selftest_done(t, &doorbells.vm);
	if (verdict == SELFTEST_PASS)
		verdict = judge(t, &doorbells);
	vm_destroy(&doorbells.vm);
	return verdict;
}

/* Sends a request to a new descriptor of the device, and closes it. */
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
	bool confined;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int err = attach(&cases[i].request);

		if (err != cases[i].err)
			return selftest_fail(t, "%s: %s instead of %s", cases[i].what,
					     strerror(err), strerror(cases[i].err));
	}
	/* A confined process must not unload modules at all. In a lab it is not confined.
	 */
	confined = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	if (!syscall(SYS_delete_module, WS_PMU_MODULE, O_NONBLOCK) ||
	    errno != (confined ? EPERM : EAGAIN))
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

	if (lacks_module(t))
		return SELFTEST_SKIP;
	err = selftest_open(t, &vm, &config, NULL, &params);
	verdict = err ? selftest_error(t, &vm, err) : refusals(t, &vm);
	vm_destroy(&vm);
	/* Unloads the module only if this test has loaded it. */
	if (verdict == SELFTEST_PASS && getenv(PASSTHROUGH_MODULE_VARIABLE) &&
	    syscall(SYS_delete_module, WS_PMU_MODULE, O_NONBLOCK))
		verdict = selftest_fail(t, "unloading it afterwards: %m");
	return verdict;
}

/*
 * A perf event of a CPU's cycles. Without a counter a read of a pinned event returns 0,
 * and an event that is not pinned waits.
 */
static int cycles_of(int cpu, bool pinned)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_CPU_CYCLES,
		.pinned = pinned,
	};

	return (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

/* Whether an event counts what its CPU does between two reads. */
static bool counts_now(int fd)
{
	uint64_t first, then;

	return read(fd, &first, sizeof(first)) == sizeof(first) &&
	       read(fd, &then, sizeof(then)) == sizeof(then) && then > first;
}

/* perf rotates waiting events by a timer, by default every 4 ms. */
static bool counts_soon(int fd)
{
	const struct timespec turn = { .tv_nsec = 10 * 1000 * 1000 };
	int turns;

	for (turns = 0; turns < 100 && !counts_now(fd); turns++)
		nanosleep(&turn, NULL);
	return turns < 100;
}

/* Whether perf gets a counter of a CPU: opened, read, closed. -errno. */
static int perf_counts(int cpu)
{
	int fd = cycles_of(cpu, true), counts;
	uint64_t value;

	if (fd < 0)
		return -errno;
	counts = read(fd, &value, sizeof(value)) == sizeof(value);
	close(fd);
	return counts;
}

static enum selftest_verdict expect_counts(struct selftest *t, int cpu, int expected,
					   const char *when)
{
	int counts = perf_counts(cpu);

	if (counts == expected)
		return SELFTEST_PASS;
	if (counts < 0)
		return selftest_fail(t, "%s: perf_event_open: %s", when,
				     strerror(-counts));
	return selftest_fail(t, "%s: perf %s a counter of CPU %d", when,
			     counts ? "gets" : "does not get", cpu);
}

/* Counters are trapped while perf has a pinned event, and passed through after it. */
static enum selftest_verdict busy_counters(struct selftest *t)
{
	const struct abi_params params = { .command = SELFTEST_COUNTER };
	const struct vm_config config = config_of(VM_PMU_EMULATED);
	struct ws_pmu_attach request = { WS_PMU_ABI, WS_PMU_PASSTHROUGH, -1, 0 };
	enum selftest_verdict verdict = SELFTEST_PASS;
	int held = cycles_of(0, true), busy, free_again;
	struct vm vm;
	int err = selftest_open(t, &vm, &config, NULL, &params);

	request.vm_fd = vm.fd;
	busy = attach(&request);
	close(held);
	free_again = attach(&request);
	if (err)
		verdict = selftest_error(t, &vm, err);
	else if (held < 0)
		verdict = selftest_fail(t, "perf_event_open: %m");
	else if (busy != EBUSY)
		verdict = selftest_fail(t, "with an event pinned: %s instead of %s",
					strerror(busy), strerror(EBUSY));
	else if (free_again)
		verdict = selftest_fail(t, "without: %s", strerror(free_again));
	vm_destroy(&vm);
	return verdict;
}

/* Events of CPU 0, by when they were opened. */
enum { BEFORE, MEANWHILE, TIMES };
static const char *const times[TIMES] = {
	[BEFORE] = "before the guest got the counters",
	[MEANWHILE] = "while the guest had the counters",
};

/* Events of perf wait while a guest has the counters, and count again after it. */
static enum selftest_verdict waiting_events(struct selftest *t, struct vm *vm)
{
	const struct vm_config config = config_of(VM_PMU_PASSTHROUGH);
	const struct abi_params params = { .command = SELFTEST_COUNTER,
					   .events = EVENTS };
	enum selftest_verdict verdict;
	bool waited[TIMES] = { false };
	int events[TIMES], err, i;

	events[BEFORE] = cycles_of(0, false);
	err = selftest_open(t, vm, &config, NULL, &params);
	events[MEANWHILE] = cycles_of(0, false);
	for (i = 0; i < TIMES; i++)
		waited[i] = !counts_now(events[i]);
	if (!err)
		err = selftest_go(vm);
	verdict = err ? selftest_error(t, vm, err) : selftest_done(t, vm);
	vm_destroy(vm);
	for (i = 0; i < TIMES && verdict == SELFTEST_PASS; i++)
		if (!counts_soon(events[i]))
			verdict = selftest_fail(t, "an event opened %s does not count",
						times[i]);
	for (i = 0; i < TIMES && verdict == SELFTEST_PASS; i++)
		if (!waited[i])
			verdict = selftest_fail(t, "an event opened %s had one of them",
						times[i]);
	for (i = 0; i < TIMES; i++)
		close(events[i]);
	return verdict;
}

/* A pinned event gets no counter while a guest has the counters. */
static enum selftest_verdict pinned_events(struct selftest *t, struct vm *vm)
{
	const struct vm_config config = config_of(VM_PMU_PASSTHROUGH);
	const struct abi_params params = { .command = SELFTEST_COUNTER };
	int err = selftest_open(t, vm, &config, NULL, &params);
	enum selftest_verdict verdict =
		err ? selftest_error(t, vm, err)
		    : expect_counts(t, 0, 0, "while a guest has the counters");

	vm_destroy(vm);
	return verdict == SELFTEST_PASS ? expect_counts(t, 0, 1, "after it") : verdict;
}

/* perf and a guest with passthrough never use the same counter. */
enum selftest_verdict selftest_passthrough_counters(struct selftest *t)
{
	enum selftest_verdict verdict;
	struct vm vm;

	if (lacks_module(t))
		return SELFTEST_SKIP;
	if (perf_counts(0) != 1)
		return selftest_skip(t, "perf counts no cycles of CPU 0 here");
	verdict = waiting_events(t, &vm);
	if (verdict == SELFTEST_PASS)
		verdict = pinned_events(t, &vm);
	return verdict == SELFTEST_PASS ? busy_counters(t) : verdict;
}

static int set_online(bool online)
{
	int fd = open("/sys/devices/system/cpu/cpu1/online", O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = write(fd, online ? "1" : "0", 1) == 1 ? 0 : -errno;
	close(fd);
	return err;
}

/* Runs the guest on a CPU. 0 or -errno. */
static int go_on(struct vm *vm, int cpu)
{
	cpu_set_t all, one;
	int err;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_getaffinity(0, sizeof(all), &all) ||
	    sched_setaffinity(0, sizeof(one), &one))
		return error_set(&vm->error, -errno, "cannot run on CPU %d: %m", cpu);
	err = selftest_go(vm);
	(void)sched_setaffinity(0, sizeof(all), &all);
	return err;
}

/* Opens an event of a CPU as soon as the CPU is online. */
struct rival {
	_Atomic bool stop;
	int fd;
};

static void *rival_opens(void *data)
{
	struct rival *r = data;

	do
		r->fd = cycles_of(1, true);
	while (r->fd < 0 && !r->stop);
	return NULL;
}

/* The counters of CPU 1 are reserved again: the guest runs there without exits. */
static enum selftest_verdict gone_and_back(struct selftest *t, struct doorbells *b)
{
	enum selftest_verdict verdict;
	int err = set_online(false);

	if (!err)
		err = set_online(true);
	verdict = err ? selftest_fail(t, "CPU 1: %s", strerror(-err))
		      : expect_counts(t, 1, 0, "while a guest has them");
	if (verdict != SELFTEST_PASS)
		return verdict;
	err = go_on(&b->vm, 1);
	verdict = err ? selftest_error(t, &b->vm, err) : selftest_done(t, &b->vm);
	return verdict == SELFTEST_PASS ? judge(t, b) : verdict;
}

/* With perf's event first, it cannot be reserved: the event counts, the guest is trapped.
 */
static enum selftest_verdict back_and_taken(struct selftest *t, struct doorbells *b)
{
	struct rival rival = { .fd = -1 };
	enum selftest_verdict verdict;
	pthread_t thread;
	bool counts;
	int err = set_online(false);

	if (!err)
		err = -pthread_create(&thread, NULL, rival_opens, &rival);
	if (err)
		return selftest_fail(t, "CPU 1: %s", strerror(-err));
	err = set_online(true);
	rival.stop = true;
	pthread_join(thread, NULL);
	counts = rival.fd >= 0 && counts_now(rival.fd);
	if (!err)
		err = go_on(&b->vm, 1);
	verdict = err ? selftest_error(t, &b->vm, err) : selftest_done(t, &b->vm);
	/* Where the module was first, the event has no counter and proves nothing. */
	if (verdict == SELFTEST_PASS && !counts)
		verdict = selftest_skip(t, "no event was on CPU 1 before the module");
	if (verdict == SELFTEST_PASS && counts && b->exits[1] - b->exits[0] < EVENTS)
		verdict = selftest_fail(
			t, "%u reads on a CPU that perf counts on: %lld exits", EVENTS,
			(long long)(b->exits[1] - b->exits[0]));
	if (verdict == SELFTEST_PASS && counts && !counts_now(rival.fd))
		verdict = selftest_fail(t, "perf's event does not count after the guest");
	if (rival.fd >= 0)
		close(rival.fd);
	return verdict;
}

/* The CPU is offline when the VM ends; online again, it has its counters. */
static enum selftest_verdict gone(struct selftest *t, struct doorbells *b)
{
	int err = set_online(false);

	close(b->vm.passthrough_fd);
	b->vm.passthrough_fd = -1;
	if (!err)
		err = set_online(true);
	return err ? selftest_fail(t, "CPU 1: %s", strerror(-err)) : SELFTEST_PASS;
}

static enum selftest_verdict hotplug(struct selftest *t,
				     enum selftest_verdict (*way)(struct selftest *t,
								  struct doorbells *b))
{
	struct doorbells doorbells = { .rung = 0 };
	const struct vm_config config = config_of(VM_PMU_PASSTHROUGH);
	const struct vm_listener listener = { .ctx = &doorbells,
					      .doorbell = on_doorbell };
	const struct abi_params params = { .command = SELFTEST_COUNTER,
					   .events = EVENTS };
	int err = selftest_open(t, &doorbells.vm, &config, &listener, &params);
	enum selftest_verdict verdict =
		err ? selftest_error(t, &doorbells.vm, err) : way(t, &doorbells);

	vm_destroy(&doorbells.vm);
	return verdict == SELFTEST_PASS ? expect_counts(t, 1, 1, "after it") : verdict;
}

enum selftest_verdict selftest_passthrough_hotplug(struct selftest *t)
{
	enum selftest_verdict verdict;

	if (lacks_module(t))
		return SELFTEST_SKIP;
	if (!getenv(PASSTHROUGH_MODULE_VARIABLE))
		return selftest_skip(t, "takes a CPU off line: in a lab only");
	if (access("/sys/devices/system/cpu/cpu1/online", W_OK))
		return selftest_skip(t, "there is no second CPU that can go off line");
	verdict = hotplug(t, gone_and_back);
	if (verdict == SELFTEST_PASS)
		verdict = hotplug(t, back_and_taken);
	return verdict == SELFTEST_PASS ? hotplug(t, gone) : verdict;
}
