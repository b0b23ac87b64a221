/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the CPU and the guest's clock kept in step through a boot. They do not if the
 * CPU changes its frequency (DVFS, turbo, throttling), and then a boot's ticks are not
 * all of the same worth.
 */
#ifndef WS_MEASURE_PACE_H
#define WS_MEASURE_PACE_H

#include "bench/abi.h"

/*
 * The least of 20 loops varies by 0.1 % while the CPU keeps its frequency. Where that
 * moves, it moves in steps: by 2.6, 5.3, 7.9, 11, 14 % on the machine that this was tried
 * on (no guest, three looks 100 ms apart, other work on both CPUs): of 100 boots 24 saw
 * no step, 41 one, 35 more. One is everyday on a machine that is not tuned, and the
 * interval over the boots shows what it does to a figure; more is a boot to leave out.
 */
#define PACE_TOLERANCE 0.04

/*
 * How much longer the slowest of a boot's pace loops took than the fastest, less 1. NAN
 * where fewer than two were run.
 */
double pace_spread(const struct abi_report *guest);

#endif
