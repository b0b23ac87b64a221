/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drivers: how late a budgeted run ends, by each of the run timers. */
#include <errno.h>
#include <string.h>

#include "host/targets/drive.h"
#include "host/vmm/clock.h"
#include "host/vmm/timer.h"

/* Long enough to be in the guest when it goes off, short enough to wait for. */
#define BUDGET_NS     200000u
#define BUDGET_CYCLES 200000u
#define BUDGET_INSNS  100000u

/* Each runs through its budget, and in an emulator up to a tick of the host beyond. */
#define TIMER_EVENTS 20

/* In ticks of the shared clock: when a POSIX timer of BUDGET_NS will go off. */
static uint64_t ticks_of_ns(uint64_t ns, uint64_t hz)
{
	return (uint64_t)((unsigned __int128)ns * hz / 1000000000u);
}

/* How far beyond its budget one run went, by what the timer itself counts. */
static int overshoot(struct drive *d, struct vm *vm, struct run_timer *timer, uint64_t hz,
		     uint64_t *late)
{
	uint64_t start = clock_now(), ran;
	int err = drive_run(d, vm, timer, VCPU_STOP_BUDGET);

	ran = clock_now() - start;
	if (timer->kind == TIMER_POSIX)
		*late = ran - ticks_of_ns(timer->budget, hz);
	else
		*late = timer_count(timer) - timer->budget;
	return err;
}

static int drive_overshoot(struct drive *d, enum timer_kind kind, uint64_t budget)
{
	struct run_timer timer;
	uint64_t *series, hz = clock_hz();
	struct vm vm;
	struct error why;
	uint32_t n, i;
	int err;

	if (timer_open(&timer, kind, budget, &why))
		return drive_skip(d, "%s", why.text);
	if (kind == TIMER_POSIX && !hz) {
		timer_close(&timer);
		return drive_skip(d, "the rate of the host's clock is not known");
	}
	series = drive_series(d, TIMER_EVENTS, &n);
	if (!series) {
		timer_close(&timer);
		return -ENOMEM;
	}
	if (kind != TIMER_POSIX) {
		/* Counted, not read from the clock: nothing to subtract. */
		memset(d->rep->series[ABI_PHASE_NULL], 0, n * sizeof(uint64_t));
		d->rep->unit = kind == TIMER_CYCLES ? "cycles" : "insns";
	}
	err = drive_boot(d, &vm, ABI_COMMAND_SPIN);
	/* The first run warms up: it does not count. */
	for (i = 0; !err && i <= n; i++) {
		uint64_t late;

		err = overshoot(d, &vm, &timer, hz, &late);
		if (i)
			series[i - 1] = late;
	}
	drive_close(&vm);
	timer_close(&timer);
	if (err)
		return err == -ECANCELED ? 0 : err;
	return drive_done(d);
}

int drive_overshoot_posix(struct drive *d)
{
	return drive_overshoot(d, TIMER_POSIX, BUDGET_NS);
}

int drive_overshoot_perf(struct drive *d)
{
	return drive_overshoot(d, TIMER_CYCLES, BUDGET_CYCLES);
}

int drive_insn_stop(struct drive *d)
{
	return drive_overshoot(d, TIMER_INSNS, BUDGET_INSNS);
}
