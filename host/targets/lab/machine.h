/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The emulated machines of the labs, and the emulator's command line. */
#ifndef WS_TARGETS_LAB_MACHINE_H
#define WS_TARGETS_LAB_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/catalogue.h"
#include "host/targets/lab/emulator.h"

/* Memory in MiB; strings because command lines and configurations need them. */
#define BOCHS_MEMORY_MIB "256"
#define QEMU_MEMORY_MIB	 "256"

/* Of L0 (l1.h): the memory of L1, and the files from which that is filled. */
#define L0_MEMORY_MIB "512"

/*
 * A snapshot of QEMU is a file: the machine's memory, then its migration stream, which
 * has the rest of its state. The machine that is saved maps the memory shared, and clones
 * map it privately: a clone copies only the pages that it writes.
 */
#define QEMU_MEMORY_BYTES (256ull << 20)

/* The models whose PMUs bochs/overlay emulates. */
#define BOCHS_CPU     "corei7_icelake_u"
#define BOCHS_CPU_AMD "ryzen"

struct lab_machine {
	const char *name; /* "aarch64-vhe": what follows "lab:" */
	enum arch arch;
	const struct lab_emulator *emulator;
	const char *program;	  /* the emulator's, to be found in PATH */
	const char *const *flags; /* its arguments, NULL at the end */
	const char *append;	  /* the kernel's command line */
	const char *module;	  /* to load, with all it depends on; NULL: built in */
	unsigned int least_qemu;  /* QEMU's major version; 0: any */
	const char *least_kernel; /* "6.16"; NULL: any */
	bool l1;		  /* wsbench runs in a guest: l1.h */
	unsigned int cpus;	  /* of a machine of Bochs; 0: one */
	/* The machine without `emulator`, which is not installed; NULL: none. */
	const struct lab_machine *fallback;
	const char *lacks; /* what a fallback lacks */
};

/* Ends with a row whose name is NULL. */
extern const struct lab_machine lab_machine_table[];

const struct lab_machine *lab_machine_find(const char *name); /* NULL: none */

/* What separates the machine's kernel parameters from `append` (NULL: none). */
const char *lab_append_begin(const struct lab_machine *m, const char *append);

const char *lab_arch_name(enum arch arch); /* "x86_64", "aarch64" */

/*
 * The argument vector that boots `kernel`, in one allocation that the caller
 * frees. `append` (or NULL) is added to the machine's own kernel command line.
 * `emulator` is a path; `plugin` is the path of a plugin for it, or NULL; `clone`: it
 * waits for the machine that it continues. NULL: out of memory.
 */
char **lab_machine_argv(const struct lab_machine *m, const char *emulator,
			const char *kernel, const char *append, const char *plugin,
			bool sandbox, bool clone);

#endif
