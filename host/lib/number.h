/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers for readers. */
#ifndef WS_LIB_NUMBER_H
#define WS_LIB_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* The size of any number that number_format() writes. */
#define NUMBER_BYTES 40

/*
 * Thousands are separated by commas; no decimals if the value is whole, otherwise one
 * if it is below 1,000 or `exact`. NAN: "?".
 */
void number_format(char buf[NUMBER_BYTES], double value, bool exact);

#endif
