/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From C values to JSON text, by their layout. For host/result/ alone. */
#ifndef WS_RESULT_DUMP_H
#define WS_RESULT_DUMP_H

struct layout;

/* As result_dump() has it, for any document. */
char *dump_document(const struct layout *layout, const void *base);

#endif
