/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the CPU and the guest's clock kept in step through a boot. */
#include <math.h>
#include <stddef.h>

#include "host/measure/pace.h"

double pace_spread(const struct abi_report *guest)
{
	double least = INFINITY, most = 0;
	unsigned int i, n = 0;

	for (i = 0; i < ABI_PACES; i++) {
		double ticks = (double)guest->pace[i];

		if (!guest->pace[i])
			continue;
		least = fmin(least, ticks);
		most = fmax(most, ticks);
		n++;
	}
	return n < 2 ? NAN : most / least - 1;
}
