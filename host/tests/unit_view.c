/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of numbers, quoting, and atomic writes of pictures. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/report/picture.h"
#include "host/lib/text.h"
#include "host/lib/table.h"
#include "host/report/plots.h"

static char *quoted(const char *text)
{
	char *out = NULL;
	size_t bytes;
	FILE *f = open_memstream(&out, &bytes);

	figure_quote(f, text);
	fclose(f);
	return out;
}

static void expect_number(double value, bool exact, const char *want)
{
	char text[NUMBER_BYTES];

	number_format(text, value, exact);
	cr_expect_str_eq(text, want, "%s instead of %s", text, want);
}

Test(number, has_digit_groups)
{
	expect_number(0, true, "0");
	expect_number(-0.01, false, "0");
	expect_number(999, true, "999");
	expect_number(1000, true, "1,000");
	expect_number(-1234567, true, "-1,234,567");
	expect_number(100000, false, "100,000");
	expect_number(1301.5, true, "1,301.5");
	expect_number(1301.5, false, "1,302");
	expect_number(24.25, false, "24.2");
	expect_number(NAN, false, "?");
	expect_number(INFINITY, false, "inf");
}

static void expect_percent(double value, int decimals, const char *want)
{
	char text[NUMBER_BYTES];

	percent_format(text, value, decimals);
	cr_expect_str_eq(text, want, "%s instead of %s", text, want);
}

/* A verdict "worse" beside "+0.00 %" contradicts itself. */
Test(percent, of_a_small_change_is_not_zero)
{
	expect_percent(6.34, 1, "+6.3 %");
	expect_percent(-0.04, 1, "-0.04 %");
	expect_percent(0.04, 2, "+0.04 %");
	expect_percent(0.0008, 2, "+0.0008 %");
	expect_percent(-0.0096, 1, "-0.010 %");
	expect_percent(0, 1, "+0.0 %");
	expect_percent(1e-300, 1, "+0.000000000 %");
	expect_percent(1234, 0, "+1234 %");
}

Test(gnuplot, names_are_quoted)
{
	char *text = quoted("a'b`touch x`\n\"c\\");

	cr_expect_str_eq(text, "'a''b?touch x??\"c\\'", "%s", text);
	free(text);
}

static size_t entries(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	cr_assert_not_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void remove_folder(const char *dir, const struct picture_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		unlink(files->paths[i]);
	cr_expect_eq(rmdir(dir), 0, "something was left in %s", dir);
}

static bool begins(const char *path, const char *magic, size_t bytes)
{
	char head[16] = "";
	FILE *f = fopen(path, "r");
	size_t n;

	cr_assert_not_null(f, "%s", path);
	n = fread(head, 1, bytes, f);
	fclose(f);
	return n == bytes && !memcmp(head, magic, bytes);
}

static bool have_gnuplot(void)
{
	return !system("gnuplot --version >/dev/null 2>&1");
}

static struct picture_list list;
static struct picture_files files;
static struct error err;
static char dir[] = "/tmp/unit_view.XXXXXX";

/* Draws a picture with the script `commands`. */
static void add(const char *name, const char *commands)
{
	struct picture *p = picture_add(&list);

	picture_name(&list, "%s", name);
	p->width = 300;
	p->height = 200;
	p->script = strdup(commands);
}

static void make_folder(void)
{
	cr_assert_not_null(mkdtemp(dir));
}

static void clean(void)
{
	remove_folder(dir, &files);
	picture_files_free(&files);
	picture_list_free(&list);
}

TestSuite(picture, .init = make_folder, .fini = clean);

Test(picture, each_is_a_pair_of_files)
{
	if (!have_gnuplot())
		cr_skip_test("gnuplot is not installed");
	add("one", "plot x\n");
	add("two", "plot -x\n");
	cr_assert_eq(picture_save(&list, dir, &files, &err), 0, "%s", err.text);
	cr_assert_eq(files.n, 4);
	cr_expect_eq(entries(dir), 4);
	cr_expect(strstr(files.paths[0], "/one.svg"));
	cr_expect(begins(files.paths[0], "<?xml", 5));
	cr_expect(strstr(files.paths[3], "/two.png"));
	cr_expect(begins(files.paths[3], "\x89PNG", 4));
}

Test(picture, names_are_safe_and_unique)
{
	add("../../etc/x y", "");
	add("../../etc/x y", "");
	add(".hidden", "");
	cr_expect_str_eq(list.pictures[0].stem, "-.-..-etc-x-y");
	cr_expect_str_eq(list.pictures[1].stem, "-.-..-etc-x-y-2");
	cr_expect_str_eq(list.pictures[2].stem, "-hidden");
}

Test(picture, a_missing_gnuplot_is_reported_and_leaves_no_file)
{
	add("one", "plot x\n");
	setenv("PATH", dir, 1);
	cr_expect_eq(picture_save(&list, dir, &files, &err), -ENOENT);
	cr_expect(strstr(err.text, "gnuplot is not installed"), "%s", err.text);
	cr_expect_eq(entries(dir), 0);
}

static void put(const char *name, const char *text, mode_t mode)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
	cr_assert_eq(chmod(path, mode), 0);
}

static void drop(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

Test(picture, a_failing_gnuplot_is_quoted_and_the_old_picture_stays)
{
	char old[64];

	put("gnuplot", "#!/bin/sh\necho 'line 3: no such terminal' >&2\nexit 1\n", 0755);
	put("one.svg", "old", 0644);
	snprintf(old, sizeof(old), "%s/one.svg", dir);
	add("one", "plot x\n");
	setenv("PATH", dir, 1);
	cr_expect_eq(picture_save(&list, dir, &files, &err), -EIO);
	cr_expect_str_eq(err.text, "gnuplot failed: line 3: no such terminal");
	cr_expect(begins(old, "old", 3));
	drop("gnuplot");
	drop("one.svg");
}

Test(picture, a_gnuplot_that_draws_nothing_has_failed)
{
	put("gnuplot", "#!/bin/sh\n", 0755);
	add("one", "plot x\n");
	setenv("PATH", dir, 1);
	cr_expect_eq(picture_save(&list, dir, &files, &err), -EIO);
	cr_expect(strstr(err.text, "it drew nothing for one"), "%s", err.text);
	drop("gnuplot");
}

Test(picture, an_invalid_folder_is_named)
{
	add("one", "plot x\n");
	cr_expect_lt(picture_save(&list, "/proc/none/here", &files, &err), 0);
	cr_expect(strstr(err.text, "/proc/none/here"), "%s", err.text);
}

static const struct table_column table_columns[] = {
	{ "name", TABLE_KEY, 0, NULL },	   { "first\nvalue", TABLE_RIGHT, 0, NULL },
	{ "", TABLE_JOIN, 0, NULL },	   { "second", TABLE_RIGHT, 1, NULL },
	{ "third", TABLE_RIGHT, 0, NULL }, { "verdict", TABLE_VERDICT, 0, NULL },
	{ "text", TABLE_WRAP, 0, NULL },
};

static void fill_table(struct table *t)
{
	table_init(t, table_columns, sizeof(table_columns) / sizeof(table_columns[0]));
	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "hypercall");
	table_number(t, 1, 1495, true, false);
	table_cell(t, 2, "[1]");
	table_number(t, 3, 20, true, true);
	table_number(t, 4, 3, true, false);
	table_cell(t, 5, "inconclusive");
	table_cell(t, 6, "some words that \"wrap\" <here>, if they have to");
	table_row(t, TABLE_PLAIN);
	table_cell(t, 0, "mmio_read_user");
	table_cell(t, 4, "-");
}

static char *render(void (*render_to)(FILE *f, const struct table *t,
				      unsigned int columns),
		    unsigned int columns)
{
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);
	struct table t;

	fill_table(&t);
	render_to(f, &t, columns);
	table_free(&t);
	fclose(f);
	return text;
}

static void to_terminal(FILE *f, const struct table *t, unsigned int columns)
{
	const struct table_options o = { .columns = columns };

	table_print(f, t, &o);
}

static void to_html(FILE *f, const struct table *t, unsigned int columns)
{
	(void)columns;
	table_html(f, t);
}

Test(table, one_line_per_row_where_there_is_room)
{
	char *text = render(to_terminal, 120);

	cr_expect(strstr(text,
			 "                first\n"
			 "name            value      second  third  verdict       text\n"
			 "---"),
		  "%s", text);
	cr_expect(
		strstr(text,
		       "---\n"
		       "hypercall       1,495 [1]     +20      3  inconclusive  some words "
		       "that \"wrap\" <here>, if they have to\n"
		       "mmio_read_user                         -\n"),
		"%s", text);
	free(text);
}

/* At any width: no line is wider, no word is broken, and nothing is lost but whole
 * columns. */
Test(table, fits_every_width)
{
	static const char *const always[] = { "hypercall", "1,495 [1]", "inconclusive",
					      "mmio_read_user" };

	for (unsigned int columns = 30; columns < 130; columns++) {
		char *text = render(to_terminal, columns), *rest = text, *line;

		for (size_t i = 0; i < 4; i++)
			cr_expect(strstr(text, always[i]), "%u: no %s in\n%s", columns,
				  always[i], text);
		cr_expect(strstr(text, "+20") || strstr(text, "not shown"), "%u:\n%s",
			  columns, text);
		while ((line = strsep(&rest, "\n")))
			cr_expect_leq(text_width(line), columns, "%u: %s", columns, line);
		free(text);
	}
}

Test(table, html_joins_cells_and_escapes_them)
{
	char *text = render(to_html, 0);

	cr_expect(strstr(text, "<th scope=col class=n>first<small> value</small></th>"),
		  "%s", text);
	cr_expect(strstr(text,
			 "<th scope=row>hypercall</th><td class=n data-v=\"1495\">1,495"
			 "<small> [1]</small></td>"),
		  "%s", text);
	cr_expect(strstr(text, "&quot;wrap&quot; &lt;here&gt;"), "%s", text);
	free(text);
}
