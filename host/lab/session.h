/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One job on one booted machine: from the emulator's start to its end. */
#ifndef WS_LAB_SESSION_H
#define WS_LAB_SESSION_H

#include "host/lab/emulator.h"
#include "host/target/target.h"

/*
 * Starts the emulator and hands what comes over the wire to `sink`,
 * until the machine says that it is done, fails, says nothing for LAB_SILENCE_S
 * seconds, or `target_interrupted` is set. No process is left in any case.
 *
 *   label  for messages, such as "lab:aarch64-vhe"
 *
 * 0 if all that the machine sent has arrived, whatever its verdict on it was.
 * -EINTR, -ETIMEDOUT, -EBADMSG (what came over the wire makes no sense), -EIO (it
 * failed or crashed), or what a callback returned. `err` is one line, followed, where
 * the machine never answered or died, by the last lines of its console.
 */
#define LAB_SILENCE_S 120
int lab_session_run(const char *label, const struct lab_command *cmd,
		    const struct target_sink *sink, struct target_error *err);

#endif
