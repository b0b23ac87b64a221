/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of functions: equal, and alike. */
#include "host/explain/pair.h"

#include <string.h>

#include "host/explain/pair_rules.h"

/* The name in the source, and its length. */
static const char *stem(const char *name, size_t *bytes)
{
	static const char *const prefixes[] = { "__kvm_nvhe_", "__pi_" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t prefix = strlen(prefixes[i]);

		if (!strncmp(name, prefixes[i], prefix))
			name += prefix;
	}
	*bytes = strcspn(name, ".");
	return name;
}

bool explain_same_name(const char *a, const char *b)
{
	size_t n, m;
	const char *x = stem(a, &n), *y = stem(b, &m);

	return n == m && !memcmp(x, y, n);
}

/* The next word that says something, and its length; NULL: none. */
static const char *next_word(const char **at, const char *end, size_t *bytes)
{
	static const char *const common[] = { "kvm",   "svm", "vmx",	"vcpu", "arch",
					      "arm64", "x86", "get",	"set",	"is",
					      "has",   "to",  "handle", "do",	"load",
					      "put",   "pmu", "run",	"read", "write" };

	while (*at < end) {
		const char *word = *at;
		bool says = true;

		while (*at < end && **at != '_')
			(*at)++;
		*bytes = (size_t)(*at - word);
		if (*at < end)
			(*at)++;
		for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
			says &= strlen(common[i]) != *bytes ||
				memcmp(common[i], word, *bytes) != 0;
		if (*bytes && says)
			return word;
	}
	return NULL;
}

/* Of the words of `a`, those that are in `b`; `*words`: all of `a`. */
static size_t common_words(const char *a, size_t n, const char *b, size_t m,
			   size_t *words)
{
	const char *at = a, *word, *other;
	size_t bytes, length, common = 0;

	*words = 0;
	while ((word = next_word(&at, a + n, &bytes))) {
		const char *in = b;

		(*words)++;
		while ((other = next_word(&in, b + m, &length)))
			if (length == bytes && !memcmp(word, other, bytes))
				break;
		common += other != NULL;
	}
	return common;
}

double explain_name_likeness(const char *a, const char *b)
{
	size_t n, m, in_a, in_b;
	const char *x = stem(a, &n), *y = stem(b, &m);
	size_t common = common_words(x, n, y, m, &in_a);

	common_words(y, m, x, n, &in_b);
	return common ? (double)common / (double)(in_a + in_b - common) : 0;
}

bool pair_is_thunk(const char *name)
{
	return strstr(name, "thunk") || strstr(name, "safe_ret");
}
