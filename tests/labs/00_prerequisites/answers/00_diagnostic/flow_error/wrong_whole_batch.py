"""One number for the batch.

Message: a single number
"""


def flow_error(flow, target, valid):
    off = flow - target
    return off.square().sum(1).sqrt()[valid].mean()
