/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How everything in lab/ says what went wrong. */
#ifndef WS_LAB_FAIL_H
#define WS_LAB_FAIL_H

#include "host/targets/target.h"

/* Makes text from inside the machine fit to be shown: no control characters. */
void lab_printable(char *text);

#endif
