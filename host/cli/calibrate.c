/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench calibrate`: fits the weights of estimated_cycles to measured rows. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/cli/documents.h"
#include "host/cli/options.h"
#include "host/explain/touch.h"
#include "host/lib/error.h"
#include "host/lib/file.h"
#include "host/lib/table.h"
#include "host/lib/text.h"

#define METRIC "round_trip"

struct calibrate {
	struct options_common common;
	const char **files; /* room for all of argv */
	size_t n_files;
	const char *output; /* -o; NULL */
};

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0,
	  "Write the weights to FILE, for 'wsbench explain --touch --estimate FILE'", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct calibrate *c = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &c->common;
		return 0;
	case ARGP_KEY_ARG:
		c->files[c->n_files++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (c->n_files < 2)
			return options_error(
				state,
				"needs a measured document and a document of a "
				"lab: 'wsbench calibrate MEASURED.json LAB.json...'");
		return 0;
	case 'o':
		c->output = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = { { &options_common, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "MEASURED.json LAB.json...",
	.doc = "Fits the weights of estimated_cycles to a machine: MEASURED is the document "
	       "of a run on hardware, each LAB the document of 'wsbench run --touch' in a "
	       "lab of the same architecture. The rows that both have are fitted by least "
	       "squares of relative errors, with weights that are not negative. Each row is "
	       "also predicted by weights that were fitted to the other rows: this error "
	       "is the one to expect of an estimate.\v"
	       "The exit code is 3 if the rows do not determine weights.",
	.children = children,
};

struct rows {
	struct estimate_row *list;
	size_t n,
		unlike; /* measured rows that no lab has with counts, or handles alike */
};

/* The row of a lab; NULL: there is none with all counts, handled by the same component.
 */
static const struct result_benchmark *find_counts(const struct documents *labs,
						  const struct result_benchmark *b,
						  double counts[ESTIMATE_TERMS])
{
	for (size_t i = 1; i < labs->n; i++) {
		const struct result_benchmark *other =
			result_find(labs->docs[i], b->name, b->config);

		if (other && other->status == RESULT_OK &&
		    other->handled_by == b->handled_by &&
		    estimate_counts_of_row(other, counts))
			return other;
	}
	return NULL;
}

/* docs[0] is measured. Rows that take no time do not say anything about weights. */
static void collect(const struct documents *d, struct rows *rows)
{
	const struct result *measured = d->docs[0];

	rows->list = calloc(measured->n_benchmarks + 1, sizeof(*rows->list));
	if (!rows->list)
		abort();
	for (size_t i = 0; i < measured->n_benchmarks; i++) {
		const struct result_benchmark *b = &measured->benchmarks[i];
		const struct result_metric *m = result_find_metric(b, METRIC);
		struct estimate_row *row = &rows->list[rows->n];

		if (b->status != RESULT_OK || !m || !(m->value > 0))
			continue;
		if (!find_counts(d, b, row->counts)) {
			rows->unlike++;
			continue;
		}
		row->name = b->name;
		row->config = b->config;
		row->measured = m->value;
		rows->n++;
	}
}

static enum cli_exit check(const struct documents *d)
{
	if (d->docs[0]->target.exact) {
		message_usage(
			"wsbench calibrate",
			"%s is not hardware: the first document is of a measured machine",
			d->docs[0]->target.name);
		return CLI_USAGE;
	}
	for (size_t i = 1; i < d->n; i++) {
		if (strcmp(d->docs[i]->machine.arch, d->docs[0]->machine.arch) != 0) {
			message_usage("wsbench calibrate", "%s is of %s, %s of %s",
				      d->docs[0]->target.name, d->docs[0]->machine.arch,
				      d->docs[i]->target.name, d->docs[i]->machine.arch);
			return CLI_USAGE;
		}
		if (!d->docs[i]->target.exact) {
			message_usage("wsbench calibrate",
				      "%s is not a lab: its document has no counts",
				      d->docs[i]->target.name);
			return CLI_USAGE;
		}
	}
	return CLI_OK;
}

static void print_weights(const struct estimate_weights *w, const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "count", TABLE_KEY, 0, NULL },
		{ "weight", TABLE_RIGHT, 0, NULL },
	};
	struct table t;

	table_init(&t, columns, 2);
	for (size_t i = 0; i < ESTIMATE_TERMS; i++) {
		if (w->weight[i] == 0)
			continue;
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%s", estimate_term(i));
		table_cell(&t, 1, "%.4g", w->weight[i]);
	}
	table_print(stdout, &t, o);
	table_free(&t);
}

static void print_rows(const struct rows *rows, const char *unit,
		       const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "benchmark", TABLE_KEY, 0, NULL },
		{ "measured", TABLE_RIGHT, 0, NULL },
		{ "fitted", TABLE_RIGHT, 0, NULL },
		{ "error", TABLE_RIGHT, 0, NULL },
		{ "left out", TABLE_RIGHT, 0, NULL },
		{ "error", TABLE_RIGHT, 0, NULL },
	};
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < rows->n; i++) {
		const struct estimate_row *r = &rows->list[i];

		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%s [%s]", r->name, r->config);
		table_number(&t, 1, r->measured, false, false);
		table_number(&t, 2, r->fitted, false, false);
		table_cell(&t, 3, "%+.1f %%", 100 * (r->fitted / r->measured - 1));
		table_number(&t, 4, r->left_out, false, false);
		if (!isnan(r->left_out))
			table_cell(&t, 5, "%+.1f %%",
				   100 * (r->left_out / r->measured - 1));
	}
	printf("\nIn %s; left out: by weights that were fitted to the other rows.\n\n",
	       unit);
	table_print(stdout, &t, o);
	table_free(&t);
}

static enum cli_exit write_weights(const char *path, const struct estimate_weights *w,
				   const char *comment)
{
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);
	struct error err;
	int rc;

	if (!f)
		abort();
	estimate_write(f, w, comment);
	if (fclose(f))
		abort();
	rc = file_replace(path, text, bytes);
	free(text);
	if (!rc)
		return CLI_OK;
	file_error(&err, "write", path, rc);
	message_error("%s", err.text);
	return CLI_FAILED;
}

static enum cli_exit calibrate(const struct calibrate *c, const struct documents *d)
{
	const struct result *measured = d->docs[0];
	struct estimate_weights w = { .name = "fitted" };
	enum cli_exit code = check(d);
	struct rows rows = { NULL, 0, 0 };
	struct table_options o;
	double median, largest;
	char text[512];
	int rc;

	if (code != CLI_OK)
		return code;
	collect(d, &rows);
	snprintf(w.unit, sizeof(w.unit), "%s", measured->clock.unit);
	rc = estimate_fit(rows.list, rows.n, &w);
	if (rc) {
		if (rows.n < ESTIMATE_ROWS_MIN)
			message_error(
				"%zu rows do not determine weights (%d are needed): rows of the lab's documents need 'wsbench run --touch'",
				rows.n, ESTIMATE_ROWS_MIN);
		else
			message_error("cannot fit weights to %zu rows: %s", rows.n,
				      rc == -ERANGE ? "no solution was found"
						    : strerror(-rc));
		free(rows.list);
		return CLI_UNTRUSTED;
	}
	estimate_errors(rows.list, rows.n, &median, &largest);
	table_options_for(&o, stdout);
	snprintf(
		text, sizeof(text),
		"%s, %s: %zu rows, %zu without counts of a lab; cross-validated error: median %.1f %%, largest %.1f %%",
		measured->target.name,
		measured->machine.cpu_model ? measured->machine.cpu_model
					    : measured->machine.arch,
		rows.n, rows.unlike, 100 * median, 100 * largest);
	text_clean(text, sizeof(text));
	text_wrap(stdout, text, 0, 2, table_text_columns(&o));
	if (rows.n < 2 * ESTIMATE_TERMS)
		text_wrap(
			stdout,
			"Few rows for this number of weights: single weights are not reliable, and counts that rise together share theirs.",
			0, 2, table_text_columns(&o));
	putchar('\n');
	print_weights(&w, &o);
	print_rows(&rows, w.unit, &o);
	if (c->output)
		code = write_weights(c->output, &w, text);
	free(rows.list);
	return code;
}

int cmd_calibrate(int argc, char **argv)
{
	struct calibrate c = { .files = calloc((size_t)argc + 1, sizeof(char *)) };
	struct documents d = { NULL, 0 };
	enum cli_exit code;

	if (!c.files)
		abort();
	if (options_go(&argp, "wsbench calibrate", argc, argv, &c, &code)) {
		if (!documents_read(&d, c.files, c.n_files))
			code = CLI_USAGE;
		else
			code = calibrate(&c, &d);
		documents_free(&d);
	}
	free(c.files);
	return code;
}
