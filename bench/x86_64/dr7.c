/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Write of DR7. KVM traps the first access to a debug register after any other exit,
 * loads them all, and lets the rest through until the guest leaves again: so an exit to
 * user space goes before each event.
 */
#define BODY_MEASURES 1
#include "bench/body.h"
#include "bench/x86_64/reload.h"

RELOAD_PAIR("mov $0x400, %%eax", "mov %%rax, %%dr7", ::: "rax", "memory")
