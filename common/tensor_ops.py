"""Small operations on tensors that every part of the library shares. Clips are `(B, C, T, H, W)`."""

import torch
from einops import rearrange


def append_dims(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Give a value per sample the axes it needs to meet a batch: `(B,)` beside `(B, C, T, H, W)` is `(B, 1, 1, 1, 1)`.

    Every place where a number per sample meets a tensor goes through here, because plain broadcasting would line the
    number up with the last axis instead of the first.

    Args:
        values: `(B,)`, or any leading axes of `like`, such as `(B, T)` against `(B, T, D)`.
        like: the tensor that the result will meet.

    Returns:
        A view of `values` with `like.ndim` axes.

    Raises:
        ValueError: `values` has more axes than `like`, or its axes fit neither `like`'s first ones nor 1.
    """
    if values.ndim > like.ndim:
        raise ValueError(f"values {tuple(values.shape)} have more axes than the tensor {tuple(like.shape)}")
    if any(v not in (1, n) for v, n in zip(values.shape, like.shape)):
        raise ValueError(f"values {tuple(values.shape)} do not line up with the first axes of {tuple(like.shape)}")
    return values[(...,) + (None,) * (like.ndim - values.ndim)]


def from_uint8(pixels: torch.Tensor, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Pixels 0 to 255, of any shape, as the library's floats in [-1, 1]."""
    return pixels.to(dtype) / 127.5 - 1


def to_uint8(clip: torch.Tensor) -> torch.Tensor:
    """The way back from `from_uint8`: floats, clamped to [-1, 1], as the nearest of the pixels 0 to 255, on the CPU."""
    return ((clip.detach().float().cpu().clamp(-1, 1) + 1) * 127.5).round().byte()


def patchify(clip: torch.Tensor, patch_size: tuple[int, int, int]) -> torch.Tensor:
    """Patchify: cut a clip into blocks of `(T, H, W)` and lay each one out as a vector.

    Args:
        clip: `(B, C, T, H, W)`.
        patch_size: frames, rows and columns of a block; each is at least 1 and divides its axis.

    Returns:
        `(B, T/pt * H/ph * W/pw, C * pt * ph * pw)`: blocks in the order time, row, column; inside a block the order is
        channel, time, row, column.

    Raises:
        ValueError: the clip has not five axes, or a patch size is below 1 or does not divide its axis.
    """
    if clip.ndim != 5:
        raise ValueError(f"patchify takes (B, C, T, H, W), got {tuple(clip.shape)}")
    if any(p < 1 or n % p for n, p in zip(clip.shape[2:], patch_size, strict=True)):
        raise ValueError(f"patches of {tuple(patch_size)} do not tile a clip of (T, H, W) = {tuple(clip.shape[2:])}")
    pt, ph, pw = patch_size
    return rearrange(clip, "b c (t pt) (h ph) (w pw) -> b (t h w) (c pt ph pw)", pt=pt, ph=ph, pw=pw)


def unpatchify(
    patches: torch.Tensor, patch_size: tuple[int, int, int], clip_size: tuple[int, int, int]
) -> torch.Tensor:
    """Put the blocks of `patchify` back together.

    Args:
        patches: `(B, T/pt * H/ph * W/pw, C * pt * ph * pw)`.
        patch_size: frames, rows and columns of a block, as given to `patchify`.
        clip_size: `(T, H, W)` of the clip.

    Returns:
        `(B, C, T, H, W)`.

    Raises:
        ValueError: the number of blocks or their length does not belong to a clip of this size.
    """
    if any(p < 1 or n % p for n, p in zip(clip_size, patch_size, strict=True)):
        raise ValueError(f"patches of {tuple(patch_size)} do not tile a clip of (T, H, W) = {tuple(clip_size)}")
    pt, ph, pw = patch_size
    t, h, w = (n // p for n, p in zip(clip_size, patch_size))
    if patches.ndim != 3 or patches.shape[1] != t * h * w or patches.shape[2] % (pt * ph * pw):
        raise ValueError(
            f"a clip of {tuple(clip_size)} in patches of {tuple(patch_size)} has {t * h * w} vectors whose length is a "
            f"multiple of {pt * ph * pw}; got {tuple(patches.shape)}"
        )
    return rearrange(patches, "b (t h w) (c pt ph pw) -> b c (t pt) (h ph) (w pw)", t=t, h=h, w=w, pt=pt, ph=ph, pw=pw)
