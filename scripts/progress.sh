# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# To be sourced: progress on stderr. A terminal has one line that is drawn over itself; a log
# gets a plain line a minute. The variable `quiet` 1 turns it off.

progress_last='' # seconds of the shell, when a line was logged or the work began

# progress_left DONE TOTAL SECONDS: ", about 3 min left", if the rest is as fast as what was
# DONE in SECONDS; nothing in the first two seconds.
progress_left() {
  local left
  if [ "$1" -le 0 ] || [ "$3" -lt 2 ]; then
    return
  fi
  left=$(($3 * ($2 - $1) / $1 + 1))
  if [ "$left" -lt 90 ]; then
    echo ", about $left s left"
  elif [ "$left" -lt 5400 ]; then
    echo ", about $(((left + 30) / 60)) min left"
  else
    echo ", about $(((left + 1800) / 3600)) h left"
  fi
}

# progress_show TEXT
progress_show() {
  if [ "${quiet:-0}" = 1 ]; then
    return
  elif [ -t 2 ]; then
    printf '\r%.79s\033[K' "$1" >&2
  elif [ $((SECONDS - ${progress_last:=$SECONDS})) -ge 60 ]; then
    progress_last=$SECONDS
    echo "$1" >&2
  fi
}

# progress_end: erases the line of a terminal, before other output.
progress_end() {
  [ "${quiet:-0}" = 1 ] || [ ! -t 2 ] || printf '\r\033[K' >&2
}

# progress_tick: waits a second, without a process that could outlive this one; fails when the
# script has ended.
progress_tick() {
  [ -n "${progress_fd:-}" ] || exec {progress_fd}<> <(:)
  read -r -t 1 -u "$progress_fd" _ || true
  kill -0 $$ 2>/dev/null
}

# progress_of_files TEXT BYTES PATH...: shows how much of BYTES are in files below PATH, until
# it is killed.
progress_of_files() {
  local text=$1 total=$2 begin=$SECONDS have
  shift 2
  progress_last=$begin
  while progress_tick; do
    have=$({ du -scb "$@" | tail -n 1 | cut -f 1; } 2>/dev/null) || continue
    have=$((have / 1000000 * 1000000))
    progress_show "$text: $((have / 1000000)) of $((total / 1000000)) MB$(progress_left "$have" "$total" $((SECONDS - begin)))"
  done
}
