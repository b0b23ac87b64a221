/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pprof's profile.proto, gzipped. The messages are encoded here: a field is its number
 * and wire type, then a variable-length integer, or a length and bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/formats.h"
#include "host/lib/file.h"

/* Numbers of the fields of profile.proto. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING_TABLE = 6,
	PROFILE_COMMENT = 13,
	PROFILE_DEFAULT_SAMPLE_TYPE = 14,
	VALUE_TYPE_TYPE = 1,
	VALUE_TYPE_UNIT = 2,
	SAMPLE_LOCATION_ID = 1,
	SAMPLE_VALUE = 2,
	MAPPING_ID = 1,
	MAPPING_FILENAME = 5,
	MAPPING_HAS_FUNCTIONS = 7,
	MAPPING_HAS_FILENAMES = 8,
	MAPPING_HAS_LINE_NUMBERS = 9,
	MAPPING_HAS_INLINE_FRAMES = 10,
	LOCATION_ID = 1,
	LOCATION_MAPPING_ID = 2,
	LOCATION_LINE = 4,
	LINE_FUNCTION_ID = 1,
	LINE_LINE = 2,
	FUNCTION_ID = 1,
	FUNCTION_NAME = 2,
	FUNCTION_SYSTEM_NAME = 3,
	FUNCTION_FILENAME = 4,
};

struct message {
	unsigned char *bytes;
	size_t n, room;
};

static void append(struct message *m, const void *bytes, size_t n)
{
	if (!n) /* `bytes` of an empty message is NULL */
		return;
	if (m->n + n > m->room) {
		m->room = 2 * (m->n + n) + 64;
		m->bytes = realloc(m->bytes, m->room);
		if (!m->bytes)
			abort();
	}
	memcpy(m->bytes + m->n, bytes, n);
	m->n += n;
}

static void append_varint(struct message *m, uint64_t value)
{
	unsigned char byte;

	do {
		byte = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);
		append(m, &byte, 1);
		value >>= 7;
	} while (value);
}

static void append_number(struct message *m, unsigned int field, uint64_t value)
{
	append_varint(m, field << 3);
	append_varint(m, value);
}

static void append_bytes(struct message *m, unsigned int field, const void *bytes,
			 size_t n)
{
	append_varint(m, field << 3 | 2);
	append_varint(m, n);
	append(m, bytes, n);
}

/* Appends and empties `inner`. */
static void append_message(struct message *m, unsigned int field, struct message *inner)
{
	append_bytes(m, field, inner->bytes, inner->n);
	inner->n = 0;
}

struct strings {
	const char **list;
	size_t n, room;
};

/* The number of a string in the table, whose first string is empty. */
static size_t string_of(struct strings *t, const char *text)
{
	size_t i = 0;

	while (i < t->n && strcmp(t->list[i], text) != 0)
		i++;
	if (i < t->n)
		return i;
	if (t->n == t->room) {
		t->room = 2 * t->room + 64;
		t->list = realloc(t->list, t->room * sizeof(*t->list));
		if (!t->list)
			abort();
	}
	t->list[t->n] = text;
	return t->n++;
}

static void append_types(struct message *m, struct strings *t, size_t n)
{
	struct message type = { 0 };

	for (size_t i = 0; i < n; i++) {
		append_number(&type, VALUE_TYPE_TYPE,
			      string_of(t, format_costs[i].title));
		append_number(&type, VALUE_TYPE_UNIT, string_of(t, "count"));
		append_message(m, PROFILE_SAMPLE_TYPE, &type);
	}
	free(type.bytes);
}

struct profile {
	const struct explanation *e;
	bool lines;
	size_t n_costs;
	struct format_functions functions; /* of the frames */
	struct strings strings;
	struct strings mappings;     /* modules and spaces */
	struct format_places places; /* what pprof calls functions */
	struct message mapping_messages, locations;
};

static void append_sample(struct message *m, const struct profile *p, size_t stack,
			  const struct explanation_insn *insn)
{
	const struct explanation_stack *s = &p->e->stacks[stack];
	struct message sample = { 0 }, list = { 0 };
	uint64_t costs[FORMAT_COSTS];

	/*
	 * The innermost function is first. The locations of the explanation have the
	 * first numbers, from 1, then the functions, where only the function is known.
	 */
	for (size_t k = s->n_frames; k > 0; k--) {
		int64_t at = -1;

		if (insn)
			at = k == s->n_frames ? (int64_t)insn->location
			     : s->n_sites     ? s->sites[k - 1].location
					      : -1;
		if (at >= 0)
			append_varint(&list, (uint64_t)at + 1);
		else
			append_varint(&list, (p->lines ? p->e->n_locations : 0) +
						     p->functions.of[stack][k - 1] + 1);
	}
	append_message(&sample, SAMPLE_LOCATION_ID, &list);
	format_costs_get(insn ? insn->insns : s->insns, insn ? &insn->kinds : &s->kinds,
			 p->n_costs, costs);
	for (size_t c = 0; c < p->n_costs; c++)
		append_varint(&list, costs[c]);
	append_message(&sample, SAMPLE_VALUE, &list);
	append_message(m, PROFILE_SAMPLE, &sample);
	free(sample.bytes);
	free(list.bytes);
}

/* A sample for each stack or, with lines, for each instruction of each stack. */
static void append_samples(struct message *m, const struct profile *p)
{
	for (size_t i = 0; i < p->e->n_stacks; i++) {
		const struct explanation_stack *s = &p->e->stacks[i];

		if (!p->lines)
			append_sample(m, p, i, NULL);
		for (size_t k = 0; p->lines && k < s->n_instructions; k++)
			append_sample(m, p, i, &s->instructions[k]);
	}
}

/* The number of a mapping, from 1; a new one is appended. */
static size_t mapping_of(struct profile *p, const char *object)
{
	const size_t known = p->mappings.n, mapping = string_of(&p->mappings, object);
	struct message inner = { 0 };

	if (mapping == known) {
		append_number(&inner, MAPPING_ID, mapping);
		append_number(&inner, MAPPING_FILENAME, string_of(&p->strings, object));
		append_number(&inner, MAPPING_HAS_FUNCTIONS, 1);
		if (p->lines) {
			append_number(&inner, MAPPING_HAS_FILENAMES, 1);
			append_number(&inner, MAPPING_HAS_LINE_NUMBERS, 1);
			append_number(&inner, MAPPING_HAS_INLINE_FRAMES, 1);
		}
		append_message(&p->mapping_messages, PROFILE_MAPPING, &inner);
	}
	free(inner.bytes);
	return mapping;
}

/* A location: the functions that are there, the innermost of inlined ones first. */
static void append_location(struct profile *p, size_t number, const char *object,
			    const struct explanation_source *sources, size_t n)
{
	struct message inner = { 0 }, line = { 0 };

	append_number(&inner, LOCATION_ID, number);
	append_number(&inner, LOCATION_MAPPING_ID, mapping_of(p, object));
	for (size_t i = n; i > 0; i--) {
		const struct format_place place = { sources[i - 1].function,
						    sources[i - 1].file, object };

		append_number(&line, LINE_FUNCTION_ID,
			      format_place_number(&p->places, &place) + 1);
		if (sources[i - 1].line)
			append_number(&line, LINE_LINE, sources[i - 1].line);
		append_message(&inner, LOCATION_LINE, &line);
	}
	append_message(&p->locations, PROFILE_LOCATION, &inner);
	free(inner.bytes);
	free(line.bytes);
}

static void append_locations(struct profile *p)
{
	size_t number = 1;

	for (size_t i = 0; p->lines && i < p->e->n_locations; i++) {
		const struct explanation_location *l = &p->e->locations[i];
		const struct explanation_source alone = { .function = l->name };

		append_location(p, number++, l->module ? l->module : l->space,
				l->n_sources ? l->sources : &alone,
				l->n_sources ? l->n_sources : 1);
	}
	for (size_t i = 0; i < p->functions.n; i++) {
		const struct explanation_frame *f = &p->functions.list[i];
		const struct explanation_source alone = { .function = f->name };

		append_location(p, number++, format_object(f), &alone, 1);
	}
}

static void append_functions(struct message *m, struct profile *p)
{
	struct message inner = { 0 };

	for (size_t i = 0; i < p->places.n; i++) {
		const struct format_place *place = &p->places.list[i];
		const size_t name = string_of(&p->strings, place->function);
		const char *file = place->file ? place->file : place->object;

		append_number(&inner, FUNCTION_ID, i + 1);
		append_number(&inner, FUNCTION_NAME, name);
		append_number(&inner, FUNCTION_SYSTEM_NAME, name);
		append_number(&inner, FUNCTION_FILENAME, string_of(&p->strings, file));
		append_message(m, PROFILE_FUNCTION, &inner);
	}
	free(inner.bytes);
}

int format_pprof(FILE *f, const struct explanation *e)
{
	struct profile p = {
		.e = e,
		.lines = explanation_has_lines(e),
		.n_costs = format_costs_of(e),
	};
	struct message m = { 0 };
	char *title = format_title(e);
	unsigned char *packed = NULL;
	size_t bytes;
	int err;

	string_of(&p.strings, "");
	string_of(&p.mappings, ""); /* numbers begin at 1 */
	format_functions(&p.functions, e);
	append_types(&m, &p.strings, p.n_costs);
	append_samples(&m, &p);
	append_locations(&p);
	append(&m, p.mapping_messages.bytes, p.mapping_messages.n);
	append(&m, p.locations.bytes, p.locations.n);
	append_functions(&m, &p);
	append_number(&m, PROFILE_COMMENT, string_of(&p.strings, title));
	append_number(&m, PROFILE_DEFAULT_SAMPLE_TYPE,
		      string_of(&p.strings, format_costs[0].title));
	for (size_t i = 0; i < p.strings.n; i++)
		append_bytes(&m, PROFILE_STRING_TABLE, p.strings.list[i],
			     strlen(p.strings.list[i]));
	err = gzip_pack((const char *)m.bytes, m.n, &packed, &bytes);
	if (!err)
		fwrite(packed, 1, bytes, f);
	format_functions_free(&p.functions, e);
	free(packed);
	free(title);
	free(p.strings.list);
	free(p.mappings.list);
	free(p.places.list);
	free(p.mapping_messages.bytes);
	free(p.locations.bytes);
	free(m.bytes);
	return err;
}
