#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command on a pseudo-terminal, and can press Ctrl-C.

Usage: on_terminal.py [--interrupt REGEX] [--split FILE] COMMAND...

Prints the output of the terminal. With --interrupt, Ctrl-C is typed as soon as the output
matches; exit code 125 if the output never matches. With --split, only stderr is the
terminal, and stdout is the file. The exit code is that of the command; 128 + n if signal
n ended the command; 124 after 10 minutes.
"""
import argparse
import os
import pty
import re
import select
import sys
import time

LIMIT_S = 600


def start(args):
    pid, terminal = pty.fork()
    if pid:
        return pid, terminal
    os.environ["TERM"] = "xterm"
    if args.split:
        out = os.open(args.split, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(out, 1)
    os.execvp(args.command[0], args.command)


def converse(args, terminal):
    """What was printed, and whether Ctrl-C was typed; None after the time limit."""
    printed, typed, end = b"", False, time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side is closed
            piece = b""
        if not piece:
            return printed, typed
        printed += piece
        if args.interrupt and not typed and re.search(args.interrupt.encode(), printed):
            os.write(terminal, b"\x03")
            typed = True
    return None, typed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interrupt")
    parser.add_argument("--split")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    pid, terminal = start(args)
    printed, typed = converse(args, terminal)
    if printed is None:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        sys.exit(124)
    sys.stdout.buffer.write(printed)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if args.interrupt and not typed:
        sys.exit(125)
    sys.exit(code if code >= 0 else 128 - code)


main()
