/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench run` inside a lab's machine: the document goes out over the wire. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/run.h"
#include "host/env/checks.h"
#include "host/env/fingerprint.h"
#include "host/lab/wire.h"

/* Instructions, which are nanoseconds there: 2 s are more than any boot takes. */
#define LAB_BOOT_TIMEOUT_NS 2000000000ull

struct sending {
	struct lab_wire *wire;
	const struct run *run;
};

static void send_progress(void *ctx, const char *text)
{
	struct sending *s = ctx;

	lab_wire_progress(s->wire, text);
}

static int send_header(void *ctx, const struct result *r)
{
	struct sending *s = ctx;
	struct result header = *r;
	char *json;
	int rc;

	header.benchmarks = NULL;
	header.n_benchmarks = 0;
	json = result_dump(&header);
	rc = lab_wire_header(s->wire, json, strlen(json));
	free(json);
	return rc;
}

static int send_benchmark(void *ctx, const struct result *r,
			  const struct result_benchmark *b)
{
	struct sending *s = ctx;
	char *json = result_benchmark_dump(b);
	int rc = lab_wire_benchmark(s->wire, json, strlen(json));

	(void)r;
	free(json);
	return rc;
}

/* As on any machine, but for the clock, which counts instructions. */
static void describe(const struct target *t, struct result *r)
{
	target_kvm_ops.describe(t, r);
	r->clock.hz = 1000000000;
	env_machine(r);
	env_checks(r);
	r->machine.pinned = -1;
}

static int measure(const struct run *run, struct lab_wire *wire)
{
	const struct target *row = names_target("kvm");
	struct target_ops ops = *row->ops;
	struct target t = *row;
	struct sending sending = { wire, run };
	const struct measure_watch watch = { &sending, send_progress, send_header,
					     send_benchmark, NULL };
	struct target_error err = { "" };
	struct result *r = NULL;
	int rc;

	ops.describe = describe;
	t.ops = &ops;
	t.exact = true;
	target_exact_defaults(&t);
	rc = t.ops->open(&t, &run->request.options, &err);
	if (!rc)
		rc = measure_run(&t, &run->request, &watch, &r, &err);
	t.ops->close(&t);
	if (r)
		result_free(r);
	if (rc)
		lab_wire_failure(wire, err.text);
	return rc ? CLI_FAILED : CLI_OK;
}

int cmd_run_in_lab(int argc, char **argv, struct lab_wire *wire)
{
	struct run run;
	enum cli_exit code;
	bool go;

	if (argc > 1 && !strcmp(argv[1], "selftest"))
		return cmd_selftest_in_lab(argc - 1, argv + 1, wire);
	/* argv[0] is the program here, and the command's name for every command. */
	code = run_parse(&run, argc - 1, argv + 1, &go);
	if (code == CLI_OK && go) {
		if (!run.request.options.timeout_ns)
			run.request.options.timeout_ns = LAB_BOOT_TIMEOUT_NS;
		code = measure(&run, wire);
	} else {
		lab_wire_failure(wire, "the job's command line does not parse");
	}
	run_free(&run);
	return code;
}
