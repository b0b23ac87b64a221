/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Formats in JSON: speedscope's file format, and the trace event format, which Perfetto
 * and chrome://tracing read.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/formats.h"
#include "host/result/store.h"

static json_t *text_value(const char *text)
{
	json_t *value = json_string(text);

	return value ? value : store_check(json_string("?")); /* not UTF-8 */
}

static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, store_check(value)))
		store_check(NULL);
}

static void append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, store_check(value)))
		store_check(NULL);
}

static int print(FILE *f, json_t *root)
{
	char *text = store_check(json_dumps(root, JSON_COMPACT));

	fprintf(f, "%s\n", text);
	free(text);
	json_decref(root);
	return 0;
}

static json_t *speedscope_frames(const struct format_functions *fs)
{
	json_t *frames = store_check(json_array());

	for (size_t i = 0; i < fs->n; i++) {
		json_t *frame = store_check(json_object());

		set(frame, "name", text_value(fs->list[i].name));
		set(frame, "file", text_value(format_object(&fs->list[i])));
		append(frames, frame);
	}
	return frames;
}

int format_speedscope(FILE *f, const struct explanation *e)
{
	json_t *root = store_check(json_object()), *shared = store_check(json_object());
	json_t *profile = store_check(json_object()),
	       *profiles = store_check(json_array());
	json_t *samples = store_check(json_array()), *weights = store_check(json_array());
	struct format_functions fs;
	char *title = format_title(e);
	json_int_t sum = 0;

	format_functions(&fs, e);
	for (size_t i = 0; i < e->n_stacks; i++) {
		json_t *sample = store_check(json_array());

		for (size_t k = 0; k < e->stacks[i].n_frames; k++)
			append(sample, json_integer((json_int_t)fs.of[i][k]));
		append(samples, sample);
		append(weights, json_integer((json_int_t)e->stacks[i].insns));
		sum += (json_int_t)e->stacks[i].insns;
	}
	set(profile, "type", json_string("sampled"));
	set(profile, "name", text_value(title));
	set(profile, "unit", json_string("none")); /* instructions, not time */
	set(profile, "startValue", json_integer(0));
	set(profile, "endValue", json_integer(sum));
	set(profile, "samples", samples);
	set(profile, "weights", weights);
	append(profiles, profile);
	set(shared, "frames", speedscope_frames(&fs));
	set(root, "$schema",
	    json_string("https://www.speedscope.app/file-format-schema.json"));
	set(root, "exporter", json_string("worldswitch"));
	set(root, "name", text_value(title));
	set(root, "activeProfileIndex", json_integer(0));
	set(root, "shared", shared);
	set(root, "profiles", profiles);
	format_functions_free(&fs, e);
	free(title);
	return print(f, root);
}

static const struct {
	const char *space, *title;
} tracks[] = {
	{ "guest", "guest" },
	{ "user", "VMM" },
	{ "kernel", "kernel" },
	{ "hyp", "EL2" },
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

	set(args, "name", text_value(name));
	set(event, "ph", json_string("M"));
	set(event, "name", json_string(what));
	set(event, "pid", json_integer(1));
	set(event, "tid", json_integer((json_int_t)track + 1));
	set(event, "args", args);
	return event;
}

static json_t *call_event(const struct explanation_call *c)
{
	json_t *event = store_check(json_object());

	set(event, "ph", json_string("X"));
	set(event, "name", text_value(c->name));
	set(event, "cat", text_value(c->module ? c->module : c->space));
	set(event, "pid", json_integer(1));
	set(event, "tid", json_integer((json_int_t)track_of(c->space) + 1));
	set(event, "ts", json_integer((json_int_t)c->begin));
	set(event, "dur", json_integer((json_int_t)c->insns));
	return event;
}

int format_timeline(FILE *f, const struct explanation *e)
{
	json_t *root = store_check(json_object()), *other = store_check(json_object());
	json_t *events = store_check(json_array());
	char *title = format_title(e);

	append(events, name_event("process_name", 0, title));
	for (size_t i = 0; i < TRACKS; i++)
		append(events, name_event("thread_name", i, tracks[i].title));
	for (size_t i = 0; i < e->n_timeline; i++)
		append(events, call_event(&e->timeline[i]));
	set(other, "title", text_value(title));
	set(other, "unit", json_string("1 microsecond is 1 instruction, not time"));
	set(root, "traceEvents", events);
	set(root, "otherData", other);
	free(title);
	return print(f, root);
}
