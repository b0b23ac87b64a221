/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between the labs' emulators: how one is started, and what it offers. */
#ifndef WS_LAB_EMULATOR_H
#define WS_LAB_EMULATOR_H

#include "host/lab/shared.h"
#include "host/target/target.h"

struct lab_machine; /* machine.h */

/* The descriptors that an emulator's command line may count on. */
enum lab_fd {
	LAB_FD_INITRD = 3,
	LAB_FD_WIRE,	/* a file, see lab_shared_create() */
	LAB_FD_CONSOLE, /* write */
	LAB_FD_PLUGIN,	/* a file of the plugin's, where there is one */
	LAB_FD_MEMORY,	/* what is in the machine's memory when it starts */
	LAB_FD_FIRMWARE,
	LAB_FD_CONFIG,
	LAB_FD_COMMANDS, /* for the emulator's own debugger */
	LAB_FD_FIRST_OTHER,
};

/* How an emulator is started. */
struct lab_command {
	char **argv;			/* argv[0]: a path; one allocation */
	const char *const *environment; /* "NAME=value", beside ours; NULL: none */
	enum lab_shared_kind wire;
	/* What its own error messages begin with, the surest first; NULL: unknown. */
	const char *const *error_marks;
	int fds[LAB_FD_FIRST_OTHER]; /* ours to close; -1: none, or the session's */
};

/* What is to be booted. */
struct lab_boot {
	const char *program; /* the emulator's path */
	const char *kernel;  /* an image that lab_kernel_check() likes */
	const char *append;  /* for the kernel, after the machine's own words; NULL */
	const char *plugin;  /* for the emulator: its path; NULL: none */
	int plugin_fd;	     /* for the plugin, where there is one; like initramfs */
	int initramfs;	     /* a file; stays the caller's */
};

struct lab_emulator {
	const char *version_option; /* that makes it say its name */
	/* 0 or a negative errno; lab_command_free() in any case. */
	int (*command)(const struct lab_machine *m, const struct lab_boot *boot,
		       struct lab_command *cmd, struct target_error *err);
};

/* No arguments, no descriptors. */
void lab_command_init(struct lab_command *cmd);
void lab_command_free(struct lab_command *cmd);

extern const struct lab_emulator lab_qemu, lab_bochs;

#endif
