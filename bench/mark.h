/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks: places in an image, by which `wsbench explain` recognises where a timed event
 * begins and ends.
 *
 * A mark is not an instruction but an address and a kind, in a section that is not
 * loaded: marks do not change how an image runs.
 */
#ifndef WS_BENCH_MARK_H
#define WS_BENCH_MARK_H

#define MARK_SECTION ".debug_ws_marks"

/* Reads of the clock. START and STOP open and close a timed region. */
#define MARK_CLOCK_START  1
#define MARK_CLOCK_STOP	  2
#define MARK_CLOCK_SHARED 3 /* of the clock that guest and host share */

/* The timed region that ended last was not an event: the body tries again. */
#define MARK_CLOCK_AGAIN 4

/* The shared clock as a run of a vCPU begins and ends. */
#define MARK_CLOCK_RUN 5
#define MARK_CLOCK_RAN 6

/* The first and the last sample of a phase are between these two. */
#define MARK_PHASE_BEGIN(phase) (0x100 + (phase))
#define MARK_PHASE_END(phase)	(0x200 + (phase))

/* An entry of the section. */
#define MARK_ENTRY_BYTES 16 /* two words of 64 bits: address, kind */

/*
 * `marked KIND, INSTRUCTION` in an asm statement emits the instruction and its mark. It
 * is one line, as the instruction alone would be, because the compiler estimates the
 * length of an asm statement by its lines.
 */
__asm__(".macro marked kind, insn:vararg\n\t"
	"771: .pushsection " MARK_SECTION "\n\t"
	".quad 771b, \\kind\n\t"
	".popsection\n\t"
	"\\insn\n\t"
	".endm");
#define MARK_START  "marked 1, "
#define MARK_STOP   "marked 2, "
#define MARK_SHARED "marked 3, "
#define MARK_AGAIN  "marked 4, "
#define MARK_RUN    "marked 5, "
#define MARK_RAN    "marked 6, "

/* As a statement: marks the next instruction. */
#define MARK_HERE(kind) __asm__ volatile("marked %c0," ::"i"(kind) : "memory")

#endif
