/////////////////////////////////////////////////////////////////////////
//
//   SPDX-License-Identifier: LGPL-2.1-or-later
//
//   Performance monitoring. bx_pmu_c counts; a class derived from it has the
//   registers of a vendor (pmu_intel.cc, pmu_amd.cc).
//
//   Nothing is counted while instructions execute. A step of the CPU is a tick
//   of the clock and, unless it retires nothing (a fault, a VM exit, an iteration
//   of REP), an instruction. The CPU records the exceptions in bx_pmu_steps, and
//   sync() computes what counters have counted since the last sync(): when a
//   register is accessed, when the privilege level changes, and when the timer
//   of the next overflow fires.
//
//   Not implemented: more than one CPU, save and restore of Bochs' state, caches,
//   branch prediction, PEBS, LBR.
//
/////////////////////////////////////////////////////////////////////////

#ifndef BX_PMU_H
#define BX_PMU_H

class BX_CPU_C;

// What the CPU records. All counts are since reset.
struct bx_pmu_steps {
  Bit64u nonretired; // steps of icount that retired no instruction
  Bit64u branches;   // retired
  Bit64u halted;     // ticks of the clock during HLT and MWAIT
  Bit64u halts;
  Bit64u halted_at;  // the clock at the begin of the ticks that `halted` lacks
  bool halting;      // such ticks are elapsing
  bool exiting;      // by a VM exit, which retires no instruction
  bool by_level;     // what is counted depends on the privilege level
};

// What a counter counts.
enum bx_pmu_source {
  BX_PMU_NOTHING,
  BX_PMU_CYCLES,            // unhalted. Also reference cycles, and slots: one per cycle
  BX_PMU_INSTRUCTIONS,
  BX_PMU_BRANCHES,
  BX_PMU_NO_INSTRUCTION,    // cycles without
  BX_PMU_NO_BRANCH,
  BX_PMU_WAKES,             // cycles that begin after a halt
  BX_PMU_SOURCES
};

struct bx_pmu_counter {
  Bit64u value;
  bx_pmu_source source;
  bool os, user;            // privilege levels
  bool enabled;
  bool interrupts;          // on overflow
};

#define BX_PMU_COUNTERS_MAX 16

class bx_pmu_c {
public:
  bx_pmu_c(BX_CPU_C *cpu, unsigned n_counters, unsigned width);
  virtual ~bx_pmu_c() {}
  virtual void reset(void);

  // 1: done, 0: not a register of the PMU, -1: #GP
  virtual int rdmsr(Bit32u index, Bit64u *value) = 0;
  virtual int wrmsr(Bit32u index, Bit64u value) = 0;
  virtual bool rdpmc(Bit32u index, Bit64u *value) = 0; // false: #GP

  // By VM entry and VM exit. `retired`: by an instruction, which the old values count.
  virtual bool is_valid_global_ctrl(Bit64u) const { return true; }
  virtual Bit64u get_global_ctrl(void) const { return 0; }
  virtual void set_global_ctrl(Bit64u, bool) {}
  virtual bool is_valid_debugctl(Bit64u) const { return true; }
  virtual Bit64u get_debugctl(void) const { return 0; }
  virtual void set_debugctl(Bit64u, bool) {}

  // The CPU has entered or left a guest of SVM, or EFER has changed.
  virtual void mode_changed(bool) {}

  // The CPU's privilege level may have changed. The instruction that changed it counts at the new one.
  void level_changed(void);

protected:
  // Counts until here; `retired`: including the instruction that is executing.
  void sync(bool retired);
  // After a change of `counters`: what counts from here on, and the next overflow.
  void update(void);
  // Counters that have overflowed, as bits. update() follows.
  virtual void overflowed(Bit32u counters) = 0;

  // What a counter with these filters counts. Sources occur at most once per cycle: a
  // threshold of 1 changes nothing, a greater one is never reached.
  static bx_pmu_source filtered(bx_pmu_source source, bx_pmu_source inverted_source,
                                unsigned threshold, bool inverted, bool edge);

  BX_CPU_C *cpu;
  const unsigned n_counters;
  const Bit64u mask;        // of a counter's value
  struct bx_pmu_counter counters[BX_PMU_COUNTERS_MAX];

private:
  Bit64u unhalted_ticks(void) const;
  Bit64u clock(void) const;
  bool is_user(void) const;
  bool counts(const struct bx_pmu_counter *c) const;
  static void timer(void *pmu);

  bool user;                // privilege level since the last update(): not 0
  Bit64u last_clock, last_instructions, last_branches, last_halts; // of sync()
  int timer_handle;
};

// NULL: the CPU model has no PMU
bx_pmu_c *bx_pmu_create(BX_CPU_C *cpu);
bx_pmu_c *bx_pmu_create_intel(BX_CPU_C *cpu);
bx_pmu_c *bx_pmu_create_amd(BX_CPU_C *cpu);

#endif
