"""As two weights that add up to 1."""


def guide(uncond, cond, guidance_scale):
    return guidance_scale * cond + (1 - guidance_scale) * uncond
