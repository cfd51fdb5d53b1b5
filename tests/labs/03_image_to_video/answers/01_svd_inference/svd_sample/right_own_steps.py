"""Around level_pairs, the slope first."""


def svd_sample(denoise, x, sigmas, guidance_scale=None):
    if guidance_scale is not None:
        if guidance_scale.ndim != 1 or guidance_scale.numel() != x.size(2):
            raise ValueError(f"scales: {guidance_scale.shape}")
    y = x.to(torch.float32)
    for number, (now, then) in enumerate(level_pairs(sigmas, y)):
        if guidance_scale is None:
            guess = denoise(y, now).to(torch.float32)
        else:
            pair = denoise(torch.cat((y, y), 0), torch.cat((now, now), 0)).to(torch.float32)
            plain, told = pair.split(len(y))
            guess = torch.lerp(plain, told, guidance_scale.to(y)[:, None, None].expand_as(plain))
        slope = (y - guess) / now[:, None, None, None, None]
        y = y + (then - now)[:, None, None, None, None] * slope
        yield Step(index=number, level=now, sample=y, denoised=guess)
