/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent inside a lab's machine: executes a job and sends its answer. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/agent/agent.h"
#include "host/lib/error.h"
#include "host/env/env.h"
#include "host/explain/symbols.h"
#include "host/targets/lab/initramfs.h"
#include "host/targets/lab/l1.h"
#include "host/targets/lab/wire.h"
#include "host/measure/measure.h"
#include "host/result/result.h"
#include "host/targets/target.h"
#include "host/targets/rows.h"
#include "host/selftest/selftest.h"
#include "host/vmm/timer.h"
#include "host/vmm/vmm.h"

static int describe(struct target *t, struct lab_wire *wire, struct error *err)
{
	struct result *r = result_new();
	int ret = t->ops->describe(t, &r, err);
	char *json, below[LAB_L1_RELEASE_BYTES];

	if (!ret) {
		/* Instructions, which are nanoseconds here. */
		r->clock.hz = 1000000000;
		lab_l1_host_release(below);
		r->subject.kernel_below = *below ? result_string(r, below) : NULL;
		env_machine(r);
		env_checks(r);
		r->machine.pinned = -1;
		pmu_readings_add_host(t->arch, r);
		json = result_dump(r);
		ret = lab_wire_text(wire, LAB_FRAME_HEADER, json);
		free(json);
	}
	result_free(r);
	return ret;
}

/* The kernel's own clock when it started the first process; 0: its log does not tell. */
static uint64_t init_began_ns(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	unsigned long long us = 0;
	char record[8192]; /* one per read: Documentation/ABI/testing/dev-kmsg */
	ssize_t n;

	while (fd >= 0 &&
	       ((n = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE)) {
		record[n > 0 ? n : 0] = '\0';
		if (strstr(record, ";Run /init as init process") &&
		    sscanf(record, "%*u,%*u,%llu", &us) == 1)
			break;
		us = 0;
	}
	if (fd >= 0)
		close(fd);
	return us * 1000;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* struct timing_boot: an instruction is a nanosecond, and the counter began at reset. */
static int send_timing(struct lab_wire *wire)
{
	uint64_t ready = clock_now(), kernel = ready - clock_ns(CLOCK_BOOTTIME);
	uint64_t init = init_began_ns(), age, kvm = 0;
	struct stat st;
	char line[100];

	if (!init || stat("/dev/kvm", &st))
		return lab_wire_text(wire, LAB_FRAME_LINE, "unknown");
	age = clock_ns(CLOCK_REALTIME) -
	      (uint64_t)st.st_ctim.tv_sec * UINT64_C(1000000000) -
	      (uint64_t)st.st_ctim.tv_nsec;
	/* A kernel with KVM built in makes the file before it sets its date. */
	if (age < ready)
		kvm = clock_now() - age;
	snprintf(line, sizeof(line), "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
		 kernel, kernel + init, kvm, ready);
	return lab_wire_text(wire, LAB_FRAME_LINE, line);
}

static int send_report(const struct boot_report *rep, struct lab_wire *wire)
{
	uint8_t *block;
	size_t bytes;
	int ret = boot_report_encode(rep, &block, &bytes);

	if (ret)
		return ret;
	ret = lab_wire_send(wire, LAB_FRAME_REPORT, block, bytes);
	free(block);
	return ret;
}

/*
 * Where KVM destroys a VM of the row by a walk through the guest's physical address
 * space, in steps of 1 GiB, it is kept. On arm64, stage 2 of a guest's EL2, and from
 * Linux 6.19 on that of each guest of protected KVM. Rows about memory differ by what
 * the next boot finds of it.
 */
static enum boot_vm_end slow_end(const struct bench *row, enum arch arch)
{
	if (kvm_flavour(-1) == KVM_FLAVOUR_ARM64_PROTECTED && kernel_is_at_least(6, 19) &&
	    strcmp(row->group, "memory") != 0)
		return VM_KEPT_WITHOUT_PMU;
	return arch == ARCH_AARCH64 && row->needs & NEEDS_NESTED ? VM_KEPT : VM_DESTROYED;
}

static int boot(struct target *t, const struct job *job, struct lab_wire *wire,
		struct error *err)
{
	struct boot_request rq = {
		.params = job->params,
		.cpu = -1,
		.timeout_ns = job->timeout_ns,
		.scale = job->scales[0],
		.slowdown = LAB_SLOWDOWN,
		.l0_exits = wire->shared->in_l1 ? lab_relay_exits : NULL,
		.l0 = wire->shared,
	};
	struct spacer spacer;
	struct boot_report rep;
	void *payload = NULL;
	bool go_on = true;
	int ret = 0;

	if (job->n_benches != 1 || job->n_configs != 1)
		return error_set(err, -EINVAL, "a job in a lab has one row");
	rq.config = result_find_config(job->configs[0]);
	rq.bench = pmu_row(job->benches[0]);
	if (!rq.bench)
		rq.bench = result_find_bench(job->benches[0]);
	if (!rq.bench || !rq.config)
		return error_set(err, -ENOENT, "no benchmark %s with config %s",
				 job->benches[0], job->configs[0]);
	if (job->payload) {
		ret = payload_read(job->payload, t->arch, &payload, &rq.image_bytes, err);
		rq.image = payload;
	} else {
		rq.image = payload_find(t->arch, payload_of(rq.bench, t->arch),
					&rq.image_bytes);
		if (!rq.image)
			ret = error_set(err, -ENOENT, "no payload is built in for %s",
					rq.bench->id);
	}
	if (ret)
		return ret;
	for (uint32_t i = 0; i < job->boots && !ret && go_on; i++) {
		rq.vm_end = !job->ends		  ? VM_DESTROYED
			    : i + 1 == job->boots ? VM_KEPT
						  : slow_end(rq.bench, t->arch);
		spacer_open(&spacer, job->placement + i);
		boot_report_init(&rep);
		ret = boot_settle(&rep, t->ops->boot(t, &rq, &rep, err), err);
		/* The machine ends behind the last report. */
		if (ret || !job->ends || i + 1 < job->boots)
			spacer_close(&spacer);
		if (ret)
			break;
		go_on = rep.outcome == BOOT_DONE;
		ret = send_report(&rep, wire);
		if (ret)
			error_set(err, ret, "cannot send the report of %s: %s",
				  rq.bench->id, strerror(-ret));
		boot_report_free(&rep);
	}
	free(payload);
	return ret;
}

static void send_line(void *ctx, const char *text)
{
	(void)lab_wire_text(ctx, LAB_FRAME_LINE, text);
}

/* What failed has been sent. */
static int matrix(struct target *t, struct lab_wire *wire, struct error *err)
{
	const struct selftest_watch watch = { wire, send_line };
	int ret = measure_matrix(t, &watch, err);

	return ret < 0 ? ret : 0;
}

static int selftest(const struct job *job, struct lab_wire *wire, struct error *err)
{
	const struct selftest_watch watch = { wire, send_line };
	const char *unknown = selftest_unknown(job->tests, job->n_tests);
	int kvm_fd;

	if (unknown)
		return error_set(err, -ENOENT, "no self-test '%s'", unknown);
	kvm_fd = kvm_open(err);
	if (kvm_fd < 0)
		return kvm_fd;
	selftest_run(kvm_fd, job->tests, job->n_tests, &watch);
	close(kvm_fd);
	return 0;
}

void agent_symbols(struct lab_wire *wire, bool l0)
{
	char *text, why[100];
	size_t bytes;
	int err;

	err = symbols_read_kernel("/proc/kallsyms", &text, &bytes);
	if (!err)
		err = lab_wire_send(wire, l0 ? LAB_FRAME_SYMBOLS_L0 : LAB_FRAME_SYMBOLS,
				    text, bytes);
	free(text);
	if (!err)
		return;
	snprintf(why, sizeof(why), "cannot send the kernel's symbols: %s",
		 strerror(-err));
	lab_wire_text(wire, LAB_FRAME_FAILURE, why);
}

int agent_run(const struct job *job, struct lab_wire *wire)
{
	struct error err = { "" };
	struct target t = TARGET_KVM;
	int ret;

	/* The clock of the machine counts instructions. */
	t.exact = true;
	t.takes_turns = job->takes_turns;
	if (job->kind == JOB_SELFTEST) {
		ret = selftest(job, wire, &err);
	} else if (job->kind == JOB_TIMING) {
		ret = send_timing(wire);
	} else {
		ret = t.ops->open(&t, job, &err);
		if (!ret && job->kind == JOB_DESCRIBE)
			ret = describe(&t, wire, &err);
		else if (!ret && job->kind == JOB_MATRIX)
			ret = matrix(&t, wire, &err);
		else if (!ret)
			ret = boot(&t, job, wire, &err);
		t.ops->close(&t);
	}
	if (ret) {
		lab_wire_text(wire, LAB_FRAME_FAILURE,
			      *err.text ? err.text : strerror(-ret));
	} else if (job->symbols) {
		/* After the answer: the boots must not wait for the symbols. */
		lab_relay_symbols(wire->shared);
		agent_symbols(wire, false);
	}
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
