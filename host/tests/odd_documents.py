#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""odd_documents.py FOLDER DOCUMENT: variants of a document that `wsbench validate` accepts, with
what the schema allows and no run writes: open intervals, names that a fixed length cuts within
a character, control characters, extreme numbers."""
import copy
import json
import sys

folder, seed = sys.argv[1], json.load(open(sys.argv[2]))
MOST = 2**63 - 1


def write(name, change):
    d = copy.deepcopy(seed)
    change(d)
    with open(f"{folder}/{name}.json", "w") as f:
        json.dump(d, f, ensure_ascii=False)


def metrics(d):
    return [m for b in d["benchmarks"] for m in b["metrics"]]


def boots(d):
    return [y for m in metrics(d) for y in m["boots"]]


def estimates(**new):
    def change(d):
        for m in metrics(d):
            m["estimate"].update(new)
    return change


def names(text, metric=None):
    def change(d):
        for i, b in enumerate(d["benchmarks"]):
            b["name"] = b["config"] = text + str(i)
            b["group"] = b["reason"] = text
        for m in metrics(d):
            m["name"] = metric or text
            m["unit"] = m["reason"] = text
        for part, keys in (("run", ["id"]), ("subject", ["kernel", "label", "commit", "compiler", "suite"]),
                           ("target", ["name", "emulator", "hypervisor"]),
                           ("machine", ["fingerprint", "cpu_model", "microcode"])):
            d[part].update(dict.fromkeys(keys, text))
        d["warnings"] = [{"code": text, "message": text}]
        d["environment"]["checks"] = [{"id": text, "value": text, "expected": text, "status": "warn"}]
    return change


def extreme_boots(low, count):
    def change(d):
        for y in boots(d):
            y["histogram"] = {"bits": 16, "bins": [[low, count], [-low - 1, count], [low, count]]}
            y["events"] = y["summary"]["n"] = MOST
            y["summary"].update(min=-1.7e308, p50=1.7e308, p99=-1.7e308, max=1.7e308)
    return change


def slow_clock(d):
    d["clock"].update(hz=1, resolution=1)
    estimates(value=1e308)(d)
    for y in boots(d):
        y["summary"]["p50"] = 1e308


def blank_boots(d):
    for y in boots(d):
        y["summary"] = {k: None for k in y["summary"] if k != "n"}
        y["histogram"] = None


def no_boots(d):
    for m in metrics(d):
        m["boots"] = []


def counts(d):
    for b in d["benchmarks"]:
        b["exits"] = dict.fromkeys(("expected", "observed", "user", "interrupts", "faults", "l1"), MOST)
        b["statistics"] = dict.fromkeys(("insts", "vm_exits", "vm_half_entries", "mmio", "hypercalls"), MOST)


interval = {"level": 0.95, "method": "order-statistic"}
write("open", estimates(ci={**interval, "lo": None, "hi": None}))
write("half-open", estimates(ci={**interval, "lo": None, "hi": 5}, bootstrap={**interval, "lo": 1, "hi": None}))
write("reversed", estimates(ci={"level": None, "method": "exact", "lo": 5, "hi": 1}))
write("huge", estimates(value=1.7e308, ci={**interval, "lo": -1.7e308, "hi": 1.7e308}))
write("tiny", estimates(value=5e-324, ci={**interval, "lo": -5e-324, "hi": 5e-324}))
write("no-value", estimates(value=None, ci=None))
write("cut-2", names("a" + "é" * 400))
write("cut-3", names("ab" + "€" * 400))
write("unnamed", names(""))
write("control", names("\x9b31m\x1b[31m\u202e\u2066x\n\t\x7f"))
write("control-figures", names("\x9b31m\x1b[31m\u202e\u2066x\n\t\x7f", "round_trip"))
write("no-boots", no_boots)
write("blank-boots", blank_boots)
write("low-bins", extreme_boots(-MOST - 1, MOST))
write("high-bins", extreme_boots(MOST, 1))
write("clock", slow_clock)
write("counts", counts)
write("empty", lambda d: d.update(benchmarks=[]))
write("thrice", lambda d: d.update(benchmarks=d["benchmarks"] * 3))
