# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# To be sourced by sweep.sh: the explanations of a sweep, of each kernel (--explain) or of the
# steps of a history (--why). All are called in lists, where neither set -e nor the trap of ERR
# holds: each failure is passed on.
# shellcheck disable=SC2154  # variables of sweep.sh

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
# figure. Sets `passed` and, if the configs are named, `configs`: none, if none has such a name.
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
  if [ ${#configs[@]} = 0 ]; then
    echo "$target $release: not explained: --config: no such config of $target" >&2
    return 4
  fi
  for config in "${configs[@]}"; do
    rows=''
    for bench in "${list[@]}"; do
      [ -e "$folder/$bench${config:+.$config}.json" ] || rows+=${rows:+,}$bench
    done
    [ -z "$rows" ] || explain_rows "$folder" "$target" "$release" "$config" "$rows" || failed=4
  done
  return "$failed"
}

# interruptible COMMAND...: runs a command that ends when the sweep is interrupted.
interruptible() {
  local code=0
  "$@" &
  child=$!
  wait "$child" || code=$?
  child=''
  return "$code"
}

# explain_rows FOLDER TARGET RELEASE CONFIG BENCH,...: explains the benchmarks in one boot of
# the lab, with the options of `passed`, into FOLDER/BENCH.CONFIG.json, or BENCH.json without
# a CONFIG. The file of a benchmark that cannot be explained is empty. Of several, if one
# fails, those without an explanation are explained alone: only the exit code says why.
explain_rows() {
  local folder=$1 target=$2 release=$3 config=$4 rows=$5 log=$1/log kernel bench out missing=() code=0 lost=0
  # A sweep that was killed leaves files of another config or kernel.
  rm -rf "$folder/new" && mkdir -p "$folder/new" || return 4
  kernel=$("$here/kernel.sh" fetch --quiet --arch "$(target_arch "$target")" --release "$release" 2>"$log") || code=4
  [ "$code" != 0 ] ||
    interruptible "$wsbench" explain --quiet --on "$target" --bench "$rows" ${config:+--config "$config"} \
      --kernel "$kernel/vmlinuz" "${passed[@]}" -o "$folder/new/" >"$log" 2>&1 9>&- || code=$?
  for bench in ${rows//,/ }; do
    out=$folder/$bench${config:+.$config}.json
    if [ -s "$folder/new/$bench.json" ]; then
      mv "$folder/new/$bench.json" "$out" || lost=4
    elif [[ $code = [03] ]]; then
      : >"$out" || lost=4
    else
      missing+=("$bench")
    fi
  done
  rm -rf "$folder/new"
  [[ ! $code = [03] ]] || return "$lost"
  # Without any, the lab itself may have failed.
  if [ "$rows" != "$(IFS=, && echo "${missing[*]}")" ]; then
    code=$lost
    for bench in "${missing[@]}"; do
      explain_rows "$folder" "$target" "$release" "$config" "$bench" || code=4
    done
    return "$code"
  fi
  echo "$target $release: $rows${config:+ [$config]}: $(reason "$log")" >&2
  return 4
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
  touch "$dir/not-explained" || return 4
  # Of damaged explanations, 4 with a message: the others are made.
  "$wsbench" history why --db "$db" --missing >"$log" || code=4
  # One boot for the benchmarks of a target, a kernel and a config.
  all=$(sort -u "$log" | { grep -vxFf "$dir/not-explained" || [ $? = 1 ]; } |
    awk '{ boot = $1 " " $2 " " $4; rows[boot] = rows[boot] "," $3 }
      END { for (boot in rows) print boot, substr(rows[boot], 2) }' | sort -V) || return 4
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
  printf %s "$jobs" | awk '{ split($2, v, "."); arch = $1 ~ /x86/ ? "x" : "a"; print arch v[1] "." v[2] + 0, $0 }' |
    sort -k1,1 -k3,3V | awk '{ last[$1] = $2 " " $3 } END { for (i in last) print last[i] }' | sort -u
}

# explain_missing TARGET RELEASE CONFIG BENCH,... [OPTION...]: explains into the history.
explain_missing() {
  local target=$1 release=$2 config=$3 rows=$4 folder=$dir/why passed=() configs=() file made=() code=0
  shift 4
  explain_options "$(target_arch "$target")" "$@"
  rm -rf "$folder" || return 4
  explain_rows "$folder" "$target" "$release" "$config" "$rows" 2> >(on_own_lines) || code=4
  for file in "$folder"/*.json; do
    if [ -s "$file" ]; then
      made+=(--explanation "$file")
    elif [ -e "$file" ]; then
      echo "$target $release $(basename "$file" ".$config.json") $config" >>"$dir/not-explained" || code=4
    fi
  done
  [ ${#made[@]} = 0 ] || "$wsbench" history add --quiet --db "$db" "${made[@]}" || code=4
  rm -rf "$folder"
  return "$code"
}
