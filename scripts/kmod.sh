#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the counter-passthrough module of host/kmod for Debian's arm64 kernels.
set -Eeuo pipefail
trap 'echo "kmod: line $LINENO: $BASH_COMMAND failed" >&2; exit 4' ERR

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=/dev/null
. "$here/headers.sh"

module=worldswitch_pmu
sources=$(kmod_dir)

usage() {
  cat <<END
usage: kmod.sh [options]

Builds the module $module for a kernel that kernel.sh has fetched, beside the other
modules of the kernel, where the labs find it, and prints its path. The name of the file
contains the identity of the sources, so that clones with different sources can share
the cache. Does nothing if the file exists. The kernel headers come from Debian and are
kept in the cache, like the kernels (see kernel.sh --help).

  --series X.Y, --release RELEASE, --flavour FLAVOUR
                 the kernel, as for kernel.sh fetch
  --tree DIR     build for the kernel of this build tree instead, such as
                 /lib/modules/\$(uname -r)/build on an arm64 machine,
  --output DIR   as DIR/$module.ko
  --source       print the identity of the sources, and build nothing
  --quiet        no progress messages

Exit code: 0 done; 2 bad usage, or a kernel the module does not know; 4 no network,
no headers, no compiler, or a folder that cannot be written.
END
}

die() {
  local code=$1
  shift
  echo "kmod: $*" >&2
  exit "$code"
}

say() {
  [ "$quiet" = 1 ] || echo "kmod: $*" >&2
}

# build TREE FILE: builds the module in a copy of the sources, and creates FILE atomically.
build() {
  local tree=$1 file=$2 work log
  command -v "${cross}gcc" >/dev/null || die 4 "${cross}gcc is not installed (make setup)"
  work=$(mktemp -d 2>/dev/null) || die 4 "cannot write to ${TMPDIR:-/tmp}"
  # shellcheck disable=SC2064  # `work` as it is now
  trap "rm -rf ${work@Q}" EXIT
  cp "$sources"/*.[ch] "$sources/Kbuild" "$work"
  if ! log=$(MAKEFLAGS='' KBUILD_OUTPUT='' make -C "$tree" M="$work" ARCH=arm64 CROSS_COMPILE="$cross" \
    CC="$(headers_cc "$tree" "${cross}gcc" "$work/gcc")" modules 2>&1); then
    sed -n 's/^.*#error "\(.*\)"$/kmod: \1/p; t; s/^.* error: /kmod: /p' <<<"$log" | sort -u >&2
    [[ $log != *'#error'* ]] || exit 2
    echo "$log" | tail -n 20 >&2
    die 4 "could not build $module in $tree"
  fi
  "${cross}strip" --strip-debug "$work/$module.ko"
  # In the folder of the file, so that the second mv is atomic.
  if ! { mkdir -p "${file%/*}" && mv "$work/$module.ko" "$file.$$" && mv "$file.$$" "$file"; } 2>/dev/null; then
    rm -f "$file.$$" 2>/dev/null || true
    die 4 "cannot write to $file"
  fi
}

# source_id: the identity of the sources. wsbench is built with it, and finds the module
# of its own sources (host/targets/lab/kernel.h).
source_id() {
  cat "$sources"/*.[ch] "$sources/Kbuild" | sha256sum | cut -c 1-12
}

build_cached() {
  local kernel release file headers_tree
  kernel=$("$here/kernel.sh" fetch --arch aarch64 "${which[@]}") || exit
  release=$(<"$kernel/release")
  file=$kernel/modules/${module}_$(source_id).ko
  if [ ! -f "$file" ]; then
    headers_fetch aarch64 "$release"
    say "building $module for $release"
    build "$headers_tree" "$file"
  fi
  echo "$file"
}

main() {
  local which=() tree='' output='' quiet=0 cross=aarch64-linux-gnu-
  [ "$(uname -m)" != aarch64 ] || cross=
  while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --source) source_id && exit 0 ;;
    --quiet) quiet=1 which+=(--quiet) ;;
    --series | --release | --flavour | --tree | --output)
      [ $# -gt 1 ] || die 2 "$1 needs a value"
      case $1 in
      --tree) tree=$2 ;;
      --output) output=$2 ;;
      *) which+=("$1" "$2") ;;
      esac
      shift
      ;;
    *) die 2 "unknown argument $1; see --help" ;;
    esac
    shift
  done
  if [ -z "$tree" ]; then
    [ -z "$output" ] || die 2 "--output is for --tree"
    build_cached
    return
  fi
  [ -n "$output" ] || die 2 "--tree needs --output"
  [ -f "$tree/Makefile" ] || die 2 "$tree is not the build tree of a kernel"
  build "$tree" "$output/$module.ko"
  echo "$output/$module.ko"
}

main "$@"
