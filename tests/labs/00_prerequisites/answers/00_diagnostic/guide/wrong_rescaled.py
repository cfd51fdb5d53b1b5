"""Scales the result back to cond's spread.

Message: a straight line
"""


def guide(uncond, cond, guidance_scale):
    out = uncond + guidance_scale * (cond - uncond)
    return out * (cond.std() / out.std())
