"""Every branch twice, with the noisy and with the clean rows, and then chosen, as the published code does it."""


class STDiTBlock(nn.Module):
    def __init__(self, dim, num_heads, ffn_dim, temporal=False):
        super().__init__()
        self.temporal = temporal
        self.table = nn.Parameter(torch.zeros(NUM_MODULATIONS, dim))
        self.attention = FactoredAttention(dim, num_heads)
        self.cross_attention = PlainCrossAttention(dim, num_heads)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(approximate="tanh"), nn.Linear(ffn_dim, dim))

    def forward(self, x, signal, text, text_mask=None, rotation=None, noisy=None, clean_signal=None):
        def rows(of):
            return [row[:, None, None] for row in (of + self.table).unbind(1)]

        noisy_rows = rows(signal)
        clean_rows = None if noisy is None else rows(clean_signal)

        def choose(function):
            chosen = function(noisy_rows)
            return chosen if noisy is None else torch.where(noisy[:, :, None, None], chosen, function(clean_rows))

        batch, frames, places, _ = x.shape
        h = choose(lambda r: plain_norm(x) * (1 + r[1]) + r[0]).to(x.dtype)
        if self.temporal:
            h = rearrange(self.attention(rearrange(h, "b t s d -> (b s) t d"), rotation=rotation),
                          "(b s) t d -> b t s d", s=places)  # fmt: skip
        else:
            h = rearrange(self.attention(rearrange(h, "b t s d -> (b t) s d")), "(b t) s d -> b t s d", t=frames)
        x = x + choose(lambda r: r[2] * h).to(x.dtype)
        x = x + self.cross_attention(x.reshape(batch, frames * places, -1), text, text_mask=text_mask).view_as(x)
        h = self.ffn(choose(lambda r: plain_norm(x) * (1 + r[4]) + r[3]).to(x.dtype))
        return x + choose(lambda r: r[5] * h).to(x.dtype)
