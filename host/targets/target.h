/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where payloads run. One file per kind of target fills a `struct target_ops`;
 * one row per target name stands in target.c.
 *
 * Every target boots one payload at a time and hands its samples back. A lab does so on
 * a clone of an emulated machine, where this same program is the only process.
 *
 * Every function that can fail returns 0 or a negative errno and fills in
 * `struct error` with one line that names what and where. -ENOEXEC says that
 * a file that the user named cannot be used: bad input, not a failed target. -ESHUTDOWN:
 * the target is lost, for every row.
 */
#ifndef WS_TARGET_TARGET_H
#define WS_TARGET_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/abi.h"
#include "bench/catalogue.h"
#include "host/lib/error.h"
#include "host/result/result.h"
#include "host/targets/job.h"

struct result; /* host/result/result.h */
struct target;

/* Receives the functions of a lab's kernel: lines of kallsyms. */
struct target_symbols {
	int (*take)(void *ctx, const char *text, size_t bytes);
	void *ctx;
};

/* One boot: one VM, from creation to destruction. */
struct boot_request {
	const struct bench *bench;
	const struct config *config;
	struct abi_params params; /* magic, version, flags are the target's to set */
	int cpu;
	uint64_t timeout_ns;
	/*
	 * Where an exact target is to put the VM: 0, where it comes to lie by itself;
	 * other numbers, elsewhere in the host's memory, each in a place of its own.
	 */
	uint32_t placement;
	const void *image; /* the payload's ELF image */
	size_t image_bytes;
};

/* What was counted on the host between a phase's two doorbells; -1: nobody counts. */
struct boot_counts {
	int64_t exits;	    /* KVM's own count, the closing doorbell's not among them */
	int64_t user;	    /* returns of KVM_RUN for the guest's sake, likewise */
	int64_t interrupts; /* of these exits, or at most so many, for an interrupt */
	bool interrupts_exact; /* of these exits, exactly so many */
	int64_t involuntary_switches, migrations;
};

enum boot_outcome {
	BOOT_DONE,
	BOOT_SKIP,  /* cannot run here; `reason` */
	BOOT_CRASH, /* the guest crashed, hung, lied or was lost; `reason` */
};

/* The answer, checked and copied out of guest memory. boot_report_free(). */
struct boot_report {
	enum boot_outcome outcome;
	char reason[512];
	struct abi_report guest;
	uint64_t *series[ABI_PHASES]; /* guest.samples[phase] values each */
	const char *unit;	      /* of the samples; NULL: the clock's */
	struct boot_counts counts[ABI_PHASES];
	struct result_statistics statistics;
	struct result_host_counters
		host_counters; /* strings: static, or `counters_why` */
	char counters_why[160];
};
void boot_report_free(struct boot_report *rep);

struct target_ops {
	const char *kind; /* "kvm", "bare", "lab" */
	bool parallel;	  /* boots() may be called by several threads at a time */
	/* 0 if it can run here; else -errno, and `err` says why in one line. */
	int (*probe)(const struct target *t, const struct job *job, struct error *err);
	int (*open)(struct target *t, const struct job *job, struct error *err);
	/*
	 * Fills in subject, target, machine.pinned, clock.name/hz/unit of a document
	 * and its warnings. A lab replaces `*r` by a document that has the machine, its
	 * environment and its PMU, too. Called once, before the first boot.
	 */
	int (*describe)(struct target *t, struct result **r, struct error *err);
	/* An error is the row's, unless boot_settle() says that it is the target's. */
	int (*boot)(struct target *t, const struct boot_request *rq,
		    struct boot_report *rep, struct error *err);
	/*
	 * The same `n` times, from rq->placement on, each in the next place; fills in
	 * reports until one is not BOOT_DONE. NULL: call boot() so often.
	 */
	int (*boots)(struct target *t, const struct boot_request *rq, size_t n,
		     struct boot_report *reps, struct error *err);
	/* Labs: runs a JOB_SELFTEST or JOB_MATRIX. NULL: not supported. */
	int (*selftest)(struct target *t, const struct job *job,
			void (*line)(void *ctx, const char *text), void *ctx,
			struct error *err);
	/* The ELF image of the VMM that runs inside; NULL: this program itself. */
	const void *(*program)(const struct target *t, size_t *bytes);
	void (*close)(struct target *t); /* also after a failed open */
};

/* A row of the table, and, once opened, the target itself. */
struct target {
	const char *name; /* "lab:aarch64-vhe" */
	const char *summary;
	enum arch arch;	   /* of the guest; for `kvm`, of this machine */
	bool exact;	   /* counts instructions: no noise */
	unsigned int only; /* rows with one of these needs; 0: all (bench/catalogue.h) */
	uint32_t default_boots, default_events, default_warmup;
	const struct target_ops *ops;
	const void *config; /* the ops' own row, e.g. a struct lab_machine */
	void *state;	    /* the ops' own, from open to close */
	/* Set before open(); NULL: not wanted. */
	const struct target_symbols *symbols;
};

/* Ends with a row whose name is NULL. */
extern const struct target target_table[];

/* The repetition that suits a target without noise: sets the default_* members. */
void target_exact_defaults(struct target *t);
/* The same for a KVM that is slow and whose figures mean nothing anyway. */
void target_software_defaults(struct target *t);

extern const struct target_ops target_kvm_ops, target_bare_ops, target_lab_ops;

/* interrupt_catch(), such that a signal also stops a vCPU that runs in this thread. */
void target_catch_signals(void);

#endif
