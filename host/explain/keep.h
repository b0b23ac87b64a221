/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Explanations that are kept beside a history, compressed, so that the figures of kernels
 * can be explained when the kernels are no longer there.
 *
 *	FILE.jsonl.explanations/lab-x86_64-svm/6.12.113-cloud-amd64/hypercall.default.json.gz
 *
 * The names are those of target, kernel ("KERNEL@COMMIT" if the commit is known),
 * benchmark and config, with unusual characters replaced. A later explanation of one name
 * replaces the earlier one.
 */
#ifndef WS_EXPLAIN_KEEP_H
#define WS_EXPLAIN_KEEP_H

#include "host/explain/explanation.h"
#include "host/lib/error.h"

/* What an explanation is of; strings that are unknown are NULL. */
struct keep_name {
	const char *target, *kernel, *commit, *benchmark, *config;
};

/* Keeps an explanation beside the history `db`. 0, or a negative errno with `err`. */
int keep_add(const char *db, const struct explanation *e, struct error *err);

/*
 * The explanation of this name beside `db`; explanation_free() it. 0; -ENOENT: there is
 * none; or another negative errno, with `err`.
 */
int keep_find(const char *db, const struct keep_name *name, struct explanation **out,
	      struct error *err);

#endif
