/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents in the formats of other tools. */
#ifndef WS_RESULT_EXPORT_H
#define WS_RESULT_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "host/lib/error.h"
#include "host/result/result.h"

/* Exports the figures whose metric matches one of `metrics`. */
struct export_request {
	const struct result *const *docs;
	size_t n_docs;
	const char *const *metrics; /* fnmatch(3) patterns; ends with NULL */
};

struct export_format {
	const char *name;
	const char *consumer; /* the program that reads the format */
	const char *metrics;  /* the default pattern */
	bool one_each;	      /* the format holds only one run of each target */
	int (*write)(const struct export_request *rq, FILE *out, struct error *err);
};

extern const struct export_format export_table[];
extern const size_t export_table_n;

/* NULL: not found. */
const struct export_format *export_find(const char *name);

/* 0, or -EINVAL with `err`: the format cannot hold the documents. */
int export_write(const struct export_format *format, const struct export_request *rq,
		 FILE *out, struct error *err);

/* A cursor over the figures of benchmarks that are ok, for the writers. */
struct export_figure {
	const struct result *doc;
	const struct result_benchmark *benchmark;
	const struct result_metric *metric;
};

struct export_cursor {
	size_t doc, benchmark, metric;
};

/* False: end. A cursor is initially zero. */
bool export_next(const struct export_request *rq, struct export_cursor *at,
		 struct export_figure *out);

/* Whether all documents have the figure, as the rows of Otava require. */
bool export_in_all(const struct export_request *rq, const struct export_figure *f);

/* The figure of that name in another document; NULL. */
const struct result_metric *export_same(const struct result *doc,
					const struct export_figure *f);

/* "hypercall", "pmccntr[pmu-off]", "hypercall.twin"; with the target "lab:...-svm/..." */
#define EXPORT_NAME_BYTES 256
void export_name(const struct export_figure *f, bool target,
		 char name[EXPORT_NAME_BYTES]);

/* The shortest number that reads back equal. */
#define EXPORT_NUMBER_BYTES 32
void export_number(double value, char text[EXPORT_NUMBER_BYTES]);

/* Seconds since 1970 of an RFC 3339 time in UTC; 0: invalid. */
long long export_seconds(const char *time);

/* `s`, or "" if NULL. */
const char *export_text(const char *s);

/* A value of a figure in nanoseconds; unchanged if the clock rate is unknown. */
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

/* A field of RFC 4180, without separators. */
void export_csv_field(FILE *out, const char *text);

/* ------------------------------ --json ------------------------------ */

/*
 * A JSON object of values, flat objects and arrays of flat objects: the --json output of
 * the commands. Keeps <jansson.h> out of other folders. All functions abort if out of
 * memory. Text that is not UTF-8 becomes null.
 */

struct json_list;

struct json_list *json_list_new(void);

/* Creates the array `array` unless it exists. */
void json_list_array(struct json_list *l, const char *array);

/* Begins an object in the array `array`, which is created if needed. */
void json_list_row(struct json_list *l, const char *array);

/* json_list_object(): begins an object, member `key`. json_list_top(): back to the root.
 */
void json_list_object(struct json_list *l, const char *key);
void json_list_top(struct json_list *l);

/*
 * Sets a member of the object begun last, or of the root. NULL, NAN and infinity become
 * null. json_list_number() writes a whole number as an integer.
 */
void json_list_string(struct json_list *l, const char *key, const char *value);
void json_list_real(struct json_list *l, const char *key, double value);
void json_list_count(struct json_list *l, const char *key, size_t value);
void json_list_bool(struct json_list *l, const char *key, bool value);
void json_list_strings(struct json_list *l, const char *key, const char *const *values,
		       size_t n);
void json_list_number(struct json_list *l, const char *key, double value);

/* The text: 2 spaces, keys in the order of the calls, newline at the end. free() it. */
char *json_list_dump(const struct json_list *l);
void json_list_free(struct json_list *l);

#endif
