/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables on a terminal: columns that fit its width, in parts if they must. */
#include "host/lib/table.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/lib/text.h"

#define GAP	      2
#define WIDTH_DEFAULT 100
#define WIDTH_MIN     20
#define WRAP_MIN      40 /* a narrower TABLE_WRAP column goes below its row */
#define BELOW_INDENT  4

static unsigned int limit;

void table_limit(unsigned int columns)
{
	limit = columns;
}

void table_options_for(struct table_options *o, FILE *f)
{
	const char *env = getenv("COLUMNS");
	struct winsize size;
	struct stat st;
	unsigned long columns = 0;

	if (!ioctl(fileno(f), TIOCGWINSZ, &size) && size.ws_col)
		columns = size.ws_col;
	else if (env && !(fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode)))
		columns = strtoul(env, NULL, 10);
	if (!columns || columns > 10000)
		columns = WIDTH_DEFAULT;
	if (limit && columns > limit)
		columns = limit;
	o->columns = columns < WIDTH_MIN ? WIDTH_MIN : (unsigned int)columns;
	o->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	o->color = message_color(f);
}

size_t table_text_columns(const struct table_options *o)
{
	return o->columns < WIDTH_DEFAULT ? o->columns : WIDTH_DEFAULT;
}

/* How a table is laid out: columns of width 0 are not shown. */
struct layout {
	FILE *f;
	const struct table *t;
	const struct table_options *o;
	size_t *widths, *starts; /* per column; starts are of the current part */
	size_t head_lines;
	bool below; /* a TABLE_WRAP text that does not fit after its row goes below the
		       row */
	size_t end; /* of the current part */
};

/* Line `line` of a column's head, counted from the bottom; its width in *width. */
static const char *head_line(const struct table_column *c, size_t line, size_t *bytes)
{
	const char *end = c->head + strlen(c->head), *begin;

	for (;; end = begin - 1, line--) {
		for (begin = end; begin > c->head && begin[-1] != '\n';)
			begin--;
		if (!line || begin == c->head)
			break;
	}
	*bytes = line ? 0 : (size_t)(end - begin);
	return begin;
}

static size_t width_of_bytes(const char *text, size_t bytes)
{
	size_t n = 0;

	for (size_t i = 0; i < bytes; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

static bool is_kept(const struct table *t, size_t c)
{
	return c < t->n_columns && t->columns[c].flags & (TABLE_JOIN | TABLE_KEEP);
}

static size_t gap_before(const struct table *t, size_t c)
{
	return t->columns[c].flags & TABLE_JOIN ? 1 : GAP;
}

/* The widths of cells; then of heads: that of a left-aligned column covers TABLE_JOIN
 * ones. */
static void measure(struct layout *l)
{
	const struct table *t = l->t;

	for (size_t c = 0; c < t->n_columns; c++)
		for (size_t i = 0; i < t->n_rows; i++) {
			size_t w = text_width(t->rows[i].cells[c].text);

			l->widths[c] = w > l->widths[c] ? w : l->widths[c];
		}
	for (size_t c = 0; c < t->n_columns; c++) {
		size_t lines = 1, head = 0, covered = l->widths[c], last_covered = c;

		if (!l->widths[c])
			continue;
		for (const char *p = t->columns[c].head; *p; p++)
			lines += *p == '\n';
		for (size_t line = 0; line < lines; line++) {
			size_t bytes;
			const char *text = head_line(&t->columns[c], line, &bytes);
			size_t w = width_of_bytes(text, bytes);

			head = w > head ? w : head;
		}
		l->head_lines = lines > l->head_lines ? lines : l->head_lines;
		if (!(t->columns[c].flags & TABLE_RIGHT))
			for (size_t k = c + 1;
			     table_is_joined(t, k) && !*t->columns[k].head; k++)
				if (l->widths[k]) {
					covered += 1 + l->widths[k];
					last_covered = k;
				}
		if (head > covered)
			l->widths[last_covered] += head - covered;
	}
}

/* The width of the key columns and of columns [from, to). */
static size_t part_width(const struct layout *l, size_t from, size_t to)
{
	size_t width = 0;

	for (size_t c = 0; c < l->t->n_columns; c++) {
		bool wrap = l->t->columns[c].flags & TABLE_WRAP;
		size_t w = l->widths[c];

		if (!w || (wrap && l->below))
			continue;
		if (!(l->t->columns[c].flags & TABLE_KEY) && (c < from || c >= to))
			continue;
		if (wrap && w > WRAP_MIN)
			w = WRAP_MIN;
		width += w + (width ? gap_before(l->t, c) : 0);
	}
	return width;
}

static void set_color(const struct layout *l, enum table_color which)
{
	static const char *const codes[] = {
		[TABLE_PLAIN] = "\033[0m",   [TABLE_DIM] = "\033[2m",
		[TABLE_RED] = "\033[31m",    [TABLE_GREEN] = "\033[32m",
		[TABLE_YELLOW] = "\033[33m",
	};

	if (l->o->color)
		fputs(codes[which], l->f);
}

static bool is_shown(const struct layout *l, size_t c, size_t from, size_t to)
{
	return l->widths[c] &&
	       ((l->t->columns[c].flags & TABLE_KEY) || (c >= from && c < to)) &&
	       !(l->below && l->t->columns[c].flags & TABLE_WRAP);
}

/* Prints a text of the part in its place; `*at` is the cursor's column. */
static void place(const struct layout *l, size_t c, const char *text, size_t bytes,
		  size_t *at)
{
	size_t w = width_of_bytes(text, bytes), start = l->starts[c];

	if (l->t->columns[c].flags & TABLE_RIGHT && w < l->widths[c])
		start += l->widths[c] - w;
	fprintf(l->f, "%*s%.*s", (int)(start > *at ? start - *at : 0), "", (int)bytes,
		text);
	*at = (start > *at ? start : *at) + w;
}

static void print_head(const struct layout *l, size_t from, size_t to, size_t width)
{
	const struct table *t = l->t;
	bool has_head = false;

	if (l->o->color)
		fputs("\033[1m", l->f);
	for (size_t line = l->head_lines; line-- > 0;) {
		bool any = false;
		size_t at = 0;

		for (size_t c = 0; c < t->n_columns; c++) {
			size_t bytes;
			const char *text = head_line(&t->columns[c], line, &bytes);

			if (!bytes || !is_shown(l, c, from, to))
				continue;
			place(l, c, text, bytes, &at);
			any = true;
		}
		if (any)
			fputc('\n', l->f);
		has_head |= any;
	}
	set_color(l, TABLE_PLAIN);
	for (size_t i = 0; has_head && i < width && i < l->o->columns; i++)
		fputs(l->o->utf8 ? "\u2500" : "-", l->f);
	if (has_head)
		fputc('\n', l->f);
}

static void print_row(const struct layout *l, const struct table_row *row, size_t from,
		      size_t to)
{
	const struct table *t = l->t;
	const struct table_cell *wrapped = NULL;
	size_t at = 0, indent = BELOW_INDENT;

	if (row->color != TABLE_PLAIN)
		set_color(l, row->color);
	for (size_t c = 0; c < t->n_columns; c++) {
		const struct table_cell *cell = &row->cells[c];

		if (t->columns[c].flags & TABLE_WRAP && *cell->text &&
		    to == t->n_columns) {
			wrapped = cell;
			indent = l->below ? BELOW_INDENT : l->starts[c];
			continue;
		}
		if (!*cell->text || !is_shown(l, c, from, to))
			continue;
		if (cell->color != TABLE_PLAIN)
			set_color(l, cell->color);
		place(l, c, cell->text, strlen(cell->text), &at);
		if (cell->color != TABLE_PLAIN)
			set_color(l, row->color);
	}
	if (wrapped) {
		size_t wrap = l->end + GAP;

		if (l->below && wrap + text_width(wrapped->text) <= l->o->columns) {
			indent = wrap;
		} else if (l->below) {
			fputc('\n', l->f);
			at = 0;
		}
		fprintf(l->f, "%*s", (int)(indent > at ? indent - at : 0), "");
		if (wrapped->color != TABLE_PLAIN)
			set_color(l, wrapped->color);
		text_wrap(l->f, wrapped->text, indent, indent, l->o->columns + 1);
	}
	if (row->color != TABLE_PLAIN || (wrapped && wrapped->color != TABLE_PLAIN))
		set_color(l, TABLE_PLAIN);
	if (!wrapped)
		fputc('\n', l->f);
}

static bool is_empty(const struct table_row *row, size_t from, size_t to)
{
	for (size_t c = from; c < to; c++)
		if (*row->cells[c].text && strcmp(row->cells[c].text, "-") != 0)
			return false;
	return true;
}

static void print_part(struct layout *l, size_t from, size_t to, bool split)
{
	const struct table *t = l->t;
	size_t width = 0, keys = 0;

	for (size_t c = 0; c < t->n_columns; c++) {
		if (!is_shown(l, c, from, to))
			continue;
		l->starts[c] = width + (width ? gap_before(t, c) : 0);
		width = l->starts[c] + l->widths[c];
	}
	while (keys < t->n_columns && t->columns[keys].flags & TABLE_KEY)
		keys++;
	l->end = width;
	print_head(l, from, to, width);
	for (size_t i = 0; i < t->n_rows; i++) {
		const struct table_row *row = &t->rows[i];

		/* A row without any content is in the first part. */
		if (!split || !is_empty(row, from, to) ||
		    (from == keys && is_empty(row, keys, t->n_columns)))
			print_row(l, row, from, to);
	}
}

/* Leaves out columns in their order while the table is too wide, and names them below it.
 */
static char *drop_columns(struct layout *l)
{
	const struct table *t = l->t;
	char *dropped = NULL;

	while (part_width(l, 0, t->n_columns) > l->o->columns) {
		size_t next = t->n_columns;
		char *more;

		for (size_t c = 0; c < t->n_columns; c++)
			if (l->widths[c] && t->columns[c].drop &&
			    (next == t->n_columns ||
			     t->columns[c].drop < t->columns[next].drop))
				next = c;
		if (next == t->n_columns)
			break;
		l->widths[next] = 0;
		if (asprintf(&more, "%s%s%s", dropped ? dropped : "", dropped ? ", " : "",
			     t->columns[next].head) < 0)
			abort();
		free(dropped);
		dropped = more;
	}
	return dropped;
}

/* The end of the columns that stay together with column `c`. */
static size_t group_end(const struct table *t, size_t c)
{
	for (c++; is_kept(t, c);)
		c++;
	return c;
}

static bool same_family(const struct table *t, size_t a, size_t b)
{
	const char *x = t->columns[a].family, *y = t->columns[b].family;

	return !x || !y || !strcmp(x, y);
}

/* The first column from `c` on that is not empty and not left out; or the end. */
static size_t next_shown(const struct layout *l, size_t c)
{
	while (c < l->t->n_columns && !l->widths[c])
		c++;
	return c;
}

void table_print(FILE *f, const struct table *t, const struct table_options *o)
{
	struct layout l = { .f = f, .t = t, .o = o };
	size_t from = t->n_columns, keys = 0;
	char *dropped;

	if (!t->n_rows)
		return;
	l.widths = calloc(t->n_columns, sizeof(*l.widths));
	l.starts = calloc(t->n_columns, sizeof(*l.starts));
	if (!l.widths || !l.starts)
		abort();
	measure(&l);
	l.below = t->columns[t->n_columns - 1].flags & TABLE_WRAP &&
		  part_width(&l, 0, t->n_columns) > o->columns;
	dropped = drop_columns(&l);
	while (keys < t->n_columns && t->columns[keys].flags & TABLE_KEY)
		keys++;
	if (part_width(&l, 0, t->n_columns) <= o->columns || keys == t->n_columns)
		print_part(&l, 0, t->n_columns, false);
	else
		from = next_shown(&l, keys);
	for (size_t to; from < t->n_columns; from = to) {
		to = group_end(t, from);
		while (to < t->n_columns && same_family(t, from, to) &&
		       part_width(&l, from, group_end(t, to)) <= o->columns)
			to = group_end(t, to);
		print_part(&l, from, to, true);
		to = next_shown(&l, to);
		if (to < t->n_columns)
			fputc('\n', f);
	}
	if (dropped) {
		char *line;

		if (asprintf(&line, "(not shown at this width: %s)", dropped) < 0)
			abort();
		text_wrap(f, line, 0, 1, o->columns);
		free(line);
	}
	free(dropped);
	free(l.widths);
	free(l.starts);
}

void table_print_notes(FILE *f, const struct table *t, const struct table_options *o)
{
	for (size_t i = 0; i < t->n_notes; i++) {
		int at = fprintf(f, "[%zu] ", i + 1);

		text_wrap(f, t->notes[i], (size_t)at, (size_t)at, table_text_columns(o));
	}
}
