"""Calls the library.

Message: write your own
"""


def flow_to_color(flow, *, max_flow=None):
    from common.show import flow_to_color

    return flow_to_color(flow, max_flow=max_flow)
