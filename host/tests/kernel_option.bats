#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# --kernel: kernels that are fetched, damaged, copied or not cached. The archive is a stand-in.
bats_require_minimum_version 1.5.0
load helper
load kernel_helper

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
