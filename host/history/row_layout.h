/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a history's line lies in memory. For host/result/ alone. */
#ifndef WS_RESULT_ROW_LAYOUT_H
#define WS_RESULT_ROW_LAYOUT_H

#include "host/lib/error.h"
#include "host/history/row.h"

struct layout;

extern const struct layout layout_row;

/* The long way, by the JSON library: any order, any spacing, unknown members. */
int row_parse(struct row_names *names, const char *line, size_t bytes, struct row *out,
	      struct error *err);

#endif
