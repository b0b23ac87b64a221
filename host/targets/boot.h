/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What targets share: the check of a payload's report, and errors of boots. */
#ifndef WS_TARGETS_BOOT_H
#define WS_TARGETS_BOOT_H

#include "host/lib/error.h"
#include "host/targets/target.h"

/*
 * Copies the payload's report and samples from `ram` (ABI_RAM_BYTES of guest memory, not
 * trusted) into `rep`. rep->outcome becomes BOOT_DONE if the report is complete and has
 * exactly the requested samples, otherwise BOOT_CRASH or BOOT_SKIP with the reason. The
 * guest must have stopped.
 */
void boot_harvest(const uint8_t *ram, const struct boot_request *rq,
		  struct boot_report *rep);

/* Whether a guest that reached the time limit sleeps: boot_harvest() gives the reason. */
bool boot_sleeps(const uint8_t *ram);

/*
 * boot_harvest() without the samples: copies the report to `guest` and returns whether
 * the guest is done. If not, sets rep's outcome and reason.
 */
bool boot_is_done(const uint8_t *ram, struct abi_report *guest, struct boot_report *rep);

/* "event"; of any number that a guest can name. */
const char *boot_phase_name(uint32_t phase);

/* Sets the outcome and its reason. */
void boot_end(struct boot_report *rep, enum boot_outcome outcome, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Converts an error of ops->boot to an outcome. A system call or an ioctl that the
 * kernel, the machine or the user does not permit skips the row; any other error fails
 * the row. Both return 0: the run continues. Returns `rc` for errors that end the run:
 * out of memory, interrupted, a bad payload, or a lost target. Frees `rep` after an
 * error.
 */
int boot_settle(struct boot_report *rep, int rc, const struct error *err);

/* The limit of a boot, by the clock of the machine that runs it. */
static inline uint64_t boot_limit_ns(const struct boot_request *rq)
{
	return rq->timeout_ns / (rq->slowdown ? rq->slowdown : 1);
}

/* An empty report without counts. */
void boot_report_init(struct boot_report *rep);

/* The report of a boot as one block of bytes, in memory that the caller frees. 0 or
 * -ENOMEM. */
int boot_report_encode(const struct boot_report *rep, uint8_t **bytes, size_t *n);

/*
 * Decodes a block which is not trusted: every count is checked against
 * the size of the block. boot_report_free() it. 0, -EBADMSG, -ENOMEM.
 */
int boot_report_decode(const uint8_t *bytes, size_t n, struct boot_report *rep);

int error_set(struct error *e, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
