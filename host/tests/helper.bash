# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by the end-to-end tests: clean working folders, contained commands, and checks of
# documents and leftovers.
# shellcheck disable=SC2034,SC2154  # variables for the tests, and variables of bats' run

# Sourced for each test: without processes, and what one process can say for all is exported.
tests=${BASH_SOURCE[0]%/*}
[[ $tests == /* ]] || tests=$PWD/$tests
top=${tests%/*/*}
# The tests make parts of the tree, and `make test` holds its lock.
export LOCKED_TREE=${LOCKED_TREE:-$top}
build=${BUILD:-$top/build}
wsbench=$build/wsbench
payloads=$build/tests/payloads
arch=${WS_ARCH:=$(uname -m)}
export WS_ARCH

# Debian's Python has the modules of scripts/packages. Another Python that comes first in
# PATH may lack them, or be a slow wrapper.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
export python

# For cache_dir.
# shellcheck source=/dev/null
. "$top/scripts/places.sh"

python3() { command "$python" "$@"; }
export -f python3

# Makes an empty current folder and an empty TMPDIR.
clean_place() {
  mkdir -p "$1/cwd" "$1/tmp"
  cd "$1/cwd" || return
  export TMPDIR=$1/tmp
  unset NO_COLOR
}

setup() {
  clean_place "$BATS_TEST_TMPDIR"
}

# `run --times`: the shell and its children, of this test.
teardown() { count_cpu; }

count_cpu() {
  [ -n "${WS_TIMES:-}" ] || return 0
  times >"$BATS_TEST_TMPDIR/times"
  tr 'ms' '  ' <"$BATS_TEST_TMPDIR/times" |
    awk -v OFS='\t' -v file="${BATS_TEST_FILENAME##*/}" -v test="$BATS_TEST_DESCRIPTION" '
      { cpu += 60 * ($1 + $3) + $2 + $4 } END { printf "%.1f\t%s\t%s\n", cpu, file, test }' >>"$WS_TIMES"
}

# contained COMMAND...: runs a command with a limit of 10 minutes (exit code 124). Processes
# that outlive the command are killed, and nothing_left reports them.
contained() {
  "$build/tests/contain" --limit 600 --left "$TMPDIR/../processes" "$@" </dev/null
}
export build
export -f contained

# run_apart COMMAND...: like bats' run of a contained command, with separate $stdout and
# $stderr.
run_apart() {
  run --separate-stderr contained "$@"
  stdout=$output
}

# nothing_left FILE...: no process outlived its command, TMPDIR is empty, and the current
# folder contains only these files.
nothing_left() {
  local left
  left=$(cat "$TMPDIR/../processes" 2>/dev/null || true)
  if [ -n "$left" ]; then
    echo "processes left: $left"
    return 1
  fi
  left=$(find . -mindepth 1 | sort | tr '\n' ' ')
  if [ "$left" != "$(printf './%s\n' "$@" | sed '/^\.\/$/d' | sort | tr '\n' ' ')" ]; then
    echo "files here: $left"
    return 1
  fi
  left=$(find "$TMPDIR" -mindepth 1)
  if [ -n "$left" ]; then
    echo "temporary files left: $left"
    return 1
  fi
}

# children PID [NAME]: sets $children to the processes whose parent is PID and whose name begins with
# NAME. Starts no process: a test that waits would use more CPU time than what it waits for.
children() {
  local file line child name
  children=()
  for file in /proc/"$1"/task/*/children; do
    line=
    { read -r line <"$file"; } 2>/dev/null || true # without a newline at the end
    for child in $line; do
      name=
      { read -r name <"/proc/$child/comm"; } 2>/dev/null || true
      [[ -z $name || $name != "${2:-}"* ]] || children+=("$child")
    done
  done
}

# nap SECONDS: sleep without a process.
nap() {
  [ -p "$BATS_TEST_TMPDIR/nap" ] || mkfifo "$BATS_TEST_TMPDIR/nap"
  read -rt "$1" <>"$BATS_TEST_TMPDIR/nap" || true
}

# own_machines: for setup_file. The labs of the file have a cache of machines of their own, so
# that each machine is booted once, by the first test that needs it, and all others restore it:
# a test that repeats a run compares a machine that was booted with one that was saved. $real_cache
# is the cache of all.
own_machines() {
  local name
  real_cache=$(cache_dir)
  export real_cache
  mkdir "$BATS_FILE_TMPDIR/cache"
  for name in apt emulators headers kernels; do
    ln -s "$real_cache/$name" "$BATS_FILE_TMPDIR/cache/"
  done
  export WORLDSWITCH_CACHE=$BATS_FILE_TMPDIR/cache
}

# What the files of one run share; of a file that runs alone, its own.
shared=${WS_SHARED:-${BATS_FILE_TMPDIR:-}}

# benches LAB: the benchmarks of the catalogue that document measures. Two labs differ from
# lab:aarch64-vhe in few rows.
benches() {
  case ${WS_ALL:-}$1 in
  aarch64-nvhe | aarch64-pkvm)
    echo 'core,pmccntr,pmu_accuracy_*,pmu_overflow_*,wf*,ipi_*,state_*,fault_*,pmu_pmcr*,cntp_cval,insn_stop_skid'
    ;;
  *) echo '*' ;;
  esac
}

# catalogue LAB: runs the catalogue. One boot is enough for an exact target; a row ends when its events
# repeat, before 50 of them. The output says whether the machine was booted or continued.
catalogue() (
  exec {lock}>&-
  clean_place "$shared"
  contained "$wsbench" run --on "lab:$1" --bench "$(benches "$1")" --boots 1 --timing -o "$shared/$1.1.json" \
    >"$shared/$1.1.out" 2>"$shared/$1.1.err" || true
  [ ! -e "$shared/$1.1.json" ] || echo 0 >"$shared/$1.1.status"
)

# document LAB: sets $document to the document of the catalogue, which the first test that
# needs it measures; the tests of other files wait.
document() {
  need_target "lab:$1"
  document=$shared/$1.1.json
  exec {lock}>"$shared/$1.lock"
  flock "$lock"
  [ -e "$shared/$1.1.err" ] || catalogue "$1"
  exec {lock}>&-
  if [ ! -e "$shared/$1.1.status" ]; then
    cat "$shared/$1.1.err"
    return 1
  fi
}

# doc FILE EXPRESSION...: prints Python expressions on a document: `d` is the document,
# b(name, config) a benchmark, m(name, config, metric) a metric.
doc() { evaluate print "$@"; }

# holds FILE EXPRESSION...: the expressions are true; otherwise prints the benchmarks.
holds() { evaluate check "$@"; }

evaluate() {
  python3 - "$@" <<'END'
import json, re, sys

mode, path, *expressions = sys.argv[1:]
with open(path) as f:
    d = json.load(f)

def b(name, config=None):
    found = [x for x in d["benchmarks"]
             if x["name"] == name and config in (None, x["config"])]
    if len(found) != 1:
        sys.exit(f"{len(found)} benchmarks {name} {config or ''} in {path}")
    return found[0]

def m(name, config=None, metric="round_trip"):
    return next(x for x in b(name, config)["metrics"] if x["name"] == metric)

def value(name, config=None, metric="round_trip"):
    return m(name, config, metric)["estimate"]["value"]

failed = False
for expression in expressions:
    answer = eval("(" + expression + ")")
    if mode == "print":
        print(answer)
    elif answer is not True:
        print(f"not so in {path}: {expression}")
        failed = True
if failed:
    for x in d["benchmarks"]:
        print(f"{x['name']} {x['config']}: {x['status']} {x['reason']} {x['exits']}")
    sys.exit(1)
END
}

# pause_exits FILE: in this document, one PAUSE of a loop exits, and is the event.
pause_exits() {
  holds "$1" 'b("pause_exit")["status"] == "ok"' 'b("pause_exit")["handled_by"] == "kernel"' \
    'b("pause_exit")["exits"]["observed"] == b("pause_exit")["exits"]["expected"] > 0' \
    '1000 < value("pause_exit") < 4096'
}

# lab_document FILE TARGET KERNEL VALUE: a document of one exact row, hypercall.
lab_document() {
  python3 - "$tests/result_v1.json" "$@" <<'END'
import json, sys
base, path, target, kernel, value = sys.argv[1:]
d = json.load(open(base))
d["target"].update(name=target, kind=target.split(":")[0], exact=target != "kvm")
d["subject"]["kernel"] = kernel
d["run"].update(partial=False, argv=["run", "--kernel", "./gone/vmlinuz"])
b = next(b for b in d["benchmarks"] if b["metrics"])
m = b["metrics"][0]
m.update(name="round_trip", unit="insns", boots=m["boots"][:1])
m["estimate"].update(value=float(value), ci={"level": 1, "lo": float(value), "hi": float(value), "method": "exact"})
m["boots"][0].update(valid=True, reject_reason=None)
m["boots"][0]["summary"] = dict.fromkeys(m["boots"][0]["summary"], float(value)) | {"n": 1}
b.update(name="hypercall", config="default", status="ok", reason=None, metrics=[m])
d["benchmarks"] = [b]
json.dump(d, open(path, "w"))
END
}

# Prints the lines of the benchmarks of a document.
benchmarks_text() {
  sed -n '/^  "benchmarks": \[/,/^  \]/p' "$1"
}

one_line() {
  [ "$(printf '%s\n' "$1" | wc -l)" = 1 ] && [ -n "$1" ] && return
  echo "not one line: $1"
  return 1
}

# refused CODE TEXT COMMAND...: the command exits with CODE, and prints one line that
# contains TEXT to stderr and nothing to stdout.
refused() {
  local code=$1 text=$2
  shift 2
  run_apart "$@"
  echo "exit code $status, stdout: $stdout, stderr: $stderr"
  [ "$status" = "$code" ] && [ -z "$stdout" ] && one_line "$stderr" && [[ $stderr == *"$text"* ]]
}

# NAME AVAILABLE REASON of each target of `wsbench list targets --json`.
targets_of_list() {
  python3 -c '
import json, sys
for t in json.load(sys.stdin)["targets"]:
    print(t["name"], t["available"], t["reason"] or "")'
}

# unavailable TARGET: prints why TARGET cannot run here; fails if it can. The list is made
# once for all tests of all files: by `run` before the first, or by the first test of a file.
unavailable() {
  local list=${WS_SHARED:-}/targets available reason
  if [ ! -f "$list" ]; then
    list=$BATS_RUN_TMPDIR/targets
    [ -f "$list" ] || "$wsbench" list targets --json | targets_of_list >"$list"
  fi
  read -r available reason < <(sed -n "s/^$1 //p" "$list")
  echo "$reason"
  [ "$available" = False ]
}

need_terminal() {
  python3 -c 'import os; os.openpty()' 2>/dev/null || skip "no pseudo-terminals here"
}

need_target() {
  local why
  if why=$(unavailable "$1"); then skip "$1: $why"; fi
}

# has_built_bochs: whether the emulator of this source tree is built. Found out once for all tests of
# all files with the same folder of emulators.
has_built_bochs() {
  local folder known
  folder=$(cd -P "$(emulators_dir)" 2>/dev/null && pwd) || folder=none
  known=${WS_SHARED:-$BATS_RUN_TMPDIR}/bochs${folder//\//_}
  if [ ! -f "$known" ]; then
    if "$top/scripts/emulator.sh" path bochs >/dev/null 2>&1; then echo built; else echo missing; fi >"$known.$$"
    mv "$known.$$" "$known"
  fi
  [ "$(<"$known")" = built ]
}

# The emulator that scripts/emulator.sh builds has a PMU and records instructions; a distribution's does not.
need_built_bochs() {
  [ -x "$top/scripts/emulator.sh" ] || skip "not a source tree"
  ! has_built_bochs || return 0
  # The sources were there, and something is wrong with them or with the patches.
  local log=${WORLDSWITCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/worldswitch}/emulators/build.log
  if [ -e "$log" ]; then
    echo "the emulator of the x86 labs failed to build: $log"
    return 1
  fi
  skip "the emulator of the x86 labs is not built (make emulators)"
}

is_software_kvm() {
  [ ! -e /sys/module/kvm_intel ] && [ ! -e /sys/module/kvm_amd ] &&
    ! grep -qwE 'vmx|svm' /proc/cpuinfo && [ "$arch" = x86_64 ]
}

# Sets $own_mounts to a command that runs `SCRIPT ARG0 ARG...` in a shell in a new mount
# namespace, with permission to mount. Skips the test if namespaces are not allowed.
need_own_mounts() {
  local try
  for try in -m -mr; do
    own_mounts=(unshare "$try" sh -ec)
    ! "${own_mounts[@]}" 'mount -t tmpfs none /mnt' 2>/dev/null || return 0
  done
  skip "no mount namespaces here"
}

# shim EMULATOR N ACTION: from the Nth start on, ACTION runs instead of the emulator. Starts
# with --version do not count.
shim() {
  local real
  real=$(command -v "$1")
  mkdir -p "$BATS_TEST_TMPDIR/bin"
  # ACTION writes files and sends signals.
  export WORLDSWITCH_CONFINE=0
  # A machine of the replaced emulator must not be saved for later runs.
  export WORLDSWITCH_FRESH_MACHINES=1
  # The shim of bochs is a distribution's.
  export WORLDSWITCH_EMULATORS=$BATS_TEST_TMPDIR/no-emulators
  echo 0 >"$BATS_TEST_TMPDIR/starts"
  cat >"$BATS_TEST_TMPDIR/bin/$1" <<END
#!/bin/sh
case \$* in --version | --help) exec "$real" "\$@" ;; esac
n=\$((\$(cat "$BATS_TEST_TMPDIR/starts") + 1))
echo \$n >"$BATS_TEST_TMPDIR/starts"
[ \$n -lt $2 ] || { $3; }
exec "$real" "\$@"
END
  chmod +x "$BATS_TEST_TMPDIR/bin/$1"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
}
