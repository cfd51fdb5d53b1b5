"""Latte of diffusers as a peer: its self-attentions computed by a factorised attention of ours, with its own weights.

Latte (Ma et al. 2024, arXiv:2401.03048) alternates blocks that attend inside frames with blocks that attend along time.
It folds the tokens before each block, ours in the attention. With the same weights the two must agree.
"""

from collections.abc import Callable
from typing import Any

import torch
from diffusers.models.transformers.latte_transformer_3d import LatteTransformer3DModel
from einops import rearrange

GRID = (5, 4, 6)  # tokens of the clip that is tried: frames, rows, columns


class OurAttention:
    """An attention processor, as diffusers calls them: queries, keys and values unfolded to a grid, then ours.

    Args:
        attend: `(q, k, v, axis)`, as `factorised_attention`.
        axis: "space" or "time".
        grid: tokens of a clip.
    """

    def __init__(self, attend: Callable, axis: str, grid: tuple[int, int, int]):
        self.attend, self.axis, self.grid = attend, axis, dict(zip("tyx", grid))

    def __call__(self, attn: Any, hidden_states: torch.Tensor, *args, **kwargs) -> torch.Tensor:
        """Folded tokens `(B · T, H · W, D)`, or `(B · H · W, T, D)`, to the same."""
        folded = "(b t) (y x) (h d)" if self.axis == "space" else "(b y x) t (h d)"
        axes = {name: self.grid[name] for name in self.grid} | {"h": attn.heads}
        q, k, v = (
            rearrange(layer(hidden_states), f"{folded} -> b h t y x d", **axes)
            for layer in (attn.to_q, attn.to_k, attn.to_v)
        )
        return attn.to_out[0](rearrange(self.attend(q, k, v, self.axis), f"b h t y x d -> {folded}", **axes))


def small_latte(grid: tuple[int, int, int] = GRID, seed: int = 0) -> LatteTransformer3DModel:
    """A Latte of two pairs of blocks with random weights, in evaluation mode."""
    torch.manual_seed(seed)
    model = LatteTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=8,
        in_channels=4,
        num_layers=2,
        cross_attention_dim=16,
        caption_channels=12,
        sample_size=2 * grid[1],
        patch_size=2,
        norm_type="ada_norm_single",
        norm_elementwise_affine=False,
        num_embeds_ada_norm=1000,
        attention_bias=True,
        activation_fn="gelu-approximate",
        video_length=grid[0],
    )
    return model.eval().requires_grad_(False)


@torch.no_grad()
def distance_from_latte(attend: Callable, grid: tuple[int, int, int] = GRID) -> float:
    """How far Latte with our attention is from Latte as it is, on random weights and latents.

    Args:
        attend: `(q, k, v, axis)`, as `factorised_attention`.
        grid: tokens of a clip.

    Returns:
        The largest difference, as a part of the largest number of Latte's own output.
    """
    model = small_latte(grid)
    draw = torch.Generator().manual_seed(1)
    latents = torch.randn(2, 4, grid[0], 2 * grid[1], 2 * grid[2], generator=draw)
    text = torch.randn(2, 3, 12, generator=draw)
    run = lambda: model(latents, timestep=torch.tensor([300, 700]), encoder_hidden_states=text).sample  # noqa: E731
    own = run()
    for axis, blocks in (("space", model.transformer_blocks), ("time", model.temporal_transformer_blocks)):
        for block in blocks:
            attention: Any = block.get_submodule("attn1")
            attention.set_processor(OurAttention(attend, axis, grid))
    return float((run() - own).abs().max() / own.abs().max())
