/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words in which the tables of layout.h are written. For host/result/ alone. */
#ifndef WS_RESULT_LAYOUT_ROWS_H
#define WS_RESULT_LAYOUT_ROWS_H

#include "host/result/layout.h"

#define REQUIRED FIELD_REQUIRED
#define NULLABLE FIELD_NULLABLE
#define BOTH	 (FIELD_REQUIRED | FIELD_NULLABLE)

#define MEMBER(type, member)                                                             \
	.offset = offsetof(struct type, member),                                         \
	.bytes = sizeof(((struct type *)0)->member)
#define ROW(kind_, key_, flags_) .key = (key_), .kind = FIELD_##kind_, .flags = (flags_)

#define FIELD(kind, key, flags, type, member)                                            \
	{                                                                                \
		ROW(kind, key, flags), MEMBER(type, member)                              \
	}
/* An integer that is null where the member holds `unknown`. */
#define KNOWN(key, flags, type, member, unknown)                                         \
	{                                                                                \
		ROW(KNOWN, key, flags), MEMBER(type, member), .none = (unknown)          \
	}
/* A string or an enum that is one of a list. */
#define WORD(kind, key, type, member, list)                                              \
	{                                                                                \
		ROW(kind, key, REQUIRED), MEMBER(type, member), .words = (list)          \
	}
#define ARRAY(kind, key, type, member, element)                                          \
	{                                                                                \
		ROW(kind, key, REQUIRED), MEMBER(type, member),                          \
			.of = (element),                                                 \
			.count_offset = offsetof(struct type, n_##member)                \
	}
#define OBJECT(key, flags, type, member, layout)                                         \
	{                                                                                \
		ROW(OBJECT, key, flags), MEMBER(type, member), .of = (layout)            \
	}
/* A JSON object whose members lie in the surrounding struct itself. */
#define GROUP(key, flags, layout)                                                        \
	{                                                                                \
		ROW(OBJECT, key, flags), .of = (layout)                                  \
	}
/* The first two members of every document. */
#define NAMED(word)                                                                      \
	{                                                                                \
		ROW(SCHEMA, "schema", REQUIRED), .words = (word)                         \
	}
#define VERSIONED(version)                                                               \
	{                                                                                \
		ROW(VERSION, "schema_version", REQUIRED), .max = (version)               \
	}
#define END                                                                              \
	{                                                                                \
		.key = NULL                                                              \
	}

#endif
