/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state that a VM's vCPU threads share, on a fake KVM (fake_kvm.h). threads.bats runs
 * this test under ThreadSanitizer, too, which finds races that cause no failure.
 */
#include <dirent.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#ifdef __SANITIZE_THREAD__
#include "host/tests/plain_test.h"
#else
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#endif

#include "host/tests/fake_kvm.h"
#include "host/vmm/arch.h"
#include "host/vmm/memory.h"

#define ROUNDS 200

#ifdef __SANITIZE_ADDRESS__
/* Criterion 2.4 leaks its record of a test that ends while another test runs. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libcriterion";
}
#endif

static struct fake_kvm fake;

/* The result of KVM_RUN, by vCPU: an exit reason, or SPIN: runs until a kick. */
#define SPIN 0xffffu
static uint32_t plan[VM_VCPUS_MAX];

/* The doorbell's exit, with ABI_DOORBELL_STOP. */
#define STOP 0xfffeu

static int ring_stop(struct kvm_run *run)
{
	const uint32_t value = ABI_DOORBELL(ABI_DOORBELL_STOP, 0);

	if (arch_doorbell.is_pio) {
		run->exit_reason = KVM_EXIT_IO;
		run->io.direction = KVM_EXIT_IO_OUT;
		run->io.port = (uint16_t)arch_doorbell.address;
		run->io.size = sizeof(value);
		run->io.count = 1;
		run->io.data_offset = sizeof(*run) - sizeof(value);
		memcpy((uint8_t *)run + run->io.data_offset, &value, sizeof(value));
	} else {
		run->exit_reason = KVM_EXIT_MMIO;
		run->mmio.phys_addr = arch_doorbell.address;
		run->mmio.len = sizeof(value);
		run->mmio.is_write = 1;
		memcpy(run->mmio.data, &value, sizeof(value));
	}
	return 0;
}

int fake_kvm_run(struct kvm_run *run, unsigned int vcpu)
{
	if (run->immediate_exit || plan[vcpu] == SPIN)
		return fake_kvm_spin(run);
	if (plan[vcpu] == STOP)
		return ring_stop(run);
	run->exit_reason = plan[vcpu];
	run->system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
	return 0;
}

static void begin(uint32_t boot, uint32_t second, uint32_t third)
{
	fake_kvm_open(&fake, 3);
	plan[0] = boot;
	plan[1] = second;
	plan[2] = third;
}

static bool error_is(const char *start, const char *part)
{
	return !strncmp(fake.vm.error.text, start, strlen(start)) &&
	       strstr(fake.vm.error.text, part);
}

static const char *pc(void)
{
	return vmm_arch == ARCH_X86_64 ? "; rip 0x" : "; pc 0x";
}

/* The VM's error has the vCPU's number, the cause and the pc. */
Test(threads, the_shutdown_of_a_secondary_vcpu_is_reported, .timeout = 30)
{
	begin(SPIN, KVM_EXIT_SYSTEM_EVENT, SPIN);
	cr_expect_eq(vm_run(&fake.vm, NULL, NULL), 0);
	cr_expect_eq(fake.vm.stop, VCPU_STOP_SHUTDOWN);
	cr_expect_eq(fake.vm.stopped_by, 1);
	cr_expect(error_is("vCPU 1: the guest shut down: power off", pc()), "%s",
		  fake.vm.error.text);
	fake_kvm_close(&fake);
}

Test(threads, the_failure_of_a_secondary_vcpu_is_reported, .timeout = 30)
{
	begin(SPIN, SPIN, KVM_EXIT_FAIL_ENTRY);
	cr_expect_eq(vm_run(&fake.vm, NULL, NULL), -EIO);
	cr_expect_eq(fake.vm.stop, VCPU_STOP_ERROR);
	cr_expect_eq(fake.vm.stopped_by, 2);
	cr_expect(error_is("vCPU 2: KVM_EXIT_FAIL_ENTRY", pc()), "%s",
		  fake.vm.error.text);
	cr_assert(fake.vm.dump != NULL);
	cr_expect_eq(strncmp(fake.vm.dump, "vCPU 2, ", 8), 0, "%s", fake.vm.dump);
	fake_kvm_close(&fake);
}

/* A thread that cannot be pinned is an error before any vCPU runs. */
Test(threads, a_cpu_that_does_not_exist_is_an_error, .timeout = 30)
{
	const int cpus[] = { 0, CPU_SETSIZE - 1, CPU_SETSIZE };

	begin(KVM_EXIT_SHUTDOWN, SPIN, SPIN);
	cr_expect_eq(vm_run(&fake.vm, NULL, cpus), -EINVAL);
	cr_expect_eq(fake.vm.stop, VCPU_STOP_NONE);
	cr_expect(error_is("vCPU 1: ", "on CPU 1023"), "%s", fake.vm.error.text);
	cr_expect_eq(fake.vm.vcpus[0].stats.vm_exits, 0);
	cr_expect(fake.vm.vcpus[1].error == &fake.vm.error);
	fake_kvm_close(&fake);
}

/* A crew, and how often each vCPU has ended its work. */
static unsigned int rung[VM_VCPUS_MAX];
static bool broke;

static bool has_finished(void *ctx, unsigned int index)
{
	(void)ctx;
	rung[index]++;
	return true;
}

static void has_broken(void *ctx)
{
	(void)ctx;
	broke = true;
}

static struct vm_crew crew_of(unsigned int n)
{
	struct vm_crew crew = { .n = n, .finished = has_finished, .broken = has_broken };

	memset(rung, 0, sizeof(rung));
	broke = false;
	for (unsigned int i = 0; i < n; i++)
		crew.vcpus[i] = &fake.vm.vcpus[i];
	return crew;
}

Test(threads, a_crew_ends_when_all_have_finished, .timeout = 60)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct vm_crew crew;

		begin(STOP, STOP, STOP);
		crew = crew_of(3);
		cr_assert_eq(vm_run_crew(&crew), 0);
		cr_assert_eq(crew.stop, VCPU_STOP_NONE);
		cr_assert(rung[0] == 1 && rung[1] == 1 && rung[2] == 1 && !broke);
		cr_assert(fake.vm.vcpus[1].error == &fake.vm.error);
		fake_kvm_close(&fake);
	}
}

static int tasks;

/* The threads of this process. */
static int count_tasks(void)
{
	DIR *dir = opendir("/proc/self/task");
	int n = 0;

	cr_assert(dir != NULL);
	for (const struct dirent *e = readdir(dir); e; e = readdir(dir))
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

static bool has_finished_with_tasks(void *ctx, unsigned int index)
{
	tasks = count_tasks();
	return has_finished(ctx, index);
}

/* Its system calls are those of a process of several threads, as in larger crews. */
Test(threads, a_crew_of_one_has_a_second_thread, .timeout = 30)
{
	const int before = count_tasks();
	struct vm_crew crew;

	begin(STOP, STOP, STOP);
	crew = crew_of(1);
	crew.finished = has_finished_with_tasks;
	cr_assert_eq(vm_run_crew(&crew), 0);
	cr_expect_eq(crew.stop, VCPU_STOP_NONE);
	cr_expect_eq(rung[0], 1);
	cr_expect_eq(tasks, before + 1);
	fake_kvm_close(&fake);
}

/* Whichever vCPU fails, the others are stopped, and the reason is that of the first. */
Test(threads, a_crew_ends_when_one_fails, .timeout = 60)
{
	for (unsigned int i = 0; i < 3; i++) {
		struct vm_crew crew;

		begin(SPIN, SPIN, SPIN);
		plan[i] = KVM_EXIT_FAIL_ENTRY;
		crew = crew_of(3);
		cr_assert_eq(vm_run_crew(&crew), 0);
		cr_expect_eq(crew.stop, VCPU_STOP_ERROR);
		cr_expect(broke && crew.stopped_by == i);
		cr_expect(strstr(crew.error.text, "KVM_EXIT_FAIL_ENTRY") != NULL, "%s",
			  crew.error.text);
		cr_expect(crew.dump != NULL);
		free(crew.dump);
		fake_kvm_close(&fake);
	}
}

Test(threads, a_crew_on_a_cpu_that_does_not_exist_is_an_error, .timeout = 30)
{
	const int cpus[] = { 0, 0, CPU_SETSIZE };
	struct vm_crew crew;

	begin(SPIN, SPIN, SPIN);
	crew = crew_of(3);
	crew.cpus = cpus;
	cr_expect_eq(vm_run_crew(&crew), -EINVAL);
	cr_expect_eq(crew.stop, VCPU_STOP_NONE);
	cr_expect(strstr(crew.error.text, "vCPU 2") != NULL, "%s", crew.error.text);
	fake_kvm_close(&fake);
}

/* The kick with which a vCPU ends a run does not end the next run. */
Test(threads, a_kick_does_not_end_the_next_run, .timeout = 30)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		begin(KVM_EXIT_SHUTDOWN, KVM_EXIT_SHUTDOWN, SPIN);
		(void)vm_run(&fake.vm, NULL, NULL);
		cr_assert_eq(fake.vm.stop, VCPU_STOP_SHUTDOWN);
		plan[1] = SPIN;
		cr_assert_eq(vm_run(&fake.vm, NULL, NULL), 0);
		cr_assert_eq(fake.vm.stop, VCPU_STOP_SHUTDOWN);
		cr_assert_eq(fake.vm.stopped_by, 0, "vCPU %u", fake.vm.stopped_by);
		fake_kvm_close(&fake);
	}
}

/* All vCPUs fail at once: the error and the dump are of one vCPU. */
Test(threads, simultaneous_failures_do_not_mix, .timeout = 60)
{
	char vcpu[16];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		begin(KVM_EXIT_FAIL_ENTRY, KVM_EXIT_FAIL_ENTRY, KVM_EXIT_FAIL_ENTRY);
		cr_assert_eq(vm_run(&fake.vm, NULL, NULL), -EIO);
		cr_assert_eq(fake.vm.stop, VCPU_STOP_ERROR);
		snprintf(vcpu, sizeof(vcpu), "vCPU %u, ", fake.vm.stopped_by);
		cr_assert(fake.vm.dump != NULL);
		cr_assert_eq(strncmp(fake.vm.dump, vcpu, strlen(vcpu)), 0, "%s",
			     fake.vm.dump);
		cr_assert(error_is(fake.vm.stopped_by ? "vCPU " : "KVM_EXIT_",
				   "FAIL_ENTRY"),
			  "%s", fake.vm.error.text);
		fake_kvm_close(&fake);
	}
}

static bool done; /* atomic */

static void *kick_all(void *ctx)
{
	unsigned int i;

	(void)ctx;
	while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST))
		for (i = 1; i < 3; i++)
			vcpu_kick(&fake.vm.vcpus[i]);
	return NULL;
}

/* Kicks of vCPUs whose threads start and end do not use a joined thread. */
Test(threads, kicks_outlive_threads, .timeout = 60)
{
	pthread_t kicker;
	int i;

	begin(KVM_EXIT_SHUTDOWN, SPIN, SPIN);
	cr_assert_eq(pthread_create(&kicker, NULL, kick_all, NULL), 0);
	for (i = 0; i < ROUNDS; i++) {
		cr_assert_eq(vm_run(&fake.vm, NULL, NULL), 0);
		cr_assert_eq(fake.vm.stopped_by, 0);
	}
	__atomic_store_n(&done, true, __ATOMIC_SEQ_CST);
	pthread_join(kicker, NULL);
	fake_kvm_close(&fake);
}

static void *harvest(void *ctx)
{
	int i;

	for (i = 0; i < ROUNDS; i++)
		if (dirty_ring_harvest(ctx))
			return ctx;
	return NULL;
}

/* Every entry is counted once, by the thread of any vCPU. */
Test(threads, dirty_rings_are_harvested_once, .timeout = 60)
{
	static struct kvm_dirty_gfn rings[2][DIRTY_RING_ENTRIES];
	pthread_t threads[2];
	void *failed;
	int i, n;

	begin(SPIN, SPIN, SPIN);
	fake.vm.config.dirty_ring = DIRTY_RING_ENTRIES;
	for (i = 0; i < 2; i++) {
		for (n = 0; n < (int)DIRTY_RING_ENTRIES / 2; n++)
			rings[i][n].flags = KVM_DIRTY_GFN_F_DIRTY;
		fake.vm.vcpus[i].dirty_ring = rings[i];
	}
	for (i = 0; i < 2; i++)
		cr_assert_eq(
			pthread_create(&threads[i], NULL, harvest, &fake.vm.vcpus[i]), 0);
	for (i = 0; i < 2; i++) {
		pthread_join(threads[i], &failed);
		cr_expect(failed == NULL);
	}
	cr_expect_eq(fake.vm.dirty_pages, DIRTY_RING_ENTRIES);
	fake_kvm_close(&fake);
}

/* A guest that exits did not see the pending signal. */
Test(threads, a_signal_mask_without_an_effect_is_found, .timeout = 30)
{
	begin(SPIN, SPIN, KVM_EXIT_SYSTEM_EVENT);
	fake.vm.config.kick = VM_KICK_SIGNAL_MASK;
	cr_expect_eq(vcpu_kick_prove(&fake.vcpus[0]), 0, "%s", fake.vm.error.text);
	cr_expect_eq(vcpu_kick_prove(&fake.vcpus[2]), -EIO);
	cr_expect(strstr(fake.vm.error.text, "KVM_SET_SIGNAL_MASK") != NULL, "%s",
		  fake.vm.error.text);
	fake_kvm_close(&fake);
}

/* x86_64: the first request asks for the number of MSRs, the second one for the list. */
Test(regs, a_list_of_msrs_that_failed_is_read_again)
{
	struct regs_value value;

	for (unsigned int bad = 1; bad <= 2; bad++) {
		int err;

		fake_kvm_open(&fake, 1);
		fake_kvm_lists = 0;
		fake_kvm_bad_list = bad;
		err = regs_pull(&fake.vcpus[0]);
		/* Other architectures do not request it. */
		if (fake_kvm_lists) {
			cr_expect(err != 0);
			cr_expect_eq(fake_kvm_lists, bad);
			cr_expect_eq(regs_pull(&fake.vcpus[0]), 0);
			cr_expect_eq(regs_get(&fake.vcpus[0], "msr_0xc0000081", &value),
				     0);
		}
		fake_kvm_close(&fake);
	}
	fake_kvm_bad_list = 0;
}
