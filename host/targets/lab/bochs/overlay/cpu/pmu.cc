/////////////////////////////////////////////////////////////////////////
//
//   SPDX-License-Identifier: LGPL-2.1-or-later
//
//   The counters of the PMU: see pmu.h
//
/////////////////////////////////////////////////////////////////////////

#define NEED_CPU_REG_SHORTCUTS 1
#include "bochs.h"
#include "cpu.h"
#include "cpuid.h"
#include "pc_system.h"

bx_pmu_c *bx_pmu_create(BX_CPU_C *cpu)
{
  cpuid_function_t leaf;

  cpu->cpuid->get_cpuid_leaf(0, 0, &leaf);
  if (leaf.ebx == 0x756e6547) // "Genu"
    return bx_pmu_create_intel(cpu);
  if (leaf.ebx == 0x68747541) // "Auth"
    return bx_pmu_create_amd(cpu);
  return NULL;
}

bx_pmu_source bx_pmu_c::filtered(bx_pmu_source source, bx_pmu_source inverted_source,
                                 unsigned threshold, bool inverted, bool edge)
{
  if (edge)
    return source == BX_PMU_CYCLES && threshold <= 1 && ! inverted ? BX_PMU_WAKES : BX_PMU_NOTHING;
  if (threshold > 1) return inverted ? BX_PMU_CYCLES : BX_PMU_NOTHING;
  return inverted ? inverted_source : source;
}

bx_pmu_c::bx_pmu_c(BX_CPU_C *cpu_, unsigned n_counters_, unsigned width):
  cpu(cpu_), n_counters(n_counters_), mask((BX_CONST64(1) << width) - 1)
{
  timer_handle = bx_pc_system.register_timer_ticks(this, timer, 1, 0, 0, "pmu");
}

void bx_pmu_c::reset(void)
{
  bx_pc_system.deactivate_timer(timer_handle);
  memset(counters, 0, sizeof(counters));
  memset(&cpu->pmu_steps, 0, sizeof(cpu->pmu_steps));
  last_clock = clock();
  last_instructions = cpu->icount;
  last_branches = last_halts = 0;
}

// The ticks of the clock, which stands still in HLT and MWAIT.
Bit64u bx_pmu_c::unhalted_ticks(void) const
{
  return (cpu->pmu_steps.halting ? cpu->pmu_steps.halted_at : bx_pc_system.time_ticks()) -
         cpu->pmu_steps.halted;
}

// The PMU's levels are two (SDM vol. 3B, 20.2.1.1): OS is 0, USR are 1 to 3.
bool bx_pmu_c::is_user(void) const
{
  return cpu->sregs[BX_SEG_REG_CS].selector.rpl != 0;
}

// Cycles. The ticks of the clock lack the instructions of the current trace.
Bit64u bx_pmu_c::clock(void) const
{
  Bit64u ticks = unhalted_ticks();

#if BX_SUPPORT_HANDLERS_CHAINING_SPEEDUPS
  ticks += cpu->icount - cpu->icount_last_sync;
#endif
  return ticks;
}

bool bx_pmu_c::counts(const struct bx_pmu_counter *c) const
{
  return c->enabled && c->source != BX_PMU_NOTHING && (user ? c->user : c->os);
}

void bx_pmu_c::sync(bool retired)
{
  if (cpu->pmu_steps.exiting) retired = false;
  Bit64u now = clock() + retired, delta[BX_PMU_SOURCES];
  Bit64u instructions = cpu->icount + retired - cpu->pmu_steps.nonretired;
  Bit32u overflows = 0;

  // An earlier sync() has already counted the instruction that is executing.
  if (Bit64s(now - last_clock) <= 0) return;

  delta[BX_PMU_NOTHING] = 0;
  delta[BX_PMU_CYCLES] = now - last_clock;
  delta[BX_PMU_INSTRUCTIONS] = instructions - last_instructions;
  if (Bit64s(delta[BX_PMU_INSTRUCTIONS]) < 0) {
    // that instruction has not retired after all: a failed VM entry
    delta[BX_PMU_INSTRUCTIONS] = 0;
    instructions = last_instructions;
  }
  delta[BX_PMU_BRANCHES] = cpu->pmu_steps.branches - last_branches;
  delta[BX_PMU_NO_INSTRUCTION] = delta[BX_PMU_CYCLES] - delta[BX_PMU_INSTRUCTIONS];
  delta[BX_PMU_NO_BRANCH] = delta[BX_PMU_CYCLES] - delta[BX_PMU_BRANCHES];
  delta[BX_PMU_WAKES] = cpu->pmu_steps.halts - last_halts;
  last_clock = now;
  last_instructions = instructions;
  last_branches = cpu->pmu_steps.branches;
  last_halts = cpu->pmu_steps.halts;

  for (unsigned n = 0; n < n_counters; n++) {
    struct bx_pmu_counter *c = &counters[n];

    if (! counts(c)) continue;
    c->value += delta[c->source];
    if (c->value > mask) {
      c->value &= mask;
      overflows |= 1u << n;
    }
  }
  if (overflows) overflowed(overflows);
}

void bx_pmu_c::update(void)
{
  Bit64u soonest = mask + 1;
  bool armed = false;

  user = is_user();
  cpu->pmu_steps.by_level = false;
  for (unsigned n = 0; n < n_counters; n++) {
    const struct bx_pmu_counter *c = &counters[n];

    if (! c->enabled || c->source == BX_PMU_NOTHING) continue;
    if (c->os != c->user) cpu->pmu_steps.by_level = true;
    if (! counts(c) || ! c->interrupts) continue;
    armed = true;
    if (mask + 1 - c->value < soonest) soonest = mask + 1 - c->value;
  }
  // No source counts more often than once per cycle: the overflow is not before that, and
  // timer() calls again.
  if (armed) {
    Bit64s ticks = Bit64s(last_clock + soonest - unhalted_ticks());

    bx_pc_system.activate_timer_ticks(timer_handle, ticks > 0 ? ticks : 1, 0);
  }
  else {
    bx_pc_system.deactivate_timer(timer_handle);
  }
}

void bx_pmu_c::timer(void *this_)
{
  bx_pmu_c *pmu = (bx_pmu_c *) this_;

  pmu->sync(false);
  pmu->update();
}

void bx_pmu_c::level_changed(void)
{
  if (is_user() == user) return;
  sync(false);
  update();
}
