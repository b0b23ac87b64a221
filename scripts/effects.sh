#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What configs change in each benchmark, and the functions behind each difference: runs the
# benchmarks under all configs, explains every row that differs from the first config, and
# prints a table in Markdown.
set -Eeuo pipefail
trap 'echo "effects: line $LINENO: $BASH_COMMAND failed" >&2; exit 4' ERR

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=/dev/null
. "$here/places.sh"

usage() {
  cat <<'END'
usage: effects.sh -o DIR --on LAB,... [--bench GLOB,...] BASE CONFIG...

Runs the benchmarks in each lab under the configs, explains each row whose figure differs
from that of BASE, and prints a table: the difference to BASE, and the functions whose
instructions changed. Documents and explanations are kept in DIR, and not made again.

  -o DIR         folder for documents and explanations
  --on LAB,...   labs; a config that a lab's architecture lacks is left out
  --bench GLOB   default: core

Exit code: 0 done; 2 bad usage; 4 a run failed; 129, 130 or 143 a signal ended it.
END
}

die() {
  local code=$1
  shift
  echo "effects: $*" >&2
  exit "$code"
}

# pass_on CODE: ends with the exit code of a command that found bad usage, or was interrupted.
pass_on() {
  case $1 in 2 | 129 | 130 | 143) exit "$1" ;; esac
}

out='' on='' bench=core
configs=()
while [ $# -gt 0 ]; do
  case $1 in
  --help) usage && exit 0 ;;
  -o | --on | --bench)
    [ $# -gt 1 ] || die 2 "$1 needs a value"
    case $1 in
    -o) out=$2 ;;
    --on) on=$2 ;;
    --bench) bench=$2 ;;
    esac
    shift
    ;;
  -*) die 2 "unknown option $1; see --help" ;;
  *) configs+=("$1") ;;
  esac
  shift
done
if [ -z "$out" ] || [ -z "$on" ] || [ ${#configs[@]} -lt 2 ]; then
  die 2 "-o DIR, --on LAB, a base and a config are needed; see --help"
fi

for target in ${on//,/ }; do
  dir=$out/${target//:/-}
  mkdir -p "$dir" 2>/dev/null || true
  [ -w "$dir/." ] || die 4 "cannot write to $dir"
  asked="--bench $bench --config $(IFS=,; echo "${configs[*]}")"
  if [ ! -f "$dir/run.json" ]; then
    code=0
    # A run that fails, or is interrupted, leaves a document, too.
    rm -f "$dir/run.json.new"
    "$(wsbench_path)" run --quiet --on "$target" --bench "$bench" \
      --config "$(IFS=,; echo "${configs[*]}")" -o "$dir/run.json.new" >/dev/null || code=$?
    pass_on "$code"
    [ "$code" = 0 ] || die 4 "$target: the run failed"
    mv "$dir/run.json.new" "$dir/run.json"
  fi
  code=0
  python3 - "$(wsbench_path)" "$target" "$dir" "${configs[0]}" "$asked" <<'END' || code=$?
import json, os, subprocess, sys

wsbench, target, place, base, asked = sys.argv[1:]
SHOWN = 4  # functions of a difference

with open(os.path.join(place, "run.json")) as f:
    run = json.load(f)
old = " ".join(run["run"]["argv"])
if asked + " " not in old + " ":
    print("effects: %s/run.json is of other options: %s (-o another folder)" % (place, old), file=sys.stderr)
    sys.exit(2)
rows, skipped = {}, {}
for b in run["benchmarks"]:
    values = [m["estimate"] for m in b["metrics"] if m["name"] == "round_trip"]
    if b["status"] == "ok" and values and values[0]["value"] is not None:
        rows.setdefault(b["name"], {})[b["config"]] = values[0]
    elif b["status"] == "skip":
        skipped.setdefault((b["config"], b["reason"]), []).append(b["name"])
    else:
        sys.exit("effects: %s [%s]: %s" % (b["name"], b["config"], b["reason"]))

def functions(bench, config):
    path = os.path.join(place, "%s,%s.json" % (bench, config))
    if not os.path.exists(path):
        explain = subprocess.Popen([wsbench, "explain", "--quiet", "--on", target, "--bench", bench,
                                    "--config", config, "-o", path], stdout=subprocess.DEVNULL)
        code = None
        while code is None:
            try:
                code = explain.wait()
            except KeyboardInterrupt:
                pass  # it got the signal, too, and ends
        if code in (129, 130, 143):
            sys.exit(code)
        if code:
            sys.exit("effects: %s [%s]: not explained" % (bench, config))
    with open(path) as f:
        explanation = json.load(f)
    found = {}
    for function in explanation["functions"]:
        name = function["name"]
        found[name] = found.get(name, 0) + function["insns"]
    return found

def number(n, sign=False):
    return ("%+d" % n if sign and n else "%d" % n) if abs(n) < 1000 else format(int(n), "+,d" if sign else ",d")

def behind(bench, config):
    before, now = functions(bench, base), functions(bench, config)
    changes = {n: now.get(n, 0) - before.get(n, 0) for n in set(before) | set(now)}
    changes = sorted(((c, n) for n, c in changes.items() if c), key=lambda x: (-abs(x[0]), x[1]))
    text = ", ".join("`%s` %s" % (n, number(c, True)) for c, n in changes[:SHOWN])
    rest = changes[SHOWN:]
    if rest:
        text += "; %d more %s" % (len(rest), number(sum(c for c, _ in rest), True))
    return text

print("### %s\n" % target)
print("Linux %s, %s. In %s; the base is `%s`.\n" %
      (run["subject"]["kernel"], run["target"]["emulator"], run["clock"]["unit"], base))
print("| benchmark | base | config | difference | functions |\n|---|--:|---|--:|---|")
same = []
for bench, values in rows.items():
    if base not in values:
        continue
    lines = {}
    for config, e in values.items():
        change = round(e["value"] - values[base]["value"])
        if config == base or not change:
            continue
        # Boots that differ: the place of the kernel's data decides a part of the path.
        exact = all(x["ci"]["lo"] == x["ci"]["hi"] for x in (e, values[base]))
        text = ("" if exact else "about ") + number(change, True)
        lines.setdefault((text, behind(bench, config)), []).append(config)
    for (text, why), configs in lines.items():
        print("| `%s` | %s | %s | %s | %s |" % (bench, number(round(values[base]["value"])),
              ", ".join("`%s`" % c for c in configs), text, why))
    if not lines:
        same.append(bench)
if same:
    print("\nNo difference under any config: %s." % ", ".join("`%s`" % b for b in same))
unaffected = [c for c in dict.fromkeys(b["config"] for b in run["benchmarks"]) if c != base and
              any(c in v for v in rows.values()) and
              not any(round(v[c]["value"] - v[base]["value"]) for v in rows.values() if c in v and base in v)]
if unaffected:
    print("\nConfigs without a difference in any benchmark: %s." % ", ".join("`%s`" % c for c in unaffected))
for (config, reason), benches in skipped.items():
    what = "all" if len(benches) >= len(rows) else ", ".join("`%s`" % b for b in benches)
    print("\nSkipped under `%s` (%s): %s." % (config, what, reason))
for warning in run["warnings"]:
    if warning["code"] == "vm-settings":
        print("\n%s." % warning["message"])
print()
END
  pass_on "$code"
  [ "$code" = 0 ] || die 4 "$target: no table"
done
