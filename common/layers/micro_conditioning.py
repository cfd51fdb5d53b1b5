"""Micro-conditioning: numbers that say something about a sample, turned into a vector beside the noise level's."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class MicroConditioning(nn.Module):
    """Micro-conditioning on numbers (Podell et al. 2023, arXiv:2307.01952, section 2.2), as SVD does it.

        f(a) = (cos(a w_0), …, cos(a w_n-1), sin(a w_0), …, sin(a w_n-1)),    w_k = 10,000^(-k / n),  n = dim / 2
        linear_2(SiLU(linear_1(f(a_1), …, f(a_K))))

    The sinusoids of all K numbers stand side by side, number after number. What comes out is added to the embedding
    of the noise level. At first linear_2 is zero, weight and bias, so that a model that has learned without the numbers
    goes on as before.

    Args:
        num_ids: K.
        dim: numbers per sinusoid, even.
        embed_dim: of what comes out.
    """

    def __init__(self, num_ids: int, dim: int, embed_dim: int):
        super().__init__()
        self.num_ids, self.dim = num_ids, dim
        self.linear_1, self.linear_2 = nn.Linear(num_ids * dim, embed_dim), nn.Linear(embed_dim, embed_dim)
        nn.init.zeros_(self.linear_2.weight)
        nn.init.zeros_(self.linear_2.bias)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """The embedding.

        Args:
            ids: the numbers, `(B, K)`, of any dtype, whole ones too. The sinusoids are computed in float32 and then
                go on in the dtype of the weights.

        Returns:
            `(B, embed_dim)`, in the dtype of the weights.

        Raises:
            ValueError: there are more or fewer numbers per sample than `num_ids`.
        """
        if ids.ndim != 2 or ids.shape[1] != self.num_ids:
            raise ValueError(f"ids are (B, {self.num_ids}) here, got {tuple(ids.shape)}")
        half = self.dim // 2
        speeds = torch.exp(-math.log(10_000) * torch.arange(half, device=ids.device) / half)  # (n,)
        angles = ids.float()[..., None] * speeds  # (B, K, n)
        waves = torch.cat([angles.cos(), angles.sin()], dim=-1).flatten(1)  # (B, K dim)
        return self.linear_2(F.silu(self.linear_1(waves.to(self.linear_1.weight.dtype))))
