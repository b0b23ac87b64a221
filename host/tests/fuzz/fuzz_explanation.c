/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Explanation documents: everything that reads one. The input is the text. */
#include <stdlib.h>
#include <string.h>

#include "host/explain/explain_text.h"
#include "host/explain/explanation.h"
#include "host/explain/formats.h"
#include "host/explain/pair.h"
#include "host/explain/touch.h"
#include "host/lib/table.h"
#include "host/tests/fuzz/fuzz.h"

static void reads_back_equal(const struct explanation *e)
{
	char *text = explanation_dump(e), *again;
	struct error err = { "" };
	struct explanation *back;
	int rc = explanation_parse(text, strlen(text), &back, &err);

	FUZZ_CHECK(!rc, "a written document is not valid: %s", err.text);
	again = explanation_dump(back);
	FUZZ_CHECK(!strcmp(text, again), "a document changes when it is read:\n%s\n%s",
		   text, again);
	explanation_free(back);
	free(again);
	free(text);
}

static void formats(const struct explanation *e)
{
	for (const struct explain_format *format = explain_formats; format->name;
	     format++) {
		char *text = NULL;
		size_t bytes;
		FILE *f = open_memstream(&text, &bytes);
		int rc = format->needs_timeline && !e->n_timeline ? 0
								  : format->write(f, e);

		fclose(f);
		FUZZ_CHECK(rc <= 0, "%s: %d", format->name, rc);
		if (!rc && text[0] == '{') {
			json_error_t where;
			json_t *json = json_loads(text, 0, &where);

			FUZZ_CHECK(json, "%s: not JSON: line %d: %s", format->name,
				   where.line, where.text);
			json_decref(json);
		}
		free(text);
	}
}

static void does_not_differ_from_itself(const struct explanation *e)
{
	struct explain_change *changes;
	size_t n = explain_changes(e, e, &changes);

	for (size_t i = 0; i < n; i++)
		FUZZ_CHECK(!changes[i].change && changes[i].base == changes[i].now,
			   "%s: %llu, %llu", changes[i].name, changes[i].base,
			   changes[i].now);
	explain_changes_free(changes, n);
}

/* A node is in one list of siblings, and as deep as its parent and one. */
static void is_a_tree(const struct explain_node *nodes, size_t n)
{
	size_t links = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t c = nodes[i].child; c; c = nodes[c].next) {
			FUZZ_CHECK(c < n && nodes[c].depth == nodes[i].depth + 1,
				   "node %zu of %zu", c, n);
			FUZZ_CHECK(++links < n, "a circle");
		}
	FUZZ_CHECK(!n || links == n - 1, "%zu of %zu nodes are in the tree", links + 1,
		   n);
}

static void views(const struct explanation *e)
{
	const struct table_options options = { .columns = 80, .utf8 = true };
	FILE *f = fuzz_sink();
	struct explain_node *nodes;
	size_t n;

	explain_print_functions(f, e, &options, 3);
	explain_print_functions(f, e, NULL, 1000);
	explain_print_kinds(f, e, &options);
	explain_print_tree(f, e, &options);
	explain_print_folded(f, e);
	explain_print_diff(f, e, e, &options, 10);
	if (e->kinds.loads >= 0)
		explain_print_kinds_diff(f, e, e, &options);
	if (explanation_has_lines(e)) {
		explain_print_lines(f, e, 5, NULL, &options);
		if (e->n_functions)
			explain_print_annotated(f, e, e->functions[0].name, NULL,
						&options);
	}
	if (touch_is_in(e)) {
		touch_print(f, e, &options);
		touch_print_diff(f, e, e, &options);
	}
	flame_draw(f, e, NULL);
	flame_draw(f, e, e);
	n = explain_tree(e, true, &nodes);
	is_a_tree(nodes, n);
	free(nodes);
	n = explain_tree_of_both(e, e, &nodes);
	is_a_tree(nodes, n);
	free(nodes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { "" };
	struct explanation *e;

	if (explanation_parse((const char *)data, size, &e, &err)) {
		FUZZ_CHECK(*err.text && !e, "a refused document");
		return 0;
	}
	reads_back_equal(e);
	formats(e);
	does_not_differ_from_itself(e);
	views(e);
	explanation_free(e);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int seed)
{
	return fuzz_mutate_json(data, size, room, seed);
}
