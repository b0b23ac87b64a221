#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Sweeps: finished jobs are not repeated, interrupted jobs are, and the history gets the
# kernels in order. Kernels and runs are fakes.
bats_require_minimum_version 1.5.0
load helper

# Copies of the scripts with a fake kernel.sh, which offers $kernels, and a fake wsbench,
# which fails for kernels in $broken and writes a partial document for $interrupted. $gone:
# kernels that Debian lacks for an architecture, such as 6.12.1:x86_64.
setup() {
  clean_place "$BATS_TEST_TMPDIR"
  parallel --version 2>/dev/null | grep -q '^GNU parallel' || skip "GNU parallel is not installed"
  mkdir ../scripts
  cp "$top"/scripts/{sweep,sweep-explain,places,progress,rows}.sh ../scripts
  cat >../scripts/kernel.sh <<'END'
#!/usr/bin/env bash
command=$1
shift
while [ $# -gt 0 ]; do
  case $1 in --arch) arch=$2 ;; --release) release=$2 ;; --series) series=$2 ;; esac
  shift
done
case $command in
list)
  for k in $kernels; do case $k in "$series"*) echo "$k-$arch 1.0 -" ;; esac; done
  exit "${list_code:-0}"
  ;;
fetch)
  case " $gone " in *" $release:$arch "*) echo "kernel: error: Debian does not offer $release for $arch" >&2 && exit "${gone_code:-2}" ;; esac
  echo "/kernels/${release%-"$arch"}-$arch"
  ;;
changelog)
  printf 'linux (6.12.1-1) x; urgency=high\n\n  * A change\n' >../changelog
  echo "$PWD/../changelog"
  ;;
esac
END
  cat >../wsbench <<END
#!/usr/bin/env bash
command=\$1
case \$command in run) echo "\$*" >>../runs ;; explain) echo "\$*" >>../explained ;; *) exec "$wsbench" "\$@" ;; esac
while [ \$# -gt 0 ]; do
  case \$1 in --on) target=\$2 ;; --bench) bench=\$2 ;; --config) config=\$2 ;; --kernel) kernel=\$2 ;; -o) out=\$2 && options=("\${@:3}") ;; esac
  shift
done
release=\$(basename "\$(dirname "\$kernel")")
if [ "\$command" = explain ]; then
  value=1524 code=3 failed=''
  case \$release in \$longer*) value=1600 ;; esac
  for one in \${bench//,/ }; do
    [ "\$one" != timer_expiry ] || { echo "wsbench: error: a deadline" >&2; continue; }
    [ "\$one" != cpuid_fails ] || { echo "wsbench: error: it crashed" >&2; failed=4; continue; }
    code=0
    sed -e "s/\"round_trip\":1524.0/\"round_trip\":\$value.0/" -e "s/\"kernel\":\"[^\"]*\"/\"kernel\":\"\$release\"/" \\
      -e "s/\"config\":\"default\"/\"config\":\"\${config:-default}\"/" "$tests/data/explain/svm-hypercall-6.1.json" >"\$out/\$one.json"
  done
  exit \${failed:-\$code}
fi
case " \$broken " in *" \$release "*) echo "wsbench: error: it broke" >&2; exit 4 ;; esac
partial=false
case " \$interrupted " in *" \$release "*) partial=true ;; esac
python3 - "$tests/result_v1.json" "\$out" "\$target" "\$release" \$partial "\${options[@]}" <<'PY'
import json, sys
import os
base, out, target, release, partial, *options = sys.argv[1:]
longer = os.environ.get("longer")
d = json.load(open(base))
d["run"].update(id=target + release, partial=partial == "true", argv=["run", "-o", out, *options])
d["subject"] = {"kernel": release, "label": None, "commit": None}
d["target"].update(name=target, exact=True)
b = next(b for b in d["benchmarks"] if b["metrics"])
b.update(status="ok", reason=None)
b["metrics"][0].update(name="round_trip")
b["metrics"][0]["estimate"].update(value=100, ci=None)
if longer:
    b.update(name="hypercall")
    b["metrics"][0].update(unit="insns")
    b["metrics"][0]["estimate"].update(value=1600 if release.startswith(longer) else 1524)
json.dump(d, open(out, "w"), indent=2)
PY
END
  chmod +x ../scripts/*.sh ../wsbench
  export WSBENCH=$PWD/../wsbench kernels='6.1.0-9 6.1.0-10 6.12.1'
  sweep=../scripts/sweep.sh
}

runs() {
  wc -l <../runs
}

kernels_of_history() {
  python3 -c '
import json, sys
seen = dict.fromkeys((r["target"], r["kernel"]) for r in map(json.loads, open(sys.argv[1])))
print(" ".join(k for t, k in seen if t == sys.argv[2]))' "$1" "$2"
}

@test "every kernel on every target, into a history in the kernels' order" {
  run_apart "$sweep" -o out --on lab:x86_64-svm,lab:aarch64-vhe --db h.jsonl --jobs 2 -- --bench core
  echo "$stderr"
  [ "$status" = 0 ]
  [ "$(runs)" = 6 ]
  grep -q -- '--on lab:aarch64-vhe --kernel /kernels/6.1.0-9-aarch64/vmlinuz .*--bench core$' ../runs
  "$wsbench" validate --quiet out/lab-x86_64-svm/6.12.1-x86_64.json
  [ "$(kernels_of_history h.jsonl lab:x86_64-svm)" = "6.1.0-9-x86_64 6.1.0-10-x86_64 6.12.1-x86_64" ]
}

@test "on a terminal a line says which kernel is measured" {
  need_terminal
  sed -i '2a\case $1 in run) sleep 2 ;; esac' ../wsbench
  run_apart "$python" "$tests/on_terminal.py" "$sweep" -o out --on lab:x86_64-svm
  echo "$stdout"
  [ "$status" = 0 ]
  [[ $stdout == *$'\rsweep: kernel 1 of 3: lab:x86_64-svm, Linux 6.1.0-9-x86_64'* ]]
  [[ $stdout == *$'\rsweep: kernel 3 of 3: lab:x86_64-svm, Linux 6.12.1-x86_64, about '*' s left'* ]]
  [ -z "$(cat "$TMPDIR/../processes" 2>/dev/null)" ]
  "$sweep" -o out --on lab:x86_64-svm 2>log
  [ ! -s log ]
}

@test "a repeated sweep measures only new kernels" {
  "$sweep" -o out --on lab:x86_64-svm --db h.jsonl 2>/dev/null
  [ "$(runs)" = 3 ]
  "$sweep" -o out --on lab:x86_64-svm --db h.jsonl 2>/dev/null
  [ "$(runs)" = 3 ]
  kernels+=' 6.12.10'
  run_apart "$sweep" -o out --on lab:x86_64-svm --list
  [ "$(grep -c 'done$' <<<"$stdout")" = 3 ]
  "$sweep" -o out --on lab:x86_64-svm --db h.jsonl 2>/dev/null
  [ "$(runs)" = 4 ]
  [ "$(kernels_of_history h.jsonl lab:x86_64-svm)" = \
    "6.1.0-9-x86_64 6.1.0-10-x86_64 6.12.1-x86_64 6.12.10-x86_64" ]
}

@test "a document that was deleted is measured again" {
  "$sweep" -o out --on lab:x86_64-svm 2>/dev/null
  rm out/lab-x86_64-svm/6.1.0-10-x86_64.json
  "$sweep" -o out --on lab:x86_64-svm 2>/dev/null
  [ "$(runs)" = 4 ]
  [ -f out/lab-x86_64-svm/6.1.0-10-x86_64.json ]
}

@test "a document that is damaged, or of a newer program, is kept and measured again" {
  local file=out/lab-x86_64-svm/6.12.1-x86_64.json edit
  "$sweep" -o out --on lab:x86_64-svm --release 6.12.1
  for edit in 's/"schema_version": 1/"schema_version": 99/' 's/"target"/"tagret"/' '20,$d'; do
    sed -i "$edit" $file
    cp $file damaged
    run_apart "$sweep" -o out --on lab:x86_64-svm --release 6.12.1
    echo "$stderr"
    [ "$status" = 0 ]
    [[ $stderr == 'lab:x86_64-svm 6.12.1-x86_64: measured again, and kept as 6.12.1-x86_64.json.old: '*[a-z]* ]]
    one_line "$stderr"
    cmp damaged $file.old
    "$wsbench" validate --quiet $file
  done
  [ "$(runs)" = 4 ]
}

@test "a document that cannot be kept is not overwritten, and one that cannot be named is not measured" {
  local file=out/lab-x86_64-svm/6.12.1-x86_64.json
  mkdir -p bin "${file%/*}"
  printf '#!/bin/sh\ncase $* in *"$stuck") echo "mv: it is stuck" >&2; exit 1 ;; esac\nexec /bin/mv "$@"\n' >bin/mv
  chmod +x bin/mv
  echo damaged >$file
  run_apart env PATH="$PWD/bin:$PATH" stuck=.old "$sweep" -o out --on lab:x86_64-svm --release 6.12.1
  echo "$stderr"
  [ "$status" = 4 ]
  [ "$stderr" = 'mv: it is stuck' ]
  [ "$(cat $file)" = damaged ]
  [ ! -e ../runs ]
  rm $file
  run_apart env PATH="$PWD/bin:$PATH" stuck=x86_64.json "$sweep" -o out --on lab:x86_64-svm --release 6.12.1
  echo "$stderr"
  [ "$status" = 4 ]
  [ "$stderr" = 'mv: it is stuck' ]
  [ ! -e $file ]
}

@test "documents of other options are not measured again, and the sweep says so" {
  "$sweep" -o out --on lab:x86_64-svm --release 6.1.0-9,6.12.1 -- --bench core
  run_apart "$sweep" -o out --on lab:x86_64-svm --release 6.1.0-9,6.12.1 -- --bench core
  [ -z "$stderr" ]
  run_apart "$sweep" -o out --on lab:x86_64-svm -- --bench '*'
  echo "$stderr"
  [ "$status" = 0 ]
  [ "$stderr" = "sweep: 2 documents were measured with other options (--bench core) and stay, such as out/lab-x86_64-svm/6.1.0-9-x86_64.json" ]
  [ "$(runs)" = 3 ]
  run_apart "$sweep" -o out --on lab:x86_64-svm --release 6.12.1 -- --bench null
  [ "$stderr" = "sweep: 1 document was measured with other options (--bench core) and stays: out/lab-x86_64-svm/6.12.1-x86_64.json" ]
}

@test "a failed kernel: the rest is measured, and the history stays in order" {
  export broken=6.1.0-10-x86_64
  run_apart "$sweep" -o out --on lab:x86_64-svm --db h.jsonl
  [ "$status" = 4 ]
  [[ $stderr == *"lab:x86_64-svm 6.1.0-10-x86_64: wsbench: error: it broke"* ]]
  [[ $stderr == *"1 kernels are missing: nothing was added"* ]]
  [ ! -e h.jsonl ]
  [ -f out/lab-x86_64-svm/6.12.1-x86_64.json ]
  run_apart "$sweep" -o out --on lab:x86_64-svm --list
  grep -q '6.1.0-10-x86_64  *failed: wsbench: error: it broke$' <<<"$stdout"
  # After the repair only that kernel is measured, and all documents are added.
  broken=
  run_apart "$sweep" -o out --on lab:x86_64-svm --db h.jsonl
  [ "$status" = 0 ]
  [ "$(runs)" = 4 ]
  [ "$(kernels_of_history h.jsonl lab:x86_64-svm)" = "6.1.0-9-x86_64 6.1.0-10-x86_64 6.12.1-x86_64" ]
}

@test "a failed target: the other targets are added to the history" {
  export broken=6.1.0-10-x86_64
  run_apart "$sweep" -o out --on lab:x86_64-svm,lab:aarch64-vhe --db h.jsonl
  [ "$status" = 4 ]
  [[ $stderr == *"lab:x86_64-svm: 1 kernels are missing: nothing was added"* ]]
  [ -z "$(kernels_of_history h.jsonl lab:x86_64-svm)" ]
  [ "$(kernels_of_history h.jsonl lab:aarch64-vhe)" = "6.1.0-9-aarch64 6.1.0-10-aarch64 6.12.1-aarch64" ]
}

@test "--skip-failed adds the existing documents" {
  export broken=6.1.0-10-x86_64
  run_apart "$sweep" -o out --on lab:x86_64-svm --db h.jsonl --skip-failed
  [ "$status" = 4 ]
  [ "$(kernels_of_history h.jsonl lab:x86_64-svm)" = "6.1.0-9-x86_64 6.12.1-x86_64" ]
}

@test "the document of an interrupted run does not count as finished" {
  export interrupted=6.1.0-9-x86_64
  run_apart "$sweep" -o out --on lab:x86_64-svm
  [ "$status" = 4 ]
  [ ! -e out/lab-x86_64-svm/6.1.0-9-x86_64.json ]
  interrupted=
  run_apart "$sweep" -o out --on lab:x86_64-svm
  [ "$status" = 0 ]
  [ "$(runs)" = 4 ]
}

@test "a kernel that Debian lacks for an architecture: named once, the others are measured" {
  local options=(-o out --on 'lab:x86_64-svm,lab:x86_64-vmx,lab:aarch64-vhe' --release '6.1.0-9,6.1.0-10,6.12.1' --db h.jsonl)
  export gone=6.1.0-10:x86_64
  run_apart "$sweep" "${options[@]}"
  echo "$stdout$stderr"
  [ "$status" = 4 ]
  [ "$(grep -c 'Debian does not offer 6.1.0-10 for x86_64' <<<"$stderr")" = 1 ]
  [[ $stderr == *"lab:x86_64-vmx: 1 kernels are missing: nothing was added"* ]]
  [ "$(runs)" = 7 ]
  # No document but of these kernels.
  [ "$(cd out && find . -name '*.json' | sort | tr '\n' ' ')" = "$(printf './lab-%s.json ' \
    aarch64-vhe/6.1.0-10-aarch64 aarch64-vhe/6.1.0-9-aarch64 aarch64-vhe/6.12.1-aarch64 \
    x86_64-svm/6.1.0-9-x86_64 x86_64-svm/6.12.1-x86_64 x86_64-vmx/6.1.0-9-x86_64 x86_64-vmx/6.12.1-x86_64)" ]
  [ -z "$(kernels_of_history h.jsonl lab:x86_64-svm)" ]
  [ "$(kernels_of_history h.jsonl lab:aarch64-vhe)" = "6.1.0-9-aarch64 6.1.0-10-aarch64 6.12.1-aarch64" ]
  run_apart "$sweep" "${options[@]}" --list
  echo "$stdout"
  [ "$(wc -l <<<"$stdout")" = 9 ]
  [ "$(grep -c 'done$' <<<"$stdout")" = 7 ]
  [ "$(grep -c '^lab:x86_64-[a-z]*  *6.1.0-10  *cannot be fetched$' <<<"$stdout")" = 2 ]
  # A repeated sweep tries it again.
  run_apart "$sweep" "${options[@]}"
  [ "$status" = 4 ]
  [[ $stderr == *'Debian does not offer 6.1.0-10'* ]]
  [ "$(runs)" = 7 ]
  gone=
  run_apart "$sweep" "${options[@]}"
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ "$(runs)" = 9 ]
  [ "$(kernels_of_history h.jsonl lab:x86_64-svm)" = "6.1.0-9-x86_64 6.1.0-10-x86_64 6.12.1-x86_64" ]
}

@test "a kernel that Debian lacks, and --skip-failed; all kernels, or a series, that it lacks" {
  export gone='6.1.0-10:x86_64 6.12.1:x86_64'
  run_apart "$sweep" -o out --on lab:x86_64-svm --release 6.1.0-9,6.1.0-10 --db h.jsonl --skip-failed
  [ "$status" = 4 ]
  [ "$(kernels_of_history h.jsonl lab:x86_64-svm)" = 6.1.0-9-x86_64 ]
  run_apart "$sweep" -o out --on lab:x86_64-svm --release 6.1.0-10,6.12.1 --db h.jsonl --skip-failed
  [ "$status" = 2 ]
  [[ $stderr == *'no target has such a kernel'* ]]
  # Debian cannot be reached.
  run_apart env gone_code=4 "$sweep" -o out --on lab:x86_64-svm --release 6.1.0-10,6.12.1
  [ "$status" = 4 ]
  [ "$(runs)" = 1 ]
  # The list of the kernels breaks off: those that it has are measured.
  run_apart env list_code=4 "$sweep" -o out --on lab:x86_64-svm --series 6.1
  [ "$status" = 4 ]
  [ "$(runs)" = 3 ]
  rm -r out ../runs
  # Of two series Debian lacks one.
  run_apart "$sweep" -o out --on lab:x86_64-svm --series 7.3,6.12
  echo "$stderr"
  [ "$status" = 4 ]
  [ "$stderr" = 'sweep: Debian does not offer a cloud kernel 7.3 for x86_64' ]
  [ "$(runs)" = 1 ]
}

@test "selected kernels; bad usage of the sweep" {
  run_apart "$sweep" -o out --on lab:x86_64-svm --release 6.12.1,6.1.0-9
  [ "$status" = 0 ]
  [ "$(cut -d' ' -f2 out/jobs | tr '\n' ' ')" = "6.1.0-9-x86_64 6.12.1-x86_64 " ]
  refused 2 "-o DIR is missing" "$sweep"
  refused 2 "unknown argument --xyzzy" "$sweep" -o out --xyzzy
  refused 2 "--on needs a value" "$sweep" -o out --on
  refused 2 'no lab "kvm"' "$sweep" -o out --on kvm
  refused 2 'no lab "lab:x86_64-svn"' "$sweep" -o out --on lab:x86_64-svm,lab:x86_64-svn
  refused 2 '--release needs a value' "$sweep" -o out --release ''
  refused 2 '"../x" is not a kernel' "$sweep" -o out --release 6.1.0-9,../x
  refused 2 '"" is not a kernel' "$sweep" -o out --release 6.1.0-9,,6.12.1
  refused 2 '"6" is not a series' "$sweep" -o out --series 6.1,6
  refused 2 '--release and --series' "$sweep" -o out --series 6.1 --release 6.1.0-9
  refused 2 'no flavour "tiny"' "$sweep" -o out --flavour tiny
  # GNU parallel would start all jobs at a time.
  refused 2 '--jobs 0: not a number' "$sweep" -o out --jobs 0
  refused 2 '--kernel after --' "$sweep" -o out -- --bench core --kernel 6.1
  refused 2 '-o after --' "$sweep" -o out -- -o x.json
  # What each run would refuse.
  refused 2 "no benchmark matches 'xyzzy'" "$sweep" -o out -- --bench null,xyzzy
  refused 2 "no config matches 'xyzzy'" "$sweep" -o out -- --bench=null --config='pmu-*,xyzzy'
  mkdir bin
  ln -s /usr/bin/* bin
  rm -f bin/rsync
  refused 2 'rsync is missing' env PATH="$PWD/bin" "$sweep" -o other --on lab:x86_64-svm --sshlogin :,lab1
  run_apart env PATH="$PWD/bin" "$sweep" -o out --on lab:x86_64-svm --release 6.12.1 --sshlogin 1/:
  [ "$status" = 0 ]
}

@test "a lab or a kernel that is named twice is measured once; folders of any name" {
  local dir
  run_apart "$sweep" -o out --on lab:x86_64-svm,lab:x86_64-svm --release 6.12.1,6.12.1-x86_64,6.12.1
  [ "$status" = 0 ]
  [ "$(runs)" = 1 ]
  for dir in "it's {} {1} \$x" -x; do
    run_apart "$sweep" -o "$dir" --on lab:x86_64-svm --db "./$dir.jsonl" --release 6.12.1 -- --label "{2} 'x'"
    echo "$stderr"
    [ "$status" = 0 ]
    [ -s "./$dir/lab-x86_64-svm/6.12.1-x86_64.json" ]
    [ -s "./$dir.jsonl" ]
    [[ $(tail -n 1 ../runs) == *" --label {2} 'x'" ]]
  done
}

@test "what the sweep cannot write is found before the first run, and is not a regression" {
  echo text >file
  refused 4 'cannot write to file' "$sweep" -o file --on lab:x86_64-svm
  refused 2 'file: line 1:' "$sweep" -o out --on lab:x86_64-svm --db file
  [ "$(cat file)" = text ]
  refused 4 '--db gone/h.jsonl: no such folder' "$sweep" -o out --on lab:x86_64-svm --db gone/h.jsonl
  [ ! -e ../runs ]
  # A history without a figure, or with a line that a crash left, can be used.
  : >h.jsonl
  "$sweep" -o out --on lab:x86_64-svm --release 6.12.1 --db h.jsonl
  truncate -s -20 h.jsonl
  "$sweep" -o out --on lab:x86_64-svm --release 6.12.1 --db h.jsonl
  [ -s h.jsonl.torn ]
  [ "$(kernels_of_history h.jsonl lab:x86_64-svm)" = 6.12.1-x86_64 ]
}

@test "a full disk: the documents that fit stay, and the next sweep measures the others" {
  need_own_mounts
  cat >full <<'END'
mount -t tmpfs -o size=24k none "$1"
shift
"$@" || echo "exit code $?"
find out -name '*.json' | wc -l
mount -o remount,size=1000k out
"$@"
END
  mkdir out
  run_apart "${own_mounts[@]}" '. ./full' x out "$sweep" -o out --on lab:x86_64-svm --db out/h.jsonl --jobs 1
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [[ $stdout == *'exit code 4'$'\n'2 ]]
  [[ $stderr == *'lab:x86_64-svm 6.12.1-x86_64: no message (is the disk full?)'*'1 kernels are missing'*'added 3 figures'* ]]
  [ "$(runs)" = 4 ]
}

@test "a disk that is full from the start: nothing is measured, which is not success" {
  need_own_mounts
  cat >full <<'END'
mount -t tmpfs -o size=8k none "$1"
head -c 8k /dev/zero >"$1/filler"
shift
"$@" || echo "exit code $?"
rm out/filler
mount -o remount,size=1000k out
"$@"
END
  mkdir out
  run_apart "${own_mounts[@]}" '. ./full' x out "$sweep" -o out --on lab:x86_64-svm
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ "$stdout" = 'exit code 4' ]
  [ "$stderr" = 'sweep: cannot write to out: No space left on device' ]
  [ "$(runs)" = 3 ]
}

@test "two sweeps in one folder: the second is refused, and --list is not" {
  sed -i '2a\case $1 in run) touch ../begun; for i in $(seq 100); do [ ! -e ../end ] || break; sleep 0.1; done ;; esac' ../wsbench
  "$sweep" -o out --on lab:x86_64-svm --release 6.12.1 3>&- &
  for _ in {1..100}; do [ ! -e ../begun ] || break; nap 0.1; done
  refused 4 'another sweep works in out' "$sweep" -o out --on lab:x86_64-svm --release 6.1.0-9
  run_apart "$sweep" -o out --on lab:x86_64-svm --release 6.1.0-9 --list
  [ "$status" = 0 ]
  touch ../end
  wait $!
  [ "$(runs)" = 1 ]
  [ -s out/lab-x86_64-svm/6.12.1-x86_64.json ]
  # The next one measures what is missing.
  "$sweep" -o out --on lab:x86_64-svm --release 6.1.0-9,6.12.1 2>/dev/null
  [ "$(runs)" = 2 ]
}

@test "a SIGTERM of a CI job, or Ctrl-C, ends the run, too; the next sweep measures the rest" {
  local signal run
  sed -i '2a\[ "$1" != run ] || [ ! -e ../wait ] || [[ $* != */6.1.0-10-* ]] || { echo $$ >../pid; sleep 30; }' ../wsbench
  touch ../wait
  for signal in TERM INT; do
    rm -rf ../pid out
    # A shell starts what it does not wait for without SIGINT.
    python3 -c 'import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
print(subprocess.Popen(sys.argv[1:], stdout=open("log", "w"), stderr=subprocess.STDOUT, close_fds=True).wait())' \
      bash -c 'echo $$ >../sweep; exec "$@"' x "$sweep" -o out --on lab:x86_64-svm --jobs 1 --db h.jsonl >../status 3>&- &
    for _ in {1..200}; do [ ! -s ../pid ] || break; nap 0.1; done
    run=$(<../pid)
    kill -$signal "$(<../sweep)"
    wait $!
    cat log ../status
    case $signal in TERM) [ "$(<../status)" = 143 ] ;; INT) [ "$(<../status)" = 130 ] ;; esac
    grep -q '^sweep: interrupted' log
    for _ in {1..50}; do kill -0 "$run" 2>/dev/null || break; nap 0.1; done
    run ! kill -0 "$run"
    [ "$(ls out/lab-x86_64-svm/*.json)" = out/lab-x86_64-svm/6.1.0-9-x86_64.json ]
    [ ! -e h.jsonl ]
  done
  rm ../wait ../runs
  "$sweep" -o out --on lab:x86_64-svm --db h.jsonl
  [ "$(runs)" = 2 ]
  [ "$(kernels_of_history h.jsonl lab:x86_64-svm)" = "6.1.0-9-x86_64 6.1.0-10-x86_64 6.12.1-x86_64" ]
}

@test "explanations are made once, and kept beside the history" {
  local options=(-o out --on lab:x86_64-svm --series 6.1 --db h.jsonl)
  run_apart "$sweep" "${options[@]}" --explain hypercall,timer_expiry
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  # One boot of each kernel.
  [ "$(wc -l <../explained)" = 3 ]
  [ "$(grep -c -- '--bench hypercall,timer_expiry ' ../explained)" = 3 ]
  [ -s h.jsonl.explanations/lab-x86_64-svm/6.12.1-x86_64/hypercall.default.json.gz ]
  # A benchmark that cannot be explained is not tried again.
  run_apart "$sweep" "${options[@]}" --explain hypercall,timer_expiry
  [ "$status" = 0 ]
  [ "$(wc -l <../explained)" = 3 ]
  # Another one is, although all kernels are measured.
  run_apart "$sweep" "${options[@]}" --explain cpuid
  [ "$status" = 0 ]
  [ "$(wc -l <../explained)" = 6 ]
  [ "$(runs)" = 3 ]
  refused 2 '--explain and --sshlogin' "$sweep" "${options[@]}" --explain cpuid --sshlogin :
}

@test "of rows of which one fails, those that cannot be explained are not tried again" {
  local options=(-o out --on lab:x86_64-svm --release 6.1.0-9 --explain 'hypercall,timer_expiry,cpuid_fails') folder
  folder=out/lab-x86_64-svm/6.1.0-9-x86_64.explanations
  # Of a sweep that was killed, and of another config.
  mkdir -p $folder/new
  echo '{}' >$folder/new/timer_expiry.json
  run_apart "$sweep" "${options[@]}"
  echo "$stdout$stderr"
  [ "$status" = 4 ]
  [ -s $folder/hypercall.json ]
  [ -e $folder/timer_expiry.json ]
  [ ! -s $folder/timer_expiry.json ]
  [ ! -e $folder/cpuid_fails.json ]
  [ "$(wc -l <../explained)" = 3 ]
  run_apart "$sweep" "${options[@]}"
  [ "$status" = 4 ]
  [ "$(wc -l <../explained)" = 4 ]
  tail -n 1 ../explained | grep -q -- '--bench cpuid_fails '
}

@test "explanations are made with the options of the runs that change figures" {
  local options=(-o out --on lab:x86_64-svm --release 6.1.0-9 --db h.jsonl --explain 'hypercall,cpuid')
  run_apart "$sweep" "${options[@]}" -- --append 'nokaslr quiet' --label new --modules=/m --config 'default,pmu-*ted'
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  cat ../explained
  # default, pmu-emulated and pmu-mediated.
  [ "$(wc -l <../explained)" = 3 ]
  [ "$(grep -c -- '--kernel /kernels/6.1.0-9-x86_64/vmlinuz --append nokaslr quiet --modules=/m -o ' ../explained)" = 3 ]
  run ! grep -q -- --label ../explained
  for config in default pmu-emulated pmu-mediated; do
    [ "$(grep -c -- "--config $config " ../explained)" = 1 ]
    [ -s h.jsonl.explanations/lab-x86_64-svm/6.1.0-9-x86_64/hypercall.$config.json.gz ]
  done
  # Each config is explained once; a config of the other architecture is not.
  run_apart "$sweep" "${options[@]}" -- --config=pmu-off,pmu-emulated,cntpct-trap
  [ "$status" = 0 ]
  [ "$(wc -l <../explained)" = 4 ]
  [ "$(grep -c -- "--config pmu-off " ../explained)" = 1 ]
  # None is not all.
  run_apart "$sweep" "${options[@]}" -- --config cntpct-trap
  [ "$status" = 4 ]
  [[ $stderr == *'lab:x86_64-svm 6.1.0-9-x86_64: not explained: --config: no such config of lab:x86_64-svm'* ]]
}

@test "--why explains the steps of the history, once, and keeps the changelogs" {
  local options=(-o out --on lab:x86_64-svm --db h.jsonl)
  export longer=6.12
  : >../explained
  # Of a sweep that was killed.
  mkdir -p out/why
  : >out/why/cpuid.default.json
  run_apart "$sweep" "${options[@]}" --why -- --emulator here
  echo "$stderr$stdout"
  [ "$status" = 0 ]
  [ ! -s out/not-explained ]
  # Both sides of the one step; neither 6.1.0-9 nor the rows that did not change.
  [ "$(wc -l <../explained)" = 2 ]
  grep -q -- '--bench hypercall --config default --kernel /kernels/6.1.0-10-x86_64/vmlinuz --emulator here ' ../explained
  grep -q -- '--bench hypercall --config default --kernel /kernels/6.12.1-x86_64/vmlinuz --emulator here ' ../explained
  [ "$(zcat h.jsonl.explanations/changelog.gz)" = $'6.12.1-1\t-\tA change' ]
  run_apart "$wsbench" history why --db h.jsonl
  [[ $stdout == *'6.12.1-x86_64, after 6.1.0-10-x86_64'*'explained: hypercall'* ]]
  # Explained rows are not explained again.
  run_apart "$sweep" "${options[@]}" --why -- --emulator here
  [ "$status" = 0 ]
  [ "$(wc -l <../explained)" = 2 ]
  # What cannot be read does not mean that nothing is missing.
  rm out/not-explained h.jsonl.explanations/lab-x86_64-svm/6.12.1-x86_64/hypercall.default.json.gz
  mkdir out/not-explained
  run_apart "$sweep" "${options[@]}" --why -- --emulator here
  echo "$stderr"
  [ "$status" = 4 ]
  [ "$(wc -l <../explained)" = 2 ]
  rmdir out/not-explained
  # A damaged explanation is made again, and the sweep says that it was damaged.
  echo damaged >h.jsonl.explanations/lab-x86_64-svm/6.12.1-x86_64/hypercall.default.json.gz
  run_apart "$sweep" "${options[@]}" --why
  [ "$status" = 4 ]
  [ "$(wc -l <../explained)" = 3 ]
  refused 2 '--why needs --db' "$sweep" -o out --on lab:x86_64-svm --why
  refused 2 '--why and --sshlogin' "$sweep" "${options[@]}" --why --sshlogin :
}

# start_sshd: an sshd of this user on a free port of the loopback. Sets $login to the ssh
# command without the host.
start_sshd() {
  local sshd place=$TMPDIR/ssh port apart=()
  sshd=$(PATH=$PATH:/usr/sbin command -v sshd) || skip "sshd is not installed"
  command -v rsync >/dev/null || skip "rsync is not installed"
  mkdir "$place"
  for port in host user; do ssh-keygen -q -t ed25519 -N '' -f "$place/$port"; done
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  # As root, sshd needs a folder that only its service makes.
  [ -d /run/sshd ] || [ "$(id -u)" != 0 ] ||
    apart=(unshare -m sh -c 'mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec "$@"' sh)
  "${apart[@]}" "$sshd" -D -e -f /dev/null -p "$port" -h "$place/host" -o ListenAddress=127.0.0.1 -o "AuthorizedKeysFile=$place/user.pub" \
    -o StrictModes=no -o UsePAM=no -o PidFile=none -o PermitRootLogin=yes 2>"$place/log" 3>&- &
  sshd_pid=$!
  login="ssh -p $port -i $place/user -o StrictHostKeyChecking=no -o UserKnownHostsFile=$place/known -o LogLevel=ERROR"
  for _ in {1..50}; do
    ! $login 127.0.0.1 true 2>/dev/null || return 0
    kill -0 $sshd_pid 2>/dev/null || break
    sleep 0.1
  done
  skip "sshd does not start here: $(tail -n 1 "$place/log")"
}

teardown() {
  [ -z "${sshd_pid:-}" ] || kill "$sshd_pid" || true
  count_cpu
}

@test "two machines measure at the same time, and their documents come back" {
  start_sshd
  # A run waits for the run of the other machine.
  sed -i '2a\case $1 in run) touch ../met.$$; for i in $(seq 100); do [ $(ls ../met.* | wc -l) -lt 2 ] || break; sleep 0.1; done; \
    [ $(ls ../met.* | wc -l) -ge 2 ] || exit 4 ;; esac' ../wsbench
  run_apart "$sweep" -o out --on lab:x86_64-svm --db h.jsonl --jobs 1 --release 6.1.0-10,6.12.1 \
    --sshlogin "1/$login 127.0.0.1,1/$login localhost"
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ "$(runs)" = 2 ]
  "$wsbench" validate --quiet out/lab-x86_64-svm/{6.1.0-10,6.12.1}-x86_64.json
  [ "$(awk 'NR > 1' out/joblog | grep -c 127.0.0.1)" = 1 ]
  [ "$(awk 'NR > 1' out/joblog | grep -c localhost)" = 1 ]
  [ "$(kernels_of_history h.jsonl lab:x86_64-svm)" = "6.1.0-10-x86_64 6.12.1-x86_64" ]
}

@test "a machine that cannot measure is left out, and a job that fails on one is tried on the next" {
  start_sshd
  local options=(-o out --on lab:x86_64-svm --db h.jsonl --jobs 1 --release '6.1.0-10,6.12.1') closed=${login/-p /-p 1 -o Port=}
  # Without the program; of another version; without anything.
  printf '#!/bin/sh\nshift\nexec sh -c "$(printf %%s "$*" | sed "s#/wsbench#/gone&#g")"\n' >no-build
  printf '#!/bin/sh\ncase $* in *--version*) echo wsbench 0.1 && exit ;; esac\nexec %s "$@"\n' "$login" >older
  chmod +x no-build older
  run_apart "$sweep" "${options[@]}" --sshlogin "1/$closed 127.0.0.1,1/$PWD/no-build host"
  echo "$stdout$stderr"
  [ "$status" = 4 ]
  [[ $stderr == *'sweep: 127.0.0.1: left out: ssh: connect to host'*'refused'* ]]
  [[ $stderr == *'sweep: host: left out: it has no /'*/wsbench* ]]
  [[ $stderr == *'no machine can measure' ]]
  [ ! -e ../runs ]
  sed -i '2a\case $1:$PARALLEL_SSHLOGIN in run:*localhost*) echo "wsbench: error: not here" >&2; exit 4 ;; esac' ../wsbench
  run_apart "$sweep" "${options[@]}" --sshlogin "1/$closed 127.0.0.1,1/$login localhost,1/$PWD/older 127.0.0.1"
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [[ $stderr == *'sweep: 127.0.0.1: wsbench 0.1, here wsbench '*': figures can differ'* ]]
  [[ $stderr != *rsync* ]]
  [ "$(kernels_of_history h.jsonl lab:x86_64-svm)" = "6.1.0-10-x86_64 6.12.1-x86_64" ]
}

@test "a document that does not arrive from a machine is missing" {
  start_sshd
  # Here both machines have one disk.
  mkdir bin
  printf '#!/bin/sh\ncase $* in *6.12.1*) rm %s; echo "rsync: write failed: No space left on device (28)" >&2; exit 11 ;; esac\nexec %s "$@"\n' \
    "$PWD/out/lab-x86_64-svm/6.12.1-x86_64.json" "$(command -v rsync)" >bin/rsync
  chmod +x bin/rsync
  run_apart env PATH="$PWD/bin:$PATH" "$sweep" -o out --on lab:x86_64-svm --db h.jsonl --release 6.1.0-10,6.12.1 --sshlogin "1/$login 127.0.0.1"
  echo "$stdout$stderr"
  [ "$status" = 4 ]
  [[ $stderr == *'No space left on device'* ]]
  [ "$(grep -c 'documents that did not arrive here: 1$' <<<"$stderr")" = 1 ]
  [ ! -e h.jsonl ]
  "$sweep" -o out --on lab:x86_64-svm --db h.jsonl --release 6.1.0-10,6.12.1
  [ "$(runs)" = 3 ]
}

@test "a run of a sweep neither saves its machine nor uses a saved one, unless it is explained" {
  sed -i '2a\case $1 in run) echo "${WORLDSWITCH_FRESH_MACHINES:-0}" >>../fresh ;; esac' ../wsbench
  "$sweep" -o out --on lab:x86_64-svm --release 6.12.1 2>/dev/null
  "$sweep" -o out2 --on lab:x86_64-svm --release 6.12.1 --explain hypercall 2>/dev/null
  [ "$(tr '\n' ' ' <../fresh)" = "1 0 " ]
}
