/////////////////////////////////////////////////////////////////////////
//
//   SPDX-License-Identifier: LGPL-2.1-or-later
//
//   The instrumentation module of worldswitch: counts retired branches for the
//   PMU (cpu/pmu.h), and records the instructions between two switches (trace.cc).
//
/////////////////////////////////////////////////////////////////////////

#ifndef BX_INSTRUMENT_H
#define BX_INSTRUMENT_H

class bxInstruction_c;

// All are false unless the machine is traced.
extern bool ws_trace_switches;  // look for switches in decoded instructions
extern bool ws_trace_recording; // between two switches
extern bool ws_trace_accesses;  // and the current instruction accesses memory

void ws_trace_decoded(bxInstruction_c *i, const Bit8u *bytes);
void ws_trace_insn(bxInstruction_c *i);
void ws_trace_access(Bit64u laddr, unsigned len, unsigned rw);

/* initialization/deinitialization of instrumentalization */
#define BX_INSTR_INIT_ENV()
#define BX_INSTR_EXIT_ENV()

/* simulation init, shutdown, reset */
#define BX_INSTR_INITIALIZE(cpu_id)
#define BX_INSTR_EXIT(cpu_id)
#define BX_INSTR_RESET(cpu_id, type)
#define BX_INSTR_HLT(cpu_id)
#define BX_INSTR_MWAIT(cpu_id, addr, len, flags)

/* called from command line debugger */
#define BX_INSTR_DEBUG_PROMPT()
#define BX_INSTR_DEBUG_CMD(cmd)

/* branch resolution */
#define BX_INSTR_CNEAR_BRANCH_TAKEN(cpu_id, branch_eip, new_eip) BX_CPU(cpu_id)->pmu_steps.branches++
#define BX_INSTR_CNEAR_BRANCH_NOT_TAKEN(cpu_id, branch_eip) BX_CPU(cpu_id)->pmu_steps.branches++
#define BX_INSTR_UCNEAR_BRANCH(cpu_id, what, branch_eip, new_eip) BX_CPU(cpu_id)->pmu_steps.branches++
#define BX_INSTR_FAR_BRANCH(cpu_id, what, prev_cs, prev_eip, new_cs, new_eip) BX_CPU(cpu_id)->pmu_steps.branches++

/* decoding completed */
#define BX_INSTR_OPCODE(cpu_id, i, opcode, len, is32, is64) \
  { if (ws_trace_switches) ws_trace_decoded((i), (opcode)); }

/* exceptional case and interrupt: their accesses to memory are not the instruction's */
#define BX_INSTR_EXCEPTION(cpu_id, vector, error_code) { ws_trace_accesses = false; }
#define BX_INSTR_INTERRUPT(cpu_id, vector) { ws_trace_accesses = false; }
#define BX_INSTR_HWINTERRUPT(cpu_id, vector, cs, eip) { ws_trace_accesses = false; }

/* TLB/CACHE control instruction executed */
#define BX_INSTR_CLFLUSH(cpu_id, laddr, paddr)
#define BX_INSTR_CACHE_CNTRL(cpu_id, what)
#define BX_INSTR_TLB_CNTRL(cpu_id, what, new_cr3)
#define BX_INSTR_PREFETCH_HINT(cpu_id, what, seg, offset)

/* execution */
#define BX_INSTR_BEFORE_TRACE(cpu_id, i) { if (ws_trace_recording) ws_trace_insn(i); }
#define BX_INSTR_BEFORE_EXECUTION(cpu_id, i)
#define BX_INSTR_AFTER_EXECUTION(cpu_id, i)
#define BX_INSTR_REPEAT_ITERATION(cpu_id, i)

/* linear memory access */
#define BX_INSTR_LIN_ACCESS(cpu_id, lin, phy, len, memtype, rw) \
  { if (ws_trace_accesses) ws_trace_access((lin), (len), (rw)); }

/* physical memory access */
#define BX_INSTR_PHY_ACCESS(cpu_id, phy, len, memtype, rw)

/* feedback from device units */
#define BX_INSTR_INP(addr, len)
#define BX_INSTR_INP2(addr, len, val)
#define BX_INSTR_OUTP(addr, len, val)

/* wrmsr callback */
#define BX_INSTR_WRMSR(cpu_id, addr, value)

/* vmexit callback */
#define BX_INSTR_VMEXIT(cpu_id, reason, qualification)

#endif
