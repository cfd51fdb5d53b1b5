"""What a device computes in at full speed."""

import torch


def has_bfloat16(device) -> bool:
    """Whether a device computes in bfloat16. Without instructions for it a processor is much slower."""
    if torch.device(device).type != "cpu":
        return True
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
