# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# To be sourced, by a script with die() and say(): the kernel headers of Debian, by which
# modules are built for a kernel that kernel.sh has fetched.

# shellcheck source=/dev/null
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/apt-private.sh"
apt_conf='' # set by apt_private_open
apt_reason='' # set by a function that fails

# headers_depends PACKAGE PATTERN: the first dependency of PACKAGE that begins with PATTERN.
headers_depends() {
  apt-cache -c "$apt_conf" show --no-all-versions "$1" 2>/dev/null |
    sed -n 's/^Depends: //p' | tr ',' '\n' | sed -n "s/^ *\($2[^ ]*\).*/\1/p" | head -n 1
}

# headers_lists ARCH SUITE: opens the package client for ARCH, with the lock of its cache,
# for a suite, or for those of this system if SUITE is empty.
headers_lists() {
  if [ -z "$2" ]; then
    apt_private_open "$1" || die 4 "cannot download: $apt_reason"
  else
    apt_private_state "$1-$2" "$(debian_arch "$1")" apt_private_sources_of deb "$2" || die 4 "cannot download: $apt_reason"
  fi
  apt_private_fresh || die 4 "no package lists for $1: $apt_reason"
}

headers_unpack() {
  apt_private_unpack "$@" || die 4 "could not download ${*:2}: $apt_reason"
}

# headers_fetch ARCH RELEASE: makes sure that the cache has, side by side in a folder, the
# headers of the kernel, those common to all its flavours, and the build programs for this
# machine. Sets headers_tree to the build tree of the kernel.
headers_fetch() {
  local release=$2 dir new package=linux-headers-$2 suite='' common kbuild
  local cache
  cache=$(cache_dir)
  mkdir -p "$cache/headers"
  dir=$(cd "$cache/headers" && pwd)/$release
  # shellcheck disable=SC2034  # for the script
  headers_tree=$dir/usr/src/$package
  [ ! -d "$dir" ] || return 0
  headers_lists "$1" ''
  if [ -z "$(headers_depends "$package" linux-kbuild-)" ]; then
    # The suite that the kernel is from.
    suite=$(awk '{ print $3 }' "$cache/kernels/$1/$release/package" 2>/dev/null || true)
    [ -z "$suite" ] || headers_lists "$1" "$suite"
  fi
  [ ! -d "$dir" ] || return 0 # another process had the lock, and fetched them
  common=$(headers_depends "$package" 'linux-headers-.*-common')
  kbuild=$(headers_depends "$package" linux-kbuild-)
  if [ -z "$common" ] || [ -z "$kbuild" ]; then
    die 4 "Debian no longer offers $package (use a newer kernel)"
  fi
  say "downloading $package, $common and $kbuild from Debian"
  new=$(mktemp -d "${dir%/*}/.new.XXXXXX")
  # shellcheck disable=SC2064  # `new` as it is now
  trap "rm -rf '$new'" EXIT
  headers_unpack "$new" "$package" "$common"
  [ "$1" = "$(uname -m)" ] || headers_lists "$(uname -m)" "$suite"
  headers_unpack "$new" "$kbuild"
  # The Makefile includes another one by a path below /usr/src. vmlinux is only for BTF.
  echo "include \$(dir \$(lastword \$(MAKEFILE_LIST)))../$common/Makefile" >"$new/usr/src/$package/Makefile"
  rm -f "$new/usr/src/$package/vmlinux"
  rm -rf "$dir"
  mv -T "$new" "$dir"
  trap - EXIT
}
