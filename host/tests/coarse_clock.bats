#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Documents of a machine whose clock has 25 MHz, as arm64's: compare, history, power.
bats_require_minimum_version 1.5.0
load helper

# document FILE RUN TICKS: 10 boots of hypercall, which takes TICKS of the clock: whole ticks
# per event, and its noise of 0.2 % in a batch. RUN is a number up to 59; METRICS are those
# of the row.
document() {
  python3 - "$tests/result_v1.json" "$@" <<'END'
import copy, json, os, sys
base, path, run, ticks = sys.argv[1:]
with open(base) as f:
    d = json.load(f)
d["run"].update(id=run, started="2026-11-21T09:%02d:00Z" % int(run), partial=False)
d["target"].update(name="kvm", kind="kvm", exact=False, emulator=None, hypervisor="arm64 VHE")
d["clock"].update(name="CNTVCT_EL0", hz=25000000, unit="ticks", resolution=1)
b = next(b for b in d["benchmarks"] if b["metrics"])
row = b["metrics"][0]
boot = row["boots"][0]
b.update(name="hypercall", config="default", status="ok", reason=None, handled_by="kernel", metrics=[])
d["benchmarks"] = [b]
for metric in os.environ.get("METRICS", "round_trip round_trip_batch").split():
    m = copy.deepcopy(row)
    m.update(name=metric, unit="ticks", boots=[], bootstrap=None)
    for i in range(10):
        one = copy.deepcopy(boot)
        batch = float(ticks) * (1 + 0.002 * ((i * 7 + 3) % 10 - 4.5) / 4.5)
        figure = batch if metric == "round_trip_batch" else float(int(batch))
        one.update(index=i, valid=True, reject_reason=None)
        one["summary"] = dict.fromkeys(one["summary"], figure) | {"n": 20}
        m["boots"].append(one)
    figures = sorted(x["summary"]["p50"] for x in m["boots"])
    m["estimate"].update(value=(figures[4] + figures[5]) / 2,
                         ci={"level": 0.95, "lo": figures[1], "hi": figures[8], "method": "order-statistic"})
    b["metrics"].append(m)
with open(path, "w") as f:
    json.dump(d, f)
END
}

# The output on one line.
flat() {
  tr -s ' \n' ' ' <<<"$stdout"
}

rows() {
  python3 -c 'import json, sys; print([(r["metric"], r["verdict"]) for r in json.load(sys.stdin)["rows"]])' <<<"$stdout"
}

@test "two ticks of ten are not the same, and a batch shows that they are a sixth" {
  document base.json 1 10.40
  document new.json 2 12.17
  run_apart "$wsbench" compare --metric round_trip,round_trip_batch --all base.json new.json
  echo "$stdout"
  [ "$status" = 3 ]
  grep -q '^hypercall  .* inconclusive ' <<<"$stdout"
  [[ $(flat) == *"the difference is within 2 steps of the clock (a step is 1 tick, 40 ns): more boots would not help; --metric round_trip_batch resolves more"* ]]
  grep -q '^hypercall round_trip_batch .* worse?$' <<<"$stdout"
  [[ $(flat) != *"find smaller differences"* ]]
  run_apart "$wsbench" compare --json --metric round_trip,round_trip_batch base.json new.json
  [ "$status" = 3 ]
  [ "$(rows)" = "[('round_trip', 'inconclusive'), ('round_trip_batch', 'worse?')]" ]
}

@test "runs of one kernel are the same on a coarse clock" {
  document base.json 1 10.40
  document new.json 2 10.41
  run_apart "$wsbench" compare --json --metric round_trip,round_trip_batch base.json new.json
  [ "$status" = 0 ]
  [ "$(rows)" = "[('round_trip', 'same'), ('round_trip_batch', 'same')]" ]
}

@test "several runs a side: a verdict by the batch alone" {
  mkdir base new
  for i in 0 1 2; do
    document base/$i.json "$((2 * i))" "10.4$i"
    document new/$i.json "$((2 * i + 1))" "12.1$i"
  done
  run_apart "$wsbench" compare --json --base base --new new
  [ "$status" = 3 ]
  [ "$(rows)" = "[('round_trip', 'inconclusive')]" ]
  run_apart "$wsbench" compare --json --metric round_trip_batch --base base --new new
  [ "$status" = 1 ]
  [ "$(rows)" = "[('round_trip_batch', 'worse')]" ]
}

@test "no hint at a metric that the documents do not have" {
  METRICS=round_trip document base.json 1 10.40
  document new.json 2 12.17
  run_apart "$wsbench" compare --all base.json new.json
  [ "$status" = 3 ]
  [[ $(flat) == *"(a step is 1 tick, 40 ns): more boots would not help"* ]]
  [[ $stdout != *round_trip_batch* ]]
}

@test "a history of batches has the change, and one of events does not pass it" {
  for i in $(seq 20 35); do
    document "$i.json" "$i" "$((i < 28 ? 10 : 11)).$((40 + i % 3))"
  done
  "$wsbench" history add --db events.jsonl ./*.json
  "$wsbench" history add --db batches.jsonl --metric round_trip_batch ./*.json
  # The stored quantum is the step of the clock in both.
  [ "$(sed 's/.*"quantum":\([0-9]*\).*/\1/' events.jsonl batches.jsonl | sort -u)" = 1 ]
  run_apart "$wsbench" history check --db events.jsonl
  echo "$stdout"
  [ "$status" = 3 ]
  [[ $stdout == *"1 series: 0 became worse"*"1 moved within 2 steps of the clock"*"hypercall 10"*"-> 11"* ]]
  run_apart "$wsbench" history check --db batches.jsonl
  [ "$status" = 1 ]
  [[ $stdout == *"1 series: 1 became worse"* ]]
  [[ $stdout != *"steps of the clock"* ]]
}
