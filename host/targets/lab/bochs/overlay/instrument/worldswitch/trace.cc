/////////////////////////////////////////////////////////////////////////
//
//   SPDX-License-Identifier: LGPL-2.1-or-later
//
//   Records the instructions that the machine executes between two switches, which
//   are instructions: what `wsbench explain` reads (record.h).
//
//   The decoded instruction of a switch gets another handler. While recording, the
//   CPU executes one instruction at a time and calls ws_trace_insn() before each.
//   Otherwise it executes as without this module.
//
/////////////////////////////////////////////////////////////////////////

#define NEED_CPU_REG_SHORTCUTS 1
#include "bochs.h"
#include "cpu/cpu.h"
#include "memory/memory-bochs.h"
#include "pc_system.h"

#include <errno.h>
#include <sys/mman.h>
#include <unordered_map>
#include <vector>

#include "record.h"

#define LOG_THIS BX_CPU_THIS_PTR

bool ws_trace_switches, ws_trace_recording, ws_trace_accesses;

static struct record_page *page; // NULL: this machine is not traced
static Bit32u *next_word, *end_word; // within the mapping

// The clock before the last recorded instruction.
static bool executed;
static Bit64u last_clock;

struct described {
  Bit32u number; // in RECORD_EXEC
  Bit8u bytes[RECORD_INSN_BYTES];
};
static std::unordered_multimap<Bit64u, described> insns; // by address
static Bit32u n_insns;

// A decoded instruction that may be a switch. Copies of it are at other places of the
// instruction cache: it is found by its content.
struct replaced {
  Bit32u offset; // within the page
  Bit32u fetch_mode;
  Bit16u ia_opcode;
  Bit8u meta_info;
  BxExecutePtr_tR execute1;
};
static std::vector<replaced> handlers;

// Allocates a record; NULL, and sets `overflowed`, if the file is full.
static Bit32u *room(size_t words)
{
  Bit32u *at = next_word;

  if (page->overflowed || size_t(end_word - at) < words) {
    page->overflowed = 1;
    return NULL;
  }
  next_word += words;
  page->written += words * sizeof(*at);
  return at;
}

static void put(enum record_kind kind, Bit32u value)
{
  if (Bit32u *at = room(1)) *at = RECORD_WORD(kind, value);
}

// Without the time that the CPU halted, which is not instructions.
static Bit64u clock_now(void)
{
  return bx_pc_system.time_ticks() - BX_CPU_THIS_PTR pmu_steps.halted +
    BX_CPU_THIS_PTR icount - BX_CPU_THIS_PTR icount_last_sync;
}

static void put_count(void)
{
  Bit64u now = clock_now(), count = now - last_clock;

  if (executed && count != 1)
    put(RECORD_COUNT, count < 0x0fffffff ? Bit32u(count) : 0x0fffffff);
  last_clock = now;
}

static void read_bytes(Bit64u vaddr, Bit8u *bytes, unsigned n)
{
  Bit64u offset = vaddr + BX_CPU_THIS_PTR eipPageBias;

  memset(bytes, 0, RECORD_INSN_BYTES);
  if (offset < 4096 && offset + n <= 4096) {
    memcpy(bytes, BX_CPU_THIS_PTR eipFetchPtr + offset, n);
    return;
  }
  // in two pages
  for (unsigned i = 0; i < n; i++) {
    bx_phy_address paddr;

    if (BX_CPU(0)->dbg_xlate_linear2phy(vaddr + i, &paddr))
      BX_MEM(0)->dbg_fetch_mem(BX_CPU(0), paddr, 1, bytes + i);
  }
}

// The number of an instruction, which is described when it is executed first.
static Bit32u number_of(Bit64u vaddr, unsigned ilen)
{
  auto range = insns.equal_range(vaddr);
  described insn;

  read_bytes(vaddr, insn.bytes, ilen);
  for (auto known = range.first; known != range.second; ++known)
    if (! memcmp(known->second.bytes, insn.bytes, sizeof(insn.bytes)))
      return known->second.number;
  insn.number = n_insns++;
  insns.emplace(vaddr, insn);
  if (Bit32u *at = room(RECORD_INSN_WORDS)) {
    at[0] = RECORD_WORD(RECORD_INSN, RECORD_INSN_VALUE(ilen, 0));
    memcpy(at + 1, &vaddr, sizeof(vaddr));
    memcpy(at + 3, insn.bytes, RECORD_INSN_BYTES);
  }
  return insn.number;
}

void ws_trace_insn(bxInstruction_c *i)
{
  put_count();
  put(RECORD_EXEC, number_of(RIP, i->ilen()));
  executed = true;
  ws_trace_accesses = page->memory;
  BX_CPU_THIS_PTR async_event |= BX_ASYNC_EVENT_STOP_TRACE;
}

void ws_trace_access(Bit64u laddr, unsigned len, unsigned rw)
{
  bool stores = rw == BX_WRITE || rw == BX_RW || rw == BX_SHADOW_STACK_WRITE;
  bool loads = rw == BX_READ || rw == BX_RW || rw == BX_SHADOW_STACK_READ;
  Bit32u shift = 0, *at;

  while ((1u << shift) < len) shift++;
  if (loads && (at = room(RECORD_ACCESS_WORDS))) {
    at[0] = RECORD_WORD(RECORD_LOAD, shift);
    memcpy(at + 1, &laddr, sizeof(laddr));
  }
  if (stores && (at = room(RECORD_ACCESS_WORDS))) {
    at[0] = RECORD_WORD(RECORD_STORE, shift);
    memcpy(at + 1, &laddr, sizeof(laddr));
  }
}

// As QEMU's plugin: the instruction that begins is not recorded, that which ends is.
static void turn(bool on)
{
  if (on == ws_trace_recording) return;
  ws_trace_recording = on;
  ws_trace_accesses = executed = false;
  put(on ? RECORD_ON : RECORD_OFF, 0);
  if (on) BX_CPU_THIS_PTR async_event |= BX_ASYNC_EVENT_STOP_TRACE;
}

static bool begins(const struct record_switch *s, const Bit8u *bytes, unsigned n)
{
  return ! memcmp(s->bytes, bytes, n < sizeof(s->bytes) ? n : sizeof(s->bytes));
}

static void BX_CPP_AttrRegparmN(1) at_switch(bxInstruction_c *i)
{
  Bit64u vaddr = RIP - i->ilen();
  Bit8u bytes[RECORD_INSN_BYTES];

  read_bytes(vaddr, bytes, i->ilen());
  for (Bit32u n = 0; n < page->n_switches; n++) {
    const struct record_switch *s = &page->switches[n];

    if (s->vaddr == vaddr && begins(s, bytes, i->ilen())) turn(s->on);
  }
  for (const replaced &r : handlers)
    if (r.offset == (vaddr & 0xfff) && r.fetch_mode == BX_CPU_THIS_PTR fetchModeMask &&
        r.ia_opcode == i->metaInfo.ia_opcode && r.meta_info == i->metaInfo.metaInfo1)
      return BX_CPU_CALL_METHOD(r.execute1, (i));
  BX_PANIC(("trace: no handler of the instruction at " FMT_ADDRX64, vaddr));
}

void ws_trace_decoded(bxInstruction_c *i, const Bit8u *bytes)
{
  // of an instruction in two pages, the bytes are a copy
  Bit64u offset = bytes - BX_CPU_THIS_PTR eipFetchPtr;
  bool found = false;

  if (offset >= 4096) offset = RIP & 0xfff;
  for (Bit32u n = 0; n < page->n_switches && ! found; n++)
    found = (page->switches[n].vaddr & 0xfff) == offset &&
      begins(&page->switches[n], bytes, i->ilen());
  if (! found) return;
  handlers.push_back({ Bit32u(offset), BX_CPU_THIS_PTR fetchModeMask, i->metaInfo.ia_opcode,
    i->metaInfo.metaInfo1, i->execute1 });
  i->execute1 = at_switch;
}

// Called by libwsbench-clone.so, in a clone of the machine, with the file of record.h.
extern "C" int worldswitch_trace(int fd)
{
  void *head = mmap(NULL, RECORD_PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0), *all;
  Bit64u bytes = 0;

  if (head == MAP_FAILED) return -errno;
  page = (struct record_page *) head;
  if (page->magic == RECORD_MAGIC && page->version == RECORD_VERSION)
    bytes = page->room;
  munmap(head, RECORD_PAGE_BYTES);
  page = NULL;
  if (bytes <= RECORD_PAGE_BYTES) return -EINVAL;
  all = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (all == MAP_FAILED) return -errno;
  page = (struct record_page *) all;
  next_word = (Bit32u *)((char *) all + RECORD_PAGE_BYTES);
  end_word = (Bit32u *)((char *) all + bytes);
  page->counts = 1;
  page->installed = 1;
  // what is decoded already is decoded again
  flushICaches();
  ws_trace_switches = true;
  return 0;
}
