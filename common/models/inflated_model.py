"""A video U-Net made of an image model: the image model's weights stay in its own file, and only the new ones ship.

    model = InflatedUNet.of("sprites-image", in_channels=32, num_frames=8)   # what the image model had is frozen
    model.save_pretrained("weights")                                         # the new tensors, and the base's checksum
    model = InflatedUNet.from_pretrained("weights")

It is diffusers' `UNetSpatioTemporalConditionModel`, so Stable Video Diffusion's pipeline takes it as it is.
"""

import copy
import hashlib
from pathlib import Path
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel
from safetensors.torch import load_file, save_file

from common.layers.temporal import zero
from common.models.inflated_unet import LAST_OF_BRANCH, NUM_IDS, inflate_unet, new_parameters, video_config
from common.models.shipped import CONFIG, WEIGHTS, WeightsError, demand_class, find, pop_dtype, read_json

ALL_SPATIAL = 30.0  # a mix factor whose sigmoid is 1 in float32


class InflatedUNet(UNetSpatioTemporalConditionModel):
    """An inflated image U-Net with frozen image layers.

    Of a shipped image model, or one in a folder, the config keeps the name as `base` and the checksum of its file as
    `base_sha256`. Then `save_pretrained` writes the new tensors alone, and `load_state_dict` takes them alone.
    """

    config: Any

    @classmethod
    def of(
        cls, base: str | Path | UNet2DConditionModel, in_channels: int, num_frames: int, num_ids: int = NUM_IDS
    ) -> "InflatedUNet":
        """Inflate an image model, as `inflate_unet` does it, and freeze what it had.

        In the first layer the weights of the image model's channels are frozen, those of the other channels learn.

        Args:
            base: the name or folder of the image model's weights; or the model itself, all of which is then saved too.
            in_channels: of the video model.
            num_frames: for which it is trained: what pipelines make if they are not told otherwise.
            num_ids: added numbers that it is told; Stable Video Diffusion's are three.

        Raises:
            WeightsError: there are no such weights.
            ValueError: as `inflate_unet`.
        """
        named = not isinstance(base, UNet2DConditionModel)
        place = Path(find(base)) if named else None
        unet: Any = UNet2DConditionModel.from_pretrained(place) if named else base
        model = cls(**video_config(unet, in_channels, num_ids), num_frames=num_frames)
        model.load_state_dict(inflate_unet(unet, in_channels, num_ids).state_dict())
        if place is not None:
            model.register_to_config(base=str(base), base_sha256=checksum(place))
        model._freeze(unet.conv_in.in_channels)
        return model

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **kwargs):
        """A model by the name of shipped weights, or from a folder; it takes `dtype` or `torch_dtype`.

        Raises:
            WeightsError: there are no such weights, they are another model's, or the image model's weights are not
                those that they were trained on.
            TypeError: there are other arguments, and a `base`.
        """
        place = Path(find(pretrained_model_name_or_path))
        demand_class(cls, place)
        config = read_json(place / CONFIG)
        if config.get("base") is None:  # all of the weights are in the file
            return super().from_pretrained(place, **kwargs)
        dtype = pop_dtype(kwargs) or torch.float32
        if kwargs:
            raise TypeError(f"beside the weights it takes dtype or torch_dtype; got {', '.join(kwargs)}")
        num_ids = config["projection_class_embeddings_input_dim"] // config["addition_time_embed_dim"]
        model = cls.of(config["base"], config["in_channels"], config["num_frames"], num_ids)
        if model.config.base_sha256 != config["base_sha256"]:
            raise WeightsError(
                f"{place.name} belongs to other weights of {config['base']} than those that are there: their checksums "
                f"are {config['base_sha256'][:12]} and {model.config.base_sha256[:12]}"
            )
        try:
            model.load_state_dict(load_file(place / WEIGHTS))
        except RuntimeError as error:
            raise WeightsError(f"{place} does not hold the new weights of this config: {error}") from error
        torch.nn.Module.to(model, dtype)  # diffusers' own warns of layers that should stay in float32: none
        return model.eval()

    def save_pretrained(self, save_directory, *args, **kwargs) -> None:
        """Write config and weights into a folder: with a `base` the new tensors alone."""
        if self.config.get("base") is None:
            super().save_pretrained(save_directory, *args, **kwargs)
            return
        self.save_config(save_directory)
        new = {name: parameter.detach().contiguous() for name, parameter in new_parameters(self).items()}
        save_file(new, Path(save_directory) / WEIGHTS, metadata={"format": "pt"})

    def load_state_dict(self, state_dict, strict: bool = True, assign: bool = False):
        """Load all weights, or with a `base` the new ones alone: the image model's then stay as they are."""
        if self.config.get("base") is not None:
            new = new_parameters(self)
            state_dict = {name: t for name, t in self.state_dict().items() if name not in new} | dict(state_dict)
        return super().load_state_dict(state_dict, strict=strict, assign=assign)

    def _freeze(self, num_channels: int) -> None:
        """Freeze what the image model had, of which the first layer read this many channels."""
        new = new_parameters(self)
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(name in new and name != "conv_in.bias")

        def without_the_frozen(gradient: torch.Tensor) -> torch.Tensor:
            return torch.cat([torch.zeros_like(gradient[:, :num_channels]), gradient[:, num_channels:]], dim=1)

        self.conv_in.weight.register_hook(without_the_frozen)


def at_spatial(model: UNetSpatioTemporalConditionModel) -> UNetSpatioTemporalConditionModel:
    """A copy whose blenders give the spatial layer's output alone: no frame sees another one."""
    copied = copy.deepcopy(model)
    with torch.no_grad():
        for name, parameter in copied.named_parameters():
            if name.endswith("mix_factor"):
                parameter.fill_(ALL_SPATIAL)
    return copied


def as_image_model(model: UNetSpatioTemporalConditionModel) -> UNetSpatioTemporalConditionModel:
    """A copy that does to every frame what the image model does: as `inflate_unet` makes it, before training."""
    copied = copy.deepcopy(model)
    for name, module in copied.named_modules():
        if LAST_OF_BRANCH.search(name):
            zero(module)
    with torch.no_grad():
        copied.conv_in.weight[:, copied.conv_out.out_channels :] = 0
    return copied


def checksum(place: Path) -> str:
    """The SHA-256 of a folder's weights."""
    return hashlib.sha256((place / WEIGHTS).read_bytes()).hexdigest()
