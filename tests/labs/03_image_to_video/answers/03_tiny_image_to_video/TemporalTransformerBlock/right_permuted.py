"""Stays in (B, T, N, C), and folds only for attention."""


class TemporalTransformerBlock(nn.Module):
    def __init__(self, dim: int, num_heads: int, context_dim: int):
        super().__init__()
        self.norm_in, self.ff_in = nn.LayerNorm(dim), FeedForward(dim)
        self.norm1, self.attn1 = nn.LayerNorm(dim), Attention(dim, num_heads)
        self.norm2, self.attn2 = nn.LayerNorm(dim), Attention(dim, num_heads, context_dim)
        self.norm3, self.ff = nn.LayerNorm(dim), FeedForward(dim)

    def forward(self, x, context):
        b, t, n, c = x.shape
        x = x + self.ff_in(self.norm_in(x))
        along = self.norm1(x).transpose(1, 2).reshape(b * n, t, c)
        x = x + self.attn1(along).reshape(b, n, t, c).transpose(1, 2)
        queries = self.norm2(x).reshape(b, t * n, c)  # cross-attention does not care in which order they are
        x = x + self.attn2(queries, context).reshape(b, t, n, c)
        return x + self.ff(self.norm3(x))
