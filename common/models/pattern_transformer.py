"""A small video transformer that names the motion at every token; the attention pattern is all that varies in it.

Tokens meet in the self-attention and nowhere else. So what a token can know of other frames and places is decided by
the pattern. (TimeSformer and Video Swin, from which the patterns are, were readers of actions too.)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from einops import rearrange
from torch import nn

from common.layers.attention_patterns import PATTERNS, PatternAttention
from common.models.shipped import Shipped
from common.tensor_ops import patchify


@dataclass
class PatternTransformerOutput(BaseOutput):
    """What the model gives.

    Attributes:
        logits: `(B, T', H, W, num_classes)`, of each token.
    """

    logits: torch.Tensor


class PatternBlock(nn.Module):
    """A transformer block: layer norm and self-attention in a pattern, then layer norm and feed-forward, both residual.

    Args:
        dim: D of a token.
        num_heads: of the attention.
        ffn_dim: width of the feed-forward network.
        kind: of the attention, as in `attend_by`.
        window: likewise.
    """

    def __init__(self, dim: int, num_heads: int, ffn_dim: int, kind: str, window: Sequence[int]):
        super().__init__()
        self.norm_attention, self.norm_ffn = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = PatternAttention(dim, num_heads, kind, window)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(), nn.Linear(ffn_dim, dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens `(B, T', H, W, D)` to the same."""
        x = x + self.attention(self.norm_attention(x))
        return x + self.ffn(self.norm_ffn(x))


class PatternTransformer(Shipped, ModelMixin, ConfigMixin):
    """The model. Its layers take the kinds of a pattern by turns; positions are learned for each axis, and added.

    Args:
        pattern: a name of `PATTERNS`.
        grid: frames, rows and columns of the tokens of a clip.
        window: frames, rows and columns of a window, in tokens.
        in_channels: C of what is read.
        patch_size: rows and columns of a frame that make one token.
        dim: D of a token.
        num_layers: blocks.
        num_heads: of each attention; divides `dim`.
        ffn_dim: width of the feed-forward networks.
        num_classes: motions to choose from.

    Raises:
        ValueError: there is no such pattern.
    """

    @register_to_config
    def __init__(
        self,
        pattern: str = "full",
        grid: Sequence[int] = (9, 4, 4),
        window: Sequence[int] = (3, 2, 2),
        in_channels: int = 1,
        patch_size: int = 2,
        dim: int = 32,
        num_layers: int = 6,
        num_heads: int = 2,
        ffn_dim: int = 96,
        num_classes: int = 4,
    ):
        super().__init__()
        if pattern not in PATTERNS:
            raise ValueError(f"the pattern is one of {', '.join(PATTERNS)}; got {pattern!r}")
        kinds = PATTERNS[pattern]
        self.patches_in = nn.Linear(in_channels * patch_size**2, dim)
        self.places = nn.ParameterList(torch.empty(length, dim) for length in grid)
        self.blocks = nn.ModuleList(
            PatternBlock(dim, num_heads, ffn_dim, kinds[k % len(kinds)], window) for k in range(num_layers)
        )
        self.norm_out, self.to_logits = nn.LayerNorm(dim), nn.Linear(dim, num_classes)
        self.init_weights()

    def init_weights(self) -> None:
        """Fresh weights: outputs about as large as inputs; all logits exactly zero, all classes equally likely."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                nn.init.zeros_(module.bias)
        for places in self.places:
            nn.init.normal_(places, std=0.5)
        nn.init.zeros_(self.to_logits.weight)

    def attend_with(self, attend: Callable | None) -> "PatternTransformer":
        """Use another function in the place of `attend_by`, in every layer; None for `attend_by` again."""
        for module in self.modules():
            if isinstance(module, PatternAttention):
                module.attend = attend
        return self

    def forward(self, hidden_states: torch.Tensor, return_dict: bool = True):
        """Name the motion, at every token.

        Args:
            hidden_states: `(B, C, T', H', W')`, of mean about 0 and standard deviation about 1.
            return_dict: False for a tuple.

        Returns:
            `.logits`, `(B, T', H, W, num_classes)`.

        Raises:
            ValueError: they have another shape.
        """
        p, grid = self.config.patch_size, tuple(self.config.grid)
        size = (self.config.in_channels, grid[0], p * grid[1], p * grid[2])
        if tuple(hidden_states.shape[1:]) != size:
            raise ValueError(f"hidden states are (B, {', '.join(map(str, size))}), got {tuple(hidden_states.shape)}")
        x = rearrange(patchify(hidden_states, (1, p, p)), "b (t y x) d -> b t y x d", **dict(zip("tyx", grid)))
        frames, rows, columns = self.places
        x = self.patches_in(x) + frames[:, None, None] + rows[:, None] + columns
        for block in self.blocks:
            x = block(x)
        logits = self.to_logits(self.norm_out(x))
        return PatternTransformerOutput(logits=logits) if return_dict else (logits,)
