/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first process of a lab's machine: set-up, the job, power off. */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/reboot.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/targets/lab/initramfs.h"
#include "host/targets/lab/l1.h"
#include "host/targets/lab/wire.h"
#include "host/targets/job.h"
#include "host/vmm/traps.h"
#include "host/vmm/vmm.h"

#define TEXT_BYTES   16384
#define SETTLED_HEAP 65536

/* Linux 5.14; older kernels refuse. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

/* Reports the error on the console and, if open, on the wire; ends the machine. */
static void give_up(struct lab_wire *wire, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

static void power_off(void) __attribute__((noreturn));

static void power_off(void)
{
	/* Not every machine can power off; a reset ends all emulators. */
	reboot(LINUX_REBOOT_CMD_RESTART);
	/* The reset failed. */
	for (;;)
		pause();
}

static void give_up(struct lab_wire *wire, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "worldswitch: %s\n", text);
	if (wire->shared)
		lab_wire_text(wire, LAB_FRAME_FAILURE, text);
	power_off();
}

static void mount_all(struct lab_wire *wire)
{
	static const struct {
		const char *type, *where;
	} mounts[] = {
		{ "devtmpfs", "/dev" },
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++)
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL) &&
		    errno != EBUSY)
			give_up(wire, "cannot mount %s: %s", mounts[i].where,
				strerror(errno));
}

/*
 * The kernel disables huge pages on machines of this size, whatever its command line
 * says. Enables them for madvise(). A kernel without huge pages has no such file, and the
 * rows that need huge pages are skipped.
 */
static void allow_huge_pages(void)
{
	static const char policy[] = "madvise";
	int fd =
		open("/sys/kernel/mm/transparent_hugepage/enabled", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, policy, sizeof(policy) - 1) < 0)
		fprintf(stderr, "worldswitch: huge pages: %s\n", strerror(errno));
	close(fd);
}

/* A small file as a string; -errno. `bytes` may be NULL. */
static int read_text(const char *path, char text[TEXT_BYTES], size_t *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, TEXT_BYTES);
	close(fd);
	if (n < 0)
		return -errno;
	if (n == TEXT_BYTES)
		return -EFBIG;
	text[n] = '\0';
	if (bytes)
		*bytes = n;
	return 0;
}

static void open_wire(struct lab_wire *wire, struct lab_shared *shared)
{
	const char *what;
	int err = lab_shared_attach(shared, &what);

	if (err)
		give_up(wire, "cannot open the wire: %s: %s", what, strerror(-err));
	wire->shared = shared;
}

static bool same_module(const char *a, const char *b, size_t n)
{
	for (; n; a++, b++, n--)
		if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
			return false;
	return true;
}

void lab_module_parameters(const char *cmdline, const char *name, char *out, size_t room)
{
	size_t name_bytes = strlen(name), used = 0;

	out[0] = '\0';
	while (*(cmdline += strspn(cmdline, " \n"))) {
		size_t n = strcspn(cmdline, " \n");

		if (n > name_bytes + 1 && cmdline[name_bytes] == '.' &&
		    same_module(cmdline, name, name_bytes) && used < room)
			used += snprintf(out + used, room - used, "%s%.*s",
					 used ? " " : "", (int)(n - name_bytes - 1),
					 cmdline + name_bytes + 1);
		cmdline += n;
	}
}

bool lab_is_whole(const char *cmdline)
{
	static const char *const tracing[] = { "ftrace",	 "trace_event=",
					       "trace_options=", "trace_instance=",
					       "kprobe_event=",	 "bootconfig" };

	while (*(cmdline += strspn(cmdline, " \n"))) {
		const size_t n = strcspn(cmdline, " \n");

		if (n == sizeof(LAB_WHOLE_WORD) - 1 &&
		    !strncmp(cmdline, LAB_WHOLE_WORD, n))
			return true;
		for (size_t i = 0; i < sizeof(tracing) / sizeof(tracing[0]); i++)
			if (!strncmp(cmdline, tracing[i], strlen(tracing[i])))
				return true;
		cmdline += n;
	}
	return false;
}

/*
 * Trimmed, and without its signature, which ends in a marker: to check it takes hundreds
 * of millions of instructions, a third of a boot. Otherwise a negative errno.
 */
static int insert_trimmed(int fd, const char *parameters)
{
	static const char marker[] = "~Module signature appended~\n";
	const size_t marker_bytes = sizeof(marker) - 1;
	struct stat st;
	size_t bytes, kept;
	uint8_t *image;
	long ret;

	if (fstat(fd, &st))
		return -errno;
	kept = bytes = st.st_size;
	image = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (image == MAP_FAILED)
		return -errno;
	if (bytes > marker_bytes &&
	    !memcmp(image + bytes - marker_bytes, marker, marker_bytes))
		kept -= marker_bytes;
	lab_module_trim(image, kept);
	ret = syscall(SYS_init_module, image, kept, parameters) ? -errno : 0;
	munmap(image, bytes);
	return (int)ret;
}

/* Kernels that insist on the signature: sig_enforce, lockdown, a format they lack. */
static bool is_rejected(int err)
{
	return err == -EKEYREJECTED || err == -EPERM || err == -ENOEXEC;
}

static int insert_module(int fd, const char *name, const char *parameters, bool whole)
{
	int err = whole ? 0 : insert_trimmed(fd, parameters);

	if (!whole && !is_rejected(err))
		return err;
	if (syscall(SYS_finit_module, fd, parameters, 0))
		return -errno;
	if (!whole)
		fprintf(stderr, "worldswitch: module %s is whole: trimmed: %s\n", name,
			strerror(-err));
	return 0;
}

static void load_module(struct lab_wire *wire, const char *name, const char *cmdline,
			bool whole)
{
	char path[sizeof(LAB_MODULES_PATH) + 80], parameters[512];
	int fd, err;

	snprintf(path, sizeof(path), "/%s/%s.ko", LAB_MODULES_PATH, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		give_up(wire, "cannot open module %s: %s", path, strerror(errno));
	lab_module_parameters(cmdline, name, parameters, sizeof(parameters));
	err = insert_module(fd, name, parameters, whole);
	if (err && err != -EEXIST)
		give_up(wire, "the kernel refuses module %s: %s", name, strerror(-err));
	close(fd);
}

/* The parameters after LAB_L1_SEPARATOR are not those of this kernel. */
static void load_modules(struct lab_wire *wire, const char *all)
{
	char order[TEXT_BYTES], cmdline[TEXT_BYTES], *more;
	const bool whole = lab_is_whole(all);
	int err = read_text("/" LAB_ORDER_PATH, order, NULL);

	if (err)
		give_up(wire, "cannot read which modules to load: %s", strerror(-err));
	snprintf(cmdline, sizeof(cmdline), "%s", all);
	more = strstr(cmdline, LAB_L1_SEPARATOR);
	if (more)
		*more = '\0';
	for (char *save, *name = strtok_r(order, "\n", &save); name;
	     name = strtok_r(NULL, "\n", &save))
		load_module(wire, name, cmdline, whole);
}

/* Passes the path of the module of host/kmod to the config that loads it. */
static void offer_passthrough(void)
{
	char first = 0;
	int fd = open("/" LAB_OPTIONAL_PATH, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, &first, 1) == 1 && first)
		setenv(PASSTHROUGH_MODULE_VARIABLE, "/" LAB_OPTIONAL_PATH, 1);
	if (fd >= 0)
		close(fd);
}

/* Code, and data behind what the loader has made read-only. */
static int settle_segment(struct dl_phdr_info *info, size_t bytes, void *ctx)
{
	const uintptr_t page = 4096;
	uintptr_t written = 0;

	(void)bytes;
	(void)ctx;
	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO)
			written = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr +
				  info->dlpi_phdr[i].p_memsz;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const uintptr_t end = info->dlpi_addr + p->p_vaddr + p->p_memsz;
		uintptr_t from = info->dlpi_addr + p->p_vaddr;

		if (p->p_type != PT_LOAD || !(p->p_flags & (PF_X | PF_W)))
			continue;
		if (p->p_flags & PF_W && from < written)
			from = written;
		from &= -page;
		(void)madvise((void *)from, end - from,
			      p->p_flags & PF_W ? MADV_POPULATE_WRITE
						: MADV_POPULATE_READ);
	}
	return 0;
}

/* What the kernel would do for the boots of each clone: page faults, and their VMs. */
static void settle(void)
{
	uint8_t stack[16384];
	void *heap = malloc(SETTLED_HEAP);
	struct error err = { "" };
	const int kvm_fd = kvm_open(&err);

	(void)dl_iterate_phdr(settle_segment, NULL);
	explicit_bzero(stack, sizeof(stack));
	if (heap)
		explicit_bzero(heap, SETTLED_HEAP);
	free(heap);
	/* A kernel without KVM fails each job. */
	if (kvm_fd < 0)
		return;
	kvm_spare_vms_create(kvm_fd);
	close(kvm_fd);
}

/* The base machine stops here; each clone continues with a job. */
static const struct job *take_job(struct lab_wire *wire)
{
	/* Static: the size of a job does not move the stack. */
	static uint8_t block[JOB_BYTES];
	static struct job_decoded decoded;
	const bool in_time = lab_shared_wait(wire->shared, block);
	int err = lab_wire_number(wire, LAB_FRAME_HELLO, LAB_WIRE_VERSION);

	if (err)
		give_up(wire, "cannot write to the wire: %s", strerror(-err));
	if (!in_time) {
		lab_wire_send(wire, LAB_FRAME_AGAIN, NULL, 0);
		power_off();
	}
	if (job_decode(block, &decoded))
		give_up(wire, "the job is damaged or of another build");
	return &decoded.job;
}

/* The child's side: ends the process. */
static void run_job(lab_job_runner *run, const struct job *job, struct lab_wire *wire)
{
	int code, err;

	offer_passthrough();
	code = run(job, wire);
	fflush(NULL);
	err = lab_wire_number(wire, LAB_FRAME_END, (uint32_t)code);
	if (!err && job->ends)
		lab_shared_end(wire->shared);
	_exit(err ? EXIT_FAILURE : EXIT_SUCCESS);
}

int lab_init_main(lab_job_runner *run, lab_symbols_sender *symbols)
{
	static char cmdline[TEXT_BYTES];
	struct lab_wire wire = { .shared = NULL };
	const bool one_cpu = sysconf(_SC_NPROCESSORS_ONLN) == 1;
	const struct job *job = NULL;
	struct lab_shared shared;
	int status;
	pid_t pid;

	mount_all(&wire);
	allow_huge_pages();
	open_wire(&wire, &shared);
	status = read_text("/proc/cmdline", cmdline, NULL);
	if (status)
		give_up(&wire, "cannot read the command line: %s", strerror(-status));
	load_modules(&wire, cmdline);
	if (strstr(cmdline, LAB_SVE_WORD))
		(void)prctl(PR_SVE_SET_VL, LAB_SVE_BYTES);
	if (!access("/" LAB_L1_KERNEL_PATH, F_OK)) {
		struct error err = { "" };

		if (lab_l1_run(cmdline, &shared, symbols, &err))
			give_up(&wire, "%s", err.text);
		power_off();
	}

	/* Known to all clones. */
	(void)kvm_flavour(-1);

	/*
	 * In a child: a crash is reported, and is not a kernel panic. Before the machine
	 * stops: no clone pays for the fork. Of several CPUs, the fork chooses the one of
	 * the job, on which figures depend: there it comes after the stop.
	 */
next:
	pid = one_cpu ? fork() : 0;
	if (!pid && one_cpu)
		settle();
	if (!pid)
		job = take_job(&wire);
	if (!one_cpu)
		pid = fork();
	if (pid < 0)
		give_up(&wire, "cannot start the job: %s", strerror(errno));
	if (!pid)
		run_job(run, job, &wire);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			give_up(&wire, "waitpid: %s", strerror(errno));
	if (WIFSIGNALED(status))
		give_up(&wire, "wsbench was killed inside the lab by signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		give_up(&wire,
			"wsbench exited with code %d inside the lab before its results were out",
			WEXITSTATUS(status));
	/* After a warm-up: see qemu_fork.c. Others are ended when their job is done. */
	if (shared.kind == LAB_SHARED_MEMORY && !shared.in_l1)
		goto next;
	power_off();
}
