/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults that userfaultfd serves.
 *
 * KVM's lookup of the page waits until a second thread, which reads the fault from the
 * descriptor, has copied a page of data to its place. The guest times itself.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/host_timed.h"
#include "host/targets/host_timed_pages.h"
#include "host/vmm/memory.h"

struct pager {
	int fd, stop; /* the userfaultfd; an eventfd that ends the thread */
	uint32_t served;
	int err;
};

static void *serve_faults(void *ctx)
{
	static const uint8_t page[PAGE_BYTES];
	struct pager *p = ctx;
	struct pollfd fds[] = { { p->fd, POLLIN, 0 }, { p->stop, POLLIN, 0 } };
	struct uffd_msg fault;

	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		struct uffdio_copy copy = { .src = (uintptr_t)page, .len = PAGE_BYTES };

		if (read(p->fd, &fault, sizeof(fault)) != sizeof(fault) ||
		    fault.event != UFFD_EVENT_PAGEFAULT)
			continue;
		copy.dst = fault.arg.pagefault.address & -PAGE_BYTES;
		if (ioctl(p->fd, UFFDIO_COPY, &copy) && errno != EEXIST) {
			/* Closed, it wakes the guest's fault, which no signal may. */
			p->err = -errno;
			close(p->fd);
			p->fd = -1;
			return NULL;
		}
		p->served++;
	}
	return NULL;
}

/* 0, or -ENOTSUP with h->err: not built into the kernel, or not permitted. */
static int open_pager(struct host_timed *h, struct pager *p, const struct vm_slot *slot)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { (uintptr_t)slot->hva, slot->bytes },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	p->fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (p->fd < 0)
		return error_set(h->err, -ENOTSUP, "userfaultfd: %m");
	if (ioctl(p->fd, UFFDIO_API, &api) || ioctl(p->fd, UFFDIO_REGISTER, &range))
		return error_set(h->err, -ENOTSUP, "userfaultfd: %m");
	p->stop = eventfd(0, EFD_CLOEXEC);
	return p->stop < 0 ? error_set(h->err, -errno, "eventfd: %m") : 0;
}

static int run_pager(struct pages *p, struct pager *pager, uint32_t n)
{
	struct host_timed *h = p->timed;
	const uint64_t one = 1;
	pthread_t thread;
	int err = vm_thread(&thread, h->cpus ? h->cpus[0] : -1, serve_faults, pager);

	if (err)
		return error_set(h->err, err, "cannot start the paging thread: %s",
				 strerror(-err));
	err = host_timed_run(h, &p->vm, NULL, VCPU_STOP_DOORBELL);
	if (write(pager->stop, &one, sizeof(one)) == sizeof(one))
		pthread_join(thread, NULL);
	if (pager->err)
		return error_set(h->err, pager->err, "UFFDIO_COPY: %s",
				 strerror(-pager->err));
	if (err || pager->served == n)
		return err;
	host_timed_crash(h, "userfaultfd reported %u faults instead of %u", pager->served,
			 n);
	return -ECANCELED;
}

int host_timed_userfaultfd(struct host_timed *h)
{
	const struct slot_options missing = { false };
	struct pager pager = { .fd = -1, .stop = -1 };
	struct pages p = { .timed = h };
	uint64_t *series;
	uint32_t n, i;
	int err;

	series = host_timed_series(h, PAGES, &n);
	if (!series)
		return -ENOMEM;
	err = pages_open(&p, ABI_COMMAND_TOUCH_STAMP, n * PAGE_BYTES, &missing);
	if (!err)
		err = open_pager(h, &pager, &p.vm.slot[p.slot]);
	if (!err)
		err = run_pager(&p, &pager, n);
	for (i = 0; !err && i < n; i++)
		series[i] = host_timed_stamp(&p.vm, ABI_PHASE_TWIN, i) -
			    host_timed_stamp(&p.vm, ABI_PHASE_EVENT, i);
	vm_destroy(&p.vm);
	if (pager.fd >= 0)
		close(pager.fd);
	if (pager.stop >= 0)
		close(pager.stop);
	if (err == -ENOTSUP)
		return host_timed_skip(h, "%s", h->err->text);
	if (err)
		return err == -ECANCELED ? 0 : err;
	return host_timed_done(h);
}
