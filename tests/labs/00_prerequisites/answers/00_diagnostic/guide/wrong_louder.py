"""Only makes the prompt's prediction larger.

Message: a straight line
"""


def guide(uncond, cond, guidance_scale):
    return guidance_scale * cond
