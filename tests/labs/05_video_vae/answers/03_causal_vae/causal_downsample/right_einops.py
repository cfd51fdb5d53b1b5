"""Repeats by torch.repeat_interleave: the first frame ratio times, the others once."""


def causal_downsample(encoder, clip, caches=None, ratio=4):
    first = 1 if caches is None else 0
    rest = clip.shape[2] - first
    if rest < 0 or rest % ratio or clip.shape[2] == 0:
        raise ValueError("not so many frames")
    if first:
        counts = torch.ones(clip.shape[2], dtype=torch.long, device=clip.device)
        counts[0] = ratio
        clip = torch.repeat_interleave(clip, counts, dim=2)
    latents, caches = encoder(clip, caches=caches)
    return latents, caches
