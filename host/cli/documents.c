/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents and history files of the command line. */
#include "host/cli/documents.h"

#include <stdlib.h>
#include <string.h>

#include "host/history/history.h"
#include "host/lib/error.h"
#include "host/lib/message.h"
#include "host/explain/explanation.h"
#include "host/result/result.h"

bool documents_read(struct documents *d, const char *const *paths, size_t n)
{
	*d = (struct documents){ .docs = calloc(n + 1, sizeof(*d->docs)) };
	if (!d->docs)
		abort();
	for (; d->n < n; d->n++) {
		struct error err;

		if (!result_read(paths[d->n], &d->docs[d->n], &err))
			continue;
		message_error("%s", err.text);
		documents_free(d);
		return false;
	}
	return true;
}

void documents_free(struct documents *d)
{
	while (d->n)
		result_free(d->docs[--d->n]);
	free(d->docs);
	d->docs = NULL;
}

bool documents_explanations(struct explanations *e, const char **paths, size_t *n)
{
	size_t kept = 0;

	*e = (struct explanations){ .docs = calloc(*n + 1, sizeof(*e->docs)) };
	if (!e->docs)
		abort();
	for (size_t i = 0; i < *n; i++) {
		struct error err;

		if (!explanation_is_in(paths[i])) {
			paths[kept++] = paths[i];
			continue;
		}
		if (!explanation_read(paths[i], &e->docs[e->n], &err)) {
			e->n++;
			continue;
		}
		message_error("%s", err.text);
		documents_explanations_free(e);
		return false;
	}
	*n = kept;
	return true;
}

void documents_explanations_free(struct explanations *e)
{
	while (e->n)
		explanation_free(e->docs[--e->n]);
	free(e->docs);
	e->docs = NULL;
}

bool documents_history(struct history *h, const char *path)
{
	struct error err;

	if (history_read(path, h, &err)) {
		message_error("%s", err.text);
		return false;
	}
	if (!h->n_series) {
		message_error("%s has no figures", path);
		history_free(h);
		return false;
	}
	if (history_judge(h, &history_rules))
		abort(); /* out of memory */
	return true;
}

const char **documents_words(char *list, size_t *n)
{
	const char **words = calloc(strlen(list) / 2 + 2, sizeof(*words));
	char *save = NULL;

	if (!words)
		abort();
	*n = 0;
	for (char *w = strtok_r(list, ",", &save); w; w = strtok_r(NULL, ",", &save))
		words[(*n)++] = w;
	return words;
}
