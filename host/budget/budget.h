/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exit budget: the exits of a real workload, as other tools count them, times the
 * figures of a result document.
 *
 *   exits*.c       what perf kvm stat, kvm_stat and debugfs print -> struct exits
 *   map.def        which row of the catalogue represents an exit
 *   budget.c       struct exits and documents -> struct budget
 *   budget_text.c  the budget as text, Markdown, CSV and JSON
 */
#ifndef WS_BUDGET_BUDGET_H
#define WS_BUDGET_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "bench/catalogue.h"
#include "host/lib/error.h"

struct result;

/* What the names in the output of a tool are. */
enum exits_kind {
	EXITS_VMEXIT,	   /* perf kvm stat: exit reasons */
	EXITS_MMIO,	   /* perf kvm stat --event=mmio: "0xfee000b0:W" */
	EXITS_IOPORT,	   /* --event=ioport: "0x21:PIN" */
	EXITS_MSR,	   /* --event=msr: "0x6e0:W" */
	EXITS_TRACEPOINTS, /* kvm_stat: "kvm_exit(HLT)", and other tracepoints */
	EXITS_COUNTERS,	   /* debugfs, and kvm_stat -d: "halt_exits" */
};

#define EXITS_FILE_MAX	(16u << 20)
#define EXITS_NAME_MAX	63
#define EXITS_NAMES_MAX 1024
#define EXITS_COUNT_MAX 1e15 /* exact in a double, also after additions */

struct exits_event {
	char name[EXITS_NAME_MAX + 1];
	double count;
	double handled_us; /* time that the tool saw in the host; NAN: unknown */
};

struct exits {
	enum exits_kind kind;
	struct exits_event *events; /* each name once, in the order of the file */
	size_t n;
	double seconds;	  /* of the counted interval; NAN: unknown */
	double lost;	  /* events that perf lost */
	bool since_start; /* counters since their VMs began: one snapshot */
};

/*
 * Parses the output of a tool, of any of the kinds. 0, or -EINVAL with `err`: "line 3:
 * ...". The caller frees the exits.
 */
int exits_parse(const char *text, size_t bytes, struct exits *out, struct error *err);
void exits_free(struct exits *e);

/* Subtracts an earlier snapshot of counters. 0, or -EINVAL with `err`. */
int exits_subtract(struct exits *e, const struct exits *earlier, struct error *err);

/* "exit reasons of perf kvm stat", ... */
const char *exits_kind_name(enum exits_kind kind);

/* ------------------------------ the mapping ------------------------------ */

enum budget_class {
	BUDGET_ROW,    /* an exit that a row represents */
	BUDGET_NO_ROW, /* an exit without a row; `why` says why */
	BUDGET_TOTAL,  /* a count of all exits */
	BUDGET_OTHER,  /* not a count of exits */
};

/* A row of map.def in place of that of the table. */
struct budget_override {
	const char *name, *row;
};

struct budget_map {
	enum budget_class class;
	const char *row, *why; /* NULL: none */
	bool mixed; /* exits that the VMM and KVM handle are counted as one reason */
	unsigned int archs; /* where the exit exists */
	const char *vendor; /* "VMX", "SVM"; NULL: any */
};

struct budget_options {
	const struct budget_override *overrides;
	size_t n_overrides;
	const char *config; /* of the rows; NULL: the first of each */
	double seconds;	    /* in place of those of the tool; NAN: none */
};

/* The exit of an override that is not among the exits; NULL: all are. */
const char *budget_unused_override(const struct exits *e, const struct budget_options *o);

void budget_map(const struct exits *e, const struct exits_event *event, unsigned int arch,
		const struct budget_options *o, struct budget_map *map);

/*
 * The rows that the exits need, each once; the array is of the caller, free() it. The
 * names are those of bench_table or of the options.
 */
const char **budget_rows(const struct exits *e, unsigned int arch,
			 const struct budget_options *o, size_t *n);

/* ------------------------------ the budget ------------------------------ */

#define BUDGET_SIDES 2

struct budget_line {
	char name[EXITS_NAME_MAX + 1];
	double count, handled_us;
	const char *row, *why;	   /* NULL: none */
	bool mixed;		   /* see struct budget_map */
	char *reason;		   /* why there are no figures; NULL: there are */
	double cost[BUDGET_SIDES]; /* of one exit, in the unit; NAN */
	double spent[BUDGET_SIDES];
};

struct budget {
	const struct result *docs[BUDGET_SIDES];
	size_t n_docs;
	const char *source; /* exits_kind_name() */
	const char *unit;   /* "insns", "ticks", ... */
	double seconds;	    /* NAN: the workload as a whole */
	bool since_start;
	/* With figures, by what was spent, or by the difference of two documents; then
	 * those without, by their counts. */
	struct budget_line *lines;
	size_t n_lines, n_costed;
	struct exits_event *others; /* not counts of exits */
	size_t n_others;
	double exits, costed; /* their sums over the lines */
	double spent[BUDGET_SIDES];
	double lost;
	char *warning; /* exits and figures are of different hypervisors; NULL */
};

/*
 * One document, or a base and a new one. 0, or an errno with `err`: -EINVAL: the exits
 * are of another architecture, or there are none; -EBADMSG: the documents do not fit each
 * other. The caller frees the budget before the documents and the exits.
 */
int budget_build(const struct exits *e, const struct result *const *docs, size_t n_docs,
		 const struct budget_options *o, struct budget *b, struct error *err);
void budget_free(struct budget *b);

/* Per second, or of the workload. */
double budget_rate(const struct budget *b, double amount);

void budget_print(FILE *f, const struct budget *b);
void budget_markdown(FILE *f, const struct budget *b);
void budget_csv(FILE *f, const struct budget *b);
void budget_json(FILE *f, const struct budget *b);

#endif
