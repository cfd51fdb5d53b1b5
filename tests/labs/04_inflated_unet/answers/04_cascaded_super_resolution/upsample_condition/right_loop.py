"""Frame by frame, channel by channel."""


def upsample_condition(latents, mean, std, scale_factor=2):
    if latents.dim() != 5:
        raise ValueError("latents have five axes")
    mean, std = torch.as_tensor(mean), torch.as_tensor(std)
    channels = latents.shape[1]
    if tuple(mean.shape) != (channels,) or tuple(std.shape) != (channels,):
        raise ValueError("one mean and one std per channel")
    if bool((std <= 0).any()) or scale_factor < 1:
        raise ValueError("std must be positive, the factor at least 1")
    frames = []
    for frame in latents.float().unbind(dim=2) if latents.dtype != torch.float64 else latents.unbind(dim=2):
        height, width = frame.shape[-2:]
        size = (height * scale_factor, width * scale_factor)
        large = F.interpolate(frame, size=size, mode="bilinear", align_corners=False)
        columns = [(large[:, c] - mean[c].to(large)) / std[c].to(large) for c in range(channels)]
        frames.append(torch.stack(columns, dim=1))
    return torch.stack(frames, dim=2).to(latents.dtype)
