#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lists and fetches Debian kernels for the labs.
set -Eeuo pipefail
# GNU stat prints fractions with the decimal point of the locale.
export LC_ALL=C
trap 'code=$?; echo "kernel: error: line $LINENO: $BASH_COMMAND failed" >&2; [ $code = 2 ] || code=4; exit $code' ERR

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=/dev/null
. "$here/apt-private.sh"
# shellcheck source=/dev/null
. "$here/kernel-build.sh"
# shellcheck source=/dev/null
. "$here/sums.sh"
apt_conf='' # set by apt_private_open
apt_reason='' # set by a function that fails
apt_fd='' # set by apt_private_lock
apt_missing='' # set by apt_private_fresh and apt_private_update

default_series=6.1
default_flavour=cloud
all_suites=bookworm,bookworm-security,bookworm-backports,trixie,trixie-security,trixie-backports,sid,experimental
# The modules of KVM; their dependencies are added.
module_roots=(kvm-amd kvm-intel)

usage() {
  cat <<END
usage: kernel.sh list  [options]
       kernel.sh fetch [options]
       kernel.sh config [--arch ARCH] --tree TREE [--to BUILD]
       kernel.sh take [--arch ARCH] --tree TREE --to DIR
       kernel.sh changelog [options]

list   prints the kernels that Debian offers and the cached kernels:
       release, package version, suite, "cached" or "-"
fetch  makes sure that a kernel is cached and undamaged, and prints its folder:
       vmlinuz, config, release, package, sums, modules/*.ko (KVM and its dependencies)
config writes a small configuration, which boots in the labs in a second, to the
       source tree of a kernel, or to BUILD for a build in another folder (make O=BUILD),
       and prints the commands to go on with
take   copies image, config and KVM's modules of a built kernel tree to DIR, for
       wsbench run --kernel; KVM may be modules (of modules.order) or built in
changelog  downloads the changelog of a kernel's package, which lists the commits of all
       stable updates, and prints its path (for wsbench history add --changelog)

  --arch ARCH        x86_64 or aarch64 (default: this machine's)
  --series X.Y,...   default $default_series; list: all; fetch prints a folder for each
  --flavour FLAVOUR  cloud, plain or rt; default $default_flavour; list: all
  --suite SUITES     Debian suites to look in, such as trixie-backports,sid, or all;
                     default: those of this system, and for fetch all if they do not
                     have the kernel
  --release RELEASE  exactly this kernel, such as 6.1.0-44-cloud-amd64, or without what
                     follows the version: 6.1.0-44, 6.12.113; or a stable version that
                     a kernel was built from: 6.1.192
  --refresh          look for newer kernels even if one is cached
  --offline          fetch: use the cache, and download nothing
  --quiet            fetch: no progress messages

The kernels are kept in \$WORLDSWITCH_CACHE (default: \$XDG_CACHE_HOME/worldswitch or
~/.cache/worldswitch). A cached kernel is used without a connection to Debian, and so is
the newest cached kernel if Debian cannot be reached. The files of a cached kernel are
compared with their checksums; a damaged kernel is downloaded again.
Exit code: 0 done; 2 bad usage or no such kernel; 4 no network.
END
}

die() {
  local code=$1
  shift
  progress_end
  echo "kernel: error: $*" >&2
  exit "$code"
}

say() {
  progress_end
  [ "$quiet" = 1 ] || echo "kernel: $*" >&2
}

# flavour_suffix FLAVOUR: the flavour in a release name, between version and architecture.
flavour_suffix() {
  case $1 in
  cloud) echo -cloud ;;
  rt) echo -rt ;;
  plain) ;;
  *) return 1 ;;
  esac
}

# matching: from releases on stdin those of the series and flavour, oldest first.
# A meta-package lacks the number after the series.
matching() {
  local number='[0-9]+\.[0-9]+' middle='(-cloud|-rt)?'
  if [ -n "$series" ]; then
    number=${series//./\\.}
    number="(${number//,/|})"
  fi
  [ -z "$flavour" ] || middle=$(flavour_suffix "$flavour")
  { grep -E "^$number\.[0-9]+[0-9.+~a-z-]*$middle-$deb_arch\$" || true; } |
    { [ "$flavour" != plain ] && cat || grep -Ev -e "-(cloud|rt)-$deb_arch\$" || true; } |
    sort -V
}

# naming: from releases on stdin those that $release means, oldest first: the release
# itself, or the releases that add a revision of Debian, the flavour and the architecture;
# else, for a stable version such as 6.1.192, the release that was built from it.
naming() {
  local all found
  all=$(cat)
  found=$(named <<<"$all")
  if [ -z "$found" ] && [[ $release =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]; then
    found=$(built_from "$release" <<<"$all")
  fi
  [ -z "$found" ] || echo "$found"
}

# built_from VERSION: from releases on stdin those whose package has this upstream version,
# which the names of older kernels (6.1.0-56-cloud-amd64) do not tell.
built_from() {
  local name names version versions='' images
  names=$(series=${1%.*} flavour=${flavour:-$default_flavour} matching)
  [ -n "$names" ] || return 0
  if [ -n "$apt_conf" ]; then
    mapfile -t images <<<"$names"
    versions=$(apt-cache -c "$apt_conf" madison "${images[@]/#/linux-image-}" 2>/dev/null |
      awk -F ' *[|] *' '{ sub(/^ *linux-image-/, "", $1); if (!($1 in seen)) print $1, $2; seen[$1] = 1 }')
  fi
  for name in $names; do
    version=$(awk -v n="$name" '$1 == n { print $2 }' <<<"$versions")
    [ -n "$version" ] || read -r _ version _ 2>/dev/null <"$kernels/$name/package" || true
    [ "${version%%-*}" != "$1" ] || echo "$name"
  done
}

# named: from releases on stdin those whose name $release is, or begins.
named() {
  local name=${release%-"$deb_arch"} middle=''
  if [ "$name" = "$release" ]; then
    [[ $name == *-@(cloud|rt) ]] || middle='([+~][^-]*)?'$(flavour_suffix "${flavour:-$default_flavour}")
    name=${name//./\\.}
    { grep -E "^${name//+/\\+}$middle-$deb_arch\$" || true; } | sort -V
  else
    grep -xF -- "$release" || true
  fi
}

# cached: the releases in the cache.
cached() {
  local dir
  for dir in "$kernels"/[0-9]*/; do
    [ ! -f "$dir/release" ] || basename "$dir"
  done
}

# undamaged: from releases in the cache on stdin those that can be used.
undamaged() {
  local name
  while read -r name; do
    [ -n "$(damage "$name")" ] || echo "$name"
  done
}

# is_built_here FILE: whether the file in the folder of a kernel is not of the package, but
# a module that kmod.sh has built for the kernel.
is_built_here() {
  [[ $1 == modules/worldswitch_pmu*.ko ]]
}

# Older programs recorded these after a copy.
sums_skips() { is_built_here "$1"; }

# record DIR: records the checksums of the files of a kernel.
record() {
  local file
  local -a files=()
  for file in "$1"/{vmlinuz,config,release,package} "$1"/modules/*.ko; do
    [ ! -f "$file" ] || is_built_here "${file#"$1"/}" || files+=("${file#"$1"/}")
  done
  sums_write "$1" sums "${files[@]}"
}

# damage RELEASE: the first file of a cached kernel that differs from the file that was
# downloaded; empty if there is none. Kernels that were cached without checksums pass.
damage() {
  local dir=$kernels/$1
  [ -f "$dir/sums" ] || return 0
  sums_compare "$dir" sums
  echo "$sums_damaged"
  [ -n "$sums_damaged" ] || sums_renew "$dir" sums checked
}

# is_usable RELEASE: whether the kernel is cached and undamaged.
is_usable() {
  local file
  [ -f "$kernels/$1/release" ] || return 1
  file=$(damage "$1")
  [ -n "$file" ] || return 0
  say "$1 in the cache is damaged ($file)"
  return 1
}

# offered: the releases in Debian's lists. From Linux 6.19 on, linux-image depends on
# linux-binary and linux-modules, and the archive keeps linux-binary for longer.
offered() {
  names_read
  sed -n 's/^linux-\(image\|binary\)-\([0-9]\)/\2/p' <<<"$names" | sort -u
}

# names_read: sets $names to the names of the kernel packages in Debian's lists.
names_read() {
  [ -n "$names" ] || names=$(apt-cache -c "$apt_conf" pkgnames linux- | sed -nE '/^linux-(image|binary|modules|base)-[0-9]/p')
}

# has_package NAME
has_package() {
  names_read
  grep -qxF -- "$1" <<<"$names"
}

# packages_of RELEASE: the packages that the image, the configuration and the modules are in.
# On arm64, KVM is part of the image: a kernel whose modules left the archive can be used.
packages_of() {
  local package packages="linux-binary-$1"
  if ! has_package "linux-binary-$1"; then
    echo "linux-image-$1"
    return
  fi
  [ "$deb_arch" = arm64 ] || has_package "linux-modules-$1" || return
  for package in "linux-modules-$1" "linux-base-$1"; do
    ! has_package "$package" || packages+=" $package"
  done
  echo "$packages"
}

# sources: of the suites that were asked for, from this system's mirror.
sources() {
  if [ -z "$suites" ]; then
    apt_private_sources
  else
    apt_private_sources_of deb "$suites"
  fi
}

# open_lists: the package lists of the suites, in a state of their own.
open_lists() {
  apt_private_state "$arch${suites:+-$suites}" "$deb_arch" sources
}

# take: copies image, config and KVM's modules of a built tree. The folder has the old kernel, or
# no image, or the whole new kernel, also after a kill or on a full disk.
take() {
  local image lock new file
  image=$(kernel_image "$arch")
  if [ -z "$tree" ] || [ -z "$to" ]; then
    die 2 "take needs --tree and --to"
  fi
  [ -f "$tree/$image" ] || die 2 "$tree has no $image: is it built?"
  mkdir -p "$to" 2>/dev/null || true
  [ -w "$to/." ] || die 4 "cannot write to $to"
  exec {lock}<"$to"
  flock -n "$lock" || die 4 "another take works in $to"
  new=$to/.new
  rm -rf "${new:?}" # of a process that was killed
  # shellcheck disable=SC2064  # as they are now
  trap "rm -rf ${new@Q}; rmdir ${to@Q} 2>/dev/null || true" EXIT
  mkdir -p "$new/modules"
  cp "$tree/$image" "$new/vmlinuz"
  [ ! -f "$tree/.config" ] || cp "$tree/.config" "$new/config"
  [ ! -f "$tree/include/config/kernel.release" ] || cp "$tree/include/config/kernel.release" "$new/release"
  modules_take "$tree" "$new/modules"
  # The list of built-in modules: the labs do not load a module of these names.
  [ ! -f "$tree/modules.builtin" ] || cp "$tree/modules.builtin" "$new/modules/"
  if [ "$arch" = x86_64 ] && has_lists "$tree" && ! has_kvm "$new/modules"; then
    die 2 "$tree has no KVM for x86_64: neither its modules.order nor its modules.builtin has ${module_roots[*]} (CONFIG_KVM_AMD, CONFIG_KVM_INTEL; make bzImage modules)"
  fi
  find "$new" -exec sync {} +
  # Modules of an earlier build must not be loaded into this kernel: without an image, no lab boots.
  rm -rf "${to:?}"/{vmlinuz,modules,config,release}
  for file in modules config release vmlinuz; do
    [ ! -e "$new/$file" ] || mv -T "$new/$file" "$to/$file"
  done
  sync "$to"
  rm -rf "$new"
  trap - EXIT
  echo "$to"
}

# config: the small configuration. The build stays in the hands of the developer.
config() {
  local folder lacking log kernel_make
  [ -n "$tree" ] || die 2 "config needs --tree"
  [ -d "$tree/virt/kvm" ] || die 2 "$tree is not the source tree of a kernel"
  lacking=$(kernel_tools "$arch")
  [ -z "$lacking" ] || die 4 "missing for the build of a kernel: $lacking"
  folder=${to:-$tree}
  mkdir -p "$folder" 2>/dev/null || die 4 "cannot create $folder"
  log=$(kernel_config "$arch" "$tree" "$folder") ||
    die 4 "make allnoconfig in $tree: $({ grep -E '\*\*\*|rror' <<<"$log" || echo failed; } | tail -n 1)"
  kernel_make "$arch" "$tree" "$folder"
  printf '%s ' "${kernel_make[@]@Q}" -s "-j$(nproc)" | sed "s/'\([A-Za-z0-9_.,:+=/-]*\)'/\1/g"
  kernel_targets "$arch" | paste -s -d ' '
  echo "${WORLDSWITCH_PROGRAM:-wsbench} kernel take --arch $arch --tree $folder --to base"
}

# has_lists TREE: whether TREE has the build's list of modules. Other folders, such as an
# unpacked package, cannot contain modules of an earlier configuration.
has_lists() {
  [ -f "$1/modules.order" ] || [ -f "$1/modules.builtin" ]
}

# listed FILE NAME: the line of a module in modules.order or modules.builtin, by a name
# with - or _. Linux 6.2 and later list objects (.o) in modules.order.
listed() {
  [ -f "$1" ] || return 0
  sed -nE "s,^(kernel/)?((.*/)?${2//[-_]/[-_]}\\.)k?o\$,\\2ko,p" "$1" | head -n 1
}

has_kvm() {
  local root
  for root in "${module_roots[@]}"; do
    [ ! -f "$1/$root.ko" ] && [ -z "$(listed "$1/modules.builtin" "$root")" ] || return 0
  done
  return 1
}

# module_file TREE NAME: the file of a module, by a name with - or _; empty if the
# configuration of the tree does not build the module.
module_file() {
  local path
  if ! has_lists "$1"; then
    find "$1" -name "${2//[-_]/[-_]}.ko*" -type f -print -quit
    return
  fi
  [ -z "$(listed "$1/modules.builtin" "$2")" ] || return 0
  path=$(listed "$1/modules.order" "$2")
  [ -n "$path" ] || return 0
  [ -f "$1/$path" ] || die 2 "$1/modules.order lists $path, which is not there: make modules"
  echo "$1/$path"
}

# modules_take TREE DIR: copies KVM's modules, unpacked, with their dependencies, which
# each module lists in its .modinfo: the package has no modules.dep.
modules_take() {
  local todo=("${module_roots[@]}") name file found deps done=' '
  while [ ${#todo[@]} -gt 0 ]; do
    name=${todo[0]//_/-}
    todo=("${todo[@]:1}")
    [[ $done != *" $name "* ]] || continue
    done+="$name "
    file=$(module_file "$1" "$name") || exit
    if [ -z "$file" ]; then
      # The roots may be built in or belong to another architecture.
      [[ " ${module_roots[*]} " == *" $name "* ]] || die 4 "no module $name in $1"
      continue
    fi
    case $file in
    *.ko) cp "$file" "$2/$name.ko" ;;
    *.ko.xz) xz -dc "$file" >"$2/$name.ko" ;;
    *) die 4 "cannot unpack $(basename "$file")" ;;
    esac
    found=$(tr '\0' '\n' <"$2/$name.ko" | LC_ALL=C sed -n 's/^depends=//p')
    IFS=, read -ra deps <<<"${found%%$'\n'*}"
    todo+=(${deps[@]+"${deps[@]}"})
  done
}

# one_of FILE...: the first file that exists.
one_of() {
  local file
  for file in "$@"; do
    [ ! -f "$file" ] || { echo "$file" && return; }
  done
  return 1
}

# origin_of PACKAGE: version and suite of the package that would be downloaded.
origin_of() {
  local version
  version=$(apt-cache -c "$apt_conf" show --no-all-versions "$1" | sed -n 's/^Version: //p' | head -n 1)
  apt-cache -c "$apt_conf" madison "$1" | awk -F ' *[|] *' -v v="$version" \
    '$2 == v && !suite { split($3, w, " "); sub(/\/.*/, "", w[2]); suite = w[2] } END { print v, suite }'
}

# download RELEASE: adds a kernel to the cache, or replaces a damaged one. Processes that
# use different package lists have different locks of these, and one lock for the kernels.
download() {
  local release=$1 new tree file lock
  local -a packages
  file=$(packages_of "$release" || true)
  [ -n "$file" ] ||
    die 2 "the archive no longer has the modules of $release (linux-modules-$release)"
  read -ra packages <<<"$file"
  [ -w "$kernels" ] || die 4 "cannot write to $kernels"
  apt_private_lock "$kernels/.lock" || die 4 "$apt_reason"
  lock=$apt_fd
  # Another process may have downloaded the kernel meanwhile.
  if is_usable "$release" 2>/dev/null; then
    apt_private_unlock "$lock"
    return
  fi
  swept
  say "downloading ${packages[*]} from Debian"
  new=$(mktemp -d "$kernels/.new.XXXXXX")
  # shellcheck disable=SC2064  # `new` as it is now
  trap "rm -rf ${new@Q}" EXIT
  tree=$new/tree
  apt_private_unpack "$tree" "${packages[@]}" || die 4 "could not download ${packages[*]}: $apt_reason"
  mkdir "$new/out" "$new/out/modules"
  # Linux 7.2 and later: everything is in the folder of the modules.
  file=$(one_of "$tree/boot/vmlinuz-$release" "$tree"{/usr,}"/lib/modules/$release/vmlinuz") ||
    die 4 "${packages[*]}: no vmlinuz in it"
  cp "$file" "$new/out/vmlinuz"
  if file=$(one_of "$tree/boot/config-$release" "$tree"{/usr,}"/lib/modules/$release/config"); then
    cp "$file" "$new/out/config"
  fi
  modules_take "$tree" "$new/out/modules"
  echo "$release" >"$new/out/release"
  echo "${packages[0]} $(origin_of "${packages[0]}")" >"$new/out/package"
  record "$new/out"
  sums_checked "$new/out" checked
  for file in "$kernels/$release"/modules/*.ko; do
    [ ! -s "$file" ] || ! is_built_here "modules/${file##*/}" || cp -p "$file" "$new/out/modules/"
  done
  # A power failure leaves the old kernel or the whole new one.
  find "$new/out" -exec sync {} +
  [ ! -e "$kernels/$release" ] || mv -T "$kernels/$release" "$new/old"
  mv -T "$new/out" "$kernels/$release"
  sync "$kernels"
  rm -rf "$new"
  trap - EXIT
  apt_private_unlock "$lock"
}

# point NAME RELEASE: the link NAME in the cache, atomically.
point() {
  local lock
  [ "$(readlink "$kernels/$1" || true)" != "$2" ] || return 0
  apt_private_lock "$kernels/.lock" || die 4 "$apt_reason"
  lock=$apt_fd
  ln -sfn "$2" "$kernels/.new.link"
  mv -T "$kernels/.new.link" "$kernels/$1"
  apt_private_unlock "$lock"
}

# swept: removes what killed processes left; with the lock, which all that make these files have.
# The children of a killed process may still write.
swept() {
  rm -rf "$kernels"/.new.* "$kernels"/.newest-* "$kernels"/.default.* 2>/dev/null || true
}

# sweep: the same before a fetch that may find all in the cache, unless another process works there.
sweep() {
  local fd
  compgen -G "$kernels/.new*" >/dev/null || return 0
  [ -w "$kernels" ] || return 0
  exec {fd}>"$kernels/.lock"
  ! flock -n "$fd" || swept
  exec {fd}>&-
}

# newest_of FILTER...: the newest offered kernel that the filter prints; one whose modules
# left the archive only if those of all others did.
newest_of() {
  local newest='' name
  names_read
  for name in $(offered | "$@" | sort -rV); do
    newest=${newest:-$name}
    ! packages_of "$name" >/dev/null || { newest=$name && break; }
  done
  echo "$newest"
}

lists_renew() {
  if [ "$refresh" = 1 ]; then apt_private_update; else apt_private_fresh; fi
}

# lists_read: opens the package lists of $suites, unless they are open.
lists_read() {
  [ "$lists_of" != "$suites" ] || return 0
  [ -z "${apt_lock:-}" ] || apt_private_unlock "$apt_lock"
  apt_lock=''
  names='' lists_of=-
  open_lists && lists_renew && names_read && lists_of=$suites
}

# look FILTER...: sets $found to the newest offered kernel that the filter prints, or to
# nothing: in the suites that were asked for, else in those of this system, else in all.
# Returns 1 if Debian cannot be reached.
look() {
  lists_read || return
  found=$(newest_of "$@")
  [ -z "$found" ] && [ -z "$suites" ] || return 0
  say "not in the suites of this system: reading the package lists of ${all_suites//,/, }"
  suites=$all_suites
  lists_read || return
  found=$(newest_of "$@")
}

# asked_suites: for messages.
asked_suites() {
  [ -z "$suite" ] || echo "($suite) "
}

# missing_suites: for messages.
missing_suites() {
  [ -z "$apt_missing" ] || echo "; without the package lists of ${apt_missing//,/, }, which the mirror did not have (--refresh)"
}

# unreachable RELEASE WHAT: ends with the reason that WHAT, of which RELEASE may be in the
# cache, cannot be used.
unreachable() {
  local file=''
  [ -z "$1" ] || file=$(damage "$1")
  if [ -n "$file" ]; then
    die 4 "$1 in the cache is damaged ($file), and Debian cannot be reached: $apt_reason"
  fi
  die 4 "$2 is not cached, and Debian cannot be reached: $apt_reason"
}

# not_cached RELEASE WHAT OPTION VALUE: the same with --offline; the option fetches it.
not_cached() {
  local file=''
  [ -z "$1" ] || file=$(damage "$1")
  if [ -n "$file" ]; then
    die 4 "$1 in the cache is damaged ($file) (wsbench kernel fetch --arch $arch $3 $4)"
  fi
  die 2 "$2 is not cached (wsbench kernel fetch --arch $arch $3 $4)"
}

fetch_exact() {
  local found name
  case $release in
  *-amd64 | *-arm64) [[ $release == *-"$deb_arch" ]] || die 2 "$release is not a kernel for $arch" ;;
  esac
  name=$(cached | naming | tail -n 1)
  if [ -z "$name" ] || ! is_usable "$name"; then
    # A damaged kernel is replaced by itself.
    release=${name:-$release}
    [ "$offline" = 0 ] || not_cached "$name" "$release for $arch" --release "$release"
    look naming || unreachable "$name" "$release for $arch"
    if [ -z "$found" ] && [ -n "$name" ]; then
      die 4 "$name in the cache is damaged ($(damage "$name")), and Debian no longer offers it$(missing_suites)"
    fi
    [ -n "$found" ] || die 2 "Debian $(asked_suites)does not offer $release for $arch (wsbench kernel list --arch $arch --suite all)$(missing_suites)"
    download "$found"
    name=$found
  fi
  echo "$kernels/$name"
}

# fetch_newest: the newest kernel of $series, which is one series.
fetch_newest() {
  local found folder link
  flavour=${flavour:-$default_flavour}
  link=newest-$series-$flavour${asked:+-$asked}
  if [ "$refresh" = 0 ] && [ -f "$kernels/$link/release" ]; then
    folder=$(readlink -f "$kernels/$link")
    if is_usable "$(basename "$folder")"; then
      echo "$folder"
      return
    fi
  fi
  if [ "$offline" = 0 ] && look matching; then
    [ -n "$found" ] || die 2 "Debian $(asked_suites)does not offer a $flavour kernel $series for $arch$(missing_suites)"
    is_usable "$found" 2>/dev/null || download "$found"
    # The link of the series goes last: where it is, all is done.
    if [ "$series/$flavour/$asked" = "$default_series/$default_flavour/" ]; then
      point default "$found"
    fi
    point "$link" "$found"
    echo "$kernels/$found"
    return
  fi
  found=$(cached | matching | undamaged | tail -n 1)
  if [ "$offline" = 1 ]; then
    [ -n "$found" ] || not_cached "$(cached | matching | tail -n 1)" "a $flavour kernel $series for $arch" --series "$series"
    echo "$kernels/$found"
    return
  fi
  [ -n "$found" ] || unreachable "$(cached | matching | tail -n 1)" "a $flavour kernel $series for $arch"
  say "Debian cannot be reached ($apt_reason); using $found, which is cached"
  echo "$kernels/$found"
}

fetch() {
  local one asked=$suites
  local -a all
  sweep
  if [ -n "$release" ]; then
    fetch_exact
    return
  fi
  IFS=, read -ra all <<<"${series:-$default_series}"
  for one in "${all[@]}"; do
    series=$one suites=$asked
    fetch_newest
  done
}

# kbuild_of RELEASE: the package linux-kbuild-*, which contains the changelog of the source
# package. Its name has the series (6.1.0-56-cloud-amd64) or the version
# (6.12.118+deb13-cloud-amd64). The archive does not keep all of them: else the next newer one.
kbuild_of() {
  local name=${1%%-*} offered
  [[ $name == *+* ]] || name=${name%.0}
  name=linux-kbuild-$name
  offered=$(apt-cache -c "$apt_conf" pkgnames linux-kbuild-)
  grep -xF -- "$name" <<<"$offered" ||
    printf '%s\n' "$name" "$offered" | sort -V | grep -xF -A 1 -- "$name" | sed 1d
}

# changelog: downloads the changelog, and prints its path.
changelog() {
  local folder found name version new filter=matching
  [[ $series != *,* ]] || die 2 "changelog: one series, not $series"
  [ -z "$release" ] || filter=naming
  series=${series:-$default_series} flavour=${flavour:-$default_flavour}
  folder=$(cache_dir)/changelogs
  mkdir -p "$folder" 2>/dev/null || true
  [ -w "$folder" ] || die 4 "cannot write to $folder"
  # The file of a release does not change; there can be a newer release of a series.
  name=$(find "$folder" -name '*.gz' -printf '%f\n' | sed 's/\.gz$//' | "$filter" | tail -n 1)
  if [ -n "$name" ] && { [ "$offline" = 1 ] || { [ "$filter" = naming ] && [ "$refresh" = 0 ]; }; }; then
    echo "$folder/$name.gz"
    return
  fi
  [ "$offline" = 0 ] || die 2 "the changelog of ${release:-Linux $series} is not cached (wsbench kernel changelog)"
  if ! look "$filter"; then
    [ -n "$name" ] || die 4 "the changelog of ${release:-Linux $series} is not cached, and Debian cannot be reached: $apt_reason"
    found=$name
  fi
  [ -n "$found" ] || die 2 "Debian $(asked_suites)does not offer ${release:-Linux $series} for $arch (wsbench kernel list --arch $arch --suite all)$(missing_suites)"
  if [ -s "$folder/$found.gz" ] && [ "$refresh" = 0 ]; then
    echo "$folder/$found.gz"
    return
  fi
  name=$(kbuild_of "$found")
  [ -n "$name" ] || die 4 "the archive no longer has the changelog of $found"
  sweep_dead "$folder" .new
  new=$(mktemp -d "$folder/.new.$$.XXXXXX")
  # shellcheck disable=SC2064  # `new` as it is now
  trap "rm -rf ${new@Q}" EXIT
  say "downloading $name from Debian"
  apt_private_unpack "$new" "$name" || die 4 "could not download $name: $apt_reason"
  [ -s "$new/usr/share/doc/$name/changelog.Debian.gz" ] || die 4 "$name has no changelog"
  # A newer one of another line of Debian lacks the updates of this line.
  version=$(origin_of "$(packages_of "$found" | cut -d ' ' -f 1)")
  version=${version%%[-~ ]*}
  zgrep -qE "^linux \\(${version//./\\.}[-~]" "$new/usr/share/doc/$name/changelog.Debian.gz" ||
    die 4 "the archive no longer has the changelog of $found ($name does not have Linux $version)"
  sync "$new/usr/share/doc/$name/changelog.Debian.gz"
  mv "$new/usr/share/doc/$name/changelog.Debian.gz" "$folder/$found.gz"
  rm -rf "$new"
  trap - EXIT
  echo "$folder/$found.gz"
}

# state_of RELEASE: for list().
state_of() {
  if [ -f "$kernels/$1/release" ]; then
    if [ -z "$(damage "$1")" ]; then echo cached; else echo damaged; fi
  elif [[ " $lost" == *" $1 "* ]]; then
    echo "- (its modules left the archive)"
  else
    echo -
  fi
}

list() {
  local all name have packages lost='' version from
  have=$(cached)
  if lists_read; then
    all=$(printf '%s\n%s\n' "$have" "$(offered)" | matching | uniq)
    mapfile -t packages <<<"$all"
    packages=("${packages[@]/#/linux-image-}" "${packages[@]/#/linux-binary-}")
    origins=$(apt-cache -c "$apt_conf" madison "${packages[@]}" 2>/dev/null |
      awk -F ' *[|] *' '{ sub(/^ *linux-(image|binary)-/, "", $1); split($3, w, " "); sub(/\/.*/, "", w[2])
        if (!($1 in seen)) print $1, $2, w[2]; seen[$1] = 1 }')
    for name in $all; do
      [ -f "$kernels/$name/release" ] || packages_of "$name" >/dev/null || lost+="$name "
    done
  elif [ -n "$suite" ] && [[ $apt_reason == *'does not have a Release file'* ]]; then
    # The mirror answered.
    die 2 "the mirror has no suite $suite: $apt_reason"
  else
    say "Debian cannot be reached ($apt_reason); these are cached"
    all=$(matching <<<"$have")
    origins=''
  fi
  for name in $all; do
    read -r version from < <(awk -v n="$name" '$1 == n { print $2, $3 }' <<<"$origins") || true
    # Left the archive, or not in these suites.
    [ -n "$version" ] || [ ! -f "$kernels/$name/package" ] || read -r _ version from <"$kernels/$name/package"
    printf '%-32s %-20s %-18s %s\n' "$name" "${version:--}" "${from:--}" "$(state_of "$name")" 2>/dev/null ||
      die 4 "cannot write to standard output"
  done
}

main() {
  local command='' arch='' series='' flavour='' release='' suite='' suites names='' lists_of=- refresh=0 quiet=0 offline=0
  local deb_arch kernels origins tree='' to=''
  while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --refresh) refresh=1 ;;
    --quiet) quiet=1 ;;
    --offline) offline=1 ;;
    --arch | --series | --flavour | --suite | --release | --tree | --to)
      [ $# -gt 1 ] || die 2 "$1 needs a value"
      [ "$1" != --release ] || [ -n "$2" ] || die 2 "$1 needs a value"
      printf -v "${1#--}" %s "$2"
      shift
      ;;
    list | fetch | config | take | changelog)
      [ -z "$command" ] || die 2 "$command and $1: give one of them"
      command=$1
      ;;
    *) die 2 "unknown argument $1; see --help" ;;
    esac
    shift
  done
  [ -n "$command" ] || die 2 "list, fetch, config, take or changelog? See --help"
  arch=${arch:-$(uname -m)}
  deb_arch=$(debian_arch "$arch") || die 2 "no architecture \"$arch\": x86_64 or aarch64"
  [ -z "$flavour" ] || flavour_suffix "$flavour" >/dev/null ||
    die 2 "no flavour \"$flavour\": cloud, plain or rt"
  suites=$suite
  [ "$suite" != all ] || suites=$all_suites
  [[ $suites =~ ^[a-z0-9,-]*$ ]] || die 2 "not a list of suites: $suite"
  [[ $series =~ ^([0-9]+\.[0-9]+(,|$))*$ ]] || die 2 "not a list of series: $series (such as 6.1,7.3)"
  # An empty variable of a script would be the default kernel; other characters are patterns of grep.
  [[ $release =~ ^([0-9][0-9A-Za-z.+~_-]*)?$ ]] || die 2 "not a kernel: $release (such as 6.1.0-44 or 6.12.113)"
  [ -z "$release" ] || [ -z "$series" ] || die 2 "--release and --series: give one of them"
  case $command in
  config | take)
    # Not in a list: set -e does not hold there.
    "$command"
    exit
    ;;
  esac
  kernels=$(cache_dir)/kernels/$arch
  if mkdir -p "$kernels" 2>/dev/null; then
    kernels=$(cd "$kernels" && pwd)
  elif [ "$offline" = 0 ]; then
    die 4 "cannot create $kernels"
  fi

  "$command"
}

main "$@"
