"""Uses lerp with a weight held between 0 and 1.

Message: held at 1
"""


def guide(uncond, cond, guidance_scale):
    return torch.lerp(uncond, cond, min(guidance_scale, 1.0))
