/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which build of wsbench this is. */
#ifndef WS_CLI_VERSION_H
#define WS_CLI_VERSION_H

#include <stdbool.h>

const char *version_text(void);	  /* "0.2.0" */
const char *version_commit(void); /* abbreviated hash; "" if unknown */
bool version_dirty(void);	  /* built from a tree with uncommitted changes */

#endif
