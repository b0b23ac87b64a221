/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Matches names on the command line against the tables. */
#include "host/lib/error.h"
#include "host/cli/options.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/catalogue.h"
#include "host/result/result.h"
#include "host/targets/target.h"

/* Longer words are not compared: three rows of the matrix are on the stack. */
#define WORD_MAX 63

static size_t min2(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void *grow(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n ? n : 1, size);
	if (!p)
		abort();
	return p;
}

/*
 * Wagner and Fischer's matrix by rows; the row before the last is kept for swaps.
 * Words beyond WORD_MAX are compared by their beginnings.
 */
size_t names_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t n = strnlen(a, WORD_MAX), m = strnlen(b, WORD_MAX);

	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t cost = a[i - 1] != b[j - 1];

			row[j] =
				min2(above[j - 1] + cost, min2(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = min2(row[j], above2[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

const char *names_nearest(const char *word, const char *const *names, size_t n)
{
	size_t len = strlen(word), limit = len / 3 > 1 ? len / 3 : 1;
	const char *best = NULL;

	if (!len || len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n && len > 1; i++)
		if (!strncmp(names[i], word, len))
			return names[i];
	for (size_t i = 0; i < n; i++) {
		size_t d = names_distance(word, names[i]);

		if (d < limit || (d == limit && !best)) {
			best = names[i];
			limit = d;
		}
	}
	return best;
}

void names_near(const char *word, const char *const *names, size_t n,
		char text[NAMES_NEAR_BYTES])
{
	const char *nearest = names_nearest(word, names, n);
	size_t length = strlen(word), found = 0, used = 0;

	*text = '\0';
	/* Names that begin with the word, else names that contain it. */
	for (int within = 0; within < 2 && length > 1 && !found; within++)
		for (size_t i = 0; i < n && found < 3; i++) {
			const char *at = strstr(names[i], word);
			size_t room = NAMES_NEAR_BYTES - used;

			if (!at || (at != names[i]) != within ||
			    strlen(names[i]) + 5 > room)
				continue;
			used += (size_t)snprintf(text + used, room, "%s'%s'",
						 found++ ? ", " : "", names[i]);
		}
	if (!found && nearest && strlen(nearest) + 3 <= NAMES_NEAR_BYTES)
		snprintf(text, NAMES_NEAR_BYTES, "'%s'", nearest);
}

void names_free(struct names_list *list)
{
	free(list->names);
	*list = (struct names_list){ 0 };
}

static void add_once(struct names_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->names[i], name))
			return;
	list->names = grow(list->names, list->n + 1, sizeof(*list->names));
	list->names[list->n++] = name;
}

/* Whether one word of a list selects `name`. */
typedef bool matches(const char *word, const char *name);

static bool glob_matches(const char *pattern, const char *name)
{
	return !fnmatch(pattern, name, 0);
}

static int add_matches(const char *what, const char *pattern, matches *fits,
		       const char *const *names, size_t n, struct names_list *list,
		       struct error *err)
{
	char near[NAMES_NEAR_BYTES];
	bool found = false;

	if (!*pattern) {
		snprintf(err->text, sizeof(err->text), "empty name in the list of %ss",
			 what);
		return -EINVAL;
	}
	for (size_t i = 0; i < n; i++) {
		if (fits(pattern, names[i])) {
			add_once(list, names[i]);
			found = true;
		}
	}
	if (found)
		return 0;
	names_near(pattern, names, n, near);
	if (*near)
		snprintf(err->text, sizeof(err->text),
			 "no %s matches '%.200s': did you mean %s?", what, pattern, near);
	else
		snprintf(err->text, sizeof(err->text),
			 "no %s matches '%.200s': 'wsbench list %ss' shows all", what,
			 pattern, what);
	return -EINVAL;
}

static int match_list(const char *what, const char *patterns, matches *fits,
		      const char *const *names, size_t n, struct names_list *list,
		      struct error *err)
{
	char *copy = strdup(patterns), *rest = copy, *pattern;
	int ret = 0;

	if (!copy)
		abort();
	*list = (struct names_list){ 0 };
	while (!ret && (pattern = strsep(&rest, ",")))
		ret = add_matches(what, pattern, fits, names, n, list, err);
	if (ret)
		names_free(list);
	free(copy);
	return ret;
}

bool names_is_listed(const char *patterns, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = patterns; (p = strstr(p, name)); p += n)
		if ((p == patterns || p[-1] == ',') && (!p[n] || p[n] == ','))
			return true;
	return false;
}

/* Drops opt-in benchmarks that only a pattern selects: they disturb the machine. */
static int drop_opt_in(const char *patterns, struct names_list *list, struct error *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		const char *name = list->names[i];

		if (!(result_find_bench(name)->needs & OPT_IN) ||
		    names_is_listed(patterns, name))
			list->names[kept++] = name;
		else
			snprintf(
				err->text, sizeof(err->text),
				"benchmark '%s' disturbs the machine: it must be named in full",
				name);
	}
	list->n = kept;
	if (kept)
		return 0;
	names_free(list);
	return -EINVAL;
}

int names_match_benches(const char *patterns, struct names_list *list, struct error *err)
{
	const char **all = NULL;
	size_t n = 0;
	int ret;

	for (; bench_table[n].id; n++) {
		all = grow(all, n + 1, sizeof(*all));
		all[n] = bench_table[n].id;
	}
	ret = match_list("benchmark", patterns, result_bench_matches, all, n, list, err);
	free(all);
	return ret ? ret : drop_opt_in(patterns, list, err);
}

/* Single settings and mitigations: not by a pattern that begins with a wildcard. */
static bool config_matches(const char *pattern, const char *name)
{
	const struct config *c = result_find_config(name);

	if ((c->settings || c->mitigation) && strchr("*?[", *pattern) && *pattern)
		return false;
	return glob_matches(pattern, name);
}

int names_match_configs(const char *patterns, struct names_list *list, struct error *err)
{
	const char **all = NULL;
	size_t n = 0;
	int ret;

	for (; config_table[n].name; n++) {
		all = grow(all, n + 1, sizeof(*all));
		all[n] = config_table[n].name;
	}
	ret = match_list("config", patterns, config_matches, all, n, list, err);
	free(all);
	return ret;
}

/* "all" means every target, as "*" does. */
static bool target_matches(const char *pattern, const char *name)
{
	if (names_target(name)->named_only)
		return !strcmp(pattern, name);
	return !strcmp(pattern, "all") || glob_matches(pattern, name);
}

int names_match_targets(const char *patterns, struct names_list *list, struct error *err)
{
	const char **all = NULL;
	size_t n = 0;
	int ret;

	for (; target_table[n].name; n++) {
		all = grow(all, n + 1, sizeof(*all));
		all[n] = target_table[n].name;
	}
	ret = match_list("target", patterns, target_matches, all, n, list, err);
	free(all);
	/* The first one that a pattern alone selects. */
	for (const struct target *t = target_table; ret && t->name; t++)
		if (t->named_only && glob_matches(patterns, t->name)) {
			error_set(err, ret, "target '%s' must be named in full", t->name);
			break;
		}
	return ret;
}

const struct target *names_target(const char *name)
{
	for (const struct target *t = target_table; t->name; t++)
		if (!strcmp(t->name, name))
			return t;
	return NULL;
}
