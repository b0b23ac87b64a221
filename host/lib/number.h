/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers for reading. */
#ifndef WS_VIEW_NUMBER_H
#define WS_VIEW_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* Room for any number that number_format() writes. */
#define NUMBER_BYTES 40

/*
 * Thousands separated by commas; no decimals where it is whole, else one if it is
 * below 1,000 or `exact`. NAN: "?".
 */
void number_format(char buf[NUMBER_BYTES], double value, bool exact);

#endif
