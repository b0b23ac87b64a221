#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# wsbench explain: lines of source, formats of other viewers, caches and branches.
bats_require_minimum_version 1.5.0
load helper
load explain_helper

# touched LAB BENCH: --touch agrees with --kinds and with itself, and repeats.
touched() {
  explained "$1" "$2" --touch
  body explained.json >first
  "$wsbench" explain --on "lab:$1" --bench "$2" --events 60 --touch -o again.json >text
  body again.json >second
  cmp first second
  grep -q "^What the event touches, by simulated caches: L1I 32 KiB, 8 ways" text
  "$python" "$tests/schema_check.py" "$wsbench" "$top/results/explanation.schema.json" explained.json
  python3 - explained.json <<'END'
import json, sys
e = json.load(open(sys.argv[1]))
t, k = e["touch"], e["kinds"]
cold, warm, last = t["cold"], t["warm"], t["curve"][-1]
# From empty caches each line misses once at least: --kinds counts lines by itself, and leaves
# out instructions that fault. Straddling accesses are one miss of two lines.
assert 0.9 * k["code_lines"] <= cold["l1i_misses"] <= 1.5 * k["code_lines"], (cold, k)
assert 0.7 * k["data_lines"] <= cold["l1d_misses"] <= 1.5 * k["data_lines"], (cold, k)
assert cold["ll_misses"] <= cold["l1i_misses"] + cold["l1d_misses"]
for name, value in warm.items():
    assert value <= cold[name], name
assert t["events_before"] > 0 and t["guest_entries"] >= 1 and t["exceptions"] >= 1
assert cold["mispredicts"] <= t["branches"] and k["branches_taken"] > 0
assert {p["space"] for p in t["pages"]} >= {"guest", "kernel"}
# A guest as large as the caches leaves nothing of the exit.
assert last["guest_kib"] * 1024 == 2 * t["caches"]["ll"]["bytes"]
assert last["ll_misses"] == cold["ll_misses"] <= last["ll_evicted"]
steps = [(w["guest_kib"], w["l1i_misses"], w["l1d_misses"], w["ll_misses"]) for w in t["curve"]]
assert steps == sorted(steps) and steps[0][1] <= steps[-1][1]
END
}

@test "each combination of output options works or is refused" {
  local explain=("$wsbench" explain)
  explanation a.json aarch64 1
  explanation b.json aarch64 1
  "$python" "$tests/schema_check.py" "$wsbench" "$top/results/explanation.schema.json" a.json

  run_apart "${explain[@]}" a.json --tree --kinds
  [ "$status" = 0 ]
  grep -q ' inner$' <<<"$stdout"
  grep -q '^all functions' <<<"$stdout"
  run_apart "${explain[@]}" b.json --diff a.json --kinds --svg diff.svg
  [ "$status" = 0 ]
  grep -q '2 more, unchanged' <<<"$stdout"
  grep -qE '^loads  +3  +3  +\+0$' <<<"$stdout"
  grep -q 'in the base' diff.svg
  [ "$stderr" = 'wsbench: wrote diff.svg' ]
  run_apart "${explain[@]}" a.json --folded --svg one.svg
  [ "$status" = 0 ]
  [ "$stdout" = $'outer 20\nouter;inner 10' ]
  run ! grep -q 'in the base' one.svg
  rm diff.svg one.svg

  refused 2 '--format folded and --tree' "${explain[@]}" a.json --folded --tree
  refused 2 '--format folded and --diff' "${explain[@]}" a.json --folded --diff b.json
  refused 2 '--tree and --diff' "${explain[@]}" a.json --tree --diff b.json
  refused 2 '--format folded and --kinds' "${explain[@]}" a.json --folded --kinds
  refused 2 '--format: folded and pprof' "${explain[@]}" a.json --folded --format pprof
  refused 2 "--format: 'perf' is not one of folded, callgrind, pprof, speedscope, timeline, json" \
    "${explain[@]}" a.json --format perf
  # Names cannot add a line or a frame.
  sed 's/"inner"/"in;n\\nfn=er"/g' a.json >evil.json
  [ "$("${explain[@]}" evil.json --folded)" = $'outer 20\nouter;in?n?fn=er 10' ]
  [ "$("${explain[@]}" evil.json --format callgrind | grep -c '^fn=')" = 2 ]
  # Partly unknown kinds have no costs.
  sed 's/"sysreg_reads": 3/"sysreg_reads": null/g' a.json >partly.json
  [ "$("${explain[@]}" partly.json --format callgrind | grep '^events:')" = 'events: Ir' ]
  rm evil.json partly.json
  refused 2 'a.json: has no timeline (record it with --format timeline and -o FILE)' \
    "${explain[@]}" a.json --format timeline
  nothing_left a.json b.json
}

# add_lines FILE: adds the instructions of outer and inner: two lines, one of them inlined.
add_lines() {
  python3 - "$1" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
def location(name, module, offset, *sources):
    return {"name": name, "space": "kernel", "module": module, "offset": offset,
            "sources": [dict(zip(("function", "file", "line"), s)) for s in sources]}
d["locations"] = [
    location("outer", None, 0, ("outer", "kvm/outer.c", 3)),
    location("outer", None, 4, ("outer", "kvm/outer.c", 4), ("helper", "include/helper.h", 2)),
    location("inner", "kvm", 8),
]
kinds = d["stacks"][0].get("kinds")
outer, inner = d["stacks"]
outer["spaces"], outer["modules"] = ["kernel"], [""]
outer["instructions"] = [{"location": 0, "insns": 5}, {"location": 1, "insns": 15}]
inner["instructions"] = [{"location": 2, "insns": 10}]
inner["sites"] = [{"location": 1}]
json.dump(d, open(sys.argv[1], "w"))
END
}

@test "explain --lines and --annotate: of a file with lines, by themselves" {
  local explain=("$wsbench" explain)
  explanation a.json aarch64 1
  refused 2 'a.json: has no lines (record it with --debuginfo FILE)' "${explain[@]}" a.json --lines
  refused 2 'a.json: has no lines (record it with --debuginfo FILE)' "${explain[@]}" a.json --annotate outer
  add_lines a.json
  "$python" "$tests/schema_check.py" "$wsbench" "$top/results/explanation.schema.json" a.json
  run_apart "${explain[@]}" a.json --lines=2
  [ "$status" = 0 ]
  grep -qE '^include/helper.h:2 +15 +50\.0 % +50\.0 % +helper in outer$' <<<"$stdout"
  grep -qE '^1 more +5 +16\.7 % +100\.0 %' <<<"$stdout"
  run_apart "${explain[@]}" a.json --annotate helper
  [ "$status" = 0 ]
  grep -q '^helper, inlined in outer (kernel): 15 instructions at 1 address$' <<<"$stdout"
  mkdir -p source/kvm
  printf 'int outer(void)\n{\n\tone();\n\thelper();\n}\n' >source/kvm/outer.c
  run_apart "${explain[@]}" a.json --annotate outer --source source
  [ "$status" = 0 ]
  grep -qE '^ +15 +4 +helper\(\);$' <<<"$stdout"
  refused 2 "--annotate: no instruction is in 'other'" "${explain[@]}" a.json --annotate other
  refused 2 "--annotate: no instruction is in 'out': did you mean 'outer'?" "${explain[@]}" a.json --annotate out
  refused 2 '--annotate: one table at a time' "${explain[@]}" a.json --annotate outer --kinds
  refused 2 '--lines: one table at a time' "${explain[@]}" a.json --lines --tree
  refused 2 '--annotate: one table at a time' "${explain[@]}" a.json --annotate outer --tree
  refused 2 '--format pprof and --lines' "${explain[@]}" a.json --lines --format pprof
  refused 2 '--source: no source is printed' "${explain[@]}" a.json --source source
  refused 2 '--debuginfo: a file is not recorded again' "${explain[@]}" a.json --debuginfo vmlinux
  refused 2 '--lines: 0 is out of range' "${explain[@]}" a.json --lines=0
  # Of a number that no location has, all instructions are ignored.
  sed 's/"location": 2/"location": 3/' a.json >b.json
  refused 2 'b.json: has no lines' "${explain[@]}" b.json --lines
  rm -r source
  nothing_left a.json b.json
}

@test "explain --format: lines of source and inlined functions" {
  explanation a.json aarch64 1
  add_lines a.json
  # Costs are at their lines, those of inlined code in another file; a call is at its line.
  "$wsbench" explain a.json --format callgrind >out.callgrind
  sed -n '/^ob=/,$p' out.callgrind | diff - <(cat <<'END'
ob=kernel
fl=kvm/outer.c
fn=(1) outer
3 5
fi=include/helper.h
2 15
cob=kvm
cfi=kvm
cfn=(2) inner
calls=1 0
2 10

ob=kvm
fl=kvm
fn=(2) inner
0 10
END
  )
  # The call is in the inlined function.
  "$wsbench" explain a.json --format speedscope >out.speedscope
  stacks=$(python3 - out.speedscope <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
frames, (p,) = d["shared"]["frames"], d["profiles"]
for sample, weight in zip(p["samples"], p["weights"], strict=True):
    print(";".join(f"{frames[i]['name']} {frames[i]['file']}" for i in sample), weight)
END
  )
  [ "$stacks" = 'outer kvm/outer.c 5
outer kvm/outer.c;helper include/helper.h 15
outer kvm/outer.c;helper include/helper.h;inner kvm 10' ]
  # The same stacks, in order of their sums.
  [ "$("$wsbench" explain a.json --folded)" = 'outer 5
outer;helper 15
outer;helper;inner 10' ]
  "$wsbench" explain a.json --svg a.svg >text
  grep -q '<title>helper: 25 instructions, 83.3 %; 15 of its own; inlined; kernel, other</title>' a.svg
  # The functions themselves.
  "$wsbench" explain a.json --tree >text
  run ! grep -q helper text
  command -v protoc >/dev/null || skip 'protoc is not installed'
  "$wsbench" explain a.json --format pprof >out.pprof
  gzip -dc out.pprof | protoc --decode=Profile -I "$tests/data" profile.proto >decoded
  stacks=$(python3 - decoded <<'END'
import re, sys
text = open(sys.argv[1]).read()
blocks = re.findall(r"^(\w+) \{\n(.*?)^\}", text, re.M | re.S)
strings = re.findall(r'^string_table: "(.*)"$', text, re.M)
def number(key, block):
    return int(re.search(rf"^ *{key}: (\d+)$", block, re.M)[1])
functions = {number("id", b): strings[number("name", b)] + " " + strings[number("filename", b)]
             for kind, b in blocks if kind == "function"}
lines = {}
for kind, block in blocks:
    if kind == "location":
        lines[number("id", block)] = [
            functions[number("function_id", b)] + (f":{number('line', b)}" if " line: " in b else "")
            for b in re.findall(r"line \{\n(.*?)\}", block, re.S)]
for kind, block in blocks:
    if kind == "sample":
        path = [l for i in re.findall(r"location_id: (\d+)", block) for l in lines[int(i)]]
        print(" < ".join(path), re.search(r"value: (\d+)", block)[1])
END
  )
  echo "$stacks"
  [ "$stacks" = 'outer kvm/outer.c:3 5
helper include/helper.h:2 < outer kvm/outer.c:4 15
inner kvm < helper include/helper.h:2 < outer kvm/outer.c:4 10' ]
}

# with_lines FILE: the instructions of each stack, and their kinds, are those of the stack.
with_lines() {
  python3 - "$1" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
for s in d["stacks"]:
    assert s["insns"] == sum(i["insns"] for i in s["instructions"]), s["frames"]
    assert len(s.get("sites", [])) == len(s["frames"]) - 1
    for kind, n in (s.get("kinds") or {}).items():
        if n is not None:
            assert n == sum(i["kinds"][kind] for i in s["instructions"]), (s["frames"], kind)
assert d["total"] + d["clock_insns"] == sum(s["insns"] for s in d["stacks"])
END
}

# Whether this program has libdw.
need_libdw() {
  run_apart "$wsbench" explain --on lab:x86_64-svm --bench hypercall --debuginfo /dev/null
  ! grep -q 'was built without libdw' <<<"$stderr" || skip 'this wsbench was built without libdw'
}

@test "explain --lines: the lines of the VMM, and a wrong kernel is refused" {
  need_target lab:x86_64-svm
  need_libdw
  local record=("$wsbench" explain --on lab:x86_64-svm --bench pio_out_user --events 60)
  refused 2 '--debuginfo: cannot read nowhere' "${record[@]}" --debuginfo nowhere
  refused 2 '--debuginfo: /dev/null: not a vmlinux and not a kernel module' "${record[@]}" --debuginfo /dev/null
  "${record[@]}" --kinds --lines=5 -o lines.json >table
  with_lines lines.json
  grep -qE '^[0-9]+ more ' table
  # The VMM has its lines, in the program that ran; the kernel has addresses alone.
  [ "$(doc lines.json 'any(s.get("file", "").startswith("host/vmm/") for l in d["locations"] for s in l.get("sources", []))')" = True ]
  [ "$(doc lines.json 'any(l.get("sources") for l in d["locations"] if l["space"] == "kernel")')" = False ]
  "$wsbench" explain lines.json --annotate vcpu_run --source "$top" >listing
  grep -qE '^ *[0-9]+ +\+0x[0-9a-f]+ +host/vmm/' listing
  if command -v callgrind_annotate >/dev/null; then
    "$wsbench" explain lines.json --format callgrind >out.callgrind
    callgrind_annotate --auto=no out.callgrind | tr -d , >annotated
    sum=$(doc lines.json 'd["total"] + d["clock_insns"]')
    grep -qE "^$sum \(100\.0%\) .*PROGRAM TOTALS" annotated
    grep -qE ' host/vmm/[a-z_]+\.[ch]:[a-z_]+' annotated
  fi
  # The total is the one without lines.
  "${record[@]}" -o plain.json >/dev/null
  [ "$(doc lines.json 'd["total"]')" = "$(doc plain.json 'd["total"]')" ]

  echo 'const char banner[] = "Linux version 1.2.3-other (test)"; int main(void) { return banner[0]; }' >other.c
  cc -g -o vmlinux other.c || skip 'no compiler'
  kernel=$(doc lines.json 'd["subject"]["kernel"]')
  refused 2 "vmlinux: is of Linux 1.2.3-other, but Linux $kernel ran" "${record[@]}" --debuginfo vmlinux
  echo 'int svm_vcpu_run(void) { return 1; }' >other.c
  cc -g -c -o kvm-amd.ko other.c
  refused 2 "kvm-amd.ko: is of another build of Linux $kernel" "${record[@]}" --debuginfo kvm-amd.ko
}

@test "explain --debuginfo: lines and inlined functions of Debian's kernel" {
  need_target lab:x86_64-svm
  need_libdw
  local record=("$wsbench" explain --on lab:x86_64-svm --bench hypercall --events 60)
  "${record[@]}" -o plain.json >/dev/null
  kernel=$(doc plain.json 'd["subject"]["kernel"]')
  local debug=${WORLDSWITCH_DEBUGINFO:-/usr/lib/debug}
  [ -e "$debug/boot/vmlinux-$kernel" ] || skip "no $debug/boot/vmlinux-$kernel (linux-image-$kernel-dbg)"
  "${record[@]}" --kinds --debuginfo "$debug" -o lines.json >/dev/null
  with_lines lines.json
  [ "$(doc lines.json 'd["total"]')" = "$(doc plain.json 'd["total"]')" ]
  # All of the kernel has lines, and no file is outside of the tree.
  [ "$(doc lines.json '{l["space"] for l in d["locations"] if not l.get("sources")} <= {"guest", "user"}')" = True ]
  [ "$(doc lines.json 'any(len(l.get("sources", [])) > 1 for l in d["locations"])')" = True ]
  [ "$(doc lines.json 'any(s.get("file", "").startswith(("/", ".")) for l in d["locations"] for s in l.get("sources", []))')" = False ]
  "$wsbench" explain lines.json --lines=1000 >table
  grep -qE '^arch/x86/kvm/svm/svm.c:[0-9]+ +[0-9]+ ' table
  "$wsbench" explain lines.json --annotate svm_vcpu_run >listing
  grep -q '^svm_vcpu_run (kvm_amd): ' listing
}

# formats FILE: writes out.NAME in every format, and compares the sums with the document's.
formats() {
  for format in folded callgrind pprof speedscope timeline; do
    "$wsbench" explain "$1" --format $format >out.$format
  done
  python3 - "$1" <<'END'
import gzip, json, sys
from collections import Counter
d = json.load(open(sys.argv[1]))
total = d["total"] + d["clock_insns"]
own = Counter()
for s in d["stacks"]:
    own[s["frames"][-1]] += s["insns"]

assert sum(int(line.rsplit(" ", 1)[1]) for line in open("out.folded")) == total

p = json.load(open("out.speedscope"))
profile, = p["profiles"]
names = [f["name"] for f in p["shared"]["frames"]]
by_name = Counter()
for sample, weight in zip(profile["samples"], profile["weights"], strict=True):
    by_name[names[sample[-1]]] += weight
assert by_name == own and profile["endValue"] == total

# A call ends before its caller, in the time of its caller, on each track.
events = [e for e in json.load(open("out.timeline"))["traceEvents"] if e["ph"] == "X"]
assert len(events) == len(d["timeline"]) and total <= max(e["ts"] + e["dur"] for e in events) <= total + 20
for track in {e["tid"] for e in events}:
    open_until = []
    for e in (e for e in events if e["tid"] == track):
        while open_until and open_until[-1] <= e["ts"] and e["dur"]:
            open_until.pop()
        assert not open_until or e["ts"] + e["dur"] <= open_until[-1], e
        open_until.append(e["ts"] + e["dur"])
END
}

@test "explain: a file that cannot be written is refused before a lab boots; what was read is printed" {
  # Nothing can boot.
  mkdir none
  WORLDSWITCH_CACHE=$PWD/none \
    refused 2 'cannot write none: Is a directory' "$wsbench" explain --on lab:x86_64-svm --bench null --svg none
  for option in -o --svg; do
    WORLDSWITCH_CACHE=$PWD/none \
      refused 2 'cannot write to folder missing: No such file or directory (mkdir -p missing)' \
      "$wsbench" explain --on lab:x86_64-svm --bench null $option missing/file
    run_apart "$wsbench" explain "$tests/data/explain/svm-hypercall-6.1.json" $option missing/file
    echo "$stdout$stderr"
    [ "$status" = 4 ]
    one_line "$stderr"
    [[ $stdout == hypercall*__svm_vcpu_run* ]]
  done
}

@test "explain --top, --markdown and --json" {
  local data=$tests/data/explain/svm-hypercall
  run "$wsbench" explain "$data-6.1.json" --top 3
  echo "$output"
  [ "$(grep -c '  PMU$\|  KVM, x86$\|world-switch assembly$' <<<"$output")" = 3 ]
  # The others are one row, and the sum is that of all functions.
  grep -qE '^45 more  *1,010  66\.3 %  100\.0 %$' <<<"$output"
  run "$wsbench" explain "$data-7.3.json" --diff "$data-6.1.json" --top 3 --markdown
  echo "$output"
  [ "${lines[2]}" = '| layer | base | now | change |' ]
  [ "$(grep -c '^| kvm\\_\|^| srso' <<<"$output")" = 3 ]
  grep -qF '| 54 more | 1,016 | 1,106 | +90 |  |' <<<"$output"
  grep -qF '| total | 1,524 | 1,428 | -96 |  |' <<<"$output"
  # Rows and heads have equally many columns.
  [ "$(grep '^|' <<<"$output" | tr -cd '|\n' | sort -u | wc -l)" = 2 ]
  "$wsbench" explain "$data-6.1.json" --json >again.json
  "$wsbench" explain again.json -o written.json >/dev/null
  cmp again.json written.json
  refused 2 '--tree and --top' "$wsbench" explain again.json --tree --top 3
  refused 2 '--tree and --markdown' "$wsbench" explain again.json --tree --markdown
  refused 2 '--format json and --top' "$wsbench" explain again.json --json --top 3
  refused 2 '--format: json and pprof' "$wsbench" explain again.json --json --format pprof
}

@test "explain --format: what the viewers read is the figure, to the instruction" {
  need_target lab:x86_64-svm
  need_built_bochs
  "$wsbench" explain --on lab:x86_64-svm --bench hypercall --events 60 --kinds --format timeline \
    -o timed.json >live
  formats timed.json
  cmp live out.timeline
  "$python" "$tests/schema_check.py" "$wsbench" "$top/results/explanation.schema.json" timed.json
  figure=$(doc timed.json 'd["total"]')
  [ "$(doc timed.json 'd["round_trip"]')" = "$figure.0" ]

  for consumer in callgrind_annotate protoc; do
    command -v $consumer >/dev/null || skip "$consumer is not installed"
  done
  callgrind_annotate --auto=no out.callgrind | tr -d , >annotated
  grep -qE "^$figure \(100\.0%\) .*PROGRAM TOTALS" annotated
  grep -qE '^ *1[0-9][0-9] .* kvm_amd:__svm_vcpu_run' annotated
  # No function costs more than the event, with what it calls.
  callgrind_annotate --auto=no --inclusive=yes out.callgrind >annotated
  run ! grep -qE '\(1[0-9]{2}\.[1-9]%\)|\([2-9][0-9]{2}' annotated
  gzip -dc out.pprof | protoc --decode=Profile -I "$tests/data" profile.proto >decoded
  [ "$(awk '/^sample \{/ { inside = 1; first = 1 }
    inside && /value:/ && first { sum += $2; first = 0 }
    /^}/ { inside = 0 } END { print sum }' decoded)" = "$figure" ]
  grep -q 'string_table: "__svm_vcpu_run"' decoded
}

@test "lab:aarch64-vhe: caches, pages and branches of a hypercall" {
  touched aarch64-vhe hypercall
  run_apart "$wsbench" explain again.json --touch --diff explained.json
  [ "$status" = 0 ]
  # One more or less by where the payload's code lies in its lines.
  local misses
  misses=$(doc explained.json 'd["touch"]["cold"]["l1i_misses"]')
  ((misses >= 100 && misses <= 120))
  grep -qE "^L1I misses, cold +$misses +$misses +\\+0\$" <<<"$stdout"
  # Half the lines of twice the size.
  "$wsbench" explain --on lab:aarch64-vhe --bench hypercall --events 60 --touch --i1 32768,8,128 -o wide.json >text
  [ "$(doc wide.json 'd["touch"]["caches"]["l1i"]["line_bytes"]')" = 128 ]
  [ "$(doc wide.json 'd["touch"]["cold"]["l1i_misses"]')" -lt "$misses" ]
  # Points of the curve that are equal are one row.
  "$wsbench" explain wide.json --touch | sed -n '/^ *KiB/,$p' >curve
  grep -qE '^ *[0-9]+-[0-9]+ ' curve
  [ "$(sed -nE 's/^ *[0-9-]+  +//p' curve | uniq -d)" = "" ]
}

@test "lab:x86_64-svm: caches, pages and branches of an OUT" {
  touched x86_64-svm pio_out_user
  # The report has the tables, too.
  "$wsbench" report explained.json -o touch.html
  grep -q '<th scope=row>conditional branches</th>' touch.html
  grep -q '<th scope=row>entries of the guest</th>' touch.html
  grep -q 'What the event touches, by simulated caches' touch.html
  rm touch.html
  command -v gnuplot >/dev/null || return 0
  run_apart "$wsbench" plot explained.json -o pictures
  [ "$status" = 0 ]
  [ "$stdout" = "pictures/touch-pio_out_user-lab-x86_64-svm.svg
pictures/touch-pio_out_user-lab-x86_64-svm.png" ]
  [ -z "$stderr" ]
  grep -q 'lines of the guest that one exit evicts' pictures/*.svg
}

@test "run --touch: misses are metrics of the document, of compare and of a history" {
  need_target lab:aarch64-vhe
  local name
  for name in default pmu-emulated; do
    "$wsbench" run --on lab:aarch64-vhe --bench hypercall,timer_expiry --events 60 --config "$name" --touch -o "$name.json" >text
    grep -q 'timer_expiry .*: not simulated: it is timed from a deadline' text
  done
  "$wsbench" validate default.json
  "$wsbench" explain --on lab:aarch64-vhe --bench hypercall --events 60 --touch -o explained.json >text
  figure() { doc "$1" '{m["name"]: m["estimate"]["value"] for m in d["benchmarks"][0]["metrics"]}["'"$2"'"]'; }
  [ "$(figure default.json l1i_misses_cold)" = "$(doc explained.json 'float(d["touch"]["cold"]["l1i_misses"])')" ]
  [ "$(figure default.json sysreg_reads)" = "$(doc explained.json 'float(d["kinds"]["sysreg_reads"])')" ]
  [ "$(figure default.json l1d_evicted_after_256k)" = \
    "$(doc explained.json 'next(float(w["l1d_evicted"]) for w in d["touch"]["curve"] if w["guest_kib"] == 256)')" ]
  # The vPMU's path has more code.
  sed 's/"config": "pmu-emulated"/"config": "default"/' pmu-emulated.json >new.json
  run_apart "$wsbench" compare default.json new.json --bench hypercall --metric l1i_misses_cold,l1d_misses
  [ "$status" = 1 ]
  local old new
  old=$(figure default.json l1i_misses_cold) new=$(figure new.json l1i_misses_cold)
  old=${old%.0} new=${new%.0}
  ((old >= 100 && old < new && new <= 120))
  grep -qE "^hypercall l1i_misses_cold +$old +$new +\\+$((new - old)) .*misses .*worse" <<<"$stdout"
  grep -q '1 worse, 0 better, 1 same' <<<"$stdout"
  "$wsbench" history add --db h.jsonl --metric l1i_misses_cold default.json new.json
  "$wsbench" history show --db h.jsonl --metric l1i_misses_cold >text
  grep -q 'hypercall l1i_misses_cold, in misses' text
  [ "$(grep -o '"metric":"[a-z0-9_]*"\|"value":[0-9]*' h.jsonl | paste -sd ' ')" = \
    "\"metric\":\"l1i_misses_cold\" \"value\":$old \"metric\":\"l1i_misses_cold\" \"value\":$new" ]
}

@test "run --touch is refused where nothing can record" {
  refused 2 '--touch: not for target bare:x86_64: only labs' "$wsbench" run --on bare:x86_64 --bench null --touch
  refused 2 '--touch: not for target lab:aarch64-smp: explain follows machines of one CPU' \
    "$wsbench" run --on lab:aarch64-smp --bench null --touch
  refused 2 'nothing is simulated (give --touch, too)' "$wsbench" run --on lab:aarch64-vhe --bench null --ll 32768,8,64
}

@test "wrong caches, and documents without them, are refused" {
  explanation plain.json aarch64 1
  local explain=("$wsbench" explain)
  refused 2 'plain.json: does not say what the event touches' "${explain[@]}" plain.json --touch
  # No kernel exists: explain fails before a boot.
  export WORLDSWITCH_CACHE=$PWD
  local new=("${explain[@]}" --on lab:aarch64-vhe --bench hypercall)
  refused 2 'plain.json: does not say what the event touches' "${new[@]}" --touch --diff plain.json
  refused 2 "--d1: '32768,8,48': the line is not a power of two" "${new[@]}" --touch --d1 32768,8,48
  refused 2 "--ll: '1M,8,64': is not BYTES,WAYS,LINE" "${new[@]}" --touch --ll 1M,8,64
  refused 2 'nothing is simulated (give --touch, too)' "${new[@]}" --i1 32768,8,64
  refused 2 'options of the recording' "${explain[@]}" plain.json --touch --i1 32768,8,64
  refused 2 '--format callgrind and --touch' "${explain[@]}" plain.json --touch --format callgrind
  refused 2 'no explanation was recorded with --touch' "$wsbench" plot plain.json -o pictures
  nothing_left plain.json
}
