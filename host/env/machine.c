/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine: files of /proc and /sys, and the fingerprint. */
#include "host/env/env.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/result/result.h"

static FILE *open_below(const char *root, const char *path)
{
	char full[PATH_MAX];
	int len = snprintf(full, sizeof(full), "%s%s", root, path);

	if (len < 0 || (size_t)len >= sizeof(full))
		return NULL;
	return fopen(full, "re");
}

static void trim(char *text)
{
	size_t len = strlen(text);

	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
}

bool env_read_line(const char *root, const char *path, char *buf, size_t bytes)
{
	FILE *f = open_below(root, path);
	bool got;

	if (!f)
		return false;
	buf[0] = '\0';
	/* An empty file is valid, such as /sys/.../isolated. */
	got = fgets(buf, (int)bytes, f) || !ferror(f);
	fclose(f);
	trim(buf);
	return got;
}

bool env_read_key(const char *root, const char *path, const char *key, char *buf,
		  size_t bytes)
{
	FILE *f = open_below(root, path);
	char *line = NULL;
	size_t room = 0, len = strlen(key);
	bool found = false;

	if (!f)
		return false;
	while (!found && getline(&line, &room, f) >= 0) {
		const char *value = strchr(line, ':');

		if (!value || strncmp(line, key, len) ||
		    len + strspn(line + len, " \t") != (size_t)(value - line))
			continue;
		value += 1 + strspn(value + 1, " \t");
		snprintf(buf, bytes, "%s", value);
		trim(buf);
		found = true;
	}
	free(line);
	fclose(f);
	return found;
}

bool env_has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += len)
		if ((at == text || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	return false;
}

/* sys_vendor in the DMI tables of virtual machines. */
static const char *const vendors[] = {
	"QEMU",	     "Amazon EC2", "Google",	    "Microsoft Corporation", "VMware",
	"innotek",   "Xen",	   "Alibaba Cloud", "OpenStack Foundation",  "Red Hat",
	"Parallels",
};

int env_is_guest(const char *root)
{
	char text[8192];

	/* Only x86 has the CPUID bit, which all hypervisors set. */
	if (env_read_key(root, "/proc/cpuinfo", "flags", text, sizeof(text)))
		return env_has_word(text, "hypervisor");
	if (env_read_line(root, "/proc/device-tree/hypervisor/compatible", text,
			  sizeof(text)) ||
	    env_read_line(root, "/sys/hypervisor/type", text, sizeof(text)))
		return 1;
	if (!env_read_line(root, "/sys/class/dmi/id/sys_vendor", text, sizeof(text)))
		return -1;
	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++)
		if (!strncmp(text, vendors[i], strlen(vendors[i])))
			return 1;
	return 0;
}

/* FNV-1a, 64 bits. */
#define FNV_BASIS 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

static uint64_t digest(uint64_t hash, const char *text)
{
	/* Includes the NUL, so that "ab" "c" differs from "a" "bc". */
	do {
		hash = (hash ^ (unsigned char)*text) * FNV_PRIME;
	} while (*text++);
	return hash;
}

/* x86: the model name. arm64: MIDR_EL1, or its fields in /proc/cpuinfo. */
static void cpu_model(char *buf, size_t bytes)
{
	char midr[64], part[64];

	if (env_read_key("", "/proc/cpuinfo", "model name", buf, bytes))
		return;
	if (env_read_line("", "/sys/devices/system/cpu/cpu0/regs/identification/midr_el1",
			  midr, sizeof(midr)))
		snprintf(buf, bytes, "MIDR_EL1 %s", midr);
	else if (env_read_key("", "/proc/cpuinfo", "CPU implementer", midr,
			      sizeof(midr)) &&
		 env_read_key("", "/proc/cpuinfo", "CPU part", part, sizeof(part)))
		snprintf(buf, bytes, "implementer %s part %s", midr, part);
	else
		snprintf(buf, bytes, "unknown");
}

void env_machine(struct result *r)
{
	char model[256], microcode[64], cpus[16];
	uint64_t hash = FNV_BASIS;
	bool has_microcode;
	struct utsname uts;
	long online;

	if (uname(&uts)) /* fails only for an invalid pointer */
		memset(&uts, 0, sizeof(uts));
	cpu_model(model, sizeof(model));
	has_microcode = env_read_key("", "/proc/cpuinfo", "microcode", microcode,
				     sizeof(microcode));
	online = sysconf(_SC_NPROCESSORS_ONLN);
	snprintf(cpus, sizeof(cpus), "%ld", online);

	hash = digest(hash, uts.machine);
	hash = digest(hash, model);
	hash = digest(hash, has_microcode ? microcode : "");
	hash = digest(hash, cpus);
	hash = digest(hash, env_is_guest("") == 1 ? "guest" : "host");

	r->machine.arch = result_string(r, uts.machine);
	r->machine.cpu_model = result_string(r, model);
	r->machine.microcode = result_string(r, has_microcode ? microcode : NULL);
	r->machine.cpus = online > 0 ? (uint32_t)online : 0;
	r->machine.fingerprint = result_format(r, "%016" PRIx64, hash);
}

void env_fingerprint_mix(struct result *r, const char *what)
{
	uint64_t hash =
		digest(FNV_BASIS, r->machine.fingerprint ? r->machine.fingerprint : "");

	r->machine.fingerprint = result_format(r, "%016" PRIx64, digest(hash, what));
}
