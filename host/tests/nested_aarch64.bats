#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# lab:aarch64-nested: KVM whose guests can be hypervisors.
bats_require_minimum_version 1.5.0
load helper

@test "lab:aarch64-nested: without a new QEMU or a new kernel, one line names the command that fetches it" {
  local run=("$wsbench" run --on lab:aarch64-nested --bench null -o doc.json) program=qemu-system-aarch64
  mkdir old new
  printf '#!/bin/sh\necho QEMU emulator version 8.2.0\n' >old/$program
  printf '#!/bin/sh\necho QEMU emulator version 9.0.0\n' >new/$program
  chmod 755 old/$program new/$program
  refused 2 "--emulator $PWD/old: this lab needs QEMU 9 or newer" "${run[@]}" --emulator "$PWD/old"
  export WORLDSWITCH_EMULATORS=$PWD/none WORLDSWITCH_CACHE=$PWD/cache path=$PATH
  PATH=$PWD/old:$path refused 4 "lab:aarch64-nested: no QEMU 9 or newer is here (scripts/emulator.sh fetch qemu --suite bookworm-backports)" "${run[@]}"
  # The kernel of the other labs is too old.
  mkdir -p cache/kernels/aarch64/6.12.113+deb12-cloud-arm64
  touch cache/kernels/aarch64/6.12.113+deb12-cloud-arm64/vmlinuz
  PATH=$PWD/new:$path refused 4 "lab:aarch64-nested: no kernel of Linux 6.16 or newer for aarch64 is cached (wsbench kernel fetch --arch aarch64 " "${run[@]}"
}

@test "lab:aarch64-nested: is KVM for guests with an EL2, exact, and only by name; the total of explain equals the figure" {
  need_target lab:aarch64-nested
  "$wsbench" run --quiet --on lab:aarch64-nested --bench hypercall --boots 1 -o doc.json >/dev/null
  document=doc.json
  holds doc.json "d['target']['hypervisor'] == 'arm64 VHE, nested'" 'd["target"]["exact"]' \
    'b("hypercall")["handled_by"] == "kernel"'
  "$wsbench" explain --on lab:aarch64-nested --bench hypercall -o explained.json >/dev/null
  "$python" "$tests/subsets.py" total doc.json hypercall default explained.json
  run_apart "$wsbench" run --on 'lab:*-nested' --bench null
  [ "$status" = 2 ]
}
