/////////////////////////////////////////////////////////////////////////
//
//   SPDX-License-Identifier: LGPL-2.1-or-later
//
//   AMD's core performance counters (APM vol. 2, 13.2): the registers of PerfCtrExtCore
//   with their legacy aliases, and the global registers of performance monitoring
//   version 2, as CPUID leaf 0x80000022 of the CPU model has them. Not implemented, and
//   not in CPUID: the counters of the northbridge and of the L2 and L3 caches, LBR,
//   freezing on an interrupt, IBS.
//
/////////////////////////////////////////////////////////////////////////

#define NEED_CPU_REG_SHORTCUTS 1
#include "bochs.h"
#include "cpu.h"
#include "cpuid.h"
#include "apic.h"

enum {
  MSR_GLOBAL_STATUS = 0xc0000300,
  MSR_GLOBAL_CTL = 0xc0000301,
  MSR_GLOBAL_STATUS_CLR = 0xc0000302,
  MSR_GLOBAL_STATUS_SET = 0xc0000303,
  MSR_LEGACY_CTL0 = 0xc0010000, // of the first four counters
  MSR_LEGACY_CTR0 = 0xc0010004,
  MSR_CTL0 = 0xc0010200,        // PERF_CTL and PERF_CTR take turns
};

#define LEGACY_COUNTERS 4
#define COUNTER_BITS    48

#define CTL_EVENT       BX_CONST64(0x0000000f000000ff)
#define CTL_USER        (1 << 16)
#define CTL_OS          (1 << 17)
#define CTL_EDGE        (1 << 18)
#define CTL_INT         (1 << 20)
#define CTL_EN          (1 << 22)
#define CTL_INV         (1 << 23)
#define CTL_CNTMASK     24
#define CTL_GUEST       (BX_CONST64(1) << 40)
#define CTL_HOST        (BX_CONST64(1) << 41)
// A write neither sets reserved bits nor faults because of them, as on AMD's CPUs.
#define CTL_WRITABLE    BX_CONST64(0x0000030fffd7ffff)

#define CPUID_EXT1_ECX_PERFCTR_EXT_CORE (1 << 23)

class bx_pmu_amd_c : public bx_pmu_c {
public:
  bx_pmu_amd_c(BX_CPU_C *cpu, unsigned n): bx_pmu_c(cpu, n, COUNTER_BITS), counter_bits((1 << n) - 1) {}
  virtual void reset(void);
  virtual int rdmsr(Bit32u index, Bit64u *value);
  virtual int wrmsr(Bit32u index, Bit64u value);
  virtual bool rdpmc(Bit32u index, Bit64u *value);
  virtual void mode_changed(bool retired);

protected:
  virtual void overflowed(Bit32u overflows);

private:
  static bx_pmu_source source_of(Bit64u control);
  bool find(Bit32u index, unsigned *n, bool *is_counter) const;
  bool is_enabled_in_mode(Bit64u control) const;
  void configure(void);

  const Bit64u counter_bits;
  Bit64u control[BX_PMU_COUNTERS_MAX], global_ctl, global_status;
};

bx_pmu_c *bx_pmu_create_amd(BX_CPU_C *cpu)
{
  cpuid_function_t leaf;

  cpu->cpuid->get_cpuid_leaf(0x80000000, 0, &leaf);
  if (leaf.eax < 0x80000022) return NULL;
  cpu->cpuid->get_cpuid_leaf(0x80000001, 0, &leaf);
  if (! (leaf.ecx & CPUID_EXT1_ECX_PERFCTR_EXT_CORE)) return NULL;
  cpu->cpuid->get_cpuid_leaf(0x80000022, 0, &leaf);
  unsigned n = leaf.ebx & 0xf;
  if (! (leaf.eax & 1) || n < LEGACY_COUNTERS) return NULL;
  return new bx_pmu_amd_c(cpu, n);
}

void bx_pmu_amd_c::reset(void)
{
  bx_pmu_c::reset();
  memset(control, 0, sizeof(control));
  global_ctl = counter_bits;
  global_status = 0;
  configure();
}

// The events of all families from 17h on. Mispredicted branches (0xc3) are not among them:
// there is no branch prediction, and their counter stands still.
bx_pmu_source bx_pmu_amd_c::source_of(Bit64u control)
{
  static const struct {
    Bit16u event;
    bx_pmu_source source, inverted;
  } events[] = {
    { 0x76, BX_PMU_CYCLES, BX_PMU_NOTHING }, // not halted
    { 0xc0, BX_PMU_INSTRUCTIONS, BX_PMU_NO_INSTRUCTION },
    { 0xc2, BX_PMU_BRANCHES, BX_PMU_NO_BRANCH },
  };
  Bit64u select = control & CTL_EVENT;
  Bit16u event = Bit16u((select >> 24) | (select & 0xff));
  unsigned mask = unsigned(control >> CTL_CNTMASK) & 0xff;
  bool inverted = mask != 0 && (control & CTL_INV) != 0;

  for (unsigned n = 0; n < sizeof(events) / sizeof(events[0]); n++) {
    if (events[n].event != event) continue;
    return filtered(events[n].source, events[n].inverted, mask, inverted, (control & CTL_EDGE) != 0);
  }
  return BX_PMU_NOTHING;
}

// The bits of host and guest matter if EFER.SVME is set, as it always is in a guest; either
// bit without SVME stops the counter.
bool bx_pmu_amd_c::is_enabled_in_mode(Bit64u ctl) const
{
  if (! (ctl & (CTL_GUEST | CTL_HOST))) return true;
  if (! cpu->efer.get_SVME()) return false;
  return (ctl & (cpu->in_svm_guest ? CTL_GUEST : CTL_HOST)) != 0;
}

// The counters, by the registers.
void bx_pmu_amd_c::configure(void)
{
  for (unsigned n = 0; n < n_counters; n++) {
    struct bx_pmu_counter *c = &counters[n];

    c->source = source_of(control[n]);
    c->os = (control[n] & CTL_OS) != 0;
    c->user = (control[n] & CTL_USER) != 0;
    c->interrupts = (control[n] & CTL_INT) != 0;
    c->enabled = (control[n] & CTL_EN) != 0 && (global_ctl >> n & 1) && is_enabled_in_mode(control[n]);
  }
  update();
}

void bx_pmu_amd_c::mode_changed(bool retired)
{
  sync(retired);
  configure();
}

void bx_pmu_amd_c::overflowed(Bit32u overflows)
{
  bool interrupt = false;

  global_status |= overflows;
  for (unsigned n = 0; n < n_counters; n++)
    if (overflows >> n & 1) interrupt |= counters[n].interrupts;
#if BX_SUPPORT_APIC
  if (interrupt) cpu->lapic->perfmon_interrupt(false);
#endif
}

// The counter of an MSR, and whether the MSR is its PERF_CTR.
bool bx_pmu_amd_c::find(Bit32u index, unsigned *n, bool *is_counter) const
{
  if (index - MSR_CTL0 < 2 * n_counters) {
    *n = (index - MSR_CTL0) / 2;
    *is_counter = (index - MSR_CTL0) % 2 != 0;
    return true;
  }
  if (index - MSR_LEGACY_CTL0 < 2 * LEGACY_COUNTERS) {
    *n = (index - MSR_LEGACY_CTL0) % LEGACY_COUNTERS;
    *is_counter = index >= MSR_LEGACY_CTR0;
    return true;
  }
  return false;
}

int bx_pmu_amd_c::rdmsr(Bit32u index, Bit64u *value)
{
  unsigned n;
  bool is_counter;

  if (find(index, &n, &is_counter)) {
    sync(false);
    *value = is_counter ? counters[n].value : control[n];
    return 1;
  }
  switch (index) {
  case MSR_GLOBAL_STATUS:
    sync(false);
    *value = global_status;
    return 1;
  case MSR_GLOBAL_CTL:
    *value = global_ctl;
    return 1;
  case MSR_GLOBAL_STATUS_CLR:
  case MSR_GLOBAL_STATUS_SET:
    *value = 0;
    return 1;
  default:
    return 0;
  }
}

int bx_pmu_amd_c::wrmsr(Bit32u index, Bit64u value)
{
  unsigned n;
  bool is_counter;

  if (find(index, &n, &is_counter)) {
    sync(true);
    if (is_counter)
      counters[n].value = value & mask;
    else
      control[n] = value & CTL_WRITABLE;
    configure();
    return 1;
  }
  switch (index) {
  case MSR_GLOBAL_STATUS: // read-only: a write is ignored
    return 1;
  case MSR_GLOBAL_CTL:
    sync(true);
    global_ctl = value & counter_bits;
    configure();
    return 1;
  case MSR_GLOBAL_STATUS_CLR:
    sync(true);
    global_status &= ~value;
    update();
    return 1;
  case MSR_GLOBAL_STATUS_SET:
    sync(true);
    global_status |= value & counter_bits;
    update();
    return 1;
  default:
    return 0;
  }
}

bool bx_pmu_amd_c::rdpmc(Bit32u index, Bit64u *value)
{
  if (index >= n_counters) return false;
  sync(false);
  *value = counters[index].value;
  return true;
}
