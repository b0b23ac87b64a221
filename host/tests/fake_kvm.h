/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VM without /dev/kvm, for tests of the VMM's threads. One file of a test program
 * includes this header, which replaces ioctl(): KVM_RUN calls the test's fake_kvm_run();
 * other requests succeed, and x86_64 has two MSRs.
 */
#ifndef WS_TESTS_FAKE_KVM_H
#define WS_TESTS_FAKE_KVM_H

#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/vmm/exits.h"
#include "host/vmm/regs.h"
#include "host/vmm/vmm.h"

#define FAKE_VM_FD   100000
#define FAKE_VCPU_FD 100001 /* and the next ones */

struct fake_kvm {
	struct vm vm;
	struct kvm_run run[VM_VCPUS_MAX];
	struct vcpu vcpus[VM_VCPUS_MAX];
};

/* The test defines it: 0 with run->exit_reason set, or a positive errno. */
int fake_kvm_run(struct kvm_run *run, unsigned int vcpu);

/* A guest that loops until a kick, by immediate_exit or by the pending signal. */
static inline int fake_kvm_spin(struct kvm_run *run)
{
	const struct timespec moment = { .tv_nsec = 100000 };
	sigset_t pending;

	for (;;) {
		sigpending(&pending);
		if (__atomic_load_n(&run->immediate_exit, __ATOMIC_SEQ_CST) ||
		    sigismember(&pending, SIGNAL_KICK))
			return EINTR;
		nanosleep(&moment, NULL);
	}
}

static struct fake_kvm *fake_kvm_of_test;

/* Requests of the list of MSRs, and the number of the one that fails; 0: none. */
static unsigned int fake_kvm_lists, fake_kvm_bad_list;

/*
 * The ioctls of x86_64 about MSRs, by their numbers, which other architectures do not
 * use: there are two MSRs, STAR and LSTAR.
 */
static inline int fake_kvm_other(unsigned long request, uint32_t *words)
{
	bool fits;

	switch (_IOC_NR(request)) {
	case 0x02: /* KVM_GET_MSR_INDEX_LIST: struct kvm_msr_list */
		if (__atomic_add_fetch(&fake_kvm_lists, 1, __ATOMIC_RELAXED) ==
		    fake_kvm_bad_list) {
			errno = ENOMEM;
			return -1;
		}
		fits = words[0] >= 2;
		words[0] = 2;
		if (!fits) {
			errno = E2BIG;
			return -1;
		}
		words[1] = 0xc0000081;
		words[2] = 0xc0000082;
		return 0;
	case 0x88: /* KVM_GET_MSRS, KVM_SET_MSRS: struct kvm_msrs */
	case 0x89:
		return (int)words[0];
	}
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *argument;
	int err;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (fd < FAKE_VM_FD)
		return (int)syscall(SYS_ioctl, fd, request, argument);
	if (request != KVM_RUN)
		return fake_kvm_other(request, argument);
	err = fake_kvm_run(&fake_kvm_of_test->run[fd - FAKE_VCPU_FD],
			   (unsigned int)(fd - FAKE_VCPU_FD));
	if (err)
		errno = err;
	return err ? -1 : 0;
}

static inline void fake_kvm_open(struct fake_kvm *f, unsigned int vcpus)
{
	struct vm *vm = &f->vm;
	unsigned int i;

	memset(f, 0, sizeof(*f));
	fake_kvm_of_test = f;
	vm->fd = vm->kvm_fd = FAKE_VM_FD;
	vm->config.vcpus = vcpus;
	vm->vcpus = f->vcpus;
#ifdef __SANITIZE_THREAD__
	/* ThreadSanitizer defers signal handlers, and with them immediate_exit. */
	vm->config.kick = VM_KICK_SIGNAL_MASK;
#endif
	pthread_mutex_init(&vm->ring_lock, NULL);
	pthread_mutex_init(&vm->dirty_lock, NULL);
	for (i = 0; i < vcpus; i++) {
		vm->vcpus[i] = (struct vcpu){
			.vm = vm,
			.index = i,
			.fd = FAKE_VCPU_FD + (int)i,
			.run = &f->run[i],
			.error = &vm->error,
			.dump = &vm->dump,
		};
		if (kick_init(&vm->vcpus[i]) || regs_init(&vm->vcpus[i]))
			abort();
	}
}

static inline void fake_kvm_close(struct fake_kvm *f)
{
	unsigned int i;

	for (i = 0; i < f->vm.config.vcpus; i++) {
		regs_free(&f->vm.vcpus[i]);
		close(f->vm.vcpus[i].answer_fd);
	}
	free(f->vm.dump);
	pthread_mutex_destroy(&f->vm.ring_lock);
	pthread_mutex_destroy(&f->vm.dirty_lock);
}

#endif
