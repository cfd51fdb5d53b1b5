"""From cond on, by g - 1."""


def guide(uncond, cond, guidance_scale):
    return cond + (guidance_scale - 1) * (cond - uncond)
