/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The class of a figure: what the measured operation does, as observed.
 *
 * Who handles the exit, whether the guest takes an exception instead of a value, and
 * how many exits an event causes. Two figures of different classes are the costs of two
 * different things: their difference is a change of behaviour, not of cost.
 */
#ifndef WS_RESULT_CLASS_H
#define WS_RESULT_CLASS_H

#include <stdbool.h>
#include <stddef.h>

struct result_benchmark;

struct result_class {
	/* "none", "hardware", "kernel", "user", "fault"; NULL or "unknown": unknown */
	const char *handled_by;
	double exits; /* per event; NAN: not counted */
};

struct result_class result_class_of(const struct result_benchmark *b);
bool result_class_is_known(const struct result_class *c);

/*
 * Whether two classes differ; never where one of them is unknown. Exits per event differ
 * from half an exit on: where KVM exits now and then (HANDLED_AT_MOST), their number
 * varies. Below that, "none" and "kernel" are the same.
 */
bool result_class_differs(const struct result_class *a, const struct result_class *b);

/* Of two that differ: "handled by kernel, now by user", "exits per event: 1, now 3". */
void result_class_change(const struct result_class *was, const struct result_class *now,
			 char *text, size_t bytes);

#endif
