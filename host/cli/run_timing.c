/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench run --timing`: where the time of a run went, as a table per target. */
#include "host/cli/run.h"
#include "host/lib/table.h"
#include "host/targets/timing.h"

static const char *const names[TIMING_PARTS] = {
	[TIMING_OPEN] = "files: kernel, modules, program, initramfs",
	[TIMING_START] = "start of the emulator",
	[TIMING_BOOT] = "boot of the machine",
	[TIMING_SNAPSHOT] = "snapshot of the machine",
	[TIMING_LOAD] = "load of the saved machine",
	[TIMING_DESCRIBE] = "description of the machine",
	[TIMING_CLONE] = "start and end of clones",
	[TIMING_ROWS] = "rows",
	[TIMING_ANALYSIS] = "analysis",
	[TIMING_WRITE] = "document",
};

static void fill_seconds(struct table *t, uint64_t n, uint64_t wall_ns, uint64_t cpu_ns)
{
	if (n)
		table_cell(t, 1, "%llu", (unsigned long long)n);
	table_cell(t, 2, "%.3f", (double)wall_ns / 1e9);
	table_cell(t, 3, "%.3f", (double)cpu_ns / 1e9);
}

/* The stages of a boot, in 10^6 instructions. */
static void fill_boot(struct table *t, const struct timing_boot *b)
{
	const struct {
		const char *name;
		uint64_t from, to;
	} stages[] = {
		{ "  firmware, kernel before its clock", 0, b->kernel_clock },
		{ "  kernel", b->kernel_clock, b->init },
		{ "  init and modules, to KVM", b->init, b->kvm },
		{ "  init, to the first job", b->kvm > b->init ? b->kvm : b->init,
		  b->ready },
	};

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		if (stages[i].to <= stages[i].from)
			continue; /* a kernel with KVM built in */
		table_row(t, TABLE_PLAIN);
		table_cell(t, 0, "%s", stages[i].name);
		table_cell(t, 4, "%.1f", (double)(stages[i].to - stages[i].from) / 1e6);
	}
}

void run_timing_print(FILE *f, const char *target, const struct timing *timing,
		      uint64_t whole_ns, const struct table_options *o)
{
	static const struct table_column columns[] = {
		{ "part", TABLE_KEY, 0, NULL },
		{ "n", TABLE_RIGHT, 0, NULL },
		{ "wall, s", TABLE_RIGHT, 0, NULL },
		{ "CPU, s", TABLE_RIGHT, 0, NULL },
		{ "10^6 insns", TABLE_RIGHT, 0, NULL },
	};
	uint64_t wall_ns = 0, cpu_ns = 0;
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < TIMING_PARTS; i++) {
		const struct timing_sum *s = &timing->sums[i];

		/* The machine knows of its boot. */
		bool saved = i == TIMING_BOOT && !s->n && timing->boot.known;

		if (!s->n && !saved)
			continue;
		table_row(&t, TABLE_PLAIN);
		table_cell(&t, 0, "%s%s", names[i], saved ? " (in an earlier run)" : "");
		if (!saved)
			fill_seconds(&t, s->n, s->wall_ns, s->cpu_ns);
		if (i == TIMING_BOOT && timing->boot.known)
			fill_boot(&t, &timing->boot);
		wall_ns += s->wall_ns;
		cpu_ns += s->cpu_ns;
	}
	table_row(&t, TABLE_PLAIN);
	table_cell(&t, 0, "sum");
	fill_seconds(&t, 0, wall_ns, cpu_ns);
	fprintf(f, "\nTiming, %s: %.3f s\n\n", target, (double)whole_ns / 1e9);
	table_print(f, &t, o);
	table_free(&t);
}
