"""Forgets where the direction starts.

Message: where it starts
"""


def guide(uncond, cond, guidance_scale):
    return guidance_scale * (cond - uncond)
