#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
hostile.py [--quick] [--times X] [--seed N] [--jobs N] [PATTERN...]: pages, guests, kills, signals.

Prints a row for each subject when it is done: how often it was tried, how often a property
did not hold, how often a file was left, after a kill also by the next run, and the seconds
of CPU. What failed is listed below its row, with the command. Rows whose names match a
PATTERN run; default: all. --quick: a subset in seconds. --times: so many times the tries.
--jobs: so many rows at a time (default: 1). Exit code: 0; 1 if there is a failure or a left
file; 2 for bad usage.

Pages: host/tests/hostile/pages.c. Guests: host/tests/payloads/*/chaos.c. Kills:
host/tests/hostile/kill_at.c. The commands run below `contain`, in folders of their own, in
memory where the system has such a folder: thousands of fsyncs.
"""
import argparse
import concurrent.futures
import ctypes
import fnmatch
import json
import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOP = os.path.dirname(os.path.dirname(TESTS))
BUILD = os.environ.get("BUILD", os.path.join(TOP, "build"))
WSBENCH = os.path.join(BUILD, "wsbench")
SANITIZED = os.path.join(BUILD, "asan", "wsbench")
THREADS = os.path.join(BUILD, "tsan", "wsbench")
CONTAIN = os.path.join(BUILD, "tests", "contain")
KILL_AT = os.path.join(BUILD, "tests", "kill_at")
KILLED = 137
# A healthy command ends long before; a hung one is killed, and its code is 124.
LIMIT = 300


class Row:
    """A line of the table, and the folder of its trials."""

    def __init__(self, name, seed, scratch):
        self.name, self.seed = name, seed
        self.random = random.Random(f"{name} {seed}")
        self.place = os.path.join(scratch, re.sub(r"\W+", "-", name))
        self.tried, self.failures = 0, []
        self.left, self.left_trials = {}, 0
        self.remark = ""
        self.turn = None  # of kills at each call

    def fresh(self):
        """An empty current folder, and an empty TMPDIR, of one trial."""
        shutil.rmtree(self.place, ignore_errors=True)
        for name in ("cwd", "tmp"):
            os.makedirs(os.path.join(self.place, name))
        self.cwd = os.path.join(self.place, "cwd")
        self.environment = dict(os.environ, TMPDIR=os.path.join(self.place, "tmp"),
                                NO_COLOR="1", LC_ALL="C.UTF-8")

    def path(self, name):
        return os.path.join(self.cwd, name)

    def run(self, command, prefix=()):
        """Runs a contained command. Returns its code, stdout and stderr."""
        left = os.path.join(self.place, "processes")
        done = subprocess.run(
            [CONTAIN, "--limit", str(LIMIT), "--left", left, *prefix, *command],
            cwd=self.cwd, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace")
        self.command = " ".join([*prefix, *command]).replace(BUILD + "/", "build/")
        if os.path.exists(left):
            with open(left) as f:
                self.fail(f"left processes: {f.read().strip()}")
            os.remove(left)
        return done.returncode, done.stdout, done.stderr

    def fail(self, why):
        self.failures.append(f"trial {self.tried}: {why}: {self.command}")

    def files(self):
        """All files of the trial, without the folders."""
        found = []
        for name in ("cwd", "tmp"):
            top = os.path.join(self.place, name)
            for folder, folders, names in os.walk(top):
                found += [os.path.relpath(os.path.join(folder, n), self.place) for n in names]
                if name == "tmp":
                    found += [os.path.relpath(os.path.join(folder, n), self.place) for n in folders]
        return found

    def note_left(self, expected):
        """Notes what is left besides `expected`, by names without random parts."""
        names = set()
        for f in self.files():
            # A file of a process that was killed, whose number another process has by now,
            # is left until that one has ended.
            owner = re.search(r"\.(\d+)([-.]|$)", f)
            if owner and os.path.exists(f"/proc/{owner.group(1)}"):
                continue
            if not re.fullmatch(expected, f):
                temporary = re.match(r".*?(\.new|worldswitch|\.tmp|\.\d+-\d+)", f)
                names.add(re.sub(r"\d{3,}", "N", temporary.group() if temporary else f))
        for name in names:
            self.left[name] = self.left.get(name, 0) + 1
        self.left_trials += bool(names)


def say(text):
    print(text, flush=True)


def shortest(row, prepare):
    """The time of a command in seconds, of two runs: the first of a lab boots its machine."""
    seconds = []
    for _ in range(2):
        row.fresh()
        command = prepare()
        start = time.monotonic()
        row.run(command)
        seconds.append(time.monotonic() - start)
    return min(seconds)


def counted(codes):
    """Exit codes, and how often."""
    return "exit codes: " + ", ".join(f"{n} x {c}" for c, n in sorted(codes.items()))


def validates(row, path):
    code, _, stderr = row.run([WSBENCH, "validate", path])
    if code:
        row.fail(f"{path} does not validate: {stderr.strip()}")
    return code == 0


def is_whole(row, name, old):
    """A file that is the old one, or a new one that validates; or, without an old, absent."""
    try:
        with open(row.path(name), "rb") as f:
            content = f.read()
    except FileNotFoundError:
        if old is not None:
            row.fail(f"{name} is gone")
        return
    if content != old:
        validates(row, name)


# ---- pages ---------------------------------------------------------------------------

# Pages of a process: far within LIMIT on a busy machine.
PAGES = 20000


def pages(program):
    def run(row, count):
        sums, text = [], ""
        row.fresh()
        while row.tried < count:
            n = min(PAGES, count - row.tried)
            seed = row.seed + 1000 * (row.tried // PAGES)
            code, text, stderr = row.run([program, "--seed", str(seed), str(n)])
            row.tried += n
            if code:
                row.fail(f"exit code {code}: {stderr.strip()[-2000:]}")
                continue
            numbers = [int(n) for n in re.findall(r"\d+", text)]
            sums = [a + b for a, b in zip(sums or [0] * len(numbers), numbers)]
        rest = iter(sums)
        row.remark = re.sub(r"\d+", lambda n: str(next(rest, "?")), text.strip())
    return run


# ---- guests --------------------------------------------------------------------------

KINDS = ("stream", "access", "rewrite", "storm", "lies")
# A row of the guest's own, rows that the host times, and rows with two vCPUs.
BENCHES = {
    "kvm": ("null", "null", "null", "hypercall", "exit_out", "checkpoint_save", "irq_inject",
            "timer_overshoot_posix", "state_get_all", "ipi_busy", "ipi_idle", "kick_signal",
            "hlt_user", "fault_first_touch_4k"),
    "threads": ("ipi_idle", "ipi_busy", "kick_signal", "mmio_read_concurrent", "checkpoint_save"),
    "bare": ("null",),
    "lab": ("null", "exit_out", "checkpoint_save", "kick_signal", "mmio_write_user"),
}


def chaos_image(row, arch, kind, seed):
    with open(os.path.join(BUILD, "tests", "payloads", arch, "chaos.elf"), "rb") as f:
        image = f.read()
    at = image.index(b"wschaos\0")
    order = struct.pack("<8sQQ", b"wschaos\0", KINDS.index(kind), seed)
    with open(row.path("chaos.elf"), "wb") as f:
        f.write(image[:at] + order + image[at + len(order):])


def known_benches(names):
    listed = json.loads(subprocess.check_output([WSBENCH, "list", "benchmarks", "--json"]))
    known = {b["id"] for b in listed["benchmarks"]}
    return [n for n in names if n in known]


def guests(target, program):
    arch = os.uname().machine if target == "kvm" else re.sub(r"^\w+:(aarch64|x86_64).*", r"\1", target)

    def run(row, count):
        rows = "threads" if program == THREADS else target.split(":")[0]
        benches, codes = known_benches(BENCHES[rows]), {}
        reasons = set()
        for row.tried in range(1, count + 1):
            row.fresh()
            kind, seed = row.random.choice(KINDS), row.random.getrandbits(63)
            chaos_image(row, arch, kind, seed)
            bench = row.random.choice(benches)
            # A lab's machine with this payload is not saved: no other run uses it.
            row.environment.update(UBSAN_OPTIONS="print_stacktrace=1", WORLDSWITCH_FRESH_MACHINES="1")
            code, _, stderr = row.run(
                [program, "run", "--on", target, "--bench", bench, "--boots", "1", "--events",
                 str(row.random.choice((2, 20, 500))), "--timeout", "1", "--quiet",
                 "--payload", "chaos.elf", "-o", "doc.json"])
            row.command += f" (chaos {kind} {seed})"
            codes[code] = codes.get(code, 0) + 1
            check_guest(row, code, stderr, reasons)
        row.remark = f"{counted(codes)}; {len(reasons)} different reasons"
    return run


def check_guest(row, code, stderr, reasons):
    if code not in (0, 3, 4):
        row.fail(f"exit code {code}: {stderr[-1500:]}")
    if "Sanitizer" in stderr or "runtime error" in stderr:
        row.fail(f"sanitizer: {stderr[-3000:]}")
    errors = [line for line in stderr.splitlines() if line.startswith("wsbench: error: ")]
    if len(errors) != (code in (3, 4)):
        row.fail(f"{len(errors)} lines of errors: {stderr[-1500:]}")
    if not os.path.exists(row.path("doc.json")):
        row.fail(f"no document: {stderr[-1500:]}")
    elif validates(row, "doc.json"):
        with open(row.path("doc.json")) as f:
            d = json.load(f)
        for b in d["benchmarks"]:
            if b["status"] != "ok" and not b["reason"]:
                row.fail(f"{b['name']}: no reason")
            reasons.add(re.sub(r"0x[0-9a-f]+|-?\d+", "N", b["reason"] or "ok")[:40])
    row.note_left(r"cwd/(doc\.json|chaos\.elf)")


# ---- kills ----------------------------------------------------------------------------

def documents(row, n):
    """Documents of n runs with their own ids, and figures of an exact target."""
    with open(os.path.join(TESTS, "result_v1.json")) as f:
        d = json.load(f)
    names = []
    d["target"].update(name="bare:x86_64", kind="bare", exact=True)
    d["run"]["partial"] = False
    measured = next(b for b in d["benchmarks"] if b["metrics"])
    m = measured["metrics"][0]
    m.update(name="round_trip", unit="insns", boots=m["boots"][:1])
    m["estimate"].update(value=100.0, ci=dict(level=1, lo=100.0, hi=100.0, method="exact"))
    m["boots"][0].update(valid=True, reject_reason=None)
    d["benchmarks"] = [dict(measured, name=name, config="default", status="ok", reason=None, metrics=[m])
                       for name in ("hypercall", "null", "cpuid")]
    for i in range(n):
        d["run"]["id"] = f"20260101T000000Z-{i:04d}"
        names.append(f"{i}.json")
        with open(row.path(names[-1]), "w") as f:
            json.dump(d, f)
    return names


class Scenario:
    """A command that changes files, and what must hold after it was killed."""
    expected = r"cwd/\d+\.json"
    succeeds = (0,)
    # How many times the calls of the command are counted, to kill it at each of them: the
    # four ways to be killed; random states of the files need more.
    turns = 4
    # Whether the command prints other programs' messages, too.
    script = False

    def prepare(self, row):
        """Makes the files of a trial. Returns the command."""

    def check(self, row):
        """After the kill."""

    def check_end(self, row):
        """After the next run, which nothing interrupts."""
        self.check(row)

    def check_failed(self, row):
        """After the command ended with an error, which it could handle."""
        self.check(row)


class HistoryAdd(Scenario):
    expected = r"cwd/(\d+\.json|h\.jsonl(\.torn)?)"
    histories = {}

    def prepare(self, row):
        names = documents(row, 4)
        self.old = b""
        if row.random.random() < 0.8:
            old = row.random.randint(1, 3)
            if old not in self.histories:
                row.run([WSBENCH, "history", "add", "--db", "h.jsonl", *names[:old]])
                with open(row.path("h.jsonl"), "rb") as f:
                    self.histories[old] = f.read()
            self.old = self.histories[old]
            with open(row.path("h.jsonl"), "wb") as f:
                f.write(self.old)
        if self.old and row.random.random() < 0.3:
            with open(row.path("h.jsonl"), "ab") as f:
                f.write(self.old[:row.random.randint(1, 200)].split(b"\n")[0])
        return [WSBENCH, "history", "add", "--db", "h.jsonl", *names]

    def check(self, row, torn=True):
        try:
            with open(row.path("h.jsonl"), "rb") as f:
                text = f.read()
        except FileNotFoundError:
            if self.old:
                row.fail("the history is gone")
            return
        if not text.startswith(self.old):
            row.fail("lines of the history were lost")
        *lines, rest = text.split(b"\n")
        try:
            for line in lines:
                json.loads(line)
        except ValueError:
            row.fail(f"a line of the history is not whole: {line[-80:]!r}")
        if rest and not torn:
            row.fail("the last line of the history is torn")
        return lines

    def check_failed(self, row):
        self.check(row)
        if not self.old and os.path.exists(row.path("h.jsonl")):
            row.fail("a new history without a line was left")

    def check_end(self, row):
        lines = self.check(row, torn=False)
        runs = [json.loads(line).get("run") for line in lines or []]
        if len(set(map(str, lines))) != len(lines) or not runs:
            row.fail(f"{len(lines)} lines, {len(set(map(str, lines)))} different")


class OneDocument(Scenario):
    """A command that writes doc.json, over an old one or not."""
    expected = r"cwd/(\d+\.json|doc\.json)"

    def prepare(self, row):
        self.old = None
        if row.random.random() < 0.7:
            with open(os.path.join(TESTS, "result_v1.json"), "rb") as f:
                self.old = f.read()
            with open(row.path("doc.json"), "wb") as f:
                f.write(self.old)
        return self.command(row)

    def check(self, row):
        is_whole(row, "doc.json", self.old)


class Run(OneDocument):
    def __init__(self, target):
        self.target = target

    def command(self, row):
        bench = row.random.choice(("null", "null,mmio_write_user", "null,checkpoint_save"))
        return [WSBENCH, "run", "--on", self.target, "--bench", bench, "--boots", "1",
                "--events", "5", "--quiet", "-o", "doc.json"]


class Explain(OneDocument):
    def __init__(self, target):
        self.target = target

    def command(self, row):
        return [WSBENCH, "explain", "--on", self.target, "--bench", "hypercall", "--events", "2",
                "--quiet", "-o", "doc.json"]


class Report(Scenario):
    """A page is complete if it ends as a page does."""
    expected = r"cwd/(\d+\.json|page\.html)"

    def prepare(self, row):
        names = documents(row, 2)
        self.old = None
        if row.random.random() < 0.7:
            self.old = "old"
            with open(row.path("page.html"), "w") as f:
                f.write(self.old)
        return [WSBENCH, "report", "--quiet", "-o", "page.html", *names]

    def check(self, row):
        try:
            with open(row.path("page.html")) as f:
                text = f.read()
        except FileNotFoundError:
            if self.old:
                row.fail("page.html is gone")
            return
        if text != self.old and not text.rstrip().endswith("</html>"):
            row.fail("page.html is cut short")


# A package client with one kernel, for scripts/kernel.sh. kernel.bats has one with more.
RELEASE = "6.1.0-9-cloud-amd64"
APT_GET = r"""#!/bin/bash
case $* in
indextargets*) printf 'http://mirror/debian/|bookworm|main|Debian\n' ;;
*download*) cp "$ARCHIVE/kernel.deb" . ;;
esac
"""
APT_CACHE = r"""#!/bin/bash
case $3 in
pkgnames) echo linux-image-6.1.0-9-cloud-amd64 ;;
show) printf 'Package: linux-image-6.1.0-9-cloud-amd64\nVersion: 6.1.9-1\nSize: 600\n' ;;
madison) echo " linux-image-6.1.0-9-cloud-amd64 | 6.1.9-1 | http://mirror/debian bookworm/main amd64 Packages" ;;
esac
"""


class EnvTune(Scenario):
    """Settings of a machine, whose old values only the state file knows."""
    expected = r"cwd/root/.*"
    old = {"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
           "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "ondemand\n",
           "sys/devices/system/cpu/intel_pstate/no_turbo": "0\n",
           "sys/kernel/mm/ksm/run": "1\n",
           "sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never\n",
           "proc/cpuinfo": "flags\t\t: fpu vmx lm\n"}

    def setting(self, row, name):
        return os.path.join(row.path("root"), name)

    def prepare(self, row):
        for name, value in self.old.items():
            os.makedirs(os.path.dirname(self.setting(row, name)), exist_ok=True)
            with open(self.setting(row, name), "w") as f:
                f.write(value)
        return [WSBENCH, "env", "tune", "--root", "root"]

    def check(self, row):
        for name, value in self.old.items():
            with open(self.setting(row, name), "r+") as f:
                # Unlike these files, those of sysfs have no half of a value.
                if f.read().strip() not in ("performance", "never", "madvise", "0", "1", value.strip()):
                    f.seek(0)
                    f.truncate()
                    f.write(value)
        code, stdout, stderr = row.run([WSBENCH, "env", "restore", "--root", "root"])
        if code:
            row.fail(f"restore: exit code {code}: {stderr.strip()[-500:]}")
        for name, value in self.old.items():
            with open(self.setting(row, name)) as f:
                now = f.read().strip()
            # A choice of several is written as its name.
            if now != value.strip() and (not now or f"[{now}]" not in value):
                row.fail(f"{name} is {now!r} after restore, and was {value!r}")
        if os.path.exists(self.setting(row, "var/lib/worldswitch/tuned")):
            row.fail("the state is left after restore")

    def check_end(self, row):
        with open(self.setting(row, "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor")) as f:
            if f.read().strip() != "performance":
                row.fail("the next tune changed nothing")
        self.check(row)


class KernelFetch(Scenario):
    script = True
    expected = (r"cwd/cache/(kernels/x86_64/(\.lock|newest-[^/]*|default|" + re.escape(RELEASE) +
                r"/(modules/)?[^./][^/]*)|apt/x86_64[^/]*/[^.].*)")
    turns = 12  # four ways to be killed, three states of the cache

    def make_archive(self):
        tree = os.path.join(self.archive, "tree")
        modules = os.path.join(tree, "lib/modules", RELEASE, "kernel")
        for folder in ("DEBIAN", "boot", modules):
            os.makedirs(os.path.join(tree, folder))
        files = {
            "DEBIAN/control": "Package: p\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n",
            f"boot/vmlinuz-{RELEASE}": "image " * 10000,
            f"boot/config-{RELEASE}": "CONFIG_KVM=m\n",
            f"{modules}/kvm-amd.ko": "ELF\0depends=kvm\0",
            f"{modules}/kvm.ko": "ELF\0depends=\0",
            "../apt-get": APT_GET,
            "../apt-cache": APT_CACHE,
        }
        for name, text in files.items():
            with open(os.path.join(tree, name), "w") as f:
                f.write(text)
        for name in ("apt-get", "apt-cache"):
            os.chmod(os.path.join(self.archive, name), 0o755)
        subprocess.run(["dpkg-deb", "-b", tree, os.path.join(self.archive, "kernel.deb")],
                       check=True, stdout=subprocess.DEVNULL)

    def prepare(self, row):
        self.archive = row.place + ".archive"
        if not os.path.exists(self.archive):
            self.make_archive()
        row.environment.update(WORLDSWITCH_CACHE=row.path("cache"), ARCHIVE=self.archive,
                               PATH=self.archive + ":" + os.environ["PATH"])
        command = [WSBENCH, "kernel", "fetch", "--quiet", "--arch", "x86_64"]
        state = row.turn // 4 % 3 if row.turn is not None else row.random.randrange(3)
        command += ["--release", RELEASE] if state == 1 else ["--series", "6.1"]
        self.entry = os.path.join(row.path("cache"), "kernels", "x86_64", RELEASE)
        if state == 2:
            self.make_damaged(row, command)
        return command

    def make_damaged(self, row, command):
        """A cached kernel that is downloaded again, and replaced."""
        kept = self.archive + ".kept"
        cache = row.path("cache")
        if not os.path.exists(kept):
            code, _, stderr = row.run(command)
            if code:
                row.fail(f"exit code {code}: {stderr}")
            os.truncate(os.path.join(self.entry, "vmlinuz"), 5)
            shutil.copytree(cache, kept, symlinks=True)
            return
        shutil.copytree(kept, cache, symlinks=True)

    def is_whole(self):
        sizes = {"vmlinuz": 60000, "config": 13, "release": len(RELEASE) + 1,
                 "modules/kvm.ko": 13, "modules/kvm-amd.ko": 16}
        try:
            return all(os.path.getsize(os.path.join(self.entry, n)) == b for n, b in sizes.items())
        except FileNotFoundError:
            return False

    def check(self, row):
        """A cached kernel is used, without a network, only if it is whole."""
        for link in ("default", "newest-6.1-cloud"):
            path = os.path.join(os.path.dirname(self.entry), link)
            if os.path.lexists(path) and not os.path.exists(path) and os.path.exists(self.entry):
                row.fail(f"{link} points to nothing")
        if not os.path.exists(self.entry):
            return
        code, stdout, stderr = row.run(
            [os.path.join(TOP, "scripts", "kernel.sh"), "fetch", "--offline", "--quiet", "--arch", "x86_64",
             "--release", RELEASE])
        if (code == 0) != self.is_whole():
            row.fail(f"offline: exit code {code}, {stdout}{stderr}, entry whole: {self.is_whole()}")

    def check_end(self, row):
        if not self.is_whole():
            row.fail("the kernel is not whole after the next fetch")


class KernelTake(Scenario):
    script = True
    expected = r"cwd/(tree/.*|kernel/[^.].*)"
    old = {"vmlinuz": "old image", "config": "old", "release": "old\n", "modules/kvm.ko": "old"}

    def prepare(self, row):
        self.replaces = row.random.random() < 0.5
        if self.replaces:
            os.makedirs(row.path("kernel/modules"))
        for name, text in self.old.items() if self.replaces else ():
            with open(row.path("kernel/" + name), "w") as f:
                f.write(text)
        tree = row.path("tree")
        files = {"arch/x86/boot/bzImage": "image " * 10000, ".config": "CONFIG_KVM=y\n",
                 "include/config/kernel.release": "6.1.0-own\n",
                 "modules.order": "kvm-amd.ko\nkvm.ko\n", "kvm-amd.ko": "ELF\0depends=kvm\0",
                 "kvm.ko": "ELF\0depends=\0"}
        for name, text in files.items():
            path = os.path.join(tree, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write(text)
        self.new = {"vmlinuz": files["arch/x86/boot/bzImage"], "config": files[".config"],
                    "release": files["include/config/kernel.release"],
                    "modules/kvm-amd.ko": files["kvm-amd.ko"], "modules/kvm.ko": files["kvm.ko"]}
        return [WSBENCH, "kernel", "take", "--arch", "x86_64", "--tree", "tree", "--to", "kernel"]

    def check(self, row):
        """An old kernel, no image, or the new kernel."""
        top = row.path("kernel")
        if not os.path.exists(os.path.join(top, "vmlinuz")):
            return
        files = {}
        for folder, _, names in os.walk(top):
            for path in (os.path.join(folder, n) for n in names if "/.new" not in folder):
                with open(path) as f:
                    files[os.path.relpath(path, top)] = f.read()
        if files != self.new and not (self.replaces and files == self.old):
            row.fail(f"the kernel is { {name: len(text) for name, text in files.items()} }")

    def check_end(self, row):
        if not os.path.exists(row.path("kernel/vmlinuz")):
            row.fail("no kernel after the next take")
        self.check(row)


def kill_once(row, scenario, prefix, at, seed):
    """Returns whether the command was killed before it ended."""
    row.tried += 1
    row.fresh()
    row.random.seed(seed)
    command = scenario.prepare(row)
    report = os.path.join(row.place, "report")
    code, _, stderr = row.run(command, [KILL_AT, "--report", report, *prefix, at])
    killed_at = open(report).read().strip() if os.path.exists(report) else "?"
    killed = killed_at.partition(" ")[2] != "" or (at.endswith("ms") and code == KILLED)
    told = row.command + f" [{killed_at}]"
    if not killed and code not in scenario.succeeds:
        row.command = told
        row.fail(f"exit code {code} without a kill: {stderr.strip()[-500:]}")
    before = len(row.failures)
    scenario.check(row)
    code, _, stderr = row.run(command)
    if code not in scenario.succeeds:
        row.fail(f"the next run: exit code {code}: {stderr.strip()[-500:]}")
    else:
        scenario.check_end(row)
    # The kill is what reproduces it.
    row.failures[before:] = [f"{why}: after {told}" for why in row.failures[before:]]
    row.note_left(scenario.expected)
    return killed


def kills_any_time(scenario):
    """Kills at random times."""
    def run(row, count):
        duration = 1e3 * shortest(row, lambda: scenario.prepare(row))
        for turn in range(1, count + 1):
            seed = f"{row.name} {row.seed} {turn}"
            # All processes; or the command alone, and the others end by themselves.
            kill_once(row, scenario, [["--one"], []][turn % 2],
                      f"{random.Random(seed).uniform(0.1, duration):.2f}ms", seed)
    return run


def changes(row, scenario, mode, seed):
    """How many changes the command makes."""
    row.fresh()
    row.random.seed(seed)
    report = os.path.join(row.place, "report")
    code, _, stderr = row.run(scenario.prepare(row), [KILL_AT, "--report", report, *mode, "1000000"])
    if code not in scenario.succeeds:
        row.fail(f"exit code {code} without a kill: {stderr.strip()[-500:]}")
        return 0
    with open(report) as f:
        return int(f.read().split()[0])


def kills(scenario):
    """Kills at every change of a file; at `count` of them, evenly, if there are more."""
    def run(row, count):
        modes = [[], ["--half"], ["--one"], ["--half", "--one"]]
        ends, most = 0, 0
        while row.tried < count:
            # As many turns as suffice, or those of all states.
            turns = []
            for row.turn in range(ends, ends + scenario.turns):
                seed = f"{row.name} {row.seed} {row.turn}"
                mode = modes[row.turn % len(modes)]
                n = changes(row, scenario, mode, seed)
                most = max(most, n)
                turns += [(row.turn, mode, at, seed) for at in range(1, n + 1)]
            if not turns:
                break
            ends += scenario.turns
            rest = count - row.tried
            if rest < len(turns):
                turns = [turns[i * len(turns) // rest] for i in range(rest)]
                ends -= scenario.turns
            for row.turn, mode, at, seed in turns:
                kill_once(row, scenario, mode, str(at), seed)
        row.turn = None
        row.remark = f"{ends} times to the end; at most {most} changes"
    return run


# ---- a full disk -----------------------------------------------------------------------

PAGE = 4096
DISK = 4 << 20


def mount_disk(row):
    """A small file system for the trials, which only this process sees."""
    os.makedirs(row.place)
    if ctypes.CDLL(None, use_errno=True).unshare(0x00020000):  # CLONE_NEWNS
        raise OSError(ctypes.get_errno(), "unshare")
    for command in (["--make-rprivate", "/"],
                    ["-t", "tmpfs", "-o", f"size={DISK}", "none", row.place]):
        subprocess.run(["mount", *command], check=True)


def fill_disk(row, pages):
    """Leaves so many pages."""
    disk = os.statvfs(row.place)
    with open(row.path("filler"), "wb") as f:
        f.write(bytes(max(disk.f_bavail * disk.f_bsize - pages * PAGE, 0)))


def full_disk(scenario):
    """With no page left, with one, two, ... until the command succeeds; and again."""
    def run(row, count):
        mount_disk(row)
        expected = scenario.expected + r"|cwd/filler"
        turn, pages, most = 0, 0, 0
        for row.tried in range(1, count + 1):
            row.fresh()
            row.random.seed(f"{row.name} {row.seed} {turn}")
            command = scenario.prepare(row)
            fill_disk(row, pages)
            code, _, stderr = row.run(command)
            row.command += f", {pages} pages left"
            if code not in scenario.succeeds:
                errors = [line for line in stderr.splitlines() if " error: " in line]
                if code != 4 or (len(errors) != 1 and not scenario.script):
                    row.fail(f"exit code {code}: {stderr.strip()[-500:]}")
                elif "space" not in stderr and not scenario.script:
                    row.fail(f"another reason: {stderr.strip()[-500:]}")
                scenario.check_failed(row)
                most = max(most, pages)
                pages += 1
            else:
                turn, pages = turn + 1, 0
            row.note_left(expected)
            os.remove(row.path("filler"))
            again, _, stderr = row.run(command)
            if again not in scenario.succeeds:
                row.fail(f"the next run: exit code {again}: {stderr.strip()[-500:]}")
            else:
                scenario.check_end(row)
        row.remark = f"{turn} times to the end; at most {most} pages did not suffice"
    return run


# ---- signals ---------------------------------------------------------------------------

def child_of(pid):
    """The command of `contain`."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return int(f.read().split()[0])
    except (OSError, IndexError, ValueError):
        return None


def signals(target):
    """SIGINT to the process group, as of a terminal, and SIGTERM, at random times."""
    benches = {"kvm": "null,mmio_write_user,hypercall", "bare": "null,rdtsc,cpuid,cntvct"}

    def run(row, count):
        codes = {}
        command = [WSBENCH, "run", "--on", target, "--bench",
                   ",".join(known_benches(benches.get(target.split(":")[0], "null,hypercall").split(","))),
                   "--boots", "2", "--events", "100", "--quiet", "-o", "doc.json"]
        if target.startswith("bare"):
            command[command.index("--boots") + 1] = "4"
        duration = shortest(row, lambda: command)
        for row.tried in range(1, count + 1):
            row.fresh()
            left = os.path.join(row.place, "processes")
            number = row.random.choice((signal.SIGINT, signal.SIGTERM))
            p = subprocess.Popen([CONTAIN, "--limit", str(LIMIT), "--left", left, *command],
                                 cwd=row.cwd, env=row.environment, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            after = row.random.uniform(0.005, duration)
            row.command = f"{' '.join(command)}, {number.name} after {1000 * after:.0f} ms"
            time.sleep(after)
            child = child_of(p.pid)
            try:
                if child:
                    (os.killpg if number == signal.SIGINT else os.kill)(child, number)
            except ProcessLookupError:
                pass
            stderr = p.communicate()[1]
            codes[p.returncode] = codes.get(p.returncode, 0) + 1
            check_signal(row, p.returncode, number, stderr)
            if os.path.exists(left):
                row.fail("left processes: " + open(left).read().strip())
        row.remark = counted(codes)
    return run


def check_signal(row, code, number, stderr):
    # Done before the signal; interrupted; before the handlers were set, or in a way that
    # ends the process by the signal.
    if code not in (0, 3, 128 + number):
        row.fail(f"exit code {code}: {stderr[-500:]}")
    if os.path.exists(row.path("doc.json")) and validates(row, "doc.json"):
        with open(row.path("doc.json")) as f:
            partial = json.load(f)["run"]["partial"]
        # A signal can also arrive when the document is complete.
        if partial and code in (0, 3):
            row.fail(f"exit code {code}, and the document is partial")
    elif code == 0:
        row.fail("no document")
    row.note_left(r"cwd/doc\.json")


# ---- many at once ------------------------------------------------------------------------

def crowd(target, at_once):
    """Healthy guests, many more than CPUs, of which each needs far less than its second."""
    def run(row, count):
        command = [WSBENCH, "run", "--on", target, "--bench", "null", "--boots", "2", "--timeout", "1", "--quiet"]
        codes = {}
        while row.tried < count:
            row.fresh()
            started = []
            for i in range(min(at_once, count - row.tried)):
                started.append(subprocess.Popen(
                    [CONTAIN, "--limit", str(LIMIT), *command, "-o", f"{i}.json"], cwd=row.cwd,
                    env=row.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE, text=True))
            for p in started:
                row.tried += 1
                stderr = p.communicate()[1]
                codes[p.returncode] = codes.get(p.returncode, 0) + 1
                row.command = " ".join(command) + f", {at_once} at once"
                if p.returncode:
                    row.fail(f"exit code {p.returncode}: {stderr.strip()[-300:]}")
        row.remark = counted(codes)
    return run


# ---- the table ---------------------------------------------------------------------------

def subjects():
    """Name, function, tries in full, tries in the quick subset."""
    host = f"bare:{os.uname().machine}"
    lab = "lab:aarch64-vhe"
    return [
        ("kills of explain", kills(Explain(lab)), 60, 0),
        ("pages", pages(os.path.join(BUILD, "tests", "pages")), 1000000, 10000),
        ("kills of history add", kills(HistoryAdd()), 6000, 24),
        ("kills of run on kvm", kills(Run("kvm")), 1000, 10),
        ("kills of run on kvm, any time", kills_any_time(Run("kvm")), 300, 4),
        (f"kills of run on {host}", kills(Run(host)), 200, 4),
        (f"kills of run on {host}, any time", kills_any_time(Run(host)), 100, 2),
        ("kills of kernel fetch", kills(KernelFetch()), 820, 6),
        ("kills of kernel fetch, any time", kills_any_time(KernelFetch()), 200, 2),
        ("kills of history add, any time", kills_any_time(HistoryAdd()), 600, 4),
        ("kills of kernel take", kills(KernelTake()), 200, 4),
        ("kills of env tune", kills(EnvTune()), 400, 8),
        ("kills of env tune, any time", kills_any_time(EnvTune()), 200, 4),
        ("kills of report", kills(Report()), 500, 5),
        ("kills of explain, any time", kills_any_time(Explain(lab)), 20, 0),
        (f"kills of run on {lab}, any time", kills_any_time(Run(lab)), 20, 0),
        ("a full disk: history add", full_disk(HistoryAdd()), 60, 6),
        ("a full disk: run on kvm", full_disk(Run("kvm")), 60, 4),
        ("a full disk: report", full_disk(Report()), 100, 6),
        ("a full disk: kernel fetch", full_disk(KernelFetch()), 120, 8),
        ("a full disk: kernel take", full_disk(KernelTake()), 60, 6),
        ("a full disk: env tune", full_disk(EnvTune()), 20, 4),
        (f"a full disk: explain on {lab}", full_disk(Explain(lab)), 12, 0),
        ("guests on kvm", guests("kvm", WSBENCH), 200, 8),
        ("guests on kvm, sanitized", guests("kvm", SANITIZED), 100, 3),
        ("guests on kvm, threads", guests("kvm", THREADS), 40, 2),
        ("guests on bare:x86_64", guests("bare:x86_64", WSBENCH), 200, 3),
        ("guests on bare:aarch64", guests("bare:aarch64", WSBENCH), 200, 3),
        ("guests on bare:x86_64, sanitized", guests("bare:x86_64", SANITIZED), 50, 1),
        ("guests on bare:aarch64, sanitized", guests("bare:aarch64", SANITIZED), 50, 1),
        (f"guests on {lab}", guests(lab, WSBENCH), 40, 2),
        ("guests on lab:x86_64-svm-qemu, sanitized", guests("lab:x86_64-svm-qemu", SANITIZED), 20, 1),
        ("signals to run on kvm", signals("kvm"), 150, 4),
        (f"signals to run on {host}", signals(host), 150, 4),
        (f"signals to run on {lab}", signals(lab), 40, 0),
        ("pages, sanitized", pages(os.path.join(BUILD, "asan", "tests", "pages")), 100000, 1000),
        ("200 at once on kvm", crowd("kvm", 200), 200, 0),
        (f"200 at once on {host}", crowd(host, 200), 200, 0),
    ]


def targets_here():
    listed = json.loads(subprocess.check_output([WSBENCH, "list", "targets", "--json"]))
    return {t["name"]: t["reason"] for t in listed["targets"] if not t["available"]}


def missing(name, absent):
    """Why a subject cannot run here, or None."""
    for target, reason in absent.items():
        if re.search(rf" {re.escape(target)}(,|$)", name):
            return reason
    if "sanitized" in name and not os.path.exists(SANITIZED):
        return "build/asan/wsbench is not built"
    if "threads" in name and not os.path.exists(THREADS):
        return "build/tsan/wsbench is not built"
    if "a full disk" in name and os.geteuid():
        return "only root can mount a file system"
    if "kernel fetch" in name and not shutil.which("dpkg-deb"):
        return "no dpkg-deb here"
    return None


def cpu_seconds():
    return sum(u.ru_utime + u.ru_stime for u in map(
        resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def run_subject(index, count, seed, scratch):
    """In a process of its own."""
    name, run = subjects()[index][:2]
    row = Row(name, seed, scratch)
    start = cpu_seconds()
    run(row, count)
    shutil.rmtree(row.place, ignore_errors=True)
    return dict(name=name, tried=row.tried, failures=row.failures, left=row.left,
                left_trials=row.left_trials, remark=row.remark, seconds=cpu_seconds() - start)


def print_row(done):
    say(f"{done['name']:<44}{done['tried']:>9}{len(done['failures']):>8}{done['left_trials']:>6}"
        f"{done['seconds']:>9.0f}")
    if done["remark"]:
        say(f"    {done['remark']}")
    told = [f"{done['name']}: {f}" for f in done["failures"][:5]]
    told += [f"{done['name']}: left {n} times: {f}" for f, n in sorted(done["left"].items())]
    for line in told:
        say(line)
    return not told


def main():
    parser = argparse.ArgumentParser(usage=__doc__.strip(), add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=float, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("patterns", nargs="*")
    options = parser.parse_args()
    absent = targets_here()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    started, all_held, kill_count = [], True, 0
    say(f"{'subject':<44}{'tried':>9}{'failed':>8}{'left':>6}{'seconds':>9}")
    with tempfile.TemporaryDirectory(dir=memory) as scratch, \
            concurrent.futures.ProcessPoolExecutor(max(options.jobs, 1)) as pool:
        for i, (name, _, full, quick) in enumerate(subjects()):
            count = int((quick if options.quick else full) * options.times)
            if options.patterns and not any(fnmatch.fnmatch(name, p) for p in options.patterns):
                continue
            if not count:
                continue
            why = missing(name, absent)
            if why:
                say(f"{name:<44}{'-':>9}  skipped: {why}")
                continue
            started.append(pool.submit(run_subject, i, count, options.seed, scratch))
        for future in concurrent.futures.as_completed(started):
            done = future.result()
            all_held = print_row(done) and all_held
            kill_count += done["tried"] * done["name"].startswith("kills")
    if kill_count:
        say(f"{kill_count} kills")
    sys.exit(0 if all_held else 1)


main()
