/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a harness on files and on the files in folders, without libFuzzer:
 *
 *	fuzz_wire [--mutate N] FILE|DIR...
 *
 * and prints the number of inputs. --mutate also runs N mutations of each input, which
 * are the same in each run. Before a mutation runs, it is written to the file `crash`,
 *which is removed at the end.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/lib/file.h"
#include "host/tests/fuzz/fuzz.h"

#define INPUT_MAX (1u << 20)

#pragma weak LLVMFuzzerCustomMutator

static uint32_t state = 1;
static size_t inputs, mutations;
static unsigned long times; /* --mutate */

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room)
{
	size_t at = size ? fuzz_random(&state) % size : 0;
	size_t n = 1 + fuzz_random(&state) % 8;

	switch (size ? fuzz_random(&state) % 4 : 3) {
	case 0: /* a bit */
		data[at] ^= (uint8_t)(1u << fuzz_random(&state) % 8);
		return size;
	case 1: /* a byte */
		data[at] = (uint8_t)fuzz_random(&state);
		return size;
	case 2: /* erased bytes */
		n = n < size - at ? n : size - at;
		memmove(data + at, data + at + n, size - at - n);
		return size - n;
	default: /* inserted bytes */
		if (n > room - size)
			return size;
		memmove(data + at + n, data + at, size - at);
		while (n--)
			data[at + n] = (uint8_t)fuzz_random(&state);
		return size + n;
	}
}

static void mutate(const char *text, size_t bytes)
{
	uint8_t *copy = malloc(2 * bytes + 4096);

	if (!copy)
		abort();
	for (unsigned long i = 0; i < times; i++) {
		size_t n = bytes, room = 2 * bytes + 4096;
		FILE *f;

		memcpy(copy, text, bytes);
		if (LLVMFuzzerCustomMutator)
			n = LLVMFuzzerCustomMutator(copy, n, room, fuzz_random(&state));
		else
			for (uint32_t k = 1 + fuzz_random(&state) % 4; k; k--)
				n = LLVMFuzzerMutate(copy, n, room);
		f = fopen("crash", "we");
		if (!f || fwrite(copy, 1, n, f) != n || fclose(f))
			abort();
		LLVMFuzzerTestOneInput(copy, n);
		mutations++;
	}
	free(copy);
}

static void run_file(const char *path)
{
	char *text;
	long bytes = file_read(path, INPUT_MAX, &text);
	uint8_t *exact;

	if (bytes < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror((int)-bytes));
		exit(2);
	}
	/* Of this size, so that the sanitizer sees an access behind the end. */
	exact = malloc(bytes ? (size_t)bytes : 1);
	if (!exact)
		abort();
	memcpy(exact, text, (size_t)bytes);
	LLVMFuzzerTestOneInput(exact, (size_t)bytes);
	inputs++;
	mutate((const char *)exact, (size_t)bytes);
	free(exact);
	free(text);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void run_path(const char *path)
{
	struct dirent **list;
	struct stat st;
	int n;

	if (stat(path, &st) || !S_ISDIR(st.st_mode)) {
		run_file(path);
		return;
	}
	n = scandir(path, &list, is_visible, alphasort);
	for (int i = 0; i < n; i++) {
		char inner[4096];

		snprintf(inner, sizeof(inner), "%s/%s", path, list[i]->d_name);
		run_file(inner);
		free(list[i]);
	}
	free(list);
}

int main(int argc, char **argv)
{
	int first = 1;

	if (argc > 2 && !strcmp(argv[1], "--mutate")) {
		times = strtoul(argv[2], NULL, 10);
		first = 3;
	}
	for (int i = first; i < argc; i++)
		run_path(argv[i]);
	if (mutations)
		remove("crash");
	printf("%zu inputs, %zu mutations\n", inputs, mutations);
	return inputs ? 0 : 2;
}
