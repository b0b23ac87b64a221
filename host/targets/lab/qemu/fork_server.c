/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fork server inside QEMU, loaded with LD_PRELOAD.
 *
 * The machine has stopped, and all threads of QEMU wait in system calls. The main thread
 * waits in ppoll(), where this library also waits for requests of wsbench. A request
 * forks the process with all of its threads, so that the clone has what the server has:
 * the machine, and the code that QEMU has translated for it.
 *
 * fork() copies one thread. So each of the others is sent a signal first, and waits in
 * the handler. In the clone, each is started again on its own stack and thread pointer
 * at rt_sigreturn(), which continues what the signal has interrupted. The locks of the
 * threads are as they were, because memory is copied with them. This is how tools for
 * checkpoints restore threads (CRIU, DMTCP), in the small.
 *
 * A clone gets descriptors of its own in place of those that both processes would change:
 * the socket of QMP, the pipes, eventfds, the wire, and the file that the plugin writes:
 * both are mapped again.
 */
#include <asm/prctl.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/targets/lab/fork_protocol.h"
#include "host/targets/lab/emulator.h"

#define THREADS_MAX 64
/* Open descriptors are below this. */
#define FDS_MAX	    1024
/* QEMU does not use it. */
#define PARK_SIGNAL (SIGRTMAX - 3)
/* All threads wait in system calls: they handle a signal at once. */
#define PARK_MS	    2000

/* A thread that waits in the handler of PARK_SIGNAL. */
struct parked {
	void *frame; /* of the signal, for rt_sigreturn() */
	unsigned long thread_pointer;
	int *tid; /* where the kernel and glibc keep its number */
};

static struct parked parked[THREADS_MAX];
static uint32_t n_claimed, n_parked;
/* Changes when the threads of the server may go on. */
static uint32_t round_number;

/* The files that the process began with: QEMU moves its descriptors. */
static struct stat first_files[LAB_FD_FIRST_OTHER];
static bool serves;

static long futex(uint32_t *word, int op, uint32_t value)
{
	return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void park(int sig, siginfo_t *info, void *frame)
{
	const int err = errno;
	const uint32_t now = __atomic_load_n(&round_number, __ATOMIC_ACQUIRE);
	const uint32_t i = __atomic_fetch_add(&n_claimed, 1, __ATOMIC_ACQ_REL);

	(void)sig;
	(void)info;
	if (i < THREADS_MAX) {
		parked[i].frame = frame;
		if (!syscall(SYS_arch_prctl, ARCH_GET_FS, &parked[i].thread_pointer) &&
		    !prctl(PR_GET_TID_ADDRESS, &parked[i].tid))
			__atomic_fetch_add(&n_parked, 1, __ATOMIC_ACQ_REL);
	}
	while (__atomic_load_n(&round_number, __ATOMIC_ACQUIRE) == now)
		futex(&round_number, FUTEX_WAIT, now);
	errno = err;
}

static void release(void)
{
	__atomic_fetch_add(&round_number, 1, __ATOMIC_ACQ_REL);
	futex(&round_number, FUTEX_WAKE, INT32_MAX);
}

/* The number of the other threads, which then wait; or a negative errno. */
static int park_others(void)
{
	static const struct timespec moment = { .tv_nsec = 50000 };
	DIR *tasks = opendir("/proc/self/task");
	const pid_t pid = getpid();
	struct dirent *d;
	int n = 0, tries = PARK_MS * 20;

	if (!tasks)
		return -errno;
	n_claimed = n_parked = 0;
	while ((d = readdir(tasks))) {
		const pid_t tid = (pid_t)atoi(d->d_name);

		if (tid > 0 && tid != pid && !syscall(SYS_tgkill, pid, tid, PARK_SIGNAL))
			n++;
	}
	closedir(tasks);
	while (__atomic_load_n(&n_parked, __ATOMIC_ACQUIRE) < (uint32_t)n && tries--)
		nanosleep(&moment, NULL);
	if (tries >= 0)
		return n;
	release();
	return -EBUSY;
}

/*
 * Starts a thread of the server in the clone: its stack begins with the frame of the
 * signal, where rt_sigreturn() expects it.
 */
static long restart(const struct parked *t)
{
	register long flags asm("rdi") =
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	register void *stack asm("rsi") = t->frame;
	register int *set asm("rdx") = t->tid;
	register int *clear asm("r10") = t->tid;
	register unsigned long thread_pointer asm("r8") = t->thread_pointer;
	long ret;

	asm volatile("syscall\n\t"
		     "test %%rax, %%rax\n\t"
		     "jnz 1f\n\t"
		     "mov %[sigreturn], %%eax\n\t"
		     "syscall\n\t"
		     "hlt\n"
		     "1:"
		     : "=a"(ret)
		     : "a"(SYS_clone), "r"(flags), "r"(stack), "r"(set), "r"(clear),
		       "r"(thread_pointer), [sigreturn] "i"(SYS_rt_sigreturn)
		     : "rcx", "r11", "memory", "cc");
	return ret;
}

/* A new descriptor under the number of an old one. */
static void put(int fresh, int fd)
{
	if (fresh < 0 || dup2(fresh, fd) < 0)
		_exit(EXIT_FAILURE);
}

/* An eventfd with the flags and the count of another. */
static int copy_eventfd(int fd)
{
	char path[64], line[128];
	unsigned int count = 0;
	const int flags = fcntl(fd, F_GETFL);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f || flags < 0)
		_exit(EXIT_FAILURE);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "eventfd-count: %x", &count) == 1)
			break;
	fclose(f);
	return eventfd(count, EFD_CLOEXEC | (flags & O_NONBLOCK));
}

/* QEMU 7.2 adds no descriptor to the sets of epoll() of so small a machine. */
static void replace_anonymous(int fd)
{
	char path[64], target[64];
	ssize_t n;
	int fresh;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	if (!strcmp(target, "anon_inode:[eventfd]"))
		fresh = copy_eventfd(fd);
	else if (!strcmp(target, "anon_inode:[eventpoll]"))
		fresh = epoll_create1(EPOLL_CLOEXEC);
	else
		return;
	put(fresh, fd);
	close(fresh);
}

static bool is_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static void replace_files(const int fds[CLONE_FDS])
{
	static const int numbers[CLONE_FDS] = {
		[CLONE_FD_WIRE] = LAB_FD_WIRE,	     [CLONE_FD_CONSOLE] = LAB_FD_CONSOLE,
		[CLONE_FD_MESSAGES] = STDERR_FILENO, [CLONE_FD_QMP] = LAB_FD_CONTROL,
		[CLONE_FD_TRACE] = LAB_FD_PLUGIN,
	};
	struct stat st;

	close(LAB_FD_SERVER);
	for (int fd = 0; fd < FDS_MAX; fd++) {
		bool is_new = false;

		for (int i = 0; i < CLONE_FDS; i++)
			is_new |= fd == fds[i];
		if (is_new || fstat(fd, &st))
			continue;
		/* All anonymous files have one inode. */
		replace_anonymous(fd);
		for (int i = 0; i < CLONE_FDS; i++)
			if (fds[i] >= 0 && is_file(&st, &first_files[numbers[i]]))
				put(fds[i], fd);
	}
}

/*
 * All mappings of a file of the server's become those of the clone's file. With
 * MAP_PRIVATE and the same file, the clone writes to memory of its own.
 */
static void map_again(enum lab_fd old, int fd, int sharing)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long long begin, end, inode;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%llx-%llx %*s %*s %*s %llu", &begin, &end, &inode) ==
			    3 &&
		    inode == first_files[old].st_ino && strstr(line, "memfd:") &&
		    mmap((void *)(uintptr_t)begin, end - begin, PROT_READ | PROT_WRITE,
			 sharing | MAP_FIXED | MAP_NORESERVE, fd, 0) == MAP_FAILED)
			_exit(EXIT_FAILURE);
	if (!maps)
		_exit(EXIT_FAILURE);
	fclose(maps);
}

/* A clone is killed when the server ends. */
static void become_clone(const int fds[CLONE_FDS], int n_threads, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(EXIT_FAILURE);
	serves = false;
	replace_files(fds);
	map_again(LAB_FD_WIRE, fds[CLONE_FD_WIRE], MAP_SHARED);
	if (fds[CLONE_FD_TRACE] >= 0)
		map_again(LAB_FD_PLUGIN, fds[CLONE_FD_TRACE], MAP_SHARED);
	else /* no reader, and not another clone's records */
		map_again(LAB_FD_PLUGIN, LAB_FD_PLUGIN, MAP_PRIVATE);
	for (int i = 0; i < CLONE_FDS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	for (int i = 0; i < n_threads; i++)
		if (restart(&parked[i]) < 0)
			_exit(EXIT_FAILURE);
}

/* Not fork(), which would give the stacks of the other threads to new ones. */
static pid_t fork_all(const int fds[CLONE_FDS])
{
	const pid_t parent = getpid();
	int n = park_others(), *tid;
	long pid;

	if (n < 0)
		return n;
	pid = prctl(PR_GET_TID_ADDRESS, &tid)
		      ? -1
		      : syscall(SYS_clone,
				SIGCHLD | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, NULL,
				NULL, tid, 0);
	if (!pid) {
		become_clone(fds, n, parent);
		return 0;
	}
	if (pid < 0)
		pid = -errno;
	release();
	return (pid_t)pid;
}

static void reply(int32_t value)
{
	const struct clone_reply r = { value };

	if (send(LAB_FD_SERVER, &r, sizeof(r), MSG_NOSIGNAL) != sizeof(r))
		_exit(EXIT_FAILURE); /* wsbench is gone */
}

/* What a clone needs. */
#define FORK_FDS                                                                         \
	(1u << CLONE_FD_WIRE | 1u << CLONE_FD_CONSOLE | 1u << CLONE_FD_MESSAGES |        \
	 1u << CLONE_FD_QMP)

/* One request. Returns in the server, and in the clone. */
static void serve(void)
{
	char control[CMSG_SPACE(sizeof(int) * CLONE_FDS)];
	static struct clone_request request;
	struct iovec iov = { &request, sizeof(request) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fds[CLONE_FDS];
	pid_t pid;

	if (recvmsg(LAB_FD_SERVER, &msg, MSG_CMSG_CLOEXEC) != sizeof(request))
		_exit(EXIT_SUCCESS);
	if (!clone_take_fds(&request, &msg, fds))
		_exit(EXIT_FAILURE);
	if (request.op == CLONE_END) {
		reply(clone_end(request.pid));
		return;
	}
	pid = request.op == CLONE_FORK &&
			      (request.fds & ~(1u << CLONE_FD_TRACE)) == FORK_FDS
		      ? fork_all(fds)
		      : -EINVAL;
	if (!pid)
		return;
	for (int i = 0; i < CLONE_FDS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	reply(pid);
}

static void __attribute__((constructor)) begin(void)
{
	struct sigaction action = { .sa_sigaction = park,
				    .sa_flags = SA_SIGINFO | SA_RESTART };
	const char *wanted = getenv(CLONE_SERVER_VARIABLE);

	if (!wanted || fstat(LAB_FD_SERVER, &first_files[LAB_FD_SERVER]))
		return;
	for (int fd = 0; fd < LAB_FD_SERVER; fd++)
		(void)fstat(fd, &first_files[fd]);
	sigfillset(&action.sa_mask);
	serves = !sigaction(PARK_SIGNAL, &action, NULL);
}

/* QEMU's main loop. Its first call says that there is a server. */
int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
	  const sigset_t *mask)
{
	static int (*next)(struct pollfd *, nfds_t, const struct timespec *,
			   const sigset_t *);
	struct pollfd all[FDS_MAX];
	static bool greeted;
	int ret;

	if (!next)
		next = (int (*)(struct pollfd *, nfds_t, const struct timespec *,
				const sigset_t *))dlsym(RTLD_NEXT, "ppoll");
	if (!serves || n >= FDS_MAX || syscall(SYS_gettid) != getpid())
		return next(fds, n, timeout, mask);
	if (!greeted)
		reply(0);
	greeted = true;
	memcpy(all, fds, n * sizeof(*fds));
	all[n] = (struct pollfd){ .fd = LAB_FD_SERVER, .events = POLLIN };
	ret = next(all, n + 1, timeout, mask);
	memcpy(fds, all, n * sizeof(*fds));
	if (ret > 0 && all[n].revents) {
		serve();
		ret--;
	}
	return ret;
}

/* QEMU keeps the memory of a machine from its children. */
int madvise(void *address, size_t bytes, int advice)
{
	if (serves && advice == MADV_DONTFORK)
		return 0;
	return (int)syscall(SYS_madvise, address, bytes, advice);
}

/* QEMU blocks all signals in its threads. */
int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	static int (*next)(int, const sigset_t *, sigset_t *);
	sigset_t own;

	if (!next)
		next = (int (*)(int, const sigset_t *, sigset_t *))dlsym(
			RTLD_NEXT, "pthread_sigmask");
	if (serves && set && how != SIG_UNBLOCK) {
		own = *set;
		sigdelset(&own, PARK_SIGNAL);
		set = &own;
	}
	return next(how, set, old);
}
