"""Doubles and oracles of lab 03.3: the weights of two models that fit into each other, a model that is one formula."""

from collections.abc import Callable
from types import SimpleNamespace

import torch
from einops import rearrange, repeat

from common.course.graders.values import noise

State = dict[str, torch.Tensor]
IMAGE = {"conv_in.weight": (6, 3, 3, 3), "conv_in.bias": (6,), "down_blocks.0.resnets.0.norm1.weight": (5,),
         "down_blocks.0.resnets.1.conv1.weight": (4, 2, 3, 3), "mid_block.resnets.0.conv2.bias": (4,),
         "up_blocks.1.resnets.12.time_emb_proj.weight": (2, 7), "down_blocks.0.attentions.0.proj_in.weight": (4, 4),
         "mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight": (3, 4), "conv_out.bias": (2,)}  # fmt: skip
NEW = {"add_embedding.linear_1.weight": (4, 3), "down_blocks.0.resnets.0.temporal_res_block.norm1.weight": (5,),
       "down_blocks.0.resnets.0.time_mixer.mix_factor": (1,)}  # fmt: skip


def moved_name(name: str) -> str:
    """Where a tensor of the image model goes, found by the parts of its name and not by a pattern."""
    parts = name.split(".")
    at = parts.index("resnets") + 2 if "resnets" in parts else len(parts)
    return ".".join([*parts[:at], *["spatial_res_block"][: at < len(parts)], *parts[at:]])


def models(seed: int, extra: int = 5, image_dtype=torch.float32, dtype=torch.float32) -> tuple[State, State]:
    """The state dicts of an image model and of a video model, whose names are in another order.

    Args:
        seed: of all values.
        extra: input channels that the video model has in addition.
        image_dtype, dtype: of their tensors.
    """
    sizes = NEW | {moved_name(name): size for name, size in reversed(IMAGE.items())}
    sizes["conv_in.weight"] = (6, 3 + extra, 3, 3)
    image = {name: noise(seed + k, *size, dtype=image_dtype) for k, (name, size) in enumerate(IMAGE.items())}
    return image, {name: noise(seed + 50 + k, *size, dtype=dtype) for k, (name, size) in enumerate(sizes.items())}


def inflated(
    image: State, video: State, *, moves: Callable = moved_name, others: str = "zero", new: float = 1.0,
    first: bool = True,
) -> State:  # fmt: skip
    """The inflated weights in double precision, and ways to do it wrong.

    Args:
        moves: gives the place of an image model's tensor; a place that is not there is passed over.
        others: what the further input channels get: "zero", "video" for what they had, "tiled" for the image's again.
        new: what the tensors are multiplied by that the image model does not have.
        first: whether the image model's input channels come first.
    """
    taken = {moved_name(name) for name in image}
    found = {name: (1 if name in taken else new) * value.double() for name, value in video.items()}
    for name, value in image.items():
        if name != "conv_in.weight" and moves(name) in found:
            found[moves(name)] = value.double()
    if "conv_in.weight" not in image:
        return found
    weight, place = image["conv_in.weight"].double(), found["conv_in.weight"]
    tiled = weight.repeat(1, 9, 1, 1)[:, : place.shape[1]]
    rest = {"zero": 0 * place, "video": place, "tiled": tiled}[others][:, weight.shape[1] :]
    found["conv_in.weight"] = torch.cat([weight, rest] if first else [rest, weight], dim=1)
    return found


class Formula(torch.nn.Module):
    """A video model that is one formula of all that it is given, with one weight, `gain`."""

    def __init__(self, gain: float = 0.6):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.tensor(gain, dtype=torch.float64))

    def forward(self, sample, timestep, encoder_hidden_states, added_time_ids):
        """`.sample` `(B, T, C, H, W)` of a noisy clip and a picture `(B, T, 2 C, H, W)`."""
        noisy, given = sample.double().chunk(2, dim=2)
        fps, motion, strength = added_time_ids.double().unbind(1)
        told = encoder_hidden_states.double().square().mean((1, 2)) + 0.2 * fps + 0.5 * motion - 0.3 * strength
        told = rearrange(told + timestep, "b -> b 1 1 1 1")
        return SimpleNamespace(sample=(self.gain * noisy * (1 + given) + 0.4 * given + 0.2 * told).to(sample.dtype))


def loss_of(
    model: Callable, x0, eps, sigma, picture, states, time_ids, no_states, drop_picture, drop_text, *,
    weight=lambda sigma: (sigma**2 + 1) / sigma**2, drops=lambda p, t: (p, t), empty=lambda states: states,
) -> torch.Tensor:  # fmt: skip
    """EDM's loss of an image-to-video model in double precision, and ways to do it wrong.

    Args:
        weight: of each level.
        drops: gives what is dropped in place of `drop_picture` and `drop_text`.
        empty: gives what is told in place of `no_states`.
    """
    drop_picture, drop_text = drops(drop_picture, drop_text)
    x0, eps, states, picture = x0.double(), eps.double(), states.double().clone(), picture.double().clone()
    picture[drop_picture], states[drop_text] = 0.0, empty(no_states.double())
    s = sigma.double()[:, None, None, None, None]
    x, given = x0 + s * eps, repeat(picture, "b c h w -> b t c h w", t=x0.shape[2])
    seen = torch.cat([rearrange(x / (s**2 + 1).sqrt(), "b c t h w -> b t c h w"), given], dim=2)
    v = rearrange(model(seen, sigma.double().log() / 4, states, time_ids).sample, "b t c h w -> b c t h w")
    estimate = x / (s**2 + 1) - s / (s**2 + 1).sqrt() * v
    return (weight(sigma.double()) * (estimate - x0).square().flatten(1).mean(dim=1)).detach()
