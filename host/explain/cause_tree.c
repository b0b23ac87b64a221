/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commits of a git tree that changed the functions of a step. */
#include "host/explain/step.h"

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

	for (size_t i = 0; i < 19 && args[i]; i++)
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

/*
 * The first file that defines the function: a line that begins with neither a blank nor a
 * comment, and does not end with ";"; or that of an assembly function. `paths`: where.
 */
static bool find_file_in(const char *tree, const char *revision, const char *name,
			 const char *const *paths, char file[PATH_MAX])
{
	const char *args[12] = { "grep", "-E", NULL, revision, "--" };
	size_t skip = strlen(revision) + 1;
	char pattern[4 * CAUSE_NAME_BYTES];
	char *text, *next;

	snprintf(pattern, sizeof(pattern),
		 "^[A-Za-z_].*[ *]%s\\(|^%s\\(|^SYM_[A-Z_]+\\(%s\\)", name, name, name);
	args[2] = pattern;
	for (size_t i = 0; paths[i]; i++)
		args[5 + i] = paths[i];
	text = git(tree, args);
	*file = '\0';
	for (char *line = text; line && *line && !*file; line = next) {
		const char *code;

		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		code = strlen(line) > skip ? strchr(line + skip, ':') : NULL;
		if (code && line[strlen(line) - 1] != ';')
			snprintf(file, PATH_MAX, "%.*s",
				 (int)(code - line - (ptrdiff_t)skip), line + skip);
	}
	free(text);
	return *file;
}

/* Functions of one name are in the folders of several architectures. */
static bool find_file(const char *tree, const char *revision, const char *arch,
		      const char *name, char file[PATH_MAX])
{
	static const char *const x86[] = { "arch/x86/*.c", "arch/x86/*.h", "arch/x86/*.S",
					   NULL };
	static const char *const arm64[] = { "arch/arm64/*.c", "arch/arm64/*.h",
					     "arch/arm64/*.S", NULL };
	static const char *const rest[] = { "*.c", "*.h", ":(exclude)arch",
					    ":(exclude)tools", NULL };

	return find_file_in(tree, revision, name, strcmp(arch, "x86_64") ? arm64 : x86,
			    file) ||
	       find_file_in(tree, revision, name, rest, file);
}

/*
 * "ID<tab>title" of the commits, newest first, that changed a function; free() it. NULL:
 * the function was not found.
 */
static char *commits_of(const char *tree, const char *arch, const char *from,
			const char *to, const char *name)
{
	char range[300], function[PATH_MAX + 160], file[PATH_MAX];

	if (!find_file(tree, to, arch, name, file))
		return NULL;
	snprintf(range, sizeof(range), "%s..%s", from, to);
	/* A basic regular expression; a declaration ends with ";". */
	snprintf(function, sizeof(function), "-L:%s[()]\\(.*[^;]\\)\\{0,1\\}$:%s", name,
		 file);
	return git(tree, (const char *[]){ "log", "--no-patch", "--format=%h%x09%s",
					   function, range, NULL });
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
		c = causes_add(out, line, title);
		if (n == 1)
			c->strength = CAUSE_CERTAIN;
		else if (c->strength == CAUSE_CANDIDATE)
			c->strength = CAUSE_LIKELY;
		cause_add_function(c, f);
		c->score += (double)(llabs(f->least) + llabs(f->most));
	}
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

bool causes_is_tree(const char *tree)
{
	return has_revision(tree, "HEAD");
}

int causes_of_tree(const struct step *step, const char *arch, const char *tree,
		   const char *from, const char *to, struct causes *out,
		   struct error *err)
{
	char *texts[FUNCTIONS_MAX];
	size_t n = 0;

	*out = (struct causes){ .n = 0 };
	if (!has_revision(tree, from) || !has_revision(tree, to))
		return error_set(err, -ENOENT, "%s: no commit %s", tree,
				 has_revision(tree, from) ? to : from);
	for (size_t i = 0; i < step->n && i < FUNCTIONS_MAX; i++) {
		char name[CAUSE_NAME_BYTES];

		cause_source_name(step->functions[i].name, name);
		texts[n] = commits_of(tree, arch, from, to, name);
		out->n_searched++;
		if (texts[n])
			add_commits(out, texts[n++], &step->functions[i]);
		else
			out->n_lost++;
	}
	own_strings(out);
	while (n)
		free(texts[--n]);
	causes_sort(out);
	return 0;
}
