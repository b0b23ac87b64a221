/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the order of versions. */
#include <criterion/criterion.h>

#include "host/lib/text.h"

/* deb-version(7), and the examples of Debian policy 5.6.12. */
Test(version, versions_are_compared_as_dpkg_does)
{
	static const struct {
		const char *a, *b;
		int sign;
	} cases[] = {
		{ "6.12.113-1", "6.12.113-1", 0 },
		{ "6.12.113-1", "6.12.114-1", -1 },
		{ "6.12.9-1", "6.12.10-1", -1 },
		{ "6.12.115-1~bpo12+1", "6.12.115-1", -1 },
		{ "6.12.115-2", "6.12.115-1", 1 },
		{ "6.1.192-2", "6.12.1-1", -1 },
		{ "11.0.0~rc2+ds-1", "11.0.0+ds-1", -1 },
		{ "10.2.0+ds-1", "11.0.0~rc2+ds-1", -1 },
		{ "1.0~~", "1.0~~a", -1 },
		{ "1.0~~a", "1.0~", -1 },
		{ "1.0~", "1.0", -1 },
		{ "1.0", "1.0a", -1 },
		{ "1.0a", "1.0+", -1 },
		{ "010", "10", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int by = version_compare(cases[i].a, cases[i].b);

		cr_expect_eq((by > 0) - (by < 0), cases[i].sign, "%s %s: %d", cases[i].a,
			     cases[i].b, by);
		by = version_compare(cases[i].b, cases[i].a);
		cr_expect_eq((by > 0) - (by < 0), -cases[i].sign, "%s %s: %d", cases[i].b,
			     cases[i].a, by);
	}
}
