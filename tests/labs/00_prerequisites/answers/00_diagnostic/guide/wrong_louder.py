"""Only makes the prompt's prediction larger.

Message: only multiplied
"""


def guide(uncond, cond, guidance_scale):
    return guidance_scale * cond
