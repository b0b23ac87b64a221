/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two files of the PMU's self-test share. */
#ifndef WS_GUEST_X86_64_PMU_TEST_H
#define WS_GUEST_X86_64_PMU_TEST_H

/* A GDT with code of all privilege levels, a TSS, and RAM for CPL 3. */
void rings_init(void);

/* Runs `function` at a CPL of 1 to 3. It may raise exceptions of RUNTIME_FIXUP(). */
void ring_call(unsigned int cpl, void (*function)(void));

#endif
