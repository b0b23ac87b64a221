/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reference data of other programs: host/tests/data, whose README names the sources. */
#ifndef WS_TESTS_REFERENCE_H
#define WS_TESTS_REFERENCE_H

#include <stdio.h>

#include <criterion/criterion.h>
#include <jansson.h>

/* The file `host/tests/data/` + `file`; the caller frees it. Tests run in the top folder.
 */
static inline json_t *reference(const char *file)
{
	char path[256];
	json_error_t error;
	json_t *root;

	snprintf(path, sizeof(path), "host/tests/data/%s", file);
	root = json_load_file(path, 0, &error);
	cr_assert(root, "%s: %s", path, error.text);
	return root;
}

#endif
