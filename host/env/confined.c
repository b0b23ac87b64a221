/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The confinement of each kind of target on this machine: host/lib/confine.h. */
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "host/env/env.h"
#include "host/lib/table.h"
#include "host/result/export.h"
#include "host/targets/job.h"
#include "host/targets/kvm.h"
#include "host/targets/target.h"

/* Targets of a kind differ in what they measure, but not in their confinement. */
static const struct {
	const char *kind;
	const char *targets[2];
} kinds_table[ENV_KINDS] = {
	{ "kvm", { "kvm" } },
	{ "lab, QEMU", { "lab:aarch64-vhe", "lab:x86_64-svm-qemu" } },
	{ "lab, Bochs", { "lab:x86_64-svm", "lab:x86_64-vmx" } },
	{ "bare, QEMU", { "bare:x86_64", "bare:aarch64" } },
	{ "bare, Bochs", { "bare:x86_64-bochs", "bare:x86_64-bochs-svm" } },
};

/* Since Linux 5.8. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif

static const struct {
	int number;
	const char *name;
} capabilities[] = {
	{ CAP_SYS_PTRACE, "sys_ptrace" },
	{ CAP_SYS_ADMIN, "sys_admin" },
	{ CAP_PERFMON, "perfmon" },
};

#define CAPABILITIES (sizeof(capabilities) / sizeof(capabilities[0]))

static void try_target(const char *name, struct env_confined *e)
{
	const struct job job = { .cpu = -1 };
	const struct target *row = target_table;
	struct error err = { "" };
	struct target t;
	int ret;

	while (row->name && strcmp(row->name, name) != 0)
		row++;
	e->target = name;
	e->why[0] = '\0';
	if (!row->name)
		return;
	t = *row;
	ret = t.ops->probe(&t, &job, &err);
	if (!ret && !strcmp(t.ops->kind, "kvm"))
		ret = kvm_apart_try(&e->state);
	else if (!ret) {
		ret = t.ops->open(&t, &job, &err);
		e->state = t.confined;
		t.ops->close(&t);
	}
	if (ret)
		snprintf(e->why, sizeof(e->why), "%s",
			 *err.text ? err.text : strerror(-ret));
}

void env_confined(struct env_confined kinds[ENV_KINDS])
{
	for (size_t k = 0; k < ENV_KINDS; k++) {
		struct env_confined *e = &kinds[k], second;

		*e = (struct env_confined){ .kind = kinds_table[k].kind };
		try_target(kinds_table[k].targets[0], e);
		if (!*e->why || !kinds_table[k].targets[1])
			continue;
		second = (struct env_confined){ .kind = e->kind };
		try_target(kinds_table[k].targets[1], &second);
		if (!*second.why)
			*e = second;
	}
}

/* Names, or the mask in hexadecimal digits if it has others. */
static void describe_capabilities(uint64_t mask, char *text, size_t bytes)
{
	uint64_t rest = mask;
	size_t used = 0;

	snprintf(text, bytes, "%s", mask ? "" : "none");
	for (size_t i = 0; i < CAPABILITIES; i++) {
		if (!(mask >> capabilities[i].number & 1))
			continue;
		rest &= ~(1ull << capabilities[i].number);
		used += (size_t)snprintf(text + used, bytes - used, "%s%s",
					 used ? " " : "", capabilities[i].name);
	}
	if (rest)
		snprintf(text, bytes, "0x%llx", (unsigned long long)mask);
}

static void describe_limit(uint64_t limit, char *text, size_t bytes)
{
	if (limit == UINT64_MAX)
		snprintf(text, bytes, "none");
	else if (limit >> 30 && !(limit & ((1u << 30) - 1)))
		snprintf(text, bytes, "%llu GiB", (unsigned long long)limit >> 30);
	else
		snprintf(text, bytes, "%llu", (unsigned long long)limit);
}

static void add_row(struct table *t, const struct env_confined *e)
{
	const struct confine_state *s = &e->state;
	char text[600];

	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "%s", e->kind);
	if (*e->why) {
		snprintf(text, sizeof(text), "cannot run here: %s", e->why);
		table_cell(t, 1, "[%zu]", table_note(t, text));
		return;
	}
	table_cell(t, 1, "%s", s->seccomp == 2 ? "filtered" : "all");
	if (s->landlock)
		table_cell(t, 2, "Landlock %u", s->landlock);
	else
		table_cell(t, 2, "all");
	describe_capabilities(s->capabilities, text, sizeof(text));
	table_cell(t, 3, "%s", text);
	if (s->uid)
		table_cell(t, 4, "%u", s->uid);
	else
		table_cell(t, 4, "root");
	describe_limit(s->memory_bytes, text, sizeof(text));
	table_cell(t, 5, "%s", text);
	describe_limit(s->file_bytes, text, sizeof(text));
	table_cell(t, 6, "%s", text);
	describe_limit(s->core_bytes, text, sizeof(text));
	table_cell(t, 7, "%s", text);
	confine_lacking(s->parts, text, sizeof(text));
	if (confine_is_off())
		snprintf(text, sizeof(text), "off (WORLDSWITCH_CONFINE=0)");
	if (*text)
		table_cell(t, 8, "[%zu]", table_note(t, text));
	else
		table_cell(t, 8, "nothing");
}

void env_confined_table(FILE *f, const struct env_confined kinds[ENV_KINDS])
{
	static const struct table_column columns[] = {
		{ .head = "confinement of", .flags = TABLE_KEY },
		{ .head = "system\ncalls" },
		{ .head = "files" },
		{ .head = "capabilities" },
		{ .head = "user" },
		{ .head = "memory" },
		{ .head = "file\nsize" },
		{ .head = "core\nfile" },
		{ .head = "lacks" },
	};
	struct table_options o;
	struct table t;

	table_options_for(&o, f);
	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t k = 0; k < ENV_KINDS; k++)
		add_row(&t, &kinds[k]);
	fputc('\n', f);
	table_print(f, &t, &o);
	table_print_notes(f, &t, &o);
	table_free(&t);
}

static void json_limit(struct json_list *l, const char *key, uint64_t limit)
{
	if (limit == UINT64_MAX)
		json_list_string(l, key, NULL);
	else
		json_list_count(l, key, limit);
}

void env_confined_json(struct json_list *l, const struct env_confined kinds[ENV_KINDS])
{
	for (size_t k = 0; k < ENV_KINDS; k++) {
		const struct env_confined *e = &kinds[k];
		char text[256];

		json_list_row(l, "confinement");
		json_list_string(l, "kind", e->kind);
		json_list_string(l, "target", e->target);
		json_list_string(l, "reason", *e->why ? e->why : NULL);
		if (*e->why)
			continue;
		json_list_count(l, "seccomp", e->state.seccomp);
		json_list_count(l, "landlock", e->state.landlock);
		snprintf(text, sizeof(text), "%016llx",
			 (unsigned long long)e->state.capabilities);
		json_list_string(l, "capabilities", text);
		json_list_count(l, "uid", e->state.uid);
		json_limit(l, "memory_bytes", e->state.memory_bytes);
		json_limit(l, "file_bytes", e->state.file_bytes);
		json_limit(l, "core_bytes", e->state.core_bytes);
		confine_lacking(e->state.parts, text, sizeof(text));
		json_list_string(l, "lacks", text);
	}
	json_list_top(l);
}
