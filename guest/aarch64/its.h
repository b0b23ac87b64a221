/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupt translation service, for one event of one device (Arm IHI 0069, chapter
 * 5).
 */
#ifndef WS_GUEST_AARCH64_ITS_H
#define WS_GUEST_AARCH64_ITS_H

#include <stdbool.h>
#include <stdint.h>

/* GITS_CWRITER: a store makes the ITS process its queue up to there. */
#define ITS_CWRITER_GPA (ABI_AARCH64_GITS_GPA + 0x88)

#define ITS_COMMAND_BYTES 32u
#define ITS_QUEUE_BYTES	  0x10000u

/*
 * After gic_init(): sets up tables, queue, and an event that raises an LPI of this CPU.
 * Then every command in the queue is an INT of that event: each step of CWRITER by
 * ITS_COMMAND_BYTES, modulo ITS_QUEUE_BYTES, raises the LPI once. `cwriter` returns the
 * current value. false: no ITS, or the ITS does not process the commands.
 */
bool its_init(uint32_t *cwriter);

#endif
