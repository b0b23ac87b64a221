/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions that the guest raises on purpose. */
#ifndef WS_BENCH_FIXUP_H
#define WS_BENCH_FIXUP_H

/*
 * Assembly between two local labels that may raise an exception on purpose:
 * the vectors find the faulting instruction at `insn` and go on at `resume`,
 * counting one fault. Both are labels such as "1b" and "2f".
 */
#define BODY_FIXUP(insn, resume)                                                         \
	".pushsection .fixup, \"a\"\n\t"                                                 \
	".quad " insn ", " resume "\n\t"                                                 \
	".popsection\n\t"

#endif
