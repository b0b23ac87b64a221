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
  --explain-rows N   in labs, of a bad commit: boot both kernels, and print the functions
                     behind the N largest differences (default: 1; 0: none)
  --base-kernel IMAGE  the kernel of GOOD.json, for --explain-rows (default: the image or
                     release that GOOD.json names); not the image that the build replaces

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

# regressions FILE: prints the benchmarks of a comparison that became worse or changed, and
# the functions behind those that were explained.
regressions() {
  python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
for r in d["rows"]:
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
    print("bisect:   {}: {}".format(r["name"], text))
if d.get("explained", {}).get("refusal"):
    print("bisect:   " + d["explained"]["refusal"])
for e in d.get("explanations", []):
    if e["reason"]:
        print("bisect:   {}: {}".format(e["name"], e["reason"]))
    functions = [f for f in d["explained_functions"] if f["difference"] and
                 (f["name"], f["new_config"]) == (e["name"], e["new_config"])]
    for f in sorted(functions, key=lambda f: -abs(f["difference"]))[:8]:
        print("bisect:     {difference:+6g} {function}".format(**f) + (" ({})".format(f["how"]) if f["how"] else ""))' "$1"
}

main() {
  local base='' target='' bench='' kernel='' modules='' config='' gate=() keep='' rows=1 base_kernel='' commit
  # shellcheck disable=SC2016  # the shell of the build expands it
  local build='make -s -j$(nproc)'
  while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --base | --on | --bench | --kernel | --modules | --config | --build | --threshold | --fail-on | --keep | --explain-rows | --base-kernel)
      [ $# -gt 1 ] || die "$1 needs a value"
      case $1 in
      --on) target=$2 ;;
      --explain-rows) rows=$2 ;;
      --base-kernel) base_kernel=$2 ;;
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
  [[ $rows =~ ^[0-9]+$ ]] || die "--explain-rows $rows: not a number"
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

# explain OPTION...: compares again, and explains what became worse, if that is possible.
explain() {
  local code=0
  case $target:$rows in
  *:0) return ;;
  lab:*) ;;
  *) return ;;
  esac
  "$wsbench" compare --quiet --bench "$bench" "$@" --explain --explain-rows "$rows" \
    ${base_kernel:+--base-kernel "$base_kernel"} --json "$base" "$scratch/new.json" >"$scratch/explained.json" || code=$?
  [ "$code" != 1 ] || mv "$scratch/explained.json" "$scratch/compare.json"
}

# judge COMMIT OPTION...: compares the new document, by wsbench compare with the options.
judge() {
  local commit=$1 code=0
  shift
  "$wsbench" compare --bench "$bench" "$@" --json "$base" "$scratch/new.json" >"$scratch/compare.json" || code=$?
  case $code in
  0) echo "bisect: $commit is good" ;;
  1) echo "bisect: $commit is bad" && explain "$@" ;;
  2) die "$base cannot be compared with the document of $commit" ;;
  *) skip "$commit is not decided" ;;
  esac
  regressions "$scratch/compare.json"
  exit "$code"
}

main "$@"
