/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machines of targets `bare:*`: how an emulator runs a payload alone. */
#ifndef WS_TARGETS_BARE_H
#define WS_TARGETS_BARE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "host/lib/error.h"
#include "host/targets/target.h"

/* Descriptors of an emulator, from 3 on. */
enum {
	BARE_FD_RAM = 3, /* the file of guest memory */
	BARE_FD_FILES,	 /* bare_command.fds[0], and fds[1] at the next number */
};

/* How an emulator is started. */
struct bare_command {
	const char *argv[64];		      /* NULL at the end */
	const char *environment[3];	      /* beside ours; NULL at the end */
	char program[PATH_MAX], text[2][128]; /* of `argv` and `environment` */
	int fds[2];			      /* -1: none */
};

struct bare_machine {
	const char *emulator;	 /* of QEMU: the program */
	const char *const *args; /* of QEMU; NULL at the end */
	/* The same for a payload that is a hypervisor; NULL: `args`. */
	const char *const *nested_args;
	const char *model; /* of Bochs: the CPU */
	const char *clock;
	/* The emulator's path. -ENOENT with the reason. */
	int (*find)(const struct bare_machine *m, char path[PATH_MAX], struct error *err);
	void (*version)(const struct bare_machine *m, char *text, size_t bytes);
	/*
	 * How to run the payload of `rq`. `ram`: ABI_RAM_BYTES of guest memory, which are
	 * zero but for the page of bench/abi.h. bare.c frees `cmd` in any case.
	 */
	int (*command)(const struct bare_machine *m, uint8_t *ram,
		       const struct boot_request *rq, struct bare_command *cmd,
		       struct error *err);
};

/* Of labs, too. Options of a QEMU that was built with seccomp: it denies itself these
 * system calls. */
#define BARE_QEMU_SANDBOX                                                                \
	"-sandbox",                                                                      \
		"on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

/* A warning for documents. */
#define BARE_QEMU_NO_SANDBOX                                                             \
	"%s was built without seccomp: QEMU does not confine itself (-sandbox)"

/* Whether the QEMU program at `path` was built with seccomp. */
bool bare_qemu_has_sandbox(const char *path);

/* An unnamed file for the emulator. -EIO with the reason, or the descriptor. */
int bare_file(const char *name, const void *data, size_t bytes, struct error *err);

#endif
