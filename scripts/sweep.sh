#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures many kernels on many targets, here or on many machines, into a history.
set -Eeuo pipefail
# Exit code 1 would be a regression.
trap 'echo "sweep: line $LINENO: $BASH_COMMAND failed" >&2; exit 4' ERR

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=/dev/null
. "$here/places.sh"
# shellcheck source=/dev/null
. "$here/progress.sh"
# shellcheck source=/dev/null
. "$here/rows.sh"
# shellcheck source=/dev/null
. "$here/sweep-explain.sh"
wsbench=$(wsbench_path)
[[ $wsbench == /* ]] || wsbench=$PWD/$wsbench

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

# find_kernels ARCH: sets releases[ARCH] to the selected kernels, oldest first, and absent[ARCH]
# to those of --release that cannot be fetched, a line each; says once why. With these, or if a
# series has no kernel, sets `lacking`.
find_kernels() {
  local arch=$1 one found list='' code
  releases[$arch]='' absent[$arch]=''
  for one in "${wanted[@]}"; do
    code=0
    # The name of the folder is the full release, also where only a part was given.
    found=$("$here/kernel.sh" fetch --quiet --arch "$arch" --flavour "$flavour" --release "$one") || code=$?
    found=${found##*/}
    if [ "$code" = 0 ] && [ -n "$found" ]; then
      list+=$found$'\n'
    else
      absent[$arch]+=$one$'\n'
      lacking=4 network=$((code == 4 ? 4 : network))
    fi
  done
  for one in "${series_list[@]}"; do
    code=0
    found=$("$here/kernel.sh" list --arch "$arch" --flavour "$flavour" ${one:+--series "$one"}) || code=$?
    [ "$code" = 0 ] || lacking=4
    if [ -z "$found" ]; then
      [ "$code" != 0 ] || say "Debian does not offer a $flavour kernel ${one:+$one }for $arch"
      lacking=4 network=$((code == 4 ? 4 : network))
    else
      list+=$(awk '{ print $1 }' <<<"$found")$'\n'
    fi
  done
  [ -z "$list" ] || releases[$arch]=$(sort -uV <<<"${list%$'\n'}")
}

# find_jobs: sets `jobs` to "TARGET RELEASE" per line, the kernels of each target in order, and
# `absent_jobs` to those of kernels that cannot be fetched.
find_jobs() {
  local target arch release network=2
  for target in "${targets[@]}"; do
    arch=$(target_arch "$target")
    [ -n "${releases[$arch]+found}" ] || find_kernels "$arch"
    while IFS= read -r release; do
      [ -z "$release" ] || jobs+="$target $release"$'\n'
    done <<<"${releases[$arch]}"
    while IFS= read -r release; do
      [ -z "$release" ] || absent_jobs+="$target $release"$'\n'
    done <<<"${absent[$arch]}"
  done
  if [ -z "$jobs" ] && [ "$only_list" = 0 ]; then die "$network" "no target has such a kernel"; fi
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
# Called in a list, where neither set -e nor the trap of ERR holds.
measure_one() {
  local file=$1 target=$2 release=$3 kernel code=0 said
  shift 3
  ! is_done "$file" || return 0
  if [ -s "$file" ]; then
    # Damaged, of a newer program, or partial.
    said=$("$wsbench" validate --quiet "$file" 2>&1 >/dev/null) || true
    mv "$file" "$file.old" || return 4
    echo "$target $release: measured again, and kept as ${file##*/}.old: ${said#*: }" >&2
  fi
  mkdir -p "$(dirname "$file")" || return 4
  # An interrupted run leaves a partial document.
  rm -f "$file.new" || return 4
  # One run boots this kernel: its machine is not saved, and the saved ones stay.
  [ -n "$explain" ] || export WORLDSWITCH_FRESH_MACHINES=1
  kernel=$("$here/kernel.sh" fetch --quiet --arch "$(target_arch "$target")" --release "$release" \
    2>"$file.log") || code=4
  [ "$code" != 0 ] ||
    "$wsbench" run --quiet --on "$target" --kernel "$kernel/vmlinuz" -o "$file.new" "$@" >"$file.log" 2>&1 9>&- || code=$?
  # 3: every benchmark was skipped. 4: a benchmark failed; the document keeps the others, and
  # the log names the failed one.
  if [[ $code = [034] ]] && is_done "$file.new"; then
    mv "$file.new" "$file" || return 4
    return 0
  fi
  echo "$target $release: $(reason "$file.log")" >&2
  return 4
}

# reason LOG: the last error message of a failed job. Tables of other benchmarks may
# follow it in the log.
reason() {
  grep '^[a-z]*: error: ' "$1" | tail -n 1 | grep . || tail -n 1 "$1" | grep . || echo "no message (is the disk full?)"
}

# other_options [OPTION...]: says that documents were measured with other options: they are not
# measured again.
other_options() {
  local target release files=()
  while read -r target release; do
    files+=("$dir/$(document "$target" "$release")")
  done < <(printf %s "$jobs")
  python3 - "$*" "${files[@]}" <<'END' || true
import json, sys
now, *files = sys.argv[1:]
others = {}
for path in files:
    try:
        argv = json.load(open(path))["run"]["argv"]
        old = " ".join(argv[argv.index("-o") + 2:])
    except (OSError, ValueError, KeyError, TypeError):
        continue
    if old != now:
        others.setdefault(old, []).append(path)
for old, paths in others.items():
    documents, stay = ("document was", "stays:") if len(paths) == 1 else ("documents were", "stay, such as")
    print(f"sweep: {len(paths)} {documents} measured with other options ({old or 'none'}) and {stay} {paths[0]}",
          file=sys.stderr)
END
}

# log_is_true: whether the documents of the jobs that succeeded by parallel's log exist. A
# user may have deleted a document to repeat its measurement.
log_is_true() {
  local target release good done=0
  good=$(awk -F'\t' 'NR > 1 && $7 == 0 && $8 == 0' "$dir/joblog" | wc -l)
  while read -r target release; do
    ! is_done "$dir/$(document "$target" "$release")" || done=$((done + 1))
  done < <(printf %s "$jobs")
  [ "$good" -le "$done" ]
}

# check_machines: leaves out machines that cannot measure, sets `machines` to the number of the
# others, and warns of those with another wsbench.
check_machines() {
  local one host command said good=() list=() version
  version=$("$wsbench" --version)
  IFS=, read -ra list <<<"$logins"
  for one in "${list[@]}"; do
    host=${one#"${one%%[!0-9]*}"/}
    # A command with its options, or the name of a host; host groups and files of hosts are
    # not opened here.
    case $host in
    : | '' | @* | . | ..*) good+=("$one") && continue ;;
    *' '*) read -ra command <<<"$host" ;;
    *) command=("${PARALLEL_SSH:-ssh}" "$host") ;;
    esac
    # shellcheck disable=SC2016  # the shell of the machine expands it
    if ! said=$("${command[@]}" "$(printf '%q ' sh -c \
      'for f; do [ -x "$f" ] || { echo "it has no $f"; exit 1; }; done; command -v rsync >/dev/null || { echo "it has no rsync"; exit 1; }; "$2" --version' \
      sh "$here/sweep.sh" "$wsbench")" </dev/null 2>&1); then
      say "${host##* }: left out: ${said##*$'\n'}"
      continue
    fi
    [ "${said##*$'\n'}" = "$version" ] || say "${host##* }: ${said##*$'\n'}, here $version: figures can differ"
    good+=("$one")
  done
  machines=${#good[@]}
  [ "$machines" -gt 0 ] || die 4 "--sshlogin: no machine can measure"
  logins=$(IFS=, && echo "${good[*]}")
}

# all_done: whether each job has a document, also those that other machines measured.
all_done() {
  local target release lost=0
  while read -r target release; do
    is_done "$dir/$(document "$target" "$release")" || lost=$((lost + 1))
  done < <(printf %s "$jobs")
  [ "$lost" = 0 ] && return
  # Of a job that failed, the reason is said.
  [ "$1" != 0 ] || say "documents that did not arrive here: $lost"
  return 1
}

# measure: runs the jobs by GNU parallel. Its log is valid for one list of jobs; the
# documents decide in any case. Called in a list, where neither set -e nor the trap of ERR holds.
measure() {
  local code=0 said
  if ! printf %s "$jobs" | cmp -s - "$dir/jobs"; then
    said=$({ rm -f "$dir/joblog" && printf %s "$jobs" >"$dir/jobs.new" && mv "$dir/jobs.new" "$dir/jobs"; } 2>&1) ||
      die 4 "cannot write to $dir: ${said##*: }"
  fi
  [ ! -f "$dir/joblog" ] || log_is_true || rm -f "$dir/joblog" || die 4 "cannot write to $dir"
  # The log does not tell which benchmarks were explained; the files do.
  [ -z "$explain" ] || rm -f "$dir/joblog" || die 4 "cannot write to $dir"
  watch 9>&- &
  watcher=$!
  parallel --will-cite --colsep ' ' --jobs "$at_once" --joblog "$dir/joblog" --resume-failed \
    ${logins:+--sshlogin "$logins" --retries "$machines" --workdir "$PWD" --return "$dir/{=1 s/:/-/ =}/{2}.json"} \
    "$(printf '%q ' env "WSBENCH=$wsbench" "$here/sweep.sh" --one "$dir" "$explain")" '{1}' '{2}' "${*:+$(printf '%q ' "$@")}" <"$dir/jobs" \
    2> >(exec 9>&- && on_own_lines) &
  child=$!
  wait "$child" || code=4
  child=''
  watch_end
  all_done "$code" || code=4
  return "$code"
}

# interrupted CODE: ends the sweep with what it has started. While GNU parallel starts, it
# ignores a SIGTERM.
# shellcheck disable=SC2317  # the traps call it
interrupted() {
  local killer
  trap '' INT TERM HUP
  if [ -n "$child" ]; then
    while kill -TERM "$child" 2>/dev/null; do sleep 1; done 9>&- &
    killer=$!
    wait "$child" 2>/dev/null || true
    kill "$killer" 2>/dev/null || true
  fi
  watch_end
  say "interrupted: repeat the command to measure the rest"
  exit "$1"
}

# next_job ROWS: target and kernel of the first job that has not ended, in this sweep, which
# began after ROWS rows of the log, or in an earlier one.
next_job() {
  awk -v rows="$1" 'FILENAME ~ /joblog$/ { if (FNR > rows + 1 || (FNR > 1 && $7 == 0 && $8 == 0)) ended[$1] = 1; next }
    !(FNR in ended) { print $1 ", Linux " $2; exit }' FS='\t' "$dir/joblog" FS=' ' "$dir/jobs" 2>/dev/null || true
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

watch_end() {
  [ -n "$watcher" ] || return 0
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  watcher=''
  progress_end
}

# log_rows any|ended_well: the number of rows in parallel's log.
log_rows() {
  [ ! -f "$dir/joblog" ] || awk -F'\t' -v which="$1" 'NR > 1 && (which == "any" || ($7 == 0 && $8 == 0))' "$dir/joblog" | wc -l
}

# on_own_lines: copies messages to stderr; each erases the line of the progress. A job that
# failed on another machine has no document to be copied, which rsync says at length.
on_own_lines() {
  local line
  while IFS= read -r line; do
    case $line in
    'rsync: [sender] link_stat '*' (2)' | 'rsync: connection unexpectedly closed'* | 'rsync error: '*) continue ;;
    esac
    progress_end
    printf '%s\n' "$line" >&2
  done
}

# add: adds the documents of each target to the history, in order. A missing kernel would
# have to be added later, behind newer kernels: its target is not added.
add() {
  local target release file one files=() kept=() of_target missing code=0
  for target in "${targets[@]}"; do
    of_target=()
    missing=$(awk -v t="$target" '$1 == t' <<<"$absent_jobs" | wc -l)
    while read -r release; do
      file=$dir/$(document "$target" "$release")
      if is_done "$file"; then of_target+=("$file"); else missing=$((missing + 1)); fi
    done < <(awk -v t="$target" '$1 == t { print $2 }' <<<"$jobs")
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
  done < <(printf %s "$jobs")
  while read -r target release; do
    printf '%-18s %-32s %s\n' "$target" "$release" "cannot be fetched"
  done < <(printf %s "$absent_jobs")
}

# unique NAME...: each name once, a line each.
unique() {
  printf '%s\n' "$@" | awk '!seen[$0]++'
}

# check_options [OPTION...]: of the sweep, and of the options of wsbench run those that the
# sweep sets.
check_options() {
  local one
  [ -n "$dir" ] || die 2 "-o DIR is missing (see --help)"
  [ -x "$wsbench" ] || die 2 "no program $wsbench (make)"
  [ ${#targets[@]} -gt 0 ] || die 2 "--on: no lab"
  mapfile -t targets < <(unique "${targets[@]}")
  for one in "${targets[@]}"; do
    if [[ $one != lab:* ]] || ! "$wsbench" list targets --names | grep -xF -- "$one" >/dev/null; then
      die 2 "no lab \"$one\" (wsbench list targets)"
    fi
  done
  [[ $at_once =~ ^[1-9][0-9]{0,3}$ ]] || die 2 "--jobs $at_once: not a number of jobs"
  [[ $flavour =~ ^(cloud|plain|rt)$ ]] || die 2 "no flavour \"$flavour\": cloud, plain or rt"
  [ ${#wanted[@]} = 0 ] || [ ${#series_list[@]} = 0 ] || die 2 "--release and --series: give one of them"
  for one in "${wanted[@]}"; do
    [[ $one =~ ^[0-9][0-9A-Za-z.+~_-]*$ ]] || die 2 "--release: \"$one\" is not a kernel (such as 6.1.0-44)"
  done
  for one in "${series_list[@]}"; do
    [[ $one =~ ^[0-9]+\.[0-9]+$ ]] || die 2 "--series: \"$one\" is not a series (such as 6.1)"
  done
  [ ${#wanted[@]} -gt 0 ] || [ ${#series_list[@]} -gt 0 ] || series_list=('')
  check_names "$@"
  for one; do
    case $one in
    --) break ;;
    -o* | --output | --output=* | --on | --on=* | --kernel | --kernel=*) die 2 "$one after --: the sweep sets it for each run" ;;
    esac
  done
  [ -z "$explain" ] || [ -z "$logins" ] || die 2 "--explain and --sshlogin: explanations are made on this machine only"
  [ "$why" = 0 ] || [ -n "$db" ] || die 2 "--why needs --db"
  [ "$why" = 0 ] || [ -z "$logins" ] || die 2 "--why and --sshlogin: explanations are made on this machine only"
}

# check_names [OPTION...]: of --bench and --config, which all runs would refuse.
check_names() {
  while [ $# -gt 0 ]; do
    case $1 in
    --bench=*) check_rows "${1#--bench=}" '' ;;
    --config=*) check_rows '' "${1#--config=}" ;;
    --bench) check_rows "${2:-}" '' ;;
    --config) check_rows '' "${2:-}" ;;
    esac
    shift
  done
}

# check_db: a history that the documents cannot be added to would be found after hours.
check_db() {
  local said
  if [ -s "$db" ] && ! said=$("$wsbench" history show --quiet --db "$db" 2>&1 >/dev/null) &&
    [[ $said != *'has no figures' ]]; then
    die 2 "${said##*: error: }"
  fi
  [ -e "$db" ] || [ -d "$(dirname -- "$db")" ] || die 4 "--db $db: no such folder"
  # Also beside an existing history: explanations, and lines that a crash left.
  [ -w "$(dirname -- "$db")" ] || die 4 "cannot write to $(dirname -- "$db")"
  [ ! -e "$db" ] || [ -w "$db" ] || die 4 "cannot write to $db"
}

main() {
  local dir='' db='' flavour=cloud at_once=2 logins='' explain='' why=0 only_list=0 skip_failed=0
  local targets=(lab:x86_64-svm lab:aarch64-vhe lab:aarch64-nvhe) code=0 lacking=0 child='' watcher=''
  local wanted=() series_list=() jobs='' absent_jobs='' machines=1
  local -A releases=() absent=()
  if [ "${1:-}" = --one ]; then
    shift
    one "$@" || exit
    exit 0
  fi
  while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --list) only_list=1 ;;
    --skip-failed) skip_failed=1 ;;
    --why) why=1 ;;
    --) shift && break ;;
    -o | --on | --series | --flavour | --release | --db | --jobs | --sshlogin | --explain)
      [ -n "${2:-}" ] || die 2 "$1 needs a value"
      case $1 in
      -o) dir=$2 ;;
      --on) IFS=, read -ra targets <<<"$2" ;;
      --release) IFS=, read -ra wanted <<<"$2" ;;
      --series) IFS=, read -ra series_list <<<"$2" ;;
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
  [[ $dir != -* ]] || dir=./$dir
  check_options "$@"
  if [ "$only_list" = 1 ]; then
    find_jobs
    list
    exit
  fi
  parallel --version 2>/dev/null | grep -q '^GNU parallel' || die 2 "GNU parallel is not installed (package parallel)"
  # parallel copies the documents from other machines by rsync.
  [[ ,$logins, =~ ^(,([0-9]+/)?:)*,$ ]] || command -v rsync >/dev/null || die 2 "--sshlogin: rsync is missing (package rsync)"
  mkdir -p "$dir" 2>/dev/null || true
  [ -w "$dir/." ] || die 4 "cannot write to $dir"
  # Also held by GNU parallel and the jobs, of a sweep that was killed, but not by a run.
  exec 9<"$dir"
  flock -n 9 || die 4 "another sweep works in $dir"
  [ -z "$db" ] || check_db
  [ -z "$logins" ] || check_machines
  find_jobs
  other_options "$@"
  trap 'interrupted 130' INT
  trap 'interrupted 143' TERM
  trap 'interrupted 129' HUP
  measure "$@" || code=$?
  [ -z "$db" ] || add || code=$?
  [ "$why" = 0 ] || why "$@" || code=$?
  [ "$code" != 0 ] || code=$lacking
  exit "$code"
}

main "$@"
