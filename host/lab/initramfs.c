/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The content of a lab's initramfs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lab/initramfs.h"

int lab_initramfs_build(const struct lab_initramfs *what, struct lab_cpio *out)
{
	char order[LAB_MODULES_MAX * (sizeof(what->modules->list[0].name) + 1) + 1] = "";

	lab_cpio_dir(out, "dev");
	lab_cpio_chardev(out, "dev/console", 0600, 5, 1);
	lab_cpio_dir(out, "proc");
	lab_cpio_dir(out, "sys");
	lab_cpio_dir(out, "tmp");
	lab_cpio_dir(out, LAB_MODULES_PATH);
	for (size_t i = 0; i < what->modules->n; i++) {
		const struct lab_module *m = &what->modules->list[i];
		char path[sizeof(LAB_MODULES_PATH) + sizeof(m->name) + 4];

		snprintf(path, sizeof(path), "%s/%s.ko", LAB_MODULES_PATH, m->name);
		lab_cpio_file(out, path, 0644, m->data, m->bytes);
		if (m->optional)
			continue;
		strcat(order, m->name);
		strcat(order, "\n");
	}
	lab_cpio_file(out, LAB_ORDER_PATH, 0644, order, strlen(order));
	lab_cpio_file(out, LAB_JOB_PATH, 0644, what->job, what->job_bytes);
	if (what->payload)
		lab_cpio_file(out, LAB_PAYLOAD_PATH, 0644, what->payload,
			      what->payload_bytes);
	lab_cpio_file(out, "init", 0755, what->program, what->program_bytes);
	return lab_cpio_end(out);
}

static void put(FILE *f, const char *word)
{
	fwrite(word, strlen(word) + 1, 1, f);
}

static void put_list(FILE *f, const char *option, const char *const *list, size_t n)
{
	if (!n)
		return;
	put(f, option);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s%s", i ? "," : "", list[i]);
	fputc('\0', f);
}

static void put_number(FILE *f, const char *option, uint64_t number)
{
	if (!number)
		return;
	put(f, option);
	fprintf(f, "%" PRIu64, number);
	fputc('\0', f);
}

static void put_run(FILE *f, const struct target_job *job, bool payload)
{
	put(f, "run");
	put(f, "--on");
	put(f, "kvm");
	put_list(f, "--bench", job->benches, job->n_benches);
	put_list(f, "--config", job->configs, job->n_configs);
	put_number(f, "--boots", job->boots);
	put_number(f, "--events", job->events);
	put_number(f, "--seed", job->seed);
	put_number(f, "--timeout", job->timeout_ns / 1000000000u);
	if (job->host_counters)
		put(f, "--host-counters");
	if (payload) {
		put(f, "--payload");
		put(f, "/" LAB_PAYLOAD_PATH);
	}
}

/* Another command than `run`: its name, and what it is given. */
static void put_command(FILE *f, const struct target_job *job)
{
	put(f, job->command);
	for (size_t i = 0; i < job->n_benches; i++)
		put(f, job->benches[i]);
}

int lab_job_encode(const struct target_job *job, bool payload, char **text, size_t *bytes)
{
	FILE *f = open_memstream(text, bytes);
	bool failed;

	if (!f)
		return -ENOMEM;
	put(f, "wsbench");
	if (job->command)
		put_command(f, job);
	else
		put_run(f, job, payload);
	failed = ferror(f);
	if (fclose(f) || failed) {
		free(*text);
		return -ENOMEM;
	}
	return 0;
}
