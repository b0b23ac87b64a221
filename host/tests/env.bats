#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# `wsbench env` on files like those of /proc and /sys: check, tune, restore.
bats_require_minimum_version 1.5.0
load helper

# make_root: creates ./root of a machine on which only governor, KSM and THP cause noise.
make_root() {
  local cpu
  put sys/class/misc/kvm/dev 10:232
  put proc/cpuinfo "flags		: fpu vmx lm"
  for cpu in 0 1; do
    put "sys/devices/system/cpu/cpu$cpu/cpufreq/scaling_governor" powersave
  done
  put sys/devices/system/cpu/intel_pstate/no_turbo 1
  put sys/devices/system/cpu/smt/active 0
  put sys/kernel/mm/ksm/run 1
  put sys/kernel/mm/transparent_hugepage/enabled "[always] madvise never"
}

put() {
  mkdir -p "root/$(dirname "$1")"
  echo "$2" >"root/$1"
}

governors() {
  local f
  for f in root/sys/devices/system/cpu/cpu?/cpufreq/scaling_governor; do
    echo "$(<"$f")" # always with a newline
  done | sort | uniq -c | tr -s ' '
}

@test "env check prints a table, and the exit code is the verdict" {
  make_root
  run_apart "$wsbench" env check --root root
  echo "$stdout / $stderr"
  [ "$status" = 3 ]
  one_line "$stderr"
  [[ $stderr == *'not trustworthy: cpufreq_governor' ]]
  [[ $stdout == *'cpufreq_governor      powersave'*'performance'*'warn'* ]]
  put sys/devices/system/cpu/cpu0/cpufreq/scaling_governor performance
  put sys/devices/system/cpu/cpu1/cpufreq/scaling_governor performance
  run_apart "$wsbench" env check --root root
  [ "$status" = 0 ]
  [ -z "$stderr" ]
}

@test "env --json: the settings of check, and of show also what is tuned" {
  make_root
  run_apart "$wsbench" env check --root root --json
  [ "$status" = 3 ]
  printf '%s\n' "$stdout" >check.json
  "$wsbench" env tune --root root >/dev/null
  "$wsbench" env show --root root --json >show.json
  python3 - <<'END'
import json
check, show = json.load(open("check.json")), json.load(open("show.json"))
def governor(d):
    return next(s for s in d["settings"] if s["id"] == "cpufreq_governor")
assert governor(check)["status"] == "warn" and governor(check)["value"] == "powersave", check
assert governor(check)["grave"] and not check["trustworthy"] and "tuned" not in check
assert governor(show)["status"] == "ok" and show["trustworthy"], show
entry = next(t for t in show["tuned"] if t["path"].endswith("cpu0/cpufreq/scaling_governor"))
assert entry["original"] == "powersave" and entry["written"] == entry["now"] == "performance", entry
END
  refused 2 "'tune' has no option --json" "$wsbench" env tune --root root --json
}

@test "env tune changes settings and prints them, and restore undoes the changes" {
  make_root
  before=$(cd root && grep -r . sys | sort)
  run_apart "$wsbench" env tune --root root
  echo "$stdout / $stderr"
  [ "$status" = 0 ]
  [[ $stdout == *'cpufreq_governor      powersave -> performance (2 files)'* ]]
  [[ $stdout == *'always -> madvise'* ]]
  [ "$(governors)" = ' 2 performance' ]
  run_apart "$wsbench" env check --root root
  [ "$status" = 0 ]
  run_apart "$wsbench" env show --root root
  [[ $stdout == *'/sys/kernel/mm/ksm/run: 1 -> 0'* ]]
  run_apart "$wsbench" env restore --root root
  [ "$status" = 0 ]
  # Only the kernel writes the brackets.
  put sys/kernel/mm/transparent_hugepage/enabled "[always] madvise never"
  [ "$(cd root && grep -r . sys | sort)" = "$before" ]
  [ ! -e root/var/lib/worldswitch/tuned ]
}

@test "a dry run prints the changes and changes nothing" {
  make_root
  before=$(grep -r . root | sort)
  run_apart "$wsbench" env tune --dry-run --root root
  [ "$status" = 0 ]
  [[ $stdout == *'would be powersave -> performance (2 files)'* ]]
  [ "$(grep -r . root | sort)" = "$before" ]
}

# A write to a pipe without a reader blocks: there the process is stopped.
stopped_by() {
  make_root
  rm root/sys/kernel/mm/ksm/run
  mkfifo root/sys/kernel/mm/ksm/run
  (echo 1 >root/sys/kernel/mm/ksm/run) &
  "$wsbench" env tune --root root >/dev/null 2>&1 &
  pid=$!
  for _ in $(seq 100); do
    if grep -q ksm root/var/lib/worldswitch/tuned 2>/dev/null; then break; fi
    sleep 0.05
  done
  kill "-$1" $pid
  wait $pid || true
  rm root/sys/kernel/mm/ksm/run
  put sys/kernel/mm/ksm/run 0
  [ "$(governors)" = ' 2 performance' ]
  run_apart "$wsbench" env restore --root root
  echo "$stdout / $stderr"
  [ "$status" = 0 ]
  [ "$(governors)" = ' 2 powersave' ]
  [ "$(cat root/sys/kernel/mm/ksm/run)" = 1 ]
}

@test "env tune interrupted: restore undoes the changes made so far" {
  # A background job of a shell without job control ignores SIGINT, but not SIGTERM.
  stopped_by TERM
}

@test "env tune killed: restore undoes the changes made so far" {
  stopped_by KILL
}

@test "restore does not overwrite a change by another program" {
  make_root
  "$wsbench" env tune --root root >/dev/null
  put sys/devices/system/cpu/cpu1/cpufreq/scaling_governor schedutil
  run_apart "$wsbench" env restore --root root
  echo "$stdout / $stderr"
  [ "$status" = 3 ]
  one_line "$stderr"
  [[ $stdout == *'is schedutil, changed by another program since: not set to powersave'* ]]
  [ "$(governors)" = " 1 powersave
 1 schedutil" ]
  run_apart "$wsbench" env restore --force --root root
  [ "$status" = 0 ]
  [ "$(governors)" = ' 2 powersave' ]
}

@test "env tune changes nothing if the state file is invalid or cannot be written" {
  make_root
  mkdir -p root/var/lib/worldswitch
  echo nonsense >root/var/lib/worldswitch/tuned
  refused 2 'line 1: not written by wsbench env' sh -c '"$0" env tune --root root >out' "$wsbench"
  rm -r root/var/lib/worldswitch
  touch root/var/lib/worldswitch
  refused 4 'worldswitch: Not a directory' sh -c '"$0" env tune --root root >out' "$wsbench"
  [ "$(governors)" = ' 2 powersave' ]
  need_own_mounts
  rm root/var/lib/worldswitch
  mkdir root/var/lib/worldswitch
  refused 4 'No space left on device' "${own_mounts[@]}" '
    mount -t tmpfs -o size=4k none root/var/lib/worldswitch
    head -c 4096 /dev/zero >root/var/lib/worldswitch/filler
    "$0" env tune --root root >out' "$wsbench"
  [ "$(governors)" = ' 2 powersave' ]
}

@test "the state file is written by its owner alone, whatever the umask" {
  make_root
  for mask in 0 077; do
    (umask "$mask" && exec "$wsbench" env tune --root root) >/dev/null
    [ "$(stat -c %a root/var/lib/worldswitch/tuned)" = 644 ]
    [ -z "$(find root/var -perm /022)" ]
    "$wsbench" env restore --root root >/dev/null
    rm -r root/var
    put sys/kernel/mm/transparent_hugepage/enabled "[always] madvise never"
  done
}

@test "restore writes only what a setting can have" {
  make_root
  local governor=/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor state=root/var/lib/worldswitch/tuned line
  "$wsbench" env tune --root root >/dev/null
  for line in "$governor"$'\tevil\tperformance' "$governor"$'\tpowersave\tevil' \
    $'/sys/kernel/mm/ksm/run\t1000\t0' $'/sys/module/kvm/parameters/halt_poll_ns\t-1\t0' \
    $'/sys/module/kvm/parameters/halt_poll_ns\t99999999999\t0'; do
    printf '%s\n' 'worldswitch env 1' "$line" >"$state"
    refused 2 'line 2: not written by wsbench env' sh -c '"$0" env restore --force --root root >out' "$wsbench"
  done
  [ "$(governors)" = ' 2 performance' ]
}

@test "tune leaves a value alone that restore would not write" {
  make_root
  put sys/devices/system/cpu/cpu1/cpufreq/scaling_governor vendor
  run_apart "$wsbench" env tune --root root
  echo "$stdout / $stderr"
  [ "$status" = 3 ] || [ "$status" = 4 ]
  [ "$(governors)" = " 1 performance
 1 vendor" ]
  run ! grep -q vendor root/var/lib/worldswitch/tuned
  "$wsbench" env restore --root root >/dev/null
}

@test "bad usage of env" {
  refused 2 'no command: check, tune, restore or show' "$wsbench" env
  refused 2 "no command 'tuen': did you mean 'tune'?" "$wsbench" env tuen
  refused 2 "unexpected argument 'tune'" "$wsbench" env check tune
  refused 2 "'check' has no option --dry-run" "$wsbench" env check --dry-run
  refused 2 "'tune' has no option --force" "$wsbench" env tune --force
  for verb in check show tune restore; do
    refused 2 '--root missing: No such file or directory' "$wsbench" env $verb --root missing
    refused 2 '--root /bin/sh: Not a directory' "$wsbench" env $verb --root /bin/sh
  done
  nothing_left
}
