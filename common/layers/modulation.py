"""AdaLN-Zero: a noise level steers each branch of a block by a shift and a scale before it and a gate behind it."""

import math
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import nn

from common.layers.norm import plain_norm


@dataclass(frozen=True)
class Modulation:
    """The shift, scale and gate of one branch; each tensor is `(B, T' or 1, 1, D)` and meets tokens `(B, T', S, D)`.

    Attributes:
        shift: added before the branch.
        scale: the branch's input grows by this part; 0 leaves it.
        gate: how much of the branch's output is added; 0 for none.
    """

    shift: torch.Tensor
    scale: torch.Tensor
    gate: torch.Tensor

    def enter(self, x: torch.Tensor) -> torch.Tensor:
        """The branch's input, norm(x) · (1 + scale) + shift: computed in float32, given in x's dtype."""
        return torch.addcmul(self.shift, plain_norm(x), 1 + self.scale).to(x.dtype)

    def leave(self, x: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        """x + gate · out, in x's dtype."""
        return torch.addcmul(x, self.gate.to(x.dtype), out.to(x.dtype))


class AdaLNZero(nn.Module):
    """AdaLN-Zero, the modulations of one block: a signal that all blocks share, plus a table of the block's own.

    AdaLN-Zero: Peebles, Xie 2022, arXiv:2212.09748. The shared signal, which saves most of its weights: PixArt-α, Chen
    et al. 2023, arXiv:2310.00426, section 2.3. Signal and table begin at zero, so every gate does.

    Args:
        dim: D of a token.
        num_branches: of the block.
    """

    def __init__(self, dim: int, num_branches: int):
        super().__init__()
        self.num_branches = num_branches
        self.table = nn.Parameter(torch.zeros(num_branches * 3 * dim))  # one axis: no weight decay

    def forward(self, signal: torch.Tensor) -> list[Modulation]:
        """Signal plus table, in float32, cut into the modulations of the branches.

        Args:
            signal: `(B, T' or 1, num_branches · 3 · D)`: for each branch its D shifts, then D scales, then D gates.
                The table has the same order.

        Returns:
            A list with one `Modulation` per branch, in order. Each of its parts is float32 `(B, T' or 1, 1, D)`.
        """
        parts = rearrange(
            signal.float() + self.table.float(), "b t (n three d) -> n three b t 1 d", n=self.num_branches, three=3
        )
        return [Modulation(*branch) for branch in parts]


def timestep_features(timestep: torch.Tensor, dim: int, max_period: float = 10_000.0) -> torch.Tensor:
    """Cosines and sines of a number, at frequencies from 1 down to nearly `1 / max_period` (arXiv:1706.03762, 3.5).

    Args:
        timestep: any shape; from 0 to 1000 with this library's models.
        dim: even.

    Returns:
        float32 `(*timestep.shape, dim)`: first the cosines, then the sines.
    """
    steps = torch.arange(dim // 2, dtype=torch.float32, device=timestep.device)
    frequencies = torch.exp(-math.log(max_period) * steps / (dim // 2))
    angle = timestep.float()[..., None] * frequencies
    return torch.cat([angle.cos(), angle.sin()], dim=-1)
