#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# scripts/emulator.sh and --emulator: what can go wrong between Debian's sources and a built
# emulator, or its packages and a fetched one. Nothing is downloaded, and nothing of Bochs is
# compiled. A QEMU that was fetched before is compared with the system's.

bats_require_minimum_version 1.5.0
load helper

setup() {
  clean_place "$BATS_TEST_TMPDIR"
  script=$top/scripts/emulator.sh
  real_cache=$(cache_dir) real_emulators=${WORLDSWITCH_EMULATORS:-}
  export WORLDSWITCH_CACHE=$BATS_TEST_TMPDIR/cache
  unset WORLDSWITCH_EMULATORS
  emulators=$WORLDSWITCH_CACHE/emulators
}

# A copy of the scripts and of the additions to Bochs, in which a small package is the pinned
# tarball: its configure writes a makefile for the program `bochs`.
small_package() {
  local sum
  mkdir -p copy/bench copy/host/targets/lab copy/scripts "tree/bochs-3.0"
  : >copy/bench/catalogue.def
  cp "$top"/scripts/{emulator,emulator-qemu,apt-private,places,progress,sums}.sh copy/scripts/
  mkdir -p copy/host/targets/lab/bochs/overlay/{cpu,instrument/worldswitch} copy/host/explain
  echo 'int pmu;' >copy/host/targets/lab/bochs/overlay/cpu/pmu.c
  echo '#include "record.h"' >copy/host/targets/lab/bochs/overlay/instrument/worldswitch/trace.c
  echo 'int record;' >copy/host/explain/record.h
  echo old >tree/bochs-3.0/file
  cat >tree/bochs-3.0/configure <<'END'
#!/bin/sh
[ ! -e fail-configure ] || { echo "configure: error: no luck" >&2; exit 1; }
cat >Makefile <<'MAKE'
bochs: cpu/pmu.o instrument/worldswitch/trace.o
	sleep $${SLOW:-0}
	[ "$$(cat file)" = new ] && cp /bin/true bochs
%.o: %.c
	gcc -c $< -o $@
MAKE
END
  chmod +x tree/bochs-3.0/configure
  patch_file fixes-one old new
  patch_file pmu middle middle
  patch_file pmu-amd amd amd
  patch_file svm-decode-assists assists assists
  patch_file trace last last
  patch_file memory memory memory
  patch_file msr-imm imm imm
  patch_file svm-pause-filter filter filter
  # Of a file that patches and additional files have written.
  printf -- '--- a/cpu/pmu.c\n+++ b/cpu/pmu.c\n@@ -1 +1 @@\n-int pmu;\n+int pmus[2];\n' >copy/host/targets/lab/bochs/smp.patch
  tar -C tree -cJf small.tar.xz bochs-3.0
  sum=$(sha256sum small.tar.xz | cut -d ' ' -f 1)
  sed -i "s/^checksum=.*/checksum=$sum/" copy/scripts/emulator.sh
  script=$PWD/copy/scripts/emulator.sh
}

# patch_file NAME FROM TO: a patch of `file`; of a new file if both are the same.
patch_file() {
  if [ "$2" = "$3" ]; then
    printf -- '--- /dev/null\n+++ b/%s\n@@ -0,0 +1 @@\n+%s\n' "$2" "$3"
  else
    printf -- '--- a/file\n+++ b/file\n@@ -1 +1 @@\n-%s\n+%s\n' "$2" "$3"
  fi >"copy/host/targets/lab/bochs/$1.patch"
}

# built: one emulator, and no temporary files.
built() {
  local files
  mapfile -t files < <(find "$emulators" -mindepth 1 -maxdepth 1 ! -name lock ! -name build.log ! -name '*.sums' ! -name '*.checked' -printf '%f\n')
  echo "${files[*]}"
  [ ${#files[@]} = "$1" ]
}

@test "emulator: the identity names the version and a key, which depends on the patches" {
  small_package
  run_apart "$script" identity bochs
  [ "$status" = 0 ]
  [[ $stdout =~ ^3\.0\+dfsg\ worldswitch\ [0-9a-f]{12}$ ]]
  local before=$stdout
  echo >>copy/host/targets/lab/bochs/fixes-one.patch
  run_apart "$script" identity bochs
  [ "$stdout" != "$before" ]
  before=$stdout
  echo >>copy/host/explain/record.h
  run_apart "$script" identity bochs
  [ "$stdout" != "$before" ]
  before=$stdout
  mv copy/host/targets/lab/bochs/overlay/cpu/{pmu,other}.c
  run_apart "$script" identity bochs
  [ "$stdout" != "$before" ]
}

@test "emulator: the Bochs of two CPUs is a second program, whose patch does not change the first one's key" {
  small_package
  local first second
  first=$("$script" build bochs --source small.tar.xz --quiet)
  run_apart "$script" path bochs-smp
  [ "$status" = 1 ]
  [[ $stderr == *"/bochs-smp-"*" is not built (run "*"emulator.sh build bochs-smp)" ]]
  second=$("$script" build bochs-smp --source small.tar.xz --quiet)
  [[ $second =~ /bochs-smp-[0-9a-f]{12}$ ]]
  built 2
  "$script" check "${second##*/}"
  echo >>copy/host/targets/lab/bochs/smp.patch
  [ "$("$script" path bochs)" = "$first" ]
  run_apart "$script" path bochs-smp
  [ "$status" = 1 ]
  run_apart "$script" prune bochs-smp
  [ "$stdout" = "${second##*/}" ]
  [ -e "$first" ]
  [ ! -e "$second" ]
  # The patch is that of what is compiled.
  printf -- '--- a/cpu/pmu.c\n+++ b/cpu/pmu.c\n@@ -1 +1 @@\n-int pmu;\n+#error two\n' >copy/host/targets/lab/bochs/smp.patch
  run_apart "$script" build bochs-smp --source small.tar.xz --quiet
  [ "$status" = 4 ]
  [[ $stderr == *"error two"* ]]
  "$script" build bochs --source small.tar.xz --quiet
}

@test "emulator: is built once, then found" {
  small_package
  run_apart "$script" path bochs
  [ "$status" = 1 ]
  [[ $stderr == *"is not built"* ]]
  run_apart "$script" build bochs --source small.tar.xz
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ -x "$stdout" ]
  built 1
  local binary=$stdout inode
  inode=$(stat -c %i "$binary")
  # Neither the tarball nor a compiler is needed any more.
  rm small.tar.xz
  run_apart "$script" build bochs
  [ "$status" = 0 ]
  [ "$stdout" = "$binary" ]
  [ -z "$stderr" ]
  [ "$(stat -c %i "$binary")" = "$inode" ]
  run_apart "$script" path bochs
  [ "$stdout" = "$binary" ]
}

@test "emulator: two builds at once are one build" {
  small_package
  SLOW=2 "$script" build bochs --source small.tar.xz >first 2>first.err 3>&- &
  SLOW=2 "$script" build bochs --source small.tar.xz >second 2>second.err 3>&- &
  wait
  cat first.err second.err
  [ -x "$(cat first)" ]
  cmp first second
  [ "$(cat first.err second.err | grep -c 'configuring Bochs')" = 1 ]
  [ "$(cat first.err second.err | grep -c 'waiting for another build')" = 1 ]
  built 1
}

@test "emulator: a damaged tarball is refused" {
  small_package
  printf x >>small.tar.xz
  run_apart "$script" build bochs --source small.tar.xz
  [ "$status" = 2 ]
  [[ $stderr == *"small.tar.xz is not the bochs_3.0+dfsg.orig.tar.xz of bochs=3.0+dfsg-1, or damaged"* ]]
  run_apart "$script" build bochs --source /nonexistent
  [ "$status" = 2 ]
  [[ $stderr == *"cannot read /nonexistent"* ]]
  built 0
}

@test "emulator: a patch that does not apply is named" {
  small_package
  patch_file fixes-one other new
  run_apart "$script" build bochs --source small.tar.xz
  [ "$status" = 4 ]
  [[ $stderr == *"emulator: fixes-one.patch does not apply: "* ]]
  built 0
}

@test "emulator: a build that fails is one line with the reason, and leaves no emulator" {
  small_package
  echo '#error nonsense' >copy/host/targets/lab/bochs/overlay/cpu/pmu.c
  run_apart "$script" build bochs --source small.tar.xz --quiet
  [ "$status" = 4 ]
  [[ $stderr == "emulator: the build failed: "*"#error nonsense"* ]]
  [ "$(wc -l <<<"$stderr")" = 1 ]
  built 0
  : >copy/host/targets/lab/bochs/overlay/fail-configure
  run_apart "$script" build bochs --source small.tar.xz --quiet
  [ "$status" = 4 ]
  [[ $stderr == "emulator: configure failed: configure: error: no luck"* ]]
}

@test "emulator: without a compiler" {
  small_package
  mkdir bin
  local program
  for program in bash sh env dirname readlink sha256sum cut sort find xargs cat mkdir mktemp flock rm make patch xz tar; do
    ln -s "$(command -v $program)" bin/
  done
  run_apart env PATH="$PWD/bin" "$script" build bochs --source small.tar.xz
  [ "$status" = 4 ]
  [[ $stderr == *"emulator: g++ is missing"* ]]
}

@test "emulator: without a network" {
  small_package
  # A mirror that refuses the connection.
  sed -i 's|^apt_private_sources_of() {|&\n  echo "deb-src [trusted=yes] http://127.0.0.1:9/debian $2 main"; return|' \
    copy/scripts/apt-private.sh
  run_apart "$script" build bochs --quiet
  [ "$status" = 4 ]
  [[ $stderr == "emulator: the sources of bochs=3.0+dfsg-1 are not cached, and Debian cannot be reached: "* ]]
  [ "$(wc -l <<<"$stderr")" = 1 ]
  built 0
}

@test "emulator: the patches of Bochs have a description and a licence" {
  local patch
  for patch in "$top"/host/targets/lab/bochs/*.patch; do
    [ "$(head -n 1 "$patch")" = 'SPDX-License-Identifier: LGPL-2.1-or-later' ]
    [ "$(sed '/^--- /,$d' "$patch" | wc -l)" -ge 5 ]
  done
}

@test "emulator: a damaged emulator is built again, and said in one line" {
  small_package
  local binary
  binary=$("$script" build bochs --source small.tar.xz --quiet)
  cp "$binary" whole
  sed -i '1s/./X/' "$binary" # of the same size
  run_apart "$script" build bochs --source small.tar.xz
  [ "$status" = 0 ]
  [ "$(grep -c 'in the cache is damaged' <<<"$stderr")" = 1 ]
  cmp "$binary" whole
  mkdir "$emulators/.build.abcdef" # of a build that was killed
  : >"$binary"
  "$script" build bochs --source small.tar.xz --quiet
  cmp "$binary" whole
  [ ! -e "$emulators/.build.abcdef" ]
  # Without a record, which older scripts did not make.
  rm "$emulators"/*.sums
  head -c 10000 whole >"$binary"
  "$script" build bochs --source small.tar.xz --quiet
  cmp "$binary" whole
  built 1
}

# one_target TARGET OPTION...: a run of it fails, with this one line.
one_target() {
  local target=$1
  shift
  run_apart "$wsbench" run --on "$target" --bench null --quiet "$@"
  echo "$status: $stderr"
  [ "$status" = 4 ]
  one_line "$stderr"
}

@test "emulator: a damaged Bochs is refused in one line, which says how to replace it" {
  local key target real
  export WORLDSWITCH_CACHE=$real_cache
  need_target lab:x86_64-svm
  export WORLDSWITCH_EMULATORS=$emulators
  key=$("$top/scripts/emulator.sh" identity bochs | sed 's/.* //')
  real=${real_emulators:-$real_cache/emulators}
  mkdir -p "$emulators"
  cp "$real/bochs-$key" "$emulators/"
  truncate -s -100 "$emulators/bochs-$key"
  for target in lab:x86_64-svm bare:x86_64-bochs; do
    one_target $target
    [[ $stderr == *"bochs-$key in the cache is damaged (scripts/emulator.sh build bochs)" ]]
  done
  # Of the right size: by the checksum, after a start of the machine.
  cp "$real/bochs-$key" "$emulators/"
  (cd "$emulators" && echo "$(sha256sum "bochs-$key" | cut -d ' ' -f 1) $(stat -c '%s %.9Y' "bochs-$key") bochs-$key" && echo end) >sums
  # A record of no file is not that of an intact emulator.
  echo end >"$emulators/bochs-$key.sums"
  one_target bare:x86_64-bochs
  [[ $stderr == *"bochs-$key in the cache is damaged (scripts/emulator.sh build bochs)" ]]
  cp sums "$emulators/bochs-$key.sums"
  run_apart "$wsbench" run --on bare:x86_64-bochs --bench null --quiet
  [ "$status" = 0 ]
  cmp "$emulators/bochs-$key.checked" /proc/sys/kernel/random/boot_id
  printf X | dd of="$emulators/bochs-$key" bs=1 seek=100000 conv=notrunc status=none
  touch -r "$real/bochs-$key" "$emulators/bochs-$key"
  one_target bare:x86_64-bochs
  [[ $stderr == *"bochs-$key in the cache is damaged (scripts/emulator.sh build bochs)" ]]
}

@test "emulator: a truncated QEMU is refused in one line" {
  export WORLDSWITCH_CACHE=$real_cache
  need_target bare:x86_64
  need_target lab:aarch64-vhe
  mkdir bin
  head -c 100000 "$(command -v qemu-system-x86_64)" >bin/qemu-system-x86_64
  head -c 100000 "$(command -v qemu-system-aarch64)" >bin/qemu-system-aarch64
  chmod +x bin/*
  PATH=$PWD/bin:$PATH one_target bare:x86_64
  [[ $stderr == *"bin/qemu-system-x86_64 is truncated (install its package again)" ]]
  one_target lab:aarch64-vhe --emulator "$PWD/bin"
  [[ $stderr == *"bin/qemu-system-aarch64 is truncated (install its package again)" ]]
}

@test "emulator: prune removes the emulators of other patches, and nothing else" {
  small_package
  "$script" build bochs --source small.tar.xz --quiet
  touch "$emulators"/{bochs-0123456789ab,bochs-0123456789ab.sum,bochs-0123456789ab.sums,bochs-0123456789ab.checked,build.log,bochs_3.0.orig.tar.xz}
  run_apart "$script" prune bochs
  [ "$status" = 0 ]
  [ "$stdout" = bochs-0123456789ab ]
  [ ! -e "$emulators/bochs-0123456789ab" ]
  [ ! -e "$emulators/bochs-0123456789ab.sum" ]
  [ ! -e "$emulators/bochs-0123456789ab.sums" ]
  [ ! -e "$emulators/bochs-0123456789ab.checked" ]
  [ -e "$emulators/build.log" ]
  [ -e "$emulators/bochs_3.0.orig.tar.xz" ]
  "$script" path bochs
  run_apart "$script" prune bochs
  [ "$stdout" = '' ]
}

# A package client whose archive has QEMU in two suites, a library, and packages that only an
# installation needs. $ARCHIVE/broken: a package that fails its checksum. The emulators are
# shell scripts; the loader starts them.
stand_in_qemu() {
  export ARCHIVE=$BATS_TEST_TMPDIR/archive
  command -v dpkg-deb >/dev/null || skip "no dpkg-deb here"
  [ -r /usr/share/keyrings/debian-archive-keyring.gpg ] || skip "no keys of Debian here"
  mkdir -p "$ARCHIVE" bin
  cat >bin/apt-get <<'END'
#!/bin/bash
[ "$1" = -c ] || exit 9
sources=$(dirname "$2")/sources.list
shift 2
[ ! -e "$ARCHIVE/down" ] || { echo "E: no route to the mirror" && exit 100; }
case $* in
*update*) awk '{ print "Get:" NR " " $3 " " $4 " InRelease [1 kB]" }' "$sources" ;;
*--print-uris*)
  case $* in
  *"-t bookworm-backports "*) v=1%3a10.0.2+ds-2~bpo12+1 ;;
  *"-t trixie "* | *"-t forky "*) v=1%3a10.0.9+ds-1 ;;
  *) echo "E: Unable to locate package qemu-system-x86" && exit 100 ;;
  esac
  for p in qemu-system-x86 qemu-system-arm libc6 libpam0g dpkg; do
    echo "'http://mirror/pool/$p.deb' ${p}_${v}_amd64.deb 1000 SHA256:00"
  done
  ;;
*download*)
  echo x >>"$ARCHIVE/downloads"
  sleep "${SLOW:-0}"
  while [ "$1" != download ]; do shift; done
  shift
  for p; do
    echo "$p" >>"$ARCHIVE/packages"
    name=${p%%=*} version=${p#*=}
    mkdir -p tree/DEBIAN tree/usr/bin tree/usr/lib/x86_64-linux-gnu
    printf 'Package: p\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n' >tree/DEBIAN/control
    case $name in
    libc6)
      printf '#!/bin/sh\nshift 4\nprogram=$1\nshift\nexec "$program" "$@"\n' >tree/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
      chmod 755 tree/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
      ;;
    qemu-*)
      for m in x86_64 aarch64; do
        case $name$m in qemu-system-x86x86_64 | qemu-system-armaarch64) ;; *) continue ;; esac
        printf '#!/bin/sh\n%s\necho "QEMU emulator version %s (Debian %s)"\n' "$(cat "$ARCHIVE/fails" 2>/dev/null)" \
          "$(sed 's/^1://; s/[+].*//' <<<"$version")" "$version" >tree/usr/bin/qemu-system-$m
        chmod 755 tree/usr/bin/qemu-system-$m
      done
      ;;
    esac
    if [ "$name" = "$(cat "$ARCHIVE/broken" 2>/dev/null)" ]; then
      echo "E: Failed to fetch http://mirror/pool/$name.deb  Hash Sum mismatch"
      exit 100
    fi
    dpkg-deb -b tree "$name.deb" >/dev/null && rm -rf tree
  done
  ;;
esac
END
  chmod +x bin/apt-get
  PATH=$PWD/bin:$PATH
}

fetched='qemu-10.0.2+ds-2~bpo12+1'

@test "emulator: fetch unpacks QEMU with what it needs, once, and the labs find it" {
  stand_in_qemu
  run_apart "$script" fetch qemu --suite bookworm-backports
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ "$stdout" = "$emulators/$fetched" ]
  [ "$(cat "$stdout/package")" = "qemu-system-x86 1:10.0.2+ds-2~bpo12+1 bookworm-backports" ]
  [ "$(cut -d = -f 1 "$ARCHIVE/packages" | sort | paste -sd ' ')" = "libc6 qemu-system-arm qemu-system-x86" ]
  built 1
  "$stdout/bin/qemu-system-aarch64" --version | grep -qF 'version 10.0.2 (Debian 1:10.0.2+ds-2~bpo12+1)'
  # Neither the network nor the client is needed any more.
  touch "$ARCHIVE/down"
  run_apart "$script" fetch qemu --suite bookworm-backports
  [ "$status" = 0 ]
  [ "$stdout" = "$emulators/$fetched" ]
  rm "$ARCHIVE/down"
  "$script" fetch qemu --suite trixie --quiet
  [ "$(wc -l <"$ARCHIVE/downloads")" = 2 ]
  built 2
  run_apart "$wsbench" list emulators --names
  [[ $'\n'$stdout$'\n' == *$'\n10.0.2+ds-2~bpo12+1\n10.0.9+ds-1\n'* ]]
  "$wsbench" list emulators --json >emulators.json
  python3 - emulators.json "$emulators/$fetched/bin" <<'END'
import json, sys
e = next(e for e in json.load(open(sys.argv[1]))["emulators"] if e["name"].startswith("10.0.2"))
assert e["version"] == "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2~bpo12+1)", e
assert e["path"] == sys.argv[2] and not e["default"], e
assert "lab:aarch64-vhe" in e["labs"] and "lab:x86_64-svm-qemu" in e["labs"], e
assert "lab:x86_64-svm" not in e["labs"], e
END
}

@test "emulator: a damaged QEMU is refused by the labs, and fetched again" {
  local folder program
  stand_in_qemu
  folder=$("$script" fetch qemu --suite bookworm-backports --quiet)
  program=$folder/root/usr/bin/qemu-system-aarch64
  "$script" check "$fetched"
  cp -p "$program" whole
  sed -i 's/version/VERSION/' "$program" # of the same size
  run_apart "$script" check "$fetched"
  [ "$status" = 1 ]
  [ "$stdout" = root/usr/bin/qemu-system-aarch64 ]
  [ "$stderr" = '' ]
  run_apart "$wsbench" run --on lab:aarch64-vhe --emulator 10.0 --bench null --quiet
  [ "$status" = 4 ]
  [[ $stderr == *"$fetched in the cache is damaged (scripts/emulator.sh fetch qemu --suite bookworm-backports)" ]]
  # Without a network, the damaged one is not used.
  touch "$ARCHIVE/down"
  run_apart "$script" fetch qemu --suite bookworm-backports
  [ "$status" = 4 ]
  [[ $stderr == *"$fetched is damaged, and Debian cannot be reached"* ]]
  rm "$ARCHIVE/down"
  run_apart "$script" fetch qemu --suite bookworm-backports
  [ "$status" = 0 ]
  [ "$stdout" = "$folder" ]
  [ "$(grep -c 'in the cache is damaged' <<<"$stderr")" = 1 ]
  cmp "$program" whole
  "$script" check "$fetched"
  # A file that is gone.
  rm "$folder/root/usr/bin/qemu-system-x86_64"
  run_apart "$script" check "$fetched"
  [ "$stdout" = root/usr/bin/qemu-system-x86_64 ]
  # A record of no file, and no record.
  echo end >"$folder/sums"
  run_apart "$script" check "$fetched"
  [ "$status" = 1 ]
  [ "$stdout" = sums ]
  rm "$folder/sums"
  run_apart "$script" check "$fetched"
  [ "$status" = 0 ]
  [[ $stderr == *": no checksums ("* ]]
}

@test "emulator: a version that two suites have is cached for both" {
  stand_in_qemu
  "$script" fetch qemu --suite trixie --quiet
  "$script" fetch qemu --suite forky --quiet
  "$script" fetch qemu --suite forky --refresh --quiet
  [ "$(wc -l <"$ARCHIVE/downloads")" = 1 ]
  [ "$(cut -d ' ' -f 3 "$emulators/qemu-10.0.9+ds-1/package" | paste -sd ' ')" = "trixie forky" ]
  touch "$ARCHIVE/down"
  local suite
  for suite in trixie forky; do
    run_apart "$script" fetch qemu --suite "$suite"
    [ "$status" = 0 ]
    [ "$stdout" = "$emulators/qemu-10.0.9+ds-1" ]
    [ -z "$stderr" ]
  done
  # The name of a suite in part is not the suite.
  refused 4 "QEMU of trixie-backports is not cached, and Debian cannot be reached" \
    "$script" fetch qemu --suite trixie-backports --quiet
}

@test "emulator: fetch --refresh without a network prints the cached QEMU, with a warning" {
  stand_in_qemu
  "$script" fetch qemu --suite trixie --quiet
  touch "$ARCHIVE/down"
  run_apart "$script" fetch qemu --suite trixie --refresh --quiet
  [ "$status" = 0 ]
  [ "$stdout" = "$emulators/qemu-10.0.9+ds-1" ]
  [ "$stderr" = "emulator: qemu-10.0.9+ds-1 may not be the newest of trixie: Debian cannot be reached: no route to the mirror" ]
}

@test "emulator: prune removes each QEMU that is not the newest of a suite" {
  qemu() { # VERSION SUITE...
    local version=$1 suite
    mkdir -p "$emulators/qemu-$version/bin"
    shift
    for suite; do echo "qemu-system-x86 1:$version $suite"; done >"$emulators/qemu-$version/package"
  }
  run_apart "$script" prune qemu
  [ "$status" = 0 ]
  [ -z "$stdout$stderr" ]
  qemu 10.0.2+ds-1 trixie
  qemu 10.0.9+ds-1 trixie forky
  qemu 10.0.11+ds-1 trixie
  qemu 11.0.0~rc2+ds-1 sid
  qemu 11.0.0+ds-1 sid
  mkdir "$emulators/qemu-mine" "$emulators/qemu-8.0"
  touch "$emulators/bochs-0123456789ab"
  run_apart "$script" prune qemu
  [ "$status" = 0 ]
  [ "$(sort <<<"$stdout" | paste -sd ' ')" = "qemu-10.0.2+ds-1 qemu-11.0.0~rc2+ds-1" ]
  local left
  left=$(cd "$emulators" && printf '%s\n' qemu-* bochs-* | LC_ALL=C sort | paste -sd ' ')
  [ "$left" = "bochs-0123456789ab qemu-10.0.11+ds-1 qemu-10.0.9+ds-1 qemu-11.0.0+ds-1 qemu-8.0 qemu-mine" ]
  run_apart "$script" prune qemu
  [ -z "$stdout" ]
}

@test "emulator: options of another command are refused" {
  refused 2 "--suite: not an option of build bochs" "$script" build bochs --suite trixie
  refused 2 "--refresh: not an option of build bochs" "$script" build bochs --refresh
  refused 2 "--source: not an option of fetch qemu" "$script" fetch qemu --suite trixie --source x
  refused 2 "--quiet: not an option of path bochs" "$script" path bochs --quiet
  refused 2 "path, build: one command at a time" "$script" path bochs build bochs
  refused 2 "bochs, qemu: one emulator at a time" "$script" path bochs qemu
}

@test "emulator: two fetches at once are one download" {
  stand_in_qemu
  SLOW=2 "$script" fetch qemu --suite bookworm-backports >first 2>first.err 3>&- &
  SLOW=2 "$script" fetch qemu --suite bookworm-backports >second 2>second.err 3>&- &
  wait
  cat first.err second.err
  [ -d "$(cat first)" ]
  cmp first second
  [ "$(wc -l <"$ARCHIVE/downloads")" = 1 ]
  built 1
}

@test "emulator: a damaged download, no network, an unknown suite: one line, and nothing is left" {
  stand_in_qemu
  local fetch=("$script" fetch qemu --quiet --suite)
  echo libc6 >"$ARCHIVE/broken"
  refused 4 "cannot download QEMU of bookworm-backports: Failed to fetch http://mirror/pool/libc6.deb  Hash Sum mismatch" \
    "${fetch[@]}" bookworm-backports
  built 0
  rm "$ARCHIVE/broken"
  # A program that cannot start.
  echo 'echo no such library >&2; exit 127' >"$ARCHIVE/fails"
  refused 4 "qemu-system-x86_64 of bookworm-backports does not start: no such library" "${fetch[@]}" bookworm-backports
  built 0
  refused 4 "Debian sid has no QEMU: Unable to locate package" "${fetch[@]}" sid
  refused 2 "unknown suite buster: bookworm-backports, trixie," "${fetch[@]}" buster
  refused 2 "fetch qemu needs --suite" "$script" fetch qemu
  rm -r "$WORLDSWITCH_CACHE/apt"
  touch "$ARCHIVE/down"
  refused 4 "QEMU of trixie is not cached, and Debian cannot be reached: no route to the mirror" "${fetch[@]}" trixie
  built 0
}

@test "--emulator: a wrong name lists those that exist; Bochs and other targets are refused" {
  mkdir -p "$emulators/$fetched/bin"
  printf '#!/bin/sh\necho QEMU emulator version 10.0.2\n' >"$emulators/$fetched/bin/qemu-system-aarch64"
  chmod 755 "$emulators/$fetched/bin/qemu-system-aarch64"
  local command
  for command in "run --bench null" "explain --bench null" selftest pmu; do
    # shellcheck disable=SC2086  # words
    refused 2 "--emulator 9.9: no qemu-system-aarch64 of this name (here: " \
      "$wsbench" $command --on lab:aarch64-vhe --emulator 9.9
    [[ $stderr == *"10.0.2+ds-2~bpo12+1"* ]]
  done
  # The folder has no emulator for this lab.
  refused 2 "--emulator 10.0: no qemu-system-x86_64 of this name" "$wsbench" run --on lab:x86_64-svm-qemu --bench null --emulator 10.0
  refused 2 "--emulator 10.0: this lab runs on bochs, not on QEMU" "$wsbench" run --on lab:x86_64-vmx --bench null --emulator 10.0
  refused 2 "--emulator: not for target kvm" "$wsbench" run --on kvm --bench null --emulator 10.0
  refused 2 "--emulator" "$wsbench" history show --db none.jsonl --emulator 10.0
}

# other_qemu: a fetched QEMU, the newest. Nothing is fetched for a test.
other_qemu() {
  "$wsbench" list emulators --json | python3 -c '
import json, sys
names = [e["name"] for e in json.load(sys.stdin)["emulators"] if e["name"][0].isdigit()]
print(names[-1] if names else "")'
}

# same_on_another_qemu LAB ROW...: the core rows of two emulators are the same, but for ROWs;
# the total of explain is the figure of the run on the other emulator.
same_on_another_qemu() {
  local lab=lab:$1 other
  shift
  export WORLDSWITCH_CACHE=$real_cache
  [ -z "$real_emulators" ] || export WORLDSWITCH_EMULATORS=$real_emulators
  need_target "$lab"
  other=$(other_qemu)
  [ -n "$other" ] || skip "no other QEMU is cached (scripts/emulator.sh fetch qemu)"
  "$wsbench" run --quiet --on "$lab" --bench core --boots 1 --events 50 -o ours.json
  "$wsbench" run --quiet --on "$lab" --bench core --boots 1 --events 50 --emulator "$other" -o other.json
  [ "$(doc other.json 'd["target"]["emulator"]')" != "$(doc ours.json 'd["target"]["emulator"]')" ]
  refused 2 "different emulators" "$wsbench" compare ours.json other.json
  "$wsbench" compare --across machines --json ours.json other.json >compared || [ $? = 1 ]
  python3 - compared "$@" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
other = [(r["name"], r["verdict"]) for r in d["rows"] if r["verdict"] not in ("same", "not compared")]
assert sum(r["verdict"] == "same" for r in d["rows"]) >= 10, d
assert {n for n, _ in other} <= set(sys.argv[2:]), other
END
  "$wsbench" explain --quiet --on "$lab" --bench hypercall --events 50 --emulator "$other" -o why.json >/dev/null
  holds other.json "value('hypercall') == $(python3 -c 'import json; print(json.load(open("why.json"))["total"])')"
}

@test "lab:aarch64-vhe: the core rows on another QEMU are the same, but for one; explain works" {
  same_on_another_qemu aarch64-vhe fault_first_touch_4k
}

@test "lab:aarch64-vhe-n1: the core rows on another QEMU are the same; explain works" {
  same_on_another_qemu aarch64-vhe-n1
}

@test "lab:x86_64-svm-qemu: the core rows on another QEMU are the same; explain works" {
  same_on_another_qemu x86_64-svm-qemu
}

@test "emulator: a failure of the script itself is exit code 4, not that of a missing or damaged emulator" {
  small_package
  # Where the emulators would be.
  mkdir "$WORLDSWITCH_CACHE"
  : >"$emulators"
  refused 4 "cannot create $emulators" "$script" build bochs --source small.tar.xz --quiet
  refused 4 "cannot create $emulators" "$script" fetch qemu --suite sid --quiet
  rm "$emulators"
  mkdir -p "$emulators/lock"
  refused 4 "cannot write to $emulators/lock" "$script" build bochs --source small.tar.xz --quiet
  refused 4 "cannot write to $emulators/lock" "$script" prune qemu
  # By the trap: a patch that is missing, and a tool that fails.
  rm copy/host/targets/lab/bochs/memory.patch
  run_apart "$script" path bochs
  echo "$stdout$stderr"
  [ "$status" = 4 ]
  mkdir commands
  printf '#!/bin/sh\nexit 1\n' >commands/find
  chmod +x commands/find
  run_apart env PATH="$PWD/commands:$PATH" "$script" identity bochs
  echo "$stdout$stderr"
  [ "$status" = 4 ]
}
