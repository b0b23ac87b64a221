/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Thresholds: parsing, selection, comparison. */
#include "host/compare/compare.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/catalogue.h"

/* Units of metrics. */
static const char *const units[] = {
	"insns", "ticks", "ns", "cycles", "counts", "traps"
};

/* "%" or a unit after the number. */
static int parse_unit(struct threshold *t, const char *unit, struct error *err)
{
	if (!strcmp(unit, "%"))
		return 0;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && !t->unit; i++)
		if (!strcmp(unit, units[i]))
			t->unit = units[i];
	if (t->unit)
		return 0;
	if (!*unit)
		return error_set(err, -EINVAL, "a number without a unit (1%%, 20insns)");
	return error_set(
		err, -EINVAL,
		"'%.40s' is not a unit (%%, insns, ticks, ns, cycles, counts, traps)",
		unit);
}

int threshold_parse(struct threshold *t, const char *text, struct error *err)
{
	const char *equals = strrchr(text, '=');
	const char *number = equals ? equals + 1 : text;
	size_t pattern = equals ? (size_t)(equals - text) : 0;
	char *end;

	*t = (struct threshold){ .text = text };
	if (equals && !pattern)
		return error_set(err, -EINVAL, "no benchmark before '='");
	if (pattern >= sizeof(t->pattern))
		return error_set(err, -EINVAL, "pattern longer than %zu characters",
				 sizeof(t->pattern) - 1);
	memcpy(t->pattern, text, pattern);
	/* strtod() also accepts blanks, signs, "inf" and hexadecimal numbers. */
	if (!isdigit((unsigned char)*number) || number[1] == 'x' || number[1] == 'X')
		return error_set(err, -EINVAL,
				 "'%.40s' is not an amount (1%%, 20insns, mmio_*=2%%)",
				 number);
	t->amount = strtod(number, &end);
	if (!isfinite(t->amount))
		return error_set(err, -EINVAL, "'%.40s' is out of range", number);
	return parse_unit(t, end, err);
}

bool threshold_names(const struct threshold *t, const char *benchmark)
{
	return !*t->pattern || !fnmatch(t->pattern, benchmark, 0);
}

bool threshold_names_any(const struct threshold *t)
{
	for (const struct bench *b = bench_table; b->id; b++)
		if (threshold_names(t, b->id))
			return true;
	return false;
}

const struct threshold *threshold_find(const struct threshold *list, size_t n,
				       const char *benchmark, const char *unit)
{
	const struct threshold *found = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct threshold *t = &list[i];

		if (!threshold_names(t, benchmark) ||
		    (t->unit && (!unit || strcmp(t->unit, unit) != 0)))
			continue;
		if (!found || *t->pattern || !*found->pattern)
			found = t;
	}
	return found;
}

bool threshold_covers(const struct threshold *t, double difference, double base)
{
	double most = t->unit ? t->amount : t->amount / 100 * fabs(base);

	/* Tolerates rounding errors: 1 % of 29 is less than 0.29. */
	return fabs(difference) <= most * (1 + 1e-9);
}
