#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# wsbench show; folders in the place of documents; compare of folders.
bats_require_minimum_version 1.5.0
load helper

setup() {
  clean_place "$BATS_TEST_TMPDIR"
  svm=$top/results/vpmu/lab-x86_64-svm
  [ -d "$svm" ] || skip "not a source tree"
}

@test "show: documents of a folder side by side, named by what differs" {
  run_apart "$wsbench" show "$svm" --bench hypercall,cpuid
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  grep -qE '^ +6\.1\.0-56 +to the first +7\.3\.4 +to the first$' <<<"$stdout"
  grep -qE '^hypercall \[pmu-emulated\] +kernel +1,524 .* 1,428 ' <<<"$stdout"
  grep -qE '^lab:x86_64-svm 7\.3\.4 +Linux 7\.3\.4\+deb13-cloud-amd64' <<<"$stdout"
  [ "$(grep -cE '^(hypercall|cpuid) ' <<<"$stdout")" = 10 ]

  # Labels come first; documents that nothing tells apart are numbered.
  mkdir both
  for name in a b; do
    sed "s/\"label\": null/\"label\": \"old-$name\"/" "$svm"/6.1*.json >both/$name.json
  done
  "$wsbench" show both --bench hypercall | grep -qE '^ +old-a +to the first +old-b +to the first$'
  sed -i 's/"label": "old-."/"label": "same"/' both/*.json
  "$wsbench" show both/ --bench hypercall | grep -qE ' #1 insns .*#2 insns'
}

@test "configs are in the order of --config, and the first is the base" {
  python3 - "$svm"/6.1*.json <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
d["benchmarks"].sort(key=lambda b: ["pmc-msr-user", "pmu-emulated", "pmu-off"].index(b["config"])
                     if b["config"] in ("pmc-msr-user", "pmu-emulated", "pmu-off") else 3)
json.dump(d, open("turned.json", "w"))
END
  "$wsbench" show turned.json --bench hypercall >out.txt
  cat out.txt
  [ "$(grep -oE '^hypercall \[[^]]*\]' out.txt | head -3 | tr '\n' ' ')" = \
    "hypercall [pmc-msr-user] hypercall [pmu-emulated] hypercall [pmu-off] " ]
  grep -qE '^hypercall \[pmu-off\] +kernel +1,424 +-100 ' out.txt

  # Of several documents, which agree on nothing, the catalogue decides.
  python3 - turned.json <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
d["target"]["name"] = "lab:other"
d["benchmarks"] = [dict(b, config="default") for b in d["benchmarks"] if b["config"] == "pmu-off"]
json.dump(d, open("other.json", "w"))
END
  "$wsbench" show turned.json other.json --bench hypercall >out.txt
  [ "$(grep -oE '^hypercall \[[^]]*\]' out.txt | head -2 | tr '\n' ' ')" = \
    "hypercall [default] hypercall [pmc-msr-user] " ]

  command -v gnuplot || skip "gnuplot is not installed"
  "$wsbench" plot turned.json --kind configs -o . && grep -B9 pmu-off configs-*.svg | grep -q 'A .*pmc-msr-user'
  "$wsbench" plot "$svm"/6.1*.json --kind configs --config pmu-emulated,pmu-off -o .
  grep -q 'pmu-emulated against pmu-off' configs-*.svg
}

@test "show: Markdown, CSV and JSON of the same figures" {
  local new
  new=$(echo "$svm"/7.3*.json)
  "$wsbench" show "$new" --bench hypercall --markdown >out.md
  grep -qE '^\| hypercall .*pmu-mediated\\?\]? \| kernel \| 2,902' out.md
  "$wsbench" show "$svm" --csv --bench hypercall >out.csv
  "$wsbench" show "$svm" --json --bench hypercall >out.json
  python3 - <<'END'
import csv, json
rows = json.load(open("out.json"))["rows"]
table = {(r["kernel"], r["config"]): r for r in rows}
assert len(rows) == 10 and {r["benchmark"] for r in rows} == {"hypercall"}
for r in csv.DictReader(open("out.csv", newline="")):
    if r["metric"] == "round_trip":
        assert float(r["value"]) == table[r["kernel"], r["config"]]["value"]
skipped = table["6.1.0-56-cloud-amd64", "pmu-mediated"]
assert skipped["status"] == "skip" and "Linux 7.0" in skipped["reason"] and skipped["value"] is None
END
  refused 2 'one form at a time' "$wsbench" show "$new" --csv --json
  refused 2 'printed as text' "$wsbench" show "$new" --csv --metrics
}

# interval FILE LO HI EXACT: the document in which a hypercall of 1,524 has this interval.
interval() {
  python3 - "$svm"/6.1*.json "$@" <<'END'
import json, sys
path, out, lo, hi, exact = sys.argv[1:]
d = json.load(open(path))
d["target"]["exact"] = exact == "1"
for b in d["benchmarks"]:
    for m in b["metrics"]:
        if b["name"] == "hypercall" and b["config"] == "pmu-emulated" and m["name"] == "round_trip":
            m["estimate"]["ci"].update(lo=float(lo), hi=float(hi))
json.dump(d, open(out, "w"))
END
}

@test "show: a range of boots, and intervals of noisy figures" {
  interval d.json 1520 1528 1
  "$wsbench" show d.json --bench hypercall | grep -qE '^hypercall \[pmu-emulated\] +kernel +1,520 to 1,528 '
  interval d.json 1520 1528 0
  "$wsbench" show d.json --bench hypercall | grep -qE '^hypercall \[pmu-emulated\] .* 1,524 ±4 '
  interval d.json 1523 1600 0
  "$wsbench" show d.json --bench hypercall | grep -qE '^hypercall \[pmu-emulated\] .* 1,524 \(1,523 to 1,600\) '
}

@test "marks of documents end with a whole character" {
  mkdir long
  for name in A B; do
    python3 - "$svm"/7.3*.json "long/$name.json" "${name}B$(printf 'é%.0s' {1..40})" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
d["subject"]["label"] = sys.argv[3]
json.dump(d, open(sys.argv[2], "w"))
END
  done
  "$wsbench" plot long -o drawn --kind bars >/dev/null
  python3 -c 'import glob, xml.dom.minidom
for path in glob.glob("drawn/*.svg"): xml.dom.minidom.parse(path)'
}

@test "list: the core benchmarks" {
  [ "$("$wsbench" list benchmarks --bench core --names | wc -l)" -lt 30 ]
  [ "$("$wsbench" list --config 'pmu-o*' --names)" = pmu-off ]
  [ "$("$wsbench" list --bench 'hyper*' --names)" = hypercall ]
  "$wsbench" list --bench hypercall | grep -qE '^hypercall .* core( |$)'
  run ! grep -qE ' core( |$)' <("$wsbench" list --bench cpuid_pmu)
  refused 2 "did you mean 'hypercall'?" "$wsbench" list --bench hypercal
}

@test "show prints what run printed, and explanations" {
  need_target bare:x86_64
  run_apart "$wsbench" run --on bare:x86_64 --bench null,rdtsc -o d.json
  [ "$status" = 0 ]
  printed=$stdout
  [ "$("$wsbench" show d.json)" = "$printed" ]
  gzip -dc "$(find "$top/results/kernels.jsonl.explanations" -name 'cpuid.default.json.gz' | sort | head -n 1)" >e.json
  "$wsbench" show . >both
  grep -q '^rdtsc ' both
  grep -q '^cpuid on lab:x86_64-svm: ' both
  [ "$("$wsbench" show e.json)" = "$("$wsbench" explain e.json)" ]
}

@test "what a terminal interprets is escaped in names of documents" {
  need_target bare:x86_64
  local words
  "$wsbench" run --quiet --on bare:x86_64 --bench null,rdtsc -o one.json >/dev/null
  mkdir odd
  "$python" "$tests/odd_documents.py" odd one.json
  "$wsbench" history add --db db.jsonl odd/control-figures.json
  while read -r words; do
    # shellcheck disable=SC2086  # words
    "$wsbench" $words >out 2>&1 || [[ $? == [13] ]]
    if LC_ALL=C grep -aP '\x1b|\x7f|\xc2[\x80-\x9f]|\xe2\x80\xae|\xe2\x81\xa6' out; then
      echo "of $words" && false
    fi
    grep -qF '\u202e' out || { echo "$words does not show the name" && false; }
  done <<'END'
show odd/control-figures.json
show --markdown odd/control-figures.json
show --metrics odd/control-figures.json
show --stats odd/control-figures.json
compare --all odd/control-figures.json odd/control-figures.json
compare --markdown --all odd/control-figures.json odd/control-figures.json
history show --db db.jsonl
END
}

@test "a folder is its result documents, and a damaged one is not passed over" {
  mkdir mixed none
  cp "$svm"/7.3*.json mixed/r.json
  echo '{"schema": "something.else"}' >mixed/other.json
  echo text >mixed/notes.txt
  [ "$("$wsbench" show mixed --bench hypercall --csv | wc -l)" -gt 2 ]
  [ "$("$wsbench" export --format csv mixed | wc -l)" -gt 2 ]
  "$wsbench" plot mixed -o drawn --kind vpmu
  [ -s drawn/vpmu-lab-x86_64-svm.svg ]
  "$wsbench" report mixed -o . >/dev/null
  "$wsbench" history add --db h.jsonl mixed 2>/dev/null
  [ -s h.jsonl ]
  refused 2 'none: no result documents in this folder' "$wsbench" show none
  refused 2 'none of these benchmarks is in the document' "$wsbench" show mixed --bench eoi
  refused 2 'no document' "$wsbench" show
  head -c 1000 mixed/r.json >mixed/half.json
  refused 2 'mixed/half.json: ' "$wsbench" show mixed
}

@test "show: a row that was skipped everywhere has no observed handler" {
  python3 - "$svm"/7.3*.json <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
b = next(b for b in d["benchmarks"] if b["name"] == "hypercall")
b.update(status="skip", reason="not here", metrics=[])
d["benchmarks"] = [b]
json.dump(d, open("skipped.json", "w"))
d["benchmarks"] = []
json.dump(d, open("empty.json", "w"))
END
  "$wsbench" show skipped.json --bench hypercall >text
  grep -Eq '^hypercall( \[.*\])? +- +skip \[1\]' text
  grep -q -- '- = the row was not measured' text
  "$wsbench" show "$svm"/7.3*.json --bench hypercall >text
  run ! grep -q -- '- = the row was not measured' text
  refused 2 'no benchmark is in the document' "$wsbench" show empty.json
}

@test "show --bench: warnings about other benchmarks are left out, those about the run stay" {
  python3 - "$svm"/7.3*.json <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
for text in "hypercall, default: of a row", "rdpmc_general [pmu-off]: not simulated", "rdpmc_general: modes", "of the run":
    d["warnings"].append({"code": "test", "message": text})
json.dump(d, open("warned.json", "w"))
END
  "$wsbench" show warned.json --bench hypercall >text
  grep -q 'hypercall, default: of a row' text
  grep -q 'of the run' text
  run ! grep -Eq 'rdpmc_general' text
  "$wsbench" show warned.json >text
  grep -q 'rdpmc_general: modes' text
  grep -Fq 'rdpmc_general [pmu-off]: not simulated' text
}

@test "show --json: a fault is not only its handler" {
  "$wsbench" show "$svm"/7.3*.json --bench rdpmc_general --json >j.json
  "$wsbench" show "$svm"/7.3*.json --bench rdpmc_general >text
  grep -Eq '^rdpmc_general.* fault' text
  python3 - <<'END'
import json
rows = json.load(open("j.json"))["rows"]
assert any(r["faults"] for r in rows) and any(r["faults"] == 0 for r in rows), rows
END
}

@test "compare: folders, target by target" {
  mkdir old new
  cp "$svm"/6.1*.json old/svm.json
  cp "$svm"/6.1*.json new/renamed.json
  cp "$top"/results/vpmu/lab-x86_64-vmx-skylake/6.1*.json old/vmx.json
  cp old/vmx.json new/vmx.json
  run_apart "$wsbench" compare old new --bench hypercall
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ "$(grep -c '^base' <<<"$stdout")" = 2 ]

  # The gravest code counts: a figure of one target that became worse.
  python3 - <<'END'
import json
d = json.load(open("new/vmx.json"))
for b in d["benchmarks"]:
    for m in b["metrics"]:
        if b["name"] == "hypercall":
            e = m["estimate"]
            for o, k in ((e, "value"), (e["ci"], "lo"), (e["ci"], "hi")):
                o[k] += 500
            for boot in m["boots"]:
                for k, v in boot["summary"].items():
                    if k not in ("n", "sd", "mad") and v is not None:
                        boot["summary"][k] = v + 500
                boot["histogram"]["bins"] = [[low + 512, n] for low, n in boot["histogram"]["bins"]]
json.dump(d, open("new/vmx.json", "w"))
END
  run_apart "$wsbench" compare old new --bench hypercall
  echo "$stdout$stderr"
  [ "$status" = 1 ]

  rm new/vmx.json
  run_apart "$wsbench" compare old new --bench hypercall
  [ "$status" = 3 ]
  grep -q 'lab:x86_64-vmx-skylake is only in old' <<<"$stderr"
  refused 2 '--json: one document, not a folder of 2' "$wsbench" compare old new --json
  refused 2 '--json: one document, not a folder of 2' "$wsbench" compare old --config pmu-off,pmu-emulated --json
  rm new/renamed.json
  cp "$top"/results/vpmu/lab-x86_64-vmx-skylake/6.1*.json new/vmx.json
  sed 's/"lab:x86_64-svm"/"lab:x86_64-svm-qemu"/' old/svm.json >old/vmx.json
  refused 2 'no target in common' "$wsbench" compare old new --bench hypercall
  cp "$svm"/*.json old/
  refused 2 'old: several documents of lab:x86_64-svm' "$wsbench" compare old new
}
