#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures many kernels on many targets, here or on many machines, into a history.
set -Eeuo pipefail
trap 'echo "sweep: line $LINENO: $BASH_COMMAND failed" >&2' ERR

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
top=$(dirname "$here")
wsbench=${WSBENCH:-$top/build/wsbench}

usage() {
  cat <<END
usage: scripts/sweep.sh -o DIR [option...] [-- OPTION OF wsbench run...]

Measures every kernel that Debian offers (or those asked for) on every target asked
for, one document each: DIR/TARGET/RELEASE.json. What is there is not measured again:
after an interruption, or when Debian has new kernels, run it again.

  -o DIR              where documents, the list of jobs and parallel's log go
  --on TARGET,...     labs (default: lab:x86_64-svm,lab:aarch64-vhe,lab:aarch64-nvhe)
  --series X.Y,...    default: all
  --flavour FLAVOUR   cloud, plain or rt; default cloud
  --release R,...     only these, such as 6.1.0-44 or 6.1.0-44-cloud-amd64
  --db FILE.jsonl     then adds the documents to this history, in the kernels' order
  --skip-failed       adds what there is, even if kernels are missing in between; without
                      it, a target that lacks a kernel adds nothing, and the others do
  --jobs N            at a time, on each machine (default: 1; wsbench is one thread)
  --sshlogin LIST     machines for GNU parallel, such as :,4/lab1,lab2; each has this
                      tree, built, at the same place
  --list              print the jobs, and which are done or failed, and measure nothing

Everything after -- goes to each run: -- --bench core --config default,pmu-off
Exit code: 0 all done; 2 bad usage; 4 something could not be fetched or measured.
END
}

die() {
  local code=$1
  shift
  echo "sweep: $*" >&2
  exit "$code"
}

say() {
  echo "sweep: $*" >&2
}

target_arch() {
  case $1 in
  lab:x86_64-*) echo x86_64 ;;
  lab:aarch64-*) echo aarch64 ;;
  *) return 1 ;;
  esac
}

# document TARGET RELEASE: where it goes, under DIR.
document() {
  echo "${1//:/-}/$2.json"
}

# is_done FILE: a whole document of a run that was not interrupted.
is_done() {
  [ -s "$1" ] && "$wsbench" validate "$1" >/dev/null 2>&1 && ! grep -q '^    "partial": true' "$1"
}

# releases ARCH: oldest first. Debian's list is asked for once per architecture.
releases() {
  local arch=$1 list=() all one
  if [ -n "$wanted" ]; then
    IFS=, read -ra list <<<"$wanted"
    for one in "${list[@]}"; do
      # A folder's name says which kernel it is, even where only a part was given.
      basename "$("$here/kernel.sh" fetch --quiet --arch "$arch" --flavour "$flavour" --release "$one")"
    done | sort -V
    return
  fi
  IFS=, read -ra list <<<"$series"
  [ ${#list[@]} -gt 0 ] || list=('')
  for one in "${list[@]}"; do
    all=$("$here/kernel.sh" list --arch "$arch" --flavour "$flavour" ${one:+--series "$one"})
    awk '{ print $1 }' <<<"$all"
  done | sort -uV
}

# jobs: "TARGET RELEASE" per line, each target's kernels in order. Sets `lacking` for
# targets without a kernel.
jobs() {
  local target arch found
  for target in "${targets[@]}"; do
    arch=$(target_arch "$target") || die 2 "no lab \"$target\": lab:x86_64-* or lab:aarch64-*"
    found=$(releases "$arch") || found=''
    if [ -z "$found" ]; then
      say "$target: no such kernel for $arch"
      lacking=4
      continue
    fi
    while IFS= read -r release; do
      echo "$target $release"
    done <<<"$found"
  done
}

# one DIR TARGET RELEASE [OPTION...]: a job. It is done when its document is there.
one() {
  local dir=$1 target=$2 release=$3 file kernel code=0
  shift 3
  file=$dir/$(document "$target" "$release")
  ! is_done "$file" || return 0
  mkdir -p "$(dirname "$file")"
  # An interrupted run leaves a document, too, and must not be taken for all.
  rm -f "$file.new"
  kernel=$("$here/kernel.sh" fetch --quiet --arch "$(target_arch "$target")" --release "$release" \
    2>"$file.log") || code=4
  [ "$code" != 0 ] ||
    "$wsbench" run --quiet --on "$target" --kernel "$kernel/vmlinuz" -o "$file.new" "$@" >"$file.log" 2>&1 || code=$?
  # 4: some benchmark failed. What others gave is worth having, and the log says which.
  if { [ "$code" = 0 ] || [ "$code" = 4 ]; } && is_done "$file.new"; then
    mv "$file.new" "$file"
    return 0
  fi
  echo "$target $release: $(reason "$file.log")" >&2
  return 4
}

# reason LOG: why a job failed: the last error, which the tables of what was measured
# all the same may follow.
reason() {
  grep '^[a-z]*: error: ' "$1" | tail -n 1 | grep . || tail -n 1 "$1"
}

# log_is_true: as many jobs went well by parallel's log as documents are here. Somebody
# may have deleted one to have it measured again.
log_is_true() {
  local target release good done=0
  good=$(awk 'NR > 1 && $7 == 0 && $8 == 0' "$dir/joblog" | wc -l)
  while read -r target release; do
    ! is_done "$dir/$(document "$target" "$release")" || done=$((done + 1))
  done <"$dir/jobs"
  [ "$good" -le "$done" ]
}

# measure: all jobs by GNU parallel; its log says what is done as long as the list of
# jobs stays the same, and the documents say so in any case.
measure() {
  parallel --version 2>/dev/null | grep -q '^GNU parallel' || die 2 "GNU parallel is missing: scripts/setup.sh"
  if ! cmp -s "$dir/jobs.new" "$dir/jobs"; then
    rm -f "$dir/joblog"
    mv "$dir/jobs.new" "$dir/jobs"
  fi
  rm -f "$dir/jobs.new"
  [ ! -f "$dir/joblog" ] || log_is_true || rm -f "$dir/joblog"
  parallel --will-cite --colsep ' ' --jobs "$at_once" --joblog "$dir/joblog" --resume-failed \
    ${logins:+--sshlogin "$logins" --workdir "$PWD" --return "$dir/{=1 s/:/-/ =}/{2}.json"} \
    ${progress:+--eta} \
    "$(printf '%q ' "$here/sweep.sh" --one "$dir")" '{1}' '{2}' "${*:+$(printf '%q ' "$@")}" <"$dir/jobs" || return 4
}

# add: each target's documents, in order, to the history. A kernel that is missing in
# between would have to be added later, behind those that came after it: its target
# waits, the others do not.
add() {
  local target release file files=() of_target missing code=0
  for target in "${targets[@]}"; do
    of_target=() missing=0
    while read -r release; do
      file=$dir/$(document "$target" "$release")
      if is_done "$file"; then of_target+=("$file"); else missing=$((missing + 1)); fi
    done < <(awk -v t="$target" '$1 == t { print $2 }' "$dir/jobs")
    if [ "$missing" -gt 0 ] && [ "$skip_failed" = 0 ]; then
      say "$target: $missing kernels are missing, nothing was added to $db: run it again, or give --skip-failed"
      code=4
    else
      files+=("${of_target[@]}")
    fi
  done
  [ ${#files[@]} -gt 0 ] || return 4
  "$wsbench" history add --db "$db" "${files[@]}" || return
  return "$code"
}

list() {
  local target release file state
  while read -r target release; do
    file=$dir/$(document "$target" "$release")
    state=-
    if is_done "$file"; then
      state='done'
    elif [ -s "$file.log" ]; then
      state="failed: $(reason "$file.log")"
    fi
    printf '%-18s %-32s %s\n' "$target" "$release" "$state"
  done <"$dir/jobs.new"
  rm -f "$dir/jobs.new"
}

main() {
  local dir='' db='' series='' flavour=cloud wanted='' at_once=1 logins='' only_list=0 skip_failed=0
  local targets=(lab:x86_64-svm lab:aarch64-vhe lab:aarch64-nvhe) code=0 progress='' lacking=0
  if [ "${1:-}" = --one ]; then
    shift
    one "$@"
    exit
  fi
  while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --list) only_list=1 ;;
    --skip-failed) skip_failed=1 ;;
    --) shift && break ;;
    -o | --on | --series | --flavour | --release | --db | --jobs | --sshlogin)
      [ $# -gt 1 ] || die 2 "$1 needs a value"
      case $1 in
      -o) dir=$2 ;;
      --on) IFS=, read -ra targets <<<"$2" ;;
      --release) wanted=$2 ;;
      --jobs) at_once=$2 ;;
      --sshlogin) logins=$2 ;;
      *) printf -v "${1#--}" %s "$2" ;;
      esac
      shift
      ;;
    *) die 2 "unknown argument $1; see --help" ;;
    esac
    shift
  done
  [ -n "$dir" ] || die 2 "-o DIR says where to; see --help"
  [ -x "$wsbench" ] || die 2 "$wsbench is not there: make"
  [ ! -t 2 ] || progress=1
  mkdir -p "$dir"
  jobs >"$dir/jobs.new"
  [ -s "$dir/jobs.new" ] || die 2 "no target has such a kernel"
  if [ "$only_list" = 1 ]; then
    list
    exit
  fi
  measure "$@" || code=$?
  [ -z "$db" ] || add || code=$?
  [ "$code" != 0 ] || code=$lacking
  exit "$code"
}

main "$@"
