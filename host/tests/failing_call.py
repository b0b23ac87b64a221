#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
failing_call.py CALL ERRNO COMMAND [ARG...]: runs a command in which a system call fails.

CALL is madvise, userfaultfd, landlock_create_ruleset, or the hexadecimal request of an ioctl (0xae01). The kernel
returns ERRNO (ENOSYS, EBUSY, ...) for it, by a seccomp filter that the command inherits.
With 0 as ERRNO the call succeeds without an effect.
"""
import ctypes
import errno
import os
import platform
import struct
import sys

AUDIT_ARCH, NUMBERS = {
    "x86_64": (0xC000003E, {"madvise": 28, "userfaultfd": 323, "ioctl": 16,
                            "landlock_create_ruleset": 444}),
    "aarch64": (0xC00000B7, {"madvise": 233, "userfaultfd": 282, "ioctl": 29,
                             "landlock_create_ruleset": 444}),
}[platform.machine()]

# struct seccomp_data: nr, arch, instruction_pointer, args[6]; <linux/bpf_common.h>.
NR, ARCH, REQUEST = 0, 4, 16 + 8
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def program(call, error):
    tests = [(ARCH, AUDIT_ARCH)]
    if call.startswith("0x"):
        tests += [(NR, NUMBERS["ioctl"]), (REQUEST, int(call, 16))]
    else:
        tests += [(NR, NUMBERS[call])]
    steps = []
    for i, (offset, value) in enumerate(tests):
        # If not equal, jump to the last but one instruction, "allow".
        steps += [(LOAD, 0, 0, offset),
                  (JUMP_EQUAL, 0, 2 * (len(tests) - i - 1) + 1, value)]
    steps += [(RETURN, 0, 0, ERRNO | error), (RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("=HBBI", *s) for s in steps), len(steps)


def main():
    call, error, *command = sys.argv[1:]
    text, length = program(call, 0 if error == "0" else getattr(errno, error))
    libc = ctypes.CDLL(None, use_errno=True)
    filters = Program(length, text)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
            PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filters), 0, 0):
        sys.exit(f"failing_call.py: prctl: {os.strerror(ctypes.get_errno())}")
    os.execvp(command[0], command)


main()
