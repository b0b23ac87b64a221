/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vCPU's states and the transitions between them. */
#include <inttypes.h>

#include "host/vmm/state.h"

static const char *const names[VCPU_STATES] = {
	[VCPU_IDLE] = "Idle",
	[VCPU_RUNNING] = "Running",
	[VCPU_RUNNING_SERVICE] = "RunningService",
	[VCPU_RUNNING_MMIO_PENDING] = "RunningMMIOPending",
	[VCPU_RUNNING_SERVICE_COMPLETION] = "RunningServiceCompletion",
};

const char *state_name(enum vcpu_state state)
{
	return state < VCPU_STATES ? names[state] : "?";
}

void state_trace_print(const struct state_trace *trace, FILE *out)
{
	int from, to;

	for (from = 0; from < VCPU_STATES; from++)
		for (to = 0; to < VCPU_STATES; to++)
			if (trace->taken[from][to])
				fprintf(out, "%-24s -> %-24s %10" PRIu64 "\n",
					names[from], names[to], trace->taken[from][to]);
}
