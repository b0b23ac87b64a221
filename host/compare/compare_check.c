/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether two documents can be compared, and remarks on the comparison. */
#include "host/compare/compare_rules.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_config(const struct result *r, const char *config)
{
	for (size_t i = 0; i < r->n_benchmarks; i++)
		if (!strcmp(r->benchmarks[i].config, config))
			return true;
	return false;
}

/* The configs of a document, as far as the text has room: "default, pmu-off". */
static void list_configs(const struct result *r, char *text, size_t room)
{
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < r->n_benchmarks && used < room; i++) {
		const char *config = r->benchmarks[i].config;
		size_t k = 0;

		while (k < i && strcmp(r->benchmarks[k].config, config) != 0)
			k++;
		if (k == i && used + strlen(config) + 3 < room)
			used += (size_t)snprintf(text + used, room - used, "%s%s",
						 used ? ", " : "", config);
	}
}

static int no_config(const struct result *r, const char *config, struct error *err)
{
	char configs[256];

	list_configs(r, configs, sizeof(configs));
	return error_set(err, -EINVAL, "no benchmark has config '%s' (has: %s)", config,
			 configs);
}

/* Two known values that differ. */
static bool differ(const char *a, const char *b)
{
	return a && b && strcmp(a, b) != 0;
}

static bool is_equal(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

/*
 * The machine of a lab is its emulator's: what the kernel in it makes known of the CPU,
 * such as the microcode's revision, is not a property of the machine.
 */
static bool is_one_machine(const struct result *base, const struct result *new)
{
	const struct result_machine *a = &base->machine, *b = &new->machine;

	if (is_equal(a->fingerprint, b->fingerprint))
		return true;
	if (!base->target.exact || !new->target.exact || !base->target.emulator ||
	    !is_equal(base->target.emulator, new->target.emulator))
		return false;
	return is_equal(a->arch, b->arch) && is_equal(a->cpu_model, b->cpu_model) &&
	       a->cpus == b->cpus;
}

void compare_drop_hint(char *message)
{
	char *hint = strstr(message, " (--across ");

	if (hint)
		*hint = '\0';
}

static int machines_differ(const struct result *base, const struct result *new,
			   struct error *err)
{
	const struct result_machine *a = &base->machine, *b = &new->machine;
	const char *was = a->cpu_model ? a->cpu_model : "?";
	const char *is = b->cpu_model ? b->cpu_model : "?";
	const char *hint = "(--across machines compares them)";

	if (!is_equal(was, is))
		return error_set(err, -EINVAL, "different machines, %s and %s %s", was,
				 is, hint);
	if (!is_equal(a->microcode, b->microcode))
		return error_set(err, -EINVAL,
				 "different machines: %s with microcode %s and %s %s",
				 was, a->microcode ? a->microcode : "unknown",
				 b->microcode ? b->microcode : "unknown", hint);
	if (a->cpus != b->cpus)
		return error_set(err, -EINVAL,
				 "different machines: %s with %u and %u CPUs %s", was,
				 a->cpus, b->cpus, hint);
	return error_set(err, -EINVAL, "different machines, %s and %s, both %s %s",
			 a->fingerprint, b->fingerprint, was, hint);
}

/* A clock that steps less often than this, or than 2^32 ticks, times no exit. */
#define STEP_MAX_S 0.001

static int check_clock(const struct result *r, struct error *err)
{
	double step = (double)r->clock.resolution, hz = (double)r->clock.hz;

	if (hz > 0 ? step / hz < STEP_MAX_S : step < 4294967296.0)
		return 0;
	return error_set(
		err, -EINVAL,
		"the run %s is invalid: its clock advances in steps of %.3g %s, so that its figures say nothing",
		r->run.id ? r->run.id : "without an id", step,
		r->clock.unit ? r->clock.unit : "ticks");
}

/* A run that counts twice would make the noise between runs too small. */
int compare_check_runs(const struct runs *runs, struct error *err)
{
	size_t n = runs->n[0] + runs->n[1];

	for (size_t i = 0; i < n; i++) {
		const struct result *a =
			i < runs->n[0] ? runs->docs[0][i] : runs->docs[1][i - runs->n[0]];
		int rc = a->target.exact ? 0 : check_clock(a, err);

		if (rc)
			return rc;
		for (size_t k = 0; k < i && n > 2; k++) {
			const struct result *b = k < runs->n[0]
							 ? runs->docs[0][k]
							 : runs->docs[1][k - runs->n[0]];

			if (a == b ||
			    (a->run.id && b->run.id && !strcmp(a->run.id, b->run.id)))
				return error_set(err, -EINVAL,
						 "the run %s is given twice",
						 a->run.id ? a->run.id : "without an id");
		}
	}
	return 0;
}

int compare_check_kind(const struct result *base, const struct result *new,
		       const struct compare_options *o, struct error *err)
{
	unsigned int machines = COMPARE_ACROSS_MACHINES | COMPARE_ACROSS_TARGETS;

	for (int i = 0; i < 2; i++) {
		const struct result *r = i ? new : base;

		if (result_failure(r) && !result_count(r, RESULT_OK))
			return error_set(
				err, -EINVAL,
				"nothing was measured in %s: the target failed: %s",
				i ? "new" : "base", result_failure(r));
	}
	for (int i = 0; i < 2; i++)
		if (o->config[i] && !has_config(i ? new : base, o->config[i]))
			return no_config(i ? new : base, o->config[i], err);
	if (!(o->across & COMPARE_ACROSS_TARGETS) &&
	    strcmp(base->target.name, new->target.name) != 0)
		return error_set(
			err, -EINVAL,
			"different targets, %s and %s (--across targets compares them)",
			base->target.name, new->target.name);
	/* The emulator is part of the fingerprint: the cause comes first. */
	if (!(o->across & machines) &&
	    differ(base->target.emulator, new->target.emulator))
		return error_set(
			err, -EINVAL,
			"different emulators, %s and %s (--across machines compares them)",
			base->target.emulator, new->target.emulator);
	if (!(o->across & machines) && !is_one_machine(base, new))
		return machines_differ(base, new, err);
	return 0;
}

static bool names_a_row(const struct compare *c, const char *pattern)
{
	for (size_t i = 0; i < c->n_rows; i++)
		if (result_bench_matches(pattern, c->rows[i].name))
			return true;
	return false;
}

static bool has_benchmark(const struct result *r, const struct threshold *t)
{
	for (size_t i = 0; i < r->n_benchmarks; i++)
		if (threshold_names(t, r->benchmarks[i].name))
			return true;
	return false;
}

int compare_check_thresholds(const struct compare *c, const struct compare_options *o,
			     struct error *err)
{
	for (size_t i = 0; i < o->n_thresholds; i++) {
		const struct threshold *t = &o->thresholds[i];

		if (!threshold_names_any(t) && !has_benchmark(c->base, t) &&
		    !has_benchmark(c->new, t))
			return error_set(err, -EINVAL,
					 "--threshold %s: no benchmark matches '%s'",
					 t->text, t->pattern);
	}
	return 0;
}

static bool is_metric_of_a_row(const struct compare *c, const char *metric)
{
	for (size_t i = 0; i < c->n_rows; i++)
		if (!strcmp(c->rows[i].metric, metric))
			return true;
	return false;
}

int compare_check_rows(const struct compare *c, const struct compare_options *o,
		       struct error *err)
{
	for (size_t i = 0; i < o->n_benches; i++)
		if (!names_a_row(c, o->benches[i]))
			return error_set(err, -EINVAL, "no benchmark matches '%s'",
					 o->benches[i]);
	for (size_t i = 0; i < o->n_metrics; i++)
		if (!is_metric_of_a_row(c, o->metrics[i]))
			return error_set(err, -EINVAL, "no benchmark has the metric '%s'",
					 o->metrics[i]);
	if (!c->n_rows)
		return error_set(err, -EINVAL, "the document has no benchmark");
	for (size_t i = 0; i < c->n_rows && !(o->across & COMPARE_ACROSS_UNITS); i++) {
		const struct compare_row *row = &c->rows[i];

		if (row->base.metric &&
		    row->new.metric &&strcmp(row->base.metric->unit,
					     row->new.metric->unit) != 0)
			return error_set(
				err, -EINVAL,
				"%s: different units, %s and %s (--across units shows them)",
				row->name, row->base.metric->unit, row->new.metric->unit);
	}
	return 0;
}

static void note(struct compare *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void note(struct compare *c, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	for (size_t i = 0; i < c->n_notes; i++) {
		if (!strcmp(c->notes[i], text)) {
			free(text);
			return;
		}
	}
	c->notes = reallocarray(c->notes, c->n_notes + 1, sizeof(*c->notes));
	if (!c->notes)
		abort();
	c->notes[c->n_notes++] = text;
}

static const char *shown(const char *value)
{
	return value ? value : "unknown";
}

/* Older kernels print the empty list of nohz_full as "(null)". */
static const char *setting(const struct result_check *check)
{
	const char *value = shown(check->value);

	return !strcmp(value, "(null)") ? "none" : value;
}

/* The value of the word "NAME=" in a list of words, or NULL. */
static const char *value_in(const char *list, const char *name, size_t n, size_t *bytes)
{
	for (const char *w = list; *w; w += strspn(w, " ")) {
		size_t length = strcspn(w, " ");

		if (length > n && !strncmp(w, name, n) && w[n] == '=') {
			*bytes = length - n - 1;
			return w + n + 1;
		}
		w += length;
	}
	return NULL;
}

/* Whether a text is words of the form "NAME=VALUE". */
static bool is_assignments(const char *text)
{
	bool any = false;

	for (const char *w = text; *w; w += strspn(w, " ")) {
		size_t length = strcspn(w, " ");

		if (!memchr(w, '=', length))
			return false;
		any = true;
		w += length;
	}
	return any;
}

/* "enable_mediated_pmu - to N, avic N to Y": the words that differ. */
static void print_words(FILE *f, const char *was, const char *is)
{
	const char *lists[2] = { was, is };
	bool first = true;

	for (size_t side = 0; side < 2; side++)
		for (const char *w = lists[side]; *w; w += strspn(w, " ")) {
			size_t length = strcspn(w, " "), name = strcspn(w, "="), a = 0,
			       b = 0;
			const char *before = value_in(was, w, name, &a);
			const char *after = value_in(is, w, name, &b);

			w += length;
			/* A word of both was printed for the first list. */
			if ((side && before) ||
			    (before && after && a == b && !memcmp(before, after, a)))
				continue;
			fprintf(f, "%s%.*s %.*s to %.*s", first ? "" : ", ", (int)name,
				w - length, before ? (int)a : 4, before ? before : "none",
				after ? (int)b : 4, after ? after : "none");
			first = false;
		}
}

static void note_setting(struct compare *c, const char *id, const char *was,
			 const char *is)
{
	char *words = NULL;
	size_t bytes;
	FILE *f;

	if (!is_assignments(was) || !is_assignments(is)) {
		note(c, "The setting %s differs: %s in base, %s in new.", id, was, is);
		return;
	}
	f = open_memstream(&words, &bytes);
	if (!f)
		abort();
	print_words(f, was, is);
	if (fclose(f))
		abort();
	/* Empty: the same words in another order. */
	if (*words)
		note(c, "The setting %s differs: %s.", id, words);
	free(words);
}

static void note_settings(struct compare *c)
{
	for (size_t i = 0; i < c->base->n_checks; i++) {
		const struct result_check *a = &c->base->checks[i];

		/* The load differs between any two runs. */
		if (!strcmp(a->id, "load"))
			continue;
		for (size_t k = 0; k < c->new->n_checks; k++) {
			const struct result_check *b = &c->new->checks[k];

			if (!strcmp(a->id, b->id) && strcmp(setting(a), setting(b)) != 0)
				note_setting(c, a->id, setting(a), setting(b));
		}
	}
}

static void note_tools(struct compare *c)
{
	const struct result_run *a = &c->base->run, *b = &c->new->run;
	const char *commits[2] = { shown(a->tool_commit), shown(b->tool_commit) };

	if (!a->tool_version || !b->tool_version)
		return;
	if (strcmp(a->tool_version, b->tool_version) != 0 ||
	    strcmp(commits[0], commits[1]) != 0)
		note(c,
		     "Measured by different builds of wsbench, %s (%s) and %s (%s): the code of the guest can differ.",
		     a->tool_version, commits[0], b->tool_version, commits[1]);
}

static void note_emulators(struct compare *c)
{
	if (differ(c->base->target.emulator, c->new->target.emulator))
		note(c,
		     "Measured on different emulators, %s in base and %s in new: a difference can be that of the emulators.",
		     c->base->target.emulator, c->new->target.emulator);
}

static void note_rejected(struct compare *c, const char *word, bool new)
{
	size_t boots = 0, valid = 0;

	for (size_t i = 0; i < c->n_rows; i++) {
		const struct compare_side *s = new ? &c->rows[i].new : &c->rows[i].base;

		boots += s->metric ? s->all_boots : 0;
		valid += s->metric ? s->boots : 0;
	}
	if (valid < boots)
		note(c, "%zu of %zu boots of %s were rejected and are not compared.",
		     boots - valid, boots, word);
}

static void note_document(struct compare *c, const char *word, const struct result *r)
{
	if (result_failure(r))
		note(c, "The target of %s failed: %s.", word, result_failure(r));
	else if (r->run.partial)
		note(c, "The run of %s ended early.", word);
	if (r->target.hypervisor && !strcmp(r->target.hypervisor, "software"))
		note(c,
		     "Measured on a software KVM: the figures are not those of hardware.");
}

/* Documents of one side should be runs of one thing. */
static void note_kernels(struct compare *c, const char *word, int side)
{
	for (size_t k = 1; k < c->runs.n[side]; k++) {
		const struct result *a = c->runs.docs[side][0],
				    *b = c->runs.docs[side][k];

		if (!is_equal(a->subject.kernel, b->subject.kernel) ||
		    !is_equal(a->subject.label, b->subject.label) ||
		    !is_equal(a->subject.commit, b->subject.commit))
			note(c,
			     "The runs of %s are not of one kernel: %s%s%s and %s%s%s. What differs between them counts as noise.",
			     word, shown(a->subject.kernel), a->subject.label ? " " : "",
			     a->subject.label ? a->subject.label : "",
			     shown(b->subject.kernel), b->subject.label ? " " : "",
			     b->subject.label ? b->subject.label : "");
	}
}

static double percent_of(double sd)
{
	return 100 * (exp(sd) - 1);
}

static void note_runs(struct compare *c)
{
	const struct runs *r = &c->runs;

	/* A few rows do not show which part they have in common. */
	if (r->own.df > 0)
		note(c,
		     "%zu runs of base and %zu of new: the runs are compared, not their boots. From run to run, all rows together differ by %.2g %% (standard deviation), and a typical row differs by %.2g %% more on its own.",
		     r->n[0], r->n[1], percent_of(sqrt(r->variance)),
		     percent_of(sqrt(r->own.variance)));
	else
		note(c,
		     "%zu runs of base and %zu of new: the runs are compared, not their boots.",
		     r->n[0], r->n[1]);
	if (r->blocks)
		note(c,
		     "All runs of one side were made before those of the other: a slow change of the machine looks like a difference, so that rows are `worse?` or `better?` at most. For a verdict, make the runs in turns: base, new, base, new, ...");
	note_kernels(c, "base", 0);
	note_kernels(c, "new", 1);
}

/* Pairs need fewer boots than runs need, above all with few rows. */
#define FEW_ROWS 5

/* Noise leaves the row open, not the clock. */
static bool is_open(const struct compare_row *row)
{
	return row->verdict == COMPARE_INCONCLUSIVE && !row->by_clock;
}

/* "--bench a,b " of the rows that are open, or nothing if they are many. free() it. */
static char *benches_of_open(const struct compare *c)
{
	const char *last = NULL;
	size_t n = 0, bytes;
	char *text = NULL;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	for (size_t i = 0; i < c->n_rows; i++) {
		/* The configs of a benchmark follow each other. */
		if (!is_open(&c->rows[i]) || (last && !strcmp(last, c->rows[i].name)))
			continue;
		last = c->rows[i].name;
		fprintf(f, "%s%s", n++ ? "," : "--bench ", last);
	}
	fputc(' ', f);
	if (fclose(f))
		abort();
	if (n >= FEW_ROWS)
		*text = '\0';
	return text;
}

/* More boots than a run usually has. */
#define BOOTS_MANY 100

/*
 * Rows that two runs leave open, since they are few or since more boots do not help: the
 * command of a run that would find the difference.
 */
static void note_pairs(struct compare *c)
{
	const char *a = c->config[0], *b = c->config[1];
	bool few = c->n_rows < FEW_ROWS, noisy = false, open = false;
	const char *why;
	char *benches;

	for (size_t i = 0; i < c->n_rows; i++) {
		if (!is_open(&c->rows[i]))
			continue;
		open = true;
		noisy |= !(c->rows[i].boots_needed <= BOOTS_MANY);
	}
	if (!open || (!few && !noisy))
		return;
	why = few ? "With few rows, the drift of the machine and the noise of a row look alike."
		  : "Between two runs, the drift of this machine hides what is inconclusive.";
	benches = benches_of_open(c);
	if (a && b && strcmp(a, b) != 0)
		note(c,
		     "%s Boots in pairs find smaller differences: wsbench run --on %s %s--config %s --against %s -o DIR",
		     why, c->base->target.name, benches, a, b);
	else if (differ(c->base->subject.kernel, c->new->subject.kernel))
		note(c,
		     "%s Several runs of each kernel, in turns, find smaller differences: reboots.sh start -o DIR --kernels %s,%s -- --on %s %s(a script of this program, which reboots this machine)",
		     why, c->base->subject.kernel, c->new->subject.kernel,
		     c->base->target.name, benches);
	else
		note(c,
		     "%s Boots in pairs find smaller differences between two configs: wsbench run --on %s %s--config A --against B -o DIR. Of one config, measure each side three times or more, in turns.",
		     why, c->base->target.name, benches);
	free(benches);
}

static void note_one_run(struct compare *c)
{
	if (c->drift.sd > 0)
		note(c,
		     "The machine drifts: by what it changed during these runs, all rows of a run can differ from the next run by %.1f %%. The intervals include this.",
		     100 * (exp(drift_reach(&c->drift, 0.95)) - 1));
	if (c->count[COMPARE_WORSE_MAYBE] + c->count[COMPARE_BETTER_MAYBE])
		note(c,
		     "One run of each: `worse?` and `better?` say that these two runs differ, not why. Two runs of one kernel can differ, too (a reboot, another layout of memory), and one run cannot show by how much. For a verdict, measure each side three times or more (run --runs 3; reboots.sh where kernels of this machine are compared): wsbench compare --base A1.json A2.json A3.json --new B1.json B2.json B3.json");
	note_pairs(c);
}

static bool is_noisy(const struct compare *c)
{
	return !c->paired && (!c->base->target.exact || !c->new->target.exact);
}

void compare_note(struct compare *c)
{
	if (is_noisy(c) && compare_has_runs(c))
		note_runs(c);
	else if (is_noisy(c))
		note_one_run(c);
	note_document(c, "base", c->base);
	note_document(c, "new", c->new);
	note_emulators(c);
	note_tools(c);
	note_settings(c);
	note_rejected(c, "base", false);
	note_rejected(c, "new", true);
}
