"""Wan's causal VAE (arXiv:2503.20314) as diffusers has it: loading it, and its encoder as a stream."""

from collections.abc import Iterable, Iterator

import torch
from diffusers import AutoencoderKLWan

from common.models.hub import quiet_loading

WAN = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"
TINY = {"base_dim": 8, "z_dim": 4, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1}  # 62 thousand weights


def load_wan_vae(name_or_folder: str = WAN) -> tuple[AutoencoderKLWan, bool]:
    """Wan's VAE, if its weights are on this machine; nothing is downloaded. Else the same class, small and untrained.

    Returns:
        The model in evaluation mode, and whether it is trained.
    """
    try:
        with quiet_loading():
            model = AutoencoderKLWan.from_pretrained(name_or_folder, subfolder="vae", local_files_only=True)
        return model.eval(), True
    except OSError:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return AutoencoderKLWan(**TINY).eval(), False


@torch.no_grad()
def encode_pieces(wan: AutoencoderKLWan, pieces: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
    """Wan's encoder piece by piece, with its own cache per layer: what its `encode` does inside.

    Args:
        wan: the model.
        pieces: of a clip, `(B, 3, T, H, W)` in [-1, 1]: one frame first, then four at a time.

    Yields:
        The most likely latents of each piece, `(B, C, 1, H / 8, W / 8)`.
    """
    wan.clear_cache()
    for piece in pieces:
        wan._enc_conv_idx = [0]  # counts the layers, so that each finds its cache
        moments = wan.encoder(piece, feat_cache=wan._enc_feat_map, feat_idx=wan._enc_conv_idx)
        yield wan.quant_conv(moments).chunk(2, dim=1)[0]
