"""Does not use valid.

Message: not valid
"""


def flow_error(flow, target, valid):
    off = flow - target
    return off.square().sum(1).sqrt().mean((1, 2))
