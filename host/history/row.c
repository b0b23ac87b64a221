/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A history's line by the JSON library: its layout, writing, the long way to read. */
#include "host/history/row.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "host/result/result.h"
#include "host/lib/error.h"
#include "host/result/codec.h"
#include "host/history/row_layout.h"
#include "host/result/store.h"

static const struct field row_fields[] = {
	FIELD(STRING, "schema", REQUIRED, row, schema),
	FIELD(COUNT, "version", REQUIRED, row, version),
	FIELD(STRING, "run", REQUIRED, row, run),
	FIELD(STRING, "time", REQUIRED, row, time),
	FIELD(STRING, "kernel", NULLABLE, row, kernel),
	FIELD(STRING, "label", NULLABLE, row, label),
	FIELD(STRING, "commit", NULLABLE, row, commit),
	FIELD(STRING, "target", REQUIRED, row, target),
	FIELD(STRING, "emulator", NULLABLE, row, emulator),
	FIELD(STRING, "machine", REQUIRED, row, machine),
	FIELD(BOOL, "exact", REQUIRED, row, exact),
	FIELD(STRING, "tool", REQUIRED, row, tool),
	FIELD(STRING, "benchmark", REQUIRED, row, benchmark),
	FIELD(STRING, "config", REQUIRED, row, config),
	FIELD(STRING, "metric", REQUIRED, row, metric),
	FIELD(STRING, "unit", REQUIRED, row, unit),
	FIELD(STRING, "better", REQUIRED, row, better),
	FIELD(REAL, "value", REQUIRED, row, value),
	FIELD(REAL, "lo", NULLABLE, row, lo),
	FIELD(REAL, "hi", NULLABLE, row, hi),
	FIELD(COUNT, "quantum", REQUIRED, row, quantum),
	FIELD(COUNT, "boots", REQUIRED, row, boots),
	FIELD(STRING, "handled_by", NULLABLE, row, handled_by),
	FIELD(REAL, "exits", NULLABLE, row, exits),
	END,
};
const struct layout layout_row = { row_fields, sizeof(struct row) };

static uint32_t valid_boots(const struct result_metric *m)
{
	uint32_t n = 0;

	for (size_t i = 0; i < m->n_boots; i++)
		n += m->boots[i].valid;
	return n;
}

static const char *tool_name(struct result *r)
{
	const struct result_run *run = &r->run;

	if (!run->tool_commit || !*run->tool_commit)
		return run->tool_version;
	return result_format(r, "%s-%s%s", run->tool_version, run->tool_commit,
			     run->tool_dirty ? "-dirty" : "");
}

bool row_of(struct result *r, const struct result_benchmark *b,
	    const struct result_metric *m, struct row *out)
{
	struct result_class class = result_class_of(b);
	bool interval = m->ci.method != NULL;

	*out = (struct row){
		.schema = ROW_SCHEMA,
		.version = ROW_VERSION,
		.run = r->run.id,
		.time = r->run.started,
		.kernel = r->subject.kernel,
		.label = r->subject.label,
		.commit = r->subject.commit,
		.target = r->target.name,
		.emulator = r->target.emulator,
		.machine = r->machine.fingerprint,
		.exact = r->target.exact,
		.tool = tool_name(r),
		.benchmark = b->name,
		.config = b->config,
		.metric = m->name,
		.unit = m->unit,
		.better = m->better,
		.value = m->value,
		.lo = interval ? m->ci.lo : NAN,
		.hi = interval ? m->ci.hi : NAN,
		.quantum = r->target.exact ? 1 : r->clock.resolution,
		.boots = valid_boots(m),
		.handled_by = result_class_is_known(&class) ? class.handled_by : NULL,
		.exits = class.exits,
	};
	return b->status == RESULT_OK && isfinite(m->value);
}

static json_t *member_value(const struct field *f, const struct row *row)
{
	const void *member = (const char *)row + f->offset;
	const char *s;
	int64_t count;
	double real;
	bool set;

	switch (f->kind) {
	case FIELD_STRING:
		memcpy(&s, member, sizeof(s));
		return s ? json_string(s) : json_null();
	case FIELD_BOOL:
		memcpy(&set, member, sizeof(set));
		return json_boolean(set);
	case FIELD_REAL:
		memcpy(&real, member, sizeof(real));
		if (!isfinite(real))
			return json_null();
		/* Most are whole, and shorter so. */
		if (real == floor(real) && fabs(real) < 1e15)
			return json_integer((json_int_t)real);
		return json_real(real);
	default:
		codec_get(f, row, &count);
		return json_integer(count);
	}
}

char *row_dump(const struct row *row)
{
	json_t *object = store_check(json_object());
	char *text;
	size_t bytes;

	for (const struct field *f = layout_row.fields; f->key; f++) {
		/* Documents were read as UTF-8: their strings are. */
		json_t *value = store_check(member_value(f, row));

		if (json_is_null(value))
			json_decref(value);
		else if (json_object_set_new(object, f->key, value))
			store_check(NULL);
	}
	text = store_check(json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17)));
	json_decref(object);
	bytes = strlen(text);
	text = store_check(realloc(text, bytes + 2));
	memcpy(text + bytes, "\n", 2);
	return text;
}

/* Who wrote it comes before what is wrong with it. */
static int check_schema(const json_t *object, struct error *err)
{
	const char *schema = json_string_value(json_object_get(object, "schema"));
	json_int_t version = json_integer_value(json_object_get(object, "version"));

	if (!schema || strcmp(schema, ROW_SCHEMA))
		return error_set(err, -EINVAL,
				 "not a line of a history (no schema \"%s\")",
				 ROW_SCHEMA);
	if (version > ROW_VERSION)
		return error_set(err, -EINVAL,
				 "version %lld is newer than this program's, %d",
				 (long long)version, ROW_VERSION);
	return 0;
}

static void keep_strings(struct row_names *names, struct row *row)
{
	for (const struct field *f = layout_row.fields; f->key; f++) {
		char *member = (char *)row + f->offset;
		const char *s;

		if (f->kind != FIELD_STRING)
			continue;
		memcpy(&s, member, sizeof(s));
		if (!s)
			continue;
		s = row_names_get(names, s, strlen(s));
		memcpy(member, &s, sizeof(s));
	}
}

int row_parse(struct row_names *names, const char *line, size_t bytes, struct row *out,
	      struct error *err)
{
	json_error_t json;
	json_t *object = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, &json);
	struct result_store *store;
	int rc;

	if (!object)
		return error_set(err, -EINVAL, "column %d: %s", json.column, json.text);
	store = store_new();
	codec_clear(&layout_row, out);
	rc = check_schema(object, err);
	if (!rc)
		rc = codec_load_object(store, &layout_row, object, out, err);
	if (!rc)
		keep_strings(names, out);
	store_free(store);
	json_decref(object);
	return rc;
}
