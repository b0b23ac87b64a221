#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A kernel under test whose KVM crashes or hangs. A module in place of irqbypass makes the tenth
# hypercall go wrong. Needs the headers of the lab's kernel: linux-headers-RELEASE.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
  local release kernel
  "$wsbench" run --on lab:x86_64-svm --bench null --boots 1 --quiet -o "$BATS_FILE_TMPDIR/first.json" >/dev/null 2>&1 || return 0
  release=$(doc "$BATS_FILE_TMPDIR/first.json" 'd["subject"]["kernel"]')
  [ -d "/lib/modules/$release/build" ] || return 0
  cd "$BATS_FILE_TMPDIR" || return
  mkdir module
  echo 'obj-m := irqbypass.o' >module/Kbuild
  cat >module/irqbypass.c <<'END'
#include <linux/irqbypass.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>

static char *mode = "";
module_param(mode, charp, 0444);

int irq_bypass_register_producer(struct irq_bypass_producer *p) { return 0; }
EXPORT_SYMBOL_GPL(irq_bypass_register_producer);
void irq_bypass_unregister_producer(struct irq_bypass_producer *p) {}
EXPORT_SYMBOL_GPL(irq_bypass_unregister_producer);
int irq_bypass_register_consumer(struct irq_bypass_consumer *c) { return 0; }
EXPORT_SYMBOL_GPL(irq_bypass_register_consumer);
void irq_bypass_unregister_consumer(struct irq_bypass_consumer *c) {}
EXPORT_SYMBOL_GPL(irq_bypass_unregister_consumer);

static DEFINE_MUTEX(lock);

static int crash(void *vcpu)
{
	if (!strcmp(mode, "oops")) *(volatile int *)8 = 1;
	if (!strcmp(mode, "bug")) BUG();
	if (!strcmp(mode, "warn")) WARN_ON(1);
	if (!strcmp(mode, "panic")) panic("of a test");
	if (!strcmp(mode, "loop")) for (;;) cpu_relax();
	if (!strcmp(mode, "irqs-off")) { local_irq_disable(); for (;;) cpu_relax(); }
	if (!strcmp(mode, "lock")) { mutex_lock(&lock); mutex_lock(&lock); }
	return strcmp(mode, "error") ? 1 : -EINVAL;
}

static int pre(struct kprobe *p, struct pt_regs *regs)
{
	static int hits;

	if (++hits != 10) return 0;
	regs->ip = (unsigned long)crash;
	return 1;
}

static struct kprobe probe = { .symbol_name = "kvm_emulate_hypercall", .pre_handler = pre };

static int note(struct notifier_block *nb, unsigned long state, void *data)
{
	struct module *m = data;

	if (state == MODULE_STATE_LIVE && !strcmp(m->name, "kvm")) register_kprobe(&probe);
	return 0;
}

static struct notifier_block block = { .notifier_call = note };
static int __init begin(void) { return register_module_notifier(&block); }
module_init(begin);
MODULE_LICENSE("GPL");
END
  make -C "/lib/modules/$release/build" M="$PWD/module" modules >log 2>&1 || return 0
  kernel=$("$top/scripts/kernel.sh" fetch --offline --quiet --release "$release" --arch x86_64 2>>log) || return 0
  cp -r "$kernel/modules" modules
  cp module/irqbypass.ko modules/
  echo "$kernel/vmlinuz" >kernel
}

# crashes MODE TEXT [PARAMETERS]: the hypercall fails for a reason that matches; CPUID does not fail.
crashes() {
  need_target lab:x86_64-svm
  [ -e "$BATS_FILE_TMPDIR/kernel" ] || skip "the headers of the lab's kernel are not installed (linux-headers-RELEASE)"
  run_apart "$wsbench" run --on lab:x86_64-svm --kernel "$(cat "$BATS_FILE_TMPDIR/kernel")" --modules "$BATS_FILE_TMPDIR/modules" \
    --bench hypercall,cpuid --boots 1 --append "irqbypass.mode=$1 ${3:-}" --quiet -o doc.json
  [ "$status" = 4 ]
  reason=$(doc doc.json 'b("hypercall")["reason"]')
  echo "$reason"
  # shellcheck disable=SC2053 # a pattern
  [[ $reason == $2 ]]
  holds doc.json 'b("cpuid")["status"] == "ok"'
}

crashed="lab:x86_64-svm: the lab's kernel crashed: "
callers=', called from kvm_arch_vcpu_ioctl_run+*, kvm_vcpu_ioctl+*'

@test "crash: an oops" { crashes oops "${crashed}BUG: kernel NULL pointer dereference, address: 0000000000000008, at crash+*$callers"; }
@test "crash: BUG()" { crashes bug "${crashed}kernel BUG at *irqbypass.c:*!, at crash+*$callers"; }
@test "crash: a panic" { crashes panic "${crashed}Kernel panic - not syncing: of a test"; }
@test "crash: an error of KVM_RUN" { crashes error 'KVM_RUN: Invalid argument; rip *'; }
@test "crash: a warning" { crashes warn "${crashed}Kernel panic*WARNING: *irqbypass.c:* crash+*" 'panic_on_warn=1 loglevel=5'; }
@test "crash: an endless loop" { crashes loop "${crashed}BUG: soft lockup - *, at crash+*$callers" 'watchdog_thresh=1 loglevel=7'; }
@test "crash: an endless loop with interrupts disabled" {
  crashes irqs-off "${crashed}Watchdog detected hard LOCKUP on cpu 0, at crash+*$callers" 'nmi_watchdog=panic watchdog_thresh=1 loglevel=7'
}
@test "crash: a lock that is never released" {
  crashes lock "${crashed}INFO: task init:* blocked for more than 1 seconds., in crash+*, kvm_arch_vcpu_ioctl_run+*" \
    'sysctl.kernel.hung_task_timeout_secs=1 loglevel=7'
}

# Two kernels print on one console: parameters of --append are L1's.
@test "crash: an oops of L1's kernel in a lab with two kernels" {
  need_target lab:x86_64-svm-l1
  [ -e "$BATS_FILE_TMPDIR/kernel" ] || skip "the headers of the lab's kernel are not installed (linux-headers-RELEASE)"
  run_apart "$wsbench" run --on lab:x86_64-svm-l1 --kernel "$(cat "$BATS_FILE_TMPDIR/kernel")" --modules "$BATS_FILE_TMPDIR/modules" \
    --bench hypercall --boots 1 --append irqbypass.mode=oops --quiet -o doc.json
  [ "$status" = 4 ]
  reason=$(doc doc.json 'b("hypercall")["reason"]')
  echo "$reason"
  # shellcheck disable=SC2053 # a pattern
  [[ $reason == "lab:x86_64-svm-l1: L1's kernel crashed: BUG: kernel NULL pointer dereference, address: 0000000000000008, at crash+"*$callers ]]
}
