#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# `wsbench history`: the file: additions, torn lines, other writers, what is not a history.
bats_require_minimum_version 1.5.0
load helper
load history_helper

@test "history add: a run is added once" {
  document one.json r1 one null=1 rdtsc=2
  run_apart "$wsbench" history add --db h.jsonl one.json
  [ "$status" = 0 ]
  [[ $stderr == *"added 2 figures"* ]]
  cp h.jsonl before
  run_apart "$wsbench" history add --db h.jsonl one.json one.json
  [ "$status" = 0 ]
  [[ $stderr == *"nothing was added"* ]]
  cmp h.jsonl before
  # Also if one command names it twice.
  run_apart "$wsbench" history add --db h2.jsonl one.json one.json
  cmp h2.jsonl before
}

@test "history add: adding a run again restores lost figures at their place" {
  document one.json r1 one null=1 rdtsc=2
  document two.json r2 two null=1 rdtsc=3
  "$wsbench" history add --db h.jsonl one.json two.json
  sed -i 2d h.jsonl
  run_apart "$wsbench" history add --db h.jsonl one.json
  [[ $stderr == *"1 figures were not added: h.jsonl has them already"* ]]
  run_apart "$wsbench" history check --db h.jsonl --json
  [ "$status" = 1 ]
  [ "$(json '[(c["benchmark"], c["before"], c["after"]) for c in d["changes"]]')" = "[('rdtsc', 2, 3)]" ]
}

@test "two joined histories: duplicate figures count once" {
  series v 100 100 101
  cat h.jsonl h.jsonl >twice.jsonl
  run_apart "$wsbench" history check --db twice.jsonl
  [ "$status" = 1 ]
  [[ $stderr == *"twice.jsonl has 3 figures twice"* ]]
  [[ $stdout == *"1 became worse"* ]]
}

@test "a torn last line is moved, and complete lines stay" {
  series v 100 100
  cp h.jsonl whole
  head -c 50 h.jsonl >>h.jsonl.part
  cat h.jsonl.part >>h.jsonl && rm h.jsonl.part
  run_apart "$wsbench" history check --db h.jsonl
  [ "$status" = 0 ]
  [[ $stderr == *"h.jsonl: the last line is torn"*"50 bytes"* ]]
  document three.json v3 v3 null=100
  run_apart "$wsbench" history add --db h.jsonl three.json
  [ "$status" = 0 ]
  [[ $stderr == *"50 bytes, moved to h.jsonl.torn"* ]]
  cmp -n "$(stat -c %s whole)" h.jsonl whole
  [ "$(wc -l <h.jsonl)" = 3 ]
  [ "$(wc -c <h.jsonl.torn)" = 51 ]
}

@test "history add: concurrent writers lose no line" {
  local i pids=()
  for i in 1 2 3 4 5 6 7 8; do
    document "$i.json" "r$i" "r$i" null=1 rdtsc=2
  done
  for i in 1 2 3 4 5 6 7 8; do
    "$wsbench" history add --quiet --db h.jsonl "$i.json" &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i"; done
  [ "$(wc -l <h.jsonl)" = 16 ]
  "$wsbench" history check --quiet --db h.jsonl
}

@test "history add does not follow a symbolic link to FILE.torn" {
  series v 100 101
  echo precious >file
  ln -s file h.jsonl.torn
  printf torn >>h.jsonl
  cp h.jsonl before
  document doc.json r3 v3 null=102
  refused 2 "cannot write h.jsonl.torn: it is a symbolic link (remove it)" \
    "$wsbench" history add --db h.jsonl doc.json
  cmp h.jsonl before
  [ "$(cat file)" = precious ]
  # Nor does it wait for a reader of a pipe.
  rm h.jsonl.torn
  mkfifo h.jsonl.torn
  refused 2 "cannot write h.jsonl.torn: it is not a regular file (remove it)" \
    "$wsbench" history add --db h.jsonl doc.json
}

@test "files that are not histories or documents" {
  document good.json r1 one null=1
  refused 2 "No such file" "$wsbench" history check --db none.jsonl
  refused 2 "not a regular file" "$wsbench" history check --db .
  : >empty.jsonl
  refused 2 "has no figures" "$wsbench" history check --db empty.jsonl
  echo text >text.jsonl
  refused 2 "text.jsonl: line 1: " "$wsbench" history check --db text.jsonl
  refused 2 "text.jsonl: line 1: " "$wsbench" history add --db text.jsonl good.json
  [ "$(cat text.jsonl)" = text ]
  refused 2 "(not a history? 'wsbench history add --db FILE.jsonl FILE.json' makes one)" "$wsbench" history check --db text.jsonl
  "$wsbench" history add --quiet --db good.jsonl good.json
  cat good.jsonl good.jsonl >twice.jsonl
  refused 2 "(a history: 'wsbench history show" "$wsbench" show twice.jsonl
  refused 2 '/schema: expected "worldswitch.explanation" (the file is a result document)' "$wsbench" explain good.json
  refused 2 "--threshold nul=1%: no benchmark matches 'nul'" "$wsbench" history check --db good.jsonl --threshold nul=1%
  rm good.jsonl
  refused 2 "good.json: not a history file" "$wsbench" history add --db good.json good.json
  head -c 100000 /dev/urandom >random.jsonl
  refused 2 "random.jsonl" "$wsbench" history show --db random.jsonl
  echo '{"schema":"worldswitch.history","version":2}' >newer.jsonl
  refused 2 "version 2 is newer" "$wsbench" history check --db newer.jsonl
  # With one bad document, none is added.
  refused 2 "cannot read none.json" "$wsbench" history add --db h.jsonl good.json none.json
  refused 2 "text.jsonl: " "$wsbench" history add --db h.jsonl good.json text.jsonl
  refused 2 "nowhere/h.jsonl" "$wsbench" history add --db nowhere/h.jsonl good.json
  [ ! -e h.jsonl ]
  refused 2 "no figure of xyzzy" "$wsbench" history add --db h.jsonl --metric xyzzy good.json
  [ ! -e h.jsonl ]
  # A file that was there stays.
  : >h.jsonl
  refused 2 "no figure of xyzzy" "$wsbench" history add --db h.jsonl --metric xyzzy good.json
  [ -e h.jsonl ]
}

@test "history add: a full disk adds nothing and loses nothing" {
  need_own_mounts
  document small.json r1 one null=1
  # shellcheck disable=SC2046  # words
  document big.json r2 two $(printf 'b%d=1 ' {1..100})
  run_apart "${own_mounts[@]}" '
    mkdir disk && mount -t tmpfs -o size=16k none disk
    "$1" history add --db disk/h.jsonl small.json
    cp disk/h.jsonl before
    code=0
    "$1" history add --db disk/h.jsonl big.json || code=$?
    cmp disk/h.jsonl before
    echo code $code
    code=0
    "$1" history add --db disk/new.jsonl big.json || code=$?
    echo code $code
    ls disk' sh "$wsbench"
  [ "$status" = 0 ]
  [ "$stdout" = "code 4
code 4
h.jsonl" ]
  [[ $stderr == *"cannot write disk/h.jsonl: No space left on device"* ]]
  [[ $stderr == *"cannot write disk/new.jsonl: No space left on device"* ]]
}

@test "history: a compressed file is read, and not added to" {
  "$wsbench" history check --db "$tests/../../results/kernels.jsonl" >plain || true
  gzip -c "$tests/../../results/kernels.jsonl" >h.jsonl.gz
  "$wsbench" history check --db h.jsonl.gz >packed || true
  [ -s plain ]
  cmp plain packed
  document 1.json one 1 hypercall=10
  cp h.jsonl.gz before
  refused 2 'a compressed history is only read' "$wsbench" history add --db h.jsonl.gz 1.json
  cmp h.jsonl.gz before
  head -c 1000 h.jsonl.gz >cut.gz
  refused 2 'cut.gz: not gzip' "$wsbench" history check --db cut.gz
}

@test "a run id with two figures is an error, unless --duplicates says which counts" {
  document one.json r1 a null=100
  document other.json r1 a null=120
  document next.json r2 b null=120
  "$wsbench" history add --quiet --db h.jsonl one.json next.json
  cp h.jsonl before
  run_apart "$wsbench" history add --db h.jsonl other.json
  [ "$status" = 2 ]
  [[ $stderr == *"another figure of run r1, null [default] round_trip: 100, now 120 (--duplicates first or last"* ]]
  cmp h.jsonl before
  "$wsbench" history add --quiet --db h.jsonl --duplicates first other.json
  cmp h.jsonl before
  # The file keeps both values: the command says what that means for later ones.
  run_apart "$wsbench" history add --quiet --db h.jsonl --duplicates last other.json
  [ "$status" = 0 ]
  [[ $stderr == *"h.jsonl now has two values of 1 figure: check, show and why need --duplicates last"* ]]
  run_apart "$wsbench" history check --db h.jsonl
  [ "$status" = 2 ]
  [[ $stderr == *"run r1 has two figures of null [default] round_trip: 100 and 120 (--duplicates"* ]]
  run_apart "$wsbench" history check --db h.jsonl --duplicates first
  [ "$status" = 1 ]
  run_apart "$wsbench" history check --db h.jsonl --duplicates last
  [ "$status" = 0 ]
  run_apart "$wsbench" history check --db h.jsonl --duplicates middle
  [ "$status" = 2 ]
}

@test "a clock with absurd steps: the document is invalid" {
  RESOLUTION=4611686018427387904 EXACT=0 document a.json r1 a null=100
  run_apart "$wsbench" validate a.json
  [ "$status" = 2 ]
  [[ $stderr == *"/clock/resolution: 4611686018427387904 is not the step of a clock"* ]]
  run_apart "$wsbench" history add --db h.jsonl a.json
  [ "$status" = 2 ]
}
