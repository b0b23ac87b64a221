#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Where the time of a run goes: run --timing.
bats_require_minimum_version 1.5.0
load helper

# The first run of a machine boots it, the others restore it, and have the stages of its boot.
setup_file() { own_machines; }

@test "bare: the parts of a run, with the emulators' CPU time" {
  need_target bare:x86_64
  shim qemu-system-x86_64 1 'i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done'
  run_apart "$wsbench" run --on bare:x86_64 --bench null,rdtsc --boots 3 --timing --quiet
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  grep -Eq '^Timing, bare:x86_64: [0-9.]+ s$' <<<"$stdout"
  # Boots, wall, CPU; the loop of the shim is CPU time of an emulator.
  awk '$1 == "rows" { n = $2; ok = $3 > 0.1 && $4 > 0.1 } END { exit !(n == 6 && ok) }' <<<"$stdout"
  grep -Eq '^analysis +[0-9]+ +[0-9.]+ +[0-9.]+$' <<<"$stdout"
  refused 2 '--json and --timing' "$wsbench" run --on bare:x86_64 --bench null --json --timing
}

# timed LAB [OPTION...]: runs a row; the stages of the machine's boot are in $stages.
timed() {
  run_apart "$wsbench" run --on "lab:$1" --bench null --boots 1 --timing --quiet -o doc.json "${@:2}"
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  stages=$(sed -n '/^boot of the machine/,/^[^ b]/{ /^  /p }' <<<"$stdout")
}

# lab_parts LAB: the boot of a machine that was saved is reported as that of a new one, in instructions.
lab_parts() {
  need_target "lab:$1"
  timed "$1"
  local first=$stages
  # CPU time of the emulators, in a machine with some 10^8 instructions. The row alone may take
  # less than the 10 ms in which the kernel counts CPU time.
  awk '$1 == "boot" { boot = $5 == 1 && $6 > 0 && $7 > 0.05 } $1 == "rows" { rows = $2 == 1 && $3 > 0; cpu += $4 }
    $1 == "start" && $5 == "clones" { clones = $6 == 2; cpu += $8 } END { exit !(boot && rows && clones && cpu > 0.01) }' <<<"$stdout"
  awk '/^  firmware/ { f = $NF > 1 } /^  kernel / { k = $NF > 10 } /^  init/ { i = $NF > 1 } END { exit !(f && k && i) }' \
    <<<"$first"
  cp doc.json fresh.json
  timed "$1"
  [ "$stages" = "$first" ]
  # The job that reads the machine's clock does not change a figure.
  run_apart "$wsbench" run --on "lab:$1" --bench null --boots 1 --quiet -o doc.json
  [ "$(benchmarks_text doc.json)" = "$(benchmarks_text fresh.json)" ]
}

@test "lab:aarch64-vhe: the parts of a run, and the stages of its boot" { lab_parts aarch64-vhe; }
@test "lab:x86_64-svm: the parts of a run, and the stages of its boot" { lab_parts x86_64-svm; }

# init_insns [OPTION...]: 10^6 instructions from /init to KVM.
init_insns() {
  timed x86_64-svm "$@"
  insns=$(awk '/^  init and modules/ { print int($NF) }' <<<"$stages")
}

# Of KVM's modules, the kernel skips what tracers use; of its own image, the decompressor.
@test "lab:x86_64-svm: a boot executes neither the decompressor nor the preparation of ftrace" {
  need_target lab:x86_64-svm
  local insns
  init_insns
  [ "$insns" -lt 100 ]
  awk '/^  firmware/ { n = $NF } END { exit !(n < 60) }' <<<"$stages"
  cp doc.json trimmed.json
  init_insns --append wsbench.whole=1
  [ "$insns" -gt 200 ]
  [ "$(benchmarks_text doc.json)" = "$(benchmarks_text trimmed.json)" ]
  # A signature is of the whole module.
  WORLDSWITCH_CONSOLE=$PWD/console init_insns --append module.sig_enforce=1
  [ "$insns" -gt 200 ]
  grep -aq 'worldswitch: module kvm-amd is whole: trimmed: ' console
  [ "$(benchmarks_text doc.json)" = "$(benchmarks_text trimmed.json)" ]
}

# Calls of __fentry__ in KVM that /init had removed would not be traced. Modules come later than
# ftrace_notrace=*: the kernel itself is not traced, and boots four times faster.
@test "lab:x86_64-svm: a kernel that traces functions traces those of KVM's modules" {
  need_target lab:x86_64-svm
  local of options
  for of in ftrace both; do
    options=(--append 'ftrace=function ftrace_notrace=*')
    [ $of = ftrace ] || options=(--append 'ftrace=function ftrace_notrace=* module.sig_enforce=1')
    "$wsbench" run --on lab:x86_64-svm --bench hypercall,pio_out_user --boots 1 --events 50 --quiet \
      "${options[@]}" -o $of.json
  done
  # Batches have timer ticks in them.
  python3 - <<'END_OF_PYTHON'
import json
def round_trips(path):
    return {b["name"]: b["metrics"][0]["estimate"]["value"] for b in json.load(open(path))["benchmarks"]}
ftrace = round_trips("ftrace.json")
assert ftrace == round_trips("both.json") and ftrace["hypercall"] > 10000, ftrace
END_OF_PYTHON
}

# whole_modules LAB [explained]: with whole modules and all initcalls, each core row (and each function
# of a hypercall) costs what it does in the lab's machine. Other objects are beside the vCPU's, so that
# __check_object_size() takes its other branch in MMIO on VMX: 1 instruction.
whole_modules() {
  need_target "lab:$1"
  local of options
  for of in trimmed whole; do
    options=()
    [ $of = trimmed ] || options=(--append wsbench.whole=1)
    "$wsbench" run --on "lab:$1" --bench core --boots 1 --events 50 --timing --quiet \
      "${options[@]}" -o $of.json >$of.txt
    [ -z "${2:-}" ] ||
      "$wsbench" explain --on "lab:$1" --bench hypercall --events 50 "${options[@]}" -o $of.functions.json >/dev/null
  done
  # The modules of the second machine were whole.
  awk '/^  init and modules/ { n[FILENAME] = $NF }
    END { exit !(n["trimmed.txt"] < 100 && n["whole.txt"] > 200) }' trimmed.txt whole.txt
  python3 - <<'END_OF_PYTHON'
import json
def estimates(path):
    return {(b["name"], b["config"], m["name"]): m["estimate"] and m["estimate"]["value"]
            for b in json.load(open(path))["benchmarks"] for m in b["metrics"]}
a, b = estimates("trimmed.json"), estimates("whole.json")
print({k: (a.get(k), b.get(k)) for k in a.keys() | b.keys() if a.get(k) != b.get(k)})
assert len(a) > 20 and a.keys() == b.keys()
for k in a:
    assert a[k] == b[k] or k[0].startswith("mmio_") and abs(a[k] - b[k]) == 1, k
END_OF_PYTHON
  [ -n "${2:-}" ] || return 0
  python3 - <<'END_OF_PYTHON'
import json
def functions(path):
    return sorted((f["name"], f["module"] or "", f["insns"]) for f in json.load(open(path))["functions"])
a, b = functions("trimmed.functions.json"), functions("whole.functions.json")
print(set(a) ^ set(b))
assert len(a) > 20 and a == b
END_OF_PYTHON
}

@test "lab:x86_64-svm: a kernel with all initcalls and whole modules has the same figures" { whole_modules x86_64-svm explained; }
@test "lab:x86_64-vmx: a kernel with all initcalls and whole modules has the same figures" { whole_modules x86_64-vmx; }

# A machine boots with SVE vectors of 16 bytes, so that QEMU translates less; jobs have those that a
# process has by default: with 16 bytes, memcpy() takes other paths, and state_sync_lazy 258
# instructions less. The last of two parameters holds.
@test "lab:aarch64-vhe: jobs have the SVE vector length of Linux, whatever the boot had" {
  need_target lab:aarch64-vhe
  local of options
  for of in own linux; do
    options=()
    [ $of = own ] || options=(--append sysctl.abi.sve_default_vector_length=64)
    "$wsbench" run --on lab:aarch64-vhe --bench hypercall,mmio_write_user,state_sync_lazy --boots 1 \
      --quiet "${options[@]}" -o $of.json
  done
  python3 - <<'END_OF_PYTHON'
import json
def round_trips(path):
    return {b["name"]: b["metrics"][0]["estimate"]["value"] for b in json.load(open(path))["benchmarks"]}
own, linux = round_trips("own.json"), round_trips("linux.json")
print(own, linux)
assert len(own) == 3 and own == linux
END_OF_PYTHON
}

# ftrace_init() is not an initcall: its work is done in the Image. A kernel that traces is left whole.
@test "lab:aarch64-vhe: a boot does not prepare ftrace; core rows are those of a kernel that does" {
  need_target lab:aarch64-vhe
  local of options
  for of in trimmed whole; do
    options=()
    [ $of = trimmed ] || options=(--append wsbench.whole=1)
    "$wsbench" run --on lab:aarch64-vhe --bench core --boots 1 --timing --quiet \
      "${options[@]}" -o $of.json >$of.txt
  done
  awk '/^  firmware/ { n[FILENAME] = $NF }
    END { exit !(n["trimmed.txt"] < 60 && n["whole.txt"] > 90) }' trimmed.txt whole.txt
  python3 - <<'END_OF_PYTHON'
import json
def estimates(path):
    return {(b["name"], b["config"], m["name"]): m["estimate"] and m["estimate"]["value"]
            for b in json.load(open(path))["benchmarks"] for m in b["metrics"]}
a, b = estimates("trimmed.json"), estimates("whole.json")
print({k: (a.get(k), b.get(k)) for k in a.keys() | b.keys() if a.get(k) != b.get(k)})
assert len(a) > 20 and a == b
END_OF_PYTHON
  run_apart "$wsbench" run --on lab:aarch64-vhe --bench hypercall --boots 1 --events 50 --quiet \
    --append 'ftrace=function ftrace_filter=kvm_*' -o traced.json
  [ "$status" = 0 ]
  python3 -c 'import json; d = json.load(open("traced.json"))
assert d["benchmarks"][0]["metrics"][0]["estimate"]["value"] > 1200, d["benchmarks"][0]["metrics"][0]["estimate"]'
}
