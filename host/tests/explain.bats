#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# wsbench explain: every instruction of an event has its function.
bats_require_minimum_version 1.5.0
load helper

# explained LAB BENCH [OPTION...]: writes explained.json; its total is what run reports
# of the same row, its parts are the whole, and all that has a name has been found.
explained() {
  local lab=$1 bench=$2
  shift 2
  need_target "lab:$lab"
  run_apart "$wsbench" explain --on "lab:$lab" --bench "$bench" --events 60 "$@" -o explained.json
  echo "$stderr"
  [ "$status" = 0 ]
  run_apart "$wsbench" run --on "lab:$lab" --bench "$bench" --events 60 -o run.json
  [ "$status" = 0 ]
  sum=$(python3 - explained.json run.json <<'END'
import json, sys
e, r = (json.load(open(p)) for p in sys.argv[1:])
b = r["benchmarks"][-1]
figure = next(m for m in b["metrics"] if m["name"] == "round_trip")["estimate"]["value"]
functions = sum(f["insns"] for f in e["functions"]) - e["clock_insns"]
stacks = sum(s["insns"] for s in e["stacks"]) - e["clock_insns"]
named = all(not f["name"].startswith("[") for f in e["functions"])
print(figure == e["round_trip"] == e["total"] == functions == stacks, named, e["warnings"])
END
  )
  echo "$sum"
  [ "$sum" = "True True []" ]
}

# What a document says but for when and how it was made.
body() { sed '1,/^  "subject"/d' "$1"; }

@test "lab:aarch64-vhe: a hypercall's instructions, all of them, each time the same" {
  explained aarch64-vhe hypercall --kinds
  body explained.json >first
  explained aarch64-vhe hypercall --kinds
  body explained.json >second
  cmp first second
  "$wsbench" explain explained.json | grep -q '^__guest_enter '
  holds_kinds='any(r["name"] == "hcr_el2" and r["writes"] for f in d["functions"] for r in f["registers"])'
  [ "$(doc explained.json "$holds_kinds")" = True ]
  "$python" "$tests/schema_check.py" "$wsbench" "$top/results/explanation.schema.json" explained.json
}

@test "lab:aarch64-vhe: an interrupt that the host times" {
  explained aarch64-vhe irq_inject
  [ "$(doc explained.json 'any(f["space"] == "user" for f in d["functions"])')" = True ]
}

@test "lab:aarch64-nvhe: functions at EL2 have their names" {
  explained aarch64-nvhe hypercall
  [ "$(doc explained.json 'sum(f["space"] == "hyp" for f in d["functions"]) > 10')" = True ]
}

@test "lab:x86_64-svm: an exit to user space, called from the VMM" {
  explained x86_64-svm pio_out_user --kinds
  [ "$(doc explained.json 'd["kinds"]["vm_insns"] >= 4')" = True ]
  "$wsbench" explain explained.json --folded | grep -q '^vcpu_run;ioctl;.*svm_vcpu_run;'
  "$wsbench" explain explained.json --tree | head -n 2 | grep -q ' vcpu_run$'
  "$wsbench" explain explained.json --svg flame.svg >/dev/null
  python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("flame.svg")'
  "$wsbench" explain explained.json --diff explained.json | grep -q 'unchanged'
  "$wsbench" report run.json explained.json -o .
  grep -q 'id="explanations"' report.html
  grep -q '</title><rect ' report.html
}

@test "what cannot be explained is refused in a line" {
  local explain=("$wsbench" explain)
  refused 2 "what, and where" "${explain[@]}"
  refused 2 "is not a lab" "${explain[@]}" --on bare:x86_64 --bench null
  # It says "one CPU", or that there is no kernel.
  refused 4 "wsbench" "${explain[@]}" --on lab:aarch64-smp --bench ipi_busy
  refused 2 "stands for" "${explain[@]}" --on lab:aarch64-vhe --bench 'mmio_*'
  refused 2 "nothing" "${explain[@]}" nothing.json
  echo '{"schema": "worldswitch.result"}' >result.json
  refused 2 "worldswitch.explanation" "${explain[@]}" result.json
  refused 2 "worldswitch.explanation" "${explain[@]}" --on lab:aarch64-vhe --bench null --diff result.json
  nothing_left result.json
}

@test "a row that is no stretch of instructions is refused" {
  need_target lab:aarch64-vhe
  refused 3 "a deadline" "$wsbench" explain --on lab:aarch64-vhe --bench timer_expiry --events 60
}

@test "without its plugin, explain says so" {
  need_target lab:aarch64-vhe
  mkdir -p libexec/aarch64
  cp "$build/aarch64/wsbench" libexec/aarch64/
  WORLDSWITCH_LIBEXEC=$PWD/libexec refused 4 "libwsbench-trace.so" \
    "$wsbench" explain --on lab:aarch64-vhe --bench null
}
