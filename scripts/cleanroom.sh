#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the first commands of README in a minimal Debian 12, to find packages that
# scripts/packages lacks.
set -Eeuo pipefail
trap 'echo "cleanroom: line $LINENO: $BASH_COMMAND failed" >&2' ERR

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
top=$(dirname "$here")
# shellcheck source=/dev/null
. "$here/apt-private.sh"
apt_reason='' # set by a function that fails

suite=bookworm
code_skipped=77
# At least one quick test for each package that tests use: Criterion, bats, gnuplot,
# Python and its jsonschema, GNU parallel.
test_files=(unit_cli plot report failed_target)
test_filter='^kcidb|^every kernel' # of more files
test_filter_files=(export sweep)
# A skip for one of these reasons means that a file is missing.
lack='not installed|not loaded|is not here|make kernels|make setup|no Python|not found|No such file'

usage() {
  cat <<END
usage: scripts/cleanroom.sh [options]

Makes a minimal Debian 12 with make as the only addition, copies the clone into it
(HEAD, plus uncommitted changes of tracked files), and runs there:

  make bench              as root: every target that scripts/packages names is measured
  a short part of the tests, as root and, with SETUP=0, as an unprivileged user

Fails if a target is missing or fails, if a row or a test fails or is skipped because a
file is missing, or if there are no pictures or no report.

  --without PACKAGE  remove PACKAGE from scripts/packages in the copy, to see the
                     clean room fail; may be repeated
  --cold             use no cached package and no cached kernel: download everything
  --keep             keep the Debian root, and print its path
  --help             this text

The Debian mirror and apt's Acquire options are those of this machine. Packages are
cached in the folder cleanroom of the cache (see kernel.sh --help), beside the log of the
last run. The root takes 3 GB below \$TMPDIR (default: /var/tmp).

Exit code: 0 passed; 1 failed; 2 bad usage; $code_skipped skipped, with the reason on stderr: not
root, no mmdebstrap, no git clone, no mount namespaces, or no connection to Debian.
END
}

die() {
  local code=$1
  shift
  echo "cleanroom: $*" >&2
  exit "$code"
}

skip() {
  die $code_skipped "skipped: $*"
}

# step TEXT COMMAND...: runs a command with its output to the log, and prints the time;
# if it fails, also the end of its output.
step() {
  local text=$1 begin=$SECONDS from
  shift
  printf 'cleanroom: %-40s' "$text"
  echo "==== $text" >>"$log"
  from=$(($(wc -l <"$log") + 1))
  if "$@" >>"$log" 2>&1; then
    echo "$((SECONDS - begin)) s"
    return 0
  fi
  echo "FAILED after $((SECONDS - begin)) s"
  tail -n "+$from" "$log" | tail -n 60 | sed 's/^/  | /'
  bad=1
  return 1
}

# complain TEXT...: reports a failure, and goes on.
complain() {
  echo "cleanroom: FAILED: $*" | tee -a "$log"
  bad=1
}

# ---- outside ---------------------------------------------------------------------------

check_programs() {
  [ "$(id -u)" = 0 ] || skip "not root"
  command -v mmdebstrap >/dev/null || skip "mmdebstrap is missing (scripts/setup.sh cleanroom)"
  command -v git >/dev/null || skip "git is missing"
}

# Needs $scratch.
check_machine() {
  local reason
  git_here rev-parse HEAD >/dev/null 2>&1 || skip "$top is not a git clone"
  unshare --mount --pid --fork --kill-child sh -c \
    "mount -t tmpfs none '$scratch' && mkdir '$scratch/proc' && mount -t proc proc '$scratch/proc'" 2>/dev/null ||
    skip "no mount namespaces here"
  # In a subshell, which holds the cache's lock no longer than needed.
  reason=$( (export quiet=1 && apt_private_open "$(uname -m)" && apt_private_fresh || echo "$apt_reason") 2>&1)
  [ -z "$reason" ] || skip "no connection to Debian: $reason"
}

# The clone may belong to another user than root.
git_here() {
  GIT_CONFIG_GLOBAL=$scratch/gitconfig git -C "$top" "$@"
}

# copy_clone DIR
copy_clone() {
  GIT_CONFIG_GLOBAL=$scratch/gitconfig git clone --quiet --no-hardlinks "$top" "$1"
  git_here diff --binary HEAD >"$scratch/changes"
  [ ! -s "$scratch/changes" ] || git -C "$1" apply "$scratch/changes"
}

remove_packages() {
  local package
  for package in "${without[@]}"; do
    grep -qE "^$package( |\$)" "$1" || die 2 "no package $package in scripts/packages"
    sed -i "/^$package\( \|\$\)/d" "$1"
    echo "cleanroom: without $package"
  done
}

# seed DIR: copies what `make bench` would download for the labs from this user's cache to
# the cache DIR. The module of host/kmod is built in the room.
seed() {
  local from arch release file
  from=$(cache_dir)
  for arch in x86_64 aarch64; do
    release=$(readlink "$from/kernels/$arch/default") || continue
    mkdir -p "$1/kernels/$arch" "$1/apt/$arch" "$1/headers"
    cp -a "$from/kernels/$arch/$release" "$1/kernels/$arch"
    rm -f "$1/kernels/$arch/$release"/modules/worldswitch_pmu*
    for file in default newest-6.1-cloud; do
      cp -a "$from/kernels/$arch/$file" "$1/kernels/$arch"
    done
    for file in "$from/apt/$arch"/{lists,updated}; do
      [ ! -e "$file" ] || cp -a "$file" "$1/apt/$arch"
    done
    [ ! -d "$from/headers/$release" ] || cp -a "$from/headers/$release" "$1/headers"
  done
}

# The mirror of this machine, with the suite of the room.
sources() {
  local here_suite
  here_suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  apt_private_sources | sed "s/ ${here_suite:-$suite}/ $suite/" |
    grep -E " $suite(-updates|-security|/updates)? "
}

# How this machine's apt downloads. A proxy that a program of this machine chooses is
# written down, as the program is not in the room.
apt_options() {
  local proxy
  apt-config dump | grep '^Acquire::' |
    grep -Ev '^Acquire::(IndexTargets|Changelogs|CompressionTypes|cdrom)|::Proxy-Auto-Detect| "";$' || true
  proxy=$(/usr/lib/apt/apt-helper auto-detect-proxy http://deb.debian.org/ 2>/dev/null |
    sed -n "s/^Using proxy '\(http[^']*\)'.*/\1/p") || true
  [ -z "$proxy" ] || echo "Acquire::http::Proxy \"$proxy\";"
}

# ---- in a new mount and process namespace ----------------------------------------------

bootstrap() {
  # shellcheck disable=SC2016  # $1 is for the hooks
  mmdebstrap --mode=root --variant=minbase --include=make --aptopt="$scratch/apt.conf" \
    --dpkgopt=force-unsafe-io --skip=essential/unlink,cleanup/apt/cache \
    --setup-hook='mkdir -p "$1/var/cache/apt/archives"' \
    --setup-hook='mount --bind "$archives" "$1/var/cache/apt/archives"' \
    "$suite" "$room" "$scratch/sources.list"
}

# The device nodes that a container gets, and /dev/kvm where there is one.
mount_all() {
  local name
  # A root that is a mount, as on any machine: namespaces inside need that.
  mount --bind "$room" "$room"
  mount --bind "$archives" "$room/var/cache/apt/archives"
  mount -t proc proc "$room/proc"
  mount -t sysfs -o ro sysfs "$room/sys"
  mount -t tmpfs -o mode=755 dev "$room/dev"
  for name in null zero full random urandom tty kvm; do
    [ -e "/dev/$name" ] || continue
    : >"$room/dev/$name"
    mount --bind "/dev/$name" "$room/dev/$name"
  done
  mkdir "$room/dev/pts" "$room/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$room/dev/pts"
  mount -t tmpfs -o mode=1777 shm "$room/dev/shm"
  ln -s pts/ptmx "$room/dev/ptmx"
  ln -s /proc/self/fd "$room/dev/fd"
  ln -s fd/0 "$room/dev/stdin"
  ln -s fd/1 "$room/dev/stdout"
  ln -s fd/2 "$room/dev/stderr"
}

furnish() {
  mount_all
  cp -L /etc/resolv.conf /etc/hosts "$room/etc/"
  # An https mirror's certificate may be signed by an authority of this machine.
  if grep -q ' https:' "$scratch/sources.list" && [ -f /etc/ssl/certs/ca-certificates.crt ]; then
    mkdir -p "$room/etc/ssl/certs"
    cp -L /etc/ssl/certs/ca-certificates.crt "$room/etc/ssl/certs/"
  fi
  cp -a "$scratch/clone" "$room/root/worldswitch"
  mkdir "$room/root/.cache"
  [ ! -d "$scratch/cache" ] || cp -a "$scratch/cache" "$room/root/.cache/worldswitch"
}

# in_room COMMAND...: as root in the clone, with a login's environment.
in_room() {
  local name proxies=()
  for name in http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || proxies+=("$name=${!name}")
  done
  chroot "$room" /usr/bin/env -i HOME=/root \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${proxies[@]}" \
    sh -ec 'cd /root/worldswitch && exec "$@"' sh "$@" </dev/null
}

# as_user COMMAND...: the same without privileges, and without set-up, which needs root.
as_user() {
  chroot "$room" /usr/bin/setpriv --reuid=user --regid=user --init-groups --bounding-set=-all \
    /usr/bin/env -i HOME=/home/user PATH=/usr/local/bin:/usr/bin:/bin SETUP=0 \
    sh -ec 'cd /home/user/worldswitch && exec "$@"' sh "$@" </dev/null
}

# promised: patterns of targets, from the comments of scripts/packages.
promised() {
  awk -v arch="$(dpkg --print-architecture)" '
    /^%/ { base = $1 == "%base" }
    base && ($2 !~ /^\[/ || $2 == "[" arch "]") { sub(/^[^#]*#/, ""); print }
  ' "$top/scripts/packages" | grep -oE '\<(bare|lab):[a-z0-9_*-]+' | sort -u
}

# rows FILE: "STATUS: BENCHMARK [CONFIG]: REASON" of each benchmark in a document.
rows() {
  awk -F'"' '
    /^      "name": / { name = $4 }
    /^      "config": / { config = $4 }
    /^      "status": / { status = $4 }
    /^      "reason": / {
      sub(/^ *"reason": "?/, ""); sub(/"?,?$/, "")
      print status ": " name " [" config "]: " $0
    }' "$1"
}

# check_target TARGET: it is measured. A lab that has none of the core benchmarks
# (lab:aarch64-smp) is run with those that it has.
check_target() {
  local target=$1 file=$2/${1//:/-}.json text line
  if [ ! -f "$file" ]; then
    step "run --on $target" in_room build/wsbench run --on "$target" --bench '*' \
      --boots 1 --events 20 -o "${file#"$room/root/worldswitch/"}" || true
  fi
  if [ ! -f "$file" ]; then
    complain "$target: not measured"
    return
  fi
  text=$(rows "$file")
  if ! grep -q '^ok: ' <<<"$text"; then
    complain "$target: nothing was measured: ${text%%$'\n'*}"
    return
  fi
  while IFS= read -r line; do
    complain "$target: $line"
  done < <(grep -E "^(fail: |skip: .*($lack))" <<<"$text" || true)
}

check_bench() {
  local runs pattern target targets patterns found
  runs=$(find "$room/root/worldswitch/results/runs" -mindepth 1 -maxdepth 1 -type d -print -quit 2>/dev/null) || true
  if [ -z "$runs" ]; then
    complain "make bench: no documents in results/runs"
    return
  fi
  mapfile -t patterns < <(promised)
  [ ${#patterns[@]} -gt 0 ] || complain "scripts/packages names no target"
  mapfile -t targets < <(in_room build/wsbench list targets --names)
  for pattern in "${patterns[@]}"; do
    found=0
    for target in "${targets[@]}"; do
      # shellcheck disable=SC2053  # it is a pattern
      [[ $target == $pattern ]] || continue
      found=1
      check_target "$target" "$runs"
    done
    [ "$found" = 1 ] || complain "$pattern: named in scripts/packages, but wsbench has no such target"
  done
  [ ! -f "$runs/kvm.json" ] || check_target kvm "$runs"
  [ -s "$runs/report.html" ] || complain "make bench: no report"
  compgen -G "$runs/*.svg" >/dev/null || complain "make bench: no pictures"
}

# The packages that read what wsbench writes, as a pattern: the room does not have them.
consumers() {
  sed -n '/^%consumers/,/^%[^c]/{/^[a-z]/s/ .*//p}' "$top/scripts/packages" | paste -sd '|'
}

# check_tests TEXT WHERE: runs tests; none may be skipped because a file is missing.
check_tests() {
  local text=$1 where=$2 from line
  from=$(($(wc -l <"$log") + 1))
  step "$text" "$where" host/tests/run "${test_files[@]}" || true
  step "more $text" "$where" host/tests/run --filter "$test_filter" "${test_filter_files[@]}" || true
  while IFS= read -r line; do
    complain "$text: $line"
  done < <(tail -n "+$from" "$log" | sed -n 's/^ *\(skipped: .*\)/\1/p' | grep -E "$lack" |
    grep -vE ": ($(consumers)) is not installed" || true)
}

run_room() {
  local bad=0
  mount --make-rprivate /
  step "Debian 12, minbase, and make" bootstrap || exit 1
  furnish
  step "make bench" in_room make bench || true
  [ -x "$room/root/worldswitch/build/wsbench" ] || exit 1
  check_bench
  step "packages of the tests" in_room scripts/setup.sh base test || true
  step "build some tests" in_room make -j"$(nproc)" test-payloads build/tests/contain build/tests/unit_cli || true
  check_tests "tests, as root" in_room
  chroot "$room" useradd --create-home user
  mv "$room/root/worldswitch" "$room/root/.cache" "$room/home/user/"
  chroot "$room" chown -R user:user /home/user/worldswitch /home/user/.cache
  step "make, as a user" as_user make || true
  check_tests "tests, as a user" as_user
  chroot "$room" apt-get -q autoclean >>"$log" 2>&1 || true
  exit "$bad"
}

# ---- the whole ---------------------------------------------------------------------------

# The room's mounts are in its namespace alone, and end with its last process.
clean_up() {
  trap - EXIT
  if [ -n "$pid" ]; then
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  fi
  if [ "$keep" = 1 ] && [ -d "$room" ]; then
    echo "cleanroom: the root is $room"
  else
    # A process that was just killed may still be writing.
    rm -rf --one-file-system "$scratch" 2>/dev/null || { sleep 1 && rm -rf --one-file-system "$scratch"; }
  fi
}

# Globals, as clean_up runs after main has returned.
keep=0 scratch=${scratch:-} pid=''

main() {
  local cold=0 without=() room archives log code=0
  while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --keep) keep=1 ;;
    --cold) cold=1 ;;
    --without)
      [ $# -gt 1 ] || die 2 "$1 needs a value"
      without+=("$2")
      shift
      ;;
    *) die 2 "unknown argument $1; see --help" ;;
    esac
    shift
  done

  check_programs
  scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/worldswitch-cleanroom.XXXXXX")
  room=$scratch/root
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  chmod 755 "$scratch"
  printf '[safe]\n\tdirectory = *\n' >"$scratch/gitconfig"
  check_machine

  mkdir -p "$(cache_dir)/cleanroom/archives"
  archives=$(cd "$(cache_dir)/cleanroom/archives" && pwd)
  log=$(dirname "$archives")/log
  exec {lock}>"$(dirname "$archives")/lock"
  flock --nonblock "$lock" || { echo "cleanroom: waiting for another one to end" && flock "$lock"; }
  : >"$log"
  copy_clone "$scratch/clone"
  remove_packages "$scratch/clone/scripts/packages"
  if [ "$cold" = 0 ]; then
    seed "$scratch/cache"
  else
    archives=$scratch/archives
    mkdir "$archives"
  fi
  sources >"$scratch/sources.list"
  apt_options >"$scratch/apt.conf"

  # In a separate process group: Ctrl-C ends this shell, which ends the room.
  export scratch room archives log
  set -m
  setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child \
    "$here/cleanroom.sh" --in-namespace </dev/null &
  pid=$!
  set +m
  wait "$pid" || code=$?
  pid=
  if [ "$code" != 0 ]; then
    echo "cleanroom: FAILED in $SECONDS s: see $log"
    exit 1
  fi
  echo "cleanroom: passed in $SECONDS s"
}

case ${1:-} in
--in-namespace) run_room ;;
*) main "$@" ;;
esac
