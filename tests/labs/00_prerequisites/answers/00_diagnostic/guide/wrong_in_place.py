"""Adds into the prediction that it was given.

Message: in place
"""


def guide(uncond, cond, guidance_scale):
    return uncond.add_(guidance_scale * (cond - uncond))
