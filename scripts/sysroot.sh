#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Unpacks the static libraries of one architecture, from Debian, into a folder.
set -Eeuo pipefail
trap 'echo "sysroot: line $LINENO: $BASH_COMMAND failed" >&2' ERR

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=/dev/null
. "$here/apt-private.sh"

apt_reason='' # set by a function that fails
packages=(libjansson-dev libpfm4-dev libgsl-dev zlib1g-dev libfdt-dev)

usage() {
  cat <<END
usage: scripts/sysroot.sh ARCH DIR

Makes DIR/usr/{include,lib} of ARCH (x86_64, aarch64) from Debian's packages
  ${packages[*]}
without touching the packages of this system. Does nothing if DIR is complete.
DIR is replaced atomically.

Exit code: 0 DIR is complete; 2 bad usage; 4 the download failed.
END
}

die() {
  local code=$1
  shift
  echo "sysroot: $*" >&2
  exit "$code"
}

main() {
  [ "${1:-}" != --help ] || { usage && exit 0; }
  [ $# = 2 ] || die 2 "two arguments are needed, ARCH and DIR; see --help"
  local arch=$1 dir=$2 new stamp="${packages[*]}"
  debian_arch "$arch" >/dev/null || die 2 "no architecture \"$arch\": x86_64 or aarch64"

  if [ -f "$dir/.complete" ]; then
    [ "$(<"$dir/.complete")" != "$stamp" ] || exit 0
  elif [ -d "$dir" ] && [ -n "$(ls -A "$dir")" ]; then
    die 2 "$dir exists and is not a sysroot: refusing to replace it"
  fi

  echo "sysroot: downloading ${packages[*]} for $arch" >&2
  apt_private_open "$arch" || die 4 "cannot download: $apt_reason"
  apt_private_fresh || die 4 "no package lists for $arch: $apt_reason"
  mkdir -p "$(dirname "$dir")"
  new=$(mktemp -d "$dir.XXXXXX")
  # shellcheck disable=SC2064  # `new` as it is now
  trap "rm -rf ${new@Q}" EXIT
  chmod 755 "$new"
  apt_private_unpack "$new" "${packages[@]}" || die 4 "could not download from Debian: $apt_reason"
  echo "$stamp" >"$new/.complete"
  rm -rf "$dir"
  mv -T "$new" "$dir"
}

main "$@"
