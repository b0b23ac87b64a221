#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The KVM of this machine, hardware or software. Tests check exits and documents, not
# figures, of rows that every KVM handles correctly.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
  clean_place "$BATS_FILE_TMPDIR"
  ! unavailable kvm >/dev/null || return 0
  contained "$wsbench" run --on kvm --bench null,hypercall,mmio_read_user,mmio_write_user,pio_in_user,pio_out_user \
    --boots 10 --events 200 -o "$BATS_FILE_TMPDIR/doc.json" \
    >"$BATS_FILE_TMPDIR/out" 2>"$BATS_FILE_TMPDIR/err" ||
    echo $? >"$BATS_FILE_TMPDIR/failed"
}

document() {
  need_target kvm
  document=$BATS_FILE_TMPDIR/doc.json
  if [ -e "$BATS_FILE_TMPDIR/failed" ]; then
    cat "$BATS_FILE_TMPDIR/err"
    return 1
  fi
}

# A boot that is rejected on a busy machine is repeated, and counts.
user_exits() {
  document
  for bench; do
    holds "$document" "b('$bench')['status'] == 'ok'" \
      "b('$bench')['exits']['user'] ==
      sum(y['events'] for y in m('$bench')['boots']) == 200 * len(m('$bench')['boots'])" \
      "len(m('$bench')['boots']) >= 10" \
      "b('$bench')['handled_by'] == 'user'"
  done
}

@test "kvm: MMIO exits to the VMM, once per event" { user_exits mmio_read_user mmio_write_user; }
@test "kvm: PIO exits to the VMM, once per event" {
  [ "$arch" = x86_64 ] || skip "arm64 has none"
  user_exits pio_in_user pio_out_user
}

@test "kvm: the empty region never returns to the VMM" {
  document
  holds "$document" 'b("null")["exits"]["user"] == 0'
}

# A median of six boots is the least that has an interval of 95 %. On a busy machine, boots
# are rejected.
@test "kvm: the target is not exact, and figures have an interval" {
  document
  holds "$document" 'd["target"]["exact"] is False and d["clock"]["unit"] == "ticks"' \
    'len(m("mmio_read_user")["boots"]) >= 10' \
    '(m("mmio_read_user")["estimate"]["ci"] or {}).get("method") == ("order-statistic"
    if sum(boot["valid"] for boot in m("mmio_read_user")["boots"]) >= 6 else None)'
}

@test "kvm: a software KVM causes a warning" {
  document
  is_software_kvm || skip "this KVM is hardware's"
  holds "$document" 'd["target"]["hypervisor"] == "software"' \
    '[w["code"] for w in d["warnings"]].count("software-kvm") == 1'
  grep -q '^Warning (kvm): ' "$BATS_FILE_TMPDIR/out"
  holds "$document" 'b("hypercall")["status"] == "skip"'
}

@test "kvm: a hardware KVM causes no warning about software" {
  document
  ! is_software_kvm || skip "this KVM is software"
  holds "$document" 'd["target"]["hypervisor"] != "software"' \
    'not [w for w in d["warnings"] if w["code"] == "software-kvm"]' \
    'b("hypercall")["handled_by"] == "kernel"'
}

@test "kvm: the document is valid" {
  document
  run_apart "$wsbench" validate "$document"
  [ "$status" = 0 ]
}

@test "kvm: a row of two vCPUs is not run on one core" {
  need_target kvm
  # No second core or no second CPU is a reason to skip, not an error.
  run_apart taskset -c 0 "$wsbench" run --on kvm --bench kick_signal --cpu 0 --boots 1 -o doc.json
  [ "$status" = 3 ]
  holds doc.json 'b("kick_signal")["status"] == "skip"'
  doc doc.json 'b("kick_signal")["reason"]' | grep -Eq '^needs two CPUs|^needs 2 cores'
}

@test "kvm: SIGINT keeps the finished rows" {
  need_terminal
  need_target kvm
  run_apart "$python" "$tests/on_terminal.py" --interrupt 'mmio_read_user, ' \
    "$wsbench" run --on kvm --bench null,mmio_read_user,mmio_write_user --boots 30 -o doc.json
  echo "exit code $status: $output"
  [ "$status" = 130 ]
  holds doc.json 'd["run"]["partial"] is True and b("null")["status"] == "ok"'
  run_apart "$wsbench" validate doc.json
  [ "$status" = 0 ]
  nothing_left doc.json
}

@test "kvm: a limit of the file size is one line, and the old document stays" {
  need_target kvm
  echo old >doc.json
  run_apart bash -c 'ulimit -f 4; exec "$0" run --on kvm --bench null,hypercall --boots 2 --quiet -o doc.json' "$wsbench"
  echo "$status: $stderr"
  [ "$status" = 4 ]
  [ "$stderr" = "wsbench: error: cannot write doc.json: File too large" ]
  [ "$(<doc.json)" = old ]
  nothing_left doc.json
}

@test "kvm: a checkpoint leaves no file, even if the run is killed" {
  need_target kvm
  local pid
  "$wsbench" run --on kvm --bench checkpoint_save --boots 1000 --quiet >/dev/null 2>&1 3>&- &
  pid=$!
  # A checkpoint has begun: as a file in memory, or in TMPDIR.
  # The VMM is a child of wsbench.
  until children $pid &&
    [[ $(readlink "/proc/$pid/fd"/* "/proc/${children[0]:-none}/fd"/* 2>/dev/null) == *checkpoint* ||
      -n $(ls "$TMPDIR") ]]; do
    kill -0 "$pid"
    nap 0.01
  done
  kill -KILL "$pid"
  wait "$pid" || true
  nothing_left
}

@test "kvm: a VMM that is killed fails its row only, with the signal" {
  need_target kvm
  local pid code=0 events=20000
  # An exit takes a hundred times longer there.
  ! is_software_kvm || events=1000
  "$wsbench" run --on kvm --bench mmio_read_user,null --boots 1 --events $events --quiet -o doc.json >/dev/null 2>&1 3>&- &
  pid=$!
  # The VMM starts with the first row, whose one boot takes a tenth of a second at least.
  until pkill -KILL -P $pid -x wsbench; do
    kill -0 $pid
    sleep 0.01
  done
  wait $pid || code=$?
  [ $code = 4 ]
  holds doc.json 'b("mmio_read_user")["reason"] == "the VMM was killed by signal 9 (Killed)"' \
    'b("mmio_read_user")["status"] == "fail" and b("null")["status"] == "ok"' \
    'd["run"]["partial"] is False'
  run_apart "$wsbench" validate doc.json
  [ "$status" = 0 ]
  nothing_left doc.json
}

@test "kvm: boots of rows that the host times show what interfered" {
  need_target kvm
  run_apart "$wsbench" run --on kvm --bench exit_out,vm_create --boots 2 --events 20 --quiet -o doc.json
  [ "$status" = 0 ]
  for row in exit_out vm_create; do
    holds doc.json "all(x['interference'][key] is not None for x in m('$row')['boots']
      for key in ('interrupts', 'involuntary_switches', 'migrations'))"
  done
  # The CPU's frequency: not on a software KVM, whose machine is a guest itself.
  holds doc.json 'd["target"]["hypervisor"].endswith("software") ==
    all(x["interference"]["pace_spread"] is None for x in m("exit_out")["boots"])'
}

@test "kvm: no permission for /dev/kvm" {
  [ -e /dev/kvm ] || skip "there is no /dev/kvm"
  if [ -r /dev/kvm ] && [ "$(id -u)" = 0 ] &&
    setpriv --reuid 65534 --regid 65534 --clear-groups test ! -r /dev/kvm -a -x "$wsbench"; then
    refused 4 'kvm: no permission for /dev/kvm' \
      setpriv --reuid 65534 --regid 65534 --clear-groups "$wsbench" run --on kvm
  elif [ ! -r /dev/kvm ]; then
    refused 4 'kvm: no permission for /dev/kvm' "$wsbench" run --on kvm
  else
    skip "cannot do without the permission here"
  fi
  nothing_left
}

@test "kvm: no /dev/kvm at all" {
  need_own_mounts
  refused 4 'kvm: no /dev/kvm' \
    "${own_mounts[@]}" 'mount -t tmpfs none /dev; exec "$0" run --on kvm' "$wsbench"
}

@test "kvm: a /dev/kvm that is not KVM" {
  need_own_mounts
  [ -e /dev/kvm ] || skip "there is no /dev/kvm"
  refused 4 'kvm: ' "${own_mounts[@]}" 'mount --bind /dev/null /dev/kvm; exec "$0" run --on kvm' "$wsbench"
}

# with_failing CALL ERRNO BENCHES: runs into doc.json while CALL fails with ERRNO.
with_failing() {
  need_target kvm
  "$tests/failing_call.py" madvise ENOSYS true || skip "no seccomp filters here"
  run_apart "$tests/failing_call.py" "$1" "$2" "$wsbench" run --on kvm --bench "$3" \
    --boots 2 --events 20 -o doc.json
  echo "exit code $status, stderr: $stderr"
}

@test "kvm: a system call that the kernel lacks affects only its row" {
  with_failing madvise ENOSYS fault_first_touch_4k,mmio_write_user
  [ "$status" = 0 ]
  holds doc.json '"MADV_NOHUGEPAGE: Function not implemented (ENOSYS)" == b("fault_first_touch_4k")["reason"]'
  holds doc.json 'b("fault_first_touch_4k")["status"] == "skip"'
  holds doc.json 'b("mmio_write_user")["status"] == "ok"'
}

@test "kvm: an ioctl that KVM refuses affects only its row" {
  # KVM_IOEVENTFD
  with_failing 0x4040ae79 EINVAL mmio_write_ioeventfd,mmio_write_user
  [ "$status" = 0 ]
  holds doc.json 'b("mmio_write_ioeventfd")["status"] == "skip"'
  holds doc.json '"Invalid argument (EINVAL)" in b("mmio_write_ioeventfd")["reason"]'
  holds doc.json 'b("mmio_write_user")["status"] == "ok"'
  # KVM_IRQFD, of a row that the host times.
  with_failing 0x4020ae76 EBUSY irqfd_inject,mmio_write_user
  [ "$status" = 0 ]
  holds doc.json 'b("irqfd_inject")["status"] == "skip"'
  holds doc.json 'b("mmio_write_user")["status"] == "ok"'
}

@test "kvm: the target fails if KVM cannot create a VM" {
  # KVM_CREATE_VM
  with_failing 0xae01 EBUSY null,mmio_write_user
  [ "$status" = 4 ]
  [[ $stderr == *"KVM_CREATE_VM: Device or resource busy"* ]]
}
