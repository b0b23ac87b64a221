#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A large history for measuring `wsbench history check`: large_history.py exact|noisy [RUNS [BENCHMARKS]].

The lines are in the form that `wsbench history add` writes, which the program reads fastest.
Each series has one step of 20; noisy figures have a standard deviation of 1 %, and quantiles of their events.
The seed is fixed.
"""
import json
import random
import sys

exact = sys.argv[1] == "exact"
runs = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
benchmarks = int(sys.argv[3]) if len(sys.argv) > 3 else 50
random.seed(1)
for run in range(runs):
    for b in range(benchmarks):
        value = 1000 + 100 * b + (20 if run > 100 * b + 200 else 0)
        if not exact:
            value = round(value * random.gauss(1, 0.01), 1)
        row = {
            "schema": "worldswitch.history", "version": 1, "run": "r%05d" % run,
            "time": "2026-%02d-%02dT%02d:%02d:00Z" % (run // 900 % 12 + 1, run // 30 % 28 + 1, run // 2 % 24, run % 60),
            "kernel": "6.1.0-%d" % (run // 10), "target": "lab:x86_64-svm" if exact else "kvm",
            "emulator": "QEMU emulator version 7.2.22", "machine": "a3055cde0ef5ac3d",
            "exact": exact, "tool": "0.2.0", "benchmark": "b%02d" % b, "config": "default", "metric": "round_trip",
            "unit": "insns" if exact else "ticks", "better": "lower", "value": value,
            "lo": value if exact else round(value * 0.99, 1), "hi": value if exact else round(value * 1.01, 1),
            "quantum": 1, "boots": 2 if exact else 10, "handled_by": "user", "exits": 1}
        if exact:
            row["mean"] = value
        else:
            del row["emulator"]
            for name, far in (("p5", 0.96), ("p25", 0.985), ("p75", 1.02), ("p90", 1.05), ("p99", 1.4)):
                row[name] = round(value * far * random.gauss(1, 0.005))
            row["mean"] = round(8 * value * random.gauss(1.01, 0.005)) / 8
        print(json.dumps(row, separators=(",", ":")))
