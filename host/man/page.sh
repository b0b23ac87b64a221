#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a manual page from its template; the options come from the program.
set -euo pipefail

usage() {
  cat <<'END'
usage: host/man/page.sh WSBENCH TEMPLATE

Prints the mdoc page of TEMPLATE (wsbench.1.in, wsbench-run.1.in, ...), in which lines
are replaced by what WSBENCH --dump-options or WSBENCH COMMAND --dump-options prints:

  @HEAD       date, title, NAME and SYNOPSIS
  @COMMANDS   list of the commands
  @DOC        description of the command
  @OPTIONS    options of the command, and the text that follows them in the help
  @EXIT       list of the exit codes that the command can return
  @SEE        references to the pages of the other commands
END
}

case ${1-} in --help) usage && exit 0 ;; esac
[ $# = 2 ] || { usage >&2 && exit 2; }
wsbench=$1 template=$2
page=$(basename "$template" .1.in)
command=${page#wsbench}
command=${command#-}
# The date of the newest version.
date=$(sed -n 's/^## .*(\([0-9-]*\))$/\1/p' "$(dirname "$template")/../CHANGES.md" | head -n 1)
date=$(LC_ALL=C date -u -d "$date" '+%B %-d, %Y')

{
  "$wsbench" --dump-options
  [ -z "$command" ] || "$wsbench" "$command" --dump-options
  echo '---'
  cat "$template"
} | awk -F '\t' -v page="$page" -v command="$command" -v date="$date" '
  # Text as roff: no escapes, no control lines, minus signs of options.
  function roff(text) {
    gsub(/\\/, "\\e", text)
    gsub(/--/, "\\-\\-", text)
    gsub(/ -/, " \\-", text)
    if (text ~ /^[.'\'']/)
      text = "\\&" text
    if (text ~ /[?!]$/)
      text = text "\\&"
    return text
  }
  # Input lines of at most 80 bytes; a line does not begin with a control character.
  function fold(text,  n, i, words, line) {
    n = split(roff(text), words, / +/)
    line = words[1]
    for (i = 2; i <= n; i++) {
      if (length(line) + 1 + length(words[i]) > 80) {
        print line
        line = (words[i] ~ /^[.'\'']/ ? "\\&" : "") words[i]
      } else {
        line = line " " words[i]
      }
    }
    print line
  }
  function paragraph(text) {
    gsub(/\. +/, ".\n", text) # sentences begin lines
    n_lines = split(text, line, "\n")
    for (l = 1; l <= n_lines; l++)
      if (line[l] != "")
        fold(line[l])
  }
  function head() {
    print ".Dd " date "\n.Dt " toupper(page) " 1\n.Os\n.Sh NAME\n.Nm " page
    print ".Nd " (command == "" ? "measure the cost of VM exits" : summary[command])
    print ".Sh SYNOPSIS"
    if (command == "") {
      print ".Nm\n.Ar COMMAND\n.Op Ar OPTION ...\n.Nm\n.Cm help\n.Op Ar COMMAND\n.Nm\n.Cm version"
      return
    }
    for (i = 1; i <= n_args; i++)
      print ".Nm wsbench\n.Cm " command "\n.Op Ar OPTION ..." (args[i] == "" ? "" : "\n" roff(args[i]))
  }
  function commands() {
    print ".Bl -tag -width selftest"
    for (i = 1; i <= n_commands; i++)
      { print ".It Xr wsbench-" names[i] " 1"; fold(summary[names[i]]) }
    print ".El"
  }
  # The value of an option; "[=VALUE]" may be left out.
  function value(text) {
    if (text == "")
      return ""
    if (text ~ /^\[=/)
      return " Ns Op = Ns Ar " roff(substr(text, 3, length(text) - 3))
    return " Ar " roff(text)
  }
  function options() {
    open = 0
    for (i = 1; i <= n_options; i++) {
      split(option[i], o, "\t")
      if (o[1] == "group") {
        if (open)
          print ".El"
        open = 0
        print ".Pp\n" roff(o[2])
        continue
      }
      if (!open)
        print ".Bl -tag -width Ds"
      open = 1
      printf ".It %s%s%s\n", o[3] == "" ? "" : "Fl " substr(o[3], 2) " , ", \
        "Fl \\-" substr(o[2], 3), value(o[4])
      paragraph(o[5])
    }
    if (open)
      print ".El"
    table = after ~ /[^ ]  +[^ ]/
    if (after == "")
      return
    if (table) {
      n_lines = split(after, line, "\n")
      print ".Bd -literal"
      for (l = 1; l <= n_lines; l++)
        print roff(line[l])
      print ".Ed"
    } else {
      print ".Pp"
      gsub(/\n/, " ", after)
      paragraph(after)
    }
  }
  # Of a text for several commands ("done; compare: ..."), the part for this one.
  function exit_meaning(code, text) {
    if (command == "selftest" && code == 1)
      sub(/.*: /, "", text)
    else if (code == 1 || (code == 0 && command !~ /^(compare|history)$/))
      sub(/; .*/, "", text)
    return text
  }
  function exits() {
    print ".Bl -tag -width Ds"
    for (i = 1; i <= n_exits; i++)
      if (command == "")
        { print ".It " exit_code[i]; fold(exit_text[i]) }
      else if (index(codes[command], exit_code[i]))
        { print ".It " exit_code[i]; fold(exit_meaning(exit_code[i], exit_text[i])) }
    print ".El"
  }
  function see(  i, k, other, n, pages) {
    n = 0
    if (command != "")
      pages[++n] = "wsbench"
    for (i = 1; i <= n_commands; i++) {
      if (names[i] == command)
        continue
      # By their names.
      other = "wsbench-" names[i]
      for (k = n++; k >= 1 && pages[k] > other; k--)
        pages[k + 1] = pages[k]
      pages[k + 1] = other
    }
    for (i = 1; i <= n; i++)
      print ".Xr " pages[i] " 1" (i < n ? " ," : "")
  }
  $1 == "---" { in_page = 1; next }
  !in_page && $1 == "command" { names[++n_commands] = $2; summary[$2] = $3; codes[$2] = $4 }
  !in_page && $1 == "exit" { exit_code[++n_exits] = $2; exit_text[n_exits] = $3 }
  !in_page && $1 == "args" { args[++n_args] = $2 }
  !in_page && $1 == "doc" { doc = doc (doc == "" ? "" : "\n") $2 }
  !in_page && ($1 == "option" || $1 == "group") { option[++n_options] = $0 }
  !in_page && $1 == "after" { after = after (n_after++ ? "\n" : "") $2 }
  !in_page { next }
  /^@HEAD$/ { head(); next }
  /^@COMMANDS$/ { commands(); next }
  /^@DOC$/ { paragraph(doc); next }
  /^@OPTIONS$/ { options(); next }
  /^@EXIT$/ { exits(); next }
  /^@SEE$/ { see(); next }
  /^\.Bd/ { literal = 1 }
  /^\.Ed/ { literal = 0 }
  /^\./ { print; next }
  literal { print roff($0); next }
  { fold($0) }
'
