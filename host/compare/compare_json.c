/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench compare --json`. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "host/compare/compare_rules.h"
#include "host/result/export.h"

static void side(struct json_list *l, const char *key, const char *name,
		 const struct result *r, const char *config)
{
	json_list_object(l, key);
	json_list_string(l, "name", name);
	json_list_string(l, "run", r->run.id);
	json_list_string(l, "target", r->target.name);
	json_list_string(l, "kernel", r->subject.kernel);
	json_list_string(l, "label", r->subject.label);
	json_list_string(l, "fingerprint", r->machine.fingerprint);
	json_list_string(l, "config", config);
}

static void summary(struct json_list *l, const struct compare *c)
{
	json_list_object(l, "summary");
	for (enum compare_verdict v = 0; v < COMPARE_VERDICTS; v++)
		json_list_count(l, compare_verdict_name(v), c->count[v]);
	json_list_count(l, "lost", c->n_lost);
	json_list_count(l, "worse_let_pass", c->let_pass[COMPARE_WORSE]);
	json_list_count(l, "inconclusive_let_pass", c->let_pass[COMPARE_INCONCLUSIVE]);
}

/* By method: what `difference` and `shift` are. */
static const struct {
	const char *method, *difference, *shift;
} kinds[] = {
	{ "exact", "figures", NULL },
	{ "range", "nearest ends of the ranges over boots", NULL },
	{ "signed rank", "medians of boot medians, of boots in pairs",
	  "Hodges-Lehmann shift of pairs of boots" },
	{ "Mann-Whitney", "medians of boot medians",
	  "Hodges-Lehmann shift of boot medians" },
	{ "moderated t", "means of the runs' medians", "mean of the runs" },
};

static void figures(struct json_list *l, const struct compare_row *row)
{
	const char *difference = isnan(row->difference) ? NULL : "figures", *shift = NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!row->method || strcmp(row->method, kinds[i].method) != 0)
			continue;
		difference = kinds[i].difference;
		shift = kinds[i].shift;
	}
	json_list_real(l, "base", row->base.value);
	json_list_real(l, "base_min", row->base.min);
	json_list_real(l, "base_max", row->base.max);
	json_list_real(l, "new", row->new.value);
	json_list_real(l, "new_min", row->new.min);
	json_list_real(l, "new_max", row->new.max);
	json_list_real(l, "difference", row->difference);
	json_list_real(l, "ratio", row->ratio);
	json_list_string(l, "difference_of", difference);
	json_list_real(l, "shift", shift ? row->shift : NAN);
	json_list_real(l, "shift_lo", shift ? row->lo : NAN);
	json_list_real(l, "shift_hi", shift ? row->hi : NAN);
	json_list_real(l, "shift_ratio", shift ? row->shift_ratio : NAN);
	json_list_real(l, "shift_ratio_lo", shift ? row->ratio_lo : NAN);
	json_list_real(l, "shift_ratio_hi", shift ? row->ratio_hi : NAN);
	json_list_string(l, "shift_of", shift);
	json_list_real(l, "level", row->level);
	json_list_real(l, "band", row->band);
	json_list_string(l, "method", row->method);
	json_list_real(l, "p", row->p);
	json_list_real(l, "p_holm", row->p_holm);
	json_list_real(l, "cliff", row->cliff);
}

static void class(struct json_list *l, const char *side, const struct result_class *class)
{
	char key[32];

	snprintf(key, sizeof(key), "%s_handled_by", side);
	json_list_string(l, key, class->handled_by);
	snprintf(key, sizeof(key), "%s_exits", side);
	json_list_real(l, key, class->handled_by ? class->exits : NAN);
}

static void row(struct json_list *l, const struct compare_row *r)
{
	json_list_row(l, "rows");
	json_list_string(l, "name", r->name);
	json_list_string(l, "metric", r->metric);
	json_list_string(l, "base_config", r->base.config);
	json_list_string(l, "new_config", r->new.config);
	json_list_string(l, "unit", r->unit);
	json_list_string(l, "verdict", compare_verdict_name(r->verdict));
	json_list_bool(l, "exact", r->exact);
	json_list_string(l, "let_pass", r->let_pass ? r->let_pass->text : NULL);
	class(l, "base", &r->base.class);
	class(l, "new", &r->new.class);
	json_list_count(l, "base_boots", r->base.boots);
	json_list_count(l, "new_boots", r->new.boots);
	json_list_count(l, "base_runs", r->base.runs);
	json_list_count(l, "new_runs", r->new.runs);
	json_list_count(l, "pairs", r->pairs);
	figures(l, r);
	json_list_real(l, "boots_needed", r->boots_needed);
	json_list_real(l, "runs_needed", r->runs_needed);
	json_list_string(l, "reason", *r->reason ? r->reason : NULL);
}

struct json_list *compare_json(const struct compare *c, const struct compare_names *names)
{
	struct json_list *l = json_list_new();

	json_list_string(l, "schema", "worldswitch.compare");
	json_list_count(l, "schema_version", 2);
	json_list_string(l, "outcome", compare_verdict_name(compare_outcome(c)));
	json_list_bool(l, "paired", c->paired);
	json_list_real(l, "drift", c->drift.sd);
	json_list_count(l, "base_runs", c->runs.n[0]);
	json_list_count(l, "new_runs", c->runs.n[1]);
	json_list_real(l, "run_sd", compare_has_runs(c) ? sqrt(c->runs.variance) : NAN);
	json_list_real(l, "run_row_sd",
		       c->runs.own.df > 0 ? sqrt(c->runs.own.variance) : NAN);
	side(l, "base", names->base, c->base, c->config[0]);
	side(l, "new", names->new, c->new, c->config[1]);
	summary(l, c);
	for (size_t i = 0; i < c->n_rows; i++)
		row(l, &c->rows[i]);
	json_list_top(l);
	json_list_strings(l, "notes", (const char *const *)c->notes, c->n_notes);
	return l;
}
