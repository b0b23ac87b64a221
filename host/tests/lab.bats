#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The labs: Linux and KVM in an emulator. Every lab runs the catalogue once, for all tests that
# need it: document of helper.bash.
#
# WS_ALL=1 also runs tests that take hours of emulation: every config with every row, the total
# of `explain` for every row, and 20 sets of rows in each lab.
bats_require_minimum_version 1.5.0
load helper

labs='aarch64-vhe aarch64-nvhe aarch64-pkvm x86_64-svm x86_64-vmx'

# subsets LAB N SEED: the figure of a row does not depend on the other rows of the run. Runs
# N random sets of rows, in random order, with options that must not change figures; their
# rows equal those of the run of the whole catalogue, to the byte.
subsets() {
  document "$1"
  local n=${WS_ALL:+20}
  "$python" "$tests/subsets.py" plan "$document" "${n:=$2}" "$3" >plans
  [ "$(wc -l <plans)" = "$n" ]
  # If the run of the catalogue continued a saved machine, the first set is on one that is booted; the
  # others are on the saved one.
  local fresh
  # The CPU time of the boot, in seconds.
  fresh=$(awk '/^boot of the machine/ && $NF > 0.1 { booted = 1 } END { print !booted }' "$shared/$1.1.out")
  while read -r names options; do
    echo "--bench $names $options"
    # shellcheck disable=SC2086
    WORLDSWITCH_FRESH_MACHINES=$fresh \
      "$wsbench" run --on "lab:$1" --boots 1 --bench "$names" $options -o part.json \
      >/dev/null 2>&1 </dev/null
    "$python" "$tests/subsets.py" compare "$document" part.json
    rm part.json
    fresh=0
  done <plans
}

@test "lab:aarch64-vhe: a figure does not depend on the other rows of the run" { subsets aarch64-vhe 3 1; }
@test "lab:aarch64-nvhe: a figure does not depend on the other rows of the run" { subsets aarch64-nvhe 2 1; }
@test "lab:aarch64-pkvm: a figure does not depend on the other rows of the run" { subsets aarch64-pkvm 2 1; }
@test "lab:x86_64-svm: a figure does not depend on the other rows of the run" { subsets x86_64-svm 3 1; }
@test "lab:x86_64-vmx: a figure does not depend on the other rows of the run" { subsets x86_64-vmx 3 1; }

# The figure is that of the first boot; further boots can only extend it to a range.
@test "lab: a figure does not depend on the number of boots and of events" {
  document x86_64-svm
  "$wsbench" run --on lab:x86_64-svm --bench hypercall,mmio_read_user --boots 3 --events 20 -o doc.json \
    >/dev/null 2>&1 </dev/null
  "$python" "$tests/subsets.py" values "$document" doc.json
  holds doc.json 'len(m("hypercall")["boots"]) == 3'
}

# Also where a boot keeps its VM, of rows with two VMs and under configs whose guests count.
@test "lab: the boots of a run are equal, the last and the only one, too" {
  local lab row config
  for lab in aarch64-vhe aarch64-pkvm; do
    "$wsbench" run --on "lab:$lab" --bench hypercall,pmccntr,vmm_overhead,exit_in,state_sync_lazy --config pmu-off,pmu-emulated --boots 3 \
      -o three.json >/dev/null 2>&1 </dev/null
    "$wsbench" run --on "lab:$lab" --bench hypercall,pmccntr,vmm_overhead,exit_in,state_sync_lazy --config pmu-off,pmu-emulated --boots 1 \
      -o one.json >/dev/null 2>&1 </dev/null
    for config in pmu-off pmu-emulated; do
      for row in hypercall pmccntr vmm_overhead exit_in state_sync_lazy; do
        holds three.json "len({x['summary']['p50'] for x in m('$row', '$config')['boots']}) == 1"
        holds one.json "value('$row', '$config') == $(doc three.json "value('$row', '$config')")"
      done
    done
  done
}

# Rows with a virtual PMU, without, and about memory: see slow_end() in host/agent/agent.c.
@test "lab:aarch64-pkvm: the boots of Linux 7.3, which destroys a VM slowly, are equal, kept or destroyed" {
  [ "${WS_ALL:-0}" = 1 ] || skip "takes 60 s and downloads a kernel: WS_ALL=1 runs it"
  local boots row config rows=hypercall,pmccntr,exit_in,fault_first_touch_4k
  need_target lab:aarch64-pkvm
  for boots in 1 3; do
    run_apart "$wsbench" run --quiet --on lab:aarch64-pkvm --kernel 7.3 --bench "$rows" --config pmu-off,pmu-emulated \
      --boots "$boots" -o "$boots.json"
    [ "$status" = 0 ]
    for config in pmu-off pmu-emulated; do
      for row in ${rows//,/ }; do
        holds "$boots.json" "len(m('$row', '$config')['boots']) == $boots" \
          "'$row'.startswith('fault') or len({x['summary']['p50'] for x in m('$row', '$config')['boots']}) == 1" \
          "value('$row', '$config') == $(doc 1.json "value('$row', '$config')")"
      done
    done
  done
}

@test "lab: a row that the host times ends when its events repeat, unless --events says how many" {
  need_target lab:aarch64-vhe
  "$wsbench" run --quiet --on lab:aarch64-vhe --bench exit_in,irq_inject,vm_switch,vmm_overhead,state_get_all -o few.json >out
  "$wsbench" run --quiet --on lab:aarch64-vhe --bench exit_in,irq_inject,vm_switch,vmm_overhead,state_get_all --boots 1 \
    --events 100 -o all.json >out
  # 48, and a block more if the first or a timer tick differs; exit_in's first event is its warm-up; 8 of events as long
  # as state_get_all's.
  holds few.json 'all(47 <= m(x)["boots"][0]["events"] <= 96 for x in ("exit_in", "irq_inject", "vm_switch", "vmm_overhead"))' \
    'm("state_get_all")["boots"][0]["events"] in (8, 16, 24)'
  for row in exit_in irq_inject vm_switch vmm_overhead state_get_all; do
    holds all.json "m('$row')['boots'][0]['events'] == 100" "value('$row') == $(doc few.json "value('$row')")"
  done
}

# matrix LAB: no row hangs or fails under any config that applies to it.
matrix() {
  [ -n "${WS_ALL:-}" ] || skip "takes ten minutes a lab: WS_ALL=1 runs it"
  need_target "lab:$1"
  run_apart "$wsbench" selftest --on "lab:$1" matrix
  grep '^not ok' <<<"$output" || true
  [ "$status" = 0 ]
  [ "$(grep -c '^ok ' <<<"$output")" -gt 500 ]
  [ "$(grep '^ok ' <<<"$output" | grep -vc '# SKIP')" -gt 400 ]
}

@test "lab: every config with every row" {
  for lab in $labs; do
    matrix "$lab"
  done
}

# explained LAB N: the total of `explain` equals the figure of the run, for N rows, or with
# WS_ALL for all rows that `explain` supports.
explained() {
  document "$1"
  "$python" "$tests/subsets.py" explainable "$document" "${WS_ALL:-$2}" >rows
  cut -d ' ' -f 2 rows | sort -u >configs
  while read -r config; do
    sed -n "s/ $config\$//p" rows >names
    echo "$config: $(paste -sd , names)"
    "$wsbench" explain --on "lab:$1" --bench "$(paste -sd , names)" --config "$config" --events 60 -o "explained-$config/" \
      >tables 2>messages </dev/null || [ $? = 3 ]
    while read -r row; do
      file=explained-$config/$row.json
      if [ -e "$file" ]; then
        "$python" "$tests/subsets.py" total "$document" "$row" "$config" "$file"
      else
        grep "^wsbench: .*$row.* cannot be explained" messages || { cat messages && return 1; }
      fi
    done <names
  done <configs
}

@test "lab:aarch64-vhe: the total of explain equals the figure of the run" { explained aarch64-vhe 4; }
@test "lab:aarch64-nvhe: the total of explain equals the figure of the run" { explained aarch64-nvhe 2; }
@test "lab:x86_64-svm: the total of explain equals the figure of the run" { explained x86_64-svm 4; }
@test "lab:x86_64-vmx: the total of explain equals the figure of the run" {
  need_built_bochs
  explained x86_64-vmx 4
}

# is LAB HYPERVISOR [EMULATOR]: the document names hypervisor and emulator, and is exact.
is() {
  document "$1"
  holds "$document" "d['target']['name'] == 'lab:$1' and d['target']['kind'] == 'lab'" \
    "d['target']['hypervisor'] == '$2'" \
    'd["target"]["exact"] and d["clock"]["unit"] == "insns"' \
    "d['target']['emulator'].startswith('${3:-QEMU emulator version}')"
}

# complete LAB: every row of the catalogue is ok, or skipped with a reason.
complete() {
  document "$1"
  holds "$document" 'all(x["status"] == "ok" or x["status"] == "skip" and x["reason"]
    for x in d["benchmarks"])' \
    'len([x for x in d["benchmarks"] if x["status"] == "ok"]) >
    4 * len([x for x in d["benchmarks"] if x["status"] == "skip"])'
  "$wsbench" list benchmarks --json | python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
rows = {b["id"] for b in json.load(sys.stdin)["benchmarks"] if d["machine"]["arch"] in b["archs"]}
missing = rows - {b["name"] for b in d["benchmarks"]}
print("not in the document:", missing)
# Harmful rows are measured only if named in full.
sys.exit(bool(missing - {"invd", "wbinvd"}))' "$document"
}

# counted LAB N: every row that names a statistic of KVM is checked by it; N rows at least do.
counted() {
  document "$1"
  holds "$document" 'all(x["exits"]["statistic"]["expected"] == x["exits"]["statistic"]["counted"] is not None
    for x in d["benchmarks"] if x["status"] == "ok" and "statistic" in x["exits"])' \
    "sum(x['status'] == 'ok' and 'statistic' in x['exits'] for x in d['benchmarks']) >= $2"
}

@test "lab:aarch64-vhe: KVM counts which exits the rows had" { counted aarch64-vhe 20; }
@test "lab:aarch64-nvhe: KVM counts which exits the rows had" { counted aarch64-nvhe 10; }
@test "lab:aarch64-pkvm: KVM counts which exits the rows had" { counted aarch64-pkvm 10; }
@test "lab:x86_64-svm: KVM counts which exits the rows had" { counted x86_64-svm 50; }
@test "lab:x86_64-vmx: KVM counts which exits the rows had" { counted x86_64-vmx 50; }

@test "lab:aarch64-vhe: the whole catalogue runs" { complete aarch64-vhe; }
@test "lab:x86_64-svm: the whole catalogue runs" { complete x86_64-svm; }
@test "lab:x86_64-vmx: the whole catalogue runs" { complete x86_64-vmx; }

@test "lab:aarch64-vhe: is KVM/arm64 with VHE" { is aarch64-vhe 'arm64 VHE'; }
@test "lab:aarch64-nvhe: is KVM/arm64 without VHE" { is aarch64-nvhe 'arm64 nVHE'; }
@test "lab:aarch64-pkvm: is protected KVM" { is aarch64-pkvm 'arm64 protected'; }
@test "lab:x86_64-svm: is KVM on SVM, in the project's Bochs" {
  need_built_bochs
  is x86_64-svm SVM "bochs $("$top/scripts/emulator.sh" identity bochs)"
}
@test "lab:x86_64-vmx: is KVM on VMX" {
  need_built_bochs
  is x86_64-vmx VMX "bochs $("$top/scripts/emulator.sh" identity bochs)"
}

# A distribution's Bochs would not do: 2.7 has no SVM.
@test "lab:x86_64-svm: without the built emulator, one line says how to build it" {
  export WORLDSWITCH_EMULATORS=$PWD/none
  refused 4 "lab:x86_64-svm: the project's bochs is not built (scripts/emulator.sh build bochs)" \
    "$wsbench" run --on lab:x86_64-svm --bench null -o doc.json
  nothing_left
}

# The limit is 100 million instructions, in place of the machine's 2 seconds: 2 billion.
@test "WORLDSWITCH_CONSOLE has the console of a kernel that crashes" {
  need_target lab:x86_64-svm-qemu
  WORLDSWITCH_CONSOLE=$PWD/console WORLDSWITCH_FRESH_MACHINES=1 run_apart \
    "$wsbench" run --on lab:x86_64-svm-qemu --bench null --append 'rdinit=/none init=/none panic=-1 loglevel=7'
  echo "$stdout$stderr"
  [ "$status" = 4 ]
  grep -q 'Linux version ' console
  grep -q 'Kernel panic - not syncing' console
  rm console
}

@test "lab:x86_64-svm: a guest that hangs with interrupts off costs its row seconds" {
  need_built_bochs
  # A machine with this payload is of no use to other tests: it is not saved.
  WORLDSWITCH_FRESH_MACHINES=1 run_apart "$python" -c 'import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(int(used.ru_utime + used.ru_stime))
sys.exit(code)' "$wsbench" run --on lab:x86_64-svm --bench hypercall,cpuid --boots 1 --quiet \
    --payload "$build/tests/payloads/x86_64/hang.elf" -o doc.json
  [ "$status" = 4 ]
  holds doc.json 'b("cpuid")["reason"].startswith("the guest hung: no end after 2.0 s; rip 0x")' \
    'b("hypercall")["reason"].startswith("the guest hung: no end after 2.0 s; rip 0x")'
  local seconds=${stdout##*$'\n'}
  echo "$seconds s of CPU"
  [ "$seconds" -lt 40 ]
}

# QEMU emulates SVM without saving the next RIP: the exits are longer.
@test "lab:x86_64-svm-qemu: is KVM on SVM in QEMU, exact; the total of explain equals the figure" {
  need_target lab:x86_64-svm-qemu
  run_apart "$wsbench" run --on lab:x86_64-svm-qemu --bench hypercall,mmio_read_user --boots 1 --events 50 -o doc.json
  [ "$status" = 0 ]
  document=doc.json
  holds doc.json 'd["target"]["name"] == "lab:x86_64-svm-qemu" and d["target"]["hypervisor"] == "SVM"' \
    'd["target"]["emulator"].startswith("QEMU emulator version")' \
    'b("hypercall")["handled_by"] == "kernel" and b("mmio_read_user")["handled_by"] == "user"'
  for row in hypercall mmio_read_user; do
    "$wsbench" explain --on lab:x86_64-svm-qemu --events 50 --bench "$row" -o explained.json >/dev/null
    "$python" "$tests/subsets.py" total doc.json "$row" default explained.json
    rm explained.json
  done
}

@test "lab:x86_64-vmx: without the built emulator, the distribution's is used and a warning says so" {
  export WORLDSWITCH_EMULATORS=$PWD/none
  need_target lab:x86_64-vmx
  command -v bochs >/dev/null || skip "bochs is not installed"
  run_apart "$wsbench" run --on lab:x86_64-vmx --bench rdpmc_general --boots 1 --events 20 -o doc.json
  [ "$status" = 0 ]
  holds doc.json 'd["target"]["emulator"].startswith("Bochs x86 Emulator")' \
    'len([w for w in d["warnings"] if w["code"] == "emulator" and "emulator.sh build bochs" in w["message"]]) == 1' \
    'b("rdpmc_general")["exits"]["faults"] > 0'
}

# no_exit LAB CLOCK: a row without an exit costs few instructions, and KVM counted no exit.
no_exit() {
  document "$1"
  holds "$document" 'value("null") == 0 and value("null", metric="round_trip_batch") == 0' \
    "0 < value('$2') <= 5"
  for bench in null "$2"; do
    holds "$document" "b('$bench')['handled_by'] == 'none'" \
      "b('$bench')['exits']['observed'] == b('$bench')['exits']['expected'] == 0"
  done
}

@test "lab:aarch64-vhe: reading the clock does not exit" { no_exit aarch64-vhe cntvct; }
@test "lab:aarch64-nvhe: reading the clock does not exit" { no_exit aarch64-nvhe cntvct; }
@test "lab:aarch64-pkvm: reading the clock does not exit" { no_exit aarch64-pkvm cntvct; }
@test "lab:x86_64-svm: reading the clock does not exit" { no_exit x86_64-svm rdtsc; }
@test "lab:x86_64-vmx: reading the clock does not exit" { no_exit x86_64-vmx rdtsc; }

# exits LAB HANDLER BENCH...: exactly one exit per event, handled by HANDLER, with the cost
# of an exit.
exits() {
  local lab=$1 handler=$2 bench
  document "$lab"
  shift 2
  for bench; do
    holds "$document" "b('$bench')['status'] == 'ok' and b('$bench')['handled_by'] == '$handler'" \
      "b('$bench')['exits']['expected'] ==
      sum(y['events'] for y in m('$bench')['boots']) > 0" \
      "b('$bench')['exits']['observed'] == b('$bench')['exits']['expected']" \
      "b('$bench')['exits']['user'] ==
      ($([ "$handler" = user ] && echo "b('$bench')['exits']['expected']" || echo 0))" \
      "value('$bench') > 500 > value('$bench', metric='twin')"
  done
}

@test "lab:aarch64-vhe: the kernel handles a hypercall, one exit per event" {
  exits aarch64-vhe kernel hypercall hvc_psci_version
}
@test "lab:aarch64-nvhe: the kernel handles a hypercall, one exit per event" {
  exits aarch64-nvhe kernel hypercall hvc_psci_version
}
@test "lab:aarch64-pkvm: the kernel handles a hypercall, one exit per event" {
  exits aarch64-pkvm kernel hypercall hvc_psci_version
}
@test "lab:x86_64-svm: the kernel handles a hypercall and CPUID, one exit per event" {
  exits x86_64-svm kernel hypercall cpuid
}
@test "lab:x86_64-vmx: the kernel handles a hypercall and CPUID, one exit per event" {
  exits x86_64-vmx kernel hypercall cpuid
}

@test "lab:aarch64-vhe: MMIO exits to the VMM, once per event" {
  exits aarch64-vhe user mmio_read_user mmio_write_user
}
@test "lab:aarch64-nvhe: MMIO exits to the VMM, once per event" {
  exits aarch64-nvhe user mmio_read_user mmio_write_user
}
@test "lab:aarch64-pkvm: MMIO exits to the VMM, once per event" {
  exits aarch64-pkvm user mmio_read_user mmio_write_user
}
@test "lab:x86_64-svm: MMIO and PIO exit to the VMM, once per event" {
  exits x86_64-svm user mmio_read_user mmio_write_user pio_out_user pio_in_user
}
@test "lab:x86_64-vmx: MMIO and PIO exit to the VMM, once per event" {
  exits x86_64-vmx user mmio_read_user mmio_write_user pio_out_user pio_in_user
}

@test "lab: an exit to user space costs more than an exit that the kernel handles" {
  for lab in $labs; do
    document "$lab"
    holds "$document" 'value("mmio_read_user") > value("hypercall")'
  done
}

@test "lab: without VHE an exit costs more" {
  document aarch64-nvhe
  nvhe=$(doc "$document" 'value("hypercall")')
  document aarch64-vhe
  holds "$document" "value('hypercall') < $nvhe"
}

# pmccntr LAB: the read traps to the vPMU; without a vPMU the guest gets an exception.
pmccntr() {
  document "$1"
  holds "$document" 'value("pmccntr", "pmu-emulated") > 1000' \
    'b("pmccntr", "pmu-emulated")["handled_by"] == "kernel"' \
    '[b("pmccntr", "pmu-emulated")["exits"][k] for k in ("observed", "user", "faults")] ==
    [sum(y["events"] for y in m("pmccntr", "pmu-emulated")["boots"]), 0, 0]' \
    'b("pmccntr", "pmu-off")["exits"]["faults"] ==
    sum(y["events"] for y in m("pmccntr", "pmu-off")["boots"]) > 0' \
    'b("pmccntr", "pmu-off")["exits"]["user"] == 0'
}

@test "lab:aarch64-vhe: PMCCNTR traps to the vPMU, and faults without one" { pmccntr aarch64-vhe; }
@test "lab:aarch64-nvhe: PMCCNTR traps to the vPMU, and faults without one" { pmccntr aarch64-nvhe; }
@test "lab:aarch64-pkvm: PMCCNTR traps to the vPMU, and faults without one" { pmccntr aarch64-pkvm; }

# hidden LAB: the PMC of the guest does not count while the hypervisor runs.
hidden() {
  document "$1"
  holds "$document" '0 < value("pmccntr", "pmu-emulated", "pmc_visible") < 10' \
    'value("pmccntr", "pmu-emulated", "pmc_visible") +
    value("pmccntr", "pmu-emulated", "pmc_hidden") == value("pmccntr", "pmu-emulated")' \
    '{x["name"] for x in b("pmccntr", "pmu-off")["metrics"]} ==
    {"round_trip", "round_trip_batch", "twin"}'
}

@test "lab:aarch64-vhe: the guest's PMC does not see an exit" { hidden aarch64-vhe; }
@test "lab:aarch64-nvhe: the guest's PMC does not see an exit" { hidden aarch64-nvhe; }
@test "lab:aarch64-pkvm: the guest's PMC does not see an exit" { hidden aarch64-pkvm; }

# accurate LAB: over exits the vPMU loses only events that KVM executes for the guest.
accurate() {
  document "$1"
  for subject in cycles cycles_event insns insns_exits sw_incr; do
    holds "$document" "value('pmu_accuracy_$subject', metric='error') == 0" \
      "value('pmu_accuracy_$subject', metric='counted') ==
      value('pmu_accuracy_$subject', metric='expected') > 0"
  done
  holds "$document" 'value("pmu_accuracy_insns_emulated", metric="counted") == 11' \
    'value("pmu_accuracy_insns_emulated", metric="expected") == 21' \
    '{x["config"] for x in d["benchmarks"] if x["group"] == "pmu_accuracy"} ==
    {"pmu-emulated"}'
}

@test "lab:aarch64-vhe: the vPMU counts what the guest executes" { accurate aarch64-vhe; }
@test "lab:aarch64-nvhe: the vPMU counts what the guest executes" { accurate aarch64-nvhe; }
@test "lab:aarch64-pkvm: the vPMU counts what the guest executes" { accurate aarch64-pkvm; }

# overflows LAB: in every event a counter of the guest overflows and interrupts the guest.
overflows() {
  document "$1"
  holds "$document" '1000 < value("pmu_overflow_irq") < 20000' \
    'b("pmu_overflow_irq")["handled_by"] == "kernel"' \
    'value("pmu_overflow_skid", metric="counted") < 50'
  # A cycle counter shows that the counter of the run loop does not overflow later.
  holds "$document" 'value("insn_stop_skid") < 50'
}

@test "lab:aarch64-vhe: a counter's overflow interrupts the guest" { overflows aarch64-vhe; }
@test "lab:aarch64-nvhe: a counter's overflow interrupts the guest" { overflows aarch64-nvhe; }
@test "lab:aarch64-pkvm: a counter's overflow interrupts the guest" { overflows aarch64-pkvm; }

@test "lab: both timing modes agree" {
  for lab in $labs; do
    document "$lab"
    holds "$document" 'not [w for w in d["warnings"] if w["code"] == "modes-disagree" and
      w["message"].split(":")[0] in ("null", "cntvct", "rdtsc", "hypercall", "cpuid", "pmccntr",
      "mmio_read_user", "mmio_write_user", "pio_in_user", "pio_out_user")]'
  done
}

@test "lab: documents are valid, by wsbench and by the schema" {
  python3 -c 'import jsonschema' 2>/dev/null || skip "python3-jsonschema is not installed"
  documents=()
  for lab in $labs; do
    document "$lab"
    documents+=("$document")
  done
  run_apart "$wsbench" validate "${documents[@]}"
  [ "$status" = 0 ]
  python3 - "$top/results/schema.json" "${documents[@]}" <<'END'
import json, sys, jsonschema
schema, *documents = [json.load(open(path)) for path in sys.argv[1:]]
for document in documents:
    jsonschema.Draft7Validator(schema).validate(document)
END
}

@test "lab: no process outlives its run, and no file is left" {
  for lab in $labs; do
    document "$lab"
  done
  [ ! -e "$shared/processes" ]
  [ -z "$(find "$shared/cwd" "$shared/tmp" -mindepth 1)" ]
}

# boots: prints how many machines the emulator booted (not cloned) since the last call.
boots() {
  grep -vc -e ' -incoming ' starts || true
  : >starts
}

# without_run FILE: a document without what only this run has: command, times, id.
without_run() {
  sed '/^  "run": {/,/^  }/d' "$1"
}

@test "lab: a machine is booted once and saved; a restored machine gives equal documents" {
  local machine run symbols
  need_target lab:aarch64-vhe
  mkdir bin cache
  ln -s "$(cache_dir)/kernels" cache/kernels
  cat >bin/qemu-system-aarch64 <<END
#!/bin/sh
case \$* in *" -kernel "*) echo "\$* " >>"$PWD/starts" ;; esac
exec $(command -v qemu-system-aarch64) "\$@"
END
  chmod +x bin/qemu-system-aarch64
  # The emulator above writes a file.
  export PATH=$PWD/bin:$PATH WORLDSWITCH_CACHE=$PWD/cache WORLDSWITCH_CONFINE=0
  run=("$wsbench" run --on lab:aarch64-vhe --bench "null,mmio_read_user" --quiet -o)
  run_apart "${run[@]}" first.json
  [ "$status" = 0 ]
  [ "$(boots)" -ge 1 ]
  machine=$(echo cache/machines/*.machine)
  [ -s "$machine" ]
  [ "$(find cache/machines -mindepth 1 | wc -l)" = 1 ]
  # Memory, and a state without the pages of the empty flash; QEMU's greeting names its version.
  [ "$(stat -c %s "$machine")" -lt $(((256 << 20) + (128 << 10))) ]
  holds first.json "d['target']['emulator'] == '$(qemu-system-aarch64 --version | head -n 1)'"

  # The jobs run again without a boot, and the description is that of the machine's clone.
  run_apart "${run[@]}" again.json
  [ "$status" = 0 ]
  [ "$(boots)" = 0 ]
  cmp <(without_run first.json) <(without_run again.json)

  # A damaged description is that of a damaged machine.
  [ "$(grep -abo '"fingerprint"' "$machine" | wc -l)" = 1 ]
  printf 'F' | dd of="$machine" bs=1 conv=notrunc status=none \
    seek=$(($(grep -abo '"fingerprint"' "$machine" | cut -d: -f1) + 1))
  run_apart "${run[@]}" described.json
  [ "$status" = 0 ]
  [ "$(boots)" -ge 1 ]
  cmp <(without_run first.json) <(without_run described.json)

  # A damaged saved machine is detected and replaced.
  printf 'x' | dd of="$machine" bs=1 seek=1000000 conv=notrunc status=none
  run_apart "${run[@]}" damaged.json
  [ "$status" = 0 ]
  [ "$(boots)" -ge 1 ]
  cmp <(benchmarks_text first.json) <(benchmarks_text damaged.json)

  # A truncated one is, too; and a machine that no run has described is continued, and its symbols are
  # used again.
  truncate -s 1000 "$machine"
  "$wsbench" selftest --on lab:aarch64-vhe regs-drain >/dev/null
  [ "$(boots)" -ge 1 ]
  run_apart "${run[@]}" undescribed.json
  [ "$status" = 0 ]
  [ "$(boots)" = 0 ]
  cmp <(without_run first.json) <(without_run undescribed.json)
  "$wsbench" explain --on lab:aarch64-vhe --bench null --quiet >/dev/null
  symbols=$(stat -c %i cache/machines/*.symbols)
  "$wsbench" explain --on lab:aarch64-vhe --bench null --quiet >/dev/null
  [ "$(stat -c %i cache/machines/*.symbols)" = "$symbols" ]
  rm cache/machines/*.symbols
  : >starts

  # Another command line is another machine; if saving fails, each run boots a machine.
  run_apart "${run[@]}" other.json --append quiet
  [ "$status" = 0 ]
  [ "$(boots)" -ge 1 ]
  [ "$(find cache/machines -mindepth 1 | wc -l)" = 2 ]
  rm -r cache/machines
  : >cache/machines
  run_apart "${run[@]}" unsaved.json
  [ "$status" = 0 ]
  [ "$(boots)" -ge 1 ]
  cmp <(benchmarks_text first.json) <(benchmarks_text unsaved.json)
}

@test "lab: a saved machine of QEMU is copied without a checksum if that was compared before, and if it has holes" {
  local machine saved run time
  need_target lab:aarch64-vhe
  mkdir cache
  ln -s "$(cache_dir)/kernels" cache/kernels
  export WORLDSWITCH_CACHE=$PWD/cache
  run=("$wsbench" run --on lab:aarch64-vhe --bench "null,mmio_read_user" --quiet -o)
  run_apart "${run[@]}" first.json
  machine=$(echo cache/machines/aarch64-vhe-*.machine)
  saved=$(stat -c %i "$machine")
  time=$(stat -c %y "$machine")

  # The trailer has another checksum; the record of the comparison is that of the file.
  overwrite 80 4
  touch -d "$time" "$machine"
  run_apart "${run[@]}" again.json
  [ "$(stat -c %i "$machine")" = "$saved" ]
  cmp <(benchmarks_text first.json) <(benchmarks_text again.json)

  # Without holes the file is read, its checksum compared, and the machine replaced.
  cp --sparse=never "$machine" filled
  sync filled
  (($(stat -c %b filled) * 512 >= 256 << 20)) || skip "zeros take no room in this file system"
  (($(stat -c %b "$machine") * 512 < 256 << 20)) || skip "files have no holes in this file system"
  cat filled >"$machine"
  touch -d "$time" "$machine"
  run_apart "${run[@]}" filled.json
  [ "$(stat -c %i "$machine")" != "$saved" ]
  cmp <(benchmarks_text first.json) <(benchmarks_text filled.json)

  # A copy without holes that is whole is continued.
  saved=$(stat -c %i "$machine")
  time=$(stat -c %y "$machine")
  cp --sparse=never "$machine" filled && cat filled >"$machine"
  touch -d "$time" "$machine"
  for n in 1 2; do
    run_apart "${run[@]}" "copy$n.json"
    [ "$(stat -c %i "$machine")" = "$saved" ]
    cmp <(benchmarks_text first.json) <(benchmarks_text "copy$n.json")
  done
}

@test "lab: a saved machine that cannot continue is replaced; one that is late is kept" {
  local machine saved run
  need_target lab:aarch64-vhe
  mkdir bin cache
  ln -s "$(cache_dir)/kernels" cache/kernels
  # Fails to continue a machine once, or is slow to.
  cat >bin/qemu-system-aarch64 <<END
#!/bin/sh
case \$* in *" -incoming "*)
  if rm "$PWD/broken" 2>/dev/null; then echo "qemu-system-aarch64: cannot load" >&2; exit 1; fi
  [ ! -e "$PWD/slow" ] || sleep 4
  ;;
esac
exec $(command -v qemu-system-aarch64) "\$@"
END
  chmod +x bin/qemu-system-aarch64
  export PATH=$PWD/bin:$PATH WORLDSWITCH_CACHE=$PWD/cache WORLDSWITCH_CONFINE=0
  run=("$wsbench" run --on lab:aarch64-vhe --bench null --quiet -o)
  run_apart "${run[@]}" first.json
  [ "$status" = 0 ]
  machine=$(echo cache/machines/*.machine)
  saved=$(stat -c %i "$machine")

  : >slow
  run_apart "${run[@]}" late.json --lab-timeout 2
  [ "$status" = 4 ]
  [[ $stderr == *"(--lab-timeout)"* ]]
  [ "$(stat -c %i "$machine")" = "$saved" ]
  rm slow

  : >broken
  run_apart "${run[@]}" again.json
  echo "$stderr"
  [ "$status" = 0 ]
  [ ! -e broken ]
  [ "$(stat -c %i "$machine")" != "$saved" ]
  cmp <(benchmarks_text first.json) <(benchmarks_text again.json)
}

# overwrite FROM_END N: of $machine, N bytes that begin FROM_END bytes before the end.
overwrite() {
  dd if=/dev/zero of="$machine" bs=1 count="$2" seek=$(($(stat -c %s "$machine") - $1)) conv=notrunc status=none
}

@test "lab:x86_64-svm: a machine of Bochs is saved; the machine that continues gives equal documents" {
  local machine saved run time
  need_target lab:x86_64-svm
  setarch -R true || skip "addresses cannot be fixed here"
  mkdir cache
  ln -s "$(cache_dir)/kernels" cache/kernels
  export WORLDSWITCH_EMULATORS=${WORLDSWITCH_EMULATORS:-$(cache_dir)/emulators}
  export WORLDSWITCH_CACHE=$PWD/cache
  run=("$wsbench" run --on lab:x86_64-svm --bench "null,pio_in_user" --quiet -o)
  run_apart "${run[@]}" first.json
  [ "$status" = 0 ]
  machine=$(echo cache/machines/x86_64-svm-*.machine)
  saved=$(stat -c %i "$machine")

  # A machine that cannot continue is replaced: the file is another one then.
  run_apart "${run[@]}" again.json
  [ "$status" = 0 ]
  [ "$(stat -c %i "$machine")" = "$saved" ]
  cmp <(benchmarks_text first.json) <(benchmarks_text again.json)

  # Without the boot id in the record, its checksum is compared, and the record is made again.
  tail -c 64 "$machine" | grep -q "$(cat /proc/sys/kernel/random/boot_id)"
  time=$(stat -c %y "$machine")
  overwrite 40 36
  touch -d "$time" "$machine"
  run_apart "${run[@]}" again.json
  [ "$status" = 0 ]
  cmp <(benchmarks_text first.json) <(benchmarks_text again.json)
  [ "$(stat -c %i "$machine")" = "$saved" ]
  tail -c 64 "$machine" | grep -q "$(cat /proc/sys/kernel/random/boot_id)"

  # With the record, the checksum is not compared: here another one is in the trailer; without, the machine is replaced.
  overwrite 80 4
  touch -d "$time" "$machine"
  run_apart "${run[@]}" again.json
  [ "$status" = 0 ]
  [ "$(stat -c %i "$machine")" = "$saved" ]
  cmp <(benchmarks_text first.json) <(benchmarks_text again.json)
  overwrite 40 36
  touch -d "$time" "$machine"
  run_apart "${run[@]}" again.json
  [ "$status" = 0 ]
  [ "$(stat -c %i "$machine")" != "$saved" ]
  cmp <(benchmarks_text first.json) <(benchmarks_text again.json)
  saved=$(stat -c %i "$machine")

  # The checksum of a file whose time is another one is compared: a damaged machine is replaced.
  printf 'x' | dd of="$machine" bs=1 seek=40000000 conv=notrunc status=none
  run_apart "${run[@]}" damaged.json
  [ "$status" = 0 ]
  [ "$(stat -c %i "$machine")" != "$saved" ]
  cmp <(benchmarks_text first.json) <(benchmarks_text damaged.json)
  saved=$(stat -c %i "$machine")

  # Another address of the libraries: Bochs refuses to continue, and the machine is booted.
  (
    ulimit -s unlimited
    run_apart "${run[@]}" moved.json
    [ "$status" = 0 ]
  )
  [ "$(stat -c %i "$machine")" != "$saved" ]
  cmp <(benchmarks_text first.json) <(benchmarks_text moved.json)

  # explain records the machine that continues.
  saved=$(stat -c %i "$machine")
  run_apart "$wsbench" explain --on lab:x86_64-svm --bench pio_in_user --events 50
  [ "$status" = 0 ]
  printf 'x' | dd of="$machine" bs=1 seek=100000 conv=notrunc status=none
  run_apart "${run[@]}" damaged.json
  [ "$status" = 0 ]
  [ "$(stat -c %i "$machine")" != "$saved" ]
  cmp <(benchmarks_text first.json) <(benchmarks_text damaged.json)
}

@test "lab: files are written only below TMPDIR" {
  local target targets=''
  for target in bare:x86_64 lab:aarch64-vhe lab:x86_64-vmx; do
    unavailable $target >/dev/null || targets+=,$target
  done
  [ -n "$targets" ] || skip "no emulator and no kernel here"
  need_own_mounts
  case $top/:$build/:$(cache_dir) in
  *:/tmp/* | *:/var/tmp/* | /tmp/* | /var/tmp/*) skip "the clone is in a folder of temporary files" ;;
  esac
  # Mounts empty folders over the usual folders.
  run_apart "${own_mounts[@]}" '
    own=$1 cwd=$PWD
    mount --bind "$own" /mnt
    for folder in /tmp /var/tmp /dev/shm; do mount -t tmpfs none $folder; done
    mkdir -p "$own"
    mount --bind /mnt "$own"
    cd "$cwd"
    "$0" run --on "$2" --bench null --quiet -o docs
    cd /
    umount "$own"
    find /tmp /var/tmp /dev/shm -mindepth 1 ! -type d >/mnt/elsewhere' \
    "$wsbench" "$BATS_TEST_TMPDIR" "${targets#,}"
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ "$(cat "$BATS_TEST_TMPDIR/elsewhere")" = "" ]
}

@test "lab: Ctrl-C keeps the finished benchmarks and leaves no process or file" {
  need_terminal
  need_target lab:aarch64-vhe
  # During the second benchmark: the first one is kept.
  run_apart "$python" "$tests/on_terminal.py" --interrupt '(cntvct|mmio_[a-z]*_user|pmccntr), ' \
    "$wsbench" run --on lab:aarch64-vhe --bench null,cntvct,mmio_read_user,mmio_write_user,pmccntr \
    --boots 40 -o doc.json
  echo "exit code $status: $output"
  [ "$status" = 130 ]
  [[ $output == *interrupted* ]]
  holds doc.json 'd["run"]["partial"] is True' \
    'b("null")["status"] == "ok" and value("null") == 0'
  run_apart "$wsbench" validate doc.json
  [ "$status" = 0 ]
  nothing_left doc.json
}

@test "lab: a dying emulator is reported, and finished benchmarks are kept" {
  need_target lab:aarch64-vhe
  shim qemu-system-aarch64 1 'echo "out of luck" >&2; exit 3'
  refused 4 'out of luck' "$wsbench" run --on lab:aarch64-vhe --bench null -o doc.json
  nothing_left
}

@test "lab: the panic of a kernel without init is quoted" {
  need_target lab:aarch64-vhe
  refused 4 'Kernel panic' "$wsbench" run --on lab:aarch64-vhe --bench null -o doc.json \
    --append rdinit=/nonexistent
  nothing_left
}

# With this parameter, KVM's first entry to a guest is an oops of a kernel that found neither
# ACPI nor MP tables: speculative_store_bypass_ht_init() has not been called. It is in a clone,
# whose kernel has printed nothing before.
@test "lab: an oops of KVM in a job is quoted at once, and fails its row only" {
  need_target lab:x86_64-svm
  run_apart env WORLDSWITCH_CONSOLE="$PWD/console" "$wsbench" run --on lab:x86_64-svm --bench null,vm_create --boots 1 \
    -o doc.json --append spec_store_bypass_disable=on
  [ "$(doc doc.json 'b("null")["status"]')" = fail ] || skip "this kernel has no oops"
  [ "$status" = 4 ]
  holds doc.json 'b("vm_create")["status"] == "ok"'
  [[ $(doc doc.json 'b("null")["reason"]') == "lab:x86_64-svm: the lab's kernel crashed: BUG: kernel NULL pointer dereference"*", at "*", called from "*"svm_vcpu_run"* ]]
  # All of it, from the first line to the end of the call trace.
  grep -q 'BUG: kernel NULL pointer' console
  grep -q '</TASK>' console
  nothing_left doc.json console
}

@test "lab: a kernel without enough memory: the failed boot is reported" {
  need_target lab:x86_64-svm
  # With less memory the kernel loops without a word, until the lab gives it up.
  refused 4 'lab:x86_64-svm: the lab'"'"'s kernel crashed: Kernel panic - not syncing: System is deadlocked on memory' \
    "$wsbench" run --on lab:x86_64-svm --bench null -o doc.json --append mem=87M
  nothing_left
}

@test "lab:x86_64-vmx: RDPMC exits to KVM with a vPMU, and faults without" {
  need_built_bochs
  need_target lab:x86_64-vmx
  run_apart "$wsbench" run --on lab:x86_64-vmx --bench 'rdpmc_*,hypercall' \
    --config pmu-off,pmu-emulated --boots 1 --events 50 -o doc.json
  [ "$status" = 0 ]
  local row
  for row in rdpmc_general rdpmc_fixed; do
    holds doc.json "b('$row', 'pmu-emulated')['handled_by'] == 'kernel'" \
      "b('$row', 'pmu-emulated')['exits']['faults'] == 0" \
      "b('$row', 'pmu-off')['exits']['faults'] ==
      sum(y['events'] for y in m('$row', 'pmu-off')['boots']) > 0"
  done
  # What the vPMU adds to every exit.
  holds doc.json 'value("hypercall", "pmu-emulated") > value("hypercall", "pmu-off") > 500'
  # A counter that counts is a perf event, and KVM adds emulated instructions.
  holds doc.json 'value("rdpmc_general", "pmu-emulated") < value("rdpmc_counting", "pmu-emulated") < value("rdpmc_counting_insns", "pmu-emulated")' \
    'all(b(x, "pmu-off")["status"] == "skip" for x in ("rdpmc_counting", "rdpmc_counting_insns"))'
}

# A config means the same in rows that the guest times and in rows that the host times.
@test "lab:aarch64-vhe: a vPMU costs more while its cycle counter counts, on each half of an exit" {
  need_target lab:aarch64-vhe
  run_apart "$wsbench" run --quiet --on lab:aarch64-vhe --bench mmio_write_user,exit_out,exit_in --boots 1 \
    --config pmu-off,pmu-present,pmu-emulated -o doc.json
  [ "$status" = 0 ]
  local config
  for config in pmu-present pmu-emulated; do
    holds doc.json "sum(value(row, '$config') - value(row, 'pmu-off') for row in ('exit_out', 'exit_in')) ==
      value('mmio_write_user', '$config') - value('mmio_write_user', 'pmu-off') > 0"
  done
  holds doc.json 'value("exit_out", "pmu-off") < value("exit_out", "pmu-present") < value("exit_out", "pmu-emulated")'
}

# counts_and_interrupts LAB SUBJECT...: of the rows pmu_accuracy_*.
counts_and_interrupts() {
  local subject
  need_built_bochs
  document "$1"
  shift
  for subject; do
    holds "$document" "value('pmu_accuracy_$subject', metric='error') == 0" \
      "value('pmu_accuracy_$subject', metric='counted') ==
      value('pmu_accuracy_$subject', metric='expected') > 0"
  done
  holds "$document" '1000 < value("pmu_overflow_irq") < 20000' \
    'b("pmu_overflow_irq")["handled_by"] == "kernel"' \
    'value("pmu_overflow_skid", metric="counted") < 200'
}

@test "lab:x86_64-vmx-skylake: under the mediated vPMU, RDPMC passes through with all counters" {
  need_built_bochs
  need_target lab:x86_64-vmx-skylake
  local kernels=("$(cache_dir)"/kernels/x86_64/7.[3-9]*-cloud-amd64/vmlinuz)
  [ -e "${kernels[0]}" ] || skip "no kernel of Linux 7.3 in the cache"
  run_apart "$wsbench" run --on lab:x86_64-vmx-skylake --kernel "${kernels[0]}" --boots 1 \
    --bench 'rdpmc_*' --config pmu-mediated,pmu-mediated-short --events 50 -o doc.json
  [ "$status" = 0 ]
  local row
  for row in rdpmc_general rdpmc_fixed; do
    holds doc.json "value('$row', 'pmu-mediated') == 2" \
      "b('$row', 'pmu-mediated')['handled_by'] == 'none'" \
      "b('$row', 'pmu-mediated')['exits']['observed'] == 0" \
      "b('$row', 'pmu-mediated-short')['handled_by'] == 'kernel'"
  done
}

@test "lab:x86_64-vmx: the vPMU counts what the guest executes, and interrupts it" {
  counts_and_interrupts x86_64-vmx cycles cycles_fixed insns insns_fixed insns_exits branches
}
@test "lab:x86_64-svm: the vPMU counts what the guest executes, and interrupts it" {
  counts_and_interrupts x86_64-svm cycles insns insns_exits branches
}

@test "lab:x86_64-svm: KVM handles the MSRs of AMD's counters with a vPMU, and they fault without" {
  need_built_bochs
  need_target lab:x86_64-svm
  run_apart "$wsbench" run --on lab:x86_64-svm --bench 'hypercall,pmu_perf_ct*,pmu_k7_*,pmu_accuracy_cycles_fixed' \
    --config pmu-off,pmu-emulated --boots 1 --events 50 -o doc.json
  [ "$status" = 0 ]
  holds doc.json 'all(x["handled_by"] == "kernel" and x["exits"]["faults"] == 0 for x in d["benchmarks"]
    if x["group"] == "pmu_map" and x["config"] == "pmu-emulated")' \
    'all(x["exits"]["faults"] == 50 for x in d["benchmarks"]
    if x["name"].startswith("pmu_perf_ct") and x["config"] == "pmu-off")' \
    'len([x for x in d["benchmarks"] if x["name"].startswith("pmu_perf_ct")]) == 16'
  # AMD has no fixed counters.
  holds doc.json 'b("pmu_accuracy_cycles_fixed", "pmu-emulated")["status"] == "skip"' \
    'value("hypercall", "pmu-emulated") > value("hypercall", "pmu-off") > 500'
}

@test "lab:x86_64-vmx: Ctrl-C keeps the finished benchmarks and leaves no process or file" {
  need_terminal
  need_target lab:x86_64-vmx
  run_apart "$python" "$tests/on_terminal.py" --interrupt '(cpuid|hypercall), ' \
    "$wsbench" run --on lab:x86_64-vmx --bench null,cpuid,hypercall --boots 20 -o doc.json
  echo "exit code $status: $output"
  [ "$status" = 130 ]
  holds doc.json 'd["run"]["partial"] is True' \
    'b("null")["status"] == "ok" and value("null") == 0'
  nothing_left doc.json
}

@test "lab:x86_64-vmx: the panic of a kernel without init is quoted, and Bochs ends" {
  need_target lab:x86_64-vmx
  refused 4 'Kernel panic' "$wsbench" run --on lab:x86_64-vmx --bench null -o doc.json \
    --append rdinit=/nonexistent
  nothing_left
}

@test "lab:x86_64-vmx: a dying Bochs is reported" {
  need_target lab:x86_64-vmx
  shim bochs 1 'echo "out of luck" >&2; exit 3'
  refused 4 'out of luck' "$wsbench" run --on lab:x86_64-vmx --bench null -o doc.json
  nothing_left
}

# The process of Bochs that all rows are clones of.
@test "lab:x86_64-svm: a Bochs that is killed is started again, and no row is lost" {
  local rows=hypercall,vmm_overhead,cpuid,mmio_read_user,exit_out pid base children i
  need_target lab:x86_64-svm
  run_apart "$wsbench" run --on lab:x86_64-svm --bench $rows --events 500 --quiet -o undisturbed.json
  [ "$status" = 0 ]
  "$wsbench" run --on lab:x86_64-svm --bench $rows --events 500 --quiet -o killed.json >out 2>err 3>&- &
  pid=$!
  # Until it has a clone.
  for ((i = 0; i < 600; i++)); do
    children $pid bochs
    base=${children[0]:-}
    [ -z "$base" ] || children "$base"
    [ -z "$base" ] || [ ${#children[@]} = 0 ] || break
    nap 0.05
  done
  kill -9 "$base"
  wait $pid
  cat err
  cmp <(benchmarks_text undisturbed.json) <(benchmarks_text killed.json)
}
