/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vPMU map in columns: registers down, configs across. */
#include "host/cli/pmu_table.h"

#include <stdlib.h>
#include <string.h>

#include "host/lib/message.h"
#include "host/lib/text.h"
#include "host/lib/number.h"

#define GAP   2
#define CLASS 6 /* "kernel" */

struct columns {
	const struct pmu_map *map;
	FILE *f;
	size_t name, number; /* widths */
};

/* What stands in a cell: who answers, and what it costs. */
struct cell {
	const char *class;
	char number[NUMBER_BYTES];
};

/* A document's text is anybody's. */
static void print_clean(FILE *f, const char *text, size_t width)
{
	char clean[64];

	snprintf(clean, sizeof(clean), "%s", text);
	message_clean(clean);
	text_left(f, clean, width);
}

static struct cell cell_of(const struct pmu_map *map, const char *row, const char *config)
{
	const struct result_benchmark *b =
		row ? result_find(map->doc, row, config) : NULL;
	struct cell cell = { .class = "-", .number = "" };
	const struct result_metric *m;

	if (!b)
		return cell;
	if (b->status != RESULT_OK) {
		cell.class = b->status == RESULT_SKIP ? "skip" : "FAIL";
		return cell;
	}
	cell.class = pmu_map_class(b);
	m = result_find_metric(b, "round_trip");
	number_format(cell.number, m ? m->value : 0, map->doc->target.exact);
	return cell;
}

static void measure(struct columns *c)
{
	struct pmu_line line;

	c->name = strlen("register");
	c->number = strlen("insns");
	for (size_t i = 0; pmu_map_line(c->map->arch, i, &line); i++) {
		if (strlen(line.name) > c->name)
			c->name = strlen(line.name);
		for (size_t k = 0; k < 2 * c->map->n_configs; k++) {
			struct cell cell =
				cell_of(c->map, k & 1 ? line.write_row : line.read_row,
					c->map->configs[k / 2]);

			if (strlen(cell.number) > c->number)
				c->number = strlen(cell.number);
		}
	}
}

static size_t access_width(const struct columns *c)
{
	return GAP + CLASS + 1 + c->number;
}

static void print_head(const struct columns *c, size_t from, size_t to)
{
	text_left(c->f, "", c->name + GAP);
	for (size_t i = from; i < to; i++)
		print_clean(c->f, c->map->configs[i],
			    i + 1 == to ? 0 : 2 * access_width(c));
	fputc('\n', c->f);
	text_left(c->f, "register", c->name);
	for (size_t i = from; i < to; i++) {
		fprintf(c->f, "%*s", GAP, "");
		text_left(c->f, "read", access_width(c) - GAP);
		fprintf(c->f, "%*s", GAP, "");
		text_left(c->f, "write", i + 1 == to ? 0 : access_width(c) - GAP);
	}
	fputc('\n', c->f);
}

static void print_cell(const struct columns *c, const struct cell *cell, bool last)
{
	bool bare = last && !*cell->number;

	fprintf(c->f, "%*s", GAP, "");
	text_left(c->f, cell->class, bare ? 0 : CLASS);
	if (!bare) {
		fputc(' ', c->f);
		text_right(c->f, cell->number, c->number);
	}
}

static void print_line(const struct columns *c, const struct pmu_line *line, size_t from,
		       size_t to)
{
	text_left(c->f, line->name, c->name);
	for (size_t i = from; i < to; i++) {
		struct cell r = cell_of(c->map, line->read_row, c->map->configs[i]);
		struct cell w = cell_of(c->map, line->write_row, c->map->configs[i]);

		print_cell(c, &r, false);
		print_cell(c, &w, i + 1 == to);
	}
	fputc('\n', c->f);
}

/* A document need not hold all of them: --bench chose. */
static bool is_there(const struct pmu_map *map, const struct pmu_line *line)
{
	return (line->read_row && result_find(map->doc, line->read_row, NULL)) ||
	       (line->write_row && result_find(map->doc, line->write_row, NULL));
}

static void print_part(const struct columns *c, size_t from, size_t to)
{
	struct pmu_line line;

	print_head(c, from, to);
	for (size_t i = 0; pmu_map_line(c->map->arch, i, &line); i++)
		if (is_there(c->map, &line))
			print_line(c, &line, from, to);
	fputc('\n', c->f);
}

static void print_notes(const struct columns *c, size_t columns)
{
	const struct pmu_map *map = c->map;

	for (size_t i = 0; i < map->n_skipped; i++) {
		print_clean(c->f, map->skipped[i], 0);
		fputs(": skipped: ", c->f);
		text_wrap(c->f, map->reasons[i], strlen(map->skipped[i]) + 11, GAP,
			  columns);
	}
	text_wrap(
		c->f,
		"Who answers, and what a round trip costs: none = no exit; kernel = "
		"KVM; user = the VMM; fault = the guest takes an exception, which is in "
		"the cost; ? = this KVM does not tell; - = there is no such access.",
		0, GAP, columns);
	if (map->arch == ARCH_X86_64)
		text_wrap(c->f,
			  "A vPMU of x86_64 is untested on hardware: nobody has run this "
			  "where there is one.",
			  0, GAP, columns);
	fputc('\n', c->f);
}

static void print_title(FILE *f, const struct result *doc)
{
	fputs("vPMU map, ", f);
	print_clean(f, doc->target.name, 0);
	if (doc->subject.kernel) {
		fputs(", Linux ", f);
		print_clean(f, doc->subject.kernel, 0);
	}
	if (doc->target.hypervisor) {
		fputs(", KVM ", f);
		print_clean(f, doc->target.hypervisor, 0);
	} else {
		fputs(", no hypervisor", f);
	}
	fputs(", in ", f);
	print_clean(f, doc->clock.unit ? doc->clock.unit : "no unit", 0);
	fputs("\n\n", f);
}

void pmu_table_print(FILE *f, const struct pmu_map *map, size_t columns)
{
	struct columns c = { .map = map, .f = f };
	size_t fit;

	print_title(f, map->doc);
	measure(&c);
	fit = (columns - c.name) / (2 * access_width(&c));
	for (size_t from = 0; from < map->n_configs; from += fit) {
		fit = fit ? fit : 1;
		print_part(&c, from,
			   from + fit < map->n_configs ? from + fit : map->n_configs);
	}
	print_notes(&c, columns);
}
