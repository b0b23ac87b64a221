#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# scripts/emulator.sh: what can go wrong between Debian's sources and a built emulator. Nothing
# is downloaded, and nothing of Bochs is compiled.

bats_require_minimum_version 1.5.0
load helper

setup() {
  clean_place "$BATS_TEST_TMPDIR"
  script=$top/scripts/emulator.sh
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
  cp "$top"/scripts/{emulator,apt-private,places}.sh copy/scripts/
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
  mapfile -t files < <(find "$emulators" -mindepth 1 -maxdepth 1 ! -name lock ! -name build.log -printf '%f\n')
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

@test "emulator: prune removes the emulators of other patches, and nothing else" {
  small_package
  "$script" build bochs --source small.tar.xz --quiet
  touch "$emulators"/{bochs-0123456789ab,build.log,bochs_3.0.orig.tar.xz}
  run_apart "$script" prune bochs
  [ "$status" = 0 ]
  [ "$stdout" = bochs-0123456789ab ]
  [ ! -e "$emulators/bochs-0123456789ab" ]
  [ -e "$emulators/build.log" ]
  [ -e "$emulators/bochs_3.0.orig.tar.xz" ]
  "$script" path bochs
  run_apart "$script" prune bochs
  [ "$stdout" = '' ]
}
