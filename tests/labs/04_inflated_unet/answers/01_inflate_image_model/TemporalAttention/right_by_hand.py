"""Writes the softmax out, with einsum and one axis for each of batch and places."""


class TemporalAttention(nn.Module):
    def __init__(self, dim: int, num_heads: int, context_dim: int | None = None):
        super().__init__()
        self.num_heads = num_heads
        self.to_q = nn.Linear(dim, dim, bias=False)
        self.to_k, self.to_v = (nn.Linear(context_dim or dim, dim, bias=False) for _ in range(2))
        self.to_out = nn.ModuleList([nn.Linear(dim, dim), nn.Dropout(0.0)])

    def forward(self, x: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        h, size = self.num_heads, x.shape[-1] // self.num_heads
        q = self.to_q(x).unflatten(-1, (h, size)) / size**0.5
        if context is None:
            k, v = self.to_k(x).unflatten(-1, (h, size)), self.to_v(x).unflatten(-1, (h, size))
            weights = torch.einsum("b t n h d, b s n h d -> b n h t s", q, k).softmax(dim=-1)
            seen = torch.einsum("b n h t s, b s n h d -> b t n h d", weights, v)
        else:
            k, v = self.to_k(context).unflatten(-1, (h, size)), self.to_v(context).unflatten(-1, (h, size))
            weights = torch.einsum("b t n h d, b l h d -> b t n h l", q, k).softmax(dim=-1)
            seen = torch.einsum("b t n h l, b l h d -> b t n h d", weights, v)
        return self.to_out[0](seen.flatten(-2))
