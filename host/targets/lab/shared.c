/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory between a lab's machine and us. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "host/targets/lab/l1.h"
#include "host/targets/lab/wire.h"
#include "host/vmm/timer.h"

#define PCI_DEVICES    "/sys/bus/pci/devices"
#define IVSHMEM_IDS    "0x1af4\n0x1110\n" /* vendor, device */
#define PVPANIC_IDS    "0x1b36\n0x0011\n"
/* A timer that is next when the machine stops, and more than the stop takes. */
#define NEXT_TIMER_NS  100000
#define STOPPED_MAX_NS 50000

#define PVPANIC_PANICKED 1 /* docs/specs/pvpanic.rst: QEMU stops the machine */

static int map(struct lab_shared *s, int fd, size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	s->memory = memory;
	s->bytes = bytes;
	return 0;
}

int lab_shared_create(struct lab_shared *s, enum lab_shared_kind kind)
{
	int ret = 0;

	*s = (struct lab_shared){
		.kind = kind,
		.fd = memfd_create("worldswitch-wire", MFD_CLOEXEC | MFD_ALLOW_SEALING),
	};
	/*
	 * Behind a port the file grows by what is written, and is mapped beforehand. An
	 * emulator that truncates the file would end this process by SIGBUS.
	 */
	if (s->fd < 0 ||
	    ftruncate(s->fd, kind == LAB_SHARED_MEMORY ? LAB_SHARED_BYTES : 0) ||
	    fcntl(s->fd, F_ADD_SEALS, F_SEAL_SHRINK))
		ret = -errno;
	if (!ret)
		ret = map(s, s->fd, LAB_SHARED_BYTES);
	if (ret)
		lab_shared_free(s);
	return ret;
}

void lab_shared_free(struct lab_shared *s)
{
	if (s->memory)
		munmap(s->memory, s->bytes);
	if (s->fd >= 0)
		close(s->fd);
	*s = (struct lab_shared){ .fd = -1 };
}

/* Appends what a file in the folder `dir` of a PCI device says to `text`. */
static void read_into(int dir, const char *name, char *text, size_t room)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t used = strlen(text);
	ssize_t n = fd < 0 ? -1 : read(fd, text + used, room - used - 1);

	text[used + (n > 0 ? n : 0)] = '\0';
	if (fd >= 0)
		close(fd);
}

static bool has_ids(int dir, const char *wanted)
{
	char ids[32] = "";

	read_into(dir, "vendor", ids, sizeof(ids));
	read_into(dir, "device", ids, sizeof(ids));
	return !strcmp(ids, wanted);
}

/* The folder of the device, open, or -ENODEV. */
static int find_device(const char *ids)
{
	DIR *list = opendir(PCI_DEVICES);
	struct dirent *e;
	int dir = -ENODEV;

	while (list && dir < 0 && (e = readdir(list))) {
		if (e->d_name[0] == '.')
			continue;
		dir = openat(dirfd(list), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir >= 0 && !has_ids(dir, ids)) {
			close(dir);
			dir = -ENODEV;
		}
	}
	if (list)
		closedir(list);
	return dir;
}

/*
 * Maps one of the device's BARs; `*memory` is where the BAR begins, which need not be
 * where its page does.
 */
static int map_bar(int dir, const char *bar, unsigned int index, uint8_t **memory,
		   size_t *bytes, const char **what)
{
	char ranges[512] = "", *line = ranges;
	size_t in_page;
	struct stat st;
	void *page;
	int fd, ret;

	/* No driver enables it: let the device answer at its addresses. */
	*what = "enable";
	fd = openat(dir, *what, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write(fd, "1", 1) == 1 ? 0 : -errno;
	close(fd);
	if (ret)
		return ret;

	read_into(dir, "resource", ranges, sizeof(ranges));
	for (; index && line; index--)
		line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL;
	*what = bar;
	if (!line)
		return -ENXIO;
	in_page = strtoull(line, NULL, 16) & 4095;
	fd = openat(dir, bar, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = fstat(fd, &st) ? -errno : 0;
	if (!ret) {
		*bytes = st.st_size;
		page = mmap(NULL, in_page + st.st_size, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);
		ret = page == MAP_FAILED ? -errno : 0;
	}
	close(fd);
	if (!ret)
		*memory = (uint8_t *)page + in_page;
	return ret;
}

void lab_l1_host_release(char release[LAB_L1_RELEASE_BYTES])
{
	char line[4096], *word;
	FILE *f = fopen("/proc/cmdline", "re");
	size_t n = f ? fread(line, 1, sizeof(line) - 1, f) : 0;

	if (f)
		fclose(f);
	line[n] = '\0';
	word = strstr(line, LAB_L1_WORD);
	snprintf(release, LAB_L1_RELEASE_BYTES, "%.*s",
		 word ? (int)strcspn(word + strlen(LAB_L1_WORD), " \n") : 0,
		 word ? word + strlen(LAB_L1_WORD) : "");
}

int lab_shared_attach(struct lab_shared *s, const char **what)
{
	int wire = find_device(IVSHMEM_IDS), pause, ret;
	uint8_t *doorbell = NULL;
	char host[LAB_L1_RELEASE_BYTES];
	size_t bytes;

	*s = (struct lab_shared){ .fd = -1 };
	lab_l1_host_release(host);
	if (*host) {
		s->in_l1 = true;
		return lab_relay_attach(s, what);
	}
	if (wire < 0) {
		*what = "neither a PCI device nor a parallel port";
		s->kind = LAB_SHARED_PORT;
		return lab_port_probe();
	}
	/* The memory is the device's BAR 2. */
	ret = map_bar(wire, "resource2", 2, &s->memory, &s->bytes, what);
	close(wire);
	if (ret || s->bytes <= LAB_SHARED_DATA)
		return ret ? ret : -ENXIO;
	*what = "no pvpanic device";
	pause = find_device(PVPANIC_IDS);
	if (pause < 0)
		return pause;
	ret = map_bar(pause, "resource0", 0, &doorbell, &bytes, what);
	close(pause);
	s->pause = doorbell;
	return ret;
}

/* Makes it the machine's next timer, or none at all (0). */
static void set_timer(int fd, long ns)
{
	const struct itimerspec when = { .it_value.tv_nsec = ns };

	(void)timerfd_settime(fd, 0, &when, NULL);
}

/*
 * A kernel may lose its timer on the way: QEMU 7.2 does not restore the timer of EL2. It
 * comes back when the kernel programs another one: here for cancelling the next one, on
 * other CPUs for a sleep.
 */
static void rearm_timers(int fd)
{
	static const struct timespec past = { .tv_nsec = 1 };
	cpu_set_t all, one;

	set_timer(fd, 0);
	if (sched_getaffinity(0, sizeof(all), &all))
		return;
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		(void)sched_setaffinity(0, sizeof(one), &one);
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL);
	}
	(void)sched_setaffinity(0, sizeof(all), &all);
}

/* Whether the clock did not move meanwhile. */
static bool stop_in_time(struct lab_shared *s)
{
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	uint64_t before, after;

	set_timer(timer, NEXT_TIMER_NS);
	before = clock_now();
	*s->pause = PVPANIC_PANICKED;
	after = clock_now();
	rearm_timers(timer);
	close(timer);
	return after - before <= STOPPED_MAX_NS;
}

bool lab_shared_wait(struct lab_shared *s, uint8_t job[JOB_BYTES])
{
	/* After what module loading has left to be done, and right behind a tick. */
	static const struct timespec settle = { .tv_nsec = 20000000 };
	volatile uint8_t *from;
	bool in_time;

	(void)prctl(PR_SET_TIMERSLACK, 1);
	nanosleep(&settle, NULL);
	if (s->kind != LAB_SHARED_MEMORY) {
		lab_port_wait(s->kind == LAB_SHARED_RELAY, job, JOB_BYTES);
		return true;
	}
	if (s->in_l1) {
		/* The timers that may be lost are L0's. */
		s->l0[LAB_L1_PAUSE] = 1;
		in_time = s->l0[LAB_L1_PAUSE];
	} else {
		in_time = stop_in_time(s);
	}
	if (!in_time)
		return false;
	/* Byte by byte, as below. */
	from = s->memory + LAB_SHARED_JOB;
	for (size_t i = 0; i < JOB_BYTES; i++)
		job[i] = from[i];
	return true;
}

void lab_shared_give(struct lab_shared *s, const uint8_t job[JOB_BYTES])
{
	memcpy(s->memory + LAB_SHARED_JOB, job, JOB_BYTES);
	__atomic_store_n((uint64_t *)(void *)s->memory, 0, __ATOMIC_RELEASE);
}

int lab_shared_append(struct lab_shared *s, const uint8_t *data, size_t bytes)
{
	int64_t written;
	volatile uint8_t *to;

	if (s->kind == LAB_SHARED_PORT)
		return lab_port_write(data, bytes);
	if (s->kind == LAB_SHARED_RELAY)
		return lab_relay_write(s, data, bytes);
	written = lab_shared_written(s);
	if (written < 0)
		return written;
	if (bytes > s->bytes - LAB_SHARED_DATA - written)
		return -ENOSPC;
	/* Byte by byte: to the CPU this is a device, which memcpy() may not touch
	 * (Arm ARM, B2.7.2: unaligned accesses to Device memory fault). */
	to = s->memory + LAB_SHARED_DATA + written;
	for (size_t i = 0; i < bytes; i++)
		to[i] = data[i];
	__atomic_store_n((uint64_t *)(void *)s->memory, written + bytes,
			 __ATOMIC_RELEASE);
	return 0;
}

void lab_shared_end(struct lab_shared *s)
{
	/* L1 does not end its machine. */
	if (s->in_l1 || s->kind == LAB_SHARED_RELAY)
		return;
	if (s->kind == LAB_SHARED_PORT)
		(void)lab_port_write((const uint8_t *)LAB_PORT_END, LAB_PORT_END_BYTES);
	else if (s->pause)
		*s->pause = PVPANIC_PANICKED;
}

const uint8_t *lab_shared_data(const struct lab_shared *s)
{
	return s->memory + (s->kind == LAB_SHARED_MEMORY ? LAB_SHARED_DATA : 0);
}

/* By the file's length, which only the emulator, not its machine, can change. */
static int64_t written_to_file(const struct lab_shared *s)
{
	struct stat st;

	if (fstat(s->fd, &st))
		return -errno;
	return st.st_size <= (int64_t)s->bytes ? st.st_size : -EBADMSG;
}

int64_t lab_shared_written(const struct lab_shared *s)
{
	uint64_t n;

	if (s->kind == LAB_SHARED_PORT)
		return written_to_file(s);
	n = __atomic_load_n((uint64_t *)(void *)s->memory, __ATOMIC_ACQUIRE);
	return n <= s->bytes - LAB_SHARED_DATA ? (int64_t)n : -EBADMSG;
}
