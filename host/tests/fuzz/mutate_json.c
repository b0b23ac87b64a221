/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mutator of JSON: an input stays JSON, so that its values reach the code behind the
 * parser. Inputs that are not JSON, and one mutation in eight, are mutated as bytes.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/tests/fuzz/fuzz.h"

/* A value and where it is: a member of an object, or an element of an array. */
struct place {
	json_t *parent;
	const char *key;
	size_t index;
	json_t *value;
};

/* Visits all values; keeps two of them, each with equal probability. */
struct choice {
	uint32_t *state;
	size_t seen;
	struct place one, other;
};

static void visit(struct choice *c, json_t *parent, const char *key, size_t index,
		  json_t *value, unsigned int depth)
{
	const struct place here = { parent, key, index, value };
	const char *name;
	json_t *inner;
	size_t i;

	c->seen++;
	if (parent && !(fuzz_random(c->state) % c->seen))
		c->one = here;
	if (parent && !(fuzz_random(c->state) % c->seen))
		c->other = here;
	if (depth > 64)
		return;
	json_object_foreach(value, name, inner)
	{
		visit(c, value, name, 0, inner, depth + 1);
	}
	json_array_foreach(value, i, inner)
	{
		visit(c, value, NULL, i, inner, depth + 1);
	}
}

static json_t *number(const json_t *was, uint32_t *state)
{
	static const double reals[] = { 0,     -0.0,   1e308, -1e308,  5e-324,
					0.1,   -1,     1e15,  1e19,    -1e19,
					1e300, 1e-300, 100,   1 / 3.0, 4294967296.0 };
	static const json_int_t integers[] = {
		0,	    1,	       -1,	  2,	     INT32_MAX, INT32_MIN,
		UINT32_MAX, INT64_MAX, INT64_MIN, 1ll << 40, 1ll << 52, 1ll << 53,
		1ll << 62,  255,       65536,	  1000
	};
	uint32_t r = fuzz_random(state);

	switch (r % 4) {
	case 0:
		return json_real(reals[r / 4 % (sizeof(reals) / sizeof(*reals))]);
	case 1:
		return json_integer(
			integers[r / 4 % (sizeof(integers) / sizeof(*integers))]);
	case 2:
		if (json_is_integer(was))
			return json_integer(
				(json_int_t)((uint64_t)json_integer_value(was) +
					     r / 4 % 17 - 8));
		return json_real(json_number_value(was) * (1 + (r / 4 % 7 - 3.0) / 16));
	default:
		return json_integer((json_int_t)1 << (r / 4 % 63));
	}
}

static json_t *string(const json_t *was, uint32_t *state)
{
	/* Long characters around the sizes of buffers, controls, markup, directions. */
	static const char *const texts[] = {
		"",
		"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80",
		"\xc2\x9b"
		"31m\xe2\x80\xae\x1b[2J\r\n\t",
		"</script><b>&amp;\"'`|*_[](x)",
		"a,b;c\"d\n",
		"../../x/./y",
		"%s%n%d",
		"core",
		"default",
		"round_trip",
		"lab:x86_64-svm",
		"kvm",
		"insns",
		"ticks",
		"2026-09-01T00:00:00Z",
		"9999-99-99T99:99:99Z",
		"0x8000000000000000",
	};
	uint32_t r = fuzz_random(state);
	size_t n = json_string_length(was), bytes;
	char buffer[4096];

	if (r % 4 == 0)
		return json_string(texts[r / 4 % (sizeof(texts) / sizeof(*texts))]);
	if (r % 4 == 1) {
		/* Long, and of characters of 1 to 4 bytes. */
		const char *unit = (const char *const[]){ "x", "\xc3\xbc", "\xe2\x82\xac",
							  "\xf0\x9f\x98\x80" }[r / 4 % 4];
		size_t limit = r / 16 % 700;

		for (bytes = 0; bytes + strlen(unit) < limit; bytes += strlen(unit))
			memcpy(buffer + bytes, unit, strlen(unit));
		return json_stringn(buffer, bytes);
	}
	if (n > sizeof(buffer) / 2)
		return json_string("");
	memcpy(buffer, json_string_value(was), n);
	bytes = LLVMFuzzerMutate((uint8_t *)buffer, n, sizeof(buffer) / 2);
	return json_stringn(buffer, bytes); /* NULL: not UTF-8 */
}

static json_t *changed(const json_t *was, const json_t *other, uint32_t *state)
{
	uint32_t r = fuzz_random(state);

	if (r % 8 == 0)
		return json_deep_copy(other);
	if (r % 16 == 1)
		return json_null();
	if (r % 32 == 2)
		return json_array();
	if (r % 32 == 3)
		return json_string("x");
	if (json_is_number(was))
		return number(was, state);
	if (json_is_string(was))
		return string(was, state);
	if (json_is_boolean(was))
		return json_boolean(!json_is_true(was));
	return json_deep_copy(other);
}

/* Takes `value`. */
static void put(const struct place *p, json_t *value)
{
	if (!value)
		return;
	if (p->key)
		json_object_set_new(p->parent, p->key, value);
	else
		json_array_set_new(p->parent, p->index, value);
}

static void change(const struct choice *c, uint32_t *state)
{
	const struct place *p = &c->one;
	uint32_t r = fuzz_random(state);

	if (r % 16 == 0 && p->key)
		json_object_del(p->parent, p->key);
	else if (r % 8 == 1 && !p->key)
		json_array_remove(p->parent, p->index);
	else if (r % 8 == 2 && !p->key)
		json_array_insert_new(p->parent, p->index, json_deep_copy(p->value));
	else if (r % 8 == 3 && !p->key && !c->other.key)
		json_array_insert_new(p->parent, p->index,
				      json_deep_copy(c->other.value));
	else
		put(p, changed(p->value, c->other.value, state));
}

size_t fuzz_mutate_json(uint8_t *data, size_t size, size_t room, unsigned int seed)
{
	uint32_t state = seed * 2654435761u + 1;
	json_t *root = json_loadb((const char *)data, size, JSON_DISABLE_EOF_CHECK, NULL);
	size_t n = 0, times = 1 + fuzz_random(&state) % 3;
	char *text;

	if (!root || !(fuzz_random(&state) % 8)) {
		json_decref(root);
		return LLVMFuzzerMutate(data, size, room);
	}
	while (times--) {
		struct choice c = { .state = &state };

		visit(&c, NULL, NULL, 0, root, 0);
		if (c.one.parent && c.other.parent)
			change(&c, &state);
	}
	text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (text)
		n = strlen(text);
	if (n && n < room)
		memcpy(data, text, n);
	else
		n = LLVMFuzzerMutate(data, size, room);
	free(text);
	return n;
}
