#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""For lab.bats: chooses random parts of a run, and compares their figures with the run.

plan DOCUMENT N SEED    print N lines: rows of the document, then options for `wsbench run`
compare WHOLE PART      check that all figures of the common rows are equal
values WHOLE PART       check that the round trips of the common rows are equal
explainable WHOLE N     print N random rows and configs with a round trip in instructions;
                        N = 1: all
total WHOLE ROW CONFIG EXPLANATION    check the total against the row's round trip
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


def explainable(path, n):
    ran = sorted(row for row, b in rows(path).items()
                 if b["status"] == "ok" and b["exits"]["observed"] and value(b)[1]
                 and b["group"] not in ("kick", "state", "timer", "vm"))
    random.seed(1)
    for name, config in ran if n == "1" else random.sample(ran, int(n)):
        print(name, config)


def total(path, name, config, explanation):
    with open(explanation) as f:
        e = json.load(f)
    figure = value(rows(path)[name, config])[1][0]
    assert e["round_trip"] == figure, (e["round_trip"], figure)
    # A median of an even number of events may lie between two events.
    if not any(w["code"] == "nearest-event" for w in e["warnings"]):
        assert e["total"] == figure, (e["total"], figure)


if sys.argv[1] == "explainable":
    explainable(*sys.argv[2:])
elif sys.argv[1] == "total":
    total(*sys.argv[2:])
elif sys.argv[1] == "plan":
    plan(*sys.argv[2:])
elif sys.argv[1] == "compare":
    compare(*sys.argv[2:], lambda b: b)
else:
    compare(*sys.argv[2:], value)
