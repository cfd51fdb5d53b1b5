"""Reads another student's notebook.

Expect: double=error quadruple=blocked greeting=pass
"""
# ruff: noqa

import json


def double(x):
    cells = json.load(open("@CLASS@/honest_a.ipynb"))["cells"]
    scope = {}
    for cell in cells:
        if "def double" in cell["source"]:
            exec(cell["source"], scope)
    return scope["double"](x)
