#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Misbehaving payloads: the runner reports the cause, and exits with 4.
bats_require_minimum_version 1.5.0
load helper

# In the labs the VMM runs on the KVM of hardware. A machine has its payload, so the payloads of a lab
# are one image (payloads/*/several.c), which has them by the number of events; another one of a row, whose
# sampling loop would be the second, is an image of its own, 0. LAB PAYLOAD=EVENTS[:ROW]...; of a row: what
# the guest shows contradicts it. These tests run first, two labs at a time.
lab_payloads='x86_64-svm hang=101 jump_to_mmio=102 undelivered=105:self_ipi other_exit=0:hypercall
x86_64-vmx hang=101 jump_to_mmio=102 undelivered=105:self_ipi other_exit=0:hypercall
aarch64-vhe hang=101 timer_overflow=107 page_fault=106 nonsense=103 fp_used=108:fp_first_use other_exit=0:hypercall
x86_64-svm-qemu triple_fault=104 nonsense=103'

setup_file() {
  clean_place "$BATS_FILE_TMPDIR"
  local lab choices
  # These machines are not for other files.
  own_machines
  while read -r lab choices; do
    unavailable "lab:$lab" >/dev/null || echo "$lab $choices"
  done <<<"$lab_payloads" | xargs -r -P 2 -L 1 bash -c '
    lab=$3 wsbench=$0 to=$1/$3 images=$2/${3%%-*}
    for choice in "${@:4}"; do
      name=${choice%%=*} events=${choice#*=} row=null
      [[ $events != *:* ]] || row=${events#*:} events=${events%:*}
      payload=(--events "$events" --payload "$images/several.elf")
      [ "$events" != 0 ] || payload=(--payload "$images/$name.elf")
      contained "$wsbench" run --on "lab:$lab" --bench "$row" --boots 1 --timeout 1 --quiet "${payload[@]}" \
        -o "$to.$name.json" >"$to.$name.out" 2>"$to.$name.err"
      echo $? >"$to.$name.status"
    done' "$wsbench" "$BATS_FILE_TMPDIR" "$payloads"
}

# only_failure STDERR: one line, which says that the run measured nothing.
only_failure() {
  [[ $1 != *$'\n'* && $1 == 'wsbench: error: nothing was measured: 0 skipped, 1 failed; null: '* ]]
}

# lab_says LAB PAYLOAD REASON: like `says`, for the runs in the labs.
lab_says() {
  local document=$BATS_FILE_TMPDIR/$1.$2
  need_target "lab:$1"
  echo "exit code $(cat "$document.status"), stderr: $(cat "$document.err")"
  [ "$(cat "$document.status")" = 4 ]
  only_failure "$(cat "$document.err")"
  holds "$document.json" 'b("null")["status"] == "fail"' \
    "re.match('''$3''', b('null')['reason']) is not None"
}

# says TARGET PAYLOAD REASON: the run exits with 4, and the document has a reason that
# matches the extended regular expression. The time limit is short only for payloads that
# run into it: a slow machine must not time out in other tests.
says() {
  local target=$1 payload=$2 reason=$3 limit=60
  need_target "$target"
  [[ $reason != *"$hung"* ]] || limit=1
  run_apart "$wsbench" run --on "$target" --bench null --boots 1 --timeout $limit --quiet \
    --payload "$payloads/$(arch_of "$target")/$payload.elf" -o doc.json
  echo "exit code $status, stderr: $stderr"
  [ "$status" = 4 ]
  only_failure "$stderr"
  # The table shows the failure, and no figure.
  holds doc.json 'b("null")["status"] == "fail"' \
    "re.match('''$reason''', b('null')['reason']) is not None" \
    'all(m["estimate"]["value"] is None for m in b("null")["metrics"])'
  [[ $stdout == *FAIL* || $stdout == *fail* ]]
  run_apart "$wsbench" validate doc.json
  [ "$status" = 0 ]
  nothing_left doc.json
}

arch_of() {
  case $1 in
  kvm) echo "$arch" ;;
  *) echo "${1#bare:}" ;;
  esac
}

hung='the guest hung: no end after 1\.0 s'
pc='pc 0x[0-9a-f]+'
unhandled='KVM_EXIT_INTERNAL_ERROR: suberror 1 \(cannot emulate an instruction\), data: .*; rip 0x'

@test "bare:x86_64: a guest in an endless loop" { says bare:x86_64 hang "$hung"; }
@test "bare:aarch64: a guest in an endless loop" { says bare:aarch64 hang "$hung"; }
@test "kvm: a guest in an endless loop, with registers" { says kvm hang "$hung; .*0x"; }

# One row of each host-timed driver that runs a guest.
@test "kvm: a guest in an endless loop, in rows that the host times" {
  local bench row rows=(first_exit exit_out timer_overshoot_posix vmm_overhead state_get_all checkpoint_save irq_inject)
  need_target kvm
  [ "$(nproc)" = 1 ] || rows+=(kick_signal)
  bench=$(IFS=,; echo "${rows[*]}")
  run_apart "$wsbench" run --on kvm --bench "$bench" --boots 1 --timeout 1 --quiet \
    --payload "$payloads/$arch/hang.elf" -o doc.json
  echo "exit code $status, stderr: $stderr"
  [ "$status" = 4 ]
  holds doc.json "len(d['benchmarks']) == ${#rows[@]}"
  for row in "${rows[@]}"; do
    doc doc.json "b('$row')['reason']" | tee /dev/stderr | grep -Eq "^$hung; .*0x"
  done
  nothing_left doc.json
}

@test "kvm: a guest with endless exits, in a row that the host times" {
  need_target kvm
  run_apart "$wsbench" run --on kvm --bench exit_out --boots 1 --timeout 1 --quiet \
    --payload "$payloads/$arch/storm.elf" -o doc.json
  [ "$status" = 4 ]
  doc doc.json 'b("exit_out")["reason"]' | tee /dev/stderr | grep -Eq "^$hung; .*0x"
}

@test "lab:x86_64-svm: a guest in an endless loop, with registers" { lab_says x86_64-svm hang "$hung; rip 0x"; }
# The payloads run with interrupts off: only an exit by the host's interrupt ends the loop.
@test "lab:x86_64-vmx: a guest in an endless loop, with registers" { lab_says x86_64-vmx hang "$hung; rip 0x"; }
@test "lab:aarch64-vhe: a guest in an endless loop, with registers" { lab_says aarch64-vhe hang "$hung; pc 0x"; }

# QEMU 7.2 is stuck; in QEMU 11.1 the guest hangs.
@test "lab:aarch64-vhe: a guest whose timer overflows" {
  lab_says aarch64-vhe timer_overflow "($hung; pc 0x|lab:aarch64-vhe: the machine is stuck: no answer of qemu-system-aarch64 for 5 s)"
}

# row_fails LAB PAYLOAD ROW REASON: the row fails although its exits are those of the row.
row_fails() {
  local document=$BATS_FILE_TMPDIR/$1.$2
  need_target "lab:$1"
  [ "$(cat "$document.status")" = 4 ]
  one_line "$(cat "$document.err")"
  doc "$document.json" "b('$3')['reason']" | tee /dev/stderr | grep -Eqx "$4"
  holds "$document.json" "b('$3')['status'] == 'fail'" \
    "b('$3')['exits']['observed'] == b('$3')['exits']['expected']"
}

lost='expected [0-9]+ interrupts in the warm-up phase, the guest.s handler counted 0'
@test "lab:x86_64-svm: interrupts that do not arrive fail their row" { row_fails x86_64-svm undelivered self_ipi "$lost"; }
@test "lab:x86_64-vmx: interrupts that do not arrive fail their row" { row_fails x86_64-vmx undelivered self_ipi "$lost"; }
@test "lab:aarch64-vhe: a first use of FP that does not trap fails its row" {
  row_fails aarch64-vhe fp_used fp_first_use 'expected a trap that KVM does not count, but an event costs 4 and its twin, which does not trap, 4'
}

# other_exit LAB WHAT STATISTIC: as many exits as the row says, all handled in the kernel, and none of them a hypercall.
other_exit() {
  row_fails "$1" other_exit hypercall "expected ([0-9]+) $2 in \\1 events, KVM counted 0 \\($3\\): \\1 exits"
}
@test "lab:x86_64-svm: CPUID in place of VMMCALL fails its row" { other_exit x86_64-svm hypercalls hypercalls; }
@test "lab:x86_64-vmx: CPUID in place of VMCALL fails its row" { other_exit x86_64-vmx hypercalls hypercalls; }
@test "lab:aarch64-vhe: an ID register in place of HVC fails its row" { other_exit aarch64-vhe HVCs hvc_exit_stat; }

@test "kvm: a guest that never wakes is skipped, not failed" {
  need_target kvm
  run_apart "$wsbench" run --on kvm --bench null --timeout 1 --boots 1 --quiet \
    --payload "$payloads/$arch/sleep.elf" -o doc.json
  [ "$status" = 3 ]
  one_line "$stderr"
  [[ $stderr == *'nothing was measured: 1 skipped, 0 failed; null: '*'next interrupt'* ]]
  holds doc.json 'b("null")["status"] == "skip" and "next interrupt" in b("null")["reason"]'
}

@test "bare:x86_64: a guest with endless exits" { says bare:x86_64 storm "$hung"; }
@test "kvm: a guest with endless exits" { says kvm storm "$hung"; }

@test "bare:x86_64: a guest that halts" { says bare:x86_64 halt "$hung"; }
@test "bare:aarch64: a guest that halts" { says bare:aarch64 halt "$hung"; }
@test "kvm: a guest that halts" { says kvm halt "($hung|the guest halted)"; }

@test "bare:x86_64: a triple fault" {
  says bare:x86_64 triple_fault 'the guest stopped in the event phase before it finished'
}
@test "bare:aarch64: an exception without vectors" { says bare:aarch64 triple_fault "$hung"; }
@test "kvm: a triple fault, with registers" {
  [ "$arch" = x86_64 ] || skip "arm64 has none"
  says kvm triple_fault 'the guest shut down: triple fault; rip 0x'
}
@test "lab:x86_64-svm-qemu: a triple fault, with registers" {
  lab_says x86_64-svm-qemu triple_fault 'the guest shut down: triple fault; rip 0x'
}

# An exit that the VMM does not handle, with a dump of all registers, for which a lab has no place.
@test "lab:x86_64-svm: an unhandled exit, with registers" { lab_says x86_64-svm jump_to_mmio "$unhandled"; }
@test "lab:x86_64-vmx: an unhandled exit, with registers" { lab_says x86_64-vmx jump_to_mmio "$unhandled"; }

@test "bare:x86_64: an unexpected exception has vector, error code, pc and address" {
  says bare:x86_64 page_fault \
    "the guest took exception 0xe in the event phase: syndrome 0x0 $pc address 0x4000000000$"
}
@test "bare:aarch64: an unexpected exception has vector, syndrome, pc and address" {
  # EC 0x25: data abort from the same exception level; DFSC 0x05: translation, level 1.
  says bare:aarch64 page_fault \
    "the guest took exception 0x200 in the event phase: syndrome 0x96000005 $pc address 0x4000000000$"
}
@test "lab:aarch64-vhe: an unexpected exception has vector, syndrome, pc and address" {
  lab_says aarch64-vhe page_fault \
    "the guest took exception 0x200 in the event phase: syndrome 0x96000005 $pc address 0x4000000000$"
}
@test "kvm: an unexpected exception has vector, syndrome, pc and address" {
  says kvm page_fault \
    "the guest took exception 0x(e|200) in the event phase: syndrome 0x[0-9a-f]+ $pc address 0x4000000000$"
}

@test "bare:x86_64: an undefined instruction" {
  says bare:x86_64 undefined "the guest took exception 0x6 in the null phase: syndrome 0x0 $pc "
}
@test "bare:aarch64: an undefined instruction" {
  says bare:aarch64 undefined "the guest took exception 0x200 in the null phase: syndrome 0xf2[0-9a-f]{6} $pc "
}
@test "kvm: an undefined instruction" {
  says kvm undefined "the guest took exception 0x(6|200) in the null phase: syndrome 0x[0-9a-f]+ $pc "
}

overwrote='the guest overwrote its report: it begins with 0xa5a5a5a5a5a5a5a5'
@test "bare:x86_64: garbage in all shared memory" { says bare:x86_64 nonsense "$overwrote"; }
@test "bare:aarch64: garbage in all shared memory" { says bare:aarch64 nonsense "$overwrote"; }
@test "lab:x86_64-svm-qemu: garbage in all shared memory and to every doorbell" { lab_says x86_64-svm-qemu nonsense "$overwrote"; }
@test "lab:aarch64-vhe: garbage in all shared memory and to every doorbell" { lab_says aarch64-vhe nonsense "$overwrote"; }
@test "kvm: garbage in all shared memory and to every doorbell" { says kvm nonsense "$overwrote"; }

state='the guest reports an invalid state: 77'
@test "bare:x86_64: a state that does not exist" { says bare:x86_64 bad_state "$state"; }
@test "bare:aarch64: a state that does not exist" { says bare:aarch64 bad_state "$state"; }
@test "kvm: a state that does not exist" { says kvm bad_state "$state"; }

many='the guest reports 4294967296 samples in the [a-z-]+ phase, expected [0-9]+'
@test "bare:x86_64: 2^32 samples claimed" { says bare:x86_64 too_many "$many"; }
@test "bare:aarch64: 2^32 samples claimed" { says bare:aarch64 too_many "$many"; }
@test "kvm: 2^32 samples claimed" { says kvm too_many "$many"; }

early='the guest ended the null phase after [0-9]+ of [0-9]+ samples, which do not repeat'
@test "bare:x86_64: a phase that ends early" { says bare:x86_64 early "$early"; }
@test "bare:aarch64: a phase that ends early" { says bare:aarch64 early "$early"; }
@test "kvm: a phase that ends early" {
  says kvm early 'the guest reports [0-9]+ samples in the null phase, expected [0-9]+'
}

none='the guest reports 0 samples in the null phase, expected [0-9]+'
@test "bare:x86_64: done without a sample" { says bare:x86_64 idle "$none"; }
@test "bare:aarch64: done without a sample" { says bare:aarch64 idle "$none"; }
@test "kvm: done without a sample" { says kvm idle "$none"; }

off='the guest stopped in the event phase before it finished: a crash or a power-off'
@test "bare:x86_64: a guest that powers off" { says bare:x86_64 off "$off"; }
@test "bare:aarch64: a guest that powers off" { says bare:aarch64 off "$off"; }
@test "kvm: a guest that powers off" {
  says kvm off "($hung|the guest shut down|the guest halted)"
}

@test "kvm: a failed benchmark does not affect the others" {
  need_target kvm
  # Replaces the built-in image by a payload that never exits.
  run_apart "$wsbench" run --on kvm --bench null,mmio_write_user --events 100 --boots 6 --quiet \
    --payload "$build/guest/$arch/null.elf" -o doc.json
  [ "$status" = 4 ]
  holds doc.json 'b("null")["status"] == "ok" and value("null") is not None' \
    'b("mmio_write_user")["status"] == "fail"' \
    'b("mmio_write_user")["exits"]["observed"] == 0'
  doc doc.json 'b("mmio_write_user")["reason"]' | grep -q 'observed'
}

@test "bare: a dying emulator does not affect the other benchmarks" {
  need_target bare:x86_64
  shim qemu-system-x86_64 4 'kill -KILL $$'
  run_apart "$wsbench" run --on bare:x86_64 --bench null,cpuid,rdtsc --boots 2 --quiet -o doc.json
  echo "exit code $status, stderr: $stderr"
  [ "$status" = 4 ]
  holds doc.json '[x["status"] for x in d["benchmarks"]] == ["ok", "fail", "fail"]'
  doc doc.json 'b("cpuid")["reason"]' | grep -qx 'qemu-system-x86_64 was killed by signal 9'
  nothing_left doc.json
}

@test "bare: the error message of an emulator that does not start is quoted" {
  need_target bare:aarch64
  shim qemu-system-aarch64 1 'echo "cannot allocate anything" >&2; exit 1'
  run_apart "$wsbench" run --on bare:aarch64 --bench null --quiet -o doc.json
  [ "$status" = 4 ]
  [ "$(doc doc.json 'b("null")["reason"]')" = 'the emulator failed: cannot allocate anything' ]
}

@test "a failed target does not affect the other" {
  need_target bare:x86_64
  need_target bare:aarch64
  shim qemu-system-x86_64 1 'kill -KILL $$'
  run_apart "$wsbench" run --on bare:x86_64,bare:aarch64 --bench null --quiet -o docs
  [ "$status" = 4 ]
  holds docs/bare-x86_64.json 'b("null")["status"] == "fail"'
  holds docs/bare-aarch64.json 'b("null")["status"] == "ok" and value("null") == 0'
}

# The vectors look a fault's place up in a table of the whole payload.
@test "bare:x86_64: a fault costs the same in a payload with more places that may fault" {
  need_target bare:x86_64
  "$wsbench" run --on bare:x86_64 --bench ud2 --quiet -o few.json >/dev/null
  "$wsbench" run --on bare:x86_64 --bench ud2 --payload "$payloads/x86_64/many_fixups.elf" --quiet -o many.json >/dev/null
  figure() { holds "$1" 'value("ud2") > 10' && python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["benchmarks"][0]["metrics"][0]["estimate"]["value"])' "$1"; }
  echo "$(figure few.json) $(figure many.json)"
  [ "$(figure few.json)" = "$(figure many.json)" ]
}

@test "a file that is not a payload is bad input" {
  need_target bare:x86_64
  mkdir folder
  echo text >text
  : >empty
  run=("$wsbench" run --on bare:x86_64 --bench null -o doc.json --payload)
  refused 2 'cannot open payload missing: No such file' "${run[@]}" missing
  refused 2 'cannot read payload folder: Is a directory' "${run[@]}" folder
  refused 2 'payload text is not a 64-bit ELF image' "${run[@]}" text
  refused 2 'payload empty is not a 64-bit ELF image' "${run[@]}" empty
  refused 2 'payload /dev/zero is larger than guest memory' "${run[@]}" /dev/zero
  refused 2 'is not for x86_64' "${run[@]}" "$payloads/aarch64/idle.elf"
  nothing_left empty folder text
}
