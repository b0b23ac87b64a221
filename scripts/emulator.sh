#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the emulator of lab:x86_64-svm, lab:x86_64-vmx* and bare:x86_64-bochs*: Debian's sources
# of Bochs with the patches and the additional files of host/targets/lab/bochs; and bochs-smp, that
# of lab:x86_64-*-smp and lab:x86_64-vmx-msr-imm. Fetches QEMU of other suites of Debian, for the labs that run on QEMU.
set -Eeuo pipefail
# Exit code 1 would be "not built" or "damaged".
trap 'echo "emulator: line $LINENO: $BASH_COMMAND failed" >&2; exit 4' ERR

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=/dev/null
. "$here/apt-private.sh"
# shellcheck source=/dev/null
. "$here/emulator-qemu.sh"
# shellcheck source=/dev/null
. "$here/sums.sh"
apt_conf='' # set by apt_private_open_source
apt_reason='' # set by a function that fails

# The source package. The signed index of the suite must list the tarball with this checksum.
suite=trixie
package=bochs=3.0+dfsg-1
version=3.0+dfsg
tarball=bochs_3.0+dfsg.orig.tar.xz
checksum=78f6c73d4a6472d5130a87ab9dc306d02c7c71ed8e25b3a8ef642e2a7acd282b

# The suites of Debian whose QEMU can be fetched.
qemu_suites='bookworm-backports|trixie|trixie-backports|forky|sid'

sources=$(bochs_dir)
record=$(record_header)
flags=(
  --enable-x86-64 --enable-cpu-level=6 --enable-vmx=2 --enable-svm --enable-avx --enable-evex
  --enable-memtype --enable-all-optimizations --enable-protection-keys --enable-cet
  --enable-monitor-mwait --enable-alignment-check --enable-long-phy-address
  --enable-configurable-msrs --enable-instrumentation=instrument/worldswitch
  --with-nogui --disable-debugger --disable-docbook --disable-xpm --disable-gameport --disable-usb
  CFLAGS=-O2 CXXFLAGS=-O2 'LDFLAGS=-Wl,--export-dynamic-symbol=worldswitch_trace'
)

usage() {
  cat <<END
usage: emulator.sh build bochs|bochs-smp [options]
       emulator.sh path bochs|bochs-smp
       emulator.sh identity bochs|bochs-smp
       emulator.sh prune bochs|bochs-smp|qemu
       emulator.sh fetch qemu --suite SUITE [options]
       emulator.sh check NAME

build     makes sure that the emulator is built, and prints its path
path      prints the path of the built emulator
identity  prints "VERSION worldswitch KEY"; KEY is a checksum of the source tarball, the
          patches, the additional files and the flags of configure, not of the levels of
          optimization, on which no figure depends
prune     bochs: removes the emulators of other patches, which other clones may use; qemu:
          removes each fetched QEMU that is not the newest of a suite; prints their names
fetch     makes sure that QEMU of a suite of Debian, for x86_64 and aarch64 machines, is in
          the cache, undamaged, and prints its folder; SUITE is one of
          ${qemu_suites//|/, }
check     compares a cached emulator, bochs-KEY, bochs-smp-KEY or qemu-VERSION, with its checksums,
          and prints the first file that is damaged

  --source FILE  build: use this $tarball instead of downloading it
  --refresh      fetch: look for a newer package even if one is cached
  --quiet        build, fetch: no progress messages

The sources are $package of Debian $suite, downloaded and verified by Debian's package
client. The build takes two to three minutes of CPU time. The emulator is one file,
bochs-KEY in \$WORLDSWITCH_EMULATORS (default: the folder emulators of the cache, see
kernel.sh --help), so that clones with different patches can share the cache.
bochs-smp is a second program of the same sources, for machines with two CPUs.
A fetched QEMU is the folder qemu-VERSION there, with its libraries and its firmware: 45 MB
are downloaded, without root, verified by Debian's package client, and nothing is installed.
Exit code: 0 done; 1 not built (path), damaged (check); 2 bad usage or a wrong tarball; 4 no network, no
compiler, a folder that cannot be written, or the build failed.
END
}

die() {
  local code=$1
  shift
  echo "emulator: $*" >&2
  exit "$code"
}

say() {
  [ "$quiet" = 1 ] || echo "emulator: $*" >&2
}

smp=0 # 1: of bochs-smp
# patches: the fixes before the PMU and the trace module, which depend on them.
patches() {
  printf '%s\n' "$sources"/fixes-*.patch "$sources"/{pmu,pmu-amd,svm-decode-assists,trace,memory}.patch
}

# late_patches: those that change the additional files, too.
late_patches() {
  [ "$smp" = 0 ] || printf '%s\n' "$sources"/{smp,msr-imm,svm-pause-filter}.patch
}

key() {
  (
    cd "$sources"
    printf '%s\n' "$checksum" "${flags[@]}"
    patches | while IFS= read -r f; do cat "$f" || exit; done
    find overlay -type f | LC_ALL=C sort | while IFS= read -r f; do echo "$f" && cat "$f" || exit; done
    cat "$record"
    late_patches | while IFS= read -r f; do cat "$f" || exit; done
  ) | sha256sum | cut -c 1-12
}

# download FILE: the tarball, verified.
download() {
  local uri name hash log
  say "downloading the sources of $package from Debian"
  apt_private_open_source "$suite" || die 4 "cannot download: $apt_reason"
  apt_private_fresh || die 4 "the sources of $package are not cached, and Debian cannot be reached: $apt_reason"
  read -r uri name hash < <(apt-get -c "$apt_conf" --print-uris source "$package" 2>/dev/null |
    sed -nE "s/^'([^']*)' ([^ ]*\.orig\.tar\.xz) [0-9]+ SHA256:([0-9a-f]*)\$/\1 \2 \3/p") ||
    die 4 "Debian $suite no longer has the sources of $package (give them with --source FILE)"
  [ "$hash" = "$checksum" ] || die 4 "$name of Debian $suite has another checksum than the expected one"
  log=$(apt_private_exec /usr/lib/apt/apt-helper -c "$apt_conf" download-file "$uri" "$1" "SHA256:$hash" 2>&1) ||
    die 4 "cannot download $uri: $(sed -n 's/^E: *//p' <<<"$log" | head -n 1)"
  # The index has served its purpose; it takes 22 MB.
  rm -rf "${apt_dir:?}/lists" "$apt_dir/updated"
}

# check_tarball FILE
check_tarball() {
  [ -r "$1" ] || die 2 "cannot read $1"
  [ "$(sha256sum <"$1" | cut -d ' ' -f 1)" = "$checksum" ] ||
    die 2 "$1 is not the $tarball of $package, or damaged: its SHA-256 is not $checksum"
}

# failed WHAT LOG: the reason of a failed step, in one line.
failed() {
  local reason
  if grep -q 'No space left on device' "$2"; then
    reason="no space left in $(dirname "$work")"
  else
    reason=$(grep -m 1 -E 'error|Error|FAILED|cannot' "$2" || tail -n 1 "$2")
  fi
  cp "$2" "$emulators/build.log" 2>/dev/null || true
  die 4 "$1: $reason (see $emulators/build.log)"
}

# progress TOTAL: passes on nothing of make's output, and counts its compilations.
progress() {
  local line n=0 percent shown=0 begin=$SECONDS
  while IFS= read -r line; do
    [[ $line == *' -c '* ]] || continue
    n=$((n + 1))
    percent=$((n * 100 / $1))
    if [ "$quiet" = 1 ]; then
      continue
    elif [ -t 2 ]; then
      progress_show "emulator: compiling Bochs: $percent %$(progress_left "$n" "$1" $((SECONDS - begin)))"
    elif [ $((percent / 25)) -gt "$shown" ]; then
      shown=$((percent / 25))
      say "compiling Bochs: $percent %"
    fi
  done
  progress_end
}

# apply TREE LOG: the patches whose names are in the input.
apply() {
  local patch
  while IFS= read -r patch; do
    patch -d "$1" -p1 --fuzz=0 --batch <"$patch" >"$2" 2>&1 || failed "$(basename "$patch") does not apply" "$2"
  done
}

# cool TREE: what the labs seldom execute, devices, vectors and floating point, is compiled with less
# optimization, a seventh of the build's CPU time. The longest file is nearly all tables.
cool() {
  local makefile
  for makefile in "$1"/{gui,iodev,iodev/*,cpu/avx,cpu/fpu,cpu/softfloat3e,cpu/cpudb}/Makefile; do
    [ ! -e "$makefile" ] || sed -i -E 's/^((C|CXX)FLAGS *=.*) -O2 /\1 -O1 /' "$makefile"
  done
  # The target's flags of precompile() come later, and keep these.
  echo 'decoder/fetchdecode32.o: CXXFLAGS += -O1' >>"$1/cpu/Makefile"
}

# precompile TREE: the headers that the files of the CPU begin with, which take 0.2 s in each of 190
# files; first1.h is for those with -O1. The emulator is the same, byte for byte; g++ ignores the file
# if its flags are others.
precompile() {
  local dir level
  for level in 1 2; do
    printf '#define NEED_CPU_REG_SHORTCUTS 1\n#include "bochs.h"\n#include "cpu.h"\n' >"$1/cpu/first$level.h"
    (cd "$1/cpu" && g++ -x c++-header -O$level -D_FILE_OFFSET_BITS=64 -D_LARGE_FILES -I.. -I../instrument/worldswitch \
      first$level.h -o first$level.h.gch) || return
  done
  sed -i 's|^CXXFLAGS *=.*|& -include first2.h|' "$1/cpu/Makefile"
  for dir in avx cpudb fpu; do
    sed -i 's|^CXXFLAGS *=.*|& -include ../first1.h|' "$1/cpu/$dir/Makefile"
  done
  # This file asks the headers for more.
  # shellcheck disable=SC2016  # make expands it
  echo 'decoder/fetchdecode32.o: CXXFLAGS := $(filter-out -include first2.h,$(CXXFLAGS))' >>"$1/cpu/Makefile"
}

# compile FILE: builds the emulator from a tarball, as $work/tree/bochs.
compile() {
  local tree=$work/tree log=$work/log total program
  for program in g++ make patch xz; do
    command -v "$program" >/dev/null || die 4 "$program is missing (run make setup)"
  done
  mkdir "$tree"
  tar -C "$tree" --strip-components=1 -xf "$1" >"$log" 2>&1 || failed "cannot unpack $1" "$log"
  apply "$tree" "$log" < <(patches)
  { cp -r "$sources/overlay/." "$tree/" && cp "$record" "$tree/instrument/worldswitch/"; } 2>"$log" ||
    failed "cannot copy the additional files" "$log"
  apply "$tree" "$log" < <(late_patches)
  say "configuring Bochs"
  (cd "$tree" && ./configure "${flags[@]}") >"$log" 2>&1 || failed "configure failed" "$log"
  cool "$tree"
  precompile "$tree" >"$log" 2>&1 || true # the build takes longer
  # Without bximage and other tools.
  total=$(make -C "$tree" -n bochs 2>/dev/null | grep -c -- ' -c ' || true)
  { make -C "$tree" -j"$(nproc)" bochs 2>"$log" || echo >"$work/failed"; } | progress "$((total + 1))"
  [ ! -e "$work/failed" ] || failed "the build failed" "$log"
  strip "$tree/bochs" 2>"$log" || failed "cannot strip the emulator" "$log"
}

# elf_is_whole FILE: whether an ELF file ends where its header says: behind the table of sections.
elf_is_whole() {
  local table size n
  [ "$(head -c 4 "$1" 2>/dev/null | od -An -tx1)" = ' 7f 45 4c 46' ] || return
  table=$(od -An -tu8 -j 40 -N 8 "$1") size=$(od -An -tu2 -j 58 -N 2 "$1") n=$(od -An -tu2 -j 60 -N 2 "$1")
  [ $((table + size * n)) -le "$(stat -Lc %s "$1")" ]
}

# damage NAME: the first damaged file of a cached emulator; '': none. Emulators of older scripts
# have no record of checksums.
damage() {
  local dir record=sums checked=checked
  dir=$emulators/$1
  if [ ! -d "$dir" ]; then
    dir=$emulators record=$1.sums checked=$1.checked
    elf_is_whole "$dir/$1" || { echo "$1" && return; }
  fi
  [ -f "$dir/$record" ] || return 0
  sums_compare "$dir" "$record"
  echo "$sums_damaged"
  [ -n "$sums_damaged" ] || sums_renew "$dir" "$record" "$checked"
}

# is_whole NAME: whether an emulator is cached and undamaged.
is_whole() {
  local file
  [ -e "$emulators/$1" ] || return
  file=$(damage "$1")
  [ -n "$file" ] || return 0
  [ "$file" = "$1" ] || file="$1 ($file)"
  say "$file in the cache is damaged"
  return 1
}

work='' # a folder of build(), removed at the end
build() {
  local begin=$SECONDS
  mkdir -p "$emulators" 2>/dev/null || die 4 "cannot create $emulators"
  { exec {lock}>"$emulators/lock"; } 2>/dev/null || die 4 "cannot write to $emulators/lock"
  flock --nonblock "$lock" || { say "waiting for another build to end" && flock "$lock"; }
  if is_whole "${binary##*/}"; then
    echo "$binary"
    return
  fi
  [ -z "$source" ] || check_tarball "$source"
  # Its presence says that a build failed.
  rm -f "$emulators/build.log"
  rm -rf "$emulators"/.build.* # of a process that was killed: the lock is ours
  work=$(mktemp -d "$emulators/.build.XXXXXX" 2>/dev/null) || die 4 "cannot write to $emulators"
  trap 'rm -rf "$work"' EXIT
  if [ -z "$source" ]; then
    source=$emulators/$tarball
    if [ ! -f "$source" ] || [ "$(sha256sum <"$source" | cut -d ' ' -f 1)" != "$checksum" ]; then
      download "$work/tarball"
      mv "$work/tarball" "$source"
    fi
    check_tarball "$source"
  fi
  compile "$source"
  chmod 755 "$work/tree/bochs"
  sync "$work/tree/bochs"
  # Neither the old record with the new emulator, nor the other way round.
  rm -f "$binary".{sums,checked}
  mv -T "$work/tree/bochs" "$binary"
  sums_write "$emulators" "${binary##*/}.sums" "${binary##*/}"
  sums_checked "$emulators" "${binary##*/}.checked"
  sync "$emulators"
  say "built Bochs in $((SECONDS - begin)) s"
  echo "$binary"
}

main() {
  local command='' name='' source='' suite=$suite refresh=0 quiet=0 options='' valid='' option emulators binary file
  while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --quiet) quiet=1 options+=" $1" ;;
    --source)
      [ $# -gt 1 ] || die 2 "$1 needs a value"
      source=$2 options+=" $1"
      shift
      ;;
    --suite)
      [ $# -gt 1 ] || die 2 "$1 needs a value"
      suite=$2 options+=" $1"
      shift
      ;;
    --refresh)
      # shellcheck disable=SC2034  # for emulator-qemu.sh
      refresh=1 options+=" $1"
      ;;
    build | path | identity | prune | fetch | check)
      [ -z "$command" ] || die 2 "$command, $1: one command at a time; see --help"
      command=$1
      ;;
    bochs | qemu | bochs-* | qemu-[0-9]*)
      [ -z "$name" ] || die 2 "$name, $1: one emulator at a time; see --help"
      name=$1
      ;;
    *) die 2 "unknown argument $1; see --help" ;;
    esac
    shift
  done
  case "$command $name" in
  "build bochs" | "path bochs" | "identity bochs" | "prune bochs" | "prune qemu" | "fetch qemu") ;;
  "build bochs-smp" | "path bochs-smp" | "identity bochs-smp" | "prune bochs-smp")
    smp=1
    flags+=(--enable-smp)
    ;;
  "check bochs-"* | "check qemu-"*) ;;
  *) die 2 "build bochs, path bochs, identity bochs, prune bochs, prune qemu, fetch qemu or check NAME? See --help" ;;
  esac
  case $command in
  build) valid='--source --quiet' ;;
  fetch) valid='--suite --refresh --quiet' ;;
  esac
  for option in $options; do
    [[ " $valid " == *" $option "* ]] || die 2 "$option: not an option of $command $name; see --help"
  done
  emulators=$(emulators_dir)
  if [ "$command" = fetch ]; then
    [[ "$options " == *' --suite '* ]] || die 2 "fetch qemu needs --suite (${qemu_suites//|/, })"
    [[ "|$qemu_suites|" == *"|$suite|"* ]] || die 2 "unknown suite $suite: ${qemu_suites//|/, }"
    qemu_fetch
    return
  fi
  if [ "$command $name" = 'prune qemu' ]; then
    qemu_prune
    return
  fi
  if [ "$command" = check ]; then
    [[ $name != */* && -e $emulators/$name ]] || die 2 "$name: not in $emulators"
    file=$(damage "$name")
    [ -z "$file" ] || { echo "$file" && exit 1; }
    [ -f "$emulators/$name.sums" ] || [ -f "$emulators/$name/sums" ] ||
      say "$name: no checksums (an older emulator.sh made it)"
    return
  fi
  binary=$emulators/$name-$(key)
  case $command in
  build) build ;;
  path)
    [ -x "$binary" ] || die 1 "$binary is not built (run $0 build $name)"
    echo "$binary"
    ;;
  identity) echo "$version worldswitch $(key)" ;;
  prune)
    [ ! -d "$emulators" ] || find "$emulators" -maxdepth 1 ! -name "$(basename "$binary")*" \( -name "$name-????????????" -printf '%f\n' \
      -o -name "$name-????????????.sum" -o -name "$name-????????????.sums" -o -name "$name-????????????.checked" \) -delete
    ;;
  esac
}

main "$@"
