#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# wsbench plot: pictures of documents, messages about kinds that are not drawn, and failed
# writes.
bats_require_minimum_version 1.5.0
load helper

# One document for all tests of this file.
setup_file() {
  "$wsbench" run --on bare:x86_64 --bench null,rdtsc,cpuid --quiet -o "$BATS_FILE_TMPDIR/doc.json" \
    >/dev/null 2>&1 || true
}

need_document() {
  need_target bare:x86_64
  command -v gnuplot >/dev/null || skip "gnuplot is not installed"
  cp "$BATS_FILE_TMPDIR/doc.json" doc.json
}

@test "a picture as SVG and PNG, and one line for each kind that is not drawn" {
  need_document
  run_apart "$wsbench" plot doc.json -o pictures
  echo "$stdout / $stderr"
  [ "$status" = 0 ]
  [ "$stdout" = "pictures/round_trip-insns-x86_64.svg
pictures/round_trip-insns-x86_64.png" ]
  one_line "$stderr"
  [[ $stderr == *'not drawn: compare ('*'configs ('*'distribution ('* ]]
  nothing_left doc.json pictures pictures/round_trip-insns-x86_64.svg \
    pictures/round_trip-insns-x86_64.png
  python3 - pictures/round_trip-insns-x86_64.svg <<'END'
import sys, xml.dom.minidom
text = xml.dom.minidom.parse(sys.argv[1]).documentElement.toxml()
assert "rdtsc" in text and "bare:x86_64" in text, "a name is missing"
END
}

@test "plot --help lists each kind on a line, below the others" {
  run_apart "$wsbench" plot --help
  [ "$status" = 0 ]
  sed -n '/^Pictures:/,$p' <<<"$stdout" | tail -n +2 >kinds
  [ "$(wc -l <kinds)" = "$(grep -cE '^  [a-z]+ {2,}[a-z]' kinds)" ]
  grep -q '^  scaling ' kinds
}

@test "bars in percent of a base" {
  need_document
  run_apart "$wsbench" plot doc.json -o . --kind bars --base bare:x86_64
  echo "$stderr"
  [ "$status" = 0 ]
  grep -q 'percent of bare:x86_64' round_trip-insns-x86_64.svg
  grep -q '>100.0 %   1<' round_trip-insns-x86_64.svg
  refused 2 "--base 6.2: no document is of this target, label or kernel (the documents have bare:x86_64" \
    "$wsbench" plot doc.json -o . --kind bars --base 6.2
}

@test "an unknown --base or --config is bad usage, also beside pictures that could be drawn" {
  need_document
  refused 2 'no document is of this target, label or kernel (the documents have bare:x86_64' \
    "$wsbench" plot doc.json -o pictures --base lab:xyzzy
  refused 2 '--config pmu-of: no document has benchmarks under this config (the documents have default)' \
    "$wsbench" plot doc.json -o pictures --config default,pmu-of
  nothing_left doc.json
  # What exists, and does not suit a kind.
  run_apart "$wsbench" plot doc.json -o pictures --base bare:x86_64 --config default,default
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [[ $stderr == *'not drawn: compare ('* ]]
}

@test "two documents of a target: their differences" {
  need_document
  python3 - <<'END'
import json
d = json.load(open("doc.json"))
for b in d["benchmarks"]:
    if b["name"] == "rdtsc":
        for m in b["metrics"]:
            m["estimate"]["value"] += 7
            m["estimate"]["ci"] = None
            for boot in m["boots"]:
                for q in ("min", "p50", "max"):
                    if boot["summary"][q] is not None:
                        boot["summary"][q] += 7
json.dump(d, open("new.json", "w"))
END
  run_apart "$wsbench" plot doc.json new.json -o . --kind compare --quiet
  echo "$stdout / $stderr"
  [ "$status" = 0 ]
  [ -z "$stderr" ]
  grep -q '+7' compare-bare-x86_64.svg
}

# make_history: writes h.jsonl of three runs; in the last run rdtsc costs 7 more.
make_history() {
  local i
  for i in 1 2 3; do
    python3 - "$i" <<'END'
import json, sys
d = json.load(open("doc.json"))
i = int(sys.argv[1])
d["run"]["id"] = f"run-{i}"
d["run"]["started"] = d["run"]["finished"] = f"2026-01-0{i}T00:00:00Z"
d["subject"]["label"] = f"label'{i}%s\\"
for b in d["benchmarks"]:
    for m in b["metrics"] if b["name"] == "rdtsc" and i == 3 else []:
        m["estimate"]["value"] += 7
        m["estimate"]["ci"] = None
json.dump(d, open(f"run{i}.json", "w"))
END
    "$wsbench" history add --quiet --db h.jsonl "run$i.json"
  done
}

@test "a history: the changes and the runs that caused them" {
  need_document
  make_history
  run_apart "$wsbench" plot --history h.jsonl -o pictures
  echo "$stdout / $stderr"
  [ "$status" = 0 ]
  [ "$stdout" = "pictures/history-bare-x86_64.svg
pictures/history-bare-x86_64.png" ]
  grep -q 'over 3 runs' pictures/history-bare-x86_64.svg
  grep -q '700.0 %' pictures/history-bare-x86_64.svg
  grep -qF "label'3%s\\" pictures/history-bare-x86_64.svg
  run_apart "$wsbench" report --history h.jsonl -o out
  [ "$status" = 0 ]
  grep -q '3 runs, .*; 1 changes' out/report.html
  grep -qF 'label&#39;3%s' out/report.html
  # The option has the name that it has in `history`, too.
  run_apart "$wsbench" plot --db h.jsonl -o same
  [ "$status" = 0 ]
  diff -r pictures same
  run_apart "$wsbench" report --db=h.jsonl -o again
  [ "$status" = 0 ]
  cmp out/report.html again/report.html
  refused 2 "option '--db' needs a value" "$wsbench" report -o out --db
}

@test "the history of kernels: core benchmarks, short names, no line through a text" {
  local svg=pictures/history-lab-aarch64-vhe.svg
  "$wsbench" plot --history "$top/results/kernels.jsonl" --kind history --quiet -o pictures
  grep -q '>6.1.0-45<' "$svg"
  run ! grep -q 'cloud-arm64' "$svg"
  run ! grep -q '>debug_register<' "$svg"
  python3 - "$svg" <<'END'
import re, sys
svg = open(sys.argv[1]).read()
# Of each dashed upright line: x, top, bottom. Of each change's text: x, y.
lines = [(float(x), float(a), float(b)) for path in re.findall(r"stroke-dasharray[^>]*d='([^']*)'", svg)
         for x, a, b in re.findall(r"M([\d.]+),([\d.]+) L\1,([\d.]+)", path)]
texts = [(float(x), float(y)) for x, y in
         re.findall(r'translate\(([\d.]+),([\d.]+)\)"[^>]*>\s*<text>(?:<[^>]*>)*[\u25b2\u25bc]', svg)]
assert len(lines) > 80 and len(texts) > 20, (len(lines), len(texts))
for x, y in texts:
    crossed = [l for l in lines if x < l[0] < x + 60 and min(l[1:]) < y < max(l[1:])]
    assert not crossed, ((x, y), crossed)
END
  "$wsbench" plot --history "$top/results/kernels.jsonl" --kind history --bench debug_register \
    --quiet -o asked
  grep -q '>debug_register<' "asked/history-lab-aarch64-vhe.svg"
}

@test "the trend: a row that grew by far more than the others does not flatten them, no label is cut" {
  local kernel
  # shellcheck source=host/tests/history_helper.bash
  source "$tests/history_helper.bash"
  for kernel in 1 2; do
    KERNEL=6.1.$kernel document $kernel.json run$kernel run$kernel vm_destroy=$((327003 * kernel ** 10)) \
      hypercall=$((1000 + kernel)) mmio_write_ioeventfd_match=$((1000000 + kernel))
  done
  sed -i 's/"config": "default"/"config": "pmccntr-passthrough"/g' 1.json 2.json
  "$wsbench" history add --quiet --db h.jsonl 1.json 2.json
  "$wsbench" plot --history h.jsonl --kind trend --quiet -o .
  grep -q 'logarithmic axis' trend-*.svg
  python3 - trend-*.svg <<'END'
import re, sys
svg = open(sys.argv[1]).read()
width = float(re.search(r'viewBox="0 0 (\d+)', svg)[1])
labels = re.findall(r'translate\(([\d.]+),([\d.]+)\)"[^>]*font-size="([\d.]+)"[^>]*text-anchor="start">\s*<text[^>]*>([^<]*\u2192[^<]*)<', svg)
assert len(labels) == 3, labels
for x, y, size, text in labels:
    # A character of a sans-serif face is 0.55 em wide on average.
    assert float(x) + 0.55 * float(size) * len(text) < width, (x, text)
# 101 and 102,400 % on one axis: both are well away from its ends.
ends = [float(y) for x, y, size, text in labels]
assert max(ends) - min(ends) > 200, ends
END
}

@test "the trend of kernels: percent of the first, labelled at the ends of the lines" {
  cp "$tests/data/steps.jsonl" .
  run_apart "$wsbench" plot --history steps.jsonl --kind trend --bench 'hypercall,cpuid' -o pictures
  echo "$stdout / $stderr"
  [ "$status" = 0 ]
  grep -qx pictures/trend-lab-x86_64-svm.svg <<<"$stdout"
  grep -q 'percent of 6.12.113' pictures/trend-lab-x86_64-svm.svg
  grep -q 'cpuid  1,313 → 1,476' pictures/trend-lab-x86_64-svm.svg
  grep -q 'hypercall  1,449 → 1,612' pictures/trend-lab-x86_64-svm.svg
  run ! grep -q pio_out_user pictures/trend-lab-x86_64-svm.svg
  # Runs of one kernel have no trend.
  need_document
  make_history
  refused 2 'nothing to draw: trend (no exact target has round trips of two kernels)' \
    "$wsbench" plot --history h.jsonl --kind trend -o pictures
}

@test "a history: a change of distribution is marked with the quantile that moved" {
  command -v gnuplot >/dev/null || skip "gnuplot is not installed"
  python3 - >h.jsonl <<'END'
import json, random
random.seed(1)
for run in range(50):
    value = round(1200 * random.gauss(1, 0.004), 1)
    print(json.dumps({
        "schema": "worldswitch.history", "version": 1, "run": "r%d" % run, "time": "2026-11-21T09:00:00Z",
        "target": "kvm", "machine": "m", "exact": False, "tool": "t", "benchmark": "hypercall", "config": "default",
        "metric": "round_trip", "unit": "ticks", "better": "lower", "value": value, "quantum": 1, "boots": 10,
        "p90": 1250 if run < 40 else 2500, "mean": 1250 if run < 40 else 1400}))
END
  run_apart "$wsbench" plot --history h.jsonl -o pictures
  [ "$status" = 0 ]
  grep -q 'p90 +100.0 %' pictures/history-kvm.svg
  run_apart "$wsbench" report --history h.jsonl -o out
  [ "$status" = 0 ]
  grep -q 'distribution changed:.*p90 1,250 -&gt; 2,500, figure 1,[12]' out/report.html
  grep -q '1 changed their class or distribution' out/report.html
}

@test "plot: a file that is not a history" {
  need_document
  : >empty.jsonl
  echo text >text.jsonl
  refused 2 'empty.jsonl has no figures' "$wsbench" plot --history empty.jsonl -o pictures
  refused 2 'text.jsonl' "$wsbench" plot --history text.jsonl -o pictures
  refused 2 'missing.jsonl' "$wsbench" report --history missing.jsonl -o out
  refused 2 'nothing to draw: history (needs --history)' \
    "$wsbench" plot doc.json --kind history -o pictures
}

@test "nothing to draw is bad input" {
  need_document
  refused 2 'nothing to draw: tax (no document has benchmarks under both pmu-off and pmu-emulated)' \
    "$wsbench" plot doc.json -o pictures --kind tax
  python3 - <<'END'
import json
d = json.load(open("doc.json"))
for b in d["benchmarks"]:
    b.update(status="skip", reason="none", metrics=[])
json.dump(d, open("skipped.json", "w"))
END
  refused 2 'nothing to draw: bars (no round trip was measured)' \
    "$wsbench" plot skipped.json -o pictures --kind bars
  rm skipped.json
  refused 2 "no picture 'bar': did you mean 'bars'?" "$wsbench" plot doc.json -o pictures --kind bar
  refused 2 '--config needs two configs' "$wsbench" plot doc.json -o pictures --config pmu-off
  refused 2 'no result document was given' "$wsbench" plot -o pictures
  refused 2 'no output folder' "$wsbench" plot doc.json
  nothing_left doc.json
}

@test "a truncated document is refused, also beside valid ones" {
  need_document
  head -c 3000 doc.json >half
  : >empty
  refused 2 'half: not JSON: line ' "$wsbench" plot doc.json half -o pictures
  refused 2 'empty: ' "$wsbench" plot empty -o pictures
  nothing_left doc.json half empty
}

@test "without gnuplot: one line, and no file is written" {
  need_document
  mkdir none
  refused 4 'gnuplot is not installed' env PATH="$PWD/none" "$wsbench" plot doc.json -o pictures --kind bars
  [ -z "$(ls pictures)" ]
}

@test "plot --bench: a name that no input has" {
  need_document
  refused 2 '--bench nix: no document has a benchmark of this name' "$wsbench" plot doc.json -o out --bench nix
  refused 2 '--bench nix: no document has a benchmark of this name' "$wsbench" plot doc.json -o out --bench '*,nix'
  refused 2 '--bench nix: no document has a benchmark of this name' \
    "$wsbench" plot --history "$tests/data/steps.jsonl" -o out --bench nix
  [ ! -e out ]
}

@test "plot: a folder that cannot be created or written to" {
  need_document
  touch file
  refused 4 'cannot make folder file: Not a directory' "$wsbench" plot doc.json -o file --kind bars
  refused 4 'cannot make folder file/dir: Not a directory' "$wsbench" plot doc.json -o file/dir --kind bars
  # Those above it are made, too.
  "$wsbench" plot doc.json -o missing/dir --kind bars --quiet
  [ -s missing/dir/round_trip-insns-x86_64.svg ]
  need_own_mounts
  refused 4 'Read-only file system' "${own_mounts[@]}" '
    mount -t tmpfs -o ro none /mnt
    exec "$0" plot doc.json -o /mnt --kind bars' "$wsbench"
}

@test "plot: a full disk: the old picture stays, without a partial new one" {
  need_document
  need_own_mounts
  run_apart "${own_mounts[@]}" '
    mount -t tmpfs -o size=8k none /mnt
    echo old >/mnt/round_trip-insns-x86_64.svg
    code=0
    "$0" plot doc.json -o /mnt --kind bars || code=$?
    ls -A /mnt >seen
    cat /mnt/round_trip-insns-x86_64.svg >>seen
    exit $code' "$wsbench"
  echo "exit code $status: $stderr"
  [ "$status" = 4 ]
  one_line "$stderr"
  [[ $stderr == *'No space left on device'* ]]
  [ "$(cat seen)" = "round_trip-insns-x86_64.svg
old" ]
}
