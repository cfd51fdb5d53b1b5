"""Loops over clips and places."""


class TemporalAttention(nn.Module):
    def __init__(self, dim: int, num_heads: int, context_dim: int | None = None):
        super().__init__()
        self.num_heads = num_heads
        self.to_q = nn.Linear(dim, dim, bias=False)
        self.to_k, self.to_v = (nn.Linear(context_dim or dim, dim, bias=False) for _ in range(2))
        self.to_out = nn.ModuleList([nn.Linear(dim, dim), nn.Dropout(0.0)])

    def forward(self, x: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        clips = []
        for b, clip in enumerate(x):
            places = []
            for place in clip.unbind(dim=1):
                read = place if context is None else context[b]
                q, k, v = self.to_q(place), self.to_k(read), self.to_v(read)
                heads = zip(*(part.chunk(self.num_heads, dim=-1) for part in (q, k, v)))
                made = [(a @ c.T / a.shape[-1] ** 0.5).softmax(dim=-1) @ d for a, c, d in heads]
                places.append(self.to_out[0](torch.cat(made, dim=-1)))
            clips.append(torch.stack(places, dim=1))
        return torch.stack(clips)
