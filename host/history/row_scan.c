/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a history's lines quickly.
 *
 * A line written by row_dump() has its members in the layout's order, no blanks and,
 * as names go, hardly ever an escape. Such a line is read in one pass, and most of its
 * strings are those of the line before. Whatever is otherwise, right or wrong, goes to
 * the JSON library, which decides: 500,000 lines take 0.13 s, and by the library 3.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/result/codec.h"
#include "host/history/row_layout.h"
#include "host/result/store.h"

#define FIELDS_MAX 32

struct row_scan {
	struct row_names *names;
	size_t n_fields;
	size_t key_bytes[FIELDS_MAX];
	/* The field's last string: its length, too. */
	const char *last[FIELDS_MAX];
	size_t last_bytes[FIELDS_MAX];
	struct row blank;
};

struct cursor {
	const char *at, *end;
};

struct row_scan *row_scan_new(struct row_names *names)
{
	struct row_scan *scan = store_check(calloc(1, sizeof(*scan)));

	scan->names = names;
	codec_clear(&layout_row, &scan->blank);
	for (const struct field *f = layout_row.fields; f->key; f++)
		scan->key_bytes[scan->n_fields++] = strlen(f->key);
	return scan;
}

void row_scan_free(struct row_scan *scan)
{
	free(scan);
}

static bool take(struct cursor *c, const char *text, size_t bytes)
{
	if ((size_t)(c->end - c->at) < bytes || memcmp(c->at, text, bytes))
		return false;
	c->at += bytes;
	return true;
}

/* Whether `"key":` stands here. */
static bool take_key(struct cursor *c, const struct field *f, size_t bytes)
{
	if ((size_t)(c->end - c->at) < bytes + 3 || c->at[0] != '"' ||
	    memcmp(c->at + 1, f->key, bytes) || c->at[bytes + 1] != '"' ||
	    c->at[bytes + 2] != ':')
		return false;
	c->at += bytes + 3;
	return true;
}

/* A string of plain ASCII: nothing to decode, nothing to check. */
static bool take_string(struct row_scan *scan, size_t field, struct cursor *c,
			const char **out)
{
	size_t known = scan->last_bytes[field], bytes;
	const char *start = c->at + 1;

	if (c->at == c->end || *c->at != '"')
		return false;
	if (scan->last[field] && (size_t)(c->end - start) > known &&
	    start[known] == '"' && !memcmp(start, scan->last[field], known)) {
		c->at = start + known + 1;
		*out = scan->last[field];
		return true;
	}
	for (bytes = 0; start + bytes < c->end && start[bytes] != '"'; bytes++)
		if (start[bytes] < ' ' || start[bytes] > '~' || start[bytes] == '\\')
			return false;
	if (start + bytes == c->end)
		return false;
	scan->last[field] = *out = row_names_get(scan->names, start, bytes);
	scan->last_bytes[field] = bytes;
	c->at = start + bytes + 1;
	return true;
}

/*
 * Digits, at most `max` of them, without a leading zero unless alone. They continue
 * the number in *out, which stays at UINT64_MAX where it no longer fits.
 */
static bool take_digits(struct cursor *c, size_t max, bool zeros, uint64_t *out)
{
	const char *start = c->at;

	for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
		uint64_t digit = (uint64_t)(*c->at - '0');

		if (__builtin_mul_overflow(*out, 10, out) ||
		    __builtin_add_overflow(*out, digit, out))
			*out = UINT64_MAX;
	}
	if (c->at == start || (size_t)(c->at - start) > max)
		return false;
	return zeros || c->at - start == 1 || *start != '0';
}

/*
 * A decimal fraction whose digits and power of ten are exact as doubles: then so is
 * their quotient, correctly rounded.
 */
static bool take_short_real(struct cursor *c, double *out)
{
	static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7 };
	bool negative = take(c, "-", 1);
	uint64_t digits = 0;
	size_t places = 0;

	if (!take_digits(c, 15, false, &digits))
		return false;
	if (take(c, ".", 1)) {
		const char *start = c->at;

		if (!take_digits(c, 7, true, &digits) || digits >> 53)
			return false;
		places = (size_t)(c->at - start);
	}
	if (c->at < c->end && (*c->at == 'e' || *c->at == 'E'))
		return false;
	*out = (double)digits / powers[places];
	if (negative)
		*out = -*out;
	return true;
}

/* Any other: what JSON allows of what strtod() does. */
static bool take_long_real(struct cursor *c, double *out)
{
	char text[40];
	uint64_t digits = 0;
	struct cursor end = *c;

	take(&end, "-", 1);
	/* More digits in a whole number are more than the library takes. */
	if (!take_digits(&end, 18, false, &digits) ||
	    (take(&end, ".", 1) && !take_digits(&end, sizeof(text), true, &digits)))
		return false;
	if (take(&end, "e", 1) || take(&end, "E", 1)) {
		if (!take(&end, "-", 1))
			take(&end, "+", 1);
		if (!take_digits(&end, 3, true, &digits))
			return false;
	}
	if ((size_t)(end.at - c->at) >= sizeof(text))
		return false;
	memcpy(text, c->at, (size_t)(end.at - c->at));
	text[end.at - c->at] = '\0';
	*out = strtod(text, NULL);
	c->at = end.at;
	return isfinite(*out);
}

static bool take_real(struct cursor *c, double *out)
{
	struct cursor here = *c;

	if (take_short_real(c, out))
		return true;
	*c = here;
	return take_long_real(c, out);
}

static bool take_value(struct row_scan *scan, size_t field, struct cursor *c,
		       struct row *out)
{
	const struct field *f = &layout_row.fields[field];
	char *member = (char *)out + f->offset;
	uint64_t count = 0;
	const char *s;
	double real;
	bool set;

	switch (f->kind) {
	case FIELD_STRING:
		if (!take_string(scan, field, c, &s))
			return false;
		memcpy(member, &s, sizeof(s));
		return true;
	case FIELD_BOOL:
		set = take(c, "true", 4);
		if (!set && !take(c, "false", 5))
			return false;
		memcpy(member, &set, sizeof(set));
		return true;
	case FIELD_REAL:
		if (!take_real(c, &real))
			return false;
		memcpy(member, &real, sizeof(real));
		return true;
	default: /* nine digits fit into either size */
		if (!take_digits(c, 9, false, &count))
			return false;
		codec_set(f, out, (int64_t)count);
		return true;
	}
}

/* False: not as row_dump() writes it, whatever it is. */
static bool scan_plain(struct row_scan *scan, struct cursor c, struct row *out)
{
	const char *before = "{";

	*out = scan->blank;
	for (size_t i = 0; i < scan->n_fields; i++) {
		const struct field *f = &layout_row.fields[i];
		struct cursor here = c;

		if (take(&c, before, 1) && take_key(&c, f, scan->key_bytes[i])) {
			if (!take_value(scan, i, &c, out))
				return false;
			before = ",";
		} else if (f->flags & FIELD_REQUIRED) {
			return false;
		} else {
			c = here;
		}
	}
	return take(&c, "}", 1) && c.at == c.end && out->version == ROW_VERSION &&
	       !strcmp(out->schema, ROW_SCHEMA);
}

int row_scan_line(struct row_scan *scan, const char *line, size_t bytes, struct row *out,
		  struct error *err)
{
	if (scan_plain(scan, (struct cursor){ line, line + bytes }, out))
		return 0;
	return row_parse(scan->names, line, bytes, out, err);
}
