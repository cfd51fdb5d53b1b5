"""A cell that raises KeyboardInterrupt while the notebook loads.

Expect: double=error quadruple=error,blocked greeting=error
"""
# ruff: noqa

raise KeyboardInterrupt
