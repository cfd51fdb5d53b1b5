"""The video VAEs of large generators, by one name each: with their weights, or tiny and untrained.

    vae = load_vae("wan", "/models/Wan2.1-T2V-1.3B-Diffusers")     a folder, or a name on the hub
    vae = tiny_vae("wan")                                         the same class with a few ten thousand random weights

All have `encode(clip).latent_dist` and `decode(z).sample`. Clips of 1 + 8k frames suit all three: of 5 frames or 13,
CogVideoX gives three too many back.
"""

import torch
from diffusers import AutoencoderKLCogVideoX, AutoencoderKLHunyuanVideo, AutoencoderKLWan

from common.models.hub import quiet_loading

FOUR_LEVELS = {"block_out_channels": (4, 4, 8, 8), "layers_per_block": 1, "norm_num_groups": 2, "latent_channels": 4}
COG_BLOCKS = {
    "down_block_types": ("CogVideoXDownBlock3D",) * 4,
    "up_block_types": ("CogVideoXUpBlock3D",) * 4,
}
# name -> class, where its weights are on the hub, the configuration of a tiny one
LARGE = {
    "wan": (AutoencoderKLWan, "Wan-AI/Wan2.1-T2V-1.3B-Diffusers", {"base_dim": 4, "z_dim": 4, "num_res_blocks": 1}),
    "hunyuan": (AutoencoderKLHunyuanVideo, "hunyuanvideo-community/HunyuanVideo", FOUR_LEVELS),
    "cogvideox": (AutoencoderKLCogVideoX, "THUDM/CogVideoX-2b", FOUR_LEVELS | COG_BLOCKS),
}


def load_vae(name: str, place: str | None = None):
    """A large generator's VAE with its weights, in bfloat16 and evaluation mode.

    Args:
        name: "wan", "hunyuan" or "cogvideox".
        place: the folder of its pipeline on this machine; None for its name on the hub.

    Raises:
        ValueError: there is no such name.
        OSError: the weights are neither there nor can they be had.
    """
    model_class, hub, _ = _entry(name)
    with quiet_loading():
        return model_class.from_pretrained(place or hub, subfolder="vae", torch_dtype=torch.bfloat16).eval()


def tiny_vae(name: str):
    """The same class with random weights: for its calls and its shapes, not for what it draws.

    Raises:
        ValueError: there is no such name.
    """
    model_class, _, config = _entry(name)
    return model_class(**config).eval()


def _entry(name: str) -> tuple:
    if name not in LARGE:
        raise ValueError(f"the large VAEs are {', '.join(LARGE)}; got {name!r}")
    return LARGE[name]
