# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# To be sourced: how a kernel tree is configured and built for the labs.

# kernel_image ARCH: the image below the folder of a build.
kernel_image() {
  case $1 in
  x86_64) echo arch/x86/boot/bzImage ;;
  aarch64) echo arch/arm64/boot/Image ;;
  esac
}

# kernel_make ARCH SOURCE BUILD: sets kernel_make to the words of a make command: the tree
# SOURCE, the folder BUILD for what make writes, the architecture and its compiler. An empty
# LOCALVERSION: git would add "+" to the release, and every new commit would link everything.
kernel_make() {
  kernel_make=(make -C "$2")
  [ "$3" = "$2" ] || kernel_make+=("O=$(realpath -m "$3")")
  case $1 in
  x86_64) kernel_make+=(ARCH=x86_64) ;;
  aarch64) kernel_make+=(ARCH=arm64) ;;
  esac
  if [ "$1" != "$(uname -m)" ]; then
    kernel_make+=("CROSS_COMPILE=${CROSS_COMPILE:-${1//_/-}-linux-gnu-}")
  fi
  kernel_make+=(LOCALVERSION=)
}

# kernel_targets ARCH: what make builds for the labs.
kernel_targets() {
  basename "$(kernel_image "$1")"
  echo modules
}

# kernel_tools ARCH: prints what the build of a kernel needs and this machine lacks, a line;
# empty if nothing is missing.
kernel_tools() {
  local tool cross='' missing=()
  for tool in make gcc flex bison bc; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  if [ "$1" != "$(uname -m)" ]; then
    cross=${CROSS_COMPILE:-${1//_/-}-linux-gnu-}gcc
    command -v "$cross" >/dev/null || missing+=("$cross")
  fi
  # The kernel's objtool, which only x86 builds.
  if [ "$1" = x86_64 ] && command -v gcc >/dev/null && ! gcc -E - <<<'#include <gelf.h>' >/dev/null 2>&1; then
    missing+=(gelf.h)
  fi
  [ ${#missing[@]} = 0 ] ||
    echo "${missing[*]} (Debian: apt-get install flex bison bc libelf-dev libssl-dev${cross:+ gcc-${1//_/-}-linux-gnu})"
}

# kernel_config ARCH SOURCE BUILD: writes the small configuration for the labs, allnoconfig
# with the options of ci/lab.config and ci/lab-ARCH.config. Prints make's output if it fails.
kernel_config() {
  local kernel_make folder all log code=0
  folder=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/ci
  all=$(mktemp)
  cat "$folder/lab.config" "$folder/lab-$1.config" >"$all"
  # The image can be packed by the programs of this machine only.
  command -v lz4 >/dev/null || sed -i 's/KERNEL_LZ4/KERNEL_GZIP/' "$all"
  kernel_make "$@"
  log=$(KCONFIG_ALLCONFIG=$all "${kernel_make[@]}" allnoconfig 2>&1) || code=$?
  rm -f "$all"
  [ "$code" = 0 ] || { echo "$log" && return 1; }
}
