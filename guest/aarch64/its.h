/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupt translation service, as far as one event of one device needs it (Arm
 * IHI 0069, chapter 5).
 */
#ifndef WS_GUEST_AARCH64_ITS_H
#define WS_GUEST_AARCH64_ITS_H

#include <stdbool.h>
#include <stdint.h>

/* Where the ITS reads how far its queue is filled: a store makes it look. */
#define ITS_CWRITER_GPA (ABI_AARCH64_GITS_GPA + 0x88)

#define ITS_COMMAND_BYTES 32u
#define ITS_QUEUE_BYTES	  0x10000u

/*
 * After gic_init(): tables, queue, and an LPI of this CPU that an event raises. From
 * then on every command in the queue is an INT of that event: each step of CWRITER by
 * ITS_COMMAND_BYTES, modulo ITS_QUEUE_BYTES, raises it once. `cwriter` is where it
 * stands. false: there is no ITS, or it does not take the commands.
 */
bool its_init(uint32_t *cwriter);

#endif
