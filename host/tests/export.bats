#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Exports: each format is read by its consumer if installed, and checked by the rules of its
# specification.
bats_require_minimum_version 1.5.0
load helper

# Two documents of one target, made once for all tests.
setup_file() {
  clean_place "$BATS_FILE_TMPDIR"
  "$wsbench" run --quiet --on bare:x86_64 --bench null,rdtsc,rdtscp --boots 3 --label 'a "b", c' \
    -o one.json >/dev/null 2>&1 || return 0
  "$wsbench" run --quiet --on bare:x86_64 --bench null,rdtsc --boots 3 -o two.json >/dev/null 2>&1
}

setup() {
  clean_place "$BATS_TEST_TMPDIR"
  touch "$BATS_TEST_TMPDIR/begin"
  one=$BATS_FILE_TMPDIR/cwd/one.json
  two=$BATS_FILE_TMPDIR/cwd/two.json
  [ -f "$two" ] || need_target bare:x86_64
}

# export FORMAT FILE...: writes the file `out`.
export_to_out() {
  "$wsbench" export --format "$@" >out
}

# python_with MODULE: sets $python to a Python with MODULE; skips if there is none.
python_with() {
  for python in python3 /usr/bin/python3; do
    ! "$python" -c "import $1" 2>/dev/null || return 0
  done
  skip "no Python with $1 here"
}

@test "gha: names, units and numbers" {
  export_to_out gha "$one"
  python3 - "$one" <<'END'
import json, sys
d = json.load(open("out"))
assert [e["name"] for e in d] == ["bare:x86_64/null", "bare:x86_64/rdtsc", "bare:x86_64/rdtscp"], d
for e in d:
    assert set(e) <= {"name", "unit", "value", "range", "extra"}
    assert isinstance(e["value"], (int, float)) and e["unit"] == "insns"
want = {b["name"]: b["metrics"][0]["estimate"]["value"] for b in json.load(open(sys.argv[1]))["benchmarks"]}
assert {e["name"].split("/")[1]: e["value"] for e in d} == want
END
  refused 2 "gha holds only one run of each target" "$wsbench" export --format gha "$one" "$two"
}

@test "bmf: measures with their bounds" {
  export_to_out bmf --metric 'round_trip,twin' "$one"
  python3 - <<'END'
import json
d = json.load(open("out"))
assert set(d) == {"bare:x86_64/null", "bare:x86_64/rdtsc", "bare:x86_64/rdtscp"}, d
assert set(d["bare:x86_64/rdtsc"]) == {"round-trip-insns", "twin-insns"}
for b in d.values():
    for slug, m in b.items():
        assert len(slug) <= 64
        assert m["lower_value"] <= m["value"] <= m["upper_value"]
END
}

@test "otava-csv: a row per run, numbers in every column" {
  export_to_out otava-csv "$one" "$two"
  python3 - <<'END'
import csv, datetime
rows = list(csv.reader(open("out", newline="")))
assert rows[0] == ["time", "run", "kernel", "label", "commit", "null", "rdtsc"], rows[0]
assert len(rows) == 3
assert [r[3] for r in rows[1:]] == ['a "b", c', ""]
for r in rows[1:]:
    assert len(r) == len(rows[0])
    datetime.datetime.strptime(r[0], "%Y-%m-%dT%H:%M:%SZ")
    [float(x) for x in r[5:]]
END
}

@test "otava-json: runs with the same metrics and attributes" {
  export_to_out otava-json "$one" "$two"
  python3 - <<'END'
import json
d = json.load(open("out"))
assert len(d) == 2
assert all(isinstance(r["timestamp"], int) and r["timestamp"] > 1.7e9 for r in d)
assert {tuple(r["attributes"]) for r in d} == {("run", "target", "kernel", "label", "commit")}
names = [[m["name"] for m in r["metrics"]] for r in d]
assert names[0] == names[1] == ["bare:x86_64/null", "bare:x86_64/rdtsc"], names
assert all(isinstance(m["value"], (int, float)) for r in d for m in r["metrics"])
END
}

@test "gobench: every line has Go's benchmark format" {
  export_to_out gobench "$one" "$two"
  python3 - <<'END'
import re
n = 0
for line in open("out"):
    line = line.rstrip("\n")
    if line.startswith("Benchmark"):
        name, iterations, *pairs = line.split()
        assert not name[len("Benchmark")].islower(), line
        assert int(iterations) > 0 and pairs and len(pairs) % 2 == 0, line
        for value, unit in zip(pairs[::2], pairs[1::2]):
            float(value)
            assert unit.endswith("/op"), line
        n += 1
    elif line.startswith("Unit "):
        assert re.fullmatch(r"Unit \S+( [a-z]+=\S+)+", line), line
    else:
        assert re.match(r"[a-z][^A-Z\s:]*: ", line), line
assert n == 3 * 3 + 2 * 3, n  # a line per boot
END
}

@test "gobench: benchstat reads it" {
  command -v benchstat >/dev/null || skip "benchstat is not installed"
  "$wsbench" export --format gobench "$one" >old
  "$wsbench" export --format gobench "$two" >new
  benchstat old new | grep -q Rdtsc
}

@test "gbench: Google Benchmark's compare.py reads it" {
  local compare=/usr/share/benchmark/compare.py
  [ -f "$compare" ] || skip "libbenchmark-tools is not installed"
  python_with scipy
  "$wsbench" export --format gbench "$one" >old.json
  "$wsbench" export --format gbench "$two" >new.json
  run_apart "$python" "$compare" --no-color benchmarks old.json new.json
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [[ $stdout == *"bare:x86_64/rdtsc "*"+0.0000"* ]]
}

@test "gbench: a repetition per boot, times in nanoseconds" {
  export_to_out gbench "$one"
  python3 - "$one" <<'END'
import json, sys
d, doc = json.load(open("out")), json.load(open(sys.argv[1]))
assert d["context"]["num_cpus"] >= 1 and d["context"]["library_build_type"] == "release"
rows = [b for b in d["benchmarks"] if b["name"] == "bare:x86_64/rdtsc"]
assert [b["repetition_index"] for b in rows] == [0, 1, 2]
for b in rows:
    assert b["time_unit"] == "ns" and b["run_type"] == "iteration" and b["repetitions"] == 3
    assert abs(b["real_time"] - b["insns"] * 1e9 / doc["clock"]["hz"]) < 1e-6
END
}

@test "openmetrics: Prometheus' own parser reads it" {
  python_with prometheus_client.openmetrics.parser
  export_to_out openmetrics --metric '*' "$one" "$two"
  "$python" - <<'END'
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(open("out").read()))
f = next(f for f in families if f.name == "worldswitch_round_trip_insns")
assert f.type == "gauge" and f.unit == "insns"
assert len(f.samples) == 5, f.samples
assert {s.labels["benchmark"] for s in f.samples} == {"null", "rdtsc", "rdtscp"}
assert {s.labels.get("label") for s in f.samples} == {'a "b", c', None}
END
}

@test "openmetrics: families are contiguous, and the text ends with EOF" {
  export_to_out openmetrics --metric '*' "$one" "$two"
  [ "$(tail -n 1 out)" = "# EOF" ]
  # A family does not continue after another one has begun.
  [ "$(grep -v '^#' out | sed 's/{.*//' | uniq)" = "$(grep -v '^#' out | sed 's/{.*//' | awk '!seen[$0]++')" ]
}

@test "kcidb: the used part of schema 5.0" {
  python_with jsonschema
  export_to_out kcidb "$one" "$two"
  "$python" - <<'END'
import json, jsonschema
ident = {"type": "string", "pattern": "^[a-z0-9_]+:.*$"}
common = {"id": ident, "origin": {"type": "string", "pattern": "^[a-z0-9_]+$"}}
def array(required, **properties):
    return {"type": "array", "minItems": 2, "items": {
        "type": "object", "properties": {**common, **properties},
        "required": ["id", "origin", *required], "additionalProperties": False}}
text = {"type": "string"}
schema = {"type": "object", "additionalProperties": False, "required": ["version"], "properties": {
    "version": {"properties": {"major": {"const": 5}, "minor": {"const": 0}}, "required": ["major"]},
    "checkouts": array([], comment=text, git_commit_hash={"pattern": "^[0-9a-f]{40}([0-9a-f]{24})?$"}),
    "builds": array(["checkout_id"], checkout_id=ident, architecture=text, comment=text),
    "tests": array(["build_id"], build_id=ident, start_time=text, status={"const": "DONE"},
        path={"type": "string", "pattern": "^([a-zA-Z0-9_-]+(\\.[a-zA-Z0-9_-]+)*)?$"},
        environment={"type": "object", "properties": {"comment": text}, "additionalProperties": False},
        number={"type": "object", "required": ["value"], "additionalProperties": False,
                "properties": {"value": {"type": "number"}, "unit": text}})}}
d = json.load(open("out"))
jsonschema.validate(d, schema)
assert {t["build_id"] for t in d["tests"]} <= {b["id"] for b in d["builds"]}
assert {b["checkout_id"] for b in d["builds"]} <= {c["id"] for c in d["checkouts"]}
assert len({t["id"] for t in d["tests"]}) == len(d["tests"]) == 5
END
}

@test "csv: all metrics, and the skipped rows" {
  python3 - "$one" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
d["benchmarks"][1].update(status="skip", reason='no "x", here', metrics=[])
d["benchmarks"][0]["exits"]["faults"] = 500
json.dump(d, open("skip.json", "w"))
END
  export_to_out csv skip.json
  python3 - <<'END'
import csv
rows = list(csv.DictReader(open("out", newline="")))
skipped = [r for r in rows if r["status"] == "skip"]
assert len(skipped) == 1 and skipped[0]["reason"] == 'no "x", here' and skipped[0]["value"] == ""
assert {"round_trip", "twin"} <= {r["metric"] for r in rows}
assert skipped[0]["faults"] == "" and {r["faults"] for r in rows if r["status"] == "ok"} == {"0", "500"}
assert all(r["label"] == 'a "b", c' for r in rows)
END
}

@test "a folder: all of its documents" {
  mkdir docs
  cp "$one" "$two" docs
  "$wsbench" export --format csv docs >out
  "$wsbench" export --format csv docs/*.json >files
  [ "$(cut -d , -f 1 out | sort -u | wc -l)" = 3 ]
  cmp out files
}

@test "bad usage of export" {
  refused 2 '--metric nix: no document has this metric' "$wsbench" export --format gha --metric round_trip,nix "$one"
  refused 2 '--metric: empty name in the list' "$wsbench" export --format gha --metric round_trip, "$one"

  refused 2 "no format: give --format" "$wsbench" export "$one"
  refused 2 "did you mean 'gobench'?" "$wsbench" export --format gobenhc "$one"
  refused 2 "no documents" "$wsbench" export --format csv
  echo '{' >bad.json
  refused 2 "bad.json: " "$wsbench" export --format csv "$one" bad.json
  refused 2 "cannot read none.json" "$wsbench" export --format csv none.json
  run_apart sh -c '"$1" export --format csv "$2" >/dev/full' sh "$wsbench" "$one"
  [ "$status" = 4 ]
  one_line "$stderr"
}

# bounded COMMAND...: writes out and err, and ends with a code of the program, not by a signal.
bounded() {
  local code=0
  "$wsbench" "$@" >out 2>err || code=$?
  [ "$code" -le 4 ] || { echo "exit code $code: $*" && cat err && return 1; }
}

@test "what validate accepts, each exporter and each view can print" {
  local doc format formats
  mkdir odd
  "$python" "$tests/odd_documents.py" odd "$one"
  "$wsbench" validate --quiet odd/*.json
  formats=$("$wsbench" export --help | sed -n '/^Formats:/,$ s/^  \([a-z-]*\) .*/\1/p')
  [[ $formats == *bmf* ]]
  for doc in odd/*.json; do
    for format in $formats; do
      bounded export --format "$format" --metric '*' "$doc"
      case $format in
      gha | bmf | otava-json | gbench | kcidb)
        "$python" -c 'import json, sys; json.load(open("out", encoding="utf-8"), parse_constant=sys.exit)' ||
          { echo "$format of $doc is not JSON" && return 1; }
        ;;
      esac
    done
    bounded show "$doc"
    bounded show --json "$doc"
    bounded compare --all "$one" "$doc"
    bounded history add --db db.jsonl "$doc"
  done
  bounded report odd/*.json -o report
  bounded plot odd/*.json -o plots
}
