/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A payload of row hypercall that reads an ID register: KVM handles one exit of each
 * event. */
#include "bench/body.h"

BODY_PAIR(other_exit, "", "mrs x0, id_aa64pfr0_el1", ::: "x0", "memory")
BODY_ROW(other_exit);

#define BODY_PAGE "bench/body.h"
#define BODY_ID	  other_exit
#include "guest/sample.c"
