/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Explanations that are kept beside a history, and the functions behind a step of it. */
#include "host/explain/step.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"
#include "host/explain/pair.h"
#include "host/lib/file.h"
#include "host/lib/table.h"
#include "host/lib/text.h"

/* ------------------------------ kept explanations ------------------------------ */

#define NAME_MAX_BYTES 128

/* One name of a path: no separator, and no leading dot. */
static void clean_name(const char *text, char name[NAME_MAX_BYTES])
{
	snprintf(name, NAME_MAX_BYTES, "%s", text && *text ? text : "unknown");
	for (char *c = name; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789._+@-",
			    *c) ||
		    (c == name && *c == '.'))
			*c = '-';
}

/* Folders of the target and of the kernel, and the file. */
struct place {
	char folder[PATH_MAX], target[PATH_MAX], kernel[PATH_MAX], file[PATH_MAX];
};

static int place_of(const char *db, const struct keep_name *n, struct place *p)
{
	char target[NAME_MAX_BYTES], kernel[NAME_MAX_BYTES], commit[NAME_MAX_BYTES];
	char benchmark[NAME_MAX_BYTES], config[NAME_MAX_BYTES];
	size_t room = PATH_MAX;

	clean_name(n->target, target);
	clean_name(n->kernel, kernel);
	clean_name(n->commit, commit);
	clean_name(n->benchmark, benchmark);
	clean_name(n->config, config);
	if ((size_t)snprintf(p->folder, room, "%s.explanations", db) >= room ||
	    (size_t)snprintf(p->target, room, "%s/%s", p->folder, target) >= room ||
	    (size_t)snprintf(p->kernel, room, "%s/%s%s%s", p->target, kernel,
			     n->commit ? "@" : "", n->commit ? commit : "") >= room ||
	    (size_t)snprintf(p->file, room, "%s/%s.%s.json.gz", p->kernel, benchmark,
			     config) >= room)
		return -ENAMETOOLONG;
	return 0;
}

static int make_folder(const char *path)
{
	int rc = file_make_folder(path);

	return rc == -EEXIST ? 0 : rc;
}

int keep_add(const char *db, const struct explanation *e, struct error *err)
{
	const struct keep_name name = {
		.target = e->target.name,
		.kernel = e->subject.kernel,
		.commit = e->subject.commit,
		.benchmark = e->benchmark,
		.config = e->config,
	};
	unsigned char *packed = NULL;
	size_t bytes = 0;
	struct place p = { .file = "" };
	char *text;
	int rc = place_of(db, &name, &p);

	if (rc)
		return file_error(err, "keep an explanation beside", db, rc);
	rc = make_folder(p.folder);
	if (!rc)
		rc = make_folder(p.target);
	if (!rc)
		rc = make_folder(p.kernel);
	if (rc)
		return file_error(err, "create", p.kernel, rc);
	text = explanation_dump(e);
	rc = gzip_pack(text, strlen(text), &packed, &bytes);
	if (!rc)
		rc = file_replace(p.file, packed, bytes);
	free(text);
	free(packed);
	return rc ? file_error(err, "write", p.file, rc) : 0;
}

int keep_find(const char *db, const struct keep_name *name, struct explanation **out,
	      struct error *err)
{
	char *packed = NULL, *text = NULL;
	struct error inner;
	struct place p = { .file = "" };
	size_t size = 0;
	long bytes;
	int rc = place_of(db, name, &p);

	*out = NULL;
	if (rc)
		return file_error(err, "read explanations beside", db, rc);
	bytes = file_read(p.file, RESULT_FILE_MAX, &packed);
	rc = bytes < 0
		     ? (int)bytes
		     : gzip_unpack(packed, (size_t)bytes, RESULT_FILE_MAX, &text, &size);
	if (rc) {
		file_error(err, "read", p.file, rc);
	} else {
		rc = explanation_parse(text, size, out, &inner);
		if (rc)
			error_set(err, rc, "%s: %s", file_tail(p.file), inner.text);
	}
	free(packed);
	free(text);
	return rc;
}

/* ------------------------------ functions ------------------------------ */

/* The changes of one row. */
struct step_changes {
	struct explain_change *list;
	size_t n;
	struct step_changes *next;
};

/* NULL is equal to NULL. */
static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Adds up the changes of a row that are of one function, so that the row counts once. */
static void merge(struct step_changes *row)
{
	for (size_t i = 0; i < row->n; i++)
		for (size_t k = i + 1; k < row->n; k++) {
			struct explain_change *c = &row->list[i], *d = &row->list[k];

			if (strcmp(c->name, d->name) || strcmp(c->space, d->space) ||
			    !same_text(c->module, d->module))
				continue;
			c->change += d->change;
			d->change = 0;
		}
}

static struct step_function *function_of(struct step *step,
					 const struct explain_change *c)
{
	for (size_t i = 0; i < step->n; i++) {
		struct step_function *f = &step->functions[i];

		if (!strcmp(f->name, c->name) && !strcmp(f->space, c->space) &&
		    same_text(f->module, c->module))
			return f;
	}
	step->functions =
		reallocarray(step->functions, step->n + 1, sizeof(*step->functions));
	if (!step->functions)
		abort();
	step->functions[step->n] = (struct step_function){
		.name = c->name,
		.space = c->space,
		.module = c->module,
	};
	return &step->functions[step->n++];
}

static void add(struct step *step, const struct explain_change *c)
{
	struct step_function *f;

	if (!c->change)
		return;
	f = function_of(step, c);
	if (!f->n_rows) {
		f->layer = c->layer;
		f->how = c->how;
		f->least = f->most = c->change;
	}
	f->least = c->change < f->least ? c->change : f->least;
	f->most = c->change > f->most ? c->change : f->most;
	f->n_rows++;
}

static long long size_of(const struct step_function *f)
{
	return llabs(f->least) > llabs(f->most) ? llabs(f->least) : llabs(f->most);
}

static int by_weight(const void *a, const void *b)
{
	const struct step_function *x = a, *y = b;
	long long dx = size_of(x) * (long long)x->n_rows;
	long long dy = size_of(y) * (long long)y->n_rows;

	if (dx != dy)
		return (dx < dy) - (dx > dy);
	return strcmp(x->name, y->name) ? strcmp(x->name, y->name)
					: strcmp(x->layer, y->layer);
}

void step_sum(const struct step_row *rows, size_t n, struct step *out)
{
	*out = (struct step){ .functions = NULL };
	for (size_t i = 0; i < n; i++) {
		struct step_changes *c = calloc(1, sizeof(*c));

		if (!c)
			abort();
		c->n = explain_changes(rows[i].base, rows[i].now, &c->list);
		c->next = out->changes;
		out->changes = c;
		merge(c);
		for (size_t k = 0; k < c->n; k++)
			add(out, &c->list[k]);
	}
	if (out->n)
		qsort(out->functions, out->n, sizeof(*out->functions), by_weight);
}

void step_free(struct step *step)
{
	struct step_changes *c = step->changes, *next;

	for (; c; c = next) {
		next = c->next;
		explain_changes_free(c->list, c->n);
		free(c);
	}
	free(step->functions);
	*step = (struct step){ .functions = NULL };
}

static void signed_number(char text[NUMBER_BYTES + 1], long long value)
{
	text[0] = '+';
	number_format(text + (value > 0), (double)value, true);
}

static void add_row(struct table *t, const struct step_function *f, size_t n_rows)
{
	char least[NUMBER_BYTES + 1], most[NUMBER_BYTES + 1];

	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "%s", f->name);
	signed_number(least, f->least);
	signed_number(most, f->most);
	if (f->least == f->most)
		table_cell(t, 1, "%s", most);
	else
		table_cell(t, 1, "%s to %s", least, most);
	table_cell(t, 2, "%zu of %zu", f->n_rows, n_rows);
	table_cell(t, 3, "%s", f->layer);
	if (f->how)
		table_cell(t, 4, "%s", f->how);
}

void step_table(struct table *t, const struct step *step, size_t n_rows, size_t top)
{
	static const struct table_column columns[] = {
		{ "function", TABLE_KEY, 0, NULL }, { "change", TABLE_RIGHT, 0, NULL },
		{ "rows", TABLE_RIGHT, 0, NULL },   { "layer", 0, 1, NULL },
		{ "", TABLE_WRAP, 0, NULL },
	};

	table_init(t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < step->n && i < top; i++)
		add_row(t, &step->functions[i], n_rows);
	if (step->n > top) {
		table_row(t, TABLE_PLAIN);
		table_cell(t, 0, "%zu more", step->n - top);
	}
}
