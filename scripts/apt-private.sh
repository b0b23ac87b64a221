# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# To be sourced: Debian's package client for one architecture, with a state and a cache of
# its own. The client works without root, does not change the packages, lists or
# architectures of the system, and verifies signatures like the system's client.

# shellcheck source=/dev/null
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/places.sh"
# shellcheck source=/dev/null
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/progress.sh"

# debian_arch ARCH: the Debian name of an architecture.
debian_arch() {
  case $1 in
  x86_64) echo amd64 ;;
  aarch64) echo arm64 ;;
  *) return 1 ;;
  esac
}

# apt_reason: why a function failed: the client's first error message.
apt_reason=

# apt_missing: the suites without package lists, separated by commas.
apt_missing=

apt_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The Debian sources of this system, backports included, as one-line entries; Debian's own
# mirror if the system has none or has never downloaded their lists.
apt_private_sources() {
  local uri suite component found=0 code
  # shellcheck disable=SC2016  # apt's own variables
  while IFS='|' read -r uri suite component; do
    printf 'deb [signed-by=%s] %s %s %s\n' "$apt_keyring" "$uri" "$suite" "$component" || return
    found=1
  done < <(apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)' \
    'Identifier: Packages' 2>/dev/null | sed -n 's/|Debian\( Backports\)\{0,1\}$//p' | sort -u)
  [ "$found" = 0 ] || return 0
  code=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null || true)
  grep -qx ID=debian /etc/os-release 2>/dev/null || code=
  code=${code:-bookworm}
  printf 'deb [signed-by=%s] http://deb.debian.org/debian %s main\n' \
    "$apt_keyring" "$code" "$apt_keyring" "$code-updates"
  printf 'deb [signed-by=%s] http://deb.debian.org/debian-security %s main\n' \
    "$apt_keyring" "$code-security"
}

# The descriptors of the locks that this process holds.
apt_locks=()

# apt_private_lock FILE: takes a lock, and sets apt_fd to its descriptor. Says so before it
# waits. Returns 1, and sets apt_reason, if FILE cannot be written.
apt_private_lock() {
  { exec {apt_fd}>"$1"; } 2>/dev/null || { apt_reason="cannot write to $1" && return 1; }
  if ! flock -n "$apt_fd"; then
    apt_private_say "waiting for another fetch, which holds $1"
    flock "$apt_fd"
  fi
  apt_locks+=("$apt_fd")
}

# apt_private_unlock DESCRIPTOR
apt_private_unlock() {
  local fd=$1 other
  local -a locks=("${apt_locks[@]}")
  exec {fd}>&-
  apt_locks=()
  for other in "${locks[@]}"; do
    [ "$other" = "$fd" ] || apt_locks+=("$other")
  done
}

# apt_private_exec COMMAND...: in a subshell: becomes the command, without the locks. A client
# that outlives a killed script must not hold them.
apt_private_exec() {
  local fd
  for fd in "${apt_locks[@]}"; do
    exec {fd}>&-
  done
  exec "$@"
}

# apt_private_open ARCH: sets apt_dir and apt_conf, and locks the cache for ARCH until the
# process ends. A script must hold the lock to add to the cache. Returns 1, and sets
# apt_reason, without a package client or without a cache that can be written.
apt_private_open() {
  apt_private_state "$1" "$(debian_arch "$1")" apt_private_sources
}

# apt_private_open_source SUITE: the same for the source packages of a suite.
apt_private_open_source() {
  apt_private_state "source-$1" "$(dpkg --print-architecture 2>/dev/null || true)" apt_private_sources_of deb-src "$1"
}

# apt_private_sources_of TYPE SUITES: `deb` or `deb-src` of comma-separated suites, from
# this system's mirrors.
apt_private_sources_of() {
  local uri security suite system
  system=$(apt_private_sources)
  uri=$(awk '$3 !~ /security/ && $4 !~ /security/ { print $3; exit }' <<<"$system")
  security=$(awk '$4 ~ /-security$/ { print $3; exit }' <<<"$system")
  for suite in ${2//,/ }; do
    case $suite in
    *-security) printf '%s [signed-by=%s] %s %s main\n' "$1" "$apt_keyring" "${security:-http://deb.debian.org/debian-security}" "$suite" ;;
    *) printf '%s [signed-by=%s] %s %s main\n' "$1" "$apt_keyring" "${uri:-http://deb.debian.org/debian}" "$suite" ;;
    esac || return
  done
}

# apt_private_state NAME DEBIAN_ARCH COMMAND...: COMMAND prints the sources.
apt_private_state() {
  local name=$1 arch=$2
  shift 2
  if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
    apt_reason="apt-get and dpkg are needed"
    return 1
  fi
  if [ ! -r "$apt_keyring" ]; then
    apt_reason="$apt_keyring is missing (package debian-archive-keyring)"
    return 1
  fi
  apt_dir=$(cache_dir)/apt/$name
  if ! mkdir -p "$apt_dir"/{lists/partial,archives/partial} 2>/dev/null || [ ! -w "$apt_dir" ]; then
    apt_reason="cannot write to $apt_dir"
    return 1
  fi
  apt_dir=$(cd "$apt_dir" && pwd)
  apt_conf=$apt_dir/apt.conf
  apt_private_lock "$apt_dir/lock" || return
  # shellcheck disable=SC2034  # for the scripts
  apt_lock=$apt_fd
  # The caller may be in a list, where set -e does not hold. With half of these files, the client
  # would use the lists of the system, or no source.
  if ! { : >"$apt_dir/status" && "$@" >"$apt_dir/sources.list" && apt_private_conf "$arch" >"$apt_conf"; } 2>/dev/null; then
    apt_reason="cannot write to $apt_dir"
    return 1
  fi
}

# apt_private_conf DEBIAN_ARCH: prints the configuration of the client.
apt_private_conf() {
  cat <<END || return
Dir::State "$apt_dir";
Dir::State::lists "$apt_dir/lists";
Dir::State::status "$apt_dir/status";
Dir::Cache "$apt_dir";
Dir::Cache::archives "$apt_dir/archives";
Dir::Cache::pkgcache "$apt_dir/pkgcache.bin";
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "$apt_dir/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Architecture "$1";
#clear APT::Architectures;
APT::Architectures { "$1"; };
Acquire::Languages "none";
Acquire::Retries "2";
END
  # As root, the client would download as the user _apt, which cannot write here.
  if [ "$(id -u)" = 0 ]; then
    echo 'APT::Sandbox::User "root";'
  fi
}

apt_private_failed() {
  apt_reason=$(sed -n 's/^E: *//p' <<<"$1")
  apt_reason=${apt_reason%%$'\n'*}
  # Of a client that did not start, or was killed.
  : "${apt_reason:=${1##*$'\n'}}" "${apt_reason:=apt-get failed}"
  return 1
}

# apt_private_say TEXT: a remark of the script; none if it has `quiet`.
apt_private_say() {
  local script=${0##*/}
  progress_end
  [ "${quiet:-0}" = 1 ] || echo "${script%.sh}: $1" >&2
}

# apt_private_missing LOG: the suites of sources.list whose lists an update did not bring, by
# its messages, separated by commas.
apt_private_missing() {
  awk 'NR == FNR { if (!known[$4]++) suites[++n] = $4; next }
    /^(Get|Hit):/ && $4 ~ /^(In)?Release$/ { got[$3] = 1 }
    /^Err:/ { if ($4 !~ /^(In)?Release$/) sub(/\/[^\/]*$/, "", $3); bad[$3] = 1 }
    /^E:/ { errors = errors $0 "\n" }
    END { for (i = 1; i <= n; i++) { s = suites[i]
      if (!got[s] || bad[s] || index(errors, "/dists/" s "/")) { printf "%s%s", comma, s; comma = "," } } }' \
    "$apt_dir/sources.list" - <<<"$1"
}

# apt_private_update: downloads the package lists. What some suites lack does not matter to
# the others: mirrors do not have all suites, and old suites leave the archive. Sets
# apt_missing to the suites without new lists, separated by commas.
apt_private_update() {
  local log all
  apt_missing=''
  if ! log=$(export LC_ALL=C && apt_private_exec apt-get -c "$apt_conf" -q -o APT::Update::Error-Mode=any update 2>&1); then
    apt_missing=$(apt_private_missing "$log")
    all=$(apt_private_missing '')
    apt_private_failed "$log" || true
    [ -n "$apt_missing" ] && [ "$apt_missing" != "$all" ] || return 1
    apt_private_say "no package lists of ${apt_missing//,/, }: $apt_reason"
  fi
  printf %s "$apt_missing" >"$apt_dir/updated"
}

# apt_private_fresh: updates package lists that are older than a day, or than an hour if some
# are missing. Offline, old lists are used with a warning; without any lists it fails.
apt_private_fresh() {
  if [ -z "$(find "$apt_dir/updated" \( -empty -mtime -1 -o -mmin -60 \) 2>/dev/null)" ]; then
    ! apt_private_update || return 0
    [ -e "$apt_dir/updated" ] || return 1
    echo "${0##*/}: package lists could not be renewed; using old ones" >&2
  fi
  apt_missing=$(<"$apt_dir/updated")
}

# apt_private_watch DIR PACKAGE...: shows the progress of a download to DIR, until it is killed.
apt_private_watch() {
  local dir=$1 script=${0##*/} bytes fd
  shift
  trap - ERR EXIT
  # The locks end with the script, even if the script is killed.
  for fd in "${apt_locks[@]}"; do
    exec {fd}>&-
  done
  bytes=$(apt-cache -c "$apt_conf" show --no-all-versions "$@" 2>/dev/null | awk '$1 == "Size:" { n += $2 } END { print n + 0 }')
  [ "$bytes" -eq 0 ] || progress_of_files "${script%.sh}: downloading" "$bytes" "$dir" "$apt_dir/archives/partial"
}

# apt_private_unpack DIR PACKAGE...: downloads, verifies and unpacks; deletes the .deb files.
apt_private_unpack() {
  local dir=$1 deb log failed=0 watch=''
  shift
  mkdir -p "$dir/.deb"
  if [ "${quiet:-0}" = 0 ]; then
    apt_private_watch "$dir/.deb" "$@" &
    watch=$!
  fi
  log=$(cd "$dir/.deb" && apt_private_exec apt-get -c "$apt_conf" -q download "$@" 2>&1) || failed=1
  if [ -n "$watch" ]; then
    kill "$watch" 2>/dev/null || true
    wait "$watch" 2>/dev/null || true
    progress_end
  fi
  if [ "$failed" = 1 ]; then
    apt_private_failed "$log"
    return
  fi
  for deb in "$dir"/.deb/*.deb; do
    (apt_private_exec dpkg -x "$deb" "$dir") || { apt_reason="dpkg cannot unpack ${deb##*/}" && return 1; }
  done
  rm -rf "$dir/.deb"
}
