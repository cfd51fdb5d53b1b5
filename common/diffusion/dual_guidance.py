"""Classifier-free guidance with two conditions: a strength for the picture, and one for the text.

    DualGuidance(velocity, text, no_text, image_scale=2.0, text_scale=3.0, eps=eps)(x, level)

The model is asked three times: with neither, with the picture alone, with both. In image-to-video the picture *is* the
first latent frame, so it is withheld by noise.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch


def dual_guidance(
    uncond: torch.Tensor, image: torch.Tensor, both: torch.Tensor, image_scale: float, text_scale: float
) -> torch.Tensor:
    """Guidance by picture and by text, each with its own strength (InstructPix2Pix, arXiv:2211.09800, eq. 3).

        uncond + image_scale (image - uncond) + text_scale (both - image)

    Strengths of 1 and 1 give `both`. Equal strengths give plain guidance from `uncond` to `both`.

    Args:
        uncond: the prediction with neither picture nor text, `(B, ...)`, floats.
        image: with the picture alone, as `uncond`.
        both: with picture and text, as `uncond`.
        image_scale: from 0; 0 leaves the picture out.
        text_scale: from 0; 0 leaves the text out.

    Returns:
        As `uncond`, in its dtype.

    Raises:
        ValueError: the three have different shapes, or a strength is below 0.
    """
    if not uncond.shape == image.shape == both.shape:
        raise ValueError(f"three predictions of one shape; got {[tuple(p.shape) for p in (uncond, image, both)]}")
    if image_scale < 0 or text_scale < 0:
        raise ValueError(f"a strength is 0 or more; got {image_scale=}, {text_scale=}")
    return uncond + image_scale * (image - uncond) + text_scale * (both - image)


def rescale_guidance(guided: torch.Tensor, cond: torch.Tensor, rescale: float) -> torch.Tensor:
    """Guidance rescale: a guided prediction with the standard deviation of the one that it came from, in part.

    Strong guidance makes a prediction too large, and pictures too bright. This gives each sample the standard
    deviation over all its values that `cond` has, and mixes: `rescale` of the result, `1 - rescale` of `guided`
    (Lin et al. 2023, arXiv:2305.08891, eq. 15 and 16; `guidance_rescale` in diffusers).

    Args:
        guided: the prediction after guidance, `(B, ...)`, float16, bfloat16, float32 or float64.
        cond: the one with every condition, as `guided`.
        rescale: from 0, which gives `guided`, to 1.

    Returns:
        As `guided`, in its dtype. Standard deviations are taken in float32 at least. A sample of `guided` in which all
        values are equal stays as it is, also where rounding gives them a spread. So does one of a single value.

    Raises:
        ValueError: the two have different shapes, or `rescale` is not from 0 to 1.
    """
    if guided.shape != cond.shape:
        raise ValueError(f"two predictions of one shape; got {tuple(guided.shape)} and {tuple(cond.shape)}")
    if not 0 <= rescale <= 1:
        raise ValueError(f"rescale is from 0 to 1; got {rescale}")
    exact = torch.promote_types(guided.dtype, torch.float32)
    std, wanted = (x.to(exact).flatten(1).std(dim=1, correction=0) for x in (guided, cond))  # (B,)
    varies = guided.flatten(1).amax(dim=1) > guided.flatten(1).amin(dim=1)  # (B,)
    factor = torch.where(varies, wanted / std.where(varies, 1), 1)  # (B,)
    factor = (rescale * factor + 1 - rescale).reshape(-1, *[1] * (guided.ndim - 1))
    return (factor * guided.to(exact)).to(guided.dtype)


def hide_first_frame(x: torch.Tensor, level: torch.Tensor, eps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Withhold the picture of image-to-video: noise the clean first latent frame to the level of the others.

    The picture is the first latent frame, at level 0 beside noisy ones. Text is withheld by an empty prompt. A picture
    is withheld by `(1 - s) x + s eps` in its place: the same clip as text-to-video would have it at this step.

    Args:
        x: `(B, C, T', H, W)`, floats, with a clean first frame.
        level: s of each latent frame, `(B, T')`: 0 for the first. A sample's other frames have one level.
        eps: the noise of the first frame, `(B, C, 1, H, W)`, the same at every step.

    Returns:
        x with the first frame noised to the sample's largest level, in the dtype of x; and the levels, all of that
        size, `(B, T')`, in theirs. Both are new tensors; the other frames of x are as they were.

    Raises:
        ValueError: the shapes do not belong together.
    """
    if x.ndim != 5 or level.shape != (len(x), x.shape[2]) or eps.shape != x[:, :, :1].shape:
        raise ValueError(f"(B, C, T, H, W), (B, T), (B, C, 1, H, W); got {[tuple(t.shape) for t in (x, level, eps)]}")
    s = level.amax(dim=1)  # (B,)
    share = s[:, None, None, None, None].to(x.dtype)
    first = (1 - share) * x[:, :, :1] + share * eps
    return torch.cat([first, x[:, :, 1:]], dim=2), s[:, None].repeat(1, x.shape[2])


@dataclass(frozen=True)
class DualGuidance:
    """A model with its picture and its prompt, as the samplers call it. Three predictions come out of one call.

    Attributes:
        predict: `(x, level, *condition) -> ` as x.
        condition: tensors `(B, ...)` that stand for the prompt, such as its states and their mask.
        unconditional: tensors of the same shapes that stand for no prompt.
        image_scale: of the picture.
        text_scale: of the prompt.
        eps: the noise behind which the picture is hidden, `(B, C, 1, H, W)`.
        rescale: as in `rescale_guidance`.
    """

    predict: Callable
    condition: Sequence[torch.Tensor]
    unconditional: Sequence[torch.Tensor]
    image_scale: float
    text_scale: float
    eps: torch.Tensor
    rescale: float = 0.0

    def __call__(self, x: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """The guided prediction, as x `(B, C, T', H, W)`, whose first frame is the picture. `level`: `(B, T')`."""
        hidden, one_level = hide_first_frame(x, level, self.eps)
        texts = [torch.cat([no, no, yes]) for no, yes in zip(self.unconditional, self.condition, strict=True)]
        clips, levels = torch.cat([hidden, x, x]), torch.cat([one_level, level, level])
        uncond, image, both = self.predict(clips, levels, *texts).chunk(3)
        guided = dual_guidance(uncond, image, both, self.image_scale, self.text_scale)
        return rescale_guidance(guided, both, self.rescale)
