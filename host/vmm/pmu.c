/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of an x86 PMU: what each stores and which writes fault; and the PMU of an
 * arm64 machine as its driver shows it in sysfs.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmm/pmu.h"
#include "host/vmm/traps.h"

/* The counters' width on current machines. */
#define WIDTH	      48
#define COUNTER_MASK  ((1ull << WIDTH) - 1)
#define LOW_HALF_MASK 0xffffffffull

/* IA32_PERF_CAPABILITIES.FW_WRITE: full-width writes (Intel SDM 4, table 2-2). */
#define CAPABILITIES (1ull << 13)

/* A bit per counter: general counters from bit 0, fixed counters from bit 32. */
#define GENERAL_BITS ((1ull << PMU_MSRS_GENERAL) - 1)
#define FIXED_BITS   (((1ull << PMU_MSRS_FIXED) - 1) << 32)
#define STATUS_BITS  (GENERAL_BITS | FIXED_BITS)
#define FIXED_CTRL   ((1ull << 4 * PMU_MSRS_FIXED) - 1)
#define AMD_BITS     ((1ull << PMU_MSRS_AMD) - 1)

enum effect {
	KEEP,	   /* stores the value; bits outside `mask` fault */
	TRUNCATE,  /* stores the value; bits outside `mask` are dropped */
	SIGN,	   /* stores 32 bits, sign-extended to the counter's width (SDM 3B) */
	READ_ONLY, /* reads as the register or, where `mask` is not 0, as `mask` */
	CLEAR,	   /* clears bits of the register; reads as zero */
	SET,	   /* sets bits of the register; reads as zero */
	IN_USE,	   /* read-only: which counters have an event (SDM 3B, version 4) */
};

/* `count` MSRs, every `stride`th from `first` on, for as many uint64_t at `offset`. */
struct rule {
	uint32_t first, count, stride;
	enum effect effect;
	uint64_t mask;
	size_t offset;
};

#define REGISTER(member) offsetof(struct pmu_msrs, member)

static const struct rule rules[] = {
	{ 0xc1, PMU_MSRS_GENERAL, 1, SIGN, COUNTER_MASK, REGISTER(general) },
	{ 0x4c1, PMU_MSRS_GENERAL, 1, KEEP, COUNTER_MASK, REGISTER(general) },
	{ 0x186, PMU_MSRS_GENERAL, 1, KEEP, LOW_HALF_MASK, REGISTER(select) },
	{ 0x309, PMU_MSRS_FIXED, 1, KEEP, COUNTER_MASK, REGISTER(fixed) },
	{ 0x38d, 1, 1, KEEP, FIXED_CTRL, REGISTER(fixed_ctrl) },
	{ 0x345, 1, 1, READ_ONLY, CAPABILITIES, REGISTER(nothing) },
	{ 0x38e, 1, 1, READ_ONLY, 0, REGISTER(global_status) },
	{ 0x38f, 1, 1, KEEP, STATUS_BITS, REGISTER(global_ctrl) },
	{ 0x390, 1, 1, CLEAR, STATUS_BITS, REGISTER(global_status) },
	{ 0x391, 1, 1, SET, STATUS_BITS, REGISTER(global_status) },
	{ 0x392, 1, 1, IN_USE, 0, REGISTER(nothing) },
	{ 0x3f1, 1, 1, KEEP, STATUS_BITS, REGISTER(pebs_enable) },
	{ 0x3f2, 1, 1, KEEP, LOW_HALF_MASK, REGISTER(pebs_data_cfg) },
	{ 0x600, 1, 1, KEEP, COUNTER_MASK, REGISTER(ds_area) },
	/* AMD APM 2, 13.2.1: the first four of six counters have a legacy alias. */
	{ 0xc0010000, 4, 1, KEEP, ~0ull, REGISTER(amd_select) },
	{ 0xc0010004, 4, 1, TRUNCATE, COUNTER_MASK, REGISTER(amd_counter) },
	{ 0xc0010200, PMU_MSRS_AMD, 2, KEEP, ~0ull, REGISTER(amd_select) },
	{ 0xc0010201, PMU_MSRS_AMD, 2, TRUNCATE, COUNTER_MASK, REGISTER(amd_counter) },
	{ 0xc0000300, 1, 1, READ_ONLY, 0, REGISTER(amd_global_status) },
	{ 0xc0000301, 1, 1, TRUNCATE, AMD_BITS, REGISTER(amd_global_ctl) },
	{ 0xc0000302, 1, 1, CLEAR, AMD_BITS, REGISTER(amd_global_status) },
	{ 0xc0000303, 1, 1, SET, AMD_BITS, REGISTER(amd_global_status) },
};

/* Ranges that cover the rules' MSRs: a filter has at most 16. */
static const struct traps_msrs ranges[] = {
	{ 0xc1, PMU_MSRS_GENERAL },
	{ 0x186, PMU_MSRS_GENERAL },
	{ 0x309, PMU_MSRS_FIXED },
	{ 0x345, 1 },
	{ 0x38d, 6 },
	{ 0x3f1, 2 },
	{ 0x4c1, PMU_MSRS_GENERAL },
	{ 0x600, 1 },
	{ 0xc0000300, 4 },
	{ 0xc0010000, 8 },
	{ 0xc0010200, 2 * PMU_MSRS_AMD },
};

/* The rule of an MSR, and its register; NULL: not one of the PMU's. */
static const struct rule *rule_of(struct pmu_msrs *msrs, uint32_t msr, uint64_t **reg)
{
	const struct rule *r;

	for (r = rules; r < rules + sizeof(rules) / sizeof(rules[0]); r++) {
		uint32_t at = msr - r->first;

		if (msr < r->first || at % r->stride || at / r->stride >= r->count)
			continue;
		*reg = (uint64_t *)((char *)msrs + r->offset) + at / r->stride;
		return r;
	}
	return NULL;
}

static uint64_t in_use(const struct pmu_msrs *msrs)
{
	uint64_t used = 0;
	unsigned int i;

	for (i = 0; i < PMU_MSRS_GENERAL; i++)
		used |= (uint64_t) !!(msrs->select[i] & 0xff) << i;
	for (i = 0; i < PMU_MSRS_FIXED; i++)
		used |= (uint64_t) !!(msrs->fixed_ctrl >> 4 * i & 3) << (32 + i);
	return used;
}

static uint64_t read_value(const struct pmu_msrs *msrs, const struct rule *r,
			   const uint64_t *reg)
{
	switch (r->effect) {
	case READ_ONLY:
		return r->mask ? r->mask : *reg;
	case CLEAR:
	case SET:
		return 0;
	case IN_USE:
		return in_use(msrs);
	default:
		return *reg;
	}
}

static bool write_value(const struct rule *r, uint64_t *reg, uint64_t value)
{
	switch (r->effect) {
	case READ_ONLY:
	case IN_USE:
		return false;
	case SIGN:
		*reg = (uint64_t)(int64_t)(int32_t)value & r->mask;
		return true;
	case TRUNCATE:
		*reg = value & r->mask;
		return true;
	default:
		break;
	}
	if (value & ~r->mask)
		return false;
	if (r->effect == CLEAR)
		*reg &= ~value;
	else if (r->effect == SET)
		*reg |= value;
	else
		*reg = value;
	return true;
}

bool pmu_msrs_access(struct pmu_msrs *msrs, uint32_t msr, bool is_write, uint64_t *value)
{
	uint64_t *reg;
	const struct rule *r = rule_of(msrs, msr, &reg);

	if (!r)
		return false;
	if (is_write)
		return write_value(r, reg, *value);
	*value = read_value(msrs, r, reg);
	return true;
}

int pmu_msrs_init(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->config.vcpus; i++) {
		vm->vcpus[i].pmu_msrs = calloc(1, sizeof(struct pmu_msrs));
		if (!vm->vcpus[i].pmu_msrs)
			return error_set(&vm->error, -ENOMEM, "out of memory");
	}
	return traps_msrs_to_user(vm, ranges, sizeof(ranges) / sizeof(ranges[0]));
}

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
