#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The virtual PMU in one table and one picture: trap against passthrough, and what each
# config adds to exits that have nothing to do with the PMU.
set -Eeuo pipefail
trap 'echo "vpmu: line $LINENO: $BASH_COMMAND failed" >&2; exit 4' ERR

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=/dev/null
. "$here/places.sh"
wsbench=$(wsbench_path)

on=lab:x86_64-vmx-skylake
configs=pmu-off,pmu-emulated,pmc-msr-user,pmu-mediated,pmu-mediated-short
rows_of_intel=rdpmc_general,rdpmc_fixed,pmu_a_pmc0_read,pmu_a_pmc0_write,pmu_perfevtsel0_write,pmu_global_ctrl_write,pmu_overflow_irq
rows_of_amd=rdpmc_general,pmu_perf_ctr0_read,pmu_perf_ctr0_write,pmu_perf_ctl0_write,pmu_cntr_global_ctl_write,pmu_overflow_irq

usage() {
  cat <<END
usage: vpmu.sh -o DIR [--on TARGET] KERNEL...

Measures the rows of the PMU and the core benchmarks under every config of the virtual
PMU, on each KERNEL (an image, or the release of a cached kernel); prints a table in
Markdown, and draws DIR/vpmu-TARGET.svg and .png of the first and the last kernel.
The documents are DIR/TARGET/RELEASE.json, or for an image DIR/TARGET/image-CHECKSUM.json.
Kernels with a document are not measured again.

  -o DIR        folder for documents, table.md and pictures
  --on TARGET   default: $on

Exit code: 0 done; 2 bad usage; 4 a kernel could not be measured; 129, 130 or 143 a signal
ended it.
END
}

die() {
  local code=$1
  shift
  echo "vpmu: $*" >&2
  exit "$code"
}

# pmu_rows TARGET: the counters and event registers that its CPU has.
pmu_rows() {
  case $1 in
  lab:*-svm*) echo "$rows_of_amd" ;;
  lab:*) echo "$rows_of_intel" ;;
  *) if grep -q AuthenticAMD /proc/cpuinfo; then echo "$rows_of_amd"; else echo "$rows_of_intel"; fi ;;
  esac
}

# table DOCUMENT...: a row for each benchmark of the PMU, and the tax; a column for each
# config and kernel.
table() {
  local doc
  for doc in "$@"; do
    "$wsbench" export --format csv "$doc" | sed 1d
  done | awk -F, '
    function grouped(n, text, sign) {
      if (n == "") return "-"
      sign = n < 0 ? "-" : ""
      n = sprintf("%.0f", n < 0 ? -n : n)
      for (text = ""; length(n) > 3; n = substr(n, 1, length(n) - 3))
        text = "," substr(n, length(n) - 2) text
      return sign n text
    }
    $12 != "ok" || $14 != "round_trip" { next }
    {
      kernel = $4; row = $8; column = kernel SUBSEP $9
      if (!(column in columns)) { columns[column]; order[++n_columns] = column }
      if (!(row in rows)) { rows[row]; names[++n_rows] = row }
      value[row, column] = $16; handler[row, column] = $11; faults[row, column] = $20
      # exit_out and exit_in are halves.
      if (row !~ /^(rdpmc|pmu_|exit_)/ && $11 ~ /^(kernel|user)$/) other[row]
    }
    END {
      printf "| benchmark |"
      for (c = 1; c <= n_columns; c++) {
        split(order[c], part, SUBSEP)
        sub(/[-+].*/, "", part[1])
        printf " %s `%s` |", part[1], part[2]
      }
      printf "\n|---|"
      for (c = 1; c <= n_columns; c++) printf "---|"
      printf "\n"
      for (r = 1; r <= n_rows; r++) {
        if (names[r] !~ /^(rdpmc|pmu_|hypercall$)/) continue
        printf "| `%s` |", names[r]
        for (c = 1; c <= n_columns; c++) {
          by = handler[names[r], order[c]]
          printf " %s%s%s |", grouped(value[names[r], order[c]]),
            (faults[names[r], order[c]] > 0 ? ", #GP" : ""),
            by == "none" ? ", no exit" : by == "user" ? ", VMM" : ""
        }
        printf "\n"
      }
      printf "| added to a core exit |"
      for (c = 1; c <= n_columns; c++) {
        split(order[c], part, SUBSEP)
        base = part[1] SUBSEP "pmu-off"
        delete times
        n = 0
        for (row in other) {
          if (!((row, base) in value) || !((row, order[c]) in value)) continue
          times[value[row, order[c]] - value[row, base]]++
          n++
        }
        most = ""
        for (tax in times)
          if (most == "" || times[tax] > times[most] || (times[tax] == times[most] && tax + 0 < most + 0))
            most = tax
        printf " %s |", !n || times[most] == n ? grouped(most) : grouped(most) " (" times[most] " of " n ")"
      }
      printf "\n"
    }'
}

main() {
  local out='' dir kernel name code kernels=() docs=()
  while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    -o | --on)
      [ $# -gt 1 ] || die 2 "$1 needs a value"
      if [ "$1" = -o ]; then out=$2; else on=$2; fi
      shift
      ;;
    -*) die 2 "unknown option $1; see --help" ;;
    *) kernels+=("$1") ;;
    esac
    shift
  done
  if [ -z "$out" ] || [ ${#kernels[@]} = 0 ]; then die 2 "-o DIR and KERNEL... are needed; see --help"; fi
  for kernel in "${kernels[@]}"; do
    [[ $kernel != */* || -f $kernel ]] || die 2 "$kernel: no such file"
  done
  dir=$out/${on//:/-}
  mkdir -p "$dir" 2>/dev/null || true
  [ -w "$dir/." ] || die 4 "cannot write to $dir"
  for kernel in "${kernels[@]}"; do
    name=$kernel
    [[ $kernel != */* ]] || name=image-$(sha256sum "$kernel" | cut -c1-12)
    docs+=("$dir/$name.json")
    [ ! -e "$dir/$name.json" ] || continue
    code=0
    "$wsbench" run --on "$on" --kernel "$kernel" --bench "core,$(pmu_rows "$on")" --config "$configs" \
      --boots 1 --events 50 -o "$dir/$name.json.new" >/dev/null || code=$?
    # A document of a run that failed or was stopped stays, but is not used.
    case $code in 2 | 129 | 130 | 143) exit "$code" ;; esac
    [ "$code" = 0 ] || die 4 "$kernel was not measured completely: see $dir/$name.json.new"
    mv "$dir/$name.json.new" "$dir/$name.json"
  done
  table "${docs[@]}" | tee "$out/table.md"
  "$wsbench" plot "${docs[@]}" --kind vpmu -o "$out" >&2
}

main "$@"
