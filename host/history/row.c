/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A row of a history file: its layout, and from and to text. */
#include "host/history/row.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "host/result/result.h"
#include "host/lib/error.h"
#include "host/result/codec.h"

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
	FIELD(REAL, "p5", NULLABLE, row, quantiles[ROW_P5]),
	FIELD(REAL, "p25", NULLABLE, row, quantiles[ROW_P25]),
	FIELD(REAL, "p75", NULLABLE, row, quantiles[ROW_P75]),
	FIELD(REAL, "p90", NULLABLE, row, quantiles[ROW_P90]),
	FIELD(REAL, "p99", NULLABLE, row, quantiles[ROW_P99]),
	FIELD(REAL, "mean", NULLABLE, row, quantiles[ROW_MEAN]),
	END,
};
static const struct layout layout_row = { row_fields, sizeof(struct row) };

static const char *tool_name(struct result *r)
{
	const struct result_run *run = &r->run;

	if (!run->tool_commit || !*run->tool_commit)
		return run->tool_version;
	return result_format(r, "%s-%s%s", run->tool_version, run->tool_commit,
			     run->tool_dirty ? "-dirty" : "");
}

/* The step of the samples: history_read() knows the bodies of a metric. */
static uint64_t quantum_of(const struct result *r, const struct result_metric *m)
{
	if (r->target.exact)
		return 1;
	if (r->clock.unit && !strcmp(m->unit, r->clock.unit))
		return r->clock.resolution;
	return result_whole_unit(m->unit) != NULL;
}

bool row_of(struct result *r, const struct result_benchmark *b,
	    const struct result_metric *m, struct row *out)
{
	struct result_class class = result_class_of(b);
	bool interval = m->ci.method != NULL;
	uint32_t boots = 0;

	for (size_t i = 0; i < m->n_boots; i++)
		boots += m->boots[i].valid;
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
		.quantum = quantum_of(r, m),
		.boots = boots,
		.handled_by = result_class_is_known(&class) ? class.handled_by : NULL,
		.exits = class.exits,
	};
	row_distribution(m, r->target.exact, out->quantiles);
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
		/* Shorter for whole numbers, which are the most frequent. */
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
		/* The strings are UTF-8: they come from JSON documents. */
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

/* The schema and the version are checked before the other members. */
static int check_schema(const json_t *object, struct error *err)
{
	const char *schema = json_string_value(json_object_get(object, "schema"));
	double version = json_number_value(json_object_get(object, "version"));

	if (!schema || strcmp(schema, ROW_SCHEMA))
		return error_set(err, -EINVAL,
				 "not a line of a history file (no schema \"%s\")",
				 ROW_SCHEMA);
	if (version > ROW_VERSION)
		return error_set(err, -EINVAL,
				 "version %g is newer than this program's, %d", version,
				 ROW_VERSION);
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

/*
 * A hash table with open addressing. With tsearch() instead, `history check` takes 15 %
 * longer, and its limit for 10,000 runs of 50 series is one second.
 */
#define ROOM_FIRST 256u

struct name {
	const char *text; /* NULL: free */
	size_t bytes;
	size_t number;
};

struct row_names {
	struct result_store *store;
	struct name *slots;
	size_t room; /* a power of two */
	size_t n;
};

static struct name *slot(const struct row_names *names, const char *text, size_t bytes)
{
	uint64_t hash = 0xcbf29ce484222325ull; /* FNV-1a */
	size_t at;

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3ull;
	at = (size_t)(hash ^ hash >> 32) & (names->room - 1);
	while (names->slots[at].text && (names->slots[at].bytes != bytes ||
					 memcmp(names->slots[at].text, text, bytes)))
		at = (at + 1) & (names->room - 1);
	return &names->slots[at];
}

static void widen(struct row_names *names)
{
	struct name *old = names->slots;
	size_t room = names->room;

	names->room = room ? 2 * room : ROOM_FIRST;
	names->slots = store_check(calloc(names->room, sizeof(*names->slots)));
	for (size_t i = 0; i < room; i++)
		if (old[i].text)
			*slot(names, old[i].text, old[i].bytes) = old[i];
	free(old);
}

struct row_names *row_names_new(void)
{
	struct row_names *names = store_check(calloc(1, sizeof(*names)));

	names->store = store_new();
	return names;
}

void row_names_free(struct row_names *names)
{
	if (!names)
		return;
	store_free(names->store);
	free(names->slots);
	free(names);
}

static const struct name *intern(struct row_names *names, const char *text, size_t bytes)
{
	struct name *found;
	char *copy;

	if (2 * names->n >= names->room)
		widen(names);
	found = slot(names, text, bytes);
	if (!found->text) {
		copy = store_alloc(names->store, bytes + 1);
		memcpy(copy, text, bytes);
		copy[bytes] = '\0';
		*found = (struct name){ copy, bytes, names->n++ };
	}
	return found;
}

const char *row_names_get(struct row_names *names, const char *text, size_t bytes)
{
	return intern(names, text, bytes)->text;
}

size_t row_names_number(struct row_names *names, const char *key, size_t bytes)
{
	return intern(names, key, bytes)->number;
}

/*
 * The fast path. A line of row_dump() has its members in the order of the layout, without
 * blanks and usually without escapes; most strings repeat those of the line before. All
 * other lines, valid or not, are left to the JSON library, which takes ten times as long.
 */
#define FIELDS_MAX 40

struct row_scan {
	struct row_names *names;
	struct row blank;
	struct {
		char key[16]; /* "key": */
		size_t key_bytes;
		const char *last; /* string */
		size_t last_bytes;
	} fields[FIELDS_MAX];
};

struct cursor {
	const char *at, *end;
};

struct row_scan *row_scan_new(struct row_names *names)
{
	struct row_scan *scan = store_check(calloc(1, sizeof(*scan)));

	scan->names = names;
	codec_clear(&layout_row, &scan->blank);
	for (size_t i = 0; layout_row.fields[i].key; i++)
		scan->fields[i].key_bytes =
			(size_t)snprintf(scan->fields[i].key, sizeof(scan->fields[i].key),
					 "\"%s\":", layout_row.fields[i].key);
	return scan;
}

void row_scan_free(struct row_scan *scan)
{
	free(scan);
}

static bool scan_text(struct cursor *c, const char *text, size_t bytes)
{
	if ((size_t)(c->end - c->at) < bytes || memcmp(c->at, text, bytes))
		return false;
	c->at += bytes;
	return true;
}

/* A string of printable ASCII characters without escapes. */
static bool scan_string(struct row_scan *scan, size_t field, struct cursor *c,
			const char **out)
{
	size_t bytes = scan->fields[field].last_bytes;
	const char *last = scan->fields[field].last, *start;

	if (!scan_text(c, "\"", 1))
		return false;
	start = c->at;
	if (last && (size_t)(c->end - start) > bytes && start[bytes] == '"' &&
	    !memcmp(start, last, bytes)) {
		c->at += bytes + 1;
		*out = last;
		return true;
	}
	for (; c->at < c->end && *c->at != '"'; c->at++)
		if (*c->at < ' ' || *c->at > '~' || *c->at == '\\')
			return false;
	bytes = (size_t)(c->at - start);
	*out = row_names_get(scan->names, start, bytes);
	scan->fields[field].last = *out;
	scan->fields[field].last_bytes = bytes;
	return scan_text(c, "\"", 1);
}

/* Appends digits to *value. Returns their number. */
static size_t scan_digits(struct cursor *c, double *value)
{
	const char *start = c->at;

	for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
		*value = *value * 10 + (*c->at - '0');
	return (size_t)(c->at - start);
}

/* A number with at most 15 digits before the point, which a double holds exactly. */
static bool scan_number(struct cursor *c, double *out)
{
	/* With up to 15 digits, the quotient of two exact doubles is rounded once. */
	static const double powers[] = { 1,   1e1, 1e2,	 1e3,  1e4,  1e5,  1e6, 1e7,
					 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14 };
	const char *start = c->at, *digits;
	bool negative = scan_text(c, "-", 1);
	double value = 0;
	size_t n, places = 0;

	digits = c->at;
	n = scan_digits(c, &value);
	if (!n || n > 15 || (n > 1 && *digits == '0'))
		return false;
	if (scan_text(c, ".", 1)) {
		places = scan_digits(c, &value);
		if (!places)
			return false;
	}
	/* The next character ends strtod(): an exponent is left to the library. */
	if (c->at == c->end || (*c->at != ',' && *c->at != '}'))
		return false;
	if (n + places > 15)
		*out = strtod(start, NULL);
	else
		*out = (negative ? -value : value) / powers[places];
	return true;
}

static bool scan_value(struct row_scan *scan, size_t field, struct cursor *c,
		       struct row *out)
{
	const struct field *f = &layout_row.fields[field];
	char *member = (char *)out + f->offset;
	const char *s;
	double real;
	bool set;

	switch (f->kind) {
	case FIELD_STRING:
		if (!scan_string(scan, field, c, &s))
			return false;
		memcpy(member, &s, sizeof(s));
		return true;
	case FIELD_BOOL:
		set = scan_text(c, "true", 4);
		if (!set && !scan_text(c, "false", 5))
			return false;
		memcpy(member, &set, sizeof(set));
		return true;
	case FIELD_REAL:
		if (!scan_number(c, &real))
			return false;
		memcpy(member, &real, sizeof(real));
		return true;
	default:
		if (!scan_number(c, &real) || !(real >= 0 && real <= INT32_MAX) ||
		    real != floor(real))
			return false;
		codec_set(f, out, (int64_t)real);
		return true;
	}
}

static bool scan_row(struct row_scan *scan, struct cursor c, struct row *out)
{
	const char *before = "{";

	*out = scan->blank;
	for (size_t i = 0; layout_row.fields[i].key; i++) {
		const struct field *f = &layout_row.fields[i];
		struct cursor here = c;

		/* The end: only members without a value follow. */
		if (i && c.at < c.end && *c.at == '}' && !(f->flags & FIELD_REQUIRED))
			continue;
		if (scan_text(&c, before, 1) &&
		    scan_text(&c, scan->fields[i].key, scan->fields[i].key_bytes)) {
			if (!scan_value(scan, i, &c, out))
				return false;
			before = ",";
		} else if (f->flags & FIELD_REQUIRED) {
			return false;
		} else {
			c = here;
		}
	}
	return scan_text(&c, "}", 1) && c.at == c.end && out->version == ROW_VERSION &&
	       !strcmp(out->schema, ROW_SCHEMA);
}

int row_scan_line(struct row_scan *scan, const char *line, size_t bytes, struct row *out,
		  struct error *err)
{
	if (scan_row(scan, (struct cursor){ line, line + bytes }, out))
		return 0;
	return row_parse(scan->names, line, bytes, out, err);
}
