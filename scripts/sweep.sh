#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures many kernels on many targets, here or on many machines, into a history.
set -Eeuo pipefail
trap 'echo "sweep: line $LINENO: $BASH_COMMAND failed" >&2' ERR

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=/dev/null
. "$here/places.sh"
# shellcheck source=/dev/null
. "$here/progress.sh"
wsbench=$(wsbench_path)

usage() {
  cat <<END
usage: sweep.sh -o DIR [option...] [-- OPTION OF wsbench run...]

Measures every kernel that Debian offers (or the selected kernels) on every selected
target, one document each: DIR/TARGET/RELEASE.json. Kernels with a document are not
measured again: after an interruption, or for new kernels, run the command again.

  -o DIR              folder for the documents, the list of jobs and parallel's log
  --on TARGET,...     labs (default: lab:x86_64-svm,lab:aarch64-vhe,lab:aarch64-nvhe)
  --series X.Y,...    default: all
  --flavour FLAVOUR   cloud, plain or rt; default cloud
  --release R,...     only these kernels, such as 6.1.0-44 or 6.1.0-44-cloud-amd64
  --db FILE.jsonl     add the documents to this history, in the order of the kernels
  --skip-failed       with --db, add the documents of a target even if kernels are
                      missing in between; by default such a target adds nothing
  --jobs N            jobs at a time on each machine (default: 2: a lab measures rows on all
                      processors, and boots its machine on one)
  --sshlogin LIST     machines for GNU parallel, such as :,4/lab1,lab2; each machine has
                      this installation, or this tree, built, at the same path, and rsync
  --explain ID,...    explain these benchmarks of each kernel, too, and keep the explanations
                      beside the history, for wsbench history why; on this machine only
  --why               with --db: afterwards explain the largest changes of each step of the
                      history that is not explained yet, and keep the kernels' changelogs,
                      for wsbench history why; on this machine only
  --list              print the jobs and their state, and measure nothing

Options after -- are for each run: -- --bench core --config default,pmu-off
--append, --modules, --emulator and --config are also for --explain and --why.
Exit code: 0 all done; 2 bad usage; 4 a kernel could not be fetched or measured.
END
}

die() {
  local code=$1
  shift
  echo "sweep: $*" >&2
  exit "$code"
}

say() {
  progress_end
  echo "sweep: $*" >&2
}

target_arch() {
  case $1 in
  lab:x86_64-*) echo x86_64 ;;
  lab:aarch64-*) echo aarch64 ;;
  *) return 1 ;;
  esac
}

# document TARGET RELEASE: the path of the document below DIR.
document() {
  echo "${1//:/-}/$2.json"
}

# is_done FILE: whether FILE is the document of a run that was not interrupted.
is_done() {
  [ -s "$1" ] && "$wsbench" validate "$1" >/dev/null 2>&1 && ! grep -q '^    "partial": true' "$1"
}

# releases ARCH: the selected kernels, oldest first.
releases() {
  local arch=$1 list=() all one
  if [ -n "$wanted" ]; then
    IFS=, read -ra list <<<"$wanted"
    for one in "${list[@]}"; do
      # The name of the folder is the full release, also where only a part was given.
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

# jobs: "TARGET RELEASE" per line, the kernels of each target in order. Sets `lacking` if a
# target has no kernel.
jobs() {
  local target arch found
  for target in "${targets[@]}"; do
    arch=$(target_arch "$target") || die 2 "no lab \"$target\" (lab:x86_64-* or lab:aarch64-*)"
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

# configs_of ARCH NAME,...: the configs that wsbench run measures on an architecture, one per
# line. Names can be globs.
configs_of() {
  local patterns pattern all name
  IFS=, read -ra patterns <<<"$2"
  all=$("$wsbench" list configs --json |
    awk -F'"' -v arch="$1" '$2 == "name" { name = $4 } $2 == arch { print name }')
  for name in $all; do
    for pattern in "${patterns[@]}"; do
      # shellcheck disable=SC2254  # a glob
      case $name in $pattern) echo "$name" && break ;; esac
    done
  done
}

# explain_options ARCH [OPTION...]: of the options of wsbench run, those that change a
# figure. Sets `passed` and, if the configs are named, `configs`.
explain_options() {
  local arch=$1 names=''
  shift
  while [ $# -gt 0 ]; do
    case $1 in
    --append=* | --modules=* | --emulator=*) passed+=("$1") ;;
    --config=*) names=${1#*=} ;;
    --append | --modules | --emulator | --config)
      [ $# -gt 1 ] || break
      if [ "$1" = --config ]; then names=$2; else passed+=("$1" "$2"); fi
      shift
      ;;
    esac
    shift
  done
  [ -z "$names" ] || mapfile -t configs < <(configs_of "$arch" "$names")
}

# explain_one FILE TARGET RELEASE BENCH,... [OPTION...]: explains the benchmarks for a
# kernel, under the configs of the options, unless their explanations exist.
explain_one() {
  local file=$1 target=$2 release=$3 bench list=() folder=${1%.json}.explanations failed=0
  local passed=() configs=('') config rows
  IFS=, read -ra list <<<"$4"
  shift 4
  explain_options "$(target_arch "$target")" "$@"
  for config in "${configs[@]}"; do
    rows=''
    for bench in "${list[@]}"; do
      [ -e "$folder/$bench${config:+.$config}.json" ] || rows+=${rows:+,}$bench
    done
    [ -z "$rows" ] || explain_rows "$folder" "$target" "$release" "$config" "$rows" || failed=4
  done
  return "$failed"
}

# explain_rows FOLDER TARGET RELEASE CONFIG BENCH,...: explains the benchmarks in one boot of
# the lab, with the options of `passed`, into FOLDER/BENCH.CONFIG.json, or BENCH.json without
# a CONFIG. The file of a benchmark that cannot be explained is empty. Of several, if one
# fails, those without an explanation are explained alone: only the exit code says why.
explain_rows() {
  local folder=$1 target=$2 release=$3 config=$4 rows=$5 log=$1/log kernel bench out missing=() code=0
  # A sweep that was killed leaves files of another config or kernel.
  rm -rf "$folder/new"
  mkdir -p "$folder/new"
  kernel=$("$here/kernel.sh" fetch --quiet --arch "$(target_arch "$target")" --release "$release" 2>"$log") || code=4
  [ "$code" != 0 ] ||
    "$wsbench" explain --quiet --on "$target" --bench "$rows" ${config:+--config "$config"} \
      --kernel "$kernel/vmlinuz" "${passed[@]}" -o "$folder/new/" >"$log" 2>&1 || code=$?
  for bench in ${rows//,/ }; do
    out=$folder/$bench${config:+.$config}.json
    if [ -s "$folder/new/$bench.json" ]; then
      mv "$folder/new/$bench.json" "$out"
    elif [[ $code = [03] ]]; then
      : >"$out"
    else
      missing+=("$bench")
    fi
  done
  rm -rf "$folder/new"
  [[ ! $code = [03] ]] || return 0
  # Without any, the lab itself may have failed.
  if [ "$rows" != "$(IFS=, && echo "${missing[*]}")" ]; then
    code=0
    for bench in "${missing[@]}"; do
      explain_rows "$folder" "$target" "$release" "$config" "$bench" || code=4
    done
    return "$code"
  fi
  echo "$target $release: $rows${config:+ [$config]}: $(reason "$log")" >&2
  return 4
}

# one DIR EXPLAIN TARGET RELEASE [OPTION...]: runs a job, unless its document exists, and
# explains the benchmarks of the list EXPLAIN with the same options.
one() {
  local dir=$1 explain=$2 target=$3 release=$4 file
  shift 4
  file=$dir/$(document "$target" "$release")
  measure_one "$file" "$target" "$release" "$@" || return
  [ -z "$explain" ] || explain_one "$file" "$target" "$release" "$explain" "$@"
}

# measure_one FILE TARGET RELEASE [OPTION...]: measures, unless the document exists.
measure_one() {
  local file=$1 target=$2 release=$3 kernel code=0
  shift 3
  ! is_done "$file" || return 0
  mkdir -p "$(dirname "$file")"
  # An interrupted run leaves a partial document.
  rm -f "$file.new"
  # One run boots this kernel: its machine is not saved, and the saved ones stay.
  [ -n "$explain" ] || export WORLDSWITCH_FRESH_MACHINES=1
  kernel=$("$here/kernel.sh" fetch --quiet --arch "$(target_arch "$target")" --release "$release" \
    2>"$file.log") || code=4
  [ "$code" != 0 ] ||
    "$wsbench" run --quiet --on "$target" --kernel "$kernel/vmlinuz" -o "$file.new" "$@" >"$file.log" 2>&1 || code=$?
  # 3: every benchmark was skipped. 4: a benchmark failed; the document keeps the others, and
  # the log names the failed one.
  if [[ $code = [034] ]] && is_done "$file.new"; then
    mv "$file.new" "$file"
    return 0
  fi
  echo "$target $release: $(reason "$file.log")" >&2
  return 4
}

# reason LOG: the last error message of a failed job. Tables of other benchmarks may
# follow it in the log.
reason() {
  grep '^[a-z]*: error: ' "$1" | tail -n 1 | grep . || tail -n 1 "$1"
}

# log_is_true: whether the documents of the jobs that succeeded by parallel's log exist. A
# user may have deleted a document to repeat its measurement.
log_is_true() {
  local target release good done=0
  good=$(awk 'NR > 1 && $7 == 0 && $8 == 0' "$dir/joblog" | wc -l)
  while read -r target release; do
    ! is_done "$dir/$(document "$target" "$release")" || done=$((done + 1))
  done <"$dir/jobs"
  [ "$good" -le "$done" ]
}

# measure: runs the jobs by GNU parallel. Its log is valid for one list of jobs; the
# documents decide in any case.
measure() {
  local pid code=0
  parallel --version 2>/dev/null | grep -q '^GNU parallel' || die 2 "GNU parallel is not installed (package parallel)"
  # parallel copies the documents from other machines by rsync.
  [[ ,$logins, =~ ^(,([0-9]+/)?:)*,$ ]] || command -v rsync >/dev/null || die 2 "--sshlogin: rsync is missing (package rsync)"
  if ! cmp -s "$dir/jobs.new" "$dir/jobs"; then
    rm -f "$dir/joblog"
    mv "$dir/jobs.new" "$dir/jobs"
  fi
  rm -f "$dir/jobs.new"
  [ ! -f "$dir/joblog" ] || log_is_true || rm -f "$dir/joblog"
  # The log does not tell which benchmarks were explained; the files do.
  [ -z "$explain" ] || rm -f "$dir/joblog"
  watch &
  pid=$!
  parallel --will-cite --colsep ' ' --jobs "$at_once" --joblog "$dir/joblog" --resume-failed \
    ${logins:+--sshlogin "$logins" --workdir "$PWD" --return "$dir/{=1 s/:/-/ =}/{2}.json"} \
    "$(printf '%q ' env "WSBENCH=$wsbench" "$here/sweep.sh" --one "$dir" "$explain")" '{1}' '{2}' "${*:+$(printf '%q ' "$@")}" <"$dir/jobs" \
    2> >(on_own_lines) || code=4
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  progress_end
  return "$code"
}

# next_job ROWS: target and kernel of the first job that has not ended, in this sweep, which
# began after ROWS rows of the log, or in an earlier one.
next_job() {
  awk -v rows="$1" 'FILENAME ~ /joblog$/ { if (FNR > rows + 1 || (FNR > 1 && $7 == 0 && $8 == 0)) ended[$1] = 1; next }
    !(FNR in ended) { print $1 ", Linux " $2; exit }' "$dir/joblog" "$dir/jobs" 2>/dev/null || true
}

# watch: shows how many jobs of this sweep ended, by parallel's log, until it is killed. Jobs
# of an earlier sweep that ended well are not run again.
watch() {
  local total earlier rows ended begin=$SECONDS
  trap - ERR EXIT
  earlier=$(log_rows ended_well)
  rows=$(log_rows any)
  total=$(($(wc -l <"$dir/jobs") - earlier))
  while progress_tick; do
    ended=$(($(log_rows any) - rows))
    progress_show "sweep: kernel $((ended < total ? ended + 1 : total)) of $total: $(next_job "$rows")$(progress_left "$ended" "$total" $((SECONDS - begin)))"
  done
}

# log_rows any|ended_well: the number of rows in parallel's log.
log_rows() {
  [ ! -f "$dir/joblog" ] || awk -v which="$1" 'NR > 1 && (which == "any" || ($7 == 0 && $8 == 0))' "$dir/joblog" | wc -l
}

# on_own_lines: copies messages to stderr; each erases the line of the progress.
on_own_lines() {
  local line
  while IFS= read -r line; do
    progress_end
    printf '%s\n' "$line" >&2
  done
}

# add: adds the documents of each target to the history, in order. A missing kernel would
# have to be added later, behind newer kernels: its target is not added.
add() {
  local target release file one files=() kept=() of_target missing code=0
  for target in "${targets[@]}"; do
    of_target=() missing=0
    while read -r release; do
      file=$dir/$(document "$target" "$release")
      if is_done "$file"; then of_target+=("$file"); else missing=$((missing + 1)); fi
    done < <(awk -v t="$target" '$1 == t { print $2 }' "$dir/jobs")
    if [ "$missing" -gt 0 ] && [ "$skip_failed" = 0 ]; then
      say "$target: $missing kernels are missing: nothing was added to $db (run the sweep again, or give --skip-failed)"
      code=4
    else
      files+=("${of_target[@]}")
    fi
  done
  [ ${#files[@]} -gt 0 ] || return 4
  for file in "${files[@]}"; do
    for one in "${file%.json}".explanations/*.json; do
      [ ! -s "$one" ] || kept+=(--explanation "$one")
    done
  done
  "$wsbench" history add --db "$db" "${files[@]}" "${kept[@]}" || return
  return "$code"
}

# why: explains what the history lacks, and keeps the changelog of the newest kernel of each
# series. A kernel that cannot be fetched any more costs its explanations.
why() {
  local target release config rows arch file log=$dir/why.log logs=() n=0 all code=0 total begin=$SECONDS
  while read -r target release; do
    arch=$(target_arch "$target")
    if file=$("$here/kernel.sh" changelog --arch "$arch" --release "$release" 2>"$log"); then
      logs+=(--changelog "$file")
    else
      say "$(tail -n 1 "$log")"
    fi
  done < <(newest_of_series)
  [ ${#logs[@]} = 0 ] || "$wsbench" history add --quiet --db "$db" "${logs[@]}" || return
  touch "$dir/not-explained"
  # Of damaged explanations, 4 with a message: the others are made.
  "$wsbench" history why --db "$db" --missing >"$log" || code=4
  # One boot for the benchmarks of a target, a kernel and a config.
  all=$(sort -u "$log" | grep -vxFf "$dir/not-explained" |
    awk '{ boot = $1 " " $2 " " $4; rows[boot] = rows[boot] "," $3 }
      END { for (boot in rows) print boot, substr(rows[boot], 2) }' | sort -V || true)
  total=$(wc -l <<<"$all")
  while read -r target release config rows; do
    [ -n "$rows" ] || continue
    n=$((n + 1))
    progress_show "sweep: explaining $target, Linux $release, $n of $total$(progress_left $((n - 1)) "$total" $((SECONDS - begin)))"
    explain_missing "$target" "$release" "$config" "$rows" "$@" || code=4
  done <<<"$all"
  progress_end
  rm -f "$log"
  return "$code"
}

# newest_of_series: "TARGET RELEASE" of the newest kernel of each series and architecture.
newest_of_series() {
  awk '{ split($2, v, "."); arch = $1 ~ /x86/ ? "x" : "a"; print arch v[1] "." v[2] + 0, $0 }' "$dir/jobs" |
    sort -k1,1 -k3,3V | awk '{ last[$1] = $2 " " $3 } END { for (i in last) print last[i] }' | sort -u
}

# explain_missing TARGET RELEASE CONFIG BENCH,... [OPTION...]: explains into the history.
explain_missing() {
  local target=$1 release=$2 config=$3 rows=$4 folder=$dir/why passed=() configs=() file made=() code=0
  shift 4
  explain_options "$(target_arch "$target")" "$@"
  rm -rf "$folder"
  explain_rows "$folder" "$target" "$release" "$config" "$rows" 2> >(on_own_lines) || code=4
  for file in "$folder"/*.json; do
    if [ -s "$file" ]; then
      made+=(--explanation "$file")
    elif [ -e "$file" ]; then
      echo "$target $release $(basename "$file" ".$config.json") $config" >>"$dir/not-explained"
    fi
  done
  [ ${#made[@]} = 0 ] || "$wsbench" history add --quiet --db "$db" "${made[@]}" || code=4
  rm -rf "$folder"
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
  local dir='' db='' series='' flavour=cloud wanted='' at_once=2 logins='' explain='' why=0 only_list=0 skip_failed=0
  local targets=(lab:x86_64-svm lab:aarch64-vhe lab:aarch64-nvhe) code=0 lacking=0
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
    --why) why=1 ;;
    --) shift && break ;;
    -o | --on | --series | --flavour | --release | --db | --jobs | --sshlogin | --explain)
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
  [ -n "$dir" ] || die 2 "-o DIR is missing (see --help)"
  [ -x "$wsbench" ] || die 2 "no program $wsbench (make)"
  [ -z "$explain" ] || [ -z "$logins" ] || die 2 "--explain and --sshlogin: explanations are made on this machine only"
  [ "$why" = 0 ] || [ -n "$db" ] || die 2 "--why needs --db"
  [ "$why" = 0 ] || [ -z "$logins" ] || die 2 "--why and --sshlogin: explanations are made on this machine only"
  mkdir -p "$dir"
  jobs >"$dir/jobs.new"
  [ -s "$dir/jobs.new" ] || die 2 "no target has such a kernel"
  if [ "$only_list" = 1 ]; then
    list
    exit
  fi
  measure "$@" || code=$?
  [ -z "$db" ] || add || code=$?
  [ "$why" = 0 ] || why "$@" || code=$?
  [ "$code" != 0 ] || code=$lacking
  exit "$code"
}

main "$@"
