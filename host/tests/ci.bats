#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The scripts for CI: bisection by wsbench compare, the gate, kernels of a built tree.
bats_require_minimum_version 1.5.0
load helper

cache=$(cache_dir)/kernels/aarch64
target=lab:aarch64-vhe

git_quiet() {
  git -c user.name=test -c user.email=test@example.org -c commit.gpgsign=false "$@" >/dev/null 2>&1
}

# commits WORD...: a repository whose n-th commit has the n-th word in `version`.
commits() {
  local word
  git_quiet init -b main repo
  for word; do
    echo "$word" >repo/version
    git_quiet -C repo add version
    git_quiet -C repo commit --allow-empty -m "$word"
  done
}

# bisect OPTION...: the first commit is good, the last bad; sets $found to the word of the
# first bad commit.
bisect() {
  cd repo || return
  git bisect start HEAD "$(git rev-list --max-parents=0 HEAD)" >/dev/null 2>&1
  run_apart git bisect run "$top/scripts/ci/bisect.sh" "$@"
  echo "$stdout"
  echo "$stderr"
  found=$(git show -s --format=%s refs/bisect/bad)
  cd ..
}

@test "bisect finds the kernel that made hypercalls longer" {
  need_target "$target"
  local old new
  mapfile -t old < <(cd "$cache" && printf '%s\n' 6.1.*-cloud-* | sort -V | tail -n 4)
  mapfile -t new < <(cd "$cache" && printf '%s\n' 6.12.*-cloud-* | sort -V | head -n 3)
  [ -f "$cache/${old[0]}/vmlinuz" ] && [ -f "$cache/${new[0]}/vmlinuz" ] ||
    skip "it takes a kernel of 6.1 and one of 6.12: scripts/kernel.sh fetch --arch aarch64 --series 6.12"
  # git does not test the first and the last commit: the bad commit is another one.
  commits "${old[0]}" "${old[@]}" "${new[@]}" "${new[-1]}"
  "$wsbench" run --quiet --on "$target" --bench hypercall --kernel "${old[0]}" -o good.json >/dev/null
  # The build copies a kernel from the cache.
  bisect --base ../good.json --on "$target" --bench hypercall --threshold 10% --keep ../kept \
    --build 'rm -rf ../k; cp -r '"$cache"'/$(cat version) ../k' --kernel ../k/vmlinuz
  [ "$status" = 0 ]
  [ "$found" = "${new[0]}" ]
  # The functions behind it: the figure of each bad commit is explained.
  [[ $stdout =~ 'is bad'.*'bisect:   hypercall: +'[0-9]+' insns'.*'bisect:    '\ +[+-][0-9]+' '[a-z_]+ ]]
  # The document names the commit.
  holds "kept/$(git -C repo rev-parse refs/bisect/bad).json" \
    'd["subject"]["kernel"] == "'"${new[0]}"'" and len(d["subject"]["commit"]) == 40'
}

# A wsbench whose `run` reports the figures that the kernel image, a text file, contains;
# the other commands are real.
stand_in() {
  cat >stand-in <<END
#!/usr/bin/env bash
[ "\$1" = run ] || exec "$wsbench" "\$@"
while [ \$# -gt 0 ]; do
  case \$1 in --kernel) kernel=\$2 ;; -o) out=\$2 ;; --commit) commit=\$2 ;; --on) target=\$2 ;; esac
  shift
done
exec python3 - "$tests/result_v1.json" "\$kernel" "\$out" "\$commit" "\$target" <<'PY'
import json, sys
base, kernel, out, commit, target = sys.argv[1:]
value = open(kernel).read().strip()
if value == "broken":
    sys.exit("wsbench: error: the guest crashed")
d = json.load(open(base))
d["run"].update(id=commit + value, partial=False)
d["subject"] = {"kernel": "6.1.0-made-up", "label": None, "commit": commit}
d["target"].update(name=target, exact=True)
b = next(b for b in d["benchmarks"] if b["metrics"])
m = b["metrics"][0]
m.update(name="round_trip", unit="insns", boots=m["boots"][:1])
m["estimate"].update(value=float(value), ci={"level": 1, "lo": float(value), "hi": float(value), "method": "exact"})
m["boots"][0].update(valid=True, reject_reason=None)
m["boots"][0]["summary"] = dict.fromkeys(m["boots"][0]["summary"], float(value)) | {"n": 1}
b.update(name="hypercall", config="default", status="ok", reason=None, metrics=[m])
d["benchmarks"] = [b]
json.dump(d, open(out, "w"))
PY
END
  chmod +x stand-in
  export WSBENCH=$PWD/stand-in
}

@test "bisect: undecided commits are skipped, and a threshold ignores small changes" {
  stand_in
  commits 100 101 broken 101 no-build 130 130
  echo 100 >image
  ./stand-in run --kernel image --on "$target" -o good.json
  local build_kernel='grep -q no-build version && exit 1; cp version ../image'
  bisect --base ../good.json --on "$target" --bench hypercall --build "$build_kernel" --kernel ../image --threshold 5%
  # The commit before does not build: git reports both commits as candidates.
  [[ $stdout$stderr == *"does not build: skipped"* || $found = 130 ]]
  [[ $stdout == *" is good"*"hypercall: +1 insns +1 %, within --threshold 5%"* ]]
  [[ $stdout == *" is bad"*"hypercall: +30 insns +30 %"*"bisect:   not explained: base: no kernel 6.1.0-made-up"* ]]
  [ "$found" = 130 ]
  git_quiet -C repo bisect reset
  # Without the threshold the first step of one instruction is bad.
  bisect --base ../good.json --on "$target" --bench hypercall --build "$build_kernel" --kernel ../image --explain-rows 0
  [ "$found" = 101 ]
  [[ $stdout != *explained* ]]
}

@test "bisect: bad usage ends the bisection" {
  stand_in
  echo 100 >image
  ./stand-in run --kernel image --on "$target" -o good.json
  refused 255 "--base, --on, --bench and --kernel are needed" "$top/scripts/ci/bisect.sh"
  refused 255 "unknown argument --xyzzy" "$top/scripts/ci/bisect.sh" --xyzzy
  refused 255 "--explain-rows x: not a number" "$top/scripts/ci/bisect.sh" --base good.json --on x --bench x --kernel image --explain-rows x
  for bad in 5 hyper=5% x; do
    run_apart "$top/scripts/ci/bisect.sh" --base good.json --on x --bench hypercall --kernel image --threshold "$bad"
    echo "$stderr"
    [ "$status" = 255 ]
    [[ $stderr == *"--threshold $bad: "* ]]
  done
  run_apart "$top/scripts/ci/bisect.sh" --base none.json --on x --bench x --kernel image
  [ "$status" = 255 ]
}

@test "the gate: the first run has no verdict, a regression fails and is reported" {
  stand_in
  local gate=("$top/scripts/ci/measure.sh" --kernel image --on "$target" --db h.jsonl)
  echo 100 >image
  run_apart "${gate[@]}" -o a --commit aaa
  [ "$status" = 3 ]
  run_apart "${gate[@]}" -o b --commit bbb --base a
  [ "$status" = 0 ]
  grep -q '1 same' b/comment.md
  echo 107 >image
  run_apart "${gate[@]}" -o c --commit ccc --base b
  [ "$status" = 1 ]
  [[ $stdout == *"ccc (6.1.0-made-up), after bbb (6.1.0-made-up)"*"worse"* ]]
  grep -q '| hypercall | 100 | 107 |' c/comment.md
  # The functions behind it are looked for, unless none are asked for.
  grep -q '^> not explained: base: .*6.1.0-made-up' c/comment.md
  mkdir b/kernel
  echo nothing >b/kernel/vmlinuz
  run_apart "${gate[@]}" -o c3 --commit ccc --base b --db c3.jsonl
  cat c3/comment.md
  grep -q '^> not explained: base: .*b/kernel/vmlinuz' c3/comment.md
  rm -r b/kernel
  run_apart "${gate[@]}" -o c2 --commit ccc --base b --db c2.jsonl --explain-rows 0
  [ "$status" != 2 ]
  run ! grep -q 'explained' c2/comment.md
  refused 2 '--explain-rows x: not a number' "${gate[@]}" -o c2 --base b --explain-rows x
  # Documents that cannot be compared: the comment says why.
  mkdir other
  for file in b/*.json; do
    sed 's/"fingerprint": "[^"]*"/"fingerprint": "0000000000000000"/; s/"cpu_model": [^,]*/"cpu_model": "another"/; s/"exact": true/"exact": false/' \
      "$file" >"other/${file##*/}"
  done
  run_apart "${gate[@]}" -o c4 --commit ccc --base other --db c4.jsonl
  [ "$status" = 2 ]
  grep -q "^$target: not compared: .*different machines" c4/comment.md
  # The gate reports a step once; later runs have the new level.
  run_apart "${gate[@]}" -o d --commit ddd
  [ "$status" = 0 ]
  echo broken >image
  run_apart "${gate[@]}" -o e --commit eee --base c
  [ "$status" != 0 ]
  [ "$status" != 3 ]
  grep -q 'not measured' e/comment.md
  [ "$(wc -l <h.jsonl)" = 4 ]
}

@test "the gate: bad usage, and a folder that cannot be written, are not a pass and not a regression" {
  stand_in
  local gate=("$top/scripts/ci/measure.sh" --kernel image --bench hypercall)
  echo 100 >image
  echo text >file
  refused 2 '--on: no target' "${gate[@]}" -o a --on ''
  refused 4 'cannot write to file' "${gate[@]}" -o file --on "$target"
  refused 4 'cannot write to file/a' "${gate[@]}" -o file/a --on "$target"
  run_apart "${gate[@]}" -o a --on "$target" --base none
  [ "$status" = 0 ]
  [[ $stderr == *'ci: no folder none: nothing is compared'* ]]
  # The documents of the base would be overwritten before they are read.
  cp a/*.json before
  echo 107 >image
  refused 2 '--base and -o are one folder' "${gate[@]}" -o ../cwd/a --on "$target" --base a
  cmp before a/*.json
}

@test "the gate: a run that was interrupted is neither judged nor added" {
  stand_in
  echo 100 >image
  "$top/scripts/ci/measure.sh" --kernel image --on "$target" -o a || [ $? = 3 ]
  sed -i '2a\[ "$1" != run ] || { cp a/*.json "${@: -1}"; echo "$*" >>runs; exit 130; }' stand-in
  run_apart "$top/scripts/ci/measure.sh" --kernel image --on "$target,lab:aarch64-nvhe" -o b --base a --db h.jsonl
  echo "$stdout$stderr"
  [ "$status" = 130 ]
  [ "$(wc -l <runs)" = 1 ]
  [ ! -e h.jsonl ]
}

@test "the gate: an interrupt of a comparison, or of the history, ends it, too" {
  stand_in
  local gate=("$top/scripts/ci/measure.sh" --kernel image --on "$target,lab:aarch64-nvhe" --base a) step code
  echo 100 >image
  "${gate[@]}" -o a --base '' --db h.jsonl || [ $? = 3 ]
  sed -i '1a\echo "$*" >>steps; [[ "$*" != "$STEP "* ]] || exit "$CODE"' stand-in
  for step in compare 'history add' 'history check'; do
    for code in 129 130 143; do
      rm -f steps
      run_apart env STEP="$step" CODE=$code "${gate[@]}" -o b --db h.jsonl
      echo "$step: exit code $status: $stdout$stderr"
      [ "$status" = "$code" ]
      # It was the last step.
      [[ $(tail -n 1 steps) == "$step "* ]]
    done
  done
  # A step that was killed is a failure.
  run_apart env STEP=compare CODE=137 "${gate[@]}" -o b
  [ "$status" = 4 ]
}

@test "the gate ignores regressions below a threshold, and the comment lists them" {
  stand_in
  local gate=("$top/scripts/ci/measure.sh" --kernel image --on "$target" --db h.jsonl --threshold 5%
    --fail-on distribution --fail-on 'worse?')
  echo 100 >image
  run_apart "${gate[@]}" -o a --commit aaa
  [ "$status" = 3 ]
  echo 104 >image
  run_apart "${gate[@]}" -o b --commit bbb --base a
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  grep -q '1 worse within --threshold: hypercall +4 insns (+4 %)' b/comment.md
  [[ $stdout == *"1 worse within --threshold: hypercall +4 insns (+4 %)"* ]]
  echo 112 >image
  run_apart "${gate[@]}" -o c --commit ccc --base b
  [ "$status" = 1 ]
  run ! grep -q 'within --threshold' c/comment.md
  # The last matching threshold applies; a pattern limits it to some benchmarks.
  run_apart "${gate[@]}" -o d --commit ddd --base b --threshold 'hyper*=8insns'
  [ "$status" = 0 ]
  run_apart "${gate[@]}" -o e --commit eee --base b --threshold bad
  [ "$status" = 2 ]
  [[ $stderr == *"--threshold bad: 'bad' is not an amount"* ]]
  # Before the run.
  [ ! -e e ]
}

@test "kernel.sh take copies a built kernel with the modules that KVM needs" {
  local from
  from=$(cache_dir)/kernels/x86_64/default
  [ -f "$from/modules/kvm-amd.ko" ] || skip "no kernel for x86_64 is here: make kernels"
  mkdir -p tree/arch/x86/boot tree/arch/x86/kvm tree/virt/lib tree/drivers/other
  cp "$from/vmlinuz" tree/arch/x86/boot/bzImage
  echo CONFIG_KVM=m >tree/.config
  local module
  for module in "$from"/modules/*.ko; do
    cp "$module" tree/virt/lib/
  done
  mv tree/virt/lib/kvm*.ko tree/arch/x86/kvm/
  echo none >tree/drivers/other/other.ko
  run_apart "$top/scripts/kernel.sh" take --arch x86_64 --tree tree --to k
  [ "$status" = 0 ]
  [ "$stdout" = k ]
  cmp k/vmlinuz "$from/vmlinuz"
  [ "$(ls k/modules)" = "$(ls "$from/modules")" ]
  refused 2 "has no arch/arm64/boot/Image" "$top/scripts/kernel.sh" take --arch aarch64 --tree tree --to k
  refused 2 "take needs --tree and --to" "$top/scripts/kernel.sh" take --arch x86_64
}

# made_tree MODULE[=DEPENDS]...: a fake build tree for x86_64 with these modules.
made_tree() {
  local module path depends
  rm -rf tree k
  mkdir -p tree/arch/x86/boot tree/arch/x86/kvm tree/virt/lib
  echo image >tree/arch/x86/boot/bzImage
  for module; do
    path=${module%%=*}
    depends=${module#"$path"}
    printf 'ELF\0depends=%s\0' "${depends#=}" >"tree/$path.ko"
    echo "$path.o" >>tree/modules.order
  done
  echo kernel/arch/x86/kernel/msr.ko >tree/modules.builtin
}

taken() {
  run_apart "$top/scripts/kernel.sh" take --arch x86_64 --tree tree --to k
  echo "exit code $status, stderr: $stderr"
  [ "$status" = 0 ]
  [ "$stdout" = k ]
  [ -z "$stderr" ]
}

@test "kernel.sh take copies only modules of the current configuration" {
  made_tree arch/x86/kvm/kvm=irqbypass arch/x86/kvm/kvm-amd=kvm virt/lib/irqbypass
  # A module that an earlier configuration left has the name of a current one.
  mkdir tree/a
  printf 'stale\0depends=gone\0' | tee tree/a/kvm.ko tree/a/kvm-intel.ko tree/a/irqbypass.ko >/dev/null
  taken
  [ "$(cd k/modules && echo *)" = 'irqbypass.ko kvm-amd.ko kvm.ko modules.builtin' ]
  run ! grep -q stale k/modules/*.ko

  # The format of the list in Linux 6.1 and older.
  sed -i 's/\.o$/.ko/; s,^virt,kernel/virt,' tree/modules.order
  taken
  [ "$(cd k/modules && echo *)" = 'irqbypass.ko kvm-amd.ko kvm.ko modules.builtin' ]

  rm tree/arch/x86/kvm/kvm.ko
  refused 2 'lists arch/x86/kvm/kvm.ko, which is not there' \
    "$top/scripts/kernel.sh" take --arch x86_64 --tree tree --to k
}

@test "kernel.sh take: a disk that gets full leaves the old kernel, and nothing else" {
  local limited
  mkdir -p tree/arch/x86/boot k/modules
  head -c 300000 /dev/zero >tree/arch/x86/boot/bzImage
  for file in vmlinuz config modules/kvm.ko; do echo old >"k/$file"; done
  # As a file system that has no room: a file of at most 100 KiB, and no signal.
  # shellcheck disable=SC2016  # for the inner shell
  limited=(bash -c 'trap "" XFSZ; ulimit -f 100; exec "$@"' limited)
  run_apart "${limited[@]}" "$top/scripts/kernel.sh" take --arch x86_64 --tree tree --to k
  echo "$stderr"
  [ "$status" = 4 ]
  [ "$(find k -type f | sort | xargs cat | xargs)" = "old old old" ]
  [ "$(find k -mindepth 1 | sort | xargs)" = "k/config k/modules k/modules/kvm.ko k/vmlinuz" ]
  # A folder that take made goes.
  run_apart "${limited[@]}" "$top/scripts/kernel.sh" take --arch x86_64 --tree tree --to new
  [ "$status" = 4 ]
  [ ! -e new ]
  # Nor does the shell evaluate its name.
  run_apart "${limited[@]}" "$top/scripts/kernel.sh" take --arch x86_64 --tree tree --to "it's; touch made"
  [ "$status" = 4 ]
  [ ! -e "it's; touch made" ]
  [ ! -e made ]
  # A kernel that cannot be used does not replace the old one.
  : >tree/modules.order
  refused 2 'tree has no KVM for x86_64' "$top/scripts/kernel.sh" take --arch x86_64 --tree tree --to k
  [ "$(cat k/vmlinuz k/modules/kvm.ko | xargs)" = "old old" ]
  # A folder that cannot go.
  # shellcheck disable=SC2016  # for the inner shell
  refused 2 'tree has no KVM for x86_64' sh -c 'cd k && exec "$@"' x "$top/scripts/kernel.sh" take --arch x86_64 --tree ../tree --to .
  # Two at once.
  flock k sleep 20 3>&- &
  for _ in $(seq 100); do ! flock -n k true || sleep 0.05; done
  refused 4 'another take works in k' "$top/scripts/kernel.sh" take --arch x86_64 --tree tree --to k
  kill %1
}

@test "kernel.sh take: a kernel with built-in KVM needs no modules" {
  made_tree arch/x86/kvm/kvm arch/x86/kvm/kvm-amd=kvm
  # The tree after a change to CONFIG_KVM=y: the build leaves the modules and their list.
  printf 'kernel/arch/x86/kvm/%s.ko\n' kvm kvm-amd kvm-intel >>tree/modules.builtin
  taken
  [ "$(ls k/modules)" = modules.builtin ]
  # The tree after CONFIG_MODULES=n.
  rm tree/modules.order
  taken
  [ "$(ls k/modules)" = modules.builtin ]
  # One module built in, the other a file.
  made_tree arch/x86/kvm/kvm-intel
  printf 'kernel/arch/x86/kvm/%s.ko\n' kvm kvm-amd >>tree/modules.builtin
  taken
  [ "$(cd k/modules && echo *)" = 'kvm-intel.ko modules.builtin' ]

  made_tree
  refused 2 'tree has no KVM for x86_64' "$top/scripts/kernel.sh" take --arch x86_64 --tree tree --to k
}

# A source tree of a kernel: its configuration is what it was asked for.
made_source() {
  mkdir -p source/virt/kvm
  touch source/Kbuild
  printf 'allnoconfig:\n\tcp "$(KCONFIG_ALLCONFIG)" $(or $(O),.)/.config\n' >source/Makefile
}

# Commands of this machine without flex, and with it.
no_flex() {
  mkdir -p commands
  find /usr/bin /bin -maxdepth 1 -name '[!.]*' -exec ln -sft commands {} +
  rm -f commands/flex
}

@test "kernel config writes the small configuration of an architecture, and says how to go on" {
  local arch image name
  made_source
  no_flex
  for tool in flex bison bc gcc aarch64-linux-gnu-gcc x86_64-linux-gnu-gcc; do
    ln -sf /bin/true "commands/$tool"
  done
  export PATH=$PWD/commands
  for arch in x86_64:x86:bzImage aarch64:arm64:Image; do
    IFS=: read -r arch name image <<<"$arch"
    run_apart "$wsbench" kernel config --arch "$arch" --tree source --to "build-$arch"
    echo "$stdout$stderr"
    [ "$status" = 0 ]
    grep -qx CONFIG_ADVISE_SYSCALLS=y "build-$arch/.config"
    [[ ${stdout%%$'\n'*} == "make -C source O=$PWD/build-$arch ARCH="*" LOCALVERSION= -s -j"*" $image modules" ]]
    # By the name that the program was called.
    [ "${stdout##*$'\n'}" = "$wsbench kernel take --arch $arch --tree build-$arch --to base" ]
    [ "$arch" = "$(uname -m)" ] || [[ $stdout == *" CROSS_COMPILE=${arch//_/-}-linux-gnu- "* ]]
  done
  grep -qx CONFIG_X86_LOCAL_APIC=y build-x86_64/.config
  grep -qx CONFIG_ARM_PMUV3=y build-aarch64/.config
  run ! grep -q CONFIG_X86 build-aarch64/.config
  # In the tree itself.
  run_apart "$wsbench" kernel config --arch aarch64 --tree source
  [ -s source/.config ]
  [[ $stdout == "make -C source ARCH=arm64 "* ]]
}

@test "kernel config: what a build lacks is one line; other folders are refused" {
  made_source
  refused 2 "config needs --tree" "$wsbench" kernel config
  refused 2 "repo is not the source tree of a kernel" "$wsbench" kernel config --tree repo
  no_flex
  refused 4 "missing for the build of a kernel: flex" env PATH="$PWD/commands" "$wsbench" kernel config --tree source
  [ ! -e source/.config ]
  printf 'allnoconfig:\n\t@echo "init/Kconfig:1: syntax error" >&2; exit 1\n' >source/Makefile
  ln -sf /bin/true commands/flex
  for tool in bison bc gcc; do ln -sf /bin/true "commands/$tool"; done
  refused 4 "make allnoconfig in source: " env PATH="$PWD/commands" "$wsbench" kernel config --arch "$(uname -m)" --tree source
}

@test "the workflows are YAML, and run scripts that exist" {
  python3 -c 'import yaml' 2>/dev/null || skip "no Python with yaml here"
  python3 - "$top" <<'END'
import os, re, sys, yaml
top = sys.argv[1]
for name in ("github.yml", "gitlab.yml"):
    path = os.path.join(top, "scripts/ci", name)
    with open(path) as f:
        text = f.read()
    assert isinstance(yaml.safe_load(text), dict)
    used = set(re.findall(r"worldswitch/(scripts/\S+)", text))
    assert used and all(os.access(os.path.join(top, u.rstrip(')"')), os.X_OK) for u in used), used
END
}

# ci_run SUMMARY CODE CLEANROOM: runs .ci/run with a `make test` that prints SUMMARY and
# exits with CODE, and a clean room that exits with CLEANROOM; sets $last to the last line.
ci_run() {
  rm -rf ci
  mkdir -p ci/.ci ci/scripts
  cp "$top/.ci/run" ci/.ci
  printf 'test:\n\t@echo "%s"; exit %s\n' "$1" "$2" >ci/Makefile
  printf '#!/bin/sh\n' >ci/scripts/setup.sh
  printf '#!/bin/sh\necho clean room; exit %s\n' "$3" >ci/scripts/cleanroom.sh
  chmod +x ci/scripts/*
  run_apart ci/.ci/run
  echo "exit code $status, stdout: $stdout, stderr: $stderr"
  last=${stdout##*$'\n'}
}

@test "the clean room counts as one test" {
  ci_run "7 passed, 0 failed, 2 skipped" 0 0
  [ "$status" = 0 ]
  [ "$last" = "8 passed, 0 failed, 2 skipped" ]
  ci_run "7 passed, 0 failed, 2 skipped" 0 77
  [ "$status" = 0 ]
  [ "$last" = "7 passed, 0 failed, 3 skipped" ]
  ci_run "7 passed, 0 failed, 2 skipped" 0 1
  [ "$status" = 1 ]
  [ "$last" = "7 passed, 1 failed, 2 skipped" ]
  ci_run "7 passed, 3 failed, 2 skipped" 1 0
  [ "$status" = 1 ]
  [ "$last" = "8 passed, 3 failed, 2 skipped" ]
  # No test ran: the build failed.
  ci_run "no such file" 2 0
  [ "$status" = 1 ]
  [ "$last" = "1 passed, 1 failed, 0 skipped" ]
}

@test "the clean room is skipped with a reason without root; bad usage" {
  refused 2 'unknown argument --xyzzy' "$top/scripts/cleanroom.sh" --xyzzy
  refused 2 '--without needs a value' "$top/scripts/cleanroom.sh" --without
  local nobody=(setpriv --reuid=65534 --clear-groups)
  [ "$(id -u)" = 0 ] || nobody=()
  "${nobody[@]}" test -r "$top/scripts/cleanroom.sh" || skip "only root can read the source tree"
  refused 77 'skipped: not root' "${nobody[@]}" "$top/scripts/cleanroom.sh"
  nothing_left
}

@test "the clean room fails if scripts/packages names no target, or one that is not there" {
  mkdir -p copy/scripts room/root/worldswitch/results/runs/1
  cp "$top"/scripts/{apt-private,places,progress}.sh copy/scripts/
  # The functions alone.
  sed '/^case \${1:-} in/,$d' "$top/scripts/cleanroom.sh" >copy/scripts/cleanroom.sh
  cat >check <<'END'
. copy/scripts/cleanroom.sh
in_room() { echo lab:x86_64-svm; }
check_target() { echo "checked $1"; }
room=$PWD/room log=$PWD/log bad=0
: >room/root/worldswitch/results/runs/1/picture.svg
echo report >room/root/worldswitch/results/runs/1/report.html
check_bench
exit "$bad"
END
  printf '%%base\ngcc # bare:x86_64, lab:x86_64-svm\n' >copy/scripts/packages
  run_apart bash check
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  [ "$stdout" = "cleanroom: FAILED: bare:x86_64: named in scripts/packages, but wsbench has no such target
checked lab:x86_64-svm" ]
  printf '%%base\ngcc # lab:x86_64-svm\n' >copy/scripts/packages
  run_apart bash check
  [ "$status" = 0 ]
  [ "$stdout" = "checked lab:x86_64-svm" ]
  printf '%%base\ngcc # the compiler\n' >copy/scripts/packages
  run_apart bash check
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  [ "$stdout" = "cleanroom: FAILED: scripts/packages names no target" ]
}

@test "make format leaves alone what check format leaves alone" {
  [ -e "$top/.git" ] || skip "not a git tree"
  mkdir bin
  # shellcheck disable=SC2016  # for the stand-in
  printf '#!/bin/sh\nfor f; do echo "$f"; done >>"%s/formatted"\n' "$PWD" >bin/clang-format
  chmod +x bin/clang-format
  PATH=$PWD/bin:$PATH make -s -C "$top" format
  grep -qx host/cli/main.c formatted
  run ! grep host/targets/lab/bochs/overlay formatted
}

# one_make: a tree, and in `make` a command that makes in it. Its inner make is a stand-in, which
# notes when it runs, and is a user of the tree.
one_make() {
  mkdir tree
  cd tree || return
  cp "$top/Makefile" .
  mkdir -p bin scripts host/targets/lab/bochs/overlay bench host/tests/fuzz
  cp "$top/host/tests/fuzz/fuzz.mk" host/tests/fuzz
  cp "$top/host/tests/optimized" host/tests
  make=("$(command -v make)" -s MAKE="$PWD/bin/make")
  printf '#!/bin/sh\necho begin "$2" >>log\n%s\necho end "$2" >>log\n' "$1" >bin/make
  chmod +x bin/make
}

# For the stand-in of one_make: until the test has made this file.
until_go='for _ in $(seq 600); do [ ! -e go ] || break; sleep 0.1; done'

# until_made: waits until the stand-in runs.
until_made() {
  for _ in $(seq 400); do [ ! -e log ] || return 0; sleep 0.05; done
  return 1
}

@test "a tree whose path contains a space is compiled" {
  [ -d "$top/guest" ] || skip "not a source tree"
  mkdir "a tree"
  cd "a tree"
  ln -s "$top"/{Makefile,bench,guest,host,scripts} .
  run_apart make -s build/obj/x86_64/host/lib/text.o
  echo "$stderr"
  [ "$status" = 0 ]
  [ -s build/obj/x86_64/host/lib/text.o ]
}

# until_true COMMAND...: waits until it succeeds.
until_true() {
  for _ in $(seq 400); do ! "$@" || return 0; sleep 0.05; done
  return 1
}

@test "of two makes in one tree, the second waits" {
  local goal
  one_make "timeout 20 $(command -v make) -s build/version.h || echo stuck >>log; $until_go"
  # A plain make; and it waits for one with a goal.
  for goal in '' bench; do
    rm -f log go
    # shellcheck disable=SC2086  # none
    "${make[@]}" $goal 2>first 3>&- &
    until_made
    # Those that read do not.
    run_apart timeout 20 "${make[0]}" -s help
    [ "$status" = 0 ]
    run_apart timeout 20 "${make[0]}" -s -n "$PWD/build/version.h"
    [ "$status" = 0 ]
    [ -z "$stderr" ]
    [ "$(xargs <log)" = "begin $goal" ] || [ "$(xargs <log)" = begin ]
    "${make[@]}" check 2>second 3>&- &
    until_true grep -q 'waiting' second
    : >go
    wait "$!"
    wait
    [ ! -s first ]
    [[ $(cat second) =~ ^"make: waiting for 'make${goal:+ $goal}' (process "[0-9]+") in this tree"$ ]]
    [ "$(xargs <log)" = "$(xargs <<<"begin $goal end $goal begin check end check")" ]
  done
}

@test "a make that waits for make clean has the lock of the new build folder" {
  one_make "$until_go"'; [ "$2" != clean ] || rm -r build go'
  "${make[@]}" clean 3>&- &
  until_made
  # The file that it waits for is not the one that the next make sees.
  "${make[@]}" one 2>first 3>&- &
  until_true grep -q "waiting for 'make clean'" first
  : >go
  until_true grep -q 'begin one' log
  "${make[@]}" two 2>second 3>&- &
  until_true grep -q "waiting for 'make one'" second
  : >go
  wait
  [ "$(grep -A 1 'begin one' log | tail -n 1)" = "end one" ]
}

@test "a make that was killed is not waited for, and a build folder that cannot be written is an error" {
  one_make '[ "$2" = two ] || exec sleep 60'
  setsid "${make[@]}" one 3>&- &
  until_made
  kill -9 -- "-$!"
  run_apart timeout 20 "${make[@]}" two
  echo "$stderr"
  [ "$status" = 0 ]
  [ -z "$stderr" ]
  rm -r build
  : >build
  run_apart "${make[@]}" two
  [ "$status" = 2 ]
  [[ $stderr == "mkdir: cannot create directory "*build* ]]
}

