"""Keeps memory in connections that no one accepts: the kernel holds it, and no limit of a process counts it.

Expect: double=error quadruple=blocked greeting=pass
Note: the network
"""
# ruff: noqa

import socket


def double(x):
    server = socket.socket(socket.AF_UNIX)
    server.bind("\0store")
    server.listen(4096)
    for _ in range(4000):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("\0store")
            client.setblocking(False)
            client.send(bytes(150_000))
    return 2 * x
