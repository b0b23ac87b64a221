/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wsbench run --touch`: the metrics of simulated caches in documents. */
#ifndef WS_CLI_RUN_TOUCH_H
#define WS_CLI_RUN_TOUCH_H

#include "host/cli/run.h"

/*
 * Records each measured row of a lab's document again and adds the metrics of
 * touch_metrics(). A row that cannot be recorded has a warning in the document.
 * CLI_FAILED if the lab failed.
 */
enum cli_exit touch_run(const struct run *run, struct result *r);

#endif
