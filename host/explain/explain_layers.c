/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Summing up layers. */
#include "host/explain/explain_layers.h"

#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"

static int by_insns(const void *a, const void *b)
{
	const struct explain_layer *x = a, *y = b;

	if (x->insns != y->insns)
		return (x->insns < y->insns) - (x->insns > y->insns);
	return strcmp(x->name, y->name);
}

size_t explain_layers(const struct explanation *e, struct explain_layer **layers)
{
	struct explain_layer *list = calloc(e->n_functions + 1, sizeof(*list));
	size_t n = 0, i, k;

	if (!list)
		abort();
	for (i = 0; i < e->n_functions; i++) {
		for (k = 0; k < n && strcmp(list[k].name, e->functions[i].layer); k++)
			;
		if (k == n)
			list[n++].name = e->functions[i].layer;
		list[k].insns += e->functions[i].insns;
	}
	qsort(list, n, sizeof(*list), by_insns);
	*layers = list;
	return n;
}
