/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Confinement of emulators and of the VMM: see confine.h. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/lib/confine.h"

/* An emulator has at most 2 GiB of guest memory, and a buffer of translated code. */
#define EMULATOR_BYTES	    (32ull << 30)
/* A file that an emulator writes: a saved machine, or records of instructions. */
#define EMULATOR_FILE_BYTES (64ull << 30)

/* Of no files and no other processes: /proc/sys/kernel/overflowuid. */
#define OVERFLOW_ID 65534

/* Since Linux 5.8. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif

/*
 * Landlock, as <linux/landlock.h> of Linux 6.12, which the headers of a system may lack
 * (before 5.13) or have in part. System calls have these numbers on all architectures.
 */
enum { LANDLOCK_CREATE_RULESET = 444, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF };

#define RULESET_VERSION	  (1u << 0)
#define RULE_PATH_BENEATH 1

#define FS_EXECUTE    (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE  (1ull << 2)
#define FS_READ_DIR   (1ull << 3)
#define FS_MAKE_SYM   (1ull << 12) /* the last of ABI 1 */
#define FS_REFER      (1ull << 13) /* ABI 2 */
#define FS_TRUNCATE   (1ull << 14) /* ABI 3 */
#define FS_IOCTL_DEV  (1ull << 15) /* ABI 5 */

#define NET_BIND_TCP	(1ull << 0) /* ABI 4 */
#define NET_CONNECT_TCP (1ull << 1)

#define SCOPE_ABSTRACT_UNIX_SOCKET (1ull << 0) /* ABI 6 */
#define SCOPE_SIGNAL		   (1ull << 1)

/* struct landlock_path_beneath_attr */
struct path_beneath {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

/* struct landlock_ruleset_attr of ABI 6; older kernels accept a prefix. */
struct ruleset {
	uint64_t files, network, scopes;
};

static bool parse_id(const char *variable, unsigned long *id)
{
	const char *text = getenv(variable);
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*id = strtoul(text, &end, 10);
	return !errno && !*end && *id && *id < UINT32_MAX;
}

bool confine_caller(uid_t *uid, gid_t *gid)
{
	unsigned long u, g;

	if (geteuid() || !parse_id("SUDO_UID", &u) || !parse_id("SUDO_GID", &g))
		return false;
	*uid = (uid_t)u;
	*gid = (gid_t)g;
	return true;
}

bool confine_is_off(void)
{
	const char *value = getenv("WORLDSWITCH_CONFINE");

	return value && !strcmp(value, "0");
}

static void choose_user(struct confine *c)
{
	c->drop_user = !geteuid();
	if (confine_caller(&c->uid, &c->gid))
		return;
	c->uid = OVERFLOW_ID;
	c->gid = OVERFLOW_ID;
}

#define SECRET_BYTES (1ul << 20)

/* Page and offset are random: a wrong guess kills the process. */
static int keep_secret(struct confine *c, const char *program)
{
	const size_t bytes = strlen(program) + 1;
	uint64_t random[2] = { 0 };
	char *map;

	if (bytes > SECRET_BYTES || getrandom(random, sizeof(random), 0) < 0)
		return -ENOMEM;
	/* Half of the address space; the kernel may choose another place. */
	map = mmap((void *)(uintptr_t)(random[0] & 0x3ffffff00000ull), SECRET_BYTES,
		   PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		   -1, 0);
	if (map == MAP_FAILED)
		return -ENOMEM;
	c->secret = map;
	c->program = memcpy(map + random[1] % (SECRET_BYTES - bytes), program, bytes);
	return 0;
}

/* A script executes its interpreter, and the interpreter the program. */
static bool is_elf(const char *program)
{
	int fd = open(program, O_RDONLY | O_CLOEXEC);
	char magic[4] = "";
	bool elf = fd >= 0 && read(fd, magic, 4) == 4 && !memcmp(magic, "\177ELF", 4);

	if (fd >= 0)
		close(fd);
	return elf;
}

/* Whether `check` holds in a child that has become the other user, if root may do that.
 */
static bool as_other_user(const struct confine *c, bool (*check)(const void *what),
			  const void *what)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		(void)syscall(SYS_setgroups, 0, NULL);
		(void)syscall(SYS_setresgid, c->gid, c->gid, -1);
		(void)syscall(SYS_setresuid, c->uid, c->uid, -1);
		_exit(!check(what));
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && !status;
}

static bool can_execute(const void *path)
{
	return !faccessat(AT_FDCWD, path, X_OK, AT_EACCESS);
}

/* A program in a folder, which is open. */
struct in_folder {
	int folder;
	const char *name;
};

static bool can_execute_in(const void *what)
{
	const struct in_folder *in = what;

	return !faccessat(in->folder, in->name, X_OK, AT_EACCESS);
}

/* A copy of a program in memory, which all users can execute. -1: none. */
static int copy_program(const char *program, const char *name)
{
	int from = open(program, O_RDONLY | O_CLOEXEC);
	int to = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t n = from < 0 || to < 0 ? -1 : 1;

	while (n > 0)
		n = sendfile(to, from, NULL, 1 << 30);
	if (from >= 0)
		close(from);
	if (!n && !fchmod(to, 0555) &&
	    !fcntl(to, F_ADD_SEALS,
		   F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL))
		return to;
	if (to >= 0)
		close(to);
	return -1;
}

/* The program by the descriptor of its folder or of a copy, in `path`, if the other user
 * needs that. */
static const char *place_program(struct confine *c, const char *program, bool alone,
				 char path[PATH_MAX])
{
	const char *slash = strrchr(program, '/');
	struct in_folder in;

	if (c->off || !c->drop_user || !slash || slash == program ||
	    as_other_user(c, can_execute, program))
		return program;
	/* A link in a closed folder to a program that is not in one. */
	if (!c->script && realpath(program, path) && as_other_user(c, can_execute, path))
		return path;
	snprintf(path, PATH_MAX, "%.*s", (int)(slash - program), program);
	in.name = slash + 1;
	in.folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (in.folder >= 0 && as_other_user(c, can_execute_in, &in)) {
		c->folder = in.folder;
		snprintf(path, PATH_MAX, "/proc/self/fd/%d%s", CONFINE_FD_FOLDER, slash);
	} else {
		if (in.folder >= 0)
			close(in.folder);
		c->folder = alone && !c->script ? copy_program(program, in.name) : -1;
		snprintf(path, PATH_MAX, "/proc/self/fd/%d", CONFINE_FD_FOLDER);
	}
	c->by_folder = c->folder >= 0;
	return c->by_folder ? path : program;
}

void confine_place_folder(const struct confine *c, int folder)
{
	if (c->by_folder)
		(void)dup3(folder, CONFINE_FD_FOLDER, c->script ? 0 : O_CLOEXEC);
}

int confine_emulator(struct confine *c, const char *program, bool alone,
		     const char *const needs[CONFINE_NEEDS_MAX])
{
	char path[PATH_MAX];
	int ret;

	*c = (struct confine){ .role = CONFINE_EMULATOR,
			       .off = confine_is_off(),
			       .script = !is_elf(program) };
	choose_user(c);
	for (size_t i = 0; needs && i < CONFINE_NEEDS_MAX; i++)
		c->needs[i] = needs[i];
	ret = keep_secret(c, place_program(c, program, alone, path));
	if (!ret && !c->off)
		ret = confine_filter_build(c, c->script ? NULL : c->program, &c->filter);
	if (ret)
		confine_free(c);
	return ret;
}

int confine_vmm(struct confine *c, bool keep_admin)
{
	*c = (struct confine){ .role = CONFINE_VMM,
			       .off = confine_is_off(),
			       .keep_admin = keep_admin };
	choose_user(c);
	if (keep_admin)
		c->drop_user = false;
	return c->off ? 0 : confine_filter_build(c, NULL, &c->filter);
}

void confine_free(struct confine *c)
{
	free(c->filter.code);
	if (c->secret)
		munmap(c->secret, SECRET_BYTES);
	if (c->by_folder)
		close(c->folder);
	*c = (struct confine){ .program = NULL };
}

/* Whether the effective user can read all that is needed. */
static bool reaches(const struct confine *c)
{
	if (c->program && faccessat(AT_FDCWD, c->program, X_OK, AT_EACCESS))
		return false;
	for (size_t i = 0; i < CONFINE_NEEDS_MAX; i++)
		if (c->needs[i] && faccessat(AT_FDCWD, c->needs[i], R_OK, AT_EACCESS))
			return false;
	return true;
}

/*
 * The real and saved users stay root's until the new user has been tried. System calls
 * without glibc, which would change all threads of a process that was forked by one.
 */
static void drop_user(const struct confine *c, const int *fds, size_t n_fds)
{
	struct stat st;

	if (!c->drop_user || syscall(SYS_setgroups, 0, NULL) ||
	    syscall(SYS_setresgid, -1, c->gid, -1))
		return;
	if (syscall(SYS_setresuid, -1, c->uid, -1))
		goto keep;
	/* Otherwise /proc/self is root's. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (!reaches(c)) {
		syscall(SYS_setresuid, -1, 0, -1);
		goto keep;
	}
	syscall(SYS_setresuid, -1, 0, -1);
	for (size_t i = 0; i < n_fds; i++)
		if (fds[i] >= 0 && !fstat((int)i, &st) && S_ISFIFO(st.st_mode))
			(void)!fchown((int)i, c->uid, c->gid);
	syscall(SYS_setresgid, c->gid, c->gid, c->gid);
	/* Capabilities survive, for drop_capabilities(). */
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	syscall(SYS_setresuid, c->uid, c->uid, c->uid);
	/* Otherwise /proc/self is root's. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return;
keep:
	syscall(SYS_setresgid, -1, 0, -1);
}

static bool set_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = { .version =
							   _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return false;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(kept >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return !syscall(SYS_capset, &header, data);
}

static bool drop_capabilities(const struct confine *c, bool landlock)
{
	uint64_t kept = 0;

	/* Counters of the host. */
	if (c->role == CONFINE_VMM)
		kept = 1ull << CAP_PERFMON;
	/* Page faults of the kernel; but also other processes, which Landlock denies. */
	if (c->role == CONFINE_VMM && landlock)
		kept |= 1ull << CAP_SYS_PTRACE;
	if (c->keep_admin)
		kept |= 1ull << CAP_SYS_ADMIN;
	/* After a change of the user, none are effective. */
	set_capabilities(UINT64_MAX);
	for (int i = 0; !prctl(PR_CAPBSET_DROP, i, 0, 0, 0); i++)
		;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return set_capabilities(kept);
}

static void add_path(int ruleset, const char *path, uint64_t rights)
{
	struct path_beneath rule = { .allowed_access = rights };

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return;
	syscall(LANDLOCK_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
}

#define READ_FILES (FS_READ_FILE | FS_READ_DIR)

unsigned int confine_landlock(void)
{
	long abi = syscall(LANDLOCK_CREATE_RULESET, NULL, 0, RULESET_VERSION);

	return abi > 0 ? (unsigned int)abi : 0;
}

/* Landlock: Documentation/userspace-api/landlock.rst. The bits of what is in effect. */
static unsigned int restrict_files(const struct confine *c)
{
	unsigned int abi = confine_landlock();
	struct ruleset r = { .files = FS_MAKE_SYM * 2 - 1 };
	unsigned int done = CONFINE_FILES;
	int fd;

	if (abi < 1)
		return 0;
	if (c->role == CONFINE_EMULATOR)
		r.files &= ~(READ_FILES | FS_EXECUTE);
	if (abi >= 2)
		r.files |= FS_REFER;
	if (abi >= 3)
		r.files |= FS_TRUNCATE;
	if (abi >= 4)
		r.network = NET_BIND_TCP | NET_CONNECT_TCP;
	if (abi >= 5 && c->role == CONFINE_EMULATOR)
		r.files |= FS_IOCTL_DEV;
	if (abi >= 6) {
		r.scopes = SCOPE_SIGNAL | SCOPE_ABSTRACT_UNIX_SOCKET;
		done |= CONFINE_SIGNALS;
	}
	fd = (int)syscall(LANDLOCK_CREATE_RULESET, &r,
			  abi >= 6   ? sizeof(r)
			  : abi >= 4 ? offsetof(struct ruleset, scopes)
				     : offsetof(struct ruleset, network),
			  0);
	if (fd < 0)
		return 0;
	if (c->role == CONFINE_EMULATOR) {
		add_path(fd, "/dev/null", FS_WRITE_FILE);
	} else {
		add_path(fd, "/proc", READ_FILES);
		add_path(fd, "/sys", READ_FILES);
		for (size_t i = 0; i < CONFINE_NEEDS_MAX && c->needs[i]; i++)
			add_path(fd, c->needs[i], FS_READ_FILE | FS_WRITE_FILE);
	}
	if (syscall(LANDLOCK_RESTRICT_SELF, fd, 0))
		done = 0;
	close(fd);
	return done;
}

/* A lower limit of the user's stays. */
static void lower_limit(int resource, rlim_t bytes)
{
	struct rlimit now;

	if (getrlimit(resource, &now))
		return;
	if (now.rlim_cur > bytes)
		now.rlim_cur = bytes;
	if (now.rlim_max > bytes)
		now.rlim_max = bytes;
	setrlimit(resource, &now);
}

static void set_limits(enum confine_role role)
{
	lower_limit(RLIMIT_CORE, 0);
	if (role != CONFINE_EMULATOR)
		return;
	lower_limit(RLIMIT_AS, EMULATOR_BYTES);
	lower_limit(RLIMIT_FSIZE, EMULATOR_FILE_BYTES);
}

static bool install_filter(const struct confine_filter *f)
{
	const struct sock_fprog program = { .len = f->n, .filter = f->code };

	/*
	 * SPEC_ALLOW: before Linux 5.16, a filter would switch mitigations on that change
	 * the cost of an exit.
	 */
	return f->code && !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				   SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
}

unsigned int confine_enter(const struct confine *c, const int *fds, size_t n_fds)
{
	unsigned int done = 0;

	if (c->off)
		return 0;
	/* No terminal. A leader of a process group cannot, and has been started so. */
	(void)setsid();
	set_limits(c->role);
	if (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		done |= CONFINE_NO_NEW_PRIVS;
	/* 2 ms, hence only where no filter denies socket(). */
	if (!c->filter.code && (!unshare(CLONE_NEWNET) ||
				(geteuid() && !unshare(CLONE_NEWUSER | CLONE_NEWNET))))
		done |= CONFINE_NETWORK;
	drop_user(c, fds, n_fds);
	if (geteuid())
		done |= CONFINE_USER;
	done |= restrict_files(c);
	if (drop_capabilities(c, done & CONFINE_FILES))
		done |= CONFINE_CAPABILITIES;
	if (install_filter(&c->filter))
		done |= CONFINE_CALLS | CONFINE_NETWORK;
	/* Landlock alone does not deny chmod(). */
	else
		done &= ~(unsigned int)CONFINE_FILES;
	return done;
}
