"""A mix of both ends."""


def frame_guidance(min_guidance_scale, max_guidance_scale, num_frames):
    if not num_frames >= 1:
        raise ValueError(num_frames)
    share = torch.arange(num_frames).float() / max(num_frames - 1, 1)
    return (1 - share) * min_guidance_scale + share * max_guidance_scale
