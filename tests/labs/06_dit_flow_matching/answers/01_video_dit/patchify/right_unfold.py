"""Slices each axis by Tensor.unfold."""


def patchify(clip, patch_size):
    if clip.ndim != 5 or any(p <= 0 or n % p != 0 for n, p in zip(clip.shape[-3:], patch_size)):
        raise ValueError(f"{patch_size} on {clip.shape}")
    for axis, p in enumerate(patch_size, 2):
        clip = clip.unfold(axis, p, p)  # in the end (B, C, t, h, w, pt, ph, pw)
    return clip.movedim(1, 4).flatten(4).flatten(1, 3)
