# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# To be sourced: checks names of benchmarks and configs before builds and boots that take hours. The
# script has `die CODE TEXT`, and the program's path in `wsbench`.

# check_rows BENCH CONFIG: names and globs as for wsbench run; "": not given.
# shellcheck disable=SC2154  # wsbench, of the script
check_rows() {
  local said
  [ -z "$1" ] || said=$("$wsbench" list benchmarks --names --bench "$1" 2>&1 >/dev/null) || die 2 "${said#wsbench list: }"
  [ -z "$2" ] || said=$("$wsbench" list configs --names --config "$2" 2>&1 >/dev/null) || die 2 "${said#wsbench list: }"
}
