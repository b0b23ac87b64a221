/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of Criterion's interface that unit_threads.c uses, without Criterion, whose
 * test processes do not start under ThreadSanitizer. Runs all tests in one process.
 */
#ifndef WS_TESTS_PLAIN_TEST_H
#define WS_TESTS_PLAIN_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct plain_test {
	const char *name;
	void (*run)(void);
	struct plain_test *next;
};
static struct plain_test *plain_tests;
static bool plain_failed;

#define Test(suite, name, ...)                                                           \
	static void suite##_##name(void);                                                \
	__attribute__((constructor)) static void suite##_##name##_add(void)              \
	{                                                                                \
		static struct plain_test self = { #name, suite##_##name, NULL };         \
                                                                                         \
		self.next = plain_tests;                                                 \
		plain_tests = &self;                                                     \
	}                                                                                \
	static void suite##_##name(void)

#define plain_expect(condition, then)                                                    \
	do {                                                                             \
		if (condition)                                                           \
			break;                                                           \
		printf("# %s:%d: not so: %s\n", __FILE__, __LINE__, #condition);         \
		plain_failed = true;                                                     \
		then;                                                                    \
	} while (0)

/* Ignores the optional message of a failure. */
#define cr_expect(condition, ...) plain_expect(condition, )
#define cr_assert(condition, ...) plain_expect(condition, exit(1))
#define cr_expect_eq(a, b, ...)	  plain_expect((a) == (b), )
#define cr_assert_eq(a, b, ...)	  plain_expect((a) == (b), exit(1))

int main(void)
{
	const struct plain_test *t;
	int n = 0, failed = 0;

	for (t = plain_tests; t; t = t->next) {
		plain_failed = false;
		t->run();
		failed += plain_failed;
		printf("%s %d %s\n", plain_failed ? "not ok" : "ok", ++n, t->name);
	}
	printf("1..%d\n", n);
	return failed != 0;
}

#endif
