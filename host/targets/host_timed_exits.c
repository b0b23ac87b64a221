/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host-timed benchmarks of exits to user space: halves, laps, and the run loop. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/targets/host_timed.h"
#include "host/vmm/arch.h"
#include "host/vmm/timer.h"
#include "host/vmm/regs.h"

/*
 * ---- the two halves of an exit to user space ----
 *
 * Guest and host read one clock (host/vmm/timer.h). The guest reads it before and after
 * the doorbell; the host reads it when the doorbell arrives and just before the vCPU
 * re-enters the guest. A reading that is not between its neighbours means that the clocks
 * differ, and the row is skipped.
 */

struct halves {
	struct host_timed *timed;
	struct vm vm;
	uint32_t n, rung; /* events: the samples, and the first, which is the warm-up */
	/* The host's readings, one per doorbell. */
	uint64_t *arrived, *left;
};

static void on_half_doorbell(void *ctx, uint32_t value)
{
	struct halves *halves = ctx;
	uint64_t now = clock_now();

	if (ABI_DOORBELL_KIND(value) != ABI_DOORBELL_END || halves->rung >= halves->n)
		return;
	halves->arrived[halves->rung] = now;
	halves->left[halves->rung++] = clock_now();
}

/* The samples of one direction, all but the first; -ERANGE if a reading is out of order.
 */
static int subtract_halves(const struct halves *halves, bool out, uint64_t offset,
			   uint64_t *series)
{
	uint32_t i;

	for (i = 0; i < halves->rung; i++) {
		uint64_t before =
			host_timed_stamp(&halves->vm, ABI_PHASE_EVENT, i) - offset;
		uint64_t after =
			host_timed_stamp(&halves->vm, ABI_PHASE_TWIN, i) - offset;

		if ((int64_t)(halves->arrived[i] - before) < 0 ||
		    (int64_t)(after - halves->left[i]) < 0)
			return -ERANGE;
		if (i)
			series[i - 1] = out ? halves->arrived[i] - before
					    : after - halves->left[i];
	}
	return 0;
}

static int run_halves(struct halves *halves, bool out, uint64_t *series)
{
	const struct vm_listener listener = { .ctx = halves,
					      .doorbell = on_half_doorbell };
	struct host_timed *h = halves->timed;
	struct boot_request rq = *h->rq;
	struct host_timed own = *h;
	uint64_t offset;
	int err;

	rq.params.events = halves->n;
	own.rq = &rq;
	err = host_timed_open(&own, &halves->vm, ABI_COMMAND_STAMP, &listener);
	if (err)
		return err;
	if (clock_guest_offset(&halves->vm.vcpus[0], &offset))
		return host_timed_skip(
			h,
			"this KVM does not report the offset of the guest's clock (KVM_VCPU_TSC_OFFSET, Linux 5.16)");
	err = host_timed_run(h, &halves->vm, NULL, VCPU_STOP_DOORBELL);
	if (err)
		return err == -ECANCELED ? 0 : err;
	if (!halves->rung || halves->rung != host_timed_stamped(&own, &halves->vm))
		return host_timed_crash(h, "%u doorbells of %u arrived", halves->rung,
					halves->n);
	if (subtract_halves(halves, out, offset, series))
		return host_timed_skip(h,
				       "guest and host do not read the same clock here");
	host_timed_shorten(h, ABI_PHASE_EVENT, halves->rung - 1);
	return host_timed_done(h);
}

static int half(struct host_timed *h, bool out)
{
	struct halves halves = { .timed = h };
	uint64_t *series = host_timed_series(h, ABI_SERIES_MAX - 1, &halves.n);
	int err = -ENOMEM;

	if (!series)
		return err;
	halves.arrived = host_timed_array(h, ++halves.n);
	halves.left = host_timed_array(h, halves.n);
	if (halves.arrived && halves.left) {
		err = run_halves(&halves, out, series);
		host_timed_close(h, &halves.vm);
	}
	free(halves.arrived);
	free(halves.left);
	return err;
}

int host_timed_exit_out(struct host_timed *h)
{
	return half(h, true);
}

int host_timed_exit_in(struct host_timed *h)
{
	return half(h, false);
}

/*
 * ---- laps ----
 *
 * The guest writes to the doorbell in an endless loop. A lap is one exit to user space,
 * the work of the VMM at the exit, and the next entry. Laps without work are the series
 * that is subtracted, so that the work remains.
 */

struct laps {
	struct host_timed *timed;
	struct vcpu *vcpu;
	int (*at_doorbell)(struct vcpu *vcpu); /* NULL: nothing */
	int err;
	uint64_t *series;
	uint32_t n, done;
	uint64_t last;
};

static void on_lap_doorbell(void *ctx, uint32_t value)
{
	struct laps *l = ctx;

	(void)value;
	if (l->at_doorbell && !l->err)
		l->err = l->at_doorbell(l->vcpu);
	/* The first lap includes the boot of the guest. */
	if (l->last && l->done < l->n)
		l->series[l->done++] = clock_now() - l->last;
	if (l->done == l->n || l->err || host_timed_suffice(l->timed, l->series, l->done))
		vcpu_kick(l->vcpu);
	l->last = clock_now();
}

/*
 * A register of the group that touch_register() moves which the guest neither reads nor
 * writes, and a bit of it: RFLAGS.ID; and the stack pointer of EL0.
 */
#define UNUSED_BIT (1u << 21)

static const char *unused_register(void)
{
	return vmm_arch == ARCH_X86_64 ? "rflags" : "sp_el0";
}

/* Whether the copy is that of the stopped guest: the register, and a PC in its image. */
static int check_copy(struct vcpu *vcpu, uint64_t expected)
{
	const uint64_t image = vcpu->vm->ram_gpa + ABI_IMAGE_OFFSET;
	struct regs_value value, pc = { 0 };
	int err = regs_get(vcpu, unused_register(), &value);

	if (!err)
		err = regs_get(vcpu, vmm_arch == ARCH_X86_64 ? "rip" : "pc", &pc);
	if (err)
		return err;
	if (value.low != expected)
		return error_set(
			vcpu->error, -EIO,
			"KVM returned 0 and did not write %s: 0x%llx, not 0x%llx",
			unused_register(), (unsigned long long)value.low,
			(unsigned long long)expected);
	if (pc.low - image >= ABI_PAGE_OFFSET - ABI_IMAGE_OFFSET)
		return error_set(
			vcpu->error, -EIO,
			"KVM returned 0 and did not read the registers: pc 0x%llx",
			(unsigned long long)pc.low);
	return 0;
}

/*
 * Behind the last lap: what the VMM writes reaches the guest, and comes back, in the way
 * of the row and by KVM's requests, which fill all groups.
 */
static int prove_registers(struct laps *l)
{
	struct host_timed *h = l->timed;
	struct regs_value value = { 0 };
	int err;

	err = regs_get(l->vcpu, unused_register(), &value);
	value.low ^= UNUSED_BIT;
	if (!err)
		err = regs_set(l->vcpu, unused_register(), &value);
	if (!err)
		err = regs_push(l->vcpu);
	if (err)
		return error_set(h->err, err, "%s", l->vcpu->error->text);
	l->n = l->done; /* the next doorbell ends the run */
	err = host_timed_run(h, l->vcpu->vm, NULL, VCPU_STOP_KICK);
	if (err)
		return err;
	if (l->err)
		return error_set(h->err, l->err, "%s", l->vcpu->error->text);
	if (!check_copy(l->vcpu, value.low) && !regs_prove(l->vcpu) &&
	    !check_copy(l->vcpu, value.low))
		return 0;
	host_timed_crash(h, "%s", l->vcpu->error->text);
	return -ECANCELED;
}

/* n laps at most under `config`, calling at_doorbell() in each, into series `phase`. */
static int run_laps(struct host_timed *h, const struct vm_config *config,
		    int (*at_doorbell)(struct vcpu *vcpu), enum abi_phase phase,
		    uint32_t n)
{
	struct host_timed own = *h;
	struct vm vm;
	struct laps laps = {
		.timed = h,
		.vcpu = &vm.own[0],
		.at_doorbell = at_doorbell,
		.series = h->rep->series[phase],
		.n = n,
	};
	const struct vm_listener listener = { .ctx = &laps, .doorbell = on_lap_doorbell };
	int err;

	own.config = config;
	err = host_timed_open(&own, &vm, ABI_COMMAND_DOORBELL, &listener);
	if (!err)
		err = host_timed_run(h, &vm, NULL, VCPU_STOP_KICK);
	if (!err && laps.err)
		err = error_set(h->err, laps.err, "%s", vm.error.text);
	if (!err && at_doorbell)
		err = prove_registers(&laps);
	vm_destroy(&vm);
	host_timed_shorten(h, phase, laps.done);
	return err;
}

/* The laps of `config` less those of `plain`. */
static int compare_laps(struct host_timed *h, const struct vm_config *plain,
			const struct vm_config *config,
			int (*at_doorbell)(struct vcpu *vcpu))
{
	uint32_t n;
	int err;

	if (!host_timed_series(h, ABI_SERIES_MAX, &n))
		return -ENOMEM;
	err = run_laps(h, plain, NULL, ABI_PHASE_NULL, n);
	if (!err)
		err = run_laps(h, config, at_doorbell, ABI_PHASE_EVENT, n);
	if (err == -ENOTSUP)
		return host_timed_skip(h, "%s", h->err->text);
	if (err)
		return err == -ECANCELED ? 0 : err;
	return host_timed_done(h);
}

/* Reads and writes a general register, as a debugger would. */
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

int host_timed_state_get_all(struct host_timed *h)
{
	return compare_laps(h, h->config, h->config, touch_all);
}

int host_timed_state_sync_lazy(struct host_timed *h)
{
	struct vm_config lazy = *h->config;

	lazy.sync = REGS_SYNC_LAZY;
	return compare_laps(h, &lazy, &lazy, touch_register);
}

int host_timed_state_sync_always(struct host_timed *h)
{
	struct vm_config lazy = *h->config, always = *h->config;

	lazy.sync = REGS_SYNC_LAZY;
	always.sync = REGS_SYNC_ALWAYS;
	return compare_laps(h, &lazy, &always, touch_register);
}

int host_timed_state_sync_regs(struct host_timed *h)
{
	struct vm_config lazy = *h->config, run = *h->config;

	lazy.sync = REGS_SYNC_LAZY;
	run.sync = REGS_SYNC_RUN;
	return compare_laps(h, &lazy, &run, touch_register);
}

/*
 * ---- the run loop ----
 *
 * The payload of the plainest exit to user space runs under the full run loop and under
 * the shortest loop that can run it. The samples of the shortest loop are subtracted.
 */

/* Of a boot of run_loop(): BEGIN and END of four phases at least, and STOP. */
#define LOOP_DOORBELLS 9

/* One boot of the payload; its timed events go into series `phase`. */
static int run_loop(struct host_timed *h, bool bare, enum abi_phase phase, uint32_t n)
{
	struct vm_config config = *h->config;
	struct boot_request rq = *h->rq;
	struct host_timed own = *h;
	struct vm vm;
	uint32_t i;
	int err;

	config.bare_loop = bare;
	rq.params.events = n;
	rq.params.batch = 0;
	own.config = &config;
	own.rq = &rq;
	err = host_timed_open(&own, &vm, 0, &host_timed_ignore);
	if (!err)
		err = host_timed_run(&own, &vm, NULL, VCPU_STOP_DOORBELL);
	n = err ? 0 : host_timed_stamped(&own, &vm);
	if (!err && !n) {
		host_timed_crash(h, "the guest reports another number of samples");
		err = -ECANCELED;
	} else if (!err &&
		   vm.vcpus[0].stats.vm_exits < rq.params.warmup + n + LOOP_DOORBELLS) {
		host_timed_crash(h, "expected an exit to user space of each event");
		err = -ECANCELED;
	}
	for (i = 0; !err && i < n; i++)
		h->rep->series[phase][i] = host_timed_stamp(&vm, ABI_PHASE_EVENT, i);
	vm_destroy(&vm);
	host_timed_shorten(h, phase, n);
	return err;
}

int host_timed_vmm_overhead(struct host_timed *h)
{
	uint32_t n;
	int err;

	if (!host_timed_series(h, ABI_SERIES_MAX, &n))
		return -ENOMEM;
	err = run_loop(h, true, ABI_PHASE_NULL, n);
	if (!err)
		err = run_loop(h, false, ABI_PHASE_EVENT, n);
	if (err)
		return err == -ECANCELED ? 0 : err;
	return host_timed_done(h);
}

/* KVM_RUN with immediate_exit set: the guest is not entered. */
int host_timed_immediate_exit(struct host_timed *h)
{
	struct vm vm;
	uint64_t *series;
	uint32_t n, i;
	int err;

	series = host_timed_series(h, ABI_SERIES_MAX, &n);
	if (!series)
		return -ENOMEM;
	err = host_timed_open(h, &vm, ABI_COMMAND_SPIN, &host_timed_ignore);
	for (i = 0; !err && i < n && !host_timed_suffice(h, series, i); i++) {
		uint64_t start = clock_now();

		err = vcpu_enter_immediate(&vm.vcpus[0]);
		series[i] = clock_now() - start;
		if (err)
			error_set(h->err, err, "%s", vm.error.text);
		else if (host_timed_late(h))
			err = -ECANCELED;
	}
	host_timed_shorten(h, ABI_PHASE_EVENT, i);
	host_timed_close(h, &vm);
	if (err)
		return err == -ECANCELED ? 0 : err;
	return host_timed_done(h);
}
