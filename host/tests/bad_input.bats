#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Bad usage, bad input and unwritable output: one line on stderr, the documented exit code,
# and no file left behind.
bats_require_minimum_version 1.5.0
load helper

@test "unknown names: the message suggests the nearest name" {
  refused 2 "unknown command 'rnu': did you mean 'run'?" "$wsbench" rnu
  refused 2 "no target matches 'kvn': did you mean 'kvm'?" "$wsbench" run --on kvn
  refused 2 "'lab:aarch64-vhd': did you mean 'lab:aarch64-vhe'?" "$wsbench" run --on lab:aarch64-vhd
  refused 2 "'hypercal': did you mean 'hypercall'?" "$wsbench" run --bench hypercal
  refused 2 "'pmu-of': did you mean 'pmu-off'?" "$wsbench" run --config pmu-of
  refused 2 "unknown option '--evnts': did you mean '--events'?" "$wsbench" run --evnts 3
  refused 2 "did you mean 'targets'?" "$wsbench" list target
  nothing_left
}

@test "unknown names without a near match: the message names the list command" {
  refused 2 "'wsbench list targets' shows" "$wsbench" run --on elsewhere
  refused 2 "'wsbench list benchmarks' shows" "$wsbench" run --bench xyzzy
  refused 2 "'wsbench list configs' shows" "$wsbench" run --config xyzzy
  refused 2 "'wsbench run --help' lists" "$wsbench" run --xyzzy
  refused 2 "'wsbench --help' lists" "$wsbench" xyzzy
  # Names that begin with the word come before names that resemble it.
  refused 2 "did you mean 'lab:x86_64-" "$wsbench" run --on lab:x86_64
  refused 2 "did you mean 'pmu-" "$wsbench" run --config pmu
  # One valid name does not hide an unknown name.
  refused 2 "xyzzy" "$wsbench" run --on bare:x86_64,xyzzy
}

@test "invalid option values" {
  refused 2 "'--boots' needs a value" "$wsbench" run --boots
  refused 2 "'x' is not a whole number" "$wsbench" run --events x
  refused 2 "'-1' is not a whole number" "$wsbench" run --events -1
  refused 2 "0 is out of range" "$wsbench" run --events 0
  refused 2 "65537 is out of range" "$wsbench" run --events 65537
  refused 2 "out of range" "$wsbench" run --seed 9223372036854775808
  refused 2 "unexpected argument 'extra'" "$wsbench" run extra
  refused 2 "unexpected argument 'cpuid': give --bench cpuid" "$wsbench" run cpuid
  refused 2 "unexpected argument 'lab:x86_64-svm': give --on lab:x86_64-svm" "$wsbench" run lab:x86_64-svm --bench cpuid
  refused 2 "no file hypercall: a benchmark is explained by --on lab:... --bench hypercall" "$wsbench" explain hypercall
  refused 2 "no file" "$wsbench" validate
  refused 2 "several targets need a folder" "$wsbench" run --on bare:x86_64,bare:aarch64 -o out.json
  [ ! -e out.json ]
  : >empty.json
  refused 2 "not JSON" "$wsbench" validate empty.json
}

@test "an option that the target would ignore is refused" {
  local run=("$wsbench" run --bench null)
  # No kernel exists: the run fails before a boot.
  export WORLDSWITCH_CACHE=$PWD
  refused 2 '--trace-states: not for target lab:x86_64-svm' "${run[@]}" --on lab:x86_64-svm --trace-states
  refused 2 '--cpu: not for target lab:aarch64-vhe' "${run[@]}" --on lab:aarch64-vhe --cpu 0
  refused 2 '--cpu: not for target bare:x86_64' "${run[@]}" --on bare:x86_64 --cpu 0
  refused 2 '--trace-states: not for target bare:aarch64' "${run[@]}" --on bare:aarch64 --trace-states
  refused 2 '--host-counters: not for target bare:x86_64' "${run[@]}" --on bare:x86_64 --host-counters
  # Also refused if another selected target supports the option.
  refused 2 '--cpu: not for target lab:x86_64-vmx' "${run[@]}" --on kvm,lab:x86_64-vmx --cpu 0
  for option in --kernel --modules --append; do
    for target in kvm bare:x86_64 bare:aarch64 lab:x86_64-svm,kvm; do
      refused 2 "wsbench run: $option: not for target" "${run[@]}" --on "$target" "$option" x
      refused 2 "wsbench pmu: $option: not for target" "$wsbench" pmu --on "$target" "$option" x
    done
    refused 2 "wsbench selftest: $option: not for target kvm" "$wsbench" selftest "$option" x
    refused 2 'not a lab' "$wsbench" explain --on kvm --bench null "$option" x
    refused 2 'wsbench explain: e.json: is not recorded again' "$wsbench" explain e.json "$option" x
  done
  refused 2 'is not recorded again' "$wsbench" explain e.json --events 5
  nothing_left
}

@test "a benchmark that the target does not support" {
  need_target bare:aarch64
  refused 2 'none of these benchmarks and configs exist on aarch64' \
    "$wsbench" run --on bare:aarch64 --bench cpuid
}

@test "--help is not an error, and goes to stdout" {
  for command in '' list run plot validate; do
    # shellcheck disable=SC2086  # an empty string is not an argument
    run_apart "$wsbench" $command --help
    [ "$status" = 0 ]
    [ -z "$stderr" ]
    [[ $stdout == Usage:* ]]
  done
  run_apart "$wsbench" --version
  [ "$status" = 0 ]
  [[ $stdout == wsbench\ [0-9]* ]]
}

@test "files that are not documents" {
  echo text >text
  echo '{}' >object
  refused 2 'cannot read missing: No such file' "$wsbench" validate missing
  refused 2 'text: not JSON: line 1' "$wsbench" validate text
  gzip -c "$tests/result_v1.json" >packed.json.gz
  refused 2 "packed.json.gz: not JSON, but compressed by gzip (a history: " "$wsbench" show packed.json.gz
  refused 2 'object: ' "$wsbench" validate object
  refused 2 'text: not JSON: line 1' "$wsbench" plot text -o pictures
  nothing_left object packed.json.gz text
}

lab=lab:aarch64-vhe

@test "a kernel that cannot be read, and a file that is not a kernel" {
  need_target $lab
  echo text >text
  refused 2 'cannot read kernel /nonexistent: No such file' "$wsbench" run --on $lab --kernel /nonexistent
  refused 2 'no kernel 1.2.3-nothing' "$wsbench" run --on $lab --kernel 1.2.3-nothing
  refused 2 'it is not a kernel image' "$wsbench" run --on $lab --kernel ./text
  refused 2 'Is a directory' "$wsbench" run --on $lab --kernel .
  refused 2 'it is an ELF file' "$wsbench" run --on $lab --kernel "$wsbench"
  nothing_left text
}

@test "a kernel of the other architecture" {
  need_target $lab
  need_target lab:x86_64-svm
  cache=$(cache_dir)/kernels
  refused 2 'it is a kernel for x86_64' "$wsbench" run --on $lab --kernel "$cache/x86_64/default/vmlinuz"
  refused 2 'it is a kernel for aarch64' \
    "$wsbench" run --on lab:x86_64-svm --kernel "$cache/aarch64/default/vmlinuz"
}

@test "missing modules" {
  need_target lab:x86_64-svm
  mkdir empty
  refused 2 'cannot read modules in missing: No such file' \
    "$wsbench" run --on lab:x86_64-svm --modules missing
  refused 2 'no module kvm-amd.ko in empty' "$wsbench" run --on lab:x86_64-svm --modules empty
  nothing_left empty
}

@test "an emulator that is not installed" {
  mkdir nothing
  refused 4 'qemu-system-x86_64 is not installed' \
    env PATH="$PWD/nothing" "$wsbench" run --on bare:x86_64
}

@test "no kernel and no download: the message names the command" {
  WORLDSWITCH_CACHE=$PWD/nothing refused 4 'run wsbench kernel fetch --arch aarch64' \
    "$wsbench" run --on $lab
  nothing_left
}

@test "a lab: a payload that is missing, and a command line that Linux would cut" {
  local target long
  printf -v long '%2047s' ''
  for target in lab:x86_64-svm lab:aarch64-vhe; do
    need_target $target
    refused 2 "$target: cannot read payload missing: No such file" \
      "$wsbench" run --on $target --bench null --payload missing
    refused 2 "$target: the kernel's command line has 2" \
      "$wsbench" run --on $target --bench null --append "${long// /x}"
  done
  # With the words of a config: its rows fail, and no others.
  need_target lab:x86_64-svm
  printf -v long '%1614s' ''
  run_apart "$wsbench" run --on lab:x86_64-svm --bench null --config default,mitigations-off --boots 1 \
    --append "${long// /x}" -o doc.json
  [ "$status" = 4 ]
  holds doc.json 'b("null", "default")["status"] == "ok"' \
    '"command line has 2" in b("null", "mitigations-off")["reason"]'
}

@test "an invalid path for the document" {
  need_target bare:x86_64
  rows=("$wsbench" run --on bare:x86_64 --bench null -o)
  touch file
  refused 2 'cannot write to folder missing: No such file or directory (mkdir -p missing)' "${rows[@]}" missing/doc.json
  refused 2 'cannot write to folder file: Not a directory' "${rows[@]}" file/doc.json
  refused 2 'cannot make folder file/dir/: Not a directory' "${rows[@]}" file/dir/
  refused 2 '-o needs a file or a folder' "${rows[@]}" ''
  refused 2 'file is a file: several targets need a folder' \
    "$wsbench" run --on bare:x86_64,bare:aarch64 -o file
  nothing_left file
  [ ! -s file ]
}

@test "a folder without write permission" {
  need_target bare:x86_64
  need_own_mounts
  refused 2 'cannot write to folder ' "${own_mounts[@]}" '
    mount -t tmpfs -o ro none /mnt
    exec "$0" run --on bare:x86_64 --bench null -o /mnt/doc.json' "$wsbench"
  # The folder of the file that a link names, which is written.
  refused 2 'cannot write to folder /mnt: Read-only file system' "${own_mounts[@]}" '
    mount -t tmpfs none /mnt && touch /mnt/doc.json && ln -sf /mnt/doc.json link && mount -o remount,ro /mnt
    exec "$0" run --on bare:x86_64 --bench null -o link' "$wsbench"
  # The cause of the first folder that cannot be made, not of those below it.
  refused 2 'cannot make folder /mnt/a/b/: Read-only file system' "${own_mounts[@]}" '
    mount -t tmpfs -o ro none /mnt
    exec "$0" run --on bare:x86_64 --bench null -o /mnt/a/b/' "$wsbench"
}

@test "a full disk: the old document stays, without a partial new one" {
  need_target bare:x86_64
  need_own_mounts
  run_apart "${own_mounts[@]}" '
    mount -t tmpfs -o size=8k none /mnt
    echo old >/mnt/doc.json
    code=0
    "$0" run --on bare:x86_64 --bench null,rdtsc --quiet -o /mnt/doc.json || code=$?
    ls -A /mnt >>seen
    cat /mnt/doc.json >>seen
    exit $code' "$wsbench"
  echo "exit code $status: $stderr"
  [ "$status" = 4 ]
  one_line "$stderr"
  [[ $stderr == *'cannot write /mnt/doc.json: No space left on device'* ]]
  [ "$(cat seen)" = "doc.json
old" ]
  # The table still prints the figures.
  [[ $stdout == *rdtsc* ]]
}

@test "a full or closed standard output" {
  need_target bare:x86_64
  full='"$0" run --on bare:x86_64 --bench null >/dev/full'
  refused 4 'cannot write to standard output: No space left on device' sh -c "$full" "$wsbench"
  # An output of many writes, and a document: one line each, with the cause.
  full='"$0" explain "$1" --json >/dev/full'
  refused 4 'cannot write to standard output: No space left on device' sh -c "$full" "$wsbench" \
    "$tests/data/explain/svm-hypercall-6.1.json"
  full='"$0" compare --json "$1" "$1" >/dev/full'
  refused 4 'cannot write to standard output: No space left on device' sh -c "$full" "$wsbench" \
    "$tests/data/budget/svm-6.1.json"
  run_apart bash -c 'ulimit -f 1; exec "$0" list >out' "$wsbench"
  [ "$status" = 4 ]
  [ "$stderr" = "wsbench: error: cannot write to standard output: File too large" ]
  closed='"$0" list targets >&-'
  refused 4 'cannot write to standard output' sh -c "$closed" "$wsbench"
}

@test "a closed pipe on standard output" {
  # SIGPIPE ends the program without a message.
  run_apart bash -c '"$0" list 2>err | true; exit ${PIPESTATUS[0]}' "$wsbench"
  [ "$status" = 141 ] || [ "$status" = 0 ]
  [ ! -s err ]
  # A command that starts processes, too: they ignore SIGPIPE.
  command -v gnuplot || skip "gnuplot is not installed"
  run_apart bash -c '"$0" plot "$1" -o . --quiet 2>err | true; exit ${PIPESTATUS[0]}' "$wsbench" \
    "$tests/data/budget/svm-6.1.json"
  cat err
  [ "$status" = 141 ]
  [ ! -s err ]
}

@test "bad input for one target outweighs another target without a figure" {
  need_target bare:x86_64
  need_target bare:aarch64
  run_apart "$wsbench" run --on bare:x86_64,bare:aarch64 --bench mwait
  echo "$stdout$stderr"
  [[ $stderr == *"nothing was measured"* ]]
  [ "$status" = 2 ]
}
