/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host did meanwhile, from /proc/interrupts and getrusage(). */
#include <ctype.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "host/targets/interference.h"

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

static int64_t interrupts_of(int cpu)
{
	FILE *f = fopen("/proc/interrupts", "re");
	char *line = NULL;
	size_t bytes = 0;
	int64_t sum = 0;
	int columns, column;

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

void interference_read(int cpu, struct interference *now)
{
	struct rusage usage;

	now->interrupts = interrupts_of(cpu);
	now->involuntary_switches =
		getrusage(RUSAGE_THREAD, &usage) ? -1 : usage.ru_nivcsw;
	now->cpu_now = sched_getcpu();
}
