/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exit budget as text, Markdown, CSV and JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/budget/budget.h"
#include "host/lib/error.h"
#include "host/lib/table.h"
#include "host/lib/text.h"
#include "host/result/export.h"
#include "host/result/result.h"

static const char *unit_word(const struct budget *b)
{
	if (!b->unit)
		return "nothing";
	return !strcmp(b->unit, "insns") ? "instructions" : b->unit;
}

static const char *per(const struct budget *b)
{
	return isnan(b->seconds) ? "" : " per second";
}

/* "6.1.0-56-cloud-amd64", or what else tells the document from the other. */
static const char *side_name(const struct result *r)
{
	if (r->subject.label)
		return r->subject.label;
	return r->subject.kernel ? r->subject.kernel : r->target.name;
}

/* Of the ticks that one CPU's clock makes in the interval; NAN: not a share of time. */
static double cpu_share(const struct budget *b, size_t side)
{
	uint64_t hz = b->docs[side]->clock.hz;

	return b->unit && !strcmp(b->unit, "ticks") && hz && !isnan(b->seconds)
		       ? b->spent[side] / b->seconds / (double)hz
		       : NAN;
}

/* "91 % of the exits": never rounded up to all of them. */
static double coverage(const struct budget *b)
{
	return floor(1000 * b->costed / b->exits) / 10;
}

static char *verdict(const struct budget *b)
{
	char amount[NUMBER_BYTES], number[NUMBER_BYTES];
	double change = b->spent[1] - b->spent[0];
	size_t bytes;
	char *text;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	if (!b->n_costed) {
		fputs("none of the exits has a figure", f);
	} else if (b->n_docs == 1) {
		number_format(amount, budget_rate(b, b->spent[0]), false);
		fprintf(f, "%s %s%s on exits", amount, unit_word(b), per(b));
		if (!isnan(cpu_share(b, 0)))
			fprintf(f, ", %.2f %% of one CPU", 100 * cpu_share(b, 0));
	} else {
		number_format(amount, budget_rate(b, change), false);
		number_format(number, budget_rate(b, b->spent[0]), false);
		fprintf(f, "%s%s %s%s on exits", change > 0 ? "+" : "", amount,
			unit_word(b), per(b));
		if (b->spent[0] > 0)
			fprintf(f, " (%+.1f %% of %s)", 100 * change / b->spent[0],
				number);
	}
	if (b->n_costed && b->costed < b->exits)
		fprintf(f, ", for the %.1f %% of the exits that have a figure",
			coverage(b));
	if (b->n_docs == 1)
		fprintf(f, ", by the figures of %s", b->docs[0]->target.name);
	else
		fprintf(f, ", on %s", b->docs[1]->target.name);
	if (b->n_docs == 1 && b->docs[0]->subject.kernel)
		fprintf(f, ", Linux %s", b->docs[0]->subject.kernel);
	else if (b->n_docs == 2)
		fprintf(f, ", from %s to %s", side_name(b->docs[0]),
			side_name(b->docs[1]));
	if (fclose(f))
		abort();
	return text_cleaned_own(text);
}

/* ------------------------------ tables ------------------------------ */

static void head(char text[64], const char *what, const struct budget *b)
{
	snprintf(text, 64, "%s%s", what, isnan(b->seconds) ? "" : "\nper second");
}

static void percent(struct table *t, size_t column, double part, double whole)
{
	if (whole > 0)
		table_cell(t, column, "%.1f %%", 100 * part / whole);
}

/* Of instructions or ticks, in whole ones. */
static void amount(struct table *t, size_t column, const struct budget *b, double value,
		   bool sign)
{
	table_number(t, column, round(budget_rate(b, value)), false, sign);
}

static void fill_one(struct table *t, const struct budget *b)
{
	char exits[64], spent[64], each[64];
	const struct table_column columns[] = {
		{ "exit", TABLE_KEY, 0, NULL },	 { exits, TABLE_RIGHT, 0, NULL },
		{ "row", 0, 0, NULL },		 { each, TABLE_RIGHT, 1, NULL },
		{ spent, TABLE_RIGHT, 0, NULL }, { "share", TABLE_RIGHT, 2, NULL },
	};

	head(exits, "exits", b);
	head(spent, b->unit ? b->unit : "", b);
	snprintf(each, sizeof(each), "%s\nper exit", b->unit ? b->unit : "");
	table_init(t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < b->n_costed; i++) {
		const struct budget_line *line = &b->lines[i];

		table_row(t, TABLE_PLAIN);
		table_cell(t, 0, "%s", line->name);
		table_number(t, 1, budget_rate(b, line->count), false, false);
		table_cell(t, 2, "%s", line->row);
		table_number(t, 3, line->cost[0], false, false);
		amount(t, 4, b, line->spent[0], false);
		percent(t, 5, line->spent[0], b->spent[0]);
	}
	table_align_decimals(t, 1);
	table_align_decimals(t, 3);
}

static void fill_two(struct table *t, const struct budget *b)
{
	char exits[64], base[64], new[64], change[64];
	const struct table_column columns[] = {
		{ "exit", TABLE_KEY, 0, NULL },
		{ exits, TABLE_RIGHT, 0, NULL },
		{ "row", 0, 0, NULL },
		{ "base\nper exit", TABLE_RIGHT, 4, NULL },
		{ "new\nper exit", TABLE_RIGHT, 5, NULL },
		{ base, TABLE_RIGHT, 1, NULL },
		{ new, TABLE_RIGHT, 2, NULL },
		{ change, TABLE_RIGHT, 0, NULL },
		{ "change\nin %", TABLE_RIGHT, 3, NULL },
	};
	head(exits, "exits", b);
	head(base, "base", b);
	head(new, "new", b);
	head(change, "change", b);
	table_init(t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < b->n_costed; i++) {
		const struct budget_line *line = &b->lines[i];
		double more = line->spent[1] - line->spent[0];

		table_row(t, more > 0 ? TABLE_RED : more < 0 ? TABLE_GREEN : TABLE_PLAIN);
		table_cell(t, 0, "%s", line->name);
		table_number(t, 1, budget_rate(b, line->count), false, false);
		table_cell(t, 2, "%s", line->row);
		table_number(t, 3, line->cost[0], false, false);
		table_number(t, 4, line->cost[1], false, false);
		amount(t, 5, b, line->spent[0], false);
		amount(t, 6, b, line->spent[1], false);
		amount(t, 7, b, more, true);
		if (line->spent[0] > 0)
			table_cell(t, 8, "%+.1f %%", 100 * more / line->spent[0]);
	}
	table_align_decimals(t, 1);
	table_align_decimals(t, 3);
	table_align_decimals(t, 4);
}

static void fill(struct table *t, const struct budget *b)
{
	if (b->n_docs == 1)
		fill_one(t, b);
	else
		fill_two(t, b);
}

static void fill_rest(struct table *t, const struct budget *b)
{
	char exits[64];
	const struct table_column columns[] = {
		{ "exit", TABLE_KEY, 0, NULL },
		{ exits, TABLE_RIGHT, 0, NULL },
		{ "no figure, because", TABLE_WRAP, 0, NULL },
	};

	head(exits, "exits", b);
	table_init(t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = b->n_costed; i < b->n_lines; i++) {
		table_row(t, TABLE_PLAIN);
		table_cell(t, 0, "%s", b->lines[i].name);
		table_number(t, 1, budget_rate(b, b->lines[i].count), false, false);
		table_cell(t, 2, "%s", b->lines[i].reason);
	}
	table_align_decimals(t, 1);
}

/* ------------------------------ sentences ------------------------------ */

static char *others_text(const struct budget *b)
{
	char number[NUMBER_BYTES];
	size_t bytes;
	char *text;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	fputs("Not exits, and not in the budget: ", f);
	for (size_t i = 0; i < b->n_others; i++) {
		number_format(number, b->others[i].count, false);
		fprintf(f, "%s%s %s", i ? ", " : "", b->others[i].name, number);
	}
	fputs(".", f);
	if (fclose(f))
		abort();
	return text;
}

/* Exits of several costs under one reason. NULL: none. */
static char *mixed_text(const struct budget *b)
{
	const size_t side = b->n_docs - 1;
	size_t bytes, n = 0;
	char *text;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	for (size_t i = 0; i < b->n_costed; i++) {
		const struct budget_line *line = &b->lines[i];

		if (!line->mixed || !(b->spent[side] > 0))
			continue;
		fprintf(f, "%s%s (all as %s, %.1f %% of the amount)",
			n++ ? ", " : "Reasons of several costs, each with one row's: ",
			line->name, line->row, 100 * line->spent[side] / b->spent[side]);
	}
	fputs(". The count of perf does not tell what the VMM handles from what KVM "
	      "handles; kvm_stat does.",
	      f);
	if (fclose(f))
		abort();
	if (n)
		return text;
	free(text);
	return NULL;
}

/* What the figures are and are not, a sentence each; print() gets every one. */
static void sentences(const struct budget *b, void (*print)(FILE *f, const char *text),
		      FILE *f)
{
	char number[NUMBER_BYTES], whole[NUMBER_BYTES], seconds[NUMBER_BYTES];
	char text[512], *mixed = mixed_text(b);

	number_format(number, b->costed, false);
	number_format(whole, b->exits, false);
	number_format(seconds, b->seconds, false);
	if (isnan(b->seconds))
		snprintf(
			text, sizeof(text),
			"Exits: %s%s, as a whole (--seconds N for amounts per second); %s of %s exits have a figure.",
			b->source, b->since_start ? ", since the start of their VMs" : "",
			number, whole);
	else
		snprintf(text, sizeof(text),
			 "Exits: %s, in %s s; %s of %s exits have a figure.", b->source,
			 seconds, number, whole);
	print(f, text);
	if (b->unit && !strcmp(b->unit, "insns"))
		print(f, "insns: instructions that guest, kernel and VMM execute for an "
			 "exit: the length of the path, not time.");
	else if (b->unit && !strcmp(b->unit, "ticks"))
		print(f, "ticks: steps of the guest's clock on the machine of the "
			 "document.");
	if (b->n_costed)
		print(f, "A row represents all exits of its reason, with the VMM of "
			 "wsbench; --map EXIT=ROW selects another row. --json prints why "
			 "a row represents an exit.");
	if (mixed)
		print(f, mixed);
	free(mixed);
	if (b->lost > 0) {
		snprintf(text, sizeof(text),
			 "perf lost %.0f events: the counts are too low.", b->lost);
		print(f, text);
	}
	if (b->warning) {
		snprintf(text, sizeof(text), "Warning: %s.", b->warning);
		print(f, text);
	}
}

/* ------------------------------ forms ------------------------------ */

static void print_sentence(FILE *f, const char *text)
{
	struct table_options o;

	table_options_for(&o, f);
	text_wrap(f, text, 0, 2, table_text_columns(&o));
}

void budget_print(FILE *f, const struct budget *b)
{
	struct table_options o;
	struct table t;
	char *text = verdict(b);

	table_options_for(&o, f);
	print_sentence(f, text);
	free(text);
	if (b->n_costed) {
		fill(&t, b);
		putc('\n', f);
		table_print(f, &t, &o);
		table_free(&t);
	}
	if (b->n_costed < b->n_lines) {
		fill_rest(&t, b);
		putc('\n', f);
		table_print(f, &t, &o);
		table_free(&t);
	}
	putc('\n', f);
	if (b->n_others) {
		text = others_text(b);
		print_sentence(f, text);
		free(text);
	}
	sentences(b, print_sentence, f);
}

static void markdown_sentence(FILE *f, const char *text)
{
	table_markdown_text(f, text);
	fputs("\n\n", f);
}

void budget_markdown(FILE *f, const struct budget *b)
{
	struct table t;
	char *text = verdict(b);

	fputs("### ", f);
	markdown_sentence(f, text);
	free(text);
	if (b->n_costed) {
		fill(&t, b);
		table_markdown(f, &t, 0, t.n_rows);
		putc('\n', f);
		table_free(&t);
	}
	if (b->n_costed < b->n_lines) {
		fill_rest(&t, b);
		table_markdown(f, &t, 0, t.n_rows);
		putc('\n', f);
		table_free(&t);
	}
	if (b->n_others) {
		text = others_text(b);
		markdown_sentence(f, text);
		free(text);
	}
	sentences(b, markdown_sentence, f);
}

static void csv_number(FILE *f, double value)
{
	putc(',', f);
	if (!isnan(value))
		fprintf(f, "%.15g", value);
}

static void csv_text(FILE *f, const char *text)
{
	putc(',', f);
	export_csv_field(f, text ? text : "");
}

/* A line per exit, and per counter that does not count exits. Amounts are of the whole
 * interval. */
void budget_csv(FILE *f, const struct budget *b)
{
	fputs("exit,count,seconds,handled_us,row,unit,cost,spent,new_cost,new_spent,"
	      "change,reason\n",
	      f);
	for (size_t i = 0; i < b->n_lines; i++) {
		const struct budget_line *line = &b->lines[i];

		export_csv_field(f, line->name);
		csv_number(f, line->count);
		csv_number(f, b->seconds);
		csv_number(f, line->handled_us);
		csv_text(f, line->row);
		csv_text(f, line->reason ? NULL : b->unit);
		csv_number(f, line->reason ? NAN : line->cost[0]);
		csv_number(f, line->spent[0]);
		csv_number(f, line->reason ? NAN : line->cost[1]);
		csv_number(f, line->spent[1]);
		csv_number(f, line->spent[1] - line->spent[0]);
		csv_text(f, line->reason);
		putc('\n', f);
	}
	for (size_t i = 0; i < b->n_others; i++) {
		export_csv_field(f, b->others[i].name);
		csv_number(f, b->others[i].count);
		csv_number(f, b->seconds);
		fputs(",,,,,,,,,not an exit\n", f);
	}
}

static void json_side(struct json_list *l, const char *key, const struct result *r)
{
	json_list_object(l, key);
	json_list_string(l, "run", r->run.id);
	json_list_string(l, "target", r->target.name);
	json_list_string(l, "kernel", r->subject.kernel);
	json_list_string(l, "label", r->subject.label);
}

static void json_exits(struct json_list *l, const struct budget *b)
{
	json_list_array(l, "exits");
	for (size_t i = 0; i < b->n_lines; i++) {
		const struct budget_line *line = &b->lines[i];

		json_list_row(l, "exits");
		json_list_string(l, "exit", line->name);
		json_list_number(l, "count", line->count);
		json_list_real(l, "handled_us", line->handled_us);
		json_list_string(l, "row", line->row);
		json_list_string(l, "why", line->why);
		json_list_bool(l, "mixed", line->mixed);
		json_list_string(l, "reason", line->reason);
		json_list_real(l, "cost", line->reason ? NAN : line->cost[0]);
		json_list_real(l, "spent", line->spent[0]);
		json_list_real(l, "new_cost", line->reason ? NAN : line->cost[1]);
		json_list_real(l, "new_spent", line->spent[1]);
	}
	json_list_array(l, "others");
	for (size_t i = 0; i < b->n_others; i++) {
		json_list_row(l, "others");
		json_list_string(l, "name", b->others[i].name);
		json_list_number(l, "count", b->others[i].count);
	}
}

void budget_json(FILE *f, const struct budget *b)
{
	struct json_list *l = json_list_new();
	char *text;

	json_list_string(l, "schema", "worldswitch.budget");
	json_list_count(l, "schema_version", 1);
	json_list_string(l, "source", b->source);
	json_list_real(l, "seconds", b->seconds);
	json_list_bool(l, "since_start", b->since_start);
	json_list_number(l, "lost_events", b->lost);
	json_list_string(l, "unit", b->unit);
	json_list_number(l, "count", b->exits);
	json_list_number(l, "costed", b->costed);
	json_list_real(l, "spent", b->n_costed ? b->spent[0] : NAN);
	json_list_real(l, "new_spent", b->n_costed && b->n_docs > 1 ? b->spent[1] : NAN);
	json_list_string(l, "warning", b->warning);
	json_side(l, "base", b->docs[0]);
	if (b->n_docs > 1)
		json_side(l, "new", b->docs[1]);
	json_list_top(l);
	json_exits(l, b);
	text = json_list_dump(l);
	fputs(text, f);
	free(text);
	json_list_free(l);
}
