"""Adds into the prediction that it was given.

Message: changed the uncond
"""


def guide(uncond, cond, guidance_scale):
    return uncond.add_(guidance_scale * (cond - uncond))
