#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Form, lint, layers and tables: what can be said about the source without running it.
# shellcheck disable=SC2317  # the checks are called by their names
set -Eeuo pipefail
trap 'echo "check: line $LINENO: $BASH_COMMAND failed" >&2' ERR

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
jobs=$(nproc)
build=${BUILD:-build}

checks=(format tidy cppcheck shell headers layers walls catalogue configs reference spdx schema)

usage() {
  cat <<END
usage: scripts/check.sh [CHECK...]

Prints a line for each check, and what is wrong below it.

  format     clang-format: .clang-format decides
  tidy       clang-tidy: .clang-tidy says which mistakes
  cppcheck   warnings, performance, portability
  shell      shellcheck: all shell and bats files
  headers    each header compiles alone
  layers     includes go one way between the folders of host/
  walls      <linux/kvm.h>, <jansson.h>, <perfmon/>, stdio and bench/ stay where they belong
  catalogue  a body for each row and architecture, a row for each body
  configs    each row has an apply function and a summary
  reference  the tables of bench/README.md are those of wsbench list
  spdx       each source begins with its licence
  schema     results/*schema.json are valid draft-07

BUILD is the build folder (default: build): version.h and, for reference, wsbench.
Exit code: 0 all is well; 1 something is not; 2 bad usage.
END
}

# sources PATTERN...: files of this tree, those that git ignores left out. A clone
# without git (a release) is searched instead.
sources() {
  if git rev-parse --git-dir >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard -- "$@" | sort -u |
      while IFS= read -r f; do [ ! -f "$f" ] || echo "$f"; done
  else
    local pattern names=()
    for pattern; do
      names+=(-o -path "./$pattern")
    done
    find . \( -path ./build -o -path ./results/runs \) -prune -o -type f \( "${names[@]:1}" \) -print |
      sed 's|^\./||' | sort
  fi
}

need() {
  command -v "$1" >/dev/null && return
  echo "$1 is not installed: scripts/setup.sh lint"
  return 1
}

host_flags=(-std=gnu11 -D_GNU_SOURCE -I. -I"$build")

# version.h is made by the build; without one, any will do.
version_flags() {
  if [ ! -f "$build/version.h" ]; then
    mkdir -p "$scratch/include"
    printf '#define WS_VERSION "0"\n#define WS_COMMIT ""\n#define WS_DIRTY 0\n' \
      >"$scratch/include/version.h"
    host_flags+=(-I"$scratch/include")
  fi
}

# arch_flags FILE: what the compiler needs for a file of an architecture that is not
# this machine's, a payload's among them.
arch_flags() {
  case $1 in
  */aarch64/*) echo --target=aarch64-linux-gnu ;;
  */x86_64/*) echo --target=x86_64-linux-gnu ;;
  esac
  case $1 in
  bench/* | guest/* | host/tests/payloads/*) echo -ffreestanding -mgeneral-regs-only ;;
  esac
  case $1 in
  bench/aarch64/* | guest/aarch64/* | host/tests/payloads/aarch64/*) echo -Iguest/aarch64 ;;
  bench/* | guest/* | host/tests/payloads/*) echo -Iguest/x86_64 ;;
  host/*/aarch64/*)
    [ "$(uname -m)" = aarch64 ] || echo -isystem /usr/aarch64-linux-gnu/include
    ;;
  host/*/x86_64/*)
    [ "$(uname -m)" = x86_64 ] || echo -isystem /usr/x86_64-linux-gnu/include
    ;;
  esac
}

check_format() {
  need clang-format || return
  sources '*.c' '*.h' | xargs -r -P "$jobs" -n 8 clang-format --dry-run -Werror 2>&1
}

# tidy_one FILE: in a shell of its own, for xargs.
tidy_one() {
  # shellcheck disable=SC2046  # words
  clang-tidy --quiet "$1" -- "${host_flags[@]}" $(arch_flags "$1") >"$scratch/tidy" 2>&1 && return
  # One line each; `clang-tidy FILE -- FLAGS` shows the paths that lead there.
  grep -E '^[^ ]+: (error|warning): |^error: ' "$scratch/tidy" | sed "s|^$PWD/||" || cat "$scratch/tidy"
  return 1
}

# Bodies are one asm statement each, which says nothing to clang-tidy. Here and below,
# the kernel's part is the kernel's build system's: nobody else has its headers.
check_tidy() {
  need clang-tidy || return
  sources '*.c' | grep -v -e '^bench/.*/' -e '^guest/sample.c' -e '^host/kmod/' |
    xargs -r -P "$jobs" -n 1 "$0" --tidy-one
}

check_cppcheck() {
  need cppcheck || return
  # Symbols of linker scripts are compared on purpose. Tests are Criterion's macros.
  sources '*.c' | grep -v -e '^host/tests/unit_' -e '^host/kmod/' |
    cppcheck --quiet -j "$jobs" --std=c11 --enable=warning,performance,portability \
      --suppress=missingIncludeSystem --suppress=comparePointers \
      --suppress=duplicateAssignExpression --inline-suppr --error-exitcode=1 \
      -D_GNU_SOURCE -D__x86_64__ -I. -Iguest/x86_64 -I"$build" --file-list=- 2>&1
}

check_shell() {
  need shellcheck || return
  local files
  mapfile -t files < <(
    sources '*.sh' '*.bash'
    sources '*' | while IFS= read -r f; do
      case $f in
      *.sh | *.bash | *.bats) continue ;;
      esac
      # Binary files have no first line worth the name.
      ! head -c 64 "$f" | tr -d '\0' | head -n 1 | grep -q '^#!.*\(bash\|/sh\)' || echo "$f"
    done
  )
  shellcheck "${files[@]}" || return
  mapfile -t files < <(sources '*.bats')
  # errexit ignores all but the last command of an && list: such an assertion cannot fail.
  if grep -nE '^[[:space:]]*(\[\[? .* \]\]?|grep -q .*) && (\[|grep)' "${files[@]}" | grep -v '||'; then
    echo "an assertion per line: only the last one of these can fail"
    return 1
  fi
  # Each test runs in a subshell, variables are for helpers to see, `run` sets what
  # the tests look at, and what is for another shell is quoted.
  [ ${#files[@]} = 0 ] || shellcheck --shell=bats \
    --exclude=SC1091,SC2016,SC2030,SC2031,SC2034,SC2154 "${files[@]}"
}

check_headers() {
  need clang || return
  local f bad=0
  while IFS= read -r f; do
    # shellcheck disable=SC2046  # words
    clang -fsyntax-only -x c -Wall -Wextra -Werror -Wno-unused-function -Wno-unused-const-variable \
      "${host_flags[@]}" $(arch_flags "$f") "$f" 2>&1 || bad=1
  done < <(sources '*.h' | grep -v -e '^bench/body.h$' -e '^host/kmod/[^w]')
  # Its functions are the including file's to define.
  clang -fsyntax-only -x c "${host_flags[@]}" -Wno-undefined-internal bench/body.h 2>&1 || bad=1
  return "$bad"
}

# includes: "FILE INCLUDED" for all includes of our own files.
includes() {
  sources '*.c' '*.h' | xargs grep -HoE '^[[:space:]]*#[[:space:]]*include "[^"]+"' |
    sed -E 's/:[[:space:]]*#[[:space:]]*include "/ /; s/"$//'
}

# A folder includes from folders of a lower rank and from itself.
check_layers() {
  includes | awk '
    BEGIN {
      rank["bench"] = 0; rank["lib"] = 0; rank["vmm"] = 1; rank["stats"] = 1
      rank["result"] = 2; rank["targets"] = 3; rank["selftest"] = 4; rank["env"] = 4
      rank["measure"] = 5; rank["compare"] = 5; rank["history"] = 6; rank["explain"] = 6
      rank["report"] = 7; rank["cli"] = 8
      # Pure functions: nothing below them but the language.
      never["stats vmm"]; never["stats bench"]; never["result vmm"]
      never["compare vmm"]; never["compare targets"]; never["history vmm"]; never["report vmm"]
    }
    function folder(path,  part) {
      split(path, part, "/")
      return part[1] == "host" ? part[2] : part[1]
    }
    function wrong(why) { print $1 ": includes " $2 ": " why; bad = 1 }
    {
      from = folder($1); to = folder($2)
      if ($1 ~ /^host\/tests\// || $1 ~ /^guest\// || !(from in rank) || from == to || from == "bench")
        next
      if (to == "guest") { wrong("the guest is not part of the host"); next }
      if (!(to in rank)) next
      if ((from " " to) in never) { wrong(from " knows nothing of " to); next }
      if (rank[to] >= rank[from]) wrong(from " is not above " to)
    }
    END { exit bad }'
}

# only_in WHAT REGEX WHERE...: an include that stays in the files that match WHERE.
only_in() {
  local what=$1 regex=$2 where=$3 found
  found=$(sources '*.c' '*.h' | grep -v '^host/tests/' | grep -Ev "$where" |
    xargs grep -HnE "^[[:space:]]*#[[:space:]]*include $regex" || true)
  [ -n "$found" ] || return 0
  printf '%s\n' "$found" | sed "s|\$|: $what|"
  return 1
}

check_walls() {
  local bad=0 found
  only_in 'is for host/vmm and host/kmod' '<(linux|asm)/kvm' '^host/(vmm|kmod)/' || bad=1
  only_in 'is for the codecs of documents' '<jansson' '^host/(result|history|explain)/' || bad=1
  only_in 'host/stats does no I/O' '<(stdio|unistd|fcntl|sys/)' '^(bench|guest|host/([a-rt-z]|selftest))' || bad=1
  found=$(sources '*.c' '*.h' | xargs grep -lE '^#include <perfmon/' || true)
  if [ "$(grep -c . <<<"$found")" -gt 1 ]; then
    printf '<perfmon/> is for one file, not for these:\n%s\n' "$found"
    bad=1
  fi
  # bench/ is compiled by the guest and the host, and needs nothing of either; but a
  # timed body is guest code, and may use the devices and the clock of its machine.
  found=$(sources 'bench/*.c' 'bench/*.h' | xargs grep -HnE '^[[:space:]]*#[[:space:]]*include' |
    grep -vE 'include (<(stdint|stddef|stdbool)\.h>|"bench/[^"]+")' |
    grep -vE '^bench/(x86_64|aarch64)/[^:]*:[0-9]+:#include "guest/' |
    grep -vE '^bench/body\.h:[0-9]+:#include "(clock|machine|pmc|guest/runtime)\.h"' || true)
  if [ -n "$found" ]; then
    printf '%s\n' "$found" | sed 's|$|: bench/ includes nothing but the headers of the language and bench/|'
    bad=1
  fi
  # Guest architecture is a value, and the linker chooses the host's.
  found=$(sources 'host/*.c' 'host/*.h' | grep -vE '^host/(tests/payloads|vmm/(x86_64|aarch64))/' |
    xargs grep -HnE '^[[:space:]]*#[[:space:]]*(if|elif).*__(x86_64|aarch64)__' |
    # Which of the two this program was built for: one value, in one place.
    grep -v '^host/targets/target.c:' || true)
  if [ -n "$found" ]; then
    printf '%s\n' "$found" | sed 's|$|: no architecture conditions in generic code|'
    bad=1
  fi
  return "$bad"
}

# rows FILE MACRO: the arguments of each row, as the preprocessor sees them.
rows() {
  printf '#define %s(...) @ __VA_ARGS__\n#include "%s"\n' "$2" "$1" |
    "${CC:-cc}" -E -P -I. -x c - | tr '\n' ' ' | sed 's/@/\n/g' | sed 's/^ *//' | grep .
}

check_catalogue() {
  rows bench/catalogue.def BENCH >"$scratch/rows"
  # The build's own list: ARCH/ROW:PAGE for each BODY_ROW() on the pages of bodies.
  make -s --no-print-directory bodies | tr : ' ' >"$scratch/bodies"
  awk '
    function archs(words) {
      return (words ~ /ARCHS_(ALL|X86_64)/ ? " x86_64" : "") (words ~ /ARCHS_(ALL|AARCH64)/ ? " aarch64" : "")
    }
    function wrong(why) { print why; bad = 1 }
    NR == FNR {
      if ($1 in page) wrong("a second body of " $1 ": " page[$1] " and " $2)
      page[$1] = $2
      next
    }
    {
      rows++
      split($0, field, / *, */)
      row = field[1]
      if (row in seen) wrong("bench/catalogue.def: a second row " row)
      seen[row] = 1
      if ($0 !~ /"[^"]+"/) wrong("bench/catalogue.def: " row " has no summary")
      n = split(archs(field[3]), a, " ")
      if (!n) wrong("bench/catalogue.def: " row " has no architecture")
      # Rows that the host times share a payload of guest/.
      host_timed = $0 ~ /NEEDS_DRIVER/
      for (i = 1; i <= n; i++) {
        body = a[i] "/" ($0 ~ /NEEDS_OPERAND/ ? field[2] : row)
        if (!host_timed && !(body in page)) wrong("bench/" a[i] ": no body for the row " row)
        has[body] = !host_timed
      }
    }
    END {
      for (body in page)
        if (!has[body]) wrong(page[body] ": no row of bench/catalogue.def for the body " body)
      if (!rows) wrong("bench/catalogue.def: no rows")
      exit bad
    }' "$scratch/bodies" "$scratch/rows"
}

check_configs() {
  local row id bad=0 n=0
  while IFS= read -r row; do
    n=$((n + 1))
    id=${row%%[ ,]*}
    # Its last argument is the summary.
    if [[ ! $row =~ \"[^\"]{10,}\"[\ \)]*$ ]]; then
      echo "bench/configs.def: $id has no summary"
      bad=1
    fi
  done < <(rows bench/configs.def CONFIG)
  [ "$n" -gt 0 ] && [ "$bad" = 0 ]
}

check_reference() {
  if [ ! -x "$build/wsbench" ]; then
    echo "$build/wsbench is not built: make"
    return 1
  fi
  scripts/reference.sh --check "$build/wsbench" bench/README.md
}

check_spdx() {
  local f bad=0 want
  while IFS= read -r f; do
    case $f in
    *.[chS] | *.def | *.lds) want='/* SPDX-License-Identifier: GPL-2.0-or-later */' ;;
    *) want='# SPDX-License-Identifier: GPL-2.0-or-later' ;;
    esac
    if ! head -n 3 "$f" | grep -qxF -- "$want"; then
      echo "$f: does not begin with $want"
      bad=1
    fi
  done < <(sources '*.c' '*.h' '*.S' '*.def' '*.lds' '*.sh' '*.bash' '*.bats' '*.py' Makefile .ci/run host/tests/run)
  return "$bad"
}

check_schema() {
  python3 - results/schema.json results/explanation.schema.json <<'END'
import json, sys
try:
    import jsonschema
except ImportError:
    sys.exit("python3-jsonschema is not installed: scripts/setup.sh")
for path in sys.argv[1:]:
    with open(path) as f:
        schema = json.load(f)
    if schema.get("$schema") != "http://json-schema.org/draft-07/schema#":
        sys.exit(f"{path} does not say that it is draft-07")
    jsonschema.Draft7Validator.check_schema(schema)
END
}

main() {
  local failed=0 name known=" ${checks[*]} "
  if [ "${1:-}" = --help ]; then
    usage
    exit 0
  fi
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  version_flags
  if [ "${1:-}" = --tidy-one ]; then
    tidy_one "$2" || exit 1
    exit 0
  fi
  for name; do
    if [[ $known != *" $name "* ]]; then
      echo "check: no check \"$name\"; see --help" >&2
      exit 2
    fi
  done
  [ $# -gt 0 ] || set -- "${checks[@]}"
  for name; do
    if (trap - ERR; "check_$name") >"$scratch/out" 2>&1; then
      printf '%-10s ok\n' "$name"
    else
      printf '%-10s FAILED\n' "$name"
      sed 's/^/    /' "$scratch/out"
      failed=1
    fi
  done
  exit $failed
}

main "$@"
