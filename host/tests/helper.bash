# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the end-to-end tests share: a clean place to run in, and looking at what
# a run left behind.
# shellcheck disable=SC2034,SC2154  # what the tests use, and what bats' run sets

tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$(dirname "$tests")")
build=${BUILD:-$top/build}
wsbench=$build/wsbench
payloads=$build/tests/payloads
arch=$(uname -m)

# An empty current folder and an empty TMPDIR, and a mark on all processes that
# the test starts, which they hand on to theirs.
clean_place() {
  mkdir -p "$1/cwd" "$1/tmp"
  cd "$1/cwd" || return
  export TMPDIR=$1/tmp
  export WORLDSWITCH_TEST_MARK=$1.$$
  unset NO_COLOR
}

setup() {
  clean_place "$BATS_TEST_TMPDIR"
  touch "$BATS_TEST_TMPDIR/begin"
}

# run_apart COMMAND...: like bats' run, with $stdout and $stderr apart. Ends with
# 124 if it takes more than 3 minutes: then it hangs.
run_apart() {
  run --separate-stderr timeout --kill-after=5 180 "$@" </dev/null
  stdout=$output
}

marked_processes() {
  local dir pid
  for dir in /proc/[0-9]*; do
    pid=${dir#/proc/}
    # Only what the test left: not bats, which carries the mark as well.
    case $(tr '\0' ' ' 2>/dev/null <"$dir/cmdline") in
    *qemu-system* | *bochs* | *"$wsbench"* | sleep*) ;;
    *) continue ;;
    esac
    if grep -qzxF "WORLDSWITCH_TEST_MARK=$WORLDSWITCH_TEST_MARK" "$dir/environ" 2>/dev/null; then
      echo "$pid $(tr '\0' ' ' <"$dir/cmdline")"
    fi
  done
}

# nothing_left FILE...: no process of this test, and no file but these in the
# current folder.
nothing_left() {
  local left
  left=$(marked_processes)
  if [ -n "$left" ]; then
    echo "processes left: $left"
    return 1
  fi
  left=$(find . -mindepth 1 | sort | tr '\n' ' ')
  if [ "$left" != "$(printf './%s\n' "$@" | sed '/^\.\/$/d' | sort | tr '\n' ' ')" ]; then
    echo "files here: $left"
    return 1
  fi
  left=$(
    find "$TMPDIR" -mindepth 1
    find /tmp /dev/shm /var/tmp -maxdepth 1 -newer "$BATS_TEST_TMPDIR/begin" \
      \( -name '*wsbench*' -o -name '*worldswitch*' -o -name '*qemu*' -o -name '*bochs*' \) -user "$(id -u)" 2>/dev/null
  )
  if [ -n "$left" ]; then
    echo "temporary files left: $left"
    return 1
  fi
}

# doc FILE EXPRESSION: prints a Python expression over a document: `d` is all of
# it, b(name, config) a benchmark, m(name, config, metric) a metric.
doc() {
  python3 - "$1" "$2" <<'END'
import json, sys

with open(sys.argv[1]) as f:
    d = json.load(f)

def b(name, config=None):
    found = [x for x in d["benchmarks"]
             if x["name"] == name and config in (None, x["config"])]
    if len(found) != 1:
        sys.exit(f"{len(found)} benchmarks {name} {config or ''} in {sys.argv[1]}")
    return found[0]

def m(name, config=None, metric="round_trip"):
    return next(x for x in b(name, config)["metrics"] if x["name"] == metric)

def value(name, config=None, metric="round_trip"):
    return m(name, config, metric)["estimate"]["value"]

print(eval("(" + sys.argv[2] + ")"))
END
}

# holds FILE EXPRESSION: the expression is true; if not, what its document says.
holds() {
  local answer
  answer=$(doc "$1" "$2") || return
  if [ "$answer" != True ]; then
    echo "not so in $1: $2"
    doc "$1" '"\n".join(f"{x} {y}: {s} {r} {e}" for x, y, s, r, e in (map(b.get, ("name", "config", "status", "reason", "exits")) for b in d["benchmarks"]))'
    return 1
  fi
}

# The lines of a document that are its benchmarks.
benchmarks_text() {
  sed -n '/^  "benchmarks": \[/,/^  \]/p' "$1"
}

one_line() {
  [ "$(printf '%s\n' "$1" | wc -l)" = 1 ] && [ -n "$1" ] && return
  echo "not one line: $1"
  return 1
}

# refused CODE TEXT COMMAND...: it ends with CODE, says one line with TEXT in it
# on stderr and nothing on stdout.
refused() {
  local code=$1 text=$2
  shift 2
  run_apart "$@"
  echo "exit code $status, stdout: $stdout, stderr: $stderr"
  [ "$status" = "$code" ] && [ -z "$stdout" ] && one_line "$stderr" && [[ $stderr == *"$text"* ]]
}

# unavailable TARGET: why it cannot run here; fails if it can.
unavailable() {
  "$wsbench" list targets --json | python3 -c '
import json, sys
t = next(t for t in json.load(sys.stdin)["targets"] if t["name"] == sys.argv[1])
print(t["reason"] or "")
sys.exit(t["available"])' "$1"
}

need_terminal() {
  python3 -c 'import os; os.openpty()' 2>/dev/null || skip "no pseudo-terminals here"
}

need_target() {
  local why
  if why=$(unavailable "$1"); then skip "$1: $why"; fi
}

is_software_kvm() {
  [ ! -e /sys/module/kvm_intel ] && [ ! -e /sys/module/kvm_amd ] &&
    ! grep -qwE 'vmx|svm' /proc/cpuinfo && [ "$arch" = x86_64 ]
}

# Sets $own_mounts to a command that runs `SCRIPT ARG0 ARG...` in a shell with a mount
# namespace of its own, where it may mount. Skips the test where that is not allowed.
need_own_mounts() {
  local try
  for try in -m -mr; do
    own_mounts=(unshare "$try" sh -ec)
    ! "${own_mounts[@]}" 'mount -t tmpfs none /mnt' 2>/dev/null || return 0
  done
  skip "no mount namespaces here"
}

# shim EMULATOR N ACTION: from its Nth start on, the emulator does ACTION instead.
# Asking for its version does not count.
shim() {
  local real
  real=$(command -v "$1")
  mkdir -p "$BATS_TEST_TMPDIR/bin"
  echo 0 >"$BATS_TEST_TMPDIR/starts"
  cat >"$BATS_TEST_TMPDIR/bin/$1" <<END
#!/bin/sh
case \$* in --version | --help) exec $real "\$@" ;; esac
n=\$((\$(cat $BATS_TEST_TMPDIR/starts) + 1))
echo \$n >$BATS_TEST_TMPDIR/starts
[ \$n -lt $2 ] || { $3; }
exec $real "\$@"
END
  chmod +x "$BATS_TEST_TMPDIR/bin/$1"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
}
