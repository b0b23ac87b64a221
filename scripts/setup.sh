#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages of scripts/packages that are missing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<'END'
usage: scripts/setup.sh [--list] [--only "PACKAGE..."] [SECTION...]

Installs the missing packages of the given sections of scripts/packages ("base" and
"test" by default), as root or through sudo. Does nothing if all packages are installed.

  --list   print the missing packages, one per line, and install nothing
  --only "PACKAGE..."   of the sections, only these packages
  --help   this text

SETUP=0 in the environment: do nothing.
Exit code: 0 all packages are installed; 2 a package is missing and cannot be installed.
END
}

die() {
  echo "setup: $*" >&2
  exit 2
}

# wanted ARCH SECTION...: the packages of these sections for ARCH.
wanted() {
  awk -v arch="$1" -v sections=" ${*:2} " '
    { sub(/#.*/, "") }
    NF == 0 { next }
    /^%/ { take = index(sections, " " substr($1, 2) " "); next }
    take && (NF == 1 || $2 == "[" arch "]") { print $1 }
  ' "$here/packages"
}

# missing PACKAGE...: the packages of the list that are not installed.
missing() {
  { dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true; } |
    awk -v want="$*" '
      $1 == "installed" { have[$2] = 1 }
      END {
        n = split(want, name, " ")
        for (i = 1; i <= n; i++)
          if (!(name[i] in have))
            print name[i]
      }'
}

lists_are_empty() {
  ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null
}

main() {
  local list=0 only='' sections=() packages lacking root=()
  while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --list) list=1 ;;
    --only)
      [ $# -gt 1 ] || die "$1 needs a value"
      only=$2
      shift
      ;;
    -*) die "unknown option $1; see --help" ;;
    *)
      grep -qx "%$1" "$here/packages" || die "no section \"$1\" in $here/packages"
      sections+=("$1")
      ;;
    esac
    shift
  done
  [ "${SETUP:-1}" != 0 ] || exit 0
  [ ${#sections[@]} -gt 0 ] || sections=(base test)

  command -v apt-get >/dev/null ||
    die "this is not a Debian system: apt-get is missing (install the equivalents of" \
      "scripts/packages and set SETUP=0, or build with 'make native')"

  mapfile -t packages < <(wanted "$(dpkg --print-architecture)" "${sections[@]}" |
    if [ -n "$only" ]; then grep -xF "${only// /$'\n'}" || true; else cat; fi)
  mapfile -t lacking < <(missing "${packages[@]}")
  [ ${#lacking[@]} -gt 0 ] || exit 0
  if [ "$list" = 1 ]; then
    printf '%s\n' "${lacking[@]}"
    exit 0
  fi

  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null ||
      die "missing packages, and neither root nor sudo to install them. As root, run:" \
        "apt-get install --no-install-recommends ${lacking[*]}"
    root=(sudo)
  fi

  local install=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get
    -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  echo "setup: installing ${lacking[*]}" >&2
  if lists_are_empty; then
    "${install[@]}" update >&2 || die "apt-get update failed: see above"
  elif "${install[@]}" install --no-install-recommends "${lacking[@]}" >&2; then
    exit 0
  else
    echo "setup: trying again with fresh package lists" >&2
    "${install[@]}" update >&2 || die "apt-get update failed: see above"
  fi
  "${install[@]}" install --no-install-recommends "${lacking[@]}" >&2 ||
    die "apt-get could not install ${lacking[*]}: see above"
}

main "$@"
