/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine can tell apart: a run of boots in pairs, side by side, nothing
 * different between the two of a pair. Whatever a comparison claims of it is false;
 * what its intervals cannot exclude is what the machine cannot see. Pure functions.
 */
#ifndef WS_CLAIM_AA_H
#define WS_CLAIM_AA_H

#include <stdbool.h>
#include <stddef.h>

#include "host/result/result.h"

/* One of the two ways to compare: pairs of boots of one run, or two runs. */
struct aa_way {
	size_t compared; /* rows with a verdict of any sort */
	size_t wrong;	 /* better or worse */
	/*
	 * Upper 95 % limit of the share that is wrong (Clopper and Pearson); rows
	 * of one run are not independent, so it is a guide. NAN: nothing compared.
	 */
	double limit;
};

struct aa_row {
	const char *name, *config, *unit;
	double value;	   /* over all boots */
	double difference; /* of the second boots of the pairs to the first */
	double lo, hi;	   /* its 95 % interval; NAN: too few pairs */
	bool wrong_pairs, wrong_runs;
	/*
	 * The least difference, in the row's unit, that would have been seen: as far
	 * off as the interval reaches, and outside what does not matter. NAN: none,
	 * for lack of boots.
	 */
	double visible_pairs, visible_runs;
};

struct aa {
	struct aa_row *rows;
	size_t n_rows;
	struct aa_way pairs, runs;
	size_t boots;	     /* pairs of a row, at most */
	size_t boots_needed; /* pairs, for any difference at all to be significant */
};

/*
 * Splits a document whose boots ran in pairs (indices 2i and 2i + 1), at random by the
 * run's seed, and compares the halves both ways. Rows without figures are left out. The
 * document must outlive `aa`; aa_free() it. 0; -ENODATA: there is no row to compare.
 */
int aa_judge(const struct result *r, struct aa *aa);
void aa_free(struct aa *aa);

#endif
