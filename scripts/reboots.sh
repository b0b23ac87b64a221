#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Compares two kernels of this machine: boots them in turns, with one run of wsbench in each
# boot. A systemd unit goes on after each reboot, and removes itself at the end.
set -euo pipefail

self=$(readlink -f "${BASH_SOURCE[0]}")
# shellcheck source=/dev/null
. "$(dirname "$self")/places.sh"
unit=worldswitch-reboots.service

usage() {
  cat <<'END'
usage: reboots.sh start -o DIR --kernels A,B [option...] [-- OPTION OF wsbench run...]
       reboots.sh status|stop -o DIR

Boots the kernels A and B of this machine in turns (A B B A A B ...) and makes one run in each
boot: DIR/base/kvm-1.json, DIR/new/kvm-1.json, ... After each reboot a systemd unit goes on; it
removes itself after the last run, which leaves the machine in the last kernel, or if another
kernel than the one asked for has booted. A later start with the same arguments goes on. A
machine makes the runs of one DIR at a time.

  -o DIR          folder for the documents. The plan, the state and the log, which only root
                  can write, are in a folder of /var/lib/worldswitch/reboots
  --kernels A,B   releases: /boot/vmlinuz-A is the base, /boot/vmlinuz-B is new
  --runs N        runs of each kernel (default: 5)
  --settle SEC    wait after a boot, for services that start (default: 60)
  --select CMD    selects the kernel of the next boot only; its last argument is the release
                  (default: grub-reboot with the entry of /boot/grub/grub.cfg, as on Debian)
  --root DIR      the boot, etc, proc and var of this folder, for tests

Options after -- are for each run (default: --bench core). status prints what is done, and at
the end the command that compares; stop removes the unit and keeps the documents.
Exit code: 0 done; 2 bad usage; 4 a kernel did not boot, or a run failed.
END
}

die() {
  local code=$1
  shift
  echo "reboots: $*" >&2
  exit "$code"
}

# entry RELEASE: the id of the menu entry of GRUB that boots a kernel, with its submenu.
entry() {
  awk -v image="vmlinuz-$1" '
    function id(  s) {
      s = $0
      if (!sub(/.*menuentry_id_option[ \t]+["\047]?/, "", s) && !sub(/.*--id[= \t]+["\047]?/, "", s))
        return ""
      sub(/["\047 \t{].*/, "", s)
      return s
    }
    /^[ \t]*submenu / { menu = id() ">" }
    /^[ \t]*menuentry / { one = id(); recovery = /recovery/ }
    /^}/ { menu = "" }
    /^[ \t]*linux/ && !recovery && one != "" {
      n = split($2, path, "/")
      if (path[n] == image) { print menu one; exit }
    }' "$root/boot/grub/grub.cfg"
}

# select_kernel RELEASE: the next boot is of this kernel; the boots after it are not changed.
select_kernel() {
  local id
  if [ -n "$select" ]; then
    # shellcheck disable=SC2086  # a command and its arguments
    $select "$1" || die 4 "$select $1 failed"
    return
  fi
  id=$(entry "$1")
  [ -n "$id" ] || die 4 "$root/boot/grub/grub.cfg has no entry for vmlinuz-$1"
  grub-reboot --boot-directory="$root/boot" "$id" || die 4 "grub-reboot $id failed"
}

# side STEP: base or new, of a step from 0: A B B A A B B A ...
side() {
  case $(($1 % 4)) in 0 | 3) echo base ;; *) echo new ;; esac
}

kernel_of() {
  if [ "$(side "$1")" = base ]; then echo "${kernels%,*}"; else echo "${kernels#*,}"; fi
}

# Writes stdin to a file of the state.
keep() {
  (umask 022 && cat >"$state/$1.new")
  sync "$state/$1.new"
  mv "$state/$1.new" "$state/$1"
}

plan() {
  printf '%s\n' "kernels $kernels" "runs $runs" "settle $settle" "select $select" \
    "wsbench $wsbench" "${options[@]/#/option }"
}

# The unit runs what the state says as root: only root, or with --root this user, can write it.
check_state() {
  local folder owner=0
  [ -z "$root" ] || owner=$(id -u)
  for folder in "$states" "$state" "$state/plan"; do
    [ -e "$folder" ] || continue
    [ "$(stat -c %u "$folder")" = "$owner" ] || die 2 "$folder: not of user $owner"
    [ -z "$(find "$folder" -maxdepth 0 -perm /022)" ] || die 2 "$folder: others can write it"
  done
}

read_plan() {
  local line
  [ -e "$state/plan" ] || die 2 "$out: nothing was started"
  check_state
  options=()
  while IFS= read -r line; do
    case $line in
    'option '*) options+=("${line#* }") ;;
    'kernels '* | 'runs '* | 'settle '* | 'select '* | 'wsbench '*) printf -v "${line%% *}" %s "${line#* }" ;;
    *) die 2 "$state/plan: unknown line: $line" ;;
    esac
  done <"$state/plan"
  step=$(cat "$state/step" 2>/dev/null || echo 0)
}

print_compare() {
  echo "$wsbench compare --base $out/base --new $out/new"
}

# The folder of the documents of the installed unit, if there is one.
unit_folder() {
  sed -n 's/^ExecStart=.* next -o \([^ ]*\).*/\1/p' "$root/etc/systemd/system/$unit" 2>/dev/null || true
}

# Fails if the installed unit belongs to other documents.
check_unit() {
  local other
  other=$(unit_folder)
  [ "${other:-$out}" = "$out" ] || die 2 "the runs of $other go on: see reboots.sh status -o $other"
}

remove_unit() {
  [ "$(unit_folder)" = "$out" ] || return 0
  systemctl disable "$unit" >/dev/null 2>&1 || true
  rm -f "$root/etc/systemd/system/$unit"
  systemctl daemon-reload || true
}

install_unit() {
  mkdir -p "$root/etc/systemd/system"
  # Results belong to the user who called sudo.
  cat >"$root/etc/systemd/system/$unit" <<END
[Unit]
Description=worldswitch: measure two kernels in turns
After=multi-user.target

[Service]
Type=exec
ExecStart=$self next -o $out${root:+ --root $root}
StandardOutput=append:$state/log
StandardError=append:$state/log
${SUDO_UID:+Environment=SUDO_UID=$SUDO_UID SUDO_GID=${SUDO_GID:-$SUDO_UID}}

[Install]
WantedBy=multi-user.target
END
  systemctl daemon-reload && systemctl enable "$unit" >/dev/null
}

# give_up TEXT: no further boot.
give_up() {
  echo "$*" | keep failed
  remove_unit
  die 4 "$*"
}

reboot_into() {
  (select_kernel "$1") || give_up "the boot of Linux $1 cannot be selected"
  echo "reboots: run $((step + 1)) of $((2 * runs)): rebooting into Linux $1"
  systemctl reboot || give_up "the machine does not reboot"
}

start() {
  local release option
  [[ $kernels == ?*,?* && $kernels != *,*,* ]] || die 2 "--kernels A,B are needed; see --help"
  [ "${kernels%,*}" != "${kernels#*,}" ] || die 2 "--kernels: ${kernels%,*} twice"
  [[ $runs =~ ^[1-9][0-9]*$ && $settle =~ ^[0-9]+$ ]] || die 2 "--runs and --settle are numbers"
  [[ $out$self$root =~ ^[A-Za-z0-9/._+-]*$ ]] || die 2 "$out: a unit cannot name this folder (letters, digits and / . _ + -)"
  [ ${#out} -lt 250 ] || die 2 "$out: the path is too long"
  [[ ${options[*]} != *$'\n'* ]] || die 2 "an option has a line break"
  [ -n "$root" ] || [ "$(id -u)" = 0 ] || die 2 "only root can reboot (sudo)"
  check_unit
  check_state
  for release in ${kernels/,/ }; do
    [ -e "$root/boot/vmlinuz-$release" ] || die 2 "no $root/boot/vmlinuz-$release"
    [ -n "$select" ] || [ -n "$(entry "$release")" ] || die 2 "$root/boot/grub/grub.cfg has no entry for vmlinuz-$release (for another boot loader, see --select)"
  done
  for option in "${options[@]}"; do
    case $option in
    -o* | --output* | --runs* | --resume* | --against* | --aa | --save* | --json) die 2 "$option: not for these runs" ;;
    esac
  done
  # A set whose documents were removed is forgotten.
  [ -e "$out" ] || rm -rf "${state:?}"
  if [ -e "$state/plan" ] && ! plan | cmp -s - "$state/plan"; then
    die 2 "$out holds runs of other arguments ($state/plan): take another folder"
  fi
  # Options that do not work are found before the first reboot.
  "$wsbench" run --quiet "${options[@]}" --boots 1 --events 2 --budget 1s >/dev/null ||
    die 2 "this run does not work on this machine: wsbench run ${options[*]}"
  (umask 022 && mkdir -p "$state")
  plan | keep plan
  rm -f "$state/failed"
  read_plan
  [ "$step" -lt $((2 * runs)) ] || { print_compare && exit 0; }
  install_unit || give_up "systemd does not accept $unit"
  reboot_into "$(kernel_of "$step")"
}

# After a boot, by the unit.
next() {
  local boot wanted running
  read_plan
  boot=$(cat "$root/proc/sys/kernel/random/boot_id")
  wanted=$(kernel_of "$step")
  running=$(uname -r)
  [ "$boot" != "$(cat "$state/boot" 2>/dev/null || true)" ] || give_up "this boot has its run already: the machine did not reboot"
  [ "$running" = "$wanted" ] || give_up "Linux $running has booted, and not $wanted: stopped after $step of $((2 * runs)) runs"
  sleep "$settle"
  # The steps of this side up to this one: those before it are done.
  local k=0 i
  for ((i = 0; i <= step; i++)); do
    [ "$(side "$i")" != "$(side "$step")" ] || k=$((k + 1))
  done
  "$wsbench" run --quiet "${options[@]}" --runs "$k" --resume "$out/$(side "$step")" ||
    give_up "run $((step + 1)), on Linux $running, failed (exit code $?): see $state/log"
  echo "$boot" | keep boot
  step=$((step + 1))
  echo "$step" | keep step
  if [ "$step" -lt $((2 * runs)) ]; then
    reboot_into "$(kernel_of "$step")"
    return
  fi
  remove_unit
  echo "reboots: all $step runs are done: $(print_compare)"
}

status() {
  read_plan
  echo "$step of $((2 * runs)) runs are done"
  if [ -e "$state/failed" ]; then
    echo "stopped: $(cat "$state/failed")"
  elif [ "$step" -lt $((2 * runs)) ]; then
    echo "next: $(side "$step"), Linux $(kernel_of "$step")"
  fi
  [ "$step" -lt 2 ] || print_compare
}

command=${1:-}
case $command in
--help) usage && exit 0 ;;
start | next | status | stop) shift ;;
*) die 2 "start, status or stop is needed; see --help" ;;
esac
out='' kernels='' runs=5 settle=60 select='' root='' wsbench=$(wsbench_path)
options=(--bench core)
while [ $# -gt 0 ]; do
  case $1 in
  --help) usage && exit 0 ;;
  --)
    shift
    options=("$@")
    break
    ;;
  -o | --kernels | --runs | --settle | --select | --root)
    [ $# -gt 1 ] || die 2 "$1 needs a value"
    case $1 in
    -o) out=$2 ;;
    *) printf -v "${1#--}" %s "$2" ;;
    esac
    shift
    ;;
  *) die 2 "unknown option $1; see --help" ;;
  esac
  shift
done
[ -n "$out" ] || die 2 "-o DIR is needed; see --help"
root=${root:+$(readlink -m "$root")}
out=$(readlink -m "$out") wsbench=$(readlink -f "$wsbench") states=$root/var/lib/worldswitch/reboots
state=$states/${out//\//@}
case $command in
stop)
  check_unit
  read_plan
  remove_unit
  ;;
*) "$command" ;;
esac
