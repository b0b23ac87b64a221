#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lists and fetches Debian kernels for the labs.
set -Eeuo pipefail
trap 'echo "kernel: line $LINENO: $BASH_COMMAND failed" >&2' ERR

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=/dev/null
. "$here/apt-private.sh"
apt_conf='' # set by apt_private_open
apt_reason='' # set by a function that fails

default_series=6.1
default_flavour=cloud
all_suites=bookworm,bookworm-backports,trixie,trixie-backports,sid,experimental
# The modules of KVM; their dependencies are added.
module_roots=(kvm-amd kvm-intel)

usage() {
  cat <<END
usage: kernel.sh list  [options]
       kernel.sh fetch [options]
       kernel.sh take [--arch ARCH] --tree TREE --to DIR

list   prints the kernels that Debian offers and the cached kernels:
       release, package version, "cached" or "-"
fetch  makes sure that a kernel is cached, and prints its folder:
       vmlinuz, config, release, package, modules/*.ko (KVM and its dependencies)
take   copies image, config and KVM's modules of a built kernel tree to DIR, for
       wsbench run --kernel; KVM may be modules (of modules.order) or built in

  --arch ARCH        x86_64 or aarch64 (default: this machine's)
  --series X.Y       default $default_series; list: all
  --flavour FLAVOUR  cloud, plain or rt; default $default_flavour; list: all
  --suite SUITES     Debian suites to look in, such as trixie-backports,sid, or all;
                     default: those of this system
  --release RELEASE  exactly this kernel, such as 6.1.0-44-cloud-amd64 (or without
                     flavour and architecture: 6.1.0-44)
  --refresh          fetch: look for a newer kernel even if one is cached
  --quiet            fetch: no progress messages

The kernels are kept in \$WORLDSWITCH_CACHE (default: \$XDG_CACHE_HOME/worldswitch or
~/.cache/worldswitch). A cached kernel is used without a connection to Debian, and so is
the newest cached kernel if Debian cannot be reached.
Exit code: 0 done; 2 bad usage or no such kernel; 4 no network.
END
}

die() {
  local code=$1
  shift
  echo "kernel: $*" >&2
  exit "$code"
}

say() {
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
  [ -z "$series" ] || number=${series//./\\.}
  [ -z "$flavour" ] || middle=$(flavour_suffix "$flavour")
  { grep -E "^$number\.[0-9]+[0-9.+~a-z-]*$middle-$deb_arch\$" || true; } |
    { [ "$flavour" != plain ] && cat || grep -Ev -e "-(cloud|rt)-$deb_arch\$" || true; } |
    sort -V
}

cached() {
  local dir
  for dir in "$kernels"/[0-9]*/; do
    [ ! -f "$dir/release" ] || basename "$dir"
  done
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
  [[ $'\n'$names$'\n' == *$'\n'"$1"$'\n'* ]]
}

# packages_of RELEASE: the packages that the image, the configuration and the modules are in.
packages_of() {
  if ! has_package "linux-binary-$1"; then
    echo "linux-image-$1"
  elif has_package "linux-modules-$1"; then
    echo "linux-binary-$1 linux-modules-$1$(has_package "linux-base-$1" && echo " linux-base-$1")"
  else
    return 1
  fi
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

# take: copies image, config and KVM's modules of a built tree.
take() {
  local image
  case $arch in
  x86_64) image=arch/x86/boot/bzImage ;;
  aarch64) image=arch/arm64/boot/Image ;;
  esac
  if [ -z "$tree" ] || [ -z "$to" ]; then
    die 2 "take needs --tree and --to"
  fi
  [ -f "$tree/$image" ] || die 2 "$tree has no $image: is it built?"
  mkdir -p "$to"
  # Modules of an earlier build must not be loaded into this kernel.
  rm -rf "${to:?}/modules"
  mkdir "$to/modules"
  cp "$tree/$image" "$to/vmlinuz"
  [ ! -f "$tree/.config" ] || cp "$tree/.config" "$to/config"
  [ ! -f "$tree/include/config/kernel.release" ] || cp "$tree/include/config/kernel.release" "$to/release"
  modules_take "$tree" "$to/modules"
  # The list of built-in modules: the labs do not load a module of these names.
  [ ! -f "$tree/modules.builtin" ] || cp "$tree/modules.builtin" "$to/modules/"
  if [ "$arch" = x86_64 ] && has_lists "$tree" && ! has_kvm "$to/modules"; then
    die 2 "$tree has no KVM for x86_64: neither its modules.order nor its modules.builtin has ${module_roots[*]} (CONFIG_KVM_AMD, CONFIG_KVM_INTEL; make bzImage modules)"
  fi
  echo "$to"
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

# download RELEASE: adds a kernel to the cache, atomically. Needs the lock of the cache.
download() {
  local release=$1 new tree file
  local -a packages
  file=$(packages_of "$release" || true)
  [ -n "$file" ] ||
    die 2 "the archive no longer has the modules of $release (linux-modules-$release)"
  read -ra packages <<<"$file"
  say "downloading ${packages[*]} from Debian"
  new=$(mktemp -d "$kernels/.new.XXXXXX")
  # shellcheck disable=SC2064  # `new` as it is now
  trap "rm -rf '$new'" EXIT
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
  apt-cache -c "$apt_conf" show --no-all-versions "${packages[0]}" |
    awk '/^Package:/ { p = $2 } /^Version:/ { print p, $2; exit }' >"$new/out/package"
  rm -rf "${kernels:?}/$release"
  mv -T "$new/out" "$kernels/$release"
}

# point NAME RELEASE: the link NAME in the cache, atomically.
point() {
  ln -sfn "$2" "$kernels/.$1.$$"
  mv -T "$kernels/.$1.$$" "$kernels/$1"
}

# settle RELEASE: records the newest of a series and flavour, and prints its folder.
settle() {
  point "newest-$series-$flavour${suites:+-$suites}" "$1"
  if [ "$series/$flavour/$suites" = "$default_series/$default_flavour/" ]; then
    point default "$1"
  fi
  echo "$kernels/$1"
}

fetch_exact() {
  case $release in
  *-"$deb_arch") ;;
  *) release=$release$(flavour_suffix "${flavour:-$default_flavour}")-$deb_arch ;;
  esac
  if [ ! -f "$kernels/$release/release" ]; then
    open_lists || exit 4
    apt_private_fresh || die 4 "$release is not cached, and Debian cannot be reached: $apt_reason"
    grep -qx -- "$release" < <(offered) ||
      die 2 "Debian does not offer $release (see kernel.sh list --arch $arch --suite all)"
    [ -f "$kernels/$release/release" ] || download "$release"
  fi
  echo "$kernels/$release"
}

lists_renew() {
  if [ "$refresh" = 1 ]; then apt_private_update; else apt_private_fresh; fi
}

fetch_newest() {
  local newest='' name here
  series=${series:-$default_series}
  flavour=${flavour:-$default_flavour}
  here=$kernels/newest-$series-$flavour${suites:+-$suites}
  if [ "$refresh" = 0 ] && [ -f "$here/release" ]; then
    readlink -f "$here"
    return
  fi
  here=$(cached | matching | tail -n 1)
  if open_lists && lists_renew; then
    names_read
    for name in $(offered | matching | tac); do
      newest=${newest:-$name}
      ! packages_of "$name" >/dev/null || { newest=$name && break; }
    done
    [ -n "$newest" ] || die 2 "Debian ${suites:+($suites) }offers no $flavour kernel $series for $arch$([ -n "$suites" ] || echo '; try --suite all')"
    [ -f "$kernels/$newest/release" ] || download "$newest"
    settle "$newest"
  elif [ -n "$here" ]; then
    say "Debian cannot be reached ($apt_reason); using $here, which is cached"
    echo "$kernels/$here"
  else
    die 4 "no $flavour kernel $series for $arch is cached, and Debian cannot be reached: $apt_reason"
  fi
}

# state_of RELEASE: for list().
state_of() {
  if [ -f "$kernels/$1/release" ]; then
    echo cached
  elif [[ " $lost" == *" $1 "* ]]; then
    echo "- (its modules left the archive)"
  else
    echo -
  fi
}

list() {
  local all name have packages lost=''
  have=$(cached)
  if open_lists && apt_private_fresh; then
    all=$(printf '%s\n%s\n' "$have" "$(offered)" | matching | uniq)
    mapfile -t packages <<<"$all"
    packages=("${packages[@]/#/linux-image-}" "${packages[@]/#/linux-binary-}")
    versions=$(apt-cache -c "$apt_conf" madison "${packages[@]}" 2>/dev/null |
      awk -F ' *[|] *' '{ sub(/^ *linux-(image|binary)-/, "", $1); if (!($1 in seen)) print $1, $2; seen[$1] = 1 }')
    names_read
    for name in $all; do
      [ -f "$kernels/$name/release" ] || packages_of "$name" >/dev/null || lost+="$name "
    done
  else
    say "Debian cannot be reached; these are cached"
    all=$(matching <<<"$have")
    versions=$(for name in $all; do echo "$name $(cut -d' ' -f2 "$kernels/$name/package")"; done)
  fi
  for name in $all; do
    printf '%-32s %-16s %s\n' "$name" \
      "$(awk -v n="$name" '$1 == n { print $2 }' <<<"$versions")" \
      "$(state_of "$name")"
  done
}

main() {
  local command='' arch='' series='' flavour='' release='' suite='' suites names='' refresh=0 quiet=0
  local deb_arch kernels versions tree='' to=''
  while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --refresh) refresh=1 ;;
    --quiet) quiet=1 ;;
    --arch | --series | --flavour | --suite | --release | --tree | --to)
      [ $# -gt 1 ] || die 2 "$1 needs a value"
      printf -v "${1#--}" %s "$2"
      shift
      ;;
    list | fetch | take) command=$1 ;;
    *) die 2 "unknown argument $1; see --help" ;;
    esac
    shift
  done
  [ -n "$command" ] || die 2 "list, fetch or take? See --help"
  arch=${arch:-$(uname -m)}
  deb_arch=$(debian_arch "$arch") || die 2 "no architecture \"$arch\": x86_64 or aarch64"
  [ -z "$flavour" ] || flavour_suffix "$flavour" >/dev/null ||
    die 2 "no flavour \"$flavour\": cloud, plain or rt"
  suites=$suite
  [ "$suite" != all ] || suites=$all_suites
  [[ $suites =~ ^[a-z0-9,-]*$ ]] || die 2 "not a list of suites: $suite"
  if [ "$command" = take ]; then
    take
    exit
  fi
  kernels=$(cache_dir)/kernels/$arch
  mkdir -p "$kernels"
  kernels=$(cd "$kernels" && pwd)

  case $command in
  list) list ;;
  fetch) if [ -n "$release" ]; then fetch_exact; else fetch_newest; fi ;;
  esac
}

main "$@"
