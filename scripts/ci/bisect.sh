#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For `git bisect run`: compares the kernel of a commit with the kernel of the good commit.
set -Eeuo pipefail
trap 'echo "bisect: line $LINENO: $BASH_COMMAND failed" >&2; exit 255' ERR

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=/dev/null
. "$(dirname "$here")/places.sh"
wsbench=$(wsbench_path)

usage() {
  cat <<END
usage: git bisect run bisect.sh --base GOOD.json --on TARGET --bench ID,...
           --kernel IMAGE [option...]

Builds the commit that git has checked out, boots the kernel in a lab, measures, and
compares with GOOD.json, a document of the same benchmarks on the good commit's kernel.

  --build COMMAND    shell command in the current folder (default: make -s -j\$(nproc))
  --kernel IMAGE     image that the build makes
  --modules DIR      its KVM modules (default: the folder "modules" beside the image)
  --config NAME,...  counter configs, as for wsbench run
  --threshold [GLOB=]AMOUNT
                     pass benchmarks that became worse by at most AMOUNT: 5%, 20insns,
                     mmio_*=2%; can be repeated, as for wsbench compare
  --fail-on changed  a commit that changes the class of a benchmark is bad, too
  --keep DIR         keep every document, as DIR/COMMIT.json

Exit code: 0 good; 1 bad; 125 undecided (the commit does not build or boot, or has no
figure): git tries another commit; 255 bad usage: git stops.
END
}

die() {
  echo "bisect: $*" >&2
  exit 255
}

# skip WHY: the commit cannot be judged.
skip() {
  echo "bisect: $*: skipped" >&2
  exit 125
}

# regressions FILE: prints the benchmarks of a comparison that became worse or changed.
regressions() {
  python3 -c '
import json, sys
for r in json.load(open(sys.argv[1]))["rows"]:
    if r["verdict"] == "worse":
        text = "{difference:+g} {unit}".format(**r)
        if r["ratio"]:
            text += " {:+.2g} %".format(100 * (r["ratio"] - 1))
        if r["let_pass"]:
            text += ", within --threshold " + r["let_pass"]
    elif r["verdict"] == "changed":
        text = "changed: " + r["reason"]
    else:
        continue
    print("bisect:   {}: {}".format(r["name"], text))' "$1"
}

main() {
  local base='' target='' bench='' kernel='' modules='' config='' gate=() keep='' commit
  # shellcheck disable=SC2016  # the shell of the build expands it
  local build='make -s -j$(nproc)'
  while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --base | --on | --bench | --kernel | --modules | --config | --build | --threshold | --fail-on | --keep)
      [ $# -gt 1 ] || die "$1 needs a value"
      case $1 in
      --on) target=$2 ;;
      --threshold | --fail-on) gate+=("$1" "$2") ;;
      *) printf -v "${1#--}" %s "$2" ;;
      esac
      shift
      ;;
    *) die "unknown argument $1; see --help" ;;
    esac
    shift
  done
  if [ -z "$base" ] || [ -z "$target" ] || [ -z "$bench" ] || [ -z "$kernel" ]; then
    die "--base, --on, --bench and --kernel are needed; see --help"
  fi
  [ -x "$wsbench" ] || die "no program $wsbench (make)"
  "$wsbench" validate --quiet "$base" >/dev/null || die "$base cannot be used"
  # Invalid thresholds are reported before the first build.
  "$wsbench" compare --bench "$bench" "${gate[@]}" "$base" "$base" >/dev/null || [ $? != 2 ] ||
    die "$base cannot be compared with these options"
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT

  commit=$(git rev-parse HEAD) || die "not in a git repository"
  bash -c "$build" >&2 || skip "$commit does not build"
  "$wsbench" run --quiet --on "$target" --bench "$bench" ${config:+--config "$config"} \
    --kernel "$kernel" ${modules:+--modules "$modules"} --commit "$commit" -o "$scratch/new.json" \
    >/dev/null || skip "$commit cannot be measured"
  [ -z "$keep" ] || { mkdir -p "$keep" && cp "$scratch/new.json" "$keep/$commit.json"; }
  judge "$commit" "${gate[@]}"
}

# judge COMMIT OPTION...: compares the new document, by wsbench compare with the options.
judge() {
  local commit=$1 code=0
  shift
  "$wsbench" compare --bench "$bench" "$@" --json "$base" "$scratch/new.json" >"$scratch/compare.json" || code=$?
  case $code in
  0) echo "bisect: $commit is good" ;;
  1) echo "bisect: $commit is bad" ;;
  2) die "$base cannot be compared with the document of $commit" ;;
  *) skip "$commit is not decided" ;;
  esac
  regressions "$scratch/compare.json"
  exit "$code"
}

main "$@"
