# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A stand-in for the archive of Debian, and its kernels.
# shellcheck disable=SC2034,SC2154  # variables for the tests, and variables of bats' run

setup() {
  clean_place "$BATS_TEST_TMPDIR"
  real_cache=$(cache_dir)
  export WORLDSWITCH_CACHE=$BATS_TEST_TMPDIR/cache ARCHIVE=$BATS_TEST_TMPDIR/archive
  command -v dpkg-deb >/dev/null || skip "no dpkg-deb here"
  [ -r /usr/share/keyrings/debian-archive-keyring.gpg ] || skip "no keys of Debian here"
  stand_in_archive
}

# A package client: the packages are lines "NAME VERSION SUITE" of $ARCHIVE/packages; their
# files are made when they are downloaded. $ARCHIVE/down: no network. $ARCHIVE/missing: suites
# that the mirror does not have, a line each; the messages are those of apt 2.6.
stand_in_archive() {
  mkdir -p "$ARCHIVE" "$BATS_TEST_TMPDIR/bin"
  cat >"$ARCHIVE/packages" <<'END'
linux-image-6.1.0-9-cloud-amd64 6.1.9-1 bookworm
linux-image-6.1.0-10-cloud-amd64 6.1.10-1 bookworm-security
linux-image-6.1.0-10-amd64 6.1.10-1 bookworm-security
linux-image-6.1.0-10-cloud-arm64 6.1.10-1 bookworm-security
linux-image-6.12.5+deb12-cloud-amd64 6.12.5-1~bpo12+1 bookworm-backports
linux-image-6.12.5+deb13-cloud-amd64 6.12.5-1 trixie
linux-image-7.3.4+deb13-cloud-amd64 7.3.4-1~bpo13+1 trixie-backports
linux-binary-7.3.4+deb13-cloud-amd64 7.3.4-1~bpo13+1 trixie-backports
linux-modules-7.3.4+deb13-cloud-amd64 7.3.4-1~bpo13+1 trixie-backports
linux-base-7.3.4+deb13-cloud-amd64 7.3.4-1~bpo13+1 trixie-backports
linux-image-7.0.1+deb13-cloud-amd64 7.0.1-1~bpo13+1 trixie-backports
linux-binary-7.0.1+deb13-cloud-amd64 7.0.1-1~bpo13+1 trixie-backports
linux-image-7.0.1+deb13-cloud-arm64 7.0.1-1~bpo13+1 trixie-backports
linux-binary-7.0.1+deb13-cloud-arm64 7.0.1-1~bpo13+1 trixie-backports
linux-kbuild-6.1 6.1.10-1 bookworm
linux-kbuild-6.12.5+deb12 6.12.5-1~bpo12+1 bookworm-backports
linux-kbuild-7.3.4+deb13 7.3.4-1~bpo13+1 trixie-backports
END
  cat >"$BATS_TEST_TMPDIR/bin/apt-get" <<'END'
#!/bin/bash
case $1 in
indextargets)
  printf 'http://mirror/debian/|%s\n' 'bookworm|main|Debian' 'bookworm-backports|main|Debian Backports'
  printf 'http://mirror/security/|bookworm-security|main|Debian\nhttp://other/|x|main|Other\n'
  exit
  ;;
esac
[ "$1" = -c ] || exit 9
conf=$2
shift 2
[ ! -e "$ARCHIVE/down" ] || { echo "E: no route to the mirror" && exit 100; }
case $* in
*update*)
  cp "$(dirname "$conf")/sources.list" "$ARCHIVE/sources"
  echo "$*" >>"$ARCHIVE/updates"
  touch "$ARCHIVE/missing"
  n=0 failed=0
  while read -r _ _ uri suite _; do
    uri=${uri%/} n=$((n + 1))
    if ! grep -qx "$suite" "$ARCHIVE/missing"; then
      echo "Get:$n $uri $suite InRelease [55.4 kB]"
      echo "Get:$n $uri $suite/main amd64 Packages [6924 B]"
      continue
    fi
    printf 'Ign:%s\nErr:%s\n  404  Not Found [IP: 127.0.0.1 80]\n' "$n $uri $suite InRelease" "$n $uri $suite Release"
    echo "E: The repository '$uri $suite Release' does not have a Release file." >>"$ARCHIVE/errors"
    failed=100
  done <"$ARCHIVE/sources"
  echo "Reading package lists..."
  [ $failed = 0 ] || { cat "$ARCHIVE/errors" && rm "$ARCHIVE/errors"; }
  exit $failed
  ;;
*download*)
  echo "$*" >>"$ARCHIVE/downloads"
  echo $$ >"$ARCHIVE/pid"
  for ((i = 0; i < 10 * ${SLOW:-0}; i++)); do sleep 0.1; done
  while [ "$1" != download ]; do shift; done
  shift
  for package; do
    release=${package#linux-*-} tree=tree-$package
    mkdir -p "$tree/DEBIAN"
    printf 'Package: p\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n' >"$tree/DEBIAN/control"
    modules=$tree/lib/modules/$release/kernel
    case $package in
    linux-image-*) mkdir -p "$tree/boot" && echo "image of $release" | tee "$tree/boot/config-$release" >"$tree/boot/vmlinuz-$release" ;;
    linux-binary-*)
      mkdir -p "$tree/usr/lib/modules/$release"
      echo "image of $release" >"$tree/usr/lib/modules/$release/vmlinuz"
      ;;
    linux-modules-*) modules=$tree/usr/lib/modules/$release/kernel ;;
    linux-kbuild-*)
      mkdir -p "$tree/usr/share/doc/$package"
      # All versions of the master line, and of 6.1 and 6.12.
      for version in "$release" 7.0.1 6.12.5 6.1.10; do printf 'linux (%s-1) x; urgency=high\n\n  * A change\n' "$version"; done | gzip >"$tree/usr/share/doc/$package/changelog.Debian.gz"
      ;;
    esac
    case $package in
    linux-image-* | linux-modules-*)
      mkdir -p "$modules/kvm"
      printf 'ELF\0depends=kvm\0' >"$modules/kvm/kvm-amd.ko"
      printf 'ELF\0depends=\0' | xz >"$modules/kvm/kvm.ko.xz"
      ;;
    esac
    dpkg-deb -b "$tree" "${package//[^a-z0-9]/_}.deb" >/dev/null && rm -rf "$tree"
  done
  ;;
esac
END
  cat >"$BATS_TEST_TMPDIR/bin/apt-cache" <<'END'
#!/bin/bash
[ "$1" = -c ] || exit 9
folder=$(dirname "$2") command=$3
shift 3
arch=$(sed -n 's/^APT::Architecture "\(.*\)";/\1/p' "$folder/apt.conf")
offered=$(awk 'FILENAME ~ /sources.list$/ { have[$4] = 1; next }
  FILENAME ~ /missing$/ { delete have[$1]; next } $3 in have' \
  "$folder/sources.list" "$ARCHIVE/missing" "$ARCHIVE/packages" | grep -- "-$arch ")
# The packages linux-kbuild-* have no architecture in their names.
[ "${1:-}" != linux-kbuild- ] || offered=$(grep "^linux-kbuild-" "$ARCHIVE/packages")
case $command in
pkgnames) cut -d ' ' -f 1 <<<"$offered" ;;
show) awk -v p="$2" '$1 == p { print "Package: " $1 "\nVersion: " $2 "\nSize: 60000000" }' <<<"$offered" ;;
madison)
  for p; do awk -v p="$p" '$1 == p { printf " %s | %s | http://mirror/debian %s/main amd64 Packages\n", $1, $2, $3 }' <<<"$offered"; done
  ;;
esac
END
  chmod +x "$BATS_TEST_TMPDIR"/bin/apt-*
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# fetch OPTION...: prints the release, without the messages.
fetch() {
  run_apart "$wsbench" kernel fetch --arch x86_64 "$@"
  echo "exit code $status: $stdout$stderr"
  [ "$status" = 0 ]
  basename "$stdout" >release
}

downloads() {
  if [ -e "$ARCHIVE/downloads" ]; then wc -l <"$ARCHIVE/downloads"; else echo 0; fi
}

cache() {
  echo "$WORLDSWITCH_CACHE/kernels/x86_64/$1"
}

# wait_for_client: until a stand-in of apt-get downloads; sets $client to its pid.
wait_for_client() {
  local i
  for i in {1..150}; do
    [ ! -s "$ARCHIVE/pid" ] || break
    sleep 0.2
  done
  client=$(cat "$ARCHIVE/pid")
  rm "$ARCHIVE/pid"
}
