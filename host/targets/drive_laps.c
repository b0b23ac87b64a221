/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers that compare laps: a guest rings for ever, and a lap is one exit to user
 * space, what the VMM does there, and the entry after it. The plain laps are the
 * series that gets subtracted; what is left is what the row is about.
 */
#include <errno.h>

#include "host/lib/error.h"
#include "host/targets/drive.h"
#include "host/vmm/arch.h"
#include "host/vmm/clock.h"
#include "host/vmm/regs.h"

struct laps {
	struct vcpu *vcpu;
	int (*at_doorbell)(struct vcpu *vcpu); /* NULL: nothing */
	int err;
	uint64_t *series;
	uint32_t n, done;
	uint64_t last;
};

static void on_doorbell(void *ctx, uint32_t value)
{
	struct laps *l = ctx;

	(void)value;
	if (l->at_doorbell && !l->err)
		l->err = l->at_doorbell(l->vcpu);
	/* The first lap also boots the guest. */
	if (l->last && l->done < l->n)
		l->series[l->done++] = clock_now() - l->last;
	if (l->done == l->n || l->err)
		vcpu_kick(l->vcpu);
	l->last = clock_now();
}

/* n laps under `config`, with something to do at each doorbell. */
static int run_laps(struct drive *d, const struct vm_config *config,
		    int (*at_doorbell)(struct vcpu *vcpu), uint64_t *series, uint32_t n)
{
	struct drive own = *d;
	struct vm vm;
	struct laps laps = {
		.vcpu = &vm.vcpus[0],
		.at_doorbell = at_doorbell,
		.series = series,
		.n = n,
	};
	const struct vm_listener listener = { .ctx = &laps, .doorbell = on_doorbell };
	int err;

	own.config = config;
	err = drive_open(&own, &vm, ABI_COMMAND_DOORBELL, &listener);
	if (!err)
		err = drive_run(d, &vm, NULL, VCPU_STOP_KICK);
	if (!err && laps.err)
		err = error_set(d->err, laps.err, "%s", vm.error.text);
	drive_close(&vm);
	return err;
}

/* The laps of `config` less those of `plain`. */
static int compare_laps(struct drive *d, const struct vm_config *plain,
			const struct vm_config *config,
			int (*at_doorbell)(struct vcpu *vcpu))
{
	uint64_t *series;
	uint32_t n;
	int err;

	series = drive_series(d, ABI_SERIES_MAX, &n);
	if (!series)
		return -ENOMEM;
	err = run_laps(d, plain, NULL, d->rep->series[ABI_PHASE_NULL], n);
	if (!err)
		err = run_laps(d, config, at_doorbell, series, n);
	if (err == -ENOTSUP)
		return drive_skip(d, "%s", d->err->text);
	if (err)
		return err == -ECANCELED ? 0 : err;
	return drive_done(d);
}

/* A general register, read and written back: the least a debugger would do. */
static int touch_register(struct vcpu *vcpu)
{
	const char *name = vmm_arch == ARCH_X86_64 ? "rbx" : "x9";
	struct regs_value value;
	int err = regs_get(vcpu, name, &value);

	return err ? err : regs_set(vcpu, name, &value);
}

static int touch_all(struct vcpu *vcpu)
{
	regs_forget(vcpu);
	return regs_pull(vcpu);
}

int drive_state_get_all(struct drive *d)
{
	return compare_laps(d, d->config, d->config, touch_all);
}

int drive_state_sync_lazy(struct drive *d)
{
	struct vm_config lazy = *d->config;

	lazy.sync = REGS_SYNC_LAZY;
	return compare_laps(d, &lazy, &lazy, touch_register);
}

int drive_state_sync_always(struct drive *d)
{
	struct vm_config lazy = *d->config, always = *d->config;

	lazy.sync = REGS_SYNC_LAZY;
	always.sync = REGS_SYNC_ALWAYS;
	return compare_laps(d, &lazy, &always, touch_register);
}

int drive_state_sync_regs(struct drive *d)
{
	struct vm_config lazy = *d->config, run = *d->config;

	lazy.sync = REGS_SYNC_LAZY;
	run.sync = REGS_SYNC_RUN;
	return compare_laps(d, &lazy, &run, touch_register);
}
