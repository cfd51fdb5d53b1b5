"""What callers of a pipeline may give, made one kind of thing each: prompts, random generators, first frames."""

from collections.abc import Sequence
from numbers import Integral

import numpy as np
import torch
from einops import rearrange
from PIL import Image

from common.tensor_ops import from_uint8

SLACK = 1e-3  # by which a pixel may leave its range: half precision and resizing round
SEEDS = range(-(2**63), 2**64)  # what a torch.Generator takes

Seed = int | torch.Generator
Picture = Image.Image | np.ndarray | torch.Tensor


def channels_of(name: str, part, key: str) -> int:
    """The number of latents' channels that a part of a pipeline has in its config.

    Raises:
        ValueError: it is not a model, or one that works on no latents.
    """
    if not isinstance(part, torch.nn.Module):
        raise ValueError(f"the {name} is a model, got {part!r}")
    if key not in getattr(part, "config", {}):
        raise ValueError(f"the {name} is a model with {key} in its config, got a {type(part).__name__}")
    return part.config[key]


def demand_whole(**numbers) -> None:
    """Refuse a size or a count that is not a whole number.

    Raises:
        ValueError: one of them is not.
    """
    for name, number in numbers.items():
        if not isinstance(number, Integral) or isinstance(number, bool):
            raise ValueError(f"{name} is a whole number, got {number!r}")


def prompt_list(prompt: str | Sequence[str], num_videos_per_prompt: int = 1) -> list[str]:
    """One or more prompts as a list, each of them `num_videos_per_prompt` times in a row, as diffusers has them.

    Raises:
        ValueError: there is no prompt, one is not a string, or the number is below 1.
    """
    if not isinstance(num_videos_per_prompt, Integral) or num_videos_per_prompt < 1:
        raise ValueError(f"num_videos_per_prompt is a whole number from 1, got {num_videos_per_prompt!r}")
    prompts = _texts("prompt", prompt)
    if not prompts:
        raise ValueError("there is no prompt")
    return [text for text in prompts for _ in range(num_videos_per_prompt)]


def negative_list(negative_prompt: str | Sequence[str] | None, num_prompts: int, num_videos_per_prompt: int = 1):
    """A negative prompt for each video: None is the empty one, a string is that of all, a list has one per prompt.

    Raises:
        ValueError: a list of another length, or something that is not a string.
    """
    if negative_prompt is None or isinstance(negative_prompt, str):
        return [negative_prompt or ""] * (num_prompts * num_videos_per_prompt)
    texts = _texts("negative_prompt", negative_prompt)
    if len(texts) != num_prompts:
        raise ValueError(f"negative prompts are one for each prompt: {len(texts)} for {num_prompts} prompts")
    return [text for text in texts for _ in range(num_videos_per_prompt)]


def generator_for(generator: Seed | Sequence[Seed] | None, num_videos: int):
    """Where noise comes from: a `torch.Generator`, a list with one per video, or None for torch's own.

    An int is the seed of one generator for the whole batch. A list or a tuple holds a seed or a generator per video.

    Raises:
        ValueError: there are more or fewer than videos, or one is something else.
    """
    if generator is None or isinstance(generator, (torch.Generator, Integral)):
        return None if generator is None else _generator(generator)
    if not isinstance(generator, (list, tuple)):
        raise ValueError(f"a generator is a torch.Generator, a seed, or a list of them; got {generator!r}")
    if len(generator) != num_videos:
        raise ValueError(f"generators are one for each video: {len(generator)} for {num_videos} videos")
    return [_generator(each) for each in generator]


def first_frames(
    image: Picture | Sequence[Picture], height: int, width: int, num_prompts: int, num_videos_per_prompt: int = 1
) -> torch.Tensor:
    """Pictures to begin with, one for each video.

    Args:
        image: one picture for all prompts, or one for each, as a list or an array or tensor with one axis more.
            A PIL image of any mode and size (what is transparent becomes white). An array `(H, W, 3)`, uint8, or
            floats in [0, 1]. A tensor `(3, H, W)`, uint8, or floats in [-1, 1]. So each is what the pipeline gives as
            "pil", "np" and "pt".
        height, width: of the frame. A PIL image is resized to them, an array or a tensor has them.
        num_prompts: of the call.
        num_videos_per_prompt: of the call.

    Returns:
        float32 `(num_prompts * num_videos_per_prompt, 3, height, width)` in [-1, 1].

    Raises:
        ValueError: none of these, another size, values out of range, or another number of pictures.
    """
    if isinstance(image, (np.ndarray, torch.Tensor)) and image.ndim == 4:
        image = list(image)
    pictures = list(image) if isinstance(image, (list, tuple)) else [image]
    if len(pictures) not in (1, num_prompts):
        raise ValueError(f"images are one, or one for each prompt: {len(pictures)} for {num_prompts} prompts")
    frames = torch.stack([_frame(picture, height, width) for picture in pictures])  # (1 or B, 3, H, W)
    return frames.expand(num_prompts, -1, -1, -1).repeat_interleave(num_videos_per_prompt, dim=0)


def as_rgb(picture: Image.Image) -> Image.Image:
    """A picture of any mode as RGB; what is transparent becomes white.

    Raises:
        ValueError: its values have no agreed range (32-bit integers, floats).
    """
    if picture.mode.startswith("I;16"):
        picture = Image.fromarray((np.asarray(picture, np.uint16) / 257).round().astype(np.uint8))
    if picture.mode in ("I", "F"):
        raise ValueError(f"a picture of mode {picture.mode!r} has no agreed white; save it with 8 or 16 bits")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")


def _texts(name: str, given) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, (list, tuple)) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{name} is a string or a list of strings, got {given!r}")
    return list(texts)


def _generator(given: Seed) -> torch.Generator:
    if isinstance(given, torch.Generator):
        return given
    if not isinstance(given, Integral) or isinstance(given, bool) or int(given) not in SEEDS:
        raise ValueError(f"a generator is a torch.Generator, or a seed of 64 bits; got {given!r}")
    return torch.Generator().manual_seed(int(given))


def _frame(picture: Picture, height: int, width: int) -> torch.Tensor:
    """One picture as float32 `(3, height, width)` in [-1, 1]."""
    if isinstance(picture, Image.Image):
        resized = as_rgb(picture).resize((width, height), Image.Resampling.LANCZOS)  # as diffusers resizes
        return _frame(np.array(resized), height, width)
    if isinstance(picture, np.ndarray):
        shape, lowest = (height, width, 3), 0.0
    elif isinstance(picture, torch.Tensor):
        shape, lowest = (3, height, width), -1.0
    else:
        raise ValueError(f"an image is a PIL image, an array or a tensor; got {type(picture).__name__}")
    if tuple(picture.shape) != shape:
        raise ValueError(f"an image is {shape} here, or several of them; got {tuple(picture.shape)}")
    if isinstance(picture, torch.Tensor):
        pixels = picture.detach().cpu()
    else:
        pixels = rearrange(torch.tensor(np.ascontiguousarray(picture)), "h w c -> c h w")
    if pixels.dtype == torch.uint8:
        return from_uint8(pixels)
    if not pixels.is_floating_point():
        raise ValueError(f"an image holds uint8 or floats, got {pixels.dtype}")
    low, high = float(pixels.min()), float(pixels.max())
    if not lowest - SLACK <= low <= high <= 1 + SLACK:  # NaN is in no range
        kind = "array" if lowest == 0 else "tensor"
        raise ValueError(f"floats of an image {kind} are in [{lowest:g}, 1], got {low:.3g} to {high:.3g}")
    pixels = pixels.float()
    return (pixels if lowest == -1 else 2 * pixels - 1).clamp(-1, 1)
