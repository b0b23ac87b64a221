#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# install-docs.sh DIR FILE...: installs the pages, and the files that the pages show, below
# DIR. A link to a file that is not installed becomes its text.
set -Eeuo pipefail
trap 'echo "install-docs: line $LINENO: $BASH_COMMAND failed" >&2' ERR

root=$1
shift
for file; do
  install -D -m 644 "$file" "$root/$file"
done
for file; do
  [[ $file == *.md ]] || continue
  page=$root/$file
  { grep -oE '\]\([^)#: ]+' "$page" || true; } | cut -c3- | sort -u | while read -r target; do
    [ -e "${page%/*}/$target" ] ||
      sed -E -i "s|\[([^][]*)\]\(${target//./\\.}(#[^)]*)?\)|\1|g" "$page"
  done
done
