/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Weights of estimated_cycles: the table, files, the formula, and their fit. */
#include "host/explain/touch.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/file.h"
#include "host/lib/text.h"
#include "host/lib/table.h"
#include "host/stats/summary.h"

#define WEIGHTS_FILE_MAX 65536

static const char *const terms[ESTIMATE_TERMS] = {
	"insns",
	"loads",
	"stores",
	"l1i_misses",
	"l1d_misses",
	"ll_misses",
	"mispredicts",
	"indirect_mispredicts",
	"sysreg_reads",
	"sysreg_writes",
	"barriers",
	"tlb_maintenance",
	"cache_maintenance",
	"vm_insns",
	"exceptions",
	"exception_returns",
	"guest_entries",
};

static const struct {
	const char *name, *source;
} families[] = {
#define FAMILY(name, source) { name, source },
#define WEIGHT(family, metric, cycles)
#include "host/explain/weights.def"
#undef FAMILY
#undef WEIGHT
};

static const struct {
	const char *family, *metric;
	double cycles;
} weights[] = {
#define FAMILY(name, source)
#define WEIGHT(family, metric, cycles) { family, metric, cycles },
#include "host/explain/weights.def"
#undef FAMILY
#undef WEIGHT
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const char *estimate_term(size_t i)
{
	return terms[i];
}

/* ESTIMATE_TERMS: it is not a term. */
static size_t find_term(const char *name, size_t length)
{
	size_t i = 0;

	while (i < ESTIMATE_TERMS &&
	       (strlen(terms[i]) != length || strncmp(terms[i], name, length) != 0))
		i++;
	return i;
}

static bool find_family(const char *name, struct estimate_weights *w)
{
	size_t i = 0;

	while (i < COUNT(families) && strcmp(families[i].name, name) != 0)
		i++;
	if (i == COUNT(families))
		return false;
	snprintf(w->name, sizeof(w->name), "%s", name);
	snprintf(w->source, sizeof(w->source), "%s", families[i].source);
	snprintf(w->unit, sizeof(w->unit), "cycles");
	for (i = 0; i < COUNT(weights); i++) {
		size_t term = find_term(weights[i].metric, strlen(weights[i].metric));

		/* unit_estimate.c checks the table. */
		if (!strcmp(weights[i].family, name) && term < ESTIMATE_TERMS)
			w->weight[term] = weights[i].cycles;
	}
	return true;
}

/* A line of a file: "TERM WEIGHT", each term once; "unit WORD"; or a comment. */
static bool read_line(const char *line, bool seen[ESTIMATE_TERMS],
		      struct estimate_weights *w)
{
	size_t length = strcspn(line, " \t"), term = find_term(line, length);
	const char *value = line + length + strspn(line + length, " \t");
	char *end;

	if (!*line || *line == '#')
		return true;
	if (!strncmp(line, "unit", length) && length == 4) {
		snprintf(w->unit, sizeof(w->unit), "%s", value);
		return *value != '\0';
	}
	if (term == ESTIMATE_TERMS || seen[term])
		return false;
	seen[term] = true;
	w->weight[term] = strtod(value, &end);
	return end != value && !*end && isfinite(w->weight[term]) && w->weight[term] >= 0;
}

int estimate_weights(const char *name, struct estimate_weights *w, struct error *err)
{
	char *text, *line, *rest, names[256] = "";
	bool seen[ESTIMATE_TERMS] = { false }, any = false;
	long bytes;
	size_t n = 0;
	int rc = 0;

	memset(w, 0, sizeof(*w));
	if (find_family(name, w))
		return 0;
	bytes = file_read(name, WEIGHTS_FILE_MAX, &text);
	if (bytes == -ENOENT) {
		for (size_t i = 0; i < COUNT(families); i++)
			snprintf(names + strlen(names), sizeof(names) - strlen(names),
				 "%s%s", i ? ", " : "", families[i].name);
		return error_set(err, -ENOENT,
				 "'%s' is neither a file nor a family of weights (%s)",
				 name, names);
	}
	if (bytes < 0)
		return file_error(err, "read", name, (int)bytes);
	if (memchr(text, '\0', (size_t)bytes)) {
		free(text);
		return error_set(err, -EINVAL, "%s: is not text", file_tail(name));
	}
	text[bytes] = '\0'; /* file_read() allocates more than WEIGHTS_FILE_MAX */
	snprintf(w->name, sizeof(w->name), "%s", file_tail(name));
	snprintf(w->source, sizeof(w->source), "from a file");
	snprintf(w->unit, sizeof(w->unit), "cycles");
	for (rest = text; !rc && (line = strsep(&rest, "\n"));) {
		n++;
		if (!read_line(line, seen, w))
			rc = error_set(
				err, -EINVAL,
				"%s: line %zu is not a term and its weight, each term once",
				file_tail(name), n);
	}
	for (size_t i = 0; i < ESTIMATE_TERMS; i++)
		any |= w->weight[i] > 0;
	if (!rc && !any)
		rc = error_set(err, -EINVAL, "%s: has no weights", file_tail(name));
	free(text);
	return rc;
}

void estimate_write(FILE *f, const struct estimate_weights *w, const char *comment)
{
	fprintf(f, "# Weights of estimated_cycles: %s\n", comment);
	fprintf(f, "unit %s\n", w->unit);
	for (size_t i = 0; i < ESTIMATE_TERMS; i++)
		fprintf(f, "%s %.17g\n", terms[i], w->weight[i]);
}

bool estimate_counts(const struct explanation *e, double counts[ESTIMATE_TERMS])
{
	struct touch_metric list[TOUCH_METRICS_MAX];
	size_t n = touch_metrics(e, list), found = 1;

	counts[0] = (double)e->total;
	for (size_t i = 0; i < n; i++) {
		size_t term = find_term(list[i].name, strlen(list[i].name));

		if (term == ESTIMATE_TERMS)
			continue;
		counts[term] = list[i].value;
		found++;
	}
	return found == ESTIMATE_TERMS;
}

bool estimate_counts_of_row(const struct result_benchmark *b,
			    double counts[ESTIMATE_TERMS])
{
	for (size_t i = 0; i < ESTIMATE_TERMS; i++) {
		const struct result_metric *m =
			result_find_metric(b, i ? terms[i] : "round_trip");

		if (!m || isnan(m->value) || (!i && strcmp(m->unit, "insns") != 0))
			return false;
		counts[i] = m->value;
	}
	return true;
}

double estimate_sum(const struct estimate_weights *w, const double counts[ESTIMATE_TERMS])
{
	double sum = 0;

	for (size_t i = 0; i < ESTIMATE_TERMS; i++)
		sum += w->weight[i] * counts[i];
	return sum;
}

void estimate_print(FILE *f, const struct explanation *e,
		    const struct estimate_weights *w, const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "estimate, not a measurement", TABLE_KEY, 0, NULL },
		{ "count", TABLE_RIGHT, 0, NULL },
		{ "weight", TABLE_RIGHT, 0, NULL },
	};
	struct table_column last = { w->unit, TABLE_RIGHT, 0, NULL };
	double counts[ESTIMATE_TERMS], sum;
	struct table table;
	char *text;

	if (!estimate_counts(e, counts))
		return;
	table_init(&table, columns, 3);
	table_column(&table, &last);
	for (size_t i = 0; i < ESTIMATE_TERMS; i++) {
		if (w->weight[i] == 0)
			continue;
		table_row(&table, TABLE_PLAIN);
		table_cell(&table, 0, "%s", terms[i]);
		table_cell(&table, 1, "%.0f", counts[i]);
		table_cell(&table, 2, "%.4g", w->weight[i]);
		table_number(&table, 3, counts[i] * w->weight[i], false, false);
	}
	sum = estimate_sum(w, counts);
	table_row(&table, TABLE_PLAIN);
	table_cell(&table, 0, "estimated_%s", w->unit);
	table_number(&table, 3, sum, false, false);
	fputc('\n', f);
	table_print(f, &table, o);
	table_free(&table);
	if (asprintf(
		    &text,
		    "weights: %s (%s). Counts without a weight are not part of the sum; misses are of the warm event.",
		    w->name, w->source) < 0)
		abort();
	text_wrap(f, text, 0, 2, table_text_columns(o));
	free(text);
}

/*
 * Rows differ by a factor of 100: each is divided by its measured value, so that relative
 * errors are minimized. `skip`: a row that is left out; n: none.
 */
static int fit(const struct estimate_row *rows, size_t n, size_t skip, double *weight)
{
	double *a = calloc((n + 1) * ESTIMATE_TERMS, sizeof(*a));
	double *b = calloc(n + 1, sizeof(*b));
	size_t used = 0;
	int err = -ENOMEM;

	for (size_t i = 0; a && b && i < n; i++) {
		if (i == skip)
			continue;
		for (size_t k = 0; k < ESTIMATE_TERMS; k++)
			a[used * ESTIMATE_TERMS + k] =
				rows[i].counts[k] / rows[i].measured;
		b[used++] = 1;
	}
	if (a && b)
		err = stats_nnls(a, b, used, ESTIMATE_TERMS, weight);
	free(a);
	free(b);
	return err;
}

int estimate_fit(struct estimate_row *rows, size_t n, struct estimate_weights *w)
{
	struct estimate_weights others;
	int err;

	if (n < ESTIMATE_ROWS_MIN)
		return -ERANGE;
	err = fit(rows, n, n, w->weight);
	for (size_t i = 0; !err && i < n; i++) {
		rows[i].fitted = estimate_sum(w, rows[i].counts);
		err = fit(rows, n, i, others.weight);
		rows[i].left_out = err ? NAN : estimate_sum(&others, rows[i].counts);
		if (err == -ERANGE)
			err = 0;
	}
	return err;
}

void estimate_errors(const struct estimate_row *rows, size_t n, double *median,
		     double *largest)
{
	double *errors = calloc(n + 1, sizeof(*errors));
	size_t used = 0;

	if (!errors)
		abort();
	*median = *largest = NAN;
	for (size_t i = 0; i < n; i++) {
		if (isnan(rows[i].left_out))
			continue;
		errors[used] = fabs(rows[i].left_out / rows[i].measured - 1);
		*largest = fmax(*largest, errors[used++]);
	}
	if (used)
		*median = stats_median(errors, used);
	free(errors);
}
