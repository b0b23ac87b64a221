#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The installed tool: programs, scripts, manual pages, completions; help and version; the
# cache that all clones share; make dist.
bats_require_minimum_version 1.5.0
load helper

# Runs make in the tree, without a rebuild. By a relative path: dependency files
# contain the path of the build folder.
in_tree_make() {
  env -u MAKEFLAGS SETUP=0 make --no-print-directory -C "$top" B="${build#"$top/"}" "$@"
}

commands() {
  "$wsbench" --dump-options | sed -n 's/^command\t\([a-z]*\)\t.*/\1/p'
}

# Installed once, with manual pages and completions.
setup_file() {
  export installed=$BATS_FILE_TMPDIR/prefix
  in_tree_make install PREFIX="$installed" >"$BATS_FILE_TMPDIR/log" 2>&1 || cat "$BATS_FILE_TMPDIR/log" >&2
}

@test "make uninstall removes what make install wrote, in a folder with a space" {
  local file
  in_tree_make install PREFIX=/opt/ws DESTDIR="$PWD/ro ot" >log 2>&1
  for file in bin/wsbench libexec/worldswitch/{x86_64,aarch64}/init libexec/worldswitch/libwsbench-trace-qemu{1,7}.so \
    libexec/worldswitch/libwsbench-clone.so libexec/worldswitch/{kernel,kmod,emulator,emulator-qemu,sweep,sweep-explain,reboots,ci/measure,ci/bisect,ci/series}.sh \
    libexec/worldswitch/kmod/Kbuild libexec/worldswitch/{kernel-build.sh,headers.sh,ci/lab.config,ci/lab-x86_64.config,ci/lab-aarch64.config} share/worldswitch/schema.json share/man/man1/wsbench.1 \
    share/bash-completion/completions/wsbench share/zsh/site-functions/_wsbench \
    share/fish/vendor_completions.d/wsbench.fish share/doc/worldswitch/{README.md,LICENSE,host/CHANGES.md}; do
    [ -s "ro ot/opt/ws/$file" ]
  done
  # uninstall keeps a file of another package.
  echo other >"ro ot/opt/ws/share/man/man1/other.1"
  in_tree_make uninstall PREFIX=/opt/ws DESTDIR="$PWD/ro ot"
  [ "$(find "ro ot" -type f)" = "ro ot/opt/ws/share/man/man1/other.1" ]
}

@test "the programs of the labs are the same in every clone of a commit, and of commits that do not change them" {
  local arch commit
  commit=$(git -C "$top" rev-parse --short=12 HEAD 2>/dev/null) || commit=
  for arch in x86_64 aarch64; do
    run ! grep -aqF "$top" "$build/$arch/init"
    [ -z "$commit" ] || run ! grep -aqF "$commit" "$build/$arch/init"
    [[ $(readelf -lW "$build/$arch/init") != *INTERP* ]]
  done
  run_apart "$build/$(uname -m)/init"
  [ "$status" = 2 ]
  [[ $stderr == *"only a lab starts this program"* ]]
}

@test "installed pages: a relative link leads to an installed file" {
  local links=0 page link docs=$installed/share/doc/worldswitch
  while IFS= read -r page; do
    while IFS= read -r link; do
      [[ $link != *:* ]] || continue
      [ -e "${page%/*}/$link" ] || { echo "$page: $link is not installed"; return 1; }
      links=$((links + 1))
    done < <(grep -oE '\]\([^)# ]+' "$page" | cut -c3-)
  done < <(find "$docs" -name '*.md')
  [ "$links" -gt 50 ]
  # The text of a removed link stays.
  grep -q '`debian-kernels.jsonl` is a history' "$docs/results/README.md"
}

@test "the installed tool runs a lab and explains it, without the tree" {
  local hide
  need_target lab:aarch64-vhe
  # Hides the tree if mounting is allowed and the cache is outside of the tree.
  if unshare -m true 2>/dev/null && [[ $(readlink -f "$(cache_dir)") != "$top"/* && $BATS_TEST_TMPDIR != "$top"/* ]]; then
    hide=(unshare -m sh -ec "mount -t tmpfs none '$top'"$'\n''eval "$0"')
  else
    hide=(sh -ec 'eval "$0"')
  fi
  mkdir elsewhere
  cd elsewhere
  unset BUILD WSBENCH
  ws=$installed/bin/wsbench run_apart "${hide[@]}" '
    "$ws" run --quiet --on lab:aarch64-vhe --bench hypercall -o run.json
    "$ws" explain --quiet --on lab:aarch64-vhe --bench hypercall -o explained.json'
  echo "$stdout$stderr"
  [ "$status" = 0 ]
  holds run.json 'value("hypercall") > 500' 'd["target"]["exact"]'
  [[ $stdout == *__guest_enter* ]]
  [ -s explained.json ]
}

@test "the installed scripts run, and share the cache of the tree" {
  local libexec=$installed/libexec/worldswitch script
  for script in kernel kmod sweep ci/measure ci/bisect ci/series; do
    run_apart "$libexec/$script.sh" --help
    [ "$status" = 0 ]
    [[ $stdout == usage:* ]]
  done
  [ "$("$libexec/kmod.sh" --source)" = "$("$top/scripts/kmod.sh" --source)" ]
  # The installed program finds the installed script.
  refused 2 "take needs --tree and --to" "$installed/bin/wsbench" kernel take --arch x86_64
  # The gate runs the installed program.
  run_apart "$libexec/ci/measure.sh" --kernel /nonexistent -o out
  echo "$stdout$stderr"
  [ "$status" = 2 ] || [ "$status" = 4 ]
  [[ $stderr == *"wsbench: error: lab:x86_64-svm: "* ]]
  [ -f "$(cache_dir)/kernels/aarch64/default/release" ] || skip "no kernel for aarch64 is cached: make kernels"
  [ "$("$libexec/kernel.sh" fetch --quiet --arch aarch64)" = "$(readlink -f "$(cache_dir)")/kernels/aarch64/$(cat "$(cache_dir)/kernels/aarch64/default/release")" ]
}

@test "program and scripts use one cache folder" {
  local kernel
  kernel=$(readlink -f "$(cache_dir)/kernels")
  need_target lab:aarch64-vhe
  mkdir -p home/.cache/worldswitch xdg/worldswitch own
  available() {
    "$wsbench" list targets --json | python3 -c '
import json, sys
print(*[t["available"] for t in json.load(sys.stdin)["targets"] if t["name"] == "lab:aarch64-vhe"])'
  }
  export HOME=$PWD/home
  unset WORLDSWITCH_CACHE XDG_CACHE_HOME
  [ "$(available)" = False ]
  ln -s "$kernel" home/.cache/worldswitch/kernels
  [ "$(available)" = True ]
  [ "$(cache_dir)" = "$PWD/home/.cache/worldswitch" ]
  export XDG_CACHE_HOME=$PWD/xdg
  [ "$(available)" = False ]
  ln -s "$kernel" xdg/worldswitch/kernels
  [ "$(available)" = True ]
  [ "$(cache_dir)" = "$PWD/xdg/worldswitch" ]
  export WORLDSWITCH_CACHE=$PWD/own
  [ "$(available)" = False ]
  ln -s "$kernel" own/kernels
  [ "$(available)" = True ]
  [ "$(cache_dir)" = "$PWD/own" ]
}

@test "make clean removes the build folder, and no cache" {
  export WORLDSWITCH_CACHE=$PWD/kept
  mkdir -p b/obj kept/kernels
  touch b/obj/one b/.libraries kept/kernels/one
  env -u MAKEFLAGS make --no-print-directory -C "$top" B="$PWD/b" clean >/dev/null
  [ -e kept/kernels/one ]
  [ ! -e b ]
}

# A clone of another user: git does not read it ("dubious ownership").
@test "the version without git has no commit" {
  GIT_TEST_ASSUME_DIFFERENT_OWNER=1 make -C "$top" B="$PWD/v" "$PWD/v/version.h"
  grep -qx '#define WS_COMMIT ""' v/version.h
  grep -qx '#define WS_DIRTY 0' v/version.h
  grep -qx '#define WS_VERSION "[0-9.]*"' v/version.h
}

@test "help and version in every form" {
  local word command
  run_apart "$wsbench"
  [ "$status" = 2 ]
  [[ $stderr == Usage:* ]]
  "$wsbench" --help >all
  for word in help -h --help; do
    run_apart "$wsbench" $word
    [ "$status" = 0 ]
    [ "$stdout" = "$(cat all)" ]
  done
  for word in version -V --version; do
    run_apart "$wsbench" $word
    [ "$status" = 0 ]
    [[ $stdout =~ ^wsbench\ [0-9]+\.[0-9]+\.[0-9]+ ]]
  done
  for command in $(commands); do
    grep -q "^  $command " all
    "$wsbench" "$command" --help >one
    [[ $(head -n 1 one) == "Usage: wsbench $command "* ]]
    cmp one <("$wsbench" "$command" -h)
    cmp one <("$wsbench" help "$command")
    # No line is wider than a terminal, except for rows of tables.
    [ -z "$(awk '/^ / && length > 80' one)" ]
  done
  refused 2 "unknown command 'rnu': did you mean 'run'?" "$wsbench" help rnu
}

@test "options are listed in the order of use, and the common ones last" {
  run_apart "$wsbench" run --help
  [ "$(grep -oE '^ +(-o, )?--(on|bench|config|boots|output|quiet)\>' <<<"$stdout" | grep -oE '[a-z]+$' | tr '\n' ' ')" = \
    "on bench config boots output quiet " ]
}

@test "list --names prints one name per line" {
  "$wsbench" list targets --json | python3 -c '
import json, sys
for t in json.load(sys.stdin)["targets"]:
    print(t["name"])' >expected
  cmp expected <("$wsbench" list targets --names)
  "$wsbench" list configs --names | grep -qx pmu-off
  "$wsbench" list benchmarks --names | grep -qx hypercall
  refused 2 "--json and --names" "$wsbench" list --json --names
}

@test "a manual page for each command, with each option of its help" {
  local command page option
  for command in $(commands); do
    page=$build/man/wsbench-$command.1
    [ -s "$page" ]
    for option in $("$wsbench" "$command" --dump-options | sed -n 's/^option\t--\([a-z0-9-]*\).*/\1/p'); do
      grep -q "^\.It .*Fl \\\\-$option\>" "$page"
    done
    grep -q "^\.It Xr wsbench-$command 1" "$build/man/wsbench.1"
  done
  # No page of a removed command is installed.
  [ "$(find "$top/host/man" -name 'wsbench-*.1.in' | wc -l)" = "$(commands | wc -l)" ]
  # Pages contain every verdict of a comparison and every exit code.
  for command in better worse same 'same (placement)' changed inconclusive 'not compared'; do grep -q "^\.It.*$command" "$build/man/wsbench.1"; done
  [ "$(grep -c '^\.It [0-4]$' "$build/man/wsbench.1")" = 5 ]
  # The page contains every variable that the program reads, except HOME and PATH.
  grep -rhoE 'getenv\("[A-Z_]+"\)' "$top/host" --include='*.c' --exclude-dir=tests |
    grep -oE '[A-Z_]{4,}' | sort -u | grep -vx -e HOME -e PATH >variables
  [ -s variables ]
  while IFS= read -r command; do
    grep -q "$command" "$build/man/wsbench.1"
  done <variables
}

@test "manual pages: all siblings, and the exit codes of the command" {
  local command page see
  for command in $(commands); do
    page=$build/man/wsbench-$command.1
    see=$(sed -n '/^.Sh SEE ALSO/,/^.Sh/s/^.Xr wsbench-\([a-z]*\) .*/\1/p' "$page")
    [ "$see" = "$(commands | grep -vx "$command" | sort)" ]
  done
  codes() { sed -n '/^.Sh EXIT STATUS/,/^.El/s/^.It //p' "$build/man/wsbench-$1.1" | tr -d '\n'; }
  [ "$(codes run) $(codes compare) $(codes plot) $(codes selftest)" = '01234 01234 024 0124' ]
}

@test "manual pages: mandoc and groff have no warnings" {
  local page checked=0
  for page in "$build"/man/*.1; do
    if command -v mandoc >/dev/null; then
      mandoc -Tlint -Wstyle "$page" >lint || true
      # The pages that a page refers to are not installed.
      run ! grep -v 'referenced manual not found: Xr wsbench' lint
      checked=1
    fi
    if command -v groff >/dev/null; then
      [ -z "$(groff -mandoc -ww -Tutf8 -z "$page" 2>&1)" ]
      checked=1
    fi
  done
  [ "$checked" = 1 ] || skip "neither mandoc nor groff is installed"
}

# completed LINE: the completions of bash at the end of LINE, separated by blanks.
completed() {
  cat >complete.sh <<'END'
. "$1"
COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
_wsbench
echo "${COMPREPLY[*]}"
END
  PATH=$build:$PATH bash complete.sh "$build/completions/wsbench.bash" "$1"
}

@test "completion: bash" {
  [ "$(completed 'wsbench ru')" = run ]
  [[ $(completed 'wsbench ') == *"compare "*"help version"* ]]
  [ "$(completed 'wsbench help expl')" = explain ]
  [ "$(completed 'wsbench run --eve')" = --events ]
  [[ $(completed 'wsbench compare --') == *--threshold*--help* ]]
  [ "$(completed 'wsbench run --on kv')" = kvm ]
  # Readline replaces only what follows the colon.
  [ "$(completed 'wsbench run --on lab:aarch64-p')" = aarch64-pkvm ]
  [ "$(completed 'wsbench run --on kvm,lab:aarch64-p')" = aarch64-pkvm ]
  [ "$(completed 'wsbench run --config pmu-o')" = pmu-off ]
  [ "$(completed 'wsbench run --bench hypercall,ipi_bus')" = hypercall,ipi_busy ]
  [ "$(completed 'wsbench env res')" = restore ]
  [ "$(completed 'wsbench list t')" = targets ]
  [ "$(completed 'wsbench kernel fe')" = fetch ]
  [ "$(completed 'wsbench kernel fetch --arch aa')" = aarch64 ]
  [ "$(completed 'wsbench export --format otava-')" = "otava-csv otava-json" ]
  [ "$(completed 'wsbench explain --format p')" = pprof ]
  [ "$(completed 'wsbench plot --kind bars,di')" = bars,distribution ]
  [ "$(completed 'wsbench compare --across ma')" = machines ]
  [ "$(completed 'wsbench history check --fail-on ')" = "changed distribution worse?" ]
  # Every format and every picture of the help.
  [ "$(completed 'wsbench export --format ' | wc -w)" = 9 ]
  [ "$(completed 'wsbench plot --kind ' | wc -w)" = 11 ]
  touch a-file.json
  [ "$(completed 'wsbench validate a-f')" = a-file.json ]
  [ "$(completed 'wsbench run --bench null -o a-f')" = a-file.json ]
  # Cached releases, their series, and files.
  export WORLDSWITCH_CACHE=$PWD/cache
  mkdir -p cache/kernels/x86_64/6.1.0-9-cloud-amd64 cache/baselines/main
  touch cache/kernels/x86_64/6.1.0-9-cloud-amd64/vmlinuz 6.1-image
  [ "$(completed 'wsbench run --kernel 6')" = "6.1.0-9-cloud-amd64 6.1 6.1-image" ]
  [ "$(completed 'wsbench compare --base ma')" = main ]
}

# completed_fish LINE: the completions of fish at the end of LINE, separated by blanks.
completed_fish() {
  HOME=$PWD PATH=$build:$PATH fish -c "source '$build/completions/wsbench.fish'; complete -C '$1'" |
    cut -f 1 | paste -sd ' '
}

@test "completion: fish" {
  command -v fish >/dev/null || skip "fish is not installed"
  HOME=$PWD fish -n "$build/completions/wsbench.fish"
  [ "$(completed_fish 'wsbench exp')" = "explain export" ]
  [ "$(completed_fish 'wsbench run --eve')" = --events ]
  [ "$(completed_fish 'wsbench run --on kv')" = kvm ]
  [ "$(completed_fish 'wsbench run --config default,pmu-o')" = default,pmu-off ]
  [ "$(completed_fish 'wsbench env res')" = restore ]
  [ "$(completed_fish 'wsbench export --format otava-')" = "otava-csv otava-json" ]
  [ "$(completed_fish 'wsbench plot --kind bars,di')" = bars,distribution ]
  [ "$(completed_fish 'wsbench compare --across ma')" = machines ]
  touch a-file.json
  [ "$(completed_fish 'wsbench validate a-f')" = a-file.json ]
}

# completed_zsh LINE: LINE after a Tab in an interactive zsh.
completed_zsh() {
  cat >complete.zsh <<'END'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PATH=$1:\$PATH; fpath=($1/completions \$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w shell 'print_line() { print -r -- "$BUFFER" >line.new && mv line.new line }; zle -N print_line'
zpty -w shell "bindkey '^X' print_line; touch ready"
for i in {1..300}; do [[ -e ready ]] && break; sleep 0.1; done
zpty -w -n shell "$2"$'\t\x18'
for i in {1..300}; do [[ -e line ]] && break; sleep 0.1; done
zpty -d shell
cat line
END
  rm -f ready line
  HOME=$PWD zsh -f complete.zsh "$build" "$1"
}

@test "completion: zsh" {
  command -v zsh >/dev/null || skip "zsh is not installed"
  zsh -n "$build/completions/_wsbench"
  [ "$(completed_zsh 'wsbench expo')" = "wsbench export " ]
  [ "$(completed_zsh 'wsbench run --eve')" = "wsbench run --events=" ]
  [ "$(completed_zsh 'wsbench run --on kv')" = "wsbench run --on kvm," ]
  [ "$(completed_zsh 'wsbench run --config default,pmu-o')" = "wsbench run --config default,pmu-off," ]
  [ "$(completed_zsh 'wsbench export --format kci')" = "wsbench export --format kcidb " ]
  [ "$(completed_zsh 'wsbench plot --kind bars,di')" = "wsbench plot --kind bars,distribution," ]
  [ "$(completed_zsh 'wsbench compare --across ma')" = "wsbench compare --across machines," ]
  touch a-file.json
  [ "$(completed_zsh 'wsbench validate a-f')" = "wsbench validate a-file.json " ]
}

@test "make dist: sources with their version, and static programs" {
  [ -e "$top/.git" ] || skip "not a git clone"
  local version
  version=$(sed -n 's/^VERSION := //p' "$top/Makefile")
  in_tree_make dist DIST="$PWD/dist" >log 2>&1
  (cd dist && sha256sum --quiet -c SHA256SUMS)
  tar -xf "dist/worldswitch-$version.tar.xz"
  [ "$(cat "worldswitch-$version/.commit")" = "$(git -C "$top" rev-parse --short=12 HEAD)" ]
  env -u MAKEFLAGS make --no-print-directory -C "worldswitch-$version" B="$PWD/b" "$PWD/b/version.h" >/dev/null
  grep -q "WS_COMMIT \"$(git -C "$top" rev-parse --short=12 HEAD)\"" b/version.h
  grep -q 'WS_DIRTY 0' b/version.h
  [[ $("dist/wsbench-$version-$arch" version) == "wsbench $version"* ]]
  for arch in x86_64 aarch64; do
    readelf -h "dist/wsbench-$version-$arch" | grep -qi "machine:.*${arch/_/-}"
    [[ $(readelf -lW "dist/wsbench-$version-$arch") != *INTERP* ]]
  done
}
