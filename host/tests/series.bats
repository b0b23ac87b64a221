#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# scripts/ci/series.sh: a table of what each commit of a series costs. The kernels are
# stand-ins: a commit's figure, or why it fails, is the text of its file `version`.
bats_require_minimum_version 1.5.0
load helper

git_quiet() {
  git -c user.name=test -c user.email=test@example.org -c commit.gpgsign=false "$@" >/dev/null 2>&1
}

# commits WORD...: a repository whose n-th commit has the n-th word in `version`, and as its
# title; on the branch `work`.
commits() {
  local word
  git_quiet init -b work repo
  for word; do
    echo "$word" >repo/version
    git_quiet -C repo add version
    git_quiet -C repo commit --allow-empty -m "set $word"
  done
}

# A wsbench whose `run` reports the figures that the kernel image, a text file, contains;
# the other commands are real. Each run is a line of `runs`.
stand_in() {
  cat >stand-in <<END
#!/usr/bin/env bash
[ "\$1" = run ] || exec "$wsbench" "\$@"
while [ \$# -gt 0 ]; do
  case \$1 in --kernel) kernel=\$2 ;; -o) out=\$2 ;; --commit) commit=\$2 ;; --on) target=\$2 ;; esac
  shift
done
echo "\$target \$(cat "\$kernel")" >>"$PWD/runs"
if grep -q panic "\$kernel"; then
  echo "wsbench: error: \$target: the kernel did not boot: panic" >&2
  exit 4
fi
exec python3 - "$tests/result_v1.json" "\$kernel" "\$out" "\$commit" "\$target" <<'PY'
import json, sys
base, kernel, out, commit, target = sys.argv[1:]
value = open(kernel).read().strip()
d = json.load(open(base))
d["run"].update(id=commit + value, partial=False)
d["subject"] = {"kernel": "6.1.0-made-up", "label": None, "commit": commit}
d["target"].update(name=target, exact=True)
b = next(b for b in d["benchmarks"] if b["metrics"])
if value == "skipped":
    b.update(status="skip", reason="no such register", metrics=[])
else:
    m = b["metrics"][0]
    m.update(name="round_trip", unit="insns", boots=m["boots"][:1])
    low, high = map(float, (value.split("-") * 2)[:2])
    m["estimate"].update(value=low, ci={"level": 1, "lo": low, "hi": high, "method": "exact"})
    m["boots"][0].update(valid=True, reject_reason=None)
    m["boots"] = [m["boots"][0] | {"summary": dict.fromkeys(m["boots"][0]["summary"], float(v)) | {"n": 1}}
                  for v in dict.fromkeys((low, high))]
    b.update(status="ok", reason=None, metrics=[m])
    # Counts are of all boots.
    b["exits"] = {k: v * len(m["boots"]) if v and v > 0 else v for k, v in b["exits"].items()}
b.update(name="hypercall", config="default")
d["benchmarks"] = [b]
json.dump(d, open(out, "w"))
PY
END
  chmod +x stand-in
  export WSBENCH=$PWD/stand-in
}

# series OPTION...: of all commits of repo but the first, in it.
series() {
  cd repo || return
  run_apart "$top/scripts/ci/series.sh" "$(git rev-list --max-parents=0 work)..work" -o ../out --bench hypercall \
    --build '! grep -q no-build version || { echo "kvm.c:1: error: no semicolon"; exit 1; }; mkdir -p ../k; cp version ../k/vmlinuz' \
    --kernel ../k/vmlinuz --explain-rows 0 "$@"
  cd .. || return
  echo "exit code $status: $stdout$stderr"
}

# line WORD: the line of the table of the commit that sets WORD, single spaces.
line() {
  grep -F "set $1" <<<"$stdout" | tr -s ' ' | cut -d ' ' -f 2-
}

@test "series: a row for each commit, with the difference to the commit measured before" {
  stand_in
  commits 100 no-build 130 panic 120 120
  series
  [ "$status" = 4 ]
  [ "$(line 100)" = "100 set 100" ]
  [ "$(line no-build)" = "does not build: kvm.c:1: error: no semicolon set no-build" ]
  [ "$(line 130)" = "130 (+30) set 130" ]
  [ "$(line panic)" = "does not boot: lab:x86_64-svm: the kernel did not boot: panic set panic" ]
  [ "$(line 120)" = "120 (-10) set 120
120 set 120" ]
  [ "$(git -C repo symbolic-ref HEAD)" = refs/heads/work ]
  [ -z "$(git -C repo status --porcelain)" ]
  # Again: nothing is built, and the table is the same.
  local first=$stdout runs
  runs=$(wc -l <runs)
  series
  [ "$stdout" = "$first" ]
  [ "$(wc -l <runs)" = "$runs" ]
  [[ $stderr != *built* ]]
}

@test "series: resumes with more commits and more labs; --retry repeats what failed" {
  stand_in
  commits 100 panic 110
  series
  [ "$(wc -l <runs)" = 3 ]
  echo 105 >repo/version
  git_quiet -C repo commit -am "set 105"
  series --on lab:x86_64-svm,lab:x86_64-vmx
  # The new commit on one lab, and all commits on the other.
  [ "$(sort runs | uniq -c | tr -s ' ' | paste -s -d ,)" = " 1 lab:x86_64-svm 100, 1 lab:x86_64-svm 105, 1 lab:x86_64-svm 110, 1 lab:x86_64-svm panic, 1 lab:x86_64-vmx 100, 1 lab:x86_64-vmx 105, 1 lab:x86_64-vmx 110, 1 lab:x86_64-vmx panic" ]
  [ "$(grep -c 'built in' <<<"$stderr")" = 1 ]
  [ "$(line 105)" = "105 (-5) set 105
105 (-5) set 105" ]
  series --retry
  [ "$(grep -c 'svm panic' runs)" = 2 ]
  [ "$(grep -c 'svm 110' runs)" = 1 ]
  # Documents of other options are not mixed.
  cd repo
  refused 2 "out has a series of other options: --config" \
    "$top/scripts/ci/series.sh" work~1..work -o ../out --bench hypercall --config pmu-off --build x --kernel x
}

@test "series: Ctrl-C ends what runs, and checks the branch out again" {
  stand_in
  commits 100 101 102 103
  cd repo || return
  # The third build hangs, once. A terminal sends SIGINT to the whole group.
  local run=("$top/scripts/ci/series.sh" "$(git rev-list --max-parents=0 work)..work" -o ../out --bench hypercall
    --build 'cp version ../image; grep -q 102 version && [ ! -e ../sleeper ] || exit 0; sleep 300 & echo $! >../sleeper; wait'
    --kernel ../image --explain-rows 0)
  python3 - "${run[@]}" <<'END'
import os, signal, subprocess, sys, time
p = subprocess.Popen(sys.argv[1:], start_new_session=True, stdin=subprocess.DEVNULL)
for _ in range(600):
    if os.path.exists("../sleeper") and os.path.getsize("../sleeper"):
        break
    time.sleep(0.1)
os.killpg(p.pid, signal.SIGINT)
open("../code", "w").write(str(p.wait(timeout=60)))
END
  [ "$(cat ../code)" = 130 ]
  [ "$(git symbolic-ref HEAD)" = refs/heads/work ]
  [ "$(cat version)" = 103 ]
  # A process that was killed can be a zombie for a while.
  local i state
  for ((i = 0; i < 100; i++)); do
    state=$(awk '/^State:/ { print $2 }' "/proc/$(cat ../sleeper)/status" 2>/dev/null || true)
    case $state in '' | Z) break ;; esac
    sleep 0.1
  done
  [ "$i" -lt 100 ]
  # Finished commits stay; the interrupted commit is built again.
  [ "$(wc -l <../runs)" = 2 ]
  run_apart "${run[@]}"
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ "$(wc -l <../runs)" = 4 ]
  [ "$(line 102)" = "102 (+1) set 102" ]
}

@test "series: a build that leaves changes: the branch cannot be checked out again, which is not success" {
  stand_in
  commits 100 101 102
  cd repo
  run_apart "$top/scripts/ci/series.sh" work~2..work~1 -o ../out --bench hypercall --explain-rows 0 \
    --build 'cp version ../image; [ $(cat version) = 100 ] || echo changed >version' --kernel ../image
  echo "exit code $status: $stdout$stderr"
  [ "$status" = 4 ]
  [[ $stderr == *'work could not be checked out again (git checkout work)'* ]]
}

@test "series: a comparison that breaks off is repeated; a table that cannot be written" {
  stand_in
  commits 100 110
  sed -i '1a\[ "$1" != compare ] || [ ! -e "$BATS_TEST_TMPDIR/broken" ] || { printf "{\\"rows\\": ["; echo "wsbench: error: cannot write: No space left" >\&2; exit 4; }' stand-in
  export BATS_TEST_TMPDIR
  touch "$BATS_TEST_TMPDIR/broken"
  series
  [ "$status" = 4 ]
  [[ $stdout == *'not compared: cannot write: No space left'* ]]
  [[ $stderr != *Traceback* ]]
  rm "$BATS_TEST_TMPDIR/broken"
  series
  [ "$status" = 0 ]
  [ "$(line 110)" = "110 (+10) set 110" ]
  # shellcheck disable=SC2016  # for the inner shell
  run_apart bash -c 'cd repo && "$@" >/dev/full' x "$top/scripts/ci/series.sh" work~1..work -o ../out --bench hypercall --explain-rows 0 \
    --build "$(sed -n 's/^--build //p' out/settings)" --kernel "$(sed -n 's/^--kernel //p' out/settings)"
  echo "exit code $status: $stderr"
  [ "$status" = 4 ]
}

@test "series: a detached HEAD is restored; changes, and a second series, are refused" {
  stand_in
  commits 100 101 102
  local at
  at=$(git -C repo rev-parse work~1)
  git_quiet -C repo checkout "$at"
  series
  [ "$status" = 0 ]
  [ "$(git -C repo rev-parse HEAD)" = "$at" ]
  run ! git -C repo symbolic-ref -q HEAD
  echo changed >repo/version
  series
  [ "$status" = 2 ]
  one_line "$stderr"
  [[ $stderr == *"the tree has changes"* ]]
  [ "$(cat repo/version)" = changed ]
  git_quiet -C repo checkout version
  flock repo/.git/worldswitch-series.lock sleep 5 &
  sleep 0.5
  series
  [[ $stderr == *"another series.sh works in"* ]]
}

@test "series: Markdown; a benchmark without a figure; functions that cannot be explained" {
  stand_in
  commits 100 107 107-108 skipped
  series --markdown --explain-rows 1
  [ "$status" = 4 ]
  grep -qx '### lab:x86_64-svm' <<<"$stdout"
  grep -qx '| commit | title | hypercall | functions |' <<<"$stdout"
  grep -qE '^\| [0-9a-f]{12} \| set 107 \| 107 \(\+7\) \| not explained: base: ' <<<"$stdout"
  # Boots that differ are a range, which overlaps the figure of the commit before.
  grep -qE '^\| [0-9a-f]{12} \| set 107-108 \| 107 to 108 \|' <<<"$stdout"
  grep -qE '^\| [0-9a-f]{12} \| set skipped \|  \| not measured: no such register \|$' <<<"$stdout"
}

@test "series: a benchmark that changes its handler, or loses its figure, is shown" {
  stand_in
  # Ten benchmarks, of which the first changes: more than the table has room for.
  cat >wrapped <<END
#!/usr/bin/env bash
[ "\$1" = run ] || exec "$PWD/stand-in" "\$@"
"$PWD/stand-in" "\$@" || exit
for last; do :; done
exec python3 - "\$last" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
b, = d["benchmarks"]
value = b["metrics"][0]["estimate"]["value"]
rows = []
for i in range(10):
    row = json.loads(json.dumps(b))
    row["name"] = f"made_{i}"
    row["exits"]["faults"] = 0
    row["handled_by"] = "user" if i == 8 and value == 200 else "kernel"
    if i == 9 and value == 300:
        row.update(status="fail", reason="guest hung", metrics=[])
    for m in row["metrics"]:
        m["estimate"].update(value=100.0, ci={"level": 1, "lo": 100.0, "hi": 100.0, "method": "exact"})
        for boot in m["boots"]:
            boot["summary"] = dict.fromkeys(boot["summary"], 100.0) | {"n": 1}
    rows.append(row)
d["benchmarks"] = rows
json.dump(d, open(sys.argv[1], "w"))
PY
END
  chmod +x wrapped
  WSBENCH=$PWD/wrapped
  commits 100 200 300
  series
  [ "$status" = 4 ]
  grep -qE 'made_8 .*made_9' <<<"$stdout"
  [[ $(line 200) == *"100 (changed)"* ]]
  [[ $(line 300) == *"fail"* ]]
  grep -q 'made_9: no figure' <<<"$stdout"
  run ! grep -q 'did not change: .*made_[89]' <<<"$stdout"
}

@test "series: the build of a tree is make with the configuration of the series" {
  stand_in
  commits 100 101
  cd repo
  cat >Makefile <<'END'
.NOTPARALLEL:
olddefconfig:
	echo CONFIG_NEW=y >>$(O)/.config
bzImage modules:
	mkdir -p $(O)/arch/x86/boot $(O)/arch/x86/kvm
	grep -c NEW $(O)/.config >>$(O)/../new
	cp version $(O)/arch/x86/boot/bzImage
	printf 'depends=\0' >$(O)/arch/x86/kvm/kvm-amd.ko
	echo arch/x86/kvm/kvm-amd.o >$(O)/modules.order
END
  git_quiet add Makefile
  git_quiet commit -m Makefile
  echo 102 >version
  git_quiet commit -am "set 102"
  refused 2 "no $(dirname "$PWD")/b/.config (wsbench kernel config" \
    "$top/scripts/ci/series.sh" work~1..work -o ../out --build-dir ../b
  mkdir ../b
  echo CONFIG_KVM=m >../b/.config
  run_apart "$top/scripts/ci/series.sh" work~1..work -o ../out --build-dir ../b --bench hypercall --explain-rows 0
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ "$(line 102)" = "102 (+1) set 102" ]
  # Every commit begins with the configuration of the series, which is there at the end.
  run ! grep -vx 1 ../new
  [ "$(cat ../b/.config)" = CONFIG_KVM=m ]
  [ -f ../out/kernels/"$(git rev-parse work)"/modules/kvm-amd.ko ]
  echo CONFIG_OTHER=y >>../b/.config
  refused 2 "is not $(dirname "$PWD")/out/config" \
    "$top/scripts/ci/series.sh" work~1..work -o ../out --build-dir ../b --bench hypercall --explain-rows 0
}

@test "series: --modules-only keeps the image, builds in the distribution's configuration, and refuses other changes" {
  stand_in
  command -v dpkg >/dev/null || skip "no dpkg here"
  [ "$arch" = x86_64 ] || skip "the stand-in modules are made by this machine's tools"
  local release=6.1.0-9-cloud-amd64 kernel
  export WORLDSWITCH_CACHE=$PWD/cache
  kernel=$WORLDSWITCH_CACHE/kernels/x86_64/$release
  mkdir -p "$kernel/modules" headers/include/config
  echo 900 >"$kernel/vmlinuz"
  echo "$release" | tee "$kernel/release" >headers/include/config/kernel.release
  echo "linux-image-$release 6.1.9-1 bookworm" >"$kernel/package"
  gcc -c -x c /dev/null -o object.o
  for module in kvm kvm-amd irqbypass; do cp object.o "$kernel/modules/$module.ko"; done
  echo '0x1 printk vmlinux' >headers/Module.symvers
  commits 1
  cd repo
  mkdir -p arch/x86/kvm virt/kvm mm scripts include
  touch scripts/x include/x
  cat >Makefile <<'END'
VERSION = 6
PATCHLEVEL = 1
SUBLEVEL = 9
modules:
	test -f $(O)/Module.symvers && grep -q 6.1.0-9 $(O)/include/config/kernel.release
	! grep -q missing $(M)/kvm.c
	for m in kvm kvm-amd kvm-intel; do cp ../../object.o $(M)/$$m.ko; done
	objcopy --add-section .mark=$(M)/kvm.c $(M)/kvm.ko
END
  echo one >arch/x86/kvm/kvm.c
  echo v >virt/kvm/v.c
  git_quiet add .
  git_quiet commit -m base
  echo two >arch/x86/kvm/kvm.c
  git_quiet commit -am "set two"
  echo x >mm/slub.c
  git_quiet add mm
  git_quiet commit -m "set slub"
  # KVM alone, but on top of the change of the image.
  echo three >arch/x86/kvm/kvm.c
  git_quiet commit -am "set three"
  git_quiet rm -q mm/slub.c
  git_quiet commit -m "set removed"
  echo missing >arch/x86/kvm/kvm.c
  git_quiet commit -am "set missing"
  sed -i 's/SUBLEVEL = 9/SUBLEVEL = 8/' Makefile
  git_quiet commit -am other
  local run=("$top/scripts/ci/series.sh" -o ../out --bench hypercall --explain-rows 0 --modules-only "$release" --headers ../headers)
  refused 2 "$release is built from Linux 6.1.9, and the tree is Linux 6.1.8" "${run[@]}" work~0..work
  run_apart "${run[@]}" work~6..work~1
  echo "$stdout$stderr"
  [ "$status" = 4 ]
  [[ $stdout == *"$release as the distribution built it"* ]]
  [[ $(line slub) == "does not build: changes mm/slub.c, which is part of the image"* ]]
  [[ $(line three) == "does not build: changes mm/slub.c, which is part of the image"* ]]
  [[ $(line missing) == "does not build: "* ]]
  [[ $(line two) == "900 set two" ]]
  # The image and the other modules are the distribution's.
  local built
  built=../out/kernels/$(git rev-parse work~5)
  cmp "$built/vmlinuz" "$kernel/vmlinuz"
  cmp "$built/modules/irqbypass.ko" "$kernel/modules/irqbypass.ko"
  [ "$(objcopy -O binary -j .mark --set-section-flags .mark=alloc "$built/modules/kvm.ko" /dev/stdout)" = two ]
  [ "$(git symbolic-ref HEAD)" = refs/heads/work ]
}

@test "series: bad usage" {
  commits 100 101
  cd repo
  local run=("$top/scripts/ci/series.sh")
  refused 2 "BASE..HEAD and -o DIR are needed" "${run[@]}"
  refused 2 "unknown argument --xyzzy" "${run[@]}" --xyzzy
  refused 2 "no commit xyzzy" "${run[@]}" xyzzy..work -o out
  refused 2 "--explain-rows x: not a number" "${run[@]}" work~1..work -o out --explain-rows x
  refused 2 "--build needs --kernel" "${run[@]}" work~1..work -o out --build true
  refused 2 "labs of one architecture" "${run[@]}" work~1..work -o out --on lab:x86_64-svm,lab:aarch64-vhe
  refused 2 'no lab "kvm"' "${run[@]}" work~1..work -o out --on kvm
  refused 2 'no lab "lab:x86_64-svn"' "${run[@]}" work~1..work -o out --on lab:x86_64-svm,lab:x86_64-svn
  refused 2 '--on: no lab' "${run[@]}" work~1..work -o out --on ''
  # Before a build.
  refused 2 "no benchmark matches 'xyzzy'" "${run[@]}" work~1..work -o out --bench 'null,xyzzy'
  refused 2 "no config matches 'xyzzy'" "${run[@]}" work~1..work -o out --config 'pmu-*,xyzzy'
  # A mitigation is not among those of a glob that begins with a wildcard, as for wsbench run.
  refused 2 "no config matches '*itigations-off'" "${run[@]}" work~1..work -o out --config '*itigations-off'
  refused 4 'cannot write to version' "${run[@]}" work~1..work -o version
  cd "$BATS_TEST_TMPDIR/cwd"
  refused 2 "not in a git tree" env GIT_CEILING_DIRECTORIES="$(dirname "$PWD")" "${run[@]}" work~1..work -o out
}
