#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# wsbench kernel and scripts/kernel.sh: which kernel a name means, damaged files, two downloads
# at once, and what an archive can lack. The archive is a stand-in.
bats_require_minimum_version 1.5.0
load helper
load kernel_helper

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
  refused 2 "only one kernel, not also '7.3'" "$wsbench" kernel fetch 6.1 7.3
  for stream in '>/dev/full' '>&-'; do
    refused 4 'cannot write to standard output' bash -c '"$0" kernel list --arch x86_64 '"$stream" "$wsbench"
  done
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
  refused 4 'cannot write to file/below' "$wsbench" kernel take --arch x86_64 --tree tree --to file/below
  refused 4 'cannot write to file' "$wsbench" kernel take --arch x86_64 --tree tree --to file
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

@test "kernel.sh: an empty release, a pattern, and two commands are refused" {
  local kernel=$top/scripts/kernel.sh
  # A variable that a CI job does not have; it would be the default kernel.
  refused 2 '--release needs a value' "$kernel" fetch --arch x86_64 --release ''
  for release in '6.1.*' '6.1.0-10(' '../x' '['; do
    refused 2 "not a kernel: $release" "$kernel" fetch --arch x86_64 --release "$release"
  done
  refused 2 'list and fetch: give one of them' "$kernel" list fetch
  [ "$(downloads)" = 0 ]
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

@test "kernel.sh: a full disk does not ask the client for the lists of the system, or for none" {
  need_own_mounts
  local pages
  mkdir -p "$WORLDSWITCH_CACHE/apt"
  cat >full <<'END'
mount -t tmpfs -o size=64k none "$1"
shift
mkdir -p "$1/x86_64/lists/partial" "$1/x86_64/archives/partial"
head -c $((65536 - 4096 * $2)) /dev/zero >"$1/filler"
shift 2
"$@" || echo "exit code $?"
END
  # No room for the sources, and for the configuration alone.
  for pages in 0 1; do
    run_apart "${own_mounts[@]}" '. ./full' x "$WORLDSWITCH_CACHE/apt" "$WORLDSWITCH_CACHE/apt" $pages \
      "$top/scripts/kernel.sh" fetch --arch x86_64 --series 6.1
    echo "$stdout$stderr"
    [ "$stdout" = 'exit code 4' ]
    [ "$stderr" = "kernel: error: a cloud kernel 6.1 for x86_64 is not cached, and Debian cannot be reached: cannot write to $WORLDSWITCH_CACHE/apt/x86_64" ]
    [ ! -e "$ARCHIVE/updates" ]
  done
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
