/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a report compares: documents of one target, and the configs of each document. */
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/compare/compare.h"
#include "host/result/result.h"
#include "host/report/configs.h"
#include "host/report/report.h"

static void add(struct report *r, const struct result *base, const struct result *new,
		const char *from, const char *to)
{
	struct report_change change = { base, new, { from, to }, NULL, NULL };
	struct compare_options options = { .config = { from, to } };
	struct error err;

	change.compare = malloc(sizeof(*change.compare));
	if (!change.compare)
		abort();
	if (compare_documents(base, new, &options, change.compare, &err)) {
		free(change.compare);
		change.compare = NULL;
		change.why = strdup(err.text);
	}
	r->changes = reallocarray(r->changes, r->n_changes + 1, sizeof(*r->changes));
	if (!r->changes || (!change.compare && !change.why))
		abort();
	r->changes[r->n_changes++] = change;
}

/* The first of a target is what the others are set against. */
static const struct result *base_of(const struct report *r, size_t d)
{
	for (size_t k = 0; k < d; k++)
		if (!strcmp(r->in.docs[k]->target.name, r->in.docs[d]->target.name))
			return r->in.docs[k];
	return NULL;
}

static void add_configs(struct report *r, const struct result *doc)
{
	static const char *const all[] = { NULL, NULL };
	struct configs c;

	configs_collect(&c, doc, all);
	for (size_t i = 1; i < c.n; i++)
		add(r, doc, doc, c.names[0], c.names[i]);
	configs_free(&c);
}

void report_compare(struct report *r)
{
	for (size_t d = 0; d < r->in.n_docs; d++) {
		const struct result *base = base_of(r, d);

		if (base)
			add(r, base, r->in.docs[d], NULL, NULL);
	}
	for (size_t d = 0; d < r->in.n_docs; d++)
		add_configs(r, r->in.docs[d]);
}

void report_compare_free(struct report *r)
{
	for (size_t i = 0; i < r->n_changes; i++) {
		if (r->changes[i].compare)
			compare_free(r->changes[i].compare);
		free(r->changes[i].compare);
		free(r->changes[i].why);
	}
	free(r->changes);
}
