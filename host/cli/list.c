/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wsbench list: the benchmarks, configurations, targets and emulators. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/catalogue.h"
#include "host/lib/error.h"
#include "host/cli/cli.h"
#include "host/cli/documents.h"
#include "host/cli/options.h"
#include "host/lib/table.h"
#include "host/result/export.h"
#include "host/result/result.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/kernel.h"
#include "host/targets/target.h"

#define KEY_JSON   0x100
#define KEY_NAMES  0x101
#define KEY_BENCH  0x102
#define KEY_CONFIG 0x103

enum list_what {
	LIST_BENCHMARKS,
	LIST_CONFIGS,
	LIST_TARGETS,
	LIST_EMULATORS,
	LIST_BASELINES,
	LIST_KERNELS,
	LIST_ALL,
};

/* The handler that a row expects. "varies" is only for rows: documents have observed
 * ones. */
static const char *handler_word(const struct bench *b)
{
	return b->handled_by == HANDLED_VARIES ? "varies"
					       : result_handler_name(b->handled_by);
}

static const char *const what_names[LIST_ALL] = {
	"benchmarks", "configs", "targets", "emulators", "baselines", "kernels",
};
static const char *const arch_names[ARCHS] = { "x86_64", "aarch64" };

struct list_args {
	struct options_common common;
	enum list_what what;
	struct names_list benches, configs; /* none: all */
	bool json, names;
};

static bool is_selected(const struct names_list *selected, const char *name)
{
	for (size_t i = 0; i < selected->n; i++)
		if (!strcmp(selected->names[i], name))
			return true;
	return !selected->n;
}

/* The reason for which a target cannot run here; "" if it can. */
static void probe(const struct target *t, struct error *err)
{
	const struct job job = { .cpu = -1 };

	err->text[0] = '\0';
	if (t->ops->probe(t, &job, err) && !err->text[0])
		snprintf(err->text, sizeof(err->text), "no reason was given");
}

static const char *archs_text(unsigned int archs)
{
	if (archs == ARCHS_ALL)
		return "both";
	return arch_names[archs & ARCHS_X86_64 ? ARCH_X86_64 : ARCH_AARCH64];
}

static void print_table(struct table *t)
{
	struct table_options o;

	table_options_for(&o, stdout);
	table_print(stdout, t, &o);
	table_free(t);
}

static void print_benchmarks(const struct list_args *args)
{
	static const struct table_column columns[] = {
		{ .head = "benchmark", .flags = TABLE_KEY },
		{ .head = "arch" },
		{ .head = "handled by" },
		{ .head = "group" },
		{ .head = "core" },
		{ .head = "what it times", .flags = TABLE_WRAP },
	};
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (const struct bench *b = bench_table; b->id; b++) {
		if (!is_selected(&args->benches, b->id))
			continue;
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%s", b->id);
		table_cell(&t, 1, "%s", archs_text(b->archs));
		table_cell(&t, 2, "%s", handler_word(b));
		table_cell(&t, 3, "%s", b->group);
		table_cell(&t, 4, "%s", b->needs & BENCH_CORE ? "core" : "");
		table_cell(&t, 5, "%s", b->summary);
	}
	print_table(&t);
}

static void print_configs(const struct list_args *args)
{
	static const struct table_column columns[] = {
		{ .head = "config", .flags = TABLE_KEY },
		{ .head = "arch" },
		{ .head = "effect", .flags = TABLE_WRAP },
	};
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (const struct config *c = config_table; c->name; c++) {
		if (!is_selected(&args->configs, c->name))
			continue;
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%s", c->name);
		table_cell(&t, 1, "%s", archs_text(c->archs));
		table_cell(&t, 2, "%s", c->summary);
	}
	print_table(&t);
}

static void print_targets(void)
{
	static const struct table_column columns[] = {
		{ .head = "target", .flags = TABLE_KEY },
		{ .head = "arch" },
		{ .head = "here" },
		{ .head = "what it is", .flags = TABLE_WRAP },
	};
	struct table_options o;
	struct table t;

	table_options_for(&o, stdout);
	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (const struct target *row = target_table; row->name; row++) {
		struct error err;

		probe(row, &err);
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%s", row->name);
		table_cell(&t, 1, "%s", arch_names[row->arch]);
		if (err.text[0])
			table_cell(&t, 2, "no [%zu]", table_note(&t, err.text));
		else
			table_cell(&t, 2, "yes");
		table_cell(&t, 3, "%s", row->summary);
	}
	table_print(stdout, &t, &o);
	if (t.n_notes)
		putchar('\n');
	table_print_notes(stdout, &t, &o);
	table_free(&t);
}

static void add_emulator(void *ctx, const struct lab_emulator_entry *e)
{
	struct table *t = ctx;
	char labs[400] = "";

	for (size_t i = 0; i < e->n_labs; i++)
		snprintf(labs + strlen(labs), sizeof(labs) - strlen(labs), "%s%s",
			 i ? " " : "", e->labs[i]);
	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "%s", e->name);
	table_cell(t, 1, "%s", e->is_default ? "yes" : "no");
	table_cell(t, 2, "%s, %s, for %s", e->version, e->path, labs);
}

static void print_emulators(void)
{
	static const struct table_column columns[] = {
		{ .head = "emulator", .flags = TABLE_KEY },
		{ .head = "default" },
		{ .head = "version, path, labs", .flags = TABLE_WRAP },
	};
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	lab_emulators(add_emulator, &t);
	print_table(&t);
}

/* What a table or a list gets of each document of a baseline. */
struct baselines {
	struct table *table;
	struct json_list *json;
};

static void add_baseline(void *ctx, const char *name, const char *folder)
{
	const struct baselines *b = ctx;
	struct documents d;

	if (!documents_read(&d, &folder, 1))
		return;
	documents_order(&d);
	for (size_t i = 0; i < d.n; i++) {
		const struct result *r = d.docs[i];
		const char *kernel = r->subject.kernel, *label = r->subject.label;

		if (b->json) {
			json_list_row(b->json, "baselines");
			json_list_string(b->json, "name", name);
			json_list_string(b->json, "target", r->target.name);
			json_list_string(b->json, "kernel", kernel);
			json_list_string(b->json, "label", label);
			json_list_string(b->json, "started", r->run.started);
			continue;
		}
		table_row(b->table, TABLE_PLAIN);
		table_cell(b->table, 0, "%s", name);
		table_cell(b->table, 1, "%s", r->target.name);
		table_cell(b->table, 2, "%.10s", r->run.started);
		table_cell(b->table, 3, "%s%s%s%s", kernel ? "Linux " : "no kernel",
			   kernel ? kernel : "", label ? ", " : "", label ? label : "");
	}
	documents_free(&d);
}

static void print_baselines(void)
{
	static const struct table_column columns[] = {
		{ .head = "baseline", .flags = TABLE_KEY },
		{ .head = "target" },
		{ .head = "date" },
		{ .head = "kernel", .flags = TABLE_WRAP },
	};
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	baseline_list(add_baseline, &(struct baselines){ .table = &t });
	print_table(&t);
}

static void add_kernel(void *ctx, enum arch arch, const char *release,
		       const char *package)
{
	struct table *t = ctx;

	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "%s", release);
	table_cell(t, 1, "%s", arch_names[arch]);
	table_cell(t, 2, "%s", package ? package : "");
}

static void print_kernels(void)
{
	static const struct table_column columns[] = {
		{ .head = "cached kernel", .flags = TABLE_KEY },
		{ .head = "arch" },
		{ .head = "package, version, suite", .flags = TABLE_WRAP },
	};
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (int a = 0; a < ARCHS; a++)
		lab_kernels((enum arch)a, add_kernel, &t);
	print_table(&t);
}

static void json_kernel(void *ctx, enum arch arch, const char *release,
			const char *package)
{
	struct json_list *l = ctx;

	json_list_row(l, "kernels");
	json_list_string(l, "release", release);
	json_list_string(l, "arch", arch_names[arch]);
	json_list_string(l, "package", package);
}

/* The release, and the series that it is of, once each: for --kernel. */
static void name_kernel(void *ctx, enum arch arch, const char *release,
			const char *package)
{
	char *last = ctx;
	size_t major = strcspn(release, "."), minor;

	(void)arch;
	(void)package;
	minor = release[major] ? strspn(release + major + 1, "0123456789") : 0;
	puts(release);
	if (!minor ||
	    (!strncmp(last, release, major + 1 + minor) && !last[major + 1 + minor]))
		return;
	snprintf(last, NAME_MAX, "%.*s", (int)(major + 1 + minor), release);
	puts(last);
}

static void name_baseline(void *ctx, const char *name, const char *folder)
{
	(void)ctx;
	(void)folder;
	puts(name);
}

static void json_archs(struct json_list *l, unsigned int archs)
{
	const char *names[ARCHS];
	size_t n = 0;

	for (int a = 0; a < ARCHS; a++)
		if (archs & 1u << a)
			names[n++] = arch_names[a];
	json_list_strings(l, "archs", names, n);
}

static void json_benchmarks(struct json_list *l, const struct list_args *args)
{
	for (const struct bench *b = bench_table; b->id; b++) {
		if (!is_selected(&args->benches, b->id))
			continue;
		json_list_row(l, "benchmarks");
		json_list_string(l, "id", b->id);
		json_archs(l, b->archs);
		json_list_string(l, "handled_by", handler_word(b));
		json_list_string(l, "group", b->group);
		json_list_bool(l, "needs_hypervisor", b->needs & NEEDS_HYPERVISOR);
		json_list_bool(l, "needs_pmu", b->needs & NEEDS_PMU);
		json_list_bool(l, "core", b->needs & BENCH_CORE);
		json_list_string(l, "summary", b->summary);
	}
}

/* The configs of VMs that have the setting; "default" is the least VM. */
static void json_setting(struct json_list *l, const struct setting *s)
{
	const char *names[32];
	size_t n = 0;

	for (const struct config *c = config_table; c->name && n < 32; c++)
		if (c == config_table ? s->vms & VM_LEAST : s->vms & c->vm)
			names[n++] = c->name;
	json_list_strings(l, "vms", names, n);
	json_list_string(l, "source", s->source);
}

static void json_configs(struct json_list *l, const struct list_args *args)
{
	for (const struct config *c = config_table; c->name; c++) {
		if (!is_selected(&args->configs, c->name))
			continue;
		json_list_row(l, "configs");
		json_list_string(l, "name", c->name);
		json_archs(l, c->archs);
		json_list_string(l, "summary", c->summary);
		if (c->settings)
			json_setting(l, &setting_table[__builtin_ctz(c->settings)]);
	}
}

static void json_targets(struct json_list *l)
{
	for (const struct target *t = target_table; t->name; t++) {
		struct error err;

		probe(t, &err);
		json_list_row(l, "targets");
		json_list_string(l, "name", t->name);
		json_list_string(l, "kind", t->ops->kind);
		json_list_string(l, "arch", arch_names[t->arch]);
		json_list_bool(l, "exact", t->exact);
		json_list_bool(l, "available", !err.text[0]);
		json_list_string(l, "reason", err.text[0] ? err.text : NULL);
		json_list_string(l, "summary", t->summary);
	}
}

static void json_emulator(void *ctx, const struct lab_emulator_entry *e)
{
	struct json_list *l = ctx;

	json_list_row(l, "emulators");
	json_list_string(l, "name", e->name);
	json_list_string(l, "version", e->version);
	json_list_string(l, "path", e->path);
	json_list_bool(l, "default", e->is_default);
	json_list_strings(l, "labs", (const char *const *)e->labs, e->n_labs);
}

static void name_emulator(void *ctx, const struct lab_emulator_entry *e)
{
	(void)ctx;
	puts(e->name);
}

static bool wanted(const struct list_args *args, enum list_what what)
{
	return args->what == LIST_ALL || args->what == what;
}

static void print_text(const struct list_args *args)
{
	if (wanted(args, LIST_BENCHMARKS))
		print_benchmarks(args);
	if (args->what == LIST_ALL)
		putchar('\n');
	if (wanted(args, LIST_CONFIGS))
		print_configs(args);
	if (args->what == LIST_ALL)
		putchar('\n');
	if (wanted(args, LIST_TARGETS))
		print_targets();
	if (args->what == LIST_ALL)
		putchar('\n');
	if (wanted(args, LIST_EMULATORS))
		print_emulators();
	if (args->what == LIST_BASELINES)
		print_baselines();
	if (args->what == LIST_KERNELS)
		print_kernels();
}

static void print_json(const struct list_args *args)
{
	struct json_list *l = json_list_new();
	char *text;

	if (wanted(args, LIST_BENCHMARKS))
		json_benchmarks(l, args);
	if (wanted(args, LIST_CONFIGS))
		json_configs(l, args);
	if (wanted(args, LIST_TARGETS))
		json_targets(l);
	if (wanted(args, LIST_EMULATORS))
		lab_emulators(json_emulator, l);
	if (args->what == LIST_BASELINES) {
		json_list_array(l, "baselines");
		baseline_list(add_baseline, &(struct baselines){ .json = l });
	}
	if (args->what == LIST_KERNELS)
		json_list_array(l, "kernels");
	for (int a = 0; args->what == LIST_KERNELS && a < ARCHS; a++)
		lab_kernels((enum arch)a, json_kernel, l);
	text = json_list_dump(l);
	fputs(text, stdout);
	free(text);
	json_list_free(l);
}

/* One name per line, for scripts and completions. */
static void print_names(const struct list_args *args)
{
	if (wanted(args, LIST_BENCHMARKS))
		for (const struct bench *b = bench_table; b->id; b++)
			if (is_selected(&args->benches, b->id))
				puts(b->id);
	if (wanted(args, LIST_CONFIGS))
		for (const struct config *c = config_table; c->name; c++)
			if (is_selected(&args->configs, c->name))
				puts(c->name);
	if (wanted(args, LIST_TARGETS))
		for (const struct target *t = target_table; t->name; t++)
			puts(t->name);
	if (args->what == LIST_EMULATORS)
		lab_emulators(name_emulator, NULL);
	if (args->what == LIST_BASELINES)
		baseline_list(name_baseline, NULL);
	for (int a = 0; args->what == LIST_KERNELS && a < ARCHS; a++) {
		char series[NAME_MAX] = "";

		lab_kernels((enum arch)a, name_kernel, series);
	}
}

static error_t parse_what(const char *arg, struct argp_state *state)
{
	struct list_args *args = state->input;
	const char *nearest = names_nearest(arg, what_names, LIST_ALL);

	if (args->what != LIST_ALL)
		return options_error(state, "unexpected argument '%s'", arg);
	for (int i = 0; i < LIST_ALL; i++) {
		if (!strcmp(arg, what_names[i])) {
			args->what = (enum list_what)i;
			return 0;
		}
	}
	if (nearest)
		return options_error(state, "cannot list '%s': did you mean '%s'?", arg,
				     nearest);
	return options_error(
		state,
		"cannot list '%s': benchmarks, configs, targets, emulators, baselines or kernels",
		arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct list_args *args = state->input;
	struct error why;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		return 0;
	case KEY_JSON:
		args->json = true;
		return 0;
	case KEY_NAMES:
		args->names = true;
		return 0;
	case KEY_BENCH:
		names_free(&args->benches);
		if (names_match_benches(arg, &args->benches, &why))
			return options_error(state, "%s", why.text);
		if (args->what == LIST_ALL)
			args->what = LIST_BENCHMARKS;
		return 0;
	case KEY_CONFIG:
		names_free(&args->configs);
		if (names_match_configs(arg, &args->configs, &why))
			return options_error(state, "%s", why.text);
		if (args->what == LIST_ALL)
			args->what = LIST_CONFIGS;
		return 0;
	case ARGP_KEY_ARG:
		return parse_what(arg, state);
	case ARGP_KEY_END:
		if (args->json && args->names)
			return options_error(state,
					     "--json and --names: give one of them");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int cmd_list(int argc, char **argv)
{
	enum cli_exit code;
	static const struct argp_option options[] = {
		{ "bench", KEY_BENCH, "GLOB,...", 0,
		  "List these benchmarks: names, globs, or 'core' for the core benchmarks",
		  0 },
		{ "config", KEY_CONFIG, "GLOB,...", 0, "List these configs", 0 },
		{ "json", KEY_JSON, NULL, 0, "Print JSON", 0 },
		{ "names", KEY_NAMES, NULL, 0, "Print names only, one per line", 0 },
		{ 0 },
	};
	static const struct argp_child children[] = { { &options_common, 0, NULL, 0 },
						      { 0 } };
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[benchmarks|configs|targets|emulators|baselines|kernels]",
		.doc = "Lists the benchmarks, the counter configurations, the targets "
		       "and the emulators of the labs; by name also the baselines of run --save, and the cached kernels. "
		       "Of each target, says whether the target can run on this machine "
		       "and, if not, gives the reason.",
		.children = children,
	};
	struct list_args args = { .what = LIST_ALL };

	if (!options_go(&argp, "wsbench list", argc, argv, &args, &code))
		return code;
	if (args.json)
		print_json(&args);
	else if (args.names)
		print_names(&args);
	else
		print_text(&args);
	names_free(&args.benches);
	names_free(&args.configs);
	return CLI_OK;
}
