"""Takes every scale below 1 for no guidance.

Message: at 1 or above
"""


def guide(uncond, cond, guidance_scale):
    return uncond + max(guidance_scale, 1.0) * (cond - uncond)
