# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# To be sourced: where files are, in a source tree and where `make install` puts them.

places_here=$(readlink -f "${BASH_SOURCE[0]}")
places_here=${places_here%/*}
places_top=${places_here%/*}

# in_tree: whether these scripts belong to a source tree; otherwise they are installed.
in_tree() {
  [ -f "$places_top/bench/catalogue.def" ]
}

# cache_dir: the folder of kernels, headers, package lists and saved machines. The folder is
# shared by all clones and by the installed program (host/targets/lab/file.c).
# Without $HOME, as in a service, `~` is the user's folder in /etc/passwd.
cache_dir() (
  [ -n "${HOME:-}" ] || unset HOME
  home=~
  echo "${WORLDSWITCH_CACHE:-${XDG_CACHE_HOME:-$home/.cache}/worldswitch}"
)

# emulators_dir: the emulators that emulator.sh has built (host/targets/lab/file.c).
emulators_dir() {
  echo "${WORLDSWITCH_EMULATORS:-$(cache_dir)/emulators}"
}

# sweep_dead FOLDER NAME: removes FOLDER/NAME.PID and FOLDER/NAME.PID.* of killed processes.
# A process of another container or machine is not known here: nothing in it is younger than an
# hour.
sweep_dead() {
  local path pid
  for path in "$1/$2".*; do
    pid=${path##*/"$2".}
    pid=${pid%%.*}
    [[ $pid =~ ^[1-9][0-9]*$ ]] && [ ! -e "/proc/$pid" ] &&
      [ -z "$(find "$path" -mmin -60 -print -quit)" ] && rm -rf "$path"
  done
  return 0
}

# wsbench_path: $WSBENCH, else the program of the tree, else the installed program.
wsbench_path() {
  if [ -n "${WSBENCH:-}" ]; then
    echo "$WSBENCH"
  elif in_tree; then
    echo "$places_top/build/wsbench"
  else
    echo "$(dirname "$places_top")/bin/wsbench"
  fi
}

# bochs_dir: the patches and additional files of Bochs.
bochs_dir() {
  if in_tree; then echo "$places_top/host/targets/lab/bochs"; else echo "$places_here/bochs"; fi
}

# record_header: the format of the records that `wsbench explain` reads, a part of Bochs, too.
record_header() {
  if in_tree; then echo "$places_top/host/explain/record.h"; else echo "$places_here/bochs/record.h"; fi
}

# kmod_dir: the sources of the counter-passthrough module.
kmod_dir() {
  if in_tree; then echo "$places_top/host/kmod"; else echo "$places_here/kmod"; fi
}
