"""torch.lerp, whose weight may be above 1."""


def guide(uncond, cond, guidance_scale):
    return torch.lerp(uncond, cond, guidance_scale)
