#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# wsbench diff: two kernels in one command.
bats_require_minimum_version 1.5.0
load helper

@test "diff: a kernel and itself are the same, and the documents stay" {
  need_target lab:aarch64-vhe
  WORLDSWITCH_FRESH_MACHINES=1 run_apart "$wsbench" diff --kernel 6.1 --kernel 6.1 --on lab:aarch64-vhe --bench hypercall,null -o kept
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [[ $stdout == 'lab:aarch64-vhe: 2 the same, from Linux 6.1.'* ]]
  # The documents are those of a run, and compare has the same verdict.
  "$wsbench" compare kept/base kept/new
  [ "$(doc kept/base/lab-aarch64-vhe.json 'd["run"]["argv"]')" = \
    "['run', '--on', 'lab:aarch64-vhe', '--kernel', '6.1', '--bench', 'hypercall,null']" ]
  # Both kernels boot at the same time, which takes seconds.
  [ "$(nproc)" = 1 ] ||
    [[ $(doc kept/new/lab-aarch64-vhe.json 'd["run"]["started"]') < \
      $(doc kept/base/lab-aarch64-vhe.json 'd["run"]["finished"]') ]]
}

@test "diff: the verdict first, the functions behind it, at most 74 columns" {
  local kernel=6.12
  need_target lab:aarch64-vhe
  "$top/scripts/kernel.sh" fetch --quiet --arch aarch64 --series $kernel >/dev/null ||
    skip "no Linux 6.12 here, and Debian cannot be reached"
  run_apart "$wsbench" diff --kernel 6.1 --kernel "$kernel" --on lab:aarch64-vhe --bench hypercall --explain-rows 1
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  [[ $stdout == 'lab:aarch64-vhe: 1 worse, from Linux 6.1.'* ]]
  [ "$(wc -L <<<"$stdout")" -le 74 ]
  grep -qE '^hypercall +989 +[0-9,]+ +\+[0-9,]+ +\+[0-9.]+ %$' <<<"$stdout"
  grep -qE '^vcpu_read_sys_reg +72 ' <<<"$stdout"
  run_apart "$wsbench" diff --kernel 6.1 --kernel "$kernel" --on lab:aarch64-vhe --bench hypercall \
    --explain-rows 0 --threshold 1000% --markdown
  [ "$status" = 0 ]
  grep -qE '^\| hypercall \| 989 \| ' <<<"$stdout"
}

# The second lab waits until the verdict of the first can be read.
@test "diff: the verdict of a lab is printed when the lab is done" {
  local line
  need_target lab:aarch64-nvhe
  shim qemu-system-aarch64 1 "case \$* in *mode=nvhe*) for i in \$(seq 600); do [ ! -e $PWD/seen ] || break; sleep 0.1; done
    [ -e $PWD/seen ] || exit 1 ;; esac; exec $(command -v qemu-system-aarch64) \"\$@\""
  # shellcheck disable=SC2030,SC2031  # `seen` is for the other process
  contained "$wsbench" diff --kernel 6.1 --kernel 6.1 --on lab:aarch64-vhe,lab:aarch64-nvhe --bench null --explain-rows 0 2>err |
    while IFS= read -r line; do
      echo "$line"
      [[ $line != 'lab:aarch64-vhe: 1 the same'* ]] || : >seen
    done >out
  cat out err
  grep -q '^lab:aarch64-nvhe: 1 the same' out
}

# Of both kernels, the machine that is booted second waits for the document of the first.
@test "diff: a document that is complete stays after SIGINT" {
  local kept
  need_target lab:aarch64-vhe
  shim qemu-system-aarch64 1 "case \$* in *-incoming*) ;; *) mkdir $PWD/first 2>/dev/null || {
    for i in \$(seq 600); do [ -z \"\$(ls $PWD/kept/*/*.json 2>/dev/null)\" ] || break; sleep 0.1; done
    kill -INT \$PPID; exec sleep 60; } ;; esac"
  run_apart "$wsbench" diff --kernel 6.1 --kernel 6.1 --on lab:aarch64-vhe --bench null -o kept
  echo "exit code $status: $stdout$stderr"
  [ "$status" = 130 ]
  kept=(kept/*/lab-aarch64-vhe.json)
  [ "${#kept[@]}" = 1 ]
  "$wsbench" validate --quiet "${kept[0]}"
  holds "${kept[0]}" 'not d["run"]["partial"]' 'b("null")["status"] == "ok"'
}

@test "diff: bad usage is one line, and a kernel that does not exist is an error" {
  refused 2 'two kernels: --kernel BASE --kernel NEW (1 given)' "$wsbench" diff --kernel 6.1
  refused 2 "'kvm' is not a lab" "$wsbench" diff --kernel 6.1 --kernel 6.12 --on kvm
  refused 2 "'6.1': kernels are given by --kernel" "$wsbench" diff 6.1 6.12
  refused 2 'no benchmark matches' "$wsbench" diff --kernel 6.1 --kernel 6.12 --bench hypercal_
  # Before a lab boots: here it cannot.
  mkdir none
  touch file
  WORLDSWITCH_CACHE=$PWD/none refused 2 'cannot make folder file/base: Not a directory' \
    "$wsbench" diff --kernel 6.1 --kernel 6.12 --on lab:x86_64-svm -o file
  run_apart "$wsbench" diff --kernel 6.1 --kernel ./none --on lab:aarch64-vhe --bench null
  echo "$stdout$stderr"
  [ "$status" != 0 ]
  [ "$status" != 1 ]
  grep -q 'none' <<<"$stderr"
  [ -z "$stdout" ]
}
