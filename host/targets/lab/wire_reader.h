/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receiving end of a lab's wire: bytes in, frames out.
 *
 * What comes in is not trusted. A frame is handed out only if its length is
 * within the limits and both checksums fit; everything else is skipped, byte by
 * byte, until a frame begins, and counted.
 */
#ifndef WS_LAB_WIRE_READER_H
#define WS_LAB_WIRE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "host/targets/lab/wire.h"

struct lab_reader {
	uint8_t *bytes; /* received, not yet consumed: [begin, end) */
	size_t begin, end, room;
	uint8_t *payload; /* of the frame handed out last */
	uint64_t frames;  /* handed out */
	uint64_t skipped; /* bytes that belong to no frame, after the first frame */
};

struct lab_frame {
	enum lab_frame_type type;
	/* Ends in a NUL that `size` does not count. Valid until the next call. */
	const uint8_t *payload;
	size_t size;
};

/* `r` is zeroed memory; lab_reader_free() in the end. */
int lab_reader_push(struct lab_reader *r, const void *bytes, size_t n); /* 0, -ENOMEM */

/*
 * The next frame: 1, or 0 where more bytes are needed, or -ENOMEM. `last` says that
 * no more will come: a frame that was cut off is then skipped like other damage,
 * and what follows its beginning is looked through for frames.
 */
int lab_reader_next(struct lab_reader *r, bool last, struct lab_frame *frame);

void lab_reader_free(struct lab_reader *r);

#endif
