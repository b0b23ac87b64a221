/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of `--touch`, of `wsbench run` and `wsbench explain`. */
#include "host/cli/touch_options.h"

#include <string.h>

#include "host/cli/options.h"

#define ONE_CPU "explain follows machines of one CPU"

#define KEY_TOUCH 0x7101
#define KEY_I1	  0x7102
#define KEY_D1	  0x7103
#define KEY_LL	  0x7104

static const struct argp_option touch_options[] = {
	{ "touch", KEY_TOUCH, NULL, 0,
	  "Simulate caches and branch predictors in labs: misses, pages and branches of "
	  "an event, also after a guest with a working set",
	  0 },
	{ "i1", KEY_I1, "BYTES,WAYS,LINE", 0,
	  "Simulate this first-level instruction cache (default: 32768,8,64)", 0 },
	{ "d1", KEY_D1, "BYTES,WAYS,LINE", 0,
	  "Simulate this first-level data cache (default: 32768,8,64)", 0 },
	{ "ll", KEY_LL, "BYTES,WAYS,LINE", 0,
	  "Simulate this last-level cache (default: 1048576,16,64)", 0 },
	{ 0 },
};

static error_t parse_touch(int key, char *arg, struct argp_state *state)
{
	struct touch_options *o = state->input;
	struct touch_cache *cache;
	const char *option, *why;

	switch (key) {
	case KEY_TOUCH:
		o->wanted = true;
		return 0;
	case KEY_I1:
		option = "--i1";
		cache = &o->caches.i1;
		break;
	case KEY_D1:
		option = "--d1";
		cache = &o->caches.d1;
		break;
	case KEY_LL:
		option = "--ll";
		cache = &o->caches.ll;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	o->caches_given = true;
	if (touch_cache_parse(arg, cache, &why))
		return options_error(state, "%s: '%s': %s", option, arg, why);
	return 0;
}

const struct argp touch_argp = {
	touch_options, parse_touch, NULL, NULL, NULL, NULL, NULL
};

void touch_options_init(struct touch_options *o)
{
	*o = (struct touch_options){ .caches = TOUCH_CACHES_DEFAULT };
}

const char *touch_options_wrong(const struct touch_options *o)
{
	if (o->caches_given && !o->wanted)
		return "--i1, --d1, --ll: nothing is simulated (give --touch, too)";
	return NULL;
}

const char *touch_refusal(const struct target *t)
{
	if (strcmp(t->ops->kind, "lab") != 0)
		return "only labs can record every instruction";
	return t->only & NEEDS_VCPUS_2 ? ONE_CPU : NULL;
}
