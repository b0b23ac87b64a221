#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# wsbench explain attributes every instruction of an event to a function.
bats_require_minimum_version 1.5.0
load helper
load explain_helper

@test "lab:aarch64-vhe: all instructions of a hypercall, equal in every run" {
  explained aarch64-vhe hypercall --kinds
  body explained.json >first
  "$wsbench" explain --on lab:aarch64-vhe --bench hypercall --events 60 --kinds -o again.json
  body again.json >second
  cmp first second
  # Without the saved symbols: the machine sends them.
  WORLDSWITCH_FRESH_MACHINES=1 \
    "$wsbench" explain --on lab:aarch64-vhe --bench hypercall --events 60 --kinds -o fresh.json
  body fresh.json >third
  cmp first third
  "$wsbench" explain explained.json | grep -q '^__guest_enter '
  holds_kinds='any(r["name"] == "hcr_el2" and r["writes"] for f in d["functions"] for r in f["registers"])'
  [ "$(doc explained.json "$holds_kinds")" = True ]
  "$python" "$tests/schema_check.py" "$wsbench" "$top/results/explanation.schema.json" explained.json
}

@test "lab:aarch64-vhe: an interrupt of a row that the host times" {
  explained aarch64-vhe irq_inject
  [ "$(doc explained.json 'any(f["space"] == "user" for f in d["functions"])')" = True ]
}

# The run loop and the series read the clock, too, which begins no event. The recorded events include
# those of a warm-up.
@test "explain: the events of rows that the host times are those of the run" {
  local lab rows='dirty_log_*,memslot_*,vm_switch,vm_stay,kvm_run_immediate_exit,checkpoint_save,exit_*,irq_inject' row
  for lab in aarch64-vhe x86_64-svm; do
    need_target lab:$lab
    run_apart "$wsbench" run --on lab:$lab --bench "$rows" --boots 1 --quiet -o run.json
    [ "$status" = 0 ]
    run_apart "$wsbench" explain --on lab:$lab --bench "$rows" -o $lab/ --quiet
    [ "$status" = 0 ]
    for row in "$lab"/*.json; do
      echo "$row"
      holds "$row" 'abs(d["total"] - d["round_trip"]) <= d["round_trip"] / 1000'
      events=$(doc "$row" 'd["events"]') row=$(basename "$row" .json)
      holds run.json "0 <= $events - m('$row')['boots'][0]['events'] <= 2"
    done
    [ "$(find "$lab" -name '*.json' | wc -l)" = 14 ]
    rm -r "$lab"
  done
}

@test "lab:aarch64-nvhe: functions at EL2 have their names" {
  explained aarch64-nvhe hypercall
  [ "$(doc explained.json 'sum(f["space"] == "hyp" for f in d["functions"]) > 10')" = True ]
}

@test "lab:x86_64-svm: the stack of an exit to user space begins in the VMM" {
  explained x86_64-svm pio_out_user --kinds
  [ "$(doc explained.json 'd["kinds"]["vm_insns"] >= 4')" = True ]
  "$wsbench" explain explained.json --folded | grep -q '^vcpu_run;ioctl;.*svm_vcpu_run;'
  "$wsbench" explain explained.json --tree | head -n 3 | grep -q ' vcpu_run$'
  "$wsbench" explain explained.json --svg flame.svg >/dev/null
  python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("flame.svg")'
  "$wsbench" explain explained.json --diff explained.json | grep -q 'unchanged'
  "$wsbench" report run.json explained.json -o .
  grep -q 'id="explanations"' report.html
  grep -q '</title><rect ' report.html
}

# strcmp() has another path for texts near the end of a page, and a build moves texts.
@test "explain: the VMM's handler of a debug exit finds a register without strcmp" {
  explained x86_64-svm int3_user
  [ "$(doc explained.json '[f["name"] for f in d["functions"] if "strcmp" in f["name"]]')" = '[]' ]
  [ "$(doc explained.json '"regs_arch_find" in [f["name"] for f in d["functions"]]')" = True ]
}

# Rows with what a clock of Bochs counts apart from instructions: VM exits, iterations of REP,
# exits to user space, page faults.
@test "explain: all instructions of exits on lab:x86_64-vmx, with the instructions of VMX" {
  local rows=hypercall,cpuid,pio_out_user,mmio_read_user,fault_first_touch_4k row
  need_target lab:x86_64-vmx
  need_built_bochs
  "$wsbench" explain --on lab:x86_64-vmx --bench "$rows" --events 60 --kinds -o all >text
  "$wsbench" run --on lab:x86_64-vmx --bench "$rows" --boots 1 --events 60 -o run.json >text
  for row in ${rows//,/ }; do
    sums "all/$row.json"
    # VMRESUME, and reads and writes of the VMCS.
    [ "$(doc "all/$row.json" 'd["kinds"]["vm_insns"] >= 3')" = True ]
    [ "$(doc "all/$row.json" 'any(r["name"] == "vmcs" and r["reads"] for f in d["functions"] for r in f["registers"])')" = True ]
    "$wsbench" explain "all/$row.json" --folded | grep -q ';vmx_vcpu_run'
  done
}

@test "explain: benchmarks of one boot have the explanations that they have alone" {
  local rows=hypercall,pmccntr,timer_expiry,ipi_busy,irq_inject row
  need_target lab:aarch64-vhe
  run_apart "$wsbench" explain --on lab:aarch64-vhe --bench "$rows" --events 60 -o all --top 3
  echo "$stderr"
  [ "$status" = 0 ]
  [ "$(echo all/*)" = 'all/hypercall.json all/irq_inject.json all/pmccntr.json' ]
  grep -qF 'timer_expiry cannot be explained: it is timed from a deadline' <<<"$stderr"
  grep -qF 'ipi_busy cannot be explained: needs two CPUs' <<<"$stderr"
  [ "$(grep -c ' on lab:aarch64-vhe: .* from before the operation' <<<"$stdout")" = 3 ]
  for row in all/*.json; do
    "$wsbench" explain --on lab:aarch64-vhe --bench "$(basename "$row" .json)" --events 60 -o alone.json >text
    cmp <(body "$row") <(body alone.json)
  done
  # pmccntr is about the PMU.
  [ "$(doc all/pmccntr.json 'd["config"]')" = pmu-emulated ]
  # All of them cannot be explained: as for one.
  run_apart "$wsbench" explain --on lab:aarch64-vhe --bench timer_expiry,pmu_overflow_irq
  [ "$status" = 3 ]
  local option
  for option in '--format json' '--diff all/pmccntr.json' '--svg x.svg' '--annotate memset'; do
    # shellcheck disable=SC2086  # words
    refused 2 "${option%% *}: the output is of one benchmark, and --bench matches 2" \
      "$wsbench" explain --on lab:aarch64-vhe --bench hypercall,pmccntr $option
  done
}

# Debian's Bochs, or a stand-in of that name where it is not installed.
@test "explain on lab:x86_64-vmx names the script that builds an emulator which records" {
  need_target lab:x86_64-vmx
  mkdir bin
  ln -s "$(command -v true)" bin/bochs
  command -v bochs >/dev/null || PATH=$PATH:$PWD/bin
  WORLDSWITCH_EMULATORS=$PWD/none refused 4 'scripts/emulator.sh build bochs' \
    "$wsbench" explain --on lab:x86_64-vmx --bench hypercall
  rm -r bin
}

@test "explain refuses an unsupported row or target in one line" {
  local explain=("$wsbench" explain)
  refused 2 "no benchmark and no lab" "${explain[@]}"
  refused 2 "no benchmark: --on" "${explain[@]}" --on lab:x86_64-svm
  refused 2 "no lab: --on" "${explain[@]}" --bench hypercall
  refused 2 "is not a lab" "${explain[@]}" --on bare:x86_64 --bench null
  # No kernel exists: explain fails before a boot.
  WORLDSWITCH_CACHE=$PWD refused 2 "lab:aarch64-smp: needs two CPUs" \
    "${explain[@]}" --on lab:aarch64-smp --bench hypercall
  WORLDSWITCH_CACHE=$PWD refused 2 "lab:x86_64-svm-smp: explain follows machines of one CPU" \
    "${explain[@]}" --on lab:x86_64-svm-smp --bench hypercall
  WORLDSWITCH_CACHE=$PWD refused 2 "ipi_busy: needs two CPUs" \
    "${explain[@]}" --on lab:aarch64-vhe --bench ipi_busy
  refused 2 "--bench matches" "${explain[@]}" --on lab:aarch64-vhe --bench 'mmio_*' --json
  refused 2 "nothing" "${explain[@]}" nothing.json
  echo '{"schema": "worldswitch.result"}' >result.json
  refused 2 "worldswitch.explanation" "${explain[@]}" result.json
  refused 2 "worldswitch.explanation" "${explain[@]}" --on lab:aarch64-vhe --bench null --diff result.json
  nothing_left result.json
}

@test "a row whose figure is not a sequence of instructions is refused" {
  need_target lab:aarch64-vhe
  refused 3 "a deadline" "$wsbench" explain --on lab:aarch64-vhe --bench timer_expiry --events 60
  refused 3 "the interrupt follows" "$wsbench" explain --on lab:aarch64-vhe --bench pmu_overflow_irq
}

@test "explain reports a missing plugin" {
  need_target lab:aarch64-vhe
  mkdir -p libexec/aarch64
  cp "$build/aarch64/init" libexec/aarch64/
  WORLDSWITCH_LIBEXEC=$PWD/libexec refused 4 "libwsbench-trace-qemu" \
    "$wsbench" explain --on lab:aarch64-vhe --bench null
}
