#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# make native: builds the program for the KVM of this machine without a cross compiler, a
# package client and an emulator.
bats_require_minimum_version 1.5.0
load helper

other=aarch64
[ "$arch" = x86_64 ] || other=x86_64

# programs_of_another_system: makes a folder with the programs of this system, without
# those that Fedora or Arch lack.
programs_of_another_system() {
  local folder
  mkdir programs
  for folder in /usr/bin /bin; do
    find -H $folder -mindepth 1 -maxdepth 1 ! -name "$other-*" ! -name 'apt*' ! -name 'dpkg*' ! -name 'qemu-*' \
      ! -name 'bochs*' ! -name wsbench -exec ln -sf -t programs {} +
  done
}

# native FOLDER [VARIABLE=VALUE...]: builds into build/FOLDER. By a relative path:
# dependency files contain the path of the build folder.
native() {
  local to=${build#"$top/"}/$1
  shift
  env -i PATH="$PWD/programs" HOME="$PWD" TMPDIR="$TMPDIR" \
    LOCKED_TREE="$top" make --no-print-directory -C "$top" native JOBS="-j$(nproc)" B="$to" "$@" >log 2>&1 ||
    { tail -n 30 log && return 1; }
  program=$(cd "$top" && readlink -f "$to/wsbench")
}

# Targets that this build or this system does not support have a reason; kvm is usable.
check_targets() {
  local name available reason
  env -i PATH="$PWD/programs" HOME="$PWD" "$program" list targets --json | python3 -c '
import json, sys
for t in json.load(sys.stdin)["targets"]:
    print(t["name"], t["available"], t["reason"] or "")' >listed.txt
  cat listed.txt
  while read -r name available reason; do
    case $name in
    kvm) ;;
    "bare:$other") [[ $available == False && $reason == *"no payloads for $other"* ]] || return ;;
    *) [[ $available == False && $reason == *@("is not installed"|"is not built"|"no QEMU 9 or newer is here")* ]] || return ;;
    esac
  done <listed.txt
  # With emulators and kernels, the labs still lack the program of the guest architecture.
  "$program" list targets --json | python3 -c '
import json, sys
for t in json.load(sys.stdin)["targets"]:
    print(t["name"], t["available"])' >listed.txt
  run ! grep '^lab:.* True$' listed.txt
  grep -qx "kvm True" listed.txt || return 0
  "$program" run --quiet --on kvm --bench cpuid,hypercall --boots 1 --events 20 -o doc.json >/dev/null
  holds doc.json 'any(b["status"] == "ok" for b in d["benchmarks"])'
}

# compiled_before FOLDER: `make` has compiled the same files of this architecture by the same compiler.
# What depends on the build (the version, the payloads as data) is compiled again.
compiled_before() {
  local part
  for part in guest obj; do
    [ -d "$build/$part/$arch" ] || return 0
    mkdir -p "$build/$1/$part"
    cp -a "$build/$part/$arch" "$build/$1/$part/"
  done
  rm -f "$build/$1/obj/$arch"/{payloads,bochs_rom}.o "$build/$1/obj/$arch"/host/cli/help.o
}

@test "make native needs the compiler of this machine and the libraries only" {
  programs_of_another_system
  # With clang, the next test compiles every file with these programs only.
  ! command -v clang >/dev/null || compiled_before native
  native native
  check_targets
}

@test "make native by clang" {
  command -v clang >/dev/null || skip "clang is not installed"
  programs_of_another_system
  rm programs/gcc programs/cc
  native native-clang CC=clang CFLAGS=-O0
  check_targets
}

@test "make native names the library that is missing" {
  programs_of_another_system
  mkdir bin
  # A compiler wrapper that does not find jansson.
  printf '#!/bin/sh\nfor a; do :; done\ncase $(cat) in *jansson*) exit 1 ;; esac\n' >bin/no-jansson
  chmod +x bin/no-jansson
  run env -i PATH="$PWD/bin:$PWD/programs" HOME="$PWD" make --no-print-directory -C "$top" \
    native JOBS=-j1 B="$PWD/b" CC=no-jansson
  echo "$output"
  [ "$status" != 0 ]
  [[ $output == *"make: <jansson.h> is missing"* ]]
}

# The kernel's headers of Debian 11 (5.10) lack Landlock, and those of Linux 5.13 a part.
@test "native: confinement and processes compile with the headers of an old kernel" {
  local file
  mkdir -p old/linux old/sys
  echo '#error "no such file before Linux 5.13"' >old/linux/landlock.h
  cat >old/linux/capability.h <<'END'
#include_next <linux/capability.h>
#undef CAP_PERFMON
END
  cat >old/sys/syscall.h <<'END'
#include_next <sys/syscall.h>
#undef SYS_landlock_create_ruleset
#undef SYS_landlock_add_rule
#undef SYS_landlock_restrict_self
#undef SYS_close_range
END
  for file in confine confine_filter_none process; do
    cc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wundef -Werror -isystem old -I"$top" -fsyntax-only "$top/host/lib/$file.c"
  done
}
