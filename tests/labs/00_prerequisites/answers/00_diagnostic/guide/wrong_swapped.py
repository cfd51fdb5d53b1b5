"""Changes the two places.

Message: changed places
"""


def guide(uncond, cond, guidance_scale):
    return cond + guidance_scale * (uncond - cond)
