# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# To be sourced, after places.sh: checksums of the files of a cache.
#
# A record has a line for each file: checksum, bytes, time of the last change, path; then "end".
# wsbench compares bytes and times, and has the checksums compared once after each start of the
# machine, which the file CHECKED names (host/targets/lab/sums.c).

sums_boot_id=/proc/sys/kernel/random/boot_id

# sums_of DIR FILE...: a line of the record for each file, by its path in the folder. GNU stat
# prints the decimal point of the locale.
sums_of() {
  local dir=$1
  shift
  [ $# -gt 0 ] || return 0
  (
    cd "$dir" || exit
    paste -d ' ' <(sha256sum -- "$@" | cut -d ' ' -f 1) <(LC_ALL=C stat -c '%s %.9Y %n' -- "$@")
  )
}

# sums_write DIR RECORD FILE...: records files.
sums_write() {
  local dir=$1 record=$2 file
  shift 2
  sweep_dead "$dir" ".$record"
  for file; do
    [ -r "$dir/$file" ] || return
  done
  { sums_of "$dir" "$@" && echo end; } >"$dir/.$record.$$" && sync "$dir/.$record.$$" &&
    mv "$dir/.$record.$$" "$dir/$record"
}

# sums_checked DIR CHECKED: records that the checksums are right since this start of the machine.
sums_checked() {
  [ -r "$sums_boot_id" ] && [ -w "$1" ] || return 0
  ! cmp -s "$sums_boot_id" "$1/$2" || return 0
  # In place: half of it is not the id, and the checksums are compared once more.
  { cat "$sums_boot_id" >"$1/$2"; } 2>/dev/null || true
}

# sums_skips FILE: whether a file of a record is not compared; of a program to define.
sums_skips() { return 1; }

# sums_compare DIR RECORD: sets sums_damaged to the first file that differs from its checksum
# (RECORD: it is not complete, or of no file; '': there is none), sums_paths to the files of the record, and
# sums_stale to 1 if the record is not as sums_write() would make it.
sums_compare() {
  local record line path i
  local -a lines=() now=()
  sums_damaged='' sums_paths=() sums_stale=0
  record=$(<"$1/$2")
  if [ "${record##*$'\n'}" != end ] || [ "$record" = end ]; then
    sums_damaged=$2
    return
  fi
  while read -r line; do
    [ "$line" != end ] || break
    read -r _ _ _ path <<<"$line"
    if sums_skips "$path"; then
      sums_stale=1
      continue
    fi
    if [ ! -r "$1/$path" ]; then
      sums_damaged=$path
      return
    fi
    sums_paths+=("$path")
    # Records of older programs can have the decimal comma of a locale.
    lines+=("${line/,/.}")
  done <<<"$record"
  mapfile -t now < <(sums_of "$1" "${sums_paths[@]}")
  for i in "${!lines[@]}"; do
    [ "${lines[i]}" != "${now[i]-}" ] || continue
    sums_stale=1
    if [ "${lines[i]%% *}" != "${now[i]%% *}" ]; then
      # shellcheck disable=SC2034  # for the caller
      sums_damaged=${sums_paths[i]}
      return
    fi
  done
}

# sums_renew DIR RECORD CHECKED: after sums_compare() without a damaged file. A copy of a cache
# has other times: without a new record, the checksums are compared every time.
sums_renew() {
  if [ "$sums_stale" = 1 ] && [ -w "$1" ]; then
    sums_write "$1" "$2" "${sums_paths[@]}" 2>/dev/null || rm -f "$1/.$2.$$"
  fi
  sums_checked "$1" "$3"
}
