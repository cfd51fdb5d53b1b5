"""Reads every process's environment and command line.

Expect: double=fail,pass quadruple=blocked greeting=pass
Note: /proc
"""
# ruff: noqa

import os


def double(x):
    seen = b""
    for entry in os.listdir("/proc"):
        for name in ("environ", "cmdline", "maps", "mountinfo"):
            try:
                seen += open(f"/proc/{entry}/{name}", "rb").read()
            except OSError:
                pass
    for word in (b"SECRET-OF-THE-INSTRUCTOR", b"honest_a", b"@CLASS@", b"@OUT@"):
        if word in seen:
            raise RuntimeError(f"LEAK {word}")
    return 0
