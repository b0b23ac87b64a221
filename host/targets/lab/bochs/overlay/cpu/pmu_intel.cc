/////////////////////////////////////////////////////////////////////////
//
//   SPDX-License-Identifier: LGPL-2.1-or-later
//
//   Intel's architectural performance monitoring, versions 2 to 5 (SDM vol. 3B,
//   chapter 20), as CPUID leaf 0xA of the CPU model has it. Registers of what a
//   model does not have (PEBS, LBR, performance metrics) cause #GP.
//
/////////////////////////////////////////////////////////////////////////

#define NEED_CPU_REG_SHORTCUTS 1
#include "bochs.h"
#include "cpu.h"
#include "cpuid.h"
#include "msr.h"
#include "apic.h"

// MSRs that msr.h does not name
enum {
  MSR_MISC_ENABLE = 0x1a0,
  MSR_OFFCORE_RSP0 = 0x1a6,
  MSR_LBR_SELECT = 0x1c8,
  MSR_PERF_METRICS = 0x329,
  MSR_PERF_CAPABILITIES = 0x345,
  MSR_GLOBAL_STATUS = 0x38e,
  MSR_GLOBAL_STATUS_RESET = 0x390,
  MSR_GLOBAL_STATUS_SET = 0x391,
  MSR_GLOBAL_INUSE = 0x392,
  MSR_PEBS_ENABLE = 0x3f1,
  MSR_PEBS_FRONTEND = 0x3f7,
  MSR_A_PMC0 = 0x4c1,
  MSR_DS_AREA = 0x600,
  MSR_LBR_FROM0 = 0x680,
  MSR_LBR_TO_LAST = 0x6df,
  MSR_LBR_INFO0 = 0xdc0,
  MSR_LBR_INFO_LAST = 0xddf,
  MSR_ARCH_LBR_CTL = 0x14ce,
  MSR_ARCH_LBR_LAST = 0x14cf
};

#define PERFEVTSEL_USER   (1 << 16)
#define PERFEVTSEL_OS     (1 << 17)
#define PERFEVTSEL_EDGE   (1 << 18)
#define PERFEVTSEL_INT    (1 << 20)
#define PERFEVTSEL_ANY    (1 << 21)
#define PERFEVTSEL_EN     (1 << 22)
#define PERFEVTSEL_INV    (1 << 23)
#define PERFEVTSEL_CMASK  24

#define FIXED_OS   1
#define FIXED_USER 2
#define FIXED_ANY  4
#define FIXED_INT  8

#define STATUS_FROZEN       (BX_CONST64(1) << 59) // CTR_FRZ
#define STATUS_OVF_BUFFER   (BX_CONST64(1) << 62)
#define STATUS_COND_CHANGED (BX_CONST64(1) << 63)
#define INUSE_INTERRUPT     (BX_CONST64(1) << 63)

#define DEBUGCTL_BTF            (1 << 1)  // stored, without effect
#define DEBUGCTL_FREEZE_PERFMON (1 << 12) // on an overflow's interrupt

#define FIXED_SHIFT 32 // of the fixed counters' bits in the global registers
#define FULL_WIDTH_WRITES (1 << 13)

class bx_pmu_intel_c : public bx_pmu_c {
public:
  bx_pmu_intel_c(BX_CPU_C *cpu, unsigned version, unsigned n_gp, unsigned n_fixed, unsigned width,
                 Bit32u absent, bool any);
  virtual void reset(void);
  virtual int rdmsr(Bit32u index, Bit64u *value);
  virtual int wrmsr(Bit32u index, Bit64u value);
  virtual bool rdpmc(Bit32u index, Bit64u *value);
  virtual bool is_valid_global_ctrl(Bit64u value) const { return (value & ~counter_bits) == 0; }
  virtual Bit64u get_global_ctrl(void) const { return global_ctrl; }
  virtual void set_global_ctrl(Bit64u value, bool retired);
  virtual bool is_valid_debugctl(Bit64u value) const;
  virtual Bit64u get_debugctl(void) const { return debugctl; }
  virtual void set_debugctl(Bit64u value, bool retired);

protected:
  virtual void overflowed(Bit32u overflows);

private:
  int counter_of(Bit32u index, bool *full_width) const;
  bx_pmu_source source_of(Bit32u select) const;
  Bit64u in_use(void) const;
  int write_status(Bit64u value, bool set);
  void configure(void);
  Bit64u bit_of(unsigned n) const { return BX_CONST64(1) << (n < n_gp ? n : FIXED_SHIFT + n - n_gp); }

  const unsigned version, n_gp, n_fixed;
  const Bit32u absent; // events, as EBX of CPUID leaf 0xA has them
  const bool any;      // there are AnyThread bits
  Bit64u counter_bits;
  Bit64u select[BX_PMU_COUNTERS_MAX], fixed_ctrl, global_ctrl, global_status, debugctl;
};

bx_pmu_c *bx_pmu_create_intel(BX_CPU_C *cpu)
{
  const char *model = cpu->cpuid->get_name();
  cpuid_function_t leaf;

  // Of other models, CPUID still reports what is not emulated.
  if (strcmp(model, "corei7_icelake_u") && strcmp(model, "corei7_skylake_x")) return NULL;
  cpu->cpuid->get_cpuid_leaf(0xa, 0, &leaf);
  unsigned version = leaf.eax & 0xff, n_gp = (leaf.eax >> 8) & 0xff, n_fixed = leaf.edx & 0x1f;
  // versions 0 and 1 have no global registers
  if (version < 2 || n_gp > 8 || n_gp + n_fixed > BX_PMU_COUNTERS_MAX) return NULL;
  Bit32u n_events = leaf.eax >> 24, absent = leaf.ebx | ~((1u << n_events) - 1);
  return new bx_pmu_intel_c(cpu, version, n_gp, n_fixed, (leaf.eax >> 16) & 0xff, absent,
                            version >= 3 && ! (leaf.edx & (1 << 15)));
}

bx_pmu_intel_c::bx_pmu_intel_c(BX_CPU_C *cpu_, unsigned version_, unsigned n_gp_, unsigned n_fixed_,
                               unsigned width, Bit32u absent_, bool any_):
  bx_pmu_c(cpu_, n_gp_ + n_fixed_, width), version(version_), n_gp(n_gp_), n_fixed(n_fixed_),
  absent(absent_), any(any_)
{
  counter_bits = 0;
  for (unsigned n = 0; n < n_counters; n++)
    counter_bits |= bit_of(n);
}

void bx_pmu_intel_c::reset(void)
{
  bx_pmu_c::reset();
  memset(select, 0, sizeof(select));
  fixed_ctrl = global_status = debugctl = 0;
  global_ctrl = (BX_CONST64(1) << n_gp) - 1;
  configure();
}

// The source of a PERFEVTSEL register.
bx_pmu_source bx_pmu_intel_c::source_of(Bit32u sel) const
{
  static const struct {
    Bit16u event;          // unit mask and event select
    Bit8u bit;             // in EBX of CPUID leaf 0xA
    bx_pmu_source source, inverted;
  } events[] = {
    { 0x003c, 0, BX_PMU_CYCLES, BX_PMU_NOTHING },
    { 0x00c0, 1, BX_PMU_INSTRUCTIONS, BX_PMU_NO_INSTRUCTION },
    { 0x013c, 2, BX_PMU_CYCLES, BX_PMU_NOTHING },
    { 0x00c4, 5, BX_PMU_BRANCHES, BX_PMU_NO_BRANCH },
    { 0x01a4, 7, BX_PMU_CYCLES, BX_PMU_NOTHING },
  };
  unsigned cmask = sel >> PERFEVTSEL_CMASK;
  bool inverted = cmask != 0 && (sel & PERFEVTSEL_INV) != 0;

  for (unsigned n = 0; n < sizeof(events) / sizeof(events[0]); n++) {
    if (events[n].event != (sel & 0xffff) || (absent >> events[n].bit & 1)) continue;
    return filtered(events[n].source, events[n].inverted, cmask, inverted, (sel & PERFEVTSEL_EDGE) != 0);
  }
  return BX_PMU_NOTHING;
}

// The counters, by the registers.
void bx_pmu_intel_c::configure(void)
{
  bool frozen = (global_status & STATUS_FROZEN) != 0;

  for (unsigned n = 0; n < n_counters; n++) {
    struct bx_pmu_counter *c = &counters[n];

    c->enabled = ! frozen && (global_ctrl & bit_of(n)) != 0;
    if (n < n_gp) {
      c->source = source_of(Bit32u(select[n]));
      c->os = (select[n] & PERFEVTSEL_OS) != 0;
      c->user = (select[n] & PERFEVTSEL_USER) != 0;
      c->enabled &= (select[n] & PERFEVTSEL_EN) != 0;
      c->interrupts = (select[n] & PERFEVTSEL_INT) != 0;
    }
    else {
      unsigned ctrl = unsigned(fixed_ctrl >> (4 * (n - n_gp))) & 0xf;

      // instructions, core cycles, reference cycles, slots
      c->source = n == n_gp ? BX_PMU_INSTRUCTIONS : BX_PMU_CYCLES;
      c->os = (ctrl & FIXED_OS) != 0;
      c->user = (ctrl & FIXED_USER) != 0;
      c->enabled &= c->os || c->user;
      c->interrupts = (ctrl & FIXED_INT) != 0;
    }
  }
  update();
}

void bx_pmu_intel_c::overflowed(Bit32u overflows)
{
  bool interrupt = false;

  for (unsigned n = 0; n < n_counters; n++) {
    if (! (overflows >> n & 1)) continue;
    global_status |= bit_of(n);
    interrupt |= counters[n].interrupts;
  }
  if (! interrupt) return;
  if (debugctl & DEBUGCTL_FREEZE_PERFMON) {
    if (version >= 4)
      global_status |= STATUS_FROZEN;
    else
      global_ctrl = 0;
    configure();
  }
#if BX_SUPPORT_APIC
  cpu->lapic->perfmon_interrupt();
#endif
}

void bx_pmu_intel_c::set_global_ctrl(Bit64u value, bool retired)
{
  sync(retired);
  global_ctrl = value & counter_bits;
  configure();
}

bool bx_pmu_intel_c::is_valid_debugctl(Bit64u value) const
{
  return (value & ~Bit64u(DEBUGCTL_BTF | DEBUGCTL_FREEZE_PERFMON)) == 0;
}

void bx_pmu_intel_c::set_debugctl(Bit64u value, bool retired)
{
  sync(retired);
  debugctl = value;
}

// The counter of an MSR, or -1.
int bx_pmu_intel_c::counter_of(Bit32u index, bool *full_width) const
{
  *full_width = true;
  if (index - MSR_A_PMC0 < n_gp) return index - MSR_A_PMC0;
  if (index - BX_MSR_PERF_FIXED_CTR0 < n_fixed) return n_gp + index - BX_MSR_PERF_FIXED_CTR0;
  *full_width = false;
  if (index - BX_MSR_PMC0 < n_gp) return index - BX_MSR_PMC0;
  return -1;
}

// Registers of the PMU that this CPU does not have.
static bool is_absent(Bit32u index)
{
  return (index >= BX_MSR_PMC0 && index <= BX_MSR_PMC7) ||
         (index >= BX_MSR_PERFEVTSEL0 && index <= BX_MSR_PERFEVTSEL7) ||
         index == MSR_OFFCORE_RSP0 || index == MSR_OFFCORE_RSP0 + 1 ||
         index == MSR_LBR_SELECT || index == MSR_LBR_SELECT + 1 ||
         (index >= BX_MSR_PERF_FIXED_CTR0 && index < BX_MSR_PERF_FIXED_CTR0 + 7) ||
         index == MSR_PERF_METRICS ||
         (index >= MSR_GLOBAL_STATUS && index <= MSR_GLOBAL_INUSE) ||
         (index >= MSR_PEBS_ENABLE && index <= MSR_PEBS_FRONTEND) ||
         (index >= MSR_A_PMC0 && index < MSR_A_PMC0 + 8) ||
         index == MSR_DS_AREA ||
         (index >= MSR_LBR_FROM0 && index <= MSR_LBR_TO_LAST &&
          ! (index >= BX_MSR_IA32_U_CET && index <= BX_MSR_IA32_INTERRUPT_SSP_TABLE_ADDR)) ||
         (index >= MSR_LBR_INFO0 && index <= MSR_LBR_INFO_LAST) ||
         (index >= MSR_ARCH_LBR_CTL && index <= MSR_ARCH_LBR_LAST);
}

Bit64u bx_pmu_intel_c::in_use(void) const
{
  Bit64u bits = 0;

  for (unsigned n = 0; n < n_counters; n++) {
    if (n < n_gp ? (select[n] & 0xff) != 0
                 : (fixed_ctrl >> (4 * (n - n_gp)) & (FIXED_OS | FIXED_USER)) != 0)
      bits |= bit_of(n);
    if (counters[n].interrupts)
      bits |= INUSE_INTERRUPT;
  }
  return bits;
}

int bx_pmu_intel_c::rdmsr(Bit32u index, Bit64u *value)
{
  bool full_width;
  int n = counter_of(index, &full_width);

  if (n >= 0) {
    sync(false);
    *value = counters[n].value;
    return 1;
  }
  if (index - BX_MSR_PERFEVTSEL0 < n_gp) {
    *value = select[index - BX_MSR_PERFEVTSEL0];
    return 1;
  }
  switch (index) {
  case MSR_MISC_ENABLE:
    *value = 0x41881; // fast strings, perfmon, neither BTS nor PEBS, MONITOR
    return 1;
  case MSR_PERF_CAPABILITIES:
    *value = FULL_WIDTH_WRITES;
    return 1;
  case BX_MSR_DEBUGCTLMSR:
    *value = debugctl;
    return 1;
  case BX_MSR_FIXED_CTR_CTRL:
    *value = fixed_ctrl;
    return 1;
  case MSR_GLOBAL_STATUS:
    sync(false);
    *value = global_status;
    return 1;
  case BX_MSR_PERF_GLOBAL_CTRL:
    sync(false); // an overflow may have frozen it
    *value = global_ctrl;
    return 1;
  case MSR_GLOBAL_STATUS_RESET:
    *value = 0;
    return 1;
  case MSR_GLOBAL_STATUS_SET:
    if (version < 4) return -1;
    *value = 0;
    return 1;
  case MSR_GLOBAL_INUSE:
    if (version < 4) return -1;
    *value = in_use();
    return 1;
  default:
    return is_absent(index) ? -1 : 0;
  }
}

int bx_pmu_intel_c::write_status(Bit64u value, bool set)
{
  Bit64u valid = counter_bits | STATUS_OVF_BUFFER;

  if (version >= 4) valid |= STATUS_FROZEN;
  if (! set) valid |= STATUS_COND_CHANGED;
  if (value & ~valid) return -1;
  sync(true);
  if (set)
    global_status |= value;
  else
    global_status &= ~value;
  configure();
  return 1;
}

int bx_pmu_intel_c::wrmsr(Bit32u index, Bit64u value)
{
  bool full_width;
  int n = counter_of(index, &full_width);

  if (n >= 0) {
    if (! full_width) value = Bit64u(Bit64s(Bit32s(value))) & mask;
    if (value & ~mask) return -1;
    sync(true);
    counters[n].value = value;
    update();
    return 1;
  }
  if (index - BX_MSR_PERFEVTSEL0 < n_gp) {
    if (value >> 32 || (! any && (value & PERFEVTSEL_ANY))) return -1;
    sync(true);
    select[index - BX_MSR_PERFEVTSEL0] = value;
    configure();
    return 1;
  }
  switch (index) {
  case MSR_MISC_ENABLE:
    return 1;
  case BX_MSR_DEBUGCTLMSR:
    if (! is_valid_debugctl(value)) return -1;
    set_debugctl(value, true);
    return 1;
  case BX_MSR_FIXED_CTR_CTRL:
    if (value >> (4 * n_fixed)) return -1;
    for (unsigned i = 0; ! any && i < n_fixed; i++)
      if (value >> (4 * i) & FIXED_ANY) return -1;
    sync(true);
    fixed_ctrl = value;
    configure();
    return 1;
  case BX_MSR_PERF_GLOBAL_CTRL:
    if (! is_valid_global_ctrl(value)) return -1;
    set_global_ctrl(value, true);
    return 1;
  case MSR_GLOBAL_STATUS_RESET:
    return write_status(value, false);
  case MSR_GLOBAL_STATUS_SET:
    return version < 4 ? -1 : write_status(value, true);
  case MSR_PERF_CAPABILITIES: // read-only
  case MSR_GLOBAL_STATUS:
  case MSR_GLOBAL_INUSE:
    return -1;
  default:
    return is_absent(index) ? -1 : 0;
  }
}

// ECX: the kind of counter above, its number below. There are no performance metrics.
bool bx_pmu_intel_c::rdpmc(Bit32u index, Bit64u *value)
{
  unsigned kind = index >> 16, n = index & 0xffff;

  if (kind == 0x4000) {
    if (n >= n_fixed) return false;
    n += n_gp;
  }
  else if (kind != 0 || n >= n_gp) {
    return false;
  }
  sync(false);
  *value = counters[n].value;
  return true;
}
