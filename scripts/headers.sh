# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# To be sourced, by a script with die() and say(): the kernel headers of Debian, by which
# modules are built for a kernel that kernel.sh has fetched.

# shellcheck source=/dev/null
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/apt-private.sh"
apt_conf='' # set by apt_private_open
apt_reason='' # set by a function that fails
apt_lock='' # set by apt_private_state

# headers_depends PACKAGE PATTERN: the first dependency of PACKAGE that begins with PATTERN.
headers_depends() {
  apt-cache -c "$apt_conf" show --no-all-versions "$1" 2>/dev/null |
    sed -n 's/^Depends: //p' | tr ',' '\n' | sed -n "s/^ *\($2[^ ]*\).*/\1/p" | head -n 1
}

# headers_lists ARCH SUITE: opens the package client for ARCH, with the lock of its cache,
# for a suite, or for those of this system if SUITE is empty; closes the client before.
headers_of=''
headers_lists() {
  [ "$headers_of" != "$1 $2" ] || return 0
  [ -z "$headers_of" ] || apt_private_unlock "$apt_lock"
  headers_of="$1 $2"
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

# headers_programs NEW DIR SUITE: the build programs below NEW, which will be DIR, of a newer
# Debian may need its C library. Such programs become scripts that run them with it.
headers_programs() {
  local new=$1 dir=$2 file name said loader
  loader=usr/lib/$(uname -m)-linux-gnu
  for file in "$new"/usr/lib/linux-kbuild-*/{scripts/mod/modpost.real-lsb-64,tools/objtool/objtool.real-*,scripts/genksyms/genksyms}; do
    [ -x "$file" ] || continue
    said=$(LC_ALL=C "$file" </dev/null 2>&1) || true
    [[ $said == *"version \`GLIBC_"*"not found"* ]] || continue
    if [ ! -e "$new/usr/lib/.libc" ]; then
      headers_lists "$(uname -m)" "$3"
      say "downloading libc6 of $3 for ${file##*/}"
      headers_unpack "$new" libc6
      touch "$new/usr/lib/.libc"
    fi
    name=${file#"$new"}
    mv "$file" "$file.elf"
    printf '#!/bin/sh\nexec %s --library-path %s:%s %s "$@"\n' "'$dir/$loader/ld-linux-$(uname -m | tr _ -).so.2'" \
      "'$dir/$loader'" "'/$loader'" "'$dir$name.elf'" >"$file"
    chmod +x "$file"
  done
}

# headers_cc TREE COMPILER FILE: prints the compiler for modules of a build tree: a script
# FILE, if this compiler is older than the kernel's and lacks an option of it.
headers_cc() {
  if grep -qx CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=y "$1/include/config/auto.conf" 2>/dev/null &&
    ! "$2" -fmin-function-alignment=8 -E -x c /dev/null >/dev/null 2>&1; then
    # GCC 14. -falign-functions does not align cold functions.
    # shellcheck disable=SC2016  # for the script
    printf '#!/bin/bash\nexec %s "${@/#-fmin-function-alignment=/-falign-functions=}"\n' "$2" >"$3"
    chmod +x "$3"
    echo "$3"
  else
    echo "$2"
  fi
}

# headers_fetch ARCH RELEASE: makes sure that the cache has, side by side in a folder, the
# headers of the kernel, those common to all its flavours, and the build programs for this
# machine. Sets headers_tree to the build tree of the kernel.
headers_fetch() {
  local release=$2 dir new package=linux-headers-$2 suite='' common kbuild
  local cache
  cache=$(cache_dir)
  mkdir -p "$cache/headers" 2>/dev/null || die 4 "cannot create $cache/headers"
  dir=$(cd "$cache/headers" && pwd)/$release
  # shellcheck disable=SC2034  # for the script
  headers_tree=$dir/usr/src/$package
  [ ! -d "$dir" ] || return 0
  headers_lists "$1" ''
  if [ -z "$(headers_depends "$package" linux-kbuild-)" ]; then
    # The suite that the kernel is from.
    suite=$(awk '{ print $3 }' "$cache/kernels/$1/$release/package" 2>/dev/null || true)
    # Backports need packages of their release.
    [[ $suite != *-backports ]] || suite+=,${suite%-backports}
    [ -z "$suite" ] || headers_lists "$1" "$suite"
  fi
  [ ! -d "$dir" ] || return 0 # another process had the lock, and fetched them
  common=$(headers_depends "$package" 'linux-headers-.*-common')
  kbuild=$(headers_depends "$package" linux-kbuild-)
  if [ -z "$common" ] || [ -z "$kbuild" ]; then
    die 4 "Debian no longer offers $package (use a newer kernel)"
  fi
  say "downloading $package, $common and $kbuild from Debian"
  sweep_dead "${dir%/*}" .new
  new=$(mktemp -d "${dir%/*}/.new.$$.XXXXXX" 2>/dev/null) || die 4 "cannot write to ${dir%/*}"
  # shellcheck disable=SC2064  # `new` as it is now
  trap "rm -rf ${new@Q}" EXIT
  headers_unpack "$new" "$package" "$common"
  [ "$1" = "$(uname -m)" ] || headers_lists "$(uname -m)" "$suite"
  headers_unpack "$new" "$kbuild"
  headers_programs "$new" "$dir" "$suite"
  # The Makefile has paths below /usr/src: of another Makefile and, since Linux 7, of the
  # folder of the build. vmlinux is only for BTF.
  {
    # shellcheck disable=SC2016  # for make
    ! grep -q '^KBUILD_OUTPUT' "$new/usr/src/$package/Makefile" || echo 'KBUILD_OUTPUT := $(CURDIR)'
    echo "include \$(dir \$(lastword \$(MAKEFILE_LIST)))../$common/Makefile"
  } >"$new/Makefile"
  mv "$new/Makefile" "$new/usr/src/$package/Makefile"
  rm -f "$new/usr/src/$package/vmlinux"
  sync -f "$new"
  rm -rf "$dir"
  mv -T "$new" "$dir"
  trap - EXIT
}
