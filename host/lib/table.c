/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of short texts: one model, rendered for a terminal, as Markdown, CSV and HTML.
 */
#include "host/lib/table.h"

#include <langinfo.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/html.h"
#include "host/lib/message.h"
#include "host/lib/number.h"
#include "host/lib/text.h"

#define GAP	      2
#define WIDTH_DEFAULT 100
#define WIDTH_MIN     20
#define WRAP_MIN      40 /* a narrower TABLE_WRAP column goes below its row */
#define BELOW_INDENT  4

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static char *copy(const char *text)
{
	return text ? checked(strdup(text)) : NULL;
}

/* ------------------------------ the model ------------------------------ */

void table_init(struct table *t, const struct table_column *columns, size_t n_columns)
{
	*t = (struct table){ 0 };
	for (size_t c = 0; c < n_columns; c++)
		table_column(t, &columns[c]);
}

void table_column(struct table *t, const struct table_column *column)
{
	struct table_column *new;

	t->columns =
		checked(reallocarray(t->columns, t->n_columns + 1, sizeof(*t->columns)));
	new = &t->columns[t->n_columns++];
	*new = *column;
	new->head = copy(column->head ? column->head : "");
	new->family = copy(column->family);
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->n_rows; i++) {
		for (size_t c = 0; c < t->n_columns; c++)
			free(t->rows[i].cells[c].text);
		free(t->rows[i].cells);
	}
	for (size_t c = 0; c < t->n_columns; c++) {
		free((char *)t->columns[c].head);
		free((char *)t->columns[c].family);
	}
	for (size_t i = 0; i < t->n_notes; i++)
		free(t->notes[i]);
	free(t->rows);
	free(t->columns);
	free(t->notes);
	*t = (struct table){ 0 };
}

void table_row(struct table *t, enum table_color color)
{
	struct table_row row = { .color = color };

	row.cells = checked(calloc(t->n_columns, sizeof(*row.cells)));
	for (size_t c = 0; c < t->n_columns; c++)
		row.cells[c] = (struct table_cell){ copy(""), NAN, TABLE_PLAIN };
	t->rows = checked(reallocarray(t->rows, t->n_rows + 1, sizeof(*t->rows)));
	t->rows[t->n_rows++] = row;
}

static struct table_cell *last(struct table *t, size_t column)
{
	return &t->rows[t->n_rows - 1].cells[column];
}

void table_cell(struct table *t, size_t column, const char *fmt, ...)
{
	struct table_cell *cell = last(t, column);
	va_list ap;

	free(cell->text);
	va_start(ap, fmt);
	if (vasprintf(&cell->text, fmt, ap) < 0)
		abort();
	va_end(ap);
	message_clean(cell->text);
}

void table_number(struct table *t, size_t column, double value, bool exact, bool sign)
{
	char text[NUMBER_BYTES];

	if (isnan(value))
		return;
	number_format(text, value, exact);
	table_cell(t, column, "%s%s", sign && value > 0 ? "+" : "", text);
	table_cell_value(t, column, value);
}

void table_cell_color(struct table *t, size_t column, enum table_color color)
{
	last(t, column)->color = color;
}

void table_cell_value(struct table *t, size_t column, double value)
{
	last(t, column)->value = value;
}

size_t table_note(struct table *t, const char *text)
{
	for (size_t i = 0; i < t->n_notes; i++)
		if (!strcmp(t->notes[i], text))
			return i + 1;
	t->notes = checked(reallocarray(t->notes, t->n_notes + 1, sizeof(*t->notes)));
	t->notes[t->n_notes] = copy(text);
	return ++t->n_notes;
}

/* ------------------------------ the terminal ------------------------------ */

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

static bool is_joined(const struct table *t, size_t c)
{
	return c < t->n_columns && t->columns[c].flags & TABLE_JOIN;
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
			for (size_t k = c + 1; is_joined(t, k) && !*t->columns[k].head;
			     k++)
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

void table_print(FILE *f, const struct table *t, const struct table_options *o)
{
	struct layout l = { .f = f, .t = t, .o = o };
	size_t from = t->n_columns, keys = 0;
	char *dropped;

	if (!t->n_rows)
		return;
	l.widths = checked(calloc(t->n_columns, sizeof(*l.widths)));
	l.starts = checked(calloc(t->n_columns, sizeof(*l.starts)));
	measure(&l);
	l.below = t->columns[t->n_columns - 1].flags & TABLE_WRAP &&
		  part_width(&l, 0, t->n_columns) > o->columns;
	dropped = drop_columns(&l);
	while (keys < t->n_columns && t->columns[keys].flags & TABLE_KEY)
		keys++;
	if (part_width(&l, 0, t->n_columns) <= o->columns || keys == t->n_columns)
		print_part(&l, 0, t->n_columns, false);
	else
		from = keys;
	for (size_t to; from < t->n_columns; from = to) {
		to = group_end(t, from);
		while (to < t->n_columns && same_family(t, from, to) &&
		       part_width(&l, from, group_end(t, to)) <= o->columns)
			to = group_end(t, to);
		print_part(&l, from, to, true);
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

/* ------------------------------ Markdown and CSV ------------------------------ */

void table_markdown_text(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", f);
		else if (*text == '&')
			fputs("&amp;", f);
		else if (*text == '\n')
			fputc(' ', f);
		else if (strchr("|*_`[]\\~#@", *text))
			fprintf(f, "\\%c", *text);
		else
			fputc(*text, f);
	}
}

void table_markdown(FILE *f, const struct table *t, size_t from, size_t to)
{
	for (size_t c = 0; c < t->n_columns; c++) {
		if (is_joined(t, c))
			continue;
		fputs("| ", f);
		table_markdown_text(f, t->columns[c].head);
		fputc(' ', f);
	}
	fputs("|\n", f);
	for (size_t c = 0; c < t->n_columns; c++)
		if (!is_joined(t, c))
			fputs(t->columns[c].flags & TABLE_RIGHT ? "| --: " : "| --- ", f);
	fputs("|\n", f);
	for (size_t i = from; i < to; i++) {
		for (size_t c = 0; c < t->n_columns; c++) {
			const char *text = t->rows[i].cells[c].text;

			if (!is_joined(t, c))
				fputs("| ", f);
			table_markdown_text(f, text);
			if (*text || !is_joined(t, c))
				fputc(' ', f);
		}
		fputs("|\n", f);
	}
}

void table_markdown_notes(FILE *f, const struct table *t)
{
	for (size_t i = 0; i < t->n_notes; i++) {
		fprintf(f, "%s\\[%zu\\] ", i ? "<br>" : "", i + 1);
		table_markdown_text(f, t->notes[i]);
		fputc('\n', f);
	}
}

static void csv_text(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', f);
		fputc(*text == '\n' ? ' ' : *text, f);
	}
	fputc('"', f);
}

void table_csv(FILE *f, const struct table *t)
{
	for (size_t c = 0; c < t->n_columns; c++) {
		fputs(c ? "," : "", f);
		csv_text(f, t->columns[c].head);
	}
	fputs("\r\n", f);
	for (size_t i = 0; i < t->n_rows; i++) {
		for (size_t c = 0; c < t->n_columns; c++) {
			const struct table_cell *cell = &t->rows[i].cells[c];

			fputs(c ? "," : "", f);
			if (isnan(cell->value))
				csv_text(f, cell->text);
			else
				fprintf(f, "%.17g", cell->value);
		}
		fputs("\r\n", f);
	}
}

/* ------------------------------ HTML ------------------------------ */

static const char *class_of(enum table_color color)
{
	return color == TABLE_RED ? "worse" : color == TABLE_GREEN ? "better" : "";
}

static void html_head(FILE *f, const struct table_column *c)
{
	size_t first = strcspn(c->head, "\n");

	fputs(c->flags & TABLE_RIGHT ? "<th scope=col class=n>" : "<th scope=col>", f);
	html_format(f, "%.*s", (int)first, c->head);
	if (c->head[first])
		html_tag(f, "small", " %s", c->head + first + 1);
	fputs("</th>", f);
}

static void html_cell(FILE *f, const struct table_column *c,
		      const struct table_cell *cell, bool row_header)
{
	const char *class = class_of(cell->color), *kind = "";

	if (c->flags & TABLE_RIGHT)
		kind = "n";
	else if (c->flags & TABLE_VERDICT)
		kind = "v";
	fputs(row_header ? "<th scope=row" : "<td", f);
	if (*kind && *class)
		fprintf(f, " class=\"%s %s\"", kind, class);
	else if (*kind || *class)
		fprintf(f, " class=%s%s", kind, class);
	if (!isnan(cell->value))
		fprintf(f, " data-v=\"%.17g\"", cell->value);
	fputc('>', f);
	html_text(f, cell->text);
}

/* Without a head and without a text: no column of the page. */
static bool is_blank(const struct table *t, size_t c)
{
	for (size_t i = 0; i < t->n_rows; i++)
		if (*t->rows[i].cells[c].text)
			return false;
	return !*t->columns[c].head;
}

void table_html(FILE *f, const struct table *t)
{
	bool *blank = checked(calloc(t->n_columns + 1, sizeof(*blank)));
	size_t header = 0; /* the first key column */

	while (header < t->n_columns && !(t->columns[header].flags & TABLE_KEY))
		header++;
	for (size_t c = 0; c < t->n_columns; c++)
		blank[c] = !is_joined(t, c) && is_blank(t, c);
	fputs("<div class=scroll tabindex=0><table class=sort>\n<thead><tr>", f);
	for (size_t c = 0; c < t->n_columns; c++)
		if (!is_joined(t, c) && !blank[c])
			html_head(f, &t->columns[c]);
	fputs("</tr></thead>\n<tbody>\n", f);
	for (size_t i = 0; i < t->n_rows; i++) {
		const char *end = "</td>";

		fputs("<tr>", f);
		for (size_t c = 0; c < t->n_columns; c++) {
			const struct table_cell *cell = &t->rows[i].cells[c];

			if (blank[c])
				continue;
			if (!is_joined(t, c))
				html_cell(f, &t->columns[c], cell, c == header);
			else if (*cell->text)
				html_tag(f, "small", " %s", cell->text);
			if (!is_joined(t, c))
				end = c == header ? "</th>" : "</td>";
			if (!is_joined(t, c + 1))
				fputs(end, f);
		}
		fputs("</tr>\n", f);
	}
	fputs("</tbody></table></div>\n", f);
	free(blank);
}
