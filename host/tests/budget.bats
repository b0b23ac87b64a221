#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# wsbench budget: real outputs of perf kvm stat, kvm_stat and debugfs, and figures of a document or of a lab.
bats_require_minimum_version 1.5.0
load helper

setup_file() { export data="$BATS_TEST_DIRNAME/data/budget"; }

@test "budget: amounts per second, sorted, with shares; what has no row is listed" {
  run_apart "$wsbench" budget --exits "$data/kvm_stat-6.1-svm.csv" "$data/svm-6.1.json"
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  # The first sentence says of how many exits.
  [[ ${stdout//$'\n' /} == *'instructions per second on exits, for the 88.7 % of the exits that have a figure, by the figures of lab:x86_64-svm,'* ]]
  # 7,000 VMMCALLs of 1,524 instructions in 18 seconds.
  grep -qE '^VMMCALL +388\.9 +hypercall +1,524 +592,667 +2\.4 %$' <<<"$stdout"
  # Of the port accesses, 28,274 reached the VMM.
  grep -qE '^IOIO to VMM +1,570\.8 +pio_out_user +3,659 ' <<<"$stdout"
  grep -qE '^IOIO in KVM +777\.8 +pio_out_kernel ' <<<"$stdout"
  grep -qE '^VINTR +777\.8 +the interrupt window' <<<"$stdout"
  grep -qE '^\(other exits\) +388\.9 ' <<<"$stdout"
  grep -q 'Not exits, and not in the budget:.* kvm_cpuid 7,113' <<<"${stdout//$'\n' /}"
  run ! grep -qi 'time on exits\|cycles' <<<"$stdout"
}

@test "budget: the sums of JSON and CSV are those of the lines, and no exit is lost" {
  "$wsbench" budget --exits "$data/perf-6.1-svm.txt" "$data/svm-6.1.json" --json >one.json
  "$wsbench" budget --exits "$data/perf-6.1-svm.txt" "$data/svm-6.1.json" --csv >one.csv
  python3 - one.json one.csv "$data/perf-6.1-svm.txt" "$data/svm-6.1.json" <<'EOF'
import csv, json, re, sys
budget = json.load(open(sys.argv[1]))
lines = list(csv.DictReader(open(sys.argv[2])))
# Counted a second time, from the text of perf and from the document.
exits = {m[1].strip(): int(m[2]) for m in re.finditer(r"^ +(.+?) +(\d+) +[\d.]+%", open(sys.argv[3]).read(), re.M)}
rows = {b["name"]: b for b in json.load(open(sys.argv[4]))["benchmarks"]}
assert budget["schema"] == "worldswitch.budget" and budget["schema_version"] == 1
assert {e["exit"]: e["count"] for e in budget["exits"]} == exits
assert {l["exit"]: int(l["count"]) for l in lines} == exits
total = 0
for e in budget["exits"]:
    assert (e["spent"] is None) == (e["reason"] is not None), e
    if e["reason"]:
        continue
    b = rows[e["row"]]
    value = [m for m in b["metrics"] if m["name"] == "round_trip"][0]["estimate"]["value"]
    per_event = 2 if e["row"] == "hlt_kernel" else 1
    assert e["cost"] == value / per_event, e
    assert e["spent"] == e["count"] * e["cost"]
    total += e["spent"]
assert budget["spent"] == total and budget["count"] == sum(exits.values())
assert sum(float(l["spent"] or 0) for l in lines) == total
EOF
}

@test "budget: two documents: what the workload would pay more" {
  run_apart "$wsbench" budget --exits "$data/perf-6.12-svm.txt" --seconds 30 "$data/svm-6.1.json" "$data/svm-6.12.json"
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [[ $stdout == '+'*' instructions per second on exits (+'* ]]
  # Numbers of a column have the same decimals.
  grep -qE '^hypercall +140\.0 +hypercall +1,524 +1,620 +226,800 +\+13,440 +\+6\.3 %$' <<<"$stdout"
  # perf counts what the VMM handles together with what KVM handles.
  [[ ${stdout//$'\n' /} == *'each with one row'*'npf (all as mmio_write_user, 41.8 % of the amount), io (all as pio_out_user, '* ]]
  # A narrower output keeps the row.
  COLUMNS=80 run_apart "$wsbench" budget --exits "$data/perf-6.12-svm.txt" --seconds 30 "$data/svm-6.1.json" "$data/svm-6.12.json"
  [ "$(wc -L <<<"$stdout")" -le 80 ]
  grep -qE '^hypercall +140\.0 +hypercall +1,524 +1,620 +\+13,440$' <<<"$stdout"
  # The other way round it pays as much less.
  run_apart "$wsbench" budget --exits "$data/perf-6.12-svm.txt" --seconds 30 "$data/svm-6.12.json" "$data/svm-6.1.json"
  [[ $stdout == '-'* ]]
  grep -qE '^hypercall .* -13,440 ' <<<"$stdout"
  run_apart "$wsbench" budget --exits "$data/perf-6.12-svm.txt" "$data/svm-6.1.json" "$data/svm-6.12.json" --markdown
  [ "$status" = 0 ]
  grep -qF '| hypercall | 4,200 | hypercall | 1,524 | 1,620 |' <<<"$stdout"
}

@test "budget: arm64, accesses by address, snapshots, --map" {
  run_apart "$wsbench" budget --exits "$data/perf-6.12-arm64.txt" "$data/vhe-6.1.json"
  [ "$status" = 0 ]
  grep -qE '^HVC64 +12,600 +hypercall +989 ' <<<"$stdout"
  run_apart "$wsbench" budget --exits "$data/perf-6.1-svm-mmio.txt" "$data/svm-6.1.json"
  [ "$status" = 0 ]
  grep -qE '^0xfee000b0:W +[0-9,]+ +eoi ' <<<"$stdout"
  grep -qE 'row mmio_read_user is not in the document' <<<"$stdout"
  run_apart "$wsbench" budget --exits "$data/debugfs-6.1-svm-1.txt" --exits "$data/debugfs-6.1-svm-2.txt" \
    --seconds 10 "$data/svm-6.1.json"
  [ "$status" = 0 ]
  grep -qE '^io_exits +523\.7 +pio_out_user ' <<<"$stdout"
  run_apart "$wsbench" budget --exits "$data/perf-6.1-svm.txt" --map npf=eoi "$data/svm-6.1.json"
  [ "$status" = 0 ]
  grep -qE '^npf +38,[0-9]+ +eoi ' <<<"$stdout"
  # A reason that is split: by its own name, or by that of a part. All were handled in KVM.
  run_apart "$wsbench" budget --exits "$data/kvm_stat-6.1-svm.txt" --map npf=eoi --csv "$data/svm-6.1.json"
  grep -q '^NPF in KVM,.*,eoi,' <<<"$stdout"
  run_apart "$wsbench" budget --exits "$data/kvm_stat-6.1-svm.txt" --map 'npf in kvm=eoi' --csv "$data/svm-6.1.json"
  grep -q '^NPF in KVM,.*,eoi,' <<<"$stdout"
  run_apart "$wsbench" budget --exits "$data/kvm_stat-6.1-svm.txt" --map 'npf to vmm=eoi' --csv "$data/svm-6.1.json"
  [ "$status" = 0 ]
  grep -q '^NPF in KVM,' <<<"$stdout"
  [[ $stdout != *,eoi,* ]]
}

@test "budget: bad usage and bad input are one line" {
  refused 2 '--exits FILE is missing' "$wsbench" budget "$data/svm-6.1.json"
  refused 2 'the figures are missing' "$wsbench" budget --exits "$data/perf-6.1-svm.txt"
  refused 2 'not both' "$wsbench" budget --exits "$data/perf-6.1-svm.txt" --on kvm "$data/svm-6.1.json"
  refused 2 'cannot read ./none' "$wsbench" budget --exits ./none "$data/svm-6.1.json"
  refused 2 'vhe-6.1.json: the documents are of two architectures' "$wsbench" budget --exits "$data/perf-6.1-svm.txt" \
    "$data/svm-6.1.json" "$data/vhe-6.1.json"
  refused 2 'perf-6.1-svm.txt: the exit' "$wsbench" budget --exits "$data/perf-6.1-svm.txt" "$data/vhe-6.1.json"
  refused 2 'another architecture' "$wsbench" budget --exits "$data/perf-6.1-svm.txt" "$data/vhe-6.1.json"
  refused 2 'a VM ended while kvm_stat counted' "$wsbench" budget --exits "$data/kvm_stat-6.12-svm-d.txt" "$data/svm-6.1.json"
  refused 2 'a VM ended between the snapshots' "$wsbench" budget --exits "$data/debugfs-6.12-arm64-1.txt" \
    --exits "$data/debugfs-6.12-arm64-2.txt" "$data/vhe-6.1.json"
  refused 2 "'hypercal' is not a benchmark" "$wsbench" budget --exits x --map npf=hypercal "$data/svm-6.1.json"
  refused 2 'has the time already: 1 s' "$wsbench" budget --exits "$data/kvm_stat-6.1-svm.txt" --seconds 10 "$data/svm-6.1.json"
  refused 2 "'foo' is not among the exits" "$wsbench" budget --exits "$data/kvm_stat-6.1-svm.txt" --map foo=hypercall "$data/svm-6.1.json"
  refused 2 '--seconds' "$wsbench" budget --exits x --seconds 0 "$data/svm-6.1.json"
  refused 2 "'kvm' is not a lab" "$wsbench" budget --exits x --on kvm --kernel 6.1
  refused 2 '--csv and --json: one form at a time' "$wsbench" budget --exits x --csv --json "$data/svm-6.1.json"
  refused 2 '3 documents' "$wsbench" budget --exits "$data/perf-6.1-svm.txt" "$data/svm-6.1.json" "$data/svm-6.1.json" \
    "$data/svm-6.1.json"
  : >empty
  refused 2 'empty: the file is empty' "$wsbench" budget --exits empty "$data/svm-6.1.json"
  head -15 "$data/perf-6.1-svm.txt" >short
  refused 2 'the report is cut off' "$wsbench" budget --exits short "$data/svm-6.1.json"
  refused 2 'no exits were counted' "$wsbench" budget --exits "$data/debugfs-6.1-svm-0.txt" "$data/svm-6.1.json"
}

@test "budget: without any figure there is a list and no verdict" {
  printf '%s\n' /sys/kernel/debug/kvm/exits:7 /sys/kernel/debug/kvm/irq_exits:7 >irq
  run_apart "$wsbench" budget --exits irq "$data/svm-6.1.json"
  echo "$stdout$stderr"
  [ "$status" = 3 ]
  [[ $stdout == 'none of the exits has a figure'* ]]
  grep -qE '^irq_exits +7 ' <<<"$stdout"
}

@test "budget: --on measures the rows that the exits need" {
  need_target lab:x86_64-svm
  printf 'kvm_exit(CPUID) 10 10\nkvm_exit(VMMCALL) 3 2\nkvm_exit(VINTR) 5 5\nkvm_exit 18 17\n' >exits
  run_apart "$wsbench" budget --exits exits --on lab:x86_64-svm --json
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  printf '%s' "$stdout" >budget.json
  "$wsbench" run --quiet --on lab:x86_64-svm --bench cpuid,hypercall -o run.json >/dev/null
  python3 - budget.json run.json <<'EOF'
import json, sys
budget, run = (json.load(open(path)) for path in sys.argv[1:])
figures = {b["name"]: b["metrics"][0]["estimate"]["value"] for b in run["benchmarks"]}
assert budget["seconds"] == 1
assert {e["row"]: e["cost"] for e in budget["exits"] if e["row"]} == figures
assert budget["spent"] == 10 * figures["cpuid"] + 2 * figures["hypercall"]
EOF
}

@test "budget: the figures of the first kernel are not lost if the second fails" {
  need_target lab:x86_64-svm
  printf 'kvm_exit(CPUID) 10 10\nkvm_exit 10 10\n' >exits
  run_apart "$wsbench" budget --exits exits --on lab:x86_64-svm --kernel 6.1 --kernel ./none
  echo "$stdout$stderr"
  [ "$status" = 2 ]
  one_line "$stderr"
  [[ $stderr == *'./none'* ]]
  grep -qE '^CPUID +10 +cpuid ' <<<"$stdout"
}

@test "budget: the output in the README is that of its command" {
  # The block that begins with the command, without its blank line.
  sed -n '/^    \$ build\/wsbench budget /,/^[^ ]/{/^    /s/^    //p}' "$top/host/budget/README.md" >block
  local line command
  read -ra command < <(sed -n '1s/^\$ build\/wsbench //p' block)
  tail -n +2 block >shown
  # The command is for the top of the source tree.
  (cd "$top" && COLUMNS=100 contained "$wsbench" "${command[@]}") >printed
  # Its lines are lines of the output, in their order.
  [ "$(wc -l <shown)" -ge 8 ]
  while IFS= read -r line; do
    grep -qxF -e "$line" printed || { echo "not printed: $line" && return 1; }
  done <shown
  [ "$(head -n 2 shown)" = "$(head -n 2 printed)" ]
  [ "$(grep -xFf shown printed | grep .)" = "$(grep . shown)" ]
}
