"""One loop over three pairs of modulation and network."""


class DiTBlock(nn.Module):
    def __init__(self, dim, num_heads, ffn_dim):
        super().__init__()
        self.modulation = AdaLNZero(dim, NUM_BRANCHES)
        self.attention = SelfAttention(dim, num_heads)
        self.cross_attention = CrossAttention(dim, num_heads)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(), nn.Linear(ffn_dim, dim))

    def forward(self, x, signal, text, text_mask=None, rotation=None, mask=None, cache=None):
        steer, kept = self.modulation(signal), []

        def attends(h):
            out, new = self.attention(h.flatten(1, 2), rotation=rotation, mask=mask, cache=cache)
            kept.append(new)
            return out.reshape(x.shape)

        def reads(h):
            return self.cross_attention(h.flatten(1, 2), text, text_mask).reshape(x.shape)

        for modulation, network in zip(steer, (attends, reads, self.ffn)):
            x = modulation.leave(x, network(modulation.enter(x)))
        return x, kept[0]
