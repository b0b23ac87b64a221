#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# `wsbench run --against`: two configs in pairs, and two kernels of a lab.

load helper
bats_require_minimum_version 1.5.0

@test "two configs of kvm: documents of one config each, whose boots compare judges as pairs" {
  need_target kvm
  run_apart "$wsbench" run --on kvm --bench null,mmio_read_user --against loop-bare --events 20 \
    --boots 9 -o out
  echo "$stdout$stderr"
  ((status == 0 || status == 1 || status == 3))
  [[ $stdout == *"base: default "*"new:  loop-bare "* ]]
  [[ $stderr == *"wrote out/base/kvm.json"*"wrote out/new/kvm.json"* ]]
  "$wsbench" validate out/base/kvm.json out/new/kvm.json
  holds out/base/kvm.json '{x["config"] for x in d["benchmarks"]} == {"default"}' \
    'd["run"]["pair"] == {"id": d["run"]["id"], "side": "base", "config": "default"}' \
    'sum(x["valid"] for x in m("null")["boots"]) >= 9' \
    '[x["index"] for x in m("null")["boots"]] == list(range(len(m("null")["boots"])))'
  holds out/new/kvm.json '{x["config"] for x in d["benchmarks"]} == {"loop-bare"}' \
    'd["run"]["pair"]["side"] == "new" and d["run"]["pair"]["config"] == "loop-bare"' \
    'd["run"]["id"] != d["run"]["pair"]["id"]' \
    'sum(x["valid"] for x in m("null")["boots"]) >= 9' \
    '[x["index"] for x in m("null")["boots"]] == list(range(len(m("null")["boots"])))'
  [ "$(doc out/base/kvm.json 'd["run"]["id"]')" = "$(doc out/new/kvm.json 'd["run"]["pair"]["id"]')" ]
  # The same comparison, of the folders and of the files.
  run "$wsbench" compare --all out/base out/new
  [ "$output" = "$stdout" ]
  "$wsbench" compare --json out/base/kvm.json out/new/kvm.json >c.json || true
  python3 -c '
import json
c = json.load(open("c.json"))
assert c["paired"] is True and len(c["rows"]) == 2, c
assert all(r["base_config"] == "default" and r["new_config"] == "loop-bare" for r in c["rows"])
assert all(0 < r["pairs"] <= 9 for r in c["rows"])'
}

@test "--json prints the comparison; without --boots, kvm has 20 pairs" {
  need_target kvm
  "$wsbench" run --quiet --on kvm --bench null --against loop-bare --events 10 --json >c.json || true
  holds c.json 'd["schema"] == "worldswitch.compare"' 'd["paired"]' \
    'd["rows"][0]["base_boots"] + d["rows"][0]["new_boots"] > 20'
  nothing_left c.json
}

@test "two kernels of a lab: each side is the run with that kernel" {
  need_target lab:aarch64-vhe
  local kernels=("$(cache_dir)"/kernels/aarch64/[0-9]*)
  [ "${#kernels[@]}" -ge 2 ] || skip "fewer than two kernels in the cache"
  local a=${kernels[0]##*/} b=${kernels[-1]##*/}
  run_apart "$wsbench" run --quiet --on lab:aarch64-vhe --bench hypercall --kernel "$a" \
    --against "$b" -o out
  echo "$stdout$stderr"
  ((status == 0 || status == 1))
  for side in base new; do
    local kernel=$a
    [ $side = base ] || kernel=$b
    holds out/$side/lab-aarch64-vhe.json "d['subject']['kernel'] == '$kernel'" \
      "d['run']['pair']['side'] == '$side' and d['run']['pair']['config'] is None"
  done
  "$wsbench" run --quiet --on lab:aarch64-vhe --bench hypercall --kernel "$b" -o alone.json >/dev/null
  "$wsbench" compare alone.json out/new/lab-aarch64-vhe.json
}

@test "what cannot be compared in one run is refused before anything is measured" {
  refused 2 "a run on kvm cannot change the kernel of its own machine" \
    "$wsbench" run --on kvm --against 7.3
  refused 2 "did you mean 'pmu-off'?" "$wsbench" run --against pmu-of
  refused 2 "a pattern; name one config" "$wsbench" run --against 'vm-*'
  refused 2 "the config of the other side" "$wsbench" run --against default
  refused 2 "one config can be compared with it" \
    "$wsbench" run --config pmu-off,default --against loop-bare
  refused 2 "--against 7.3: not for target bare:x86_64" "$wsbench" run --on bare:x86_64 --against 7.3
  refused 2 "without --modules" "$wsbench" run --on lab:aarch64-vhe --modules . --against 7.3
  for option in --aa --stats --metrics --timing '--runs 2 -o out' '--save x'; do
    # shellcheck disable=SC2086  # an option and its value
    refused 2 "--against: without ${option%% *}" "$wsbench" run --against loop-bare $option
  done
  refused 2 "the two sides of --against need a folder" \
    "$wsbench" run --against loop-bare -o x.json
}

@test "a file where the folder of a side belongs is refused and stays as it is" {
  for side in base new; do
    mkdir out
    echo mine >out/$side
    refused 2 "out/$side: Not a directory" \
      "$wsbench" run --on kvm --bench null --against loop-bare -o out
    [ "$(cat out/$side)" = mine ]
    rm -r out
  done
}

@test "an unusable kernel of either side is bad input, and nothing is measured" {
  need_target lab:aarch64-vhe
  echo text >image
  for option in --kernel --against; do
    refused 2 "it is not a kernel image" \
      "$wsbench" run --on lab:aarch64-vhe --bench null --against "$wsbench" $option ./image
  done
  nothing_left image
}

@test "a failed row of the base: the second kernel is measured, and the comparison is printed" {
  need_target lab:aarch64-vhe
  local kernels=("$(cache_dir)"/kernels/aarch64/[0-9]*)
  [ "${#kernels[@]}" -ge 2 ] || skip "fewer than two kernels in the cache"
  run_apart "$wsbench" run --on lab:aarch64-vhe --bench null --kernel "${kernels[0]##*/}" \
    --against "${kernels[-1]##*/}" --payload "$payloads/aarch64/undefined.elf" -o out
  echo "$stdout$stderr"
  [ "$status" = 4 ]
  [[ $stdout == *"both: fail: the guest took exception"*"1 not compared"* ]]
  for side in base new; do
    holds out/$side/lab-aarch64-vhe.json 'b("null")["status"] == "fail"'
  done
}

@test "an interrupted run without -o prints what it has" {
  need_target kvm
  run_apart timeout -s INT 5 "$wsbench" run --on kvm --bench core --boots 1000 --against loop-bare
  echo "$stdout$stderr"
  [ "$status" = 124 ]
  [[ $stderr == *"interrupted"* ]]
  [[ $stdout == *"base: default "*"The run of base ended early."* ]]
}
