/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The document of a target that runs a whole job by itself. */
#ifndef WS_MEASURE_COLLECT_H
#define WS_MEASURE_COLLECT_H

#include "host/measure/measure.h"

/*
 * Runs the job and puts the pieces together. Replaces `*out`, freeing the old
 * document; what arrived before a failure is in the new one.
 */
int collect_delegated(struct target *t, const struct measure_request *request,
		      const struct measure_watch *watch, struct result **out,
		      struct target_error *err);

#endif
