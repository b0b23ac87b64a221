/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Formats in JSON: speedscope's file format, and the trace event format, which Perfetto
 * and chrome://tracing read.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/formats.h"
#include "host/result/codec.h"
#include "host/result/result.h"

static json_t *text_value(const char *text)
{
	json_t *value = json_string(text);

	return value ? value : store_check(json_string("?")); /* not UTF-8 */
}

static int print(FILE *f, json_t *root)
{
	char *text = store_check(json_dumps(root, JSON_COMPACT));

	fprintf(f, "%s\n", text);
	free(text);
	json_decref(root);
	return 0;
}

struct speedscope {
	struct format_places frames;
	json_t *samples, *weights;
	json_int_t sum;
};

/* The frames of a location: the function, and what is inlined there. */
static void append_frames(struct speedscope *p, json_t *sample, const char *object,
			  const struct explanation_source *sources, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct format_place place = { sources[i].function, sources[i].file,
						    object };

		codec_append(sample, json_integer((json_int_t)format_place_number(
					     &p->frames, &place)));
	}
}

/* A stack or, with lines, an instruction of it. */
static void append_sample(struct speedscope *p, const struct explanation *e,
			  const struct explanation_stack *s,
			  const struct explanation_insn *insn)
{
	json_t *sample = store_check(json_array());
	const size_t n = json_array_size(p->samples);
	const json_int_t weight = (json_int_t)(insn ? insn->insns : s->insns);

	for (size_t k = 0; k < s->n_frames; k++) {
		const struct explanation_frame f = explanation_frame(s, k);
		const struct explanation_source alone = { .function = f.name };
		const struct explanation_location *l = NULL;

		if (insn && k == s->n_frames - 1)
			l = &e->locations[insn->location];
		else if (insn && s->n_sites && s->sites[k].location >= 0)
			l = &e->locations[s->sites[k].location];
		append_frames(p, sample, format_object(&f),
			      l && l->n_sources ? l->sources : &alone,
			      l && l->n_sources ? l->n_sources : 1);
	}
	p->sum += weight;
	/* The instructions of a function have few chains of inlined functions. */
	if (n && json_equal(sample, json_array_get(p->samples, n - 1))) {
		json_t *last = json_array_get(p->weights, n - 1);

		json_integer_set(last, json_integer_value(last) + weight);
		json_decref(sample);
		return;
	}
	codec_append(p->samples, sample);
	codec_append(p->weights, json_integer(weight));
}

static json_t *speedscope_frames(const struct format_places *places)
{
	json_t *frames = store_check(json_array());

	for (size_t i = 0; i < places->n; i++) {
		const struct format_place *place = &places->list[i];
		json_t *frame = store_check(json_object());

		codec_add(frame, "name", text_value(place->function));
		codec_add(frame, "file",
			  text_value(place->file ? place->file : place->object));
		codec_append(frames, frame);
	}
	return frames;
}

int format_speedscope(FILE *f, const struct explanation *e)
{
	const bool lines = explanation_has_lines(e);
	json_t *root = store_check(json_object()), *shared = store_check(json_object());
	json_t *profile = store_check(json_object()),
	       *profiles = store_check(json_array());
	struct speedscope p = { .samples = store_check(json_array()),
				.weights = store_check(json_array()) };
	char *title = format_title(e);

	for (size_t i = 0; i < e->n_stacks; i++) {
		const struct explanation_stack *s = &e->stacks[i];

		if (!lines)
			append_sample(&p, e, s, NULL);
		for (size_t k = 0; lines && k < s->n_instructions; k++)
			append_sample(&p, e, s, &s->instructions[k]);
	}
	codec_add(profile, "type", json_string("sampled"));
	codec_add(profile, "name", text_value(title));
	codec_add(profile, "unit", json_string("none")); /* instructions, not time */
	codec_add(profile, "startValue", json_integer(0));
	codec_add(profile, "endValue", json_integer(p.sum));
	codec_add(profile, "samples", p.samples);
	codec_add(profile, "weights", p.weights);
	codec_append(profiles, profile);
	codec_add(shared, "frames", speedscope_frames(&p.frames));
	codec_add(root, "$schema",
		  json_string("https://www.speedscope.app/file-format-schema.json"));
	codec_add(root, "exporter", json_string("worldswitch"));
	codec_add(root, "name", text_value(title));
	codec_add(root, "activeProfileIndex", json_integer(0));
	codec_add(root, "shared", shared);
	codec_add(root, "profiles", profiles);
	free(p.frames.list);
	free(title);
	return print(f, root);
}

static const struct {
	const char *space, *title;
} tracks[] = {
	{ "guest", "guest" }, { "user", "VMM" }, { "kernel", "kernel" },
	{ "hyp", "EL2" },     { "l0", "L0" },
};

#define TRACKS (sizeof(tracks) / sizeof(tracks[0]))

static size_t track_of(const char *space)
{
	size_t i = 0;

	while (i < TRACKS - 1 && strcmp(tracks[i].space, space) != 0)
		i++;
	return i;
}

/* A name of the process or of one of its tracks. */
static json_t *name_event(const char *what, size_t track, const char *name)
{
	json_t *event = store_check(json_object()), *args = store_check(json_object());

	codec_add(args, "name", text_value(name));
	codec_add(event, "ph", json_string("M"));
	codec_add(event, "name", json_string(what));
	codec_add(event, "pid", json_integer(1));
	codec_add(event, "tid", json_integer((json_int_t)track + 1));
	codec_add(event, "args", args);
	return event;
}

static json_t *call_event(const struct explanation_call *c)
{
	json_t *event = store_check(json_object());

	codec_add(event, "ph", json_string("X"));
	codec_add(event, "name", text_value(c->name));
	codec_add(event, "cat", text_value(c->module ? c->module : c->space));
	codec_add(event, "pid", json_integer(1));
	codec_add(event, "tid", json_integer((json_int_t)track_of(c->space) + 1));
	codec_add(event, "ts", json_integer((json_int_t)c->begin));
	codec_add(event, "dur", json_integer((json_int_t)c->insns));
	return event;
}

int format_timeline(FILE *f, const struct explanation *e)
{
	json_t *root = store_check(json_object()), *other = store_check(json_object());
	json_t *events = store_check(json_array());
	char *title = format_title(e);

	codec_append(events, name_event("process_name", 0, title));
	for (size_t i = 0; i < TRACKS; i++)
		codec_append(events, name_event("thread_name", i, tracks[i].title));
	for (size_t i = 0; i < e->n_timeline; i++)
		codec_append(events, call_event(&e->timeline[i]));
	codec_add(other, "title", text_value(title));
	codec_add(other, "unit", json_string("1 microsecond is 1 instruction, not time"));
	codec_add(root, "traceEvents", events);
	codec_add(root, "otherData", other);
	free(title);
	return print(f, root);
}
