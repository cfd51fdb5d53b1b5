"""One place after the other."""


class TemporalTransformerBlock(nn.Module):
    def __init__(self, dim: int, num_heads: int, context_dim: int):
        super().__init__()
        self.norm_in, self.ff_in = nn.LayerNorm(dim), FeedForward(dim)
        self.norm1, self.attn1 = nn.LayerNorm(dim), Attention(dim, num_heads)
        self.norm2, self.attn2 = nn.LayerNorm(dim), Attention(dim, num_heads, context_dim)
        self.norm3, self.ff = nn.LayerNorm(dim), FeedForward(dim)

    def forward(self, x, context):
        def one_place(h):  # (B, T, C)
            h = h + self.ff_in(self.norm_in(h))
            h = self.attn1(self.norm1(h)) + h
            h = self.attn2(self.norm2(h), context) + h
            return self.ff(self.norm3(h)) + h

        return torch.stack([one_place(x[:, :, n]) for n in range(x.shape[2])], dim=2)
