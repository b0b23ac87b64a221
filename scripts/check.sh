#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Static checks of the sources: form, lint, layers, circles, tables, words.
# shellcheck disable=SC2317  # the checks are called by name
set -Eeuo pipefail
trap 'echo "check: line $LINENO: $BASH_COMMAND failed" >&2' ERR

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
jobs=$(nproc)
build=${BUILD:-build}

checks=(format tidy cppcheck shell headers layers circles walls words links catalogue configs reference spdx schema)

usage() {
  cat <<END
usage: scripts/check.sh [CHECK...]

Runs the named checks, or all checks, and prints one line for each, with the findings of a
failed check below it.

  format     clang-format, by .clang-format
  tidy       clang-tidy, by .clang-tidy
  cppcheck   warnings, performance, portability
  shell      shellcheck: all shell and bats files
  headers    each header compiles alone; its include guard is its path
  layers     includes go one way between the folders of host/
  circles    no include circle between files or folders of host/
  walls      only the allowed folders include <linux/kvm.h>, <jansson.h>, <perfmon/> and stdio
  words      no word or pattern that the style avoids; no split format string
  links      the relative links and anchors of the pages (*.md) lead to a file and a heading
  catalogue  each row has a body for each architecture, and each body has a row
  configs    each row has a summary
  reference  the tables of bench/README.md equal those of wsbench list
  spdx       each source begins with the SPDX line
  schema     results/*schema.json are valid draft-07

BUILD is the build folder (default: build), with version.h and, for reference, wsbench.
Exit code: 0 all checks passed; 1 a check failed; 2 bad usage.
END
}

# sources PATTERN...: the files of this tree, without those that git ignores, and without
# the additional files of Bochs, which are C++ in the style of Bochs. A tree without git (a
# release) is searched.
sources() {
  all_sources "$@" | { grep -v '^host/targets/lab/bochs/overlay/' || true; }
}

all_sources() {
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

# The build generates version.h; without a build, a placeholder is enough.
version_flags() {
  if [ ! -f "$build/version.h" ]; then
    mkdir -p "$scratch/include"
    printf '#define WS_VERSION "0"\n#define WS_COMMIT ""\n#define WS_DIRTY 0\n' \
      >"$scratch/include/version.h"
    host_flags+=(-I"$scratch/include")
  fi
}

# arch_flags FILE: compiler flags for payloads and for files of another architecture.
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
  bench/* | guest/* | host/tests/payloads/*) echo -Iguest/x86_64 -Ihost/tests/payloads/x86_64 ;;
  host/*/aarch64/*)
    [ "$(uname -m)" = aarch64 ] || echo -isystem /usr/aarch64-linux-gnu/include -isystem build/sysroot/aarch64/usr/include
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

# tidy_one FILE: runs in a separate shell, for xargs.
tidy_one() {
  # shellcheck disable=SC2046  # words
  clang-tidy --quiet "$1" -- "${host_flags[@]}" $(arch_flags "$1") >"$scratch/tidy" 2>&1 && return
  # One line per finding; `clang-tidy FILE -- FLAGS` also shows the path to it.
  grep -E '^[^ ]+: (error|warning): |^error: ' "$scratch/tidy" | sed "s|^$PWD/||" || cat "$scratch/tidy"
  return 1
}

# Bodies are asm statements, which clang-tidy does not analyse. Here and below, host/kmod is
# excluded: only the kernel's build system has the headers of the kernel.
check_tidy() {
  need clang-tidy || return
  sources '*.c' | grep -v -e '^bench/.*/' -e '^guest/sample.c' -e '^host/kmod/' |
    xargs -r -P "$jobs" -n 1 "$0" --tidy-one
}

check_cppcheck() {
  need cppcheck || return
  # Comparisons of linker script symbols are intended. Tests consist of Criterion's macros. cppcheck
  # takes a register variable for an expression.
  sources '*.c' | grep -v -e '^host/tests/unit_' -e '^host/kmod/' |
    cppcheck --quiet -j "$jobs" --std=c11 --enable=warning,performance,portability \
      --suppress=missingIncludeSystem --suppress=comparePointers \
      --suppress=duplicateAssignExpression --suppress='constStatement:*/fork_server.c' --inline-suppr --error-exitcode=1 \
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
      ! head -c 64 "$f" | tr -d '\0' | head -n 1 | grep -q '^#!.*\(bash\|/sh\)' || echo "$f"
    done
  )
  shellcheck "${files[@]}" || return
  mapfile -t files < <(sources '*.bats')
  # errexit ignores all commands of an && list except the last: the others cannot fail.
  if grep -nE '^[[:space:]]*(\[\[? .* \]\]?|grep -q .*) && (\[|grep)' "${files[@]}" | grep -v '||'; then
    echo "write one assertion per line: only the last assertion of these lines can fail"
    return 1
  fi
  # Excluded: variables that helpers read or that `run` sets, assignments in the subshell of
  # a test, and code that is quoted for another shell.
  [ ${#files[@]} = 0 ] || shellcheck --shell=bats \
    --exclude=SC1091,SC2016,SC2030,SC2031,SC2034,SC2154 "${files[@]}"
}

check_headers() {
  need clang || return
  local f guard bad=0
  while IFS= read -r f; do
    # shellcheck disable=SC2046  # words
    clang -fsyntax-only -x c -Wall -Wextra -Werror -Wno-unused-function -Wno-unused-const-variable \
      "${host_flags[@]}" $(arch_flags "$f") "$f" 2>&1 || bad=1
  done < <(sources '*.h' | grep -v -e '^bench/body.h$' -e '^host/kmod/[^w]')
  while IFS= read -r f; do
    guard=${f#host/} guard=${guard%.h}
    guard=$(tr -c 'A-Z0-9\n' _ <<<"WS_${guard^^}_H")
    grep -qx "#ifndef $guard" "$f" && grep -qx "#define $guard" "$f" && continue
    echo "$f: the include guard is not $guard"
    bad=1
  done < <(sources '*.h')
  # The including file defines the functions that body.h declares.
  # shellcheck disable=SC2046  # words
  clang -fsyntax-only -x c "${host_flags[@]}" $(arch_flags bench/body.h) -Wno-undefined-internal bench/body.h 2>&1 || bad=1
  return "$bad"
}

# includes: prints "FILE INCLUDED" for each include of an own header.
includes() {
  sources '*.c' '*.h' | xargs grep -HoE '^[[:space:]]*#[[:space:]]*include "[^"]+"' |
    sed -E 's/:[[:space:]]*#[[:space:]]*include "/ /; s/"$//'
}

# A folder includes headers of folders of a lower rank and its own headers.
check_layers() {
  includes | awk '
    BEGIN {
      rank["bench"] = 0; rank["lib"] = 0; rank["vmm"] = 1; rank["stats"] = 1
      rank["result"] = 2; rank["targets"] = 3; rank["selftest"] = 4; rank["env"] = 4
      rank["measure"] = 5; rank["compare"] = 5; rank["budget"] = 5; rank["history"] = 6; rank["explain"] = 6
      rank["agent"] = 7; rank["report"] = 7; rank["cli"] = 8
      # Includes that the ranks allow and the design does not.
      never["stats vmm"]; never["stats bench"]; never["result vmm"]
      never["compare vmm"]; never["compare targets"]; never["history vmm"]; never["report vmm"]
      never["budget vmm"]; never["budget targets"]
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
      if (to == "guest") { wrong("host code does not include guest code"); next }
      if (!(to in rank)) next
      if ((from " " to) in never) { wrong(from " must not depend on " to); next }
      if (rank[to] >= rank[from]) wrong(from " does not rank above " to)
    }
    END { exit bad }'
}

# A .c file and the .h file of the same name are one module; the folders x86_64/, aarch64/
# and bochs/ (a library of its own) belong to their parent folder. The tests and the kernel
# module are not part of the program.
check_circles() {
  includes | grep -vE '^host/(tests|kmod)/' | python3 -c '
import os, re, sys

def module(path):
    return os.path.splitext(path)[0]

def folder(path):
    return re.sub(r"/(x86_64|aarch64|bochs)$", "", os.path.dirname(path))

def reachable(graph, start):
    todo, seen = [start], set()
    while todo:
        for node in graph.get(todo.pop(), ()):
            if node not in seen:
                seen.add(node)
                todo.append(node)
    return seen

def circles(edges):
    graph = {}
    for a, b in edges:
        graph.setdefault(a, set()).add(b)
    reach = {node: reachable(graph, node) for node in graph}
    found = {tuple(sorted(n for n in reach[node] if node in reach.get(n, ())))
             for node in graph if node in reach[node]}
    return sorted(found)

includes = []
for line in sys.stdin:
    source, header = line.split()
    if not os.path.exists(header):
        header = os.path.normpath(os.path.join(os.path.dirname(source), header))
    if source.startswith("host/") and header.startswith("host/"):
        includes.append((source, header))

bad = 0
for kind, name in (("files", module), ("folders", folder)):
    edges = {}
    for source, header in includes:
        if name(source) != name(header):
            edges.setdefault((name(source), name(header)), (source, header))
    for circle in circles(edges):
        bad = 1
        print("circle of %s: %s" % (kind, " ".join(circle)))
        for (a, b), (source, header) in sorted(edges.items()):
            if a in circle and b in circle:
                print("  %s: includes %s" % (source, header))
sys.exit(bad)'
}

# only_in WHAT REGEX WHERE: only files that match WHERE include headers that match REGEX.
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
  only_in 'only host/vmm and host/kmod include it' '<(linux|asm)/kvm' '^host/(vmm|kmod)/' || bad=1
  only_in 'only the codecs of documents and formats include it' '<jansson' '^host/(result|history)/|^host/explain/format_json.c' || bad=1
  only_in 'host/stats does no I/O' '<(stdio|unistd|fcntl|sys/)' '^(bench|guest|host/([a-rt-z]|selftest))' || bad=1
  found=$(sources '*.c' '*.h' | xargs grep -lE '^#include <perfmon/' || true)
  if [ "$(grep -c . <<<"$found")" -gt 1 ]; then
    printf 'only one file may include <perfmon/>; these do:\n%s\n' "$found"
    bad=1
  fi
  # Guest and host compile bench/, which includes headers of neither. Timed bodies are guest
  # code, and may include the devices and the clock of the guest.
  found=$(sources 'bench/*.c' 'bench/*.h' | xargs grep -HnE '^[[:space:]]*#[[:space:]]*include' |
    grep -vE 'include (<(stdint|stddef|stdbool)\.h>|"bench/[^"]+")' |
    grep -vE '^bench/(x86_64|aarch64)/[^:]*:[0-9]+:#include "guest/' |
    grep -vE '^bench/body\.h:[0-9]+:#include "(clock|machine|pmc|guest/runtime)\.h"' || true)
  if [ -n "$found" ]; then
    printf '%s\n' "$found" | sed 's|$|: bench/ includes nothing but the headers of the language and bench/|'
    bad=1
  fi
  # The guest architecture is a value; the linker chooses the files of the host architecture.
  found=$(sources 'host/*.c' 'host/*.h' | grep -vE '^host/(tests/payloads|vmm/(x86_64|aarch64))/' |
    xargs grep -HnE '^[[:space:]]*#[[:space:]]*(if|elif).*__(x86_64|aarch64)__' |
    # target.h defines the architecture of this program as a value.
    grep -v '^host/targets/target.h:' || true)
  if [ -n "$found" ]; then
    printf '%s\n' "$found" | sed 's|$|: no architecture conditions in generic code|'
    bad=1
  fi
  return "$bad"
}

# Words and patterns to avoid: a name and a Python regular expression. The case of letters
# does not matter, and an underscore matches as a blank. "what is" is a hit only at the start
# of a comment or sentence.
words_avoided='
whoever          \bwhoever\b
somebody         \bsomebody\b
nobody           \bnobody\b
anybody          \b(?:any|every)body\b
likewise         \blikewise\b
the former       \bthe former\b
the latter       \bthe latter\b
that which       \bthat which\b
told             \btold\b
stands           \bstands\b
takes part       \btakes? part\b
dearer           \bdearer\b
to be had        \bto be had\b
what is          (?:/\*|^\s*\*|^\s*#|//|\.\s)\s*what (?:is|was|are|were)\b(?!.*\?)
is no            (?<!there )\b(?:is|are) no (?!longer\b|more than\b)
'
# "FILE WORD: REASON"; FILE is a shell pattern.
words_exceptions='
scripts/check.sh *: this table
host/tests/ci.bats nobody: the Unix user
host/tests/unit_lab_session.c split format string: a shell script
'

# Messages are greppable: a format string must not continue in a second literal on the next
# line. Literals that end with \n or \t, such as help texts and asm statements, may.
check_words() {
  sources '*.c' '*.h' '*.S' '*.def' '*.sh' '*.bash' '*.bats' '*.md' Makefile .ci/run host/tests/run |
    grep -v '^host/tests/data/' |
    python3 -c '
import fnmatch, re, sys

avoided = [(name, re.compile(regex, re.IGNORECASE)) for name, regex in
           (re.split(r"\s{2,}", line, maxsplit=1) for line in sys.argv[1].strip().split("\n"))]
exceptions = [re.split(r"[ :]", line.split(": ")[0], maxsplit=1) for line in sys.argv[2].strip().split("\n")]
conversion = re.compile(r"%[-+#0]*[0-9*]*(?:\.[0-9*]+)?(?:hh?|ll?|z|j|t)?[diouxXcsfFeEgGpm]")

def excepted(path, name):
    return any(fnmatch.fnmatch(path, e[0]) and e[1] in ("*", name) for e in exceptions)

bad = 0
def report(path, number, name, text):
    global bad
    if not excepted(path, name):
        bad = 1
        print("%s:%d: %s: %s" % (path, number, name, text.strip()))

for path in sys.stdin.read().split("\n"):
    if not path:
        continue
    with open(path, encoding="utf-8", errors="replace") as f:
        lines = f.read().split("\n")
    for number, line in enumerate(lines, 1):
        text = line.replace("_", " ")
        for name, regex in avoided:
            if regex.search(text):
                report(path, number, name, line)
        if path.endswith((".c", ".h")) and number < len(lines):
            after = lines[number]
            if (re.search(r"[^\\]\"$", line) and not re.search(r"\\[nt]\"$", line) and
                    re.match(r"\s*\"", after) and conversion.search(line + after)):
                report(path, number, "split format string", line)
sys.exit(bad)' "$words_avoided" "$words_exceptions"
}

# An anchor is that of a heading, as GitHub makes it. Code blocks and code spans hold no
# links.
check_links() {
  sources '*.md' | grep -v '^host/tests/data/' | python3 -c '
import os, re, sys

def prose(path):
    """The lines outside of code blocks, with their numbers; code spans are empty."""
    fenced, before = False, ""
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if line.startswith("```"):
                fenced = not fenced
            elif not fenced and not (line.startswith("    ") and not before.strip()):
                yield number, line
                before = line

def anchors(path):
    found = {}
    for _, line in prose(path):
        if not re.match(r"#{1,6} ", line):
            continue
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", line.lstrip("#").strip()).lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        n = found[slug] = found.get(slug, -1) + 1
        yield slug + ("-%d" % n if n else "")

bad = links = 0
for path in sys.stdin.read().split():
    for number, line in prose(path):
        for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"\x60[^\x60]*\x60", "", line)):
            if re.match(r"[a-z]+:", link):
                continue
            links += 1
            file, _, anchor = link.partition("#")
            target = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
            if not os.path.exists(target):
                bad = 1
                print("%s:%d: %s: no such file" % (path, number, link))
            elif anchor and anchor not in anchors(target):
                bad = 1
                print("%s:%d: %s: no such heading" % (path, number, link))
if not links:
    bad = 1
    print("no page has a link")
sys.exit(bad)'
}

# rows FILE MACRO: the preprocessed arguments of each row.
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
      host_timed = $0 ~ /TIMED_BY_HOST/
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
    # The last argument is the summary.
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
  # What becomes a part of Bochs has its licence.
  while IFS= read -r f; do
    if ! head -n 3 "$f" | grep -qF 'SPDX-License-Identifier: LGPL-2.1-or-later'; then
      echo "$f: does not begin with the licence of Bochs"
      bad=1
    fi
  done < <(all_sources 'host/targets/lab/bochs/overlay/*' 'host/targets/lab/bochs/*.patch')
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
        sys.exit(f"{path}: $schema is not draft-07")
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
  if [ "${1:-}" = --sources ]; then # for make format
    sources "${@:2}"
    exit 0
  fi
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
