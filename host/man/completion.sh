#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the completions of a shell; commands and options come from the program.
set -euo pipefail

usage() {
  cat <<'END'
usage: host/man/completion.sh WSBENCH wsbench.bash|_wsbench|wsbench.fish

Prints the completions for bash, zsh or fish. Commands, options and their descriptions
are those of WSBENCH when the file is made; the names of benchmarks, configurations and
targets are those that the installed program lists when the shell completes a word.
END
}

case ${1-} in --help) usage && exit 0 ;; esac
[ $# = 2 ] || { usage >&2 && exit 2; }
wsbench=$1
case $2 in
wsbench.bash) shell=bash ;;
_wsbench) shell=zsh ;;
wsbench.fish) shell=fish ;;
*) usage >&2 && exit 2 ;;
esac

# What `wsbench COMMAND --dump-options` prints, by command.
declare -A dumped
commands=()
while IFS=$'\t' read -r key name summary _; do
  [ "$key" = command ] || continue
  commands+=("$name"$'\t'"$summary")
  dumped[$name]=$("$wsbench" "$name" --dump-options)
done < <("$wsbench" --dump-options)

# options COMMAND: "LONG<TAB>SHORT<TAB>VALUE<TAB>DESCRIPTION<TAB>KIND" per line; - for an
# empty field.
options() {
  local line field
  while read -r line; do
    [[ $line == option$'\t'* ]] || continue
    # Not read: blanks that divide are as one, and fields may be empty.
    mapfile -t -d $'\t' field <<<"$line"
    kind "$1" "${field[1]}" "${field[3]:--}" "${field[4]%$'\n'}"
    printf '%s\t%s\t%s\t%s\t%s\n' "${field[1]}" "${field[2]:--}" "${field[3]:--}" \
      "${field[4]%$'\n'}" "$kind"
  done <<<"${dumped[$1]}"
}

# words COMMAND: the fixed first arguments, such as check|tune|restore|show.
words() {
  local line
  while read -r line; do
    [[ $line =~ ^args$'\t'\[*([a-z]*\|[a-z|]*) ]] || continue
    echo "${BASH_REMATCH[1]//|/ }"
    return
  done <<<"${dumped[$1]}"
}

# help_table COMMAND: the first column of the table below the options in the help.
help_table() {
  local line words=()
  while IFS= read -r line; do
    [[ ! $line =~ ^after$'\t  '([a-z-]*)'  ' ]] || words+=("${BASH_REMATCH[1]}")
  done <<<"${dumped[$1]}"
  echo "${words[*]}"
}

# kind COMMAND OPTION VALUE DESCRIPTION: sets $kind to what the value of the option names:
# targets, benchmarks, configs, files, text, none, or "one" or "some" and the fixed values.
kind() {
  local values=${4##*: }
  case $2 in
  --on) kind=targets ;;
  --bench) kind=benchmarks ;;
  --config | --against) kind=configs ;;
  --emulator) kind=emulators ;;
  --base | --save) kind=baselines ;;
  --tree) if [ "$3" = - ]; then kind=none; else kind=files; fi ;;
  --kernel | --base-kernel) kind=kernels ;;
  --exits | --output | --to | --modules | --payload | --db | --history | --diff | --svg | --root | --explanation | --debuginfo | --source) kind=files ;;
  --format) kind="one $(help_table "$1")" ;;
  --kind) kind="some $(help_table "$1")" ;;
  --across) kind="some ${values//,/}" ;;
  --fail-on) kind="one ${3//|/ }" ;;
  --arch) kind="one x86_64 aarch64" ;;
  --flavour) kind="one cloud plain rt" ;;
  # A value that may be left out is never the next word.
  *) case $3 in - | '[='*) kind=none ;; *) kind=text ;; esac ;;
  esac
}

# quote TEXT: sets $quoted.
quote() {
  quoted="'${1//\'/\'\\\'\'}'"
}

bash_completion() {
  local entry name long short value text kind
  cat <<'END'
# bash completion for wsbench

# _wsbench_names KIND: of the program on the command line.
_wsbench_names() {
  "${_wsbench_program:-wsbench}" list "$1" --names 2>/dev/null
  case $1 in benchmarks) echo core ;; targets) echo all ;; esac
}

_wsbench_words() {
  case $1 in
END
  for entry in "${commands[@]}"; do
    name=${entry%%$'\t'*}
    printf '  %s) echo "%s" ;;\n' "$name" "$(words "$name")"
  done
  cat <<'END'
  esac
}

_wsbench_options() {
  case $1 in
END
  for entry in "${commands[@]}"; do
    name=${entry%%$'\t'*}
    printf '  %s) echo "%s" ;;\n' "$name" "$(options "$name" |
      awk -F '\t' '{ printf "%s%s", sep, $1; sep = " "; if ($2 != "-") printf " %s", $2 }')"
  done
  cat <<'END'
  esac
}

# _wsbench_kind COMMAND OPTION: what the value of the option names.
_wsbench_kind() {
  case $1$2 in
END
  for entry in "${commands[@]}"; do
    name=${entry%%$'\t'*}
    options "$name" | while IFS=$'\t' read -r long short value text kind; do
      [ "$short" = - ] || long="$long | $name$short"
      [ "$kind" = none ] || echo "  $name$long) echo '$kind' ;;"
    done
  done
  printf '  *) echo none ;;\n  esac\n}\n\n_wsbench_commands="'
  printf '%s ' "${commands[@]%%$'\t'*}"
  cat <<'END'
help version"

_wsbench() {
  local line=${COMP_LINE:0:COMP_POINT} words word previous command list kind cut
  # Not COMP_WORDS: readline breaks the names of targets at their colons.
  read -ra words <<<"$line"
  _wsbench_program=${words[0]}
  word=
  [[ $line == *[[:space:]] ]] || word=${words[-1]}
  [[ $line == *[[:space:]] ]] || unset 'words[-1]'
  command=${words[1]-} previous=${words[-1]-}
  COMPREPLY=()
  case ${#words[@]},$command in
  1,*) list="$_wsbench_commands --help --version" ;;
  2,help) list=$_wsbench_commands ;;
  *)
    if [[ $word == --*=* ]]; then
      previous=${word%%=*} word=${word#*=}
    fi
    kind=$(_wsbench_kind "$command" "$previous")
    case $kind in
    files) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
    kernels)
      mapfile -t COMPREPLY < <(compgen -W "$(_wsbench_names kernels)" -- "$word" && compgen -f -- "$word")
      return
      ;;
    text) return ;;
    none)
      case $word in
      -*) list=$(_wsbench_options "$command") ;;
      *)
        list=
        [ ${#words[@]} != 2 ] || list=$(_wsbench_words "$command")
        [ -n "$list" ] || { mapfile -t COMPREPLY < <(compgen -f -- "$word") && return; }
        ;;
      esac
      ;;
    *)
      case $kind in
      one\ * | some\ *) list=${kind#* } && list=${list// /$'\n'} ;;
      *) list=$(_wsbench_names "$kind") ;;
      esac
      # A list of names: the last one is completed.
      case $kind:$word in one\ *) ;; *,*) list=$(printf '%s\n' "$list" | sed "s|^|${word%,*},|") ;; esac
      ;;
    esac
    ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$list" -- "$word")
  # Readline replaces only what follows the last colon.
  case $word:$COMP_WORDBREAKS in
  *:*:*)
    cut=${word%"${word##*:}"}
    COMPREPLY=("${COMPREPLY[@]#"$cut"}")
    ;;
  esac
}

complete -o filenames -o bashdefault -F _wsbench wsbench
END
}

zsh_completion() {
  local entry name long short value text what kind
  cat <<'END'
#compdef wsbench

# _wsbench_list KIND: a comma list of names that the program lists.
_wsbench_list() {
  local -a names
  names=(${(f)"$(wsbench list $1 --names 2>/dev/null)"})
  case $1 in
  benchmarks) names+=(core) ;;
  targets) names+=(all) ;;
  esac
  _sequence compadd - -a names
}

# _wsbench_kernels: series and releases in the cache, and files.
_wsbench_kernels() {
  local -a names
  names=(${(f)"$(wsbench list kernels --names 2>/dev/null)"})
  compadd -a names
  _files
}

_wsbench() {
  local -a commands
  commands=(
END
  for entry in "${commands[@]}"; do
    quote "${entry/$'\t'/:}"
    printf '    %s\n' "$quoted"
  done
  cat <<'END'
    'help:print the help of a command'
    'version:print the version'
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
  help) _describe command commands ;;
END
  for entry in "${commands[@]}"; do
    name=${entry%%$'\t'*}
    printf '  %s)\n    _arguments \\\n' "$name"
    while IFS=$'\t' read -r long short value text kind; do
      text=${text//[\[\]]/}
      text=${text//:/ }
      case $kind in
      none) what= ;;
      text) what=":${value//[:\[\]]/ }: " ;;
      files) what=":${value//[:\[\]]/ }:_files" ;;
      kernels) what=":kernel:_wsbench_kernels" ;;
      one\ *) what=":value:(${kind#* })" ;;
      some\ *) what=":values:_sequence compadd - ${kind#* }" ;;
      # After the blank, _arguments inserts no arguments of its own before the kind.
      *) what=":names: _wsbench_list $kind" ;;
      esac
      quote "${short}[$text]$what"
      [ "$short" = - ] || printf '      %s \\\n' "$quoted"
      [ "$what" = "" ] || long=$long=
      quote "${long}[$text]$what"
      printf '      %s \\\n' "$quoted"
    done < <(options "$name")
    text=$(words "$name")
    quote "1:what:($text)"
    [ -z "$text" ] || printf '      %s \\\n' "$quoted"
    printf "      '*:file:_files'\n    ;;\n"
  done
  printf '  esac\n}\n\n_wsbench "$@"\n'
}

fish_completion() {
  local entry name long short value text words kind
  cat <<'END'
# fish completion for wsbench
function __wsbench_names
    wsbench list $argv[1] --names 2>/dev/null
    switch $argv[1]
        case benchmarks
            echo core
        case targets
            echo all
    end
end

function __wsbench_words
    string join \n $argv
end

complete -c wsbench -f
complete -c wsbench -n __fish_use_subcommand -a help -d 'print the help of a command'
complete -c wsbench -n __fish_use_subcommand -a version -d 'print the version'
END
  for entry in "${commands[@]}"; do
    name=${entry%%$'\t'*}
    fish_quote "${entry#*$'\t'}"
    printf 'complete -c wsbench -n __fish_use_subcommand -a %s -d %s\n' "$name" "$quoted"
    printf 'complete -c wsbench -n "__fish_seen_subcommand_from help" -a %s\n' "$name"
    words=$(words "$name")
    if [ -n "$words" ]; then
      printf 'complete -c wsbench -n "__fish_seen_subcommand_from %s" -a "%s"\n' "$name" "$words"
    fi
    case $name in
    kernel | list | run | env | selftest) ;;
    *) printf 'complete -c wsbench -n "__fish_seen_subcommand_from %s" -F\n' "$name" ;;
    esac
    while IFS=$'\t' read -r long short value text kind; do
      printf 'complete -c wsbench -n "__fish_seen_subcommand_from %s" -l %s' "$name" "${long#--}"
      [ "$short" = - ] || printf ' -s %s' "${short#-}"
      case $kind in
      none) ;;
      text) printf ' -x' ;;
      files) printf ' -r -F' ;;
      kernels) printf ' -r -F -a "(__wsbench_names kernels)"' ;;
      one\ *) printf ' -x -a "%s"' "${kind#* }" ;;
      some\ *) printf ' -x -a "(__fish_complete_list , '\''__wsbench_words %s'\'')"' "${kind#* }" ;;
      *) printf ' -x -a "(__fish_complete_list , '\''__wsbench_names %s'\'')"' "$kind" ;;
      esac
      fish_quote "$text"
      printf ' -d %s\n' "$quoted"
    done < <(options "$name")
  done
}

# fish escapes a quote within quotes by a backslash.
fish_quote() {
  local text=${1//\\/\\\\}
  quoted="'${text//\'/\\\'}'"
}

"${shell}_completion"
