#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks that `wsbench validate` and results/schema.json accept the same documents.

Usage: schema_check.py WSBENCH SCHEMA.json FILE.json...

Both must accept each file, which wsbench wrote, and the schema must describe every member
of the file. Then each value that the schema describes is changed in every way that the
schema suggests (required key dropped, optional key dropped, other type, other word, out of
range), one change at a time: both must accept or refuse the changed file, wsbench with one
line per file. Exit code 0 if they agree, 1 if not, 77 (skipped) without python3-jsonschema.
"""
import copy
import json
import os
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("schema_check: skipped: python3-jsonschema is not installed")
    sys.exit(77)

# Values of each JSON type: numbers near the limits of other types, and large numbers.
OTHERS = [None, True, "word", 0, 7, 7.5, 7.0, -7, 63, 2**31, 2**32, 2**63 - 1,
          -2**63, [], {}, ["word"], {"key": 1}]


# These keywords depend only on the value: in a valid document, a changed value is valid or
# not regardless of the rest.
LOCAL = {"$schema", "title", "description", "definitions", "type", "required", "properties",
         "const", "enum", "$ref", "items", "minimum", "maximum", "minItems", "maxItems"}


def check_local(node):
    """Ends if the schema has rules that reach across values."""
    if unknown := node.keys() - LOCAL:
        sys.exit(f"schema_check: cannot judge a value by itself under {unknown}")
    items = node.get("items", [])
    for sub in (*node.get("definitions", {}).values(), *node.get("properties", {}).values(),
                *(items if isinstance(items, list) else [items])):
        check_local(sub)


def deref(root, node):
    while "$ref" in node:
        target = root
        for key in node["$ref"].split("/")[1:]:
            target = target[key]
        node = target
    return node


def walk(root, node, value, path=()):
    """Yields (path, schema node, value) for all that the schema describes."""
    node = deref(root, node)
    yield path, node, value
    if isinstance(value, dict):
        for key, sub in node.get("properties", {}).items():
            if key in value:
                yield from walk(root, sub, value[key], path + (key,))
    if isinstance(value, list):
        for i, element in enumerate(value):
            items = node.get("items", {})
            if isinstance(items, list):
                items = items[i]
            yield from walk(root, items, element, path + (i,))


def undescribed(root, document):
    """Names the members that the schema does not know of."""
    for path, node, value in walk(root, root, document):
        if isinstance(value, dict):
            for key in value.keys() - node.get("properties", {}).keys():
                yield "/" + "/".join(map(str, path + (key,)))


def candidates(node, value):
    """Replacements for a value, right and wrong ones."""
    yield from OTHERS
    for word in node.get("enum", []):
        yield word
        if isinstance(word, str):
            yield word + "x"
            yield word.upper()
    for bound in ("minimum", "maximum"):
        if bound in node:
            yield from (b for b in (node[bound] - 1, node[bound], node[bound] + 1)
                        # wsbench refuses numbers beyond 64 bits as bad JSON, which
                        # the schema cannot express; another test covers them.
                        if -2**63 <= b < 2**63)
    if isinstance(value, list) and value:
        yield value[:-1]
        yield value + [copy.deepcopy(value[-1])]


def parent_of(document, path):
    for key in path[:-1]:
        document = document[key]
    return document


def kinds(root, document):
    """One value of each type for each place in the schema: more would only repeat."""
    seen = set()
    for path, node, value in walk(root, root, document):
        if (kind := (id(node), type(value))) not in seen:
            seen.add(kind)
            yield path, node, value


def mutations(root, document):
    """Yields (what was done, changed document, schema node, changed value in it). The
    document is restored."""
    for path, node, value in list(kinds(root, document)):
        where = "/" + "/".join(map(str, path))
        if isinstance(value, dict):
            for key in list(value):
                kept = dict(value)
                del value[key]
                yield f"{where}: without {key}", document, node, value
                value.clear()
                value.update(kept)
        if not path:
            for other in OTHERS:
                yield f"/: {other!r}", other, node, other
            continue
        parent = parent_of(document, path)
        for other in candidates(node, value):
            parent[path[-1]] = other
            yield f"{where}: {other!r}", document, node, other
        parent[path[-1]] = value


def thin(document):
    """Keeps at most two elements of each array: more would only repeat."""
    if isinstance(document, dict):
        return {k: thin(v) for k, v in document.items()}
    if isinstance(document, list):
        return [thin(v) for v in document[:2]]
    return document


class Program:
    """wsbench validate, asked about many files at once."""

    def __init__(self, path, folder):
        self.path, self.folder = path, folder

    def run(self, files):
        return subprocess.run([self.path, "validate", *files], cwd=self.folder,
                              text=True, capture_output=True)

    def judge(self, documents):
        """For each document whether it was accepted, and the line that says so."""
        names = [f"{i:06}.json" for i in range(len(documents))]
        for name, text in zip(names, documents):
            with open(os.path.join(self.folder, name), "w") as f:
                f.write(text)
        done = self.run(names)
        lines = {}
        for line in done.stdout.splitlines():
            lines[line.split(":")[0]] = (True, line)
        for line in done.stderr.splitlines():
            name = line.removeprefix("wsbench validate: ").split(":")[0]
            lines[name] = (False, line)
        if sorted(lines) != names or len(done.stderr.splitlines()) + len(
                done.stdout.splitlines()) != len(names):
            sys.exit(f"schema_check: not one line per file:\n{done.stdout[:2000]}\n"
                     f"{done.stderr[:2000]}")
        refused = any(not ok for ok, _ in lines.values())
        if done.returncode != (2 if refused else 0):
            sys.exit(f"schema_check: exit code {done.returncode}")
        return [lines[name] for name in names]


def check(program, root, validator, path):
    with open(path) as f:
        document = json.load(f)
    problems = [f"{path}: refused by the schema: {e.json_path}: {e.message}"
                for e in validator.iter_errors(document)]
    problems += [f"{path}: {where} is not in the schema"
                 for where in undescribed(root, document)]
    done = program.run([os.path.abspath(path)])
    if done.returncode:
        problems.append(f"{path}: refused by wsbench: {done.stderr.strip()}")
    if problems:
        return problems, 0, 0

    cases = [(what, json.dumps(changed), validator.evolve(schema=node).is_valid(value))
             for what, changed, node, value in mutations(root, thin(document))]
    for (what, _, good), (accepted, line) in zip(
            cases, program.judge([text for _, text, _ in cases])):
        if accepted != good:
            problems.append(f"{path}: {what}: the schema says "
                            f"{'yes' if good else 'no'}, wsbench: {line}")
    bad = sum(not good for _, _, good in cases)
    return problems, len(cases), bad


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    wsbench, schema_path, *files = sys.argv[1:]
    with open(schema_path) as f:
        root = json.load(f)
    jsonschema.Draft7Validator.check_schema(root)
    check_local(root)
    validator = jsonschema.Draft7Validator(root)
    failed = False
    for path in files:
        with tempfile.TemporaryDirectory() as folder:
            program = Program(os.path.abspath(wsbench), folder)
            problems, changed, bad = check(program, root, validator, path)
        for problem in problems:
            print(problem)
        failed = failed or bool(problems)
        print(f"{path}: {changed} changes, {bad} of them refused, "
              f"{len(problems)} disagreements")
    sys.exit(1 if failed else 0)


main()
