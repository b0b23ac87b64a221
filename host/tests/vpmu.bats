#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# scripts/vpmu.sh: the virtual PMU in one table and one picture.
bats_require_minimum_version 1.5.0
load helper

# fixture FILE KERNEL CONFIG:HYPERCALL:RDPMC...: a document of a lab. RDPMC 2 does not exit.
fixture() {
  python3 - "$@" <<'END'
import json, sys

path, kernel, *columns = sys.argv[1:]
d = json.load(open("plain.json"))
d["target"].update(name="lab:x86_64-vmx-skylake", kind="lab")
d["subject"]["kernel"] = kernel
row, = d["benchmarks"]
d["benchmarks"] = []
for column in columns:
    config, *values = column.split(":")
    for name, value in zip(("hypercall", "rdpmc_general"), map(int, values)):
        b = json.loads(json.dumps(row))
        b.update(name=name, config=config, handled_by="none" if value == 2 else "kernel")
        b["exits"]["faults"] = 50 if name == "rdpmc_general" and config == "pmu-off" else 0
        b["metrics"] = [m for m in b["metrics"] if m["name"] == "round_trip"]
        for m in b["metrics"]:
            m["estimate"].update(value=value)
            m["estimate"]["ci"].update(lo=value, hi=value)
        d["benchmarks"].append(b)
json.dump(d, open(path, "w"))
END
}

@test "vpmu.sh: a table of documents that exist, and a picture" {
  need_target bare:x86_64
  [ -x "$top/scripts/vpmu.sh" ] || skip "not a source tree"
  run_apart "$wsbench" run --on bare:x86_64 --bench null --quiet -o plain.json
  mkdir -p out/lab-x86_64-vmx-skylake
  fixture out/lab-x86_64-vmx-skylake/6.1.0-test.json 6.1.0-test pmu-off:1145:1433 pmu-emulated:1523:1543
  fixture out/lab-x86_64-vmx-skylake/7.3.4-test.json 7.3.4-test pmu-off:1463:1626 pmu-mediated:2618:2
  run_apart "$top/scripts/vpmu.sh" -o out 6.1.0-test 7.3.4-test
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ "$stdout" = '| benchmark | 6.1.0 `pmu-off` | 6.1.0 `pmu-emulated` | 7.3.4 `pmu-off` | 7.3.4 `pmu-mediated` |
|---|---|---|---|---|
| `hypercall` | 1,145 | 1,523 | 1,463 | 2,618 |
| `rdpmc_general` | 1,433, #GP | 1,543 | 1,626, #GP | 2, no exit |
| added to a core exit | 0 | 378 | 0 | 1,155 |' ]
  cmp out/table.md <(echo "$stdout")
  [ -s out/vpmu-lab-x86_64-vmx-skylake.svg ]
}

@test "vpmu.sh: a run that fails leaves no document, and the next call measures again" {
  local kernel times=0
  [ -x "$top/scripts/vpmu.sh" ] || skip "not a source tree"
  mkdir -p boot
  echo one >boot/vmlinuz-1
  echo two >boot/vmlinuz-2
  cat >stand-in <<'END'
#!/bin/sh
echo "$*" >>calls
for last; do :; done
echo '{' >"$last"
exit 4
END
  chmod +x stand-in
  for kernel in boot/vmlinuz-1 boot/vmlinuz-2 boot/vmlinuz-1; do
    times=$((times + 1))
    WSBENCH=$PWD/stand-in run_apart "$top/scripts/vpmu.sh" -o out "$kernel"
    echo "$stdout$stderr"
    [ "$status" = 4 ]
    [[ $stderr == "vpmu: $kernel was not measured completely: see out/"*.json.new ]]
    [ "$(wc -l <calls)" = "$times" ]
  done
  # The images of one folder have documents of their own.
  [ "$(find out -name '*.new' | wc -l)" = 2 ]
  [ "$(find out -name '*.json' | wc -l)" = 0 ]
}

@test "vpmu.sh: a run that a signal ended is not a run that failed" {
  local code
  [ -x "$top/scripts/vpmu.sh" ] || skip "not a source tree"
  printf '#!/bin/sh\necho "$*" >>calls\nexit "$CODE"\n' >stand-in
  chmod +x stand-in
  for code in 129 130 143; do
    rm -f calls
    run_apart env WSBENCH="$PWD/stand-in" CODE=$code "$top/scripts/vpmu.sh" -o out 6.1.0-1 6.1.0-2
    echo "$stdout$stderr"
    [ "$status" = "$code" ]
    [ -z "$stdout$stderr" ]
    [ "$(wc -l <calls)" = 1 ]
  done
  # It was killed.
  run_apart env WSBENCH="$PWD/stand-in" CODE=137 "$top/scripts/vpmu.sh" -o out 6.1.0-1
  [ "$status" = 4 ]
}

@test "vpmu.sh: bad usage is one line" {
  [ -x "$top/scripts/vpmu.sh" ] || skip "not a source tree"
  run_apart "$top/scripts/vpmu.sh" -o out
  [ "$status" = 2 ]
  [ "$(wc -l <<<"$stderr")" = 1 ]
  run_apart "$top/scripts/vpmu.sh" -o out no/such/image
  [ "$status" = 2 ]
  [ "$stderr" = "vpmu: no/such/image: no such file" ]
  run_apart "$top/scripts/vpmu.sh" -o out --on nowhere 6.1
  [ "$status" = 2 ]
  [ "$(wc -l <<<"$stderr")" = 1 ]
}
