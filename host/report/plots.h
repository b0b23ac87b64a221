/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of pictures. Each kind draws what the documents allow, or gives the reason
 * why it draws nothing.
 */
#ifndef WS_REPORT_PLOTS_H
#define WS_REPORT_PLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "host/report/picture.h"

struct explanation;
struct history;
struct result;
struct result_benchmark;
struct table;
struct table_options;

struct plot_input {
	const struct result *const *docs;
	size_t n_docs;
	const struct history *history; /* judged; NULL: none */
	const struct explanation *const *explanations;
	size_t n_explanations;
	/* Two counter configs to compare; NULL: the kind chooses. */
	const char *config[2];
	/* Globs of result_bench_matches(); none: all benchmarks. */
	const char *const *benches;
	size_t n_benches;
	const char *base; /* bars in percent of this target, label or kernel; NULL: not */
	bool log;	  /* logarithmic axes where a picture can have one */
	bool asked;	  /* for these kinds: a picture of one or two rows, too */
};

/* A picture of fewer benchmarks, which was not asked for, tells less than the table. */
#define PLOT_ROWS_LEAST 3

/* The reason why a kind draws nothing, or "". */
struct plot_reason {
	char text[256];
};

/* What a kind draws. */
enum plot_source {
	PLOT_DOCUMENTS,
	PLOT_HISTORY,
	PLOT_EXPLANATIONS,
};

struct plot_kind {
	const char *id;
	const char *summary;
	enum plot_source source;
	/* Adds pictures to `list`, or sets `why`. Aborts without memory. */
	void (*plan)(const struct plot_input *in, struct picture_list *list,
		     struct plot_reason *why);
};

/* Ends with a row whose id is NULL. */
extern const struct plot_kind plot_kinds[];

/* Whether a benchmark is selected. */
bool plot_wants(const struct plot_input *in, const char *bench);

/* Whether a row with a figure exits, as far as the document or the catalogue knows. */
bool plot_exits(const struct result_benchmark *b);

/*
 * The label of a document is its target, with a number if other documents have the same
 * target: "kvm #2". The subject adds what was measured: "lab:aarch64-vhe: Linux 6.1.0,
 * KVM arm64 VHE", or the failure of the target. Free both.
 */
char *plot_label(const struct plot_input *in, const struct result *r);
char *plot_subject(const struct plot_input *in, const struct result *r);

/* The guest's architecture, which differs from the machine's in emulators. */
const char *plot_arch(const struct result *r);

/* "instructions", "clock ticks", ...: the unit in words. */
const char *plot_unit_words(const char *unit);
/* "path length, not time", ...: how not to read the unit. */
const char *plot_unit_caution(const char *unit);

/*
 * "6.12.115+deb12-cloud-arm64" is "6.12.115": the series and update of a kernel. And
 * whether two such names are of one release, as 6.1.0-45 and 6.1.0-46.
 */
#define PLOT_KERNEL_BYTES 48
void plot_kernel(const char *kernel, char name[PLOT_KERNEL_BYTES]);
bool plot_is_release(const char *a, const char *b);

/*
 * Whether a document is of a target, label or kernel of `base` in plot_input. "6.1" is
 * "6.1.0-56-cloud-arm64", and not "6.12".
 */
bool plot_is_base(const struct result *r, const char *name);

/* Begins and ends a script, which is written to the `f` of the figure. */
struct figure;
void plot_open(struct figure *g, struct picture *p);
void plot_close(struct figure *g, struct picture *p);

void plot_bars(const struct plot_input *in, struct picture_list *list,
	       struct plot_reason *why);
void plot_configs(const struct plot_input *in, struct picture_list *list,
		  struct plot_reason *why);
void plot_compare(const struct plot_input *in, struct picture_list *list,
		  struct plot_reason *why);
void plot_vpmu(const struct plot_input *in, struct picture_list *list,
	       struct plot_reason *why);
void plot_tax(const struct plot_input *in, struct picture_list *list,
	      struct plot_reason *why);
void plot_floor(const struct plot_input *in, struct picture_list *list,
		struct plot_reason *why);
void plot_distribution(const struct plot_input *in, struct picture_list *list,
		       struct plot_reason *why);

void plot_scaling(const struct plot_input *in, struct picture_list *list,
		  struct plot_reason *why);
void plot_touch(const struct plot_input *in, struct picture_list *list,
		struct plot_reason *why);
void plot_history(const struct plot_input *in, struct picture_list *list,
		  struct plot_reason *why);
void plot_trend(const struct plot_input *in, struct picture_list *list,
		struct plot_reason *why);

/*
 * Plans every kind that is `wanted` (NULL: all); calls `said` for each kind that draws
 * nothing.
 */
void plot_all(const struct plot_input *in, struct picture_list *list,
	      bool (*wanted)(const struct plot_kind *kind, void *context),
	      void (*said)(const struct plot_kind *kind, const char *why, void *context),
	      void *context);

/* ------------------------------ floors ------------------------------ */

/*
 * What an exit costs at least, what it costs with KVM, and what it costs a guest of a
 * guest: rows of the group `nested` on a bare machine, the rows of the same operations in
 * a VM, and the nested rows in the VM.
 */

/* Figures of one operation and one document with a hypervisor, at least two of three. */
struct floor_row {
	const char *operation; /* the benchmark without nesting */
	const char *nested;    /* the nested benchmark */
	const struct result *doc;
	/* NULL: no figure. `floor` is of another document, of a bare machine. */
	const struct result_benchmark *floor, *kvm, *twice;
};

struct floor {
	struct floor_row *rows; /* in the order of floor_pairs, then of the documents */
	size_t n;
};

/* A nested benchmark, and the benchmark of the operation without nesting. */
struct floor_pair {
	const char *nested, *operation;
};

/* Ends with a row whose names are NULL. */
extern const struct floor_pair floor_pairs[];

/* Aborts without memory. The documents must outlive the rows. */
void floor_collect(struct floor *f, const struct plot_input *in);
void floor_free(struct floor *f);

/*
 * Initialises and fills in `t`: the rows of one document, or of all (NULL) with a column
 * of the targets.
 */
void floor_table(struct table *t, const struct floor *f, const struct plot_input *in,
		 const struct result *doc);

/* A table per document below the target's name: a narrow terminal has room for it. */
void floor_print(FILE *to, const struct floor *f, const struct plot_input *in,
		 const struct table_options *o);

#endif
