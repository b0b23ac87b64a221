#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# wsbench kernel, scripts/kernel.sh and --kernel: which kernel a name means, damaged files,
# two downloads at once, and what an archive can lack. The archive is a stand-in.

bats_require_minimum_version 1.5.0
load helper

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

@test "kernel list: version, suite and state; suites and series by list" {
  run_apart "$wsbench" kernel list --arch x86_64
  [ "$status" = 0 ]
  # Backports have an origin of their own; other origins have no kernels of Debian.
  [ "$(awk '{ print $1, $2, $3, $4 }' <<<"$stdout")" = "6.1.0-9-cloud-amd64 6.1.9-1 bookworm -
6.1.0-10-amd64 6.1.10-1 bookworm-security -
6.1.0-10-cloud-amd64 6.1.10-1 bookworm-security -
6.12.5+deb12-cloud-amd64 6.12.5-1~bpo12+1 bookworm-backports -" ]
  run ! grep -q other "$ARCHIVE/sources"
  fetch --release 7.3.4
  run_apart "$wsbench" kernel list --arch x86_64 --suite all --series 7.0,7.3 --flavour cloud
  [ "$(tr -s ' ' <<<"$stdout")" = "7.0.1+deb13-cloud-amd64 7.0.1-1~bpo13+1 trixie-backports - (its modules left the archive)
7.3.4+deb13-cloud-amd64 7.3.4-1~bpo13+1 trixie-backports cached" ]
  # The security suites are on a mirror of their own.
  grep -qx 'deb \[signed-by=.*\] http://mirror/security/ bookworm-security main' "$ARCHIVE/sources"
  run_apart "$wsbench" kernel list --arch x86_64 --suite bookworm,trixie
  [ "$(awk '{ print $1 }' <<<"$stdout")" = "6.1.0-9-cloud-amd64
6.12.5+deb13-cloud-amd64
7.3.4+deb13-cloud-amd64" ]
  # Without a network: the cached kernels, with what is known of them.
  rm -r "$WORLDSWITCH_CACHE/apt"
  touch "$ARCHIVE/down"
  run_apart "$wsbench" kernel list --arch x86_64
  [ "$status" = 0 ]
  [ "$(tr -s ' ' <<<"$stdout")" = "7.3.4+deb13-cloud-amd64 7.3.4-1~bpo13+1 trixie-backports cached" ]
  [[ $stderr == *"cannot be reached (no route to the mirror)"* ]]
}

@test "kernel fetch: the stable version that a kernel was built from" {
  fetch --release 6.1.9
  [ "$(cat release)" = 6.1.0-9-cloud-amd64 ]
  fetch --release 6.1.10 --flavour plain
  [ "$(cat release)" = 6.1.0-10-amd64 ]
  refused 2 "does not offer 6.1.1 for x86_64 (wsbench kernel list --arch x86_64 --suite all)" "$wsbench" kernel fetch --quiet --arch x86_64 --release 6.1.1
  # From the cache, without a network: the package of a kernel tells its version.
  touch "$ARCHIVE/down"
  rm -r "$WORLDSWITCH_CACHE/apt"
  fetch --release 6.1.9
  [ "$(cat release)" = 6.1.0-9-cloud-amd64 ]
  [ "$(downloads)" = 2 ]
  refused 4 "6.1.10 for x86_64 is not cached" "$wsbench" kernel fetch --quiet --arch x86_64 --release 6.1.10
  # By name first: these names have the version.
  rm "$ARCHIVE/down"
  fetch --release 6.12.5
  [ "$(cat release)" = 6.12.5+deb12-cloud-amd64 ]
}

@test "kernel list: a suite that the mirror does not have is an error" {
  echo nosuch >>"$ARCHIVE/missing"
  refused 2 "the mirror has no suite nosuch" "$wsbench" kernel list --arch x86_64 --suite nosuch
  # Without a network the cached kernels are listed.
  touch "$ARCHIVE/down"
  run_apart "$wsbench" kernel list --arch x86_64 --suite nosuch
  [ "$status" = 0 ]
  [[ $stderr == *"Debian cannot be reached"* ]]
}

@test "kernel fetch RELEASE and SERIES, as --kernel takes them; list kernels" {
  fetch 6.1.0-9
  [ "$(cat release)" = 6.1.0-9-cloud-amd64 ]
  fetch 6.1
  grep -q '^6\.1\.0-' release
  refused 2 "unexpected argument '6.1'" "$wsbench" kernel take 6.1
  refused 2 "'bookworm' is not a release (6.12.113) or a series (7.3)" "$wsbench" kernel fetch bookworm
  [[ $("$wsbench" list kernels --names) == *6.1.0-9-cloud-amd64* ]]
  grep -qx 6.1 <<<"$("$wsbench" list kernels --names)"
  grep -q '^6\.1\.0-9-cloud-amd64  *x86_64 ' <<<"$("$wsbench" list kernels)"
}

@test "kernel fetch: releases in full and in part, series, and suites" {
  fetch --release 6.1.0-9
  [ "$(cat release)" = 6.1.0-9-cloud-amd64 ]
  fetch --series 6.1
  [ "$(cat release)" = 6.1.0-10-cloud-amd64 ]
  fetch --flavour plain
  [ "$(cat release)" = 6.1.0-10-amd64 ]
  # This system's suites come first, then all.
  fetch --release 6.12.5
  [ "$(cat release)" = 6.12.5+deb12-cloud-amd64 ]
  fetch --release 6.12.5+deb13-cloud
  [ "$(cat release)" = 6.12.5+deb13-cloud-amd64 ]
  fetch --series 7.3
  [ "$(cat release)" = 7.3.4+deb13-cloud-amd64 ]
  [[ $stderr == *"not in the suites of this system"* ]]
  [ "$(cat "$(cache 7.3.4+deb13-cloud-amd64)/package")" = "linux-binary-7.3.4+deb13-cloud-amd64 7.3.4-1~bpo13+1 trixie-backports" ]
  [ "$(ls "$(cache 7.3.4+deb13-cloud-amd64)/modules")" = "kvm-amd.ko
kvm.ko" ]
  fetch --series 7.3,6.1 --quiet
  [ "$(xargs -n 1 basename <<<"$stdout")" = "7.3.4+deb13-cloud-amd64
6.1.0-10-cloud-amd64" ]
  [ -z "$stderr" ]
  [ "$(downloads)" = 6 ]

  refused 2 "the archive no longer has the modules of 7.0.1+deb13-cloud-amd64" \
    "$wsbench" kernel fetch --quiet --arch x86_64 --series 7.0
  # On arm64, KVM is not a module.
  run_apart "$wsbench" kernel fetch --arch aarch64 --series 7.0
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ "$(cat "$stdout/vmlinuz")" = "image of 7.0.1+deb13-cloud-arm64" ]
  refused 2 "does not offer a cloud kernel 9.9 for x86_64" "$wsbench" kernel fetch --quiet --arch x86_64 --series 9.9
  refused 2 "Debian (sid) does not offer 6.1.0-7 for x86_64" \
    "$wsbench" kernel fetch --quiet --arch x86_64 --suite sid --release 6.1.0-7
  refused 2 "6.1.0-10-cloud-arm64 is not a kernel for x86_64" \
    "$wsbench" kernel fetch --arch x86_64 --release 6.1.0-10-cloud-arm64
  refused 2 "not a list of series: 6.1,x" "$wsbench" kernel fetch --series 6.1,x
  refused 2 'no flavour "big"' "$wsbench" kernel fetch --flavour big
  refused 2 "unknown command 'lsit': did you mean 'list'?" "$wsbench" kernel lsit
  refused 2 "list, fetch, config, take or changelog?" "$wsbench" kernel --arch x86_64
  # A copy that fails is not a success.
  mkdir -p tree/arch/x86/boot tree/include/config
  echo image >tree/arch/x86/boot/bzImage
  echo 6.1.0-made-up >tree/include/config/kernel.release
  echo CONFIG_KVM=y >tree/.config
  echo file >file
  run_apart "$wsbench" kernel take --arch x86_64 --tree tree --to file/below
  echo "$stdout$stderr"
  [ "$status" != 0 ]
  [ -z "$stdout" ]
  rm -r tree file

  # Without a network.
  touch "$ARCHIVE/down"
  rm -r "$WORLDSWITCH_CACHE/apt"
  fetch --series 6.1
  refused 4 "no route to the mirror" "$wsbench" kernel fetch --quiet --arch x86_64 --release 6.1.0-11
  refused 4 "no route to the mirror" "$wsbench" kernel fetch --quiet --arch x86_64 --flavour rt
  # The newest that is cached; the series was never asked for.
  fetch --series 6.12
  [ "$(cat release)" = 6.12.5+deb13-cloud-amd64 ]
  [[ $stderr == *"using 6.12.5+deb13-cloud-amd64, which is cached"* ]]
}

@test "kernel fetch: a suite that the mirror does not have does not hide the others" {
  printf '%s\n' bookworm-backports sid experimental >"$ARCHIVE/missing"
  # A suite of this system.
  fetch --series 6.1
  [ "$(cat release)" = 6.1.0-10-cloud-amd64 ]
  [ "$(grep -c 'no package lists' <<<"$stderr")" = 1 ]
  [[ $stderr == *"kernel: no package lists of bookworm-backports: The repository 'http://mirror/debian bookworm-backports Release' does not"* ]]
  # All suites.
  fetch --series 7.3
  [ "$(cat release)" = 7.3.4+deb13-cloud-amd64 ]
  [ "$(grep -c 'no package lists' <<<"$stderr")" = 1 ]
  [[ $stderr == *"kernel: no package lists of bookworm-backports, sid, experimental: The repository"* ]]
  refused 2 "does not offer a cloud kernel 9.9 for x86_64; without the package lists of bookworm-backports, sid, experimental" \
    "$wsbench" kernel fetch --quiet --arch x86_64 --series 9.9
  run_apart "$wsbench" kernel list --arch x86_64 --suite trixie,sid
  [ "$(awk '{ print $1, $4 }' <<<"$stdout")" = "6.1.0-10-cloud-amd64 cached
6.12.5+deb13-cloud-amd64 -
7.3.4+deb13-cloud-amd64 cached" ]
  [[ $stderr == *"no package lists of sid:"* ]]
  # No list arrived.
  refused 4 "a cloud kernel 9.9 for x86_64 is not cached, and Debian cannot be reached: The repository 'http://mirror/debian sid Release' does not" \
    "$wsbench" kernel fetch --quiet --arch x86_64 --series 9.9 --suite sid,experimental

  # The lists are renewed after an hour, because some are missing, and not before.
  : >"$ARCHIVE/missing"
  local updates
  updates=$(wc -l <"$ARCHIVE/updates")
  refused 2 "does not offer a cloud kernel 9.9" "$wsbench" kernel fetch --quiet --arch x86_64 --series 9.9
  [ "$(wc -l <"$ARCHIVE/updates")" = "$updates" ]
  touch -d '-2 hours' "$WORLDSWITCH_CACHE"/apt/*/updated
  fetch --release 6.12.5+deb12
  [ "$(cat release)" = 6.12.5+deb12-cloud-amd64 ]
  [[ $stderr != *"no package lists"* ]]
  touch -d '-2 hours' "$WORLDSWITCH_CACHE"/apt/*/updated
  refused 2 "does not offer a cloud kernel 9.9 for x86_64" "$wsbench" kernel fetch --quiet --arch x86_64 --series 9.9
  [[ $stderr != *without* ]]
}

@test "kernel fetch: a truncated, altered or missing file is downloaded again" {
  local dir file
  fetch --release 6.1.0-9
  dir=$(cache 6.1.0-9-cloud-amd64)
  fetch --release 6.1.0-9
  [ "$(downloads)" = 1 ]
  for file in vmlinuz modules/kvm.ko config sums; do
    truncate -s 5 "$dir/$file"
    run_apart "$wsbench" kernel list --arch x86_64 --suite bookworm
    [[ $stdout == *" damaged" ]]
    fetch --release 6.1.0-9
    [[ $stderr == *"6.1.0-9-cloud-amd64 in the cache is damaged ($file)"* ]]
    [ "$(cat "$dir/vmlinuz")" = "image of 6.1.0-9-cloud-amd64" ]
    [ "$(tail -n 1 "$dir/sums")" = end ]
  done
  [ "$(downloads)" = 5 ]
  # The size and the time are those of the download.
  touch -r "$dir/vmlinuz" stamp
  sed -i 's/image/IMAGE/' "$dir/vmlinuz"
  touch -r stamp "$dir/vmlinuz"
  fetch --release 6.1.0-9
  [ "$(cat "$dir/vmlinuz")" = "image of 6.1.0-9-cloud-amd64" ]
  rm "$dir/modules/kvm-amd.ko"
  fetch --release 6.1.0-9
  [ -f "$dir/modules/kvm-amd.ko" ]
  [ "$(downloads)" = 7 ]
  # By a series, too.
  fetch --series 6.1
  dir=$(cache 6.1.0-10-cloud-amd64)
  : >"$dir/vmlinuz"
  fetch --series 6.1
  [ -s "$dir/vmlinuz" ]
  # A copy of the cache has other times.
  touch "$dir/vmlinuz"
  fetch --series 6.1
  [ "$(downloads)" = 9 ]
  grep -q " $(stat -c '%s %.9Y' "$dir/vmlinuz") vmlinuz$" "$dir/sums"
  # A kernel of a cache without checksums is used as it is.
  rm "$dir/sums"
  : >"$dir/vmlinuz"
  fetch --series 6.1
  [ "$(downloads)" = 9 ]

  # A damaged kernel that cannot be downloaded.
  dir=$(cache 6.1.0-9-cloud-amd64)
  : >"$dir/vmlinuz"
  sed -i /6.1.0-9/d "$ARCHIVE/packages"
  refused 4 "6.1.0-9-cloud-amd64 in the cache is damaged (vmlinuz), and Debian no longer offers it" \
    "$wsbench" kernel fetch --quiet --arch x86_64 --release 6.1.0-9
  rm -r "$WORLDSWITCH_CACHE/apt"
  touch "$ARCHIVE/down"
  refused 4 "is damaged (vmlinuz), and Debian cannot be reached: no route to the mirror" \
    "$wsbench" kernel fetch --quiet --arch x86_64 --release 6.1.0-9
}

# A stat that prints the decimal comma of a locale, as GNU stat does with LANG=de_DE.UTF-8:
# the locale need not be installed for this test. The environment overrides it.
stat_with_comma() {
  local real
  real=$(command -v stat)
  cat >"$BATS_TEST_TMPDIR/bin/stat" <<END
#!/bin/bash
[ "\${LC_ALL:-}" != C ] || exec $real "\$@"
$real "\$@" | sed -E 's/([0-9])\.([0-9]{9})/\1,\2/'
END
  chmod +x "$BATS_TEST_TMPDIR/bin/stat"
}

@test "kernel fetch: a locale with a decimal comma does not change the record" {
  local dir
  unset LC_ALL
  stat_with_comma
  fetch --release 6.1.0-9
  dir=$(cache 6.1.0-9-cloud-amd64)
  [[ $(stat -c %.9Y "$dir/vmlinuz") == *,* ]]
  cat "$dir/sums"
  grep -qE ' [0-9]+\.[0-9]{9} vmlinuz$' "$dir/sums"
  run ! grep -q , "$dir/sums"
}

@test "--kernel: a record with decimal commas is read" {
  command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
  local dir
  fetch --release 6.1.0-9
  dir=$(cache 6.1.0-9-cloud-amd64)
  sed -i -E 's/([0-9])\.([0-9]{9}) /\1,\2 /' "$dir/sums"
  grep -q ',[0-9]* vmlinuz$' "$dir/sums"
  cp "$dir/sums" before
  ln -s 6.1.0-9-cloud-amd64 "$(cache default)"
  run_apart "$wsbench" list targets --json
  echo "$stdout" | grep '6.1.0-9'
  [[ $stdout == *"cannot boot $dir/vmlinuz"* || $stdout == *"$dir/vmlinuz as a kernel"* ]]
  [[ $stdout != *"is damaged"* ]]
  fetch --release 6.1.0-9
  # Neither the program nor the script took the files for changed ones.
  cmp before "$dir/sums"
  [ "$(downloads)" = 1 ]
}

@test "kernel fetch: two downloads at once are one, also of different suites" {
  local script=$top/scripts/kernel.sh
  SLOW=2 "$script" fetch --arch x86_64 --release 6.12.5+deb12 >first 2>first.err 3>&- &
  SLOW=2 "$script" fetch --arch x86_64 --release 6.12.5+deb12 --suite bookworm-backports >second 2>second.err 3>&- &
  SLOW=2 "$script" fetch --arch x86_64 --release 6.12.5+deb12 >third 2>third.err 3>&- &
  wait
  cat first.err second.err third.err
  cmp first second
  cmp first third
  [ "$(downloads)" = 1 ]
  [ -f "$(cat first)/modules/kvm.ko" ]
  # Nothing is left but the kernel, the lock and the links; what a killed process left goes.
  mkdir "$(cache .new.123456)"
  touch -d '2 hours ago' "$(cache .new.123456)"
  fetch --series 6.1
  [ "$(find "$(cache '')" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ')" = \
    ".lock 6.1.0-10-cloud-amd64 6.12.5+deb12-cloud-amd64 default newest-6.1-cloud " ]
}

# cached_files: the names in the cache of x86_64.
cached_files() {
  find "$(cache '')" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs
}

@test "kernel fetch: what a killed fetch left goes, also if the kernel is complete" {
  local script=$top/scripts/kernel.sh name
  cat >"$BATS_TEST_TMPDIR/bin/mv" <<'END'
#!/bin/bash
[[ ${!#} != $DIES_BEFORE ]] || { kill -9 $PPID; exit; }
PATH=${PATH#*:} mv "$@"
[[ ${!#} != $DIES_AFTER ]] || kill -9 $PPID
END
  chmod +x "$BATS_TEST_TMPDIR/bin/mv"
  # The kernel is in its place, and the folder of the download is not yet removed.
  DIES_AFTER='*/6.1.0-9-cloud-amd64' run_apart "$script" fetch --arch x86_64 --release 6.1.0-9
  [ "$status" = 137 ]
  [[ $(cached_files) == ".lock .new."*" 6.1.0-9-cloud-amd64" ]]
  fetch --release 6.1.0-9
  [ "$(cached_files)" = ".lock 6.1.0-9-cloud-amd64" ]
  [ "$(downloads)" = 1 ]
  # Before the first link and between the links: both are there after the next fetch.
  for name in default newest-6.1-cloud; do
    rm -rf "$WORLDSWITCH_CACHE"
    DIES_BEFORE="*/$name" run_apart "$script" fetch --arch x86_64 --series 6.1
    [ "$status" = 137 ]
    [[ $(cached_files) == *" .new.link "* ]]
    fetch --series 6.1
    [ "$(cached_files)" = ".lock 6.1.0-10-cloud-amd64 default newest-6.1-cloud" ]
    [ "$(readlink "$(cache default)")" = 6.1.0-10-cloud-amd64 ]
  done
  # Not of a fetch that works.
  mkdir "$(cache .new.123456)"
  flock "$(cache .lock)" "$script" fetch --arch x86_64 --release 6.1.0-10 --quiet
  [ -e "$(cache .new.123456)" ]
}

@test "kernel fetch: waits for another fetch and says so; a killed fetch leaves no lock" {
  local script=$top/scripts/kernel.sh client pid
  SLOW=3 "$script" fetch --arch x86_64 --release 6.12.5+deb12 >first 2>first.err 3>&- &
  wait_for_client
  fetch --release 6.12.5+deb12
  wait
  [ "$stderr" = "kernel: waiting for another fetch, which holds $WORLDSWITCH_CACHE/apt/x86_64/lock" ]
  # The locks of the kernels.
  SLOW=3 "$script" fetch --arch x86_64 --release 6.1.0-10 >first 2>first.err 3>&- &
  wait_for_client
  fetch --release 6.1.0-9 --suite bookworm
  wait
  [ "$(grep -c waiting <<<"$stderr")" = 1 ]
  [[ $stderr == *"kernel: waiting for another fetch, which holds $(cache .lock)"* ]]

  # Without its script, the package client goes on.
  rm "$ARCHIVE/pid"
  SLOW=100 "$script" fetch --arch x86_64 --release 6.12.5+deb13 >first 2>first.err 3>&- &
  pid=$!
  wait_for_client
  kill -KILL $pid
  wait $pid || true
  kill -0 "$client"
  fetch --release 6.12.5+deb13
  kill -0 "$client"
  kill "$client"
  [[ $stderr != *waiting* ]]
}

@test "kernel fetch: a package that cannot be unpacked or lacks the image changes nothing" {
  fetch --release 6.1.0-9
  printf '#!/bin/sh\nexit 2\n' >"$BATS_TEST_TMPDIR/bin/dpkg"
  chmod +x "$BATS_TEST_TMPDIR/bin/dpkg"
  : >"$(cache 6.1.0-9-cloud-amd64)/config"
  refused 4 "could not download linux-image-6.1.0-9-cloud-amd64: dpkg cannot unpack" \
    "$wsbench" kernel fetch --quiet --arch x86_64 --release 6.1.0-9
  # The rest of the damaged kernel is still there.
  [ -s "$(cache 6.1.0-9-cloud-amd64)/vmlinuz" ]
  printf '#!/bin/sh\nexit 0\n' >"$BATS_TEST_TMPDIR/bin/dpkg"
  refused 4 "no vmlinuz in it" "$wsbench" kernel fetch --quiet --arch x86_64 --release 6.1.0-10
  [ ! -e "$(cache 6.1.0-10-cloud-amd64)" ]
}

@test "kernel fetch: the modules that kmod.sh builds are not recorded, and stay after a repair" {
  local dir built=modules/worldswitch_pmu_0123456789ab.ko
  fetch --release 6.1.0-9
  dir=$(cache 6.1.0-9-cloud-amd64)
  echo built >"$dir/$built"
  # After a copy, too, the record is of the files of the package.
  touch "$dir"/{vmlinuz,modules/kvm.ko}
  fetch --release 6.1.0-9
  [ "$(awk 'NF > 1 { print $4 }' "$dir/sums" | xargs)" = "vmlinuz config release package modules/kvm-amd.ko modules/kvm.ko" ]
  grep -q " $(stat -c '%s %.9Y' "$dir/vmlinuz") vmlinuz$" "$dir/sums"
  : >"$dir/vmlinuz"
  fetch --release 6.1.0-9
  [ "$(cat "$dir/vmlinuz")" = "image of 6.1.0-9-cloud-amd64" ]
  [ "$(cat "$dir/$built")" = built ]
  [ "$(downloads)" = 2 ]
  run ! grep -q worldswitch "$dir/sums"
  # A record of an older program, and a module that was built again.
  sed -i "1i $(sha256sum <"$dir/$built" | cut -d ' ' -f 1) 6 1.000000000 $built" "$dir/sums"
  echo 'built again' >"$dir/$built"
  fetch --release 6.1.0-9
  rm "$dir/$built"
  fetch --release 6.1.0-9
  [ "$(downloads)" = 2 ]
  run ! grep -q worldswitch "$dir/sums"
}

# The images of the stand-in are text: the error of the lab names the image that --kernel
# means.
boots() {
  local image
  image=$(readlink -f "$WORLDSWITCH_CACHE")/kernels/x86_64/$1/vmlinuz
  shift
  run_apart "$wsbench" "$@"
  echo "exit code $status, stdout: $stdout, stderr: $stderr"
  [[ $stderr == *"cannot boot $image as a kernel for x86_64: it is not a kernel image"* ]]
}

@test "a download has a line of progress on a terminal, and none in a short log" {
  need_terminal
  SLOW=3 run_apart "$wsbench" kernel fetch --arch x86_64 --release 6.1.0-9
  [ "$status" = 0 ]
  [ "$(grep -c MB <<<"$stderr")" = 0 ]
  rm -rf "$WORLDSWITCH_CACHE/kernels"
  SLOW=3 run_apart "$python" "$tests/on_terminal.py" "$wsbench" kernel fetch --arch x86_64 --release 6.1.0-9
  echo "$stdout"
  [ "$status" = 0 ]
  [[ $stdout == *$'\rkernel: downloading: 0 of 60 MB'*$'\033[K'* ]]
  # The line is erased before the folder is printed.
  [[ $stdout == *$'\033[K'"$(cache 6.1.0-9)"* ]]
  [ -z "$(cat "$TMPDIR/../processes" 2>/dev/null)" ]
}

@test "--kernel: a release or a series is fetched, with progress on stderr" {
  command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
  local run=(run --on lab:x86_64-svm-qemu --bench null)
  boots 7.3.4+deb13-cloud-amd64 "${run[@]}" --kernel 7.3
  [ "$status" = 2 ]
  [[ $stderr == *"kernel: downloading linux-binary-7.3.4+deb13-cloud-amd64"* ]]
  # The cached kernel needs no archive, and with --quiet there are no remarks.
  touch "$ARCHIVE/down"
  boots 7.3.4+deb13-cloud-amd64 "${run[@]}" --kernel 7.3
  one_line "$stderr"
  refused 4 "no route to the mirror" "$wsbench" "${run[@]}" --quiet --kernel 6.1
  rm "$ARCHIVE/down"
  boots 6.1.0-9-cloud-amd64 "${run[@]}" --quiet --kernel 6.1.0-9
  one_line "$stderr"
  boots 6.12.5+deb12-cloud-amd64 explain --on lab:x86_64-svm-qemu --bench hypercall --kernel 6.12.5
  boots 6.1.0-10-cloud-amd64 selftest --on lab:x86_64-svm-qemu --kernel 6.1.0-10-cloud
  boots 6.1.0-10-cloud-amd64 pmu --on lab:x86_64-svm-qemu --kernel 6.1.0-10-cloud-amd64
  [ "$(downloads)" = 4 ]
  refused 2 "does not offer a cloud kernel 9.9" "$wsbench" "${run[@]}" --quiet --kernel 9.9
  refused 2 "the archive no longer has the modules of 7.0.1" "$wsbench" "${run[@]}" --quiet --kernel 7.0
  # Not the name of a kernel: the archive is not asked.
  touch "$ARCHIVE/down"
  refused 2 "no kernel 7.x: neither a file, nor a release or a series" "$wsbench" "${run[@]}" --kernel 7.x
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

# ended PID: it ends soon.
ended() {
  local i
  for i in {1..50}; do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  echo "process $1 is still there"
  kill "$1"
  return 1
}

@test "--kernel: an interrupt ends the download" {
  command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
  export SLOW=100
  local pid client command code
  for command in 'run --bench null' 'explain --bench hypercall' 'selftest' 'selftest pmu' 'pmu'; do
    # A background job of a shell without a terminal ignores SIGINT.
    # shellcheck disable=SC2086  # words
    "$python" -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$wsbench" $command --on lab:x86_64-svm-qemu --kernel 7.3 >out 2>err 3>&- &
    pid=$!
    wait_for_client
    kill -INT $pid
    SECONDS=0 code=0
    wait $pid || code=$?
    echo "$command: exit code $code"
    cat out err
    # By the signal, as the shell sees it.
    [ "$code" = 130 ]
    [ "$SECONDS" -lt 50 ]
    ended "$client"
    [ ! -e "$(cache 7.3.4+deb13-cloud-amd64)" ]
  done
  # The processes of the download have ended, too: the next fetch gets their locks.
  SLOW=0 fetch --series 7.3
  [ "$SECONDS" -lt 90 ]
}

@test "--kernel: a damaged kernel of the cache is not booted" {
  command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
  local run=(run --quiet --on lab:x86_64-svm-qemu --bench null) dir
  boots 6.1.0-9-cloud-amd64 "${run[@]}" --kernel 6.1.0-9-cloud-amd64
  dir=$(cache 6.1.0-9-cloud-amd64)
  truncate -s 1 "$dir/vmlinuz"
  boots 6.1.0-9-cloud-amd64 "${run[@]}" --kernel 6.1.0-9-cloud-amd64
  [ "$(downloads)" = 2 ]
  # By path, too; and modules count.
  rm "$dir/modules/kvm.ko"
  boots 6.1.0-9-cloud-amd64 "${run[@]}" --kernel "$dir/vmlinuz"
  [ "$(downloads)" = 3 ]
  [ -f "$dir/modules/kvm.ko" ]
  # Other times, the same contents.
  touch "$dir/vmlinuz"
  boots 6.1.0-9-cloud-amd64 "${run[@]}" --kernel "$dir/vmlinuz"
  [ "$(downloads)" = 3 ]
  truncate -s 1 "$dir/vmlinuz"
  touch "$ARCHIVE/down"
  rm -r "$WORLDSWITCH_CACHE/apt"
  refused 4 "6.1.0-9-cloud-amd64 in the cache is damaged (vmlinuz), and Debian cannot be reached: no route to the mirror" \
    "$wsbench" "${run[@]}" --kernel "$dir/vmlinuz"
  # To list the targets downloads nothing, and says what to do.
  ln -s 6.1.0-9-cloud-amd64 "$(cache default)"
  rm "$ARCHIVE/down"
  run_apart "$wsbench" list targets --json
  [[ $stdout == *"is damaged (wsbench kernel fetch --arch x86_64 --release 6.1.0-9-cloud-amd64)"* ]]
  [ "$(downloads)" = 3 ]
  # A file of the user's own is not in the cache.
  cp -r "$dir" own
  run_apart "$wsbench" "${run[@]}" --kernel own/vmlinuz
  [[ $stderr == *"cannot boot own/vmlinuz"* ]]
  [ "$(downloads)" = 3 ]
}

# state_of_default: what the list of targets, which downloads nothing, says of the kernel
# 6.1.0-9. The image of the stand-in is not one.
state_of_default() {
  run_apart "${apart[@]}" "$wsbench" list targets --json
  grep -o '"[^"]*6.1.0-9-cloud-amd64[^"]*"' <<<"$stdout" | sort -u | tee state
}

# The kernel 6.1.0-9 as the default, in a copy of its cache with new times.
copied_cache() {
  fetch --release 6.1.0-9
  dir=$(cache 6.1.0-9-cloud-amd64)
  ln -s 6.1.0-9-cloud-amd64 "$(cache default)"
  cp "$dir/sums" before
  touch "$dir"/{vmlinuz,modules/kvm.ko}
}

@test "--kernel: a copy of a cached kernel is not damaged, other contents are" {
  command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
  local dir apart=()
  copied_cache
  state_of_default
  grep -q "cannot boot $dir/vmlinuz" state
  # The new times are recorded.
  grep -q " $(stat -c '%s %.9Y' "$dir/vmlinuz") vmlinuz$" "$dir/sums"
  [ "$(cut -d ' ' -f 1,4 "$dir/sums")" = "$(cut -d ' ' -f 1,4 before)" ]
  # The sizes are those of the download.
  sed -i 's/image/IMAGE/' "$dir/vmlinuz"
  state_of_default
  grep -q "is damaged (wsbench kernel fetch --arch x86_64 --release 6.1.0-9-cloud-amd64)" state
  [ "$(downloads)" = 1 ]
  # Without the script, only the sizes are compared.
  mkdir -p installed/bin installed/libexec/worldswitch
  cp "$wsbench" installed/bin
  ln -s "$build"/{aarch64,x86_64,libwsbench-clone.so} installed/libexec/worldswitch/ 2>/dev/null || true
  wsbench=$PWD/installed/bin/wsbench
  state_of_default
  grep -q "cannot boot $dir/vmlinuz" state
  : >"$dir/vmlinuz"
  state_of_default
  grep -q "is damaged" state
}

@test "--kernel: the checksums of a cached kernel are compared once per start of the machine" {
  command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
  [ -r /proc/sys/kernel/random/boot_id ] || skip "no boot_id here"
  local dir apart=()
  copied_cache
  state_of_default
  cmp "$dir/checked" /proc/sys/kernel/random/boot_id
  # Contents of the same size and time, as a power failure can leave them.
  cp -p "$dir/vmlinuz" time
  sed -i 's/image/IMAGE/' "$dir/vmlinuz"
  touch -r time "$dir/vmlinuz"
  state_of_default
  grep -q "cannot boot $dir/vmlinuz" state
  echo another >"$dir/checked"
  state_of_default
  grep -q "is damaged (wsbench kernel fetch --arch x86_64 --release 6.1.0-9-cloud-amd64)" state
  # fetch downloads the kernel again.
  fetch --release 6.1.0-9
  [ "$(downloads)" = 2 ]
  state_of_default
  grep -q "cannot boot $dir/vmlinuz" state
  # A kernel that is right is compared once.
  echo another >"$dir/checked"
  state_of_default
  cmp "$dir/checked" /proc/sys/kernel/random/boot_id
}

@test "sweep_dead: only what dead processes left, by its name" {
  local dead
  true &
  dead=$!
  wait "$dead"
  mkdir ".new.$dead.abc" ".new.$$.abc" .new.abcdef .new.1.x ".old.$dead.abc" ".new.0$dead.abc"
  touch ".new.$dead"
  touch -d '2 hours ago' .new.* .old.*
  # A process of another container can have the pid, and write.
  mkdir ".new.$dead.young" ".new.$dead.busy"
  touch ".new.$dead.busy/file"
  touch -d '2 hours ago' ".new.$dead.busy"
  sweep_dead . .new
  nothing_left ".new.$$.abc" .new.abcdef .new.1.x ".old.$dead.abc" ".new.0$dead.abc" \
    ".new.$dead.young" ".new.$dead.busy" ".new.$dead.busy/file"
}

@test "--kernel: a read-only cache: a copy is used, a damaged kernel is named" {
  command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
  local dir own_mounts apart run=(run --quiet --on lab:x86_64-svm-qemu --bench null)
  need_own_mounts
  copied_cache
  # shellcheck disable=SC2016  # for the shell in the namespace
  apart=("${own_mounts[@]}" 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"' "$WORLDSWITCH_CACHE")
  state_of_default
  grep -q "cannot boot $dir/vmlinuz" state
  run_apart "${apart[@]}" "$wsbench" "${run[@]}" --kernel 6.1.0-9-cloud-amd64
  [[ $stderr == *"cannot boot $dir/vmlinuz"* ]]
  one_line "$stderr"
  run_apart "${apart[@]}" "$wsbench" kernel fetch --arch x86_64 --release 6.1.0-9
  [ "$stdout" = "$dir" ]
  [ -z "$stderr" ]
  run_apart "${apart[@]}" "$wsbench" kernel list --arch x86_64
  echo "$stderr"
  [ "$(tr -s ' ' <<<"$stdout")" = "6.1.0-9-cloud-amd64 6.1.9-1 bookworm cached" ]
  one_line "$stderr"
  cmp before "$dir/sums"

  sed -i 's/image/IMAGE/' "$dir/vmlinuz"
  state_of_default
  grep -q "is damaged (wsbench kernel fetch" state
  refused 4 "is damaged (vmlinuz), and Debian cannot be reached: cannot write to $WORLDSWITCH_CACHE/apt/" \
    "${apart[@]}" "$wsbench" "${run[@]}" --kernel 6.1.0-9-cloud-amd64
  refused 4 "6.1.0-10 for x86_64 is not cached, and Debian cannot be reached: cannot write to" \
    "${apart[@]}" "$wsbench" kernel fetch --quiet --arch x86_64 --release 6.1.0-10
  [ "$(downloads)" = 1 ]
}

# not_explained KERNEL TEXT: compare --explain, which downloads nothing, says so of documents
# of this kernel.
not_explained() {
  lab_document a.json lab:x86_64-svm-qemu "$1" 100
  lab_document b.json lab:x86_64-svm-qemu "$1" 107
  run_apart "$wsbench" compare a.json b.json --explain
  echo "$stdout$stderr"
  [ "$status" = 1 ]
  [[ $(tr -s ' \n' ' ' <<<"$stdout") == *"not explained: base: $2"* ]]
}

@test "where nothing is downloaded: names in part, and the command for what is not cached" {
  command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
  not_explained 6.12.113+deb12-cloud-amd64 \
    "6.12.113+deb12-cloud-amd64 for x86_64 is not cached (wsbench kernel fetch --arch x86_64 --release 6.12.113+deb12-cloud-amd64)"
  not_explained 6.12.5 "6.12.5 for x86_64 is not cached (wsbench kernel fetch --arch x86_64 --release 6.12.5)"
  not_explained 7.3 "a cloud kernel 7.3 for x86_64 is not cached (wsbench kernel fetch --arch x86_64 --series 7.3)"
  not_explained 7.x "no kernel 7.x: neither a file, nor a release or a series of Debian"
  [ ! -e "$ARCHIVE/updates" ]
  fetch --release 6.12.5
  not_explained 6.12.5 "cannot boot $(cache 6.12.5+deb12-cloud-amd64)/vmlinuz"
  not_explained 6.12.5+deb12 "cannot boot $(cache 6.12.5+deb12-cloud-amd64)/vmlinuz"
  # The newest of the series that is cached.
  not_explained 6.12 "cannot boot $(cache 6.12.5+deb12-cloud-amd64)/vmlinuz"
  not_explained 6.12.5+deb13 "6.12.5+deb13 for x86_64 is not cached"
  : >"$(cache 6.12.5+deb12-cloud-amd64)/config"
  not_explained 6.12.5 \
    "6.12.5+deb12-cloud-amd64 in the cache is damaged (config) (wsbench kernel fetch --arch x86_64 --release 6.12.5+deb12-cloud-amd64)"
  [ "$(downloads)" = 1 ]
}

@test "the document names the package of the kernel, its suite, and the compiler" {
  local real=$real_cache/kernels/aarch64/default release
  [ -f "$real/vmlinuz" ] || skip "no kernel for aarch64 is cached: make kernels"
  command -v qemu-system-aarch64 >/dev/null || skip "qemu-system-aarch64 is not installed"
  release=$(cat "$real/release")
  mkdir -p "$WORLDSWITCH_CACHE/kernels/aarch64"
  cp -rL "$real" "$WORLDSWITCH_CACHE/kernels/aarch64/$release"
  cd "$WORLDSWITCH_CACHE/kernels/aarch64/$release"
  rm -f sums
  echo "linux-image-$release 6.1.999-1 a-suite" >package
  run_apart "$wsbench" run --on lab:aarch64-vhe --kernel "$release" --bench null --events 20 --boots 1 -o doc.json
  echo "$stderr"
  [ "$status" = 0 ]
  holds doc.json 'd["subject"]["kernel"] == "'"$release"'"' \
    'd["subject"]["package_version"] == "6.1.999-1"' 'd["subject"]["suite"] == "a-suite"' \
    'd["subject"]["compiler"].count("gcc") == 1 and "GNU ld" not in d["subject"]["compiler"]'
  "$wsbench" validate doc.json
  # A kernel outside the cache has no package.
  cp -r . "$BATS_TEST_TMPDIR/own"
  cd "$BATS_TEST_TMPDIR/own"
  run_apart "$wsbench" run --on lab:aarch64-vhe --kernel ./vmlinuz --bench null --events 20 --boots 1 -o doc.json
  holds doc.json '"package_version" not in d["subject"]' 'd["subject"]["compiler"] is not None'
}

@test "kernel changelog: of the package of a release, or of the newest of a series" {
  run_apart "$wsbench" kernel changelog --arch x86_64 --release 6.12.5
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  [ "$stdout" = "$WORLDSWITCH_CACHE/changelogs/6.12.5+deb12-cloud-amd64.gz" ]
  [ "$(zcat "$stdout" | head -n 1)" = 'linux (6.12.5+deb12-1) x; urgency=high' ]
  [ "$(downloads)" = 1 ]
  # The packages of Linux 6.1 have the name of the series.
  run_apart "$wsbench" kernel changelog --quiet --arch x86_64 --series 6.1
  [ "$stdout" = "$WORLDSWITCH_CACHE/changelogs/6.1.0-10-cloud-amd64.gz" ]
  [ -z "$stderr" ]
  [ "$(zcat "$stdout" | head -n 1)" = 'linux (6.1-1) x; urgency=high' ]
  # The archive no longer has that of 7.0.1: the next newer one goes further.
  run_apart "$wsbench" kernel changelog --quiet --arch aarch64 --release 7.0.1
  [ "$stdout" = "$WORLDSWITCH_CACHE/changelogs/7.0.1+deb13-cloud-arm64.gz" ]
  [ "$(zcat "$stdout" | head -n 1)" = 'linux (7.3.4+deb13-1) x; urgency=high' ]
  # Unless it is of another line.
  sed -i 's/6.12.5+deb13-cloud-amd64 6.12.5-1/6.12.9+deb13-cloud-amd64 6.12.9-1/' "$ARCHIVE/packages"
  refused 4 "no longer has the changelog of 6.12.9+deb13-cloud-amd64 (linux-kbuild-7.3.4+deb13 does not have Linux 6.12.9)" \
    "$wsbench" kernel changelog --quiet --arch x86_64 --suite trixie,trixie-backports --release 6.12.9
  refused 2 "changelog: one series" "$wsbench" kernel changelog --quiet --arch x86_64 --series 6.1,6.12
  # A cached one needs no network.
  touch "$ARCHIVE/down"
  rm -r "$WORLDSWITCH_CACHE/apt"
  run_apart "$wsbench" kernel changelog --quiet --arch x86_64 --release 6.12.5+deb12-cloud-amd64
  [ "$status" = 0 ]
  refused 4 "the changelog of 7.3.4 is not cached, and Debian cannot be reached" \
    "$wsbench" kernel changelog --quiet --arch x86_64 --release 7.3.4
  rm "$ARCHIVE/down"
  refused 2 "does not offer 9.9.9 for x86_64" "$wsbench" kernel changelog --quiet --arch x86_64 --release 9.9.9
  [ "$(find "$WORLDSWITCH_CACHE/changelogs" -type f | wc -l)" = 3 ]
  [ "$(find "$WORLDSWITCH_CACHE/changelogs" -name '.new*' | wc -l)" = 0 ]
}
