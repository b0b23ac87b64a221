/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confinement: what a process gives up before it runs a guest, because a guest, or the
 * kernel of a lab, may have taken over the code that runs it.
 *
 * There are two such processes. An emulator (QEMU, Bochs) is a program that is executed:
 * confine_enter() is called between fork() and exec. The VMM of the target `kvm` is a
 * fork of wsbench (targets/kvm_apart.c), which keeps the descriptor of /dev/kvm and a
 * socket.
 *
 * Both have no new privileges, no capabilities (the VMM keeps CAP_PERFMON and,
 * where Landlock protects other processes, CAP_SYS_PTRACE, for perf_event_open() and
 * userfaultfd(), if it had them; ptrace() is denied below), no terminal, no core file, no
 * network, no new namespaces, and no signals to other processes. Started as
 * root, they become the user of SUDO_UID, or user 65534, unless that user cannot read
 * what they need. Folders that only root can enter, such as /root/.cache, do not count: a
 * program in one is executed by the descriptor of its folder, and other files are opened
 * before the user changes. Of a Bochs whose own folder or file is closed to the user, a
 * copy in memory is executed. A QEMU there stays root's: it needs files beside it.
 *
 * Files, by Landlock: an emulator changes none, nor, by seccomp, their modes, owners,
 * times and attributes. The VMM reads /proc and /sys, and opens nothing else.
 *
 * System calls, by seccomp: an emulator is denied what confine_calls.def lists as
 * EMULATOR, beside what QEMU's own -sandbox denies, and may execute its program once. The
 * VMM is denied what the file does not list as VMM.
 *
 * WORLDSWITCH_CONFINE=0 in the environment switches all of it off: for debuggers, and for
 * emulators that are scripts and write files.
 *
 * Without libseccomp at build time (static programs, such as the one in a lab's machine),
 * system calls are not filtered, and an emulator is in an empty network namespace. What a
 * kernel does not offer is left out; confine_lacks() says what.
 */
#ifndef WS_LIB_CONFINE_H
#define WS_LIB_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum confine_role { CONFINE_EMULATOR, CONFINE_VMM };

/* Bits of what is in effect. */
enum confine_part {
	CONFINE_NO_NEW_PRIVS = 1 << 0,
	CONFINE_CAPABILITIES = 1 << 1,
	CONFINE_USER = 1 << 2, /* the process is not root's */
	CONFINE_FILES = 1 << 3,
	CONFINE_SIGNALS = 1 << 4,
	CONFINE_CALLS = 1 << 5,
	CONFINE_NETWORK = 1 << 6,
};

#define CONFINE_NEEDS_MAX 4
#define CONFINE_FD_FOLDER 31

struct confine_filter {
	struct sock_filter *code; /* NULL: no filter */
	unsigned short n;
};

struct confine {
	enum confine_role role;
	/*
	 * The program that may be executed, at an address that only the process before
	 * the exec knows: another execve() kills the process. NULL: none.
	 */
	char *program, *secret; /* `secret`: the mapping of `program` */
	/*
	 * The folder of a program that the new user cannot reach by its path, or a copy
	 * of the program: becomes descriptor CONFINE_FD_FOLDER before the exec, and is
	 * closed by it unless the program is a script, whose interpreter opens it.
	 */
	int folder; /* valid if `by_folder` */
	bool by_folder, script;
	struct confine_filter filter;
	bool off;	 /* WORLDSWITCH_CONFINE=0 */
	bool keep_admin; /* see confine_vmm() */
	bool drop_user;
	uid_t uid;
	gid_t gid;
	const char *needs[CONFINE_NEEDS_MAX]; /* files that the process opens */
};

/*
 * Prepares the confinement of an emulator, `program`: a path. `alone`: the program needs
 * no files beside it. `needs`: other files that the emulator opens, which live as long as
 * `c`; NULLs are ignored. 0 or -ENOMEM.
 */
int confine_emulator(struct confine *c, const char *program, bool alone,
		     const char *const needs[CONFINE_NEEDS_MAX]);

/*
 * Prepares the confinement of the calling process as a VMM, which stays root with
 * CAP_SYS_ADMIN if `keep_admin`, for the device of host/kmod. 0 or -ENOMEM.
 */
int confine_vmm(struct confine *c, bool keep_admin);

void confine_free(struct confine *c); /* also of zeroed memory */

/*
 * Confines the calling process, for ever. Async-signal-safe. `fds`: pipes among these
 * descriptors get the new user as their owner, so that the process can open them by
 * /proc/self/fd. Returns the bits of enum confine_part.
 */
unsigned int confine_enter(const struct confine *c, const int *fds, size_t n_fds);

/* A file that is a descriptor of the process. */
struct confine_file {
	int number;
	const char *path; /* NULL: none */
};

/* What the kernel says of a confined process. */
struct confine_state {
	unsigned int parts; /* bits of enum confine_part */
	uid_t uid;
	uint64_t capabilities; /* that are effective */
	unsigned int seccomp;  /* mode: 0 off, 2 filter */
	unsigned int landlock; /* version of its interface; 0: none */
	uint64_t core_bytes, memory_bytes, file_bytes; /* limits; UINT64_MAX: none */
};

/*
 * Confines a child as a process that has these files, and reads what the kernel says of
 * it. 0 or a negative errno.
 */
int confine_try(const struct confine *c, const struct confine_file *files, size_t n,
		struct confine_state *state);

/* Whether the process is confined, but keeps root's user id: the other user cannot
 * execute the program or read its needs. */
bool confine_stays_root(const struct confine_state *state);

/* Before the exec of c->program: see `folder`. `folder`: a copy of c->folder. */
void confine_place_folder(const struct confine *c, int folder);

/*
 * Tries both confinements in children, and writes what this kernel, or this program,
 * lacks of them: "" or such as "system calls, network".
 */
void confine_lacks(char *text, size_t bytes);

/* The same of bits of enum confine_part. */
void confine_lacking(unsigned int parts, char *text, size_t bytes);

/* The version of Landlock's interface; 0: this kernel has none. */
unsigned int confine_landlock(void);

/* Whether the environment switches confinement off. */
bool confine_is_off(void);

/*
 * The user that started the program by sudo, if this process is root's: results belong
 * to that user. False: not root, or not by sudo.
 */
bool confine_caller(uid_t *uid, gid_t *gid);

/* confine_filter.c: builds the filter of a role. 0 with f->code NULL without libseccomp;
 * `program`: see struct confine. */
int confine_filter_build(const struct confine *c, const char *program,
			 struct confine_filter *f);

#endif
