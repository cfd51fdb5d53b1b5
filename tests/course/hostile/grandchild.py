"""A child that would outlive its parent.

Expect: double=error quadruple=blocked greeting=pass
Note: other processes
"""
# ruff: noqa

import subprocess


def double(x):
    subprocess.Popen(["/bin/sh", "-c", "sleep 987654"], start_new_session=True)
    return 2 * x
