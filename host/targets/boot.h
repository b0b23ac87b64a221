/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the targets that boot payloads themselves have in common. */
#ifndef WS_TARGET_BOOT_H
#define WS_TARGET_BOOT_H

#include "host/lib/error.h"
#include "host/targets/target.h"

/*
 * Copies what the payload left in `ram` (ABI_RAM_BYTES of guest memory) into
 * `rep`, believing nothing: sets rep->outcome to BOOT_DONE if the report is
 * whole and holds exactly the samples that were asked for, otherwise to
 * BOOT_CRASH or BOOT_SKIP with the reason. The guest must not run any more.
 */
void boot_harvest(const uint8_t *ram, const struct boot_request *rq,
		  struct boot_report *rep);

/* Whether a guest that did not end in time sleeps: boot_harvest() then says so. */
bool boot_sleeps(const uint8_t *ram);

/*
 * The part of it that does not look at samples: copies the report to `guest` and tells
 * whether the guest is done. If not, sets rep's outcome and reason.
 */
bool boot_is_done(const uint8_t *ram, struct abi_report *guest, struct boot_report *rep);

/* "event"; of any number that a guest can name. */
const char *boot_phase_name(uint32_t phase);

/* Sets the outcome and its reason. */
void boot_end(struct boot_report *rep, enum boot_outcome outcome, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * What an error of ops->boot becomes. The row is skipped if a system call or an ioctl
 * failed with an errno that says that it cannot be done here, and the reason names both;
 * any other error of the row fails the row. Both return 0, and other rows can go on.
 * Returns `rc` where no row can: out of memory, interrupted, a bad payload, or the target
 * is lost. Frees what `rep` holds after an error.
 */
int boot_settle(struct boot_report *rep, int rc, const struct error *err);

/* Empty, with nothing counted. */
void boot_report_init(struct boot_report *rep);

int error_set(struct error *e, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
