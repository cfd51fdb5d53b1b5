"""Adds the whole of cond.

Message: whole of cond
"""


def guide(uncond, cond, guidance_scale):
    return uncond + guidance_scale * cond
