/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The images of payloads: built into this program, or from a file. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/abi.h"
#include "host/lib/error.h"
#include "host/targets/boot.h"
#include "host/targets/payload.h"
#include "host/targets/rows.h"

/* One per image; the Makefile writes the table (build/payloads.S) by .incbin. */
struct payload {
	const char *name; /* "x86_64/cpuid" */
	const char *start, *end;
};
extern const struct payload payload_table[];

static const char *const arch_names[ARCHS] = {
	[ARCH_X86_64] = "x86_64/",
	[ARCH_AARCH64] = "aarch64/",
};

const char *payload_of(const struct bench *row, enum arch arch)
{
	const struct host_row *host = host_row_find(row->id);

	if (host && host->host_timed)
		return host->payload[arch] ? host->payload[arch] : "host_timed";
	return row->needs & NEEDS_OPERAND ? row->group : row->id;
}

const void *payload_find(enum arch arch, const char *id, size_t *bytes)
{
	size_t prefix = strlen(arch_names[arch]);
	const struct payload *p;

	for (p = payload_table; p->name; p++) {
		if (strncmp(p->name, arch_names[arch], prefix) ||
		    strcmp(p->name + prefix, id))
			continue;
		*bytes = (size_t)(p->end - p->start);
		return p->start;
	}
	return NULL;
}

static const uint16_t elf_machines[ARCHS] = {
	[ARCH_X86_64] = EM_X86_64,
	[ARCH_AARCH64] = EM_AARCH64,
};

/* Checks format and architecture; vm_load() checks the rest. */
static int check(const char *path, enum arch arch, const void *image, size_t bytes,
		 struct error *err)
{
	Elf64_Ehdr header;

	if (bytes >= sizeof(header))
		memcpy(&header, image, sizeof(header));
	if (bytes < sizeof(header) || memcmp(header.e_ident, ELFMAG, SELFMAG) ||
	    header.e_ident[EI_CLASS] != ELFCLASS64)
		return error_set(err, -ENOEXEC, "payload %s is not a 64-bit ELF image",
				 path);
	if (header.e_machine != elf_machines[arch])
		return error_set(err, -ENOEXEC, "payload %s is not for %.*s", path,
				 (int)strcspn(arch_names[arch], "/"), arch_names[arch]);
	return 0;
}

int payload_read(const char *path, enum arch arch, void **image, size_t *bytes,
		 struct error *err)
{
	const size_t most = ABI_RAM_BYTES;
	FILE *f = fopen(path, "re");
	int rc = 0;

	if (!f)
		return error_set(err, -ENOEXEC, "cannot open payload %s: %m", path);
	*image = malloc(most + 1);
	if (!*image) {
		rc = error_set(err, -ENOMEM, "out of memory");
	} else {
		*bytes = fread(*image, 1, most + 1, f);
		if (ferror(f))
			rc = error_set(err, -ENOEXEC, "cannot read payload %s: %m", path);
		else if (*bytes > most)
			rc = error_set(err, -ENOEXEC,
				       "payload %s is larger than guest memory", path);
		else
			rc = check(path, arch, *image, *bytes, err);
	}
	fclose(f);
	if (rc) {
		free(*image);
		*image = NULL;
	}
	return rc;
}
