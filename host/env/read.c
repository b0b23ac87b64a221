/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files of /proc and /sys. */
#include "host/env/read.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	/* An empty file is an answer too: that of /sys/.../isolated. */
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

/* Names that virtual machines give themselves in DMI's sys_vendor. */
static const char *const vendors[] = {
	"QEMU",	     "Amazon EC2", "Google",	    "Microsoft Corporation", "VMware",
	"innotek",   "Xen",	   "Alibaba Cloud", "OpenStack Foundation",  "Red Hat",
	"Parallels",
};

int env_is_guest(const char *root)
{
	char text[8192];

	/* x86 alone has the flag: KVM, VMX's and SVM's monitors all set it. */
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
