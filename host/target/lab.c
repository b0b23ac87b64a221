/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Targets `lab:*`: a job runs on Linux and KVM inside an emulated machine. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/lab/fail.h"
#include "host/lab/file.h"
#include "host/lab/emulator.h"
#include "host/lab/initramfs.h"
#include "host/lab/kernel.h"
#include "host/lab/machine.h"
#include "host/lab/module.h"
#include "host/lab/session.h"
#include "host/result/result.h"
#include "host/target/emulator.h"
#include "host/target/target.h"

struct lab_state {
	const struct lab_machine *machine;
	char emulator[PATH_MAX];
	struct lab_kernel kernel;
	char *append; /* NULL: none */
	char *plugin; /* NULL: none */
	int plugin_fd;
	struct lab_modules modules;
	uint8_t *program; /* the wsbench that runs inside */
	size_t program_bytes;
	uint8_t *payload; /* the user's own; NULL: none */
	size_t payload_bytes;
};

static int find_kernel(struct lab_state *s, const struct target_options *opt,
		       struct target_error *err)
{
	int ret = lab_kernel_find(s->machine->arch, opt->kernel, opt->modules, &s->kernel,
				  err);

	/* A kernel of the user's without a folder of modules has KVM built in. */
	if (!ret && s->machine->module && s->kernel.modules[0])
		ret = lab_modules_read(s->kernel.modules, s->machine->module, &s->modules,
				       err);
	if (!ret && s->machine->arch == ARCH_AARCH64 && s->kernel.modules[0])
		ret = lab_modules_read_optional(s->kernel.modules, LAB_PASSTHROUGH_MODULE,
						&s->modules, err);
	/* What the user named and cannot be used is bad input. */
	return ret && (opt->kernel || opt->modules) ? -ENOEXEC : ret;
}

static int fill(struct lab_state *s, const struct target *t,
		const struct target_options *opt, struct target_error *err)
{
	char program[PATH_MAX];
	int ret;

	s->machine = t->config ? t->config : lab_machine_find(strchr(t->name, ':') + 1);
	if (!s->machine)
		return lab_fail(err, -EINVAL, "%s: there is no such machine", t->name);
	ret = lab_find_in_path(s->machine->program, s->emulator, err);
	if (!ret)
		ret = find_kernel(s, opt, err);
	if (!ret)
		ret = lab_find_program(s->machine->arch, program, err);
	if (!ret)
		ret = lab_file_read(program, "the lab's wsbench", &s->program,
				    &s->program_bytes, err);
	if (!ret && opt->payload)
		ret = lab_file_read(opt->payload, "payload", &s->payload,
				    &s->payload_bytes, err);
	if (!ret && opt->append) {
		s->append = strdup(opt->append);
		if (!s->append)
			ret = lab_fail(err, -ENOMEM, "out of memory");
	}
	s->plugin_fd = -1;
	if (!ret && opt->plugin) {
		s->plugin = strdup(opt->plugin);
		s->plugin_fd = opt->plugin_fd;
		if (!s->plugin)
			ret = lab_fail(err, -ENOMEM, "out of memory");
	}
	return ret;
}

static void lab_close(struct target *t)
{
	struct lab_state *s = t->state;

	if (!s)
		return;
	lab_modules_free(&s->modules);
	free(s->program);
	free(s->payload);
	free(s->append);
	free(s->plugin);
	free(s);
	t->state = NULL;
}

static int lab_open(struct target *t, const struct target_options *opt,
		    struct target_error *err)
{
	t->state = calloc(1, sizeof(struct lab_state));
	if (!t->state)
		return lab_fail(err, -ENOMEM, "out of memory");
	return fill(t->state, t, opt, err);
}

/* All that open() needs: what cannot be opened cannot run. */
static int lab_probe(const struct target *t, const struct target_options *opt,
		     struct target_error *err)
{
	struct target trial = *t;
	int ret = lab_open(&trial, opt, err);

	lab_close(&trial);
	return ret;
}

/* The initramfs of this job as an unnamed file, or a negative errno. */
static int initramfs_open(const struct lab_state *s, const struct target_job *job,
			  struct target_error *err)
{
	struct lab_initramfs what = {
		.program = s->program,
		.program_bytes = s->program_bytes,
		.modules = &s->modules,
		.payload = s->payload,
		.payload_bytes = s->payload_bytes,
	};
	struct lab_cpio archive = { .data = NULL };
	char *text = NULL;
	int ret = lab_job_encode(job, s->payload, &text, &what.job_bytes);

	what.job = text;
	if (!ret)
		ret = lab_initramfs_build(&what, &archive);
	if (!ret)
		ret = lab_memory_file("worldswitch-initramfs", archive.data,
				      archive.bytes);
	free(text);
	free(archive.data);
	return ret >= 0 ? ret
			: lab_fail(err, ret, "cannot build the lab's initramfs: %s",
				   strerror(-ret));
}

static int lab_delegate(struct target *t, const struct target_job *job,
			const struct target_sink *sink, struct target_error *err)
{
	const struct lab_state *s = t->state;
	struct lab_boot boot = {
		.program = s->emulator,
		.kernel = s->kernel.image,
		.append = s->append,
		.plugin = s->plugin,
		.plugin_fd = s->plugin_fd,
		.initramfs = initramfs_open(s, job, err),
	};
	struct lab_command cmd;
	int ret;

	if (boot.initramfs < 0)
		return boot.initramfs;
	ret = s->machine->emulator->command(s->machine, &boot, &cmd, err);
	if (!ret)
		ret = lab_session_run(t->name, &cmd, sink, err);
	lab_command_free(&cmd);
	close(boot.initramfs);
	return ret;
}

/* What the program inside cannot know: where it is. */
static void lab_describe(const struct target *t, struct result *r)
{
	const struct lab_state *s = t->state;
	char version[4096];

	emulator_version(s->machine->program, s->machine->emulator->version_option,
			 version, sizeof(version));
	r->target.name = result_string(r, t->name);
	r->target.kind = t->ops->kind;
	r->target.emulator = result_string(r, version);
}

static const void *lab_program(const struct target *t, size_t *bytes)
{
	const struct lab_state *s = t->state;

	*bytes = s->program_bytes;
	return s->program;
}

const struct target_ops target_lab_ops = {
	.kind = "lab",
	.probe = lab_probe,
	.open = lab_open,
	.describe = lab_describe,
	.delegate = lab_delegate,
	.program = lab_program,
	.close = lab_close,
};
