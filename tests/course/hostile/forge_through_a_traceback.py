"""Climbs the stack without asking for it: through an exception.

Expect: double=error quadruple=error greeting=error
Note: read `tb_frame`
"""
# ruff: noqa


def double(x):
    try:
        raise ValueError
    except ValueError as error:
        frame = error.__traceback__.tb_frame.f_back
    while frame:
        if "tell" in frame.f_locals:
            frame.f_locals["tell"]("end", "test_double_of_three", "pass", "", [])
        frame = frame.f_back
    return 0
