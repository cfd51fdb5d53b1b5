"""Who sees whom: how far a change of one frame reaches in a video transformer."""

import torch
from torch import nn


@torch.no_grad()
def frame_reach(model, num_frames: int = 5, size: int = 8) -> torch.Tensor:
    """Change one frame of the input at a time, and see which frames of the output move.

    Args:
        model: an `STDiT`. Its tables and its last layer get random numbers, since a fresh model answers zero.
        num_frames: T' of the latents.
        size: H' and W' of the latents.

    Returns:
        `(T', T')`: in row i, how much each frame of the output moves if frame i of the input does; exactly 0 for not.
    """
    draw = torch.Generator().manual_seed(0)
    blocks = (*model.spatial_blocks, *model.temporal_blocks)
    for parameter in (model.patches_out.weight, *(block.table for block in blocks)):
        nn.init.normal_(parameter, std=0.3, generator=draw)
    x = torch.randn(1, model.config.in_channels, num_frames, size, size, generator=draw)
    given = torch.tensor([500.0]), torch.randn(1, 3, model.config.text_dim, generator=draw)
    before, rows = model(x, *given).sample, []
    for frame in range(num_frames):
        changed = x.clone()
        changed[:, :, frame] += 0.5
        rows.append((model(changed, *given).sample - before).abs().mean((0, 1, 3, 4)))
    return torch.stack(rows)
