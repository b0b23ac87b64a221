/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of accuracy.def as values, for the host. */
#include "bench/accuracy.h"

#include <stddef.h>

#define ACCURACY(id_, archs_, exits_, needs_, subject_, text_)                           \
	{ .id = "pmu_accuracy_" #id_, .subject = subject_ },

const struct accuracy_row accuracy_table[] = {
#include "bench/accuracy.def"
	{ .id = NULL },
};
