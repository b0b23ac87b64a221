/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An explanation by lines of source: a table of all lines, and listings of functions. */
#include "host/explain/explain_text.h"

#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"
#include "host/lib/file.h"
#include "host/lib/text.h"
#include "host/lib/table.h"
#include "host/result/result.h"

/* ------------------------------ source ------------------------------ */

#define SOURCE_BYTES_MAX (16u << 20)

/* A file of the source, as lines. */
struct text {
	struct text *next;
	const char *file;
	char *bytes;	    /* lines end with NUL */
	const char **lines; /* the first one is number 1 */
	size_t n;
};

struct source {
	const char *folder; /* NULL: none */
	struct text *texts;
};

/* A document may be from anywhere: its files are below the folder, or are not read. */
static bool is_below(const char *file)
{
	return *file != '/' && strncmp(file, "../", 3) != 0 && !strstr(file, "/../");
}

static void split(struct text *t, size_t bytes)
{
	size_t room = 1;

	for (size_t i = 0; i < bytes; i++)
		room += t->bytes[i] == '\n' || !t->bytes[i];
	t->lines = store_check(calloc(room + 1, sizeof(*t->lines)));
	for (char *line = t->bytes; line < t->bytes + bytes; line += strlen(line) + 1) {
		line[strcspn(line, "\n")] = '\0';
		t->lines[++t->n] = line;
	}
}

static const struct text *read_text(struct source *s, const char *file)
{
	struct text *t;
	char *path;
	long bytes;

	for (t = s->texts; t; t = t->next)
		if (!strcmp(t->file, file))
			return t;
	t = store_check(calloc(1, sizeof(*t)));
	t->file = file;
	t->next = s->texts;
	s->texts = t;
	if (!is_below(file))
		return t;
	if (asprintf(&path, "%s/%s", s->folder, file) < 0)
		abort();
	bytes = file_read(path, SOURCE_BYTES_MAX, &t->bytes);
	free(path);
	if (bytes > 0) {
		t->bytes = store_check(realloc(t->bytes, (size_t)bytes + 1));
		t->bytes[bytes] = '\0';
		split(t, (size_t)bytes);
	}
	return t;
}

/* A line of the source, with blanks for tabs, in memory that the caller frees; or NULL.
 */
static char *read_line(struct source *s, const char *file, uint64_t line)
{
	const struct text *t = s->folder && file && line ? read_text(s, file) : NULL;
	const char *from = t && line <= t->n ? t->lines[line] : NULL;
	char *out, *to;

	if (!from)
		return NULL;
	out = to = store_check(malloc(8 * strlen(from) + 1));
	for (; *from; from++) {
		*to++ = *from == '\t' ? ' ' : *from;
		while (*from == '\t' && (to - out) % 8)
			*to++ = ' ';
	}
	*to = '\0';
	return out;
}

static void free_source(struct source *s)
{
	struct text *next;

	for (; s->texts; s->texts = next) {
		next = s->texts->next;
		free(s->texts->bytes);
		free(s->texts->lines);
		free(s->texts);
	}
}

/* ------------------------------ lines ------------------------------ */

/* Instructions of each location, in all stacks. */
static uint64_t *count_locations(const struct explanation *e)
{
	uint64_t *counts = store_check(calloc(e->n_locations + 1, sizeof(*counts)));

	for (size_t i = 0; i < e->n_stacks; i++)
		for (size_t k = 0; k < e->stacks[i].n_instructions; k++)
			counts[e->stacks[i].instructions[k].location] +=
				e->stacks[i].instructions[k].insns;
	return counts;
}

/* A line of a function; inlined functions count in each function that they are in. */
struct line {
	const struct explanation_location *location;
	const char *file, *function;
	uint64_t line, insns;
};

static struct line line_of(const struct explanation_location *l)
{
	const struct explanation_source *s =
		l->n_sources ? &l->sources[l->n_sources - 1] : NULL;

	return (struct line){
		.location = l,
		.file = s && s->file && s->line ? s->file : "",
		.function = s ? s->function : l->name,
		.line = s && s->file ? s->line : 0,
	};
}

static int by_place(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	const char *m = x->location->module ? x->location->module : "";
	const char *n = y->location->module ? y->location->module : "";
	int order = strcmp(x->file, y->file);

	if (order)
		return order;
	if (x->line != y->line)
		return (x->line > y->line) - (x->line < y->line);
	order = strcmp(x->function, y->function);
	if (!order)
		order = strcmp(x->location->name, y->location->name);
	if (!order)
		order = strcmp(x->location->space, y->location->space);
	return order ? order : strcmp(m, n);
}

static int by_insns(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->insns != y->insns)
		return (x->insns < y->insns) - (x->insns > y->insns);
	return by_place(a, b);
}

/* The lines that ran, most instructions first. The caller frees them. */
static size_t find_lines(const struct explanation *e, struct line **out)
{
	struct line *list = store_check(calloc(e->n_locations + 1, sizeof(*list)));
	uint64_t *counts = count_locations(e);
	size_t all = 0, n = 0;

	for (size_t i = 0; i < e->n_locations; i++) {
		if (!counts[i])
			continue;
		list[all] = line_of(&e->locations[i]);
		list[all++].insns = counts[i];
	}
	if (all)
		qsort(list, all, sizeof(*list), by_place);
	for (size_t i = 0; i < all; i++)
		if (n && !by_place(&list[n - 1], &list[i]))
			list[n - 1].insns += list[i].insns;
		else
			list[n++] = list[i];
	if (n)
		qsort(list, n, sizeof(*list), by_insns);
	free(counts);
	*out = list;
	return n;
}

static double percent(const struct explanation *e, double insns)
{
	return e->total ? 100 * insns / (double)e->total : 0;
}

static void add_numbers(struct table *t, const struct explanation *e, double insns,
			double sum)
{
	table_number(t, 1, insns, true, false);
	table_cell(t, 2, "%.1f %%", percent(e, insns));
	table_cell(t, 3, "%.1f %%", percent(e, sum));
}

void explain_print_lines(FILE *f, const struct explanation *e, uint64_t most,
			 const char *source, const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "line", TABLE_KEY, 0, NULL },	     { "insns", TABLE_RIGHT, 0, NULL },
		{ "share", TABLE_RIGHT, 1, NULL },   { "running", TABLE_RIGHT, 2, NULL },
		{ "function", TABLE_WRAP, 0, NULL },
	};
	struct source s = { .folder = source };
	struct line *lines;
	size_t n = find_lines(e, &lines), i;
	double sum = 0, before;
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (i = 0; i < n && i < most; i++) {
		const struct line *l = &lines[i];
		char *text = read_line(&s, l->file, l->line);
		bool inlined;

		sum += (double)l->insns;
		table_row(&t, TABLE_PLAIN);
		if (*l->file)
			table_cell(&t, 0, "%s:%llu", l->file,
				   (unsigned long long)l->line);
		else
			table_cell(&t, 0, "no line");
		add_numbers(&t, e, (double)l->insns, sum);
		inlined = strcmp(l->function, l->location->name) != 0;
		table_cell(&t, 4, "%s%s%s%s%s", l->function, inlined ? " in " : "",
			   inlined ? l->location->name : "", text ? ": " : "",
			   text ? text + strspn(text, " ") : "");
		free(text);
	}
	before = sum;
	for (size_t k = i; k < n; k++)
		sum += (double)lines[k].insns;
	if (i < n) {
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%zu more", n - i);
		add_numbers(&t, e, sum - before, sum);
	}
	if (e->clock_insns) {
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "less the cost of reading the clock");
		add_numbers(&t, e, -(double)e->clock_insns, sum - (double)e->clock_insns);
	}
	table_print(f, &t, o);
	table_free(&t);
	free(lines);
	free_source(&s);
}

/* ------------------------------ listings ------------------------------ */

/* An instruction of the listed function. */
struct listed {
	const struct explanation_location *location;
	uint64_t insns;
	size_t level; /* of the listed function among the sources */
};

/* The level of a function among the sources of a location; false: not there. */
static bool find_level(const struct explanation_location *l, const char *function,
		       size_t *level)
{
	*level = 0;
	if (!strcmp(l->name, function))
		return true;
	while (*level < l->n_sources &&
	       strcmp(l->sources[*level].function, function) != 0)
		++*level;
	return *level < l->n_sources;
}

static int by_owner(const struct explanation_location *x,
		    const struct explanation_location *y)
{
	int order = strcmp(x->name, y->name);

	if (!order)
		order = strcmp(x->space, y->space);
	return order ? order
		     : strcmp(x->module ? x->module : "", y->module ? y->module : "");
}

static int by_address(const void *a, const void *b)
{
	const struct explanation_location *x = ((const struct listed *)a)->location;
	const struct explanation_location *y = ((const struct listed *)b)->location;
	int order = by_owner(x, y);

	return order ? order : (x->offset > y->offset) - (x->offset < y->offset);
}

/* The place in the listed function itself. */
static const struct explanation_source *place_in(const struct listed *l)
{
	return l->level < l->location->n_sources ? &l->location->sources[l->level] : NULL;
}

static void print_total(struct table *t, uint64_t sum, size_t column)
{
	table_row(t, TABLE_PLAIN);
	table_number(t, 0, (double)sum, true, false);
	table_cell(t, column, "total");
}

/* Lines without instructions between two with instructions, if not more than that. */
#define GAP_MAX 8

/* The file of most instructions; NULL: no instruction has one. */
static const char *main_file(const struct listed *list, size_t n)
{
	const char *found = NULL;
	uint64_t most = 0;

	for (size_t i = 0; i < n; i++) {
		const struct explanation_source *p = place_in(&list[i]), *q;
		uint64_t sum = 0;

		if (!p || !p->file || (found && !strcmp(p->file, found)))
			continue;
		for (size_t k = 0; k < n; k++) {
			q = place_in(&list[k]);
			if (q && q->file && !strcmp(q->file, p->file))
				sum += list[k].insns;
		}
		if (sum > most) {
			most = sum;
			found = p->file;
		}
	}
	return found;
}

/*
 * The source of the function, with the instructions of each line and of what is inlined
 * there. Without the file, prints nothing.
 */
static void print_source(FILE *f, const struct listed *list, size_t n, struct source *s,
			 const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "insns", TABLE_RIGHT | TABLE_KEY, 0, NULL },
		{ "line", TABLE_RIGHT | TABLE_KEY, 0, NULL },
		{ "source", TABLE_KEY, 0, NULL },
	};
	const char *file = main_file(list, n);
	const struct explanation_source *p;
	const struct text *text = s->folder && file ? read_text(s, file) : NULL;
	uint64_t *counts, sum = 0, all = 0;
	struct table t;
	size_t last = 0;

	if (!text || !text->n)
		return;
	counts = store_check(calloc(text->n + 1, sizeof(*counts)));
	for (size_t i = 0; i < n; i++) {
		p = place_in(&list[i]);
		all += list[i].insns;
		if (p && p->file && !strcmp(p->file, file) && p->line <= text->n)
			counts[p->line] += list[i].insns;
	}
	fprintf(f, "%s\n\n", file);
	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t line = 1; line <= text->n; line++) {
		if (!counts[line])
			continue;
		if (last && line - last > GAP_MAX) {
			table_row(&t, TABLE_PLAIN);
			table_cell(&t, 1, "...");
			last = line - 1;
		}
		for (size_t i = last ? last + 1 : line; i <= line; i++) {
			char *out = read_line(s, file, i);

			table_row(&t, TABLE_PLAIN);
			if (counts[i])
				table_number(&t, 0, (double)counts[i], true, false);
			table_cell(&t, 1, "%zu", i);
			table_cell(&t, 2, "%s", out ? out : "");
			free(out);
		}
		sum += counts[line];
		last = line;
	}
	if (all > sum) {
		table_row(&t, TABLE_PLAIN);
		table_number(&t, 0, (double)(all - sum), true, false);
		table_cell(&t, 2, "in other files, or without a line");
	}
	print_total(&t, all, 2);
	table_print(f, &t, o);
	fputc('\n', f);
	table_free(&t);
	free(counts);
}

static bool is_same_place(const struct explanation_location *x,
			  const struct explanation_location *y)
{
	const struct line a = line_of(x), b = line_of(y);

	if (a.line != b.line || strcmp(a.file, b.file) != 0 ||
	    x->n_sources != y->n_sources)
		return false;
	for (size_t i = 0; i < x->n_sources; i++)
		if (strcmp(x->sources[i].function, y->sources[i].function) != 0)
			return false;
	return true;
}

/* "inner at line 12, in middle at line 5: SOURCE": what is inlined in the function. */
static void add_inlined(struct table *t, size_t column, const struct listed *l,
			const char *source)
{
	const struct explanation_location *at = l->location;
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	for (size_t i = at->n_sources; i > l->level + 1; i--)
		fprintf(f, "%s%s at line %llu", i < at->n_sources ? ", in " : "",
			at->sources[i - 1].function,
			(unsigned long long)at->sources[i - 2].line);
	if (source)
		fprintf(f, "%s%s", at->n_sources > l->level + 1 ? ": " : "",
			source + strspn(source, " "));
	if (fclose(f))
		abort();
	table_cell(t, column, "%s", text);
	free(text);
}

static void print_addresses(FILE *f, const struct listed *list, size_t n,
			    struct source *s, const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "insns", TABLE_RIGHT | TABLE_KEY, 0, NULL },
		{ "address", TABLE_RIGHT | TABLE_KEY, 0, NULL },
		{ "line", TABLE_KEY, 0, NULL },
		{ "inlined", TABLE_WRAP, 0, NULL },
	};
	uint64_t sum = 0;
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < n; i++) {
		const struct line l = line_of(list[i].location);
		char *text;

		sum += list[i].insns;
		table_row(&t, TABLE_PLAIN);
		table_number(&t, 0, (double)list[i].insns, true, false);
		table_cell(&t, 1, "+0x%llx",
			   (unsigned long long)list[i].location->offset);
		/* A place is printed once for all its instructions. */
		if (i && is_same_place(list[i - 1].location, list[i].location))
			continue;
		if (*l.file)
			table_cell(&t, 2, "%s:%llu", l.file, (unsigned long long)l.line);
		else
			table_cell(&t, 2, "no line");
		text = read_line(s, l.file, l.line);
		add_inlined(&t, 3, &list[i], text);
		free(text);
	}
	print_total(&t, sum, 2);
	table_print(f, &t, o);
	table_free(&t);
}

static void print_listing(FILE *f, const char *function, const struct listed *list,
			  size_t n, struct source *s, const struct table_options *o)
{
	const struct explanation_location *l = list[0].location;
	const bool inlined = strcmp(l->name, function) != 0;
	char total[NUMBER_BYTES];
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += list[i].insns;
	number_format(total, (double)sum, true);
	fprintf(f, "%s%s%s (%s): %s instruction%s at %zu address%s\n\n", function,
		inlined ? ", inlined in " : "", inlined ? l->name : "",
		l->module ? l->module : l->space, total, sum == 1 ? "" : "s", n,
		n == 1 ? "" : "es");
	print_source(f, list, n, s, o);
	print_addresses(f, list, n, s, o);
}

bool explain_print_annotated(FILE *f, const struct explanation *e, const char *function,
			     const char *source, const struct table_options *o)
{
	struct listed *list = store_check(calloc(e->n_locations + 1, sizeof(*list)));
	struct source s = { .folder = source };
	uint64_t *counts = count_locations(e);
	size_t n = 0;

	for (size_t i = 0; i < e->n_locations; i++) {
		if (!counts[i] || !find_level(&e->locations[i], function, &list[n].level))
			continue;
		list[n].location = &e->locations[i];
		list[n++].insns = counts[i];
	}
	if (n)
		qsort(list, n, sizeof(*list), by_address);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from;
		     to < n && !by_owner(list[from].location, list[to].location);)
			to++;
		if (from)
			fputc('\n', f);
		print_listing(f, function, &list[from], to - from, &s, o);
	}
	free(list);
	free(counts);
	free_source(&s);
	return n > 0;
}
