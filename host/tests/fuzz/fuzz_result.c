/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Result documents: everything that reads one. The input is the text. */
#include "host/tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { "" };
	struct result *r;

	if (result_parse((const char *)data, size, &r, &err)) {
		FUZZ_CHECK(*err.text && !r, "a refused document");
		return 0;
	}
	fuzz_use_result(r, true);
	result_free(r);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int seed)
{
	return fuzz_mutate_json(data, size, room, seed);
}
