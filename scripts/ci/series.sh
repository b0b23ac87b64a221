#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What each commit of a kernel series costs: builds, boots and measures commit by commit.
set -Eeuo pipefail
trap 'echo "series: line $LINENO: $BASH_COMMAND failed" >&2; exit 4' ERR

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=/dev/null
. "$(dirname "$here")/places.sh"
# shellcheck source=/dev/null
. "$(dirname "$here")/rows.sh"
# shellcheck source=/dev/null
. "$(dirname "$here")/kernel-build.sh"
wsbench=$(wsbench_path)

usage() {
  cat <<END
usage: series.sh BASE..HEAD -o DIR [option...] [-- PATH...]

In the git tree of a kernel: builds BASE and each commit up to HEAD, boots the kernels in
labs, measures them, and prints a table for each lab: the commits, the difference that each
makes to a benchmark, and the functions behind it. Commits are those of the first parents
(git log --first-parent) that touch a PATH. The branch is checked out again at the end.

  -o DIR              documents, kernels and logs. Commits that DIR has are not measured
                      again: after an interruption, or with more commits or labs, run the
                      command again
  --on TARGET,...     labs of one architecture (default: lab:x86_64-svm)
  --bench GLOB,...    default: core
  --config NAME,...   counter configs, as for wsbench run
  --build-dir BUILD   folder of the build (make O=BUILD; default: the tree). It has a
                      .config, for example that of wsbench kernel config
  --build COMMAND     shell command that builds the kernel, instead of make and take;
  --kernel IMAGE      the image that it makes, with KVM's modules in "modules" beside it
  --modules-only RELEASE  x86_64: keep the image of this kernel of Debian (as for wsbench
                      kernel fetch --release), and build only KVM's modules, with its
                      configuration and exported symbols. The tree must be its source
  --headers DIR       with --modules-only: a build tree of the kernel, such as
                      /usr/src/linux-headers-RELEASE (default: Debian's, downloaded)
  --explain-rows N    explain at most N differences of each commit and lab, the largest
                      first (default: 1; a row takes two boots; 0: none)
  --retry             build and measure again what failed
  --markdown          print Markdown

Exit code: 0 all commits were measured; 2 bad usage; 4 a commit does not build or boot.
END
}

die() {
  local code=$1
  shift
  echo "series: $*" >&2
  exit "$code"
}

say() {
  echo "series: $*" >&2
}

# child COMMAND...: runs a command that ends, with all that it started, when this script is
# interrupted. Its output goes to $log, or stdout to $into.
child_pid=''
child() {
  local code=0
  set -m
  "$@" </dev/null >>"${into:-$log}" 2>>"$log" &
  child_pid=$!
  set +m
  wait "$child_pid" || code=$?
  child_pid=''
  return "$code"
}

# restore: what was checked out, and the configuration.
# shellcheck disable=SC2317  # the trap calls it
restore() {
  local code=$?
  trap '' INT TERM
  if [ -n "$child_pid" ]; then
    kill -TERM -- "-$child_pid" 2>/dev/null || true
    wait "$child_pid" 2>/dev/null || true
  fi
  if [ "$(git rev-parse -q HEAD)" != "$(git rev-parse -q "$start^{commit}")" ] || [ "$on_branch" != "$(git symbolic-ref -q HEAD || true)" ]; then
    if ! git checkout -q "$start"; then
      say "$start could not be checked out again (git checkout $start)"
      code=$((code == 0 ? 4 : code))
    fi
  fi
  [ ! -f "$dir/config" ] || cmp -s "$dir/config" "$build_dir/.config" || cp "$dir/config" "$build_dir/.config"
  exit "$code"
}

# reason: the first error in the log of the last command.
reason() {
  local text
  text=$(first_error)
  echo "${text:-failed without a message}"
}

first_error() {
  { grep -m 1 -E '^wsbench: error: ' "$log" || grep -m 1 -E '(error|ERROR|\*\*\*)[: ]' "$log" || tail -n 1 "$log"; } |
    sed 's/^\(wsbench: \)\{0,1\}error: //' | cut -c 1-160
}

target_dir() {
  echo "$dir/${1//:/-}"
}

# outside COMMIT: the first file in which the commit differs from the base and that is part
# of the image, not of KVM's modules alone.
outside() {
  git diff --name-only "$base" "$1" -- | grep -vE \
    '^(arch/x86/kvm/|virt/kvm/|arch/x86/include/(uapi/)?asm/kvm|include/(uapi/)?linux/kvm|include/trace/events/kvm|arch/(arm64|loongarch|mips|powerpc|riscv|s390)/|Documentation/|tools/|MAINTAINERS)' | head -n 1
}

# build COMMIT: makes DIR/kernels/COMMIT: vmlinuz and modules. Fails with $log.
build() {
  local to=$dir/kernels/$1 kernel_make what
  rm -rf "$to.new"
  if [ -n "$release" ]; then
    what=$([ "$1" = "$base" ] || outside "$1")
    if [ -n "$what" ]; then
      echo "error: changes $what, which is part of the image" >>"$log"
      return 1
    fi
    modules_build "$1" "$to.new" || return
  elif [ -n "$command" ]; then
    child bash -c "$command" || return
    [ -f "$kernel" ] || { echo "error: the build did not make $kernel" >>"$log" && return 1; }
    mkdir -p "$to.new" && cp "$kernel" "$to.new/vmlinuz" || return
    [ ! -d "$(dirname "$kernel")/modules" ] || cp -r "$(dirname "$kernel")/modules" "$to.new/" || return
  else
    # Each commit has the configuration of the series, completed by its own defaults.
    cmp -s "$dir/config" "$build_dir/.config" || cp "$dir/config" "$build_dir/.config" || return
    kernel_make "$arch" . "$build_dir"
    child "${kernel_make[@]}" -s olddefconfig || return
    # shellcheck disable=SC2046  # words
    child "${kernel_make[@]}" -s "-j$(nproc)" $(kernel_targets "$arch") || return
    child "$here/../kernel.sh" take --arch "$arch" --tree "$build_dir" --to "$to.new" || return
  fi
  mv "$to.new" "$to"
}

# modules_open: for --modules-only: the kernel, a copy of its build tree, and a work tree for
# the sources that KVM's modules are made of.
modules_open() {
  local version tree headers_tree=''
  shipped=$("$here/../kernel.sh" fetch --quiet --arch "$arch" --release "$release") || exit
  release=$(<"$shipped/release")
  [ -f "$shipped/modules/kvm.ko" ] || die 2 "$release: KVM is part of the image"
  version=$(sed -n 's/^[^ ]* \([0-9.]*\).*/\1/p' "$shipped/package" 2>/dev/null || true)
  tree=$(git show "$base:Makefile" | awk -F ' *= *' '/^(VERSION|PATCHLEVEL|SUBLEVEL) =/ { v = v "." $2 } END { print substr(v, 2) }')
  [ -z "$version" ] || [ "$version" = "$tree" ] ||
    die 2 "$release is built from Linux $version, and the tree is Linux $tree"
  # shellcheck source=/dev/null
  . "$here/../headers.sh"
  if [ -z "$headers" ]; then
    headers_fetch "$arch" "$release"
    headers=$headers_tree
  fi
  [ -f "$headers/Module.symvers" ] || die 2 "$headers has no Module.symvers: not a build tree"
  if [ ! -f "$dir/headers/Module.symvers" ]; then
    rm -rf "$dir/headers.new"
    cp -rL "$headers" "$dir/headers.new"
    # Only for BTF, which the tools of other machines cannot read.
    rm -f "$dir/headers.new/vmlinux" "$dir/headers.new/.kernelvariables"
    mv "$dir/headers.new" "$dir/headers"
  fi
}

# modules_build COMMIT FOLDER: builds KVM's modules of a commit in a work tree of their own,
# and puts them beside the image of the distribution.
modules_build() {
  local module kernel_make cc sources=$dir/sources
  mkdir -p "$sources"
  # With an index of its own, git writes only what differs between two commits.
  GIT_INDEX_FILE=$dir/index git --work-tree="$sources" checkout -q -f --no-overlay "$1" -- \
    Makefile scripts include arch/x86 virt >>"$log" 2>&1 || return
  kernel_make "$arch" "$sources" "$dir/headers"
  cc=$(headers_cc "$dir/headers" gcc "$dir/gcc")
  child "${kernel_make[@]}" -s "-j$(nproc)" CC="$cc" "M=$sources/arch/x86/kvm" modules || return
  mkdir -p "$2" && cp -rL "$shipped"/{vmlinuz,release,modules} "$2/" || return
  for module in kvm kvm-amd kvm-intel; do
    rm -f "$2/modules/$module.ko"
    strip --strip-debug -o "$2/modules/$module.ko" "$sources/arch/x86/kvm/$module.ko" 2>>"$log" || return
  done
}

# measure COMMIT TARGET TITLE: makes the document; fails with $log, and a word in $failed, if
# no row has a figure.
measure() {
  local file
  file=$(target_dir "$2")/$1.json
  rm -f "$file.new"
  child "$wsbench" run --quiet --on "$2" --bench "$bench" ${config:+--config "$config"} \
    --kernel "$dir/kernels/$1/vmlinuz" --commit "$1" --label "$3" -o "$file.new" || true
  failed='does not boot'
  [ -s "$file.new" ] || return
  failed='not measured'
  python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
ok = [b for b in d["benchmarks"] if b["status"] == "ok" and b["metrics"]]
if d["run"]["partial"] or not ok:
    sys.exit("error: " + next((b["reason"] for b in d["benchmarks"] if b["reason"]), "no benchmark has a figure"))' \
    "$file.new" 2>>"$log" || return
  mv "$file.new" "$file"
}

# changes COMMIT BEFORE TARGET: compares with the commit measured before.
changes() {
  local folder file code=0 explain=()
  folder=$(target_dir "$3")
  file=$folder/$1.after-${2:0:12}.$rows.json
  [ ! -s "$file" ] || return 0
  rm -f "$file.failed"
  [ "$rows" = 0 ] || explain=(--explain=all --explain-rows "$rows")
  log=$file.log
  : >"$log"
  : >"$file.new"
  into=$file.new child "$wsbench" compare --quiet --json "${explain[@]}" \
    "$folder/$2.json" "$folder/$1.json" || code=$?
  # 4: not all could be explained, or written.
  if [[ $code = [0134] ]] && python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$file.new" 2>/dev/null; then
    mv "$file.new" "$file"
  else
    echo "not compared: $(reason)" >"$file.failed"
    say "${1:0:12} on $3: $(<"$file.failed")"
    rm -f "$file.new"
  fi
  rm -f "$log"
}

# commit_do COMMIT TITLE: builds and measures what is missing.
commit_do() {
  local commit=$1 title=$2 target folder missing=() began failed=''
  log=$dir/logs/$commit.log
  for target in "${targets[@]}"; do
    folder=$(target_dir "$target")
    mkdir -p "$folder"
    [ "$retry" = 0 ] || rm -f "$folder/$commit.failed"
    [ -s "$folder/$commit.json" ] || [ -s "$folder/$commit.failed" ] || missing+=("$target")
  done
  [ "$retry" = 0 ] || rm -f "$dir/logs/$commit.failed"
  # A commit that is measured again is built again, too.
  [ "$retry" = 0 ] || [ ${#missing[@]} = 0 ] || [ "$commit" = shipped ] || rm -rf "${dir:?}/kernels/$commit"
  [ ${#missing[@]} -gt 0 ] && [ ! -s "$dir/logs/$commit.failed" ] || return 0
  : >"$log"
  if [ ! -e "$dir/kernels/$commit" ]; then
    began=$SECONDS
    # The work tree of --modules-only is another.
    [ -n "$release" ] || git checkout -q "$commit" || die 2 "$commit cannot be checked out"
    if ! build "$commit"; then
      echo "does not build: $(reason)" >"$dir/logs/$commit.failed"
      say "${commit:0:12} $(<"$dir/logs/$commit.failed")"
      return 0
    fi
    say "${commit:0:12} built in $((SECONDS - began)) s: $title"
  fi
  for target in "${missing[@]}"; do
    began=$SECONDS
    log=$(target_dir "$target")/$commit.log
    : >"$log"
    if measure "$commit" "$target" "$title"; then
      say "${commit:0:12} measured on $target in $((SECONDS - began)) s"
    else
      echo "$failed: $(reason)" >"$(target_dir "$target")/$commit.failed"
      say "${commit:0:12} on $target $(<"$(target_dir "$target")/$commit.failed")"
    fi
  done
}

# series: all commits; DIR/order gets "COMMIT TITLE" of each.
series() {
  local commit title target before
  # shellcheck disable=SC2034  # keys are targets
  local -A last=()
  git rev-list --reverse --first-parent "$base..$head" -- "${paths[@]}" >"$dir/order.new"
  {
    [ -z "$release" ] || echo "shipped $release as the distribution built it"
    for commit in "$base" $(<"$dir/order.new"); do
      echo "$commit $(git show -s --format=%s "$commit")"
    done
  } >"$dir/order"
  rm -f "$dir/order.new"
  if [ -n "$release" ] && [ ! -e "$dir/kernels/shipped" ]; then
    cp -rL "$shipped" "$dir/kernels/shipped.new"
    mv "$dir/kernels/shipped.new" "$dir/kernels/shipped"
  fi
  while read -r commit title; do
    commit_do "$commit" "$title"
    for target in "${targets[@]}"; do
      [ -s "$(target_dir "$target")/$commit.json" ] || continue
      before=${last[$target]:-}
      [ -z "$before" ] || changes "$commit" "$before" "$target"
      last[$target]=$commit
    done
  done <"$dir/order"
}

# table: prints the table of each target. Exits with 4 if a commit has no figures.
table() {
  python3 - "$dir" "$rows" "$markdown" "${targets[@]}" <<'END'
import json, os, re, sys
dir, explained_rows, markdown, *targets = sys.argv[1:]
order = [line.rstrip("\n").split(" ", 1) for line in open(f"{dir}/order")]
COLUMNS, FUNCTIONS = 8, 4
STATUS = ("skip", "fail")
failed = False

def read(path):
    with open(path) as f:
        return json.load(f)

def label(name, config):
    return name if config == "default" else f"{name} [{config}]"

def figures(path):
    """The figures, or their ranges over the boots; of other rows their status."""
    found = {}
    for b in read(path)["benchmarks"]:
        if b["status"] != "ok":
            found[label(b["name"], b["config"])] = b["status"]
        for m in b["metrics"] if b["status"] == "ok" else []:
            if m["name"] == "round_trip" and m["estimate"]:
                ends = sorted({m["estimate"]["ci"]["lo"], m["estimate"]["ci"]["hi"]})
                found[label(b["name"], b["config"])] = " to ".join(f"{x:,.0f}" for x in ends)
    return found

def functions(changes):
    """The functions of each explained row, the largest differences first."""
    if changes.get("explained", {}).get("refusal"):
        yield changes["explained"]["refusal"]
        return
    for row in changes.get("explanations", []):
        name = label(row["name"], row["new_config"])
        if row["reason"]:
            yield f"{name}: {row['reason']}"
            continue
        mine = [f for f in changes["explained_functions"] if f["difference"] and
                (f["name"], f["new_config"]) == (row["name"], row["new_config"])]
        mine.sort(key=lambda f: -abs(f["difference"]))
        text = [f"{f['function']} {f['difference']:+,.0f}" + (f" ({f['how'].split(',')[0]})" if f["how"] else "")
                for f in mine[:FUNCTIONS]]
        rest = sum(f["difference"] for f in mine[FUNCTIONS:])
        if len(mine) > FUNCTIONS:
            text.append(f"others {rest:+,.0f}")
        if text:
            yield f"{name}: " + ", ".join(text)

def failure(folder, commit):
    for path in (f"{folder}/{commit}.failed", f"{dir}/logs/{commit}.failed"):
        if os.path.exists(path):
            return open(path).read().strip()
    return "not measured"

for target in targets:
    folder = f"{dir}/{target.replace(':', '-')}"
    before, last, names, changed, rows = None, {}, [], set(), []
    for commit, title in order:
        path = f"{folder}/{commit}.json"
        if not os.path.exists(path):
            failed = True
            rows.append((commit, title, failure(folder, commit), []))
            continue
        values, cells, why = figures(path), {}, []
        names += [n for n in values if n not in names]
        differs = {}
        if before:
            path = f"{folder}/{commit}.after-{before[:12]}.{explained_rows}.json"
            changes = read(path) if os.path.exists(path) else {"rows": []}
            differs = {label(r["name"], r["new_config"]):
                       "changed" if r["verdict"] == "changed" else f"{r['difference']:+,.0f}"
                       for r in changes["rows"] if r["verdict"] in ("worse", "better", "changed")}
            why = list(functions(changes))
            if os.path.exists(path + ".failed"):
                why = [open(path + ".failed").read().strip()]
                failed = True
            for n in last:
                if last[n] not in STATUS and values.get(n, "fail") in STATUS:
                    why.append(f"{n}: no figure")
                    failed = True
            changed |= set(differs) | {n for n in names if (last.get(n) in STATUS) != (values.get(n) in STATUS)
                                       or "fail" in (last.get(n), values.get(n))}
        for name, value in values.items():
            cells[name] = value + (f" ({differs[name]})" if name in differs else "")
        rows.append((commit, title, cells, why))
        before, last = commit, values
    # Rows that changed, and others while there is room.
    shown = [n for n in names if n in changed]
    shown += [n for n in names if n not in changed][:max(0, COLUMNS - len(shown))]
    hidden = [n for n in names if n not in shown]
    names = [n for n in names if n in shown]
    if markdown == "1":
        escape = lambda s: re.sub(r"([\\`*_\[\]<|])", r"\\\1", s)
        print(f"### {target}\n\n| commit | title | " + " | ".join(map(escape, names)) + " | functions |")
        print("|---|---|" + "---|" * (len(names) + 1))
        for commit, title, cells, why in rows:
            if isinstance(cells, str):
                why, cells = [cells], {n: "" for n in names}
            print(f"| {commit[:12]} | {escape(title)} | " + " | ".join(cells.get(n, "-") for n in names) +
                  f" | {escape('; '.join(why))} |")
    else:
        width = {n: max([len(n)] + [len(c.get(n, "-")) for _, _, c, _ in rows if not isinstance(c, str)]) for n in names}
        print(f"{target}\n{'commit':12}  " + "  ".join(f"{n:>{width[n]}}" for n in names) + "  title")
        for commit, title, cells, why in rows:
            if isinstance(cells, str):
                print(f"{commit[:12]:12}  {cells}  {title}")
                continue
            print(f"{commit[:12]:12}  " + "  ".join(f"{cells.get(n, '-'):>{width[n]}}" for n in names) + f"  {title}")
            for line in why:
                print(f"{'':12}    {line}")
    if hidden:
        print(f"\n{len(hidden)} benchmarks did not change: {', '.join(hidden)}")
    print()
sys.exit(4 if failed else 0)
END
}

# settings: what the documents of DIR depend on.
settings() {
  printf '%s\n' "--bench $bench" "--config $config" "--build $command" "--kernel $kernel" "--modules-only $release" "--headers $headers"
}

main() {
  local range='' dir='' bench=core config='' command='' kernel='' release='' headers='' rows=1 retry=0 markdown=0
  local build_dir=. targets=(lab:x86_64-svm) paths=() arch='' base head start on_branch target log=/dev/null shipped=''
  while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --retry) retry=1 ;;
    --markdown) markdown=1 ;;
    --) shift && paths=("$@") && break ;;
    -o | --on | --bench | --config | --build | --kernel | --build-dir | --modules-only | --headers | --explain-rows)
      [ $# -gt 1 ] || die 2 "$1 needs a value"
      case $1 in
      -o) dir=$2 ;;
      --on) IFS=, read -ra targets <<<"$2" ;;
      --build) command=$2 ;;
      --build-dir) build_dir=$2 ;;
      --modules-only) release=$2 ;;
      --explain-rows) rows=$2 ;;
      *) printf -v "${1#--}" %s "$2" ;;
      esac
      shift
      ;;
    *..*) range=$1 ;;
    *) die 2 "unknown argument $1; see --help" ;;
    esac
    shift
  done
  if [ -z "$range" ] || [ -z "$dir" ]; then
    die 2 "BASE..HEAD and -o DIR are needed; see --help"
  fi
  [[ $rows =~ ^[0-9]{1,4}$ && $rows -le 1000 ]] || die 2 "--explain-rows $rows: not a number from 0 to 1000"
  [ -n "$command" ] && [ -z "$kernel" ] && die 2 "--build needs --kernel"
  [ -z "$kernel" ] || [ -n "$command" ] || die 2 "--kernel is for --build"
  [ -z "$headers" ] || [ -n "$release" ] || die 2 "--headers is for --modules-only"
  for target in "${targets[@]}"; do
    case $target in
    lab:x86_64-*) target=x86_64 ;;
    lab:aarch64-*) target=aarch64 ;;
    *) die 2 "no lab \"$target\" (wsbench list targets)" ;;
    esac
    arch=${arch:-$target}
    [ "$target" = "$arch" ] || die 2 "--on: labs of one architecture, not of two"
  done
  [ -n "$arch" ] || die 2 "--on: no lab"
  [ -x "$wsbench" ] || die 2 "no program $wsbench (make)"
  # Found before the first build.
  for target in "${targets[@]}"; do
    "$wsbench" list targets --names | grep -xF -- "$target" >/dev/null || die 2 "no lab \"$target\" (wsbench list targets)"
  done
  check_rows "$bench" "$config"
  measure_one_tree "$range"
}

# measure_one_tree RANGE: the work, between the checks of the options and the table.
measure_one_tree() {
  local code=0 top
  top=$(git rev-parse --show-toplevel 2>/dev/null) || die 2 "not in a git tree"
  base=$(git rev-parse -q --verify "${1%%..*}^{commit}") || die 2 "no commit ${1%%..*}"
  head=${1##*..}
  head=$(git rev-parse -q --verify "${head:-HEAD}^{commit}") || die 2 "no commit ${1##*..}"
  mkdir -p "$dir"/{logs,kernels} 2>/dev/null || true
  [ -w "$dir/kernels/." ] || die 4 "cannot write to $dir"
  dir=$(cd "$dir" && pwd)
  [ -z "$kernel" ] || kernel=$(realpath -m "$kernel")
  build_dir=$(realpath -m "$build_dir")
  cd "$top"
  exec {lock}>"$(git rev-parse --git-dir)/worldswitch-series.lock"
  flock -n "$lock" || die 2 "another series.sh works in $top"
  git diff --quiet HEAD -- || die 2 "the tree has changes (git stash, or git commit)"
  [ -z "$release" ] || modules_open
  if [ -z "$command$release" ]; then
    [ -f "$build_dir/.config" ] ||
      die 2 "no $build_dir/.config (wsbench kernel config --arch $arch --tree . --to $build_dir)"
    [ -f "$dir/config" ] || cp "$build_dir/.config" "$dir/config"
    cmp -s "$dir/config" "$build_dir/.config" || die 2 "$build_dir/.config is not $dir/config, with which the series began"
  fi
  settings >"$dir/settings.new"
  [ ! -f "$dir/settings" ] || cmp -s "$dir/settings" "$dir/settings.new" ||
    die 2 "$dir has a series of other options: $(grep -vxFf "$dir/settings.new" "$dir/settings" | paste -s -d ' ')"
  mv "$dir/settings.new" "$dir/settings"
  on_branch=$(git symbolic-ref -q HEAD || true)
  start=$(git symbolic-ref -q --short HEAD || git rev-parse HEAD)
  trap restore EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  series
  table || code=4
  exit "$code"
}

main "$@"
