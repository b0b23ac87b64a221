#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Counter passthrough on KVM/arm64: the module of host/kmod, the build, the config.
bats_require_minimum_version 1.5.0
load helper

# Builds the module for a kernel of the lab; skips without network.
need_module() {
  local log
  need_target lab:aarch64-vhe
  if ! log=$("$top/scripts/kmod.sh" "$@" 2>&1 >"$BATS_TEST_TMPDIR/module"); then
    skip "no module: ${log##*$'\n'}"
  fi
  module=$(cat "$BATS_TEST_TMPDIR/module")
}

# passes_through TARGET [OPTION...]: runs three configs in alternating boots: trapped,
# passed through, and trapped with the hook. The passthrough of one VM must not affect the
# next VM.
passes_through() {
  local target=$1
  shift
  run_apart "$wsbench" run --on "$target" --bench pmccntr,hypercall --events 50 \
    --config pmu-emulated,pmccntr-passthrough,pmccntr-hooked -o doc.json "$@"
  echo "$stderr"
  [ "$status" = 0 ]
  holds doc.json 'all(x["status"] == "ok" for x in d["benchmarks"])' \
    'b("pmccntr", "pmu-emulated")["handled_by"] == "kernel"' \
    'b("pmccntr", "pmu-emulated")["exits"]["observed"] == 100' \
    'value("pmccntr", "pmu-emulated") > 1000' \
    'b("pmccntr", "pmccntr-passthrough")["handled_by"] == "none"' \
    'b("pmccntr", "pmccntr-passthrough")["exits"]["observed"] == 0' \
    'value("pmccntr", "pmccntr-passthrough") == 1'
  # The hook alone passes nothing through, and its cost is equal on all exits.
  holds doc.json 'b("pmccntr", "pmccntr-hooked")["handled_by"] == "kernel"' \
    '0 < value("hypercall", "pmccntr-hooked") - value("hypercall", "pmu-emulated") < 100' \
    'value("hypercall", "pmccntr-passthrough") <= value("hypercall", "pmccntr-hooked")'
  # The effect of these configs is `none`; a hypercall still exits.
  holds doc.json 'b("hypercall", "pmccntr-passthrough")["exits"]["observed"] == 100'
  rm doc.json
}

@test "passthrough: PMCCNTR costs an instruction and no exit, with VHE and without" {
  need_module
  passes_through lab:aarch64-vhe
  passes_through lab:aarch64-nvhe
  nothing_left
}

@test "passthrough: PMCCNTR costs an instruction and no exit, on Linux 6.12" {
  need_module --series 6.12
  passes_through lab:aarch64-vhe --kernel "${module%/modules/*}/vmlinuz"
  passes_through lab:aarch64-nvhe --kernel "${module%/modules/*}/vmlinuz"
  nothing_left
}

# The hook is where a vCPU is loaded: it costs an exit that leaves the kernel, and no other.
@test "passthrough: PMCCNTR costs an instruction and no exit, on Linux 7.3, and the hook nothing" {
  local lab
  need_module --series 7.3
  for lab in vhe nvhe; do
    run_apart "$wsbench" run --on "lab:aarch64-$lab" --kernel "${module%/modules/*}/vmlinuz" --bench pmccntr,hypercall,mmio_read_user \
      --events 50 --config pmu-emulated,pmccntr-passthrough,pmccntr-hooked -o doc.json
    echo "$stderr"
    [ "$status" = 0 ]
    holds doc.json 'all(x["status"] == "ok" for x in d["benchmarks"])' \
      'b("pmccntr", "pmu-emulated")["exits"]["observed"] == 100' 'value("pmccntr", "pmu-emulated") > 1000' \
      'b("pmccntr", "pmccntr-passthrough")["handled_by"] == "none"' \
      'b("pmccntr", "pmccntr-passthrough")["exits"]["observed"] == 0' 'value("pmccntr", "pmccntr-passthrough") == 1' \
      'b("pmccntr", "pmccntr-hooked")["exits"]["observed"] == 100' \
      'value("pmccntr", "pmccntr-hooked") == value("pmccntr", "pmu-emulated")' \
      'value("hypercall", "pmccntr-hooked") == value("hypercall", "pmu-emulated")' \
      'value("mmio_read_user", "pmccntr-hooked") > value("mmio_read_user", "pmu-emulated")'
    rm doc.json
  done
  run_apart "$wsbench" selftest --on lab:aarch64-vhe --kernel "${module%/modules/*}/vmlinuz" passthrough passthrough-refusals passthrough-counters
  echo "$stdout"
  [ "$status" = 0 ]
  [ "$(grep -c '^ok ' <<<"$stdout")" = 3 ]
  [[ $stdout != *SKIP* ]]
}

@test "passthrough: closing the device ends it while a guest runs; bad ioctls are refused" {
  need_module
  for lab in vhe nvhe; do
    run_apart "$wsbench" selftest --on "lab:aarch64-$lab" passthrough passthrough-refusals passthrough-counters
    echo "$stdout"
    [ "$status" = 0 ]
    [ "$(grep -c '^ok ' <<<"$stdout")" = 3 ]
    [[ $stdout != *SKIP* ]]
  done
}

@test "passthrough: a CPU that goes offline and online has no counters of the module left" {
  need_module
  need_target lab:aarch64-smp
  run_apart "$wsbench" selftest --on lab:aarch64-smp passthrough-hotplug
  echo "$stdout"
  [ "$status" = 0 ]
  [ "$(grep -c '^ok 1 passthrough-hotplug$' <<<"$stdout")" = 1 ]
}

@test "passthrough: a guest whose vCPUs the module hooks, without passthrough, has its vPMU" {
  need_module
  run_apart "$wsbench" run --on lab:aarch64-vhe --bench pmccntr,pmu_accuracy_insns --events 20 --boots 2 \
    --config pmu-emulated,pmccntr-passthrough,pmccntr-hooked -o doc.json
  [ "$status" = 0 ]
  for config in pmu-emulated pmccntr-hooked; do
    holds doc.json "b('pmu_accuracy_insns', '$config')['status'] == 'ok'"
    holds doc.json "value('pmu_accuracy_insns', '$config', 'error') == 0"
    holds doc.json "value('pmu_accuracy_insns', '$config', 'counted') == 2001"
  done
}

@test "passthrough: skipped with the reason on protected KVM" {
  need_module
  need_target lab:aarch64-pkvm
  run_apart "$wsbench" run --on lab:aarch64-pkvm --bench pmccntr --events 10 \
    --config pmccntr-passthrough -o doc.json
  [ "$status" = 3 ]
  holds doc.json 'b("pmccntr")["status"] == "skip" and "protected KVM" in b("pmccntr")["reason"]'
}

@test "passthrough: the guest's counters and --host-counters exclude each other" {
  need_module
  run_apart "$wsbench" run --on lab:aarch64-vhe --bench pmccntr --events 10 --host-counters \
    --config pmccntr-passthrough -o doc.json
  [ "$status" = 3 ]
  holds doc.json 'b("pmccntr")["status"] == "skip" and "--host-counters" in b("pmccntr")["reason"]'
}

@test "passthrough: without the module skipped, with the command that builds it" {
  need_target lab:aarch64-vhe
  mkdir empty
  run_apart "$wsbench" run --on lab:aarch64-vhe --bench pmccntr --events 10 --modules empty \
    --config pmccntr-passthrough -o doc.json
  [ "$status" = 3 ]
  holds doc.json 'b("pmccntr")["status"] == "skip"' \
    '"scripts/kmod.sh --release " + d["subject"]["kernel"] in b("pmccntr")["reason"]'
}

@test "passthrough: a module of another kernel is refused, and the run goes on" {
  need_module
  mkdir other
  # The kernel checks the version magic, "vermagic=6.1...", first.
  sed 's/vermagic=6\.[0-9]*/vermagic=5.99/' "$module" >other/worldswitch_pmu.ko
  run_apart "$wsbench" run --on lab:aarch64-vhe --bench null,pmccntr --events 10 \
    --modules other --config pmccntr-passthrough -o doc.json
  [ "$status" = 3 ]
  holds doc.json 'b("null")["status"] == "skip"' \
    '"the kernel refuses the module" in b("pmccntr")["reason"]'
}

@test "kmod.sh: a kernel that the module does not support is refused with a message" {
  need_module
  local release headers
  release=$(basename "${module%/modules/*}")
  headers=$(dirname "${module%/kernels/*}/x")/headers/$release
  cp -al "$headers" headers
  cd "headers/usr/src/linux-headers-$release"
  rm include/generated/uapi/linux/version.h
  echo '#define LINUX_VERSION_CODE (6 * 65536 + 20 * 256)' >include/generated/uapi/linux/version.h
  echo '#define KERNEL_VERSION(a, b, c) ((a) * 65536 + (b) * 256 + (c))' \
    >>include/generated/uapi/linux/version.h
  run_apart "$top/scripts/kmod.sh" --tree . --output "$BATS_TEST_TMPDIR/out"
  echo "$stderr"
  [ "$status" = 2 ]
  one_line "$stderr"
  [[ $stderr == *'Linux 6.1, 6.12, 7.2 and 7.3'* ]]
  [ ! -e "$BATS_TEST_TMPDIR/out/worldswitch_pmu.ko" ]
}

@test "kmod.sh: bad usage is one line" {
  refused 2 'unknown argument' "$top/scripts/kmod.sh" --nonsense
  refused 2 'needs a value' "$top/scripts/kmod.sh" --series
  refused 2 'is not the build tree of a kernel' "$top/scripts/kmod.sh" --tree /nonexistent --output out
  refused 2 '--tree needs --output' "$top/scripts/kmod.sh" --tree /nonexistent
}

@test "kmod.sh: a place that cannot be written is exit code 4 and one line" {
  local cross=aarch64-linux-gnu-
  [ "$(uname -m)" != aarch64 ] || cross=
  command -v "${cross}gcc" >/dev/null || skip "${cross}gcc is not installed"
  # The build tree of a kernel whose module is empty.
  mkdir -p tree/include/config
  : >tree/include/config/auto.conf
  printf 'modules:\n\t$(CC) -c -x c /dev/null -o $(M)/worldswitch_pmu.ko\n' >tree/Makefile
  : >file
  refused 4 'kmod: cannot write to file/worldswitch_pmu.ko' "$top/scripts/kmod.sh" --tree tree --output file
  refused 4 'kmod: cannot write to none' env TMPDIR=none "$top/scripts/kmod.sh" --tree tree --output out
  run_apart "$top/scripts/kmod.sh" --tree tree --output out
  [ "$stdout" = out/worldswitch_pmu.ko ]
  nothing_left tree tree/Makefile tree/include tree/include/config tree/include/config/auto.conf file out out/worldswitch_pmu.ko
}
