/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents in the formats of other tools. */
#ifndef WS_RESULT_EXPORT_H
#define WS_RESULT_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "host/lib/error.h"
#include "host/result/result.h"

/* What is to be exported: every figure whose metric fits one of `metrics`. */
struct export_request {
	const struct result *const *docs;
	size_t n_docs;
	const char *const *metrics; /* fnmatch(3) patterns to a NULL */
};

struct export_format {
	const char *name;
	const char *consumer; /* who reads it */
	const char *metrics;  /* what is exported if nobody says: a pattern */
	bool one_each;	      /* one run of each target: there is no place for more */
	int (*write)(const struct export_request *rq, FILE *out, struct error *err);
};

extern const struct export_format export_table[];
extern const size_t export_table_n;

/* NULL where there is none. */
const struct export_format *export_find(const char *name);

/* 0, or -EINVAL with `err`: the documents do not fit the format. */
int export_write(const struct export_format *format, const struct export_request *rq,
		 FILE *out, struct error *err);

/* For the writers: figures one after the other, of benchmarks that are ok. */
struct export_figure {
	const struct result *doc;
	const struct result_benchmark *benchmark;
	const struct result_metric *metric;
};

struct export_cursor {
	size_t doc, benchmark, metric;
};

/* False at the end. A cursor begins as zeros. */
bool export_next(const struct export_request *rq, struct export_cursor *at,
		 struct export_figure *out);

/* Whether all documents have the figure: Otava's rows cannot do without one. */
bool export_in_all(const struct export_request *rq, const struct export_figure *f);

/* The same figure of another document; NULL. */
const struct result_metric *export_same(const struct result *doc,
					const struct export_figure *f);

/* "hypercall", "pmccntr[pmu-off]", "hypercall.twin"; with the target "lab:...-svm/..." */
#define EXPORT_NAME_BYTES 256
void export_name(const struct export_figure *f, bool target,
		 char name[EXPORT_NAME_BYTES]);

/* A number as short as it can be and still read back equal. */
#define EXPORT_NUMBER_BYTES 32
void export_number(double value, char text[EXPORT_NUMBER_BYTES]);

/* Seconds since 1970 of an RFC 3339 time in UTC; 0 where it is none. */
long long export_seconds(const char *time);

/* `s`, or "" where it is NULL. */
const char *export_text(const char *s);

/* The figure in nanoseconds of its clock; itself where the clock's rate is unknown. */
double export_ns(const struct export_figure *f, double value);

int export_gha(const struct export_request *rq, FILE *out, struct error *err);
int export_bmf(const struct export_request *rq, FILE *out, struct error *err);
int export_otava_csv(const struct export_request *rq, FILE *out, struct error *err);
int export_otava_json(const struct export_request *rq, FILE *out, struct error *err);
int export_gobench(const struct export_request *rq, FILE *out, struct error *err);
int export_gbench(const struct export_request *rq, FILE *out, struct error *err);
int export_openmetrics(const struct export_request *rq, FILE *out, struct error *err);
int export_kcidb(const struct export_request *rq, FILE *out, struct error *err);
int export_csv(const struct export_request *rq, FILE *out, struct error *err);

/* A field of CSV by RFC 4180, without what separates it from the next. */
void export_csv_field(FILE *out, const char *text);

#endif
