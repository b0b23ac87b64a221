#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The report is one page without external files, for any content of the documents.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
  "$wsbench" run --on bare:x86_64 --bench null,rdtsc,cpuid,hypercall --quiet \
    -o "$BATS_FILE_TMPDIR/doc.json" >/dev/null 2>&1 || true
}

need_document() {
  need_target bare:x86_64
  cp "$BATS_FILE_TMPDIR/doc.json" doc.json
}

# page_holds FILE: the page is complete, requests nothing, and runs only its own script.
page_holds() {
  # A printed page is light, also for readers who prefer dark pages.
  [ "$(grep -o '@media[^{]*dark[^{]*' "$1")" = '@media screen and (prefers-color-scheme: dark)' ]
  python3 - "$1" <<'END'
import base64, hashlib, html.parser, re, sys

text = open(sys.argv[1], encoding="utf-8").read()
void = {"meta", "link", "img", "br", "hr", "input"}

class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen, self.ids = [], {}, []
    def handle_starttag(self, tag, attrs):
        self.seen[tag] = self.seen.get(tag, 0) + 1
        for name, value in attrs:
            if name in ("src", "srcset", "data", "action"):
                sys.exit(f"<{tag} {name}={value}>")
            if name in ("href", "xlink:href") and not value.startswith("#"):
                sys.exit(f"<{tag} {name}={value}> leads elsewhere")
            if name.startswith("on"):
                sys.exit(f"<{tag} {name}>")
            if name == "id":
                self.ids.append(value)
        if tag not in void:
            self.open.append(tag)
    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in void:
            self.open.pop()
    def handle_endtag(self, tag):
        # Void elements have no end tag.
        if self.open and self.open[-1] != tag:
            sys.exit(f"</{tag}> ends <{self.open[-1]}>")
        self.open.pop()

page = Page()
page.feed(text)
page.close()
if page.open:
    sys.exit(f"not closed: {page.open}")
if len(page.ids) != len(set(page.ids)):
    sys.exit("duplicate id")
if page.seen.get("script") != 1 or page.seen.get("img"):
    sys.exit(f"scripts or images: {page.seen}")
script = re.search(r"<script>(.*?)</script>", text, re.S).group(1)
digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
if f"'sha256-{digest}'" not in text:
    sys.exit(f"the policy does not know the script: {digest}")
if re.search(r"url\((?!#)|@import", text):
    sys.exit("the style asks for something")
END
}

@test "one page with figures, pictures and reasons" {
  need_document
  run_apart "$wsbench" report doc.json -o out
  echo "$stdout / $stderr"
  [ "$status" = 0 ]
  [ "$stdout" = out/report.html ]
  page_holds out/report.html
  grep -q '<th scope=row>rdtsc</th>' out/report.html
  grep -q 'needs a hypervisor' out/report.html
  if command -v gnuplot >/dev/null; then
    [ -z "$stderr" ]
    grep -q '<svg ' out/report.html
  fi
  nothing_left doc.json out out/report.html
}

@test "equal documents give equal pages" {
  need_document
  "$wsbench" report doc.json doc.json -o a
  "$wsbench" report doc.json doc.json -o b
  page_holds a/report.html
  cmp a/report.html b/report.html
  grep -q 'same' a/report.html
}

@test "malicious documents" {
  need_document
  python3 - <<'END'
import json

evil = "</title></svg></script><script>alert(1)</script><img src=x onerror=alert(2)>'\"&`id`\n\u202e"
d = json.load(open("doc.json"))

def spoil(x, key=None):
    if isinstance(x, dict):
        return {k: spoil(v, k) for k, v in x.items()}
    if isinstance(x, list):
        return [spoil(v, key) for v in x]
    keep = ("schema", "kind", "arch", "status", "handled_by", "unit", "better")
    if isinstance(x, str) and key not in keep:
        return x + evil
    return x

json.dump(spoil(d), open("evil.json", "w"))
END
  run_apart "$wsbench" report evil.json doc.json -o out
  echo "$stdout / $stderr"
  [ "$status" = 0 ]
  page_holds out/report.html
  grep -q '&lt;script&gt;alert(1)' out/report.html
}

@test "without gnuplot the report has no pictures, and is otherwise complete" {
  need_document
  mkdir none
  run_apart env PATH="$PWD/none" "$wsbench" report doc.json -o out
  echo "$stdout / $stderr"
  [ "$status" = 0 ]
  one_line "$stderr"
  [[ $stderr == *'the report has no pictures: gnuplot is not installed'* ]]
  page_holds out/report.html
  grep -q '<th scope=row>rdtsc</th>' out/report.html
}

# need_page: writes out/report.html with figures, a history, and explanations that differ.
need_page() {
  command -v chromium >/dev/null || skip "chromium is not installed"
  need_document
  "$wsbench" report doc.json "$tests"/data/explain/vhe-hypercall-*.json \
    --history "$tests/data/steps.jsonl" -o out
  page_holds out/report.html
}

# The checks are functions of page_check.py.
page_check() {
  need_page
  run python3 "$tests/page_check.py" "$1" out/report.html "${@:2}"
  echo "$output"
  [ "$status" = 0 ]
}

@test "Chromium: a click on a column sorts" { page_check sorting; }
@test "Chromium: a flame graph zooms, and zooms out by mouse and keyboard" { page_check zoom; }
@test "Chromium: a flame graph is searched" { page_check search; }
@test "Chromium: dark, and light on paper" { page_check dark; }
@test "Chromium: nothing is wider than the window, down to 390 pixels" { page_check width; }
@test "Chromium: the page prints" { page_check printed page.pdf; }
@test "Chromium: the page without scripts" { page_check plain; }

@test "two explanations of a benchmark: what differs, and a flame graph of it" {
  local page=out/report.html
  "$wsbench" report "$tests"/data/explain/*.json -o out
  page_holds "$page"
  # Of each pair, and none between the two architectures.
  [ "$(grep -c '<h3 id="difference-' "$page")" = 2 ]
  grep -q '<h3 id="difference-3">hypercall on lab:aarch64-vhe, Linux 6.1.*-arm64 to 6.12' "$page"
  # By layer and by function, with the sums of both documents.
  python3 - "$tests/data/explain" "$page" <<'END'
import json, re, sys
page = open(sys.argv[2]).read()
for base, now in (("vhe-hypercall-6.1", "vhe-hypercall-6.12"), ("svm-hypercall-6.1", "svm-hypercall-7.3")):
    a, b = (json.load(open(f"{sys.argv[1]}/{n}.json"))["total"] for n in (base, now))
    row = f'<th scope=row>total</th><td class=n data-v="{a}">{a:,}</td><td class=n data-v="{b}">{b:,}</td>'
    assert row in page, row
    assert re.search(rf'<li><a href="#difference-\d">.*{re.escape(f"{b - a:+,}")} instructions</span></a> in hypercall', page)
assert '<th scope=row>KVM, arm64</th>' in page
graphs = re.findall(r'<svg [^>]*class="flame".*?</svg>', page, re.S)
assert len(graphs) == 6, len(graphs)
# Of the six, two have changes with signs, which are in their labels, too.
signed = [g for g in graphs if re.search(r'<title>\w+ \+[\d,]+: ', g) and re.search(r'>\w+ -[\d,]+</text>', g)]
assert len(signed) == 2, len(signed)
assert all('>+ more than in the base<' in g for g in signed)
# The graphs of the documents themselves are folded.
assert page.count('<details><summary>hypercall on lab:') == 4
END
}

@test "a history: a folded table per kernel, as history check prints it" {
  local page=out/report.html
  cp "$tests/data/steps.jsonl" .
  "$wsbench" report --history steps.jsonl -o out
  page_holds "$page"
  "$wsbench" history check --db steps.jsonl >checked || true
  sed -n 's/^  \([^ ].*, after .*: [0-9]* worse.*\)$/\1/p' checked >steps
  [ -s steps ]
  sed -n 's|.*<summary>\(.*, after .*: [0-9]* worse.*\)</summary>.*|\1|p' "$page" >folded
  diff steps folded
  # As many rows as lines.
  [ "$(sed -n '/<section id="history">/,/<.section>/p' "$page" | grep -c '^<tr><th scope=row>')" = \
    "$(grep -cE '^    [^( ].*(worse|better|changed)' checked)" ]
}

@test "report: bad usage, bad documents, folders that cannot be written to" {
  need_document
  head -c 3000 doc.json >half
  refused 2 'half: not JSON: line ' "$wsbench" report doc.json half -o out
  refused 2 'no result document was given' "$wsbench" report -o out
  refused 2 'no output folder' "$wsbench" report doc.json
  # A name of a page is the page; a folder may have any name.
  mkdir x.html
  "$wsbench" report doc.json -o page.html >path
  [ "$(cat path)" = page.html ]
  page_holds page.html
  "$wsbench" report doc.json -o x.html >path
  [ "$(cat path)" = x.html/report.html ]
  rm -r page.html x.html path
  nothing_left doc.json half
  touch file
  refused 4 'Not a directory' env PATH=/usr/bin:/bin "$wsbench" report doc.json -o file/out
  "$wsbench" report doc.json -o new/out
  page_holds new/out/report.html
  need_own_mounts
  run_apart "${own_mounts[@]}" '
    mount -t tmpfs -o size=16k none /mnt
    echo old >/mnt/report.html
    code=0
    "$0" report doc.json -o /mnt || code=$?
    cat /mnt/report.html >seen
    ls -A /mnt >>seen
    exit $code' "$wsbench"
  echo "exit code $status: $stderr"
  [ "$status" = 4 ]
  one_line "$stderr"
  [[ $stderr == *'cannot write /mnt/report.html: No space left on device'* ]]
  [ "$(cat seen)" = "old
report.html" ]
}
