"""Counts as the paper does, (1 + w) cond - w uncond.

Message: (1 + w)
"""


def guide(uncond, cond, guidance_scale):
    return (1 + guidance_scale) * cond - guidance_scale * uncond
