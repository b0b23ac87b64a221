# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# To be sourced by emulator.sh: QEMU of another suite of Debian, with the libraries and the
# firmware that it needs, in a folder of its own. Nothing is installed.
# shellcheck disable=SC2154  # variables of emulator.sh and apt-private.sh

# The folder qemu-VERSION has
#   bin/      a script for each system emulator, which starts it with its own libraries
#   root/     the unpacked packages
#   package   "PACKAGE VERSION SUITE", a line for each suite that has this version
#   sums, checked   see sums.sh
qemu_packages=(qemu-system-x86 qemu-system-arm)
qemu_programs=(qemu-system-x86_64 qemu-system-aarch64)

# qemu_cached SUITE: the folder of the newest QEMU of a suite.
qemu_cached() {
  local file found=''
  while IFS= read -r file; do
    if grep -q -s -e " $1\$" "$file"; then
      found=${file%/package}
    fi
  done < <(printf '%s\n' "$emulators"/qemu-[0-9]*/package | sort -V)
  [ -z "$found" ] || echo "$found"
}

# qemu_prune: removes each fetched QEMU that is not the newest of a suite, and prints its name.
qemu_prune() {
  local file from keep
  [ -d "$emulators" ] || return 0
  apt_private_lock "$emulators/lock" || die 4 "$apt_reason"
  for file in "$emulators"/qemu-[0-9]*/package; do
    [ -f "$file" ] || continue
    keep=0
    while read -r _ _ from; do
      [ "$(qemu_cached "$from")" != "${file%/package}" ] || keep=1
    done <"$file"
    [ "$keep" = 0 ] || continue
    rm -rf "${file%/package}"
    basename "${file%/package}"
  done
}

# qemu_sources SUITE: the suite, and the suites that its packages depend on.
qemu_sources() {
  local base=${1%-backports} suites=$1
  [ "$base" = "$1" ] || suites=$base,$1
  [ "$base" = sid ] || suites=$suites,$base-security
  apt_private_sources_of deb "$suites"
}

# qemu_closure: sets $closure to "NAME VERSION" of the packages that a system without packages
# would install, without what only their installation needs.
qemu_closure() {
  local log
  if ! log=$(LC_ALL=C apt-get -c "$apt_conf" --print-uris -y -q --no-install-recommends -t "$suite" install "${qemu_packages[@]}" 2>&1); then
    apt_private_failed "$log"
    return
  fi
  closure=$(sed -nE "s/^'[^']*' ([a-z0-9.+-]+)_([^_]+)_[^_]*\.deb [0-9].*/\1 \2/p" <<<"$log" | sed 's/%3a/:/g' |
    grep -E '^(lib|zlib|qemu-system|seabios|ipxe-qemu)' | grep -Ev '^(libpam|libdebconf|libsemanage|perl)' || true)
}

# qemu_script ROOT PROGRAM: the script that starts the program of an unpacked tree.
qemu_script() {
  local lib loader
  loader=$(cd "$1" && find . -path '*lib/*-linux-gnu/ld-linux-*.so.*' -print -quit)
  if [ -z "$loader" ] || [ ! -x "$1/usr/bin/$2" ]; then
    return 1
  fi
  lib=$(basename "$(dirname "$loader")")
  cat <<END
#!/bin/sh
root=\${0%/*}/../root
export QEMU_MODULE_DIR="\$root/usr/lib/$lib/qemu"
exec "\$root/${loader#./}" --argv0 $2 --library-path "\$root/usr/lib/$lib:\$root/lib/$lib" \\
  "\$root/usr/bin/$2" -L "\$root/usr/share/qemu" -L "\$root/usr/share/seabios" \\
  -L "\$root/usr/lib/ipxe/qemu" "\$@"
END
}

# qemu_take DIR: makes the scripts of an unpacked QEMU, and starts each emulator once.
qemu_take() {
  local program log
  mkdir "$1/bin"
  rm -rf "$1"/root/usr/share/{doc,man,locale,lintian,bug}
  for program in "${qemu_programs[@]}"; do
    qemu_script "$1/root" "$program" >"$1/bin/$program" || die 4 "the packages of $suite have no $program"
    chmod 755 "$1/bin/$program"
    log=$("$1/bin/$program" --version 2>&1) || die 4 "$program of $suite does not start: ${log%%$'\n'*}"
  done
}

# qemu_record DIR: the checksums of an unpacked QEMU.
qemu_record() {
  local -a files
  mapfile -t files < <(cd "$1" && find bin root -type f | LC_ALL=C sort)
  sums_write "$1" sums "${files[@]}"
  sums_checked "$1" checked
}

# qemu_offline REASON: prints the cached QEMU of $suite, with a warning; the script fails if
# there is none.
qemu_offline() {
  local folder
  folder=$(qemu_cached "$suite")
  [ -n "$folder" ] || die 4 "QEMU of $suite is not cached, and $1"
  echo "emulator: ${folder##*/} may not be the newest of $suite: $1" >&2
  echo "$folder"
}

# qemu_fetch: makes sure that the QEMU of $suite is in the cache, and prints its folder.
qemu_fetch() {
  local version folder closure='' damaged=''
  local -a packages
  folder=$(qemu_cached "$suite")
  if [ -n "$folder" ] && ! is_whole "${folder##*/}"; then
    damaged=$folder
  elif [ -n "$folder" ] && [ "$refresh" = 0 ]; then
    echo "$folder"
    return
  fi
  mkdir -p "$emulators" 2>/dev/null || die 4 "cannot create $emulators"
  apt_private_state "qemu-$suite" "$(dpkg --print-architecture 2>/dev/null || true)" qemu_sources "$suite" ||
    die 4 "cannot download: $apt_reason"
  apt_private_lock "$emulators/lock" || die 4 "$apt_reason"
  # Another process may have fetched it meanwhile.
  folder=$(qemu_cached "$suite")
  if [ -n "$folder" ] && [ "$refresh" = 0 ] && { [ -z "$damaged" ] || [ -z "$(damage "${folder##*/}")" ]; }; then
    echo "$folder"
    return
  fi
  if [ -n "$damaged" ] && ! apt_private_fresh; then
    die 4 "${damaged##*/} is damaged, and Debian cannot be reached: $apt_reason"
  fi
  if ! apt_private_fresh; then
    qemu_offline "Debian cannot be reached: $apt_reason"
    return
  fi
  qemu_closure || die 4 "Debian $suite has no QEMU: $apt_reason"
  version=$(sed -n "s/^${qemu_packages[0]} //p" <<<"$closure")
  [ -n "$version" ] || die 4 "Debian $suite has no ${qemu_packages[0]}"
  # Without the epoch: a colon separates the folders of libraries.
  folder=$emulators/qemu-${version#*:}
  if [ ! -d "$folder" ] || [ "$folder" = "$damaged" ]; then
    mapfile -t packages <<<"${closure// /=}"
    rm -rf "$emulators"/.fetch.* # of a process that was killed
    work=$(mktemp -d "$emulators/.fetch.XXXXXX" 2>/dev/null) || die 4 "cannot write to $emulators"
    trap 'rm -rf "$work"' EXIT
    say "downloading QEMU ${version#*:} of Debian $suite (${#packages[@]} packages)"
    apt_private_unpack "$work/root" "${packages[@]}" || die 4 "cannot download QEMU of $suite: $apt_reason"
    qemu_take "$work"
    echo "${qemu_packages[0]} $version $suite" >"$work/package"
    chmod 755 "$work"
    qemu_record "$work"
    sync -f "$work"
    if [ "$folder" = "$damaged" ]; then
      # The suites that have this version, too.
      cp "$folder/package" "$work/package"
      rm -rf "$folder"
    fi
    mv -T "$work" "$folder"
  elif ! grep -q -e " $suite\$" "$folder/package"; then
    echo "${qemu_packages[0]} $version $suite" >>"$folder/package"
  fi
  # The index has served its purpose; it takes more room than QEMU.
  rm -rf "${apt_dir:?}"/{lists,updated,pkgcache.bin}
  echo "$folder"
}
