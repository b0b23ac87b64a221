/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What about this machine disturbs a measurement: looked at, never changed.
 */
#ifndef WS_ENV_CHECKS_H
#define WS_ENV_CHECKS_H

struct result;

/*
 * Adds one check per known source of noise to `r`, and whether `wsbench env tune` is
 * in force. What cannot be read is "unknown".
 */
void env_checks(struct result *r);

/* The same with `root` before every path, for tests. */
void env_checks_below(struct result *r, const char *root);

#endif
