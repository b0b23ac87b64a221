/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether files of the cache are intact: the records that scripts/sums.sh makes. */
#ifndef WS_TARGETS_LAB_SUMS_H
#define WS_TARGETS_LAB_SUMS_H

#include <stdbool.h>

#include "host/lib/error.h"

enum lab_files {
	LAB_FILES_RECORDED,
	LAB_FILES_TOUCHED, /* only the checksums can tell */
	LAB_FILES_DAMAGED,
};

/*
 * The files of a record in `folder`, as far as size and time show it. A copy of a cache
 * is touched: it can have other times. So is what has not been compared with its
 * checksums since this machine was started, by the file `checked`: a power failure leaves
 * sizes and times of contents that were not written, and a disk may lose some.
 */
enum lab_files lab_files_check(const char *folder, const char *record,
			       const char *checked);

/*
 * Whether an emulator is intact: any, by its ELF header and size; one of the folder of
 * emulator.sh, by its record, too. The script compares the checksums once after each
 * start of the machine, or if `compare`. 0; -EBADMSG: damaged, with the command that
 * replaces it; -EINTR.
 */
int lab_emulator_verify(const char *program, bool compare, struct error *err);

#endif
