/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulator: its command line, its table, and the bounds. */
#include "host/tests/sim/sim.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

void sim_ar_fill(gsl_rng *rng, const struct sim_ar *ar, double *out, size_t n)
{
	double innovation = ar->sd * sqrt(1 - ar->phi * ar->phi), value = 0;

	for (size_t i = 0; i < n; i++) {
		value = i ? ar->phi * value + gsl_ran_gaussian(rng, innovation)
			  : gsl_ran_gaussian(rng, ar->sd);
		out[i] = value;
	}
}

/*
 * The seed of a scenario is its name, so that other scenarios do not change its figures,
 * and the seed of the table, 0 if not given.
 */
static unsigned long seed_of(const char *name, unsigned long table)
{
	unsigned long hash = (2166136261u ^ table * 2654435761u) & 0xffffffffu;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u & 0xffffffffu;
	return hash;
}

static double share(size_t part, size_t whole)
{
	return whole ? (double)part / (double)whole : NAN;
}

static void print_share(double value)
{
	if (isnan(value))
		printf(" %9s", "-");
	else
		printf(" %7.2f %%", 100 * value);
}

/*
 * Whether the rate is on the right side of the bound. The few units of the quick subset
 * are beyond a bound only if chance explains them in less than 1 of 1,000 subsets.
 */
#define CHANCE 0.001

static bool at_most(size_t hits, size_t n, double bound, bool quick)
{
	if (quick && hits)
		return gsl_cdf_binomial_Q((unsigned int)hits - 1, bound,
					  (unsigned int)n) >= CHANCE;
	return (double)hits <= bound * (double)n;
}

static bool holds(const struct sim_bound *b, const struct sim_counts *c, bool quick)
{
	switch (b->rate) {
	case SIM_WRONG:
		return at_most(c->wrong_units, c->units, b->value, quick);
	case SIM_EXIT3:
		return at_most(c->undecided, c->units, b->value, quick);
	case SIM_FOUND:
		return at_most(c->wanted - c->found, c->wanted, 1 - b->value + 1e-12,
			       quick);
	case SIM_FREE:
		break;
	}
	return true;
}

static const char *outcome(const struct sim_bound *b, bool good)
{
	if (b->rate == SIM_FREE)
		return "";
	if (b->open)
		return good ? "open (holds)" : "open";
	return good ? "holds" : "BROKEN";
}

/* Returns whether the bound holds or is open. */
static bool print_row(const struct sim_scenario *s, const struct sim_counts *c,
		      bool quick)
{
	static const char *const signs[] = {
		[SIM_WRONG] = "false <=",
		[SIM_EXIT3] = "exit 3 <=",
		[SIM_FOUND] = "found >=",
	};
	bool good = holds(&s->bound, c, quick);
	char bound[32] = "";

	if (s->bound.rate != SIM_FREE)
		snprintf(bound, sizeof(bound), "%s %g %%", signs[s->bound.rate],
			 100 * s->bound.value);
	printf("%-59s %6zu", s->name, c->units);
	print_share(share(c->wrong_rows, c->rows));
	print_share(share(c->wrong_units, c->units));
	print_share(share(c->undecided, c->units));
	print_share(share(c->found, c->wanted));
	if (c->rows)
		printf(" %9s", "-");
	else
		printf(" %9.2f", share(c->changes, c->units));
	printf("  %-15s %s\n", bound, outcome(&s->bound, good));
	return good || s->bound.open;
}

struct options {
	bool quick;
	unsigned long seed;  /* of the table */
	const char *pattern; /* of names; NULL: all */
};

/* Returns the number of broken bounds. */
static size_t run_kind(const struct sim_kind *kind, const struct options *o)
{
	size_t broken = 0;

	printf("%-59s %6s %9s %9s %9s %9s %9s  %s\n", kind->title, kind->units,
	       "false/row", "false", "exit 3", "found", "changes", "bound");
	for (size_t i = 0; i < kind->n; i++) {
		const struct sim_scenario *s = &kind->scenarios[i];
		struct sim_counts counts = { 0 };
		gsl_rng *rng;

		if ((o->quick && !s->quick) ||
		    (o->pattern && fnmatch(o->pattern, s->name, 0)))
			continue;
		rng = gsl_rng_alloc(gsl_rng_mt19937);
		gsl_rng_set(rng, seed_of(s->name, o->seed));
		kind->simulate(s, rng, o->quick ? s->repeat / 10 : s->repeat, &counts);
		gsl_rng_free(rng);
		broken += !print_row(s, &counts, o->quick);
		fflush(stdout);
	}
	return broken;
}

static bool parse_seed(const char *text, unsigned long *seed)
{
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*seed = strtoul(text, &end, 10);
	return !errno && !*end;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	size_t broken = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--quick")) {
			o.quick = true;
		} else if (!strcmp(argv[i], "--seed") &&
			   parse_seed(argv[i + 1], &o.seed)) {
			i++;
		} else if (argv[i][0] != '-' && !o.pattern) {
			o.pattern = argv[i];
		} else {
			fprintf(stderr, "usage: power [--quick] [--seed N] [PATTERN]\n");
			return 2;
		}
	}
	broken += run_kind(&sim_compare, &o);
	printf("\n");
	broken += run_kind(&sim_history, &o);
	if (broken)
		printf("\n%zu bounds are broken\n", broken);
	return broken ? 1 : 0;
}
