"""Loading a pipeline by the name of shipped weights: one transformer, and the autoencoder in whose latents it works."""

import torch

from common.models.autoencoder import CausalVideoVAE
from common.models.shipped import demand_class, find, is_shipped, nearest_name, pop_dtype

VAE = "sprites-vae"  # the autoencoder in whose latents the shipped transformers are trained
# Options of diffusers' loading that change nothing about a folder with one safetensors file.
HARMLESS = ("local_files_only", "use_safetensors", "low_cpu_mem_usage", "disable_mmap")


class ShippedParts:
    """Gives a `DiffusionPipeline` of a `transformer` and a `vae` a `from_pretrained` that knows shipped weights.

    It comes before `DiffusionPipeline` among the bases.
    """

    @staticmethod
    def transformer_class() -> type:
        """The class of the shipped transformers."""
        raise NotImplementedError

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **kwargs):
        """A pipeline by the name of shipped weights, or as `diffusers.DiffusionPipeline.from_pretrained`.

        With a name it takes `transformer` and `vae`, which are used as they are in place of the shipped ones, and for
        the others `dtype` or `torch_dtype` (float32 if neither is given).

        Raises:
            WeightsError: there are no such weights, or they are not a transformer's. It has the nearest name.
            ValueError: with a name, an option that would have no effect.
        """
        place, kind = find(pretrained_model_name_or_path), cls.transformer_class()
        if not is_shipped(str(pretrained_model_name_or_path)):
            with nearest_name(place):
                return super().from_pretrained(place, **kwargs)
        demand_class(kind, place)
        dtype = pop_dtype(kwargs) or torch.float32
        options = {name: kwargs.pop(name) for name in HARMLESS if name in kwargs}
        sources = {"transformer": (kind, pretrained_model_name_or_path), "vae": (CausalVideoVAE, VAE)}
        if unknown := kwargs.keys() - sources.keys():
            raise ValueError(
                f"shipped weights are loaded with transformer, vae and dtype, not with {', '.join(sorted(unknown))}"
            )
        load = lambda part, name: part.from_pretrained(name, dtype=dtype, **options).eval()  # noqa: E731
        return cls(**{part: kwargs[part] if part in kwargs else load(*source) for part, source in sources.items()})
