/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench history add`: the figures of documents into a history. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/cli/history.h"
#include "host/lib/message.h"

void history_tell_torn(const struct history_args *args, size_t bytes, bool moved)
{
	if (bytes)
		message_warn(
			moved ? "the last line of %s was torn: its %zu bytes are now "
				"in %s.torn"
			      : "the last line of %s is torn and left out (%zu bytes); "
				"'history add' moves it to %s.torn",
			args->db, bytes, args->db);
}

static void tell_added(const struct history_args *args, const struct history_added *added,
		       size_t n_docs)
{
	history_tell_torn(args, added->torn, true);
	if (added->empty == n_docs)
		message_error("these documents have no figure of %s",
			      args->metrics ? args->metrics : "round_trip");
	else if (added->empty)
		message_warn("%zu of %zu documents had no such figure", added->empty,
			     n_docs);
	if (added->known && !added->rows)
		message_warn("nothing was added to %s: its runs are there already",
			     args->db);
	else if (added->known)
		message_warn("%zu figures were in %s already and were not added again",
			     added->known, args->db);
	if (added->rows)
		message_info(args->common.quiet, "added %zu figures to %s", added->rows,
			     args->db);
}

enum cli_exit history_add_files(const struct history_args *args)
{
	struct result **docs = calloc(args->n_files, sizeof(*docs));
	char *list = strdup(args->metrics ? args->metrics : "round_trip");
	const char **metrics;
	struct history_added added;
	struct error err;
	int rc = 0;
	size_t n = 0;

	if (!docs || !list)
		abort();
	metrics = history_split(list);
	while (!rc && n < args->n_files) {
		rc = result_read(args->files[n], &docs[n], &err);
		n += !rc;
	}
	if (!rc)
		rc = history_add(args->db, docs, n, metrics, &added, &err);
	if (rc)
		message_error("%s", err.text);
	else
		tell_added(args, &added, n);
	/* Not what anybody wanted who names documents. */
	if (!rc && added.empty == n)
		rc = -ENODATA;
	while (n)
		result_free(docs[--n]);
	free(docs);
	free(metrics);
	free(list);
	return rc ? CLI_USAGE : CLI_OK;
}
