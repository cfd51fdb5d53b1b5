"""Takes a weighted average.

Message: a straight line
"""


def guide(uncond, cond, guidance_scale):
    return (uncond + guidance_scale * cond) / (1 + guidance_scale)
