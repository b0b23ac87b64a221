/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of pictures there are. Each looks at the documents alone and says what
 * can be drawn of them, or why nothing can.
 */
#ifndef WS_VIEW_PLOTS_H
#define WS_VIEW_PLOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "host/report/picture.h"

struct result;

struct history;

struct plot_input {
	const struct result *const *docs;
	size_t n_docs;
	const struct history *history; /* judged; NULL: none */
	/* Two counter configs to set against each other; NULL: the kind's own choice. */
	const char *config[2];
	/* Words as result_bench_matches() has them; 0 of them: all benchmarks. */
	const char *const *benches;
	size_t n_benches;
};

/* Why a kind has nothing to draw; "" where it has. */
struct plot_reason {
	char text[256];
};

struct plot_kind {
	const char *id;
	const char *summary;
	bool of_history; /* instead of documents */
	/* Adds pictures to `list`, or says why there are none. Aborts on lack of memory.
	 */
	void (*plan)(const struct plot_input *in, struct picture_list *list,
		     struct plot_reason *why);
};

/* Ends with a row whose id is NULL. */
extern const struct plot_kind plot_kinds[];

/* Whether a benchmark is asked for. */
bool plot_wants(const struct plot_input *in, const char *bench);

/*
 * A document's target, and its number where others are of the same target: "kvm #2".
 * Behind it what was measured there: "lab:aarch64-vhe: Linux 6.1.0, KVM arm64 VHE", or
 * why the target failed.
 * Both for free().
 */
char *plot_label(const struct plot_input *in, const struct result *r);
char *plot_subject(const struct plot_input *in, const struct result *r);

/* The guest's architecture, which an emulator's machine need not have. */
const char *plot_arch(const struct result *r);

/* "instructions", "clock ticks", ...: the unit in words. */
const char *plot_unit_words(const char *unit);
/* "path length, not time", ...: what the unit is not. */
const char *plot_unit_caution(const char *unit);

/* A script being written: its figure's `f` is the script's end. */
struct figure;
void plot_open(struct figure *g, struct picture *p);
void plot_close(struct figure *g, struct picture *p);

void plot_bars(const struct plot_input *in, struct picture_list *list,
	       struct plot_reason *why);
void plot_configs(const struct plot_input *in, struct picture_list *list,
		  struct plot_reason *why);
void plot_compare(const struct plot_input *in, struct picture_list *list,
		  struct plot_reason *why);
void plot_tax(const struct plot_input *in, struct picture_list *list,
	      struct plot_reason *why);
void plot_distribution(const struct plot_input *in, struct picture_list *list,
		       struct plot_reason *why);

void plot_history(const struct plot_input *in, struct picture_list *list,
		  struct plot_reason *why);

/* Plans every kind that `in` has something for; for each that draws nothing, `said`. */
void plot_all(const struct plot_input *in, struct picture_list *list,
	      bool (*wanted)(const struct plot_kind *kind, void *context),
	      void (*said)(const struct plot_kind *kind, const char *why, void *context),
	      void *context);

#endif
