"""Norm, scale, shift and gate written out."""


class DiTBlock(nn.Module):
    def __init__(self, dim, num_heads, ffn_dim):
        super().__init__()
        self.modulation = AdaLNZero(dim, NUM_BRANCHES)
        self.attention = SelfAttention(dim, num_heads)
        self.cross_attention = CrossAttention(dim, num_heads)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(), nn.Linear(ffn_dim, dim))

    def forward(self, x, signal, text, text_mask=None, rotation=None, mask=None, cache=None):
        B, T, S, D = x.shape
        a, b, c = self.modulation(signal)
        h = plain_norm(x) * (1 + a.scale) + a.shift
        out, cache = self.attention(h.to(x.dtype).reshape(B, T * S, D), rotation, mask, cache)
        x = x + (a.gate * out.view(B, T, S, D)).to(x.dtype)
        h = plain_norm(x) * (1 + b.scale) + b.shift
        out = self.cross_attention(h.to(x.dtype).reshape(B, T * S, D), text, text_mask=text_mask)
        x = x + (b.gate * out.view(B, T, S, D)).to(x.dtype)
        h = plain_norm(x) * (1 + c.scale) + c.shift
        return x + (c.gate * self.ffn(h.to(x.dtype))).to(x.dtype), cache
