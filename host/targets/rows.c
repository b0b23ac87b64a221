/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of rows.def, and its check against bench/catalogue.def. */
#include <string.h>

#include "host/targets/host_timed.h"
#include "host/targets/rows.h"
#include "host/targets/vm_setup.h"

#define A_DIFFERENCE "its figure is the difference of two runs"
#define A_BUDGET     "its figure is time beyond a budget"
#define TWO_THREADS  "two threads take turns in it"

#define HOST_TIMED(id_, function_, ...)                                                  \
	{ .id = #id_, .host_timed = function_, __VA_ARGS__ },
#define HOST_ROW(id_, ...) { .id = #id_, __VA_ARGS__ },

static const struct host_row rows[] = {
#include "host/targets/rows.def"
};

#undef HOST_TIMED
#undef HOST_ROW

/* Each host-timed row of the catalogue has one HOST_TIMED() row, and no other row has. */
enum {
#define BENCH(id_, group_, archs_, handled_by_, exits_, needs_, summary_)                \
	HOST_TIMED_##id_ = !!((needs_)&TIMED_BY_HOST),
#include "bench/catalogue.def"
#undef BENCH
	HOST_TIMED_BENCHES = 0
#define BENCH(id_, group_, archs_, handled_by_, exits_, needs_, summary_)                \
	+!!((needs_)&TIMED_BY_HOST)
#include "bench/catalogue.def"
#undef BENCH
};

/* An enumerator per row: two rows of one benchmark do not compile. */
enum {
#define HOST_TIMED(id_, ...) ROW_OF_##id_ = HOST_TIMED_##id_,
#define HOST_ROW(id_, ...)   ROW_OF_##id_ = HOST_TIMED_##id_,
#include "host/targets/rows.def"
#undef HOST_TIMED
#undef HOST_ROW
	HOST_TIMED_ROWS = 0
#define HOST_TIMED(id_, ...) +1
#define HOST_ROW(id_, ...)
#include "host/targets/rows.def"
#undef HOST_TIMED
#undef HOST_ROW
};

#define HOST_TIMED(id_, ...)                                                             \
	_Static_assert(HOST_TIMED_##id_,                                                 \
		       #id_ " lacks TIMED_BY_HOST in bench/catalogue.def");
#define HOST_ROW(id_, ...)                                                               \
	_Static_assert(!HOST_TIMED_##id_, #id_ " needs HOST_TIMED() in rows.def");
#include "host/targets/rows.def"

_Static_assert(
	(int)HOST_TIMED_ROWS == (int)HOST_TIMED_BENCHES,
	"a TIMED_BY_HOST row of bench/catalogue.def has no HOST_TIMED() in rows.def");

const struct host_row *host_row_find(const char *id)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].id, id))
			return &rows[i];
	return NULL;
}
