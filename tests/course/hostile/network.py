"""Asks a server for the answer.

Expect: double=error quadruple=blocked greeting=pass
Note: the network
"""
# ruff: noqa

import socket


def double(x):
    with socket.create_connection(("127.0.0.1", int("@PORT@")), timeout=1) as server:
        return int(server.recv(16))
