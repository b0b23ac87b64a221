/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What else bears on a comparison: settings that differ, boots that were lost. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/compare/compare_check.h"

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

/* What others do meanwhile is no setting: it is never twice the same. */
static bool is_setting(const struct result_check *check)
{
	return strcmp(check->id, "load") != 0;
}

/* A kernel may well turn out to be faster only because of what it was told. */
static void note_settings(struct compare *c)
{
	for (size_t i = 0; i < c->base->n_checks; i++) {
		const struct result_check *a = &c->base->checks[i];

		if (!is_setting(a))
			continue;
		for (size_t k = 0; k < c->new->n_checks; k++) {
			const struct result_check *b = &c->new->checks[k];

			if (!strcmp(a->id, b->id) &&
			    strcmp(shown(a->value), shown(b->value)) != 0)
				note(c, "The setting %s differs: %s in base, %s in new.",
				     a->id, shown(a->value), shown(b->value));
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
		     "Measured by different builds of wsbench, %s (%s) and %s (%s): what "
		     "changed may be the guest's own code.",
		     a->tool_version, commits[0], b->tool_version, commits[1]);
}

static void note_rejected(struct compare *c, const char *word, bool new)
{
	size_t boots = 0, valid = 0;

	for (size_t i = 0; i < c->n_rows; i++) {
		const struct compare_side *s = new ? &c->rows[i].new : &c->rows[i].base;

		boots += s->metric ? s->metric->n_boots : 0;
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
		     "This is a software KVM: its figures say nothing about hardware.");
}

void compare_note(struct compare *c)
{
	if (c->drift.sd > 0)
		note(c,
		     "By what all rows of a round have in common, this machine wanders: "
		     "two runs may differ by %.1f %% for no other reason, which the "
		     "intervals allow for.",
		     100 * (exp(drift_reach(&c->drift, 0.95)) - 1));
	note_document(c, "base", c->base);
	note_document(c, "new", c->new);
	note_tools(c);
	note_settings(c);
	note_rejected(c, "base", false);
	note_rejected(c, "new", true);
}
