"""Vector quantization (VQ): a vector becomes the nearest of K learned ones, and that one's number is all that is kept.

VQ-VAE (van den Oord et al. 2017, arXiv:1711.00937). The codebook has no gradient here. Each of its vectors follows the
mean of the vectors that choose it (the paper's appendix A.1), and a code that no vector chooses is put where vectors
are (Dhariwal et al. 2020, Jukebox, arXiv:2005.00341, section 3.1). Quantizers with nothing to learn are in
`quantization`.
"""

import torch
from torch import nn


def vector_quantize(z: torch.Tensor, codebook: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Vector quantization with a straight-through gradient (VQ-VAE, arXiv:1711.00937, equations 1 and 2).

    Args:
        z: `(B, D)`.
        codebook: `(K, D)`, in the dtype of z.

    Returns:
        The codes `(B, D)`, in the dtype of z: each row of z replaced by the codebook's row at the least Euclidean
        distance, of equally near ones the first. The gradient of z is that of the codes, as if nothing had been
        replaced; none goes to the codebook. And their numbers, int64 `(B,)`.
    """
    indices = torch.cdist(z.detach(), codebook.detach(), compute_mode="donot_use_mm_for_euclid_dist").argmin(dim=1)
    return z + (codebook[indices] - z).detach(), indices


class VectorQuantizer(nn.Module):
    """A codebook that follows the vectors that choose it, and revives the codes that none chooses.

    All counts begin at `least`. So at the first update every code that is not chosen is put on a vector of the batch.

    Attributes:
        codebook: e, `(K, D)`.
        counts: N, `(K,)`: a running mean of how many vectors of a batch choose each code.
        sums: m, `(K, D)`: a running mean of their sum.

    Args:
        num_codes: K.
        code_dim: D.
        decay: γ of the running means.
        least: a code with a smaller count is dead.
    """

    def __init__(self, num_codes: int, code_dim: int, decay: float = 0.95, least: float = 0.1):
        super().__init__()
        self.decay, self.least = decay, least
        self.codebook: torch.Tensor
        self.counts: torch.Tensor
        self.sums: torch.Tensor
        self.register_buffer("codebook", torch.randn(num_codes, code_dim))
        self.register_buffer("counts", torch.full((num_codes,), least))
        self.register_buffer("sums", least * self.codebook)

    def forward(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`vector_quantize` of z `(B, D)`: codes `(B, D)` and their numbers `(B,)`."""
        return vector_quantize(z, self.codebook)

    @torch.no_grad()
    def update(self, z: torch.Tensor, indices: torch.Tensor, candidates: torch.Tensor) -> int:
        """One step of the codebook by exponential moving averages (EMA), then the revival of dead codes.

        With n_k the number of the batch's vectors that chose code k, and s_k their sum (VQ-VAE, appendix A.1):

            N_k ← γ N_k + (1 - γ) n_k,   m_k ← γ m_k + (1 - γ) s_k,   e_k = m_k / N_k

        After that, every code with N_k < `least` is dead. The first dead code becomes the first candidate, the next one
        the second, and so on: e_k and m_k are that candidate, N_k is 1. Dead codes beyond the last candidate stay as
        the average left them.

        Args:
            z: the batch, `(B, D)`. It may carry a gradient, which plays no part.
            indices: the codes chosen, int64 `(B,)`.
            candidates: `(M, D)`, M ≥ 0: vectors of the batch in some order.

        Returns:
            How many codes were revived. `codebook`, `counts` and `sums` are changed in place.
        """
        chosen = torch.zeros(len(z), len(self.counts), dtype=z.dtype, device=z.device)
        chosen[torch.arange(len(z), device=z.device), indices] = 1  # (B, K)
        self.counts.lerp_(chosen.sum(dim=0).to(self.counts), 1 - self.decay)
        self.sums.lerp_((chosen.T @ z).to(self.sums), 1 - self.decay)
        self.codebook.copy_(self.sums / self.counts[:, None])
        dead = (self.counts < self.least).nonzero()[: len(candidates), 0]
        fresh = candidates[: len(dead)].to(self.codebook)
        self.codebook[dead], self.sums[dead], self.counts[dead] = fresh, fresh, 1.0
        return len(dead)
