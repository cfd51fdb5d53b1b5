"""Walks away from the prompt.

Message: away from the prompt
"""


def guide(uncond, cond, guidance_scale):
    return uncond + guidance_scale * (uncond - cond)
