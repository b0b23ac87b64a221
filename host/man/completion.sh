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

commands=()
while IFS=$'\t' read -r key name summary _; do
  [ "$key" != command ] || commands+=("$name"$'\t'"$summary")
done < <("$wsbench" --dump-options)

# options COMMAND: "LONG<TAB>SHORT<TAB>VALUE<TAB>DESCRIPTION<TAB>KIND" per line; - for an
# empty field.
options() {
  local long short value text
  "$wsbench" "$1" --dump-options |
    awk -F '\t' -v OFS='\t' '$1 == "option" { print $2, $3 == "" ? "-" : $3, $4 == "" ? "-" : $4, $5 }' |
    while IFS=$'\t' read -r long short value text; do
      printf '%s\t%s\t%s\t%s\t%s\n' "$long" "$short" "$value" "$text" "$(kind "$1" "$long" "$value" "$text")"
    done
}

# words COMMAND: the fixed first arguments, such as check|tune|restore|show.
words() {
  "$wsbench" "$1" --dump-options |
    sed -n 's/^args\t\[*\([a-z]*|[a-z|]*\).*/\1/p' | head -n 1 | tr '|' ' '
}

# help_table COMMAND: the first column of the table below the options in the help.
help_table() {
  "$wsbench" "$1" --dump-options | sed -n 's/^after\t  \([a-z-]*\)  .*/\1/p' | paste -sd ' '
}

# kind COMMAND OPTION VALUE DESCRIPTION: what the value of an option names: targets,
# benchmarks, configs, files, text, none, or "one" or "some" and the fixed values.
kind() {
  case $2 in
  --on) echo targets ;;
  --bench) echo benchmarks ;;
  --config | --against) echo configs ;;
  --emulator) echo emulators ;;
  --base | --save) echo baselines ;;
  --tree) if [ "$3" = - ]; then echo none; else echo files; fi ;;
  --kernel | --base-kernel) echo kernels ;;
  --exits | --output | --to | --modules | --payload | --db | --history | --diff | --svg | --root | --explanation | --debuginfo | --source) echo files ;;
  --format) echo "one $(help_table "$1")" ;;
  --kind) echo "some $(help_table "$1")" ;;
  --across) echo "some $(tr -d , <<<"${4##*: }")" ;;
  --fail-on) echo "one ${3//|/ }" ;;
  --arch) echo "one x86_64 aarch64" ;;
  --flavour) echo "one cloud plain rt" ;;
  # A value that may be left out is never the next word.
  *) case $3 in - | '[='*) echo none ;; *) echo text ;; esac ;;
  esac
}

quoted() {
  printf "'%s'" "${1//\'/\'\\\'\'}"
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
    printf '    %s\n' "$(quoted "${entry/$'\t'/:}")"
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
      [ "$short" = - ] || printf '      %s \\\n' "$(quoted "${short}[$text]$what")"
      [ "$what" = "" ] || long=$long=
      printf '      %s \\\n' "$(quoted "${long}[$text]$what")"
    done < <(options "$name")
    text=$(words "$name")
    [ -z "$text" ] || printf '      %s \\\n' "$(quoted "1:what:($text)")"
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
    printf 'complete -c wsbench -n __fish_use_subcommand -a %s -d %s\n' "$name" \
      "$(fish_quoted "${entry#*$'\t'}")"
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
      printf ' -d %s\n' "$(fish_quoted "$text")"
    done < <(options "$name")
  done
}

# fish escapes a quote within quotes by a backslash.
fish_quoted() {
  local text=${1//\\/\\\\}
  printf "'%s'" "${text//\'/\\\'}"
}

"${shell}_completion"
