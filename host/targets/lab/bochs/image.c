/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process of Bochs as a file.
 *
 * A machine that has booted is the content of the writable memory of Bochs' one thread,
 * whose code, stack and libraries are where they were if addresses are not randomized
 * (personality(2)). A file holds that memory. A new Bochs that finds the file as
 * LAB_FD_SNAPSHOT maps it over its own memory before it has begun, and continues in the
 * function that wrote it: the machine is the same, byte by byte. The memory is mapped
 * privately: what is not used is not read.
 *
 * The file fits only a process of the same program and libraries at the same addresses on
 * the same CPU (the libraries chose their functions by it); another ends with a message,
 * and wsbench boots the machine.
 */
#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/targets/lab/bochs/image.h"
#include "host/targets/lab/emulator.h"

#define MAGIC	    "wsimage1"
#define PAGE	    4096ul
#define REGIONS_MAX 64
#define FDS_MAX	    64
#define HIGH_FD	    200

/* The end of the stack, unless addresses are randomized. */
#define STACK_END 0x7ffffffff000

/* Where nothing is in a process whose addresses are not randomized. */
#define SCRATCH	      ((uint8_t *)0x100000000000)
#define SCRATCH_STACK (64 * 1024ul)

struct region {
	uint64_t begin, end, offset;
	uint32_t protection;
	uint32_t stack; /* stays a mapping that grows: only its content is copied */
};

/* The first pages of the file. */
struct header {
	char magic[8];
	uint32_t n_regions, cpu[6];
	uint64_t thread, brk;
	/* Descriptors that Bochs opened itself: which of enum lab_fd is the same file. */
	int8_t same_as[FDS_MAX]; /* -1: none */
	struct region regions[REGIONS_MAX];
	char files[16384]; /* mappings of files */
};

static struct header header;
static void *context[5]; /* of __builtin_setjmp() */

static void identify_cpu(uint32_t cpu[6])
{
	uint32_t ignored;

	memset(cpu, 0, 6 * sizeof(*cpu));
	/* ebx of leaf 1: the number of this core. */
	__get_cpuid(1, &cpu[0], &ignored, &cpu[1], &cpu[2]);
	__get_cpuid_count(7, 0, &ignored, &cpu[3], &cpu[4], &cpu[5]);
}

/* One line of /proc/self/maps from `text` into the header. False: no room. */
static bool add_mapping(struct header *h, const char *line, uint64_t *offset)
{
	unsigned long begin, end;
	char access[5], offset_text[32], inode[32], name[256] = "";
	size_t used = strlen(h->files);
	struct region *r;

	if (sscanf(line, "%lx-%lx %4s %31s %*s %31s %255[^\n]", &begin, &end, access,
		   offset_text, inode, name) < 5)
		return false;
	if (*name && strcmp(name, "[heap]") && strcmp(name, "[stack]"))
		used += (size_t)snprintf(h->files + used, sizeof(h->files) - used,
					 "%lx-%lx %s %s %s %s\n", begin, end, access,
					 offset_text, inode, name);
	if (used >= sizeof(h->files))
		return false;
	if (access[1] != 'w' || begin == (unsigned long)SCRATCH)
		return true;
	if (access[3] != 'p' || h->n_regions == REGIONS_MAX)
		return false;
	r = &h->regions[h->n_regions++];
	*r = (struct region){
		.begin = begin,
		.end = end,
		.offset = *offset,
		.protection = PROT_READ | PROT_WRITE | (access[2] == 'x' ? PROT_EXEC : 0),
		.stack = !strcmp(name, "[stack]"),
	};
	if (r->stack && end != STACK_END)
		return false;
	*offset += end - begin;
	return true;
}

/* Without malloc(), which would change what is saved. */
static int describe_process(struct header *h)
{
	static char text[32768];
	uint64_t offset = (sizeof(*h) + PAGE - 1) / PAGE * PAGE;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	close(fd);
	text[used] = '\0';
	if (n < 0 || used == sizeof(text) - 1)
		return -E2BIG;
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, MAGIC, sizeof(h->magic));
	identify_cpu(h->cpu);
	h->brk = (uint64_t)syscall(SYS_brk, 0);
	for (char *line = text, *end; *line; line = end + 1) {
		end = strchrnul(line, '\n');
		if (!*end)
			return -E2BIG;
		*end = '\0';
		if (!add_mapping(h, line, &offset))
			return -ENOTSUP;
	}
	return syscall(SYS_arch_prctl, ARCH_GET_FS, &h->thread) ? -errno : 0;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static int describe_files(struct header *h, int image)
{
	static const int own[] = { LAB_FD_WIRE, LAB_FD_CONSOLE, STDERR_FILENO };

	for (int fd = 0; fd < FDS_MAX; fd++) {
		h->same_as[fd] = -1;
		if (fd <= STDERR_FILENO || fd == image ||
		    (fd >= LAB_FD_WIRE && fd <= LAB_FD_CONSOLE) ||
		    (fd >= LAB_FD_MEMORY && fd <= LAB_FD_CONTROL))
			continue;
		for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
			if (same_file(fd, own[i]))
				h->same_as[fd] = (int8_t)own[i];
	}
	return 0;
}

static int write_region(int fd, const struct region *r)
{
	static const uint8_t zero[PAGE];
	uint64_t page = r->begin, run = r->begin;

	/* Memory that is zero is a hole of the file. */
	for (; page <= r->end; page += PAGE) {
		if (page < r->end && memcmp((const void *)page, zero, PAGE))
			continue;
		for (ssize_t n; run < page; run += (uint64_t)n) {
			n = pwrite(fd, (const void *)run, page - run,
				   (off_t)(r->offset + (run - r->begin)));
			if (n <= 0)
				return n ? -errno : -EIO;
		}
		run = page + PAGE;
	}
	return 0;
}

int clone_image_save(int fd)
{
	const struct region *last;
	int ret;

	if (__builtin_setjmp(context))
		return 1;
	ret = describe_process(&header);
	if (!ret)
		ret = describe_files(&header, fd);
	if (ret)
		return ret;
	last = &header.regions[header.n_regions - 1];
	if (ftruncate(fd, (off_t)(last->offset + (last->end - last->begin))) ||
	    pwrite(fd, &header, sizeof(header), 0) != sizeof(header))
		return -errno;
	for (uint32_t i = 0; !ret && i < header.n_regions; i++)
		ret = write_region(fd, &header.regions[i]);
	return ret;
}

/* A system call that needs neither errno nor the procedure linkage table. */
static inline __attribute__((always_inline)) long raw(long number, long a, long b, long c,
						      long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/*
 * On the scratch stack, without library calls and without this library's own variables:
 * all that is replaced.
 */
static void __attribute__((noreturn, noinline, used, optimize("no-stack-protector")))
replace_memory(const struct header *h, long fd)
{
	long failed = 0;

	for (uint32_t i = 0; i < h->n_regions; i++) {
		const struct region *r = &h->regions[i];
		const long bytes = (long)(r->end - r->begin);
		long ret;

		if (r->stack)
			ret = raw(SYS_pread64, fd, (long)r->begin, bytes, (long)r->offset,
				  0, 0) == bytes
				      ? (long)r->begin
				      : -1;
		else
			ret = raw(SYS_mmap, (long)r->begin, bytes, r->protection,
				  MAP_PRIVATE | MAP_FIXED, fd, (long)r->offset);
		failed |= ret != (long)r->begin;
	}
	raw(SYS_close, fd, 0, 0, 0, 0, 0);
	failed |= raw(SYS_arch_prctl, ARCH_SET_FS, (long)h->thread, 0, 0, 0, 0);
	if (failed)
		raw(SYS_exit_group, EXIT_FAILURE, 0, 0, 0, 0, 0);
	__builtin_longjmp(context, 1);
}

static void __attribute__((noreturn)) refuse(const char *why)
{
	fprintf(stderr, "cannot continue the saved machine: %s\n", why);
	_exit(EXIT_FAILURE);
}

void clone_image_restore(void)
{
	struct header *h = (struct header *)SCRATCH;
	const size_t bytes = (sizeof(*h) + PAGE - 1) / PAGE * PAGE;
	int fd = fcntl(LAB_FD_SNAPSHOT, F_DUPFD, HIGH_FD);

	if (fd < 0)
		return;
	close(LAB_FD_SNAPSHOT);
	if (mmap(h, bytes + SCRATCH_STACK, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != (void *)h)
		refuse("no room");
	if (pread(fd, h, sizeof(*h), 0) != sizeof(*h) ||
	    memcmp(h->magic, MAGIC, sizeof(h->magic)) || h->n_regions > REGIONS_MAX)
		refuse("not one");
	if (describe_process(&header))
		refuse("another process");
	if (strcmp(header.files, h->files) || header.thread != h->thread ||
	    memcmp(header.cpu, h->cpu, sizeof(h->cpu)))
		refuse("other programs or another CPU");
	for (int i = 0; i < FDS_MAX; i++)
		if (h->same_as[i] >= 0 && dup2(h->same_as[i], i) < 0)
			refuse(strerror(errno));
	if ((uint64_t)syscall(SYS_brk, h->brk) != h->brk)
		refuse("no room");
	__asm__ volatile("mov %0, %%rsp\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call replace_memory\n\t"
			 :
			 : "r"(SCRATCH + bytes + SCRATCH_STACK - 64), "D"(h),
			   "S"((long)fd)
			 : "memory");
	__builtin_unreachable();
}
