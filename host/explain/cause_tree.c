/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commits of a git tree that changed the functions of a step. */
#include "host/explain/cause.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/process.h"

/* Functions that are searched, and what git may print for one. */
#define FUNCTIONS_MAX 12
#define OUTPUT_MAX    (1u << 20)
#define TIMEOUT_NS    120000000000ull

/* The output of git in `tree`; free() it. NULL: git failed. */
static char *git(const char *tree, const char *const *args)
{
	const char *argv[24] = { "git", "-C", tree, "--no-pager" };

	for (size_t i = 0; args[i] && i < 19; i++)
		argv[4 + i] = args[i];
	return process_output(argv, OUTPUT_MAX, TIMEOUT_NS);
}

static bool has_revision(const char *tree, const char *revision)
{
	char name[256];
	char *text;

	snprintf(name, sizeof(name), "%s^{commit}", revision);
	text = git(tree,
		   (const char *[]){ "rev-parse", "--verify", "--quiet", name, NULL });
	free(text);
	return text != NULL;
}

/* The function without what the compiler and the nVHE object add to its name. */
static void source_name(const char *symbol, char name[128])
{
	static const char prefix[] = "__kvm_nvhe_";
	size_t skip = strncmp(symbol, prefix, strlen(prefix)) ? 0 : strlen(prefix);

	snprintf(name, 128, "%.*s", (int)strcspn(symbol + skip, "."), symbol + skip);
}

/*
 * The first file that defines the function: a line that begins with neither a blank nor a
 * comment, and does not end with ";". False: none does.
 */
static bool find_file(const char *tree, const char *revision, const char *name,
		      char file[PATH_MAX])
{
	char pattern[192];
	size_t skip = strlen(revision) + 1;
	char *text, *next;

	snprintf(pattern, sizeof(pattern), "^[A-Za-z_].*[ *]%s\\(|^%s\\(", name, name);
	text = git(tree, (const char *[]){ "grep", "-E", pattern, revision, "--", "*.c",
					   "*.h", "*.S", NULL });
	*file = '\0';
	for (char *line = text; line && *line && !*file; line = next) {
		const char *code;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		code = strchr(line + (strlen(line) > skip ? skip : 0), ':');
		if (!code || line[strlen(line) - 1] == ';')
			continue;
		snprintf(file, PATH_MAX, "%.*s", (int)(code - line - (ptrdiff_t)skip),
			 line + skip);
	}
	free(text);
	return *file;
}

/* "ID<tab>title" of the commits, newest first, that changed a function; free() it. */
static char *commits_of(const char *tree, const char *from, const char *to,
			const char *name)
{
	char range[300], function[PATH_MAX + 160], file[PATH_MAX];

	if (!find_file(tree, to, name, file))
		return NULL;
	snprintf(range, sizeof(range), "%s..%s", from, to);
	/* A basic regular expression; a declaration ends with ";". */
	snprintf(function, sizeof(function), "-L:%s(.*[^;]$:%s", name, file);
	return git(tree, (const char *[]){ "log", "--no-patch", "--format=%h%x09%s",
					   function, range, NULL });
}

static struct cause *cause_of(struct causes *c, const char *id, const char *title)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->list[i].version, id))
			return &c->list[i];
	c->list = reallocarray(c->list, c->n + 1, sizeof(*c->list));
	if (!c->list)
		abort();
	c->list[c->n] = (struct cause){
		.strength = CAUSE_LIKELY,
		.version = id,
		.title = title,
	};
	return &c->list[c->n++];
}

static void add_commits(struct causes *out, char *text, const struct step_function *f)
{
	size_t n = 0;
	char *next;

	for (const char *c = text; (c = strchr(c, '\n')); c++)
		n++;
	for (char *line = text; *line; line = next) {
		char *title = strchr(line, '\t');
		struct cause *c;

		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (!title || title > next)
			continue;
		*title++ = '\0';
		c = cause_of(out, line, title);
		if (n == 1)
			c->strength = CAUSE_CERTAIN;
		c->functions = reallocarray(c->functions, c->n_functions + 1,
					    sizeof(*c->functions));
		if (!c->functions)
			abort();
		c->functions[c->n_functions++] = f;
		c->score += (double)(llabs(f->least) + llabs(f->most));
	}
}

static int by_strength(const void *a, const void *b)
{
	const struct cause *x = a, *y = b;

	if (x->strength != y->strength)
		return x->strength < y->strength ? -1 : 1;
	return (x->score < y->score) - (x->score > y->score);
}

/* Copies the strings, which point into the outputs of git, to one block of the causes. */
static void own_strings(struct causes *out)
{
	size_t bytes = 1, at = 0;

	for (size_t i = 0; i < out->n; i++)
		bytes += strlen(out->list[i].version) + strlen(out->list[i].title) + 2;
	out->text = malloc(bytes);
	if (!out->text)
		abort();
	for (size_t i = 0; i < out->n; i++) {
		struct cause *c = &out->list[i];
		size_t id = strlen(c->version) + 1, title = strlen(c->title) + 1;

		memcpy(out->text + at, c->version, id);
		memcpy(out->text + at + id, c->title, title);
		c->version = out->text + at;
		c->title = out->text + at + id;
		at += id + title;
	}
}

int causes_of_tree(const struct step *step, const char *tree, const char *from,
		   const char *to, struct causes *out, struct error *err)
{
	char *texts[FUNCTIONS_MAX];
	size_t n = 0;

	*out = (struct causes){ .n = 0 };
	if (!has_revision(tree, "HEAD"))
		return error_set(err, -EINVAL, "%s: not a git tree", tree);
	if (!has_revision(tree, from) || !has_revision(tree, to))
		return error_set(err, -ENOENT, "%s: no commit %s", tree,
				 has_revision(tree, from) ? to : from);
	for (size_t i = 0; i < step->n && i < FUNCTIONS_MAX; i++) {
		char name[128];

		source_name(step->functions[i].name, name);
		texts[n] = commits_of(tree, from, to, name);
		if (texts[n])
			add_commits(out, texts[n++], &step->functions[i]);
	}
	own_strings(out);
	while (n)
		free(texts[--n]);
	if (out->n)
		qsort(out->list, out->n, sizeof(*out->list), by_strength);
	out->n_commits = out->n;
	return 0;
}
