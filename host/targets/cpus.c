/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPUs of the host: topology by sysfs (Documentation/admin-guide/cputopology.rst),
 * interference by /proc/interrupts, /proc/stat and getrusage().
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "host/targets/kvm.h"

/* The first line of a CPU's topology/NAME; false if there is none. */
static bool read_topology(const char *sysfs, int cpu, const char *name, char *text,
			  size_t bytes)
{
	char path[PATH_MAX];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/devices/system/cpu/cpu%d/topology/%s", sysfs,
		 cpu, name);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fgets(text, (int)bytes, f) != NULL;
	fclose(f);
	return ok;
}

/* "0-3,8": whether `cpu` is in it. A list that does not parse ends where it does not. */
static bool list_has(const char *list, int cpu)
{
	while (*list >= '0' && *list <= '9') {
		char *end;
		long from = strtol(list, &end, 10), to = from;

		if (*end == '-')
			to = strtol(end + 1, &end, 10);
		if (cpu >= from && cpu <= to)
			return true;
		list = *end == ',' ? end + 1 : "";
	}
	return false;
}

/* Whether `cpu` is a thread of the core that one of the chosen is a thread of. */
static bool shares_core(const char *sysfs, int cpu, const int *cpus, unsigned int chosen)
{
	char siblings[1024];
	unsigned int i;

	for (i = 0; i < chosen; i++)
		if (cpus[i] == cpu)
			return true;
	if (!sysfs)
		return false;
	/* Not known is not apart. */
	if (!read_topology(sysfs, cpu, "thread_siblings_list", siblings,
			   sizeof(siblings)) ||
	    !list_has(siblings, cpu))
		return true;
	for (i = 0; i < chosen; i++)
		if (list_has(siblings, cpus[i]))
			return true;
	return false;
}

static bool same_package(const char *sysfs, int a, int b)
{
	char of_a[32], of_b[32];

	if (!sysfs)
		return true;
	return read_topology(sysfs, a, "physical_package_id", of_a, sizeof(of_a)) &&
	       read_topology(sysfs, b, "physical_package_id", of_b, sizeof(of_b)) &&
	       !strcmp(of_a, of_b);
}

int cpus_choose(const char *sysfs, const cpu_set_t *allowed, int first, unsigned int n,
		int *cpus, char *why, size_t why_bytes)
{
	unsigned int chosen = 1;
	bool anywhere;
	int pass, cpu;

	cpus[0] = first;
	for (pass = 0; pass < 2; pass++) {
		anywhere = pass > 0;
		for (cpu = 0; cpu < CPU_SETSIZE && chosen < n; cpu++)
			if (CPU_ISSET(cpu, allowed) &&
			    (anywhere || same_package(sysfs, first, cpu)) &&
			    !shares_core(sysfs, cpu, cpus, chosen))
				cpus[chosen++] = cpu;
	}
	if (chosen == n)
		return 0;
	snprintf(
		why, why_bytes,
		"needs %u cores: this process may use %u, that of CPU %d included (threads of one core count once)",
		n, chosen, first);
	return -ENOENT;
}

bool cpus_any(const cpu_set_t *allowed, int first, unsigned int n, int *cpus)
{
	unsigned int chosen = 0;

	if (first >= 0)
		cpus[chosen++] = first;
	for (int cpu = 0; cpu < CPU_SETSIZE && chosen < n; cpu++)
		if (cpu != first && CPU_ISSET(cpu, allowed))
			cpus[chosen++] = cpu;
	return chosen == n;
}

#define CPUS_MAX 4096

/* The numbers after "NAME:", one per CPU; those of `cpu`, or of all. */
static int64_t line_sum(const char *line, int column, int columns)
{
	const char *at = strchr(line, ':');
	int64_t sum = 0;
	int i;

	if (!at)
		return 0;
	at++;
	for (i = 0; i < columns; i++) {
		char *end;
		long long n = strtoll(at, &end, 10);

		if (end == at || !(isspace((unsigned char)*end) || !*end))
			break; /* ERR: and MIS: have one number only */
		if (column < 0 || column == i)
			sum += n;
		at = end;
	}
	return sum;
}

/* The header names the CPUs that are on line: which column is `cpu`'s? */
static int header_columns(char *line, int cpu, int *column)
{
	char *save = NULL, *word;
	int n = 0;

	*column = -1;
	for (word = strtok_r(line, " \n", &save); word && n < CPUS_MAX;
	     word = strtok_r(NULL, " \n", &save)) {
		int number;

		if (sscanf(word, "CPU%d", &number) == 1 && number == cpu)
			*column = n;
		n++;
	}
	return n;
}

/* Of all CPUs: a sum in /proc/stat, which is shorter to print than a table. */
static int64_t all_interrupts(void)
{
	FILE *f = fopen("/proc/stat", "re");
	char *line = NULL;
	size_t bytes = 0;
	long long sum = -1;

	while (f && sum < 0 && getline(&line, &bytes, f) > 0)
		if (!strncmp(line, "intr ", 5))
			sum = strtoll(line + 5, NULL, 10);
	free(line);
	if (f)
		fclose(f);
	return sum;
}

int64_t interrupts_taken(int cpu)
{
	char *line = NULL;
	size_t bytes = 0;
	int64_t sum = 0;
	int columns, column;
	FILE *f;

	if (cpu < 0)
		return all_interrupts();
	f = fopen("/proc/interrupts", "re");
	if (!f)
		return -1;
	if (getline(&line, &bytes, f) < 0) {
		sum = -1;
		goto out;
	}
	columns = header_columns(line, cpu, &column);
	while (getline(&line, &bytes, f) > 0)
		sum += line_sum(line, column, columns);
out:
	free(line);
	fclose(f);
	return sum;
}

void interference_read(struct interference *now)
{
	struct rusage usage;

	now->interrupts = -1;
	now->involuntary_switches =
		getrusage(RUSAGE_THREAD, &usage) ? -1 : usage.ru_nivcsw;
	now->cpu_now = sched_getcpu();
}
