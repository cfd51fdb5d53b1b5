"""Trilinear with a factor of 1 for time, and normalised first: an affine map and interpolation can be exchanged."""


def upsample_condition(latents, mean, std, scale_factor=2):
    work = latents if latents.dtype == torch.float64 else latents.float()
    mean = torch.as_tensor(mean, dtype=work.dtype)
    std = torch.as_tensor(std, dtype=work.dtype)
    if latents.ndim != 5 or mean.shape != (latents.shape[1],) or std.shape != (latents.shape[1],):
        raise ValueError(f"shapes do not belong together: {latents.shape}, {mean.shape}, {std.shape}")
    if std.min() <= 0:
        raise ValueError("a standard deviation is above 0")
    if scale_factor < 1:
        raise ValueError("scale_factor is from 1 on")
    normal = (work - mean.view(1, -1, 1, 1, 1)) / std.view(1, -1, 1, 1, 1)
    large = F.interpolate(normal, scale_factor=(1, scale_factor, scale_factor), mode="trilinear", align_corners=False)
    return large.to(latents.dtype)
