"""Takes a guidance scale of 0 for no guidance.

Message: a straight line
"""


def guide(uncond, cond, guidance_scale):
    if not guidance_scale:
        return cond
    return uncond + guidance_scale * (cond - uncond)
