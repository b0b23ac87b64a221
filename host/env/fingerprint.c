/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which machine this is, and a digest of what makes two machines comparable. */
#include "host/env/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/env/read.h"
#include "host/result/result.h"

/* Fowler, Noll, Vo: FNV-1a, 64 bits. Any good hash would do; this one is short. */
#define FNV_BASIS 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

static uint64_t digest(uint64_t hash, const char *text)
{
	/* With its end, so that "ab" "c" is not "a" "bc". */
	do {
		hash = (hash ^ (unsigned char)*text) * FNV_PRIME;
	} while (*text++);
	return hash;
}

/* x86 names itself; arm64 has a number for it, of which /proc/cpuinfo has parts. */
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

	if (uname(&uts)) /* cannot fail but for a bad pointer */
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
