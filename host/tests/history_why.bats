#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# `wsbench history why`: the functions and commits behind a step.
bats_require_minimum_version 1.5.0
load helper
load history_helper

# svm_document FILE RUN KERNEL VALUE: a document of lab:x86_64-svm with two rows.
svm_document() {
  python3 - "$tests/result_v1.json" "$@" <<'END'
import copy, json, sys
base, path, run, kernel, value = sys.argv[1:]
d = json.load(open(base))
d["target"].update(name="lab:x86_64-svm", kind="lab", exact=True, emulator="bochs 3.0")
d["subject"].update(kernel=kernel, commit=None, label=None)
d["run"].update(id=run, partial=False)
b = next(b for b in d["benchmarks"] if b["metrics"])
m = b["metrics"][0]
m.update(name="round_trip", unit="insns", boots=m["boots"][:1])
m["estimate"].update(value=float(value), ci={"level": 1, "lo": float(value), "hi": float(value), "method": "exact"})
m["boots"][0].update(valid=True, reject_reason=None)
m["boots"][0]["summary"] = dict.fromkeys(m["boots"][0]["summary"], float(value)) | {"n": 1}
b.update(name="hypercall", config="default", status="ok", reason=None, metrics=[m])
other = copy.deepcopy(b)
other["name"] = "cpuid"
d["benchmarks"] = [b, other]
json.dump(d, open(path, "w"))
END
}

@test "history why: the functions behind a step, by explanations that are kept" {
  local data=$tests/data/explain history=("$wsbench" history)
  svm_document a.json run-a 6.1.0-56-cloud-amd64 1524
  svm_document b.json run-b 7.3.4+deb13-cloud-amd64 1428
  svm_document c.json run-c 9.9.9-cloud-amd64 1500
  run_apart "${history[@]}" add --db h.jsonl a.json b.json c.json --explanation "$data/svm-hypercall-6.1.json" \
    --explanation "$data/svm-hypercall-7.3.json"
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  # The kernels, the documents and the explanations may go.
  rm a.json b.json c.json
  run_apart "${history[@]}" why --db h.jsonl
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [[ $stdout == *'7.3.4+deb13-cloud-amd64, after 6.1.0-56-cloud-amd64: 0 worse, 2 better'*'explained: hypercall'* ]]
  grep -qE '^kvm_lapic_update_cr8_intercept +\+102 +1 of 1 .*new, called by kvm_set_cr8' <<<"$stdout"
  [[ $stdout == *'9.9.9-cloud-amd64, after 7.3.4+deb13-cloud-amd64'*'not explained: no explanations of both runs'* ]]
  # Only steps after a run, named by id or kernel.
  for since in run-b 7.3.4+deb13-cloud-amd64; do
    run_apart "${history[@]}" why --db h.jsonl --since "$since"
    [ "$status" = 0 ]
    [[ $stdout == *9.9.9* ]]
    [[ $stdout != *'after 6.1.0-56'* ]]
  done
  # Runs of commits; the explanations were made without --commit, or with one.
  svm_document a.json run-a 6.1.0-56-cloud-amd64 1524
  svm_document b.json run-b 7.3.4+deb13-cloud-amd64 1428
  python3 - a.json a.json aaa b.json b.json bbb "$data/svm-hypercall-7.3.json" new.json bbb <<'END'
import json, sys
for path, to, commit in zip(*[iter(sys.argv[1:])] * 3):
    d = json.load(open(path))
    d["subject"]["commit"] = commit
    json.dump(d, open(to, "w"))
END
  "${history[@]}" add --db commits.jsonl a.json b.json --explanation "$data/svm-hypercall-6.1.json" --explanation new.json
  run_apart "${history[@]}" why --db commits.jsonl
  echo "$stdout$stderr"
  [[ $stdout == *'explained: hypercall'* ]]
  refused 2 "no run 'run-z'" "${history[@]}" why --db h.jsonl --since run-z
  refused 2 '--since: only' "${history[@]}" check --db h.jsonl --since run-a
  refused 2 '--json: ' "${history[@]}" why --db h.jsonl --json
  refused 2 '--explanation: only' "${history[@]}" show --db h.jsonl --explanation x.json
  refused 2 'no command' "${history[@]}" whx --db h.jsonl
}

@test "history why ignores an explanation of another figure, and names a damaged one" {
  local data=$tests/data/explain history=("$wsbench" history)
  svm_document a.json run-a 6.1.0-56-cloud-amd64 1524
  svm_document b.json run-b 7.3.4+deb13-cloud-amd64 1429
  "${history[@]}" add --quiet --db h.jsonl a.json b.json
  "${history[@]}" add --quiet --db h.jsonl --explanation "$data/svm-hypercall-6.1.json" --explanation "$data/svm-hypercall-7.3.json"
  run_apart "${history[@]}" why --db h.jsonl
  [ "$status" = 0 ]
  [[ $stdout == *'not explained'*'1 kept explanations are of other figures'* ]]
  echo damaged >h.jsonl.explanations/lab-x86_64-svm/7.3.4+deb13-cloud-amd64/hypercall.default.json.gz
  run_apart "${history[@]}" why --db h.jsonl
  [ "$status" = 4 ]
  [[ $stderr == *hypercall.default.json.gz* ]]
  refused 2 'worldswitch.explanation' "${history[@]}" add --db h.jsonl --explanation a.json
}

# Steps of Debian's kernels whose commit is known. data/steps.jsonl was made by
# `scripts/sweep.sh --why`; its changelog is an excerpt.
@test "history why finds the commits of known steps by their titles" {
  cp -r "$tests"/data/steps.jsonl* .
  run_apart "$wsbench" history why --db steps.jsonl
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  while IFS='|' read -r after strength title; do
    awk -v after="after $after" 'index($0, after) { on = 1; print; next } /, after / { on = 0 } on' <<<"$stdout" >of_step
    grep -qE "^    $strength +[0-9.]+ .*$title" of_step || { echo "not found: $title" && return 1; }
  done <"$tests/data/steps.expected"
}

@test "history why --tree: the commits that changed the functions" {
  local git=(git -C tree -c user.name=a -c user.email=a@example.org -c commit.gpgsign=false)
  cp -r "$tests"/data/steps.jsonl* .
  mkdir -p tree/arch/x86/kvm && "${git[@]}" init -q
  cat >tree/arch/x86/kvm/lapic.c <<'C'
/* kvm_lapic_update_cr8_intercept(vcpu) is only mentioned here. */
static void kvm_lapic_update_cr8_intercept(struct kvm_vcpu *vcpu);

static void apic_update_ppr(struct kvm_lapic *apic)
{
	first(apic);
}

static void kvm_lapic_update_cr8_intercept(struct kvm_vcpu *vcpu)
{
	second(vcpu);
}
C
  # Another architecture has a function of this name, and so have the tools.
  mkdir -p tree/arch/alpha tree/tools
  tee tree/arch/alpha/a.c tree/tools/t.c >/dev/null <<'C'
void kvm_lapic_update_cr8_intercept(void)
{
	third(1);
}
C
  "${git[@]}" add . && "${git[@]}" commit -qm "KVM: before" && "${git[@]}" tag v6.12.113
  sed -i 's/third(1)/third(2)/' tree/arch/alpha/a.c tree/tools/t.c && "${git[@]}" commit -qam "alpha: unrelated"
  sed -i 's/second(vcpu)/second(vcpu, 1)/' tree/arch/x86/kvm/lapic.c && "${git[@]}" commit -qam "KVM: x86: the cause"
  sed -i 's/first(apic)/first(apic, 1)/' tree/arch/x86/kvm/lapic.c && "${git[@]}" commit -qam "KVM: x86: one of two"
  sed -i 's/first(apic, 1)/first(apic, 2)/' tree/arch/x86/kvm/lapic.c && "${git[@]}" commit -qam "KVM: x86: two of two"
  "${git[@]}" commit -q --allow-empty -m "KVM: unrelated" && "${git[@]}" tag v6.12.115
  run_apart "$wsbench" history why --db steps.jsonl --on lab:x86_64-svm --since 6.12.113+deb12-cloud-amd64 --tree tree
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  grep -qE '^    certain +[0-9a-f]+  KVM: x86: the cause$' <<<"$stdout"
  grep -qE '^    likely +[0-9a-f]+  KVM: x86: one of two$' <<<"$stdout"
  grep -qE '^    likely +[0-9a-f]+  KVM: x86: two of two$' <<<"$stdout"
  [[ $stdout != *unrelated* ]]
  [[ $stdout == *'of 7 functions, the 7 largest changes were searched; 5 are not in the tree'* ]]
  # A tree without the commits, and what is not a tree.
  "${git[@]}" tag -d v6.12.115 >/dev/null
  run_apart "$wsbench" history why --db steps.jsonl --on lab:x86_64-svm --since 6.12.113+deb12-cloud-amd64 --tree tree
  [ "$status" = 4 ]
  [[ $stderr == *'tree: no commit v6.12.115'* ]]
  mkdir empty
  refused 2 '--tree empty: not a git tree' "$wsbench" history why --db steps.jsonl --tree empty
}

@test "history why --missing: the explanations that steps lack" {
  svm_document a.json run-a 6.1.0-56-cloud-amd64 1524
  svm_document b.json run-b 7.3.4+deb13-cloud-amd64 1428
  "$wsbench" history add --quiet --db h.jsonl a.json b.json --explanation "$tests/data/explain/svm-hypercall-6.1.json"
  run_apart "$wsbench" history why --db h.jsonl --missing
  [ "$status" = 0 ]
  grep -qxF 'lab:x86_64-svm 7.3.4+deb13-cloud-amd64 hypercall default' <<<"$stdout"
  [[ $stdout != *'6.1.0-56-cloud-amd64 hypercall'* ]]
  run_apart "$wsbench" history add --db h.jsonl --explanation "$tests/data/explain/svm-hypercall-7.3.json"
  [ "$stderr" = 'wsbench: kept 1 explanation in h.jsonl.explanations' ]
  run_apart "$wsbench" history why --db h.jsonl --missing
  [ "$status" = 0 ]
  [[ $stdout != *hypercall* ]]
  # What no run of explain could add is not asked for: a row that depends on where it waits, one
  # with two vCPUs, several vCPUs, a lab with two CPUs, and a benchmark of another version.
  for change in name=timer_overshoot_posix name=ipi_busy config=default@vcpus=2 target=lab:x86_64-svm-smp name=gone \
    name=cpuid; do
    rm -rf h.jsonl*
    for doc in a b; do
      python3 - $doc.json $change <<'END' >$doc$doc.json
import json, sys
path, change = sys.argv[1:]
d = json.load(open(path))
what, value = change.split("=", 1)
d["benchmarks"] = d["benchmarks"][:1]
(d["target"] if what == "target" else d["benchmarks"][0])["name" if what == "target" else what] = value
print(json.dumps(d))
END
    done
    "$wsbench" history add --quiet --db h.jsonl aa.json bb.json
    run_apart "$wsbench" history why --db h.jsonl --missing
    echo "$change: $stdout$stderr"
    [ "$status" = 0 ]
    [ -z "$stdout" ] || [ $change = name=cpuid ]
  done
  [ "$(wc -l <<<"$stdout")" = 2 ]
  refused 2 "--missing: only for 'history why'" "$wsbench" history check --db h.jsonl --missing
  refused 2 "not a changelog" "$wsbench" history add --db h.jsonl --changelog a.json
}
