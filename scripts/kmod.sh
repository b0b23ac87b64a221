#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the counter-passthrough module of host/kmod for Debian's arm64 kernels.
set -Eeuo pipefail
trap 'echo "kmod: line $LINENO: $BASH_COMMAND failed" >&2' ERR

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=/dev/null
. "$here/apt-private.sh"
apt_conf='' # set by apt_private_open
apt_reason='' # set by what fails

module=worldswitch_pmu
sources=$here/../host/kmod

usage() {
  cat <<END
usage: scripts/kmod.sh [options]

Builds $module.ko for a kernel that scripts/kernel.sh has fetched, puts it beside
that kernel's other modules, where the labs look for it, and prints its path. Does
nothing if it is there and of the same source. Headers come from Debian and stay
in \$WORLDSWITCH_CACHE (default: build/cache).

  --series X.Y, --release RELEASE, --flavour FLAVOUR
                 which kernel, as scripts/kernel.sh fetch has it
  --tree DIR     instead: for the kernel of this build tree, such as
                 /lib/modules/\$(uname -r)/build on an arm64 machine ...
  --output DIR   ... and put it there
  --quiet        no progress messages

Exit code: 0 done; 2 bad usage, or a kernel the module does not know; 4 no network,
no headers, or no compiler.
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

# depends PACKAGE PATTERN: the first of its dependencies that begins so.
depends() {
  apt-cache -c "$apt_conf" show --no-all-versions "$1" 2>/dev/null |
    sed -n 's/^Depends: //p' | tr ',' '\n' | sed -n "s/^ *\($2[^ ]*\).*/\1/p" | head -n 1
}

# packages_of ARCH: from now on, the package client's.
packages_of() {
  apt_private_open "$1" || exit 4
  apt_private_fresh || die 4 "no package lists for $1: $apt_reason"
}

# unpack DIR PACKAGE...
unpack() {
  apt_private_unpack "$@" || die 4 "could not download ${*:2}: $apt_reason"
}

# headers_fetch RELEASE DIR: the kernel's headers, those common to all its flavours,
# and the programs of this machine that build with them, side by side in DIR.
headers_fetch() {
  local release=$1 dir=$2 new package=linux-headers-$1 common kbuild tree
  packages_of aarch64
  common=$(depends "$package" 'linux-headers-.*-common')
  kbuild=$(depends "$package" linux-kbuild-)
  if [ -z "$common" ] || [ -z "$kbuild" ]; then
    die 4 "Debian does not offer $package any more: try a newer kernel"
  fi
  say "downloading $package, $common and $kbuild from Debian"
  new=$(mktemp -d "$headers/.new.XXXXXX")
  # shellcheck disable=SC2064  # `new` as it is now
  trap "rm -rf '$new'" EXIT
  unpack "$new" "$package" "$common"
  [ "$(uname -m)" = aarch64 ] || packages_of "$(uname -m)"
  unpack "$new" "$kbuild"
  # It names its neighbour by a path below /usr/src. The other is only for BTF.
  tree=$new/usr/src/$package
  echo "include \$(dir \$(lastword \$(MAKEFILE_LIST)))../$common/Makefile" >"$tree/Makefile"
  rm -f "$tree/vmlinux"
  rm -rf "$dir"
  mv -T "$new" "$dir"
}

# build TREE DIR: the module, built in a copy, whole or not at all.
build() {
  local tree=$1 dir=$2 work log
  command -v "${cross}gcc" >/dev/null || die 4 "there is no ${cross}gcc: run 'make setup'"
  work=$(mktemp -d)
  # shellcheck disable=SC2064  # `work` as it is now
  trap "rm -rf '$work'" EXIT
  cp "$sources"/*.[ch] "$sources/Kbuild" "$work"
  if ! log=$(MAKEFLAGS='' make -C "$tree" M="$work" ARCH=arm64 CROSS_COMPILE="$cross" \
    CC="${cross}gcc" modules 2>&1); then
    sed -n 's/^.*#error "\(.*\)"$/kmod: \1/p; t; s/^.* error: /kmod: /p' <<<"$log" | sort -u >&2
    [[ $log != *'#error'* ]] || exit 2
    echo "$log" | tail -n 20 >&2
    die 4 "could not build $module in $tree"
  fi
  "${cross}strip" --strip-debug "$work/$module.ko"
  mkdir -p "$dir"
  mv "$work/$module.ko" "$dir/.$module.$$"
  mv "$dir/.$module.$$" "$dir/$module.ko"
}

# stamp: what a module is made of.
stamp() {
  cat "$sources"/*.[ch] "$sources/Kbuild" | sha256sum | cut -d' ' -f1
}

build_cached() {
  local kernel release dir
  kernel=$("$here/kernel.sh" fetch --arch aarch64 "${which[@]}") || exit
  release=$(<"$kernel/release")
  dir=$kernel/modules
  if [ ! -f "$dir/$module.ko" ] || [ "$(cat "$dir/$module.source" 2>/dev/null)" != "$(stamp)" ]; then
    headers=$(cache_dir)/headers
    mkdir -p "$headers"
    headers=$(cd "$headers" && pwd)
    [ -d "$headers/$release" ] || headers_fetch "$release" "$headers/$release"
    say "building $module for $release"
    rm -f "$dir/$module.source"
    build "$headers/$release/usr/src/linux-headers-$release" "$dir"
    stamp >"$dir/$module.source"
  fi
  echo "$dir/$module.ko"
}

main() {
  local which=() tree='' output='' quiet=0 cross=aarch64-linux-gnu- headers
  [ "$(uname -m)" != aarch64 ] || cross=
  while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
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
  [ -f "$tree/Makefile" ] || die 2 "$tree is no kernel's build tree"
  build "$tree" "$output"
  echo "$output/$module.ko"
}

main "$@"
