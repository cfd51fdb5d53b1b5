"""Numbers the frames that the encoder sees."""


def causal_downsample(encoder, clip, caches=None, ratio=4):
    num_frames = clip.size(2)
    if caches is not None:
        if num_frames == 0 or num_frames % ratio:
            raise ValueError(f"{num_frames} frames are no groups of {ratio}")
        return encoder(clip, caches)
    if num_frames == 0 or (num_frames - 1) % ratio:
        raise ValueError(f"{num_frames} frames are not 1 + {ratio} k")
    order = [0] * (ratio - 1) + list(range(num_frames))
    return encoder(clip[:, :, order], None)
