#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""For lab.bats: random parts of a run, and whether they agree with the whole.

plan DOCUMENT N SEED    N lines: rows of the document, then options for `wsbench run`
compare WHOLE PART      rows of both are the same, all of their figures
values WHOLE PART       their round trips are the same
"""
import json
import random
import sys


def rows(path):
    with open(path) as f:
        return {(b["name"], b["config"]): b for b in json.load(f)["benchmarks"]}


def plan(path, n, seed):
    random.seed(f"{seed}")
    whole = rows(path)
    ran = sorted({name for (name, _), b in whole.items() if b["status"] == "ok"})
    for _ in range(int(n)):
        names = random.sample(ran, random.choice([1, 1, 2, 3, 5]))
        configs = sorted({config for (name, config) in whole if name in names})
        random.shuffle(configs)
        options = f"--seed {random.randrange(100)} --label {'x' * random.randrange(1, 90)}"
        if random.random() < 0.5:
            options += f" --config {','.join(configs)}"
        print(",".join(names), options)


def compare(whole_path, part_path, figure):
    whole, part = rows(whole_path), rows(part_path)
    common = sorted(set(whole) & set(part))
    assert common, "no row in common"
    for row in common:
        if figure(whole[row]) != figure(part[row]):
            sys.exit(f"{row}:\n{figure(whole[row])}\n{figure(part[row])}")


def value(b):
    return b["status"], [m["estimate"]["value"] for m in b["metrics"] if m["name"] == "round_trip"]


if sys.argv[1] == "plan":
    plan(*sys.argv[2:])
elif sys.argv[1] == "compare":
    compare(*sys.argv[2:], lambda b: b)
else:
    compare(*sys.argv[2:], value)
