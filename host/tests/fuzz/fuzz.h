/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the harnesses share. A harness is one file fuzz_SUBJECT.c with libFuzzer's
 * LLVMFuzzerTestOneInput(), and LLVMFuzzerCustomMutator() where its inputs have a
 * structure. `make fuzz` links it with libFuzzer; replay.c runs it on files.
 */
#ifndef WS_TESTS_FUZZ_FUZZ_H
#define WS_TESTS_FUZZ_FUZZ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "host/result/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room,
			       unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);

/* A property that every input must have: prints the message and aborts. */
#define FUZZ_CHECK(condition, ...)                                                       \
	do {                                                                             \
		if (!(condition))                                                        \
			fuzz_failed(__FILE__, __LINE__, #condition, __VA_ARGS__);        \
	} while (0)
void fuzz_failed(const char *file, int line, const char *condition, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 4, 5)));

/* The input, read from its beginning; zeros follow its end. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};
void fuzz_get(struct fuzz_input *in, void *to, size_t bytes);
uint8_t fuzz_byte(struct fuzz_input *in);

/* A file with this content; its path is valid until the next call. */
const char *fuzz_file(const void *data, size_t bytes);

/* The next random number; *state is of a mutator, from its seed. */
uint32_t fuzz_random(uint32_t *state);

/* A stream that discards what is written. */
FILE *fuzz_sink(void);

/*
 * Passes a document through everything that reads documents: it is written and read back
 * equal, its figures are finite, all exports succeed or refuse it, it does not differ
 * from itself. With `print`, its tables, its report and the scripts of its pictures are
 * printed, too.
 */
void fuzz_use_result(const struct result *r, bool print);

/* The JSON of an input with one member, element or value changed. */
size_t fuzz_mutate_json(uint8_t *data, size_t size, size_t room, unsigned int seed);

#endif
