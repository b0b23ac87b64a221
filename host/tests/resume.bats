#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# `wsbench run --resume`, and scripts/reboots.sh with stand-ins for what reboots.

load helper
bats_require_minimum_version 1.5.0

# A set of runs of two exact rows.
set_of() {
  run_apart "$wsbench" run --on bare:x86_64 --bench null,cr3 --runs "$@"
  echo "$status: $stderr"
}

@test "run --resume makes the runs that are missing, and no others" {
  need_target bare:x86_64
  set_of 2 --resume runs
  [ "$status" = 0 ]
  [[ $stderr == *"runs: 0 of 2 runs on bare:x86_64 are done"* ]]
  cp runs/bare-x86_64-2.json kept
  rm runs/bare-x86_64-1.json
  set_of 4 --resume runs
  [ "$status" = 0 ]
  [[ $stderr == *"runs: 1 of 4 runs on bare:x86_64 are done"* ]]
  [ "$(ls runs)" = "$(printf 'bare-x86_64-%d.json\n' 1 2 3 4)" ]
  cmp kept runs/bare-x86_64-2.json
  [ "$(for f in runs/*; do doc "$f" 'd["run"]["id"]'; done | sort -u | wc -l)" = 4 ]
  # What an interrupted run left is not a run; all others are.
  sed -i 's/"partial": false/"partial": true/' runs/bare-x86_64-3.json
  rm kept
  set_of 4 --resume runs
  [ "$status" = 0 ]
  [[ $stderr == *"3 of 4 runs"* ]]
  holds runs/bare-x86_64-3.json 'd["run"]["partial"] is False'
  set_of 4 --resume runs
  [ "$status" = 0 ]
  [ -z "$stdout" ]
  [[ $stderr == *"4 of 4 runs"* ]]
  one_line "$stderr"
  # Of several targets, only the one that lacks the run is measured.
  if unavailable bare:aarch64; then skip "bare:aarch64"; fi
  rm runs/bare-x86_64-2.json
  run_apart "$wsbench" run --on bare:x86_64,bare:aarch64 --bench null,cr3 --runs 2 --resume runs
  [ "$status" = 0 ]
  [[ $stderr == *"1 of 2 runs on bare:x86_64 are done"*"0 of 2 runs on bare:aarch64 are done"* ]]
  [ "$(grep -c 'wrote runs/bare-x86_64-2.json' <<<"$stderr")" = 1 ]
  [ "$(grep -c wrote <<<"$stderr")" = 3 ]
}

@test "run --resume refuses the runs of another job" {
  need_target bare:x86_64
  set_of 2 --resume runs
  local other="runs/bare-x86_64-1.json is a run of another job:"
  resume() { refused 2 "$other $1" "$wsbench" run --on bare:x86_64 --runs 3 --resume runs "${@:2}"; }
  resume "2 rows there, 1 now" --bench null
  resume "without invlpg [default]" --bench null,invlpg
  resume "--boots none there, 3 now" --bench null,cr3 --boots 3
  resume "--label none there, patched now" --bench null,cr3 --label patched
  mv runs/bare-x86_64-2.json two.json
  sed 's/"name": "bare:x86_64"/"name": "kvm"/' two.json >runs/bare-x86_64-2.json
  refused 2 "runs/bare-x86_64-2.json is a run of another job: target kvm there" \
    "$wsbench" run --quiet --on bare:x86_64 --bench null,cr3 --runs 3 --resume runs
  echo '{' >runs/bare-x86_64-2.json
  refused 2 "runs/bare-x86_64-2.json" \
    "$wsbench" run --quiet --on bare:x86_64 --bench null,cr3 --runs 3 --resume runs
  refused 2 "how many runs in all? (--runs N)" "$wsbench" run --resume runs
  refused 2 "without -o" "$wsbench" run --runs 2 --resume runs -o other
  refused 2 "only with --resume DIR" "$wsbench" run --any-kernel
}

# edit FILE STATEMENT: changes a document.
edit() {
  python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
exec(sys.argv[2])
json.dump(d, open(sys.argv[1], "w"))' "$@"
}

@test "run --resume refuses the runs of another program and of another emulator" {
  need_target bare:x86_64
  local job=(run --quiet --on bare:x86_64 --bench null --runs 2 --resume runs)
  "$wsbench" "${job[@]}" >/dev/null
  cp -r runs kept
  edit runs/bare-x86_64-1.json 'd["run"]["tool"]["commit"] = "deadbeef"'
  rm runs/bare-x86_64-2.json
  refused 2 "(deadbeef" "$wsbench" "${job[@]}"
  "$wsbench" "${job[@]}" --any-tool >/dev/null
  [ -e runs/bare-x86_64-2.json ]
  refused 2 "--any-tool: only with --resume DIR" "$wsbench" run --any-tool
  # Of two runs there, and of a new run.
  cp kept/* runs
  edit runs/bare-x86_64-2.json 'd["target"]["emulator"] = "QEMU 1.0"'
  refused 2 ", and QEMU 1.0 in another run there" "$wsbench" "${job[@]}"
  rm runs/bare-x86_64-1.json
  run_apart "$wsbench" "${job[@]}"
  [ "$status" = 4 ]
  [[ $stderr == *"runs: the new run 1 is not one of these: emulator "*", and QEMU 1.0 in another run there"* ]]
  [ ! -e runs/bare-x86_64-1.json ]
  cp kept/* runs
  edit runs/bare-x86_64-2.json 'd["subject"]["kernel"] = "7.3.4"'
  refused 2 "Linux none, and 7.3.4 in another run there" "$wsbench" "${job[@]}"
}

@test "run --resume on kvm: of other host counters" {
  need_target kvm
  local job=(run --quiet --on kvm --bench null --boots 2 --events 10 --resume runs)
  "$wsbench" "${job[@]}" --runs 1 >/dev/null
  refused 2 "--host-counters none there, given now" "$wsbench" "${job[@]}" --runs 2 --host-counters
}

@test "run --resume makes a failed run again" {
  need_target bare:x86_64
  local job=(run --on bare:x86_64 --bench null --runs 2 --resume runs
    --payload "$payloads/x86_64/undefined.elf")
  run_apart "$wsbench" "${job[@]}"
  [ "$status" = 4 ]
  holds runs/bare-x86_64-1.json 'b("null")["status"] == "fail"' 'd["run"]["partial"] is False'
  local before
  before=$(doc runs/bare-x86_64-1.json 'd["run"]["id"]')
  run_apart "$wsbench" "${job[@]}"
  echo "$status: $stderr"
  [ "$status" = 4 ]
  [[ $stderr == *"runs: 0 of 2 runs on bare:x86_64 are done, 2 failed and are made again"* ]]
  [ "$(doc runs/bare-x86_64-1.json 'd["run"]["id"]')" != "$before" ]
  # A failed run of another job is not replaced.
  refused 2 "is a run of another job" "$wsbench" "${job[@]}" --quiet --label other
}

@test "several runs in a file are refused: the file and its neighbours stay as they are" {
  need_target bare:x86_64
  local job=(run --on bare:x86_64 --bench null)
  echo mine >abcdef
  refused 2 "abcdef is a file: several runs need a folder" "$wsbench" "${job[@]}" --runs 2 -o abcdef
  refused 2 "abcdef is a file: the runs of --resume need a folder" \
    "$wsbench" "${job[@]}" --runs 1 --resume abcdef
  refused 2 "abcdef.json names a file" "$wsbench" "${job[@]}" --runs 1 --resume abcdef.json
  refused 2 "--resume needs a folder" "$wsbench" "${job[@]}" --runs 1 --resume ''
  refused 2 "-o needs a file or a folder" "$wsbench" "${job[@]}" -o ''
  [ "$(cat abcdef)" = mine ]
  nothing_left abcdef
  # One run is one document.
  "$wsbench" "${job[@]}" --runs 1 -o abcdef >/dev/null
  holds abcdef 'd["run"]["partial"] is False'
}

@test "run --resume on kvm: of another kernel only with --any-kernel" {
  need_target kvm
  local job=(run --on kvm --bench null --boots 2 --events 10 --runs 2)
  "$wsbench" "${job[@]}" --resume runs >/dev/null
  rm runs/kvm-2.json
  python3 -c '
import json
d = json.load(open("runs/kvm-1.json"))
d["subject"]["kernel"] = "6.1.0-9-amd64"
json.dump(d, open("runs/kvm-1.json", "w"))'
  refused 2 "Linux 6.1.0-9-amd64 there, $(uname -r) now (--any-kernel goes on)" \
    "$wsbench" "${job[@]}" --resume runs
  [ ! -e runs/kvm-2.json ]
  "$wsbench" "${job[@]}" --resume runs --any-kernel >/dev/null
  [ -e runs/kvm-2.json ]
}

# A machine: /boot with GRUB's menu, and stand-ins for systemctl, grub-reboot and uname.
machine() {
  root=$PWD/root
  export root
  mkdir -p "$root/boot/grub" "$root/proc/sys/kernel/random" bin
  touch "$root"/boot/vmlinuz-6.1.0-9 "$root"/boot/vmlinuz-6.12.3
  echo 6.1.0-9 >"$root/running"
  echo boot-0 >"$root/proc/sys/kernel/random/boot_id"
  cat >"$root/boot/grub/grub.cfg" <<'END'
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1' {
	linux	/boot/vmlinuz-6.12.3 root=UUID=1 ro quiet
}
submenu 'Advanced options' $menuentry_id_option 'gnulinux-advanced-1' {
	menuentry 'Debian, with Linux 6.1.0-9 (recovery mode)' $menuentry_id_option 'gnulinux-6.1.0-9-recovery-1' {
		linux	/boot/vmlinuz-6.1.0-9 root=UUID=1 ro single
	}
	menuentry 'Debian, with Linux 6.1.0-9' --class debian $menuentry_id_option 'gnulinux-6.1.0-9-advanced-1' {
		linux	/boot/vmlinuz-6.1.0-9 root=UUID=1 ro quiet
	}
}
END
  cat >bin/grub-reboot <<'END'
#!/bin/sh
echo "$2" >"$root/next"
END
  cat >bin/systemctl <<'END'
#!/bin/sh
echo "$*" >>"$root/systemctl"
[ "$1" != reboot ] || touch "$root/rebooting"
END
  cat >bin/uname <<'END'
#!/bin/sh
cat "$root/running"
END
  chmod +x bin/*
  PATH=$PWD/bin:$PATH
  export WSBENCH=$wsbench
  script=(bash "$top/scripts/reboots.sh")
}

# Boots what was selected, or $1; systemd starts the unit. Prints the kernel.
boot() {
  local unit=$root/etc/systemd/system/worldswitch-reboots.service n
  case ${1:-$(cat "$root/next")} in
  gnulinux-simple-1 | 6.12.3) echo 6.12.3 >"$root/running" ;;
  'gnulinux-advanced-1>gnulinux-6.1.0-9-advanced-1') echo 6.1.0-9 >"$root/running" ;;
  *) return 1 ;;
  esac
  cat "$root/running"
  n=$(sed s/boot-// "$root/proc/sys/kernel/random/boot_id")
  echo "boot-$((n + 1))" >"$root/proc/sys/kernel/random/boot_id"
  rm "$root/rebooting" "$root/next"
  [ ! -e "$unit" ] || bash -c "$(sed -n 's/^ExecStart=//p' "$unit")" >>log 2>&1 || true
}

start() {
  contained "${script[@]}" start -o out --kernels 6.1.0-9,6.12.3 --settle 0 --root "$root" "$@"
}

@test "reboots.sh boots two kernels in turns, with a run in each boot" {
  need_target bare:x86_64
  machine
  start --runs 2 -- --on bare:x86_64 --bench null,cr3
  local order=()
  while [ -e "$root/rebooting" ]; do
    order+=("$(boot)")
    [ ${#order[@]} -lt 9 ]
  done
  cat log
  [ "${order[*]}" = "6.1.0-9 6.12.3 6.12.3 6.1.0-9" ]
  [ "$(find out -name '*.json' | sort | tr '\n' ' ')" = "out/base/bare-x86_64-1.json out/base/bare-x86_64-2.json out/new/bare-x86_64-1.json out/new/bare-x86_64-2.json " ]
  # The unit is gone, and what it prints compares the sides.
  [ ! -e "$root/etc/systemd/system/worldswitch-reboots.service" ]
  grep -qx 'disable worldswitch-reboots.service' "$root/systemctl"
  local compare
  compare=$(sed -n 's/^reboots: all 4 runs are done: //p' log)
  [ "$compare" = "$(readlink -f "$wsbench") compare --base $PWD/out/base --new $PWD/out/new" ]
  run $compare
  [ "$status" = 0 ]
  run "${script[@]}" status -o out --root "$root"
  [[ $output == "4 of 4 runs are done"*"$compare" ]]
}

@test "reboots.sh stops when another kernel has booted, and goes on when it is started again" {
  need_target bare:x86_64
  machine
  start --runs 1 -- --on bare:x86_64 --bench null
  boot
  # The second kernel panics, and the default boots: here the first one.
  [ "$(cat "$root/next")" = gnulinux-simple-1 ]
  boot 'gnulinux-advanced-1>gnulinux-6.1.0-9-advanced-1'
  grep -qx 'reboots: Linux 6.1.0-9 has booted, and not 6.12.3: stopped after 1 of 2 runs' log
  [ ! -e "$root/rebooting" ]
  [ ! -e "$root/etc/systemd/system/worldswitch-reboots.service" ]
  [ ! -e out/new ]
  run "${script[@]}" status -o out --root "$root"
  [[ $output == *"1 of 2 runs are done"*"stopped: Linux 6.1.0-9 has booted"* ]]
  # Other arguments are another set.
  run start --runs 2 -- --on bare:x86_64 --bench null
  [ "$status" = 2 ]
  start --runs 1 -- --on bare:x86_64 --bench null
  boot
  [ -e out/new/bare-x86_64-1.json ]
  [ ! -e "$root/rebooting" ]
  run start --runs 1 -- --on bare:x86_64 --bench null
  [ "$status" = 0 ]
  [[ $output == *" compare --base $PWD/out/base --new $PWD/out/new" ]]
}

@test "reboots.sh makes one run in a boot, and refuses what cannot work before it reboots" {
  need_target bare:x86_64
  machine
  start --runs 1 -- --on bare:x86_64 --bench null
  boot
  # The machine did not reboot, and the unit is started again.
  run "${script[@]}" next -o out --root "$root"
  [ "$status" = 4 ]
  [[ $output == *"this boot has its run already"* ]]
  rm -rf out "${root:?}/rebooting" "${root:?}/var"
  stays() {
    run "$@"
    echo "$output"
    [ "$status" = 2 ]
    [ ! -e out ]
    [ ! -e "$root/rebooting" ]
    [ ! -e "$root/etc/systemd/system/worldswitch-reboots.service" ]
  }
  stays start -- --on bare:x86_64 --bench nothing
  stays start -- --on bare:x86_64 -o x.json
  stays "${script[@]}" status -o out --root "$root"
  stays start --kernels 6.1.0-9,7.3
  [[ $output == *"no $root/boot/vmlinuz-7.3"* ]]
  touch "$root/boot/vmlinuz-7.3"
  stays start --kernels 6.1.0-9,7.3
  [[ $output == *"has no entry for vmlinuz-7.3"*"--select"* ]]
  stays start --kernels 6.1.0-9
  stays start --runs 0
  # Another boot loader.
  cat >bin/choose <<'END'
#!/bin/sh
echo "$@" >"$root/selected"
END
  chmod +x bin/choose
  start --kernels 7.3,6.1.0-9 --select "choose it" -- --on bare:x86_64 --bench null
  [ "$(cat "$root/selected")" = "it 7.3" ]
  "${script[@]}" stop -o out --root "$root"
  [ ! -e "$root/etc/systemd/system/worldswitch-reboots.service" ]
}

@test "reboots.sh: the state is in a folder of root's, and a plan of others is refused" {
  need_target bare:x86_64
  machine
  # A plan beside the documents, where others can write, is not read.
  mkdir -p out/reboots
  echo "wsbench $PWD/planted" | tee out/reboots/plan >/dev/null
  printf '#!/bin/sh\ntouch %q\n' "$PWD/ran" >planted
  chmod +x planted
  run "${script[@]}" next -o out --root "$root"
  [ "$status" = 2 ]
  [[ $output == *"nothing was started"* ]]
  rm -r out
  start --runs 1 -- --on bare:x86_64 --bench null
  local states=$root/var/lib/worldswitch/reboots state
  state=$(echo "$states"/*)
  [ -e "$state/plan" ]
  refuses() {
    run "${script[@]}" next -o out --root "$root"
    echo "$output"
    [ "$status" = 2 ]
    [[ $output == *"$1"* ]]
    [ ! -e out ]
    [ ! -e ran ]
  }
  for path in "$states" "$state" "$state/plan"; do
    chmod g+w "$path"
    refuses "$path: others can write it"
    chmod g-w "$path"
    # Only root can give files away.
    [ "$(id -u)" = 0 ] || continue
    chown 65534 "$path"
    refuses "$path: not of user 0"
    chown 0 "$path"
  done
  cp "$state/plan" plan
  for line in 'PATH /tmp' 'self /tmp' 'out /tmp' nothing; do
    { cat plan && echo "$line"; } >"$state/plan"
    refuses "unknown line: $line"
  done
  cp plan "$state/plan"
  boot
  [ -e out/base/bare-x86_64-1.json ]
  # Documents that were removed: from the first boot on.
  rm -r out "$root/rebooting"
  start --runs 1 -- --on bare:x86_64 --bench null
  run "${script[@]}" status -o out --root "$root"
  [[ $output == "0 of 2 runs are done"* ]]
}

@test "reboots.sh makes the runs of one folder at a time" {
  need_target bare:x86_64
  machine
  start --runs 1 -- --on bare:x86_64 --bench null
  rm "$root/rebooting"
  local unit=$root/etc/systemd/system/worldswitch-reboots.service
  cp "$unit" unit
  run "${script[@]}" start -o other --kernels 6.1.0-9,6.12.3 --settle 0 --root "$root" -- \
    --on bare:x86_64 --bench null
  [ "$status" = 2 ]
  [[ $output == *"the runs of $PWD/out go on"* ]]
  [ ! -e "$root/rebooting" ]
  run "${script[@]}" stop -o other --root "$root"
  [ "$status" = 2 ]
  cmp unit "$unit"
  "${script[@]}" stop -o out --root "$root"
  [ ! -e "$unit" ]
  # Of no set at all.
  run "${script[@]}" stop -o other --root "$root"
  [ "$status" = 2 ]
  start --runs 1 -- --on bare:x86_64 --bench null
  boot
  [ -e out/base/bare-x86_64-1.json ]
}
