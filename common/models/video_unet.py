"""A text-to-video U-Net made of an image U-Net: diffusers' `UNet2DConditionModel` with layers along time in it.

    model = VideoUNet.of("sprites-image")           # what the image model had is frozen, and at first nothing is new
    v = model(latents, c_noise, states).sample      # (B, C, T, H', W'): T may be any number of frames
    model.save_pretrained("weights")                # the new tensors, and the image model's checksum

Every image U-Net of diffusers will do, Stable Diffusion 1.5 too: `inflate_unet` puts layers around its blocks, and does
not have to know how they are put together.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.utils import BaseOutput
from einops import rearrange
from safetensors.torch import load_file, save_file
from torch import nn

from common.layers.temporal import TemporalResnetBlock
from common.layers.two_plus_one import Conv2Plus1d, TemporalLayer
from common.models.inflated_model import checksum
from common.models.shipped import CONFIG, WEIGHTS, WeightsError, demand_class, find, pop_dtype, read_json


@dataclass
class VideoUNetOutput(BaseOutput):
    """What the model gives.

    Attributes:
        sample: `(B, C, T, H', W')`.
    """

    sample: torch.Tensor


@dataclass
class FrameCount:
    """How many frames a clip has at present: the layers in a U-Net of pictures see no more than a batch of pictures.

    Attributes:
        value: T.
    """

    value: int = 1


class ConvInTime(nn.Module):
    """What takes the place of a `ResnetBlock2D`: a (2+1)D layer around it, for a batch of frames.

    Args:
        layer: a `Conv2Plus1d`.
        frames: how many of them make a clip.
    """

    def __init__(self, layer: nn.Module, frames: FrameCount):
        super().__init__()
        self.layer, self.frames = layer, frames

    def forward(self, hidden_states: torch.Tensor, temb: torch.Tensor) -> torch.Tensor:
        """`(B T, C, H, W)` and `(B T, E)` to `(B T, C', H, W)`."""
        x = rearrange(hidden_states, "(b t) c h w -> b c t h w", t=self.frames.value)
        x = self.layer(x, rearrange(temb, "(b t) e -> b t e", t=self.frames.value))
        return rearrange(x, "b c t h w -> (b t) c h w")


class AttentionInTime(nn.Module):
    """What takes the place of a `BasicTransformerBlock`: the block for each frame, then a layer along time.

    Args:
        spatial: the block.
        temporal: a `TemporalLayer`.
        frames: how many of them make a clip.
    """

    def __init__(self, spatial: nn.Module, temporal: nn.Module, frames: FrameCount):
        super().__init__()
        self.spatial, self.temporal, self.frames = spatial, temporal, frames

    def forward(self, hidden_states: torch.Tensor, *given, encoder_hidden_states: Any = None, **named) -> torch.Tensor:
        """Tokens of frames `(B T, N, C)`, and the states of each frame's prompt `(B T, L, D)`, to `(B T, N, C)`."""
        h = self.spatial(hidden_states, *given, encoder_hidden_states=encoder_hidden_states, **named)
        x = rearrange(h, "(b t) n c -> b t n c", t=self.frames.value)
        x = self.temporal(x, encoder_hidden_states[:: self.frames.value])  # the states are the same in all frames
        return rearrange(x, "b t n c -> (b t) n c")


def conv_in_time(block: ResnetBlock2D, frames: FrameCount, kind: Callable | None = None) -> ConvInTime:
    """A residual block with a temporal one behind it, which is the identity at first; where the block's weights are.

    Args:
        block: of the image model.
        frames: how many of them make a clip.
        kind: puts the two together; None for `Conv2Plus1d`.
    """
    weight, told = block.conv2.weight, cast(nn.Linear, block.time_emb_proj)  # which hears of the noise level
    with torch.device(weight.device):
        temporal = TemporalResnetBlock(block.out_channels, told.in_features).to(weight.dtype)
    return ConvInTime((kind or Conv2Plus1d)(block, temporal), frames)


def attention_in_time(
    block: BasicTransformerBlock, frames: FrameCount, kind: Callable | None = None
) -> AttentionInTime:
    """A transformer block with a temporal layer behind it, the identity at first; where the block's weights are.

    Args:
        block: of the image model.
        frames: how many of them make a clip.
        kind: of attention; None for `TemporalAttention`.
    """
    weight: Any = block.norm1.weight
    with torch.device(weight.device):
        context_dim: Any = block.cross_attention_dim
        temporal = TemporalLayer(block.dim, block.num_attention_heads, context_dim, kind).to(weight.dtype)
    return AttentionInTime(block, temporal, frames)


def inflate_unet(
    unet: UNet2DConditionModel, conv: Callable[[ResnetBlock2D], nn.Module],
    attention: Callable[[BasicTransformerBlock], nn.Module],
) -> UNet2DConditionModel:  # fmt: skip
    """Inflate an image U-Net: a copy with other layers in the place of its blocks, which then may see time.

    1. Copy the U-Net, and freeze all parameters of the copy: `requires_grad` is false.
    2. Each `ResnetBlock2D` of the copy, wherever it is, makes way for `conv(block)`. Each `BasicTransformerBlock` makes
       way for `attention(block)`. What is put there has the block inside and calls it.

    Each block is handed over once. The blocks inside of what was put there stay where they are. New parameters, those
    that `conv` and `attention` make, are trained: their `requires_grad` stays as it was made.

    Args:
        unet: any `UNet2DConditionModel`, on any device, "meta" too. It is left alone, its own `requires_grad` too.
        conv: makes a module of a residual block.
        attention: makes a module of a transformer block.

    Returns:
        The copy, in the mode (training or evaluation) of the original.

    Raises:
        ValueError: the U-Net has no block of either kind.
    """
    inflated = copy.deepcopy(unet).requires_grad_(False)
    blocks = [(name, block) for name, block in inflated.named_modules()
              if isinstance(block, (ResnetBlock2D, BasicTransformerBlock))]  # fmt: skip
    if not blocks:
        raise ValueError(f"there is neither a ResnetBlock2D nor a BasicTransformerBlock in this {type(unet).__name__}")
    for name, block in blocks:
        inflated.set_submodule(name, conv(block) if isinstance(block, ResnetBlock2D) else attention(block))
    return inflated.train(unet.training)


class VideoUNet(ModelMixin, ConfigMixin):
    """An inflated image U-Net, for clips and the prompts that they share over all frames.

    Of a shipped image model, or one in a folder, the config keeps the name as `base` and the checksum of its file.
    Then `save_pretrained` writes the new tensors alone, and `load_state_dict` takes them alone.

    Args:
        base: name or folder of the image model's weights; None for a fresh one of `image_config`.
        num_frames: for which it is trained: what pipelines make if they are not told otherwise.
        base_sha256: of the base's file; None for whatever is there.
        image_config: arguments of the image model where there is no base.

    Raises:
        WeightsError: there are no such weights, or their checksum is another one.
    """

    config: Any

    @register_to_config
    def __init__(self, base: str | None = None, num_frames: int = 8, base_sha256: str | None = None,
                 image_config: dict | None = None):  # fmt: skip
        super().__init__()
        image: Any
        if base is None:
            image = UNet2DConditionModel(**(image_config or {}))
        else:
            image = UNet2DConditionModel.from_pretrained(find(base))
            found = checksum(Path(find(base)))
            if base_sha256 not in (None, found):
                raise WeightsError(
                    f"these weights belong to others of {base} than those that are there: their checksums are "
                    f"{str(base_sha256)[:12]} and {found[:12]}"
                )
            self.register_to_config(base=str(base), base_sha256=found)
        self.frames = FrameCount()
        parts = (partial(conv_in_time, frames=self.frames), partial(attention_in_time, frames=self.frames))
        self.unet = inflate_unet(image.requires_grad_(False), *parts)

    @classmethod
    def of(cls, base: str | Path | dict, num_frames: int = 8) -> "VideoUNet":
        """Inflate the image model of a name or folder, or a fresh one from its arguments."""
        return cls(image_config=base, num_frames=num_frames) if isinstance(base, dict) else cls(str(base), num_frames)

    def forward(
        self, sample: torch.Tensor, timestep: torch.Tensor, encoder_hidden_states: torch.Tensor
    ) -> VideoUNetOutput:
        """The model's prediction of v.

        Args:
            sample: noisy latents, `(B, C, T, H', W')`.
            timestep: what the image model is told of each clip's noise level, `(B,)`.
            encoder_hidden_states: of the prompts, `(B, L, D)`.

        Returns:
            `.sample`, `(B, C, T, H', W')`.
        """
        self.frames.value = num_frames = sample.shape[2]
        told = encoder_hidden_states.repeat_interleave(num_frames, dim=0)
        pictures = rearrange(sample, "b c t h w -> (b t) c h w")
        v = self.unet(pictures, timestep.repeat_interleave(num_frames), told).sample
        return VideoUNetOutput(sample=rearrange(v, "(b t) c h w -> b c t h w", t=num_frames))

    def new_parameters(self) -> dict[str, nn.Parameter]:
        """The parameters that the image model does not have, by name."""
        return {name: parameter for name, parameter in self.named_parameters() if ".temporal." in name}

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **kwargs):
        """A model by the name of shipped weights, or from a folder; it takes `dtype` or `torch_dtype`.

        Raises:
            WeightsError: there are no such weights, they are another model's, or the image model's weights are not
                those that they were trained on.
            TypeError: there are other arguments.
        """
        place = Path(find(pretrained_model_name_or_path))
        demand_class(cls, place)
        dtype = pop_dtype(kwargs) or torch.float32
        if kwargs:
            raise TypeError(f"beside the weights it takes dtype or torch_dtype; got {', '.join(kwargs)}")
        config = {name: value for name, value in read_json(place / CONFIG).items() if not name.startswith("_")}
        model = cls(**config)
        try:
            model.load_state_dict(load_file(place / WEIGHTS))
        except RuntimeError as error:
            raise WeightsError(f"{place} does not hold the new weights of this config: {error}") from error
        nn.Module.to(model, dtype)  # diffusers' own warns of layers that should stay in float32: none
        return model.eval()

    def save_pretrained(self, save_directory, *args, **kwargs) -> None:
        """Write config and weights into a folder: with a `base` the new tensors alone."""
        self.save_config(save_directory)
        kept = self.state_dict() if self.config.base is None else self.new_parameters()
        kept = {name: tensor.detach().contiguous() for name, tensor in kept.items()}
        save_file(kept, Path(save_directory) / WEIGHTS, metadata={"format": "pt"})

    def load_state_dict(self, state_dict: Mapping, strict: bool = True, assign: bool = False):
        """Load all weights, or with a `base` the new ones alone: the image model's then stay as they are."""
        if self.config.base is not None:
            new = self.new_parameters()
            state_dict = {name: t for name, t in self.state_dict().items() if name not in new} | dict(state_dict)
        return super().load_state_dict(state_dict, strict=strict, assign=assign)


def as_pictures(model: VideoUNet) -> VideoUNet:
    """A copy that does to every frame what the image model does: as inflation makes it, before any training."""
    copied = copy.deepcopy(model)
    for name, parameter in copied.new_parameters().items():
        if ".temporal.conv2." in name or name.endswith(".gate"):
            parameter.detach().zero_()
    return copied
