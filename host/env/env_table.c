/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of `wsbench env`. */
#include "host/env/env.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/lib/table.h"
#include "host/lib/text.h"
#include "host/result/json_list.h"
#include "host/result/result.h"

static void add_word(char **words, const char *word)
{
	char *longer;

	if (asprintf(&longer, "%s%s%s", *words, **words ? ", " : "", word) < 0)
		abort();
	free(*words);
	*words = longer;
}

/* Longer values are notes below the table. */
#define VALUE_MAX 16

static void add_setting(struct table *t, const struct env_finding *found)
{
	const struct env_setting *s = found->setting;
	const char *value = found->status == ENV_UNKNOWN ? "-" : found->value;

	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "%s", s->id);
	if (text_width(value) > VALUE_MAX)
		table_cell(t, 1, "[%zu]", table_note(t, value));
	else
		table_cell(t, 1, "%s", value);
	table_cell(t, 2, "%s", s->good);
	table_cell(t, 3, "%s", env_status_name(found->status));
	table_cell(t, 4, "%s", s->effect);
}

char *env_table_settings(FILE *f, const char *root)
{
	static const struct table_column columns[] = {
		{ "setting", TABLE_KEY, 0, NULL },
		{ "value", 0, 0, NULL },
		{ "expected", 0, 0, NULL },
		{ "status", 0, 0, NULL },
		{ "effect on the figures", TABLE_WRAP, 0, NULL },
	};
	const struct env_setting *s = env_settings;
	char *grave = strdup("");
	struct table_options o;
	struct table t;

	if (!grave)
		abort();
	table_options_for(&o, f);
	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	while (s->id) {
		struct env_finding found;

		env_find(s, root, &found, &s);
		add_setting(&t, &found);
		if (found.status == ENV_WARN && found.setting->grave)
			add_word(&grave, found.setting->id);
	}
	table_print(f, &t, &o);
	table_print_notes(f, &t, &o);
	table_free(&t);
	return grave;
}

void env_table_machine(FILE *f)
{
	struct result *r = result_new();

	env_machine(r);
	fprintf(f, "machine      %s, %u CPUs, %s\n", r->machine.arch, r->machine.cpus,
		r->machine.cpu_model);
	if (r->machine.microcode)
		fprintf(f, "microcode    %s\n", r->machine.microcode);
	fprintf(f, "fingerprint  %s\n\n", r->machine.fingerprint);
	result_free(r);
}

void env_table_state(FILE *f, const char *root, const struct env_state *state)
{
	fprintf(f, "\n%s, state file %s\n", state->n ? "Tuned" : "Nothing is tuned",
		state->file);
	for (size_t i = 0; i < state->n; i++) {
		const struct env_entry *e = &state->entries[i];
		char path[PATH_MAX], now[ENV_VALUE_MAX] = "gone";

		snprintf(path, sizeof(path), "%s%s", root, e->path);
		env_read_value(e->setting, path, now);
		text_clean(now, sizeof(now));
		fprintf(f, "  %s: %s -> %s%s%s\n", e->path, e->original, e->written,
			strcmp(now, e->written) != 0 ? ", now " : "",
			strcmp(now, e->written) != 0 ? now : "");
	}
}

static void json_machine(struct json_list *l)
{
	struct result *r = result_new();

	env_machine(r);
	json_list_object(l, "machine");
	json_list_string(l, "arch", r->machine.arch);
	json_list_string(l, "cpu_model", r->machine.cpu_model);
	json_list_string(l, "microcode", r->machine.microcode);
	json_list_count(l, "cpus", r->machine.cpus);
	json_list_string(l, "fingerprint", r->machine.fingerprint);
	json_list_top(l);
	result_free(r);
}

static bool json_settings(struct json_list *l, const char *root)
{
	const struct env_setting *s = env_settings;
	bool grave = false;

	while (s->id) {
		struct env_finding found;

		env_find(s, root, &found, &s);
		json_list_row(l, "settings");
		json_list_string(l, "id", found.setting->id);
		json_list_string(l, "value",
				 found.status == ENV_UNKNOWN ? NULL : found.value);
		json_list_string(l, "expected", found.setting->good);
		json_list_string(l, "status", env_status_name(found.status));
		json_list_bool(l, "grave", found.setting->grave);
		json_list_string(l, "effect", found.setting->effect);
		grave |= found.status == ENV_WARN && found.setting->grave;
	}
	json_list_top(l);
	return grave;
}

bool env_json(FILE *f, const char *root, const struct env_state *state)
{
	struct json_list *l = json_list_new();
	bool grave;
	char *text;

	if (!*root) {
		struct env_confined kinds[ENV_KINDS];

		json_machine(l);
		env_confined(kinds);
		env_confined_json(l, kinds);
	}
	grave = json_settings(l, root);
	json_list_bool(l, "trustworthy", !grave);
	if (state) {
		json_list_string(l, "state_file", state->file);
		json_list_array(l, "tuned");
	}
	for (size_t i = 0; state && i < state->n; i++) {
		const struct env_entry *e = &state->entries[i];
		char path[PATH_MAX], now[ENV_VALUE_MAX];

		snprintf(path, sizeof(path), "%s%s", root, e->path);
		json_list_row(l, "tuned");
		json_list_string(l, "path", e->path);
		json_list_string(l, "original", e->original);
		json_list_string(l, "written", e->written);
		json_list_string(l, "now",
				 env_read_value(e->setting, path, now) ? now : NULL);
	}
	text = json_list_dump(l);
	fputs(text, f);
	free(text);
	json_list_free(l);
	return grave;
}

struct env_steps_line {
	const struct env_setting *setting;
	enum env_action action;
	char *from, *to, *why, *path; /* of the first file */
	size_t files;
};

static char *copy(const char *text)
{
	return text_cleaned(text ? text : "");
}

void env_steps_add(const struct env_step *step, void *context)
{
	struct env_steps *steps = context;
	struct env_steps_line *line;

	for (size_t i = 0; i < steps->n; i++) {
		line = &steps->lines[i];
		if (line->setting != step->setting || line->action != step->action ||
		    strcmp(line->from, step->from) != 0 ||
		    strcmp(line->to, step->to) != 0)
			continue;
		line->files++;
		return;
	}
	steps->lines = reallocarray(steps->lines, steps->n + 1, sizeof(*steps->lines));
	if (!steps->lines)
		abort();
	steps->lines[steps->n++] = (struct env_steps_line){
		.setting = step->setting,
		.action = step->action,
		.from = copy(step->from),
		.to = copy(step->to),
		.why = copy(step->why),
		.path = copy(step->path),
		.files = 1,
	};
}

static void print_step(FILE *f, const struct env_steps_line *line, bool dry)
{
	fprintf(f, "%-21s ", line->setting->id);
	switch (line->action) {
	case ENV_CHANGED:
		fprintf(f, "%s%s -> %s", dry ? "would be " : "", line->from, line->to);
		break;
	case ENV_AS_WANTED:
		fprintf(f, "is %s", line->to);
		break;
	case ENV_FOREIGN:
		fprintf(f, "is %s, changed by another program since: not set to %s",
			line->from, line->to);
		break;
	case ENV_DENIED:
		fprintf(f, "is %s, cannot be set to %s: %s: %s", line->from, line->to,
			line->path, line->why);
		break;
	}
	if (line->files > 1)
		fprintf(f, " (%zu files)", line->files);
	fputc('\n', f);
}

void env_steps_print(FILE *f, struct env_steps *steps)
{
	if (!steps->n)
		fputs("nothing to change\n", f);
	for (size_t i = 0; i < steps->n; i++) {
		print_step(f, &steps->lines[i], steps->dry);
		free(steps->lines[i].from);
		free(steps->lines[i].to);
		free(steps->lines[i].why);
		free(steps->lines[i].path);
	}
	free(steps->lines);
	*steps = (struct env_steps){ .dry = steps->dry };
}
