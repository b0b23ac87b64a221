/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory that all machines in Bochs have, as its configuration spells it. */
#ifndef WS_LAB_BOCHS_H
#define WS_LAB_BOCHS_H

#define BOCHS_MEMORY_MIB "256"

#endif
