/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bochs: the memory of its machines, and the end of their clones. */
#ifndef WS_LAB_BOCHS_H
#define WS_LAB_BOCHS_H

#define BOCHS_MEMORY_MIB "256"

struct lab_base; /* session.h */

/* Ends a clone and waits for it. Its status, as waitpid() returns it. */
int lab_bochs_end(struct lab_base *base, int pid);

#endif
