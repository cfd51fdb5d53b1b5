"""Changes the two places.

Message: uncond and cond are swapped
"""


def guide(uncond, cond, guidance_scale):
    return cond + guidance_scale * (uncond - cond)
