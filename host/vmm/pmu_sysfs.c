/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PMU of an arm64 machine as its driver shows it in sysfs. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "host/vmm/pmu_readings.h"

#define DEVICES "/sys/bus/event_source/devices"

/* Events of PMCEID0_EL0 and PMCEID1_EL0: bits 0-31, and bits 32-63 from 0x4000 on. */
#define EXTENDED 0x4000u

/* PMMIR_EL1's fields (Arm ARM) and the files of caps/. */
static const struct {
	const char *file;
	unsigned int low, bits;
	bool is_log2; /* the file has bytes, the register their logarithm plus 1 */
} parameters[] = {
	{ "slots", 0, 8, false },
	{ "bus_slots", 8, 8, false },
	{ "bus_width", 16, 4, true },
};

/* The first line of DEVICES/NAME/DIR/FILE. */
static bool read_line(const char *root, const char *device, const char *dir,
		      const char *file, char *line, int bytes)
{
	char path[PATH_MAX];
	bool got;
	FILE *f;

	snprintf(path, sizeof(path), "%s" DEVICES "/%s/%s/%s", root, device, dir, file);
	f = fopen(path, "re");
	if (!f)
		return false;
	got = fgets(line, bytes, f) != NULL;
	fclose(f);
	return got;
}

/* The first device of the armv8 driver. */
static bool find_device(const char *root, char *name, size_t bytes)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s" DEVICES, root);
	dir = opendir(path);
	if (!dir)
		return false;
	*name = '\0';
	while ((entry = readdir(dir)))
		if (!strncmp(entry->d_name, "armv8", 5) &&
		    (!*name || strcmp(entry->d_name, name) < 0))
			snprintf(name, bytes, "%s", entry->d_name);
	closedir(dir);
	return *name;
}

static void note_event(unsigned int event, struct pmu_reading *r)
{
	unsigned int bit = event & ~EXTENDED;

	if (bit >= 64)
		return;
	r[bit < 32 ? PMU_PMCEID0 : PMU_PMCEID1].value |=
		1ull << (bit % 32 + (event & EXTENDED ? 32 : 0));
}

static void read_events(const char *root, const char *device, struct pmu_reading *r)
{
	static const char partial[] = "as far as the host's driver names its events";
	char path[PATH_MAX], line[64];
	const struct dirent *entry;
	unsigned int event;
	DIR *dir;

	snprintf(path, sizeof(path), "%s" DEVICES "/%s/events", root, device);
	dir = opendir(path);
	if (!dir)
		return;
	r[PMU_PMCEID0] = r[PMU_PMCEID1] = (struct pmu_reading){ true, 0, partial };
	while ((entry = readdir(dir)))
		if (read_line(root, device, "events", entry->d_name, line,
			      sizeof(line)) &&
		    sscanf(line, "event=%x", &event) == 1)
			note_event(event, r);
	closedir(dir);
}

static unsigned int log2_plus_1(unsigned int n)
{
	unsigned int log = 0;

	for (; n; n >>= 1)
		log++;
	return log;
}

static void read_parameters(const char *root, const char *device, struct pmu_reading *r)
{
	unsigned int i, value, known = 0;
	uint64_t pmmir = 0;
	char line[64];

	for (i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		if (!read_line(root, device, "caps", parameters[i].file, line,
			       sizeof(line)) ||
		    sscanf(line, "0x%x", &value) != 1)
			continue;
		known++;
		if (parameters[i].is_log2)
			value = log2_plus_1(value);
		pmmir |= (uint64_t)(value & ((1u << parameters[i].bits) - 1))
			 << parameters[i].low;
	}
	if (known)
		r[PMU_PMMIR] =
			(struct pmu_reading){ true, pmmir, "as far as sysfs shows it" };
}

void pmu_readings_sysfs(const char *root, struct pmu_reading *r)
{
	static const struct pmu_reading none = {
		.note = "sysfs shows no PMU of the armv8 driver",
	};
	char device[NAME_MAX + 1];

	r[PMU_PMCEID0] = r[PMU_PMCEID1] = r[PMU_PMMIR] = none;
	if (!find_device(root, device, sizeof(device)))
		return;
	r[PMU_PMMIR].note = "the PMU's driver shows no parameters";
	read_events(root, device, r);
	read_parameters(root, device, r);
}
