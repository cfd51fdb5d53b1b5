"""Clamps the guided prediction.

Message: clamped
"""


def guide(uncond, cond, guidance_scale):
    return (uncond + guidance_scale * (cond - uncond)).clamp(-1, 1)
