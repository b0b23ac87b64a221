/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A profile as a document. */
#ifndef WS_TRACE_DOCUMENT_H
#define WS_TRACE_DOCUMENT_H

#include "host/explain/explain.h"
#include "host/explain/profile.h"

/*
 * `count` instructions are the event's, of which `clock_insns` are the clock's own and
 * still among those of the functions.
 */
void document_fill(struct explanation *e, const struct profile *p,
		   const struct explain_input *in, uint64_t count, uint64_t clock_insns);

#endif
