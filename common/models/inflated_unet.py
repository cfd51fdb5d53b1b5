"""Inflation of an image U-Net: diffusers' `UNet2DConditionModel` as its `UNetSpatioTemporalConditionModel`.

    video = inflate_unet(image_model, in_channels=2 * image_model.config.in_channels)
    video(latents, c_noise, states, added_time_ids)        # (B, T, C, H, W): at first, the image model on every frame

Every tensor of the image model finds a place in the video model, which is that of Stable Video Diffusion. What is new
are the layers that see time, the embedding of the added ids, and the input channels for the first frame.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel
from torch import nn

from common.layers.temporal import zero

ID_DIM = 32  # of the embedding of each added id: frames per second, motion, noise on the first frame
NUM_IDS = 3
BLOCKS = {
    "DownBlock2D": "DownBlockSpatioTemporal",
    "CrossAttnDownBlock2D": "CrossAttnDownBlockSpatioTemporal",
    "UpBlock2D": "UpBlockSpatioTemporal",
    "CrossAttnUpBlock2D": "CrossAttnUpBlockSpatioTemporal",
}
NEW = re.compile(r"temporal|time_mixer|time_pos_embed|add_embedding|^conv_in\.")  # what is not the image model's
LAST_OF_BRANCH = re.compile(
    r"temporal_res_block\.conv2$|time_pos_embed\.linear_2$|temporal_transformer_blocks\.\d+\."
    r"(ff_in\.net\.2|ff\.net\.2|attn[12]\.to_out\.0)$|add_embedding\.linear_2$"
)


def video_key(name: str) -> str:
    """The name that a tensor of the image U-Net has in the video U-Net."""
    return re.sub(r"(resnets\.\d+\.)", r"\1spatial_res_block.", name)


def video_config(unet: UNet2DConditionModel, in_channels: int | None = None, num_ids: int = NUM_IDS) -> dict:
    """The arguments of the `UNetSpatioTemporalConditionModel` that a `UNet2DConditionModel` fits into.

    Args:
        unet: of down and up blocks with and without cross-attention; linear projections around the attention.
        in_channels: of the video model; None for those of the image model.
        num_ids: added numbers that the video model is told.

    Raises:
        ValueError: the video class has nothing for a block or a setting of it.
    """
    config: Any = unet.config
    unknown = [name for name in (*config.down_block_types, *config.up_block_types) if name not in BLOCKS]
    if unknown:
        raise ValueError(f"there is no spatio-temporal block for {unknown[0]}; known are {', '.join(BLOCKS)}")
    if not config.use_linear_projection:
        raise ValueError(
            "the image model's attention is between 1×1 convolutions; use_linear_projection=True is needed"
        )
    return {
        "sample_size": config.sample_size,
        "in_channels": in_channels or config.in_channels,
        "out_channels": config.out_channels,
        "down_block_types": tuple(BLOCKS[name] for name in config.down_block_types),
        "up_block_types": tuple(BLOCKS[name] for name in config.up_block_types),
        "block_out_channels": tuple(config.block_out_channels),
        "layers_per_block": config.layers_per_block,
        "cross_attention_dim": config.cross_attention_dim,
        "transformer_layers_per_block": config.transformer_layers_per_block,
        "num_attention_heads": config.num_attention_heads or config.attention_head_dim,  # diffusers' own confusion
        "addition_time_embed_dim": ID_DIM,
        "projection_class_embeddings_input_dim": num_ids * ID_DIM,
    }


def inflate(image_state: Mapping[str, torch.Tensor], video_state: Mapping[str, torch.Tensor]) -> dict:
    """Inflate weights: those of a video U-Net in which the weights of an image U-Net have their places.

    A residual block `resnets.i.`, anywhere in the image model's names, is `resnets.i.spatial_res_block.` in the video
    model: `down_blocks.0.resnets.1.norm1.bias` goes to `down_blocks.0.resnets.1.spatial_res_block.norm1.bias`. All
    other names are the same. The first layer, `conv_in.weight`, is `(out, in, 3, 3)`, and the video model's may have
    more input channels: its first ones get the image model's weights, all others zeros, so that they do nothing yet.

    Args:
        image_state: state dict of a `UNet2DConditionModel`, name to tensor.
        video_state: state dict of the `UNetSpatioTemporalConditionModel` that it fits into.

    Returns:
        A new dict with the names, order, shapes, dtypes and devices of `video_state`. What the image model does not
        have keeps its values from `video_state`. Both dicts and their tensors stay as they are, and share no memory
        with the new one. No value is read, so tensors on the device "meta", which have only shapes, will do.

    Raises:
        ValueError: a tensor of the image model has no place in the video model, or the place has another shape (for
            `conv_in.weight`: in another axis than that of input channels, or with fewer input channels).
    """
    found = {name: tensor.clone() for name, tensor in video_state.items()}
    for name, tensor in image_state.items():
        place = found.get(video_key(name))
        if place is None:
            raise ValueError(f"the video model has no {video_key(name)} for the image model's {name}")
        if name == "conv_in.weight":
            place.zero_()
            place = place[:, : tensor.shape[1]]
        if place.shape != tensor.shape:
            raise ValueError(f"{name} is {tuple(tensor.shape)} in the image model, {tuple(place.shape)} in the video's")
        place.copy_(tensor)
    return found


@torch.no_grad()
def inflate_unet(
    unet: UNet2DConditionModel, in_channels: int | None = None, num_ids: int = NUM_IDS
) -> UNetSpatioTemporalConditionModel:
    """Inflate an image U-Net: a video U-Net with its weights, which at first does to every frame what it did.

    The last layer of each temporal branch is zero, and so are the weights of input channels that the image model does
    not have. So the mix of spatial and temporal layers does not matter yet. The video model is in float32.

    Args:
        unet: the image model; it is left alone.
        in_channels: of the video model, at least those of the image model; None for as many.
        num_ids: as in `video_config`.

    Raises:
        ValueError: there are fewer input channels, or as in `video_config`.
    """
    config = video_config(unet, in_channels, num_ids)
    if config["in_channels"] < unet.conv_in.in_channels:
        raise ValueError(f"the image model reads {unet.conv_in.in_channels} channels, the video model {in_channels}")
    model = UNetSpatioTemporalConditionModel(**config)
    model.load_state_dict(inflate(unet.state_dict(), model.state_dict()))
    for name, module in model.named_modules():
        if LAST_OF_BRANCH.search(name):
            zero(module)
    return model


def new_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters of an inflated model that the image model does not have, and the first layer, by name."""
    return {name: parameter for name, parameter in model.named_parameters() if NEW.search(name)}
