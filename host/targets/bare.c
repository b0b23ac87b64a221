/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Targets `bare:*`: the payload alone on QEMU, which counts its instructions.
 * There is no hypervisor and there are no exits: the baseline of the code itself.
 *
 * Guest RAM is a memfd that QEMU maps, too. Parameters and samples pass through it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/result/result.h"
#include "host/targets/boot.h"
#include "host/lib/process.h"
#include "host/targets/payload.h"

#define BOOT_TIMEOUT_NS 30000000000ull

struct state {
	int ram_fd;
	uint8_t *ram;
	char version[128];
};

/* Arguments of both machines; lab/machine.c explains each. */
#define COMMON_ARGS                                                                      \
	"-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-rtc",           \
		"clock=vm,base=2020-01-01", "-seed", "1", "-m", "16", "-display",        \
		"none", "-nodefaults", "-no-user-config", "-no-reboot"

/* One machine per guest architecture. */
static const struct bare_machine {
	const char *emulator;
	const char *const *args; /* NULL at the end */
	const char *clock;
} machines[ARCHS] = {
	[ARCH_X86_64] = {
		.emulator = "qemu-system-x86_64",
		.args = (const char *const[]){ "-M", "microvm,memory-backend=ram", "-cpu",
					       "max", COMMON_ARGS, "-device",
					       "isa-debug-exit,iobase=0xf4", NULL },
		.clock = "TSC",
	},
	[ARCH_AARCH64] = {
		.emulator = "qemu-system-aarch64",
		.args = (const char *const[]){ "-M",
					       "virt,gic-version=3,dtb-randomness=off,memory-backend=ram",
					       "-cpu", "max,cntfrq=1000000000",
					       COMMON_ARGS, NULL },
		.clock = "CNTVCT_EL0",
	},
};

static int bare_probe(const struct target *t, const struct job *job, struct error *err)
{
	const struct bare_machine *m = &machines[t->arch];
	char path[PATH_MAX];
	size_t bytes;

	(void)job;
	if (!payload_find(t->arch, "null", &bytes))
		return error_set(
			err, -ENOENT,
			"this wsbench has no payloads for %s (make native builds for one architecture)",
			t->arch == ARCH_X86_64 ? "x86_64" : "aarch64");
	if (process_find(m->emulator, path))
		return error_set(err, -ENOENT, "%s is not installed", m->emulator);
	return 0;
}

static int bare_open(struct target *t, const struct job *job, struct error *err)
{
	const struct bare_machine *m = &machines[t->arch];
	struct state *s = calloc(1, sizeof(*s));

	(void)job;
	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	t->state = s;
	/* Not CLOEXEC: QEMU opens it by its number. */
	s->ram_fd = memfd_create("worldswitch-ram", 0);
	if (s->ram_fd < 0)
		return error_set(err, -errno, "memfd_create: %m");
	if (ftruncate(s->ram_fd, ABI_RAM_BYTES))
		return error_set(err, -errno, "cannot size guest memory: %m");
	s->ram = mmap(NULL, ABI_RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, s->ram_fd,
		      0);
	if (s->ram == MAP_FAILED) {
		s->ram = NULL;
		return error_set(err, -errno, "cannot map guest memory: %m");
	}
	process_version(m->emulator, "--version", s->version, sizeof(s->version));
	return 0;
}

static void bare_close(struct target *t)
{
	struct state *s = t->state;

	if (!s)
		return;
	if (s->ram)
		munmap(s->ram, ABI_RAM_BYTES);
	if (s->ram_fd >= 0)
		close(s->ram_fd);
	free(s);
	t->state = NULL;
}

static int bare_describe(struct target *t, struct result **out, struct error *err)
{
	struct result *r = *out;
	const struct bare_machine *m = &machines[t->arch];
	const struct state *s = t->state;

	r->target.name = result_string(r, t->name);
	r->target.kind = t->ops->kind;
	r->target.emulator = result_string(r, s->version);
	r->target.exact = t->exact;
	r->machine.pinned = -1;
	r->clock.name = m->clock;
	r->clock.hz = 1000000000; /* -icount shift=0: one instruction, one nanosecond */
	r->clock.unit = "insns";
	(void)err;
	return 0;
}

/* The image as an unnamed file for QEMU. */
static int image_file(const struct boot_request *rq, struct error *err)
{
	int fd = memfd_create("worldswitch-payload", 0);

	if (fd < 0)
		return error_set(err, -errno, "memfd_create: %m");
	if (write(fd, rq->image, rq->image_bytes) != (ssize_t)rq->image_bytes) {
		int rc = error_set(err, -EIO, "cannot write the payload to memory: %m");

		close(fd);
		return rc;
	}
	return fd;
}

/* If the guest did not start, the emulator's message is the reason. */
static void blame_emulator(int log_fd, struct boot_report *rep)
{
	char line[256];
	ssize_t got = pread(log_fd, line, sizeof(line) - 1, 0);

	line[got > 0 ? got : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (!rep->guest.magic && *line)
		boot_end(rep, BOOT_CRASH, "the emulator failed: %s", line);
}

/* Runs QEMU until it ends or is killed, and fills in `rep`. */
static int run_to_end(const char *const *argv, const struct state *s,
		      const struct boot_request *rq, struct boot_report *rep,
		      struct error *err)
{
	uint64_t timeout = rq->timeout_ns ? rq->timeout_ns : BOOT_TIMEOUT_NS;
	int log_fd = memfd_create("worldswitch-emulator", MFD_CLOEXEC);
	struct process child;
	int rc, status = 0;

	if (log_fd < 0)
		return error_set(err, -errno, "memfd_create: %m");
	rc = process_start(&child, &(struct process_start){
					   .argv = argv,
					   .fds = (int[]){ -1, log_fd, log_fd },
					   .n_fds = 3,
				   });
	if (rc) {
		close(log_fd);
		return error_set(err, rc, "cannot start %s: %s", argv[0], strerror(-rc));
	}
	rc = process_wait(&child, timeout, &status);
	process_stop(&child);
	if (rc == -ETIMEDOUT) {
		boot_end(rep, BOOT_CRASH, "the guest hung: no end after %.1f s",
			 (double)timeout / 1e9);
		rc = 0;
	} else if (rc == -EINTR) {
		error_set(err, rc, "interrupted");
	} else if (rc) {
		error_set(err, rc, "lost %s: %s", argv[0], strerror(-rc));
	} else if (WIFSIGNALED(status)) {
		boot_end(rep, BOOT_CRASH, "%s was killed by signal %d", argv[0],
			 WTERMSIG(status));
	} else {
		boot_harvest(s->ram, rq, rep);
		blame_emulator(log_fd, rep);
	}
	close(log_fd);
	return rc;
}

/* QEMU on the prepared memory. */
static int run_emulator(const struct bare_machine *m, const struct state *s, int image_fd,
			const struct boot_request *rq, struct boot_report *rep,
			struct error *err)
{
	const char *argv[64];
	char backend[128], image[64];
	size_t n = 0, i;

	snprintf(
		backend, sizeof(backend),
		"memory-backend-file,id=ram,size=%llu,mem-path=/proc/self/fd/%d,share=on",
		ABI_RAM_BYTES, s->ram_fd);
	snprintf(image, sizeof(image), "/proc/self/fd/%d", image_fd);
	argv[n++] = m->emulator;
	for (i = 0; m->args[i]; i++)
		argv[n++] = m->args[i];
	argv[n++] = "-object";
	argv[n++] = backend;
	argv[n++] = "-kernel";
	argv[n++] = image;
	argv[n] = NULL;
	return run_to_end(argv, s, rq, rep, err);
}

static int bare_boot(struct target *t, const struct boot_request *rq,
		     struct boot_report *rep, struct error *err)
{
	const struct bare_machine *m = &machines[t->arch];
	struct state *s = t->state;
	struct abi_params params = rq->params;
	int image_fd, rc;

	boot_report_init(rep);
	if (rq->bench->needs & NEEDS_HYPERVISOR) {
		boot_end(rep, BOOT_SKIP, "needs a hypervisor: target bare has none");
		return 0;
	}
	if (strcmp(rq->config->name, "default")) {
		boot_end(rep, BOOT_SKIP, "needs a VM to configure: target bare has none");
		return 0;
	}
	params.magic = ABI_MAGIC;
	params.version = ABI_VERSION;
	params.flags = ABI_FLAG_PMU;
	/* Frees the pages of the previous boot: the memory reads as zero. */
	if (madvise(s->ram, ABI_RAM_BYTES, MADV_REMOVE))
		return error_set(err, -errno, "cannot clear guest memory: %m");
	memcpy(s->ram + ABI_PAGE_OFFSET, &params, sizeof(params));
	image_fd = image_file(rq, err);
	if (image_fd < 0)
		return image_fd;
	rc = run_emulator(m, s, image_fd, rq, rep, err);
	close(image_fd);
	return rc;
}

const struct target_ops target_bare_ops = {
	.kind = "bare",
	.probe = bare_probe,
	.open = bare_open,
	.describe = bare_describe,
	.boot = bare_boot,
	.close = bare_close,
};
