/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vPMU map in a document: its lines, its tables, and its JSON. */
#include "host/report/pmu_map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/lib/table.h"
#include "host/lib/text.h"
#include "host/result/export.h"

/* Instructions that read counters and are not registers. */
static const struct {
	unsigned int archs;
	struct pmu_line line;
} others[] = {
	{ ARCHS_X86_64, { "RDPMC, general counter 0", "rdpmc_general", NULL } },
	{ ARCHS_X86_64, { "RDPMC, fixed counter 0", "rdpmc_fixed", NULL } },
};

#define OTHERS (sizeof(others) / sizeof(others[0]))

bool pmu_map_line(enum arch arch, size_t nth, struct pmu_line *line)
{
	const struct pmu_register *r;
	size_t i;

	for (r = pmu_table; r->name; r++) {
		if (!(r->archs & 1u << arch) || nth--)
			continue;
		*line = (struct pmu_line){ r->name, r->read_row, r->write_row };
		return true;
	}
	for (i = 0; i < OTHERS; i++) {
		if (!(others[i].archs & 1u << arch) || nth--)
			continue;
		*line = others[i].line;
		return true;
	}
	return false;
}

static const struct pmu_register *register_of(const struct result_benchmark *b)
{
	const struct pmu_register *r;

	for (r = pmu_table; r->name; r++)
		if ((r->read_row && !strcmp(b->name, r->read_row)) ||
		    (r->write_row && !strcmp(b->name, r->write_row)))
			return r;
	return NULL;
}

static bool has(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void note_config(struct pmu_map *map, const struct result_benchmark *b)
{
	if (b->status == RESULT_SKIP || map->n_configs == PMU_MAP_CONFIGS ||
	    has(map->configs, map->n_configs, b->config))
		return;
	map->configs[map->n_configs++] = b->config;
}

static void note_skipped(struct pmu_map *map, const struct result_benchmark *b)
{
	if (has(map->configs, map->n_configs, b->config) ||
	    has(map->skipped, map->n_skipped, b->config) ||
	    map->n_skipped == PMU_MAP_CONFIGS)
		return;
	map->reasons[map->n_skipped] = b->reason ? b->reason : "no reason is given";
	map->skipped[map->n_skipped++] = b->config;
}

bool pmu_map_build(struct pmu_map *map, const struct result *doc)
{
	bool any = false;

	*map = (struct pmu_map){ .doc = doc };
	for (size_t i = 0; i < doc->n_benchmarks; i++) {
		const struct pmu_register *r = register_of(&doc->benchmarks[i]);

		if (!r)
			continue;
		any = true;
		map->arch = r->archs & ARCHS_X86_64 ? ARCH_X86_64 : ARCH_AARCH64;
		note_config(map, &doc->benchmarks[i]);
	}
	for (size_t i = 0; i < doc->n_benchmarks; i++)
		if (register_of(&doc->benchmarks[i]))
			note_skipped(map, &doc->benchmarks[i]);
	return any;
}

/* "none", "kernel", "user", "fault"; "?" if this KVM does not report the handler. */
static const char *pmu_map_class(const struct result_benchmark *b)
{
	if (b->exits.faults > 0)
		return "fault";
	return b->handled_by == HANDLED_UNKNOWN ? "?"
						: result_handler_name(b->handled_by);
}

static size_t index_of(enum arch arch, const char *name)
{
	size_t i = 0;

	while (pmu_reading_names[arch][i] && strcmp(pmu_reading_names[arch][i], name))
		i++;
	return i;
}

/* The registers that a source of doc->pmu read. Notes by index of pmu_reading_names, or
 * NULL. */
static void pmu_map_values(enum arch arch, const struct result_pmu_source *source,
			   struct pmu_values *values, const char *notes[PMU_READINGS_MAX])
{
	*values = (struct pmu_values){ .known = { false } };
	memset(notes, 0, PMU_READINGS_MAX * sizeof(*notes));
	for (size_t i = 0; i < source->n_registers; i++) {
		const struct result_pmu_register *r = &source->registers[i];
		size_t at = index_of(arch, r->name);
		char *end;

		if (!pmu_reading_names[arch][at])
			continue; /* of a newer version */
		notes[at] = r->note;
		if (!r->value)
			continue;
		values->value[at] = strtoull(r->value, &end, 16);
		values->known[at] = end != r->value && !*end;
	}
}

/* ------------------------------ the map ------------------------------ */

/* The handler of an access under a config, and its cost in the next column. */
static void fill_access(struct table *t, size_t column, const struct pmu_map *map,
			const char *row, const char *config)
{
	const struct result_benchmark *b =
		row ? result_find(map->doc, row, config) : NULL;
	const struct result_metric *m;

	if (!b || b->status != RESULT_OK) {
		table_cell(t, column, "%s",
			   !b			      ? "-"
			   : b->status == RESULT_SKIP ? "skip"
						      : "FAIL");
		return;
	}
	m = result_find_metric(b, "round_trip");
	table_cell(t, column, "%s", pmu_map_class(b));
	table_number(t, column + 1, m ? m->value : 0, map->doc->target.exact, false);
}

/* --bench may have chosen some registers only. */
static bool is_measured(const struct pmu_map *map, const struct pmu_line *line)
{
	return (line->read_row && result_find(map->doc, line->read_row, NULL)) ||
	       (line->write_row && result_find(map->doc, line->write_row, NULL));
}

static void print_title(FILE *f, const struct result *doc, size_t columns)
{
	char *text;

	if (asprintf(&text, "vPMU map, %s%s%s%s%s, in %s", doc->target.name,
		     doc->subject.kernel ? ", Linux " : "",
		     doc->subject.kernel ? doc->subject.kernel : "",
		     doc->target.hypervisor ? ", KVM " : ", no hypervisor",
		     doc->target.hypervisor ? doc->target.hypervisor : "",
		     doc->clock.unit ? doc->clock.unit : "no unit") < 0)
		abort();
	text_wrap(f, text, 0, 2, columns);
	fputc('\n', f);
	free(text);
}

void pmu_map_print(FILE *f, const struct pmu_map *map, const struct table_options *o)
{
	static const struct table_column name = { "register", TABLE_KEY, 0, NULL };
	static const struct table_column cost = { "", TABLE_JOIN | TABLE_RIGHT, 0, NULL };
	size_t columns = table_text_columns(o);
	struct pmu_line line;
	struct table t;

	table_init(&t, &name, 1);
	for (size_t i = 0; i < map->n_configs; i++) {
		char head[80];

		snprintf(head, sizeof(head), "%.*s\nread",
			 text_prefix(map->configs[i], 60), map->configs[i]);
		table_column(&t, &(struct table_column){ head, 0, 0, NULL });
		table_column(&t, &cost);
		table_column(&t, &(struct table_column){ "write", TABLE_KEEP, 0, NULL });
		table_column(&t, &cost);
	}
	for (size_t i = 0; pmu_map_line(map->arch, i, &line); i++) {
		if (!is_measured(map, &line))
			continue;
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%s", line.name);
		for (size_t k = 0; k < map->n_configs; k++) {
			fill_access(&t, 1 + 4 * k, map, line.read_row, map->configs[k]);
			fill_access(&t, 3 + 4 * k, map, line.write_row, map->configs[k]);
		}
	}
	print_title(f, map->doc, columns);
	table_print(f, &t, o);
	fputc('\n', f);
	for (size_t i = 0; i < map->n_skipped; i++) {
		char *text;

		if (asprintf(&text, "%s: skipped: %s", map->skipped[i], map->reasons[i]) <
		    0)
			abort();
		text_wrap(f, text, 0, 2, columns);
		free(text);
	}
	text_wrap(
		f,
		"The handler of an access and the cost of a round trip: none = no exit; "
		"kernel = KVM; user = the VMM; fault = the guest takes an exception, "
		"whose "
		"handling is part of the cost; ? = this KVM does not report the handler; "
		"- = "
		"the register has no such access.",
		0, 2, columns);
	if (map->arch == ARCH_X86_64)
		text_wrap(f, "Not yet run on x86_64 hardware with a vPMU.", 0, 2,
			  columns);
	fputc('\n', f);
	table_free(&t);
}

/* ------------------------------ the capabilities ------------------------------ */

struct source {
	const struct result_pmu_source *of;
	char head[64];
	struct pmu_values values;
	const char *notes[PMU_READINGS_MAX];
};

/* The document's sources, decoded; the caller frees them. */
static struct source *decode_sources(const struct pmu_map *map, size_t *n)
{
	const struct result_pmu *pmu = &map->doc->pmu;
	struct source *sources = calloc(pmu->n_sources + 1, sizeof(*sources));

	if (!sources)
		abort();
	for (size_t i = 0; i < pmu->n_sources; i++) {
		const struct result_pmu_source *of = &pmu->sources[i];
		struct source *s = &sources[i];

		s->of = of;
		if (of->config)
			snprintf(s->head, sizeof(s->head), "%s [%s]", of->who,
				 of->config);
		else
			snprintf(s->head, sizeof(s->head), "%s",
				 strcmp(of->who, "kvm") ? of->who : "KVM offers");
		text_clean(s->head, sizeof(s->head));
		pmu_map_values(map->arch, of, &s->values, s->notes);
	}
	*n = pmu->n_sources;
	return sources;
}

static void print_events(FILE *f, enum arch arch, const struct source *s, size_t columns)
{
	char *text = NULL;
	const char *name;
	size_t bytes;
	FILE *list = open_memstream(&text, &bytes);

	if (!list)
		abort();
	fprintf(list, "events, %s: ", s->head);
	if (!pmu_events_known(arch, &s->values))
		fputc('?', list);
	else if (!pmu_event_name(arch, &s->values, 0))
		fputs("none", list);
	for (size_t i = 0; (name = pmu_event_name(arch, &s->values, i)); i++)
		fprintf(list, "%s%s", i ? ", " : "", name);
	if (fclose(list))
		abort();
	text_wrap(f, text, 0, 2, columns);
	free(text);
}

static bool same_note(const struct source *s, size_t a, size_t b)
{
	return s->notes[a] && s->notes[b] && !strcmp(s->notes[a], s->notes[b]);
}

/* Each reason once, with its registers. */
static void print_source_notes(FILE *f, enum arch arch, const struct source *s,
			       size_t columns)
{
	const char *const *names = pmu_reading_names[arch];

	for (size_t i = 0, k; names[i]; i++) {
		char *text = NULL;
		size_t bytes;
		FILE *line;

		for (k = 0; k < i && !same_note(s, i, k); k++)
			;
		if (!s->notes[i] || k < i)
			continue;
		line = open_memstream(&text, &bytes);
		if (!line)
			abort();
		fprintf(line, "%s, %s", s->head, names[i]);
		for (k = i + 1; names[k]; k++)
			if (same_note(s, i, k))
				fprintf(line, ", %s", names[k]);
		fprintf(line, ": %s", s->notes[i]);
		if (fclose(line))
			abort();
		text_wrap(f, text, 0, 2, columns);
		free(text);
	}
}

void pmu_capabilities_print(FILE *f, const struct pmu_map *map,
			    const struct table_options *o)
{
	static const struct table_column name = { "capability", TABLE_KEY, 0, NULL };
	size_t columns = table_text_columns(o), n;
	struct source *sources = decode_sources(map, &n);
	struct table t;

	table_init(&t, &name, 1);
	for (size_t s = 0; s < n; s++)
		table_column(&t, &(struct table_column){ sources[s].head, 0, 0, NULL });
	for (size_t i = 0; n && pmu_field_name(map->arch, i); i++) {
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%s", pmu_field_name(map->arch, i));
		for (size_t s = 0; s < n; s++) {
			char text[PMU_TEXT_BYTES];

			/* "-": this source has no such register. */
			if (!pmu_field_text(map->arch, i, &sources[s].values, text) &&
			    !sources[s].notes[pmu_field_reading(map->arch, i)])
				snprintf(text, sizeof(text), "-");
			table_cell(&t, 1 + s, "%s", text);
		}
	}
	table_print(f, &t, o);
	if (n)
		fputc('\n', f);
	for (size_t i = 0; i < n; i++)
		print_events(f, map->arch, &sources[i], columns);
	if (n)
		fputs("\n?: could not be read there; -: there is no such register\n\n",
		      f);
	for (size_t i = 0; i < n; i++)
		print_source_notes(f, map->arch, &sources[i], columns);
	table_free(&t);
	free(sources);
}

/* ------------------------------ JSON ------------------------------ */

static void json_access(struct json_list *l, const struct pmu_map *map, const char *name,
			const char *row, const char *access)
{
	for (size_t i = 0; row && i < map->doc->n_benchmarks; i++) {
		const struct result_benchmark *b = &map->doc->benchmarks[i];
		const struct result_metric *m = result_find_metric(b, "round_trip");
		bool ok = b->status == RESULT_OK;

		if (strcmp(b->name, row))
			continue;
		json_list_row(l, "map");
		json_list_string(l, "target", map->doc->target.name);
		json_list_string(l, "register", name);
		json_list_string(l, "access", access);
		json_list_string(l, "config", b->config);
		json_list_string(l, "status", result_status_name(b->status));
		json_list_string(l, "reason", b->reason);
		json_list_string(l, "class", ok ? pmu_map_class(b) : NULL);
		json_list_real(l, "value", ok && m ? m->value : NAN);
		json_list_string(l, "unit", m ? m->unit : NULL);
	}
}

static void json_source(struct json_list *l, const struct pmu_map *map,
			const struct source *s)
{
	const char *events[128];
	size_t n = 0;

	for (size_t i = 0; pmu_field_name(map->arch, i); i++) {
		char text[PMU_TEXT_BYTES];
		bool known = pmu_field_text(map->arch, i, &s->values, text);

		json_list_row(l, "capabilities");
		json_list_string(l, "target", map->doc->target.name);
		json_list_string(l, "who", s->of->who);
		json_list_string(l, "config", s->of->config);
		json_list_string(l, "name", pmu_field_name(map->arch, i));
		json_list_string(l, "value", known ? text : NULL);
		json_list_string(l, "note", s->notes[pmu_field_reading(map->arch, i)]);
	}
	while (n < 128 && (events[n] = pmu_event_name(map->arch, &s->values, n)))
		n++;
	json_list_row(l, "events");
	json_list_string(l, "target", map->doc->target.name);
	json_list_string(l, "who", s->of->who);
	json_list_string(l, "config", s->of->config);
	json_list_bool(l, "known", pmu_events_known(map->arch, &s->values));
	json_list_strings(l, "events", events, n);
}

void pmu_map_json(struct json_list *l, const struct pmu_map *map)
{
	size_t n;
	struct source *sources = decode_sources(map, &n);
	struct pmu_line line;

	for (size_t i = 0; pmu_map_line(map->arch, i, &line); i++) {
		json_access(l, map, line.name, line.read_row, "read");
		json_access(l, map, line.name, line.write_row, "write");
	}
	for (size_t i = 0; i < n; i++)
		json_source(l, map, &sources[i]);
	free(sources);
}
