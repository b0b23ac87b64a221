/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The capability table: fields down, who has which PMU across; both tables as JSON. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/pmu_table.h"
#include "host/lib/message.h"
#include "host/lib/text.h"
#include "host/result/json_list.h"

#define GAP	 2
#define HEAD_MAX 64

struct source {
	const struct result_pmu_source *of;
	char head[HEAD_MAX];
	struct pmu_values values;
	const char *notes[PMU_READINGS_MAX];
	size_t width;
};

struct capabilities {
	const struct pmu_map *map;
	struct source *sources; /* as many as the document has */
	size_t n, name;		/* name: the width of the fields' names */
};

/* "-": not a question to this one. */
static void field_text(const struct capabilities *c, const struct source *s, size_t nth,
		       char text[PMU_TEXT_BYTES])
{
	if (!pmu_field_text(c->map->arch, nth, &s->values, text) &&
	    !s->notes[pmu_field_reading(c->map->arch, nth)])
		snprintf(text, PMU_TEXT_BYTES, "-");
}

static void fill_source(const struct capabilities *c, struct source *s)
{
	const struct result_pmu_source *of = s->of;
	char text[PMU_TEXT_BYTES];

	if (of->config)
		snprintf(s->head, sizeof(s->head), "%s [%s]", of->who, of->config);
	else
		snprintf(s->head, sizeof(s->head), "%s",
			 strcmp(of->who, "kvm") ? of->who : "KVM offers");
	message_clean(s->head);
	pmu_map_values(c->map->arch, of, &s->values, s->notes);
	s->width = text_width(s->head);
	for (size_t i = 0; pmu_field_name(c->map->arch, i); i++) {
		field_text(c, s, i, text);
		if (text_width(text) > s->width)
			s->width = text_width(text);
	}
}

static void build(struct capabilities *c, const struct pmu_map *map)
{
	const struct result_pmu *pmu = &map->doc->pmu;

	*c = (struct capabilities){ .map = map, .n = pmu->n_sources };
	c->sources = calloc(c->n ? c->n : 1, sizeof(*c->sources));
	if (!c->sources)
		abort();
	for (size_t i = 0; i < c->n; i++) {
		c->sources[i].of = &pmu->sources[i];
		fill_source(c, &c->sources[i]);
	}
	c->name = strlen("capability");
	for (size_t i = 0; pmu_field_name(map->arch, i); i++)
		if (strlen(pmu_field_name(map->arch, i)) > c->name)
			c->name = strlen(pmu_field_name(map->arch, i));
}

static void print_part(FILE *f, const struct capabilities *c, size_t from, size_t to)
{
	char text[PMU_TEXT_BYTES];

	text_left(f, "capability", c->name + GAP);
	for (size_t s = from; s < to; s++)
		text_left(f, c->sources[s].head,
			  s + 1 == to ? 0 : c->sources[s].width + GAP);
	fputc('\n', f);
	for (size_t i = 0; pmu_field_name(c->map->arch, i); i++) {
		text_left(f, pmu_field_name(c->map->arch, i), c->name + GAP);
		for (size_t s = from; s < to; s++) {
			field_text(c, &c->sources[s], i, text);
			text_left(f, text, s + 1 == to ? 0 : c->sources[s].width + GAP);
		}
		fputc('\n', f);
	}
	fputc('\n', f);
}

static void print_events(FILE *f, const struct capabilities *c, const struct source *s,
			 size_t columns)
{
	int at = fprintf(f, "events, %s: ", s->head);
	char *text = NULL;
	const char *name;
	size_t bytes;
	FILE *list = open_memstream(&text, &bytes);

	if (!list)
		abort();
	if (!pmu_events_known(c->map->arch, &s->values))
		fputc('?', list);
	else if (!pmu_event_name(c->map->arch, &s->values, 0))
		fputs("none", list);
	for (size_t i = 0; (name = pmu_event_name(c->map->arch, &s->values, i)); i++)
		fprintf(list, "%s%s", i ? ", " : "", name);
	if (fclose(list))
		abort();
	text_wrap(f, text, (size_t)at, GAP, columns);
	free(text);
}

static bool same_note(const struct source *s, size_t a, size_t b)
{
	return s->notes[a] && s->notes[b] && !strcmp(s->notes[a], s->notes[b]);
}

/* Each reason once, with the registers that it is about. */
static void print_source_notes(FILE *f, const struct capabilities *c,
			       const struct source *s, size_t columns)
{
	const char *const *names = pmu_reading_names[c->map->arch];

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
		text_wrap(f, text, 0, GAP, columns);
		free(text);
	}
}

void pmu_capabilities_print(FILE *f, const struct pmu_map *map, size_t columns)
{
	struct capabilities c;
	size_t from, to, width;

	build(&c, map);
	for (from = 0; from < c.n; from = to) {
		width = c.name;
		for (to = from; to < c.n; to++) {
			width += GAP + c.sources[to].width;
			if (width > columns && to > from)
				break;
		}
		print_part(f, &c, from, to);
	}
	for (size_t i = 0; i < c.n; i++)
		print_events(f, &c, &c.sources[i], columns);
	if (c.n)
		fputc('\n', f);
	for (size_t i = 0; i < c.n; i++)
		print_source_notes(f, &c, &c.sources[i], columns);
	free(c.sources);
}

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

static void json_source(struct json_list *l, const struct capabilities *c,
			const struct source *s)
{
	const char *events[128];
	size_t n = 0;

	for (size_t i = 0; pmu_field_name(c->map->arch, i); i++) {
		char text[PMU_TEXT_BYTES];
		bool known = pmu_field_text(c->map->arch, i, &s->values, text);

		json_list_row(l, "capabilities");
		json_list_string(l, "target", c->map->doc->target.name);
		json_list_string(l, "who", s->of->who);
		json_list_string(l, "config", s->of->config);
		json_list_string(l, "name", pmu_field_name(c->map->arch, i));
		json_list_string(l, "value", known ? text : NULL);
		json_list_string(l, "note", s->notes[pmu_field_reading(c->map->arch, i)]);
	}
	while (n < 128 && (events[n] = pmu_event_name(c->map->arch, &s->values, n)))
		n++;
	json_list_row(l, "events");
	json_list_string(l, "target", c->map->doc->target.name);
	json_list_string(l, "who", s->of->who);
	json_list_string(l, "config", s->of->config);
	json_list_bool(l, "known", pmu_events_known(c->map->arch, &s->values));
	json_list_strings(l, "events", events, n);
}

void pmu_json(struct json_list *l, const struct pmu_map *map)
{
	struct capabilities c;
	struct pmu_line line;

	for (size_t i = 0; pmu_map_line(map->arch, i, &line); i++) {
		json_access(l, map, line.name, line.read_row, "read");
		json_access(l, map, line.name, line.write_row, "write");
	}
	build(&c, map);
	for (size_t i = 0; i < c.n; i++)
		json_source(l, &c, &c.sources[i]);
	free(c.sources);
}
