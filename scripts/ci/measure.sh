#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The gate of a kernel tree's CI: measures a kernel in the labs, compares the documents
# with those of a base, and adds them to a history.
set -Eeuo pipefail
# Exit code 1 would be a regression.
trap 'echo "ci: line $LINENO: $BASH_COMMAND failed" >&2; exit 4' ERR

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=/dev/null
. "$(dirname "$here")/places.sh"
wsbench=$(wsbench_path)

usage() {
  cat <<END
usage: measure.sh --kernel IMAGE -o DIR [option...]

Boots IMAGE in each lab and measures. Writes to DIR a document per target and
comment.md, a table of the changes, for a comment on a pull request.

  --modules DIR     a folder of KVM modules (default: "modules" beside the image)
  --on TARGET,...   default: lab:x86_64-svm
  --bench GLOB,...  default: core
  --commit ID, --label TEXT   identity of the kernel, for the history
  --base DIR        compare with the documents in DIR, named as in -o DIR
  --db FILE.jsonl   add the figures to this history, and judge this run by it
  --confirm         measure again, in fresh boots, what became worse by the history
  --threshold [GLOB=]AMOUNT
                    pass benchmarks that became worse by at most AMOUNT: 1%, 20insns,
                    mmio_*=2%; can be repeated, as for wsbench compare
  --fail-on changed fail also if the class of a benchmark changed; distribution: if, by
                    the history, the distribution of its events did; can be repeated
  --explain-rows N  with --base, in labs: boot both kernels, and show the functions
                    behind at most N benchmarks that became worse (default: 8; 0: none)
  --base-kernel IMAGE  the kernel of the base's documents, for --explain-rows (default:
                    kernel/vmlinuz in the folder of --base, if it exists, else the image
                    that these documents name)

Exit code, of the worst step: 0 no benchmark became worse, 1 a benchmark did, 2 bad
usage, 3 no verdict, 4 a lab or a benchmark failed, 129, 130 or 143 a signal ended it.
END
}

die() {
  echo "ci: $*" >&2
  exit 2
}

# note CODE: keeps the worst exit code. A regression (1) is worse than no verdict (3). Of a step
# that was interrupted, ends the gate: nothing more is measured, judged or added.
note() {
  case $1 in
  0) ;;
  129 | 130 | 143) exit "$1" ;;
  1) [ "$worst" -ge 2 ] && [ "$worst" != 3 ] || worst=1 ;;
  3) [ "$worst" != 0 ] || worst=3 ;;
  *) worst=$(($1 < 128 ? $1 : 4)) ;; # killed
  esac
}

# compare FILE TARGET: compares with the document of the same name in --base, if it exists.
compare() {
  local old=$base/$1 code=0 explain=()
  case $2:$rows in
  *:0) ;;
  lab:*) explain=(--explain --explain-rows "$rows" ${base_kernel:+--base-kernel "$base_kernel"}) ;;
  esac
  if [ ! -f "$old" ]; then
    echo "No document to compare ${1%.json} with." >>"$out/comment.md"
    return 0
  fi
  "$wsbench" compare --markdown "${explain[@]}" "${gate[@]}" "$old" "$out/$1" >>"$out/comment.md" 2>"$out/compare.err" ||
    code=$?
  cat "$out/compare.err" >&2
  # Documents that cannot be compared have no table: the comment gives the reason.
  [ "$code" != 2 ] || sed "s/^wsbench[^:]*: \\(error: \\)\\?/$2: not compared: /" "$out/compare.err" >>"$out/comment.md"
  rm -f "$out/compare.err"
  echo >>"$out/comment.md"
  note "$code"
}

main() {
  local kernel='' modules='' targets=lab:x86_64-svm bench=core commit='' label='' base='' db='' confirm='' out='' rows=8 base_kernel=''
  local worst=0 code said target file files=() names=() gate=() history_gate=()
  while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --confirm) confirm=--confirm ;;
    --kernel | --modules | --on | --bench | --commit | --label | --base | --db | --threshold | --fail-on | --explain-rows | --base-kernel | -o)
      [ $# -gt 1 ] || die "$1 needs a value"
      case $1 in
      # What only a history knows, and what only a comparison of two documents has.
      --fail-on)
        [ "$2" = distribution ] || gate+=("$1" "$2")
        [ "$2" = 'worse?' ] || history_gate+=("$1" "$2")
        ;;
      --threshold)
        gate+=("$1" "$2")
        history_gate+=("$1" "$2")
        ;;
      --explain-rows) rows=$2 ;;
      --base-kernel) base_kernel=$2 ;;
      --on) targets=$2 ;;
      -o) out=$2 ;;
      *) printf -v "${1#--}" %s "$2" ;;
      esac
      shift
      ;;
    *) die "unknown argument $1; see --help" ;;
    esac
    shift
  done
  [ -n "$kernel" ] || die "--kernel is needed; see --help"
  [ -n "$out" ] || die "-o is needed; see --help"
  [[ $rows =~ ^[0-9]+$ ]] || die "--explain-rows $rows: not a number"
  # Amounts and verdicts are checked before the first boot: of the files, a message has no option.
  said=$("$wsbench" compare "${gate[@]}" /dev/null /dev/null 2>&1 >/dev/null) || true
  [[ $said != 'wsbench compare: --'* ]] || die "${said#wsbench compare: }"
  if [ -z "$base_kernel" ] && [ -n "$base" ] && [ -e "$base/kernel/vmlinuz" ]; then
    base_kernel=$base/kernel/vmlinuz
  fi
  IFS=, read -ra names <<<"$targets"
  [ ${#names[@]} -gt 0 ] || die "--on: no target"
  mkdir -p "$out" 2>/dev/null || true
  if [ ! -w "$out/." ]; then
    echo "ci: cannot write to $out" >&2
    exit 4
  fi
  [ ! "$base" -ef "$out" ] || die "--base and -o are one folder, whose documents would be overwritten"
  [ -z "$base" ] || [ -d "$base" ] || echo "ci: no folder $base: nothing is compared" >&2
  : >"$out/comment.md"

  for target in "${names[@]}"; do
    file=${target//:/-}.json
    code=0
    rm -f "$out/$file"
    "$wsbench" run --on "$target" --bench "$bench" --kernel "$kernel" ${modules:+--modules "$modules"} \
      ${commit:+--commit "$commit"} ${label:+--label "$label"} -o "$out/$file" || code=$?
    note "$code"
    if [ ! -f "$out/$file" ]; then
      echo "$target: not measured (exit code $code)" >>"$out/comment.md"
      continue
    fi
    files+=("$out/$file")
    [ -z "$base" ] || compare "$file" "$target"
  done
  if [ -n "$db" ] && [ ${#files[@]} -gt 0 ]; then
    code=0
    "$wsbench" history add --db "$db" "${files[@]}" || code=$?
    # The first runs of a history cannot be judged (exit code 3).
    [ "$code" != 0 ] || "$wsbench" history check --db "$db" --last 1 --on "$targets" $confirm "${history_gate[@]}" \
      --kernel "$kernel" ${modules:+--modules "$modules"} || code=$?
    note "$code"
  fi
  exit "$worst"
}

main "$@"
