"""One file larger than a worker may write.

Expect: double=pass,error quadruple=pass greeting=pass
"""
# ruff: noqa


def double(x):
    if x == -2:
        with open("/tmp/large", "wb") as file:
            file.seek(1 << 30)
            file.write(b"end")
    return 2 * x
