"""A system-call filter for the sandbox: no new processes, no tracing, no uncounted memory, no second sandbox.

A memory limit counts one process, so a program that may fork has no limit at all, and the limit on the number of
processes (`RLIMIT_NPROC`) does not bind when the instructor is root. Student code needs threads but never a second
process, so the filter lets `clone` through only for threads. What it refuses ends as `PermissionError` in Python.

The filter is classic BPF, the form that `bwrap --seccomp FD` reads: 8 bytes an instruction (code, jump if true, jump if
false, operand). It looks at the fields of `struct seccomp_data`: number at 0, architecture at 4, first argument at 16.
"""

import platform
import struct

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050000 | 1, 0x00050000 | 38
CLONE_THREAD = 0x00010000
X32_BIT = 0x40000000  # the second table of system calls that x86-64 kernels may offer

# Numbers from the kernel's tables (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h).
REFUSED = {
    "x86_64": {
        "fork": 57, "vfork": 58, "ptrace": 101, "pivot_root": 155, "mount": 165, "umount2": 166, "add_key": 248,
        "request_key": 249, "keyctl": 250, "unshare": 272, "perf_event_open": 298, "setns": 308,
        "process_vm_readv": 310, "process_vm_writev": 311, "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425,
        "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430,
        "pidfd_getfd": 438, "shmget": 29, "msgget": 68, "memfd_create": 319,
        "memfd_secret": 447, "socket": 41,
    },
    "aarch64": {
        "ptrace": 117, "pivot_root": 41, "mount": 40, "umount2": 39, "add_key": 217, "request_key": 218, "keyctl": 219,
        "unshare": 97, "perf_event_open": 241, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271,
        "bpf": 280, "userfaultfd": 282, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
        "open_tree": 428, "move_mount": 429, "fsopen": 430, "pidfd_getfd": 438, "shmget": 194, "msgget": 186,
        "memfd_create": 279, "memfd_secret": 447, "socket": 198,
    },
}  # fmt: skip
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435  # its flags are in memory that a filter cannot read: "no such call" makes libc fall back to clone
AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def _step(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, operand)


def program(machine: str | None = None) -> bytes | None:
    """The filter for this machine, or None where we have no table for its processor."""
    machine = machine or platform.machine()
    if machine not in REFUSED:
        return None
    steps = [
        _step(LOAD, ARCHITECTURE),
        _step(JUMP_EQUAL, AUDIT_ARCHITECTURE[machine], 1, 0),
        _step(RETURN, KILL),
        _step(LOAD, NUMBER),
    ]
    if machine == "x86_64":
        steps += [_step(JUMP_AT_LEAST, X32_BIT, 0, 1), _step(RETURN, ENOSYS)]
    for number in sorted(REFUSED[machine].values()):
        steps += [_step(JUMP_EQUAL, number, 0, 1), _step(RETURN, EPERM)]
    steps += [_step(JUMP_EQUAL, CLONE3, 0, 1), _step(RETURN, ENOSYS)]
    steps += [
        _step(JUMP_EQUAL, CLONE[machine], 0, 3),
        _step(LOAD, FIRST_ARGUMENT),
        _step(JUMP_ANY_BIT, CLONE_THREAD, 1, 0),
        _step(RETURN, EPERM),
        _step(RETURN, ALLOW),
    ]
    return b"".join(steps)
