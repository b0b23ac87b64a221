#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# run --vcpus and --vms: a payload on each of several vCPUs, or in each of several VMs. Tests
# check exits and documents, not figures, and in the lab instructions.
bats_require_minimum_version 1.5.0
load helper

# A row that exits to the VMM on every KVM.
row=mmio_read_user

@test "scale: bad numbers are refused" {
  for word in 0 3,x 999 17 '1,,2' '1,' -1 1.5 ''; do
    refused 2 "is not a number from 1 to 16" "$wsbench" run --on kvm --bench $row --vcpus "$word" -o doc.json
  done
  refused 2 "ascending order" "$wsbench" run --on kvm --bench $row --vms 2,1 -o doc.json
  refused 2 "ascending order" "$wsbench" run --on kvm --bench $row --vms 2,2 -o doc.json
  refused 2 "--vcpus: without --host-counters" "$wsbench" run --bench $row --vcpus 2 --host-counters -o doc.json
  refused 2 "--vms: without --against" "$wsbench" run --bench $row --vms 2 --against pmu-off -o doc.json
  refused 2 "--events 5000: at most 4096" "$wsbench" run --bench $row --events 5000 --vms 1,2 --vcpus 16 -o doc.json
  refused 2 "runs on one CPU" "$wsbench" run --on bare:x86_64 --bench null --vcpus 2 -o doc.json
}

# With fewer CPUs than vCPUs, they take turns.
@test "scale: every vCPU and every VM exits once per event, on kvm" {
  need_target kvm
  run_apart "$wsbench" run --on kvm --bench $row --vcpus 1,2,5 --vms 1,3 --boots 3 --events 200 --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json '[x["config"] for x in d["benchmarks"]] == ["default@vcpus=1", "default@vcpus=2",
    "default@vcpus=5", "default@vms=1", "default@vms=3"]' \
    'all(x["exits"]["user"] == (x.get("vcpus") or x["vms"]) * len(x["metrics"][0]["boots"]) * 200
      for x in d["benchmarks"])' \
    'all({"round_trip", "round_trip_worst", "twin", "ops_per_s"} <= {m["name"] for m in x["metrics"]}
      for x in d["benchmarks"])' \
    'all(m["better"] == "higher" for x in d["benchmarks"] for m in x["metrics"] if m["name"] == "ops_per_s")' \
    'all(("efficiency" in {m["name"] for m in x["metrics"]}) == ((x.get("vcpus") or x["vms"]) > 1)
      for x in d["benchmarks"] if x["status"] == "ok")'
  run_apart "$wsbench" validate doc.json
  [ "$status" = 0 ]
  # Each scale is a series of its own.
  run_apart "$wsbench" show doc.json
  [ "$status" = 0 ]
  grep -q "^$row \[default@vcpus=5\]" <<<"$stdout"
  run_apart "$wsbench" compare doc.json --config default@vcpus=1,default@vcpus=2
  [[ $status = [013] ]]
  grep -q "$row" <<<"$stdout"
  run_apart "$wsbench" history add --db h.jsonl doc.json
  [ "$status" = 0 ]
  [ "$(grep -o '"config": *"default@v[a-z]*=[0-9]*"' h.jsonl | sort -u | wc -l)" = 5 ]
  nothing_left doc.json h.jsonl
}

# One vCPU of a VM and one VM of one vCPU are the same machine, and run first.
@test "scale: the efficiency compares with one vCPU or one VM" {
  need_target kvm
  for scales in '--vcpus 1,2 --vms 2' '--vms 2 --vcpus 1,2' '--vcpus 2 --vms 1,2'; do
    # shellcheck disable=SC2086 # two options
    run_apart "$wsbench" run --on kvm --bench $row $scales --boots 4 --events 1000 --quiet -o doc.json
    [ "$status" = 0 ]
    holds doc.json '(d["benchmarks"][0].get("vcpus") or d["benchmarks"][0]["vms"]) == 1' \
      'all("efficiency" in {m["name"] for m in x["metrics"]} for x in d["benchmarks"][1:])'
  done
}

@test "scale: fewer CPUs than vCPUs is said" {
  need_target kvm
  run_apart taskset -c 0 "$wsbench" run --on kvm --bench $row --vcpus 1,2 --boots 4 --events 50 -o doc.json
  [ "$status" = 0 ]
  holds doc.json '[x.get("oversubscribed", False) for x in d["benchmarks"]] == [False, True]' \
    '[w["message"] for w in d["warnings"] if w["code"] == "oversubscribed"] ==
      ["2 vCPUs on fewer CPUs, on which they take turns"]'
}

@test "scale: rows that cannot are skipped with the reason" {
  need_target kvm
  run_apart "$wsbench" run --on kvm --bench vm_create,ipi_idle,fault_first_touch_2m,mmio_read_user --vcpus 2 \
    --boots 4 --events 1000 -o doc.json
  [ "$status" = 0 ]
  for bench in vm_create ipi_idle fault_first_touch_2m; do
    holds doc.json "b('$bench')['status'] == 'skip' and b('$bench')['reason'].startswith('runs on one vCPU')"
  done
  holds doc.json "b('mmio_read_user')['status'] == 'ok'"
}

@test "scale: faults of every vCPU are mapped in its own share of the slot" {
  need_target kvm
  run_apart "$wsbench" run --on kvm --bench fault_first_touch_4k,fault_readonly --vcpus 3 --vms 2 --boots 2 \
    --events 500 --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json 'all(x["status"] == "ok" for x in d["benchmarks"])' \
    'all(x["exits"]["user"] == (x.get("vcpus") or x["vms"]) * 500 * len(x["metrics"][0]["boots"]) for x in d["benchmarks"] if x["name"] == "fault_readonly")'
}

# The others wait for the second vCPU at the begin of the events.
@test "scale: a crash of one vCPU ends the row, and says which" {
  need_target kvm
  run_apart "$wsbench" run --on kvm --bench $row --vcpus 3 --boots 2 --payload "$payloads/$arch/window_fault.elf" -o doc.json
  [ "$status" = 4 ]
  doc doc.json "b('$row')['reason']" | tee /dev/stderr |
    grep -Eq '^vCPU 1 of 3: the guest took exception 0x[0-9a-f]+ in the warm-up phase: .* address 0x4000000000$'
  run_apart "$wsbench" run --on kvm --bench $row --vms 3 --boots 1 --payload "$payloads/$arch/page_fault.elf" -o doc.json
  [ "$status" = 4 ]
  doc doc.json "b('$row')['reason']" | grep -Eq '^VM [0-2] of 3: the guest took exception'
  nothing_left doc.json
}

@test "scale: one vCPU that hangs ends the row at its limit" {
  need_target kvm
  run_apart "$wsbench" run --on kvm --bench $row --vcpus 2 --boots 1 --timeout 2 \
    --payload "$payloads/$arch/window_hang.elf" -o doc.json
  [ "$status" = 4 ]
  doc doc.json "b('$row')['reason']" | tee /dev/stderr |
    grep -Eq '^the guest hung: no end after 2.0 s; vCPU 0: .*; vCPU 1: '
  nothing_left doc.json
}

# At once, not at the limit.
@test "scale: a vCPU that ends while another one waits for it ends the row, and says so" {
  need_target kvm
  for which in 0 1; do
    SECONDS=0
    run_apart "$wsbench" run --on kvm --bench $row --vcpus 2 --boots 1 --events 10$which --timeout 60 \
      --payload "$payloads/$arch/window_end.elf" -o doc.json
    [ "$status" = 4 ]
    [ "$(doc doc.json "b('$row')['reason']")" = \
      "vCPU $which ended while vCPU $((1 - which)) waits at the begin of the event phase" ]
    [ "$SECONDS" -lt 30 ]
  done
  nothing_left doc.json
}

@test "scale: vCPUs that begin different phases end the row" {
  need_target kvm
  SECONDS=0
  run_apart "$wsbench" run --on kvm --bench $row --vcpus 3 --boots 1 --timeout 60 \
    --payload "$payloads/$arch/window_twice.elf" -o doc.json
  [ "$status" = 4 ]
  doc doc.json "b('$row')['reason']" | tee /dev/stderr |
    grep -Eq '^vCPU [0-2] begins the (null|event) phase while vCPU [0-2] waits at the begin of the (event|null) phase$'
  [ "$SECONDS" -lt 30 ]
  nothing_left doc.json
}

@test "scale: in the lab with two CPUs, figures are exact" {
  need_target lab:aarch64-smp
  for run in 1 2; do
    run_apart "$wsbench" run --on lab:aarch64-smp --bench hypercall,mmio_read_user,fault_first_touch_4k,sgi_self,vm_create \
      --vcpus 1,2,3 --vms 2 --boots 1 --events 50 --quiet -o "$run.json"
    [ "$status" = 0 ]
  done
  # No path of a hypercall depends on other vCPUs.
  for scale in vcpus=1 vcpus=2 vms=2; do
    for doc in 1.json 2.json; do
      doc "$doc" "[m['estimate']['value'] for x in d['benchmarks'] for m in x['metrics']
        if x['name'] == 'hypercall' and x['config'] == 'default@$scale' and m['name'].startswith('round_trip')]"
    done
  done | sort -u >figures
  [ "$(wc -l <figures)" = 1 ]
  holds 1.json 'all(x["exits"]["observed"] == (x.get("vcpus") or x["vms"]) * 50 for x in d["benchmarks"]
    if x["status"] == "ok")' \
    '{x["config"] for x in d["benchmarks"] if x["name"] == "fault_first_touch_4k" and x["status"] == "ok"} ==
      {"default@vcpus=1", "default@vcpus=2", "default@vms=2"}' \
    'all("needs 3 CPUs" in x["reason"] for x in d["benchmarks"]
      if x.get("vcpus") == 3 and x["name"] not in ("vm_create", "sgi_self"))' \
    '{x["config"]: x["status"] for x in d["benchmarks"] if x["name"] == "sgi_self"} == {"default@vcpus=1": "skip",
      "default@vcpus=2": "skip", "default@vcpus=3": "skip", "default@vms=2": "ok"}' \
    'not any(m["name"] in ("ops_per_mtick", "efficiency", "overlap") for x in d["benchmarks"] for m in x["metrics"])'
}

# Beside another vCPU and in a VM of its own, the range over vCPUs and boots repeats.
@test "scale: in the lab with two CPUs, faults have the same figures in each run" {
  need_target lab:aarch64-smp
  for run in 1 2; do
    run_apart "$wsbench" run --on lab:aarch64-smp --bench fault_first_touch_4k,fault_dirty_log,mmio_read_user \
      --vcpus 1,2 --vms 2 --events 100 --quiet -o "$run.json"
    [ "$status" = 0 ]
    holds "$run.json" 'len(d["benchmarks"]) == 9' 'all(x["status"] == "ok" for x in d["benchmarks"])'
    doc "$run.json" "[(x['name'], x['config'], m['name'], m['estimate']) for x in d['benchmarks']
      for m in x['metrics']]" >"figures.$run"
  done
  diff figures.1 figures.2
}

# An unscaled run has one thread; scaled runs have two or more, also of one vCPU.
@test "scale: in the lab, one vCPU has the threading of several" {
  need_target lab:aarch64-vhe
  run_apart "$wsbench" run --on lab:aarch64-vhe --bench mmio_read_user --boots 1 --events 50 --quiet -o one.json
  [ "$status" = 0 ]
  run_apart "$wsbench" run --on lab:aarch64-vhe --bench mmio_read_user --vcpus 1 --vms 1 --boots 1 --events 50 \
    --quiet -o scaled.json
  [ "$status" = 0 ]
  one=$(doc one.json 'value("mmio_read_user")')
  echo "one thread: $one" >&2
  for scale in vcpus=1 vms=1; do
    holds scaled.json "value('mmio_read_user', 'default@$scale') > $one"
  done
}

# The CPUs execute at the same time: no path of these rows waits for the other vCPU.
@test "scale: two CPUs that execute at the same time have the figures of one" {
  need_target lab:x86_64-svm-smp
  run_apart "$wsbench" run --on lab:x86_64-svm-smp --bench cpuid,pio_ioeventfd,fault_first_touch_4k --vcpus 1,2 --vms 2 \
    --boots 3 --events 50 --quiet -o doc.json
  [ "$status" = 0 ]
  for bench in cpuid pio_ioeventfd fault_first_touch_4k; do
    holds doc.json "len({m['estimate']['value'] for x in d['benchmarks'] for m in x['metrics']
      if x['name'] == '$bench' and m['name'] in ('round_trip', 'round_trip_worst')}) == 1"
  done
  holds doc.json 'all(x["exits"]["observed"] == (x.get("vcpus") or x["vms"]) * 150 for x in d["benchmarks"])' \
    'not [w for w in d["warnings"] if w["code"] in ("shared-cores", "oversubscribed", "boots-differ")]'
  # No event counts that one vCPU made alone. An event is at most a 40th of the phase. Only some
  # phases have an interrupt of the kernel's timer, which takes up to 8000 instructions: the middle
  # boot of three has none, in which the rate is N times that of one vCPU. Faults of one boot
  # differ in length.
  holds doc.json 'all(m["estimate"]["value"] >= 90 for x in d["benchmarks"] for m in x["metrics"]
      if m["name"] == "overlap")' \
    'any(m["estimate"]["value"] < 100 for x in d["benchmarks"] for m in x["metrics"] if m["name"] == "overlap")' \
    'all((m["estimate"]["value"] == 100) for x in d["benchmarks"] for m in x["metrics"]
      if m["name"] == "overlap" and 1 in (x.get("vcpus"), x.get("vms")))' \
    'all(80 <= m["estimate"]["value"] <= 125 for x in d["benchmarks"] for m in x["metrics"]
      if m["name"] == "efficiency")' \
    '[99.8 < sorted(k["summary"]["p50"] for k in m["boots"])[1] < 100.2 for x in d["benchmarks"]
      for m in x["metrics"] if m["name"] == "efficiency" and x["name"] in ("cpuid", "pio_ioeventfd")] == 4 * [True]' \
    'all(m["unit"] == "ops/Mtick" and m["better"] == "higher" and
      m["estimate"]["value"] < 1e6 * (x.get("vcpus") or x["vms"]) / value(x["name"], x["config"])
      for x in d["benchmarks"] for m in x["metrics"] if m["name"] == "ops_per_mtick")' \
    'sum(m["name"] == "ops_per_mtick" for x in d["benchmarks"] for m in x["metrics"]) == 9'
}

@test "scale: the exits to L1 of every VM are counted" {
  need_target lab:x86_64-svm-smp
  run_apart "$wsbench" run --on lab:x86_64-svm-smp --bench nested_cpuid --vms 1,2 --boots 1 --events 50 --quiet -o doc.json
  [ "$status" = 0 ]
  holds doc.json '[x["exits"]["l1"] for x in d["benchmarks"]] == [50, 100]'
}
