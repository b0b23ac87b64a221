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
while IFS=$'\t' read -r key name summary; do
  [ "$key" != command ] || commands+=("$name"$'\t'"$summary")
done < <("$wsbench" --dump-options)

# options COMMAND: "LONG<TAB>SHORT<TAB>VALUE<TAB>DESCRIPTION" per line; - for an empty field.
options() {
  "$wsbench" "$1" --dump-options |
    awk -F '\t' -v OFS='\t' '$1 == "option" { print $2, $3 == "" ? "-" : $3, $4 == "" ? "-" : $4, $5 }'
}

# words COMMAND: the fixed first arguments, such as check|tune|restore|show.
words() {
  "$wsbench" "$1" --dump-options |
    sed -n 's/^args\t\[*\([a-z]*|[a-z|]*\).*/\1/p' | head -n 1 | tr '|' ' '
}

# kind OPTION VALUE: what the value of an option names.
kind() {
  case $1 in
  --on) echo targets ;;
  --bench) echo benchmarks ;;
  --config) echo configs ;;
  --output | --kernel | --modules | --payload | --db | --history | --diff | --svg | --root) echo files ;;
  *) if [ "$2" = - ]; then echo none; else echo text; fi ;;
  esac
}

quoted() {
  printf "'%s'" "${1//\'/\'\\\'\'}"
}

bash_completion() {
  local entry name long short value text
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

# _wsbench_kind OPTION: what the value of the option names.
_wsbench_kind() {
  case $1 in
END
  for entry in "${commands[@]}"; do
    options "${entry%%$'\t'*}"
  done | sort -u -t $'\t' -k 1,1 | while IFS=$'\t' read -r long short value text; do
    [ "$short" = - ] || long="$long | $short"
    echo "  $long) echo $(kind "${long%% *}" "$value") ;;"
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
    kind=$(_wsbench_kind "$previous")
    case $kind in
    files) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
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
      list=$(_wsbench_names "$kind")
      # A list of names: the last one is completed.
      case $word in *,*) list=$(printf '%s\n' "$list" | sed "s|^|${word%,*},|") ;; esac
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
  local entry name long short value text what
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
    while IFS=$'\t' read -r long short value text; do
      text=${text//[\[\]]/}
      text=${text//:/ }
      case $(kind "$long" "$value") in
      none) what= ;;
      text) what=":${value//[:\[\]]/ }: " ;;
      files) what=":${value//[:\[\]]/ }:_files" ;;
      *) what=":names:_wsbench_list $(kind "$long" "$value")" ;;
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
  local entry name long short value text words
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
    list | run | env | selftest) ;;
    *) printf 'complete -c wsbench -n "__fish_seen_subcommand_from %s" -F\n' "$name" ;;
    esac
    while IFS=$'\t' read -r long short value text; do
      printf 'complete -c wsbench -n "__fish_seen_subcommand_from %s" -l %s' "$name" "${long#--}"
      [ "$short" = - ] || printf ' -s %s' "${short#-}"
      case $(kind "$long" "$value") in
      none) ;;
      text) printf ' -x' ;;
      files) printf ' -r -F' ;;
      *) printf ' -x -a "(__fish_complete_list , '\''__wsbench_names %s'\'')"' "$(kind "$long" "$value")" ;;
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
