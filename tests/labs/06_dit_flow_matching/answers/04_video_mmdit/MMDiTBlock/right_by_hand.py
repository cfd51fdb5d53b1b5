"""Norm, scale, shift and gate written out, the text with modulations of three axes."""


class MMDiTBlock(nn.Module):
    def __init__(self, dim: int, num_heads: int, ffn_dim: int, is_last: bool = False):
        super().__init__()
        self.modulation = AdaLNZero(dim, NUM_BRANCHES)
        self.text_modulation = AdaLNZero(dim, NUM_BRANCHES)
        self.attention = JointAttention(dim, num_heads)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(), nn.Linear(ffn_dim, dim))
        self.text_ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(), nn.Linear(ffn_dim, dim))
        if is_last:
            self.text_ffn = nn.Identity()
            self.attention.text.to_out = nn.Identity()
        self.is_last = is_last

    def forward(self, x, text, signal, text_signal, rotation=None, mask=None):
        def norm(h):
            return nn.functional.layer_norm(h.float() if h.dtype == torch.bfloat16 else h, h.shape[-1:], eps=1e-6)

        own, ffn = self.modulation(signal)
        text_own, text_ffn = self.text_modulation(text_signal)
        h = (norm(x) * (1 + own.scale) + own.shift).to(x.dtype)
        words = (norm(text) * (1 + text_own.scale[:, 0]) + text_own.shift[:, 0]).to(text.dtype)
        out, text_out = self.attention(rearrange(h, "b t s d -> b (t s) d"), words, rotation, mask)
        x = (x + own.gate * rearrange(out, "b (t s) d -> b t s d", s=x.shape[2])).to(x.dtype)
        x = (x + ffn.gate * self.ffn((norm(x) * (1 + ffn.scale) + ffn.shift).to(x.dtype))).to(x.dtype)
        if self.is_last:
            return x, text
        text = (text + text_own.gate[:, 0] * text_out).to(text.dtype)
        words = (norm(text) * (1 + text_ffn.scale[:, 0]) + text_ffn.shift[:, 0]).to(text.dtype)
        return x, (text + text_ffn.gate[:, 0] * self.text_ffn(words)).to(text.dtype)
