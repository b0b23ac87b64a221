/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wsbench run --runs N --resume DIR`: a set of runs that goes on after an interruption
 * or a reboot. The folder is the state: TARGET-1.json ... TARGET-N.json.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/cli/documents.h"
#include "host/cli/run.h"
#include "host/cli/cli.h"
#include "host/env/env.h"

/* Options that change figures, or what they are figures of. */
static const char *const options[] = {
	"--boots",   "--decide", "--budget",  "--events", "--cpu",
	"--payload", "--kernel", "--modules", "--append", "--emulator",
	"--label",   "--commit", "--vcpus",   "--vms",	  NULL,
};

static int is_other(struct error *err, const char *what, const char *was, const char *is)
{
	return error_set(err, -EINVAL, "%s %s there, %s now", what, was ? was : "none",
			 is ? is : "none");
}

/* Whether the run ended with 0: what failed or measured nothing is measured again. */
static bool is_done(const struct result *r)
{
	return !r->run.partial && !result_count(r, RESULT_FAIL) &&
	       result_count(r, RESULT_OK);
}

static int check_options(const struct run *run, const struct result *r, struct error *err)
{
	for (size_t i = 0; options[i]; i++) {
		const char *was =
			documents_option(r->run.argv, r->run.n_argv, options[i]);
		const char *is = documents_option((const char *const *)run->argv,
						  (size_t)run->argc, options[i]);

		if ((was || is) && (!was || !is || strcmp(was, is) != 0))
			return is_other(err, options[i], was, is);
	}
	return 0;
}

/* Of this program, and with or without host counters, which add to entries and exits. */
static int check_tool(const struct run *run, const struct result *r, struct error *err)
{
	bool counted = false;

	for (size_t i = 0; i < r->n_benchmarks; i++)
		counted |= r->benchmarks[i].host_counters.source != NULL;
	if (result_count(r, RESULT_OK) && counted != run->job.host_counters)
		return is_other(err, "--host-counters", counted ? "given" : NULL,
				run->job.host_counters ? "given" : NULL);
	if (run->any_tool || (!strcmp(r->run.tool_version, version_text()) &&
			      !strcmp(r->run.tool_commit, version_commit()) &&
			      r->run.tool_dirty == version_dirty()))
		return 0;
	return error_set(err, -EINVAL,
			 "wsbench %s (%s%s) there, %s (%s%s) now (--any-tool goes on)",
			 r->run.tool_version, r->run.tool_commit,
			 r->run.tool_dirty ? ", changed" : "", version_text(),
			 version_commit(), version_dirty() ? ", changed" : "");
}

/* The rows of the job, and no others. */
static int check_rows(const struct run *run, const struct target *t,
		      const struct result *r, struct error *err)
{
	struct plan plan;
	size_t n = 0;
	int rc = plan_make(&run->job, t, &plan, err);

	for (size_t i = 0; !rc && i < plan.n_rows; i++)
		for (size_t k = 0; !rc && k < plan.rows[i].n_configs; k++, n++) {
			char config[PLAN_CONFIG_BYTES];

			plan_config_name(&plan.rows[i].scale, plan.rows[i].configs[k],
					 config);
			if (!result_find(r, plan.rows[i].bench->id, config))
				rc = error_set(err, -EINVAL, "without %s [%s]",
					       plan.rows[i].bench->id, config);
		}
	if (!rc && n != r->n_benchmarks)
		rc = error_set(err, -EINVAL, "%zu rows there, %zu now", r->n_benchmarks,
			       n);
	plan_free(&plan);
	return rc;
}

/* The first run of a target that is done, except one; NULL: there is none. */
static struct result *first_done(const struct run *run, const char *target,
				 uint32_t except)
{
	for (uint32_t k = 1; k <= run->runs; k++) {
		char *path = run_path(run->resume, target, k);
		struct result *r = NULL;
		struct error err;
		bool there = k != except && !access(path, F_OK) &&
			     !result_read(path, &r, &err);

		free(path);
		if (there && is_done(r))
			return r;
		if (there)
			result_free(r);
	}
	return NULL;
}

static int check_equal(struct error *err, const char *what, const char *a, const char *b)
{
	if (!strcmp(a ? a : "none", b ? b : "none"))
		return 0;
	return error_set(err, -EINVAL, "%s %s, and %s in another run there", what,
			 a ? a : "none", b ? b : "none");
}

/*
 * One emulator and one kernel for all runs of a target that is emulated: which ones a
 * series of kernels and the defaults mean is known when they have booted.
 */
static int check_emulated(const struct run *run, const struct result *r, uint32_t which,
			  struct error *err)
{
	struct result *first;
	int rc;

	if (!strcmp(r->target.kind, "kvm") || !is_done(r))
		return 0;
	first = first_done(run, r->target.name, which);
	if (!first)
		return 0;
	rc = check_equal(err, "emulator", r->target.emulator, first->target.emulator);
	if (!rc)
		rc = check_equal(err, "Linux", r->subject.kernel, first->subject.kernel);
	if (!rc)
		rc = check_equal(err, "Linux below it", r->subject.kernel_below,
				 first->subject.kernel_below);
	result_free(first);
	return rc;
}

int run_resume_fits(const struct run *run, const struct result *r, struct error *err)
{
	return check_emulated(run, r, run->which, err);
}

/* Of this machine and kernel. */
static int check_host(const struct run *run, const struct result *r, struct error *err)
{
	struct result *here = result_new();
	struct utsname u;
	int rc = 0;

	env_machine(here);
	if (strcmp(here->machine.fingerprint, r->machine.fingerprint) != 0)
		rc = is_other(err, "machine", r->machine.fingerprint,
			      here->machine.fingerprint);
	else if (!run->any_kernel && !uname(&u) && r->subject.kernel &&
		 strcmp(u.release, r->subject.kernel) != 0)
		rc = error_set(err, -EINVAL,
			       "Linux %s there, %s now (--any-kernel goes on)",
			       r->subject.kernel, u.release);
	result_free(here);
	return rc;
}

static int check_run(const struct run *run, const struct target *t,
		     const struct result *r, uint32_t which, struct error *err)
{
	int rc = strcmp(r->target.name, t->name) != 0
			 ? is_other(err, "target", r->target.name, t->name)
			 : check_options(run, r, err);

	if (!rc)
		rc = check_rows(run, t, r, err);
	if (!rc)
		rc = check_tool(run, r, err);
	if (!rc)
		rc = check_emulated(run, r, which, err);
	if (!rc && !strcmp(t->ops->kind, "kvm"))
		rc = check_host(run, r, err);
	return rc;
}

/*
 * 1: the run of this number is done; 0: it is missing, or `*failed`; -EINVAL after a
 * message.
 */
static int find_run(const struct run *run, const struct target *t, uint32_t which,
		    bool *failed)
{
	struct error err;
	struct result *r;
	char *path = run_path(run->resume, t->name, which);
	int rc = access(path, F_OK) ? 0 : 1;

	*failed = false;
	if (rc && result_read(path, &r, &err)) {
		message_error("%s", err.text);
		rc = -EINVAL;
	} else if (rc) {
		/* What an interrupted run left is of any job. */
		if (!r->run.partial && check_run(run, t, r, which, &err)) {
			rc = -EINVAL;
			message_usage("wsbench run",
				      "--resume: %s is a run of another job: %s", path,
				      err.text);
		} else {
			rc = is_done(r);
			*failed = !rc && !r->run.partial;
		}
		result_free(r);
	}
	free(path);
	return rc;
}

enum cli_exit run_resume_check(const struct run *run)
{
	for (size_t i = 0; i < run->targets.n; i++) {
		const struct target *t = names_target(run->targets.names[i]);
		uint32_t done = 0, again = 0;

		for (uint32_t k = 1; k <= run->runs; k++) {
			bool failed;
			int rc = find_run(run, t, k, &failed);

			if (rc < 0)
				return CLI_USAGE;
			done += rc > 0;
			again += failed;
		}
		if (again)
			message_info(
				run->common.quiet,
				"%s: %u of %u runs on %s are done, %u failed and are made again",
				run->resume, done, run->runs, t->name, again);
		else
			message_info(run->common.quiet,
				     "%s: %u of %u runs on %s are done", run->resume,
				     done, run->runs, t->name);
	}
	return CLI_OK;
}

void run_resume_missing(const struct run *run, uint32_t which, struct names_list *missing)
{
	bool failed;

	missing->n = 0;
	missing->names = calloc(run->targets.n + 1, sizeof(*missing->names));
	if (!missing->names)
		abort();
	for (size_t i = 0; i < run->targets.n; i++)
		if (!find_run(run, names_target(run->targets.names[i]), which, &failed))
			missing->names[missing->n++] = run->targets.names[i];
}
