/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether two documents are of one kind, and what to note of them. For compare*.c. */
#ifndef WS_CLAIM_COMPARE_CHECK_H
#define WS_CLAIM_COMPARE_CHECK_H

#include "host/lib/error.h"
#include "host/compare/compare.h"

/* 0, or -EINVAL with `err`: targets or machines differ and nobody said they may. */
int compare_check_kind(const struct result *base, const struct result *new,
		       const struct compare_options *o, struct error *err);

/* The same for the rows that came of it: none at all, or units that differ. */
int compare_check_rows(const struct compare *c, const struct compare_options *o,
		       struct error *err);

/* The same for patterns of thresholds that no benchmark has, here or elsewhere. */
int compare_check_thresholds(const struct compare *c, const struct compare_options *o,
			     struct error *err);

/* Fills in c->notes. */
void compare_note(struct compare *c);

#endif
