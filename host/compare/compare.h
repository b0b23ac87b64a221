/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From two sets of figures to verdicts: two documents, or two configs of one.
 *
 * Pure functions: no terminal, no files. What is compared are the boots, never the
 * events. Two configs of one document were measured in interleaved boots, so their
 * boots are pairs (sign test over ln ratios); two documents are not (Mann-Whitney,
 * Hodges-Lehmann). An exact target has no noise: there any difference is a verdict,
 * unless boots differ: then the ranges over the boots are compared.
 */
#ifndef WS_CLAIM_COMPARE_H
#define WS_CLAIM_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "host/lib/error.h"
#include "host/compare/drift.h"
#include "host/compare/threshold.h"
#include "host/result/result.h"

/* In the order of what a reader wants to see first. */
enum compare_verdict {
	COMPARE_WORSE,
	COMPARE_BETTER,
	COMPARE_CHANGED,	/* two classes (host/result/class.h): two operations */
	COMPARE_INCONCLUSIVE,	/* the figures do not decide it; see boots_needed */
	COMPARE_NONE,		/* there are not two figures; `reason` says why */
	COMPARE_SAME_PLACEMENT, /* exact: the ranges over the boots meet */
	COMPARE_SAME,
	COMPARE_VERDICTS,
};

/* What may differ between the two, though it makes figures hard to compare. */
#define COMPARE_ACROSS_MACHINES (1u << 0) /* fingerprints */
#define COMPARE_ACROSS_TARGETS	(1u << 1) /* and what the machines are made of, too */
#define COMPARE_ACROSS_UNITS	(1u << 2)

struct compare_options {
	/* Two configs of one document; NULL: each config with itself. */
	const char *config[2];
	const char *const *benches; /* words as result_bench_matches() has them; 0: all */
	size_t n_benches;
	const char *const *metrics; /* names; 0 of them: round_trip */
	size_t n_metrics;
	unsigned int across; /* COMPARE_ACROSS_* */
	bool paired;	     /* boots of one index ran side by side in two documents */
	/* What is let pass; their texts must outlive the comparison. */
	const struct threshold *thresholds;
	size_t n_thresholds;
};

/* One of the two figures. */
struct compare_side {
	const struct result_benchmark *benchmark; /* NULL: not in the document */
	const struct result_metric *metric;	  /* NULL: none to compare */
	const char *why; /* there is none, though the benchmark is there and ok */
	const char *config;
	struct result_class class;
	/* The estimate; where boots are pairs, over those that make pairs. NAN: none. */
	double value;
	double min, max; /* of the valid boots' medians; NAN: none */
	size_t boots;	 /* valid ones */
};

struct compare_row {
	const char *name, *metric, *unit;
	struct compare_side base, new;
	enum compare_verdict verdict;
	bool exact; /* two points: no noise, no test */
	/*
	 * new - base, and new / base, of the two figures. Where these are ranges, of
	 * their nearest ends: 0 and 1 where the ranges meet. NAN where there is none;
	 * ratios also where a figure is not positive.
	 */
	double difference, ratio;
	/*
	 * By how much the boots moved, which a noisy row's verdict goes by: the median
	 * ratio of pairs, or the Hodges-Lehmann shift; with its interval. An exact
	 * row's is `difference`, and its interval what any two boots differ by.
	 */
	double shift, lo, hi;
	double shift_ratio, ratio_lo, ratio_hi;
	double band;	     /* shifts within +-band do not matter; exact: 0 */
	double level;	     /* of the interval: 0.95; exact: 1 */
	const char *method;  /* "exact", "range", "sign test", "Mann-Whitney"; NULL */
	double p, p_holm;    /* NAN: no test; after Holm over all rows with one */
	size_t pairs;	     /* of boots that were compared, where paired; else 0 */
	double cliff;	     /* Cliff's delta: > 0 where new is larger; NAN */
	double boots_needed; /* a side, to decide what is inconclusive; NAN: unknown */
	char reason[256];    /* why inconclusive, changed or NONE, else "" */
	/*
	 * By how much it got worse: of a worse row its shift, of one that is
	 * inconclusive the end of its interval. NAN: not known, or not worse.
	 */
	double worst;
	const struct threshold *let_pass; /* that covers it; NULL: it counts */
};

struct compare {
	const struct result *base, *new; /* the same where configs are compared */
	const char *config[2];		 /* as asked for; NULL: each with itself */
	bool paired;			 /* boots of one run, interleaved */
	/* What the machine may have done in between; nothing where paired or exact. */
	struct drift_between drift;
	struct compare_row *rows; /* base's order, then what only `new` has */
	size_t n_rows;
	size_t count[COMPARE_VERDICTS];	   /* all rows, and of these... */
	size_t let_pass[COMPARE_VERDICTS]; /* ... those that a threshold lets pass */
	/*
	 * How many rows have a figure in `base` and none in `new` to hold against it:
	 * nobody can say whether they got worse.
	 */
	size_t n_lost;
	/* What else bears on it, a line each: settings that differ, lost boots. */
	char **notes;
	size_t n_notes;
};

/*
 * Compares. The documents must outlive `c`; compare_free() it after success.
 * 0; -EINVAL with one line in `err` where the two are not of one kind or nothing is
 * asked for that is there. Aborts on lack of memory.
 */
int compare_documents(const struct result *base, const struct result *new,
		      const struct compare_options *o, struct compare *c,
		      struct error *err);
void compare_free(struct compare *c);

/* "worse", "better", "changed", "inconclusive", "none", "same (placement)", "same" */
const char *compare_verdict_name(enum compare_verdict v);

/*
 * What it comes to, without what is let pass: COMPARE_WORSE if any row is; else
 * COMPARE_INCONCLUSIVE if any is, or has lost its figure, or nothing was compared at
 * all; else COMPARE_CHANGED, COMPARE_BETTER, or COMPARE_SAME.
 */
enum compare_verdict compare_outcome(const struct compare *c);

#endif
