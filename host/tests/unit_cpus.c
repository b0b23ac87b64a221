/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of the CPUs that vCPUs are pinned to, on machines in a fake sysfs, and of
 * the counters of a vCPU's thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "host/targets/kvm.h"
#include "host/vmm/vmm.h"

static char root[] = "/tmp/unit_cpus.XXXXXX";
static char why[300];

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "we");
	cr_assert(f != NULL, "%s", path);
	fprintf(f, "%s\n", text);
	fclose(f);
}

/* A CPU; `siblings` NULL: without a topology. */
static void add_cpu(int cpu, const char *siblings, const char *package)
{
	char command[300], folder[200];

	snprintf(folder, sizeof(folder), "%s/devices/system/cpu/cpu%d/topology", root,
		 cpu);
	snprintf(command, sizeof(command), "mkdir -p %s", folder);
	cr_assert_eq(system(command), 0);
	if (!siblings)
		return;
	write_file(folder, "thread_siblings_list", siblings);
	write_file(folder, "physical_package_id", package);
}

static void begin(void)
{
	cr_assert(mkdtemp(root) != NULL);
}

static void end(void)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	cr_assert_eq(system(command), 0);
}

/* From `allowed`, a digit per CPU. */
static int choose(const char *allowed, int first, unsigned int n, int *cpus)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (; *allowed; allowed++)
		CPU_SET(*allowed - '0', &set);
	*why = '\0';
	return cpus_choose(root, &set, first, n, cpus, why, sizeof(why));
}

TestSuite(cpus, .init = begin, .fini = end);

/* Two packages of two cores of two threads; threads are numbered as Linux does. */
static void two_packages(void)
{
	add_cpu(0, "0,4", "0");
	add_cpu(1, "1,5", "1");
	add_cpu(2, "2,6", "0");
	add_cpu(3, "3,7", "1");
	add_cpu(4, "0,4", "0");
	add_cpu(5, "1,5", "1");
	add_cpu(6, "2,6", "0");
	add_cpu(7, "3,7", "1");
}

Test(cpus, another_core_of_the_package_comes_first)
{
	int cpus[4];

	two_packages();
	cr_assert_eq(choose("01234567", 0, 2, cpus), 0, "%s", why);
	cr_expect(cpus[0] == 0 && cpus[1] == 2, "%d", cpus[1]);
	cr_assert_eq(choose("01234567", 7, 2, cpus), 0, "%s", why);
	cr_expect(cpus[0] == 7 && cpus[1] == 1, "%d", cpus[1]);
	cr_assert_eq(choose("01234567", 6, 4, cpus), 0, "%s", why);
	cr_expect(cpus[0] == 6 && cpus[1] == 0 && cpus[2] == 1 && cpus[3] == 3,
		  "%d %d %d", cpus[1], cpus[2], cpus[3]);
}

Test(cpus, without_a_topology_each_cpu_of_a_lab_is_a_core)
{
	cpu_set_t set;
	int cpus[2];

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	cr_expect_eq(cpus_choose(NULL, &set, 0, 2, cpus, why, sizeof(why)), -ENOENT);
	CPU_SET(1, &set);
	cr_assert_eq(cpus_choose(NULL, &set, 0, 2, cpus, why, sizeof(why)), 0, "%s", why);
	cr_expect(cpus[0] == 0 && cpus[1] == 1, "%d", cpus[1]);
	cr_assert_eq(cpus_choose(NULL, &set, 1, 2, cpus, why, sizeof(why)), 0, "%s", why);
	cr_expect(cpus[0] == 1 && cpus[1] == 0, "%d", cpus[1]);
}

Test(cpus, cpus_outside_of_the_affinity_are_not_chosen)
{
	int cpus[4];

	two_packages();
	cr_assert_eq(choose("056", 0, 2, cpus), 0, "%s", why);
	cr_expect_eq(cpus[1], 6);
	cr_assert_eq(choose("05", 0, 2, cpus), 0, "%s", why);
	cr_expect_eq(cpus[1], 5);
}

Test(cpus, a_thread_of_the_same_core_is_never_chosen)
{
	int cpus[4];

	two_packages();
	cr_assert_eq(choose("04", 0, 2, cpus), -ENOENT);
	cr_expect(strstr(why, "needs 2 cores: this process may use 1,") != NULL, "%s",
		  why);
	cr_assert_eq(choose("0415", 4, 3, cpus), -ENOENT);
	cr_expect(strstr(why, "needs 3 cores: this process may use 2,") != NULL, "%s",
		  why);
}

Test(cpus, ranges_of_siblings_are_read)
{
	int cpus[4];

	add_cpu(0, "0-1", "0");
	add_cpu(1, "0-1", "0");
	add_cpu(2, "2-3", "0");
	add_cpu(3, "2-3", "0");
	cr_assert_eq(choose("0123", 1, 2, cpus), 0, "%s", why);
	cr_expect_eq(cpus[1], 2);
	cr_assert_eq(choose("01", 1, 2, cpus), -ENOENT);
}

/* Without a topology every CPU may be a thread of one core. */
Test(cpus, without_a_topology_there_is_no_second_core)
{
	int cpus[4];

	add_cpu(0, NULL, NULL);
	add_cpu(1, NULL, NULL);
	add_cpu(2, "nonsense", "0");
	cr_assert_eq(choose("012", 0, 2, cpus), -ENOENT);
	cr_expect(strstr(why, "needs 2 cores") != NULL, "%s", why);
	/* One vCPU does not need a topology. */
	cr_assert_eq(choose("012", 0, 1, cpus), 0, "%s", why);
	cr_expect_eq(cpus[0], 0);
}

/* On a KVM without a count of interrupts, they are read before the vCPUs meet, not after.
 */
Test(snapshot, only_its_slow_part_reads_the_interrupts_of_a_cpu)
{
	struct vcpu vcpu = { .fd = -1, .stats = { .vm_exits = 7 } };
	struct kvm_snapshot now = { .interference = { .interrupts = -2 } };

	kvm_snapshot_quick(&vcpu, STATISTICS, &now);
	cr_expect_eq(now.interference.interrupts, -2);
	cr_expect_eq(now.user, 7);
	cr_expect_eq(now.irq_exits, -1);
	cr_expect(now.interference.cpu_now >= 0);
	now.user = 8;
	kvm_snapshot_slow(&vcpu, -1, &now);
	cr_expect(now.interference.interrupts >= 0);
	cr_expect_eq(now.user, 8);
}
