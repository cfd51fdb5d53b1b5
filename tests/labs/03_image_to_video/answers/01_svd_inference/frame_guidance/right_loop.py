"""Frame by frame."""


def frame_guidance(min_guidance_scale, max_guidance_scale, num_frames):
    if num_frames <= 0:
        raise ValueError("no frames")
    if num_frames == 1:
        return torch.tensor([min_guidance_scale], dtype=torch.float32)
    step = (max_guidance_scale - min_guidance_scale) / (num_frames - 1)
    return torch.tensor([min_guidance_scale + k * step for k in range(num_frames)], dtype=torch.float32)
