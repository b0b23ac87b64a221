/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands below a table: legend, contexts, notes, warnings. */
#ifndef WS_CLI_TABLE_FOOT_H
#define WS_CLI_TABLE_FOOT_H

#include <stdio.h>

struct table_model;
#include "host/lib/grid.h"

void table_foot_print(FILE *f, const struct table_model *m,
		      const struct table_options *o);

#endif
