/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cores and packages, by sysfs (Documentation/admin-guide/cputopology.rst). */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/targets/cpus.h"

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
	snprintf(why, why_bytes,
		 "needs %u cores: this process may use %u, that of CPU %d included "
		 "(threads of one core count once)",
		 n, chosen, first);
	return -ENOENT;
}
