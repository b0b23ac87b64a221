/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What about this machine disturbs a measurement. */
#include "host/env/checks.h"

#include <dirent.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "host/env/read.h"
#include "host/result/result.h"

#define VALUE_MAX 256

enum check_form {
	FORM_LINE,    /* the value is the file's first line */
	FORM_CHOSEN,  /* the value stands in [brackets] among the others */
	FORM_PRESENT, /* good where it is not empty, whatever it says */
};

/* Rows of one id follow each other: the first whose file exists speaks. */
struct check {
	const char *id;
	const char *path; /* a glob: all files must agree */
	const char *good; /* the value hoped for; alternatives parted by '|' */
	enum check_form form;
};

#define CPU "/sys/devices/system/cpu/"
#define MM  "/sys/kernel/mm/"
#define KVM "/sys/module/kvm/parameters/"

static const struct check checks[] = {
	{ "cpufreq_governor", CPU "cpu[0-9]*/cpufreq/scaling_governor", "performance",
	  FORM_LINE },
	{ "turbo", CPU "intel_pstate/no_turbo", "1", FORM_LINE },
	{ "turbo", CPU "cpufreq/boost", "0", FORM_LINE },
	{ "smt", CPU "smt/active", "0", FORM_LINE },
	{ "transparent_hugepage", MM "transparent_hugepage/enabled", "madvise|never",
	  FORM_CHOSEN },
	{ "ksm", MM "ksm/run", "0", FORM_LINE },
	{ "nmi_watchdog", "/proc/sys/kernel/nmi_watchdog", "0", FORM_LINE },
	{ "halt_poll_ns", KVM "halt_poll_ns", "0", FORM_LINE },
	{ "isolated_cpus", CPU "isolated", "at least one", FORM_PRESENT },
};

static void add(struct result *r, const char *id, const char *value, const char *expected,
		const char *status)
{
	struct result_check *c = result_add_check(r);

	c->id = result_string(r, id);
	c->value = result_string(r, value);
	c->expected = result_string(r, expected);
	c->status = result_string(r, status);
}

/* "always [madvise] never" says madvise. */
static void keep_chosen(char *value)
{
	char *open = strchr(value, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close)
		return;
	*close = '\0';
	memmove(value, open + 1, strlen(open + 1) + 1);
}

static bool is_good(const struct check *c, const char *value)
{
	size_t len = strlen(value);

	if (c->form == FORM_PRESENT)
		return len > 0;
	for (const char *good = c->good; good; good = strchr(good, '|')) {
		good += *good == '|';
		if (strcspn(good, "|") == len && !strncmp(good, value, len))
			return true;
	}
	return false;
}

/* The first file's value, or the first that is not good. False: none to read. */
static bool read_value(const struct check *c, const char *root, char value[VALUE_MAX])
{
	char pattern[PATH_MAX], line[VALUE_MAX];
	bool any = false;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s%s", root, c->path);
	if (glob(pattern, 0, NULL, &found))
		return false;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (!env_read_line("", found.gl_pathv[i], line, sizeof(line)))
			continue;
		if (c->form == FORM_CHOSEN)
			keep_chosen(line);
		if (!any || (is_good(c, value) && !is_good(c, line)))
			snprintf(value, VALUE_MAX, "%s", line);
		any = true;
	}
	globfree(&found);
	return any;
}

/* All rows of one id, of which there are `n`. */
static void check_files(struct result *r, const struct check *c, size_t n,
			const char *root)
{
	char value[VALUE_MAX];

	for (size_t i = 0; i < n; i++) {
		if (!read_value(&c[i], root, value))
			continue;
		add(r, c->id, *value ? value : "none", c[i].good,
		    is_good(&c[i], value) ? "ok" : "warn");
		return;
	}
	add(r, c->id, NULL, c->good, "unknown");
}

static void check_guest(struct result *r, const char *root)
{
	int guest = env_is_guest(root);

	add(r, "guest",
	    guest < 0 ? NULL
	    : guest   ? "yes"
		      : "no",
	    "no",
	    guest < 0 ? "unknown"
	    : guest   ? "warn"
		      : "ok");
}

/* Which are on is neither good nor bad, but two runs must have the same. */
static void check_mitigations(struct result *r, const char *root)
{
	static const char folder[] = CPU "vulnerabilities";
	char pattern[PATH_MAX], line[VALUE_MAX], value[1024];
	size_t on = 0, off = 0, at = 0;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s%s/*", root, folder);
	if (glob(pattern, 0, NULL, &found)) {
		add(r, "mitigations", NULL, "recorded", "unknown");
		return;
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (!env_read_line("", found.gl_pathv[i], line, sizeof(line)))
			continue;
		if (!strncmp(line, "Mitigation", 10)) {
			on++;
			at += (size_t)snprintf(value + at, sizeof(value) - at, "%s%s",
					       at ? " " : "",
					       strrchr(found.gl_pathv[i], '/') + 1);
		}
		off += !strncmp(line, "Vulnerable", 10);
		if (at >= sizeof(value) - 64)
			break;
	}
	globfree(&found);
	add(r, "mitigations",
	    result_format(r, "%zu on%s%s, %zu vulnerable", on, on ? ": " : "",
			  on ? value : "", off),
	    "recorded", "ok");
}

void env_checks_below(struct result *r, const char *root)
{
	size_t n_checks = sizeof(checks) / sizeof(checks[0]);

	for (size_t i = 0, n; i < n_checks; i += n) {
		for (n = 1; i + n < n_checks; n++)
			if (strcmp(checks[i].id, checks[i + n].id))
				break;
		check_files(r, &checks[i], n, root);
	}
	check_guest(r, root);
	check_mitigations(r, root);
}

void env_checks(struct result *r)
{
	env_checks_below(r, "");
}
